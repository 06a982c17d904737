"""Small answers: one series written from mapped columns, without the fixed costs of a frame.

What a code, a number or nothing looks like is learnt from the format's own writer, which writes a
few rows of every code there is; so both write the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import orjson
import polars as pl

from sdmx_service.release.image import Image
from sdmx_service.release.mapped import Codes, Column, Lists, Numbers

__all__ = ["MOST_CODES", "Field", "Write", "field", "probe", "rows"]

# A dictionary longer than this is not learnt by heart.
MOST_CODES = 20_000
Write = Callable[[int, int], bytes]
"""Writes the whole message with the rows from one number up to another, all of one series."""

_NUMBER, _WHOLE = 1.5, 15
_SPECIAL = (float("nan"), float("inf"), float("-inf"))


def probe(image: Image, names: Sequence[str]) -> tuple[pl.DataFrame, dict[str, list[int]]] | None:
    """Return rows that have every code, and of each column which row shows what.

    What is shown of a column are its codes, then null; of numbers 1.5 (15), NaN, INF, -INF, then
    null. None where a dictionary is too long, a column has lists, or there is nothing to show.
    """
    most, columns = 5, []
    for name in names:
        column = image.columns[name]
        if isinstance(column, Lists):
            return None
        if isinstance(column, Codes):
            most = max(most, column.size + 1)
    if most > MOST_CODES or not image.height:
        return None
    keys = {dimension.id for dimension in image.structure.key}
    shows: dict[str, list[int]] = {}
    for name in names:
        column = image.columns[name]
        if isinstance(column, Codes):
            table = pl.concat([column.dictionary, pl.Series([None], dtype=pl.String)])
            # A key without one of its codes would be another kind of row.
            size = column.size if name in keys else column.size + 1
            if not size:
                return None
            columns.append(table.gather(np.arange(most) % size).cast(column.kind).alias(name))
        else:
            shown = [_NUMBER, *_SPECIAL, None] if column.kind.is_float() else [_WHOLE, None]
            size = len(shown)
            texts = [shown[place % size] for place in range(most)]
            columns.append(pl.Series(name, texts, dtype=column.kind))
        shows[name] = list(range(size))
    return pl.DataFrame(columns), shows


@dataclass(frozen=True)
class Field:
    """A column as the bytes of its cells.

    ``texts`` are those of each code, null at the end; of numbers only what has no digits: NaN, INF,
    -INF, null. ``before`` and ``after`` stand around a number.
    """

    column: Codes | Numbers
    texts: Sequence[bytes]
    before: bytes = b""
    after: bytes = b""

    def one(self, row: int) -> bytes:
        """Return the cell of one row."""
        if isinstance(self.column, Codes):
            text: bytes = self.texts[self.column.values[row]]
            return text
        return self.many(row, row + 1)[0]

    def many(self, first: int, last: int) -> list[bytes]:
        """Return the cells of rows."""
        column = self.column
        if isinstance(column, Codes):
            return list(map(self.texts.__getitem__, column.values[first:last].tolist()))
        values = column.values[first:last]
        digits = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
        before, after = self.before, self.after
        found = digits[1:-1].split(b",")
        if before or after:
            found = [before + text + after for text in found]
        if b"n" in digits:  # null: what is no number
            for place, value in enumerate(values.tolist()):
                if value != value:
                    found[place] = self.texts[0]
                elif value in (_SPECIAL[1], _SPECIAL[2]):
                    found[place] = self.texts[1 if value > 0 else 2]
        if column.valid is not None:
            there = column.valid[first:last]
            if not there.all():
                for place in np.flatnonzero(there == 0).tolist():
                    found[place] = self.texts[-1]
        return found


def field(column: Column, shown: Sequence[bytes]) -> Field | None:
    """Return what writes a column, from what its probe looks like; None where that is not clear."""
    if isinstance(column, Lists):
        return None
    if isinstance(column, Codes):
        return Field(column, [*shown, b""] if len(shown) == column.size else shown)
    digits = b"1.5" if column.kind.is_float() else b"15"
    before, found, after = shown[0].partition(digits)
    if not found:
        return None
    return Field(column, shown[1:], before, after)


def rows(
    fields: Sequence[Field], steady: Mapping[int, bool], between: bytes, first: int, last: int
) -> list[bytes]:
    """Return rows of one series; fields that are ``steady`` by their place are made once."""
    parts: list[list[bytes] | repeat[bytes]] = []
    same: list[bytes] = []
    for place, one in enumerate(fields):
        if steady[place]:
            same.append(one.one(first))
            continue
        if same:
            parts.append(repeat(between.join(same)))
            same = []
        parts.append(one.many(first, last))
    if same:
        parts.append(repeat(between.join(same), last - first))
    return list(map(between.join, zip(*parts, strict=False)))
