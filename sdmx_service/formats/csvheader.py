"""The header record of an SDMX-CSV message."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from sdmx_service.errors import DataError

__all__ = ["Column", "Form", "Header", "read_header"]

_STRUCTURE = re.compile(r"\ufeff?\"?STRUCTURE(?:\[(.)[^\]]*\])?\"?(.)?", re.DOTALL)
_DATAFLOW = re.compile(r"\ufeff?\"?DATAFLOW\"?(.)?", re.DOTALL)
_TITLE = re.compile(r"([A-Za-z0-9_@$.\[\]-]+?)(?:\[([^\]]*)\])?(?:: (.*))?", re.DOTALL)
_LONGEST = 1_000_000
_LONGEST_TITLE = 500


class Form(Enum):
    """How many values a field holds."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    LANGUAGES = "languages"


@dataclass(frozen=True)
class Column:
    """One column of components: its place, the component's id, whether values carry a label."""

    place: int
    title: str
    id: str
    form: Form = Form.SINGLE
    languages: tuple[str, ...] = ()
    labelled: bool = False


@dataclass(frozen=True)
class Header:
    """What the header says: separators, the fixed columns by their term, where the others begin."""

    titles: tuple[str, ...]
    separator: str
    subseparator: str | None
    fixed: dict[str, int]

    def columns(self, known: Collection[str]) -> tuple[tuple[Column, ...], tuple[str, ...]]:
        """Return the columns of the components ``known`` by id, and the titles of custom ones.

        With ``labels=name`` the column after each component's holds names. Raises DataError for
        a component that is there twice and for several values of what is no component.
        """
        found: dict[str, Column] = {}
        custom = []
        places = iter(range(len(self.fixed), len(self.titles)))
        for place in places:
            column = _column(place, self.titles[place], self.subseparator)
            if column.id not in known:
                _refuse_lists(column)
                custom.append(column.title)
                continue
            if column.id in found:
                raise DataError(
                    f"record 1, column {place + 1}",
                    got=column.title,
                    expected="each component once",
                )
            if column.form is not Form.SINGLE and self.subseparator is None:
                raise DataError(
                    f"record 1, column {place + 1}",
                    got=column.title[:80],
                    expected="the separator of several values in the first title",
                    hint="such as STRUCTURE[;]",
                )
            found[column.id] = column
            if "STRUCTURE_NAME" in self.fixed:
                next(places, None)
        return tuple(found.values()), tuple(custom)


def read_header(head: str, *, flat: bool) -> Header:
    """Return the header of a message that begins with ``head``.

    ``flat`` is SDMX-CSV 1.0, whose first column is DATAFLOW; later ones begin with STRUCTURE.
    Raises DataError for anything else.
    """
    first = (_DATAFLOW if flat else _STRUCTURE).match(head)
    term = "DATAFLOW" if flat else "STRUCTURE"
    if first is None:
        raise DataError(
            "record 1, column 1",
            got=head[:40],
            expected=f"the term {term}",
            hint="SDMX-CSV 1.0 begins with DATAFLOW, 2.0 and 2.1 with STRUCTURE",
        )
    separator = first[1 if flat else 2] or ","
    if separator in "\r\n":  # the first column is the only one
        separator = ","
    if separator.isalnum() or separator in ' "[]':
        raise DataError(
            "record 1",
            got=separator,
            expected=f"a separator after the term {term}, such as a comma",
        )
    titles = _titles(head.removeprefix("\ufeff"), separator)
    header = Header(titles, separator, None if flat else first[1], _fixed(titles, flat=flat))
    if "STRUCTURE_NAME" not in header.fixed:  # names, which stand there too, may be like ids
        _refuse_repeated(header)
    return header


def _refuse_repeated(header: Header) -> None:
    """Raise DataError for a column that is there already; custom ones are unique as well."""
    known: set[str] = set()
    for place, title in enumerate(header.titles):
        id = _column(place, title, header.subseparator).id
        if id in known:
            raise DataError(
                f"record 1, column {place + 1}", got=title[:80], expected="each column once"
            )
        known.add(id)


def _titles(head: str, separator: str) -> tuple[str, ...]:
    try:
        record = next(csv.reader(io.StringIO(head[:_LONGEST], newline=""), delimiter=separator))
    except (csv.Error, StopIteration) as error:
        raise DataError("record 1", got=str(error), expected="a header record") from None
    for place, title in enumerate(record):
        if not title:
            raise DataError(f"record 1, column {place + 1}", got="", expected="a title")
    return tuple(record)


def _fixed(titles: tuple[str, ...], *, flat: bool) -> dict[str, int]:
    if flat:
        return {"DATAFLOW": 0}
    fixed = {"STRUCTURE": 0}
    for term in ("STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY"):
        place = len(fixed)
        if place < len(titles) and titles[place] == term:
            fixed[term] = place
        elif term == "STRUCTURE_ID":
            raise DataError(
                "record 1, column 2",
                got=titles[1][:80] if len(titles) > 1 else None,
                expected="the term STRUCTURE_ID",
            )
    return fixed


def _column(place: int, title: str, sub: str | None) -> Column:
    match = _TITLE.fullmatch(title) if len(title) <= _LONGEST_TITLE else None
    if match is None:
        return Column(place, title, title)
    id, inside, labelled = match[1], match[2], match[3] is not None
    if inside is None:
        return Column(place, title, id, labelled=labelled)
    if not inside:
        return Column(place, title, id, Form.MULTIPLE, labelled=labelled)
    return Column(place, title, id, Form.LANGUAGES, tuple(inside.split(sub)), labelled)


def _refuse_lists(column: Column) -> None:
    if column.form is not Form.SINGLE:
        raise DataError(
            f"record 1, column {column.place + 1}",
            got=column.title[:80],
            expected="a component of the data structure before the brackets",
            hint="nested attributes of a metadata structure are not read with data",
        )
