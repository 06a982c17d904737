"""Which function estimates which statistic of an indicator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdmx_service.definitions.indicator import Indicator, Poverty, Statistic
from sdmx_service.survey import (
    estimate,
    inequality,
    lorenz,
    multidimensional,
    poverty,
    quantile,
)
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.interval import Intervals

__all__ = ["DEPRIVED", "ESTIMATORS", "Question", "Tabulated"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

# The outcomes of deprivations stand under this and their name.
DEPRIVED = "deprived:"


@dataclass(frozen=True, eq=False)
class Question:
    """An indicator asked of a sample: the outcomes of its people by name, each (n,), NaN missing.

    ``universe`` (n,) are whom it is about, None for everyone.
    """

    design: Design
    cells: Cells
    indicator: Indicator
    outcomes: Mapping[str, Floats]
    universe: Booleans | None

    def number(self, name: str) -> float:
        """Return a declared parameter of the statistic."""
        return self.indicator.parameters[name]


@dataclass(frozen=True, eq=False)
class Tabulated:
    """The estimates of K cells, and their intervals where the estimator makes its own."""

    estimates: Estimates
    intervals: Intervals | None = None

    def take(self, which: Booleans) -> Tabulated:
        """Return what is known of these cells, by mask (K,)."""
        bounds = self.intervals
        if bounds is not None:
            bounds = Intervals(
                bounds.lower[which], bounds.upper[which], bounds.method[which], bounds.level
            )
        return Tabulated(self.estimates.take(which), bounds)


Estimator = Callable[[Question], Tabulated]


def _line(asked: Question) -> poverty.PovertyLine:
    return poverty.PovertyLine(share=asked.number("share_of_median"), strict=asked.indicator.strict)


def _proportion(asked: Question) -> Tabulated:
    numerator = asked.outcomes["numerator"]
    return Tabulated(
        estimate.proportion(asked.design, asked.cells, numerator, universe=asked.universe)
    )


def _mean(asked: Question) -> Tabulated:
    variable = asked.outcomes["variable"]
    return Tabulated(estimate.mean(asked.design, asked.cells, variable, universe=asked.universe))


def _ratio(asked: Question) -> Tabulated:
    above, below = asked.outcomes["numerator"], asked.outcomes["denominator"]
    return Tabulated(
        estimate.ratio(asked.design, asked.cells, above, below, universe=asked.universe)
    )


def _quantile(asked: Question) -> Tabulated:
    p = asked.number("p")
    found = quantile.quantiles(
        asked.design,
        asked.cells,
        asked.outcomes["variable"],
        (p,),
        rule=quantile.Rule(asked.indicator.rule),
        universe=asked.universe,
    )
    return Tabulated(*found.at(p))


def _quantile_ratio(asked: Question) -> Tabulated:
    return Tabulated(
        quantile.ratio(
            asked.design,
            asked.cells,
            asked.outcomes["variable"],
            upper=asked.number("upper"),
            lower=asked.number("lower"),
            rule=quantile.Rule(asked.indicator.rule),
            universe=asked.universe,
        )
    )


def _poverty_rate(asked: Question) -> Tabulated:
    income = asked.outcomes["variable"]
    return Tabulated(
        poverty.rate(asked.design, asked.cells, income, line=_line(asked), universe=asked.universe)
    )


def _median_poverty_gap(asked: Question) -> Tabulated:
    income = asked.outcomes["variable"]
    return Tabulated(
        poverty.median_gap(
            asked.design, asked.cells, income, line=_line(asked), universe=asked.universe
        )
    )


def _poverty_gap(asked: Question) -> Tabulated:
    return Tabulated(
        poverty.fgt(
            asked.design,
            asked.cells,
            asked.outcomes["variable"],
            power=asked.number("power"),
            line=_line(asked),
            universe=asked.universe,
        )
    )


def _share_ratio(asked: Question) -> Tabulated:
    return Tabulated(
        lorenz.share_ratio(
            asked.design,
            asked.cells,
            asked.outcomes["variable"],
            bottom=asked.number("bottom"),
            top=asked.number("top"),
            universe=asked.universe,
        )
    )


def _gini(asked: Question) -> Tabulated:
    income = asked.outcomes["variable"]
    return Tabulated(lorenz.gini(asked.design, asked.cells, income, universe=asked.universe))


def _entropy(asked: Question) -> Tabulated:
    return Tabulated(
        inequality.generalised_entropy(
            asked.design,
            asked.cells,
            asked.outcomes["variable"],
            alpha=asked.number("alpha"),
            universe=asked.universe,
        )
    )


def _atkinson(asked: Question) -> Tabulated:
    return Tabulated(
        inequality.atkinson(
            asked.design,
            asked.cells,
            asked.outcomes["variable"],
            epsilon=asked.number("epsilon"),
            universe=asked.universe,
        )
    )


def _multidimensional(asked: Question) -> Tabulated:
    declared = asked.indicator.deprivations
    people = multidimensional.profile(
        asked.design,
        {one.id: asked.outcomes[DEPRIVED + one.id] for one in declared},
        {one.id: float(one.weight) for one in declared},
    )
    found = multidimensional.measures(
        asked.design, asked.cells, people, cutoff=asked.number("cutoff"), universe=asked.universe
    )
    by_measure = {
        Poverty.HEADCOUNT: found.headcount,
        Poverty.INTENSITY: found.intensity,
        Poverty.ADJUSTED: found.adjusted,
    }
    assert asked.indicator.measure is not None  # form_of has seen to it
    return Tabulated(by_measure[asked.indicator.measure])


# The mean of a scale's index is a mean: its variable is the index.
ESTIMATORS: Mapping[Statistic, Estimator] = {
    Statistic.PROPORTION: _proportion,
    Statistic.MEAN: _mean,
    Statistic.RATIO: _ratio,
    Statistic.QUANTILE: _quantile,
    Statistic.QUANTILE_RATIO: _quantile_ratio,
    Statistic.POVERTY_RATE: _poverty_rate,
    Statistic.MEDIAN_POVERTY_GAP: _median_poverty_gap,
    Statistic.POVERTY_GAP: _poverty_gap,
    Statistic.SHARE_RATIO: _share_ratio,
    Statistic.GINI: _gini,
    Statistic.ENTROPY: _entropy,
    Statistic.ATKINSON: _atkinson,
    Statistic.MULTIDIMENSIONAL: _multidimensional,
    Statistic.SCALE_MEAN: _mean,
}
