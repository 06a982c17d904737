"""Observations of one dataflow under one action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.cube import TEXTS
from sdmx_service.formats.action import Action
from sdmx_service.structures.artefacts import Component, Dataflow, DataStructure

__all__ = [
    "MISSING",
    "ROWS_A_CHUNK",
    "ROWS_A_PIECE",
    "SWITCHED_OFF",
    "TEXTS",
    "Block",
    "Context",
    "DataSet",
    "Indexed",
    "Provision",
    "Table",
]

ROWS_A_CHUNK = 50_000
# What is written is larger than what it is written from: pieces stay within the caches.
ROWS_A_PIECE = 16_384
# SDMX 3.1, section 2: the text of an intentionally missing value that is no float, and of a
# dimension that the attributes of a row do not hang on.
MISSING = "#N/A"
SWITCHED_OFF = "~"
Array = NDArray[Any]


@runtime_checkable
class Table(Protocol):
    """Rows that come chunk by chunk, as often as asked for; each chunk is a polars frame."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column names in order, with their types."""

    @property
    def height(self) -> int:
        """How many rows there are."""

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``rows`` at a time."""


@runtime_checkable
class Indexed(Table, Protocol):
    """A table that knows its series, and its texts as codes."""

    def coded(self) -> Indexed:
        """Return the same rows, with texts as Enum unless there are too many of them."""

    def used(self, name: str) -> pl.Series | None:
        """Return the codes of a column that occur, as texts in order; None of numbers."""

    def runs(
        self, above: Sequence[str], below: Sequence[str], rows: int
    ) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, Array, bool]]:
        """Yield the rows in order, at most ``rows`` at a time, as the parts of a ``Block``."""


@dataclass(frozen=True)
class Block:
    """Some rows, told apart by series: what a series says once, and what each row says.

    ``heads`` has a row for each run of rows of one series, ``begins`` says where it begins among
    ``rows``; ``opens`` whether the first of them begins a series, instead of going on with one.
    """

    heads: pl.DataFrame
    rows: pl.DataFrame
    begins: Array
    opens: bool

    def spread(self, texts: pl.Series) -> pl.Series:
        """Return a text a head as one a row."""
        lengths = np.diff(self.begins, append=self.rows.height)
        return texts.gather(np.repeat(np.arange(len(self.begins), dtype="u4"), lengths))

    def before(self, texts: pl.Series, otherwise: str) -> pl.Series:
        """Return for each row the text of the head that begins a series there, or another."""
        at = np.zeros(self.rows.height, dtype="u4")
        at[self.begins] = np.arange(1, len(self.begins) + 1)
        if not self.opens and len(at):
            at[0] = 0
        return pl.concat([pl.Series([otherwise], dtype=pl.String), texts]).gather(at)


class Context(Enum):
    """What the observations are reported against; values are the words of SDMX-CSV 2.x."""

    DATAFLOW = "dataflow"
    DATA_STRUCTURE = "datastructure"
    PROVISION = "dataprovision"


@dataclass(frozen=True)
class Provision:
    """A provision agreement, where data are reported against one."""

    agency: str
    id: str
    version: str
    name: Mapping[str, str]


@dataclass(frozen=True)
class DataSet:
    """Observations of one dataflow under one action.

    ``frame`` has one column a component, in structure order: coded ones as Enum (String where
    the list is open), numbers typed, Decimal may be text; several values as List; multilingual
    texts as ``TEXTS`` (several of them as List(TEXTS)). Null is not reported; NaN, and "#N/A" of
    anything that is no float, is intentionally missing. A row whose dimensions are partly null
    carries attributes of that partial key; "~" in a dimension switches it off. Rows of a series
    are next to each other. Without the time dimension it is a list of series.

    ``steady`` names attributes known not to change inside a series, ``partial`` says whether
    there are rows with partial keys; None leaves either to be looked up.
    """

    flow: Dataflow
    frame: pl.DataFrame | Table
    action: Action = Action.INFORMATION
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    context: Context = Context.DATAFLOW
    provision: Provision | None = None
    steady: frozenset[str] | None = None
    partial: bool | None = None

    @property
    def structure(self) -> DataStructure:
        """The data structure of the flow."""
        return self.flow.structure

    @property
    def subject(self) -> Dataflow | DataStructure | Provision:
        """The artefact that the observations are reported against."""
        if self.context is Context.DATA_STRUCTURE:
            return self.flow.structure
        if self.context is Context.PROVISION and self.provision is not None:
            return self.provision
        return self.flow

    @cached_property  # polars makes it anew, list of codes by list of codes
    def schema(self) -> Mapping[str, pl.DataType]:
        """The columns, in order, with their types."""
        return self.frame.schema

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.frame.height

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """The components that have a column, in the order of the columns."""
        return tuple(self.structure.by_id[name] for name in self.schema)

    def chunks(self, rows: int = ROWS_A_CHUNK) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``rows`` at a time, as often as asked for."""
        if not isinstance(self.frame, pl.DataFrame):
            yield from self.frame.chunks(rows)
            return
        for offset in range(0, self.frame.height, rows):
            yield self.frame.slice(offset, rows)

    @property
    def index(self) -> Indexed | None:
        """The table where it knows the series of its rows, which are all observations."""
        indexed = isinstance(self.frame, Indexed) and not self.has_partial_keys
        return self.frame if indexed else None  # type: ignore[return-value]

    def coded(self) -> DataSet:
        """Return the data set with its texts as codes where its table has them so."""
        return self if self.index is None else replace(self, frame=self.index.coded())

    def collected(self) -> pl.DataFrame:
        """Return all rows as one frame, in memory."""
        if isinstance(self.frame, pl.DataFrame):
            return self.frame
        parts = list(self.frame.chunks(ROWS_A_CHUNK))
        return pl.concat(parts) if parts else pl.DataFrame(schema=dict(self.frame.schema))

    @cached_property
    def has_partial_keys(self) -> bool:
        """Whether a row carries attributes of a partial key instead of an observation."""
        if self.partial is not None:
            return self.partial
        names = [dimension.id for dimension in self.structure.key]
        present = [name for name in names if name in self.schema]
        if len(present) < len(names) - self.structure.timed:
            return True  # a dimension without a column is null in every row
        return any(
            chunk.get_column(name).null_count() for chunk in self._wholes() for name in present
        )

    def _wholes(self) -> Iterator[pl.DataFrame]:
        if isinstance(self.frame, pl.DataFrame):
            yield self.frame
        else:
            yield from self.frame.chunks(ROWS_A_CHUNK)
