"""The comparisons that an indicator declares, as protected observations of DSD_INCL_GAP."""

from __future__ import annotations

import polars as pl

from sdmx_service.build.adjusted import adjusted
from sdmx_service.build.attributables import attributables
from sdmx_service.build.disparities import disparities
from sdmx_service.build.explained import explained
from sdmx_service.build.findings import Findings, observations
from sdmx_service.build.interactions import interactions
from sdmx_service.build.levels import Judged
from sdmx_service.definitions.comparison import (
    Adjusted,
    Attributable,
    Comparison,
    Crossed,
    Decomposed,
    Spread,
)
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.project import Project
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample

__all__ = ["comparisons"]


def comparisons(
    project: Project,
    sample: Sample,
    indicator: Indicator,
    estimates: Estimates,
    decisions: Judged,
) -> list[pl.DataFrame]:
    """Return the observations of each declared comparison that the survey carries.

    A figure is published where every cell that it is made of is, and is judged as the least
    reliable of them. It is a function of what is published then, or, of a model, one that holds
    nothing about a smaller group.
    """
    return [
        observations(sample.survey, indicator, decisions, found)
        for declared in indicator.comparisons
        if _carried(sample, estimates, declared)
        for found in _found(project, sample, indicator, estimates, decisions, declared)
    ]


def _carried(sample: Sample, estimates: Estimates, declared: Comparison) -> bool:
    asked = not declared.surveys or sample.survey.id in declared.surveys
    return asked and set(declared.dimensions) <= set(estimates.keys.columns)


def _found(
    project: Project,
    sample: Sample,
    indicator: Indicator,
    estimates: Estimates,
    decisions: Judged,
    declared: Comparison,
) -> list[Findings]:
    codes = project.structures.codelist("CL_BREAKDOWN").by_id
    prefix = codes[declared.breakdown].annotations["PREFIX"]
    if isinstance(declared, Attributable):
        return attributables(sample, indicator, estimates, declared, prefix)
    if isinstance(declared, Adjusted):
        return adjusted(project, sample, indicator, estimates, decisions, declared, prefix)
    if isinstance(declared, Decomposed):
        return explained(project, sample, indicator, estimates, decisions, declared, prefix)
    if isinstance(declared, Spread):
        component = project.structures.datastructure("DSD_INCL_IND").by_id[declared.breakdown]
        assert component.codelist is not None  # a dimension has one
        order = [code.id for code in component.codelist.codes]
        return disparities(sample, indicator, estimates, declared, prefix, order)
    if isinstance(declared, Crossed):
        return interactions(sample, indicator, estimates, declared, prefix)
    return []  # the intervals of a family are those of its gaps
