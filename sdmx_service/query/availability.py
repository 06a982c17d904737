"""The values that a query finds, or that could still be added to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import polars as pl

from sdmx_service.errors import SemanticError
from sdmx_service.query.availability_query import AvailabilityQuery, Mode
from sdmx_service.query.matching import matching
from sdmx_service.query.period import Period, observed_period
from sdmx_service.query.query import DataQuery
from sdmx_service.structures.artefacts import DataStructure

__all__ = ["Availability", "Span", "asked_dimensions", "available", "covered", "without"]

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Availability:
    """What there is: the values of each dimension in order, and how much it makes.

    ``span`` is the stretch of time that the periods cover together, None without any, and
    ``first`` and ``last`` those that it begins and ends with. The counts are those of the query
    itself in either mode.
    """

    values: Mapping[str, tuple[str, ...]]
    series: int
    observations: int
    span: Span | None = None


@dataclass(frozen=True)
class Span:
    """The stretch of time of some observations: the periods it begins and ends with, and when."""

    first: str
    last: str
    covers: Period


def available(
    frame: pl.DataFrame, structure: DataStructure, query: AvailabilityQuery
) -> Availability:
    """Return what the query finds in a table with the columns of ``structure``.

    In mode *available* the values of a dimension are those left by the conditions on all the
    others (REST 2.2, availability.md). Raises SemanticError for an unknown dimension.
    """
    dimensions = asked_dimensions(structure, query)
    found = _filtered(frame, structure, query.data)
    values = {}
    for name in dimensions:
        rows = found
        if query.mode is Mode.AVAILABLE:
            rows = _filtered(frame, structure, without(query.data, structure, name))
        values[name] = _distinct(rows, name)
    series = [dimension.id for dimension in structure.dimensions]
    times = _distinct(found, structure.time.id) if structure.timed else ()
    return Availability(
        values=values,
        series=found.select(pl.struct(series).n_unique()).item() if found.height else 0,
        observations=found.height,
        span=covered(times, query.data.year_start),
    )


def covered(periods: Iterable[str], year_start: tuple[int, int]) -> Span | None:
    """Return the stretch of time that some periods cover together; None of none."""
    spans = {text: observed_period(text, year_start) for text in periods}
    if not spans:
        return None
    start, end = min(one.start for one in spans.values()), max(one.end for one in spans.values())
    # Of several that begin or end together the shortest text names the longest of them.
    first = min(text for text, one in spans.items() if one.start == start)
    last = min(text for text, one in spans.items() if one.end == end)
    return Span(
        _standard(first, start, whole_days=start.time() == time.min),
        _standard(last, end - _SECOND, whole_days=end.time() == time.min),
        Period(start, end),
    )


def asked_dimensions(structure: DataStructure, query: AvailabilityQuery) -> tuple[str, ...]:
    """Return the dimensions to tell about, in key order; SemanticError for an unknown one."""
    known = tuple(dimension.id for dimension in structure.key)
    for name in query.components:
        if name not in known:
            raise SemanticError("componentID", got=name, expected=f"one of {', '.join(known)}")
    return tuple(name for name in known if not query.components or name in query.components)


def without(query: DataQuery, structure: DataStructure, name: str) -> DataQuery:
    """Return the query without what it says of one dimension."""
    places = [dimension.id for dimension in structure.dimensions]
    place = places.index(name) if name in places else -1
    return replace(
        query,
        keys=tuple({at: codes for at, codes in key.items() if at != place} for key in query.keys),
        conditions=tuple(one for one in query.conditions if one.component != name),
    )


def _filtered(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.DataFrame:
    mask = matching(frame, structure, query)
    return frame if mask is None else frame.filter(mask)


def _distinct(frame: pl.DataFrame, name: str) -> tuple[str, ...]:
    return tuple(frame.get_column(name).unique().sort().cast(pl.String).drop_nulls())


def _standard(period: str, moment: datetime, whole_days: bool) -> str:
    """Return a period as SDMX bounds a range: one that is a start and a length by its day."""
    if "/" not in period:
        return period
    return moment.date().isoformat() if whole_days else moment.isoformat()
