"""Replicate weights made from a design: jackknife, half-samples, bootstrap, differences."""

from __future__ import annotations

import numpy as np

from sdmx_service.errors import DesignError
from sdmx_service.survey.columns import some
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.hadamard import hadamard
from sdmx_service.survey.replication import BootstrapScale, Method, attached

__all__ = ["balanced", "bootstrap", "jackknife", "jackknife_one", "successive_difference"]

# Factors of more units than this are a table of over 3 GB.
_MOST = 400_000_000


def jackknife_one(design: Design, *, mse: bool = True) -> Design:
    """Return the design with one replicate a PSU left out, for a sample without strata (JK1)."""
    if design.n_strata > 1:
        raise DesignError(
            "JK1", got=f"{design.n_strata} strata", expected="one stratum", hint="use JKn"
        )
    return _jackknife(design, mse, Method.JK1)


def jackknife(design: Design, *, mse: bool = True) -> Design:
    """Return the design with one replicate for each PSU left out of its stratum (JKn).

    Squares count (1 - f_h) (n_h - 1) / n_h. A lonely PSU has no replicate under REMOVE and
    CERTAINTY; AVERAGE scales the others up, ADJUST leaves it out against all PSUs (as in R).
    """
    return _jackknife(design, mse, Method.JKN)


def _jackknife(design: Design, mse: bool, method: Method) -> Design:
    stage = design.tree[0]
    clusters, strata = stage.n_clusters, len(stage.fraction)
    _refuse_large(clusters, design.n_psu)
    count = stage.count[stage.stratum]
    left_out = np.flatnonzero((count > 1) & (stage.scale[stage.stratum] > 0))
    own = stage.stratum[left_out][:, None] == stage.stratum[None, :]
    factors = np.where(own, (count / np.maximum(count - 1, 1))[None, :], 1.0)
    factors[np.arange(len(left_out)), left_out] = 0.0
    rscales = ((count - 1) / count * (1.0 - stage.fraction[stage.stratum]))[left_out]
    scale = 1.0
    lonely = np.flatnonzero(stage.alone[stage.stratum])
    if len(lonely) and design.lonely is Lonely.ADJUST:
        others = np.full((len(lonely), clusters), strata / (strata - 1))
        others[np.arange(len(lonely)), lonely] = 0.0
        factors = np.vstack([factors, others])
        rscales = np.append(rscales, np.full(len(lonely), (strata - 1) / strata))
    elif len(lonely) and design.lonely is Lonely.AVERAGE:
        scale = clusters / len(left_out)
    if not len(factors):
        raise DesignError(
            "jackknife", got="no PSU that can be left out", expected="strata with several PSUs"
        )
    if method is Method.JK1:
        scale, rscales = float(rscales[0]), np.ones(len(rscales))
    df = len(left_out) - len(np.unique(stage.stratum[left_out])) if len(left_out) else 0
    return attached(design, factors.astype(np.float64), scale, rscales, mse, df, method)


def balanced(design: Design, *, rho: float = 0.0, split: bool = False, mse: bool = True) -> Design:
    """Return the design with balanced half-samples (BRR), or Fay's with ``rho`` over 0.

    Every stratum has two PSUs; ``split`` makes pairs, in the order of PSUs, of an even number of
    them. Fay keeps rho of the half left out; the squares count 1 / (R (1 - rho)^2) (Judkins 1990).
    """
    if not 0.0 <= rho < 1.0:
        raise DesignError("Fay's rho", got=rho, expected="at least 0 and below 1")
    stage = design.tree[0]
    wrong = np.flatnonzero((stage.count % 2 == 1) if split else (stage.count != 2))
    if len(wrong):
        labels = [design.strata[i] if design.strata else i for i in wrong]
        raise DesignError(
            "balanced replicates",
            got=f"{len(wrong)} strata without {'an even number of' if split else 'two'} PSUs: "
            f"{some(labels, most=20)}",
            expected=f"{'an even number of' if split else 'two'} PSUs in every stratum",
            hint="use the jackknife or the bootstrap, or merge lonely strata (lonely: collapse)",
        )
    # PSUs are sorted by stratum: neighbours are pairs
    pair = np.arange(stage.n_clusters) // 2
    sign = np.where(np.arange(stage.n_clusters) % 2 == 0, 1.0, -1.0)
    # the first row is all ones: without it the replicates are in full orthogonal balance
    matrix = hadamard(int(pair[-1]) + 2)
    factors = np.asarray(1.0 + (1.0 - rho) * matrix[1:][pair].T * sign, dtype=np.float64)
    scale = 1.0 / (len(factors) * (1.0 - rho) ** 2)
    method = Method.FAY if rho else Method.BRR
    return attached(design, factors, scale, np.ones(len(factors)), mse, int(pair[-1]) + 1, method)


