"""Columns of a table in mapped files: codes with their dictionary, lists, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

__all__ = [
    "Array",
    "Codes",
    "Column",
    "Lists",
    "Numbers",
    "Texts",
    "code_type",
    "mapped",
    "mapped_lists",
    "write_lists",
]

Array = NDArray[Any]
# A list of texts longer than this is no longer a list of codes to anyone who writes it.
_MOST_CODES = 65_535
_ROWS = 1 << 20


def mapped(path: Path, kind: str) -> Array:
    """Return the file as a read-only array; processes that map it share its pages."""
    if not path.stat().st_size:
        return np.empty(0, dtype=kind)
    # Arrow keeps the pages without the file: a hundred columns would be a hundred open files.
    with pa.memory_map(str(path)) as stream:
        return np.frombuffer(stream.read_buffer(), dtype=kind)


def code_type(codes: int) -> str:
    """Return the smallest unsigned type for that many codes and one more, which is null."""
    return next(kind for kind in ("u1", "u2", "u4", "u8") if codes <= np.iinfo(kind).max)


def write_lists(lists: pl.Series, path: Path) -> None:
    """Write lists into a file that ``mapped_lists`` maps."""
    table = lists.to_frame().to_arrow()
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)


def mapped_lists(path: Path) -> pa.Table:
    """Return the file as a table of one column, of which processes share the pages."""
    with pa.memory_map(str(path)) as stream, pa.ipc.open_file(stream) as reader:
        return reader.read_all()


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
    def listed(self) -> pl.Series:
        """The codes as the column has them, in order."""
        return self.dictionary.cast(self.kind).alias(self.name)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Map each code to its position."""
        return {text: place for place, text in enumerate(self.dictionary.to_list())}

    @cached_property
    def coded(self) -> pl.DataType:
        """The type that keeps the codes: an Enum of texts too, unless there are too many."""
        if isinstance(self.kind, pl.Enum) or self.size > _MOST_CODES:
            return self.kind
        return pl.Enum(self.dictionary)

    @cached_property
    def present(self) -> pl.Series:
        """The codes that occur in the whole column as texts, in order."""
        return self.used([self.values])

    def used(self, parts: Iterable[Array]) -> pl.Series:
        """Return the codes that occur in parts of the column as texts, in order."""
        return self.dictionary.gather(_seen(parts, self.size))

    def raw(self, rows: slice | Array) -> list[pl.Series]:
        """Return what ``typed`` makes the column from."""
        return [pl.Series(self.name, self.values[rows])]

    def typed(self, *, coded: bool) -> pl.Expr:
        """Return the column as ``kind``, or as the type that keeps the codes."""
        return self._as_codes if coded or isinstance(self.kind, pl.Enum) else self._as_texts

    @cached_property
    def _as_codes(self) -> pl.Expr:
        if not isinstance(self.coded, pl.Enum):
            return self._as_texts
        codes = pl.col(self.name)
        present = pl.when(codes != self.size).then(codes) if self.nulls else codes
        typed: pl.Expr = present.cat.to(self.coded)
        return typed

    @cached_property
    def _as_texts(self) -> pl.Expr:
        table = pl.concat([self.dictionary, pl.Series([None], dtype=pl.String)])
        return pl.lit(table).gather(pl.col(self.name)).alias(self.name)


@dataclass(frozen=True)
class Lists:
    """A column of lists: positions in a table of those there are; one past its end is null.

    ``kind`` is a List of codes, numbers or texts, or one of texts by language.
    """

    name: str
    values: Array
    kind: pl.DataType
    table: pa.Table

    @cached_property
    def listed(self) -> pl.Series:
        """The lists that there are, each once."""
        return pl.DataFrame(pl.from_arrow(self.table)).to_series().cast(self.kind).alias(self.name)

    @property
    def size(self) -> int:
        """How many lists there are; also the position that stands for null."""
        return int(self.table.num_rows)

    @cached_property
    def present(self) -> pl.Series | None:
        """The codes or texts that occur in the whole column, in order; None of others."""
        return self.used([self.values])

    def used(self, parts: Iterable[Array]) -> pl.Series | None:
        """Return the codes or texts that occur in parts of the column, in order; None of others."""
        inner = self.kind.inner if isinstance(self.kind, pl.List) else None
        if not isinstance(inner, (pl.Enum, pl.String)):
            return None
        values = self.listed.gather(_seen(parts, self.size)).list.explode(empty_as_null=False)
        # An Enum is in the order of its codes.
        return values.unique().sort().cast(pl.String)

    def raw(self, rows: slice | Array) -> list[pl.Series]:
        """Return what ``typed`` makes the column from."""
        return [pl.Series(self.name, self.values[rows])]

    def typed(self, *, coded: bool) -> pl.Expr:
        """Return the column."""
        return self._as_lists

    @cached_property
    def _as_lists(self) -> pl.Expr:
        table = pl.concat([self.listed, pl.Series([None], dtype=self.kind)])
        return pl.lit(table).gather(pl.col(self.name)).alias(self.name)


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

    def raw(self, rows: slice | Array) -> list[pl.Series]:
        """Return what ``typed`` makes the column from."""
        values = pl.Series(self.name, self.values[rows])
        if self.valid is None:
            return [values]
        return [values, pl.Series(f"{self.name}\0", self.valid[rows])]

    def typed(self, *, coded: bool) -> pl.Expr:
        """Return the column."""
        values = pl.col(self.name)
        if self.valid is None:
            return values
        return pl.when(pl.col(f"{self.name}\0") != 0).then(values).alias(self.name)


Column = Codes | Lists | Numbers


def _seen(parts: Iterable[Array], size: int) -> Array:
    """Return the positions below ``size`` that occur, in order."""
    seen = np.zeros(size + 1, dtype=bool)
    for part in parts:
        for first in range(0, len(part), _ROWS):
            seen[part[first : first + _ROWS]] = True
        if seen[:-1].all():
            break
    return np.flatnonzero(seen[:-1])
