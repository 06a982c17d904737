"""Which of an artefact's versions a request or a reference means.

Versions are semantic (``1.2.3``, ``1.2.3-draft``) or, from SDMX 2.1, have one, two or more
numbers (``1.0``). The grammar of requests is that of REST 2.2, "Querying versions"; references of
SDMX 3.x use its ``+``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

__all__ = ["choose", "ordering"]

_VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?")
_PATTERN = re.compile(r"(\d*[+~*]?)(?:\.(\d*[+~*]?))?(?:\.(\d*[+~*]?))?")
# The words of REST 1.x, and what they are in 2.x.
_WORDS = {"latest": "~", "all": "*"}

Ordering = tuple[tuple[int, ...], int, bool, tuple[tuple[bool, int, str], ...]]


@cache
def ordering(version: str) -> Ordering:
    """Return what sorts versions from old to new, as semantic versioning has it.

    A draft stands before what it is a draft of, and ``1.0`` before ``1.0.0``.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return (), 0, False, ((True, 0, version),)
    numbers = tuple(int(part) for part in found[1].split("."))
    extension = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in (found[2] or "").split(".")
    )
    padded = numbers + (0,) * (4 - len(numbers))
    return padded, len(numbers), found[2] is None, extension


def choose(asked: Iterable[str], available: Sequence[str]) -> frozenset[str]:
    """Return the versions meant by any of the words asked.

    ``+`` is the latest stable semantic version, ``~`` the latest of any kind, ``*`` every one; in
    a part of a version each also says "at least" (``2.3+.1``, ``1.~.0``, ``1.2*.0``). ``latest``
    and ``all`` are ``~`` and ``*``. Anything else is a version as it is written.
    """
    chosen: set[str] = set()
    for word in asked:
        word = _WORDS.get(word, word)
        if word in available:
            chosen.add(word)
        elif (operator := _operator(word)) is not None:
            matching = [version for version in available if _matches(version, word)]
            newest = [max(matching, key=ordering)] if matching else []
            chosen.update(matching if operator == "*" else newest)
    return frozenset(chosen)


def _operator(word: str) -> str | None:
    """Return the one wildcard operator of a pattern, None where it has none or is no pattern."""
    found = _PATTERN.fullmatch(word)
    operators = re.findall(r"[+~*]", word)
    return operators[0] if found is not None and len(operators) == 1 else None


def _matches(version: str, pattern: str) -> bool:
    found = _VERSION.fullmatch(version)
    if found is None or pattern == "*" or pattern == "~":
        return found is not None
    stable = _operator(pattern) == "+"
    parts = ("1+.0.0" if pattern in ("+", "+.0.0") else pattern).split(".")
    numbers = [int(part) for part in found[1].split(".")]
    if len(parts) != len(numbers) or (found[2] and (stable or len(parts) < 3)):
        return False
    if stable and (len(parts) < 3 or numbers[0] == 0):
        return False
    wild = next(place for place, part in enumerate(parts) if part[-1:] in ("+", "~", "*"))
    least = [int(part.rstrip("+~*") or 0) for part in parts]
    if len(parts[wild]) == 1 and any(least[wild:]):
        return False
    return numbers[:wild] == least[:wild] and numbers[wild:] >= least[wild:]
