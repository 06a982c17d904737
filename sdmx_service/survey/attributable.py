"""What the population would gain if everybody fared as a reference group does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sdmx_service.survey.derived import Derived, combine, derived, used_cells
from sdmx_service.survey.estimate import Composition, Estimates
from sdmx_service.survey.influence import Floats
from sdmx_service.survey.table import dense
from sdmx_service.survey.variance import deviations

__all__ = ["Attributable", "attributable"]


@dataclass(frozen=True, eq=False)
class Attributable:
    """M population-attributable measures, each with its covariance.

    ``risk`` is the difference y_ref - mu (HEAT's PAR), ``fraction`` the share risk / mu, 0..1
    (PAF, without the factor 100), ``number`` the people risk x N (PAN), all negative where the
    reference has less of the outcome than the whole.
    """

    risk: Derived
    fraction: Derived
    number: Derived


def attributable(
    estimates: Estimates,
    reference: ArrayLike,
    whole: ArrayLike,
    *,
    people: Estimates | None = None,
    df: ArrayLike | None = None,
) -> Attributable:
    """Return the measures of each ``reference`` cell in its ``whole``, (M,) positions both.

    The two overlap and their covariance counts, and so does, for the number, that the size N of the
    whole is estimated: it is the weighted sum of what the statistic is relative to, people for a
    mean or a share. ``people``, the totals of the same cells, is needed with calibrated weights,
    where it varies less. The keys are those of the reference.

    Raises ValueError for a statistic that is not relative to anything, such as a total.
    """
    if estimates.composition is not Composition.AVERAGE:
        raise ValueError("only means, shares and ratios have population-attributable measures")
    best = np.atleast_1d(np.asarray(reference, dtype=np.intp))
    everyone = np.atleast_1d(np.asarray(whole, dtype=np.intp))
    if people is not None:
        people = people.take(np.unique(np.concatenate([best, everyone])))
    estimates, (best, everyone) = used_cells(estimates, best, everyone)
    keys = estimates.keys.iloc[best]
    value, each = estimates.value, np.arange(len(best))
    risk = value[best] - value[everyone]
    slopes = np.zeros((len(best), len(estimates)))
    np.add.at(slopes, (each, best), 1.0)
    np.add.at(slopes, (each, everyone), -1.0)
    difference = combine(estimates, risk, slopes, keys, df=df)

    relative = np.zeros_like(slopes)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.add.at(relative, (each, best), 1.0 / value[everyone])
        np.add.at(relative, (each, everyone), -value[best] / value[everyone] ** 2)
        fraction = np.where(value[everyone] != 0, risk / value[everyone], np.nan)
    share = combine(estimates, fraction, relative, keys, df=df)

    if people is not None:
        size, spread = people.value[everyone], people.deviations[:, everyone]
    elif estimates.design.calibration is None:
        size, spread = _size(estimates, everyone)
    else:
        raise ValueError("with calibrated weights the totals of the cells are needed: people=")
    gained = size * difference.deviations + risk * spread
    number = Derived(derived(estimates).take(best).keys, size * risk, gained, difference.df)
    return Attributable(difference, share, number)


def _size(estimates: Estimates, whole: np.ndarray) -> tuple[Floats, Floats]:
    """Return the estimated sizes (M,) of the wholes and their deviations (P, M)."""
    sums = dense(estimates.sums.denominator[:, whole])
    return sums.sum(axis=0), deviations(
        sums, estimates.design, represented=estimates.reach[:, whole]
    )
