"""SDMX-ML 2.1 generic data messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from sdmx_service.formats.layout import Layout, layout
from sdmx_service.formats.markup21 import (
    COMMON,
    MESSAGE,
    attribute,
    column,
    header,
    joined,
    scattered,
)
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import register_data
from sdmx_service.structures.artefacts import Component

__all__ = ["write_generic"]

_GENERIC = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic"
_END = "</message:DataSet></message:GenericData>"


@register_data(
    "generic",
    "application/vnd.sdmx.genericdata+xml",
    "2.1",
    ".xml",
    short_names=("genericdata", "sdmx-generic-2.1"),
)
def write_generic(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; a missing value is an absent element."""
    plan = layout(message)
    yield _opening(message).encode()
    if plan.flat and plan.observed:
        for chunk, _ in plan.chunks():
            yield _text(_flat(chunk, message, plan))
    elif not plan.observed:
        for chunk, _ in plan.chunks():
            yield _text(_heads(chunk, plan, "<generic:Series>", "</generic:Series>"))
    else:
        yield from _series(message, plan)
    yield _END.encode()


def _opening(message: DataMessage) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message:GenericData xmlns:message="{MESSAGE}" xmlns:common="{COMMON}"'
        f' xmlns:generic="{_GENERIC}">{header(message)}'
        f"<message:DataSet structureRef={attribute(message.flow.structure.id)}"
        ' action="Information">'
    )


def _text(lines: pl.Series) -> bytes:
    return str(lines.str.join("").item()).encode()


def _values(chunk: pl.DataFrame, components: Sequence[Component]) -> list[pl.Series]:
    return [column(chunk, c.id, f'<generic:Value id="{c.id}" value=', "/>") for c in components]


def _attributes(chunk: pl.DataFrame, components: Sequence[Component]) -> list[pl.Series]:
    """Return the Attributes element of each row, null where the row has no attribute at all."""
    if not components:
        return []
    present = pl.any_horizontal(pl.col(c.id).is_not_null() for c in components)
    text = joined(["<generic:Attributes>", *_values(chunk, components), "</generic:Attributes>"])
    return [pl.select(pl.when(chunk.select(present).to_series()).then(text)).to_series()]


def _measured(chunk: pl.DataFrame, message: DataMessage, plan: Layout) -> list[pl.Series]:
    measure = message.flow.structure.measure.id
    return [column(chunk, measure, "<generic:ObsValue value=", "/>")] if plan.measured else []


def _observations(chunk: pl.DataFrame, message: DataMessage, plan: Layout) -> pl.Series:
    time = message.flow.structure.time.id
    return joined(
        [
            "<generic:Obs>",
            column(chunk, time, f'<generic:ObsDimension id="{time}" value=', "/>"),
            *_measured(chunk, message, plan),
            *_attributes(chunk, plan.observation_attributes),
            "</generic:Obs>",
        ]
    )


def _flat(chunk: pl.DataFrame, message: DataMessage, plan: Layout) -> pl.Series:
    return joined(
        [
            "<generic:Obs><generic:ObsKey>",
            *_values(chunk, (*plan.dimensions, message.flow.structure.time)),
            "</generic:ObsKey>",
            *_measured(chunk, message, plan),
            *_attributes(chunk, plan.observation_attributes),
            "</generic:Obs>",
        ]
    )


def _heads(rows: pl.DataFrame, plan: Layout, before: str, after: str) -> pl.Series:
    return joined(
        [
            before,
            "<generic:SeriesKey>",
            *_values(rows, plan.dimensions),
            "</generic:SeriesKey>",
            *_attributes(rows, plan.series_attributes),
            after,
        ]
    )


def _series(message: DataMessage, plan: Layout) -> Iterator[bytes]:
    first = True
    for chunk, starts in plan.chunks():
        heads = _heads(chunk.filter(starts), plan, "</generic:Series><generic:Series>", "")
        cells = _observations(chunk, message, plan)
        text = _text(joined([scattered(heads, starts), cells]))
        yield text.removeprefix(b"</generic:Series>") if first else text
        first = False
    if not first:
        yield b"</generic:Series>"
