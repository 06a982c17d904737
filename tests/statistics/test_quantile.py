"""Laws that quantiles and their intervals obey whatever the sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sdmx_service.model import CiMethod, Measure
from sdmx_service.survey import gap, interval, quantile, spread
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.quantile import QuantileInterval, Rule, quantiles

few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 10_000)
# Hyndman and Fan's types in NumPy; R's weighted type 3 is another one
NUMPY = {
    Rule.MATH: "inverted_cdf",
    Rule.SCHOOL: "averaged_inverted_cdf",
    Rule.HF1: "inverted_cdf",
    Rule.HF2: "averaged_inverted_cdf",
    Rule.HF4: "interpolated_inverted_cdf",
    Rule.HF5: "hazen",
    Rule.HF6: "weibull",
    Rule.HF7: "linear",
    Rule.HF8: "median_unbiased",
    Rule.HF9: "normal_unbiased",
}


class Sample:
    """A small clustered sample of incomes."""

    def __init__(self, seed: int, rows: int = 240) -> None:
        draw = np.random.default_rng(seed)
        self.income = np.round(draw.lognormal(9.0, 0.6, rows), 0)
        self.weights = draw.uniform(0.5, 3.0, rows)
        self.psu = np.arange(rows) // 5
        self.stratum = self.psu // 12
        self.sex = draw.integers(0, 2, rows)

    def design(self, order: np.ndarray | None = None) -> Design:
        rows = np.arange(len(self.income)) if order is None else order
        return Design.from_columns(
            self.weights[rows], psu=self.psu[rows], stratum=self.stratum[rows]
        )

    def cells(self, order: np.ndarray | None = None) -> Cells:
        rows = np.arange(len(self.income)) if order is None else order
        return Cells.from_labels(sex=self.sex[rows])


@few
@given(st.lists(st.integers(0, 30), min_size=2, max_size=25), st.floats(0.01, 0.99))
@pytest.mark.parametrize("rule", NUMPY)
def test_equal_weights_give_the_types_of_hyndman_and_fan(
    rule: Rule, values: list[int], p: float
) -> None:
    # R's discrete rules of two values take both before the first is reached
    assume(p * len(values) >= 1)
    design = Design.from_columns(np.ones(len(values)))
    found = quantiles(design, Cells.from_labels(all=np.zeros(len(values))), values, (p,), rule=rule)
    expected = np.quantile(np.array(values, dtype=float), p, method=NUMPY[rule])
    assert found.estimates.value[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@few
@given(seeds, st.sampled_from(list(QuantileInterval)))
def test_the_standard_error_is_the_width_of_the_interval(
    seed: int, method: QuantileInterval
) -> None:
    sample = Sample(seed)
    found = quantiles(sample.design(), sample.cells(), sample.income, (0.3, 0.5), method=method)
    bounds, estimates = found.intervals, found.estimates
    t = interval.critical(estimates.df, 0.95)
    np.testing.assert_allclose(estimates.se, (bounds.upper - bounds.lower) / (2 * t))
    assert (bounds.lower <= estimates.value).all()
    assert (bounds.upper >= estimates.value).all()


@few
@given(seeds)
def test_the_order_of_rows_and_the_unit_of_the_outcome_change_nothing(seed: int) -> None:
    sample = Sample(seed)
    order = np.random.default_rng(seed).permutation(len(sample.income))
    once = quantiles(sample.design(), sample.cells(), sample.income, (0.2, 0.8)).estimates
    mixed = quantiles(
        sample.design(order), sample.cells(order), 100 * sample.income[order], (0.2, 0.8)
    ).estimates
    np.testing.assert_allclose(mixed.value, 100 * once.value)
    np.testing.assert_allclose(mixed.se, 100 * once.se)


def test_two_quantiles_are_correlated_as_in_a_simple_random_sample() -> None:
    """Their correlation is that of the two shares: sqrt(p (1 - r) / (r (1 - p)))."""
    draw = np.random.default_rng(3)
    design = Design.from_columns(np.ones(400))
    cells = Cells.from_labels(all=np.zeros(400))
    joint = quantiles(design, cells, draw.normal(size=400), (0.25, 0.75)).estimates.covariance
    correlation = joint[0, 2] / np.sqrt(joint[0, 0] * joint[2, 2])
    assert correlation == pytest.approx(np.sqrt(0.25 * 0.25 / (0.75 * 0.75)))


def test_a_ratio_of_quantiles_is_the_gap_between_them() -> None:
    sample = Sample(7)
    both = quantiles(sample.design(), sample.cells(), sample.income, (0.9, 0.1))
    gaps = gap.compare(both.estimates, [0, 1, 2], [3, 4, 5], Measure.RATIO)
    found = quantile.ratio(sample.design(), sample.cells(), sample.income)
    np.testing.assert_allclose(found.value, gaps.value)
    np.testing.assert_allclose(found.se, gaps.se)
    one, bounds = both.at(0.1)
    pd.testing.assert_frame_equal(one.keys, sample.cells().keys)
    np.testing.assert_array_equal(one.value, both.estimates.value[3:])
    np.testing.assert_array_equal(bounds.lower, both.intervals.lower[3:])


@pytest.mark.parametrize("p", [0.96, 0.999])
def test_a_quantile_near_the_largest_value_has_no_interval(p: float) -> None:
    sample = Sample(5, rows=60)
    found = quantiles(sample.design(), sample.cells(), sample.income, (p,))
    assert np.isfinite(found.estimates.value).all()
    assert np.isnan(found.estimates.se).all()
    assert list(found.intervals.method) == [CiMethod.NONE] * 3
    assert np.isnan(found.estimates.covariance).all()


def test_an_empty_cell_has_no_quantile() -> None:
    sample = Sample(6)
    outcome = np.where(sample.sex == 0, np.nan, sample.income)
    found = quantiles(sample.design(), sample.cells(), outcome, (0.5,), rule=Rule.HF7).estimates
    assert np.isnan(found.value[1])
    assert np.isnan(found.se[1])
    assert np.isfinite(found.se[[0, 2]]).all()
    assert found.missing[1] == (sample.sex == 0).sum()


@pytest.mark.parametrize("p", [(), (0.0,), (0.5, 1.0)])
def test_a_share_of_none_or_all_is_refused(p: tuple[float, ...]) -> None:
    sample = Sample(1)
    with pytest.raises(ValueError, match="not between 0 and 1"):
        quantiles(sample.design(), sample.cells(), sample.income, p)


def test_a_median_of_the_whole_sample_may_be_given_its_degrees_of_freedom() -> None:
    sample = Sample(8)
    own = quantiles(sample.design(), sample.cells(), sample.income)
    wide = quantiles(sample.design(), sample.cells(), sample.income, df=1)
    np.testing.assert_array_equal(own.estimates.value, wide.estimates.value)
    widths = [found.intervals.upper - found.intervals.lower for found in (own, wide)]
    known = np.isfinite(widths[1])
    assert (widths[1] > widths[0])[known].all()


@few
@given(seeds)
def test_the_variance_with_equal_weights_is_the_sample_variance(seed: int) -> None:
    sample = Sample(seed)
    design = Design.from_columns(np.full(len(sample.income), 7.0), psu=sample.psu)
    found = spread.variance(design, sample.cells(), sample.income)
    parts = [sample.income, sample.income[sample.sex == 0], sample.income[sample.sex == 1]]
    np.testing.assert_allclose(found.value, [np.var(part, ddof=1) for part in parts])
