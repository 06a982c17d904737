"""Domains and outcomes that carry no estimate are refused in words; test_design.py has the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sdmx_service.errors import DataError
from sdmx_service.survey import poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import mean, proportion, total

SAID = r"poverty threshold: expected incomes of the population, got 'no row with an income'"


def test_a_threshold_needs_an_income() -> None:
    design = Design.from_columns(np.ones(4))
    cells = Cells.from_labels(area=["a", "a", "b", "b"])
    with pytest.raises(DataError, match=SAID):
        poverty.rate(design, cells, [np.nan] * 4)


def test_a_threshold_needs_a_population_with_weights() -> None:
    """The incomes of those to whom the weights give no weight are nobody's."""
    design = Design.from_columns([1.0, 1.0, 0.0, 0.0])
    cells = Cells.from_labels(area=["a", "a", "b", "b"])
    unweighted = np.array([False, False, True, True])
    with pytest.raises(DataError, match=SAID):
        poverty.rate(design, cells, [10.0, 20.0, 30.0, 40.0], population=unweighted)


@pytest.mark.parametrize("statistic", [mean, proportion, total])
def test_an_outcome_that_no_one_has_is_refused(statistic: Any) -> None:
    design = Design.from_columns([1.0, 1.0, 1.0, 0.0])
    cells = Cells.from_labels(area=["a", "a", "b", "b"])
    with pytest.raises(DataError, match="missing in all 3 rows of the universe"):
        statistic(design, cells, [np.nan, np.nan, np.nan, 1.0])


@pytest.mark.parametrize(
    ("universe", "got"), [([0, 0, 0, 1], "weight 0 in all of its 1 rows"), ([0] * 4, "no rows")]
)
def test_a_domain_without_weight_is_refused(universe: list[int], got: str) -> None:
    design = Design.from_columns([1.0, 1.0, 1.0, 0.0])
    cells = Cells.from_labels(area=["a", "a", "b", "b"])
    inside = np.array(universe, dtype=bool)
    with pytest.raises(DataError, match=rf"universe: .* got '{got}'"):
        proportion(design, cells, [1.0, 0.0, 1.0, 1.0], universe=inside)
