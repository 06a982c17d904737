"""How well the declared scales of a survey measure, as protected observations of DSD_INCL_SCALE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.levels import Judged, Ruling, constants
from sdmx_service.cube import columns
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.scale import Scale
from sdmx_service.definitions.survey import Survey
from sdmx_service.errors import DataError
from sdmx_service.model import CiMethod
from sdmx_service.protect.status import with_status
from sdmx_service.survey import factor, interval, reliability_alpha, scale
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.interval import Intervals
from sdmx_service.survey.reliability_alpha import AlphaPolicy, Publication
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.tabulation import AREA, TOTAL, answers, cells_of, declared_scale

__all__ = ["STRUCTURE", "Measured", "measured", "no_scales", "ruling_of", "scales"]

STRUCTURE = "DSD_INCL_SCALE"
_DECIMALS = 2
NUMBERS = (
    *("OBS_VALUE", "STD_ERR", "LOWER_BOUND", "UPPER_BOUND", "CI_METHOD"),
    *("UNWGTD_SAMPL_SIZE", "DEGREES_FREEDOM"),
)
# Bounded above by one: t intervals of log(1 - alpha). The others are t intervals.
_ALPHAS = ("ALPHA", "ALPHA_STD", "ALPHA_IF_DEL")
_OUTCOMES = {
    Publication.PRESENT: Outcome.PRESENT,
    Publication.FLAG: Outcome.FLAG,
    Publication.WITHHOLD_INDEX: Outcome.SUPPRESS,
}


@dataclass(frozen=True, eq=False)
class Measured:
    """A scale measured in A areas: its alpha (A,), all its statistics, and the loadings (A, p).

    ``statistics`` are stacked, A cells each, with the columns STATISTIC and ITEM in the keys; the
    first area is the nation.
    """

    declared: Scale
    alpha: Estimates
    statistics: Estimates
    loadings: NDArray[np.float64]

    @property
    def index(self) -> Outcome:
        """What the nation's alpha lets happen to the index, everywhere."""
        policy = AlphaPolicy(self.declared.withhold_below, self.declared.flag_below)
        return _OUTCOMES[policy.decide(float(self.alpha.value[0])).publication]


def measured(sample: Sample, declared: Scale) -> Measured:
    """Return the statistics of a declared scale in the nation and its areas.

    They are those of the people who answered every item.
    """
    items = [item.id for item in declared.items]
    scores = scale.item_scores(declared_scale(declared), answers(sample, declared))
    cells = cells_of(sample, [])
    design = sample.design
    alpha = reliability_alpha.alpha(design, cells, scores)
    inside = alpha.n > 0
    standardised = reliability_alpha.alpha(design, cells, scores, standardised=True)
    named = replace(standardised, keys=standardised.keys.assign(STATISTIC="ALPHA_STD", ITEM=TOTAL))
    every = reliability_alpha.statistics_of_scale(design, cells, scores, items)
    loadings = np.vstack(
        [
            _loadings(scores, design.weights, grouping.codes == place)
            for grouping in cells.groupings
            for place in range(len(grouping.keys))
        ]
    )
    parts = len(every) // len(alpha) + 1
    return Measured(
        declared,
        alpha.take(inside),
        every.stack(named).take(np.tile(inside, parts)),
        loadings[inside],
    )


