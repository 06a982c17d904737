"""The words an SDMX REST path and query string are made of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import TypeVar
from urllib.parse import unquote

from sdmx_service.errors import RequestError

__all__ = [
    "LONGEST",
    "PRESENTATION",
    "Check",
    "agency",
    "choice",
    "component",
    "each",
    "flag",
    "identifier",
    "item",
    "key",
    "moment",
    "number",
    "old_version",
    "parameters",
    "path_parts",
    "version",
    "whole_number",
    "year_start",
]

LONGEST = 255
# What real clients say about the answer beside the standard's own words.
PRESENTATION = (
    "format", "formatVersion", "compression", "labels", "keys", "timeFormat", "lang", "locale",
)  # fmt: skip
Check = Callable[[str, str], str]
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
_ITEM = re.compile(r"[A-Za-z0-9_@$-]+(?:\.[A-Za-z0-9_@$-]+)*")
_AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*")
_COMPONENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_SEVERAL = _NUMBER + r"[+~*]?|[+~*]"
_VERSION = re.compile(rf"({_SEVERAL})(?:\.({_SEVERAL}))?(?:\.({_SEVERAL}))?")
_EXTENDED = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{2}}-[A-Za-z0-9.-]{{1,64}}")
_OLD_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})*")
_MOMENT = re.compile(
    r"-?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+ -]\d{2}:\d{2})?", re.ASCII
)
_DOUBLE = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?|INF)|NaN")
_Choice = TypeVar("_Choice", bound=Enum)
# Parameters that only the other version of the interface has -> how this one says it.
_SAID_OTHERWISE = {
    "startPeriod": "REST 2.2 says c[TIME_PERIOD]=ge:2015-Q1",
    "endPeriod": "REST 2.2 says c[TIME_PERIOD]=le:2015-Q4",
    "detail": "REST 2.2 says attributes= and measures=, such as attributes=none",
    "attributes": "REST 1.5 says detail=, such as detail=dataonly",
    "measures": "REST 1.5 says detail=, such as detail=nodata",
    "offset": "/sdmx/v2 has pages",
    "limit": "/sdmx/v2 has pages",
    "sort": "/sdmx/v2 sorts",
    "asOf": "/sdmx/v2 knows earlier moments",
    "c[TIME_PERIOD]": "REST 1.5 says startPeriod= and endPeriod=",
}
_WILDCARDS = {"latest": "~ is the latest version, + the latest stable one", "all": "* is all"}


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
                hint=_SAID_OTHERWISE.get(name, f"did you mean {close[0]}?" if close else None),
            )
        if name in found:
            raise RequestError(
                name[:LONGEST],
                got="given twice",
                expected="one value",
                hint=f"{name[:LONGEST]}=A,B is A or B" if prefix and name[-1:] == "]" else None,
            )
        found[name] = value
    return found


def _checked(
    pattern: re.Pattern[str], text: str, where: str, expected: str, hint: str | None = None
) -> str:
    if len(text) > LONGEST or not pattern.fullmatch(text):
        raise RequestError(where, got=text[:LONGEST], expected=expected, hint=hint)
    return text


def identifier(text: str, where: str, hint: str | None = None) -> str:
    """Return ``text`` if it is an SDMX id (IDType), at most 255 characters."""
    return _checked(_ID, text, where, "an id of letters, digits, _, -, @ and $", hint)


def item(text: str, where: str = "itemID") -> str:
    """Return ``text`` if it is the id of an item, dots between it and those above it."""
    return _checked(_ITEM, text, where, "the id of an item such as A or A.1.1")


def agency(text: str, where: str = "agencyID") -> str:
    """Return ``text`` if it is an agency id, dots between sub-agencies."""
    return _checked(_AGENCY, text, where, "an agency id such as SIS or SIS.UNIT")


def component(text: str, where: str) -> str:
    """Return ``text`` if it is a component id (NCNameIDType)."""
    return _checked(_COMPONENT, text, where, "a component id such as REF_AREA")


def version(text: str, where: str = "version") -> str:
    """Return ``text`` if it is a version or a range of versions of REST 2.2.

    Two or more of ``+ ~ *``, a number after a part that is nothing but a wildcard, and ``+``
    with two parts are forms that the standard calls unsupported (querying_versions.md).
    """
    found = _VERSION.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        expected = "a version such as 1.0.0, 1.2+.0, + or *"
        return _checked(_EXTENDED, text, where, expected, _WILDCARDS.get(text))
    parts = [part for part in found.groups() if part is not None]
    wild = [place for place, part in enumerate(parts) if part[-1] in "+~*"]
    fault = None
    if len(wild) > 1:
        fault = "one wildcard at most"
    elif wild and parts[wild[0]] in "+~*" and any(part != "0" for part in parts[wild[0] + 1 :]):
        fault = "0 after a part that is a wildcard alone"
    elif wild and "+" in parts[wild[0]] and len(parts) == 2:
        fault = "three parts beside +, as stable versions have"
    elif wild and len(parts) == 1 and parts[0] not in "+~*":
        fault = "two or three parts beside a number with a wildcard"
    if fault is not None:
        raise RequestError(where, got=text, expected=fault)
    return text


def old_version(text: str, where: str = "version") -> str:
    """Return ``text`` if it is a version of REST 1.5: numbers with dots between them.

    Clients of both interfaces also ask there for a version of three parts with an extension.
    """
    if len(text) <= LONGEST and _EXTENDED.fullmatch(text):
        return text
    return _checked(_OLD_VERSION, text, where, "a version such as 1.0, latest or all")


def each(text: str, separator: str, check: Check, where: str) -> tuple[str, ...]:
    """Return the words of a path part that is an OR; ``*`` stands for any."""
    return tuple(
        word if word == "*" else check(word, where) for word in (text or "*").split(separator)
    )


def key(text: str, separator: str | None, where: str = "key") -> dict[int, frozenset[str]]:
    """Return the codes a key asks for by position; ``separator`` stands between alternatives."""
    asked: dict[int, frozenset[str]] = {}
    for position, part in enumerate(text.split(".")):
        if part in ("", "*"):
            continue
        codes = part.split(separator) if separator else [part]
        if separator is None and "+" in part:
            raise RequestError(
                f"{where}, position {position + 1}",
                got=part[:LONGEST],
                expected="one code or *",
                hint="several keys are separated by a comma: A.AT,A.NO",
            )
        several = "several codes are joined by +: A.AT+NO" if separator and "," in part else None
        asked[position] = frozenset(
            identifier(code, f"{where}, position {position + 1}", several) for code in codes
        )
    return asked


def whole_number(text: str, where: str, least: int = 0) -> int:
    """Return a whole number of at most nine digits, not below ``least``."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise RequestError(where, got=text[:LONGEST], expected=f"a whole number from {least}")
    return int(text)


