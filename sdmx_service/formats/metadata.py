"""What a message of reference metadata says, before it has a format; the formats there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sdmx_service.errors import DataError
from sdmx_service.formats.message import Labels
from sdmx_service.formats.registry import Format, Registry
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure, localised
from sdmx_service.structures.metadataset import MetadataSet

__all__ = [
    "MetadataFormat",
    "MetadataMessage",
    "metadata_formats",
    "read_metadata",
    "register_metadata",
    "register_metadata_reader",
    "typed_value",
]


@dataclass(frozen=True)
class MetadataMessage:
    """Sets of reference metadata out of one release.

    ``structures`` maps the URN of each flow or agreement (``MetadataSet.reported_to``) to the
    structure behind it, where it is known: it gives columns their order and values their types.
    ``flows`` maps the URN of an agreement to that of its flow, ``names`` the URN of each flow,
    agreement and target to its name by language. ``stubs`` says that the sets are without what is
    reported.
    """

    sets: tuple[MetadataSet, ...]
    id: str
    prepared: datetime
    sender: str
    languages: tuple[str, ...] = ("en",)
    stubs: bool = False
    labels: Labels = Labels.ID
    separator: str = ","
    structures: Mapping[str, MetadataStructure] = field(default_factory=dict)
    flows: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def text(self, names: Mapping[str, str]) -> str:
        """Return a name in the first language asked for that it has, empty where there is none."""
        chosen = next((names[tag] for tag in self.languages if names.get(tag)), None)
        return chosen or localised(names)


_WHOLE = frozenset({"Integer", "Long", "Short", "Count", "BigInteger"})
_FLOATS = frozenset({"Double", "Float", "Decimal"})
MetadataFormat = Format[MetadataMessage]


class MetadataReader(Protocol):
    """Turns the bytes of a message into a message; ``structures`` types what has no types."""

    def __call__(
        self, content: bytes, structures: Mapping[str, MetadataStructure], /
    ) -> MetadataMessage:
        """Return the message; DataError or StructureError says where it is wrong."""


_FORMATS: Registry[MetadataMessage] = Registry()
_READERS: dict[str, MetadataReader] = {}

register_metadata, metadata_formats = _FORMATS.register, _FORMATS.formats


def register_metadata_reader(*names: str) -> Callable[[MetadataReader], MetadataReader]:
    """Make the decorated function read the metadata formats of these names."""

    def add(read: MetadataReader) -> MetadataReader:
        _READERS.update(dict.fromkeys(names, read))
        return read

    return add


def typed_value(text: str, attribute: MetadataAttribute | None, where: str) -> Any:
    """Return a value that a format writes as text in the type its attribute has, if it is known.

    Raises DataError, with ``where``, for a text that is no value of the type.
    """
    if attribute is None or attribute.codelist is not None:
        return text
    kind = attribute.data_type
    try:
        if kind == "Boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text]
        if kind in _WHOLE:
            return int(text)
        return float(text) if kind in _FLOATS else text
    except (ValueError, KeyError):
        raise DataError(where, got=text[:80], expected=f"a value of type {kind}") from None


def read_metadata(
    name: str, content: bytes, structures: Mapping[str, MetadataStructure] | None = None
) -> MetadataMessage:
    """Read a message of the format called ``name``."""
    return _READERS[name](content, structures or {})
