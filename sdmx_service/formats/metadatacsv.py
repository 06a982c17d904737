"""SDMX-CSV 2.0 and 2.1 messages of reference metadata: a row a set, a column an attribute."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.csvfields import language_texts, split, subseparator
from sdmx_service.formats.message import Labels
from sdmx_service.formats.metadata import (
    MetadataMessage,
    register_metadata,
    register_metadata_reader,
    typed_value,
)
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure, localised
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.metadataset import MetadataSet, settled
from sdmx_service.structures.urns import Urn

__all__ = ["read_metadata_csv", "write_metadata_csv20", "write_metadata_csv21"]

_MEDIA = "application/vnd.sdmx.metadata+csv"
_OPTIONS = {"labels": frozenset(one.value for one in Labels)}
_KINDS = {
    "metadataflow": ("Metadataflow", "metadataflow"),
    "metadataprovision": ("MetadataProvisionAgreement", "metadataProvisionAgreement"),
}
_FIXED = ("MDSTRUCTURE_ID", "METADATASET_ID", "TARGET_TYPES", "TARGET_IDS")
_NAMES = ("MDSTRUCTURE_NAME", "METADATASET_NAME", "TARGET_NAMES")
_LEFT_OUT = frozenset({"names", "descriptions", "isExternalReference", "action"})
_CARRIED = frozenset(
    {
        *("id", "agencyID", "version", "metadataflow", "metadataProvisionAgreement", "targets"),
        *("attributes", "isPartialLanguage"),
    }
)


@register_metadata(
    "metadatacsv21",
    _MEDIA,
    "2.1.0",
    ".csv",
    plain_types=("text/csv",),
    family=("csv", "sdmx-csv"),
    generation=Generation.SDMX_3_1,
    options=_OPTIONS,
)
def write_metadata_csv21(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-CSV 2.1; names, where labels ask for them, are in one language."""
    yield _written(message, Generation.SDMX_3_1)


