"""Statistics are declared, not programmed: what a definition says is what is estimated."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sdmx_service import Project
from sdmx_service.build.evidence import evidence, intervals_of
from sdmx_service.build.levels import Ruling, levels, protected
from sdmx_service.build.nature import nature_of
from sdmx_service.build.scales import measured
from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.indicator import Indicator, Poverty, Statistic
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.review import Review
from sdmx_service.definitions.statistic import Deprivation
from sdmx_service.model import CiMethod
from sdmx_service.survey.estimator import ESTIMATORS, Tabulated
from sdmx_service.survey.sample import Sample, read_sample
from sdmx_service.survey.tabulation import tabulate

# Deprivations and R survey's figures of oracles/13_multidimensional, which counts households.
DEPRIVED = {
    "electricity": ("electricity != 'Yes'", Fraction(1, 6)),
    "water": ("water not in ['Piped into dwelling', 'Piped to yard/plot']", Fraction(1, 6)),
    "toilet": (
        "toilet not in ['Flush to piped sewer system', 'Flush to septic tank', "
        "'Flush to pit latrine', 'Flush to somewhere else']",
        Fraction(1, 6),
    ),
    "crowding": ("household_size > 3 * rooms", Fraction(1, 4)),
    "food": ("food_share > 0.5", Fraction(1, 4)),
}


@pytest.fixture(scope="module")
def austria(project: Project) -> Sample:
    return read_sample(project.surveys["AT_EUSILC"], project.root)


@pytest.fixture(scope="module")
def norway(project: Project) -> Sample:
    return read_sample(project.surveys["NO_ESS10"], project.root)


@pytest.fixture(scope="module")
def world_bank(project: Project) -> Sample:
    return read_sample(project.surveys["XA_WB2023"], project.root)


@pytest.fixture(scope="module")
def of_income(project: Project, austria: Sample) -> Callable[..., Tabulated]:
    """Return a function that estimates a statistic of Austrian incomes by area."""
    every = frozenset(b.dimension for b in austria.survey.breakdowns)
    plain = replace(project.indicators["POV_GINI"], without=every)

    def estimated(statistic: Statistic, **parameters: float) -> Tabulated:
        return tabulate(austria, replace(plain, statistic=statistic, parameters=parameters))

    return estimated


def test_every_statistic_has_an_estimator_and_a_place_in_the_schemas(repository: Path) -> None:
    names = [statistic.value for statistic in Statistic]
    assert {statistic.value for statistic in ESTIMATORS} == set(names)
    folder = repository / "dsd/schemas"
    indicator = json.loads((folder / "indicator.schema.json").read_text(encoding="utf-8"))
    assert indicator["properties"]["statistic"]["enum"] == names
    policy = json.loads((folder / "reliability.schema.json").read_text(encoding="utf-8"))
    assert policy["properties"]["applies_to"]["items"]["enum"] == names


def test_every_interval_method_is_a_code(project: Project) -> None:
    codes = set(project.structures.codelist("CL_CI_METHOD").by_id)
    assert {method.value for method in CiMethod} - {"NONE"} == codes


def test_the_poverty_gap_of_power_nought_is_the_rate(of_income: Callable[..., Tabulated]) -> None:
    rate = of_income(Statistic.POVERTY_RATE, share_of_median=0.6).estimates
    gap = of_income(Statistic.POVERTY_GAP, share_of_median=0.6, power=0.0).estimates
    np.testing.assert_allclose(gap.value, rate.value, rtol=1e-12)
    np.testing.assert_allclose(gap.se, rate.se, rtol=1e-12)
    severe = of_income(Statistic.POVERTY_GAP, share_of_median=0.6, power=2.0).estimates
    assert (severe.value < rate.value).all()


def test_a_ratio_of_quantiles_is_that_of_the_quantiles(of_income: Callable[..., Tabulated]) -> None:
    both = of_income(Statistic.QUANTILE_RATIO, upper=0.8, lower=0.2)
    above = of_income(Statistic.QUANTILE, p=0.8).estimates.value
    below = of_income(Statistic.QUANTILE, p=0.2).estimates.value
    np.testing.assert_allclose(both.estimates.value, above / below, rtol=1e-12)


def test_entropy_of_two_is_half_the_squared_coefficient_of_variation(
    austria: Sample, of_income: Callable[..., Tabulated]
) -> None:
    income = austria.frame["eq_income"].to_numpy()
    weights = austria.design.weights
    mean = np.average(income, weights=weights)
    spread = np.average((income - mean) ** 2, weights=weights)
    universe = of_income(Statistic.ENTROPY, alpha=2.0).estimates
    assert universe.value[0] == pytest.approx(spread / mean**2 / 2, rel=1e-12)


@pytest.mark.parametrize("statistic", [Statistic.QUANTILE_RATIO, Statistic.SHARE_RATIO])
def test_ratios_of_shares_have_intervals_of_the_logarithm(
    project: Project, of_income: Callable[..., Tabulated], statistic: Statistic
) -> None:
    given = {"upper": 0.9, "lower": 0.1, "bottom": 0.2, "top": 0.2}
    indicator = replace(project.indicators["POV_GINI"], statistic=statistic)
    found = of_income(statistic, **given)
    bounds = intervals_of(found, indicator)
    assert set(bounds.method) == {CiMethod.LOG_T}
    # as far above as below, on the scale of the logarithm
    np.testing.assert_allclose(bounds.upper * bounds.lower, found.estimates.value**2, rtol=1e-12)
    assert nature_of(indicator).measures == ()


def test_a_quantile_keeps_woodruffs_bounds_cell_by_cell(project: Project, austria: Sample) -> None:
    indicator = project.indicators["POV_MEDINC"]
    found = tabulate(austria, indicator)
    bounds = intervals_of(found, indicator)
    assert len(bounds.lower) == len(found.estimates)
    known = bounds.method == CiMethod.WOODRUFF
    assert known.sum() > 100
    value = found.estimates.value
    assert ((bounds.lower <= value) & (value <= bounds.upper))[known].all()


def test_only_the_poor_are_behind_their_median_gap(project: Project, austria: Sample) -> None:
    rate, gap = (project.indicators[id] for id in ("POV_ARPT60", "POV_GAP"))
    poor = tabulate(austria, rate).estimates.events
    facts = evidence(tabulate(austria, gap).estimates, gap)
    np.testing.assert_array_equal(facts["n"], poor)
    assert facts["events"].null_count() == len(facts)


def test_a_ratio_is_judged_by_the_effective_samples_of_both_its_sides(
    project: Project, world_bank: Sample
) -> None:
    """NCHS 2(200): sample over design effect; width of exp(log r -/+ t(n_eff - 1) se / r)."""
    here = replace(
        project.indicators["HOU_ELEC"],
        statistic=Statistic.RATIO,
        numerator=Expression("activity == 'UNEMP'", "here"),
        denominator=Expression("activity != 'INACTIVE'", "here"),
        universe=None,
    )
    estimates = tabulate(world_bank, here).estimates.take([0])
    facts = evidence(estimates, here).row(0, named=True)
    counted, effect = estimates.events[0], estimates.deff_wr[0]
    assert (facts["n_num"], facts["n"]) == (counted, estimates.n[0])
    assert facts["n_eff_num"] == pytest.approx(counted / effect, rel=1e-12)
    assert facts["n_eff_den"] == pytest.approx(estimates.n[0] / effect, rel=1e-12)
    t = stats.t.ppf(0.975, counted / effect - 1)
    width = 2 * np.sinh(t * estimates.se[0] / estimates.value[0])
    assert facts["rel_width"] == pytest.approx(width, rel=1e-9)
    assert facts["events"] is None
    assert facts["width"] is None


def _as_the_oracle(indicator: Indicator, measure: Poverty) -> Indicator:
    deprivations = tuple(
        Deprivation(name, Expression(condition, "here"), weight)
        for name, (condition, weight) in DEPRIVED.items()
    )
    return replace(indicator, deprivations=deprivations, measure=measure)


@pytest.mark.oracle
@pytest.mark.parametrize("measure", list(Poverty))
def test_declared_deprivations_make_the_figures_of_r_survey(
    shared: Path, project: Project, world_bank: Sample, measure: Poverty
) -> None:
    """Households weighted by their size are the people in them."""
    suite: Any = json.loads(
        (shared / "oracles/13_multidimensional/expected.json").read_text(encoding="utf-8")
    )
    [wanted] = [
        record
        for record in suite["results"]
        if (record["measure"], record["domain"]) == (measure.value, "_T") and record["k"] < 0.4
    ]
    indicator = _as_the_oracle(project.indicators["HOU_DEPR"], measure)
    found = tabulate(world_bank, indicator).estimates
    assert found.value[0] == pytest.approx(wanted["estimate"], rel=1e-8)
    assert found.se[0] == pytest.approx(wanted["se"], rel=1e-8)


def test_headcount_times_intensity_is_the_adjusted_headcount(
    project: Project, world_bank: Sample
) -> None:
    declared = project.indicators["HOU_DEPR"]
    h, a, m0 = (
        tabulate(world_bank, replace(declared, measure=measure)).estimates.value
        for measure in Poverty
    )
    some = h > 0
    np.testing.assert_allclose((h * a)[some], m0[some], rtol=1e-12)


def test_the_index_of_a_person_needs_two_items(project: Project, norway: Sample) -> None:
    answers = norway.frame.select(
        "immigrants_life", "immigrants_culture", "immigrants_economy"
    ).to_numpy()
    enough = np.isfinite(answers.astype(float)).sum(axis=1) >= 2
    index = np.nanmean(answers[enough].astype(float), axis=1)
    found = tabulate(norway, project.indicators["CAP_IMMIGIDX"]).estimates
    assert found.n[0] == enough.sum()
    expected = np.average(index, weights=norway.design.weights[enough])
    assert found.value[0] == pytest.approx(expected, rel=1e-12)


def test_alpha_is_that_of_the_weighted_covariance(project: Project, norway: Sample) -> None:
    """Cronbach 1951: p / (p - 1) (1 - sum of the items' variances / variance of their sum)."""
    names = ["immigrants_life", "immigrants_culture", "immigrants_economy"]
    answers = norway.frame.select(names).to_numpy().astype(float)
    full = np.isfinite(answers).all(axis=1)
    joint = np.cov(answers[full].T, aweights=norway.design.weights[full])
    found = measured(norway, project.scales["NO_IMMIG"])
    expected = 1.5 * (1 - np.trace(joint) / joint.sum())
    assert found.alpha.value[0] == pytest.approx(expected, rel=1e-12)
    # the product of two loadings on one factor of three items is their correlation
    loading = found.loadings[0]
    spread = np.sqrt(np.diag(joint))
    assert loading[0] * loading[1] == pytest.approx(joint[0, 1] / spread[0] / spread[1], rel=1e-4)


@pytest.mark.parametrize(
    ("withhold", "flag", "allowed"),
    [
        (0.60, 0.70, Outcome.PRESENT),
        (0.60, 0.90, Outcome.FLAG),
        (0.85, 0.90, Outcome.SUPPRESS),
    ],
)
def test_the_alpha_of_the_nation_decides_for_the_index_everywhere(
    project: Project, norway: Sample, withhold: float, flag: float, allowed: Outcome
) -> None:
    indicator = project.indicators["CAP_IMMIGIDX"]
    declared = replace(project.scales["NO_IMMIG"], withhold_below=withhold, flag_below=flag)
    scale = measured(norway, declared)
    assert scale.index is allowed
    estimates = tabulate(norway, indicator).estimates
    decisions = protected(project, estimates, indicator, Ruling(alpha=scale.index))
    outcomes = set(decisions.outcome)
    if allowed is Outcome.SUPPRESS:
        assert not decisions.published.any()
    else:
        assert ("present" in outcomes) is (allowed is Outcome.PRESENT)
        assert "flag" in outcomes


def test_a_cell_under_review_is_published_once_it_is_signed_and_not_before(
    project: Project, world_bank: Sample
) -> None:
    indicator = project.indicators["HOU_ELEC"]
    found = tabulate(world_bank, indicator)
    before = protected(project, found.estimates, indicator)
    waiting = np.flatnonzero(before.outcome.to_numpy() == "review")
    cell = int(waiting[np.argmax(found.estimates.n[waiting])])
    key = {name: str(code) for name, code in found.estimates.keys.iloc[cell].items()}
    review = Review(
        indicator.id,
        world_bank.survey.provenance,
        key,
        True,
        "A person",
        "2026-11-22",
        "Seen.",
        "r",
    )
    after = protected(project, found.estimates, indicator, Ruling((review,)))
    assert not before.published[cell]
    assert after.published[cell]
    assert np.array_equal(np.delete(before.published, cell), np.delete(after.published, cell))
    table = levels(project, world_bank.survey, indicator, found, after)
    mine = table.filter(*((table[name] == code) for name, code in key.items()))
    assert mine["RELIABILITY"].to_list() == ["PRESENT"]
    assert mine["OBS_VALUE"].to_list() == [found.estimates.value[cell] * 100]


def test_a_note_of_the_policy_stands_beside_the_value(
    project: Project, world_bank: Sample, repository: Path
) -> None:
    nchs = replace(
        project.reliability[0],
        notes=(_unreliable_complement(repository),),
    )
    strict = replace(project, reliability=(nchs,))
    indicator = project.indicators["HOU_ELEC"]
    found = tabulate(world_bank, indicator)
    decisions = protected(strict, found.estimates, indicator)
    table = levels(strict, world_bank.survey, indicator, found, decisions)
    noted = table.filter(table["COMMENT_OBS"].str.contains("The share of all others"))
    assert noted.height
    assert (noted["OBS_VALUE"] > 50).all()
    assert noted["COMMENT_OBS"].str.starts_with("Synthetic data").all()


def _unreliable_complement(repository: Path) -> Any:
    from sdmx_service.definitions.policy import reliability_of
    from sdmx_service.definitions.yaml_file import read_yaml

    path = repository / "dsd/policies/reliability/nchs-proportions-2017.yaml"
    [note] = reliability_of(read_yaml(path)).notes
    return note
