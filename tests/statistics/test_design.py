"""A design that cannot carry an estimate is refused with what to mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sdmx_service.errors import DataError, DesignError
from sdmx_service.model import Measure
from sdmx_service.survey import gap, poverty, replicates, replication, table
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import ColumnNames, Design, Lonely
from sdmx_service.survey.estimate import mean, proportion, total
from sdmx_service.survey.replication import Method
from sdmx_service.survey.stages import StageColumns

NAMES = ColumnNames("survey XX", weights="hhweight", psu="ea", stratum="region", fpc="towns")


def refused(**columns: Any) -> DesignError:
    good: dict[str, Any] = {
        "weights": [1.0, 2.0, 1.0, 2.0],
        "psu": [1, 2, 3, 4],
        "stratum": ["n", "n", "s", "s"],
    }
    with pytest.raises(DesignError) as caught:
        Design.from_columns(**(good | columns), names=NAMES)
    return caught.value


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ([1.0, None, 1.0, np.nan], "missing in 2 rows (2, 4)"),
        ([1.0, -2.0, 1.0, 1.0], "negative in 1 row (2)"),
        ([1.0, np.inf, 1.0, 1.0], "infinite in 1 row (2)"),
        ([0.0, 0.0, 0.0, 0.0], "0 in every row"),
    ],
)
def test_a_wrong_weight_is_refused_with_its_rows(weights: list[float], what: str) -> None:
    error = refused(weights=weights)
    assert error.where == "survey XX: column hhweight"
    assert error.got == what
    assert error.expected is not None


def test_a_weight_that_is_no_number_is_refused() -> None:
    assert "two" in str(refused(weights=["1", "two", "1", "1"]))


def test_a_missing_psu_or_stratum_is_refused_with_its_rows() -> None:
    assert refused(psu=[1, None, 2, 3]).got == "missing in 1 row (2)"
    assert refused(stratum=["n", "n", None, "s"]).got == "missing in 1 row (3)"


def test_a_psu_in_two_strata_is_refused_unless_its_label_is_nested() -> None:
    columns: dict[str, Any] = {
        "weights": [1, 1, 1, 1],
        "psu": [1, 2, 1, 2],
        "stratum": ["n", "n", "s", "s"],
    }
    error = refused(**columns)
    assert "PSU 1 in strata n, s" in str(error)
    assert "nested: true" in str(error)
    assert Design.from_columns(**columns, nested=True).n_psu == 4


def test_lonely_strata_are_listed() -> None:
    error = refused(stratum=["n", "n", "s", "t"])
    assert "2 strata with a single PSU: s, t" in str(error)
    assert "remove, certainty, adjust or average" in str(error)


def test_a_single_psu_is_refused() -> None:
    assert refused(psu=[1, 1, 1, 1], stratum=["n"] * 4).got == "1 PSU"


@pytest.mark.parametrize(
    ("fpc", "what"),
    [
        ([1, 1, 9, 9], "over 1 in strata n"),
        ([0.5, 0.5, 0, 0], "zero or negative in 2 rows (3, 4)"),
        ([5, 6, 9, 9], "two values in one stratum"),
        ([0.5, 0.5, 9, 9], "counts in some strata"),
    ],
)
def test_a_wrong_population_of_psus_is_refused(fpc: list[float], what: str) -> None:
    error = refused(fpc=fpc)
    assert error.where == "survey XX: column towns"
    assert what in str(error)


def test_counts_and_fractions_of_a_population_say_the_same() -> None:
    columns: dict[str, Any] = {"weights": [1, 1, 1, 1], "stratum": [1, 1, 2, 2]}
    counts = Design.from_columns(**columns, fpc=[4, 4, 8, 8])
    fractions = Design.from_columns(**columns, fpc=[0.5, 0.5, 0.25, 0.25])
    assert counts.sampling_fraction is not None
    np.testing.assert_array_equal(counts.sampling_fraction, fractions.sampling_fraction)


def test_an_outcome_outside_of_zero_and_one_is_no_proportion() -> None:
    design = Design.from_columns([1, 1, 1])
    cells = Cells.from_groupings([(pd.DataFrame({"area": ["XX"]}), [0, 0, 0])])
    with pytest.raises(DataError, match="row 2: expected a number between 0 and 1"):
        proportion(design, cells, [0, 2, 1])
    with pytest.raises(DataError, match="row 3"):
        proportion(design, cells, [0, 1, np.inf])


def test_cells_refuse_codes_without_keys() -> None:
    with pytest.raises(ValueError, match=r"codes 0\.\.3 of 1 cells"):
        Cells.from_groupings([(pd.DataFrame({"area": ["XX"]}), [0, 3])])


def test_a_cell_of_weight_zero_is_no_number() -> None:
    design = Design.from_columns([1, 1, 1, 0, 0], psu=[1, 2, 3, 4, 5])
    cells = Cells.from_labels(area=["a", "a", "a", "b", "b"])
    found = proportion(design, cells, [1, 0, 1, 1, 0])
    assert np.isnan(found.value[2])
    assert np.isnan(found.se[2])
    assert (found.n[2], found.df[2], found.weight_sum[2]) == (0, 0, 0.0)


# --- stages -----------------------------------------------------------------------------------


def two_stages(**columns: Any) -> Design:
    good: dict[str, Any] = {
        "psu": [1, 1, 2, 2, 3, 3, 4, 4],
        "stratum": list("nnnnssss"),
        "fpc": [2, 2, 2, 2, 8, 8, 8, 8],
        "stages": [StageColumns([1, 2, 1, 2, 1, 2, 1, 2], fpc=[4, 4, 6, 6, 2, 2, 8, 8])],
    }
    return Design.from_columns(None, **(good | columns))


def test_weights_follow_from_the_counts_of_every_stage() -> None:
    np.testing.assert_allclose(two_stages().weights, [2, 2, 3, 3, 4, 4, 16, 16])
    with pytest.raises(DesignError, match="the population count of every stage"):
        two_stages(stages=[StageColumns([1, 2, 1, 2, 1, 2, 1, 2])])


def test_a_stratum_taken_whole_varies_at_the_second_stage_alone() -> None:
    """Cochran (1977), 10.4: N^2 (1 - f1) s1^2 / n + N / n sum M^2 (1 - f2) s2^2 / m."""
    design = two_stages()
    y = np.array([1.0, 3.0, 2.0, 6.0, 1.0, 2.0, 4.0, 8.0])
    found = total(design, Cells.from_labels(stratum=design.stratum_of_psu[design.psu]), y)
    north = 4**2 * (1 - 0.5) * 2.0 / 2 + 6**2 * (1 - 2 / 6) * 8.0 / 2
    between = 8**2 * (1 - 0.25) * np.var([2 * 1.5, 8 * 6.0], ddof=1) / 2
    south = between + 8 / 2 * (0 + 8**2 * (1 - 0.25) * 8.0 / 2)
    np.testing.assert_allclose(found.variance[1:], [north, south])
    assert found.covariance[1, 2] == pytest.approx(0.0, abs=1e-9)
    assert list(found.df) == [2, 1, 1]


def test_later_stages_add_nothing_without_a_population_of_psus() -> None:
    stages = [StageColumns([1, 2, 1, 2], fpc=[4, 4, 6, 6])]
    once = Design.from_columns([1, 1, 1, 1], psu=[1, 1, 2, 2])
    twice = Design.from_columns([1, 1, 1, 1], psu=[1, 1, 2, 2], stages=stages)
    cells, y = Cells.from_labels(sex=list("fmfm")), [1.0, 2.0, 4.0, 0.0]
    np.testing.assert_array_equal(total(once, cells, y).se, total(twice, cells, y).se)


def test_a_certain_psu_is_not_lonely_and_its_units_must_not_be() -> None:
    lone = {
        "psu": [1, 1, 2, 2, 3, 3],
        "stratum": list("nnssss"),
        "fpc": [1, 1, 4, 4, 4, 4],
    }
    sampled = StageColumns([1, 2, 1, 2, 1, 2], fpc=[5, 5, 2, 2, 2, 2])
    design = Design.from_columns(np.ones(6), **lone, stages=[sampled])
    found = total(design, Cells.from_labels(psu=lone["psu"]), [1.0, 3.0, 0, 0, 0, 0])
    assert found.deviations[:, 1] @ found.deviations[:, 1] == pytest.approx((1 - 2 / 5) * 2 * 2)
    single = StageColumns([1, 1, 1, 2, 1, 2], fpc=[5, 5, 2, 2, 2, 2])
    with pytest.raises(DesignError, match="got '1 units of the stage above with a single"):
        Design.from_columns(np.ones(6), **lone, stages=[single])


def test_a_second_stage_larger_than_its_population_is_refused() -> None:
    with pytest.raises(DesignError, match="over 1 in strata within unit 1 of stage 1"):
        two_stages(stages=[StageColumns([1, 2, 1, 2, 1, 2, 1, 2], fpc=[1.5, 1.5] + [9] * 6)])


# --- lonely PSUs ------------------------------------------------------------------------------


def test_collapsed_strata_are_one_stratum() -> None:
    columns: dict[str, Any] = {"weights": [1, 2, 1, 2, 3], "psu": [1, 2, 3, 4, 5]}
    by_order = Design.from_columns(**columns, stratum=list("aabcc"), lonely=Lonely.COLLAPSE)
    by_hand = Design.from_columns(**columns, stratum=list("aaccc"))
    declared = Design.from_columns(
        **columns, stratum=list("aabcc"), lonely=Lonely.COLLAPSE, collapse={"b": "a"}
    )
    cells, y = Cells.from_labels(sex=list("fmfmf")), [1.0, 2.0, 4.0, 0.0, 7.0]
    np.testing.assert_allclose(total(by_order, cells, y).se, total(by_hand, cells, y).se)
    assert by_order.strata == ("a", "b+c")
    assert declared.strata == ("a+b", "c")
    last = Design.from_columns(**columns, stratum=list("aabbc"), lonely=Lonely.COLLAPSE)
    assert last.strata == ("a+c", "b")


def test_strata_of_one_psu_each_collapse_in_pairs() -> None:
    design = Design.from_columns(np.ones(5), stratum=list("abcde"), lonely=Lonely.COLLAPSE)
    assert design.strata == ("a+b", "c+d+e")
    assert design.df == 3


def test_collapsed_strata_have_the_population_of_both() -> None:
    design = Design.from_columns(
        np.ones(4),
        stratum=list("aabb"),
        fpc=[4, 4, 10, 10],
        lonely=Lonely.COLLAPSE,
        collapse={"a": "b"},
    )
    assert design.sampling_fraction == pytest.approx([4 / 14])


def test_a_partner_that_is_no_stratum_is_refused() -> None:
    columns: dict[str, Any] = {"weights": [1, 1, 1], "stratum": list("aab")}
    with pytest.raises(DesignError, match="collapse: expected a stratum: a, b, got 'z'"):
        Design.from_columns(**columns, lonely=Lonely.COLLAPSE, collapse={"b": "z"})
    with pytest.raises(DesignError, match="lonely: collapse"):
        Design.from_columns(**columns, lonely=Lonely.REMOVE, collapse={"b": "a"})


# --- replicate weights ------------------------------------------------------------------------

PAIRS = Design.from_columns(np.ones(4), stratum=[1, 1, 2, 2])
HALVES = [[2, 0, 2, 0], [0, 2, 0, 2], [2, 0, 0, 2], [0, 2, 2, 0]]


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ([[2, 0], [0, 2]], r"a table of shape \(2, 2\)"),
        ([[1], [1], [1], [1]], r"shape \(4, 1\)"),
        ([[2, 0], [0, 2], [2, np.nan], [0, 2]], r"missing in 1 row \(3\)"),
        ([[2, 0], [0, -2], [2, 0], [0, 2]], r"negative in 1 row \(2\)"),
        ([[2, 0], [0, np.inf], [2, 0], [0, 2]], r"infinite in 1 row \(2\)"),
        ([[2, 0], [1, 0], [2, 0], [1, 0]], "0 in every row of replicates 2"),
        ([["a", 0], [1, 0], [2, 0], [1, 0]], "could not convert"),
    ],
)
def test_wrong_replicate_weights_are_refused(weights: Any, what: str) -> None:
    with pytest.raises(DesignError, match=what):
        replication.from_weights(PAIRS, weights, Method.BRR, combined=False)


def test_a_table_on_its_side_is_told_so() -> None:
    with pytest.raises(DesignError, match="transpose it"):
        replication.from_weights(PAIRS, np.ones((3, 4)), Method.BRR)


def test_factors_are_not_weights() -> None:
    design = Design.from_columns(np.full(4, 100.0))
    with pytest.raises(DesignError, match=r"expected factors: .* declared as combined"):
        replication.from_weights(design, HALVES, Method.BRR)
    with pytest.raises(DesignError, match=r"expected combined weights: .* declared as factors"):
        replication.from_weights(design, 100 * np.array(HALVES), Method.BRR, combined=False)


def test_scales_that_do_not_fit_the_method_are_refused() -> None:
    def read(method: Method, **options: Any) -> Design:
        return replication.from_weights(PAIRS, HALVES, method, combined=False, **options)

    for method, options, what in (
        (Method.FAY, {}, "rho"),
        (Method.FAY, {"rho": 1.0}, "below 1"),
        (Method.BRR, {"rho": 0.3}, "for no other"),
        (Method.JKN, {}, "rscales"),
        (Method.OTHER, {}, "a scale"),
        (Method.OTHER, {"scale": -1.0}, "a scale over 0"),
        (Method.OTHER, {"scale": 1.0, "rscales": [1, 1]}, "4 rscales"),
    ):
        with pytest.raises(DesignError, match=what):
            read(method, **options)
    zero = Design.from_columns([0.0, 1, 1, 1])
    with pytest.raises(DesignError, match="weight 0 in the sample but not in a replicate"):
        replication.from_weights(zero, HALVES, Method.BRR)


def test_factors_of_psus_need_the_psu_of_every_row() -> None:
    with pytest.raises(DesignError, match=r"another unit in 1 row \(4\)"):
        replication.from_factors(PAIRS, HALVES[:3], [0, 1, 2, 3], Method.BRR)
    with pytest.raises(DesignError, match="the units of 3 rows"):
        replication.from_factors(PAIRS, HALVES, [0, 1, 2], Method.BRR)


def test_replicates_that_a_design_cannot_have_are_refused() -> None:
    three = Design.from_columns(np.ones(5), stratum=list("aabbb"))
    with pytest.raises(DesignError, match="1 strata without two PSUs: b"):
        replicates.balanced(three)
    with pytest.raises(DesignError, match="use JKn"):
        replicates.jackknife_one(three)
    with pytest.raises(DesignError, match="rho"):
        replicates.balanced(PAIRS, rho=1.0)
    lonely = Design.from_columns(np.ones(3), stratum=list("aab"), lonely=Lonely.ADJUST)
    with pytest.raises(DesignError, match="1 strata with a single PSU and lonely: adjust"):
        replicates.bootstrap(lonely, 10, seed=1)
    with pytest.raises(DesignError, match="two replicates or more"):
        replicates.bootstrap(PAIRS, 1, seed=1)


class Clustered:
    """Eight strata of two PSUs, four rows each, two overlapping groups and some missing answers."""

    def __init__(self, fpc: bool = False) -> None:
        draw = np.random.default_rng(2)
        self.psu = np.repeat(np.arange(16), 4)
        self.y = draw.normal(10.0, 2.0, 64)
        self.y[[3, 17]] = np.nan
        self.held = draw.random((2, 64)) < 0.5
        self.design = Design.from_columns(
            draw.uniform(1, 3, 64),
            psu=self.psu,
            stratum=self.psu // 2,
            fpc=np.full(64, 5) if fpc else None,
        )
        self.cells = Cells.from_flags(migrant=self.held[0], disabled=self.held[1])


@pytest.mark.parametrize("fpc", [False, True])
def test_replicates_of_a_total_have_the_linearised_covariance(fpc: bool) -> None:
    """Half-samples without a finite population, and jackknife with one, by algebra."""
    sample = Clustered(fpc)
    exact = total(sample.design, sample.cells, sample.y)
    made = [replicates.jackknife(sample.design)]
    if not fpc:
        made += [replicates.balanced(sample.design), replicates.balanced(sample.design, rho=0.4)]
    for design in made:
        found = total(design, sample.cells, sample.y)
        np.testing.assert_allclose(found.covariance, exact.covariance)
        np.testing.assert_array_equal(found.df, exact.df)


def test_the_variance_of_a_systematic_sample_is_half_the_squared_steps() -> None:
    """Fay and Train (1995): neighbours, the last beside the first."""
    sample = Clustered()
    found = total(replicates.successive_difference(sample.design), sample.cells, sample.y)
    sums = total(sample.design, sample.cells, sample.y).influence
    steps = sums - np.roll(sums, 1, axis=0)
    np.testing.assert_allclose(found.covariance, steps.T @ steps / 2)


@pytest.mark.parametrize("fpc", [False, True])
def test_the_bootstrap_has_the_linearised_variance_on_average(fpc: bool) -> None:
    sample = Clustered(fpc)
    exact = total(sample.design, sample.cells, sample.y)
    found = total(replicates.bootstrap(sample.design, 20_000, seed=4), sample.cells, sample.y)
    np.testing.assert_allclose(found.se, exact.se, rtol=0.03)
    again = replicates.bootstrap(sample.design, 50, seed=4)
    same = replicates.bootstrap(sample.design, 50, seed=4)
    assert again.replicates is not None
    assert same.replicates is not None
    np.testing.assert_array_equal(again.replicates.factors, same.replicates.factors)


def test_matrix_products_are_the_estimates_with_each_replicates_weights() -> None:
    sample = Clustered()
    design = replicates.bootstrap(sample.design, 30, seed=1)
    for statistic in (mean, total):
        products = statistic(design, sample.cells, sample.y)
        anew = replication.reestimate(
            design, lambda one, of=statistic: of(one, sample.cells, sample.y)
        )
        np.testing.assert_allclose(products.replicated, anew.replicated)
        np.testing.assert_allclose(products.covariance, anew.covariance)
        rest = products.rest([1, 2], [0, 0])
        np.testing.assert_allclose(rest.se, anew.rest([1, 2], [0, 0]).se)
        other = statistic(design, Cells.from_flags(native=~sample.held[0]), sample.y)
        np.testing.assert_allclose(rest.se[0], other.se[1])
    gaps = gap.compare(mean(design, sample.cells, sample.y), [1], [2], Measure.DIFFERENCE)
    values = mean(design, sample.cells, sample.y).replicated
    assert values is not None
    apart = values[:, 1] - values[:, 2] - gaps.value[0]
    assert gaps.se[0] == pytest.approx(np.sqrt(np.mean(apart**2)))


def test_weights_that_differ_within_a_psu_are_kept_by_row() -> None:
    sample = Clustered()
    factors = np.random.default_rng(1).uniform(0.5, 1.5, (64, 12))
    design = replication.from_weights(sample.design, factors, Method.BOOTSTRAP, combined=False)
    found = mean(design, sample.cells, sample.y)
    values = np.array(
        [
            mean(Design.from_columns(sample.design.weights * one), sample.cells, sample.y).value
            for one in factors.T
        ]
    )
    np.testing.assert_allclose(found.replicated, values)
    np.testing.assert_array_equal(found.n_psu, mean(sample.design, sample.cells, sample.y).n_psu)


def test_an_estimated_threshold_is_estimated_again_in_every_replicate() -> None:
    sample = Clustered()
    design = replicates.jackknife(sample.design)
    anew = replication.reestimate(design, lambda one: poverty.rate(one, sample.cells, sample.y))
    line = replication.reestimate(
        design, lambda one: poverty.threshold(one, sample.cells, sample.y)
    )
    for found in (anew, line):
        assert found.replicated is not None
        assert np.isfinite(found.se).all()
        assert found.design is design
    with pytest.raises(ValueError, match="without replicate weights"):
        replication.reestimate(sample.design, lambda one: total(one, sample.cells, sample.y))


# --- overlapping groups, sparse sums ----------------------------------------------------------


def test_people_who_hold_two_groups_are_in_the_covariance_of_both() -> None:
    """Held by either + held by both = held by the one + held by the other, replicate or not."""
    sample = Clustered()
    one, other = sample.held
    cells = Cells.from_flags(one=one, other=other, either=one | other, both=one & other)
    for design in (sample.design, replicates.bootstrap(sample.design, 40, seed=3)):
        found = total(design, cells, sample.y)
        sums = np.array([0, 1, 1, -1, -1])
        assert sums @ found.value == pytest.approx(0.0, abs=1e-9)
        assert sums @ found.covariance @ sums == pytest.approx(0.0, abs=1e-6)
        assert found.n[1] + found.n[2] == found.n[3] + found.n[4]
    apart = total(sample.design, Cells.from_flags(one=one & ~other, other=~one & other), sample.y)
    found = total(sample.design, cells, sample.y)
    expected = sample_covariance(sample, one, other)
    assert found.covariance[1, 2] == pytest.approx(expected)
    assert found.covariance[1, 2] != pytest.approx(apart.covariance[1, 2])


def sample_covariance(sample: Clustered, one: np.ndarray, other: np.ndarray) -> float:
    """Two PSUs a stratum: the covariance is the sum of products of their differences."""
    weighted = np.nan_to_num(sample.design.weights * sample.y)
    a, b = (np.bincount(sample.psu, weighted * held).reshape(8, 2) for held in (one, other))
    return float((np.diff(a) * np.diff(b)).sum())


def test_sparse_sums_are_the_dense_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Clustered()
    area = np.arange(64) // 2
    cells = Cells.from_labels(area=area, more=area // 2)
    for statistic in (mean, total, poverty.rate):
        dense = statistic(sample.design, cells, sample.y)
        with monkeypatch.context() as patch:
            patch.setattr(table, "_DENSE", 0)
            patch.setattr(table, "_FILLED", 1.0)
            thin = statistic(sample.design, cells, sample.y)
        assert sparse.issparse(thin.sums.influence)
        np.testing.assert_allclose(thin.covariance, dense.covariance, atol=1e-12)
        np.testing.assert_allclose(thin.se, dense.se)
        np.testing.assert_array_equal(thin.joint_df, dense.joint_df)
        np.testing.assert_allclose(thin.influence, dense.influence, atol=1e-14)
        whole, part = [0, 0, 33, 33], [1, 33, 1, 2]
        for both in (thin, dense):
            assert both.stack(both).covariance.shape == (2 * len(cells), 2 * len(cells))
        np.testing.assert_allclose(
            thin.rest(part, whole).se, dense.rest(part, whole).se, atol=1e-12
        )
    replicated = replicates.jackknife(sample.design)
    dense = mean(replicated, cells, sample.y)
    monkeypatch.setattr(table, "_DENSE", 0)
    monkeypatch.setattr(table, "_FILLED", 1.0)
    np.testing.assert_allclose(mean(replicated, cells, sample.y).se, dense.se)


def test_three_stages_agree_with_r_survey() -> None:
    """svydesign with strata within PSUs and two PSUs taken with certainty: r/stages.R."""
    made = json.loads((Path(__file__).parent / "r" / "stages.json").read_text("utf-8"))
    sample = pd.DataFrame(made["sample"])
    cells = Cells.from_labels(sex=sample.sex)
    stages = [
        StageColumns(sample.houseid, stratum=sample.part, fpc=sample.houses),
        StageColumns(sample.person, fpc=sample.persons),
    ]
    for record in made["results"]:
        design = Design.from_columns(
            sample.w,
            psu=sample.psu,
            stratum=sample.stratum,
            fpc=sample.psus,
            stages=stages[: record["stages"] - 1],
        )
        found = {"mean": mean, "total": total}[record["statistic"]](design, cells, sample.y)
        at = found.keys.index[found.keys.group == record["domain"]][0]
        assert found.value[at] == pytest.approx(record["estimate"], rel=1e-10)
        assert found.se[at] == pytest.approx(record["se"], rel=1e-10), record


def test_finer_sums_and_merged_strata_keep_the_variance_of_every_stage() -> None:
    draw = np.random.default_rng(8)
    psu = np.repeat(np.arange(9), 8)
    stratum = np.array(["a", "a", "b", "b", "c", "d", "d", "d", "e"])[psu]
    columns: dict[str, Any] = {
        "weights": draw.uniform(1, 2, 72),
        "psu": psu,
        "stages": [StageColumns(np.arange(72) // 2, fpc=np.full(72, 7))],
    }
    y, cells = draw.normal(5, 1, 72), Cells.from_labels(sex=draw.integers(0, 2, 72))
    size = pd.Series(stratum).map({"a": 4, "b": 6, "c": 5, "d": 4, "e": 9}).to_numpy()
    by_order = Design.from_columns(**columns, stratum=stratum, fpc=size, lonely=Lonely.COLLAPSE)
    hand = pd.Series(stratum).map({"a": "a", "b": "b", "c": "d", "d": "d", "e": "a"})
    both = hand.map({"a": 13, "b": 6, "d": 9}).to_numpy()
    by_hand = Design.from_columns(**columns, stratum=hand, fpc=both)
    assert by_order.strata == ("a+e", "b", "c+d")
    expected = total(by_hand, cells, y)
    for design in (by_order, by_hand.by_row(), by_order.by_row()):
        found = total(design, cells, y)
        np.testing.assert_allclose(found.covariance, expected.covariance)
        np.testing.assert_array_equal(found.df, expected.df)
        np.testing.assert_array_equal(found.joint_df, expected.joint_df)
        assert found.union_df([[True, True, False]]) == expected.joint_df[0, 1]
    between = replicates.jackknife(by_order)
    assert between.df == 6
    first = Design.from_columns(columns["weights"], psu=psu, stratum=hand, fpc=both)
    np.testing.assert_allclose(total(between, cells, y).se, total(first, cells, y).se)
