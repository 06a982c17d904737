"""Groups that share people, and statistics that rest on a line, in surveys that declare them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml

from sdmx_service import Project, build_release, load_project, open_release
from sdmx_service.survey.sample import Sample, read_sample
from sdmx_service.survey.tabulation import cells_of, tabulate
from tests.statistics.declared import make_project

INDICATORS = {
    "EDU_YEARS": {"statistic": "mean", "variable": "years"},
    "HOU_ELEC": {"statistic": "proportion", "numerator": "light == 1"},
    "POV_ARPT60": {"statistic": "poverty_rate", "variable": "income", "share_of_median": 0.6},
}
SURVEY: dict[str, Any] = {
    "people": "people",
    "areas": [{"from": "region", "map": {"1": "AT-1", "2": "AT-2"}}],
    "variables": {
        name: {"from": name}
        for name in ("years", "light", "income", "student", "retired", "disabled", "age")
    },
    "breakdowns": {
        "SEX": {"from": "sex", "map": {"f": "F", "m": "M"}, "reference": "M"},
        "POP_GROUP": {
            "groups": {
                "ACT_STUDENT": "student == 1",
                "ACT_RETIRED": "retired == 1",
                "ACT_DISABLED": "disabled == 1",
            },
            "reference": "ACT_RETIRED",
        },
    },
    "crossings": [["SEX", "POP_GROUP"]],
}
DRAWN = {"weight": "w", "strata": ["stratum"], "psu": ["psu"]}
DESIGNS = {
    "LINEAR": DRAWN,
    "HALVES": DRAWN | {"replicates": {"create": {"method": "brr"}}},
    "RAKED": DRAWN
    | {
        "calibration": {
            "method": "rake",
            "margins": [
                {"by": ["SEX"], "totals": {"F": 5000, "M": 5200}},
                {"by": ["AREA_1"], "totals": {"AT-1": 4000, "AT-2": 6200}},
            ],
        }
    },
}
PERIODS = {name: str(2000 + at) for at, name in enumerate(DESIGNS)}


def _people() -> pd.DataFrame:
    """Return 800 people in 10 strata of two places; a third are in no group, many in two."""
    draw, n = np.random.default_rng(20261122), 800
    psu = np.arange(n) // 40
    return pd.DataFrame(
        {
            "w": draw.uniform(5, 20, n).round(3),
            "stratum": psu // 2,
            "psu": psu,
            "region": 1 + (psu >= 8),
            "sex": draw.choice(["f", "m"], n),
            "age": draw.integers(0, 90, n),
            "student": (draw.uniform(size=n) < 0.3).astype(int),
            "retired": (draw.uniform(size=n) < 0.4).astype(int),
            "disabled": ((np.arange(n) % 133) == 5).astype(int),
            "years": draw.integers(0, 18, n),
            "light": (draw.uniform(size=n) < 0.7).astype(int),
            "income": draw.lognormal(7 + 0.02 * psu, 0.6).round(2),
        }
    )


@pytest.fixture(scope="module")
def root(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with the three designs, whose groups of under ten people are withheld."""
    root = tmp_path_factory.mktemp("groups")
    surveys = {name: SURVEY | {"design": design} for name, design in DESIGNS.items()}
    make_project(root, repository, INDICATORS, surveys, {"people": _people()})
    path = root / "dsd/policies/disclosure/open.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    policy |= {"rules": [{"withhold_if": "n < 10"}], "width": {"people": 3, "share": 0.1}}
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def project(root: Path) -> Project:
    return load_project(root)


@pytest.fixture(scope="module")
def samples(project: Project) -> dict[str, Sample]:
    return {name: read_sample(survey, project.root) for name, survey in project.surveys.items()}


@pytest.fixture(scope="module")
def release(root: Path) -> dict[str, pl.DataFrame]:
    """Return the levels and the gaps that are published."""
    report = build_release(root, root / "releases")
    assert report.unprotected == 0
    opened = open_release(root / "releases")
    return {name: pl.from_pandas(opened.observations(name)) for name in ("DF_ALL", "DF_GAP")}


