"""Data queries over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import DataMessage, Format, data_formats, dataset, languages, negotiate
from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import DataSet, Provision
from sdmx_service.query import grammar, rest15, rest22
from sdmx_service.query.query import Context, DataQuery
from sdmx_service.release.answer import Answer, Change
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.problem import NoResults

__all__ = ["data15", "data22"]

_ACTIONS = {
    Change.NONE: Action.INFORMATION,
    Change.REPLACE: Action.REPLACE,
    Change.DELETE: Action.DELETE,
}
_CONTEXTS = {
    Context.ANY: dataset.Context.DATAFLOW,
    Context.DATAFLOW: dataset.Context.DATAFLOW,
    Context.DATA_STRUCTURE: dataset.Context.DATA_STRUCTURE,
    Context.PROVISION_AGREEMENT: dataset.Context.PROVISION,
}


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
        version=given.get("formatVersion"),
        labels=given.get("labels"),
        keys=given.get("keys"),
        time_format=given.get("timeFormat"),
    )
    wanted = languages(request.headers.get("accept-language"), given.get("lang"))
    current = request.app.state.current
    release = current.release()
    answers = current.archive.answer(release, query)
    if not answers:
        return answer(request, release, choice.content_type, None)
    message = DataMessage(
        tuple(_dataset(one) for one in answers),
        release.id,
        release.published,
        observed_by=query.observed_by,
        languages=wanted,
        labels=choice.labels,
        keys=choice.keys,
        time_format=choice.time_format,
    )
    pieces = choice.format.write(message)
    return answer(
        request,
        release,
        choice.content_type,
        pieces,
        language=wanted[0],
        variant=f"{choice.labels.value} {choice.keys.value} {choice.time_format.value}",
    )


def _dataset(answered: Answer) -> DataSet:
    agreement, provision = answered.agreement, None
    if agreement is not None:
        provision = Provision(agreement.agency, agreement.id, agreement.version, agreement.name)
    return DataSet(
        answered.flow,
        answered.frame,
        _ACTIONS[answered.change],
        answered.valid_from,
        answered.valid_to,
        _CONTEXTS[answered.context],
        provision,
    )
