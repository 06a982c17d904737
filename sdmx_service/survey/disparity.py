"""Measures of inequality between the groups of a population, with design-based uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sdmx_service.errors import DataError
from sdmx_service.survey import dispersion, interval, ranked
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Composition, Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Integers, Linearised, Sums
from sdmx_service.survey.nested import Nested
from sdmx_service.survey.outcome import known_values, seen
from sdmx_service.survey.subgroups import Groups, Reading, Slopes

__all__ = ["Disparity", "disparity", "hinges", "intervals", "of_estimates", "slopes"]


class Disparity(Enum):
    """The measures; the values are the abbreviations of WHO's HEAT."""

    DIFFERENCE = "D"
    RATIO = "R"
    ABSOLUTE_CONCENTRATION = "ACI"
    RELATIVE_CONCENTRATION = "RCI"
    ERREYGERS = "EI"
    WAGSTAFF = "WI"
    SLOPE_INDEX = "SII"
    RELATIVE_INDEX = "RII"
    BETWEEN_GROUP_VARIANCE = "BGV"
    BETWEEN_GROUP_DEVIATION = "BGSD"
    VARIATION = "COV"
    DISPARITY_INDEX_UNWEIGHTED = "IDISU"
    DISPARITY_INDEX_WEIGHTED = "IDISW"
    FROM_BEST_UNWEIGHTED = "MDBU"
    FROM_BEST_WEIGHTED = "MDBW"
    FROM_MEAN_UNWEIGHTED = "MDMU"
    FROM_MEAN_WEIGHTED = "MDMW"
    FROM_REFERENCE_UNWEIGHTED = "MDRU"
    FROM_REFERENCE_WEIGHTED = "MDRW"
    LOG_DEVIATION = "MLD"
    THEIL = "TI"
    ATTRIBUTABLE_RISK = "PAR"
    ATTRIBUTABLE_FRACTION = "PAF"

    @property
    def ordered(self) -> bool:
        """Whether the measure exists only for groups with an order."""
        return self in _ORDERED

    @property
    def relative_to_one(self) -> bool:
        """Whether no inequality is 1, and intervals are made on the log scale."""
        return self in (Disparity.RATIO, Disparity.RELATIVE_INDEX)

    @property
    def never_negative(self) -> bool:
        """Whether the measure is 0 at equality and above 0 for any difference, chance included."""
        return self in _NEVER_NEGATIVE


_MEASURES: dict[Disparity, Callable[[Groups], Slopes]] = {
    Disparity.DIFFERENCE: dispersion.difference,
    Disparity.RATIO: dispersion.ratio,
    Disparity.ABSOLUTE_CONCENTRATION: ranked.absolute,
    Disparity.RELATIVE_CONCENTRATION: ranked.relative,
    Disparity.ERREYGERS: ranked.erreygers,
    Disparity.WAGSTAFF: ranked.wagstaff,
    Disparity.SLOPE_INDEX: ranked.sii,
    Disparity.RELATIVE_INDEX: ranked.rii,
    Disparity.BETWEEN_GROUP_VARIANCE: dispersion.variance,
    Disparity.BETWEEN_GROUP_DEVIATION: dispersion.standard_deviation,
    Disparity.VARIATION: dispersion.variation,
    Disparity.DISPARITY_INDEX_UNWEIGHTED: dispersion.index_unweighted,
    Disparity.DISPARITY_INDEX_WEIGHTED: dispersion.index_weighted,
    Disparity.FROM_BEST_UNWEIGHTED: dispersion.from_best_unweighted,
    Disparity.FROM_BEST_WEIGHTED: dispersion.from_best_weighted,
    Disparity.FROM_MEAN_UNWEIGHTED: dispersion.from_mean_unweighted,
    Disparity.FROM_MEAN_WEIGHTED: dispersion.from_mean_weighted,
    Disparity.FROM_REFERENCE_UNWEIGHTED: dispersion.from_reference_unweighted,
    Disparity.FROM_REFERENCE_WEIGHTED: dispersion.from_reference_weighted,
    Disparity.LOG_DEVIATION: dispersion.log_deviation,
    Disparity.THEIL: dispersion.theil,
    Disparity.ATTRIBUTABLE_RISK: dispersion.attributable_risk,
    Disparity.ATTRIBUTABLE_FRACTION: dispersion.attributable_fraction,
}
_ORDERED = frozenset(
    {
        Disparity.ABSOLUTE_CONCENTRATION,
        Disparity.RELATIVE_CONCENTRATION,
        Disparity.ERREYGERS,
        Disparity.WAGSTAFF,
        Disparity.SLOPE_INDEX,
        Disparity.RELATIVE_INDEX,
    }
)
_BEST = frozenset({Disparity.FROM_BEST_UNWEIGHTED, Disparity.FROM_BEST_WEIGHTED})
_REFERENCE = frozenset({Disparity.FROM_REFERENCE_UNWEIGHTED, Disparity.FROM_REFERENCE_WEIGHTED})
_SIDES = frozenset({Disparity.DIFFERENCE, Disparity.RATIO})
_TARGET = frozenset({Disparity.ATTRIBUTABLE_RISK, Disparity.ATTRIBUTABLE_FRACTION})
_NEVER_NEGATIVE = frozenset(_MEASURES) - _ORDERED - _SIDES - _TARGET


