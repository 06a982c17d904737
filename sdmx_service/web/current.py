"""The release that is current now."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sdmx_service.errors import ReleaseError
from sdmx_service.release import Release, open_release
from sdmx_service.release.archive import Archive
from sdmx_service.release.pointer import POINTER, Schedule

__all__ = ["CurrentRelease"]

_LOG = logging.getLogger("sdmx_service")
# Seconds after which a release that could not be opened is tried again, and how often a process
# looks for what is to come; what comes within an hour is opened ahead.
_AGAIN = 30.0
_LOOK = 1.0
_AHEAD = 3600.0
_NEVER = float("inf")


@dataclass(frozen=True)
class _Held:
    """A release, for as long as ``CURRENT`` is the same file and the clock is before ``until``."""

    release: Release
    stamp: tuple[int, ...]
    until: float


class CurrentRelease:
    """Opens the current release of a folder, again whenever the schedule names another.

    A release once handed out stays whole: whoever holds it answers from it to the end. If the one
    that follows cannot be opened, the earlier one stays, ``trouble`` says why and so does the log.
    ``archive`` answers what the current release alone cannot: history and vintages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pointer = path / POINTER
        self.archive = Archive(path)
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._ahead: dict[str, Release] = {}
        self._latest = datetime.min.replace(tzinfo=UTC)
        self.trouble: ReleaseError | None = None

    def release(self) -> Release:
        """Return the current release. Raises ReleaseError where there is none or it is damaged."""
        found = self.ready()
        if found is not None:
            return found
        with self._lock:
            found = self.ready()
            return found if found is not None else self._opened()

    def ready(self) -> Release | None:
        """Return the current release without waiting: None where it is not open yet."""
        held = self._held
        if held is None or time.time() >= held.until:
            return None
        try:
            return held.release if held.stamp == self._stamp() else None
        except ReleaseError:
            return None

    def prepare(self) -> None:
        """Open the current release and map the images of its tables, made where they are absent.

        So are those to come within an hour, so that they are there at their moment.
        """
        _map(self.release())
        ahead: dict[str, Release] = {}
        for start, id in Schedule.read(self._path).coming:
            if 0 < (start - datetime.now(UTC)).total_seconds() < _AHEAD:
                known = self._ahead.get(id)
                was_put_off = known is not None and known.published != start
                ahead[id] = open_release(self._path, id) if was_put_off or not known else known
                _map(ahead[id])
        self._ahead = ahead

    def watch(self) -> None:
        """Keep the release prepared from now on, in a thread of its own."""
        threading.Thread(target=self._watch, name="releases", daemon=True).start()

    def _watch(self) -> None:
        said = ""
        while True:
            time.sleep(_LOOK)
            try:
                self.prepare()
                said = ""
            except ReleaseError as error:
                if str(error) != said:
                    said = str(error)
                    _LOG.error("a release cannot be opened: %s", error)

    def _opened(self) -> Release:
        stamp = self._stamp()
        # A release is not taken back because a clock is.
        self._latest = max(self._latest, datetime.now(UTC))
        schedule = Schedule.read(self._path).at(self._latest)
        until = schedule.coming[0][0].timestamp() if schedule.coming else _NEVER
        release = None if self._held is None else self._held.release
        try:
            if schedule.current is None:
                raise ReleaseError(str(self._pointer), expected="a release that is public")
            if release is None or release.id != schedule.current:
                ahead = self._ahead.get(schedule.current)
                release = ahead or open_release(self._path, schedule.current)
                self.archive.keep(release)
            self.trouble = None
        except ReleaseError as error:
            if release is None:
                raise
            if str(error) != str(self.trouble):
                _LOG.error("%s is served still, for the next cannot be: %s", release.id, error)
            self.trouble = error
            until = min(until, time.time() + _AGAIN)
        self._held = _Held(release, stamp, until)
        return release

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._pointer.stat()
        except FileNotFoundError:
            raise ReleaseError(
                str(self._path),
                expected="a folder with a published release",
                hint=f"make one with: sdmx-service build --releases {self._path}",
            ) from None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _map(release: Release) -> None:
    for structure_id in release.manifest.rows:
        release.image(structure_id)
