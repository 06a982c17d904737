"""How precise the published figures are, by what stands with them in a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sdmx_service.release.release import Release
from sdmx_service.structures.artefacts import DataStructure

__all__ = [
    "Accuracy",
    "Figure",
    "Spread",
    "figures",
    "precision",
    "precision_by",
    "whole_areas",
]

_TOTAL = "_T"
_SPREADS = ("CV", "DESIGN_EFFECT", "DEGREES_FREEDOM", "RESP_RATE")
_CODES = ("VAR_EST_METHOD", "CI_METHOD", "METHOD")
_BREAK = "B"  # of OBS_STATUS


@dataclass(frozen=True)
class Spread:
    """The median, the least and the most of a number that stands with figures."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Figure:
    """A published figure of a whole surveyed area that is not broken down.

    The measures of precision are None where they are not published; ``cv`` is a share of the value.
    """

    indicator: str
    area: str
    period: str
    value: float
    lower: float | None = None
    upper: float | None = None
    cv: float | None = None
    design_effect: float | None = None
    answered: int | None = None
    degrees_of_freedom: float | None = None
    response: float | None = None


@dataclass(frozen=True)
class Accuracy:
    """What some figures of a release say of themselves; numbers are of those with a value.

    ``made`` counts all figures, ``graded`` maps each code of RELIABILITY to how many have it.
    ``codes`` maps coded attributes to the codes that occur, the most usual first. ``longest`` is
    how many periods the area with most of them has, ``breaks`` how many figures are marked as a
    break in time.
    """

    made: int
    published: int
    graded: Mapping[str, int]
    spreads: Mapping[str, Spread]
    codes: Mapping[str, tuple[str, ...]]
    levels: tuple[float, ...]
    periods: tuple[str, ...]
    longest: int
    breaks: int


def figures(release: Release, structure: DataStructure) -> pl.LazyFrame:
    """Return the table of a structure without reading it: what is asked of it is read."""
    return pl.scan_parquet(release.directory / "data" / f"{structure.id}.parquet")


def precision(table: pl.LazyFrame) -> Accuracy:
    """Return the accuracy of all figures of a table."""
    asked = table.select(_asked(table.collect_schema().names())).collect(engine="streaming")
    return _accuracy(asked.row(0, named=True))


def precision_by(table: pl.LazyFrame, column: str) -> dict[str, Accuracy]:
    """Return the accuracy of the figures with each code of a column."""
    asked = _asked(table.collect_schema().names())
    found = table.group_by(column).agg(asked).collect(engine="streaming")
    return {row[column]: _accuracy(row) for row in found.iter_rows(named=True)}


def whole_areas(
    table: pl.LazyFrame, structure: DataStructure, areas: Iterable[str]
) -> tuple[Figure, ...]:
    """Return the published figures of whole areas, by indicator, area and period."""
    names = table.collect_schema().names()
    broken = [
        pl.col(one.id) == _TOTAL
        for one in structure.dimensions
        if one.codelist is not None and _TOTAL in one.codelist.by_id and one.id in names
    ]
    whole = pl.any_horizontal(pl.col("REF_AREA") == area for area in areas)
    kept = {
        "indicator": "INDICATOR",
        "area": "REF_AREA",
        "period": "TIME_PERIOD",
        "value": "OBS_VALUE",
        "lower": "LOWER_BOUND",
        "upper": "UPPER_BOUND",
        "cv": "CV",
        "design_effect": "DESIGN_EFFECT",
        "answered": "UNWGTD_SAMPL_SIZE",
        "degrees_of_freedom": "DEGREES_FREEDOM",
        "response": "RESP_RATE",
    }
    found = (
        table.filter(whole, *broken, _valued())
        .select(pl.col(column).alias(name) for name, column in kept.items() if column in names)
        .with_columns(pl.col("indicator", "area").cast(pl.String))
        .sort("indicator", "area", "period")
        .collect(engine="streaming")
    )
    return tuple(Figure(**row) for row in found.iter_rows(named=True))


def _valued() -> pl.Expr:
    return pl.col("OBS_VALUE").is_not_null() & pl.col("OBS_VALUE").is_not_nan()


def _asked(names: Sequence[str]) -> list[pl.Expr]:
    """Return what is asked of a group of figures, of columns that there are."""
    asked = [pl.len().alias("made"), _valued().sum().alias("published")]
    for name in (one for one in _SPREADS if one in names):
        numbers = pl.col(name).filter(_valued()).cast(pl.Float64).drop_nans()
        asked += [
            numbers.median().alias(f"{name} median"),
            numbers.min().alias(f"{name} least"),
            numbers.max().alias(f"{name} most"),
        ]
    for name in (one for one in _CODES if one in names):
        codes = pl.col(name).filter(_valued()).drop_nulls()
        asked.append(codes.value_counts().implode().alias(name))
    places = pl.struct(pl.col("REF_AREA", "TIME_PERIOD")).filter(_valued())
    asked.append(places.unique().implode().alias("places"))
    if "RELIABILITY" in names:
        grades = pl.col("RELIABILITY").drop_nulls()
        asked.append(grades.value_counts().implode().alias("graded"))
    if "CONF_LEVEL" in names:
        levels = pl.col("CONF_LEVEL").filter(_valued()).drop_nulls().unique().sort()
        asked.append(levels.implode().alias("levels"))
    if "OBS_STATUS" in names:
        asked.append((pl.col("OBS_STATUS") == _BREAK).sum().alias("breaks"))
    return asked


def _accuracy(row: Mapping[str, Any]) -> Accuracy:
    spreads = {
        name: Spread(row[f"{name} median"], row[f"{name} least"], row[f"{name} most"])
        for name in _SPREADS
        if row.get(f"{name} median") is not None
    }
    places = [(one["REF_AREA"], one["TIME_PERIOD"]) for one in row["places"]]
    return Accuracy(
        row["made"],
        row["published"],
        {one["RELIABILITY"]: one["count"] for one in row.get("graded") or ()},
        spreads,
        {name: _usual(name, row[name]) for name in _CODES if row.get(name)},
        tuple(float(one) for one in row.get("levels") or ()),
        tuple(sorted({period for _, period in places})),
        max(Counter(area for area, _ in places).values(), default=0),
        row.get("breaks") or 0,
    )


def _usual(name: str, counted: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(one[name] for one in sorted(counted, key=lambda one: (-one["count"], one[name])))
