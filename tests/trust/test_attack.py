"""A stranger with all releases tries to find out what was withheld, and does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sdmx_service import Project, Release, build_release, open_release
from sdmx_service.build import BuildReport
from sdmx_service.build.evidence import evidence
from sdmx_service.build.scales import measured
from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.indicator import Statistic
from sdmx_service.definitions.policy import DisclosurePolicy, Outcome, Rule
from sdmx_service.definitions.survey import Survey
from sdmx_service.protect.disclosure import primary
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import read_sample
from sdmx_service.survey.tabulation import tabulate
from tests.trust.attack import PLACED, Attack, Key, Skeleton, Symbol, secrets_found

pytestmark = pytest.mark.slow

_ADDITIVE = (
    *(Statistic.PROPORTION, Statistic.MEAN, Statistic.SCALE_MEAN),
    Statistic.POVERTY_RATE,
)


@dataclass(frozen=True)
class Truth:
    """What the office knows of one survey: the cells of each indicator, and its estimates."""

    survey: Survey
    cells: dict[str, Skeleton]
    estimates: dict[str, Estimates]
    scales: dict[str, str]


def _skeleton(estimates: Estimates, factor: float, *, sums: bool) -> Skeleton:
    keys = list(estimates.keys.itertuples(index=False, name=None))
    whole = estimates.n + estimates.missing
    asked = {key: int(whole[row]) for row, key in enumerate(keys) if estimates.n[row] > 0}
    columns = tuple(estimates.keys.columns)
    return Skeleton(columns, asked, factor, sums, not estimates.missing.any())


def _truth(project: Project, survey: Survey) -> Truth:
    sample = read_sample(survey, project.root)
    truth = Truth(survey, {}, {}, {})
    for indicator in project.indicators_of(survey):
        found = tabulate(sample, indicator).estimates
        truth.estimates[indicator.id] = found
        truth.cells[indicator.id] = _skeleton(
            found, indicator.factor, sums=indicator.statistic in _ADDITIVE
        )
        if indicator.index is not None:
            alpha = measured(sample, indicator.index).alpha
            truth.cells[indicator.index.id] = _skeleton(alpha, 1.0, sums=False)
            truth.scales[indicator.index.id] = indicator.id
    return truth


def _secrets(project: Project, truth: Truth, policy: DisclosurePolicy) -> set[Symbol]:
    """Return what the rules make secret: counts for few people, sums for few of either kind."""
    secret: set[Symbol] = set()
    for name, estimates in truth.estimates.items():
        facts = evidence(estimates, project.indicators[name])
        held = primary(facts, policy).to_numpy() & (estimates.n > 0)
        few = primary(facts.with_columns(pl.lit(None, pl.Float64).alias("events")), policy)
        few_people = few.to_numpy() & (facts.get_column("n").to_numpy() == estimates.n)
        keys = list(estimates.keys.itertuples(index=False, name=None))
        secret |= {("a", name, keys[row]) for row in np.flatnonzero(held)}
        secret |= {("n", name, keys[row]) for row in np.flatnonzero(held & few_people)}
    return {one for one in secret if PLACED not in one[2]}


def _text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its codes as plain text."""
    coded = table.select_dtypes("category").columns
    return table.astype(dict.fromkeys(coded, str))


def _found(truth: Truth, releases: Iterable[Release]) -> set[Symbol]:
    releases = list(releases)
    structures = releases[0].structures
    areas = structures.codelist("CL_AREA").by_id
    breakdowns = structures.codelist("CL_BREAKDOWN").by_id
    attack = Attack(
        {code.id: code.parent for code in areas.values()},
        {code.id: code.annotations["PREFIX"] for code in breakdowns.values()},
    )
    for name, cells in truth.cells.items():
        attack.structure(name, cells)
    for release in releases:
        levels = _text(release.observations("DF_ALL"))
        gaps = _text(release.observations("DF_GAP"))
        scales = _text(release.observations("DF_SCALE"))
        for name, cells in truth.cells.items():
            if name in truth.scales:
                attack.scale(name, cells, scales)
                continue
            attack.levels(name, cells, levels)
            attack.rests(name, cells, gaps)
    return attack.found_out() | attack.known


@pytest.fixture(scope="module")
def truth_of(project: Project) -> Callable[[str], Truth]:
    """Return what tells the truth of a survey, worked out once for all tests."""
    return cache(lambda survey: _truth(project, project.surveys[survey]))


@pytest.fixture(scope="module")
def small(project: Project) -> Project:
    """One survey only: nine areas, people of no group, two crossings."""
    return replace(project, surveys={"AT_EUSILC": project.surveys["AT_EUSILC"]})


def _stricter(policy: DisclosurePolicy) -> DisclosurePolicy:
    more = Rule(Expression("n < 60", "test.yaml:1"), Outcome.SUPPRESS, "CONFIDENTIAL")
    return replace(policy, rules=(*policy.rules, more))


