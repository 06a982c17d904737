"""Rows that a reader collects, turned into the columns of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.dataset import ROWS_A_PIECE, DataSet
from sdmx_service.formats.textcells import cells, united
from sdmx_service.structures.artefacts import Component, DataStructure

__all__ = ["Rows"]

Row = Mapping[str, object]


@dataclass
class Rows:
    """What is read of one data set: rows by component id, typed ``ROWS_A_PIECE`` at a time.

    ``where`` names the data set in errors.
    """

    structure: DataStructure
    where: str
    deleted: bool = False
    height: int = 0
    _waiting: list[tuple[str, Row, bool]] = field(default_factory=list)
    _parts: list[dict[str, pl.Series]] = field(default_factory=list)
    _heights: list[int] = field(default_factory=list)

    def add(self, row: Row, place: str, *, whole: bool = False) -> None:
        """Keep a row; ``place`` says where it stands, ``whole`` that it needs a full key."""
        self._waiting.append((place, row, whole and not self.deleted))
        if len(self._waiting) >= ROWS_A_PIECE:
            self._flush()

    def add_columns(self, columns: Mapping[str, pl.Series], height: int) -> None:
        """Keep rows that are columns already; those that stand for a component each."""
        self._flush()
        self._parts.append(dict(columns))
        self._heights.append(height)
        self.height += height

    def into(self, empty: DataSet) -> DataSet:
        """Return ``empty`` with the rows: a column for each component that has a value."""
        self._flush()
        frame = self._frame()
        keys = [one.id for one in self.structure.key]
        partial = any(
            one not in frame.columns or frame.get_column(one).null_count() > 0 for one in keys
        )
        listed = self.structure.timed and self.structure.time.id not in frame.columns
        if listed and not self.deleted:
            partial = any(
                one not in frame.columns or frame.get_column(one).null_count() > 0
                for one in keys[:-1]
            )
        return replace(empty, frame=frame, partial=partial and frame.height > 0)

    def _frame(self) -> pl.DataFrame:
        made: list[pl.Series] = []
        for component in self.structure.components:
            present = [part[component.id] for part in self._parts if component.id in part]
            if not present or all(one.null_count() == len(one) for one in present):
                continue
            kind = united([one.clear() for one in present]).dtype
            made.append(
                united(
                    [
                        part[component.id]
                        if component.id in part
                        else pl.Series(component.id, [None] * height, dtype=kind)
                        for part, height in zip(self._parts, self._heights, strict=True)
                    ]
                ).alias(component.id)
            )
        if made or not self.height:
            return pl.DataFrame(made)
        # Rows that name no component at all, such as "delete everything", still are rows.
        first = self.structure.key[0]
        return pl.DataFrame({first.id: pl.Series([None] * self.height, dtype=pl.String)})

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = [row for _, row, _ in self._waiting]
        shapes = dict.fromkeys(map(tuple, rows))
        nothing: Row = dict.fromkeys(name for shape in shapes for name in shape)
        across = zip(*({**nothing, **row}.values() for row in rows), strict=True)
        part = {}
        for name, values in zip(nothing, across, strict=True):
            component = self._component(name)
            part[name] = cells(component, values, self._place, self.deleted)
        self._refuse_partial(part)
        self._parts.append(part)
        self._heights.append(len(rows))
        self.height += len(rows)
        self._waiting.clear()

    def _refuse_partial(self, part: Mapping[str, pl.Series]) -> None:
        for dimension in self.structure.key:
            column = part.get(dimension.id)
            if column is not None and not column.null_count():
                continue
            for at, (_, _, whole) in enumerate(self._waiting):
                if whole and (column is None or column[at] is None):
                    raise DataError(
                        self._place(at),
                        got=f"no {dimension.id}",
                        expected=f"a value of each dimension of {self.structure.id}",
                    )

    def _place(self, row: int) -> str:
        return f"{self.where}, {self._waiting[row][0]}"

    def _component(self, name: str) -> Component:
        component = self.structure.by_id.get(name)
        if component is None:
            at = next(at for at, (_, row, _) in enumerate(self._waiting) if name in row)
            raise DataError(
                self._place(at),
                got=name[:80],
                expected=f"a component of {self.structure.id}",
                hint=f"one of {', '.join(self.structure.by_id)}"[:500],
            )
        return component
