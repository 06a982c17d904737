"""At-risk-of-poverty threshold, and the rate below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sdmx_service.errors import DataError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Composition, Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised
from sdmx_service.survey.outcome import known_values, seen

__all__ = ["PovertyLine", "rate", "threshold"]


@dataclass(frozen=True)
class PovertyLine:
    """A share of a quantile of the income distribution; poor is below it, or not above it.

    ``strict`` is Eurostat's rule for HX080 (poor if income < line); convey takes income <= line.
    """

    share: float = 0.6
    quantile: float = 0.5
    strict: bool = True

    def is_poor(self, income: Floats, line: float) -> Booleans:
        """Return which incomes (m,) are poor under the line."""
        poor: Booleans = income < line if self.strict else income <= line
        return poor


def threshold(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
) -> Estimates:
    """Return each cell's own poverty threshold, from the incomes (n,) of that cell.

    The quantile is the smallest income with at least that share of the weight at or below it; the
    influence is -(share / f(q)) (1(y <= q) - quantile) / N with a Gaussian kernel density f of
    bandwidth sd N^(-1/5) (Osier 2009; Deville 1999; as in R convey).
    """
    line = line or PovertyLine()
    values, known = known_values(design, income)
    incomes = seen(design, values, known, universe)

    def statistic(rows: CellRows) -> Linearised:
        return _threshold(rows, incomes, line)

    return estimate(
        design,
        cells,
        statistic,
        known=known,
        event=known & (values != 0),
        universe=universe,
        composition=Composition.NONE,
    )


def rate(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
    population: Booleans | None = None,
) -> Estimates:
    """Return the share of each cell with incomes (n,) under the nation's estimated threshold.

    The threshold is that of all rows with an income, or of those in ``population`` (n,); its
    variance is part of every cell's, through f_d(line), the cell's own income density at the line.

    Raises DataError where no row has an income to take the threshold from.
    """
    line = line or PovertyLine()
    values, known = known_values(design, income)
    nation = _nation(design, values, known, population, line)
    incomes = seen(design, values, known, universe)
    poor = line.is_poor(incomes, nation.line).astype(np.float64)
    own_effect = seen(design, nation.influence, known, universe)

    def statistic(rows: CellRows) -> Linearised:
        people = rows.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(people > 0, rows.sum(poor) / people, np.nan)
            scale = np.where(people > 0, 1.0 / people, 0.0)
        density = np.nan_to_num(_density(rows, incomes, np.full(rows.count, nation.line)))
        direct = (poor - rows.at(np.nan_to_num(value))) * rows.at(scale)
        through_line = own_effect * rows.at(density)
        # the nation's rows outside a cell move its line too: all PSU sums, less what is counted
        indirect = nation.psu_influence[:, None] * density - rows.psu_sums(through_line)
        return Linearised(value, direct + through_line, indirect=indirect)

    return estimate(
        design,
        cells,
        statistic,
        known=known,
        event=known & line.is_poor(values, nation.line),
        universe=universe,
        composition=Composition.AVERAGE,
        reach=nation.strata,
    )


@dataclass(frozen=True, eq=False)
class _Nation:
    """The national threshold: its value, influence by row (n,) and PSU (P,), and its strata."""

    line: float
    influence: Floats
    psu_influence: Floats
    strata: Booleans


def _nation(
    design: Design, income: Floats, known: Booleans, population: Booleans | None, line: PovertyLine
) -> _Nation:
    used = known & (design.weights > 0)
    if population is not None:
        used = used & population
    if not used.any():
        raise DataError(
            "poverty threshold", got="no row with an income", expected="incomes of the population"
        )
    one_cell = np.zeros(int(used.sum()), dtype=np.intp)
    rows = CellRows(one_cell, 1, design.weights[used], design.psu[used], design.n_psu)
    linear = _threshold(rows, income[used], line)
    influence = np.zeros(design.n_rows)
    influence[used] = linear.influence
    present = np.bincount(design.stratum_of_psu[design.psu[used]], minlength=design.n_strata) > 0
    return _Nation(
        float(linear.value[0]), influence, rows.psu_sums(linear.influence)[:, 0], present
    )


def _threshold(rows: CellRows, income: Floats, line: PovertyLine) -> Linearised:
    quantile = _quantile(rows, income, line.quantile)
    density, people = _density(rows, income, quantile), rows.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.nan_to_num(-line.share / (density * people), posinf=0.0, neginf=0.0)
    below = (income <= rows.at(np.nan_to_num(quantile))).astype(np.float64)
    return Linearised(line.share * quantile, rows.at(slope) * (below - line.quantile))


def _quantile(rows: CellRows, income: Floats, share: float) -> Floats:
    """Return the smallest income with at least ``share`` of a cell's weight up to it, (count,)."""
    order = np.lexsort((income, rows.code))
    order = order[: np.searchsorted(rows.code[order], rows.count)]
    if not len(order):
        return np.full(rows.count, np.nan)
    running = np.cumsum(rows.weights[order])
    size = np.bincount(rows.code[order], minlength=rows.count)
    last = np.cumsum(size) - 1
    before = np.append(0.0, running)[last - size + 1]
    target = before + share * (np.append(0.0, running)[last + 1] - before)
    # a share reached but for the rounding of a running sum is reached
    place = np.searchsorted(running, target - 1e-12 * running[-1])
    place = np.minimum(place, last)
    return np.where(size > 0, income[order][np.maximum(place, 0)], np.nan)


def _density(rows: CellRows, income: Floats, at: Floats) -> Floats:
    """Return each cell's kernel density at its point ``at`` (count,), bandwidth sd N^(-1/5)."""
    people = rows.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = rows.sum(income) / people
        deviation = np.sqrt(rows.sum((income - rows.at(np.nan_to_num(centre))) ** 2) / people)
        bandwidth = deviation * people**-0.2
        distance = (rows.at(np.nan_to_num(at)) - income) / rows.at(bandwidth, outside=1.0)
        kernel = np.exp(-0.5 * distance**2) / np.sqrt(2.0 * np.pi)
        density: Floats = rows.sum(kernel) / (people * bandwidth)
    return density
