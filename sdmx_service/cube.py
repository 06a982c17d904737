"""Observations held to their data structure, as typed columns or as an xarray cube."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from sdmx_service.errors import DataError, RequestError
from sdmx_service.structures.artefacts import Component, DataStructure, Role

if TYPE_CHECKING:
    import xarray

__all__ = ["Table", "column_type", "columns", "to_xarray", "typed"]

_NUMBERS = {
    "Double": pl.Float64,
    "Float": pl.Float64,
    "Decimal": pl.Float64,
    "Integer": pl.Int64,
    "Long": pl.Int64,
    "Count": pl.Int64,
}
_LARGEST_CUBE = 5_000_000
_ROWS = 1 << 18


def columns(structure: DataStructure) -> list[str]:
    """Return the component ids in structure order: the columns of an observation table."""
    return [component.id for component in structure.components]


def column_type(component: Component) -> pl.DataType:
    """Return the column type of a component: an Enum of its codes, a number, or text."""
    if component.codelist is not None:
        return pl.Enum(list(component.codelist.by_id))
    return _NUMBERS.get(component.data_type, pl.String)()


def _refuse_unknown_codes(frame: pl.DataFrame, component: Component) -> None:
    if component.codelist is None:
        return
    present = frame.get_column(component.id).unique().cast(pl.String).drop_nulls()
    unknown = sorted(set(present) - set(component.codelist.by_id))
    if unknown:
        raise DataError(
            f"column {component.id}",
            got=unknown[0],
            expected=f"a code of {component.codelist.id}",
            hint=f"{len(unknown)} codes are not in the list; add them to dsd/structures "
            "or correct the mapping that made them",
        )


@dataclass(frozen=True)
class Table:
    """Observations with the columns and types of their data structure, in the order of their keys.

    ``order`` are the row numbers of ``frame`` in that order, None where they lie so already: the
    rows are put in order part by part, not copied as a whole.
    """

    frame: pl.DataFrame
    order: pl.Series | None

    @property
    def height(self) -> int:
        """How many observations there are."""
        return self.frame.height

    def parts(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the observations in order, at most ``rows`` at a time; one empty part of none."""
        for first in range(0, max(self.height, 1), rows):
            if self.order is None:
                yield self.frame.slice(first, rows)
            else:
                yield self.frame[self.order.slice(first, rows)]


def typed(frame: pl.DataFrame, structure: DataStructure) -> Table:
    """Return ``frame`` with the structure's columns, types and order, sorted by key and time.

    Raises DataError where a column is missing or unknown, a code is not in its list, a mandatory
    value is absent, two rows share a key, a cell holds several values or languages, or the
    structure has no time dimension.
    """
    expected = columns(structure)
    if set(frame.columns) != set(expected):
        missing = sorted(set(expected) - set(frame.columns))
        extra = sorted(set(frame.columns) - set(expected))
        raise DataError(
            f"observations of {structure.id}",
            got=f"without {missing}" if missing else f"with {extra}",
            expected="exactly the components of the data structure",
        )
    _refuse_shapes(frame, structure)
    for component in structure.components:
        _refuse_unknown_codes(frame, component)
    table = frame.select(
        pl.col(component.id).cast(column_type(component)) for component in structure.components
    )
    keys = [*(dimension.id for dimension in structure.dimensions), structure.time.id]
    mandatory = [*keys, *(a.id for a in structure.attributes if a.mandatory)]
    for name in mandatory:
        if table.get_column(name).null_count():
            raise DataError(
                f"column {name} of {structure.id}",
                got=f"{table.get_column(name).null_count()} rows without a value",
                expected="a value in every row",
            )
    order = None
    if not _in_order(table, keys):
        order = table.select(pl.arg_sort_by(keys)).to_series()
        if not _in_order(table.select(keys), keys, order):
            _refuse_repeated(table, keys, structure)
    return Table(table, order)


def _refuse_shapes(frame: pl.DataFrame, structure: DataStructure) -> None:
    """Refuse what messages can hold and a release cannot."""
    if not structure.timed:
        raise DataError(
            f"data structure {structure.id}",
            got="no time dimension",
            expected="TIME_PERIOD",
            hint="a release holds observations over time",
        )
    for name, kind in frame.schema.items():
        if kind.is_nested():
            raise DataError(
                f"column {name} of {structure.id}",
                got="several values or languages in one cell",
                expected="one value in each observation",
                hint="give each value, or each language, an attribute of its own",
            )


def _in_order(table: pl.DataFrame, keys: Sequence[str], order: pl.Series | None = None) -> bool:
    """Return whether every key is larger than the one before it, so that none comes twice."""
    for first in range(0, table.height - 1, _ROWS):
        rows = slice(first, first + _ROWS + 1)
        part = table[rows] if order is None else table[order[rows]]
        larger = pl.lit(value=False)
        for name in reversed(keys):
            # Codes are compared by their place in the codelist, which is their order.
            now = pl.col(name).to_physical()
            before = now.shift(1)
            larger = (now > before) | ((now == before) & larger)
        if not part.select(larger.slice(1).all()).item():
            return False
    return True


def _refuse_repeated(table: pl.DataFrame, keys: Sequence[str], structure: DataStructure) -> None:
    repeated = table.select(keys).filter(pl.struct(keys).is_duplicated())
    raise DataError(
        f"observations of {structure.id}",
        got=".".join(str(value) for value in repeated.row(0)),
        expected="each key once",
        hint=f"{repeated.height} rows share a key with another row",
    )


def to_xarray(frame: pl.DataFrame, structure: DataStructure, dims: Sequence[str]) -> xarray.Dataset:
    """Return the measure and the numeric attributes as a cube over ``dims``.

    ``frame`` must hold at most one row for each combination of ``dims``; a combination without
    a row is NaN. Coded attributes come as object arrays with None where absent. Raises
    RequestError where the cube would be larger than five million cells.
    """
    import numpy as np
    import xarray as xr

    codes: Mapping[str, list[str]] = {
        dim: frame.get_column(dim).unique().sort().cast(pl.String).to_list() for dim in dims
    }
    shape = [len(codes[dim]) for dim in dims]
    if math.prod(shape) > _LARGEST_CUBE:
        raise RequestError(
            "to_xarray",
            got=" x ".join(f"{dim} {size}" for dim, size in zip(dims, shape, strict=True)),
            expected=f"at most {_LARGEST_CUBE} cells",
            hint="name fewer dimensions, or narrow them with codes: REF_AREA='AT'",
        )
    place = tuple(
        frame.get_column(dim)
        .cast(pl.String)
        .replace_strict(codes[dim], list(range(len(codes[dim]))), return_dtype=pl.Int64)
        .to_numpy()
        for dim in dims
    )
    variables = {}
    for component in structure.components:
        if component.role not in (Role.MEASURE, Role.ATTRIBUTE):
            continue
        column = frame.get_column(component.id)
        if column.dtype.is_numeric():
            cube = np.full(shape, np.nan)
            cube[place] = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        else:
            cube = np.full(shape, None, dtype=object)
            cube[place] = column.cast(pl.String).to_numpy()
        variables[component.id] = (tuple(dims), cube)
    return xr.Dataset(variables, coords={dim: codes[dim] for dim in dims})
