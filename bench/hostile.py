"""How long hostile requests take: every word of the tests in every place, in this process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sdmx_service.web import application

__all__ = ["Slowest", "hostile", "matrix"]

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "service"))
import hostile_requests
from hostile_requests import FLOODS, HEADERS, RESOURCES
from page import Report
from running import stalled

# What takes longer is asked again: the machine may have been busy elsewhere.
_AGAIN, _TIMES, _SHOWN = 0.02, 3, 25
_HEADED = ("/rest/dataflow/SIS", "/sdmx/v2/data/dataflow/SIS/DF_ALL/1.0.0/*", "/")


@dataclass(frozen=True, order=True)
class Slowest:
    """The request of a group that takes longest to refuse or to begin to answer; seconds."""

    seconds: float
    processor: float
    status: int
    word: str
    group: str
    count: int = 0
    failed: int = 0


class _EnoughError(Exception):
    """The first piece has come."""


def matrix(root: Path) -> list[Slowest]:
    """Return the slowest of each resource, of the refused and of the answered, then of all floods.

    Times are to the whole of a refusal and to the first piece of an answer, without HTTP.
    """
    app = application(root)
    app.state.current.prepare()
    gc.collect()
    gc.freeze()
    with asyncio.Runner() as runner:
        for address in (*_HEADED, "/sdmx/v2/structure/*", "/rest/schema/dataflow/SIS/DF_ALL"):
            runner.run(_asked(app, address, {}))
        try:
            return [
                slowest
                for group, requests in _groups()
                for slowest in _measured(runner, app, group, requests)
            ]
        finally:
            gc.unfreeze()


def _groups() -> Iterator[tuple[str, list[tuple[str, str, Mapping[str, str]]]]]:
    for resource in RESOURCES:
        found = [
            (f"{place}: {word}", url, {}) for place, word, url in hostile_requests.hostile(resource)
        ]
        yield resource, found
    yield (
        "headers",
        [
            (f"{name}: {word}", address, {name: text})
            for name, words in HEADERS.items()
            for word, text in words.items()
            for address in _HEADED
        ],
    )
    for name, address in FLOODS.items():
        yield "flood", [(name, address, {})]


def _measured(
    runner: asyncio.Runner,
    app: Any,
    group: str,
    requests: list[tuple[str, str, Mapping[str, str]]],
) -> list[Slowest]:
    worst: dict[bool, Slowest] = {}
    counts, failed = {True: 0, False: 0}, {True: 0, False: 0}
    for word, address, headers in requests:
        seconds, processor, status = runner.run(_asked(app, address, headers))
        if seconds > _AGAIN:
            again = [runner.run(_asked(app, address, headers)) for _ in range(_TIMES)]
            seconds, processor, status = min([*again, (seconds, processor, status)])
        refused = status >= 400
        counts[refused] += 1
        failed[refused] += status >= 500
        found = Slowest(seconds, processor, status, word, group)
        worst[refused] = max(worst.get(refused, found), found)
    return [
        Slowest(one.seconds, one.processor, one.status, one.word, group, counts[key], failed[key])
        for key, one in sorted(worst.items(), reverse=True)
    ]


async def _asked(app: Any, address: str, headers: Mapping[str, str]) -> tuple[float, float, int]:
    """Return seconds, seconds of processor and the status of one request."""
    path, _, query = address.partition("?")
    status, gone = 0, asyncio.Event()

    async def receive() -> dict[str, str]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])
        elif message.get("more_body") and message.get("body"):
            raise _EnoughError

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(n.lower().encode(), text.encode("latin-1")) for n, text in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    began, used = time.perf_counter(), time.process_time()
    with contextlib.suppress(_EnoughError):
        await app(scope, receive, send)
    return time.perf_counter() - began, time.process_time() - used, status


def hostile(report: Report, root: Path, size: int, flow: str, accept: str) -> None:
    """Requests made to hurt: how long they are refused or begin to be answered."""
    found = matrix(root)
    refused = [one for one in found if one.status >= 400]
    rows = [
        (
            one.group,
            "refused" if one.status >= 400 else "answered",
            f"{one.count:,}",
            one.word,
            one.status,
            f"{one.seconds * 1e3:.1f}",
            f"{one.processor * 1e3:.1f}",
        )
        for one in sorted(found, reverse=True)[:_SHOWN]
    ]
    failed = sum(one.failed for one in found)
    total = sum(one.count for one in found)
    report.target(f"{total:,} hostile requests on {size:,}: failures (5xx)", failed, 0, "of them")
    slowest = max(refused).seconds * 1e3
    report.target(f"hostile requests on {size:,}, refused: the slowest", slowest, 50, "ms")
    growth, after = stalled(root, f"{flow}/*", accept)
    report.target("a client that reads nothing: memory that it makes grow", growth, 64, "MB")
    report.target("after it went away: processor used in a second", after * 1e3, 100, "ms")
    report.table(
        f"Hostile requests on {size:,} observations, in process and one at a time: the slowest of "
        f"each kind, and of kinds the {_SHOWN} slowest; of an answer the time to its first piece:",
        ("where", "was", "requests", "slowest", "status", "ms", "processor, ms"),
        rows,
    )
