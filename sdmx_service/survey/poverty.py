"""How many are at risk of poverty, and how far below the line they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from sdmx_service.errors import DataError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.density import density
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Composition, Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Linearised
from sdmx_service.survey.ordered import Ordered
from sdmx_service.survey.outcome import known_values, seen
from sdmx_service.survey.poverty_line import Basis, PovertyLine, national_line
from sdmx_service.survey.through_line import through_line

__all__ = ["Basis", "PovertyLine", "dispersion", "fgt", "median_gap", "rate", "threshold"]


def threshold(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
) -> Estimates:
    """Return each cell's own poverty threshold, from the incomes (n,) of that cell."""
    line = line or PovertyLine()
    values, known = known_values(design, income)
    incomes = seen(design, values, known, universe)

    def statistic(rows: CellRows) -> Linearised:
        return line.of(rows, incomes)

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
    return fgt(
        design, cells, income, power=0.0, line=line, universe=universe, population=population
    )


def fgt(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    power: float,
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
    population: Booleans | None = None,
) -> Estimates:
    """Return the mean of ((line - income) / line)^power over each cell, 0 for who is not poor.

    Power 0 is the rate, 1 the gap, 2 the severity of poverty (Foster, Greer and Thorbecke,
    Econometrica 52, 1984). The line is the nation's as in ``rate``, its variance in every cell's.

    Raises ValueError for a power below 0 or between 0 and 1, where a gap of zero has no slope;
    DataError for a power over 0 where the line is not above 0.
    """
    if power < 0 or 0 < power < 1:
        raise ValueError(f"power {power} is neither 0 nor at least 1")
    line = line or PovertyLine()
    values, known = known_values(design, income)
    nation = national_line(design, values, known, population, line)
    following = through_line(design, nation, known, universe)
    if power > 0 and not nation.value > 0:
        raise DataError("poverty line", got=nation.value, expected="a line above 0")
    incomes = seen(design, values, known, universe)
    poor = line.is_poor(incomes, nation.value)
    own = seen(design, nation.influence, known, universe)
    if power == 0:
        depth, steepness = poor.astype(np.float64), None
    else:
        short = np.where(poor, (nation.value - incomes) / nation.value, 0.0)
        depth = short**power
        steepness = np.where(poor, power * short ** (power - 1.0) * incomes / nation.value**2, 0.0)

    def statistic(rows: CellRows) -> Linearised:
        people = rows.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(people > 0, rows.sum(depth) / people, np.nan)
            scale = np.where(people > 0, 1.0 / people, 0.0)
        if steepness is None:
            slope = np.nan_to_num(density(rows, incomes, np.full(rows.count, nation.value)))
        else:
            slope = rows.sum(steepness) * scale
        direct = (depth - rows.at(np.nan_to_num(value))) * rows.at(scale)
        return following.linearised(rows, value, direct, own, slope)

    found = estimate(
        following.design,
        cells,
        statistic,
        known=known,
        event=known & line.is_poor(values, nation.value),
        universe=universe,
        composition=Composition.AVERAGE,
        reach=nation.strata,
        from_sums=nation.strata is None,
    )
    return following.finished(found, design, cells, known, universe)


def median_gap(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
    population: Booleans | None = None,
) -> Estimates:
    """Return the relative median poverty gap: (line - median income of the cell's poor) / line.

    Eurostat's RMPG; NaN for a cell without poor. Linearised as Osier (2009) and R convey: with m
    the median of the poor, H the rate and F the incomes' distribution in the cell, F(m) = H / 2.

    Raises DataError where no row has an income, or the line is not above 0.
    """
    line = line or PovertyLine()
    values, known = known_values(design, income)
    nation = national_line(design, values, known, population, line)
    following = through_line(design, nation, known, universe)
    limit = nation.value
    if not limit > 0:
        raise DataError("poverty line", got=limit, expected="a line above 0")
    incomes = seen(design, values, known, universe)
    poor = line.is_poor(incomes, limit)
    own = seen(design, nation.influence, known, universe)

    def statistic(rows: CellRows) -> Linearised:
        among_poor = replace(rows, code=np.where(poor, rows.code, rows.count))
        median = Ordered.of(among_poor, incomes).quantile(np.full(rows.count, 0.5))
        at_median = density(rows, incomes, median)
        at_line = density(rows, incomes, np.full(rows.count, limit))
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.nan_to_num(1.0 / (rows.sum() * at_median * limit), posinf=0.0)
            slope = np.nan_to_num(
                median / limit**2 - 0.5 * at_line / (at_median * limit), posinf=0.0, neginf=0.0
            )
        below = incomes <= rows.at(np.nan_to_num(median, nan=-np.inf))
        direct = (below - 0.5 * poor) * rows.at(scale)
        return following.linearised(rows, 1.0 - median / limit, direct, own, slope)

    found = estimate(
        following.design,
        cells,
        statistic,
        known=known,
        event=known & line.is_poor(values, limit),
        universe=universe,
        composition=Composition.NONE,
        reach=nation.strata,
    )
    return following.finished(found, design, cells, known, universe)


def dispersion(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    *,
    shares: Sequence[float] = (0.4, 0.5, 0.7),
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
    population: Booleans | None = None,
) -> Estimates:
    """Return the rates under several shares of the median, side by side, with their covariance.

    Eurostat's dispersion around the at-risk-of-poverty threshold. The K cells of the first share
    come first; the keys have a column ``share`` more.
    """
    line = line or PovertyLine()
    found: Estimates | None = None
    for share in shares:
        one = rate(
            design,
            cells,
            income,
            line=replace(line, share=share),
            universe=universe,
            population=population,
        )
        one = replace(one, keys=one.keys.assign(share=share))
        found = one if found is None else found.stack(one)
    if found is None:
        raise ValueError("no shares of the median")
    return found
