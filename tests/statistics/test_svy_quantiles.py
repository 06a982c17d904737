"""Quantiles and intervals of proportions as svy, a second oracle, has them (eusilc, nhanes)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import svy

from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.quantile import quantiles


def test_quantiles_by_state_agree_with_svy(shared: Path) -> None:
    data = pd.read_csv(shared / "oracles" / "03_quantile" / "input.csv")
    design = Design.from_columns(data.rb050, psu=data.db030, stratum=data.db040)
    shares = (0.1, 0.5, 0.9)
    found = quantiles(design, Cells.from_labels(state=data.db040), data.eqIncome, shares)
    sample = svy.Sample(pl.from_pandas(data), svy.Design(stratum="db040", psu="db030", wgt="rb050"))
    theirs = sample.estimation.quantile("eqIncome", p=shares, by="db040", q_method="higher")
    for share, answer in zip(shares, theirs, strict=True):
        one, bounds = found.at(share)
        table = answer.to_polars().sort("db040")
        assert table["db040"].to_list() == list(one.keys.group[1:])
        np.testing.assert_allclose(one.value[1:], table["est"], rtol=1e-10)
        np.testing.assert_allclose(one.se[1:], table["se"], rtol=1e-8)
        np.testing.assert_allclose(bounds.lower[1:], table["lci"], rtol=1e-8)
        np.testing.assert_allclose(bounds.upper[1:], table["uci"], rtol=1e-8)


def capped(*numbers: Any) -> interval.Intervals:
    return interval.korn_graubard(*numbers, capped=True)


def logit(p: Any, se: Any, df: Any, _: Any) -> interval.Intervals:
    return interval.logit(p, se, df)


METHODS: dict[str, Callable[..., interval.Intervals]] = {
    "wilson": interval.wilson,
    "beta": interval.korn_graubard,
    "korn-graubard": capped,
    "logit": logit,
}


@pytest.mark.parametrize("method", METHODS)
def test_intervals_of_proportions_by_group_agree_with_svy(shared: Path, method: str) -> None:
    data = pd.read_csv(shared / "oracles" / "02_ciprop" / "input.csv").dropna(subset="HI_CHOL")
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    found = proportion(design, Cells.from_labels(race=data.race), data.HI_CHOL)
    bounds = METHODS[method](found.value, found.se, found.df, found.n)
    sample = svy.Sample(
        pl.from_pandas(data), svy.Design(stratum="SDMVSTRA", psu="SDMVPSU", wgt="WTMEC2YR")
    )
    answer = sample.estimation.prop("HI_CHOL", by="race", ci_method=method)
    table = answer.to_polars()
    table = table.filter(table["HI_CHOL"].cast(pl.Float64) == 1.0).sort("race")
    np.testing.assert_allclose(found.value[1:], table["est"], rtol=1e-10)
    np.testing.assert_allclose(bounds.lower[1:], table["lci"], rtol=1e-8)
    np.testing.assert_allclose(bounds.upper[1:], table["uci"], rtol=1e-8)
