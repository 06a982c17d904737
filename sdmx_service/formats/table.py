"""A data set as people read it: ids, names beside codes, several values in one text."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sdmx_service.formats.csvfields import joined_values
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.formats.languages import languages_of
from sdmx_service.formats.message import DataMessage
from sdmx_service.structures.artefacts import Component

__all__ = ["Shown", "cells", "columns"]

_BETWEEN = ";"


@dataclass(frozen=True)
class Shown:
    """A component with the titles of its columns and the names of its codes.

    Texts by language have a column a language (``languages``).
    """

    component: Component
    titles: tuple[str, ...]
    names: dict[str, str]
    languages: tuple[str, ...] = ()


def columns(message: DataMessage) -> tuple[Shown, ...]:
    """Return what is shown of the only data set: components that have a column."""
    shown = []
    spoken = languages_of(message)
    taken = {component.id for component in message.dataset.components}
    for component in message.dataset.components:
        codes = component.codelist.by_id if component.codelist else {}
        names = {code: message.text(item.name) or code for code, item in codes.items()}
        titles: tuple[str, ...] = (component.id,)
        languages = spoken.get(component.id, ())
        if len(languages) > 1:
            titles = tuple(f"{component.id} [{language}]" for language in languages)
        elif codes:
            title = message.text(component.name) or component.id
            # Two components may bear one name, a component may be named as another's id.
            title = f"{component.id} {title}" if title in taken else title
            taken.add(title)
            titles = (component.id, title)
        shown.append(Shown(component, titles, names, languages))
    return tuple(shown)


def cells(shown: Shown, rows: pl.DataFrame) -> list[pl.Series]:
    """Return the columns of one component: its values, numbers as such, and names of codes."""
    column = rows.get_column(shown.component.id)
    if shown.languages:
        return [_in_language(column, language) for language in shown.languages]
    if isinstance(column.dtype, pl.List):
        return _joined(shown, column)
    if column.dtype.is_numeric():
        return [column]
    texts = column.cast(pl.String)
    if len(shown.titles) == 1:
        return [texts]
    present = {code: shown.names.get(code, code) for code in texts.unique().drop_nulls()}
    if not present:
        return [texts, texts]
    return [texts, texts.replace_strict(present, default=None, return_dtype=pl.String)]


def _in_language(column: pl.Series, language: str) -> pl.Series:
    """Return the texts in one language; several of them stand in one text."""
    texts = pl.element().filter(pl.element().struct.field("lang") == language)
    said = texts.struct.field("text").first()
    value, frame = pl.col("value"), column.alias("value").to_frame()
    if column.dtype == TEXTS:
        return frame.select(value.list.eval(said).list.first()).to_series()
    each = value.list.eval(pl.element().list.eval(said).list.first().drop_nulls())
    return frame.select(joined_values(each, _BETWEEN, numbers=False, decimal=".")).to_series()


def _joined(shown: Shown, column: pl.Series) -> list[pl.Series]:
    value, frame = pl.col("value"), column.alias("value").to_frame()
    numbers = column.dtype.inner.is_numeric() if isinstance(column.dtype, pl.List) else False
    plain = joined_values(value, _BETWEEN, numbers=bool(numbers), decimal=".")
    if len(shown.titles) == 1:
        return [frame.select(plain).to_series()]
    named = value.list.eval(
        pl.element().cast(pl.String).replace(list(shown.names), list(shown.names.values()))
    )
    return [
        frame.select(plain).to_series(),
        frame.with_columns(named).select(plain).to_series(),
    ]
