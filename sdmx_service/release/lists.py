"""Lists of a column as texts that are the same for the same list alone."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from sdmx_service.cube import TEXTS

__all__ = ["canonical", "distinct"]

_CANONICAL = "\x00canonical"


def canonical(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return each cell of a column of this type as one text; null stays null.

    Of each value it has the length in bytes, a colon and the value, of a text by language both
    parts so. A single value is a list of one. Numbers are told apart bit by bit, except for NaN.
    """
    if kind == TEXTS:
        return _by_language(column)
    if kind == pl.List(TEXTS):
        return column.list.eval(_told(_by_language(pl.element()))).list.join("")
    if isinstance(kind, pl.List):
        return column.list.eval(_told(pl.element().cast(pl.String))).list.join("")
    return _told(column.cast(pl.String))


def _by_language(column: pl.Expr) -> pl.Expr:
    fields = (_told(pl.element().struct.field(name)) for name in ("lang", "text"))
    return column.list.eval(pl.concat_str(*fields)).list.join("")


def _told(text: pl.Expr) -> pl.Expr:
    return pl.concat_str(text.str.len_bytes(), pl.lit(":"), text)


def distinct(parts: Iterable[pl.Series]) -> tuple[list[str], pl.Series]:
    """Return the lists that occur in parts of a column, each once, with their canonical texts."""
    found: list[pl.DataFrame] = []
    for part in parts:
        text = canonical(pl.col(part.name), part.dtype).alias(_CANONICAL)
        found.append(_once(part.to_frame().with_columns(text)))
        if sum(one.height for one in found[1:]) > found[0].height:
            found = [_once(pl.concat(found))]
    whole = _once(pl.concat(found)).sort(_CANONICAL)
    texts, lists = whole.select(_CANONICAL, pl.exclude(_CANONICAL))
    return texts.to_list(), lists


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop_nulls(_CANONICAL).unique(_CANONICAL, keep="any")
