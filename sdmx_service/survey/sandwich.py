"""Design-based covariance of the coefficients of a statsmodels GLM."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdmx_service.survey.design import Design
from sdmx_service.survey.variance import covariance

__all__ = ["glm_covariance"]


def glm_covariance(
    results: Any, design: Design, used: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the (p, p) covariance of a GLM fitted by statsmodels with ``var_weights``.

    The fit gives the scores x w (y - mu) mu' / V(mu) and the information A; the design gives their
    variance: A^-1 V(scores) A^-1 (Binder 1983). The weights of the fit must be the design's, up to
    a constant. ``used`` (n,) marks the design's rows that are in the fit, in order; by default all.
    """
    model = results.model
    rows = np.arange(design.n_rows) if used is None else np.flatnonzero(used)
    if len(rows) != len(model.endog):
        raise ValueError(f"{len(model.endog)} rows in the fit, {len(rows)} rows in the design")
    x = np.asarray(model.exog, dtype=np.float64)
    fitted, link = np.asarray(results.mu), model.family.link
    derivative = 1.0 / link.deriv(fitted)
    spread = model.family.variance(fitted)
    weights = np.asarray(model.var_weights, dtype=np.float64)
    # the expected information of the quasi-likelihood, whichever the link
    information = (x * (weights * derivative**2 / spread)[:, None]).T @ x
    scores = x * (weights * (np.asarray(model.endog) - fitted) * derivative / spread)[:, None]
    influence = scores @ np.linalg.inv(information)
    psu = design.psu[rows]
    sums = np.zeros((design.n_psu, influence.shape[1]))
    np.add.at(sums, psu, influence)
    present = np.bincount(design.stratum_of_psu[psu], minlength=design.n_strata) > 0
    return covariance(sums, design, represented=np.repeat(present[:, None], sums.shape[1], axis=1))
