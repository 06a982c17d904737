"""One row a series: its codes, where its observations lie, a packed key to search, its periods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sdmx_service.errors import ReleaseError
from sdmx_service.release.mapped import Array, mapped
from sdmx_service.structures.artefacts import Attachment, DataStructure

__all__ = ["SeriesTable", "Some", "write_series"]

_ROWS = 1 << 20
# Beyond this many words of 64 periods a series, reading the periods of rows is no slower.
_MOST_WORDS = 16
_LARGEST = 2**63 - 1
Some = slice | Array
"""Series by their numbers: a range, or those listed in ascending order."""


def write_series(
    structure: DataStructure, columns: Mapping[str, Array], height: int, folder: Path
) -> dict[str, Any]:
    """Write the table of series of a table of observations; return what to know of it.

    ``columns`` are the codes of each coded component, the bits of each number. Raises ReleaseError
    for rows that are not in the order of their key, or share one.
    """
    names = [dimension.id for dimension in structure.dimensions]
    steady = {a.id for a in structure.attributes if a.attachment is not Attachment.OBSERVATION}
    time = structure.time.id if structure.timed else None
    found = []
    for first in range(0, height, _ROWS):
        rows = slice(max(first - 1, 0), min(first + _ROWS, height))
        part = {n: columns[n][rows] for n in (*names, *([time] if time else []), *steady)}
        changed = _changed(structure.id, part, names, time)
        for name in list(steady):
            if ((part[name][1:] != part[name][:-1]) & ~changed).any():
                steady.remove(name)
        found.append(np.flatnonzero(changed) + rows.start + 1)
    begins = np.concatenate([np.zeros(min(height, 1), dtype="<i8"), *found]).astype("<i8")
    ends = np.append(begins, height).astype("<i8")
    ends.tofile(folder / "series.starts")
    present = []
    for number, name in enumerate(names):
        codes = columns[name][begins]
        codes.tofile(folder / f"series.d{number:03}")
        present.append(np.unique(codes).tolist())
    words = _words([len(codes) for codes in present])
    for number, word in enumerate(words):
        key = np.zeros(len(begins), dtype="<i8")
        for place in word:
            rank = np.searchsorted(np.array(present[place]), columns[names[place]][begins])
            key = key * len(present[place]) + rank
        key.astype("<i8").tofile(folder / f"series.key{number}")
    periods = 0 if time is None else _write_periods(columns[time], ends, folder)
    return {"series": len(begins), "steady": sorted(steady), "present": present, "periods": periods}


def _changed(
    table: str, part: Mapping[str, Array], names: Sequence[str], time: str | None
) -> Array:
    """Return of each row but the first whether it opens a series."""
    height = len(next(iter(part.values())))
    changed = np.zeros(height - 1, dtype=bool)
    alike = np.ones(height - 1, dtype=bool)
    for name in (*names, *([time] if time else [])):
        before, now = part[name][:-1], part[name][1:]
        # Rows are in order if the first component that differs is the larger one.
        if (alike & (now < before)).any():
            raise ReleaseError(
                f"table of {table}", got=f"{name} out of order", expected="rows sorted by key"
            )
        alike &= now == before
        if name != time:
            changed |= now != before
    if alike.any():
        raise ReleaseError(f"table of {table}", got="a key twice", expected="each key once")
    return changed


def _words(sizes: Sequence[int]) -> list[list[int]]:
    """Return the dimensions packed into each word: as many as 63 bits hold."""
    words: list[list[int]] = [[]]
    product = 1
    for place, size in enumerate(sizes):
        if words[-1] and product * max(size, 1) > _LARGEST:
            words.append([])
            product = 1
        words[-1].append(place)
        product *= max(size, 1)
    return words


def _write_periods(time: Array, ends: Array, folder: Path) -> int:
    """Write of each series the bits of its periods; return how many words that takes."""
    most = max((int(time[a : a + _ROWS].max()) for a in range(0, len(time), _ROWS)), default=0)
    words = most // 64 + 1
    if words > _MOST_WORDS:
        return 0
    with (folder / "series.periods").open("wb") as stream:
        for rows, begins in _whole_series(ends):
            codes = time[rows].astype("<u8")
            bits = np.zeros((len(begins), words), dtype="<u8")
            for word in range(words):
                here = np.where(codes >> 6 == word, np.uint64(1) << (codes & np.uint64(63)), 0)
                bits[:, word] = np.bitwise_or.reduceat(here.astype("<u8"), begins)
            stream.write(bits.tobytes())
    return words


def _whole_series(ends: Array) -> Iterator[tuple[slice, Array]]:
    """Yield rows of whole series, and where in them each series begins."""
    first, count = 0, len(ends) - 1
    while first < count:
        last = int(np.searchsorted(ends, ends[first] + _ROWS, "right")) - 1
        last = min(max(last, first + 1), count)
        yield slice(int(ends[first]), int(ends[last])), ends[first:last] - ends[first]
        first = last


@dataclass(frozen=True)
class SeriesTable:
    """The series of a table, in the order of their keys.

    ``starts`` has one entry more than there are series: where the last one ends. ``codes`` has the
    codes of each dimension in key order, ``present`` those that occur, ``words`` the packed keys.
    ``periods`` has a row of bits a series, one bit a period in order, or no column at all.
    """

    starts: Array
    codes: tuple[Array, ...]
    present: tuple[Array, ...]
    words: tuple[Array, ...]
    periods: Array

    @classmethod
    def read(cls, folder: Path, kinds: Sequence[str], said: Mapping[str, Any]) -> SeriesTable:
        """Map the table out of the folder of an image; ``kinds`` are the types of its codes."""
        present = tuple(np.array(codes, dtype="<i8") for codes in said["present"])
        count, words = said["series"], said["periods"]
        packed = _words([len(codes) for codes in present])
        bits = mapped(folder / "series.periods", "<u8") if words else np.empty(0, dtype="<u8")
        return cls(
            mapped(folder / "series.starts", "<i8"),
            tuple(mapped(folder / f"series.d{n:03}", kind) for n, kind in enumerate(kinds)),
            present,
            tuple(mapped(folder / f"series.key{n}", "<i8") for n in range(len(packed))),
            bits.reshape(count, words) if words else bits.reshape(0, 0),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def _packed(self) -> list[tuple[Array, list[int]]]:
        """Each word with the numbers of codes present in the dimensions packed into it."""
        sizes = [len(codes) for codes in self.present]
        groups = _words(sizes)
        return [
            (word, [sizes[place] for place in group])
            for word, group in zip(self.words, groups, strict=True)
        ]

    def range(self, ranks: Sequence[int]) -> tuple[int, int]:
        """Return the first and the end of the series whose first dimensions have these codes.

        ``ranks`` are places among the codes present.
        """
        low, high, place = 0, len(self), 0
        for word, sizes in self._packed:
            least, span = 0, 1
            for size in sizes:
                if place < len(ranks):
                    least = least * size + ranks[place]
                    place += 1
                else:
                    least, span = least * size, span * size
            part = word[low:high]
            high = low + int(part.searchsorted(least + span))
            low += int(part.searchsorted(least))
            if low >= high or place == len(ranks):
                break
        return low, high

    def where(self, allowed: Mapping[int, Array]) -> Some:
        """Return the series whose codes are allowed: dimension -> of each code whether it is.

        Leading dimensions of one code are searched, the others looked up in what is left.
        """
        ranks: list[int] = []
        masks: dict[int, Array] = {}
        leading = True
        for place, present in enumerate(self.present):
            good = allowed[place][present] if place in allowed else np.ones(len(present), bool)
            if not good.any():
                return slice(0, 0)
            if leading and np.count_nonzero(good) == 1:
                ranks.append(int(np.flatnonzero(good)[0]))
                continue
            leading = False
            if not good.all():
                masks[place] = allowed[place]
        low, high = self.range(ranks) if ranks else (0, len(self))
        found: Some = slice(low, high)
        # The sharpest test first: what it leaves is all that the others look at.
        for place in sorted(masks, key=lambda p: np.count_nonzero(masks[p]) / len(self.present[p])):
            kept = np.flatnonzero(masks[place][self.codes[place][found]])
            found = kept + found.start if isinstance(found, slice) else found[kept]
        return found

    def among(self, several: Sequence[Mapping[int, Array]]) -> Array:
        """Return the series that at least one of several tests allows, each as ``where`` has it.

        Sixty-four tests at a time, a bit each, so that many cost little more than one.
        """
        found = np.zeros(len(self), dtype=bool)
        alike = sorted(several, key=lambda allowed: sorted(allowed))
        for first in range(0, len(alike), 64):
            part = alike[first : first + 64]
            left = np.full(len(self), (1 << len(part)) - 1, dtype="<u8")
            for place in sorted({place for allowed in part for place in allowed}):
                size = len(next(allowed[place] for allowed in part if place in allowed))
                bits = np.zeros(size, dtype="<u8")
                for number, allowed in enumerate(part):
                    bit = np.uint64(1 << number)
                    bits |= allowed[place] * bit if place in allowed else bit
                left &= bits[self.codes[place]]
            found |= left != 0
        return np.flatnonzero(found)
