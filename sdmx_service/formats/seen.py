"""The values that occur in the columns of a data set, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from sdmx_service.formats.dataset import ROWS_A_CHUNK, TEXTS, Array, DataSet

__all__ = ["identities", "seen", "spoken"]


def seen(dataset: DataSet, names: Sequence[str]) -> dict[str, pl.Series]:
    """Return the values of some columns; those of lists one by one, null apart.

    Numbers come in the order of ``identities``, others in none.
    """
    found: dict[str, list[pl.Series]] = {name: [] for name in names}
    for part in _parts(dataset, names):
        for name in part.columns:
            column = part.get_column(name)
            if isinstance(column.dtype, pl.List):
                column = column.drop_nulls().list.explode(empty_as_null=False)
            found[name].append(_once(column))
    return {
        name: _once(pl.concat(parts)) if parts else pl.Series(name, dtype=dataset.schema[name])
        for name, parts in found.items()
    }


def spoken(dataset: DataSet) -> dict[str, set[str]]:
    """Return the languages of each column of texts by language."""
    several = pl.List(TEXTS)
    names = [name for name, kind in dataset.schema.items() if kind in (TEXTS, several)]
    found: dict[str, set[str]] = {name: set() for name in names}
    for part in _parts(dataset, names):
        for column in part.get_columns():
            texts = column.drop_nulls()
            while isinstance(texts.dtype, pl.List):
                texts = texts.list.explode(empty_as_null=False).drop_nulls()
            found[column.name] |= set(texts.struct.field("lang").unique())
    return found


def identities(numbers: pl.Series) -> Array:
    """Return a whole number for each number, the same for the same one: -0.0 is not 0.0."""
    values = numbers.to_numpy()
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), np.nan, values).view("<i8")
    return values


def _once(column: pl.Series) -> pl.Series:
    column = column.drop_nulls()
    if not column.dtype.is_numeric():
        return column.unique()
    known = pl.Series(column.name, identities(column)).unique().sort()
    if column.dtype.is_float():
        return pl.Series(column.name, known.to_numpy().view("<f8"))
    return known


def _parts(dataset: DataSet, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    if not names:
        return
    index = dataset.index
    if index is None:
        for chunk in dataset.chunks():
            yield chunk.select(names)
        return
    # What never changes inside a series is looked at once a series.
    steady = [name for name in names if name in (dataset.steady or ())]
    each = [name for name in names if name not in steady]
    for heads, rows, _, _ in index.runs(steady, each, ROWS_A_CHUNK):
        yield heads
        yield rows
