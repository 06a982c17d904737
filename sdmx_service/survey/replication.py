"""Replicate weights, read from a file or given as factors of sampling units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DesignError
from sdmx_service.survey.columns import rows_said, some
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates

__all__ = [
    "BootstrapScale",
    "Method",
    "Replicates",
    "attached",
    "from_factors",
    "from_weights",
    "reestimate",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class Method(Enum):
    """How replicates were made; it sets their scale. The values are R survey's names."""

    BRR = "BRR"
    FAY = "Fay"
    JK1 = "JK1"
    JK2 = "JK2"
    JKN = "JKn"
    BOOTSTRAP = "bootstrap"
    SDR = "successive-difference"
    ACS = "ACS"
    OTHER = "other"


class BootstrapScale(Enum):
    """What a bootstrap's squares are divided by: R replicates, or, as R survey does, R - 1."""

    THEORY = "R"
    R_SURVEY = "R - 1"


@dataclass(frozen=True, eq=False)
class Replicates:
    """R sets of weights: ``factors`` (R, P) multiply the weights of the design's P units.

    V = ``scale`` sum_r ``rscales``_r (theta_r - theta)^2 around the full sample's estimate
    (``mse``), or around the mean of the replicates' estimates. ``df`` degrees of freedom.
    """

    factors: Floats
    scale: float
    rscales: Floats
    mse: bool
    df: int
    method: Method

    def __len__(self) -> int:
        return len(self.factors)

    def deviations(self, values: Floats, centre: Floats) -> Floats:
        """Return D (R, K) with D'D the covariance of replicated ``values`` (R, K).

        A replicate in which a cell has no value (its people all have weight zero) is left out of
        that cell, as R does.
        """
        known = np.isfinite(values)
        middle = centre
        if not self.mse:
            counted = known & (self.rscales > 0)[:, None]
            with np.errstate(invalid="ignore"):
                middle = np.where(counted, values, 0.0).sum(axis=0) / counted.sum(axis=0)
        root = np.sqrt(self.scale * self.rscales)[:, None]
        with np.errstate(invalid="ignore"):
            apart = np.where(known, values - middle, 0.0)
        return np.asarray(np.where(known.any(axis=0), root * apart, np.nan))

    def totals(self, sums: Any) -> Floats:
        """Return totals with each replicate's weights, (R, K), from their sums by unit (P, K)."""
        totals: Floats = self.factors @ sums
        return totals

    def ratios(self, value: Floats, influence: Any, denominator: Any) -> Floats:
        """Return ratios with each replicate's weights, (R, K).

        Where the influence values are (y - R x) / X, the ratio of a replicate is R plus X times
        its sum of influence over its sum of x: two matrix products for all replicates and cells.
        """
        base = self.factors @ denominator
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = denominator.sum(axis=0) * (self.factors @ influence) / base
            return np.asarray(value + moved)

    def linear_deviations(self, influence: Floats) -> Floats:
        """Return D (R, K) of linearised statistics from unit sums of influence values (P, K)."""
        moved: Floats = self.factors @ influence - influence.sum(axis=0)
        return self.deviations(moved, np.zeros(moved.shape[1]))


