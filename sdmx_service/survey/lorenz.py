"""Inequality read off the Lorenz curve: Gini coefficient, ratio of the top to the bottom share."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from sdmx_service.survey.cells import Cells
from sdmx_service.survey.density import density, outcome_density
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised, Statistic
from sdmx_service.survey.ordered import Ordered
from sdmx_service.survey.outcome import known_values, seen

__all__ = ["GiniForm", "gini", "share_ratio"]


class GiniForm(Enum):
    """How the Gini coefficient of a weighted sample is written.

    WEIGHTED: that of the weighted sample taken as the population, half the relative mean difference
    (R laeken, Eurostat); the scale of the weights does not matter. UNIT: R convey's, which counts a
    row as one person in the last of its terms: larger by about 1/n, n the rows, where the weights
    add up to a population.
    """

    WEIGHTED = "weighted"
    UNIT = "unit"


def gini(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    form: GiniForm = GiniForm.WEIGHTED,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the Gini coefficient, 0..1, of ``income`` (n,) in each cell; NaN where it adds to 0.

    The influence values are the derivatives by each row's weight, the estimated ranks among what
    varies (Langel and Tille, Journal of the Royal Statistical Society A 176, 2013).
    """
    values, known = known_values(design, income)
    incomes = seen(design, values, known, universe)
    by_value = np.argsort(incomes, kind="stable")

    def statistic(rows: CellRows) -> Linearised:
        ordered = Ordered.of(rows, incomes, by_value=by_value)
        rank = ordered.in_sample_order(ordered.running, len(incomes))
        under = ordered.in_sample_order(ordered.running_of(ordered.values), len(incomes))
        people, total = rows.sum(), rows.sum(incomes)
        positive = total > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            per_person = np.where(positive, 1.0 / people, 0.0)
            per_income = np.where(positive, 1.0 / total, 0.0)
        ranked = rows.sum(rank * incomes)
        if form is GiniForm.WEIGHTED:
            correction = rows.sum(rows.weights * incomes)
            value = (2.0 * ranked - correction) * per_person * per_income - 1.0
            # twice the distance from the incomes of all others
            distance = incomes * (2.0 * rank - rows.at(people)) + rows.at(total) - 2.0 * under
            influence = (
                distance * rows.at(per_person * per_income)
                - rows.at(value * per_person)
                - incomes * rows.at(value * per_income)
            )
        else:
            value = (2.0 * ranked - total) * per_person * per_income - 1.0
            moved = rows.at(total) - under + rows.weights * incomes + rank * incomes
            influence = (
                2.0 * moved * rows.at(per_person * per_income)
                - incomes * rows.at(2.0 * ranked * per_person * per_income**2)
                - rows.at((value + 1.0) * per_person)
            )
        return Linearised(np.where(positive, value, np.nan), influence)

    return _estimated(design, cells, statistic, values, known, universe)


def share_ratio(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    bottom: float = 0.2,
    top: float = 0.2,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the total of the richest ``top`` over that of the poorest ``bottom`` of each cell.

    S80/S20 by default (Eurostat's quintile share ratio): incomes (n,) above the quantile 1 - top
    over those at or below the quantile ``bottom``, the quantiles those of the cell. NaN where the
    poorest have nothing or less. Linearised with the quantiles (Osier, Survey Research Methods
    3(3), 2009; Langel and Tille, Metrika 73, 2011).

    Raises ValueError where bottom and top are not between 0 and 1.
    """
    if not (0 < bottom < 1 and 0 < top < 1):
        raise ValueError(f"bottom {bottom} or top {top} is not between 0 and 1")
    values, known = known_values(design, income)
    incomes = seen(design, values, known, universe)
    by_value = np.argsort(incomes, kind="stable")

    def statistic(rows: CellRows) -> Linearised:
        ordered = Ordered.of(rows, incomes, by_value=by_value)
        poorest, moved_poorest = _bottom(rows, incomes, ordered, bottom)
        rest, moved_rest = _bottom(rows, incomes, ordered, 1.0 - top)
        positive = poorest > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(positive, (rows.sum(incomes) - rest) / poorest, np.nan)
            scale = np.where(positive, 1.0 / poorest, 0.0)
        influence = incomes - moved_rest - rows.at(np.nan_to_num(value)) * moved_poorest
        return Linearised(value, influence * rows.at(scale))

    return _estimated(design, cells, statistic, values, known, universe)


def _bottom(
    rows: CellRows, incomes: Floats, ordered: Ordered, share: float
) -> tuple[Floats, Floats]:
    """Return the total up to the quantile of ``share`` (count,), with its influence values (m,)."""
    limit = ordered.quantile(np.full(rows.count, share))
    below = (incomes <= rows.at(limit, outside=np.nan)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        marginal = outcome_density(rows, incomes, limit) / (
            density(rows, incomes, limit) * rows.sum()
        )
    marginal = np.nan_to_num(marginal, posinf=0.0, neginf=0.0)
    return rows.sum(incomes * below), incomes * below - rows.at(marginal) * (below - share)


def _estimated(
    design: Design,
    cells: Cells,
    statistic: Statistic,
    values: Floats,
    known: Booleans,
    universe: Booleans | None,
) -> Estimates:
    return estimate(
        design, cells, statistic, known=known, event=known & (values != 0), universe=universe
    )
