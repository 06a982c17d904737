"""SDMX-CSV held to the forms of the field guides, to the guides' own messages and to pysdmx."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sdmx_service.errors import DataError, NotFound
from sdmx_service.formats import (
    Action,
    Context,
    DataMessage,
    DataSet,
    Keys,
    Labels,
    TimeFormat,
    data_formats,
)
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
CODES = tuple(Code(code, {"en": f"Value {code}", "fr": f"Valeur {code}"}) for code in "ABCXYZN")
CODED = Codelist("ESTAT", "CL", "1.0", {"en": "List"}, CODES)


def _attribute(id: str, **more: Any) -> Component:
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=Attachment.OBSERVATION, **more)


def _structure(id: str, *measures: str, **attributes: dict[str, Any]) -> DataStructure:
    """Return a structure with the dimensions of the guides, DIM_3 being time."""
    return DataStructure(
        "ESTAT",
        id,
        "1.6.0",
        {"en": "Main aggregates", "fr": "Principaux agrégats"},
        (
            Component("DIM_1", Role.DIMENSION, {"en": "Dimension 1"}, CODED),
            Component("DIM_2", Role.DIMENSION, {"en": "Dimension 2"}, CODED),
            Component("DIM_3", Role.TIME, {"en": "Dimension 3"}),
            *(Component(m, Role.MEASURE, {"en": m}, data_type="Decimal") for m in measures),
            *(_attribute(name, **more) for name, more in attributes.items()),
        ),
    )


PLAIN = _structure(
    "NA", "OBS_VALUE", ATTR_1={"codelist": CODED}, ATTR_2={"codelist": CODED}, ATTR_3={}
)
SEVERAL = _structure(
    "SEV",
    "VALUE_1",
    "VALUE_2",
    ATTR_1={"codelist": CODED, "multiple": True},
    ATTR_2={"multiple": True},
    ATTR_3={"multilingual": True},
)


class Known:
    """The structures of the guides' messages."""

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        structure = SEVERAL if id.startswith("SEV") else PLAIN
        if agency not in ("ESTAT", "AGENCY"):
            raise NotFound("dataflow", got=agency)
        number = "" if version == "+" else version
        return Dataflow(agency, id, number, structure.name, structure)

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        return PLAIN

    def provisioned(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        return self.dataflow("NA", agency, version)


def _read(name: str, text: str | bytes) -> DataMessage:
    read = FORMATS[name].read
    assert read is not None
    return read(text.encode() if isinstance(text, str) else text, Known())


def _rows(message: DataMessage) -> list[dict[str, Any]]:
    return [row for one in message.datasets for row in one.collected().rows(named=True)]


FULL = {"DIM_1": "A", "DIM_2": "B", "DIM_3": "2014-01"}
FLOW = "dataflow,ESTAT:NA(1.6.0)"
SEV = "dataflow,ESTAT:SEV(1.6.0)"

# Each form of the guide of SDMX-CSV 2.1 with what a reader makes of it.
FORMS = {
    "components in any order, and a column that is none": (
        "STRUCTURE,STRUCTURE_ID,ACTION,OBS_VALUE,DIM_2,DIM_1,DIM_3,ATTR_3,UPDATED\n"
        f'{FLOW},M,12.4,B,A,2014-01,"Normal, special",2021-01-22T13:15:41Z\n',
        [FULL | {"OBS_VALUE": "12.4", "ATTR_3": "Normal, special"}],
    ),
    "components with several values": (
        "STRUCTURE[;],STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,VALUE_1,ATTR_1[],ATTR_2[]\n"
        f'{SEV},M,A,B,2014-01,12.4,X;Y,"M, N & O;P & Q"\n',
        [FULL | {"VALUE_1": "12.4", "ATTR_1": ["X", "Y"], "ATTR_2": ["M, N & O", "P & Q"]}],
    ),
    "a text in several languages, with quotes that are part of it": (
        "STRUCTURE[;],STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,ATTR_3[en;fr]\n"
        f'{SEV},M,A,B,2014-01,"en:Value ""X"";fr:Valeur ""X"""\n',
        [FULL | {"ATTR_3": [{"lang": "en", "text": 'Value "X"'},
                            {"lang": "fr", "text": 'Valeur "X"'}]}],
    ),
    "keys in columns of their own": (
        "STRUCTURE,STRUCTURE_ID,ACTION,SERIES_KEY,OBS_KEY,DIM_1,DIM_2,DIM_3\n"
        f"{FLOW},M,A.B,A.B.2014-01,A,B,2014-01\n",
        [FULL],
    ),
    "ids with names, a semicolon and a decimal comma": (
        "STRUCTURE[|];STRUCTURE_ID;ACTION;DIM_1: Un;DIM_2: Deux;DIM_3: Trois;OBS_VALUE: V;"
        "ATTR_1: A\n"
        "dataflow;ESTAT:NA(1.6.0): Agrégats: tous;M;A: Value A;B: b: b;2014-01: 2014-01;12,4;"
        "N: Non\n",
        [FULL | {"OBS_VALUE": "12.4", "ATTR_1": "N"}],
    ),
    "names in columns of their own": (
        "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,DIM_1,Un,DIM_2,ATTR_1,DIM_3,t,OBS_VALUE,v\n"
        "dataflow,ESTAT:NA(1.6.0),Main,M,A,Value A,B,Value B,2014-01,2014-01,12.4,\n",
        [FULL | {"OBS_VALUE": "12.4"}],
    ),
    "attributes of a part of the key": (
        "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,OBS_VALUE,ATTR_1,ATTR_2\n"
        f"{FLOW},M,A,B,2014-01,12.4,N,\n{FLOW},M,,B,,,,Y\n",
        [FULL | {"OBS_VALUE": "12.4", "ATTR_1": "N", "ATTR_2": None},
         {"DIM_1": None, "DIM_2": "B", "DIM_3": None, "OBS_VALUE": None, "ATTR_1": None,
          "ATTR_2": "Y"}],
    ),
    "a text over two lines": (
        "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,ATTR_3\n"
        f'{FLOW},M,A,B,2014-01,"<p>""so"" with a line\nbreak</p>"\n',
        [FULL | {"ATTR_3": '<p>"so" with a line\nbreak</p>'}],
    ),
    "what is missing on purpose": (
        "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,OBS_VALUE,ATTR_1,ATTR_3\n"
        f"{FLOW},M,A,B,2014-01,#N/A,#N/A,\n",
        [FULL | {"OBS_VALUE": "#N/A", "ATTR_1": "#N/A", "ATTR_3": None}],
    ),
    "a dimension switched off": (
        f"STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,ATTR_3\n{FLOW},M,A,~,~,x\n",
        [{"DIM_1": "A", "DIM_2": None, "DIM_3": None, "ATTR_3": "x"}],
    ),
    "a byte order mark and line feeds alone": (
        f"\ufeffSTRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3\n{FLOW},M,A,B,2014-01\n",
        [FULL],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_guide_is_read(form: str) -> None:
    text, rows = FORMS[form]
    message = _read("csv21", text)
    assert _rows(message) == rows
    assert [one.action for one in message.datasets] == [Action.MERGE]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_written_so_that_it_is_read_again(form: str) -> None:
    message = _read("csv21", FORMS[form][0])
    again = _read("csv21", b"".join(FORMATS["csv21"].write(message)))
    assert _rows(again) == _rows(message)


def test_under_delete_a_dimension_switched_off_is_not_one_left_out() -> None:
    """The guide: left out it is any value, switched off it is none."""
    head = "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,ATTR_3\n"
    text = head + "dataflow,ESTAT:NA(1.6.0),D,A,~,,-\n"
    message = _read("csv21", text)
    assert _rows(message) == [{"DIM_1": "A", "DIM_2": "~", "DIM_3": None, "ATTR_3": "-"}]
    assert b"".join(FORMATS["csv21"].write(message)).decode() == text.replace("\n", "\r\n")


def test_columns_that_are_no_component_are_named() -> None:
    text, _ = FORMS["components in any order, and a column that is none"]
    assert _read("csv21", text).passed_over == ("UPDATED",)


def test_actions_and_structures_make_data_sets_in_the_order_of_the_rows() -> None:
    head = "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,OBS_VALUE\n"
    rows = (
        "dataflow,ESTAT:NA(1.6.0),D,,,,\n"
        "dataflow,ESTAT:NA(1.6.0),R,A,B,2014-01,1\n"
        "dataflow,ESTAT:NA(1.6.0),R,A,B,2014-02,2\n"
        "dataflow,ESTAT:NA(1.7.0),R,A,B,2014-01,3\n"
        "datastructure,ESTAT:NA(1.6.0),M,A,B,2014-01,4\n"
        "dataprovision,ESTAT:PA(1.0.0),M,A,B,2014-01,5\n"
        "dataflow,ESTAT:NA(1.6.0),D,A,B,2014-02,-\n"
    )
    message = _read("csv21", head + rows)
    assert [(one.action, one.context, one.height) for one in message.datasets] == [
        (Action.DELETE, Context.DATAFLOW, 1),
        (Action.REPLACE, Context.DATAFLOW, 2),
        (Action.REPLACE, Context.DATAFLOW, 1),
        (Action.MERGE, Context.DATA_STRUCTURE, 1),
        (Action.MERGE, Context.PROVISION, 1),
        (Action.DELETE, Context.DATAFLOW, 1),
    ]
    written = b"".join(FORMATS["csv21"].write(message)).decode()
    assert written == (head + rows).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("name", "action"), [("csv20", Action.INFORMATION), ("csv21", Action.MERGE)]
)
def test_an_absent_action_is_what_the_guide_of_the_version_says(name: str, action: Action) -> None:
    text = "STRUCTURE,STRUCTURE_ID,DIM_1,DIM_2,DIM_3\ndataflow,ESTAT:NA(1.6.0),A,B,2014-01\n"
    assert _read(name, text).dataset.action is action


def test_version_20_has_no_merge() -> None:
    text = "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1\ndataflow,ESTAT:NA(1.6.0),M,A\n"
    with pytest.raises(DataError, match="one of A"):
        _read("csv20", text)
    message = _read("csv21", text)
    assert b",A,A\r\n" in b"".join(FORMATS["csv20"].write(message))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "DATAFLOW,DIM_1,DIM_2,DIM_3,OBS_VALUE,ATTR_3,SERIESKEY\n"
            'ESTAT:NA(1.6),A,B,2014-01,12.4,"Normal, special",A.B\n',
            [FULL | {"OBS_VALUE": "12.4", "ATTR_3": "Normal, special"}],
        ),
        (
            "DATAFLOW;DIM_1: Un;DIM_2: Deux;DIM_3: Trois;OBS_VALUE;ATTR_1: Attribut 1\n"
            "ESTAT:NA(1.6): Agrégats;A: Value A;B: Value B;2014-01;12,4;Y: Oui\n",
            [FULL | {"OBS_VALUE": "12.4", "ATTR_1": "Y"}],
        ),
    ],
)
def test_version_10_is_read(text: str, rows: list[dict[str, Any]]) -> None:
    message = _read("csv10", text)
    assert _rows(message) == rows
    assert message.flow.version == "1.6"


