"""Tables, spreadsheets and cubes hold what the message holds."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow.parquet
import pytest
from lxml import etree

from sdmx_service.errors import DataError, NotAcceptable
from sdmx_service.formats import Action, DataMessage, DataSet, data_formats
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

FORMATS = {one.name: one for one in data_formats()}
MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _codelist(id: str, *codes: str) -> Codelist:
    listed = tuple(Code(code, {"en": f"Name of {code}"}) for code in codes)
    return Codelist("SIS", id, "1.0.0", {"en": id}, listed)


def _attribute(id: str, **more: Any) -> Component:
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=Attachment.OBSERVATION, **more)


STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {"en": "Structure"},
    (
        Component("REF_AREA", Role.DIMENSION, {"en": "Area"}, _codelist("CL_AREA", "AT", "NO")),
        Component("SEX", Role.DIMENSION, {"en": "Sex"}, _codelist("CL_SEX", "_T", "F", "M")),
        Component("TIME_PERIOD", Role.TIME, {"en": "Time"}),
        Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double"),
        _attribute("OBS_STATUS", codelist=_codelist("CL_OBS_STATUS", "A", "Q")),
        _attribute("COMMENT"),
        _attribute("TAG", codelist=_codelist("CL_TAG", "P", "X"), multiple=True),
        _attribute("NOTE", multilingual=True),
    ),
)
FLOW = Dataflow("SIS", "DF", "1.0.0", {"en": "A flow"}, STRUCTURE)
ROWS: list[dict[str, Any]] = [
    {"REF_AREA": "AT", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": 1.5, "OBS_STATUS": "A",
     "COMMENT": "=cmd|' /C calc'!A0", "TAG": ["P", "X"], "NOTE": None},
    {"REF_AREA": "AT", "SEX": "M", "TIME_PERIOD": "2020", "OBS_VALUE": math.nan, "OBS_STATUS": "Q",
     "COMMENT": "+1, -1", "TAG": None, "NOTE": [{"lang": "en", "text": "x"}]},
    {"REF_AREA": "NO", "SEX": "F", "TIME_PERIOD": "2021", "OBS_VALUE": None, "OBS_STATUS": "Q",
     "COMMENT": "http://example.org", "TAG": ["X"], "NOTE": None},
    {"REF_AREA": "NO", "SEX": "M", "TIME_PERIOD": "2021", "OBS_VALUE": -0.25, "OBS_STATUS": None,
     "COMMENT": None, "TAG": None, "NOTE": None},
]  # fmt: skip
KINDS: dict[str, Any] = {
    **{c.id: pl.Enum(list(c.codelist.by_id)) for c in STRUCTURE.components if c.codelist},
    "TIME_PERIOD": pl.String,
    "OBS_VALUE": pl.Float64,
    "COMMENT": pl.String,
    "TAG": pl.List(pl.Enum(["P", "X"])),
    "NOTE": TEXTS,
}
FRAME = pl.DataFrame(ROWS, schema={c.id: KINDS[c.id] for c in STRUCTURE.components})


class Known:
    """The one structure there is."""

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        assert (agency, id, version) == ("SIS", "DF", "1.0.0")
        return FLOW

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        return STRUCTURE


class Chunked:
    """The same rows as a table that is never whole."""

    schema = FRAME.schema
    height = FRAME.height

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        for offset in range(FRAME.height):
            yield FRAME.slice(offset, 1)


def _message(**more: Any) -> DataMessage:
    return DataMessage.of(FLOW, FRAME, "2026-11-22-ab", MOMENT, url="https://x.org/?a=b", **more)


def _written(name: str, message: DataMessage | None = None) -> bytes:
    return b"".join(FORMATS[name].write(message or _message()))


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_columnar_files_are_read_as_they_were_written(name: str) -> None:
    message = _message(action=Action.REPLACE)
    read = FORMATS[name].read
    assert read is not None
    again = read(_written(name, message), Known())
    assert again.frame.equals(FRAME)
    assert again.frame.schema == FRAME.schema
    assert (again.release, again.prepared) == (message.release, MOMENT)
    assert again.dataset.action is Action.REPLACE


@pytest.mark.parametrize("name", ["parquet", "arrow", "csv21", "table"])
def test_rows_that_come_one_at_a_time_make_the_same_message(name: str) -> None:
    chunked = DataMessage(
        (DataSet(FLOW, Chunked()),), "2026-11-22-ab", MOMENT, url="https://x.org/?a=b"
    )
    if name in ("csv21", "table"):
        assert _written(name, chunked) == _written(name)
        return
    read = FORMATS[name].read
    assert read is not None
    assert read(_written(name, chunked), Known()).frame.equals(FRAME)


def test_a_parquet_file_says_what_it_is_to_any_reader() -> None:
    schema = pyarrow.parquet.read_schema(io.BytesIO(_written("parquet")))
    said = json.loads(schema.metadata[b"sdmx"])
    assert (said["agency"], said["id"], said["version"]) == ("SIS", "DF", "1.0.0")
    assert said["release"] == "2026-11-22-ab"
    assert json.loads(schema.field("SEX").metadata[b"sdmx"])["codelist"] == "SIS:CL_SEX(1.0.0)"
    table = pl.read_parquet(_written("parquet"))
    assert table.get_column("OBS_VALUE").to_list()[0] == 1.5
    assert table.get_column("SEX").cast(pl.String).to_list() == ["F", "M", "F", "M"]


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_columnar_files_of_others_are_refused(name: str) -> None:
    read = FORMATS[name].read
    assert read is not None
    with pytest.raises(DataError, match="expected"):
        read(b"PAR1 nothing", Known())
    out = io.BytesIO()
    table = pl.DataFrame({"a": [1]})
    if name == "parquet":
        table.write_parquet(out)
    else:
        table.write_ipc_stream(out)
    with pytest.raises(DataError, match="no entry sdmx"):
        read(out.getvalue(), Known())


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_a_columnar_file_with_an_observation_twice_is_refused(name: str) -> None:
    read = FORMATS[name].read
    assert read is not None
    twice = DataMessage.of(FLOW, pl.concat([FRAME, FRAME.head(1)]), "r", MOMENT)
    with pytest.raises(DataError, match=r"AT\.F\.2020: expected each observation once"):
        read(_written(name, twice), Known())


def test_the_plain_table_has_names_beside_codes_and_nothing_of_sdmx() -> None:
    text = _written("table").decode("utf-8-sig")
    first, second, *_ = csv.DictReader(io.StringIO(text, newline=""))
    assert list(first)[:5] == ["REF_AREA", "Area", "SEX", "Sex", "TIME_PERIOD"]
    assert (first["SEX"], first["Sex"], first["OBS_VALUE"]) == ("F", "Name of F", "1.5")
    assert (first["TAG"], first["TAG TAG"]) == (
        "P;X", "Name of P;Name of X",
    )  # fmt: skip
    assert second["OBS_VALUE"] == "NaN"


def test_no_text_of_the_plain_table_begins_like_a_formula() -> None:
    text = _written("table").decode("utf-8-sig")
    comments = [row["COMMENT"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert comments == ["'=cmd|' /C calc'!A0", "'+1, -1", "http://example.org", ""]


@pytest.mark.parametrize("name", ["table", "csv21"])
def test_what_is_infinite_is_written_as_xml_schema_has_it(name: str) -> None:
    frame = FRAME.select("REF_AREA", "SEX", "TIME_PERIOD").with_columns(
        OBS_VALUE=pl.Series([math.inf, -math.inf, math.nan, 1.5])
    )
    text = _written(name, DataMessage.of(FLOW, frame, "r", MOMENT)).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    assert [row["OBS_VALUE"] for row in rows] == ["INF", "-INF", "NaN", "1.5"]


def _sheets(content: bytes) -> dict[str, etree._Element]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {
            name: etree.fromstring(archive.read(name))
            for name in archive.namelist()
            if name.startswith("xl/worksheets/sheet")
        }


def _cells(sheets: dict[str, etree._Element], number: int) -> dict[str, Any]:
    """Return what cells hold: texts in line, numbers (ECMA-376, 18.3.1.4)."""
    found: dict[str, Any] = {}
    for cell in sheets[f"xl/worksheets/sheet{number}.xml"].iter(f"{SHEET}c"):
        if cell.get("t") == "inlineStr":
            found[str(cell.get("r"))] = "".join(t.text or "" for t in cell.iter(f"{SHEET}t"))
        else:
            found[str(cell.get("r"))] = float(str(cell.findtext(f"{SHEET}v")))
    return found


def _rows(sheets: dict[str, etree._Element], number: int) -> list[dict[str, Any]]:
    """Return the rows of a table by the titles of its columns; empty cells are left out."""
    found = _cells(sheets, number)
    split = {place: re.fullmatch(r"([A-Z]+)([0-9]+)", place) for place in found}
    titles: dict[str, str] = {}
    rows: dict[int, dict[str, Any]] = {}
    for place, parts in split.items():
        assert parts is not None
        column, row = parts[1], int(parts[2])
        if row == 1:
            titles[column] = found[place]
        else:
            rows.setdefault(row, {})[titles[column]] = found[place]
    return [rows[row] for row in sorted(rows)]


def test_a_spreadsheet_has_no_formula_and_no_link() -> None:
    sheets = _sheets(_written("xlsx"))
    for sheet in sheets.values():
        assert not list(sheet.iter(f"{SHEET}f"))
        assert not list(sheet.iter(f"{SHEET}hyperlink"))
    rows = _rows(sheets, 1)
    assert [row.get("COMMENT") for row in rows[:2]] == ["=cmd|' /C calc'!A0", "+1, -1"]


def test_a_spreadsheet_has_the_data_the_codes_and_where_they_come_from() -> None:
    sheets = _sheets(_written("xlsx"))
    codes, about = (_cells(sheets, number) for number in (2, 3))
    rows = _rows(sheets, 1)
    said = ("REF_AREA", "Area", "SEX", "Sex", "TIME_PERIOD", "OBS_VALUE", "TAG", "TAG TAG")
    assert [rows[0][title] for title in said] == [
        "AT", "Name of AT", "F", "Name of F", "2020", 1.5, "P;X", "Name of P;Name of X",
    ]  # fmt: skip
    assert rows[1]["OBS_VALUE"] == "NaN"
    assert "OBS_VALUE" not in rows[2]
    assert rows[3]["OBS_VALUE"] == -0.25
    assert ("AT", "Name of AT") in {(codes.get(f"C{n}"), codes.get(f"D{n}")) for n in range(2, 12)}
    assert "_T" not in codes.values()
    assert {"SIS:DF(1.0.0)", "2026-11-22-ab", "https://x.org/?a=b"} <= set(about.values())


def test_what_is_said_of_parts_of_the_key_is_not_among_the_observations_of_a_spreadsheet() -> None:
    whole = _message()
    frame = whole.dataset.collected()
    about = {"REF_AREA": ["AT"], "NOTE": [[{"lang": "en", "text": "of all of Austria"}]]}
    frame = frame.with_columns(NOTE=pl.lit(None, TEXTS))
    part = pl.DataFrame(about, schema={name: frame.schema[name] for name in about})
    both = replace(whole.dataset, frame=pl.concat([part, frame], how="diagonal"))
    sheets = _sheets(_written("xlsx", replace(whole, datasets=(both,))))
    alone = replace(whole, datasets=(replace(whole.dataset, frame=frame),))
    assert _rows(sheets, 1) == _rows(_sheets(_written("xlsx", alone)), 1)
    assert _rows(sheets, 2) == [
        {"REF_AREA": "AT", "Area": "Name of AT", "NOTE": "of all of Austria"}
    ]


def test_numbers_of_a_spreadsheet_are_those_of_the_message_to_the_last_digit() -> None:
    exact = [0.1 + 0.2, 0.47595428321815086, 5e-324, 1e22]
    frame = FRAME.with_columns(OBS_VALUE=pl.Series(exact))
    rows = _rows(_sheets(_written("xlsx", DataMessage.of(FLOW, frame, "r", MOMENT))), 1)
    assert [row["OBS_VALUE"] for row in rows] == exact


def test_whole_numbers_that_a_spreadsheet_would_round_are_texts() -> None:
    """Excel keeps fifteen digits of a number (ECMA-376 says: those of a double)."""
    long = [2**53 + 1, 10**15 - 1, -(10**15), None]
    frame = FRAME.with_columns(OBS_VALUE=pl.Series(long, dtype=pl.Int64))
    rows = _rows(_sheets(_written("xlsx", DataMessage.of(FLOW, frame, "r", MOMENT))), 1)
    said = [row.get("OBS_VALUE") for row in rows]
    assert said == ["9007199254740993", 999999999999999.0, "-1000000000000000", None]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('<b> & "c"', '<b> & "c"'),
        ("one\r\ntwo", "one\ntwo"),
        ("\x01", "_x0001_"),  # ST_Xstring, ECMA-376 22.9.2.19
        ("_x0001_", "_x005F_x0001_"),
        (" kept ", " kept "),
        ("\ufffe", "_xFFFE_"),
        ("x" * 32_768, "x" * 32_766 + "…"),
        ("x" * 32_767, "x" * 32_767),
    ],
)
def test_any_text_has_a_form_in_a_spreadsheet(text: str, cell: str) -> None:
    frame = FRAME.with_columns(COMMENT=pl.Series([text, None, "plain", "#N/A"]))
    rows = _rows(_sheets(_written("xlsx", DataMessage.of(FLOW, frame, "r", MOMENT))), 1)
    assert [row.get("COMMENT") for row in rows] == [cell, None, "plain", "#N/A"]


def test_columns_that_say_the_same_in_all_rows_are_folded_and_told_about() -> None:
    frame = FRAME.filter(pl.col("REF_AREA") == "AT")
    sheets = _sheets(_written("xlsx", DataMessage.of(FLOW, frame, "r", MOMENT)))
    columns = sheets["xl/worksheets/sheet1.xml"].iter(f"{SHEET}col")
    folded = [column.get("hidden") == "1" for column in columns]
    titles = list(_rows(sheets, 1)[0])
    hidden = [title for title, fold in zip(titles, folded, strict=False) if fold]
    assert hidden == ["REF_AREA", "Area"]
    assert {"what": "Area, in all rows", "of this file": "Name of AT (AT)"} in _rows(sheets, 3)


@pytest.mark.parametrize("name", ["table", "xlsx"])
def test_people_read_a_text_in_several_languages_in_a_column_each(name: str) -> None:
    texts = [{"lang": "en", "text": "so; it is"}, {"lang": "fr", "text": "voilà"}]
    frame = FRAME.with_columns(NOTE=pl.Series([texts, texts[:1], None, None], dtype=TEXTS))
    written = _written(name, DataMessage.of(FLOW, frame, "r", MOMENT))
    if name == "table":
        rows: Any = csv.DictReader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    else:
        rows = _rows(_sheets(written), 1)
    said = [(row.get("NOTE [en]") or None, row.get("NOTE [fr]") or None) for row in rows]
    assert said == [("so; it is", "voilà"), ("so; it is", None), (None, None), (None, None)]


def test_a_text_in_one_language_needs_no_word_for_it() -> None:
    rows = list(csv.DictReader(io.StringIO(_written("table").decode("utf-8-sig"), newline="")))
    assert [row["NOTE"] for row in rows] == ["", "x", "", ""]


def test_a_spreadsheet_is_the_same_whenever_it_is_asked_for() -> None:
    assert _written("xlsx") == _written("xlsx")


def test_a_spreadsheet_nobody_could_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdmx_service.formats.xlsx.LARGEST", 3)
    with pytest.raises(NotAcceptable, match="at most 3 rows"):
        _written("xlsx")


def _plain(rows: list[dict[str, Any]]) -> DataMessage:
    columns = ["REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS"]
    kinds = {name: KINDS[name] for name in columns}
    frame = pl.DataFrame([{name: row[name] for name in columns} for row in rows], schema=kinds)
    return DataMessage.of(FLOW, frame, "2026-11-22-ab", MOMENT)


def test_a_cube_has_its_cells_in_row_major_order() -> None:
    """JSON-stat 2.0, value: "the last dimension varies fastest"."""
    cube = json.loads(_written("jsonstat", _plain(ROWS)))
    assert (cube["version"], cube["class"]) == ("2.0", "dataset")
    assert (cube["id"], cube["size"]) == (["REF_AREA", "SEX", "TIME_PERIOD"], [2, 2, 2])
    assert cube["role"] == {"time": ["TIME_PERIOD"], "geo": ["REF_AREA"]}
    assert cube["dimension"]["SEX"]["category"] == {
        "index": ["F", "M"], "label": {"F": "Name of F", "M": "Name of M"},
    }  # fmt: skip
    assert cube["value"] == [1.5, None, None, None, None, None, None, -0.25]
    assert cube["status"] == {"0": "A", "2": "Q", "5": "Q"}


def test_a_cube_that_is_mostly_empty_goes_as_its_cells() -> None:
    one, _, _, last = ROWS
    cube = json.loads(_written("jsonstat", _plain([one, last])))
    assert cube["value"] == {"0": 1.5, "7": -0.25}


def test_a_cube_leaves_nothing_out_that_is_said_of_its_cells() -> None:
    """JSON-stat 2.0, extension: "allows JSON-stat to be extended for particular needs"."""
    columns = ["REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "COMMENT"]
    frame = FRAME.select(columns).with_columns(
        COMMENT=pl.Series(["a", None, 'say "so"', "#N/A"]), N=pl.Series([1, 2, None, 4])
    )
    more = (*STRUCTURE.components, _attribute("UNIT", codelist=_codelist("CL_UNIT", "PT")),
            _attribute("SE", data_type="Double"), _attribute("N", data_type="Integer"))  # fmt: skip
    flow = replace(FLOW, structure=replace(STRUCTURE, components=more))
    frame = frame.with_columns(
        UNIT=pl.lit("PT", pl.Enum(["PT"])), SE=pl.Series([0.1, math.nan, None, 0.3])
    )
    cube = json.loads(_written("jsonstat", DataMessage.of(flow, frame, "r", MOMENT)))
    said = cube["extension"]["attributes"]
    assert said["SE"]["value"] == [0.1, None, "NaN", None, None, None, None, 0.3]
    assert said["N"]["value"] == [1, None, 2, None, None, None, None, 4]
    assert said["COMMENT"]["value"] == ["a", None, None, None, None, 'say "so"', None, "#N/A"]
    unit = {"label": "UNIT", "category": {"label": {"PT": "Name of PT"}}, "value": "PT"}
    assert said["UNIT"] == unit
    labels = {"A": "Name of A", "Q": "Name of Q"}
    assert cube["extension"]["status"] == {"label": labels}


def test_a_cube_says_which_codes_are_below_which() -> None:
    """JSON-stat 2.0, child: "the hierarchical relationships between different categories"."""
    listed = STRUCTURE.by_id["SEX"].codelist
    assert listed is not None
    codes = tuple(replace(c, parent=None if c.id == "F" else "F") for c in listed.codes)
    first, second, *others = STRUCTURE.components
    second = replace(second, codelist=replace(listed, codes=codes))
    flow = replace(FLOW, structure=replace(STRUCTURE, components=(first, second, *others)))
    cube = json.loads(_written("jsonstat", replace(
        _plain(ROWS), datasets=(replace(_plain(ROWS).dataset, flow=flow),)
    )))  # fmt: skip
    assert cube["dimension"]["SEX"]["category"]["child"] == {"F": ["M"]}
    assert "child" not in cube["dimension"]["REF_AREA"]["category"]


def test_a_cube_of_too_many_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdmx_service.formats.jsonstat.LARGEST", 7)
    with pytest.raises(NotAcceptable, match="a cube of 8 cells"):
        _written("jsonstat", _plain(ROWS))


def test_a_cube_without_observations_is_empty_and_says_where_it_was_asked_for() -> None:
    address = "http://127.0.0.1/data?format=jsonstat"
    cube = json.loads(_written("jsonstat", replace(_plain([]), url=address)))
    assert (cube["value"], cube["href"]) == ([], address)
    assert cube["size"] == [0] * len(cube["id"])


@pytest.mark.parametrize("name", ["jsonstat", "csv10"])
def test_what_has_no_place_in_a_format_is_refused_with_the_formats_that_have_one(
    name: str,
) -> None:
    with pytest.raises(NotAcceptable, match=r"several values|several languages") as refused:
        FORMATS[name].write(_message())
    assert "parquet" in str(refused.value.hint)
