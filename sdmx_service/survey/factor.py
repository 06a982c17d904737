"""Factor analysis of a correlation matrix: sampling adequacy, eigenvalues, loadings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from sdmx_service.errors import DataError

__all__ = [
    "Adequacy",
    "Bartlett",
    "Extraction",
    "Factors",
    "Rotation",
    "adequacy",
    "bartlett",
    "eigenvalues",
    "factor_analysis",
    "parallel_eigenvalues",
    "squared_multiple_correlations",
    "varimax",
]

Floats = NDArray[np.float64]
# Uniquenesses stay within these bounds, as in R's factanal and psych::fa.
_SMALLEST_UNIQUENESS = 0.005
_STEP = 0.01
_GAIN = 1e7 * float(np.finfo(np.float64).eps)
_STEEPEST = 1e-2


class Extraction(Enum):
    """How loadings are found.

    MINRES minimises the squared off-diagonal residuals; ML is maximum likelihood; PRINCIPAL_AXIS
    repeats the eigenvectors of the correlations with communalities on the diagonal.
    """

    MINRES = "minres"
    ML = "ml"
    PRINCIPAL_AXIS = "pa"


class Rotation(Enum):
    """What is done with two or more factors."""

    NONE = "none"
    VARIMAX = "varimax"


@dataclass(frozen=True, eq=False)
class Adequacy:
    """Kaiser-Meyer-Olkin measure of sampling adequacy, overall and by item (p,), 0..1."""

    overall: float
    by_item: Floats


@dataclass(frozen=True)
class Bartlett:
    """Bartlett's test that the items are uncorrelated; it assumes simple random sampling."""

    chi_square: float
    df: int
    p: float


@dataclass(frozen=True, eq=False)
class Factors:
    """Loadings (p, k), the factor with the largest sum of squares first and its sum positive.

    ``communality`` (p,) is the row sum of squared loadings; ``iterations`` those of the fit.
    """

    loadings: Floats
    communality: Floats
    extraction: Extraction
    rotation: Rotation
    iterations: int

    @property
    def uniqueness(self) -> Floats:
        """The variance of each item that the factors leave, (p,)."""
        left: Floats = 1.0 - self.communality
        return left

    @property
    def omega_total(self) -> float:
        """McDonald's omega total: the share of the variance of the standardised sum, 0..1."""
        common = float((self.loadings.sum(axis=0) ** 2).sum())
        return common / (common + float(self.uniqueness.sum()))


