"""The statistical values that every room shares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import isfinite

__all__ = ["CiMethod", "Interval", "Measure", "Samples"]


class Measure(Enum):
    """How two groups are compared; the values are the codes of ``GAP_MEASURE``."""

    DIFFERENCE = "DIFF"
    RATIO = "RATIO"
    ODDS_RATIO = "OR"


class CiMethod(Enum):
    """How an interval was made; the values are the codes of ``CI_METHOD``.

    T: value -/+ t x SE. LOGIT: t interval of log(p/(1-p)), taken back. KORN_GRAUBARD:
    Clopper-Pearson with the effective sample size. WILSON: score test with the effective sample
    size. ASIN: t interval of arcsin(sqrt(p)), taken back. LIKELIHOOD: likelihood ratio over the
    design effect. LOG_T: t interval of the logarithm, taken back. WOODRUFF: of a quantile, through
    the share below it. MAX_T: value -/+ the quantile of the largest |t| of a family x SE. NONE: no
    interval.
    """

    T = "T"
    LOGIT = "LOGIT"
    KORN_GRAUBARD = "KORN_GRAUBARD"
    WILSON = "WILSON"
    ASIN = "ASIN"
    LIKELIHOOD = "LIKELIHOOD"
    LOG_T = "LOG_T"
    WOODRUFF = "WOODRUFF"
    MAX_T = "MAX_T"
    NONE = "NONE"


class Samples(Enum):
    """Whether two estimates rest on the same sample, whose covariance counts, or on two."""

    SAME = "same"
    INDEPENDENT = "independent"


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval; the bounds are on the value's scale."""

    lower: float
    upper: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not (isfinite(self.lower) and isfinite(self.upper)):
            raise ValueError(f"interval [{self.lower}, {self.upper}] is not finite")
        if not self.lower <= self.upper:
            raise ValueError(f"interval [{self.lower}, {self.upper}] is inverted")
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level {self.level} is not between 0 and 1")

    @property
    def width(self) -> float:
        """The distance between the bounds."""
        return self.upper - self.lower

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper
