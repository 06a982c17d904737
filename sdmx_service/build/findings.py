"""Figures made of several cells as protected observations of DSD_INCL_GAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.levels import Judged, constants
from sdmx_service.definitions.indicator import Direction, Indicator
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.survey import Survey
from sdmx_service.model import CiMethod
from sdmx_service.protect.reliability import OUTCOMES
from sdmx_service.protect.status import with_status
from sdmx_service.survey.comparison import CONDITIONS
from sdmx_service.survey.multiplicity import Adjustment, adjust
from sdmx_service.survey.tabulation import AREA, PLACED, TOTAL, is_public

__all__ = ["NUMBERS", "Findings", "Groups", "difference_unit", "groups_of", "observations"]

NUMBERS = (
    "OBS_VALUE",
    "STD_ERR",
    "LOWER_BOUND",
    "UPPER_BOUND",
    "CI_METHOD",
    "EST_COMP",
    "EST_REF",
    "COV_COMP_REF",
    "N_COMP",
    "N_REF",
    "DEGREES_FREEDOM",
    "P_VALUE",
    "P_ADJ",
    "P_ADJ_BH",
    "DISADV",
)

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Groups:
    """The groups of a breakdown in one area, and all whom they hold, as positions among cells."""

    area: str
    at: Mapping[str, int]
    whole: int

    @property
    def parts(self) -> list[int]:
        """The positions of the groups."""
        return list(self.at.values())


def groups_of(keys: pd.DataFrame, breakdown: str, order: Sequence[str] = ()) -> list[Groups]:
    """Return the groups of a breakdown in each area with two or more, among cells with ``keys``.

    They come in the order of the codes in ``order``, else in that of the cells. The whole is the
    area's total, or, where some people are in no group, all whom the breakdown places.
    """
    besides = [name for name in keys.columns if name not in (AREA, breakdown)]
    alone = keys[(keys[besides] == TOTAL).all(axis=1)]
    place = {code: at for at, code in enumerate(order)}
    found = []
    for area, cells in alone.groupby(AREA, sort=False):
        places = dict(zip(cells[breakdown], cells.index.to_numpy(dtype=np.intp), strict=True))
        apart = {TOTAL, *cells.loc[~is_public(cells), breakdown]}
        at = {code: int(position) for code, position in places.items() if code not in apart}
        if len(at) < 2:
            continue
        named = sorted(at, key=lambda code: place.get(code, len(place)))
        whole = int(places[PLACED if PLACED in places else TOTAL])
        found.append(Groups(str(area), {code: at[code] for code in named}, whole))
    return found


def difference_unit(indicator: Indicator) -> str:
    """Return the unit of a difference: percentage points of percentages."""
    return "PP" if indicator.unit == "PT" else indicator.unit


@dataclass(frozen=True, eq=False)
class Findings:
    """M figures of one measure in published units; every array is (M,), every sequence M long.

    ``made_of`` are the positions, among the indicator's cells, of those that a figure is made of:
    it is published where all of them are, and never where it is ``closed``. ``none`` is the value
    of no difference, for measures that tell which side fares worse. What a measure does not have is
    NaN, a count -1.
    """

    measure: str
    unit: str
    decimals: int
    method: CiMethod
    breakdown: str
    area: Sequence[str]
    comparison: Sequence[str]
    reference: Sequence[str]
    made_of: Sequence[Integers]
    value: Floats
    se: Floats
    lower: Floats
    upper: Floats
    df: Floats
    p: Floats
    family: Sequence[str]
    comp: Floats
    ref: Floats
    n_comp: NDArray[np.integer]
    n_ref: NDArray[np.integer]
    covariance: Floats | None = None
    none: float | None = None
    adjustment: str = "UNADJ"
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remark: str | None = None
    closed: bool = False


def observations(
    survey: Survey, indicator: Indicator, decisions: Judged, found: Findings
) -> pl.DataFrame:
    """Return the observations; one with a withheld cell keeps its row and carries no number.

    One that is not defined, although all of its cells are published, has no row.
    """
    size = len(found.value)
    open_ = np.array(
        [not found.closed and decisions.published[cells].all() for cells in found.made_of],
        dtype=bool,
    )
    estimable = np.isfinite(found.se) & np.isfinite(found.value)
    published = open_ & estimable
    p = np.where(published, found.p, np.nan)
    family = pd.Series(list(found.family), dtype=object)
    holm = adjust(p, family, Adjustment.HOLM)
    bh = adjust(p, family, Adjustment.BENJAMINI_HOCHBERG)
    nothing = np.full(size, np.nan)
    comment = constants(survey)["COMMENT_OBS"]
    said = [part for part in (comment, found.remark) if part]
    frame = pl.DataFrame(
        {
            AREA: list(found.area),
            "BREAKDOWN": [found.breakdown] * size,
            "COMPARISON_GROUP": list(found.comparison),
            "REFERENCE_GROUP": list(found.reference),
            **{name: list(found.conditions.get(name, [TOTAL] * size)) for name in CONDITIONS},
            "OBS_VALUE": found.value,
            "STD_ERR": found.se,
            "LOWER_BOUND": found.lower,
            "UPPER_BOUND": found.upper,
            "EST_COMP": found.comp,
            "EST_REF": found.ref,
            "COV_COMP_REF": nothing if found.covariance is None else found.covariance,
            "N_COMP": _counts(found.n_comp),
            "N_REF": _counts(found.n_ref),
            "DEGREES_FREEDOM": found.df.astype(np.float64),
            "P_VALUE": found.p,
            "P_ADJ": holm.p,
            "P_ADJ_BH": bh.p,
            "FAMILY": list(found.family),
            "FAMILY_SIZE": holm.family_size.astype(np.int64),
            "DISADV": _disadvantaged(found, indicator),
        },
        strict=False,
    ).with_columns(
        pl.selectors.float().fill_nan(None),
        *(
            pl.lit(value, dtype=pl.String).alias(name)
            for name, value in (constants(survey) | {"COMMENT_OBS": " ".join(said) or None}).items()
        ),
        pl.lit("A").alias("FREQ"),
        pl.lit(indicator.id).alias("INDICATOR"),
        pl.lit(found.measure).alias("GAP_MEASURE"),
        pl.lit(found.adjustment).alias("ADJUSTMENT"),
        pl.lit(survey.period).alias("TIME_PERIOD"),
        pl.lit(found.unit).alias("UNIT_MEASURE"),
        pl.lit("0").alias("UNIT_MULT"),
        pl.lit(str(found.decimals)).alias("DECIMALS"),
        pl.lit(LEVEL).alias("CONF_LEVEL"),
        pl.lit(survey.design.variance_method).alias("VAR_EST_METHOD"),
        pl.lit(found.method.value).alias("CI_METHOD"),
    )
    outcome = _worst(decisions, found.made_of, published)
    return with_status(frame, outcome, NUMBERS).filter(pl.Series(estimable | ~open_))


def _counts(n: NDArray[np.integer]) -> pl.Series:
    return pl.Series([None if one < 0 else int(one) for one in n], dtype=pl.Int64)


def _worst(
    decisions: Judged, made_of: Sequence[Integers], published: NDArray[np.bool_]
) -> pl.Series:
    """Return the strictest outcome of each figure's cells, suppression where it is not open."""
    names = [member.value for member in Outcome]
    rank = (
        decisions.outcome.cast(pl.String)
        .replace_strict(names, range(len(names)), return_dtype=pl.Int64)
        .to_numpy()
    )
    strictest = [
        names[rank[cells].max()] if shown else names[-1]
        for cells, shown in zip(made_of, published, strict=True)
    ]
    return pl.Series("outcome", strictest, dtype=OUTCOMES)


def _disadvantaged(found: Findings, indicator: Indicator) -> list[str]:
    """Return who is worse off: COMP, REF, NONE where the interval holds no difference, else _Z."""
    directed = indicator.direction in (Direction.HIGHER_BETTER, Direction.LOWER_BETTER)
    if found.none is None or not directed:
        return ["_Z"] * len(found.value)
    better = indicator.direction is Direction.HIGHER_BETTER
    comparison = found.upper < found.none if better else found.lower > found.none
    reference = found.lower > found.none if better else found.upper < found.none
    return [str(one) for one in np.where(comparison, "COMP", np.where(reference, "REF", "NONE"))]
