"""How often the intervals hold the truth when the World Bank's survey is drawn again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import page
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from sdmx_service.build.evidence import evidence
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.policy import ReliabilityPolicy
from sdmx_service.definitions.project import load_project
from sdmx_service.model import CiMethod
from sdmx_service.protect.reliability import judge
from sdmx_service.survey import estimate, interval, poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates

HOUSEHOLDS = 25
POLICY = "house-2026"
# The sample's own numbers of enumeration areas, in the order of region, rural before urban.
TAKEN = (5, 5, 4, 4, 5, 5, 5)
METHODS = {
    "logit": CiMethod.LOGIT,
    "Korn-Graubard": CiMethod.KORN_GRAUBARD,
    "Wilson": CiMethod.WILSON,
    "t": CiMethod.T,
}
MEANS = ("share_food", "pc_exp")
UNDER = 93.0
# Which of the project's indicators each outcome is judged as.
SHARES = {
    "electricity": "HOU_ELEC",
    "water": "HOU_WATER",
    "sanitation": "HOU_SANIT",
    "crowding": "HOU_CROWD",
    "half on food": "HOU_CROWD",
}


class Drawing(Enum):
    """How enumeration areas are drawn, with probability proportional to their households."""

    SYSTEMATIC = "systematic, without replacement"
    REPLACED = "with replacement"


@dataclass(frozen=True, eq=False)
class Country:
    """All households, sorted by stratum and enumeration area, with what is asked of them."""

    households: pl.DataFrame
    first: NDArray[np.intp]
    size: NDArray[np.intp]
    stratum: NDArray[np.intp]
    policy: ReliabilityPolicy
    indicators: dict[str, Indicator]


@cache
def country() -> Country:
    """Return the household population that the svy wheel carries, with its sampling frame."""
    import svy

    root = Path(__file__).resolve().parent.parent
    data = Path(svy.__file__).parent / "datasets" / "_bundled" / "hld_pop_wb_2023.parquet"
    project = load_project(root)
    asked = {outcome: project.indicators[name] for outcome, name in SHARES.items()}
    numerators = {
        "electricity": pl.col("electricity") == "Yes",
        "water": ~pl.col("water").str.contains("(?i)unprotected|river|other"),
        "sanitation": ~pl.col("toilet").str.contains("(?i)without|no facility|other|bucket"),
        "crowding": pl.col("hhsize") > 3 * pl.col("rooms"),
        "half on food": pl.col("share_food") > 0.5,
    }
    households = pl.read_parquet(data).sort("geo1", "urbrur", "ea")
    households = households.with_columns(
        *(rule.cast(pl.Float64).alias(name) for name, rule in numerators.items()),
        (pl.col("geo1") + "/" + pl.col("urbrur")).alias("place"),
        pl.col("hhsize").clip(upper_bound=5).alias("persons"),
        (pl.col("geo1") + "/" + pl.col("hhsize").clip(upper_bound=5).cast(pl.String)).alias("both"),
    )
    areas = households.group_by("geo1", "urbrur", "ea", maintain_order=True).len()
    size = areas["len"].to_numpy().astype(np.intp)
    labels = (areas["geo1"] + "/" + areas["urbrur"]).to_numpy()
    by_statistic = {i.statistic.value: i for i in project.indicators.values()}
    return Country(
        households,
        np.append(0, np.cumsum(size)),
        size,
        pd.factorize(labels)[0],
        next(policy for policy in project.reliability if policy.id == POLICY),
        {**asked, "mean": by_statistic["mean"], "poverty": by_statistic["poverty_rate"]},
    )


def cells_of(households: pl.DataFrame) -> Cells:
    """Return the cells: nation, regions, districts, their parts, household sizes, fifths."""
    names = ("geo1", "urbrur", "place", "persons", "quint_nat", "both", "geo2")
    columns = {}
    for name in names:
        labels = pd.Categorical(households[name].to_numpy())
        columns[name] = labels
    return Cells.from_labels(**columns)


@dataclass(frozen=True, eq=False)
class Layout:
    """The cells of the whole population, so that every sample has the same ones in one order."""

    codes: list[NDArray[np.intp]]
    keys: list[pd.DataFrame]

    def of(self, rows: NDArray[np.intp]) -> Cells:
        """Return the cells of these households."""
        return Cells.from_groupings(
            [(keys, codes[rows]) for keys, codes in zip(self.keys, self.codes, strict=True)]
        )


@cache
def layout() -> Layout:
    """Return the cells of the population."""
    everyone = cells_of(country().households)
    return Layout([g.codes for g in everyone.groupings], [g.keys for g in everyone.groupings])


def drawn(
    place: Country, how: Drawing, draw: np.random.Generator
) -> tuple[NDArray[np.intp], Design]:
    """Return the households of one sample and its design."""
    chosen: list[NDArray[np.intp]] = []
    psu: list[NDArray[np.intp]] = []
    weight: list[NDArray[np.float64]] = []
    for stratum, taken in enumerate(TAKEN):
        areas = np.flatnonzero(place.stratum == stratum)
        people = int(place.size[areas].sum())
        if how is Drawing.SYSTEMATIC:
            areas = draw.permutation(areas)
            points = (draw.random() + np.arange(taken)) * people / taken
        else:
            points = draw.random(taken) * people
        hit = areas[np.searchsorted(np.cumsum(place.size[areas]), points, side="right")]
        for area in hit:
            inside = draw.choice(int(place.size[area]), HOUSEHOLDS, replace=False)
            chosen.append(place.first[area] + inside)
            psu.append(np.full(HOUSEHOLDS, len(psu)))
            weight.append(np.full(HOUSEHOLDS, people / taken / HOUSEHOLDS))
    rows = np.concatenate(chosen)
    # an area drawn twice is two PSUs
    design = Design.from_columns(
        np.concatenate(weight),
        psu=np.concatenate(psu),
        stratum=place.stratum[np.searchsorted(place.first, rows, side="right") - 1],
    )
    return rows, design


def estimated(
    design: Design, cells: Cells, place: Country, rows: NDArray[np.intp] | slice
) -> dict[str, tuple[Estimates, Indicator]]:
    """Return the estimates of every outcome."""

    def column(name: str) -> NDArray[np.float64]:
        return place.households[name].to_numpy()[rows]

    found = {
        name: (estimate.proportion(design, cells, column(name)), place.indicators[name])
        for name in SHARES
    }
    for name in MEANS:
        found[name] = (estimate.mean(design, cells, column(name)), place.indicators["mean"])
    found["poor"] = (poverty.rate(design, cells, column("pc_exp")), place.indicators["poverty"])
    return found


def bounds_of(
    name: str, found: Estimates
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the intervals by method; the published one is logit for shares, t for means."""
    if name in MEANS:
        of = interval.t(found.value, found.se, found.df)
        return {"t": (of.lower, of.upper)}
    bounds = {}
    for label, method in METHODS.items():
        of = interval.of_proportions(
            found.value,
            found.se,
            found.df,
            found.n,
            national_deff=float(found.deff_wr[0]),
            method=method,
        )
        bounds[label] = (of.lower, of.upper)
    return bounds


