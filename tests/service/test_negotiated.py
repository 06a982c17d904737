"""What is agreed between client and service before an answer: its form, language and coding."""

from __future__ import annotations

import httpx
import pytest
from lxml import etree

from sdmx_service.release import Release

pytestmark = pytest.mark.service

DATA = "/sdmx/v2/data/dataflow/SIS/DF_POV"
REPORTS = "/sdmx/v2/schema/metadataflow/SIS/MDF_QUALITY"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("name", "lines", "header", "expected"),
    [
        ("Accept", ("image/png", "text/csv"), "content-type", "text/csv;charset=utf-8"),
        ("Accept-Language", ("tlh", "en"), "content-language", "en"),
        ("Accept-Encoding", ("deflate", "gzip"), "content-encoding", "gzip"),
    ],
)
def test_a_header_in_several_lines_is_one_list(
    web: httpx.Client, name: str, lines: tuple[str, ...], header: str, expected: str
) -> None:
    """RFC 9110, 5.3: lines of one name are one list, in their order."""
    answer = web.get(DATA, headers=[(name, line) for line in lines])
    assert answer.status_code == 200
    assert answer.headers[header] == expected


def test_tags_in_several_lines_are_one_list(web: httpx.Client) -> None:
    tag = web.get(DATA).headers["etag"]
    lines = [("If-None-Match", '"other"'), ("If-None-Match", tag)]
    assert web.get(DATA, headers=lines).status_code == 304


@pytest.mark.parametrize("weight", ["nan", "inf", "-1", "1e3", "0_5", "1.5", "0.1234", "high"])
def test_a_coding_with_a_weight_that_is_none_is_passed_over(web: httpx.Client, weight: str) -> None:
    """RFC 9110, 12.4.2: a weight is between 0 and 1 and has three digits at the most."""
    answer = web.get(DATA, headers={"Accept-Encoding": f"gzip;q={weight}"})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("header", ["x-gzip", "X-GZIP;Q=0.5", "br;q=0.1, gzip ; q=0.9"])
def test_gzip_is_known_by_both_names_and_letters_of_both_sizes(
    web: httpx.Client, header: str
) -> None:
    """RFC 9110, 8.4.1.3: x-gzip is the same as gzip; names are case-insensitive."""
    answer = web.get(DATA, headers={"Accept-Encoding": header})
    assert answer.headers["content-encoding"] == "gzip"


def test_the_content_type_tells_the_options_of_the_format(web: httpx.Client) -> None:
    """They are parameters of the media type (REST 1.5, 4.6), whose defaults are not written."""
    csv = "application/vnd.sdmx.data+csv;version=2.1.0"
    for said in ("", ";labels=both", ";labels=name;timeFormat=normalized;keys=series"):
        answer = web.get(DATA, headers={"Accept": csv + said})
        assert answer.headers["content-type"] == csv + said
    named = web.get(f"{DATA}?format=csv21&labels=both&keys=none")
    assert named.headers["content-type"] == f"{csv};labels=both"
    # A type outside SDMX has no such parameters.
    plain = web.get(f"{DATA}?labels=both", headers={"Accept": "text/csv"})
    assert plain.headers["content-type"] == "text/csv;charset=utf-8"


@pytest.mark.parametrize(
    "path", [f"{DATA}?format=table", "/sdmx/v2/schema/dataflow/SIS/DF_POV?format=csv"]
)
def test_text_says_in_which_encoding_it_is(web: httpx.Client, path: str) -> None:
    assert "charset=utf-8" in web.get(path).headers["content-type"]


