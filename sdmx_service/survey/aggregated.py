"""Measures of inequality from published aggregates, with what is assumed of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.errors import DataError
from sdmx_service.survey.disparity import Disparity, slopes
from sdmx_service.survey.interval import critical
from sdmx_service.survey.ranked import ridits
from sdmx_service.survey.subgroups import Convention, Fit, Groups, Reading, Slopes

__all__ = ["Aggregates", "Assumption", "Errors", "Summary", "of_aggregates", "regression_error"]

Floats = NDArray[np.float64]


class Assumption(Enum):
    """What is taken for the covariance of the groups' estimates."""

    SUPPLIED = "the covariance is supplied"
    CORRELATION = "one correlation between any two groups is assumed"
    INDEPENDENT = "independent groups are assumed"
    SIMPLE_RANDOM = "the populations are taken for simple random samples of persons"
    NONE = "no standard errors are supplied"


class Errors(Enum):
    """How the uncertainty of a measure follows from that of the groups.

    DELTA linearises. BOOTSTRAP draws the groups from a normal distribution, cut at the bounds of
    the outcome, takes the measure of each draw and the bias-corrected percentiles (Efron 1987).
    SIMPLE_RANDOM linearises with binomial errors and multinomial shares, the populations being the
    persons counted (for PAF this is Walter's formula of 1978).
    """

    DELTA = "delta"
    BOOTSTRAP = "bootstrap"
    SIMPLE_RANDOM = "simple random"


@dataclass(frozen=True, eq=False)
class Aggregates:
    """J groups as another source publishes them, the least advantaged first if there is an order.

    ``estimate`` (J,), ``population`` (J,) persons or None, ``se`` (J,) or None; ``covariance``
    (J, J) of the estimates or, in its place, one ``correlation``; ``share_covariance`` (J, J) of
    the population shares, by default known without error. ``average`` is the setting's own.
    """

    estimate: Floats
    population: Floats | None = None
    se: Floats | None = None
    covariance: Floats | None = None
    correlation: float | None = None
    share_covariance: Floats | None = None
    average: float | None = None

    @classmethod
    def from_columns(
        cls,
        estimate: ArrayLike,
        *,
        population: ArrayLike | None = None,
        se: ArrayLike | None = None,
        covariance: ArrayLike | None = None,
        correlation: float | None = None,
        share_covariance: ArrayLike | None = None,
        average: float | None = None,
    ) -> Aggregates:
        """Return aggregates from columns.

        Raises DataError where an estimate is missing, a population is not positive, a standard
        error is negative or a matrix is no covariance of J groups.
        """
        y = np.asarray(estimate, dtype=np.float64)
        people = None if population is None else np.asarray(population, dtype=np.float64)
        error = None if se is None else np.asarray(se, dtype=np.float64)
        _check_column("estimate", y, len(y), np.isfinite(y), "a number for every group")
        if len(y) < 2:
            raise DataError("aggregates", got=f"{len(y)} groups", expected="two groups or more")
        if people is not None:
            fine = np.isfinite(people) & (people > 0)
            _check_column("population", people, len(y), fine, "a number above 0 for every group")
        if error is not None:
            fine = np.isnan(error) | (np.isfinite(error) & (error >= 0))
            _check_column("standard error", error, len(y), fine, "0 or more, or missing")
        if correlation is not None and not -1.0 / (len(y) - 1) <= correlation <= 1.0:
            raise DataError(
                "aggregates: correlation",
                got=correlation,
                expected=f"between {-1.0 / (len(y) - 1):.3f} and 1 for {len(y)} groups",
            )
        joint = _matrix("covariance", covariance, len(y))
        shares = _matrix("share_covariance", share_covariance, len(y))
        return cls(y, people, error, joint, correlation, shares, average)

    @property
    def assumption(self) -> Assumption:
        """What is taken for the covariance."""
        if self.covariance is not None:
            return Assumption.SUPPLIED
        if self.se is None:
            return Assumption.NONE
        return Assumption.INDEPENDENT if not self.correlation else Assumption.CORRELATION

    @cached_property
    def joint(self) -> Floats:
        """The covariance of the estimates, NaN where unknown, (J, J)."""
        if self.covariance is not None:
            return self.covariance
        if self.se is None:
            return np.full((len(self.estimate), len(self.estimate)), np.nan)
        pattern = np.full((len(self.se), len(self.se)), self.correlation or 0.0)
        np.fill_diagonal(pattern, 1.0)
        joint: Floats = np.outer(self.se, self.se) * pattern
        return joint

    def groups(self, reading: Reading) -> Groups:
        """Return the groups as ``reading`` has them."""
        if self.population is None:
            unknown = np.full(len(self.estimate), np.nan)
            return Groups(self.estimate, unknown, reading, self.average)
        share = self.population / self.population.sum()
        return Groups(self.estimate, share, reading, self.average)


