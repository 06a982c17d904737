"""Paths and parameters of both REST versions, parsed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sdmx_service.errors import NotFound, RequestError
from sdmx_service.query import rest15, rest22
from sdmx_service.query.query import Condition, DataQuery, Detail, FlowReference, Operator
from sdmx_service.structures.detail import Detail as StructureDetail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.references import References

GE, LE, EQ, NE = Operator.GE, Operator.LE, Operator.EQ, Operator.NE


@pytest.mark.parametrize(
    ("path", "flow"),
    [
        ("F", FlowReference("*", "F", "~")),
        ("A,F", FlowReference("A", "F", "~")),
        ("A,F,1.0.0", FlowReference("A", "F", "1.0.0")),
        ("A.B%2CF%2Clatest", FlowReference("A.B", "F", "~")),
        ("all,F,all", FlowReference("*", "F", "*")),
        ("F/all/all/", FlowReference("*", "F", "~")),
        ("F//", FlowReference("*", "F", "~")),
    ],
)
def test_rest_15_names_a_flow_in_any_shorter_form(path: str, flow: FlowReference) -> None:
    assert rest15.data_query(path) == DataQuery(flow)


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
        FlowReference("*", "F", "~"),
        conditions=(
            Condition("TIME_PERIOD", (((GE, "2020"),),)),
            Condition("TIME_PERIOD", (((LE, "2022-Q3"),),)),
        ),
        dimension_at_observation="AllDimensions",
        detail=Detail.NO_DATA,
        first=1,
        last=2,
    )


@pytest.mark.parametrize(
    ("path", "flow"),
    [
        ("dataflow/A/F", FlowReference("A", "F", "*")),
        ("*/*/F/+", FlowReference("*", "F", "+")),
        ("dataflow/A/F/1.0.0/*", FlowReference("A", "F", "1.0.0")),
        ("dataflow/A/F/2.3+.1", FlowReference("A", "F", "2.3+.1")),
        ("dataflow/A/F/1.0.0-draft", FlowReference("A", "F", "1.0.0-draft")),
    ],
)
def test_rest_22_leaves_out_trailing_parts(path: str, flow: FlowReference) -> None:
    assert rest22.data_query(path) == DataQuery(flow)


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


@pytest.mark.parametrize(
    ("parameters", "detail", "attributes"),
    [
        ("", Detail.FULL, None),
        ("attributes=dsd&measures=all", Detail.FULL, None),
        ("attributes=none", Detail.DATA_ONLY, None),
        ("attributes=none&measures=none", Detail.SERIES_KEYS_ONLY, None),
        ("measures=none", Detail.NO_DATA, None),
        ("attributes=STD_ERR,OBS_STATUS", Detail.FULL, {"STD_ERR", "OBS_STATUS"}),
        ("attributes=series", Detail.FULL, {"series"}),
    ],
)
def test_rest_22_attributes_and_measures(
    parameters: str, detail: Detail, attributes: set[str] | None
) -> None:
    query = rest22.data_query("dataflow/A/F", parameters)
    assert (query.detail, query.attributes) == (detail, attributes)


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
        (rest15.data_query, "F", "includeHistory=true", "includeHistory"),
        (rest22.data_query, "dataflow", "", "resourceID"),
        (rest22.data_query, "dataflow/A/F,G", "", "resourceID"),
        (rest22.data_query, "cube/A/F", "", "context"),
        (rest22.data_query, "dataflow/A/F/1.+.+", "", "version"),
        (rest22.data_query, "dataflow/A/F/+/A+B", "", "key, position 1"),
        (rest22.data_query, "dataflow/A/F", "c[TIME_PERIOD]=ge:soon", "c[TIME_PERIOD]"),
        (rest22.data_query, "dataflow/A/F", "c[X]=", "c[X]"),
        (rest22.data_query, "dataflow/A/F", "c[X=A", "query parameter"),
        (rest22.data_query, "dataflow/A/F", "offset=1e3", "offset"),
        (rest22.data_query, "dataflow/A/F", "asOf=2020-01-01", "asOf"),
        (rest22.data_query, "dataflow/A/F", "sort=SEX", "sort"),
        (rest15.structure_query, "codelist/A/B/C", "", "version"),
        (rest15.structure_query, "codelist", "references=nothing", "references"),
        (rest15.structure_query, "codelist", "detail=nothing", "detail"),
        (rest22.structure_query, "codelist/A/B/1.0.0/CODE", "", "itemID"),
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
    first = rest15.structure_query("codelist/SIS/CL_SEX+CL_AGE/latest", "references=children")
    second = rest22.structure_query("codelist/SIS/CL_SEX,CL_AGE/~", "references=children")
    assert first == second
    assert first.kinds == {ArtefactKind.CODELIST}
    assert first.ids == ("CL_SEX", "CL_AGE")
    assert first.references is References.CHILDREN


def test_structure_queries_leave_out_trailing_parts() -> None:
    for query in (
        rest15.structure_query("dataflow"),
        rest15.structure_query("dataflow/all/all/latest/all"),
        rest22.structure_query("dataflow/*/*/~"),
    ):
        assert (query.agencies, query.ids, query.versions) == (("*",), ("*",), ("~",))
        assert query.detail is StructureDetail.FULL
    assert rest22.structure_query("").kinds == frozenset(ArtefactKind)


def test_structure_references_may_name_types() -> None:
    query = rest22.structure_query("dataflow", "references=codelist,dataconstraint")
    assert query.references == {ArtefactKind.CODELIST, ArtefactKind.CONTENT_CONSTRAINT}


def test_a_type_of_the_standard_without_artefacts_is_known_and_another_is_not() -> None:
    assert rest22.structure_query("valuelist").kinds == frozenset()
    with pytest.raises(NotFound, match="did you mean codelist"):
        rest15.structure_query("codelists")


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
        rest15.structure_query,
        rest22.structure_query,
    ):
        for path in (raw, encoded):
            started = time.perf_counter()
            with contextlib.suppress(RequestError):
                parse(path, query)
            assert time.perf_counter() - started < 1
