"""Intervals of proportions, as R survey 4.5 has them (data: nhanes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion

pytestmark = pytest.mark.oracle

CLOSED_FORM, ITERATIVE = 1e-8, 1e-5
METHODS = {"mean": interval.t, "logit": interval.logit, "xlogit": interval.logit}
LEFT_OUT = {
    "asin": "arcsine interval is not offered",
    "likelihood": "likelihood interval is not offered",
}


def test_intervals_of_proportions_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("02_ciprop")
    data = suite.input()
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    sex, race = data.RIAGENDR.map({1: "sex:M", 2: "sex:F"}), "race:r" + data.race.astype(str)
    cells = Cells.from_labels(
        sex=sex, race=race, agecat="agecat:" + data.agecat, both=race + ";" + sex
    )
    found = proportion(design, cells, data.HI_CHOL)
    place = {domain: at for at, domain in enumerate(found.keys.group)}
    for record in suite.records:
        method = record["method"]
        if method in LEFT_OUT:
            suite.leave_out(LEFT_OUT[method])
            continue
        if method == "beta":
            bounds = interval.korn_graubard(
                found.value, found.se, found.df, found.n, level=record["level"]
            )
        else:
            bounds = METHODS[method](found.value, found.se, found.df, level=record["level"])
        at = place[record["domain"]]
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
            # R's "logit" fits a model by iteration, "xlogit" is the closed form
            tolerance=ITERATIVE if method == "logit" else CLOSED_FORM,
        )
    assert suite.failures == []
