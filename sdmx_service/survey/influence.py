"""Influence values of any statistic, summed once to PSU by cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sdmx_service.errors import DesignError
from sdmx_service.survey.cells import Cells, Grouping
from sdmx_service.survey.design import Design
from sdmx_service.survey.table import Table, gathered, thin

__all__ = [
    "CellRows",
    "Linearised",
    "Selection",
    "Statistic",
    "Sums",
    "accumulate",
    "beside_each_other",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CellRows:
    """The m rows with an outcome and the cell of each in one grouping; ``count`` is outside."""

    code: Integers
    count: int
    weights: Floats
    psu: Integers
    n_psu: int

    def sum(self, values: Floats | float = 1.0) -> Floats:
        """Return the weighted sums of row values by cell, (count,)."""
        return self.by_cell(self._weighted(values))

    def by_cell(self, weighted: Floats) -> Floats:
        """Return the sums by cell of row values that are weighted already, (count,)."""
        sums: Floats = np.bincount(self.code, weighted, self.count + 1).astype(float, copy=False)
        return sums[: self.count]

    def at(self, by_cell: Floats, outside: float = 0.0) -> Floats:
        """Return for each row the value of its cell, (m,)."""
        result: Floats = np.append(by_cell, outside)[self.code]
        return result

    def number(self, which: Integers | None = None) -> Integers:
        """Return the number of rows, or of these positions, by cell, (count,)."""
        code = self.code if which is None else self.code[which]
        return np.bincount(code, minlength=self.count + 1)[: self.count]

    def tables(self, *weighted: Floats) -> list[Any]:
        """Return the sums of each weighted column by PSU and cell, (P, count), and the number of
        rows, sparse."""
        inside = slice(None) if (self.code < self.count).all() else self.code < self.count
        values = [column[inside] for column in weighted]
        return gathered(self.psu[inside], self.code[inside], values, (self.n_psu, self.count))

    def psu_sums(self, values: Floats | float = 1.0) -> Floats:
        """Return the weighted sums of row values by PSU and cell, (P, count)."""
        return self.by_psu(self._weighted(values))

    def by_psu(self, weighted: Floats) -> Floats:
        """Return the sums by PSU and cell of row values that are weighted already, (P, count)."""
        flat: Floats = np.bincount(self._flat, weighted, self._size).astype(float, copy=False)
        return self._by_psu(flat)

    def psu_rows(self) -> NDArray[np.int32]:
        """Return the number of rows by PSU and cell, (P, count)."""
        counts: NDArray[np.int32] = self._by_psu(np.bincount(self._flat, minlength=self._size))
        return counts.astype(np.int32, order="K")

    def _weighted(self, values: Floats | float) -> Floats:
        if isinstance(values, float) and values == 1.0:
            return self.weights
        return self.weights * values

    @property
    def _size(self) -> int:
        return self.n_psu * (self.count + 1)

    def _by_psu(self, flat: NDArray[Any]) -> NDArray[Any]:
        # a column of a table is contiguous: see Table
        return flat.reshape(self.count + 1, self.n_psu)[: self.count].T

    @cached_property
    def _flat(self) -> Integers:
        flat: Integers = self.code * self.n_psu + self.psu
        return flat


@dataclass(frozen=True, eq=False)
class Selection:
    """The rows of a sample that a statistic sees: known, of the universe, with a weight above 0.

    ``chosen`` are their positions, or all; ``absent`` those of the universe without an outcome.
    """

    chosen: slice | Integers
    absent: Integers
    weights: Floats
    psu: Integers
    n_psu: int

    @classmethod
    def of(
        cls,
        weights: Floats,
        psu: Integers,
        n_psu: int,
        known: Booleans,
        universe: Booleans | None,
    ) -> Selection:
        """Return the rows to be seen of those with these weights and PSUs, all (n,)."""
        about = weights > 0
        if universe is not None:
            about = about & universe
        used = about & known
        chosen = slice(None) if used.all() else np.flatnonzero(used)
        absent = np.flatnonzero(about & ~known)
        return cls(chosen, absent, weights[chosen], psu[chosen], n_psu)

    def rows(self, grouping: Grouping) -> CellRows:
        """Return the rows with their cells."""
        count, code = len(grouping.keys), grouping.codes[self.chosen]
        if len(code) and code.min() < 0:
            code = np.where(code < 0, count, code)
        return CellRows(code, count, self.weights, self.psu, self.n_psu)

    def missing(self, grouping: Grouping) -> Integers:
        """Return the number of rows without an outcome by cell, (count,)."""
        count = len(grouping.keys)
        return np.bincount(grouping.codes[self.absent] + 1, minlength=count + 1)[1:]

    def sparsely(self, cells: Cells) -> bool:
        """Whether the tables of sums of these cells are kept sparse."""
        counts = [len(grouping.keys) for grouping in cells.groupings]
        return thin(self.n_psu, counts, len(self.psu))


@dataclass(frozen=True, eq=False)
class Linearised:
    """A statistic by cell: ``value`` (count,), ``influence`` (m,) of each row on its own cell.

    ``denominator`` (m,) is what the value is relative to: its weighted sum is the population for a
    mean, X for a ratio. ``indirect`` (P, count) adds PSU sums of what rows do to cells that they
    do not belong to, as through an estimated threshold.
    """

    value: Floats
    influence: Floats
    denominator: Floats | float = 1.0
    indirect: Floats | None = None


class Statistic(Protocol):
    """Anything that can be linearised cell by cell."""

    def __call__(self, rows: CellRows) -> Linearised:
        """Return the values of the grouping's cells with the influence of each row."""
        ...


