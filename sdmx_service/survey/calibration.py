"""Weights calibrated to known totals, and what that does to the variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from sdmx_service.errors import DesignError
from sdmx_service.survey.columns import rows_said, some
from sdmx_service.survey.design import Design
from sdmx_service.survey.influence import CellRows

__all__ = [
    "CalibratedRows",
    "Calibration",
    "Distance",
    "calibrate",
    "poststratify",
    "rake",
    "regress",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Calibration:
    """The variables (n, q), sparse, that weights were calibrated on.

    Influence values are replaced by their residuals of a regression on ``x`` with the weights
    ``base`` (n,) (Deville and Saerndal 1992): what the totals explain does not vary. ``inverse``
    (q, q) is that of x' base x, ``unit_x`` (P, q) the sums of x by unit with the new weights.
    """

    x: Any
    base: Floats
    inverse: Floats
    unit_x: Floats

    def of_rows(self, select: slice | Integers) -> CalibratedRows:
        """Return the same for the rows that a statistic sees."""
        return CalibratedRows(self, self.x[select], self.base[select])


@dataclass(frozen=True, eq=False)
class CalibratedRows:
    """The calibration variables of the rows that a statistic sees."""

    whole: Calibration
    x: Any
    base: Floats

    def fitted(self, rows: CellRows, influence: Floats | float) -> Floats:
        """Return the sums by unit of the fitted influence values of each cell, (P, count)."""
        inside = np.flatnonzero(rows.code < rows.count)
        own = np.broadcast_to(self.base * influence, rows.code.shape)[inside]
        by_cell = sparse.csr_array(
            (own, (inside, rows.code[inside])), shape=(len(rows.code), rows.count)
        )
        slopes = self.whole.inverse @ (self.x.T @ by_cell).toarray()
        fitted: Floats = self.whole.unit_x @ slopes
        return fitted


def poststratify(design: Design, group: ArrayLike, totals: Mapping[Any, float]) -> Design:
    """Return the design with weights that add up to ``totals`` in each ``group`` (n,).

    As R survey's ``postStratify``: residuals from the group means under the old weights. With
    replicate weights every replicate is post-stratified.

    Raises DesignError for a row without a group, a group without a total or without rows.
    """
    code, wanted = _margin(design, group, totals, "post-strata")

    def weigh(weights: Floats, where: str) -> Floats:
        return weights * _factors(weights, code, wanted, where)[code]

    return _calibrated(design, weigh, _indicators([code]))


def rake(
    design: Design,
    margins: Sequence[tuple[ArrayLike, Mapping[Any, float]]],
    *,
    tolerance: float = 1e-10,
    most: int = 1000,
) -> Design:
    """Return the design with weights raked to each margin: labels (n,) and the total of each.

    Iterative proportional fitting until every margin is within ``tolerance``, relatively.
    As R survey's ``calibrate`` with ``calfun="raking"``: residuals of a regression on all margins
    under the old weights. R's ``rake`` has the same weights, but takes unweighted means out of the
    influence values, one margin after the other.

    Raises DesignError also for margins of different sums and where raking does not converge.
    """
    coded = [
        _margin(design, labels, totals, f"margin {number}")
        for number, (labels, totals) in enumerate(margins, start=1)
    ]
    sums = np.array([wanted.sum() for _, wanted in coded])
    if len(sums) and np.ptp(sums) > 1e-6 * sums.max():
        raise DesignError(
            "raking",
            got=f"margins that add up to {', '.join(f'{s:.10g}' for s in sums)}",
            expected="the same population in every margin",
        )

    def weigh(weights: Floats, where: str) -> Floats:
        new = weights
        for _ in range(most):
            for code, wanted in coded:
                new = new * _factors(new, code, wanted, where)[code]
            miss = max(
                float(np.max(np.abs(np.bincount(code, new, len(wanted)) / wanted - 1.0)))
                for code, wanted in coded
            )
            if miss <= tolerance:
                return new
        raise DesignError(
            where,
            got=f"margins missed by {miss:.1e} after {most} rounds",
            expected=f"every margin within {tolerance:.0e}",
            hint="groups that hardly meet cannot be raked together: merge some",
        )

    return _calibrated(design, weigh, _indicators([code for code, _ in coded]))


class Distance(Enum):
    """How far a calibrated weight is from its old one (Deville and Saerndal 1992, cases 1, 6, 7).

    LINEAR: w (1 + x'b); a change outside of the bounds is refused. TRUNCATED: the same, but held
    within the bounds. LOGIT: within the bounds, and smoothly.
    """

    LINEAR = "linear"
    TRUNCATED = "truncated"
    LOGIT = "logit"


def calibrate(
    design: Design,
    x: ArrayLike,
    totals: ArrayLike,
    *,
    bounds: tuple[float, float] | None = None,
    distance: Distance = Distance.LINEAR,
) -> Design:
    """Return the design with weights whose totals of ``x`` (n, q) are ``totals`` (q,).

    By default linear calibration, the weights of the generalised regression estimator, as R
    survey's ``calibrate``; TRUNCATED and LOGIT keep the change of every weight within ``bounds``,
    such as (0.5, 2). A column of ones calibrates the population.

    Raises DesignError where the columns cannot have these totals (within the bounds), or, for
    LINEAR, a weight becomes negative or its change lies outside of them.
    """
    table = np.asarray(x, dtype=np.float64)
    wanted = np.asarray(totals, dtype=np.float64)
    if table.ndim != 2 or len(table) != design.n_rows or wanted.shape != (table.shape[1],):
        raise DesignError(
            "calibration",
            got=f"variables of shape {table.shape}, {wanted.shape} totals",
            expected=f"{design.n_rows} rows, a total a column",
        )
    missing = np.asarray(~np.isfinite(table).all(axis=1))
    if missing.any() or not np.isfinite(wanted).all():
        raise DesignError(
            "calibration",
            got=f"missing in {rows_said(missing)}" if missing.any() else "a total that is missing",
            expected="finite variables and totals",
        )
    if distance is not Distance.LINEAR and bounds is None:
        raise DesignError("calibration", got=distance.value, expected="bounds, such as (0.5, 2)")
    low, high = bounds or (0.0, np.inf)

    def weigh(weights: Floats, where: str) -> Floats:
        if distance is Distance.LINEAR:
            change = _linear_change(table, wanted, weights, where)
        else:
            change = _bounded_change(table, wanted, weights, distance, low, high, where)
        outside = (weights > 0) & ((change < low) | (change > high))
        if outside.any():
            raise DesignError(
                where,
                got=f"weights times {change[outside].min():.3g} to {change[outside].max():.3g} "
                f"in {rows_said(outside)}",
                expected=f"a change of {low:g} to {high:g}",
                hint="use fewer variables, wider bounds, truncated or logit calibration, or "
                "raking, which stays positive",
            )
        new: Floats = weights * change
        return new

    return _calibrated(design, weigh, sparse.csr_array(table))


def _linear_change(table: Floats, wanted: Floats, weights: Floats, where: str) -> Floats:
    gram = (table * weights[:, None]).T @ table
    change: Floats = 1.0 + table @ (np.linalg.pinv(gram) @ (wanted - weights @ table))
    miss = np.abs((weights * change) @ table - wanted)
    if (miss > 1e-8 * (1.0 + np.abs(wanted))).any():
        raise DesignError(
            where,
            got=f"totals missed in columns {some((np.flatnonzero(miss > 0) + 1).tolist())}",
            expected="variables that can have these totals",
            hint="columns that depend on each other need totals that do as well",
        )
    return change


def _bounded_change(
    table: Floats,
    wanted: Floats,
    weights: Floats,
    distance: Distance,
    low: float,
    high: float,
    where: str,
) -> Floats:
    """Return the changes F(x'b) of the weights, b found by Newton's method."""
    size = np.sqrt(weights @ table**2)
    size = np.where(size > 0, size, 1.0)
    x, goal = table / size, wanted / size
    steepness = (high - low) / ((1.0 - low) * (high - 1.0))

    def changed(b: Floats) -> tuple[Floats, Floats]:
        if distance is Distance.TRUNCATED:
            free = 1.0 + x @ b
            return np.clip(free, low, high), ((free > low) & (free < high)).astype(np.float64)
        # F = (low (high - 1) + high (1 - low) e) / (high - 1 + (1 - low) e), e = exp(A x'b)
        share = special.expit(steepness * (x @ b) + np.log((1.0 - low) / (high - 1.0)))
        slope = (high - low) * steepness * share * (1.0 - share)
        return low + (high - low) * share, slope

    b = np.zeros(table.shape[1])
    change, slope = changed(b)
    miss = goal - (weights * change) @ x
    for _ in range(100):
        if (np.abs(miss) <= 1e-12 * (1.0 + np.abs(goal))).all():
            return change
        step = np.linalg.pinv((x * (weights * slope)[:, None]).T @ x, hermitian=True) @ miss
        length = 1.0
        while length > 1e-6:
            change, slope = changed(b + length * step)
            left = goal - (weights * change) @ x
            if left @ left < miss @ miss:
                break
            length /= 2.0
        b, miss = b + length * step, left
        if length <= 1e-6:
            break
    if (np.abs(miss) <= 1e-9 * (1.0 + np.abs(goal))).all():
        return change
    raise DesignError(
        where,
        got=f"totals missed in columns {some((np.flatnonzero(np.abs(miss) > 1e-9) + 1).tolist())}",
        expected=f"totals that changes of {low:g} to {high:g} can reach",
        hint="use wider bounds or fewer variables",
    )


def regress(
    design: Design,
    margins: Sequence[tuple[ArrayLike, Mapping[Any, float]]],
    amounts: Mapping[str, ArrayLike],
    totals: Mapping[str, float],
    *,
    bounds: tuple[float, float] | None = None,
    distance: Distance = Distance.LINEAR,
    within: ArrayLike | None = None,
) -> Design:
    """Return the design calibrated to margins, as of ``rake``, and to ``amounts`` (n,) together.

    ``totals`` are those of the amounts, by name. All rows of one label of ``within`` (n,), such as
    a household, have the same change of weight: their variables are the means of their group, as
    R survey's ``aggregate.stage``. Raises DesignError as ``rake`` and ``calibrate``.
    """
    coded = [
        _margin(design, labels, known, f"margin {number}")
        for number, (labels, known) in enumerate(margins, start=1)
    ]
    columns: list[Any] = [np.asarray(amounts[name], dtype=np.float64)[:, None] for name in totals]
    if coded:
        columns.insert(0, _indicators([code for code, _ in coded]).toarray())
    wanted = [*(known for _, known in coded), np.array(list(totals.values()), dtype=np.float64)]
    table, known = np.hstack(columns), np.concatenate(wanted)
    if within is not None:
        code = pd.factorize(pd.Series(within))[0]
        means = np.column_stack([np.bincount(code, column) for column in table.T])
        table = (means / np.bincount(code)[:, None])[code]
    return calibrate(design, table, known, bounds=bounds, distance=distance)


def _calibrated(design: Design, weigh: Callable[[Floats, str], Floats], x: Any) -> Design:
    """Return the design with the new weights; of replicates, each calibrated by itself."""
    if design.calibration is not None:
        raise DesignError(
            "calibration",
            got="weights that are calibrated already",
            expected="one calibration",
            hint="calibrate the design weights to all totals at once",
        )
    new = weigh(design.weights, "calibration")
    if design.replicates is not None:
        by_row = design.by_row()
        factors = np.empty((len(design.replicates), by_row.n_psu))
        with np.errstate(divide="ignore", invalid="ignore"):
            for at, own in enumerate(design.replicates.factors, start=1):
                weights = weigh(design.weights * own[design.psu], f"calibration, replicate {at}")
                factors[at - 1, by_row.psu] = np.where(new > 0, weights / new, 0.0)
        own = replace(design.replicates, factors=factors)
        return replace(by_row, weights=new, replicates=own)
    base = design.weights
    weighted = sparse.csr_array(x.T @ sparse.diags_array(base))
    gather = sparse.csr_array(
        (new, (design.psu, np.arange(design.n_rows))), shape=(design.n_psu, design.n_rows)
    )
    own_x = Calibration(
        x=x,
        base=base,
        inverse=np.linalg.pinv((weighted @ x).toarray(), hermitian=True),
        unit_x=(gather @ x).toarray(),
    )
    return replace(design, weights=new, calibration=own_x)


def _margin(
    design: Design, labels: ArrayLike, totals: Mapping[Any, float], what: str
) -> tuple[Integers, Floats]:
    """Return the group of each row (n,) and the total of each group, every one of them known."""
    column = pd.Series(labels)
    if len(column) != design.n_rows:
        raise DesignError(what, got=f"{len(column)} rows", expected=f"{design.n_rows} rows")
    names = list(totals)
    code = pd.Index(names).get_indexer(column)
    lost = (code < 0) & (design.weights > 0)
    if lost.any():
        which = column[lost].drop_duplicates().tolist()
        raise DesignError(
            what,
            got=f"no total for {some(which)} in {rows_said(lost)}",
            expected=f"one of the groups with a total: {some(names, most=20)}",
            hint="merge groups, or give those without an answer a group of their own",
        )
    wanted = np.array([totals[name] for name in names], dtype=np.float64)
    wrong = ~(np.isfinite(wanted) & (wanted > 0))
    if wrong.any():
        raise DesignError(
            what,
            got=f"the total of {some([names[i] for i in np.flatnonzero(wrong)])} missing, "
            "infinite, zero or negative",
            expected="a total over 0 for every group",
        )
    empty = np.bincount(np.maximum(code, 0), design.weights, len(names)) == 0
    if empty.any():
        raise DesignError(
            what,
            got=f"no one in {some([names[i] for i in np.flatnonzero(empty)])}",
            expected="people in every group that has a total",
            hint="merge groups that the sample has too few of",
        )
    return np.maximum(code, 0).astype(np.intp), wanted


def _factors(weights: Floats, code: Integers, wanted: Floats, where: str) -> Floats:
    held = np.bincount(code, weights, len(wanted))
    if (held == 0).any():
        raise DesignError(
            where,
            got=f"group {int(np.flatnonzero(held == 0)[0]) + 1} without weight",
            expected="people in every group",
            hint="merge groups that lie in one PSU",
        )
    factors: Floats = wanted / held
    return factors


def _indicators(codes: Sequence[Integers]) -> Any:
    """Return the margins' groups as columns of zeros and ones, sparse."""
    rows = np.arange(len(codes[0]))
    return sparse.csr_array(
        sparse.hstack(
            [
                sparse.csr_array(
                    (np.ones(len(rows)), (rows, code)), shape=(len(rows), int(code.max()) + 1)
                )
                for code in codes
            ],
            format="csr",
        )
    )
