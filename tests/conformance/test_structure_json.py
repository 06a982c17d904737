"""Artefacts of every kind survive every version of SDMX-JSON that can carry them."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from sdmx_service.errors import StructureError
from sdmx_service.structures import Artefact, ArtefactKind, StructureStore
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.jsonforms import json_forms, json_keys
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.jsonreading import read_json
from sdmx_service.structures.jsonwriting import json_message, json_refusal
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.reading_ml import read_xml
from sdmx_service.structures.writing_ml import refusal, structure_message

PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)
JSON10, JSON20, JSON21 = JsonVersion


def example_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIRST, THIRD = example_module("structure_examples"), example_module("structure_examples_3")
EXAMPLES = [
    Artefact(kind, content)
    for examples in (
        FIRST.SHARED,
        FIRST.ONLY_21,
        FIRST.SHARED_BEFORE_31,
        THIRD.SHARED_3,
        THIRD.ONLY_30,
        THIRD.ONLY_31,
    )
    for kind, content in examples
]
# What each version refuses of the examples, and what in them it has no place for.
OF_21 = ("HCL", "SET", "AC", "CR21", "VMS21", "DSD")
REFUSED = {
    JSON10: {
        "AGENCIES": "id of a Contact",
        "CS": "isoConceptReference of a Concept",
        "CR": "include of a Selection",
        "AVAILABLE": "include of a Selection",
        "SET": "a StructureSet",
        "CTS": "a CustomTypeScheme",
    },
    JSON20: {
        "CL_PARTIAL_LANGUAGE": "isPartialLanguage",
        "DF31": "dimensionConstraint",
        "CR31": "values of a key",
        "SET": "a StructureSet",
        "HCL": "a HierarchicalCodelist",
        "AC": "an AttachmentConstraint",
    },
    JSON21: {
        "MC30": "releaseCalendar",
        "CR_SIMPLE": "simpleDataSources",
        "SET": "a StructureSet",
        "HCL": "a HierarchicalCodelist",
    },
}
# These go over by a rule of docs/structures.md: finality is the version's affair in 3.x.
RULES = {"CL_FINAL", "CL_OPEN", "AVAILABILITY_DF"}


@pytest.fixture(scope="module", params=list(JsonVersion), ids=lambda version: version.number)
def version(request: pytest.FixtureRequest) -> JsonVersion:
    found: JsonVersion = request.param
    return found


@pytest.fixture(scope="module")
def schemas() -> dict[JsonVersion, jsonschema_rs.Validator]:
    """The standard's own schemas, formats such as date-time checked too."""
    drafts = {JSON21: jsonschema_rs.Draft201909Validator}
    return {
        one: drafts.get(one, jsonschema_rs.Draft7Validator)(
            json.loads(one.schema.read_bytes()), validate_formats=True
        )
        for one in JsonVersion
    }


@pytest.fixture(scope="module")
def store() -> StructureStore:
    return StructureStore.read(Path(__file__).parents[2] / "dsd" / "structures")


def written(version: JsonVersion, *artefacts: Artefact, detail: Detail = Detail.FULL) -> bytes:
    return json_message(artefacts, prepared=PREPARED, sender="SIS", version=version, detail=detail)


def carried(version: JsonVersion, artefacts: Any) -> list[Artefact]:
    return [one for one in artefacts if json_refusal(one, version) is None]


@pytest.mark.parametrize(
    "artefact", [pytest.param(one, id=f"{one.kind.element}-{one.id}") for one in EXAMPLES]
)
def test_what_is_written_is_valid_and_read_again_unchanged_or_refused_by_name(
    artefact: Artefact, version: JsonVersion, schemas: dict[JsonVersion, jsonschema_rs.Validator]
) -> None:
    reason = json_refusal(artefact, version)
    if reason is not None:
        assert reason.where == artefact.urn
        assert reason.got
        assert version.title in str(reason)
        with pytest.raises(CannotCarry):
            written(version, artefact)
        return
    content = written(version, artefact)
    schemas[version].validate(json.loads(content))
    [again] = read_json(content, "again.json")
    if artefact.id not in RULES:
        assert again.kind is artefact.kind
        assert again.content == artefact.content


