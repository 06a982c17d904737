"""What somebody is told who knows the other version of the REST interface."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sdmx_service.errors import RequestError
from sdmx_service.query import rest15, rest22
from sdmx_service.query.query import Context, DataQuery, Target
from sdmx_service.query.structure_query import structure_query15, structure_query22


@pytest.mark.parametrize(
    ("parse", "path", "query", "hint"),
    [
        (rest22.data_query, "dataflow/A/F", "startPeriod=2015-Q1", "c[TIME_PERIOD]=ge:2015-Q1"),
        (rest22.data_query, "dataflow/A/F", "endPeriod=2015-Q4", "c[TIME_PERIOD]=le:2015-Q4"),
        (rest22.data_query, "dataflow/A/F", "detail=full", "attributes= and measures="),
        (rest22.data_query, "dataflow/A/F", "c[SEX]=F&c[SEX]=M", "c[SEX]=A,B"),
        (rest22.data_query, "dataflow/A/F/latest", "", "~ is the latest version"),
        (rest22.data_query, "dataflow/A/F/all", "", "* is all"),
        (rest22.data_query, "dataflow/A/F/1.0.0/A.AT+NO", "", "several keys"),
        (rest22.data_query, "dataflow/A/F/1.0.0/A.AT,", "", "* is any key"),
        (rest22.availability_query, "dataflow/A/F", "startPeriod=2015", "c[TIME_PERIOD]"),
        (structure_query22, "dataflow/A/F/latest", "", "~ is the latest version"),
        (rest15.data_query, "F", "c[TIME_PERIOD]=ge:2015", "startPeriod="),
        (rest15.data_query, "F", "attributes=none", "detail="),
        (rest15.data_query, "F", "limit=10", "/sdmx/v2"),
        (rest15.data_query, "F/A.AT,NO", "", "joined by +"),
        (rest22.data_query, "dataflow/A/F", "sort=SEX,AGE", "joined by +"),
        (rest22.data_query, "dataflow/A/F", "c[TIME_PERIOD]=gte:2015", "eq, ne, lt"),
    ],
)
def test_who_comes_from_the_other_version_is_told_how_this_one_says_it(
    parse: Callable[[str, str], object], path: str, query: str, hint: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse(path, query)
    assert hint in str(caught.value.hint)


def test_latest_and_all_are_words_where_the_standard_has_them() -> None:
    """REST 1.5, structures.md: ``latest`` is said of versions; elsewhere it is an id."""
    assert structure_query15("dataflow/SIS/latest").ids == ("latest",)
    assert structure_query15("dataflow/all/all/latest").versions == ("~",)
    assert structure_query15("dataflow/all/all/latest").ids == ("*",)
    assert rest15.flow_target("SIS,latest,latest") == Target(
        Context.DATAFLOW, ("SIS",), ("latest",), ("~",)
    )


def test_all_is_a_code_in_a_key_of_rest_22_and_everything_in_one_of_rest_15() -> None:
    """REST 2.2, data.md: the wildcard of a key is ``*``; REST 1.5 says ``all``."""
    for parse in (rest22.data_query, rest22.availability_query):
        query = parse("dataflow/A/F/1.0.0/all", "")
        keys = query.keys if isinstance(query, DataQuery) else query.data.keys
        assert keys == ({0: frozenset({"all"})},)
    assert rest15.data_query("F/all").keys == ()
