"""Definitions held to their JSON Schema, with errors that name file, line and field."""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = ["hold_to_schema"]

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "nothing",
}


@lru_cache
def _validator(path: Path) -> Validator:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DefinitionError(str(path), expected="the JSON Schema of these definitions") from None
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _expected(error: jsonschema.ValidationError) -> tuple[str, Any, str | None]:
    rule, limit, got = error.validator, error.validator_value, error.instance
    if rule == "type":
        kinds = [limit] if isinstance(limit, str) else limit
        return " or ".join(_WORDS[kind] for kind in kinds), got, None
    if rule == "enum":
        close = difflib.get_close_matches(str(got), [str(value) for value in limit], 1)
        hint = f"did you mean {close[0]}?" if close else None
        return "one of " + ", ".join(map(str, limit)), got, hint
    if rule == "required":
        missing = [name for name in limit if name not in got]
        return f"the field {missing[0]}", None, error.schema.get("description")
    if rule == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = [name for name in got if name not in known]
        close = difflib.get_close_matches(unknown[0], known, 1) if unknown else []
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        return "no such field", unknown[0] if unknown else got, hint
    return error.message, got, error.schema.get("description")


def hold_to_schema(file: YamlFile, schema: Path) -> None:
    """Raise DefinitionError for the first fault that the JSON Schema finds in ``file``."""
    error = jsonschema.exceptions.best_match(_validator(schema).iter_errors(file.content))
    if error is None:
        return
    error = _deepest(error)
    expected, got, hint = _expected(error)
    raise DefinitionError(
        file.place(list(error.absolute_path)),
        got=got if not isinstance(got, dict | list) else type(got).__name__,
        expected=expected,
        hint=hint,
    )