def slopes(groups: Groups, measure: Disparity) -> Slopes:
    """Return a measure of the groups with its derivatives.

    Raises DataError for a measure that needs an order or a reference the reading does not declare.
    """
    _refuse(measure, groups.reading)
    return _MEASURES[measure](groups)


def _refuse(measure: Disparity, reading: Reading) -> None:
    if measure.ordered and not reading.ordered:
        raise DataError(
            f"disparity measure {measure.value}",
            got="groups without an order",
            expected="an ordered breakdown, from the least to the most advantaged group",
            hint="BGV, MDMW, TI and MLD need no order",
        )
    if measure in _REFERENCE and reading.reference is None:
        raise DataError(
            f"disparity measure {measure.value}",
            got="no reference group",
            expected="a declared reference group",
        )


def hinges(groups: Groups, measure: Disparity) -> list[int]:
    """Return the groups whose single estimate carries the measure."""
    if measure in _SIDES:
        return list(groups.sides)
    if measure in _BEST:
        return [groups.best]
    if measure in _TARGET:
        return [groups.target]
    if measure in _REFERENCE and groups.reference is not None:
        return [groups.reference]
    return []


def disparity(
    design: Design,
    cells: Cells,
    outcome: ArrayLike,
    group: ArrayLike,
    measure: Disparity,
    reading: Reading,
    *,
    order: Sequence[object] | None = None,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the inequality of ``outcome`` (n,) between the groups inside each cell.

    ``group`` (n,) labels the groups, from the least to the most advantaged in sorted order or in
    that of ``order``; it may be a continuous rank, as income. A row without a label is outside the
    universe. The influence of a row is that on its group's mean and on the groups' shares, and so,
    unless ``Rank.KNOWN``, on the ranks of all groups (Deville 1999 for the linearisation).

    A cell with one group, or without a group that the measure hinges on, has no value (NaN). No
    standard error where such a group lies inside one PSU or does not vary, as in ``gap``; nor at
    the edge of what a measure can be, where it has no derivative.

    Raises DataError as ``slopes`` does, and for a reference that is no group.
    """
    _refuse(measure, reading)
    values, known = known_values(design, outcome)
    codes, labels = _coded(group, order)
    about = codes >= 0 if universe is None else universe & (codes >= 0)
    placed = reading.at(_position(reading.reference, labels))
    y = seen(design, values, known, about)
    groups = seen(design, codes.astype(np.float64), known, about).astype(np.intp)

    def statistic(rows: CellRows) -> Linearised:
        return _linearised(rows, y, groups, len(labels), measure, placed)

    return estimate(
        design,
        cells,
        statistic,
        known=known,
        event=known & (values != 0),
        universe=about,
        composition=Composition.NONE,
    )


def _coded(group: ArrayLike, order: Sequence[object] | None) -> tuple[Integers, list[object]]:
    column = pd.Series(group)
    if order is None:
        codes, labels = pd.factorize(column, sort=True)
        return codes.astype(np.intp), list(labels)
    strange = sorted({str(label) for label in column.dropna().unique()} - {str(o) for o in order})
    if strange:
        raise DataError(
            "groups of a disparity measure",
            got=", ".join(strange[:5]),
            expected=f"one of {', '.join(str(label) for label in order)}",
        )
    categories = pd.Categorical(column, categories=list(order), ordered=True)
    return np.asarray(categories.codes, dtype=np.intp), list(order)


def _position(reference: object, labels: Sequence[object]) -> int | None:
    if reference is None:
        return None
    if reference not in labels:
        raise DataError(
            "reference group of a disparity measure",
            got=reference,
            expected=f"one of {', '.join(str(label) for label in labels[:20])}",
        )
    return labels.index(reference)


def _linearised(
    rows: CellRows, y: Floats, group: Integers, count: int, measure: Disparity, reading: Reading
) -> Linearised:
    inside = Nested.of(rows, group, count)
    estimates = inside.mean(y)
    spread = inside.mean((y - estimates[inside.of_row]) ** 2)
    firm = inside.in_two_psus & (spread > (1e-13 * estimates) ** 2)
    level, tilt = np.zeros(len(estimates)), np.zeros(len(estimates))
    value = np.full(rows.count, np.nan)
    for cell, here in inside.cells():
        present, size = inside.group[here], inside.size[here]
        found = _in_cell(estimates[here], size, present, count, measure, reading)
        if found is None:
            continue
        groups, result = found
        value[cell] = result.value
        if not firm[here][hinges(groups, measure)].all():
            result = Slopes(result.value, np.full(len(present), np.nan), result.by_share)
        tilt[here] = result.by_estimate / size
        level[here] = result.by_size(groups.share, float(size.sum()))
        level[here] -= tilt[here] * estimates[here]
    return Linearised(value, level[inside.of_row] + tilt[inside.of_row] * y)


def _in_cell(
    estimates: Floats,
    size: Floats,
    present: Integers,
    count: int,
    measure: Disparity,
    reading: Reading,
) -> tuple[Groups, Slopes] | None:
    """Return the groups of one cell and the measure, None where they cannot carry it."""
    reference = reading.reference
    if reference is not None:
        at = np.flatnonzero(present == reference)
        reading = reading.at(int(at[0]) if len(at) else None)
    needed = measure in _REFERENCE or (measure in _SIDES and not reading.ordered)
    if needed and reference is not None and reading.reference is None:
        return None
    if len(present) < 2:
        return None
    outermost = (
        {0, count - 1} if measure in _SIDES else {count - 1} if measure in _TARGET else set()
    )
    if reading.ordered and not outermost <= set(present.tolist()):
        return None
    groups = Groups(estimates, size / size.sum(), reading)
    return groups, _MEASURES[measure](groups)


def of_estimates(
    levels: Estimates,
    families: Sequence[ArrayLike],
    measure: Disparity,
    reading: Reading,
    *,
    keys: pd.DataFrame | None = None,
) -> Estimates:
    """Return the inequality among cells that are estimated already, one for each of the F families.

    A family lists the positions of its groups among the K cells, from the least to the most
    advantaged where there is an order; ``reading.reference`` is a position in the family. Groups
    are disjoint, and weigh as much as their denominators. ``keys`` has F rows. The covariance of
    the groups, and of their estimated shares, is that of ``levels``: any statistic that averages,
    one with an estimated threshold too. Standard errors are NaN as in ``disparity``.

    Raises ValueError for totals or quantiles, whose groups do not average.
    """
    if levels.composition is not Composition.AVERAGE:
        raise ValueError("shares weigh means, proportions, ratios and rates, nothing else")
    _refuse(measure, reading)
    sums, sizes = levels.sums, np.asarray(levels.sums.denominator.sum(axis=0)).ravel()
    firm = levels.estimable & ~levels.constant
    chosen = [np.asarray(family, dtype=np.intp) for family in families]
    value = np.full(len(chosen), np.nan)
    influence = np.full((levels.design.n_psu, len(chosen)), np.nan)
    for at, family in enumerate(chosen):
        if len(family) < 2 or not np.isfinite(levels.value[family]).all():
            continue
        size = sizes[family]
        groups = Groups(levels.value[family], size / size.sum(), reading)
        result = _MEASURES[measure](groups)
        value[at] = result.value
        if firm[family][hinges(groups, measure)].all():
            along = result.by_size(groups.share, float(size.sum()))
            influence[:, at] = (
                _columns(sums.influence, family) @ result.by_estimate
                + _columns(sums.denominator, family) @ along
            )

    def added(column: Any) -> Any:
        parts = [
            column[family].sum() if column.ndim == 1 else _columns(column, family).sum(axis=1)
            for family in chosen
        ]
        return np.stack(parts, axis=-1).astype(column.dtype)

    reach = np.stack([levels.reach[:, family].any(axis=1) for family in chosen], axis=-1)
    if keys is None:
        keys = pd.DataFrame({"family": np.arange(len(chosen))})
    return Estimates(
        levels.design,
        keys.reset_index(drop=True),
        Sums(
            value,
            influence,
            added(sums.denominator),
            added(sums.rows),
            added(sums.events),
            added(sums.missing),
            added(sums.weight_sum),
            np.full(len(chosen), np.nan),
        ),
        Composition.NONE,
        reach,
    )


def _columns(matrix: Any, which: Integers) -> NDArray[Any]:
    """Return columns of PSU sums, dense."""
    chosen = matrix[:, which]
    dense: NDArray[Any] = chosen.toarray() if sparse.issparse(chosen) else chosen
    return dense


def intervals(
    estimates: Estimates,
    measure: Disparity,
    *,
    level: float = 0.95,
    df: ArrayLike | None = None,
) -> interval.Intervals:
    """Return the intervals of a measure: of R and RII on the log scale, else value -/+ t x SE.

    ``df`` (K,) is by default PSUs minus strata of each cell.
    """
    freedom = estimates.df if df is None else np.broadcast_to(df, estimates.value.shape)
    make = interval.log_t if measure.relative_to_one else interval.t
    return make(estimates.value, estimates.se, freedom, level=level)
