"""Rows that carry attributes of a part of the key instead of an observation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import ROWS_A_CHUNK, SWITCHED_OFF, DataSet
from sdmx_service.structures.artefacts import Component

__all__ = ["filled", "observations", "partial_rows", "replicated", "unmarked"]


def _filled_dimensions(dataset: DataSet) -> list[pl.Expr]:
    """Return, for each dimension of the key, whether it is filled."""
    return [
        pl.col(one.id).is_not_null() if one.id in dataset.schema else pl.lit(False).alias(one.id)
        for one in dataset.structure.key
        if one.id in dataset.schema or one.id != _time(dataset)
    ]


def _time(dataset: DataSet) -> str | None:
    return dataset.structure.time.id if dataset.structure.timed else None


def observations(dataset: DataSet, rows: int = ROWS_A_CHUNK) -> Iterator[pl.DataFrame]:
    """Yield the rows with a full key, which are all but those of partial keys."""
    if not dataset.has_partial_keys:
        yield from dataset.chunks(rows)
        return
    for chunk in dataset.chunks(rows):
        kept = chunk.filter(_filled_dimensions(dataset))
        if kept.height:
            yield kept


def partial_rows(dataset: DataSet) -> dict[tuple[str, ...], pl.DataFrame]:
    """Return the rows of partial keys by the dimensions they fill, those without any first.

    Columns that such rows leave empty altogether are left out.
    """
    if not dataset.has_partial_keys:
        return {}
    tests = _filled_dimensions(dataset)
    found: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    for chunk in dataset.chunks():
        rows = chunk.filter(~pl.all_horizontal(tests))
        if rows.is_empty():
            continue
        there = rows.select(tests)
        for pattern in there.unique(maintain_order=True).iter_rows(named=True):
            names = tuple(name for name, full in pattern.items() if full)
            same = pl.all_horizontal(pl.col(name) == full for name, full in pattern.items())
            chosen = rows.filter(there.select(same).to_series())
            found.setdefault(names, []).append(chosen)
    return {
        names: filled(pl.concat(found[names]))
        for names in sorted(found, key=lambda names: (len(names), names))
    }


def filled(rows: pl.DataFrame, keep: Sequence[Component] = ()) -> pl.DataFrame:
    """Return ``rows`` without the columns that hold nothing, those of ``keep`` apart."""
    kept = {one.id for one in keep}
    return rows.select(
        name
        for name in rows.columns
        if name in kept or rows.get_column(name).null_count() < rows.height
    )


def replicated(dataset: DataSet) -> DataSet:
    """Return the data set with the attributes of partial keys repeated on their observations.

    What an observation says itself stands; then what a longer part of its key says. Rows of
    partial keys that no observation has remain. All rows come into memory.
    """
    partial = partial_rows(dataset)
    if not partial:
        return dataset
    key = {one.id for one in dataset.structure.key}
    empty = pl.DataFrame(schema=dict(dataset.schema))
    table = pl.concat([*observations(dataset), empty])
    alone: list[pl.DataFrame] = []
    for names, rows in sorted(partial.items(), key=lambda pair: -len(pair[0])):
        said = [name for name in rows.columns if name not in key]
        if not names:
            alone += [rows] if table.is_empty() else []
            last = rows.select(pl.col(said).drop_nulls().last())
            table = table.with_columns(
                pl.coalesce(name, pl.lit(last.get_column(name)).first()) for name in said
            )
            continue
        alone.append(rows.join(table, on=names, how="anti", maintain_order="left"))
        once = rows.group_by(names, maintain_order=True).agg(pl.col(said).drop_nulls().last())
        table = table.join(once, on=names, how="left", suffix="\0", maintain_order="left")
        table = table.with_columns(pl.coalesce(name, f"{name}\0") for name in said)
        table = table.select(list(dataset.schema))
    whole = pl.concat([table, *(part for part in alone if part.height)], how="diagonal_relaxed")
    return replace(dataset, frame=whole, partial=any(part.height for part in alone), steady=None)


def unmarked(dataset: DataSet) -> DataSet:
    """Return the data set with null in dimensions that are marked as switched off.

    Both say that a row hangs on a part of the key only. Under Delete they do not: there null is
    any code, so such a data set comes back as it is.
    """
    if dataset.action is Action.DELETE:
        return dataset
    frame = dataset.collected()
    marked = []
    for one in dataset.structure.key:
        kind = dataset.schema.get(one.id)
        text = pl.col(one.id).cast(pl.String)
        if isinstance(kind, pl.Enum) and SWITCHED_OFF in kind.categories:
            kind = pl.Enum([code for code in kind.categories if code != SWITCHED_OFF])
        elif kind != pl.String or not (frame.get_column(one.id) == SWITCHED_OFF).any():
            continue
        marked.append(pl.when(text != SWITCHED_OFF).then(text).cast(kind).alias(one.id))
    return replace(dataset, frame=frame.with_columns(marked)) if marked else dataset
