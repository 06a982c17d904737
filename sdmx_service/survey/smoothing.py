"""Sampling variances of areas, smoothed over the areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError

__all__ = ["Smoothed", "smooth", "smooth_shares"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Smoothed:
    """``variance`` (D,) for every area whose predictors are known, from those that were usable.

    ``coefficients`` (q,) of the logarithm, ``correction`` the factor back from the log scale,
    ``r_squared`` of the fit of the logarithm, ``used`` (D,) the areas it was fitted on.
    """

    variance: Floats
    coefficients: Floats
    correction: float
    r_squared: float
    used: NDArray[np.bool_]


def smooth(
    variance: ArrayLike, predictors: ArrayLike, *, keep: NDArray[np.bool_] | None = None
) -> Smoothed:
    """Return sampling variances (D,) from a generalised variance function, log-linear in z.

    log psi = z'b by least squares over areas with a variance above 0; exp(z'b) is multiplied by
    sum(psi) / sum(exp(z'b)) over them, so that the smoothed variances add up to the estimated ones
    (Rivest and Belmonte 2000; Hidiroglou, Beaumont and Yung 2019). ``predictors`` (D, q) hold the
    column of ones and, usually, log n. ``keep`` (D,) marks areas that keep their own variance.

    Raises DataError for too few areas or predictors that are missing or dependent.
    """
    psi = np.asarray(variance, dtype=np.float64)
    z = np.asarray(predictors, dtype=np.float64)
    z = z[:, None] if z.ndim == 1 else z
    if len(psi) != len(z) or not np.isfinite(z).all():
        raise DataError(
            "variance smoothing: predictors",
            got=f"{len(z)} rows for {len(psi)} areas, {int((~np.isfinite(z)).sum())} missing",
            expected="known predictors for every area",
            hint="log n of an area without interviews is none: leave the area out",
        )
    used = np.isfinite(psi) & (psi > 0)
    if used.sum() <= z.shape[1] or np.linalg.matrix_rank(z[used]) < z.shape[1]:
        raise DataError(
            "variance smoothing",
            got=f"{int(used.sum())} usable variances, {z.shape[1]} predictors",
            expected="more areas than predictors, and predictors that are independent",
        )
    log = np.log(psi[used])
    coefficients: Floats = np.linalg.lstsq(z[used], log, rcond=None)[0].astype(np.float64)
    fitted = np.exp(z @ coefficients)
    correction = float(psi[used].sum() / fitted[used].sum())
    left = float(((log - z[used] @ coefficients) ** 2).sum())
    around = float(((log - log.mean()) ** 2).sum())
    smoothed = correction * fitted
    if keep is not None:
        smoothed = np.where(keep & used, psi, smoothed)
    return Smoothed(
        smoothed, coefficients, correction, 1.0 - left / around if around > 0 else np.nan, used
    )


def smooth_shares(share: ArrayLike, n: ArrayLike, deff: ArrayLike, *, national: float) -> Floats:
    """Return P(1 - P) deff / n (D,), P the nation's share and deff the areas' mean design effect.

    ``share`` (D,) and ``deff`` (D,) are the areas' own, NaN where not estimable; the mean weighs
    areas by ``n`` (D,). An area without a usable share has a variance all the same.
    """
    rows, effect = np.asarray(n, dtype=np.float64), np.asarray(deff, dtype=np.float64)
    own = np.asarray(share, dtype=np.float64)
    usable = np.isfinite(effect) & np.isfinite(own) & (effect > 0) & (own > 0) & (own < 1)
    if not usable.any() or not 0.0 < national < 1.0:
        raise DataError(
            "variance smoothing",
            got=f"{int(usable.sum())} areas with a design effect, a national share of {national}",
            expected="some areas with one, a share between 0 and 1",
        )
    typical = float(np.average(effect[usable], weights=rows[usable]))
    with np.errstate(divide="ignore"):
        return np.where(rows > 0, national * (1.0 - national) * typical / rows, np.nan)
