"""Data queries over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats import DataMessage, Feature, data_formats, dataset, negotiate
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import DataSet, Provision
from sdmx_service.formats.feature import needed
from sdmx_service.formats.message import ALL_DIMENSIONS
from sdmx_service.formats.metadataattached import carries_metadata
from sdmx_service.formats.negotiation import Choice
from sdmx_service.query import grammar, rest15, rest22
from sdmx_service.query.query import Context, DataQuery
from sdmx_service.release import Release
from sdmx_service.release.answer import Answer, Change, cut
from sdmx_service.release.gathering import gathered
from sdmx_service.release.reading import Chosen
from sdmx_service.release.standing import standing_since
from sdmx_service.web import beside
from sdmx_service.web.answer import Asked, Standing, answer
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.lacking import lacking_dimension
from sdmx_service.web.language import preferred
from sdmx_service.web.paging import links
from sdmx_service.web.problem import NoResults
from sdmx_service.web.sender import sender_of

__all__ = [
    "REST15",
    "REST22",
    "Interface",
    "Wish",
    "data15",
    "data22",
    "disposition",
    "message_of",
    "standing_of",
]

_CHANGES = {Change.REPLACE: Action.REPLACE, Change.DELETE: Action.DELETE}
# What a plain answer says of itself in the formats that have a place for it, and in no other.
_WHERE_THERE_IS_PLACE = frozenset({Feature.ACTIONS, Feature.VALIDITY})
# The words of ``attributes`` that take in all that the data structure has.
_EVERY_ATTRIBUTE = frozenset({"dsd", "all"})
_CONTEXTS = {
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
        cls,
        default: str,
        given: Mapping[str, str],
        accept: str | None,
        language: str | None,
        release: Release,
        needs: Collection[Feature] = (),
        *,
        metadata: bool = False,
    ) -> Wish:
        """Negotiate; raises NotAcceptable, and RequestError for a word that no option has.

        Only formats that carry what the answer ``needs`` are chosen among, and reference
        ``metadata`` beside the data if there are to be any.
        """
        usual = next(one for one in data_formats() if one.name == default)
        choice = negotiate(
            [
                one
                for one in data_formats()
                if one.carries.issuperset(needs) and (not metadata or carries_metadata(one))
            ],
            accept=accept,
            default=usual,
            generation=usual.generation,
            asked=given.get("format"),
            version=given.get("formatVersion"),
            labels=given.get("labels"),
            keys=given.get("keys"),
            time_format=given.get("timeFormat"),
        )
        asked = given.get("lang", given.get("locale"))
        return cls(choice, preferred(release, language, asked))

    @property
    def by_series(self) -> bool:
        """Whether the format names a series once, with its observations inside."""
        media = self.choice.format.media_type
        return media.startswith("application/vnd.sdmx.") and media.endswith(("+json", "+xml"))

    @property
    def variant(self) -> str:
        """What tells apart answers of one media type."""
        one, spoken = self.choice, " ".join(self.languages)
        return f"{one.labels.value} {one.keys.value} {one.time_format.value} {spoken}"


def data15(request: Request) -> Response:
    """Answer ``/rest/data/...``; nothing found is an error there (SDMX error 100)."""
    response = _answered(request, REST15)
    if response.status_code == 204:
        raise NoResults(
            f"data/{Asked.of(request, REST15.depth).path[:255]}",
            expected="a query that observations match",
            hint="leave key positions empty, widen the periods, or name no provider",
        )
    return response


def data22(request: Request) -> Response:
    """Answer ``/sdmx/v2/data/...``; nothing found is 204."""
    return _answered(request, REST22)


def _answered(request: Request, interface: Interface) -> Response:
    asked = Asked.of(request, interface.depth)
    query = interface.query(asked.path, asked.query_string)
    given = interface.parameters(asked.query_string)
    current: CurrentRelease = request.app.state.current
    newest = current.release()
    # What stood at a moment comes from the release of then, and says so.
    stood = newest if query.as_of is None else current.archive.release_at(newest, query.as_of)
    release = stood or newest

    def wanted(needs: Collection[Feature] = (), *, metadata: bool = False) -> Wish:
        accept, language = (request.headers.get(f"accept{one}") for one in ("", "-language"))
        return Wish.of(
            interface.default, given, accept, language, release, needs, metadata=metadata
        )

    wish = wanted()
    metadata = query.metadata
    if metadata and not carries_metadata(wish.choice.format):
        try:
            wish = wanted(metadata=True)
        except NotAcceptable:
            metadata = False  # none of those accepted has a place for them
    # One row more than the page has tells whether there is another page.
    answers = current.archive.answer(newest, replace(query, limit=query.limit and query.limit + 1))
    rows = sum(one.height for one in answers)
    answers = cut(answers, 0, query.limit)
    if not answers:
        return answer(request, release, wish.choice.content_type, None)
    # A proxy may offer the service under a prefix, which is no part of the path here.
    url = str(request.url.replace(path=request.scope.get("root_path", "") + request.url.path))
    message = message_of(answers, release, query, wish, url=url)
    needs = {feature for feature, _ in needed(message)}
    if all(one.change is Change.NONE for one in answers):
        needs -= _WHERE_THERE_IS_PLACE
    if not wish.choice.format.carries >= needs:
        with suppress(NotAcceptable):  # the format says itself what it has no place for
            wish = wanted(needs, metadata=metadata)
        message = message_of(answers, release, query, wish, url=url)
    response = answer(
        request,
        release,
        wish.choice.content_type,
        wish.choice.format.write(message),
        language=wish.languages[0],
        variant=wish.variant,
        standing=standing_of(current, release, query, answers),
    )
    response.headers["Content-Disposition"] = disposition(answers, wish)
    metadata_left = beside.left_out(message, query, release, wish.choice.format)
    left_out = (*((metadata_left,) if metadata_left else ()), *lacking_dimension(query, release))
    if left_out:
        response.headers["X-Left-Out"] = "; ".join(left_out)
    pages = links(request, query, rows)
    if pages is not None:
        response.headers["Link"] = pages
    return response


def disposition(answers: Sequence[Answer], wish: Wish) -> str:
    """Return the name under which a browser saves an answer that it cannot show.

    Without one it takes the key's, whose points look like the ending of a file.
    """
    name = answers[0].flow.id if len(answers) == 1 else "data"
    return f'inline; filename="{name}{wish.choice.format.extension}"'


def standing_of(
    current: CurrentRelease, release: Release, query: DataQuery, answers: Iterable[Answer]
) -> Standing:
    """Return what the answers stand on: their flows, or all releases where they tell of those."""
    if query.as_of or query.updated_after or query.include_history or query.metadata:
        return Standing.of(release)
    first = {one.id: one for one in (standing_since(current.archive, release, a) for a in answers)}
    return Standing(" ".join(sorted(first)), max(one.published for one in first.values()))


def message_of(
    answers: Iterable[Answer],
    release: Release,
    query: DataQuery,
    wish: Wish,
    *,
    url: str | None = None,
) -> DataMessage:
    """Return the message that answers a query; ``url`` is where it was asked for.

    Raises NotAcceptable where metadata are asked for and the format has no place for them.
    """
    datasets = tuple(_dataset(one, query, wish) for one in answers)
    return DataMessage(
        beside.told(datasets, query, release, wish.choice.format),
        release.id,
        release.published,
        observed_by=query.observed_by,
        languages=wish.languages,
        sender=sender_of(release, datasets[0].flow.agency),
        labels=wish.choice.labels,
        keys=wish.choice.keys,
        time_format=wish.choice.time_format,
        url=url,
    )


def _dataset(answered: Answer, query: DataQuery, wish: Wish) -> DataSet:
    context, agreement, provision = _CONTEXTS[answered.context], answered.agreement, None
    if query.target.providers and Feature.CONTEXTS not in wish.choice.format.carries:
        # REST 1.5 asks for a dataflow, of which a format may have no place to say whose part it is.
        context = dataset.Context.DATAFLOW
    elif agreement is not None:
        provision = Provision(agreement.agency, agreement.id, agreement.version, agreement.name)
    rows = answered.rows
    if query.sort and wish.by_series and query.observed_by != ALL_DIMENSIONS:
        rows = gathered(rows, answered.flow.structure)
    image = rows.image if isinstance(rows, Chosen) else None
    since, until = answered.valid_from, answered.valid_to
    shows_validity = Feature.VALIDITY in wish.choice.format.carries
    if query.as_of and answered.change is Change.NONE and shows_validity:
        since = until = query.as_of  # SDMX-CSV 2.1, "recommended dataset actions", 5
    return DataSet(
        answered.flow,
        rows,
        _action(answered.change, query, wish.choice.format.generation),
        since,
        until,
        context,
        provision,
        image.steady if image else None,
        image.partial if image else None,
    )


def _action(change: Change, query: DataQuery, generation: Generation) -> Action:
    """Return what a receiver is to do with an answer (decision 0037).

    SDMX 3.1 recommends Replace, and Merge where not all is shown of an observation ("recommended
    dataset actions"). Before it Information was the word for what answers a query.
    """
    if change is not Change.NONE:
        return _CHANGES[change]
    if generation is not Generation.SDMX_3_1:
        return Action.INFORMATION
    named = query.attributes
    whole = query.measures is None and (named is None or bool(named & _EVERY_ATTRIBUTE))
    return Action.REPLACE if whole else Action.MERGE
