"""Measures of inequality as WHO's R healthequal 1.0.0 has them, where it is right.

Data: healthequal's bundled samples of births attended by skilled personnel. Where its standard
errors are defective, docs/methods/disparity.md says how and what is compared instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from sdmx_service.survey.aggregated import Aggregates, Errors, of_aggregates, regression_error
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.disparity import Disparity, disparity, intervals
from sdmx_service.survey.subgroups import Convention, Fit, Rank, Reading

pytestmark = pytest.mark.oracle

ITERATIVE = 1e-5
FILES = {
    "ordered wealth quintiles SBA": "heq_OrderedSample.csv",
    "34 subnational regions SBA": "heq_NonorderedSample.csv",
}
NAMES = {"covar": "COV", "parisk": "PAR"}
ERRORS = {
    "object 'popsh' not found": "the oracle fails: object 'popsh' not found",
    'argument "reference_subgroup" is missing, with no default': (
        "the oracle has no answer: ordered quintiles have no reference group"
    ),
}
# what the oracle has by simulation, or (SII, RII) from a fit that counts the population twice
POINT_ONLY = {
    *("covar", "idisu", "idisw", "mdbu", "mdbw", "mdmu", "mdmw", "mdru", "mdrw"),
    *("bgsd", "sii", "rii"),
}
Z = float(special.ndtri(0.975))


def _aggregated(
    data: pd.DataFrame, measure: Disparity, name: str
) -> tuple[dict[str, float], set[str]]:
    """Return what a record is compared with, and the fields of it that are left."""
    reference = data.get("reference_subgroup")
    reading = Reading(
        ordered=bool(data.ordered_dimension[0]),
        reference=None if reference is None else int(np.argmax(reference)),
        favourable=bool(data.favourable_indicator[0]),
        upper=float(data.indicator_scale[0]),
        convention=Convention.HEALTHEQUAL,
    )
    given = Aggregates.from_columns(
        data.estimate,
        population=data.population,
        se=data.se,
        average=float(data.setting_average[0]),
    )
    errors = Errors.SIMPLE_RANDOM if name in ("paf", "parisk") else Errors.DELTA
    wanted = [measure, Disparity.ATTRIBUTABLE_FRACTION]
    found = of_aggregates(given, wanted, reading, errors=errors)
    value, se = float(found.value[0]), float(found.se[0])
    bounds = (float(found.lower[0]), float(found.upper[0]))
    if name in POINT_ONLY:
        return {"estimate": value}, {"se", "ci_low", "ci_high"}
    if name in ("ti", "mld"):
        # the oracle multiplies the value by 1000 and not its error
        return {"estimate": value, "se": se / 1000}, {"ci_low", "ci_high"}
    if name == "paf":
        # a fraction's error beside a percentage
        return {"estimate": value, "se": se / 100}, {"ci_low", "ci_high"}
    if name == "parisk":
        # the oracle holds the setting's average for known
        se = float(given.groups(reading).mean * found.se[1] / 100)
        bounds = (value - Z * se, value + Z * se)
    if name in ("aci", "rci"):
        se = regression_error(given, measure, reading)
        bounds = (value - Z * se, value + Z * se)
    if name == "r":
        se = float(found.se_log[0])
    return {"estimate": value, "se": se, "ci_low": bounds[0], "ci_high": bounds[1]}, set()


def _individual(data: pd.DataFrame, measure: Disparity, linear: bool) -> dict[str, float]:
    design = Design.from_columns(
        data.weight, psu=data.psu, stratum=data.strata, lonely=Lonely.ADJUST
    )
    reading = Reading(ordered=True, fit=Fit.LINEAR if linear else Fit.LOGIT, rank=Rank.KNOWN)
    found = disparity(
        design,
        Cells.from_labels(all=np.ones(len(data))),
        data.sba,
        data.subgroup_order,
        measure,
        reading,
    )
    bounds = intervals(found, measure, df=np.inf)
    relative = found.value[0] if measure is Disparity.RELATIVE_INDEX else 1.0
    return {
        "estimate": found.value[0],
        "se": found.se[0] / relative,
        "ci_low": bounds.lower[0],
        "ci_high": bounds.upper[0],
    }


def test_disparity_measures_agree_with_healthequal(oracle: Callable[[str], Any]) -> None:
    suite = oracle("11_heat_disparity")
    data = {case: suite.input(file) for case, file in FILES.items()}
    individual = suite.input("individual.csv")
    for record in suite.records:
        if "error" in record:
            suite.leave_out(ERRORS[record["error"]])
            continue
        name = record["measure"]
        measure = Disparity(NAMES.get(name, name.upper()))
        if record["case"] in data:
            got, left = _aggregated(data[record["case"]], measure, name)
            iterative = name in ("sii", "rii")
        else:
            got, left = _individual(individual, measure, bool(record["linear"])), {"linear"}
            iterative = record["linear"] is False
        suite.compare(record, got, skip=frozenset(left), tolerance=ITERATIVE if iterative else 1e-8)
    assert suite.failures == []