def test_advice_for_an_option_names_formats_that_have_it(web: httpx.Client) -> None:
    refused = web.get("/rest/data/DF_POV?format=csv10&labels=name")
    assert refused.status_code == 406
    assert "csv21" in refused.json()["hint"]
    assert "generic" not in refused.json()["hint"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (BROWSER, "application/xml"),
        ("text/csv, application/json;q=0.5", "application/json"),
        ("application/vnd.sdmx.schema+xml", "application/vnd.sdmx.schema+xml;version=2.1"),
        ("application/vnd.sdmx.schema+xml;version=3.1.0, */*;q=0.1",
         "application/vnd.sdmx.schema+json;version=2.1.0"),
    ],
)  # fmt: skip
def test_a_schema_of_metadata_is_in_a_form_that_there_is(
    web: httpx.Client, accept: str, content_type: str
) -> None:
    answer = web.get(REPORTS, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type


@pytest.mark.parametrize("accept", ["text/csv", "image/png"])
def test_a_schema_of_metadata_is_refused_with_the_forms_there_are(
    web: httpx.Client, accept: str
) -> None:
    refused = web.get(REPORTS, headers={"Accept": accept})
    assert refused.status_code == 406
    for one in refused.json()["expected"].removeprefix("one of ").split(", "):
        assert web.get(REPORTS, headers={"Accept": one}).status_code == 200, one


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 2024 00:00:00 +9999999999999",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "2020-01-01T00:00:00Z",
        "yesterday",
    ],
)
def test_a_date_that_cannot_be_read_is_ignored(web: httpx.Client, date: str) -> None:
    """RFC 9110, 13.1.3."""
    assert web.get(DATA, headers={"If-Modified-Since": date}).status_code == 200


