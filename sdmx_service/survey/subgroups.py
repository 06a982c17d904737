"""The groups of one population as a measure of inequality reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Convention", "Fit", "Groups", "Rank", "Reading", "Slopes"]

Floats = NDArray[np.float64]


class Fit(Enum):
    """The curve through the groups whose ends SII and RII compare."""

    LOGIT = "logit"
    LINEAR = "linear"


class Rank(Enum):
    """Whether the cumulative shares that rank the groups vary with the sample, or are given.

    KNOWN is what software does that regresses on a computed rank: RCI's and Wagstaff's mean is
    then held for known too.
    """

    ESTIMATED = "estimated"
    KNOWN = "known"


class Convention(Enum):
    """Whose reading of the measures is followed where readings differ.

    HEAT is the published definition. HEALTHEQUAL is what WHO's R package ``healthequal`` 1.0.0
    computes instead: best minus worst (not largest minus smallest) for D and R of groups without
    an order, 1e-6 in place of 0 in TI and MLD, and, from aggregates, whole persons and the
    population twice over in the fit of a logit SII and RII.
    """

    HEAT = "HEAT"
    HEALTHEQUAL = "healthequal"


@dataclass(frozen=True)
class Reading:
    """What must be known of an indicator and a breakdown to read the inequality between groups.

    ``favourable``: more is better. ``ordered``: the groups come from the least to the most
    advantaged. ``reference``: the group that MDR compares with, and D and R where there is no
    order, as its position among the groups or, in microdata, its label;
    ``attribute_to_reference`` lets PAR and PAF take it too, in place of the most advantaged or
    best group. ``lower`` and ``upper`` bound the outcome (0 and 1 for a share, 0 and 100 for a
    percentage): logit fits, Erreygers' and Wagstaff's indices need them.
    """

    favourable: bool = True
    ordered: bool = False
    reference: object = None
    attribute_to_reference: bool = False
    lower: float = 0.0
    upper: float = 1.0
    fit: Fit = Fit.LOGIT
    rank: Rank = Rank.ESTIMATED
    convention: Convention = Convention.HEAT

    def at(self, reference: int | None) -> Reading:
        """Return this reading with the reference as a position."""
        return replace(self, reference=reference)


@dataclass(frozen=True, eq=False)
class Groups:
    """J groups: ``estimate`` (J,), ``share`` (J,) of the population, adding to 1, their reading.

    Where the breakdown is ordered the first group is the least advantaged. ``average``, if stated,
    is what the unweighted measures take the distance from, and stands in for the average over the
    groups where their shares are unknown (NaN).
    """

    estimate: Floats
    share: Floats
    reading: Reading
    average: float | None = None

    @property
    def mean(self) -> float:
        """The average over the groups."""
        if np.isnan(self.share).any() and self.average is not None:
            return self.average
        return float(self.share @ self.estimate)

    @property
    def reference(self) -> int | None:
        """The position of the reference group, None if there is none."""
        at = self.reading.reference
        if at is None:
            return None
        if not isinstance(at, int | np.integer) or not 0 <= at < len(self.estimate):
            raise ValueError(f"reference {at!r} is no position among {len(self.estimate)} groups")
        return int(at)

    @property
    def best(self) -> int:
        """The position of the best estimate."""
        chosen = np.argmax if self.reading.favourable else np.argmin
        return int(chosen(self.estimate))

    @property
    def sides(self) -> tuple[int, int]:
        """The positions of the two groups that D and R compare, first minus second."""
        reading, last = self.reading, len(self.estimate) - 1
        if reading.ordered:
            return (last, 0) if reading.favourable else (0, last)
        low, high = int(np.argmin(self.estimate)), int(np.argmax(self.estimate))
        if self.reference is not None:
            return (self.reference, low) if reading.favourable else (high, self.reference)
        if reading.convention is Convention.HEALTHEQUAL and not reading.favourable:
            return low, high
        return high, low

    @property
    def target(self) -> int:
        """The position of the group whose estimate all would have if PAR were gained."""
        if self.reading.attribute_to_reference and self.reference is not None:
            return self.reference
        return len(self.estimate) - 1 if self.reading.ordered else self.best

    def rescaled(self, share: Floats) -> Groups:
        """Return the groups with other shares."""
        return replace(self, share=share / share.sum())


@dataclass(frozen=True, eq=False)
class Slopes:
    """The value of a measure and its derivatives by the groups' estimates and shares, (J,) each.

    NaN derivatives: there is a value, and the delta method has nothing to say about its variance.
    The derivatives by the shares are those of any extension off the simplex: only their part along
    it is used, ``by_size`` for group sizes N: (d - share'd) / sum(N).
    """

    value: float
    by_estimate: Floats
    by_share: Floats

    def scaled(self, factor: float) -> Slopes:
        """Return the measure times a constant."""
        return Slopes(factor * self.value, factor * self.by_estimate, factor * self.by_share)

    def over(self, other: Slopes) -> Slopes:
        """Return the measure over another."""
        if other.value == 0:
            return self.undefined()
        value = self.value / other.value
        return Slopes(
            value,
            (self.by_estimate - value * other.by_estimate) / other.value,
            (self.by_share - value * other.by_share) / other.value,
        )

    def power(self, exponent: float) -> Slopes:
        """Return the measure to a power; at 0 there is no derivative."""
        if self.value <= 0:
            nothing = np.full(len(self.by_estimate), np.nan)
            return Slopes(0.0, nothing, nothing)
        slope = exponent * self.value ** (exponent - 1.0)
        return Slopes(self.value**exponent, slope * self.by_estimate, slope * self.by_share)

    def undefined(self) -> Slopes:
        """Return a measure that has no value for these groups."""
        nothing = np.full(len(self.by_estimate), np.nan)
        return Slopes(np.nan, nothing, nothing)

    def by_size(self, share: Floats, total: float) -> Floats:
        """Return the derivatives by the sizes of the groups, ``total`` their sum, (J,)."""
        along: Floats = (self.by_share - share @ self.by_share) / total
        return along