@register_metadata(
    "metadatacsv20",
    _MEDIA,
    "2.0.0",
    ".csv",
    family=("csv", "sdmx-csv"),
    generation=Generation.SDMX_3_0,
    options=_OPTIONS,
)
def write_metadata_csv20(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-CSV 2.0."""
    yield _written(message, Generation.SDMX_3_0)


@dataclass(frozen=True)
class _Column:
    """One attribute: its path, which steps of it are repeated, and its languages if it has any."""

    path: tuple[str, ...]
    repeated: tuple[bool, ...]
    languages: tuple[str, ...] = ()
    attribute: MetadataAttribute | None = None

    def title(self, between: str) -> str:
        steps = (
            f"{id}[]" if many else id for id, many in zip(self.path, self.repeated, strict=True)
        )
        tail = f"[{between.join(self.languages)}]" if self.languages else ""
        return ".".join(steps) + tail


# -- writing --------------------------------------------------------------------------------


def _written(message: MetadataMessage, generation: Generation) -> bytes:
    between = subseparator(message.separator)
    columns = _columns(message)
    marked = any(any(one.repeated) or one.languages for one in columns)
    marked |= any(len(one.targets) > 1 for one in message.sets)
    partial = any("isPartialLanguage" in one.content for one in message.sets)
    newest = generation is Generation.SDMX_3_1
    both, apart = message.labels is Labels.BOTH, message.labels is Labels.NAME
    head = [f"MDSTRUCTURE[{between}]" if marked else "MDSTRUCTURE"]
    for fixed, name in zip(("MDSTRUCTURE_ID", "METADATASET_ID", "TARGET_IDS"), _NAMES, strict=True):
        if fixed == "TARGET_IDS":
            head += [] if newest else ["ACTION"]
            head += ["IS_PARTIAL_LANGUAGE"] if newest and partial else []
            head.append("TARGET_TYPES")
        head += [fixed, name] if apart else [fixed]
    for column in columns:
        title, label = column.title(between), _label(column, message)
        head += [f"{title}: {label}"] if both and label else [title]
        head += [label or title] if apart else []
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", delimiter=message.separator)
    writer.writerow(head)
    for one in message.sets:
        writer.writerow(_row(one, message, columns, between, newest=newest, partial=partial))
    return out.getvalue().encode()


def _label(column: _Column, message: MetadataMessage) -> str:
    if column.attribute is None:
        return ""
    names = column.attribute.name
    found = next((names[tag] for tag in message.languages if tag in names), None)
    return found or localised(names)


def _row(
    one: MetadataSet,
    message: MetadataMessage,
    columns: Sequence[_Column],
    between: str,
    *,
    newest: bool,
    partial: bool,
) -> list[str]:
    for key in one.content:
        if key not in _CARRIED | _LEFT_OUT:
            raise _refused(one, key)
    if "isPartialLanguage" in one.content and not newest:
        raise _refused(one, "isPartialLanguage")
    both, apart = message.labels is Labels.BOTH, message.labels is Labels.NAME
    reported = Urn.parse(one.reported_to)
    if reported is None:
        raise _refused(one, one.reported_to)
    kind = next(word for word, (name, _) in _KINDS.items() if name == reported.name)
    label = next((one.name[tag] for tag in message.languages if tag in one.name), None)
    name = label or localised(one.name)
    row = [kind, _identity(reported)] + ([""] if apart else [])
    own = f"{one.agency}:{one.id}({one.version})"
    row += [f"{own}: {name}"] if both and name else [own]
    row += [name] if apart else []
    row += [] if newest else [str(one.content.get("action", "Information"))[0]]
    if newest and partial:
        row.append("1" if one.content.get("isPartialLanguage") else "0")
    targets = [_target(target, one) for target in one.targets]
    row += [between.join(word) for word in (zip(*targets, strict=True) if targets else ("", ""))]
    row += [""] if apart else []
    rebuilt: list[tuple[_Column, Any]] = []
    for column in columns:
        value = _gathered(one.attributes, column, 0)
        text = _encoded(value, sum(column.repeated), between, column)
        rebuilt.append((column, text))
        row += [text, _meaning(value, column, message)] if apart else [text]
    _check(one, rebuilt, between)
    return row


def _check(one: MetadataSet, fields: list[tuple[_Column, str]], between: str) -> None:
    """Refuse what would not be read again: no value anywhere, annotations, formats."""
    read = _attributes(fields, between, one.urn, typed=False)
    if _plain(read) != _plain(list(one.attributes)):
        raise _refused(one, "attributes without any value, or with annotations or a format")


def _plain(attributes: list[Any]) -> list[Any]:
    """Return attributes with texts for values, those of one id next to each other."""
    first = {one["id"]: place for place, one in reversed(list(enumerate(attributes)))}
    kept = []
    for one in sorted(attributes, key=lambda found: first[found["id"]]):
        said = dict(one)
        if "value" in said and not isinstance(said["value"], dict):
            said["value"] = _text(said["value"])
        if "attributes" in said:
            said["attributes"] = _plain(said["attributes"])
        kept.append(said)
    return sorted(kept, key=lambda found: str(found["id"]))


def _refused(one: MetadataSet, what: str) -> CannotCarry:
    return CannotCarry(one.urn, got=what, expected="what SDMX-CSV has a place for in metadata")


def _identity(urn: Urn) -> str:
    tail = f".{urn.item}" if urn.item else ""
    return f"{urn.agency}:{urn.id}({urn.version}){tail}"


def _target(text: str, one: MetadataSet) -> tuple[str, str]:
    urn = Urn.parse(text)
    if urn is None or urn.wild:
        raise _refused(one, f"target {text}")
    return urn.name.lower(), _identity(urn)


def _meaning(value: Any, column: _Column, message: MetadataMessage) -> str:
    listed = column.attribute.codelist if column.attribute else None
    if listed is None or not isinstance(value, str) or value not in listed.by_id:
        return ""
    return localised(listed.by_id[value].name, message.languages[0])


def _columns(message: MetadataMessage) -> list[_Column]:
    """Return the columns in the order of the structures, then of the sets."""
    known: dict[tuple[str, ...], MetadataAttribute] = {}
    for one in message.sets:
        if (structure := message.structures.get(one.reported_to)) is not None:
            known |= {a.path: a for a in structure.attributes if a.path not in known}
    repeated: dict[tuple[str, ...], bool] = {}
    languages: dict[tuple[str, ...], dict[str, None]] = {}
    said: set[tuple[str, ...]] = set()
    for one in message.sets:
        _survey(one.attributes, (), repeated, languages, said)
    for path, attribute in known.items():
        repeated[path] = repeated.get(path, False) or attribute.most != 1
    order = [path for path in known if path in said]
    order += [path for path in repeated if path in said and path not in known]
    return [
        _Column(
            path,
            tuple(repeated[path[: step + 1]] for step in range(len(path))),
            tuple(languages.get(path, ())),
            known.get(path),
        )
        for path in order
    ]


def _survey(
    attributes: Sequence[Mapping[str, Any]],
    above: tuple[str, ...],
    repeated: dict[tuple[str, ...], bool],
    languages: dict[tuple[str, ...], dict[str, None]],
    said: set[tuple[str, ...]],
) -> None:
    seen: set[str] = set()
    for one in attributes:
        path = (*above, str(one["id"]))
        repeated[path] = repeated.get(path, False) or one["id"] in seen
        seen.add(one["id"])
        if isinstance(one.get("value"), dict):
            languages.setdefault(path, {}).update(dict.fromkeys(one["value"]))
        if "value" in one:
            said.add(path)
        _survey(one.get("attributes", ()), path, repeated, languages, said)


def _gathered(attributes: Sequence[Mapping[str, Any]], column: _Column, step: int) -> Any:
    """Return the value of a column: lists in lists, one for each step that is repeated."""
    found = []
    for one in attributes:
        if one["id"] == column.path[step]:
            if step + 1 == len(column.path):
                found.append(one.get("value"))
            else:
                found.append(_gathered(one.get("attributes", ()), column, step + 1))
    if column.repeated[step]:
        return found
    return found[0] if found else None


def _encoded(value: Any, depth: int, between: str, column: _Column) -> str:
    if depth:
        parts = [_encoded(one, depth - 1, between, column) for one in value or ()]
        nested = depth > 1 or bool(column.languages)
        return between.join(_quoted(part, between, always=nested) for part in parts)
    if value is None:
        return ""
    if isinstance(value, dict):
        texts = (f"{language}:{text}" for language, text in value.items())
        return between.join(_quoted(text, between) for text in texts)
    return _text(value)


def _quoted(text: str, between: str, *, always: bool = False) -> str:
    if text and (always or between in text or text.startswith('"')):
        return '"' + text.replace('"', '""') + '"'
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


# -- reading --------------------------------------------------------------------------------


@register_metadata_reader("metadatacsv21", "metadatacsv20")
def read_metadata_csv(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; values are typed where the structure of their flow is known.

    Raises DataError, naming record and column. SDMX-CSV says neither sender nor time.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("message", got="another encoding", expected="UTF-8") from None
    first = re.match(r'"?MDSTRUCTURE(?:\[(.)\])?"?([^\w\[])', text)
    if first is None:
        raise DataError("record 1", got=text[:40], expected="a header that begins MDSTRUCTURE")
    between, separator = first[1] or ";", first[2]
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    head = records[0]
    places = _places(head)
    columns = _read_columns(head, between)
    sets = []
    for number, record in enumerate(records[1:], 2):
        if len(record) != len(head):
            raise DataError(
                f"record {number}", got=f"{len(record)} fields", expected=f"{len(head)} fields"
            )
        sets.append(_read_set(record, places, columns, between, f"record {number}", structures))
    return MetadataMessage(
        tuple(sets), "_", datetime.fromtimestamp(0, UTC), "_", structures=structures
    )


def _places(head: Sequence[str]) -> dict[str, int]:
    places = {name: place for place, name in enumerate(head)}
    for name in _FIXED:
        if name not in places:
            raise DataError("record 1", got=f"no column {name}", expected=", ".join(_FIXED))
    return places


_STEP = re.compile(r"([A-Za-z0-9_@$-]+)(\[\])?")


def _read_columns(head: Sequence[str], between: str) -> dict[int, _Column]:
    """Return the columns of attributes by place; after them may stand a column of names."""
    own = {*_FIXED, *_NAMES, "ACTION", "IS_PARTIAL_LANGUAGE"}
    named = "METADATASET_NAME" in head
    columns: dict[int, _Column] = {}
    skipped = False
    for place, written in enumerate(head):
        if place == 0 or written in own:
            continue
        if skipped:
            skipped = False
            continue
        skipped = named
        title = written.partition(": ")[0]
        languages = re.search(r"(?<!\])\[([^\]]+)\]$|(?<=\[\])\[([^\]]+)\]$", title)
        path = title[: languages.start()] if languages else title
        steps = [_STEP.fullmatch(step) for step in path.split(".")]
        found = [step for step in steps if step is not None]
        if len(found) < len(steps):
            raise DataError(
                f"record 1, column {place + 1}", got=written[:80], expected="an attribute's id"
            )
        tags = (languages[1] or languages[2]).split(between) if languages else ()
        columns[place] = _Column(
            tuple(step[1] for step in found), tuple(bool(step[2]) for step in found), tuple(tags)
        )
    return columns


def _read_set(
    record: Sequence[str],
    places: Mapping[str, int],
    columns: Mapping[int, _Column],
    between: str,
    where: str,
    structures: Mapping[str, MetadataStructure],
) -> MetadataSet:
    if record[0] not in _KINDS:
        raise DataError(where, got=record[0][:80], expected=f"one of {', '.join(_KINDS)}")
    name, key = _KINDS[record[0]]
    urn = _urn(record[places["MDSTRUCTURE_ID"]], name, where)
    own = _urn(record[places["METADATASET_ID"]], "MetadataSet", where)
    structure = structures.get(str(urn))
    fields = []
    for place, column in columns.items():
        known = structure.by_path.get(".".join(column.path)) if structure else None
        fields.append((replace(column, attribute=known), record[place]))
    content: dict[str, Any] = {
        "id": own.id,
        "agencyID": own.agency,
        "version": own.version,
        key: str(urn),
    }
    if "METADATASET_NAME" in places and record[places["METADATASET_NAME"]]:
        content["names"] = {"en": record[places["METADATASET_NAME"]]}
    elif ": " in record[places["METADATASET_ID"]]:
        content["names"] = {"en": record[places["METADATASET_ID"]].partition(": ")[2]}
    if "IS_PARTIAL_LANGUAGE" in places:
        content["isPartialLanguage"] = record[places["IS_PARTIAL_LANGUAGE"]] == "1"
    kinds = record[places["TARGET_TYPES"]].split(between)
    targets = record[places["TARGET_IDS"]].split(between)
    if targets != [""]:
        if len(kinds) != len(targets):
            raise DataError(
                f"{where}, TARGET_TYPES",
                got=f"{len(kinds)} types for {len(targets)} targets",
                expected="one a target",
            )
        content["targets"] = [
            str(_urn(target, _class_of(kind, where), where))
            for kind, target in zip(kinds, targets, strict=True)
        ]
    if attributes := _attributes(fields, between, where):
        content["attributes"] = attributes
    return settled(content, where)


def _class_of(word: str, where: str) -> str:
    for kind in ArtefactKind:
        for name in (kind.element, kind.item):
            if name and name.lower() == word.lower():
                return name
    for kind in ArtefactKind.of_path(word):
        return kind.element
    raise DataError(f"{where}, TARGET_TYPES", got=word[:80], expected="a type of artefact")


_IDENTITY = re.compile(r"([^:()]+):([^:().]+)(?:\(([^()]*)\))?(?:\.([^:]+))?")


def _urn(text: str, name: str, where: str) -> Urn:
    found = _IDENTITY.fullmatch(text.partition(": ")[0])
    if found is None:
        raise DataError(where, got=text[:80], expected="AGENCY:ID(VERSION)")
    packages = {"MetadataSet": "metadatastructure"}
    kinds = ArtefactKind.of_class(name)
    package = packages.get(name) or (kinds[0].package if kinds else "base")
    return Urn(package, name, found[1], found[2], found[3] or "1.0", found[4])


def _attributes(
    fields: Sequence[tuple[_Column, str]], between: str, where: str, *, typed: bool = True
) -> list[dict[str, Any]]:
    """Return the tree of attributes whose values stand in the fields of one record."""
    found: list[dict[str, Any]] = []
    for column, text in fields:
        if text:
            at = f"{where}, column {column.title(between)}"
            value = _decoded(text, sum(column.repeated), between, column, at, typed=typed)
            _place(found, column, 0, value)
    return found


def _decoded(
    text: str, depth: int, between: str, column: _Column, where: str, *, typed: bool
) -> Any:
    if depth:
        return [
            None if part is None else _decoded(part, depth - 1, between, column, where, typed=typed)
            for part in split(text, between, where)
        ]
    if column.languages:
        texts = language_texts(split(text, between, where), where)
        return {one["lang"]: one["text"] for one in texts}
    return typed_value(text, column.attribute, where) if typed else text


def _place(attributes: list[dict[str, Any]], column: _Column, step: int, value: Any) -> None:
    """Put a value, or lists of them, where the path of its column leads."""
    id = column.path[step]
    values = value if column.repeated[step] else [value]
    here = [one for one in attributes if one["id"] == id]
    while len(here) < len(values):
        here.append({"id": id})
        attributes.append(here[-1])
    for one, each in zip(here, values, strict=False):
        if each is None:
            continue
        if step + 1 == len(column.path):
            one["value"] = each
        else:
            _place(one.setdefault("attributes", []), column, step + 1, each)
