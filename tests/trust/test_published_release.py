"""Promises that every published release keeps, held against the release of this project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sdmx_service import Project, Release, open_release
from sdmx_service.build import waiting_reviews
from sdmx_service.build.gaps import NUMBERS as GAP_NUMBERS
from sdmx_service.build.levels import NUMBERS as LEVEL_NUMBERS
from sdmx_service.cube import typed
from sdmx_service.protect.disclosure import primary
from tests.statistics.test_surveys import PUBLISHED

pytestmark = pytest.mark.slow
DIMENSIONS = [
    *("SEX", "AGE", "URBANISATION", "INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION"),
    *("DISABILITY_STATUS", "MIGRATION_STATUS", "CIVIL_STATUS", "HH_COMPOSITION", "POP_GROUP"),
]


@pytest.fixture(scope="module")
def release(published: Path) -> Release:
    return open_release(published)


@pytest.fixture(scope="module")
def levels(release: Release) -> pd.DataFrame:
    return release.observations("DF_ALL")


@pytest.fixture(scope="module")
def gaps(release: Release) -> pd.DataFrame:
    return release.observations("DF_GAP")


@pytest.fixture(scope="module")
def plain(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps of two published sides, with nothing held equal."""
    two = gaps["GAP_MEASURE"].isin(["DIFF", "RATIO", "OR"])
    return gaps[two & (gaps["ADJUSTMENT"] == "UNADJ")]


def test_every_observation_is_valid_against_its_structure(release: Release) -> None:
    for name in ("DSD_INCL_IND", "DSD_INCL_GAP", "DSD_INCL_SCALE"):
        table = release.table(name)
        held = typed(table, release.structures.datastructure(name))
        assert held.frame.equals(table)
        assert held.order is None  # sorted by key already


def test_the_published_austrian_figures_are_in_the_release(levels: pd.DataFrame) -> None:
    alone = (levels[[d for d in DIMENSIONS if d != "SEX"]] == "_T").all(axis=1)
    rates = levels[alone & (levels["INDICATOR"] == "POV_ARPT60")].set_index(["REF_AREA", "SEX"])
    for key, value in PUBLISHED.items():
        assert round(rates["OBS_VALUE"][key], 5) == value


# A. Alfons, M. Templ, Journal of Statistical Software 54(15), 2013; Gini in percent.
OF_THE_NATION = {"POV_GAP": 18.92860, "POV_S80S20": 3.97000, "POV_GINI": 26.48962}


def test_the_published_austrian_spread_of_incomes_is_in_the_release(levels: pd.DataFrame) -> None:
    nation = levels[(levels["REF_AREA"] == "AT") & (levels[DIMENSIONS] == "_T").all(axis=1)]
    values = nation.set_index("INDICATOR")["OBS_VALUE"]
    assert {name: round(values[name], 5) for name in OF_THE_NATION} == OF_THE_NATION


def test_the_median_income_has_the_poverty_threshold_at_its_60_percent(
    levels: pd.DataFrame,
) -> None:
    """The published threshold is 10,859.24 euros."""
    nation = levels[(levels["REF_AREA"] == "AT") & (levels[DIMENSIONS] == "_T").all(axis=1)]
    median = nation.set_index("INDICATOR").loc["POV_MEDINC"]
    assert round(0.6 * median["OBS_VALUE"], 2) == 10859.24
    assert (median["CI_METHOD"], median["UNIT_MEASURE"]) == ("WOODRUFF", "EUR")


def test_spread_within_groups_is_broken_down_by_age_and_area_and_never_a_gap(
    levels: pd.DataFrame, gaps: pd.DataFrame
) -> None:
    for indicator in ("POV_S80S20", "POV_GINI"):
        mine = levels[levels["INDICATOR"] == indicator]
        assert set(mine["AGE"]) > {"_T"}
        assert (mine[[d for d in DIMENSIONS if d != "AGE"]] == "_T").all(axis=None)
        assert indicator not in set(gaps["INDICATOR"])


