"""What a data query is put to: dataflows, by themselves, their structure or an agreement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from sdmx_service.errors import NotFound
from sdmx_service.query.query import Context, Provider, Target
from sdmx_service.structures.artefacts import Dataflow
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.urns import Urn

__all__ = ["Subject", "subjects_of"]

_KINDS = {
    Context.ANY: ArtefactKind.DATAFLOW,
    Context.DATAFLOW: ArtefactKind.DATAFLOW,
    Context.DATA_STRUCTURE: ArtefactKind.DATA_STRUCTURE,
    Context.PROVISION_AGREEMENT: ArtefactKind.PROVISION_AGREEMENT,
}


@dataclass(frozen=True)
class Subject:
    """One set of observations that can be asked for, and the agreement it was asked for by.

    All observations of a data structure go as a flow that bears the structure's names.
    """

    flow: Dataflow
    agreement: Artefact | None = None


def subjects_of(store: StructureStore, target: Target) -> tuple[Subject, ...]:
    """Return what the target names, in the order of the store.

    Raises NotFound, with the closest ids, where ids are asked for and none of them is there.
    """
    kind = _KINDS[target.context]
    found = store.find(kind, target.agencies, target.ids, target.versions)
    if not found:
        if "*" not in target.ids:
            known = sorted({one.id for one in store.find(kind, version="*")})
            raise _not_found(kind, target, known)
        return ()
    if target.providers:
        return tuple(
            Subject(_flow(store, one), agreement)
            for one in found
            for agreement in _agreements(store, one, target.providers)
        )
    return tuple(
        Subject(
            _flow(store, artefact),
            artefact if artefact.kind is ArtefactKind.PROVISION_AGREEMENT else None,
        )
        for artefact in found
    )


def _agreements(
    store: StructureStore, flow: Artefact, providers: tuple[Provider, ...]
) -> tuple[Artefact, ...]:
    """Return the agreements of the providers on a flow."""
    found = []
    for agreement in store.parents(flow, ArtefactKind.PROVISION_AGREEMENT):
        urn = Urn.parse(agreement.content["dataProvider"])
        if urn is not None and any(
            one.id == urn.item and one.agency in ("*", urn.agency) for one in providers
        ):
            found.append(agreement)
    return tuple(found)


def _flow(store: StructureStore, artefact: Artefact) -> Dataflow:
    named = (artefact.id, artefact.agency, artefact.version)
    if artefact.kind is ArtefactKind.DATAFLOW:
        return store.dataflow(*named)
    if artefact.kind is ArtefactKind.PROVISION_AGREEMENT:
        return store.provisioned(*named)
    structure = store.datastructure(*named)
    return Dataflow(structure.agency, structure.id, structure.version, structure.name, structure)


def _not_found(kind: ArtefactKind, target: Target, known: Iterable[str]) -> NotFound:
    close = get_close_matches(target.ids[0], list(known), n=3)
    asked = f"{','.join(target.agencies)}:{','.join(target.ids)}({','.join(target.versions)})"
    return NotFound(
        f"{kind.paths[0]} {asked[:255]}",
        expected=f"a {kind.paths[0]} that is published",
        hint=f"did you mean {' or '.join(close)}?" if close else None,
    )
