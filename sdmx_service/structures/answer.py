"""What a structure query is answered with: which artefacts, and which items of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sdmx_service.structures.artefacts import Codelist, Dataflow
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity
from sdmx_service.structures.partial import items as with_only
from sdmx_service.structures.partial import part
from sdmx_service.structures.references import References
from sdmx_service.structures.store import StructureStore

__all__ = ["Answer", "answer"]


@dataclass(frozen=True)
class Answer:
    """The artefacts asked for and those that come along; writers cut them to stubs."""

    asked: tuple[Artefact, ...]
    referenced: tuple[Artefact, ...] = ()


def answer(
    store: StructureStore,
    asked: Iterable[Artefact],
    *,
    items: Collection[str] = (),
    references: References | Collection[ArtefactKind] = References.NONE,
    detail: Detail = Detail.FULL,
    known: frozenset[ArtefactKind] = frozenset(ArtefactKind),
) -> Answer:
    """Return what REST 2.2 says to answer for artefacts that were found.

    With ``items`` only these items of item schemes, their ancestors and what refers to them.
    Codelists that extend others have all their codes, and the others do not come along for that
    alone, unless the detail is ``raw``. With ``referencepartial`` the item schemes that come
    along have only the items that the others use; a codelist is cut where the constraints in force
    on the flows of the answer say of every component that uses it which codes there may be.
    Artefacts of other kinds than the ``known`` do not exist for who asks, such as those of
    SDMX 3.x for a client of REST 1.5.
    """
    found = tuple(one for one in asked if one.kind in known)
    # Nor is anything reached by way of them.
    left_out = frozenset(one.identity for one in store.artefacts if one.kind not in known)
    if items:
        # The codes that a list takes from others are among those that can be asked for.
        whole = found if detail is Detail.RAW else tuple(store.extended(one) for one in found)
        cut = {one.identity: kept for one in whole if (kept := part(one, items)) is not None}
        found = tuple(cut.values())
        left_out |= {
            one.identity
            for one in store.with_references(found, References.PARENTS)[len(found) :]
            if not _about(store, one, cut)
        }
    resolved = detail is not Detail.RAW
    behind = store.with_references(found, references, left_out=left_out, resolved=resolved)
    behind = tuple(one for one in behind[len(found) :] if one.kind in known)
    if resolved:
        found = tuple(store.extended(one) for one in found)
        behind = tuple(store.extended(one) for one in behind)
    if detail is Detail.REFERENCE_PARTIAL:
        behind = _partial(store, found, behind)
    return Answer(found, behind)


def _about(store: StructureStore, artefact: Artefact, cut: Mapping[Identity, Artefact]) -> bool:
    """Tell whether an artefact refers to one of the items that were kept, or to no item of them."""
    about = [
        (cut[target.identity], reference.item)
        for reference in artefact.references
        if (target := store.target(reference.urn)) is not None and target.identity in cut
    ]
    return not about or any(
        item is None or part(scheme, {item}) is not None for scheme, item in about
    )


def _partial(
    store: StructureStore, found: tuple[Artefact, ...], behind: tuple[Artefact, ...]
) -> tuple[Artefact, ...]:
    everything = (*found, *behind)
    used = _used_items(store, everything)
    flows = _flows(store, everything)
    agencies = {one.agency for one in everything}
    return tuple(_cut(one, used.get(one.identity, set()), flows, agencies) for one in behind)


def _cut(artefact: Artefact, used: set[str], flows: list[Dataflow], agencies: set[str]) -> Artefact:
    kind = artefact.kind
    if kind.items is None or kind is ArtefactKind.VALUE_LIST or kind.package == "transformation":
        return artefact
    if kind is ArtefactKind.AGENCY_SCHEME:
        return with_only(artefact, _agencies(artefact.agency, agencies))
    if kind.urn_class == "Codelist":
        codes = _codes(artefact, flows)
        if codes is None and (not used or _in_structure(artefact, flows)):
            return artefact
        return with_only(artefact, used | (codes or frozenset()), parents=True)
    # Concepts that only head others are used by nobody.
    return with_only(artefact, used, parents=kind is not ArtefactKind.CONCEPT_SCHEME)


def _used_items(store: StructureStore, artefacts: Iterable[Artefact]) -> dict[Identity, set[str]]:
    used: dict[Identity, set[str]] = {}
    for artefact in artefacts:
        for reference in artefact.references:
            if reference.item is not None:
                target = store.target(reference.urn)
                if target is not None:
                    used.setdefault(target.identity, set()).add(reference.item)
    return used


def _flows(store: StructureStore, artefacts: Collection[Artefact]) -> list[Dataflow]:
    """Return the flows of the answer, and its structures that none of them uses as flows."""
    flows = [
        store.dataflow(one.id, one.agency, one.version)
        for one in artefacts
        if one.kind is ArtefactKind.DATAFLOW and not one.external
    ]
    known = {(flow.structure.agency, flow.structure.id, flow.structure.version) for flow in flows}
    alone = [
        one
        for one in artefacts
        if one.kind is ArtefactKind.DATA_STRUCTURE and one.identity[1:] not in known
    ]
    return [*flows, *(store.as_flow(one) for one in alone)]


def _codes(artefact: Artefact, flows: list[Dataflow]) -> frozenset[str] | None:
    """Return the codes that the flows admit of a codelist, None where one leaves it free."""
    admitted: frozenset[str] = frozenset()
    users = [
        flow.admits.get(component.id)
        for flow in flows
        for component in flow.structure.components
        if component.codelist is not None and _is(artefact, component.codelist)
    ]
    for codes in users:
        if codes is None:
            return None
        admitted |= codes
    return admitted if users else None


def _in_structure(artefact: Artefact, flows: list[Dataflow]) -> bool:
    return any(
        component.codelist is not None and _is(artefact, component.codelist)
        for flow in flows
        for component in flow.structure.components
    )


def _is(artefact: Artefact, codelist: Codelist) -> bool:
    return artefact.identity[1:] == (codelist.agency, codelist.id, codelist.version)


def _agencies(owner: str, agencies: Iterable[str]) -> set[str]:
    """Return the ids in the scheme of an agency of those that maintain something."""
    below = {one[len(owner) + 1 :].split(".")[0] for one in agencies if one.startswith(f"{owner}.")}
    return below | {one.split(".")[0] for one in agencies}
