"""The formats of structure messages that can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sdmx_service.errors import StructureError
from sdmx_service.structures.jsonreading import read_json
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.reading_ml import read_xml

__all__ = ["READERS", "read_artefacts", "structure_files"]

Reader = Callable[[bytes, str], tuple[Artefact, ...]]

READERS: Mapping[str, tuple[bytes, Reader]] = {
    ".xml": (b"<", read_xml),
    ".json": (b"{", read_json),
}
"""Suffix of a file -> how its content begins, and its reader."""

_PACKED = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip file"}
_BLANK = b"\xef\xbb\xbf \t\r\n"


def structure_files(directory: Path) -> list[Path]:
    """Return the files of a directory that hold structure messages, by their suffix."""
    return sorted(file for suffix in READERS for file in directory.glob(f"*{suffix}"))


def read_artefacts(content: bytes, file: str) -> tuple[Artefact, ...]:
    """Return the artefacts of one structure message; ``file`` names it in errors.

    The content itself says the format. Raises StructureError, naming the place, for what is no
    valid structure message.
    """
    begins = content[:256].lstrip(_BLANK)
    for start, read in READERS.values():
        if begins.startswith(start):
            return read(content, file)
    for start, packed in _PACKED.items():
        if content.startswith(start):
            raise StructureError(
                file,
                got=packed,
                expected="an SDMX-ML or SDMX-JSON structure message",
                hint="unpack it, and import what is in it",
            )
    if b"\0" in content[:256]:
        return read_xml(content, file)  # it says that the encoding is another one
    raise StructureError(
        file,
        got=content[:40].decode("utf-8", "replace") if begins else "nothing",
        expected="an SDMX-ML or SDMX-JSON structure message",
    )
