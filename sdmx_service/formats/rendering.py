"""Cells as text, made once a code or a distinct text and never once a cell."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

__all__ = ["renderer"]

_MARK = "\x00"


def renderer(column: pl.Series, render: Callable[[str], str]) -> Callable[[pl.Series], pl.Series]:
    """Return a function that renders slices of ``column``; a missing value stays null.

    ``render`` is called once a code, or once a distinct text; never once a cell. Numbers go in
    their shortest form that reads back the same.
    """
    if isinstance(column.dtype, pl.Enum) and len(column) >= len(column.dtype.categories):
        table = pl.Series([render(code) for code in column.dtype.categories], dtype=pl.String)
        return lambda part: table.gather(part.to_physical())
    if column.dtype.is_numeric():
        before, _, after = render(_MARK).partition(_MARK)
        return lambda part: _numbers(part, before, after)
    return lambda part: _texts(part.cast(pl.String), render)


def _numbers(part: pl.Series, before: str, after: str) -> pl.Series:
    text = part.cast(pl.String)
    if part.dtype.is_float() and part.is_infinite().any():
        text = text.str.replace("inf", "INF", literal=True)  # as xs:double writes it
    return pl.select(pl.concat_str(pl.lit(before), text, pl.lit(after))).to_series()


def _texts(part: pl.Series, render: Callable[[str], str]) -> pl.Series:
    distinct = part.unique().drop_nulls()
    if distinct.is_empty():
        return part
    rendered = pl.Series([render(text) for text in distinct], dtype=pl.String)
    return part.replace_strict(distinct, rendered, default=None, return_dtype=pl.String)
