"""Every interval beside its formula, written out again number by number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from sdmx_service.model import CiMethod, Interval
from sdmx_service.survey import interval

# p, SE, df, n: few and many degrees of freedom, both tails, more rows than trials and fewer
CASES = [
    (0.3, 0.04, 7, 200),
    (0.62, 0.011, 45, 3000),
    (0.97, 0.012, 1, 90),
    (0.05, 0.03, 3, 150),
    (0.5, 0.05, math.inf, 80),
    (0.004, 0.002, 12, 5000),
]
LEVELS = [0.95, 0.8]


def quantile(df: float, level: float) -> float:
    tail = (1 + level) / 2
    return float(stats.norm.ppf(tail) if math.isinf(df) else stats.t.ppf(tail, df))


def trials(p: float, se: float, df: float, n: float, level: float) -> float:
    """Return the effective sample size of Korn and Graubard."""
    return p * (1 - p) / se**2 * (quantile(n - 1, level) / quantile(df, level)) ** 2


def by_t(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    margin = quantile(df, level) * se
    return p - margin, p + margin


def by_log(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    margin = quantile(df, level) * se / p
    return math.exp(math.log(p) - margin), math.exp(math.log(p) + margin)


def by_logit(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    centre, margin = math.log(p / (1 - p)), quantile(df, level) * se / (p * (1 - p))
    low, high = (1 / (1 + math.exp(-(centre + side * margin))) for side in (-1, 1))
    return low, high


def by_asin(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    centre = math.asin(math.sqrt(p))
    margin = quantile(df, level) * se / math.sqrt(4 * p * (1 - p))
    low, high = max(centre - margin, 0), min(centre + margin, math.pi / 2)
    return math.sin(low) ** 2, math.sin(high) ** 2


def score(p: float, m: float, t: float) -> tuple[float, float]:
    """Return the q with (p - q)^2 = t^2 q (1 - q) / m: Wilson's two roots."""
    a, b, c = 1 + t**2 / m, -(2 * p + t**2 / m), p**2
    root = math.sqrt(b**2 - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def by_wilson(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    return score(p, trials(p, se, df, n, level), quantile(df, level))


def by_plain_wilson(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    return score(p, p * (1 - p) / se**2, quantile(df, level))


def by_beta(p: float, m: float, level: float) -> tuple[float, float]:
    """Return the q at which as many events or more, and as few or fewer, have half of 1 - level."""
    tail, events = (1 - level) / 2, p * m
    low = float(stats.beta(events, m - events + 1).ppf(tail))
    return low, float(stats.beta(events + 1, m - events).isf(tail))


def by_korn(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    return by_beta(p, trials(p, se, df, n, level), level)


def by_capped_korn(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    return by_beta(p, min(trials(p, se, df, n, level), n), level)


def by_likelihood(p: float, se: float, df: float, n: float, level: float) -> tuple[float, float]:
    """Return the q whose deviance over the design effect is t squared, found by bracketing."""
    effect = se**2 / (p * (1 - p) / n) * n / (n - 1)

    def beyond(logit: float) -> float:
        q = 1 / (1 + math.exp(-logit))
        deviance = 2 * n * (p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)))
        return deviance / effect - quantile(df, level) ** 2

    centre = math.log(p / (1 - p))
    roots = (optimize.brentq(beyond, centre, centre + side, xtol=1e-13) for side in (-30.0, 30.0))
    low, high = (1 / (1 + math.exp(-root)) for root in roots)
    return low, high


Formula = Callable[[float, float, float, float, float], tuple[float, float]]
WAYS: dict[str, tuple[Callable[..., interval.Intervals], Formula, CiMethod, bool]] = {
    "t": (interval.t, by_t, CiMethod.T, False),
    "log": (interval.log_t, by_log, CiMethod.LOG_T, False),
    "logit": (interval.logit, by_logit, CiMethod.LOGIT, False),
    "asin": (interval.asin, by_asin, CiMethod.ASIN, False),
    "wilson": (interval.wilson, by_wilson, CiMethod.WILSON, True),
    "likelihood": (interval.likelihood, by_likelihood, CiMethod.LIKELIHOOD, True),
    "beta": (interval.korn_graubard, by_korn, CiMethod.KORN_GRAUBARD, True),
}
ways = pytest.mark.parametrize("way", list(WAYS))
OF_SHARES = [way for way in WAYS if way not in ("t", "log")]
of_shares = pytest.mark.parametrize("way", OF_SHARES)


def agree(got: interval.Intervals, formula: Formula, level: float) -> None:
    expected = np.array([formula(*case, level) for case in CASES])
    np.testing.assert_allclose(got.lower, expected[:, 0], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(got.upper, expected[:, 1], rtol=1e-9)
    assert got.level == level


def bounds(way: str, cases: Any, **options: Any) -> interval.Intervals:
    make, _, _, with_rows = WAYS[way]
    p, se, df, n = (list(column) for column in zip(*cases, strict=True))
    return make(p, se, df, *([n] if with_rows else []), **options)


@ways
@pytest.mark.parametrize("level", LEVELS)
def test_bounds_are_those_of_the_formula(way: str, level: float) -> None:
    _, formula, method, _ = WAYS[way]
    got = bounds(way, CASES, level=level)
    agree(got, formula, level)
    assert list(got.method) == [method] * len(CASES)


@ways
def test_the_level_is_95_percent_unless_said(way: str) -> None:
    got, said = bounds(way, CASES), bounds(way, CASES, level=0.95)
    assert got.level == 0.95
    np.testing.assert_array_equal(got.lower, said.lower)


@pytest.mark.parametrize("level", LEVELS)
def test_wilsons_bounds_without_the_ratio_of_quantiles(level: float) -> None:
    agree(bounds("wilson", CASES, level=level, adjusted=False), by_plain_wilson, level)


@pytest.mark.parametrize("level", LEVELS)
def test_capped_trials_are_never_more_than_the_rows(level: float) -> None:
    agree(bounds("beta", CASES, level=level, capped=True), by_capped_korn, level)
    assert any(trials(*case, level) > case[3] for case in CASES)


@ways
def test_a_missing_value_of_any_kind_has_no_interval(way: str) -> None:
    """None is what an object column holds; nothing is warned about, as warnings are errors here."""
    p, se, df, n = CASES[0]
    missing = [(None, se, df, n), (p, None, df, n), (p, se, None, n), (p, se, 0.99, n)]
    if WAYS[way][3]:
        missing.append((p, se, df, None))
    as_objects = [*missing, CASES[0]]
    p_, se_, df_, n_ = (list(column) for column in zip(*as_objects, strict=True))
    errors = np.array(se_, dtype=np.float64)
    got = WAYS[way][0](p_, errors, df_, *([n_] if WAYS[way][3] else []))
    assert [got[at] for at in range(len(missing))] == [None] * len(missing)
    assert np.isnan(got.lower[:-1]).all()
    assert np.isnan(got.upper[:-1]).all()
    assert got[len(missing)] == Interval(got.lower[-1], got.upper[-1])


@of_shares
def test_shares_of_nought_and_one_have_none_of_these_intervals(way: str) -> None:
    edges = [(0, 0.0, 7, 50), (1, 0.0, 7, 50), (0, 0.1, 7, 50), (1, 0.1, 7, 50), (-0.1, 0.1, 7, 50)]
    edges += [(1.1, 0.1, 7, 50), (1.9, 0.1, 7, 50)]
    got = bounds(way, edges)
    assert [got[at] for at in range(len(edges))] == [None] * len(edges)


def test_the_logarithm_of_nought_and_of_debts_has_no_interval() -> None:
    got = interval.log_t([0, 0, -3, 0.5], [0.0, 0.1, 1.0, 0.1], [9, 9, 9, 9])
    assert list(got.method) == [*[CiMethod.NONE] * 3, CiMethod.LOG_T]


@pytest.mark.parametrize("p", [0.004, 0.3, 0.999])
def test_a_likelihood_interval_without_error_is_the_share(p: float) -> None:
    got = interval.likelihood([p], [0.0], [7], [50])
    np.testing.assert_allclose([got.lower[0], got.upper[0]], p, rtol=1e-13)


def test_a_value_without_error_is_its_own_interval_by_t() -> None:
    got = interval.t([4, 0], [0.0, 0.0], [3, 3], level=0.9)
    assert got[0] == Interval(4.0, 4.0, 0.9)
    assert got[1] == Interval(0.0, 0.0, 0.9)


@pytest.mark.parametrize("way", ["wilson", "beta", "likelihood"])
def test_one_row_has_no_interval_of_a_share(way: str) -> None:
    assert bounds(way, [(0.4, 0.1, 5, 1)])[0] is None
    assert bounds(way, [(0.4, 0.1, 5, 2)])[0] is not None


@pytest.mark.parametrize("way", ["wilson", "asin"])
def test_wide_intervals_end_at_nought_and_one(way: str) -> None:
    low, high = bounds(way, [(0.01, 0.2, 1, 40)]), bounds(way, [(0.99, 0.2, 1, 40)])
    assert 0.0 <= low.lower[0] < 1e-4
    assert 1.0 - 1e-4 < high.upper[0] <= 1.0


def test_rounding_carries_no_wilson_bound_beyond_one() -> None:
    """Without a stop the upper bound of this share is 1 + 2e-16."""
    bounds = interval.wilson(
        [0.9999996836730991], [0.13501083918060763], [3], [100], adjusted=False
    )
    assert bounds.upper[0] == 1.0


def test_endless_trials_have_no_interval_unless_capped() -> None:
    """A standard error of zero inside 0 and 1 says nothing, so at most the rows count."""
    assert interval.korn_graubard([0.4], [0.0], [7], [50])[0] is None
    capped = interval.korn_graubard([0.4], [0.0], [7], [50], capped=True)
    assert (capped.lower[0], capped.upper[0]) == pytest.approx(by_beta(0.4, 50, 0.95), rel=1e-12)


def test_a_likelihood_interval_may_reach_to_the_ends() -> None:
    """t(1) is 12.7: the deviance asked for is far away, and each bound still has it."""
    p, se, df, n = 0.5, 0.2, 1, 30
    got = interval.likelihood([p], [se], [df], [n])
    asked = quantile(df, 0.95) ** 2 * se**2 / (2 * p * (1 - p)) * n / (n - 1)
    assert -0.5 * math.log(4 * got.lower[0]) == pytest.approx(asked, rel=1e-10)
    assert 1 - got.upper[0] == pytest.approx(got.lower[0], abs=1e-15)


# --- Student's quantiles


@pytest.mark.parametrize("level", LEVELS)
def test_critical_values_are_students_and_at_last_the_normal_ones(level: float) -> None:
    got = interval.critical([1, 2, 30, math.inf], level)
    expected = [stats.t.isf((1 - level) / 2, df) for df in (1, 2, 30)]
    expected.append(stats.norm.isf((1 - level) / 2))
    np.testing.assert_allclose(got, expected, rtol=1e-10)


@pytest.mark.parametrize("df", [0, 0.5, 0.999, -1, None, math.nan, -math.inf])
def test_without_a_degree_of_freedom_there_is_no_critical_value(df: float | None) -> None:
    got = interval.critical([df, 5.0], 0.95)
    assert np.isnan(got[0])
    assert got[1] == pytest.approx(stats.t.ppf(0.975, 5))


# --- Clopper and Pearson


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("events", "n"), [(1, 10), (7, 10), (3, 250), (0.4, 1.5), (0.3, 0.8)])
def test_clopper_and_pearsons_bounds_have_half_the_error_on_each_side(
    events: float, n: float, level: float
) -> None:
    got = interval.clopper_pearson([events / n], [n], level=level)
    assert (got.lower[0], got.upper[0]) == pytest.approx(by_beta(events / n, n, level), rel=1e-9)
    if n == int(n):
        tail = (1 - level) / 2
        assert stats.binom.sf(events - 1, n, got.lower[0]) == pytest.approx(tail)
        assert stats.binom.cdf(events, n, got.upper[0]) == pytest.approx(tail)


@pytest.mark.parametrize("n", [0, -5, math.nan, None, math.inf])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0, None])
def test_without_a_finite_number_of_trials_there_is_no_interval(
    p: float | None, n: float | None
) -> None:
    got = interval.clopper_pearson([p, 0.5], [n, 20])
    assert got[0] is None
    assert got[1] is not None
    assert list(got.method) == [CiMethod.NONE, CiMethod.KORN_GRAUBARD]


def test_none_and_all_of_m_trials_are_bounded_on_one_side() -> None:
    got = interval.clopper_pearson([0, 1], [12, 12], level=0.9)
    end = 0.05 ** (1 / 12)
    np.testing.assert_allclose(got.lower, [0.0, end], rtol=1e-12)
    np.testing.assert_allclose(got.upper, [1 - end, 1.0], rtol=1e-12)


# --- what is published of a share


@pytest.mark.parametrize("way", OF_SHARES)
@pytest.mark.parametrize("level", LEVELS)
def test_a_published_share_has_the_interval_named(way: str, level: float) -> None:
    method = WAYS[way][2]
    columns = [list(column) for column in zip(*CASES, strict=True)]
    got = interval.of_proportions(*columns, national_deff=3.0, method=method, level=level)
    agree(got, WAYS[way][1], level)
    assert list(got.method) == [method] * len(CASES)


def test_a_published_share_has_a_logit_interval_at_95_percent_unless_said() -> None:
    columns = [list(column) for column in zip(*CASES, strict=True)]
    agree(interval.of_proportions(*columns, national_deff=1.0), by_logit, 0.95)


def test_a_published_share_may_be_capped_or_by_t() -> None:
    columns = [list(column) for column in zip(*CASES, strict=True)]
    method = CiMethod.KORN_GRAUBARD
    capped = interval.of_proportions(*columns, national_deff=1.0, method=method, capped=True)
    agree(capped, by_capped_korn, 0.95)
    agree(interval.of_proportions(*columns, national_deff=1.0, method=method), by_korn, 0.95)
    agree(interval.of_proportions(*columns, national_deff=1.0, method=CiMethod.T), by_t, 0.95)


@pytest.mark.parametrize(
    ("deff", "m"), [(4.0, 10), (1.0, 40), (0.2, 40), (math.nan, 40), (math.inf, 40), (1.25, 32)]
)
@pytest.mark.parametrize("method", [CiMethod.LOGIT, CiMethod.WILSON, CiMethod.KORN_GRAUBARD])
def test_nought_of_n_rows_are_nought_of_n_over_the_nations_design_effect(
    method: CiMethod, deff: float, m: int
) -> None:
    got = interval.of_proportions(
        [0, 1], [0, 0], [1, 30], [40, 40], national_deff=deff, method=method, level=0.9
    )
    end = 0.05 ** (1 / m)
    np.testing.assert_allclose(got.lower, [0.0, end], rtol=1e-12)
    np.testing.assert_allclose(got.upper, [1 - end, 1.0], rtol=1e-12)
    assert list(got.method) == [CiMethod.KORN_GRAUBARD] * 2
    assert got.level == 0.9


@pytest.mark.parametrize(("se", "df"), [(math.nan, 9), (None, 9), (0.0, 0), (0.0, None)])
@pytest.mark.parametrize("p", [0.0, 1.0, None])
def test_nought_events_whose_error_is_not_estimable_have_no_interval(
    p: float | None, se: float | None, df: float | None
) -> None:
    got = interval.of_proportions([p, 0], [se, 0], [df, 9], [40, 40], national_deff=1.0)
    assert got[0] is None
    assert got[1] is not None


def test_nought_events_of_an_unknown_number_of_rows_have_no_interval() -> None:
    got = interval.of_proportions([0, 0], [0, 0], [9, 9], [None, 40], national_deff=1.0)
    assert got[0] is None
    assert got[1] is not None


# --- one interval of many


def test_an_interval_with_one_endless_bound_is_none() -> None:
    """exp(800) is no number; nor is then its lower bound a bound."""
    got = interval.log_t([1.0, 2.0], [800.0, 0.1], [math.inf, math.inf])
    assert got[0] is None
    assert np.isnan([got.lower[0], got.upper[0]]).all()
    assert got.method[0] is CiMethod.NONE


def test_one_interval_keeps_its_level() -> None:
    one = interval.t([10.0], [1.0], [math.inf], level=0.5)[0]
    assert one is not None
    assert (one.lower, one.upper) == pytest.approx((10 - 0.6744897502, 10 + 0.6744897502))
    assert one.level == 0.5
