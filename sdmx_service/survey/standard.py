"""Means standardised directly to the composition of a declared population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sdmx_service.errors import DataError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.columns import rows_said, some
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Composition, Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Linearised
from sdmx_service.survey.outcome import known_values, seen

__all__ = ["standardised"]


def standardised(
    design: Design,
    cells: Cells,
    outcome: ArrayLike,
    group: ArrayLike,
    population: Mapping[Any, float],
    *,
    universe: Booleans | None = None,
) -> Estimates:
    """Return each cell's mean if its people were composed as ``population`` (label to number).

    The value is sum_j s_j m_j, s_j the population's share in group j (as of an age band) and m_j
    the cell's estimated mean there; its influence is s_j (y - m_j) / W_j, W_j the cell's weight in
    group j (as in R survey's ``svystandardize``). A cell without rows in a group has no value: its
    rate is not known. ``group`` (n,) are labels.

    Raises DataError for a row in the universe with an outcome whose group has no number.
    """
    y, known = known_values(design, outcome)
    names = list(population)
    number = np.array([population[name] for name in names], dtype=np.float64)
    if not np.isfinite(number).all() or (number < 0).any() or not number.any():
        raise DataError(
            "standard population", got=number.tolist(), expected="numbers of 0 or more, not all 0"
        )
    column = pd.Series(group)
    code = pd.Index(names).get_indexer(column)
    about = known & (design.weights > 0)
    if universe is not None:
        about &= universe
    lost = about & (code < 0)
    if lost.any():
        raise DataError(
            "standard population",
            got=f"no number for {some(column[lost].drop_duplicates().tolist())} in "
            f"{rows_said(lost)}",
            expected=f"one of {some(names, most=20)}",
            hint="leave those without a group out of the universe",
        )
    shares, groups = number / number.sum(), len(names)
    values = seen(design, y, known, universe)
    own = code[about]

    def statistic(rows: CellRows) -> Linearised:
        inner = np.where(rows.code < rows.count, rows.code * groups + own, rows.count * groups)
        fine = CellRows(inner, rows.count * groups, rows.weights, rows.psu, rows.n_psu)
        weight = fine.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            means = fine.sum(values) / weight
            scale = np.where(weight > 0, np.tile(shares, rows.count) / weight, 0.0)
        residual = values - fine.at(np.nan_to_num(means))
        table = means.reshape(rows.count, groups)
        # a group that the standard has no one of needs no rate
        value = np.where(shares > 0, table * shares, 0.0).sum(axis=1)
        return Linearised(value, residual * fine.at(scale))

    return estimate(
        design,
        cells,
        statistic,
        known=known,
        event=known & (y != 0),
        universe=universe,
        composition=Composition.NONE,
    )
