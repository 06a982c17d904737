"""Cronbach's alpha and its kin: functions of the items' covariance, with design-based errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sdmx_service.errors import DataError
from sdmx_service.model import Interval
from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, estimate
from sdmx_service.survey.factor import squared_multiple_correlations
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised
from sdmx_service.survey.interval import Intervals
from sdmx_service.survey.outcome import seen

__all__ = [
    "AlphaPolicy",
    "Coefficients",
    "Decision",
    "Publication",
    "alpha",
    "alpha_if_dropped",
    "coefficients",
    "correlation",
    "first_eigenvalue_share",
    "intervals",
    "item_covariance",
    "item_rest",
    "of_covariance",
    "raw_alpha",
    "simple_interval",
    "standardised_alpha",
    "statistics_of_scale",
]

# Covariances (..., p, p), perhaps with an imaginary step, to a coefficient (...).
Coefficient = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]

_STEP = 1e-20
_ROUNDING = 1e-24


class Publication(Enum):
    """What happens to a scale: its items are published in any case."""

    PRESENT = "present"
    FLAG = "flag"
    WITHHOLD_INDEX = "withhold the index, publish the items"


@dataclass(frozen=True)
class Decision:
    """What is done with an index, and the rule that fired (None where it is presented)."""

    publication: Publication
    reason: str | None = None


@dataclass(frozen=True)
class AlphaPolicy:
    """From which alpha on an index is published: below the first not, below the second flagged."""

    withhold_below: float = 0.60
    flag_below: float = 0.70

    def decide(self, value: float) -> Decision:
        """Return what is done with an index whose alpha is ``value``; an unknown one is withheld.

        The national alpha decides for all cells: an index that came and went from area to area
        could not be compared.
        """
        if np.isnan(value):
            return Decision(Publication.WITHHOLD_INDEX, "alpha unknown")
        if value < self.withhold_below:
            return Decision(Publication.WITHHOLD_INDEX, f"alpha < {self.withhold_below:.2f}")
        if value < self.flag_below:
            return Decision(Publication.FLAG, f"alpha < {self.flag_below:.2f}")
        return Decision(Publication.PRESENT)


def raw_alpha(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return p / (p - 1) (1 - tr C / sum C) (Cronbach 1951)."""
    items = covariance.shape[-1]
    trace = np.trace(covariance, axis1=-2, axis2=-1)
    found: NDArray[np.complex128] = (
        items / (items - 1.0) * (1.0 - trace / covariance.sum(axis=(-2, -1)))
    )
    return found


