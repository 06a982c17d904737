"""Tests of values, each made once: those of texts, and which of several alternatives they meet."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from sdmx_service.errors import RequestError
from sdmx_service.query.query import Operator

__all__ = ["TEXT_TESTS", "Alternatives", "Mask", "alternatives_met"]

Mask = npt.NDArray[np.bool_]
Alternatives = Sequence[Sequence[tuple[Operator, str]]]
TEXT_TESTS: Mapping[Operator, Callable[[pl.Series, str], pl.Series]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.CO: lambda texts, asked: texts.str.contains(asked, literal=True),
    Operator.NC: lambda texts, asked: ~texts.str.contains(asked, literal=True),
    Operator.SW: lambda texts, asked: texts.str.starts_with(asked),
    Operator.EW: lambda texts, asked: texts.str.ends_with(asked),
}
"""The comparisons of texts, in the order of their characters."""
# As many tests are always made; more only where each has few values to look at.
_FEW, _MOST_LOOKS = 8, 20_000_000


def alternatives_met(
    alternatives: Alternatives,
    meets: Callable[[Operator, str], Mask],
    values: int,
    where: str,
) -> Mask:
    """Return of each of some things whether it meets all tests of one alternative.

    ``meets`` says which of them meet a test, and looks at so many ``values`` for it. Raises
    RequestError where these would be too many looks.
    """
    tests = dict.fromkeys(test for tests in alternatives for test in tests)
    most = max(_FEW, _MOST_LOOKS // max(values, 1))
    if len(tests) > most:
        raise RequestError(
            where,
            got=f"{len(tests)} different tests",
            expected=f"at most {most} of a component that has {values} values",
            hint="ask for some of them at a time",
        )
    met = {test: meets(*test) for test in tests}
    each = [np.logical_and.reduce([met[test] for test in tests]) for tests in alternatives]
    found: Mask = np.logical_or.reduce(each)
    return found
