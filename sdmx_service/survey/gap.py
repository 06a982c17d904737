"""Disparity between two groups, of one sample or of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.model import Measure, Samples
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.interval import critical
from sdmx_service.survey.pairs import covariance_of_pairs, df_of_pairs

__all__ = ["Gaps", "between", "compare", "from_moments", "versus_rest"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaps:
    """M gaps of a group from a reference; every array is (M,).

    ``se`` is on the scale of ``value``. ``se_log`` is the standard error of the logarithm, on which
    the interval and test of a ratio or odds ratio are made (NaN for a difference). ``t`` is the
    distance from no difference (0, or 1 on the ratio scale) in standard errors. Where a side is not
    estimable or is a share of 0 or 1, or both sides are the same rows, the gap has a value and
    nothing else; where a ratio is not defined, not even that (NaN).
    """

    measure: Measure
    samples: Samples
    level: float
    group: Floats
    reference: Floats
    covariance: Floats
    value: Floats
    se: Floats
    se_log: Floats
    lower: Floats
    upper: Floats
    t: Floats
    p: Floats
    df: Floats

    def __len__(self) -> int:
        return len(self.value)

    @property
    def estimable(self) -> NDArray[np.bool_]:
        """Which gaps have a standard error."""
        return np.isfinite(self.se)


@dataclass(frozen=True)
class _Scale:
    """A scale on which a gap is a difference: forward, its derivative, where it ends."""

    forward: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    below: float = np.inf
    logarithmic: bool = True


_SCALES: dict[Measure, _Scale] = {
    Measure.DIFFERENCE: _Scale(lambda x: x, np.ones_like, logarithmic=False),
    Measure.RATIO: _Scale(np.log, lambda x: 1.0 / x),
    Measure.ODDS_RATIO: _Scale(special.logit, lambda x: 1.0 / (x * (1.0 - x)), below=1.0),
}


def from_moments(
    group: ArrayLike,
    reference: ArrayLike,
    variance_group: ArrayLike,
    variance_reference: ArrayLike,
    covariance: ArrayLike,
    df: ArrayLike,
    measure: Measure,
    *,
    level: float = 0.95,
    samples: Samples = Samples.SAME,
) -> Gaps:
    """Return the gaps of ``group`` from ``reference``, all (M,), by the delta method.

    Ratio and odds ratio are compared on the log scale, where the interval is closer to symmetric
    and never reaches below zero. A zero variance is a group without variation (a share of 0 or 1),
    not a precise one: its gap has a value and no standard error.
    """
    scale = _SCALES[measure]
    a, b = np.asarray(group, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    va = np.asarray(variance_group, dtype=np.float64)
    vb = np.asarray(variance_reference, dtype=np.float64)
    cov, freedom = np.asarray(covariance, dtype=np.float64), np.asarray(df, dtype=np.float64)
    defined = np.isfinite(a) & np.isfinite(b)
    if scale.logarithmic:
        defined &= (a > 0) & (b > 0) & (a < scale.below) & (b < scale.below)
    varied = (va > (1e-13 * a) ** 2) & (vb > (1e-13 * b) ** 2) & (freedom >= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(defined, scale.forward(a) - scale.forward(b), np.nan)
        slope_a, slope_b = scale.slope(a), scale.slope(b)
        apart = slope_a**2 * va + slope_b**2 * vb
        variance = apart - 2.0 * slope_a * slope_b * cov
        # a group compared with itself leaves nothing but rounding
        told_apart = variance > 1e-12 * apart
        error = np.where(defined & varied & told_apart, np.sqrt(np.abs(variance)), np.nan)
        margin = critical(freedom, level) * error
        score = distance / error
        p = 2.0 * special.stdtr(np.maximum(freedom, 1.0), -np.abs(score))
    lower, upper = distance - margin, distance + margin
    value, se, se_log = distance, error, np.full(error.shape, np.nan)
    if scale.logarithmic:
        value, lower, upper = np.exp(distance), np.exp(lower), np.exp(upper)
        se, se_log = value * error, error
    return Gaps(
        measure, samples, level, a, b, cov, value, se, se_log, lower, upper, score, p, freedom
    )


def compare(
    estimates: Estimates,
    group: ArrayLike,
    reference: ArrayLike,
    measure: Measure,
    *,
    part: ArrayLike = False,
    df: ArrayLike | None = None,
    level: float = 0.95,
) -> Gaps:
    """Return the gaps between cells of one sample, which may overlap, with their covariance.

    ``group`` and ``reference`` (M,) are positions among the K cells. ``part``, (M,) or one, says
    where one side is a part of the other or all the rest of it: counts by PSU cannot tell. ``df``,
    (M,) or one number, is by default PSUs minus strata represented in the union of the two cells,
    and of a part those of the side that has fewer, whose variance most of the gap's is.
    """
    i, j = np.asarray(group, dtype=np.intp), np.asarray(reference, dtype=np.intp)
    variance = _variance(estimates)
    if df is None:
        fewer = np.minimum(estimates.df[i], estimates.df[j])
        df = np.where(part, fewer, df_of_pairs(estimates, i, j))
    return from_moments(
        estimates.value[i],
        estimates.value[j],
        variance[i],
        variance[j],
        covariance_of_pairs(estimates, i, j),
        np.broadcast_to(np.asarray(df), i.shape),
        measure,
        level=level,
    )


def versus_rest(
    estimates: Estimates,
    group: ArrayLike,
    whole: ArrayLike,
    measure: Measure,
    *,
    df: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[Gaps, Estimates]:
    """Return the gaps of each group from the rest of its whole, and the estimates of the rests.

    ``group`` and ``whole`` (M,) are positions among the K cells, as of an area and its nation.
    ``df`` is by default that of the group or of its rest, whichever has fewer.
    """
    chosen = np.asarray(group, dtype=np.intp)
    rest = estimates.rest(chosen, whole)
    both = estimates.take(chosen).stack(rest)
    first = np.arange(len(chosen))
    found = compare(both, first, first + len(chosen), measure, part=True, df=df, level=level)
    return found, rest


def between(
    first: Estimates,
    group: ArrayLike,
    second: Estimates,
    reference: ArrayLike,
    measure: Measure,
    *,
    level: float = 0.95,
) -> Gaps:
    """Return the gaps between cells of two samples drawn independently: covariance zero.

    The degrees of freedom are those of both cells together.

    Raises ValueError for two estimates of one design, which are not independent.
    """
    if first.design is second.design:
        raise ValueError("estimates of one design have a covariance: stack and compare them")
    i, j = np.asarray(group, dtype=np.intp), np.asarray(reference, dtype=np.intp)
    return from_moments(
        first.value[i],
        second.value[j],
        _variance(first)[i],
        _variance(second)[j],
        np.zeros(i.shape),
        first.df[i] + second.df[j],
        measure,
        level=level,
        samples=Samples.INDEPENDENT,
    )


def _variance(estimates: Estimates) -> Floats:
    """Return the variances, NaN where a share of 0 or 1 would make the gap look precise."""
    return np.where(estimates.constant, np.nan, estimates.variance)
