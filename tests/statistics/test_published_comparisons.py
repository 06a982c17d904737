"""Declared comparisons are published as R has them, keep their laws, and give no cell away."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sdmx_service import Project, Release, open_release
from sdmx_service.build.adjusted import fitted
from sdmx_service.build.comparisons import comparisons
from sdmx_service.build.findings import NUMBERS
from sdmx_service.build.gaps import gaps
from sdmx_service.build.levels import Judged, withheld_too
from sdmx_service.definitions.comparison import (
    Adjusted,
    Attributable,
    Comparison,
    Contrast,
    Crossed,
    Decomposed,
    Family,
    Gain,
    Model,
    Spread,
    Summary,
    Yardstick,
)
from sdmx_service.definitions.policy import Outcome
from sdmx_service.model import CiMethod
from sdmx_service.protect.reliability import OUTCOMES
from sdmx_service.survey import disparity
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.disparity import Disparity
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample, read_sample
from sdmx_service.survey.subgroups import Reading
from sdmx_service.survey.tabulation import estimates_of, outcomes

EXPECTED: Any = json.loads(
    (Path(__file__).parent / "r" / "comparisons.json").read_text(encoding="utf-8")
)
# Numerical derivatives in R: the worst is 5e-10.
TOLERANCE = 1e-8
BREAKDOWNS = [
    *("SEX", "AGE", "URBANISATION", "INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION"),
    *("DISABILITY_STATUS", "MIGRATION_STATUS", "CIVIL_STATUS", "HH_COMPOSITION", "POP_GROUP"),
]
SIDES = ("EST_COMP", "EST_REF", "COV_COMP_REF", "N_COMP", "N_REF")


@pytest.fixture(scope="module")
def samples(project: Project) -> dict[str, Sample]:
    return {name: read_sample(s, project.root) for name, s in project.surveys.items()}


def everything(estimates: Estimates) -> Judged:
    """Return decisions that withhold nothing."""
    size = len(estimates)
    return Judged(
        pl.Series([Outcome.PRESENT.value] * size, dtype=OUTCOMES),
        pl.Series([None] * size, dtype=pl.String),
    )


@pytest.fixture(scope="module")
def made(project: Project, samples: dict[str, Sample]) -> Callable[..., pd.DataFrame]:
    """Return a function that makes the figures of declared comparisons, without a release."""
    known: dict[tuple[str, str], Estimates] = {}

    def figures(
        survey: str,
        indicator: str,
        *declared: Comparison,
        withheld: Callable[[pd.DataFrame], Any] | None = None,
    ) -> pd.DataFrame:
        plain = project.indicators[indicator]
        if (survey, indicator) not in known:
            known[survey, indicator] = estimates_of(samples[survey], plain)
        estimates = known[survey, indicator]
        decisions = everything(estimates)
        if withheld is not None:
            decisions = withheld_too(decisions, np.asarray(withheld(estimates.keys)))
        asked = replace(plain, comparisons=declared) if declared else plain
        parts = comparisons(project, samples[survey], asked, estimates, decisions)
        return pl.concat(parts, how="vertical_relaxed").to_pandas()

    return figures


FIFTHS = ("INCOME_WEALTH_QUANTILE", frozenset[str](), "here")


def spread(*measures: Summary) -> Spread:
    return Spread(*FIFTHS, ordered=True, fit=Model.LOGIT, measures=measures)


def test_declared_comparisons_are_those_of_r_survey(made: Callable[..., pd.DataFrame]) -> None:
    """survey 4.1-1, svytotal, svyglm and numerical derivatives: tests/statistics/r/comparisons.R"""
    keys = pd.DataFrame([row["key"] for row in EXPECTED["rows"]])
    keys = keys.fillna({"SEX": "_T", "ADJUSTMENT": "UNADJ"})
    numbers = pd.DataFrame([row["numbers"] for row in EXPECTED["rows"]])
    surveys = {"AT": "AT_EUSILC", "NO": "NO_ESS10", "XA": "XA_WB2023"}
    pairs = keys[["REF_AREA", "INDICATOR"]].drop_duplicates().itertuples(index=False, name=None)
    found = pd.concat([made(surveys[area], indicator) for area, indicator in pairs])
    joined = keys.merge(found, how="left", on=list(keys), validate="one_to_one")
    assert joined["OBS_VALUE"].notna().all()
    errors = {}
    for name in numbers:
        r, ours = numbers[name].to_numpy(float), joined[name].to_numpy(float)
        told = np.isfinite(r) & np.isfinite(ours)
        size = np.abs(r)
        if name in ("OBS_VALUE", "LOWER_BOUND", "UPPER_BOUND"):
            size = np.maximum(size, numbers["STD_ERR"].to_numpy(float))
        if name == "COV_COMP_REF":
            size = np.maximum(size, numbers["STD_ERR"].to_numpy(float) ** 2)
        told &= size > 1e-250
        errors[name] = float((np.abs(ours - r)[told] / size[told]).max())
        # Where R has a number and we have none, it must be one that we do not publish.
        beyond = np.isfinite(r) & ~np.isfinite(ours)
        assert not beyond.any() or name in (*SIDES, "P_VALUE"), name
    assert {name: error for name, error in errors.items() if error > TOLERANCE} == {}
    assert set(keys["GAP_MEASURE"]) >= {"PAR", "PAF", "PAN", "SII", "RII", "BGV", "IA_DIFF"}
    adjustments = {"UNADJ", "ADJ_DEMO", "ADJ_FULL", "EXPLAINED", "UNEXPLAINED"}
    assert set(keys["ADJUSTMENT"]) == adjustments


def test_the_number_is_the_people_times_the_risk_and_the_fraction_its_share_of_the_whole(
    made: Callable[..., pd.DataFrame], samples: dict[str, Sample]
) -> None:
    """PAN = N (p - p_ref), PAF = (p - p_ref) / p."""
    found = made(
        "XA_WB2023", "HOU_WATER", Attributable(*FIFTHS, reference=None, measures=tuple(Gain))
    ).query("REF_AREA == 'XA'")
    of = found.set_index("GAP_MEASURE")["OBS_VALUE"]
    [whole], [best] = (set(found[name]) for name in ("EST_COMP", "EST_REF"))
    people = samples["XA_WB2023"].design.weights.sum()
    assert of["PAR"] == pytest.approx(whole - best, rel=1e-12)
    assert of["PAN"] == pytest.approx(people * (whole - best) / 100, rel=1e-12)
    assert of["PAF"] == pytest.approx(100 * (whole - best) / whole, rel=1e-12)
    assert set(found["COMPARISON_GROUP"]) == {"_T"}
    assert set(found["REFERENCE_GROUP"]) == {"QNT_Q5"}
    # Fewer have it than if all were as the best off: everyone is at a disadvantage.
    assert set(found["DISADV"]) == {"COMP"}


def test_everyone_means_everyone_in_a_group(
    made: Callable[..., pd.DataFrame], samples: dict[str, Sample]
) -> None:
    """Children have no activity: they are in no group, and in no sum of the groups."""
    declared = Attributable(
        "POP_GROUP", frozenset(), "here", reference="ACT_RETIRED", measures=(Gain.RISK,)
    )
    [row] = made("AT_EUSILC", "POV_ARPT60", declared).query("REF_AREA == 'AT'").to_dict("records")
    placed = samples["AT_EUSILC"].frame["POP_GROUP"].is_not_null().sum()
    assert row["N_COMP"] == placed < samples["AT_EUSILC"].frame.height
    assert row["REFERENCE_GROUP"] == "POP_ACT_RETIRED"


def test_summaries_are_those_of_the_engine_from_microdata(
    project: Project, made: Callable[..., pd.DataFrame], samples: dict[str, Sample]
) -> None:
    """``disparity.disparity`` on rows, held to healthequal, against the published cells."""
    sample = samples["XA_WB2023"]
    found = made("XA_WB2023", "HOU_SANIT", spread(*Summary)).query("REF_AREA == 'XA'")
    rows = found.set_index("GAP_MEASURE")
    assert set(rows.index) == {one.value for one in Summary}
    outcome = outcomes(sample, project.indicators["HOU_SANIT"])["numerator"]
    group = sample.frame["INCOME_WEALTH_QUANTILE"].to_numpy()
    nation = Cells.from_groupings([(pd.DataFrame({"area": ["XA"]}), np.zeros(len(group)))])
    plain = ("RII", "RCI", "EI", "WI", "TI", "MLD", "COV", "IDISU", "IDISW")
    factors = dict.fromkeys(plain, 1.0) | {"BGV": 1e4}
    for measure in Summary:
        reading = Reading(ordered=True, reference="Q5" if measure.from_reference else None)
        alone = disparity.disparity(
            sample.design, nation, outcome, group, Disparity(measure.value), reading
        )
        factor = factors.get(measure.value, 100.0)
        row = rows.loc[measure.value]
        assert row["OBS_VALUE"] == pytest.approx(factor * alone.value[0], rel=1e-9), measure
        assert row["STD_ERR"] == pytest.approx(factor * alone.se[0], rel=1e-8), measure
        assert row["REFERENCE_GROUP"] == ("QNT_Q5" if measure.from_reference else "_Z")


def test_an_interaction_is_the_difference_of_the_published_gaps(
    project: Project, made: Callable[..., pd.DataFrame], samples: dict[str, Sample]
) -> None:
    crossed = Crossed(
        "MIGRATION_STATUS",
        frozenset(),
        "here",
        within="SEX",
        measures=(Contrast.DIFFERENCE, Contrast.RATIO, Contrast.ODDS_RATIO, Contrast.EXCESS),
    )
    found = made("AT_EUSILC", "LAB_EMPDECL", crossed).query("REF_AREA == 'AT'")
    sample, indicator = samples["AT_EUSILC"], project.indicators["LAB_EMPDECL"]
    estimates = estimates_of(sample, indicator)
    plain = gaps(project, sample.survey, indicator, estimates, everything(estimates))
    assert plain is not None
    keys = ["COMPARISON_GROUP", "REFERENCE_GROUP", "SEX", "GAP_MEASURE"]
    values = (
        plain.to_pandas()
        .query("REF_AREA == 'AT' and BREAKDOWN == 'MIGRATION_STATUS' and SEX != '_T'")
        .set_index(keys)["OBS_VALUE"]
        .to_dict()
    )
    assert len(found) == 2 * 4
    for row in found.to_dict("records"):
        if row["GAP_MEASURE"] == "RERI":
            continue
        measure = row["GAP_MEASURE"].removeprefix("IA_")
        sides = (row["COMPARISON_GROUP"], row["REFERENCE_GROUP"])
        one, other = (values[*sides, sex, measure] for sex in "FM")
        expected = one - other if measure == "DIFF" else one / other
        assert row["OBS_VALUE"] == pytest.approx(expected, rel=1e-10)
        assert (row["EST_COMP"], row["EST_REF"]) == pytest.approx((one, other), rel=1e-10)
        assert (row["SEX"], row["DISADV"]) == ("F", "_Z")


def of_the_nation(keys: pd.DataFrame, **group: str) -> pd.Series:
    """Return where the cells of these groups, and of no others, are."""
    wanted = {name: group.get(name, "_T") for name in keys.columns if name != "REF_AREA"}
    return (keys[list(wanted)] == pd.Series(wanted)).all(axis=1) & (keys["REF_AREA"].str.len() == 2)


DECLARED: dict[str, tuple[str, str, Comparison]] = {
    "attributable": (
        "XA_WB2023",
        "HOU_SANIT",
        Attributable(*FIFTHS, reference=None, measures=tuple(Gain)),
    ),
    "disparity": ("XA_WB2023", "HOU_SANIT", spread(Summary.SLOPE_INDEX, Summary.THEIL)),
    "adjusted": (
        "XA_WB2023",
        "HOU_SANIT",
        Adjusted(*FIFTHS, adjust_for=("SEX",), model=Model.LOGIT, measures=(Contrast.DIFFERENCE,)),
    ),
    "decomposition": (
        "XA_WB2023",
        "HOU_SANIT",
        Decomposed(*FIFTHS, explained_by=("SEX",), yardstick=Yardstick.POOLED),
    ),
}


@pytest.mark.parametrize("yardstick", list(Yardstick))
def test_the_parts_of_a_gap_add_up_to_it(
    made: Callable[..., pd.DataFrame], yardstick: Yardstick
) -> None:
    survey, indicator, declared = DECLARED["decomposition"]
    assert isinstance(declared, Decomposed)
    found = made(survey, indicator, replace(declared, yardstick=yardstick))
    parts = found.pivot(index="COMPARISON_GROUP", columns="ADJUSTMENT", values="OBS_VALUE")
    sides = found[found["ADJUSTMENT"] == "EXPLAINED"].set_index("COMPARISON_GROUP")
    gap = sides["EST_COMP"] - sides["EST_REF"]
    assert len(parts) == 4
    np.testing.assert_allclose(parts.sum(axis=1), gap.loc[parts.index], rtol=1e-10)
    assert set(found["DISADV"]) == {"_Z"}


@pytest.mark.parametrize("kind", list(DECLARED))
def test_a_figure_is_withheld_with_any_of_its_groups(
    kind: str, made: Callable[..., pd.DataFrame]
) -> None:
    survey, indicator, declared = DECLARED[kind]
    open_ = made(survey, indicator, declared).query("REF_AREA == 'XA'")
    assert set(open_["RELIABILITY"]) == {"PRESENT"}
    held = made(
        survey,
        indicator,
        declared,
        withheld=lambda keys: of_the_nation(keys, INCOME_WEALTH_QUANTILE="Q3"),
    ).query("REF_AREA == 'XA'")
    assert held[["COMPARISON_GROUP", "GAP_MEASURE"]].to_numpy().tolist() == (
        open_[["COMPARISON_GROUP", "GAP_MEASURE"]].to_numpy().tolist()
    )
    assert set(held["RELIABILITY"]) == {"WITHHELD"}
    assert held[list(NUMBERS)].isna().all(axis=None)


@pytest.mark.parametrize("kind", ["adjusted", "decomposition"])
def test_a_gap_of_a_model_is_withheld_with_a_group_of_any_of_its_dimensions(
    made: Callable[..., pd.DataFrame], kind: str
) -> None:
    survey, indicator, declared = DECLARED[kind]
    held = made(survey, indicator, declared, withheld=lambda keys: of_the_nation(keys, SEX="F"))
    assert set(held["RELIABILITY"]) == {"WITHHELD"}
    assert held[list(NUMBERS)].isna().all(axis=None)


@pytest.mark.parametrize("kind", ["adjusted", "decomposition"])
def test_a_gap_of_a_model_does_not_tell_of_the_few_people_it_leaves_out(
    project: Project, samples: dict[str, Sample], kind: str
) -> None:
    """Model and groups side by side would say how many they are and what they have."""
    survey, name, declared = DECLARED[kind]
    indicator = replace(project.indicators[name], comparisons=(declared,))
    for lost, outcome in ((4, {"WITHHELD"}), (400, {"PRESENT"})):
        frame = samples[survey].frame.with_row_index("row")
        unknown = pl.when(pl.col("row") % (3246 // lost) == 0).then(None).otherwise(pl.col("SEX"))
        sample = replace(samples[survey], frame=frame.with_columns(unknown.alias("SEX")))
        estimates = estimates_of(sample, indicator)
        found = pl.concat(comparisons(project, sample, indicator, estimates, everything(estimates)))
        assert set(found["RELIABILITY"]) == outcome


def test_a_gap_of_a_model_does_not_tell_of_the_few_people_where_two_groups_meet(
    samples: dict[str, Sample], made: Callable[..., pd.DataFrame]
) -> None:
    """Of those in work age in XA six live alone and are under 25."""
    declared = Adjusted(
        "SEX",
        frozenset(),
        "here",
        adjust_for=("AGE", "HH_COMPOSITION"),
        model=Model.LOGIT,
        measures=(Contrast.DIFFERENCE,),
    )
    held = made("XA_WB2023", "LAB_EMPDECL", declared)
    assert set(held["RELIABILITY"]) == {"WITHHELD"}
    few = samples["XA_WB2023"].frame.filter(
        (pl.col("AGE") == "Y15T24") & (pl.col("HH_COMPOSITION") == "HH1")
    )
    assert few.height == 6
    open_ = made("XA_WB2023", "LAB_EMPDECL", replace(declared, adjust_for=("AGE",)))
    assert set(open_["RELIABILITY"]) == {"PRESENT"}


def test_a_gap_of_a_model_is_withheld_with_a_cell_where_its_groups_meet(
    made: Callable[..., pd.DataFrame],
) -> None:
    """Groups and model together would tell of the one cell of the crossing that is not told."""
    survey, indicator, _ = DECLARED["adjusted"]
    declared = Adjusted(
        "SEX",
        frozenset(),
        "here",
        adjust_for=("AGE",),
        model=Model.LOGIT,
        measures=(Contrast.DIFFERENCE,),
    )
    assert set(made(survey, indicator, declared)["RELIABILITY"]) == {"PRESENT"}
    held = made(
        survey,
        indicator,
        declared,
        withheld=lambda keys: of_the_nation(keys, SEX="F", AGE="Y_GE65"),
    )
    assert set(held["RELIABILITY"]) == {"WITHHELD"}


def test_a_figure_is_as_unreliable_as_the_least_reliable_of_its_groups(
    project: Project, samples: dict[str, Sample]
) -> None:
    survey, name, declared = DECLARED["disparity"]
    indicator = replace(project.indicators[name], comparisons=(declared,))
    estimates = estimates_of(samples[survey], indicator)
    one = of_the_nation(estimates.keys, INCOME_WEALTH_QUANTILE="Q2").to_numpy()
    outcome = [(Outcome.FLAG if flagged else Outcome.PRESENT).value for flagged in one]
    decisions = replace(everything(estimates), outcome=pl.Series(outcome, dtype=OUTCOMES))
    found = pl.concat(comparisons(project, samples[survey], indicator, estimates, decisions))
    flagged = found.filter(pl.col("RELIABILITY") == "FLAG")
    assert set(flagged["REF_AREA"]) == {"XA"}
    assert len(flagged) == 2


def test_intervals_of_a_family_hold_together(project: Project, samples: dict[str, Sample]) -> None:
    """The largest |t| of six differences, by R's mvtnorm: tests/statistics/r/comparisons.R"""
    sample, indicator = samples["AT_EUSILC"], project.indicators["POV_ARPT60"]
    estimates = estimates_of(sample, indicator)
    decisions = everything(estimates)
    asked = Family("POP_GROUP", frozenset(), "here")

    def made_of(*declared: Comparison) -> pd.DataFrame:
        with_it = replace(indicator, comparisons=declared)
        found = gaps(project, sample.survey, with_it, estimates, decisions)
        assert found is not None
        return found.to_pandas()

    alone, together = made_of(), made_of(asked)
    changed = together["CI_METHOD"] == "MAX_T"
    assert set(together.loc[changed, "BREAKDOWN"]) == {"POP_GROUP"}
    assert not together.loc[changed, "REFERENCE_GROUP"].str.endswith("REST").any()
    others = [c for c in alone if c not in ("LOWER_BOUND", "UPPER_BOUND", "CI_METHOD", "DISADV")]
    pd.testing.assert_frame_equal(alone[others], together[others])
    pd.testing.assert_frame_equal(alone[~changed], together[~changed])
    nation = together[changed].query("REF_AREA == 'AT' and GAP_MEASURE == 'DIFF'")
    width = (nation["UPPER_BOUND"] - nation["OBS_VALUE"]) / nation["STD_ERR"]
    np.testing.assert_allclose(width, EXPECTED["max_t"]["critical"], rtol=2e-3)
    ratios = together[changed].query("REF_AREA == 'AT' and GAP_MEASURE == 'OR'")
    plain = alone.loc[ratios.index]
    above = [np.log(one["UPPER_BOUND"] / one["OBS_VALUE"]) for one in (ratios, plain)]
    assert (above[0] > 1.2 * above[1]).all()


