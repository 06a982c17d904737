"""Requests made to hurt: they are refused at once, or answered without growing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

pytestmark = pytest.mark.service

LONG = "A" * 8000
# What the service may take for a refusal here, with room for a busy machine; its aim is 50 ms.
SECONDS = 1.0
WORDS = {
    "8 kB": LONG,
    "path": "../../../../etc/passwd",
    "encoded path": "..%2f..%2f..%2fetc%2fpasswd",
    "line break": "a\r\nX-Evil: 1",
    "null": "a\0b",
    "SQL": "*' OR 1=1--",
    "union": "1); DROP TABLE observations;--",
    "XML": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "template": "${jndi:ldap://example.org/a}{{7*7}}",
    "backtracking": "A" * 3000 + "." * 500 + "!",
    "surrogate": "%ED%A0%80",
    "number": "9" * 400,
    "bidi": "\u202egnp.exe",
}
PLACES = [
    "/rest/data/{}",
    "/rest/data/DF_POV/{}",
    "/rest/data/DF_POV/all/{}",
    "/rest/data/DF_POV?startPeriod={}",
    "/rest/data/DF_POV?updatedAfter={}",
    "/rest/data/DF_POV?firstNObservations={}",
    "/rest/data/DF_POV?dimensionAtObservation={}",
    "/rest/data/DF_POV?detail={}",
    "/rest/data/DF_POV?{}=1",
    "/rest/availableconstraint/DF_POV/all/all/{}",
    "/rest/codelist/SIS/{}/1.0.0",
    "/rest/codelist/SIS/CL_SEX/{}",
    "/rest/codelist/SIS/CL_SEX/1.0.0/{}",
    "/rest/codelist/SIS/CL_SEX?references={}",
    "/rest/schema/dataflow/SIS/{}",
    "/rest/metadata/{}",
    "/sdmx/v2/data/dataflow/{}/DF_POV",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/{}",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?c[{}]=A",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?c[OBS_VALUE]=ge:{}",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?sort={}",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?attributes={}",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?limit={}",
    "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?asOf={}",
    "/sdmx/v2/availability/dataflow/SIS/DF_POV/*/*/{}",
    "/sdmx/v2/structure/{}",
    "/sdmx/v2/structure/codelist/SIS/CL_SEX/{}",
    "/sdmx/v2/schema/dataflow/SIS/DF_POV/{}",
    "/sdmx/v2/metadata/metadataset/{}",
    "/sdmx/v2/registration/id/{}",
    "/sdmx/v2/data/dataflow/SIS/DF_POV?format={}",
]


def _refused(web: httpx.Client, url: str, **more: str) -> httpx.Response:
    """Return the answer, which must come soon, be no failure and say nothing of this machine."""
    begun = time.monotonic()
    answer = web.get(url, headers=more)
    assert time.monotonic() - begun < SECONDS
    assert 400 <= answer.status_code < 500, answer.text[:200]
    assert "x-evil" not in answer.headers
    assert "root:" not in answer.text
    assert "Traceback" not in answer.text
    assert len(answer.content) < 16_000
    return answer


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_word_is_refused_wherever_it_stands(web: httpx.Client, place: str) -> None:
    for word in WORDS.values():
        url = place.replace("{}", quote(word, safe="%"))
        if "c[OBS_VALUE]" in place and word == WORDS["number"]:
            continue  # that is a number, if a large one
        _refused(web, url)


def test_headers_are_read_without_trust(web: httpx.Client) -> None:
    for name in ("Accept", "Accept-Language", "If-None-Match", "If-Modified-Since"):
        for word in (LONG, "*/" * 2000, ",;q=" * 1000, "\xff" * 50, "../etc/passwd"):
            begun = time.monotonic()
            answer = web.get("/rest/dataflow/SIS", headers={name: word.encode("latin-1")})
            assert time.monotonic() - begun < SECONDS
            assert answer.status_code in (200, 304, 400, 406, 431)


def test_a_key_of_ten_thousand_codes_is_refused_by_its_length(web: httpx.Client) -> None:
    codes = "+".join(f"C{number}" for number in range(10_000))
    assert _refused(web, f"/rest/data/DF_POV/A.{codes}").status_code == 414
    assert _refused(web, f"/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?c[SEX]={codes}").status_code == 414


def test_as_many_codes_as_fit_are_looked_up_at_once(web: httpx.Client) -> None:
    """Codes that no list has are left out, as the standard says; nothing is left to find."""
    codes = ",".join(f"C{number}" for number in range(1000))
    begun = time.monotonic()
    answer = web.get(f"/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?c[SEX]={codes}")
    assert answer.status_code == 204
    assert time.monotonic() - begun < SECONDS


def test_many_wildcards_and_conditions_cost_little(web: httpx.Client) -> None:
    every = ",".join(["*.*.*.*"] * 400)
    begun = time.monotonic()
    answer = web.get(f"/sdmx/v2/data/dataflow/SIS/DF_POV/*/{every}?format=csv&limit=5")
    assert answer.status_code == 200
    for operator in ("co", "nc", "sw", "ew"):
        tests = "%2B".join([f"{operator}:A"] * 400)
        web.get(f"/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?c[INDICATOR]={tests}")
    assert time.monotonic() - begun < 5 * SECONDS


@pytest.fixture
def streamed(web: httpx.Client) -> Iterator[httpx.Response]:
    with web.stream("GET", "/sdmx/v2/data/*/*/*/*/*?format=csv") as answer:
        yield answer


def test_everything_at_once_comes_as_a_stream(streamed: httpx.Response) -> None:
    assert streamed.status_code == 200
    assert "content-length" not in streamed.headers
    assert sum(map(len, streamed.iter_bytes())) > 10_000


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_nothing_can_be_written_over_http(web: httpx.Client, method: str) -> None:
    for path in ("/rest/data/DF_POV", "/sdmx/v2/structure/codelist", "/"):
        answer = web.request(method, path, content=b"<x/>" * 1000)
        assert answer.status_code == 405
        assert answer.headers["allow"]
