"""Availability queries over HTTP: which values there are data for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.errors import SemanticError
from sdmx_service.formats import Generation
from sdmx_service.query import grammar, rest15, rest22
from sdmx_service.query.availability import Availability, asked_dimensions
from sdmx_service.query.availability_query import AvailabilityQuery, Mode
from sdmx_service.query.query import Context, DataQuery, Target
from sdmx_service.release import Release
from sdmx_service.release.answer import Answer
from sdmx_service.structures.artefacts import Component, Dataflow
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.partial import items
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.urns import Urn
from sdmx_service.web.actual import availability_constraint
from sdmx_service.web.answer import Asked
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.problem import NoResults
from sdmx_service.web.structure import answer_artefacts, chosen_format

__all__ = ["availability15", "availability22"]

_OLD = frozenset({"2.1", "1.0.0"})
_LISTS = (
    ArtefactKind.CODELIST,
    ArtefactKind.GEOGRAPHIC_CODELIST,
    ArtefactKind.GEO_GRID_CODELIST,
    ArtefactKind.VALUE_LIST,
)


@dataclass(frozen=True)
class _Found:
    """What there is of one dataflow, structure or agreement."""

    answer: Answer
    dimensions: tuple[str, ...]
    availability: Availability

    @property
    def flow(self) -> tuple[str, str, str]:
        """What tells the flow from others."""
        return _named(self.answer.flow)


def availability15(request: Request) -> Response:
    """Answer ``/rest/availableconstraint/...``; nothing found is an error there."""
    asked = Asked.of(request, depth=2)
    query = rest15.availability_query(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, rest15.AVAILABILITY_PARAMETERS)
    response = _answered(request, query, given, Generation.SDMX_2_1)
    if response.status_code == 204:
        raise NoResults(
            f"availableconstraint/{asked.path[:255]}",
            expected="a query that observations match",
            hint="leave key positions empty, widen the periods, or name no provider",
        )
    return response


def availability22(request: Request) -> Response:
    """Answer ``/sdmx/v2/availability/...``; nothing found is 204."""
    asked = Asked.of(request, depth=3)
    query = rest22.availability_query(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, rest22.AVAILABILITY_PARAMETERS, prefix="c[")
    return _answered(request, query, given, Generation.SDMX_3_1)


def _answered(
    request: Request, query: AvailabilityQuery, given: Mapping[str, str], generation: Generation
) -> Response:
    choice = chosen_format(request, given, generation)
    current: CurrentRelease = request.app.state.current
    release = current.release()
    found = _found(current, release, query)
    provided = query.references & {"all", "dataproviderscheme"}
    agreed = _agreed(current, release, query) if provided else ()
    store, old = release.structures, choice.format.version in _OLD
    times = Counter(one.flow for one in found)
    constraints = tuple(
        _constraint(one, query, alone=times[one.flow] == 1, old=old) for one in found
    )
    related: dict[Any, Artefact] = {}
    for one in found:
        for artefact in _related(store, one, query.references, _providers(one.answer, agreed)):
            related[artefact.identity] = _joined(related.get(artefact.identity), artefact)
    return answer_artefacts(
        request,
        release,
        choice,
        given,
        constraints,
        related.values(),
        optional=frozenset(related),
    )


def _found(
    current: CurrentRelease, release: Release, query: AvailabilityQuery
) -> tuple[_Found, ...]:
    if query.data.updated_after is not None:
        answers = _changed(current.archive.answer(release, query.data))
        # The conditions have been met; what is left to do is to collect the values.
        query = replace(query, mode=Mode.EXACT, data=DataQuery(target=query.data.target))
    else:
        answers = release.answer(DataQuery(target=query.data.target))
    found, misfits = [], []
    for one in answers:
        try:
            dimensions = asked_dimensions(one.flow.structure, query)
            there = one.available(query)
        except SemanticError as error:
            misfits.append(error)  # one of several structures may not have what is asked about
            continue
        if _tells(there, query.mode):
            found.append(_Found(one, dimensions, there))
    if misfits and len(misfits) == len(answers):
        raise misfits[0]
    return tuple(found)


def _tells(there: Availability, mode: Mode) -> bool:
    """Return whether there is anything: who chose nothing that exists asks what else to choose."""
    return bool(there.observations) or (mode is Mode.AVAILABLE and any(there.values.values()))


def _named(flow: Dataflow) -> tuple[str, str, str]:
    return flow.agency, flow.id, flow.version


def _changed(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """Return the keys that changed in any way, one answer a subject."""
    frames: dict[tuple[str, str, str], tuple[Answer, list[pl.DataFrame]]] = {}
    for one in answers:
        named = one.agreement or one.flow
        keys = [dimension.id for dimension in one.flow.structure.key]
        _, parts = frames.setdefault((named.agency, named.id, named.version), (one, []))
        parts.append(one.frame.select(pl.col(keys).cast(pl.String)))
    return tuple(
        replace(one, rows=pl.concat(parts).unique(maintain_order=True))
        for one, parts in frames.values()
    )


def _constraint(found: _Found, query: AvailabilityQuery, *, alone: bool, old: bool) -> Artefact:
    """Return the constraint on what was asked for.

    A flow asked for by one of its providers is still what was asked for; of several providers
    each has a constraint on its agreement.
    """
    context = query.data.target.context
    if found.answer.agreement is not None and not alone:
        context = Context.PROVISION_AGREEMENT
    return availability_constraint(
        found.answer,
        found.availability,
        found.dimensions,
        context=context,
        old=old,
        listed=query.components,
    )


def _related(
    store: StructureStore,
    found: _Found,
    wanted: frozenset[str],
    providers: Iterable[Urn],
) -> Iterable[Artefact]:
    """Yield what the constraint refers to, item schemes with the items that it uses."""
    every = "all" in wanted
    answer = found.answer
    structure = answer.flow.structure
    if (every or "dataflow" in wanted) and answer.context is not Context.DATA_STRUCTURE:
        yield from store.find(ArtefactKind.DATAFLOW, *_named(answer.flow))
    whole = store.find(
        ArtefactKind.DATA_STRUCTURE, structure.agency, structure.id, structure.version
    )
    if every or "datastructure" in wanted:
        yield from whole
    if every or "conceptscheme" in wanted:
        yield from _concepts(store, whole, found.dimensions)
    if every or wanted & {"codelist", "valuelist"}:
        for name in found.dimensions:
            yield from _codes(store, structure.by_id[name], found, wanted, every=every)
    for provider in providers:
        scheme = store.target(provider)
        if scheme is not None and provider.item is not None:
            yield items(scheme, {provider.item})


def _concepts(
    store: StructureStore, whole: Iterable[Artefact], dimensions: tuple[str, ...]
) -> Iterable[Artefact]:
    used: dict[str, set[str]] = {}
    for one in whole:
        components = one.content["dataStructureComponents"]["dimensionList"]
        listed = [*components.get("dimensions", []), components.get("timeDimension")]
        for dimension in listed:
            if dimension is not None and dimension["id"] in dimensions:
                urn = Urn.parse(dimension["conceptIdentity"])
                if urn is not None and urn.item is not None:
                    used.setdefault(dimension["conceptIdentity"].rpartition(".")[0], set()).add(
                        urn.item
                    )
    for scheme, concepts in used.items():
        target = store.target(f"{scheme}.{next(iter(concepts))}")
        if target is not None:
            yield items(target, concepts)


def _codes(
    store: StructureStore,
    component: Component,
    found: _Found,
    wanted: frozenset[str],
    *,
    every: bool,
) -> Iterable[Artefact]:
    listed = component.codelist
    if listed is None:
        return
    for one in store.find(_LISTS, listed.agency, listed.id, listed.version):
        word = "valuelist" if one.kind is ArtefactKind.VALUE_LIST else "codelist"
        if every or word in wanted:
            yield items(store.extended(one), found.availability.values[component.id], parents=True)


def _agreed(
    current: CurrentRelease, release: Release, query: AvailabilityQuery
) -> tuple[_Found, ...]:
    """Return the same of each provision agreement: who has provided what is available."""
    every = replace(query.data, target=Target(context=Context.PROVISION_AGREEMENT))
    try:
        return _found(current, release, replace(query, data=every))
    except SemanticError:
        return ()  # none is about a structure that has what is asked about


def _providers(answer: Answer, agreed: Iterable[_Found]) -> Iterable[Urn]:
    """Yield the party of the agreement that was asked for, else of each on the same data."""
    for one in agreed:
        agreement, flow = one.answer.agreement, one.answer.flow
        assert agreement is not None  # they were asked for
        if answer.agreement is not None:
            meant = agreement.identity == answer.agreement.identity
        elif answer.context is Context.DATA_STRUCTURE:
            meant = flow.structure is answer.flow.structure
        else:
            meant = _named(flow) == _named(answer.flow)
        provider = Urn.parse(agreement.content["dataProvider"])
        if meant and provider is not None:
            yield provider


def _joined(known: Artefact | None, more: Artefact) -> Artefact:
    """Return an item scheme with the items of both of its parts."""
    key = more.kind.items
    if known is None or key is None or known.kind.nested:
        return more
    there = {one["id"] for one in known.content.get(key, [])}
    added = [one for one in more.content.get(key, []) if one["id"] not in there]
    return known.with_content(**{key: [*known.content.get(key, []), *added] or None})
