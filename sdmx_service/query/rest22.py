"""Data and availability queries of SDMX REST 2.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.availability_query import AvailabilityQuery, Mode, named, wanted
from sdmx_service.query.conditions import PREFIX, conditions
from sdmx_service.query.period import JANUARY_1
from sdmx_service.query.query import SERIES_KEY, Context, DataQuery, Sort, Target

__all__ = ["AVAILABILITY_PARAMETERS", "DATA_PARAMETERS", "availability_query", "data_query"]

DATA_PARAMETERS = (
    "updatedAfter",
    "firstNObservations",
    "lastNObservations",
    "dimensionAtObservation",
    "attributes",
    "measures",
    "includeHistory",
    "offset",
    "limit",
    "sort",
    "asOf",
    "reportingYearStartDay",
    *grammar.PRESENTATION,
)
AVAILABILITY_PARAMETERS = (
    "updatedAfter",
    "references",
    "mode",
    "reportingYearStartDay",
    "offset",
    "limit",
    *grammar.PRESENTATION,
)
# At most one of these words, alone: what it says together with an id would be unclear.
_ALONE = frozenset({"all", "none"})
# Of what the words for attributes may say, those that ask for reference metadata.
_METADATA = frozenset({"msd", "all"})


def data_query(path: str, query_string: str = "") -> DataQuery:
    """Parse what follows ``/data/``: ``{context}/{agency}/{id}/{version}/{key}`` and parameters.

    Every part may hold several words separated by ``,`` (the context apart); a position of a key
    is one code, empty or ``*``. Raises RequestError.
    """
    parts = grammar.path_parts(path)
    given = grammar.parameters(query_string, DATA_PARAMETERS, prefix=PREFIX)
    query = _asked(parts, 5, given)
    measures = _words(given, "measures")
    attributes = _words(given, "attributes")
    metadata = attributes is not None and bool(attributes & _METADATA)
    if attributes is not None:
        attributes -= {"msd"}
    as_of = grammar.moment(given["asOf"], "asOf") if "asOf" in given else None
    if as_of is not None and query.updated_after is not None and query.updated_after > as_of:
        raise RequestError(
            "updatedAfter",
            got=given["updatedAfter"],
            expected=f"a time before asOf={given['asOf']}",
        )
    return replace(
        query,
        observed_by=(
            grammar.component(given["dimensionAtObservation"], "dimensionAtObservation")
            if "dimensionAtObservation" in given
            else None
        ),
        attributes=attributes,
        measures=measures,
        metadata=metadata,
        first=_number(given, "firstNObservations", 1),
        last=_number(given, "lastNObservations", 1),
        offset=_number(given, "offset", 0) or 0,
        limit=_number(given, "limit", 1),
        sort=_sort(given["sort"]) if "sort" in given else (),
        as_of=as_of,
        include_history=grammar.flag(given.get("includeHistory", "false"), "includeHistory"),
    )


def availability_query(path: str, query_string: str = "") -> AvailabilityQuery:
    """Parse what follows ``/availability/``: the path of a data query and ``{componentID}``.

    Raises RequestError; there is no ``*`` context here.
    """
    parts = grammar.path_parts(path)
    given = grammar.parameters(query_string, AVAILABILITY_PARAMETERS, prefix=PREFIX)
    if not parts or parts[0] == "*":
        raise RequestError(
            "context",
            got=parts[0] if parts else None,
            expected="datastructure, dataflow or provisionagreement",
        )
    for name, least in (("offset", 0), ("limit", 1)):
        _number(given, name, least)  # an answer of one constraint has no pages, however asked for
    written = parts[5] if len(parts) > 5 else "*"
    return AvailabilityQuery(
        data=_asked(parts, 6, given),
        components=named(grammar.each(written, ",", grammar.component, "componentID")),
        mode=grammar.choice(Mode, given.get("mode", "exact"), "mode"),
        references=wanted(given.get("references", "none")),
    )


def target(parts: list[str]) -> Target:
    """Return what ``context, agencies, ids, versions`` name; parts left out are wildcards."""
    context, agencies, ids, versions = (*parts, *["*"] * (4 - len(parts)))[:4]
    return Target(
        grammar.choice(Context, context or "*", "context"),
        grammar.each(agencies, ",", grammar.agency, "agencyID"),
        grammar.each(ids, ",", grammar.identifier, "resourceID"),
        grammar.each(versions, ",", grammar.version, "version"),
    )


def _asked(parts: list[str], most: int, given: Mapping[str, str]) -> DataQuery:
    if len(parts) > most:
        raise RequestError(
            "path",
            got=f"{len(parts)} parts",
            expected=f"{most} at most: "
            "context/agency/id/version/key" + ("/component" if most > 5 else ""),
        )
    written = parts[4] if len(parts) > 4 and parts[4] else "*"
    several = tuple(dict.fromkeys(written.split(",")))
    if "" in several:
        raise RequestError(
            "key",
            got=written[:255],
            expected="a key on both sides of each comma",
            hint="* is any key",
        )
    keys = () if written == "*" else tuple(grammar.key(one, None) for one in several)
    start = given.get("reportingYearStartDay")
    return DataQuery(
        target=target(parts),
        keys=keys,
        positions=max(one.count(".") + 1 for one in several) if keys else 0,
        conditions=conditions(given),
        updated_after=(
            grammar.moment(given["updatedAfter"], "updatedAfter")
            if "updatedAfter" in given
            else None
        ),
        year_start=JANUARY_1 if start is None else grammar.year_start(start),
    )


def _number(given: Mapping[str, str], name: str, least: int) -> int | None:
    return grammar.whole_number(given[name], name, least) if name in given else None


def _words(given: Mapping[str, str], name: str) -> frozenset[str] | None:
    """Return what ``attributes`` or ``measures`` names: None means all, an empty set none."""
    if name not in given:
        return None
    words = frozenset(grammar.component(word, name) for word in given[name].split(","))
    if len(words) > 1 and words & _ALONE:
        raise RequestError(name, got=given[name][:255], expected="all or none alone, or ids")
    if words == {"none"}:
        return frozenset()
    return None if name == "measures" and words == {"all"} else words


def _sort(text: str) -> tuple[Sort, ...]:
    steps: dict[str, Sort] = {}
    for step in text.split("+"):
        by, colon, order = step.partition(":")
        if colon and order not in ("asc", "desc"):
            raise RequestError("sort", got=step[:255], expected="asc or desc after the colon")
        if by not in ("*", SERIES_KEY):
            grammar.identifier(by, "sort", "several components are joined by +: SEX+AGE:desc")
        # What is in order already, a second step cannot change.
        steps.setdefault(by, Sort(by, order == "desc"))
    return tuple(steps.values())
