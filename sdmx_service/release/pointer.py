"""Which release is current: the file that says so, and from when on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sdmx_service.errors import ReleaseError

__all__ = ["POINTER", "Schedule"]

POINTER = "CURRENT"


@dataclass(frozen=True)
class Schedule:
    """The release that is current, and those that will be, each from its moment on.

    In the file ``CURRENT`` the id of the first is a line, and so is each of the others behind its
    moment: ``2026-12-01T09:30:00+00:00 2026-11-23-f3726a89``. Nothing need happen at the moment:
    whoever reads the file looks at the clock.
    """

    current: str | None
    coming: tuple[tuple[datetime, str], ...] = ()

    @classmethod
    def read(cls, root: Path) -> Schedule:
        """Read the file. Raises ReleaseError where there is none, or it says something else."""
        path = root / POINTER
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise ReleaseError(
                str(path),
                expected="a folder with a published release",
                hint=f"make one with: sdmx-service build --releases {root}",
            ) from None
        current, coming = None, []
        for line in lines:
            moment, _, id = line.strip().rpartition(" ")
            if not moment:
                current = id or current
                continue
            try:
                coming.append((datetime.fromisoformat(moment).astimezone(UTC), id))
            except ValueError:
                raise ReleaseError(
                    str(path),
                    got=line[:80],
                    expected="the id of a release, behind its moment where that is to come",
                    hint="restore the file: the newest folder beside it is the last release",
                ) from None
        return cls(current, tuple(sorted(coming)))

    def at(self, moment: datetime) -> Schedule:
        """Return what the schedule is from a moment on: what is due by then is past."""
        due = [id for start, id in self.coming if start <= moment]
        left = tuple(one for one in self.coming if one[0] > moment)
        return Schedule(due[-1] if due else self.current, left)

    def with_release(self, id: str, start: datetime) -> Schedule:
        """Return the schedule with a release that is current from a moment on."""
        others = self.without(id).coming
        return Schedule(self.current, tuple(sorted((*others, (start, id)))))

    def without(self, id: str) -> Schedule:
        """Return the schedule without a release that is to come."""
        return Schedule(self.current, tuple(one for one in self.coming if one[1] != id))

    def write(self, root: Path) -> None:
        """Put the file in its place in one step."""
        lines: Iterable[str] = (f"{start.isoformat()} {id}" for start, id in self.coming)
        lines = [*([self.current] if self.current else []), *lines]
        staged = root / f".{POINTER}-{os.getpid()}"
        try:
            with staged.open("w", encoding="utf-8") as stream:
                stream.write("\n".join(lines) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            staged.replace(root / POINTER)
        finally:
            staged.unlink(missing_ok=True)
