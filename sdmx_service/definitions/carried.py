"""Whether a project's surveys carry the comparisons that its indicators declare."""

from __future__ import annotations

from collections.abc import Collection

from sdmx_service.definitions.comparison import Attributable, Comparison, Crossed, Family
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.survey import Survey
from sdmx_service.errors import DefinitionError
from sdmx_service.structures.store import StructureStore

__all__ = ["check_comparison"]


def check_comparison(
    structures: StructureStore,
    indicator: Indicator,
    comparison: Comparison,
    surveys: Collection[Survey],
) -> None:
    """Refuse a comparison that none of the indicator's ``surveys`` carries.

    Raises DefinitionError as well for one that the structure of gaps has no key for, and for groups
    that overlap where the comparison needs them apart.
    """
    dimensions = [d.id for d in structures.datastructure("DSD_INCL_IND").dimensions]
    known = [name for name in dimensions if name not in indicator.without]
    for name in comparison.dimensions:
        if name not in known:
            raise DefinitionError(
                comparison.place,
                got=name,
                expected=f"a breakdown of {indicator.id}: {', '.join(known[3:])}",
            )
    named = {survey.id for survey in surveys}
    for id in sorted(comparison.surveys - named):
        raise DefinitionError(
            comparison.place,
            got=id,
            expected=f"a survey that carries {indicator.id}: {', '.join(sorted(named))}",
        )
    having = [survey for survey in surveys if _has(survey, comparison)]
    missing = comparison.surveys - {survey.id for survey in having}
    if missing or not having:
        where = ", ".join(sorted(missing)) or "any survey of the indicator"
        raise DefinitionError(
            comparison.place,
            got=" x ".join(comparison.dimensions),
            expected=f"breakdowns of {where}" + _crossing_of(comparison),
        )
    _check_sides(structures, comparison, having)


def _crossing_of(comparison: Comparison) -> str:
    return ", crossed with each other" if isinstance(comparison, Crossed) else ""


def _has(survey: Survey, comparison: Comparison) -> bool:
    have = {breakdown.dimension for breakdown in survey.breakdowns}
    if not set(comparison.dimensions) <= have:
        return False
    if isinstance(comparison, Crossed):
        wanted = {comparison.breakdown, comparison.within}
        return any(set(crossing) == wanted for crossing in survey.crossings)
    return True


def _check_sides(
    structures: StructureStore, comparison: Comparison, surveys: Collection[Survey]
) -> None:
    for survey in () if isinstance(comparison, Family) else surveys:
        for breakdown in survey.breakdowns:
            if breakdown.dimension in comparison.dimensions and breakdown.overlap:
                raise DefinitionError(
                    comparison.place,
                    got=f"{breakdown.dimension}, whose groups overlap in {survey.id}",
                    expected="groups of which everybody is in one at most",
                )
    if isinstance(comparison, Crossed):
        conditions = [
            component.id
            for component in structures.datastructure("DSD_INCL_GAP").dimensions
            if component.id in structures.datastructure("DSD_INCL_IND").by_id
        ][3:]
        if comparison.within not in conditions:
            raise DefinitionError(
                f"{comparison.place}: within",
                got=comparison.within,
                expected=f"one of {', '.join(conditions)}",
                hint="turn breakdown and within about",
            )
    if isinstance(comparison, Attributable) and comparison.reference is not None:
        for survey in surveys:
            [breakdown] = [b for b in survey.breakdowns if b.dimension == comparison.breakdown]
            codes = breakdown.recipe.labels
            if comparison.reference not in codes:
                raise DefinitionError(
                    f"{comparison.place}: reference",
                    got=comparison.reference,
                    expected=f"one of {', '.join(codes)}",
                )
