"""The rows of each cell in order of an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from sdmx_service.survey.influence import CellRows, Floats, Integers

__all__ = ["Ordered", "Rule"]

# A share of the weight reached but for the rounding of a running sum is reached.
_ROUNDING = 1e-12


class Rule(Enum):
    """How a quantile is read off a weighted distribution (R survey's ``qrule``).

    MATH: the smallest value with at least that share of the weight at or below it. SCHOOL: the same
    with the mean of two values where the share is met exactly. HF1 to HF9: the weighted versions of
    Hyndman and Fan's types, American Statistician 50 (1996), as in R survey 4.5.
    """

    MATH = "math"
    SCHOOL = "school"
    HF1 = "hf1"
    HF2 = "hf2"
    HF3 = "hf3"
    HF4 = "hf4"
    HF5 = "hf5"
    HF6 = "hf6"
    HF7 = "hf7"
    HF8 = "hf8"
    HF9 = "hf9"


_LOWER = {Rule.MATH, Rule.HF1}
_MIDDLE = {Rule.SCHOOL, Rule.HF2}
# Hyndman and Fan's a: the weight below a value counts with a, that up to it with 1 - a.
_BELOW = {Rule.HF5: 1 / 2, Rule.HF8: 1 / 3, Rule.HF9: 3 / 8}


@dataclass(frozen=True, eq=False)
class Ordered:
    """The m rows inside the cells of one grouping, by cell, then by value, then as in the sample.

    ``place`` (m,) are their positions among the rows, ``values`` and ``weights`` (m,) theirs,
    ``running`` (m,) the weight of the cell up to each; ``first``, ``size`` and ``total`` (count,)
    where a cell starts, how many rows it has and what they weigh.
    """

    place: Integers
    values: Floats
    weights: Floats
    running: Floats
    first: Integers
    size: Integers
    total: Floats

    @classmethod
    def of(cls, rows: CellRows, values: Floats, *, by_value: Integers | None = None) -> Ordered:
        """Return the order of ``rows`` by ``values``, both (m,); ``by_value`` if already known."""
        first_order = np.argsort(values, kind="stable") if by_value is None else by_value
        code: NDArray[np.integer] = rows.code[first_order]
        if rows.count < np.iinfo(np.uint16).max:
            code = code.astype(np.uint16)  # sorted by radix
        order = first_order[np.argsort(code, kind="stable")]
        size = np.bincount(rows.code, minlength=rows.count + 1)[: rows.count]
        order = order[: size.sum()]
        first = np.cumsum(size) - size
        weights = rows.weights[order]
        running = _running(weights, first, size)
        total = np.where(size > 0, np.append(running, 0.0)[first + size - 1], 0.0)
        return cls(order, values[order], weights, running, first, size, total)

    def running_of(self, values: Floats) -> Floats:
        """Return the weighted running sums (m,) of ``values``, which are in this order."""
        return _running(self.weights * values, self.first, self.size)

    def in_sample_order(self, values: Floats, rows: int) -> Floats:
        """Return values of this order at the places of their rows, 0 outside the cells, (rows,)."""
        back = np.zeros(rows)
        back[self.place] = values
        return back

    def quantile(self, p: Floats, rule: Rule = Rule.MATH) -> Floats:
        """Return each cell's quantile at its own share ``p`` (count,), NaN for NaN or no rows."""
        if not len(self.values):
            return np.full(len(p), np.nan)
        known = np.isfinite(p) & (self.size > 0)
        share = np.where(known, p, 0.5)
        if rule is Rule.HF3:
            found = self._distinct()._discrete(share, rule)
        elif rule in _LOWER | _MIDDLE | {Rule.HF4}:
            found = self._discrete(share, rule)
        else:
            found = self._interpolated(share, rule)
        return np.where(known, found, np.nan)

    def _up_to(self, keys: Floats, limit: Floats) -> Integers:
        """Return how many rows of each cell have an ascending key (m,) up to its limit (count,)."""
        low, high = np.zeros_like(self.size), self.size.copy()
        while (searching := low < high).any():
            middle = (low + high) // 2
            reached = keys[np.minimum(self.first + middle, len(keys) - 1)] <= limit
            low = np.where(searching & reached, middle + 1, low)
            high = np.where(searching & ~reached, middle, high)
        return low

    def value_at(self, position: Integers) -> Floats:
        """Return the value at a position of each cell (count,), the last for one beyond."""
        inside = np.clip(position, 0, np.maximum(self.size - 1, 0))
        value: Floats = self.values[np.minimum(self.first + inside, len(self.values) - 1)]
        return value

    def _discrete(self, p: Floats, rule: Rule) -> Floats:
        """Rules that compare shares of the weight with p itself."""
        target, slack = p * self.total, _ROUNDING * self.total
        count = self._up_to(self.running, target + slack)
        last = np.maximum(count - 1, 0)
        at_last = self.running[np.minimum(self.first + last, len(self.running) - 1)]
        lower, upper = self.value_at(last), self.value_at(last + 1)
        # before the first value R takes the first for one that is met
        met = (target - at_last) <= slack
        if rule in _LOWER:
            return np.where(met, lower, upper)
        if rule in _MIDDLE:
            return np.where(met, (lower + upper) / 2.0, upper)
        if rule is Rule.HF3:
            return np.where(met & (last % 2 == 1), lower, upper)
        # in R's arithmetic: whether rounding puts it just below a value decides what is up to it
        with np.errstate(divide="ignore", invalid="ignore"):
            under = p - at_last / self.total
            over = self._running_at(last + 1) / self.total - p
            part = np.where(under + over > 0, under / (under + over), 0.0)
        part = np.maximum(part, 0.0)  # R goes on below the smallest value
        return lower * (1.0 - part) + upper * part

    def _running_at(self, position: Integers) -> Floats:
        inside = np.clip(position, 0, np.maximum(self.size - 1, 0))
        running: Floats = self.running[np.minimum(self.first + inside, len(self.running) - 1)]
        return running

    def _interpolated(self, p: Floats, rule: Rule) -> Floats:
        """Rules that interpolate between plotting positions."""
        end = self._running_at(self.size - 1)
        last_weight = end - np.where(self.size > 1, self._running_at(self.size - 2), 0.0)
        before = self.running - self.weights
        if rule is Rule.HF6:
            keys, scale = self.running, end + last_weight
        elif rule is Rule.HF7:
            keys, scale = before, end - last_weight
        else:
            below = _BELOW[rule]
            keys = before * below + self.running * (1.0 - below)
            scale = end + (1.0 - 2.0 * below) * last_weight
        with np.errstate(divide="ignore", invalid="ignore"):
            keys = keys / np.repeat(scale, self.size)
        # a single value is every quantile
        keys = np.where(np.repeat(self.size, self.size) > 1, keys, 0.0)
        last = self._up_to(keys, p) - 1
        low, high = self.value_at(last), self.value_at(last + 1)
        left = keys[np.minimum(self.first + np.maximum(last, 0), len(keys) - 1)]
        right = keys[
            np.minimum(
                self.first + np.minimum(last + 1, np.maximum(self.size - 1, 0)), len(keys) - 1
            )
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(right > left, (p - left) / (right - left), 0.0)
        return np.where(last < 0, low, low + (high - low) * part)

    def _distinct(self) -> Ordered:
        """Return the order with the weights of equal values together."""
        cell = np.repeat(np.arange(len(self.size)), self.size)
        new = np.append(True, (np.diff(self.values) != 0) | (np.diff(cell) != 0))
        start = np.flatnonzero(new)
        weights = np.add.reduceat(self.weights, start)
        size = np.bincount(cell[start], minlength=len(self.size))
        first = np.cumsum(size) - size
        running = _running(weights, first, size)
        return Ordered(
            self.place[start], self.values[start], weights, running, first, size, self.total
        )


def _running(values: Floats, first: Integers, size: Integers) -> Floats:
    # extended where the machine has it, as R's cumsum, so that exact shares are met
    running = np.cumsum(values, dtype=np.longdouble)
    before = np.append(np.longdouble(0.0), running)[first]
    within: Floats = (running - np.repeat(before, size)).astype(np.float64)
    return within
