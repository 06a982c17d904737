"""The cells of a column as XML, escaped once a code or a column and never once a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.formats.rendering import Rendering, doubts, told
from sdmx_service.formats.textcells import inner_of
from sdmx_service.structures.artefacts import Component

__all__ = [
    "Cells",
    "Complex",
    "Parts",
    "attribute",
    "attribute_cells",
    "complex_cells",
    "content",
    "joined",
    "parts",
]

Parts = list[pl.Expr | pl.Series | str]
"""What is joined to the text of each row; what is missing of a part adds nothing."""
Complex = Callable[[pl.Series], Parts]
"""Makes text of a slice of a column, in parts to be joined."""

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
    return _replaced(text, escapes)


def _replaced(text: str, escapes: dict[str, str]) -> str:
    for character, escape in escapes.items():
        text = text.replace(character, escape)
    return text


def _attribute(text: str) -> str:
    return _replaced(text, _IN_ATTRIBUTE)


def _content(text: str) -> str:
    return _replaced(text, _IN_TEXT)


def _refuse_forbidden(text: str, where: str) -> None:
    if found := _FORBIDDEN.search(text):
        raise NotAcceptable(
            where,
            got=f"U+{ord(found[0]):04X} in {text[:80]!r}",
            expected="characters that XML 1.0 has a form for",
            hint="SDMX-JSON and SDMX-CSV carry it",
        )


@dataclass(frozen=True)
class Cells:
    """What a column adds to its rows: ``before``, a value, ``after``; nothing where it is null.

    ``rendering`` is the value; ``whole`` says that it has what stands around it already.
    """

    column: str
    before: str
    rendering: Rendering
    after: str
    whole: bool = False

    def parts(self, *, careful: bool, gaps: bool) -> Parts:
        """Return what is to be joined; ``gaps`` says whether a value is missing."""
        value = self.rendering.sure if careful else self.rendering.easy
        if self.whole:
            return [value]
        if not gaps:
            return [self.before, value, self.after]  # joined with the other columns in one go
        return [pl.concat_str(pl.lit(self.before), value, pl.lit(self.after))]


def parts(rows: pl.DataFrame, cells: Sequence[Cells]) -> Parts:
    """Return what columns add to some rows."""
    doubtful = doubts(rows, {one.column: one.rendering for one in cells})
    return [
        part
        for one in cells
        for part in one.parts(
            careful=one.column in doubtful,
            gaps=not one.whole and rows.get_column(one.column).null_count() > 0,
        )
    ]


def attribute_cells(
    component: Component, kind: pl.DataType, height: int, before: str, after: str = ""
) -> Cells:
    """Return what writes ``before="value"after`` for the cells of a column of type ``kind``.

    ``height`` is how many rows there are: codes are written beforehand where that is less work.
    """
    return _cells(component.id, kind, height, f'{before}"', f'"{after}', _IN_ATTRIBUTE)


def _cells(
    name: str, kind: pl.DataType, height: int, before: str, after: str, escapes: dict[str, str]
) -> Cells:
    column = pl.col(name)
    if not isinstance(kind, pl.Enum) or _FORBIDDEN.search("".join(kind.categories)) is None:
        write = _attribute if escapes is _IN_ATTRIBUTE else _content
        codes = told(column, kind, height, write, before, after)
        if codes is not None:
            return Cells(name, before, Rendering(codes), after, whole=True)
    text = column.cast(pl.String)
    if kind.is_float():
        infinite = text.str.replace("inf", "INF", literal=True)  # as xs:double writes it
        rendering = Rendering(text, infinite, column.is_infinite().any())
    elif kind.is_numeric():
        rendering = Rendering(text)
    else:
        special = text.str.contains(_SPECIAL).any()
        rendering = Rendering(text, _escaped_texts(text, escapes, name), special)
    return Cells(name, before, rendering, after)


def _escaped_texts(text: pl.Expr, escapes: dict[str, str], where: str) -> pl.Expr:
    def allowed(part: pl.Series) -> pl.Series:
        for found in part.filter(part.str.contains(_SPECIAL)).unique():
            _refuse_forbidden(found, where)
        return part

    text = text.map_batches(allowed, return_dtype=pl.String)
    for character, escape in escapes.items():
        text = text.str.replace_all(character, escape, literal=True)
    return text


def complex_cells(
    component: Component, kind: pl.DataType, height: int, type: str, language: str
) -> Complex:
    """Return what writes a Comp element for values that no XML attribute holds (SDMX 3.x).

    ``type`` is the name of its type in the schema of the structure; ``language`` is that of a
    text in a column that does not say.
    """
    opened = f'<Comp id={attribute(component.id)} xsi:type="{type}">'
    values = _values(component, kind, height, language)

    def element(part: pl.Series) -> Parts:
        if part.null_count() == len(part):
            return []
        inner = joined(values(part), part.to_frame())
        there = pl.concat_str(pl.lit(opened), inner, pl.lit("</Comp>"))
        return [pl.select(pl.when(part.is_not_null()).then(there)).to_series()]

    return element


def _simple(cells: Cells) -> Complex:
    """Return what writes values of a column by itself."""

    def written(part: pl.Series) -> Parts:
        rows = part.alias(cells.column).to_frame()
        return [joined(parts(rows, [cells]), rows)]

    return written


def _values(component: Component, kind: pl.DataType, height: int, language: str) -> Complex:
    """Return what writes the Value elements of each cell one after the other."""
    if kind == TEXTS:
        texts = _texts(component)
        return lambda part: ["<Value>", *texts(part), "</Value>"]
    if isinstance(kind, pl.List):
        inner = _values(component, inner_of(kind), height, language)
        return lambda part: _each(part, inner, component)
    name = component.id
    if component.multilingual and component.codelist is None:
        tag = attribute(language)
        before, after = f"<Value><common:Text xml:lang={tag}>", "</common:Text></Value>"
        return _simple(_cells(name, kind, height, before, after, _IN_TEXT))
    return _simple(_cells(name, kind, height, "<Value>", "</Value>", _IN_TEXT))


def _texts(component: Component) -> Complex:
    name, kind = component.id, pl.String()
    tag = _simple(_cells(name, kind, 0, '<common:Text xml:lang="', '">', _IN_ATTRIBUTE))
    text = _simple(_cells(name, kind, 0, "", "</common:Text>", _IN_TEXT))

    def one(part: pl.Series) -> Parts:
        return [*tag(part.struct.field("lang")), *text(part.struct.field("text"))]

    return lambda part: _each(part, one, component)


def _each(lists: pl.Series, one: Complex, component: Component) -> Parts:
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
    written = filled.select("row", joined(one(values), values.to_frame()).alias("text"))
    whole = rows.join(
        written.group_by("row", maintain_order=True).agg(pl.col("text").str.join("")),
        on="row",
        how="left",
        maintain_order="left",
    )
    return [whole.get_column("text").fill_null("")]


def joined(parts: Sequence[pl.Expr | pl.Series | str], rows: pl.DataFrame) -> pl.Series:
    """Return the parts of each row as one text; a missing part adds nothing."""
    if all(isinstance(part, str) for part in parts):
        return pl.Series(["".join(map(str, parts))] * rows.height, dtype=pl.String)
    columns = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return rows.select(pl.concat_str(*columns, ignore_nulls=True)).to_series()
