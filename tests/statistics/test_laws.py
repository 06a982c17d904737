"""Laws that estimates and gaps obey whatever the sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.model import Measure, Samples
from sdmx_service.survey import gap
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, mean, proportion, ratio, total
from sdmx_service.survey.poverty import rate

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10_000)


class Sample:
    """A small clustered sample with two overlapping breakdowns and some missing outcomes."""

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.stratum = np.repeat(np.arange(4), 30)
        self.psu = np.repeat(np.arange(24), 5)
        self.weights = draw.uniform(0.5, 3.0, 120)
        self.weights[draw.integers(0, 120, 3)] = 0.0
        self.area = self.stratum // 2
        self.sex = draw.integers(0, 2, 120)
        self.y = (draw.random(120) < 0.4).astype(float)
        self.income = draw.lognormal(9.0, 0.6, 120)
        self.y[draw.integers(0, 120, 5)] = np.nan

    def design(self, order: np.ndarray | None = None, scale: float = 1.0) -> Design:
        rows = np.arange(120) if order is None else order
        return Design.from_columns(
            scale * self.weights[rows], psu=self.psu[rows], stratum=self.stratum[rows]
        )

    def cells(self, order: np.ndarray | None = None) -> Cells:
        rows = np.arange(120) if order is None else order
        return Cells.from_labels(
            area=self.area[rows], sex=self.sex[rows], both=(self.area * 2 + self.sex)[rows]
        )

    def estimates(self) -> Estimates:
        return proportion(self.design(), self.cells(), self.y)


@few
@given(seeds)
def test_a_difference_reversed_is_its_negative(seed: int) -> None:
    found = Sample(seed).estimates()
    there = gap.compare(found, [1, 3, 5], [2, 4, 6], Measure.DIFFERENCE)
    back = gap.compare(found, [2, 4, 6], [1, 3, 5], Measure.DIFFERENCE)
    np.testing.assert_allclose(there.value, -back.value)
    np.testing.assert_allclose(there.lower, -back.upper)
    np.testing.assert_allclose(there.p, back.p)


@few
@given(seeds, st.sampled_from([Measure.RATIO, Measure.ODDS_RATIO]))
def test_a_ratio_reversed_is_its_inverse(seed: int, measure: Measure) -> None:
    found = Sample(seed).estimates()
    there = gap.compare(found, [1, 3, 5], [2, 4, 6], measure)
    back = gap.compare(found, [2, 4, 6], [1, 3, 5], measure)
    np.testing.assert_allclose(there.value, 1 / back.value)
    np.testing.assert_allclose(there.lower, 1 / back.upper)
    np.testing.assert_allclose(there.se_log, back.se_log)


@few
@given(seeds)
def test_the_covariance_is_symmetric_and_never_negative(seed: int) -> None:
    joint = Sample(seed).estimates().covariance
    np.testing.assert_array_equal(joint, joint.T)
    roots = np.linalg.eigvalsh(joint)
    assert roots.min() >= -1e-12 * roots.max()


@few
@given(seeds, st.floats(1e-3, 1e6))
def test_the_scale_of_the_weights_changes_no_mean_and_no_standard_error(
    seed: int, scale: float
) -> None:
    sample = Sample(seed)
    for outcome, statistic in ((sample.y, mean), (sample.y, proportion)):
        once = statistic(sample.design(), sample.cells(), outcome)
        scaled = statistic(sample.design(scale=scale), sample.cells(), outcome)
        np.testing.assert_allclose(scaled.value, once.value, rtol=1e-10)
        np.testing.assert_allclose(scaled.se, once.se, rtol=1e-9)


@few
@given(seeds)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    sample = Sample(seed)
    order = np.random.default_rng(seed).permutation(120)
    for column, statistic in ((sample.y, proportion), (sample.income, rate)):
        sorted_ = statistic(sample.design(), sample.cells(), column)
        mixed = statistic(sample.design(order), sample.cells(order), column[order])
        np.testing.assert_allclose(mixed.value, sorted_.value)
        np.testing.assert_allclose(mixed.se, sorted_.se, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(mixed.df, sorted_.df)


@few
@given(seeds)
def test_a_group_and_its_rest_make_the_whole(seed: int) -> None:
    sample = Sample(seed)
    found = sample.estimates()
    rest = found.rest([1, 3], [0, 0])
    np.testing.assert_allclose(rest.weight_sum + found.weight_sum[[1, 3]], found.weight_sum[0])
    # two areas, two sexes: the rest of one is the other, which was estimated by itself
    np.testing.assert_allclose(rest.value, found.value[[2, 4]])
    np.testing.assert_allclose(rest.se, found.se[[2, 4]])
    np.testing.assert_array_equal(rest.df, found.df[[2, 4]])
    np.testing.assert_array_equal(rest.events, found.events[[2, 4]])
    totals = total(sample.design(), sample.cells(), sample.income)
    other = totals.rest([1], [0])
    np.testing.assert_allclose(other.value, totals.value[[2]])
    np.testing.assert_allclose(other.se, totals.se[[2]])


@few
@given(seeds)
def test_a_cell_inside_one_psu_is_never_estimable(seed: int) -> None:
    sample = Sample(seed)
    cells = Cells.from_labels(psu=sample.psu)
    for column, statistic in ((sample.y, proportion), (sample.income, rate)):
        found = statistic(sample.design(), cells, column)
        assert found.estimable[0]
        assert not found.estimable[1:].any()
        assert np.isnan(found.se[1:]).all()
        assert np.isnan(found.covariance[1:, :]).all()
        gaps = gap.compare(found, [1, 1], [0, 2], Measure.DIFFERENCE)
        assert np.isnan(gaps.se).all()
        assert np.isnan(gaps.lower).all()
        assert np.isnan(gaps.p).all()


@few
@given(seeds)
def test_rows_outside_the_universe_are_a_domain_and_not_a_filter(seed: int) -> None:
    """Leaving rows out by the universe and by a missing outcome is the same."""
    sample = Sample(seed)
    women = sample.sex == 1
    by_universe = proportion(sample.design(), sample.cells(), sample.y, universe=women)
    outcome = np.where(women, sample.y, np.nan)
    by_missing = proportion(sample.design(), sample.cells(), outcome)
    np.testing.assert_array_equal(by_universe.value, by_missing.value)
    np.testing.assert_array_equal(by_universe.se, by_missing.se)
    np.testing.assert_array_equal(by_universe.df, by_missing.df)
    assert by_universe.missing.sum() < by_missing.missing.sum()


@few
@given(seeds)
def test_a_mean_is_the_ratio_of_two_totals(seed: int) -> None:
    sample = Sample(seed)
    means = mean(sample.design(), sample.cells(), sample.income)
    ratios = ratio(sample.design(), sample.cells(), sample.income, np.ones(120))
    np.testing.assert_allclose(means.value, ratios.value)
    np.testing.assert_allclose(means.se, ratios.se)


def test_a_share_of_zero_has_no_precise_gap() -> None:
    sample = Sample(1)
    outcome = np.where(sample.sex == 0, 0.0, sample.y)
    found = proportion(sample.design(), sample.cells(), outcome)
    assert found.value[3] == 0.0
    difference = gap.compare(found, [4], [3], Measure.DIFFERENCE)
    assert difference.value[0] == found.value[4]
    assert not difference.estimable[0]
    for measure in (Measure.RATIO, Measure.ODDS_RATIO):
        undefined = gap.compare(found, [4, 3], [3, 4], measure)
        assert np.isnan(undefined.value).all()
        assert not undefined.estimable.any()


def test_a_group_compared_with_itself_is_not_precise() -> None:
    sample = Sample(3)
    found = proportion(sample.design(), Cells.from_labels(area=np.zeros(120)), sample.y)
    for measure in Measure:
        assert not gap.compare(found, [0], [1], measure).estimable.any()
    assert not gap.versus_rest(found, [1], [0], Measure.DIFFERENCE)[0].estimable.any()


def test_an_empty_cell_has_no_value_and_no_standard_error() -> None:
    sample = Sample(2)
    outcome = np.where(sample.sex == 0, np.nan, sample.y)
    income = np.where(np.isnan(outcome), np.nan, sample.income)
    for statistic, column in ((proportion, outcome), (rate, income)):
        found = statistic(sample.design(), sample.cells(), column)
        empty = found.n == 0
        assert empty.sum() == 3
        assert np.isnan(found.value[empty]).all()
        assert np.isnan(found.se[empty]).all()
        assert np.isfinite(found.se[~empty]).all()


def test_independent_samples_have_no_covariance() -> None:
    here, there = Sample(1).estimates(), Sample(2).estimates()
    gaps = gap.between(here, [0], there, [0], Measure.DIFFERENCE)
    assert gaps.samples is Samples.INDEPENDENT
    assert gaps.se[0] == pytest.approx(np.hypot(here.se[0], there.se[0]))
    assert gaps.df[0] == here.df[0] + there.df[0]
    with pytest.raises(ValueError, match="one design"):
        gap.between(here, [0], here, [1], Measure.DIFFERENCE)


def test_a_group_outside_its_whole_has_no_rest() -> None:
    found = Sample(1).estimates()
    with pytest.raises(ValueError, match="outside"):
        found.rest([1], [2])
