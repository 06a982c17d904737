"""Work that takes a lot of memory, one piece of it at a time in a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sdmx_service.errors import RequestError

__all__ = ["Busy", "Turns", "big_work"]

_ROWS = 1_000_000
_WAITING = 4
_PATIENCE = 20.0


class Busy(RequestError):
    """The service has as much to do as it can hold (HTTP 503): the same request may do later."""

    http_status = 503


class Turns:
    """Lets one piece of work go on, ``waiting`` wait for it, and sends the others away.

    Who waits keeps a thread from other requests, so only a few do, and no longer than ``patience``
    seconds.
    """

    def __init__(self, waiting: int = _WAITING, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._running = threading.Lock()

    @contextmanager
    def turn(self, rows: int) -> Iterator[None]:
        """Hold a turn for work on so many rows; few need none. Raises Busy where there is none."""
        if rows < _ROWS:
            yield
            return
        if not self._places.acquire(blocking=False):
            raise _busy(rows)
        try:
            if not self._running.acquire(timeout=self._patience):
                raise _busy(rows)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._places.release()


def _busy(rows: int) -> Busy:
    return Busy(
        "the service",
        got=f"{rows:,} observations to look through while it looks through others",
        expected="one such request at a time",
        hint="ask again in half a minute, or for less by key: requests for few series do not wait",
    )


big_work = Turns()
"""The turns of this process."""
