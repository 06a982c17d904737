"""Reference metadata over HTTP: the names that labels ask for, metadata beside data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from sdmx_service import open_release
from sdmx_service.release import Release

pytestmark = pytest.mark.service

MEDIA = "application/vnd.sdmx.metadata+csv;version={};labels={}"
REPORT = "/sdmx/v2/metadata/metadataset/*/QR_POV_ARPT60"


@pytest.fixture(scope="module")
def release(published: Path) -> Release:
    return open_release(published)


@pytest.fixture(scope="module")
def web(
    published: Path, running: Callable[[Path], AbstractContextManager[str]]
) -> Iterator[httpx.Client]:
    with running(published) as url, httpx.Client(base_url=url, verify=False, timeout=60) as client:
        yield client


def _records(web: httpx.Client, accept: str, **more: str) -> dict[str, str]:
    answer = web.get(REPORT, headers={"Accept": accept, **more})
    assert answer.status_code == 200, answer.text
    head, row = csv.reader(io.StringIO(answer.text, newline=""))
    return dict(zip(head, row, strict=True))


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0"])
def test_labels_of_metadata_are_the_names_of_the_structures(
    web: httpx.Client, release: Release, version: str
) -> None:
    flow = release.structures.metadataflow("MDF_QUALITY").name["en"]
    code = release.structures.codelist("CL_INDICATOR").by_id["POV_ARPT60"].name["en"]
    structure = release.structures.metadataflow("MDF_QUALITY").structure
    attribute = structure.by_path["UNIT_OF_MEASURE"].name["en"]
    target = "SIS:CL_INDICATOR(1.0.0).POV_ARPT60"
    both = _records(web, MEDIA.format(version, "both"))
    assert both["MDSTRUCTURE_ID"] == f"SIS:MDF_QUALITY(1.0.0): {flow}"
    assert both["TARGET_IDS"] == f"{target}: {code}"
    assert any(title.endswith(f": {attribute}") for title in both)
    apart = _records(web, MEDIA.format(version, "name"))
    assert (apart["MDSTRUCTURE_NAME"], apart["TARGET_NAMES"]) == (flow, code)
    assert apart["METADATASET_NAME"].startswith("Quality report: ")
    plain = _records(web, MEDIA.format(version, "id"))
    assert plain["TARGET_IDS"] == target
    assert "MDSTRUCTURE_NAME" not in plain


def test_the_language_of_an_answer_is_one_that_its_titles_have(web: httpx.Client) -> None:
    """RFC 9110, 8.5 and 8.8.3: what is said in English is not called French, nor of one tag."""
    answers = [web.get(REPORT, headers={"Accept-Language": tag}) for tag in ("en", "fr", "es")]
    assert [one.headers["content-language"] for one in answers] == ["en", "en", "en"]
    assert len({one.headers["etag"] for one in answers}) == 3


def test_rest_15_tells_only_what_was_reported_since(web: httpx.Client) -> None:
    found = web.get("/rest/metadata/MDF_QUALITY", params={"updatedAfter": "2001-01-01T00:00:00Z"})
    assert found.status_code == 200
    none = web.get("/rest/metadata/MDF_QUALITY", params={"updatedAfter": "2999-01-01T00:00:00Z"})
    assert none.status_code == 404
    assert none.json()["sdmxCode"] == 100
    refused = web.get("/rest/metadata/MDF_QUALITY", params={"detail": "nodata"})
    assert refused.status_code == 400
    assert refused.json()["where"] == "detail"


@pytest.mark.parametrize(
    "path", ["metadatastructure/SIS/MSD_QUALITY", "metadataflow/SIS/MDF_QUALITY"]
)
def test_structure_specific_metadata_and_their_schema_are_served(
    web: httpx.Client, path: str
) -> None:
    """SDMX-ML 2.1 has two forms of metadata (REST 1.5, "Content negotiation")."""
    media = "application/vnd.sdmx.{}+xml;version=2.1"
    found = web.get(
        "/rest/metadata/MDF_QUALITY",
        headers={"Accept": media.format("structurespecificmetadata")},
    )
    assert found.status_code == 200
    assert found.headers["content-type"] == media.format("structurespecificmetadata")
    namespace = 'MetadataStructure=SIS:MSD_QUALITY(1.0.0)"'
    assert f"{namespace}>" in found.text.split("<mes:MetadataSet")[0]
    schema = web.get(f"/rest/schema/{path}", headers={"Accept": media.format("schema")})
    assert schema.status_code == 200
    assert namespace in schema.text
    generic = web.get("/rest/metadata/MDF_QUALITY")
    assert generic.headers["content-type"] == media.format("genericmetadata")


DATA = "/sdmx/v2/data/dataflow/SIS/DF_POV/1.0.0/A.AT"
PLACELESS = ("generic", "structurespecific", "json10", "csv10", "jsonstat")


@pytest.mark.parametrize("form", PLACELESS)
def test_all_attributes_are_those_the_format_has_a_place_for_and_the_others_are_named(
    web: httpx.Client, form: str
) -> None:
    """Decisions 0032 and 0035; who asks for metadata alone is refused."""
    found = web.get(DATA, params={"attributes": "all", "format": form})
    plain = web.get(DATA, params={"attributes": "dsd", "format": form})
    assert found.status_code == 200
    assert "reference metadata" in found.headers["x-left-out"]
    assert "x-left-out" not in plain.headers
    if form != "jsonstat":  # it says where it was asked for
        assert found.content == plain.content
    assert web.get(DATA, params={"attributes": "msd", "format": form}).status_code == 406


@pytest.mark.parametrize("form", ["xml30", "xml31", "csv21", "json21"])
def test_where_there_is_a_place_nothing_is_left_out(web: httpx.Client, form: str) -> None:
    found = web.get(DATA, params={"attributes": "all", "format": form})
    assert found.status_code == 200
    assert "x-left-out" not in found.headers
    assert b"META_LAST_UPDATE" in found.content


def test_of_the_formats_accepted_one_with_a_place_is_chosen(web: httpx.Client) -> None:
    accept = (
        "application/vnd.sdmx.genericdata+xml;version=2.1,"
        "application/vnd.sdmx.data+xml;version=3.0.0;q=0.5"
    )
    for word in ("all", "msd"):
        found = web.get(DATA, params={"attributes": word}, headers={"Accept": accept})
        assert found.headers["content-type"].startswith("application/vnd.sdmx.data+xml")
        assert "x-left-out" not in found.headers
    plain = web.get(DATA, headers={"Accept": accept})
    assert plain.headers["content-type"].startswith("application/vnd.sdmx.genericdata+xml")


def test_who_asks_for_metadata_where_a_release_tells_none_is_told_so(
    releases: Path, running: Callable[[Path], AbstractContextManager[str]]
) -> None:
    """REST 2.2 says 422 to what is well said of a thing that is not there; all is what there is."""
    with running(releases) as url, httpx.Client(base_url=url, verify=False, timeout=60) as web:
        asked = {
            one: web.get(DATA, params={"attributes": one}) for one in ("msd", "dsd,msd", "all")
        }
    assert {one: answer.status_code for one, answer in asked.items()} == {
        "msd": 422,
        "dsd,msd": 422,
        "all": 200,
    }
    assert "the release tells no metadata" in asked["msd"].text


def test_any_type_is_one_that_a_schema_of_metadata_has(web: httpx.Client) -> None:
    """RFC 9110, 12.5.1: ``*/*`` is every media type."""
    for interface in ("/rest", "/sdmx/v2"):
        for path in ("metadatastructure/SIS/MSD_QUALITY", "metadataflow/SIS/MDF_QUALITY/1.0.0"):
            for accept in ("*/*", ""):
                found = web.get(f"{interface}/schema/{path}", headers={"Accept": accept})
                assert found.status_code == 200
                assert "schema" in found.headers["content-type"]
