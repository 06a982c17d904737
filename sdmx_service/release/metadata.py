"""Answers to questions about reference metadata, out of one release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sdmx_service.formats.metadata import MetadataMessage
from sdmx_service.query.metadata_query import MetadataQuery
from sdmx_service.release.release import Release
from sdmx_service.release.reports import quality_reports
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.metadataset import MetadataSet
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.urns import Urn
from sdmx_service.structures.versions import choose

__all__ = ["metadata_answer", "metadata_message"]


def metadata_answer(
    release: Release, query: MetadataQuery, *, languages: tuple[str, ...] = ("en",)
) -> MetadataMessage | None:
    """Return the sets a query asks for, None where there is none.

    By metadata set the agencies are those of the providers; by metadata flow they are those of the
    flow, and of the providers only those asked for; otherwise the sets are those about the
    structures asked for, or about an item in one. All sets are reported when their release is
    published. ``query.as_of`` is the archive's affair: give the release of that moment.
    """
    if query.updated_after is not None and release.published <= query.updated_after:
        return None
    store, sets = release.structures, quality_reports(release)
    if query.sets:
        found = _by_identity(sets, query)
    elif query.flows:
        found = [one for one in sets if _flow_asked(store, one, query) and _by(one, query)]
    else:
        found = _about(store, sets, query)
    if not found:
        return None
    if query.stubs:
        found = [one.stub for one in found]
    return metadata_message(release, found, languages=languages, stubs=query.stubs)


def metadata_message(
    release: Release,
    sets: Sequence[MetadataSet],
    *,
    languages: tuple[str, ...] = ("en",),
    stubs: bool = False,
) -> MetadataMessage:
    """Return sets of a release, at least one, as a message with the structures behind them."""
    store, reported = release.structures, dict.fromkeys(one.reported_to for one in sets)
    return MetadataMessage(
        tuple(sets),
        release.id,
        release.published,
        sets[0].agency.replace(".", "_"),
        languages,
        stubs=stubs,
        structures={urn: _structure(store, urn) for urn in reported},
        flows=_flows(store, reported),
        names=_names(store, {*reported, *(target for one in sets for target in one.targets)}),
    )


def _names(store: StructureStore, urns: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Return the names of artefacts, and of items in them, by URN."""
    found: dict[str, Mapping[str, str]] = {}
    inside: dict[Artefact, list[tuple[str, str]]] = {}
    for text in urns:
        urn, artefact = Urn.parse(text), store.target(text)
        if urn is None or artefact is None:
            continue
        if urn.item is None:
            found[text] = artefact.name
        else:
            inside.setdefault(artefact, []).append((urn.item, text))
    for artefact, asked in inside.items():
        named = dict(_item_names(store.extended(artefact)))
        found |= {text: named[item] for item, text in asked if item in named}
    return found


def _item_names(artefact: Artefact) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the path and the name of each item of a list or scheme, nested ones after theirs."""
    key = artefact.kind.items
    left = [("", one) for one in artefact.content.get(key or "", ())]
    while left:
        above, one = left.pop()
        path = f"{above}{one['id']}"
        yield path, one.get("names", {})
        left += [(f"{path}.", below) for below in one.get(key or "", ())]


def _flows(store: StructureStore, reported: Iterable[str]) -> dict[str, str]:
    """Return the flow of each agreement that is reported to."""
    found = {}
    for urn in reported:
        artefact = store.target(urn)
        if artefact is not None and artefact.kind is ArtefactKind.METADATA_PROVISION_AGREEMENT:
            found[urn] = str(artefact.content["metadataflow"])
    return found


def _structure(store: StructureStore, urn: str) -> MetadataStructure:
    named = Urn.parse(_flows(store, [urn]).get(urn, urn))
    assert named is not None  # a set reports to an artefact of this release
    return store.metadataflow(named.id, named.agency, named.version).structure


def _by_identity(sets: Iterable[MetadataSet], query: MetadataQuery) -> list[MetadataSet]:
    named = [
        one for one in sets if _among(one.agency, query.agencies) and _among(one.id, query.ids)
    ]
    versions: dict[tuple[str, str], set[str]] = {}
    for one in named:
        versions.setdefault((one.agency, one.id), set()).add(one.version)
    return [
        one
        for one in named
        if one.version in choose(query.versions, tuple(versions[one.agency, one.id]))
    ]


def _flow_asked(store: StructureStore, one: MetadataSet, query: MetadataQuery) -> bool:
    urn = _flows(store, [one.reported_to]).get(one.reported_to, one.reported_to)
    flow = store.target(urn)
    kind = ArtefactKind.METADATAFLOW
    asked = store.find(kind, query.agencies, query.ids, query.versions)
    return flow is not None and flow in asked


def _by(one: MetadataSet, query: MetadataQuery) -> bool:
    """Tell whether a set is by one of the providers asked for; all are where none is named.

    A provider says who it is by its id alone, or with the agency whose scheme it stands in.
    """
    return not query.providers or any(
        provider.id in ("*", one.agency) and provider.agency in ("*", one.agency)
        for provider in query.providers
    )


def _about(
    store: StructureStore, sets: Iterable[MetadataSet], query: MetadataQuery
) -> list[MetadataSet]:
    asked: tuple[Artefact, ...] = store.find(
        query.kinds or None, query.agencies, query.ids, query.versions
    )
    wanted = {one.identity for one in asked}
    return [
        one
        for one in sets
        if any(
            (target := store.target(urn)) is not None and target.identity in wanted
            for urn in one.targets
        )
    ]


def _among(text: str, words: tuple[str, ...]) -> bool:
    return "*" in words or text in words
