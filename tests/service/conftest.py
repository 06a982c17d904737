"""A small release of awkward observations, and a server that answers from it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import polars as pl
import pytest
import uvicorn

from sdmx_service.cube import columns
from sdmx_service.release import Release, open_release
from sdmx_service.release.publishing import publish
from sdmx_service.structures.artefacts import DataStructure
from sdmx_service.structures.store import StructureStore
from sdmx_service.web import application

AWKWARD = [
    'a "quoted" comment, with a comma',
    "less < more & more > less",
    "two\nlines",
    "ærlig, Ελλάδα, 中文, 😀",
    " spaces around ",
    None,
]
VALUES = [0.1 + 0.2, 1e-7, -12.5, float("nan"), 0.0, 123456789.123]


def _rows(structure: DataStructure, keys: list[dict[str, str]]) -> pl.DataFrame:
    rows = []
    for place, key in enumerate(keys):
        for year in ("2018", "2019", "2022"):
            number = 3 * place + int(year) % 3
            withheld = number % 7 == 3
            row: dict[str, object] = dict.fromkeys(c.id for c in structure.components)
            row |= {d.id: "_T" for d in structure.dimensions} | key
            row |= {"TIME_PERIOD": year, "UNIT_MULT": "0", "DECIMALS": "1"}
            row |= {"UNIT_MEASURE": "PT", "CONF_LEVEL": 0.95, "VAR_EST_METHOD": "TSL"}
            row |= {"OBS_STATUS": "Q", "CONF_STATUS": "C", "RELIABILITY": "WITHHELD"}
            if not withheld:
                value = VALUES[number % 6]
                row |= {"OBS_VALUE": value, "STD_ERR": 1 / 3, "LOWER_BOUND": value - 1}
                row |= {"UPPER_BOUND": value + 1, "DEGREES_FREEDOM": 11.0 + place}
                row |= {"OBS_STATUS": "A", "CONF_STATUS": "F", "RELIABILITY": "PRESENT"}
                row |= {"COMMENT_OBS": AWKWARD[number % 6], "DATA_SOURCE": "EU-SILC & others"}
                row["N_COMP" if "N_COMP" in row else "UNWGTD_SAMPL_SIZE"] = 100 + number
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Return a folder with one release in it."""
    root = tmp_path_factory.mktemp("releases")
    structures = repository / "dsd" / "structures"
    store = StructureStore.read(structures)
    indicators = sorted(store.dataflow("DF_POV").admits["INDICATOR"])[:3]
    estimates = [
        {"FREQ": "A", "REF_AREA": area, "INDICATOR": indicator, "SEX": sex}
        for area in ("AT", "NO")
        for indicator in indicators
        for sex in ("F", "M", "_T")
    ]
    gap = {"BREAKDOWN": "SEX", "COMPARISON_GROUP": "SEX_F", "REFERENCE_GROUP": "SEX_M"}
    gaps = [
        {"FREQ": "A", "REF_AREA": area, "INDICATOR": indicators[0], **gap}
        | {"GAP_MEASURE": measure, "ADJUSTMENT": "UNADJ"}
        for area in ("AT", "NO")
        for measure in ("DIFF", "RATIO")
    ]
    publish(
        root,
        title="A small publication <for tests>",
        tables={
            "DSD_INCL_IND": _rows(store.datastructure("DSD_INCL_IND"), estimates),
            "DSD_INCL_GAP": _rows(store.datastructure("DSD_INCL_GAP"), gaps),
            "DSD_INCL_SCALE": pl.DataFrame(
                schema=dict.fromkeys(columns(store.datastructure("DSD_INCL_SCALE")), pl.String)
            ),
        },
        structures=structures,
        definitions={},
        annexes={},
        inputs={},
        generator="tests",
    )
    return root


@pytest.fixture(scope="session")
def release(releases: Path) -> Release:
    """Return the release that is served."""
    return open_release(releases)


@contextmanager
def _running(root: Path) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(application(root), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="session")
def running() -> Callable[[Path], AbstractContextManager[str]]:
    """Return what serves a folder of releases for as long as a with block lasts."""
    return _running


@pytest.fixture(scope="session")
def service(releases: Path) -> Iterator[str]:
    """Return the address of a running service; it stops with the tests."""
    with _running(releases) as address:
        yield address


@pytest.fixture(scope="session")
def web(service: str) -> Iterator[httpx.Client]:
    """Return a client of the running service."""
    with httpx.Client(base_url=service, verify=False) as client:
        yield client
