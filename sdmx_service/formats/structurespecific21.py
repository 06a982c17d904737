"""SDMX-ML 2.1 structure-specific data messages, of any shape and of time series only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sdmx_service.formats.action import Generation
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import Structures, register_data, register_reader
from sdmx_service.formats.xmlheader import Dialect
from sdmx_service.formats.xmlreading import read_xml
from sdmx_service.formats.xmlwriting import write_xml

__all__ = ["read_specific", "read_specific_series", "write_specific", "write_specific_series"]

_ANY = Dialect(Generation.SDMX_2_1, "StructureSpecificData", "structurespecific")
_SERIES = Dialect(
    Generation.SDMX_2_1, "StructureSpecificTimeSeriesData", "structurespecific", timed=True
)
_CARRIES = frozenset(
    {
        Feature.PARTIAL_KEYS,
        Feature.DELETE,
        Feature.ACTIONS,
        Feature.SEVERAL_DATASETS,
        Feature.SEVERAL_STRUCTURES,
        Feature.VALIDITY,
        Feature.CONTEXTS,
    }
)


@register_data(
    "structurespecific",
    "application/vnd.sdmx.structurespecificdata+xml",
    "2.1",
    ".xml",
    short_names=("ss", "sdmx-compact-2.1"),
    plain_types=("application/xml", "text/xml"),
    family=("xml", "structurespecificdata"),
    carries=_CARRIES | {Feature.NO_TIME, Feature.CROSS_SECTION},
)
def write_specific(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; a missing value is an absent XML attribute."""
    return write_xml(message, _ANY)


@register_reader("structurespecific")
def read_specific(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return read_xml(content, structures, _ANY)


@register_data(
    "structurespecifictimeseries",
    "application/vnd.sdmx.structurespecifictimeseriesdata+xml",
    "2.1",
    ".xml",
    short_names=("structurespecifictimeseriesdata",),
    carries=_CARRIES,
)
def write_specific_series(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; NotAcceptable where observations are not by time."""
    return write_xml(message, _SERIES)


@register_reader("structurespecifictimeseries")
def read_specific_series(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return read_xml(content, structures, _SERIES)
