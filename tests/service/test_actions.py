"""What a receiver is told to do with an answer, and which release an answer is from.

The expectations are "Recommended dataset actions in SDMX web service responses to GET data
queries" of the field guides of SDMX-CSV 2.1 and SDMX-JSON 2.1, and for earlier versions what their
schemas say of Information.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from pysdmx.io import read_sdmx

from sdmx_service.cube import columns
from sdmx_service.release.publishing import publish
from sdmx_service.structures.store import StructureStore

pytestmark = pytest.mark.service

FLOW = "/sdmx/v2/data/dataflow/SIS/DF_POV/1.0.0"
MEDIA = "application/vnd.sdmx."
FIRST, SECOND = datetime(2026, 1, 10, 9, tzinfo=UTC), datetime(2026, 1, 20, 9, tzinfo=UTC)
SAID = {
    FIRST: {("F", "2005"): 1.0, ("M", "2005"): 2.0},
    SECOND: {("F", "2005"): 1.5, ("F", "2006"): 3.0},
}


def _table(repository: Path, said: dict[tuple[str, str], float]) -> pl.DataFrame:
    structure = StructureStore.read(repository / "dsd/structures").datastructure("DSD_INCL_IND")
    row: dict[str, object] = dict.fromkeys(columns(structure))
    row |= {dimension.id: "_T" for dimension in structure.dimensions}
    row |= {"FREQ": "A", "REF_AREA": "AT", "INDICATOR": "POV_ARPT60", "OBS_STATUS": "A"}
    rows = [
        {**row, "SEX": sex, "TIME_PERIOD": year, "OBS_VALUE": value}
        for (sex, year), value in said.items()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="module")
def vintages(
    tmp_path_factory: pytest.TempPathFactory,
    repository: Path,
    running: Callable[[Path], AbstractContextManager[str]],
) -> Iterator[httpx.Client]:
    """Return a client of a service with two releases of one small table."""
    root = tmp_path_factory.mktemp("vintages")
    with pytest.MonkeyPatch.context() as patch:
        for moment, said in SAID.items():
            patch.setenv("SOURCE_DATE_EPOCH", str(int(moment.timestamp())))
            publish(
                root,
                title="Test",
                tables={"DSD_INCL_IND": _table(repository, said)},
                structures=repository / "dsd/structures",
                definitions={},
                annexes={},
                inputs={},
                generator="test",
            )
    with running(root) as url, httpx.Client(base_url=url, verify=False) as client:
        yield client


def _actions(answer: httpx.Response) -> list[str]:
    """Return the action of each data set, in its order; CSV has a letter a row."""
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"]
    if "+csv" in kind:
        letters = [row["ACTION"] for row in csv.DictReader(answer.text.splitlines())]
        words = {"I": "Information", "R": "Replace", "M": "Merge", "D": "Delete"}
        return [words[letter] for letter in dict.fromkeys(letters)]
    if "+json" in kind:
        return [one["action"] for one in json.loads(answer.text)["data"]["dataSets"]]
    return re.findall(r'<[^>]*DataSet[^>]* [a-z]*:?action="(\w+)"', answer.text)


NEWEST = ("data+csv;version=2.1.0", "data+json;version=2.1.0", "data+xml;version=3.1.0")
EARLIER = (
    "data+csv;version=2.0.0",
    "data+json;version=2.0.0",
    "data+json;version=1.0.0",
    "data+xml;version=3.0.0",
    "structurespecificdata+xml;version=2.1",
)


@pytest.mark.parametrize("media", NEWEST)
@pytest.mark.parametrize(
    ("asked", "action"),
    [
        ("", "Replace"),
        ("?limit=1", "Replace"),
        ("/A.AT?firstNObservations=1&c[TIME_PERIOD]=ge:2005", "Replace"),
        (f"?asOf={FIRST:%Y-%m-%dT%H:%M:%SZ}", "Replace"),
        ("?attributes=none", "Merge"),
        ("?attributes=series", "Merge"),
        ("?measures=none", "Merge"),
        ("?measures=OBS_VALUE&attributes=OBS_STATUS", "Merge"),
        (f"?attributes=obs&asOf={FIRST:%Y-%m-%dT%H:%M:%SZ}", "Merge"),
        # What is the default says nothing more by being said.
        ("?attributes=dsd&measures=all", "Replace"),
    ],
)
def test_an_answer_of_sdmx_31_replaces_or_where_not_all_is_shown_merges(
    vintages: httpx.Client, media: str, asked: str, action: str
) -> None:
    """Recommendations 1, 2 and 5."""
    answer = vintages.get(FLOW + asked, headers={"Accept": MEDIA + media})
    assert _actions(answer) == [action]


@pytest.mark.parametrize("media", NEWEST)
@pytest.mark.parametrize(("detail", "action"), [("full", "Replace"), ("dataonly", "Merge")])
def test_detail_of_rest_15_restricts_too(
    vintages: httpx.Client, media: str, detail: str, action: str
) -> None:
    path = f"/rest/data/DF_POV?detail={detail}"
    assert _actions(vintages.get(path, headers={"Accept": MEDIA + media})) == [action]


@pytest.mark.parametrize("media", NEWEST)
@pytest.mark.parametrize("asked", ["", "&attributes=none"])
def test_what_changed_is_deleted_and_replaced(
    vintages: httpx.Client, media: str, asked: str
) -> None:
    """Recommendation 3, the first way: a Merge would leave values that are gone."""
    path = f"{FLOW}?updatedAfter={FIRST:%Y-%m-%dT%H:%M:%SZ}{asked}"
    answer = vintages.get(path, headers={"Accept": MEDIA + media})
    assert _actions(answer) == ["Delete", "Replace"]


@pytest.mark.parametrize("media", EARLIER)
@pytest.mark.parametrize("asked", ["", "?attributes=none"])
def test_an_answer_of_an_earlier_version_informs(
    vintages: httpx.Client, media: str, asked: str
) -> None:
    """XSD 2.1 and 3.0, ActionType: it "is used when the message contains information in response
    to a query"; JSON 1.0 and 2.0 call it the default.
    """
    answer = vintages.get(FLOW + asked, headers={"Accept": MEDIA + media})
    assert _actions(answer) == ["Information"]


@pytest.mark.parametrize("name", ["csv10", "table", "xlsx", "parquet", "generic"])
def test_formats_without_a_place_for_actions_answer_as_before(
    vintages: httpx.Client, name: str
) -> None:
    assert vintages.get(f"{FLOW}?format={name}").status_code == 200


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_an_answer_as_of_a_moment_names_the_release_of_then(
    vintages: httpx.Client, moment: datetime
) -> None:
    asked = {"asOf": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    answer = vintages.get(FLOW, params=asked, headers={"Accept": MEDIA + NEWEST[1]})
    assert answer.headers["x-release"].startswith(f"{moment:%Y-%m-%d}")
    assert answer.headers["last-modified"] == format_datetime(moment, usegmt=True)
    meta = json.loads(answer.text)["meta"]
    assert datetime.fromisoformat(meta["prepared"]) == moment
    unchanged = {"If-Modified-Since": format_datetime(moment, usegmt=True)}
    assert vintages.get(FLOW, params=asked, headers=unchanged).status_code == 304


def test_before_the_first_release_nothing_is_there(vintages: httpx.Client) -> None:
    assert vintages.get(f"{FLOW}?asOf=2020-01-01T00:00:00Z").status_code == 204


@pytest.mark.parametrize("media", [NEWEST[0], NEWEST[2]])
def test_pysdmx_reads_that_it_replaces(vintages: httpx.Client, media: str, tmp_path: Path) -> None:
    file = tmp_path / "message"
    file.write_bytes(vintages.get(FLOW, headers={"Accept": MEDIA + media}).content)
    (dataset,) = read_sdmx(file, validate=False).data
    assert dataset.action.value == "Replace"
    assert len(dataset.data) == len(SAID[SECOND])
