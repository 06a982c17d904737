"""Intervals hold the truth as often as they say, over samples of a population that is known.

The bounds are those of binomial error: with S samples and coverage c, the share of intervals that
hold the truth is c -/+ 4 sqrt(c (1 - c) / S), so that a right interval fails once in 16,000 cells.
The whole simulation is ``make coverage``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from sdmx_service.model import CiMethod, Measure
from sdmx_service.survey import estimate, gap, interval, poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates

pytestmark = pytest.mark.slow

Floats = NDArray[np.float64]

SAMPLES, STRATA, PSUS, TAKEN, SIZE = 300, 20, 300, 10, 10
# what is allowed around 95 %: Korn-Graubard's interval is no shorter than it need be
MARGIN = 4.0 * np.sqrt(0.95 * 0.05 / SAMPLES)
CELLS = 5  # the nation, then four areas of five strata


@dataclass(frozen=True, eq=False)
class Population:
    """Persons in PSUs of ten, all of whom are asked; every column is (PSUs, 10)."""

    score: Floats
    rare: Floats
    half: Floats
    income: Floats


def population() -> Population:
    draw = np.random.default_rng(20261122)
    shape = (STRATA * PSUS, SIZE)
    latent = draw.normal(0.0, 0.3, (shape[0], 1)) + draw.normal(size=shape)
    income = np.exp(9.8 + 0.25 * latent + draw.normal(0.0, 0.45, shape))
    rare = latent > np.quantile(latent, 0.9)
    return Population(latent, rare.astype(float), (latent > 0.0).astype(float), income)


def estimates(people: Population, psu: NDArray[np.intp]) -> dict[str, Estimates]:
    label = np.repeat(psu, SIZE)
    design = Design.from_columns(np.ones(len(label)), psu=label, stratum=label // PSUS)
    cells = Cells.from_labels(area=label // PSUS % (CELLS - 1))
    return {
        "mean": estimate.mean(design, cells, people.score[psu].ravel()),
        "rare": estimate.proportion(design, cells, people.rare[psu].ravel()),
        "half": estimate.proportion(design, cells, people.half[psu].ravel()),
        "poor": poverty.rate(design, cells, people.income[psu].ravel()),
    }


def bounds(found: dict[str, Estimates], method: CiMethod) -> dict[str, tuple[Floats, Floats]]:
    """Return the bounds of levels, of areas beside each other, and beside the nation."""
    areas = np.arange(1, CELLS)
    result: dict[str, tuple[Floats, Floats]] = {}
    for name, one in found.items():
        if name == "mean":
            of = interval.t(one.value, one.se, one.df)
        else:
            deff = float(one.deff_wr[0])
            of = interval.of_proportions(
                one.value, one.se, one.df, one.n, national_deff=deff, method=method
            )
        result[name] = (of.lower, of.upper)
        for measure in (Measure.DIFFERENCE, Measure.ODDS_RATIO):
            if name == "mean" and measure is not Measure.DIFFERENCE:
                continue
            pair = gap.compare(one, areas[1:], areas[:-1], measure)
            whole = gap.compare(one, areas, 0 * areas, measure, df=one.df[areas])
            result[f"{name}, {measure.value}, areas"] = (pair.lower, pair.upper)
            result[f"{name}, {measure.value}, nation"] = (whole.lower, whole.upper)
    return result


def values(found: dict[str, Estimates]) -> dict[str, Floats]:
    areas = np.arange(1, CELLS)
    result: dict[str, Floats] = {}
    for name, one in found.items():
        result[name] = one.value
        for measure in (Measure.DIFFERENCE, Measure.ODDS_RATIO):
            if name == "mean" and measure is not Measure.DIFFERENCE:
                continue
            result[f"{name}, {measure.value}, areas"] = gap.compare(
                one, areas[1:], areas[:-1], measure
            ).value
            result[f"{name}, {measure.value}, nation"] = gap.compare(
                one, areas, 0 * areas, measure
            ).value
    return result


@pytest.fixture(scope="module")
def samples() -> tuple[dict[str, Floats], list[dict[str, Estimates]]]:
    """Return the truth and the estimates of every sample: ten PSUs a stratum, drawn at random."""
    people = population()
    draw = np.random.default_rng(1)
    truth = values(estimates(people, np.arange(STRATA * PSUS)))
    found = []
    for _ in range(SAMPLES):
        lottery = draw.random((STRATA, PSUS))
        chosen = np.argpartition(lottery, TAKEN, axis=1)[:, :TAKEN]
        found.append(
            estimates(people, np.sort((chosen + PSUS * np.arange(STRATA)[:, None]).ravel()))
        )
    return truth, found


def coverage(
    samples: tuple[dict[str, Floats], list[dict[str, Estimates]]], method: CiMethod
) -> dict[str, Floats]:
    truth, every = samples
    held = {name: np.zeros(len(value)) for name, value in truth.items()}
    for found in every:
        for name, (lower, upper) in bounds(found, method).items():
            assert np.isfinite(lower).all(), name
            held[name] += (lower <= truth[name]) & (truth[name] <= upper)
    return {name: count / SAMPLES for name, count in held.items()}


def test_intervals_of_levels_and_gaps_hold_the_truth_as_often_as_they_say(
    samples: tuple[dict[str, Floats], list[dict[str, Estimates]]],
) -> None:
    for name, share in coverage(samples, CiMethod.LOGIT).items():
        assert (np.abs(share - 0.95) < MARGIN).all(), f"{name}: {share}"


def test_the_intervals_of_korn_and_graubard_hold_the_truth_at_least_as_often_as_they_say(
    samples: tuple[dict[str, Floats], list[dict[str, Estimates]]],
) -> None:
    of_levels = coverage(samples, CiMethod.KORN_GRAUBARD)
    for name in ("rare", "half", "poor"):
        assert (of_levels[name] > 0.95 - MARGIN).all(), f"{name}: {of_levels[name]}"


def test_standard_errors_are_the_spread_of_estimates_over_samples(
    samples: tuple[dict[str, Floats], list[dict[str, Estimates]]],
) -> None:
    """A variance from S samples is chi-square: its root is right to 1 / sqrt(2 S), 4 times that."""
    _, every = samples
    for name in every[0]:
        spread = np.std([found[name].value for found in every], axis=0, ddof=1)
        stated = np.sqrt(np.mean([found[name].variance for found in every], axis=0))
        # 10 of 300 PSUs are drawn, without replacement: at most 1.7 % less than with
        assert (np.abs(stated / spread - 1.0) < 4.0 / np.sqrt(2.0 * SAMPLES) + 0.017).all(), name
