"""The feed of this project's own release: what a reader in another office gets."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pandas as pd
import pytest

from sdmx_service import open_release
from tests.statistics.test_surveys import PUBLISHED

Running = Callable[[Path], AbstractContextManager[str]]
KEY = "A..POV_ARPT60._T+F+M._T._T._T._T._T._T._T._T._T._T"


@pytest.fixture(scope="module")
def feed(published: Path, running: Running) -> pd.DataFrame:
    """Return the poverty rates by area and sex as a plain CSV reader gets them."""
    with running(published) as url:
        answer = httpx.get(f"{url}/rest/data/SIS,DF_POV,1.0.0/{KEY}?format=csv", timeout=60)
    answer.raise_for_status()
    assert answer.headers["x-release"] == open_release(published).id
    return pd.read_csv(io.StringIO(answer.text))


def test_the_published_austrian_figures_come_out_of_the_feed(feed: pd.DataFrame) -> None:
    rates = feed.set_index(["REF_AREA", "SEX"])["OBS_VALUE"]
    for key, value in PUBLISHED.items():
        assert round(rates[key], 5) == value


@pytest.mark.parametrize(
    "path", ["rest/data/SIS,{flow},1.0.0/all", "sdmx/v2/data/dataflow/SIS/{flow}/1.0.0"]
)
def test_every_flow_is_served_in_full(published: Path, running: Running, path: str) -> None:
    release = open_release(published)
    with running(published) as url:
        for flow in release.structures.dataflows():
            frame = release.flow(flow.id)
            answer = httpx.get(
                f"{url}/{path.format(flow=flow.id)}", params={"format": "csv"}, timeout=60
            )
            if frame.is_empty():
                assert answer.status_code == (404 if path.startswith("rest") else 204)
            else:
                assert len(pd.read_csv(io.StringIO(answer.text), low_memory=False)) == frame.height


@pytest.mark.parametrize(
    "form", ["csv21", "csv20", "json21", "json20", "xml31", "xml30", "parquet", "table"]
)
def test_reference_metadata_come_beside_the_data_they_are_about(
    published: Path, running: Running, form: str
) -> None:
    """The description of an indicator is its definition; every observation is still there."""
    definitions = open_release(published).definitions["indicators"]
    path = "/sdmx/v2/data/dataflow/SIS/DF_POV?attributes=msd&format="
    with running(published) as url, httpx.Client(base_url=url, verify=False, timeout=60) as web:
        answer = web.get(path + form)
        plain = web.get(path.replace("msd", "none") + form)
        refused = {one: web.get(path + one) for one in ("csv10", "generic", "json10", "jsonstat")}
    assert answer.status_code == 200
    assert len(answer.content) > len(plain.content)
    if form == "csv21":
        rows = pd.read_csv(io.BytesIO(answer.content), dtype=str, keep_default_na=False)
        about = rows[rows["DATA_DESCR[en]"] != ""]
        told = {row["INDICATOR"]: row["DATA_DESCR[en]"] for _, row in about.iterrows()}
        assert told["POV_ARPT60"] == "en:" + definitions["POV_ARPT60"]["definition"]
        # SDMX-CSV 2.1, "Further details for data actions": no dimension may be left out of a merge.
        dimensions = about[["FREQ", "REF_AREA", "INDICATOR", "SEX", "TIME_PERIOD"]]
        assert not (dimensions == "").any(axis=None)
        assert set(about["FREQ"]) == set(about["TIME_PERIOD"]) == {"~"}
        assert set(rows["ACTION"]) == {"M"}
        observed = pd.read_csv(io.BytesIO(plain.content), dtype=str, keep_default_na=False)
        assert len(rows) - len(about) == len(observed)
    for one, why in refused.items():
        assert why.status_code == 406, one
        assert "csv21" in why.text, one  # in the form that was asked for: XML for generic
