"""Data and structure queries of SDMX REST 1.5."""

from __future__ import annotations

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.period import parse_period
from sdmx_service.query.query import Condition, DataQuery, Detail, FlowReference, Operator
from sdmx_service.query.structure_query import StructureQuery, parse_structure_parts

__all__ = ["DATA_PARAMETERS", "STRUCTURE_PARAMETERS", "data_query", "structure_query"]

PRESENTATION = ("format", "labels", "lang")
DATA_PARAMETERS = (
    "startPeriod",
    "endPeriod",
    "updatedAfter",
    "firstNObservations",
    "lastNObservations",
    "dimensionAtObservation",
    "detail",
    "includeHistory",
    *PRESENTATION,
)
STRUCTURE_PARAMETERS = ("references", "detail", *PRESENTATION)
_WORDS = {"all": "*", "latest": "~"}


def data_query(path: str, query_string: str = "") -> DataQuery:
    """Parse what follows ``/data/``: ``{flow}/{key}/{provider}``, percent-encoded, and parameters.

    The flow is ``ID``, ``AGENCY,ID`` or ``AGENCY,ID,VERSION``; in a key ``+`` is OR, an empty
    position or ``*`` any code. Raises RequestError.
    """
    parts = grammar.path_parts(path)
    if not 1 <= len(parts) <= 3 or not parts[0]:
        raise RequestError(
            "path",
            got=f"data/{path[:255]}",
            expected="data/FLOW, data/FLOW/KEY or data/FLOW/KEY/all",
        )
    given = grammar.parameters(query_string, DATA_PARAMETERS)
    grammar.refuse_unsupported(given, {"includeHistory": ("false",)})
    written = parts[1] if len(parts) > 1 else "all"
    keys = () if written in ("all", "", "*") else (grammar.key(written, "+"),)
    if len(parts) == 3 and parts[2] not in ("all", "*"):
        for provider in parts[2].split("+"):
            grammar.identifier(provider.rpartition(",")[2], "providerRef")
    numbers = {
        name: grammar.whole_number(given[name], name, least=1)
        for name in ("firstNObservations", "lastNObservations")
        if name in given
    }
    return DataQuery(
        flow=_flow(parts[0]),
        keys=keys,
        positions=written.count(".") + 1 if keys else 0,
        conditions=_periods(given),
        dimension_at_observation=given.get("dimensionAtObservation", "TIME_PERIOD"),
        detail=grammar.choice(Detail, given.get("detail", "full"), "detail"),
        first=numbers.get("firstNObservations"),
        last=numbers.get("lastNObservations"),
    )


def _flow(text: str) -> FlowReference:
    parts = text.split(",")
    if len(parts) > 3:
        raise RequestError("flowRef", got=text[:255], expected="ID, AGENCY,ID or AGENCY,ID,VERSION")
    agency, identity, version = ("*", *parts, "~") if len(parts) == 1 else (*parts, "~")[:3]
    agency, version = _WORDS.get(agency, agency), _WORDS.get(version, version)
    return FlowReference(
        agency if agency == "*" else grammar.agency(agency, "flowRef, agency"),
        grammar.identifier(identity, "flowRef, id"),
        grammar.version(version, "flowRef, version"),
    )


def _periods(given: dict[str, str]) -> tuple[Condition, ...]:
    conditions = []
    for name, token in (("startPeriod", Operator.GE), ("endPeriod", Operator.LE)):
        if name in given:
            parse_period(given[name], name)
            conditions.append(Condition("TIME_PERIOD", (((token, given[name]),),)))
    return tuple(conditions)


def structure_query(path: str, query_string: str = "") -> StructureQuery:
    """Parse ``{type}/{agency}/{id}/{version}/{item}``, percent-encoded, and its parameters.

    Left-out parts mean all agencies, all ids and the latest version. Raises RequestError, and
    NotFound for a type of artefact that REST 1.5 does not know.
    """
    given = grammar.parameters(query_string, STRUCTURE_PARAMETERS)
    parts = [
        "+".join(_WORDS.get(word, word) for word in part.replace(",", "+").split("+"))
        if position
        else part
        for position, part in enumerate(grammar.path_parts(path))
    ]
    return parse_structure_parts(parts, "+", given)
