"""SDMX-CSV 2.0.0 data messages (field guide of SDMX-CSV 2.0.0; RFC 4180)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import polars as pl

from sdmx_service.formats.layout import Layout, layout, renderer
from sdmx_service.formats.message import DataMessage, Labels
from sdmx_service.formats.registry import register_data
from sdmx_service.structures.artefacts import Component

__all__ = ["write_csv"]


@register_data(
    "csv",
    "application/vnd.sdmx.data+csv",
    "2.0.0",
    ".csv",
    short_names=("csvdata", "csv20", "sdmx-csv", "csvfile"),
    plain_types=("text/csv", "application/csv"),
    options={"labels": frozenset({"id", "name", "both"})},
)
def write_csv(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces, one row an observation; a missing value is an empty field."""
    plan = layout(message)
    flow = message.flow
    name = message.text(flow.name)
    reference = f"{flow.agency}:{flow.id}({flow.version})"
    if message.labels is Labels.BOTH:
        reference = f"{reference}: {name}"
    fixed = {"STRUCTURE": "dataflow", "STRUCTURE_ID": reference}
    if message.labels is Labels.NAME:
        fixed["STRUCTURE_NAME"] = name
    fixed["ACTION"] = "I"
    columns = _columns(message, plan)
    header = True
    for chunk, _ in plan.chunks():
        rows = chunk.select(
            *(pl.lit(text).alias(title) for title, text in fixed.items()),
            *(part for one in columns for part in one),
        )
        out = BytesIO()
        rows.write_csv(out, include_header=header, line_terminator="\r\n")
        header = False
        yield out.getvalue()


def _columns(message: DataMessage, plan: Layout) -> list[list[pl.Expr]]:
    components = [message.flow.structure.by_id[name] for name in message.frame.columns]
    if message.labels is Labels.ID:
        return [[pl.col(one.id)] for one in components]
    return [_labelled(message, one, message.frame.get_column(one.id)) for one in components]


def _labelled(message: DataMessage, one: Component, column: pl.Series) -> list[pl.Expr]:
    """Return the column with labels, or the column and one of labels after it."""
    codes = one.codelist.by_id if one.codelist else {}
    names = {code: message.text(item.name) for code, item in codes.items()}
    name = message.text(one.name) or one.id
    if message.labels is Labels.BOTH:
        title = f"{one.id}: {name}"
        if not codes:
            return [pl.col(one.id).alias(title)]
        return [_mapped(column, one, {c: f"{c}: {text}" for c, text in names.items()}, title)]
    # Two components may bear one name, a component may be named as another's id.
    title = f"{one.id} {name}" if name in message.frame.columns else name
    if not codes:
        return [pl.col(one.id), pl.lit(None, pl.String).alias(title)]
    return [pl.col(one.id), _mapped(column, one, names, title)]


def _mapped(column: pl.Series, one: Component, texts: dict[str, str], title: str) -> pl.Expr:
    render = renderer(column, lambda code: texts.get(code, code))
    return (
        pl.col(one.id).map_batches(render, return_dtype=pl.String, is_elementwise=True).alias(title)
    )
