"""Data as a spreadsheet for people: the data, what is said of them, codes, where it comes from."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.partialkeys import filled, observations, partial_rows
from sdmx_service.formats.registry import register_data
from sdmx_service.formats.table import Shown, cells, columns
from sdmx_service.formats.workbook import Heading, Sheet, workbook
from sdmx_service.structures.artefacts import Role

__all__ = ["LARGEST", "write_xlsx"]

LARGEST = 100_000
_ROWS_A_PART = 16_384
# What is looked at for the width of a column, and how wide columns are, in characters.
_LOOKED_AT = 500
_NARROWEST, _WIDEST = 8, 40
Texts = tuple[str | None, ...]


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
    """Yield the workbook in pieces. Texts are cells of text, so none of them is ever a formula.

    Beside each code stands its name. Dimensions and attributes that are the same in all rows are
    folded away, so that the figures are seen first; the sheet ``about`` says what they are. What
    is said of parts of the key, reference metadata above all, has a sheet of its own: among the
    observations it would be counted as some.
    Raises NotAcceptable for more rows than a person reads (``LARGEST``).
    """
    if message.dataset.height > LARGEST:
        raise NotAcceptable(
            "xlsx",
            got=f"{message.dataset.height} rows",
            expected=f"at most {LARGEST} rows",
            hint="narrow the query, or ask for csv or parquet",
        )
    shown = columns(message)
    parts = partial_rows(message.dataset)
    said = pl.concat(parts.values(), how="diagonal_relaxed") if parts else pl.DataFrame()
    rows = pl.concat([message.dataset.collected().clear(), *observations(message.dataset)])
    if parts:  # columns that are there for the parts alone
        rows = filled(
            rows, keep=[c for c in message.dataset.components if c.id not in said.columns]
        )
    same = _same(rows)
    sheets = [_sheet("data", rows, shown, same)]
    if parts:
        sheets.append(_sheet("metadata", said, shown))
    sheets += [_codes(message, shown), _about(message, shown, rows, same)]
    return workbook(sheets, message.text(message.flow.name), message.prepared)


def _same(rows: pl.DataFrame) -> list[str]:
    """Return the columns that say the same in each of several rows, or nothing in any."""
    if rows.height < 2:
        return []
    return [
        column.name
        for column in rows.get_columns()
        if (column.null_count() in (0, rows.height)) and column.n_unique() == 1
    ]


def _sheet(
    name: str, rows: pl.DataFrame, shown: tuple[Shown, ...], same: list[str] | None = None
) -> Sheet:
    present = [one for one in shown if one.component.id in rows.columns]

    def tables() -> Iterator[pl.DataFrame]:
        for part in rows.iter_slices(_ROWS_A_PART):
            found = [values for one in present for values in cells(one, part)]
            yield pl.DataFrame([one.alias(str(place)) for place, one in enumerate(found)])

    seen = rows.head(_LOOKED_AT)
    headings = [
        Heading(title, _width(title, values), _folded(one, same or []))
        for one in present
        for title, values in zip(one.titles, cells(one, seen), strict=True)
    ]
    return Sheet(name, headings, tables, rows.height)


def _folded(shown: Shown, same: list[str]) -> bool:
    figures = shown.component.role in (Role.TIME, Role.MEASURE)
    return shown.component.id in same and not figures


def _width(title: str, values: pl.Series) -> int:
    if values.dtype.is_numeric():
        return max(len(title), _NARROWEST) + 2  # of a number as many digits are shown as fit
    lengths: list[int] = values.cast(pl.String).str.len_chars().drop_nulls().to_list()
    return min(max(len(title), _NARROWEST, *lengths) + 2, _WIDEST)


def _codes(message: DataMessage, shown: tuple[Shown, ...]) -> Sheet:
    """Return the components with the codes of theirs that occur."""
    found: list[Texts] = []
    for column in shown:
        about = (column.component.id, message.text(column.component.name))
        used = _used(message, column) if column.names else []
        found += [(*about, code, column.names[code]) for code in used] or [(*about, None, None)]
    return _texts("codes", ("component", "name", "code", "name of the code"), found)


def _used(message: DataMessage, column: Shown) -> list[str]:
    """Return the codes that occur, in the order of the list."""
    found: set[str] = set()
    for chunk in message.dataset.chunks():
        values = chunk.get_column(column.component.id)
        if isinstance(values.dtype, pl.List):
            values = values.drop_nulls().list.explode(empty_as_null=False)
        found |= set(values.unique().drop_nulls().cast(pl.String))
    return [code for code in column.names if code in found]


def _about(
    message: DataMessage, shown: tuple[Shown, ...], rows: pl.DataFrame, same: list[str]
) -> Sheet:
    flow, structure = message.flow, message.flow.structure
    said: list[Texts] = [
        ("dataflow", f"{flow.agency}:{flow.id}({flow.version})"),
        ("name", message.text(flow.name)),
        ("description", message.text(flow.description)),
        ("data structure", f"{structure.agency}:{structure.id}({structure.version})"),
        ("source", message.sender or flow.agency),
        ("release", message.release),
        ("published", message.prepared.isoformat()),
        ("address", message.url),
        ("observations", str(rows.height)),
    ]
    first = rows.head(1)
    for one in shown:
        if not _folded(one, same):
            continue
        texts = [str(values[0]) for values in cells(one, first) if values[0] is not None]
        if texts:
            name = message.text(one.component.name) or one.component.id
            text = "{1} ({0})".format(*texts) if one.names else "; ".join(texts)
            said.append((f"{name}, in all rows", text))
    return _texts("about", ("what", "of this file"), said)


def _texts(name: str, titles: tuple[str, ...], rows: list[Texts]) -> Sheet:
    table = pl.DataFrame(rows, schema=dict.fromkeys(titles, pl.String), orient="row")
    headings = [
        Heading(title, _width(title, column))
        for title, column in zip(titles, table.get_columns(), strict=True)
    ]
    return Sheet(name, headings, lambda: iter([table]), table.height)
