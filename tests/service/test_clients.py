"""The standard's own readers, over HTTP: what they read is what the release holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pytest
import requests
import sdmx
import sdmx.reader.xml.v30  # before any 2.1 message is read
from pysdmx.api.qb.data import DataContext, DataFormat, DataQuery
from pysdmx.api.qb.service import RestService
from pysdmx.api.qb.structure import StructureFormat, StructureQuery, StructureType
from pysdmx.api.qb.util import ApiVersion
from pysdmx.io import read_sdmx

from sdmx_service.release import Release, open_release
from sdmx_service.structures.artefacts import DataStructure

pytestmark = pytest.mark.service

Rows = dict[tuple[str, ...], dict[str, str]]
GENERIC = "application/vnd.sdmx.genericdata+xml;version=2.1"
SPECIFIC = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
AREAS_AND_SEXES = {"REF_AREA": "AT", "SEX": "F+_T"}


def _rows(structure: DataStructure, rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Return cells by key and component, without those that are missing, numbers as numbers."""
    keys = [*(d.id for d in structure.dimensions), structure.time.id]
    found: Rows = {}
    for row in rows:
        cells = {}
        for name, cell in row.items():
            if name in keys or cell is None or cell == "":
                continue
            number = structure.by_id[name].data_type in ("Double", "Integer")
            cells[name] = repr(float(cell)) if number else str(cell)
        key = tuple(str(row[name]) for name in keys)
        assert key not in found
        found[key] = cells
    return found


def _held(release: Release, flow: str, *masks: pl.Expr) -> Rows:
    frame = release.flow(flow).filter(*masks)
    assert frame.height
    structure = release.structures.dataflow(flow).structure
    return _rows(structure, frame.with_columns(pl.col(pl.Enum).cast(pl.String)).to_dicts())


def _of_sdmx1(structure: DataStructure, message: Any) -> Rows:
    (data_set,) = message.data
    rows = []
    for observation in data_set.obs:
        row = {name: value.value for name, value in observation.key.values.items()}
        above = observation.series_key.attrib if observation.series_key else {}
        for name, value in {**above, **observation.attached_attribute}.items():
            row[name] = getattr(value.value, "id", value.value)
        row["OBS_VALUE"] = observation.value
        rows.append(row)
    return _rows(structure, rows)


def _of_pysdmx(structure: DataStructure, content: bytes) -> Rows:
    (data_set,) = read_sdmx(content.decode(), validate=False).data
    frame = data_set.data.astype(object)
    frame = frame.where(frame.notna(), None)
    return _rows(structure, frame.to_dict(orient="records"))


@pytest.fixture(scope="module")
def first(service: str) -> sdmx.Client:
    """Return an sdmx1 client of REST 1.5; it takes its source's id for the agency's."""
    source = {"id": "SIS", "name": "one", "url": f"{service}/rest"}
    sdmx.add_source(source, override=True)
    return sdmx.Client("SIS")


@pytest.fixture(scope="module")
def second(service: str) -> sdmx.Client:
    """Return an sdmx1 client of REST 2."""
    source = {"id": "TWO", "name": "two", "url": f"{service}/sdmx/v2", "versions": ["3.0.0"]}
    sdmx.add_source(source, override=True)
    return sdmx.Client("TWO")


def _structure_of(client: sdmx.Client, flow: str) -> Any:
    message = client.dataflow(flow, params={"references": "descendants"})
    (structure,) = message.structure.values()
    return structure


@pytest.mark.parametrize("shape", ["TIME_PERIOD", "AllDimensions"])
@pytest.mark.parametrize("flow", ["DF_POV", "DF_GAP"])
def test_sdmx1_reads_a_full_flow_in_generic_xml(
    first: sdmx.Client, release: Release, flow: str, shape: str
) -> None:
    structure = release.structures.dataflow(flow).structure
    message = first.data(flow, params={"dimensionAtObservation": shape})
    assert message.response.headers["content-type"] == GENERIC
    assert _of_sdmx1(structure, message) == _held(release, flow)


@pytest.mark.parametrize("shape", ["TIME_PERIOD", "AllDimensions"])
@pytest.mark.parametrize("flow", ["DF_POV", "DF_GAP"])
def test_sdmx1_reads_a_full_flow_in_structure_specific_xml(
    first: sdmx.Client, release: Release, flow: str, shape: str
) -> None:
    structure = release.structures.dataflow(flow).structure
    known = _structure_of(first, flow)
    message = first.data(flow, dsd=known, params={"dimensionAtObservation": shape})
    assert message.response.headers["content-type"] == SPECIFIC
    assert _of_sdmx1(structure, message) == _held(release, flow)


