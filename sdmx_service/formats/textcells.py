"""Texts of a message as values of the component they are reported for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import polars as pl
import pyarrow as pa

from sdmx_service.errors import DataError
from sdmx_service.formats.dataset import MISSING, SWITCHED_OFF
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["FLOATS", "WHOLE", "Where", "cells", "inner_of", "typed", "united"]

FLOATS = frozenset({"Double", "Float"})
WHOLE = frozenset({"Integer", "Long", "Short", "Count"})
_DIMENSION = (Role.DIMENSION, Role.TIME)
_FLOAT = r"^(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)$"
_DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_INTEGER = r"^[+-]?[0-9]+$"
_TEXTS = pa.list_(pa.struct([("lang", pa.string()), ("text", pa.string())]))

Where = Callable[[int], str]
"""Names the place that a row, counted from 0, comes from."""


def cells(component: Component, found: Sequence[object], where: Where, deleted: bool) -> pl.Series:
    """Return the values of a column typed as its component is; None is null.

    ``found`` has texts, lists of texts (several values) and, for texts by language, lists of
    ``{"lang", "text"}`` or lists of those. Under Delete (``deleted``) any text marks what is
    deleted. Raises DataError for what the component cannot hold.
    """
    if deleted and component.role not in _DIMENSION:
        marks = [_mark(one) for one in found]
        return pl.Series(component.id, marks, dtype=pl.String)
    if component.multilingual and component.codelist is None:
        return _languages(component, found, where)
    if not component.multiple:
        try:
            texts = pl.Series(component.id, found, dtype=pl.String, strict=True)
        except TypeError:
            _refuse_kind(component, found, where)
            raise
        return _single(component, texts, where)
    lists = [one if one is None or isinstance(one, list) else [one] for one in found]
    for at, one in enumerate(lists):
        if one is not None:
            _refuse_kind(component, one, lambda _, at=at: where(at))  # type: ignore[misc]
    return _several(component, pl.Series(component.id, lists, dtype=pl.List(pl.String)), where)


def typed(component: Component, texts: pl.Series, where: Where, deleted: bool) -> pl.Series:
    """Return the values of a column as ``cells`` does, of what is one text or null each."""
    if deleted and component.role not in _DIMENSION:
        return texts.alias(component.id)
    languages = component.multilingual and component.codelist is None
    if component.multiple or languages:
        return cells(component, texts.to_list(), where, deleted)
    return _single(component, texts.alias(component.id), where)


def _refuse_kind(component: Component, found: Sequence[object], where: Where) -> None:
    """Raise DataError for the first value that is no text."""
    for at, one in enumerate(found):
        if one is not None and not isinstance(one, str):
            several = isinstance(one, list) and not component.multiple
            raise DataError(
                f"{where(at)}, {component.id}",
                got="several values" if several else str(one)[:80],
                expected=f"one value: {component.id} takes no more" if several else "a text",
            )


def _languages(component: Component, found: Sequence[object], where: Where) -> pl.Series:
    """Return texts by language; one that does not say its language is English (xml:lang)."""
    texts: list[object] = []
    for one in found:
        said: object = one
        if isinstance(one, str):
            said = [{"lang": "en", "text": one}]
            said = [said] if component.multiple else said
        texts.append(said)
    kind = pa.list_(_TEXTS) if component.multiple else _TEXTS
    try:
        array = pa.array(texts, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
        wrong = next(at for at, one in enumerate(texts) if not _fits(one, kind))
        raise DataError(
            f"{where(wrong)}, {component.id}",
            got=str(found[wrong])[:80],
            expected=f"{'several texts' if component.multiple else 'a text'} by language",
        ) from None
    return pl.Series(component.id, array)


def _fits(one: object, kind: pa.DataType) -> bool:
    try:
        pa.array([one], type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
        return False
    return True


def _mark(found: object) -> str | None:
    return found if found is None or isinstance(found, str) else "-"


def _several(component: Component, lists: pl.Series, where: Where) -> pl.Series:
    rows = pl.DataFrame({"value": lists}).with_row_index("row")
    filled = rows.filter(pl.col("value").list.len() > 0).explode("value")
    places = filled.get_column("row")
    typed = _single(component, filled.get_column("value"), lambda at: where(places[at]))
    grouped = (
        filled.select("row", typed.alias("typed"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("typed"))
    )
    whole = rows.join(grouped, on="row", how="left", maintain_order="left")
    empty = pl.lit([], dtype=pl.List(typed.dtype))
    return whole.select(
        pl.when(pl.col("value").is_not_null()).then(pl.coalesce("typed", empty)).alias(component.id)
    ).to_series()


def _single(component: Component, texts: pl.Series, where: Where) -> pl.Series:
    if component.codelist is not None:
        return _codes(component, texts, where)
    kind = component.data_type
    if kind in FLOATS:
        return _floats(component, texts, where)
    if kind in WHOLE:
        whole = texts.cast(pl.Int64, strict=False)
        # Whatever polars takes for a whole number is one by XML Schema.
        if whole.null_count() == texts.null_count():
            return whole
    if kind not in WHOLE and kind not in ("Decimal", "BigInteger"):
        return texts
    missing = texts.eq(MISSING)
    if kind == "Decimal":
        _refuse(component, where, texts, texts.str.contains(_DECIMAL) | missing, "a decimal number")
        return texts
    _refuse(component, where, texts, texts.str.contains(_INTEGER) | missing, "a whole number")
    if kind == "BigInteger" or missing.any():
        return texts
    known = whole.is_not_null() | texts.is_null()
    _refuse(component, where, texts, known, "a number of 64 bits")
    return whole


def _floats(component: Component, texts: pl.Series, where: Where) -> pl.Series:
    numbers = texts.cast(pl.Float64, strict=False)
    # What polars takes for a finite number is one by XML Schema; of the rest it knows more words.
    if numbers.is_finite().sum() == len(texts) - texts.null_count():
        return numbers
    texts = texts.str.strip_chars()
    numbers = texts.cast(pl.Float64, strict=False)
    known = texts.str.contains(_FLOAT)
    _refuse(component, where, texts, known, "a number; NaN where it is missing")
    infinite = numbers.is_infinite()
    if infinite.any():
        known = ~infinite | texts.str.ends_with("INF")
        _refuse(component, where, texts, known, "a number of 64 bits")
    return numbers


def _codes(component: Component, texts: pl.Series, where: Where) -> pl.Series:
    assert component.codelist is not None
    codes = list(component.codelist.by_id)
    typed = texts.cast(pl.Enum(codes), strict=False)
    if typed.null_count() == texts.null_count():
        return typed
    special = SWITCHED_OFF if component.role in _DIMENSION else MISSING
    if special not in component.codelist.by_id:
        typed = texts.cast(pl.Enum([*codes, special]), strict=False)
    known = typed.is_not_null() | texts.is_null()
    _refuse(component, where, texts, known, f"a code of {component.codelist.id}")
    return typed


def _refuse(
    component: Component, where: Where, texts: pl.Series, known: pl.Series, expected: str
) -> None:
    """Raise DataError for the first text that is not known; null is."""
    wrong = (~known).arg_true()
    if len(wrong):
        raise DataError(
            f"{where(wrong[0])}, {component.id}",
            got=str(texts[wrong[0]])[:80],
            expected=expected,
            hint=f"{len(wrong)} values of it are wrong" if len(wrong) > 1 else None,
        )


def united(parts: Sequence[pl.Series]) -> pl.Series:
    """Return parts of one column as one, in the type that takes in all of them.

    A part with a special code has one category more, one with "#N/A" is text.
    """
    kinds = {part.dtype for part in parts}
    if len(kinds) == 1:
        return pl.concat(list(parts))
    widest = max(parts, key=lambda part: _width(part.dtype)).dtype
    return pl.concat([part.cast(widest) for part in parts])


def inner_of(kind: pl.DataType) -> pl.DataType:
    """Return the type of the values of a list, of anything else the type itself."""
    return cast(pl.DataType, kind.inner) if isinstance(kind, pl.List) else kind


def _width(kind: pl.DataType) -> tuple[int, int]:
    inner = inner_of(kind)
    if isinstance(inner, pl.Enum):
        return 0, len(inner.categories)
    return int(inner == pl.String), 0
