"""The estimates of one indicator in one survey as protected observations of DSD_INCL_IND."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sdmx_service.definitions.indicator import Indicator, Statistic
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.survey import Survey
from sdmx_service.model import CiMethod
from sdmx_service.protect.disclosure import complements, margins_of, primary
from sdmx_service.protect.reliability import OUTCOMES, judge
from sdmx_service.protect.status import with_status
from sdmx_service.survey import interval
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.interval import Intervals
from sdmx_service.survey.tabulation import AREA, PLACED, TOTAL, is_public

__all__ = ["LEVEL", "Judged", "evidence", "intervals_of", "judged", "levels", "provenance"]

LEVEL = 0.95
STRUCTURE = "DSD_INCL_IND"
SHARES = (Statistic.PROPORTION, Statistic.POVERTY_RATE)
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


def intervals_of(estimates: Estimates, indicator: Indicator) -> Intervals:
    """Return the published intervals: logit for shares, t for means and ratios."""
    if indicator.statistic not in SHARES:
        return interval.t(estimates.value, estimates.se, estimates.df, level=LEVEL)
    return interval.of_proportions(
        estimates.value,
        estimates.se,
        estimates.df,
        estimates.n,
        national_deff=float(estimates.deff_wr[0]),
        level=LEVEL,
    )


def evidence(estimates: Estimates, indicator: Indicator) -> pl.DataFrame:
    """Return what the policies judge each estimate by, one row a cell, on the estimator's scale."""
    nothing = np.full(len(estimates), np.nan)
    n_eff = events = width = relative = nothing
    value, se = estimates.value, estimates.se
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = np.where(value != 0, se / np.abs(value), np.nan)
        if indicator.statistic in SHARES:
            events = estimates.events.astype(float)
            constant = estimates.constant
            n_eff = np.where(constant, estimates.n, value * (1 - value) / se**2)
            beta = interval.korn_graubard(
                value, se, estimates.df, estimates.n, level=LEVEL, capped=True
            )
            every = interval.clopper_pearson(value, estimates.n, level=LEVEL)
            width = np.where(constant, every.upper - every.lower, beta.upper - beta.lower)
            relative = np.where(value > 0, width / value, np.nan)
            cv = np.where(constant, np.nan, cv)
        else:
            # Answers that do not vary at all have a standard error of zero and no precision.
            se = np.where(se > 0, se, np.nan)
    return pl.DataFrame(
        {
            "statistic": [indicator.statistic.value] * len(estimates),
            "n": estimates.n.astype(float),
            "n_eff": n_eff,
            "events": events,
            "psu": estimates.n_psu.astype(float),
            "df": estimates.df.astype(float),
            "se": se,
            "cv": cv,
            "width": width,
            "rel_width": relative,
            "item_nonresponse": 1.0 - estimates.response_rate,
        }
    ).with_columns(pl.selectors.float().fill_nan(None))


def judged(project: Project, estimates: Estimates, indicator: Indicator) -> Judged:
    """Return what the project's policies decide of each cell."""
    facts = evidence(estimates, indicator)
    verdict = judge(facts, project.reliability)
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


def protected(project: Project, estimates: Estimates, indicator: Indicator) -> Judged:
    """Return the decisions with the complements of confidential cells withheld too."""
    first = judged(project, estimates, indicator)
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
    confidential = (first.reason == "CONFIDENTIAL").fill_null(False).to_numpy()
    joined = np.zeros(len(estimates), dtype=bool)
    joined[parts] = complements(estimates.n[parts], confidential[parts], withheld[parts], margins)
    return Judged(
        _stricter(first.outcome, pl.Series(joined)),
        _named(first.reason, pl.Series(joined), "COMPLEMENT"),
    )


def provenance(survey: Survey) -> str:
    """Return what identifies the input of a survey: its id and the start of its file's sha256."""
    return f"{survey.id}:{survey.sources[0].sha256[:12]}"


def constants(survey: Survey) -> dict[str, str | None]:
    """Return the attributes that are the same for every observation of a survey."""
    return {
        "METHOD": "SURVEY",
        "DATA_SOURCE": survey.title,
        "PROV_ID": provenance(survey),
        "COMMENT_OBS": "Synthetic data: no real person or place." if survey.synthetic else None,
        "EMBARGO_TIME": None,
    }


def levels(
    project: Project, survey: Survey, indicator: Indicator, estimates: Estimates, decisions: Judged
) -> pl.DataFrame:
    """Return the observations of DSD_INCL_IND, values in the indicator's unit."""
    structure = project.structures.datastructure(STRUCTURE)
    bounds = intervals_of(estimates, indicator)
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
        pl.lit("TSL").alias("VAR_EST_METHOD"),
        pl.lit(None, dtype=pl.String).alias("EVIDENCE_ID"),
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in constants(survey).items()),
    )
    public = pl.Series(is_public(estimates.keys))
    return with_status(frame, decisions.outcome, NUMBERS).filter(public)