def from_weights(
    design: Design,
    weights: ArrayLike,
    method: Method,
    *,
    combined: bool = True,
    scale: float | None = None,
    rscales: ArrayLike | None = None,
    rho: float | None = None,
    mse: bool = True,
    df: int | None = None,
    bootstrap_scale: BootstrapScale = BootstrapScale.THEORY,
) -> Design:
    """Return the design with replicate weights (n, R) from a file.

    ``combined`` weights hold the sampling weight; otherwise they are factors of it. ``scale`` and
    ``rscales`` (R,) default to those of the method (Method.JKN and OTHER have none of their own),
    ``rho`` is Fay's, ``df`` by default the rank of the weights minus one, as in R. Weights whose
    factors are the same for all rows of a PSU cost no more than PSUs; others are kept by row.

    Raises DesignError for a wrong shape, missing, infinite or negative weights, replicates without
    any weight, and scales that do not fit the method.
    """
    table = _checked(weights, design.n_rows)
    base = design.weights
    if combined:
        lost = (base == 0) & (table != 0).any(axis=1)
        if lost.any():
            raise DesignError(
                "replicate weights",
                got=f"weight 0 in the sample but not in a replicate, {rows_said(lost)}",
                expected="no weight in a replicate where the sample has none",
            )
    _refuse_mistaken(table, base, combined)
    used = base > 0
    first = np.zeros(design.n_psu, dtype=np.intp)
    first[design.psu[used][::-1]] = np.flatnonzero(used)[::-1]
    divisor = np.where(used, base, 1.0) if combined else np.ones(len(base))
    by_unit = np.empty((table.shape[1], design.n_psu))
    same = True
    for at in range(table.shape[1]):
        factor = table[:, at] / divisor
        by_unit[at] = factor[first]
        apart = np.abs(factor - by_unit[at][design.psu]) > 1e-10 * factor
        if (apart & used).any():
            same = False
            break
    if not same:
        design = design.by_row()
        by_unit = np.empty((table.shape[1], design.n_psu))
        by_unit[:, design.psu] = (table / divisor[:, None]).T
    return _with(design, by_unit, method, scale, rscales, rho, mse, df, bootstrap_scale)


def from_factors(
    design: Design,
    factors: ArrayLike,
    of_row: ArrayLike,
    method: Method,
    *,
    scale: float | None = None,
    rscales: ArrayLike | None = None,
    rho: float | None = None,
    mse: bool = True,
    df: int | None = None,
    bootstrap_scale: BootstrapScale = BootstrapScale.THEORY,
) -> Design:
    """Return the design with the factors (U, R) of U units; ``of_row`` (n,) are 0..U-1.

    Arguments as in ``from_weights``. Raises DesignError also for a unit without factors.
    """
    index = np.asarray(of_row)
    table = _checked(factors, None)
    if len(index) != design.n_rows:
        raise DesignError(
            "replicate factors",
            got=f"the units of {len(index)} rows",
            expected=f"those of {design.n_rows} rows",
        )
    outside = (index < 0) | (index >= len(table))
    if outside.any():
        raise DesignError(
            "replicate factors",
            got=f"factors of {len(table)} units; another unit in {rows_said(outside)}",
            expected="factors for the unit of every row",
        )
    return from_weights(
        design,
        table[index],
        method,
        combined=False,
        scale=scale,
        rscales=rscales,
        rho=rho,
        mse=mse,
        df=df,
        bootstrap_scale=bootstrap_scale,
    )


def reestimate(design: Design, evaluate: Callable[[Design], Estimates]) -> Estimates:
    """Return what ``evaluate`` returns, estimated anew with each replicate's weights.

    For statistics that are no totals or ratios (quantiles, thresholds), whose replicates would
    else be linearised. ``evaluate`` is called with a design without replicates, R + 1 times.
    """
    own = design.replicates
    if own is None:
        raise ValueError("a design without replicate weights")
    plain = replace(design, replicates=None)
    found = evaluate(plain)
    values = np.empty((len(own), len(found)))
    for at, factors in enumerate(own.factors):
        weights = design.weights * factors[design.psu]
        again = evaluate(replace(plain, weights=weights, calibration=None))
        if len(again) != len(found):
            raise ValueError("the cells of a replicate are not those of the sample")
        values[at] = again.value
    return replace(found, design=design, replicated=values)


def _checked(weights: ArrayLike, rows: int | None) -> Floats:
    try:
        table = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DesignError("replicate weights", got=str(error), expected="numbers") from error
    if table.ndim != 2 or (rows is not None and len(table) != rows) or table.shape[1] < 2:
        raise DesignError(
            "replicate weights",
            got=f"a table of shape {table.shape}",
            expected=f"{'a row a unit' if rows is None else f'{rows} rows'}, a column a replicate, "
            "two or more",
            hint="transpose it" if rows in table.shape[1:] else None,
        )
    for wrong, is_what in (
        (np.isnan(table), "missing"),
        (np.isinf(table), "infinite"),
        (table < 0, "negative"),
    ):
        if wrong.any():
            raise DesignError(
                "replicate weights",
                got=f"{is_what} in {rows_said(np.asarray(wrong.any(axis=1)))}",
                expected="finite weights of 0 or more",
                hint="calibration can make negative weights: bound it"
                if is_what == "negative"
                else None,
            )
    empty = np.flatnonzero(~table.any(axis=0))
    if len(empty):
        raise DesignError(
            "replicate weights",
            got=f"0 in every row of replicates {some((empty + 1).tolist())}",
            expected="some positive weights in every replicate",
        )
    return table


