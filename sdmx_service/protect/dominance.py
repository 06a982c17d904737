"""Whether a few people make up most of an amount: (1,k), (n,k) and the p% rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sdmx_service.definitions.policy import Dominance

__all__ = ["concentrated", "contributions_needed", "few_dominate", "one_dominates", "p_percent"]

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


def one_dominates(largest: Floats, total: Floats, k: float) -> Booleans:
    """Return where the largest contribution is more than ``k`` per cent of the ``total`` (K,).

    ``largest`` (K, m) are the contributions to each amount, the largest first, 0 where there are
    fewer. Source: Handbook on Statistical Disclosure Control, chapter 4.2, as for the rules below.
    """
    return few_dominate(largest, total, 1, k)


def few_dominate(largest: Floats, total: Floats, n: int, k: float) -> Booleans:
    """Return where the ``n`` largest contributions are more than ``k`` per cent, (K,)."""
    above: Booleans = largest[:, :n].sum(axis=1) > k / 100 * total
    return above


def p_percent(largest: Floats, total: Floats, p: float) -> Booleans:
    """Return where the second largest can tell the largest to within ``p`` per cent, (K,).

    That is X - x2 - x1 < p/100 x1; where there is one contribution alone it is known exactly.
    """
    second = largest[:, 1] if largest.shape[1] > 1 else np.zeros(len(largest))
    rest = np.maximum(total - largest[:, 0] - second, 0.0)
    close: Booleans = rest < p / 100 * largest[:, 0]
    return close


def contributions_needed(rules: Dominance) -> int:
    """Return how many of the largest contributions the rules look at."""
    return max(2, rules.few[0] if rules.few is not None else 1)


def concentrated(largest: Floats, total: Floats, rules: Dominance) -> Booleans:
    """Return where one of the rules withholds an amount, (K,), for contributions as above."""
    found = np.zeros(len(total), dtype=bool)
    if rules.one is not None:
        found |= one_dominates(largest, total, rules.one)
    if rules.few is not None:
        found |= few_dominate(largest, total, *rules.few)
    if rules.p is not None:
        found |= p_percent(largest, total, rules.p)
    return found
