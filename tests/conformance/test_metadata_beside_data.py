"""Reference metadata beside data: where SDMX-ML 3.x has a place for them, valid and read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from sdmx_service.formats import DataMessage, DataSet, data_formats
from sdmx_service.formats.action import Generation
from sdmx_service.formats.metadataattached import attached, carries_metadata, with_metadata
from sdmx_service.formats.registry import Format
from sdmx_service.formats.schema import SchemaMessage
from sdmx_service.structures.artefacts import Dataflow, MetadataAttribute, MetadataStructure
from sdmx_service.structures.metadataset import MetadataSet
from tests.conformance.said import said
from tests.conformance.schema_examples import (
    AREA,
    FLOW_URN,
    PLAIN,
    PREPARED,
    SEX,
    STATUS,
    WRITERS,
    frame_of,
    xml_schema,
)
from tests.unit.data_messages import statements

URN = "urn:sdmx:org.sdmx.infomodel."
STRUCTURE = MetadataStructure(
    "SIS",
    "MSD",
    "1.0.0",
    {"en": "Structure"},
    (
        MetadataAttribute(("TEXT",), {"en": "Text"}, multilingual=True),
        MetadataAttribute(("NOTES",), {"en": "Notes"}, multilingual=True, most=None),
        MetadataAttribute(("CONTACTS",), {"en": "Contacts"}, most=None),
        MetadataAttribute(("STATUS",), {"en": "Status"}, STATUS),
        MetadataAttribute(("SHARE",), {"en": "Share"}, data_type="Double"),
        MetadataAttribute(("ASKED",), {"en": "Asked"}, data_type="Integer"),
        MetadataAttribute(("UNIT",), {"en": "The data structure's own, left to it"}),
        MetadataAttribute(("HEADING",), {"en": "Heading"}, presentational=True),
    ),
)
# The area has a group of its own in the structure, sex and the data set have none.
FLOW = Dataflow("SIS", "DF", "1.0.0", {"en": "Flow"}, PLAIN)
ABOUT = {
    "AREA": f"{URN}codelist.Code=SIS:{AREA.id}(1.0.0).AT",
    "SEX": f"{URN}codelist.Code=SIS:{SEX.id}(1.0.0).F",
    "FLOW": f"{URN}datastructure.Dataflow=SIS:DF(1.0.0)",
}


def _reports() -> list[MetadataSet]:
    return [
        MetadataSet(
            {
                "id": id,
                "agencyID": "SIS",
                "version": "1.0.0",
                "metadataflow": f"{URN}metadatastructure.Metadataflow=SIS:MDF(1.0.0)",
                "targets": [target],
                "attributes": [
                    {"id": "TEXT", "value": {"en": f"<{id}> & 'more'", "fr": "Texte\nlong"}},
                    {"id": "NOTES", "value": {"en": "One"}},
                    {"id": "NOTES", "value": {"en": "Two", "de": "Zwei"}},
                    {"id": "CONTACTS", "value": "Ada; Bertha"},
                    {"id": "CONTACTS", "value": '"Clara"'},
                    {"id": "STATUS", "value": "E"},
                    {"id": "SHARE", "value": 0.1 + 0.2},
                    {"id": "ASKED", "value": 2721},
                    {"id": "UNIT", "value": "not told"},
                ],
            }
        )
        for id, target in ABOUT.items()
    ]


@pytest.fixture(scope="module")
def told() -> DataSet:
    """Return observations with reports about an area, a sex and the flow beside them."""
    frame = frame_of(PLAIN).with_columns(
        pl.col(one.id).cast(pl.Enum(list(one.codelist.by_id)))
        for one in PLAIN.components
        if one.codelist is not None
    )
    return with_metadata(DataSet(FLOW, frame), _reports(), STRUCTURE)


class Structures:
    """Knows the flow with the metadata attributes."""

    def __init__(self, flow: Dataflow) -> None:
        self.flow = flow

    def dataflow(self, *_: object) -> Dataflow:
        return self.flow


def _format(name: str) -> Format[DataMessage]:
    return next(one for one in data_formats() if one.name == name)


LEVELS = (None, "AllDimensions", "SEX", "REF_AREA")


@pytest.mark.parametrize("name", ["xml30", "xml31"])
@pytest.mark.parametrize("at", LEVELS)
def test_sdmx_ml_3_is_valid_and_read_as_it_was_written(
    told: DataSet, name: str, at: str | None, tmp_path: Path
) -> None:
    """The schema of the standard, restricted to the data structure and the metadata attributes."""
    one = _format(name)
    message = DataMessage((told,), "R", PREPARED, observed_by=at)
    content = b"".join(one.write(message))
    schema = SchemaMessage(
        FLOW, FLOW_URN, PREPARED, observed_by=at, metadata=attached(STRUCTURE, PLAIN)
    )
    checked = xml_schema(schema, WRITERS[name], tmp_path)
    assert checked.validate(etree.fromstring(content)), str(checked.error_log)
    assert one.read is not None
    again = one.read(content, Structures(told.flow))  # type: ignore[arg-type]
    assert said(again.dataset) == said(told)
    own = {one.id for one in attached(STRUCTURE, PLAIN)}
    rows = [
        sorted(repr(each) for each in statements(dataset) if each[1] in own)
        for dataset in (again.dataset, told)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) == len(own) * len(ABOUT)


@pytest.mark.parametrize("name", ["xml30", "xml31"])
def test_each_report_stands_at_its_part_of_the_key(told: DataSet, name: str) -> None:
    """SDMXDataStructureSpecific.xsd: Atts for "data set level" and "a partial set of dimension
    values", a simple value as an XML attribute, others as Comp; a Group where there is one.
    """
    root = etree.fromstring(b"".join(_format(name).write(DataMessage((told,), "R", PREPARED))))
    keys = {one.id for one in PLAIN.key}
    found = {}
    for element in (*root.iter("Atts"), *root.iter("Group")):
        part = tuple((key, element.get(key)) for key in sorted(keys & set(element.attrib)))
        if element.get("ASKED"):
            found[element.tag, part] = element
    assert found.keys() == {
        ("Atts", ()),
        ("Group", (("REF_AREA", "AT"),)),
        ("Atts", (("SEX", "F"),)),
    }
    for element in found.values():
        assert (element.get("STATUS"), element.get("ASKED")) == ("E", "2721")
        assert [one.get("id") for one in element.iter("Comp")] == ["TEXT", "NOTES", "CONTACTS"]
        assert "UNIT" not in element.attrib


def test_the_schema_allows_metadata_attributes_only_with_their_values(
    told: DataSet, tmp_path: Path
) -> None:
    content = b"".join(_format("xml31").write(DataMessage((told,), "R", PREPARED)))
    schema = SchemaMessage(FLOW, FLOW_URN, PREPARED, metadata=attached(STRUCTURE, PLAIN))
    checked = xml_schema(schema, Generation.SDMX_3_1, tmp_path)
    for good, bad in ((b'STATUS="E"', b'STATUS="X"'), (b'ASKED="2721"', b'ASKED="many"')):
        assert checked.validate(etree.fromstring(content))
        assert not checked.validate(etree.fromstring(content.replace(good, bad)))
    without = xml_schema(replace(schema, metadata=()), Generation.SDMX_3_1, tmp_path)
    assert not without.validate(etree.fromstring(content))


def test_the_schema_of_21_has_no_place_for_metadata_attributes(tmp_path: Path) -> None:
    schema = SchemaMessage(FLOW, FLOW_URN, PREPARED, metadata=attached(STRUCTURE, PLAIN))
    xml_schema(schema, Generation.SDMX_2_1, tmp_path)
    assert b"ASKED" not in (tmp_path / "own.xsd").read_bytes()
    assert not carries_metadata(_format("structurespecific"))
