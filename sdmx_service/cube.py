"""Observations held to their data structure, as typed columns or as an xarray cube."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import polars as pl

from sdmx_service.errors import DataError, RequestError
from sdmx_service.structures.artefacts import Component, DataStructure, Role

if TYPE_CHECKING:
    import xarray

__all__ = ["TEXTS", "Table", "cell_type", "column_type", "columns", "to_xarray", "typed"]

TEXTS = pl.List(pl.Struct({"lang": pl.String, "text": pl.String}))
"""The type of a multilingual text: one text a language, in the order of the languages."""

_NUMBERS = {
    "Double": pl.Float64,
    "Float": pl.Float64,
    "Decimal": pl.Float64,
    "Integer": pl.Int64,
    "Long": pl.Int64,
    "Short": pl.Int64,
    "Count": pl.Int64,
}
# What XML Schema lets whole numbers of these types be.
_LARGEST = {"Integer": 2**31, "Short": 2**15}
_LARGEST_CUBE = 5_000_000
_ROWS = 1 << 18
_LANGUAGE = r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$"


def columns(structure: DataStructure) -> list[str]:
    """Return the component ids in structure order: the columns of an observation table."""
    return [component.id for component in structure.components]


def column_type(component: Component) -> pl.DataType:
    """Return the type of a single value of a component: an Enum of its codes, a number, or text."""
    if component.codelist is not None:
        return pl.Enum(list(component.codelist.by_id))
    return _NUMBERS.get(component.data_type, pl.String)()


def cell_type(component: Component, given: pl.DataType) -> pl.DataType:
    """Return the type of the column of a component whose cells come as the type ``given``.

    It is that of single values, or a list of it where cells are lists; texts by language are
    ``TEXTS``, several of them ``List(TEXTS)``.
    """
    if given in (TEXTS, pl.List(TEXTS)):
        return given
    one = column_type(component)
    return pl.List(one) if isinstance(given, pl.List) else one


def _refuse_unknown_codes(frame: pl.DataFrame, component: Component) -> None:
    if component.codelist is None:
        return
    values = frame.get_column(component.id)
    if isinstance(values.dtype, pl.List):
        values = _unnested(values)
    present = values.unique().cast(pl.String).drop_nulls()
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

    Cells of a component that may have several values, or texts in several languages, come as
    they are given (``cell_type``); an empty list is no value, languages are put in order.
    Raises DataError where a column is missing or unknown, a code is not in its list, a mandatory
    value is absent, two rows share a key, or a cell holds what its component cannot.
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
    for component in structure.components:
        if frame.schema[component.id].is_nested():
            _refuse_lists(frame.get_column(component.id), component, structure)
        _refuse_unknown_codes(frame, component)
        _refuse_numbers(frame.get_column(component.id), component, structure)
    table = frame.select(
        _filled(component, frame.schema[component.id]) for component in structure.components
    )
    keys = [component.id for component in structure.key]
    said = (*structure.measures, *structure.attributes)
    mandatory = [*keys, *(one.id for one in said if one.mandatory)]
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


def _filled(component: Component, given: pl.DataType) -> pl.Expr:
    """Return a column in its type; a list without a value in it is null."""
    column = pl.col(component.id)
    if given == TEXTS:
        column = column.list.sort()
    elif given == pl.List(TEXTS):
        sets = pl.element().list.sort()
        column = column.list.eval(sets.filter(pl.element().list.len() > 0))
    if isinstance(given, pl.List):
        column = pl.when(column.list.len() > 0).then(column)
    return column.cast(cell_type(component, given))


def _refuse_numbers(column: pl.Series, component: Component, structure: DataStructure) -> None:
    """Refuse what would be another number, or none, in the type of its component."""
    kind = column_type(component)
    values = _unnested(column) if isinstance(column.dtype, pl.List) else column
    if component.codelist is not None or not kind.is_numeric() or values.dtype.is_nested():
        return
    most = _LARGEST.get(component.data_type)
    if values.dtype == kind and most is None:
        return
    values = values.drop_nulls()
    numbers = values.cast(kind, strict=False)
    expected = "a number" if kind.is_float() else "a whole number"
    wrong = numbers.is_null()
    if values.dtype.is_float() and kind.is_integer():
        wrong |= values != numbers
    elif component.data_type == "Decimal" and not values.dtype.is_float():
        wrong |= _rounded(values, numbers)
        expected = f"{expected} of so many digits as 64 bits hold"
    if most is not None and not wrong.any():
        wrong = (numbers < -most) | (numbers >= most)
        expected = f"{expected} between {-most} and {most - 1}, as {component.data_type} has it"
    if wrong.any():
        raise DataError(
            f"column {component.id} of {structure.id}",
            got=str(values.filter(wrong)[0])[:80],
            expected=expected,
            hint=f"so have {wrong.sum()} cells: correct them, or give the component another type",
        )


def _rounded(values: pl.Series, numbers: pl.Series) -> pl.Series:
    """Return of each whole number or decimal text whether it is another number as a float."""
    if values.dtype.is_integer():
        return numbers.cast(values.dtype, strict=False).ne_missing(values)
    if values.dtype != pl.String:
        return pl.repeat(value=False, n=len(values), eager=True)
    # Fifteen digits are always kept.
    long = values.str.count_matches("[0-9]") > 15
    found = pl.Series([False] * len(values), dtype=pl.Boolean)
    for at in long.arg_true():
        number = numbers[at]
        if number is not None and math.isfinite(number):
            found[at] = Decimal(values[at]) != Decimal(repr(number))
    return found


def _unnested(lists: pl.Series) -> pl.Series:
    return lists.drop_nulls().list.explode(empty_as_null=False)


def _refuse_lists(column: pl.Series, component: Component, structure: DataStructure) -> None:
    """Refuse lists of a component that has one value, and lists with gaps in them."""
    where, kind = f"column {component.id} of {structure.id}", column.dtype
    texts = component.multilingual and component.codelist is None
    by_language, sets = kind == TEXTS, kind == pl.List(TEXTS)
    plain = isinstance(kind, pl.List) and not cast(pl.DataType, kind.inner).is_nested()
    if by_language or sets:
        fits = texts and component.multiple is sets
    else:
        fits = plain and component.multiple and component.role in (Role.MEASURE, Role.ATTRIBUTE)
    if not fits:
        expected = "several values" if component.multiple else "one value"
        if texts:
            expected = f"{'several texts' if component.multiple else 'a text'} by language"
        raise DataError(
            where,
            got="several values in one cell" if plain else f"cells of {kind}"[:200],
            expected=f"{expected} in each observation",
            hint="maxOccurs of its representation says how many values it has, isMultiLingual "
            "whether it is a text in several languages",
        )
    values = _unnested(column)
    if by_language or sets:
        _refuse_languages(values if sets else column.drop_nulls(), where)
    elif values.null_count():
        raise DataError(
            where, got=f"{values.null_count()} gaps in lists", expected="a value in each place"
        )


def _refuse_languages(texts: pl.Series, where: str) -> None:
    """Refuse texts without a language, in a language twice, and languages without a text."""
    each = _unnested(texts)
    tags = each.struct.field("lang")
    wrong = tags.filter(~tags.str.contains(_LANGUAGE).fill_null(value=False))
    if len(wrong):
        raise DataError(where, got=str(wrong[0])[:80], expected="a language such as en or pt-BR")
    if each.struct.field("text").null_count():
        raise DataError(where, got="a language without a text", expected="a text a language")
    said = texts.list.eval(pl.element().struct.field("lang"))
    if (said.list.n_unique() < said.list.len()).any():
        raise DataError(where, got="two texts in one language", expected="one text a language")


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
    a row is NaN. Texts, codes and lists come as object arrays with None where absent. Raises
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
            texts = column if column.dtype.is_nested() else column.cast(pl.String)
            cube[place] = np.fromiter(texts.to_list(), dtype=object, count=len(texts))
        variables[component.id] = (tuple(dims), cube)
    return xr.Dataset(variables, coords={dim: codes[dim] for dim in dims})