@dataclass(frozen=True, eq=False)
class Sums:
    """What one pass over the rows leaves behind, for K cells and P PSUs.

    ``influence``, ``denominator``, ``rows`` are (P, K), NumPy arrays or, where units and cells are
    many, SciPy's sparse ones; all others (K,). ``srs_variance`` is the variance under simple random
    sampling with replacement of as many rows as the cell has. ``explained`` (P, K) is what the
    totals of a calibrated design explain of the denominators, None without calibration.
    """

    value: Floats
    influence: Any
    denominator: Any
    rows: Any
    events: Integers
    missing: Integers
    weight_sum: Floats
    srs_variance: Floats
    explained: Any = None


def accumulate(
    design: Design,
    cells: Cells,
    statistic: Statistic,
    *,
    known: Booleans,
    event: Booleans,
    universe: Booleans | None = None,
) -> Sums:
    """Return the sums of ``statistic`` over all cells.

    ``known`` (n,) marks rows with an outcome, ``event`` (n,) those that count as events,
    ``universe`` (n,) those the indicator is about. Rows of weight 0 stay in the design, outside
    every cell.
    The statistic sees the known rows of the universe, in the order of the sample.
    """
    if cells.n_rows != design.n_rows:
        raise ValueError(f"cells of {cells.n_rows} rows for a design of {design.n_rows}")
    seen = Selection.of(design.weights, design.psu, design.n_psu, known, universe)
    sparsely = seen.sparsely(cells)
    adjusted = None if design.calibration is None else design.calibration.of_rows(seen.chosen)
    events = np.flatnonzero(event[seen.chosen])

    def part(grouping: Grouping) -> Sums:
        rows = seen.rows(grouping)
        linear = statistic(rows)
        if sparsely:
            summed, base, number = rows.tables(
                rows.weights * linear.influence, rows.weights * linear.denominator
            )
        else:
            summed, number = rows.psu_sums(linear.influence), rows.psu_rows()
            base = rows.psu_sums(linear.denominator)
        one = isinstance(linear.denominator, float) and linear.denominator == 1.0
        weight = np.asarray(base.sum(axis=0)) if one else rows.sum()
        srs = _srs_variance(
            rows,
            linear.influence,
            weight,
            np.asarray(summed.sum(axis=0)),
            np.asarray(number.sum(axis=0)),
        )
        if linear.indirect is not None:
            if adjusted is not None:
                raise DesignError(
                    "calibrated weights",
                    got="a statistic with an estimated threshold",
                    expected="a statistic of a cell's own rows",
                    hint="calibrate replicate weights and re-estimate: replication.reestimate",
                )
            summed = summed + linear.indirect
        explained = None
        if adjusted is not None:
            summed = summed - adjusted.fitted(rows, linear.influence)
            explained = adjusted.fitted(rows, linear.denominator)
        return Sums(
            linear.value,
            summed,
            base,
            number,
            rows.number(events),
            seen.missing(grouping),
            weight,
            srs,
            explained,
        )

    return beside_each_other(
        (part(grouping) for grouping in cells.groupings),
        (design.n_psu, len(cells)),
        sparsely=sparsely,
        residual=adjusted is not None,
    )


def beside_each_other(
    parts: Iterable[Sums], shape: tuple[int, int], *, sparsely: bool, residual: bool = False
) -> Sums:
    """Return the sums of all groupings, one after the other, as tables of P units by K cells.

    ``residual`` influence, as of calibrated weights, is zero nowhere.
    """
    total = shape[1]
    value, weight_sum, srs = np.empty(total), np.empty(total), np.empty(total)
    events, missing = np.empty(total, dtype=np.intp), np.empty(total, dtype=np.intp)
    if sparsely:
        influence = Table.several(shape, float)[0] if residual else Table()
        denominator, rows = Table(), Table()
    else:
        influence, denominator, rows = Table.several(shape, float, float, np.int32)
    explained = Table.several(shape, float)[0] if residual else None
    start = 0
    for part in parts:
        place = slice(start, start + len(part.value))
        start = place.stop
        value[place], weight_sum[place] = part.value, part.weight_sum
        srs[place] = part.srs_variance
        events[place], missing[place] = part.events, part.missing
        influence.put(place, part.influence)
        denominator.put(place, part.denominator)
        rows.put(place, part.rows)
        if explained is not None:
            explained.put(place, part.explained)
    return Sums(
        value,
        influence.joined(),
        denominator.joined(),
        rows.joined(),
        events,
        missing,
        weight_sum,
        srs,
        None if explained is None else explained.joined(),
    )


def _srs_variance(
    rows: CellRows, influence: Floats, weight: Floats, total: Floats, n: Integers
) -> Floats:
    """Return W^2 S^2 / n, S^2 the weighted variance of the influence values of a cell's rows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = total / weight
        spread = rows.sum((influence - rows.at(centre)) ** 2) / weight
        return np.where(n > 1, spread * n / (n - 1) * weight**2 / n, np.nan)
