"""Stages, lonely PSUs, replicates and calibration, as svy 0.35 has them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import svy

from sdmx_service.survey import estimate, replicates, replication
from sdmx_service.survey.calibration import calibrate, poststratify, rake
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.stages import StageColumns


@cache
def data() -> pd.DataFrame:
    """Return ten strata of four PSUs of four units of three rows, and a stratum with one PSU."""
    draw = np.random.default_rng(5)
    psu = np.repeat(np.arange(41), 12)
    stratum = psu // 4
    size = np.array([30, 20, 25, 12, 16, 40, 9, 22, 33, 14, 8])
    return pd.DataFrame(
        {
            "psu": psu,
            "stratum": [f"s{code:02}" for code in stratum],
            "unit": np.arange(492) // 3,
            "psus": size[stratum],
            "units": 11,
            "w": draw.uniform(0.5, 3.0, 492),
            "x": draw.uniform(1.0, 3.0, 492),
            "y": draw.normal(10.0, 3.0, 492) + psu % 7,
            "group": draw.choice(["a", "b", "c"], 492),
            "sex": draw.choice(["F", "M"], 492),
        }
    )


def sample(frame: pd.DataFrame, **design: Any) -> svy.Sample:
    return svy.Sample(
        pl.from_pandas(frame), svy.Design(stratum="stratum", psu="psu", wgt="w", **design)
    )


def columns(frame: pd.DataFrame) -> dict[str, Any]:
    return {"psu": frame.psu, "stratum": frame.stratum}


def agree(found: estimate.Estimates, by_svy: pl.DataFrame, rel: float = 1e-9) -> None:
    np.testing.assert_allclose(found.value[1:], by_svy["est"].to_numpy(), rtol=1e-10)
    np.testing.assert_allclose(found.se[1:], by_svy["se"].to_numpy(), rtol=rel)


def means(design: Design, frame: pd.DataFrame) -> estimate.Estimates:
    return estimate.mean(design, Cells.from_labels(group=frame.group), frame.y)


def test_two_stages_with_their_populations_agree_with_svy() -> None:
    frame = data()[data().psu < 40]
    theirs = sample(frame, ssu="unit", pop_size=svy.PopSize(psu="psus", ssu="units"))
    design = Design.from_columns(
        frame.w,
        **columns(frame),
        fpc=frame.psus,
        stages=[StageColumns(frame.unit, fpc=frame.units)],
    )
    agree(means(design, frame), theirs.estimation.mean("y", by="group").to_polars())


@pytest.mark.parametrize(
    ("lonely", "rule", "domains"),
    [
        (Lonely.ADJUST, "center", "standard"),
        (Lonely.ADJUST, "center", "apply"),
        (Lonely.AVERAGE, "scale", "standard"),
        (Lonely.AVERAGE, "scale", "apply"),
        (Lonely.REMOVE, "skip", "standard"),
    ],
)
def test_lonely_psus_agree_with_svy(lonely: Lonely, rule: str, domains: str) -> None:
    frame = data().copy()
    # group c is in one PSU of two strata
    few = frame.stratum.isin(["s02", "s07"]) & (frame.psu % 4 > 0) & (frame.group == "c")
    frame.loc[few, "group"] = "b"
    theirs = sample(frame, singleton=svy.Singleton(rule, domains=domains))
    design = Design.from_columns(
        frame.w, **columns(frame), lonely=lonely, adjust_domain=domains == "apply"
    )
    agree(means(design, frame), theirs.estimation.mean("y", by="group").to_polars())


@pytest.mark.parametrize(("using", "collapse"), [("next", None), ({"s10": "s03"}, {"s10": "s03"})])
def test_collapsed_strata_agree_with_svy(using: Any, collapse: dict[str, str] | None) -> None:
    frame = data()
    theirs = sample(frame, singleton=svy.Singleton("collapse", using=using))
    design = Design.from_columns(
        frame.w, **columns(frame), lonely=Lonely.COLLAPSE, collapse=collapse
    )
    by_svy = theirs.estimation.mean("y", by="group").to_polars()
    agree(means(design, frame), by_svy)
    assert design.df == by_svy["df"][0]


@pytest.mark.parametrize("centre", ["estimate", "rep_mean"])
def test_jackknife_agrees_with_svy(centre: str) -> None:
    frame = data()[data().psu < 40]
    theirs = sample(frame).weighting.create_jk_wgts(rep_prefix="r")
    table = theirs.estimation.mean(
        "y", by="group", method="replication", variance_center=centre
    ).to_polars()
    design = Design.from_columns(frame.w, **columns(frame))
    agree(means(replicates.jackknife(design, mse=centre == "estimate"), frame), table)


@pytest.mark.parametrize("fay", [0.0, 0.3])
def test_balanced_replicates_of_a_total_agree_with_svy(fay: float) -> None:
    frame = data()[(data().psu < 40) & (data().psu % 4 < 2)].reset_index(drop=True)
    theirs = sample(frame).weighting.create_brr_wgts(rep_prefix="r", fay_coef=fay)
    table = theirs.estimation.total(
        "y", method="replication", variance_center="estimate", fay_coef=fay
    ).to_polars()
    design = replicates.balanced(Design.from_columns(frame.w, **columns(frame)), rho=fay)
    found = estimate.total(design, Cells.from_labels(group=frame.group), frame.y)
    assert found.se[0] == pytest.approx(table["se"][0], rel=1e-9)


def test_bootstrap_weights_of_svy_read_as_a_file_agree() -> None:
    frame = data()[data().psu < 40].reset_index(drop=True)
    theirs = sample(frame).weighting.create_bs_wgts(50, rep_prefix="r", rstate=1)
    weights = theirs.data.select(pl.col("^r[0-9]+$")).to_numpy()
    table = theirs.estimation.mean(
        "y", by="group", method="replication", variance_center="estimate"
    ).to_polars()
    design = Design.from_columns(frame.w, **columns(frame))
    read = replication.from_weights(design, weights, replication.Method.BOOTSTRAP)
    assert read.n_psu == design.n_psu  # the weights vary between PSUs alone
    agree(means(read, frame), table)


def test_calibrated_weights_agree_with_svy() -> None:
    frame = data()[data().psu < 40].reset_index(drop=True)
    design = Design.from_columns(frame.w, **columns(frame))
    groups, sexes = {"a": 300.0, "b": 250.0, "c": 290.0}, {"F": 430.0, "M": 410.0}
    start = sample(frame)
    post = start.weighting.poststratify(controls=groups, cells="group", wgt_name="new")
    ours = poststratify(design, frame.group, groups)
    np.testing.assert_allclose(ours.weights, post.data["new"].to_numpy())
    raked = start.weighting.rake(
        controls={"group": groups, "sex": sexes}, wgt_name="new", tol=1e-12, max_iter=500
    )
    ours = rake(design, [(frame.group, groups), (frame.sex, sexes)])
    np.testing.assert_allclose(ours.weights, raked.data["new"].to_numpy(), rtol=1e-8)
    linear = start.weighting.calibrate_matrix(
        aux_vars=np.column_stack([np.ones(480), frame.x]), controls=[850.0, 1720.0], wgt_name="new"
    )
    ours = calibrate(design, np.column_stack([np.ones(480), frame.x]), [850.0, 1720.0])
    np.testing.assert_allclose(ours.weights, linear.data["new"].to_numpy(), rtol=1e-8)
