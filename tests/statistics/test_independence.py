"""Tests of independence agree with R survey 4.1-1 ``svychisq`` (data: nhanes)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdmx_service.errors import DataError, DesignError
from sdmx_service.survey.design import Design
from sdmx_service.survey.independence import Independence, independence

# age band by race, and high cholesterol by race: statistic, ndf, ddf, p
FOUR_BY_FOUR = {
    Independence.RAO_SCOTT_F: (24.1390648128070, 4.95419850262074, 79.2671760419319, 1.3067618e-14),
    Independence.WALD: (43.3877597732848, 9, 16, 1.48428489500123e-09),
    Independence.ADJUSTED_WALD: (21.6938798866424, 9, 8, 1.07911941004419e-04),
}


@pytest.fixture
def nhanes(shared: Path) -> tuple[Design, pd.DataFrame]:
    data = pd.read_csv(shared / "oracles" / "06_gaps" / "input.csv")
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    return design, data


@pytest.mark.parametrize("test", FOUR_BY_FOUR)
def test_a_table_of_four_by_four(nhanes: tuple[Design, pd.DataFrame], test: Independence) -> None:
    design, data = nhanes
    seen = data.HI_CHOL.notna().to_numpy()
    found = independence(design, data.agecat, data.race, test, universe=seen)
    assert tuple(found)[:3] == pytest.approx(FOUR_BY_FOUR[test][:3], rel=1e-10)
    assert found.p == pytest.approx(FOUR_BY_FOUR[test][3], rel=1e-6)


def test_the_first_order_correction(nhanes: tuple[Design, pd.DataFrame]) -> None:
    """R prints Pearson's X2 itself, 16.97 on 3, and the p value of the corrected one."""
    design, data = nhanes
    found = independence(design, data.HI_CHOL, data.race, Independence.RAO_SCOTT_CHISQ)
    assert found.p == pytest.approx(0.0238256199287603, rel=1e-10)
    assert found.ndf == 3
    assert found.ddf == np.inf


def test_rows_and_columns_may_change_places(nhanes: tuple[Design, pd.DataFrame]) -> None:
    design, data = nhanes
    for test in Independence:
        there = independence(design, data.HI_CHOL, data.race, test)
        back = independence(design, data.race, data.HI_CHOL, test)
        assert tuple(there) == pytest.approx(tuple(back))


def test_what_cannot_be_tested_is_refused(nhanes: tuple[Design, pd.DataFrame]) -> None:
    design, data = nhanes
    with pytest.raises(DataError, match="a table of 1 by 4"):
        independence(design, np.ones(len(data)), data.race)
    four = Design.from_columns(np.ones(40), psu=np.repeat(np.arange(4), 10))
    rows, columns = np.arange(40) % 3, np.arange(40) // 3 % 4
    with pytest.raises(DesignError, match="6 contrasts on 3 degrees of freedom"):
        independence(four, rows, columns, Independence.WALD)
