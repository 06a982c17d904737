"""The release that is current now."""

from __future__ import annotations

import threading
from pathlib import Path

from sdmx_service.errors import ReleaseError
from sdmx_service.release import Release, open_release
from sdmx_service.release.archive import Archive

__all__ = ["CurrentRelease"]


class CurrentRelease:
    """Opens the current release of a folder, again whenever the pointer changes.

    A release once handed out stays whole: whoever holds it answers from it to the end.
    ``archive`` answers what the current release alone cannot: history and vintages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.archive = Archive(path)
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._release: Release | None = None

    def release(self) -> Release:
        """Return the current release. Raises ReleaseError where there is none or it is damaged."""
        seen = self._stamp()
        with self._lock:
            if self._release is None or seen != self._seen:
                self._release = open_release(self._path)
                self._seen = seen
            return self._release

    def _stamp(self) -> tuple[int, ...]:
        pointer = self._path / "CURRENT"
        try:
            found = pointer.stat()
        except FileNotFoundError:
            raise ReleaseError(
                "the service", expected="a folder with a published release", hint="build one first"
            ) from None
        return found.st_ino, found.st_mtime_ns, found.st_size