@pytest.mark.parametrize("survey", ["AT_EUSILC", "NO_ESS10", "XA_WB2023"])
def test_no_secret_follows_from_levels_rests_rates_and_scales_of_all_indicators(
    project: Project, truth_of: Callable[[str], Truth], published: Path, survey: str
) -> None:
    truth = truth_of(survey)
    secret = _secrets(project, truth, project.disclosure)
    found = _found(truth, [open_release(published)])
    assert len(secret) > 20
    assert len(found) > 1_000
    assert secrets_found(found, secret) == []


def test_the_attack_finds_what_a_careless_release_gives_away(
    project: Project, truth_of: Callable[[str], Truth]
) -> None:
    """The same release as if every cell were open but the secret ones: the attack must succeed."""
    truth = truth_of("AT_EUSILC")
    secret = _secrets(project, truth, project.disclosure)
    attack = Attack({c.id: c.parent for c in project.structures.codelist("CL_AREA").codes}, {})
    for name, cells in truth.cells.items():
        attack.structure(name, cells)
        attack.known |= {
            (kind, name, key)
            for key in cells.asked
            for kind in "nmwa"
            if "_UNPLACED" not in key and ("a", name, key) not in secret
        }
    assert len(secrets_found(attack.found_out(), secret)) > 10


@pytest.fixture(scope="module")
def loosened(small: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildReport]:
    """First a stricter policy, then the one in force: more is published, with covers known."""
    root = tmp_path_factory.mktemp("loosened")
    strict = replace(small, disclosure=_stricter(small.disclosure))
    build_release(strict, root)
    return root, build_release(small, root)


def _all(root: Path) -> list[Release]:
    return [open_release(root, path.name) for path in sorted(root.glob("2*"))]


def test_two_releases_together_tell_no_secret(
    small: Project, truth_of: Callable[[str], Truth], loosened: tuple[Path, BuildReport]
) -> None:
    root, report = loosened
    truth = truth_of("AT_EUSILC")
    assert len(_all(root)) == 2
    assert report.unprotected == 0
    secret = _secrets(small, truth, small.disclosure)
    assert secrets_found(_found(truth, _all(root)), secret) == []


def test_what_an_earlier_release_told_is_said_to_be_lost_and_nothing_else_is(
    small: Project, truth_of: Callable[[str], Truth], published: Path, tmp_path: Path
) -> None:
    """First the policy in force, then a stricter one: some of what it makes secret was told."""
    root = tmp_path / "releases"
    shutil.copytree(published, root)
    truth = truth_of("AT_EUSILC")
    before = _found(truth, _all(root))
    strict = replace(small, disclosure=_stricter(small.disclosure))
    report = build_release(strict, root)
    assert len(_all(root)) == 2
    secret = _secrets(small, truth, strict.disclosure)
    lost = secrets_found(_found(truth, _all(root)), secret)
    assert {one[1:] for one in lost} == {one[1:] for one in secrets_found(before, secret)}
    assert report.unprotected >= len({one[1:] for one in lost})
    assert lost


def test_a_withheld_row_has_no_number_in_any_column(published: Path) -> None:
    release = open_release(published)
    constant = {"CONF_LEVEL", "FAMILY_SIZE", "DECIMALS", "UNIT_MULT"}
    for flow in ("DF_ALL", "DF_GAP", "DF_SCALE"):
        table = release.observations(flow)
        withheld = table[table["RELIABILITY"] == "WITHHELD"]
        numbers = set(table.select_dtypes("number").columns) - constant
        assert {"OBS_VALUE", "STD_ERR", "LOWER_BOUND"} <= numbers
        assert withheld[sorted(numbers)].isna().all(axis=None)


def _key(columns: tuple[str, ...], **codes: str) -> Key:
    return tuple(codes.get(column, "_T") for column in columns)


def test_rests_beside_a_withheld_group_would_tell_of_those_of_no_group() -> None:
    """By hand: why no rest is published unless all groups are. Group C is withheld everywhere."""
    columns = ("REF_AREA", "SEX")
    groups = ("_T", "A", "B", "C", "_UNPLACED", PLACED)
    cells = Skeleton(
        columns,
        {(area, group): f"{area}" for area in ("Z", "Z1", "Z2") for group in groups},
        1.0,
        True,
        False,
    )
    attack = Attack({"Z": None, "Z1": "Z", "Z2": "Z"}, {"SEX": "SEX_"})
    attack.structure("I", cells)
    attack.known |= {
        (kind, "I", _key(columns, REF_AREA=area, SEX=group))
        for area in ("Z", "Z1", "Z2")
        for group in ("_T", "A", "B")
        for kind in "nwa"
    }
    last = ("n", "I", _key(columns, REF_AREA="Z2", SEX="_UNPLACED"))
    assert last not in attack.found_out()
    rows = [
        {
            "INDICATOR": "I", "REF_AREA": area, "BREAKDOWN": "SEX", "GAP_MEASURE": "DIFF",
            "COMPARISON_GROUP": f"SEX_{group}", "REFERENCE_GROUP": "SEX_REST",
            "OBS_VALUE": 0.1, "EST_REF": rest,
        }
        for area, rests in (("Z", (0.4, 0.5)), ("Z1", (0.45, 0.35)))
        for group, rest in zip("AB", rests, strict=True)
    ]  # fmt: skip
    attack.rests("I", cells, pd.DataFrame(rows))
    assert last in attack.found_out()