def _checked(correlation: ArrayLike) -> Floats:
    matrix = np.asarray(correlation, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise ValueError(f"a correlation matrix of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise DataError(
            "correlation of the items",
            got="an item without variance, or without answers",
            expected="items that vary",
            hint="leave the item out of the scale",
        )
    if not np.allclose(matrix, matrix.T, atol=1e-10) or not np.allclose(np.diag(matrix), 1.0):
        raise ValueError("a correlation matrix is symmetric with ones on its diagonal")
    return matrix


def _inverse(matrix: Floats) -> Floats:
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 1e-10:
        raise DataError(
            "correlation of the items",
            got=f"a smallest eigenvalue of {smallest:.2g}",
            expected="items none of which is a sum of the others",
            hint="leave out duplicated items; items with too few common answers do this as well",
        )
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def squared_multiple_correlations(correlation: ArrayLike) -> Floats:
    """Return the R squared of each item on all others, (p,)."""
    smc: Floats = 1.0 - 1.0 / np.diag(_inverse(_checked(correlation)))
    return smc


def adequacy(correlation: ArrayLike) -> Adequacy:
    """Return the Kaiser-Meyer-Olkin measure: r^2 / (r^2 + partial r^2) (Kaiser 1974).

    Raises DataError for a singular matrix.
    """
    matrix = _checked(correlation)
    inverse = _inverse(matrix)
    scale = 1.0 / np.sqrt(np.diag(inverse))
    partial = (inverse * scale * scale[:, None]) ** 2
    simple = matrix**2
    np.fill_diagonal(partial, 0.0)
    np.fill_diagonal(simple, 0.0)
    return Adequacy(
        float(simple.sum() / (simple.sum() + partial.sum())),
        simple.sum(axis=0) / (simple.sum(axis=0) + partial.sum(axis=0)),
    )


def bartlett(correlation: ArrayLike, n: float) -> Bartlett:
    """Return Bartlett's test of sphericity for ``n`` complete rows (Bartlett 1951)."""
    matrix = _checked(correlation)
    items = len(matrix)
    _, logarithm = np.linalg.slogdet(matrix)
    statistic = float(-(n - 1.0 - (2.0 * items + 5.0) / 6.0) * logarithm)
    df = items * (items - 1) // 2
    return Bartlett(statistic, df, float(stats.chi2.sf(statistic, df)))


def eigenvalues(correlation: ArrayLike) -> Floats:
    """Return the eigenvalues, largest first, (p,); the first over p is EIGEN1_SHARE."""
    return np.asarray(np.linalg.eigvalsh(_checked(correlation))[::-1], dtype=np.float64)


def parallel_eigenvalues(
    n: int, items: int, *, seed: int, draws: int = 100, share: float = 0.95
) -> Floats:
    """Return the quantile of the eigenvalues of ``draws`` uncorrelated normal samples, (items,).

    Horn's parallel analysis keeps the factors whose eigenvalue is larger (Horn 1965).
    """
    source = np.random.default_rng(seed)
    found = np.empty((draws, items))
    for draw in range(draws):
        found[draw] = eigenvalues(np.corrcoef(source.standard_normal((n, items)), rowvar=False))
    above: Floats = np.quantile(found, share, axis=0)
    return above


def factor_analysis(
    correlation: ArrayLike,
    factors: int = 1,
    *,
    extraction: Extraction = Extraction.MINRES,
    rotation: Rotation = Rotation.VARIMAX,
    tolerance: float | None = None,
    most: int = 500,
) -> Factors:
    """Return the loadings of a (p, p) correlation matrix on ``factors`` factors.

    ``tolerance`` is the relative gain at which MINRES and ML stop (R's 1e7 x machine precision), or
    the change of the sum of communalities at which PRINCIPAL_AXIS does (psych's 1e-3: its loadings
    depend on it, and carried on they become those of MINRES).

    Raises DataError for a singular matrix, more factors than p items can carry, or no convergence
    within ``most`` iterations.
    """
    matrix = _checked(correlation)
    items = len(matrix)
    if not 1 <= factors < items:
        raise DataError(
            "factor analysis",
            got=f"{factors} factors of {items} items",
            expected="at least one factor, and fewer than items",
        )
    start = 1.0 - squared_multiple_correlations(matrix)
    if extraction is Extraction.PRINCIPAL_AXIS:
        loadings, iterations = _principal_axis(
            matrix, factors, 1.0 - start, 1e-3 if tolerance is None else tolerance, most
        )
    else:
        fit = _minres if extraction is Extraction.MINRES else _likelihood
        loadings, iterations = fit(
            matrix, factors, start, _GAIN if tolerance is None else tolerance, most
        )
    if rotation is Rotation.VARIMAX and factors > 1:
        loadings = varimax(loadings)
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    loadings = loadings[:, order]
    loadings = loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    return Factors(loadings, (loadings**2).sum(axis=1), extraction, rotation, iterations)


def _leading(matrix: Floats, factors: int) -> tuple[Floats, Floats]:
    """Return the largest eigenvalues (k,), first the largest, and their vectors (p, k)."""
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1][:factors], vectors[:, ::-1][:, :factors]


def _minimised(
    objective: Callable[[Floats], tuple[float, Floats]], start: Floats, tolerance: float, most: int
) -> tuple[Floats, int]:
    """Return the uniquenesses (p,) at the minimum, and the iterations taken.

    Steps, scale and stopping rule are those of R's ``optim`` as factanal and psych call it, so that
    what little is left to converge is left in both.
    """

    def in_steps(steps: Floats) -> tuple[float, Floats]:
        loss, slope = objective(steps * _STEP)
        return loss, slope * _STEP

    low = _SMALLEST_UNIQUENESS
    found = optimize.minimize(
        in_steps,
        np.clip(start, low, 1.0) / _STEP,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low / _STEP, 1.0 / _STEP)] * len(start),
        options={"maxiter": most, "ftol": tolerance, "gtol": 0.0, "maxcor": 5},
    )
    uniqueness = np.asarray(found.x, dtype=np.float64) * _STEP
    free = (uniqueness > low) & (uniqueness < 1.0)
    slope = float(np.abs(found.jac[free] / _STEP).max(initial=0.0))
    if not slope <= _STEEPEST:
        raise DataError(
            "factor analysis",
            got=f"a slope of {slope:.2g} after {found.nit} iterations",
            expected=f"a slope of at most {_STEEPEST:g}",
            hint="ask for fewer factors, or leave out items that say the same",
        )
    return uniqueness, int(found.nit)


