"""Where the series of a table begin, and what is said once a series."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from sdmx_service.formats.message import DataMessage
from sdmx_service.structures.artefacts import Component

__all__ = ["ROWS_A_CHUNK", "Layout", "layout", "renderer"]

ROWS_A_CHUNK = 50_000
_MARK = "\x00"


@dataclass(frozen=True)
class Layout:
    """The order of a message: dimensions and attributes by the level they are reported at.

    ``starts`` says of each row whether it opens a series. ``observed`` is false for a message
    that lists series without observations.
    """

    frame: pl.DataFrame
    starts: pl.Series
    dimensions: tuple[Component, ...]
    series_attributes: tuple[Component, ...]
    observation_attributes: tuple[Component, ...]
    observed: bool
    measured: bool

    def chunks(self) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
        """Yield the rows and their series starts, some ten thousand at a time."""
        for offset in range(0, self.frame.height, ROWS_A_CHUNK):
            yield self.frame.slice(offset, ROWS_A_CHUNK), self.starts.slice(offset, ROWS_A_CHUNK)


def layout(message: DataMessage) -> Layout:
    """Return where series begin and what stands at which level.

    A series attribute that changes inside a series goes with the observations: SDMX lets a
    message attach an attribute lower than its structure does.
    """
    frame, structure = message.frame, message.flow.structure
    present = set(frame.columns)
    names = [dimension.id for dimension in structure.dimensions]
    starts = _changes(frame, names)
    observed = structure.time.id in present
    once: list[Component] = []
    each: list[Component] = []
    for attribute in structure.attributes:
        if attribute.id not in present:
            continue
        whole = attribute in structure.series_attributes
        steady = whole and not (_changes(frame, [attribute.id]) & ~starts).any()
        (once if steady or not observed else each).append(attribute)
    if message.flat and observed:
        once, each = [], [a for a in structure.attributes if a.id in present]
    return Layout(
        frame,
        starts,
        structure.dimensions,
        tuple(once),
        tuple(each),
        observed,
        structure.measure.id in present,
    )


def _changes(frame: pl.DataFrame, names: list[str]) -> pl.Series:
    columns = [pl.col(name).to_physical() for name in names]
    changed = pl.any_horizontal(column.ne_missing(column.shift(1)) for column in columns)
    return frame.select(changed.or_(pl.int_range(pl.len()) == 0).alias("starts")).get_column(
        "starts"
    )


def renderer(column: pl.Series, render: Callable[[str], str]) -> Callable[[pl.Series], pl.Series]:
    """Return a function that renders slices of ``column``; a missing value stays null.

    ``render`` is called once a code, or once a distinct text; never once a cell. Numbers go in
    their shortest form that reads back the same.
    """
    if isinstance(column.dtype, pl.Enum) and len(column) >= len(column.dtype.categories):
        table = pl.Series([render(code) for code in column.dtype.categories], dtype=pl.String)
        return lambda part: table.gather(part.to_physical())
    if column.dtype.is_numeric():
        before, _, after = render(_MARK).partition(_MARK)
        return lambda part: _numbers(part, before, after)
    return lambda part: _texts(part.cast(pl.String), render)


def _numbers(part: pl.Series, before: str, after: str) -> pl.Series:
    text = part.cast(pl.String)
    if part.dtype.is_float() and part.is_infinite().any():
        text = text.str.replace("inf", "INF", literal=True)  # as xs:double writes it
    return pl.select(pl.concat_str(pl.lit(before), text, pl.lit(after))).to_series()


def _texts(part: pl.Series, render: Callable[[str], str]) -> pl.Series:
    distinct = part.unique().drop_nulls()
    if distinct.is_empty():
        return part
    rendered = pl.Series([render(text) for text in distinct], dtype=pl.String)
    return part.replace_strict(distinct, rendered, default=None, return_dtype=pl.String)
