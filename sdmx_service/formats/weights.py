"""How much a client wants each thing that it lists (RFC 9110, 12.4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Member", "members"]

_LONGEST = 2_000
_MEMBER = re.compile(r'(?:[^,"]|"[^"]*")+')
_PART = re.compile(r'(?:[^;"]|"[^"]*")+')
# Java and older tools leave out the zero of 0.2.
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|\.[0-9]{1,3}|1(?:\.0{0,3})?")


@dataclass(frozen=True)
class Member:
    """One member of a header such as Accept.

    ``parameters`` are those beside the weight, their names in small letters; ``quality`` is the
    weight, between 0 and 1, where 0 is "anything but this".
    """

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    quality: float = 1.0


def members(header: str) -> Iterator[Member]:
    """Yield the members of a header as they stand; of very long ones (2,000 letters) the first.

    A member whose weight cannot be read is passed over, as RFC 9110 leaves a server free to do.
    """
    for entry in _MEMBER.findall(header[:_LONGEST]):
        name, *rest = (part.strip() for part in _PART.findall(entry) or [""])
        pairs = [part.partition("=")[::2] for part in rest]
        given = {key.strip().lower(): value.strip().strip('"') for key, value in pairs}
        quality = given.pop("q", "1")
        if name and _QUALITY.fullmatch(quality):
            yield Member(name, given, float(quality))
