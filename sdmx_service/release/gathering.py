"""Rows in an asked order, put together series by series."""

from __future__ import annotations

import numpy as np
import polars as pl

from sdmx_service.release.reading import Chosen
from sdmx_service.release.rows import Rows
from sdmx_service.structures.artefacts import DataStructure

__all__ = ["gathered"]


def gathered(rows: pl.DataFrame | Chosen, structure: DataStructure) -> pl.DataFrame | Chosen:
    """Return the rows with those of a series next to each other.

    A series stands where its first row stood; inside of it the rows keep their order.
    """
    if isinstance(rows, pl.DataFrame):
        names = [one.id for one in structure.dimensions if one.id in rows.columns]
        first = pl.int_range(pl.len()).min().over(names) if names else pl.lit(0)
        return rows.sort(first, maintain_order=True)
    listed = rows.rows.listed
    if listed is None:
        return rows  # ranges are whole series, or one part of each
    series = rows.image.series.starts.searchsorted(listed, "right")
    _, begins, which = np.unique(series, return_index=True, return_inverse=True)
    order = np.argsort(begins[which], kind="stable")
    return Chosen(rows.image, Rows.of(listed[order]), rows.names, rows.keeps_codes)
