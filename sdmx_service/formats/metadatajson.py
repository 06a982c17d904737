"""SDMX-JSON 2.0 and 2.1 messages of reference metadata."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.lexical import text_of
from sdmx_service.formats.message import message_id
from sdmx_service.formats.metadata import (
    MetadataMessage,
    register_metadata,
    register_metadata_reader,
)
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.metadataset import MetadataSet, settled

__all__ = ["read_metadata_json", "write_metadata_json20", "write_metadata_json21"]

_MEDIA = "application/vnd.sdmx.metadata+json"
_SCHEMA_20 = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/metadata-message/tools/schemas/"
    "2.0.0/sdmx-json-metadata-schema.json"
)
_SCHEMA_21 = "https://json.sdmx.org/2.1/sdmx-json-metadata-schema.json"
_SEMANTIC = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?")
_NUMBER_TYPES = (int, float)


@register_metadata(
    "metadatajson21",
    _MEDIA,
    "2.1.0",
    ".json",
    plain_types=("application/json", "text/json"),
    family=("json", "sdmx-json"),
    generation=Generation.SDMX_3_1,
)
def write_metadata_json21(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-JSON 2.1."""
    yield _written(message, Generation.SDMX_3_1)


@register_metadata(
    "metadatajson20",
    _MEDIA,
    "2.0.0",
    ".json",
    family=("json", "sdmx-json"),
    generation=Generation.SDMX_3_0,
)
def write_metadata_json20(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-JSON 2.0."""
    yield _written(message, Generation.SDMX_3_0)


def _written(message: MetadataMessage, generation: Generation) -> bytes:
    newest = generation is Generation.SDMX_3_1
    meta: dict[str, Any] = {} if newest else {"schema": _SCHEMA_20}
    meta |= {
        "id": message_id(message.id),
        "prepared": message.prepared.isoformat(),
        "test": False,
        "contentLanguages": _languages(message),
        "sender": {"id": message.sender},
    }
    sets = [_set(one, message, newest=newest) for one in message.sets]
    root: dict[str, Any] = {"$schema": _SCHEMA_21} if newest else {}
    return orjson.dumps(root | {"meta": meta, "data": {"metadataSets": sets}})


def _languages(message: MetadataMessage) -> list[str]:
    """Return the languages that the message uses, those asked for first."""
    found: set[str] = set()
    left: list[Any] = [one.content for one in message.sets]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            for key in ("names", "descriptions", "texts", "titles"):
                found |= one.get(key, {}).keys()
            if "id" in one and isinstance(one.get("value"), Mapping):
                found |= one["value"].keys()
            left += [inner for key, inner in one.items() if key != "value"]
        elif isinstance(one, list | tuple):
            left += one
    wanted = [tag for tag in message.languages if tag in found]
    # Where nothing has a name, ids stand for names.
    return [*wanted, *sorted(found - set(wanted))] or ["en"]


def _set(one: MetadataSet, message: MetadataMessage, *, newest: bool) -> dict[str, Any]:
    version = "2.1" if newest else "2.0"
    content = dict(one.content)
    if content["version"] == "1.0":
        # What has no version is so in every format; the standard lets a message leave it out.
        del content["version"]
    elif not _SEMANTIC.fullmatch(one.version):
        raise _cannot(one, f"version {one.version}", version)
    if not newest and "isPartialLanguage" in content:
        raise _cannot(one, "isPartialLanguage", version)
    if message.stubs:
        # A set without attributes is not valid: their ids say what is reported, and not how.
        content["attributes"] = content.get("attributes") or [
            {"id": id} for id in _ids_at_the_top(one, message)
        ]
    for key in ("targets", "attributes"):
        if not content.get(key):
            raise _cannot(one, f"no {key}", version)
    content["attributes"] = _in_json(content["attributes"])
    written: dict[str, Any] = {}
    for key, value in content.items():
        if key in ("names", "descriptions"):
            written[key[:-1]] = message.text(value)
        written[key] = value
    # The standard asks for a name; a message that has none gives the id.
    return written if "name" in written else {**written, "name": one.id}


def _in_json(attributes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return attributes with INF and NaN as texts, for which JSON has no numbers."""
    found = []
    for attribute in attributes:
        one = dict(attribute)
        if isinstance(value := one.get("value"), float) and not math.isfinite(value):
            one["value"] = text_of(value)
        if "attributes" in one:
            one["attributes"] = _in_json(one["attributes"])
        found.append(one)
    return found


def _ids_at_the_top(one: MetadataSet, message: MetadataMessage) -> list[str]:
    structure = message.structures.get(one.reported_to)
    return [a.id for a in structure.attributes if len(a.path) == 1] if structure else ["_"]


def _cannot(one: MetadataSet, got: str, version: str) -> CannotCarry:
    return CannotCarry(
        one.urn, got=got, expected=f"what SDMX-JSON {version} has a place for in metadata"
    )


@register_metadata_reader("metadatajson21", "metadatajson20")
def read_metadata_json(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; its values have types of their own, so no structure is needed.

    Raises DataError for what is no such message, StructureError for what no version has.
    """
    try:
        root = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DataError("message", got=str(error), expected="JSON") from None
    meta, data = _part(root, "meta"), _part(root, "data")
    languages = tuple(meta.get("contentLanguages") or ("en",))
    sets = data.get("metadataSets", [])
    if not isinstance(sets, list):
        raise DataError("data.metadataSets", got=type(sets).__name__, expected="a list")
    found = []
    for number, one in enumerate(sets, 1):
        if not isinstance(one, dict):
            raise DataError(f"metadata set {number}", expected="an object")
        for path, value in _values(one.get("attributes", []), f"metadata set {number}"):
            if not isinstance(value, (str, bool, *_NUMBER_TYPES, dict, type(None))):
                raise DataError(path, got=type(value).__name__, expected="one value or texts")
        found.append(settled(one, f"metadata set {number}", languages[0]))
    return MetadataMessage(
        tuple(found),
        str(meta.get("id", "_")),
        _moment(meta.get("prepared")),
        str(_part(meta, "sender").get("id", "_")),
        languages,
        structures=structures,
    )


def _values(attributes: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(attributes, list):
        raise DataError(f"{where}, attributes", got=type(attributes).__name__, expected="a list")
    for one in attributes:
        if not isinstance(one, dict):
            raise DataError(f"{where}, attributes", expected="objects")
        here = f"{where}, attribute {one.get('id')}"
        yield here, one.get("value")
        yield from _values(one.get("attributes", []), here)


def _part(content: Any, key: str) -> dict[str, Any]:
    part = content.get(key, {}) if isinstance(content, dict) else None
    if not isinstance(part, dict):
        raise DataError(key, got=type(part).__name__, expected="an object")
    return part


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise DataError("meta.prepared", got=str(text)[:80], expected="a date and time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
