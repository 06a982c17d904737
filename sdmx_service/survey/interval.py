"""Confidence intervals of estimates, for whole columns of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from sdmx_service.model import CiMethod, Interval

__all__ = [
    "Intervals",
    "asin",
    "clopper_pearson",
    "critical",
    "korn_graubard",
    "likelihood",
    "log_t",
    "logit",
    "of_proportions",
    "t",
    "wilson",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Bounds (K,) on the values' scale, NaN where there is none, and the method (K,) of each."""

    lower: Floats
    upper: Floats
    method: NDArray[np.object_]
    level: float

    def __getitem__(self, position: int) -> Interval | None:
        """Return one interval, or None where the variance is not estimable."""
        if self.method[position] is CiMethod.NONE:
            return None
        return Interval(float(self.lower[position]), float(self.upper[position]), self.level)


def critical(df: ArrayLike, level: float) -> Floats:
    """Return Student's two-sided critical values, NaN without a degree of freedom."""
    freedom = np.asarray(df, dtype=np.float64)
    quantile: Floats = special.stdtrit(np.maximum(freedom, 1.0), (1.0 + level) / 2.0)
    return np.where(freedom >= 1, quantile, np.nan)


def t(value: ArrayLike, se: ArrayLike, df: ArrayLike, *, level: float = 0.95) -> Intervals:
    """Return value -/+ t(df) x SE."""
    centre = np.asarray(value, dtype=np.float64)
    margin = critical(df, level) * np.asarray(se)
    return _intervals(centre - margin, centre + margin, CiMethod.T, level)


