"""The fast way to read a message and the careful one agree, whatever the message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import SdmxServiceError
from sdmx_service.formats import (
    Action,
    DataMessage,
    DataSet,
    Labels,
    csvrecords,
    data_formats,
    xmlreading,
)
from sdmx_service.formats.jsonvalues import Listed, _python
from sdmx_service.formats.spans import SPARE, Spans, compact
from sdmx_service.formats.textcells import cells
from tests.unit.data_messages import FLOWS, Known, datasets, kind_of, message

FORMATS = {one.name: one for one in data_formats()}
XML = ["structurespecific", "xml30", "xml31", "generic", "generictimeseries"]
NESTED = ["xml30", "xml31"]
CSV = ["csv10", "csv20", "csv21"]
# What the fast way turns to the careful one for, and how it is kept from being tried at all.
FAST = {**dict.fromkeys(XML, (xmlreading, "_read_plain")),
        **dict.fromkeys(CSV, (csvrecords, "_lines"))}  # fmt: skip


def outcome(name: str, content: bytes) -> Any:
    """Return what is read, or what is said against it."""
    read = FORMATS[name].read
    assert read is not None
    try:
        found = read(content, Known())
    except SdmxServiceError as error:
        return type(error), error.as_dict()
    sets = [
        (one.flow, one.action, one.context, one.provision, one.valid_from, one.valid_to,
         one.collected().to_dict(as_series=False), one.schema, one.has_partial_keys)
        for one in found.datasets
    ]  # fmt: skip
    said = (found.release, found.prepared, found.observed_by, found.sender, found.passed_over)
    return repr((sets, said, found.labels, found.separator, found.decimal))


def carefully(name: str, content: bytes) -> Any:
    """Return the same, read without the fast way."""
    module, function = FAST[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, function, lambda *_: None)
        return outcome(name, content)


def alike(name: str, content: bytes) -> None:
    assert outcome(name, content) == carefully(name, content)


def refuse_to_be_careful(patch: pytest.MonkeyPatch) -> None:
    """Make the careful ways fail, so that what is read was read fast."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("read the careful way")

    patch.setattr(csvrecords, "_parsed", never)
    read = xmlreading._read

    def plainly(content: bytes, reader: Any, dialect: Any) -> DataMessage:
        assert reader._apart is not None
        return read(content, reader, dialect)

    patch.setattr(xmlreading, "_read", plainly)


EXAMPLES = 60
KEY = {"AREA": "AT", "SEX": "F", "KIND": "k", "TIME_PERIOD": "2020"}
ROW = KEY | {"OBS_VALUE": 0.5, "N": 7, "STATUS": "A", "UNIT": "PT", "COMMENT": "a, <b> & 'ä'"}


def _table(*rows: dict[str, Any]) -> pl.DataFrame:
    components = FLOWS["DF3"].structure.components
    names = {name for row in rows for name in row}
    schema = {one.id: kind_of(one) for one in components if one.id in names}
    return pl.DataFrame(list(rows), schema=schema)


def _written(name: str, *rows: dict[str, Any], flow: str = "DF", **more: Any) -> bytes:
    return b"".join(FORMATS[name].write(message(DataSet(FLOWS[flow], _table(*rows)), **more)))


LATER = ROW | {"TIME_PERIOD": "2021", "COMMENT": None, "OBS_VALUE": float("nan")}
OTHER = ROW | {"SEX": "M", "STATUS": None}


GROUP = {"AREA": "AT", "SEX": "F", "TITLE": "a group"}
SAID = {"SOURCE": "of all"}
WAYS = [(name, by) for name in XML for by in (None, "AllDimensions", "SEX")]


