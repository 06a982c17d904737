"""What everyone lacks to fare as a reference group, in every area."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.build.evidence import LEVEL
from sdmx_service.build.findings import Findings, difference_unit, groups_of
from sdmx_service.definitions.comparison import Attributable, Gain
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.model import CiMethod
from sdmx_service.survey import estimate
from sdmx_service.survey.attributable import attributable
from sdmx_service.survey.derived import Derived
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.tabulation import AREA, TOTAL, cells_of, outcomes

__all__ = ["attributables"]


def attributables(
    sample: Sample, indicator: Indicator, estimates: Estimates, declared: Attributable, prefix: str
) -> list[Findings]:
    """Return risk, fraction and number: everyone in a group, less everyone as the reference group.

    Everyone minus the reference group, as gaps are signed: positive where everyone has more of it.
    (HEAT prints the same with the other sign.) The groups' codes have ``prefix``. The degrees of
    freedom are those of the side that has fewer, as of any gap between a part and its whole.
    """
    [breakdown] = [b for b in sample.survey.breakdowns if b.dimension == declared.breakdown]
    reference = declared.reference or breakdown.reference
    places = [
        groups for groups in groups_of(estimates.keys, declared.breakdown) if reference in groups.at
    ]
    if not places:
        return []
    best = np.array([groups.at[reference] for groups in places], dtype=np.intp)
    whole = np.array([groups.whole for groups in places], dtype=np.intp)
    df = np.minimum(estimates.df[best], estimates.df[whole]).astype(np.float64)
    people = None
    if Gain.NUMBER in declared.measures and sample.design.calibration is not None:
        people = _people(sample, indicator, estimates)
    found = attributable(estimates, best, whole, people=people, df=df)
    by_measure: dict[Gain, tuple[Derived, float, str, int]] = {
        Gain.RISK: (found.risk, indicator.factor, difference_unit(indicator), indicator.decimals),
        Gain.FRACTION: (found.fraction, 100.0, "PT", 1),
        Gain.NUMBER: (found.number, 1.0, "PERSONS", 0),
    }
    area = [groups.area for groups in places]
    # A whole that is no cell of its own is the sum of its groups, all of which are told.
    public = estimates.keys[declared.breakdown].to_numpy() == TOTAL
    made_of = [
        np.array([*groups.parts, *([groups.whole] if public[groups.whole] else [])], dtype=np.intp)
        for groups in places
    ]
    findings = []
    for measure in declared.measures:
        derived, factor, unit, decimals = by_measure[measure]
        bounds = derived.intervals(level=LEVEL)
        findings.append(
            Findings(
                measure=measure.value,
                unit=unit,
                decimals=decimals,
                method=CiMethod.T,
                breakdown=declared.breakdown,
                area=area,
                comparison=[TOTAL] * len(places),
                reference=[prefix + reference] * len(places),
                made_of=made_of,
                value=-factor * derived.value,
                se=factor * derived.se,
                lower=-factor * bounds.upper,
                upper=-factor * bounds.lower,
                df=df,
                p=derived.p,
                family=[
                    f"{indicator.id}/{one}/{declared.breakdown}/{TOTAL}/{measure.value}"
                    for one in area
                ],
                comp=indicator.factor * estimates.value[whole],
                ref=indicator.factor * estimates.value[best],
                n_comp=estimates.n[whole],
                n_ref=estimates.n[best],
                covariance=_covariance(estimates, best, whole) * indicator.factor**2,
                none=0.0,
            )
        )
    return findings


def _covariance(
    estimates: Estimates, best: NDArray[np.intp], whole: NDArray[np.intp]
) -> NDArray[np.float64]:
    first, second = estimates.deviations[:, best], estimates.deviations[:, whole]
    return np.asarray(np.einsum("rm,rm->m", first, second), dtype=np.float64)


def _people(sample: Sample, indicator: Indicator, estimates: Estimates) -> Estimates:
    """Return the numbers of people with an answer in the cells of the estimates."""
    known = outcomes(sample, indicator)
    given = [column for name, column in known.items() if name != "universe"]
    answered = np.isfinite(np.column_stack(given)).all(axis=1)
    universe = known["universe"] == 1.0 if "universe" in known else None
    cells = cells_of(sample, [name for name in estimates.keys.columns if name != AREA])
    counted = estimate.total(
        sample.design, cells, np.where(answered, 1.0, np.nan), universe=universe
    )
    every = pd.MultiIndex.from_frame(counted.keys)
    return counted.take(every.get_indexer(pd.MultiIndex.from_frame(estimates.keys)))
