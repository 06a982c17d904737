"""SDMX-JSON data messages of every version, read (field guides 1.0, 2.0.0, 2.1.0)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import ROWS_A_PIECE, SWITCHED_OFF, Context, DataSet
from sdmx_service.formats.encoded import refuse_packed, utf8
from sdmx_service.formats.jsonkeys import refuse_repeated_keys
from sdmx_service.formats.jsonvalues import Listed, looked_up
from sdmx_service.formats.message import ALL_DIMENSIONS, DataMessage
from sdmx_service.formats.readrows import Rows
from sdmx_service.formats.registry import Structures
from sdmx_service.formats.soundness import sound
from sdmx_service.formats.subjects import Subject, found, of_urn
from sdmx_service.formats.textcells import Where, cells
from sdmx_service.formats.uncollected import uncollected
from sdmx_service.structures.artefacts import Role

__all__ = ["read_json"]

# Messages of version 1.0 may name what they are about by its address alone.
_ADDRESS = re.compile(
    r"/(dataflow|datastructure|provisionagreement)/([A-Za-z][\w.-]*)/([\w@$-]+)(?:/([\w.+~*-]+))?",
    re.IGNORECASE,
)
_CONTEXTS = {
    "dataflow": Context.DATAFLOW,
    "datastructure": Context.DATA_STRUCTURE,
    "provisionagreement": Context.PROVISION,
}


@uncollected()
def read_json(content: bytes | Path, structures: Structures, generation: Generation) -> DataMessage:
    """Return the message, a data set for each of its own.

    ``generation`` is that of the version: 2.1 of SDMX-JSON 1.0.0, 3.0 of 2.0.0, 3.1 of 2.1.0.
    Raises DataError with the place of what is not valid, NotFound for a structure that
    ``structures`` does not have. Annotations are left out.
    """
    refuse_packed(content, "JSON")
    whole = content.read_bytes() if isinstance(content, Path) else content
    # RFC 8259, 8.1: a byte order mark may be passed over.
    whole = whole.removeprefix(codecs.BOM_UTF8)
    try:
        message = orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        utf8(whole)
        raise DataError(f"line {error.lineno}", got=error.msg[:200], expected="JSON") from None
    message = _object(message, "message")
    if "header" in message:
        raise DataError(
            "message",
            got="the member header",
            expected="meta and data",
            hint="this is the form of a draft before version 1.0.0",
        )
    meta = _object(message.get("meta"), "meta")
    if message.get("errors") and not message.get("data"):
        raise DataError("errors", got=str(message["errors"])[:300], expected="data")
    data = _object(message.get("data"), "data")
    described = _described(data, generation)
    truths = _has_truths(whole, [meta, *_component_objects(described)])
    datasets, levels = [], []
    given = _array(data.get("dataSets"), "dataSets")
    refuse_repeated_keys(whole, given)
    for number, one in enumerate(given, 1):
        reader = _reader(
            _object(one, f"data set {number}"), number, described, structures, generation, truths
        )
        datasets.append(reader.dataset())
        levels.append(reader.level)
    return sound(
        DataMessage(
            tuple(datasets),
            release=str(meta.get("id", "")),
            prepared=_moment(meta.get("prepared"), "meta.prepared"),
            observed_by=next((one for one in levels if one is not None), None),
            languages=tuple(map(str, _array(meta.get("contentLanguages") or ["en"], "meta"))),
            sender=str(_object(meta.get("sender"), "meta.sender").get("id", "")),
        )
    )


def _has_truths(whole: bytes, known: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether there may be truth values but those of the objects that are known."""
    said = sum(type(value) is bool for one in known for value in one.values())
    return whole.count(b"true") + whole.count(b"false") > said


