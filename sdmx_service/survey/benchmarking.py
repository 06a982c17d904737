"""Area estimates made to add up to the nation's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError

__all__ = ["Benchmark", "Benchmarked", "benchmark"]

Floats = NDArray[np.float64]


class Benchmark(Enum):
    """How the discrepancy is spread over the areas.

    RATIO: every estimate times one factor. DIFFERENCE: one number added to all. MSE: more is added
    where the mean squared error is larger, the change that costs least (Datta, Ghosh, Steorts and
    Maples 2011 with weights 1/MSE).
    """

    RATIO = "ratio"
    DIFFERENCE = "difference"
    MSE = "mse"


@dataclass(frozen=True, eq=False)
class Benchmarked:
    """``estimate`` (D,) with sum(share x estimate) = target; ``mse`` (D,) with the squared change.

    ``adjustment`` (D,) is what was added to each estimate, ``factor`` the target over what the
    areas came to, near 1 where model and survey agree. Values stay modelled (OBS_STATUS E).
    """

    method: Benchmark
    target: float
    factor: float
    estimate: Floats
    mse: Floats
    adjustment: Floats


def benchmark(
    estimate: ArrayLike,
    weight: ArrayLike,
    target: float,
    *,
    method: Benchmark = Benchmark.RATIO,
    mse: ArrayLike | None = None,
) -> Benchmarked:
    """Return area estimates (D,) that average, by the areas' ``weight`` (D,), to ``target``.

    ``weight`` is scaled to shares of the population. The mean squared error is that of the model
    plus the squared adjustment: an upper guide, not an estimate (Steorts and Ghosh 2013 show that
    benchmarking costs little where the model is right).

    Raises DataError for missing values, weights that are not positive, an average of 0 to scale up.
    """
    values = np.asarray(estimate, dtype=np.float64)
    weights = np.asarray(weight, dtype=np.float64)
    errors = np.full(len(values), np.nan) if mse is None else np.asarray(mse, dtype=np.float64)
    if not len(values) == len(weights) == len(errors):
        raise DataError(
            "benchmarking",
            got=f"{len(values)} estimates, {len(weights)} weights, {len(errors)} errors",
            expected="one of each an area",
        )
    if not (np.isfinite(values).all() and np.isfinite(target)):
        raise DataError("benchmarking", got="a missing estimate or target", expected="numbers")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise DataError(
            "benchmarking: weights",
            got="missing, negative or all 0",
            expected="the population of every area",
        )
    share = weights / weights.sum()
    average = float(share @ values)
    if method is Benchmark.RATIO:
        if average == 0:
            raise DataError(
                "benchmarking by ratio", got="an average of 0", expected="something to scale up"
            )
        changed = values * (target / average)
    elif method is Benchmark.DIFFERENCE:
        changed = values + (target - average)
    else:
        if not (np.isfinite(errors).all() and (errors > 0).all()):
            raise DataError(
                "benchmarking by mean squared error",
                got="missing, 0 or negative",
                expected="the mean squared error of every area",
            )
        pull = share * errors
        changed = values + pull / float(share @ pull) * (target - average)
    moved = changed - values
    factor = target / average if average != 0 else float("nan")
    return Benchmarked(method, float(target), factor, changed, errors + moved**2, moved)
