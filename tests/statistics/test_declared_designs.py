"""A design is declared, not programmed: what the YAML says is the standard error that R has.

Data: api, nhanes and scd of the R package survey (GPL-2 or GPL-3), read from the oracles.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sdmx_service import build_release, open_release
from tests.statistics.declared import make_project

pytestmark = pytest.mark.oracle

INDICATORS = {
    "EDU_YEARS": {"statistic": "mean", "variable": "score"},
    "EDU_LITSELF": {"statistic": "mean", "variable": "enrolled", "unit": "YR"},
    "HOU_CROWD": {"statistic": "ratio", "numerator": "tested", "denominator": "enrolled_all"},
    "HOU_ELEC": {"statistic": "proportion", "numerator": "high == 1"},
    "HOU_WATER": {"statistic": "ratio", "numerator": "alive", "denominator": "arrests"},
}
STYPE = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
BOTH = {"No": 1692, "Yes": 4502}

TYPES = {"E": "ISCED11A_0", "H": "ISCED11A_1", "M": "AGG_2_3"}
RACES = {"1": "S", "2": "M", "3": "W", "4": "D"}
AGES = {
    "(0,19]": "ISCED11A_0",
    "(19,39]": "ISCED11A_1",
    "(39,59]": "AGG_2_3",
    "(59,Inf]": "AGG_5T8",
}
SCHOOLS = {
    "people": "schools",
    "variables": {
        "score": {"from": "api00"},
        "before": {"from": "api99"},
        "enrolled": {"from": "enroll"},
        "wide": {"from": "sch.wide"},
        "both": {"from": "both"},
        "stype": {"from": "stype"},
    },
    "breakdowns": {
        "SEX": {"from": "awards", "map": {"No": "F", "Yes": "M"}, "reference": "M"},
        "EDUCATION_LEV": {"from": "stype", "map": TYPES, "reference": "AGG_2_3"},
    },
}
TESTED = {"tested": {"from": "api.stu"}, "enrolled_all": {"from": "enroll"}}
STRATIFIED = SCHOOLS | {"variables": SCHOOLS["variables"] | TESTED}
PATIENTS = {
    "people": "patients",
    "variables": {"high": {"from": "HI_CHOL"}},
    "breakdowns": {
        "CIVIL_STATUS": {"from": "race", "map": RACES, "reference": "M"},
        "EDUCATION_LEV": {"from": "agecat", "map": AGES, "reference": "AGG_5T8"},
    },
}
DRAWN = {"weight": "WTMEC2YR", "strata": ["SDMVSTRA"], "psu": ["SDMVPSU"], "nested": True}
COLUMNS = {"columns": "V*", "count": 40}


def _by(name: str, totals: dict[str, int]) -> dict[str, Any]:
    return {"by": [name], "totals": totals}


MARGINS = {
    "stype": _by("stype", STYPE),
    "wide": _by("wide", WIDE),
    "both": _by("both", BOTH),
}
LINEAR = {
    "method": "linear",
    "margins": [MARGINS["wide"]],
    "amounts": {"before": 3914069},
}
CLUSTERS = {"weight": "pw", "psu": ["dnum"]}
STRATA = {"weight": "pw", "strata": ["stype"], "fpc": {"count": "fpc"}}
LEFT_OUT = {"weight": "pw", "strata": ["stype"], "replicates": {"create": {"method": "jkn"}}}


def _poststratified(name: str) -> dict[str, Any]:
    return {"method": "poststratify", "margins": [MARGINS[name]]}


def _raked(*names: str) -> dict[str, Any]:
    return {"method": "rake", "margins": [MARGINS[name] for name in names]}


# Named as in the oracles; the design alone differs between surveys of one file.
TAYLOR = {
    "strat_fpc": STRATIFIED | {"design": STRATA},
    "strat_nofpc": STRATIFIED | {"design": {"weight": "pw", "strata": ["stype"]}},
    "clus2_ultimate": SCHOOLS | {"people": "districts", "design": CLUSTERS},
    "clus2_fpc2stage": SCHOOLS
    | {
        "people": "districts",
        "design": {
            "stages": [
                {"unit": ["dnum"], "fpc": {"count": "fpc1"}},
                {"unit": ["snum"], "fpc": {"count": "fpc2"}},
            ]
        },
    },
}
CALIBRATED = {
    "poststratified": CLUSTERS | {"calibration": _poststratified("stype")},
    "poststratified_strata": STRATA | {"calibration": _poststratified("wide")},
    "raked": CLUSTERS | {"calibration": _raked("stype", "wide", "both")},
    "raked_strata": STRATA | {"calibration": _raked("both", "wide")},
    "calibrated": CLUSTERS | {"calibration": LINEAR},
    "calibrated_strata": STRATA | {"calibration": LINEAR | {"bounds": [0.5, 2]}},
    "jackknife_poststratified": LEFT_OUT | {"calibration": _poststratified("wide")},
    "jackknife_calibrated": LEFT_OUT | {"calibration": LINEAR},
}
LONELY = {
    (option, domains): DRAWN
    | {"lonely_psu": option}
    | ({"lonely_in_domains": domains} if option in ("adjust", "average") else {})
    for option in ("remove", "certainty", "adjust", "average")
    for domains in (False, True)
}
REPLICATED = {
    "JKn": ("patients", DRAWN, {"create": {"method": "jkn"}}),
    "bootstrap_given_weights": ("weighted", DRAWN, COLUMNS | {"method": "bootstrap"}),
    "bootstrap_from_file": ("weighted", {}, COLUMNS | {"method": "bootstrap"}),
    "successive_difference_4_over_R_from_file": (
        "weighted",
        {},
        COLUMNS | {"method": "other", "scale": 0.1, "rscales": [1] * 40},
    ),
    "JK1_from_file": ("weighted", {}, COLUMNS | {"method": "jk1"}),
    "Fay_rho_0.3_from_file": ("weighted", {}, COLUMNS | {"method": "fay", "rho": 0.3}),
    "BRR_full": ("pairs", DRAWN, {"create": {"method": "brr"}}),
    "Fay_rho_0.5": ("pairs", DRAWN, {"create": {"method": "fay", "rho": 0.5}}),
}
ARRESTS = {
    "people": "arrests",
    "variables": {"alive": {"from": "alive"}, "arrests": {"from": "arrests"}},
    "breakdowns": {
        "SEX": {"from": "ESA", "map": {"1": "F", "2": "M", "3": None}, "reference": "M"}
    },
    "design": {
        "weight": "one",
        "replicates": {"method": "brr", "factors": True, "columns": ["h1", "h2", "h3", "h4"]},
    },
}


def _people(oracles: Path) -> dict[str, pd.DataFrame]:
    patients = pd.read_csv(oracles / "05_replicates/input.csv")
    weights = pd.read_csv(oracles / "05_replicates/repweights_bootstrap.csv.gz")
    both = patients.groupby("SDMVSTRA").SDMVPSU.transform("nunique") == 2
    half = [[1, 0, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1], [0, 1, 0, 1, 1, 0]]
    arrests = pd.read_csv(oracles / "05_replicates/input_scd.csv").assign(one=1)
    return {
        "schools": pd.read_csv(oracles / "01_taylor/input.csv"),
        "districts": pd.read_csv(oracles / "01_taylor/input_clus2.csv"),
        "patients": patients,
        "lonely": pd.read_csv(oracles / "04_lonely_psu/input.csv"),
        "weighted": pd.concat([patients, weights], axis=1),
        "pairs": patients[both],
        "arrests": arrests.assign(**{f"h{at}": 2.0 * np.array(h) for at, h in enumerate(half, 1)}),
    }


def _surveys() -> dict[Any, dict[str, Any]]:
    """Return all surveys by what the oracles call their designs."""
    found: dict[Any, dict[str, Any]] = dict(TAYLOR)
    # 1,018 + 755 + 4,421 schools in the variables' own words: tested is not in the districts
    found |= {name: STRATIFIED | {"design": design} for name, design in CALIBRATED.items()}
    found |= {
        key: PATIENTS | {"people": "lonely", "design": design} for key, design in LONELY.items()
    }
    for tag, (people, drawn, replicates) in REPLICATED.items():
        for mse in (True, False):
            own = replicates | {"mse": mse}
            if replicates.get("method") == "bootstrap":
                own |= {"divisor": "R-1"}
            design = {"weight": "WTMEC2YR"} | drawn | {"replicates": own}
            found[tag, mse] = PATIENTS | {"people": people, "design": design}
    found["scd_BRR_4", True] = ARRESTS
    return found


SURVEYS = {f"S{at:02}": (key, survey) for at, (key, survey) in enumerate(_surveys().items())}
PERIODS = {key: str(2000 + at) for at, (key, _) in enumerate(SURVEYS.values())}


@pytest.fixture(scope="module")
def observations(
    repository: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> pl.DataFrame:
    """Return what is published of all the designs: one release, a year a design."""
    root = tmp_path_factory.mktemp("declared")
    surveys = {name: survey for name, (_, survey) in SURVEYS.items()}
    make_project(root, repository, INDICATORS, surveys, _people(shared / "oracles"))
    build_release(root, root / "releases")
    return pl.from_pandas(open_release(root / "releases").observations("DF_ALL"))


def _published(observations: pl.DataFrame, key: Any, indicator: str, domain: str) -> dict[str, Any]:
    grouping, _, group = domain.partition(":")
    cell = {
        "": {},
        "_T": {},
        "stype": {"EDUCATION_LEV": TYPES.get(group)},
        "awards": {"SEX": {"No": "F", "Yes": "M"}.get(group)},
        "race": {"CIVIL_STATUS": RACES.get(group.removeprefix("r"))},
        "agecat": {"EDUCATION_LEV": AGES.get(group)},
    }[grouping]
    names = ("SEX", "EDUCATION_LEV", "CIVIL_STATUS")
    asked = {"INDICATOR": indicator, "TIME_PERIOD": PERIODS[key]}
    asked |= {name: cell.get(name) or "_T" for name in names}
    rows = observations.filter(*(pl.col(name) == code for name, code in asked.items()))
    assert rows.height == 1, asked
    return rows.row(0, named=True)


def _records(oracles: Path, suite: str) -> list[dict[str, Any]]:
    text = (oracles / suite / "expected.json").read_text(encoding="utf-8")
    records: list[dict[str, Any]] = json.loads(text)["results"]
    return [one for one in records if "se" in one]


def _agree(row: dict[str, Any], record: dict[str, Any], factor: float, close: float = 1e-8) -> None:
    assert row["OBS_VALUE"] == pytest.approx(record["estimate"] * factor, rel=1e-8), record
    assert row["STD_ERR"] == pytest.approx(record["se"] * factor, rel=close), record


VARIABLES = {
    "api00": ("EDU_YEARS", 1.0),
    "enroll": ("EDU_LITSELF", 1.0),
    "api.stu/enroll": ("HOU_CROWD", 100.0),
}


@pytest.mark.parametrize("name", list(TAYLOR))
def test_declared_stages_have_the_standard_errors_of_r(
    shared: Path, observations: pl.DataFrame, name: str
) -> None:
    compared = 0
    for record in _records(shared / "oracles", "01_taylor"):
        known = record["variable"] in VARIABLES and not record["domain"].startswith("sch.wide")
        if record["design"] == name and record["stat"] in ("mean", "ratio") and known:
            indicator, factor = VARIABLES[record["variable"]]
            row = _published(observations, name, indicator, record["domain"])
            _agree(row, record, factor)
            assert row["VAR_EST_METHOD"] == "TSL"
            compared += 1
    assert compared >= 8


@pytest.mark.parametrize("name", list(CALIBRATED))
def test_declared_calibrations_have_the_standard_errors_of_r(
    observations: pl.DataFrame, name: str
) -> None:
    path = Path(__file__).parent / "r" / "calibration.json"
    records = json.loads(path.read_text(encoding="utf-8"))["results"]
    chosen = [r for r in records if r["design"] == name and r["statistic"] in ("mean", "ratio")]
    assert len(chosen) == 4
    for record in chosen:
        variable = "api00" if record["statistic"] == "mean" else "api.stu/enroll"
        indicator, factor = VARIABLES[variable]
        row = _published(observations, name, indicator, record["domain"])
        _agree(row, record, factor)
        assert row["VAR_EST_METHOD"] == ("JACKKNIFE" if "jackknife" in name else "TSL")


@pytest.mark.parametrize(("option", "domains"), list(LONELY))
def test_declared_lonely_psus_have_the_standard_errors_of_r(
    shared: Path, observations: pl.DataFrame, option: str, domains: bool
) -> None:
    compared = 0
    for record in _records(shared / "oracles", "04_lonely_psu"):
        mine = (record["lonely"], record["adjust_domain_lonely"]) == (option, domains)
        if mine and record["stat"] == "mean" and "SDMVSTRA" not in record["domain"]:
            row = _published(observations, (option, domains), "HOU_ELEC", record["domain"])
            _agree(row, record, 100.0)
            compared += 1
    assert compared == 9


METHODS = {"JKn": "JACKKNIFE", "JK1": "JACKKNIFE", "BRR": "BRR", "Fay": "FAY", "boo": "BOOTSTRAP"}


@pytest.mark.parametrize(
    ("tag", "mse"), [(tag, mse) for tag in REPLICATED for mse in (True, False)]
)
def test_declared_replicates_have_the_standard_errors_of_r(
    shared: Path, observations: pl.DataFrame, tag: str, mse: bool
) -> None:
    """R makes no use of strata and PSUs where it is given weights; ours limit the df of a cell."""
    compared = 0
    for record in _records(shared / "oracles", "05_replicates"):
        if (record["replication"], record["mse"], record["stat"]) == (tag, mse, "mean"):
            row = _published(observations, (tag, mse), "HOU_ELEC", record["domain"])
            _agree(row, record, 100.0)
            assert row["VAR_EST_METHOD"] == METHODS.get(tag[:3], "REPLICATES")
            if record["domain"] == "_T":
                assert row["DEGREES_FREEDOM"] == record["df"]
            compared += 1
    assert compared == 5


def test_declared_factors_have_the_standard_error_of_r(
    shared: Path, observations: pl.DataFrame
) -> None:
    """Four half-samples of six rows (Levy and Lemeshow), given as factors 0 and 2."""
    [record] = [
        one
        for one in _records(shared / "oracles", "05_replicates")
        if (one["replication"], one["mse"], one["stat"]) == ("scd_BRR_4", True, "ratio")
    ]
    row = _published(observations, ("scd_BRR_4", True), "HOU_WATER", "_T")
    _agree(row, record, 100.0)
