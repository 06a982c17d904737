"""The columns of a data set as fields of SDMX-CSV, escaped once a code and not once a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from sdmx_service.formats.csvfields import (
    joined_texts,
    joined_texts_sets,
    joined_values,
    subseparator,
)
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.formats.message import DataMessage, Labels
from sdmx_service.formats.rendering import told
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["Escape", "Fields", "fields"]

_NUMBERS = {"Double", "Float", "Decimal"}
_NOTHING = pl.lit(None, pl.String)


@dataclass(frozen=True)
class Escape:
    """Fields in quotes where RFC 4180 wants them: with a separator, a quote or a line end."""

    separator: str

    @property
    def _marks(self) -> list[str]:
        return ['"', "\r", "\n", self.separator]

    def text(self, text: str) -> str:
        """Return one field."""
        if any(mark in text for mark in self._marks):
            return '"' + text.replace('"', '""') + '"'
        return text

    def doubtful(self, texts: pl.Expr) -> pl.Expr:
        """Return of each text whether it wants quotes."""
        return texts.str.contains_any(self._marks)

    def fields(self, texts: pl.Expr) -> pl.Expr:
        """Return texts as fields."""
        doubled = texts.str.replace_all('"', '""', literal=True)
        whole = pl.concat_str(pl.lit('"'), doubled, pl.lit('"'))
        return pl.when(self.doubtful(texts)).then(whole).otherwise(texts)

    def column(self, texts: pl.Series) -> pl.Series:
        """Return a column of fields."""
        return texts.alias("text").to_frame().select(self.fields(pl.col("text"))).to_series()


@lru_cache
def _writer(separator: str) -> Callable[[str], str]:
    return Escape(separator).text


@dataclass(frozen=True)
class Fields:
    """The fields of a column: one expression, or two where names stand in a column of their own.

    ``doubt`` asks of a chunk whether ``careful`` must be used; most chunks need it not.
    """

    easy: tuple[pl.Expr, ...]
    careful: tuple[pl.Expr, ...] = ()
    doubt: pl.Expr | None = None

    @property
    def sure(self) -> tuple[pl.Expr, ...]:
        """What may be used for any rows."""
        return self.careful or self.easy

    def otherwise(self, text: str) -> Fields:
        """Return fields with a text where a row says nothing; a column of names stays empty."""

        def said(own: tuple[pl.Expr, ...]) -> tuple[pl.Expr, ...]:
            return (own[0].cast(pl.String).fill_null(text), *own[1:]) if own else own

        return Fields(said(self.easy), said(self.careful), self.doubt)


def fields(
    message: DataMessage,
    component: Component,
    kind: pl.DataType,
    height: int,
    periods: Mapping[str, str] | None = None,
    value: pl.Expr | None = None,
) -> Fields:
    """Return how a column of type ``kind`` is written.

    ``height`` is that of the whole column: a list of codes longer than it is not rendered whole.
    ``periods`` are what periods are replaced by, where time is normalised. ``value`` is the
    column, by default the one named as the component.
    """
    escape = Escape(message.separator)
    column = pl.col(component.id) if value is None else value
    if isinstance(kind, pl.List):
        return Fields(_several(message, component, kind, escape, column))
    plain = _plain(message, component, kind, height, escape, column)
    if periods is not None and component.role is Role.TIME:
        plain = Fields((_replaced(column, periods, kind, height, escape),))
    if message.labels is Labels.ID:
        return plain
    names = _names(message, component)
    if message.labels is Labels.BOTH:
        if not names:
            return plain
        whole = {code: f"{code}: {name}" if name else code for code, name in names.items()}
        return Fields((_replaced(column, whole, kind, height, escape),))
    present = {code: name for code, name in names.items() if name}
    named = _replaced(column, present, kind, height, escape, keep=False)
    careful = (*plain.careful, named) if plain.careful else ()
    return Fields((*plain.easy, named), careful, plain.doubt)


def _plain(
    message: DataMessage,
    component: Component,
    kind: pl.DataType,
    height: int,
    escape: Escape,
    column: pl.Expr,
) -> Fields:
    codes = told(column, kind, height, _writer(escape.separator))
    if codes is not None:
        return Fields((codes,))
    if kind.is_integer():
        return Fields((column,))
    if kind.is_float():
        text = column.cast(pl.String).str.replace("inf", "INF", literal=True)  # as xs:double
        comma = text.str.replace(".", message.decimal, literal=True)
        return Fields((column,), (comma,), column.is_infinite().any())
    text = column.cast(pl.String)
    if message.decimal == "," and component.data_type in _NUMBERS:
        text = text.str.replace(".", ",", literal=True)
    return Fields((text,), (escape.fields(text),), escape.doubtful(text).any())


def _replaced(
    column: pl.Expr,
    known: Mapping[str, str],
    kind: pl.DataType,
    height: int,
    escape: Escape,
    *,
    keep: bool = True,
) -> pl.Expr:
    """Return texts replaced by others, escaped; ``keep`` says what has no other stays."""
    others = {old: escape.text(new) for old, new in known.items()}
    if isinstance(kind, pl.Enum) and height >= len(kind.categories):
        codes = kind.categories.to_list()
        table = [others.get(code, escape.text(code) if keep else None) for code in codes]
        return pl.lit(pl.Series(table, dtype=pl.String)).gather(column.to_physical())
    text = column.cast(pl.String)
    rest = escape.fields(text) if keep else _NOTHING
    if not others:
        return rest
    return text.replace_strict(others, default=rest, return_dtype=pl.String)


def _names(message: DataMessage, component: Component) -> dict[str, str]:
    codes = component.codelist.by_id if component.codelist else {}
    return {code: message.text(item.name) for code, item in codes.items()}


def _several(
    message: DataMessage, component: Component, kind: pl.List, escape: Escape, column: pl.Expr
) -> tuple[pl.Expr, ...]:
    names = {code: name for code, name in _names(message, component).items() if name}
    plain = _joined(message, component, kind, column)
    if message.labels is Labels.ID or not names:
        blank = (_NOTHING,) if message.labels is Labels.NAME else ()
        return (escape.fields(plain), *blank)
    both = message.labels is Labels.BOTH
    labels = [f"{code}: {name}" if both else name for code, name in names.items()]
    texts = column.list.eval(pl.element().cast(pl.String).replace(list(names), labels))
    named = escape.fields(_joined(message, component, kind, texts))
    return (named,) if both else (escape.fields(plain), named)


def _joined(message: DataMessage, component: Component, kind: pl.List, column: pl.Expr) -> pl.Expr:
    between = subseparator(message.separator)
    if kind == TEXTS:
        return joined_texts(column, between)
    if kind == pl.List(TEXTS):
        return joined_texts_sets(column, between)
    numbers = component.data_type in _NUMBERS
    return joined_values(column, between, numbers=numbers, decimal=message.decimal)
