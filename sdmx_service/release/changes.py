"""What is to be deleted and what replaced to make one answer into a later one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl

from sdmx_service.query.query import DataQuery
from sdmx_service.query.selection import asked_columns, ends, settled
from sdmx_service.release.answer import Answer, Change
from sdmx_service.release.chronology import ends as ends_in_time
from sdmx_service.release.lists import canonical
from sdmx_service.release.mapped import Array
from sdmx_service.release.reading import Chosen
from sdmx_service.release.rows import Rows
from sdmx_service.structures.artefacts import DataStructure

__all__ = ["changes", "shown"]

_ROWS = 1 << 18
# Two hashes of 64 bits stand for a row: that two rows of 1e9 share them has a chance under 1e-20.
_SEEDS = (1, 2)


def changes(
    old: tuple[Answer, ...], new: tuple[Answer, ...], published: datetime
) -> tuple[Answer, ...]:
    """Return what is to be deleted and what replaced to make ``old`` into ``new``.

    Rows are the same if every column is; a row that lost a column it had is another row. Rows of
    an image stay where they are: what is held in memory of each is two numbers.
    """
    earlier = {_subject(answer): answer for answer in old}
    later = {_subject(answer): answer for answer in new}
    found: list[Answer] = []
    for subject in {**earlier, **later}:
        before, now = earlier.get(subject), later.get(subject)
        either = now or before
        assert either is not None  # the subject is that of one of them
        key = [one.id for one in either.flow.structure.key if one.id in either.rows.columns]
        if before is not None:
            gone = before.rows if now is None else _missing(before.rows, now.rows, key)
            if gone.height:
                rows = _narrowed(gone, key)
                found.append(replace(before, rows=rows, change=Change.DELETE, valid_to=published))
        if now is not None:
            fresh = now.rows
            if before is not None:
                fresh = _missing(now.rows, before.rows, now.rows.columns)
            if fresh.height:
                found.append(replace(now, rows=fresh, change=Change.REPLACE, valid_from=published))
    return tuple(found)


def shown(change: Answer, query: DataQuery, now: tuple[Answer, ...]) -> Answer:
    """Return what a query shows of changed rows: its columns, and the ends of each series.

    Of series alone, one row each, a deletion is that of the whole series, so only those are shown
    of which nothing is left in ``now``. Deletions have no ends: a receiver needs all of them.
    """
    structure = change.flow.structure
    query = settled(structure, query)
    kept = [name for name in asked_columns(structure, query) if name in change.rows.columns]
    rows = change.rows
    if change.change is not Change.DELETE:
        rows = _ends(rows, structure, query)
    if query.series_only:
        series = [dimension.id for dimension in structure.dimensions]
        rows = _first_of_each(rows, series)
        if change.change is Change.DELETE:
            for left in now:
                if _subject(left) == _subject(change):
                    rows = _missing(rows, left.rows, series)
    return replace(change, rows=_narrowed(rows, kept))


def _subject(answer: Answer) -> tuple[str, ...]:
    named = answer.agreement or answer.flow
    return answer.context.value, named.agency, named.id, named.version


def _narrowed(rows: pl.DataFrame | Chosen, names: Sequence[str]) -> pl.DataFrame | Chosen:
    return replace(rows, names=tuple(names)) if isinstance(rows, Chosen) else rows.select(names)


def _taken(rows: pl.DataFrame | Chosen, places: Array) -> pl.DataFrame | Chosen:
    if isinstance(rows, Chosen):
        return replace(rows, rows=Rows.of(rows.rows.array()[places]))
    return rows[places]


def _ends(
    rows: pl.DataFrame | Chosen, structure: DataStructure, query: DataQuery
) -> pl.DataFrame | Chosen:
    """Keep the first and the last rows of each series, in the order they have."""
    if query.first is None and query.last is None:
        return rows
    if isinstance(rows, pl.DataFrame):
        return ends(rows, structure, query)
    kept = ends_in_time(rows.image, rows.rows.array(), query.first, query.last)
    return replace(rows, rows=Rows.of(kept))


def _first_of_each(rows: pl.DataFrame | Chosen, names: list[str]) -> pl.DataFrame | Chosen:
    if isinstance(rows, Chosen):
        series = rows.image.series.starts.searchsorted(rows.rows.array(), "right")
        return _taken(rows, np.sort(np.unique(series, return_index=True)[1]))
    marks = _marks(rows, names, frozenset())
    first = marks.with_row_index("row").unique(("a", "b"), keep="first").get_column("row").sort()
    return _taken(rows, first.to_numpy()) if first.len() < rows.height else rows


def _missing(
    rows: pl.DataFrame | Chosen, among: pl.DataFrame | Chosen, on: list[str]
) -> pl.DataFrame | Chosen:
    """Return the rows that the other table does not have, compared on these columns."""
    if any(name not in among.columns for name in on):
        return rows
    # Two releases may list other codes of one dimension: their texts are compared.
    texts = frozenset(name for name in on if rows.schema[name] != among.schema[name])
    left = _marks(rows, on, texts).with_row_index("row")
    kept = left.join(_marks(among, on, texts), on=("a", "b"), how="anti").get_column("row")
    if kept.len() == rows.height:
        return rows
    return _taken(rows, kept.sort().to_numpy().astype(np.int64))


def _marks(rows: pl.DataFrame | Chosen, on: list[str], texts: frozenset[str]) -> pl.DataFrame:
    """Return two hashes of each row, of some columns; those in ``texts`` by what is written.

    So are lists always, which two images number each in its own way.
    """
    columns = [_hashable(name, rows.schema[name], as_text=name in texts) for name in on]
    parts: Iterable[pl.DataFrame] = [rows] if isinstance(rows, pl.DataFrame) else rows.chunks(_ROWS)
    marked = [
        pl.DataFrame(
            [part.hash_rows(seed).alias(name) for name, seed in zip("ab", _SEEDS, strict=True)]
        )
        for part in (part.select(columns) for part in parts)
    ]
    return pl.concat(marked) if marked else pl.DataFrame(schema={"a": pl.UInt64, "b": pl.UInt64})


def _hashable(name: str, kind: pl.DataType, *, as_text: bool) -> pl.Expr:
    return canonical(pl.col(name), kind) if as_text or kind.is_nested() else pl.col(name)
