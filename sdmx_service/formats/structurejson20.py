"""SDMX-JSON 2.0.0 structure messages."""

from __future__ import annotations

from collections.abc import Iterator

from sdmx_service.formats.message import StructureMessage
from sdmx_service.formats.registry import register_structure
from sdmx_service.structures import json20

__all__ = ["write_structure_json"]


@register_structure(
    "json",
    "application/vnd.sdmx.structure+json",
    "2.0.0",
    ".json",
    short_names=("sdmx-json",),
    plain_types=("application/json", "text/json"),
)
def write_structure_json(message: StructureMessage) -> Iterator[bytes]:
    """Yield the message."""
    yield json20.structure_message(
        message.artefacts,
        prepared=message.prepared,
        sender=message.sender,
        detail=message.detail,
        referenced=message.referenced,
        language=message.languages[0],
    )
