"""Outcomes of the rows of a sample: which are known, and which a statistic sees."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError
from sdmx_service.survey.design import Design

__all__ = ["known_numbers", "known_values", "refuse_beyond_share", "refuse_nobody", "seen"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def known_values(design: Design, outcome: ArrayLike) -> tuple[Floats, Booleans]:
    """Return the outcome as numbers (n,) with NaN for missing, and which are not missing (n,).

    Raises DataError for an infinite outcome.
    """
    values, known = known_numbers(outcome)
    if len(values) != design.n_rows:
        raise ValueError(f"an outcome of {len(values)} rows for a design of {design.n_rows}")
    return values, known


def known_numbers(outcome: ArrayLike, first: int = 1) -> tuple[Floats, Booleans]:
    """Return the same of any number of rows, of which the first is called ``first``."""
    values: Floats = np.asarray(
        pd.Series(outcome).to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64
    )
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"outcome, row {int(np.flatnonzero(infinite)[0]) + first}",
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


def refuse_beyond_share(values: Floats, first: int = 1) -> None:
    """Raise DataError for an outcome (n,) of a proportion below 0 or above 1; NaN is missing.

    The first row is called ``first``.
    """
    if not len(values) or (np.fmin.reduce(values) >= 0 and np.fmax.reduce(values) <= 1):
        return
    outside = (values < 0) | (values > 1)
    if not outside.any():
        return
    at = int(np.flatnonzero(outside)[0])
    raise DataError(
        f"outcome of a proportion, row {at + first}",
        got=float(values[at]),
        expected="a number between 0 and 1, or missing",
        hint=f"{int(outside.sum())} rows are like this",
    )


def refuse_nobody(weights: Floats, known: Booleans, universe: Booleans | None) -> None:
    """Raise DataError where no row (n,) of the universe has both an answer and a weight over 0.

    One cell without such rows has no value; a whole outcome without them is a mistake.
    """
    inside = np.ones(len(weights), dtype=bool) if universe is None else universe
    weighted = inside & (weights > 0)
    if (weighted & known).any():
        return
    if not weighted.any():
        rows = int(np.count_nonzero(inside))
        raise DataError(
            "universe",
            got=f"weight 0 in all of its {rows} rows" if rows else "no rows",
            expected="a domain with people who have a weight over 0",
            hint="look at the condition of the universe and at the column of weights",
        )
    raise DataError(
        "outcome",
        got=f"missing in all {int(np.count_nonzero(weighted))} rows of the universe",
        expected="an answer in one row at least",
        hint="was it asked in this survey, and are its codes those that are mapped?",
    )
