"""The variance of an outcome among people, by cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Linearised
from sdmx_service.survey.outcome import known_values, seen

__all__ = ["variance"]


def variance(
    design: Design, cells: Cells, outcome: ArrayLike, *, universe: Booleans | None = None
) -> Estimates:
    """Return the variance of ``outcome`` (n,) among the people of each cell; NaN is missing.

    The weighted mean square about the mean, times n / (n - 1) with n the rows (R's ``svyvar``); the
    mean's own variation is of lower order. NaN with one row.
    """
    values, known = known_values(design, outcome)
    seen_values = seen(design, values, known, universe)

    def statistic(rows: CellRows) -> Linearised:
        people = rows.sum()
        count = np.bincount(rows.code, minlength=rows.count + 1)[: rows.count]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = rows.sum(seen_values) / people
            correction = np.where(count > 1, count / (count - 1.0), np.nan)
            scale = np.where(people > 0, 1.0 / people, 0.0)
        square = (seen_values - rows.at(np.nan_to_num(mean))) ** 2
        square = square * rows.at(np.nan_to_num(correction))
        value = rows.sum(square) * scale
        influence = (square - rows.at(value)) * rows.at(scale)
        return Linearised(np.where(count > 1, value, np.nan), influence)

    return estimate(
        design, cells, statistic, known=known, event=known & (values != 0), universe=universe
    )
