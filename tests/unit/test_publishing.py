"""A release is public from its moment on: not before, for everyone at once, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sdmx_service.cube import columns
from sdmx_service.errors import ReleaseError, RequestError
from sdmx_service.query.query import DataQuery
from sdmx_service.release import current_id, open_release
from sdmx_service.release.archive import Archive
from sdmx_service.release.manifest import Manifest
from sdmx_service.release.pointer import Schedule
from sdmx_service.release.publishing import publish
from sdmx_service.structures.store import StructureStore

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _published(root: Path, repository: Path, value: float, embargo: datetime | None = None) -> str:
    structures = repository / "dsd/structures"
    structure = StructureStore.read(structures).datastructure("DSD_INCL_IND")
    row: dict[str, object] = dict.fromkeys(columns(structure))
    row |= {dimension.id: "_T" for dimension in structure.dimensions}
    row |= {"FREQ": "A", "REF_AREA": "AT", "INDICATOR": "POV_ARPT60", "TIME_PERIOD": "2006"}
    row |= {"OBS_VALUE": value, "OBS_STATUS": "A"}
    return publish(
        root,
        title="Test",
        tables={"DSD_INCL_IND": pl.DataFrame([row], infer_schema_length=None)},
        structures=structures,
        definitions={},
        annexes={},
        inputs={},
        generator="test",
        embargo=embargo,
    )


def test_a_schedule_is_read_as_it_was_written(tmp_path: Path) -> None:
    said = Schedule("a").with_release("c", NOON + HOUR).with_release("b", NOON)
    said.write(tmp_path)
    assert Schedule.read(tmp_path) == said
    assert (tmp_path / "CURRENT").read_text("utf-8").splitlines() == [
        "a",
        "2026-12-01T12:00:00+00:00 b",
        "2026-12-01T13:00:00+00:00 c",
    ]


def test_a_release_is_current_from_its_moment_on() -> None:
    said = Schedule("a").with_release("b", NOON).with_release("c", NOON + HOUR)
    instant = timedelta(microseconds=1)
    assert said.at(NOON - instant) == said
    assert said.at(NOON) == Schedule("b", ((NOON + HOUR, "c"),))
    assert said.at(NOON + HOUR) == Schedule("c")
    assert said.with_release("b", NOON + 2 * HOUR).at(NOON + 2 * HOUR).current == "b"


def test_a_line_that_says_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("at noon the-release\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match="at noon the-release"):
        Schedule.read(tmp_path)


def test_what_is_embargoed_is_in_no_answer(tmp_path: Path, repository: Path) -> None:
    first = _published(tmp_path, repository, 1.0)
    later = datetime.now(UTC) + HOUR
    second = _published(tmp_path, repository, 2.0, later)
    assert current_id(tmp_path) == first != second
    assert Manifest.read(tmp_path / second).embargo == later.isoformat()
    current = open_release(tmp_path)
    for query in (DataQuery(include_history=True), DataQuery(as_of=later + HOUR)):
        answers = Archive(tmp_path).answer(current, query)
        assert {v for one in answers for v in one.frame["OBS_VALUE"].to_list()} == {1.0}
    third = _published(tmp_path, repository, 3.0)
    assert current_id(tmp_path) == third
    assert Schedule.read(tmp_path) == Schedule(third, ((later, second),))


def test_an_embargo_can_be_put_off(tmp_path: Path, repository: Path) -> None:
    soon, late = (NOON.replace(year=2999, hour=hour) for hour in (9, 11))
    release = _published(tmp_path, repository, 2.0, soon)
    assert _published(tmp_path, repository, 2.0, late) == release
    assert Schedule.read(tmp_path) == Schedule(None, ((late, release),))
    assert Manifest.read(tmp_path / release).published_at == late
    with pytest.raises(ReleaseError, match="public from 2999-12-01T11:00:00"):
        current_id(tmp_path)


@pytest.mark.parametrize("moment", [datetime(2999, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)])
def test_an_embargo_is_a_moment_to_come_with_a_zone(
    tmp_path: Path, repository: Path, moment: datetime
) -> None:
    with pytest.raises(RequestError, match="a moment to come, with its time zone"):
        _published(tmp_path, repository, 1.0, moment)
    assert not list(tmp_path.iterdir())


def test_who_asks_for_changes_since_any_moment_misses_none(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first = _published(tmp_path, repository, 1.0)
    seen_old: list[datetime] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            before = datetime.now(UTC)
            if current_id(tmp_path) == first:
                seen_old.append(before)

    looker = threading.Thread(target=look)
    looker.start()
    second = _published(tmp_path, repository, 2.0)
    done.set()
    looker.join()
    published = Manifest.read(tmp_path / second).published_at
    assert max(seen_old) < published <= datetime.now(UTC)
    assert published.microsecond == 0


def test_a_release_has_its_images_before_anyone_asks(tmp_path: Path, repository: Path) -> None:
    _published(tmp_path, repository, 1.0, NOON.replace(year=2999))
    assert list((tmp_path / ".images").glob("*/contents.json"))


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path, repository: Path) -> None:
    first = _published(tmp_path, repository, 1.0)
    code = (
        "import sys, os, signal; from pathlib import Path; sys.path.insert(0, sys.argv[3]);"
        "from sdmx_service.release import publishing; import test_publishing;"
        "publishing._make_images = lambda *a: os.kill(os.getpid(), signal.SIGKILL);"
        "test_publishing._published(Path(sys.argv[1]), Path(sys.argv[2]), 2.0)"
    )
    command = [
        sys.executable,
        "-c",
        code,
        str(tmp_path),
        str(repository),
        str(Path(__file__).parent),
    ]
    killed = subprocess.run(command, check=False, env={**os.environ})
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".staging-*"))
    assert open_release(tmp_path).id == first
    third = _published(tmp_path, repository, 3.0)
    assert not list(tmp_path.glob(".staging-*"))
    assert open_release(tmp_path).id == third


def test_two_builds_at_once_take_turns(tmp_path: Path, repository: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda v=value: made.append(_published(tmp_path, repository, v)))
        for value in (1.0, 2.0)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2
    assert current_id(tmp_path) in made
    moments = {Manifest.read(tmp_path / one).published_at for one in made}
    assert len(moments) == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "releases").write_text("a file, no folder", encoding="utf-8")
    with pytest.raises(ReleaseError, match="a folder that a release can be written into"):
        _published(tmp_path / "releases", repository, 1.0)
