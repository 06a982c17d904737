"""What a stranger with the whole release cannot find out, and what a second release may not add."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sdmx_service import Project, Release, open_release
from sdmx_service.build.contributions import contributions
from sdmx_service.build.earlier import Earlier, earlier_releases
from sdmx_service.build.evidence import evidence
from sdmx_service.build.levels import Judged, levels, protected
from sdmx_service.build.protection import Protection, protection
from sdmx_service.definitions.indicator import Statistic
from sdmx_service.definitions.policy import Coarsening, Dominance
from sdmx_service.definitions.survey import Survey
from sdmx_service.protect.disclosure import primary
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.estimator import Tabulated
from sdmx_service.survey.sample import Sample, read_sample
from sdmx_service.survey.tabulation import AREA, TOTAL, is_public, tabulate

NATION = "AT"


@pytest.fixture(scope="module")
def release(published: Path) -> Release:
    return open_release(published)


@pytest.fixture(scope="module")
def earlier(published: Path) -> Earlier:
    found = earlier_releases(published)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def survey(project: Project) -> Survey:
    return next(s for s in project.surveys.values() if s.area == NATION)


@pytest.fixture(scope="module")
def sample(project: Project, survey: Survey) -> Sample:
    return read_sample(survey, project.root)


@pytest.fixture(scope="module")
def found(project: Project, survey: Survey, sample: Sample) -> dict[str, Estimates]:
    return {i.id: tabulate(sample, i).estimates for i in project.indicators_of(survey)}


@pytest.fixture(scope="module")
def decided(project: Project, survey: Survey, found: dict[str, Estimates]) -> Protection:
    return protection(project, survey, found)


def _women(keys: pd.DataFrame) -> int:
    alone = (keys.drop(columns=[AREA, "SEX"]) == TOTAL).all(axis=1)
    return int(np.flatnonzero(alone & (keys[AREA] == NATION) & (keys["SEX"] == "F"))[0])


def _secret(decisions: Judged) -> np.ndarray:
    held = decisions.reason.is_in(["CONFIDENTIAL", "COMPLEMENT"]).fill_null(False)
    return np.asarray(held.to_numpy())


def _system(keys: pd.DataFrame, parents: dict[str, str | None]) -> np.ndarray:
    """Return all sums of parts less their total, a row each, straight from the keys."""
    place = {key: row for row, key in enumerate(keys.itertuples(index=False, name=None))}
    parts: dict[tuple[int, int], list[int]] = {}
    for key, row in place.items():
        for column, code in enumerate(key):
            above = parents[code] if column == 0 else (TOTAL if code != TOTAL else None)
            total = place.get((*key[:column], above, *key[column + 1 :]))
            if above is not None and total is not None:
                parts.setdefault((total, column), []).append(row)
    system = np.zeros((len(parts), len(keys)))
    for line, ((total, _), members) in enumerate(parts.items()):
        system[line, total], system[line, members] = -1.0, 1.0
    return system


def test_no_secret_figure_follows_from_the_equations_of_the_release(
    project: Project, release: Release, found: dict[str, Estimates], decided: Protection
) -> None:
    """By rank, indicator by indicator: a hidden sum that the null space of the margins fixes."""
    areas = release.structures.codelist("CL_AREA").by_id
    parents = {code.id: code.parent for code in areas.values()}
    table = release.table("DSD_INCL_IND").to_pandas()
    asked = 0
    for name, estimates in found.items():
        keys = estimates.keys[~estimates.keys.isin(["_PLACED"]).any(axis=1)]
        open_rows = table[(table["INDICATOR"] == name) & table["OBS_VALUE"].notna()]
        seen = pd.MultiIndex.from_frame(open_rows[list(keys.columns)].astype(str))
        hidden = ~pd.MultiIndex.from_frame(keys).isin(seen)
        system = _system(keys, parents)[:, hidden]
        _, size, right = np.linalg.svd(system)
        free = right[(size > 1e-9).sum() :].T
        fixed = (np.abs(free) < 1e-7).all(axis=1)
        secret = _secret(decided.decisions[name])[keys.index][hidden]
        people = estimates.n[keys.index][hidden] > 0
        asked += int((secret & people).sum())
        assert not (fixed & secret & people).any(), name
    assert asked > 100


def test_the_release_shows_what_was_decided_for_all_indicators_together(
    release: Release, found: dict[str, Estimates], decided: Protection
) -> None:
    assert decided.unprotected == 0
    assert decided.added > 0
    table = release.table("DSD_INCL_IND").filter(pl.col("OBS_VALUE").is_not_null())
    for name, estimates in found.items():
        shown = decided.decisions[name].shown(estimates.keys)
        mine = table.filter(
            (pl.col("INDICATOR") == name) & pl.col(AREA).cast(pl.String).str.starts_with(NATION)
        )
        assert mine.height == shown.sum()


def test_the_numbers_of_the_policy_are_nowhere_in_a_release(release: Release) -> None:
    said = release.definitions["policies"]["disclosure"]
    assert set(said) == {"id", "title"}
    texts = [path.read_text("utf-8") for path in release.directory.rglob("*.json")]
    for word in ("withhold_if", "events <", '"width"', '"dominance"', "COMPLEMENT", "COARSER"):
        assert not any(word in text for text in texts), word


def test_the_same_release_again_changes_nothing(
    project: Project,
    survey: Survey,
    found: dict[str, Estimates],
    decided: Protection,
    earlier: Earlier,
) -> None:
    again = protection(project, survey, found, earlier)
    assert (again.complements, again.unprotected) == (decided.complements, 0)
    for name, decisions in decided.decisions.items():
        told = earlier.told(survey, project.indicators[name], found[name])
        assert (told == decisions.shown(found[name].keys)).all()
        assert again.decisions[name].outcome.equals(decisions.outcome)


def _also_told(
    project: Project,
    survey: Survey,
    found: dict[str, Estimates],
    decided: Protection,
    earlier: Earlier,
    name: str,
    row: int,
) -> Earlier:
    """Return the earlier releases as if one more cell had been published in one of them."""
    estimates, indicator = found[name], project.indicators[name]
    outcome = decided.decisions[name].outcome.to_list()
    outcome[row] = "present"
    reason = decided.decisions[name].reason
    opened = Judged(pl.Series(outcome), reason)
    everything = levels(project, survey, indicator, Tabulated(estimates), opened)
    columns = [name for name in earlier.observations.columns if name != "BASE"]
    told = everything.filter(pl.col("OBS_VALUE").is_not_null()).select(
        pl.col(column).cast(earlier.observations.schema[column]) for column in columns
    )
    exact = told.with_columns(pl.lit(1.0).alias("BASE"))
    return Earlier(pl.concat([earlier.observations, exact]).unique())


def test_a_confidential_cell_that_was_told_is_reported(
    project: Project,
    survey: Survey,
    found: dict[str, Estimates],
    decided: Protection,
    earlier: Earlier,
) -> None:
    name = "POV_ARPT60"
    confidential = (decided.decisions[name].reason == "CONFIDENTIAL").fill_null(False).to_numpy()
    row = int(np.flatnonzero(confidential & is_public(found[name].keys) & (found[name].n > 0))[0])
    before = _also_told(project, survey, found, decided, earlier, name, row)
    again = protection(project, survey, found, before)
    assert again.unprotected >= 1
    assert not again.decisions[name].published[row]


def test_a_cover_that_was_told_is_replaced_or_the_loss_is_said(
    project: Project,
    survey: Survey,
    found: dict[str, Estimates],
    decided: Protection,
    earlier: Earlier,
) -> None:
    name = "POV_ARPT60"
    keys, n = found[name].keys, found[name].n
    cover = (decided.decisions[name].reason == "COMPLEMENT").fill_null(False).to_numpy()
    row = int(np.argmax(np.where(cover & is_public(keys), n, 0)))
    told = _also_told(project, survey, found, decided, earlier, name, row).observations
    # Only that cell was ever told: all others may still be withheld.
    mine = [pl.col(column) == code for column, code in keys.iloc[row].astype(str).items()]
    before = Earlier(told.filter(pl.col("INDICATOR") == name, *mine))
    assert before.told(survey, project.indicators[name], found[name]).nonzero()[0].tolist() == [row]
    again = protection(project, survey, found, before)
    assert again.unprotected == 0
    assert again.complements > decided.complements


def test_a_cell_that_changed_by_few_people_is_withheld(
    project: Project,
    survey: Survey,
    found: dict[str, Estimates],
    decided: Protection,
    earlier: Earlier,
) -> None:
    """The nation was published with two people fewer: the difference would single them out."""
    name = "POV_ARPT60"
    nation = (pl.col("INDICATOR") == name) & (pl.col(AREA) == NATION) & (pl.col("SEX") == "F")
    changed = earlier.observations.with_columns(
        pl.when(nation).then(pl.col(column) - less).otherwise(pl.col(column)).alias(column)
        for column, less in (("UNWGTD_SAMPL_SIZE", 2.0), ("WGTD_SAMPL_SIZE", 900.0))
    )
    again = protection(project, survey, found, Earlier(changed))
    row = _women(found[name].keys)
    assert decided.decisions[name].published[row]
    assert not again.decisions[name].published[row]


def test_a_coarser_policy_withholds_crossings_levels_and_sensitive_dimensions(
    project: Project, found: dict[str, Estimates]
) -> None:
    coarser = Coarsening(True, frozenset({1}), frozenset({"MIGRATION_STATUS"}))
    careful = replace(project, disclosure=replace(project.disclosure, coarser=coarser))
    name = "POV_ARPT60"
    keys = found[name].keys
    decisions = protected(careful, found[name], project.indicators[name])
    broken = keys.drop(columns=AREA) != TOTAL
    touched = (broken.sum(axis=1) > 1) | (keys[AREA] != NATION) | broken["MIGRATION_STATUS"]
    assert not decisions.published[touched.to_numpy()].any()
    before = protected(project, found[name], project.indicators[name])
    assert (decisions.published[~touched] <= before.published[~touched]).all()
    facts = evidence(found[name], project.indicators[name])
    confidential = primary(facts, project.disclosure).to_numpy()
    assert (decisions.reason.to_numpy()[confidential] == "CONFIDENTIAL").all()


def test_contributions_are_those_of_the_largest_people(
    project: Project, survey: Survey, sample: Sample, found: dict[str, Estimates]
) -> None:
    """Equivalised income, person by person, against the frame sorted by hand."""
    indicator = project.indicators["POV_ARPT60"]
    keys = found["POV_ARPT60"].keys
    largest, total = contributions(sample, indicator, keys, 3)
    assert indicator.variable is not None
    income = indicator.variable.evaluate(sample.frame, pl.Float64).to_numpy()
    amount = np.abs(income) * sample.design.weights
    row = _women(keys)
    women = amount[(sample.frame["SEX"] == "F").fill_null(False).to_numpy() & np.isfinite(amount)]
    np.testing.assert_allclose(largest[row], np.sort(women)[::-1][:3])
    np.testing.assert_allclose(total[row], women.sum())


def test_dominance_withholds_a_mean_of_money(
    project: Project, survey: Survey, sample: Sample
) -> None:
    """A mean that one person makes up is confidential however many people answered."""
    indicator = next(i for i in project.indicators.values() if i.id == "POV_ARPT60")
    money = replace(indicator, id="POV_ARPT60", statistic=Statistic.MEAN, unit="EUR")
    estimates = {money.id: tabulate(sample, money).estimates}
    rules = Dominance(frozenset({"EUR"}), 2.0, None, None)
    policy = replace(project.disclosure, dominance=rules)
    office = replace(project, disclosure=policy, indicators={**project.indicators, money.id: money})
    found = protection(office, survey, estimates, None, sample).decisions[money.id]
    largest, total = contributions(sample, money, estimates[money.id].keys, 1)
    dominated = largest[:, 0] > 0.02 * total
    assert 0 < dominated.sum() < len(total)
    assert (found.reason.to_numpy()[dominated] == "CONFIDENTIAL").all()
    assert found.published.any()
