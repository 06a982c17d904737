"""The estimates of one indicator in one survey as protected observations of DSD_INCL_IND."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from sdmx_service.build.evidence import LEVEL, evidence, intervals_of
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.review import Review
from sdmx_service.definitions.survey import Survey
from sdmx_service.model import CiMethod
from sdmx_service.protect.disclosure import complements, margins_of, primary
from sdmx_service.protect.overlap import adding_up
from sdmx_service.protect.reliability import OUTCOMES, judge, remarks
from sdmx_service.protect.review import at_least, signed
from sdmx_service.protect.status import with_status
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.estimator import Tabulated
from sdmx_service.survey.tabulation import AREA, PLACED, TOTAL, is_public

__all__ = ["NOBODY", "Judged", "Ruling", "judged", "levels", "protected", "withheld_too"]

STRUCTURE = "DSD_INCL_IND"
# What a withheld observation must not carry.
NUMBERS = (
    "OBS_VALUE",
    "STD_ERR",
    "LOWER_BOUND",
    "UPPER_BOUND",
    "CI_METHOD",
    "UNWGTD_SAMPL_SIZE",
    "WGTD_SAMPL_SIZE",
    "DESIGN_EFFECT",
    "CV",
    "RESP_RATE",
    "DEGREES_FREEDOM",
)


@dataclass(frozen=True, eq=False)
class Judged:
    """The outcome and the reason of each of K cells; ``reason`` stays inside the office."""

    outcome: pl.Series
    reason: pl.Series

    @property
    def published(self) -> np.ndarray:
        """Which cells are published, (K,)."""
        open_ = [Outcome.PRESENT.value, Outcome.FLAG.value]
        return self.outcome.cast(pl.String).is_in(open_).to_numpy()

    def shown(self, keys: pd.DataFrame) -> np.ndarray:
        """Which cells with these ``keys`` a reader sees the numbers of, (K,)."""
        return np.asarray(self.published & is_public(keys), dtype=bool)


@dataclass(frozen=True)
class Ruling:
    """What decides beside the policies: signed reviews, and the alpha behind an index."""

    reviews: tuple[Review, ...] = ()
    alpha: Outcome = Outcome.PRESENT


NOBODY = Ruling()


def judged(
    project: Project, estimates: Estimates, indicator: Indicator, ruling: Ruling = NOBODY
) -> Judged:
    """Return what the project's policies decide of each cell, signed reviews heeded."""
    facts = evidence(estimates, indicator)
    verdict = judge(facts, project.policy_for(indicator.statistic))
    verdict = signed(verdict, estimates.keys, ruling.reviews)
    verdict = at_least(verdict, ruling.alpha, "ALPHA")
    confidential = primary(facts, project.disclosure)
    return Judged(
        _stricter(verdict.get_column("outcome"), confidential),
        _named(verdict.get_column("reason"), confidential, "CONFIDENTIAL"),
    )


def _stricter(outcome: pl.Series, withheld: pl.Series) -> pl.Series:
    return (
        pl.DataFrame({"outcome": outcome, "withheld": withheld})
        .select(
            pl.when("withheld")
            .then(pl.lit(Outcome.SUPPRESS.value, dtype=OUTCOMES))
            .otherwise("outcome")
            .alias("outcome")
        )
        .to_series()
    )


def _named(reason: pl.Series, withheld: pl.Series, name: str) -> pl.Series:
    return (
        pl.DataFrame({"reason": reason, "withheld": withheld})
        .select(pl.when("withheld").then(pl.lit(name)).otherwise("reason").alias("reason"))
        .to_series()
    )


def _coarsened(project: Project, keys: pd.DataFrame) -> pl.Series:
    """Return which cells the policy withholds whatever their numbers are, (K,).

    A cell that is confidential besides stays so.
    """
    coarser = project.disclosure.coarser
    broken = keys.drop(columns=AREA) != TOTAL
    held = np.zeros(len(keys), dtype=bool)
    if coarser.crossings:
        held |= (broken.sum(axis=1) > 1).to_numpy()
    for dimension in coarser.dimensions & set(broken.columns):
        held |= broken[dimension].to_numpy()
    if coarser.levels:
        areas = project.structures.codelist("CL_AREA").by_id
        levels = {code.id: int(code.annotations["LEVEL"]) for code in areas.values()}
        held |= keys[AREA].map(levels).isin(coarser.levels).to_numpy()
    return pl.Series(held)