def test_a_median_is_not_compared_with_a_rest(gaps: pd.DataFrame) -> None:
    """The median of the rest does not follow from those of the whole and the part."""
    medians = gaps[gaps["INDICATOR"].isin(["POV_MEDINC", "POV_GAP"])]
    assert len(medians)
    assert not medians["REFERENCE_GROUP"].str.endswith("REST").any()


def test_an_index_is_published_as_the_alpha_of_the_nation_allows(
    release: Release, levels: pd.DataFrame
) -> None:
    scales = release.observations("DF_SCALE")
    whole = scales[scales["ITEM"] == "_T"].set_index(["REF_AREA", "STATISTIC"])["OBS_VALUE"]
    declared = release.definitions["scales"]["NO_IMMIG"]
    assert whole["NO", "ALPHA"] > declared["flag_below"] > declared["withhold_below"]
    index = levels[levels["INDICATOR"] == "CAP_IMMIGIDX"]
    assert set(index["REF_AREA"]) == set(scales["REF_AREA"])
    assert "PRESENT" in set(index["RELIABILITY"])


@pytest.mark.parametrize("flow", ["levels", "gaps"])
def test_a_withheld_observation_carries_no_number(
    flow: str, request: pytest.FixtureRequest
) -> None:
    frame: pd.DataFrame = request.getfixturevalue(flow)
    numbers = list(LEVEL_NUMBERS if flow == "levels" else GAP_NUMBERS)
    withheld = frame[frame["RELIABILITY"] == "WITHHELD"]
    assert len(withheld)
    assert withheld[numbers].isna().all(axis=None)
    assert set(withheld["OBS_STATUS"]) == {"Q"}
    assert set(withheld["CONF_STATUS"]) == {"C"}
    assert frame[frame["RELIABILITY"] != "WITHHELD"]["OBS_VALUE"].notna().all()


@pytest.mark.parametrize("flow", ["levels", "gaps"])
def test_a_value_lies_within_its_bounds(flow: str, request: pytest.FixtureRequest) -> None:
    frame: pd.DataFrame = request.getfixturevalue(flow)
    shown = frame[frame["RELIABILITY"] != "WITHHELD"]
    assert shown[["LOWER_BOUND", "UPPER_BOUND", "DEGREES_FREEDOM"]].notna().all(axis=None)
    assert (shown["LOWER_BOUND"] <= shown["OBS_VALUE"]).all()
    assert (shown["OBS_VALUE"] <= shown["UPPER_BOUND"]).all()
    assert (shown["DEGREES_FREEDOM"] >= 1).all()


def _sides(gaps: pd.DataFrame, release: Release, column: str) -> pd.DataFrame:
    """Return the key of the level that a side of each gap stands for; rests have none."""
    prefixes = {
        code.id: code.annotations["PREFIX"]
        for code in release.structures.codelist("CL_BREAKDOWN").codes
    }
    keys = gaps[["INDICATOR", "REF_AREA", "TIME_PERIOD", "SEX", "AGE", "URBANISATION"]].copy()
    for dimension in DIMENSIONS[3:]:
        keys[dimension] = "_T"
    for breakdown, prefix in prefixes.items():
        mine = gaps["BREAKDOWN"] == breakdown
        if breakdown != "REF_AREA" and mine.any():
            keys.loc[mine, breakdown] = gaps.loc[mine, column].str.removeprefix(prefix)
    national = gaps[column] == "AREA_NATIONAL"
    keys.loc[national, "REF_AREA"] = gaps.loc[national, "REF_AREA"].str[:2]
    return keys[~gaps[column].str.endswith("REST")]


