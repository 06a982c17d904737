"""The columns of keys of SDMX-CSV 2.x, which repeat what the dimensions say."""

from __future__ import annotations

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.dataset import SWITCHED_OFF, DataSet
from sdmx_service.formats.message import ALL_DIMENSIONS, DataMessage, Keys
from sdmx_service.structures.artefacts import DataStructure

__all__ = ["key_columns", "key_titles", "refuse_contradiction"]


def key_titles(keys: Keys) -> list[str]:
    """Return the titles of the columns asked for, in the order of the guide."""
    series = ["SERIES_KEY"] if keys in (Keys.SERIES, Keys.BOTH) else []
    return series + (["OBS_KEY"] if keys in (Keys.OBS, Keys.BOTH) else [])


def key_columns(message: DataMessage, dataset: DataSet) -> list[pl.Expr]:
    """Return the columns asked for; a dimension that is not filled leaves its place empty."""
    whole = [one.id for one in dataset.structure.key]
    at = message.at_observation(dataset)
    if at == ALL_DIMENSIONS and dataset.structure.timed:
        at = dataset.structure.time.id
    chosen = {"SERIES_KEY": [name for name in whole if name != at], "OBS_KEY": whole}
    return [_joined(chosen[title], list(dataset.schema)) for title in key_titles(message.keys)]


def _joined(names: list[str], present: list[str]) -> pl.Expr:
    parts = [
        pl.col(name).cast(pl.String).fill_null("") if name in present else pl.lit("")
        for name in names
    ]
    return pl.concat_str(parts, separator=".")


def refuse_contradiction(
    title: str, keys: pl.Series, frame: pl.DataFrame, structure: DataStructure, records: pl.Series
) -> None:
    """Raise DataError where a key is not that of the dimensions beside it.

    A series key leaves out one dimension, whichever stands at the observation. Rows of partial
    keys are not looked at: the guide does not say what their keys are.
    """
    whole = [one.id for one in structure.key]
    if not set(whole) <= set(frame.columns):
        return
    left_out = [None] if title == "OBS_KEY" else list(reversed(whole))
    texts = frame.select(pl.col(whole).cast(pl.String))
    full = texts.select(pl.all_horizontal(pl.all().fill_null(SWITCHED_OFF) != SWITCHED_OFF))
    wrong: list[pl.Series] = []
    for one in left_out:
        named = frame.select(_joined([name for name in whole if name != one], frame.columns))
        wrong.append(full.to_series() & keys.is_not_null() & (named.to_series() != keys))
        if not wrong[-1].any():
            return
    first = int(wrong[0].arg_true()[0])
    raise DataError(
        f"record {records[first]}, column {title}",
        got=str(keys[first])[:80],
        expected="the codes of the dimensions, joined by dots",
    )
