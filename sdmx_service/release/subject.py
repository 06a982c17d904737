"""What a data query is put to: dataflows, by themselves, their structure or an agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdmx_service.errors import NotFound
from sdmx_service.query.query import Context, Provider, Target
from sdmx_service.structures.artefacts import Dataflow
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.urns import Urn

__all__ = ["Subject", "subjects_of"]

_KINDS = {
    Context.DATAFLOW: (ArtefactKind.DATAFLOW,),
    Context.DATA_STRUCTURE: (ArtefactKind.DATA_STRUCTURE,),
    Context.PROVISION_AGREEMENT: (ArtefactKind.PROVISION_AGREEMENT,),
    # The same rows are there by flow, structure and agreement: one of them is the answer.
    Context.ANY: (
        ArtefactKind.DATAFLOW,
        ArtefactKind.DATA_STRUCTURE,
        ArtefactKind.PROVISION_AGREEMENT,
    ),
}


@dataclass(frozen=True)
class Subject:
    """One set of observations that can be asked for, by a flow, a structure or an agreement.

    All observations of a data structure go as a flow that bears the structure's names. Those of
    an agreement are what its constraints admit: rows do not say who sent them, so an agreement
    that nothing constrains covers all rows of its flow.
    """

    flow: Dataflow
    context: Context
    agreement: Artefact | None = None


def subjects_of(store: StructureStore, target: Target) -> tuple[Subject, ...]:
    """Return what the target names, in the order of the store.

    In any context these are dataflows, or else structures, or else agreements of that name.

    Raises NotFound, with the closest ids, where ids are asked for and none of them is there.
    """
    kinds = _KINDS[target.context]
    found: Sequence[Artefact] = ()
    for kind in kinds:
        found = found or tuple(
            one
            for one in store.find(kind, target.agencies, target.ids, target.versions)
            if not store.elsewhere(one)
        )
    if not found:
        if "*" not in target.ids:
            raise _not_found(store, kinds, target)
        return ()
    if target.providers:
        return tuple(
            _subject(store, agreement)
            for one in found
            for agreement in _agreements(store, one, target.providers)
        )
    return tuple(_subject(store, artefact) for artefact in found)


def _subject(store: StructureStore, artefact: Artefact) -> Subject:
    flow = _flow(store, artefact)
    if artefact.kind is ArtefactKind.PROVISION_AGREEMENT:
        return Subject(flow, Context.PROVISION_AGREEMENT, artefact)
    structure = artefact.kind is ArtefactKind.DATA_STRUCTURE
    return Subject(flow, Context.DATA_STRUCTURE if structure else Context.DATAFLOW)


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


def _not_found(store: StructureStore, kinds: Sequence[ArtefactKind], target: Target) -> NotFound:
    asked = f"{','.join(target.agencies)}:{','.join(target.ids)}({','.join(target.versions)})"
    return NotFound(
        f"{kinds[0].paths[0]} {asked[:255]}",
        expected=f"a {kinds[0].paths[0]} that is published",
        hint=store.hint(kinds, target.ids[0]),
    )
