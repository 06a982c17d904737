"""The words an SDMX REST path and query string are made of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TypeVar
from urllib.parse import unquote

from sdmx_service.errors import RequestError

__all__ = [
    "LONGEST",
    "Check",
    "agency",
    "choice",
    "component",
    "identifier",
    "key",
    "parameters",
    "path_parts",
    "refuse_unsupported",
    "version",
    "whole_number",
]

LONGEST = 255
Check = Callable[[str, str], str]
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
_AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*")
_COMPONENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_VERSION = re.compile(r"(?:[+~*]|[0-9]{1,9}[+~*]?)(?:\.(?:[+~*]|[0-9]{1,9}[+~*]?)){0,2}")
_EXTENSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){2}-[A-Za-z0-9.-]{1,64}")
_Choice = TypeVar("_Choice", bound=Enum)


def path_parts(path: str) -> list[str]:
    """Split a still percent-encoded path; a trailing slash and empty tail parts are dropped."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def parameters(query_string: str, known: Sequence[str], prefix: str = "") -> dict[str, str]:
    """Return the parameters of a query string; ``+`` stays a plus sign, as SDMX means it.

    A name must be one of ``known``, or start with ``prefix`` where one is given. Raises
    RequestError for a name that is unknown or comes twice.
    """
    found: dict[str, str] = {}
    for pair in query_string.split("&"):
        if not pair:
            continue
        raw_name, _, raw_value = pair.partition("=")
        name, value = unquote(raw_name), unquote(raw_value)
        if name not in known and not (prefix and name.startswith(prefix)):
            close = difflib.get_close_matches(name[:LONGEST], known, n=1)
            raise RequestError(
                "query parameter",
                got=name[:LONGEST],
                expected=f"one of {', '.join(known)}" + (f", {prefix}ID]" if prefix else ""),
                hint=f"did you mean {close[0]}?" if close else None,
            )
        if name in found:
            raise RequestError(name[:LONGEST], got="given twice", expected="one value")
        found[name] = value
    return found


def _checked(pattern: re.Pattern[str], text: str, where: str, expected: str) -> str:
    if len(text) > LONGEST or not pattern.fullmatch(text):
        raise RequestError(where, got=text[:LONGEST], expected=expected)
    return text


def identifier(text: str, where: str) -> str:
    """Return ``text`` if it is an SDMX id (IDType), at most 255 characters."""
    return _checked(_ID, text, where, "an id of letters, digits, _, -, @ and $")


def agency(text: str, where: str = "agencyID") -> str:
    """Return ``text`` if it is an agency id, dots between sub-agencies."""
    return _checked(_AGENCY, text, where, "an agency id such as SIS or SIS.UNIT")


def component(text: str, where: str) -> str:
    """Return ``text`` if it is a component id (NCNameIDType)."""
    return _checked(_COMPONENT, text, where, "a component id such as REF_AREA")


def version(text: str, where: str = "version") -> str:
    """Return ``text`` if it is a version or a version wildcard of REST 2.x (``+ ~ *``)."""
    if sum(text.count(mark) for mark in "+~*") > 1 or not (
        _VERSION.fullmatch(text) or (len(text) <= LONGEST and _EXTENSION.fullmatch(text))
    ):
        raise RequestError(where, got=text[:LONGEST], expected="a version such as 1.0.0, + or *")
    return text


def key(text: str, separator: str | None, where: str = "key") -> dict[int, frozenset[str]]:
    """Return the codes a key asks for by position; ``separator`` stands between alternatives."""
    asked: dict[int, frozenset[str]] = {}
    for position, part in enumerate(text.split(".")):
        if part in ("", "*"):
            continue
        codes = part.split(separator) if separator else [part]
        asked[position] = frozenset(
            identifier(code, f"{where}, position {position + 1}") for code in codes
        )
    return asked


def whole_number(text: str, where: str, least: int = 0) -> int:
    """Return a whole number of at most nine digits, not below ``least``."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise RequestError(where, got=text[:LONGEST], expected=f"a whole number from {least}")
    return int(text)


def choice(kind: type[_Choice], text: str, where: str) -> _Choice:
    """Return the member of an enumeration whose value is ``text``."""
    try:
        return kind(text)
    except ValueError:
        raise RequestError(
            where, got=text[:LONGEST], expected=f"one of {', '.join(m.value for m in kind)}"
        ) from None


def refuse_unsupported(given: Mapping[str, str], harmless: Mapping[str, Iterable[str]]) -> None:
    """Refuse parameters of the standard that this service has no answer for.

    Silence would answer another question than the one asked; ``harmless`` are the values that
    ask for what is answered anyway. Raises RequestError.
    """
    for name, values in harmless.items():
        if name in given and given[name] not in values:
            allowed = ", ".join(values)
            raise RequestError(
                name,
                got=given[name][:LONGEST],
                expected=f"one of {allowed}" if allowed else "to be left out",
                hint="this service answers from the current release only",
            )
