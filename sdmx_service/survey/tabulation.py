"""An indicator estimated in every cell that a survey can be broken down into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.scale import Scale
from sdmx_service.definitions.survey import Detail
from sdmx_service.errors import DataError
from sdmx_service.survey import scale
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.estimator import DEPRIVED, ESTIMATORS, Question, Tabulated
from sdmx_service.survey.replication import reestimate
from sdmx_service.survey.sample import Sample

__all__ = [
    "AREA",
    "PLACED",
    "TOTAL",
    "UNPLACED",
    "answers",
    "cells_of",
    "declared_scale",
    "estimates_of",
    "is_public",
    "outcomes",
    "tabulate",
]

AREA = "REF_AREA"
TOTAL = "_T"
# Two cells that are never published: the people whom a breakdown places in no group, who are
# part of the total, and all whom it does place, who are what a group is part of.
UNPLACED = "_UNPLACED"
PLACED = "_PLACED"

Integers = NDArray[np.intp]
Labels = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class _Partition:
    """The groups of one or more dimensions: their labels, and the group of each row, -1 for none.

    ``labels`` holds the codes of the G groups by dimension, each (G,).
    """

    labels: Mapping[str, Labels]
    codes: Integers

    def __len__(self) -> int:
        return len(next(iter(self.labels.values())))

    def by(self, other: _Partition) -> _Partition:
        """Return the partition into the combinations of both."""
        labels = {name: np.repeat(column, len(other)) for name, column in self.labels.items()}
        labels |= {name: np.tile(column, len(self)) for name, column in other.labels.items()}
        both = self.codes * len(other) + other.codes
        outside = (self.codes < 0) | (other.codes < 0)
        return _Partition(labels, np.where(outside, -1, both))

    def of(self, dimension: str) -> Labels:
        """Return what the groups are of a dimension, (G,): the total where it is none of theirs."""
        return self.labels.get(dimension, np.full(len(self), TOTAL, dtype=object))


def _partition(frame: pl.DataFrame, column: str, dimension: str) -> _Partition:
    labels = frame.get_column(column)
    if labels.null_count():
        labels = labels.fill_null(UNPLACED)
    groups = sorted(labels.unique())
    codes = labels.replace_strict(groups, list(range(len(groups))), return_dtype=pl.Int64)
    return _Partition({dimension: _labels(*groups)}, codes.to_numpy().astype(np.intp))


def _labels(*groups: str) -> Labels:
    return np.array(groups, dtype=object)


def _memberships(frame: pl.DataFrame, dimension: str) -> list[_Partition]:
    """Return a partition for each group of a dimension whose groups overlap: in it, or not.

    The last are those in no group and those in any, if there is someone in none.
    """
    held = frame.get_column(dimension)
    groups = sorted(held.explode().drop_nulls().unique())
    inside = [held.list.contains(group).fill_null(False).to_numpy() for group in groups]
    nowhere = ~np.any(inside, axis=0) if inside else np.ones(len(held), dtype=bool)
    if nowhere.any():
        groups += [UNPLACED, PLACED]
        inside += [nowhere, ~nowhere]
    return [
        _Partition({dimension: _labels(group)}, np.where(rows, 0, -1).astype(np.intp))
        for group, rows in zip(groups, inside, strict=True)
    ]


def _partitions(frame: pl.DataFrame, dimension: str) -> list[_Partition]:
    """Return the groups of a dimension: one partition, or one a group where they overlap."""
    if frame.schema[dimension] == pl.List(pl.String):
        return _memberships(frame, dimension)
    return [_partition(frame, dimension, dimension)]


def _placed(partition: _Partition, dimension: str) -> _Partition | None:
    """Return the one group of all whom a partition places, or None where it places everyone."""
    unplaced = np.flatnonzero(partition.labels[dimension] == UNPLACED)
    if not len(unplaced):
        return None
    codes = np.where(partition.codes == unplaced[0], -1, 0).astype(np.intp)
    return _Partition({dimension: _labels(PLACED)}, codes)


def is_public(keys: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which cells may be published at all, (K,): not the placed and the unplaced."""
    hidden = keys.isin([PLACED, UNPLACED]).to_numpy(dtype=bool)
    public: NDArray[np.bool_] = ~np.asarray(hidden.any(axis=1))
    return public


def _areas(sample: Sample) -> Iterator[tuple[_Partition, Detail]]:
    whole = {AREA: _labels(sample.survey.area)}
    yield _Partition(whole, np.zeros(sample.frame.height, dtype=np.intp)), Detail.CROSSED
    for level in sample.survey.areas:
        if level.recipe.name in sample.frame.columns:
            yield _partition(sample.frame, level.recipe.name, AREA), level.detail


