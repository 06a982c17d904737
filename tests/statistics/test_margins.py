"""Standardised means: what counts as sampled, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdmx_service.errors import DataError, DesignError
from sdmx_service.model import Measure
from sdmx_service.survey import gap
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.margins import CovariateSampling, adjusted_gaps, standardise
from sdmx_service.survey.sandwich import Convergence, Family, fit_glm, wald


def sample() -> tuple[Design, pd.DataFrame]:
    draw = np.random.default_rng(7)
    psu = np.repeat(np.arange(60), 12)
    data = pd.DataFrame(
        {
            "sex": draw.choice(["F", "M"], 720),
            "band": draw.choice(["young", "middle", "old"], 720),
            "age": draw.normal(0, 1, 720),
        }
    )
    chance = 0.25 + 0.15 * (data.sex == "F") + 0.1 * (data.band == "old")
    data["poor"] = (draw.random(720) < chance + draw.normal(0, 0.05, 60)[psu]) * 1.0
    data["weight"], data["psu"], data["stratum"] = draw.uniform(0.5, 2.0, 720), psu, psu // 6
    return Design.from_columns(data.weight, psu=data.psu, stratum=data.stratum), data


def test_graubard_and_korns_standard_errors_are_those_of_svypredmeans(shared: Path) -> None:
    """R 4.2.2, survey 4.1-1: svypredmeans(svyglm(HI_CHOL ~ race + agecat), ~sex), nhanes."""
    data = pd.read_csv(shared / "oracles" / "07_glm_margins" / "input.csv")
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    data = data.assign(sex=data.RIAGENDR.map({1: "M", 2: "F"}), race="r" + data.race.astype(str))
    terms = ["sex", "race", "agecat"]
    fit = fit_glm(design, data.HI_CHOL, data, terms, Family.LOGIT, convergence=Convergence.AS_R)
    means = standardise(fit, "sex", covariates=CovariateSampling.GRAUBARD_KORN)
    expected = [0.12191915339874689, 0.10172840184409447]
    np.testing.assert_allclose(means.value, expected, rtol=1e-8)
    np.testing.assert_allclose(means.se, [0.00627953383192065, 0.00767853500393559], rtol=1e-6)


@pytest.mark.parametrize("covariates", CovariateSampling)
def test_without_covariates_standardised_means_are_the_groups_own(
    covariates: CovariateSampling,
) -> None:
    """The gap has the standard error of the influence values, whichever covariates count."""
    design, data = sample()
    found = proportion(design, Cells.from_labels(sex=data.sex), data.poor)
    fit = fit_glm(design, data.poor, data, ["sex"], Family.LOGIT)
    means = standardise(fit, "sex", covariates=covariates)
    np.testing.assert_allclose(means.value, found.value[1:])
    np.testing.assert_allclose(means.se, found.se[1:])
    for measure in (Measure.DIFFERENCE, Measure.RATIO, Measure.ODDS_RATIO):
        groups, adjusted = adjusted_gaps(means, "M", measure)
        plain = gap.compare(found, [1], [2], measure)
        assert groups == ["F"]
        assert adjusted.value[0] == pytest.approx(plain.value[0])
        assert adjusted.se[0] == pytest.approx(plain.se[0])


def test_a_linear_model_without_interactions_has_one_adjusted_gap() -> None:
    """It is the coefficient, over whomever the model is averaged."""
    design, data = sample()
    fit = fit_glm(design, data.poor, data, ["sex", "band", "age"], Family.LINEAR)
    at = fit.coefficients.keys["column"].tolist().index("sexM")
    for population in (None, (data.band == "old").to_numpy()):
        for covariates in (CovariateSampling.FIXED, CovariateSampling.LINEARISED):
            means = standardise(fit, "sex", covariates=covariates, population=population)
            _, gaps = adjusted_gaps(means, "F", Measure.DIFFERENCE)
            assert gaps.value[0] == pytest.approx(fit.coefficients.value[at])
            assert gaps.se[0] == pytest.approx(fit.coefficients.se[at])


def test_covariates_that_count_as_sampled_are_those_of_the_jackknife() -> None:
    """Leaving each PSU out, model and average both done again."""
    design, data = sample()
    fit = fit_glm(design, data.poor, data, ["sex", "band", "age"], Family.LOGIT)
    means = standardise(fit, "sex", covariates=CovariateSampling.LINEARISED)
    again = []
    for unit in range(60):
        weights = data.weight.where(data.stratum != unit // 6, data.weight * 6 / 5)
        weights = weights.where(data.psu != unit, 0.0)
        left = Design.from_columns(weights, psu=data.psu, stratum=data.stratum)
        refit = fit_glm(left, data.poor, data, ["sex", "band", "age"], Family.LOGIT)
        again.append(standardise(refit, "sex").value)
    jackknife = np.sqrt(5 / 6 * ((np.array(again) - means.value) ** 2).sum(axis=0))
    np.testing.assert_allclose(means.se, jackknife, rtol=0.02)


def test_the_reference_group_changes_no_standardised_mean_and_no_test() -> None:
    design, data = sample()
    terms = ["sex", "band", "sex:band"]
    one = fit_glm(design, data.poor, data, terms, Family.LOGIT)
    other = fit_glm(
        design, data.poor, data, terms, Family.LOGIT, reference={"band": "old", "sex": "M"}
    )
    assert wald(one, "sex:band") == pytest.approx(wald(other, "band:sex"))
    means, turned = standardise(one, "sex"), standardise(other, "sex")
    assert turned.keys["group"].tolist() == ["M", "F"]
    np.testing.assert_allclose(means.value, turned.value[::-1])
    np.testing.assert_allclose(means.se, turned.se[::-1])


def test_what_cannot_be_fitted_is_refused() -> None:
    design, data = sample()

    def fit(terms: list[str], outcome: object = data.poor, family: Family = Family.LOGIT) -> None:
        fit_glm(design, outcome, data, terms, family)

    with pytest.raises(DataError, match="did you mean band"):
        fit(["bnd"])
    with pytest.raises(DataError, match="among the terms too"):
        fit(["sex", "sex:band"])
    with pytest.raises(DataError, match="outcomes between 0 and 1"):
        fit(["sex"], data.poor + 1)
    with pytest.raises(DataError, match="no complete row"):
        fit(["sex"], np.full(720, np.nan))
    data["twice"] = 2 * data.age
    with pytest.raises(DataError, match="twice determined by the other columns"):
        fit(["age", "twice"])
    with pytest.raises(DataError, match="everybody, has the outcome"):
        fit(["sex"], np.where(data.sex == "F", 0.0, data.poor))
    data["alone"] = "same"
    with pytest.raises(DataError, match="two groups or more"):
        fit(["alone"])
    data["many"] = "m" + pd.Series(np.arange(720) % 60).astype(str)
    with pytest.raises(DesignError, match="leave terms out"):
        fit(["many"], data.age, Family.LINEAR)
    small = fit_glm(design, data.poor, data, ["sex", "age"], Family.LOGIT)
    with pytest.raises(DataError, match="terms of the model: sex, age"):
        wald(small, "band")
    with pytest.raises(DataError, match="grouping variable"):
        standardise(small, "age")
    with pytest.raises(DataError, match="one of F, M"):
        adjusted_gaps(standardise(small, "sex"), "X", Measure.DIFFERENCE)
