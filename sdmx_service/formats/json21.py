"""SDMX-JSON 2.1.0 data messages (field guide of SDMX-JSON 2.1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sdmx_service.formats import jsonreading, jsonwriting
from sdmx_service.formats.action import Generation
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import Structures, register_data, register_reader

__all__ = ["read_json", "write_json"]


@register_data(
    "json21",
    "application/vnd.sdmx.data+json",
    "2.1.0",
    ".json",
    plain_types=("application/json", "text/json"),
    family=("json", "jsondata", "sdmx-json"),
    generation=Generation.SDMX_3_1,
    carries=frozenset(Feature),
)
def write_json(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; coded values go as indexes."""
    return jsonwriting.write_json(message, Generation.SDMX_3_1)


@register_reader("json21")
def read_json(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    return jsonreading.read_json(content, structures, Generation.SDMX_3_1)
