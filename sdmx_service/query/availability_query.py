"""One question about which values there are data for, whichever REST version it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sdmx_service.errors import RequestError
from sdmx_service.query.query import DataQuery

__all__ = ["REFERENCES", "AvailabilityQuery", "Mode", "named", "wanted"]

REFERENCES = (
    "none",
    "all",
    "datastructure",
    "conceptscheme",
    "codelist",
    "dataproviderscheme",
    "dataflow",
    "valuelist",
)


class Mode(Enum):
    """Which values are meant: those of the answer, or those that would still find something."""

    EXACT = "exact"
    AVAILABLE = "available"


@dataclass(frozen=True)
class AvailabilityQuery:
    """A data query of which only the values found are asked for.

    ``components`` are the dimensions to tell about; none at all means every one. ``references``
    holds words of ``REFERENCES``; ``none`` is the empty set.
    """

    data: DataQuery
    components: tuple[str, ...] = ()
    mode: Mode = Mode.EXACT
    references: frozenset[str] = field(default_factory=frozenset)


def named(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the component ids among path words, where ``*`` and ``all`` mean every one."""
    return () if {"*", "all"} & set(words) else words


def wanted(text: str) -> frozenset[str]:
    """Return the words of ``references``; RequestError for one that is not known."""
    words = text.split(",")
    for word in words:
        if word not in REFERENCES:
            raise RequestError(
                "references", got=word[:255], expected=f"one of {', '.join(REFERENCES)}"
            )
    return frozenset(words) - {"none"}
