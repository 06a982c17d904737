"""SDMX-JSON 2.0.0 data messages (field guide of SDMX-JSON 2.0.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import polars as pl

from sdmx_service.formats.layout import Layout, layout, renderer
from sdmx_service.formats.message import DataMessage, message_id
from sdmx_service.formats.registry import register_data
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["write_json"]

_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/"
    "2.0.0/sdmx-json-data-schema.json"
)
_DATA_TYPES = {"Double", "Float", "Decimal", "Integer", "Long", "Count", "Boolean", "DateTime"}
_Cells = Callable[[pl.Series], pl.Series]


@register_data(
    "json",
    "application/vnd.sdmx.data+json",
    "2.0.0",
    ".json",
    short_names=("jsondata", "json20", "sdmx-json"),
    plain_types=("application/json", "text/json"),
)
def write_json(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces; coded values go as indexes, uncoded ones as themselves."""
    plan = layout(message)
    whole = plan.frame
    columns = {name: _indexed(whole.get_column(name), name, message) for name in whole.columns}
    yield _opening(message, plan, columns)
    if plan.flat and plan.observed:
        yield b'"observations":{'
        yield from _flat(message, plan, columns)
        yield b"}}]}}"
    else:
        yield b'"series":{'
        yield from _series(message, plan, columns)
        yield b"}}]}}"


class _Column:
    """One component's cells as JSON, and the values its indexes stand for."""

    def __init__(self, cells: _Cells, values: list[dict[str, Any]] | None) -> None:
        self.cells = cells
        self.values = values

    def of(self, chunk: pl.DataFrame, name: str) -> pl.Series:
        return self.cells(chunk.get_column(name)).fill_null("null").alias(name)


def _indexed(column: pl.Series, name: str, message: DataMessage) -> _Column:
    component = message.flow.structure.by_id[name]
    dimension = component.role in (Role.DIMENSION, Role.TIME)
    if isinstance(column.dtype, pl.Enum) or dimension:
        return _codes(column, component, message)
    if column.dtype.is_numeric():
        return _Column(_numbers(column), None)
    return _Column(renderer(column, lambda text: orjson.dumps(text).decode()), None)


def _numbers(column: pl.Series) -> _Cells:
    plain = renderer(column, str)
    if not column.dtype.is_float():
        return plain

    def cells(part: pl.Series) -> pl.Series:
        text = plain(part)
        odd = ~part.is_finite()
        if not odd.any():
            return text
        # JSON has no NaN: the standard's word for it goes as a string.
        quoted = pl.concat_str(pl.lit('"'), text, pl.lit('"'))
        return pl.select(pl.when(odd).then(quoted).otherwise(text)).to_series()

    return cells


def _codes(column: pl.Series, component: Component, message: DataMessage) -> _Column:
    present = column.unique().drop_nulls()
    if isinstance(column.dtype, pl.Enum):
        used = set(present.cast(pl.String))
        codes = [code for code in column.dtype.categories if code in used]
    else:
        codes = sorted(present.cast(pl.String))
    index = {code: str(place) for place, code in enumerate(codes)}
    cells = renderer(column, lambda code: index.get(code, ""))
    return _Column(cells, [_value(code, component, message) for code in codes])


def _value(code: str, component: Component, message: DataMessage) -> dict[str, Any]:
    if component.codelist is None:
        return {"value": code}
    listed = component.codelist.by_id[code]
    value: dict[str, Any] = {
        "id": code,
        "name": message.text(listed.name) or code,
        "names": dict(listed.name),
    }
    if listed.parent:
        value["parent"] = listed.parent
    return value


def _component(
    component: Component, column: _Column, message: DataMessage, **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": component.id,
        "name": message.text(component.name) or component.id,
        "names": dict(component.name),
        **more,
    }
    if column.values:
        said["values"] = column.values
    if component.codelist is None and component.role is not Role.TIME:
        known = component.data_type in _DATA_TYPES
        said["format"] = {"dataType": component.data_type if known else "String"}
    return said


