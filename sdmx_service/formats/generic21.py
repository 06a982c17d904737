"""SDMX-ML 2.1 generic data messages, of any shape and of time series only."""

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

__all__ = ["read_generic", "read_generic_series", "write_generic", "write_generic_series"]

_ANY = Dialect(Generation.SDMX_2_1, "GenericData", "generic")
_SERIES = Dialect(Generation.SDMX_2_1, "GenericTimeSeriesData", "generic", timed=True)
_CARRIES = frozenset(
    {
        Feature.PARTIAL_KEYS,
        Feature.DELETE,
        Feature.ACTIONS,
        Feature.SEVERAL_DATASETS,
        Feature.VALIDITY,
        Feature.CONTEXTS,
    }
)


@register_data(
    "generic",
    "application/vnd.sdmx.genericdata+xml",
    "2.1",
    ".xml",
    short_names=("genericdata", "sdmx-generic-2.1"),
    plain_types=("application/xml", "text/xml"),
    carries=_CARRIES | {Feature.NO_TIME, Feature.CROSS_SECTION, Feature.SEVERAL_STRUCTURES},
)
def write_generic(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; a missing value is an absent element."""
    return write_xml(message, _ANY)


@register_reader("generic")
def read_generic(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return read_xml(content, structures, _ANY)


@register_data(
    "generictimeseries",
    "application/vnd.sdmx.generictimeseriesdata+xml",
    "2.1",
    ".xml",
    short_names=("generictimeseriesdata",),
    carries=_CARRIES,
)
def write_generic_series(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; NotAcceptable where observations are not by time."""
    return write_xml(message, _SERIES)


@register_reader("generictimeseries")
def read_generic_series(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return read_xml(content, structures, _SERIES)