def test_sdmx1_reads_a_filtered_flow(first: sdmx.Client, release: Release) -> None:
    structure = release.structures.dataflow("DF_POV").structure
    expected = _held(
        release,
        "DF_POV",
        pl.col("REF_AREA") == "AT",
        pl.col("SEX").is_in(["F", "_T"]),
        pl.col("TIME_PERIOD").is_in(["2019"]),
    )
    periods = {"startPeriod": "2019", "endPeriod": "2021"}
    known = _structure_of(first, "DF_POV")
    for more in ({}, {"dsd": known}):
        message = first.data("DF_POV", key=AREAS_AND_SEXES, params=periods, **more)
        assert _of_sdmx1(structure, message) == expected


def test_sdmx1_reads_csv_when_it_knows_the_structure(
    first: sdmx.Client, web: httpx.Client, release: Release
) -> None:
    """sdmx1 2.28 joins the lines of a text that has several: those cells are left out."""
    structure = release.structures.dataflow("DF_POV").structure
    content = web.get("/rest/data/DF_POV?format=csv20").content
    known = _structure_of(first, "DF_POV")
    message = sdmx.read_sdmx(BytesIO(content), format="CSV", structure=known)
    read, held = _of_sdmx1(structure, message), _held(release, "DF_POV")
    for key, cells in held.items():
        if "\n" in cells.get("COMMENT_OBS", ""):
            del cells["COMMENT_OBS"], read[key]["COMMENT_OBS"]
    assert read == held


@pytest.mark.parametrize("accept", [GENERIC, SPECIFIC])
def test_sdmx1_reads_rest_2(
    second: sdmx.Client, first: sdmx.Client, release: Release, accept: str
) -> None:
    structure = release.structures.dataflow("DF_POV").structure
    query = {"resource_id": "DF_POV", "agency_id": "SIS", "headers": {"Accept": accept}}
    known = {"dsd": _structure_of(first, "DF_POV")} if accept == SPECIFIC else {}
    whole = second.get("data", **query, **known)
    assert _of_sdmx1(structure, whole) == _held(release, "DF_POV")
    part = second.get("data", key="A.AT.*.F", **query, **known)
    expected = _held(release, "DF_POV", pl.col("REF_AREA") == "AT", pl.col("SEX") == "F")
    assert _of_sdmx1(structure, part) == expected


def test_sdmx1_is_told_when_nothing_is_found(first: sdmx.Client) -> None:
    with pytest.raises(requests.exceptions.HTTPError, match="404"):
        first.data("DF_POV", key="A.NO-LAND")


@pytest.mark.parametrize("version", [ApiVersion.V1_5_0, ApiVersion.V2_0_0, ApiVersion.V2_2_2])
@pytest.mark.parametrize(
    "data_format",
    [DataFormat.SDMX_CSV_2_0_0, DataFormat.SDMX_ML_2_1_GEN, DataFormat.SDMX_ML_2_1_STR],
)
@pytest.mark.parametrize("flow", ["DF_POV", "DF_GAP"])
def test_pysdmx_reads_a_full_and_a_filtered_flow(
    service: str, release: Release, flow: str, data_format: DataFormat, version: ApiVersion
) -> None:
    structure = release.structures.dataflow(flow).structure
    entry = "/rest" if version is ApiVersion.V1_5_0 else "/sdmx/v2"
    client = RestService(service + entry, version, data_format=data_format, timeout=30)
    whole = client.data(DataQuery(DataContext.DATAFLOW, "SIS", flow))
    assert _of_pysdmx(structure, whole) == _held(release, flow)
    key = ".".join(["A", "AT"] + ["*"] * (len(structure.dimensions) - 2))
    query = DataQuery(DataContext.DATAFLOW, "SIS", flow, "1.0.0", key, last_n_obs=1)
    last = _held(release, flow, pl.col("REF_AREA") == "AT", pl.col("TIME_PERIOD") == "2022")
    assert _of_pysdmx(structure, client.data(query)) == last
    flat = DataQuery(DataContext.DATAFLOW, "SIS", flow, obs_dimension="AllDimensions")
    assert _of_pysdmx(structure, client.data(flat)) == _held(release, flow)


