"""A message with a fault is refused with its place, what stands there and what should."""

from __future__ import annotations

import gzip
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sdmx_service.errors import DataError
from sdmx_service.formats import Action, DataMessage, DataSet, data_formats
from tests.unit.data_messages import FLOWS, Known, kind_of, message

FORMATS = {one.name: one for one in data_formats() if one.read}
KEY = {"AREA": "AT", "SEX": "F", "KIND": "k", "TIME_PERIOD": "2020"}
ROWS = [
    KEY | {"OBS_VALUE": 0.5, "N": 7, "UNIT": "PT", "STATUS": "A", "COMMENT": "ä"},
    KEY | {"TIME_PERIOD": "2021", "OBS_VALUE": 1.5, "N": 8, "UNIT": "PT", "STATUS": "A"},
]
TEXT = ["csv10", "csv21", "generic", "generictimeseries", "structurespecific", "xml30", "xml31",
        "json10", "json21"]  # fmt: skip


def written(name: str) -> bytes:
    kinds = {one.id: kind_of(one) for one in FLOWS["DF"].structure.components if one.id in ROWS[0]}
    data = DataSet(FLOWS["DF"], pl.DataFrame(ROWS, schema=kinds))
    return b"".join(FORMATS[name].write(message(data)))


def read(name: str, content: bytes | Path) -> DataMessage:
    reader = FORMATS[name].read
    assert reader is not None
    return reader(content, Known())


def refused(name: str, content: bytes | Path) -> DataError:
    with pytest.raises(DataError) as found:
        read(name, content)
    error = found.value
    assert error.where
    assert error.got is not None
    assert error.expected
    assert "Traceback" not in str(error)
    return error


def test_messages_are_read_as_they_were_written() -> None:
    for name in TEXT:
        assert read(name, written(name)).frame.height == 2


