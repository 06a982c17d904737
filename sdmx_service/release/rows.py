"""Row numbers of a table in the order of an answer, as ranges for as long as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdmx_service.release.mapped import Array

__all__ = ["Rows"]


@dataclass(frozen=True)
class Rows:
    """Row numbers in the order of an answer: ranges one after another, or each by itself.

    ``ends`` counts rows up to the end of each range; ``listed`` holds the numbers where the rows
    are no ranges.
    """

    starts: Array
    ends: Array
    listed: Array | None = None

    @classmethod
    def between(cls, starts: Array, stops: Array) -> Rows:
        """Return the rows of ranges; those that touch become one."""
        full = stops > starts
        starts, stops = starts[full], stops[full]
        if len(starts) > 1:
            joins = stops[:-1] == starts[1:]
            starts = starts[np.append(True, ~joins)]
            stops = stops[np.append(~joins, True)]
        return cls(starts, np.cumsum(stops - starts))

    @classmethod
    def of(cls, listed: Array) -> Rows:
        """Return rows by their numbers."""
        return cls(listed[:0], listed[:0], listed)

    def __len__(self) -> int:
        if self.listed is not None:
            return len(self.listed)
        return int(self.ends[-1]) if len(self.ends) else 0

    def parts(self, most: int) -> Iterator[slice | Array]:
        """Yield the rows in order, at most ``most`` at a time, as ranges where they are."""
        for first in range(0, len(self), most):
            yield self.numbers(first, min(first + most, len(self)))

    def numbers(self, first: int, last: int) -> slice | Array:
        """Return the rows from the place ``first`` up to ``last``, as one range where they are."""
        if self.listed is not None:
            return self.listed[first:last]
        if first >= last:
            return slice(0, 0)
        a, b = (int(self.ends.searchsorted(place, "right")) for place in (first, last - 1))
        before = int(self.ends[a - 1]) if a else 0
        begin = int(self.starts[a]) + first - before
        if a == b:
            return slice(begin, begin + last - first)
        begins, stops = self.starts[a : b + 1].copy(), self.ends[a : b + 1].copy()
        stops[-1] = last
        begins[0] = begin
        lengths = np.diff(stops, prepend=first)
        return np.repeat(begins - (stops - lengths - first), lengths) + np.arange(last - first)

    def array(self) -> Array:
        """Return all row numbers in order."""
        found = self.numbers(0, len(self))
        return np.arange(found.start, found.stop) if isinstance(found, slice) else found

    def part(self, offset: int, length: int | None) -> Rows:
        """Return the rows from the place ``offset`` on, at most ``length``."""
        last = len(self) if length is None else min(offset + length, len(self))
        if self.listed is not None:
            # A copy: a view of a few would keep all of them in memory.
            return Rows.of(self.listed[offset:last].copy())
        if offset >= last:
            return Rows.of(np.empty(0, dtype="<i8"))
        if offset == 0 and last == len(self):
            return self
        a, b = (int(self.ends.searchsorted(place, "right")) for place in (offset, last - 1))
        before = int(self.ends[a - 1]) if a else 0
        starts, ends = self.starts[a : b + 1].copy(), self.ends[a : b + 1] - offset
        starts[0] += offset - before
        ends[-1] = last - offset
        return Rows(starts, ends)
