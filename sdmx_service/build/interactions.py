"""Whether a gap is wider within one group than within another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.findings import Findings, difference_unit
from sdmx_service.definitions.comparison import Contrast, Crossed
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.model import CiMethod
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.interaction import Interaction, interact
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.tabulation import AREA, TOTAL, is_public

__all__ = ["interactions"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class _Kind:
    """The code of a measure, how the engine makes it, and the two gaps it is between."""

    code: str
    interaction: Interaction
    gap: Callable[[Floats, Floats], Floats] | None
    logarithmic: bool = False


def _odds_ratio(a: Floats, b: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a * (1.0 - b) / (b * (1.0 - a)), dtype=np.float64)


def _ratio(a: Floats, b: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a / b, dtype=np.float64)


_KINDS: Mapping[Contrast, _Kind] = {
    Contrast.DIFFERENCE: _Kind("IA_DIFF", Interaction.ADDITIVE, lambda a, b: a - b),
    Contrast.RATIO: _Kind("IA_RATIO", Interaction.LOG_RATIO, _ratio, logarithmic=True),
    Contrast.ODDS_RATIO: _Kind("IA_OR", Interaction.LOG_ODDS, _odds_ratio, logarithmic=True),
    Contrast.EXCESS: _Kind("RERI", Interaction.RERI, None),
}


def interactions(
    sample: Sample, indicator: Indicator, estimates: Estimates, declared: Crossed, prefix: str
) -> list[Findings]:
    """Return the gap of each group within each group of the condition, set against the reference's.

    A row reads: the gap between comparison and reference group within the condition, minus (over)
    the same gap within the condition's reference group, which are EST_COMP and EST_REF. The joint
    covariance of the four cells counts.
    """
    references = {b.dimension: b.reference for b in sample.survey.breakdowns}
    four = _fours(estimates.keys, declared, references)
    if four.empty:
        return []
    corners = {
        name: four[name].to_numpy(dtype=np.intp) for name in ("both", "here", "there", "neither")
    }
    return [
        _finding(estimates, indicator, declared, _KINDS[measure], four, corners, prefix, references)
        for measure in declared.measures
    ]


def _fours(keys: pd.DataFrame, declared: Crossed, references: Mapping[str, str]) -> pd.DataFrame:
    """Return the four cells of each interaction as positions, with area, group and condition.

    ``both`` is the group within the condition, ``here`` its reference group there, ``there`` the
    group within the condition's reference group, ``neither`` the reference group in that.
    """
    breakdown, within = declared.breakdown, declared.within
    besides = [name for name in keys.columns if name not in (AREA, breakdown, within)]
    crossed = (keys[besides] == TOTAL).all(axis=1) & (keys[[breakdown, within]] != TOTAL).all(
        axis=1
    )
    cells = keys[crossed & is_public(keys)][[AREA, breakdown, within]]
    cells = cells.rename_axis("position").reset_index()
    cells.columns = pd.Index(["position", "area", "group", "condition"])
    of_reference = cells["group"] == references[breakdown]
    of_usual = cells["condition"] == references[within]

    def named(chosen: pd.Series, name: str, on: list[str]) -> pd.DataFrame:
        return cells[chosen][[*on, "position"]].rename(columns={"position": name})

    return (
        named(~of_reference & ~of_usual, "both", ["area", "group", "condition"])
        .merge(named(of_reference & ~of_usual, "here", ["area", "condition"]))
        .merge(named(~of_reference & of_usual, "there", ["area", "group"]))
        .merge(named(of_reference & of_usual, "neither", ["area"]))
    )


def _finding(
    estimates: Estimates,
    indicator: Indicator,
    declared: Crossed,
    kind: _Kind,
    four: pd.DataFrame,
    corners: Mapping[str, Integers],
    prefix: str,
    references: Mapping[str, str],
) -> Findings:
    both, here, there, neither = corners.values()
    found = interact(estimates, both, here, there, neither, kind.interaction)
    bounds = found.intervals(level=LEVEL)
    value, se, lower, upper = found.value, found.se, bounds.lower, bounds.upper
    p, additive = found.p, kind.interaction is Interaction.ADDITIVE
    if kind.logarithmic:
        value, lower, upper = np.exp(value), np.exp(lower), np.exp(upper)
        se = value * se
    factor = indicator.factor if additive else 1.0
    y = estimates.value
    nothing = np.full(len(four), np.nan)
    inside = nothing if kind.gap is None else kind.gap(y[both], y[here])
    outside = nothing if kind.gap is None else kind.gap(y[there], y[neither])
    names = four[["area", "condition"]].itertuples(index=False, name=None)
    return Findings(
        measure=kind.code,
        unit=difference_unit(indicator) if additive else "RO" if kind.logarithmic else "IX",
        decimals=indicator.decimals if additive else 2,
        method=CiMethod.LOG_T if kind.logarithmic else CiMethod.T,
        breakdown=declared.breakdown,
        area=four["area"].tolist(),
        comparison=[prefix + code for code in four["group"]],
        reference=[prefix + references[declared.breakdown]] * len(four),
        made_of=list(np.column_stack([both, here, there, neither])),
        value=factor * value,
        se=factor * se,
        lower=factor * lower,
        upper=factor * upper,
        df=found.df,
        p=p,
        family=[
            f"{indicator.id}/{area}/{declared.breakdown}/{declared.within}/{condition}/{kind.code}"
            for area, condition in names
        ],
        comp=factor * inside,
        ref=factor * outside,
        n_comp=estimates.n[both] + estimates.n[here],
        n_ref=estimates.n[there] + estimates.n[neither],
        conditions={declared.within: four["condition"].tolist()},
    )
