"""A table of sums by unit and cell: a NumPy array or, where most of it is empty, a sparse one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Table", "beside", "dense", "gathered", "scaled", "thin"]

Integers = NDArray[np.intp]

# Tables of sums with more entries than this, of which less than this share can be filled, are kept
# sparse: 20 million entries are 160 MB, three times over.
_DENSE = 20_000_000
_FILLED = 0.2


def thin(units: int, counts: Sequence[int], rows: int) -> bool:
    """Whether tables of so many units by the cells of groupings (their ``counts``) are sparse."""
    entries = units * sum(counts)
    filled = sum(min(rows, units * count) for count in counts)
    return entries > _DENSE and filled < _FILLED * entries


class Table:
    """A table of sums that is filled grouping by grouping, sparse unless it has a ``whole``.

    Its columns are contiguous: they are what is filled, taken and compared.
    """

    def __init__(self, whole: NDArray[Any] | None = None) -> None:
        self._blocks: list[Any] = []
        self._whole = whole

    @classmethod
    def several(cls, shape: tuple[int, int], *kinds: Any) -> list[Table]:
        """Return a table, not sparse, of each kind of number, the widest first."""
        # one piece of memory, for which the system has large pages
        lengths = [shape[0] * shape[1] * np.dtype(kind).itemsize for kind in kinds]
        memory = np.empty(sum(lengths), dtype=np.uint8)
        parts = np.split(memory, np.cumsum(lengths)[:-1])
        return [
            cls(part.view(kind).reshape(shape, order="F"))
            for part, kind in zip(parts, kinds, strict=True)
        ]

    def put(self, place: slice, block: Any) -> None:
        """Set the columns of one grouping."""
        if self._whole is None:
            self._blocks.append(sparse.csr_array(block))
        else:
            self._whole[:, place] = block.toarray() if sparse.issparse(block) else block

    def joined(self) -> Any:
        """Return the whole table."""
        if self._whole is not None:
            return self._whole
        whole = sparse.csr_array(sparse.hstack(self._blocks, format="csr"))
        self._blocks.clear()
        return whole


def gathered(
    row: Integers, column: Integers, values: Sequence[NDArray[np.float64]], shape: tuple[int, int]
) -> list[Any]:
    """Return the sums of each of ``values`` (m,) by row and column, and their number, sparse."""
    place = row * shape[1] + column
    order = np.argsort(place, kind="stable")
    place = place[order]
    if not len(place):
        return [sparse.csr_array(shape) for _ in values] + [sparse.csr_array(shape, dtype=np.int32)]
    start = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    at, columns = place[start] // shape[1], (place[start] % shape[1]).astype(np.int32)
    ends = np.append(0, np.cumsum(np.bincount(at, minlength=shape[0]))).astype(np.int32)
    sums: list[NDArray[Any]] = [np.add.reduceat(v[order], start) for v in values]
    sums.append(np.diff(np.append(start, len(place))).astype(np.int32))
    # one structure for all
    return [sparse.csr_array((data, columns, ends), shape=shape) for data in sums]


def dense(table: Any) -> Any:
    """Return a table as a NumPy array."""
    return table.toarray() if sparse.issparse(table) else table


def beside(first: Any, second: Any) -> Any:
    """Return two tables side by side."""
    if sparse.issparse(first) or sparse.issparse(second):
        return sparse.csr_array(sparse.hstack([first, second], format="csr"))
    return np.hstack([first, second])


def scaled(table: Any, factor: NDArray[Any]) -> Any:
    """Return a table with each column times its factor."""
    if sparse.issparse(table):
        return sparse.csr_array(table @ sparse.diags_array(factor.astype(float)))
    return table * factor
