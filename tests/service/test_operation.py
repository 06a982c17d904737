"""The service as its operator sees it: releases that follow each other, load, addresses, logs."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from sdmx_service.cli import main
from sdmx_service.errors import ReleaseError
from sdmx_service.release import Release, open_release
from sdmx_service.release.pointer import Schedule
from sdmx_service.release.publishing import publish
from sdmx_service.release.turns import Busy, Turns
from sdmx_service.web import application, streaming
from sdmx_service.web.accesslog import LOGGER, AccessLog
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.serving import _Process
from sdmx_service.web.streaming import Streamed


@pytest.fixture
def two(releases: Path, release: Release, tmp_path: Path) -> tuple[Path, str, str]:
    """Return a folder with two releases, the first of which is current."""
    root = tmp_path / "releases"
    shutil.copytree(releases, root)
    later = publish(
        root,
        title="Later",
        tables={name: release.table(name) for name in release.manifest.rows},
        structures=release.directory / "structures",
        definitions={"changed": True},
        annexes={},
        inputs={},
        generator="tests",
    )
    Schedule(release.id).write(root)
    return root, release.id, later


def test_a_release_opens_at_its_moment_for_all_who_hold_the_folder(
    two: tuple[Path, str, str],
) -> None:
    root, first, second = two
    start = datetime.now(UTC) + timedelta(seconds=2)
    Schedule(first, ((start, second),)).write(root)
    workers = [CurrentRelease(root) for _ in range(2)]
    workers[0].prepare()  # the other one learns of it when it is asked
    opens, deadline = start.timestamp(), time.time() + 60
    before: set[str] = set()
    for worker in workers:
        while time.time() < deadline:
            asked = time.time()
            id = worker.release().id
            if time.time() < opens:
                before.add(id)
            elif asked >= opens:
                break
        assert id == second
    assert before <= {first}


def test_an_open_release_stays_when_the_next_cannot_be_opened(
    two: tuple[Path, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    root, first, second = two
    current = CurrentRelease(root)
    assert current.release().id == first
    (root / second / "definitions.json").write_text("{}", encoding="utf-8")
    Schedule(second).write(root)
    assert current.release().id == first
    assert "definitions.json" in str(current.trouble)
    assert f"{first} is served still" in caplog.text
    with pytest.raises(ReleaseError, match=r"definitions\.json"):
        CurrentRelease(root).release()
    Schedule(first).write(root)
    assert current.release().id == first
    assert current.trouble is None


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_open_releases_hold_no_files(two: tuple[Path, str, str]) -> None:
    root, *ids = two
    before = _open_files()
    held = [open_release(root, one).image("DSD_INCL_IND") for one in ids]
    assert _open_files() - before < 5
    assert held[0].columns["OBS_VALUE"].values.flags.writeable is False


def test_big_work_takes_turns_and_small_work_does_not_wait() -> None:
    turns = Turns(waiting=1, patience=5)
    at_once: list[int] = []
    going, most = 0, 0
    may_end = threading.Event()

    def work() -> None:
        nonlocal going, most
        with turns.turn(10_000_000):
            going += 1
            most = max(most, going)
            assert may_end.wait(10)
            at_once.append(going)
            going -= 1

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    with turns.turn(10):
        pass
    with pytest.raises(Busy, match="ask again in half a minute") as caught, turns.turn(2_000_000):
        pass
    assert caught.value.http_status == 503
    may_end.set()
    for thread in threads:
        thread.join()
    assert (most, at_once) == (1, [1, 1])


def test_who_waits_too_long_for_a_turn_is_sent_away() -> None:
    turns = Turns(waiting=1, patience=0.05)
    with turns.turn(2_000_000), pytest.raises(Busy), turns.turn(2_000_000):
        pass
    with turns.turn(2_000_000):
        pass


def test_too_many_long_answers_are_refused_and_short_ones_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Streamed, "under_way", 64)
    Streamed(iter([b"short"]), {})
    with pytest.raises(Busy, match="64 long answers under way"):
        Streamed(iter([b"long", b"er"]), {})
    monkeypatch.setattr(Streamed, "under_way", 63)
    Streamed(iter([b"long", b"er"]), {})


def test_a_client_that_takes_nothing_is_given_up_and_nothing_more_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "_PATIENCE", 0.05)
    made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal made
        for made in range(1, 1_000):  # noqa: B007 - it counts
            yield b"x"

    async def stalled(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    asyncio.run(Streamed(pieces(), {}).stream_response(stalled))
    assert made <= 3
    assert Streamed.under_way == 0


def test_a_log_line_says_what_was_asked_and_not_by_whom(
    releases: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transport = httpx.ASGITransport(AccessLog(application(releases)), client=("192.0.2.7", 1))

    async def asked() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/healthz", headers={"User-Agent": "secret/1"})
            await client.get("/rest/data/NOWHERE?x=%22%0A'b\"")

    logging.getLogger(LOGGER).propagate = True
    with caplog.at_level(logging.INFO, LOGGER):
        asyncio.run(asked())
    first, second = (one.getMessage() for one in caplog.records if one.name == LOGGER)
    assert first.startswith("- - - [")
    assert '"GET /healthz HTTP/1.1" 200 ' in first
    assert '"GET /rest/data/NOWHERE?x=%22%0A\'b%22 HTTP/1.1" 400 ' in second
    assert not {"192.0.2.7", "secret"} & set((first + second).split())


@pytest.mark.parametrize("keeps_prefix", [True, False])
def test_behind_a_proxy_every_link_has_the_prefix(releases: Path, keeps_prefix: bool) -> None:
    transport = httpx.ASGITransport(_Process(application(releases), "/statistics"))
    place = "/statistics" if keeps_prefix else ""

    async def asked(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(place + path, headers={"Accept": "*/*"})

    page = asyncio.run(asked("/sdmx/v2/data/dataflow/SIS/DF_POV?limit=1"))
    assert page.status_code == 200
    assert page.headers["Link"].count("</statistics/sdmx/v2/data/") == 2
    home = asyncio.run(asked("/")).json()
    assert home["entryPoints"]["REST 2.2"] == "http://test/statistics/sdmx/v2"
    series = asyncio.run(asked("/rest/data/DF_POV?format=csv")).text.splitlines()[1].split(",")
    assert series[0] == "SIS:DF_POV(1.0.0)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "99999"], "port: expected a number from 0 to 65535"),
        (["--workers", "0"], "workers: expected a number from 1"),
        (["--cache", "-1"], "cache: expected a number from 0"),
        (["--prefix", "statistics/"], "prefix: expected a path such as /statistics"),
        (["--host", "192.0.2.1"], "address: expected a host and a port of this machine"),
    ],
)
def test_an_address_that_cannot_be_had_is_a_wrong_command(
    releases: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["serve", "--releases", str(releases), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(releases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--releases", str(releases), "--port", port]) == 2
    told = capsys.readouterr()
    assert f"127.0.0.1:{port}, Address already in use" in told.err
    assert not told.out
