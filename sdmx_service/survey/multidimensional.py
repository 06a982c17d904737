"""Alkire-Foster measures: who is deprived in enough things at once, and in how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError, DefinitionError
from sdmx_service.survey import derived, estimate
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.derived import Derived
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.influence import Booleans, Floats
from sdmx_service.survey.outcome import known_values

__all__ = [
    "TOLERANCE",
    "MissingItem",
    "Multidimensional",
    "Profile",
    "band",
    "group_contributions",
    "measures",
    "nested_weights",
    "profile",
]

# A score of 1/6 + 1/6 reaches a cutoff of 1/3, whatever the last bits say.
TOLERANCE = 1e-9


class MissingItem(Enum):
    """What a person is who lacks the answer to an item.

    LISTWISE is outside the domain of every measure; REWEIGHTED is scored on the other items, their
    weights brought to one; NOT_DEPRIVED is taken not to be deprived in the item.
    """

    LISTWISE = "listwise"
    REWEIGHTED = "reweighted"
    NOT_DEPRIVED = "not deprived"


@dataclass(frozen=True, eq=False)
class Profile:
    """Persons by item: ``deprived`` (n, p) 0 or 1, ``weights`` (n, p), and their ``score`` (n,).

    The score is the counting vector c, the weighted share of the items in which one is deprived;
    NaN is outside the domain.
    """

    items: tuple[str, ...]
    deprived: Floats
    weights: Floats
    score: Floats

    def poor(self, cutoff: float) -> Floats:
        """Return who is multidimensionally poor, score >= cutoff, 0 or 1, NaN outside, (n,).

        Raises DefinitionError for a cutoff outside 0 to 1.
        """
        _check_cutoff(cutoff)
        found = (self.score >= cutoff - TOLERANCE).astype(np.float64)
        return np.where(np.isnan(self.score), np.nan, found)


@dataclass(frozen=True, eq=False)
class Multidimensional:
    """The measures of one cutoff, each K cells of the same persons, with their covariance.

    ``headcount`` H, ``intensity`` A, ``adjusted`` M0 = H A; by item: ``uncensored`` deprived,
    ``censored`` deprived and poor, ``contribution`` to M0 (they sum to one). A and contributions
    are NaN where nobody is poor; the unweighted poor they rest on are ``headcount.events``.
    """

    cutoff: float
    headcount: Estimates
    intensity: Estimates
    adjusted: Estimates
    uncensored: Mapping[str, Estimates]
    censored: Mapping[str, Estimates]
    contribution: Mapping[str, Estimates]

    def stacked(self) -> Estimates:
        """Return all measures side by side with one covariance.

        The keys have two columns more: ``measure`` (H, A, M0, UNCENSORED, CENSORED, CONTRIBUTION)
        and ``item`` (``_T`` for H, A and M0).
        """
        parts = [
            _named(self.headcount, "H"),
            _named(self.intensity, "A"),
            _named(self.adjusted, "M0"),
        ]
        for name, by_item in (
            ("UNCENSORED", self.uncensored),
            ("CENSORED", self.censored),
            ("CONTRIBUTION", self.contribution),
        ):
            parts += [_named(found, name, item) for item, found in by_item.items()]
        return reduce(Estimates.stack, parts)


def _named(found: Estimates, measure: str, item: str = "_T") -> Estimates:
    return replace(found, keys=found.keys.assign(measure=measure, item=item))


def nested_weights(
    dimensions: Mapping[str, Sequence[str]], shares: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the items' weights: equal within a dimension, dimensions by ``shares`` or equal."""
    of_dimension = shares or {name: 1.0 / len(dimensions) for name in dimensions}
    return {
        item: of_dimension[name] / len(items)
        for name, items in dimensions.items()
        for item in items
    }


def profile(
    design: Design,
    deprivations: Mapping[str, ArrayLike],
    weights: Mapping[str, float],
    *,
    missing: MissingItem = MissingItem.LISTWISE,
) -> Profile:
    """Return the scores of all persons from columns (n,) of 1 deprived, 0 not, NaN missing.

    A person without an answer to any item has no score under any rule.

    Raises DefinitionError for weights that are not positive, do not sum to one or are of other
    items, and DataError for a deprivation other than 0 and 1.
    """
    items = tuple(deprivations)
    _check_weights(items, weights)
    columns = []
    for item in items:
        values, known = known_values(design, deprivations[item])
        wrong = known & (values != 0) & (values != 1)
        if wrong.any():
            raise DataError(
                f"deprivation {item}, row {int(np.flatnonzero(wrong)[0]) + 1}",
                got=float(values[wrong][0]),
                expected="1 deprived, 0 not deprived, or missing",
                hint=f"{int(wrong.sum())} rows are like this",
            )
        columns.append(values)
    deprived = np.column_stack(columns)
    known = ~np.isnan(deprived)
    used = np.tile(np.array([weights[item] for item in items]), (len(deprived), 1))
    scored = known.any(axis=1)
    if missing is MissingItem.LISTWISE:
        scored = known.all(axis=1)
    elif missing is MissingItem.REWEIGHTED:
        used = np.where(known, used, 0.0)
        used = used / np.where(scored, used.sum(axis=1), 1.0)[:, None]
    deprived = np.where(known, deprived, 0.0)
    score = (used * deprived).sum(axis=1)
    return Profile(items, deprived, used, np.where(scored, score, np.nan))


