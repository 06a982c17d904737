"""Elements of an SDMX-ML data set that have attributes alone, read column by column.

What it takes in is well-formed by construction; of anything else it says so, never what is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.errors import DataError
from sdmx_service.formats.readrows import Rows
from sdmx_service.formats.spans import SPARE, Spans, compact
from sdmx_service.formats.textcells import typed
from sdmx_service.formats.xmlbodies import Body, NotPlainError
from sdmx_service.structures.artefacts import DataStructure, Role

__all__ = ["read_plain"]

Array = NDArray[Any]

_BLOCK = 1 << 23
_MOST_GAPS = 4096
# No value is longer for lxml, unless huge trees are allowed.
_LONGEST = 10_000_000
_OPEN, _QUOTE = ord("<"), ord('"')
_SERIES, _OBS, _GROUP, _ATTS = range(1, 5)
_KINDS = {"Series": _SERIES, "Obs": _OBS, "Group": _GROUP, "Atts": _ATTS}
_NAME = r"([A-Za-z_][A-Za-z0-9_.-]*|xsi:type)"
_HEAD = re.compile(rf"(Series|Obs|Group|Atts)[ \t\r\n]+{_NAME}[ \t\r\n]*=[ \t\r\n]*")
_MIDDLE = re.compile(rf"[ \t\r\n]+{_NAME}[ \t\r\n]*=[ \t\r\n]*")
_TAIL = re.compile(r"[ \t\r\n]*(/?)>[ \t\r\n]*")
_BARE = re.compile(r"(/?)(Series|Obs|Group|Atts)[ \t\r\n]*(/?)>[ \t\r\n]*")
# The references that values may have; the ampersand last, since the others begin with one.
_REFERENCES = {
    "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#9;": "\t", "&#10;": "\n",
    "&#13;": "\r", "&#x9;": "\t", "&#xA;": "\n", "&#xD;": "\r", "&amp;": "&",
}  # fmt: skip
# XML 1.0 has no form for these, which are well-formed UTF-8.
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_IGNORED = -1


def read_plain(body: Body, rows: Rows, measure: str, *, typed_elements: bool) -> None:
    """Put the rows of a data set into ``rows``, in the order they stand in.

    ``measure`` is the component that OBS_VALUE stands for; with ``typed_elements`` they may have
    an ``xsi:type``. Raises NotPlainError for what is more than elements with attributes, and for
    all that is wrong.
    """
    layout = _Layout(rows.structure, measure, typed_elements)
    for block in body.blocks(_BLOCK):
        part = _Block(block, layout)
        if not part.empty:
            _Elements(part, layout).into(rows)


@dataclass(frozen=True)
class _Layout:
    """Where the columns of attributes are by name."""

    structure: DataStructure
    measure: str
    typed_elements: bool

    def place(self, name: str) -> int:
        """Return the number of an attribute's component, ``_IGNORED`` for a type of an element."""
        if name == "xsi:type" and self.typed_elements:
            return _IGNORED
        names = list(self.structure.by_id)
        if name not in names and name == "OBS_VALUE":
            name = self.measure
        if name not in names or name == "xmlns":
            raise NotPlainError
        return names.index(name)

    def place_in_group(self, name: str) -> int:
        """Return the same for an attribute of a group, whose own type is no component."""
        if name == "type" and name not in self.structure.by_id:
            return _IGNORED
        return self.place(name)


@dataclass(frozen=True)
class _Gap:
    """What stands between two values or before or after all of them, by what it says."""

    element: int = 0
    closing: bool = False
    ended: bool = False
    attribute: str | None = None

    @classmethod
    def of(cls, text: str) -> tuple[_Gap, bool]:
        """Return a gap, and whether it begins an element; NotPlainError for anything else."""
        if match := _MIDDLE.fullmatch(text):
            return cls(attribute=match[1]), False
        if match := _TAIL.fullmatch(text):
            return cls(ended=bool(match[1])), False
        if match := _HEAD.fullmatch(text):
            return cls(_KINDS[match[1]], attribute=match[2]), True
        match = _BARE.fullmatch(text)
        if match is None or (match[1] and match[3]):
            raise NotPlainError
        return cls(_KINDS[match[2]], bool(match[1]), bool(match[3])), True


