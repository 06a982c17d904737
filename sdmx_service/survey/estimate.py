"""Estimates of one indicator in every cell of a sample, from its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from sdmx_service.survey.cells import Cells, Grouping
from sdmx_service.survey.design import Design
from sdmx_service.survey.influence import (
    Booleans,
    CellRows,
    Floats,
    Selection,
    Statistic,
    Sums,
    accumulate,
    beside_each_other,
)
from sdmx_service.survey.joint import Composition, Estimates
from sdmx_service.survey.linear import (
    Outcome,
    centre_of,
    moments,
    ratio_sums,
    total_sums,
    unit_sums,
)
from sdmx_service.survey.outcome import known_values, refuse_beyond_share, refuse_nobody

__all__ = ["Composition", "Estimates", "estimate", "mean", "proportion", "ratio", "total"]


def estimate(
    design: Design,
    cells: Cells,
    statistic: Statistic,
    *,
    known: Booleans,
    event: Booleans,
    universe: Booleans | None = None,
    composition: Composition = Composition.NONE,
    reach: Booleans | None = None,
    from_sums: bool = False,
) -> Estimates:
    """Return any linearised statistic by cell; arguments as in ``influence.accumulate``.

    ``composition``, ``reach`` and ``from_sums`` are as in ``Estimates.of``.
    """
    sums = accumulate(design, cells, statistic, known=known, event=event, universe=universe)
    return Estimates.of(design, cells.keys, sums, composition, reach=reach, from_sums=from_sums)


def total(
    design: Design, cells: Cells, outcome: ArrayLike, *, universe: Booleans | None = None
) -> Estimates:
    """Return the weighted totals of ``outcome`` (n,) by cell; NaN is missing, not in the domain."""
    y, known = known_values(design, outcome)
    return _linear(design, cells, y, None, known, universe, Composition.SUM)


def ratio(
    design: Design,
    cells: Cells,
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    universe: Booleans | None = None,
) -> Estimates:
    """Return Y/X by cell of two columns (n,); a row that lacks either is outside the domain."""
    y, known_y = known_values(design, numerator)
    x, known_x = known_values(design, denominator)
    return _linear(design, cells, y, x, known_y & known_x, universe, Composition.AVERAGE)


def mean(
    design: Design, cells: Cells, outcome: ArrayLike, *, universe: Booleans | None = None
) -> Estimates:
    """Return the weighted means of ``outcome`` (n,) by cell; NaN is missing, not in the domain."""
    y, known = known_values(design, outcome)
    return _linear(design, cells, y, None, known, universe, Composition.AVERAGE)


def proportion(
    design: Design, cells: Cells, outcome: ArrayLike, *, universe: Booleans | None = None
) -> Estimates:
    """Return the weighted shares, 0..1, of ``outcome`` (n,), 0 to 1 in each row; NaN is missing."""
    y, known = known_values(design, outcome)
    refuse_beyond_share(y)
    return _linear(design, cells, y, None, known, universe, Composition.AVERAGE)


def _linear(
    design: Design,
    cells: Cells,
    y: Floats,
    x: Floats | None,
    known: Booleans,
    universe: Booleans | None,
    composition: Composition,
) -> Estimates:
    """Return totals of y (SUM), or ratios of y to x, None being 1 in every row (AVERAGE)."""
    if cells.n_rows != design.n_rows:
        raise ValueError(f"cells of {cells.n_rows} rows for a design of {design.n_rows}")
    seen = Selection.of(design.weights, design.psu, design.n_psu, known, universe)
    if not len(seen.weights):
        refuse_nobody(design.weights, known, universe)
    y, x = y[seen.chosen], None if x is None else x[seen.chosen]
    outcome = Outcome(seen.weights, y, x, centre_of(moments(seen.weights, y, x)))
    sparsely = seen.sparsely(cells)
    finish = total_sums if composition is Composition.SUM else ratio_sums
    adjusted = None if design.calibration is None else design.calibration.of_rows(seen.chosen)

    def part(grouping: Grouping) -> Sums:
        rows = seen.rows(grouping)
        sums = finish(unit_sums(rows, outcome, seen.missing(grouping), sparsely=sparsely))
        if adjusted is None:
            return sums
        own = outcome.y if composition is Composition.SUM else _residuals(rows, outcome, sums)
        return replace(
            sums,
            influence=sums.influence - adjusted.fitted(rows, own),
            explained=adjusted.fitted(rows, 1.0 if outcome.x is None else outcome.x),
        )

    sums = beside_each_other(
        (part(grouping) for grouping in cells.groupings),
        (design.n_psu, len(cells)),
        sparsely=sparsely,
        residual=adjusted is not None,
    )
    return Estimates.of(design, cells.keys, sums, composition, from_sums=True)


def _residuals(rows: CellRows, of: Outcome, sums: Sums) -> Floats:
    """Return the influence of each row on the ratio of its cell, (m,)."""
    base = sums.denominator.sum(axis=0)
    with np.errstate(divide="ignore"):
        scale = np.where(base != 0, 1.0 / base, 0.0)
    expected = rows.at(np.nan_to_num(sums.value))
    return (of.y - (expected if of.x is None else expected * of.x)) * rows.at(scale)
