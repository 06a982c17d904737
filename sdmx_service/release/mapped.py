"""Columns of a table in mapped files: codes with their dictionary, numbers with what is missing."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Array", "Codes", "Column", "Numbers", "Texts", "code_type", "mapped"]

Array = NDArray[Any]


def mapped(path: Path, kind: str) -> Array:
    """Return the file as a read-only array; processes that map it share its pages."""
    with path.open("rb") as stream:
        if not path.stat().st_size:
            return np.empty(0, dtype=kind)
        return np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), dtype=kind)


def code_type(codes: int) -> str:
    """Return the smallest unsigned type for that many codes and one more, which is null."""
    return next(kind for kind in ("u1", "u2", "u4", "u8") if codes <= np.iinfo(kind).max)


@dataclass(frozen=True)
class Texts:
    """A long list of texts in two files: their bytes one after another, and where each begins."""

    content: Array
    offsets: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, place: int) -> str:
        return bytes(self.content[self.offsets[place] : self.offsets[place + 1]]).decode()

    def series(self) -> pl.Series:
        """Return all of them in memory."""
        whole = bytes(self.content)
        ends = self.offsets.tolist()
        return pl.Series([whole[a:b].decode() for a, b in pairwise(ends)], dtype=pl.String)


@dataclass(frozen=True)
class Codes:
    """A column of codes: positions in a dictionary; one past its end is null.

    ``kind`` is Enum, of a coded component, or String: the texts there are, in order.
    """

    name: str
    values: Array
    kind: pl.DataType
    texts: Texts | None
    nulls: bool

    @property
    def size(self) -> int:
        """How many codes there are; also the position that stands for null."""
        return len(self.dictionary)

    @cached_property
    def dictionary(self) -> pl.Series:
        """The codes as texts, in order."""
        if isinstance(self.kind, pl.Enum):
            return self.kind.categories
        assert self.texts is not None  # a column of texts has them
        return self.texts.series()

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Map each code to its position."""
        return {text: place for place, text in enumerate(self.dictionary.to_list())}

    @cached_property
    def _table(self) -> pl.Series:
        return pl.concat([self.dictionary, pl.Series([None], dtype=pl.String)])

    def series(self, rows: slice | Array) -> pl.Series:
        """Return some rows, typed as ``kind``."""
        values = self.values[rows]
        codes = pl.Series(self.name, values)
        if not isinstance(self.kind, pl.Enum):
            return self._table.gather(codes).alias(self.name)
        if self.nulls:
            present = pl.when(pl.col(self.name) != self.size).then(pl.col(self.name))
            return codes.to_frame().select(present.cat.to(self.kind)).to_series()
        typed: pl.Series = codes.cat.to(self.kind)
        return typed


@dataclass(frozen=True)
class Numbers:
    """A column of numbers; ``valid`` is 0 where there is none, None where all are there."""

    name: str
    values: Array
    valid: Array | None

    @property
    def kind(self) -> pl.DataType:
        """The column type."""
        return pl.Float64() if self.values.dtype.kind == "f" else pl.Int64()

    def series(self, rows: slice | Array) -> pl.Series:
        """Return some rows."""
        values = pl.Series(self.name, self.values[rows])
        if self.valid is None:
            return values
        there = pl.Series(self.valid[rows]).cast(pl.Boolean)
        return pl.select(pl.when(there).then(values).alias(self.name)).to_series()


Column = Codes | Numbers
