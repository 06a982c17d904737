"""The schemas we answer hold what we write, and refuse what our own verdict refuses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl
import pytest
from lxml import etree

from sdmx_service.errors import DataError, NotAcceptable, RequestError
from sdmx_service.formats import DataMessage, data_formats, schema_formats
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.schema import MetadataSchema, SchemaMessage, allowed
from sdmx_service.formats.schemacsv import EXPLAINED
from sdmx_service.formats.schemaxsd import target_namespace
from sdmx_service.formats.validation import Extent, Kind, validate
from sdmx_service.structures import Missing, StructureStore
from sdmx_service.structures.artefacts import (
    Dataflow,
    DataStructure,
    MetadataAttribute,
    MetadataStructure,
)
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.readers import read_artefacts
from tests.conformance.schema_examples import (
    FLOW_URN,
    FOLDERS,
    JSON_WRITERS,
    PLAIN,
    PREPARED,
    RICH,
    WRITERS,
    asked,
    bad_json_validator,
    bad_xml_schema,
    codelist,
    flow_of,
    frame_of,
    joined,
    json_validator,
    written,
    xml_schema,
)

SHAPES = [
    pytest.param(structure, name, at, id=f"{structure.id}-{name}-{at or 'time'}")
    for structure in (PLAIN, RICH)
    for name in WRITERS
    for at in (None, "AllDimensions", "SEX", "REF_AREA")
    if not (structure is RICH and WRITERS[name] is Generation.SDMX_2_1)
    and not (at and "timeseries" in name)
]


@pytest.mark.parametrize(("structure", "name", "at"), SHAPES)
def test_every_structure_specific_message_of_ours_is_valid_by_our_schema(
    structure: DataStructure, name: str, at: str | None, tmp_path: Path
) -> None:
    flow, frame = flow_of(structure), frame_of(structure)
    content = written(name, DataMessage.of(flow, frame, "R", PREPARED, observed_by=at))
    schema = xml_schema(asked(flow, observed_by=at), WRITERS[name], tmp_path)
    assert schema.validate(etree.fromstring(content)), str(schema.error_log)
    assert validate(frame, flow) == ()


@pytest.mark.parametrize("structure", [PLAIN, RICH], ids=lambda one: one.id)
@pytest.mark.parametrize("name", JSON_WRITERS)
@pytest.mark.parametrize("at", [None, "AllDimensions", "SEX"])
def test_every_json_message_of_ours_is_valid_by_our_schema(
    structure: DataStructure, name: str, at: str | None
) -> None:
    flow = flow_of(structure)
    message = DataMessage.of(flow, frame_of(structure), "R", PREPARED, observed_by=at)
    json_validator(asked(flow, observed_by=at), name).validate(json.loads(written(name, message)))


@pytest.mark.parametrize("name", ["xml30", "xml31"])
def test_messages_that_delete_are_valid_by_the_schema_of_deletions(
    name: str, tmp_path: Path
) -> None:
    flow = flow_of(PLAIN)
    keys = {"REF_AREA": ["AT", "NO"], "SEX": ["F", None], "TIME_PERIOD": ["2019", None]}
    frame = pl.DataFrame(keys, schema=dict.fromkeys(keys, pl.String))
    content = written(name, DataMessage.of(flow, frame, "R", PREPARED, action=Action.DELETE))
    schema = xml_schema(asked(flow, deletion=True), WRITERS[name], tmp_path)
    assert schema.validate(etree.fromstring(content)), str(schema.error_log)
    assert validate(frame, flow, extent=Extent.DELETION) == ()


@pytest.mark.parametrize("name", JSON_WRITERS)
def test_our_json_schemas_are_schemas(name: str) -> None:
    schema = json.loads(written(JSON_WRITERS[name], asked(flow_of(PLAIN)), schema_formats))
    jsonschema_rs.meta.validate(schema)


# -- what is wrong is refused, by all alike ----------------------------------------------------


def with_value(name: str, value: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        first = pl.int_range(pl.len()) == 0
        other = pl.lit(value, dtype=pl.String)
        return frame.with_columns(
            pl.when(first).then(other).otherwise(pl.col(name).cast(pl.String)).alias(name)
        )

    return change


FAULTS = {
    "a code that is not in the list": (with_value("SEX", "X"), "SEX", Kind.CODE),
    "a code that the constraint leaves out": (with_value("REF_AREA", "XA"), "REF_AREA", Kind.CODE),
    "a coded attribute with another code": (
        with_value("OBS_STATUS", "Z"),
        "OBS_STATUS",
        Kind.CODE,
    ),
    "a mandatory attribute without a value": (
        lambda frame: frame.drop("OBS_STATUS"),
        "OBS_STATUS",
        Kind.MISSING,
    ),
    "a text for a number": (with_value("OBS_VALUE", "many"), "OBS_VALUE", Kind.TYPE),
    "a fraction for a whole number": (with_value("N", "1.5"), "N", Kind.TYPE),
    "a number below the least": (with_value("N", "-1"), "N", Kind.FACET),
    "a text that is too long": (
        lambda frame: frame.with_columns(pl.lit("x" * 21).alias("TITLE")),
        "TITLE",
        Kind.FACET,
    ),
    "a period that is none": (with_value("TIME_PERIOD", "2019-13"), "TIME_PERIOD", Kind.TYPE),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_our_own_verdict_names_the_fault(fault: str) -> None:
    change, component, kind = FAULTS[fault]
    flow = flow_of(PLAIN, REF_AREA={"AT", "NO"})
    (found,) = validate(change(frame_of(PLAIN)), flow)
    assert (found.component, found.kind) == (component, kind)
    assert validate(frame_of(PLAIN), flow) == ()


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_xml_schemas_refuse_what_our_own_verdict_refuses(fault: str, name: str) -> None:
    flow = flow_of(PLAIN, REF_AREA={"AT", "NO"})
    frame = FAULTS[fault][0](frame_of(PLAIN))
    content = written(name, DataMessage.of(flow, frame, "R", PREPARED))
    # The standard has every attribute and measure optional in a schema (3A, part IV).
    silent = FAULTS[fault][2] is Kind.MISSING
    assert bad_xml_schema(WRITERS[name]).validate(etree.fromstring(content)) is silent
    assert (validate(frame, flow, extent=Extent.PART) == ()) is silent


@pytest.mark.parametrize("name", JSON_WRITERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_json_schemas_refuse_what_our_own_verdict_refuses(fault: str, name: str) -> None:
    flow = flow_of(PLAIN, REF_AREA={"AT", "NO"})
    frame = FAULTS[fault][0](frame_of(PLAIN))
    content = json.loads(written(name, DataMessage.of(flow, frame, "R", PREPARED)))
    assert bad_json_validator(name).is_valid(content) is (FAULTS[fault][2] is Kind.MISSING)


def test_a_column_that_is_no_component_is_a_fault() -> None:
    (found,) = validate(frame_of(PLAIN).with_columns(pl.lit(1).alias("COLOUR")), flow_of(PLAIN))
    assert (found.component, found.kind) == ("COLOUR", Kind.UNKNOWN_COMPONENT)


def test_every_value_of_several_is_looked_at() -> None:
    wrong = frame_of(RICH).with_columns(pl.Series("METHODS", [["A", "Z"], *[["A"]] * 7]))
    (found,) = validate(wrong, flow_of(RICH))
    assert (found.component, found.got, found.row, found.rows) == ("METHODS", "Z", 0, 1)


def test_a_constraint_that_admits_nothing_leaves_no_code(tmp_path: Path) -> None:
    flow = flow_of(PLAIN, REF_AREA=set())
    content = written("xml31", DataMessage.of(flow, frame_of(PLAIN), "R", PREPARED))
    schema = xml_schema(asked(flow), Generation.SDMX_3_1, tmp_path)
    assert not schema.validate(etree.fromstring(content))
    assert validate(frame_of(PLAIN), flow)[0].component == "REF_AREA"


# -- beside the standard's own sample ----------------------------------------------------------

SAMPLE_URN = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)"
# How the sample is changed: what is replaced, by what.
CHANGES = [
    ('FREQ="A"', 'FREQ="A"'),
    ('CURRENCY="CAD"', 'CURRENCY="XXZ"'),
    ('OBS_STATUS="A"', 'OBS_STATUS="x"'),
    (' EXR_TYPE="SP00"', ""),
    ('TIME_PERIOD="1999"', 'TIME_PERIOD="MCMXCIX"'),
    ('TITLE="Canadian', 'COLOUR="red" TITLE="Canadian'),
    ('TITLE="Canadian', f'TITLE="{"long " * 50}'),
    ('UNIT_MULT="0"', 'UNIT_MULT="00"'),
    ("<Series ", "<Serie "),
]


@pytest.fixture(scope="module")
def sample_schemas(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[etree.XMLSchema, etree.XMLSchema]:
    """Return the standard's schema of its sample and ours, made from the sample's structure.

    The sample's structure has no codelists with it; the standard's schema names them by id.
    """
    folder = shared / "sdmx/messages/v3"
    theirs = etree.parse(str(folder / "ECB_EXR_Dataflow.xsd"))
    xs = "{http://www.w3.org/2001/XMLSchema}"
    codes = {
        str(one.get("name")): [str(e.get("value")) for e in one.iter(f"{xs}enumeration")]
        for one in theirs.getroot().findall(f"{xs}simpleType")
    }
    artefacts = read_artefacts((folder / "ECB_EXR1-dsd.xml").read_bytes(), "sample")
    store = StructureStore(artefacts, missing=Missing.ALLOWED)
    flow = store.as_flow(store.find(ArtefactKind.DATA_STRUCTURE)[0])
    listed = {
        part["id"]: part["localRepresentation"]["enumeration"]
        for part in _components(store.find(ArtefactKind.DATA_STRUCTURE)[0].content)
        if "enumeration" in part.get("localRepresentation", {})
    }
    components = []
    for component in flow.structure.components:
        urn = listed.get(component.id)
        name = urn.partition(":CL_")[2].partition("(")[0] if urn else ""
        known = codes.get(f"CL_{name}", [])
        components.append(
            replace(component, codelist=codelist(f"CL_{name}", *known)) if known else component
        )
    flow = replace(flow, structure=replace(flow.structure, components=tuple(components)))
    ours = tmp_path_factory.mktemp("ours")
    message = SchemaMessage(flow, SAMPLE_URN, PREPARED)
    version, standard, _ = FOLDERS[Generation.SDMX_3_0]
    own = tmp_path_factory.mktemp("theirs")
    text = etree.tostring(theirs).decode()
    moved = own / "own.xsd"
    moved.write_text(text.replace("../../schemas/", f"{Path(standard).parent.as_uri()}/"))
    namespace = target_namespace(message, Generation.SDMX_3_0)
    assert namespace == theirs.getroot().get("targetNamespace")
    return (
        joined(moved, namespace, version, Path(standard), own),
        xml_schema(message, Generation.SDMX_3_0, ours),
    )


def _components(content: Any) -> list[dict[str, Any]]:
    parts = content["dataStructureComponents"]
    return [*parts["dimensionList"]["dimensions"], *parts["attributeList"]["attributes"]]


@pytest.mark.parametrize("change", CHANGES, ids=lambda pair: pair[1][:20] or pair[0])
def test_the_standards_schema_of_its_sample_and_ours_agree(
    sample_schemas: tuple[etree.XMLSchema, etree.XMLSchema],
    change: tuple[str, str],
    shared: Path,
) -> None:
    text = (shared / "sdmx/messages/v3/ECB_EXR0-data.xml").read_text("utf-8")
    assert change[0] in text
    old, new = change
    if new.startswith("<Serie "):
        text = text.replace("</Series>", "</Serie>")
    document = etree.fromstring(text.replace(old, new).encode())
    theirs, ours = (schema.validate(document) for schema in sample_schemas)
    assert ours == theirs
    assert ours == (old == new)


def test_ours_asks_for_the_time_of_an_observation_which_the_sample_forgets(
    sample_schemas: tuple[etree.XMLSchema, etree.XMLSchema], shared: Path
) -> None:
    text = (shared / "sdmx/messages/v3/ECB_EXR0-data.xml").read_text("utf-8")
    document = etree.fromstring(text.replace(' TIME_PERIOD="1999"', "").encode())
    assert [schema.validate(document) for schema in sample_schemas] == [True, False]


# -- the measure dimension of SDMX 2.1 ---------------------------------------------------------


def test_each_measure_is_a_type_where_measures_are_explicit(tmp_path: Path) -> None:
    flow = flow_of(replace(PLAIN, groups={}))
    message = asked(flow, observed_by="SEX", explicit_measure=True, measure_dimension="SEX")
    schema = xml_schema(message, Generation.SDMX_2_1, tmp_path)
    namespace = target_namespace(message, Generation.SDMX_2_1)
    assert namespace.endswith(":ObsLevelDim:SEX:explicit")
    content = (
        '<m:StructureSpecificData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/'
        'message" xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"'
        ' xmlns:d="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:n="{namespace}"><m:Header><m:ID>A</m:ID><m:Test>false</m:Test>'
        '<m:Prepared>2026-11-22T12:00:00</m:Prepared><m:Sender id="SIS"/>'
        f'<m:Structure structureID="S" namespace="{namespace}" dimensionAtObservation="SEX"'
        ' explicitMeasures="true"><c:Structure><Ref agencyID="SIS" id="DSD" version="1.0.0"/>'
        '</c:Structure></m:Structure></m:Header><m:DataSet xsi:type="n:DataSetType"'
        ' d:structureRef="S" d:dataScope="DataStructure"><Series REF_AREA="AT"'
        ' TIME_PERIOD="2019"><Obs xsi:type="n:{}" OBS_VALUE="1" UNIT="PT" OBS_STATUS="A"/>'
        "</Series></m:DataSet></m:StructureSpecificData>"
    )
    assert schema.validate(etree.fromstring(content.replace("{}", "F"))), str(schema.error_log)
    assert not schema.validate(etree.fromstring(content.replace("{}", "X")))


# -- the template ------------------------------------------------------------------------------


def test_the_template_has_the_header_of_our_csv_and_only_codes_that_are_allowed() -> None:
    flow = flow_of(PLAIN, REF_AREA={"AT", "NO"})
    text = written("csvtemplate", asked(flow), schema_formats).decode()
    rows = list(csv.reader(io.StringIO(text)))
    data = written("csv21", DataMessage.of(flow, frame_of(PLAIN), "R", PREPARED)).decode()
    assert rows[0] == next(csv.reader(io.StringIO(data)))
    explained = [row[0].split()[0] for row in rows[1:]]
    assert set(explained) == set(EXPLAINED)
    column = rows[0].index("REF_AREA")
    codes = [row[column] for row in rows[1:] if row[0].startswith("#code") and row[column]]
    assert codes == list(allowed(flow, PLAIN.by_id["REF_AREA"]) or ()) == ["AT", "NO"]
    areas = PLAIN.by_id["REF_AREA"].codelist
    assert areas is not None
    types = next(row for row in rows if row[0] == "#type")
    assert types[column] == f"{areas.id} (2 of {len(areas.codes)} codes)"


def test_the_template_has_the_columns_of_our_csv_for_several_values_and_languages() -> None:
    flow = flow_of(RICH)
    template = written("csvtemplate", asked(flow, languages=("en", "de")), schema_formats)
    columns = next(csv.reader(io.StringIO(template.decode())))
    data = written("csv21", DataMessage.of(flow, frame_of(RICH), "R", PREPARED)).decode()
    ours = next(csv.reader(io.StringIO(data)))
    assert [one.partition("[")[0] for one in columns] == [one.partition("[")[0] for one in ours]
    assert {"STRUCTURE[;]", "SOURCES[]", "NOTE[en;de]"} <= {*columns} & {*ours}


def test_a_template_sent_as_data_is_refused() -> None:
    flow = flow_of(PLAIN)
    reader = next(one.read for one in data_formats() if one.name == "csv21")
    assert reader is not None

    class Structures:
        def dataflow(self, *_: object) -> Dataflow:
            return flow

        def datastructure(self, *_: object) -> DataStructure:
            return PLAIN

    with pytest.raises(DataError, match="STRUCTURE"):
        reader(written("csvtemplate", asked(flow), schema_formats), Structures())


# -- reference metadata ------------------------------------------------------------------------

METADATA = MetadataSchema(
    MetadataStructure(
        "SIS",
        "MSD",
        "1.0.0",
        {"en": "Structure"},
        (
            MetadataAttribute(("TEXT",), {"en": "Text"}, multilingual=True),
            MetadataAttribute(("COUNT",), {"en": "Count"}, data_type="Integer", least=0),
        ),
    ),
    "urn:sdmx:org.sdmx.infomodel.metadatastructure.Metadataflow=SIS:MDF(1.0.0)",
    PREPARED,
)
GOOD: list[dict[str, Any]] = [
    {"id": "TEXT", "value": {"en": "A text"}},
    {"id": "COUNT", "value": 3},
]


@pytest.mark.parametrize("name", JSON_WRITERS.values())
@pytest.mark.parametrize(
    ("attributes", "valid"),
    [
        (GOOD, True),
        (GOOD[:1], True),
        (GOOD[1:], False),  # the text is mandatory
        ([*GOOD, GOOD[0]], False),  # and there is one
        ([GOOD[0], {"id": "COUNT", "value": "many"}], False),
        ([GOOD[0], {"id": "COLOUR", "value": "red"}], False),
        ([{**GOOD[0], "attributes": GOOD[1:]}], False),  # nothing stands below it
    ],
)
def test_the_json_schema_of_metadata_says_what_is_reported(
    name: str, attributes: list[dict[str, Any]], valid: bool
) -> None:
    schema = json.loads(written(name, METADATA, schema_formats))
    one = {
        "id": "QR",
        "agencyID": "SIS",
        "name": "Report",
        "metadataflow": METADATA.urn,
        "targets": [FLOW_URN],
        "attributes": attributes,
    }
    meta = {"id": "A", "prepared": PREPARED.isoformat(), "sender": {"id": "SIS"}}
    content = {"meta": meta, "data": {"metadataSets": [one]}}
    validator = jsonschema_rs.Draft201909Validator(schema, validate_formats=True)
    assert validator.is_valid(content) is valid


@pytest.mark.parametrize("name", ["xsd30", "xsd31", "csvtemplate"])
def test_what_no_schema_says_of_metadata_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(NotAcceptable, match="JSON Schema"):
        written(name, METADATA, schema_formats)


def test_a_dimension_that_is_not_there_is_refused() -> None:
    with pytest.raises(RequestError, match="dimensionAtObservation"):
        asked(flow_of(PLAIN), observed_by="COLOUR")
