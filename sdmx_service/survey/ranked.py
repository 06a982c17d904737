"""Inequality along an order: concentration indices, slope and relative index."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.survey.subgroups import Convention, Fit, Groups, Rank, Slopes

__all__ = ["absolute", "erreygers", "mean", "relative", "ridits", "rii", "sii", "wagstaff"]

Floats = NDArray[np.float64]

_STEPS = 100
_PRECISION = 1e-13


def ridits(share: Floats) -> Floats:
    """Return the rank of each group: the share below it and half of its own, (J,)."""
    middle: Floats = np.cumsum(share) - share / 2.0
    return middle


def mean(groups: Groups) -> Slopes:
    """Return the average over the groups."""
    if np.isnan(groups.share).any():
        zero = np.zeros(len(groups.estimate))
        return Slopes(groups.mean, zero, zero)
    return Slopes(groups.mean, groups.share, groups.estimate)


def _through_ranks(by_rank: Floats) -> Floats:
    """Return derivatives by the shares from those by the ranks, (J,)."""
    above: Floats = by_rank.sum() - np.cumsum(by_rank) + by_rank / 2.0
    return above


def absolute(groups: Groups) -> Slopes:
    """Return ACI = sum p (2X - 1) y, X the rank.

    With ``Rank.KNOWN`` it is 2 var(X) times the slope of y on X (the convenient regression of
    Kakwani, Wagstaff and van Doorslaer 1997), the ranks and their variance given.
    """
    y, p = groups.estimate, groups.share
    x = ridits(p)
    value = float(p @ ((2.0 * x - 1.0) * y))
    if groups.reading.rank is Rank.KNOWN:
        spread = float(p @ (x - 0.5) ** 2)
        residual = y - groups.mean - value / (2.0 * spread) * (x - 0.5)
        return Slopes(value, p * (2.0 * x - 1.0), (2.0 * x - 1.0) * residual)
    by_share = (2.0 * x - 1.0) * y + _through_ranks(2.0 * p * y)
    return Slopes(value, p * (2.0 * x - 1.0), by_share)


def relative(groups: Groups) -> Slopes:
    """Return RCI = ACI / mean."""
    if groups.reading.rank is Rank.KNOWN:
        # the convenient regression divides by the mean before it fits, as by a constant
        return _over_constant(absolute(groups), groups.mean)
    return absolute(groups).over(mean(groups))


def erreygers(groups: Groups) -> Slopes:
    """Return Erreygers' index 4 ACI / (upper - lower) of a bounded outcome (2009)."""
    return absolute(groups).scaled(4.0 / _span(groups))


def wagstaff(groups: Groups) -> Slopes:
    """Return Wagstaff's index ACI (upper - lower) / ((upper - mean)(mean - lower)) (2005)."""
    average, span = mean(groups), _span(groups)
    room = (groups.reading.upper - average.value) * (average.value - groups.reading.lower)
    if groups.reading.rank is Rank.KNOWN:
        return _over_constant(absolute(groups), room / span)
    turn = groups.reading.upper + groups.reading.lower - 2.0 * average.value
    below = Slopes(room / span, turn * average.by_estimate / span, turn * average.by_share / span)
    return absolute(groups).over(below)


def sii(groups: Groups) -> Slopes:
    """Return the slope index: the fitted value at rank 1 minus that at rank 0."""
    top, bottom = _ends(groups)
    return Slopes(
        top.value - bottom.value,
        top.by_estimate - bottom.by_estimate,
        top.by_share - bottom.by_share,
    )


def rii(groups: Groups) -> Slopes:
    """Return the relative index: the fitted value at rank 1 over that at rank 0.

    A straight line that is not above 0 at both ranks has none (NaN).
    """
    top, bottom = _ends(groups)
    if min(top.value, bottom.value) <= 0:
        return top.undefined()
    return top.over(bottom)


def _over_constant(slopes: Slopes, constant: float) -> Slopes:
    return slopes.undefined() if constant == 0 else slopes.scaled(1.0 / constant)


def _span(groups: Groups) -> float:
    return groups.reading.upper - groups.reading.lower


def _ends(groups: Groups) -> tuple[Slopes, Slopes]:
    """Return the fitted values at rank 1 and at rank 0.

    The fit solves sum w (1, X)' (y - h(a + b X)) = 0, w the shares; its derivatives are those of
    the solution, through w and, unless the ranks are known, through X.
    """
    reading, p = groups.reading, groups.share
    x = ridits(p)
    logit = reading.fit is Fit.LOGIT
    # from aggregates healthequal's fit counts the population twice
    twice = logit and reading.convention is Convention.HEALTHEQUAL
    weight, by_p = (p**2, 2.0 * p) if twice else (p, np.ones_like(p))
    start, span = (reading.lower, _span(groups)) if logit else (0.0, 1.0)
    y = (groups.estimate - start) / span
    design = np.column_stack([np.ones_like(x), x])
    beta = _solved(design, y, weight, logit)
    if beta is None:
        nothing = np.full(len(y), np.nan)
        none = Slopes(np.nan, nothing, nothing)
        return none, none
    fitted = special.expit(design @ beta) if logit else design @ beta
    slope = fitted * (1.0 - fitted) if logit else np.ones_like(fitted)
    inverse = np.linalg.inv((design * (weight * slope)[:, None]).T @ design)
    residual = y - fitted
    by_estimate = inverse @ (design * weight[:, None]).T / span
    by_share = inverse @ (design * (residual * by_p)[:, None]).T
    if reading.rank is Rank.ESTIMATED:
        moved = -design * (weight * slope * beta[1])[:, None]
        moved[:, 1] += weight * residual
        by_share += np.vstack([_through_ranks(row) for row in inverse @ moved.T])
    ends = []
    for at in (np.array([1.0, 1.0]), np.array([1.0, 0.0])):
        value = float(at @ beta)
        share = float(special.expit(value)) if logit else value
        rate = span * (share * (1.0 - share) if logit else 1.0)
        ends.append(Slopes(start + span * share, rate * (at @ by_estimate), rate * (at @ by_share)))
    return ends[0], ends[1]


def _solved(design: Floats, y: Floats, weight: Floats, logit: bool) -> Floats | None:
    """Return the coefficients, None where the groups do not determine them."""
    if len(y) < 2 or not np.isfinite(y).all():
        return None
    if not logit:
        root = np.sqrt(weight)[:, None]
        return _floats(np.linalg.lstsq(design * root, y * root[:, 0], rcond=None)[0])
    average = float(weight @ y / weight.sum())
    if not 0.0 < average < 1.0 or y.min() < 0 or y.max() > 1:
        return None
    beta = _floats([special.logit(average), 0.0])
    for _ in range(_STEPS):
        fitted = special.expit(design @ beta)
        information = (design * (weight * fitted * (1.0 - fitted))[:, None]).T @ design
        if np.linalg.cond(information) > 1e14:
            # a perfect separation drives the curve to a step
            return None
        step = _floats(np.linalg.solve(information, design.T @ (weight * (y - fitted))))
        beta = beta + step
        if np.abs(step).max() <= _PRECISION * max(1.0, float(np.abs(beta).max())):
            return beta
    return None


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
