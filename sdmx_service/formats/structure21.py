"""SDMX-ML 2.1 structure messages."""

from __future__ import annotations

from collections.abc import Iterator

from sdmx_service.formats.message import StructureMessage
from sdmx_service.formats.registry import register_structure
from sdmx_service.structures import writing21

__all__ = ["write_structure_xml"]


@register_structure(
    "xml",
    "application/vnd.sdmx.structure+xml",
    "2.1",
    ".xml",
    short_names=("structure", "sdmx-2.1"),
    plain_types=("application/xml", "text/xml"),
)
def write_structure_xml(message: StructureMessage) -> Iterator[bytes]:
    """Yield the message."""
    yield writing21.structure_message(
        message.artefacts,
        prepared=message.prepared,
        sender=message.sender,
        detail=message.detail,
        referenced=message.referenced,
    )
