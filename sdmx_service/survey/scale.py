"""Scales: answers to several items scored into one index a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError, DefinitionError

__all__ = ["Item", "Scale", "Scoring", "index", "item_scores"]

Floats = NDArray[np.float64]


class Scoring(Enum):
    """How item scores make the index of a person.

    MEAN of the valid items; SUM, the mean of the valid items times all items, so that a missing
    item counts as the mean of the person's others; RANGE_SHARE, the mean of the items each put to
    0..1 by its declared range, for items of different ranges.
    """

    MEAN = "mean"
    SUM = "sum"
    RANGE_SHARE = "range share"


@dataclass(frozen=True)
class Item:
    """One item: its column, the declared range of its answers, and whether it runs backwards.

    The range is that of the questionnaire, not of the answers seen.
    """

    name: str
    lowest: float
    highest: float
    reverse: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite([self.lowest, self.highest]).all() and self.lowest < self.highest):
            raise DefinitionError(
                f"item {self.name}",
                got=f"a range {self.lowest:g} to {self.highest:g}",
                expected="a lowest answer below the highest",
            )


@dataclass(frozen=True)
class Scale:
    """Items and how they are scored.

    ``minimum_valid`` is the number of items a person must have answered to have an index, by
    default all of them. ``multiplier`` is applied last (WHO-5: SUM of 0..5, times 4).
    """

    id: str
    items: tuple[Item, ...]
    scoring: Scoring = Scoring.MEAN
    minimum_valid: int | None = None
    multiplier: float = 1.0

    def __post_init__(self) -> None:
        names = [item.name for item in self.items]
        if len(names) < 2 or len(set(names)) < len(names):
            raise DefinitionError(
                f"scale {self.id}: items",
                got=", ".join(names) or "none",
                expected="at least two items, each once",
            )
        if not 1 <= self.needed <= len(names):
            raise DefinitionError(
                f"scale {self.id}: minimum_valid",
                got=self.minimum_valid,
                expected=f"1 to {len(names)} items",
            )
        ranges = {(item.lowest, item.highest) for item in self.items}
        # a sum of answers out of 5 and out of 11 may be meant; half of it missing may not
        if self.scoring is not Scoring.RANGE_SHARE and len(ranges) > 1 and self.needed < len(names):
            raise DefinitionError(
                f"scale {self.id}",
                got=f"items of {len(ranges)} ranges, {self.needed} of {len(names)} needed",
                expected="one range, all items needed, or the scoring 'range share'",
                hint="with a missing item the index would depend on which one it is",
            )

    @property
    def needed(self) -> int:
        """The valid items without which a person has no index."""
        return len(self.items) if self.minimum_valid is None else self.minimum_valid


def item_scores(scale: Scale, answers: Mapping[str, ArrayLike]) -> Floats:
    """Return the scores (n, p) of the items, reversed where declared: lowest + highest - x.

    ``answers`` maps item names to columns (n,); missing is NaN or None.

    Raises DataError for an absent item or an answer outside the declared range: codes such as 77
    refusal are made missing in the survey's declaration, not here.
    """
    columns = []
    for item in scale.items:
        where = f"scale {scale.id}: item {item.name}"
        if item.name not in answers:
            raise DataError(where, expected="a column of the survey")
        values = pd.Series(answers[item.name]).to_numpy(dtype=np.float64, na_value=np.nan)
        outside = (values < item.lowest) | (values > item.highest)
        if outside.any():
            raise DataError(
                f"{where}, row {int(np.flatnonzero(outside)[0]) + 1}",
                got=float(values[outside][0]),
                expected=f"an answer from {item.lowest:g} to {item.highest:g}, or missing",
                hint=f"{int(outside.sum())} rows are like this: map codes of no answer to missing",
            )
        columns.append(item.lowest + item.highest - values if item.reverse else values)
    if len({len(column) for column in columns}) > 1:
        raise ValueError("every item has one answer a row of the sample")
    return np.column_stack(columns)


def index(scale: Scale, answers: Mapping[str, ArrayLike]) -> Floats:
    """Return the index (n,) of each person, NaN where fewer items than needed are valid.

    Errors as ``item_scores``. Its mean by cell is ``estimate.mean``.
    """
    scores = item_scores(scale, answers)
    if scale.scoring is Scoring.RANGE_SHARE:
        lowest = np.array([item.lowest for item in scale.items])
        highest = np.array([item.highest for item in scale.items])
        scores = (scores - lowest) / (highest - lowest)
    valid = np.isfinite(scores).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.nansum(scores, axis=1) / valid
    if scale.scoring is Scoring.SUM:
        value = value * len(scale.items)
    return np.where(valid >= scale.needed, value * scale.multiplier, np.nan)
