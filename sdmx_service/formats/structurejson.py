"""SDMX-JSON structure messages of 1.0, 2.0 and 2.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdmx_service.formats.action import Generation
from sdmx_service.formats.message import StructureMessage
from sdmx_service.formats.registry import register_structure
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.jsonwriting import json_message

__all__ = ["write_structure_json10", "write_structure_json20", "write_structure_json21"]


def _writer(version: JsonVersion) -> Callable[[StructureMessage], Iterator[bytes]]:
    def write(message: StructureMessage) -> Iterator[bytes]:
        yield json_message(
            message.artefacts,
            prepared=message.prepared,
            sender=message.sender,
            version=version,
            detail=message.detail,
            referenced=message.referenced,
            language=message.languages[0],
            at=None if message.address is None else message.address.of,
        )

    return write


def _registered(
    name: str, version: str, form: JsonVersion, generation: Generation
) -> Callable[[StructureMessage], Iterator[bytes]]:
    return register_structure(
        name,
        "application/vnd.sdmx.structure+json",
        version,
        ".json",
        plain_types=("application/json", "text/json"),
        family=("json", "sdmx-json", "jsonstructure"),
        generation=generation,
    )(_writer(form))


write_structure_json20 = _registered("json20", "2.0.0", JsonVersion.JSON20, Generation.SDMX_3_0)
write_structure_json10 = _registered("json10", "1.0.0", JsonVersion.JSON10, Generation.SDMX_2_1)
write_structure_json21 = _registered("json21", "2.1.0", JsonVersion.JSON21, Generation.SDMX_3_1)
