"""The formats a release is answered in; importing the room registers them."""

from sdmx_service.formats import (
    csv20,
    generic21,
    json20,
    structure21,
    structurejson20,
    structurespecific21,
)
from sdmx_service.formats.message import DataMessage, Labels, StructureMessage
from sdmx_service.formats.negotiation import Choice, languages, negotiate
from sdmx_service.formats.registry import Format, data_formats, structure_formats

__all__ = [
    "Choice",
    "DataMessage",
    "Format",
    "Labels",
    "StructureMessage",
    "csv20",
    "data_formats",
    "generic21",
    "json20",
    "languages",
    "negotiate",
    "structure21",
    "structure_formats",
    "structurejson20",
    "structurespecific21",
]
