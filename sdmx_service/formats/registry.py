"""The formats there are: short name, media type, writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from sdmx_service.formats.message import DataMessage, StructureMessage

__all__ = [
    "Format",
    "data_formats",
    "register_data",
    "register_structure",
    "structure_formats",
]

_Message = TypeVar("_Message")


@dataclass(frozen=True)
class Format(Generic[_Message]):
    """One way to write a message.

    ``name`` and ``short_names`` are what ``format=`` takes; ``plain_types`` are media types
    outside SDMX, such as text/csv, that this format answers. ``write`` yields the message in
    pieces.
    """

    name: str
    media_type: str
    version: str
    extension: str
    write: Callable[[_Message], Iterator[bytes]]
    short_names: tuple[str, ...] = ()
    plain_types: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The media type with its version, as it stands in Accept and Content-Type."""
        return f"{self.media_type};version={self.version}"


_DATA: list[Format[DataMessage]] = []
_STRUCTURES: list[Format[StructureMessage]] = []

_DataWriter = Callable[[DataMessage], Iterator[bytes]]
_StructureWriter = Callable[[StructureMessage], Iterator[bytes]]


def register_data(
    name: str,
    media_type: str,
    version: str,
    extension: str,
    *,
    short_names: tuple[str, ...] = (),
    plain_types: tuple[str, ...] = (),
) -> Callable[[_DataWriter], _DataWriter]:
    """Make the decorated writer answer a media type in data queries."""

    def add(write: _DataWriter) -> _DataWriter:
        _DATA.append(Format(name, media_type, version, extension, write, short_names, plain_types))
        return write

    return add


def register_structure(
    name: str,
    media_type: str,
    version: str,
    extension: str,
    *,
    short_names: tuple[str, ...] = (),
    plain_types: tuple[str, ...] = (),
) -> Callable[[_StructureWriter], _StructureWriter]:
    """Make the decorated writer answer a media type in structure queries."""

    def add(write: _StructureWriter) -> _StructureWriter:
        _STRUCTURES.append(
            Format(name, media_type, version, extension, write, short_names, plain_types)
        )
        return write

    return add


def data_formats() -> tuple[Format[DataMessage], ...]:
    """All data formats, in the order they were registered."""
    return tuple(_DATA)


def structure_formats() -> tuple[Format[StructureMessage], ...]:
    """All structure formats, in the order they were registered."""
    return tuple(_STRUCTURES)
