"""Counts that a policy has rounded cannot be had back from anything beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdmx_service import Project, Release, build_release, open_release
from sdmx_service.survey.sample import read_sample
from sdmx_service.survey.tabulation import AREA, TOTAL, tabulate

pytestmark = pytest.mark.slow
BASE = 5
SURVEY = "AT_EUSILC"


@pytest.fixture(scope="module")
def root(project: Project, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy for people at risk, on one survey, published twice."""
    text = (repository / "dsd/publication.toml").read_text("utf-8")
    assert "fragile" not in text
    fragile = replace(
        project,
        surveys={SURVEY: project.surveys[SURVEY]},
        disclosure=_fragile(repository),
    )
    folder = tmp_path_factory.mktemp("rounded")
    first = build_release(fragile, folder)
    second = build_release(fragile, folder)
    assert (first.withheld, first.gaps_withheld) == (second.withheld, second.gaps_withheld)
    assert second.unprotected == 0
    return folder


def _fragile(repository: Path):  # type: ignore[no-untyped-def]
    from sdmx_service.definitions.policy import disclosure_of
    from sdmx_service.definitions.yaml_file import read_yaml

    return disclosure_of(read_yaml(repository / "dsd/policies/disclosure/fragile.yaml"))


@pytest.fixture(scope="module")
def release(root: Path) -> Release:
    return open_release(root)


@pytest.fixture(scope="module")
def shown(release: Release) -> pd.DataFrame:
    levels = release.observations("DF_ALL")
    return levels[levels["OBS_VALUE"].notna()]


def test_every_count_of_people_is_a_multiple_of_the_base(
    release: Release, shown: pd.DataFrame
) -> None:
    gaps = release.observations("DF_GAP")
    for counts in (shown["UNWGTD_SAMPL_SIZE"], gaps["N_COMP"], gaps["N_REF"]):
        known = counts.dropna()
        assert len(known) > 100
        assert (known.astype(float) % BASE == 0).all()
    assert release.definitions["surveys"][SURVEY]["n"] % BASE == 0
    assert shown["WGTD_SAMPL_SIZE"].nunique() < len(shown) / 2
    assert (shown["WGTD_SAMPL_SIZE"] % 1000 == 0).all()


def test_the_same_people_have_the_same_count_in_every_table(
    release: Release, shown: pd.DataFrame
) -> None:
    """Sister indicators of everyone, and the sides of gaps between the sexes."""
    alone = (shown[["AGE", "HH_COMPOSITION"]] == "_T").all(axis=1)
    women = shown[alone & (shown["SEX"] == "F")].set_index(["INDICATOR", "REF_AREA"])
    gaps = release.observations("DF_GAP")
    gaps = gaps[gaps["OBS_VALUE"].notna() & (gaps["COMPARISON_GROUP"] == "SEX_F")]
    gaps = gaps[gaps["REFERENCE_GROUP"] == "SEX_M"].set_index(["INDICATOR", "REF_AREA"])
    gaps = gaps[gaps["AGE"] == "_T"]
    assert len(gaps)
    both = gaps.join(women["UNWGTD_SAMPL_SIZE"], how="inner")
    assert len(both)
    assert (both["N_COMP"] == both["UNWGTD_SAMPL_SIZE"]).all()


def test_the_design_effect_gives_back_the_rounded_count_and_not_the_true_one(
    project: Project, shown: pd.DataFrame
) -> None:
    """DEFF = SE^2 / (p(1-p)/(n-1)): solved for n, over all published shares of the poor."""
    sample = read_sample(project.surveys[SURVEY], project.root)
    name = "LAB_UNEMPDECL"
    estimates = tabulate(sample, project.indicators[name]).estimates
    true = estimates.keys.assign(true=estimates.n)
    mine = shown[shown["INDICATOR"] == name]
    names = list(estimates.keys.columns)
    joined = mine.astype(dict.fromkeys(names, str)).merge(true, on=names)
    assert len(joined) == len(mine) > 10
    assert (joined["UNWGTD_SAMPL_SIZE"] != joined["true"]).any()
    p = joined["OBS_VALUE"] / 100
    solved = 1 + joined["DESIGN_EFFECT"] * p * (1 - p) / (joined["STD_ERR"] / 100) ** 2
    np.testing.assert_allclose(solved, joined["UNWGTD_SAMPL_SIZE"].astype(float), rtol=1e-6)


def test_rates_of_response_are_whole_per_cents_and_certain_values_have_no_bounds(
    shown: pd.DataFrame,
) -> None:
    rates = shown["RESP_RATE"] * 100
    np.testing.assert_allclose(rates, rates.round(), atol=1e-9)
    certain = shown[shown["STD_ERR"].isna() | (shown["STD_ERR"] == 0)]
    assert certain[["LOWER_BOUND", "UPPER_BOUND"]].isna().all(axis=None)


def test_what_is_sensitive_is_withheld_whatever_its_numbers(release: Release) -> None:
    levels = release.observations("DF_ALL")
    dimensions = [name for name in ("SEX", "AGE", "HH_COMPOSITION") if name in levels]
    sensitive = ["MIGRATION_STATUS", "POP_GROUP", "DISABILITY_STATUS"]
    touched = (levels[sensitive] != TOTAL).any(axis=1)
    touched |= (levels[[*dimensions, *sensitive]] != TOTAL).sum(axis=1) > 1
    assert touched.any()
    assert levels.loc[touched, "OBS_VALUE"].isna().all()
    open_ = levels[levels["OBS_VALUE"].notna()]
    assert set(open_[AREA]) > {"AT"}
    gaps = release.observations("DF_GAP")
    assert gaps.loc[gaps["BREAKDOWN"].isin(sensitive), "OBS_VALUE"].isna().all()


def test_no_number_of_the_policy_but_the_base_is_said(release: Release) -> None:
    said = json.dumps(release.definitions["policies"]["disclosure"])
    assert "rounding" not in said
    assert "20" not in said
