"""Regular expressions of XML Schema, which facets are written in, for other engines."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from sdmx_service.errors import StructureError

__all__ = ["Dialect", "translated"]


class Dialect(Enum):
    """An engine of regular expressions; values are its usual names."""

    RUST = "Rust"
    ECMA = "ECMA-262"


# What XML Schema (part 2, appendix F) means by these letters, as members of a class.
_SETS = {
    "i": r"_:\p{L}",
    "c": r"\-._:\p{L}\p{M}\p{N}",
    "d": r"\p{Nd}",
    "s": r" \t\n\r",
    "w": r"\p{L}\p{M}\p{N}\p{S}",
    "W": r"\p{P}\p{Z}\p{C}",
    "D": r"\P{Nd}",
}
_NEGATED = {"I": "i", "C": "c", "S": "s"}
_SINGLE = frozenset("nrt\\|.?*+(){}-[]^")


@lru_cache(maxsize=1024)
def translated(pattern: str, dialect: Dialect) -> str:
    """Return the regular expression that matches a whole text where ``pattern`` does.

    In XML Schema ``^`` and ``$`` are characters like others and ``.`` is no end of a line. Raises
    StructureError for what is no regular expression of XML Schema.
    """
    left = iter(pattern)
    try:
        inside = "".join(_pieces(left, dialect))
    except LookupError as error:
        raise StructureError(
            "facet pattern",
            got=pattern[:255],
            expected="a regular expression of XML Schema (part 2, appendix F)",
            hint="it has no groups that begin with (?, and no anchors such as \\b",
        ) from error
    return f"^(?:{inside})$"


def _pieces(left: Iterator[str], dialect: Dialect) -> Iterator[str]:
    before = ""
    for one in left:
        if one == "\\":
            yield _escaped(left)
        elif one == "[":
            yield _class(left, dialect)
        elif one == "?" and before == "(":
            raise LookupError(one)
        else:
            yield {".": r"[^\n\r]", "^": r"\^", "$": r"\$"}.get(one, one)
        before = one


def _escaped(left: Iterator[str]) -> str:
    letter = _next(left)
    if letter in _SETS:
        return f"[{_SETS[letter]}]"
    if letter in _NEGATED:
        return f"[^{_SETS[_NEGATED[letter]]}]"
    return _character(letter, left)


def _character(letter: str, left: Iterator[str]) -> str:
    if letter in "pP":
        named = ""
        while not named.endswith("}"):
            named += _next(left)
        return f"\\{letter}{named}"
    if letter not in _SINGLE:
        raise LookupError(letter)
    return f"\\{letter}"


def _class(left: Iterator[str], dialect: Dialect) -> str:
    """Return a class of characters; one may be taken from another: ``[a-z-[aeiou]]``."""
    said, without = "", ""
    while (one := _next(left)) != "]":
        if one == "\\":
            letter = _next(left)
            # A complement inside a class has no form that all engines share.
            said += _SETS[letter] if letter in _SETS else _character(letter, left)
        elif one == "[":
            if not said.endswith("-"):
                raise LookupError(one)
            said, without = said[:-1], _class(left, dialect)
        else:
            said += f"\\{one}" if one in "&~" and dialect is Dialect.RUST else one
    if not without:
        return f"[{said}]"
    return f"[{said}--{without}]" if dialect is Dialect.RUST else f"(?:(?!{without})[{said}])"


def _next(left: Iterator[str]) -> str:
    one = next(left, None)
    if one is None:
        raise LookupError("the end")
    return one
