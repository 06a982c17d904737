"""Fay-Herriot estimates as R sae 1.3 has them (data: milk, 43 areas of the United States)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sdmx_service.survey.benchmarking import benchmark
from sdmx_service.survey.smallarea import VarianceMethod, fay_herriot

pytestmark = pytest.mark.oracle

ITERATIVE = 1e-5


def test_area_estimates_agree_with_r_sae(oracle: Callable[[str], Any]) -> None:
    suite = oracle("10_small_area")
    data = suite.input()
    regions = [1, 2, 3, 4]
    terms = ["X(Intercept)", *(f"XMA{region}" for region in regions[1:])]
    x = np.column_stack([np.ones(len(data)), *(data.MajorArea == region for region in regions[1:])])
    psi, place = data.SD**2, {area: at for at, area in enumerate(data.SmallArea)}
    share = data.ni / data.ni.sum()
    nation = float(share @ data.yi)
    fits = {method.value: fay_herriot(data.yi, psi, x, method=method) for method in VarianceMethod}
    scaled = {name: benchmark(fit.estimate, data.ni, nation) for name, fit in fits.items()}
    for record in suite.records:
        fit = fits[record["method"]]
        at = place.get(record.get("area"), -1)
        if record["kind"] == "fit":
            got = {
                "refvar": fit.variance,
                "loglik": fit.loglik,
                "AIC": fit.aic,
                "BIC": fit.bic,
                "iterations": fit.iterations,
            }
            assert fit.converged is record["converged"]
        elif record["kind"] == "beta":
            term = terms.index(record["term"])
            got = {"estimate": fit.coefficients[term], "se": fit.coefficient_se[term]}
        elif record["kind"] == "eblup":
            got = {
                "direct": fit.direct[at],
                "direct_se": np.sqrt(fit.sampling_variance[at]),
                "estimate": fit.estimate[at],
                "mse": fit.mse[at],
                "gamma": fit.gamma[at],
            }
        else:
            changed = scaled[record["method"]]
            got = {"estimate": changed.estimate[at], "target": nation, "weight": share[at]}
        suite.compare(record, {**got, "area": record.get("area")}, tolerance=ITERATIVE)
    assert suite.failures == []
