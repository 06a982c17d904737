"""A spreadsheet file, sheet by sheet (Office Open XML: ECMA-376, part 1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZipFile

import polars as pl

from sdmx_service.formats.abreast import abreast
from sdmx_service.formats.drain import Drain
from sdmx_service.formats.rendering import encoded
from sdmx_service.formats.xmlcells import Parts, joined

__all__ = ["Heading", "Sheet", "workbook"]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_CORE = "application/vnd.openxmlformats-package.core-properties+xml"
_DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ROWS_A_PIECE = 2_048
# Smaller files are made much more slowly.
_EFFORT = 3
_LONGEST = 32_767
# Excel keeps fifteen digits of a number: longer whole numbers go as texts.
_DIGITS = 10**15
# XML has no form for these; a text that looks like their escape is escaped as well.
_CONTROL = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"
_ESCAPED = re.compile("([\x00-\x08\x0b-\x1f\ufffe\uffff])|(_)(?=x[0-9A-Fa-f]{4}_)")
_MARKS = ["&", "<", ">"]


@dataclass(frozen=True)
class Heading:
    """The title of a column and its width in characters; a ``folded`` one is opened by a click."""

    title: str
    width: int = 14
    folded: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table with a title a column.

    ``parts`` yields its ``height`` rows as frames with a column a heading, texts or numbers; null
    is an empty cell.
    """

    name: str
    headings: Sequence[Heading]
    parts: Callable[[], Iterator[pl.DataFrame]]
    height: int


def workbook(sheets: Sequence[Sheet], title: str, created: datetime) -> Iterator[bytes]:
    """Yield a file of some sheets, in pieces.

    A text is a cell of text, so that none is ever a formula, a link or a number. Numbers go in
    the shortest form that reads back the same; those a cell cannot hold (NaN, infinite, whole ones
    of more than fifteen digits) as texts. What is longer than the 32,767 characters of a cell ends
    in an ellipsis.
    """
    out = Drain()
    # Opened by name, entries bear no moment of writing: an answer is the same whenever asked for.
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=_EFFORT) as archive:
        for name, content in _around(sheets, title, created).items():
            with archive.open(name, "w") as file:
                file.write((_DECLARED + content).encode())
        for number, sheet in enumerate(sheets, 1):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as file:
                for piece in _pieces(sheet):
                    file.write(piece)
                    yield out.drained()
    yield out.drained()


def _around(sheets: Sequence[Sheet], title: str, created: datetime) -> dict[str, str]:
    """Return the parts of the package that are no sheets, by name."""
    numbers = range(1, len(sheets) + 1)
    moment = f"{created:%Y-%m-%dT%H:%M:%SZ}"
    overrides = [
        ("/xl/workbook.xml", f"{_TYPES}.sheet.main+xml"),
        ("/xl/styles.xml", f"{_TYPES}.styles+xml"),
        ("/docProps/core.xml", _CORE),
        *((f"/xl/worksheets/sheet{n}.xml", f"{_TYPES}.worksheet+xml") for n in numbers),
    ]
    listed = "".join(
        f'<sheet name="{_escape(sheet.name)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, sheet in zip(numbers, sheets, strict=True)
    )
    filtered = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{place}" hidden="1">'
        f"'{_escape(sheet.name)}'!$A$1:${_letters(len(sheet.headings))}${_last(sheet)}"
        "</definedName>"
        for place, sheet in enumerate(sheets)
    )
    sheet_relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        + "".join(f'<Override PartName="{n}" ContentType="{t}"/>' for n, t in overrides)
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        '<Relationship Id="rId2" Target="docProps/core.xml"'
        f' Type="{_PACKAGE}/relationships/metadata/core-properties"/></Relationships>',
        "docProps/core.xml": f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<dc:title>{_escape(title)}</dc:title><dcterms:created xsi:type="dcterms:W3CDTF">'
        f"{moment}</dcterms:created></cp:coreProperties>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        "<bookViews><workbookView/></bookViews>"
        f"<sheets>{listed}</sheets><definedNames>{filtered}</definedNames></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="{id}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
            for id, kind, target in [*sheet_relations, ("rIdStyles", "styles", "styles.xml")]
        )
        + "</Relationships>",
        # The second of the cell formats is bold.
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2">'
        '<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        '</cellStyleXfs><cellXfs count="2">'
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>",
    }