def test_version_10_wants_every_dimension() -> None:
    with pytest.raises(DataError, match="a column for each dimension"):
        _read("csv10", "DATAFLOW,DIM_1,DIM_2,OBS_VALUE\nESTAT:NA(1.6),A,B,1\n")


def test_the_messages_of_the_guide_are_read_and_written_again(shared: Path) -> None:
    files = sorted((shared / "sdmx" / "messages" / "v3").glob("csv-example-*.csv"))
    assert files
    for file in files:
        content = file.read_bytes().replace(b"NA_MAIN", b"NA")
        message = _read("csv20", content)
        given = list(
            csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=message.separator)
        )
        bare = [
            {title.partition(":")[0]: cell.partition(": ")[0] for title, cell in row.items()}
            for row in given
        ]
        read = _rows(message)
        assert [row["DIM_1"] for row in read] == [row["DIM_1"] for row in bare]
        assert [row["OBS_VALUE"] for row in read] == [
            row["OBS_VALUE"].replace(",", ".") for row in bare
        ]
        assert [one.action.letter(_generation()) for one in message.datasets] == list(
            dict.fromkeys(row["ACTION"] for row in bare)
        )
        again = _read("csv20", b"".join(FORMATS["csv20"].write(message)))
        assert _rows(again) == read


