"""Laws that measures of inequality obey whatever the groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError
from sdmx_service.model import Measure
from sdmx_service.survey import gap
from sdmx_service.survey.aggregated import Aggregates, Assumption, Errors, of_aggregates
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.decomposition import Index, decompose
from sdmx_service.survey.design import Design
from sdmx_service.survey.disparity import Disparity, disparity, intervals, of_estimates, slopes
from sdmx_service.survey.estimate import mean, proportion, total
from sdmx_service.survey.subgroups import Convention, Fit, Groups, Rank, Reading

few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 10_000)
READING = Reading(ordered=True, reference=1)
ALL = list(Disparity)
# The measures that weigh groups by their people see no difference when a group is split.
UNWEIGHTED = {"IDISU", "MDBU", "MDMU", "MDRU", "SII", "RII"}
WEIGHTED = [measure for measure in ALL if measure.value not in UNWEIGHTED]


def some_groups(seed: int, reading: Reading = READING, count: int = 5) -> Groups:
    draw = np.random.default_rng(seed)
    share = draw.uniform(0.5, 2.0, count)
    return Groups(draw.uniform(0.2, 0.9, count), share / share.sum(), reading)


class Sample:
    """A clustered sample of four ordered groups in two areas, half of the outcomes larger."""

    def __init__(self, seed: int, psus: int = 80) -> None:
        draw = np.random.default_rng(seed)
        rows = psus * 8
        self.psu = np.repeat(np.arange(psus), 8)
        self.stratum = self.psu // (psus // 4)
        self.area = self.stratum // 2
        self.weights = draw.uniform(0.5, 3.0, rows)
        # who is poor lives beside the poor, so shares vary by PSU
        place = np.repeat(draw.normal(0.0, 0.8, psus), 8)
        self.group = np.clip(np.round(place + draw.normal(1.5, 1.0, rows)), 0, 3).astype(int)
        self.y = (draw.random(rows) < 0.25 + 0.15 * self.group + 0.05 * place).astype(float)
        self.income = draw.lognormal(0.2 * self.group + 0.2 * place, 0.5)

    def design(self, weights: np.ndarray | None = None) -> Design:
        return Design.from_columns(
            self.weights if weights is None else weights, psu=self.psu, stratum=self.stratum
        )

    def nation(self) -> Cells:
        return Cells.from_groupings([(Cells.from_labels().keys, np.zeros(len(self.psu)))])

    def jackknife(self, values: list[float], whole: float) -> float:
        """Return the standard error that leaving out one PSU at a time gives (JKn)."""
        size = self.psu.max() + 1
        per_stratum = size / (self.stratum.max() + 1)
        deviations = np.array(values) - whole
        return float(np.sqrt((per_stratum - 1) / per_stratum * (deviations**2).sum()))

    def leave_out(self, psu: int) -> np.ndarray:
        stratum = self.stratum[self.psu == psu][0]
        per_stratum = (self.psu.max() + 1) / (self.stratum.max() + 1)
        weights = np.where(
            self.stratum == stratum, self.weights * per_stratum / (per_stratum - 1), self.weights
        )
        weights[self.psu == psu] = 0.0
        return weights


@pytest.mark.parametrize("measure", ALL)
def test_equal_groups_have_no_inequality(measure: Disparity) -> None:
    for reading in (READING, Reading(ordered=True, reference=0, fit=Fit.LINEAR, favourable=False)):
        groups = Groups(np.full(4, 0.37), np.array([0.1, 0.2, 0.3, 0.4]), reading)
        expected = 1.0 if measure.relative_to_one else 0.0
        assert slopes(groups, measure).value == pytest.approx(expected, abs=1e-12)


@few
@given(seeds, st.permutations(range(5)))
def test_the_order_of_groups_without_an_order_changes_nothing(seed: int, order: list[int]) -> None:
    groups = some_groups(seed, Reading(reference=1))
    mixed = Groups(groups.estimate[order], groups.share[order], Reading(reference=order.index(1)))
    for measure in ALL:
        if not measure.ordered:
            there, back = slopes(groups, measure), slopes(mixed, measure)
            assert there.value == pytest.approx(back.value, abs=1e-12)
            np.testing.assert_allclose(there.by_estimate[order], back.by_estimate, atol=1e-9)


@few
@given(seeds, st.integers(0, 4))
def test_a_group_split_in_two_like_it_changes_no_weighted_measure(seed: int, at: int) -> None:
    groups = some_groups(seed)
    twice = [i for i in range(5) for _ in range(2 if i == at else 1)]
    share = np.array([groups.share[i] / (2 if i == at else 1) for i in twice])
    split = Groups(groups.estimate[twice], share, Reading(ordered=True, reference=twice.index(1)))
    for measure in WEIGHTED:
        value = slopes(groups, measure).value
        assert slopes(split, measure).value == pytest.approx(value, rel=1e-10)


@few
@given(seeds, st.sampled_from([Fit.LOGIT, Fit.LINEAR]), st.booleans())
def test_slopes_are_the_derivatives(seed: int, fit: Fit, favourable: bool) -> None:
    reading = Reading(ordered=True, reference=1, fit=fit, favourable=favourable)
    groups, step = some_groups(seed, reading), 1e-6
    for measure in ALL:
        found = slopes(groups, measure)
        if not np.isfinite(found.by_estimate).all():
            continue
        by_size = found.by_size(groups.share, 1.0)
        for at in range(5):
            up, down = groups.estimate.copy(), groups.estimate.copy()
            up[at] += step
            down[at] -= step
            high = slopes(Groups(up, groups.share, reading), measure).value
            low = slopes(Groups(down, groups.share, reading), measure).value
            slope = (high - low) / (2 * step)
            assert found.by_estimate[at] == pytest.approx(slope, rel=1e-4, abs=1e-4)
            up, down = groups.share.copy(), groups.share.copy()
            up[at] += step
            down[at] -= step
            high = slopes(Groups(groups.estimate, up / up.sum(), reading), measure).value
            low = slopes(Groups(groups.estimate, down / down.sum(), reading), measure).value
            slope = (high - low) / (2 * step)
            assert by_size[at] == pytest.approx(slope, rel=1e-4, abs=1e-4)


@few
@given(seeds)
def test_between_group_variance_is_that_within_and_between_blocks(seed: int) -> None:
    groups = some_groups(seed, count=6)
    block = np.array([0, 0, 1, 1, 1, 2])
    share = np.bincount(block, groups.share)
    centre = np.bincount(block, groups.share * groups.estimate) / share
    between = slopes(Groups(centre, share, READING), Disparity.BETWEEN_GROUP_VARIANCE).value
    within = groups.share @ (groups.estimate - centre[block]) ** 2
    whole = slopes(groups, Disparity.BETWEEN_GROUP_VARIANCE).value
    assert whole == pytest.approx(within + between, rel=1e-12)


@few
@given(seeds)
def test_bounded_indices_mirror_an_outcome_and_its_complement(seed: int) -> None:
    groups = some_groups(seed)
    other = Groups(1.0 - groups.estimate, groups.share, READING)
    for measure in (Disparity.ERREYGERS, Disparity.WAGSTAFF):
        value = slopes(groups, measure).value
        assert slopes(other, measure).value == pytest.approx(-value, abs=1e-12)
    average, rci = groups.mean, slopes(groups, Disparity.RELATIVE_CONCENTRATION).value
    assert slopes(groups, Disparity.ERREYGERS).value == pytest.approx(4 * average * rci)
    assert slopes(groups, Disparity.WAGSTAFF).value == pytest.approx(rci / (1 - average))


def test_the_unweighted_index_is_the_mean_difference_over_the_mean() -> None:
    groups = some_groups(4)
    mdmu = slopes(groups, Disparity.FROM_MEAN_UNWEIGHTED).value
    idisu = slopes(groups, Disparity.DISPARITY_INDEX_UNWEIGHTED).value
    assert idisu == pytest.approx(100 * mdmu / groups.mean)


@pytest.mark.parametrize("measure", ALL)
def test_rows_and_estimated_cells_give_the_same_measure(measure: Disparity) -> None:
    sample = Sample(1)
    design = sample.design()
    levels = proportion(design, Cells.from_labels(group=sample.group), sample.y)
    by_cells = of_estimates(levels, [[1, 2, 3, 4]], measure, READING)
    by_rows = disparity(design, sample.nation(), sample.y, sample.group, measure, READING)
    np.testing.assert_allclose(by_rows.value, by_cells.value, rtol=1e-12)
    np.testing.assert_allclose(by_rows.se, by_cells.se, rtol=1e-9)
    assert by_rows.df[0] == by_cells.df[0] == design.df
    assert by_rows.n[0] == by_cells.n[0]


def test_standard_errors_are_those_of_the_jackknife_with_estimated_ranks() -> None:
    sample = Sample(2)
    replicates = [sample.leave_out(psu) for psu in range(80)]
    for measure in ALL:
        whole = disparity(
            sample.design(), sample.nation(), sample.y, sample.group, measure, READING
        )
        levels = [_value(sample, weights, measure) for weights in replicates]
        expected = sample.jackknife(levels, whole.value[0])
        assert whole.se[0] == pytest.approx(expected, rel=0.06), measure


def _value(sample: Sample, weights: np.ndarray, measure: Disparity) -> float:
    size = np.bincount(sample.group, weights)
    estimate = np.bincount(sample.group, weights * sample.y) / size
    return slopes(Groups(estimate, size / size.sum(), READING), measure).value


def test_a_known_rank_is_another_standard_error() -> None:
    sample = Sample(2)
    known = Reading(ordered=True, rank=Rank.KNOWN)
    for measure in ALL:
        if measure.ordered:
            pair = [
                disparity(sample.design(), sample.nation(), sample.y, sample.group, measure, how)
                for how in (Reading(ordered=True), known)
            ]
            assert pair[0].value[0] == pytest.approx(pair[1].value[0])
            assert pair[0].se[0] != pytest.approx(pair[1].se[0], rel=1e-3)


def test_people_can_be_ranked_one_by_one() -> None:
    """The concentration index of an income by itself is its Gini index."""
    sample = Sample(3)
    found = disparity(
        sample.design(np.ones(640)),
        sample.nation(),
        sample.income,
        sample.income,
        Disparity.RELATIVE_CONCENTRATION,
        Reading(ordered=True),
    )
    apart = np.abs(sample.income[:, None] - sample.income[None, :]).mean()
    assert found.value[0] == pytest.approx(apart / 2 / sample.income.mean())
    assert found.estimable[0]


def test_areas_are_compared_with_their_covariance() -> None:
    sample = Sample(5)
    cells = Cells.from_labels(area=sample.area)
    found = disparity(
        sample.design(), cells, sample.y, sample.group, Disparity.SLOPE_INDEX, READING
    )
    gaps = gap.compare(found, [1], [2], Measure.DIFFERENCE)
    assert gaps.value[0] == pytest.approx(found.value[1] - found.value[2])
    # the areas are unions of strata
    assert gaps.se[0] == pytest.approx(np.hypot(found.se[1], found.se[2]))
    relative = disparity(
        sample.design(), cells, sample.y, sample.group, Disparity.RELATIVE_INDEX, READING
    )
    bounds = intervals(relative, Disparity.RELATIVE_INDEX)
    np.testing.assert_allclose(bounds.lower * bounds.upper, relative.value**2)


def test_a_measure_that_hinges_on_an_unknown_variance_has_none() -> None:
    sample = Sample(6)
    sample.group[sample.group == 3] = 2
    alone = np.flatnonzero(sample.psu == 7)
    sample.group[alone] = 3
    everyone = Sample(6)
    everyone.y[everyone.group == 3] = 1.0
    for one in (sample, everyone):
        for measure in (Disparity.DIFFERENCE, Disparity.RATIO, Disparity.ATTRIBUTABLE_RISK):
            found = disparity(one.design(), one.nation(), one.y, one.group, measure, READING)
            assert np.isfinite(found.value[0])
            assert np.isnan(found.se[0])
            assert np.isnan(intervals(found, measure).lower[0])


def test_an_area_without_the_groups_has_no_measure() -> None:
    sample = Sample(7)
    sample.group[sample.area == 0] = 2
    cells = Cells.from_labels(area=sample.area)
    for measure in ALL:
        found = disparity(sample.design(), cells, sample.y, sample.group, measure, READING)
        assert np.isnan(found.value[1])
        assert np.isnan(found.se[1])
        assert np.isfinite(found.value[2])


def test_rows_without_a_group_are_outside() -> None:
    sample = Sample(8)
    labels = np.array(["a", "b", "c", "d"], dtype=object)[sample.group]
    labels[:40] = None
    order = ["a", "b", "c", "d"]
    inside = np.arange(640) >= 40
    for universe, group in ((None, labels), (inside, sample.group)):
        found = disparity(
            sample.design(),
            sample.nation(),
            sample.y,
            group,
            Disparity.SLOPE_INDEX,
            Reading(ordered=True),
            order=order if universe is None else None,
            universe=universe,
        )
        assert found.n[0] == 600
        if universe is None:
            first = found
    assert first.se[0] == pytest.approx(found.se[0])


@pytest.mark.parametrize("index", list(Index))
def test_inequality_within_and_between_areas_adds_up(index: Index) -> None:
    sample = Sample(9)
    cells = Cells.from_labels(group=sample.group)
    found = decompose(sample.design(), cells, sample.income, sample.psu // 5, index)
    np.testing.assert_allclose(
        found.total.value, found.within.value + found.between.value, rtol=1e-13
    )
    np.testing.assert_allclose(
        found.total.influence, found.within.influence + found.between.influence, atol=1e-12
    )
    np.testing.assert_allclose(found.share.value, found.between.value / found.total.value)
    ratio = sample.income / np.average(sample.income, weights=sample.weights)
    direct = {
        Index.VARIANCE: (sample.income - np.average(sample.income, weights=sample.weights)) ** 2,
        Index.THEIL: ratio * np.log(ratio),
        Index.LOG_DEVIATION: -np.log(ratio),
    }[index]
    assert found.total.value[0] == pytest.approx(np.average(direct, weights=sample.weights))
    assert (found.within.value >= 0).all()
    assert (found.between.value >= 0).all()


@pytest.mark.parametrize("index", list(Index))
def test_the_parts_of_a_decomposition_have_the_errors_of_the_jackknife(index: Index) -> None:
    sample = Sample(10)
    parts = ("total", "within", "between", "share")
    whole = decompose(sample.design(), sample.nation(), sample.income, sample.group, index)
    values: dict[str, list[float]] = {part: [] for part in parts}
    for psu in range(80):
        found = decompose(
            sample.design(sample.leave_out(psu)),
            sample.nation(),
            sample.income,
            sample.group,
            index,
        )
        for part in parts:
            values[part].append(getattr(found, part).value[0])
    for part in parts:
        estimates = getattr(whole, part)
        expected = sample.jackknife(values[part], estimates.value[0])
        assert estimates.se[0] == pytest.approx(expected, rel=0.08), part


def test_aggregates_say_what_they_assume() -> None:
    y, se, people = [0.3, 0.5, 0.7], [0.03, 0.02, 0.04], [100, 200, 100]
    wanted = [Disparity.DIFFERENCE, Disparity.BETWEEN_GROUP_VARIANCE]
    by = {
        Assumption.INDEPENDENT: {"se": se},
        Assumption.CORRELATION: {"se": se, "correlation": 0.5},
        Assumption.SUPPLIED: {"covariance": np.diag(np.square(se))},
        Assumption.NONE: {},
    }
    found = {}
    for assumption, given_ in by.items():
        aggregates = Aggregates.from_columns(y, population=people, **given_)
        found[assumption] = of_aggregates(aggregates, wanted, READING)
        assert found[assumption].assumption is assumption
    assert found[Assumption.INDEPENDENT].se[0] == pytest.approx(0.05)
    assert found[Assumption.CORRELATION].se[0] == pytest.approx(np.sqrt(0.0025 - 0.0012))
    np.testing.assert_allclose(
        found[Assumption.SUPPLIED].se, found[Assumption.INDEPENDENT].se, rtol=1e-12
    )
    assert np.isnan(found[Assumption.NONE].se).all()
    # the errors of equal groups alone make BGV this large
    expected = sum(p * s**2 * (1 - p) for p, s in zip([0.25, 0.5, 0.25], se, strict=True))
    assert found[Assumption.INDEPENDENT].noise[1] == pytest.approx(expected)


def test_a_bootstrap_of_aggregates_agrees_with_the_delta_method_far_from_equality() -> None:
    aggregates = Aggregates.from_columns(
        [30.0, 45.0, 55.0, 70.0],
        population=[100, 120, 90, 110],
        se=[1.0, 1.2, 0.9, 1.1],
        correlation=0.2,
    )
    reading = Reading(ordered=True, reference=0, upper=100)
    wanted = [measure for measure in ALL if measure is not Disparity.LOG_DEVIATION]
    delta = of_aggregates(aggregates, wanted, reading)
    drawn = of_aggregates(aggregates, wanted, reading, errors=Errors.BOOTSTRAP, draws=600)
    np.testing.assert_allclose(drawn.se, delta.se, rtol=0.12)
    assert (drawn.lower < drawn.value).all()
    assert (drawn.value < drawn.upper).all()
    again = of_aggregates(aggregates, wanted[:2], reading, errors=Errors.BOOTSTRAP, draws=600)
    np.testing.assert_array_equal(again.lower, drawn.lower[:2])


def test_an_adverse_indicator_turns_the_sides() -> None:
    y, people = np.array([0.5, 0.3, 0.2]), np.full(3, 1 / 3)

    def value(measure: Disparity, **how: object) -> float:
        return slopes(Groups(y, people, Reading(favourable=False, **how)), measure).value

    assert value(Disparity.DIFFERENCE, ordered=True) == pytest.approx(0.3)
    assert value(Disparity.DIFFERENCE) == pytest.approx(0.3)
    assert value(Disparity.DIFFERENCE, reference=1) == pytest.approx(0.2)
    assert value(Disparity.DIFFERENCE, convention=Convention.HEALTHEQUAL) == pytest.approx(-0.3)
    assert value(Disparity.ATTRIBUTABLE_RISK) == pytest.approx(0.2 - 1 / 3)
    assert value(Disparity.ATTRIBUTABLE_RISK, reference=0, attribute_to_reference=True) == 0.0
    assert value(Disparity.FROM_BEST_UNWEIGHTED) == pytest.approx(0.4 / 3)


def test_a_group_at_zero_has_no_mean_log_deviation() -> None:
    groups = Groups(np.array([0.0, 0.5]), np.array([0.5, 0.5]), Reading())
    assert np.isnan(slopes(groups, Disparity.LOG_DEVIATION).value)
    assert slopes(groups, Disparity.THEIL).value == pytest.approx(1000 * np.log(2))


def test_measures_refuse_what_cannot_carry_them() -> None:
    sample = Sample(1)
    design, nation = sample.design(), sample.nation()

    def of(measure: Disparity, reading: Reading, **how: object) -> None:
        disparity(design, nation, sample.y, sample.group, measure, reading, **how)

    with pytest.raises(DataError, match="ordered breakdown"):
        of(Disparity.SLOPE_INDEX, Reading())
    with pytest.raises(DataError, match="declared reference group"):
        of(Disparity.FROM_REFERENCE_WEIGHTED, Reading())
    with pytest.raises(DataError, match="one of 0, 1, 2, 3"):
        of(Disparity.DIFFERENCE, Reading(reference=9))
    with pytest.raises(DataError, match="one of 0, 1"):
        of(Disparity.DIFFERENCE, Reading(), order=[0, 1])
    with pytest.raises(ValueError, match="no position"):
        slopes(some_groups(1, Reading(reference="Vienna")), Disparity.DIFFERENCE)
    totals = total(design, Cells.from_labels(group=sample.group), sample.y)
    with pytest.raises(ValueError, match="means, proportions"):
        of_estimates(totals, [[1, 2]], Disparity.DIFFERENCE, Reading())
    with pytest.raises(DataError, match="0 or more"):
        decompose(design, nation, sample.income - 3, sample.area, Index.THEIL)
    with pytest.raises(DataError, match="more than 0"):
        decompose(design, nation, sample.y, sample.area, Index.LOG_DEVIATION)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"estimate": [0.2]}, "two groups"),
        ({"estimate": [0.2, np.nan]}, "a number for every group"),
        ({"estimate": [0.2, 0.3], "population": [1, 0]}, "above 0"),
        ({"estimate": [0.2, 0.3], "se": [0.1, -0.1]}, "0 or more"),
        ({"estimate": [0.2, 0.3], "se": [0.1]}, "2 values"),
        ({"estimate": [0.2, 0.3], "correlation": -2.0}, "between -1"),
        ({"estimate": [0.2, 0.3], "covariance": [[1.0, 2.0], [2.0, 1.0]]}, "negative variance"),
        ({"estimate": [0.2, 0.3], "covariance": np.ones((3, 3))}, "symmetric one of 2"),
    ],
)
def test_aggregates_that_cannot_be_are_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Aggregates.from_columns(**columns)


def test_aggregates_without_what_a_measure_needs_are_refused() -> None:
    bare = Aggregates.from_columns([0.2, 0.4], average=0.3)
    assert of_aggregates(bare, [Disparity.ATTRIBUTABLE_RISK], Reading()).value[0] == (
        pytest.approx(0.1)
    )
    with pytest.raises(DataError, match="population of every group"):
        of_aggregates(bare, [Disparity.THEIL], Reading())
    with pytest.raises(DataError, match="standard error of every group"):
        of_aggregates(bare, [Disparity.DIFFERENCE], Reading(), errors=Errors.BOOTSTRAP)


def test_a_mean_of_incomes_has_measures_too() -> None:
    sample = Sample(11)
    levels = mean(sample.design(), Cells.from_labels(group=sample.group), sample.income)
    reading = Reading(ordered=True, fit=Fit.LINEAR)
    found = of_estimates(levels, [[1, 2, 3, 4], [1, 2]], Disparity.SLOPE_INDEX, reading)
    assert (found.value > 0).all()
    assert found.estimable.all()
    assert found.n[1] == levels.n[1] + levels.n[2]
