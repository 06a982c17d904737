"""Adjustment of p values for the number of comparisons in a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["Adjusted", "Adjustment", "adjust"]


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
