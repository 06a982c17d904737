"""Tables as HTML, with caption, scope and no empty cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sdmx_service.publication import typst

__all__ = ["Column", "Table", "folded_html", "table_html", "table_typst"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, whether it holds numbers, its width in parts of a PDF line."""

    head: str
    numeric: bool = False
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """A plain table; the first cell of a row is its header."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns) or not all(row):
                raise ValueError(f"table {self.caption!r} has a ragged or empty row: {row}")


def _numeric(column: Column) -> str:
    return ' class="n"' if column.numeric else ""


def table_html(table: Table) -> str:
    """Return the table as HTML in a scroller that the keyboard reaches."""
    head = "".join(f'<th scope="col"{_numeric(c)}>{escape(c.head)}</th>' for c in table.columns)
    body = []
    for row in table.rows:
        cells = [f'<th scope="row">{escape(row[0])}</th>']
        cells += [
            f"<td{_numeric(column)}>{escape(cell)}</td>"
            for column, cell in zip(table.columns[1:], row[1:], strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.caption)}">'
        f'<table class="tbl"><caption><span>{escape(table.caption)}</span></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def folded_html(summary: str, table: Table) -> str:
    """Return the table behind a summary that opens it."""
    return f"<details><summary>{escape(summary)}</summary>{table_html(table)}</details>"


def table_typst(table: Table) -> str:
    """Return the table as Typst; its head repeats on every page."""
    widths: Sequence[str] = [f"{column.width}fr" for column in table.columns]
    aligns = ["right" if column.numeric else "left" for column in table.columns]
    head = ", ".join(f"[#strong({typst.literal(c.head)})]" for c in table.columns)
    body = ",\n".join(
        ", ".join(f"[{typst.literal(cell, hashed=True)}]" for cell in row) for row in table.rows
    )
    return (
        f"#block(sticky: true, above: 1.2em, text(size: 8pt, {typst.literal(table.caption)}))\n"
        "#[#set text(size: 8pt)\n#set par(justify: false, leading: .5em)\n"
        f"#table(columns: ({', '.join(widths)},), align: ({', '.join(aligns)},), "
        "inset: (x: 1.2mm, y: 1mm), stroke: (x, y) => (top: if y < 2 { .7pt } else "
        f'{{ .3pt + rgb("#bdb9b0") }}),\ntable.header({head}),\n{body})]\n'
    )
