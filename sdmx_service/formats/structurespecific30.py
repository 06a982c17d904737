"""SDMX-ML 3.0 and 3.1 data messages, which are structure-specific."""

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

__all__ = ["read_xml30", "read_xml31", "write_xml30", "write_xml31"]

_XML30 = Dialect(Generation.SDMX_3_0, "StructureSpecificData", "structurespecific")
_XML31 = Dialect(Generation.SDMX_3_1, "StructureSpecificData", "structurespecific")


@register_data(
    "xml30",
    "application/vnd.sdmx.data+xml",
    "3.0.0",
    ".xml",
    plain_types=("application/xml", "text/xml"),
    family=("xml", "xmldata", "sdmx-ml", "structurespecificdata"),
    generation=Generation.SDMX_3_0,
    carries=frozenset(Feature),
)
def write_xml30(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; a missing value is an absent XML attribute or element."""
    return write_xml(message, _XML30)


@register_reader("xml30")
def read_xml30(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return read_xml(content, structures, _XML30)


@register_data(
    "xml31",
    "application/vnd.sdmx.data+xml",
    "3.1.0",
    ".xml",
    plain_types=("application/xml", "text/xml"),
    family=("xml", "xmldata", "sdmx-ml", "structurespecificdata"),
    generation=Generation.SDMX_3_1,
    carries=frozenset(Feature),
)
def write_xml31(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; a missing value is an absent XML attribute or element."""
    return write_xml(message, _XML31)


@register_reader("xml31")
def read_xml31(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return read_xml(content, structures, _XML31)
