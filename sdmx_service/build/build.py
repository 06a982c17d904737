"""From a project's definitions and microdata to a published release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import sdmx_service
from sdmx_service.build.comparisons import comparisons
from sdmx_service.build.description import describe
from sdmx_service.build.earlier import Earlier, earlier_releases
from sdmx_service.build.gaps import gaps
from sdmx_service.build.levels import Judged, Ruling, levels
from sdmx_service.build.protection import protection
from sdmx_service.build.scales import STRUCTURE as SCALES
from sdmx_service.build.scales import Measured, measured, no_scales, ruling_of, scales
from sdmx_service.build.truth import truth_annex
from sdmx_service.cube import columns
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project, load_project
from sdmx_service.definitions.survey import Survey
from sdmx_service.errors import DefinitionError
from sdmx_service.protect.rounding import deterministic, with_rounded_counts
from sdmx_service.release.publishing import publish, refuse_unfit
from sdmx_service.survey.estimator import Tabulated
from sdmx_service.survey.sample import Sample, read_sample
from sdmx_service.survey.tabulation import is_public, tabulate

__all__ = ["BuildReport", "Progress", "build_release"]

# The columns that count people of the sample.
COUNTS = ("UNWGTD_SAMPL_SIZE", "N_COMP", "N_REF")

# Told after each step: what was done, how many steps are done, how many there are.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BuildReport:
    """What a build made, in numbers that may be printed.

    ``reviews_waiting`` are cells that nobody has signed yet, by indicator: they stay withheld.
    ``unprotected`` confidential cells can be worked out with what earlier releases told: it is for
    the office alone.
    """

    release: str
    surveys: int
    indicators: int
    domains: int
    observations: int
    gaps: int
    flagged: int
    withheld: int
    gaps_withheld: int
    scales: int
    reviews_waiting: dict[str, int]
    unprotected: int = 0


def _silent(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(eq=False)
class _Assembly:
    """What accumulates while surveys are estimated one after another."""

    project: Project
    tell: Progress
    total: int
    done: int
    levels: list[pl.DataFrame]
    gaps: list[pl.DataFrame]
    scales: list[pl.DataFrame]
    annexes: dict[str, Any]
    rows: dict[str, int]
    waiting: dict[str, int]
    earlier: Earlier | None
    unprotected: int = 0

    def step(self, text: str) -> None:
        self.done += 1
        self.tell(text, self.done, self.total)

    def add(self, survey: Survey) -> None:
        sample = read_sample(survey, self.project.root)
        self.rows[survey.id] = sample.frame.height
        self.step(f"{survey.id}: {sample.frame.height:,} people read")
        tabulated: dict[str, Tabulated] = {}
        rulings: dict[str, Ruling] = {}
        measures: dict[str, Measured] = {}
        indicators = self.project.indicators_of(survey)
        for indicator in indicators:
            tabulated[indicator.id] = tabulate(sample, indicator)
            if indicator.index is not None:
                measures[indicator.id] = measured(sample, indicator.index)
            rulings[indicator.id] = ruling_of(
                self.project, survey, indicator, measures.get(indicator.id)
            )
            groups = len(tabulated[indicator.id].estimates)
            self.step(f"{survey.id}: {indicator.id} in {groups:,} groups")
        estimated = {name: one.estimates for name, one in tabulated.items()}
        decided = protection(
            self.project, survey, estimated, self.earlier, sample, rulings, measures
        )
        self.unprotected += decided.unprotected
        for scale in measures.values():
            allowed = decided.decisions[scale.declared.id]
            self.scales.append(scales(self.project, sample, scale, allowed))
        found: dict[str, tuple[Tabulated, Judged]] = {}
        for indicator in indicators:
            one, decisions = tabulated[indicator.id], decided.decisions[indicator.id]
            self.levels.append(levels(self.project, survey, indicator, one, decisions))
            compared = gaps(self.project, survey, indicator, one.estimates, decisions)
            if compared is not None:
                self.gaps.append(compared)
            self.gaps += comparisons(self.project, sample, indicator, one.estimates, decisions)
            self._count_waiting(indicator, decisions, is_public(one.estimates.keys))
            found[indicator.id] = (one, decisions)
        self._annex(survey, sample, found)

    def _count_waiting(
        self, indicator: Indicator, decisions: Judged, public: NDArray[np.bool_]
    ) -> None:
        under_review = (decisions.outcome.cast(pl.String) == Outcome.REVIEW.value).to_numpy()
        waiting = int((under_review & public).sum())
        if waiting:
            self.waiting[indicator.id] = self.waiting.get(indicator.id, 0) + waiting

    def _annex(
        self, survey: Survey, sample: Sample, found: dict[str, tuple[Tabulated, Judged]]
    ) -> None:
        if survey.truth is None:
            return
        if not survey.synthetic:
            raise DefinitionError(
                survey.place, got="a truth", expected="one for synthetic surveys only"
            )
        name = f"truth_{survey.area}"
        self.annexes[name] = truth_annex(self.project, survey, survey.truth, sample, found)
        self.step(f"{survey.id}: intervals held to the truth")


def build_release(
    project: Project | str | Path = ".",
    releases: str | Path = "build/releases",
    *,
    progress: Progress = _silent,
    embargo: datetime | None = None,
) -> BuildReport:
    """Estimate, protect and publish everything that a project declares; return what was made.

    It is public from ``embargo`` on, else at once. Nothing is published unless everything is: an
    error leaves the current release as it was.
    """
    if embargo is not None:
        refuse_unfit(embargo)
    if not isinstance(project, Project):
        project = load_project(project)
    surveys = list(project.surveys.values())
    steps = sum(1 + len(project.indicators_of(s)) + (s.truth is not None) for s in surveys) + 1
    assembly = _Assembly(
        project, progress, steps, 0, [], [], [], {}, {}, {}, earlier_releases(Path(releases))
    )
    for survey in surveys:
        assembly.add(survey)
    tables = {
        "DSD_INCL_IND": _together(project, "DSD_INCL_IND", assembly.levels),
        "DSD_INCL_GAP": _together(project, "DSD_INCL_GAP", assembly.gaps),
        SCALES: _together(project, SCALES, assembly.scales or [no_scales(project)]),
    }
    tables = {
        name: with_rounded_counts(table, COUNTS, project.disclosure.base)
        for name, table in tables.items()
    }
    base = project.disclosure.base
    sizes = deterministic(np.array(list(assembly.rows.values()), dtype=float), base)
    rows = {survey: int(size) for survey, size in zip(assembly.rows, sizes, strict=True)}
    release = publish(
        Path(releases),
        title=project.publication.title,
        tables=tables,
        structures=project.dsd / "structures",
        definitions=describe(project, rows),
        annexes=assembly.annexes,
        inputs={s.id: {source.name: source.sha256 for source in s.sources} for s in surveys},
        generator=f"sdmx-service {sdmx_service.__version__}",
        embargo=embargo,
    )
    when = f"is public from {embargo.isoformat()} on" if embargo else "published"
    assembly.step(f"release {release} {when}")
    report = _report(release, project, tables, assembly.waiting)
    return replace(report, unprotected=assembly.unprotected)


def _together(project: Project, structure_id: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    order = columns(project.structures.datastructure(structure_id))
    return pl.concat([part.select(order) for part in parts], how="vertical_relaxed")


def _report(
    release: str, project: Project, tables: dict[str, pl.DataFrame], waiting: dict[str, int]
) -> BuildReport:
    observations, differences = tables["DSD_INCL_IND"], tables["DSD_INCL_GAP"]

    def count(frame: pl.DataFrame, reliability: str) -> int:
        return frame.filter(pl.col("RELIABILITY") == reliability).height

    indicators = observations.get_column("INDICATOR").unique().to_list()
    return BuildReport(
        release=release,
        surveys=len(project.surveys),
        indicators=len(indicators),
        domains=len({project.indicators[id].domain for id in indicators}),
        observations=observations.height,
        gaps=differences.height,
        flagged=count(observations, "FLAG"),
        withheld=count(observations, "WITHHELD"),
        gaps_withheld=count(differences, "WITHHELD"),
        scales=tables[SCALES].get_column("SCALE").n_unique(),
        reviews_waiting=dict(sorted(waiting.items())),
    )
