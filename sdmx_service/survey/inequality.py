"""Inequality as a mean of transformed relative incomes: generalised entropy, Atkinson."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from sdmx_service.errors import DataError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised
from sdmx_service.survey.outcome import known_values, seen

__all__ = ["atkinson", "generalised_entropy"]


def generalised_entropy(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    alpha: float = 1.0,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the generalised entropy index of ``income`` (n,) in each cell, 0 for equality.

    With u = y / mean: the mean of (u^alpha - 1) / (alpha^2 - alpha); of -log u for alpha 0 (mean
    log deviation), of u log u for alpha 1 (Theil); alpha 2 is half the squared coefficient of
    variation. Biewen and Jenkins, Oxford Bulletin of Economics and Statistics 68 (2006).

    Raises DataError for an income below 0, and for one of 0 where alpha is not above 0.
    """
    values, known = known_values(design, income)
    incomes = seen(design, values, known, universe)
    _refuse(incomes, zero=alpha > 0, what=f"generalised entropy index of {alpha:g}")

    def statistic(rows: CellRows) -> Linearised:
        relative, scale, positive = _relative(rows, incomes)
        if alpha == 0:
            score = -np.log(relative)
        elif alpha == 1:
            score = special.xlogy(relative, relative)
        else:
            score = (relative**alpha - 1.0) / (alpha**2 - alpha)
        value = rows.sum(score) * scale
        # by the mean, times the mean
        if alpha == 0:
            slope = np.ones_like(value)
        elif alpha == 1:
            slope = -(value + 1.0)
        else:
            slope = -((alpha**2 - alpha) * value + 1.0) / (alpha - 1.0)
        influence = (score - rows.at(value) + rows.at(slope) * (relative - 1.0)) * rows.at(scale)
        return Linearised(np.where(positive, value, np.nan), influence)

    return estimate(
        design, cells, statistic, known=known, event=known & (values != 0), universe=universe
    )


def atkinson(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    epsilon: float = 1.0,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the Atkinson index, 0..1, of ``income`` (n,) in each cell.

    One minus the mean that, equally spread, is worth as much, over the mean: a power mean of order
    1 - epsilon, the geometric one for epsilon 1. Biewen and Jenkins (2006).

    Raises ValueError for epsilon not above 0; DataError for an income below 0, and for one of 0
    where epsilon is not below 1.
    """
    if not epsilon > 0:
        raise ValueError(f"epsilon {epsilon} is not above 0")
    values, known = known_values(design, income)
    incomes = seen(design, values, known, universe)
    _refuse(incomes, zero=epsilon < 1, what=f"Atkinson index of {epsilon:g}")

    def statistic(rows: CellRows) -> Linearised:
        relative, scale, positive = _relative(rows, incomes)
        if epsilon == 1:
            score = np.log(relative)
            centre = rows.sum(score) * scale
            worth = np.exp(centre)
            moved = score - rows.at(centre)
        else:
            score = relative ** (1.0 - epsilon)
            centre = np.where(positive, rows.sum(score) * scale, 1.0)
            worth = centre ** (1.0 / (1.0 - epsilon))
            moved = (score / rows.at(centre, outside=1.0) - 1.0) / (1.0 - epsilon)
        influence = -rows.at(worth * scale) * (moved - (relative - 1.0))
        return Linearised(np.where(positive, 1.0 - worth, np.nan), influence)

    return estimate(
        design, cells, statistic, known=known, event=known & (values != 0), universe=universe
    )


def _relative(rows: CellRows, incomes: Floats) -> tuple[Floats, Floats, Booleans]:
    """Return incomes over their cell's mean (m,), one over its people, and where the mean is > 0.

    Rows outside of the cells, and those of cells whose mean is 0, have 1.
    """
    people, total = rows.sum(), rows.sum(incomes)
    positive = total > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(positive, 1.0 / people, 0.0)
        over_mean = np.where(positive, people / total, np.nan)
    factor = rows.at(over_mean, outside=np.nan)
    return np.where(np.isnan(factor), 1.0, incomes * factor), scale, positive


def _refuse(incomes: Floats, *, zero: bool, what: str) -> None:
    wrong = incomes < 0 if zero else incomes <= 0
    if wrong.any():
        least = f"{'0 or' if zero else 'numbers'} above 0"
        raise DataError(
            f"incomes of the {what}",
            got=f"{int(wrong.sum())} of {len(incomes)} {'below 0' if zero else 'at 0 or below'}",
            expected=least,
            hint="declare a universe of positive incomes, and say so in the title",
        )
