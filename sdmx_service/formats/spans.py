"""Texts that stand in a block of bytes, as columns that share it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

__all__ = ["SPARE", "Spans", "compact"]

Array = NDArray[np.int64]

# Bytes that a block must have after its last text: texts are looked at eight bytes at a time.
SPARE = 16
_INLINE = 12
# Arrow columnar format, "variable-size binary view layout": what is no longer than twelve bytes
# stands in the view itself, padded with zeros.
_HALF = np.uint64(32)
_FIRST = np.array([((1 << 8 * min(n, 4)) - 1) << 32 for n in range(SPARE + 1)], dtype="<u8")
_REST = np.array([(1 << 8 * max(min(n, 12) - 4, 0)) - 1 for n in range(SPARE + 1)], dtype="<u8")


@dataclass(frozen=True)
class Spans:
    """Texts of a block, which is UTF-8 and has ``SPARE`` bytes more than it has texts."""

    block: bytes
    views: NDArray[np.uint64]

    @classmethod
    def of(cls, block: bytes, begins: Array, ends: Array) -> Spans:
        """Return the texts from ``begins`` to ``ends`` of a block, whose bytes are not checked."""
        count, lengths = len(block) - SPARE + 1, ends - begins
        words = np.ndarray((count,), "V16", block, 0, (1,))[begins].view("<u8").reshape(-1, 2)
        head, rest = words[:, 0], words[:, 1]
        views, most = np.empty_like(words), np.minimum(lengths, SPARE)
        np.left_shift(head, _HALF, out=views[:, 0])
        views[:, 0] &= _FIRST[most]
        views[:, 0] |= lengths.view("<u8")
        inline = (head >> _HALF) | (rest << _HALF)
        inline &= _REST[most]
        far = np.flatnonzero(lengths > _INLINE)
        inline[far] = begins[far].view("<u8") << _HALF  # where it is in the first and only block
        views[:, 1] = inline
        return cls(block, views)

    def at(self, places: Array | slice) -> Spans:
        """Return the texts at some places."""
        return Spans(self.block, self.views[places])

    @property
    def texts(self) -> pl.Series:
        """The texts as a column that keeps the whole block in memory."""
        buffers = [None, pa.py_buffer(self.views), pa.py_buffer(self.block)]
        return pl.Series(pa.Array.from_buffers(pa.string_view(), len(self.views), buffers))


def compact(column: pl.Series) -> pl.Series:
    """Return a column of texts that keeps no more in memory than they need."""
    alone = pa.compute.cast(column.to_arrow(), pa.large_string())
    return pl.Series(column.name, alone)