def logit(p: ArrayLike, se: ArrayLike, df: ArrayLike, *, level: float = 0.95) -> Intervals:
    """Return the t interval of log(p/(1-p)) taken back, as R's ``xlogit``; none at 0 and 1."""
    share = np.asarray(p, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = special.logit(share)
        # at 0 and 1 without end, on both sides of a centre without end
        margin = critical(df, level) * np.asarray(se) / (share * (1.0 - share))
        lower, upper = special.expit(centre - margin), special.expit(centre + margin)
    return _intervals(lower, upper, CiMethod.LOGIT, level)


def asin(p: ArrayLike, se: ArrayLike, df: ArrayLike, *, level: float = 0.95) -> Intervals:
    """Return the t interval of arcsin(sqrt(p)) taken back, as R's ``asin``; none at 0 and 1.

    A bound beyond 0 or 1 on the arcsine scale is 0 or 1; R folds it back inside.
    """
    share = np.asarray(p, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.arcsin(np.sqrt(share))
        margin = critical(df, level) * np.asarray(se) / (2.0 * np.sqrt(share * (1.0 - share)))
        lower = np.sin(np.maximum(centre - margin, 0.0)) ** 2
        upper = np.sin(np.minimum(centre + margin, np.pi / 2.0)) ** 2
    inside = (share > 0) & (share < 1)
    return _intervals(
        np.where(inside, lower, np.nan), np.where(inside, upper, np.nan), CiMethod.ASIN, level
    )


def wilson(
    p: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    *,
    level: float = 0.95,
    adjusted: bool = True,
) -> Intervals:
    """Return Wilson's score bounds with t(df) and n* = p(1-p)/SE^2 (t(n-1)/t(df))^2.

    None at 0 and 1. ``adjusted=False`` leaves out the ratio of t's, as R's ``wilson`` does; svy has
    it. Wilson, JASA 22 (1927); Franco et al., J. of Survey Statistics and Methodology 7 (2019).
    """
    share = np.asarray(p, dtype=np.float64)
    quantile = critical(df, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = share * (1.0 - share) / np.asarray(se) ** 2
        if adjusted:
            rows = np.asarray(n, dtype=np.float64)
            effective = effective * (critical(rows - 1, level) / quantile) ** 2
        square = quantile**2 / effective
        centre = (share + square / 2.0) / (1.0 + square)
        spread = share * (1.0 - share) * square + square**2 / 4.0
        margin = np.sqrt(spread) / (1.0 + square)
    inside = (share > 0) & (share < 1)
    return _intervals(
        np.where(inside, np.maximum(centre - margin, 0.0), np.nan),
        np.where(inside, np.minimum(centre + margin, 1.0), np.nan),
        CiMethod.WILSON,
        level,
    )


def likelihood(
    p: ArrayLike, se: ArrayLike, df: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> Intervals:
    """Return where the binomial deviance of n trials is t(df)^2 times the design effect.

    None at 0 and 1. R's ``likelihood`` (Rao and Scott, Annals of Statistics 12, 1984): the design
    effect is SE^2 n / (p(1-p)), times n/(n-1) for the estimated dispersion. This is exact; R ends
    up to 3e-4 of a bound away from it, and ``profile_likelihood.likelihood_as_r`` where R does.
    """
    share, rows = np.asarray(p, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        # endless at 0 and 1 and of one row, negative beyond them
        effect = np.asarray(se) ** 2 * rows / (share * (1.0 - share) * (rows - 1.0))
        limit = critical(df, level) ** 2 * effect / 2.0
    lower, upper = _at_divergence(share, limit, -1.0), _at_divergence(share, limit, 1.0)
    return _intervals(lower, upper, CiMethod.LIKELIHOOD, level)


def _at_divergence(share: Floats, limit: Floats, sign: float) -> Floats:
    """Return q on one side of ``share`` with p log(p/q) + (1-p) log((1-p)/(1-q)) = limit.

    NaN for a limit that is negative or not finite.
    """
    start = special.logit(share)
    known = np.isfinite(limit) & (limit >= 0)
    most = np.where(known, limit, 0.0)

    def divergence(distance: Floats) -> Floats:
        # written in the distance of the logits, so that a short one keeps its digits
        with np.errstate(all="ignore"):
            moved: Floats = np.log1p(share * np.expm1(sign * distance)) - share * sign * distance
        return moved

    near = np.zeros_like(start)
    far = np.ones_like(start)
    # both ends of the divergence rise without bound, at least as the smaller share times distance
    for _ in range(64):
        short = divergence(far) < most
        if not short.any():
            break
        far = np.where(short, 2.0 * far, far)
    for _ in range(80):
        middle = (near + far) / 2.0
        short = divergence(middle) < most
        near, far = np.where(short, middle, near), np.where(short, far, middle)
    found: Floats = special.expit(start + sign * (near + far) / 2.0)
    return np.where(known, found, np.nan)


def log_t(value: ArrayLike, se: ArrayLike, df: ArrayLike, *, level: float = 0.95) -> Intervals:
    """Return the t interval of the logarithm taken back, for positive totals and ratios."""
    centre = np.asarray(value, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = np.exp(critical(df, level) * np.asarray(se) / centre)
        lower, upper = centre / factor, centre * factor
    positive = centre > 0
    return _intervals(
        np.where(positive, lower, np.nan), np.where(positive, upper, np.nan), CiMethod.LOG_T, level
    )


def korn_graubard(
    p: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    *,
    level: float = 0.95,
    capped: bool = False,
) -> Intervals:
    """Return Clopper-Pearson bounds with n* = p(1-p)/SE^2 (t(n-1)/t(df))^2 (none at 0 and 1).

    ``capped``: n* is at most n, as NCHS asks; R's ``svyciprop(method="beta")`` does not cap.
    Korn and Graubard, Survey Methodology 24 (1998).
    """
    share, rows = np.asarray(p, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = share * (1.0 - share) / np.asarray(se) ** 2
        effective = effective * (critical(rows - 1, level) / critical(df, level)) ** 2
    if capped:
        effective = np.minimum(effective, rows)
    # at 0 and 1 there are no effective trials, so no interval
    return clopper_pearson(share, effective, level=level)


def clopper_pearson(p: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Intervals:
    """Return Clopper-Pearson bounds of a share p of n, not necessarily whole, trials."""
    share, trials = np.asarray(p, dtype=np.float64), np.asarray(n, dtype=np.float64)
    # A standard error of zero makes endless trials: there is no interval, not a sharp one.
    trials = np.where(np.isfinite(trials) & (trials > 0), trials, np.nan)
    tail, events = (1.0 - level) / 2.0, share * trials
    lower = stats.beta.ppf(tail, events, trials - events + 1.0)
    upper = stats.beta.ppf(1.0 - tail, events + 1.0, trials - events)
    lower, upper = np.where(share <= 0, 0.0, lower), np.where(share >= 1, 1.0, upper)
    return _intervals(lower, upper, CiMethod.KORN_GRAUBARD, level)


_PROPORTION: dict[CiMethod, Callable[..., Intervals]] = {
    CiMethod.T: t,
    CiMethod.LOGIT: logit,
    CiMethod.ASIN: asin,
}
_WITH_ROWS: dict[CiMethod, Callable[..., Intervals]] = {
    CiMethod.WILSON: wilson,
    CiMethod.LIKELIHOOD: likelihood,
}


def of_proportions(
    p: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    *,
    national_deff: float,
    method: CiMethod = CiMethod.LOGIT,
    level: float = 0.95,
    capped: bool = False,
) -> Intervals:
    """Return the published intervals of shares, saying of each how it was made.

    Where p is 0 or 1 the linearised SE is zero and says nothing: the bounds are Clopper-Pearson's
    with n / max(1, ``national_deff``) trials, ``national_deff`` being the indicator's design effect
    in the nation (1 where that is NaN). Not estimable (NaN SE, or df under 1): no interval.
    """
    share, error = np.asarray(p, dtype=np.float64), np.asarray(se, dtype=np.float64)
    freedom, rows = np.asarray(df, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if method is CiMethod.KORN_GRAUBARD:
        usual = korn_graubard(share, error, freedom, rows, level=level, capped=capped)
    elif method in _WITH_ROWS:
        usual = _WITH_ROWS[method](share, error, freedom, rows, level=level)
    else:
        usual = _PROPORTION[method](share, error, freedom, level=level)
    extreme = ((share <= 0) | (share >= 1)) & np.isfinite(error) & (freedom >= 1)
    deff = max(1.0, national_deff) if np.isfinite(national_deff) else 1.0
    fallback = clopper_pearson(share, np.where(extreme, rows / deff, np.nan), level=level)
    return Intervals(
        np.where(extreme, fallback.lower, usual.lower),
        np.where(extreme, fallback.upper, usual.upper),
        np.where(extreme, fallback.method, usual.method),
        level,
    )


def _intervals(lower: Floats, upper: Floats, method: CiMethod, level: float) -> Intervals:
    known = np.isfinite(lower) & np.isfinite(upper)
    methods = np.full(known.shape, CiMethod.NONE, dtype=object)
    methods[known] = method
    return Intervals(np.where(known, lower, np.nan), np.where(known, upper, np.nan), methods, level)
