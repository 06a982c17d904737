"""The files of a directory of structure messages, changed all or none."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sdmx_service.errors import StructureError
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.jsonwriting import json_message, json_refusal
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.removing import without
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.writing_ml import refusal, structure_message

__all__ = ["Directory", "Filed", "alone", "filed"]

_SENDER = "IMPORT"
_LONGEST = 255  # bytes of a file name


@dataclass(frozen=True, slots=True)
class Filed:
    """The file of an artefact."""

    name: str
    content: bytes


@contextmanager
def alone(directory: Path) -> Iterator[Directory]:
    """Hold a directory of structure messages so that no other import changes it meanwhile."""
    try:
        held = os.open(directory.parent, os.O_RDONLY)
    except OSError as error:
        raise StructureError(
            str(directory), got=error.strerror, expected="the structures of a publication"
        ) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield Directory(directory, _states(directory))
    finally:
        os.close(held)


def filed(one: Artefact) -> Filed:
    """Return a message with one artefact, in the newest format that gives it back unchanged.

    SDMX 3.x has no finality apart from the version, and 3.1 no identity of an availability.
    Raises StructureError where no format carries it as a whole, or no file can bear its name.
    """
    for suffix, content in _messages(one):
        name = f"{one.kind.element}-{one.agency}-{one.id}-{one.version}{suffix}"
        if len(name.encode()) > _LONGEST:
            raise StructureError(
                one.at(),
                got=f"agency, id and version of {len(name.encode())} bytes",
                expected=f"ones that fit into a file name of {_LONGEST} bytes",
            )
        again = read_artefacts(content, f"{one.urn}{suffix}")
        if [(each.identity, each.content) for each in again] == [(one.identity, one.content)]:
            return Filed(name, content)
    raise StructureError(one.at(), got=one.urn, expected="what one format can carry as a whole")


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of structure messages that is held, as it was when it was taken."""

    path: Path
    states: Mapping[str, tuple[int, int]]

    def change(
        self, new: Collection[Filed], replaced: Collection[Artefact], *, dry_run: bool
    ) -> None:
        """Write files in a copy of the directory, which takes its place; not with ``dry_run``.

        A crash leaves the earlier directory, under its own name or as ``.structures-before``.
        Raises StructureError where it cannot be written, where the copy is no whole publication,
        and where somebody else has changed a file since the directory was taken.
        """
        try:
            self._change(new, replaced, dry_run=dry_run)
        except OSError as error:
            raise StructureError(
                str(self.path),
                got=error.strerror or str(error),
                expected="a directory that can be written",
                hint="nothing was written",
            ) from error

    def _change(
        self, new: Collection[Filed], replaced: Collection[Artefact], *, dry_run: bool
    ) -> None:
        staging = self.path.with_name(f".{self.path.name}-{os.getpid()}")
        before = self.path.with_name(f".{self.path.name}-before")
        shutil.rmtree(staging, ignore_errors=True)
        try:
            shutil.copytree(self.path, staging)
            for file, those in _by_file(replaced).items():
                without(those, staging / file)
            for one in new:
                (staging / one.name).write_bytes(one.content)
            StructureStore.read(staging)
            if _states(self.path) != self.states:
                raise StructureError(
                    str(self.path),
                    got="files that changed meanwhile",
                    expected="the files that the import began with",
                    hint="nothing was written; import again",
                )
            if dry_run:
                return
            shutil.rmtree(before, ignore_errors=True)
            self.path.rename(before)
            staging.rename(self.path)
            shutil.rmtree(before)
        finally:
            if not self.path.exists() and before.exists():
                before.rename(self.path)
            shutil.rmtree(staging, ignore_errors=True)


def _by_file(artefacts: Collection[Artefact]) -> dict[str, list[Artefact]]:
    found: dict[str, list[Artefact]] = {}
    for one in artefacts:
        found.setdefault(Path(one.file.partition(", ")[0]).name, []).append(one)
    return found


def _states(directory: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of each file."""
    found = {one.name: one.stat() for one in directory.glob("*")}
    return {name: (state.st_size, state.st_mtime_ns) for name, state in found.items()}


def _messages(one: Artefact) -> Iterator[tuple[str, bytes]]:
    prepared = datetime.now(UTC)
    for version in reversed(MlVersion):
        if refusal(one, version) is None:
            yield (
                ".xml",
                structure_message([one], prepared=prepared, sender=_SENDER, version=version),
            )
    for form in reversed(JsonVersion):
        if json_refusal(one, form) is None:
            yield ".json", json_message([one], prepared=prepared, sender=_SENDER, version=form)
