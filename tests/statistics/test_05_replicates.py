"""Replicate weights read, given and made, as R survey 4.5 has them (data: nhanes, scd)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.survey import estimate, interval, replicates, replication
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.replication import BootstrapScale, Method

pytestmark = pytest.mark.oracle

BRR = 2e-3  # another Hadamard matrix gives other half-samples, equally balanced


def nhanes(data: pd.DataFrame) -> Design:
    return Design.from_columns(data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True)


def replicated(
    tag: str, mse: bool, data: pd.DataFrame, pairs: pd.DataFrame, weights: np.ndarray
) -> Design:
    """Return the design of a record, made as its R script made it."""
    if tag == "JKn":
        return replicates.jackknife(nhanes(data), mse=mse)
    if tag == "BRR_full":
        return replicates.balanced(nhanes(pairs), mse=mse)
    if tag == "Fay_rho_0.5":
        return replicates.balanced(nhanes(pairs), rho=0.5, mse=mse)
    method, options = {
        "bootstrap_given_weights": (Method.BOOTSTRAP, {}),
        "bootstrap_from_file": (Method.BOOTSTRAP, {}),
        "successive_difference_4_over_R_from_file": (Method.SDR, {}),
        "JK1_from_file": (Method.JK1, {}),
        "Fay_rho_0.3_from_file": (Method.FAY, {"rho": 0.3}),
    }[tag]
    design = nhanes(data) if tag == "bootstrap_given_weights" else rows_alone(data)
    return replication.from_weights(
        design, weights, method, mse=mse, bootstrap_scale=BootstrapScale.R_SURVEY, **options
    )


def rows_alone(data: pd.DataFrame) -> Design:
    """Return the design of a file that says nothing of strata and PSUs."""
    return Design.from_columns(data.WTMEC2YR)


def test_replicate_variances_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("05_replicates")
    data = suite.input()
    full = data.groupby("SDMVSTRA").SDMVPSU.transform("nunique") == 2
    pairs = data[full].reset_index(drop=True)
    weights = pd.read_csv(suite.folder / "repweights_bootstrap.csv.gz").to_numpy()
    found: dict[Any, Any] = {}
    for record in suite.records:
        tag, mse, stat = record["replication"], record["mse"], record["stat"]
        if tag == "scd_BRR_4":
            values = scd(suite.input("input_scd.csv"), stat, mse)
            suite.compare(record, {"estimate": values.value[0], "se": values.se[0]})
            continue
        key = (tag, mse, stat)
        if key not in found:
            sample = pairs if tag in ("BRR_full", "Fay_rho_0.5") else data
            design = replicated(tag, mse, data, pairs, weights)
            cells = Cells.from_labels(race="race:r" + sample.race.astype(str))
            found[key] = getattr(estimate, stat)(design, cells, sample.HI_CHOL)
        values = found[key]
        at = int(np.flatnonzero(values.keys.group == record["domain"])[0])
        own = values.design.replicates
        bounds = interval.t(values.value, values.se, own.df)
        suite.compare(
            record,
            {
                "estimate": values.value[at],
                "se": values.se[at],
                "ci_low": bounds.lower[at],
                "ci_high": bounds.upper[at],
                "df": own.df,
                "df_reported": own.df,
                "scale": own.scale,
            },
            tolerance=BRR if sample_is_balanced(tag) else 1e-8,
            skip=frozenset({"deff"}),
        )
    assert suite.failures == []


def sample_is_balanced(tag: str) -> bool:
    return tag in ("BRR_full", "Fay_rho_0.5")


def scd(data: pd.DataFrame, stat: str, mse: bool) -> estimate.Estimates:
    """Return an estimate with the four half-samples given as factors (Levy and Lemeshow)."""
    half = np.array(
        [[1, 0, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1], [0, 1, 0, 1, 1, 0]]
    )
    design = replication.from_factors(
        Design.from_columns(np.ones(len(data))),
        2.0 * half.T,
        np.arange(len(data)),
        Method.BRR,
        mse=mse,
    )
    nation = Cells.from_labels(all=np.zeros(len(data)))
    if stat == "ratio":
        return estimate.ratio(design, nation, data.alive, data.arrests)
    return estimate.total(design, nation, data.alive)
