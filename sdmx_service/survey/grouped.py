"""Estimates from microdata that are read chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
from pyarrow import parquet

from sdmx_service.errors import DesignError
from sdmx_service.survey.cells import Grouping
from sdmx_service.survey.columns import ColumnNames, checked_weights
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.influence import Floats, Integers, Selection, beside_each_other
from sdmx_service.survey.joint import Composition, Estimates
from sdmx_service.survey.linear import (
    Outcome,
    UnitSums,
    centre_of,
    moments,
    ratio_sums,
    total_sums,
    unit_sums,
)
from sdmx_service.survey.outcome import known_numbers, refuse_beyond_share
from sdmx_service.survey.stages import StageColumns
from sdmx_service.survey.table import thin

__all__ = ["Chunks", "DesignColumns", "Microdata", "Partition", "StageNames", "read"]

# Rows that are in memory at a time; tables of units that are merged at a time.
_ROWS = 131_072
_PARTS = 16
_UNIT = "place of the unit"

# Yields the rows, some at a time, with the columns asked for; the same ones at every call.
Chunks = Callable[[Sequence[str]], Iterable[pl.DataFrame]]


class StageNames(NamedTuple):
    """The columns of a stage after the first, as in ``StageColumns``."""

    unit: str
    stratum: str | None = None
    fpc: str | None = None


@dataclass(frozen=True)
class DesignColumns:
    """The columns that describe the design, with the options of ``Design.from_columns``."""

    weight: str
    psu: str
    stratum: str | None = None
    fpc: str | None = None
    nested: bool = False
    lonely: Lonely = Lonely.FAIL
    adjust_domain: bool = False
    stages: tuple[StageNames, ...] = ()

    @property
    def labels(self) -> list[str]:
        """All columns but the weights."""
        names = [self.psu, self.stratum, self.fpc, *(name for one in self.stages for name in one)]
        return list(dict.fromkeys(name for name in names if name is not None))


@dataclass(frozen=True, eq=False)
class Partition:
    """Cells that do not overlap: ``code`` is the row number of a person's cell in ``keys``.

    Who has no code, or -1, is outside.
    """

    keys: pd.DataFrame
    code: pl.Expr


@dataclass(frozen=True, eq=False)
class Microdata:
    """A sample whose rows are not in memory.

    ``design`` has one row for each unit, the combination of labels in the columns of the design,
    whose weight is the sum of its rows'. Replicates made of it (``replicates.bootstrap``) may take
    its place; weights calibrated on it may not. What is in memory grows with units times cells,
    not with rows.
    """

    columns: DesignColumns
    design: Design
    n_rows: int
    units: pl.DataFrame = field(repr=False)
    chunks: Chunks = field(repr=False)

    def cells(self, *groupings: Sequence[str]) -> tuple[Partition, ...]:
        """Return for each list of columns the cells of all combinations of their labels.

        Keys have these columns. Who lacks a label is outside; no column is one cell of all.
        """
        names = list(dict.fromkeys(name for grouping in groupings for name in grouping))
        found: dict[str, set[object]] = {name: set() for name in names}
        for chunk in self.chunks(names):
            for name in names:
                labels = chunk.get_column(name).unique().drop_nulls()
                found[name].update(
                    labels.drop_nans().to_list() if labels.dtype.is_float() else labels
                )
        ordered = {name: sorted(found[name]) for name in names}  # type: ignore[type-var]
        return tuple(_combinations({name: ordered[name] for name in one}) for one in groupings)

    def total(
        self,
        partitions: Sequence[Partition],
        outcome: pl.Expr,
        *,
        universe: pl.Expr | None = None,
    ) -> Estimates:
        """Return the weighted totals of ``outcome`` by cell, as ``estimate.total``."""
        return self._linear(partitions, outcome, None, universe, Composition.SUM)

    def mean(
        self,
        partitions: Sequence[Partition],
        outcome: pl.Expr,
        *,
        universe: pl.Expr | None = None,
    ) -> Estimates:
        """Return the weighted means of ``outcome`` by cell, as ``estimate.mean``."""
        return self._linear(partitions, outcome, None, universe, Composition.AVERAGE)

    def proportion(
        self,
        partitions: Sequence[Partition],
        outcome: pl.Expr,
        *,
        universe: pl.Expr | None = None,
    ) -> Estimates:
        """Return the weighted shares of ``outcome`` by cell, as ``estimate.proportion``."""
        return self._linear(partitions, outcome, None, universe, Composition.AVERAGE, share=True)

    def ratio(
        self,
        partitions: Sequence[Partition],
        numerator: pl.Expr,
        denominator: pl.Expr,
        *,
        universe: pl.Expr | None = None,
    ) -> Estimates:
        """Return Y/X by cell, as ``estimate.ratio``."""
        return self._linear(partitions, numerator, denominator, universe, Composition.AVERAGE)

    def _linear(
        self,
        partitions: Sequence[Partition],
        y: pl.Expr,
        x: pl.Expr | None,
        universe: pl.Expr | None,
        composition: Composition,
        share: bool = False,
    ) -> Estimates:
        if self.design.calibration is not None:
            raise DesignError(
                "calibrated weights",
                got="a calibration of units",
                expected="weights of the microdata",
                hint="calibrate the rows and write the weights to their column",
            )
        asked = _Question(tuple(partitions), y, x, universe, share)
        sparsely = thin(self.design.n_psu, [len(one.keys) for one in partitions], self.n_rows)
        sums: list[UnitSums] = []
        centre = self._centre(asked)
        for part in self._parts(asked):
            outcome = Outcome(part.seen.weights, part.y, part.x, centre)
            found = [
                unit_sums(part.seen.rows(one), outcome, part.seen.missing(one), sparsely=sparsely)
                for one in part.groupings
            ]
            sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else found
        finish = total_sums if composition is Composition.SUM else ratio_sums
        keys = pd.concat([one.keys for one in partitions], ignore_index=True)
        whole = beside_each_other(
            (finish(sums.pop(0)) for _ in partitions),
            (self.design.n_psu, len(keys)),
            sparsely=sparsely,
        )
        return Estimates.of(self.design, keys, whole, composition, from_sums=True)

    def _centre(self, asked: _Question) -> float:
        """Return what sums are best taken around: the first rows tell as well as all would."""
        for part in self._parts(asked):
            if len(part.y):
                return centre_of(moments(part.seen.weights, part.y, part.x))
        return 0.0

    def _parts(self, asked: _Question) -> Iterator[_Part]:
        """Yield the rows of one chunk after the other."""
        labels, weight = self.columns.labels, self.columns.weight
        codes = {f"code {at}": one.code for at, one in enumerate(asked.partitions)}
        numbers = {"y": asked.y} | ({} if asked.x is None else {"x": asked.x})
        about = {} if asked.universe is None else {"universe": asked.universe}
        expressions = {**codes, **numbers, **about}
        needed = {name for one in expressions.values() for name in one.meta.root_names()}
        first = 1
        for chunk in self.chunks(list(dict.fromkeys([weight, *labels, *sorted(needed)]))):
            found = chunk.select(
                *(one.cast(pl.Int32).fill_null(-1).alias(name) for name, one in codes.items()),
                *(one.cast(pl.Float64).alias(name) for name, one in numbers.items()),
                *(one.fill_null(False).alias(name) for name, one in about.items()),
            )
            y, known = known_numbers(found.get_column("y"), first)
            if asked.share:
                refuse_beyond_share(y, first)
            x = None
            if asked.x is not None:
                x, known_x = known_numbers(found.get_column("x"), first)
                known &= known_x
            seen = Selection.of(
                chunk.get_column(weight).cast(pl.Float64).to_numpy(),
                self._unit(chunk),
                self.design.n_psu,
                known,
                found.get_column("universe").to_numpy() if about else None,
            )
            groupings = [
                Grouping(one.keys, found.get_column(name).to_numpy().astype(np.intp))
                for name, one in zip(codes, asked.partitions, strict=True)
            ]
            yield _Part(seen, groupings, y[seen.chosen], None if x is None else x[seen.chosen])
            first += chunk.height

    def _unit(self, chunk: pl.DataFrame) -> Integers:
        """Return the place of each row in the tables of sums."""
        labels = self.columns.labels
        joined = chunk.select(labels).join(self.units, on=labels, how="left", maintain_order="left")
        units: Integers = self.design.psu[joined.get_column(_UNIT).to_numpy()]
        return units


@dataclass(frozen=True, eq=False)
class _Question:
    partitions: tuple[Partition, ...]
    y: pl.Expr
    x: pl.Expr | None
    universe: pl.Expr | None
    share: bool


class _Part(NamedTuple):
    """The rows of one chunk that are seen, with their cells and outcomes."""

    seen: Selection
    groupings: list[Grouping]
    y: Floats
    x: Floats | None


def read(
    source: Path | pl.LazyFrame | Chunks, columns: DesignColumns, *, name: str = "sample"
) -> Microdata:
    """Return the sample that a Parquet file, a lazy frame or chunks hold, one row a person.

    It is read once for the design and again by every call that asks for estimates; chunks are a
    function of the columns wanted. Of a lazy frame polars reads ahead as much as it likes.
    ``name`` is how errors call the sample.

    Raises DesignError as ``Design.from_columns`` does.
    """
    chunks = _chunks_of(source)
    names = ColumnNames(
        name, columns.weight, columns.psu, columns.stratum or "stratum", columns.fpc or "fpc"
    )
    labels, parts, rows = columns.labels, [], 0
    for chunk in chunks([columns.weight, *labels]):
        if not chunk.height:
            continue
        called = names._replace(survey=f"{name}, rows after {rows:,}") if rows else names
        weights = chunk.get_column(columns.weight).cast(pl.Float64)
        if weights.null_count() or not weights.is_finite().all() or (weights < 0).any():
            checked_weights(weights.to_numpy(), called)
        parts.append(chunk.group_by(labels).agg(pl.col(columns.weight).cast(pl.Float64).sum()))
        rows += chunk.height
        if len(parts) > _PARTS:
            parts = [_merged(parts, columns)]
    if not parts:
        raise DesignError(name, got="no rows", expected="a sample of at least two PSUs")
    units = _merged(parts, columns).sort(labels)
    design = Design.from_columns(
        units.get_column(columns.weight).to_numpy(),
        psu=_column(units, columns.psu),
        stratum=_column(units, columns.stratum),
        fpc=_column(units, columns.fpc),
        nested=columns.nested,
        lonely=columns.lonely,
        names=names._replace(survey=f"{name}, a row a unit"),
        stages=[
            StageColumns(
                units.get_column(one.unit).to_pandas(),
                _column(units, one.stratum),
                _column(units, one.fpc),
            )
            for one in columns.stages
        ],
        adjust_domain=columns.adjust_domain,
    )
    places = units.select(labels).with_row_index(_UNIT)
    return Microdata(columns, design, rows, places, chunks)


def _merged(parts: list[pl.DataFrame], columns: DesignColumns) -> pl.DataFrame:
    return pl.concat(parts).group_by(columns.labels).agg(pl.col(columns.weight).sum())


def _column(units: pl.DataFrame, name: str | None) -> pd.Series | None:
    return None if name is None else units.get_column(name).to_pandas()


def _chunks_of(source: Path | pl.LazyFrame | Chunks) -> Chunks:
    if isinstance(source, Path):
        return partial(_chunks_of_file, source)
    if isinstance(source, pl.LazyFrame):
        return partial(_chunks_of_frame, source)
    return source


def _chunks_of_file(path: Path, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS, columns=list(names)):
            yield pl.DataFrame(pl.from_arrow(batch))


def _chunks_of_frame(frame: pl.LazyFrame, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    yield from frame.select(names).collect_batches(chunk_size=_ROWS, maintain_order=True)


def _combinations(labels: dict[str, list[object]]) -> Partition:
    """Return the cells of all combinations of labels."""
    keys, code = pd.DataFrame(index=[0]), pl.lit(0)
    for name, own in labels.items():
        keys = keys.merge(pd.DataFrame({name: own}), how="cross")
        place = pl.col(name).replace_strict(
            own, range(len(own)), default=None, return_dtype=pl.Int64
        )
        code = code * len(own) + place
    return Partition(keys, code)
