"""How much of each artefact a structure message tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum

from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact

__all__ = ["Detail", "cut", "stub"]


class Detail(Enum):
    """Values of the ``detail`` parameter; a stub is a name without content.

    A complete stub keeps descriptions and annotations too. ``referencepartial`` and ``raw`` tell
    which items there are, not how much of an artefact: see ``StructureStore.answer``.
    """

    FULL = "full"
    ALL_STUBS = "allstubs"
    REFERENCE_STUBS = "referencestubs"
    ALL_COMPLETE_STUBS = "allcompletestubs"
    REFERENCE_COMPLETE_STUBS = "referencecompletestubs"
    REFERENCE_PARTIAL = "referencepartial"
    RAW = "raw"

    def stubs(self, *, referenced: bool) -> bool:
        """Tell whether an artefact asked for, or one it merely refers to, is cut to a stub."""
        if self in (Detail.FULL, Detail.REFERENCE_PARTIAL, Detail.RAW):
            return False
        return referenced or self in (Detail.ALL_STUBS, Detail.ALL_COMPLETE_STUBS)

    @property
    def complete(self) -> bool:
        """Whether stubs keep descriptions and annotations."""
        return self in (Detail.ALL_COMPLETE_STUBS, Detail.REFERENCE_COMPLETE_STUBS)


_STUB = frozenset(
    {"id", "agencyID", "version", "names", "uri", "validFrom", "validTo", "isFinal"}
    | {"isPartialLanguage", "serviceURL", "structureURL"}
)
_COMPLETE = _STUB | {"descriptions", "annotations", "links"}
_VTL = {
    ArtefactKind.TRANSFORMATION_SCHEME: {"vtlVersion"},
    ArtefactKind.NAME_PERSONALISATION_SCHEME: {"vtlVersion"},
    ArtefactKind.RULESET_SCHEME: {"vtlVersion"},
    ArtefactKind.USER_DEFINED_OPERATOR_SCHEME: {"vtlVersion"},
    ArtefactKind.CUSTOM_TYPE_SCHEME: {"vtlVersion"},
}
# The schemas of SDMX 3.x want these of a stub too ...
_ALWAYS = {
    ArtefactKind.PROVISION_AGREEMENT: {"dataflow", "metadataflow", "dataProvider"},
    ArtefactKind.METADATA_PROVISION_AGREEMENT: {"metadataflow", "metadataProvider"},
    ArtefactKind.METADATAFLOW: {"targets"},
    ArtefactKind.HIERARCHY: {"hierarchicalCodes", "level", "hasFormalLevels"},
    ArtefactKind.HIERARCHY_ASSOCIATION: {"linkedHierarchy", "linkedObject"},
    ArtefactKind.STRUCTURE_MAP: {"source", "target"},
    ArtefactKind.REPRESENTATION_MAP: {"source", "target"},
    ArtefactKind.CONCEPT_SCHEME_MAP: {"source", "target"},
    ArtefactKind.CATEGORY_SCHEME_MAP: {"source", "target"},
    ArtefactKind.ORGANISATION_SCHEME_MAP: {"source", "target"},
    ArtefactKind.REPORTING_TAXONOMY_MAP: {"source", "target"},
    ArtefactKind.AVAILABILITY_CONSTRAINT: {"constraintAttachment", "cubeRegions"},
    ArtefactKind.GEO_GRID_CODELIST: {"gridDefinition"},
    **_VTL,
}
# ... and those of SDMX 2.1 these.
_ALWAYS_21 = {ArtefactKind.PROVISION_AGREEMENT: _ALWAYS[ArtefactKind.PROVISION_AGREEMENT], **_VTL}


def stub(
    artefact: Artefact,
    *,
    complete: bool = False,
    old: bool = False,
    at: Callable[[Artefact], str] | None = None,
) -> Artefact:
    """Return an artefact without its content, marked as kept elsewhere: at an address, if told.

    What the schemas ask for stays; ``old`` are those of SDMX 2.1.
    """
    always = _ALWAYS_21 if old else _ALWAYS
    kept = (_COMPLETE if complete else _STUB) | always.get(artefact.kind, set())
    content = {key: value for key, value in artefact.content.items() if key in kept}
    if at is not None and not artefact.external:
        content["structureURL"] = at(artefact)
    return replace(artefact, content={**content, "isExternalReference": True})


def cut(
    artefacts: Iterable[Artefact],
    referenced: Iterable[Artefact],
    detail: Detail,
    *,
    old: bool = False,
    at: Callable[[Artefact], str] | None = None,
) -> list[Artefact]:
    """Return the artefacts asked for, then the others, each with as much as the detail tells.

    ``old`` is whether they go into a message of SDMX 2.1; ``at`` says where the whole of one is.
    """
    return [
        stub(one, complete=detail.complete, old=old, at=at)
        if detail.stubs(referenced=behind)
        else one
        for behind, some in ((False, artefacts), (True, referenced))
        for one in some
    ]
