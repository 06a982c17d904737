"""Our own verdict on data, the XML Schemas and the JSON Schemas that we answer are one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.formats import DataMessage
from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import MISSING
from sdmx_service.formats.schemaxsdtypes import simple_type
from sdmx_service.formats.validation import Extent, validate
from tests.conformance.schema_examples import (
    JSON_WRITERS,
    PLAIN,
    WRITERS,
    bad_json_validator,
    bad_xml_schema,
    flow_of,
    written,
)

PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW = flow_of(PLAIN, REF_AREA={"AT", "NO"})

# Of each component values that are right and values that are wrong, by the standard's types.
RIGHT: dict[str, list[Any]] = {
    "REF_AREA": ["AT", "NO"],
    "SEX": ["F", "M", "_T"],
    "TIME_PERIOD": ["2019", "2019-Q4", "2019-W53", "2019-02-28", "2019-01-01T00:00:00"],
    "OBS_VALUE": [1.5, -0.0, 1e-300, 1e22, float("nan"), float("inf"), None],
    "TITLE": ["A title", "x" * 20, MISSING, None],
    "NATION": ["Österreich", None],
    "UNIT": ["PT", MISSING],
    "OBS_STATUS": ["A", "E", "Q", MISSING],
    "N": [0, 2147483647, MISSING, None],
    "COMMENT": ["a < b", '"', "x" * 5000, None],
}
WRONG: dict[str, list[Any]] = {
    "REF_AREA": ["XA", "ZZ", "at"],
    "SEX": ["X", "f"],
    "TIME_PERIOD": ["2019-13", "2019-Q5", "MMXIX", "2019-1"],
    "OBS_VALUE": ["many", "1,5", "--1", MISSING],
    "TITLE": ["x" * 21],
    "UNIT": [None],
    "OBS_STATUS": ["Z", "a", None],
    "N": [-1, "1.5", "many", "NaN", "INF", "1e2", 2147483648],
}


@st.composite
def observations(draw: st.DrawFn) -> tuple[pl.DataFrame, set[str]]:
    """Draw a table of one observation, and the components whose values are wrong."""
    wrong = draw(st.sets(st.sampled_from(sorted(WRONG)), max_size=2))
    row = {name: draw(st.sampled_from((WRONG if name in wrong else RIGHT)[name])) for name in RIGHT}
    schema: dict[str, Any] = {
        name: {float: pl.Float64, int: pl.Int64}.get(type(value), pl.String)
        for name, value in row.items()
    }
    return pl.DataFrame([row], schema=schema), wrong


NUMBERS = ["0.25", "0.250", "0.255", "1", "-1", "0", "10", "10.5", "+3", ".5", "-0.0"]
LIMITS: list[tuple[str, dict[str, str]]] = [
    ("Decimal", {"decimals": "2"}),
    ("Decimal", {"minValue": "0", "maxValue": "10"}),
    ("InclusiveValueRange", {"startValue": "0", "endValue": "10"}),
    ("ExclusiveValueRange", {"startValue": "0", "endValue": "10"}),
    ("Count", {}),
    ("Integer", {"minValue": "1"}),
    ("Double", {"maxValue": "1"}),
    ("String", {"minLength": "2", "maxLength": "3"}),
    ("String", {"pattern": "[0-9]+"}),
]


@pytest.mark.parametrize(("kind", "facets"), LIMITS, ids=lambda one: str(one))
def test_the_facets_of_a_type_mean_what_xml_schema_has_them_mean(
    kind: str, facets: dict[str, str]
) -> None:
    attribute = replace(PLAIN.by_id["COMMENT"], data_type=kind, facets=facets)
    opened = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:'
    closed = 'complexType><xs:attribute name="v" type="T"/></xs:complexType></xs:element>'
    simple = simple_type("T", attribute)
    schema = etree.XMLSchema(etree.fromstring(f"{opened}{closed}{simple}</xs:schema>"))
    flow = replace(FLOW, structure=replace(PLAIN, components=(attribute,)))
    theirs = [schema.validate(etree.Element("a", v=text)) for text in NUMBERS]
    ours = [validate(pl.DataFrame({"COMMENT": [text]}), flow) == () for text in NUMBERS]
    assert ours == theirs
    assert {True, False} == set(theirs)


@settings(max_examples=60, deadline=None)
@given(observations())
def test_our_own_verdict_is_that_of_the_values(drawn: tuple[pl.DataFrame, set[str]]) -> None:
    frame, wrong = drawn
    assert {fault.component for fault in validate(frame, FLOW)} == wrong


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=60, deadline=None)
@given(drawn=observations())
def test_the_xml_schemas_say_what_our_own_verdict_says(
    name: str, drawn: tuple[pl.DataFrame, set[str]]
) -> None:
    """But of SDMX 2.1: what is missing on purpose has no mark there, texts and floats apart."""
    frame, _ = drawn
    old = WRITERS[name] is Generation.SDMX_2_1
    faults = validate(frame, FLOW, extent=Extent.PART)
    marked = frame.select("OBS_STATUS", "N").row(0).count(MISSING) > 0
    content = written(name, DataMessage.of(FLOW, frame, "R", PREPARED))
    valid = bad_xml_schema(WRITERS[name]).validate(etree.fromstring(content))
    assert valid == (not faults and not (old and marked)), frame


@pytest.mark.parametrize("name", JSON_WRITERS)
@settings(max_examples=60, deadline=None)
@given(drawn=observations())
def test_the_json_schemas_say_what_our_own_verdict_says(
    name: str, drawn: tuple[pl.DataFrame, set[str]]
) -> None:
    frame, _ = drawn
    content = json.loads(written(name, DataMessage.of(FLOW, frame, "R", PREPARED)))
    faults = validate(frame, FLOW, extent=Extent.PART)
    assert bad_json_validator(name).is_valid(content) == (not faults), frame
