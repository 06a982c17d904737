"""Adjusted levels of groups by marginal standardisation of a model."""

from __future__ import annotations

from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.errors import DataError
from sdmx_service.model import Measure
from sdmx_service.survey.derived import Derived, from_rows
from sdmx_service.survey.gap import Gaps
from sdmx_service.survey.sandwich import Fit

__all__ = ["CovariateSampling", "adjusted_gaps", "standardise"]

Floats = NDArray[np.float64]


class CovariateSampling(Enum):
    """Whether the people over whom a model is averaged count as sampled.

    FIXED: no, the delta method of the coefficients alone. LINEARISED: yes, by the influence values
    of coefficients and average together. GRAUBARD_KORN: yes, the two variances added without their
    covariance, which is zero under the model (Graubard and Korn 1999; R's ``svypredmeans``).
    """

    FIXED = "fixed"
    LINEARISED = "linearised"
    GRAUBARD_KORN = "graubard_korn"


def standardise(
    fit: Fit,
    group: str,
    *,
    covariates: CovariateSampling = CovariateSampling.FIXED,
    population: NDArray[np.bool_] | None = None,
) -> Derived:
    """Return what the outcome's mean would be if everybody were in each group, (G,).

    m_g = sum w h(x_g'b) / sum w over the rows of ``population`` (n,), by default those in the fit,
    x_g being a row's covariates with its group set to g. The keys have a column ``group``.

    Raises DataError where ``group`` is not a grouping variable of the model, or where a row of
    ``population`` lacks a covariate.
    """
    terms, design = fit.terms, fit.design
    if group not in terms.levels:
        raise DataError(
            "standardised means",
            got=group,
            expected=f"a grouping variable of the model: {', '.join(terms.levels)}",
        )
    rows = fit.used if population is None else population & (design.weights > 0)
    others = [name for name in terms.variables if name != group]
    people = fit.data.loc[rows, [*others, group]]
    if not len(people) or people[others].isna().any(axis=None):
        raise DataError(
            "standardised means",
            got=f"{int(people[others].isna().any(axis=1).sum())} of {len(people)} people"
            " without a covariate",
            expected="people with all covariates to average over",
        )
    share = design.weights[rows] / design.weights[rows].sum()
    levels = terms.levels[group]
    values, slopes = np.empty(len(levels)), np.empty((len(levels), len(fit.coefficients)))
    averaged = np.empty((len(people), len(levels)))
    for at, level in enumerate(levels):
        matrix = terms.matrix(_all_in(people, group, level))
        fitted, slope = fit.predict(matrix)
        values[at] = share @ fitted
        slopes[at] = (share * slope) @ matrix
        averaged[:, at] = share * (fitted - values[at])
    keys = pd.DataFrame({"group": levels})
    df = fit.coefficients.df[0]
    by_model = fit.coefficients.transform(values, slopes, keys, df=df)
    if covariates is CovariateSampling.FIXED:
        return by_model
    by_people = from_rows(design, rows, values, averaged, keys).deviations
    if covariates is CovariateSampling.LINEARISED:
        spread = by_model.deviations + by_people
    else:
        spread = np.vstack([by_model.deviations, by_people])
    return Derived(keys, values, spread, by_model.df)


def _all_in(people: pd.DataFrame, group: str, level: object) -> pd.DataFrame:
    moved = people.copy()
    moved[group] = pd.Series([level] * len(people), index=people.index)
    return moved


def adjusted_gaps(
    means: Derived, reference: object, measure: Measure, *, level: float = 0.95
) -> tuple[list[object], Gaps]:
    """Return the other groups and their gaps from ``reference`` among standardised means.

    Raises DataError for a reference that is none of the groups.
    """
    groups = means.keys["group"].tolist()
    if reference not in groups:
        raise DataError(
            "adjusted gaps",
            got=f"reference {reference}",
            expected=f"one of {', '.join(map(str, groups))}",
        )
    base = groups.index(reference)
    others = [at for at in range(len(groups)) if at != base]
    gaps = means.gaps(others, [base] * len(others), measure, level=level)
    return [groups[at] for at in others], gaps
