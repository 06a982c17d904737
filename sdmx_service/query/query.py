"""One question put to the data, whichever REST version it came in.

Parsing lives beside this file (``rest15``, ``rest22``); answering lives in ``release``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

__all__ = [
    "SERIES_KEY",
    "Condition",
    "Context",
    "DataQuery",
    "Operator",
    "Provider",
    "Sort",
    "Target",
]

SERIES_KEY = "series_key"
"""The word of ``sort`` for all dimensions that are not at the observation."""


class Operator(Enum):
    """A comparison of REST 2.x component filters; values are the tokens of the standard."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    CO = "co"
    NC = "nc"
    SW = "sw"
    EW = "ew"


class Context(Enum):
    """What data are asked for by; values are the tokens of REST 2.x."""

    DATA_STRUCTURE = "datastructure"
    DATAFLOW = "dataflow"
    PROVISION_AGREEMENT = "provisionagreement"
    ANY = "*"


@dataclass(frozen=True)
class Provider:
    """A data provider asked for (REST 1.5); ``agency`` is ``*`` where only its id is said."""

    id: str
    agency: str = "*"


@dataclass(frozen=True)
class Target:
    """What a query is put to; each tuple is an OR, in the words of REST 2.

    ``*`` is any, of versions ``~`` the latest and ``+`` the latest stable. No provider at all
    means every one.
    """

    context: Context = Context.DATAFLOW
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("*",)
    providers: tuple[Provider, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A component compared with values: ``alternatives`` is an OR of ANDs of (operator, value).

    ``c[TIME_PERIOD]=ge:2020+le:2022,2018`` becomes
    ``((GE, "2020"), (LE, "2022")), ((EQ, "2018"),)``.
    """

    component: str
    alternatives: tuple[tuple[tuple[Operator, str], ...], ...]


@dataclass(frozen=True)
class Sort:
    """One step of an order: a component's id, ``*`` (all dimensions) or ``series_key``."""

    by: str
    descending: bool = False


@dataclass(frozen=True)
class DataQuery:
    """A data query: the target, one or more keys, conditions and the shape of the answer.

    ``keys`` is an OR of keys; a key maps dimension position (0-based, in key order) to the codes
    asked for there; a position that is absent is a wildcard. No key at all means everything.
    ``positions`` is how many positions the longest key was written with, wildcards counted.
    ``observed_by`` is the dimension at the observation, AllDimensions, or None for the
    structure's own: TIME_PERIOD where it has one. ``attributes`` holds ids and the levels
    dsd, dataset, series, obs, all; None means dsd. ``measures`` holds ids; None means all.
    ``metadata`` asks for reference metadata beside them (``msd``, ``all``).
    ``series_only`` asks for one row a series, with whatever is said at its level
    (``selection.settled`` tells where that is all there is to say).
    ``year_start`` is the month and day on which reporting years begin.
    """

    target: Target = field(default_factory=Target)
    keys: tuple[Mapping[int, frozenset[str]], ...] = ()
    positions: int = 0
    conditions: tuple[Condition, ...] = ()
    observed_by: str | None = None
    attributes: frozenset[str] | None = None
    measures: frozenset[str] | None = None
    metadata: bool = False
    series_only: bool = False
    first: int | None = None
    last: int | None = None
    offset: int = 0
    limit: int | None = None
    sort: tuple[Sort, ...] = ()
    updated_after: datetime | None = None
    as_of: datetime | None = None
    include_history: bool = False
    year_start: tuple[int, int] = (1, 1)
