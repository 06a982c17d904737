"""Inequality along an order, as a regression on the rank by svy 0.35 has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import svy

from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.disparity import Disparity, disparity
from sdmx_service.survey.subgroups import Fit, Rank, Reading


def test_slope_and_concentration_agree_with_svy_where_ranks_are_known() -> None:
    draw = np.random.default_rng(4)
    psu = np.repeat(np.arange(60), 15)
    group = draw.integers(0, 5, 900)
    data = pd.DataFrame(
        {
            "psu": psu,
            "stratum": psu // 6,
            "weight": draw.uniform(0.4, 2.5, 900),
            "y": (draw.random(900) < 0.2 + 0.1 * group) * 1.0,
        }
    )
    share = np.bincount(group, data.weight) / data.weight.sum()
    data["rank"] = (np.cumsum(share) - share / 2)[group]
    sample = svy.Sample(
        pl.from_pandas(data), svy.Design(stratum="stratum", psu="psu", wgt="weight")
    )
    table = sample.glm.fit(y="y", x=["rank"], family="gaussian").to_polars()
    slope, error = table["estimate"][1], table["std_err"][1]

    design = Design.from_columns(data.weight, psu=data.psu, stratum=data.stratum)
    reading = Reading(ordered=True, fit=Fit.LINEAR, rank=Rank.KNOWN)
    spread = float(np.average((data["rank"] - 0.5) ** 2, weights=data.weight))
    for measure, factor in (
        (Disparity.SLOPE_INDEX, 1.0),
        (Disparity.ABSOLUTE_CONCENTRATION, 2.0 * spread),
    ):
        cells = Cells.from_labels(all=np.ones(900))
        found = disparity(design, cells, data.y, group, measure, reading)
        assert found.value[0] == pytest.approx(factor * slope, rel=1e-8)
        assert found.se[0] == pytest.approx(factor * error, rel=1e-8)
