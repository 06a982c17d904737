"""SDMX-ML data messages of every form, written (SDMX 2.1 section 3A; SDMX 3.0 and 3.1 SDMX-ML)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.abreast import abreast
from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import Block, DataSet
from sdmx_service.formats.decimals import as_digits
from sdmx_service.formats.deletions import valid_marks
from sdmx_service.formats.layout import Layout, layout
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.partialkeys import partial_rows
from sdmx_service.formats.rendering import encoded
from sdmx_service.formats.xmlcells import Parts, joined
from sdmx_service.formats.xmlelements import Elements, elements
from sdmx_service.formats.xmlheader import Dialect, Envelope
from sdmx_service.structures.artefacts import Attachment, Role

__all__ = ["write_xml"]

# Elements are longer than fields: so many stay within the caches.
ROWS_A_PIECE = 8_192


def write_xml(message: DataMessage, dialect: Dialect) -> Iterator[bytes]:
    """Yield the message in pieces; a value that is not reported is an absent attribute or element.

    Raises NotAcceptable for what the form has no place for, before the first piece where the
    keys tell; a text with a character that XML has no form for, where it stands.
    """
    if not message.datasets:
        raise NotAcceptable(
            dialect.title, got="no data set", expected="a data set, which names the structure"
        )
    message = replace(
        message, datasets=tuple(valid_marks(as_digits(one).coded()) for one in message.datasets)
    )
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
    for one in plan.dataset.components:
        if one.data_type == "XHTML" and one.codelist is None and not dialect.old:
            raise NotAcceptable(
                f"{where}, {one.id}",
                got="structured text (XHTML)",
                expected="texts, codes and numbers",
                hint="SDMX-CSV 2.x and SDMX-JSON 2.x carry it",
            )
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
            yield encoded(made.group(group.rows, group.id, group.dimensions, group.attributes))
    if not plan.observed:
        for chunk, _ in plan.chunks():
            yield encoded(
                made.series(chunk, plan.series_dimensions, plan.series_attributes, closed=True)
            )
    elif plan.flat:
        yield from abreast(
            lambda block: encoded(_observations(made, plan, block.rows, [])),
            plan.blocks(ROWS_A_PIECE),
        )
    else:
        yield from _series(made, plan)
    if deleted:
        yield from _deletions(made, plan)
    elif not plan.bare_series.is_empty():
        rows = plan.bare_series
        attributes = [a for a in plan.dataset.structure.attributes if a.id in rows.columns]
        yield encoded(made.series(rows, plan.series_dimensions, attributes, closed=True))
    yield made.closing


def _observations(made: Elements, plan: Layout, rows: pl.DataFrame, after: Parts) -> pl.Series:
    values = (*plan.measures, *plan.observation_attributes)
    return made.observations(
        rows, plan.observation_dimensions, values, alone=plan.flat, after=after
    )


def _series(made: Elements, plan: Layout) -> Iterator[bytes]:
    after, opened = made.after_series, False

    def written(numbered: tuple[int, Block]) -> bytes:
        number, block = numbered
        heads = made.series(
            block.heads, plan.series_dimensions, plan.series_attributes, closed=False
        )
        starts = joined([after, heads], block.heads)
        if number == 0:
            starts = pl.concat([heads.head(1), starts.slice(1)])
        return encoded(_observations(made, plan, block.rows, [block.before(starts, "")]))

    for piece in abreast(written, enumerate(plan.blocks(ROWS_A_PIECE))):
        yield piece
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
            yield encoded(made.observations(found, key, values, alone=True, after=[]))
            continue
        above = [one for one in key if one in plan.series_dimensions]
        below = [one for one in key if one not in plan.series_dimensions]
        if not below and not any(one.role is Role.MEASURE for one in values):
            yield encoded(made.series(found, above, values, closed=True))
            continue
        heads = made.series(found, above, (), closed=False)
        inner = made.observations(found, below, values, alone=False, after=[heads])
        yield encoded(joined([inner, made.after_series], found))
