"""One question put to a release, whichever REST version it came in.

Parsing lives beside this file (``rest15``, ``rest22``); answering lives in ``release``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Condition", "DataQuery", "Detail", "FlowReference", "Operator"]


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


class Detail(Enum):
    """How much of each observation is answered; values are the tokens of REST 1.5."""

    FULL = "full"
    DATA_ONLY = "dataonly"
    SERIES_KEYS_ONLY = "serieskeysonly"
    NO_DATA = "nodata"


@dataclass(frozen=True)
class Condition:
    """A component compared with values: ``alternatives`` is an OR of ANDs of (operator, value).

    ``c[TIME_PERIOD]=ge:2020+le:2022,2018`` becomes
    ``((GE, "2020"), (LE, "2022")), ((EQ, "2018"),)``.
    """

    component: str
    alternatives: tuple[tuple[tuple[Operator, str], ...], ...]


@dataclass(frozen=True)
class FlowReference:
    """A dataflow asked for, in the words of REST 2: ``*`` is any, ``~`` and ``+`` the latest."""

    agency: str = "*"
    id: str = "*"
    version: str = "*"


@dataclass(frozen=True)
class DataQuery:
    """A data query: the flow, one or more keys, conditions and the shape of the answer.

    ``keys`` is an OR of keys; a key maps dimension position (0-based, in key order) to the codes
    asked for there; a position that is absent is a wildcard. No key at all means everything.
    ``positions`` is how many positions the longest key was written with, wildcards counted.
    ``dimension_at_observation`` is TIME_PERIOD or AllDimensions.
    ``attributes`` are the attributes asked for by id; None leaves the choice to ``detail``.
    """

    flow: FlowReference
    keys: tuple[Mapping[int, frozenset[str]], ...] = ()
    positions: int = 0
    conditions: tuple[Condition, ...] = ()
    dimension_at_observation: str = "TIME_PERIOD"
    detail: Detail = Detail.FULL
    attributes: frozenset[str] | None = None
    first: int | None = None
    last: int | None = None
    offset: int = 0
    limit: int | None = None
    languages: tuple[str, ...] = field(default=("en",))