@dataclass(frozen=True, eq=False)
class Summary:
    """M measures of one population; every array is (M,).

    ``se_log`` is the standard error of the logarithm of R and RII (NaN otherwise), on whose scale
    their interval is made. ``noise`` is what sampling errors alone add to the expected value of a
    measure that is never negative: exact for BGV, from the draws of a bootstrap, else NaN.
    """

    measures: tuple[Disparity, ...]
    value: Floats
    se: Floats
    se_log: Floats
    lower: Floats
    upper: Floats
    noise: Floats
    level: float
    errors: Errors
    assumption: Assumption


def of_aggregates(
    aggregates: Aggregates,
    measures: Sequence[Disparity],
    reading: Reading,
    *,
    errors: Errors = Errors.DELTA,
    df: float = np.inf,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> Summary:
    """Return measures of inequality among aggregates; a percentage has ``reading.upper`` 100.

    The delta method holds the groups that are best, worst or at the ends for known; the bootstrap
    finds them anew in every draw. BGV has its exact normal variance, which does not vanish where
    the groups are equal: 4 v'Sv + 2 tr(ASAS), A = diag(p) - pp', v = A y.

    Raises DataError for a measure that needs populations, an order or a reference there is not.
    """
    groups = aggregates.groups(reading)
    found = [_measure(aggregates, groups, measure) for measure in measures]
    value = np.array([result.value for result in found])
    noise = np.full(len(found), np.nan)
    assumption = aggregates.assumption
    if errors is Errors.BOOTSTRAP:
        se, lower, upper, noise = _bootstrap(
            aggregates, measures, value, reading, draws, seed, level
        )
    else:
        joint, shares = aggregates.joint, aggregates.share_covariance
        if errors is Errors.SIMPLE_RANDOM:
            assumption = Assumption.SIMPLE_RANDOM
            joint, shares = _simple_random(aggregates, reading)
        variance = [
            _variance(result, groups, measure, joint, shares)
            for measure, result in zip(measures, found, strict=True)
        ]
        se = np.sqrt(np.array(variance))
        for at, measure in enumerate(measures):
            if measure is Disparity.BETWEEN_GROUP_VARIANCE:
                noise[at] = np.trace(_centring(groups.share) @ joint)
    logarithmic = np.array([measure.relative_to_one for measure in measures], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        se_log = np.where(logarithmic, se / value, np.nan)
    if errors is not Errors.BOOTSTRAP:
        margin = critical(df, level)
        with np.errstate(over="ignore"):
            factor = np.exp(margin * se_log)
        lower = np.where(logarithmic, value / factor, value - margin * se)
        upper = np.where(logarithmic, value * factor, value + margin * se)
    return Summary(
        tuple(measures), value, se, se_log, lower, upper, noise, level, errors, assumption
    )


def regression_error(aggregates: Aggregates, measure: Disparity, reading: Reading) -> float:
    """Return the standard error that the convenient regression gives ACI, RCI, EI or WI.

    Kakwani, Wagstaff and van Doorslaer (1997): the residual scatter of J groups about a straight
    line, J - 2 degrees of freedom. It measures curvature, not sampling: more interviews do not make
    it smaller. It is here because other software prints it; ``of_aggregates`` does not use it.
    """
    groups = aggregates.groups(reading)
    result = _measure(aggregates, groups, measure)
    p, y = groups.share, groups.estimate
    x = ridits(p) - 0.5
    spread = float(p @ x**2)
    slope = float(p @ (x * y)) / spread
    residual = y - groups.mean - slope * x
    error = np.sqrt(float(p @ residual**2) / (len(y) - 2) / spread) * 2.0 * spread
    # every index is ACI over something that the regression holds for constant
    return float(error * result.value / (2.0 * spread * slope))


def _measure(aggregates: Aggregates, groups: Groups, measure: Disparity) -> Slopes:
    unweighted = measure in (
        Disparity.DIFFERENCE,
        Disparity.RATIO,
        Disparity.FROM_BEST_UNWEIGHTED,
        Disparity.FROM_REFERENCE_UNWEIGHTED,
    )
    about_average = measure in (
        Disparity.FROM_MEAN_UNWEIGHTED,
        Disparity.DISPARITY_INDEX_UNWEIGHTED,
        Disparity.ATTRIBUTABLE_RISK,
        Disparity.ATTRIBUTABLE_FRACTION,
    )
    possible = unweighted or (about_average and aggregates.average is not None)
    if aggregates.population is None and not possible:
        raise DataError(
            f"disparity measure {measure.value}",
            got="no populations",
            expected="the population of every group",
            hint="for MDMU, IDISU, PAR and PAF the setting's average is enough",
        )
    reading = groups.reading
    fitted = measure in (Disparity.SLOPE_INDEX, Disparity.RELATIVE_INDEX)
    if fitted and reading.convention is Convention.HEALTHEQUAL:
        groups = _whole_persons(aggregates, groups)
    return slopes(groups, measure)


def _whole_persons(aggregates: Aggregates, groups: Groups) -> Groups:
    """Return the groups as healthequal counts them before it fits."""
    assert aggregates.population is not None  # by _measure
    people, reading = np.ceil(aggregates.population), groups.reading
    estimate = groups.estimate
    if reading.fit is Fit.LOGIT:
        span = reading.upper - reading.lower
        events = np.round((estimate - reading.lower) / span * people)
        estimate = reading.lower + span * events / people
    return Groups(estimate, people / people.sum(), reading, groups.average)


def _centring(share: Floats) -> Floats:
    matrix: Floats = np.diag(share) - np.outer(share, share)
    return matrix


def _variance(
    result: Slopes, groups: Groups, measure: Disparity, joint: Floats, shares: Floats | None
) -> float:
    used = result.by_estimate != 0
    gradient = result.by_estimate[used]
    variance = float(gradient @ joint[np.ix_(used, used)] @ gradient)
    if measure is Disparity.BETWEEN_GROUP_VARIANCE:
        product = _centring(groups.share) @ joint
        variance += 2.0 * float(np.trace(product @ product))
    if shares is not None:
        along = result.by_size(groups.share, 1.0)
        variance += float(along @ shares @ along)
    return variance


def _simple_random(aggregates: Aggregates, reading: Reading) -> tuple[Floats, Floats]:
    if aggregates.population is None:
        raise DataError("aggregates", got="no populations", expected="the persons of every group")
    y, people = aggregates.estimate, aggregates.population
    share = people / people.sum()
    if ((y < reading.lower) | (y > reading.upper)).any():
        raise DataError(
            "aggregates: estimate",
            got=float(y.max()),
            expected=f"between {reading.lower:g} and {reading.upper:g}",
            hint="a percentage has Reading.upper 100",
        )
    binomial = (y - reading.lower) * (reading.upper - y) / people
    return np.diag(binomial), _centring(share) / people.sum()


def _bootstrap(
    aggregates: Aggregates,
    measures: Sequence[Disparity],
    value: Floats,
    reading: Reading,
    draws: int,
    seed: int,
    level: float,
) -> tuple[Floats, Floats, Floats, Floats]:
    if not np.isfinite(aggregates.joint).all():
        raise DataError(
            "aggregates: standard error",
            got="missing",
            expected="the standard error of every group, or their covariance",
        )
    random = np.random.default_rng(seed)
    # the square root of a covariance that may be singular
    roots, vectors = np.linalg.eigh(aggregates.joint)
    root = vectors * np.sqrt(np.maximum(roots, 0.0))
    noise = random.standard_normal((draws, len(aggregates.estimate))) @ root.T
    drawn = np.clip(aggregates.estimate + noise, reading.lower, reading.upper)
    groups = aggregates.groups(reading)
    simulated = np.array(
        [
            [
                slopes(Groups(y, groups.share, reading, groups.average), measure).value
                for measure in measures
            ]
            for y in drawn
        ]
    )
    # as many draws below the estimate as above it would need no correction
    below = (simulated < value).mean(axis=0) + 0.5 * (simulated == value).mean(axis=0)
    shift = special.ndtri(np.clip(below, 1.0 / (draws + 1), draws / (draws + 1.0)))
    margin = special.ndtri((1.0 + level) / 2.0)
    tails = special.ndtr(2.0 * shift + margin * np.array([[-1.0], [1.0]]))
    bounds = np.array(
        [
            [np.nanquantile(column, tail) for column, tail in zip(simulated.T, row, strict=True)]
            for row in tails
        ]
    )
    return (
        np.nanstd(simulated, axis=0, ddof=1),
        bounds[0],
        bounds[1],
        np.nanmean(simulated, axis=0) - value,
    )


def _check_column(
    name: str, column: Floats, groups: int, fine: NDArray[np.bool_], expected: str
) -> None:
    if len(column) != groups:
        raise DataError(
            f"aggregates: {name}", got=f"{len(column)} values", expected=f"{groups} values"
        )
    if not fine.all():
        first = int(np.flatnonzero(~fine)[0])
        raise DataError(
            f"aggregates: {name}, group {first + 1}", got=float(column[first]), expected=expected
        )


def _matrix(name: str, given: ArrayLike | None, groups: int) -> Floats | None:
    if given is None:
        return None
    matrix = np.asarray(given, dtype=np.float64)
    if matrix.shape != (groups, groups) or not np.allclose(matrix, matrix.T, rtol=1e-8, atol=0):
        raise DataError(
            f"aggregates: {name}",
            got=f"a matrix of shape {matrix.shape}",
            expected=f"a symmetric one of {groups} groups",
        )
    if np.isfinite(matrix).all():
        roots = np.linalg.eigvalsh(matrix)
        if roots.min() < -1e-10 * max(abs(roots.max()), 1e-300):
            raise DataError(
                f"aggregates: {name}",
                got=f"a negative variance ({roots.min():.3g})",
                expected="a covariance: no combination of groups varies less than nothing",
            )
    return matrix