def _pieces(sheet: Sheet) -> Iterator[bytes]:
    """Yield the XML of a sheet."""
    letters = [_letters(number) for number in range(1, len(sheet.headings) + 1)]
    last = _last(sheet)
    whole = f"A1:{letters[-1]}{last}"
    titles = "".join(
        f'<c r="{letter}1" s="1" t="inlineStr"><is><t>{_escape(heading.title)}</t></is></c>'
        for letter, heading in zip(letters, sheet.headings, strict=True)
    )
    folded = any(heading.folded for heading in sheet.headings)
    levels = ' outlineLevelCol="1"' if folded else ""
    yield (
        f'{_DECLARED}<worksheet xmlns="{_MAIN}">'
        f'<dimension ref="{whole}"/><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f'</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"{levels}/>'
        f"<cols>{_columns(sheet.headings)}</cols>"
        f'<sheetData><row r="1">{titles}</row>'
    ).encode()
    yield from abreast(lambda numbered: _lines(*numbered, letters), _numbered(sheet))
    yield (
        f'</sheetData><autoFilter ref="{whole}"/>'
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        # Codes such as 0 are texts on purpose.
        f'<ignoredErrors><ignoredError sqref="{whole}" numberStoredAsText="1"/></ignoredErrors>'
        "</worksheet>"
    ).encode()


def _columns(headings: Sequence[Heading]) -> str:
    found, folded = [], False
    for number, heading in enumerate(headings, 1):
        said = ' hidden="1" outlineLevel="1"' if heading.folded else ""
        if folded and not heading.folded:
            said = ' collapsed="1"'  # the sign that unfolds columns stands above the next one
        found.append(f'<col min="{number}" max="{number}" width="{heading.width}"{said}')
        found.append(' customWidth="1"/>')
        folded = heading.folded
    return "".join(found)


def _numbered(sheet: Sheet) -> Iterator[tuple[int, pl.DataFrame]]:
    first = 2
    for part in sheet.parts():
        for rows in part.iter_slices(_ROWS_A_PIECE):
            yield first, rows
            first += rows.height


def _lines(first: int, rows: pl.DataFrame, letters: Sequence[str]) -> bytes:
    number = pl.int_range(first, first + rows.height, eager=True).cast(pl.String)
    parts: Parts = ['<row r="', number, '">']
    for letter, column in zip(letters, rows.get_columns(), strict=True):
        parts += _cells(letter, number, column)
    return encoded(joined([*parts, "</row>"], rows))


def _cells(letter: str, number: pl.Series, column: pl.Series) -> Parts:
    """Return the cells of one column, in parts to be joined; those without a value are null."""
    if column.null_count() == len(column):
        return []
    place = f'<c r="{letter}'
    if not column.dtype.is_numeric():
        return _whole([place, number, *_in_line(column)], column)
    odd = ~column.is_finite() if column.dtype.is_float() else column.abs() >= _DIGITS
    texts = column.cast(pl.String)
    parts: Parts = [place, number, '"><v>', texts, "</v></c>"]
    if not odd.any():
        return _whole(parts, column)
    words = texts.str.replace("inf", "INF", literal=True)
    either = pl.when(odd).then(joined([place, number, *_in_line(words)], words.to_frame()))
    plain = pl.when(column.is_not_null()).then(joined(parts, texts.to_frame()))
    return [pl.select(either.otherwise(plain)).to_series()]


def _whole(parts: Parts, column: pl.Series) -> Parts:
    if not column.null_count():
        return parts  # joined with the other columns in one go
    cells = joined(parts, column.to_frame())
    return [pl.select(pl.when(column.is_not_null()).then(cells)).to_series()]


def _in_line(texts: pl.Series) -> Parts:
    """Return what stands between the place of a cell of text and its end."""
    texts = texts.str.replace_all("\r\n", "\n", literal=True)  # as spreadsheets end a line
    if (texts.str.len_bytes() > _LONGEST).any():
        texts = _shortened(texts)
    if texts.str.contains(_CONTROL).any():
        wrong = texts.filter(texts.str.contains(_CONTROL)).unique()
        texts = texts.replace(wrong, pl.Series([_hexadecimal(text) for text in wrong]))
    if texts.str.contains_any(_MARKS).any():
        for mark, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            texts = texts.str.replace_all(mark, escape, literal=True)
    kept = ' xml:space="preserve"' if texts.str.contains(r"^\s|\s$|\n").any() else ""
    return [f'" t="inlineStr"><is><t{kept}>', texts, "</t></is></c>"]


def _shortened(texts: pl.Series) -> pl.Series:
    """Return texts that fit into a cell, whose length is counted in units of UTF-16."""
    long = texts.filter(texts.str.len_bytes() > _LONGEST).unique()
    cut = []
    for text in long:
        units = text.encode("utf-16-le")
        kept = units[: 2 * (_LONGEST - 1)].decode("utf-16-le", errors="ignore") + "…"
        cut.append(text if len(units) <= 2 * _LONGEST else kept)
    return texts.replace(long, pl.Series(cut, dtype=pl.String))


def _hexadecimal(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _escape(text: str) -> str:
    text = _hexadecimal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;")


def _letters(number: int) -> str:
    """Return the name of a column counted from 1: A to Z, AA to XFD."""
    name = ""
    while number:
        number, left = divmod(number - 1, 26)
        name = chr(65 + left) + name
    return name


def _last(sheet: Sheet) -> int:
    return max(sheet.height, 1) + 1
