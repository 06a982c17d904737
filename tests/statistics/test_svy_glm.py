"""Models, margins and tests of independence, as svy 0.35 has them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
import svy

from sdmx_service.survey.design import Design
from sdmx_service.survey.independence import Independence, independence
from sdmx_service.survey.margins import standardise
from sdmx_service.survey.sandwich import Family, Fit, fit_glm, wald


@cache
def sample() -> tuple[pd.DataFrame, Design, svy.Sample]:
    draw = np.random.default_rng(12)
    psu = np.repeat(np.arange(60), 15)
    data = pd.DataFrame(
        {
            "psu": psu,
            "stratum": psu // 6,
            "weight": draw.uniform(0.4, 2.5, 900),
            "sex": draw.choice(["F", "M"], 900),
            "school": draw.choice(["a", "b", "c"], 900),
            "age": draw.uniform(-2, 2, 900),
        }
    )
    linear = -0.5 + 0.4 * (data.sex == "M") + 0.5 * (data.school == "c") + 0.3 * data.age
    linear += draw.normal(0, 0.4, 60)[psu]
    data["poor"] = (draw.random(900) < 1 / (1 + np.exp(-linear))) * 1.0
    data["visits"] = draw.poisson(np.exp(0.5 * linear)).astype(float)
    data["score"] = linear + draw.normal(0, 1, 900)
    design = Design.from_columns(data.weight, psu=data.psu, stratum=data.stratum)
    declared = svy.Design(stratum="stratum", psu="psu", wgt="weight")
    return data, design, svy.Sample(pl.from_pandas(data), declared)


def ours(outcome: str, family: Family) -> Fit:
    data, design, _ = sample()
    return fit_glm(design, data[outcome], data, ["sex", "school", "age"], family)


def theirs(outcome: str, family: str) -> svy.GLM:
    x = [svy.Cat("sex", ref="F"), svy.Cat("school", ref="a"), "age"]
    return sample()[2].glm.fit(y=outcome, x=x, family=family, tol=1e-12)


CASES = [
    ("poor", Family.LOGIT, "binomial"),
    ("score", Family.LINEAR, "gaussian"),
    ("visits", Family.POISSON, "poisson"),
]


@pytest.mark.parametrize(("outcome", "family", "name"), CASES)
def test_coefficients_and_standard_errors(outcome: str, family: Family, name: str) -> None:
    found = ours(outcome, family).coefficients
    table = theirs(outcome, name).to_polars()
    np.testing.assert_allclose(table["estimate"], found.value, rtol=1e-6)
    np.testing.assert_allclose(table["std_err"], found.se, rtol=1e-6)


@pytest.mark.parametrize(("outcome", "family", "name"), CASES)
def test_the_wald_test_of_a_term(outcome: str, family: Family, name: str) -> None:
    test = wald(ours(outcome, family), "school")
    other = theirs(outcome, name).term_test(svy.Cat("school", ref="a"))
    assert other.value == pytest.approx(test.statistic, rel=1e-6)
    assert (other.df_num, other.df_den) == (test.ndf, test.ddf)
    assert other.p_value == pytest.approx(test.p, rel=1e-5)


def test_predictive_margins() -> None:
    means = standardise(ours("poor", Family.LOGIT), "school")
    table = theirs("poor", "binomial").margins(at={"school": ["a", "b", "c"]}).to_polars()
    np.testing.assert_allclose(table["margin"], means.value, rtol=1e-7)
    np.testing.assert_allclose(table["se"], means.se, rtol=1e-6)
    np.testing.assert_allclose(table["lci"], means.intervals().lower, rtol=1e-6)


def test_rao_scott() -> None:
    data, design, declared = sample()
    stats = declared.categorical.tabulate("poor", "school").stats
    found = independence(design, data.poor, data.school)
    other = (stats.f.value, stats.f.df_num, stats.f.df_den, stats.f.p_value)
    assert other == pytest.approx(tuple(found), rel=1e-9)


def test_the_first_order_correction() -> None:
    """svy, like R, prints Pearson's X2 itself beside the p value of the corrected one."""
    data, design, declared = sample()
    stats = declared.categorical.tabulate("poor", "school").stats
    found = independence(design, data.poor, data.school, Independence.RAO_SCOTT_CHISQ)
    assert stats.chisq.p_value == pytest.approx(found.p, rel=1e-9)
