"""The outcome of a reliability policy for each estimate."""

from __future__ import annotations

import polars as pl

from sdmx_service.definitions.policy import Outcome, ReliabilityPolicy
from sdmx_service.errors import DefinitionError

__all__ = ["OUTCOMES", "judge"]

# Mildest first: of two outcomes the later one counts.
OUTCOMES = pl.Enum([outcome.value for outcome in Outcome])


def judge(estimates: pl.DataFrame, policy: ReliabilityPolicy) -> pl.DataFrame:
    """Return ``outcome`` and ``reason`` (None where presented) for each row of ``estimates``.

    The columns are the facts that the policy's rules may use (``definitions.policy.FACTS``):
    ``n`` people with an answer, ``n_eff`` p(1-p)/se^2, ``events`` those counted by a share,
    ``psu`` and ``df`` of the domain, ``se``, ``cv``, ``width`` and ``rel_width`` of the
    Korn-Graubard interval on 0..1, ``item_nonresponse`` 0..1. The first rule that holds decides;
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
            hint="name another policy in dsd/publication.toml",
        )
    outcome: pl.Expr = pl.lit(Outcome.PRESENT.value)
    reason: pl.Expr = pl.lit(None, dtype=pl.String)
    for rule in reversed(policy.rules):
        holds = rule.condition.over(estimates.columns).fill_null(False)
        outcome = pl.when(holds).then(pl.lit(rule.outcome.value)).otherwise(outcome)
        reason = pl.when(holds).then(pl.lit(rule.reason)).otherwise(reason)
    return estimates.select(outcome.cast(OUTCOMES).alias("outcome"), reason.alias("reason"))
