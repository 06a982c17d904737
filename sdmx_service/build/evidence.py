"""What the estimates of an indicator are judged by, and the intervals they are published with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.build.nature import Bounds, Nature, nature_of
from sdmx_service.definitions.indicator import Indicator, Statistic
from sdmx_service.survey import interval
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.estimator import Tabulated
from sdmx_service.survey.interval import Intervals

__all__ = ["LEVEL", "behind", "evidence", "intervals_of"]

LEVEL = 0.95

Floats = NDArray[np.float64]
Facts = dict[str, Floats]


def intervals_of(found: Tabulated, indicator: Indicator) -> Intervals:
    """Return the published intervals: logit for shares, log t for ratios of shares, else t.

    A quantile comes with its own (Woodruff's).
    """
    return _BOUNDS[nature_of(indicator).bounds](found)


def _of_shares(found: Tabulated) -> Intervals:
    estimates = found.estimates
    return interval.of_proportions(
        estimates.value,
        estimates.se,
        estimates.df,
        estimates.n,
        national_deff=float(estimates.deff_wr[0]),
        level=LEVEL,
    )


def _t(found: Tabulated) -> Intervals:
    estimates = found.estimates
    return interval.t(estimates.value, estimates.se, estimates.df, level=LEVEL)


def _log_t(found: Tabulated) -> Intervals:
    estimates = found.estimates
    return interval.log_t(estimates.value, estimates.se, estimates.df, level=LEVEL)


def _own(found: Tabulated) -> Intervals:
    if found.intervals is None:
        raise ValueError("an estimator with intervals of its own made none")
    return found.intervals


_BOUNDS: Mapping[Bounds, Callable[[Tabulated], Intervals]] = {
    Bounds.SHARE: _of_shares,
    Bounds.T: _t,
    Bounds.LOG_T: _log_t,
    Bounds.OWN: _own,
}


def behind(estimates: Estimates, nature: Nature) -> NDArray[np.intp]:
    """Return how many people carry each value, (K,): the poor where only they do."""
    return estimates.events if nature.rests_on_counted else estimates.n


def evidence(estimates: Estimates, indicator: Indicator) -> pl.DataFrame:
    """Return what the policies judge each estimate by, one row a cell, on the estimator's scale.

    A fact that a statistic does not have is null: ``protect.reliability.judge`` says what each is.
    """
    nature = nature_of(indicator)
    nothing = np.full(len(estimates), np.nan)
    people = behind(estimates, nature)
    facts: Facts = {
        "estimate": estimates.value,
        "n": people.astype(np.float64),
        **dict.fromkeys(("n_eff", "n_star", "events", "n_num", "n_eff_num", "n_eff_den"), nothing),
        "psu": estimates.n_psu.astype(np.float64),
        "df": estimates.df.astype(np.float64),
        # Answers that do not vary at all have a standard error of zero and no precision.
        "se": np.where(estimates.se > 0, estimates.se, np.nan),
        "cv": nothing,
        "width": nothing,
        "rel_width": nothing,
        "item_nonresponse": 1.0 - estimates.response_rate,
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = estimates.se / np.abs(estimates.value)
        facts["cv"] = np.where((estimates.value != 0) & ~estimates.constant, spread, np.nan)
    if nature.counts:
        facts["events"] = estimates.events.astype(np.float64)
    if nature.is_share:
        facts |= _of_a_share(estimates)
    if indicator.statistic is Statistic.RATIO:
        facts |= _of_a_ratio(estimates)
    return pl.DataFrame(
        {"statistic": [indicator.statistic.value] * len(estimates), **facts}
    ).with_columns(pl.selectors.float().fill_nan(None))


def _of_a_share(estimates: Estimates) -> Facts:
    """Return the facts of NCHS 2(175): effective sample, Korn-Graubard width."""
    value, se, constant = estimates.value, estimates.se, estimates.constant
    beta = interval.korn_graubard(value, se, estimates.df, estimates.n, level=LEVEL, capped=True)
    every = interval.clopper_pearson(value, estimates.n, level=LEVEL)
    width = np.where(constant, every.upper - every.lower, beta.upper - beta.lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(constant, estimates.n, value * (1 - value) / se**2)
        ratio = interval.critical(estimates.n - 1.0, LEVEL) / interval.critical(
            estimates.df.astype(np.float64), LEVEL
        )
        adjusted = np.minimum(estimates.n, effective * ratio**2)
        return {
            "n_eff": effective,
            "n_star": np.where(constant, estimates.n, adjusted),
            "se": se,
            "width": width,
            "rel_width": np.where(value > 0, width / value, np.nan),
        }


def _of_a_ratio(estimates: Estimates) -> Facts:
    """Return the facts of NCHS 2(200): samples of numerator and denominator, log t width."""
    counted = estimates.events.astype(np.float64)
    effect = estimates.deff_wr
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = counted / effect
        bounds = interval.log_t(estimates.value, estimates.se, effective - 1.0, level=LEVEL)
        return {
            "n_num": counted,
            "n_eff_num": effective,
            "n_eff_den": estimates.n / effect,
            "rel_width": (bounds.upper - bounds.lower) / estimates.value,
        }