def _refuse_mistaken(table: Floats, base: Floats, combined: bool) -> None:
    """Refuse factors declared as weights, and weights declared as factors."""
    mean, weight = float(table.mean()), float(base.mean())
    if combined and mean < 5 and weight > 5 * mean:
        declared, other = "combined", "factors: combined=False"
    elif not combined and mean > 5 and weight < 5 * mean:
        declared, other = "factors", "combined weights: combined=True"
    else:
        return
    raise DesignError(
        "replicate weights",
        got=f"a mean of {mean:.4g} beside a mean sampling weight of {weight:.4g}, declared as "
        f"{declared}",
        expected=other,
    )


def _with(
    design: Design,
    factors: Floats,
    method: Method,
    scale: float | None,
    rscales: ArrayLike | None,
    rho: float | None,
    mse: bool,
    df: int | None,
    bootstrap_scale: BootstrapScale,
) -> Design:
    count = len(factors)
    if (rho is not None) != (method is Method.FAY) or (rho is not None and not 0 <= rho < 1):
        raise DesignError(
            "replicate weights",
            got=f"method {method.value} with rho {rho}",
            expected="rho, at least 0 and below 1, for Fay's method and for no other",
        )
    if scale is None:
        if method is Method.OTHER:
            raise DesignError("replicate weights", expected="a scale, which method other has not")
        divisor = count if bootstrap_scale is BootstrapScale.THEORY else count - 1
        scale = {
            Method.BRR: 1.0 / count,
            Method.FAY: 1.0 / (count * (1.0 - (rho or 0.0)) ** 2),
            Method.JK1: (count - 1) / count,
            Method.JK2: 1.0,
            Method.JKN: 1.0,
            Method.BOOTSTRAP: 1.0 / divisor,
            Method.SDR: 4.0 / count,
            Method.ACS: 4.0 / count,
        }[method]
    if rscales is None and method is Method.JKN:
        raise DesignError(
            "replicate weights",
            got="method JKn without rscales",
            expected="rscales, (n_h - 1) / n_h of the stratum of the PSU left out, a replicate",
        )
    each = np.ones(count) if rscales is None else np.asarray(rscales, dtype=np.float64)
    if each.shape != (count,) or not np.isfinite(each).all() or (each < 0).any() or not scale > 0:
        raise DesignError(
            "replicate weights",
            got=f"scale {scale}, {each.shape} rscales",
            expected=f"a scale over 0 and {count} rscales of 0 or more",
        )
    return attached(design, factors, float(scale), each, mse, df, method)


def attached(
    design: Design,
    factors: Floats,
    scale: float,
    rscales: Floats,
    mse: bool,
    df: int | None,
    method: Method,
) -> Design:
    """Return the design with replicates, of its units or of its PSUs."""
    if factors.shape[1] != design.n_psu:
        assert design.cluster is not None  # made replicates are those of PSUs
        factors = factors[:, design.cluster]
    freedom = _rank(factors) - 1 if df is None else df
    if freedom < 1:
        raise DesignError("replicate weights", got=f"{freedom} df", expected="one or more")
    own = Replicates(factors, scale, rscales, mse, freedom, method)
    return replace(design, replicates=own)


def _rank(factors: Floats) -> int:
    """Return the rank, singular values under 1e-5 of the largest being none (R's tolerance)."""
    gram = factors @ factors.T if len(factors) <= factors.shape[1] else factors.T @ factors
    roots = np.linalg.eigvalsh(gram)
    return int((roots > 1e-10 * roots[-1]).sum())
