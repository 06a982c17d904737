"""Data as a JSON-stat 2.0 cube."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import orjson
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.jsoncells import quoted
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import register_data
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["LARGEST", "write_json_stat"]

LARGEST = 1_000_000
_STATUS = "OBS_STATUS"
_AREAS = ("REF_AREA", "GEO")


@register_data(
    "jsonstat",
    "application/vnd.json-stat+json",
    "2.0",
    ".json",
    short_names=("json-stat",),
    carries=frozenset({Feature.NO_TIME, Feature.CROSS_SECTION}),
)
def write_json_stat(message: DataMessage) -> Iterator[bytes]:
    """Yield the cube: the codes that occur span it, OBS_STATUS is the status of a cell.

    Values are numbers; missing ones are null. A cube that is more than half empty goes as an
    object of its cells. JSON-stat has one value a cell: what else is said of it, such as its
    standard error and its unit, is in ``extension.attributes``, each with cells of the same form as
    ``value``, or with one value where it is the same everywhere. Raises NotAcceptable, before the
    first piece, for more than ``LARGEST`` cells and for series without observations.
    """
    dataset, structure = message.dataset, message.dataset.structure
    key = [dimension for dimension in structure.key if dimension.id in dataset.schema]
    if len(key) < len(structure.key) or not structure.measures:
        raise NotAcceptable(
            "jsonstat", got="series without observations", expected="observations with a measure"
        )
    frame = dataset.collected()
    codes = {dimension.id: _codes(frame.get_column(dimension.id)) for dimension in key}
    cells = prod(len(listed) for listed in codes.values())
    if cells > LARGEST:
        raise NotAcceptable(
            "jsonstat",
            got=f"a cube of {cells} cells",
            expected=f"at most {LARGEST} cells",
            hint="ask for fewer codes of each dimension, or for csv",
        )
    return _pieces(message, frame, key, codes, _Cube(_places(frame, codes), cells))


def _pieces(
    message: DataMessage,
    frame: pl.DataFrame,
    key: list[Component],
    codes: dict[str, list[str]],
    cube: _Cube,
) -> Iterator[bytes]:
    flow, structure = message.flow, message.flow.structure
    head = {
        "version": "2.0",
        "class": "dataset",
        "label": message.text(flow.name),
        **({"href": message.url} if message.url else {}),
        "source": message.sender or flow.agency,
        "updated": message.prepared.isoformat(),
        "id": [dimension.id for dimension in key],
        "size": [len(codes[dimension.id]) for dimension in key],
        "role": _roles(key),
        "dimension": {d.id: _dimension(message, d, codes[d.id]) for d in key},
    }
    yield orjson.dumps(head)[:-1] + b',"value":' + cube.array(_values(frame, structure.measure.id))
    status = structure.by_id.get(_STATUS)
    extension: dict[str, Any] = {
        "dataflow": f"{flow.agency}:{flow.id}({flow.version})",
        "release": message.release,
    }
    if status is not None and _STATUS in frame.columns and _any(frame, _STATUS):
        yield b',"status":' + cube.object(_told(frame.get_column(_STATUS)))
        extension["status"] = {"label": _labels(message, status, _used(frame, _STATUS))}
    yield b',"extension":' + orjson.dumps(extension)[:-1] + b',"attributes":{'
    before = b""
    for one in structure.attributes:
        if one.id in frame.columns and one.id != _STATUS and _any(frame, one.id):
            said: dict[str, Any] = {"label": message.text(one.name) or one.id}
            if one.codelist is not None:
                said["category"] = {"label": _labels(message, one, _used(frame, one.id))}
            cells = _told(frame.get_column(one.id))
            value = cells[0].encode() if _alike(cells) else cube.array(cells)
            opened = orjson.dumps(said)[:-1] + b',"value":'
            yield before + orjson.dumps(one.id) + b":" + opened + value + b"}"
            before = b","
    yield b"}}}"


@dataclass(frozen=True)
class _Cube:
    """Cells in row-major order: the number of each observation's among ``size`` of them."""

    places: pl.Series
    size: int

    def array(self, cells: pl.Series) -> bytes:
        """Return JSON texts as an array of all cells, or as an object where most are empty."""
        if len(self.places) * 2 < self.size:
            return self.object(cells)
        table = pl.DataFrame({"place": self.places, "cell": cells})
        dense = pl.DataFrame({"place": pl.int_range(self.size, eager=True)}).join(
            table, on="place", how="left", maintain_order="left"
        )
        return f"[{_between(dense.get_column('cell').fill_null('null'))}]".encode()

    def object(self, cells: pl.Series) -> bytes:
        """Return JSON texts as an object of the cells there are."""
        named = pl.concat_str(
            pl.lit('"'), self.places.cast(pl.String), pl.lit('":'), cells.alias("cell")
        )
        return f"{{{_between(pl.select(named).to_series().drop_nulls())}}}".encode()