def _generation() -> Any:
    return FORMATS["csv20"].generation


@pytest.mark.parametrize("name", ["csv10", "csv20", "csv21"])
def test_pysdmx_reads_every_cell_of_what_we_write(name: str, tmp_path: Path) -> None:
    from pysdmx.io import read_sdmx

    flow = Known().dataflow("NA", "ESTAT", "1.6.0")
    frame = pl.DataFrame(
        [
            FULL | {"OBS_VALUE": "12.4", "ATTR_1": "N", "ATTR_3": 'a "quoted", text\nover lines'},
            FULL | {"DIM_3": "2014-02", "OBS_VALUE": "-0.10", "ATTR_1": "Y", "ATTR_3": None},
        ]
    )
    message = DataMessage.of(flow, frame, "r", MOMENT)
    path = tmp_path / "message.csv"
    path.write_bytes(b"".join(FORMATS[name].write(message)))
    read = read_sdmx(path, validate=False).get_datasets()
    assert len(read) == 1
    table = read[0].data.set_index("DIM_3")
    assert read[0].short_urn == "Dataflow=ESTAT:NA(1.6.0)"
    assert {str(value) for value in table["OBS_VALUE"]} <= {"12.4", "-0.1", "-0.10"}
    assert table.loc["2014-01", "ATTR_3"] == 'a "quoted", text\nover lines'
    assert list(table["ATTR_1"]) == ["N", "Y"]