@cache
def truth() -> dict[str, NDArray[np.float64]]:
    """Return the values in the whole population."""
    n = len(country().households)
    # any PSUs will do: only the values are used
    census = Design.from_columns(np.ones(n), psu=np.arange(n) % 2)
    found = estimated(census, layout().of(np.arange(n)), country(), slice(None))
    return {name: one.value for name, (one, _) in found.items()}


def redrawn(how: Drawing, seeds: Sequence[int]) -> pl.DataFrame:
    """Return a row for each outcome, cell, method, df and verdict: how many, how many held."""
    place, known, frames = country(), truth(), []
    for seed in seeds:
        rows, design = drawn(place, how, np.random.default_rng(seed))
        cells = layout().of(rows)
        for name, (found, indicator) in estimated(design, cells, place, rows).items():
            facts = {
                "outcome": [name] * len(found),
                "cell": np.arange(len(found)),
                "p": known[name],
                "df": found.df,
                "constant": found.constant,
                "verdict": judge(evidence(found, indicator), place.policy).get_column("outcome"),
            }
            for method, (lower, upper) in bounds_of(name, found).items():
                exists = np.isfinite(lower)
                held = exists & (lower <= known[name]) & (known[name] <= upper)
                frames.append(
                    pl.DataFrame(
                        {**facts, "method": [method] * len(found), "exists": exists, "held": held}
                    )
                )
    return _counted(pl.concat(frames))


