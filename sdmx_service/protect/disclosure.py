"""Which cells are withheld so that nobody can be recognised."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sdmx_service.definitions.policy import DisclosurePolicy

__all__ = ["complements", "primary"]

_ROUNDS = 20


def primary(estimates: pl.DataFrame, policy: DisclosurePolicy) -> pl.Series:
    """Return, for each estimate, whether a rule of the policy withholds it.

    The rules may use ``n`` and ``events``; where a statistic has no events they do not hold.
    """
    holds: pl.Expr = pl.lit(False)
    for rule in policy.rules:
        holds = holds | rule.condition.over(estimates.columns).fill_null(False)
    return estimates.select(holds.alias("withheld")).to_series()


def complements(
    cells: pl.DataFrame, confidential: pl.Series, withheld: pl.Series, partitions: Sequence[str]
) -> pl.Series:
    """Return the cells to withhold because a total less its other parts would give one away.

    ``cells`` holds the key columns and ``n``; ``confidential`` marks the cells that must not be
    known, ``withheld`` all that are not published, the confidential among them. Where exactly
    one part of a total is withheld, over any column of ``partitions`` with the others fixed,
    and it is confidential, the published part with the fewest people joins it; repeated until
    nothing changes. This stops subtraction along one margin. It does not solve the linear
    programme of all margins together: see docs/methods/protection.md.
    """
    keys = [name for name in cells.columns if name != "n"]
    frame = cells.with_row_index("row").with_columns(
        confidential.alias("confidential"), withheld.alias("withheld")
    )
    for _ in range(_ROUNDS):
        joined: set[int] = set()
        for dimension in partitions:
            fixed = [name for name in keys if name != dimension]
            alone = (
                frame.filter(pl.col(dimension) != "_T")
                .with_columns(
                    pl.col("withheld").sum().over(fixed).alias("hidden"),
                    (pl.col("confidential") & pl.col("withheld")).sum().over(fixed).alias("secret"),
                )
                .filter((pl.col("hidden") == 1) & (pl.col("secret") == 1) & ~pl.col("withheld"))
                .sort("n", "row")
                .unique(fixed, keep="first", maintain_order=True)
            )
            joined.update(alone.get_column("row").to_list())
        if not joined:
            break
        chosen = pl.col("row").is_in(sorted(joined))
        # A complement is as secret as the cell it covers: it must not stand alone elsewhere.
        frame = frame.with_columns(
            (pl.col("withheld") | chosen).alias("withheld"),
            (pl.col("confidential") | chosen).alias("confidential"),
        )
    return frame.get_column("withheld") & ~withheld
