"""What answers for one series fast says the same, byte for byte, as what answers everything."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from sdmx_service.release import Release
from sdmx_service.release.mapped import Numbers
from sdmx_service.web import compression
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.quick import Quick
from sdmx_service.web.small import field

pytestmark = pytest.mark.service

CSV20 = "application/vnd.sdmx.data+csv;version=2.0.0"
FORMATS = [
    CSV20,
    "application/vnd.sdmx.data+csv;version=2.1.0",
    "application/vnd.sdmx.data+csv;version=1.0.0",
    "application/vnd.sdmx.data+csv;version=2.0.0;labels=both",
    "text/csv",
    "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
    "application/vnd.sdmx.data+xml;version=3.0.0",
    "application/vnd.sdmx.data+xml;version=3.1.0",
    "application/vnd.sdmx.data+json;version=2.0.0",
    "application/vnd.sdmx.data+json;version=2.1.0",
]
# Whoever asks under a condition is answered the long way.
LONG_WAY = {"If-None-Match": '"another"'}


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("handed on")


def _scope(path: str, query: str = "", **headers: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()],
    }


def _keys(release: Release, flow: str) -> list[str]:
    structure = release.structures.dataflow(flow).structure
    dimensions = [dimension.id for dimension in structure.dimensions]
    series = release.flow(flow).select(pl.col(dimensions).cast(pl.String)).unique()
    return [".".join(row) for row in series.sort(dimensions).iter_rows()]


def _fast(web: httpx.Client, path: str, headers: Mapping[str, str]) -> httpx.Response:
    """Return the answer of the fast way, which says how long it is, once it is ready."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = web.get(path, headers=headers)
        if "content-length" in answer.headers:
            return answer
        time.sleep(0.05)
    raise AssertionError("the fast way is never ready")


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("flow", ["DF_ALL", "DF_POV", "DF_GAP"])
def test_one_series_is_written_fast(
    releases: Path, release: Release, web: httpx.Client, flow: str, accept: str
) -> None:
    quick = Quick(_nothing, CurrentRelease(releases))
    keys = _keys(release, flow)
    assert keys
    for prefix in (f"/sdmx/v2/data/dataflow/SIS/{flow}/+/", f"/rest/data/SIS,{flow}/"):
        for key in keys:
            found = quick.answered(_scope(prefix + key, accept=accept))
            assert found is not None, f"{accept} goes the long way"
            headers, body = found
            long = web.get(prefix + key, headers={"Accept": accept, **LONG_WAY})
            assert long.status_code == 200
            assert body == long.content
            assert dict(headers)[b"etag"].decode() == long.headers["etag"]


@pytest.mark.parametrize("parameters", ["attributes=none", "measures=none", "attributes=UNIT_MULT"])
def test_fewer_columns_are_written_fast_too(
    releases: Path, release: Release, web: httpx.Client, parameters: str
) -> None:
    quick = Quick(_nothing, CurrentRelease(releases))
    path = f"/sdmx/v2/data/dataflow/SIS/DF_ALL/+/{_keys(release, 'DF_ALL')[0]}"
    found = quick.answered(_scope(path, parameters, accept=CSV20))
    assert found is not None
    assert (
        found[1] == web.get(f"{path}?{parameters}", headers={"Accept": CSV20, **LONG_WAY}).content
    )


def test_both_ways_say_the_same_headers(release: Release, web: httpx.Client) -> None:
    path = f"/sdmx/v2/data/dataflow/SIS/DF_ALL/+/{_keys(release, 'DF_ALL')[0]}"
    asked = {"Accept": CSV20, "Accept-Encoding": "identity"}
    fast, long = _fast(web, path, asked), web.get(path, headers=asked | LONG_WAY)
    of_transfer = {"date", "content-length", "transfer-encoding"}
    assert {n: v for n, v in fast.headers.items() if n not in of_transfer} == {
        n: v for n, v in long.headers.items() if n not in of_transfer
    }
    assert fast.headers["content-length"] == str(len(long.content))
    head = web.head(path, headers={"Accept": CSV20, "Accept-Encoding": "identity"})
    assert head.headers["content-length"] == fast.headers["content-length"]
    assert head.content == b""


