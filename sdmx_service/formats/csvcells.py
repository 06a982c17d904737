"""The fields of one column of an SDMX-CSV message as values of its component."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.csvfields import language_texts, split
from sdmx_service.formats.csvheader import Column, Form
from sdmx_service.formats.dataset import MISSING, SWITCHED_OFF, TEXTS
from sdmx_service.structures.artefacts import Component, DataStructure, Role

__all__ = ["Fields", "cells", "codes_of", "one_code", "whole_numbers"]

_FLOATS = {"Double", "Float"}
_WHOLE = {"Integer", "Long", "Short", "Count"}
_NUMBERS = {*_FLOATS, *_WHOLE, "Decimal", "BigInteger"}
_FLOAT = r"^(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|-?INF|NaN)$"
_DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_INTEGER = r"^[+-]?[0-9]+$"


@dataclass(frozen=True)
class Fields:
    """How fields are to be read: separators of the message, what rows stand for.

    ``records`` are the numbers of the records that the rows come from, for errors.
    """

    records: pl.Series
    between: str | None
    decimal: str
    deleted: bool


def cells(column: Column, component: Component, texts: pl.Series, fields: Fields) -> pl.Series:
    """Return the column typed as its component is; an empty field is null.

    Raises DataError, naming record and column, for a code that is not in the list, a text that
    is no number and several values where there may be one.
    """
    dimension = component.role in (Role.DIMENSION, Role.TIME)
    if fields.deleted and not dimension:
        return texts  # any text marks what is deleted
    if column.form is Form.LANGUAGES:
        return _languages(column, component, texts, fields)
    if column.form is Form.MULTIPLE or component.multiple:
        return _several(column, component, texts, fields)
    plain = _without_labels(texts, column, component)
    return _single(column, component, plain, fields, fields.records)


def one_code(column: Column, component: Component) -> bool:
    """Whether each field of a column is a code and nothing more."""
    single = column.form is Form.SINGLE and not (component.multiple or column.labelled)
    return single and component.codelist is not None


def codes_of(component: Component) -> pl.Enum:
    """Return the codes that a field may have, the last of them for what has none."""
    assert component.codelist is not None
    codes = component.codelist.by_id
    special = SWITCHED_OFF if component.role in (Role.DIMENSION, Role.TIME) else MISSING
    return pl.Enum([*codes] if special in codes else [*codes, special])


def _without_labels(texts: pl.Series, column: Column, component: Component) -> pl.Series:
    labelled = column.labelled and (component.codelist or component.role is Role.TIME)
    if not labelled:
        return texts
    first = pl.col(texts.name).str.splitn(": ", 2).struct.field("field_0")
    return texts.to_frame().select(first.alias(texts.name)).to_series()


def _single(
    column: Column, component: Component, texts: pl.Series, fields: Fields, records: pl.Series
) -> pl.Series:
    if component.codelist is not None:
        return _codes(column, component, texts, records)
    if component.data_type not in _NUMBERS:
        return texts
    if fields.decimal != ".":
        texts = texts.str.replace(fields.decimal, ".", literal=True)
    if component.data_type in _FLOATS:
        return _floats(column, texts, records)
    if component.data_type in _WHOLE:
        whole = texts.cast(pl.Int64, strict=False)
        # Whatever polars takes for a whole number is one by XML Schema.
        if whole.null_count() == texts.null_count():
            return whole
    missing = texts.eq(MISSING)
    if component.data_type == "Decimal":
        _refuse(column, records, texts, texts.str.contains(_DECIMAL) | missing, "a decimal number")
        return texts
    _refuse(column, records, texts, texts.str.contains(_INTEGER) | missing, "a whole number")
    if component.data_type == "BigInteger" or missing.any():
        return texts
    _refuse(column, records, texts, whole.is_not_null() | texts.is_null(), "a number of 64 bits")
    return whole


def whole_numbers(frame: pl.DataFrame, structure: DataStructure) -> pl.DataFrame:
    """Return whole numbers as such that are texts only for a ``#N/A`` in another data set."""
    texts = [
        one.id
        for one in structure.components
        if one.data_type in _WHOLE and frame.schema.get(one.id) == pl.String
    ]
    return frame.with_columns(
        pl.col(name).cast(pl.Int64)
        for name in texts
        if not frame.get_column(name).eq(MISSING).any()
    )