def successive_difference(design: Design, *, least: int = 80, mse: bool = True) -> Design:
    """Return the design with successive difference replicates (SDR), for a systematic sample.

    PSU i, in the order of their codes (strata, then labels), has the factors
    1 + (a_i - a_(i+1)) / sqrt(8), a_i a row of a Hadamard matrix of ``least`` columns or more; the
    last PSU meets the first. More PSUs than rows make several such rings. Squares count 4 / R, so
    the variance of a total is half the sum of squared differences of neighbours (Fay and Train
    1995).
    """
    matrix = hadamard(least)[1:].astype(np.float64)  # the row of ones is not used
    at = np.arange(design.n_clusters)
    ring = at // len(matrix)
    place, size = at % len(matrix), np.bincount(ring)[ring]
    factors = 1.0 + (matrix[place] - matrix[(place + 1) % size]).T * 2.0**-1.5
    return attached(
        design,
        factors,
        4.0 / len(factors),
        np.ones(len(factors)),
        mse,
        None,
        Method.SDR,
    )


def bootstrap(
    design: Design,
    replicates: int,
    seed: int,
    *,
    mse: bool = True,
    scale: BootstrapScale = BootstrapScale.THEORY,
) -> Design:
    """Return the design with Rao and Wu's rescaling bootstrap, n_h - 1 of n_h PSUs drawn.

    With t the times a PSU was drawn, its factor is 1 - l + l t n_h / (n_h - 1), where
    l = sqrt(1 - f_h), 1 without a finite population (Rao, Wu and Yue 1992). A lonely PSU and a
    stratum whose PSUs were all taken do not vary. The same seed makes the same replicates.
    """
    if replicates < 2:
        raise DesignError("bootstrap", got=replicates, expected="two replicates or more")
    stage = design.tree[0]
    _refuse_large(replicates, design.n_psu)
    if stage.alone.any() and design.lonely not in (Lonely.REMOVE, Lonely.CERTAINTY):
        raise DesignError(
            "bootstrap",
            got=f"{int(stage.alone.sum())} strata with a single PSU and "
            f"lonely: {design.lonely.value}",
            expected="several PSUs in every stratum, or lonely: remove, certainty or collapse",
        )
    draw = np.random.default_rng(seed)
    factors = np.ones((replicates, stage.n_clusters))
    start = np.append(0, np.cumsum(stage.count))
    for stratum in np.flatnonzero((stage.count > 1) & (stage.scale > 0)):
        n = int(stage.count[stratum])
        place = slice(int(start[stratum]), int(start[stratum]) + n)
        drawn = draw.multinomial(n - 1, np.full(n, 1.0 / n), size=replicates)
        length = np.sqrt(1.0 - stage.fraction[stratum])
        factors[:, place] = 1.0 - length + length * drawn * (n / (n - 1))
    divisor = replicates if scale is BootstrapScale.THEORY else replicates - 1
    return attached(
        design,
        factors,
        1.0 / divisor,
        np.ones(replicates),
        mse,
        min(replicates - 1, design.n_clusters - design.n_strata),
        Method.BOOTSTRAP,
    )


def _refuse_large(replicates: int, units: int) -> None:
    if replicates * units > _MOST:
        raise DesignError(
            "replicate weights",
            got=f"{replicates} replicates of {units} units",
            expected=f"at most {_MOST} factors",
            hint="use the linearised variance (no replicates), or a bootstrap with fewer",
        )
