"""SDMX-CSV data messages of every version, written (field guides 1.0, 2.0.0, 2.1; RFC 4180)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import groupby

import numpy as np
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.abreast import abreast
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.csvcolumns import Escape, Fields, fields
from sdmx_service.formats.csvfields import subseparator
from sdmx_service.formats.csvkeys import key_columns, key_titles
from sdmx_service.formats.dataset import ROWS_A_PIECE, SWITCHED_OFF, Block, DataSet
from sdmx_service.formats.decimals import as_digits
from sdmx_service.formats.languages import languages_of
from sdmx_service.formats.message import DataMessage, Keys, Labels, TimeFormat
from sdmx_service.formats.normalizing import normalized
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["write_csv"]

_ORDER = (Role.DIMENSION, Role.TIME, Role.MEASURE, Role.ATTRIBUTE)


@dataclass(frozen=True)
class _Plan:
    """What is settled before the first row."""

    message: DataMessage
    generation: Generation
    components: tuple[Component, ...]
    languages: Mapping[str, tuple[str, ...]]
    multiple: frozenset[str]
    periods: Mapping[str, str] | None

    @property
    def flat(self) -> bool:
        """Whether this is SDMX-CSV 1.0."""
        return self.generation is Generation.SDMX_2_1

    @property
    def spans(self) -> bool:
        """Whether a data set is valid for a span of time, which goes into custom columns."""
        return any(one.valid_from or one.valid_to for one in self.message.datasets)

    def switches_off(self, dataset: DataSet) -> bool:
        """Whether a dimension that a row does not hang on is marked (2.1; "further details").

        Empty it would stand for any code, which only Delete may mean.
        """
        newest = self.generation is Generation.SDMX_3_1
        return newest and dataset.action is not Action.DELETE and dataset.has_partial_keys


def write_csv(message: DataMessage, generation: Generation) -> Iterator[bytes]:
    """Yield the message in pieces, one row an observation or partial key.

    A value that is not reported is an empty field; so is an empty text. ``generation`` is that
    of the version: 2.1 of SDMX-CSV 1.0, 3.0 of 2.0.0, 3.1 of 2.1.0. Raises NotAcceptable for
    names or keys in columns of their own, which 1.0 does not have.
    """
    coded = tuple(as_digits(one).coded() for one in message.datasets)
    return _pieces(_plan(replace(message, datasets=coded), generation))


def _pieces(plan: _Plan) -> Iterator[bytes]:
    head = _header(plan)
    for dataset in plan.message.datasets:
        for piece in _rows(plan, dataset):
            yield head + piece
            head = b""
    if head:
        yield head


def _plan(message: DataMessage, generation: Generation) -> _Plan:
    if generation is Generation.SDMX_2_1:
        if message.labels is Labels.NAME:
            raise NotAcceptable("labels", got="name", expected="id or both in SDMX-CSV 1.0")
        if message.keys is not Keys.NONE:
            raise NotAcceptable("keys", got=message.keys.value, expected="none in SDMX-CSV 1.0")
    present: dict[str, Component] = {}
    for role in _ORDER:
        for dataset in message.datasets:
            present |= {
                c.id: c
                for c in dataset.structure.components
                if c.role is role and c.id in dataset.schema and c.id not in present
            }
    kinds: dict[str, list[pl.DataType]] = {}
    for dataset in message.datasets:
        for name, kind in dataset.schema.items():
            kinds.setdefault(name, []).append(kind)
    return _Plan(
        message,
        generation,
        tuple(present.values()),
        languages_of(message),
        frozenset(n for n, found in kinds.items() if any(isinstance(k, pl.List) for k in found)),
        _periods(message) if message.time_format is TimeFormat.NORMALIZED else None,
    )


def _periods(message: DataMessage) -> Mapping[str, str]:
    """Return what each period of the whole message is replaced by."""
    found: set[str] = set()
    for dataset in message.datasets:
        if dataset.structure.timed and dataset.structure.time.id in dataset.schema:
            for chunk in dataset.chunks():
                periods = chunk.get_column(dataset.structure.time.id).cast(pl.String)
                found |= set(periods.unique().drop_nulls())
    return normalized(sorted(found))


def _header(plan: _Plan) -> bytes:
    message, between = plan.message, subseparator(plan.message.separator)
    titles = ["DATAFLOW"]
    if not plan.flat:
        several = plan.multiple or plan.languages
        titles = [f"STRUCTURE[{between}]" if several else "STRUCTURE", "STRUCTURE_ID"]
        if message.labels is Labels.NAME:
            titles.append("STRUCTURE_NAME")
        titles.append("ACTION")
        titles += key_titles(message.keys)
    taken = {component.id for component in plan.components}
    for component in plan.components:
        name = message.text(component.name) or component.id
        title = component.id
        if component.id in plan.languages:
            title += f"[{between.join(plan.languages[component.id])}]"
        elif component.id in plan.multiple:
            title += "[]"
        if plan.flat and component.role is Role.MEASURE:
            titles.append("OBS_VALUE")
        elif message.labels is Labels.BOTH:
            titles.append(f"{title}: {name}")
        else:
            titles.append(title)
        if message.labels is Labels.NAME:
            # Two components may bear one name, a component may be named as another's id.
            named = f"{component.id} {name}" if name in taken else name
            taken.add(named)
            titles.append(named)
    if plan.spans:
        titles += ["VALID_FROM", "VALID_TO"]
    escape = Escape(message.separator)
    return (message.separator.join(escape.text(title) for title in titles) + "\r\n").encode()


def _lead(plan: _Plan, dataset: DataSet) -> str:
    """Return the fields that are the same in every row of a data set."""
    message, subject = plan.message, dataset.subject
    reference = f"{subject.agency}:{subject.id}"
    if subject.version:
        reference += f"({subject.version})"
    name = message.text(subject.name)
    if message.labels is Labels.BOTH and name:
        reference += f": {name}"
    lead = [reference]
    if not plan.flat:
        lead = [dataset.context.value, reference]
        if message.labels is Labels.NAME:
            lead.append(name)
        lead.append(dataset.action.letter(plan.generation))
    escape = Escape(message.separator)
    return message.separator.join(escape.text(text) for text in lead)


def _rows(plan: _Plan, dataset: DataSet) -> Iterator[bytes]:
    message = plan.message
    blank = Fields((pl.lit(None, pl.String),) * (2 if message.labels is Labels.NAME else 1))
    written = {
        c.id: _fields(plan, dataset, c) if c.id in dataset.schema else blank
        for c in plan.components
    }
    if plan.switches_off(dataset):
        for one in dataset.structure.key:
            if one.id in written:
                written[one.id] = written[one.id].otherwise(SWITCHED_OFF)
    lead, trail = pl.lit(_lead(plan, dataset)), _trail(plan, dataset)
    escape = Escape(message.separator)
    keys = [escape.fields(key) for key in key_columns(message, dataset)]
    above = _above(message, dataset)
    # What a series says in columns next to each other is one text, made once a series.
    together = [
        (once, [(name, written[name]) for name in names])
        for once, names in groupby(written, key=above.__contains__)
    ]
    key = {one.id for one in dataset.structure.key}
    said = set(written) & set(dataset.schema) - key
    doubts = [
        made.doubt.alias(name)
        for name, made in written.items()
        if made.doubt is not None and name not in above
    ]

    def lines(block: Block) -> bytes:
        doubtful = block.rows.select(doubts).row(0, named=True) if doubts else {}
        columns: list[pl.Expr | pl.Series] = []
        if not together[0][0]:  # else it is in front of what a series says
            columns += [pl.repeat(lead, pl.len()), *keys]
        for once, group in together:
            if once:
                first = () if columns else (lead,)
                texts = [*first, *(text for _, made in group for text in made.sure)]
                columns.append(block.spread(_joined(block.heads, texts, message.separator)))
                continue
            for name, made in group:
                if name in said and _empty(block.rows, name):
                    columns += blank.easy  # as most columns of metadata are beside observations
                else:
                    columns += made.careful if doubtful.get(name) else made.easy
        if trail is not None:
            columns.append(pl.lit(trail))
        rows = (column.alias(str(place)) for place, column in enumerate(columns))
        return _text(block.rows.select(rows), message)

    yield from abreast(lines, _blocks(dataset, above))


def _above(message: DataMessage, dataset: DataSet) -> frozenset[str]:
    """Return the columns that are the same all through a series; none where that is not known."""
    if dataset.index is None or message.keys is not Keys.NONE:
        return frozenset()
    same = frozenset(one.id for one in dataset.structure.dimensions) | (dataset.steady or set())
    return same.intersection(dataset.schema) if set(dataset.schema) - same else frozenset()


def _blocks(dataset: DataSet, above: frozenset[str]) -> Iterator[Block]:
    index = dataset.index
    if index is None or not above:
        for chunk in dataset.chunks(ROWS_A_PIECE):
            yield Block(pl.DataFrame(), chunk, np.empty(0, dtype="<i8"), True)
        return
    once = [name for name in dataset.schema if name in above]
    each = [name for name in dataset.schema if name not in above]
    for found in index.runs(once, each, ROWS_A_PIECE):
        yield Block(*found)


def _empty(rows: pl.DataFrame, name: str) -> bool:
    return rows.get_column(name).null_count() == rows.height


def _joined(rows: pl.DataFrame, fields: list[pl.Expr], separator: str) -> pl.Series:
    texts = [field.cast(pl.String).fill_null("") for field in fields]
    return rows.select(pl.concat_str(texts, separator=separator)).to_series()


def _fields(plan: _Plan, dataset: DataSet, component: Component) -> Fields:
    kind = dataset.schema[component.id]
    marks = dataset.action is Action.DELETE
    if component.id not in plan.multiple or isinstance(kind, pl.List) or marks:
        return fields(plan.message, component, kind, dataset.height, plan.periods)
    # The title promises several values, so one alone is written as one of several.
    value = pl.when(pl.col(component.id).is_not_null()).then(pl.concat_list(component.id))
    return fields(plan.message, component, pl.List(kind), dataset.height, value=value)


def _trail(plan: _Plan, dataset: DataSet) -> str | None:
    if not plan.spans:
        return None
    moments = (dataset.valid_from, dataset.valid_to)
    return plan.message.separator.join("" if one is None else one.isoformat() for one in moments)


def _text(rows: pl.DataFrame, message: DataMessage) -> bytes:
    out = BytesIO()
    rows.write_csv(
        out,
        include_header=False,
        separator=message.separator,
        decimal_comma=message.decimal == ",",
        line_terminator="\r\n",
        quote_style="never",
    )
    return out.getvalue()
