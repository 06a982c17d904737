"""A gap fitted by statsmodels with our sandwich is the gap of the influence values."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from sdmx_service.model import Measure
from sdmx_service.survey import gap
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.sandwich import glm_covariance


def test_a_weighted_glm_with_the_sandwich_gives_the_gap_and_its_standard_error() -> None:
    draw = np.random.default_rng(10)
    stratum, psu = np.repeat(np.arange(8), 60), np.repeat(np.arange(48), 10)
    sex = draw.integers(0, 2, 480)
    weights = draw.uniform(0.3, 2.5, 480)
    chance = 0.3 + 0.1 * sex + 0.1 * draw.standard_normal(48)[psu]
    y = (draw.random(480) < chance).astype(float)
    y[draw.integers(0, 480, 20)] = np.nan
    used = ~np.isnan(y)
    design = Design.from_columns(weights, psu=psu, stratum=stratum)
    found = proportion(design, Cells.from_labels(sex=sex), y)
    x = sm.add_constant(sex.astype(float))

    for family, measure, scale in (
        (sm.families.Gaussian(), Measure.DIFFERENCE, float),
        (sm.families.Binomial(), Measure.ODDS_RATIO, np.exp),
        (sm.families.Poisson(), Measure.RATIO, np.exp),
    ):
        fit = sm.GLM(y[used], x[used], family=family, var_weights=weights[used]).fit(tol=1e-14)
        error = np.sqrt(glm_covariance(fit, design, used)[1, 1])
        gaps = gap.compare(found, [2], [1], measure)
        assert scale(fit.params[1]) == pytest.approx(gaps.value[0], rel=1e-10)
        expected = gaps.se[0] if measure is Measure.DIFFERENCE else gaps.se_log[0]
        assert error == pytest.approx(expected, rel=1e-10)


def test_rows_of_the_fit_and_of_the_design_must_be_the_same() -> None:
    design = Design.from_columns(np.ones(6))
    fit = sm.GLM(np.arange(5.0), np.ones(5)).fit()
    with pytest.raises(ValueError, match="5 rows in the fit, 6 rows in the design"):
        glm_covariance(fit, design)
