"""What single people contribute to the amounts of a survey, the largest first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.indicator import Indicator
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.tabulation import AREA, cells_of, outcomes

__all__ = ["contributions"]

Floats = NDArray[np.float64]


def contributions(
    sample: Sample, indicator: Indicator, keys: pd.DataFrame, count: int
) -> tuple[Floats, Floats]:
    """Return the ``count`` largest weighted amounts of people, (K, count), and their sums (K,).

    ``keys`` are the cells (K rows, as of Estimates). Amounts below zero count by their size.
    """
    cells = cells_of(sample, [name for name in keys.columns if name != AREA])
    known = outcomes(sample, indicator)
    amount = np.abs(known["variable"]) * sample.design.weights
    inside = np.isfinite(amount)
    if "universe" in known:
        inside &= known["universe"] == 1.0
    largest = np.zeros((len(cells), count))
    total = np.zeros(len(cells))
    for grouping, where in cells.slices():
        used = inside & (grouping.codes >= 0)
        people = pl.DataFrame({"cell": grouping.codes[used], "amount": amount[used]})
        tops = people.group_by("cell").agg(
            pl.col("amount").top_k(count).sort(descending=True), pl.col("amount").sum().alias("all")
        )
        for cell, amounts, whole in tops.rows():
            largest[where.start + cell, : len(amounts)] = amounts
            total[where.start + cell] = whole
    order = pd.MultiIndex.from_frame(cells.keys).get_indexer(pd.MultiIndex.from_frame(keys))
    return largest[order], total[order]
