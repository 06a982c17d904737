"""A linear scale from values to a place in a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Axis", "difference_axis", "full_axis", "level_axis"]

_MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale with its ticks; ``place`` maps a value to 0..1 from the left edge."""

    lower: float
    upper: float
    ticks: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise ValueError(f"axis [{self.lower}, {self.upper}] has no length")

    def place(self, value: float) -> float:
        """Return where the value stands, 0 at the left edge and 1 at the right."""
        return (value - self.lower) / (self.upper - self.lower)


def _step(length: float) -> float:
    """Return the smallest round step that needs no more than six ticks."""
    power = 10.0 ** math.floor(math.log10(length / _MOST_TICKS))
    for factor in (1, 2, 5, 10, 20):
        if length / (factor * power) <= _MOST_TICKS - 1:
            return factor * power
    return 50 * power


def _ticks(lower: float, upper: float, step: float) -> tuple[float, ...]:
    first, last = math.ceil(lower / step - 1e-9), math.floor(upper / step + 1e-9)
    return tuple(round(n * step, 10) for n in range(first, last + 1))


def full_axis(lower: float, upper: float) -> Axis:
    """Return the whole scale that an indicator can take, with its middle."""
    return Axis(lower, upper, (lower, (lower + upper) / 2, upper))


def level_axis(
    values: Iterable[float], *, bounds: tuple[float, float] | None, from_zero: bool = True
) -> Axis:
    """Return an axis that holds every value; where levels are read it starts at a natural zero."""
    values = list(values)
    low, high = (min(values), max(values)) if values else bounds or (0.0, 1.0)
    if from_zero and bounds is not None and bounds[0] == 0:
        low = min(0.0, low)
    if high <= low:
        high = low + (bounds[1] - bounds[0] if bounds else 1.0) / 10
    step = _step(high - low)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if bounds is not None and min(values, default=bounds[0]) >= bounds[0]:
        low = max(low, bounds[0])
    if bounds is not None and max(values, default=bounds[1]) <= bounds[1]:
        high = min(high, bounds[1])
    return Axis(low, high, _ticks(low, high, step))


def difference_axis(values: Iterable[float]) -> Axis:
    """Return an axis of differences: zero is always inside it, with room on both sides."""
    values = [0.0, *values]
    low, high = min(values), max(values)
    if high <= low:
        low, high = -1.0, 1.0
    room = 0.06 * (high - low)
    low, high = low - room, high + room
    step = _step(high - low)
    return Axis(low, high, _ticks(low, high, step))
