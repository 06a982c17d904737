"""SDMX-CSV 2.0 and 2.1 messages of reference metadata: a row a set, a column an attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sdmx_service.formats.action import Generation
from sdmx_service.formats.message import Labels
from sdmx_service.formats.metadata import (
    MetadataMessage,
    register_metadata,
    register_metadata_reader,
)
from sdmx_service.formats.metadatacsvreading import read_message
from sdmx_service.formats.metadatacsvwriting import written
from sdmx_service.structures.artefacts import MetadataStructure

__all__ = ["read_metadata_csv", "write_metadata_csv20", "write_metadata_csv21"]

_MEDIA = "application/vnd.sdmx.metadata+csv"
_OPTIONS = {"labels": frozenset(one.value for one in Labels)}


@register_metadata(
    "metadatacsv21",
    _MEDIA,
    "2.1.0",
    ".csv",
    plain_types=("text/csv",),
    family=("csv", "sdmx-csv"),
    generation=Generation.SDMX_3_1,
    options=_OPTIONS,
)
def write_metadata_csv21(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-CSV 2.1; names, where labels ask for them, are in one language."""
    yield written(message, Generation.SDMX_3_1)


@register_metadata(
    "metadatacsv20",
    _MEDIA,
    "2.0.0",
    ".csv",
    family=("csv", "sdmx-csv"),
    generation=Generation.SDMX_3_0,
    options=_OPTIONS,
)
def write_metadata_csv20(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-CSV 2.0."""
    yield written(message, Generation.SDMX_3_0)


@register_metadata_reader("metadatacsv21", "metadatacsv20")
def read_metadata_csv(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; values are typed where the structure of their flow is known.

    Raises DataError, naming record and column. SDMX-CSV says neither sender nor time.
    """
    return read_message(content, structures)
