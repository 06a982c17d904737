"""The artefacts of a store as the engine's values, each made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sdmx_service.errors import NotFound, StructureError
from sdmx_service.structures.artefacts import (
    Codelist,
    Dataflow,
    DataStructure,
    Metadataflow,
    MetadataStructure,
)
from sdmx_service.structures.constraints import admitted, both, read_constraint
from sdmx_service.structures.extension import extended
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity
from sdmx_service.structures.reading import (
    read_codelist,
    read_datastructure,
    read_metadatastructure,
)

if TYPE_CHECKING:
    from sdmx_service.structures.store import StructureStore

__all__ = ["Views"]


class Views:
    """Typed views of the artefacts of one store."""

    def __init__(self, store: StructureStore, *, strict: bool) -> None:
        self._store = store
        self._strict = strict
        self._codelists: dict[Identity, Codelist] = {}
        self._structures: dict[Identity, DataStructure] = {}
        self._flows: dict[Identity, Dataflow] = {}
        self._extended: dict[Identity, Artefact] = {}

    def make(self, artefact: Artefact) -> None:
        """Make the view of an artefact if it has one, so that what is wrong comes out now."""
        makers = {
            ArtefactKind.CODELIST: self.codelist,
            ArtefactKind.GEOGRAPHIC_CODELIST: self.codelist,
            ArtefactKind.GEO_GRID_CODELIST: self.codelist,
            ArtefactKind.VALUE_LIST: self.codelist,
            ArtefactKind.DATA_STRUCTURE: self.datastructure,
            ArtefactKind.METADATA_STRUCTURE: self.metadatastructure,
            ArtefactKind.DATAFLOW: self.dataflow,
        }
        if artefact.kind in makers and not artefact.external:
            makers[artefact.kind](artefact)
        elif artefact.kind is ArtefactKind.PROVISION_AGREEMENT and self._allowed(artefact):
            flow = self._store.target(artefact.content.get("dataflow", ""))
            if flow is None or not flow.external:
                self.provisioned(artefact)

    def extended(self, artefact: Artefact) -> Artefact:
        """Return a codelist with the codes it takes from others."""
        if "codelistExtensions" not in artefact.content:
            return artefact
        if artefact.identity not in self._extended:
            self._extended[artefact.identity] = extended(artefact, self._store.target)
        return self._extended[artefact.identity]

    def codelist(self, artefact: Artefact) -> Codelist:
        """Return a codelist, value list or concept scheme as a list of codes."""
        if artefact.identity not in self._codelists:
            self._codelists[artefact.identity] = read_codelist(self.extended(artefact))
        return self._codelists[artefact.identity]

    def datastructure(self, artefact: Artefact) -> DataStructure:
        """Return a data structure with its codelists."""
        if artefact.identity not in self._structures:
            self._structures[artefact.identity] = read_datastructure(
                artefact, self._store.target, self._list
            )
        return self._structures[artefact.identity]

    def metadatastructure(self, artefact: Artefact) -> MetadataStructure:
        """Return a metadata structure with its codelists."""
        return read_metadatastructure(artefact, self._store.target, self._list)

    def metadataflow(self, artefact: Artefact) -> Metadataflow:
        """Return a metadataflow with its structure."""
        structure = self._used(artefact, ArtefactKind.METADATA_STRUCTURE)
        return Metadataflow(
            agency=artefact.agency,
            id=artefact.id,
            version=artefact.version,
            name=artefact.name,
            structure=self.metadatastructure(structure),
            targets=tuple(artefact.content.get("targets", ())),
            description=artefact.content.get("descriptions", {}),
        )

    def dataflow(self, artefact: Artefact) -> Dataflow:
        """Return a dataflow with its structure and what the Allowed constraints in force admit.

        In force are those on the flow and on its structure. What an agreement is constrained to
        is the affair of its provider alone (SDMX 2.1, section 6: constraints are inherited from
        the structure to the flow, from the flow to the agreement).
        """
        if artefact.external:
            raise NotFound(
                artefact.urn,
                expected="a dataflow that is published here",
                hint="this is a stub of one that is kept elsewhere",
            )
        if artefact.identity not in self._flows:
            used = self._used(artefact, ArtefactKind.DATA_STRUCTURE)
            constraints = dict.fromkeys((*self._allowed(artefact), *self._allowed(used)))
            structure = self.datastructure(used)
            self._flows[artefact.identity] = Dataflow(
                agency=artefact.agency,
                id=artefact.id,
                version=artefact.version,
                name=artefact.name,
                structure=structure,
                admits=both(self._admits(one, used) for one in constraints),
                description=artefact.content.get("descriptions", {}),
                constraints=tuple(read_constraint(one) for one in constraints),
                key_dimensions=tuple(artefact.content.get("dimensionConstraint", ())),
            )
        return self._flows[artefact.identity]

    def provisioned(self, agreement: Artefact) -> Dataflow:
        """Return the flow of a provision agreement with what constrains the agreement too."""
        if agreement.identity not in self._flows:
            found = self._store.target(agreement.content.get("dataflow", ""))
            if found is None or found.kind is not ArtefactKind.DATAFLOW:
                raise NotFound(agreement.urn, expected="an agreement on a dataflow that is here")
            flow = self.dataflow(found)
            own = self._allowed(agreement)
            used = self._used(found, ArtefactKind.DATA_STRUCTURE)
            parts = [flow.admits, *(self._admits(one, used) for one in own)]
            self._flows[agreement.identity] = replace(
                flow,
                admits=both(parts),
                constraints=(*flow.constraints, *(read_constraint(one) for one in own)),
            )
        return self._flows[agreement.identity]

    def as_flow(self, artefact: Artefact) -> Dataflow:
        """Return a data structure as the flow of all its data, with what constrains it itself."""
        structure = self.datastructure(artefact)
        constraints = self._allowed(artefact)
        return Dataflow(
            agency=structure.agency,
            id=structure.id,
            version=structure.version,
            name=structure.name,
            structure=structure,
            admits=both(self._admits(one, artefact) for one in constraints),
            constraints=tuple(read_constraint(one) for one in constraints),
        )

    def _admits(self, constraint: Artefact, structure: Artefact) -> Mapping[str, frozenset[str]]:
        # A stub does not tell which dimensions there are.
        strict = self._strict and not structure.external
        return admitted(constraint, self.datastructure(structure), strict=strict)

    def _allowed(self, artefact: Artefact) -> tuple[Artefact, ...]:
        return self._store.parents(artefact, ArtefactKind.DATA_CONSTRAINT)

    def _used(self, artefact: Artefact, kind: ArtefactKind) -> Artefact:
        urn = artefact.content.get("structure")
        found = None if urn is None else self._store.target(urn)
        if found is None or found.kind is not kind:
            raise StructureError(
                f"{artefact.at()}, {artefact.kind.element.lower()} {artefact.id}",
                got=urn or "none",
                expected=f"a {kind.element} that is here",
            )
        return found

    def _list(self, urn: str) -> Codelist | None:
        found = self._store.target(urn)
        return None if found is None else self.codelist(found)