def measures(
    design: Design,
    cells: Cells,
    people: Profile,
    *,
    cutoff: float,
    universe: Booleans | None = None,
) -> Multidimensional:
    """Return H, A, M0, headcounts by item and contributions for one poverty cutoff, 0 to 1.

    H = mean of 1(c >= k), M0 = mean of c 1(c >= k), A = M0 / H, censored headcount of item j =
    mean of g_j 1(c >= k), contribution = w_j censored_j / M0 (Alkire and Foster 2011): means and
    ratios of the same persons. Errors as ``Profile.poor``.
    """
    poor = people.poor(cutoff)
    outside = np.isnan(people.score)

    def mean(values: Floats) -> Estimates:
        return estimate.mean(design, cells, np.where(outside, np.nan, values), universe=universe)

    def share(above: Floats, below: Floats) -> Estimates:
        return estimate.ratio(design, cells, above, below, universe=universe)

    censored_score = people.score * poor
    by_item = dict(zip(people.items, people.deprived.T, strict=True))
    weighted = dict(zip(people.items, (people.weights * people.deprived).T, strict=True))
    return Multidimensional(
        cutoff,
        mean(poor),
        share(censored_score, poor),
        mean(censored_score),
        {item: mean(column) for item, column in by_item.items()},
        {item: mean(column * poor) for item, column in by_item.items()},
        {item: share(column * poor, censored_score) for item, column in weighted.items()},
    )


def band(
    design: Design,
    cells: Cells,
    people: Profile,
    *,
    lower: float,
    upper: float,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the share whose score is ``lower`` or more and under ``upper``.

    The global MPI's vulnerable are from 1/5 to under 1/3.
    """
    _check_cutoff(lower)
    inside = (people.score >= lower - TOLERANCE) & (people.score < upper - TOLERANCE)
    outcome = np.where(np.isnan(people.score), np.nan, inside.astype(np.float64))
    return estimate.proportion(design, cells, outcome, universe=universe)


def group_contributions(
    design: Design,
    cells: Cells,
    people: Profile,
    *,
    cutoff: float,
    group: ArrayLike,
    whole: ArrayLike,
    universe: Booleans | None = None,
) -> Derived:
    """Return the share of the whole's M0 that each group brings, (M,), positions among the cells.

    The groups of a partition of the whole sum to one. With the group's share of the people it says
    who carries more poverty than people. NaN where nobody in the whole is poor.
    """
    inner, outer = np.asarray(group, dtype=np.intp), np.asarray(whole, dtype=np.intp)
    censored = people.score * people.poor(cutoff)
    found = estimate.total(design, cells, censored, universe=universe)
    base = np.where(found.value[outer] > 0, found.value[outer], np.nan)
    value = found.value[inner] / base
    slopes = derived.one_of(len(cells), inner) / base[:, None]
    slopes = slopes - derived.one_of(len(cells), outer) * (value / base)[:, None]
    return derived.combine(found, value, slopes, found.keys.iloc[inner])


def _check_cutoff(cutoff: float) -> None:
    if not 0.0 < cutoff <= 1.0:
        raise DefinitionError(
            "poverty cutoff",
            got=cutoff,
            expected="a share of the weighted items, over 0 and up to 1",
        )


def _check_weights(items: Sequence[str], weights: Mapping[str, float]) -> None:
    if set(items) != set(weights):
        raise DefinitionError(
            "weights of the deprivations",
            got=", ".join(weights),
            expected=f"one weight for each of {', '.join(items)}",
        )
    values: NDArray[np.float64] = np.array(list(weights.values()), dtype=np.float64)
    if not (values > 0).all() or abs(values.sum() - 1.0) > TOLERANCE:
        raise DefinitionError(
            "weights of the deprivations",
            got=f"a sum of {values.sum():.12g}, the smallest {values.min():g}",
            expected="positive weights that sum to one",
            hint="write them as fractions: 1/6, not 0.167",
        )
