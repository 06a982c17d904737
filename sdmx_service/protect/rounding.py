"""Counts of people as multiples of a base, so that one person more or less does not show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from sdmx_service.protect.disclosure import Margin

__all__ = [
    "base_of",
    "controlled",
    "deterministic",
    "interval_of",
    "weight_base",
    "with_rounded_counts",
]

Floats = NDArray[np.float64]
# A rate of response to the last digit is a fraction of two counts; in per cent it is not.
_RATES = ("RESP_RATE",)
_COUNT, _WEIGHT = "UNWGTD_SAMPL_SIZE", "WGTD_SAMPL_SIZE"
_BOUNDS = ("LOWER_BOUND", "UPPER_BOUND", "CI_METHOD")


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


def base_of(counts: pl.Series) -> int:
    """Return what all published ``counts`` are multiples of, 1 where there are none."""
    known = counts.drop_nulls().cast(pl.Int64).to_numpy()
    return max(int(np.gcd.reduce(known)), 1) if len(known) else 1


def weight_base(n: float, weight: float, base: int) -> float:
    """Return what sums of weights are rounded to: the round number that holds ``base`` people.

    ``n`` people of the survey have the ``weight`` in all. Round are 1, 2 and 5 times powers of ten.
    """
    each = base * weight / n
    power = 10.0 ** np.floor(np.log10(each))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= each))


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

    So that no other column gives the counts back: sums of weights are rounded to as many people
    (``weight_base``, of each file by itself), response rates to whole per cents; a design effect is
    that of the rounded count, because with the standard error it tells the count it was made with;
    a value without spread, 0 or 100 per cent, has no bounds, which are a function of its count.
    """
    if base == 1:
        return table
    rounded = {
        name: pl.Series(
            name, deterministic(table.get_column(name).cast(pl.Float64).to_numpy(), base)
        )
        .fill_nan(None)
        .cast(table.schema[name])
        for name in counts
        if name in table.columns
    }
    made = [
        *rounded.values(),
        *(pl.col(name).round(2) for name in _RATES if name in table.columns),
        *_weights(table, base),
    ]
    if "DESIGN_EFFECT" in table.columns:
        before, after = pl.col(_COUNT) - 1, pl.lit(rounded[_COUNT]) - 1
        effect = pl.when((before > 0) & (after > 0)).then(pl.col("DESIGN_EFFECT") * after / before)
        made.append(effect.alias("DESIGN_EFFECT"))
        bounds = [name for name in _BOUNDS if name in table.columns]
        spread = pl.col("STD_ERR").is_not_null() & (pl.col("STD_ERR") > 0)
        made += [pl.when(spread).then(pl.col(name)).alias(name) for name in bounds]
    return table.with_columns(made)


def _weights(table: pl.DataFrame, base: int) -> list[pl.Series]:
    """Return the sums of weights rounded, those of each file to a base of its own."""
    if _WEIGHT not in table.columns:
        return []
    weight = table.get_column(_WEIGHT).cast(pl.Float64).to_numpy().copy()
    count = table.get_column(_COUNT).cast(pl.Float64).to_numpy()
    files = table.get_column("PROV_ID").cast(pl.String)
    for file in files.unique():
        mine = np.flatnonzero((files == file).to_numpy() & np.isfinite(weight) & (count > 0))
        if len(mine):
            most = mine[np.argmax(weight[mine])]
            step = weight_base(count[most], weight[most], base)
            weight[mine] = np.floor(weight[mine] / step + 0.5) * step
    return [pl.Series(_WEIGHT, weight).fill_nan(None).cast(table.schema[_WEIGHT])]
