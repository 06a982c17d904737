"""Sums by unit and cell say of totals and ratios what the influence values of rows say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sdmx_service.survey import replicates, table
from sdmx_service.survey.calibration import poststratify
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.estimate import (
    Composition,
    Estimates,
    estimate,
    mean,
    proportion,
    ratio,
    total,
)
from sdmx_service.survey.influence import CellRows, Linearised
from sdmx_service.survey.outcome import seen
from sdmx_service.survey.stages import StageColumns

ROWS = 900
source = np.random.default_rng(11)
STRATUM = np.repeat(np.arange(6), ROWS // 6)
PSU = np.repeat(np.arange(60), ROWS // 60)
HOUSEHOLD = np.arange(ROWS) // 3
WEIGHTS = source.uniform(1, 3, ROWS)
WEIGHTS[source.integers(0, ROWS, 9)] = 0.0
SEX = source.integers(0, 2, ROWS)
UNIVERSE = source.random(ROWS) < 0.9
SHARE = np.where(source.random(ROWS) < 0.1, np.nan, np.round(source.random(ROWS), 2))
YES = np.where(source.random(ROWS) < 0.1, np.nan, (source.random(ROWS) < 0.3).astype(float))
INCOME = np.where(source.random(ROWS) < 0.1, np.nan, source.lognormal(9, 1, ROWS))
YEAR = 2000.0 + source.integers(-3, 4, ROWS)
SIZE = source.integers(0, 7, ROWS).astype(float)


def plain() -> Design:
    return Design.from_columns(WEIGHTS, psu=PSU, stratum=STRATUM)


def staged() -> Design:
    return Design.from_columns(
        WEIGHTS,
        psu=PSU,
        stratum=STRATUM,
        fpc=np.full(ROWS, 40),
        stages=[StageColumns(HOUSEHOLD, fpc=np.full(ROWS, 30))],
    )


DESIGNS: dict[str, Callable[[], Design]] = {
    "one stage": plain,
    "two stages": staged,
    "domains adjusted": lambda: replace(plain(), adjust_domain=True, lonely=Lonely.ADJUST),
    "bootstrap": lambda: replicates.bootstrap(plain(), 30, seed=1),
    "post-stratified": lambda: poststratify(plain(), SEX, {0: 900.0, 1: 1000.0}),
}


def cells() -> Cells:
    """Areas that partition, groups that leave some out, flags that overlap, cells of one row."""
    some = np.where(source.random(ROWS) < 0.2, None, SEX.astype(object))
    flags = Cells.from_flags(a=source.random(ROWS) < 0.3, b=source.random(ROWS) < 0.3)
    labels = Cells.from_labels(area=STRATUM, sex=some, household=HOUSEHOLD)
    return Cells((*labels.groupings, *flags.groupings))


CELLS = cells()


def by_rows(
    design: Design, y: np.ndarray, x: np.ndarray | None, composition: Composition
) -> Estimates:
    """Return the same statistic from the influence value of each row."""
    base = np.ones(ROWS) if x is None else x
    known = ~np.isnan(y) & ~np.isnan(base)
    above, below = (seen(design, column, known, UNIVERSE) for column in (y, base))

    def statistic(rows: CellRows) -> Linearised:
        if composition is Composition.SUM:
            return Linearised(rows.sum(above), above)
        whole = rows.sum(below)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(whole != 0, rows.sum(above) / whole, np.nan)
            scale = np.where(whole != 0, 1.0 / whole, 0.0)
        residual = above - rows.at(np.nan_to_num(value)) * below
        return Linearised(value, residual * rows.at(scale), 1.0 if x is None else below)

    return estimate(
        design,
        CELLS,
        statistic,
        known=known,
        event=known & (y != 0),
        universe=UNIVERSE,
        composition=composition,
        from_sums=True,
    )


def same(found: Estimates, expected: Estimates) -> None:
    for name in ("n", "events", "missing", "n_psu", "n_strata", "df", "reach", "joint_df"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-13)
    np.testing.assert_allclose(found.weight_sum, expected.weight_sum, rtol=1e-13)
    size = np.abs(expected.influence).max(axis=0) + np.nan_to_num(np.abs(expected.value))
    assert (np.abs(found.influence - expected.influence) <= 1e-13 * size).all()
    np.testing.assert_allclose(
        table.dense(found.sums.denominator), table.dense(expected.sums.denominator), rtol=1e-13
    )
    # a household is one PSU: no variance; its noise differs
    clear = expected.estimable
    np.testing.assert_allclose(found.se[clear], expected.se[clear], rtol=1e-11, atol=1e-15)
    varied = clear & (expected.sums.srs_variance > 1e-20 * expected.value**2)
    np.testing.assert_allclose(found.deff_wr[varied], expected.deff_wr[varied], rtol=1e-9)
    joint = expected.covariance[np.ix_(clear, clear)]
    np.testing.assert_allclose(
        found.covariance[np.ix_(clear, clear)], joint, rtol=1e-9, atol=1e-13 * np.abs(joint).max()
    )


@pytest.mark.parametrize("name", DESIGNS)
def test_group_sums_are_sums_of_influence(name: str) -> None:
    design = DESIGNS[name]()
    for own, y, x in (
        (proportion, YES, None),
        (proportion, SHARE, None),
        (mean, INCOME, None),
        (mean, YEAR, None),
    ):
        same(own(design, CELLS, y, universe=UNIVERSE), by_rows(design, y, x, Composition.AVERAGE))
    same(
        ratio(design, CELLS, INCOME, SIZE, universe=UNIVERSE),
        by_rows(design, INCOME, SIZE, Composition.AVERAGE),
    )
    for y in (INCOME, YEAR):
        same(total(design, CELLS, y, universe=UNIVERSE), by_rows(design, y, None, Composition.SUM))


def test_sparse_group_sums_are_the_dense_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    design = plain()
    for own in (total, mean):
        for y in (INCOME, YEAR):
            dense = own(design, CELLS, y, universe=UNIVERSE)
            with monkeypatch.context() as patch:
                patch.setattr(table, "_DENSE", 0)
                patch.setattr(table, "_FILLED", 2.0)
                same(own(design, CELLS, y, universe=UNIVERSE), dense)


def test_an_outcome_without_spread_has_no_variance_and_no_design_effect() -> None:
    design = plain()
    for constant in (0.0, 1.0, 0.1, 1e6):
        found = mean(design, CELLS, np.full(ROWS, constant))
        filled = found.n > 0
        np.testing.assert_allclose(found.value[filled], constant, rtol=1e-14)
        assert (np.nan_to_num(found.se) <= 1e-14 * max(constant, 1.0)).all()
        assert np.isnan(found.deff_wr).all()


def test_a_number_far_from_zero_has_the_design_effect_of_its_distance() -> None:
    """Adding a constant moves the mean and nothing else."""
    design = plain()
    near = mean(design, CELLS, YEAR - 2000.0)
    far = mean(design, CELLS, YEAR + 1e6)
    clear = near.estimable & (near.sums.srs_variance > 0)
    np.testing.assert_allclose(far.value - 1e6 - 2000.0, near.value, atol=1e-8)
    np.testing.assert_allclose(far.se[clear], near.se[clear], rtol=1e-8)
    np.testing.assert_allclose(far.deff_wr[clear], near.deff_wr[clear], rtol=1e-7)


def test_sums_of_different_statistics_do_not_add() -> None:
    from sdmx_service.survey.influence import Selection
    from sdmx_service.survey.linear import Outcome, unit_sums

    design = plain()
    rows = Selection.of(design.weights, design.psu, design.n_psu, np.ones(ROWS, bool), None)
    of = [
        unit_sums(
            rows.rows(CELLS.groupings[0]),
            Outcome(rows.weights, YEAR[rows.chosen], None, centre),
            rows.missing(CELLS.groupings[0]),
            sparsely=False,
        )
        for centre in (0.0, 2000.0)
    ]
    with pytest.raises(ValueError, match="different statistics"):
        of[0] + of[1]