def _component_objects(described: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that describe components, as far as there are such."""
    for structure in described:
        for part in ("dimensions", "measures", "attributes"):
            levels = structure.get(part) if isinstance(structure, dict) else None
            for listed in levels.values() if isinstance(levels, dict) else ():
                if isinstance(listed, list):
                    yield from (one for one in listed if isinstance(one, dict))


def _described(data: Mapping[str, Any], generation: Generation) -> list[Any]:
    """Return the structure objects; version 1.0 has one under another name."""
    name, other = "structures", "structure"
    if generation is Generation.SDMX_2_1:
        name, other = other, name
    if name not in data and other in data:
        raise DataError("data", got=other, expected=name, hint="it is a message of another version")
    if generation is Generation.SDMX_2_1:
        return [data.get(name)]
    return _array(data.get(name), name)


def _reader(
    said: Mapping[str, Any],
    number: int,
    described: Sequence[Any],
    structures: Structures,
    generation: Generation,
    truths: bool,
) -> _Reader:
    where = f"data set {number}"
    index = said.get("structure", 0)
    if type(index) is not int or not 0 <= index < len(described):
        raise DataError(
            f"{where}, structure", got=str(index)[:80], expected=f"an index below {len(described)}"
        )
    structure = _object(described[index], f"structure {index}")
    subject = _subject(structure, f"structure {index}, links", structures)
    absent = "Merge" if generation is Generation.SDMX_3_1 else "Information"
    action = Action.of(str(said.get("action", absent)), generation, f"{where}, action")
    empty = DataSet(
        subject.flow,
        pl.DataFrame(),
        action,
        _optional(said.get("validFrom"), f"{where}, validFrom"),
        _optional(said.get("validTo"), f"{where}, validTo"),
        subject.context,
        subject.provision,
    )
    return _Reader(said, structure, empty, where, truths)


def _subject(described: Mapping[str, Any], where: str, structures: Structures) -> Subject:
    links = _array(described.get("links") or [], where)
    given = [one for one in links if isinstance(one, dict)]
    # Where several are named, the first in this order of precision is what was asked for.
    for one in given:
        if str(one.get("rel", "")).lower() in _CONTEXTS and one.get("urn"):
            return of_urn(str(one["urn"]), structures, where)
    for one in given:
        match = _ADDRESS.search(str(one.get("href", "")))
        if match is not None and str(one.get("rel", "")).lower() == match[1].lower():
            context = _CONTEXTS[match[1].lower()]
            return found(context, match[2], match[3], match[4] or "+", structures, where)
    raise DataError(
        where,
        got="no link to a dataflow, data structure or provision agreement",
        expected="one, with its URN, which says what the data are reported against",
    )


@dataclass
class _Reader:
    """One data set object, read against its structure object.

    ``truths`` says that the message may have truth values.
    """

    said: Mapping[str, Any]
    described: Mapping[str, Any]
    empty: DataSet
    where: str
    truths: bool
    _fixed: dict[str, Any] = field(default_factory=dict)
    _components: dict[str, list[Listed]] = field(default_factory=dict)

    @property
    def deleted(self) -> bool:
        return self.empty.action is Action.DELETE

    @property
    def level(self) -> str | None:
        """The dimension at the observation, None where that is time."""
        structure = self.empty.structure
        each = [one.component for one in self._listed("dimensions", "observation")]
        if len(each) == 1 and self._listed("dimensions", "series"):
            return None if each[0].role is Role.TIME else each[0].id
        return ALL_DIMENSIONS if each and len(structure.key) > 1 else None

    def _listed(self, part: str, level: str) -> list[Listed]:
        where = f"{part}.{level}"
        if where not in self._components:
            self._components[where] = self._described(part, level, where)
        return list(self._components[where])

    def _described(self, part: str, level: str, where: str) -> list[Listed]:
        given = _object(self.described.get(part) or {}, part).get(level) or ()
        return [
            Listed.of(one, self.empty.structure, where, self.deleted, self.truths)
            for one in _array(given, where)
        ]

    def dataset(self) -> DataSet:
        """Return the data set."""
        rows = Rows(self.empty.structure, self.where, self.deleted)
        self._fixed = {
            one.component.id: one.typed[0]
            for one in self._listed("dimensions", "dataSet")
            if len(one.values) > 0
        }
        self._own(rows)
        self._groups(rows)
        series = _object(self.said.get("series") or {}, f"{self.where}, series")
        self._series(rows, series)
        flat = _object(self.said.get("observations") or {}, f"{self.where}, observations")
        keys, values = list(flat), list(flat.values())
        for start in range(0, len(keys), ROWS_A_PIECE):
            part = slice(start, start + ROWS_A_PIECE)
            self._observations(rows, keys[part], values[part], {}, self.where)
        empty = not (series or flat or rows.height)
        if empty and self.deleted:
            rows.add({}, "everything")
        return rows.into(self.empty)

    def _own(self, rows: Rows) -> None:
        """Keep the attributes of the data set."""
        given = _array(self.said.get("attributes") or (), f"{self.where}, attributes")
        listed = self._listed("attributes", "dataSet")
        columns = self._columns(listed, [given] if given else [], self._own_place)
        if any(column[0] is not None for column in columns.values()):
            rows.add_columns(columns, 1)

    def _groups(self, rows: Rows) -> None:
        """Keep the attributes of parts of the key."""
        where = f"{self.where}, dimensionGroupAttributes"
        given = _object(self.said.get("dimensionGroupAttributes") or {}, where)
        if not given:
            return
        known = {
            one.component.id: one
            for level in ("dataSet", "series", "observation")
            for one in self._listed("dimensions", level)
        }
        key = self.empty.structure.key
        places: dict[str, list[Any]] = {one.id: [] for one in key}
        for text in given:
            parts = text.split(":")
            if len(parts) != len(key):
                raise DataError(where, got=text[:80], expected=f"{len(key)} parts joined by colons")
            for one, part in zip(key, parts, strict=True):
                if part in ("", SWITCHED_OFF):
                    places[one.id].append(part or None)
                elif part.isdecimal() and one.id in known and int(part) < len(known[one.id].values):
                    places[one.id].append(known[one.id].values[int(part)])
                else:
                    raise DataError(where, got=text[:80], expected=f"an index of {one.id}")
        listed = self._listed("attributes", "dimensionGroup")
        place = _named(where, list(given))
        columns = self._columns(listed, list(given.values()), place)
        for one in key:
            if any(value is not None for value in places[one.id]):
                columns[one.id] = cells(one, places[one.id], place, self.deleted)
        rows.add_columns(columns, len(given))

    def _series(self, rows: Rows, series: Mapping[str, Any]) -> None:
        """Keep the observations of all series, those without any as rows of their own."""
        dimensions = self._listed("dimensions", "series")
        attributes = self._listed("attributes", "series")
        names = list(series)
        for first in range(0, len(names), ROWS_A_PIECE):
            keys = names[first : first + ROWS_A_PIECE]
            bodies = [_object(series[key], f"{self.where}, series {key}") for key in keys]
            place = _named(f"{self.where}, series", keys)
            above = looked_up(keys, dimensions, place)
            above |= self._columns(
                attributes, [one.get("attributes") or [] for one in bodies], place
            )
            each = [
                _object(one.get("observations") or {}, place(at)) for at, one in enumerate(bodies)
            ]
            bare = [at for at, one in enumerate(each) if not one]
            if bare:
                columns = {name: column.gather(bare) for name, column in above.items()}
                rows.add_columns(self._with_fixed(columns, len(bare)), len(bare))
            owner = np.repeat(np.arange(len(each), dtype="u4"), list(map(len, each)))
            below = list(chain.from_iterable(each))
            values = list(chain.from_iterable(one.values() for one in each))
            for start in range(0, len(owner), ROWS_A_PIECE):
                part = slice(start, start + ROWS_A_PIECE)
                spread = {name: column.gather(owner[part]) for name, column in above.items()}
                self._observations(rows, below[part], values[part], spread, self.where)

    def _observations(
        self,
        rows: Rows,
        keys: list[str],
        values: list[Any],
        above: dict[str, pl.Series],
        where: str,
    ) -> None:
        if not keys:
            return
        place = _named(f"{where}, observation", keys)
        columns = above | looked_up(keys, self._listed("dimensions", "observation"), place)
        listed = self._listed("measures", "observation")
        measure = self.empty.structure.measures[:1]
        if not listed and "measures" not in self.described:
            # Version 1.0 has the value of the observation first, and says nothing of it.
            listed = [Listed(one, {"id": one.id}, where, self.deleted) for one in measure]
            if not measure:
                values = [one[1:] if isinstance(one, list) else one for one in values]
        listed += self._listed("attributes", "observation")
        columns |= self._columns(listed, values, place)
        columns = self._with_fixed(columns, len(keys))
        for one in self.empty.structure.key:
            if one.id not in columns:
                raise DataError(place(0), got=f"no {one.id}", expected="a value of each dimension")
        rows.add_columns(columns, len(keys))

    def _with_fixed(self, columns: dict[str, pl.Series], height: int) -> dict[str, pl.Series]:
        by_id = self.empty.structure.by_id
        for name, value in self._fixed.items():
            kind = pl.String
            fixed = pl.Series(name, [value] * height, dtype=kind)
            if (codelist := by_id[name].codelist) is not None:
                fixed = fixed.cast(pl.Enum(list(codelist.by_id)))
            columns[name] = fixed
        return columns

    def _columns(
        self, listed: Sequence[Listed], rows: Sequence[Any], place: Where
    ) -> dict[str, pl.Series]:
        """Return the columns of arrays with a value a component; what is cut off is null."""
        if not rows:
            return {}
        if set(map(type, rows)) != {list}:
            at = next(at for at, row in enumerate(rows) if type(row) is not list)
            raise DataError(place(at), got=str(rows[at])[:80], expected="an array")
        # What follows the components are indexes of annotations.
        wide = len(listed)
        if set(map(len, rows)) != {wide}:
            nothing = [None] * wide
            rows = [row if len(row) == wide else (row + nothing)[:wide] for row in rows]
        values = list(chain.from_iterable(rows))
        return {
            one.component.id: one.column(values[at::wide], place).alias(one.component.id)
            for at, one in enumerate(listed)
        }

    def _own_place(self, row: int) -> str:
        return f"{self.where}, attributes"


def _named(what: str, keys: Sequence[str]) -> Where:
    return lambda at: f"{what} {keys[at]}"


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(where, got=str(value)[:80], expected="an object")
    return value


def _array(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise DataError(where, got=str(value)[:80], expected="an array")
    return list(value)


def _optional(value: Any, where: str) -> datetime | None:
    return None if value is None else _moment(value, where)


def _moment(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise DataError(where, got=str(value)[:80], expected="a date-time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
