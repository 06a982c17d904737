"""A few pairs among many cells have the entries of the matrices of all cells."""

from __future__ import annotations

import numpy as np
import pytest

from sdmx_service.survey import pairs
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import proportion


@pytest.mark.parametrize("few", [True, False])
def test_pairs_are_entries_of_the_joint_matrices(
    few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = np.random.default_rng(3)
    rows = 900
    stratum = np.repeat(np.arange(6), rows // 6)
    design = Design.from_columns(
        source.uniform(1, 3, rows), psu=np.repeat(np.arange(60), rows // 60), stratum=stratum
    )
    cells = Cells.from_labels(
        place=stratum, small=source.integers(0, 30, rows), sex=source.integers(0, 2, rows)
    )
    found = proportion(design, cells, source.integers(0, 2, rows).astype(float))
    first = source.integers(0, len(cells), 40)
    second = source.integers(0, len(cells), 40)
    monkeypatch.setattr(pairs, "_few", lambda estimates, count: few)
    np.testing.assert_allclose(
        pairs.covariance_of_pairs(found, first, second),
        found.covariance[first, second],
        rtol=1e-10,
        atol=1e-15,
    )
    np.testing.assert_array_equal(
        pairs.df_of_pairs(found, first, second), found.joint_df[first, second]
    )
