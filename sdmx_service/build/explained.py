"""How much of a gap goes with what the groups are made of, and how much does not, in the nation."""

from __future__ import annotations

import numpy as np
from scipy import special

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.findings import Findings
from sdmx_service.build.levels import Judged
from sdmx_service.build.people import few, few_where_two_meet, personal
from sdmx_service.build.sides import Sides, groups_in_model, listed
from sdmx_service.definitions.comparison import Decomposed, Yardstick
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.project import Project
from sdmx_service.errors import DataError
from sdmx_service.model import Measure
from sdmx_service.survey.derived import Derived, stacked
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.interval import t
from sdmx_service.survey.oaxaca import Pooling, decompose
from sdmx_service.survey.sample import Sample

__all__ = ["explained"]

_PARTS = ("EXPLAINED", "UNEXPLAINED")
_COEFFICIENTS: dict[Yardstick, float | Pooling] = {
    Yardstick.REFERENCE: 0.0,
    Yardstick.COMPARISON: 1.0,
    Yardstick.HALF: 0.5,
    Yardstick.POOLED: Pooling.JANN,
}
_WORDS = {
    Yardstick.REFERENCE: "those of the reference group",
    Yardstick.COMPARISON: "those of the comparison group",
    Yardstick.HALF: "half those of each group",
    Yardstick.POOLED: "those of both groups pooled, the group held equal",
}


def explained(
    project: Project,
    sample: Sample,
    indicator: Indicator,
    estimates: Estimates,
    decisions: Judged,
    declared: Decomposed,
    prefix: str,
) -> list[Findings]:
    """Return the explained and the unexplained part of each group's gap from the reference group.

    They add up to the gap between the people of the two groups who have a group in every dimension,
    which EST_COMP less EST_REF is. Withheld as an adjusted gap is. Raises DataError naming the
    definition where a group has no model.
    """
    sides = Sides.of(sample, indicator, estimates, declared, prefix)
    if sides is None:
        return []
    withheld = [sides.withheld(Measure.DIFFERENCE, part) for part in _PARTS]
    outcome, universe = personal(sample, indicator)
    universe = universe & np.isfinite(outcome) & (sample.design.weights > 0)
    _, used = groups_in_model(sample, declared.dimensions, universe)
    told = few_where_two_meet(project, sample, indicator, declared.dimensions, outcome, used)
    if told or not sides.open(decisions):
        return withheld
    members, left_out = sides.members(sample), universe & ~used
    if few(project, [int((left_out & rows).sum()) for rows in (left_out, *members.values())]):
        return withheld
    means, parts, counts = [], [], []
    for code in sides.others:
        both = used & (members[code] | members[sides.reference])
        # What only other groups have is no part of this pair's model.
        data, _ = groups_in_model(sample, declared.explained_by, both)
        side = np.where(members[code], 1.0, 0.0)
        try:
            found = decompose(
                sample.design,
                outcome,
                data,
                declared.explained_by,
                np.where(both, side, np.nan),
                reference=_COEFFICIENTS[declared.yardstick],
                universe=both,
            )
        except DataError as error:
            where = f"{declared.place}: {error.where} ({code}), {sample.survey.id}"
            raise type(error)(
                where, got=error.got, expected=error.expected, hint=error.hint
            ) from error
        means.append(found.means.value)
        parts.append(found.twofold)
        counts.append(found.rows)
    remark = (
        f"Decomposed by {listed(project, declared.explained_by)}: linear models, "
        f"the coefficients of no advantage being {_WORDS[declared.yardstick]}."
    )
    return [
        _finding(sides, part, parts, np.array(means), np.array(counts), remark) for part in _PARTS
    ]


def _finding(
    sides: Sides,
    part: str,
    parts: list[Derived],
    means: np.ndarray,
    counts: np.ndarray,
    remark: str,
) -> Findings:
    one = stacked(
        [
            found.take(((found.keys["part"] == part) & (found.keys["term"] == "_T")).to_numpy())
            for found in parts
        ]
    )
    factor = sides.indicator.factor
    error = np.where(one.se > 0, one.se, np.nan)
    bounds = t(one.value, error, one.df, level=LEVEL)
    score = np.abs(one.value / error)
    return Findings(
        **sides.named(Measure.DIFFERENCE, part, sides.others),
        value=factor * one.value,
        se=factor * error,
        lower=factor * bounds.lower,
        upper=factor * bounds.upper,
        df=one.df,
        p=2.0 * special.stdtr(np.maximum(one.df, 1.0), -score),
        comp=factor * means[:, 0],
        ref=factor * means[:, 1],
        n_comp=counts[:, 0],
        n_ref=counts[:, 1],
        remark=remark,
    )
