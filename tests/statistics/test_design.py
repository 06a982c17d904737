"""A design that cannot carry an estimate is refused with what to mend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.errors import DataError, DesignError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import ColumnNames, Design
from sdmx_service.survey.estimate import proportion

NAMES = ColumnNames("survey XX", weights="hhweight", psu="ea", stratum="region", fpc="towns")


def refused(**columns: Any) -> DesignError:
    good: dict[str, Any] = {
        "weights": [1.0, 2.0, 1.0, 2.0],
        "psu": [1, 2, 3, 4],
        "stratum": ["n", "n", "s", "s"],
    }
    with pytest.raises(DesignError) as caught:
        Design.from_columns(**(good | columns), names=NAMES)
    return caught.value


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ([1.0, None, 1.0, np.nan], "missing in 2 rows (2, 4)"),
        ([1.0, -2.0, 1.0, 1.0], "negative in 1 row (2)"),
        ([1.0, np.inf, 1.0, 1.0], "infinite in 1 row (2)"),
        ([0.0, 0.0, 0.0, 0.0], "0 in every row"),
    ],
)
def test_a_wrong_weight_is_refused_with_its_rows(weights: list[float], what: str) -> None:
    error = refused(weights=weights)
    assert error.where == "survey XX: column hhweight"
    assert error.got == what
    assert error.expected is not None


def test_a_weight_that_is_no_number_is_refused() -> None:
    assert "two" in str(refused(weights=["1", "two", "1", "1"]))


def test_a_missing_psu_or_stratum_is_refused_with_its_rows() -> None:
    assert refused(psu=[1, None, 2, 3]).got == "missing in 1 row (2)"
    assert refused(stratum=["n", "n", None, "s"]).got == "missing in 1 row (3)"


def test_a_psu_in_two_strata_is_refused_unless_its_label_is_nested() -> None:
    columns: dict[str, Any] = {
        "weights": [1, 1, 1, 1],
        "psu": [1, 2, 1, 2],
        "stratum": ["n", "n", "s", "s"],
    }
    error = refused(**columns)
    assert "PSU 1 in strata n, s" in str(error)
    assert "nested: true" in str(error)
    assert Design.from_columns(**columns, nested=True).n_psu == 4


def test_lonely_strata_are_listed() -> None:
    error = refused(stratum=["n", "n", "s", "t"])
    assert "2 strata with a single PSU: s, t" in str(error)
    assert "remove, certainty, adjust or average" in str(error)


def test_a_single_psu_is_refused() -> None:
    assert refused(psu=[1, 1, 1, 1], stratum=["n"] * 4).got == "1 PSU"


@pytest.mark.parametrize(
    ("fpc", "what"),
    [
        ([1, 1, 9, 9], "over 1 in strata n"),
        ([0.5, 0.5, 0, 0], "zero or negative in 2 rows (3, 4)"),
        ([5, 6, 9, 9], "two values in one stratum"),
        ([0.5, 0.5, 9, 9], "counts in some strata"),
    ],
)
def test_a_wrong_population_of_psus_is_refused(fpc: list[float], what: str) -> None:
    error = refused(fpc=fpc)
    assert error.where == "survey XX: column towns"
    assert what in str(error)


def test_counts_and_fractions_of_a_population_say_the_same() -> None:
    columns: dict[str, Any] = {"weights": [1, 1, 1, 1], "stratum": [1, 1, 2, 2]}
    counts = Design.from_columns(**columns, fpc=[4, 4, 8, 8])
    fractions = Design.from_columns(**columns, fpc=[0.5, 0.5, 0.25, 0.25])
    assert counts.sampling_fraction is not None
    np.testing.assert_array_equal(counts.sampling_fraction, fractions.sampling_fraction)


def test_an_outcome_outside_of_zero_and_one_is_no_proportion() -> None:
    design = Design.from_columns([1, 1, 1])
    cells = Cells.from_groupings([(pd.DataFrame({"area": ["XX"]}), [0, 0, 0])])
    with pytest.raises(DataError, match="row 2: expected a number between 0 and 1"):
        proportion(design, cells, [0, 2, 1])
    with pytest.raises(DataError, match="row 3"):
        proportion(design, cells, [0, 1, np.inf])


def test_cells_refuse_codes_without_keys() -> None:
    with pytest.raises(ValueError, match=r"codes 0\.\.3 of 1 cells"):
        Cells.from_groupings([(pd.DataFrame({"area": ["XX"]}), [0, 3])])