@pytest.mark.parametrize(
    "date",
    ["Fri, 01 Jan 2100 00:00:00 GMT", "Friday, 01-Jan-60 00:00:00 GMT", "Fri Jan  1 00:00:00 2100"],
)
def test_a_date_is_read_in_its_three_forms(web: httpx.Client, date: str) -> None:
    """RFC 9110, 5.6.7: IMF-fixdate, that of RFC 850, and asctime()."""
    assert web.get(DATA, headers={"If-Modified-Since": date}).status_code == 304


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [
        ("*/*", 200, "application/json"),
        ("text/*", 200, "text/html;charset=utf-8"),
        ("application/json;q=0.1, text/html", 200, "text/html;charset=utf-8"),
        ("text/html;q=0.1, application/json", 200, "application/json"),
        ("text/html;q=0, */*;q=0.1", 200, "application/json"),
        (BROWSER, 200, "text/html;charset=utf-8"),
        ("image/png", 406, "application/problem+json"),
    ],
)
def test_the_front_page_is_negotiated_as_all_else_is(
    web: httpx.Client, accept: str, status: int, kind: str
) -> None:
    answer = web.get("/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)


def test_the_front_page_has_its_forms_by_name_too(web: httpx.Client) -> None:
    assert web.get("/?format=json", headers={"Accept": BROWSER}).json()["dataflows"]
    assert web.get("/?format=html").text.startswith("<!doctype html>")
    assert web.get("/?format=docx").status_code == 406


def test_the_front_page_says_no_language_that_it_does_not_speak(
    web: httpx.Client, release: Release
) -> None:
    """The dataflows of this release have English names; the codes of people have Arabic ones."""
    assert {tag for flow in release.structures.dataflows() for tag in flow.name} == {"en"}
    for form in ("text/html", "application/json"):
        answer = web.get("/", headers={"Accept": form, "Accept-Language": "ar"})
        assert answer.headers["content-language"] == "en"


def test_second_languages_have_tags_of_their_own(web: httpx.Client) -> None:
    """What has no Arabic name is in the second language (RFC 9110, 8.8.3: one tag, one content)."""
    path = "/rest/data/DF_POV?format=csv21&labels=both"
    answers = [web.get(path, headers={"Accept-Language": f"ar, {one}"}) for one in ("fr", "es")]
    assert answers[0].text != answers[1].text
    assert answers[0].headers["etag"] != answers[1].headers["etag"]


def test_a_preflight_is_good_for_a_day(web: httpx.Client) -> None:
    """Fetch standard, 4.9: without Access-Control-Max-Age it is asked again after 5 seconds."""
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    answer = web.options(DATA, headers=asked)
    assert int(answer.headers["access-control-max-age"]) >= 3600
    assert "GET" in answer.headers["access-control-allow-methods"]


def test_a_method_that_is_not_allowed_is_answered_with_those_that_are(web: httpx.Client) -> None:
    """RFC 9110, 15.5.6; OPTIONS is one of them, as its own answer says."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = web.request(method, DATA)
        assert refused.status_code == 405
        assert refused.headers["allow"] == web.options(DATA).headers["allow"]


def test_an_error_says_how_it_was_negotiated(web: httpx.Client) -> None:
    long = f"{DATA}?{'x' * 2000}=1"
    answer = web.get(long, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 400
    varies = {name.strip() for name in answer.headers["vary"].split(",")}
    assert varies >= {"Accept", "Accept-Encoding"}
    assert answer.headers["content-language"] == "en"
    # RFC 9111, 4.2.2: some of them could be kept by a cache that may guess how long.
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/rest/data/DF_NONE?format=generic", "v2_1"),
        ("/rest/data/DF_NONE?format=xml31", "v2_1"),
        ("/sdmx/v2/data/dataflow/SIS/DF_NONE?format=xml", "v3_1"),
        ("/sdmx/v2/data/dataflow/SIS/DF_NONE?format=xml30", "v3_0"),
        ("/sdmx/v2/data/dataflow/SIS/DF_NONE?format=xml&formatVersion=3.0.0", "v3_0"),
        ("/sdmx/v2/data/dataflow/SIS/DF_NONE?format=generic", "v2_1"),
        ("/sdmx/v2/data/dataflow/SIS/DF_NONE?format=application/vnd.sdmx.data%2Bxml", "v3_1"),
        ("/sdmx/v2/schema/dataflow/SIS/DF_NONE?format=xsd21", "v2_1"),
    ],
)
def test_xml_asked_for_by_name_has_errors_in_xml(web: httpx.Client, path: str, error: str) -> None:
    """Query parameters win over headers (REST 2.2, doc/extend.md, "Conflict resolution")."""
    answer = web.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/vnd.sdmx.error+xml")
    root = etree.fromstring(answer.content)
    assert root.tag == f"{{http://www.sdmx.org/resources/sdmxml/schemas/{error}/message}}Error"
    named = web.get("/rest/data/DF_NONE?format=json", headers={"Accept": "application/xml"})
    assert named.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/rest/data/%3C%22%20%C3%A9", "/rest/data/%3C%22%20%C3%A9"),
        ("/rest/%0d%0aX-Evil:%201", "/rest/%0d%0aX-Evil:%201"),
        ("/nowhere/" + "%C3" * 100, "/nowhere/" + "%C3" * 82),
    ],
)
def test_the_instance_of_a_problem_is_an_address(
    web: httpx.Client, path: str, instance: str
) -> None:
    """RFC 9457, 3.1.5: a URI reference, so without letters that have no place in one."""
    assert web.get(path).json()["instance"] == instance


@pytest.mark.parametrize(
    ("form", "file"), [("csv", "DF_POV.csv"), ("xsd31", "DF_POV.xsd"), ("json", "DF_POV.json")]
)
def test_a_schema_is_saved_under_the_name_of_its_flow(
    web: httpx.Client, form: str, file: str
) -> None:
    """RFC 6266, 4.2: shown where it can be, and saved under this name."""
    answer = web.get(f"/sdmx/v2/schema/dataflow/SIS/DF_POV?format={form}")
    assert answer.headers["content-disposition"] == f'inline; filename="{file}"'


def test_the_front_page_lists_the_formats_of_all_kinds_of_answers(web: httpx.Client) -> None:
    page, listed = web.get("/?format=html").text, web.get("/?format=json").json()
    for kind in ("formats", "structureFormats", "metadataFormats", "schemaFormats"):
        assert listed[kind]
        for name, media_type in listed[kind].items():
            assert f"<code>{name}</code>" in page
            assert f"<code>{media_type}</code>" in page
