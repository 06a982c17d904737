"""Influence values of any statistic, summed once to PSU by cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sdmx_service.errors import DesignError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.table import Table, gathered, thin

__all__ = ["CellRows", "Linearised", "Statistic", "Sums", "accumulate"]

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
        sums: Floats = np.bincount(self.code, self._weighted(values), self.count + 1).astype(
            float, copy=False
        )
        return sums[: self.count]

    def at(self, by_cell: Floats, outside: float = 0.0) -> Floats:
        """Return for each row the value of its cell, (m,)."""
        result: Floats = np.append(by_cell, outside)[self.code]
        return result

    def tables(self, *columns: Floats | float) -> list[Any]:
        """Return the weighted sums of each column by PSU and cell, (P, count), and the number of
        rows, sparse."""
        inside = slice(None) if (self.code < self.count).all() else self.code < self.count
        values = [np.broadcast_to(self.weights * c, self.code.shape)[inside] for c in columns]
        return gathered(self.psu[inside], self.code[inside], values, (self.n_psu, self.count))

    def psu_sums(self, values: Floats | float = 1.0) -> Floats:
        """Return the weighted sums of row values by PSU and cell, (P, count)."""
        size = self.n_psu * (self.count + 1)
        flat: Floats = np.bincount(self._flat, self._weighted(values), size).astype(
            float, copy=False
        )
        return flat.reshape(self.n_psu, self.count + 1)[:, : self.count]

    def psu_rows(self) -> NDArray[np.int32]:
        """Return the number of rows by PSU and cell, (P, count)."""
        flat = np.bincount(self._flat, minlength=self.n_psu * (self.count + 1)).astype(np.int32)
        return flat.reshape(self.n_psu, self.count + 1)[:, : self.count]

    def _weighted(self, values: Floats | float) -> Floats:
        if isinstance(values, float) and values == 1.0:
            return self.weights
        return self.weights * values

    @cached_property
    def _flat(self) -> Integers:
        flat: Integers = self.psu * (self.count + 1) + self.code
        return flat


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
    sampling with replacement of as many rows as the cell has.
    """

    value: Floats
    influence: Any
    denominator: Any
    rows: Any
    events: Integers
    missing: Integers
    weight_sum: Floats
    srs_variance: Floats


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
    about = design.weights > 0
    if universe is not None:
        about = about & universe
    used = about & known
    everything = bool(used.all())
    select = slice(None) if everything else np.flatnonzero(used)
    weights, psu = design.weights[select], design.psu[select]
    event_used = np.flatnonzero(event[select])
    absent = np.flatnonzero(about & ~known)

    total, shape = len(cells), (design.n_psu, len(cells))
    filled = sum(min(len(psu), design.n_psu * len(group.keys)) for group in cells.groupings)
    few = thin(shape, filled)
    adjusted = None if design.calibration is None else design.calibration.of_rows(select)
    value, weight_sum, srs = np.empty(total), np.empty(total), np.empty(total)
    events, missing = np.empty(total, dtype=np.intp), np.empty(total, dtype=np.intp)
    influence = Table(shape, few and adjusted is None)
    denominator, counts = Table(shape, few), Table(shape, few, np.int32)
    for grouping, place in cells.slices():
        count = len(grouping.keys)
        code = grouping.codes[select]
        if (code < 0).any():
            code = np.where(code < 0, count, code)
        rows = CellRows(code, count, weights, psu, design.n_psu)
        linear = statistic(rows)
        value[place] = linear.value
        if linear.indirect is not None and adjusted is not None:
            raise DesignError(
                "calibrated weights",
                got="a statistic with an estimated threshold",
                expected="a statistic of a cell's own rows",
                hint="calibrate replicate weights and re-estimate: replication.reestimate",
            )
        if few:
            summed, base, number = rows.tables(linear.influence, linear.denominator)
        else:
            summed, number = rows.psu_sums(linear.influence), rows.psu_rows()
            base = rows.psu_sums(linear.denominator)
        denominator.put(place, base)
        one = isinstance(linear.denominator, float) and linear.denominator == 1.0
        weight = np.asarray(base.sum(axis=0)) if one else rows.sum()
        srs[place] = _srs_variance(
            rows,
            linear.influence,
            weight,
            np.asarray(summed.sum(axis=0)),
            np.asarray(number.sum(axis=0)),
        )
        if linear.indirect is not None:
            summed = summed + linear.indirect
        if adjusted is not None:
            summed = summed - adjusted.fitted(rows, linear.influence)
        influence.put(place, summed)
        counts.put(place, number)
        events[place] = np.bincount(code[event_used], minlength=count + 1)[:count]
        missing[place] = np.bincount(grouping.codes[absent] + 1, minlength=count + 1)[1:]
        weight_sum[place] = weight
    return Sums(
        value,
        influence.joined(),
        denominator.joined(),
        counts.joined(),
        events,
        missing,
        weight_sum,
        srs,
    )


def _srs_variance(
    rows: CellRows, influence: Floats, weight: Floats, total: Floats, n: Integers
) -> Floats:
    """Return W^2 S^2 / n, S^2 the weighted variance of the influence values of a cell's rows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = total / weight
        spread = rows.sum((influence - rows.at(centre)) ** 2) / weight
        return np.where(n > 1, spread * n / (n - 1) * weight**2 / n, np.nan)
