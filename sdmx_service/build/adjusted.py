"""Gaps between groups with the groups of other breakdowns held equal, in the nation."""

from __future__ import annotations

import numpy as np

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.findings import Findings
from sdmx_service.build.levels import Judged
from sdmx_service.build.people import few, few_where_two_meet, personal
from sdmx_service.build.sides import Sides, groups_in_model, listed
from sdmx_service.definitions.comparison import Adjusted, Contrast, Model
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.project import Project
from sdmx_service.errors import DataError
from sdmx_service.model import Measure
from sdmx_service.survey.derived import Derived
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.margins import CovariateSampling, adjusted_gaps, standardise
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.sandwich import Family, Fit, fit_glm

__all__ = ["adjusted", "fitted"]

_FAMILIES = {Model.LOGIT: Family.LOGIT, Model.LINEAR: Family.LINEAR}
_NAMES = {Model.LOGIT: "logistic", Model.LINEAR: "linear"}
_MEASURES = {
    Contrast.DIFFERENCE: Measure.DIFFERENCE,
    Contrast.RATIO: Measure.RATIO,
    Contrast.ODDS_RATIO: Measure.ODDS_RATIO,
}


def fitted(sample: Sample, indicator: Indicator, declared: Adjusted) -> tuple[Fit, Derived]:
    """Return the model and the standardised means of the groups.

    The model has main effects only. The people over whom it is averaged are those in it, and they
    are a sample too: their influence counts (``CovariateSampling.LINEARISED``). The group that the
    survey declares comes first. Raises DataError naming the definition where there is no fit.
    """
    outcome, universe = personal(sample, indicator)
    universe = universe & np.isfinite(outcome) & (sample.design.weights > 0)
    data, _ = groups_in_model(sample, declared.dimensions, universe)
    references = {b.dimension: b.reference for b in sample.survey.breakdowns}
    try:
        fit = fit_glm(
            sample.design,
            outcome,
            data,
            declared.dimensions,
            _FAMILIES[declared.model],
            universe=universe,
            reference={name: references[name] for name in declared.dimensions},
        )
        means = standardise(fit, declared.breakdown, covariates=CovariateSampling.LINEARISED)
    except DataError as error:
        where = f"{declared.place}: {error.where}, {sample.survey.id}"
        raise type(error)(where, got=error.got, expected=error.expected, hint=error.hint) from error
    return fit, means


def adjusted(
    project: Project,
    sample: Sample,
    indicator: Indicator,
    estimates: Estimates,
    decisions: Judged,
    declared: Adjusted,
    prefix: str,
) -> list[Findings]:
    """Return the gaps of the nation's groups from the reference group, others held equal.

    They are made of all groups of the breakdown and of what is held equal: where one of them is
    withheld, so are they, and nothing is fitted. So they are where the people left out for lack of
    a group are few, or those in two groups at once: model and groups would tell of them together.
    """
    sides = Sides.of(sample, indicator, estimates, declared, prefix)
    if sides is None:
        return []
    adjustment = declared.adjustment
    measures = [_MEASURES[one] for one in declared.measures]
    outcome, inside = personal(sample, indicator)
    universe = inside & np.isfinite(outcome) & (sample.design.weights > 0)
    _, used = groups_in_model(sample, declared.dimensions, universe)
    members, left_out = sides.members(sample), universe & ~used
    told = few_where_two_meet(project, sample, indicator, declared.dimensions, outcome, used)
    if told or not sides.open(decisions):
        return [sides.withheld(measure, adjustment) for measure in measures]
    if few(project, [int((left_out & rows).sum()) for rows in (left_out, *members.values())]):
        return [sides.withheld(measure, adjustment) for measure in measures]
    fit, means = fitted(sample, indicator, declared)
    counts = {code: int((fit.used & rows).sum()) for code, rows in members.items()}
    remark = (
        f"Adjusted for {listed(project, declared.adjust_for)}: "
        f"a {_NAMES[declared.model]} model, averaged over everyone in it."
    )
    return [_finding(sides, measure, means, counts, remark) for measure in measures]


def _finding(
    sides: Sides, measure: Measure, means: Derived, counts: dict[str, int], remark: str
) -> Findings:
    groups, found = adjusted_gaps(means, sides.reference, measure, level=LEVEL)
    codes = [str(group) for group in groups]
    plain, factor = measure is Measure.DIFFERENCE, sides.indicator.factor
    scale = factor if plain else 1.0
    assert isinstance(sides.declared, Adjusted)
    return Findings(
        **sides.named(measure, sides.declared.adjustment, codes),
        value=scale * found.value,
        se=scale * found.se,
        lower=scale * found.lower,
        upper=scale * found.upper,
        df=found.df,
        p=found.p,
        comp=factor * found.group,
        ref=factor * found.reference,
        n_comp=np.array([counts[code] for code in codes]),
        n_ref=np.full(len(codes), counts[sides.reference]),
        covariance=factor**2 * found.covariance,
        none=0.0 if plain else 1.0,
        remark=remark,
    )
