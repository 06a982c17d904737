"""The stages of a sample: which clusters were drawn in which strata, and what share of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

__all__ = ["Stage", "StageColumns"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StageColumns:
    """The columns (n,) of a stage after the first: its units, their strata and population.

    ``fpc`` counts the stage's units in each unit of the stage above (and stratum), or is the
    fraction of them that was sampled. Labels need only be unique within the unit above.
    """

    unit: ArrayLike
    stratum: ArrayLike | None = None
    fpc: ArrayLike | None = None


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage: ``cluster`` (P,) of each unit of the table of sums, ``stratum`` (C,) of each
    cluster, ``fraction`` (S,) sampled in each stratum, ``parent`` (S,) the cluster of the stage
    above a stratum lies in, ``passed`` (S,) the product of the fractions of the stages above it.
    """

    cluster: Integers
    stratum: Integers
    fraction: Floats
    parent: Integers
    passed: Floats

    @property
    def n_clusters(self) -> int:
        """The number of clusters, C."""
        return len(self.stratum)

    @cached_property
    def count(self) -> Integers:
        """The number of sampled clusters of each stratum, (S,)."""
        return np.bincount(self.stratum, minlength=len(self.fraction))

    @cached_property
    def alone(self) -> Booleans:
        """Which strata have one sampled cluster of several in the population, (S,)."""
        lonely: Booleans = (self.count == 1) & (self.fraction < 1.0 - 1e-7)
        return lonely

    @cached_property
    def scale(self) -> Floats:
        """What the squared deviations of a stratum's clusters are multiplied by, (S,)."""
        count = self.count
        left = np.where(self.fraction < 1.0 - 1e-7, 1.0 - self.fraction, 0.0)
        scale: Floats = self.passed * left * count / np.maximum(count - 1, 1)
        return scale

    @cached_property
    def is_unit(self) -> bool:
        """Whether every unit of the table of sums is a cluster of this stage."""
        return np.array_equal(self.cluster, np.arange(self.n_clusters))

    def with_passed(self, change: Floats) -> Stage:
        """Return the stage with the fractions above it times ``change`` (P,) of their units."""
        by_stratum = np.ones(len(self.fraction))
        by_stratum[self.stratum[self.cluster]] = change
        return replace(self, passed=self.passed * by_stratum)

    def cluster_sums(self, unit_values: NDArray[np.float64]) -> Floats:
        """Return the sums over the units of each cluster: (P, K) to (C, K)."""
        if self.is_unit:
            return unit_values
        units = len(self.cluster)
        gather = sparse.csr_array(
            (np.ones(units), (self.cluster, np.arange(units))), shape=(self.n_clusters, units)
        )
        summed: Floats = gather @ unit_values
        return summed

    def stratum_sums(self, cluster_values: Any) -> Any:
        """Return the sums over the clusters of each stratum: (C, K) to (S, K), sparse if sparse."""
        return _grouped(self.stratum, len(self.fraction), cluster_values)

    def parent_means(self, stratum_sums: Floats) -> Floats:
        """Return for each stratum the mean over all clusters of its parent: (S, K)."""
        parents = int(self.parent.max()) + 1
        sums = _grouped(self.parent, parents, stratum_sums)
        counts = np.bincount(self.parent, weights=self.count, minlength=parents)
        return np.asarray((sums / np.maximum(counts, 1)[:, None])[self.parent])


def _grouped(code: Integers, groups: int, values: Any) -> Any:
    steps = np.diff(code, prepend=-1)
    starts = np.flatnonzero(steps)
    if not sparse.issparse(values) and len(starts) == groups and steps.min() >= 0:
        return np.add.reduceat(values, starts, axis=0)
    gather = sparse.csr_array(
        (np.ones(len(code), values.dtype), (code, np.arange(len(code)))),
        shape=(groups, len(code)),
    )
    return gather @ values
