"""What two disadvantages together do beyond what each does alone."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdmx_service.survey.derived import Derived, combine, used_cells
from sdmx_service.survey.estimate import Estimates

__all__ = ["Interaction", "interact"]

Floats = NDArray[np.float64]


class Interaction(Enum):
    """The measures; 11 is the group with both, 10 and 01 those with one, 00 that with neither.

    ADDITIVE: (p11 - p10) - (p01 - p00). LOG_RATIO: log(p11/p10) - log(p01/p00). LOG_ODDS: the same
    of odds. RERI: R11 - R10 - R01 + 1 with R = p/p00, the excess due to interaction (Rothman).
    ATTRIBUTABLE: RERI / R11. LOG_SYNERGY: log((R11 - 1) / (R10 - 1 + R01 - 1)).
    """

    ADDITIVE = "additive"
    LOG_RATIO = "log_ratio"
    LOG_ODDS = "log_odds"
    RERI = "reri"
    ATTRIBUTABLE = "attributable"
    LOG_SYNERGY = "log_synergy"


def interact(
    estimates: Estimates,
    both: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    neither: ArrayLike,
    measure: Interaction,
    *,
    df: ArrayLike | None = None,
) -> Derived:
    """Return the interaction of four cells, all (M,) positions, by the delta method.

    The joint covariance of the four cells counts. No interaction is zero under every measure;
    where it is not defined (a share of 0 on a ratio scale), the value is NaN. The keys are those
    of ``both``. ``df`` is by default PSUs minus strata of the union of the four cells.
    """
    which = [np.atleast_1d(np.asarray(at, dtype=np.intp)) for at in (both, first, second, neither)]
    estimates, which = used_cells(estimates, *which)
    shares = np.stack([estimates.value[at] for at in which])
    with np.errstate(divide="ignore", invalid="ignore"):
        value, gradient = _measured(shares, measure)
    undefined = ~np.isfinite(value) | ~np.isfinite(gradient).all(axis=0)
    value = np.where(undefined, np.nan, value)
    slopes = np.zeros((len(value), len(estimates)))
    each = np.arange(len(value))
    for at, slope in zip(which, gradient, strict=True):
        # two of the four may be one cell
        np.add.at(slopes, (each, at), slope)
    keys = estimates.keys.iloc[which[0]]
    return combine(estimates, value, slopes, keys, df=df)


def _measured(p: Floats, measure: Interaction) -> tuple[Floats, Floats]:
    """Return the measure (M,) and its gradient (4, M) in the shares 11, 10, 01, 00."""
    p11, p10, p01, p00 = p
    signs = np.array([[1.0], [-1.0], [-1.0], [1.0]])
    if measure is Interaction.ADDITIVE:
        return (signs * p).sum(axis=0), np.broadcast_to(signs, p.shape)
    if measure is Interaction.LOG_RATIO:
        return (signs * np.log(p)).sum(axis=0), signs / p
    if measure is Interaction.LOG_ODDS:
        return (signs * np.log(p / (1 - p))).sum(axis=0), signs / (p * (1 - p))
    excess = (signs * p).sum(axis=0)
    if measure is Interaction.RERI:
        gradient = np.stack([1 / p00, -1 / p00, -1 / p00, (p10 + p01 - p11) / p00**2])
        return excess / p00, gradient
    if measure is Interaction.ATTRIBUTABLE:
        gradient = np.stack([(p10 + p01 - p00) / p11**2, -1 / p11, -1 / p11, 1 / p11])
        return excess / p11, gradient
    joint, apart = p11 - p00, p10 + p01 - 2 * p00
    gradient = np.stack([1 / joint, -1 / apart, -1 / apart, -1 / joint + 2 / apart])
    return np.log(joint / apart), gradient
