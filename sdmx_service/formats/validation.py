"""What is wrong with observations by their structure and the constraints of their flow.

Of each value the verdict is that of the schemas which ``schemaxsd`` and ``schemajson`` write;
``completeness`` tells what is wrong with rows, which no schema sees.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sdmx_service.formats.completeness import of_rows
from sdmx_service.formats.dataset import MISSING, SWITCHED_OFF, TEXTS
from sdmx_service.formats.fault import Extent, Fault, Kind
from sdmx_service.formats.schema import allowed
from sdmx_service.formats.schemaxsdtypes import FLOATS, INTEGERS, NUMBERS, facets_of, represented
from sdmx_service.formats.typepatterns import PATTERNS
from sdmx_service.formats.xsdpattern import Dialect, translated
from sdmx_service.structures.artefacts import Component, Dataflow, Role

__all__ = ["Extent", "Fault", "Kind", "validate"]


def validate(
    frame: pl.DataFrame, flow: Dataflow, *, extent: Extent = Extent.WHOLE
) -> tuple[Fault, ...]:
    """Return what is wrong with a table of observations reported to a flow, none if it is valid.

    ``frame`` has one column a component id. Rows whose key is incomplete carry attributes of a
    part of the key. What is mandatory must be there where the data are whole; a part of them is
    an update, or an answer that holds something back.
    """
    structure = flow.structure
    strangers = [name for name in frame.columns if name not in structure.by_id]
    faults = [Fault(name, Kind.UNKNOWN_COMPONENT, frame.height, name) for name in strangers]
    for component in structure.components:
        if component.id in frame.columns:
            faults += _faults(frame, flow, component, extent)
    return (*faults, *of_rows(frame, flow, extent, {fault.component for fault in faults}))


def _faults(
    frame: pl.DataFrame, flow: Dataflow, component: Component, extent: Extent
) -> Iterator[Fault]:
    keyed = component.role in (Role.DIMENSION, Role.TIME)
    if extent is Extent.DELETION and not keyed:
        return  # instead of a value to be deleted, any will do
    yield from _too_many(frame, component)
    values = _texts(frame, component)
    codes = allowed(flow, component)
    if codes is not None:
        there = [*codes] if keyed else [*codes, MISSING]
        wrong = ~pl.col("value").is_in(there)
        listed = component.codelist.id if component.codelist else "the constraint"
        yield from _found(component, Kind.CODE, values, wrong, f"a code of {listed} allowed here")
        return
    if not keyed:
        mark = "NaN" if component.data_type in FLOATS else MISSING
        values = values.filter(pl.col("value") != mark)  # missing on purpose
    yield from _typed(component, values)


def _too_many(frame: pl.DataFrame, component: Component) -> Iterator[Fault]:
    """Tell of cells with more values than a component may have."""
    kind = frame.schema[component.id]
    most = component.most if component.multiple else 1
    if not isinstance(kind, pl.List) or kind == TEXTS or most is None:
        return
    lengths = frame.select(pl.col(component.id).list.len().alias("value")).with_row_index("row")
    expected = f"{most} value{'s' if most > 1 else ''} at most"
    yield from _found(component, Kind.MANY, lengths, pl.col("value") > most, expected)


def _texts(frame: pl.DataFrame, component: Component) -> pl.DataFrame:
    """Return row and value of every value there is, as text; several values are several rows."""
    rows = frame.select(pl.col(component.id).alias("value")).with_row_index("row")
    while isinstance(rows.schema["value"], pl.List):
        inside = rows.schema["value"]
        rows = rows.explode("value")
        if inside == TEXTS:
            rows = rows.with_columns(pl.col("value").struct.field("text"))
    text = pl.col("value").cast(pl.String)
    if rows.schema["value"].is_float():
        text = text.replace({"inf": "INF", "-inf": "-INF"})
    rows = rows.filter(pl.col("value").is_not_null()).with_columns(text)
    keyed = component.role in (Role.DIMENSION, Role.TIME)
    return rows.filter(pl.col("value") != SWITCHED_OFF) if keyed else rows


def _typed(component: Component, values: pl.DataFrame) -> Iterator[Fault]:
    kind, text = represented(component).data_type, pl.col("value")
    expected = f"a value of type {kind}"
    number: pl.Expr | None = None
    if kind in FLOATS:
        plain = text.str.contains(
            r"^([+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN)$"
        )
        number = text.str.replace("INF", "inf").cast(pl.Float64, strict=False)
    elif kind in INTEGERS:
        plain = text.str.contains(r"^[+-]?[0-9]+$")
        bits = INTEGERS[kind]
        number = text.cast(pl.Float64, strict=False)
        if bits is not None:
            whole = text.cast(pl.Int64, strict=False)
            plain &= whole.is_between(-(2**bits), 2**bits - 1).fill_null(value=False)
    elif kind in NUMBERS:
        plain = text.str.contains(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$")
        number = text.cast(pl.Float64, strict=False)
    elif kind in PATTERNS:
        plain = text.str.contains(f"^(?:{PATTERNS[kind]})$")
    else:
        plain = pl.lit(value=True)
    yield from _found(component, Kind.TYPE, values, ~plain, expected)
    yield from _outside(component, values.filter(plain), number)


def _outside(component: Component, values: pl.DataFrame, number: pl.Expr | None) -> Iterator[Fault]:
    text, length = pl.col("value"), pl.col("value").str.len_chars()
    amount = text if number is None else number
    for name, facet, limit in facets_of(component):
        match facet:
            case "minLength":
                test = length < int(limit)
            case "maxLength":
                test = length > int(limit)
            case "minInclusive":
                test = amount < float(limit)
            case "minExclusive":
                test = amount <= float(limit)
            case "maxInclusive":
                test = amount > float(limit)
            case "maxExclusive":
                test = amount >= float(limit)
            case "fractionDigits":
                digits = text.str.extract(r"\.([0-9]*?)0*$").str.len_chars().fill_null(0)
                test = digits > int(limit)
            case _:
                test = ~text.str.contains(translated(limit, Dialect.RUST))
        yield from _found(component, Kind.FACET, values, test, f"{name} {limit}")


def _found(
    component: Component, kind: Kind, values: pl.DataFrame, wrong: pl.Expr, expected: str
) -> Iterator[Fault]:
    bad = values.filter(wrong)
    if bad.height:
        row, got = bad.select("row", "value").row(0)
        yield Fault(component.id, kind, bad.height, str(got), int(row), expected)
