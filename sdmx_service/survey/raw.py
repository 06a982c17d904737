"""The columns of a survey's file, kept apart from the harmonised ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import reduce

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import ArrayLike

from sdmx_service.errors import DataError

__all__ = ["RAW", "matching", "numbers", "raw_column", "raw_labels", "raw_names", "written"]

RAW = "raw:"


def raw_names(frame: pl.DataFrame) -> list[str]:
    """Return the names of the file's columns."""
    return [name.removeprefix(RAW) for name in frame.columns if name.startswith(RAW)]


def raw_column(name: str, frame: pl.DataFrame, place: str) -> pl.Expr:
    """Return a column of the file; DataError, at ``place``, where there is none of that name."""
    if RAW + name not in frame.columns:
        known = raw_names(frame)
        close = difflib.get_close_matches(name, known, 1)
        raise DataError(
            place,
            got=name,
            expected="a column of the data",
            hint=f"did you mean {close[0]}?" if close else f"columns: {', '.join(known)}",
        )
    return pl.col(RAW + name)


def raw_labels(
    frame: pl.DataFrame, names: Sequence[str], place: str, *, in_order: bool = False
) -> ArrayLike | None:
    """Return one label a row, (n,), from the columns that together name something.

    They are text, which sorts 10 before 2; ``in_order`` they sort as their columns do.
    """
    if not names:
        return None
    columns = [raw_column(name, frame, place) for name in names]
    joined = reduce(lambda a, b: a + "/" + b, [column.cast(pl.String) for column in columns])
    labels = frame.select(joined.alias("label")).to_series()
    if not in_order:
        return labels.to_numpy()
    every = frame.select(columns).drop_nulls().unique().sort(pl.all())
    categories = every.select(joined.alias("label")).to_series().unique(maintain_order=True)
    return pd.Categorical(labels.to_numpy(), categories=categories.to_list(), ordered=True)


def numbers(frame: pl.DataFrame, name: str, place: str) -> np.ndarray:
    """Return a column of the file as numbers, (n,), NaN missing.

    Raises DataError, at ``place``, for a column that is absent or holds text.
    """
    column = frame.select(raw_column(name, frame, place)).to_series()
    if not column.dtype.is_numeric() and column.null_count() < len(column):
        raise DataError(place, got=f"text in column {name}", expected="numbers")
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def matching(frame: pl.DataFrame, pattern: str) -> list[str]:
    """Return the columns called ``pattern`` with a number in the place of ``*``, by that number."""
    before, after = (re.escape(part) for part in pattern.split("*"))
    found = [
        (int(match[1]), name)
        for name in raw_names(frame)
        if (match := re.fullmatch(f"{before}([0-9]+){after}", name))
    ]
    return [name for _, name in sorted(found)]


def written(value: object) -> str:
    """Return a value as a declaration writes it: 1.0, of a column with gaps, is the code 1."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