def _loadings(
    scores: NDArray[np.float64], weights: NDArray[np.float64], rows: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the loadings on the one factor (p,), NaN where the items do not tell."""
    try:
        covariance = reliability_alpha.item_covariance(scores[rows], weights[rows])
        matrix = reliability_alpha.correlation(covariance)
        return factor.factor_analysis(matrix, 1).loadings[:, 0]
    except DataError:
        # too few answers in this area, or items that are one another's sum
        return np.full(scores.shape[1], np.nan)


def scales(project: Project, sample: Sample, found: Measured, decisions: Judged) -> pl.DataFrame:
    """Return the observations of one scale: all statistics of an area are published, or none.

    An area is judged as the mean of the index there would be, by its sample and disclosure
    (``build.protection``); the alpha itself is published whatever it is.
    """
    variance = pl.lit(sample.survey.design.variance_method).alias("VAR_EST_METHOD")
    parts = [_estimated(found).with_columns(variance), _loaded(found)]
    table = pl.concat(parts, how="vertical_relaxed")
    place = np.tile(np.arange(len(found.alpha)), table.height // len(found.alpha))
    survey = sample.survey
    frame = table.with_columns(
        pl.col(pl.Float64).fill_nan(None),
        pl.lit(found.declared.id).alias("SCALE"),
        pl.lit(TOTAL).alias("POP_GROUP"),
        pl.lit(survey.period).alias("TIME_PERIOD"),
        pl.lit(str(_DECIMALS)).alias("DECIMALS"),
        pl.lit(LEVEL).alias("CONF_LEVEL"),
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in constants(survey).items()),
    )
    order = columns(project.structures.datastructure(STRUCTURE))
    known = frame.get_column("OBS_VALUE").is_not_null() | ~pl.Series(decisions.published[place])
    return with_status(frame, decisions.outcome.gather(place), NUMBERS).filter(known).select(order)


def ruling_of(
    project: Project, survey: Survey, indicator: Indicator, scale: Measured | None
) -> Ruling:
    """Return what people have signed of an indicator, and what its scale's alpha allows."""
    mine = (indicator.id, survey.provenance)
    reviews = tuple(one for one in project.reviews if (one.indicator, one.data) == mine)
    return Ruling(reviews) if scale is None else Ruling(reviews, scale.index)


def no_scales(project: Project) -> pl.DataFrame:
    """Return the table of a project that declares no scale: its columns, no row."""
    order = columns(project.structures.datastructure(STRUCTURE))
    return pl.DataFrame(schema=dict.fromkeys(order, pl.String))


def _estimated(found: Measured) -> pl.DataFrame:
    every = found.statistics
    of_alpha = every.keys["STATISTIC"].isin(_ALPHAS).to_numpy()
    plain = interval.t(every.value, every.se, every.df, level=LEVEL)
    skew = reliability_alpha.intervals(every, level=LEVEL)
    bounds = Intervals(
        np.where(of_alpha, skew.lower, plain.lower),
        np.where(of_alpha, skew.upper, plain.upper),
        np.where(of_alpha, skew.method, plain.method),
        LEVEL,
    )
    return pl.DataFrame(
        {
            AREA: _text(every.keys[AREA]),
            "ITEM": _text(every.keys["ITEM"]),
            "STATISTIC": _text(every.keys["STATISTIC"]),
            "OBS_VALUE": every.value,
            "STD_ERR": every.se,
            "LOWER_BOUND": bounds.lower,
            "UPPER_BOUND": bounds.upper,
            "CI_METHOD": [None if m is CiMethod.NONE else m.value for m in bounds.method],
            "UNWGTD_SAMPL_SIZE": every.n.astype(np.int64),
            "DEGREES_FREEDOM": every.df.astype(np.float64),
        }
    )


def _loaded(found: Measured) -> pl.DataFrame:
    items, areas = found.declared.items, found.alpha
    nothing = np.full(len(areas), np.nan)
    parts = [
        pl.DataFrame(
            {
                AREA: _text(areas.keys[AREA]),
                "ITEM": [item.id] * len(areas),
                "STATISTIC": ["LOADING"] * len(areas),
                "OBS_VALUE": found.loadings[:, at],
                "STD_ERR": nothing,
                "LOWER_BOUND": nothing,
                "UPPER_BOUND": nothing,
                "CI_METHOD": pl.Series([None] * len(areas), dtype=pl.String),
                "UNWGTD_SAMPL_SIZE": areas.n.astype(np.int64),
                "DEGREES_FREEDOM": nothing,
                "VAR_EST_METHOD": ["NONE"] * len(areas),
            }
        )
        for at, item in enumerate(items)
    ]
    return reduce(pl.DataFrame.vstack, parts)


def _text(column: pd.Series) -> list[str]:
    return [str(value) for value in column]
