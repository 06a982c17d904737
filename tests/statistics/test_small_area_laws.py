"""Laws of the Fay-Herriot model, of benchmarking and of smoothed variances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from sdmx_service.errors import DataError
from sdmx_service.survey.benchmarking import Benchmark, benchmark
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.smallarea import VarianceMethod, direct_of, fay_herriot
from sdmx_service.survey.smoothing import smooth, smooth_shares

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 10_000)
methods = st.sampled_from(list(VarianceMethod))

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def some_areas(seed: int, count: int = 30, between: float = 1.0) -> Arrays:
    draw = np.random.default_rng(seed)
    x = np.column_stack([np.ones(count), draw.normal(size=count)])
    psi = draw.uniform(0.3, 2.0, count)
    truth = x @ [2.0, 1.0] + np.sqrt(between) * draw.normal(size=count)
    return truth + np.sqrt(psi) * draw.normal(size=count), psi, x


# y, x, v of twelve areas that differ, and of twelve that do not more than by chance
TWELVE = (
    (
        [-0.5, 0.37, 1.91, -2.67, 0.58, 2.78, -2.56, -0.61, 1.03, 4.81, 2.75, 2.09],
        [2.04, -2.56, 0.42, -0.57, -0.45, -0.22, -2.02, -0.23, -0.87, 3.32, 0.23, -0.35],
        [1.41, 1.84, 2.27, 2.88, 1.0, 2.02, 2.15, 1.02, 0.2, 2.93, 1.04, 1.08],
    ),
    (
        [1.34, 1.34, -1.13, 0.7, 0.9, 4.82, 1.21, 2.46, 1.83, 3.72, 1.2, 0.73],
        [1.05, 1.78, -2.55, -0.14, 1.01, 1.35, 0.65, 1.5, 0.29, 0.55, 0.18, -1.07],
        [2.52, 2.4, 0.33, 0.78, 2.58, 1.41, 1.96, 0.54, 0.72, 1.59, 2.33, 1.71],
    ),
)


@pytest.mark.parametrize(
    ("areas", "method", "variance", "estimates", "errors", "loglik"),
    [
        (0, "REML", 1.64239894888033, 10.8791507317176, 13.6165110690288, -23.477252923396),
        (0, "ML", 1.04472322915082, 11.124567534287, 13.4936336222802, -23.3705711612813),
        (0, "FH", 1.96687814487765, 10.7897961462515, 14.2857153455593, -23.5936663196893),
        (1, "REML", 0.0, 20.1045445280773, 4.2719953509733, -17.1445541100364),
        (1, "ML", 0.0, 20.1045445280773, 6.80606388731949, -17.1445541100364),
        (1, "FH", 0.0, 20.1045445280773, 4.56647905341409, -17.1445541100364),
    ],
)
def test_models_agree_with_r_sae_inside_and_at_the_boundary(
    areas: int, method: str, variance: float, estimates: float, errors: float, loglik: float
) -> None:
    """mseFH(y ~ x, v, method=method), sums of eblup and mse; sae 1.3, R 4.2.2, 2026-11-22."""
    y, x, v = TWELVE[areas]
    fit = fay_herriot(y, v, np.column_stack([np.ones(12), x]), method=VarianceMethod(method))
    found = [fit.variance, fit.estimate.sum(), fit.mse.sum(), fit.loglik]
    np.testing.assert_allclose(found, [variance, estimates, errors, loglik], rtol=1e-10)


@few
@given(seeds, methods)
def test_the_variance_solves_its_equation(seed: int, method: VarianceMethod) -> None:
    y, psi, x = some_areas(seed)
    fit = fay_herriot(y, psi, x, method=method, precision=1e-12)

    def residuals(variance: float) -> np.ndarray:
        weighted = x / (variance + psi)[:, None]
        return y - x @ np.linalg.solve(weighted.T @ x, weighted.T @ y)

    def objective(variance: float) -> float:
        if method is VarianceMethod.FH:
            return float((residuals(variance) ** 2 / (variance + psi)).sum() - 28) ** 2
        spread = np.diag(variance + psi)
        away = stats.multivariate_normal(np.zeros(30), spread).logpdf(residuals(variance))
        if method is VarianceMethod.ML:
            return -float(away)
        information = x.T @ np.linalg.solve(spread, x)
        return -float(away) + 0.5 * float(np.linalg.slogdet(information)[1])

    best = optimize.minimize_scalar(
        objective, bounds=(0.0, 10.0), method="bounded", options={"xatol": 1e-9}
    ).x
    if fit.boundary:
        assert best == pytest.approx(0.0, abs=1e-4)
    else:
        assert fit.variance == pytest.approx(best, rel=1e-3, abs=1e-5)


@few
@given(seeds, methods, st.floats(0.01, 100.0))
def test_the_unit_of_measurement_scales_everything(
    seed: int, method: VarianceMethod, scale: float
) -> None:
    y, psi, x = some_areas(seed)
    once = fay_herriot(y, psi, x, method=method)
    scaled = fay_herriot(scale * y, scale**2 * psi, x, method=method)
    np.testing.assert_allclose(scaled.estimate, scale * once.estimate, rtol=1e-8)
    np.testing.assert_allclose(scaled.mse, scale**2 * once.mse, rtol=1e-8)
    np.testing.assert_allclose(scaled.gamma, once.gamma, rtol=1e-8)


@few
@given(seeds, methods)
def test_an_estimate_lies_between_the_direct_and_the_synthetic_one(
    seed: int, method: VarianceMethod
) -> None:
    y, psi, x = some_areas(seed)
    fit = fay_herriot(y, psi, x, method=method)
    between = fit.gamma * y + (1 - fit.gamma) * fit.synthetic
    np.testing.assert_allclose(fit.estimate, between, atol=1e-12)
    assert ((fit.gamma >= 0) & (fit.gamma < 1)).all()
    assert fit.modelled.all()


@pytest.mark.parametrize("method", list(VarianceMethod))
def test_areas_that_differ_less_than_chance_have_no_variance_between(
    method: VarianceMethod,
) -> None:
    y, psi, x = some_areas(1)
    flat = x @ [2.0, 1.0] + 0.01 * (y - y.mean())
    fit = fay_herriot(flat, psi, x, method=method)
    assert fit.boundary
    assert fit.variance == 0.0
    np.testing.assert_array_equal(fit.estimate, fit.synthetic)
    assert (fit.mse > 0).all()


@pytest.mark.parametrize("method", list(VarianceMethod))
def test_an_area_without_interviews_is_synthetic_and_changes_no_other(
    method: VarianceMethod,
) -> None:
    y, psi, x = some_areas(3)
    alone = fay_herriot(y[:-2], psi[:-2], x[:-2], method=method)
    y[-2:], psi[-2:] = np.nan, np.nan
    fit = fay_herriot(y, psi, x, method=method)
    np.testing.assert_allclose(fit.estimate[:-2], alone.estimate)
    np.testing.assert_allclose(fit.mse[:-2], alone.mse)
    np.testing.assert_allclose(fit.estimate[-2:], x[-2:] @ alone.coefficients)
    spread = np.einsum("dp,pq,dq->d", x[-2:], alone.coefficient_covariance, x[-2:])
    np.testing.assert_allclose(fit.mse[-2:] + fit.bias[-2:], alone.variance + spread)
    assert (fit.gamma[-2:] == 0).all()
    np.testing.assert_array_equal(fit.sampled, np.arange(30) < 28)


@pytest.mark.parametrize("method", list(VarianceMethod))
def test_the_mean_squared_error_is_that_of_many_samples(method: VarianceMethod) -> None:
    draw = np.random.default_rng(5)
    _, psi, x = some_areas(5, count=40)
    squared, estimated = np.zeros(40), np.zeros(40)
    for _ in range(400):
        truth = x @ [2.0, 1.0] + draw.normal(size=40)
        direct = truth + np.sqrt(psi) * draw.normal(size=40)
        direct[:3] = np.nan
        fit = fay_herriot(direct, psi, x, method=method)
        squared += (fit.estimate - truth) ** 2
        estimated += fit.mse
    assert estimated[3:].sum() == pytest.approx(squared[3:].sum(), rel=0.04)
    assert estimated[:3].sum() == pytest.approx(squared[:3].sum(), rel=0.12)


@few
@given(seeds, st.sampled_from(list(Benchmark)))
def test_benchmarked_areas_make_the_nation(seed: int, method: Benchmark) -> None:
    y, psi, x = some_areas(seed)
    fit = fay_herriot(y, psi, x)
    people = np.random.default_rng(seed).uniform(1, 9, 30)
    made = benchmark(fit.estimate, people, 2.5, method=method, mse=fit.mse)
    assert np.average(made.estimate, weights=people) == pytest.approx(2.5)
    assert (made.mse >= fit.mse).all()
    np.testing.assert_allclose(made.estimate - made.adjustment, fit.estimate)
    again = benchmark(made.estimate, people, 2.5, method=method, mse=fit.mse)
    np.testing.assert_allclose(again.estimate, made.estimate)


def test_smoothed_variances_follow_a_power_of_the_sample_size() -> None:
    n = np.array([20.0, 40.0, 80.0, 160.0, 0.5])
    psi = np.append(0.3 / n[:4], np.nan)
    found = smooth(psi, np.column_stack([np.ones(5), np.log(n)]))
    np.testing.assert_allclose(found.variance, 0.3 / n)
    np.testing.assert_allclose(found.coefficients, [np.log(0.3), -1.0])
    assert found.r_squared == pytest.approx(1.0)
    rough = psi * np.array([2.0, 0.5, 1.5, 0.8, 1.0])
    kept = smooth(rough, np.ones(5), keep=np.arange(5) == 0)
    assert kept.variance[0] == rough[0]
    assert smooth(rough, np.ones(5)).variance[:4].sum() == pytest.approx(rough[:4].sum())


def test_an_area_where_all_agree_has_a_smoothed_variance() -> None:
    found = smooth_shares([0.2, 0.4, 0.0], [50, 50, 10], [1.5, 2.5, np.nan], national=0.3)
    np.testing.assert_allclose(found, 0.21 * 2.0 / np.array([50, 50, 10]))


def test_estimated_cells_go_into_the_model_unless_their_variance_is_unknown() -> None:
    draw = np.random.default_rng(1)
    psu = np.repeat(np.arange(60), 6)
    area = psu // 6
    y = (draw.random(360) < 0.3 + 0.05 * area).astype(float)
    y[area == 3] = 0.0
    area[psu == 59] = 10
    design = Design.from_columns(np.ones(360), psu=psu)
    found = proportion(design, Cells.from_labels(area=area), y).take(np.arange(1, 12))
    direct, variance = direct_of(found)
    np.testing.assert_array_equal(np.isnan(direct), np.isin(np.arange(11), [3, 10]))
    fit = fay_herriot(direct, variance, np.column_stack([np.ones(11), np.arange(11)]))
    assert np.isfinite(fit.mse).all()


def test_areas_that_cannot_be_modelled_are_refused() -> None:
    y, psi, x = some_areas(2)
    with pytest.raises(DataError, match="area 1: expected a variance above 0"):
        fay_herriot(y, np.where(np.arange(30) == 0, 0.0, psi), x)
    with pytest.raises(DataError, match="area 2"):
        fay_herriot(y, psi, np.where((np.arange(30) == 1)[:, None], np.nan, x))
    with pytest.raises(DataError, match="linearly independent"):
        fay_herriot(y, psi, np.column_stack([x, x[:, 0]]))
    with pytest.raises(DataError, match="more areas than coefficients"):
        fay_herriot(y[:2], psi[:2], x[:2])
    with pytest.raises(DataError, match="one of each"):
        fay_herriot(y, psi[:5], x)
    with pytest.raises(DataError, match="no convergence"):
        fay_herriot(y, psi, x, precision=0.0, most_iterations=2)


def test_what_cannot_be_benchmarked_or_smoothed_is_refused() -> None:
    with pytest.raises(DataError, match="missing estimate"):
        benchmark([1.0, np.nan], [1, 1], 2.0)
    with pytest.raises(DataError, match="population of every area"):
        benchmark([1.0, 2.0], [1, -1], 2.0)
    with pytest.raises(DataError, match="something to scale"):
        benchmark([1.0, -1.0], [1, 1], 2.0)
    with pytest.raises(DataError, match="mean squared error of every area"):
        benchmark([1.0, 2.0], [1, 1], 2.0, method=Benchmark.MSE)
    with pytest.raises(DataError, match="one of each"):
        benchmark([1.0, 2.0], [1], 2.0)
    with pytest.raises(DataError, match="known predictors"):
        smooth([1.0, 2.0], [[1.0], [np.nan]])
    with pytest.raises(DataError, match="more areas than predictors"):
        smooth([1.0, np.nan], np.ones(2))
    with pytest.raises(DataError, match="a share between 0 and 1"):
        smooth_shares([0.1], [10], [1.0], national=1.0)
