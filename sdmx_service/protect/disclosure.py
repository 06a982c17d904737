"""Which cells are withheld so that nobody can be recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.policy import DisclosurePolicy

__all__ = ["Margin", "complements", "margins_of", "primary"]

Booleans = NDArray[np.bool_]
_TOTAL = "_T"


@dataclass(frozen=True)
class Margin:
    """A total and the parts that add up to it, as positions among the cells."""

    total: int
    parts: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        """The total and its parts: of these, any one follows from the others."""
        return (self.total, *self.parts)


def primary(estimates: pl.DataFrame, policy: DisclosurePolicy) -> pl.Series:
    """Return, for each estimate, whether a rule of the policy withholds it.

    The rules may use ``n`` and ``events``; where a statistic has no events they do not hold.
    """
    holds = pl.repeat(False, pl.len())
    for rule in policy.rules:
        holds = holds | rule.condition.over(estimates.columns).fill_null(False)
    return estimates.select(holds.alias("withheld")).to_series()


def margins_of(
    keys: pl.DataFrame, dimensions: Sequence[str], area: str, parents: Mapping[str, str | None]
) -> list[Margin]:
    """Return every margin among cells with these ``keys``, one row a cell.

    Along a dimension the cells that differ in it alone add up to the one that is ``_T`` there;
    along ``area`` they add up to the cell of their common parent.
    """
    cells = keys.with_row_index("row")
    found = []
    for dimension in (*dimensions, area):
        if dimension == area:
            above = pl.col(area).replace_strict(parents, return_dtype=pl.String)
            parts = cells.with_columns(above.alias(area)).drop_nulls(area)
        else:
            broken = cells.filter(pl.col(dimension) != _TOTAL)
            parts = broken.with_columns(pl.lit(_TOTAL).alias(dimension))
        grouped = parts.group_by(keys.columns).agg(pl.col("row").alias("parts"))
        joined = cells.join(grouped, on=keys.columns).select("row", "parts").sort("row")
        found += [Margin(total, tuple(members)) for total, members in joined.rows()]
    return found


def complements(
    n: NDArray[np.intp], confidential: Booleans, withheld: Booleans, margins: Sequence[Margin]
) -> Booleans:
    """Return the cells, (K,), to withhold so that no confidential one follows by subtraction.

    ``withheld`` (K,) are all that are not published, the ``confidential`` (K,) among them. A cell
    that stands alone in a margin follows from the others; once it does it is as good as published,
    so that another may follow: the chain is followed to its end. Where it reaches a confidential
    cell, the published part of that margin with the fewest people ``n`` (K,) is withheld too and is
    as secret; where none is published, a cover that was itself recovered becomes secret.

    This stops every chain of subtractions within one indicator. It does not solve the margins
    together as equations, nor look at other indicators: see docs/methods/protection.md.
    """
    held, secret = withheld.copy(), confidential & withheld
    while True:
        exposed = _exposed(held, secret, margins)
        if exposed is None:
            return held & ~withheld
        margin, recovered = exposed
        open_parts = [part for part in margin.parts if not held[part]]
        if open_parts or not held[margin.total]:
            chosen = min(open_parts or [margin.total], key=lambda part: (n[part], part))
            held[chosen] = secret[chosen] = True
            continue
        covers = [one for one in margin.cells if recovered[one]]
        secret[min(covers, key=lambda part: (n[part], part))] = True


def _exposed(
    held: Booleans, secret: Booleans, margins: Sequence[Margin]
) -> tuple[Margin, Booleans] | None:
    """Return the first margin in which a chain of subtractions reaches a secret cell.

    With it the cells (K,) that were recovered on the way; none of them is secret, and all of the
    margin but that cell is published or among them.
    """
    hidden = held.copy()
    found = True
    while found:
        found = False
        for margin in margins:
            unknown = [cell for cell in margin.cells if hidden[cell]]
            if len(unknown) != 1:
                continue
            if secret[unknown[0]]:
                return margin, held & ~hidden
            hidden[unknown[0]] = False
            found = True
    return None
