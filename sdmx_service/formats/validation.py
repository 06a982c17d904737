"""What is wrong with observations by their structure and the constraints of their flow.

The verdicts are those of the schemas that ``schemaxsd`` and ``schemajson`` write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import polars as pl

from sdmx_service.formats.dataset import MISSING, TEXTS
from sdmx_service.formats.schema import allowed
from sdmx_service.formats.typepatterns import PATTERNS
from sdmx_service.structures.artefacts import Component, Dataflow, Role

__all__ = ["Fault", "Kind", "validate"]


class Kind(Enum):
    """What can be wrong with a value; values are words for a report."""

    UNKNOWN_COMPONENT = "no component of the structure"
    MISSING = "missing though it is mandatory"
    CODE = "no code that is allowed here"
    TYPE = "no value of the type"
    FACET = "outside what the type's facets allow"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: in which column, how often, with the first value and its row.

    ``row`` counts from 0, and is None where the fault is of the column itself.
    """

    component: str
    kind: Kind
    rows: int
    got: str | None = None
    row: int | None = None
    expected: str = ""


_INTEGERS = {
    "Short": 15,
    "Integer": 31,
    "Long": 63,
    "BigInteger": None,
    "Count": None,
}
_DECIMALS = frozenset({"Decimal", "InclusiveValueRange", "ExclusiveValueRange", "Incremental"})
_FLOATS = frozenset({"Float", "Double"})


def validate(frame: pl.DataFrame, flow: Dataflow, *, deletion: bool = False) -> tuple[Fault, ...]:
    """Return what is wrong with a table of observations reported to a flow, none if it is valid.

    ``frame`` has one column a component id. Rows whose key is incomplete carry attributes of a
    part of the key; nothing is mandatory there, nor where ``deletion`` says that rows delete.
    """
    structure = flow.structure
    return (
        *_strangers(frame, flow),
        *(
            fault
            for component in structure.components
            for fault in _faults(frame, flow, component, deletion=deletion)
        ),
    )


def _strangers(frame: pl.DataFrame, flow: Dataflow) -> Iterator[Fault]:
    known = flow.structure.by_id
    for name in frame.columns:
        if name not in known:
            yield Fault(name, Kind.UNKNOWN_COMPONENT, frame.height, name)


def _faults(
    frame: pl.DataFrame, flow: Dataflow, component: Component, *, deletion: bool
) -> Iterator[Fault]:
    keyed = component.role in (Role.DIMENSION, Role.TIME)
    if component.mandatory and not deletion:
        yield from _absent(frame, flow, component)
    if component.id not in frame.columns or (deletion and not keyed):
        return
    values = _texts(frame, component)
    codes = allowed(flow, component)
    if codes is not None:
        there = [*codes] if keyed else [*codes, MISSING]
        wrong = ~pl.col("value").is_in(there)
        listed = component.codelist.id if component.codelist else "the constraint"
        yield from _found(component, Kind.CODE, values, wrong, f"a code of {listed} allowed here")
        return
    if not keyed and component.data_type not in _FLOATS:
        values = values.filter(pl.col("value") != MISSING)  # of a float NaN is missing on purpose
    yield from _typed(component, values)


def _absent(frame: pl.DataFrame, flow: Dataflow, component: Component) -> Iterator[Fault]:
    """Tell of observations without what they must have; a key may be a part where all is null."""
    if component.id not in frame.columns:
        # A list of series has no time; nothing else may be left out.
        if component.role is not Role.TIME:
            yield Fault(component.id, Kind.MISSING, frame.height, expected="a column")
        return
    if component.role in (Role.DIMENSION, Role.TIME):
        return  # a row with a part of the key carries the attributes of that part
    keys = [one.id for one in flow.structure.key if one.id in frame.columns]
    whole = pl.all_horizontal(pl.col(keys).is_not_null())
    empty = frame.with_row_index("row").filter(whole & pl.col(component.id).is_null())
    if empty.height:
        yield Fault(
            component.id,
            Kind.MISSING,
            empty.height,
            row=int(empty.get_column("row")[0]),
            expected=f"a value, or {MISSING}",
        )


