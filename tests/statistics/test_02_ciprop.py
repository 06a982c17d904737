"""Intervals of proportions, as R survey 4.5 has them (data: nhanes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import interpolate, special, stats

from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, proportion

pytestmark = pytest.mark.oracle

CLOSED_FORM, ITERATIVE = 1e-8, 1e-5
# R ends its iteration early and interpolates between about eight points: see r_profile
PROFILE = 5e-4
METHODS = {
    "mean": interval.t,
    "logit": interval.logit,
    "xlogit": interval.logit,
    "asin": interval.asin,
    "beta": interval.korn_graubard,
    "likelihood": interval.likelihood,
}
WITH_ROWS = {"beta", "likelihood"}
# R's "logit" fits a model by iteration, "xlogit" is the closed form
TOLERANCE = {"logit": ITERATIVE, "likelihood": PROFILE}


def bounds_of(found: Estimates, method: str, level: float) -> interval.Intervals:
    rows = [found.n] if method in WITH_ROWS else []
    return METHODS[method](found.value, found.se, found.df, *rows, level=level)


def test_intervals_of_proportions_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    """R's steps on our estimates end at R's likelihood bounds; ours are without its rounding."""
    suite = oracle("02_ciprop")
    data = suite.input()
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    sex, race = data.RIAGENDR.map({1: "sex:M", 2: "sex:F"}), "race:r" + data.race.astype(str)
    cells = Cells.from_labels(
        sex=sex, race=race, agecat="agecat:" + data.agecat, both=race + ";" + sex
    )
    found = proportion(design, cells, data.HI_CHOL)
    place = {domain: at for at, domain in enumerate(found.keys.group)}
    inside = {
        domain: grouping.codes == code
        for grouping in cells.groupings
        for code, domain in enumerate(grouping.keys.group)
    }
    for record in suite.records:
        method, level, domain = record["method"], record["level"], record["domain"]
        bounds, at = bounds_of(found, method, level), place[domain]
        suite.compare(
            record,
            {
                "level": bounds.level,
                "estimate": found.value[at],
                "se": found.se[at],
                "ci_low": bounds.lower[at],
                "ci_high": bounds.upper[at],
                "df": found.df[at],
                "n": found.n[at],
                "deff_wr": found.deff_wr[at],
                "deff_wor": found.deff_wor[at],
            },
            tolerance=TOLERANCE.get(method, CLOSED_FORM),
        )
        if method == "likelihood":
            rows = data[inside[domain]].dropna(subset="HI_CHOL")
            as_in_r = r_profile(
                rows.HI_CHOL.to_numpy(),
                rows.WTMEC2YR.to_numpy(),
                float(found.se[at]),
                float(interval.critical(found.df[at], level)),
            )
            expected = record["ci_low"], record["ci_high"]
            np.testing.assert_allclose(as_in_r, expected, rtol=ITERATIVE)
    assert suite.failures == []


def r_profile(y: np.ndarray, weights: np.ndarray, se: float, t: float) -> tuple[float, float]:
    """Return confint.svyglm(method="likelihood") of a share, as R gets there."""
    w, n = weights / weights.mean(), len(y)
    p = float(w @ y / n)
    # glm.fit: the information is that of the last iteration but one
    mu, before, deviance = (w * y + 0.5) / (w + 1), np.inf, 0.0
    while abs(deviance - before) >= 1e-8 * (abs(deviance) + 0.1):
        before = -2 * float(w @ (special.xlogy(y, mu) + special.xlogy(1 - y, 1 - mu)))
        information = w * mu * (1 - mu)
        step = special.logit(mu) + (y - mu) / (mu * (1 - mu))
        mu = np.full(n, special.expit(information @ step / information.sum()))
        deviance = -2 * float(w @ (special.xlogy(y, mu) + special.xlogy(1 - y, 1 - mu)))
    centre, error = float(special.logit(p)), se / (p * (1 - p))
    cut = t * np.sqrt(error**2 * information.sum())
    # MASS:::profile.glm: steps of a fifth of the way, the dispersion being n / (n - 1)
    furthest = np.sqrt(stats.f.isf(stats.norm.cdf(-cut) / 2, 1, n - 1))
    points = [(centre, 0.0)]
    for sign in (-1, 1):
        z = 0.0
        for step_number in range(1, 10):
            if abs(z) >= furthest:
                break
            way = sign * step_number * furthest / 5 * error
            z = sign * np.sqrt(2 * (n - 1) * (np.log1p(p * np.expm1(way)) - p * way))
            points.append((centre + way, z))
    x, y_ = (np.array(column) for column in zip(*sorted(points), strict=True))
    # spline(): at its ends the third derivative is that of the cubic through four points
    ends = tuple(
        6 * np.polyfit(x[part] - x[0], y_[part], 3)[0] for part in (slice(0, 4), slice(-4, None))
    )
    fine = np.linspace(x[0], x[-1], 3 * len(x))
    smooth = fmm_spline(x, y_, ends)(fine)
    lower, upper = np.interp([-cut, cut], smooth, fine)
    return float(special.expit(lower)), float(special.expit(upper))


def fmm_spline(x: np.ndarray, y: np.ndarray, ends: tuple[float, float]) -> interpolate.PPoly:
    """Return the cubic spline with these third derivatives at its ends."""
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    system = np.diag(np.concatenate([[-1.0], 2 * (h[:-1] + h[1:]), [1.0]]))
    system[np.arange(1, len(x) - 1), np.arange(len(x) - 2)] = h[:-1]
    system[np.arange(1, len(x) - 1), np.arange(2, len(x))] = h[1:]
    system[0, 1], system[-1, -2] = 1.0, -1.0
    right = np.concatenate([[ends[0] * h[0]], 6 * np.diff(slope), [ends[1] * h[-1]]])
    second = np.linalg.solve(system, right)
    return interpolate.PPoly(
        np.array(
            [
                np.diff(second) / (6 * h),
                second[:-1] / 2,
                slope - h * (2 * second[:-1] + second[1:]) / 6,
                y[:-1],
            ]
        ),
        x,
    )