@pytest.mark.parametrize(("labels", "keys"), [(Labels.BOTH, Keys.BOTH), (Labels.NAME, Keys.SERIES)])
def test_pysdmx_reads_labels_and_keys(labels: Labels, keys: Keys, tmp_path: Path) -> None:
    from pysdmx.io import read_sdmx

    flow = Known().dataflow("NA", "ESTAT", "1.6.0")
    frame = pl.DataFrame([FULL | {"OBS_VALUE": "12.4", "ATTR_1": "N"}])
    message = DataMessage.of(flow, frame, "r", MOMENT, labels=labels, keys=keys)
    path = tmp_path / "message.csv"
    path.write_bytes(b"".join(FORMATS["csv21"].write(message)))
    row = read_sdmx(path, validate=False).get_datasets()[0].data.iloc[0]
    assert (row["DIM_1"], row["ATTR_1"]) == ("A", "N")


def test_normalised_time_is_that_of_the_guide() -> None:
    flow = Known().dataflow("NA", "ESTAT", "1.6.0")
    message = DataMessage.of(
        flow,
        pl.DataFrame([FULL | {"OBS_VALUE": "12.4"}]),
        "r",
        MOMENT,
        labels=Labels.BOTH,
        time_format=TimeFormat.NORMALIZED,
        action=Action.MERGE,
    )
    # Example 5 of the guide, with the names of this structure.
    assert b"".join(FORMATS["csv21"].write(message)).decode() == (
        "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1: Dimension 1,DIM_2: Dimension 2,DIM_3: Dimension 3,"
        "OBS_VALUE: OBS_VALUE\r\n"
        "dataflow,ESTAT:NA(1.6.0): Main aggregates,M,A: Value A,B: Value B,2014-01-01,12.4\r\n"
    )


def test_data_sets_of_two_structures_share_a_header_with_each_kind_of_component_together() -> None:
    sets = (
        DataSet(Known().dataflow("NA", "ESTAT", "1.6.0"),
                pl.DataFrame([FULL | {"OBS_VALUE": "1", "ATTR_3": "x"}])),
        DataSet(Known().dataflow("SEV", "ESTAT", "1.6.0"),
                pl.DataFrame([FULL | {"VALUE_1": "2"}])),
    )  # fmt: skip
    written = b"".join(FORMATS["csv20"].write(DataMessage(sets, "r", MOMENT))).decode()
    assert written == (
        "STRUCTURE,STRUCTURE_ID,ACTION,DIM_1,DIM_2,DIM_3,OBS_VALUE,VALUE_1,ATTR_3\r\n"
        "dataflow,ESTAT:NA(1.6.0),I,A,B,2014-01,1,,x\r\n"
        "dataflow,ESTAT:SEV(1.6.0),I,A,B,2014-01,,2,\r\n"
    )
