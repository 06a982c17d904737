"""A design that cannot be is refused where it is declared, with what to do about it."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.survey import survey_of
from sdmx_service.definitions.yaml_file import read_yaml
from sdmx_service.errors import DataError, DefinitionError, DesignError
from sdmx_service.survey.sample import Sample, read_sample

# Two strata with three places each, two people a place.
PEOPLE = "w,s,p,q,n,f,age,sex,job,r1,r2,r4,t1,t2\n" + "".join(
    f"{2 + at % 2},{'north' if at < 6 else 'south'},{at // 2},{at},9,0.5,{20 + 5 * at},"
    f"{'fm'[at % 2]},{at % 3},{1 + at % 4},{4 - at % 4},{2},{at % 2},{'x' if at else 3}\n"
    for at in range(12)
)
SURVEY: dict[str, Any] = {
    "id": "ZZ_SMALL",
    "area": "AT",
    "period": "2020",
    "title": "A small survey",
    "synthetic": True,
    "citation": "Made up for a test.",
    "licence": "none",
    "url": "https://example.org",
    "sources": [{"name": "people", "path": "people.csv", "format": "csv", "sha256": ""}],
    "design": {
        "description": "Two strata with three places each.",
        "weight": "w",
        "strata": ["s"],
        "psu": ["p"],
    },
    "variables": {"age": {"from": "age"}, "job": {"from": "job"}},
    "breakdowns": {"SEX": {"from": "sex", "map": {"f": "F", "m": "M"}, "reference": "M"}},
}
SEXES = {"by": ["SEX"], "totals": {"F": 20, "M": 20}}

Read = Callable[..., Sample]


@pytest.fixture
def read(tmp_path: Path, repository: Path) -> Read:
    """Read the small survey with another design, or more variables, or another file."""

    def read_small(design: dict[str, Any], people: str = PEOPLE, **more: dict[str, Any]) -> Sample:
        (tmp_path / "people.csv").write_text(people, encoding="utf-8")
        survey = copy.deepcopy(SURVEY)
        survey["sources"][0]["sha256"] = hashlib.sha256(people.encode()).hexdigest()
        if "stages" in design:
            survey["design"] = {"description": survey["design"]["description"], "weight": "w"}
        survey["design"] = {k: v for k, v in (survey["design"] | design).items() if v is not None}
        for part, content in more.items():
            survey[part] = survey[part] | content
        path = tmp_path / "ZZ_SMALL.yaml"
        path.write_text(yaml.safe_dump(survey, sort_keys=False), encoding="utf-8")
        file = read_yaml(path)
        hold_to_schema(file, repository / "dsd/schemas/survey.schema.json")
        return read_sample(survey_of(file), tmp_path)

    return read_small


def _columns(**more: Any) -> dict[str, Any]:
    return {"replicates": {"method": "bootstrap", "columns": ["r1", "r2"]} | more}


def _created(**more: Any) -> dict[str, Any]:
    return {"replicates": {"create": {"method": "bootstrap", "replicates": 20, "seed": 1} | more}}


def _calibrated(method: str = "rake", *margins: Any, **more: Any) -> dict[str, Any]:
    return {"calibration": {"method": method, "margins": list(margins)} | more}


DECLARATIONS: list[tuple[dict[str, Any], str]] = [
    ({"weight": None}, r":\d+: design: expected the field weight, or the population of every"),
    (
        {"collapse": {"north": "south"}},
        r"design\.collapse: expected lonely_psu: collapse, got 'lonely_psu: fail'",
    ),
    (
        {"lonely_in_domains": True},
        r"design\.lonely_in_domains: expected lonely_psu: adjust or average",
    ),
    ({"lonely_psu": "merge"}, r"design\.lonely_psu: expected one of fail, remove, certainty"),
    (
        {"stages": [{"unit": ["p"]}], "psu": ["p"]},
        r"design\.psu: expected one or the other, got 'psu beside stages'",
    ),
    ({"stages": [{"units": ["p"]}]}, r"stages\.0: expected no such field, got 'units' \(did you"),
    ({"fpc": {"counts": "n"}}, r"design\.fpc.*counts"),
    ({"replicates": {"mse": True}}, r"design\.replicates: expected columns or create, got 'none'"),
    (
        {"replicates": {"columns": ["r1", "r2"]}},
        r"design\.replicates: expected the field method",
    ),
    (
        _columns(count=3),
        r"design\.replicates\.count: expected 2, the number of columns, got 3",
    ),
    (_columns(columns="r*"), r"columns: expected the field count beside it, got 'r\*'.*lost"),
    (_columns(columns="r", count=2), r"columns: expected a name with one \* in the place"),
    (
        _columns(rho=0.5),
        r"design\.replicates\.rho: expected rho with fay alone, got 'rho with method bootstrap'",
    ),
    (_columns(method="fay"), r"method: expected the field rho beside it, got 'fay' \(Fay's"),
    (_columns(method="jkn"), r"expected the field rscales beside it, got 'jkn' \(\(n_h - 1\)"),
    (_columns(method="other"), r"expected the field scale beside it, got 'other'"),
    (
        _columns(method="jkn", rscales=[1, 1, 1]),
        r"rscales: expected 2, one a replicate, got '3 numbers'",
    ),
    (_columns(method="brr", divisor="R-1"), r"divisor: expected divisor with bootstrap alone"),
    (_created(method="jkn"), r"create\.replicates: expected replicates with bootstrap alone"),
    (
        {"replicates": {"create": {"method": "bootstrap", "replicates": 9}}},
        r"create\.method: expected the field seed beside it.*every release",
    ),
    (
        {"replicates": {"create": {"method": "jkn"}, "scale": 2}},
        r"replicates\.scale: expected scale with columns of the file alone",
    ),
    (_created(method="acs"), r"create\.method: expected one of brr, fay, jk1, jkn, bootstrap, sdr"),
    (_calibrated(), r"calibration\.margins: .*"),
    (
        {"calibration": {"method": "rake"}},
        r"design\.calibration: expected margins, or amounts",
    ),
    (
        _calibrated("poststratify", SEXES, SEXES),
        r"calibration\.margins: expected one to post-stratify by, got '2 margins' \(cross them",
    ),
    (
        _calibrated("rake", {"by": ["SEXE"], "totals": {"F": 1}}),
        r"margins\.0\.by: expected a harmonised column: age, job, SEX, got 'SEXE'",
    ),
    (
        _calibrated("rake", {"by": ["SEX"], "totals": {"F": 20, "W": 20}}),
        r"margins\.0\.totals\.W: expected a group of SEX: F, M, got 'W'",
    ),
    (
        _calibrated("rake", {"by": ["SEX", "job"], "totals": {"F": 20, "M": 20}}),
        r"totals\.F: expected the groups of the next column inside of it, got 20",
    ),
    (
        _calibrated("rake", {"by": ["SEX"], "totals": {"F": {"0": 20}, "M": 20}}),
        r"totals\.F: expected a number, got 'groups inside of it'",
    ),
    (
        _calibrated("rake", SEXES, {"by": ["job"], "totals": {"0": 10, "1": 10, "2": 10}}),
        r":\d+: design\.calibration\.margins\.1\.totals: expected 40 people, as in the first "
        r"margin, got 'totals that add up to 30'",
    ),
    (
        _calibrated("rake", SEXES, bounds=[0.5, 2]),
        r"calibration\.bounds: expected bounds with linear, truncated or logit alone",
    ),
    (
        _calibrated("logit", SEXES),
        r"method: expected the field bounds beside it, got 'logit' \(the least",
    ),
    (
        _calibrated("linear", SEXES, bounds=[1.5, 2]),
        r"bounds: expected the least and the largest change of a weight, around 1",
    ),
    (
        _calibrated("linear", SEXES, amounts={"wage": 3}),
        r"amounts\.wage: expected a harmonised column: age, job, SEX, got 'wage'",
    ),
]


@pytest.mark.parametrize(("design", "said"), DECLARATIONS)
def test_parts_that_do_not_go_together_are_refused_where_they_are_declared(
    read: Read, design: dict[str, Any], said: str
) -> None:
    with pytest.raises(DefinitionError, match=said) as caught:
        read(design)
    assert "ZZ_SMALL.yaml:" in caught.value.where


COLUMNS: list[tuple[dict[str, Any], str]] = [
    ({"psu": ["place"]}, r":\d+: design: expected a column of the data, got 'place'"),
    (
        {"stages": [{"unit": ["p"], "fpc": "nn"}]},
        r"stages\.0\.fpc: expected a column of the data, got 'nn'",
    ),
    ({"fpc": "sex"}, r"design\.fpc: expected numbers, got 'text in column sex'"),
    (
        {"fpc": {"count": "f"}},
        r"design\.fpc: expected counts of units, got '0\.5 in column f, 12 rows.*is it fpc: "
        r"\{fraction: f\}\?",
    ),
    (
        {"fpc": {"fraction": "n"}},
        r"design\.fpc: expected fractions sampled, got '9 in column n, .*\{count: n\}\?",
    ),
    ({"certainty": ["west"]}, r"design: ZZ_SMALL: certainty: expected a stratum: north, south"),
    (
        {"stages": [{"strata": ["p"], "unit": ["q"]}, {"unit": ["job"]}], "lonely_psu": "collapse"}
        | {"collapse": {"0": "7"}},
        r"design: ZZ_SMALL: collapse: expected a stratum: 0, 1, 2, 3, 4, 5, got '7'",
    ),
    (_columns(columns=["r1", "r3"]), r"replicates: expected a column of the data, got 'r3'"),
    (_columns(columns=["r1", "t2"]), r"design\.replicates: expected numbers, got 'text in col"),
    (
        _columns(columns="r*", count=4),
        r"design\.replicates: columns: expected 4 columns, as count says, got '3 columns r\*: "
        r"r1, r2, r4'",
    ),
    (_columns(columns="x*", count=4), r"got '0 columns x\*: none' \(columns: w, s, p"),
    (
        {"replicates": {"create": {"method": "brr"}}},
        r"design\.replicates\.create: balanced replicates: expected two PSUs in every stratum, "
        r"got '2 strata without two PSUs: north, south'.*use the jackknife",
    ),
    (
        {"replicates": {"create": {"method": "jk1"}}},
        r"create: JK1: expected one stratum, got '2 strata' \(use JKn\)",
    ),
    (
        _calibrated("rake", {"by": ["SEX"], "totals": {"F": 20}}),
        r"design\.calibration: margin 1: expected one of the groups with a total: F, got 'no "
        r"total for M in 6 rows \(2, 4, 6, 8, 10 \.\.\.\)' \(merge groups",
    ),
    (
        _calibrated("poststratify", {"by": ["job"], "totals": {"0": 1, "1": 1, "2": 1, "3": 1}}),
        r"post-strata: expected people in every group that has a total, got 'no one in 3'",
    ),
    (
        _calibrated("linear", SEXES, bounds=[0.9, 1.1]),
        r"design\.calibration: calibration: expected a change of 0\.9 to 1\.1",
    ),
]


@pytest.mark.parametrize(("design", "said"), COLUMNS)
def test_columns_that_cannot_carry_the_design_are_refused_with_its_line(
    read: Read, design: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read(design)
    assert "ZZ_SMALL.yaml:" in caught.value.where


@pytest.mark.parametrize("method", ["truncated", "logit"])
def test_changes_of_weights_stay_within_declared_bounds(read: Read, method: str) -> None:
    """Six women of weight 2 and six men of weight 3 are made to count 14 and 16."""
    before = read({}).design.weights
    totals = {"F": 14, "M": 16}
    found = read(_calibrated(method, {"by": ["SEX"], "totals": totals}, bounds=[0.7, 1.3])).design
    assert found.weights.sum() == pytest.approx(30)
    assert (found.weights / before).min() == pytest.approx(16 / 18)
    with pytest.raises(DesignError, match=r"design\.calibration.*changes of 0\.95 to 1\.05 can"):
        read(_calibrated(method, {"by": ["SEX"], "totals": totals}, bounds=[0.95, 1.05]))


def test_everyone_in_a_household_has_the_same_change_of_weight(read: Read) -> None:
    """The places are the households, of two people each."""
    before = read({}).design.weights
    jobs = {"by": ["job"], "totals": {"0": 9, "1": 11, "2": 12}}
    found = read(_calibrated("linear", jobs, within=["p"])).design
    change = (found.weights / before).reshape(6, 2)
    assert change[:, 0] == pytest.approx(change[:, 1])
    assert found.weights.sum() == pytest.approx(32)
    with pytest.raises(DataError, match=r"calibration: expected a column of the data, got 'hid'"):
        read(_calibrated("linear", jobs, within=["hid"]))


def test_who_has_no_group_of_a_margin_is_named(read: Read) -> None:
    people = PEOPLE.replace(",m,", ",,", 1)
    with pytest.raises(DesignError, match=r"margins\.0: expected a group for everyone .*no SEX in"):
        read(_calibrated("rake", SEXES), people)


def test_margins_may_be_of_several_columns_and_of_numbers(read: Read) -> None:
    """Crossed margins: one level of totals inside the other; codes as they are written."""
    jobs = {"0": 6, "1": 7, "2": 7}
    found = read(
        _calibrated("poststratify", {"by": ["SEX", "job"], "totals": {"F": jobs, "M": jobs}})
    )
    weights = found.design.weights
    women = (found.frame["SEX"] == "F").to_numpy()
    second = (found.frame["job"] == 1).to_numpy()
    assert weights[women].sum() == pytest.approx(20)
    assert weights[women & second].sum() == pytest.approx(7)


def test_a_stratum_taken_whole_adds_nothing_and_is_never_lonely(read: Read) -> None:
    people = "\n".join(line for line in PEOPLE.split("\n") if ",north,1," not in line)
    people = "\n".join(line for line in people.split("\n") if ",north,2," not in line)
    with pytest.raises(DesignError, match="1 strata with a single PSU: north"):
        read({}, people)
    design = read({"certainty": ["north"]}, people).design
    assert design.tree[0].fraction.tolist() == [1.0, 0.0]
    assert design.tree[0].scale.tolist()[0] == 0.0


def test_a_lonely_stratum_joins_the_one_that_is_declared(read: Read) -> None:
    lines = PEOPLE.replace("north", "a").replace("south", "b").split("\n")
    lonely = [line.replace(",a,0,", ",c,0,").replace(",b,5,", ",d,5,") for line in lines]
    declared = {"c": "b", "d": "a"}
    people = "\n".join(lonely)
    design = read({"lonely_psu": "collapse", "collapse": declared}, people).design
    assert design.strata == ("a+d", "b+c")
    by_label = read({"lonely_psu": "collapse"}, people).design
    assert by_label.strata == ("a+c+d", "b")


def test_neighbours_are_those_of_numbers_and_not_of_text(read: Read) -> None:
    """PSU 10 comes after PSU 2: successive differences and pairs go by that order."""
    lines = PEOPLE.replace(",south,3,", ",south,10,").split("\n")
    people = "\n".join(line.replace("north", "2").replace("south", "10") for line in lines)
    sdr = {"replicates": {"create": {"method": "sdr", "least": 8}}}
    design = read(sdr, people).design
    assert design.strata == ("2", "10")
    assert design.psu.tolist() == [0, 0, 1, 1, 2, 2, 5, 5, 3, 3, 4, 4]
    assert read({}, people).design.strata == ("10", "2")


def test_weights_follow_from_the_populations_of_all_stages(read: Read) -> None:
    """3 of 9 places in each stratum, half of the people in each: 3 x 2."""
    stages = [{"strata": ["s"], "unit": ["p"], "fpc": {"count": "n"}}, {"unit": ["q"], "fpc": "f"}]
    design = read({"stages": stages, "weight": None}).design
    assert design.weights.tolist() == [6.0] * 12
    assert len(design.tree) == 2