class _Block:
    """A block of elements as spans of bytes: gaps, and values with their elements."""

    def __init__(self, block: bytes, layout: _Layout) -> None:
        self.block = block
        self.references: list[str] = []
        end = len(block) - SPARE
        bytes_ = np.frombuffer(block, dtype="u1", count=end)
        marks = np.flatnonzero((bytes_ == _QUOTE) | (bytes_ == _OPEN))
        quotes = bytes_[marks] == _QUOTE
        first = int(marks[0]) if len(marks) else end
        if block[:first].strip(b" \t\r\n") or not _is_text(block):
            raise NotPlainError
        self.empty = not len(marks)
        if self.empty:
            return
        opening = quotes & (np.cumsum(quotes, dtype="i8") % 2 == 1)
        at = np.flatnonzero(opening)
        marks_ended = np.append(marks, end)
        if quotes[0] or opening[-1] or not quotes[at + 1].all():
            raise NotPlainError
        if len(at) and (marks[at + 1] - marks[at]).max() > _LONGEST:
            raise NotPlainError
        gaps = np.flatnonzero(~opening)
        self.values = Spans.of(block, marks[at] + 1, marks[at + 1])
        heads = ~quotes
        self.element = (np.cumsum(heads, dtype="i8") - 1)[at]
        found = Spans.of(block, marks[gaps] + 1, marks_ended[gaps + 1]).texts
        self._classify(found, heads[gaps], opening[np.minimum(gaps + 1, len(marks) - 1)], layout)
        self._refuse_characters(bytes_, found)

    def _classify(self, found: pl.Series, heads: Array, valued: Array, layout: _Layout) -> None:
        """Tell what each gap is; ``valued`` says whether a value follows it."""
        distinct = found.unique()
        if len(distinct) > _MOST_GAPS:
            raise NotPlainError
        self.distinct = distinct.to_list()
        ids = found.cast(pl.Enum(self.distinct)).to_physical().to_numpy()
        self.ids = ids
        told = [_Gap.of(text) for text in self.distinct]
        valued = valued & (np.arange(len(ids)) < len(ids) - 1)
        begins = np.array([head for _, head in told])
        takes = np.array([one.attribute is not None for one, _ in told])
        if (begins[ids] != heads).any() or (takes[ids] != valued).any():
            raise NotPlainError
        at = np.flatnonzero(heads)
        last = np.append(at[1:], len(ids)) - 1
        self.kinds = np.array([one.element for one, _ in told], dtype="u1")[ids[at]]
        self.closing = np.array([one.closing for one, _ in told])[ids[at]]
        self.ended = np.array([one.ended for one, _ in told])[ids[last]]
        naming = ids[valued]
        names = [one.attribute for one, _ in told]
        grouped = np.isin(self.kinds, (_GROUP, _ATTS))[self.element]
        self.places = np.full(len(naming), _IGNORED, dtype="i2")
        for group, place in ((False, layout.place), (True, layout.place_in_group)):
            among = grouped == group
            if among.any():
                used = set(np.unique(naming[among]).tolist())
                table = [
                    place(name) if number in used and name is not None else _IGNORED
                    for number, name in enumerate(names)
                ]
                self.places[among] = np.array(table, dtype="i2")[naming[among]]

    def _refuse_characters(self, bytes_: Array, found: pl.Series) -> None:
        """Refuse what XML has no form for, and line ends in values, which stand for spaces."""
        block = self.block[: len(bytes_)]
        if (controls := int(np.count_nonzero(bytes_ < 32))) > 0:
            each = [sum(text.count(mark) for mark in "\t\r\n") for text in self.distinct]
            before = len(block) - len(block.lstrip(b" \t\r\n"))
            before = sum(block[:before].count(mark) for mark in (b"\t", b"\r", b"\n"))
            if controls != before + int(np.array(each)[self.ids].sum()):
                raise NotPlainError
        if not (many := block.count(b"&")):
            return
        self.references = [one for one in _REFERENCES if one.encode() in block]
        if many != sum(block.count(one.encode()) for one in self.references):
            raise NotPlainError

    def sorted(self) -> None:
        """Put the values of one attribute after the other, each in the order of its elements."""
        order = np.argsort(self.places, kind="stable")
        self.values, self.element = self.values.at(order), self.element[order]
        self.places = self.places[order]

    def texts(self, which: slice | Array) -> pl.Series:
        """Return some of the values, as the texts that they stand for."""
        found = self.values.at(which).texts
        if self.references and found.str.contains("&", literal=True).any():
            for one in self.references:
                found = found.str.replace_all(one, _REFERENCES[one], literal=True)
        return found


