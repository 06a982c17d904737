"""Variances and covariances from the sums of influence values by sampling unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.stages import Stage

__all__ = ["covariance", "deviations"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def deviations(
    sums: Any,
    design: Design,
    *,
    represented: Booleans | None = None,
    present: NDArray[np.intp] | None = None,
) -> Floats:
    """Return D with D'D the covariance of the columns of ``sums``: (P, K) to (rows, K).

    Of a one-stage design, row i of stratum h is sqrt((1 - f_h) n_h / (n_h - 1)) (z_hi - mean_h),
    z the weighted PSU sums of influence values (Binder 1983; Saerndal, Swensson and Wretman 1992,
    4.6). Each further stage adds its rows, times the root of the fractions sampled above it. Of a
    design with replicate weights there is a row a replicate.

    ``represented`` (H, K) tells which strata have rows in a column's domain, ``present`` (H, K) how
    many of their PSUs do: they matter to ``Lonely.ADJUST`` and ``AVERAGE`` alone, where a stratum
    without rows is no stratum of the domain (R survey 4.5).
    """
    dense: Floats = sums.toarray() if sparse.issparse(sums) else sums
    if design.replicates is not None:
        return design.replicates.linear_deviations(dense)
    first, *later = design.tree
    parts = [_first_stage(dense, first, design, represented, present)]
    parts += [_later_stage(dense, stage, design.lonely) for stage in later]
    return parts[0] if len(parts) == 1 else np.vstack(parts)


def covariance(
    sums: Any,
    design: Design,
    *,
    represented: Booleans | None = None,
    present: NDArray[np.intp] | None = None,
) -> Floats:
    """Return the (K, K) covariance of K statistics from unit sums of influence values (P, K).

    Sparse sums are never made dense where one stage without a lonely PSU allows it.
    """
    if sparse.issparse(sums) and design.plain:
        return _sparse_covariance(sums, design.tree[0])
    deviation = deviations(sums, design, represented=represented, present=present)
    joint: Floats = deviation.T @ deviation
    return joint


def _first_stage(
    sums: Floats,
    stage: Stage,
    design: Design,
    represented: Booleans | None,
    present: NDArray[np.intp] | None,
) -> Floats:
    clusters = stage.cluster_sums(sums)
    stratum_sums = stage.stratum_sums(clusters)
    centre = stratum_sums / stage.count[:, None]
    scale = np.sqrt(stage.scale)[stage.stratum, None]
    lonely = stage.alone[:, None]
    if design.adjust_domain and present is not None:
        # a stratum with one PSU in the domain, of several in the sample
        lonely = lonely | ((present == 1) & (stage.scale > 0)[:, None])
    if not lonely.any() or design.lonely not in (Lonely.ADJUST, Lonely.AVERAGE):
        result: Floats = np.take(centre.T, stage.stratum, axis=1).T
        np.subtract(clusters, result, out=result)
        result *= scale
        return result
    lonely = np.broadcast_to(lonely, centre.shape)
    here = np.ones(centre.shape, dtype=bool) if represented is None else represented
    if design.lonely is Lonely.ADJUST:
        overall = stratum_sums.sum(axis=0) / np.maximum(stage.count @ here, 1)
        centre = np.where(lonely & here, overall, centre)
        return np.asarray((clusters - centre[stage.stratum]) * scale)
    kept = here & ~lonely
    strata, usable = here.sum(axis=0), kept.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.sqrt(np.where(usable > 0, strata / usable, np.nan))
    apart = np.where(kept[stage.stratum], clusters - centre[stage.stratum], 0.0)
    return np.asarray(apart * scale * share)


def _later_stage(sums: Floats, stage: Stage, lonely: Lonely) -> Floats:
    clusters = stage.cluster_sums(sums)
    stratum_sums = stage.stratum_sums(clusters)
    centre = stratum_sums / stage.count[:, None]
    alone = stage.alone
    factor = stage.scale
    if alone.any() and lonely is Lonely.ADJUST:
        centre[alone] = stage.parent_means(stratum_sums)[alone]
    if alone.any() and lonely is Lonely.AVERAGE:
        others = stage.count > 1
        # the mean of the strata of this stage that have several units, for those that have one
        factor = factor * (len(alone) / others.sum() if others.any() else np.nan)
    result: Floats = (clusters - centre[stage.stratum]) * np.sqrt(factor)[stage.stratum, None]
    return result


def _sparse_covariance(sums: Any, stage: Stage) -> Floats:
    """Return sum_h s_h (Z_h'Z_h - n_h m_h m_h'), the products of sparse PSU sums."""
    root = np.sqrt(stage.scale)
    z = sparse.csr_array(sparse.diags_array(root[stage.stratum]) @ sums)
    gather = sparse.csr_array(
        (
            1.0 / np.sqrt(stage.count[stage.stratum]),
            (stage.stratum, np.arange(stage.n_clusters)),
        ),
        shape=(len(stage.fraction), stage.n_clusters),
    )
    means = gather @ z
    joint: Floats = (z.T @ z - means.T @ means).toarray()
    return joint