def _correlated(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
    deviation = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    found: NDArray[np.complex128] = covariance / deviation[..., None] / deviation[..., None, :]
    return found


def standardised_alpha(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the alpha of the correlations."""
    return raw_alpha(_correlated(covariance))


def first_eigenvalue_share(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the first eigenvalue of the correlations over p."""
    matrix = _correlated(covariance)
    real = np.where(np.isfinite(matrix.real), matrix.real, 0.0)
    first = np.linalg.eigh(real)[1][..., -1]
    # the derivative of an eigenvalue is that of v'Rv with v held fixed
    found: NDArray[np.complex128] = (
        np.einsum("...i,...ij,...j->...", first, matrix, first) / matrix.shape[-1]
    )
    return found


def item_rest(item: int) -> Coefficient:
    """Return the coefficient: correlation of an item (position) with the sum of the others."""

    def coefficient(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
        others = np.arange(covariance.shape[-1]) != item
        shared = covariance[..., item, others].sum(axis=-1)
        rest = covariance[..., others, :][..., others].sum(axis=(-2, -1))
        found: NDArray[np.complex128] = shared / np.sqrt(covariance[..., item, item] * rest)
        return found

    return coefficient


def alpha_if_dropped(item: int, *, standardised: bool = False) -> Coefficient:
    """Return the coefficient: alpha of the other items."""
    of_rest = standardised_alpha if standardised else raw_alpha

    def coefficient(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
        others = np.arange(covariance.shape[-1]) != item
        return of_rest(covariance[..., others, :][..., others])

    return coefficient


def of_covariance(
    design: Design,
    cells: Cells,
    scores: ArrayLike,
    coefficient: Coefficient,
    *,
    universe: Booleans | None = None,
) -> Estimates:
    """Return any smooth function of the weighted covariance C of item ``scores`` (n, p) by cell.

    A row without all items is outside the domain. With G the gradient and d a row's deviations from
    the cell's means, the influence is (d'Gd - <G, C>) / W; the estimated means add nothing to first
    order. The gradient is exact (complex step, Squire and Trapp 1998).

    Raises DataError for an infinite score.
    """
    table = _table(scores, design.n_rows)
    known = np.asarray(np.isfinite(table).all(axis=1), dtype=np.bool_)
    items = table.shape[1]
    columns = [seen(design, table[:, item], known, universe) for item in range(items)]

    def statistic(rows: CellRows) -> Linearised:
        people = rows.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(people > 0, 1.0 / people, 0.0)
            away = [column - rows.at(rows.sum(column) * scale) for column in columns]
            moments = np.zeros((rows.count, items, items))
            for i in range(items):
                for j in range(i + 1):
                    moments[:, i, j] = moments[:, j, i] = rows.sum(away[i] * away[j]) * scale
            for i in range(items):
                # an item that is the same for all has a variance of rounding
                flat = moments[:, i, i] <= _ROUNDING * rows.sum(columns[i] ** 2) * scale
                moments[flat, i, :] = moments[flat, :, i] = 0.0
            moments[people == 0] = np.nan
            value = np.real(coefficient(moments.astype(np.complex128)))
            slope = _gradient(coefficient, moments)
        value = np.where(np.isfinite(value) & np.isfinite(slope).all(axis=(1, 2)), value, np.nan)
        slope[np.isnan(value)] = 0.0
        centre = (slope * np.nan_to_num(moments)).sum(axis=(1, 2))
        influence = -rows.at(centre)
        for i in range(items):
            for j in range(i + 1):
                both = slope[:, i, j] + (slope[:, j, i] if i != j else 0.0)
                influence += rows.at(both) * away[i] * away[j]
        return Linearised(value, influence * rows.at(scale))

    return estimate(design, cells, statistic, known=known, event=known, universe=universe)


def _gradient(coefficient: Coefficient, covariance: Floats) -> Floats:
    gradient = np.empty_like(covariance)
    for i in range(covariance.shape[-1]):
        for j in range(covariance.shape[-1]):
            stepped = covariance.astype(np.complex128)
            stepped[..., i, j] += _STEP * 1j
            gradient[..., i, j] = np.imag(coefficient(stepped)) / _STEP
    return gradient


def alpha(
    design: Design,
    cells: Cells,
    scores: ArrayLike,
    *,
    standardised: bool = False,
    universe: Booleans | None = None,
) -> Estimates:
    """Return Cronbach's alpha by cell from item ``scores`` (n, p), with design-based errors.

    NaN in a cell where an item, for the standardised alpha, or the sum of all does not vary.
    """
    which = standardised_alpha if standardised else raw_alpha
    return of_covariance(design, cells, scores, which, universe=universe)


def statistics_of_scale(
    design: Design,
    cells: Cells,
    scores: ArrayLike,
    items: Sequence[str],
    *,
    universe: Booleans | None = None,
) -> Estimates:
    """Return all coefficients with a design-based error, by cell, with one covariance.

    The keys have two columns more, those of DSD_INCL_SCALE: ``STATISTIC`` (ALPHA, EIGEN1_SHARE,
    ITEM_REST, ALPHA_IF_DEL) and ``ITEM`` (``_T`` for the first two). ``items`` names the columns of
    ``scores`` (n, p). With two items there is no ALPHA_IF_DEL.
    """
    wanted: list[tuple[str, str, Coefficient]] = [
        ("ALPHA", "_T", raw_alpha),
        ("EIGEN1_SHARE", "_T", first_eigenvalue_share),
        *(("ITEM_REST", item, item_rest(at)) for at, item in enumerate(items)),
    ]
    if len(items) > 2:
        wanted += [("ALPHA_IF_DEL", item, alpha_if_dropped(at)) for at, item in enumerate(items)]
    parts = []
    for name, item, coefficient in wanted:
        found = of_covariance(design, cells, scores, coefficient, universe=universe)
        parts.append(replace(found, keys=found.keys.assign(STATISTIC=name, ITEM=item)))
    return reduce(Estimates.stack, parts)


def intervals(found: Estimates, *, level: float = 0.95) -> Intervals:
    """Return the intervals of estimated alphas: t intervals of log(1 - alpha) (Bonett 2002)."""
    unlike = interval.log_t(1.0 - found.value, found.se, found.df, level=level)
    return Intervals(1.0 - unlike.upper, 1.0 - unlike.lower, unlike.method, level)


def simple_interval(value: float, n: float, items: int, *, level: float = 0.95) -> Interval:
    """Return Feldt's interval of one alpha of ``n`` persons drawn by simple random sampling.

    1 - (1 - alpha) F(n - 1, (n - 1)(p - 1)) (Feldt 1965). It knows no clusters: with a design, use
    ``intervals``; with an effective n it is a rough guide.
    """
    tail, df = (1.0 - level) / 2.0, n - 1.0
    quantiles = stats.f.ppf([1.0 - tail, tail], df, df * (items - 1.0))
    lower, upper = 1.0 - (1.0 - value) * quantiles
    return Interval(float(lower), float(upper), level)


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What psych's ``alpha`` says of p items and ``n`` complete rows; arrays are (p,).

    ``g6`` is Guttman's lambda 6; ``mean`` and ``sd`` are those of the persons' mean scores;
    ``se_simple`` is Duhachek and Iacobucci's (2004) standard error under simple random sampling,
    NaN with weights. ``item_total`` is the correlation with the standardised total,
    ``item_total_corrected`` the same with squared multiple correlations on the diagonal,
    ``item_rest`` the correlation with the sum of the others.
    """

    n: int
    raw: float
    standardised: float
    g6: float
    average_r: float
    mean: float
    sd: float
    se_simple: float
    item_mean: Floats
    item_sd: Floats
    item_total: Floats
    item_total_corrected: Floats
    item_rest: Floats
    raw_if_dropped: Floats
    standardised_if_dropped: Floats


def item_covariance(scores: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return the (p, p) covariance of the complete rows of ``scores`` (n, p).

    Without weights over n - 1, with them over their sum (R's ``cov.wt(method="ML")``).

    Raises DataError for fewer than two complete rows.
    """
    table, w = _complete(scores, weights)
    centred = table - w @ table / w.sum()
    below = w.sum() - 1.0 if weights is None else w.sum()
    found: Floats = (centred * w[:, None]).T @ centred / below
    return found


def correlation(covariance: ArrayLike) -> Floats:
    """Return the correlations of a covariance (p, p), NaN for an item that does not vary."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.real(_correlated(np.asarray(covariance, dtype=np.complex128)))
    if np.isfinite(found).all():
        np.fill_diagonal(found, 1.0)
    return np.asarray(found, dtype=np.float64)


def coefficients(scores: ArrayLike, weights: ArrayLike | None = None) -> Coefficients:
    """Return the coefficients of the complete rows of ``scores`` (n, p), in the whole sample.

    Raises DataError for fewer than two complete rows, an item without variance, or an item that is
    a sum of others.
    """
    table, w = _complete(scores, weights)
    covariance = item_covariance(table, None if weights is None else w)
    items, complex_one = len(covariance), covariance.astype(np.complex128)
    matrix = correlation(covariance)
    smc = squared_multiple_correlations(matrix)
    total = float(matrix.sum())
    overlap = matrix.copy()
    np.fill_diagonal(overlap, smc)
    person = table.mean(axis=1)
    # items that do not go together at all have no common part to be corrected for
    common = float(overlap.sum())
    corrected = overlap.sum(axis=0) / np.sqrt(common) if common > 0 else np.full(items, np.nan)

    def each(coefficient: Callable[[int], Coefficient]) -> Floats:
        if items < 3:
            return np.full(items, np.nan)
        return np.array([float(np.real(coefficient(i)(complex_one))) for i in range(items)])

    return Coefficients(
        n=len(table),
        raw=float(np.real(raw_alpha(complex_one))),
        standardised=float(np.real(standardised_alpha(complex_one))),
        g6=float(1.0 - (items - smc.sum()) / total),
        average_r=(total - items) / (items * (items - 1.0)),
        mean=float(w @ person / w.sum()),
        sd=float(np.sqrt(covariance.sum())) / items,
        se_simple=_simple_error(covariance, len(table)) if weights is None else float("nan"),
        item_mean=w @ table / w.sum(),
        item_sd=np.sqrt(np.diag(covariance)),
        item_total=matrix.sum(axis=0) / np.sqrt(total),
        item_total_corrected=corrected,
        item_rest=np.array([float(np.real(item_rest(i)(complex_one))) for i in range(items)]),
        raw_if_dropped=each(alpha_if_dropped),
        standardised_if_dropped=each(lambda i: alpha_if_dropped(i, standardised=True)),
    )


def _simple_error(covariance: Floats, n: int) -> float:
    items, total, trace = len(covariance), covariance.sum(), np.trace(covariance)
    square = covariance @ covariance
    spread = total * (np.trace(square) + trace**2) - 2.0 * trace * square.sum()
    return float(np.sqrt(2.0 * items**2 / ((items - 1.0) ** 2 * total**3) * spread / n))


def _table(scores: ArrayLike, rows: int | None = None) -> Floats:
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or (rows is not None and len(table) != rows):
        raise ValueError(f"scores of shape {table.shape} for {rows} rows of two or more items")
    if np.isinf(table).any():
        raise DataError("scores of a scale", got="infinite", expected="numbers, or missing")
    return table


def _complete(scores: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    table = _table(scores)
    w = np.ones(len(table)) if weights is None else np.asarray(weights, dtype=np.float64)
    used = np.isfinite(table).all(axis=1) & (w > 0)
    if used.sum() < 2:
        raise DataError(
            "scores of a scale",
            got=f"{int(used.sum())} rows with all items",
            expected="at least two",
            hint="look at which item nobody was asked together with the others",
        )
    return table[used], w[used]
