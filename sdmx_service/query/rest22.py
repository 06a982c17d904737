"""Data and structure queries of SDMX REST 2.2."""

from __future__ import annotations

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.period import parse_period
from sdmx_service.query.query import Condition, DataQuery, Detail, FlowReference, Operator
from sdmx_service.query.rest15 import PRESENTATION
from sdmx_service.query.structure_query import StructureQuery, parse_structure_parts

__all__ = ["DATA_PARAMETERS", "STRUCTURE_PARAMETERS", "data_query", "structure_query"]

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
    *PRESENTATION,
)
STRUCTURE_PARAMETERS = ("references", "detail", "asOf", *PRESENTATION)
_HARMLESS = {
    "includeHistory": ("false",),
    "asOf": (),
    "reportingYearStartDay": ("--01-01",),
    "sort": ("*", "*:asc", "series_key", "series_key:asc", "series_key+TIME_PERIOD"),
}
_OPERATORS = {operator.value: operator for operator in Operator}


def data_query(path: str, query_string: str = "") -> DataQuery:
    """Parse what follows ``/data/``: ``{context}/{agency}/{id}/{version}/{key}`` and parameters.

    Several keys are separated by ``,``; a position is one code, empty or ``*``. ``c[ID]`` holds
    alternatives separated by ``,`` of conditions joined by ``+``. Raises RequestError.
    """
    parts = grammar.path_parts(path)
    if len(parts) > 5:
        raise RequestError(
            "path", got=f"{len(parts)} parts", expected="context/agency/id/version/key at most"
        )
    context, agency, identity, version, written = (
        part or "*" for part in (*parts, *["*"] * (5 - len(parts)))
    )
    if context not in ("dataflow", "*"):
        raise RequestError("context", got=context[:255], expected="dataflow or *")
    given = grammar.parameters(query_string, DATA_PARAMETERS, prefix="c[")
    grammar.refuse_unsupported(given, _HARMLESS)
    keys = () if written == "*" else tuple(grammar.key(one, None) for one in written.split(","))
    detail, attributes = _detail(given)
    return DataQuery(
        flow=_flow(agency, identity, version),
        keys=keys,
        positions=max((one.count(".") + 1 for one in written.split(",")), default=0) if keys else 0,
        conditions=tuple(
            _condition(name, text) for name, text in given.items() if name.startswith("c[")
        ),
        dimension_at_observation=given.get("dimensionAtObservation", "TIME_PERIOD"),
        detail=detail,
        attributes=attributes,
        first=_number(given, "firstNObservations", 1),
        last=_number(given, "lastNObservations", 1),
        offset=_number(given, "offset", 0) or 0,
        limit=_number(given, "limit", 0),
    )


def _number(given: dict[str, str], name: str, least: int) -> int | None:
    return grammar.whole_number(given[name], name, least) if name in given else None


def _flow(agency: str, identity: str, version: str) -> FlowReference:
    if identity == "*" or "," in identity + agency + version:
        raise RequestError(
            "resourceID",
            got=identity[:255],
            expected="the id of one dataflow",
            hint="the list of dataflows: structure/dataflow",
        )
    return FlowReference(
        agency if agency == "*" else grammar.agency(agency),
        grammar.identifier(identity, "resourceID"),
        grammar.version(version),
    )


def _condition(name: str, text: str) -> Condition:
    if not name.endswith("]"):
        raise RequestError("query parameter", got=name[:255], expected="c[ID] with a closing ]")
    where = grammar.component(name[2:-1], "c[]")
    alternatives = []
    for alternative in text.split(","):
        tests = []
        for test in alternative.split("+"):
            prefix, colon, value = test.partition(":")
            operator = _OPERATORS.get(prefix) if colon else None
            asked = value if operator else test
            if not asked or len(asked) > grammar.LONGEST:
                raise RequestError(
                    f"c[{where}]", got=test[:255], expected="OPERATOR:VALUE or VALUE"
                )
            if where == "TIME_PERIOD":
                parse_period(asked, f"c[{where}]")
            tests.append((operator or Operator.EQ, asked))
        alternatives.append(tuple(tests))
    return Condition(where, tuple(alternatives))


def _detail(given: dict[str, str]) -> tuple[Detail, frozenset[str] | None]:
    measures = given.get("measures", "all")
    if measures not in ("all", "none", "OBS_VALUE"):
        raise RequestError("measures", got=measures[:255], expected="all, none or OBS_VALUE")
    asked = given.get("attributes", "dsd")
    without_value = measures == "none"
    if asked in ("dsd", "all"):
        return (Detail.NO_DATA if without_value else Detail.FULL), None
    if asked == "none":
        return (Detail.SERIES_KEYS_ONLY if without_value else Detail.DATA_ONLY), None
    if without_value and asked == "series":
        return Detail.NO_DATA, None
    if without_value:
        raise RequestError(
            "measures", got="none", expected="attributes=dsd, series or none beside measures=none"
        )
    ids = asked.split(",")
    return Detail.FULL, frozenset(grammar.component(one, "attributes") for one in ids)


def structure_query(path: str, query_string: str = "") -> StructureQuery:
    """Parse what follows ``/structure/``: ``{type}/{agency}/{id}/{version}/{item}``.

    Left-out parts mean any type, agency and id, and the latest version. Raises RequestError, and
    NotFound for a type of artefact that the standard does not know.
    """
    given = grammar.parameters(query_string, STRUCTURE_PARAMETERS)
    grammar.refuse_unsupported(given, {"asOf": ()})
    return parse_structure_parts(grammar.path_parts(path), ",", given)
