"""One question about what data are valid, whichever REST version it came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar

__all__ = [
    "SCHEMA_PARAMETERS_15",
    "SCHEMA_PARAMETERS_22",
    "SchemaContext",
    "SchemaQuery",
    "schema_query15",
    "schema_query22",
]

SCHEMA_PARAMETERS_15 = ("dimensionAtObservation", "explicitMeasure", *grammar.PRESENTATION)
SCHEMA_PARAMETERS_22 = ("dimensionAtObservation", "deletion", "asOf", *grammar.PRESENTATION)


class SchemaContext(Enum):
    """What decides on validity; values are the tokens of REST 2.2."""

    DATA_STRUCTURE = "datastructure"
    METADATA_STRUCTURE = "metadatastructure"
    DATAFLOW = "dataflow"
    METADATAFLOW = "metadataflow"
    PROVISION_AGREEMENT = "provisionagreement"
    METADATA_PROVISION_AGREEMENT = "metadataprovisionagreement"


@dataclass(frozen=True)
class SchemaQuery:
    """A schema query for one artefact; ``version`` may be a range, ``~`` is the latest.

    ``deletion`` asks for the schema of messages that delete; ``explicit_measure`` for one that
    names each measure of a 2.1 measure dimension.
    """

    context: SchemaContext
    agency: str
    id: str
    version: str = "~"
    observed_by: str | None = None
    deletion: bool = False
    explicit_measure: bool = False
    as_of: datetime | None = None


def schema_query22(path: str, query_string: str = "") -> SchemaQuery:
    """Parse what follows ``/schema/``: ``{context}/{agency}/{id}/{version}`` of REST 2.2.

    Raises RequestError; context, agency and id cannot be left out.
    """
    given = grammar.parameters(query_string, SCHEMA_PARAMETERS_22)
    return SchemaQuery(
        *_place(path),
        version=_version(path, grammar.version),
        observed_by=_observed_by(given),
        deletion=grammar.flag(given.get("deletion", "false"), "deletion"),
        as_of=grammar.moment(given["asOf"], "asOf") if "asOf" in given else None,
    )


def schema_query15(path: str, query_string: str = "") -> SchemaQuery:
    """Parse what follows ``/schema/`` in REST 1.5: ``{context}/{agency}/{id}/{version}``.

    Raises RequestError; context, agency and id cannot be left out.
    """
    given = grammar.parameters(query_string, SCHEMA_PARAMETERS_15)
    return SchemaQuery(
        *_place(path),
        version=_version(path, _old_version),
        observed_by=_observed_by(given),
        explicit_measure=grammar.flag(given.get("explicitMeasure", "false"), "explicitMeasure"),
    )


def _place(path: str) -> tuple[SchemaContext, str, str]:
    parts = grammar.path_parts(path)
    if not 3 <= len(parts) <= 4:
        raise RequestError("path", got=path[:255], expected="context/agency/id/version")
    return (
        grammar.choice(SchemaContext, parts[0], "context"),
        grammar.agency(parts[1]),
        grammar.identifier(parts[2], "resourceID"),
    )


def _version(path: str, check: grammar.Check) -> str:
    parts = grammar.path_parts(path)
    return check(parts[3], "version") if len(parts) > 3 else "~"


def _old_version(text: str, where: str) -> str:
    if text in ("latest", "~", "+"):
        return "~" if text == "latest" else text
    return grammar.old_version(text, where)


def _observed_by(given: dict[str, str]) -> str | None:
    asked = given.get("dimensionAtObservation")
    return None if asked is None else grammar.component(asked, "dimensionAtObservation")
