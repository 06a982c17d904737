"""The formats a release is answered in; importing the room registers them."""

from sdmx_service.formats import (
    arrow,
    csv10,
    csv20,
    csv21,
    generic21,
    json20,
    jsonstat,
    parquet,
    plaincsv,
    structure21,
    structurejson20,
    structurespecific21,
    xlsx,
)
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import DataSet
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import (
    Context,
    DataMessage,
    Keys,
    Labels,
    Provision,
    StructureMessage,
    TimeFormat,
)
from sdmx_service.formats.negotiation import Choice, languages, negotiate
from sdmx_service.formats.registry import Format, Structures, data_formats, structure_formats

__all__ = [
    "Action",
    "Choice",
    "Context",
    "DataMessage",
    "DataSet",
    "Feature",
    "Format",
    "Generation",
    "Keys",
    "Labels",
    "Provision",
    "StructureMessage",
    "Structures",
    "TimeFormat",
    "arrow",
    "csv10",
    "csv20",
    "csv21",
    "data_formats",
    "generic21",
    "json20",
    "jsonstat",
    "languages",
    "negotiate",
    "parquet",
    "plaincsv",
    "structure21",
    "structure_formats",
    "structurejson20",
    "structurespecific21",
    "xlsx",
]
