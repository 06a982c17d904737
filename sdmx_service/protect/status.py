"""What a reader is told of each observation, and what is taken out of the withheld ones."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sdmx_service.definitions.policy import Outcome

__all__ = ["with_status"]

# One public code for every withheld cell: telling the causes apart hands over the pattern.
_STATUS = {
    Outcome.PRESENT.value: ("A", "F", "PRESENT"),
    Outcome.FLAG.value: ("U", "F", "FLAG"),
    Outcome.REVIEW.value: ("Q", "C", "WITHHELD"),
    Outcome.SUPPRESS.value: ("Q", "C", "WITHHELD"),
}


def with_status(
    observations: pl.DataFrame, outcome: pl.Series, numbers: Sequence[str]
) -> pl.DataFrame:
    """Return the observations with OBS_STATUS, CONF_STATUS and RELIABILITY, protected.

    ``outcome`` holds the values of Outcome; ``numbers`` are the columns that a withheld
    observation must not carry, its value, bounds, standard error and counts among them.
    """
    statuses = outcome.cast(pl.String)
    held = statuses.is_in([Outcome.REVIEW.value, Outcome.SUPPRESS.value])
    named = {
        column: statuses.replace_strict(
            {value: codes[place] for value, codes in _STATUS.items()}, return_dtype=pl.String
        ).alias(column)
        for place, column in enumerate(("OBS_STATUS", "CONF_STATUS", "RELIABILITY"))
    }
    return observations.with_columns(
        pl.when(pl.lit(held)).then(None).otherwise(pl.col(name)).alias(name) for name in numbers
    ).with_columns(*named.values())
