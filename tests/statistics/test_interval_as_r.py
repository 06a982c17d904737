"""The likelihood interval by the steps of R, beside the exact one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from sdmx_service.errors import DataError
from sdmx_service.model import CiMethod
from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.profile_likelihood import likelihood_as_r

SAMPLE = np.random.default_rng(7)
STRATUM, PSU = np.repeat(np.arange(10), 40), np.repeat(np.arange(40), 10)
WEIGHT = SAMPLE.uniform(1.0, 4.0, 400)
EVENT = (SAMPLE.uniform(size=400) < 0.3).astype(float)
GROUP = np.where(SAMPLE.uniform(size=400) < 0.5, "a", "b")
DESIGN = Design.from_columns(WEIGHT, psu=PSU, stratum=STRATUM)
CELLS = Cells.from_labels(group=GROUP)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_rs_steps_end_near_the_exact_bounds_which_they_are_not(level: float) -> None:
    found = proportion(DESIGN, CELLS, EVENT)
    exact = interval.likelihood(found.value, found.se, found.df, found.n, level=level)
    as_r = likelihood_as_r(DESIGN, CELLS, EVENT, level=level)
    np.testing.assert_allclose(as_r.lower, exact.lower, rtol=2e-3)
    np.testing.assert_allclose(as_r.upper, exact.upper, rtol=2e-3)
    assert not np.array_equal(as_r.lower, exact.lower)
    assert list(as_r.method) == [CiMethod.LIKELIHOOD] * 3


def test_a_universe_is_as_good_as_its_rows_alone() -> None:
    """With the outcomes of all others missing the same rows have one."""
    inside = GROUP == "a"
    of_universe = likelihood_as_r(DESIGN, CELLS, EVENT, universe=inside)
    without = likelihood_as_r(DESIGN, CELLS, np.where(inside, EVENT, np.nan))
    np.testing.assert_array_equal(of_universe.lower[:2], without.lower[:2])
    assert of_universe.lower[0] == pytest.approx(of_universe.lower[1], rel=1e-12)
    assert of_universe.method[2] is CiMethod.NONE


def test_fewer_degrees_of_freedom_widen_it() -> None:
    own, few = likelihood_as_r(DESIGN, CELLS, EVENT), likelihood_as_r(DESIGN, CELLS, EVENT, df=3)
    assert (few.lower < own.lower).all()
    assert (few.upper > own.upper).all()


def test_shares_of_nought_or_one_and_lonely_cells_have_none() -> None:
    group = np.where(PSU == 0, "one psu", np.where(EVENT == 1, "events", "no events"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bounds = likelihood_as_r(DESIGN, Cells.from_labels(group=group), EVENT)
    assert list(bounds.method) == [CiMethod.LIKELIHOOD, *[CiMethod.NONE] * 3]
    assert np.isnan(bounds.lower[1:]).all()


def test_the_scale_of_the_weights_and_the_order_of_rows_change_nothing() -> None:
    order = np.random.default_rng(3).permutation(400)
    design = Design.from_columns(1000 * WEIGHT[order], psu=PSU[order], stratum=STRATUM[order])
    other = likelihood_as_r(design, Cells.from_labels(group=GROUP[order]), EVENT[order])
    here = likelihood_as_r(DESIGN, CELLS, EVENT)
    np.testing.assert_allclose(other.lower, here.lower, rtol=1e-11)
    np.testing.assert_allclose(other.upper, here.upper, rtol=1e-11)


def test_an_outcome_outside_of_nought_to_one_is_refused() -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        likelihood_as_r(DESIGN, CELLS, 2.0 * EVENT)