def test_each_version_carries_what_it_has_and_says_what_it_has_not(version: JsonVersion) -> None:
    said = {one.id: str(r.got) for one in EXAMPLES if (r := json_refusal(one, version))}
    for id, words in REFUSED[version].items():
        assert words.removeprefix("an ").removeprefix("a ") in said[id]
    kinds = {one.kind for one in EXAMPLES if json_refusal(one, version) is None}
    if version is not JSON10:
        assert kinds == {kind for kind in ArtefactKind if kind.ml3}
    else:
        # An agency's contact has an id in the examples, which 1.0 has no place for, and so on.
        assert {ArtefactKind.CODELIST, ArtefactKind.DATA_STRUCTURE, ArtefactKind.HIERARCHY} <= kinds


def test_the_schema_has_each_key_that_we_write(version: JsonVersion) -> None:
    schema = json.loads(version.schema.read_bytes())
    theirs = set(schema["properties"]["data"]["properties"])
    ours = set(json_keys(version).values())
    assert ours <= theirs
    # Structure sets of 1.0 are the only kind that is left out.
    assert theirs - ours <= {"structureSets"}


def test_the_publication_is_valid_and_read_again_unchanged(
    store: StructureStore, version: JsonVersion, schemas: dict[JsonVersion, jsonschema_rs.Validator]
) -> None:
    found = carried(version, store.artefacts)
    assert len({one.kind for one in found}) > 15
    content = written(version, *found)
    schemas[version].validate(json.loads(content))
    again = {one.urn: one.content for one in read_json(content, "again.json")}
    assert again == {one.urn: one.content for one in found}


@pytest.mark.parametrize(
    "detail", [Detail.ALL_STUBS, Detail.ALL_COMPLETE_STUBS], ids=lambda detail: detail.value
)
def test_stubs_of_every_kind_are_valid(
    detail: Detail, version: JsonVersion, schemas: dict[JsonVersion, jsonschema_rs.Validator]
) -> None:
    found = {one.urn: one for one in carried(version, EXAMPLES)}
    schemas[version].validate(json.loads(written(version, *found.values(), detail=detail)))


def test_real_messages_go_from_xml_to_json_and_back_unchanged(
    shared: Path, version: JsonVersion
) -> None:
    """Real messages of BIS, ECB, Eurostat, IMF, UNICEF and the standard's samples."""
    survived = 0
    for file in sorted((shared / "sdmx" / "messages").rglob("*.xml")):
        if b"Structure xmlns" not in file.read_bytes()[:400]:
            continue
        artefacts = read_xml(file.read_bytes(), file.name)
        found = carried(version, artefacts)
        if version is JSON21:
            found = found[:6]
        again = {one.urn: one for one in read_json(written(version, *found), file.name)}
        for one in found:
            if version is JSON21 and one.kind is ArtefactKind.AVAILABILITY_CONSTRAINT:
                continue  # 2.1 gives an availability no identity
            assert comparable(again[one.urn], version) == comparable(one, version)
            survived += 1
    assert survived > (15 if version is JSON21 else 80)


def comparable(artefact: Artefact, version: JsonVersion) -> dict[str, Any]:
    left_out = () if version is JSON10 else ("isFinal",)
    return {key: value for key, value in artefact.content.items() if key not in left_out}


# The schema of SDMX-ML 3.0 takes no parent whose id starts with an underscore.
@pytest.mark.parametrize(
    "form", [*JsonVersion, MlVersion.ML21, MlVersion.ML31], ids=lambda form: form.title
)
def test_the_standards_sample_survives_every_format_that_can_carry_it(
    shared: Path, form: JsonVersion | MlVersion
) -> None:
    file = shared / "sdmx" / "messages" / "json21" / "structure-constructed-sample.json"
    artefacts = read_artefacts(file.read_bytes(), file.name)
    if isinstance(form, JsonVersion):
        found = carried(form, artefacts)
        again = written(form, *found)
    else:
        found = [one for one in artefacts if refusal(one, form) is None]
        again = structure_message(found, prepared=PREPARED, sender="SIS", version=form)
    contents = {one.urn: one.content for one in read_artefacts(again, file.name)}
    assert contents == {one.urn: one.content for one in found}
    assert len(found) >= len(artefacts) - 2


def test_a_message_that_is_not_valid_is_refused_with_its_place(shared: Path) -> None:
    """A sample of pysdmx has a value list for a dimension; the standard has them for attributes."""
    file = shared / "sdmx" / "messages" / "pysdmx" / "dsd_multi_meas.json"
    with pytest.raises(StructureError, match="dimensions/1/localRepresentation/enumeration"):
        read_artefacts(file.read_bytes(), file.name)


