"""What other software does of the same tasks, in a Python of its own: DuckDB, and dsss's server."""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["in_duckdb", "serve_dsss"]


def median(run: Callable[[], Any], times: int) -> float:
    """Return the median of some runs, after one that does not count, in seconds."""
    if times > 1:
        run()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def in_duckdb(
    parquet: str, dimensions: Sequence[str], keys: Sequence[str], indicator: str
) -> dict[str, float]:
    """Return how many seconds DuckDB takes for each task, the table being in its own format."""
    duckdb: Any = importlib.import_module("duckdb")
    one = "SELECT * FROM t WHERE " + " AND ".join(f"{name} = ?" for name in dimensions)  # noqa: S608
    sliced = f"SELECT * FROM t WHERE INDICATOR = '{indicator}' LIMIT 10000"  # noqa: S608
    counted = ", ".join(f"list(DISTINCT {name})" for name in dimensions)
    distinct = f"SELECT count(*), {counted} FROM t"  # noqa: S608
    turn = itertools.cycle(keys)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(f"{folder}/d") as base:
        base.execute(f"CREATE TABLE t AS SELECT * FROM '{parquet}'")  # noqa: S608

        def written(what: str) -> None:
            base.execute(f"COPY ({what}) TO '{folder}/out.csv' (FORMAT csv)")

        return {
            "one series, fetched as tuples": median(
                lambda: base.execute(one, next(turn).split(".")).fetchall(), 100
            ),
            "10,000 observations, COPY to CSV": median(lambda: written(sliced), 9),
            "all, COPY to CSV": median(lambda: written("SELECT * FROM t"), 1),
            "availability: distinct codes of each dimension": median(
                lambda: base.execute(distinct).fetchall(), 3
            ),
        }


def serve_dsss(structures: Path, data: Path, port: int) -> None:
    """Load SDMX-ML 2.1 files and serve them with dsss until stopped."""
    sdmx: Any = importlib.import_module("sdmx")
    store = importlib.import_module("dsss.store").DictStore()
    known = sdmx.read_sdmx(structures)
    store.update_from(known)
    structure = next(iter(known.structure.values()))
    for found in sdmx.read_sdmx(data, structure=structure).data:
        # dsss looks for data under the id of the structure.
        found.described_by, found.structured_by = None, structure
        store.set(found)
    app = importlib.import_module("dsss").build_app(store=store, debug=False)
    importlib.import_module("uvicorn").run(app, port=port, log_level="error")


def main(task: str, *said: str) -> None:
    """Do a task; what is found goes to the standard output as JSON."""
    if task == "versions":
        names = ("duckdb", "dsss", "sdmx1")
        there = {one.name: one.version for one in importlib.metadata.distributions()}
        print(json.dumps({name: there[name] for name in names if name in there}))
    elif task == "duckdb":
        print(json.dumps(in_duckdb(**json.loads(said[0]))))
    else:
        serve_dsss(Path(said[0]), Path(said[1]), int(said[2]))


if __name__ == "__main__":
    main(*sys.argv[1:])
