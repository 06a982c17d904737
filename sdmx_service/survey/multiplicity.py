"""Adjustment of p values and intervals for the number of comparisons in a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special
from scipy.stats import qmc

__all__ = ["Adjusted", "Adjustment", "Simultaneous", "adjust", "simultaneous"]

Floats = NDArray[np.float64]


class Adjustment(Enum):
    """The error rate that is kept; the values are statsmodels' names."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "fdr_bh"
    BONFERRONI = "bonferroni"
    SIDAK = "sidak"


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Adjusted p values (M,), NaN where p is, and how many its family tests, (M,)."""

    p: NDArray[np.float64]
    family_size: NDArray[np.intp]


def adjust(p: ArrayLike, family: ArrayLike, method: Adjustment) -> Adjusted:
    """Return p values (M,) adjusted within the families that ``family`` (M,) labels.

    A comparison without a p value is not tested and does not count. All families are adjusted
    in one pass: statsmodels' ``multipletests``, whose values these are, takes them one by one and
    collects garbage each time, which took nine tenths of a build with thousands of families.
    """
    table = pd.DataFrame({"p": np.asarray(p, dtype=np.float64), "family": pd.Series(family)})
    tested = table[np.isfinite(table["p"])].sort_values("p", kind="stable")
    groups = tested.groupby("family", sort=False)["p"]
    size = groups.transform("size")
    rank = groups.cumcount() + 1
    with np.errstate(divide="ignore"):  # Sidak's of a p value of 1 is 1, by way of log 0
        adjusted = _ADJUST[method](tested["p"], size, rank, tested["family"]).clip(upper=1.0)
    sizes = table["family"].map(groups.size()).fillna(0)
    return Adjusted(
        adjusted.reindex(table.index).to_numpy(dtype=np.float64), sizes.to_numpy(dtype=np.intp)
    )


def _holm(p: pd.Series, size: pd.Series, rank: pd.Series, family: pd.Series) -> pd.Series:
    return (p * (size - rank + 1)).groupby(family).cummax()


def _benjamini_hochberg(
    p: pd.Series, size: pd.Series, rank: pd.Series, family: pd.Series
) -> pd.Series:
    return (p * size / rank)[::-1].groupby(family[::-1]).cummin()


_ADJUST: dict[Adjustment, Callable[[pd.Series, pd.Series, pd.Series, pd.Series], pd.Series]] = {
    Adjustment.HOLM: _holm,
    Adjustment.BENJAMINI_HOCHBERG: _benjamini_hochberg,
    Adjustment.BONFERRONI: lambda p, size, _rank, _family: p * size,
    Adjustment.SIDAK: lambda p, size, _rank, _family: -np.expm1(size * np.log1p(-p)),
}


@dataclass(frozen=True, eq=False)
class Simultaneous:
    """Intervals that hold together: with the chance ``level`` all of a family cover at once.

    ``lower``, ``upper`` and the adjusted ``p`` are (M,), ``critical`` (M,) is what takes the place
    of Student's quantile; NaN where there is no standard error.
    """

    lower: Floats
    upper: Floats
    p: Floats
    critical: Floats
    level: float


def simultaneous(
    value: ArrayLike,
    deviations: ArrayLike,
    df: ArrayLike,
    family: ArrayLike,
    *,
    level: float = 0.95,
    directions: int = 4096,
    seed: int = 0,
) -> Simultaneous:
    """Return single-step max-t intervals and p values of ``value`` (M,) in each family.

    ``deviations`` (R, M) is a matrix D with D'D the joint covariance (``Derived.deviations``), so
    that correlated comparisons cost less than Bonferroni's. The critical value is that of the
    largest of |t| under the multivariate t distribution with the family's correlation and its
    smallest ``df``: exact along each direction of the sphere, averaged over ``directions`` of them
    from a Sobol sequence scrambled by ``seed`` (Hothorn, Bretz and Westfall 2008; Genz and Bretz
    2009). A family of one has Student's.
    """
    centre, spread = np.asarray(value, dtype=np.float64), np.asarray(deviations, dtype=np.float64)
    freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), centre.shape)
    error = np.sqrt(np.einsum("rm,rm->m", spread, spread))
    usable = np.isfinite(centre) & np.isfinite(error) & (error > 0) & (freedom >= 1)
    critical, p = np.full(centre.shape, np.nan), np.full(centre.shape, np.nan)
    codes = pd.factorize(pd.Series(family))[0]
    for code in np.unique(codes[usable & (codes >= 0)]):
        members = np.flatnonzero(usable & (codes == code))
        reach, rank = _reach(spread[:, members] / error[members], directions, seed)
        least = float(freedom[members].min())
        critical[members] = _critical(reach, rank, least, level)
        scores = np.abs(centre[members] / error[members])
        p[members] = [1.0 - _below(float(score), reach, rank, least) for score in scores]
    margin = critical * error
    return Simultaneous(centre - margin, centre + margin, np.clip(p, 0.0, 1.0), critical, level)


def _reach(standard: Floats, directions: int, seed: int) -> tuple[Floats, int]:
    """Return for each direction of the sphere the largest |score| per unit length, and its rank."""
    _, roots, right = np.linalg.svd(standard, full_matrices=False)
    kept = roots > 1e-10 * roots[0]
    factor, rank = (roots[:, None] * right)[kept], int(kept.sum())
    if rank == 1:
        return np.abs(factor).max(axis=1), 1
    sequence = qmc.Sobol(rank, seed=seed).random(directions)
    normal = special.ndtri(np.clip(sequence, 1e-12, 1.0 - 1e-12))
    sphere = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    reach: Floats = np.abs(sphere @ factor).max(axis=1)
    return reach, rank


def _below(bound: float, reach: Floats, rank: int, df: float) -> float:
    """Return the chance that the largest |t| is at most ``bound``."""
    # squared length over rank of a multivariate t vector is F(rank, df)
    squared = (bound / reach) ** 2 / rank
    if np.isinf(df):
        return float(special.chdtr(rank, squared * rank).mean())
    return float(special.fdtr(rank, df, squared).mean())


def _critical(reach: Floats, rank: int, df: float, level: float) -> float:
    highest = 2.0
    while _below(highest, reach, rank, df) < level:
        highest *= 2.0
    root = optimize.brentq(
        lambda bound: _below(bound, reach, rank, df) - level, 0.0, highest, xtol=1e-12
    )
    return float(root)
