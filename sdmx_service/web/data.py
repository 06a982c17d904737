"""Data queries over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import DataMessage, Format, data_formats, languages, negotiate
from sdmx_service.query import grammar, rest15, rest22
from sdmx_service.query.query import DataQuery
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.problem import NoResults

__all__ = ["data15", "data22"]


def data15(request: Request) -> Response:
    """Answer ``/rest/data/...``; nothing found is an error there (SDMX error 100)."""
    asked = Asked.of(request, depth=2)
    query = rest15.data_query(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, rest15.DATA_PARAMETERS)
    response = _answered(request, query, given, "generic")
    if response.status_code == 204:
        raise NoResults(
            f"data/{asked.path[:255]}",
            expected="a query that observations match",
            hint="leave key positions empty, or widen the periods",
        )
    return response


def data22(request: Request) -> Response:
    """Answer ``/sdmx/v2/data/...``; nothing found is 204."""
    asked = Asked.of(request, depth=3)
    query = rest22.data_query(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, rest22.DATA_PARAMETERS, prefix="c[")
    return _answered(request, query, given, "json")


def _default(name: str) -> Format[DataMessage]:
    return next(one for one in data_formats() if one.name == name)


def _answered(request: Request, query: DataQuery, given: dict[str, str], default: str) -> Response:
    choice = negotiate(
        data_formats(),
        accept=request.headers.get("accept"),
        default=_default(default),
        asked=given.get("format"),
        labels=given.get("labels"),
    )
    wanted = languages(request.headers.get("accept-language"), given.get("lang"))
    release = request.app.state.current.release()
    flow, frame = release.select(query)
    if frame.is_empty():
        return answer(request, release, choice.content_type, None)
    message = DataMessage(
        flow=flow,
        frame=frame,
        release=release.id,
        prepared=release.published,
        flat=query.dimension_at_observation == "AllDimensions",
        languages=wanted,
        labels=choice.labels,
    )
    pieces = choice.format.write(message)
    return answer(
        request,
        release,
        choice.content_type,
        pieces,
        language=wanted[0],
        variant=choice.labels.value,
    )
