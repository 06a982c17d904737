"""Estimates of all cells of one indicator with their joint covariance."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sdmx_service.survey.design import Design
from sdmx_service.survey.influence import Booleans, Floats, Integers, Sums
from sdmx_service.survey.table import beside, dense, scaled
from sdmx_service.survey.variance import covariance, deviations

__all__ = ["Composition", "Estimates"]


class Composition(Enum):
    """How the values of two disjoint cells make the value of both together."""

    SUM = "they add"
    AVERAGE = "they average, weighted by their denominators"
    NONE = "they do not"


@dataclass(frozen=True, eq=False)
class Estimates:
    """One statistic in K cells of one sample.

    ``keys`` K rows of dimension codes; ``sums`` the values (K,) and the PSU sums of their influence
    values (P, K); ``reach`` (H, K) the strata whose PSUs a cell's variance is about.
    ``replicated`` (R, K) the values with each replicate's weights, where the design has replicate
    weights; without it they are linearised.
    """

    design: Design
    keys: pd.DataFrame
    sums: Sums
    composition: Composition
    reach: Booleans
    replicated: Floats | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        design: Design,
        keys: pd.DataFrame,
        sums: Sums,
        composition: Composition = Composition.NONE,
        *,
        reach: Booleans | None = None,
        from_sums: bool = False,
    ) -> Estimates:
        """Return the estimates that these sums make.

        ``reach`` (H,) marks the strata the influence comes from where it is wider than the cell's
        own rows; by default a cell reaches the strata it has rows in. ``from_sums`` says that the
        statistic is nothing but a total (Composition.SUM) or the ratio of two (AVERAGE), so that
        its value with other weights follows from the same sums.
        """
        if design.calibration is not None:
            # a residual of the calibration is everywhere
            strata = np.ones((design.n_strata, len(keys)), dtype=bool)
        elif reach is None:
            strata = dense(design.by_stratum(sums.rows) > 0)
        else:
            strata = np.repeat(reach[:, None], len(keys), axis=1)
        replicated, own = None, design.replicates
        if own is not None and from_sums:
            if composition is Composition.SUM:
                replicated = own.totals(sums.influence)
            else:
                replicated = own.ratios(sums.value, sums.influence, sums.denominator)
        return cls(design, keys, sums, composition, strata, replicated)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def value(self) -> Floats:
        """The values, NaN for a cell without rows, (K,)."""
        return self.sums.value

    @property
    def influence(self) -> Floats:
        """The weighted sums of influence values by PSU (or finer unit of the design), (P, K)."""
        table: Floats = dense(self.sums.influence)
        return table

    @cached_property
    def n(self) -> Integers:
        """The unweighted rows with an outcome, (K,)."""
        return np.asarray(self.sums.rows.sum(axis=0), dtype=np.intp)

    @property
    def events(self) -> Integers:
        """The unweighted rows whose outcome is not zero, (K,)."""
        return self.sums.events

    @property
    def missing(self) -> Integers:
        """The unweighted rows of the universe without an outcome, (K,)."""
        return self.sums.missing

    @property
    def weight_sum(self) -> Floats:
        """The weights of the rows with an outcome, (K,)."""
        return self.sums.weight_sum

    @property
    def response_rate(self) -> Floats:
        """The unweighted share of the universe's rows that have an outcome, 0..1, (K,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.n / (self.n + self.missing), dtype=np.float64)

    @cached_property
    def _present(self) -> Any:
        """Whether a PSU has rows of a cell, (C, K), sparse where the sums are."""
        return self.design.by_cluster(self.sums.rows) > 0

    @cached_property
    def psu_present(self) -> Any:
        """1 where a PSU has rows of a cell, (C, K), sparse where the sums are."""
        return self._present.astype(np.float32)

    @cached_property
    def psu_bits(self) -> NDArray[np.uint8]:
        """The same, eight PSUs to a byte, (K, C / 8)."""
        return np.packbits(np.ascontiguousarray(dense(self._present).T), axis=1)

    @cached_property
    def strata_bits(self) -> NDArray[np.uint8]:
        """Which strata have rows of a cell, eight to a byte, (K, H / 8)."""
        return np.packbits(np.ascontiguousarray(self._strata_touched.T), axis=1)

    @cached_property
    def _strata_touched(self) -> Booleans:
        touched: Booleans = dense(self.design.by_stratum(self.sums.rows) > 0)
        return touched

    @cached_property
    def strata_present(self) -> NDArray[np.float32]:
        """1 where a stratum has rows of a cell, (H, K)."""
        return self._strata_touched.astype(np.float32)

    @cached_property
    def n_psu(self) -> Integers:
        """The PSUs with rows that have an outcome, (K,)."""
        if sparse.issparse(self._present):
            return np.asarray(self._present.sum(axis=0), dtype=np.intp)
        return np.asarray(np.bitwise_count(self.psu_bits).sum(axis=1), dtype=np.intp)

    @cached_property
    def n_strata(self) -> Integers:
        """The strata with rows that have an outcome, (K,)."""
        return np.asarray(np.bitwise_count(self.strata_bits).sum(axis=1), dtype=np.intp)

    @property
    def df(self) -> Integers:
        """PSUs minus strata represented in the cell (R survey's ``degf`` of the subset), (K,).

        Of replicate weights, no more than their own.
        """
        return self._limited(self.n_psu - self.n_strata)

    @cached_property
    def joint_df(self) -> Integers:
        """PSUs minus strata represented in the union of two cells, (K, K)."""
        psu, strata = self.psu_present, self.strata_present
        both = dense(psu.T @ psu).astype(np.intp) - (strata.T @ strata).astype(np.intp)
        own = self.n_psu - self.n_strata
        joint: Integers = own[:, None] + own[None, :] - both
        return self._limited(joint)

    def union_df(self, uses: ArrayLike) -> Integers:
        """PSUs minus strata in the union of the cells that a row of ``uses`` (L, K) marks, (L,)."""
        marked = np.atleast_2d(np.asarray(uses, dtype=bool)).astype(np.float32)
        psu = (self.psu_present @ marked.T > 0).sum(axis=0)
        strata = (self.strata_present @ marked.T > 0).sum(axis=0)
        return self._limited(np.asarray(psu - strata, dtype=np.intp))

    def _limited(self, freedom: Integers) -> Integers:
        own = self.design.replicates
        return freedom if own is None else np.minimum(freedom, own.df)

    @cached_property
    def estimable(self) -> Booleans:
        """Whether the sampling variance can be estimated, (K,).

        A cell inside fewer than two PSUs, or without a degree of freedom, has a linearised variance
        of zero by algebra: it is not precise, its variance is unknown.
        """
        known: Booleans = (self.n_psu >= 2) & (self.df >= 1) & np.isfinite(self.value)
        return known

    @property
    def constant(self) -> Booleans:
        """Whether no row, or every row, has the event: a share of 0 or 1, (K,)."""
        always = (self.events == self.n) & np.isclose(self.value, 1.0, rtol=1e-12, atol=0)
        same: Booleans = (self.n > 0) & ((self.events == 0) | always)
        return same

    @cached_property
    def deviations(self) -> Floats:
        """The matrix D whose D'D is the covariance of all cells, estimable or not, (rows, K).

        Its rows are the PSUs, then the units of later stages; or the replicates. They are the same
        for all estimates of one design.
        """
        if self.design.replicates is not None and self.replicated is not None:
            return self.design.replicates.deviations(self.replicated, self.value)
        return deviations(
            self.sums.influence, self.design, represented=self.reach, present=self._psu_reached
        )

    @property
    def _psu_reached(self) -> Integers | None:
        """How many PSUs of each stratum a cell's variance is about, (H, K), if it matters."""
        if not self.design.adjust_domain:
            return None
        touched = self.design.by_cluster(dense(self.sums.influence) != 0) > 0
        touched |= dense(self.psu_present) > 0
        return np.asarray(self.design.tree[0].stratum_sums(touched.astype(float)), dtype=np.intp)

    @cached_property
    def _joint(self) -> Floats:
        if sparse.issparse(self.sums.influence) and self.design.plain:
            return covariance(self.sums.influence, self.design)
        joint: Floats = self.deviations.T @ self.deviations
        return joint

    @cached_property
    def variance(self) -> Floats:
        """The sampling variances, NaN where not estimable, (K,)."""
        if sparse.issparse(self.sums.influence) and self.design.plain:
            squares = np.diagonal(self._joint)
        else:
            squares = np.einsum("pk,pk->k", self.deviations, self.deviations)
        return np.where(self.estimable, squares, np.nan)

    @property
    def se(self) -> Floats:
        """The standard errors, NaN where not estimable, (K,)."""
        error: Floats = np.sqrt(self.variance)
        return error

    @cached_property
    def covariance(self) -> Floats:
        """The joint covariance, NaN in rows and columns that are not estimable, (K, K)."""
        joint = self._joint.copy()
        joint[~self.estimable, :] = np.nan
        joint[:, ~self.estimable] = np.nan
        return joint

    @property
    def deff_wr(self) -> Floats:
        """Variance over that of a simple random sample with replacement of the cell's n, (K,).

        R survey's ``deff="replace"``. Where an estimated threshold is involved, the simple random
        sample is one of the cell alone.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = self.variance / self.sums.srs_variance
        return np.where(self.sums.srs_variance > 0, effect, np.nan)

    @property
    def deff_wor(self) -> Floats:
        """The same without replacement, N the sum of weights (R's ``deff=TRUE``), (K,).

        NaN where the weights do not add up to more than the sample, as with weights of mean one.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (self.weight_sum - self.n) / self.weight_sum
            return np.where(left > 0, self.deff_wr / left, np.nan)

    def take(self, which: ArrayLike) -> Estimates:
        """Return the estimates of these cells, by position or mask."""
        chosen = np.arange(len(self))[np.asarray(which)]
        sums = self.sums
        return Estimates(
            self.design,
            self.keys.iloc[chosen].reset_index(drop=True),
            Sums(
                sums.value[chosen],
                sums.influence[:, chosen],
                sums.denominator[:, chosen],
                sums.rows[:, chosen],
                sums.events[chosen],
                sums.missing[chosen],
                sums.weight_sum[chosen],
                sums.srs_variance[chosen],
                None if sums.explained is None else sums.explained[:, chosen],
            ),
            self.composition,
            self.reach[:, chosen],
            None if self.replicated is None else self.replicated[:, chosen],
        )

    def stack(self, other: Estimates) -> Estimates:
        """Return these estimates followed by others of the same design, with their covariance."""
        if other.design is not self.design:
            raise ValueError("only estimates of one design have a joint covariance")
        a, b = self.sums, other.sums
        return Estimates(
            self.design,
            pd.concat([self.keys, other.keys], ignore_index=True),
            Sums(
                np.append(a.value, b.value),
                beside(a.influence, b.influence),
                beside(a.denominator, b.denominator),
                beside(a.rows, b.rows),
                np.append(a.events, b.events),
                np.append(a.missing, b.missing),
                np.append(a.weight_sum, b.weight_sum),
                np.append(a.srs_variance, b.srs_variance),
                None
                if a.explained is None or b.explained is None
                else beside(a.explained, b.explained),
            ),
            self.composition if self.composition is other.composition else Composition.NONE,
            np.hstack([self.reach, other.reach]),
            None
            if self.replicated is None or other.replicated is None
            else np.hstack([self.replicated, other.replicated]),
        )

    def rest(self, group: ArrayLike, whole: ArrayLike) -> Estimates:
        """Return the estimates of ``whole`` without ``group``, cell by cell (positions, (M,)).

        Exact for totals, means, proportions and ratios; with an estimated threshold the rest's
        density is what the whole's and the group's imply. The keys are those of the group.
        The design effect of a rest is not kept (NaN).

        Raises ValueError where a group does not lie inside its whole.
        """
        if self.composition is Composition.NONE:
            raise ValueError("this statistic has no complement: estimate the rest as a cell")
        inner, outer = (
            self.take(np.asarray(group, dtype=np.intp)),
            self.take(np.asarray(whole, dtype=np.intp)),
        )
        a, b = inner.sums, outer.sums
        rows = b.rows - a.rows
        if rows.size and rows.min() < 0:
            raise ValueError("a group has rows outside of what it is taken from")
        denominator = b.denominator - a.denominator
        filled = np.asarray(rows.sum(axis=0)) > 0
        if self.composition is Composition.SUM:
            value = b.value - a.value
            influence = scaled(b.influence - a.influence, filled)
        else:
            inside, around = a.denominator.sum(axis=0), b.denominator.sum(axis=0)
            value = _unmixed(inside, around, a.value, b.value)
            # a rest without rows has no influence; an empty group adds nothing to its whole
            own = np.where(inside == 0, 0.0, a.value)
            with np.errstate(divide="ignore", invalid="ignore"):
                one = np.where(filled, 1.0 / (around - inside), 0.0)
            influence = (
                scaled(b.influence, one * around)
                + scaled(_unexplained(b), np.where(filled, one * (b.value - value), 0.0))
                - scaled(a.influence, one * inside)
                - scaled(_unexplained(a), np.where(filled, one * (own - value), 0.0))
            )
        return Estimates(
            self.design,
            inner.keys,
            Sums(
                np.where(filled, value, np.nan),
                influence,
                denominator,
                rows,
                b.events - a.events,
                b.missing - a.missing,
                b.weight_sum - a.weight_sum,
                np.full(len(inner), np.nan),
                None if b.explained is None else b.explained - a.explained,
            ),
            self.composition,
            outer.reach,
            self._rest_replicated(inner, outer),
        )

    def _rest_replicated(self, inner: Estimates, outer: Estimates) -> Floats | None:
        """Return the values of the rests with each replicate's weights, (R, M)."""
        if inner.replicated is None or outer.replicated is None:
            return None
        if self.composition is Composition.SUM:
            return outer.replicated - inner.replicated
        assert self.design.replicates is not None  # or nothing would be replicated
        factors = self.design.replicates.factors
        return _unmixed(
            factors @ inner.sums.denominator,
            factors @ outer.sums.denominator,
            inner.replicated,
            outer.replicated,
        )


def _unexplained(sums: Sums) -> Any:
    """Return what the denominators vary by: of calibrated weights, what no total explains."""
    return sums.denominator if sums.explained is None else sums.denominator - sums.explained


def _unmixed(inside: Floats, around: Floats, own: Floats, whole: Floats) -> Floats:
    """Return the average of the rest of a whole, given the averages of both and their bases."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # an empty group adds nothing to its whole
        part = np.where(inside == 0, 0.0, inside * own)
        rest: Floats = (around * whole - part) / (around - inside)
    return rest