def protected(
    project: Project,
    estimates: Estimates,
    indicator: Indicator,
    ruling: Ruling = NOBODY,
    sensitive: np.ndarray | None = None,
) -> Judged:
    """Return the decisions with the complements of confidential cells withheld too.

    ``sensitive`` (K,) are confidential for what the estimates do not show: who dominates an amount,
    or what an earlier release told. This looks at one indicator; ``build.protection`` at all.
    """
    first = judged(project, estimates, indicator, ruling)
    coarser = _coarsened(project, estimates.keys)
    milder = coarser & (first.reason != "CONFIDENTIAL").fill_null(True)
    first = Judged(_stricter(first.outcome, milder), _named(first.reason, milder, "COARSER"))
    if sensitive is not None:
        extra = pl.Series(sensitive)
        first = Judged(_stricter(first.outcome, extra), _named(first.reason, extra, "CONFIDENTIAL"))
    keys = estimates.keys
    # All whom a breakdown places is a total beside the total, no part of it; a part with nobody
    # in it adds nothing and hides nothing.
    placed = keys.isin([PLACED]).to_numpy().any(axis=1)
    parts = np.flatnonzero(~placed & (estimates.n > 0))
    withheld = ~first.published | ~is_public(keys)
    areas = project.structures.codelist("CL_AREA").by_id
    margins = margins_of(
        pl.from_pandas(keys.iloc[parts]),
        [name for name in keys.columns if name != AREA],
        AREA,
        {code.id: code.parent for code in areas.values()},
    )
    margins, _ = adding_up(margins, estimates.n[parts])
    confidential = (first.reason == "CONFIDENTIAL").fill_null(False).to_numpy()
    joined = np.zeros(len(estimates), dtype=bool)
    joined[parts] = complements(estimates.n[parts], confidential[parts], withheld[parts], margins)
    return withheld_too(first, joined)


def withheld_too(decisions: Judged, cells: np.ndarray) -> Judged:
    """Return the decisions with these ``cells``, (K,), withheld to cover others."""
    return Judged(
        _stricter(decisions.outcome, pl.Series(cells)),
        _named(decisions.reason, pl.Series(cells), "COMPLEMENT"),
    )


def constants(survey: Survey) -> dict[str, str | None]:
    """Return the attributes that are the same for every observation of a survey."""
    return {
        "METHOD": "SURVEY",
        "DATA_SOURCE": survey.title,
        "PROV_ID": survey.provenance,
        "COMMENT_OBS": "Synthetic data: no real person or place." if survey.synthetic else None,
        "EMBARGO_TIME": None,
    }


def levels(
    project: Project, survey: Survey, indicator: Indicator, found: Tabulated, decisions: Judged
) -> pl.DataFrame:
    """Return the observations of DSD_INCL_IND, values in the indicator's unit."""
    structure = project.structures.datastructure(STRUCTURE)
    estimates, bounds = found.estimates, intervals_of(found, indicator)
    factor = indicator.factor
    se = np.where(estimates.constant, np.nan, estimates.se)
    methods = [None if m is CiMethod.NONE else m.value for m in bounds.method]
    keys = {
        dimension.id: pl.lit(TOTAL).alias(dimension.id)
        for dimension in structure.dimensions
        if dimension.id not in estimates.keys.columns
    }
    facts = evidence(estimates, indicator)
    numbers = pl.DataFrame(
        {
            "OBS_VALUE": estimates.value * factor,
            "STD_ERR": se * factor,
            "LOWER_BOUND": bounds.lower * factor,
            "UPPER_BOUND": bounds.upper * factor,
            "CI_METHOD": methods,
            "UNWGTD_SAMPL_SIZE": estimates.n.astype(np.int64),
            "WGTD_SAMPL_SIZE": estimates.weight_sum,
            "DESIGN_EFFECT": np.where(estimates.constant, np.nan, estimates.deff_wr),
            "CV": facts.get_column("cv"),
            "RESP_RATE": estimates.response_rate,
            "DEGREES_FREEDOM": estimates.df.astype(float),
        }
    ).with_columns(pl.selectors.float().fill_nan(None))
    frame = pl.concat([pl.from_pandas(estimates.keys), numbers], how="horizontal").with_columns(
        *keys.values()
    )
    frame = frame.with_columns(
        pl.lit("A").alias("FREQ"),
        pl.lit(indicator.id).alias("INDICATOR"),
        pl.lit(survey.period).alias("TIME_PERIOD"),
        pl.lit(indicator.unit).alias("UNIT_MEASURE"),
        pl.lit("0").alias("UNIT_MULT"),
        pl.lit(str(indicator.decimals)).alias("DECIMALS"),
        pl.lit(LEVEL).alias("CONF_LEVEL"),
        pl.lit(survey.design.variance_method).alias("VAR_EST_METHOD"),
        pl.lit(None, dtype=pl.String).alias("EVIDENCE_ID"),
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in constants(survey).items()),
    )
    said = remarks(facts, decisions.outcome, project.policy_for(indicator.statistic))
    frame = frame.with_columns(
        pl.concat_str("COMMENT_OBS", pl.lit(said), separator=" ", ignore_nulls=True)
        .replace("", None)
        .alias("COMMENT_OBS")
    )
    public = pl.Series(is_public(estimates.keys))
    return with_status(frame, decisions.outcome, NUMBERS).filter(public)
