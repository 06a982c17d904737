"""How fast the service answers, hostile requests too; beside DuckDB and dsss."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

# Run as a file, this folder would hide the standard library's module statistics.
HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
import numpy as np

sys.path.append(str(HERE))
import page
from beside import peers
from hostile import hostile
from observations import KEYS, PERIODS, TABLE, keys_of, released, slice_key
from page import Report
from running import Client, anonymous, median, processor, service
from watched import profiles

from sdmx_service.release import open_release

FLOW = "/sdmx/v2/data/dataflow/SIS/DF_ALL/1.0.0"
AVAILABLE = "/sdmx/v2/availability/dataflow/SIS/DF_ALL/1.0.0"
POINTS, SLICES, RUNS = 3_000, 45, 3
CSV = "application/vnd.sdmx.data+csv;version=2.0.0"
XML = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
JSON = "application/vnd.sdmx.data+json;version=2.0.0"
FORMATS = {
    "SDMX-CSV 2.0": CSV,
    "SDMX-ML 2.1 structure-specific": XML,
    "SDMX-ML 3.0": "application/vnd.sdmx.data+xml;version=3.0.0",
    "SDMX-JSON 2.0": JSON,
}
LUA = """
local keys = {}
for line in io.lines("%s") do keys[#keys + 1] = line end
local i = 0
request = function()
  i = i %% #keys + 1
  return wrk.format("GET", keys[i], {["Accept"] = "%s"})
end
"""


def points(report: Report, roots: dict[int, Path], keys: dict[int, list[str]]) -> None:
    """One series over HTTP: alone, and sixteen at a time."""
    wrk = shutil.which("wrk")
    rows = []
    for size, root in roots.items():
        for cache in (0, 64_000_000) if size == max(roots) else (0,):
            with service(root, 2, cache) as (host, port, process):
                for name, accept in FORMATS.items():
                    paths = [f"{FLOW}/{key}" for key in keys[size]]
                    alone(host, port, paths, accept, len(paths))
                    before = processor(process)
                    times = alone(host, port, paths, accept, POINTS)
                    used = (processor(process) - before) / POINTS * 1e3
                    p50, p99 = (float(np.quantile(times, q)) * 1e3 for q in (0.5, 0.99))
                    rate = at_once(wrk, host, port, paths, accept) if wrk else None
                    kept = "on" if cache else "off"
                    rate_text = f"{rate:,.0f}" if rate else "wrk is not there"
                    rows.append(
                        (
                            f"{size:,}",
                            name,
                            kept,
                            f"{p50:.2f}",
                            f"{p99:.2f}",
                            f"{used:.2f}",
                            rate_text,
                        )
                    )
                    if accept == CSV and size == max(roots):
                        where = f"{size:,} observations, one series, CSV, cache {kept}"
                        report.target(f"{where}: p50", p50, 0.5, "ms")
                        report.target(f"{where}: p99", p99, 5, "ms")
                        if rate:
                            report.target(f"{where}: at 16", rate, 6_000, "a second", least=True)
    report.table(
        f"One series of {PERIODS} observations over HTTP, {KEYS} keys in turn, two processes; wrk "
        "and service on the same cores:",
        (
            "observations",
            "format",
            "cache",
            "p50, ms",
            "p99, ms",
            "processor, ms",
            "16 at once, a second",
        ),
        rows,
    )


def alone(host: str, port: int, paths: Sequence[str], accept: str, most: int) -> list[float]:
    """Return how long each of so many requests took, one after the other."""
    found = []
    with Client(host, port) as client:
        for number in range(most):
            began = time.perf_counter()
            client.get(paths[number % len(paths)], accept)
            found.append(time.perf_counter() - began)
    return found


def at_once(wrk: str, host: str, port: int, paths: Sequence[str], accept: str) -> float:
    """Return requests a second with sixteen connections, by wrk; the median of three runs."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder, "keys"), Path(folder, "keys.lua")
        listed.write_text("\n".join(paths) + "\n")
        script.write_text(LUA % (listed, accept))
        found = []
        for _ in range(3):
            said = subprocess.run(
                [wrk, "-t1", "-c16", "-d2s", "-s", str(script), f"http://{host}:{port}"],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            if "Non-2xx" in said:
                raise OSError(said)
            rate = re.search(r"Requests/sec:\s*([\d.]+)", said)
            assert rate is not None
            found.append(float(rate[1]))
    return float(np.median(found))


def slices(report: Report, roots: dict[int, Path]) -> None:
    """Ten thousand observations over HTTP."""
    rows = []
    for size, root in roots.items():
        path = f"{FLOW}/{slice_key(open_release(root))}?limit=10000"
        with service(root, 1) as (host, port, _), Client(host, port) as client:
            for name, accept in FORMATS.items():
                took = median(partial(client.get, path, accept), SLICES) * 1e3
                rows.append((f"{size:,}", name, f"{took:.1f}"))
                if size == max(roots):
                    most = 20 if accept == CSV else 40
                    report.target(f"10,000 of {size:,} observations, {name}", took, most, "ms")
    report.table(
        f"A slice of 10,000 observations over HTTP (one indicator), medians of {SLICES}:",
        ("observations", "format", "ms"),
        rows,
    )


def dumps(report: Report, roots: dict[int, Path], runs: int) -> None:
    """All observations over HTTP, and what memory that takes."""
    rows = []
    memory: dict[str, dict[int, float]] = {}
    for size, root in roots.items():
        for name, accept in FORMATS.items():
            with service(root, 1) as (host, port, process):
                took, most, length, used = dump(host, port, process, accept, runs)
            memory.setdefault(name, {})[size] = most
            rate = size / took / 1e6
            rows.append(
                (
                    f"{size:,}",
                    name,
                    f"{rate:.2f}",
                    f"{size / used / 1e6:.2f}",
                    f"{length / took / 1e6:,.0f}",
                    f"{most:,.0f}",
                )
            )
            if size == max(roots):
                least = 0.7 if accept == CSV else 0.5
                report.target(f"all {size:,}, {name}", rate, least, "M a second", least=True)
                report.target(f"all {size:,}, {name}: anonymous memory", most, 600, "MB")
    for name, found in memory.items():
        if len(found) > 1:
            growth = found[max(found)] / found[min(found)]
            report.target(f"{name}: memory, {max(found):,} to {min(found):,}", growth, 1.2, "times")
    report.table(
        f"All observations with all attributes over HTTP, one process, medians of {runs}; memory "
        "is the most that is not a mapped file:",
        ("observations", "format", "M/s", "M a processor-second", "MB/s", "memory, MB"),
        rows,
    )


def dump(
    host: str, port: int, process: int, accept: str, runs: int
) -> tuple[float, float, int, float]:
    """Return seconds of a dump, the most anonymous memory, bytes, and seconds of processor."""
    most, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.1):
            most = max(most, anonymous(process))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    found, length, before = [], 0, processor(process)
    with Client(host, port) as client:
        for _ in range(runs):
            began = time.perf_counter()
            length = client.get(f"{FLOW}/*", accept)
            found.append(time.perf_counter() - began)
    done.set()
    watcher.join()
    used = (processor(process) - before) / runs
    return float(np.median(found)), most, length, used


def availability(report: Report, roots: dict[int, Path]) -> None:
    """Which values there are, over HTTP."""
    rows = []
    for size, root in roots.items():
        key = slice_key(open_release(root))
        asked = {
            "of everything": f"{AVAILABLE}/*",
            "of an indicator": f"{AVAILABLE}/{key}",
            "of an indicator, from 2015": f"{AVAILABLE}/{key}?c[TIME_PERIOD]=ge:2015",
            "that could be added to it": f"{AVAILABLE}/{key}?c[TIME_PERIOD]=ge:2015&mode=available",
        }
        with service(root, 1) as (host, port, _), Client(host, port) as client:
            for name, path in asked.items():
                took = median(partial(client.get, path, "*/*"), SLICES) * 1e3
                rows.append((f"{size:,}", name, f"{took:.1f}"))
                if size == max(roots):
                    report.target(f"availability {name}, {size:,}", took, 50, "ms")
    report.table(
        f"Availability over HTTP, medians of {SLICES}:", ("observations", "what", "ms"), rows
    )


def main() -> None:
    """Measure everything and write the page's section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=10_000_000, help="rows of the largest release")
    parser.add_argument("--folder", type=Path, default=HERE.parent / "build" / "bench")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each full dump")
    parser.add_argument("--dry", action="store_true", help="print only, leave the page alone")
    asked = parser.parse_args()
    about = page.machine()
    asked.folder.mkdir(parents=True, exist_ok=True)
    sizes = [size for size in (1_000_000, 10_000_000) if size <= asked.most]
    roots = {size: released(size, asked.folder) for size in sizes}
    keys = {size: keys_of(open_release(root)) for size, root in roots.items()}
    report = Report()
    points(report, roots, keys)
    slices(report, roots)
    availability(report, roots)
    dumps(report, roots, asked.runs)
    hostile(report, roots[max(roots)], max(roots), FLOW, CSV)
    peers(report, roots, keys, asked.folder)
    profiles(report, roots[min(roots)], keys[min(roots)], FORMATS, CSV)
    optional = [n for n in ("uvloop", "httptools", "isal") if importlib.util.find_spec(n)]
    used = page.versions("numpy", "polars", "uvicorn", "orjson", *optional)
    head = (
        f"## The service\n\n{about}. {used}.\n\nReleases of {TABLE} with all attributes, synthetic "
        "values, through `publish`. Served from mapped images; made by `make bench-service`."
    )
    text = "\n\n".join((head, *report.parts[:2], "\n".join(report.verdicts), *report.parts[2:]))
    if not asked.dry:
        page.write("service", text)
    print(text)


if __name__ == "__main__":
    main()