def cells_of(sample: Sample, dimensions: Sequence[str]) -> Cells:
    """Return the cells of a survey: areas by the total, each dimension, each declared crossing.

    Keys have REF_AREA and ``dimensions``; a dimension that does not break a cell down is ``_T``.
    Where a breakdown places some people in no group there are cells of those too, and of all it
    places: they are never published (``is_public``). Groups that overlap are cells that share
    people.
    """
    single = {name: _partitions(sample.frame, name) for name in dimensions}
    crossed = [
        one.by(other)
        for first, second in sample.survey.crossings
        if first in single and second in single
        for one in _parts(single[first], first)
        for other in _parts(single[second], second)
    ]
    wholes = [
        whole
        for name, partitions in single.items()
        if len(partitions) == 1 and (whole := _placed(partitions[0], name)) is not None
    ]
    groupings = []
    for area, detail in _areas(sample):
        groupings.append(area)
        if detail is not Detail.TOTAL:
            groupings += [area.by(partition) for partition in (*chain(*single.values()), *wholes)]
        if detail is Detail.CROSSED:
            groupings += [area.by(partition) for partition in crossed]
    keys = pd.DataFrame(
        {
            name: np.concatenate([grouping.of(name) for grouping in groupings])
            for name in (AREA, *dimensions)
        }
    )
    ends = np.cumsum([len(grouping) for grouping in groupings])
    return Cells.from_groupings(
        (keys.iloc[end - len(grouping) : end], grouping.codes)
        for end, grouping in zip(ends, groupings, strict=True)
    )


def _parts(partitions: list[_Partition], dimension: str) -> list[_Partition]:
    """Return the partitions that are crossed with others: not that of all who are placed."""
    return [one for one in partitions if not (one.labels[dimension] == PLACED).any()]


def declared_scale(declared: Scale) -> scale.Scale:
    """Return a declared scale as the engine scores it."""
    return scale.Scale(
        declared.id,
        tuple(
            scale.Item(item.id, item.lowest, item.highest, item.reverse) for item in declared.items
        ),
        scale.Scoring(declared.scoring),
        declared.minimum_valid,
        declared.multiplier,
    )


def answers(sample: Sample, declared: Scale) -> dict[str, NDArray[np.float64]]:
    """Return the answers to the items of a scale by item, each (n,), NaN missing."""
    return {
        item.id: sample.frame.get_column(item.variable)
        .cast(pl.Float64)
        .fill_null(np.nan)
        .to_numpy()
        for item in declared.items
    }


def outcomes(sample: Sample, indicator: Indicator) -> dict[str, NDArray[np.float64]]:
    """Return the expressions of an indicator over the people of a sample, each (n,), NaN missing.

    The variable of a scale's mean is its index. Raises DefinitionError where an expression does
    not fit the columns, DataError for an answer outside of an item's range.
    """
    expressions = {
        name: getattr(indicator, name)
        for name in ("numerator", "denominator", "variable", "universe")
    }
    expressions |= {DEPRIVED + one.id: one.condition for one in indicator.deprivations}
    found = {
        name: expression.evaluate(sample.frame, pl.Float64).fill_null(np.nan).to_numpy()
        for name, expression in expressions.items()
        if expression is not None
    }
    if indicator.index is not None:
        found["variable"] = scale.index(
            declared_scale(indicator.index), answers(sample, indicator.index)
        )
    return found


def estimates_of(sample: Sample, indicator: Indicator) -> Estimates:
    """Return the estimates of an indicator in all cells that hold anyone of its universe.

    Values are on the estimator's scale (a share is 0..1), not in the indicator's unit.
    """
    return tabulate(sample, indicator).estimates


def _estimated(asked: Question, sample: Sample) -> Tabulated:
    """Return what the indicator's estimator finds, anew with every replicate where that is due."""
    estimator = ESTIMATORS[asked.indicator.statistic]
    found = estimator(asked)
    declared = sample.survey.design.replicates
    # totals, ratios and quantiles know their replicates from sums
    if declared is None or declared.linearises or found.estimates.replicated is not None:
        return found
    again = reestimate(
        asked.design, lambda design: estimator(replace(asked, design=design)).estimates
    )
    return replace(found, estimates=again)


def tabulate(sample: Sample, indicator: Indicator) -> Tabulated:
    """Return the estimates as ``estimates_of``, with their intervals where those are its own."""
    dimensions = [
        breakdown.dimension
        for breakdown in sample.survey.breakdowns
        if breakdown.dimension not in indicator.without
        and breakdown.dimension in sample.frame.columns
    ]
    known = outcomes(sample, indicator)
    # Who cannot be placed in the universe is not in it.
    universe = known["universe"] == 1.0 if "universe" in known else None
    asked = Question(sample.design, cells_of(sample, dimensions), indicator, known, universe)
    found = _estimated(asked, sample)
    if not found.estimates.n.any():
        raise DataError(
            f"{indicator.id} in {sample.survey.id}",
            got="no one with an answer in the universe",
            expected="some answers",
            hint=f"look at the expressions of {indicator.place}",
        )
    return found.take(found.estimates.n + found.estimates.missing > 0)