def _floats(column: Column, texts: pl.Series, records: pl.Series) -> pl.Series:
    numbers = texts.cast(pl.Float64, strict=False)
    # What polars takes for a finite number is one by XML Schema; of the rest it knows more words.
    if numbers.is_finite().sum() == len(texts) - texts.null_count():
        return numbers
    _refuse(column, records, texts, texts.str.contains(_FLOAT), "a number; NaN where it is missing")
    infinite = numbers.is_infinite()
    if infinite.any():
        known = ~infinite | texts.str.ends_with("INF")
        _refuse(column, records, texts, known, "a number of 64 bits")
    return numbers


def _codes(column: Column, component: Component, texts: pl.Series, records: pl.Series) -> pl.Series:
    assert component.codelist is not None
    whole = codes_of(component)
    typed = texts if texts.dtype == whole else texts.cast(whole, strict=False)
    known = typed.is_not_null() | texts.is_null()
    _refuse(column, records, texts, known, f"a code of {component.codelist.id}")
    plain = len(component.codelist.by_id)
    last = typed.to_physical().max()
    if plain < len(whole.categories) and (not isinstance(last, int) or last < plain):
        return typed.to_physical().cat.to(pl.Enum([*component.codelist.by_id]))
    return typed


def _refuse(
    column: Column, records: pl.Series, texts: pl.Series, known: pl.Series, expected: str
) -> None:
    """Raise DataError for the first text that is not known; null is."""
    wrong = (~known).arg_true()
    if len(wrong):
        raise DataError(
            f"record {records[wrong[0]]}, column {column.title[:80]}",
            got=str(texts[wrong[0]])[:80],
            expected=expected,
            hint=f"{len(wrong)} fields of this column are wrong" if len(wrong) > 1 else None,
        )


def _several(column: Column, component: Component, texts: pl.Series, fields: Fields) -> pl.Series:
    where = f"column {column.title[:80]}"
    if not component.multiple:
        raise DataError(
            where, got="several values", expected=f"one value: {component.id} takes no more"
        )
    if column.form is Form.SINGLE or fields.between is None:
        one = pl.when(pl.col(texts.name).is_not_null()).then(pl.concat_list(texts.name))
        parts = texts.to_frame().select(one.alias(texts.name)).to_series()
    else:
        parts = _mapped(
            texts, lambda text: split(text, fields.between or "", where), pl.List(pl.String)
        )
    rows = pl.DataFrame({"record": fields.records, "value": parts}).with_row_index("row")
    flat = rows.filter(pl.col("value").is_not_null()).explode("value")
    plain = _without_labels(flat.get_column("value"), column, component)
    typed = _single(column, component, plain, fields, flat.get_column("record"))
    lists = flat.select("row", typed.alias("value")).group_by("row", maintain_order=True)
    whole = rows.select("row").join(lists.agg("value"), on="row", how="left", maintain_order="left")
    return whole.get_column("value").alias(texts.name)


def _languages(column: Column, component: Component, texts: pl.Series, fields: Fields) -> pl.Series:
    where, between = f"column {column.title[:80]}", fields.between or ""
    if component.codelist is not None or not component.multilingual:
        raise DataError(
            where, got="texts by language", expected=f"values: {component.id} has no languages"
        )
    if not component.multiple:
        return _mapped(
            texts, lambda text: language_texts(split(text, between, where), where), TEXTS
        )
    return _mapped(
        texts,
        lambda text: [
            language_texts(split(one or "", between, where), where)
            for one in split(text, between, where)
        ],
        pl.List(TEXTS),
    )


def _mapped(texts: pl.Series, parse: Callable[[str], object], kind: pl.DataType) -> pl.Series:
    """Return the texts parsed, each distinct one once."""
    distinct = texts.unique().drop_nulls()
    if distinct.is_empty():
        return pl.Series(texts.name, [None] * len(texts), dtype=kind)
    parsed = pl.Series("value", [parse(text) for text in distinct], dtype=kind)
    place = texts.replace_strict(
        distinct, pl.Series(range(len(distinct)), dtype=pl.UInt32), default=None
    )
    return parsed.gather(place).alias(texts.name)