def _is_text(block: bytes) -> bool:
    """Return whether a block is UTF-8 of characters that XML has a form for, controls apart."""
    if block.isascii():
        return True
    try:
        str(block, "utf-8")
    except UnicodeDecodeError:
        return False
    return not any(one in block for one in _NO_CHARACTERS)


@dataclass
class _Elements:
    """The elements of a block: which are rows, and which series each row belongs to."""

    part: _Block
    layout: _Layout
    series: Array = field(init=False)

    def __post_init__(self) -> None:
        """Refuse elements in another order than series with observations, groups and the like."""
        part = self.part
        starts = ~part.closing & ~part.ended
        opened = (part.kinds == _SERIES) & starts
        closed = (part.kinds == _SERIES) & part.closing
        depth = np.cumsum(opened.astype("i8") - closed)
        inside = depth - opened == 1  # a series is open where the element begins
        others = (part.kinds != _SERIES) & starts
        ends = np.append(False, others[:-1]) & part.closing
        same = np.append(False, part.kinds[1:] == part.kinds[:-1])
        wrong = (
            depth[-1] != 0
            or (depth < 0).any()
            or (depth > 1).any()
            or (inside & (part.kinds != _OBS) & ~closed).any()
            or (ends & ~same).any()
            or (ends != (part.closing & (part.kinds != _SERIES))).any()
            or np.append(ends[1:], False)[others].sum() != others.sum()
        )
        if wrong:
            raise NotPlainError
        last = np.maximum.accumulate(np.where(opened, np.arange(len(depth)), -1))
        self.series = np.where(inside & (part.kinds == _OBS), last, -1)

    @cached_property
    def rows(self) -> Array:
        """The numbers of the elements that are rows: all but series with observations."""
        part = self.part
        whole = (part.kinds == _SERIES) & ~part.closing
        bare = whole & (part.ended | np.append(part.closing[1:], True))
        return np.flatnonzero((~part.closing & (part.kinds != _SERIES)) | bare)

    def into(self, rows: Rows) -> None:
        """Put the rows of the block into ``rows``."""
        part, chosen = self.part, self.rows
        above = self.series[chosen]
        part.sorted()
        steps = np.searchsorted(part.places, np.arange(len(rows.structure.by_id) + 1)).tolist()
        found: dict[str, pl.Series] = {}
        observed = part.kinds[chosen] == _OBS
        for number, component in enumerate(rows.structure.components):
            which = slice(steps[number], steps[number + 1])
            elements = part.element[which]
            if (np.diff(elements) <= 0).any():
                raise NotPlainError  # the same attribute twice
            place = np.full(len(part.kinds) + 1, -1)
            place[elements] = np.arange(len(elements))
            own = place[chosen]
            source = np.where(own < 0, place[above], own)
            keyed = component.role in (Role.DIMENSION, Role.TIME) and not rows.deleted
            if keyed and (observed & (source < 0)).any():
                raise NotPlainError  # an observation without its full key
            said = np.zeros(len(elements) + 1, dtype=bool)
            said[source] = True
            if said[:-1].any():
                kept, source = _kept(said[:-1], source)
                try:
                    texts = part.texts(which if kept is None else kept + which.start)
                    values = typed(component, texts, str, rows.deleted)
                except DataError:
                    raise NotPlainError from None
                if values.dtype == pl.String:
                    values = compact(values)
                found[component.id] = _gathered(values, source).alias(component.id)
        rows.add_columns(found, len(chosen))


def _kept(said: Array, source: Array) -> tuple[Array | None, Array]:
    """Return the places of the values that are said of a row, None for all, and where these are.

    What a series says and each of its observations says otherwise is said of none.
    """
    if said.all():
        return None, source
    return np.flatnonzero(said), np.where(source < 0, -1, (np.cumsum(said) - 1)[source])


def _gathered(values: pl.Series, source: Array) -> pl.Series:
    """Return the values at some places, null where the place is below zero."""
    if len(values) == len(source) and (source == np.arange(len(source))).all():
        return values
    return values.gather(pl.Series(source).cast(pl.UInt32, strict=False))