@pytest.mark.parametrize(
    ("column", "estimate", "count"),
    [("COMPARISON_GROUP", "EST_COMP", "N_COMP"), ("REFERENCE_GROUP", "EST_REF", "N_REF")],
)
def test_no_gap_is_published_unless_both_its_sides_are(
    release: Release,
    levels: pd.DataFrame,
    plain: pd.DataFrame,
    column: str,
    estimate: str,
    count: str,
) -> None:
    shown = plain[plain["RELIABILITY"] != "WITHHELD"]
    sides = _sides(shown, release, column)
    joined = sides.merge(levels, on=list(sides.columns), how="left", validate="many_to_one")
    assert set(joined["RELIABILITY"]) <= {"PRESENT", "FLAG"}
    # The sides of a gap are the levels that are published, to the last digit.
    np.testing.assert_array_equal(joined["OBS_VALUE"], shown.loc[sides.index, estimate])
    np.testing.assert_array_equal(joined["UNWGTD_SAMPL_SIZE"], shown.loc[sides.index, count])


def test_a_gap_can_be_worked_out_again_from_what_is_published(
    release: Release, levels: pd.DataFrame, plain: pd.DataFrame
) -> None:
    """V(a - b) = V(a) + V(b) - 2 C(a, b): the reader has all three."""
    shown = plain[(plain["RELIABILITY"] != "WITHHELD") & (plain["GAP_MEASURE"] == "DIFF")]
    comparison = _sides(shown, release, "COMPARISON_GROUP")
    reference = _sides(shown, release, "REFERENCE_GROUP")
    both = reference.index
    errors = [
        keys.loc[both].merge(levels, on=list(keys.columns), how="left")["STD_ERR"].to_numpy()
        for keys in (comparison, reference)
    ]
    chosen = shown.loc[both]
    variance = errors[0] ** 2 + errors[1] ** 2 - 2 * chosen["COV_COMP_REF"].to_numpy()
    np.testing.assert_allclose(
        chosen["OBS_VALUE"], chosen["EST_COMP"] - chosen["EST_REF"], rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        chosen["STD_ERR"], np.sqrt(np.maximum(variance, 0)), rtol=1e-6, atol=1e-6
    )


def test_a_rest_is_never_published_where_a_part_of_its_whole_is_withheld(
    release: Release, levels: pd.DataFrame, gaps: pd.DataFrame
) -> None:
    rests = gaps[(gaps["RELIABILITY"] != "WITHHELD") & gaps["REFERENCE_GROUP"].str.endswith("REST")]
    hidden = levels[levels["RELIABILITY"] == "WITHHELD"]
    within = rests[rests["BREAKDOWN"] != "REF_AREA"]
    for breakdown, group in within.groupby("BREAKDOWN"):
        others = [d for d in DIMENSIONS if d != breakdown]
        parts = hidden[(hidden[breakdown] != "_T") & (hidden[others] == "_T").all(axis=1)]
        both = group.merge(parts, on=["INDICATOR", "REF_AREA", "TIME_PERIOD"])
        assert both.empty


@pytest.mark.parametrize("dimension", [*DIMENSIONS, "REF_AREA"])
def test_no_small_count_follows_from_a_total_less_its_open_parts(
    project: Project, release: Release, levels: pd.DataFrame, dimension: str
) -> None:
    """One subtraction along one margin: what is left over is nobody, or many, or of two groups."""
    frame = levels.assign(n=levels["UNWGTD_SAMPL_SIZE"], hidden=levels["OBS_VALUE"].isna())
    if dimension == "REF_AREA":
        areas = release.structures.codelist("CL_AREA").by_id
        parents = frame["REF_AREA"].map(lambda area: areas[area].parent)
        parts, total = frame.assign(REF_AREA=parents), frame
    else:
        parts = frame[frame[dimension] != "_T"].assign(**{dimension: "_T"})
        total = frame[frame[dimension] == "_T"]
    keys = ["INDICATOR", "REF_AREA", "TIME_PERIOD", *DIMENSIONS]
    sums = parts.groupby(keys)[["n", "hidden"]].sum().reset_index()
    joined = total[~total["hidden"]].merge(sums, on=keys, suffixes=("", "_parts"))
    derived = joined[joined["hidden_parts"] <= 1]
    left = (derived["n"] - derived["n_parts"]).to_numpy(dtype=float)
    facts = pl.DataFrame({"n": left, "events": pl.Series([None] * len(left), dtype=pl.Float64)})
    small = primary(facts, project.disclosure).to_numpy()
    assert not (small & (left > 0)).any()


