"""Smooth functions of joint estimates, by the delta method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.model import Measure
from sdmx_service.survey import gap, interval
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.influence import CellRows
from sdmx_service.survey.variance import deviations

__all__ = ["Derived", "combine", "derived", "from_rows", "one_of", "stacked", "used_cells"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

# Below this share of what its parts vary, a function's variance is rounding: see gap.py.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Derived:
    """M statistics with their joint variation.

    ``keys`` (M rows) name them, ``value`` (M,), ``deviations`` (R, M) is a matrix D with D'D their
    covariance, NaN in the columns of statistics whose variance is not estimable, ``df`` (M,) the
    degrees of freedom of each. The rows of D are PSUs, replicates or independent samples.
    """

    keys: pd.DataFrame
    value: Floats
    deviations: Floats
    df: Floats

    def __len__(self) -> int:
        return len(self.value)

    @cached_property
    def covariance(self) -> Floats:
        """The joint covariance, NaN where not estimable, (M, M)."""
        joint: Floats = self.deviations.T @ self.deviations
        return joint

    @cached_property
    def variance(self) -> Floats:
        """The variances, (M,)."""
        return np.asarray(np.einsum("rm,rm->m", self.deviations, self.deviations))

    @property
    def se(self) -> Floats:
        """The standard errors, (M,)."""
        error: Floats = np.sqrt(self.variance)
        return error

    @property
    def t(self) -> Floats:
        """The distances from zero in standard errors, NaN where that is zero, (M,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            score: Floats = np.where(self.se > 0, self.value / self.se, np.nan)
        return score

    @property
    def p(self) -> Floats:
        """The two-sided p values of Student's test that the value is zero, (M,)."""
        tail: Floats = 2.0 * special.stdtr(np.maximum(self.df, 1.0), -np.abs(self.t))
        return np.where(self.df >= 1, tail, np.nan)

    def intervals(self, *, level: float = 0.95) -> interval.Intervals:
        """Return value -/+ t(df) x SE."""
        return interval.t(self.value, self.se, self.df, level=level)

    def take(self, which: ArrayLike) -> Derived:
        """Return these statistics, by position or mask."""
        chosen = np.arange(len(self))[np.asarray(which)]
        return Derived(
            self.keys.iloc[chosen].reset_index(drop=True),
            self.value[chosen],
            self.deviations[:, chosen],
            self.df[chosen],
        )

    def transform(
        self,
        value: ArrayLike,
        slopes: ArrayLike,
        keys: pd.DataFrame,
        *,
        df: ArrayLike | None = None,
    ) -> Derived:
        """Return L functions of these statistics: ``value`` (L,), ``slopes`` (L, M) the gradients.

        ``df`` is by default the smallest among the statistics that a function uses. What a
        function does not use (slope 0) does not make it inestimable; a function whose parts cancel
        but for rounding has no standard error.
        """
        gradient = np.atleast_2d(np.asarray(slopes, dtype=np.float64))
        uses, undefined = gradient != 0, ~np.isfinite(gradient)
        gradient = np.where(undefined, 0.0, gradient)
        unknown = ~np.isfinite(self.deviations).all(axis=0)
        known = np.where(unknown, 0.0, self.deviations)
        moved = known @ gradient.T
        parts = (gradient**2) @ np.where(unknown, 0.0, np.nan_to_num(self.variance))
        nothing = np.einsum("rl,rl->l", moved, moved) <= _ROUNDING * parts
        lost = (uses @ unknown) | nothing | undefined.any(axis=1)
        if df is None:
            freedom = np.where(uses, self.df, np.inf).min(axis=1)
        else:
            freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), (len(gradient),))
        return Derived(
            keys.reset_index(drop=True),
            np.asarray(value, dtype=np.float64),
            np.where(lost, np.nan, moved),
            freedom.astype(np.float64),
        )

    def linear(
        self, weights: ArrayLike, keys: pd.DataFrame, *, df: ArrayLike | None = None
    ) -> Derived:
        """Return L weighted sums of these statistics, ``weights`` (L, M)."""
        matrix = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        unused = ~(matrix != 0).any(axis=0)
        value = matrix @ np.where(unused, 0.0, self.value)
        return self.transform(value, matrix, keys, df=df)

    def gaps(
        self,
        group: ArrayLike,
        reference: ArrayLike,
        measure: Measure,
        *,
        df: ArrayLike | None = None,
        level: float = 0.95,
    ) -> gap.Gaps:
        """Return the gaps between statistics at these positions (G,), as ``gap.compare``.

        ``df`` is by default the smaller of the two sides'.
        """
        i, j = np.asarray(group, dtype=np.intp), np.asarray(reference, dtype=np.intp)
        freedom = np.minimum(self.df[i], self.df[j]) if df is None else np.asarray(df)
        return gap.from_moments(
            self.value[i],
            self.value[j],
            self.variance[i],
            self.variance[j],
            self.covariance[i, j],
            np.broadcast_to(freedom, i.shape),
            measure,
            level=level,
        )