def _between(texts: pl.Series) -> str:
    return str(texts.str.join(",").item()) if len(texts) else ""


def _codes(column: pl.Series) -> list[str]:
    """Return the codes that occur in the order of their list; periods in order of time."""
    found = column.unique().drop_nulls()
    if isinstance(column.dtype, pl.Enum):
        return found.sort().cast(pl.String).to_list()
    return sorted(found.cast(pl.String))


def _roles(key: list[Component]) -> dict[str, list[str]]:
    roles = {
        "time": [dimension.id for dimension in key if dimension.role is Role.TIME],
        "geo": [dimension.id for dimension in key if dimension.id in _AREAS],
    }
    return {role: ids for role, ids in roles.items() if ids}


def _dimension(message: DataMessage, dimension: Component, codes: list[str]) -> dict[str, Any]:
    category: dict[str, Any] = {"index": codes, "label": _labels(message, dimension, codes)}
    listed = dimension.codelist.by_id if dimension.codelist else {}
    below: dict[str, list[str]] = {}
    for code in codes:
        parent = listed[code].parent if code in listed else None
        if parent in codes:
            below.setdefault(str(parent), []).append(code)
    if below:
        category["child"] = below
    return {"label": message.text(dimension.name) or dimension.id, "category": category}


def _labels(message: DataMessage, one: Component, codes: list[str]) -> dict[str, str]:
    listed = one.codelist.by_id if one.codelist else {}
    return {c: (message.text(listed[c].name) if c in listed else c) or c for c in codes}


def _places(frame: pl.DataFrame, codes: dict[str, list[str]]) -> pl.Series:
    """Return the number of each row's cell."""
    if frame.is_empty():
        return pl.Series([], dtype=pl.Int64)
    place = pl.lit(0, pl.Int64)
    for name, present in codes.items():
        numbers = list(range(len(present)))
        index = pl.col(name).cast(pl.String)
        index = index.replace_strict(present, numbers, return_dtype=pl.Int64)
        place = place * len(present) + index
    return frame.select(place.alias("place")).to_series()


def _values(frame: pl.DataFrame, measure: str) -> pl.Series:
    """Return the values as JSON, which has no word for one that is no finite number."""
    if measure not in frame.columns:
        return pl.Series([None] * frame.height, dtype=pl.String)
    column = frame.get_column(measure)
    numbers = column if column.dtype.is_integer() else column.cast(pl.Float64, strict=False)
    texts = numbers.cast(pl.String)
    return pl.select(pl.when(numbers.is_finite()).then(texts)).to_series()


def _told(column: pl.Series) -> pl.Series:
    """Return cells as JSON: numbers as such, missing and infinite ones by the standard's words."""
    texts = column.cast(pl.String)
    if not column.dtype.is_numeric():
        return quoted(texts)
    words = quoted(texts.str.replace("inf", "INF", literal=True))
    return pl.select(pl.when(column.is_finite()).then(texts).otherwise(words)).to_series()


def _any(frame: pl.DataFrame, name: str) -> bool:
    return frame.get_column(name).null_count() < frame.height


def _used(frame: pl.DataFrame, name: str) -> list[str]:
    return _codes(frame.get_column(name))


def _alike(cells: pl.Series) -> bool:
    return cells.null_count() == 0 and cells.n_unique() == 1
