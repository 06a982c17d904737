"""The statistical values refuse to be wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.model import Interval

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)


@given(numbers, numbers)
def test_an_interval_refuses_inverted_bounds(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert Interval(low, high).width >= 0
    if low < high:
        with pytest.raises(ValueError, match="inverted"):
            Interval(high, low)


@pytest.mark.parametrize("bound", [math.nan, math.inf])
def test_an_interval_refuses_bounds_that_are_no_numbers(bound: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        Interval(0.0, bound)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_an_interval_refuses_a_level_outside_of_zero_and_one(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Interval(0.0, 1.0, level)


def test_an_interval_holds_its_bounds() -> None:
    assert 1.0 in Interval(1.0, 2.0)
    assert 2.1 not in Interval(1.0, 2.0)
