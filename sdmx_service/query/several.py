"""Cells of several values, or of one text in several languages, compared with what is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from sdmx_service.cube import TEXTS
from sdmx_service.query.query import Operator
from sdmx_service.query.texts import Alternatives, Mask, alternatives_met

__all__ = ["in_cells"]

# Of several values at once, these must hold for each of them; the others for one.
_FOR_EACH = frozenset({Operator.NE, Operator.NC})


def in_cells(
    cells: pl.Series,
    alternatives: Alternatives,
    holds: Callable[[pl.Series, Operator, str], Mask],
    where: str,
) -> pl.Expr:
    """Return the mask of the cells that meet all tests of one alternative.

    A cell meets a test if one of its values does, so that ``A+B`` is a cell that holds both; that
    it is not, or does not contain, something must be so of each. The texts of a cell in several
    languages are its values. A cell without a value meets none. ``holds`` says of distinct values
    which meet a test. Raises RequestError for more tests than can be made in good time.
    """
    values, lengths = _values(cells)
    encoded = values.to_arrow().dictionary_encode()
    distinct = pl.Series("value", pl.from_arrow(encoded.dictionary), dtype=values.dtype)
    places = encoded.indices.to_numpy(zero_copy_only=False)
    filled = np.flatnonzero(lengths)
    begins = (np.cumsum(lengths) - lengths)[filled]

    def meets(token: Operator, asked: str) -> Mask:
        each = holds(distinct, token, asked)[places]
        whole = np.logical_and if token in _FOR_EACH else np.logical_or
        met: Mask = whole.reduceat(each, begins) if len(filled) else np.zeros(0, dtype=bool)
        return met

    found = np.zeros(len(cells), dtype=bool)
    found[filled] = alternatives_met(alternatives, meets, len(values), where)
    return pl.lit(pl.Series(found))


def _values(cells: pl.Series) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """Return the values of all cells, one after another, and how many each has."""
    lengths = cells.list.len()
    values = cells.drop_nulls().list.explode(empty_as_null=False)
    if cells.dtype == pl.List(TEXTS):
        lengths = cells.list.eval(pl.element().list.len()).list.sum()
        values = values.drop_nulls().list.explode(empty_as_null=False)
    if cells.dtype in (TEXTS, pl.List(TEXTS)):
        values = values.struct.field("text")
    if isinstance(values.dtype, pl.Enum):
        values = values.cast(pl.String)
    return values, lengths.fill_null(0).cast(pl.Int64).to_numpy()
