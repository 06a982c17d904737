"""Tests of independence of two classifications of people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.errors import DataError, DesignError
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import total
from sdmx_service.survey.sandwich import WaldTest, f_test
from sdmx_service.survey.variance import covariance

__all__ = ["Independence", "independence"]

Floats = NDArray[np.float64]


class Independence(Enum):
    """The tests of R's ``svychisq``, by its names.

    RAO_SCOTT_F: Pearson's statistic over its mean design effect, Satterthwaite's degrees of
    freedom (Rao and Scott 1984; Thomas and Rao 1987). RAO_SCOTT_CHISQ: the first-order correction.
    WALD: of the residuals from independence (Koch, Freeman and Freeman 1975). ADJUSTED_WALD: the
    same with the degrees of freedom that the covariance took.
    """

    RAO_SCOTT_F = "F"
    RAO_SCOTT_CHISQ = "Chisq"
    WALD = "Wald"
    ADJUSTED_WALD = "adjWald"


@dataclass(frozen=True, eq=False)
class _Table:
    """Weighted counts (I, J) with their influence by PSU (P, I, J), and the domain's df."""

    design: Design
    counts: Floats
    influence: Floats
    represented: NDArray[np.bool_]
    df: int

    def covariance(self, influence: Floats) -> Floats:
        flat = influence.reshape(len(influence), -1)
        present = np.repeat(self.represented[:, None], flat.shape[1], axis=1)
        return covariance(flat, self.design, represented=present)


def independence(
    design: Design,
    rows: ArrayLike,
    columns: ArrayLike,
    test: Independence = Independence.RAO_SCOTT_F,
    *,
    universe: NDArray[np.bool_] | None = None,
) -> WaldTest:
    """Return the test that ``rows`` (n,) and ``columns`` (n,), two labels a person, are unrelated.

    People without one of the labels are outside the domain. For RAO_SCOTT_CHISQ ``ddf`` is
    infinite.

    Raises DataError where a classification has one class, DesignError where there are not enough
    degrees of freedom.
    """
    table = _table(design, rows, columns, universe)
    if table.df < 1:
        raise DesignError(
            "test of independence", got=f"{table.df} degrees of freedom", expected="one or more"
        )
    if test in (Independence.WALD, Independence.ADJUSTED_WALD):
        return _wald(table, adjusted=test is Independence.ADJUSTED_WALD)
    statistic, effect = _rao_scott(table)
    # the eigenvalues of this matrix are the generalised design effects
    trace = float(np.trace(effect))
    if test is Independence.RAO_SCOTT_CHISQ:
        size = len(effect)
        first_order = statistic / (trace / size)
        return WaldTest(first_order, size, np.inf, float(special.chdtrc(size, first_order)))
    freedom = trace**2 / float(np.trace(effect @ effect))
    return f_test(statistic / trace, freedom, freedom * table.df)


def _table(
    design: Design, rows: ArrayLike, columns: ArrayLike, universe: NDArray[np.bool_] | None
) -> _Table:
    of = design.weights > 0 if universe is None else universe & (design.weights > 0)
    labels = pd.DataFrame({"row": pd.Series(rows), "column": pd.Series(columns)}).reset_index(
        drop=True
    )
    # a class that only people outside the domain have is no class of the table
    labels = labels.where(labels.notna().all(axis=1) & of)
    row, row_labels = pd.factorize(labels["row"], sort=True)
    column, column_labels = pd.factorize(labels["column"], sort=True)
    shape = (len(row_labels), len(column_labels))
    if min(shape) < 2:
        raise DataError(
            "test of independence",
            got=f"a table of {shape[0]} by {shape[1]}",
            expected="two classes or more in both directions",
        )
    codes = np.where(row >= 0, row * shape[1] + column, -1)
    keys = pd.DataFrame({"cell": np.arange(shape[0] * shape[1])})
    found = total(design, Cells.from_groupings([(keys, codes)]), np.ones(design.n_rows))
    return _Table(
        design,
        found.value.reshape(shape),
        found.influence.reshape(-1, *shape),
        np.asarray(found.reach.any(axis=1)),
        int(found.union_df(np.ones(len(found)))[0]),
    )


def _rao_scott(table: _Table) -> tuple[float, Floats]:
    """Return Pearson's statistic of the shares, n = 1, and the matrix of its design effects."""
    all_people = table.counts.sum()
    shares = table.counts / all_people
    of_all = table.influence.sum(axis=(1, 2), keepdims=True)
    spread = table.covariance((table.influence - shares * of_all) / all_people)
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    pearson = float(((shares - expected) ** 2 / expected).sum())
    contrasts = _interactions(*shares.shape)
    with np.errstate(divide="ignore"):
        inverse = np.where(shares > 0, 1.0 / shares, 0.0).ravel()
    simple = contrasts.T @ (inverse[:, None] * contrasts)
    weighted = inverse[:, None] * contrasts
    return pearson, np.asarray(np.linalg.solve(simple, weighted.T @ spread @ weighted))


def _interactions(rows: int, columns: int) -> Floats:
    """Return a basis, (I J, (I-1)(J-1)), of what is orthogonal to row and column effects."""
    # a sum contrast in both directions
    down = np.vstack([np.eye(rows - 1), -np.ones(rows - 1)])
    across = np.vstack([np.eye(columns - 1), -np.ones(columns - 1)])
    return np.asarray(np.kron(down, across), dtype=np.float64)


def _wald(table: _Table, *, adjusted: bool) -> WaldTest:
    counts, moved = table.counts, table.influence
    people = counts.sum()
    by_row, by_column = counts.sum(axis=1)[:, None], counts.sum(axis=0)[None, :]
    expected = by_row * by_column / people
    residual = (counts - expected)[1:, 1:].ravel()
    change = (
        moved.sum(axis=2, keepdims=True) * by_column + moved.sum(axis=1, keepdims=True) * by_row
    ) / people - expected / people * moved.sum(axis=(1, 2), keepdims=True)
    spread = table.covariance((moved - change)[:, 1:, 1:])
    size = len(residual)
    left = table.df - size + 1
    if left < 1:
        raise DesignError(
            "Wald test of independence",
            got=f"{size} contrasts on {table.df} degrees of freedom",
            expected="no more contrasts than PSUs minus strata",
            hint="use the Rao-Scott test, or merge classes",
        )
    statistic = float(residual @ np.linalg.solve(spread, residual)) / size
    if adjusted:
        return f_test(statistic * left / table.df, size, left)
    return f_test(statistic, size, table.df)
