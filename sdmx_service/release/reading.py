"""A data query answered on the image of a table: same rows as ``query.selection.select``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from sdmx_service.errors import RequestError
from sdmx_service.query.matching import check_positions, known_component, matching
from sdmx_service.query.period import chronological
from sdmx_service.query.query import Condition, DataQuery
from sdmx_service.query.selection import (
    asked_columns,
    observed_by,
    ordered,
    refuse_unsortable,
    settled,
    sort_steps,
)
from sdmx_service.release.chronology import ends, lie_in_time
from sdmx_service.release.image import Image
from sdmx_service.release.mapped import Array, Codes, Lists, Numbers
from sdmx_service.release.rows import Rows
from sdmx_service.release.seriestable import Some
from sdmx_service.release.turns import big_work
from sdmx_service.structures.artefacts import Component, Dataflow, Role

__all__ = ["Chosen", "Found", "TooMuch", "admitted", "chosen", "found", "narrowed"]

_ROWS = 1 << 18
# More keys than these are looked for together.
_MANY = 16
# The most values that are held in memory to put rows in order.
_SORTED = 10_000_000


class TooMuch(RequestError):
    """An answer larger than the service makes (HTTP 413)."""

    http_status = 413


@dataclass(frozen=True)
class Chosen:
    """Rows and columns of an image, which come into memory chunk by chunk.

    It is an ``Indexed`` table of ``formats.dataset``. ``keeps_codes`` says that texts come as
    codes of a list too, instead of as texts.
    """

    image: Image
    rows: Rows
    names: tuple[str, ...]
    keeps_codes: bool = False

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column names in order, with their types."""
        known = self.image.coded_schema if self.keeps_codes else self.image.schema
        return {name: known[name] for name in self.names}

    @property
    def columns(self) -> list[str]:
        """The column names in order."""
        return list(self.names)

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``rows`` at a time."""
        for part in self.rows.parts(rows):
            yield self._frame(part, self.names)

    def coded(self) -> Chosen:
        """Return the same rows with texts as codes."""
        return replace(self, keeps_codes=True)

    def used(self, name: str) -> pl.Series | None:
        """Return the codes or texts of a column that occur, in their order; None of numbers."""
        column = self.image.columns[name]
        if isinstance(column, Numbers):
            return None
        if len(self.rows) == self.image.height:
            return column.present
        return column.used(column.values[part] for part in self.rows.parts(_ROWS))

    def runs(
        self, above: Sequence[str], below: Sequence[str], rows: int
    ) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, Array, bool]]:
        """Yield the rows in order, at most ``rows`` at a time, told apart by series.

        Of each part: the columns ``above``, a row for each run of rows of one series; the columns
        ``below``, a row each; where the runs begin; whether the first of them opens a series.
        """
        starts, before = self.image.series.starts, -1
        for part in self.rows.parts(rows):
            heads: Array
            if isinstance(part, slice):
                first = int(starts.searchsorted(part.start, "right")) - 1
                last = int(starts.searchsorted(part.stop - 1, "right"))
                begins = np.maximum(starts[first:last] - part.start, 0)
                opens, before, heads = first != before, last - 1, begins + part.start
            else:
                series = starts.searchsorted(part, "right") - 1
                begins = np.append(0, np.flatnonzero(np.diff(series)) + 1)
                opens, before, heads = bool(series[0] != before), int(series[-1]), part[begins]
            yield self._frame(heads, above), self._frame(part, below), begins, opens

    def _frame(self, rows: Some, names: Sequence[str]) -> pl.DataFrame:
        return self.image.frame(rows, names, coded=self.keeps_codes)

    def slice(self, offset: int, length: int | None) -> Chosen:
        """Return the rows from ``offset`` on, at most ``length``."""
        return replace(self, rows=self.rows.part(offset, length))

    def collected(self) -> pl.DataFrame:
        """Return all rows as one frame, in memory."""
        return self._frame(self.rows.numbers(0, self.height), self.names)


@dataclass(frozen=True)
class Found:
    """What the keys and conditions of a query leave.

    ``series`` are those whose codes are right, ``codes`` what is asked of other coded columns
    (of each code whether it is), ``numbers`` the conditions on numbers.
    """

    image: Image
    series: Some
    codes: Mapping[str, Array]
    numbers: tuple[Condition, ...]

    @property
    def whole(self) -> bool:
        """Whether all observations of the series are asked for."""
        return not self.codes and not self.numbers

    @cached_property
    def ranges(self) -> tuple[Array, Array]:
        """Where the observations of each series begin and end, conditions on them apart."""
        starts = self.image.series.starts
        if isinstance(self.series, slice):
            return starts[self.series], starts[self.series.start + 1 : self.series.stop + 1]
        return starts[self.series], starts[self.series + 1]

    def rows(self) -> Rows:
        """Return the rows in the order of the table."""
        every = Rows.between(*self.ranges)
        if self.whole:
            return every
        with big_work.turn(len(every)):
            kept = [self._kept(part) for part in every.parts(_ROWS)]
            return Rows.of(np.concatenate(kept) if kept else np.empty(0, dtype="<i8"))

    def _kept(self, part: slice | Array) -> Array:
        rows = np.arange(part.start, part.stop) if isinstance(part, slice) else part
        for name, good in self.codes.items():
            values = self.image.columns[name].values
            rows = rows[good[values[part]]]
            part = rows
        for condition in self.numbers:
            frame = self.image.frame(part, [condition.component])
            mask = matching(frame, self.image.structure, DataQuery(conditions=(condition,)))
            rows = rows[_true(frame, mask)]
            part = rows
        return rows

    def series_of(self, rows: Array) -> Array:
        """Return the number of the series that each row belongs to."""
        return np.searchsorted(self.image.series.starts, rows, "right") - 1


def found(image: Image, query: DataQuery, admits: Mapping[str, frozenset[str]]) -> Found:
    """Return what the keys and conditions of a query leave of what a flow admits.

    Raises SemanticError for a key with too many positions or an unknown component, RequestError
    for a value of the wrong kind.
    """
    check_positions(image.structure, query)
    tested, numbers = _tested(image, query)
    for name, good in admitted(image, admits).items():
        tested[name] = tested[name] & good if name in tested else good
    return narrowed(image, query, tested, numbers)


def narrowed(
    image: Image, query: DataQuery, tested: Mapping[str, Array], numbers: tuple[Condition, ...]
) -> Found:
    """Return what the keys of a query leave, beside tests that are ready."""
    places = {d.id: place for place, d in enumerate(image.structure.dimensions)}
    common = {places[name]: good for name, good in tested.items() if name in places}
    others = {name: good for name, good in tested.items() if name not in places}
    if not query.keys or not all(query.keys):
        return Found(image, image.series.where(common), others, numbers)
    tests = []
    for key in query.keys:
        allowed = dict(common)
        for place, codes in key.items():
            good = _listed(image, image.structure.dimensions[place].id, codes)
            allowed[place] = good & common[place] if place in common else good
        tests.append(allowed)
    if len(tests) > _MANY:
        return Found(image, image.series.among(tests), others, numbers)
    series = _together([image.series.where(one) for one in tests], len(image.series))
    return Found(image, series, others, numbers)


def _together(parts: list[Some], count: int) -> Some:
    if len(parts) == 1:
        return parts[0]
    listed = [np.arange(p.start, p.stop) if isinstance(p, slice) else p for p in parts]
    if sum(map(len, listed)) * _MANY < count:
        return np.unique(np.concatenate(listed))
    there = np.zeros(count, dtype=bool)
    for part in listed:
        there[part] = True
    return np.flatnonzero(there)


def admitted(image: Image, admits: Mapping[str, frozenset[str]]) -> dict[str, Array]:
    """Return of each component that a flow constrains, and of each code, whether it is admitted."""
    return {name: _listed(image, name, codes) for name, codes in admits.items()}


def _listed(image: Image, name: str, codes: frozenset[str]) -> Array:
    column = image.coded(name)
    assert column is not None  # only coded components are constrained
    good = np.zeros(column.size + 1, dtype=bool)
    good[[column.place[code] for code in codes if code in column.place]] = True
    return good


def _tested(image: Image, query: DataQuery) -> tuple[dict[str, Array], tuple[Condition, ...]]:
    """Return of each column of codes or lists, and of each, whether it meets the conditions."""
    tested: dict[str, Array] = {}
    numbers = []
    for condition in query.conditions:
        component = known_component(
            image.structure, condition.component, f"c[{condition.component}]"
        )
        column = image.columns[component.id]
        if isinstance(column, Numbers):
            empty = image.frame(slice(0, 0), [component.id])
            matching(empty, image.structure, DataQuery(conditions=(condition,)))
            numbers.append(condition)
            continue
        good = _codes_that_meet(image, column, query, condition)
        tested[component.id] = tested[component.id] & good if component.id in tested else good
    return tested, tuple(numbers)


def _codes_that_meet(
    image: Image, column: Codes | Lists, query: DataQuery, condition: Condition
) -> Array:
    listed = column.listed.to_frame()
    asked = DataQuery(conditions=(condition,), year_start=query.year_start)
    good = np.zeros(column.size + 1, dtype=bool)
    good[:-1] = _true(listed, matching(listed, image.structure, asked))
    return good


def _true(frame: pl.DataFrame, mask: pl.Expr | None) -> Array:
    """Return where a mask holds; nothing is not true."""
    if mask is None:
        return np.ones(frame.height, dtype=bool)
    held = frame.with_columns(mask.alias("held").fill_null(value=False)).get_column("held")
    return held.to_numpy()


def chosen(image: Image, flow: Dataflow, query: DataQuery) -> Chosen:
    """Return what a query asks for of a flow; offset and limit apart, which count all flows.

    The rows are those of ``query.selection.select`` on the whole table, in the same order; what it
    raises is raised here.
    """
    query = settled(image.structure, query)
    observed_by(image.structure, query)
    names = tuple(asked_columns(image.structure, query))
    left = found(image, query, flow.admits)
    rows = _ends(left, query)
    if query.sort:
        rows = _sorted(left, rows, query)
    if query.series_only:
        rows = _one_each(left, rows)
    return Chosen(image, rows, names)


def _ends(left: Found, query: DataQuery) -> Rows:
    """Keep the first and the last observations of each series."""
    if query.first is None and query.last is None:
        if query.series_only and left.whole and not query.sort:
            starts, _ = left.ranges
            return Rows.of(starts)
        return left.rows()
    every = left.rows()
    if not lie_in_time(left.image, every):
        return Rows.of(ends(left.image, every.array(), query.first, query.last))
    starts, stops = left.ranges
    rows: Array | None = None
    if not left.whole:
        listed = every.listed
        rows = listed if listed is not None else np.empty(0, dtype="<i8")
        # From here on, places among the rows left stand for the rows.
        starts, stops = np.searchsorted(rows, starts), np.searchsorted(rows, stops)
    begin = starts if query.first is None else np.minimum(starts + query.first, stops)
    end = stops if query.last is None else np.maximum(stops - query.last, starts)
    if query.first is None:
        kept = Rows.between(end, stops)
    elif query.last is None:
        kept = Rows.between(starts, begin)
    else:
        pairs = np.stack([starts, begin, np.maximum(end, begin), stops], axis=1).reshape(-1, 2)
        kept = Rows.between(pairs[:, 0], pairs[:, 1])
    if rows is None:
        return kept
    return Rows.of(rows[kept.numbers(0, len(kept))])


def _sorted(left: Found, rows: Rows, query: DataQuery) -> Rows:
    image = left.image
    steps = sort_steps(image.structure, query)
    if not steps:
        return rows
    refuse_unsortable(image.schema, steps)
    needed = [component.id for component, _ in steps]
    if left.whole and query.first is None and query.last is None:
        by_series = _series_sorted(left, query)
        if by_series is not None:
            return by_series
    if len(rows) * len(needed) > _SORTED:
        raise TooMuch(
            "sort",
            got=f"{len(rows)} observations by {len(needed)} components",
            expected=f"at most {_SORTED} values to put in order",
            hint="ask for less by key or condition, or sort by dimensions alone",
        )
    place = "\x00place"
    with big_work.turn(len(rows)):
        part = rows.numbers(0, len(rows))
        columns = [_sortable(image, name, part) for name in needed]
        frame = pl.DataFrame(columns).with_row_index(place)
        order = ordered(frame, image.structure, query).get_column(place).to_numpy()
        return Rows.of(part[order] if not isinstance(part, slice) else part.start + order)


def _sortable(image: Image, name: str, rows: slice | Array) -> pl.Series:
    """Return some rows of a column, texts by their place in the dictionary, which is in order."""
    column = image.columns[name]
    timed = image.structure.by_id[name].role is Role.TIME
    if timed or not isinstance(column, Codes) or isinstance(column.kind, pl.Enum):
        return image.frame(rows, [name]).get_column(name)
    places = pl.Series(name, column.values[rows])
    return places.set(places == column.size, None)


def _series_sorted(left: Found, query: DataQuery) -> Rows | None:
    """Return the rows sorted series by series; None where the order also looks inside of them."""
    structure = left.image.structure
    steps = sort_steps(structure, query)
    inside = [step for step in steps if step[0].role is not Role.DIMENSION]
    if inside and (inside != [steps[-1]] or not _as_they_lie(left.image, *steps[-1])):
        return None
    dimensions = [component.id for component, _ in steps if component.role is Role.DIMENSION]
    if not dimensions:
        return None
    starts, stops = left.ranges
    place = "\x00place"
    frame = left.image.frame(starts, dimensions).with_row_index(place)
    by_series = replace(query, series_only=True)
    order = ordered(frame, structure, by_series).get_column(place).to_numpy()
    return Rows.between(starts[order], stops[order])


def _as_they_lie(image: Image, component: Component, descending: bool) -> bool:
    """Return whether the rows of each series are in this order in the table."""
    if component.role is not Role.TIME or descending:
        return False
    column = image.coded(component.id)
    texts = [] if column is None else column.dictionary.to_list()
    return texts == chronological(texts)


def _one_each(left: Found, rows: Rows) -> Rows:
    """Return the first row of each series, in the order of the rows."""
    listed = rows.array()
    _, first = np.unique(left.series_of(listed), return_index=True)
    return Rows.of(listed[np.sort(first)])