def test_every_measure_is_a_code_and_a_measure_of_the_engine(project: Project) -> None:
    codes = set(project.structures.codelist("CL_GAP_MEASURE").by_id)
    assert {one.value for one in (*Summary, *Gain)} <= codes
    assert {"IA_DIFF", "IA_RATIO", "IA_OR", "RERI"} <= codes
    made_elsewhere = {"D", "R", "PAR", "PAF"}  # gaps, and attributable
    assert {one.value for one in Disparity} == {one.value for one in Summary} | made_elsewhere
    for one in Summary:
        assert one.ordered == Disparity(one.value).ordered
    adjustments = set(project.structures.codelist("CL_ADJUSTMENT").by_id)
    assert {"ADJ_DEMO", "ADJ_FULL", "EXPLAINED", "UNEXPLAINED"} <= adjustments
    assert CiMethod.MAX_T.value in project.structures.codelist("CL_CI_METHOD").by_id


def test_the_average_over_people_leaves_the_reference_group_free_to_choose(
    project: Project, samples: dict[str, Sample]
) -> None:
    """A model's predictions are the same whichever group its coefficients are measured from."""
    survey, name, declared = DECLARED["adjusted"]
    assert isinstance(declared, Adjusted)
    sample = samples[survey]
    turned = tuple(
        replace(b, reference="Q1") if b.dimension == "INCOME_WEALTH_QUANTILE" else b
        for b in sample.survey.breakdowns
    )
    other = replace(sample, survey=replace(sample.survey, breakdowns=turned))
    _, first = fitted(sample, project.indicators[name], declared)
    _, second = fitted(other, project.indicators[name], declared)
    by_group = [
        dict(zip(m.keys["group"], zip(m.value, m.se, strict=True), strict=True))
        for m in (first, second)
    ]
    for group, numbers in by_group[0].items():
        assert by_group[1][group] == pytest.approx(numbers, rel=1e-9)


