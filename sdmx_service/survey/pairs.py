"""Covariance and degrees of freedom of chosen pairs of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdmx_service.survey.estimate import Estimates

__all__ = ["covariance_of_pairs", "df_of_pairs"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Pairs taken together: their PSUs stay in the cache.
_BLOCK = 64


def _few(estimates: Estimates, pairs: int) -> bool:
    """Whether making the pairs alone is less work than the matrix of all cells."""
    return not sparse.issparse(estimates.sums.influence) and 8 * pairs < len(estimates) ** 2


def covariance_of_pairs(estimates: Estimates, first: Integers, second: Integers) -> Floats:
    """Return the covariances of cells ``first`` and ``second`` (M,), NaN where not estimable.

    They are entries of the joint covariance; of few pairs among many cells only those are made.
    """
    if not _few(estimates, len(first)):
        return np.asarray(estimates.covariance[first, second], dtype=np.float64)
    columns = estimates.deviations.T
    found = np.empty(len(first))
    for start in range(0, len(first), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = np.einsum("mp,mp->m", columns[first[block]], columns[second[block]])
    return np.where(estimates.estimable[first] & estimates.estimable[second], found, np.nan)


def df_of_pairs(estimates: Estimates, first: Integers, second: Integers) -> Integers:
    """Return the PSUs minus strata represented in the union of each pair of cells, (M,)."""
    if not _few(estimates, len(first)):
        return np.asarray(estimates.joint_df[first, second], dtype=np.intp)
    psu, strata = estimates.psu_bits, estimates.strata_bits
    found = np.empty(len(first), dtype=np.intp)
    for start in range(0, len(first), _BLOCK):
        block = slice(start, start + _BLOCK)
        i, j = first[block], second[block]
        found[block] = np.bitwise_count(psu[i] | psu[j]).sum(axis=1, dtype=np.intp)
        found[block] -= np.bitwise_count(strata[i] | strata[j]).sum(axis=1, dtype=np.intp)
    own = estimates.design.replicates
    return found if own is None else np.minimum(found, own.df)
