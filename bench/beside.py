"""The service beside other software that can do some of the same tasks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from observations import TABLE, released, slice_key
from page import Report
from running import Client, median, service, serving

from sdmx_service.release import Release, open_release

__all__ = ["peers"]

HERE = Path(__file__).resolve().parent
# Isolated, for beside the script lies a file that would hide a module of the standard library.
PEERS = ("-I", str(HERE / "peers.py"))
GENERIC = "application/vnd.sdmx.genericdata+xml;version=2.1"
DSSS_SIZES, RUNS = (10_000, 100_000), 3


def peers(report: Report, roots: dict[int, Path], keys: dict[int, list[str]], folder: Path) -> None:
    """Put what they can do to DuckDB and to dsss."""
    python = os.environ.get("DSSS_PYTHON", str(HERE.parent / "build" / "peers" / "bin" / "python"))
    if not Path(python).exists():
        report.parts.append("DuckDB and dsss: not installed here, see `bench/README.md`.")
        return
    there = json.loads(_said([python, *PEERS, "versions"]))
    if "duckdb" in there:
        rows = [
            (f"{size:,}", what, f"{took * 1e3:,.2f}")
            for size, root in roots.items()
            for what, took in _in_duckdb(python, open_release(root), keys[size]).items()
        ]
        report.table(
            f"The same from DuckDB {there['duckdb']}, table in its own format, in one process, "
            "without HTTP and without SDMX around the values:",
            ("observations", "what", "ms"),
            rows,
        )
    if "dsss" in there:
        compared: list[tuple[str, ...]] = []
        for size in DSSS_SIZES:
            try:
                compared += _beside_dsss(python, size, folder)
            except OSError as error:
                report.parts.append(f"dsss with {size:,} observations did not answer: {error}.")
        report.table(
            f"All observations over HTTP as SDMX-ML 2.1 generic data, beside dsss {there['dsss']}, "
            "which keeps each as an object, and ignores keys, periods and detail, so that of "
            "these tasks it can do no other:",
            (
                "observations",
                "service",
                "ready after, s",
                "answer, s",
                "MB",
                "observations a second",
            ),
            compared,
        )


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _in_duckdb(python: str, release: Release, keys: Sequence[str]) -> dict[str, float]:
    asked = {
        "parquet": str(release.directory / "data" / f"{TABLE}.parquet"),
        "dimensions": [d.id for d in release.image(TABLE).structure.dimensions],
        "keys": list(keys),
        "indicator": slice_key(release).rpartition(".")[2],
    }
    found: dict[str, float] = json.loads(_said([python, *PEERS, "duckdb", json.dumps(asked)]))
    return found


def _beside_dsss(python: str, size: int, folder: Path) -> list[tuple[str, ...]]:
    """Return a row of ours and one of dsss, which is given what ours answered."""
    root, flow = released(size, folder), "/rest/data/SIS,DF_ALL,1.0.0"
    rows = []
    with tempfile.TemporaryDirectory() as place:
        structures, data = Path(place, "structures.xml"), Path(place, "data.xml")
        began = time.perf_counter()
        with service(root, 1) as (host, port, _), Client(host, port) as client:
            ready = time.perf_counter() - began
            known = "/rest/dataflow/SIS/DF_ALL/1.0.0?references=descendants"
            _fetched(f"http://{host}:{port}{known}", "*/*", structures)
            _fetched(f"http://{host}:{port}{flow}", GENERIC, data)
            took = median(partial(client.get, flow, GENERIC), RUNS)
            rows.append(_row(size, "ours", ready, took, data.stat().st_size))
        peer = [python, *PEERS, "dsss", str(structures), str(data)]
        began = time.perf_counter()
        with serving(peer, "/") as (host, port, _), Client(host, port) as client:
            ready = time.perf_counter() - began
            began = time.perf_counter()
            length = client.get("/data/SIS,DF_ALL,1.0.0", "*/*")
            rows.append(_row(size, "dsss", ready, time.perf_counter() - began, length))
    return rows


def _fetched(address: str, accept: str, place: Path) -> None:
    asked = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(asked) as answer, place.open("wb") as stream:
        shutil.copyfileobj(answer, stream)


def _row(size: int, name: str, ready: float, took: float, length: int) -> tuple[str, ...]:
    rate, large = f"{size / took:,.0f}", f"{length / 1e6:.1f}"
    return f"{size:,}", name, f"{ready:.1f}", f"{took:.3f}", large, rate
