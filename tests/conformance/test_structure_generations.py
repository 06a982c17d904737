"""Artefacts of every kind survive every version of SDMX-ML that can carry them."""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pysdmx.io
import pytest
from lxml import etree

from sdmx_service.errors import StructureError
from sdmx_service.structures import Artefact, ArtefactKind, Missing, StructureStore
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.forms import forms
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.neutral import neutral
from sdmx_service.structures.reading_ml import read_xml
from sdmx_service.structures.writing_ml import refusal, structure_message

PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)
ML21, ML30, ML31 = MlVersion


def example_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIRST, THIRD = example_module("structure_examples"), example_module("structure_examples_3")
EXAMPLES: list[tuple[Artefact, tuple[MlVersion, ...]]] = [
    (Artefact(kind, content), versions)
    for examples, versions in (
        (FIRST.SHARED, (ML21, ML30, ML31)),
        (FIRST.ONLY_21, (ML21,)),
        (FIRST.SHARED_BEFORE_31, (ML21, ML30)),
        (THIRD.SHARED_3, (ML30, ML31)),
        (THIRD.ONLY_30, (ML30,)),
        (THIRD.ONLY_31, (ML31,)),
    )
    for kind, content in examples
]
# These go over by a rule of docs/structures.md: finality is the version's affair in 3.x, counts
# and the name of an availability come and go, one version of a categorisation is allowed, and
# targets of a metadataflow go in annotations.
RULES = {"CL_FINAL", "CL_OPEN", "AVAILABILITY_DF", "CAT30", "MDF3"}
CASES = [
    pytest.param(artefact, version, id=f"{artefact.kind.element}-{artefact.id}-{version.number}")
    for artefact, versions in EXAMPLES
    for version in versions
]


@pytest.fixture(scope="module", params=list(MlVersion), ids=lambda version: version.number)
def version(request: pytest.FixtureRequest) -> MlVersion:
    found: MlVersion = request.param
    return found


@pytest.fixture(scope="module")
def schemas() -> dict[MlVersion, etree.XMLSchema]:
    return {one: etree.XMLSchema(etree.parse(str(one.schema))) for one in MlVersion}


def written(version: MlVersion, *artefacts: Artefact, detail: Detail = Detail.FULL) -> bytes:
    return structure_message(
        artefacts, prepared=PREPARED, sender="SIS", version=version, detail=detail
    )


@pytest.mark.parametrize(("artefact", "version"), CASES)
def test_what_is_written_is_valid_and_read_again_unchanged(
    artefact: Artefact, version: MlVersion, schemas: dict[MlVersion, etree.XMLSchema]
) -> None:
    content = written(version, artefact)
    schemas[version].assertValid(etree.fromstring(content))
    [again] = read_xml(content, "again.xml")
    assert again.kind is artefact.kind
    assert again.content == artefact.content


@pytest.mark.parametrize(
    ("artefact", "versions"),
    [pytest.param(*case, id=f"{case[0].kind.element}-{case[0].id}") for case in EXAMPLES],
)
def test_what_a_version_cannot_carry_it_refuses_by_name(
    artefact: Artefact, versions: tuple[MlVersion, ...]
) -> None:
    for version in set(MlVersion) - set(versions):
        if artefact.id not in RULES:
            reason = refusal(artefact, version)
            assert reason is not None
            assert reason.where == artefact.urn
            assert reason.got
            assert version.title in str(reason)
            with pytest.raises(CannotCarry):
                written(version, artefact)


@pytest.mark.parametrize(
    "artefact", [pytest.param(one, id=f"{one.kind.element}-{one.id}") for one, _ in EXAMPLES]
)
def test_the_neutral_form_is_one(artefact: Artefact) -> None:
    assert neutral(artefact.kind, artefact.content) == artefact.content


def test_two_ways_to_say_the_same_have_one_neutral_form() -> None:
    concept = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=AG:CS(1.0.0).%s"
    said_at_length = {
        "id": "DSD",
        "isExternalReference": False,
        "dataStructureComponents": {
            "dimensionList": {
                "dimensions": [
                    {"conceptIdentity": concept % "B", "position": 2},
                    {"id": "A", "conceptIdentity": concept % "A", "position": 1},
                ]
            },
            "attributeList": {
                "attributes": [
                    {
                        "conceptIdentity": concept % "C",
                        "usage": "optional",
                        "localRepresentation": {"format": {}, "minOccurs": 0, "maxOccurs": 1},
                        "attributeRelationship": {"observation": {}},
                    }
                ]
            },
        },
    }
    assert neutral(ArtefactKind.DATA_STRUCTURE, said_at_length) == {
        "id": "DSD",
        "version": "1.0",
        "dataStructureComponents": {
            "dimensionList": {
                "id": "DimensionDescriptor",
                "dimensions": [
                    {"id": "A", "conceptIdentity": concept % "A"},
                    {"id": "B", "conceptIdentity": concept % "B"},
                ],
            },
            "attributeList": {
                "id": "AttributeDescriptor",
                "attributes": [
                    {
                        "id": "C",
                        "conceptIdentity": concept % "C",
                        "localRepresentation": {"format": {"dataType": "String"}},
                        "attributeRelationship": {"observation": {}},
                    }
                ],
            },
        },
    }
    with pytest.raises(StructureError, match=r"file\.json.*a part of a Codelist.*'codez'"):
        neutral(ArtefactKind.CODELIST, {"id": "CL", "codez": []}, "file.json")


def test_there_is_an_example_of_every_kind() -> None:
    assert {artefact.kind for artefact, _ in EXAMPLES} == set(ArtefactKind)