def _counted(frame: pl.DataFrame) -> pl.DataFrame:
    keys = ("outcome", "cell", "method", "p", "df", "constant", "verdict")
    return frame.group_by(*keys).agg(pl.col("exists", "held").sum())


def simulated(how: Drawing, samples: int, processes: int = 2) -> pl.DataFrame:
    """Return the counts of ``redrawn`` over all samples."""
    parts = [range(start, min(start + 50, samples)) for start in range(0, samples, 50)]
    # a fork of a process whose threads run could wait for ever
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        counted = list(pool.map(partial(redrawn, how), parts))
    return _counted(pl.concat(counted))


# ---- the report

COVERAGE = (100.0 * pl.col("held").sum() / pl.col("exists").sum()).alias("coverage")


def banded(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the counts with the band of df and of p that each lies in."""
    df = pl.lit("15 or more")
    for most, label in ((14, "8 to 14"), (7, "3 to 7"), (2, "1 or 2")):
        df = pl.when(pl.col("df") <= most).then(pl.lit(label)).otherwise(df)
    away = 0.5 - (pl.col("p") - 0.5).abs()
    p = (
        pl.when(pl.col("outcome").is_in(MEANS))
        .then(pl.lit("a mean"))
        .when(away < 0.01)
        .then(pl.lit("under 0.01 or over 0.99"))
        .when(away < 0.05)
        .then(pl.lit("0.01 to 0.05, 0.95 to 0.99"))
        .when(away < 0.25)
        .then(pl.lit("0.05 to 0.25, 0.75 to 0.95"))
        .otherwise(pl.lit("0.25 to 0.75"))
    )
    return counts.with_columns(df.alias("of df"), p.alias("of p"))


def spread(counts: dict[Drawing, pl.DataFrame]) -> str:
    """Return the coverage by p, df and method, for both ways of drawing."""
    keys = ("of p", "of df", "method")
    sides = []
    for how, frame in counts.items():
        column = "without" if how is Drawing.SYSTEMATIC else "with"
        sides.append(
            banded(frame)
            .filter(pl.col("exists") > 0)
            .group_by(*keys)
            .agg(COVERAGE.alias(column), pl.col("exists").sum().alias(f"n {column}"))
        )
    both = sides[0].join(sides[1], on=keys, how="left")
    wide = both.filter(pl.col("n without") >= 2_000)
    methods = (*METHODS, "t")
    lines = []
    for p in ("a mean", "0.25 to 0.75", "0.05 to 0.25, 0.75 to 0.95",
              "0.01 to 0.05, 0.95 to 0.99", "under 0.01 or over 0.99"):  # fmt: skip
        for df in ("15 or more", "8 to 14", "3 to 7", "1 or 2"):
            here = wide.filter((pl.col("of p") == p) & (pl.col("of df") == df))
            if not len(here):
                continue
            by = {row["method"]: row for row in here.iter_rows(named=True)}
            cells = []
            for method in dict.fromkeys(methods):
                row = by.get(method)
                cells.append(
                    "" if row is None else f"{row['without']:.1f} ({row['with'] or 0:.1f})"
                )
            lines.append((p, df, f"{max(here['n without']):,}", *cells))
    return page.table(("true share", "df", "intervals", *dict.fromkeys(methods)), lines)


def verdicts(counts: pl.DataFrame) -> tuple[str, list[str]]:
    """Return how the policy's verdicts agree with coverage, of the published intervals."""
    published = counts.filter(
        ((pl.col("method") == "logit") & ~pl.col("outcome").is_in(MEANS))
        | ((pl.col("method") == "t") & pl.col("outcome").is_in(MEANS))
    ).filter(pl.col("exists") > 0)
    by_verdict = published.group_by("verdict").agg(COVERAGE, pl.col("exists").sum())
    order = {row["verdict"]: row for row in by_verdict.iter_rows(named=True)}
    total = int(published["exists"].sum())
    lines = [
        (name, f"{row['exists']:,}", f"{100 * row['exists'] / total:.1f}", f"{row['coverage']:.1f}")
        for name in ("present", "flag", "review", "suppress")
        if (row := order.get(name))
    ]
    cells = published.group_by("outcome", "cell").agg(
        COVERAGE,
        pl.col("exists").sum(),
        pl.col("exists").filter(pl.col("verdict") == "present").sum().alias("open"),
        (
            100.0
            * pl.col("held").filter(pl.col("verdict") == "present").sum()
            / pl.col("exists").filter(pl.col("verdict") == "present").sum()
        ).alias("open coverage"),
    )
    under = cells.filter((pl.col("coverage") < UNDER) & (pl.col("exists") >= 200))
    judged = cells.filter(pl.col("exists") >= 200)
    mostly = under.filter(pl.col("open") * 2 > pl.col("exists"))
    shown = cells.filter(pl.col("open") >= 200)
    badly = shown.filter(pl.col("open coverage") < UNDER)
    share = 100.0 * float(under["open"].sum()) / max(float(under["exists"].sum()), 1.0)
    of_shown = 100.0 * float(under["open"].sum()) / max(float(cells["open"].sum()), 1.0)
    said = [
        f"{len(under)} of {len(judged)} cells with 200 intervals or more are under-covered: less "
        f"than {UNDER:.0f} % of their intervals, whatever the verdict, hold the truth.",
        f"Of the intervals of under-covered cells {share:.1f} % carry no flag; {len(mostly)} of "
        f"these cells ({100 * len(mostly) / max(len(under), 1):.0f} %) are unflagged in most "
        "samples.",
        f"{of_shown:.1f} % of all unflagged intervals belong to under-covered cells.",
        f"Of {len(shown)} cells published without a flag in 200 samples or more, {len(badly)} "
        f"({100 * len(badly) / max(len(shown), 1):.0f} %) hold the truth in under {UNDER:.0f} % of "
        "those samples.",
    ]
    names = layout_names()
    said += [
        f"Unflagged in most samples and under-covered: {row['outcome']} in {names[row['cell']]}, "
        f"{truth()[row['outcome']][row['cell']]:.3g} in truth, {row['coverage']:.1f} %."
        for row in mostly.sort("coverage").iter_rows(named=True)
    ]
    head = ("verdict", "intervals", "% of all", "coverage %")
    return page.table(head, lines), said


def layout_names() -> list[str]:
    """Return what the cells are called."""
    keys = pd.concat(layout().keys, ignore_index=True)
    return [f"{g} {v}" if g != "_T" else "the nation" for g, v in keys.itertuples(index=False)]


def report(samples: int) -> str:
    """Return the section of the page on the redraws of the World Bank's survey."""
    where, started = page.machine(), time.perf_counter()
    counts = {how: simulated(how, samples) for how in Drawing}
    taken = time.perf_counter() - started
    table, said = verdicts(counts[Drawing.SYSTEMATIC])
    bullets = "\n".join(f"- {line}" for line in said)
    return f"""## Coverage of the World Bank's survey, drawn again

{where}. {page.versions("numpy", "polars", "scipy", "svy")}. {samples:,} samples each way in
{taken:.0f} s, two processes.

{sum(TAKEN)} of {len(country().size)} enumeration areas in seven strata, with probability
proportional to their households, {HOUSEHOLDS} households in each: the published sample's own
allocation. {len(layout_names())} cells (nation, regions, urban and rural, both, household size,
fifths, region by household size, districts), {len(SHARES) + 3} outcomes.
Coverage of 95 % intervals in per cent, areas drawn systematically without replacement as surveys
do; in parentheses drawn with replacement, as the variance supposes. Rows with under 2,000
intervals are left out.

{spread(counts)}

What the policy {POLICY} says of the published intervals (logit; t for means), drawn without
replacement:

{table}

{bullets}

Departures and their reasons:

- Without replacement, {sum(TAKEN) / len(country().size):.0%} of the areas are drawn: estimates vary
  less than the variance says, and intervals hold more often than in parentheses. No finite
  population correction is made: the second-order chances of a systematic draw are unknown.
- Few df (600 samples with replacement): in cells of 3 to 7 df the linearised standard error is
  5 % smaller than the spread of the estimates, of 8 or more 1 to 3 %; it moves with the estimate
  (correlation 0.3 to 0.4 for means of expenditure), so that most misses are on one side. Strata
  that vary unequally cost 0.5 to 1 point more: Satterthwaite's df are 14 where PSUs minus strata
  is 20. The policy flags df under 8 and reviews df under 3.
- Shares near 0 or 1: what is rare sits in few areas (places without electricity), and a sample that
  misses them understates both the share and its error (correlation -0.6): no method mends that.
  The t interval is worst, hence the logit's. With few df, or shares under 0.01, intervals are
  wider than needed, those at 0 and 1 above all.
"""
