"""SDMX-ML data messages of every form, written (SDMX 2.1 section 3A; SDMX 3.0 and 3.1 SDMX-ML)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import DataSet
from sdmx_service.formats.deletions import valid_marks
from sdmx_service.formats.layout import Layout, layout
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.partialkeys import partial_rows
from sdmx_service.formats.xmlcells import joined
from sdmx_service.formats.xmlelements import Elements, elements
from sdmx_service.formats.xmlheader import Dialect, Envelope
from sdmx_service.structures.artefacts import Attachment, Role

__all__ = ["write_xml"]


def write_xml(message: DataMessage, dialect: Dialect) -> Iterator[bytes]:
    """Yield the message in pieces; a value that is not reported is an absent attribute or element.

    Raises NotAcceptable for what the form has no place for, before the first piece where the
    keys tell; a text with a character that XML has no form for, where it stands.
    """
    if not message.datasets:
        raise NotAcceptable(
            dialect.title, got="no data set", expected="a data set, which names the structure"
        )
    message = replace(message, datasets=tuple(valid_marks(one) for one in message.datasets))
    plans = tuple(_plan(message, dataset, dialect) for dataset in message.datasets)
    for number, plan in enumerate(plans, 1):
        _refuse(plan, dialect, f"{dialect.title}: data set {number}")
    envelope = Envelope(message, dialect, tuple(plan.at for plan in plans))
    if dialect.timed and not dialect.specific and len(envelope.structures) > 1:
        raise NotAcceptable(
            dialect.title,
            got=f"data sets reported against {len(envelope.structures)} artefacts",
            expected="one, as its header has it",
            hint="format=generic carries several",
        )
    return _pieces(envelope, plans)


def _pieces(envelope: Envelope, plans: tuple[Layout, ...]) -> Iterator[bytes]:
    yield envelope.opening()
    for number, plan in enumerate(plans):
        language = envelope.message.languages[0]
        made = elements(plan.dataset, envelope.dialect, *envelope.of(number), language)
        yield from _dataset(made, plan)
    yield envelope.closing


def _plan(message: DataMessage, dataset: DataSet, dialect: Dialect) -> Layout:
    if dataset.action is Action.DELETE:
        return layout(message, dataset)
    levels = set(Attachment)
    named = {frozenset(parts) for parts in dataset.structure.groups.values()}
    grouped = [a for a in dataset.structure.attributes if a.attachment is Attachment.GROUP]
    if dialect.old and not all(frozenset(a.relation) in named for a in grouped):
        levels.remove(Attachment.GROUP)  # a group of 2.1 needs a name
    return layout(message, dataset, levels)


def _refuse(plan: Layout, dialect: Dialect, where: str) -> None:
    """Raise NotAcceptable for keys and shapes that the form has no place for."""
    structure = plan.dataset.structure
    if dialect.timed and not (structure.timed and plan.at == structure.time.id):
        raise NotAcceptable(
            where,
            got=f"observations by {plan.at}",
            expected="observations by time",
            hint="the forms that are not for time series only take any dimension",
        )
    deleted = plan.dataset.action is Action.DELETE
    series = tuple(one.id for one in plan.series_dimensions)
    named = {frozenset(parts) for parts in structure.groups.values()}
    for names, rows in partial_rows(plan.dataset).items():
        measured = any(one.id in rows.columns for one in structure.measures)
        whole = names == series and not plan.flat
        if dialect.old:
            grouped = (not names or frozenset(names) in named) and not deleted
            placed = (whole or grouped) and not measured
        else:
            placed = deleted or not measured
        if not placed:
            raise NotAcceptable(
                where,
                got=f"{'a measure' if measured else 'attributes'} of the partial key "
                f"{', '.join(names) or '(none)'}",
                expected="a group of the structure, a series or a whole observation",
                hint="SDMX-CSV 2.x carries it",
            )


def _dataset(made: Elements, plan: Layout) -> Iterator[bytes]:
    deleted = plan.dataset.action is Action.DELETE
    yield made.opening(pl.DataFrame() if deleted else plan.dataset_values).encode()
    if not deleted:
        for group in plan.groups:
            yield text(made.group(group.rows, group.id, group.dimensions, group.attributes))
    if not plan.observed:
        for chunk, _ in plan.chunks():
            yield text(
                made.series(chunk, plan.series_dimensions, plan.series_attributes, closed=True)
            )
    elif plan.flat:
        for chunk, _ in plan.chunks():
            yield text(_observations(made, plan, chunk))
    else:
        yield from _series(made, plan)
    if deleted:
        yield from _deletions(made, plan)
    elif not plan.bare_series.is_empty():
        rows = plan.bare_series
        attributes = [a for a in plan.dataset.structure.attributes if a.id in rows.columns]
        yield text(made.series(rows, plan.series_dimensions, attributes, closed=True))
    yield made.closing


def _observations(made: Elements, plan: Layout, chunk: pl.DataFrame) -> pl.Series:
    values = (*plan.measures, *plan.observation_attributes)
    return made.observations(chunk, plan.observation_dimensions, values, alone=plan.flat)


def _series(made: Elements, plan: Layout) -> Iterator[bytes]:
    after, opened = made.after_series, False
    for chunk, starts in plan.chunks():
        heads = made.series(
            chunk.filter(starts), plan.series_dimensions, plan.series_attributes, closed=False
        )
        place = pl.select(pl.when(starts).then(starts.cum_sum().cast(pl.Int64) - 1)).to_series()
        before = joined([after, heads]).gather(place)
        piece = text(joined([before, _observations(made, plan, chunk)]))
        yield piece if opened else piece.removeprefix(after.encode())
        opened = True
    if opened:
        yield after.encode()


def _deletions(made: Elements, plan: Layout) -> Iterator[bytes]:
    """Yield what is deleted by a part of its key: dimensions left out stand for any code."""
    structure = plan.dataset.structure
    for names, rows in partial_rows(plan.dataset).items():
        found = pl.DataFrame({"row": [0]}) if rows.width == 0 else rows
        key = [one for one in structure.key if one.id in names]
        values = [
            one for one in structure.components if one.id in rows.columns and one.id not in names
        ]
        if plan.flat:
            yield text(made.observations(found, key, values, alone=True))
            continue
        above = [one for one in key if one in plan.series_dimensions]
        below = [one for one in key if one not in plan.series_dimensions]
        if not below and not any(one.role is Role.MEASURE for one in values):
            yield text(made.series(found, above, values, closed=True))
            continue
        heads = made.series(found, above, (), closed=False)
        inner = made.observations(found, below, values, alone=False)
        yield text(joined([heads, inner, made.after_series]))


def text(lines: pl.Series) -> bytes:
    """Return the lines one after the other, as UTF-8."""
    array = lines.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, places, content = array.buffers()
    if content is None:
        return b""
    offsets = np.frombuffer(places, np.int64)
    start, end = int(offsets[array.offset]), int(offsets[array.offset + len(array)])
    return bytes(memoryview(content)[start:end])
