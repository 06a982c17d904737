"""The domains of interest of one sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["Cells", "Grouping"]


@dataclass(frozen=True, eq=False)
class Grouping:
    """A partition of the sample: ``codes`` (n,) are row numbers of ``keys``, or -1: outside."""

    keys: pd.DataFrame
    codes: NDArray[np.intp]

    def __post_init__(self) -> None:
        if len(self.codes) and (self.codes.max() >= len(self.keys) or self.codes.min() < -1):
            raise ValueError(
                f"codes {self.codes.min()}..{self.codes.max()} of {len(self.keys)} cells"
            )


@dataclass(frozen=True, eq=False)
class Cells:
    """Groupings side by side: nation, areas, sexes, areas by sex; K cells in all, in order."""

    groupings: tuple[Grouping, ...]

    def __post_init__(self) -> None:
        if len({len(grouping.codes) for grouping in self.groupings}) != 1:
            raise ValueError("every grouping holds one code a row of the sample")

    @classmethod
    def from_groupings(cls, groupings: Iterable[tuple[pd.DataFrame, ArrayLike]]) -> Cells:
        """Return the cells of ``(keys, codes)`` pairs as in Grouping."""
        return cls(
            tuple(
                Grouping(_numbered(keys), np.asarray(codes).astype(np.intp, copy=False))
                for keys, codes in groupings
            )
        )

    @classmethod
    def from_labels(cls, **columns: ArrayLike) -> Cells:
        """Return the nation first, then one grouping for each column of labels (missing: outside).

        The keys have a column ``grouping`` with the column's name and a column ``group``.
        """
        groupings = []
        for name, column in columns.items():
            codes, labels = pd.factorize(pd.Series(column), sort=True)
            groupings.append((pd.DataFrame({"grouping": name, "group": list(labels)}), codes))
        rows = len(groupings[0][1]) if groupings else 0
        nation = pd.DataFrame({"grouping": ["_T"], "group": ["_T"]})
        return cls.from_groupings([(nation, np.zeros(rows, dtype=np.intp)), *groupings])

    @classmethod
    def from_flags(cls, **flags: ArrayLike) -> Cells:
        """Return the nation first, then one cell for each column of flags (n,): who holds it.

        A person may hold several, as of population groups; missing is not held. The keys are as
        in ``from_labels``, with ``grouping`` and ``group`` the flag's name.
        """
        groupings = []
        for name, column in flags.items():
            held = pd.Series(column).fillna(0).astype(bool).to_numpy()
            keys = pd.DataFrame({"grouping": [name], "group": [name]})
            groupings.append((keys, np.where(held, 0, -1)))
        rows = len(groupings[0][1]) if groupings else 0
        nation = pd.DataFrame({"grouping": ["_T"], "group": ["_T"]})
        return cls.from_groupings([(nation, np.zeros(rows, dtype=np.intp)), *groupings])

    @property
    def n_rows(self) -> int:
        """The number of rows of the sample."""
        return len(self.groupings[0].codes)

    def __len__(self) -> int:
        return sum(len(grouping.keys) for grouping in self.groupings)

    @cached_property
    def keys(self) -> pd.DataFrame:
        """The keys of all cells, K rows."""
        return pd.concat([grouping.keys for grouping in self.groupings], ignore_index=True)

    def slices(self) -> Iterator[tuple[Grouping, slice]]:
        """Yield each grouping with its place among the K cells."""
        start = 0
        for grouping in self.groupings:
            stop = start + len(grouping.keys)
            yield grouping, slice(start, stop)
            start = stop


def _numbered(keys: pd.DataFrame) -> pd.DataFrame:
    """Return the keys with their row numbers as index."""
    as_they_are = keys.index.equals(pd.RangeIndex(len(keys)))
    return keys if as_they_are else keys.reset_index(drop=True)
