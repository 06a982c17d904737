"""The declared surveys are read as declared, and a wrong file is refused before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sdmx_service.definitions.project import Project
from sdmx_service.definitions.survey import Survey, survey_of
from sdmx_service.definitions.yaml_file import read_yaml
from sdmx_service.errors import DataError, DesignError
from sdmx_service.survey.comparison import plan
from sdmx_service.survey.sample import read_sample
from sdmx_service.survey.tabulation import estimates_of

# A. Alfons, M. Templ, Journal of Statistical Software 54(15), 2013: per cent.
PUBLISHED = {
    ("AT", "_T"): 14.44422,
    ("AT-1", "_T"): 19.53984,
    ("AT-2", "_T"): 13.08627,
    ("AT-3", "_T"): 13.84362,
    ("AT-4", "_T"): 10.88977,
    ("AT-5", "_T"): 13.78734,
    ("AT-6", "_T"): 14.37464,
    ("AT-7", "_T"): 15.30819,
    ("AT-8", "_T"): 16.53731,
    ("AT-9", "_T"): 17.23468,
    ("AT", "M"): 12.02660,
    ("AT", "F"): 16.73351,
}

SMALL = """\
id: ZZ_SMALL
area: AT
period: "2020"
title: A small survey
synthetic: true
citation: Made up for a test.
licence: none
url: https://example.org
sources:
  - {name: people, path: people.csv, format: csv, sha256: HASH}
design: {weight: w, strata: [s], psu: [p], description: Two strata with two places each.}
variables:
  age: {from: age}
  works: {from: job, map: {1: 1, 2: 0}}
breakdowns:
  SEX: {from: sex, map: {f: F, m: M}, reference: M}
