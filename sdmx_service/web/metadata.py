"""Queries for reference metadata over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import (
    Generation,
    metadatacsv,
    metadatagenericxml21,
    metadatajson,
    metadataspecificxml21,
    metadataxml,
    negotiate,
)
from sdmx_service.formats.metadata import metadata_formats
from sdmx_service.query import grammar
from sdmx_service.query.metadata_query import (
    METADATA_PARAMETERS_15,
    METADATA_PARAMETERS_22,
    MetadataQuery,
    metadata_query15,
    metadata_query22,
)
from sdmx_service.release.metadata import metadata_answer
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.language import preferred
from sdmx_service.web.problem import NoResults
from sdmx_service.web.structure import release_asked

# They register themselves.
_ROOM = (metadatajson, metadataxml, metadatacsv, metadatagenericxml21, metadataspecificxml21)
__all__ = ["metadata15", "metadata22"]

_JSON = "application/vnd.sdmx.metadata+json"
_GENERIC = "application/vnd.sdmx.genericmetadata+xml"


def metadata15(request: Request) -> Response:
    """Answer ``/rest/metadata/...``; nothing found is an error there (SDMX error 100)."""
    asked = Asked.of(request, depth=2)
    query = metadata_query15(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, METADATA_PARAMETERS_15)
    response = _answered(request, query, given, Generation.SDMX_2_1)
    if response.status_code == 204:
        raise NoResults(
            f"metadata/{asked.path[:255]}",
            expected="metadata of this release",
            hint="GET /rest/metadataflow lists the metadataflows",
        )
    return response


def metadata22(request: Request) -> Response:
    """Answer ``/sdmx/v2/metadata/...``; nothing found is 204."""
    asked = Asked.of(request, depth=3)
    query = metadata_query22(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, METADATA_PARAMETERS_22)
    return _answered(request, query, given, Generation.SDMX_3_1)


def _answered(
    request: Request, query: MetadataQuery, given: Mapping[str, str], generation: Generation
) -> Response:
    formats = metadata_formats()
    usual = _GENERIC if generation is Generation.SDMX_2_1 else _JSON
    choice = negotiate(
        formats,
        accept=request.headers.get("accept"),
        default=max(
            (one for one in formats if one.media_type == usual), key=lambda one: one.version
        ),
        asked=given.get("format"),
        version=given.get("formatVersion"),
        labels=given.get("labels"),
        generation=generation,
    )
    current = request.app.state.current.release()
    release = release_asked(request, query.as_of)
    header = request.headers.get("accept-language")
    wanted = preferred(release or current, header, given.get("lang"))
    message = None if release is None else metadata_answer(release, query, languages=wanted)
    if release is None or message is None:
        return answer(request, current, choice.content_type, None)
    pieces = choice.format.write(replace(message, labels=choice.labels))
    named = {tag for one in message.sets for tag in one.name}
    return answer(
        request,
        release,
        choice.content_type,
        pieces,
        # The names of other languages may stand in it too.
        language=next((tag for tag in wanted if tag in named), wanted[0]),
        variant=" ".join((choice.labels.value, *wanted)),
        file=f"metadata{choice.format.extension}",
    )
