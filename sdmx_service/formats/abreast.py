"""Pieces of a message made side by side, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import chain, islice
from typing import TypeVar

import polars as pl

__all__ = ["abreast"]

Block = TypeVar("Block")
# Messages under way in a process of which pieces are made ahead.
_FEW = 8
_under_way: set[object] = set()


def abreast(write: Callable[[Block], bytes], blocks: Iterable[Block]) -> Iterator[bytes]:
    """Yield what ``write`` makes of each block, in the order of the blocks.

    As many blocks are under way as there are processors, and two at the least, not more, and of
    many messages at once none is made ahead: who reads slowly holds up the making. Polars lets go
    of the interpreter while it works, which is nearly all of the time, so threads suffice.
    ``write`` must depend on its block alone. What it raises is raised in the place of its piece;
    the pieces after it are not made.
    """
    left = iter(blocks)
    first = list(islice(left, 2))
    if len(first) < 2:
        yield from map(write, first)  # nothing to be made beside it
        return
    threads, most, message = _threads(), _at_once(), object()
    coming: deque[Future[bytes]] = deque()
    _under_way.add(message)
    try:
        for block in chain(first, left):
            coming.append(threads.submit(write, block))
            # What is made ahead is memory, which slow readers hold.
            while len(coming) > (most if len(_under_way) <= _FEW else 0):
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        _under_way.discard(message)
        for piece in coming:
            piece.cancel()  # nobody waits for it any more


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Return the threads of this process, which all messages share."""
    return ThreadPoolExecutor(_at_once(), thread_name_prefix="abreast")


def _at_once() -> int:
    return max(pl.thread_pool_size(), 2)
