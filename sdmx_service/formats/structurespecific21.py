"""SDMX-ML 2.1 structure-specific data messages."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sdmx_service.formats.layout import Layout, layout
from sdmx_service.formats.markup21 import (
    COMMON,
    MESSAGE,
    XSI,
    attribute,
    column,
    header,
    joined,
    scattered,
)
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import register_data

__all__ = ["write_structure_specific"]

_SPECIFIC = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific"
_END = "</message:DataSet></message:StructureSpecificData>"


@register_data(
    "structurespecific",
    "application/vnd.sdmx.structurespecificdata+xml",
    "2.1",
    ".xml",
    short_names=("structurespecificdata", "ss", "xml", "sdmx-compact-2.1"),
    plain_types=("application/xml", "text/xml"),
)
def write_structure_specific(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; a missing value is an absent XML attribute."""
    plan = layout(message)
    flat = plan.flat and plan.observed
    yield _opening(message, flat=flat).encode()
    if flat:
        for chunk, _ in plan.chunks():
            yield _text(_observations(chunk, message, plan, flat=True))
    elif not plan.observed:
        for chunk, _ in plan.chunks():
            yield _text(_heads(chunk, plan, "<Series", "/>"))
    else:
        yield from _series(message, plan)
    yield _END.encode()


def _opening(message: DataMessage, *, flat: bool) -> str:
    structure = message.flow.structure
    level = "AllDimensions" if flat else structure.time.id
    namespace = (
        "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure="
        f"{structure.agency}:{structure.id}({structure.version}):ObsLevelDim:{level}"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message:StructureSpecificData xmlns:message="{MESSAGE}" xmlns:common="{COMMON}"'
        f' xmlns:data="{_SPECIFIC}" xmlns:xsi="{XSI}" xmlns:ns1={attribute(namespace)}>'
        f"{header(message, f' namespace={attribute(namespace)}')}"
        f'<message:DataSet data:structureRef={attribute(structure.id)} xsi:type="ns1:DataSetType"'
        ' data:dataScope="DataStructure" data:action="Information">'
    )


def _text(lines: pl.Series) -> bytes:
    return str(lines.str.join("").item()).encode()


def _observations(
    chunk: pl.DataFrame, message: DataMessage, plan: Layout, *, flat: bool
) -> pl.Series:
    structure = message.flow.structure
    names = [dimension.id for dimension in plan.dimensions] if flat else []
    names.append(structure.time.id)
    if plan.measured:
        names.append(structure.measure.id)
    names += [component.id for component in plan.observation_attributes]
    return joined(["<Obs", *(column(chunk, name, f" {name}=") for name in names), "/>"])


def _heads(rows: pl.DataFrame, plan: Layout, before: str, after: str) -> pl.Series:
    names = [component.id for component in (*plan.dimensions, *plan.series_attributes)]
    return joined([before, *(column(rows, name, f" {name}=") for name in names), after])


def _series(message: DataMessage, plan: Layout) -> Iterator[bytes]:
    first = True
    for chunk, starts in plan.chunks():
        heads = _heads(chunk.filter(starts), plan, "</Series><Series", ">")
        cells = _observations(chunk, message, plan, flat=False)
        text = _text(joined([scattered(heads, starts), cells]))
        yield text.removeprefix(b"</Series>") if first else text
        first = False
    if not first:
        yield b"</Series>"
