"""Inequality among groups without regard to their order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sdmx_service.survey.ranked import mean
from sdmx_service.survey.subgroups import Convention, Groups, Slopes

__all__ = [
    "attributable_fraction",
    "attributable_risk",
    "difference",
    "from_best_unweighted",
    "from_best_weighted",
    "from_mean_unweighted",
    "from_mean_weighted",
    "from_reference_unweighted",
    "from_reference_weighted",
    "index_unweighted",
    "index_weighted",
    "log_deviation",
    "ratio",
    "standard_deviation",
    "theil",
    "variance",
    "variation",
]

Floats = NDArray[np.float64]

# What healthequal puts in place of 0 before it takes a logarithm.
_NEARLY_ZERO = 1e-6


def difference(groups: Groups) -> Slopes:
    """Return D = y1 - y2, the sides as ``Groups.sides`` has them."""
    first, second = groups.sides
    return _one(groups, first, 1.0, _one(groups, second, -1.0))


def ratio(groups: Groups) -> Slopes:
    """Return R = y1 / y2."""
    first, second = groups.sides
    return _one(groups, first, 1.0).over(_one(groups, second, 1.0))


def variance(groups: Groups) -> Slopes:
    """Return BGV = sum p (y - mean)^2."""
    away = groups.estimate - groups.mean
    return Slopes(float(groups.share @ away**2), 2.0 * groups.share * away, away**2)


def standard_deviation(groups: Groups) -> Slopes:
    """Return BGSD, the root of BGV."""
    return variance(groups).power(0.5)


def variation(groups: Groups) -> Slopes:
    """Return COV = 100 BGSD / mean."""
    return standard_deviation(groups).over(mean(groups)).scaled(100.0)


def from_mean_weighted(groups: Groups) -> Slopes:
    """Return MDMW = sum p |y - mean|."""
    return _from_mean(groups, groups.share, mean(groups), weighted=True)


def from_mean_unweighted(groups: Groups) -> Slopes:
    """Return MDMU = sum |y - mean| / J, from the stated average or the weighted mean."""
    return _from_mean(groups, _even(groups), _stated(groups), weighted=False)


def index_weighted(groups: Groups) -> Slopes:
    """Return IDISW = 100 MDMW / mean."""
    return from_mean_weighted(groups).over(mean(groups)).scaled(100.0)


def index_unweighted(groups: Groups) -> Slopes:
    """Return IDISU = 100 MDMU / mean."""
    return from_mean_unweighted(groups).over(_stated(groups)).scaled(100.0)


def from_best_weighted(groups: Groups) -> Slopes:
    """Return MDBW = sum p |y - y_best|, the best group held to be known."""
    return _from_group(groups, groups.best, groups.share, weighted=True)


def from_best_unweighted(groups: Groups) -> Slopes:
    """Return MDBU = sum |y - y_best| / J."""
    return _from_group(groups, groups.best, _even(groups), weighted=False)


def from_reference_weighted(groups: Groups) -> Slopes:
    """Return MDRW = sum p |y - y_reference|."""
    return _from_group(groups, _declared(groups), groups.share, weighted=True)


def from_reference_unweighted(groups: Groups) -> Slopes:
    """Return MDRU = sum |y - y_reference| / J."""
    return _from_group(groups, _declared(groups), _even(groups), weighted=False)


def theil(groups: Groups) -> Slopes:
    """Return TI = 1000 sum p r ln r, r = y / mean; a group at 0 adds 0."""
    groups = _positive(groups)
    y, p, average = groups.estimate, groups.share, groups.mean
    if average <= 0 or (y < 0).any():
        return _undefined(groups)
    r = y / average
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(p @ special.xlogy(r, r))
        log = np.where(r > 0, np.log(r), np.nan)
        by_share = special.xlogy(r, r) - r * (value + 1.0)
        slopes = Slopes(value, p / average * (log - value), by_share)
    return slopes.scaled(1000.0)


def log_deviation(groups: Groups) -> Slopes:
    """Return MLD = 1000 sum p (-ln r), r = y / mean; none (NaN) with a group at 0."""
    groups = _positive(groups)
    y, p, average = groups.estimate, groups.share, groups.mean
    if not (y > 0).all():
        return _undefined(groups)
    value = float(np.log(average) - p @ np.log(y))
    return Slopes(value, p / average - p / y, y / average - np.log(y)).scaled(1000.0)


def attributable_risk(groups: Groups) -> Slopes:
    """Return PAR = y_target - mean, 0 where the mean is better than the target already."""
    gained = _less(_one(groups, groups.target, 1.0), mean(groups))
    wrong = gained.value < 0 if groups.reading.favourable else gained.value > 0
    if wrong:
        nothing = np.full(len(groups.estimate), np.nan)
        return Slopes(0.0, nothing, nothing)
    return gained


def attributable_fraction(groups: Groups) -> Slopes:
    """Return PAF = 100 PAR / mean."""
    return attributable_risk(groups).over(mean(groups)).scaled(100.0)


def _one(groups: Groups, at: int, factor: float, other: Slopes | None = None) -> Slopes:
    zero = np.zeros(len(groups.estimate))
    by_estimate = zero.copy() if other is None else other.by_estimate.copy()
    by_estimate[at] += factor
    value = factor * float(groups.estimate[at]) + (0.0 if other is None else other.value)
    return Slopes(value, by_estimate, zero)


def _less(first: Slopes, second: Slopes) -> Slopes:
    return Slopes(
        first.value - second.value,
        first.by_estimate - second.by_estimate,
        first.by_share - second.by_share,
    )


def _even(groups: Groups) -> Floats:
    return np.full(len(groups.estimate), 1.0 / len(groups.estimate))


def _stated(groups: Groups) -> Slopes:
    """Return the average that is stated, as by the source of aggregates, or the mean."""
    if groups.average is None:
        return mean(groups)
    zero = np.zeros(len(groups.estimate))
    return Slopes(groups.average, zero, zero)


def _from_mean(groups: Groups, weight: Floats, centre: Slopes, *, weighted: bool) -> Slopes:
    away = groups.estimate - centre.value
    # what is equal but for rounding lies on neither side
    side = np.where(np.abs(away) > 1e-12 * np.abs(centre.value), np.sign(away), 0.0)
    towards = float(weight @ side)
    direct = np.abs(away) if weighted else np.zeros_like(away)
    return Slopes(
        float(weight @ np.abs(away)),
        weight * side - towards * centre.by_estimate,
        direct - towards * centre.by_share,
    )


def _from_group(groups: Groups, at: int, weight: Floats, *, weighted: bool) -> Slopes:
    away = groups.estimate - groups.estimate[at]
    by_estimate = weight * np.sign(away)
    by_estimate[at] -= by_estimate.sum()
    by_share = np.abs(away) if weighted else np.zeros_like(away)
    return Slopes(float(weight @ np.abs(away)), by_estimate, by_share)


def _declared(groups: Groups) -> int:
    if groups.reference is None:
        raise ValueError("a mean difference from a reference group needs Reading.reference")
    return groups.reference


def _positive(groups: Groups) -> Groups:
    if groups.reading.convention is not Convention.HEALTHEQUAL:
        return groups
    filled = np.where(groups.estimate == 0, _NEARLY_ZERO, groups.estimate)
    return Groups(filled, groups.share, groups.reading, groups.average)


def _undefined(groups: Groups) -> Slopes:
    nothing = np.full(len(groups.estimate), np.nan)
    return Slopes(np.nan, nothing, nothing)
