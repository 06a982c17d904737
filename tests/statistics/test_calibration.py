"""Calibrated weights reach their totals, and the variance knows it as R survey's does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.errors import DataError, DesignError
from sdmx_service.survey import estimate, poverty, replicates, replication
from sdmx_service.survey.calibration import Distance, calibrate, poststratify, rake, regress
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.standard import standardised

R = json.loads((Path(__file__).parent / "r" / "calibration.json").read_text("utf-8"))
STYPE = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
BOTH = {"No": 1692, "Yes": 4502}
TOTALS = [6194, 3914069, 5122]


@pytest.fixture(scope="module")
def schools(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "oracles" / "01_taylor" / "input.csv")


@pytest.fixture(scope="module")
def designs(schools: pd.DataFrame) -> dict[str, Design]:
    d = schools
    x = np.column_stack([np.ones(len(d)), d.api99, d["sch.wide"] == "Yes"])
    plain = Design.from_columns(d.pw, psu=d.dnum)
    strata = Design.from_columns(d.pw, stratum=d.stype, fpc=d.fpc)
    jackknife = replicates.jackknife(Design.from_columns(d.pw, stratum=d.stype))
    return {
        "poststratified": poststratify(plain, d.stype, STYPE),
        "poststratified_strata": poststratify(strata, d["sch.wide"], WIDE),
        "raked": rake(plain, [(d.stype, STYPE), (d["sch.wide"], WIDE), (d.both, BOTH)]),
        "raked_strata": rake(strata, [(d.both, BOTH), (d["sch.wide"], WIDE)]),
        "rake": rake(plain, [(d.stype, STYPE), (d["sch.wide"], WIDE), (d.both, BOTH)]),
        "rake_strata": rake(strata, [(d.both, BOTH), (d["sch.wide"], WIDE)]),
        "calibrated": calibrate(plain, x, TOTALS),
        "calibrated_strata": calibrate(strata, x, TOTALS, bounds=(0.5, 2.0)),
        "jackknife_poststratified": poststratify(jackknife, d["sch.wide"], WIDE),
        "jackknife_calibrated": calibrate(jackknife, x, TOTALS),
        "standardised": plain,
    }


BOUNDED = json.loads((Path(__file__).parent / "r" / "calibration_bounded.json").read_text("utf-8"))
# As in calibration_bounded.R.
WITHIN = {
    "truncated": (Distance.TRUNCATED, (0.96, 1.08)),
    "truncated_strata": (Distance.TRUNCATED, (0.96, 1.10)),
    "logit": (Distance.LOGIT, (0.9, 1.2)),
    "logit_strata": (Distance.LOGIT, (0.9, 1.2)),
    "logit_jackknife": (Distance.LOGIT, (0.5, 2.0)),
    "linear_within": (Distance.LINEAR, None),
    "logit_within": (Distance.LOGIT, (0.5, 2.0)),
}


@pytest.mark.parametrize("name", list(WITHIN))
def test_changes_within_bounds_are_those_of_r_survey(name: str, schools: pd.DataFrame) -> None:
    d = schools
    x = np.column_stack([np.ones(len(d)), d.api99, d["sch.wide"] == "Yes"])
    design = Design.from_columns(d.pw, psu=d.dnum)
    if name.endswith("strata"):
        design = Design.from_columns(d.pw, stratum=d.stype, fpc=d.fpc)
    elif name.endswith("jackknife"):
        design = replicates.jackknife(Design.from_columns(d.pw, stratum=d.stype))
    distance, bounds = WITHIN[name]
    amounts = {"people": x[:, 0], "before": x[:, 1], "wide": x[:, 2]}
    found = regress(
        design,
        [],
        amounts,
        dict(zip(amounts, TOTALS, strict=True)),
        bounds=bounds,
        distance=distance,
        within=d.dnum if name.endswith("within") else None,
    )
    cells = Cells.from_labels(awards=d.awards)
    for record in (one for one in BOUNDED["results"] if one["design"] == name):
        if record["statistic"] == "change":
            change = found.weights / d.pw.to_numpy()
            assert change.min() == pytest.approx(record["estimate"], rel=1e-8)
            assert change.max() == pytest.approx(record["se"], rel=1e-8)
            continue
        estimated = getattr(estimate, record["statistic"])(found, cells, d.api00)
        group = record["domain"].partition(":")[2] or "_T"
        at = estimated.keys.index[estimated.keys.group == group][0]
        assert estimated.value[at] == pytest.approx(record["estimate"], rel=1e-8), record
        assert estimated.se[at] == pytest.approx(record["se"], rel=1e-7), record


@pytest.mark.parametrize("distance", [Distance.TRUNCATED, Distance.LOGIT])
def test_totals_that_no_change_within_bounds_reaches_are_refused(
    distance: Distance, schools: pd.DataFrame
) -> None:
    design = Design.from_columns(schools.pw)
    x = np.column_stack([np.ones(len(schools)), schools.api99])
    with pytest.raises(DesignError, match=r"totals that changes of 0\.9 to 1\.1 can reach"):
        calibrate(design, x, [6194, 5.5e6], bounds=(0.9, 1.1), distance=distance)
    with pytest.raises(DesignError, match="expected bounds"):
        calibrate(design, x, [6194, 3.9e6], distance=distance)


# R's rake() centres influence values by unweighted means of each margin, an approximation to the
# regression that its calibrate(calfun = "raking") makes; the weights of both are the same.
TOLERANCE = {"rake": 5e-2, "rake_strata": 5e-2}


@pytest.mark.parametrize("name", sorted({record["design"] for record in R["results"]}))
def test_calibrated_estimates_agree_with_r_survey(
    name: str, schools: pd.DataFrame, designs: dict[str, Design]
) -> None:
    design = designs[name]
    cells = Cells.from_labels(awards=schools.awards, **{"sch.wide": schools["sch.wide"]})
    for record in (record for record in R["results"] if record["design"] == name):
        if name == "standardised":
            found = standardised(design, cells, schools.api00, schools.stype, STYPE)
        elif record["statistic"] == "ratio":
            found = estimate.ratio(design, cells, schools["api.stu"], schools.enroll)
        else:
            found = getattr(estimate, record["statistic"])(design, cells, schools.api00)
        grouping, _, group = record["domain"].partition(":")
        keys = found.keys
        at = keys.index[(keys.grouping == grouping) & (keys.group == (group or "_T"))][0]
        close = TOLERANCE.get(name, 1e-8)
        assert found.value[at] == pytest.approx(record["estimate"], rel=1e-8), record
        assert found.se[at] == pytest.approx(record["se"], rel=close), record


def test_weights_reach_every_total(schools: pd.DataFrame, designs: dict[str, Design]) -> None:
    weights = designs["raked"].weights
    for column, totals in ((schools.stype, STYPE), (schools["sch.wide"], WIDE)):
        for label, wanted in totals.items():
            assert weights[column == label].sum() == pytest.approx(wanted, rel=1e-9)
    assert designs["calibrated"].weights @ schools.api99 == pytest.approx(TOTALS[1])
    jackknife = designs["jackknife_poststratified"]
    assert jackknife.replicates is not None
    replicated = jackknife.replicates.factors[:, jackknife.psu] * jackknife.weights
    yes = (schools["sch.wide"] == "Yes").to_numpy()
    np.testing.assert_allclose(replicated[:, yes].sum(axis=1), WIDE["Yes"])


def test_what_the_totals_hold_does_not_vary(
    schools: pd.DataFrame, designs: dict[str, Design]
) -> None:
    cells = Cells.from_labels(stype=schools.stype)
    population = estimate.total(designs["poststratified"], cells, np.ones(len(schools)))
    np.testing.assert_allclose(population.value[1:], list(STYPE.values()))
    np.testing.assert_allclose(population.deviations, 0.0, atol=1e-6)
    exact = estimate.total(designs["calibrated"], cells, schools.api99)
    assert exact.variance[0] < 1e-12 * exact.value[0] ** 2


@pytest.mark.parametrize("name", ["poststratified", "raked_strata", "calibrated"])
def test_the_rest_of_a_calibrated_whole_is_the_cell_of_all_others(
    name: str, schools: pd.DataFrame, designs: dict[str, Design]
) -> None:
    cells = Cells.from_labels(awards=schools.awards)
    amount = poverty.PovertyLine(basis=poverty.Basis.AMOUNT, amount=600.0)
    design = designs[name]
    for found in (
        estimate.mean(design, cells, schools.api00),
        estimate.ratio(design, cells, schools["api.stu"], schools.enroll),
        estimate.total(design, cells, schools.api00),
        poverty.rate(design, cells, schools.api00, line=amount),
        poverty.fgt(design, cells, schools.api00, power=1.0, line=poverty.PovertyLine(share=0.9)),
    ):
        rest = found.rest([1], [0])
        assert rest.value[0] == pytest.approx(found.value[2], rel=1e-10)
        assert rest.se[0] == pytest.approx(found.se[2], rel=1e-10)


def test_post_stratification_is_a_calibration_and_a_raking_of_one_margin(
    schools: pd.DataFrame,
) -> None:
    plain = Design.from_columns(schools.pw, psu=schools.dnum)
    cells = Cells.from_labels(awards=schools.awards)
    dummies = np.column_stack([schools.stype == label for label in STYPE])
    three = [
        poststratify(plain, schools.stype, STYPE),
        rake(plain, [(schools.stype, STYPE)]),
        calibrate(plain, dummies, list(STYPE.values())),
    ]
    first, *others = [estimate.mean(design, cells, schools.api00) for design in three]
    for other in others:
        np.testing.assert_allclose(other.value, first.value)
        np.testing.assert_allclose(other.covariance, first.covariance)


@pytest.mark.parametrize(
    ("totals", "what"),
    [
        ({"E": 4421, "H": 755}, "no total for M in 50 rows"),
        ({**STYPE, "X": 5}, "no one in X"),
        ({**STYPE, "M": 0}, "the total of M missing"),
        ({**STYPE, "M": np.nan}, "the total of M missing"),
    ],
)
def test_wrong_totals_are_refused(schools: pd.DataFrame, totals: dict[str, Any], what: str) -> None:
    design = Design.from_columns(schools.pw)
    with pytest.raises(DesignError, match=what):
        poststratify(design, schools.stype, totals)


def test_margins_of_two_populations_are_refused(schools: pd.DataFrame) -> None:
    design = Design.from_columns(schools.pw)
    with pytest.raises(DesignError, match="add up to 6194, 6000"):
        rake(design, [(schools.stype, STYPE), (schools.both, {"No": 1692, "Yes": 4308})])


def test_weights_out_of_bounds_are_refused_with_their_rows(schools: pd.DataFrame) -> None:
    design = Design.from_columns(schools.pw)
    x = np.column_stack([np.ones(len(schools)), schools.api99])
    with pytest.raises(DesignError, match=r"a change of 0\.9 to 1\.1"):
        calibrate(design, x, [6194, 3.6e6], bounds=(0.9, 1.1))
    with pytest.raises(DesignError, match="raking, which stays positive"):
        calibrate(design, x, [6194, 2.0e6])
    with pytest.raises(DesignError, match="variables that can have these totals"):
        calibrate(design, x[:, [0, 0]], [6194, 6000])
    with pytest.raises(DesignError, match="a total a column"):
        calibrate(design, x, [6194])


def test_calibrating_twice_is_refused(schools: pd.DataFrame, designs: dict[str, Design]) -> None:
    with pytest.raises(DesignError, match="calibrated already"):
        poststratify(designs["poststratified"], schools.both, BOTH)


@pytest.mark.parametrize("name", ["poststratified", "raked", "calibrated"])
def test_a_poverty_rate_of_calibrated_weights_varies_as_its_residuals_do(
    name: str, schools: pd.DataFrame, designs: dict[str, Design]
) -> None:
    """Deville (1999): influence values of rows, the line's among them, less their regression."""
    design = designs[name]
    calibration = design.calibration
    assert calibration is not None
    cells = Cells.from_labels(awards=schools.awards)
    line = poverty.PovertyLine(share=0.9)
    universe = (schools.stype != "H").to_numpy()
    for measure in (poverty.rate, poverty.median_gap):
        found = measure(design, cells, schools.api00, line=line, universe=universe)
        # with every row a unit, the sums by unit are the influence values of rows
        rows = Design.from_columns(design.weights)
        alone = measure(rows, cells, schools.api00, line=line, universe=universe)
        influence = alone.influence / design.weights[:, None]
        x = calibration.x.toarray()
        weighted = (x * calibration.base[:, None]).T
        slopes = np.linalg.pinv(weighted @ x) @ (weighted @ influence)
        residual = (influence - x @ slopes) * design.weights[:, None]
        clusters = pd.DataFrame(residual).groupby(design.psu).sum().to_numpy()
        size = len(clusters)
        expected = np.sqrt(clusters.var(axis=0, ddof=1) * size)
        np.testing.assert_allclose(found.value, alone.value)
        np.testing.assert_allclose(found.se, expected, rtol=1e-9)


