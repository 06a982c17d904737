"""Numbers compared with many others at once: the stretches of the number line that are left."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from sdmx_service.query.query import Operator

__all__ = ["NUMBER_TESTS", "in_stretches"]

_Numbers = npt.NDArray[np.float64]
NUMBER_TESTS: Mapping[Operator, Callable[[_Numbers, float], npt.NDArray[np.bool_]]] = {
    Operator.EQ: np.equal,
    Operator.NE: np.not_equal,
    Operator.LT: np.less,
    Operator.LE: np.less_equal,
    Operator.GT: np.greater,
    Operator.GE: np.greater_equal,
}
_LARGEST = float(np.finfo(float).max)
# As many stretches are compared one by one; more are looked up.
_FEW = 8


def in_stretches(
    column: pl.Series, alternatives: Iterable[frozenset[tuple[Operator, float]]]
) -> pl.Expr:
    """Return the mask of the numbers that meet all tests of one alternative.

    However many tests there are, the column is read once. A missing value and NaN meet none.
    """
    asked_for = tuple(alternatives)
    named = np.unique([value for tests in asked_for for _, value in tests])
    asked = named[~np.isnan(named)].astype(np.float64)
    good = _cells(asked, asked_for)
    edges = np.flatnonzero(np.diff(good, prepend=False, append=False)).reshape(-1, 2)
    if len(edges) <= _FEW:
        number = pl.col(column.name).cast(pl.Float64).fill_nan(None)
        between = [_between(number, asked, first, last - 1) for first, last in edges.tolist()]
        return pl.any_horizontal(between) if between else pl.lit(value=False)
    values = column.cast(pl.Float64).fill_null(math.nan).to_numpy()
    at = asked.searchsorted(values)
    exact = asked[np.minimum(at, len(asked) - 1)] == values
    return pl.lit(pl.Series(good[2 * at + exact] & ~np.isnan(values)))


def _cells(
    asked: _Numbers, alternatives: tuple[frozenset[tuple[Operator, float]], ...]
) -> npt.NDArray[np.bool_]:
    """Return which cells of the line are left: numbers asked for at odd places, gaps between."""
    # All values between two numbers asked for are alike: one of them stands for the others.
    cells = np.empty(2 * len(asked) + 1)
    cells[1::2] = asked
    inner = np.clip(asked, -_LARGEST, _LARGEST) / 2
    cells[2:-1:2] = inner[:-1] + inner[1:]
    cells[0], cells[-1] = -np.inf, np.inf
    good = np.zeros(len(cells), dtype=bool)
    for tests in alternatives:
        left = np.ones(len(cells), dtype=bool)
        for operator, value in tests:
            left &= NUMBER_TESTS[operator](cells, value)
        good |= left
    return good


def _between(column: pl.Expr, asked: _Numbers, first: int, last: int) -> pl.Expr:
    """Return whether a value lies in the cells from ``first`` to ``last``."""
    tests = [column.is_not_null()]
    if first:
        least = float(asked[(first - 1) // 2])
        tests.append(column >= least if first % 2 else column > least)
    if last < 2 * len(asked):
        most = float(asked[last // 2])
        tests.append(column <= most if last % 2 else column < most)
    return pl.all_horizontal(tests)
