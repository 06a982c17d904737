"""SDMX-CSV messages of reference metadata, read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sdmx_service.errors import DataError
from sdmx_service.formats.csvfields import language_texts, split
from sdmx_service.formats.metadata import MetadataMessage, typed_value
from sdmx_service.formats.metadatacsvcolumns import (
    FIXED,
    NAMES,
    REPORTED_TO,
    Column,
    read_columns,
)
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.metadataset import MetadataSet, settled
from sdmx_service.structures.urns import Urn

__all__ = ["read_attributes", "read_message"]

_IDENTITY = re.compile(r"([^:()]+):([^:().]+)(?:\(([^()]*)\))?(?:\.([^:]+))?")
# The message does not tell in which language its names are.
_LANGUAGE = "en"


def read_message(content: bytes, structures: Mapping[str, MetadataStructure]) -> MetadataMessage:
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
    columns = read_columns(head, between)
    sets = []
    for number, record in enumerate(records[1:], 2):
        if len(record) != len(head):
            raise DataError(
                f"record {number}", got=f"{len(record)} fields", expected=f"{len(head)} fields"
            )
        sets.append(_set(record, places, columns, between, f"record {number}", structures))
    return MetadataMessage(
        tuple(sets), "_", datetime.fromtimestamp(0, UTC), "_", structures=structures
    )


def _places(head: Sequence[str]) -> dict[str, int]:
    places = {name: place for place, name in enumerate(head)}
    for name in FIXED:
        if name not in places:
            raise DataError("record 1", got=f"no column {name}", expected=", ".join(FIXED))
    return places


def _set(
    record: Sequence[str],
    places: Mapping[str, int],
    columns: Mapping[int, Column],
    between: str,
    where: str,
    structures: Mapping[str, MetadataStructure],
) -> MetadataSet:
    if record[0] not in REPORTED_TO:
        raise DataError(where, got=record[0][:80], expected=f"one of {', '.join(REPORTED_TO)}")
    name, key = REPORTED_TO[record[0]]
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
    apart = places.get(NAMES["METADATASET_ID"])
    called = record[places["METADATASET_ID"]].partition(": ")[2]
    if label := called if apart is None else record[apart]:
        content["names"] = {_LANGUAGE: label}
    if "IS_PARTIAL_LANGUAGE" in places:
        content["isPartialLanguage"] = record[places["IS_PARTIAL_LANGUAGE"]] == "1"
    if targets := _targets(record, places, between, where):
        content["targets"] = targets
    if attributes := read_attributes(fields, between, where):
        content["attributes"] = attributes
    return settled(content, where)


def _targets(
    record: Sequence[str], places: Mapping[str, int], between: str, where: str
) -> list[str]:
    kinds = split(record[places["TARGET_TYPES"]], between, f"{where}, TARGET_TYPES")
    targets = split(record[places["TARGET_IDS"]], between, f"{where}, TARGET_IDS")
    if targets == [None]:
        return []
    if len(kinds) != len(targets):
        raise DataError(
            f"{where}, TARGET_TYPES",
            got=f"{len(kinds)} types for {len(targets)} targets",
            expected="one a target",
        )
    return [
        str(_urn(target or "", _class_of(kind or "", where), where))
        for kind, target in zip(kinds, targets, strict=True)
    ]


def _class_of(word: str, where: str) -> str:
    for kind in ArtefactKind:
        for name in (kind.element, kind.item):
            if name and name.lower() == word.lower():
                return name
    for kind in ArtefactKind.of_path(word):
        return kind.element
    raise DataError(f"{where}, TARGET_TYPES", got=word[:80], expected="a type of artefact")


def _urn(text: str, name: str, where: str) -> Urn:
    found = _IDENTITY.fullmatch(text.partition(": ")[0])
    if found is None:
        raise DataError(where, got=text[:80], expected="AGENCY:ID(VERSION)")
    packages = {"MetadataSet": "metadatastructure"}
    kinds = ArtefactKind.of_class(name)
    package = packages.get(name) or (kinds[0].package if kinds else "base")
    return Urn(package, name, found[1], found[2], found[3] or "1.0", found[4])


def read_attributes(
    fields: Sequence[tuple[Column, str]], between: str, where: str, *, typed: bool = True
) -> list[dict[str, Any]]:
    """Return the tree of attributes whose values stand in the fields of one record."""
    found: list[dict[str, Any]] = []
    for column, text in fields:
        if text:
            at = f"{where}, column {column.title(between)}"
            value = _decoded(text, column.depth, between, column, at, typed=typed)
            _place(found, column, 0, value)
    return found


def _decoded(
    text: str, depth: int, between: str, column: Column, where: str, *, typed: bool
) -> Any:
    if depth:
        return [
            None if part is None else _decoded(part, depth - 1, between, column, where, typed=typed)
            for part in split(text, between, where)
        ]
    if column.languages:
        texts = language_texts(split(text, between, where), where)
        return {one["lang"]: one["text"] for one in texts}
    if column.labelled and column.codelist is not None:
        text = text.partition(": ")[0]
    return typed_value(text, column.attribute, where) if typed else text


def _place(attributes: list[dict[str, Any]], column: Column, step: int, value: Any) -> None:
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
