"""The columns that describe a sample, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DesignError

__all__ = [
    "ColumnNames",
    "checked_weights",
    "codes_of",
    "number_of_rows",
    "rows_said",
    "sampling_fraction",
    "some",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


class ColumnNames(NamedTuple):
    """How error messages call the survey and its design columns."""

    survey: str = "sample"
    weights: str = "weights"
    psu: str = "psu"
    stratum: str = "stratum"
    fpc: str = "fpc"


def checked_weights(weights: ArrayLike, names: ColumnNames) -> Floats:
    """Return the weights (n,), or refuse them naming the rows that are wrong."""
    where = f"{names.survey}: column {names.weights}"
    try:
        weight = np.asarray(pd.to_numeric(pd.Series(weights)), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DesignError(where, got=str(error), expected="numbers") from error
    if not len(weight):
        raise DesignError(where, got="no rows", expected="a sample of at least two PSUs")
    for wrong, is_what, hint in (
        (np.isnan(weight), "missing", "a row outside the sample has weight 0, not an empty one"),
        (np.isinf(weight), "infinite", None),
        (weight < 0, "negative", "calibration can make negative weights: bound it"),
    ):
        if wrong.any():
            raise DesignError(
                where,
                got=f"{is_what} in {rows_said(wrong)}",
                expected="a finite weight of 0 or more in every row",
                hint=hint,
            )
    if not weight.any():
        raise DesignError(where, got="0 in every row", expected="some positive weights")
    return weight


def codes_of(
    column: ArrayLike | None, rows: int, survey: str, name: str
) -> tuple[Integers, Sequence[Any]]:
    """Return the code of each row (n,) and the labels in order; no column is one label."""
    if column is None:
        return np.zeros(rows, dtype=np.intp), ["all"]
    values = pd.Series(column)
    where = f"{survey}: column {name}"
    if len(values) != rows:
        raise DesignError(where, got=f"{len(values)} rows", expected=f"{rows} rows")
    if values.isna().any():
        raise DesignError(
            where,
            got=f"missing in {rows_said(values.isna().to_numpy())}",
            expected=f"a {name} in every row",
        )
    codes, labels = pd.factorize(values, sort=True)
    return codes.astype(np.intp), list(labels)


def sampling_fraction(
    fpc: ArrayLike, stratum: Integers, sampled: Integers, labels: Sequence[Any], names: ColumnNames
) -> Floats:
    """Return the fraction sampled of each stratum from counts or fractions by row."""
    where = f"{names.survey}: column {names.fpc}"
    size = np.asarray(pd.to_numeric(pd.Series(fpc)), dtype=np.float64)
    if len(size) != len(stratum):
        raise DesignError(where, got=f"{len(size)} rows", expected=f"{len(stratum)} rows")
    wrong = ~(np.isfinite(size) & (size > 0))
    if wrong.any():
        raise DesignError(
            where,
            got=f"missing, infinite, zero or negative in {rows_said(wrong)}",
            expected="a population count or a sampling fraction in every row",
        )
    per_stratum = np.empty(len(sampled))
    per_stratum[stratum] = size
    varies = per_stratum[stratum] != size
    if varies.any():
        raise DesignError(
            where,
            got=f"two values in one stratum: {rows_said(varies)}",
            expected="one value a stratum",
        )
    counts = per_stratum > 1
    if counts.any() and not counts.all() and (per_stratum[~counts] < 1).any():
        raise DesignError(
            where,
            got="counts in some strata, fractions in others",
            expected=f"counts of {names.psu}s, or sampling fractions, in all strata",
        )
    fraction: Floats = sampled / per_stratum if counts.any() else per_stratum
    over = np.flatnonzero(fraction > 1)
    if len(over):
        raise DesignError(
            where,
            got=f"a sampling fraction over 1 in strata {some([labels[int(i)] for i in over])}",
            expected="a population of PSUs at least as large as the sample",
            hint=f"{names.fpc} counts PSUs, not persons",
        )
    return fraction


def number_of_rows(
    weights: ArrayLike | None,
    psu: ArrayLike | None,
    stratum: ArrayLike | None,
    fpc: ArrayLike | None,
    names: ColumnNames,
) -> int:
    """Return the length of the first column there is."""
    for column in (weights, psu, stratum, fpc):
        if column is not None:
            return len(pd.Series(column))
    raise DesignError(names.survey, got="no columns", expected="weights, PSUs, strata or counts")


def rows_said(wrong: Booleans) -> str:
    """Say how many rows are wrong and which come first, counting from 1."""
    which = np.flatnonzero(wrong) + 1
    noun = "row" if len(which) == 1 else "rows"
    return f"{len(which)} {noun} ({some(which.tolist())})"


def some(items: Sequence[Any], most: int = 5) -> str:
    text = ", ".join(str(item) for item in items[:most])
    return f"{text} ..." if len(items) > most else text
