"""What is wrong with whole rows of observations: their keys, and what hangs on these."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl

from sdmx_service.formats.admission import outside
from sdmx_service.formats.dataset import MISSING, SWITCHED_OFF
from sdmx_service.formats.fault import Extent, Fault, Kind
from sdmx_service.structures.artefacts import Attachment, Component, Dataflow, DataStructure

__all__ = ["of_rows"]


def of_rows(
    frame: pl.DataFrame, flow: Dataflow, extent: Extent, faulty: Collection[str]
) -> Iterator[Fault]:
    """Yield what is wrong with rows; of keys whose codes are ``faulty`` no constraint is asked."""
    if extent is Extent.DELETION:
        return
    structure = flow.structure
    rows = frame.with_columns(
        pl.when(pl.col(one.id).cast(pl.String) != SWITCHED_OFF).then(pl.col(one.id))
        for one in structure.key
        if one.id in frame.columns
    ).with_row_index(_ROW)
    for component in (*structure.measures, *structure.attributes):
        if component.mandatory and extent is Extent.WHOLE:
            yield from _absent(rows, structure, component)
    for dimension in structure.key:
        yield from _keyless(rows, structure, dimension)
    yield from _twice(rows, structure)
    for component in structure.attributes:
        yield from _varying(rows, structure, component)
    if not set(faulty) & {dimension.id for dimension in structure.key}:
        yield from _refused(rows, flow)


_ROW = "#row"  # no id of a component


def _given(rows: pl.DataFrame, id: str) -> pl.Expr:
    """Tell of each row whether it has a value of a component."""
    if id not in rows.columns:
        return pl.lit(value=False)
    there = pl.col(id).is_not_null()
    if isinstance(rows.schema[id], pl.List):
        there &= pl.col(id).list.len() > 0
    return there.fill_null(value=False)


def _hangs_on(component: Component, structure: DataStructure) -> list[str]:
    """Return the dimensions whose values a value of the component is about."""
    match component.attachment:
        case Attachment.DATASET:
            return []
        case Attachment.GROUP:
            return list(component.relation)
        case Attachment.SERIES:
            return list(component.relation) or [one.id for one in structure.dimensions]
    return [one.id for one in structure.key]


def _all_given(rows: pl.DataFrame, ids: list[str]) -> pl.Expr:
    return pl.all_horizontal([pl.lit(value=True), *(_given(rows, id) for id in ids)])


def _fault(
    found: pl.DataFrame, component: str, kind: Kind, got: str | None = None, expected: str = ""
) -> Iterator[Fault]:
    if found.height:
        first = int(found.get_column(_ROW)[0])
        yield Fault(component, kind, found.height, got, first, expected)


def _absent(rows: pl.DataFrame, structure: DataStructure, component: Component) -> Iterator[Fault]:
    """Tell of observations without what they must have, beside them or for the part of the key."""
    key = [one.id for one in structure.key if one.id in rows.columns]
    whole = _all_given(rows, key)
    if component.id not in rows.columns:
        observed = rows.filter(whole).height
        if observed:
            yield Fault(component.id, Kind.MISSING, observed, expected="a column")
        return
    there = _given(rows, component.id)
    part = [id for id in _hangs_on(component, structure) if id in rows.columns]
    there = there.any().over(part) if part else there.any()
    empty = rows.filter(whole & ~there)
    yield from _fault(empty, component.id, Kind.MISSING, None, f"a value, or {MISSING}")


def _keyless(rows: pl.DataFrame, structure: DataStructure, dimension: Component) -> Iterator[Fault]:
    """Tell of rows that have no value of a dimension, and something that hangs on it."""
    hanging = [
        one.id
        for one in (*structure.measures, *structure.attributes)
        if one.id in rows.columns and dimension.id in _hangs_on(one, structure)
    ]
    if not hanging:
        return
    some = pl.any_horizontal([_given(rows, id) for id in hanging])
    found = rows.filter(some & ~_given(rows, dimension.id))
    expected = f"a value, since {', '.join(hanging[:3])} may hang on it"
    yield from _fault(found, dimension.id, Kind.KEY, None, expected)


def _twice(rows: pl.DataFrame, structure: DataStructure) -> Iterator[Fault]:
    key = [one.id for one in structure.key]
    if not key or not set(key) <= set(rows.columns):
        return
    whole = rows.filter(_all_given(rows, key))
    again = whole.filter(~pl.struct(key).is_first_distinct())
    got = ".".join(map(str, again.select(key).row(0))) if again.height else None
    yield from _fault(again, "", Kind.TWICE, got, "each observation once")


def _varying(rows: pl.DataFrame, structure: DataStructure, component: Component) -> Iterator[Fault]:
    """Tell of an attribute with several values for the same part of the key."""
    if component.id not in rows.columns or component.attachment is Attachment.OBSERVATION:
        return
    part = _hangs_on(component, structure)
    if not set(part) <= set(rows.columns):
        return
    said = rows.filter(_given(rows, component.id) & _all_given(rows, part))
    different = said.unique([*part, component.id], keep="first", maintain_order=True)
    place = pl.int_range(pl.len())
    again = different.filter((place.over(part) if part else place) > 0)
    got = str(again.row(0, named=True)[component.id]) if again.height else None
    hung = f"one value for each {', '.join(part)}" if part else "one value for the data set"
    yield from _fault(again, component.id, Kind.ATTACHMENT, got, hung)


def _refused(rows: pl.DataFrame, flow: Dataflow) -> Iterator[Fault]:
    refused = outside(rows, flow)
    if refused is None:
        return
    found = rows.filter(refused)
    key = [one.id for one in flow.structure.key if one.id in rows.columns]
    got = ".".join(map(str, found.select(key).row(0))) if found.height and key else None
    named = ", ".join(dict.fromkeys(one.id for one in flow.constraints))
    yield from _fault(found, "", Kind.CONSTRAINT, got, f"what {named} admits")
