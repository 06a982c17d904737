"""What is wrong with data beyond what a schema says, and with the form of messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.errors import StructureError
from sdmx_service.formats import DataMessage, data_formats
from sdmx_service.formats.fault import Extent, Kind
from sdmx_service.formats.messagecheck import check
from sdmx_service.formats.numberpatterns import bounded
from sdmx_service.formats.validation import validate
from sdmx_service.formats.xsdpattern import Dialect, translated
from sdmx_service.structures import StructureStore
from sdmx_service.structures.artefacts import (
    Attachment,
    Component,
    Constraint,
    Dataflow,
    DataStructure,
    Region,
    Role,
    Selection,
)
from tests.conformance.schema_examples import (
    JSON_WRITERS,
    PLAIN,
    PREPARED,
    RICH,
    WRITERS,
    asked,
    attribute,
    flow_of,
    frame_of,
    json_validator,
    written,
    xml_schema,
)
from tests.unit.test_structures_store import BASE, STRUCTURE

JSON_21 = "application/vnd.sdmx.data+json;version=2.1.0"
ROW: dict[str, Any] = {
    "REF_AREA": "AT",
    "SEX": "F",
    "TIME_PERIOD": "2019",
    "OBS_VALUE": 1.0,
    "UNIT": "PT",
    "OBS_STATUS": "A",
}


def kinds(rows: list[dict[str, Any]], flow: Dataflow, **more: Any) -> set[tuple[str, str]]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return {(one.component, one.kind.name) for one in validate(frame, flow, **more)}


# -- whole rows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([ROW, {**ROW, "OBS_VALUE": 2.0}], ("", "TWICE")),
        ([ROW, {**ROW, "TIME_PERIOD": "2020", "UNIT": "IX"}], ("UNIT", "ATTACHMENT")),
        ([{**ROW, "NATION": "a"}, {**ROW, "SEX": "M", "NATION": "b"}], ("NATION", "ATTACHMENT")),
        ([{**ROW, "TITLE": "a"}, {**ROW, "SEX": "M", "TITLE": "b"}], ("TITLE", "ATTACHMENT")),
        ([{**ROW, "SEX": None}], ("SEX", "KEY")),
        ([{"REF_AREA": "AT", "SEX": "F", "TIME_PERIOD": "~", "N": 1}], ("TIME_PERIOD", "KEY")),
        ([ROW, {"REF_AREA": None, "NATION": "a"}], ("REF_AREA", "KEY")),
        ([ROW, {**ROW, "SEX": "M", "UNIT": None}], ("UNIT", "MISSING")),
    ],
)
def test_what_is_wrong_with_rows_is_named(
    rows: list[dict[str, Any]], fault: tuple[str, str]
) -> None:
    assert kinds(rows, flow_of(PLAIN)) == {fault}


def test_what_a_part_of_the_key_carries_is_there_for_all_of_it() -> None:
    bare = {name: value for name, value in ROW.items() if name != "UNIT"}
    rows = [bare, {"REF_AREA": "AT", "SEX": "F", "UNIT": "PT"}]
    assert kinds(rows, flow_of(PLAIN)) == set()


def test_a_part_of_the_data_lacks_what_is_mandatory_and_deletions_lack_all() -> None:
    bare = {name: ROW[name] for name in ("REF_AREA", "SEX", "TIME_PERIOD")}
    missing = {("UNIT", "MISSING"), ("OBS_STATUS", "MISSING")}
    assert kinds([bare], flow_of(PLAIN)) == missing
    assert kinds([bare], flow_of(PLAIN), extent=Extent.PART) == set()
    wild = {"REF_AREA": "AT", "SEX": None, "OBS_VALUE": 0.0}
    assert kinds([wild], flow_of(PLAIN), extent=Extent.DELETION) == set()


# -- constraints -------------------------------------------------------------------------------


def listed(id: str, *values: str, include: bool = True) -> Selection:
    return Selection(id, tuple((value, False) for value in values), include=include)


def constrained(
    *selections: Selection, include: bool = True, attributes: tuple[Selection, ...] = ()
) -> Dataflow:
    region = Region(
        {one.id: one for one in selections}, include, {one.id: one for one in attributes}
    )
    one = Constraint("SIS", "CR", "1.0.0", {}, False, (), regions=(region,))
    return replace(flow_of(PLAIN), constraints=(one,))


def keyed(included: bool, *keys: Mapping[str, tuple[str, ...]]) -> Dataflow:
    one = Constraint("SIS", "CR", "1.0.0", {}, False, (), keys=((included, keys),))
    return replace(flow_of(PLAIN), constraints=(one,))


MEN_OF_AUSTRIA = {"REF_AREA": ("AT",), "SEX": ("M",)}
STRETCH = Selection(
    "TIME_PERIOD", periods={"startPeriod": ("2019", True), "endPeriod": ("2020-06", True)}
)
AFTER = Selection("TIME_PERIOD", periods={"afterPeriod": ("2019", False)})
BEFORE = Selection("TIME_PERIOD", periods={"beforePeriod": ("2019-Q2", False)})


@pytest.mark.parametrize(
    ("flow", "more", "fault"),
    [
        (keyed(True, MEN_OF_AUSTRIA, {"SEX": ("F",)}), {"SEX": "M"}, None),
        (keyed(True, MEN_OF_AUSTRIA, {"SEX": ("F",)}), {"REF_AREA": "NO"}, None),
        (keyed(True, MEN_OF_AUSTRIA, {"SEX": ("F",)}), {"REF_AREA": "NO", "SEX": "M"}, ""),
        (keyed(True, MEN_OF_AUSTRIA, {"SEX": ("F",)}), {"SEX": "_T"}, "SEX"),
        (keyed(False, MEN_OF_AUSTRIA), {"SEX": "M"}, ""),
        (keyed(False, MEN_OF_AUSTRIA), {"SEX": "F"}, None),
        (constrained(listed("SEX", "F"), listed("REF_AREA", "AT")), {}, None),
        (constrained(listed("SEX", "F"), listed("REF_AREA", "AT"), include=False), {}, ""),
        (constrained(listed("SEX", "F"), listed("REF_AREA", "NO"), include=False), {}, None),
        (constrained(listed("SEX", "F", include=False)), {}, ""),
        (constrained(STRETCH), {"TIME_PERIOD": "2020-06-30"}, None),
        (constrained(STRETCH), {"TIME_PERIOD": "2020-S1"}, None),
        (constrained(STRETCH), {"TIME_PERIOD": "2020"}, ""),
        (constrained(STRETCH), {"TIME_PERIOD": "2018-Q4"}, ""),
        (constrained(STRETCH), {"TIME_PERIOD": "2020-07"}, ""),
        (constrained(AFTER), {"TIME_PERIOD": "2019-12"}, ""),
        (constrained(AFTER), {"TIME_PERIOD": "2020-01-01T00:00:00"}, None),
        (constrained(BEFORE), {"TIME_PERIOD": "2019-03-31"}, None),
        (constrained(BEFORE), {"TIME_PERIOD": "2019-04"}, ""),
        (constrained(attributes=(listed("OBS_STATUS", "E"),)), {}, "OBS_STATUS"),
        (constrained(attributes=(listed("OBS_STATUS", "A"),)), {}, None),
    ],
)
def test_a_constraint_is_held_to(flow: Dataflow, more: dict[str, Any], fault: str | None) -> None:
    found = {component for component, _ in kinds([{**ROW, **more}], flow)}
    assert fault in found if fault is not None else found == set()


# -- schemas of odd structures -----------------------------------------------------------------


def timed(kind: str) -> DataStructure:
    return replace(
        PLAIN,
        components=tuple(
            replace(one, data_type=kind) if one.role is Role.TIME else one
            for one in PLAIN.components
        ),
    )


PERIODS = [
    ("ReportingQuarter", "2019-Q1", "2019"),
    ("GregorianYear", "2019", "2019-Q1"),
    ("GregorianDay", "2019-01-01", "2019"),
    ("ReportingTimePeriod", "2019-Q1", "2019"),
    ("BasicTimePeriod", "2019", "2019-Q1"),
    ("StandardTimePeriod", "2019-Q1", "2019-01-01/P1M"),
    ("GregorianTimePeriod", "2019", "2019-Q1"),
    ("TimeRange", "2019-01-01/P1M", "2019"),
    ("String", "2019", "MMXIX"),
]


@pytest.mark.parametrize(("kind", "good", "bad"), PERIODS, ids=[one[0] for one in PERIODS])
@pytest.mark.parametrize("name", ["structurespecific", "xml31", JSON_21])
def test_the_form_of_time_is_that_of_the_structure(
    name: str, kind: str, good: str, bad: str, tmp_path: Path
) -> None:
    flow = flow_of(timed(kind))
    for period, valid in ((good, True), (bad, False)):
        frame = pl.DataFrame([{**ROW, "TIME_PERIOD": period}])
        assert (validate(frame, flow) == ()) is valid
        content = written(name, DataMessage.of(flow, frame, "R", PREPARED))
        if name in JSON_WRITERS:
            said = json_validator(asked(flow), name).is_valid(json.loads(content))
        else:
            schema = xml_schema(asked(flow), WRITERS[name], tmp_path)
            said = schema.validate(etree.fromstring(content))
        assert said is valid


@pytest.mark.parametrize("name", ["xml31", *JSON_WRITERS])
def test_schemas_count_the_values_of_a_component(name: str, tmp_path: Path) -> None:
    """A Value element occurs as often as the representation says (3A, part IV, "CompType")."""
    several = tuple(
        replace(one, most=2) if one.id in ("SOURCES", "METHODS") else one for one in RICH.components
    )
    flow = flow_of(replace(RICH, components=several))
    for more, valid in (
        ({"SOURCES": ["a", "b"], "METHODS": ["A", "E"]}, True),
        ({"SOURCES": ["a", "b", "c"]}, False),
        ({"METHODS": ["A", "E", "A"]}, False),
    ):
        frame = pl.DataFrame([{**ROW, **more}])
        assert (validate(frame, flow) == ()) is valid
        content = written(name, DataMessage.of(flow, frame, "R", PREPARED))
        if name in JSON_WRITERS:
            said = json_validator(asked(flow), name).is_valid(json.loads(content))
        else:
            schema = xml_schema(asked(flow), WRITERS[name], tmp_path)
            said = schema.validate(etree.fromstring(content))
        assert said is valid


def test_parts_of_a_key_without_time_have_none(tmp_path: Path) -> None:
    """TIME_PERIOD is prohibited where the structure has no time (3A, part IV, "AttsType")."""
    parts = tuple(one for one in PLAIN.components if one.role is not Role.TIME)
    flow = flow_of(replace(PLAIN, components=parts))
    row = {"REF_AREA": None, "SEX": None, "TITLE": "A title"}
    frame = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
    content = written("xml31", DataMessage.of(flow, frame, "R", PREPARED)).decode()
    schema = xml_schema(asked(flow), WRITERS["xml31"], tmp_path)
    assert "<Atts " in content
    assert schema.validate(etree.fromstring(content.encode()))
    spoiled = content.replace("<Atts ", '<Atts TIME_PERIOD="2019" ')
    assert not schema.validate(etree.fromstring(spoiled.encode()))


def test_how_many_values_there_may_be_is_read_from_the_structure() -> None:
    assert flow_of_store("unbounded").structure.by_id["NOTE"].most is None
    assert flow_of_store(5).structure.by_id["NOTE"].most == 5


def flow_of_store(most: int | str) -> Dataflow:
    content = deepcopy(dict(STRUCTURE.content))
    note = content["dataStructureComponents"]["attributeList"]["attributes"][1]
    note["localRepresentation"]["maxOccurs"] = most
    others = [one for one in BASE if one is not STRUCTURE]
    return StructureStore((*others, replace(STRUCTURE, content=content))).dataflow("DF")


@pytest.mark.parametrize("name", JSON_WRITERS)
def test_a_structure_without_attributes_has_a_schema(name: str) -> None:
    bare = tuple(one for one in PLAIN.components if one.role in (Role.DIMENSION, Role.TIME))
    flow = flow_of(replace(PLAIN, components=bare, groups={}))
    frame = pl.DataFrame([{name: ROW[name] for name in ("REF_AREA", "SEX", "TIME_PERIOD")}])
    content = json.loads(written(name, DataMessage.of(flow, frame, "R", PREPARED)))
    assert json_validator(asked(flow), name).is_valid(content)


FACETS: list[tuple[str, dict[str, str], list[str], list[str]]] = [
    ("ExclusiveValueRange", {"minValue": "0", "maxValue": "10"}, ["0.1", "9.9"], ["0", "10"]),
    ("InclusiveValueRange", {"startValue": "0", "endValue": "10"}, ["0", "10"], ["-0.1", "11"]),
    ("Decimal", {"maxValue": "2.5", "decimals": "1"}, ["2.5", "-7.50"], ["2.6", "1.25"]),
    ("Integer", {"minValue": "0.5", "decimals": "2"}, ["1"], ["0", "2147483648"]),
    ("Count", {"isSequence": "true", "interval": "1"}, ["0", "-1"], ["1.5"]),
    ("String", {"maxLength": "2"}, ["ab", "#N/A"], ["abc"]),
    ("String", {"pattern": r"\i\c{2}"}, ["a-1", "_.b"], ["-ab", "ab"]),
    ("String", {"pattern": "[a-z-[aeiou]]+"}, ["xyz"], ["xa", "a"]),
    ("String", {"pattern": "^a$"}, ["^a$"], ["a"]),
    ("GregorianDay", {}, ["2020-02-29"], ["2019-02-29", "2019"]),
    ("Alpha", {"minLength": "2"}, ["ab"], ["a", "a1"]),
]


@pytest.mark.parametrize(("kind", "facets", "good", "bad"), FACETS, ids=lambda one: str(one)[:40])
@pytest.mark.parametrize("name", ["xml31", JSON_21])
def test_a_facet_means_the_same_to_all(
    name: str, kind: str, facets: dict[str, str], good: list[str], bad: list[str], tmp_path: Path
) -> None:
    one = attribute("X", Attachment.OBSERVATION, data_type=kind, facets=facets)
    flow = flow_of(replace(PLAIN, components=(*PLAIN.components, one)))
    schema = None if name in JSON_WRITERS else xml_schema(asked(flow), WRITERS[name], tmp_path)
    for text in (*good, *bad):
        frame = pl.DataFrame([{**ROW, "X": text}])
        content = written(name, DataMessage.of(flow, frame, "R", PREPARED))
        said = (
            json_validator(asked(flow), name).is_valid(json.loads(content))
            if schema is None
            else schema.validate(etree.fromstring(content))
        )
        assert (text, said) == (text, text in good)
        assert (text, validate(frame, flow) == ()) == (text, text in good)


@pytest.mark.parametrize("name", ["xml31", *JSON_WRITERS])
def test_a_number_missing_on_purpose_is_beyond_no_bound(name: str, tmp_path: Path) -> None:
    bound = replace(PLAIN.by_id["OBS_VALUE"], facets={"minValue": "0", "maxValue": "5"})
    parts = tuple(bound if one.id == "OBS_VALUE" else one for one in PLAIN.components)
    flow = flow_of(replace(PLAIN, components=parts))
    for value, valid in ((float("nan"), True), (5.0, True), (6.0, False), (float("inf"), False)):
        frame = pl.DataFrame([{**ROW, "OBS_VALUE": value}])
        content = written(name, DataMessage.of(flow, frame, "R", PREPARED))
        said = (
            json_validator(asked(flow), name).is_valid(json.loads(content))
            if name in JSON_WRITERS
            else xml_schema(asked(flow), WRITERS[name], tmp_path).validate(
                etree.fromstring(content)
            )
        )
        assert said is valid
        assert (validate(frame, flow) == ()) is valid


# -- regular expressions -----------------------------------------------------------------------


def test_a_pattern_that_is_none_of_xml_schema_is_refused() -> None:
    for pattern in ("(?:a)", r"\bword", "[a", "a\\"):
        with pytest.raises(StructureError, match="regular expression of XML Schema"):
            translated(pattern, Dialect.RUST)


LIMITS = st.decimals(-1000, 1000, places=2, allow_nan=False).map(str) | st.sampled_from(
    ["0", "10", "-10", "99.90", "-0.05", "2147483647"]
)
TEXTS = st.from_regex(r"\A[+-]?0{0,2}([0-9]{1,4}(\.[0-9]{0,3})?|\.[0-9]{1,3})\Z")


@settings(max_examples=400, deadline=None)
@given(limit=LIMITS, text=TEXTS, least=st.booleans(), strict=st.booleans())
def test_texts_of_numbers_are_held_to_bounds(
    limit: str, text: str, least: bool, strict: bool
) -> None:
    number, end = Decimal(text), Decimal(limit)
    within = number > end if least else number < end
    within = within or (number == end and not strict)
    assert bool(re.match(bounded(limit, least=least, strict=strict), text)) is within


# -- the form of messages ----------------------------------------------------------------------


class Known:
    """The structures that a message names: always the flow of these tests."""

    def __init__(self, flow: Dataflow) -> None:
        self.flow = flow

    def dataflow(self, *_: object) -> Dataflow:
        return self.flow

    def datastructure(self, *_: object) -> DataStructure:
        return self.flow.structure


# A message is changed in one respect: which pattern is replaced, by what.
MISPLACED = {
    "an attribute of the series at an observation": (r"(<Obs )", r'\1UNIT="PT" '),
    "an attribute of the observation at a series": (r"(<Series )", r'\1OBS_STATUS="A" '),
    "an attribute of the data set at a series": (r"(<Series )", r'\1TITLE="A title" '),
    "a measure at a series": (r"(<Series )", r'\1OBS_VALUE="1" '),
    "the time of an observation at its series": (r"(<Series )", r'\1TIME_PERIOD="2019" '),
    "a dimension that is no part of a group": (r"(<Group [^>]*)/>", r'\1 SEX="F"/>'),
    "a series without a dimension": (r'(<Series [^>]*) SEX="F"', r"\1"),
    "an observation without its time": (r'(<Obs) TIME_PERIOD="2019"', r"\1"),
    "an attribute that is not there": (r"(<Obs )", r'\1COLOUR="red" '),
    "an element that is not there": (r"(</Series>)", r"<Other/>\1"),
    "text between elements": (r"(</Series>)", r"text\1"),
    "a group that is not there": (r"ns1:ByArea", r"ns1:ByNobody"),
    "an observation outside its series": (r"(</message:DataSet>)", r'<Obs OBS_VALUE="1"/>\1'),
}


@cache
def plain_schema(name: str) -> etree.XMLSchema:
    """Return the XML Schema of the flow whose messages are spoiled, made once."""
    with TemporaryDirectory() as folder:
        return xml_schema(asked(flow_of(PLAIN)), WRITERS[name], Path(folder))


@pytest.mark.parametrize("name", WRITERS)
def test_a_message_of_ours_has_the_form_of_its_schema(name: str) -> None:
    flow = flow_of(PLAIN)
    form = next(one for one in data_formats() if one.name == name)
    content = written(name, DataMessage.of(flow, frame_of(PLAIN), "R", PREPARED))
    assert plain_schema(name).validate(etree.fromstring(content))
    assert check(content, form, Known(flow)) == ()


@pytest.mark.parametrize("name", ["structurespecific", "xml31"])
@pytest.mark.parametrize("change", MISPLACED)
def test_a_message_of_another_form_is_refused_by_its_schema_and_by_us(
    change: str, name: str
) -> None:
    flow = flow_of(PLAIN)
    form = next(one for one in data_formats() if one.name == name)
    content = written(name, DataMessage.of(flow, frame_of(PLAIN), "R", PREPARED))
    spoiled = re.sub(*MISPLACED[change], content.decode(), count=1).encode()
    assert spoiled != content
    assert not plain_schema(name).validate(etree.fromstring(spoiled))
    assert Kind.FORM in {fault.kind for fault in check(spoiled, form, Known(flow))}


@pytest.mark.parametrize("name", JSON_WRITERS)
def test_a_json_message_is_held_to_its_schema(name: str) -> None:
    flow = flow_of(PLAIN)
    form = next(one for one in data_formats() if one.content_type == name)
    content = written(name, DataMessage.of(flow, frame_of(PLAIN), "R", PREPARED))
    assert check(content, form, Known(flow)) == ()
    spoiled = content.replace(b'"id":"SEX"', b'"id":"COLOUR"')
    assert check(spoiled, form, Known(flow))[0].kind is Kind.FORM


@pytest.mark.parametrize("name", ["structurespecific", "xml31", *JSON_WRITERS, "csv21"])
def test_a_wrong_value_is_named_once_and_by_its_component(name: str) -> None:
    flow = flow_of(PLAIN, REF_AREA={"AT", "NO"})
    form = next(one for one in data_formats() if name in (one.name, one.content_type))
    frame = pl.DataFrame([{**ROW, "REF_AREA": "XA"}])
    content = written(name, DataMessage.of(flow, frame, "R", PREPARED))
    found = check(content, form, Known(flow))
    assert [(one.component, one.kind) for one in found] == [("REF_AREA", Kind.CODE)]


def test_components_of_several_measures_are_typed_in_json() -> None:
    more = Component("M2", Role.MEASURE, {"en": "Second"}, data_type="Integer")
    flow = flow_of(replace(PLAIN, components=(*PLAIN.components, more)))
    for name in JSON_WRITERS:
        schema = json_validator(asked(flow), name)
        for value, valid in ((3, True), (2147483648, False)):
            frame = pl.DataFrame([{**ROW, "M2": value}])
            content = json.loads(written(name, DataMessage.of(flow, frame, "R", PREPARED)))
            assert schema.is_valid(content) is valid
