"""How far all groups of a breakdown lie apart, in every area."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.findings import Findings, Groups, difference_unit, groups_of
from sdmx_service.definitions.comparison import Model, Spread, Summary
from sdmx_service.definitions.indicator import Direction, Indicator
from sdmx_service.model import CiMethod
from sdmx_service.survey import disparity
from sdmx_service.survey.disparity import Disparity
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.subgroups import Fit, Reading
from sdmx_service.survey.tabulation import TOTAL

__all__ = ["disparities"]

_NONE = "_Z"
_FITS = {Model.LOGIT: Fit.LOGIT, Model.LINEAR: Fit.LINEAR}


@dataclass(frozen=True)
class _Shown:
    """How a measure is published: its factor on the estimator's scale, its unit, its decimals."""

    factor: float
    unit: str
    decimals: int


def _shown(measure: Summary, indicator: Indicator) -> _Shown:
    squared = _Shown(indicator.factor**2, "SQ", indicator.decimals)
    per_cent, index = _Shown(1.0, "PT", 1), _Shown(1.0, "IX", 3)
    thousandths = _Shown(1.0, "IX", 1)
    others = {
        Summary.BETWEEN_GROUP_VARIANCE: squared,
        Summary.VARIATION: per_cent,
        Summary.DISPARITY_INDEX_UNWEIGHTED: per_cent,
        Summary.DISPARITY_INDEX_WEIGHTED: per_cent,
        Summary.RELATIVE_INDEX: _Shown(1.0, "RO", 2),
        Summary.RELATIVE_CONCENTRATION: index,
        Summary.ERREYGERS: index,
        Summary.WAGSTAFF: index,
        Summary.LOG_DEVIATION: thousandths,
        Summary.THEIL: thousandths,
    }
    own = _Shown(indicator.factor, difference_unit(indicator), indicator.decimals)
    return others.get(measure, own)


def disparities(
    sample: Sample,
    indicator: Indicator,
    estimates: Estimates,
    declared: Spread,
    prefix: str,
    order: Sequence[str],
) -> list[Findings]:
    """Return the declared measures over all groups, with the covariance of groups and shares.

    ``order`` are the codes of the breakdown as its codelist has them. What is never negative has no
    p value: it overstates small differences, and zero is no value that it could have by chance.
    """
    [breakdown] = [b for b in sample.survey.breakdowns if b.dimension == declared.breakdown]
    every = groups_of(estimates.keys, declared.breakdown, order)
    return [
        _finding(estimates, indicator, declared, measure, breakdown.reference, prefix, chosen)
        for measure in declared.measures
        if (chosen := _having(every, breakdown.reference, measure))
    ]


def _having(every: Sequence[Groups], reference: str, measure: Summary) -> list[Groups]:
    return [groups for groups in every if not measure.from_reference or reference in groups.at]


def _finding(
    estimates: Estimates,
    indicator: Indicator,
    declared: Spread,
    measure: Summary,
    reference: str,
    prefix: str,
    places: Sequence[Groups],
) -> Findings:
    kind, shown = Disparity(measure.value), _shown(measure, indicator)
    found = _estimated(estimates, indicator, declared, measure, reference, places)
    bounds = disparity.intervals(found, kind, level=LEVEL)
    against = prefix + reference if measure.from_reference else _NONE
    whole = np.array([groups.whole for groups in places], dtype=np.intp)
    at_reference = np.array([groups.at.get(reference, -1) for groups in places], dtype=np.intp)
    total = estimates.keys[declared.breakdown].to_numpy() == TOTAL
    nothing = np.full(len(places), np.nan)
    compared = measure.from_reference
    return Findings(
        measure=measure.value,
        unit=shown.unit,
        decimals=shown.decimals,
        method=CiMethod.LOG_T if kind.relative_to_one else CiMethod.T,
        breakdown=declared.breakdown,
        area=[groups.area for groups in places],
        comparison=[TOTAL] * len(places),
        reference=[against] * len(places),
        made_of=[
            np.array([*g.parts, *([g.whole] if total[g.whole] else [])], dtype=np.intp)
            for g in places
        ],
        value=shown.factor * found.value,
        se=shown.factor * found.se,
        lower=shown.factor * bounds.lower,
        upper=shown.factor * bounds.upper,
        df=found.df.astype(np.float64),
        p=nothing if kind.never_negative else _p(found, kind),
        family=[
            f"{indicator.id}/{groups.area}/{declared.breakdown}/{TOTAL}/{measure.value}"
            for groups in places
        ],
        comp=indicator.factor * estimates.value[whole],
        ref=indicator.factor * estimates.value[at_reference] if compared else nothing,
        n_comp=estimates.n[whole],
        n_ref=estimates.n[at_reference] if compared else np.full(len(places), -1),
    )


def _estimated(
    estimates: Estimates,
    indicator: Indicator,
    declared: Spread,
    measure: Summary,
    reference: str,
    places: Sequence[Groups],
) -> Estimates:
    """Return the measure in each place, in their order."""
    low, high = indicator.scale
    upper = 1.0 if high is None else high / indicator.factor
    by_position: dict[int | None, list[int]] = defaultdict(list)
    for at, groups in enumerate(places):
        position = list(groups.at).index(reference) if measure.from_reference else None
        by_position[position].append(at)
    parts, rows = [], []
    for position, mine in by_position.items():
        reading = Reading(
            favourable=indicator.direction is not Direction.LOWER_BETTER,
            ordered=declared.ordered,
            reference=position,
            lower=low / indicator.factor,
            upper=upper,
            fit=_FITS[declared.fit],
        )
        families = [places[at].parts for at in mine]
        parts.append(disparity.of_estimates(estimates, families, Disparity(measure.value), reading))
        rows += mine
    found = parts[0]
    for part in parts[1:]:
        found = found.stack(part)
    return found.take(np.argsort(np.array(rows)))


def _p(found: Estimates, kind: Disparity) -> np.ndarray:
    """Return the two-sided p values of no inequality: 0, or 1 of a ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = found.value / found.se
        if kind.relative_to_one:
            score = np.log(found.value) * found.value / found.se
        tail = 2.0 * special.stdtr(np.maximum(found.df, 1), -np.abs(score))
    return np.where(found.df >= 1, tail, np.nan)