def test_a_poverty_rate_is_estimated_again_with_every_calibrated_replicate(
    schools: pd.DataFrame, designs: dict[str, Design]
) -> None:
    """The values of two replicates, calibrated and estimated by hand."""
    plain = Design.from_columns(schools.pw, stratum=schools.stype)
    cells = Cells.from_labels(awards=schools.awards)
    found = replication.reestimate(
        designs["jackknife_poststratified"], lambda one: poverty.rate(one, cells, schools.api00)
    )
    jackknife = replicates.jackknife(plain).replicates
    assert jackknife is not None
    assert found.replicated is not None
    for at in (0, 150):
        weights = plain.weights * jackknife.factors[at][plain.psu]
        by_hand = poststratify(Design.from_columns(weights), schools["sch.wide"], WIDE).weights
        again = poverty.rate(Design.from_columns(by_hand), cells, schools.api00)
        np.testing.assert_allclose(found.replicated[at], again.value)


def test_a_cell_without_a_standard_group_has_no_standardised_value() -> None:
    design = Design.from_columns(np.ones(8))
    cells = Cells.from_labels(area=list("aaaabbbb"))
    y, age = [1, 0, 1, 1, 0, 1, 0, 0], list("oyoyyyyy")
    found = standardised(design, cells, y, age, {"y": 3, "o": 1})
    assert found.value[1] == pytest.approx(0.75 * 0.5 + 0.25 * 1.0)
    assert np.isnan(found.value[2])
    assert np.isnan(found.se[2])
    with pytest.raises(DataError, match="no number for o"):
        standardised(design, cells, y, age, {"y": 1})
