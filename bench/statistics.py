"""How long all estimates and gaps of one indicator take, beside svy and R survey."""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

# Run as a file, this folder would hide the standard library's module of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent]

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from sdmx_service.model import Measure
from sdmx_service.survey import estimate, gap, grouped, interval, replicates
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.gap import Gaps

sys.path.append(str(Path(__file__).parent))
import page

STRATA, PSUS, AREAS = 60, 20, 20
# 12 breakdowns of 41 groups in all: 820 cells in 20 areas.
SIZES = {f"B{i + 1:02}": size for i, size in enumerate((2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5))}
REPLICATES = 500
RUNS = 5
TOO_LONG = 60.0
ROWS, BOOTSTRAP, STREAMED, SVY, SVY_GAPS = "rows", "bootstrap", "streamed", "svy", "svy gaps"


@dataclass(frozen=True)
class Result:
    """What a run yields: the estimates of all cells with the gaps between groups of an area."""

    estimates: Estimates
    gaps: Gaps


# ---- the sample


def batches(rows: int, seed: int, most: int = 1_000_000) -> Iterator[pl.DataFrame]:
    """Yield a sample of ``rows`` persons, in no order; areas are made of whole strata."""
    draw = np.random.default_rng(seed)
    place = draw.normal(0.0, 0.4, STRATA * PSUS)
    for start in range(0, rows, most):
        n = min(most, rows - start)
        psu = draw.integers(0, STRATA * PSUS, n)
        if start == 0:
            psu[: STRATA * PSUS] = np.arange(STRATA * PSUS)
        stratum = psu // PSUS
        columns = {
            "weight": np.round(draw.gamma(4.0, 50.0, n) + 1.0, 3),
            "stratum": stratum.astype(np.int16),
            "psu": psu.astype(np.int16),
            "area": (stratum // (STRATA // AREAS)).astype(np.int16),
        }
        chance = place[psu] - 1.0
        for name, size in SIZES.items():
            share = 1.0 / np.arange(2, size + 2)
            group = draw.choice(size, n, p=share / share.sum())
            chance = chance + 0.1 * group
            columns[name] = group.astype(np.int16)
        columns["y"] = (draw.random(n) < 1.0 / (1.0 + np.exp(-chance))).astype(np.int16)
        yield pl.DataFrame(columns)


def write_sample(rows: int, path: Path) -> None:
    """Write the sample to one Parquet file, a million rows a row group."""
    import pyarrow.parquet as pq

    writer = None
    for batch in batches(rows, seed=1):
        part = batch.to_arrow()
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def load(path: Path) -> dict[str, NDArray[Any]]:
    """Return the columns as arrays."""
    return {column.name: column.to_numpy() for column in pl.read_parquet(path)}


# ---- ours


def keys_of() -> list[pd.DataFrame]:
    """Return the keys of the 820 cells: each breakdown within each area."""
    return [
        pd.DataFrame(
            {
                "breakdown": np.full(AREAS * size, number),
                "area": np.repeat(np.arange(AREAS), size),
                "group": np.tile(np.arange(size), AREAS),
            }
        )
        for number, size in enumerate(SIZES.values(), 1)
    ]


def cells_of(data: dict[str, NDArray[Any]]) -> Cells:
    """Return the cells with the cell of each row."""
    area = data["area"].astype(np.intp)
    codes = (area * size + data[name] for name, size in SIZES.items())
    return Cells.from_groupings(zip(keys_of(), codes, strict=True))


def partitions() -> list[grouped.Partition]:
    """Return the same cells of rows that are not in memory."""
    codes = (pl.col("area") * size + pl.col(name) for name, size in SIZES.items())
    return [grouped.Partition(keys, code) for keys, code in zip(keys_of(), codes, strict=True)]


def pairs_of() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of each two groups of one breakdown in one area."""
    first, second, start = [], [], 0
    for size in SIZES.values():
        i, j = np.tril_indices(size, -1)
        block = start + size * np.arange(AREAS)[:, None]
        first.append((block + i).ravel())
        second.append((block + j).ravel())
        start += size * AREAS
    return np.concatenate(first), np.concatenate(second)


def finished(found: Estimates) -> Result:
    """Return all that is published of the estimates: intervals, the gaps with theirs."""
    interval.of_proportions(
        found.value, found.se, found.df, found.n, national_deff=float(found.deff_wr[0])
    )
    return Result(found, gap.compare(found, *pairs_of(), Measure.DIFFERENCE))


def ours(data: dict[str, NDArray[Any]]) -> Result:
    """Return all estimates and gaps from the rows."""
    design = Design.from_columns(data["weight"], psu=data["psu"], stratum=data["stratum"])
    return finished(estimate.proportion(design, cells_of(data), data["y"]))


def every_pair(found: Estimates) -> Gaps:
    """Return the gaps between any two of all the cells."""
    i, j = np.tril_indices(len(found), -1)
    return gap.compare(found, i, j, Measure.DIFFERENCE)


def bootstrapped(data: dict[str, NDArray[Any]]) -> Result:
    """Return all estimates and gaps with the variance of bootstrap replicates."""
    design = Design.from_columns(data["weight"], psu=data["psu"], stratum=data["stratum"])
    design = replicates.bootstrap(design, REPLICATES, seed=1)
    return finished(estimate.proportion(design, cells_of(data), data["y"]))


def streamed(path: Path) -> Result:
    """Return the same from a file that is read chunk by chunk."""
    columns = grouped.DesignColumns("weight", psu="psu", stratum="stratum")
    sample = grouped.read(path, columns)
    return finished(sample.proportion(partitions(), pl.col("y")))


# ---- the others


def by_svy(frame: pl.DataFrame) -> list[Any]:
    """Return svy's estimates of all cells, a breakdown at a time, with standard errors."""
    import svy

    sample = svy.Sample(frame, svy.Design(stratum="stratum", psu="psu", wgt="weight"))
    return [sample.estimation.mean("y", by=("area", name)) for name in SIZES]


def svy_gaps(estimated: list[Any]) -> list[pl.DataFrame]:
    """Return svy's gaps between the groups of each area, with covariance, a breakdown at a time."""
    import svy

    found = []
    for by in estimated:
        keys = by.keys()
        pairs = [(a, b) for a in keys for b in keys if a[0] == b[0] and a[1] > b[1]]
        asked = {f"{a}-{b}": svy.estd(a) - svy.estd(b) for a, b in pairs}
        found.append(by.contrast(asked).to_polars())
    return found


def by_r(frame: pl.DataFrame, folder: Path, runs: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return R survey's results and its seconds, a row a run, without reading the file."""
    data, results, times = (folder / name for name in ("r.csv", "results.csv", "seconds.csv"))
    frame.write_csv(data)
    script = Path(__file__).with_suffix(".R")
    subprocess.run(["Rscript", script, data, str(runs), results, times], check=True)
    return pl.read_csv(results), pl.read_csv(times)


# ---- measuring


def seconds(work: Callable[[], Any], runs: int) -> float:
    """Return the median seconds of so many runs."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def peak() -> float:
    """Return the peak resident memory of this process, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def measure(path: Path, how: str, runs: int) -> dict[str, float]:
    """Return seconds and peak memory; run in a process of its own."""
    imports, started = peak(), time.perf_counter()
    work: Callable[[], Any]
    if how == STREAMED:
        work = partial(streamed, path)
    elif how in (SVY, SVY_GAPS):
        frame = pl.read_parquet(path)
        work = partial(by_svy, frame) if how == SVY else partial(svy_gaps, by_svy(frame))
    else:
        work = partial(bootstrapped if how == BOOTSTRAP else ours, load(path))
    loaded = time.perf_counter() - started
    taken = seconds(work, runs)
    return {"imports": imports, "load": loaded, "seconds": taken, "peak": peak()}


def apart(path: Path, how: str, runs: int = RUNS) -> dict[str, float] | None:
    """Return what ``measure`` finds in another process, or None where the system ended it."""
    command = [sys.executable, __file__, "--file", path, "--how", how, "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        return None
    done.check_returncode()
    result: dict[str, float] = json.loads(done.stdout)
    return result


def profile(path: Path, lines: int = 12) -> str:
    """Return where the time of one run goes, by function."""
    data = load(path)
    ours(data)
    with cProfile.Profile() as recorder:
        ours(data)
    rows = []
    for (file, _, name), (_, calls, own, total, _) in pstats.Stats(recorder).stats.items():  # type: ignore[attr-defined]
        rows.append((own, total, calls, f"{Path(file).stem}.{name}" if file != "~" else name))
    rows.sort(reverse=True)
    return "\n".join(
        f"{own:7.3f} s own {total:7.3f} s with callees {calls:6} calls  {name}"
        for own, total, calls, name in rows[:lines]
    )


def furthest(result: Result, other: pl.DataFrame, value: str, se: str) -> float:
    """Return the largest relative difference of values and standard errors, cell by cell."""
    keys = ["breakdown", "area", "group"]
    own = pl.from_pandas(result.estimates.keys).with_columns(
        own=pl.Series(result.estimates.value), error=pl.Series(result.estimates.se)
    )
    other = other.with_columns(pl.col(*keys).cast(pl.Int64))
    both = own.join(other, on=keys, how="inner", validate="1:1")
    assert len(both) == len(own), f"{len(both)} of {len(own)} cells in common"
    columns = both.select(pl.col("own", "error", value, se)).to_numpy()
    return float(np.abs(columns[:, 2:] / columns[:, :2] - 1.0).max())


def furthest_gap(result: Result, other: pl.DataFrame) -> float:
    """Return the largest relative difference of the standard errors of gaps from R's."""
    first, second = pairs_of()
    keys = result.estimates.keys
    own = pl.from_pandas(keys.iloc[first].reset_index(drop=True)).with_columns(
        reference=pl.Series(keys["group"].to_numpy()[second]), own=pl.Series(result.gaps.se)
    )
    both = own.join(other, on=["breakdown", "area", "group", "reference"], validate="1:1")
    assert len(both) == len(own), f"{len(both)} of {len(own)} gaps in common"
    return float((both["own"] / both["se"] - 1.0).abs().max() or 0.0)


# ---- the report


def compared(folder: Path, rows: int) -> tuple[str, list[str]]:
    """Return the table of all software on the same cells, and what is to be said about it."""
    path = folder / f"{rows}.parquet"
    write_sample(rows, path)
    data, frame = load(path), pl.read_parquet(path)
    result, estimated = ours(data), by_svy(frame)
    peer = pl.concat(
        [
            by.to_polars().rename({name: "group"}).with_columns(breakdown=pl.lit(number))
            for number, (name, by) in enumerate(zip(SIZES, estimated, strict=True), 1)
        ]
    )
    found, first = by_r(frame, folder, 1)
    once = float(first["design"][0] + first["estimates"][0])
    # each in a process of its own, in turns, so that what else the machine does meets all of them
    times: dict[str, list[float]] = {ROWS: [], SVY: [], SVY_GAPS: []}
    for _ in range(RUNS):
        for how, taken in times.items():
            measured = apart(path, how)
            assert measured is not None, f"{how} was ended by the system"
            taken.append(measured["seconds"])
    mine, svy_levels, contrasts = (float(np.median(taken)) for taken in times.values())
    svy_all = svy_levels + contrasts
    in_r, runs = once, 1
    if once < TOO_LONG:
        _, again = by_r(frame, folder, RUNS)
        in_r, runs = float(np.median(again["design"] + again["estimates"])), RUNS
    found = found.with_columns(pl.col("breakdown").str.slice(1).cast(pl.Int64))
    r_levels = found.filter(pl.col("reference") < 0)
    r_gaps = found.filter(pl.col("reference") >= 0)
    rows_of = [
        ("this project: all SE, intervals, gaps", f"{mine:.3f} s", "1", ""),
        (
            "svy: all SE and intervals, no gaps",
            f"{svy_levels:.2f} s",
            f"{svy_levels / mine:.0f}",
            f"{furthest(result, peer, 'est', 'se'):.0e}",
        ),
        ("svy: with the gaps (contrast)", f"{svy_all:.2f} s", f"{svy_all / mine:.0f}", ""),
        (
            f"R survey: svyby(covmat), gaps from vcov; median of {runs}",
            f"{in_r:.2f} s",
            f"{in_r / mine:.0f}",
            f"{max(furthest(result, r_levels, 'value', 'se'), furthest_gap(result, r_gaps)):.0e}",
        ),
    ]
    head = ("what", "seconds", "times ours", "largest relative difference from ours")
    said = [
        target("25 times faster than svy", svy_all / mine, 25.0),
        target("100 times faster than R survey", in_r / mine, 100.0),
        f"R: {first['version'][0]}.",
    ]
    return page.table(head, rows_of), said


def target(claim: str, found: float, wanted: float, most: bool = False) -> str:
    """Say whether a target is met, and by how much."""
    met = found <= wanted if most else found >= wanted
    return f"Target: {claim}. {'Met' if met else 'MISSED'}: {found:.3g}."


def grown(folder: Path, most: int) -> tuple[str, list[str]]:
    """Return the table of seconds and memory as the rows grow, and what is to be said."""
    lines, said = [], []
    for rows in (100_000, 1_000_000, 10_000_000):
        if rows > most:
            break
        path = folder / f"{rows}.parquet"
        if not path.exists():
            write_sample(rows, path)
        runs = RUNS if rows <= 1_000_000 else 1
        found = {how: apart(path, how, runs) for how in WAYS}
        for how, one in found.items():
            cells = (
                ("ended by the system", "", "")
                if one is None
                else (f"{one['load']:.2f}", f"{one['seconds']:.2f}", f"{one['peak']:.0f}")
            )
            lines.append((f"{rows:,}", WAYS[how], *cells))
        plain, again = found[ROWS], found[BOOTSTRAP]
        if rows == 1_000_000 and plain and again:
            more = again["seconds"] - plain["seconds"]
            said += [
                target("a million rows under 1 s after load", plain["seconds"], 1.0, most=True),
                target("under 1 GiB (MB, all of the process)", plain["peak"], 1024.0, most=True),
                target(f"{REPLICATES} replicates under 1 s more", more, 1.0, most=True),
            ]
    return page.table(("rows", "what", "load, s", "work, s", "peak memory, MB"), lines), said


WAYS = {
    ROWS: "estimates and gaps from the rows",
    BOOTSTRAP: f"the same with {REPLICATES} bootstrap replicates",
    STREAMED: "the same from the file, chunk by chunk (load included)",
}


def report(most: int) -> str:
    """Run everything and return the section of the page."""
    where = page.machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        beside, said = compared(folder, 100_000)
        size, more = grown(folder, most)
        data = load(folder / "100000.parquet")
        result = ours(data)
        pairs = seconds(lambda: every_pair(result.estimates), RUNS)
        spent = profile(folder / f"{min(most, 1_000_000)}.parquet")
    packages = page.versions("numpy", "pandas", "polars", "scipy", "svy")
    bullets = "\n".join(f"- {line}" for line in (*said, *more))
    return f"""## Speed of estimates and gaps

{where}. {packages}.

One yes/no indicator; {STRATA} strata of {PSUS} PSUs; {len(SIZES)} breakdowns (2 to 5 groups) in
{AREAS} areas: {len(result.estimates)} cells, {len(result.gaps)} gaps between the groups of one
breakdown in one area, each with its covariance. Data in memory; medians of {RUNS}.

100,000 rows, side by side:

{beside}

As rows grow, each line in a process of its own:

{size}

{bullets}

The gaps between any two of all cells ({len(result.estimates) * (len(result.estimates) - 1) // 2:,})
take {pairs:.2f} s more. A million rows, where the time goes:

```
{spent}
```
"""


def main() -> None:
    """Measure one way in this process, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--how", choices=(*WAYS, SVY, SVY_GAPS))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--most", type=int, default=10_000_000, help="rows of the largest sample")
    asked = parser.parse_args()
    if asked.file is not None:
        print(json.dumps(measure(asked.file, asked.how, asked.runs)))
        return
    text = report(asked.most)
    page.write("statistics", text)
    print(text)


if __name__ == "__main__":
    main()
