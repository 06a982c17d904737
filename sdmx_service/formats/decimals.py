"""Numbers of a Decimal component held as floats, as texts of digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.dataset import MISSING, DataSet, Table

__all__ = ["as_digits"]


def as_digits(dataset: DataSet) -> DataSet:
    """Return the data set with floats of Decimal components as texts, which have no exponent.

    The digits are those of the shortest form that reads back the same; NaN, which only floats
    have, becomes "#N/A". A data set without such columns is returned as it is. Chunks raise
    NotAcceptable for an infinite number.
    """
    names = [
        component.id
        for component in dataset.components
        if component.data_type == "Decimal" and _inner(dataset.schema[component.id]).is_float()
    ]
    if not names:
        return dataset
    if isinstance(dataset.frame, pl.DataFrame):
        return replace(dataset, frame=_converted(dataset.frame, names))
    return replace(dataset, frame=_Digits(dataset.frame, tuple(names)))


@dataclass(frozen=True)
class _Digits:
    """A table some of whose columns are made texts of digits, chunk by chunk."""

    table: Table
    names: tuple[str, ...]

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column names in order, with their types."""
        changed = {name: _as_text(self.table.schema[name]) for name in self.names}
        return {**self.table.schema, **changed}

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.table.height

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``rows`` at a time."""
        for chunk in self.table.chunks(rows):
            yield _converted(chunk, self.names)


def _inner(kind: pl.DataType) -> pl.DataType:
    return kind.inner if isinstance(kind, pl.List) else kind  # type: ignore[return-value]


def _as_text(kind: pl.DataType) -> pl.DataType:
    return pl.List(pl.String) if isinstance(kind, pl.List) else pl.String()


def _converted(frame: pl.DataFrame, names: list[str] | tuple[str, ...]) -> pl.DataFrame:
    return frame.with_columns(_column(frame.get_column(name)) for name in names)


def _column(column: pl.Series) -> pl.Series:
    if not isinstance(column.dtype, pl.List):
        return _texts(column)
    rows = column.to_frame().with_row_index("row")
    filled = rows.filter(pl.col(column.name).list.len() > 0).explode(column.name)
    texts = filled.select("row", _texts(filled.get_column(column.name)))
    lists = texts.group_by("row", maintain_order=True).agg(pl.col(column.name).alias("texts"))
    whole = rows.join(lists, on="row", how="left", maintain_order="left")
    empty = pl.lit([], dtype=pl.List(pl.String))
    told = pl.when(pl.col(column.name).is_not_null()).then(pl.coalesce("texts", empty))
    return whole.select(told.alias(column.name)).to_series()


def _texts(numbers: pl.Series) -> pl.Series:
    """Return numbers as texts; only those in exponent form are looked at one by one."""
    if numbers.is_infinite().any():
        raise NotAcceptable(
            numbers.name,
            got="an infinite number",
            expected="a decimal number, which has digits",
            hint="a component of type Double may be infinite",
        )
    texts = numbers.cast(pl.String)
    odd = texts.filter(numbers.is_nan() | texts.str.contains("e", literal=True)).unique()
    if odd.is_empty():
        return texts
    digits = [MISSING if text == "NaN" else f"{Decimal(text):f}" for text in odd.drop_nulls()]
    return texts.replace(odd.drop_nulls(), pl.Series(digits, dtype=pl.String))
