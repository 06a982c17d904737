"""SDMX-JSON is read without trust, and its versions are told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sdmx_service.errors import StructureError
from sdmx_service.structures.jsonmessages import JsonVersion, parse_json, version_of_json
from sdmx_service.structures.jsonreading import read_json
from sdmx_service.structures.readers import read_artefacts

META = {"id": "M", "prepared": "2026-11-22T00:00:00Z", "sender": {"id": "T"}}
RAW = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json"


def message(meta: dict[str, Any] | None = None, **data: Any) -> bytes:
    return json.dumps({"meta": META | (meta or {}), "data": data}).encode()


def codelist(**more: Any) -> dict[str, Any]:
    return {"id": "CL", "agencyID": "T", "version": "1.0", "name": "CL", **more}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "well-formed JSON"),
        (b'{"a": 1, "a": 2}', "a twice"),
        (b'{"a": NaN}', "a number"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[1]", "a structure message"),
        (b'{"a":' + b"[" * 100_000, "nested without end"),
        (b"{}", "a structure message of SDMX-JSON 1.0, 2.0, 2.1"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(content: bytes, said: str) -> None:
    with pytest.raises(StructureError, match=said):
        read_json(content, "bad.json")


@pytest.mark.parametrize(
    ("found", "version"),
    [
        ({"$schema": "https://json.sdmx.org/2.1/x.json", "meta": META}, JsonVersion.JSON21),
        ({"meta": {"schema": f"{RAW}/master/x/2.0.0/y.json"}}, JsonVersion.JSON20),
        ({"meta": {"schema": f"{RAW}/v1.0/x.json"}}, JsonVersion.JSON10),
        ({"meta": {}, "data": {"contentConstraints": []}}, JsonVersion.JSON10),
        ({"meta": META}, JsonVersion.JSON20),
    ],
)
def test_the_version_is_said_by_the_schema_or_by_the_keys(
    found: dict[str, Any], version: JsonVersion
) -> None:
    assert version_of_json({"data": {}, **found}, "m.json") is version


def test_a_data_message_is_not_taken_for_structures() -> None:
    schema = f"{RAW}/master/data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json"
    with pytest.raises(StructureError, match="a structure message"):
        version_of_json({"meta": {"schema": schema}, "data": {}}, "data.json")


def test_extensions_and_links_to_itself_are_passed_over() -> None:
    link = {"rel": "self", "urn": "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=T:CL(1.0)"}
    content = json.loads(message(codelists=[codelist(links=[link], **{"x-mine": 1})]))
    content["$schema"] = "https://json.sdmx.org/2.1/sdmx-json-structure-schema.json"
    [found] = read_artefacts(json.dumps(content).encode(), "x.json")
    assert found.content == {"id": "CL", "agencyID": "T", "version": "1.0", "names": {"en": "CL"}}


def test_an_error_names_the_place_in_the_tree() -> None:
    with pytest.raises(StructureError, match=r"m\.json, data/codelists/1"):
        read_json(message(codelists=[codelist(), {"id": "X"}]), "m.json")
    with pytest.raises(StructureError, match=r"data/codelists/0.*a part of a Codelist.*'codez'"):
        read_json(message(codelists=[codelist(codez=[])]), "m.json")


def test_nesting_has_an_end() -> None:
    category: dict[str, Any] = {"id": "A", "name": "A"}
    for _ in range(70):
        category = {"id": "A", "name": "A", "categories": [category]}
    scheme = codelist(categories=[category])
    with pytest.raises(StructureError, match=r"nested|at most 64"):
        read_json(message(categorySchemes=[scheme]), "deep.json")


def test_brackets_in_texts_do_not_count() -> None:
    assert parse_json(json.dumps({"a": "[]" * 1000}).encode(), "m") == {"a": "[]" * 1000}
