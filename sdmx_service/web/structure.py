"""Structure queries over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import StructureMessage, languages, negotiate, structure_formats
from sdmx_service.query import grammar
from sdmx_service.query.structure_query import (
    STRUCTURE_PARAMETERS_15,
    STRUCTURE_PARAMETERS_22,
    StructureQuery,
    structure_query15,
    structure_query22,
)
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.references import References
from sdmx_service.structures.store import StructureStore
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.problem import NoResults

__all__ = ["structure15", "structure22"]


def structure15(request: Request) -> Response:
    """Answer ``/rest/{type}/...``; nothing found is an error there (SDMX error 100)."""
    asked = Asked.of(request, depth=1)
    query = structure_query15(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, STRUCTURE_PARAMETERS_15)
    response = _answered(request, query, given, "xml")
    if response.status_code == 204:
        raise NoResults(
            asked.path[:255],
            expected="an artefact of this release",
            hint="GET /rest/dataflow lists the dataflows",
        )
    return response


def structure22(request: Request) -> Response:
    """Answer ``/sdmx/v2/structure/...``; nothing found is 204."""
    asked = Asked.of(request, depth=3)
    query = structure_query22(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, STRUCTURE_PARAMETERS_22)
    return _answered(request, query, given, "json")


def _answered(
    request: Request, query: StructureQuery, given: dict[str, str], default: str
) -> Response:
    choice = negotiate(
        structure_formats(),
        accept=request.headers.get("accept"),
        default=next(one for one in structure_formats() if one.name == default),
        asked=given.get("format"),
        labels=given.get("labels"),
    )
    wanted = languages(request.headers.get("accept-language"), given.get("lang"))
    release = request.app.state.current.release()
    found, behind = _artefacts(release.structures, query)
    if not found:
        return answer(request, release, choice.content_type, None)
    message = StructureMessage(
        artefacts=found,
        referenced=behind,
        sender=found[0].agency.replace(".", "_"),
        prepared=release.published,
        detail=query.detail,
        languages=wanted,
    )
    pieces: Iterator[bytes] = choice.format.write(message)
    return answer(request, release, choice.content_type, pieces, language=wanted[0])


def _artefacts(
    store: StructureStore, query: StructureQuery
) -> tuple[tuple[Artefact, ...], tuple[Artefact, ...]]:
    """Return the artefacts asked for, and those that come along."""
    found = tuple(
        artefact
        for artefact in store.find(None, query.agencies, query.ids, query.versions)
        if artefact.kind in query.kinds
    )
    asked = [query.references] if isinstance(query.references, References) else query.references
    related = {
        artefact.identity: artefact
        for references in asked
        for artefact in store.with_references(found, references)
    }
    for artefact in found:
        related.pop(artefact.identity, None)
    return found, tuple(related.values())
