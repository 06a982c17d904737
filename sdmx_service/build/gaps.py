"""The gaps of one indicator in one survey as protected observations of DSD_INCL_GAP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.findings import NUMBERS, difference_unit
from sdmx_service.build.levels import Judged, constants, judged
from sdmx_service.build.nature import nature_of
from sdmx_service.build.simultaneous import held_together
from sdmx_service.definitions.comparison import Family
from sdmx_service.definitions.indicator import Direction, Indicator
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.survey import Survey
from sdmx_service.model import CiMethod, Measure
from sdmx_service.protect.reliability import OUTCOMES
from sdmx_service.protect.status import with_status
from sdmx_service.survey import gap
from sdmx_service.survey.comparison import CONDITIONS, plan
from sdmx_service.survey.estimate import Composition, Estimates
from sdmx_service.survey.multiplicity import Adjustment, adjust
from sdmx_service.survey.tabulation import AREA, TOTAL, is_public

__all__ = ["NUMBERS", "gaps"]

_RESTS = ("REST", "AREA_REST")


@dataclass(frozen=True, eq=False)
class _Compared:
    """Comparisons whose sides stand among the cells of ``estimates`` at ``first``, ``second``."""

    estimates: Estimates
    decisions: Judged
    first: np.ndarray
    second: np.ndarray
    open_: np.ndarray
    planned: pd.DataFrame


def _sides(
    project: Project,
    indicator: Indicator,
    estimates: Estimates,
    decisions: Judged,
    planned: pd.DataFrame,
) -> _Compared:
    """Stack the rests that the plan asks for behind the cells, and judge them like any other."""
    is_rest = planned["against"].isin(_RESTS).to_numpy()
    if not is_rest.any():
        ends = planned["group"].to_numpy(), planned["other"].to_numpy()
        published = decisions.published
        return _Compared(
            estimates, decisions, *ends, published[ends[0]] & published[ends[1]], planned
        )
    planned = pd.concat([planned[~is_rest], planned[is_rest]], ignore_index=True)
    direct = int((~is_rest).sum())
    group = planned["group"].to_numpy()
    other = planned["other"].to_numpy().copy()
    rest = estimates.rest(group[direct:], other[direct:])
    both = estimates.stack(rest)
    rest_decisions = judged(project, rest, indicator)
    outcome = pl.concat([decisions.outcome, rest_decisions.outcome])
    reason = pl.concat([decisions.reason, rest_decisions.reason])
    all_decisions = Judged(outcome, reason)
    other[direct:] = len(estimates) + np.arange(len(planned) - direct)
    whole = planned["other"].to_numpy()
    published = all_decisions.published
    # A rest is the whole less the group: the whole must be open too, and no part of it hidden,
    # or the rest would let it be worked out.
    safe = published[whole] | ~np.isin(planned["against"], _RESTS)
    safe &= _no_part_hidden(project, estimates, decisions, planned)
    return _Compared(
        both, all_decisions, group, other, published[group] & published[other] & safe, planned
    )


def _no_part_hidden(
    project: Project, estimates: Estimates, decisions: Judged, planned: pd.DataFrame
) -> np.ndarray:
    """Return, for each comparison with a rest, whether all parts of its whole are published."""
    level = _levels(project)
    # Those of no group are hidden as well, but only where they are few do they need to be.
    secret = decisions.reason.is_in(["CONFIDENTIAL", "COMPLEMENT"]).fill_null(False).to_numpy()
    hidden = estimates.keys[~decisions.published & (is_public(estimates.keys) | secret)]
    dimensions = [name for name in estimates.keys.columns if name != AREA]
    safe = np.ones(len(planned), dtype=bool)
    groups = estimates.keys.iloc[planned["group"].to_numpy()].reset_index(drop=True)
    for breakdown, against in (
        planned[["breakdown", "against"]].drop_duplicates().itertuples(index=False)
    ):
        if against not in _RESTS:
            continue
        chosen = ((planned["breakdown"] == breakdown) & (planned["against"] == against)).to_numpy()
        fixed = [name for name in (AREA, *dimensions) if name != breakdown]
        if breakdown == AREA:
            # Areas of one level make up the nation; those of another are no parts beside them.
            for depth in sorted(set(groups.loc[chosen, AREA].map(level))):
                here = chosen & (groups[AREA].map(level) == depth).to_numpy()
                parts = hidden[hidden[AREA].map(level) == depth]
                seen = set(parts[fixed].itertuples(index=False, name=None))
                rows = groups.loc[here, fixed].itertuples(index=False, name=None)
                safe[here] = [row not in seen for row in rows]
            continue
        parts = hidden[hidden[breakdown] != TOTAL]
        seen = set(parts[fixed].itertuples(index=False, name=None))
        rows = groups.loc[chosen, fixed].itertuples(index=False, name=None)
        safe[chosen] = [row not in seen for row in rows]
    return safe


def _levels(project: Project) -> dict[str, str]:
    """Return the level of each area: 0 the nation, 1 its regions."""
    areas = project.structures.codelist("CL_AREA").by_id
    return {code.id: code.annotations["LEVEL"] for code in areas.values()}


def _family(
    project: Project,
    indicator: Indicator,
    survey: Survey,
    keys: pd.DataFrame,
    planned: pd.DataFrame,
    measure: Measure,
) -> pd.Series:
    """Name the families: one indicator, area, breakdown, kind of reference and condition each."""
    areas = keys[AREA].where(planned["breakdown"] != AREA, survey.area)
    # Areas of one level are a family: XA-01 and XA-02 together, XA-01-02 in another.
    levels = keys[AREA].map(_levels(project)).radd("L").where(planned["breakdown"] == AREA, "")
    family = indicator.id + "/" + areas
    for part in (planned["breakdown"], levels, planned["against"]):
        family = family.str.cat(part, sep="/")
    for condition in CONDITIONS:
        if condition in keys.columns:
            given = keys[condition].where(planned["breakdown"] != condition, TOTAL)
            family = family.str.cat(given, sep="/")
    return family + "/" + measure.value


def _keys(
    project: Project, survey: Survey, keys: pd.DataFrame, other: pd.DataFrame, planned: pd.DataFrame
) -> dict[str, pd.Series]:
    prefixes = {
        code.id: code.annotations["PREFIX"]
        for code in project.structures.codelist("CL_BREAKDOWN").codes
    }
    comparison = pd.Series("AREA_SELF", index=planned.index)
    reference = planned["against"].map({"NATIONAL": "AREA_NATIONAL", "AREA_REST": "AREA_REST"})
    for dimension in planned["breakdown"].unique():
        if dimension == AREA:
            continue
        mine = planned["breakdown"] == dimension
        comparison = comparison.where(~mine, prefixes[dimension] + keys.get(dimension))
        named = prefixes[dimension] + other[dimension]
        rest = pd.Series(prefixes[dimension] + "REST", index=planned.index)
        reference = reference.where(~mine, named.where(planned["against"] != "REST", rest))
    conditions = {
        name: keys[name].where(planned["breakdown"] != name, TOTAL)
        if name in keys.columns
        else pd.Series(TOTAL, index=planned.index)
        for name in CONDITIONS
    }
    return {
        AREA: keys[AREA],
        "BREAKDOWN": planned["breakdown"],
        "COMPARISON_GROUP": comparison,
        "REFERENCE_GROUP": reference,
        **conditions,
    }


def _disadvantaged(found: gap.Gaps, indicator: Indicator) -> np.ndarray:
    """Return who is worse off: COMP, REF, NONE where the interval holds no difference, else _Z."""
    if indicator.direction not in (Direction.HIGHER_BETTER, Direction.LOWER_BETTER):
        return np.full(len(found), "_Z", dtype=object)
    none = 0.0 if found.measure is Measure.DIFFERENCE else 1.0
    higher = found.lower > none
    lower = found.upper < none
    comparison = lower if indicator.direction is Direction.HIGHER_BETTER else higher
    reference = higher if indicator.direction is Direction.HIGHER_BETTER else lower
    return np.where(comparison, "COMP", np.where(reference, "REF", "NONE")).astype(object)


def _worst(
    outcome: pl.Series, first: np.ndarray, second: np.ndarray, published: np.ndarray
) -> pl.Series:
    """Return the stricter outcome of the two sides, or suppression where the gap is not open."""
    names = [member.value for member in Outcome]
    rank = outcome.cast(pl.String).replace_strict(names, range(len(names))).to_numpy()
    stricter = np.where(published, np.maximum(rank[first], rank[second]), len(names) - 1)
    return pl.Series("outcome", [names[place] for place in stricter], dtype=OUTCOMES)


def _unit(indicator: Indicator, measure: Measure) -> str:
    if measure is not Measure.DIFFERENCE:
        return "RO"
    return difference_unit(indicator)


def _measures(indicator: Indicator) -> list[tuple[Measure, tuple[str, ...]]]:
    """Return each measure with the comparisons it is published for."""
    against = {
        Measure.DIFFERENCE: ("REFERENCE", "REST", "NATIONAL", "AREA_REST"),
        Measure.RATIO: ("REFERENCE", "NATIONAL"),
        Measure.ODDS_RATIO: ("REFERENCE",),
    }
    measures = nature_of(indicator).measures
    if indicator.unit == "IX":  # a score has no zero to take ratios from
        measures = tuple(measure for measure in measures if measure is not Measure.RATIO)
    return [(measure, against[measure]) for measure in measures]


def gaps(
    project: Project, survey: Survey, indicator: Indicator, estimates: Estimates, decisions: Judged
) -> pl.DataFrame | None:
    """Return the observations of DSD_INCL_GAP: each planned comparison by each measure.

    None where no comparison makes sense, as of dispersion within groups. A gap with a withheld
    side, or whose rest would give a withheld part away, keeps its row and carries no number; one
    that is not defined (a ratio to zero) has no row.
    """
    if not _measures(indicator):
        return None
    references = {b.dimension: b.reference for b in survey.breakdowns}
    shared = [b.dimension for b in survey.breakdowns if b.overlap]
    planned = plan(estimates.keys, references, survey.area, overlapping=shared)
    if estimates.composition is Composition.NONE:
        # A median of the rest does not follow from those of the whole and the part.
        planned = planned[~planned["against"].isin(_RESTS)].reset_index(drop=True)
    compared = _sides(project, indicator, estimates, decisions, planned)
    parts = []
    for measure, against in _measures(indicator):
        chosen = np.flatnonzero(compared.planned["against"].isin(against))
        if len(chosen):
            parts.append(_observations(project, survey, indicator, compared, chosen, measure))
    return pl.concat(parts) if parts else None


def _families(survey: Survey, indicator: Indicator) -> list[str]:
    """Return the breakdowns whose gaps have intervals that hold together."""
    return [
        one.breakdown
        for one in indicator.comparisons
        if isinstance(one, Family) and (not one.surveys or survey.id in one.surveys)
    ]


def _observations(
    project: Project,
    survey: Survey,
    indicator: Indicator,
    compared: _Compared,
    chosen: np.ndarray,
    measure: Measure,
) -> pl.DataFrame:
    first, second = compared.first[chosen], compared.second[chosen]
    planned = compared.planned.iloc[chosen].reset_index(drop=True)
    found = gap.compare(
        compared.estimates,
        first,
        second,
        measure,
        part=(planned["against"] != "REFERENCE").to_numpy(),
        level=LEVEL,
    )
    keys = compared.estimates.keys.iloc[first].reset_index(drop=True)
    other = compared.estimates.keys.iloc[second].reset_index(drop=True)
    published = compared.open_[chosen] & found.estimable
    family = _family(project, indicator, survey, keys, planned, measure)
    declared = planned["breakdown"].isin(_families(survey, indicator))
    declared &= planned["against"] == "REFERENCE"
    found, together = held_together(
        compared.estimates, first, second, found, family, published & declared.to_numpy()
    )
    usual = "T" if measure is Measure.DIFFERENCE else "LOG_T"
    p = np.where(published, found.p, np.nan)
    holm = adjust(p, family, Adjustment.HOLM)
    bh = adjust(p, family, Adjustment.BENJAMINI_HOCHBERG)
    factor = indicator.factor
    scale = factor if measure is Measure.DIFFERENCE else 1.0
    counts = compared.estimates.n
    worst = _worst(compared.decisions.outcome, first, second, published)
    columns = {
        name: column.to_numpy(dtype=object)
        for name, column in _keys(project, survey, keys, other, planned).items()
    }
    frame = pl.DataFrame(
        {
            **{name: column.astype(str) for name, column in columns.items()},
            "OBS_VALUE": found.value * scale,
            "STD_ERR": found.se * scale,
            "LOWER_BOUND": found.lower * scale,
            "UPPER_BOUND": found.upper * scale,
            "EST_COMP": found.group * factor,
            "EST_REF": found.reference * factor,
            "COV_COMP_REF": found.covariance * factor**2,
            "N_COMP": counts[first].astype(np.int64),
            "N_REF": counts[second].astype(np.int64),
            "DEGREES_FREEDOM": found.df,
            "P_VALUE": found.p,
            "P_ADJ": holm.p,
            "P_ADJ_BH": bh.p,
            "FAMILY": family.to_numpy(dtype=object).astype(str),
            "FAMILY_SIZE": holm.family_size.astype(np.int64),
            "DISADV": _disadvantaged(found, indicator).astype(str),
            "CI_METHOD": np.where(together, CiMethod.MAX_T.value, usual),
        }
    ).with_columns(
        pl.selectors.float().fill_nan(None),
        pl.lit("A").alias("FREQ"),
        pl.lit(indicator.id).alias("INDICATOR"),
        pl.lit(measure.value).alias("GAP_MEASURE"),
        pl.lit("UNADJ").alias("ADJUSTMENT"),
        pl.lit(survey.period).alias("TIME_PERIOD"),
        pl.lit(_unit(indicator, measure)).alias("UNIT_MEASURE"),
        pl.lit("0").alias("UNIT_MULT"),
        pl.lit(str(indicator.decimals if measure is Measure.DIFFERENCE else 2)).alias("DECIMALS"),
        pl.lit(LEVEL).alias("CONF_LEVEL"),
        pl.lit(survey.design.variance_method).alias("VAR_EST_METHOD"),
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in constants(survey).items()),
    )
    protected = with_status(frame, worst, NUMBERS)
    # Not defined although both sides are published, as a ratio to a share of zero: no row.
    defined = pl.Series(found.estimable | ~compared.open_[chosen])
    return protected.filter(defined)
