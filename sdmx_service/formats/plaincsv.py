"""Data as a plain table for people: a column of names after each of codes, nothing of SDMX."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import polars as pl

from sdmx_service.formats.csvcolumns import Escape
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import register_data
from sdmx_service.formats.table import cells, columns

__all__ = ["write_plain_csv"]

# Excel takes UTF-8 for what it is only behind a byte order mark.
_MARK = "\ufeff"


@register_data(
    "table",
    "text/csv; header=present",
    "",
    ".csv",
    short_names=("plaincsv", "plain"),
    carries=frozenset(Feature)
    - {Feature.SEVERAL_DATASETS, Feature.SEVERAL_STRUCTURES, Feature.DELETE, Feature.ACTIONS,
       Feature.VALIDITY},
)  # fmt: skip
def write_plain_csv(message: DataMessage) -> Iterator[bytes]:
    """Yield the only data set of the message; texts that a spreadsheet would run are disarmed."""
    dataset = message.dataset
    escape = Escape(",")
    shown = columns(message)
    titles = [title for component in shown for title in component.titles]
    head = (_MARK + ",".join(escape.text(_safe(title)) for title in titles) + "\r\n").encode()
    for chunk in dataset.chunks():
        parts = [part for column in shown for part in cells(column, chunk)]
        fields = [_field(part, escape) for part in parts]
        out = BytesIO()
        pl.DataFrame([field.alias(str(place)) for place, field in enumerate(fields)]).write_csv(
            out, include_header=False, line_terminator="\r\n", quote_style="never"
        )
        yield head + out.getvalue()
        head = b""
    if head:
        yield head


def _field(part: pl.Series, escape: Escape) -> pl.Series:
    if part.dtype == pl.String:
        return escape.column(_disarmed(part))
    if part.dtype.is_float() and part.is_infinite().any():
        return part.cast(pl.String).str.replace("inf", "INF", literal=True)
    return part


def _safe(text: str) -> str:
    return "'" + text if text[:1] in _STARTS else text


_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _disarmed(texts: pl.Series) -> pl.Series:
    """Return the texts; one that a spreadsheet would take for a formula begins with ``'``."""
    risky = texts.str.contains(r"^[=+\-@\t\r]")
    if not risky.any():
        return texts
    quoted = pl.concat_str(pl.lit("'"), texts)
    return pl.select(pl.when(risky).then(quoted).otherwise(texts)).to_series()
