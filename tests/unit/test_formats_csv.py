"""SDMX-CSV of every version gives back what it was given."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError, NotAcceptable, NotFound
from sdmx_service.formats import (
    Action,
    Context,
    DataMessage,
    DataSet,
    Format,
    Keys,
    Labels,
    Provision,
    TimeFormat,
    data_formats,
)
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORMATS = {one.name: one for one in data_formats()}


def _codelist(id: str, *codes: str) -> Codelist:
    names = {code: {"en": f'Name; of "{code}", here: there', "fr": f"Nom {code}"} for code in codes}
    listed = tuple(Code(code, name) for code, name in names.items())
    return Codelist("SIS", id, "1.0.0", {"en": id}, listed)


def _attribute(id: str, **more: Any) -> Component:
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=Attachment.OBSERVATION, **more)


AREAS, TAGS = _codelist("CL_AREA", "AT", "NO-1"), _codelist("CL_TAG", "P", "Q")
STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {"en": "Structure"},
    (
        Component("AREA", Role.DIMENSION, {"en": "Area: where"}, AREAS),
        Component("SEX", Role.DIMENSION, {"en": "Sex"}, _codelist("CL_SEX", "F", "M")),
        Component("TIME_PERIOD", Role.TIME, {"en": "Time"}),
        Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double"),
        Component("SHARE", Role.MEASURE, {"en": "Share"}, data_type="Decimal"),
        _attribute("N", data_type="Integer"),
        _attribute("STATUS", codelist=_codelist("CL_STATUS", "A", "Q")),
        _attribute("COMMENT"),
        _attribute("TAG", codelist=TAGS, multiple=True),
        _attribute("LEVEL", data_type="Double", multiple=True),
        _attribute("WORD", multiple=True),
        _attribute("NOTE", multilingual=True),
        _attribute("NOTES", multilingual=True, multiple=True),
    ),
)
FLOW = Dataflow("SIS", "DF", "1.0.0", {"en": "A flow, named"}, STRUCTURE)
OTHER = Dataflow("SIS.SUB", "DF2", "2.1.0", {}, STRUCTURE)
PROVISION = Provision("SIS", "PA", "1.0.0", {})
KINDS: dict[str, pl.DataType] = {
    **{c.id: pl.Enum(list(c.codelist.by_id)) for c in STRUCTURE.components if c.codelist},
    "TIME_PERIOD": pl.String(),
    "OBS_VALUE": pl.Float64(),
    "SHARE": pl.String(),
    "N": pl.Int64(),
    "COMMENT": pl.String(),
    "TAG": pl.List(pl.Enum(list(TAGS.by_id))),
    "LEVEL": pl.List(pl.Float64),
    "WORD": pl.List(pl.String),
    "NOTE": TEXTS,
    "NOTES": pl.List(TEXTS),
}


class Known:
    """Structures that readers look up."""

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        for flow in (FLOW, OTHER):
            if (flow.agency, flow.id, flow.version) == (agency, id, version):
                return flow
        raise NotFound("dataflow", got=id)

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        return STRUCTURE

    def provisioned(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        return FLOW


TEXT = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["a,b", 'say "so"', "two\r\nlines", "\n", "; |", "#N/A", "Ελ 中 😀", " x ", "=1+1", "en:x", '"']
)
TEXT = TEXT.filter(
    lambda text: text.isprintable() or not any("\ud800" <= c <= "\udfff" for c in text)
)
TEXT = TEXT.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
NUMBER = st.floats() | st.sampled_from(
    [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e22, 0.1 + 0.2]
)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False).map(lambda one: f"{one:f}"[:60])
PERIOD = st.sampled_from(["2020", "2020-Q1", "2020-01", "2020-01-01T00:00:00", "2020-W53"])
TEXTS_BY_LANGUAGE = st.dictionaries(st.sampled_from(["en", "fr", "zh-Hant"]), TEXT, min_size=1).map(
    lambda texts: [{"lang": tag, "text": text} for tag, text in texts.items()]
)


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def _list(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _maybe(st.lists(values, min_size=1, max_size=3))


ROWS = st.fixed_dictionaries(
    {
        "AREA": _maybe(st.sampled_from(["AT", "NO-1"])),
        "SEX": _maybe(st.sampled_from(["F", "M"])),
        "TIME_PERIOD": _maybe(PERIOD),
        "OBS_VALUE": _maybe(NUMBER),
        "SHARE": _maybe(DECIMAL),
        "N": _maybe(st.integers(-(2**63), 2**63 - 1)),
        "STATUS": _maybe(st.sampled_from(["A", "Q"])),
        "COMMENT": _maybe(TEXT),
        "TAG": _list(st.sampled_from(["P", "Q"])),
        "LEVEL": _list(NUMBER),
        "WORD": _maybe(st.lists(_maybe(TEXT) | st.just(""), min_size=2, max_size=3)),
        "NOTE": _maybe(TEXTS_BY_LANGUAGE),
        "NOTES": _list(TEXTS_BY_LANGUAGE),
    }
).map(lambda row: _observed(row))
FULL_KEY = {"AREA": "AT", "SEX": "F", "TIME_PERIOD": "2020"}
DATASETS = st.lists(
    st.tuples(
        st.lists(ROWS, min_size=1, max_size=4, unique_by=lambda row: _key(row)),
        st.sampled_from([Action.INFORMATION, Action.APPEND, Action.MERGE, Action.REPLACE]),
        st.sampled_from([(FLOW, Context.DATAFLOW), (OTHER, Context.DATAFLOW),
                         (FLOW, Context.PROVISION)]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: (one[1], one[2][0].id, one[2][1]),
)  # fmt: skip


def _observed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without measures where it has a part of the key only."""
    absent = None in (row[name] for name in FULL_KEY)
    return row | dict.fromkeys(("OBS_VALUE", "SHARE")) if absent else row


