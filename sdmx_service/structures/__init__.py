"""SDMX structures: read, checked, found, written."""

from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
    localised,
)
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Reference
from sdmx_service.structures.references import References
from sdmx_service.structures.store import Missing, StructureStore

__all__ = [
    "Artefact",
    "ArtefactKind",
    "Attachment",
    "Code",
    "Codelist",
    "Component",
    "DataStructure",
    "Dataflow",
    "Missing",
    "Reference",
    "References",
    "Role",
    "StructureStore",
    "localised",
]
