"""Intervals that cover all published gaps of a family at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.build.evidence import LEVEL
from sdmx_service.model import Measure
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.gap import Gaps
from sdmx_service.survey.multiplicity import simultaneous

__all__ = ["held_together"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]

# How fast the scale of a measure moves with a side.
_SLOPES: dict[Measure, Callable[[Floats], Floats]] = {
    Measure.DIFFERENCE: np.ones_like,
    Measure.RATIO: lambda x: 1.0 / x,
    Measure.ODDS_RATIO: lambda x: 1.0 / (x * (1.0 - x)),
}


def held_together(
    estimates: Estimates,
    first: Integers,
    second: Integers,
    found: Gaps,
    family: pd.Series,
    declared: Booleans,
) -> tuple[Gaps, Booleans]:
    """Return the gaps with max-t intervals in the ``declared`` families, and where they are, (M,).

    ``first`` and ``second`` (M,) are the sides among the K cells. A family counts the gaps that are
    ``declared`` and estimable, two or more: one alone keeps Student's interval, the same thing.
    Ratios are bounded on the log scale. Standard errors and p values stay those of each gap alone.
    """
    chosen = declared & found.estimable
    members = family[chosen].map(family[chosen].value_counts())
    chosen[np.flatnonzero(chosen)[(members < 2).to_numpy()]] = False
    if not chosen.any():
        return found, chosen
    slope = _SLOPES[found.measure]
    spread = estimates.deviations[:, first[chosen]] * slope(
        found.group[chosen]
    ) - estimates.deviations[:, second[chosen]] * slope(found.reference[chosen])
    plain = found.measure is Measure.DIFFERENCE
    centre = found.value[chosen] if plain else np.log(found.value[chosen])
    bounds = simultaneous(centre, spread, found.df[chosen], family[chosen], level=LEVEL)
    lower, upper = found.lower.copy(), found.upper.copy()
    lower[chosen] = bounds.lower if plain else np.exp(bounds.lower)
    upper[chosen] = bounds.upper if plain else np.exp(bounds.upper)
    return replace(found, lower=lower, upper=upper), chosen
