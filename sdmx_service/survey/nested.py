"""The groups inside each cell of a grouping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sdmx_service.survey.influence import CellRows

__all__ = ["Nested"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Nested:
    """Q pairs of a cell and a group with rows in it, in order of cell and group.

    ``group`` (Q,) codes, ``size`` (Q,) sums of weights, ``of_row`` (m,) the pair of each row;
    ``ends`` (count + 2,) where the pairs of each cell begin, the rows outside every cell last.
    """

    rows: CellRows
    group: Integers
    size: Floats
    of_row: Integers
    ends: Integers

    @classmethod
    def of(cls, rows: CellRows, group: Integers, groups: int) -> Nested:
        """Return the pairs of the cells of ``rows`` and the ``group`` (m,) codes of its rows."""
        pairs, of_row = np.unique(rows.code * groups + group, return_inverse=True)
        size = np.bincount(of_row, rows.weights, len(pairs)).astype(np.float64)
        ends = np.searchsorted(pairs, np.arange(rows.count + 2) * groups)
        return cls(rows, pairs % max(groups, 1), size, of_row, ends)

    def mean(self, values: Floats) -> Floats:
        """Return the weighted means of row values (m,) by pair, (Q,)."""
        sums = np.bincount(self.of_row, self.rows.weights * values, len(self.size))
        average: Floats = sums / self.size
        return average

    def cells(self) -> Iterator[tuple[int, slice]]:
        """Yield each cell with the place of its pairs."""
        for cell in range(self.rows.count):
            yield cell, slice(int(self.ends[cell]), int(self.ends[cell + 1]))

    @cached_property
    def in_two_psus(self) -> NDArray[np.bool_]:
        """Whether the rows of a pair lie in two PSUs or more, (Q,)."""
        low, high = np.full(len(self.size), self.rows.n_psu), np.full(len(self.size), -1)
        np.minimum.at(low, self.of_row, self.rows.psu)
        np.maximum.at(high, self.of_row, self.rows.psu)
        several: NDArray[np.bool_] = high > low
        return several
