"""Rows that carry attributes of a part of the key instead of an observation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from sdmx_service.formats.dataset import ROWS_A_CHUNK, DataSet
from sdmx_service.structures.artefacts import Component

__all__ = ["filled", "observations", "partial_rows"]


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
