"""What a query takes out of a table."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import RequestError, SemanticError
from sdmx_service.query import rest15, rest22
from sdmx_service.query.availability import Span, available, covered
from sdmx_service.query.period import Period, observed_period, parse_period
from sdmx_service.query.selection import fitted, observed_by, select, settled
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    DataStructure,
    Role,
)

AREAS, SEXES = ("AT", "NO", "XA"), ("_T", "F", "M")
PERIODS = ("2020", "2020-03", "2020-Q3", "2021-S1", "2022")


def _codelist(codes: tuple[str, ...]) -> Codelist:
    return Codelist("SIS", "CL", "1.0.0", {}, tuple(Code(code, {}) for code in codes))


STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {},
    (
        Component("REF_AREA", Role.DIMENSION, {}, _codelist(AREAS)),
        Component("SEX", Role.DIMENSION, {}, _codelist(SEXES)),
        Component("TIME_PERIOD", Role.TIME, {}),
        Component("OBS_VALUE", Role.MEASURE, {}, data_type="Double"),
        Component("UNIT", Role.ATTRIBUTE, {}, _codelist(("PT",)), "String", Attachment.SERIES),
        Component("NOTE", Role.ATTRIBUTE, {}, None, "String", Attachment.OBSERVATION),
    ),
)
FRAME = pl.DataFrame(
    [
        (area, sex, period, None if place == 2 else float(place), "PT", f"note {area}")
        for area in AREAS
        for sex in SEXES
        for place, period in enumerate(PERIODS)
    ],
    schema={
        "REF_AREA": pl.Enum(AREAS),
        "SEX": pl.Enum(SEXES),
        "TIME_PERIOD": pl.String,
        "OBS_VALUE": pl.Float64,
        "UNIT": pl.Enum(["PT"]),
        "NOTE": pl.String,
    },
    orient="row",
)


def _first(path: str, parameters: str = "") -> pl.DataFrame:
    return select(FRAME, STRUCTURE, rest15.data_query(path, parameters))


def _second(key: str, parameters: str = "") -> pl.DataFrame:
    return select(FRAME, STRUCTURE, rest22.data_query(f"dataflow/SIS/F/+/{key}", parameters))


def _series(frame: pl.DataFrame) -> set[tuple[str, ...]]:
    return set(frame.select("REF_AREA", "SEX").cast(pl.String).iter_rows())


def test_without_a_key_everything_is_chosen() -> None:
    assert _first("F").equals(FRAME)
    assert _second("*").equals(FRAME)


def test_a_key_chooses_by_position_and_a_plus_is_or() -> None:
    assert _series(_first("F/AT+NO.F")) == {("AT", "F"), ("NO", "F")}
    assert _series(_first("F/.F")) == {(area, "F") for area in AREAS}
    assert _series(_second("AT,NO.F")) == {*(("AT", sex) for sex in SEXES), ("NO", "F")}


def test_codes_that_the_list_lacks_match_nothing() -> None:
    assert _series(_first("F/AT+ZZ.F")) == {("AT", "F")}
    assert _first("F/ZZ").is_empty()


def test_a_key_with_too_many_positions_is_refused_with_the_dimensions() -> None:
    with pytest.raises(RequestError) as caught:
        _first("F/AT.F.")
    assert caught.value.where == "key"
    assert caught.value.expected == "2 or fewer positions REF_AREA.SEX"


@pytest.mark.parametrize(
    ("parameters", "chosen"),
    [
        ("startPeriod=2020", PERIODS),
        ("startPeriod=2020-03", PERIODS[1:]),
        ("startPeriod=2020-04", PERIODS[2:]),
        ("endPeriod=2020", PERIODS[:3]),
        ("endPeriod=2020-Q3", ("2020-03", "2020-Q3")),
        ("startPeriod=2020-07&endPeriod=2021", ("2020-Q3", "2021-S1")),
        ("startPeriod=2020-03-01&endPeriod=2020-03-31", ("2020-03",)),
        ("startPeriod=2023", ()),
    ],
)
def test_periods_are_compared_by_the_time_they_cover(
    parameters: str, chosen: tuple[str, ...]
) -> None:
    assert tuple(_first("F/AT.F", parameters).get_column("TIME_PERIOD")) == chosen


@pytest.mark.parametrize(
    ("condition", "chosen"),
    [
        ("2020", PERIODS[:3]),
        ("2020-03,2022", ("2020-03", "2022")),
        ("ge:2020-07+lt:2022", ("2020-Q3", "2021-S1")),
        ("gt:2020", ("2021-S1", "2022")),
        ("ne:2020", ("2021-S1", "2022")),
        ("le:2020-03", ("2020-03",)),
        ("sw:2020", PERIODS[:3]),
        ("co:-S+nc:2020", ("2021-S1",)),
        ("ew:3", ("2020-03", "2020-Q3")),
        # SDMX section 6: the bounds include the end of the period, 23:59:59
        ("le:2020-03-31T23:59:59", ("2020-03",)),
        ("le:2020-03-31T23:59:59.999", ("2020-03",)),
        ("le:2020-03-31T23:59:58", ()),
    ],
)
def test_conditions_on_time(condition: str, chosen: tuple[str, ...]) -> None:
    found = _second("AT.F", f"c[TIME_PERIOD]={condition}")
    assert tuple(found.get_column("TIME_PERIOD")) == chosen


def test_conditions_on_codes_numbers_and_texts() -> None:
    assert _series(_second("*", "c[SEX]=ne:_T&c[REF_AREA]=NO,XA+ne:XA")) == {
        ("NO", "F"),
        ("NO", "M"),
    }
    assert set(_second("*", "c[OBS_VALUE]=ge:1+lt:4").get_column("OBS_VALUE")) == {1.0, 3.0}
    assert _series(_second("*.F", "c[NOTE]=ew:NO")) == {("NO", "F")}
    texts = {"sw:1": {1.0}, "co:0": {0.0, 1.0, 3.0, 4.0}, "ew:3.0": {3.0}, "nc:1": {0.0, 3.0, 4.0}}
    for test, values in texts.items():
        found = _second("*", f"c[OBS_VALUE]={test}").get_column("OBS_VALUE")
        assert set(found.drop_nulls()) == values, test


@pytest.mark.parametrize(
    "parameters",
    ["c[COLOUR]=red", "c[OBS_VALUE]=big", "c[TIME_PERIOD]=ge:soon",
     "attributes=COLOUR", "dimensionAtObservation=COLOUR", "measures=COLOUR", "sort=COLOUR"],
)  # fmt: skip
def test_what_the_structure_does_not_have_is_refused(parameters: str) -> None:
    with pytest.raises(RequestError):
        _second("*", parameters)


def test_a_component_sorts_once_and_nothing_sorts_after_the_whole_key() -> None:
    once = _second("*", "sort=REF_AREA:desc+*")
    assert _second("*", "sort=REF_AREA:desc+REF_AREA+*+OBS_VALUE+*").equals(once)


_NUMBER = st.sampled_from([-1.0, -0.0, 0.0, 1.0, 1.5, 3.0, 4.0, math.inf, 1e308])
_TESTS = st.lists(st.tuples(st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), _NUMBER))


@given(
    st.lists(_TESTS.filter(bool), min_size=1, max_size=12),
    st.lists(_NUMBER | st.just(math.nan) | st.none(), min_size=1),
)
def test_many_tests_of_numbers_leave_what_each_of_them_leaves(
    alternatives: list[list[tuple[str, float]]], values: list[float | None]
) -> None:
    frame = pl.concat([FRAME[:1]] * len(values)).with_columns(
        pl.Series("OBS_VALUE", values, dtype=pl.Float64)
    )
    asked = ",".join("+".join(f"{name}:{n!r}" for name, n in tests) for tests in alternatives)
    written = asked.replace("e+", "e").replace("inf", "INF")  # as xs:double writes it
    query = rest22.data_query("dataflow/SIS/F", f"c[OBS_VALUE]={written}")
    kept = [
        value
        for value in values
        if value is not None
        and not math.isnan(value)
        and any(all(getattr(operator, t)(value, n) for t, n in tests) for tests in alternatives)
    ]
    assert select(frame, STRUCTURE, query).get_column("OBS_VALUE").to_list() == kept


def test_nan_answers_no_comparison() -> None:
    frame = FRAME.with_columns(pl.lit(math.nan).alias("OBS_VALUE"))
    for test in ("ge:0", "le:0", "eq:NaN", "ne:0", "nc:1"):
        query = rest22.data_query("dataflow/SIS/F", f"c[OBS_VALUE]={test}")
        assert select(frame, STRUCTURE, query).is_empty()


def test_first_and_last_count_within_each_series() -> None:
    assert _first("F", "firstNObservations=2").height == 2 * 9
    last = _first("F", "lastNObservations=1")
    assert set(last.get_column("TIME_PERIOD")) == {"2022"}
    both = _first("F/AT.F", "firstNObservations=1&lastNObservations=1")
    assert tuple(both.get_column("TIME_PERIOD")) == ("2020", "2022")
    assert _first("F", "lastNObservations=99").equals(FRAME)


# In the order of time, as section 6 of the standard has these periods; not in that of texts.
MIXED = ("2019-M12", "2020-W02", "2020-02", "2020-03-31", "2020-Q2", "2020-12", "2021")


def test_the_ends_of_a_series_are_its_ends_in_time() -> None:
    frame = pl.concat(
        FRAME.head(len(MIXED)).with_columns(
            pl.lit(sex).cast(pl.Enum(SEXES)).alias("SEX"),
            pl.Series("TIME_PERIOD", sorted(MIXED)),
        )
        for sex in ("F", "M")
    )
    for parameters, kept in (
        ("firstNObservations=2", MIXED[:2]),
        ("lastNObservations=3", MIXED[-3:]),
        ("firstNObservations=1&lastNObservations=1", (MIXED[0], MIXED[-1])),
        ("lastNObservations=1&c[TIME_PERIOD]=le:2020", (MIXED[-2],)),
    ):
        query = rest22.data_query("dataflow/SIS/F", parameters)
        found = select(frame, STRUCTURE, query).get_column("TIME_PERIOD").to_list()
        assert found == sorted(kept) * 2


def test_what_is_said_of_series_alone_is_said_once_a_series() -> None:
    for attributes, alone in (
        ("none", True),
        ("UNIT", True),
        ("series,dataset", True),
        ("UNIT,dataset", True),
        ("NOTE", False),
        ("UNIT,NOTE", False),
        ("UNIT,obs", False),
        ("dsd", False),
    ):
        query = rest22.data_query("dataflow/SIS/F", f"attributes={attributes}&measures=none")
        assert settled(STRUCTURE, query).series_only is alone
    query = rest22.data_query("dataflow/SIS/F", "attributes=UNIT")
    assert settled(STRUCTURE, query) == query
    query = rest22.data_query("dataflow/SIS/F", "measures=none")
    assert settled(STRUCTURE, query) == query


OTHER = replace(
    STRUCTURE,
    id="OTHER",
    components=(
        *STRUCTURE.components,
        Component("AGE", Role.DIMENSION, {}, _codelist(("_T",))),
        Component("COUNT", Role.MEASURE, {}, data_type="Double"),
        Component("FLAG", Role.ATTRIBUTE, {}, None, "String", Attachment.OBSERVATION),
    ),
)


@pytest.mark.parametrize(
    ("parameters", "left"),
    [
        ("attributes=NOTE,FLAG&sort=AGE+SEX:desc", "attributes=NOTE&sort=SEX:desc"),
        ("attributes=FLAG", "attributes=none"),
        ("attributes=dsd,FLAG&measures=OBS_VALUE,COUNT", "attributes=dsd&measures=OBS_VALUE"),
        # What no structure has is for all of them to refuse.
        ("attributes=NOTE,NONE&sort=NONE", "attributes=NOTE,NONE&sort=NONE"),
        # Nothing that is asked for is there.
        ("attributes=FLAG&measures=COUNT", "attributes=FLAG&measures=COUNT"),
        ("attributes=FLAG&measures=none", "attributes=FLAG&measures=none"),
        # These say what is in an answer.
        ("c[AGE]=_T&dimensionAtObservation=AGE", "c[AGE]=_T&dimensionAtObservation=AGE"),
    ],
)
def test_one_of_several_structures_shows_what_it_has(parameters: str, left: str) -> None:
    asked, wanted = (rest22.data_query("dataflow/SIS", one) for one in (parameters, left))
    assert fitted(STRUCTURE, asked, (STRUCTURE, OTHER)) == wanted
    assert fitted(OTHER, asked, (STRUCTURE, OTHER)) == asked
    assert fitted(STRUCTURE, asked, (STRUCTURE,)) == asked


def test_pages_follow_one_another() -> None:
    pages = [_second("*", f"offset={start}&limit=10") for start in range(0, 50, 10)]
    assert pl.concat(pages).equals(FRAME)
    with pytest.raises(RequestError):  # the OpenAPI file of 2.2.2: minimum 1
        _second("*", "limit=0")


@pytest.mark.parametrize(
    ("parameters", "columns", "height"),
    [
        ("detail=full", FRAME.columns, 45),
        ("detail=dataonly", ["REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE"], 45),
        ("detail=nodata", ["REF_AREA", "SEX", "UNIT"], 9),
        ("detail=serieskeysonly", ["REF_AREA", "SEX"], 9),
    ],
)
def test_detail(parameters: str, columns: list[str], height: int) -> None:
    found = _first("F", parameters)
    assert (found.columns, found.height) == (columns, height)


def test_attributes_are_chosen_by_id_or_level() -> None:
    whole = ["REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE"]
    assert _second("*", "attributes=NOTE").columns == [*whole, "NOTE"]
    assert _second("*", "attributes=series").columns == [*whole, "UNIT"]
    assert _second("*", "attributes=obs").columns == [*whole, "NOTE"]
    assert _second("*", "attributes=dataset").columns == whole


TESTS: Mapping[str, Callable[[object, object], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "lt": operator.lt,
}


@given(
    areas=st.lists(st.sampled_from([*AREAS, "ZZ"]), min_size=1, max_size=3),
    sexes=st.lists(st.sampled_from(SEXES), max_size=2),
    tests=st.lists(st.tuples(st.sampled_from(list(TESTS)), st.sampled_from(AREAS)), max_size=3),
)
def test_a_key_with_conditions_chooses_what_plain_python_chooses(
    areas: list[str], sexes: list[str], tests: list[tuple[str, str]]
) -> None:
    key = "+".join(areas) + "." + "+".join(sexes)
    condition = "c[REF_AREA]=" + ",".join(f"{name}:{value}" for name, value in tests)
    expected = [
        row
        for row in FRAME.iter_rows()
        if row[0] in areas
        and (not sexes or row[1] in sexes)
        and (not tests or any(TESTS[name](row[0], value) for name, value in tests))
    ]
    by_key = select(FRAME, STRUCTURE, rest15.data_query(f"F/{key}"))
    query = rest22.data_query("dataflow/SIS/F", condition if tests else "")
    assert list(select(by_key, STRUCTURE, query).iter_rows()) == expected


def test_times_are_compared_as_moments() -> None:
    """ISO 8601: an offset says how far the time is from UTC, which it is taken for without one."""
    noon = parse_period("2020-06-15T12:00:00").start
    for text in ("2020-06-15T12:00:00Z", "2020-06-15T17:00:00+05:00", "2020-06-15T09:30:00-02:30"):
        assert parse_period(text).start == noon
        assert parse_period(f"{text}/P1D").start == noon


def test_periods_are_compared_in_the_year_that_is_asked_for() -> None:
    july = "c[TIME_PERIOD]=ge:2020-Q1&reportingYearStartDay=--07-01"
    assert set(_second("AT.F", july).get_column("TIME_PERIOD")) == {"2020-Q3", "2021-S1", "2022"}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        # 2020 has 53 ISO weeks, the year from July 2020 only 52: its 53rd is where the next begins
        ("2020-W53", "2021-06-28"),
        ("2019-D366", "2020-06-30"),
        ("2021-D366", "2022-07-01"),
    ],
)
def test_a_period_of_the_data_keeps_a_place_in_a_shifted_year(text: str, start: str) -> None:
    assert observed_period(text, (7, 1)).start.date().isoformat() == start
    frame = FRAME.with_columns(pl.lit(text).alias("TIME_PERIOD"))
    query = rest22.data_query(
        "dataflow/SIS/F", "c[TIME_PERIOD]=ge:2019-Q1&reportingYearStartDay=--07-01"
    )
    assert select(frame, STRUCTURE, query).height == FRAME.height


def test_sort_follows_numbers_times_and_ids() -> None:
    by_value = _second("AT.F", "sort=OBS_VALUE:desc").get_column("OBS_VALUE").to_list()
    assert by_value == [4.0, 3.0, 1.0, 0.0, None]
    by_time = _second("AT.F", "sort=TIME_PERIOD:desc").get_column("TIME_PERIOD").to_list()
    assert by_time == ["2022", "2021-S1", "2020-Q3", "2020-03", "2020"]
    areas = _second("*", "sort=REF_AREA:desc+TIME_PERIOD").get_column("REF_AREA").cast(pl.String)
    assert areas.to_list() == sorted(areas, reverse=True)
    assert _second("*", "sort=*").height == FRAME.height


def test_nan_comes_after_all_numbers_in_either_order() -> None:
    values = [2.0, math.nan, None, 1.0, 3.0]
    frame = FRAME.head(5).with_columns(pl.Series("OBS_VALUE", values))
    for order, numbers in (("asc", [1.0, 2.0, 3.0]), ("desc", [3.0, 2.0, 1.0])):
        query = rest22.data_query("dataflow/SIS/F", f"sort=OBS_VALUE:{order}")
        found = select(frame, STRUCTURE, query).get_column("OBS_VALUE").to_list()
        assert found[:3] == numbers


def test_rows_that_a_sort_leaves_equal_keep_their_order() -> None:
    found = _second("*", "sort=UNIT")
    assert found.equals(FRAME)


def test_the_dimension_at_the_observation_is_time_unless_said() -> None:
    assert observed_by(STRUCTURE, rest15.data_query("F")) == "TIME_PERIOD"
    asked = rest15.data_query("F", "dimensionAtObservation=SEX")
    assert observed_by(STRUCTURE, asked) == "SEX"


def test_what_fits_no_structure_is_a_semantic_error() -> None:
    with pytest.raises(SemanticError) as caught:
        _second("A.B.C.D")
    assert caught.value.http_status == 422


# sdmx-rest 2.2.2, doc/availability.md, "Response Mode": its example data and answers
EMPLOYMENT = ("EMP", "UEMP")
MODES = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {},
    (
        Component("REF_AREA", Role.DIMENSION, {}, _codelist(("FR", "UK"))),
        Component("EMPLOYMENT", Role.DIMENSION, {}, _codelist(EMPLOYMENT)),
        Component("SEX", Role.DIMENSION, {}, _codelist(("F", "M"))),
        Component("TIME_PERIOD", Role.TIME, {}),
    ),
)
JOBS = pl.DataFrame(
    [("UK", "EMP", "M", "2020"), ("FR", "EMP", "M", "2020"), ("FR", "UEMP", "F", "2021")],
    schema={
        "REF_AREA": pl.Enum(["FR", "UK"]),
        "EMPLOYMENT": pl.Enum(EMPLOYMENT),
        "SEX": pl.Enum(["F", "M"]),
        "TIME_PERIOD": pl.String,
    },
    orient="row",
)


@pytest.mark.parametrize(
    ("key", "mode", "areas", "employment", "sexes"),
    [
        ("FR.*.F", "exact", {"FR"}, {"UEMP"}, {"F"}),
        ("FR.*.F", "available", {"FR"}, {"UEMP"}, {"M", "F"}),
        ("FR.*.F,FR.*.M", "exact", {"FR"}, {"EMP", "UEMP"}, {"M", "F"}),
    ],
)
def test_availability_answers_as_the_standards_example(
    key: str, mode: str, areas: set[str], employment: set[str], sexes: set[str]
) -> None:
    query = rest22.availability_query(f"dataflow/SIS/F/+/{key}", f"mode={mode}")
    found = available(JOBS, MODES, query).values
    assert set(found["REF_AREA"]) == areas
    assert set(found["EMPLOYMENT"]) == employment
    assert set(found["SEX"]) == sexes


def test_availability_counts_and_bounds_the_time() -> None:
    found = available(JOBS, MODES, rest22.availability_query("dataflow/SIS/F"))
    assert (found.series, found.observations) == (3, 3)
    assert found.span == Span("2020", "2021", Period(datetime(2020, 1, 1), datetime(2022, 1, 1)))
    none = available(JOBS, MODES, rest22.availability_query("dataflow/SIS/F/+/ZZ"))
    assert (none.series, none.observations, none.span) == (0, 0, None)


@pytest.mark.parametrize(
    ("periods", "year_start", "first", "last"),
    [
        # The year ends after its first quarter, though both begin together.
        (("2020", "2020-Q1"), (1, 1), "2020", "2020"),
        (("2020-Q4", "2020-10", "2020"), (1, 1), "2020", "2020"),
        (("2020-12", "2021-W01"), (1, 1), "2020-12", "2021-W01"),
        # StandardTimePeriodType has no ranges: their days stand for them.
        (("2019-03-01/P2M", "2020-01-15/P1Y"), (1, 1), "2019-03-01", "2021-01-14"),
        (("2019-03-01T06:00:00/P1D",), (1, 1), "2019-03-01T06:00:00", "2019-03-02T05:59:59"),
        (("2020-Q1", "2020-08"), (7, 1), "2020-Q1", "2020-Q1"),
        (("2020-Q1", "2020-08"), (1, 1), "2020-Q1", "2020-08"),
    ],
)
def test_availability_covers_all_periods(
    periods: tuple[str, ...], year_start: tuple[int, int], first: str, last: str
) -> None:
    found = covered(periods, year_start)
    assert found is not None
    assert (found.first, found.last) == (first, last)