"""
PEOPLE = """\
w,s,p,age,job,sex
1.5,north,1,30,1,f
1.5,north,2,40,2,m
2.5,south,3,50,1,f
2.5,south,4,60,,m
"""


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Survey]:
    """Declare the small survey with one thing changed in its declaration or its file."""

    def declare(old: str = "", new: str = "", *, people: str = PEOPLE) -> Survey:
        (tmp_path / "people.csv").write_text(people, encoding="utf-8")
        digest = hashlib.sha256(people.encode()).hexdigest()
        assert old in SMALL
        text = (
            SMALL.replace("HASH", digest).replace(old, new, 1)
            if old
            else SMALL.replace("HASH", digest)
        )
        (tmp_path / "ZZ_SMALL.yaml").write_text(text, encoding="utf-8")
        return survey_of(read_yaml(tmp_path / "ZZ_SMALL.yaml"))

    return declare


def test_the_published_austrian_figures_are_reproduced(project: Project) -> None:
    sample = read_sample(project.surveys["AT_EUSILC"], project.root)
    found = estimates_of(sample, project.indicators["POV_ARPT60"])
    keys = found.keys
    alone = (keys.drop(columns=["REF_AREA", "SEX"]) == "_T").all(axis=1)
    for (area, sex), value in PUBLISHED.items():
        cell = alone & (keys["REF_AREA"] == area) & (keys["SEX"] == sex)
        assert round(float(found.value[cell][0]) * 100, 5) == value


def test_the_surveys_have_the_people_their_sources_say(project: Project) -> None:
    """data/README.md of the survey files: 14,827, 1,411 and 3,246 people."""
    rows = {s.id: read_sample(s, project.root).frame.height for s in project.surveys.values()}
    assert rows == {"AT_EUSILC": 14827, "NO_ESS10": 1411, "XA_WB2023": 3246}


def test_anweight_is_a_constant_times_pspwght_so_shares_are_the_same(project: Project) -> None:
    survey = project.surveys["NO_ESS10"]
    other = replace(survey, design=replace(survey.design, weight="pspwght"))
    indicator = project.indicators["PAR_POLINT"]
    found = estimates_of(read_sample(survey, project.root), indicator)
    again = estimates_of(read_sample(other, project.root), indicator)
    # The file keeps its weights in single precision.
    np.testing.assert_allclose(found.value, again.value, rtol=1e-6)
    np.testing.assert_allclose(found.se, again.se, rtol=1e-6)


def test_a_person_who_gave_no_answer_is_outside_the_domain_not_the_design(
    small: Callable[..., Survey], tmp_path: Path
) -> None:
    sample = read_sample(small(), tmp_path)
    assert sample.frame["works"].to_list() == [1.0, 0.0, 1.0, None]
    assert sample.design.n_rows == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weight: w", "weight: weight", r"got 'weight'"),
        ("{from: job,", "{from: jobb,", r"variables\.works: .*got 'jobb' \(did you mean job\?\)"),
        ("map: {f: F, m: M}", "map: {m: M}", r"breakdowns\.SEX: expected one of m, got \"'f' in 2"),
        ("people.csv", "peeple.csv", r"peeple\.csv: expected the data file of source people"),
        ("path: people.csv", "package: no_such_package, file: x", r"no_such_package"),
    ],
)
def test_a_declaration_that_does_not_fit_its_file_is_refused(
    small: Callable[..., Survey], tmp_path: Path, old: str, new: str, said: str
) -> None:
    if "map: {m: M}" in new:
        old, new = "map: {f: F, m: M}, reference: M", "map: {m: M}, reference: M"
    with pytest.raises(DataError, match=said):
        read_sample(small(old, new), tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.5,north,1", ",north,1", r"ZZ_SMALL: column w.*missing in"),
        ("1.5,north,1", "-1.5,north,1", r"ZZ_SMALL: column w.*negative in"),
        ("2.5,south,4", "2.5,west,4", r"column s: .*2 strata with a single PSU"),
    ],
)
def test_a_design_that_carries_no_estimate_is_refused(
    small: Callable[..., Survey], tmp_path: Path, old: str, new: str, said: str
) -> None:
    survey = small(people=PEOPLE.replace(old, new, 1))
    with pytest.raises(DesignError, match=said):
        read_sample(survey, tmp_path)


def test_a_file_that_changed_is_not_read(small: Callable[..., Survey], tmp_path: Path) -> None:
    survey = small()
    (tmp_path / "people.csv").write_text(PEOPLE + "1,north,1,20,1,f\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"expected sha256 .*the file is not the one"):
        read_sample(survey, tmp_path)


def test_every_group_is_compared_with_its_reference_of_the_same_place(project: Project) -> None:
    sample = read_sample(project.surveys["XA_WB2023"], project.root)
    found = estimates_of(sample, project.indicators["HOU_WATER"])
    references = {b.dimension: b.reference for b in sample.survey.breakdowns}
    planned = plan(found.keys, references, "XA")
    group = found.keys.iloc[planned["group"]].reset_index(drop=True)
    other = found.keys.iloc[planned["other"]].reset_index(drop=True)
    same_place = (planned["against"] == "REFERENCE").to_numpy()
    assert (group["REF_AREA"] == other["REF_AREA"])[same_place].all()
    for dimension in group.columns.drop("REF_AREA"):
        mine = same_place & (planned["breakdown"] == dimension).to_numpy()
        assert (other[dimension][mine] == references[dimension]).all()
        besides = same_place & (planned["breakdown"] != dimension).to_numpy()
        assert (group[dimension] == other[dimension])[besides].all()
    national = (planned["against"] == "NATIONAL").to_numpy()
    assert (other["REF_AREA"][national] == "XA").all()
    assert (group["REF_AREA"][national] != "XA").all()


def test_the_census_behind_the_synthetic_country_is_its_households(project: Project) -> None:
    """222,551 people live in the 57,867 households of the population file: the sum of hhsize."""
    from sdmx_service.survey.sample import read_census

    survey = project.surveys["XA_WB2023"]
    assert survey.truth is not None
    census = read_census(survey, survey.truth.source, survey.truth.weight, project.root)
    assert census.design.weights.sum() == 222_551
    assert census.frame.select(pl.col("water").is_null().any()).item() is False
