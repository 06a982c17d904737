"""statsmodels fits, the design gives the standard errors: as R svyglm has them (data: nhanes)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.model import Measure
from sdmx_service.survey.design import Design
from sdmx_service.survey.interval import critical
from sdmx_service.survey.margins import CovariateSampling, adjusted_gaps, standardise
from sdmx_service.survey.sandwich import Convergence, Family, Fit, fit_glm, wald

pytestmark = pytest.mark.oracle

ITERATIVE = 1e-5
MODELS = {
    "logit_sex": (["sex", "race", "agecat"], Family.LOGIT, "sex"),
    "logit_race": (["race", "sex", "agecat"], Family.LOGIT, "race"),
    "linear_sex": (["sex", "race", "agecat"], Family.LINEAR, "sex"),
    "logit_interaction": (["sex", "race", "agecat", "sex:race"], Family.LOGIT, "sex"),
}


def models(data: pd.DataFrame, convergence: Convergence) -> dict[str, Fit]:
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    data = data.assign(sex=data.RIAGENDR.map({1: "M", 2: "F"}), race="r" + data.race.astype(str))
    return {
        name: fit_glm(design, data.HI_CHOL, data, terms, family, convergence=convergence)
        for name, (terms, family, _) in MODELS.items()
    }


def numbers(fits: dict[str, Fit], record: dict[str, Any]) -> dict[str, float]:
    """Return what a record of R holds, worked out by us."""
    fit, group = fits[record["model"]], MODELS[record["model"]][2]
    kind, names = record["kind"], fit.coefficients.keys["column"].tolist()
    if kind == "wald_test":
        test = wald(fit, record["term"])
        return {"F": test.statistic, "df": test.ndf, "ddf": test.ddf, "p": test.p}
    if kind == "vcov":
        at, other = names.index(record["term"]), names.index(record["term2"])
        return {"estimate": fit.coefficients.covariance[at, other]}
    if kind == "coef":
        at, found = names.index(record["term"]), fit.coefficients
        return {
            "estimate": found.value[at],
            "se": found.se[at],
            "t": found.t[at],
            "p": found.p[at],
            "df_residual": fit.df,
        }
    if kind == "svypredmeans":
        means = standardise(fit, group, covariates=CovariateSampling.GRAUBARD_KORN)
        at = means.keys["group"].tolist().index(record["group"])
        return {"estimate": means.value[at], "se": means.se[at]}
    means = standardise(fit, group)
    if kind == "standardised_mean":
        at = means.keys["group"].tolist().index(record["group"])
        return {"estimate": means.value[at], "se_delta": means.se[at]}
    ratio = kind == "adjusted_log_ratio"
    groups, gaps = adjusted_gaps(
        means, record["reference"], Measure.RATIO if ratio else Measure.DIFFERENCE
    )
    at = groups.index(record["group"])
    return {
        "estimate": np.log(gaps.value[at]) if ratio else gaps.value[at],
        "se_delta": gaps.se_log[at] if ratio else gaps.se[at],
    }


def test_coefficients_tests_and_standardised_gaps_agree_with_svyglm(
    oracle: Callable[[str], Any],
) -> None:
    """Evaluated where R's iteration stops: its working weights are one iteration behind."""
    suite = oracle("07_glm_margins")
    fits = models(suite.input(), Convergence.AS_R)
    for record in suite.records:
        suite.compare(record, numbers(fits, record), tolerance=ITERATIVE)
    assert suite.failures == []
    assert suite.worst < 1e-10
    logit_sex = fits["logit_sex"].coefficients
    assert logit_sex.se[1] == pytest.approx(0.0846126, abs=5e-7)


def test_the_solution_itself_is_as_near_as_r_iterates(shared: Path) -> None:
    """Relative to sqrt(v_ii v_jj): R stops within 1e-8 of the deviance, not at the solution."""
    folder = shared / "oracles" / "07_glm_margins"
    records = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["results"]
    fits = models(pd.read_csv(folder / "input.csv"), Convergence.SOLUTION)
    worst = 0.0
    for record in records:
        fit, found = fits[record["model"]], numbers(fits, record)
        found.pop("p", None)  # a p value of 6e-7 moves by more than its t
        size = 1e-6
        if record["kind"] == "vcov":
            names = fit.coefficients.keys["column"].tolist()
            se = fit.coefficients.se
            size = se[names.index(record["term"])] * se[names.index(record["term2"])]
        for key, value in found.items():
            worst = max(worst, abs(value - record[key]) / max(abs(record[key]), size))
    assert 1e-6 < worst < 1.2e-5


def test_an_adjusted_gap_has_an_interval_on_the_models_degrees_of_freedom(shared: Path) -> None:
    data = pd.read_csv(shared / "oracles" / "07_glm_margins" / "input.csv")
    fit = models(data, Convergence.SOLUTION)["logit_sex"]
    _, gaps = adjusted_gaps(standardise(fit, "sex"), "F", Measure.DIFFERENCE)
    assert gaps.df[0] == 9  # 31 PSUs - 15 strata + 1 - 8 coefficients
    assert gaps.upper[0] - gaps.value[0] == pytest.approx(critical(9, 0.95) * gaps.se[0])