@pytest.mark.parametrize(("name", "by"), [way for way in WAYS if way[0] != XML[-1] or not way[1]])
def test_values_in_xml_are_read_fast(
    name: str, by: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _written(name, ROW, LATER, OTHER, GROUP, SAID, observed_by=by)
    careful = carefully(name, content)
    refuse_to_be_careful(monkeypatch)
    assert outcome(name, content) == careful
    assert re.search(rb"><(generic:)?Obs", content)
    indented = re.sub(rb"><((generic:)?(Obs|Attributes|SeriesKey|Value))", rb">\r\n\t <\1", content)
    assert outcome(name, indented) == careful
    told = content.replace(b"?>\n", b"?><!-- <Obs/> from elsewhere -->\n", 1)
    assert outcome(name, told) == careful


@pytest.mark.parametrize("name", XML)
def test_bytes_that_are_no_text_are_read_alike(name: str) -> None:
    content = _written(name, ROW, LATER)
    for match in re.finditer(rb"[<>\"]", content):
        alike(name, content[: match.end()] + b"\xff" + content[match.end() :])


SEVERAL = ROW | {
    "TAG": ["P", "Q"], "RATES": [0.5, float("nan")], "WORD": ["a", "", 'b "c" > d', "l\nm"],
    "NOTE": [{"lang": "en", "text": "<a> & 'b' \"c\""}, {"lang": "fr", "text": ""}],
    "NOTES": [[{"lang": "en", "text": "x"}],
              [{"lang": "de", "text": "ä"}, {"lang": "en", "text": "y"}]],
}  # fmt: skip
NEXT = SEVERAL | {"TIME_PERIOD": "2021", "TAG": ["Q"], "RATES": None, "NOTE": None}


@pytest.mark.parametrize("by", [None, "AllDimensions", "SEX"])
@pytest.mark.parametrize("name", NESTED)
def test_several_values_and_languages_are_read_fast(
    name: str, by: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _written(name, SEVERAL, NEXT, OTHER, GROUP, flow="DF3", observed_by=by)
    assert content.count(b"<Comp") >= 7
    careful = carefully(name, content)
    refuse_to_be_careful(monkeypatch)
    assert outcome(name, content) == careful
    indented = re.sub(rb"><(Obs|Comp|Value|common:Text)", rb">\n  <\1", content)
    assert outcome(name, indented) == careful


@pytest.mark.parametrize("name", CSV)
def test_a_record_a_line_is_read_fast(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _written(name, ROW, LATER, OTHER)
    assert b'"' in content
    careful = carefully(name, content)
    refuse_to_be_careful(monkeypatch)
    assert outcome(name, content) == careful


@pytest.mark.parametrize("name", XML)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_message_in_xml_is_read_alike(name: str, data: st.DataObject) -> None:
    flow = FLOWS["DF3" if name in NESTED else "DF"]
    actions = (Action.INFORMATION, Action.APPEND, Action.REPLACE)
    most = 1 if name == "generictimeseries" else 2
    sets = data.draw(st.lists(datasets(flow, actions=actions), min_size=1, max_size=most))
    by = data.draw(st.sampled_from([None, "AllDimensions"] if name in NESTED else [None]))
    alike(name, b"".join(FORMATS[name].write(message(*sets, observed_by=by))))


@pytest.mark.parametrize("name", CSV[1:])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_message_in_csv_is_read_alike(name: str, data: st.DataObject) -> None:
    one = data.draw(datasets(FLOWS["DF3"]))
    labels = data.draw(st.sampled_from([Labels.ID, Labels.BOTH]))
    mark = data.draw(st.sampled_from([",", ";", "\t"]))
    written = FORMATS[name].write(message(one, labels=labels, separator=mark))
    alike(name, b"".join(written))


XML_PARTS = [
    b"", b"<Obs/>", b"</Obs>", b"</Series>", b"<Series>", b"<Group>", b"</Group>", b"<Atts/>",
    b'<Obs TIME_PERIOD="2022"/>', b'<Obs TIME_PERIOD="2022"></Obs>', b"<Obs TIME_PERIOD='2022'/>",
    b'<Series AREA="AT" SEX="F" KIND="x"/>', b'<Series AREA="AT" SEX="F" KIND="x"></Series>',
    b'<Group xsi:type="ns1:PLACE" AREA="AT" SEX="M" TITLE="t"/>', b'<Group type="x"/>',
    b'<Atts SOURCE="s"/>', b"<!-- <Obs/> -->", b"<?x y?>", b"<![CDATA[x]]>", b"x", b"\n", b"<",
    b'"', b" ", b"&amp;", b"&#x41;", b"&x;", b"&", b"\t", b"\r\n", b"\xff", b"\xef\xbf\xbf", b"\0",
    b' N="1"', b' N="1" N="1"', b' STATUS="#N/A"', b' N="#N/A"', b' OBS_VALUE="NaN"', b' X="1"',
    b' OBS_VALUE=" 1 "', b' OBS_VALUE="INF"', b' OBS_VALUE="inf"', b' xmlns="u"', b' xml:id="a"',
    b'<Comp id="COMMENT"><Value>v</Value></Comp>', b"<Obs", b"/>", b">", b"=",
    b"</message:DataSet>", b"<message:DataSet>", b"xmlns:xsi", b"\xc3\xa4", b"ObsX",
    b' COMMENT="&lt;&amp;gt;&#10;"',
]  # fmt: skip
NESTED_PARTS = [
    b"<Value>", b"</Value>", b"<Value/>", b"<Value></Value>", b"<Value>P</Value>", b"<Value >",
    b"<common:Text>", b"</common:Text>", b"<common:Text>t</common:Text>", b"<common:Text/>",
    b'<common:Text xml:lang="fr">t</common:Text>', b'<Comp id="TAG"><Value>P</Value></Comp>',
    b'<Comp id="TAG"/>', b'<Comp id="X">', b"</Comp>", b' id="WORD"', b' xml:lang="en"', b"]]>",
    b'"', b"'", b">", b"&lt;", b"\r", b"\n", b"x", b"<Obs", b' TAG="P"', b' WORD="a"', b"</Obs>",
    b' xml:lang=""', b'<Comp id="OBS_VALUE"><Value>1</Value></Comp>',
    b"<Text>", b'<Comp id="COMMENT"><Value>v</Value></Comp>', b"<!-- x -->", b"<![CDATA[x]]>",
]  # fmt: skip
GENERIC_PARTS = [
    b"", b"<generic:Obs>", b"</generic:Obs>", b"<generic:Obs/>", b"<generic:Attributes>", b"x",
    b"</generic:Attributes>", b"<generic:Attributes/>", b"<generic:Series>", b"</generic:Series>",
    b'<generic:Value id="STATUS" value="A"/>', b'<generic:Value id="KIND" value="k"/>', b"&amp;",
    b'<generic:Value value="A" id="STATUS"/>', b'<generic:Value id="X" value="A"/>', b"\n", b"&",
    b'<generic:ObsValue value="1"/>', b'<generic:ObsValue id="N" value="1"/>', b"<!-- x -->",
    b"</generic:SeriesKey>", b'<generic:ObsDimension value="2022"/>', b"<generic:SeriesKey>",
    b'"', b"<", b">",
    b'<generic:ObsDimension id="SEX" value="F"/>', b' id="N"', b' value="7"', b'"x"', b'"NaN"',
    b"<Obs/>", b"</message:DataSet>", b'"2020-13"', b'"AT"', b"xmlns:generic", b"\r\n", b"/>",
    b'<generic:Group type="PLACE">', b"</generic:Group>", b'<common:Annotations/>', b' type="x"',
]  # fmt: skip
CSV_PARTS = [
    b"", b",", b'"', b'""', b'"a"', b'"a""b"', b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3\xa4",
    b" ", b"~", b"#N/A", b"NaN", b"nan", b"INF", b"inf", b" 1", b"1", b"+1", b"1e400", b"X",
    b'"a,b"', b'"a\nb"', b';', b"\t", b",,", b',""', b"D", b"M", b"SIS:DF(1.0.0): label",
    b"\xef\xbb\xbf",
]  # fmt: skip


def _spoilt(
    data: st.DataObject, content: bytes, tokens: re.Pattern[bytes], parts: list[bytes]
) -> bytes:
    """Return a message with some of its tokens replaced, taken away or added to."""
    for _ in range(data.draw(st.integers(1, 2))):
        places = [match.span() for match in tokens.finditer(content)]
        begin, end = data.draw(st.sampled_from(places))
        part = data.draw(
            st.sampled_from(parts) | st.sampled_from([content[a:b] for a, b in places])
        )
        begin = end if data.draw(st.booleans()) else begin
        content = content[:begin] + part + content[end:]
    return content


@pytest.mark.parametrize("name", XML)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_spoilt_message_in_xml_is_read_alike(name: str, data: st.DataObject) -> None:
    content = _written(name, SAID, GROUP, ROW, LATER, OTHER)
    tokens = re.compile(rb'<[A-Za-z:/]+|"[^"]*"|[A-Z_a-z:]+=|/?>')
    alike(name, _spoilt(data, content, tokens, XML_PARTS if name in XML[:3] else GENERIC_PARTS))


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_spoilt_message_of_several_values_is_read_alike(data: st.DataObject) -> None:
    content = _written("xml31", SEVERAL, NEXT, OTHER, flow="DF3")
    tokens = re.compile(rb'<[A-Za-z:/]+>?|"[^"]*"|[A-Z_a-z:]+=|/?>')
    alike("xml31", _spoilt(data, content, tokens, NESTED_PARTS))


@pytest.mark.parametrize("name", CSV)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_spoilt_message_in_csv_is_read_alike(name: str, data: st.DataObject) -> None:
    content = _written(name, ROW, LATER, OTHER)
    tokens = re.compile(rb'"[^"]*"|[^",\r\n]+|,|\r\n')
    alike(name, _spoilt(data, content, tokens, CSV_PARTS))


@pytest.mark.parametrize("size", [1, 100, 1000])
@pytest.mark.parametrize("by", [None, "AllDimensions"])
@pytest.mark.parametrize("name", ["xml31", "generic"])
def test_a_data_set_is_read_alike_wherever_it_is_cut(
    name: str, size: int, by: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        ROW | {"KIND": f"k{k}", "TIME_PERIOD": str(year)}
        for k in range(9)
        for year in range(2000, 2009)
    ]
    content = _written(name, *rows, observed_by=by)
    careful = carefully(name, content)
    monkeypatch.setattr("sdmx_service.formats.xmlplain._BLOCK", size)
    refuse_to_be_careful(monkeypatch)
    assert outcome(name, content) == careful


@given(st.lists(st.text(max_size=20), min_size=1))
def test_texts_of_a_block_are_those_between_their_ends(words: list[str]) -> None:
    encoded = [word.encode("utf-8", "replace") for word in words]
    block, begins, ends = b"", [], []
    for word in encoded:
        begins.append(len(block))
        block += word
        ends.append(len(block))
    spans = Spans.of(block + bytes(SPARE), *map(_places, (begins, ends)))
    expected = [word.decode() for word in encoded]
    assert spans.texts.to_list() == expected
    assert compact(spans.texts).to_list() == expected


def _places(numbers: list[int]) -> Any:
    return pl.Series(numbers, dtype=pl.Int64).to_numpy()


NUMBERS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**70), 2**70)
    | st.booleans()
    | st.none()
)
VALUES = NUMBERS | st.sampled_from(["NaN", "INF", "-INF", "inf", "1.5", " 1", "#N/A", "x", "", "7"])


@pytest.mark.parametrize("name", ["OBS_VALUE", "N", "SHARE", "STATUS", "COMMENT"])
@settings(max_examples=60, deadline=None)
@given(given_=st.lists(VALUES, min_size=1, max_size=4))
def test_values_in_json_are_read_alike_alone_and_together(name: str, given_: list[Any]) -> None:
    """A column of many values is read at once, and each value of it by itself."""
    component = FLOWS["DF"].structure.by_id[name]
    listed = Listed(component, {"id": name}, "here", False)

    def result(make: Callable[[], pl.Series]) -> Any:
        try:
            column = make()
        except SdmxServiceError as error:
            return error.as_dict()
        return repr(column.to_list()), column.dtype

    each = [_python(one) for one in given_]
    careful = result(lambda: cells(component, each, lambda at: f"row {at}", False))
    assert result(lambda: listed.column(given_, lambda at: f"row {at}")) == careful