ANYWHERE: dict[str, tuple[Any, str]] = {
    "gzip": (gzip.compress, "a gzip file"),
    "zip": (lambda content: _zipped(content), "a zip archive"),
    "Parquet": (lambda _: b"PAR1\x15\x04", "a Parquet file"),
    "Latin-1": (lambda content: content.decode().encode("latin-1"), "(?i)byte"),
    "UTF-16": (lambda content: content.decode().encode("utf-16"), "byte|another encoding"),
    "cut off": (lambda content: content[:-25], "fields|expected '>'|end of data"),
    "cut in half": (
        lambda content: content[: len(content) * 3 // 5],
        "fields|[Tt]ag|>|end of|'|attribute",
    ),
    "nothing": (lambda _: b"", "|empty"),
    "a web page": (lambda _: b"<!DOCTYPE html><html>no</html>", "html|type declaration|unexpected"),
}


def _zipped(content: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("message", content)
    return out.getvalue()


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("fault", ANYWHERE)
def test_what_is_no_message_says_what_it_is(name: str, fault: str, tmp_path: Path) -> None:
    spoil, words = ANYWHERE[fault]
    spoilt = spoil(written(name))
    error = refused(name, spoilt)
    assert re.search(words, str(error.got)), error
    assert re.search(r"line [1-9]|record [1-9]|message", error.where), error
    file = tmp_path / "message"
    file.write_bytes(spoilt)
    assert refused(name, file).as_dict() == error.as_dict()


XML = ["generic", "structurespecific", "xml30", "xml31"]
NUMBERS = ["0,5", "1.234,5", "1 234", "1_000", "0x1F", "n/a", ":", "0.5 p", "\u22120.5", "50%",
           "\u0665", "nan", "Infinity", "1e400", ""]  # fmt: skip


SPELT = [(name, number) for name in [*XML, "csv21", "json21"] for number in NUMBERS]


@pytest.mark.parametrize(("name", "number"), [one for one in SPELT if one != ("csv21", "")])
def test_what_only_looks_like_a_number_is_none(name: str, number: str) -> None:
    content, found = written(name), b"0.5"
    quoted = f'"{number}"'.encode()
    if name.startswith("json"):
        content = content.replace(b"[0.5", b"[" + quoted)
    elif name.startswith("csv"):
        content = content.replace(found, quoted)
    else:
        content = content.replace(b'"0.5"', quoted)
    error = refused(name, content)
    assert "OBS_VALUE" in error.where
    assert "number" in str(error.expected)
    assert error.got == number


# What is replaced by what in a format, and what is said: where, got, expected.
FAULTS: list[tuple[str, bytes, bytes, str, str, str]] = [
    ("xml31", b'STATUS="A"', b'STATUS="Z"', "observation 1, STATUS", "Z", "CL_STATUS"),
    ("generic", b'"AT"', b'"XX"', "observation 1, AREA", "XX", "a code of CL_AREA"),
    ("csv10", b",AT,", b",XX,", "record 2, column AREA", "XX", "a code of CL_AREA"),
    ("csv21", b",F,", b",f,", "record 2, column SEX", "f", "a code of CL_SEX"),
    ("csv21", b",F,", b",F ,", "record 2, column SEX", "F ", "a code of CL_SEX"),
    ("json21", b'"id":"AT"', b'"id":"XX"', "AREA", "XX", "a code of CL_AREA"),
    ("xml31", b' STATUS="', b' STATIS="', "observation 1", "STATIS", "a component of DSD"),
    ("json10", b'"id":"STATUS"', b'"id":"STATIS"', "attributes", "STATIS", "a component of DSD"),
    ("structurespecific", b' KIND="k"', b"", "observation 1", "no KIND", "each dimension"),
    ("generic", b'<generic:Value id="KIND" value="k"/>', b"", "observation 1", "no KIND", "each"),
    ("csv10", b",k,2020", b",,2020", "record 2, column KIND", "nothing", "each dimension"),
    ("csv21", b",k,2020", b",,2020", "row 1, KIND", "beside a value of OBS_VALUE", "each dimens"),
    ("csv21", b"TIME_PERIOD", b"time_period", "row 1, TIME_PERIOD", "OBS_VALUE", "each dimension"),
    ("csv10", b"TIME_PERIOD", b"time_period", "record 1", "no column TIME_PERIOD", "each dimens"),
    ("xml31", b'"2020"', b'"2020-13"', "row 1, TIME_PERIOD", "2020-13", "a period"),
    ("generic", b'"2021"', b'"2021Q1"', "row 2, TIME_PERIOD", "2021Q1", "a period"),
    ("csv21", b",2021,", b",20-21,", "row 2, TIME_PERIOD", "20-21", "a period"),
    ("json21", b'"2021"', b'"next year"', "TIME_PERIOD", "next year", "a period"),
    ("csv21", b",7,", b",7.0,", "record 2, column N", "7.0", "a whole number"),
    ("xml31", b'N="7"', b'N="9223372036854775808"', "N", "9223372036854775808", "64 bits"),
    ("csv21", b",I,", b",X,", "record 2, column ACTION", "X", "one of"),
    ("generic", b'action="Information"', b'action="Update"', "action", "Update", "Information"),
    ("xml31", b'data:action="Information"', b'data:action="Information" action="Delete"',
     "data set 1, action", "Information and Delete", "one action"),
    ("xml31", b'structureRef="DSD"', b'structureRef="X"', "structureRef", "X", "one of DSD"),
    ("generic", b'tion="TIME_PERIOD"', b'tion="FOO"', "dimensionAtObservation", "FOO", "AREA"),
    ("generic", b'<generic:Value id="N" value="7"/>', b'<generic:Value id="N" value="7"/>' * 2,
     "line 2, N", "a second value", "one of each"),
    ("generic", b'<generic:Value id="N" value="7"/>', b'<generic:Value id="SEX" value="F"/>',
     "line 2, SEX", "a dimension", "no dimension"),
    ("generic", b'<generic:Value id="KIND" value="k"/>',
     b'<generic:Value id="KIND" value="k"/><generic:Value id="UNIT" value="PT"/>',
     "line 2, UNIT", "a attribute", "a dimension"),
    ("generic", b'<generic:ObsValue value="0.5"/>', b'<generic:ObsValue value="0.5"/>' * 2,
     "line 2", "ObsValue", "the schema of SDMX-ML 2.1"),
    ("xml31", b"</message:DataSet>", b"<message:DataSet/></message:DataSet>", "data set 1",
     "within another", "one after the other"),
    ("csv21", b"COMMENT", b"N", "record 1, column", "N", "each column once"),
    ("xml31", b'"UTF-8"', b'"ISO-8859-1"', "line 1", "another encoding", "UTF-8"),
    ("json21", b'"0:0:0"', b'"0:0:7"', "series 0:0:7, KIND", "7", "an index"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "where", "got", "expected"), FAULTS)
def test_a_fault_is_named(
    name: str, old: bytes, new: bytes, where: str, got: str, expected: str
) -> None:
    content = written(name)
    assert old in content
    error = refused(name, content.replace(old, new, 1))
    assert where in error.where, error
    assert got in str(error.got), error
    assert expected in str(error.expected), error


def test_a_comp_after_an_observation_is_refused() -> None:
    content = written("xml31").replace(
        b"</Series>", b'<Comp id="COMMENT"><Value>v</Value></Comp></Series>'
    )
    assert "a Comp after an Obs" in str(refused("xml31", content))


TWICE = {
    "csv10": rb"(SIS:DF[^\n]*\n)",
    "csv21": rb"(dataflow,[^\n]*\n)",
    "generic": rb"(<generic:Obs>.*?</generic:Obs>)",
    "generictimeseries": rb"(<generic:Obs>.*?</generic:Obs>)",
    "structurespecific": rb"(<Obs [^>]*/>)",
    "xml31": rb"(<Obs [^>]*/>)",
}


@pytest.mark.parametrize("name", TWICE)
def test_an_observation_given_twice_is_refused(name: str) -> None:
    """The XML Schemas of the standard say so of ObsType, and cannot hold a message to it."""
    twice = re.sub(TWICE[name], rb"\1\1", written(name), count=1)
    error = refused(name, twice)
    assert error.where == "data set 1, AT.F.k.2020"
    assert error.got == "this observation in rows 1 and 2"
    assert error.hint == "they say the same"
    other = re.sub(rb"0\.5", b"0.75", twice, count=1)
    assert refused(name, other).hint == "they say different things"


@pytest.mark.parametrize("name", ["json10", "json21"])
@pytest.mark.parametrize("space", [b"", b" "])
def test_a_name_given_twice_is_refused_in_json(name: str, space: bytes) -> None:
    content = written(name)
    one = rb'"observations":\{("0"):(\[[^]]*\])'
    twice = re.sub(one, rb'"observations":{\1' + space + rb":\2,\1:\2", content, count=1)
    assert twice != content
    assert refused(name, twice).got == "the name 0 twice in an object"
    again = content.replace(b'"0:0:0":', b'"0:0:0"' + space + b':{"observations":{}},"0:0:0":')
    assert refused(name, again).got == "the name 0:0:0 twice in an object"
    said = content.replace("ä".encode(), rb"\"0\":[1],\"0:0:0\": and so on")
    assert read(name, said).frame["COMMENT"][0] == '"0":[1],"0:0:0": and so on'


@pytest.mark.parametrize("name", ["json10", "json21"])
def test_a_period_listed_twice_makes_an_observation_twice_in_json(name: str) -> None:
    content = written(name).replace(b'"2021"', b'"2020"')
    assert "rows 1 and 2" in str(refused(name, content).got)


def test_what_is_deleted_may_be_named_twice() -> None:
    content = written("csv21").replace(b",I,", b",D,").replace(b",2021,", b",2020,")
    (dataset,) = read("csv21", content).datasets
    assert dataset.action is Action.DELETE
    assert dataset.height == 2


def test_each_data_set_may_give_an_observation() -> None:
    """Data sets are worked through one after the other: here a second one replaces it."""
    record = written("csv21").split(b"\r\n")[1]
    content = written("csv21") + record.replace(b",I,", b",R,") + b"\r\n"
    assert [one.height for one in read("csv21", content).datasets] == [2, 1]


@pytest.mark.parametrize("name", ["csv10", "csv21", "generic", "xml31", "json10", "json21"])
def test_a_byte_order_mark_and_other_line_ends_are_fine(name: str) -> None:
    content = written(name)
    plain = read(name, content).frame
    other = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert read(name, b"\xef\xbb\xbf" + other).frame.equals(plain)


def test_a_data_set_may_stand_in_the_namespace_of_its_structure() -> None:
    """As Eurostat writes it; in any other namespace it would be another element."""
    content = re.sub(rb"message:(DataSet[ >])", rb"ns1:\1", written("structurespecific"))
    assert read("structurespecific", content).frame.height == 2
    error = refused("structurespecific", content.replace(b"ns1:DataSet ", b"common:DataSet "))
    assert "common}DataSet" in str(error.got)


@pytest.mark.parametrize("name", ["structurespecific", "xml30", "xml31"])
def test_the_tag_of_a_data_set_may_say_its_action_and_attributes(name: str) -> None:
    """As the Fusion Metadata Registry writes them for the BIS and the IMF."""
    content = written(name).replace(b'data:action="Information"', b'action="Replace" SOURCE="s"')
    (dataset,) = read(name, content).datasets
    assert dataset.action is Action.REPLACE
    assert dataset.collected()["SOURCE"].to_list() == [None, None, "s"]


def test_values_of_generic_data_may_have_end_tags_and_numbered_characters() -> None:
    """As the BIS and INSEE write them."""
    content = re.sub(
        rb"<generic:(Value|ObsValue|ObsDimension)([^>]*)/>",
        rb"<generic:\1\2></generic:\1>",
        written("generic"),
    )
    content = content.replace("ä".encode(), b"r&#xE9;v. &#8364;&amp;#8364;")
    assert read("generic", content).frame["COMMENT"][0] == "rév. €&#8364;"
