"""Cells of several values, or of texts by language, put together from one column of texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sdmx_service.errors import DataError
from sdmx_service.formats.spans import compact
from sdmx_service.formats.textcells import typed
from sdmx_service.structures.artefacts import Component

__all__ = ["Nested"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Nested:
    """Texts of a column in their order, and which of them begin a cell or a value of one.

    ``languages`` is that of each text, of components that have texts by language.
    """

    texts: pl.Series
    cells: Array
    values: Array
    languages: pl.Series | None = None

    def typed(self, component: Component) -> pl.Series:
        """Return the cells as the component has them; DataError for what it cannot hold."""
        firsts = np.flatnonzero(self.cells)
        if self.languages is None and not component.multiple:
            if len(firsts) != len(self.texts):
                raise _too_many(component)
            return typed(component, self.texts, str, False)
        if self.languages is not None:
            return self._by_language(component, firsts)
        alone = typed(replace(component, multiple=False), self.texts, str, False)
        if alone.dtype == pl.String:
            alone = compact(alone)
        cell = pl.Series("cell", np.cumsum(self.cells))
        rows = pl.DataFrame([cell, alone.alias("value")])
        return rows.group_by("cell", maintain_order=True).agg("value").get_column("value")

    def _by_language(self, component: Component, firsts: Array) -> pl.Series:
        """Return lists of texts with their languages, or lists of such lists."""
        assert self.languages is not None
        parts = [one.to_arrow().cast(pa.string()) for one in (self.languages, self.texts)]
        texts = pa.StructArray.from_arrays(parts, names=["lang", "text"])
        values = np.flatnonzero(self.values)
        lists = pa.ListArray.from_arrays(_offsets(values, len(texts)), texts)
        if component.multiple:
            cells = np.searchsorted(values, firsts)
            lists = pa.ListArray.from_arrays(_offsets(cells, len(values)), lists)
        elif len(values) != len(firsts):
            raise _too_many(component)
        return pl.Series(component.id, lists)


def _offsets(begins: Array, end: int) -> pa.Array:
    return pa.array(np.append(begins, end), type=pa.int32())


def _too_many(component: Component) -> DataError:
    return DataError(component.id, got="several values", expected="one value")
