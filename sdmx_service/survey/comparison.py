"""Which cells of a survey are compared with which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.survey.tabulation import AREA, PLACED, TOTAL, is_public

__all__ = ["CONDITIONS", "plan"]

# The dimensions of DSD_INCL_GAP within whose groups a gap may be taken.
CONDITIONS = ("SEX", "AGE", "URBANISATION")

Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


def plan(
    keys: pd.DataFrame,
    references: Mapping[str, str],
    nation: str,
    *,
    overlapping: Collection[str] = (),
) -> pd.DataFrame:
    """Return the comparisons among cells with these ``keys`` (K rows of REF_AREA and dimensions).

    One row a comparison: ``group`` and ``other`` are positions among the K cells, ``breakdown``
    the dimension compared, ``against`` one of

    - ``REFERENCE``: other is the reference group of the same area and the same condition;
    - ``REST``: other is the whole from which the group is taken: all whom the dimension places;
    - ``NATIONAL``: other is the same group of the nation;
    - ``AREA_REST``: other is that of the nation, from which the area is taken.

    ``references`` maps each dimension to its reference group; the groups of ``overlapping``
    dimensions share people.
    """
    cells = _Cells.of(keys)
    found = [
        part
        for dimension in cells.dimensions
        for part in _groups(
            cells,
            dimension,
            references[dimension],
            # With two groups that share nobody the rest is the reference.
            fewest=1 if dimension in overlapping else 3,
        )
    ]
    found += _areas(cells, nation)
    counts = [len(pairs.group) for pairs in found]
    return pd.DataFrame(
        {
            "group": np.concatenate([pairs.group for pairs in found]),
            "other": np.concatenate([pairs.other for pairs in found]),
            "breakdown": np.repeat([pairs.breakdown for pairs in found], counts),
            "against": np.repeat([pairs.against for pairs in found], counts),
        }
    )


@dataclass(frozen=True, eq=False)
class _Cells:
    """The K cells in numbers: a column's ``codes`` (K,) are places among its ``labels``."""

    labels: Mapping[str, list[str]]
    codes: Mapping[str, Integers]
    public: Booleans

    @classmethod
    def of(cls, keys: pd.DataFrame) -> _Cells:
        numbered = {name: pd.factorize(keys[name]) for name in keys.columns}
        return cls(
            {name: list(labels) for name, (_, labels) in numbered.items()},
            {name: codes for name, (codes, _) in numbered.items()},
            is_public(keys),
        )

    @property
    def dimensions(self) -> list[str]:
        """The columns besides the area."""
        return [name for name in self.labels if name != AREA]

    @property
    def conditions(self) -> list[str]:
        """The dimensions within whose groups a gap may be taken."""
        return [name for name in self.dimensions if name in CONDITIONS]

    def are(self, name: str, label: str) -> Booleans:
        """Return which cells have this label, (K,)."""
        labels = self.labels[name]
        if label not in labels:
            return np.zeros(len(self.public), dtype=bool)
        held: Booleans = self.codes[name] == labels.index(label)
        return held

    def whole(self, dimensions: Iterable[str]) -> Booleans:
        """Return which cells none of these dimensions breaks down, (K,)."""
        whole = np.ones(len(self.public), dtype=bool)
        for name in dimensions:
            whole &= self.are(name, TOTAL)
        return whole

    def together(self, names: Iterable[str]) -> Integers:
        """Return one number for the labels of several columns, (K,)."""
        number = np.zeros(len(self.public), dtype=np.intp)
        for name in names:
            number = number * len(self.labels[name]) + self.codes[name]
        return number


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of positions among the cells, compared by one breakdown against one kind of whole."""

    group: Integers
    other: Integers
    breakdown: str
    against: str

    @classmethod
    def of(
        cls, group: Booleans, other: Booleans, on: Integers, breakdown: str, against: str
    ) -> _Pairs:
        """Pair each cell of ``group`` with all those of ``other`` that have the same number."""
        groups, others = np.flatnonzero(group), np.flatnonzero(other)
        others = others[np.argsort(on[others], kind="stable")]
        first = np.searchsorted(on[others], on[groups], side="left")
        count = np.searchsorted(on[others], on[groups], side="right") - first
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return cls(
            np.repeat(groups, count), others[np.repeat(first, count) + within], breakdown, against
        )


def _groups(cells: _Cells, dimension: str, reference: str, *, fewest: int) -> Iterator[_Pairs]:
    besides = [name for name in cells.dimensions if name != dimension]
    conditions = [name for name in cells.conditions if name != dimension]
    groups = cells.public & ~cells.are(dimension, TOTAL)
    groups &= cells.whole(name for name in besides if name not in CONDITIONS)
    is_reference = cells.are(dimension, reference)
    # The other dimensions are those of the total on both sides.
    same = cells.together([AREA, *conditions])
    yield _Pairs.of(groups & ~is_reference, groups & is_reference, same, dimension, "REFERENCE")
    if len(np.unique(cells.codes[dimension][groups])) >= fewest:
        alone = groups & cells.whole(conditions)
        wholes = _wholes(cells, dimension, besides)
        yield _Pairs.of(alone, wholes, cells.together([AREA]), dimension, "REST")


def _wholes(cells: _Cells, dimension: str, besides: Sequence[str]) -> Booleans:
    """Return what the groups of a dimension are parts of: all whom it places, area by area.

    Without unplaced people that is the total. People of no group are no part of a rest: the
    citizens of a country are not compared with children whose citizenship was not asked.
    """
    alone = cells.whole(besides)
    placed = alone & cells.are(dimension, PLACED)
    areas = cells.codes[AREA]
    return placed | (alone & cells.are(dimension, TOTAL) & ~np.isin(areas, areas[placed]))


def _areas(cells: _Cells, nation: str) -> Iterator[_Pairs]:
    comparable = cells.public & cells.whole(
        name for name in cells.dimensions if name not in CONDITIONS
    )
    national = cells.are(AREA, nation)
    same = cells.together(cells.conditions)
    for against in ("NATIONAL", "AREA_REST"):
        yield _Pairs.of(comparable & ~national, comparable & national, same, AREA, against)
