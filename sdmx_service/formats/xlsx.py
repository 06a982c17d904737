"""Data as a spreadsheet for people: the data, what is said of them, codes, where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from typing import Any

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.partialkeys import filled, observations, partial_rows
from sdmx_service.formats.registry import register_data
from sdmx_service.formats.table import Shown, cells, columns

__all__ = ["LARGEST", "write_xlsx"]

LARGEST = 100_000
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_LONGEST_CELL = 32_767
_LAST_COLUMN = "XFD"


@register_data(
    "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "",
    ".xlsx",
    short_names=("excel",),
    carries=frozenset(Feature)
    - {Feature.SEVERAL_DATASETS, Feature.SEVERAL_STRUCTURES, Feature.DELETE, Feature.ACTIONS,
       Feature.VALIDITY},
)  # fmt: skip
def write_xlsx(message: DataMessage) -> Iterator[bytes]:
    """Yield the workbook whole. Texts are cells of text, so none of them is ever a formula.

    Beside each code stands its name. What is said of parts of the key, reference metadata above
    all, has a sheet of its own: among the observations it would be counted as some.
    Raises NotAcceptable for more rows than a person reads (``LARGEST``).
    """
    if message.dataset.height > LARGEST:
        raise NotAcceptable(
            "xlsx",
            got=f"{message.dataset.height} rows",
            expected=f"at most {LARGEST} rows",
            hint="narrow the query, or ask for csv or parquet",
        )
    # Heavy, and wanted only by those who ask for a spreadsheet.
    library: Any = import_module("xlsxwriter")
    out = BytesIO()
    book = library.Workbook(out, _OPTIONS)
    book.set_properties({"title": message.text(message.flow.name), "created": message.prepared})
    bold = book.add_format({"bold": True})
    shown = columns(message)
    parts = partial_rows(message.dataset)
    said = pl.concat(parts.values(), how="diagonal_relaxed") if parts else pl.DataFrame()
    rows = pl.concat([message.dataset.collected().clear(), *observations(message.dataset)])
    if parts:  # columns that are there for the parts alone
        rows = filled(
            rows, keep=[c for c in message.dataset.components if c.id not in said.columns]
        )
    _table(book.add_worksheet("data"), rows, shown, bold)
    if parts:
        _table(book.add_worksheet("metadata"), said, shown, bold)
    _codes(book.add_worksheet("codes"), message, shown, bold)
    _about(book.add_worksheet("about"), message, bold)
    book.close()
    yield out.getvalue()


def _table(sheet: Any, rows: pl.DataFrame, shown: tuple[Shown, ...], bold: Any) -> None:
    place = 0
    for column in shown:
        if column.component.id not in rows.columns:
            continue
        for title, values in zip(column.titles, cells(column, rows), strict=True):
            sheet.write_string(0, place, title, bold)
            _write(sheet, 1, place, values)
            place += 1
    last = max(rows.height, 1)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, max(place - 1, 0))
    sheet.set_column(0, max(place - 1, 0), 14)
    # Codes such as 0 are texts on purpose.
    sheet.ignore_errors({"number_stored_as_text": f"A1:{_LAST_COLUMN}{last + 1}"})


def _write(sheet: Any, first: int, place: int, values: pl.Series) -> None:
    number = values.dtype.is_numeric()
    if values.dtype.is_float():
        odd = ~values.is_finite()
        if odd.any():  # a cell holds no NaN: its word is a text
            words = values.cast(pl.String).str.replace("inf", "INF", literal=True)
            for row in odd.arg_true():
                sheet.write_string(first + row, place, words[row])
            values = pl.select(pl.when(~odd).then(values)).to_series()
    write = sheet.write_number if number else sheet.write_string
    for row, value in enumerate(values, first):
        if value is not None:
            write(row, place, value if number else value[:_LONGEST_CELL])


def _codes(sheet: Any, message: DataMessage, shown: tuple[Shown, ...], bold: Any) -> None:
    for place, title in enumerate(("component", "name", "code", "name of the code")):
        sheet.write_string(0, place, title, bold)
    row = 1
    for column in shown:
        name = message.text(column.component.name)
        used = _used(message, column) if column.names else []
        for code in used or [""]:
            texts = (column.component.id, name, code, column.names.get(code, ""))
            for place, text in enumerate(texts):
                sheet.write_string(row, place, text[:_LONGEST_CELL])
            row += 1
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 3, 24)


def _used(message: DataMessage, column: Shown) -> list[str]:
    """Return the codes that occur, in the order of the list."""
    found: set[str] = set()
    for chunk in message.dataset.chunks():
        values = chunk.get_column(column.component.id)
        if isinstance(values.dtype, pl.List):
            values = values.drop_nulls().list.explode(empty_as_null=False)
        found |= set(values.unique().drop_nulls().cast(pl.String))
    return [code for code in column.names if code in found]


def _about(sheet: Any, message: DataMessage, bold: Any) -> None:
    flow, structure = message.flow, message.flow.structure
    said = {
        "dataflow": f"{flow.agency}:{flow.id}({flow.version})",
        "name": message.text(flow.name),
        "description": message.text(flow.description),
        "data structure": f"{structure.agency}:{structure.id}({structure.version})",
        "source": message.sender or flow.agency,
        "release": message.release,
        "published": message.prepared.isoformat(),
        "address": message.url or "",
        "rows": str(message.dataset.height),
    }
    for row, (title, text) in enumerate(said.items()):
        sheet.write_string(row, 0, title, bold)
        sheet.write_string(row, 1, text[:_LONGEST_CELL])
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 80)
