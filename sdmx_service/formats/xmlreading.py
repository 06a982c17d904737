"""SDMX-ML data messages of every form, read (SDMX 2.1 section 3A; SDMX 3.0 and 3.1 SDMX-ML)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import polars as pl
from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import Context, DataSet
from sdmx_service.formats.encoded import refuse_packed
from sdmx_service.formats.message import ALL_DIMENSIONS, DataMessage
from sdmx_service.formats.readrows import Rows
from sdmx_service.formats.registry import Structures
from sdmx_service.formats.soundness import sound
from sdmx_service.formats.subjects import Subject, found, of_urn
from sdmx_service.formats.xmlbodies import Bodies, NotPlainError, bodies
from sdmx_service.formats.xmlgrammar import Form
from sdmx_service.formats.xmlheader import Dialect, namespaces
from sdmx_service.formats.xmlplain import read_plain
from sdmx_service.formats.xmlsource import Element, events, refuse_invalid_header
from sdmx_service.formats.xmlvalues import GenericValues, SpecificValues, Values
from sdmx_service.structures.artefacts import DataStructure

__all__ = ["read_xml"]

_CONTEXTS = {
    "StructureUsage": Context.DATAFLOW,
    "Structure": Context.DATA_STRUCTURE,
    "ProvisionAgrement": Context.PROVISION,
    "ProvisionAgreement": Context.PROVISION,
}
_PARTS = {"Annotations", "DataProvider", "Atts", "Group", "Series", "Obs", "Metadata"}


@dataclass(frozen=True)
class _Header:
    """What the header of a message says, the structures by their id in it."""

    id: str
    prepared: datetime
    sender: str
    action: str | None
    structures: Mapping[str, tuple[Subject, str]]
    namespaces: frozenset[str]


def read_xml(content: bytes | Path, structures: Structures, dialect: Dialect) -> DataMessage:
    """Return the message, a data set for each of its own.

    Generic messages are held to the schema of the standard; of the others the header is, their
    data to the structure. Raises DataError with line or observation for what is not valid,
    NotFound for a structure that ``structures`` does not have.
    """
    refuse_packed(content, "XML")
    plain = _read_plain(content, structures, dialect)
    return plain if plain is not None else _read(content, _Reader(dialect, structures), dialect)


def _read_plain(
    content: bytes | Path, structures: Structures, dialect: Dialect
) -> DataMessage | None:
    """Return a message whose data sets are plain, None for any other.

    Of what is wrong the parser has the word, so that it is said the same in every message.
    """
    try:
        with bodies(content, generic=not dialect.specific) as told:
            message = _read(told.around, _Reader(dialect, structures, told), dialect)
            return message if len(message.datasets) == len(told.each) else None
    except (DataError, NotPlainError):
        return None


def _read(content: bytes | Path, reader: _Reader, dialect: Dialect) -> DataMessage:
    known = namespaces(dialect.generation)
    message = f"{{{known['message']}}}"
    inside = "" if dialect.specific else f"{{{known['generic']}}}"
    tags = [f"{message}Header", f"{message}DataSet", f"{{{known['footer']}}}Footer"]
    own = "{*}DataSet"  # some write it in the namespace of the structure
    tags += [f"{inside}{name}" for name in ("Group", "Series", "Obs", "Atts")]
    root = f"{message}{dialect.root}"
    checked = not dialect.specific
    steps = reader.steps
    take = {
        (event, tag): steps.get((event, etree.QName(tag).localname), _pass)
        for event in ("start", "end")
        for tag in tags
    }
    try:
        every = [*tags, own] if dialect.specific else tags
        with closing(events(content, root, every, dialect.generation, checked=checked)) as parsed:
            for event, element in parsed:
                tag = str(element.tag)
                take[event, tag if (event, tag) in take else tags[1]](element)
    except DataError:
        # A message that only says why there are no data is invalid too, but says more.
        if (said := _only_footer(content, root, tags[1:3], dialect)) is not None:
            raise _refused_by_sender(said) from None
        raise
    return reader.message()


class _Reader:
    """Takes the elements of a message in their order and keeps the rows of its data sets."""

    def __init__(
        self, dialect: Dialect, structures: Structures, apart: Bodies | None = None
    ) -> None:
        self._dialect = dialect
        self._structures = structures
        self._apart = apart
        self._header: _Header | None = None
        self._datasets: list[DataSet] = []
        self._levels: list[str] = []
        self._footer: str | None = None
        self._rows: Rows | None = None
        self._values: Values
        self._empty: DataSet
        self._series: dict[str, object] | None = None
        self._observed = self._in_series = False
        self._count = 0

    @property
    def steps(self) -> Mapping[tuple[str, str], Callable[[Element], None]]:
        """What takes the start or the end of an element, by its name."""
        return {
            ("end", "Header"): self._end_header,
            ("end", "Footer"): self._end_footer,
            ("start", "DataSet"): self._start_dataset,
            ("end", "DataSet"): self._end_dataset,
            ("start", "Series"): self._start_series,
            ("end", "Series"): self._end_series,
            ("end", "Obs"): self._end_obs,
            ("end", "Group"): self._end_group,
            ("end", "Atts"): self._end_group,
        }

    def message(self) -> DataMessage:
        """Return what was taken; DataError where there is no header or only a footer."""
        header = self._header
        if self._footer is not None and not self._datasets:
            raise _refused_by_sender(self._footer)
        if header is None:
            raise DataError("message", got="no header", expected="a message:Header")
        if self._rows is not None:
            raise DataError("message", got="its end", expected="the end of a data set")
        return sound(
            DataMessage(
                tuple(self._datasets),
                release=header.id,
                prepared=header.prepared,
                observed_by=self._observed_by(),
                sender=header.sender,
            )
        )

    def _observed_by(self) -> str | None:
        """Return the level of the message, None where every data set has time there."""
        for dataset, level in zip(self._datasets, self._levels, strict=True):
            structure = dataset.structure
            if not (structure.timed and level == structure.time.id):
                return level
        return None

    def _end_header(self, element: Element) -> None:
        """Take the header, which comes before all data."""
        children = {etree.QName(one).localname for one in element}
        if "Structure" in children or self._dialect.specific:
            refuse_invalid_header(element, self._dialect.root, self._dialect.generation)
        self._header = self._read_header(element)

    def _read_header(self, element: Element) -> _Header:
        known = namespaces(self._dialect.generation)
        message = f"{{{known['message']}}}"
        structures = {}
        own = {known["message"]}
        for one in element.iterfind(f"{message}Structure"):
            own.add(one.get("namespace", ""))
            if one.get("explicitMeasures") in ("true", "1"):
                raise DataError(
                    f"line {one.sourceline}",
                    got="explicit measures",
                    expected="observations with a value each",
                    hint="ask for the data without explicitMeasure",
                )
            level = one.get("dimensionAtObservation", "")
            structures[one.get("structureID", "")] = (self._subject(one), level)
        sender = element.find(f"{message}Sender")
        return _Header(
            element.findtext(f"{message}ID", ""),
            _moment(element.findtext(f"{message}Prepared", ""), "Prepared"),
            "" if sender is None else sender.get("id", ""),
            element.findtext(f"{message}DataSetAction"),
            structures,
            frozenset(own),
        )

    def _subject(self, element: Element) -> Subject:
        """Return what a Structure element of the header refers to."""
        reference = element[0]
        where = f"header, line {reference.sourceline}"
        ref, urn = reference.find("Ref"), reference.findtext("URN") or reference.text or ""
        if ref is None:
            return of_urn(urn, self._structures, where)
        context = _CONTEXTS[str(etree.QName(reference).localname)]
        version = ref.get("version", "1.0")
        return found(
            context, ref.get("agencyID", ""), ref.get("id", ""), version, self._structures, where
        )

    def _end_footer(self, element: Element) -> None:
        """Take what the footer says."""
        said = [
            f"{one.get('code')}: {' '.join(map(str, one.itertext())).strip()}" for one in element
        ]
        self._footer = " ".join(" ".join(said).split())

    def _start_dataset(self, element: Element) -> None:
        """Begin a data set."""
        dialect, header = self._dialect, self._header
        where = f"data set {len(self._datasets) + 1}"
        if header is None:
            raise DataError(where, got="no header before it", expected="a message:Header")
        if self._rows is not None:
            raise DataError(where, got="it within another", expected="one after the other")
        if etree.QName(element).namespace not in header.namespaces:
            raise DataError(
                f"{where}, line {element.sourceline}",
                got=str(element.tag)[:200],
                expected="a message:DataSet, or one in a namespace that the header names",
            )
        prefix = f"{{{namespaces(dialect.generation)['data']}}}" if dialect.specific else ""
        reference = element.get(f"{prefix}structureRef", "")
        if reference not in header.structures:
            raise DataError(
                f"{where}, structureRef",
                got=reference[:80] or "nothing",
                expected=f"one of {', '.join(header.structures)}",
            )
        subject, level = header.structures[reference]
        structure = subject.flow.structure
        # The guides: without an action 3.1 means Merge, the versions before it Information.
        absent = "Merge" if dialect.generation is Generation.SDMX_3_1 else "Information"
        said = self._said_action(element, prefix, structure, where) or header.action or absent
        self._empty = DataSet(
            subject.flow,
            pl.DataFrame(),
            Action.of(said, dialect.generation, f"{where}, action"),
            _optional(element.get(f"{prefix}validFromDate"), f"{where}, validFromDate"),
            _optional(element.get(f"{prefix}validToDate"), f"{where}, validToDate"),
            subject.context,
            subject.provision,
        )
        self._refuse_level(level, where)
        kind = SpecificValues if dialect.specific else GenericValues
        self._values = kind(structure, dialect.generation, level)
        self._rows = Rows(structure, where, deleted=self._empty.action is Action.DELETE)
        self._levels.append(level)
        self._count, self._series, self._in_series = 0, None, False
        if self._apart is not None:
            bound = cast("Mapping[str | None, str]", element.nsmap)
            generic = not dialect.specific
            form = Form(
                structure,
                generic,
                Form.tags_of(generic, dialect.generation, bound),
                measure=self._values.measure,
                at=level,
                typed=self._apart.typed,
                timed=dialect.timed and generic,
            )
            read_plain(self._apart.each[len(self._datasets)], self._rows, form)

    def _said_action(
        self, element: Element, prefix: str, structure: DataStructure, where: str
    ) -> str | None:
        """Return the action of a data set, which some write without its namespace in all forms."""
        action, other = element.get(f"{prefix}action"), element.get("action")
        if other is None or (self._dialect.specific and "action" in structure.by_id):
            return action
        if action not in (None, other):
            raise DataError(f"{where}, action", got=f"{action} and {other}", expected="one action")
        return other

    def _refuse_level(self, level: str, where: str) -> None:
        known = [one.id for one in self._empty.structure.key]
        if level != ALL_DIMENSIONS and level not in known:
            raise DataError(
                f"{where}, dimensionAtObservation",
                got=level[:80],
                expected=f"{ALL_DIMENSIONS} or one of {', '.join(known)}",
            )

    def _end_dataset(self, element: Element) -> None:
        """Keep the data set with all its rows."""
        rows = self._open(element)
        if own := self._values.dataset(element):
            rows.add(own, "its attributes")
        for one in element:
            name = etree.QName(one).localname
            if self._dialect.specific and name not in _PARTS:
                raise DataError(
                    f"{rows.where}, line {one.sourceline}",
                    got=name[:80],
                    expected=f"one of {', '.join(sorted(_PARTS))}",
                )
        self._datasets.append(rows.into(self._empty))
        self._rows = None
        element.clear()

    def _start_series(self, element: Element) -> None:
        """Begin a series."""
        self._open(element)
        self._series, self._observed, self._in_series = None, False, True

    def _end_series(self, element: Element) -> None:
        """Keep a series without observations as a row of its own."""
        rows = self._open(element)
        if not self._observed:
            rows.add(self._values.series(element), f"a series at line {element.sourceline}")
        elif self._dialect.specific:
            _refuse_late(element)
        self._in_series, self._series = False, None
        _drop(element)

    def _end_obs(self, element: Element) -> None:
        """Keep an observation with what its series says."""
        rows = self._open(element)
        self._count += 1
        row = self._values.observation(element)
        if self._in_series:
            self._observed = True
            if self._series is None:
                parent = element.getparent()
                self._series = {} if parent is None else self._values.series(parent)
            row = {**self._series, **row}
        rows.add(row, f"observation {self._count}", whole=True)
        _drop(element)

    def _end_group(self, element: Element) -> None:
        """Keep the attributes of a part of the key."""
        rows = self._open(element)
        rows.add(self._values.group(element), f"a group at line {element.sourceline}")
        _drop(element)

    def _open(self, element: Element) -> Rows:
        if self._rows is None:
            parent = element.getparent()
            raise DataError(
                f"line {element.sourceline}",
                got=f"{element.tag} in {'nothing' if parent is None else parent.tag}",
                expected="it in a message:DataSet",
            )
        return self._rows


def _refuse_late(series: Element) -> None:
    """Raise DataError where a series says something after its observations have begun."""
    names = [one.tag for one in series]
    if "Comp" in names[names.index("Obs") :]:
        raise DataError(
            f"a series at line {series.sourceline}",
            got="a Comp after an Obs",
            expected="what the series says before its observations",
        )


def _said_by(footer: Element) -> str:
    said = [f"{one.get('code')}: {' '.join(map(str, one.itertext()))}" for one in footer]
    return " ".join(" ".join(said).split())


def _only_footer(
    content: bytes | Path, root: str, tags: Sequence[str], dialect: Dialect
) -> str | None:
    """Return what the footer of a message without data sets says, None for any other."""
    said = None
    try:
        with closing(events(content, root, tags, dialect.generation, checked=False)) as parsed:
            for event, element in parsed:
                if element.tag == tags[0]:
                    return None
                if event == "end":
                    said = _said_by(element)
    except DataError:
        return None
    return said


def _refused_by_sender(said: str) -> DataError:
    return DataError(
        "footer", got=said[:300], expected="a data set", hint="the sender says why there is none"
    )


def _pass(element: Element) -> None:
    """Take nothing."""


def _drop(element: Element) -> None:
    """Free an element that was read, and its place."""
    parent = element.getparent()
    element.clear()
    if parent is not None:
        while (before := element.getprevious()) is not None and before.tag == element.tag:
            parent.remove(before)


def _optional(text: str | None, where: str) -> datetime | None:
    return None if text is None else _moment(text, where)


def _moment(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise DataError(where, got=text[:80], expected="a date-time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