def number(text: str, where: str) -> float:
    """Return a number as xs:double writes it: ASCII digits, with a sign, a point, an exponent."""
    digits = text.strip(" \t\r\n")
    if len(digits) > LONGEST or not _DOUBLE.fullmatch(digits):
        raise RequestError(where, got=text[:LONGEST], expected="a number such as 12.5 or 1e-3")
    return float(digits)


def flag(text: str, where: str) -> bool:
    """Return true or false as the standard writes them."""
    if text not in ("true", "false"):
        raise RequestError(where, got=text[:LONGEST], expected="true or false")
    return text == "true"


def moment(text: str, where: str) -> datetime:
    """Return a point in time (xs:dateTime) with its offset; without one it is UTC.

    A plus sign that a client left unencoded has become a space in some; both are read.
    """
    if len(text) <= LONGEST and _MOMENT.fullmatch(text):
        try:
            found = datetime.fromisoformat(text.replace(" ", "+").replace("Z", "+00:00"))
        except ValueError:
            found = None
        if found is not None:
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    raise RequestError(
        where, got=text[:LONGEST], expected="a date and time such as 2025-06-30T09:00:00Z"
    )


def year_start(text: str, where: str = "reportingYearStartDay") -> tuple[int, int]:
    """Return the month and day that reporting years begin on (xs:gMonthDay, ``--07-01``)."""
    found = re.fullmatch(r"--(\d{2})-(\d{2})", text, re.ASCII)
    month, day = (int(part) for part in found.groups()) if found else (0, 0)
    try:
        # 2001 has no leap day: a year that began on one would not begin in the next.
        datetime(2001, month, day)
    except ValueError:
        raise RequestError(
            where, got=text[:LONGEST], expected="a month and day such as --07-01"
        ) from None
    return month, day


def choice(kind: type[_Choice], text: str, where: str) -> _Choice:
    """Return the member of an enumeration whose value is ``text``."""
    try:
        return kind(text)
    except ValueError:
        raise RequestError(
            where, got=text[:LONGEST], expected=f"one of {', '.join(m.value for m in kind)}"
        ) from None
