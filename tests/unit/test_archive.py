"""What stood when: vintages, history, and deltas that make an exact replica."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sdmx_service.cube import columns
from sdmx_service.errors import ReleaseError
from sdmx_service.query import rest15, rest22
from sdmx_service.query.query import DataQuery
from sdmx_service.release.answer import Answer, Change
from sdmx_service.release.archive import Archive
from sdmx_service.release.publishing import publish
from sdmx_service.release.reading import Chosen
from sdmx_service.release.release import Release, open_release
from sdmx_service.release.standing import standing_since
from sdmx_service.structures.store import StructureStore

KEY = ["SEX", "TIME_PERIOD"]
# Three publications of one small table: what was said of (sex, year) in each.
VINTAGES: list[dict[tuple[str, str], float]] = [
    {("F", "2005"): 1.0, ("M", "2005"): 2.0, ("F", "2006"): 3.0},
    {("F", "2005"): 1.0, ("M", "2005"): 2.5, ("M", "2006"): 4.0},
    {("F", "2005"): 1.0, ("M", "2006"): 4.0, ("F", "2006"): 5.0},
]
MOMENTS = [datetime(2026, 1, day, 9, tzinfo=UTC) for day in (10, 20, 30)]


def _table(repository: Path, said: dict[tuple[str, str], float]) -> pl.DataFrame:
    structure = StructureStore.read(repository / "dsd/structures").datastructure("DSD_INCL_IND")
    row: dict[str, object] = dict.fromkeys(columns(structure))
    row |= {dimension.id: "_T" for dimension in structure.dimensions}
    row |= {"FREQ": "A", "REF_AREA": "AT", "INDICATOR": "POV_ARPT60", "OBS_STATUS": "A"}
    return pl.DataFrame(
        [
            {**row, "SEX": sex, "TIME_PERIOD": year, "OBS_VALUE": value}
            for (sex, year), value in said.items()
        ],
        infer_schema_length=None,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    with pytest.MonkeyPatch.context() as patch:
        for said, moment in zip(VINTAGES, MOMENTS, strict=True):
            patch.setenv("SOURCE_DATE_EPOCH", str(int(moment.timestamp())))
            publish(
                folder,
                title="Test",
                tables={"DSD_INCL_IND": _table(repository, said)},
                structures=repository / "dsd/structures",
                definitions={},
                annexes={},
                inputs={},
                generator="test",
            )
    return folder


@pytest.fixture(scope="module")
def current(root: Path) -> Release:
    return open_release(root)


def _asked(root: Path, current: Release, parameters: str) -> tuple[Answer, ...]:
    query = rest22.data_query("dataflow/SIS/DF_POV", parameters)
    return Archive(root).answer(current, query)


def _content(frame: pl.DataFrame) -> dict[tuple[str, str], float | None]:
    measured = "OBS_VALUE" in frame.columns
    values = frame.get_column("OBS_VALUE") if measured else [None] * frame.height
    keys = frame.select(pl.col(KEY).cast(pl.String)).rows()
    return dict(zip(keys, values, strict=True))


def _replayed(
    replica: dict[tuple[str, str], float | None], answers: tuple[Answer, ...]
) -> dict[tuple[str, str], float | None]:
    kept = dict(replica)
    for answer in answers:
        rows = _content(answer.frame)
        if answer.change is Change.DELETE:
            kept = {key: value for key, value in kept.items() if key not in rows}
        else:
            kept |= rows
    return kept


@pytest.mark.parametrize("place", range(3))
def test_a_vintage_is_what_was_published_then(root: Path, current: Release, place: int) -> None:
    asked = MOMENTS[place].strftime("%Y-%m-%dT%H:%M:%SZ")
    (answer,) = _asked(root, current, f"asOf={asked}")
    assert _content(answer.frame) == VINTAGES[place]


def test_an_earlier_release_that_cannot_be_read_harms_no_plain_answer(
    root: Path, tmp_path: Path
) -> None:
    harmed = tmp_path / "harmed"
    shutil.copytree(root, harmed)
    current = open_release(harmed)
    for manifest in harmed.glob("*/manifest.json"):
        if manifest.parent.name != current.id:
            manifest.write_text("{", encoding="utf-8")
    (answer,) = _asked(harmed, current, "")
    assert _content(answer.frame) == VINTAGES[-1]
    assert standing_since(Archive(harmed), current, answer) is current
    with pytest.raises(ReleaseError):
        _asked(harmed, current, "includeHistory=true")


def test_before_the_first_release_there_was_nothing(root: Path, current: Release) -> None:
    assert _asked(root, current, "asOf=2020-01-01T00:00:00Z") == ()


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("later", range(3))
def test_a_delta_makes_an_exact_replica(
    root: Path, current: Release, place: int, later: int
) -> None:
    if later < place:
        return
    after, until = (f"{MOMENTS[one]:%Y-%m-%dT%H:%M:%SZ}" for one in (place, later))
    answers = _asked(root, current, f"updatedAfter={after}&asOf={until}")
    assert _replayed(dict(VINTAGES[place]), answers) == VINTAGES[later]
    assert (answers == ()) == (place == later)


def test_a_delta_of_everything_replaces_and_deletes_nothing(root: Path, current: Release) -> None:
    (answer,) = _asked(root, current, "updatedAfter=2020-01-01T00:00:00Z")
    assert (answer.change, _content(answer.frame)) == (Change.REPLACE, VINTAGES[2])


def test_history_replays_every_vintage(root: Path, current: Release) -> None:
    answers = _asked(root, current, "includeHistory=true")
    for place, moment in enumerate(MOMENTS):
        until = [
            one
            for one in answers
            if (one.valid_from is not None and one.valid_from <= moment)
            or (one.valid_to is not None and one.valid_to <= moment)
        ]
        assert _replayed({}, tuple(until)) == VINTAGES[place]


def test_history_after_a_moment_leaves_out_what_was_known(root: Path, current: Release) -> None:
    query = rest15.data_query("DF_POV", "includeHistory=true&updatedAfter=2026-01-10T09:00:00Z")
    answers = Archive(root).answer(current, query)
    assert _replayed(dict(VINTAGES[0]), answers) == VINTAGES[2]
    assert min(one.valid_from for one in answers if one.valid_from) == MOMENTS[1]


def test_only_what_is_asked_for_is_compared(root: Path, current: Release) -> None:
    answers = _asked(root, current, "updatedAfter=2026-01-10T09:00:00Z&c[SEX]=F")
    assert _replayed({("F", "2005"): 1.0, ("F", "2006"): 3.0}, answers) == {
        ("F", "2005"): 1.0,
        ("F", "2006"): 5.0,
    }
    (keys,) = _asked(root, current, "updatedAfter=2026-01-20T09:00:00Z&attributes=none&c[SEX]=M")
    assert keys.change is Change.DELETE


def test_what_changed_is_seen_on_what_is_not_shown(root: Path, current: Release) -> None:
    # Between the first two vintages F 2006 went, M 2005 was revised and M 2006 came.
    until = "updatedAfter=2026-01-10T09:00:00Z&asOf=2026-01-20T09:00:00Z"
    _, bare = _asked(root, current, f"{until}&measures=none")
    assert set(_content(bare.frame)) == {("M", "2005"), ("M", "2006")}
    (series,) = _asked(root, current, f"{until}&measures=none&attributes=none")
    assert (series.change, series.frame.get_column("SEX").to_list()) == (Change.REPLACE, ["M"])


def test_the_ends_of_series_are_those_of_what_changed(root: Path, current: Release) -> None:
    # M 2005 was revised and M 2006 came: the last that changed is 2006, and 2005 was not deleted.
    until = "updatedAfter=2026-01-10T09:00:00Z&asOf=2026-01-20T09:00:00Z&c[SEX]=M"
    (last,) = _asked(root, current, f"{until}&lastNObservations=1")
    assert (last.change, _content(last.frame)) == (Change.REPLACE, {("M", "2006"): 4.0})
    (first,) = _asked(root, current, f"{until}&firstNObservations=1")
    assert (first.change, _content(first.frame)) == (Change.REPLACE, {("M", "2005"): 2.5})


def test_a_series_is_deleted_when_nothing_is_left_of_it(root: Path, current: Release) -> None:
    query = "updatedAfter=2026-01-10T09:00:00Z&measures=none&attributes=none&c[TIME_PERIOD]=2005"
    gone, came = _asked(root, current, query.replace("2005", "2006")), _asked(root, current, query)
    assert [(one.change, one.frame.get_column("SEX").to_list()) for one in gone] == [
        (Change.REPLACE, ["F", "M"])
    ]
    assert [(one.change, one.frame.get_column("SEX").to_list()) for one in came] == [
        (Change.DELETE, ["M"])
    ]


def test_rows_that_changed_stay_where_they_are(root: Path, current: Release) -> None:
    """An answer of millions of rows is not brought into memory to be compared."""
    for query in ("includeHistory=true", "updatedAfter=2026-01-10T09:00:00Z"):
        answers = _asked(root, current, query)
        assert answers
        assert all(isinstance(one.rows, Chosen) for one in answers)


def test_codes_are_compared_by_their_ids_where_the_list_has_grown(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code put before the others moves their places; no observation has changed by that."""
    grown = tmp_path / "structures"
    shutil.copytree(repository / "dsd/structures", grown)
    listed = next(
        path
        for path in grown.glob("*.xml")
        if '<str:Codelist id="CL_SEX"' in path.read_text("utf-8")
    )
    text = listed.read_text("utf-8")
    start = text.index("<str:Code ", text.index('<str:Codelist id="CL_SEX"'))
    new = '<str:Code id="NEW"><com:Name xml:lang="en">New</com:Name></str:Code>'
    listed.write_text(text[:start] + new + text[start:], "utf-8")
    folder, said = tmp_path / "releases", VINTAGES[0]
    folders = (repository / "dsd/structures", grown)
    for structures, table, moment in zip(
        folders, (said, said | {("F", "2005"): 9.0}), MOMENTS, strict=False
    ):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(moment.timestamp())))
        publish(
            folder,
            title="Test",
            tables={"DSD_INCL_IND": _table(repository, table)},
            structures=structures,
            definitions={},
            annexes={},
            inputs={},
            generator="test",
        )
    release = open_release(folder)
    assert "NEW" in release.table("DSD_INCL_IND").schema["SEX"].categories
    (answer,) = _asked(folder, release, "updatedAfter=2026-01-10T09:00:00Z")
    assert (answer.change, _content(answer.frame)) == (Change.REPLACE, {("F", "2005"): 9.0})


def test_pages_go_on_through_several_flows(current: Release) -> None:
    every = current.answer(rest22.data_query("dataflow/SIS/DF_POV,DF_ALL"))
    assert [one.flow.id for one in every] == ["DF_ALL", "DF_POV"]
    page = current.answer(rest22.data_query("dataflow/SIS/DF_POV,DF_ALL", "offset=2&limit=2"))
    assert [(one.flow.id, one.frame.height) for one in page] == [("DF_ALL", 1), ("DF_POV", 1)]


def test_a_data_structure_answers_with_all_its_observations(current: Release) -> None:
    (answer,) = current.answer(rest22.data_query("datastructure/SIS/DSD_INCL_IND"))
    assert _content(answer.frame) == VINTAGES[2]
    assert answer.flow.id == "DSD_INCL_IND"


def test_a_query_of_everything_is_one_answer_a_flow(current: Release) -> None:
    answers = current.answer(DataQuery())
    assert {one.flow.id for one in answers} >= {"DF_ALL", "DF_POV", "DF_HEADLINE"}
