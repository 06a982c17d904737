"""Intervals of proportions at their limits."""

from __future__ import annotations

import numpy as np
import pytest

from sdmx_service.model import CiMethod
from sdmx_service.survey import interval

# NCHS Vital and Health Statistics 2(175) and its SAS macro v2.0: n, p, se, df, lower, upper
NCHS = [
    (29, 0.5, 0.092847669, 30, 0.309801, 0.690199),
    (100, 0.5, 0.05, 60, 0.397479, 0.602521),
    (1000, 0.01, 0.00315, 60, 0.004720, 0.018533),
    (120, 0.96, 0.017888544, 60, 0.906969, 0.987463),
    (2000, 0.2, 0.012, 7, 0.172190, 0.230147),
    (200, 0.9, 0.048666426, 9, 0.730446, 0.979763),
]


@pytest.mark.parametrize(("n", "p", "se", "df", "lower", "upper"), NCHS)
def test_capped_korn_graubard_bounds_are_those_of_nchs(
    n: int, p: float, se: float, df: int, lower: float, upper: float
) -> None:
    bounds = interval.korn_graubard([p], [se], [df], [n], capped=True)
    assert bounds.lower[0] == pytest.approx(lower, abs=1e-6)
    assert bounds.upper[0] == pytest.approx(upper, abs=1e-6)


@pytest.mark.parametrize(("deff", "trials"), [(0.7, 30), (1.0, 30), (3.0, 10), (np.nan, 30)])
def test_no_events_have_an_upper_bound_that_the_clustering_widens(deff: float, trials: int) -> None:
    """With no events in m trials the upper bound is 1 - (alpha/2)^(1/m): Clopper and Pearson."""
    bounds = interval.of_proportions([0.0, 1.0], [0.0, 0.0], [10, 10], [30, 30], national_deff=deff)
    expected = 1 - 0.025 ** (1 / trials)
    np.testing.assert_allclose(bounds.lower, [0.0, 1 - expected])
    np.testing.assert_allclose(bounds.upper, [expected, 1.0])
    assert list(bounds.method) == [CiMethod.KORN_GRAUBARD] * 2


@pytest.mark.parametrize("method", [CiMethod.T, CiMethod.LOGIT, CiMethod.KORN_GRAUBARD])
def test_what_is_not_estimable_has_no_interval(method: CiMethod) -> None:
    bounds = interval.of_proportions(
        [0.3, 0.0, 0.3, np.nan],
        [np.nan, np.nan, 0.1, np.nan],
        [3, 3, 0, 3],
        [40, 40, 40, 0],
        national_deff=1.0,
        method=method,
    )
    assert np.isnan(bounds.lower).all()
    assert np.isnan(bounds.upper).all()
    assert list(bounds.method) == [CiMethod.NONE] * 4
    assert bounds[0] is None


def test_a_share_within_has_the_interval_asked_for() -> None:
    bounds = interval.of_proportions([0.3], [0.05], [12], [90], national_deff=2.0)
    assert bounds.method[0] is CiMethod.LOGIT
    one = bounds[0]
    assert one is not None
    assert 0.3 in one
    assert one.level == 0.95


def test_log_t_bounds_are_symmetric_on_the_log_scale() -> None:
    bounds = interval.log_t([8.0, 0.0], [2.0, 0.0], [12, 12])
    assert bounds.lower[0] * bounds.upper[0] == pytest.approx(64.0)
    assert bounds.method[1] is CiMethod.NONE
