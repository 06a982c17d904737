"""Counts of people as multiples of a base, so that one person more or less does not show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from sdmx_service.protect.disclosure import Margin

__all__ = ["controlled", "deterministic", "interval_of", "with_rounded_counts"]

Floats = NDArray[np.float64]
# A rate of response to the last digit is a fraction of two counts; in per cent it is not.
_RATES = ("RESP_RATE",)


def deterministic(n: Floats, base: int) -> Floats:
    """Return each count as the nearest multiple of ``base``, halves upward: never the same twice.

    Totals are rounded by themselves and need not be the sum of their parts.
    """
    rounded: Floats = np.floor(np.asarray(n, dtype=float) / base + 0.5) * base
    return rounded


def interval_of(rounded: Floats, base: int) -> tuple[Floats, Floats]:
    """Return the least and the greatest whole count that rounds to each, as an attacker knows."""
    least = np.maximum(np.ceil(rounded - base / 2), 0.0)
    return least, np.ceil(rounded + base / 2) - 1


def controlled(n: Floats, margins: Sequence[Margin], base: int) -> Floats | None:
    """Return multiples of ``base`` next to each count (below or above) that still add up.

    The sum of the distances is as small as it can be. None where no such rounding exists, as can
    happen in tables of three or more dimensions.
    """
    count = np.asarray(n, dtype=float)
    below = np.floor(count / base) * base
    # 1: upward. A multiple of the base stays as it is.
    upper = (count > below).astype(float)
    rows = sparse.lil_array((len(margins), len(count)))
    for row, margin in enumerate(margins):
        rows[row, margin.total] = -float(base)
        rows[row, list(margin.parts)] = float(base)
    gap = -(rows.tocsr() @ (below / base))
    found = milp(
        base - 2 * (count - below),
        integrality=np.ones(len(count)),
        bounds=Bounds(0, upper),
        constraints=LinearConstraint(rows.tocsr(), gap, gap) if margins else (),
    )
    if found.x is None:
        return None
    rounded: Floats = below + np.round(found.x) * base
    return rounded


def with_rounded_counts(table: pl.DataFrame, counts: Sequence[str], base: int) -> pl.DataFrame:
    """Return the table with the columns ``counts`` deterministically rounded to the base.

    Response rates, which are fractions of two counts, are rounded to whole per cents.
    """
    if base == 1:
        return table
    columns = [
        pl.Series(name, deterministic(table.get_column(name).cast(pl.Float64).to_numpy(), base))
        .fill_nan(None)
        .cast(table.schema[name])
        for name in counts
        if name in table.columns
    ]
    rates = [pl.col(name).round(2) for name in _RATES if name in table.columns]
    return table.with_columns(*columns).with_columns(*rates)
