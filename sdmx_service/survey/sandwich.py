"""Weighted GLMs fitted by statsmodels, their inference by the design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import ArrayLike, NDArray
from scipy import special
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from sdmx_service.errors import DataError, DesignError
from sdmx_service.survey.derived import Derived, from_rows
from sdmx_service.survey.design import Design
from sdmx_service.survey.outcome import known_values
from sdmx_service.survey.terms import Terms

__all__ = [
    "Convergence",
    "Family",
    "Fit",
    "WaldTest",
    "f_test",
    "fit_glm",
    "glm_covariance",
    "wald",
    "zero_test",
]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


class Family(Enum):
    """How the outcome varies, each with its canonical link, or the log for amounts."""

    LINEAR = "linear"
    LOGIT = "logit"
    POISSON = "poisson"
    GAMMA = "gamma"


_FAMILIES = {
    Family.LINEAR: sm.families.Gaussian,
    Family.LOGIT: sm.families.Binomial,
    Family.POISSON: sm.families.Poisson,
    Family.GAMMA: lambda: sm.families.Gamma(sm.families.links.Log()),
}


class Convergence(Enum):
    """Where the fit ends, and where scores and information are evaluated.

    SOLUTION: at the maximum, to machine precision. AS_R: where R's ``glm`` stops (deviance within
    1e-8) with the working weights of the iteration before, which ``svyglm`` builds its scores and
    information from; up to some 1e-5 away in a covariance near zero.
    """

    SOLUTION = "solution"
    AS_R = "as_r"


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted GLM: ``used`` (n,) are the rows in it, ``coefficients`` (p,) have the design's
    covariance."""

    design: Design
    data: pd.DataFrame
    terms: Terms
    results: Any
    used: Booleans
    coefficients: Derived

    @property
    def df(self) -> int:
        """The degrees of freedom left: PSUs minus strata of the rows used, plus 1, minus p."""
        return int(self.coefficients.df[0])

    def predict(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Return the predictions (m,) for a model matrix (m, p), and their slopes in x'b."""
        link = self.results.model.family.link
        linear = matrix @ self.coefficients.value
        fitted: Floats = link.inverse(linear)
        slope: Floats = link.inverse_deriv(linear)
        return fitted, slope


class WaldTest(NamedTuple):
    """A test that coefficients are all zero: F with ``ndf`` and ``ddf`` degrees of freedom."""

    statistic: float
    ndf: float
    ddf: float
    p: float


def fit_glm(
    design: Design,
    outcome: ArrayLike,
    data: pd.DataFrame,
    terms: Sequence[str],
    family: Family,
    *,
    universe: Booleans | None = None,
    reference: Mapping[str, object] | None = None,
    convergence: Convergence = Convergence.SOLUTION,
) -> Fit:
    """Return the weighted GLM of ``outcome`` (n,) on ``terms`` over columns of ``data`` (n rows).

    statsmodels fits, A^-1 V(scores) A^-1 (Binder 1983) is the covariance; with replicate weights
    each replicate is fitted again. A row that lacks the
    outcome or a variable is outside the domain, not outside the design. ``reference`` names
    reference groups other than the first.

    Raises DataError where the model cannot be estimated (no rows, columns that determine each
    other, separation), DesignError where no degree of freedom is left.
    """
    y, known = known_values(design, outcome)
    if len(data) != design.n_rows:
        raise ValueError(f"data of {len(data)} rows for a design of {design.n_rows}")
    model_terms = Terms.of(data, terms, reference=reference)
    used = known & (design.weights > 0) & model_terms.complete(data)
    if universe is not None:
        used = used & universe
    place = "model of " + " + ".join(model_terms.terms)
    if not used.any():
        raise DataError(place, got="no complete row", expected="rows with outcome and variables")
    x = model_terms.matrix(data[used])
    names = [column.name for column in model_terms.columns]
    _refuse_collinear(x, names, place)
    _refuse_impossible(y[used], family, place)
    # as svyglm scales them, over all rows: its first step depends on it
    weights = design.weights[used] / design.weights.mean()
    results = _fitted(y[used], x, weights, family, place)
    if convergence is Convergence.AS_R:
        beta, by_row = _as_r(results, family)
    else:
        beta, by_row = np.asarray(results.params), _influence(results)
    keys = pd.DataFrame({"term": [c.term for c in model_terms.columns], "column": names})
    found = from_rows(design, used, beta, by_row, keys)
    df = found.df[0] + 1 - x.shape[1]
    if df < 1:
        raise DesignError(
            place,
            got=f"{x.shape[1]} coefficients, {int(found.df[0])} PSUs minus strata",
            expected="no more coefficients than PSUs minus strata",
            hint="leave terms out, or merge their groups",
        )
    if design.replicates is not None:
        again = _refitted(design, used, results)
        found = replace(found, deviations=design.replicates.deviations(again, beta))
    coefficients = replace(found, df=np.full(len(beta), df))
    return Fit(design, data, model_terms, results, used, coefficients)


def _refitted(design: Design, used: Booleans, results: Any) -> Floats:
    """Return the coefficients, (R, p), with the weights of each replicate."""
    assert design.replicates is not None
    model, again = results.model, []
    for factors in design.replicates.factors:
        weights = np.asarray(model.var_weights) * factors[design.psu[used]]
        kept = weights > 0
        one = sm.GLM(
            model.endog[kept], model.exog[kept], family=model.family, var_weights=weights[kept]
        )
        again.append(one.fit(start_params=results.params, tol=1e-13, maxiter=100).params)
    return np.asarray(again, dtype=np.float64)


def wald(fit: Fit, *terms: str) -> WaldTest:
    """Return the test that all coefficients of these terms are zero (R's ``regTermTest``).

    Raises DataError for a term that is not in the model.
    """
    wanted = {frozenset(term.split(":")) for term in terms}
    have = [frozenset(term.split(":")) for term in fit.coefficients.keys["term"]]
    if absent := wanted - set(have):
        raise DataError(
            "Wald test",
            got=", ".join(":".join(sorted(term)) for term in absent),
            expected=f"terms of the model: {', '.join(fit.terms.terms)}",
        )
    return zero_test(fit.coefficients.take([term in wanted for term in have]), fit.df)


def zero_test(statistics: Derived, ddf: float) -> WaldTest:
    """Return the Wald test that all of these statistics are zero, F with ``ddf``."""
    size = len(statistics)
    if np.linalg.matrix_rank(statistics.deviations) < size:
        raise DesignError(
            "Wald test",
            got=f"{size} statistics whose covariance has no inverse",
            expected="fewer statistics than PSUs minus strata",
        )
    distance = statistics.value @ np.linalg.solve(statistics.covariance, statistics.value)
    return f_test(float(distance) / size, size, ddf)


def f_test(statistic: float, ndf: float, ddf: float) -> WaldTest:
    """Return the upper tail of F(ndf, ddf) at ``statistic``."""
    return WaldTest(statistic, ndf, ddf, float(special.fdtrc(ndf, ddf, statistic)))


def glm_covariance(results: Any, design: Design, used: Booleans | None = None) -> Floats:
    """Return the (p, p) covariance of a GLM fitted by statsmodels with ``var_weights``.

    The fit gives the scores x w (y - mu) mu' / V(mu) and the information A; the design gives their
    variance: A^-1 V(scores) A^-1 (Binder 1983). The weights of the fit must be the design's, up to
    a constant. ``used`` (n,) marks the design's rows that are in the fit, in order; by default all.
    """
    rows = np.arange(design.n_rows) if used is None else np.flatnonzero(used)
    if len(rows) != len(results.model.endog):
        raise ValueError(
            f"{len(results.model.endog)} rows in the fit, {len(rows)} rows in the design"
        )
    inside = np.zeros(design.n_rows, dtype=bool)
    inside[rows] = True
    keys = pd.DataFrame({"column": results.model.exog_names})
    return from_rows(design, inside, results.params, _influence(results), keys).covariance


def _influence(results: Any) -> Floats:
    """Return weighted influence values of the coefficients, (m, p), at the solution."""
    model = results.model
    fitted = np.asarray(results.mu)
    slope = 1.0 / model.family.link.deriv(fitted)
    # the expected information of the quasi-likelihood, whichever the link
    working = np.asarray(model.var_weights) * slope**2 / model.family.variance(fitted)
    return _sandwich(model.exog, working, (np.asarray(model.endog) - fitted) / slope)


def _sandwich(exog: ArrayLike, working: Floats, residual: Floats) -> Floats:
    x = np.asarray(exog, dtype=np.float64)
    information = (x * working[:, None]).T @ x
    scores = x * (working * residual)[:, None]
    return np.asarray(np.linalg.solve(information, scores.T).T, dtype=np.float64)


# What R's families start from, y (m,) and weights (m,) given.
_R_START: dict[Family, Any] = {
    Family.LINEAR: lambda y, _w: y,
    Family.LOGIT: lambda y, w: (w * y + 0.5) / (w + 1.0),
    Family.POISSON: lambda y, _w: y + 0.1,
    Family.GAMMA: lambda y, _w: y,
}


def _as_r(results: Any, family: Family) -> tuple[Floats, Floats]:
    """Return coefficients and weighted influence values as R's iteration leaves them."""
    model = results.model
    kind, link = model.family, model.family.link
    x, y = np.asarray(model.exog), np.asarray(model.endog, dtype=np.float64)
    weights = np.asarray(model.var_weights, dtype=np.float64)
    fitted = _R_START[family](y, weights)
    linear = link(fitted)
    before = kind.deviance(y, fitted, var_weights=weights)
    beta = np.asarray(results.params)
    for _ in range(25):
        slope = link.inverse_deriv(linear)
        working = weights * slope**2 / kind.variance(fitted)
        root = np.sqrt(working)
        beta = np.linalg.lstsq(
            x * root[:, None], root * (linear + (y - fitted) / slope), rcond=None
        )[0]
        linear = x @ beta
        fitted = link.inverse(linear)
        deviance = kind.deviance(y, fitted, var_weights=weights)
        if abs(deviance - before) / (abs(deviance) + 0.1) < 1e-8:
            break
        before = deviance
    residual = (y - fitted) / link.inverse_deriv(linear)
    return beta, _sandwich(x, working, residual)


def _fitted(y: Floats, x: Floats, weights: Floats, family: Family, place: str) -> Any:
    model = sm.GLM(y, x, family=_FAMILIES[family](), var_weights=weights)
    hint = "a group in which nobody, or everybody, has the outcome: merge it with another"
    try:
        with np.errstate(all="ignore"):
            results = model.fit(tol=1e-13, maxiter=100)
    except (PerfectSeparationError, np.linalg.LinAlgError) as error:
        raise DataError(place, got=str(error), expected="a finite fit", hint=hint) from error
    steepest = np.abs(x @ results.params).max()
    separated = family in (Family.LOGIT, Family.POISSON) and steepest > 30
    if separated or not np.isfinite(results.params).all():
        raise DataError(place, got="predictions at the edge", expected="a finite fit", hint=hint)
    return results


def _refuse_collinear(x: Floats, names: Sequence[str], place: str) -> None:
    scaled = x / np.maximum(np.sqrt((x**2).sum(axis=0)), 1e-300)
    if np.linalg.matrix_rank(scaled) == x.shape[1]:
        return
    # each column that the ones before it determine
    ranks = [0] + [int(np.linalg.matrix_rank(scaled[:, : k + 1])) for k in range(x.shape[1])]
    extra = [name for name, a, b in zip(names, ranks[:-1], ranks[1:], strict=True) if a == b]
    raise DataError(
        place,
        got=f"{', '.join(extra)} determined by the other columns",
        expected="columns that vary freely",
        hint="a group is empty among the rows with an outcome, or two variables say the same",
    )


def _refuse_impossible(y: Floats, family: Family, place: str) -> None:
    bounds = {
        Family.LOGIT: ((y < 0) | (y > 1), "outcomes between 0 and 1"),
        Family.POISSON: (y < 0, "outcomes of 0 or more"),
        Family.GAMMA: (y <= 0, "outcomes over 0"),
    }
    if family in bounds and bounds[family][0].any():
        wrong, expected = bounds[family]
        raise DataError(
            place, got=f"{float(y[wrong][0])} and {int(wrong.sum())} rows in all", expected=expected
        )
