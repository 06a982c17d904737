"""Sorted answers in formats that name a series once."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from sdmx_service.release import Release

JSON = "application/vnd.sdmx.data+json;version="
XML = "application/vnd.sdmx.data+xml;version=3.0.0"
FLOW = "DF_POV"
PATH = f"/sdmx/v2/data/dataflow/*/{FLOW}/*"


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names)
    return dict(pairs)


@pytest.mark.parametrize("sort", ["OBS_VALUE:desc", "TIME_PERIOD:desc"])
@pytest.mark.parametrize("version", ["2.0.0", "2.1.0"])
def test_json_names_each_sorted_series_once_and_loses_no_observation(
    web: httpx.Client, release: Release, sort: str, version: str
) -> None:
    response = web.get(PATH, params={"sort": sort}, headers={"Accept": JSON + version})
    message = json.loads(response.content, object_pairs_hook=_no_name_twice)
    series = message["data"]["dataSets"][0]["series"]
    table = release.flow(FLOW)
    assert sum(len(one["observations"]) for one in series.values()) == table.height
    periods = message["data"]["structures"][0]["dimensions"]["observation"][0]["values"]
    if sort == "TIME_PERIOD:desc":
        for one in series.values():
            told = [periods[int(at)]["value"] for at in one["observations"]]
            assert told == sorted(told, reverse=True)


def test_xml_has_one_element_for_each_sorted_series(web: httpx.Client) -> None:
    sorted_, plain = (
        web.get(PATH, params=asked, headers={"Accept": XML}).text
        for asked in ({"sort": "TIME_PERIOD:desc"}, {})
    )
    for element in ("<Series", "<Obs"):
        assert sorted_.count(element) == plain.count(element) > 0
