"""Totals, means, proportions and ratios: what follows from sums by sampling unit and cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sdmx_service.survey.influence import CellRows, Floats, Integers, Sums
from sdmx_service.survey.table import scaled

__all__ = ["Outcome", "UnitSums", "centre_of", "moments", "ratio_sums", "total_sums", "unit_sums"]

# Where all outcomes lie this close to a multiple of the denominators, relatively, their spread is
# summed around that multiple: the sums of squares would cancel.
_CLOSE = 1e-2
# What the rounding of the sums of squares leaves where there is no spread.
_NO_SPREAD = 1e-12


def moments(weights: Floats, y: Floats, x: Floats | None) -> Floats:
    """Return the sums of w y, w x, w y^2, w y x and w x^2 over rows (m,): they add up, (5,)."""
    # not a dot product: threads that wait for their next task cost more than they save
    above = weights * y
    if x is None:
        first, total = above.sum(), weights.sum()
        return np.array([first, total, (above * y).sum(), first, total])
    below = weights * x
    return np.array(
        [above.sum(), below.sum(), (above * y).sum(), (above * x).sum(), (below * x).sum()]
    )


def centre_of(whole: Floats) -> float:
    """Return what sums are best taken around, given the ``moments`` of all rows."""
    y, x, yy, yx, xx = whole
    if x == 0:
        return 0.0
    ratio = float(y / x)
    spread = yy - 2.0 * ratio * yx + ratio**2 * xx
    return ratio if spread < _CLOSE**2 * yy else 0.0


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcomes ``y`` and ``x`` of the m rows that are seen, with their weights, all (m,).

    ``x`` is None where it is 1 in every row; the sums are taken around ``centre`` times x.
    """

    weights: Floats
    y: Floats
    x: Floats | None
    centre: float

    @cached_property
    def weighted(self) -> Floats:
        return self.weights * self.y

    @cached_property
    def apart(self) -> Floats:
        """The weighted y less centre times x."""
        if self.centre == 0:
            return self.weighted
        return self.weights * self._apart

    @cached_property
    def _apart(self) -> Floats:
        if self.centre == 0:
            return self.y
        return self.y - (self.centre if self.x is None else self.centre * self.x)

    @cached_property
    def squares(self) -> Floats:
        return self.apart * self._apart

    @cached_property
    def yes_no(self) -> bool:
        """Whether a square is what is squared, in every row."""
        return np.array_equal(self.squares, self.weighted)

    @cached_property
    def events(self) -> Integers | None:
        """The positions of those that are not zero, or None: all."""
        which = np.flatnonzero(self.y)
        return None if len(which) == len(self.y) else which


@dataclass(frozen=True, eq=False)
class UnitSums:
    """Sums over the rows of the cells of one grouping by unit, (P, count), and over all, (count,).

    Of the weights w, of w x (``below``; None where x is 1 in every row) and of w (y - c x)
    (``above``), c being ``centre``; ``rows`` are numbers of rows. ``numerator`` is the sum of w y,
    ``squares``, ``products`` and ``below_squares`` those of w (y - c x)^2, w (y - c x) x and w x^2.
    Tables are NumPy arrays or SciPy's sparse ones.

    Sums of parts of a sample, of the same units, cells and centre, add up to those of the whole.
    """

    centre: float
    weight: Any
    above: Any
    below: Any | None
    rows: Any
    numerator: Floats
    squares: Floats
    products: Floats
    below_squares: Floats
    events: Integers
    missing: Integers

    @cached_property
    def weight_sum(self) -> Floats:
        """The weights of the rows, (count,)."""
        return _over_units(self.weight)

    def __add__(self, other: UnitSums) -> UnitSums:
        if self.centre != other.centre or (self.below is None) != (other.below is None):
            raise ValueError("sums of different statistics")
        return UnitSums(
            self.centre,
            self.weight + other.weight,
            self.above + other.above,
            None if self.below is None else self.below + other.below,
            self.rows + other.rows,
            self.numerator + other.numerator,
            self.squares + other.squares,
            self.products + other.products,
            self.below_squares + other.below_squares,
            self.events + other.events,
            self.missing + other.missing,
        )


def unit_sums(rows: CellRows, of: Outcome, missing: Integers, *, sparsely: bool) -> UnitSums:
    """Return the sums of these rows; ``missing`` are the numbers of rows without an outcome."""
    x = of.x
    columns = [of.weights, of.apart] + ([] if x is None else [of.weights * x])
    if sparsely:
        *tables, number = rows.tables(*columns)
    else:
        tables, number = [rows.by_psu(column) for column in columns], rows.psu_rows()
    products = _over_units(tables[1]) if x is None else rows.by_cell(of.apart * x)
    if of.centre == 0:
        numerator = products if x is None else _over_units(tables[1])
    else:
        numerator = rows.by_cell(of.weighted)
    return UnitSums(
        centre=of.centre,
        weight=tables[0],
        above=tables[1],
        below=None if x is None else tables[2],
        rows=number,
        numerator=numerator,
        squares=numerator if of.yes_no else rows.by_cell(of.squares),
        products=products,
        below_squares=_over_units(tables[0]) if x is None else rows.by_cell(columns[2] * x),
        events=rows.number(of.events),
        missing=missing,
    )


def total_sums(of: UnitSums) -> Sums:
    """Return the totals of y with their influence values."""
    influence = of.above if of.centre == 0 else of.above + of.centre * of.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(of.weight_sum != 0, _over_units(of.above) / of.weight_sum, 0.0)
    return _sums(of, of.numerator, influence, of.weight, _spread(of, mean))


def ratio_sums(of: UnitSums) -> Sums:
    """Return the ratios of the totals of y and x (the means of y, where x is 1) with their
    influence values, (y - R x) / X."""
    below = of.weight if of.below is None else of.below
    base = of.weight_sum if of.below is None else _over_units(below)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(base != 0, of.numerator / base, np.nan)
        scale = np.where(base != 0, 1.0 / base, 0.0)
    apart = value if of.centre == 0 else _over_units(of.above) * scale
    apart = np.where(base != 0, apart, 0.0)
    influence = scaled(of.above, scale) - scaled(below, apart * scale)
    return _sums(of, value, influence, below, _spread(of, apart) * scale**2)


def _sums(of: UnitSums, value: Floats, influence: Any, below: Any, squares: Floats) -> Sums:
    """Return the sums, given those of w u^2, u the influence values less their mean, (count,)."""
    weight, n = of.weight_sum, np.asarray(of.rows.sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # W^2 S^2 / n, S^2 the weighted variance
        srs = np.where(n > 1, squares * weight / (n - 1), np.nan)
    return Sums(value, influence, below, of.rows, of.events, of.missing, weight, srs)


def _spread(of: UnitSums, apart: Floats) -> Floats:
    """Return the sums of w (y - (c + ``apart``) x)^2, 0 where there is nothing but rounding."""
    crossed, squared = 2.0 * apart * of.products, apart**2 * of.below_squares
    spread = of.squares - crossed + squared
    rounding = _NO_SPREAD * (of.squares + np.abs(crossed) + squared)
    return np.where(spread > rounding, spread, 0.0)


def _over_units(table: Any) -> Floats:
    return np.asarray(table.sum(axis=0), dtype=np.float64)
