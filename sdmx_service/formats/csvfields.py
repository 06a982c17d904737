"""Several values in one field of SDMX-CSV 2.x: separated, quoted where they must be."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from sdmx_service.errors import DataError

__all__ = [
    "joined_texts",
    "joined_texts_sets",
    "joined_values",
    "language_texts",
    "quoted",
    "split",
    "subseparator",
]


def subseparator(separator: str) -> str:
    """Return the character between the values of a field, which is not that between fields."""
    return "|" if separator == ";" else ";"


def quoted(text: pl.Expr, between: str) -> pl.Expr:
    """Return each value, in quotes where it could be taken for several, for none or for quoted."""
    whole = pl.lit('"') + text.str.replace_all('"', '""', literal=True) + pl.lit('"')
    doubtful = text.str.contains(between, literal=True) | text.str.starts_with('"') | (text == "")
    return pl.when(doubtful).then(whole).otherwise(text)


def joined_values(column: pl.Expr, between: str, *, numbers: bool, decimal: str) -> pl.Expr:
    """Return a list column as fields: ``X;Y``; no value is no field."""
    texts = pl.element().cast(pl.String)
    if numbers:
        texts = texts.str.replace("inf", "INF", literal=True)  # as xs:double writes it
        texts = texts.str.replace(".", decimal, literal=True)
    return _joined(column.list.eval(quoted(texts, between).fill_null("")), between)


def joined_texts(column: pl.Expr, between: str) -> pl.Expr:
    """Return texts in several languages as fields: ``en:Value;fr:Valeur``."""
    return _joined(column.list.eval(quoted(_tagged(), between)), between)


def joined_texts_sets(column: pl.Expr, between: str) -> pl.Expr:
    """Return several texts in several languages as fields: each set of languages in quotes."""
    one = pl.element().list.eval(quoted(_tagged(), between)).list.join(between)
    whole = pl.lit('"') + one.str.replace_all('"', '""', literal=True) + pl.lit('"')
    return _joined(column.list.eval(whole), between)


def _tagged() -> pl.Expr:
    return pl.element().struct.field("lang") + pl.lit(":") + pl.element().struct.field("text")


def _joined(lists: pl.Expr, between: str) -> pl.Expr:
    return pl.when(lists.list.len() > 0).then(lists.list.join(between))


def split(text: str, between: str, where: str) -> list[str | None]:
    """Return the values of one field; an empty one is None.

    Only a value that starts with a quote is quoted: the field guide's own ``Value "X"`` is not.
    """
    values: list[str | None] = []
    rest = text
    while True:
        if rest.startswith('"'):
            value, rest = _unquoted(rest, text, where)
            values.append(value)
            if rest and not rest.startswith(between):
                raise DataError(where, got=text[:80], expected=f"{between} after a quoted value")
        else:
            value = rest.partition(between)[0]
            values.append(value or None)
            rest = rest[len(value) :]
        if not rest:
            return values
        rest = rest[len(between) :]


def _unquoted(rest: str, text: str, where: str) -> tuple[str, str]:
    start = 1
    while True:
        end = rest.find('"', start)
        if end < 0:
            raise DataError(
                where,
                got=text[:80],
                expected="a quote at the end of each quoted value",
                hint="a quote inside a quoted value is written twice",
            )
        if rest[end + 1 : end + 2] != '"':
            return rest[1:end].replace('""', '"'), rest[end + 1 :]
        start = end + 2


def language_texts(values: Iterable[str | None], where: str) -> list[dict[str, str]]:
    """Return ``en:Value`` as its language and its text; DataError where there is no language."""
    texts = []
    for value in values:
        language, colon, text = (value or "").partition(":")
        if not colon or not 2 <= len(language) <= 35 or not language.replace("-", "").isalnum():
            raise DataError(
                where,
                got=(value or "")[:80],
                expected="a language, a colon and the text, such as en:Value",
            )
        texts.append({"lang": language, "text": text})
    return texts
