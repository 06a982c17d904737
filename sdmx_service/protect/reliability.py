"""The outcome of a reliability policy for each estimate."""

from __future__ import annotations

import polars as pl

from sdmx_service.definitions.policy import Outcome, ReliabilityPolicy
from sdmx_service.errors import DefinitionError

__all__ = ["OUTCOMES", "judge", "remarks"]

# Mildest first: of two outcomes the later one counts.
OUTCOMES = pl.Enum([outcome.value for outcome in Outcome])


def judge(estimates: pl.DataFrame, policy: ReliabilityPolicy) -> pl.DataFrame:
    """Return ``outcome`` and ``reason`` (None where presented) for each row of ``estimates``.

    The columns are the facts that the policy's rules may use (``definitions.policy.FACTS``):
    ``estimate`` on the estimator's scale, ``n`` people behind it, ``n_eff`` p(1-p)/se^2,
    ``n_star`` the same adjusted for degrees of freedom and at most n,
    ``events`` those counted, ``n_num``, ``n_eff_num`` and ``n_eff_den`` the people in the
    numerator of a ratio and the effective samples of both its sides, ``psu`` and ``df`` of the
    domain, ``se``, ``cv``, ``width`` and ``rel_width`` of the Korn-Graubard interval on 0..1 (of
    the log t interval of a ratio), ``item_nonresponse`` 0..1. The first rule that holds decides;
    a rule about something that a statistic does not have (the width of a share's interval, for
    a mean) is null there and does not hold. Raises DefinitionError for a statistic that the
    policy does not apply to.
    """
    beyond = set(estimates.get_column("statistic").unique()) - policy.applies_to
    if beyond:
        raise DefinitionError(
            f"reliability policy {policy.id}",
            got=min(beyond),
            expected=f"a statistic it applies to: {', '.join(sorted(policy.applies_to))}",
            hint="name another policy beside it in dsd/publication.toml",
        )
    outcome: pl.Expr = pl.lit(Outcome.PRESENT.value)
    reason: pl.Expr = pl.lit(None, dtype=pl.String)
    for rule in reversed(policy.rules):
        holds = rule.condition.over(estimates.columns).fill_null(False)
        outcome = pl.when(holds).then(pl.lit(rule.outcome.value)).otherwise(outcome)
        reason = pl.when(holds).then(pl.lit(rule.reason)).otherwise(reason)
    return estimates.select(outcome.cast(OUTCOMES).alias("outcome"), reason.alias("reason"))


def remarks(estimates: pl.DataFrame, outcome: pl.Series, policy: ReliabilityPolicy) -> pl.Series:
    """Return what the policy's notes say of each published estimate, None where nothing.

    The conditions may ask of the ``outcome`` as well as of the facts. A withheld estimate has no
    note: it would tell of its value.
    """
    known = estimates.with_columns(outcome.cast(pl.String).alias("outcome"))
    shown = outcome.cast(pl.String).is_in([Outcome.PRESENT.value, Outcome.FLAG.value])
    texts = [
        pl.when(note.condition.over(known.columns).fill_null(False)).then(pl.lit(note.text))
        for note in policy.notes
    ]
    said = (
        pl.concat_str(texts, separator=" ", ignore_nulls=True).replace("", None)
        if texts
        else pl.lit(None, dtype=pl.String)
    )
    return known.select(
        pl.when(pl.lit(shown)).then(said).otherwise(None).cast(pl.String).alias("note")
    ).to_series()
