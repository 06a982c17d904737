"""A survey sample: harmonised variables, areas, groups and the design they were drawn by."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import polars as pl

from sdmx_service.definitions.survey import Recipe, Source, Survey
from sdmx_service.errors import DataError
from sdmx_service.survey.design import ColumnNames, Design, Lonely
from sdmx_service.survey.source import read_sources

__all__ = ["Sample", "read_census", "read_sample"]

_RAW = "raw:"


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of a survey: ``frame`` has the harmonised variables, the breakdown dimensions
    and ``AREA_1``, ``AREA_2`` ... (the levels below the whole area), one row a person."""

    survey: Survey
    frame: pl.DataFrame
    design: Design


def _raw_column(name: str, frame: pl.DataFrame, place: str) -> pl.Expr:
    if _RAW + name not in frame.columns:
        known = [c.removeprefix(_RAW) for c in frame.columns if c.startswith(_RAW)]
        close = difflib.get_close_matches(name, known, 1)
        raise DataError(
            place,
            got=name,
            expected="a column of the data",
            hint=f"did you mean {close[0]}?" if close else f"columns: {', '.join(known)}",
        )
    return pl.col(_RAW + name)


def _as_key(value: object) -> str:
    # A column with gaps is read as floats: 1.0 is the code 1.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _recoded(frame: pl.DataFrame, recipe: Recipe, column: pl.Expr) -> pl.Series:
    values = frame.select(column.alias("value")).to_series()
    codes = recipe.codes or {}
    present = values.drop_nulls().unique(maintain_order=True).to_list()
    table = {raw: codes[_as_key(raw)] for raw in present if _as_key(raw) in codes}
    unmapped = [raw for raw in present if _as_key(raw) not in codes]
    if unmapped:
        count = values.is_in(unmapped).sum()
        raise DataError(
            recipe.place,
            got=f"{_as_key(unmapped[0])!r} in {count} rows of column {recipe.source}",
            expected=f"one of {', '.join(codes)}",
            hint="map it to a code, or to null if these people belong to no group",
        )
    numeric = all(isinstance(code, int | float) for code in codes.values() if code is not None)
    kind = pl.Float64 if numeric else pl.String
    targets = [
        None if code is None else (code if numeric else str(code)) for code in table.values()
    ]
    return values.replace_strict(list(table), targets, default=None, return_dtype=kind)


def _banded(recipe: Recipe, column: pl.Expr) -> pl.Expr:
    banded: pl.Expr = pl.lit(None, dtype=pl.String)
    for code, (low, high) in (recipe.bands or {}).items():
        inside = column.is_not_null()
        if low is not None:
            inside = inside & (column >= low)
        if high is not None:
            inside = inside & (column <= high)
        banded = pl.when(inside).then(pl.lit(code)).otherwise(banded)
    return banded


def _made(frame: pl.DataFrame, recipe: Recipe) -> pl.Series:
    harmonised = frame.select(name for name in frame.columns if not name.startswith(_RAW))
    if recipe.expression is not None:
        return recipe.expression.evaluate(harmonised, pl.Float64).alias(recipe.name)
    if recipe.any_of is not None:
        group = [_raw_column(name, frame, recipe.place) for name in recipe.within]
        own = recipe.any_of.evaluate(harmonised, pl.Boolean).alias(recipe.name)
        anyone = pl.col(recipe.name).fill_null(False).any().over(group)
        return frame.with_columns(own).select(anyone).to_series()
    assert recipe.source is not None  # one of the three, by survey_of
    column = _raw_column(recipe.source, frame, recipe.place)
    if recipe.codes is not None:
        return _recoded(frame, recipe, column).alias(recipe.name)
    if recipe.bands is not None:
        return frame.select(_banded(recipe, column).alias(recipe.name)).to_series()
    return frame.select(column.alias(recipe.name)).to_series()


def _harmonised(raw: pl.DataFrame, recipes: Sequence[Recipe]) -> pl.DataFrame:
    frame = raw.rename({name: _RAW + name for name in raw.columns})
    # NaN in a file is an answer that is not there.
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    for recipe in recipes:
        frame = frame.with_columns(_made(frame, recipe))
    return frame


def _labels(frame: pl.DataFrame, names: tuple[str, ...], place: str) -> np.ndarray | None:
    """Return one label a row from the columns that together name a stratum or a PSU."""
    if not names:
        return None
    columns = [_raw_column(name, frame, place).cast(pl.String) for name in names]
    return frame.select(reduce(lambda a, b: a + "/" + b, columns)).to_series().to_numpy()


def _design(frame: pl.DataFrame, survey: Survey) -> Design:
    place = survey.place
    declared = survey.design
    weight = frame.select(_raw_column(declared.weight, frame, place)).to_series()
    fpc = (
        frame.select(_raw_column(declared.fpc, frame, place)).to_series().to_numpy()
        if declared.fpc
        else None
    )
    return Design.from_columns(
        weight.cast(pl.Float64).to_numpy(),
        stratum=_labels(frame, declared.strata, place),
        psu=_labels(frame, declared.psu, place),
        fpc=fpc,
        nested=declared.nested,
        lonely=Lonely(declared.lonely_psu),
        names=ColumnNames(
            survey=survey.id,
            weights=declared.weight,
            psu=" x ".join(declared.psu) or "psu",
            stratum=" x ".join(declared.strata) or "stratum",
            fpc=declared.fpc or "fpc",
        ),
    )


def _finished(frame: pl.DataFrame, survey: Survey, design: Design) -> Sample:
    kept = [name for name in frame.columns if not name.startswith(_RAW)]
    return Sample(survey, frame.select(kept), design)


def read_sample(survey: Survey, root: Path) -> Sample:
    """Read a declared survey; ``root`` is the project folder.

    Raises DataError naming the declaration's line where a column is absent or a value has no
    code, and DesignError where weights, strata or PSUs cannot carry an estimate. No row is
    left out: who is not asked is outside the domain, not outside the design.
    """
    frame = _harmonised(read_sources(survey.sources, root), survey.recipes)
    return _finished(frame, survey, _design(frame, survey))


def read_census(survey: Survey, source: Source, weight: str, root: Path) -> Sample:
    """Read the census behind a survey with the recipes whose columns it has.

    Each row is its own PSU: only the values of its estimates mean anything.
    """
    raw = read_sources((source,), root)
    recipes = [recipe for recipe in survey.recipes if recipe.source in raw.columns]
    frame = _harmonised(raw, recipes)
    weights = frame.select(_raw_column(weight, frame, survey.place).cast(pl.Float64)).to_series()
    return _finished(frame, survey, Design.from_columns(weights.to_numpy()))
