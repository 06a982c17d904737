"""Paths and parameters of both REST versions, parsed."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sdmx_service.errors import NotFound, RequestError
from sdmx_service.query import grammar, rest15, rest22
from sdmx_service.query.metadata_query import metadata_query15, metadata_query22
from sdmx_service.query.period import parse_period
from sdmx_service.query.query import Condition, Context, DataQuery, Operator, Provider, Sort, Target
from sdmx_service.query.registration_query import registration_query
from sdmx_service.query.schema_query import SchemaContext, schema_query15, schema_query22
from sdmx_service.query.structure_query import structure_query15, structure_query22
from sdmx_service.structures.detail import Detail as StructureDetail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.references import References


def flow(agency: str, identity: str, version: str) -> Target:
    return Target(Context.DATAFLOW, (agency,), (identity,), (version,))


GE, LE, EQ, NE = Operator.GE, Operator.LE, Operator.EQ, Operator.NE


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("F", flow("*", "F", "~")),
        ("A,F", flow("A", "F", "~")),
        ("A,F,1.0.0", flow("A", "F", "1.0.0")),
        ("A.B%2CF%2Clatest", flow("A.B", "F", "~")),
        ("all,F,all", flow("*", "F", "*")),
        ("F/all/all/", flow("*", "F", "~")),
        ("F//", flow("*", "F", "~")),
    ],
)
def test_rest_15_names_a_flow_in_any_shorter_form(path: str, target: Target) -> None:
    assert rest15.data_query(path) == DataQuery(target)


@pytest.mark.parametrize(
    ("key", "asked", "positions"),
    [
        ("A.B+C..", {0: {"A"}, 1: {"B", "C"}}, 4),
        ("*.B.*", {1: {"B"}}, 3),
        ("...", {}, 4),
        ("A", {0: {"A"}}, 1),
        ("A.B%2BC", {0: {"A"}, 1: {"B", "C"}}, 2),
        ("_T.Y_GE65.AT-1$@", {0: {"_T"}, 1: {"Y_GE65"}, 2: {"AT-1$@"}}, 3),
    ],
)
def test_rest_15_keys(key: str, asked: dict[int, set[str]], positions: int) -> None:
    query = rest15.data_query(f"F/{key}")
    assert query.keys == (asked,)
    assert query.positions == positions


def test_rest_15_parameters() -> None:
    query = rest15.data_query(
        "F",
        "startPeriod=2020&endPeriod=2022-Q3&firstNObservations=1&lastNObservations=2"
        "&dimensionAtObservation=AllDimensions&detail=nodata&includeHistory=false&format=csv",
    )
    assert query == DataQuery(
        flow("*", "F", "~"),
        conditions=(
            Condition("TIME_PERIOD", (((GE, "2020"),),)),
            Condition("TIME_PERIOD", (((LE, "2022-Q3"),),)),
        ),
        observed_by="AllDimensions",
        attributes=frozenset({"dataset", "series"}),
        measures=frozenset(),
        first=1,
        last=2,
    )


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("dataflow/A/F", flow("A", "F", "*")),
        ("*/*/F/+", Target(Context.ANY, ("*",), ("F",), ("+",))),
        ("", Target(Context.ANY, ("*",), ("*",), ("*",))),
        (
            "provisionagreement/A,B/P,Q/1.0.0,2+.0.0",
            Target(Context.PROVISION_AGREEMENT, ("A", "B"), ("P", "Q"), ("1.0.0", "2+.0.0")),
        ),
        ("datastructure/A/D/1.0.0", Target(Context.DATA_STRUCTURE, ("A",), ("D",), ("1.0.0",))),
        ("dataflow/A/F/1.0.0/*", flow("A", "F", "1.0.0")),
        ("dataflow/A/F/2.3+.1", flow("A", "F", "2.3+.1")),
        ("dataflow/A/F/1.0.0-draft", flow("A", "F", "1.0.0-draft")),
    ],
)
def test_rest_22_leaves_out_trailing_parts(path: str, target: Target) -> None:
    assert rest22.data_query(path) == DataQuery(target)


def test_rest_22_takes_several_keys() -> None:
    query = rest22.data_query("dataflow/A/F/+/A.*.B,C.D")
    assert query.keys == ({0: {"A"}, 2: {"B"}}, {0: {"C"}, 1: {"D"}})
    assert query.positions == 3


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("A", (((EQ, "A"),),)),
        ("A,B", (((EQ, "A"),), ((EQ, "B"),))),
        ("ge:A+le:B", (((GE, "A"), (LE, "B")),)),
        ("A,B+C", (((EQ, "A"),), ((EQ, "B"), (EQ, "C")))),
        ("ge:A+le:B,ge:C+le:D", (((GE, "A"), (LE, "B")), ((GE, "C"), (LE, "D")))),
        ("ne:A,B", (((NE, "A"),), ((EQ, "B"),))),
        ("ne:A+ne:B", (((NE, "A"), (NE, "B")),)),
        ("ge%3AA%2Ble%3AB", (((GE, "A"), (LE, "B")),)),
        ("12:30", (((EQ, "12:30"),),)),
    ],
)
def test_rest_22_conditions_are_those_of_the_standards_table(
    text: str, alternatives: tuple[tuple[tuple[Operator, str], ...], ...]
) -> None:
    """sdmx-rest 2.2.2, doc/data.md: "a few examples and how they should be interpreted"."""
    for name in ("c[X]", "c%5BX%5D"):
        (condition,) = rest22.data_query("dataflow/A/F", f"{name}={text}").conditions
        assert condition == Condition("X", alternatives)


def test_the_offset_of_a_time_is_no_other_test() -> None:
    for plus in ("+", "%2B"):
        text = f"ge:2020-01-01T00:00:00{plus}01:00{plus}le:2020-06-30T12:00:00{plus}02:00,2022"
        (condition,) = rest22.data_query("dataflow/A/F", f"c[TIME_PERIOD]={text}").conditions
        assert condition.alternatives == (
            ((GE, "2020-01-01T00:00:00+01:00"), (LE, "2020-06-30T12:00:00+02:00")),
            ((EQ, "2022"),),
        )


@pytest.mark.parametrize(
    ("parameters", "attributes", "measures"),
    [
        ("", None, None),
        ("attributes=dsd&measures=all", {"dsd"}, None),
        ("attributes=none", set(), None),
        ("attributes=none&measures=none", set(), set()),
        ("attributes=series,dataset&measures=none", {"series", "dataset"}, set()),
        ("measures=none", None, set()),
        ("attributes=obs&measures=none", {"obs"}, set()),
        ("attributes=STD_ERR,OBS_STATUS", {"STD_ERR", "OBS_STATUS"}, None),
        ("attributes=series&measures=OBS_VALUE,SECOND", {"series"}, {"OBS_VALUE", "SECOND"}),
    ],
)
def test_rest_22_attributes_and_measures(
    parameters: str, attributes: set[str] | None, measures: set[str] | None
) -> None:
    query = rest22.data_query("dataflow/A/F", parameters)
    assert (query.attributes, query.measures) == (attributes, measures)


def test_rest_22_sort_keeps_the_sequence() -> None:
    query = rest22.data_query("dataflow/A/F", "sort=series_key:asc+TIME_PERIOD:desc")
    assert query.sort == (Sort("series_key"), Sort("TIME_PERIOD", descending=True))
    assert rest22.data_query("dataflow/A/F", "sort=*").sort == (Sort("*"),)


def test_moments_keep_their_offset_and_are_utc_without_one() -> None:
    for text in ("2009-05-15T14%3A15%3A00%2B01%3A00", "2009-05-15T14:15:00+01:00"):
        query = rest22.data_query("dataflow/A/F", f"updatedAfter={text}")
        assert query.updated_after == datetime(2009, 5, 15, 13, 15, tzinfo=UTC)
    query = rest15.data_query("F", "updatedAfter=2009-05-15T14:15:00")
    assert query.updated_after == datetime(2009, 5, 15, 14, 15, tzinfo=UTC)


def test_rest_15_providers() -> None:
    query = rest15.data_query("F/all/ECB,BIS+CH2")
    assert query.target.providers == (Provider("BIS", "ECB"), Provider("CH2"))


def test_availability_is_the_question_of_both_versions() -> None:
    first = rest15.availability_query("A,F/D.*/all/SEX+AGE", "mode=available&references=all")
    second = rest22.availability_query(
        "dataflow/A/F/~/D.*/SEX,AGE", "mode=available&references=all"
    )
    assert first == second
    assert first.components == ("SEX", "AGE")
    assert rest22.availability_query("dataflow/A/F").components == ()


def test_schema_queries() -> None:
    query = schema_query22("dataflow/A/F/+", "dimensionAtObservation=SEX&deletion=true")
    assert (query.context, query.version) == (SchemaContext.DATAFLOW, "+")
    assert (query.observed_by, query.deletion) == ("SEX", True)
    assert schema_query15("datastructure/A/D", "explicitMeasure=true").explicit_measure
    assert schema_query15("datastructure/A/D/latest").version == "~"


def test_metadata_queries() -> None:
    by_set = metadata_query22("metadataset/P/M/1.0.0", "detail=allstubs")
    assert (by_set.sets, by_set.stubs, by_set.ids) == (True, True, ("M",))
    by_flow = metadata_query22("metadataflow/A/F/+/A.P,Q")
    assert (by_flow.flows, by_flow.providers) == (True, (Provider("P", "A"), Provider("Q")))
    by_structure = metadata_query22("structure/codelist/A/CL")
    assert by_structure.kinds == ArtefactKind.of_path("codelist")
    # So the examples of REST 2.2.2, doc/metadata.md, have it.
    assert metadata_query22("codelist/A/CL") == by_structure
    assert metadata_query15("A,F,latest/all/P").flows


@pytest.mark.parametrize(
    ("text", "providers"),
    [
        ("", ()),
        ("*", ()),
        ("*,*", ()),
        ("*.*", ()),
        ("CH2,NO2", (Provider("CH2"), Provider("NO2"))),
        ("*.CH2", (Provider("CH2"),)),
        ("SDMX.SUB.CH2", (Provider("CH2", "SDMX.SUB"),)),
        ("SDMX.*", (Provider("*", "SDMX"),)),
        ("CH2,*", ()),
    ],
)
def test_metadata_providers_are_read(text: str, providers: tuple[Provider, ...]) -> None:
    """REST 2.2.2, doc/metadata.md, providerRef: ``*`` by default, multiple values by comma."""
    assert metadata_query22(f"metadataflow/*/*/+/{text}").providers == providers


@pytest.mark.parametrize("text", ["CH2,,NO2", ".CH2.", "A.", "CH 2", "CH2+NO2"])
def test_what_is_no_provider_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        metadata_query22(f"metadataflow/*/*/+/{quote(text)}")
    assert caught.value.where == "providerRef"


_TYPES_OF_METADATA = (
    "datastructure, metadatastructure, categoryscheme, conceptscheme, codelist, hierarchy, "
    "hierarchyassociation, valuelist, organisationscheme, agencyscheme, dataproviderscheme, "
    "dataconsumerscheme, organisationunitscheme, dataflow, metadataflow, reportingtaxonomy, "
    "provisionagreement, structuremap, representationmap, conceptschememap, categoryschememap, "
    "organisationschememap, process, categorisation, dataconstraint, metadataconstraint, "
    "transformationscheme, rulesetscheme, userdefinedoperatorscheme, customtypescheme, "
    "namepersonalisationscheme, vtlmappingscheme"
)


@pytest.mark.parametrize("kind", _TYPES_OF_METADATA.split(", "))
def test_metadata_may_be_about_every_type_of_the_page(kind: str) -> None:
    """REST 2.2.2, doc/metadata.md, artefactType."""
    assert metadata_query22(f"structure/{kind}/*/*/1.0.0,2.1.7").kinds


def test_registration_queries() -> None:
    assert registration_query("id/abcd-efgh").id == "abcd-efgh"
    assert registration_query("provider/IMF/UK1,UK2").providers == (
        Provider("UK1", "IMF"),
        Provider("UK2", "IMF"),
    )
    query = registration_query("datastructure/*/*/*", "updatedAfter=2009-05-15T14:15:00Z")
    assert query.target is not None
    assert query.target.context is Context.DATA_STRUCTURE
    assert query.after == datetime(2009, 5, 15, 14, 15, tzinfo=UTC)
    # doc/registration.md: ``*`` is the default of each part.
    assert registration_query("").target == registration_query("*/*/*/*").target


@pytest.mark.parametrize(
    "text",
    ["1", "1.0", "1.0.0", "1.0.0-draft.1", "+", "~", "*", "+.0.0", "1.+.0", "2.3.+", "1+.0.0",
     "2.3+.1", "2.3.4+", "~.0", "~.0.0", "1.~", "1.~.0", "1.2.~", "2~.3", "2~.3.1", "1.2~",
     "1.2~.0", "1.2.3~", "*.0", "*.0.0", "1.*", "1.*.0", "1.2*", "1.2*.0", "1.2.3*"],
)  # fmt: skip
def test_every_form_of_version_in_the_standard_is_read(text: str) -> None:
    """sdmx-rest 2.2.2, doc/querying_versions.md."""
    assert rest22.data_query(f"dataflow/A/F/{text}").target.versions == (text,)


@pytest.mark.parametrize(
    "text",
    ["+.2.3", "1.+.3", "~.2", "~.2.3", "1.~.3", "*.2", "*.2.3", "1.*.3", "+.0", "2.3+", "~.0.*",
     "3.2*.1+", "3.2+.1+", "01.0.0", "1.0.0.0", "-1.0.0", "1.0.0-", "*' OR 1=1--"],
)  # fmt: skip
def test_every_unsupported_form_of_version_is_refused(text: str) -> None:
    """sdmx-rest 2.2.2, doc/querying_versions.md, "Unsupported syntax"."""
    with pytest.raises(RequestError):
        rest22.data_query(f"dataflow/A/F/{quote(text, safe='*+')}")


@pytest.mark.parametrize(
    ("parse", "path", "parameters", "where"),
    [
        (rest15.data_query, "", "", "path"),
        (rest15.data_query, "F/a/b/c", "", "path"),
        (rest15.data_query, "A,B,C,D", "", "flowRef"),
        (rest15.data_query, "A,F,one", "", "flowRef, version"),
        (rest15.data_query, "a b,F", "", "flowRef, agency"),
        (rest15.data_query, "F/A.B C", "", "key, position 2"),
        (rest15.data_query, "F", "startperiod=2020", "query parameter"),
        (rest15.data_query, "F", "startPeriod=2020-13", "startPeriod"),
        (rest15.data_query, "F", "detail=some", "detail"),
        (rest15.data_query, "F", "detail=full&detail=full", "detail"),
        (rest15.data_query, "F", "firstNObservations=0", "firstNObservations"),
        (rest15.data_query, "F", "includeHistory=yes", "includeHistory"),
        (rest15.data_query, "F", "updatedAfter=2020", "updatedAfter"),
        (rest22.data_query, "dataflow/A/F/*/*/x", "", "path"),
        (rest22.data_query, "dataflow/A/F", "attributes=all,SEX", "attributes"),
        (
            rest22.data_query,
            "dataflow/A/F",
            "reportingYearStartDay=--02-30",
            "reportingYearStartDay",
        ),
        (
            rest22.data_query,
            "dataflow/A/F",
            "updatedAfter=2021-01-01T00:00:00&asOf=2020-01-01T00:00:00",
            "updatedAfter",
        ),
        (rest22.availability_query, "*/A/F", "", "context"),
        (rest22.availability_query, "dataflow/A/F", "mode=some", "mode"),
        (rest22.availability_query, "dataflow/A/F", "references=some", "references"),
        (schema_query22, "dataflow/A", "", "path"),
        (schema_query22, "cube/A/F", "", "context"),
        (metadata_query22, "report/A", "", "path"),
        (metadata_query15, "F/a.b", "", "path"),
        (registration_query, "id", "", "path"),
        (rest22.data_query, "cube/A/F", "", "context"),
        (rest22.data_query, "dataflow/A/F/1.+.+", "", "version"),
        (rest22.data_query, "dataflow/A/F/+/A+B", "", "key, position 1"),
        (rest22.data_query, "dataflow/A/F", "c[TIME_PERIOD]=ge:soon", "c[TIME_PERIOD]"),
        (rest22.data_query, "dataflow/A/F", "c[X]=", "c[X]"),
        (rest22.data_query, "dataflow/A/F", "c[X=A", "query parameter"),
        (rest22.data_query, "dataflow/A/F", "offset=1e3", "offset"),
        (rest22.data_query, "dataflow/A/F", "asOf=2020-01-01", "asOf"),
        (rest22.data_query, "dataflow/A/F", "sort=SEX:up", "sort"),
        (structure_query15, "codelist/A/B/C", "", "version"),
        (structure_query15, "codelist", "references=nothing", "references"),
        (structure_query15, "codelist", "detail=nothing", "detail"),
        (structure_query22, "dataflow/A/B/1.0.0/CODE", "", "itemID"),
    ],
)
def test_a_request_that_is_wrong_says_where(
    parse: Callable[[str, str], object], path: str, parameters: str, where: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse(path, parameters)
    assert caught.value.where == where
    assert caught.value.expected


def test_structure_queries_of_both_versions_ask_the_same() -> None:
    first = structure_query15("codelist/SIS/CL_SEX+CL_AGE/latest", "references=children")
    second = structure_query22("codelist/SIS/CL_SEX,CL_AGE/~", "references=children")
    assert first == second
    assert first.kinds == ArtefactKind.of_path("codelist")
    assert first.ids == ("CL_SEX", "CL_AGE")
    assert first.references is References.CHILDREN


def test_structure_queries_leave_out_trailing_parts() -> None:
    for query in (
        structure_query15("dataflow"),
        structure_query15("dataflow/all/all/latest/all"),
        structure_query22("dataflow/*/*/~"),
    ):
        assert (query.agencies, query.ids, query.versions) == (("*",), ("*",), ("~",))
        assert query.detail is StructureDetail.FULL
    assert structure_query22("").kinds == frozenset(ArtefactKind)


def test_structure_references_may_name_types() -> None:
    query = structure_query22("dataflow", "references=codelist,dataconstraint")
    assert query.references == {
        *ArtefactKind.of_path("codelist"),
        ArtefactKind.DATA_CONSTRAINT,
    }


def test_items_are_asked_for_by_id() -> None:
    query = structure_query22("codelist/SIS/CL_SEX/~/F,M")
    assert query.items == ("F", "M")
    assert structure_query15("codelist/SIS/CL_SEX/latest/F+M") == query


def test_a_type_that_the_standard_does_not_have_is_not_found() -> None:
    with pytest.raises(NotFound, match="did you mean codelist"):
        structure_query15("codelists")


TEXTS = st.text(max_size=60) | st.text(alphabet=".,+*~/:;[]()&=%1Aa_-", max_size=60)
NAMES = st.sampled_from(
    [*rest15.DATA_PARAMETERS, *rest22.DATA_PARAMETERS, "c[X]", "c[", "references"]
)


@given(parts=st.lists(TEXTS, max_size=6), names=st.lists(NAMES | TEXTS, max_size=4), value=TEXTS)
@example(parts=["F", "A" * 8000], names=["startPeriod"], value="1" * 8000)
@example(parts=["codelist", "A." * 4000], names=["c[TIME_PERIOD]"], value="ge:" + "2020+" * 800)
@example(parts=["dataflow", "A", "F", "1" * 8000], names=["detail"], value="9999-12-31")
@example(parts=["dataflow", "A", "F"], names=["c[TIME_PERIOD]"], value="9999,0000,2020-W53,9999-A1")
def test_any_text_is_understood_or_refused_quickly(
    parts: list[str], names: list[str], value: str
) -> None:
    raw = "/".join(parts)
    encoded = "/".join(quote(part, safe="", errors="replace") for part in parts)
    query = "&".join(f"{name}={value}" for name in names)
    for parse in (
        rest15.data_query,
        rest22.data_query,
        rest15.availability_query,
        rest22.availability_query,
        structure_query15,
        structure_query22,
        schema_query15,
        schema_query22,
        metadata_query15,
        metadata_query22,
        registration_query,
    ):
        for path in (raw, encoded):
            started = time.perf_counter()
            with contextlib.suppress(RequestError):
                parse(path, query)
            assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "text", ["1_0", "\u0661", "inf", "Infinity", "nan", "0x1p3", "1e", "", "1,5"]
)
def test_a_number_is_one_as_xs_double_writes_it(text: str) -> None:
    """XML Schema part 2, 3.2.5.1 of 1.0: ASCII digits; what Python takes besides is none."""
    with pytest.raises(RequestError, match="a number"):
        grammar.number(text, "c[OBS_VALUE]")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("+1e-3", 1e-3),
        ("INF", math.inf),
        ("-INF", -math.inf),
    ],
)
def test_numbers_are_read(text: str, value: float) -> None:
    assert grammar.number(text, "c[OBS_VALUE]") == value


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("9999", datetime(9999, 1, 1)),
        ("9999-12", datetime(9999, 12, 1)),
        ("9999-12-31", datetime(9999, 12, 31)),
        ("9999-W52", datetime(9999, 12, 27)),  # 10000 would begin on a Saturday (ISO 8601)
        ("9999-D365", datetime(9999, 12, 31)),
        ("9999-12-31T23:59:59", datetime(9999, 12, 31, 23, 59, 59)),
        ("9999-12-01/P31D", datetime(9999, 12, 1)),
    ],
)
def test_the_last_periods_there_are_end_with_time(text: str, start: datetime) -> None:
    """Gregorian years have four digits: an open end is often said as 9999-12-31."""
    period = parse_period(text)
    assert period.start == start
    assert period.end == datetime.max
    assert parse_period("2020").end < period.end


@pytest.mark.parametrize("text", ["9999-W53", "9999-D366", "10000-01-01"])
def test_after_the_last_periods_there_are_none(text: str) -> None:
    with pytest.raises(RequestError):
        parse_period(text)
