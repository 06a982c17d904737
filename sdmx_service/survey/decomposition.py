"""Inequality between persons, split into that within and that between areas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.errors import DataError
from sdmx_service.survey import dispersion
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Composition, Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Integers, Linearised
from sdmx_service.survey.nested import Nested
from sdmx_service.survey.outcome import known_values, seen
from sdmx_service.survey.subgroups import Groups, Reading

__all__ = ["Decomposition", "Index", "decompose"]


class Index(Enum):
    """An index of inequality that decomposes without a remainder.

    VARIANCE, for a share p that of persons: p(1 - p). THEIL: mean of r ln r, r the outcome over
    its mean. LOG_DEVIATION: mean of -ln r. None is multiplied by 1000.
    """

    VARIANCE = "variance"
    THEIL = "Theil"
    LOG_DEVIATION = "MLD"


@dataclass(frozen=True, eq=False)
class Decomposition:
    """For K cells: ``total`` = ``within`` + ``between``; ``share`` is between over total.

    Each is an ``Estimates`` of the same design, so their differences and those of cells have a
    covariance too.
    """

    index: Index
    total: Estimates
    within: Estimates
    between: Estimates
    share: Estimates


def decompose(
    design: Design,
    cells: Cells,
    outcome: ArrayLike,
    area: ArrayLike,
    index: Index,
    *,
    universe: Booleans | None = None,
) -> Decomposition:
    """Return the inequality of ``outcome`` (n,) in each cell, within and between its areas.

    Variance: sum p_d s2_d + sum p_d (y_d - y)^2; Theil: sum p_d r_d T_d + sum p_d r_d ln r_d; MLD:
    sum p_d L_d + sum p_d (-ln r_d), with r_d = y_d / y (Theil 1967; Shorrocks 1980). The influence
    of a row is that on its area's mean, its area's inner index and the areas' shares. Variances
    have divisor N, not N - 1. ``area`` (n,) labels the areas; a row without one is outside.

    Between areas counts chance differences of small samples too: it is 0 for no sample.

    Raises DataError for a negative outcome under Theil's index and one not above 0 under MLD.
    """
    values, known = known_values(design, outcome)
    codes, labels = pd.factorize(pd.Series(area), sort=True)
    about = codes >= 0 if universe is None else universe & (codes >= 0)
    y = seen(design, values, known, about)
    groups = seen(design, codes.astype(np.float64), known, about).astype(np.intp)
    _refuse(y, index)

    def of(part: str) -> Estimates:
        def statistic(rows: CellRows) -> Linearised:
            return _linearised(rows, y, groups, len(labels), index, part)

        return estimate(
            design,
            cells,
            statistic,
            known=known,
            event=known & (values != 0),
            universe=about,
            composition=Composition.NONE,
        )

    return Decomposition(index, of("total"), of("within"), of("between"), of("share"))


def _refuse(y: Floats, index: Index) -> None:
    wrong = {
        Index.VARIANCE: np.zeros(len(y), dtype=bool),
        Index.THEIL: y < 0,
        Index.LOG_DEVIATION: y <= 0,
    }[index]
    if wrong.any():
        raise DataError(
            f"decomposition by {index.value}",
            got=f"{int(wrong.sum())} outcomes like {float(y[wrong][0]):g}",
            expected="0 or more" if index is Index.THEIL else "more than 0",
            hint="declare what becomes of such incomes in the indicator, or take the variance",
        )


@dataclass(frozen=True, eq=False)
class _Part:
    """A value with its slopes by the areas' means, inner moments and shares, (J,) each."""

    value: float
    by_mean: Floats
    by_moment: Floats
    by_share: Floats


def _moment(y: Floats, index: Index) -> Floats:
    """Return what is averaged within an area besides the outcome, (m,)."""
    if index is Index.VARIANCE:
        return y**2
    result: Floats = special.xlogy(y, y) if index is Index.THEIL else np.log(y)
    return result


def _within(m: Floats, u: Floats, p: Floats, index: Index) -> _Part:
    if index is Index.VARIANCE:
        return _Part(float(p @ (u - m**2)), -2.0 * p * m, p, u - m**2)
    if index is Index.LOG_DEVIATION:
        return _Part(float(p @ (np.log(m) - u)), p / m, -p, np.log(m) - u)
    average = float(p @ m)
    with np.errstate(divide="ignore"):
        inner = u - special.xlogy(m, m)
        value = float(p @ inner) / average
        by_mean = p * (-np.log(m) - 1.0 - value) / average
    return _Part(value, by_mean, p / average, (inner - value * m) / average)


def _between(m: Floats, p: Floats, index: Index) -> _Part:
    groups = Groups(m, p, Reading())
    nothing = np.zeros(len(m))
    if index is Index.VARIANCE:
        found = dispersion.variance(groups)
    elif index is Index.THEIL:
        found = dispersion.theil(groups).scaled(1e-3)
    else:
        found = dispersion.log_deviation(groups).scaled(1e-3)
    return _Part(found.value, found.by_estimate, nothing, found.by_share)


def _combined(first: _Part, a: float, second: _Part, b: float, value: float) -> _Part:
    return _Part(
        value,
        a * first.by_mean + b * second.by_mean,
        a * first.by_moment + b * second.by_moment,
        a * first.by_share + b * second.by_share,
    )


def _part(m: Floats, u: Floats, p: Floats, index: Index, part: str) -> _Part:
    within, between = _within(m, u, p, index), _between(m, p, index)
    whole = within.value + between.value
    if part == "within":
        return within
    if part == "between":
        return between
    if part == "total":
        return _combined(within, 1.0, between, 1.0, whole)
    if not whole > 0:
        nothing = np.full(len(m), np.nan)
        return _Part(np.nan, nothing, nothing, nothing)
    share = between.value / whole
    return _combined(within, -share / whole, between, (1.0 - share) / whole, share)


def _linearised(
    rows: CellRows, y: Floats, area: Integers, count: int, index: Index, part: str
) -> Linearised:
    inside = Nested.of(rows, area, count)
    moment = _moment(y, index)
    m, u = inside.mean(y), inside.mean(moment)
    level, tilt, bend = np.zeros(len(m)), np.zeros(len(m)), np.zeros(len(m))
    value: NDArray[np.float64] = np.full(rows.count, np.nan)
    for cell, here in inside.cells():
        size = inside.size[here]
        if not len(size):
            continue
        total = float(size.sum())
        p = size / total
        found = _part(m[here], u[here], p, index, part)
        value[cell] = found.value
        tilt[here], bend[here] = found.by_mean / size, found.by_moment / size
        level[here] = (found.by_share - p @ found.by_share) / total
        level[here] -= tilt[here] * m[here] + bend[here] * u[here]
    at = inside.of_row
    return Linearised(value, level[at] + tilt[at] * y + bend[at] * moment)
