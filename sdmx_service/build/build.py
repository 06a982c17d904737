"""From a project's definitions and microdata to a published release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import sdmx_service
from sdmx_service.build.description import describe
from sdmx_service.build.gaps import gaps
from sdmx_service.build.levels import Judged, levels, protected
from sdmx_service.build.truth import truth_annex
from sdmx_service.cube import columns
from sdmx_service.definitions.project import Project, load_project
from sdmx_service.definitions.survey import Survey
from sdmx_service.errors import DefinitionError
from sdmx_service.release.publishing import publish
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample, read_sample
from sdmx_service.survey.tabulation import estimates_of

__all__ = ["BuildReport", "Progress", "build_release"]

# Told after each step: what was done, how many steps are done, how many there are.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BuildReport:
    """What a build made, in numbers that may be printed."""

    release: str
    surveys: int
    indicators: int
    domains: int
    observations: int
    gaps: int
    flagged: int
    withheld: int
    gaps_withheld: int


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
    annexes: dict[str, Any]
    rows: dict[str, int]

    def step(self, text: str) -> None:
        self.done += 1
        self.tell(text, self.done, self.total)

    def add(self, survey: Survey) -> None:
        sample = read_sample(survey, self.project.root)
        self.rows[survey.id] = sample.frame.height
        self.step(f"{survey.id}: {sample.frame.height:,} people read")
        found: dict[str, tuple[Estimates, Judged]] = {}
        for indicator in self.project.indicators_of(survey):
            estimates = estimates_of(sample, indicator)
            decisions = protected(self.project, estimates, indicator)
            self.levels.append(levels(self.project, survey, indicator, estimates, decisions))
            self.gaps.append(gaps(self.project, survey, indicator, estimates, decisions))
            found[indicator.id] = (estimates, decisions)
            self.step(f"{survey.id}: {indicator.id} in {len(estimates):,} groups")
        self._annex(survey, sample, found)

    def _annex(
        self, survey: Survey, sample: Sample, found: dict[str, tuple[Estimates, Judged]]
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
) -> BuildReport:
    """Estimate, protect and publish everything that a project declares; return what was made.

    Nothing is published unless everything is: an error leaves the current release as it was.
    """
    if not isinstance(project, Project):
        project = load_project(project)
    surveys = list(project.surveys.values())
    steps = sum(1 + len(project.indicators_of(s)) + (s.truth is not None) for s in surveys) + 1
    assembly = _Assembly(project, progress, steps, 0, [], [], {}, {})
    for survey in surveys:
        assembly.add(survey)
    tables = {
        "DSD_INCL_IND": _together(project, "DSD_INCL_IND", assembly.levels),
        "DSD_INCL_GAP": _together(project, "DSD_INCL_GAP", assembly.gaps),
    }
    release = publish(
        Path(releases),
        title=project.publication.title,
        tables=tables,
        structures=project.dsd / "structures",
        definitions=describe(project, assembly.rows),
        annexes=assembly.annexes,
        inputs={s.id: {source.name: source.sha256 for source in s.sources} for s in surveys},
        generator=f"sdmx-service {sdmx_service.__version__}",
    )
    assembly.step(f"release {release} published")
    return _report(release, project, tables)


def _together(project: Project, structure_id: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    order = columns(project.structures.datastructure(structure_id))
    return pl.concat([part.select(order) for part in parts], how="vertical_relaxed")


def _report(release: str, project: Project, tables: dict[str, pl.DataFrame]) -> BuildReport:
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
    )
