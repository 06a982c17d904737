"""Each reliability policy decides at its bounds as its source says, and names that source."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from sdmx_service.build import evidence
from sdmx_service.definitions.policy import ReliabilityPolicy, reliability_of
from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.yaml_file import read_yaml
from sdmx_service.protect.reliability import judge
from sdmx_service.survey import interval

# n, p, SE, df; then n_eff, n*, the interval's ends; the outcome by the SAS macro of NCHS (Martin,
# v2.0, 2021) and by the R package surveytable (R/z_lpe.R), which compares n* with 30. Worked out
# by a transcription of the macro's formulas, not by running SAS.
GOLDEN = [
    (29, 0.5, 0.092847669, 30, 29.0, 29.0, 0.309801, 0.690199, "suppress", "suppress"),
    (30, 0.5, 0.091287093, 30, 30.0, 30.0, 0.312970, 0.687030, "suppress", "suppress"),
    (100, 0.5, 0.05, 60, 100.0, 98.3986, 0.397479, 0.602521, "present", "present"),
    (1000, 0.01, 0.00315, 60, 997.7324, 960.227, 0.004720, 0.018533, "present", "present"),
    (120, 0.04, 0.017888544, 60, 120.0, 117.5888, 0.012537, 0.093031, "suppress", "suppress"),
    (120, 0.96, 0.017888544, 60, 120.0, 117.5888, 0.906969, 0.987463, "present", "present"),
    (30, 0.0, 0.0, 30, 30.0, 30.0, 0.0, 0.115703, "review", "review"),
    (500, 1.0, 0.0, 30, 500.0, 500.0, 0.992649, 1.0, "review", "review"),
    (2000, 0.2, 0.012, 7, 1111.1111, 764.2852, 0.172190, 0.230147, "review", "review"),
    (2000, 0.2, 0.012, 8, 1111.1111, 803.6364, 0.172864, 0.229356, "present", "present"),
    (200, 0.9, 0.048666426, 9, 38.0, 28.8757, 0.730446, 0.979763, "present", "suppress"),
    (200, 0.9, 0.048666426, 7, 38.0, 26.4274, 0.720096, 0.981771, "review", "suppress"),
]

SOURCES = {
    "nchs-proportions-2017": ("2(175)", "sr02_175"),
    "nchs-proportions-adjusted": ("surveytable", "CDCgov"),
    "nchs-rates-2023": ("2(200)", "sr02-200"),
    "eu-silc": ("silc_ind_tabulate.sas", "PING"),
    "dhs": ("DHS", "DHS-Indicators-Stata"),
    "mics": ("MICS", "gtwb"),
    "house-2026": ("House", "sr02_175"),
}


def _policy(repository: Path, name: str) -> ReliabilityPolicy:
    file = read_yaml(repository / f"dsd/policies/reliability/{name}.yaml")
    hold_to_schema(file, repository / "dsd/schemas/reliability.schema.json")
    return reliability_of(file)


def _facts(**changed: float | None) -> pl.DataFrame:
    usual: dict[str, float | None] = {
        "estimate": 0.25, "n": 500.0, "n_eff": 400.0, "n_star": 380.0, "events": 100.0,
        "n_num": None, "n_eff_num": None, "n_eff_den": None, "psu": 50.0, "df": 40.0, "se": 0.02,
        "cv": 0.1, "width": 0.08, "rel_width": 0.4, "item_nonresponse": 0.0,
    }  # fmt: skip
    given = usual | changed
    return pl.DataFrame(
        {
            "statistic": ["proportion"],
            **{name: pl.Series([value], dtype=pl.Float64) for name, value in given.items()},
        }
    )


@pytest.mark.parametrize(
    ("n", "p", "se", "df", "n_eff", "n_star", "low", "high", "macro", "surveytable"), GOLDEN
)
def test_nchs_in_both_readings(
    repository: Path,
    n: int,
    p: float,
    se: float,
    df: int,
    n_eff: float,
    n_star: float,
    low: float,
    high: float,
    macro: str,
    surveytable: str,
) -> None:
    cell = SimpleNamespace(
        value=np.array([p]),
        se=np.array([se]),
        constant=np.array([p in (0.0, 1.0)]),
        df=np.array([df]),
        n=np.array([n]),
    )
    found = {name: float(v[0]) for name, v in evidence._of_a_share(cast(Any, cell)).items()}
    assert found["n_eff"] == pytest.approx(n_eff, abs=1e-4)
    assert found["n_star"] == pytest.approx(n_star, abs=1e-4)
    assert found["width"] == pytest.approx(high - low, abs=2e-6)
    if 0 < p < 1:
        bounds = interval.korn_graubard([p], [se], [df], [n], capped=True)
        assert (bounds.lower[0], bounds.upper[0]) == pytest.approx((low, high), abs=1e-6)
    facts = _facts(
        estimate=p,
        n=float(n),
        n_eff=round(found["n_eff"], 6),
        n_star=round(found["n_star"], 6),
        events=float(round(n * p)),
        df=float(df),
        width=found["width"],
        rel_width=found["width"] / p if p else None,
    )
    for name, outcome in (
        ("nchs-proportions-2017", macro),
        ("nchs-proportions-adjusted", surveytable),
    ):
        assert judge(facts, _policy(repository, name))["outcome"].to_list() == [outcome], name


@pytest.mark.parametrize(
    ("changed", "outcome", "reason"),
    [
        ({"n": 30.0, "n_eff": 30.0}, "present", None),
        ({"n_eff": 29.99}, "suppress", "SAMPLE_SIZE"),
        ({"n": 29.0}, "suppress", "SAMPLE_SIZE"),
        ({"width": 0.2999, "rel_width": 1.0}, "present", None),
        ({"width": 0.30, "rel_width": 0.5}, "suppress", "ABS_WIDTH"),
        ({"width": 0.05, "rel_width": 2.0}, "present", None),
        ({"width": 0.0501, "rel_width": 1.30}, "present", None),
        ({"width": 0.0501, "rel_width": 1.3001}, "suppress", "REL_WIDTH"),
        ({"df": 8.0}, "present", None),
        ({"df": 7.0}, "review", "DF"),
        # What suppresses goes before what asks for a review.
        ({"df": 7.0, "width": 0.31}, "suppress", "ABS_WIDTH"),
        ({"events": 0.0, "rel_width": None}, "review", "ZERO_EVENTS"),
        ({"events": 500.0}, "review", "ZERO_EVENTS"),
    ],
)
def test_nchs_2017_at_its_bounds(
    repository: Path, changed: dict[str, float | None], outcome: str, reason: str | None
) -> None:
    """Vital and Health Statistics 2(175), p. 2: 30; .30 or more; over .05 and over 130%; 8."""
    verdict = judge(_facts(**changed), _policy(repository, "nchs-proportions-2017"))
    assert (verdict["outcome"][0], verdict["reason"][0]) == (outcome, reason)


@pytest.mark.parametrize(
    ("changed", "outcome", "reason"),
    [
        ({"n": 50.0, "n_eff": 30.0}, "present", None),
        ({"n": 49.0}, "flag", "SMALL_SAMPLE"),
        ({"n": 29.0}, "suppress", "SAMPLE_SIZE"),
        ({"n_eff": 29.9}, "suppress", "SAMPLE_SIZE"),
        ({"item_nonresponse": 0.2}, "present", None),
        ({"item_nonresponse": 0.21}, "flag", "NONRESPONSE"),
        ({"item_nonresponse": 0.5}, "flag", "NONRESPONSE"),
        ({"item_nonresponse": 0.51}, "suppress", "NONRESPONSE"),
        ({"width": 0.30}, "flag", "ABS_WIDTH"),
        ({"width": 0.06, "rel_width": 1.31}, "flag", "REL_WIDTH"),
        ({"width": 0.05, "rel_width": 1.31}, "present", None),
        ({"cv": 0.30}, "present", None),
        ({"cv": 0.301}, "flag", "CV"),
        ({"df": 8.0}, "present", None),
        ({"df": 7.0}, "flag", "FEW_DF"),
        ({"df": 3.0}, "flag", "FEW_DF"),
        ({"df": 2.0}, "review", "DF"),
        ({"events": 0.0, "df": 2.0}, "review", "ZERO_EVENTS"),
        ({"df": 0.0}, "suppress", "NOT_ESTIMABLE"),
        ({"psu": 1.0}, "suppress", "NOT_ESTIMABLE"),
        ({"se": None}, "suppress", "NOT_ESTIMABLE"),
    ],
)
def test_the_house_policy_at_its_bounds(
    repository: Path, changed: dict[str, float | None], outcome: str, reason: str | None
) -> None:
    """Decision 0007: the sizes of NCHS, the non-response of Eurostat, flags for wide intervals."""
    verdict = judge(_facts(**changed), _policy(repository, "house-2026"))
    assert (verdict["outcome"][0], verdict["reason"][0]) == (outcome, reason)


def test_every_policy_names_its_source(repository: Path) -> None:
    files = (repository / "dsd/policies/reliability").glob("*.yaml")
    assert {path.stem for path in files} == set(SOURCES)
    for name, (title, url) in SOURCES.items():
        policy = _policy(repository, name)
        assert policy.id == name
        assert title in policy.title
        assert url in policy.url


def test_rules_of_rates_are_for_ratios_and_those_of_shares_for_shares(repository: Path) -> None:
    """NCHS has one standard for proportions and another one for rates and counts."""
    shares = {"proportion", "poverty_rate"}
    assert _policy(repository, "nchs-proportions-2017").applies_to == shares
    assert _policy(repository, "nchs-rates-2023").applies_to == {"ratio"}
    assert _policy(repository, "house-2026").applies_to > shares | {"ratio", "mean", "gini"}
