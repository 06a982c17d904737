"""Work that makes many objects and no cycles of them."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Generator[None, None, None]:
    """Keep the search for cycles from looking at all of a message again and again as it grows.

    What is not in a cycle is freed as ever. Threads may do this at the same time: each turns the
    search on again that it found on.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
