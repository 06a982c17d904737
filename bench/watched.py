"""Where the time goes of a task that misses its target, in this process."""

from __future__ import annotations

import cProfile
import io
import pstats
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from observations import slice_key
from page import Report

from sdmx_service.query import rest22
from sdmx_service.release import Release, open_release
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.data import REST22, Wish, message_of
from sdmx_service.web.quick import Quick

__all__ = ["profiles"]

_LINES = 8
_KEY = "dataflow/SIS/DF_ALL/1.0.0"


def profiles(
    report: Report, root: Path, keys: Sequence[str], formats: Mapping[str, str], points: str
) -> None:
    """Add a profile for every kind of target that was missed.

    ``points`` is the media type whose single series are watched; ``formats`` are those of slices
    and dumps, by the names that the verdicts call them.
    """
    missed = [line for line in report.verdicts if "MISSED" in line]
    release = open_release(root)
    tasks: dict[str, Callable[[], Any]] = {}
    if any("one series" in line for line in missed):
        tasks["2,000 single series"] = lambda: _points(root, keys, points)
    key = slice_key(release)
    for name, accept in formats.items():
        lines = [line for line in missed if name in line]
        if any("observations, " in line for line in lines):
            asked = f"{_KEY}/{key}", "limit=10000"
            tasks[f"ten slices as {name}"] = lambda a=accept, q=asked: [  # type: ignore[misc]
                _written(release, *q, a) for _ in range(10)
            ]
        if any("all " in line for line in lines):
            tasks[f"a dump as {name}"] = lambda a=accept: _written(release, f"{_KEY}/*", "", a)  # type: ignore[misc]
    if any("availability" in line for line in missed):
        tasks["twenty availabilities"] = lambda: [_available(release, key) for _ in range(20)]
    for what, task in tasks.items():
        report.parts += [f"Where {what} of {root.name} spend their time:", watched(task)]


def watched(task: Callable[[], Any]) -> str:
    """Return the lines of a profile that use most time, as Markdown."""
    profile = cProfile.Profile()
    profile.runcall(task)
    out = io.StringIO()
    pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(_LINES)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    start = next(number for number, line in enumerate(lines) if "tottime" in line)
    short = [re.sub(r"\S*/(?=[\w.]+:)", "", line) for line in lines[start:] if line]
    return "```\n" + "\n".join(short) + "\n```"


def _written(release: Release, path: str, parameters: str, accept: str) -> None:
    query = rest22.data_query(path, parameters)
    wish = Wish.of(REST22.default, {}, accept, None, release)
    message = message_of(release.answer(query), release, query, wish)
    for _ in wish.choice.format.write(message):
        pass


def _points(root: Path, keys: Sequence[str], accept: str) -> None:
    async def nobody(*_: object) -> None:
        raise AssertionError

    quick = Quick(nobody, CurrentRelease(root))
    for number in range(2_000):
        path = f"/sdmx/v2/data/{_KEY}/{keys[number % len(keys)]}".encode()
        headers = [(b"accept", accept.encode())]
        scope = {"type": "http", "method": "GET", "raw_path": path}
        assert quick.answered({**scope, "query_string": b"", "headers": headers}) is not None


def _available(release: Release, key: str) -> None:
    query = rest22.availability_query(f"{_KEY}/{key}", "c[TIME_PERIOD]=ge:2015&mode=available")
    for answer in release.answer(rest22.data_query(f"{_KEY}/*")):
        answer.available(query)
