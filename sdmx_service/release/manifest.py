"""What a release says of itself: its id, its moments, its inputs and the hash of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sdmx_service.errors import ReleaseError

__all__ = ["FILE_NAME", "FileEntry", "Manifest", "content_hash", "content_of", "file_entry"]

FILE_NAME = "manifest.json"


@dataclass(frozen=True)
class FileEntry:
    """The sha256 and the size in bytes of one file of a release."""

    sha256: str
    bytes: int


def file_entry(path: Path) -> FileEntry:
    """Hash one file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileEntry(digest, path.stat().st_size)


def content_hash(files: Mapping[str, FileEntry]) -> str:
    """Return the eight hex digits that end a release's id: they stand for all its files."""
    together = "".join(f"{name}:{files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256(together.encode()).hexdigest()[:8]


def content_of(manifest: Manifest, structure_id: str) -> str:
    """Return a hash of what answers about a data structure's table are made of.

    It is the same in two releases with the same table and the same structures.
    """
    table = f"data/{structure_id}.parquet"
    names = [n for n in manifest.files if n.startswith("structures/") or n == table]
    return content_hash({name: manifest.files[name] for name in names})


@dataclass(frozen=True)
class Manifest:
    """The manifest of a release; times are ISO 8601 in UTC, paths are relative with ``/``."""

    id: str
    title: str
    created: str
    published: str
    embargo: str | None
    generator: str
    inputs: Mapping[str, Any]
    rows: Mapping[str, int]
    files: Mapping[str, FileEntry]
    seal: str = ""

    @property
    def sealed(self) -> Manifest:
        """The manifest with the sha256 of all its other fields."""
        return replace(self, seal=self.expected_seal)

    @property
    def expected_seal(self) -> str:
        """The sha256 of all fields but the seal itself."""
        text = replace(self, seal="").as_json()
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def published_at(self) -> datetime:
        """The moment of publication."""
        return datetime.fromisoformat(self.published)

    def as_json(self) -> str:
        """Return the manifest as the text of its file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Read the manifest of the release in ``directory``; ReleaseError where it is damaged."""
        path = directory / FILE_NAME
        try:
            parts = json.loads(path.read_text(encoding="utf-8"))
            parts["files"] = {name: FileEntry(**entry) for name, entry in parts["files"].items()}
            return cls(**parts)
        except FileNotFoundError:
            raise ReleaseError(
                str(path),
                expected="a release manifest",
                hint="the folder is not a release, or its build did not finish",
            ) from None
        except (ValueError, TypeError, KeyError) as error:
            raise ReleaseError(
                str(path),
                got=str(error),
                expected="a readable manifest",
                hint="the file is damaged: restore the release from a copy, or build it again",
            ) from None