@pytest.mark.parametrize(
    ("key", "parameters"),
    [
        ("A.AT", ""),
        ("*", ""),
        ("{key}", "lastNObservations=1"),
        ("{key}", "c[TIME_PERIOD]=ge:2019"),
        ("{key}", "limit=1"),
        ("{key}", "sort=TIME_PERIOD:desc"),
        ("{key}", "dimensionAtObservation=AllDimensions"),
        ("{key}", "nonsense=1"),
        ("{key}.X", ""),
        ("A.XX", ""),
        ("", ""),
        ("%2e%2e", ""),
    ],
)
def test_all_other_requests_are_handed_on(
    releases: Path, release: Release, key: str, parameters: str
) -> None:
    quick = Quick(_nothing, CurrentRelease(releases))
    path = "/sdmx/v2/data/dataflow/SIS/DF_ALL/+/" + key.format(key=_keys(release, "DF_ALL")[0])
    assert quick.answered(_scope(path, parameters, accept=CSV20)) is None


def test_a_flow_has_no_series_that_it_does_not_admit(releases: Path, release: Release) -> None:
    quick = Quick(_nothing, CurrentRelease(releases))
    of_another = "A.AT.EDU_YEARS" + "._T" * 11
    assert of_another not in _keys(release, "DF_POV")
    assert quick.answered(_scope(f"/rest/data/DF_EDU/{_keys(release, 'DF_POV')[0]}")) is None


def test_kept_answers_are_the_same_and_no_more_than_fit(releases: Path, release: Release) -> None:
    current = CurrentRelease(releases)
    plain, keeping = Quick(_nothing, current), Quick(_nothing, current, cache=5_000)
    for _ in range(2):
        for key in _keys(release, "DF_ALL"):
            scope = _scope(f"/rest/data/DF_ALL/{key}", accept=CSV20)
            assert keeping.answered(scope) == plain.answered(scope)
    assert sum(len(body) for _, body in keeping._kept.values()) <= 5_000


def test_what_is_no_longer_current_is_not_answered_from(
    releases: Path, release: Release, tmp_path: Path,
    running: Callable[[Path], AbstractContextManager[str]],
) -> None:  # fmt: skip
    root = tmp_path / "releases"
    shutil.copytree(releases, root)
    with running(root) as address:
        path = f"{address}/rest/data/DF_ALL/{_keys(release, 'DF_ALL')[0]}"
        before = httpx.get(path, headers={"Accept": CSV20})
        assert before.status_code == 200
        (root / "CURRENT").unlink()
        assert httpx.get(path, headers={"Accept": CSV20}).status_code == 503


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_numbers_are_written_as_polars_writes_them(values: list[float]) -> None:
    column = Numbers("X", np.array(values, dtype="<f8"), None)
    made = field(column, [b"1.5", b"NaN", b"inf", b"-inf", b""])
    assert made is not None
    expected = pl.Series(values, dtype=pl.Float64).cast(pl.String).to_list()
    assert [text.decode() for text in made.many(0, len(values))] == expected


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20))
def test_whole_numbers_and_gaps_are_written_as_polars_writes_them(values: list[int | None]) -> None:
    there = np.array([value is not None for value in values], dtype="u1")
    column = Numbers("X", np.array([value or 0 for value in values], dtype="<i8"), there)
    made = field(column, [b"<15>", b""])
    assert made is not None
    expected = [b"" if value is None else f"<{value}>".encode() for value in values]
    assert made.many(0, len(values)) == expected


# ---- compression


def _decoded(coding: str, body: bytes) -> bytes:
    if coding == "gzip":
        return gzip.decompress(body)
    module: Any = import_module({"zstd": "zstandard", "br": "brotli"}[coding])
    decoded: bytes = (
        module.ZstdDecompressor().decompressobj().decompress(body)
        if coding == "zstd"
        else module.decompress(body)
    )
    return decoded


