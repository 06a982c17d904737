"""A survey sample: harmonised variables, areas, groups and the design they were drawn by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sdmx_service.definitions.survey import Recipe, Source, Survey
from sdmx_service.errors import DataError
from sdmx_service.survey.declared import declared_design
from sdmx_service.survey.design import Design
from sdmx_service.survey.raw import RAW, raw_column, written
from sdmx_service.survey.source import read_sources

__all__ = ["Sample", "read_census", "read_sample"]


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of a survey: ``frame`` has the harmonised variables, the breakdown dimensions
    and ``AREA_1``, ``AREA_2`` ... (the levels below the whole area), one row a person. A dimension
    whose groups overlap is a column of lists: the codes that a person holds."""

    survey: Survey
    frame: pl.DataFrame
    design: Design


def _recoded(frame: pl.DataFrame, recipe: Recipe, column: pl.Expr) -> pl.Series:
    values = frame.select(column.alias("value")).to_series()
    codes = recipe.codes or {}
    present = values.drop_nulls().unique(maintain_order=True).to_list()
    table = {raw: codes[written(raw)] for raw in present if written(raw) in codes}
    unmapped = [raw for raw in present if written(raw) not in codes]
    if unmapped:
        count = values.is_in(unmapped).sum()
        raise DataError(
            recipe.place,
            got=f"{written(unmapped[0])!r} in {count} rows of column {recipe.source}",
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


def _memberships(harmonised: pl.DataFrame, recipe: Recipe) -> pl.Series:
    """Return the codes that each person holds, as lists; an unanswered condition is not held."""
    held = [
        pl.when(condition.evaluate(harmonised, pl.Boolean)).then(pl.lit(code))
        for code, condition in (recipe.groups or {}).items()
    ]
    lists = harmonised.select(pl.concat_list(held).list.drop_nulls().alias(recipe.name))
    return lists.to_series()


def _made(frame: pl.DataFrame, recipe: Recipe) -> pl.Series:
    harmonised = frame.select(name for name in frame.columns if not name.startswith(RAW))
    if recipe.expression is not None:
        return recipe.expression.evaluate(harmonised, pl.Float64).alias(recipe.name)
    if recipe.any_of is not None:
        group = [raw_column(name, frame, recipe.place) for name in recipe.within]
        own = recipe.any_of.evaluate(harmonised, pl.Boolean).alias(recipe.name)
        anyone = pl.col(recipe.name).fill_null(False).any().over(group)
        return frame.with_columns(own).select(anyone).to_series()
    if recipe.groups is not None:
        return _memberships(harmonised, recipe)
    assert recipe.source is not None  # one of the four, by survey_of
    column = raw_column(recipe.source, frame, recipe.place)
    if recipe.codes is not None:
        return _recoded(frame, recipe, column).alias(recipe.name)
    if recipe.bands is not None:
        return frame.select(_banded(recipe, column).alias(recipe.name)).to_series()
    return frame.select(column.alias(recipe.name)).to_series()


def _harmonised(raw: pl.DataFrame, recipes: Sequence[Recipe]) -> pl.DataFrame:
    frame = raw.rename({name: RAW + name for name in raw.columns})
    # NaN in a file is an answer that is not there.
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    for recipe in recipes:
        frame = frame.with_columns(_made(frame, recipe))
    return frame


def _finished(frame: pl.DataFrame, survey: Survey, design: Design) -> Sample:
    kept = [name for name in frame.columns if not name.startswith(RAW)]
    return Sample(survey, frame.select(kept), design)


def read_sample(survey: Survey, root: Path) -> Sample:
    """Read a declared survey; ``root`` is the project folder.

    Raises DataError naming the declaration's line where a column is absent or a value has no
    code, and DesignError where weights, strata or PSUs cannot carry an estimate. No row is
    left out: who is not asked is outside the domain, not outside the design.
    """
    frame = _harmonised(read_sources(survey.sources, root), survey.recipes)
    return _finished(frame, survey, declared_design(frame, survey.design, survey.id))


def read_census(survey: Survey, source: Source, weight: str, root: Path) -> Sample:
    """Read the census behind a survey with the recipes whose columns it has.

    Each row is its own PSU: only the values of its estimates mean anything.
    """
    raw = read_sources((source,), root)
    recipes = [recipe for recipe in survey.recipes if recipe.source in raw.columns]
    frame = _harmonised(raw, recipes)
    weights = frame.select(raw_column(weight, frame, survey.place).cast(pl.Float64)).to_series()
    return _finished(frame, survey, Design.from_columns(weights.to_numpy()))
