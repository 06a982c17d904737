"""Data as a JSON-stat 2.0 cube."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import orjson
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.feature import Feature
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
    """Yield the cube whole: the codes that occur span it, OBS_STATUS is the status of a cell.

    Values are numbers; missing ones are null. A cube that is more than half empty goes as an
    object of its cells. Raises NotAcceptable for more than ``LARGEST`` cells and for series
    without observations.
    """
    dataset, structure = message.dataset, message.dataset.structure
    key = [dimension for dimension in structure.key if dimension.id in dataset.schema]
    if len(key) < len(structure.key) or not structure.measures:
        raise NotAcceptable(
            "jsonstat", got="series without observations", expected="observations with a measure"
        )
    frame = dataset.collected()
    codes = {dimension.id: _codes(frame.get_column(dimension.id)) for dimension in key}
    size = [len(codes[dimension.id]) for dimension in key]
    if prod(size) > LARGEST:
        raise NotAcceptable(
            "jsonstat",
            got=f"a cube of {prod(size)} cells",
            expected=f"at most {LARGEST} cells",
            hint="ask for fewer codes of each dimension, or for csv",
        )
    yield orjson.dumps(
        {
            "version": "2.0",
            "class": "dataset",
            "label": message.text(message.flow.name),
            **({"href": message.url} if message.url else {}),
            "source": message.sender or message.flow.agency,
            "updated": message.prepared.isoformat(),
            "id": [dimension.id for dimension in key],
            "size": size,
            "role": _roles(key),
            "dimension": {d.id: _dimension(message, d, codes[d.id]) for d in key},
            **_cells(message, frame, codes, prod(size)),
            "extension": {
                "dataflow": f"{message.flow.agency}:{message.flow.id}({message.flow.version})",
                "release": message.release,
            },
        }
    )


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
    listed = dimension.codelist.by_id if dimension.codelist else {}
    names = {c: message.text(listed[c].name) if c in listed else c for c in codes}
    return {
        "label": message.text(dimension.name) or dimension.id,
        "category": {"index": codes, "label": {c: name or c for c, name in names.items()}},
    }


def _cells(
    message: DataMessage, frame: pl.DataFrame, codes: dict[str, list[str]], cells: int
) -> dict[str, Any]:
    if not cells:
        return {"value": []}
    measure = message.dataset.structure.measure.id
    place = pl.lit(0, pl.Int64)
    for name, present in codes.items():
        index = (
            pl.col(name)
            .cast(pl.String)
            .replace_strict(present, list(range(len(present))), return_dtype=pl.Int64)
        )
        place = place * len(present) + index
    values = (
        pl.lit(None, pl.Float64)
        if measure not in frame.columns
        else (pl.col(measure).cast(pl.Float64, strict=False).fill_nan(None))
    )
    status = pl.col(_STATUS).cast(pl.String) if _STATUS in frame.columns else pl.lit(None)
    table = frame.select(place.alias("place"), values.alias("value"), status.alias("status"))
    said = table.filter(pl.col("status").is_not_null())
    found: dict[str, Any] = {}
    if table.height * 2 < cells:
        filled = table.filter(pl.col("value").is_not_null())
        found["value"] = dict(
            zip(filled["place"].cast(pl.String).to_list(), filled["value"].to_list(), strict=True)
        )
    else:
        dense = pl.DataFrame({"place": pl.int_range(cells, eager=True)}).join(
            table, on="place", how="left", maintain_order="left"
        )
        found["value"] = dense["value"].to_list()
    if said.height:
        found["status"] = dict(
            zip(said["place"].cast(pl.String).to_list(), said["status"].to_list(), strict=True)
        )
    return found