def _at(people: pd.DataFrame, inside: np.ndarray, y: str) -> tuple[float, np.ndarray]:
    """Return a mean and the influence values of its rows."""
    w = people.w.to_numpy() * inside
    mean = float(w @ people[y].to_numpy() / w.sum())
    return mean, w * (people[y].to_numpy() - mean) / w.sum()


def _se(people: pd.DataFrame, influence: np.ndarray) -> float:
    """Return the standard error of a stratified sample of PSUs, with replacement."""
    sums = pd.Series(influence).groupby([people.stratum, people.psu]).sum()
    spread = sums.groupby(level=0).agg(
        lambda z: len(z) / (len(z) - 1) * ((z - z.mean()) ** 2).sum()
    )
    return float(np.sqrt(spread.sum()))


def _one(frame: pl.DataFrame, **asked: str) -> dict[str, Any]:
    rows = frame.filter(*(pl.col(name) == code for name, code in asked.items()))
    assert rows.height == 1, asked
    return rows.row(0, named=True)


def test_a_person_is_counted_in_every_group_that_they_are_in(
    release: dict[str, pl.DataFrame],
) -> None:
    people = _people()
    everyone = {"INDICATOR": "EDU_YEARS", "TIME_PERIOD": PERIODS["LINEAR"], "SEX": "_T"}
    for code, column in (("ACT_STUDENT", "student"), ("ACT_RETIRED", "retired")):
        row = _one(release["DF_ALL"], **everyone, REF_AREA="AT", POP_GROUP=code)
        inside = people[column].to_numpy() == 1
        mean, influence = _at(people, inside, "years")
        assert row["UNWGTD_SAMPL_SIZE"] == inside.sum()
        assert row["OBS_VALUE"] == pytest.approx(mean, rel=1e-12)
        assert row["STD_ERR"] == pytest.approx(_se(people, influence), rel=1e-9)
    assert set(release["DF_ALL"]["POP_GROUP"]) == {
        "_T",
        "ACT_STUDENT",
        "ACT_RETIRED",
        "ACT_DISABLED",
    }


def test_the_gap_of_groups_that_share_people_has_their_covariance(
    release: dict[str, pl.DataFrame],
) -> None:
    people = _people()
    row = _one(
        release["DF_GAP"],
        INDICATOR="EDU_YEARS",
        TIME_PERIOD=PERIODS["LINEAR"],
        REF_AREA="AT",
        COMPARISON_GROUP="POP_ACT_STUDENT",
        REFERENCE_GROUP="POP_ACT_RETIRED",
        GAP_MEASURE="DIFF",
        SEX="_T",
    )
    student, u = _at(people, people.student.to_numpy() == 1, "years")
    retired, v = _at(people, people.retired.to_numpy() == 1, "years")
    assert row["OBS_VALUE"] == pytest.approx(student - retired, rel=1e-9)
    assert row["STD_ERR"] == pytest.approx(_se(people, u - v), rel=1e-9)


def test_the_rest_of_a_group_is_everyone_in_any_group_but_not_in_it(
    project: Project, samples: dict[str, Sample]
) -> None:
    people = _people()
    indicator = project.indicators["EDU_YEARS"]
    estimates = tabulate(samples["LINEAR"], indicator).estimates
    keys = estimates.keys
    nation = (keys["REF_AREA"] == "AT") & (keys["SEX"] == "_T")
    place = {
        code: int(keys.index[nation & (keys["POP_GROUP"] == code)][0])
        for code in ("ACT_RETIRED", "_PLACED", "_UNPLACED")
    }
    rest = estimates.rest([place["ACT_RETIRED"]], [place["_PLACED"]])
    others = (people.retired != 1) & ((people.student == 1) | (people.disabled == 1))
    mean, influence = _at(people, others.to_numpy(), "years")
    assert rest.n[0] == others.sum()
    assert rest.value[0] == pytest.approx(mean, rel=1e-9)
    assert rest.se[0] == pytest.approx(_se(people, influence), rel=1e-9)
    nobody = (people[["student", "retired", "disabled"]] == 0).all(axis=1).sum()
    assert estimates.n[place["_UNPLACED"]] == nobody


