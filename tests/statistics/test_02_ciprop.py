"""Intervals of proportions, as R survey 4.5 has them (data: nhanes)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, proportion
from sdmx_service.survey.profile_likelihood import likelihood_as_r

pytestmark = pytest.mark.oracle

CLOSED_FORM, ITERATIVE = 1e-8, 1e-5
# how far R is from exact, as it ends early and interpolates between about eight points
PROFILE = 5e-4
METHODS = {
    "mean": interval.t,
    "logit": interval.logit,
    "xlogit": interval.logit,
    "asin": interval.asin,
    "beta": interval.korn_graubard,
}
WITH_ROWS = {"beta"}
# R's "logit" fits a model by iteration, "xlogit" is the closed form
TOLERANCE = {"logit": ITERATIVE, "likelihood": ITERATIVE}


class Sample:
    """The suite's sample, its domains and their estimates."""

    def __init__(self, data: pd.DataFrame) -> None:
        self.outcome = data.HI_CHOL
        self.design = Design.from_columns(
            data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
        )
        sex, race = data.RIAGENDR.map({1: "sex:M", 2: "sex:F"}), "race:r" + data.race.astype(str)
        self.cells = Cells.from_labels(
            sex=sex, race=race, agecat="agecat:" + data.agecat, both=race + ";" + sex
        )
        self.found: Estimates = proportion(self.design, self.cells, self.outcome)
        self.place = {domain: at for at, domain in enumerate(self.found.keys.group)}

    def bounds(self, method: str, level: float) -> interval.Intervals:
        """Return the intervals of all domains by one of R's methods."""
        if method == "likelihood":
            return likelihood_as_r(self.design, self.cells, self.outcome, level=level)
        found = self.found
        rows = [found.n] if method in WITH_ROWS else []
        return METHODS[method](found.value, found.se, found.df, *rows, level=level)


def test_intervals_of_proportions_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("02_ciprop")
    sample = Sample(suite.input())
    found = sample.found
    for record in suite.records:
        method, level = record["method"], record["level"]
        bounds, at = sample.bounds(method, level), sample.place[record["domain"]]
        suite.compare(
            record,
            {
                "level": bounds.level,
                "estimate": found.value[at],
                "se": found.se[at],
                "ci_low": bounds.lower[at],
                "ci_high": bounds.upper[at],
                "df": found.df[at],
                "n": found.n[at],
                "deff_wr": found.deff_wr[at],
                "deff_wor": found.deff_wor[at],
            },
            tolerance=TOLERANCE.get(method, CLOSED_FORM),
        )
    assert suite.failures == []


def test_rs_likelihood_bounds_are_near_the_exact_ones(shared: Path) -> None:
    """The exact ones have the deviance asked for: a law in test_proportion_intervals.py."""
    folder = shared / "oracles" / "02_ciprop"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    sample = Sample(pd.read_csv(folder / "input.csv"))
    found, apart = sample.found, []
    for record in (one for one in expected["results"] if one["method"] == "likelihood"):
        exact = interval.likelihood(found.value, found.se, found.df, found.n, level=record["level"])
        at = sample.place[record["domain"]]
        apart += [exact.lower[at] / record["ci_low"] - 1, exact.upper[at] / record["ci_high"] - 1]
    assert len(apart) == 76
    assert np.abs(apart).max() < PROFILE