def derived(estimates: Estimates) -> Derived:
    """Return estimates as statistics to derive others from; inestimable columns become NaN.

    A share of 0 or 1 is not precise: what is derived from it has no standard error.
    """
    unknown = ~estimates.estimable | estimates.constant
    return Derived(
        estimates.keys.reset_index(drop=True),
        estimates.value,
        np.where(unknown, np.nan, estimates.deviations),
        estimates.df.astype(np.float64),
    )


def used_cells(
    estimates: Estimates, *positions: NDArray[np.intp]
) -> tuple[Estimates, list[NDArray[np.intp]]]:
    """Return the cells that occur among ``positions``, each (M,), and their places among these."""
    used, places = np.unique(np.concatenate(positions), return_inverse=True)
    return estimates.take(used), list(places.reshape(len(positions), -1))


def combine(
    estimates: Estimates,
    value: ArrayLike,
    slopes: ArrayLike,
    keys: pd.DataFrame,
    *,
    df: ArrayLike | None = None,
) -> Derived:
    """Return L functions of the K cells: ``value`` (L,), ``slopes`` (L, K) their gradients.

    ``df`` is by default PSUs minus strata represented in the union of the cells a function uses.
    """
    if df is None:
        df = estimates.union_df(np.atleast_2d(np.asarray(slopes)) != 0)
    return derived(estimates).transform(value, slopes, keys, df=df)


def from_rows(
    design: Design, used: Booleans, value: ArrayLike, influence: Floats, keys: pd.DataFrame
) -> Derived:
    """Return M statistics of one domain from influence values by row.

    ``used`` (n,) marks the m rows of the domain, ``influence`` (m, M) holds their weights already.
    The degrees of freedom are PSUs minus strata of the domain. What the design knows (stages,
    calibration, replicate weights) applies as to any estimate.
    """
    rows, psu = np.flatnonzero(used), design.psu[used]
    size = influence.shape[1]
    sums: Floats = np.column_stack(
        [np.bincount(psu, column, design.n_psu) for column in influence.T]
    )
    if design.calibration is not None:
        weights = design.weights[rows]
        calibration = design.calibration.of_rows(rows)
        whole = CellRows(np.zeros(len(rows), dtype=np.intp), 1, weights, psu, design.n_psu)
        for at in range(size):
            sums[:, at] -= calibration.fitted(whole, influence[:, at] / weights)[:, 0]
    unit = np.bincount(psu, minlength=design.n_psu)[:, None]
    clusters = design.by_cluster(unit) > 0
    per_stratum = design.tree[0].stratum_sums(clusters.astype(np.float64)).astype(np.intp)
    # a residual of the calibration is everywhere
    reached = (per_stratum > 0) | (design.calibration is not None)
    spread = deviations(
        sums,
        design,
        represented=np.repeat(reached, size, axis=1),
        present=np.repeat(per_stratum, size, axis=1),
    )
    df = float(clusters.sum() - (per_stratum > 0).sum())
    if design.replicates is not None:
        df = min(df, float(design.replicates.df))
    return Derived(
        keys.reset_index(drop=True), np.asarray(value, dtype=np.float64), spread, np.full(size, df)
    )


def stacked(parts: Sequence[Derived], *, independent: bool = False) -> Derived:
    """Return the statistics of all parts side by side.

    The parts' rows are the same PSUs or replicates, or, where ``independent``, different ones.
    """
    if independent:
        rows = [len(part.deviations) for part in parts]
        start = np.concatenate([[0], np.cumsum(rows)])
        columns = []
        for first, part in zip(start[:-1], parts, strict=True):
            block = np.zeros((int(start[-1]), len(part)))
            block[first : first + len(part.deviations)] = part.deviations
            # a column without a variance has none in any row
            block[:, ~np.isfinite(part.deviations).all(axis=0)] = np.nan
            columns.append(block)
    else:
        columns = [part.deviations for part in parts]
    return Derived(
        pd.concat([part.keys for part in parts], ignore_index=True),
        np.concatenate([part.value for part in parts]),
        np.hstack(columns),
        np.concatenate([part.df for part in parts]),
    )


def one_of(size: int, positions: ArrayLike) -> Floats:
    """Return (L, size) rows with a one at each of ``positions`` (L,)."""
    rows: Floats = np.eye(size)[np.atleast_1d(np.asarray(positions, dtype=np.intp))]
    return rows
