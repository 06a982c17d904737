"""Data queries over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import DataMessage, data_formats, dataset, languages, negotiate
from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import DataSet, Provision
from sdmx_service.formats.negotiation import Choice
from sdmx_service.query import grammar, rest15, rest22
from sdmx_service.query.query import Context, DataQuery
from sdmx_service.release import Release
from sdmx_service.release.answer import Answer, Change
from sdmx_service.release.reading import Chosen
from sdmx_service.web.answer import Asked, Standing, answer
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.paging import links
from sdmx_service.web.problem import NoResults

__all__ = ["REST15", "REST22", "Interface", "Wish", "data15", "data22", "message_of", "standing_of"]

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


@dataclass(frozen=True)
class Interface:
    """One version of the REST interface: how its queries are read, its format by default."""

    depth: int
    query: Callable[[str, str], DataQuery]
    parameters: Callable[[str], dict[str, str]]
    default: str


REST15 = Interface(
    2,
    rest15.data_query,
    lambda query: grammar.parameters(query, rest15.DATA_PARAMETERS),
    "generic",
)
REST22 = Interface(
    3,
    rest22.data_query,
    lambda query: grammar.parameters(query, rest22.DATA_PARAMETERS, prefix="c["),
    "json21",
)


@dataclass(frozen=True)
class Wish:
    """How the answer is wanted: the format with its options, and languages."""

    choice: Choice[DataMessage]
    languages: tuple[str, ...]

    @classmethod
    def of(
        cls, default: str, given: Mapping[str, str], accept: str | None, language: str | None
    ) -> Wish:
        """Negotiate; raises NotAcceptable, and RequestError for a word that no option has."""
        formats = data_formats()
        choice = negotiate(
            formats,
            accept=accept,
            default=next(one for one in formats if one.name == default),
            asked=given.get("format"),
            version=given.get("formatVersion"),
            labels=given.get("labels"),
            keys=given.get("keys"),
            time_format=given.get("timeFormat"),
        )
        return cls(choice, languages(language, given.get("lang")))

    @property
    def variant(self) -> str:
        """What tells apart answers of one media type."""
        one = self.choice
        return f"{one.labels.value} {one.keys.value} {one.time_format.value}"


def data15(request: Request) -> Response:
    """Answer ``/rest/data/...``; nothing found is an error there (SDMX error 100)."""
    response = _answered(request, REST15)
    if response.status_code == 204:
        raise NoResults(
            f"data/{Asked.of(request, REST15.depth).path[:255]}",
            expected="a query that observations match",
            hint="leave key positions empty, or widen the periods",
        )
    return response


def data22(request: Request) -> Response:
    """Answer ``/sdmx/v2/data/...``; nothing found is 204."""
    return _answered(request, REST22)


def _answered(request: Request, interface: Interface) -> Response:
    asked = Asked.of(request, interface.depth)
    query = interface.query(asked.path, asked.query_string)
    given = interface.parameters(asked.query_string)
    headers = request.headers
    wish = Wish.of(interface.default, given, headers.get("accept"), headers.get("accept-language"))
    current: CurrentRelease = request.app.state.current
    release = current.release()
    answers = current.archive.answer(release, query)
    if not answers:
        return answer(request, release, wish.choice.content_type, None)
    response = answer(
        request,
        release,
        wish.choice.content_type,
        wish.choice.format.write(message_of(answers, release, query, wish)),
        language=wish.languages[0],
        variant=wish.variant,
        standing=standing_of(current, release, query, answers),
    )
    pages = links(request, query, sum(one.height for one in answers))
    if pages is not None:
        response.headers["Link"] = pages
    return response


def standing_of(
    current: CurrentRelease, release: Release, query: DataQuery, answers: Iterable[Answer]
) -> Standing:
    """Return what the answers stand on: their tables, or all releases where they tell of those."""
    if query.as_of or query.updated_after or query.include_history:
        return Standing.of(release)
    tables = sorted({one.flow.structure.id for one in answers})
    return Standing(
        " ".join(release.content_of(table) for table in tables),
        max(current.archive.changed(release, table) for table in tables),
    )


def message_of(
    answers: Iterable[Answer], release: Release, query: DataQuery, wish: Wish
) -> DataMessage:
    """Return the message that answers a query."""
    return DataMessage(
        tuple(_dataset(one) for one in answers),
        release.id,
        release.published,
        observed_by=query.observed_by,
        languages=wish.languages,
        labels=wish.choice.labels,
        keys=wish.choice.keys,
        time_format=wish.choice.time_format,
    )


def _dataset(answered: Answer) -> DataSet:
    agreement, provision = answered.agreement, None
    if agreement is not None:
        provision = Provision(agreement.agency, agreement.id, agreement.version, agreement.name)
    rows = answered.rows
    image = rows.image if isinstance(rows, Chosen) else None
    return DataSet(
        answered.flow,
        rows,
        _ACTIONS[answered.change],
        answered.valid_from,
        answered.valid_to,
        _CONTEXTS[answered.context],
        provision,
        image.steady if image else None,
        image.partial if image else None,
    )
