"""SDMX-CSV data messages of every version, read (field guides 1.0, 2.0.0, 2.1)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.csvcells import Fields, cells, codes_of, one_code, whole_numbers
from sdmx_service.formats.csvheader import Column, Header, read_header
from sdmx_service.formats.csvkeys import refuse_contradiction
from sdmx_service.formats.csvrecords import Records
from sdmx_service.formats.dataset import Context, DataSet, Provision
from sdmx_service.formats.encoded import refuse_packed, utf8
from sdmx_service.formats.message import DataMessage, Labels
from sdmx_service.formats.registry import Provisions, Structures
from sdmx_service.formats.soundness import sound
from sdmx_service.structures.artefacts import Component, Dataflow, DataStructure

__all__ = ["read_csv"]

_REFERENCE = re.compile(
    r"([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*):([A-Za-z0-9_@$-]+)(?:\(([^()]*)\))?"
)
_LONGEST_HEADER = 1_000_000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_VALID = ("VALID_FROM", "VALID_TO")
_KEYS = ("SERIES_KEY", "OBS_KEY")


@dataclass(frozen=True)
class _Subject:
    """What some of the rows are reported against, as the message writes it."""

    context: Context
    reference: str
    flow: Dataflow
    provision: Provision | None = None


def read_csv(content: bytes | Path, structures: Structures, generation: Generation) -> DataMessage:
    """Return the message: a data set for each run of rows with one structure and one action.

    ``generation`` is that of the version: 2.1 of SDMX-CSV 1.0, 3.0 of 2.0.0, 3.1 of 2.1.0.
    Raises DataError with record and column for what is not valid, NotFound for a structure that
    ``structures`` does not have. Columns that are no component are left out and named in
    ``passed_over``.
    """
    refuse_packed(content, "SDMX-CSV")
    whole = content.read_bytes() if isinstance(content, Path) else content
    flat = generation is Generation.SDMX_2_1
    head = utf8(whole[:_LONGEST_HEADER], cut=len(whole) > _LONGEST_HEADER)
    header = read_header(head, flat=flat)
    records = Records.of(whole, header)
    runs = _runs(records, header, generation)
    subjects = {
        key: _subject(key[0], key[1], structures, runs)
        for key in runs.select("kind", "reference").unique(maintain_order=True).iter_rows()
    }
    columns, custom = header.columns(_known(subjects.values(), flat))
    coded = _coded(columns, subjects.values()) if not (runs["action"] == "D").any() else {}
    keys = [header.fixed[title] for title in _KEYS if title in header.fixed]
    rows = records.columns(sorted([*keys, *(column.place for column in columns)]), coded)
    rows = rows.with_row_index("_record", offset=2)
    found: list[tuple[int, DataSet]] = []
    for (kind, reference), subject in subjects.items():
        for deleted in (False, True):
            mine = (pl.col("kind") == kind) & (pl.col("reference") == reference)
            mine &= pl.col("action").eq_missing(pl.lit("D")) == deleted
            whose = runs.select(mine).to_series()
            if whose.any():
                chosen, table = runs.filter(whose), rows
                if not whose.all():
                    table = pl.concat(rows.slice(*span) for span in _spans(chosen))
                frame = _frame(table, columns, subject, header, deleted=deleted)
                found += _datasets(frame, chosen, subject, generation)
    found.sort(key=lambda pair: pair[0])
    labels = Labels.NAME if "STRUCTURE_NAME" in header.fixed else Labels.ID
    if any(column.labelled for column in columns):
        labels = Labels.BOTH
    return sound(
        DataMessage(
            tuple(dataset for _, dataset in found),
            release="",
            prepared=_NEVER,
            labels=labels,
            separator=header.separator,
            decimal="," if header.separator == ";" else ".",
            passed_over=tuple(title for title in custom if title not in _VALID),
        )
    )


def _runs(records: Records, header: Header, generation: Generation) -> pl.DataFrame:
    """Return a row for each run of records with the same identity.

    Columns are the record it begins with, how many there are, what they are reported against (a
    reference without its label), their action and their span.
    """
    flat = generation is Generation.SDMX_2_1
    places = [0] if flat else [0, 1]
    places += [header.fixed["ACTION"]] if "ACTION" in header.fixed else []
    places += [header.titles.index(term) for term in _VALID if term in header.titles]
    shared = records.shared(len(places)) if places == list(range(len(places))) else None
    if shared is None:
        fields = records.columns(places, {})
    else:
        names = [f"f{place}" for place in places]
        fields = pl.DataFrame([shared], schema=dict.fromkeys(names, pl.String), orient="row")
    context = pl.lit(Context.DATAFLOW.value) if flat else pl.col("f0")
    reference = pl.col("f0" if flat else "f1").str.splitn(": ", 2).struct.field("field_0")
    # An absent action is Information in the guide of 2.0.0, Merge in that of 2.1.
    absent = Action.MERGE if generation is Generation.SDMX_3_1 else Action.INFORMATION
    action = pl.lit(absent.letter(generation))
    if "ACTION" in header.fixed:
        action = pl.col(f"f{header.fixed['ACTION']}")
    spans = [
        pl.col(f"f{header.titles.index(term)}")
        if term in header.titles
        else pl.lit(None, pl.String)
        for term in _VALID
    ]
    named = fields.select(
        context.alias("kind"),
        reference.alias("reference"),
        action.alias("action"),
        *(span.alias(term) for span, term in zip(spans, _VALID, strict=True)),
    )
    runs = named.select(pl.struct(pl.all()).rle().alias("run")).unnest("run").unnest("value")
    if shared is not None:
        runs = runs.with_columns(pl.lit(records.height).alias("len"))
    first = pl.col("len").cum_sum() - pl.col("len") + 2
    return runs.with_columns(first.alias("_record")).with_row_index("run")


def _spans(runs: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """Yield where the rows of each run begin among all rows, and how many they are."""
    for record, count in runs.select("_record", "len").iter_rows():
        yield record - 2, count


def _coded(columns: Sequence[Column], subjects: Collection[_Subject]) -> dict[int, pl.Enum]:
    """Return the codes of the columns that have one code a field, by their place."""
    if len(subjects) != 1:
        return {}
    (subject,) = subjects
    known = subject.flow.structure.by_id
    return {
        column.place: codes_of(known[column.id])
        for column in columns
        if column.id in known and one_code(column, known[column.id])
    }


def _subject(
    kind: str | None, reference: str | None, structures: Structures, runs: pl.DataFrame
) -> _Subject:
    first = runs.filter(
        pl.col("kind").eq_missing(pl.lit(kind)) & pl.col("reference").eq_missing(pl.lit(reference))
    )
    where = f"record {first.get_column('_record')[0]}"
    contexts = {context.value: context for context in Context}
    if kind not in contexts:
        raise DataError(
            f"{where}, column STRUCTURE",
            got=kind or "nothing",
            expected="one of " + ", ".join(contexts),
        )
    match = _REFERENCE.fullmatch(reference or "")
    if match is None:
        raise DataError(
            f"{where}, column {'STRUCTURE_ID'}",
            got=(reference or "nothing")[:80],
            expected="AGENCY:ID(VERSION)",
        )
    agency, id, version = match[1], match[2], match[3] or "+"
    context = contexts[kind]
    if context is Context.DATAFLOW:
        return _Subject(context, match[0], structures.dataflow(id, agency, version))
    if context is Context.DATA_STRUCTURE:
        structure = structures.datastructure(id, agency, version)
        return _Subject(context, match[0], _bare_flow(structure))
    if not isinstance(structures, Provisions):
        raise DataError(
            f"{where}, column STRUCTURE_ID",
            got=match[0],
            expected="a dataflow or a data structure",
            hint="provision agreements are not known here",
        )
    flow = structures.provisioned(id, agency, version)
    return _Subject(context, match[0], flow, Provision(agency, id, match[3] or "", {}))


def _bare_flow(structure: DataStructure) -> Dataflow:
    """Return a flow that stands for the data structure itself."""
    return Dataflow(structure.agency, structure.id, structure.version, structure.name, structure)


def _known(subjects: Iterable[_Subject], flat: bool) -> dict[str, Component]:
    known: dict[str, Component] = {}
    for subject in subjects:
        known |= subject.flow.structure.by_id
        if flat and subject.flow.structure.measures:
            known["OBS_VALUE"] = subject.flow.structure.measure
    return known


def _frame(
    rows: pl.DataFrame,
    columns: Sequence[Column],
    subject: _Subject,
    header: Header,
    *,
    deleted: bool,
) -> pl.DataFrame:
    structure = subject.flow.structure
    fields = Fields(
        rows.get_column("_record"),
        header.subseparator,
        "," if header.separator == ";" else ".",
        deleted,
    )
    flat = "DATAFLOW" in header.fixed
    read: dict[str, pl.Series] = {}
    for column in columns:
        texts = rows.get_column(f"f{column.place}")
        component = structure.by_id.get(column.id)
        if component is None and flat and column.id == "OBS_VALUE" and structure.measures:
            component = structure.measure
        if component is None:
            _refuse_strangers(column, texts, fields.records, structure)
            continue
        read[component.id] = cells(column, component, texts, fields).alias(component.id)
    if flat:
        _require_dimensions(read, structure, fields.records)
    if not read:  # a frame without columns would have no rows: nothing of the key is named
        first = structure.key[0]
        read[first.id] = pl.Series(first.id, [None] * rows.height, dtype=pl.String)
    frame = pl.DataFrame([read[c.id] for c in structure.components if c.id in read])
    for title in _KEYS:
        if title in header.fixed:
            keys = rows.get_column(f"f{header.fixed[title]}")
            refuse_contradiction(title, keys, frame, structure, fields.records)
    return frame


def _refuse_strangers(
    column: Column, texts: pl.Series, records: pl.Series, structure: DataStructure
) -> None:
    filled = texts.is_not_null().arg_true()
    if len(filled):
        raise DataError(
            f"record {records[filled[0]]}, column {column.title}",
            got=str(texts[filled[0]])[:80],
            expected=f"nothing: {column.id} is no component of {structure.id}",
        )


def _require_dimensions(
    read: dict[str, pl.Series], structure: DataStructure, records: pl.Series
) -> None:
    absent = [dimension.id for dimension in structure.key if dimension.id not in read]
    hint = "SDMX-CSV 1.0 has no partial keys"
    if absent:
        raise DataError(
            "record 1",
            got=f"no column {absent[0]}",
            expected="a column for each dimension",
            hint=hint,
        )
    for dimension in structure.key:
        empty = read[dimension.id].is_null().arg_true()
        if len(empty):
            raise DataError(
                f"record {records[empty[0]]}, column {dimension.id}",
                got="nothing",
                expected="a value of each dimension",
                hint=hint,
            )


def _datasets(
    frame: pl.DataFrame, runs: pl.DataFrame, subject: _Subject, generation: Generation
) -> Iterator[tuple[int, DataSet]]:
    """Yield a data set for each run, with its number; ``frame`` has their rows."""
    first = 0
    for run, count, record, letter, start, end in runs.select(
        "run", "len", "_record", "action", *_VALID
    ).iter_rows():
        where = f"record {record}, column ACTION"
        action = Action.of(letter or "", generation, where)
        if len(letter) != 1:
            raise DataError(where, got=letter[:80], expected="one letter")
        yield (
            run,
            DataSet(
                subject.flow,
                whole_numbers(frame.slice(first, count), subject.flow.structure),
                action,
                _moment(start, record),
                _moment(end, record),
                subject.context,
                subject.provision,
            ),
        )
        first += count


def _moment(text: str | None, record: int) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"record {record}, column VALID_FROM or VALID_TO", got=text[:80], expected="a date-time"
        ) from None
