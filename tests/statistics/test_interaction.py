"""Two disadvantages together: additive and multiplicative, as R survey's svycontrast has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.interaction import Interaction, interact

# R 4.2.2, survey 4.1-1, nhanes, rows with high cholesterol known: value and standard error
EXPECTED = {
    Interaction.RERI: (("r2F", "r2M", "r1F", "r1M"), 0.6123217673225828, 0.1274874832811165),
    Interaction.ATTRIBUTABLE: (
        ("r2F", "r2M", "r1F", "r1M"),
        0.4913186233902378,
        0.0970135324441093,
    ),
    Interaction.LOG_ODDS: (("r2F", "r2M", "r1F", "r1M"), 0.7078440065688816, 0.1705277739053722),
    Interaction.LOG_SYNERGY: (
        ("r3F", "r3M", "r1F", "r4F"),
        -0.1842304556635408,
        2.5841062079631216,
    ),
}


@pytest.mark.parametrize("measure", EXPECTED)
def test_interactions_agree_with_svycontrast(shared: Path, measure: Interaction) -> None:
    data = pd.read_csv(shared / "oracles" / "06_gaps" / "input.csv")
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    both = "r" + data.race.astype(str) + data.RIAGENDR.map({1: "M", 2: "F"})
    found = proportion(design, Cells.from_labels(both=both), data.HI_CHOL)
    groups, value, error = EXPECTED[measure]
    places = [found.keys["group"].tolist().index(group) for group in groups]
    result = interact(found, *places, measure)
    assert result.value[0] == pytest.approx(value, rel=1e-10)
    assert result.se[0] == pytest.approx(error, rel=1e-9)
    assert result.df[0] == 16
    assert result.keys["group"].tolist() == [groups[0]]


@pytest.mark.parametrize("measure", Interaction)
def test_gradients_are_those_of_the_values(measure: Interaction) -> None:
    """Standard errors by central differences of the measure itself."""
    draw = np.random.default_rng(4)
    group = draw.integers(0, 4, 600)
    outcome = (draw.random(600) < np.array([0.2, 0.3, 0.35, 0.5])[group]) * 1.0
    design = Design.from_columns(draw.uniform(1, 2, 600), psu=np.arange(600) // 15)
    found = proportion(design, Cells.from_labels(group=group), outcome)
    shares = found.value[[4, 3, 2, 1]]

    def by_hand(p: np.ndarray) -> float:
        risk = p / p[3]
        return {
            Interaction.ADDITIVE: p[0] - p[1] - p[2] + p[3],
            Interaction.LOG_RATIO: np.log(p[0] * p[3] / (p[1] * p[2])),
            Interaction.LOG_ODDS: float(np.log(p / (1 - p)) @ [1, -1, -1, 1]),
            Interaction.RERI: risk[0] - risk[1] - risk[2] + 1,
            Interaction.ATTRIBUTABLE: (risk[0] - risk[1] - risk[2] + 1) / risk[0],
            Interaction.LOG_SYNERGY: np.log((risk[0] - 1) / (risk[1] + risk[2] - 2)),
        }[measure]

    steps = np.eye(4) * 1e-6
    slopes = np.array([(by_hand(shares + s) - by_hand(shares - s)) / 2e-6 for s in steps])
    joint = found.covariance[np.ix_([4, 3, 2, 1], [4, 3, 2, 1])]
    result = interact(found, 4, 3, 2, 1, measure)
    assert result.value[0] == pytest.approx(by_hand(shares))
    assert result.se[0] == pytest.approx(np.sqrt(slopes @ joint @ slopes), rel=1e-6)


def test_a_group_without_events_has_no_ratio_and_no_precise_interaction() -> None:
    group = np.arange(400) % 4
    outcome = np.where(group == 0, 0.0, (np.arange(400) // 4 % 3 == 0) * 1.0)
    design = Design.from_columns(np.ones(400), psu=np.arange(400) // 20)
    found = proportion(design, Cells.from_labels(group=group), outcome)
    additive = interact(found, 4, 3, 2, 1, Interaction.ADDITIVE)
    assert np.isfinite(additive.value[0])
    assert np.isnan(additive.se[0])
    assert np.isnan(interact(found, 4, 3, 2, 1, Interaction.LOG_RATIO).value[0])
