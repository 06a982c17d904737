"""The bytes of a message: plain text in UTF-8, which is what all its formats are."""

from __future__ import annotations

import codecs
from pathlib import Path

from sdmx_service.errors import DataError

__all__ = ["refuse_packed", "utf8"]

_SIGNATURES = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip archive or a workbook",
    b"PAR1": "a Parquet file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
}


def refuse_packed(content: bytes | Path, expected: str) -> None:
    """Raise DataError where a message begins as a compressed file does, or a binary one."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            head = file.read(8)
    else:
        head = content[:8]
    got = next((name for mark, name in _SIGNATURES.items() if head.startswith(mark)), None)
    if got is not None:
        raise DataError("message", got=got, expected=expected, hint="give the message itself")


def utf8(content: bytes, *, cut: bool = False) -> str:
    """Return the text; DataError for a byte that is no UTF-8.

    ``cut`` says that there is more than this, so that a character may be cut in two.
    """
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=not cut)
    except UnicodeDecodeError as error:
        raise DataError(
            f"line {content.count(10, 0, error.start) + 1}",
            got=f"byte {content[error.start]:#x} at {error.start}",
            expected="UTF-8",
            hint="convert it, for example from ISO 8859-1 or Windows-1252",
        ) from None
