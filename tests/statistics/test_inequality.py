"""Laws of poverty and inequality: invariance, hand-made cases, influence as derivative."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError
from sdmx_service.survey import estimate, inequality, lorenz, poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.poverty import Basis, PovertyLine

few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 10_000)
SMOOTH: dict[str, Callable[..., Estimates]] = {
    "gini": lorenz.gini,
    "gini, one person a row": partial(lorenz.gini, form=lorenz.GiniForm.UNIT),
    **{
        f"entropy {alpha}": partial(inequality.generalised_entropy, alpha=alpha)
        for alpha in (-1.0, 0.0, 0.5, 1.0, 2.0)
    },
    **{f"atkinson {e}": partial(inequality.atkinson, epsilon=e) for e in (0.5, 1.0, 2.0)},
    "gap, line from the mean": partial(poverty.fgt, power=1.0, line=PovertyLine(basis=Basis.MEAN)),
    "severity under an amount": partial(
        poverty.fgt, power=2.0, line=PovertyLine(basis=Basis.AMOUNT, amount=7000.0)
    ),
}
RELATIVE = {
    **{name: SMOOTH[name] for name in ("gini", "entropy 0.0", "entropy 2.0", "atkinson 1.0")},
    "share ratio": lorenz.share_ratio,
    "rate": poverty.rate,
    "severity": partial(poverty.fgt, power=2.0),
    "median gap": poverty.median_gap,
}


class Sample:
    """Incomes of persons, each a PSU of its own, in two areas."""

    def __init__(self, seed: int, rows: int = 60) -> None:
        draw = np.random.default_rng(seed)
        self.income = draw.lognormal(9.0, 0.6, rows)
        self.weights = draw.uniform(0.5, 3.0, rows)
        self.cells = Cells.from_labels(area=np.arange(rows) % 2)
        self.design = Design.from_columns(self.weights)


@few
@given(seeds)
@pytest.mark.parametrize("name", SMOOTH)
def test_influence_is_the_derivative_by_the_weight(name: str, seed: int) -> None:
    """The influence value of a row is what one more person like it does (Deville 1999)."""
    sample = Sample(seed, rows=40)
    found = SMOOTH[name](sample.design, sample.cells, sample.income)
    for row in (0, 7, 22):
        values = []
        for step in (-1e-5, 1e-5):
            weights = sample.weights.copy()
            weights[row] *= 1 + step
            moved = SMOOTH[name](Design.from_columns(weights), sample.cells, sample.income)
            values.append(moved.value)
        slope = (values[1] - values[0]) / 2e-5
        np.testing.assert_allclose(found.influence[row], slope, rtol=2e-4, atol=2e-6)


@few
@given(seeds, st.floats(1e-2, 1e3))
@pytest.mark.parametrize("name", RELATIVE)
def test_the_unit_of_income_changes_no_relative_measure(name: str, seed: int, scale: float) -> None:
    sample = Sample(seed)
    once = RELATIVE[name](sample.design, sample.cells, sample.income)
    scaled = RELATIVE[name](sample.design, sample.cells, scale * sample.income)
    np.testing.assert_allclose(scaled.value, once.value, rtol=1e-9)
    np.testing.assert_allclose(scaled.se, once.se, rtol=1e-8)


@few
@given(seeds)
def test_a_weight_of_two_is_two_persons(seed: int) -> None:
    draw = np.random.default_rng(seed)
    income, times = draw.lognormal(9.0, 0.6, 30), draw.integers(1, 4, 30)
    once, each = (Cells.from_labels(all=np.zeros(n)) for n in (30, int(times.sum())))
    for name in ("gini", "entropy 1.0", "atkinson 0.5"):
        weighted = SMOOTH[name](Design.from_columns(times), once, income)
        repeated = SMOOTH[name](
            Design.from_columns(np.ones(int(times.sum()))), each, np.repeat(income, times)
        )
        np.testing.assert_allclose(weighted.value, repeated.value)


def test_measures_of_four_incomes_by_hand() -> None:
    design, cells = Design.from_columns(np.ones(4)), Cells.from_labels(all=np.zeros(4))
    income = np.array([1.0, 2.0, 3.0, 4.0])
    assert lorenz.gini(design, cells, income).value[0] == pytest.approx(0.25)
    half_squared_variation = np.var(income) / (2 * 2.5**2)
    theil = np.mean(income / 2.5 * np.log(income / 2.5))
    geometric = 24**0.25
    for alpha, expected in ((2.0, half_squared_variation), (1.0, theil)):
        found = inequality.generalised_entropy(design, cells, income, alpha=alpha)
        assert found.value[0] == pytest.approx(expected)
    found = inequality.atkinson(design, cells, income, epsilon=1.0)
    assert found.value[0] == pytest.approx(1 - geometric / 2.5)
    assert lorenz.share_ratio(design, cells, income, bottom=0.25, top=0.25).value[0] == 4.0
    line = PovertyLine(basis=Basis.AMOUNT, amount=4.0)
    gap = poverty.fgt(design, cells, income, power=1.0, line=line)
    assert gap.value[0] == pytest.approx((0.75 + 0.5 + 0.25) / 4)
    # poor: 1, 2, 3; their median 2
    assert poverty.median_gap(design, cells, income, line=line).value[0] == pytest.approx(0.5)


def test_a_gap_under_an_amount_is_a_mean() -> None:
    sample = Sample(4)
    line = PovertyLine(basis=Basis.AMOUNT, amount=8000.0)
    short = np.maximum(8000.0 - sample.income, 0.0) / 8000.0
    found = poverty.fgt(sample.design, sample.cells, sample.income, power=2.0, line=line)
    mean = estimate.mean(sample.design, sample.cells, short**2)
    np.testing.assert_allclose(found.value, mean.value)
    np.testing.assert_allclose(found.se, mean.se)


@few
@given(seeds)
def test_an_area_and_its_rest_make_the_nation(seed: int) -> None:
    sample = Sample(seed)
    found = poverty.fgt(sample.design, sample.cells, sample.income, power=1.0)
    rest = found.rest([1], [0])
    np.testing.assert_allclose(rest.value, found.value[[2]], atol=1e-12)
    np.testing.assert_allclose(rest.se, found.se[[2]], atol=1e-12)


def test_dispersion_around_the_threshold_rises_with_the_line() -> None:
    sample = Sample(9)
    found = poverty.dispersion(sample.design, sample.cells, sample.income)
    assert list(found.keys.share.unique()) == [0.4, 0.5, 0.7]
    rates = found.value.reshape(3, len(sample.cells))
    assert (np.diff(rates, axis=0) >= 0).all()
    seventy = poverty.rate(sample.design, sample.cells, sample.income, line=PovertyLine(share=0.7))
    np.testing.assert_array_equal(rates[2], seventy.value)
    np.testing.assert_allclose(found.se[-3:], seventy.se)


def test_the_poor_are_below_the_line_or_not_above_it() -> None:
    design, cells = Design.from_columns(np.ones(4)), Cells.from_labels(all=np.zeros(4))
    income = [10.0, 30.0, 50.0, 90.0]
    for strict, share in ((True, 0.25), (False, 0.5)):
        line = PovertyLine(basis=Basis.AMOUNT, amount=30.0, strict=strict)
        assert poverty.rate(design, cells, income, line=line).value[0] == share


def test_a_cell_without_poor_has_no_median_gap() -> None:
    sample = Sample(2)
    income = np.where(np.arange(60) % 2, 1e6, sample.income)
    found = poverty.median_gap(sample.design, sample.cells, income)
    assert np.isfinite(found.se[1])
    assert np.isnan(found.value[2])
    assert np.isnan(found.se[2])


def test_incomes_that_a_measure_cannot_take_are_refused() -> None:
    sample = Sample(3)
    zero, negative = sample.income.copy(), sample.income.copy()
    zero[:2], negative[5] = 0.0, -10.0
    with pytest.raises(DataError, match="2 of 60 at 0 or below"):
        inequality.generalised_entropy(sample.design, sample.cells, zero, alpha=0.0)
    with pytest.raises(DataError, match="1 of 60 below 0"):
        inequality.atkinson(sample.design, sample.cells, negative, epsilon=0.5)
    positive = zero > 0
    found = inequality.atkinson(sample.design, sample.cells, zero, epsilon=1.0, universe=positive)
    assert np.isfinite(found.se).all()
    assert np.isfinite(inequality.generalised_entropy(sample.design, sample.cells, zero).se).all()
    with pytest.raises(DataError, match="poverty line"):
        poverty.fgt(sample.design, sample.cells, -sample.income, power=1.0)


def test_options_out_of_range_are_refused() -> None:
    sample = Sample(3)
    given_ = (sample.design, sample.cells, sample.income)
    with pytest.raises(ValueError, match="power"):
        poverty.fgt(*given_, power=0.5)
    with pytest.raises(ValueError, match="epsilon"):
        inequality.atkinson(*given_, epsilon=0.0)
    with pytest.raises(ValueError, match="bottom"):
        lorenz.share_ratio(*given_, bottom=0.0)
    with pytest.raises(ValueError, match="amount"):
        PovertyLine(amount=100.0)
    with pytest.raises(ValueError, match="quantile"):
        PovertyLine(quantile=1.0)
    with pytest.raises(ValueError, match="shares"):
        poverty.dispersion(*given_, shares=())
