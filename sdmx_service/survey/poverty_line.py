"""The line below which people are poor, estimated from the nation's incomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from sdmx_service.errors import DataError
from sdmx_service.survey.density import density
from sdmx_service.survey.design import Design
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised
from sdmx_service.survey.ordered import Ordered

__all__ = ["Basis", "NationalLine", "PovertyLine", "national_line"]


class Basis(Enum):
    """What a poverty line is taken from: a quantile or the mean of incomes, or an amount."""

    QUANTILE = "a share of a quantile"
    MEAN = "a share of the mean"
    AMOUNT = "an amount, not estimated"


@dataclass(frozen=True)
class PovertyLine:
    """A share of a quantile of the income distribution; poor is below it, or not above it.

    ``strict`` is Eurostat's rule for HX080 (poor if income < line); convey takes income <= line.
    With ``Basis.MEAN`` the line is a share of the mean, with ``Basis.AMOUNT`` it is ``amount``.
    """

    share: float = 0.6
    quantile: float = 0.5
    strict: bool = True
    basis: Basis = Basis.QUANTILE
    amount: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.quantile < 1.0:
            raise ValueError(f"quantile {self.quantile} is not between 0 and 1")
        if (self.amount is not None) is not (self.basis is Basis.AMOUNT):
            raise ValueError("an amount goes with Basis.AMOUNT, and only with that")

    def is_poor(self, income: Floats, line: float) -> Booleans:
        """Return which incomes (m,) are poor under the line."""
        poor: Booleans = income < line if self.strict else income <= line
        return poor

    def of(self, rows: CellRows, income: Floats) -> Linearised:
        """Return the line of each cell from its own incomes (m,), with its influence values.

        The quantile is the smallest income with at least that share of the weight at or below it;
        its influence is -(share / f(q)) (1(y <= q) - quantile) / N (Osier 2009; Deville 1999).
        """
        if self.basis is Basis.AMOUNT:
            return Linearised(
                np.where(rows.sum() > 0, float(self.amount or 0.0), np.nan), np.zeros(len(income))
            )
        people = rows.sum()
        if self.basis is Basis.MEAN:
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = rows.sum(income) / people
                scale = np.where(people > 0, self.share / people, 0.0)
            distance = income - rows.at(np.nan_to_num(mean))
            return Linearised(self.share * mean, distance * rows.at(scale))
        quantile = Ordered.of(rows, income).quantile(np.full(rows.count, self.quantile))
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.nan_to_num(
                -self.share / (density(rows, income, quantile) * people), posinf=0.0, neginf=0.0
            )
        below = (income <= rows.at(np.nan_to_num(quantile))).astype(np.float64)
        return Linearised(self.share * quantile, rows.at(slope) * (below - self.quantile))


@dataclass(frozen=True, eq=False)
class NationalLine:
    """The nation's line: its value, influence by row (n,) and PSU (P,), and its strata (H,).

    ``strata`` is None for an amount, which no stratum moves. ``fitted`` (P,) are the PSU sums of
    what the totals of a calibrated design explain of its influence, else None.
    """

    value: float
    influence: Floats
    psu_influence: Floats
    strata: Booleans | None
    fitted: Floats | None = None

    def moves(self, rows: CellRows, own: Floats, slope: Floats) -> tuple[Floats, Floats | None]:
        """Return what the line does to cells that it moves by ``slope`` (count,).

        ``own`` (m,) is the influence of the rows on the line. The result is the influence of each
        row on its own cell (m,), and the PSU sums (P, count) of the rows outside of a cell, which
        move its line too: all PSU sums, less what is counted. An amount moves nothing (None).
        """
        if self.strata is None:
            return np.zeros(len(own)), None
        through = own * rows.at(slope)
        return through, self.psu_influence[:, None] * slope - rows.psu_sums(through)


def national_line(
    design: Design, income: Floats, known: Booleans, population: Booleans | None, line: PovertyLine
) -> NationalLine:
    """Return the line of all rows with an income (n,), or of those in ``population`` (n,).

    Raises DataError where no row has an income to take the line from, or the line is not above 0.
    """
    used = known & (design.weights > 0)
    if population is not None:
        used = used & population
    if not used.any():
        raise DataError(
            "poverty threshold", got="no row with an income", expected="incomes of the population"
        )
    one_cell = np.zeros(int(used.sum()), dtype=np.intp)
    estimated = line.basis is not Basis.AMOUNT
    adjusted = None
    if estimated and design.calibration is not None:
        adjusted = design.calibration.of_rows(np.flatnonzero(used))
    rows = CellRows(one_cell, 1, design.weights[used], design.psu[used], design.n_psu)
    linear = line.of(rows, income[used])
    influence = np.zeros(design.n_rows)
    influence[used] = linear.influence
    present = np.bincount(design.stratum_of_psu[design.psu[used]], minlength=design.n_strata) > 0
    return NationalLine(
        float(linear.value[0]),
        influence,
        rows.psu_sums(linear.influence)[:, 0],
        present if estimated else None,
        None if adjusted is None else adjusted.fitted(rows, linear.influence)[:, 0],
    )
