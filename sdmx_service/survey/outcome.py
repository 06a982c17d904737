"""Outcomes of the rows of a sample: which are known, and which a statistic sees."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError
from sdmx_service.survey.design import Design

__all__ = ["known_values", "seen"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def known_values(design: Design, outcome: ArrayLike) -> tuple[Floats, Booleans]:
    """Return the outcome as numbers (n,) with NaN for missing, and which are not missing (n,).

    Raises DataError for an infinite outcome.
    """
    values: Floats = np.asarray(
        pd.Series(outcome).to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64
    )
    if len(values) != design.n_rows:
        raise ValueError(f"an outcome of {len(values)} rows for a design of {design.n_rows}")
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"outcome, row {int(np.flatnonzero(infinite)[0]) + 1}",
            got="infinite",
            expected="a number, or missing",
        )
    return values, ~np.isnan(values)


def seen(design: Design, values: Floats, known: Booleans, universe: Booleans | None) -> Floats:
    """Return the values of the rows a statistic sees: known, in the universe, weight over 0."""
    used = known & (design.weights > 0)
    if universe is not None:
        used = used & universe
    return values if used.all() else values[used]