def _texts(frame: pl.DataFrame, component: Component) -> pl.DataFrame:
    """Return row and value of every value there is, as text; several values are several rows."""
    rows = frame.select(pl.col(component.id).alias("value")).with_row_index("row")
    while isinstance(rows.schema["value"], pl.List):
        inside = rows.schema["value"]
        rows = rows.explode("value")
        if inside == TEXTS:
            rows = rows.with_columns(pl.col("value").struct.field("text"))
    return rows.filter(pl.col("value").is_not_null()).with_columns(pl.col("value").cast(pl.String))


def _typed(component: Component, values: pl.DataFrame) -> Iterator[Fault]:
    kind, text = component.data_type, pl.col("value")
    if component.role is Role.TIME and kind == "String":
        kind = "ObservationalTimePeriod"
    expected = f"a value of type {kind}"
    number: pl.Expr | None = None
    if kind in _FLOATS:
        # XML Schema writes INF and NaN; both libraries read more words than these.
        plain = text.str.contains(
            r"^([+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|-?inf|NaN)$"
        )
        number = text.str.replace("INF", "inf").cast(pl.Float64, strict=False)
    elif kind in _DECIMALS:
        plain = text.str.contains(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$")
        number = text.cast(pl.Float64, strict=False)
    elif kind in _INTEGERS:
        plain = text.str.contains(r"^[+-]?[0-9]+$")
        bits = _INTEGERS[kind]
        number = text.cast(pl.Float64, strict=False)
        if bits is not None:
            whole = text.cast(pl.Int64, strict=False)
            plain &= whole.is_between(-(2**bits), 2**bits - 1).fill_null(value=False)
        if kind == "Count":
            plain &= number >= 0
    elif kind in PATTERNS:
        plain = text.str.contains(f"^(?:{PATTERNS[kind]})$")
    else:
        plain = pl.lit(value=True)
    yield from _found(component, Kind.TYPE, values, ~plain, expected)
    good = values.filter(plain)
    yield from _outside(component, good, number)


def _outside(component: Component, values: pl.DataFrame, number: pl.Expr | None) -> Iterator[Fault]:
    facets, text = component.facets, pl.col("value")
    tests: list[tuple[str, pl.Expr]] = []
    if number is not None:
        if "minValue" in facets:
            tests.append(("minValue", number < float(facets["minValue"])))
        if "maxValue" in facets:
            tests.append(("maxValue", number > float(facets["maxValue"])))
        if "decimals" in facets and component.data_type not in _FLOATS:
            digits = text.str.extract(r"\.([0-9]*?)0*$").str.len_chars().fill_null(0)
            tests.append(("decimals", digits > int(facets["decimals"])))
        tests += _between(component, number)
    else:
        if "minLength" in facets:
            tests.append(("minLength", text.str.len_chars() < int(facets["minLength"])))
        if "maxLength" in facets:
            tests.append(("maxLength", text.str.len_chars() > int(facets["maxLength"])))
    if "pattern" in facets:
        tests.append(("pattern", ~text.str.contains(f"^(?:{facets['pattern']})$")))
    for facet, test in tests:
        expected = f"{facet} {facets[facet]}"
        yield from _found(component, Kind.FACET, values, test, expected)


def _between(component: Component, number: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    """Yield the tests of a type that is a range, where no least value is said besides."""
    facets = component.facets
    if component.data_type not in ("InclusiveValueRange", "ExclusiveValueRange"):
        return
    if "minValue" in facets:
        return
    open_ended = component.data_type == "ExclusiveValueRange"
    if "startValue" in facets:
        least = float(facets["startValue"])
        yield "startValue", number <= least if open_ended else number < least
    if "endValue" in facets:
        most = float(facets["endValue"])
        yield "endValue", number >= most if open_ended else number > most


def _found(
    component: Component, kind: Kind, values: pl.DataFrame, wrong: pl.Expr, expected: str
) -> Iterator[Fault]:
    bad = values.filter(wrong)
    if bad.height:
        row, got = bad.select("row", "value").row(0)
        yield Fault(component.id, kind, bad.height, str(got), int(row), expected)
