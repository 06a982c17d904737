"""Variances and covariances from PSU sums of influence values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdmx_service.survey.design import Design, Lonely

__all__ = ["covariance", "deviations"]

Floats = NDArray[np.float64]


def deviations(
    sums: Floats, design: Design, *, represented: NDArray[np.bool_] | None = None
) -> Floats:
    """Return D with D'D the covariance of the columns of ``sums``: (P, K) to (P, K).

    Row i of stratum h is sqrt((1 - f_h) n_h / (n_h - 1)) (z_hi - mean_h), z the weighted PSU sums
    of influence values (Binder 1983; Saerndal, Swensson and Wretman 1992, 4.6). ``represented``
    (H, K) tells which strata have rows in a column's domain; it matters to ``Lonely.ADJUST`` and
    ``AVERAGE`` alone, where a stratum without rows is no stratum of the domain (R survey 4.5).
    """
    count = design.psu_per_stratum
    alone = count == 1
    scale = count / np.maximum(count - 1, 1)
    if design.sampling_fraction is not None:
        scale = scale * (1.0 - design.sampling_fraction)
    stratum_sums = design.by_stratum(sums)
    centre = stratum_sums / count[:, None]
    if alone.any() and design.lonely is Lonely.ADJUST:
        present = np.ones(centre.shape, dtype=bool) if represented is None else represented
        overall = stratum_sums.sum(axis=0) / np.maximum(count @ present, 1)
        centre[alone] = np.where(present[alone], overall, centre[alone])
    result: Floats = (sums - centre[design.stratum_of_psu]) * np.sqrt(scale)[
        design.stratum_of_psu, None
    ]
    if alone.any() and design.lonely is Lonely.AVERAGE:
        present = np.ones(centre.shape, dtype=bool) if represented is None else represented
        strata, usable = present.sum(axis=0), present[~alone].sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            result = result * np.sqrt(np.where(usable > 0, strata / usable, np.nan))
    return result


def covariance(
    sums: Floats, design: Design, *, represented: NDArray[np.bool_] | None = None
) -> Floats:
    """Return the (K, K) covariance of K statistics from PSU sums of influence values (P, K)."""
    deviation = deviations(sums, design, represented=represented)
    joint: Floats = deviation.T @ deviation
    return joint