def test_the_standards_sample_is_understood(shared: Path) -> None:
    content = (shared / "sdmx/messages/json21/structure-constructed-sample.json").read_bytes()
    artefacts = {one.id: one for one in read_json(content, "sample.json")}
    structure = artefacts["ECB_EXR1"].content["dataStructureComponents"]
    assert [one["id"] for one in structure["dimensionList"]["dimensions"]][:2] == [
        "FREQ",
        "CURRENCY",
    ]
    message = json.loads(content)
    del message["meta"]["prepared"]
    with pytest.raises(StructureError, match=r"sample\.json, meta"):
        read_json(json.dumps(message).encode(), "sample.json")


def test_a_name_without_language_is_in_the_language_of_the_message() -> None:
    message = json.loads(written(JSON20, EXAMPLES[0]))
    message["meta"]["contentLanguages"] = ["fr"]
    [scheme] = message["data"]["agencySchemes"]
    del scheme["names"]
    scheme["name"] = "Agences"
    [again] = read_json(json.dumps(message).encode(), "fr.json")
    assert again.name == {"fr": "Agences"}


def test_every_form_of_json_is_a_form_of_the_neutral_tree(version: JsonVersion) -> None:
    for kind in json_keys(version):
        shape = json_forms(version)[kind.element]
        assert {"annotations"} <= shape.keys


def test_times_of_codes_are_told_in_every_version(
    version: JsonVersion, schemas: dict[JsonVersion, jsonschema_rs.Validator]
) -> None:
    """CodedTextFormatType (2.x) and CodededTextFormatType (1.0) have times, as in SDMX-ML."""
    times = {"startTime": "2020-01-01T00:00:00Z", "endTime": "2030-01-01T00:00:00Z"}
    format = {"dataType": "ObservationalTimePeriod", "timeInterval": "P1Y", **times}
    coded = {"enumeration": FIRST.CL, "enumerationFormat": format}
    named = {"id": "CS", "agencyID": "SIS", "version": "1.0.0", "names": {"en": "CS"}}
    concept = {"id": "C", "names": {"en": "C"}, "coreRepresentation": coded}
    scheme = Artefact(ArtefactKind.CONCEPT_SCHEME, {**named, "concepts": [concept]})
    content = written(version, scheme)
    schemas[version].validate(json.loads(content))
    [again] = read_json(content, "times.json")
    assert again.content == scheme.content


def test_of_the_link_of_an_annotation_address_and_language_stay() -> None:
    """The generated sample of sdmx-json says more, which SDMX-ML has no place for."""
    message = json.loads(written(JSON21, EXAMPLES[0]))
    [scheme] = message["data"]["agencySchemes"]
    link = {"rel": "a", "title": "a", "titles": {"en": "a"}, "type": "a", "hreflang": "en"}
    urn = "urn:sdmx:org.sdmx.infomodel.base.AgencyScheme=ABC:AGENCIES(1.0)"
    links = [{**link, "href": "https://example.org/a", "urn": urn}, {**link, "urn": urn}]
    scheme["annotations"] = [{"id": "N", "links": links}]
    [again] = read_json(json.dumps(message).encode(), "links.json")
    assert again.content["annotations"][0]["links"] == [
        {"href": "https://example.org/a", "hreflang": "en"},
        {"href": urn, "hreflang": "en"},
    ]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("1973-01-01T00:00:00", True),
        ("1973-01-01T00:00:00.5+02:00", True),
        ("1973-13-01T00:00:00Z", False),
        ("1973-01-01", False),
        ("19730101T000000", False),
        ("1973-W01-1T00:00:00", False),
    ],
)
def test_a_moment_may_lack_its_time_zone_as_registries_write_it(
    version: JsonVersion, text: str, valid: bool
) -> None:
    """Samples of the registry of SDMX (pysdmx, hier.json), though the field guide asks for it."""
    named = {"id": "CL", "agencyID": "SIS", "version": "1.0.0", "names": {"en": "CL"}}
    message = json.loads(written(version, Artefact(ArtefactKind.CODELIST, named)))
    message["data"]["codelists"][0]["validFrom"] = text
    content = json.dumps(message).encode()
    if valid:
        [again] = read_json(content, "moment.json")
        assert again.content["validFrom"] == text
    else:
        with pytest.raises(StructureError, match="is not a 'date-time'"):
            read_json(content, "moment.json")
