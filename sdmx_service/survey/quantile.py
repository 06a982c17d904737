"""Quantiles of an outcome by cell, with Woodruff's intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from sdmx_service.model import CiMethod
from sdmx_service.survey import interval
from sdmx_service.survey.cells import Cells, Grouping
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Composition, Estimates, estimate
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised
from sdmx_service.survey.interval import Intervals
from sdmx_service.survey.ordered import Ordered, Rule
from sdmx_service.survey.outcome import known_values, seen
from sdmx_service.survey.table import beside, scaled

__all__ = ["QuantileInterval", "Quantiles", "Rule", "quantiles", "ratio"]


class QuantileInterval(Enum):
    """The interval of the share below a quantile, which is read back through the distribution.

    R survey's ``interval.type``: mean, xlogit, beta (Korn and Graubard) and asin. SCORE inverts the
    test that the share below a value is p (Francisco and Fuller, Annals of Statistics 19, 1991).
    """

    MEAN = "mean"
    XLOGIT = "xlogit"
    BETA = "beta"
    ASIN = "asin"
    SCORE = "score"


@dataclass(frozen=True, eq=False)
class Quantiles:
    """P quantiles of K cells.

    ``estimates`` has the K cells of the first of ``p`` (P,), then those of the next, with a column
    ``quantile`` in the keys; ``intervals`` belong to them. Their standard errors are Woodruff's,
    (upper - lower) / (2 t), and their joint covariance takes the density each of them implies.
    """

    estimates: Estimates
    intervals: Intervals
    p: tuple[float, ...]

    def at(self, p: float) -> tuple[Estimates, Intervals]:
        """Return the K cells of one of the quantiles, with the keys of the cells."""
        count = len(self.estimates) // len(self.p)
        start = self.p.index(p) * count
        place = slice(start, start + count)
        one = self.estimates.take(np.arange(start, start + count))
        bounds = self.intervals
        return (
            replace(one, keys=one.keys.drop(columns="quantile")),
            Intervals(bounds.lower[place], bounds.upper[place], bounds.method[place], bounds.level),
        )


def quantiles(
    design: Design,
    cells: Cells,
    outcome: ArrayLike,
    p: Sequence[float] = (0.5,),
    *,
    rule: Rule = Rule.MATH,
    method: QuantileInterval = QuantileInterval.MEAN,
    level: float = 0.95,
    df: ArrayLike | None = None,
    universe: Booleans | None = None,
) -> Quantiles:
    """Return the quantiles of ``outcome`` (n,) by cell at the shares ``p``; NaN is missing.

    The interval of the share F(q) of the cell at or below its quantile q, with its design-based
    standard error, is read back as quantiles (Woodruff, JASA 47, 1952; R's ``svyquantile``). A
    bound whose share lies below 0 or above 1 is not known (NaN), nor is then the standard error.
    ``df``, one number or one a cell (K,), is by default PSUs minus strata represented in the cell.
    The design effect is that of F(q).

    Raises ValueError for a share outside of 0 to 1.
    """
    shares = tuple(float(share) for share in p)
    if not shares or not all(0.0 < share < 1.0 for share in shares):
        raise ValueError(f"shares {shares} are not between 0 and 1")
    values, known = known_values(design, outcome)
    source = _Source(design, values, known, universe)
    by_value = np.argsort(source.seen, kind="stable")
    freedom = None if df is None else np.broadcast_to(np.asarray(df, np.float64), (len(cells),))
    found: list[list[tuple[Estimates, Intervals]]] = [[] for _ in shares]
    for grouping, place in cells.slices():
        inside = _Inside(source, grouping, by_value)
        for at, share in enumerate(shares):
            given = None if freedom is None else freedom[place]
            found[at].append(inside.quantile(share, rule, method, level, given))
    parts = [part for blocks in found for part in blocks]
    return Quantiles(
        _side_by_side(
            [
                replace(one, keys=one.keys.assign(quantile=share))
                for share, blocks in zip(shares, found, strict=True)
                for one, _ in blocks
            ]
        ),
        Intervals(
            np.concatenate([bounds.lower for _, bounds in parts]),
            np.concatenate([bounds.upper for _, bounds in parts]),
            np.concatenate([bounds.method for _, bounds in parts]),
            level,
        ),
        shares,
    )


def ratio(
    design: Design,
    cells: Cells,
    outcome: ArrayLike,
    *,
    upper: float = 0.9,
    lower: float = 0.1,
    rule: Rule = Rule.MATH,
    universe: Booleans | None = None,
) -> Estimates:
    """Return the ratio of two quantiles of ``outcome`` (n,) by cell, such as P90/P10.

    NaN where the lower quantile is not above 0.
    """
    both = quantiles(design, cells, outcome, (upper, lower), rule=rule, universe=universe)
    above, below = both.at(upper)[0], both.at(lower)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(below.value > 0, above.value / below.value, np.nan)
        scale = np.where(below.value > 0, 1.0 / below.value, 0.0)
    sums = replace(
        above.sums,
        value=value,
        influence=scaled(
            above.sums.influence - scaled(below.sums.influence, np.nan_to_num(value)), scale
        ),
        srs_variance=np.full(len(above), np.nan),
    )
    replicated = above.replicated
    if replicated is not None and below.replicated is not None:
        moved = replicated - above.value - value * (below.replicated - below.value)
        replicated = value + moved * scale
    return replace(above, sums=sums, replicated=replicated)


@dataclass(frozen=True, eq=False)
class _Source:
    design: Design
    values: Floats
    known: Booleans
    universe: Booleans | None

    @property
    def seen(self) -> Floats:
        return seen(self.design, self.values, self.known, self.universe)


class _Inside:
    """The cells of one grouping."""

    def __init__(self, source: _Source, grouping: Grouping, by_value: np.ndarray) -> None:
        self._source, self._cells = source, Cells((grouping,))
        self._outcome = source.seen
        design, used = source.design, source.known & (source.design.weights > 0)
        if source.universe is not None:
            used = used & source.universe
        code = grouping.codes[used]
        count = len(grouping.keys)
        rows = CellRows(
            np.where(code < 0, count, code),
            count,
            design.weights[used],
            design.psu[used],
            design.n_psu,
        )
        self._ordered = Ordered.of(rows, self._outcome, by_value=by_value)

    def quantile(
        self,
        p: float,
        rule: Rule,
        method: QuantileInterval,
        level: float,
        df: Floats | None,
    ) -> tuple[Estimates, Intervals]:
        """Return one quantile of these cells with its interval."""
        read = self._ordered.quantile
        value = read(np.full(len(self._cells), p), rule)
        share = self._share_up_to(value)
        freedom = share.df.astype(np.float64) if df is None else df
        if method is QuantileInterval.SCORE:
            lower, upper = self._score_bounds(p, freedom, level)
        else:
            low, high = _share_bounds(share, freedom, method, level)
            lower, upper = read(low, rule), read(high, rule)
        # at the largest value the share is 1 and its standard error 0, which says nothing
        unknown = ~share.estimable | ~(share.se > 0) | np.isnan(lower) | np.isnan(upper)
        lower, upper = np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)
        error = (upper - lower) / (2.0 * interval.critical(freedom, level))
        with np.errstate(divide="ignore", invalid="ignore"):
            # minus one over the density that the interval implies
            slope = np.where(share.se > 0, -error / share.se, np.nan)
        sums = replace(
            share.sums,
            value=value,
            influence=scaled(share.sums.influence, slope),
            srs_variance=share.sums.srs_variance * slope**2,
        )
        replicated = share.replicated
        if replicated is not None:
            replicated = value + (replicated - share.value) * slope
        methods = np.full(len(value), CiMethod.WOODRUFF, dtype=object)
        methods[unknown] = CiMethod.NONE
        return (
            Estimates(share.design, share.keys, sums, Composition.NONE, share.reach, replicated),
            Intervals(lower, upper, methods, level),
        )

    def _share_up_to(self, limit: Floats) -> Estimates:
        """Return the share of each cell whose outcome is at most its limit (count,)."""

        def statistic(rows: CellRows) -> Linearised:
            below = (self._outcome <= rows.at(limit, outside=np.nan)).astype(np.float64)
            people = rows.sum()
            with np.errstate(divide="ignore", invalid="ignore"):
                value = np.where(people > 0, rows.sum(below) / people, np.nan)
                scale = np.where(people > 0, 1.0 / people, 0.0)
            return Linearised(value, (below - rows.at(np.nan_to_num(value))) * rows.at(scale))

        source = self._source
        return estimate(
            source.design,
            self._cells,
            statistic,
            known=source.known,
            event=source.known & (source.values != 0),
            universe=source.universe,
            composition=Composition.AVERAGE,
            from_sums=True,
        )

    def _score_bounds(self, p: float, df: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the first and the last value at which the share below is not told from p."""
        ordered, critical = self._ordered, interval.critical(df, level)

        def search(sign: float) -> Floats:
            low, high = np.zeros_like(ordered.size), ordered.size.copy()
            while (searching := low < high).any():
                middle = (low + high) // 2
                share = self._share_up_to(ordered.value_at(middle))
                with np.errstate(divide="ignore", invalid="ignore"):
                    score = (share.value - p) / share.se
                # a share of 0 or 1 has no standard error: it is far from p
                score = np.where(share.se > 0, score, np.inf * np.sign(share.value - p))
                reached = score >= sign * critical
                low = np.where(searching & ~reached, middle + 1, low)
                high = np.where(searching & reached, middle, high)
            return np.where(low < ordered.size, ordered.value_at(low), np.nan)

        return search(-1.0), search(1.0)


def _share_bounds(
    share: Estimates, df: Floats, method: QuantileInterval, level: float
) -> tuple[Floats, Floats]:
    """Return the interval of a share, NaN for a bound outside of 0 to 1."""
    if method is QuantileInterval.BETA:
        # as R: the effective sample size has the degrees of freedom of the cell
        bounds = interval.korn_graubard(share.value, share.se, share.df, share.n, level=level)
    else:
        of = {
            QuantileInterval.MEAN: interval.t,
            QuantileInterval.XLOGIT: interval.logit,
            QuantileInterval.ASIN: interval.asin,
        }[method]
        bounds = of(share.value, share.se, df, level=level)
    return (
        np.where(bounds.lower >= 0, bounds.lower, np.nan),
        np.where(bounds.upper <= 1, bounds.upper, np.nan),
    )


def _side_by_side(parts: Sequence[Estimates]) -> Estimates:
    """Return estimates of one design as one."""
    first = parts[0]
    columns = {
        name: [getattr(part.sums, name) for part in parts]
        for name in ("value", "events", "missing", "weight_sum", "srs_variance")
    }
    tables = {
        name: [getattr(part.sums, name) for part in parts]
        for name in ("influence", "denominator", "rows")
    }
    replicated = [part.replicated for part in parts if part.replicated is not None]
    return Estimates(
        first.design,
        pd.concat([part.keys for part in parts], ignore_index=True),
        replace(
            first.sums,
            **{name: np.concatenate(blocks) for name, blocks in columns.items()},
            **{name: _joined(blocks) for name, blocks in tables.items()},
        ),
        Composition.NONE,
        np.hstack([part.reach for part in parts]),
        np.hstack(replicated) if replicated else None,
    )


def _joined(tables: Sequence[Any]) -> Any:
    if any(sparse.issparse(table) for table in tables):
        return reduce(beside, tables)
    return np.hstack(tables)