def test_groups_that_share_people_do_not_add_up_so_none_is_withheld_for_another(
    release: dict[str, pl.DataFrame],
) -> None:
    """Seven people are in ACT_DISABLED: they are withheld, and no subtraction finds them."""
    mine = release["DF_ALL"].filter(
        pl.col("TIME_PERIOD") == PERIODS["LINEAR"],
        pl.col("INDICATOR") == "EDU_YEARS",
        pl.col("REF_AREA") == "AT",
        pl.col("SEX") == "_T",
    )
    withheld = mine.filter(pl.col("OBS_VALUE").is_null())["POP_GROUP"].to_list()
    assert withheld == ["ACT_DISABLED"]


def test_groups_and_those_in_none_are_all_cells_once(samples: dict[str, Sample]) -> None:
    keys = cells_of(samples["LINEAR"], ["SEX", "POP_GROUP"]).keys
    assert not keys.duplicated().any()
    crossed = keys[(keys["SEX"] != "_T") & (keys["POP_GROUP"] != "_T") & (keys["REF_AREA"] == "AT")]
    assert len(crossed) == 2 * 4


def test_a_poverty_rate_is_estimated_anew_with_every_half_sample(
    project: Project, samples: dict[str, Sample], release: dict[str, pl.DataFrame]
) -> None:
    """The weighted rates of all replicates, worked out here."""
    sample, people = samples["HALVES"], _people()
    own = sample.design.replicates
    assert own is not None
    income, order = people.income.to_numpy(), np.argsort(people.income.to_numpy())

    def rate(w: np.ndarray) -> float:
        rising = np.cumsum(w[order])
        median = income[order][np.searchsorted(rising, 0.5 * rising[-1] * (1 - 1e-12))]
        return float(w @ (income < 0.6 * median) / w.sum())

    weights = people.w.to_numpy()
    again = [rate(weights * factors[sample.design.psu]) for factors in own.factors]
    error = np.sqrt(np.mean((np.array(again) - rate(weights)) ** 2))
    row = _one(
        release["DF_ALL"],
        INDICATOR="POV_ARPT60",
        TIME_PERIOD=PERIODS["HALVES"],
        REF_AREA="AT",
        SEX="_T",
        POP_GROUP="_T",
    )
    assert row["OBS_VALUE"] == pytest.approx(100 * rate(weights), rel=1e-12)
    assert row["STD_ERR"] == pytest.approx(100 * error, rel=1e-9)
    assert row["VAR_EST_METHOD"] == "BRR"
    assert row["DEGREES_FREEDOM"] == 10


def test_a_calibrated_survey_publishes_poverty_and_rests(
    release: dict[str, pl.DataFrame],
) -> None:
    levels = release["DF_ALL"].filter(pl.col("TIME_PERIOD") == PERIODS["RAKED"])
    row = _one(levels, INDICATOR="POV_ARPT60", REF_AREA="AT", SEX="_T", POP_GROUP="_T")
    assert row["STD_ERR"] > 0
    assert row["WGTD_SAMPL_SIZE"] == pytest.approx(10_200)
    gaps = release["DF_GAP"].filter(pl.col("TIME_PERIOD") == PERIODS["RAKED"])
    against = set(gaps["REFERENCE_GROUP"])
    assert {"SEX_M", "AREA_NATIONAL", "POP_REST", "AREA_REST"} <= against


def test_the_description_of_a_design_says_what_it_does(project: Project) -> None:
    halves = project.surveys["HALVES"].design.account
    assert halves.endswith(
        "Variances are those of balanced half-samples, from replicate weights made from the design."
    )
    raked = project.surveys["RAKED"].design.account
    assert "raked to known totals: SEX; AREA_1. The variances take account of it." in raked
    plain = project.surveys["LINEAR"].design
    assert plain.account == plain.description