def _key(row: dict[str, Any]) -> Any:
    """Return what a row may have once in a data set: a whole key, or None of its own."""
    key = tuple(row[name] for name in FULL_KEY)
    return object() if None in key else key


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its key made whole."""
    return row | {name: row[name] or FULL_KEY[name] for name in FULL_KEY}


def _message(datasets: list[Any], **more: Any) -> DataMessage:
    made = (
        DataSet(
            flow,
            pl.DataFrame(rows, schema=KINDS).select(c.id for c in STRUCTURE.components),
            action,
            context=context,
            provision=PROVISION if context is Context.PROVISION else None,
        )
        for rows, action, (flow, context) in datasets
    )
    return DataMessage(tuple(made), "r", MOMENT, **more)


def _again(one: Format[DataMessage], message: DataMessage) -> DataMessage:
    assert one.read is not None
    return one.read(b"".join(one.write(message)), Known())


def _same(left: DataMessage, right: DataMessage) -> None:
    assert len(left.datasets) == len(right.datasets)
    for a, b in zip(left.datasets, right.datasets, strict=True):
        assert (a.action, a.context, a.flow, a.provision) == (
            b.action,
            b.context,
            b.flow,
            b.provision,
        )
        assert a.collected().equals(b.collected()), (a.collected().rows(), b.collected().rows())
        assert a.schema == b.schema


@settings(max_examples=60, deadline=None)
@given(
    DATASETS,
    st.sampled_from(list(Labels)),
    st.sampled_from(list(Keys)),
    st.sampled_from([(",", "."), (";", ","), ("\t", "."), ("|", ".")]),
)
def test_csv_21_is_read_as_it_was_written(
    datasets: list[Any], labels: Labels, keys: Keys, marks: tuple[str, str]
) -> None:
    message = _message(
        datasets, labels=labels, keys=keys, separator=marks[0], decimal=marks[1], languages=("en",)
    )
    again = _again(FORMATS["csv21"], message)
    _same(message, again)
    assert again.labels is labels
    assert again.separator == marks[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4, unique_by=_key))
def test_csv_20_is_read_as_it_was_written(rows: list[Any]) -> None:
    message = _message([(rows, Action.APPEND, (FLOW, Context.DATAFLOW))])
    _same(message, _again(FORMATS["csv20"], message))


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS.map(_whole),
                min_size=1, max_size=4, unique_by=_key),
       st.sampled_from([Labels.ID, Labels.BOTH]))  # fmt: skip
def test_csv_10_is_read_as_it_was_written(rows: list[Any], labels: Labels) -> None:
    message = _message([(rows, Action.INFORMATION, (FLOW, Context.DATAFLOW))], labels=labels)
    plain = [n for n in KINDS if not isinstance(KINDS[n], pl.List) and n != "SHARE"]
    frame = message.frame.select(c.id for c in STRUCTURE.components if c.id in plain)
    flat = DataMessage.of(FLOW, frame, "r", MOMENT, labels=labels)
    _same(flat, _again(FORMATS["csv10"], flat))


def test_a_text_of_a_hundred_digits_keeps_them_all() -> None:
    digits = "1" * 50 + "." + "2" * 50
    rows = [{**FULL_KEY, "SHARE": digits, "OBS_VALUE": -0.0}]
    message = _message([(rows, Action.MERGE, (FLOW, Context.DATAFLOW))])
    row = _again(FORMATS["csv21"], message).frame.row(0, named=True)
    assert row["SHARE"] == digits
    assert math.copysign(1, row["OBS_VALUE"]) == -1


def test_what_is_deleted_is_marked_and_wildcards_stay_empty() -> None:
    kinds = {"AREA": KINDS["AREA"], "SEX": KINDS["SEX"], "COMMENT": pl.String()}
    frame = pl.DataFrame(
        {"AREA": ["AT", None], "SEX": [None, None], "COMMENT": ["-", None]}, schema=kinds
    )
    message = DataMessage((DataSet(FLOW, frame, Action.DELETE),), "r", MOMENT)
    written = b"".join(FORMATS["csv21"].write(message))
    assert written == (
        b"STRUCTURE,STRUCTURE_ID,ACTION,AREA,SEX,COMMENT\r\n"
        b"dataflow,SIS:DF(1.0.0),D,AT,,-\r\ndataflow,SIS:DF(1.0.0),D,,,\r\n"
    )
    _same(message, _again(FORMATS["csv21"], message))


@pytest.mark.parametrize("action", [Action.MERGE, Action.REPLACE, Action.INFORMATION])
@pytest.mark.parametrize("labels", list(Labels))
def test_a_dimension_that_a_row_does_not_hang_on_is_switched_off(
    action: Action, labels: Labels
) -> None:
    """SDMX-CSV 2.1, "Further details for data actions": omitted, it would be a bulk merge."""
    rows = [FULL_KEY | {"N": 1}, {"AREA": "AT", "COMMENT": "x"}, {"COMMENT": "y"}]
    message = _message([(rows, action, (FLOW, Context.DATAFLOW))], labels=labels, keys=Keys.OBS)
    text = b"".join(FORMATS["csv21"].write(message)).decode()
    head, *written, _ = (next(csv.reader([line])) for line in text.split("\r\n"))
    places = [head.index(next(t for t in head if t.partition(":")[0] == one)) for one in FULL_KEY]
    keys = [[row[place].partition(":")[0] for place in places] for row in written]
    assert keys == [["AT", "F", "2020"], ["AT", "~", "~"], ["~", "~", "~"]]
    _same(message, _again(FORMATS["csv21"], message))
    # The guide of 2.0.0 knows no such mark: what is not filled is left empty.
    older = b"".join(FORMATS["csv20"].write(message)).decode()
    assert "~" not in older


def test_a_span_of_validity_goes_into_columns_of_its_own() -> None:
    frame = pl.DataFrame([FULL_KEY | {"N": 1}]).cast({"AREA": KINDS["AREA"], "SEX": KINDS["SEX"]})
    spans = (
        DataSet(FLOW, frame, Action.REPLACE, MOMENT, datetime(2027, 1, 1, tzinfo=UTC)),
        DataSet(FLOW, frame, Action.REPLACE, datetime(2027, 1, 1, tzinfo=UTC)),
    )
    again = _again(FORMATS["csv21"], DataMessage(spans, "r", MOMENT))
    assert [(one.valid_from, one.valid_to) for one in again.datasets] == [
        (one.valid_from, one.valid_to) for one in spans
    ]
    assert again.passed_over == ()


def test_keys_stand_before_the_components_and_leave_out_what_is_at_the_observation() -> None:
    frame = pl.DataFrame([FULL_KEY | {"N": 1}])
    by_time = DataMessage.of(FLOW, frame, "r", MOMENT, keys=Keys.BOTH, action=Action.MERGE)
    header, row, _ = b"".join(FORMATS["csv21"].write(by_time)).decode().split("\r\n")
    assert header == "STRUCTURE,STRUCTURE_ID,ACTION,SERIES_KEY,OBS_KEY,AREA,SEX,TIME_PERIOD,N"
    assert row == "dataflow,SIS:DF(1.0.0),M,AT.F,AT.F.2020,AT,F,2020,1"
    by_sex = DataMessage.of(FLOW, frame, "r", MOMENT, keys=Keys.SERIES, observed_by="SEX")
    assert b",AT.2020,AT,F,2020,1" in b"".join(FORMATS["csv21"].write(by_sex))


@pytest.mark.parametrize(
    ("periods", "dates"),
    [
        (["2020", "2020-02"], ["2020-01-01", "2020-02-01"]),
        (["2020-Q2", "2020-S2", "2020-T3"], ["2020-04-01", "2020-07-01", "2020-09-01"]),
        # ISO 8601: the week with the first Thursday is the first.
        (["2020-W01", "2021-W01", "2020-W53"], ["2019-12-30", "2021-01-04", "2020-12-28"]),
        (["2020-D060", "2020-A1", "2020-M12"], ["2020-02-29", "2020-01-01", "2020-12-01"]),
        (["2020", "2020-05-01T10:00:00"], ["2020-01-01T00:00:00", "2020-05-01T10:00:00"]),
        (["2020-05-01/P1M", "never"], ["2020-05-01", "never"]),
    ],
)
def test_normalised_periods_are_the_first_day_of_each(periods: list[str], dates: list[str]) -> None:
    frame = pl.DataFrame([FULL_KEY | {"TIME_PERIOD": period} for period in periods])
    message = DataMessage.of(FLOW, frame, "r", MOMENT, time_format=TimeFormat.NORMALIZED)
    _, *rows, _ = b"".join(FORMATS["csv20"].write(message)).decode().split("\r\n")
    assert [row.rpartition(",")[2] for row in rows] == dates


@pytest.mark.parametrize(("labels", "keys"), [(Labels.NAME, Keys.NONE), (Labels.ID, Keys.SERIES)])
def test_version_10_refuses_columns_it_does_not_have(labels: Labels, keys: Keys) -> None:
    frame = pl.DataFrame([FULL_KEY])
    with pytest.raises(NotAcceptable, match=r"SDMX-CSV 1\.0"):
        list(
            FORMATS["csv10"].write(
                DataMessage.of(FLOW, frame, "r", MOMENT, labels=labels, keys=keys)
            )
        )


@pytest.mark.parametrize(
    ("name", "words"),
    [("SHARE", "several measures"), ("WORD", "several values"), ("NOTE", "several languages")],
)
def test_version_10_refuses_what_it_has_no_place_for(name: str, words: str) -> None:
    rows = [{**FULL_KEY, "OBS_VALUE": 1.0, "SHARE": "2"}]
    frame = _message([(rows, Action.INFORMATION, (FLOW, Context.DATAFLOW))]).frame
    columns = ["AREA", "SEX", "TIME_PERIOD", "OBS_VALUE", name]
    with pytest.raises(NotAcceptable, match=words) as refused:
        FORMATS["csv10"].write(DataMessage.of(FLOW, frame.select(columns), "r", MOMENT))
    assert "csv21" in str(refused.value.hint)


HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,AREA,SEX,TIME_PERIOD"


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ("", "record 1", "the term STRUCTURE"),
        ("DATAFLOW,AREA\nx,y\n", "record 1", "the term STRUCTURE"),
        ("STRUCTURE,ACTION\ndataflow,I\n", "record 1, column 2", "STRUCTURE_ID"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),I,AT,F,2020\n", "record 2", "7 fields"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,1\n" * 2, "record 3", "dataflow"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),X,AT,F,2020,1\n", "2, column ACTION", "one of A"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),Merge,AT,F,2020,1\n", "record 2", "one letter"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),,AT,F,2020,1\n", "record 2", "one of A"),
        (f"{HEAD},N\ndataset,SIS:DF(1.0.0),I,AT,F,2020,1\n", "column STRUCTURE", "dataflow"),
        (f"{HEAD},N\ndataflow,DF,I,AT,F,2020,1\n", "STRUCTURE_ID", r"AGENCY:ID\(VERSION\)"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),I,XX,F,2020,1\n", "record 2, column AREA", "CL_AREA"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,1.5\n", "column N", "whole number"),
        (f"{HEAD},N\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,9e9\n", "column N", "whole number"),
        (f"{HEAD},OBS_VALUE\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,1e999\n", "OBS_VALUE", "64 bits"),
        (f"{HEAD},OBS_VALUE\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,#N/A\n", "OBS_VALUE", "NaN"),
        (f"{HEAD},SHARE\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,1e5\n", "SHARE", "decimal"),
        (f"{HEAD},N,N\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,1,1\n", "column 8", "once"),
        (f"{HEAD.replace('N,', 'N,OBS_KEY,', 1)}\ndataflow,SIS:DF(1.0.0),I,AT.M.2020,AT,F,2020\n",
         "record 2, column OBS_KEY", "joined by dots"),
        (f"{HEAD.replace('N,', 'N,SERIES_KEY,', 1)}\ndataflow,SIS:DF(1.0.0),I,AT.2021,AT,F,2020\n",
         "record 2, column SERIES_KEY", "joined by dots"),
        (f"{HEAD},WORD[]\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,a;b\n", "column 7", "separator"),
        (f"{HEAD},COMMENT\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,\"a\n", "line 2", "whole field"),
        (f'{HEAD},COMMENT\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,5" pipe "x"\n', "line 2", "whole"),
        (f'{HEAD},COMMENT\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,"a" b""\n', "line 2", "whole field"),
        (f"{HEAD},NO.SUCH[]\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,a\n", "column 7", "component"),
        (f"{HEAD.replace('RE,', 'RE[;],', 1)},N[]\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,1;2\n",
         "column N", "takes no more"),
        (f"{HEAD.replace('RE,', 'RE[;],', 1)},NOTE[en]\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,text\n",
         "NOTE", "a language"),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_refused_with_its_place(text: str, where: str, expected: str) -> None:
    read = FORMATS["csv21"].read
    assert read is not None
    with pytest.raises(DataError, match=expected) as refused:
        read(text.encode(), Known())
    assert where in refused.value.where
    assert refused.value.expected


def test_a_message_that_is_not_utf_8_is_refused() -> None:
    read = FORMATS["csv21"].read
    assert read is not None
    with pytest.raises(DataError, match="UTF-8"):
        read(
            f"{HEAD},COMMENT\ndataflow,SIS:DF(1.0.0),I,AT,F,2020,caf\xe9\n".encode("latin-1"),
            Known(),
        )


def test_one_value_in_a_column_of_several_is_read_as_one() -> None:
    key: dict[str, pl.DataType] = {name: KINDS[name] for name in FULL_KEY}
    single = pl.DataFrame([FULL_KEY | {"WORD": "a;b"}], schema=key | {"WORD": pl.String()})
    several = pl.DataFrame([FULL_KEY | {"WORD": ["a", "b"]}], schema=key | {"WORD": KINDS["WORD"]})
    sets = (DataSet(FLOW, single, Action.MERGE), DataSet(FLOW, several, Action.REPLACE))
    again = _again(FORMATS["csv21"], DataMessage(sets, "r", MOMENT))
    assert [one.collected()["WORD"].to_list() for one in again.datasets] == [
        [["a;b"]],
        [["a", "b"]],
    ]


@pytest.mark.parametrize("labels", [Labels.BOTH, Labels.NAME])
@pytest.mark.parametrize("kind", [pl.String(), pl.Enum(["AT", "NO-1", "#N/A", "XX"])])
def test_a_code_without_a_name_is_written_as_it_is(labels: Labels, kind: pl.DataType) -> None:
    codes = ["AT", "XX", "#N/A", None, "AT", "AT"]
    frame = pl.DataFrame({"AREA": pl.Series(codes, dtype=kind), "N": [1] * 6})
    message = DataMessage.of(FLOW, frame, "r", MOMENT, labels=labels)
    _, *rows, _ = b"".join(FORMATS["csv21"].write(message)).decode().split("\r\n")
    read = [next(csv.reader([row])) for row in rows]
    place = 3 if labels is Labels.BOTH else 4
    codes = [row[place].partition(":")[0] for row in read]
    assert codes == ["AT", "XX", "#N/A", "~", "AT", "AT"]  # a row that hangs on no area
    if labels is Labels.NAME:
        assert [bool(row[5]) for row in read] == [True, False, False, False, True, True]
