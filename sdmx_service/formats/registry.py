"""The formats there are: names, media type, version, writer, reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.action import Generation
from sdmx_service.formats.feature import Feature, needed
from sdmx_service.formats.message import DataMessage, StructureMessage
from sdmx_service.structures.artefacts import Dataflow, DataStructure

__all__ = [
    "Format",
    "Provisions",
    "Registry",
    "Structures",
    "data_formats",
    "register_data",
    "register_reader",
    "register_structure",
    "structure_formats",
]

_Message = TypeVar("_Message")
_Reader = TypeVar("_Reader", bound="DataReader")


class Structures(Protocol):
    """Where a reader looks up the structures of what it reads, such as a StructureStore.

    Both raise NotFound for what is not there.
    """

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        """Return a dataflow with its structure."""

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        """Return a data structure."""


@runtime_checkable
class Provisions(Protocol):
    """Structures that also know provision agreements."""

    def provisioned(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        """Return the dataflow of a provision agreement; NotFound where there is none."""


class DataReader(Protocol):
    """Turns the bytes of a message, or the file at a path, into a message."""

    def __call__(self, content: bytes | Path, structures: Structures, /) -> DataMessage:
        """Return the message; DataError says where it is wrong."""


@dataclass(frozen=True)
class Format(Generic[_Message]):
    """One version of one way to write a message.

    ``name`` and ``short_names`` are what ``format=`` takes for this very version, ``family``
    what it takes for any version of it. ``plain_types`` are media types outside SDMX, such as
    text/csv, that this format answers. ``options`` are the media type parameters it knows, with
    their values. ``carries`` are the traits of a message it has a place for. ``write`` yields
    the message in pieces; ``read`` is None where there is no reader.
    """

    name: str
    media_type: str
    version: str
    extension: str
    write: Callable[[_Message], Iterator[bytes]]
    short_names: tuple[str, ...] = ()
    plain_types: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    generation: Generation = Generation.SDMX_2_1
    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    carries: frozenset[Feature] = frozenset()
    read: DataReader | None = None

    @property
    def content_type(self) -> str:
        """The media type with its version, as it stands in Accept and Content-Type.

        Text says that it is UTF-8: else it is read in the encoding of whoever reads it.
        """
        charset = ";charset=utf-8" if self.media_type.startswith("text/") else ""
        version = f";version={self.version}" if self.version else ""
        return f"{self.media_type}{charset}{version}"


class Registry(Generic[_Message]):
    """The formats of one kind of message, in the order they were registered.

    ``check`` is asked before a message is written, with the format and the message; it raises for
    what the format cannot carry.
    """

    def __init__(
        self, check: Callable[[Format[_Message], _Message], None] = lambda one, message: None
    ) -> None:
        self._formats: dict[str, Format[_Message]] = {}
        self._check = check

    def register(
        self,
        name: str,
        media_type: str,
        version: str,
        extension: str,
        *,
        short_names: tuple[str, ...] = (),
        plain_types: tuple[str, ...] = (),
        family: tuple[str, ...] = (),
        generation: Generation = Generation.SDMX_2_1,
        options: Mapping[str, frozenset[str]] | None = None,
        carries: frozenset[Feature] = frozenset(),
    ) -> Callable[[Callable[[_Message], Iterator[bytes]]], Callable[[_Message], Iterator[bytes]]]:
        """Make the decorated writer answer a media type; the fields are those of Format."""

        def add(
            write: Callable[[_Message], Iterator[bytes]],
        ) -> Callable[[_Message], Iterator[bytes]]:
            def checked(message: _Message) -> Iterator[bytes]:
                self._check(self._formats[name], message)
                return write(message)

            self._formats[name] = Format(
                name,
                media_type,
                version,
                extension,
                checked,
                short_names,
                plain_types,
                family,
                generation,
                options or {},
                carries,
            )
            return write

        return add

    def formats(self) -> tuple[Format[_Message], ...]:
        """Return all of them."""
        return tuple(self._formats.values())

    def reads(self, name: str, read: DataReader) -> None:
        """Let a registered format be read too."""
        self._formats[name] = replace(self._formats[name], read=read)


def _refuse_uncarried(one: Format[DataMessage], message: DataMessage) -> None:
    for feature, where in needed(message):
        if feature not in one.carries:
            able = [other.name for other in data_formats() if feature in other.carries]
            raise NotAcceptable(
                f"{one.content_type}: {where}",
                got=feature.value,
                expected="what this format has a place for",
                hint=f"format= one of {', '.join(able)}" if able else "no format here has",
            )


_DATA: Registry[DataMessage] = Registry(_refuse_uncarried)
_STRUCTURES: Registry[StructureMessage] = Registry()

# A data writer is called only with messages whose traits its format carries; others are refused
# with NotAcceptable, which names the trait and the formats that have a place for it.
register_data, data_formats = _DATA.register, _DATA.formats
register_structure, structure_formats = _STRUCTURES.register, _STRUCTURES.formats


def register_reader(name: str) -> Callable[[_Reader], _Reader]:
    """Make the decorated function read the data format called ``name``, which is registered."""

    def add(read: _Reader) -> _Reader:
        _DATA.reads(name, read)
        return read

    return add
