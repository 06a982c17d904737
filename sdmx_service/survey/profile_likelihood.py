"""Likelihood intervals of shares by the steps of R, for those who must repeat its numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import interpolate, special, stats

from sdmx_service.model import CiMethod
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion
from sdmx_service.survey.interval import Intervals, critical
from sdmx_service.survey.outcome import known_values

__all__ = ["information_as_r", "likelihood_as_r"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_GLM_ROUNDS = 25
_GLM_CHANGE = 1e-8
_PROFILE_STEPS = 9


def likelihood_as_r(
    design: Design,
    cells: Cells,
    outcome: ArrayLike,
    *,
    universe: Booleans | None = None,
    df: ArrayLike | None = None,
    level: float = 0.95,
) -> Intervals:
    """Return the bounds of R survey's ``svyciprop(method="likelihood")`` by cell, (K,).

    ``interval.likelihood`` solves the equation that these bounds only come near: R's ``glm`` leaves
    the information of its last iteration but one, and ``confint`` reads the bounds off a spline
    through about eight points of the profile. Arguments as of ``estimate.proportion``; ``df`` (K,)
    or one number is by default that of the cell. None at 0 and 1. Raises DataError for an outcome
    below 0 or above 1.
    """
    found = proportion(design, cells, outcome, universe=universe)
    information = information_as_r(design, cells, outcome, universe=universe)
    p, n = found.value, found.n.astype(np.float64)
    freedom = np.broadcast_to(np.asarray(found.df if df is None else df), p.shape)
    inside = found.estimable & (p > 0) & (p < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(inside, found.se / (p * (1.0 - p)), np.nan)
    cut = critical(freedom, level) * np.sqrt(error**2 * information)
    lower, upper = np.full(len(p), np.nan), np.full(len(p), np.nan)
    for at in np.flatnonzero(np.isfinite(cut)):
        lower[at], upper[at] = _read_off(p[at], n[at], error[at], cut[at])
    known = np.isfinite(lower) & np.isfinite(upper)
    method = np.full(known.shape, CiMethod.NONE, dtype=object)
    method[known] = CiMethod.LIKELIHOOD
    return Intervals(np.where(known, lower, np.nan), np.where(known, upper, np.nan), method, level)


def information_as_r(
    design: Design, cells: Cells, outcome: ArrayLike, *, universe: Booleans | None = None
) -> Floats:
    """Return the information on the logit of a share that R's ``glm`` ends with, (K,).

    Weights have mean one in the cell. It is the sum of w mu (1 - mu) with the mu that the last
    iteration began with, not the one it ended with.
    """
    y, known = known_values(design, outcome)
    used = known & (design.weights > 0)
    if universe is not None:
        used &= universe
    y, weights = y[used], design.weights[used]
    found = [
        _last_but_one(grouping.codes[used], len(grouping.keys), y, weights)
        for grouping in cells.groupings
    ]
    return np.concatenate(found)


def _last_but_one(code: NDArray[np.intp], count: int, y: Floats, weights: Floats) -> Floats:
    """Return the information by cell, (count,), of rows with this ``code``, -1 for none."""
    y, weights, code = y[code >= 0], weights[code >= 0], code[code >= 0]
    n = np.bincount(code, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        w = weights * (n / np.bincount(code, weights, count))[code]
        p = np.bincount(code, w * y, count) / n
        # glm begins with a mean of its own for every row
        start = (w * y + 0.5) / (w + 1.0)
        slope = w * start * (1.0 - start)
        information = np.bincount(code, slope, count)
        step = slope * special.logit(start) + w * (y - start)
        mu = special.expit(np.bincount(code, step, count) / information)
        best = special.xlogy(y, y) + special.xlogy(1.0 - y, 1.0 - y)
        own = np.bincount(code, w * best, count).astype(np.float64)
        deviance = _deviance(n, p, mu, own)
        running = np.isfinite(deviance)
        for _ in range(_GLM_ROUNDS - 1):
            slope = mu * (1.0 - mu)
            information = np.where(running, n * slope, information)
            mu = np.where(running, special.expit(special.logit(mu) + (p - mu) / slope), mu)
            before, deviance = deviance, _deviance(n, p, mu, own)
            running &= np.abs(deviance - before) >= _GLM_CHANGE * (np.abs(deviance) + 0.1)
            if not running.any():
                break
    return np.asarray(information)


def _deviance(n: NDArray[np.intp], p: Floats, mu: Floats, own: Floats) -> Floats:
    likelihood = n * (special.xlogy(p, mu) + special.xlogy(1.0 - p, 1.0 - mu))
    deviance: Floats = 2.0 * (own - likelihood)
    return deviance


def _read_off(p: float, n: float, error: float, cut: float) -> tuple[float, float]:
    """Return where R's picture of the signed root of the deviance is -``cut`` and ``cut``.

    The points are those of ``profile.glm`` of MASS, a fifth of the way to the furthest apart, the
    dispersion being n / (n - 1); the line through them is ``spline``, read by ``approx``.
    """
    furthest = np.sqrt(stats.f.isf(stats.norm.cdf(-cut) / 2.0, 1, n - 1.0))
    # steps to one side, as distances of the logit
    steps = np.arange(1, _PROFILE_STEPS + 1) * furthest / 5.0 * error
    with np.errstate(over="ignore", invalid="ignore"):
        sides = []
        for sign in (-1.0, 1.0):
            way = sign * steps
            z = np.sqrt(2.0 * (n - 1.0) * (np.log1p(p * np.expm1(way)) - p * way))
            # the first point beyond the furthest is the last one
            taken = np.append(True, z[:-1] < furthest)
            sides.append((way[taken], sign * z[taken]))
    (down, z_down), (up, z_up) = sides
    x = np.concatenate([down[::-1], [0.0], up])
    z = np.concatenate([z_down[::-1], [0.0], z_up])
    if not np.isfinite(z).all():
        return np.nan, np.nan
    fine = np.linspace(x[0], x[-1], 3 * len(x))
    found = np.interp([-cut, cut], _spline(x, z)(fine), fine, left=np.nan, right=np.nan)
    lower, upper = special.expit(special.logit(p) + found)
    return float(lower), float(upper)


def _spline(x: Floats, y: Floats) -> interpolate.PPoly:
    """Return R's ``spline`` through m points, m > 3 (Forsythe, Malcolm and Moler 1977, 4.4).

    At each end its third derivative is that of the cubic through the four points there.
    """
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    second = np.diff(slope) / (x[2:] - x[:-2])
    third = np.diff(second) / (x[3:] - x[:-3])
    system = np.diag(np.concatenate([[-1.0], 2.0 * (h[:-1] + h[1:]), [1.0]]))
    inner = np.arange(1, len(x) - 1)
    system[inner, inner - 1], system[inner, inner + 1] = h[:-1], h[1:]
    system[0, 1], system[-1, -2] = 1.0, -1.0
    ends = 6.0 * third[0] * h[0], 6.0 * third[-1] * h[-1]
    curve = np.linalg.solve(system, np.concatenate([ends[:1], 6.0 * np.diff(slope), ends[1:]]))
    return interpolate.PPoly(
        np.array(
            [
                np.diff(curve) / (6.0 * h),
                curve[:-1] / 2.0,
                slope - h * (2.0 * curve[:-1] + curve[1:]) / 6.0,
                y[:-1],
            ]
        ),
        x,
    )
