"""Schema queries over HTTP: what data or metadata are valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.errors import NotAcceptable, NotFound
from sdmx_service.formats import (
    Choice,
    Format,
    Generation,
    negotiate,
    schemacsv,
    schemajson,
    schemaxsd,
    structure_formats,
)
from sdmx_service.formats.schema import MetadataSchema, Writable, schema_formats
from sdmx_service.query import grammar
from sdmx_service.query.schema_query import (
    SCHEMA_PARAMETERS_15,
    SCHEMA_PARAMETERS_22,
    SchemaQuery,
    schema_query15,
    schema_query22,
)
from sdmx_service.release.schema import schema_message, schema_structures
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.language import preferred
from sdmx_service.web.structure import answer_artefacts, release_asked

_ROOM = (schemaxsd, schemajson, schemacsv)  # imported, they register their formats
__all__ = ["schema15", "schema22"]

_XSD = "application/vnd.sdmx.schema+xml"
_JSON_SCHEMA = "application/vnd.sdmx.schema+json"


def schema15(request: Request) -> Response:
    """Answer ``/rest/schema/...``."""
    asked = Asked.of(request, depth=2)
    query = schema_query15(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, SCHEMA_PARAMETERS_15)
    return _answered(request, query, given, Generation.SDMX_2_1)


def schema22(request: Request) -> Response:
    """Answer ``/sdmx/v2/schema/...``."""
    asked = Asked.of(request, depth=3)
    query = schema_query22(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, SCHEMA_PARAMETERS_22)
    return _answered(request, query, given, Generation.SDMX_3_1)


def _answered(
    request: Request, query: SchemaQuery, given: Mapping[str, str], generation: Generation
) -> Response:
    release = release_asked(request, query.as_of)
    if release is None:
        raise NotFound(query.id, expected="a release at that time", got=str(query.as_of))
    wanted = preferred(release, request.headers.get("accept-language"), given.get("lang"))
    message = schema_message(release, query, languages=wanted)
    choice = _chosen(message, request, given, generation)
    if choice.format in structure_formats():
        known = ArtefactKind.of_generation(2 if generation is Generation.SDMX_2_1 else 3)
        found = schema_structures(release, query, known)
        return answer_artefacts(request, release, choice, given, found.asked, found.referenced)
    return answer(
        request,
        release,
        choice.content_type,
        choice.format.write(message),
        language=wanted[0],
        variant=" ".join(wanted),
        file=f"{query.id}{choice.format.extension}",
    )


def _chosen(
    message: Writable, request: Request, given: Mapping[str, str], generation: Generation
) -> Choice[Any]:
    """Return a format of schemas, or of structures, which say what is allowed in their way.

    Raises NotAcceptable, which lists the forms that there are of what is asked for.
    """
    refused = _refused(message)
    formats: tuple[Format[Any], ...] = (*schema_formats(), *structure_formats())
    usual = _XSD if generation is Generation.SDMX_2_1 else _JSON_SCHEMA
    try:
        return negotiate(
            [one for one in formats if one.name not in refused],
            accept=request.headers.get("accept"),
            default=next(
                one for one in formats if one.media_type == usual and one.generation is generation
            ),
            asked=given.get("format"),
            version=given.get("formatVersion"),
            generation=generation,
        )
    except NotAcceptable as error:
        why = dict.fromkeys(one.hint for one in (error, *refused.values()) if one.hint)
        raise NotAcceptable(
            error.where, got=error.got, expected=error.expected, hint="; ".join(why)
        ) from error


def _refused(message: Writable) -> Mapping[str, NotAcceptable]:
    """Return by name the forms that a schema of reference metadata has not, with the reason."""
    refused: dict[str, NotAcceptable] = {}
    if isinstance(message, MetadataSchema):
        for one in schema_formats():
            try:
                next(iter(one.write(message)))
            except NotAcceptable as reason:
                refused[one.name] = reason
    return refused
