"""What can be said of each statistic: its interval, whom it counts, how it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sdmx_service.definitions.indicator import Indicator, Poverty, Statistic
from sdmx_service.model import Measure

__all__ = ["Bounds", "Nature", "nature_of"]


class Bounds(Enum):
    """How the interval of a statistic is made."""

    SHARE = "logit of a share, exact at 0 and 1"
    T = "value -/+ t x SE"
    LOG_T = "t interval of the logarithm, taken back"
    OWN = "the estimator's own"


@dataclass(frozen=True)
class Nature:
    """What can be said of a statistic.

    ``counts``: its events are people whom it counts, so that nobody or everybody may be.
    ``rests_on_counted``: only the counted carry the value, as the poor do for their median gap.
    ``measures``: the comparisons of groups that make sense.
    """

    bounds: Bounds
    counts: bool = False
    rests_on_counted: bool = False
    measures: tuple[Measure, ...] = (Measure.DIFFERENCE, Measure.RATIO)

    @property
    def is_share(self) -> bool:
        """Whether it is a share of people, 0 to 1, one event a person."""
        return self.bounds is Bounds.SHARE


_SHARE = Nature(
    Bounds.SHARE,
    counts=True,
    measures=(Measure.DIFFERENCE, Measure.RATIO, Measure.ODDS_RATIO),
)
_MEAN = Nature(Bounds.T)
_OF_THE_POOR = Nature(Bounds.T, rests_on_counted=True)
# Dispersion within a group is shown beside the gaps between groups, never among them.
_DISPERSION = Nature(Bounds.T, measures=())
_DISPERSION_RATIO = Nature(Bounds.LOG_T, measures=())

_NATURES = {
    Statistic.PROPORTION: _SHARE,
    Statistic.POVERTY_RATE: _SHARE,
    Statistic.MEAN: _MEAN,
    Statistic.SCALE_MEAN: _MEAN,
    Statistic.RATIO: _MEAN,
    Statistic.QUANTILE: Nature(Bounds.OWN),
    Statistic.MEDIAN_POVERTY_GAP: _OF_THE_POOR,
    Statistic.POVERTY_GAP: Nature(Bounds.T, counts=True),
    Statistic.GINI: _DISPERSION,
    Statistic.ENTROPY: _DISPERSION,
    Statistic.ATKINSON: _DISPERSION,
    Statistic.SHARE_RATIO: _DISPERSION_RATIO,
    Statistic.QUANTILE_RATIO: _DISPERSION_RATIO,
}
_POVERTY = {
    Poverty.HEADCOUNT: _SHARE,
    Poverty.INTENSITY: _OF_THE_POOR,
    Poverty.ADJUSTED: Nature(Bounds.T, counts=True),
}


def nature_of(indicator: Indicator) -> Nature:
    """Return what can be said of the statistic of an indicator."""
    if indicator.measure is not None:
        return _POVERTY[indicator.measure]
    return _NATURES[indicator.statistic]
