"""Wilson, arcsine and likelihood intervals of proportions in simple samples and at their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from statsmodels.stats.proportion import proportion_confint

from sdmx_service.model import CiMethod
from sdmx_service.survey import interval

few = settings(max_examples=30, deadline=None)
shares = st.floats(0.01, 0.99)
NEW = [CiMethod.WILSON, CiMethod.ASIN, CiMethod.LIKELIHOOD]


@pytest.mark.parametrize("events", [1, 17, 40, 79])
def test_wilsons_bounds_of_a_simple_sample_are_those_of_statsmodels(events: int) -> None:
    p, n = events / 80, 80
    se = np.sqrt(p * (1 - p) / n)
    bounds = interval.wilson([p], [se], [np.inf], [n], adjusted=False)
    expected = proportion_confint(events, n, method="wilson")
    np.testing.assert_allclose([bounds.lower[0], bounds.upper[0]], expected)


@few
@given(shares, st.floats(0.005, 0.1), st.integers(2, 60), st.integers(20, 5000))
def test_likelihood_bounds_have_the_deviance_asked_for(
    p: float, se: float, df: int, n: int
) -> None:
    """Twice the log likelihood ratio of n trials, over the design effect, is t squared."""
    bounds = interval.likelihood([p], [se], [df], [n])
    effect = se**2 * n / (p * (1 - p)) * n / (n - 1)
    # A bound within rounding of 0 or 1 is not told from it.
    inside = [q for q in (bounds.lower[0], bounds.upper[0]) if 1e-9 < q < 1 - 1e-9]
    for q in inside:
        ratio = special.rel_entr(p, q) + special.rel_entr(1 - p, 1 - q)
        t = interval.critical(df, 0.95)
        assert 2 * n * ratio / effect == pytest.approx(float(t**2), rel=1e-6)
    assert bounds.lower[0] < p < bounds.upper[0]


@few
@given(shares, st.floats(0.001, 0.4), st.integers(1, 60))
@pytest.mark.parametrize("method", NEW)
def test_what_is_not_the_event_has_the_mirrored_interval(
    method: CiMethod, p: float, se: float, df: int
) -> None:
    of = interval.of_proportions(
        [p, 1 - p], [se, se], [df, df], [200, 200], national_deff=1.0, method=method
    )
    assert list(of.method) == [method] * 2
    np.testing.assert_allclose(of.lower, 1 - of.upper[::-1], atol=1e-12)
    assert (of.lower >= 0).all()
    assert (of.upper <= 1).all()
    assert of.lower[0] <= p <= of.upper[0]


def test_an_arcsine_bound_stops_at_zero() -> None:
    """R folds it back: sin(-0.2)^2 is 0.04."""
    bounds = interval.asin([0.02], [0.03], [5])
    assert bounds.lower[0] == 0.0
    assert bounds.upper[0] > 0.02


@pytest.mark.parametrize("method", NEW)
def test_no_events_and_no_variance_are_as_with_the_other_methods(method: CiMethod) -> None:
    bounds = interval.of_proportions(
        [0.0, 1.0, 0.3, 0.3, np.nan],
        [0.0, 0.0, np.nan, 0.1, np.nan],
        [10, 10, 10, 0, 10],
        [30, 30, 30, 30, 0],
        national_deff=3.0,
        method=method,
    )
    expected = 1 - 0.025 ** (1 / 10)
    np.testing.assert_allclose(bounds.lower[:2], [0.0, 1 - expected])
    np.testing.assert_allclose(bounds.upper[:2], [expected, 1.0])
    assert list(bounds.method) == [CiMethod.KORN_GRAUBARD] * 2 + [CiMethod.NONE] * 3
    assert np.isnan(bounds.lower[2:]).all()
