"""One thing that is wrong with data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Extent", "Fault", "Kind"]


class Extent(Enum):
    """How much of the data there is; values are words for a report."""

    WHOLE = "complete data, of which all that is mandatory is there"
    PART = "an update, or an answer that holds something back"
    DELETION = "what is to be deleted: keys may be partial, and values are any"


class Kind(Enum):
    """What can be wrong; values are words for a report."""

    FORM = "not of the form that the schema of its flow asks for"
    UNKNOWN_COMPONENT = "no component of the structure"
    MISSING = "missing though it is mandatory"
    CODE = "no code that is allowed here"
    TYPE = "no value of the type"
    FACET = "outside what the type's facets allow"
    MANY = "more values than there may be"
    KEY = "missing from the key of what hangs on it"
    TWICE = "the same key as before"
    ATTACHMENT = "not the same throughout what it is attached to"
    CONSTRAINT = "a key or period that a constraint does not admit"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: in which column, how often, with the first value and its row.

    ``row`` counts from 0, and is None where the fault is of the column itself. ``component`` is
    empty where the fault is of whole keys, or of the form of a message.
    """

    component: str
    kind: Kind
    rows: int
    got: str | None = None
    row: int | None = None
    expected: str = ""
