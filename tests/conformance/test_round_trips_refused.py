"""What is no valid message is refused with its fault, which is the message's own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from sdmx_service.structures.readers import read_artefacts
from tests.conformance.messages_of_others import (
    REFUSED,
    Known,
    content_of,
    json_schema,
    known_structures,
    read_as,
    schema_of,
    xsd,
)


@pytest.fixture(scope="module")
def known(shared: Path) -> Known:
    return known_structures(shared)


def _read_by(reader: str, content: bytes, known: Known) -> object:
    if reader == "structures":
        return read_artefacts(content, "message")
    return read_as(reader, content, known)


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_refused_is_refused_with_its_fault(shared: Path, known: Known, file: str) -> None:
    refused = REFUSED[file]
    content = content_of(shared, file)
    with pytest.raises(refused.kind) as raised:
        _read_by(refused.reader, content, known)
    assert refused.words in str(raised.value)


@pytest.mark.parametrize("file", [file for file, one in REFUSED.items() if "XSD" in one.why])
def test_the_standards_schema_refuses_it_too(shared: Path, file: str) -> None:
    assert not xsd("21").validate(etree.fromstring(content_of(shared, file)))


def test_the_standards_json_schemas_refuse_a_value_list_for_a_dimension(shared: Path) -> None:
    """SDMX 3.0, section 2: value lists are for measures and attributes."""
    content = json.loads(content_of(shared, "pysdmx/dsd_multi_meas.json"))
    for number in ("2.0", "2.1"):
        places = [
            "/".join(map(str, error.instance_path))
            for error in json_schema("structure", number).iter_errors(content)
        ]
        assert any("dimensionList/dimensions/1/localRepresentation" in one for one in places)


@pytest.mark.parametrize("file", ["ecb/ts.json", "ecb/action-delete.json"])
def test_a_draft_has_none_of_the_members_of_version_1(shared: Path, file: str) -> None:
    content = json.loads(content_of(shared, file))
    assert not content.keys() & schema_of("data", "1.0")["properties"].keys()


# A message that is mended where the refusal says, and nowhere else, is read.


def test_the_message_of_eurostat_is_read_once_it_has_a_namespace(
    shared: Path, known: Known
) -> None:
    space = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=ESTAT:NAMA_10_GDP(32.1)"
    text = content_of(shared, "estat/NAMA_10_GDP-ss.xml").decode()
    text = text.replace(
        'structureID="STR1">', f'structureID="STR1" namespace="{space}:ObsLevelDim:TIME_PERIOD">'
    )
    text = text.replace("u:DataSet ", "m:DataSet ").replace("/u:DataSet>", "/m:DataSet>")
    message = read_as("structurespecific", text.encode(), known)
    assert message.frame["OBS_VALUE"].to_list() == [46526.2, 49094.5, 51791.3, 54142.3]


def test_a_table_of_unicef_is_read_once_it_says_its_dataflow(shared: Path, known: Known) -> None:
    for file, count in (
        ("unicef/CME_MRY0T4_BRA_1990_2023.csv", 102),
        ("unicef/CME_MRY0T4_BRA_sex_2020.csv", None),
    ):
        first, *lines = content_of(shared, file).splitlines()
        mended = [b"DATAFLOW," + first, *(b"UNICEF:CME(1.0)," + line for line in lines if line)]
        message = read_as("csv10", b"\r\n".join(mended), known)
        assert message.dataset.height == (count or len(lines))
        assert "Geographic area" in message.passed_over


def test_the_structure_of_pysdmx_is_read_once_its_dimension_has_a_codelist(shared: Path) -> None:
    message = json.loads(content_of(shared, "pysdmx/dsd_multi_meas.json"))
    (structure,) = message["data"]["dataStructures"]
    dimension = structure["dataStructureComponents"]["dimensionList"]["dimensions"][1]
    coded = dimension["localRepresentation"]
    coded["enumeration"] = coded["enumeration"].replace("ValueList", "Codelist")
    kinds = Counter(one.kind.element for one in read_artefacts(json.dumps(message).encode(), "m"))
    assert kinds["DataStructure"] == 1
