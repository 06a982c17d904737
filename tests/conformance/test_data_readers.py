"""Data messages of others read here, and ours read by the other readers of the standard."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sdmx
import sdmx.reader.xml.v30  # before any 2.1 message is read
from pysdmx.io import read_sdmx

from sdmx_service.errors import DataError, NotAcceptable, NotFound
from sdmx_service.formats import DataMessage, data_formats
from sdmx_service.structures import StructureStore
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.store import Missing
from tests.unit.data_messages import assert_same

FORMATS = {one.name: one for one in data_formats()}


@pytest.fixture(scope="module")
def store(shared: Path) -> StructureStore:
    """Return the structures that come with the messages of others."""
    messages = shared / "sdmx" / "messages"
    names = ("ecb/EXR-structure-full.xml", "ecb/ng-structure-full.xml", "v3/ECB_EXR1-dsd.xml")
    found: dict[Any, Any] = {}
    for name in names:
        for artefact in read_artefacts((messages / name).read_bytes(), name):
            found.setdefault(artefact.identity, artefact)
    return StructureStore(found.values(), missing=Missing.ALLOWED)


# File, format, observations as counted in the file itself, first value.
READ = [
    ("ecb/EXR-M.USD.EUR.SP00.A.xml", "generic", 252, 1.16078),
    ("ecb/ng-ts-ss.xml", "structurespecifictimeseries", 12, 1.3413),
    ("ecb/ng-flat.xml", "generic", 12, 1.3413),
    ("ecb/ng-xs.xml", "generic", 12, 1.3413),
    ("v3/ECB_EXR0-data.xml", "xml30", 116, 1.583993822393823),
    ("json21/data-exr-time-series.json", "json21", 4, 1.5931),
    ("json21/data-exr-flat.json", "json21", 4, 1.5931),
]


@pytest.mark.parametrize(("file", "name", "count", "first"), READ)
def test_a_message_of_others_is_read_and_served_again(
    shared: Path, store: StructureStore, file: str, name: str, count: int, first: float
) -> None:
    read = FORMATS[name].read
    assert read is not None
    message = read((shared / "sdmx" / "messages" / file).read_bytes(), store)
    assert sum(dataset.height for dataset in message.datasets) == count
    assert float(message.frame["OBS_VALUE"][0]) == first
    refused = []
    for other in FORMATS.values():
        if other.read is None:
            continue
        try:
            content = b"".join(other.write(message))
        except NotAcceptable:
            refused.append(other.name)
        else:
            _assert_said_again(message, other.read(content, store))
    # SDMX-CSV 1.0 is for dataflows and no updates, the time series forms are for time series.
    assert set(refused) <= {"csv10", "generictimeseries", "structurespecifictimeseries"}


def _assert_said_again(message: DataMessage, again: DataMessage) -> None:
    """Fail unless every observation has its key, its value and its own attributes again."""
    for left, right in zip(message.datasets, again.datasets, strict=True):
        structure = left.structure
        keys = [one.id for one in structure.key]
        own = [one.id for one in structure.observation_attributes if one.id in left.schema]
        names = [*keys, structure.measure.id, *own]
        full = right.collected().filter(pl.col(name).is_not_null() for name in keys)
        tables = [
            frame.select(pl.col(names).cast(pl.String)).sort(keys)
            for frame in (left.collected(), full)
        ]
        assert tables[0].equals(tables[1])


@pytest.mark.parametrize(
    ("file", "name", "kind", "words"),
    [
        ("ecb/ts.json", "json10", DataError, "draft before version 1.0.0"),
        ("ecb/action-delete.json", "json10", DataError, "draft before version 1.0.0"),
        ("sdg/1-1-1--structure-specific.xml", "structurespecific", NotFound, "IAEG-SDGs:SDG"),
        ("estat/NAMA_10_GDP-ss.xml", "structurespecific", DataError, "'namespace' is required"),
        ("estat/footer.xml", "generic", DataError, "413: Due to the large query"),
        ("ecb/EXR-structure-full.xml", "generic", DataError, "GenericData"),
        ("unicef/CME_MRY0T4_BRA_sex_2020.csv", "xml31", DataError, "an XML element"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_fault(
    shared: Path, store: StructureStore, file: str, name: str, kind: type[Exception], words: str
) -> None:
    read = FORMATS[name].read
    assert read is not None
    with pytest.raises(kind) as refused:
        read(shared / "sdmx" / "messages" / file, store)
    assert words in str(refused.value)


def _codelist(name: str, *codes: str) -> Codelist:
    listed = tuple(Code(code, {"en": f"Name of {code}"}) for code in codes)
    return Codelist("SIS", name, "1.0", {"en": name}, listed)


def _attribute(name: str, where: Attachment, **more: Any) -> Component:
    return Component(name, Role.ATTRIBUTE, {"en": name}, attachment=where, **more)


STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0",
    {"en": "Structure"},
    (
        Component("REF_AREA", Role.DIMENSION, {"en": "Area"}, _codelist("CL_AREA", "AT", "NO-1")),
        Component("SEX", Role.DIMENSION, {"en": "Sex"}, _codelist("CL_SEX", "_T", "F")),
        Component("TIME_PERIOD", Role.TIME, {"en": "Time"}),
        Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double"),
        _attribute("UNIT", Attachment.SERIES, codelist=_codelist("CL_UNIT", "PT")),
        _attribute("STD_ERR", Attachment.OBSERVATION, data_type="Double"),
        _attribute("COMMENT", Attachment.OBSERVATION),
    ),
)
FLOW = Dataflow("SIS", "DF", "1.0", {"en": "Flow"}, STRUCTURE)
NUMBERS = [0.1 + 0.2, 1e-7, -12.5, -0.0, 1e22, 123456789.123, 5e-324, 1.7976931348623157e308]
TEXTS = ['"q", & <b>', "two\nlines\tand a tab", "Ελλάδα 中文 😀", "]]>"]


@pytest.fixture(scope="module")
def message() -> DataMessage:
    """Return sixteen observations, numbers and texts as awkward as they come."""
    rows = [
        {
            "REF_AREA": area, "SEX": sex, "TIME_PERIOD": str(year),
            "OBS_VALUE": NUMBERS[year % 8], "UNIT": "PT",
            "STD_ERR": None if year % 3 else 1 / 3, "COMMENT": TEXTS[year % 4],
        }
        for area in ("AT", "NO-1")
        for sex in ("_T", "F")
        for year in range(2016, 2024)
    ]  # fmt: skip
    kinds = {
        one.id: pl.Enum(list(one.codelist.by_id))
        if one.codelist
        else pl.Float64
        if one.data_type == "Double"
        else pl.String
        for one in STRUCTURE.components
    }
    moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return DataMessage.of(FLOW, pl.DataFrame(rows, schema=kinds), "r", moment)


def _cells(rows: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, str]]:
    keys = [one.id for one in STRUCTURE.key]
    found = {}
    for row in rows:
        cells = {}
        for name, cell in row.items():
            absent = cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell == ""
            if name in STRUCTURE.by_id and name not in keys and not absent:
                number = STRUCTURE.by_id[name].data_type == "Double"
                cells[name] = repr(float(cell)) if number else str(cell)
        found[tuple(str(row[name]) for name in keys)] = cells
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize(
    "name",
    ["generic", "generictimeseries", "structurespecific", "structurespecifictimeseries",
     "xml30", "xml31"],
)  # fmt: skip
def test_pysdmx_reads_every_cell_of_ours(message: DataMessage, name: str) -> None:
    content = b"".join(FORMATS[name].write(message))
    (dataset,) = read_sdmx(content.decode(), validate=False).data
    frame = dataset.data.astype(object)
    rows = frame.where(frame.notna(), None).to_dict(orient="records")
    held = message.frame.with_columns(pl.col(pl.Enum).cast(pl.String)).to_dicts()
    assert _cells(rows) == _cells(held)


@pytest.mark.parametrize("name", ["generic", "generictimeseries"])
def test_sdmx1_reads_every_cell_of_ours(message: DataMessage, name: str) -> None:
    content = b"".join(FORMATS[name].write(message))
    (dataset,) = sdmx.read_sdmx(BytesIO(content)).data
    rows = []
    for observation in dataset.obs:
        row = {key: value.value for key, value in observation.key.values.items()}
        above = observation.series_key.attrib if observation.series_key else {}
        for key, value in {**above, **observation.attached_attribute}.items():
            row[key] = getattr(value.value, "id", value.value)
        row["OBS_VALUE"] = observation.value
        rows.append(row)
    held = message.frame.with_columns(pl.col(pl.Enum).cast(pl.String)).to_dicts()
    assert _cells(rows) == _cells(held)


class _Known:
    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        return FLOW

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        return STRUCTURE


@pytest.mark.parametrize("name", [one for one in FORMATS if FORMATS[one].read])
def test_a_file_is_read_as_its_bytes_are(message: DataMessage, name: str, tmp_path: Path) -> None:
    content = b"".join(FORMATS[name].write(message))
    (tmp_path / "message").write_bytes(content)
    read = FORMATS[name].read
    assert read is not None
    assert_same(read(content, _Known()), read(tmp_path / "message", _Known()))
