"""One series as SDMX-JSON 2.x, learnt from the writer of the format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson
import polars as pl

from sdmx_service.release.image import Image
from sdmx_service.release.mapped import Codes, Column
from sdmx_service.web.small import Field, Write, field, probe

__all__ = ["small_json"]

_SERIES = b'"series":{"'
_END = re.compile(rb"\](\}+\]\}\})$")

_WORDS = ("NaN", "INF", "-INF")


@dataclass(frozen=True)
class _Listed:
    """A coded column of which the message lists the values there are.

    ``alone`` is of each code, and of null, the list where it is the only one; ``once`` says that
    a series has one.
    """

    column: Codes
    values: Sequence[bytes]
    alone: Sequence[bytes]
    once: bool

    def told(self, codes: Sequence[int]) -> bytes:
        """Return the list of the values of these codes, nothing where there are none."""
        return b',"values":[' + b",".join([self.values[c] for c in codes]) + b"]" if codes else b""

    def cells(self, first: int, last: int) -> tuple[list[bytes], bytes]:
        """Return the indexes of rows, and the list of the values they stand for."""
        codes = self.column.values[first:last].tolist()
        used = sorted(set(codes))
        null = self.column.size
        if len(used) == 1:
            return [b"null" if codes[0] == null else b"0"] * len(codes), self.alone[codes[0]]
        place = {code: b"%d" % at for at, code in enumerate(used)}
        if used[-1] == null:
            used.pop()
            place[null] = b"null"
        return [place[code] for code in codes], self.told(used)


@dataclass(frozen=True)
class _Single:
    """A column of numbers that a series has one of; the message lists it."""

    value: Field

    def told(self, row: int) -> bytes:
        """Return the list with the value, nothing where there is none."""
        value = self.value.one(row)
        return b',"values":[' + value + b"]" if value else b""


@dataclass(frozen=True)
class _Tongues:
    """The languages of a message: ``every`` there may be, in order, as the probe has them.

    ``always`` are those of the names around the values; ``added`` has of each code of a column
    those that its name brings.
    """

    every: tuple[str, ...]
    always: frozenset[str]
    added: Sequence[tuple[Codes, Sequence[frozenset[str]]]]

    def put(self, head: bytes, first: int, last: int) -> bytes:
        """Return the head of a message with the languages of the rows of one series."""
        used = set(self.always)
        for column, tags in self.added:
            used.update(*(tags[code] for code in set(column.values[first:last].tolist())))
        if used.issuperset(self.every):
            return head
        kept = [tag for tag in self.every if tag in used]
        return head.replace(_languages(self.every), _languages(kept), 1)


def _languages(tags: Sequence[str]) -> bytes:
    return b'"contentLanguages":' + orjson.dumps(tags)


@dataclass(frozen=True)
class _Form:
    """The message around the values: ``pieces`` of its head with a list of values after each."""

    pieces: Sequence[bytes]
    listed: Sequence[_Listed | _Single]
    above: Sequence[_Cells]
    below: Sequence[_Cells]
    opened: bytes
    closed: bytes
    tongues: _Tongues

    def written(self, first: int, last: int) -> bytes:
        """Write the rows of one series."""
        told: dict[str, bytes] = {}
        cells = [self._cells(one, first, last, told) for one in self.below]
        heads = [self._cells(one, first, first + 1, told)[0] for one in self.above]
        out: list[bytes] = []
        pieces = [self.tongues.put(self.pieces[0], first, last), *self.pieces[1:]]
        for piece, one in zip(pieces, self.listed, strict=False):
            if isinstance(one, _Single):
                out += (piece, one.told(first))
            elif one.once:
                out += (piece, one.alone[one.column.values[first]])
            elif one.column.name in told:
                out += (piece, told[one.column.name])
            else:
                # What is not among the cells are the periods, which are in order.
                out += (piece, one.told(sorted(set(one.column.values[first:last].tolist()))))
        said = b'"attributes":[' + b",".join(heads) + b"]," if heads else b""
        rows = (b'"%d":[%b]' % pair for pair in zip(count(), map(b",".join, zip(*cells))))  # noqa: B905
        body = b",".join(rows)
        return b"".join(
            (*out, pieces[-1], self.opened, said, b'"observations":{', body, self.closed)
        )

    @staticmethod
    def _cells(one: _Cells, first: int, last: int, told: dict[str, bytes]) -> list[bytes]:
        if isinstance(one, Field):
            return one.many(first, last)
        if isinstance(one, _Single):
            return [b"0" if one.told(first) else b"null"]
        cells, told[one.column.name] = one.cells(first, last)
        return cells


_Cells = _Listed | _Single | Field


def small_json(
    image: Image, names: tuple[str, ...], write: Callable[[pl.DataFrame], bytes]
) -> Write | None:
    """Return what writes one series of these columns; ``write`` writes a frame of them."""
    shown = probe(image, names)
    if shown is None:
        return None
    frame, shows = shown
    text = write(frame)
    message = orjson.loads(text)
    start, end = text.find(_SERIES), _END.search(text)
    structures = message["data"].get("structures", ())
    if start < 0 or end is None or len(structures) != 1:
        return None
    components = structures[0]
    observed = [one["id"] for one in components["dimensions"]["observation"]]
    attributes = components["attributes"]
    if observed != [image.structure.time.id] or any(
        attributes[level] for level in ("dataSet", "dimensionGroup") if level in attributes
    ):
        return None
    above = [one["id"] for one in attributes["series"]]
    cut = _cut(text[: start + len(_SERIES) - 1], components, image, above)
    series, observations = _rows(message["data"]["dataSets"][0])
    if cut is None or len(observations) != frame.height:
        return None
    pieces, listed = cut
    measures = components["measures"]["observation"]
    below = [one["id"] for one in (*measures, *attributes["observation"])]
    upper = _fields(image, above, listed, series, shows)
    lower = _fields(image, below, listed, observations, shows)
    if upper is None or lower is None or not lower:
        return None
    key = b'"' + b":".join([b"0"] * len(image.structure.dimensions)) + b'":{'
    tongues = _tongues(components, listed, message["meta"]["contentLanguages"])
    form = _Form(pieces, list(listed.values()), upper, lower, key, end[1], tongues)
    return form.written


def _cut(
    head: bytes, components: Mapping[str, Any], image: Image, above: Sequence[str]
) -> tuple[list[bytes], dict[str, _Listed | _Single]] | None:
    """Cut the lists of values out of the head; None where one does not list every code."""
    at, pieces = 0, []
    once = {dimension.id for dimension in image.structure.dimensions}.union(above)
    listed: dict[str, _Listed | _Single] = {}
    for one in _components(components):
        if "values" not in one:
            continue
        column = image.columns[one["id"]]
        needle = b',"values":' + orjson.dumps(one["values"])
        place = head.find(needle, at)
        made = _listed(column, one["values"], once=one["id"] in once)
        if place < 0 or made is None:
            return None
        pieces.append(head[at:place])
        listed[one["id"]] = made
        at = place + len(needle)
    return [*pieces, head[at:]], listed


def _tongues(
    components: Mapping[str, Any], listed: Mapping[str, _Listed | _Single], every: Sequence[str]
) -> _Tongues:
    """Return the languages of the names around the values, and those that values add."""
    each = list(_components(components))
    always = set(components.get("names", ())).union(*(one.get("names", ()) for one in each))
    added: list[tuple[Codes, Sequence[frozenset[str]]]] = []
    for one in each:
        tags = [frozenset(v.get("names", ())) - always for v in one.get("values", ())]
        made = listed.get(one["id"])
        if any(tags) and isinstance(made, _Listed):
            added.append((made.column, [*tags, frozenset()]))
    return _Tongues(tuple(every), frozenset(always), added)


def _listed(column: Column, values: Sequence[Any], *, once: bool) -> _Listed | _Single | None:
    if isinstance(column, Codes):
        told = [orjson.dumps(value) for value in values]
        alone = [*(b',"values":[%b]' % value for value in told), b""]
        return _Listed(column, told, alone, once) if len(told) == column.size else None
    numbers = [orjson.dumps(v) for v in values if v["value"] not in _WORDS]
    words = {v["value"]: orjson.dumps(v) for v in values if v["value"] in _WORDS}
    if not once or len(numbers) != 1:
        return None
    found = field(column, [*numbers, *(words.get(word, b"") for word in _WORDS), b""])
    return _Single(found) if found else None


def _components(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for section in ("dimensions", "measures", "attributes"):
        for level in said[section].values():
            yield from level


def _rows(dataset: Mapping[str, Any]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return of each observation in order the values of its series, and its own."""
    series, observations = [], []
    for one in dataset["series"].values():
        for cells in one["observations"].values():
            series.append(one.get("attributes", []))
            observations.append(cells)
    return series, observations


def _fields(
    image: Image,
    names: Sequence[str],
    listed: Mapping[str, _Listed | _Single],
    rows: Sequence[Sequence[Any]],
    shows: Mapping[str, Sequence[int]],
) -> list[_Cells] | None:
    found: list[_Cells] = []
    for place, name in enumerate(names):
        column = image.columns[name]
        if name in listed:
            found.append(listed[name])
            continue
        made = field(column, [orjson.dumps(rows[row][place]) for row in shows[name]])
        if made is None:
            return None
        found.append(made)
    return found
