"""What people decide of cells under review, and what the quality of a scale does to its index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl

from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.review import Review
from sdmx_service.errors import DefinitionError
from sdmx_service.protect.reliability import OUTCOMES

__all__ = ["SIGNED", "at_least", "signed"]

# The reason of a cell that a person has decided.
SIGNED = "SIGNED"
_TOTAL = "_T"


def signed(verdict: pl.DataFrame, keys: pd.DataFrame, reviews: Sequence[Review]) -> pl.DataFrame:
    """Return the verdict with the signed cells decided: presented or suppressed.

    Only a cell under review is decided; one that a rule presents or suppresses stays so. Raises
    DefinitionError for a signature of a cell that is not among ``keys``.
    """
    if not reviews:
        return verdict
    outcome = verdict.get_column("outcome").cast(pl.String).to_numpy().astype(object)
    reason = verdict.get_column("reason").to_numpy().astype(object)
    for review in reviews:
        unknown = sorted(set(review.key) - set(keys.columns))
        wanted = {name: review.key.get(name, _TOTAL) for name in keys.columns}
        same = (keys == pd.Series(wanted)).all(axis=1).to_numpy()
        if unknown or not same.any():
            raise DefinitionError(
                f"{review.place}: key",
                got=", ".join(f"{name} {code}" for name, code in review.key.items()),
                expected=f"a cell of {review.indicator} in {review.data.split(':')[0]}",
                hint=f"dimensions: {', '.join(keys.columns)}",
            )
        cell = int(np.flatnonzero(same)[0])
        if outcome[cell] == Outcome.REVIEW.value:
            outcome[cell] = (Outcome.PRESENT if review.publish else Outcome.SUPPRESS).value
            reason[cell] = SIGNED
    return pl.DataFrame(
        {
            "outcome": pl.Series(list(outcome), dtype=OUTCOMES),
            "reason": pl.Series(list(reason), dtype=pl.String),
        }
    )


def at_least(verdict: pl.DataFrame, outcome: Outcome, reason: str) -> pl.DataFrame:
    """Return the verdict with no cell milder than ``outcome``, those that were for ``reason``."""
    milder = verdict.get_column("outcome") < pl.Series([outcome.value], dtype=OUTCOMES)
    return verdict.select(
        pl.when(milder)
        .then(pl.lit(outcome.value, dtype=OUTCOMES))
        .otherwise("outcome")
        .alias("outcome"),
        pl.when(milder).then(pl.lit(reason)).otherwise("reason").alias("reason"),
    )