def _opening(message: DataMessage, plan: Layout, columns: dict[str, _Column]) -> bytes:
    flow, structure = message.flow, message.flow.structure
    flat = plan.flat and plan.observed
    place = {c.id: i for i, c in enumerate((*structure.dimensions, structure.time))}

    def dimensions(chosen: Sequence[Component]) -> list[dict[str, Any]]:
        return [_component(c, columns[c.id], message, keyPosition=place[c.id]) for c in chosen]

    def attributes(chosen: Sequence[Component], relationship: dict[str, Any]) -> list[Any]:
        return [
            _component(
                c, columns[c.id], message, isMandatory=c.mandatory, relationship=relationship
            )
            for c in chosen
        ]

    series, each = list(plan.dimensions), [structure.time] if plan.observed else []
    if flat:
        series, each = [], [*series, structure.time]
    varies = {"dimensions": [dimension.id for dimension in structure.dimensions]}
    measures = (
        [_component(structure.measure, columns[structure.measure.id], message)]
        if plan.measured
        else []
    )
    urn = (
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow="
        f"{flow.agency}:{flow.id}({flow.version})"
    )
    links = [{"rel": "dataflow", "urn": urn}]
    described = {
        "links": links,
        "name": message.text(flow.name) or flow.id,
        "names": dict(flow.name),
        "dimensions": {"series": dimensions(series), "observation": dimensions(each)},
        "measures": {"observation": measures},
        "attributes": {
            "series": attributes(plan.series_attributes, varies),
            "observation": [
                one
                for component in plan.observation_attributes
                for one in attributes(
                    [component],
                    varies if component in structure.series_attributes else {"observation": {}},
                )
            ],
        },
        "dataSets": [0],
    }
    meta = {
        "schema": _SCHEMA,
        "id": message_id(message.release),
        "test": False,
        "prepared": message.prepared.isoformat(),
        "contentLanguages": [message.languages[0]],
        "sender": {"id": flow.agency.replace(".", "_")},
        "release": message.release,
    }
    data_set = {"structure": 0, "action": "Information", "links": links}
    head = orjson.dumps({"meta": meta, "data": {"structures": [described], "dataSets": [data_set]}})
    return head.removesuffix(b"}]}}") + b","


def _array(parts: Sequence[pl.Series], height: int) -> pl.Series:
    if not parts:
        return pl.Series(["[]"] * height, dtype=pl.String)
    return pl.select(
        pl.concat_str(pl.lit("["), pl.concat_str(*parts, separator=","), pl.lit("]"))
    ).to_series()


def _observations(
    chunk: pl.DataFrame, message: DataMessage, plan: Layout, columns: dict[str, _Column]
) -> pl.Series:
    measure = [message.flow.structure.measure] if plan.measured else []
    chosen = [*measure, *plan.observation_attributes]
    return _array([columns[c.id].of(chunk, c.id) for c in chosen], chunk.height)


def _key(
    chunk: pl.DataFrame, chosen: Sequence[Component], columns: dict[str, _Column]
) -> pl.Series:
    parts = [columns[c.id].of(chunk, c.id) for c in chosen]
    return pl.select(
        pl.concat_str(pl.lit('"'), pl.concat_str(*parts, separator=":"), pl.lit('":'))
    ).to_series()


def _flat(message: DataMessage, plan: Layout, columns: dict[str, _Column]) -> Iterator[bytes]:
    key = (*plan.dimensions, message.flow.structure.time)
    comma = b""
    for chunk, _ in plan.chunks():
        cells = _observations(chunk, message, plan, columns)
        lines = pl.select(pl.concat_str(_key(chunk, key, columns), cells)).to_series()
        yield comma + _joined(lines, ",")
        comma = b","


def _joined(lines: pl.Series, separator: str) -> bytes:
    return str(lines.str.join(separator).item()).encode()


def _heads(chunk: pl.DataFrame, plan: Layout, columns: dict[str, _Column]) -> pl.Series:
    said = _array([columns[c.id].of(chunk, c.id) for c in plan.series_attributes], chunk.height)
    close = ',"observations":{' if plan.observed else "}"
    return pl.select(
        pl.concat_str(
            _key(chunk, plan.dimensions, columns), pl.lit('{"attributes":'), said, pl.lit(close)
        )
    ).to_series()


def _series(message: DataMessage, plan: Layout, columns: dict[str, _Column]) -> Iterator[bytes]:
    between = "}},"
    first = True
    for chunk, starts in plan.chunks():
        heads = _heads(chunk.filter(starts), plan, columns)
        if plan.observed:
            place = pl.select(pl.when(starts).then(starts.cum_sum().cast(pl.Int64) - 1)).to_series()
            opened = pl.select(pl.concat_str(pl.lit(between), heads)).to_series().gather(place)
            time = _key(chunk, [message.flow.structure.time], columns)
            cells = _observations(chunk, message, plan, columns)
            lines = pl.select(pl.concat_str(opened.fill_null(","), time, cells)).to_series()
            text = _joined(lines, "")
            yield text.removeprefix(between.encode()) if first else text
        else:
            yield (b"" if first else b",") + _joined(heads, ",")
        first = False
    if plan.observed and not first:
        yield b"}}"