def _minres(
    matrix: Floats, factors: int, start: Floats, tolerance: float, most: int
) -> tuple[Floats, int]:
    """Harman and Jones 1966, in the uniquenesses (Joreskog 1977), as psych::fa."""

    def objective(uniqueness: Floats) -> tuple[float, Floats]:
        values, vectors = _leading(matrix - np.diag(uniqueness), factors)
        loadings = vectors * np.sqrt(np.maximum(values, 0.0))
        residual = matrix - loadings @ loadings.T
        # the slope is that of the squares with the diagonal, which is zero at the minimum of both
        return float((np.tril(residual, -1) ** 2).sum()), uniqueness - np.diag(residual)

    uniqueness, iterations = _minimised(objective, start, tolerance, most)
    values, vectors = _leading(matrix - np.diag(uniqueness), factors)
    return vectors * np.sqrt(np.maximum(values, 0.0)), iterations


def _likelihood(
    matrix: Floats, factors: int, start: Floats, tolerance: float, most: int
) -> tuple[Floats, int]:
    """Lawley and Maxwell 1971, as in R's factanal."""

    def scaled(uniqueness: Floats) -> Floats:
        root = np.sqrt(uniqueness)
        return matrix / root / root[:, None]

    def objective(uniqueness: Floats) -> tuple[float, Floats]:
        values, vectors = np.linalg.eigh(scaled(uniqueness))
        rest = values[:-factors]
        loss = float((rest - np.log(rest)).sum()) + factors - len(values)
        kept = vectors[:, -factors:] * np.sqrt(np.maximum(values[-factors:] - 1.0, 0.0))
        model = uniqueness * (kept**2).sum(axis=1) + uniqueness
        return loss, (model - 1.0) / uniqueness**2

    uniqueness, iterations = _minimised(objective, start, tolerance, most)
    values, vectors = _leading(scaled(uniqueness), factors)
    kept = vectors * np.sqrt(np.maximum(values - 1.0, 0.0))
    return kept * np.sqrt(uniqueness)[:, None], iterations


def _principal_axis(
    matrix: Floats, factors: int, communality: Floats, tolerance: float, most: int
) -> tuple[Floats, int]:
    reduced = matrix.copy()
    np.fill_diagonal(reduced, communality)
    before = float(np.trace(reduced))
    for iteration in range(1, most + 1):
        values, vectors = _leading(reduced, factors)
        loadings = vectors * np.sqrt(np.maximum(values, 0.0))
        np.fill_diagonal(reduced, (loadings**2).sum(axis=1))
        now = float(np.trace(reduced))
        if abs(now - before) <= tolerance:
            return loadings, iteration
        before = now
    raise DataError(
        "factor analysis",
        got=f"no convergence in {most} iterations of principal axis",
        expected=f"communalities that change by at most {tolerance:g}",
        hint="ask for fewer factors, or for minres",
    )


def varimax(loadings: ArrayLike, *, tolerance: float = 1e-5, most: int = 1000) -> Floats:
    """Return loadings (p, k) rotated to varimax, rows normalised (Kaiser 1958; R's ``varimax``).

    It stops when the criterion grows by less than ``tolerance``, relative to itself.
    """
    raw = np.asarray(loadings, dtype=np.float64)
    if raw.shape[1] < 2:
        return raw
    length = np.sqrt((raw**2).sum(axis=1, keepdims=True))
    x = raw / np.where(length > 0, length, 1.0)
    turn, criterion = np.eye(x.shape[1]), 0.0
    for _ in range(most):
        z = x @ turn
        left, sizes, right = np.linalg.svd(x.T @ (z**3 - z * (z**2).mean(axis=0)))
        turn = left @ right
        last, criterion = criterion, float(sizes.sum())
        if criterion < last * (1.0 + tolerance):
            break
    rotated: Floats = (x @ turn) * length
    return rotated
