"""The records of an SDMX-CSV message as columns (RFC 4180)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv

from sdmx_service.errors import DataError
from sdmx_service.formats.csvheader import Header
from sdmx_service.formats.encoded import utf8

__all__ = ["Records"]

_ROW = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_BLOCK, _LARGEST_BLOCK = 8 << 20, (1 << 31) - 1
_QUOTED = '"[^"]*"'


class _UnevenError(Exception):
    """A record may have too few or too many fields."""


@dataclass(frozen=True)
class Records:
    """The records of a message after its header; an empty field is null, quoted or not.

    ``lines`` has the text of each where every record may be a line, else None.
    """

    content: bytes
    header: Header
    lines: pl.Series | None

    @classmethod
    def of(cls, content: bytes, header: Header) -> Records:
        """Return the records; DataError for a quote out of place."""
        _refuse_stray_quotes(content, header.separator)
        return cls(content, header, _lines(content, header.separator))

    @property
    def height(self) -> int:
        """How many records there are."""
        return self.texts.height if self.lines is None else len(self.lines)

    def shared(self, count: int) -> tuple[str | None, ...] | None:
        """Return the first fields where it is seen at once that all records begin with them."""
        if self.lines is None or not len(self.lines):
            return None
        mark = self.header.separator
        fields = self.lines[0].split(mark, count)
        if len(fields) <= count or any('"' in field for field in fields[:count]):
            return None
        if not self.lines.str.starts_with(mark.join(fields[:count]) + mark).all():
            return None
        return tuple(field or None for field in fields[:count])

    def columns(self, places: Sequence[int], coded: Mapping[int, pl.Enum]) -> pl.DataFrame:
        """Return the fields at some places as ``f0``, ``f1`` ...: texts, or codes where ``coded``.

        Where a field is no such code, or all fields were looked at before, all are texts. Raises
        DataError for a record that is too short or too long.
        """
        names = [f"f{place}" for place in places]
        if coded and self.lines is not None and "texts" not in self.__dict__:
            try:
                return self._parsed(coded).select(names)
            except (_UnevenError, pl.exceptions.PolarsError):
                pass  # the texts are looked at one by one
        return self.texts.select(names)

    @cached_property
    def texts(self) -> pl.DataFrame:
        """All fields as texts; DataError for a record that is too short or too long."""
        if self.lines is not None:
            try:
                return self._parsed({})
            except (_UnevenError, pl.exceptions.PolarsError):
                pass  # the other parser says what is wrong, if anything is
        names = [f"f{place}" for place in range(len(self.header.titles))]
        try:
            table = _parsed(self.content, self.header, names, threads=True)
        except pa.ArrowInvalid:
            table = _reparsed(self.content, self.header, names)
        return pl.DataFrame(pl.from_arrow(table))

    def _parsed(self, coded: Mapping[int, pl.Enum]) -> pl.DataFrame:
        """Return the fields by the faster parser; an error where it may have got them wrong.

        It fills up a record that is too short, which then has nothing in its last field, and
        forgives one that ends in a separator too many.
        """
        assert self.lines is not None
        last = len(self.header.titles) - 1
        kinds = {f"f{place}": coded.get(place, pl.String()) for place in range(last + 1)}
        # Of a record that is too long nothing is said where some columns are left out.
        table = pl.read_csv(
            self.content,
            separator=self.header.separator,
            has_header=False,
            skip_lines=1,
            schema=kinds,
        )
        if table.height != len(self.lines):
            raise _UnevenError  # a record has several lines
        mark = self.header.separator
        doubtful = table.get_column(f"f{last}").is_null()
        doubtful |= self.lines.str.ends_with(mark) | self.lines.str.ends_with(f'{mark}""')
        if doubtful.any():
            lines = self.lines.filter(doubtful).str.replace_all(_QUOTED, "")
            if (lines.str.count_matches(mark, literal=True) != last).any():
                raise _UnevenError
        empty = table.select((pl.col(pl.String) == "").any())
        quoted = [name for name, any_ in zip(empty.columns, *empty.rows(), strict=True) if any_]
        return table.with_columns(pl.when(pl.col(quoted) != "").then(pl.col(quoted)))


def _refuse_stray_quotes(content: bytes, separator: str) -> None:
    """Raise DataError for a quote that neither opens nor closes a field (RFC 4180, 2.5 to 2.7)."""
    if b'"' not in content or _well_quoted(content, separator.encode()):
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


def _well_quoted(content: bytes, mark: bytes) -> bool:
    """Return whether every quote opens or closes a field or is one of two inside a field.

    Of the quotes in order every second one opens or follows the one that it is doubled by.
    """
    bytes_ = np.frombuffer(content, dtype="u1")
    quotes = np.flatnonzero(bytes_ == ord('"'))
    if len(quotes) % 2 or len(mark) != 1:
        return False
    before, after = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
    before[[*mark, ord("\n"), ord('"')]] = after[[*mark, *b'\r\n"']] = True
    opening, closing = quotes[::2], quotes[1::2]
    # A quote beside one of the others that is not doubled by it has the wrong place in the order.
    opens = before[bytes_[np.maximum(opening - 1, 0)]]
    if len(opening) and (opening[0] == 0 or content.startswith(b'\xef\xbb\xbf"')):
        opens[0] = True
    end = len(content) - 1
    closes = after[bytes_[np.minimum(closing + 1, end)]] | (closing == end)
    return bool(opens.all() and closes.all())


def _lines(content: bytes, mark: str) -> pl.Series | None:
    """Return the lines after the first, None where they are seen not to be the records."""
    head = content[: content.find(b"\n") + 1]
    if b"\0" in content or len(mark.encode()) != 1 or head.count(b'"') % 2 or not head:
        return None
    if b"\r" in head.removesuffix(b"\r\n") or content.startswith(codecs.BOM_UTF8, len(head)):
        return None  # a byte order mark is one before the first line only
    try:
        lines = pl.read_csv(
            content,
            separator="\0",
            quote_char=None,
            has_header=False,
            skip_lines=1,
            schema={"line": pl.String()},
        ).get_column("line")
    except pl.exceptions.PolarsError:
        return None
    if lines.null_count() or lines.str.contains("\r", literal=True).any():
        return None
    return lines


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
            utf8(content)
            raise DataError("message", got=str(error)[:200], expected="CSV (RFC 4180)") from None
        raise DataError(
            f"record {ragged[1]}",
            got=f"{ragged[3]} fields",
            expected=f"{ragged[2]} fields, as in the header",
            hint="a field with a separator, a quote or a line end stands in quotes",
        ) from None