@pytest.mark.parametrize("detail", list(Detail), ids=lambda detail: detail.value)
def test_stubs_of_every_kind_are_valid(
    detail: Detail, version: MlVersion, schemas: dict[MlVersion, etree.XMLSchema]
) -> None:
    found = {one.urn: one for one, versions in EXAMPLES if version in versions}
    content = written(version, *found.values(), detail=detail)
    schemas[version].assertValid(etree.fromstring(content))
    again = read_xml(content, "stubs.xml")
    assert len(again) == len(found)
    said = [one for one in again if not (version is ML31 and "AVAILABILITY" in one.kind.name)]
    assert {one.external for one in said} == {detail.stubs(referenced=False)}


def test_every_part_that_the_schemas_name_has_a_place(version: MlVersion) -> None:
    """The elements and attributes of the standard's own schema, against our table."""
    ours = {name for shape in forms(version).values() for name in shape.elements}
    ours |= {
        step
        for shape in forms(version).values()
        for field in shape.fields
        for _, step in field.path
    }
    theirs: set[str] = set()
    for file in version.schema.parent.glob("SDMXStructure*.xsd"):
        if file.stem in ("SDMXStructure", "SDMXStructureBase"):
            continue
        for element in etree.parse(str(file)).iter("{http://www.w3.org/2001/XMLSchema}element"):
            if element.get("name") and element.get("abstract") != "true":
                theirs.add(element.get("name", ""))
    # One is the base of geographic codes; the schema of 3.0 takes no metadata set for the other,
    # for its pattern of a metadata set's URN is that of a metadata structure.
    assert theirs - ours <= {"GeoRefCode", "MetadataSet"}


@pytest.mark.parametrize("form", ["Ref", "URN"])
def test_references_of_sdmx_21_may_be_urns(form: str) -> None:
    artefact = next(one for one, _ in EXAMPLES if one.kind is ArtefactKind.DATAFLOW)
    content = written(ML21, artefact)
    root = etree.fromstring(content)
    if form == "URN":
        for ref in list(root.iter("Ref")):
            parent = ref.getparent()
            assert parent is not None
            parent.remove(ref)
            urn = etree.SubElement(parent, "URN")
            urn.text = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=SIS:DSD(1.0.0)"
    [again] = read_xml(etree.tostring(root), "urn.xml")
    assert again.content == artefact.content


def test_pysdmx_finds_what_we_wrote_in_every_version(version: MlVersion) -> None:
    store = StructureStore.read(Path(__file__).parents[2] / "dsd" / "structures")
    kinds = (ArtefactKind.CODELIST, ArtefactKind.DATA_STRUCTURE, ArtefactKind.DATAFLOW)
    found = [one for one in store.find(kinds) if refusal(one, version) is None]
    message = pysdmx.io.read_sdmx(written(version, *found).decode(), validate=True)
    theirs = {one.id: one for one in message.structures or ()}
    assert theirs.keys() == {one.id for one in found}
    for one in found:
        if one.kind is ArtefactKind.CODELIST:
            codes = [code["id"] for code in one.content["codes"]]
            assert [code.id for code in theirs[one.id].codes] == codes
        if one.kind is ArtefactKind.DATA_STRUCTURE:
            components = {each.id for each in theirs[one.id].components}
            assert components == set(store.datastructure(one.id).by_id)


def messages(shared: Path) -> list[Path]:
    return sorted((shared / "sdmx" / "messages").rglob("*.xml"))


def test_every_structure_message_of_others_survives_or_is_refused(
    shared: Path, version: MlVersion, schemas: dict[MlVersion, etree.XMLSchema]
) -> None:
    """Real messages of BIS, ECB, Eurostat, IMF, UNICEF and the standard's samples."""
    survived = 0
    for file in messages(shared):
        if b"Structure xmlns" not in file.read_bytes()[:400]:
            with pytest.raises(StructureError, match="expected a Structure message"):
                read_xml(file.read_bytes(), file.name)
            continue
        artefacts = read_xml(file.read_bytes(), file.name)
        carried = [one for one in artefacts if refusal(one, version) is None]
        if not carried:
            continue
        content = written(version, *carried)
        schemas[version].assertValid(etree.fromstring(content))
        again = {one.urn: one for one in read_xml(content, file.name)}
        for one in carried:
            if version is ML31 and one.kind is ArtefactKind.AVAILABILITY_CONSTRAINT:
                continue  # 3.1 gives an availability no identity
            assert comparable(again[one.urn], version) == comparable(one, version)
            survived += 1
    assert survived > 100


def comparable(artefact: Artefact, version: MlVersion) -> dict[str, Any]:
    left_out = () if version is ML21 else ("isFinal",)
    return {key: value for key, value in artefact.content.items() if key not in left_out}


def test_an_imported_message_may_refer_to_what_is_elsewhere(shared: Path) -> None:
    file = shared / "sdmx" / "messages" / "v3" / "ECB_EXR1-dsd.xml"
    artefacts = read_xml(file.read_bytes(), file.name)
    with pytest.raises(StructureError, match=r"ECB_EXR1-dsd\.xml:\d+.*a ConceptScheme that exists"):
        StructureStore(artefacts)
    structure = StructureStore(artefacts, missing=Missing.ALLOWED).datastructure("ECB_EXR")
    assert [one.id for one in structure.dimensions][:2] == ["FREQ", "CURRENCY"]
    assert structure.groups == {"Group": ("CURRENCY", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX")}
    assert structure.timed
