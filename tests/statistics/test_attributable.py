"""Population-attributable risk, fraction and number, as R survey's svycontrast has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdmx_service.model import Measure
from sdmx_service.survey import gap
from sdmx_service.survey.attributable import attributable
from sdmx_service.survey.calibration import poststratify
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion, ratio, total


def test_measures_agree_with_svycontrast(shared: Path) -> None:
    """R 4.2.2, survey 4.1-1: totals of the group and the whole, combined."""
    data = pd.read_csv(shared / "oracles" / "06_gaps" / "input.csv")
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    found = proportion(design, Cells.from_labels(race=data.race), data.HI_CHOL)
    result = attributable(found, [2], [0])
    for measure, value, error in (
        (result.risk, 9.50624900624114e-03, 3.01777208809253e-03),
        (result.fraction, 8.47690244280530e-02, 2.66158160138810e-02),
        (result.number, 2.42738180449658e06, 7.75504006413525e05),
    ):
        assert measure.value[0] == pytest.approx(value, rel=1e-10)
        assert measure.se[0] == pytest.approx(error, rel=1e-10)
        assert measure.df[0] == 16
    assert result.number.keys["group"].tolist() == [2]


def small() -> tuple[Design, Cells, np.ndarray]:
    draw = np.random.default_rng(2)
    group = draw.integers(0, 3, 300)
    design = Design.from_columns(draw.uniform(1, 3, 300), psu=np.arange(300) // 10)
    return design, Cells.from_labels(group=group), (draw.random(300) < 0.2 + 0.1 * group) * 1.0


def test_the_risk_is_the_gap_of_the_reference_from_the_whole() -> None:
    design, cells, outcome = small()
    found = proportion(design, cells, outcome)
    result = attributable(found, [1, 2, 3], [0, 0, 0])
    gaps = gap.compare(found, [1, 2, 3], [0, 0, 0], Measure.DIFFERENCE)
    np.testing.assert_allclose(result.risk.value, gaps.value)
    np.testing.assert_allclose(result.risk.se, gaps.se)
    ratios = gap.compare(found, [1, 2, 3], [0, 0, 0], Measure.RATIO)
    np.testing.assert_allclose(1.0 + result.fraction.value, ratios.value)
    np.testing.assert_allclose(result.fraction.se, ratios.se)


def test_the_number_is_in_units_of_the_numerator() -> None:
    design, cells, outcome = small()
    people = np.ones(300)
    shares, ratios = proportion(design, cells, outcome), ratio(design, cells, outcome, people)
    one, other = attributable(shares, [1], [0]).number, attributable(ratios, [1], [0]).number
    assert one.value[0] == pytest.approx(other.value[0])
    assert one.se[0] == pytest.approx(other.se[0])


def test_with_calibrated_weights_the_number_of_people_varies_less() -> None:
    """Post-stratified by the group itself, N is known: the number varies as the risk does."""
    design, cells, outcome = small()
    group = cells.groupings[1].codes
    known = poststratify(design, group, {0: 1e3, 1: 2e3, 2: 3e3})
    found = proportion(known, cells, outcome)
    with pytest.raises(ValueError, match="people="):
        attributable(found, [1], [0])
    result = attributable(found, [1], [0], people=total(known, cells, np.ones(300)))
    assert result.number.value[0] == pytest.approx(6e3 * result.risk.value[0])
    assert result.number.se[0] == pytest.approx(6e3 * result.risk.se[0])


def test_a_whole_is_not_attributable_to_itself_and_a_total_not_at_all() -> None:
    design, cells, outcome = small()
    itself = attributable(proportion(design, cells, outcome), [0], [0])
    for measure in (itself.risk, itself.fraction, itself.number):
        assert measure.value[0] == 0
        assert np.isnan(measure.se[0])
    with pytest.raises(ValueError, match="means, shares and ratios"):
        attributable(total(design, cells, outcome), [1], [0])
