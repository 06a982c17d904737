"""What each person of a sample has, for a model of an indicator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.build.nature import nature_of
from sdmx_service.definitions.indicator import Indicator, Statistic
from sdmx_service.definitions.project import Project
from sdmx_service.protect.disclosure import primary
from sdmx_service.survey import multidimensional
from sdmx_service.survey.estimator import DEPRIVED
from sdmx_service.survey.poverty_line import PovertyLine, national_line
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.tabulation import outcomes

__all__ = ["few", "few_where_two_meet", "personal"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def personal(sample: Sample, indicator: Indicator) -> tuple[Floats, Booleans]:
    """Return what each person has, (n,), NaN missing, and who is in the universe, (n,).

    Who is poor by an estimated threshold is so by that of this sample, which is held for known.
    """
    known = outcomes(sample, indicator)
    universe = np.ones(sample.design.n_rows, dtype=bool)
    if "universe" in known:
        universe = known["universe"] == 1.0
    if indicator.statistic is Statistic.PROPORTION:
        return known["numerator"], universe
    if indicator.statistic is Statistic.MULTIDIMENSIONAL:
        declared = indicator.deprivations
        people = multidimensional.profile(
            sample.design,
            {one.id: known[DEPRIVED + one.id] for one in declared},
            {one.id: float(one.weight) for one in declared},
        )
        return people.poor(indicator.parameters["cutoff"]), universe
    value = known["variable"]
    if indicator.statistic is not Statistic.POVERTY_RATE:
        return value, universe
    line = PovertyLine(share=indicator.parameters["share_of_median"], strict=indicator.strict)
    answered = np.isfinite(value)
    limit = national_line(sample.design, value, answered, None, line).value
    poor = line.is_poor(np.nan_to_num(value), limit).astype(np.float64)
    return np.where(answered, poor, np.nan), universe


def few(project: Project, counts: Sequence[int]) -> bool:
    """Whether one of these counts of people is small enough to be confidential."""
    facts = pl.DataFrame(
        {"n": [float(n) for n in counts if n > 0], "events": None},
        schema={"n": pl.Float64, "events": pl.Float64},
    )
    return bool(primary(facts, project.disclosure).any())


def few_where_two_meet(
    project: Project,
    sample: Sample,
    indicator: Indicator,
    dimensions: Sequence[str],
    outcome: Floats,
    used: Booleans,
) -> bool:
    """Whether some group of one dimension and some group of another share few people of a model.

    ``outcome`` (n,) and ``used`` (n,) are those of the model. With the groups by themselves known,
    a model of two breakdowns of two groups tells all four cells where they meet.
    """
    nature = nature_of(indicator)
    people = (
        sample.frame.select(dimensions)
        .with_columns(event=pl.Series(np.nan_to_num(outcome) != 0))
        .filter(pl.Series(used))
    )
    for pair in combinations(dimensions, 2):
        counted = people.group_by(pair).agg(
            pl.len().cast(pl.Float64).alias("n"),
            pl.col("event").sum().cast(pl.Float64).alias("events"),
        )
        if not nature.counts:
            counted = counted.with_columns(pl.lit(None, dtype=pl.Float64).alias("events"))
        if primary(counted.select("n", "events"), project.disclosure).any():
            return True
    return False
