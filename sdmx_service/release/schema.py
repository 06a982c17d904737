"""Answers to schema queries: what data or metadata are valid in a context, out of one release."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sdmx_service.errors import NotFound, SemanticError
from sdmx_service.formats.admission import admitted_values
from sdmx_service.formats.metadataattached import attached
from sdmx_service.formats.schema import MetadataSchema, SchemaMessage, Writable
from sdmx_service.query.schema_query import SchemaContext, SchemaQuery
from sdmx_service.release.release import Release
from sdmx_service.release.reports import reported_structure
from sdmx_service.structures.answer import Answer
from sdmx_service.structures.answer import answer as structures_answered
from sdmx_service.structures.artefacts import Dataflow
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.partial import items
from sdmx_service.structures.references import References
from sdmx_service.structures.store import StructureStore

__all__ = ["schema_message", "schema_structures"]

_KINDS = {
    SchemaContext.DATA_STRUCTURE: ArtefactKind.DATA_STRUCTURE,
    SchemaContext.METADATA_STRUCTURE: ArtefactKind.METADATA_STRUCTURE,
    SchemaContext.DATAFLOW: ArtefactKind.DATAFLOW,
    SchemaContext.METADATAFLOW: ArtefactKind.METADATAFLOW,
    SchemaContext.PROVISION_AGREEMENT: ArtefactKind.PROVISION_AGREEMENT,
    SchemaContext.METADATA_PROVISION_AGREEMENT: ArtefactKind.METADATA_PROVISION_AGREEMENT,
}
# What an answer in structures may hold (REST 2.2, "Schema queries").
_ANSWERED = frozenset(
    {
        *(ArtefactKind.DATA_STRUCTURE, ArtefactKind.METADATA_STRUCTURE),
        *(ArtefactKind.CODELIST, ArtefactKind.GEOGRAPHIC_CODELIST),
        *(ArtefactKind.GEO_GRID_CODELIST, ArtefactKind.VALUE_LIST, ArtefactKind.CONCEPT_SCHEME),
        *(ArtefactKind.AGENCY_SCHEME, ArtefactKind.DATA_CONSTRAINT),
    }
)


def schema_message(
    release: Release, query: SchemaQuery, *, languages: tuple[str, ...] = ("en",)
) -> Writable:
    """Return what is valid in the context a query asks for; a schema format writes it.

    ``query.as_of`` is the archive's affair: give the release of that moment. Raises NotFound for
    an artefact that is not there, SemanticError for a dimension that the structure does not have.
    """
    store, artefact = release.structures, _asked(release.structures, query)
    if query.context in _METADATA:
        named = _metadata_structure(store, artefact)
        return MetadataSchema(
            store.metadatastructure(named.id, named.agency, named.version),
            artefact.urn,
            release.published,
            languages,
        )
    flow = _flow(store, artefact)
    known = [dimension.id for dimension in flow.structure.key]
    if query.observed_by not in (None, "AllDimensions", "TIME_PERIOD", *known):
        raise SemanticError(
            "dimensionAtObservation",
            got=query.observed_by,
            expected=f"AllDimensions or one of {', '.join(known)}",
        )
    structure = flow.structure
    metadata = reported_structure(release)
    used = store.find(
        ArtefactKind.DATA_STRUCTURE, structure.agency, structure.id, structure.version
    )
    return SchemaMessage(
        flow,
        artefact.urn,
        release.published,
        observed_by=query.observed_by,
        deletion=query.deletion,
        explicit_measure=query.explicit_measure,
        measure_dimension=_measure_dimension(used[0]) if used else None,
        languages=languages,
        metadata=() if metadata is None else attached(metadata, structure),
    )


def schema_structures(
    release: Release,
    query: SchemaQuery,
    known: frozenset[ArtefactKind] = frozenset(ArtefactKind),
) -> Answer:
    """Return the same as structures: only codes that are allowed and concepts that are used.

    The constraints in force come too, since components may share a codelist and not the codes of
    it. Raises NotFound for an artefact that is not there.
    """
    store, artefact = release.structures, _asked(release.structures, query)
    metadata = query.context in _METADATA
    structure = (
        _metadata_structure(store, artefact) if metadata else _data_structure(store, artefact)
    )
    constraints = [] if metadata else list(_constraints(store, artefact))
    # The flow says which codes are allowed, though it is no part of the answer.
    context = artefact if artefact.kind is not ArtefactKind.PROVISION_AGREEMENT else structure
    asked = list({one.identity: one for one in (structure, context)}.values())
    found = structures_answered(
        store,
        asked,
        references=References.DESCENDANTS,
        detail=Detail.REFERENCE_PARTIAL,
        known=known,
    )
    behind = [one for one in found.referenced if one.kind in _ANSWERED]
    if not metadata:
        flow = _flow(store, artefact)
        behind = [_cut(one, flow) for one in behind]
    behind += _agencies(store, [structure, *behind])
    behind += constraints
    return Answer(
        (structure,), tuple(one for one in behind if one.kind in known and one is not structure)
    )


_METADATA = frozenset(
    {
        SchemaContext.METADATA_STRUCTURE,
        SchemaContext.METADATAFLOW,
        SchemaContext.METADATA_PROVISION_AGREEMENT,
    }
)


def _asked(store: StructureStore, query: SchemaQuery) -> Artefact:
    kind = _KINDS[query.context]
    found = store.find(kind, query.agency, query.id, query.version)
    if found:
        return found[-1]
    raise NotFound(
        f"{kind.paths[0]} {query.agency}:{query.id}({query.version})",
        expected=f"a {kind.paths[0]} that is published",
        hint=store.hint((kind,), query.id),
    )


def _target(store: StructureStore, artefact: Artefact, key: str) -> Artefact:
    found = store.target(artefact.content.get(key, ""))
    if found is None:
        raise NotFound(artefact.urn, expected=f"a {key} that is published")
    return found


def _data_structure(store: StructureStore, artefact: Artefact) -> Artefact:
    match artefact.kind:
        case ArtefactKind.PROVISION_AGREEMENT:
            return _data_structure(store, _target(store, artefact, "dataflow"))
        case ArtefactKind.DATAFLOW:
            return _target(store, artefact, "structure")
    return artefact


def _metadata_structure(store: StructureStore, artefact: Artefact) -> Artefact:
    match artefact.kind:
        case ArtefactKind.METADATA_PROVISION_AGREEMENT:
            return _metadata_structure(store, _target(store, artefact, "metadataflow"))
        case ArtefactKind.METADATAFLOW:
            return _target(store, artefact, "structure")
    return artefact


def _flow(store: StructureStore, artefact: Artefact) -> Dataflow:
    """Return the flow of a context; that of an agreement with what constrains that alone too."""
    if artefact.kind is ArtefactKind.DATA_STRUCTURE:
        return store.as_flow(artefact)
    if artefact.kind is ArtefactKind.DATAFLOW:
        return store.dataflow(artefact.id, artefact.agency, artefact.version)
    return store.provisioned(artefact.id, artefact.agency, artefact.version)


def _constraints(store: StructureStore, artefact: Artefact) -> Iterator[Artefact]:
    """Yield the Allowed constraints in a context: its own and those of what it is part of."""
    if artefact.kind is ArtefactKind.PROVISION_AGREEMENT:
        yield from _constraints(store, _target(store, artefact, "dataflow"))
    if artefact.kind is ArtefactKind.DATAFLOW:
        yield from _constraints(store, _target(store, artefact, "structure"))
    yield from store.parents(artefact, ArtefactKind.DATA_CONSTRAINT)


def _cut(artefact: Artefact, flow: Dataflow) -> Artefact:
    """Return a codelist with the codes that a flow allows of the components that use it."""
    if artefact.kind.urn_class != "Codelist":
        return artefact
    used = [
        admitted_values(flow, component)
        for component in flow.structure.components
        if component.codelist is not None
        and (component.codelist.agency, component.codelist.id, component.codelist.version)
        == artefact.identity[1:]
    ]
    if not used or any(codes is None for codes in used):
        return artefact
    return items(artefact, {code for codes in used if codes for code in codes}, parents=True)


def _agencies(store: StructureStore, artefacts: Collection[Artefact]) -> list[Artefact]:
    """Return the agency schemes that hold an agency of what is answered, with these alone."""
    ids = {one.agency for one in artefacts}
    found = []
    for scheme in store.find(ArtefactKind.AGENCY_SCHEME):
        prefix = "" if scheme.agency == "SDMX" else f"{scheme.agency}."
        here = {id[len(prefix) :].split(".")[0] for id in ids if id.startswith(prefix)}
        cut = items(scheme, here)
        if cut.content.get("agencies"):
            found.append(cut)
    return found


def _measure_dimension(structure: Artefact) -> str | None:
    parts = structure.content.get("dataStructureComponents", {})
    one = parts.get("dimensionList", {}).get("measureDimension")
    return None if one is None else str(one["id"])
