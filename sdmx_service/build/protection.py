"""What a survey withholds to protect people, decided for all its indicators together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.build.contributions import contributions
from sdmx_service.build.earlier import Earlier
from sdmx_service.build.evidence import evidence
from sdmx_service.build.levels import NOBODY, Judged, Ruling, protected, withheld_too
from sdmx_service.build.relations import (
    SideBySide,
    margins_among,
    people_table,
    side_by_side,
    weighted_table,
)
from sdmx_service.build.scales import Measured
from sdmx_service.definitions.indicator import Indicator, Statistic
from sdmx_service.definitions.policy import DisclosurePolicy
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.survey import Survey
from sdmx_service.protect.disclosure import primary
from sdmx_service.protect.dominance import concentrated, contributions_needed
from sdmx_service.protect.secondary import completed
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample

__all__ = ["Protection", "protection"]

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Protection:
    """The decisions of each indicator, and what the audit found; the counts are for the office.

    ``confidential`` cells, ``complements`` withheld for them, of which ``added`` by the audit;
    ``open_before`` cells could be confined too closely before it, ``unprotected`` still can:
    an earlier release, or the table itself, leaves nothing to hide them behind.
    """

    decisions: Mapping[str, Judged]
    confidential: int
    complements: int
    added: int
    open_before: int
    unprotected: int


def _needs(
    policy: DisclosurePolicy,
    cells: SideBySide,
    confidential: Booleans,
    small: Booleans,
    joined: Booleans,
) -> tuple[Floats, Floats]:
    """Return how far n and the weighted sum of each cell must stay uncertain, (C,) each; 0: not.

    Confidential cells by people and by share, those that ``joined`` to cover them by people. Of a
    share that nearly everyone has the secret is how many have it not: the smaller side counts.
    """
    people, share = policy.width.people, policy.width.share
    some = cells.n > 0
    each = np.divide(cells.weight, cells.n, out=np.zeros(len(cells)), where=some)
    side = np.where(
        cells.capped, np.minimum(cells.amount, cells.weight - cells.amount), cells.amount
    )
    counted = np.where(small & some, np.maximum(people, share * cells.n), 0.0)
    summed = np.where(confidential, np.maximum(people * each, share * side), 0.0)
    summed = np.where(joined & ~confidential, people * each, summed)
    return counted, np.where(some & cells.summed, summed, 0.0)


def protection(
    project: Project,
    survey: Survey,
    found: Mapping[str, Estimates],
    earlier: Earlier | None = None,
    sample: Sample | None = None,
    rulings: Mapping[str, Ruling] | None = None,
    scales: Mapping[str, Measured] | None = None,
) -> Protection:
    """Return what is withheld of each indicator of a survey so that no release gives it away.

    First each indicator by itself (``levels.protected``), then all together: every cell withheld
    to protect people keeps the width that the policy asks for, against a reader who adds, subtracts
    and compares all that this and earlier releases publish. ``sample`` is needed for the rules of
    dominance, which look at single contributions. ``scales`` are those behind indicators: the
    decisions about their areas stand under the id of the scale.
    """
    indicators = {name: project.indicators[name] for name in found}
    behind = {one.declared.id: name for name, one in (scales or {}).items()}
    for scale, name in behind.items():
        indicators[scale] = replace(indicators[name], id=scale)
    found = {**found, **{one.declared.id: one.alpha for one in (scales or {}).values()}}
    sensitive = {
        name: _sensitive(project, survey, found[name], indicators[name], earlier, sample)
        for name in found
    }
    first = {
        name: protected(
            project,
            found[name],
            indicators[name],
            (rulings or {}).get(name, NOBODY),
            sensitive[name],
        )
        for name in found
    }
    cells = side_by_side(indicators, found, frozenset(behind))
    margins = list(margins_among(project, cells, found))
    shared = list(margins_among(project, cells, found, overlapping=True))
    reason = pl.concat([first[name].reason.cast(pl.String) for name in found])
    confidential = (reason == "CONFIDENTIAL").fill_null(False).to_numpy() & (cells.n > 0)
    complement = (reason == "COMPLEMENT").fill_null(False).to_numpy() & (cells.n > 0)
    shown = np.concatenate([first[name].shown(found[name].keys) for name in found])
    told, counted = np.zeros((2, len(cells)), dtype=bool)
    if earlier is not None:
        every = indicators.values()
        told = np.concatenate([earlier.told(survey, i, found[i.id]) for i in every])
        counted = np.concatenate([earlier.counted(survey, i, found[i.id]) for i in every])
    small = np.concatenate([_small(project, found[n], indicators[n]) for n in found])

    sheets = (
        people_table(cells, margins, shared, base=project.disclosure.base, counted=counted),
        weighted_table(cells, margins, survey.area, shared),
    )
    joined = complement

    def needs(added: Booleans) -> tuple[Floats, Floats]:
        return _needs(project.disclosure, cells, confidential, small & confidential, joined | added)

    nothing = np.zeros(len(cells), dtype=bool)
    alone = later = completed(sheets, shown, nothing, needs, cells.n + 1.0)
    added = alone.added
    if (told & ~(shown & ~added)).any():
        # Earlier releases open some of these again: more may have to go, if anything helps.
        joined = (joined | added) & ~told
        later = completed(sheets, shown & ~added, told, needs, cells.n + 1.0)
        added = added | later.added
    decisions = {name: withheld_too(first[name], added[cells.of(name)]) for name in found}
    return Protection(
        decisions,
        int(confidential.sum()),
        int((complement | added).sum()),
        int(added.sum()),
        int(alone.failing.sum()),
        int((later.unprotected & confidential).sum()),
    )


def _small(project: Project, estimates: Estimates, indicator: Indicator) -> Booleans:
    """Return the cells that are confidential for their number of people alone, (K,)."""
    facts = evidence(estimates, indicator).with_columns(pl.lit(None, pl.Float64).alias("events"))
    held: Booleans = primary(facts, project.disclosure).to_numpy()
    # Where only those counted carry a value, the rule is about them and not about n.
    held &= facts.get_column("n").to_numpy() == estimates.n
    return held


def _sensitive(
    project: Project,
    survey: Survey,
    estimates: Estimates,
    indicator: Indicator,
    earlier: Earlier | None,
    sample: Sample | None,
) -> Booleans:
    """Return the cells, (K,), that are confidential for contributions or earlier figures."""
    held = np.zeros(len(estimates), dtype=bool)
    if earlier is not None:
        # The people by whom two publications of one cell differ can be told apart from the rest.
        apart = earlier.differences(survey, indicator, estimates)
        facts = evidence(estimates, indicator).clear()
        facts = pl.concat([facts, apart.select("n")], how="diagonal")
        few = primary(facts, project.disclosure).to_numpy()
        held[apart.get_column("row").to_numpy()[few]] = True
    rules = project.disclosure.dominance
    amount = indicator.statistic is Statistic.MEAN and indicator.variable is not None
    if rules is not None and sample is not None and amount and indicator.unit in rules.units:
        largest, total = contributions(
            sample, indicator, estimates.keys, contributions_needed(rules)
        )
        held |= concentrated(largest, total, rules)
    return held
