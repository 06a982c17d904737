"""The records of an SDMX-CSV message as columns of text (RFC 4180)."""

from __future__ import annotations

import re

import polars as pl
import pyarrow as pa
import pyarrow.csv

from sdmx_service.errors import DataError
from sdmx_service.formats.csvheader import Header

__all__ = ["LONGEST_HEADER", "records", "utf8"]

LONGEST_HEADER = 1_000_000
_ROW = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_BLOCK, _LARGEST_BLOCK = 8 << 20, (1 << 31) - 1


def utf8(content: bytes, where: str) -> str:
    """Return the text; DataError for a byte that is no UTF-8."""
    try:
        return content.decode("utf-8", "strict" if len(content) < LONGEST_HEADER else "ignore")
    except UnicodeDecodeError as error:
        raise DataError(
            where, got=f"byte {error.start}: {content[error.start]:#x}", expected="UTF-8"
        ) from None


def records(content: bytes, header: Header) -> pl.DataFrame:
    """Return all fields as text, columns ``f0``, ``f1`` ...; an empty one is null, quoted or not.

    Raises DataError for a record that is too short or too long and for a quote out of place.
    """
    _refuse_stray_quotes(content, header.separator)
    names = [f"f{place}" for place in range(len(header.titles))]
    counted = _counted(content, header, names)
    if counted is not None:
        return counted
    try:
        table = _parsed(content, header, names, threads=True)
    except pa.ArrowInvalid:
        table = _reparsed(content, header, names)
    return pl.DataFrame(pl.from_arrow(table))


def _refuse_stray_quotes(content: bytes, separator: str) -> None:
    """Raise DataError for a quote that neither opens nor closes a field (RFC 4180, 2.5 to 2.7)."""
    if b'"' not in content:
        return
    mark = re.escape(separator.encode())
    well = rb'(?:[^"]++|(?<![^' + mark + rb'\n\xbf])"(?:[^"]++|"")*+"(?![^' + mark + rb"\r\n]))*+"
    found = re.compile(well).match(content)
    end = found.end() if found else 0
    if end < len(content):
        line = content.count(b"\n", 0, end) + 1
        raise DataError(
            f"line {line}",
            got=content[max(0, end - 20) : end + 40].decode("utf-8", "replace"),
            expected="quotes around a whole field",
            hint='a field with a quote stands in quotes, and the quote in it is written as ""',
        )


def _counted(content: bytes, header: Header, names: list[str]) -> pl.DataFrame | None:
    """Return the fields, read by the faster parser, or None where it may have got them wrong.

    It fills up a record that is too short and forgives one that ends in a separator too many, so
    that is asked for only where there are no quotes and the separators of each line are counted.
    """
    if b'"' in content or content.count(b"\r") != content.count(b"\r\n"):
        return None
    try:
        lines = pl.read_csv(
            content,
            separator="\0",
            quote_char=None,
            has_header=False,
            infer_schema=False,
            new_columns=["line"],
        ).get_column("line")
        table = pl.read_csv(
            content, separator=header.separator, infer_schema=False, new_columns=names
        )
    except pl.exceptions.PolarsError:
        return None
    even = lines.str.count_matches(header.separator, literal=True) == len(names) - 1
    return table if even.fill_null(value=False).all() else None


def _parsed(content: bytes, header: Header, names: list[str], *, threads: bool) -> pa.Table:
    return pyarrow.csv.read_csv(
        pa.BufferReader(content),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names,
            use_threads=threads,
            # A record must lie within a block: the second parse takes all as one.
            block_size=_BLOCK if threads else max(_BLOCK, min(len(content) + 1, _LARGEST_BLOCK)),
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=header.separator, newlines_in_values=b'"' in content
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ).slice(1)


def _reparsed(content: bytes, header: Header, names: list[str]) -> pa.Table:
    """Parse once more, in order, to learn which record is wrong."""
    try:
        return _parsed(content, header, names, threads=False)
    except pa.ArrowInvalid as error:
        ragged = _ROW.search(str(error))
        if ragged is None:
            utf8(content, "message")
            raise DataError("message", got=str(error)[:200], expected="CSV (RFC 4180)") from None
        raise DataError(
            f"record {ragged[1]}",
            got=f"{ragged[3]} fields",
            expected=f"{ragged[2]} fields, as in the header",
            hint="a field with a separator, a quote or a line end stands in quotes",
        ) from None
