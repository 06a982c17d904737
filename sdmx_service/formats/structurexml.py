"""SDMX-ML structure messages of 2.1, 3.0 and 3.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sdmx_service.formats.action import Generation
from sdmx_service.formats.message import StructureMessage
from sdmx_service.formats.registry import register_structure
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.writing_ml import structure_message

__all__ = ["write_structure_xml21", "write_structure_xml30", "write_structure_xml31"]


def _writer(version: MlVersion, number: str) -> Callable[[StructureMessage], Iterator[bytes]]:
    form = ("format=structure", f"formatVersion={number}")

    def write(message: StructureMessage) -> Iterator[bytes]:
        address = message.address
        yield structure_message(
            message.artefacts,
            prepared=message.prepared,
            sender=message.sender,
            version=version,
            detail=message.detail,
            referenced=message.referenced,
            at=None if address is None else lambda one: address.of(one, *form),
        )

    return write


def _registered(
    name: str, version: str, short_names: tuple[str, ...], form: MlVersion, generation: Generation
) -> Callable[[StructureMessage], Iterator[bytes]]:
    return register_structure(
        name,
        "application/vnd.sdmx.structure+xml",
        version,
        ".xml",
        short_names=short_names,
        plain_types=("application/xml", "text/xml"),
        family=("xml", "sdmx-ml", "structure"),
        generation=generation,
    )(_writer(form, version))


write_structure_xml21 = _registered(
    "xml21", "2.1", ("sdmx-2.1",), MlVersion.ML21, Generation.SDMX_2_1
)
write_structure_xml30 = _registered(
    "xml30", "3.0.0", ("sdmx-3.0",), MlVersion.ML30, Generation.SDMX_3_0
)
write_structure_xml31 = _registered(
    "xml31", "3.1.0", ("sdmx-3.1",), MlVersion.ML31, Generation.SDMX_3_1
)
