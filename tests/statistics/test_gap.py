"""Gaps by hand: moments whose gaps can be worked out on paper, and cells in whose PSUs one sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sdmx_service.model import Measure, Samples
from sdmx_service.survey import gap, poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, proportion

# Student's t as printed tables have it: 97.5 % and 95 %, by degrees of freedom.
T975 = {1: 12.70620474, 2: 4.30265273, 7: 2.36462425, 10: 2.22813885, 60: 2.00029782}
T95 = {1: 6.31375151, 10: 1.81246112}


USUAL: dict[str, list[Any]] = {
    "group": [0.5],
    "reference": [0.25],
    "variance_group": [0.0016],
    "variance_reference": [0.0009],
    "covariance": [0.0006],
    "df": [10],
}


def of(measure: Measure, **moments: Any) -> gap.Gaps:
    """Return the gaps of 0.5 from 0.25 unless ``moments`` say otherwise."""
    return gap.from_moments(**(USUAL | moments), measure=measure)


def test_a_difference_by_hand() -> None:
    """16 + 9 - 2 x 6 is 13; all of it over 10,000."""
    found = of(Measure.DIFFERENCE)
    se = np.sqrt(0.0013)
    assert (found.measure, found.samples, found.level) == (
        Measure.DIFFERENCE,
        Samples.SAME,
        0.95,
    )
    assert len(found) == 1
    assert found.estimable.tolist() == [True]
    assert (found.group[0], found.reference[0]) == (0.5, 0.25)
    assert (found.covariance[0], found.df[0]) == (0.0006, 10)
    assert found.value[0] == 0.25
    assert found.se[0] == pytest.approx(se, rel=1e-14)
    assert np.isnan(found.se_log[0])
    assert found.lower[0] == pytest.approx(0.25 - T975[10] * se, rel=1e-8)
    assert found.upper[0] == pytest.approx(0.25 + T975[10] * se, rel=1e-8)
    assert found.t[0] == pytest.approx(0.25 / se, rel=1e-14)


def test_a_ratio_by_hand() -> None:
    """Twice as much; relative variances 64 and 144 less 2 x 48 in 10,000: 112."""
    found = of(Measure.RATIO)
    se = np.sqrt(0.0112)
    assert found.measure is Measure.RATIO
    assert found.value[0] == pytest.approx(2.0, rel=1e-14)
    assert found.se_log[0] == pytest.approx(se, rel=1e-13)
    assert found.se[0] == pytest.approx(2.0 * se, rel=1e-13)
    assert found.t[0] == pytest.approx(np.log(2.0) / se, rel=1e-13)
    assert found.lower[0] == pytest.approx(2.0 * np.exp(-T975[10] * se), rel=1e-8)
    assert found.upper[0] == pytest.approx(2.0 * np.exp(T975[10] * se), rel=1e-8)


def test_an_odds_ratio_by_hand() -> None:
    """Odds of 1 and 1/3; slopes 4 and 16/3: 256 + 256 - 2 x 128 in 10,000."""
    found = of(Measure.ODDS_RATIO)
    se = np.sqrt(0.0256)
    assert found.value[0] == pytest.approx(3.0, rel=1e-14)
    assert found.se_log[0] == pytest.approx(0.16, rel=1e-13)
    assert found.se[0] == pytest.approx(0.48, rel=1e-13)
    assert found.t[0] == pytest.approx(np.log(3.0) / se, rel=1e-13)
    assert found.lower[0] == pytest.approx(3.0 * np.exp(-T975[10] * se), rel=1e-8)
    assert found.upper[0] == pytest.approx(3.0 * np.exp(T975[10] * se), rel=1e-8)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_test_of_one_or_two_degrees_of_freedom_has_a_closed_form(sign: float) -> None:
    """One: Cauchy, 1 - 2/pi arctan |t|. Two: 1 - |t| / sqrt(2 + t^2). Each side counts."""
    found = of(Measure.DIFFERENCE, group=[0.25 + sign * 0.1] * 2, df=[1, 2])
    t = 0.1 / np.sqrt(0.0013)
    np.testing.assert_allclose(found.t, sign * t)
    np.testing.assert_allclose(
        found.p, [1.0 - 2.0 / np.pi * np.arctan(t), 1.0 - t / np.sqrt(2.0 + t**2)], rtol=1e-12
    )
    half = (found.upper - found.lower) / 2.0
    np.testing.assert_allclose(half, np.sqrt(0.0013) * np.array([T975[1], T975[2]]), rtol=1e-8)


def test_without_a_degree_of_freedom_there_is_a_value_and_nothing_else() -> None:
    for measure in Measure:
        found = of(measure, df=[0])
        assert np.isfinite(found.value[0])
        for column in (found.se, found.se_log, found.lower, found.upper, found.t, found.p):
            assert np.isnan(column[0])
        assert not found.estimable[0]


def test_the_level_is_that_of_the_interval() -> None:
    for measure, back in ((Measure.DIFFERENCE, float), (Measure.RATIO, np.log)):
        found = of(measure, level=0.90)
        error = found.se[0] if measure is Measure.DIFFERENCE else found.se_log[0]
        assert found.level == 0.90
        width = back(found.upper[0]) - back(found.lower[0])
        assert width == pytest.approx(2.0 * T95[10] * error, rel=1e-8)


NOT_ABOVE_ZERO = [(0.0, 0.5), (0.5, 0.0), (-0.25, 0.5), (0.5, -0.25), (np.nan, 0.5), (0.5, np.nan)]


@pytest.mark.parametrize(("a", "b"), NOT_ABOVE_ZERO)
@pytest.mark.parametrize("measure", [Measure.RATIO, Measure.ODDS_RATIO])
def test_a_ratio_to_or_of_what_is_not_above_zero_is_not_defined(
    measure: Measure, a: float, b: float
) -> None:
    found = of(measure, group=[a], reference=[b])
    for column in (found.value, found.se, found.se_log, found.lower, found.upper, found.p):
        assert np.isnan(column[0])


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.5), (0.5, 1.0), (1.5, 0.5), (0.5, 1.5)])
def test_odds_end_below_one_and_ratios_do_not(a: float, b: float) -> None:
    odds = of(Measure.ODDS_RATIO, group=[a], reference=[b])
    assert np.isnan([odds.value[0], odds.se[0], odds.lower[0], odds.p[0]]).all()
    ratio = of(Measure.RATIO, group=[a], reference=[b])
    assert ratio.value[0] == pytest.approx(a / b)
    assert ratio.estimable[0]


def test_ratios_of_less_than_one_percent_are_ratios() -> None:
    small = of(Measure.RATIO, group=[0.006], reference=[0.003], variance_group=[1e-6],
               variance_reference=[1e-6], covariance=[0.0])  # fmt: skip
    assert small.value[0] == pytest.approx(2.0)
    assert small.estimable[0]


@pytest.mark.parametrize("value", [-np.inf, np.inf, np.nan])
@pytest.mark.parametrize("side", ["group", "reference"])
def test_the_difference_from_what_is_no_number_is_no_number(side: str, value: float) -> None:
    found = of(Measure.DIFFERENCE, **{side: [value]})
    assert np.isnan([found.value[0], found.se[0], found.lower[0], found.p[0]]).all()


@pytest.mark.parametrize("side", ["variance_group", "variance_reference"])
def test_a_side_that_does_not_vary_makes_no_gap_precise(side: str) -> None:
    """A variance of rounding, 1e-14 of the value in each standard error, is none either."""
    for none in (0.0, (0.25e-14) ** 2, np.nan):
        for measure in Measure:
            found = of(measure, covariance=[0.0], **{side: [none]})
            assert np.isfinite(found.value[0])
            assert not found.estimable[0]
            assert np.isnan([found.lower[0], found.upper[0], found.p[0]]).all()


@pytest.mark.parametrize("side", ["group", "reference"])
def test_a_group_of_zeros_does_not_vary(side: str) -> None:
    found = of(Measure.DIFFERENCE, covariance=[0.0], **{side: [0.0], f"variance_{side}": [0.0]})
    assert np.isfinite(found.value[0])
    assert not found.estimable[0]


@pytest.mark.parametrize("missing", list(USUAL))
@pytest.mark.parametrize("measure", list(Measure))
def test_what_a_table_leaves_empty_is_not_known(measure: Measure, missing: str) -> None:
    """None, as a column of objects has it, is NaN; the gap beside it is not touched."""
    whole = of(measure)
    columns = {name: [number[0], number[0]] for name, number in USUAL.items()}
    columns[missing][0] = None
    found = of(measure, **columns)
    assert np.isnan(found.value[0]) == (missing in ("group", "reference"))
    assert found.estimable.tolist() == [False, True]
    for name in ("value", "se", "lower", "upper", "t", "p"):
        assert getattr(found, name)[1] == getattr(whole, name)[0]


@pytest.mark.parametrize(("variances"), [(1e-24, 0.0009), (0.0016, 1e-24)])
def test_a_small_variance_is_one(variances: tuple[float, float]) -> None:
    """A standard error of 1e-12, in units of people and not of money."""
    for measure in Measure:
        found = of(measure, variance_group=[variances[0]], variance_reference=[variances[1]],
                   covariance=[0.0])  # fmt: skip
        assert found.estimable[0]


def test_what_is_large_varies_as_much_as_what_is_small() -> None:
    """Incomes of a million: what is rounding goes by the value, not by its square or cube."""
    unit = of(Measure.RATIO)
    large = of(Measure.RATIO, group=[5e5], reference=[2.5e5], variance_group=[0.0016e12],
               variance_reference=[0.0009e12], covariance=[0.0006e12])  # fmt: skip
    np.testing.assert_allclose(large.se_log, unit.se_log, rtol=1e-12)
    np.testing.assert_allclose(large.p, unit.p, rtol=1e-10)
    apart = of(Measure.DIFFERENCE, group=[5e5], reference=[2.5e5], variance_group=[1e-9],
               variance_reference=[1e-9], covariance=[0.0])  # fmt: skip
    assert apart.se[0] == pytest.approx(np.sqrt(2e-9))
    rounding = of(Measure.DIFFERENCE, group=[5e5], reference=[2.5e5], variance_group=[1e-18],
                  variance_reference=[1e-18], covariance=[0.0])  # fmt: skip
    assert not rounding.estimable[0]


@pytest.mark.parametrize(("left", "estimable"), [(1e-10, True), (1e-14, False), (-1e-14, False)])
def test_what_is_left_of_two_equal_groups_is_rounding(left: float, estimable: bool) -> None:
    """Variances of 1 and a covariance that leaves this share of their sum."""
    for measure in (Measure.DIFFERENCE, Measure.RATIO):
        found = of(measure, group=[5.0], reference=[5.0], variance_group=[1.0],
                   variance_reference=[1.0], covariance=[1.0 - left])  # fmt: skip
        assert found.estimable[0] == estimable
        assert np.isfinite(found.p[0]) == estimable


@pytest.mark.parametrize(("left", "estimable"), [(0.75, False), (1.0, False), (1.25, True)])
def test_the_limit_of_rounding_is_a_million_millionth(left: float, estimable: bool) -> None:
    """Variances add up to 1e12 and leave about one."""
    half = 0.5e12
    found = of(Measure.DIFFERENCE, group=[9e5], reference=[5e5], variance_group=[half],
               variance_reference=[half], covariance=[half - left / 2])  # fmt: skip
    assert found.estimable[0] == estimable


def test_gaps_are_worked_out_side_by_side() -> None:
    alone = [of(Measure.RATIO, group=[a], df=[df]) for a, df in ((0.5, 10), (0.0, 10), (0.4, 1))]
    found = gap.from_moments(
        [0.5, 0.0, 0.4],
        [0.25] * 3,
        [0.0016] * 3,
        [0.0009] * 3,
        [0.0006] * 3,
        [10, 10, 1],
        Measure.RATIO,
    )
    assert len(found) == 3
    for column in ("value", "se", "se_log", "lower", "upper", "t", "p", "df"):
        one_by_one = [getattr(one, column)[0] for one in alone]
        np.testing.assert_array_equal(getattr(found, column), one_by_one)


# --- cells -------------------------------------------------------------------------------------


class Sample:
    """Twelve PSUs of five, in strata of two, six and four; areas are strata."""

    def __init__(self, seed: int = 5) -> None:
        draw = np.random.default_rng(seed)
        self.psu = np.repeat(np.arange(12), 5)
        self.stratum = np.repeat([0, 1, 2], [10, 30, 20])
        self.weights = draw.uniform(1.0, 3.0, 60)
        self.y = draw.permutation(np.repeat([0.0, 1.0], 30))
        self.sex = np.tile([0, 1, 0, 1, 1], 12)

    def estimates(self) -> Estimates:
        """Return the nation, areas 1 to 3, women and men at 4 and 5."""
        design = Design.from_columns(self.weights, psu=self.psu, stratum=self.stratum)
        cells = Cells.from_labels(area=self.stratum, sex=self.sex)
        return proportion(design, cells, self.y)


def test_two_groups_have_the_df_of_both_together() -> None:
    found = Sample().estimates()
    gaps = gap.compare(found, [1, 1, 4], [2, 3, 5], Measure.DIFFERENCE)
    assert gaps.df.tolist() == [1 + 5, 1 + 3, 9]
    assert gaps.samples is Samples.SAME
    assert gaps.level == 0.95


def test_a_part_beside_its_whole_or_its_rest_has_the_df_of_the_part() -> None:
    """An area of two PSUs knows no more of its own variance beside a nation of twelve."""
    found = Sample().estimates()
    of_parts = gap.compare(found, [1, 0, 2, 1], [0, 1, 0, 3], Measure.RATIO, part=True)
    assert of_parts.df.tolist() == [1, 1, 5, 1]
    mixed = gap.compare(found, [1, 1], [0, 2], Measure.DIFFERENCE, part=[True, False])
    assert mixed.df.tolist() == [1, 6]
    with_rest, rest = gap.versus_rest(found, [1, 2, 4], [0, 0, 0], Measure.DIFFERENCE)
    assert with_rest.df.tolist() == [1, 4, 9]  # the second area leaves 6 PSUs in 2 strata
    assert rest.df.tolist() == [8, 4, 9]
    half = (with_rest.upper - with_rest.lower) / 2
    assert half[0] == pytest.approx(T975[1] * with_rest.se[0], rel=1e-8)


def test_no_comparisons_make_no_gaps() -> None:
    found, other = Sample().estimates(), Sample(6).estimates()
    none = gap.compare(found, [], [], Measure.RATIO)
    rests, rest = gap.versus_rest(found, [], [], Measure.RATIO)
    apart = gap.between(found, [], other, [], Measure.RATIO)
    assert [len(none), len(rests), len(rest), len(apart)] == [0, 0, 0, 0]


def test_a_df_that_is_given_holds_for_every_gap() -> None:
    found = Sample().estimates()
    gaps = gap.compare(found, [1, 2], [0, 3], Measure.DIFFERENCE, part=True, df=60)
    assert gaps.df.tolist() == [60, 60]
    by_gap = gap.compare(found, [1, 2], [0, 3], Measure.DIFFERENCE, df=[7, 60])
    assert by_gap.df.tolist() == [7, 60]
    half = (by_gap.upper - by_gap.lower) / 2
    np.testing.assert_allclose(half, np.array([T975[7], T975[60]]) * by_gap.se, rtol=1e-8)
    rests, _ = gap.versus_rest(found, [1, 2], [0, 0], Measure.DIFFERENCE, df=[7, 60])
    assert rests.df.tolist() == [7, 60]


def test_the_measure_and_the_level_are_those_that_were_asked_for() -> None:
    found, other = Sample().estimates(), Sample(6).estimates()
    for measure in Measure:
        for gaps in (
            gap.compare(found, [2], [3], measure, df=10, level=0.90),
            gap.versus_rest(found, [2], [0], measure, df=10, level=0.90)[0],
        ):
            assert (gaps.measure, gaps.level) == (measure, 0.90)
            error = gaps.se[0] if measure is Measure.DIFFERENCE else gaps.se_log[0]
            ends = np.array([gaps.lower[0], gaps.upper[0]])
            if measure is not Measure.DIFFERENCE:
                ends = np.log(ends)
            assert ends[1] - ends[0] == pytest.approx(2 * T95[10] * error, rel=1e-8)
        apart = gap.between(found, [2], other, [1], measure)
        narrow = gap.between(found, [2], other, [1], measure, level=0.90)
        assert (apart.measure, apart.level, narrow.level) == (measure, 0.95, 0.90)
        assert (narrow.lower > apart.lower).all()
    assert gap.compare(found, [2], [3], Measure.RATIO).level == 0.95
    assert gap.versus_rest(found, [2], [0], Measure.RATIO)[0].level == 0.95


def test_the_gap_from_the_rest_is_that_from_the_other_cell() -> None:
    """Two sexes: the rest of one is the other. Three areas: what the other two make together."""
    sample = Sample()
    found = sample.estimates()
    for measure in Measure:
        by_rest, rest = gap.versus_rest(found, [4, 5], [0, 0], measure)
        direct = gap.compare(found, [4, 5], [5, 4], measure)
        np.testing.assert_allclose(rest.value, found.value[[5, 4]])
        for column in ("group", "reference", "value", "se", "lower", "upper", "p", "covariance"):
            np.testing.assert_allclose(getattr(by_rest, column), getattr(direct, column))
    by_rest, _ = gap.versus_rest(found, [3, 1], [0, 0], Measure.DIFFERENCE)
    for place, area in enumerate((2, 0)):
        others = sample.stratum != area
        mean = np.average(sample.y[others], weights=sample.weights[others])
        assert by_rest.reference[place] == pytest.approx(mean, rel=1e-13)
        assert by_rest.group[place] == found.value[area + 1]


def test_the_covariance_of_cells_is_taken_off() -> None:
    found = Sample().estimates()
    i, j = np.array([4, 2]), np.array([5, 0])
    gaps = gap.compare(found, i, j, Measure.DIFFERENCE)
    expected = found.variance[i] + found.variance[j] - 2 * found.covariance[i, j]
    assert (np.abs(found.covariance[i, j]) > 1e-5).all()
    np.testing.assert_allclose(gaps.se**2, expected)
    np.testing.assert_allclose(gaps.covariance, found.covariance[i, j])
    np.testing.assert_array_equal(gaps.value, found.value[i] - found.value[j])


def test_samples_drawn_apart_by_hand() -> None:
    first, second = Sample().estimates(), Sample(6).estimates()
    found = gap.between(first, [2, 3], second, [3, 1], Measure.DIFFERENCE)
    i, j = np.array([2, 3]), np.array([3, 1])
    assert found.samples is Samples.INDEPENDENT
    assert found.covariance.tolist() == [0.0, 0.0]
    assert found.df.tolist() == [5 + 3, 3 + 1]
    np.testing.assert_array_equal(found.value, first.value[i] - second.value[j])
    np.testing.assert_allclose(found.se**2, first.variance[i] + second.variance[j])
    with pytest.raises(ValueError, match="stack and compare them"):
        gap.between(first, [1], first.take([0]), [0], Measure.DIFFERENCE)


def test_a_rate_of_zero_or_one_is_not_precise_though_its_threshold_varies() -> None:
    """The threshold's variance reaches an area where nobody, or everybody, is poor."""
    source = np.random.default_rng(11)
    draw = source.uniform
    # the median is 99 to 101, so that the threshold is 60
    mixed = np.append(draw(40, 58, 3), draw(102, 300, 17))
    none_poor = np.append(draw(62, 99, 7), draw(101, 130, 13))
    all_poor = draw(45, 58, 20)
    income = np.concatenate([source.permutation(part) for part in (mixed, none_poor, all_poor)])
    design = Design.from_columns(np.ones(60), psu=np.repeat(np.arange(12), 5))
    cells = Cells.from_labels(area=np.repeat([0, 1, 2], 20))
    found = poverty.rate(design, cells, income)
    assert found.value[1:].tolist() == [3 / 20, 0.0, 1.0]
    assert (found.variance[2:] > 1e-8).all()
    other = Sample().estimates()
    for gaps in (
        gap.compare(found, [1, 1, 2, 3], [2, 3, 1, 1], Measure.DIFFERENCE),
        gap.between(found, [2, 3], other, [1, 1], Measure.DIFFERENCE),
        gap.between(other, [1, 1], found, [2, 3], Measure.DIFFERENCE),
    ):
        assert np.isfinite(gaps.value).all()
        assert not gaps.estimable.any()
        assert np.isnan(gaps.p).all()
