"""SDMX-ML of every form gives back what it was given."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError, NotAcceptable, NotFound, SdmxServiceError
from sdmx_service.formats import Action, DataSet, data_formats
from tests.unit.data_messages import (
    FLOWS,
    Known,
    again,
    assert_same,
    datasets,
    kind_of,
    message,
)

FORMATS = {one.name: one for one in data_formats()}
BY_TIME = [None, "TIME_PERIOD"]
ANY = [*BY_TIME, "AllDimensions", "SEX"]


@pytest.mark.parametrize("name", ["generic", "structurespecific"])
@settings(max_examples=20, deadline=None)
@given(sets=st.lists(datasets(FLOWS["DF"], partial=True), min_size=1, max_size=2),
       by=st.sampled_from(BY_TIME))  # fmt: skip
def test_ml_21_is_read_as_it_was_written(name: str, sets: list[DataSet], by: str | None) -> None:
    given_ = message(*sets, observed_by=by)
    assert_same(given_, again(FORMATS[name], given_))


@pytest.mark.parametrize("name", ["generic", "structurespecific", "xml30", "xml31"])
@settings(max_examples=20, deadline=None)
@given(sets=st.lists(datasets(FLOWS["DF"], partial=False), min_size=1, max_size=2),
       by=st.sampled_from(["AllDimensions", "SEX"]))  # fmt: skip
def test_any_dimension_may_stand_at_the_observation(
    name: str, sets: list[DataSet], by: str | None
) -> None:
    given_ = message(*sets, observed_by=by)
    assert_same(given_, again(FORMATS[name], given_))


@pytest.mark.parametrize("name", ["xml30", "xml31"])
@settings(max_examples=20, deadline=None)
@given(sets=st.lists(datasets(FLOWS["DF3"]), min_size=1, max_size=2),
       by=st.sampled_from([*BY_TIME, "AllDimensions"]))  # fmt: skip
def test_ml_3_is_read_as_it_was_written(name: str, sets: list[DataSet], by: str | None) -> None:
    given_ = message(*sets, observed_by=by)
    assert_same(given_, again(FORMATS[name], given_))


@pytest.mark.parametrize("name", ["generictimeseries", "structurespecifictimeseries"])
@settings(max_examples=20, deadline=None)
@given(one=datasets(FLOWS["DF"]), by=st.sampled_from(BY_TIME))
def test_time_series_forms_are_read_as_they_were_written(
    name: str, one: DataSet, by: str | None
) -> None:
    given_ = message(one, observed_by=by)
    assert_same(given_, again(FORMATS[name], given_))


@pytest.mark.parametrize("name", ["generic", "structurespecific", "xml30", "xml31"])
@settings(max_examples=20, deadline=None)
@given(one=datasets(FLOWS["DF_NOTIME"]))
def test_a_structure_needs_no_time(name: str, one: DataSet) -> None:
    assert_same(message(one), again(FORMATS[name], message(one)))


KEY = {"AREA": "AT", "SEX": "F", "KIND": "k", "TIME_PERIOD": "2020"}


def _table(*rows: dict[str, Any], flow: str = "DF3") -> pl.DataFrame:
    components = FLOWS[flow].structure.components
    names = {name for row in rows for name in row}
    schema = {one.id: kind_of(one) for one in components if one.id in names}
    return pl.DataFrame(list(rows), schema=schema)


@pytest.mark.parametrize("by", [None, "AllDimensions"])
@pytest.mark.parametrize("name", ["xml30", "xml31"])
def test_a_delete_may_leave_dimensions_out(name: str, by: str | None) -> None:
    frame = _table(
        KEY,
        KEY | {"TIME_PERIOD": "2021", "COMMENT": "-"},
        {"AREA": "AT", "SEX": "M", "KIND": "k"},
        {"AREA": "AT"},
        {"SEX": "M", "TIME_PERIOD": "2020"},
        {},
    )
    given_ = message(DataSet(FLOWS["DF3"], frame, Action.DELETE), observed_by=by)
    assert_same(given_, again(FORMATS[name], given_))


@pytest.mark.parametrize("name", ["generic", "structurespecific"])
def test_a_delete_of_21_names_series_and_observations(name: str) -> None:
    frame = _table(KEY, {"AREA": "AT", "SEX": "M", "KIND": "k"}, flow="DF")
    given_ = message(DataSet(FLOWS["DF"], frame, Action.DELETE))
    assert_same(given_, again(FORMATS[name], given_))
    wild = message(DataSet(FLOWS["DF"], _table({"AREA": "AT"}, flow="DF"), Action.DELETE))
    with pytest.raises(NotAcceptable, match="partial key AREA") as refused:
        FORMATS[name].write(wild)
    assert "SDMX-CSV" in str(refused.value.hint)


def test_marks_of_a_delete_become_valid_values() -> None:
    names = ["OBS_VALUE", "N", "SHARE", "STATUS", "COMMENT"]
    marks = KEY | dict.fromkeys(names, "-")
    schema = {one: pl.Enum([KEY[one]]) if one in ("AREA", "SEX") else pl.String() for one in marks}
    frame = pl.DataFrame([marks], schema=schema)
    written = b"".join(FORMATS["xml31"].write(message(DataSet(FLOWS["DF"], frame, Action.DELETE))))
    assert b'OBS_VALUE="NaN" N="0" SHARE="0" STATUS="A" COMMENT="-"' in written


@pytest.mark.parametrize("name", ["generic", "structurespecific", "xml30", "xml31"])
@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1f", "\ufffe", "\uffff"])
def test_a_character_that_xml_has_no_form_for_is_refused(name: str, character: str) -> None:
    frame = _table(KEY | {"COMMENT": f"a{character}b"}, flow="DF")
    with pytest.raises(NotAcceptable, match=f"U\\+{ord(character):04X}"):
        list(FORMATS[name].write(message(DataSet(FLOWS["DF"], frame))))


@pytest.mark.parametrize(
    ("name", "column", "value", "words"),
    [
        ("generic", "LOWER", "1.5", "several measures"),
        ("structurespecific", "WORD", ["a"], "several values"),
        ("generictimeseries", "NOTE", [{"lang": "en", "text": "a"}], "several languages"),
    ],
)
def test_21_refuses_what_it_has_no_place_for(
    name: str, column: str, value: Any, words: str
) -> None:
    frame = _table(KEY | {"OBS_VALUE": 1.0, column: value})
    with pytest.raises(NotAcceptable, match=words) as refused:
        FORMATS[name].write(message(DataSet(FLOWS["DF3"], frame)))
    assert "xml31" in str(refused.value.hint)


@pytest.mark.parametrize("name", ["xml30", "xml31"])
def test_structured_text_is_refused(name: str) -> None:
    """SDMX 3.0, section 3A, part IV: its representation is complex (StructuredText)."""
    flow = FLOWS["DF"]
    components = tuple(
        replace(one, data_type="XHTML") if one.id == "COMMENT" else one
        for one in flow.structure.components
    )
    flow = replace(flow, structure=replace(flow.structure, components=components))
    dataset = DataSet(flow, _table(KEY | {"COMMENT": "<p>so</p>"}, flow="DF"))
    with pytest.raises(NotAcceptable, match=r"COMMENT: .*XHTML"):
        FORMATS[name].write(message(dataset))


def test_a_measure_of_a_part_of_the_key_is_refused() -> None:
    frame = _table({"AREA": "AT", "OBS_VALUE": 1.0})
    with pytest.raises(NotAcceptable, match="a measure of the partial key AREA"):
        FORMATS["xml31"].write(message(DataSet(FLOWS["DF3"], frame)))


GOOD = b"".join(
    FORMATS["xml31"].write(
        message(DataSet(FLOWS["DF3"], _table(KEY | {"N": 1, "STATUS": "A", "OBS_VALUE": 0.5})))
    )
)


@pytest.mark.parametrize(
    ("found", "replaced", "where", "expected"),
    [
        (b"<?xml", b"<!--x--><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><?xml", "line 1",
         "plain XML"),
        (b'UTF-8"?>', b'UTF-16"?>', "line 1", "UTF-8"),
        (b"</message:DataSet>", b"", "line", "well-formed"),
        (b"StructureSpecificData", b"GenericData", "line", "StructureSpecificData"),
        (b"<message:Test>false", b"<message:Test>maybe", "header", "valid against the schema"),
        (b">urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow", b">urn:sdmx:no", "header",
         "valid against the schema"),
        (b'structureRef="DSD3"', b'structureRef="X"', "data set 1, structureRef", "DSD3"),
        (b'data:action="Information"', b'data:action="Update"', "data set 1, action", "Merge"),
        (b'dimensionAtObservation="TIME_PERIOD"', b'dimensionAtObservation="X"',
         "dimensionAtObservation", "AllDimensions"),
        (b' AREA="AT"', b"", "observation 1", "each dimension"),
        (b' AREA="AT"', b' AREA="XX"', "data set 1, observation 1, AREA", "CL_AREA"),
        (b' N="1"', b' N="1.5"', "observation 1, N", "whole number"),
        (b' N="1"', b' X="1"', "observation 1", "a component of DSD3"),
        (b'OBS_VALUE="0.5"', b'OBS_VALUE="half"', "OBS_VALUE", "a number"),
        (b'OBS_VALUE="0.5"', b'OBS_VALUE="1e999"', "OBS_VALUE", "64 bits"),
        (b"<Series ", b"<Sery/><Series ", "data set 1", "Series"),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_refused_with_its_place(
    found: bytes, replaced: bytes, where: str, expected: str
) -> None:
    read = FORMATS["xml31"].read
    assert read is not None
    read(GOOD, Known())
    assert found in GOOD
    with pytest.raises(DataError, match=expected) as refused:
        read(GOOD.replace(found, replaced), Known())
    assert where in refused.value.where


def test_generic_messages_are_held_to_the_schema() -> None:
    frame = _table(KEY | {"N": 1}, flow="DF")
    written = b"".join(FORMATS["generic"].write(message(DataSet(FLOWS["DF"], frame))))
    read = FORMATS["generic"].read
    assert read is not None
    with pytest.raises(DataError, match=r"schema of SDMX-ML 2\.1"):
        read(written.replace(b"<generic:Obs>", b"<generic:More/><generic:Obs>"), Known())
    with pytest.raises(NotFound):
        read(written.replace(b'id="DF"', b'id="NONE"'), Known())


@pytest.mark.parametrize("name", ["structurespecific", "xml31", "json21"])
def test_a_message_longer_than_a_chunk_is_whole(name: str) -> None:
    rows = [
        KEY | {"KIND": f"k{kind}", "TIME_PERIOD": str(year), "N": year, "COMMENT": "<a>"}
        for kind in range(7)
        for year in range(1000, 9000)
    ]
    long = _table(*rows, flow="DF")
    read = again(FORMATS[name], message(DataSet(FLOWS["DF"], long))).frame
    assert read.select(long.columns).equals(long)


@pytest.mark.parametrize("name", ["generic", "structurespecific", "xml31"])
def test_a_message_that_is_cut_off_is_refused_wherever_it_is(name: str) -> None:
    frame = _table(KEY | {"N": 1}, KEY | {"TIME_PERIOD": "2021", "COMMENT": "<a>"}, flow="DF")
    written = b"".join(FORMATS[name].write(message(DataSet(FLOWS["DF"], frame))))
    read = FORMATS[name].read
    assert read is not None
    for end in range(0, len(written), 11):
        with pytest.raises(DataError):
            read(written[:end], Known())


@pytest.mark.parametrize("name", ["generic", "structurespecific", "xml31"])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_spoilt_message_is_read_or_refused_and_never_breaks_the_reader(
    name: str, data: st.DataObject
) -> None:
    frame = _table(KEY | {"N": 1, "TITLE": "t", "COMMENT": "a"}, flow="DF")
    written = b"".join(FORMATS[name].write(message(DataSet(FLOWS["DF"], frame))))
    tokens = re.findall(rb'<[^>]*>|"[^"]*"|[A-Za-z:]+', written)
    taken, put = data.draw(st.sampled_from(tokens)), data.draw(st.sampled_from([b"", *tokens]))
    read = FORMATS[name].read
    assert read is not None
    with contextlib.suppress(SdmxServiceError):
        read(written.replace(taken, put, 1), Known())
