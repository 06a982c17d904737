"""Data and availability queries of SDMX REST 1.5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.availability_query import AvailabilityQuery, Mode, wanted
from sdmx_service.query.period import parse_period
from sdmx_service.query.query import Condition, DataQuery, Operator, Provider, Target

__all__ = [
    "AVAILABILITY_PARAMETERS",
    "DATA_PARAMETERS",
    "availability_query",
    "data_query",
    "flow_target",
]

_PERIODS = ("startPeriod", "endPeriod", "updatedAfter")
DATA_PARAMETERS = (
    *_PERIODS,
    "firstNObservations",
    "lastNObservations",
    "dimensionAtObservation",
    "detail",
    "includeHistory",
    *grammar.PRESENTATION,
)
AVAILABILITY_PARAMETERS = (*_PERIODS, "references", "mode", *grammar.PRESENTATION)
_VERSIONS = {"all": "*", "latest": "~"}
_NONE: frozenset[str] = frozenset()
# detail -> what is left of attributes and measures
_DETAILS: Mapping[str, dict[str, Any]] = {
    "full": {},
    "dataonly": {"attributes": _NONE},
    "serieskeysonly": {"attributes": _NONE, "measures": _NONE},
    "nodata": {"attributes": frozenset({"dataset", "series"}), "measures": _NONE},
}


def data_query(path: str, query_string: str = "") -> DataQuery:
    """Parse what follows ``/data/``: ``{flow}/{key}/{provider}``, percent-encoded, and parameters.

    The flow is ``ID``, ``AGENCY,ID`` or ``AGENCY,ID,VERSION``; in a key ``+`` is OR, an empty
    position or ``*`` any code. Raises RequestError.
    """
    given = grammar.parameters(query_string, DATA_PARAMETERS)
    detail = given.get("detail", "full")
    if detail not in _DETAILS:
        raise RequestError("detail", got=detail[:255], expected=f"one of {', '.join(_DETAILS)}")
    numbers = {
        name: grammar.whole_number(given[name], name, least=1)
        for name in ("firstNObservations", "lastNObservations")
        if name in given
    }
    observed_by = given.get("dimensionAtObservation")
    return replace(
        _asked(grammar.path_parts(path), 3, path, given),
        **_DETAILS[detail],
        observed_by=observed_by and grammar.component(observed_by, "dimensionAtObservation"),
        first=numbers.get("firstNObservations"),
        last=numbers.get("lastNObservations"),
        include_history=grammar.flag(given.get("includeHistory", "false"), "includeHistory"),
    )


def availability_query(path: str, query_string: str = "") -> AvailabilityQuery:
    """Parse what follows ``/availableconstraint/``: ``{flow}/{key}/{provider}/{component}``.

    Raises RequestError.
    """
    given = grammar.parameters(query_string, AVAILABILITY_PARAMETERS)
    parts = grammar.path_parts(path)
    asked = parts[3] if len(parts) > 3 else "all"
    words = asked.split("+") if asked not in ("all", "*") else []
    return AvailabilityQuery(
        data=_asked(parts, 4, path, given),
        components=tuple(grammar.component(word, "componentId") for word in words),
        mode=grammar.choice(Mode, given.get("mode", "exact"), "mode"),
        references=wanted(given.get("references", "none")),
    )


def _asked(parts: list[str], most: int, path: str, given: Mapping[str, str]) -> DataQuery:
    if not 1 <= len(parts) <= most or not parts[0]:
        raise RequestError("path", got=path[:255], expected="FLOW, FLOW/KEY or FLOW/KEY/all")
    written = parts[1] if len(parts) > 1 else "all"
    keys = () if written in ("all", "", "*") else (grammar.key(written, "+"),)
    return DataQuery(
        target=flow_target(parts[0], parts[2] if len(parts) > 2 else "all"),
        keys=keys,
        positions=written.count(".") + 1 if keys else 0,
        conditions=_periods(given),
        updated_after=(
            grammar.moment(given["updatedAfter"], "updatedAfter")
            if "updatedAfter" in given
            else None
        ),
    )


def flow_target(flow: str, providers: str = "all") -> Target:
    """Return what ``ID``, ``AGENCY,ID`` or ``AGENCY,ID,VERSION`` and the providers name."""
    parts = flow.split(",")
    if len(parts) > 3:
        raise RequestError("flowRef", got=flow[:255], expected="ID, AGENCY,ID or AGENCY,ID,VERSION")
    agency, identity, version = ("*", *parts, "~") if len(parts) == 1 else (*parts, "~")[:3]
    agency, identity = ("*" if one == "all" else one for one in (agency, identity))
    version = _VERSIONS.get(version, version)
    return Target(
        agencies=(agency if agency == "*" else grammar.agency(agency, "flowRef, agency"),),
        ids=(identity if identity == "*" else grammar.identifier(identity, "flowRef, id"),),
        versions=(
            # Clients of both interfaces ask for the latest stable version with a plus sign.
            version if version in "*~+" else grammar.old_version(version, "flowRef, version"),
        ),
        providers=_providers(providers),
    )


def _providers(text: str) -> tuple[Provider, ...]:
    if text in ("", "all", "*"):
        return ()
    found = []
    for word in text.split("+"):
        agency, _, identity = word.rpartition(",")
        found.append(
            Provider(
                grammar.identifier(identity, "providerRef"),
                "*" if agency in ("", "all") else grammar.agency(agency, "providerRef, agency"),
            )
        )
    return tuple(found)


def _periods(given: Mapping[str, str]) -> tuple[Condition, ...]:
    conditions = []
    for name, token in (("startPeriod", Operator.GE), ("endPeriod", Operator.LE)):
        if name in given:
            parse_period(given[name], name)
            conditions.append(Condition("TIME_PERIOD", (((token, given[name]),),)))
    return tuple(conditions)
