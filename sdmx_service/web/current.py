"""The release that is current now."""

from __future__ import annotations

import threading
from pathlib import Path

from sdmx_service.errors import ReleaseError
from sdmx_service.release import Release, open_release
from sdmx_service.release.archive import Archive
from sdmx_service.release.publishing import POINTER

__all__ = ["CurrentRelease"]


class CurrentRelease:
    """Opens the current release of a folder, again whenever the pointer changes.

    A release once handed out stays whole: whoever holds it answers from it to the end.
    ``archive`` answers what the current release alone cannot: history and vintages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pointer = path / POINTER
        self.archive = Archive(path)
        self._lock = threading.Lock()
        self._held: tuple[tuple[int, ...], Release] | None = None

    def release(self) -> Release:
        """Return the current release. Raises ReleaseError where there is none or it is damaged."""
        seen = self._stamp()
        with self._lock:
            if self._held is None or seen != self._held[0]:
                self._held = (seen, open_release(self._path))
            return self._held[1]

    def ready(self) -> Release | None:
        """Return the current release without waiting: None where it is not open yet."""
        held = self._held
        try:
            return held[1] if held is not None and held[0] == self._stamp() else None
        except ReleaseError:
            return None

    def prepare(self) -> None:
        """Open the current release and map the images of its tables, made where they are absent."""
        release = self.release()
        for structure_id in release.manifest.rows:
            release.image(structure_id)

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._pointer.stat()
        except FileNotFoundError:
            raise ReleaseError(
                "the service", expected="a folder with a published release", hint="build one first"
            ) from None
        return found.st_ino, found.st_mtime_ns, found.st_size