@pytest.mark.parametrize("coding", sorted(compression.CODINGS))
@pytest.mark.parametrize("more", [{}, LONG_WAY], ids=["fast", "long"])
def test_answers_are_compressed_as_the_client_wants(
    release: Release, web: httpx.Client, coding: str, more: Mapping[str, str]
) -> None:
    for key in (_keys(release, "DF_ALL")[0], "*"):
        path = f"/sdmx/v2/data/dataflow/SIS/DF_ALL/+/{key}"
        if key != "*" and not more:
            _fast(web, path, {"Accept": CSV20})
        plain = web.get(path, headers={"Accept": CSV20, "Accept-Encoding": "identity", **more})
        assert "content-encoding" not in plain.headers
        with web.stream(
            "GET", path, headers={"Accept": CSV20, "Accept-Encoding": coding, **more}
        ) as answer:
            raw = b"".join(answer.iter_raw())
            assert answer.headers["content-encoding"] == coding
            assert answer.headers["vary"] == "Accept, Accept-Language, Accept-Encoding"
            assert answer.headers["etag"] == plain.headers["etag"]
        assert _decoded(coding, raw) == plain.content
        assert len(raw) < len(plain.content)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", "other"),
        ("*;q=0", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("gzip;q=1.0, identity;q=0.5", "gzip"),
        ("deflate, unknown", None),
        ("gzip;q=high", None),
        ("GZIP", "gzip"),
    ],
)
def test_the_coding_wanted_most_is_taken(header: str, coding: str | None) -> None:
    others = [name for name in compression.CODINGS if name != "gzip"]
    expected = next(iter(others), None) if coding == "other" else coding
    assert compression.encodings(header).best == expected


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        ("", True),
        ("gzip", True),
        ("gzip;q=0", True),
        ("identity;q=0", False),
        ("*;q=0", False),
        ("gzip, *;q=0", False),
        ("identity;q=0.1, *;q=0", True),
        ("unknown", True),
    ],
)
def test_an_answer_may_go_as_it_is_unless_that_is_refused(header: str, plain: bool) -> None:
    """RFC 9110, 12.5.3: by "identity;q=0", or "*;q=0" without an entry for identity."""
    assert compression.encodings(header).plain is plain


@pytest.mark.parametrize("header", ["identity;q=0", "*;q=0", "identity;q=0, *;q=0", "foo, *;q=0"])
@pytest.mark.parametrize("more", [{}, LONG_WAY], ids=["fast", "long"])
def test_who_takes_no_form_of_the_answer_gets_406(
    release: Release, web: httpx.Client, header: str, more: Mapping[str, str]
) -> None:
    path = f"/sdmx/v2/data/dataflow/SIS/DF_ALL/+/{_keys(release, 'DF_ALL')[0]}"
    refused = web.get(path, headers={"Accept": CSV20, "Accept-Encoding": header, **more})
    assert refused.status_code == 406
    assert refused.json()["where"] == "Accept-Encoding"


def test_who_refuses_the_plain_form_gets_small_answers_compressed(web: httpx.Client) -> None:
    answer = web.get("/healthz", headers={"Accept-Encoding": "gzip, identity;q=0"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["status"] == "ok"


def test_a_small_answer_goes_as_it_is(web: httpx.Client) -> None:
    assert "content-encoding" not in web.get("/healthz").headers


# ---- several processes


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.slow
def test_several_processes_serve_one_image(releases: Path, release: Release) -> None:
    port = _free_port()
    code = f"from sdmx_service.web import serve; serve({str(releases)!r}, port={port}, workers=2)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        path = f"http://127.0.0.1:{port}/rest/data/DF_ALL/{_keys(release, 'DF_ALL')[0]}"
        deadline = time.monotonic() + 60
        while True:
            try:
                answers = {httpx.get(path, headers={"Accept": CSV20}).content for _ in range(20)}
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "no answer"
                time.sleep(0.2)
        assert len(answers) == 1
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