@pytest.mark.parametrize("version", [ApiVersion.V1_5_0, ApiVersion.V2_0_0, ApiVersion.V2_2_2])
def test_pysdmx_urls_with_every_default_written_out_are_understood(
    web: httpx.Client, version: ApiVersion
) -> None:
    query = DataQuery(DataContext.DATAFLOW, "SIS", "DF_POV", "1.0.0")
    entry = "/rest" if version is ApiVersion.V1_5_0 else "/sdmx/v2"
    for short in (True, False):
        url = query.get_url(version, omit_defaults=short)
        assert web.get(entry + url).status_code == 200


@pytest.mark.parametrize("version", [ApiVersion.V1_5_0, ApiVersion.V2_0_0])
@pytest.mark.parametrize(
    "structure_format", [StructureFormat.SDMX_ML_2_1, StructureFormat.SDMX_JSON_2_0_0]
)
def test_pysdmx_reads_the_structures(
    service: str, release: Release, version: ApiVersion, structure_format: StructureFormat
) -> None:
    entry = "/rest" if version is ApiVersion.V1_5_0 else "/sdmx/v2"
    client = RestService(service + entry, version, structure_format=structure_format, timeout=30)
    query = StructureQuery(StructureType.CODELIST, "SIS", "CL_SEX", "1.0.0")
    (read,) = read_sdmx(client.structure(query).decode(), validate=True).structures
    held = release.structures.codelist("CL_SEX")
    assert [code.id for code in read.items] == list(held.by_id)


def test_pandas_reads_csv_from_the_address(service: str, release: Release) -> None:
    frame = pd.read_csv(
        f"{service}/rest/data/DF_POV/A.AT?format=csv",
        keep_default_na=False,
        na_values={"OBS_VALUE": ["", "NaN"]},
    )
    held = release.flow("DF_POV").filter(pl.col("REF_AREA") == "AT")
    values = held.get_column("OBS_VALUE").to_list()
    expected = [math.nan if value is None else value for value in values]
    assert list(map(repr, frame["OBS_VALUE"])) == list(map(repr, expected))


def test_json_of_the_service_holds_every_value(web: httpx.Client, release: Release) -> None:
    """No library reads SDMX-JSON 2.0 data; tests/conformance reads every cell of it."""
    data = web.get("/sdmx/v2/data/dataflow/SIS/DF_GAP").json()["data"]
    series = data["dataSets"][0]["series"]
    values = [one[0] for part in series.values() for one in part["observations"].values()]
    held = release.flow("DF_GAP").get_column("OBS_VALUE").to_list()
    assert values == ["NaN" if v is not None and math.isnan(v) else v for v in held]


@pytest.mark.parametrize("flow", ["DF_POV", "DF_LAB"])
def test_both_read_the_release_of_this_project(
    published: Path, running: Callable[[Path], AbstractContextManager[str]], flow: str
) -> None:
    """A full flow and a filtered one of the release built from the three surveys."""
    release = open_release(published)
    structure = release.structures.dataflow(flow).structure
    whole, part = _held(release, flow), _held(release, flow, pl.col("REF_AREA") == "AT-9")
    key = ".".join(["A", "AT-9"] + ["*"] * (len(structure.dimensions) - 2))
    with running(published) as url:
        source = {"id": "SIS", "name": "this project", "url": f"{url}/rest"}
        sdmx.add_source(source, override=True)
        client = sdmx.Client("SIS")
        for known in ({}, {"dsd": _structure_of(client, flow)}):
            assert _of_sdmx1(structure, client.data(flow, **known)) == whole
            filtered = client.data(flow, key={"REF_AREA": "AT-9"}, **known)
            assert _of_sdmx1(structure, filtered) == part
        for version, entry in ((ApiVersion.V1_5_0, "rest"), (ApiVersion.V2_2_2, "sdmx/v2")):
            for form in (
                DataFormat.SDMX_CSV_2_0_0,
                DataFormat.SDMX_ML_2_1_GEN,
                DataFormat.SDMX_ML_2_1_STR,
            ):
                service = RestService(f"{url}/{entry}", version, data_format=form, timeout=60)
                full = DataQuery(DataContext.DATAFLOW, "SIS", flow)
                assert _of_pysdmx(structure, service.data(full)) == whole
                narrowed = DataQuery(DataContext.DATAFLOW, "SIS", flow, "1.0.0", key)
                assert _of_pysdmx(structure, service.data(narrowed)) == part
