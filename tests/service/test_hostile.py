"""Requests made to hurt: they are refused at once, or answered without growing.

Words and places are those of ``hostile_requests``. How long the answers take is measured by
``bench/service.py``: here is nothing that a busy machine could fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from lxml import etree
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send

from sdmx_service.query import grammar
from sdmx_service.release import Release
from sdmx_service.web import application
from sdmx_service.web.answer import answer as answered
from tests.service.hostile_requests import FLOODS, HEADERS, RESOURCES, WORDS, hostile

pytestmark = pytest.mark.service

_DANGEROUS = frozenset(
    {"path", "encoded path", "path encoded twice", "backslashes", "overlong UTF-8", "no UTF-8"}
    | {"surrogate", "broken escape", "line break", "header in a header", "null", "SQL", "union"}
    | {"DOCTYPE", "script", "template", "file", "bidi", "zero width", "an id of 8 kB", "blanks"}
    | {"10,000 codes by +", "10,000 codes by ,", "dots and an end", "open brackets", "marks"}
)


# Texts of any kind may be compared with; of a word about the presentation not every one is read.
_ANY_TEXT = frozenset({*grammar.PRESENTATION, "c[SEX]", "c[COMMENT_OBS]"})


@dataclass
class Answer:
    """What came back, as far as it was read: the first piece of a stream is enough."""

    status: int = 0
    headers: Mapping[str, str] | None = None
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class _Enough(Exception):
    """The client has read what it wanted."""


async def _asked(app: ASGIApp, address: str, headers: Mapping[str, str]) -> Answer:
    path, _, query = address.partition("?")
    found = Answer()
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.status = int(message["status"])
            raw = message["headers"]
            assert not any(b"\r" in part or b"\n" in part for pair in raw for part in pair)
            found.headers = {name.decode().lower(): value.decode() for name, value in raw}
            return
        found.body += message.get("body", b"")
        if message.get("more_body") and found.body:
            gone.set()
            raise _Enough

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode(), text.encode("latin-1")) for name, text in headers.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    with contextlib.suppress(_Enough):
        await app(scope, receive, send)
    return found


def _all(app: ASGIApp, asked: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, Answer]:
    async def run() -> dict[str, Answer]:
        return {name: await _asked(app, *one) for name, one in asked.items()}

    return asyncio.run(run())


def _says_nothing_of_ours(answer: Answer) -> None:
    assert answer.status < 500, answer.text[:200]
    assert answer.headers is not None
    assert "x-evil" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    for secret in ("root:", "Traceback", "site-packages", "/dsd/"):
        assert secret not in answer.text
    if answer.status >= 400:
        assert len(answer.body) < 16_000
        kind = answer.headers["content-type"]
        assert kind.startswith(("application/problem+json", "application/vnd.sdmx.error+xml"))
        assert "json" in kind or "<script" not in answer.text


@pytest.fixture(scope="module")
def app(releases: Path) -> ASGIApp:
    """Return the service, without HTTP: words reach it as they are."""
    found = application(releases)
    found.state.current.prepare()
    return found


@pytest.mark.parametrize("resource", RESOURCES)
def test_no_word_does_harm_wherever_it_stands(app: ASGIApp, resource: str) -> None:
    plain: Mapping[str, str] = {}
    asked = {
        f"{place}: {word}": (url, plain)
        for place, word, url in hostile(resource)
        if place not in grammar.PRESENTATION or word in _DANGEROUS
    }
    for name, answer in _all(app, asked).items():
        _says_nothing_of_ours(answer)
        place, _, word = name.partition(": ")
        if word in _DANGEROUS and place not in _ANY_TEXT:
            assert 400 <= answer.status < 500, name


@pytest.mark.parametrize("resource", RESOURCES)
def test_an_error_in_xml_holds_the_word_as_text(app: ASGIApp, resource: str) -> None:
    xml = {"Accept": "application/xml"}
    asked = {
        f"{place}: {word}": (url, xml)
        for place, word, url in hostile(resource)
        if word in ("DOCTYPE", "script", "null", "no UTF-8", "surrogate", "line break")
    }
    for answer in _all(app, asked).values():
        _says_nothing_of_ours(answer)
        assert answer.headers is not None
        if answer.status >= 400 and "xml" in answer.headers["content-type"]:
            message = etree.fromstring(answer.body)
            assert b"<!DOCTYPE" not in answer.body
            assert not message.xpath("//*[local-name()='script' or local-name()='x']")


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_refused_or_answered_in_pieces(app: ASGIApp, name: str) -> None:
    answer = _all(app, {name: (FLOODS[name], {})})[name]
    _says_nothing_of_ours(answer)
    assert answer.status in (200, 204, 400, 413, 414, 422)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_read_without_trust(app: ASGIApp, name: str) -> None:
    for address in ("/rest/dataflow/SIS", "/sdmx/v2/data/dataflow/SIS/DF_POV", "/"):
        asked = {word: (address, {name: text}) for word, text in HEADERS[name].items()}
        for word, answer in _all(app, asked).items():
            _says_nothing_of_ours(answer)
            assert answer.status in (200, 304, 400, 406), word


RAW = {
    "a line break in the path": b"GET /rest/data/DF_POV\r\nX-Evil: 1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "null in the path": b"GET /rest/data/DF_\0POV HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /rest/data/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a break in a header": b"GET / HTTP/1.1\r\nHost: x\r\nAccept: a\rX-Evil: 1\r\n\r\n",
    "null in a header": b"GET / HTTP/1.1\r\nHost: x\r\nAccept: a\0b\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no HTTP": b"\x16\x03\x01" + b"\0" * 500,
    "a path of 60 kB": b"GET /rest/data/" + b"A+" * 30_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_http_is_refused_and_others_are_still_answered(
    service: str, web: httpx.Client, name: str
) -> None:
    split = urlsplit(service)
    with socket.create_connection((split.hostname, split.port), timeout=10) as one:
        one.sendall(RAW[name])
        said = one.recv(65_536)
    assert not said or said.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))
    assert b"x-evil" not in said.partition(b"\r\n\r\n")[0].lower()
    assert web.get("/healthz").status_code == 200


def test_a_key_of_ten_thousand_codes_is_refused_by_its_length(web: httpx.Client) -> None:
    codes = WORDS["10,000 codes by +"]
    assert web.get(f"/rest/data/DF_POV/A.{codes}").status_code == 414
    every = "/sdmx/v2/data/dataflow/SIS/DF_POV/*/*"
    assert web.get(f"{every}?c[SEX]={codes}").status_code == 414


def test_codes_that_no_list_has_are_left_out(web: httpx.Client) -> None:
    """As the standard says; nothing is left to find."""
    codes = WORDS["as many codes by , as fit"]
    answer = web.get(f"/sdmx/v2/data/dataflow/SIS/DF_POV/*/*?c[SEX]={codes}")
    assert answer.status_code == 204


def test_what_is_said_again_changes_nothing(web: httpx.Client) -> None:
    every = "/sdmx/v2/data/dataflow/SIS/DF_POV/*/{}?format=csv&sort={}"
    once = web.get(every.format("*.AT,*.NO", "REF_AREA:desc+SEX"))
    again = web.get(every.format("*.AT,*.NO,*.AT", "REF_AREA:desc+SEX+REF_AREA+SEX:desc"))
    assert once.status_code == 200
    assert again.content == once.content


class _Pieces:
    """An answer without end that counts what was made of it."""

    def __init__(self) -> None:
        self.made, self.closed = 0, False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while True:
                self.made += 1
                yield b"x" * 100_000
        finally:
            self.closed = True


async def _streaming(release: Release, pieces: _Pieces, send: Send, receive: Receive) -> None:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/"}
    scope |= {"headers": [], "query_string": b""}
    scope["asgi"] = {"version": "3.0", "spec_version": "2.3"}
    response = answered(Request(scope), release, "text/csv", pieces)
    await response(scope, receive, send)


def test_a_client_that_reads_nothing_makes_nothing_grow(release: Release) -> None:
    pieces = _Pieces()

    async def run() -> None:
        async def stalled(message: Message) -> None:
            if message["type"] == "http.response.body":
                await asyncio.sleep(3600)

        async def listening() -> Message:
            await asyncio.sleep(3600)
            raise AssertionError

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_streaming(release, pieces, stalled, listening), 0.5)

    asyncio.run(run())
    # One piece is held by the connection, one is ready to follow it.
    assert pieces.made == 2
    gc.collect()
    assert pieces.closed


def test_a_client_that_goes_away_ends_the_work(release: Release) -> None:
    pieces = _Pieces()

    async def run() -> int:
        gone = asyncio.Event()
        sent = 0

        async def send(message: Message) -> None:
            nonlocal sent
            sent += message["type"] == "http.response.body"
            if sent == 5:
                gone.set()
            await asyncio.sleep(0)

        async def receive() -> Message:
            await gone.wait()
            return {"type": "http.disconnect"}

        await asyncio.wait_for(_streaming(release, pieces, send, receive), 60)
        return sent

    sent = asyncio.run(run())
    assert pieces.made <= sent + 2
    gc.collect()
    assert pieces.closed


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
