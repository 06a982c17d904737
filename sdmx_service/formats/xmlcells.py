"""The cells of a column as XML, escaped once a code or a column and never once a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.formats.textcells import inner_of
from sdmx_service.structures.artefacts import Component

__all__ = ["Cells", "Parts", "attribute", "attribute_cells", "complex_cells", "content", "joined"]

Parts = list[pl.Series | str]
Cells = Callable[[pl.Series], Parts]
"""Makes text of a slice of a column, in parts to be joined; a missing value adds nothing."""

# Characters that XML 1.0 cannot carry at all, not even escaped.
_FORBIDDEN = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
_SPECIAL = r"[\x00-\x1f&<>\x22\x{fffe}\x{ffff}]"
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
# Line ends and tabs would become blanks when a parser normalises an attribute.
_IN_ATTRIBUTE = {**_IN_TEXT, '"': "&quot;", "\t": "&#9;", "\n": "&#10;"}


def attribute(text: str, where: str = "header") -> str:
    """Return ``text`` as a quoted attribute value; NotAcceptable if XML has no form for it."""
    return f'"{_escaped(text, _IN_ATTRIBUTE, where)}"'


def content(text: str, where: str = "header") -> str:
    """Return ``text`` as the content of an element; NotAcceptable if XML has no form for it."""
    return _escaped(text, _IN_TEXT, where)


def _escaped(text: str, escapes: dict[str, str], where: str) -> str:
    _refuse_forbidden(text, where)
    for character, escape in escapes.items():
        text = text.replace(character, escape)
    return text


def _refuse_forbidden(text: str, where: str) -> None:
    if found := _FORBIDDEN.search(text):
        raise NotAcceptable(
            where,
            got=f"U+{ord(found[0]):04X} in {text[:80]!r}",
            expected="characters that XML 1.0 has a form for",
            hint="SDMX-JSON and SDMX-CSV carry it",
        )


def attribute_cells(
    component: Component, kind: pl.DataType, height: int, before: str, after: str = ""
) -> Cells:
    """Return what writes ``before="value"after`` for the cells of a column of type ``kind``.

    ``height`` is how many rows there are: codes are written beforehand where that is less work.
    """
    return _cells(component, kind, height, f'{before}"', f'"{after}', _IN_ATTRIBUTE)


def _cells(
    component: Component,
    kind: pl.DataType,
    height: int,
    before: str,
    after: str,
    escapes: dict[str, str],
) -> Cells:
    where = component.id

    def surrounded(text: pl.Series) -> Parts:
        if not text.null_count():
            return [before, text, after]  # joined with the other columns in one go
        return [pl.select(pl.concat_str(pl.lit(before), text, pl.lit(after))).to_series()]

    def texts(part: pl.Series) -> Parts:
        text = part.cast(pl.String)
        special = text.str.contains(_SPECIAL)
        if special.any():
            for found in text.filter(special).unique():
                _refuse_forbidden(found, where)
            for character, escape in escapes.items():
                text = text.str.replace_all(character, escape, literal=True)
        return surrounded(text)

    def numbers(part: pl.Series) -> Parts:
        text = part.cast(pl.String)
        if part.dtype.is_float() and part.is_infinite().any():
            text = text.str.replace("inf", "INF", literal=True)  # as xs:double writes it
        return surrounded(text)

    if isinstance(kind, pl.Enum) and len(kind.categories) <= height:
        written = [f"{before}{_escaped(code, escapes, where)}{after}" for code in kind.categories]
        table = pl.Series(written, dtype=pl.String)
        return lambda part: [table.gather(part.to_physical())]
    return numbers if kind.is_numeric() else texts


def complex_cells(
    component: Component, kind: pl.DataType, height: int, type: str, language: str
) -> Cells:
    """Return what writes a Comp element for values that no XML attribute holds (SDMX 3.x).

    ``type`` is the name of its type in the schema of the structure; ``language`` is that of a
    text in a column that does not say.
    """
    opened = f'<Comp id={attribute(component.id)} xsi:type="{type}">'
    values = _values(component, kind, height, language)

    def element(part: pl.Series) -> Parts:
        inner = joined(values(part))
        there = pl.concat_str(pl.lit(opened), inner, pl.lit("</Comp>"))
        return [pl.select(pl.when(part.is_not_null()).then(there)).to_series()]

    return element


def _values(component: Component, kind: pl.DataType, height: int, language: str) -> Cells:
    """Return what writes the Value elements of each cell one after the other."""
    if kind == TEXTS:
        texts = _texts(component)
        return lambda part: ["<Value>", *texts(part), "</Value>"]
    if isinstance(kind, pl.List):
        inner = _values(component, inner_of(kind), height, language)
        return lambda part: _each(part, inner, component)
    if component.multilingual and component.codelist is None:
        tag = attribute(language)
        before, after = f"<Value><common:Text xml:lang={tag}>", "</common:Text></Value>"
        return _cells(component, kind, height, before, after, _IN_TEXT)
    return _cells(component, kind, height, "<Value>", "</Value>", _IN_TEXT)


def _texts(component: Component) -> Cells:
    tag = _cells(component, pl.String(), 0, '<common:Text xml:lang="', '">', _IN_ATTRIBUTE)
    text = _cells(component, pl.String(), 0, "", "</common:Text>", _IN_TEXT)

    def one(part: pl.Series) -> Parts:
        return [*tag(part.struct.field("lang")), *text(part.struct.field("text"))]

    return lambda part: _each(part, one, component)


def _each(lists: pl.Series, one: Cells, component: Component) -> Parts:
    """Return, for each list, what ``one`` writes for its values."""
    rows = pl.DataFrame({"list": lists}).with_row_index("row")
    filled = rows.filter(pl.col("list").list.len() > 0).explode("list")
    values = filled.get_column("list")
    if values.null_count():
        raise NotAcceptable(
            component.id,
            got="a value among several that is not reported",
            expected="values: SDMX-ML has no word for one that is missing",
        )
    written = filled.select("row", joined(one(values), len(values)).alias("text"))
    whole = rows.join(
        written.group_by("row", maintain_order=True).agg(pl.col("text").str.join("")),
        on="row",
        how="left",
        maintain_order="left",
    )
    return [whole.get_column("text").fill_null("")]


def joined(parts: Sequence[pl.Series | str], height: int = 1) -> pl.Series:
    """Return the parts of each row as one text; a missing part adds nothing.

    ``height`` is how many rows there are where no part has any.
    """
    if all(isinstance(part, str) for part in parts):
        return pl.Series(["".join(map(str, parts))] * height, dtype=pl.String)
    columns = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return pl.select(pl.concat_str(*columns, ignore_nulls=True)).to_series()
