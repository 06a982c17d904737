"""Area means under the Fay-Herriot model, for areas with few or no interviews."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError
from sdmx_service.survey.estimate import Estimates

__all__ = ["AreaModel", "VarianceMethod", "direct_of", "fay_herriot"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_LOWEST = 1e-12


class VarianceMethod(Enum):
    """How the variance between areas is estimated.

    REML and ML by Fisher scoring, FH by Fay and Herriot's moment equation (1979).
    """

    REML = "REML"
    ML = "ML"
    FH = "FH"


@dataclass(frozen=True, eq=False)
class AreaModel:
    """Estimates of D areas under y = x'b + v + e, v ~ (0, variance), e ~ (0, psi) with psi known.

    ``estimate`` (D,) is the EBLUP, x'b where there is no direct estimate; ``mse`` (D,) its mean
    squared error, ``g1``, ``g2``, ``g3`` and ``bias`` (D,) its parts: g1 + g2 + 2 g3 - bias
    (Prasad and Rao 1990; Datta and Lahiri 2000). ``gamma`` (D,) is the weight of the direct
    estimate, 0 where there is none. ``loglik`` is the normal log likelihood at the estimates, AIC
    and BIC count p coefficients and the variance. ``boundary`` says that the variance is 0: all
    estimates are then synthetic. Every value is modelled (SDMX OBS_STATUS E).
    """

    method: VarianceMethod
    direct: Floats
    sampling_variance: Floats
    covariates: Floats
    variance: float
    coefficients: Floats
    coefficient_covariance: Floats
    loglik: float
    aic: float
    bic: float
    iterations: int
    converged: bool
    boundary: bool
    estimate: Floats
    synthetic: Floats
    gamma: Floats
    mse: Floats
    g1: Floats
    g2: Floats
    g3: Floats
    bias: Floats

    @property
    def coefficient_se(self) -> Floats:
        """The standard errors of the coefficients, (p,)."""
        error: Floats = np.sqrt(np.diag(self.coefficient_covariance))
        return error

    @property
    def rmse(self) -> Floats:
        """The root of the mean squared error, (D,)."""
        root: Floats = np.sqrt(self.mse)
        return root

    @property
    def sampled(self) -> Booleans:
        """Which areas have a direct estimate, (D,)."""
        return np.isfinite(self.direct)

    @property
    def modelled(self) -> Booleans:
        """Which values rest on the model and are published as estimated: all of them, (D,)."""
        return np.ones(len(self.estimate), dtype=bool)

    @property
    def residuals(self) -> Floats:
        """(y - x'b) / sqrt(variance + psi), about standard normal if the model is right, (D,)."""
        total = np.sqrt(self.variance + self.sampling_variance)
        standardised: Floats = (self.direct - self.synthetic) / total
        return standardised


def fay_herriot(
    direct: ArrayLike,
    sampling_variance: ArrayLike,
    covariates: ArrayLike,
    *,
    method: VarianceMethod = VarianceMethod.REML,
    precision: float = 1e-4,
    most_iterations: int = 200,
) -> AreaModel:
    """Fit y_d = x_d'b + v_d + e_d and return the areas' EBLUPs with their mean squared errors.

    ``direct`` (D,) is NaN for an area without interviews, whose estimate is then synthetic;
    ``sampling_variance`` (D,) belongs to it; ``covariates`` (D, p) are known for every area and
    hold the intercept's column of ones. ``precision`` is the relative change of the variance at
    which the iteration stops, by default that of R sae: the variance then lies within some 1e-5 of
    the equation's root, far inside its own error. A variance that would be negative is 0.

    Raises DataError for a missing or zero sampling variance of an area with a direct estimate,
    missing or collinear covariates, no more areas than coefficients, no convergence.
    """
    y = np.asarray(direct, dtype=np.float64)
    psi = np.asarray(sampling_variance, dtype=np.float64)
    x = np.asarray(covariates, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    sampled = _checked(y, psi, x)
    inside = _Areas(y[sampled], psi[sampled], x[sampled])
    variance, iterations = _between(inside, method, precision, most_iterations)
    weight = 1.0 / (variance + inside.psi)
    q, coefficients = inside.least_squares(weight)
    m, p = inside.x.shape
    residual = inside.y - inside.x @ coefficients
    loglik = -0.5 * float((np.log(2.0 * np.pi / weight) + weight * residual**2).sum())

    synthetic = x @ coefficients
    shrink, g1, g3 = np.ones(len(y)), np.full(len(y), variance), np.zeros(len(y))
    shrink[sampled] = inside.psi * weight
    g1[sampled] = variance * shrink[sampled]
    g2 = shrink**2 * np.einsum("dp,pq,dq->d", x, q, x)
    spread = _variance_of_variance(weight, method)
    g3[sampled] = shrink[sampled] ** 2 * spread * weight
    # the estimated variance of an area that is not sampled enters by itself, with its bias
    bias = shrink**2 * _bias_of_variance(inside, weight, q, method)
    gamma = np.zeros(len(y))
    gamma[sampled] = variance * weight
    estimate = synthetic.copy()
    estimate[sampled] += gamma[sampled] * residual
    return AreaModel(
        method,
        y,
        np.where(sampled, psi, np.nan),
        x,
        variance,
        coefficients,
        q,
        loglik,
        -2.0 * loglik + 2.0 * (p + 1),
        -2.0 * loglik + (p + 1) * float(np.log(m)),
        iterations,
        True,
        variance == 0.0,
        estimate,
        synthetic,
        gamma,
        g1 + g2 + 2.0 * g3 - bias,
        g1,
        g2,
        g3,
        bias,
    )


def direct_of(estimates: Estimates) -> tuple[Floats, Floats]:
    """Return the direct estimates and sampling variances (K,) that ``fay_herriot`` takes.

    NaN where the sampling variance is not estimable, or is 0 because a share is 0 or 1: smooth the
    variances (``smoothing.smooth``) to keep such an area's own estimate in the model. The sampling
    covariances of the areas are not used; they are 0 where areas are unions of strata.
    """
    firm = estimates.estimable & ~estimates.constant
    return np.where(firm, estimates.value, np.nan), np.where(firm, estimates.variance, np.nan)


@dataclass(frozen=True, eq=False)
class _Areas:
    """The m sampled areas."""

    y: Floats
    psi: Floats
    x: Floats

    def least_squares(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return (X'WX)^-1 (p, p) and the coefficients (p,)."""
        weighted = self.x * weight[:, None]
        q: Floats = np.linalg.inv(weighted.T @ self.x).astype(np.float64)
        return q, q @ (weighted.T @ self.y)


def _checked(y: Floats, psi: Floats, x: Floats) -> Booleans:
    if not len(y) == len(psi) == len(x):
        raise DataError(
            "small areas",
            got=f"{len(y)} estimates, {len(psi)} variances, {len(x)} rows of covariates",
            expected="one of each an area",
        )
    sampled: Booleans = np.isfinite(y)
    wrong = sampled & ~(np.isfinite(psi) & (psi > 0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"small areas: sampling variance of area {first + 1}",
            got=float(psi[first]),
            expected="a variance above 0 for every direct estimate",
            hint=f"{int(wrong.sum())} areas are like this: smooth the variances, or give the area "
            "no direct estimate and take the synthetic one",
        )
    lacking = ~np.isfinite(x).all(axis=1)
    if lacking.any():
        raise DataError(
            f"small areas: covariates of area {int(np.flatnonzero(lacking)[0]) + 1}",
            got="missing or infinite",
            expected="known covariates for every area, sampled or not",
        )
    m, p = int(sampled.sum()), x.shape[1]
    if m <= p:
        raise DataError(
            "small areas",
            got=f"{m} areas with a direct estimate, {p} coefficients",
            expected="more areas than coefficients",
        )
    scaled = x[sampled] / np.maximum(np.abs(x[sampled]).max(axis=0), 1e-300)
    if np.linalg.matrix_rank(scaled) < p:
        raise DataError(
            "small areas: covariates",
            got=f"{p} columns, of which some are combinations of others",
            expected="columns that are linearly independent over the sampled areas",
            hint="an intercept and all indicators of a category together are dependent",
        )
    return sampled


def _between(
    areas: _Areas, method: VarianceMethod, precision: float, most: int
) -> tuple[float, int]:
    """Return the variance between areas and the iterations it took.

    Fisher scoring of the REML and ML equations, Newton's method for the moment equation, from the
    median sampling variance on. At 0 a step that leads below it ends the search: the score points
    out of the range of variances.
    """
    variance = float(np.median(areas.psi))
    for iteration in range(1, most + 1):
        weight = 1.0 / (variance + areas.psi)
        score, information = _score(areas, weight, method)
        step = score / information
        if variance + step <= 0:
            if variance <= _LOWEST * float(areas.psi.min()):
                return 0.0, iteration
            # half way to the edge, so that a step too long is not taken for the edge itself
            edge_score, _ = _score(areas, 1.0 / areas.psi, method)
            if edge_score <= 0:
                return 0.0, iteration
            variance /= 2.0
            continue
        change = abs(step / variance)
        variance += step
        if change <= precision:
            return variance, iteration
    raise DataError(
        f"small areas: {method.value} variance between areas",
        got=f"no convergence after {most} iterations",
        expected="a variance",
        hint="look for an area with an extreme estimate, or try another method",
    )


def _score(areas: _Areas, weight: Floats, method: VarianceMethod) -> tuple[float, float]:
    """Return the estimating function of the variance and its expected slope."""
    q, coefficients = areas.least_squares(weight)
    residual = areas.y - areas.x @ coefficients
    m, p = areas.x.shape
    if method is VarianceMethod.FH:
        return float(weight @ residual**2) - (m - p), float(weight.sum())
    squares = 0.5 * float(weight**2 @ residual**2)
    if method is VarianceMethod.ML:
        return squares - 0.5 * float(weight.sum()), 0.5 * float((weight**2).sum())
    # traces of P = W - W X Q X' W and of PP, without m x m matrices
    second = (areas.x * (weight**2)[:, None]).T @ areas.x @ q
    third = (areas.x * (weight**3)[:, None]).T @ areas.x @ q
    trace = float(weight.sum() - np.trace(second))
    trace_squared = float((weight**2).sum() - 2.0 * np.trace(third) + np.trace(second @ second))
    return squares - 0.5 * trace, 0.5 * trace_squared


def _variance_of_variance(weight: Floats, method: VarianceMethod) -> float:
    """Return the asymptotic variance of the estimated variance between areas."""
    if method is VarianceMethod.FH:
        return 2.0 * len(weight) / float(weight.sum()) ** 2
    return 2.0 / float((weight**2).sum())


def _bias_of_variance(areas: _Areas, weight: Floats, q: Floats, method: VarianceMethod) -> float:
    """Return the bias of the estimated variance between areas (Datta and Lahiri 2000)."""
    if method is VarianceMethod.REML:
        return 0.0
    squares = float((weight**2).sum())
    if method is VarianceMethod.ML:
        second = (areas.x * (weight**2)[:, None]).T @ areas.x
        return -float(np.trace(q @ second)) / squares
    total = float(weight.sum())
    return 2.0 * (len(weight) * squares - total**2) / total**3