@pytest.mark.slow
def test_a_release_has_what_its_indicators_declare(published: Path, project: Project) -> None:
    release: Release = open_release(published)
    found = release.observations("DF_GAP")
    open_ = found[found["RELIABILITY"] != "WITHHELD"]
    for indicator in project.indicators.values():
        mine = open_[open_["INDICATOR"] == indicator.id]
        for declared in indicator.comparisons:
            rows = mine[mine["BREAKDOWN"] == declared.breakdown]
            if isinstance(declared, Adjusted):
                assert declared.adjustment in set(rows["ADJUSTMENT"])
                said = rows.loc[rows["ADJUSTMENT"] == declared.adjustment, "COMMENT_OBS"]
                assert said.str.contains("Adjusted for ").all()
            elif isinstance(declared, Decomposed):
                assert {"EXPLAINED", "UNEXPLAINED"} <= set(rows["ADJUSTMENT"])
            elif isinstance(declared, Attributable | Spread):
                assert {one.value for one in declared.measures} <= set(rows["GAP_MEASURE"])
            elif isinstance(declared, Crossed):
                assert "IA_DIFF" in set(rows["GAP_MEASURE"])
            else:
                assert "MAX_T" in set(rows["CI_METHOD"])


@pytest.mark.slow
def test_no_released_figure_has_a_withheld_group(published: Path) -> None:
    release: Release = open_release(published)
    found, levels = release.observations("DF_GAP"), release.observations("DF_ALL")
    several = found[(found["RELIABILITY"] != "WITHHELD") & (found["COMPARISON_GROUP"] == "_T")]
    hidden = levels[levels["RELIABILITY"] == "WITHHELD"]
    conditions = [c for c in levels if c in BREAKDOWNS]
    for breakdown, rows in several.groupby("BREAKDOWN"):
        others = [name for name in conditions if name != breakdown]
        parts = hidden[(hidden[breakdown] != "_T") & (hidden[others] == "_T").all(axis=1)]
        assert rows.merge(parts, on=["INDICATOR", "REF_AREA", "TIME_PERIOD"]).empty
    assert len(several)