def test_a_side_judged_with_caution_marks_the_gap(
    release: Release, levels: pd.DataFrame, plain: pd.DataFrame
) -> None:
    shown = plain[plain["RELIABILITY"] != "WITHHELD"]
    sides = _sides(shown, release, "COMPARISON_GROUP")
    joined = sides.merge(levels, on=list(sides.columns), how="left")
    flagged = (joined["RELIABILITY"] == "FLAG").to_numpy()
    assert set(shown.loc[sides.index, "RELIABILITY"][flagged]) == {"FLAG"}


def test_synthetic_data_are_labelled_in_every_observation(levels: pd.DataFrame) -> None:
    synthetic = levels["REF_AREA"].str[:2].isin(["AT", "XA"])
    assert levels.loc[synthetic, "COMMENT_OBS"].str.contains("Synthetic").all()
    assert levels.loc[~synthetic, "COMMENT_OBS"].isna().all()


def test_the_truth_annex_counts_what_its_cells_say(release: Release) -> None:
    annex = release.annex("truth_XA")
    cells = pd.DataFrame(annex["cells"])
    assert set(cells["level"]) == {"nation", "urban/rural", "region"}
    shown = cells[cells["published"]]
    inside = shown["truth"].between(shown["lower"], shown["upper"])
    assert (inside == shown["inside"]).all()
    assert cells.loc[~cells["published"], ["estimate", "lower", "upper"]].isna().all(axis=None)
    for row in annex["rows"]:
        mine = (cells["indicator"] == row["indicator"]) & (cells["level"] == row["level"])
        assert (row["cells"], row["held"]) == (mine.sum(), cells.loc[mine, "inside"].sum())


def test_the_truth_is_that_of_the_population_file(release: Release) -> None:
    """Share of people with electricity, straight from the file of the households."""
    from importlib.util import find_spec

    svy = find_spec("svy")
    assert svy is not None
    assert svy.submodule_search_locations is not None
    folder = Path(svy.submodule_search_locations[0]) / "datasets/_bundled"
    homes = pd.read_parquet(folder / "hld_pop_wb_2023.parquet")
    lit = homes["electricity"] == "Yes"
    cells = pd.DataFrame(release.annex("truth_XA")["cells"]).query("indicator == 'HOU_ELEC'")
    for region, group in homes.groupby("geo1"):
        share = 100 * group.loc[lit, "hhsize"].sum() / group["hhsize"].sum()
        area = "XA-" + str(region)[-2:]
        found = cells.query("level == 'region'").set_index("REF_AREA")["truth"][area]
        assert found == pytest.approx(share, rel=1e-12)


def test_the_cells_that_wait_for_a_signature_are_listed_and_withheld(
    project: Project, levels: pd.DataFrame
) -> None:
    """The list of one survey, every cell of it, found in the release of all surveys."""
    name = "XA_WB2023"
    alone = replace(project, surveys={name: project.surveys[name]})
    waiting = waiting_reviews(alone).to_pandas()
    assert set(waiting["reason"]) == {"ZERO_EVENTS", "DF"}
    assert "HOU_ELEC" in set(waiting["indicator"])
    dimensions = ["REF_AREA", *DIMENSIONS]
    keys = [dict(part.split(": ") for part in key.split(", ")) for key in waiting["key"]]
    wanted = pd.DataFrame([dict.fromkeys(dimensions, "_T") | key for key in keys])
    assert set(wanted) == set(dimensions)
    wanted = wanted.assign(INDICATOR=waiting["indicator"], PROV_ID=waiting["data"])
    columns = [*dimensions, "INDICATOR", "PROV_ID"]
    cells = wanted.merge(levels.astype(dict.fromkeys(columns, str)), on=columns, how="left")
    assert len(cells) == len(waiting)
    assert set(cells["RELIABILITY"]) == {"WITHHELD"}
