"""An indicator as its office declares it: what is counted, among whom, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sdmx_service.definitions.comparison import Comparison, comparisons_of
from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.scale import Scale
from sdmx_service.definitions.statistic import (
    Deprivation,
    Poverty,
    Statistic,
    deprivations_of,
    form_of,
    parameters_of,
)
from sdmx_service.definitions.survey import Survey
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = ["Direction", "Indicator", "Poverty", "Statistic", "indicator_of"]


class Direction(Enum):
    """Which way is better, if any."""

    HIGHER_BETTER = "higher_better"
    LOWER_BETTER = "lower_better"
    PARITY = "parity"
    GAP_ONLY = "gap_only"


# Published as their variable is: percent stay percent.
_AS_MEASURED = (Statistic.MEAN, Statistic.QUANTILE, Statistic.SCALE_MEAN)


@dataclass(frozen=True)
class Indicator:
    """One indicator; ``margin`` is the size of a difference that is too small to matter.

    ``parameters`` are the numbers of its statistic, ``index`` the scale whose index it is the mean
    of, ``comparisons`` what is published of its groups beside their plain gaps.
    """

    id: str
    domain: str
    statistic: Statistic
    unit: str
    decimals: int
    scale: tuple[float, float | None]
    margin: float
    direction: Direction
    level: str
    inclusion_dimension: str
    facet: str
    headline: bool
    definition: str
    population: str
    limits: str
    numerator: Expression | None
    denominator: Expression | None
    variable: Expression | None
    universe: Expression | None
    parameters: Mapping[str, float]
    rule: str
    strict: bool
    deprivations: tuple[Deprivation, ...]
    measure: Poverty | None
    index: Scale | None
    without: frozenset[str]
    surveys: frozenset[str]
    comparisons: tuple[Comparison, ...]
    place: str

    @property
    def names(self) -> frozenset[str]:
        """The harmonised variables that the indicator reads."""
        parts = (self.numerator, self.denominator, self.variable, self.universe)
        conditions = (one.condition for one in self.deprivations)
        items = frozenset(item.variable for item in self.index.items) if self.index else frozenset()
        return items.union(*(part.names for part in (*parts, *conditions) if part is not None))

    @property
    def factor(self) -> float:
        """What an estimate is multiplied by to be in the indicator's unit: shares to percent."""
        return 100.0 if self.unit == "PT" and self.statistic not in _AS_MEASURED else 1.0

    def carried_by(self, survey: Survey) -> bool:
        """Whether the survey is declared for it, or holds every variable it reads."""
        if self.index is not None and survey.id != self.index.survey:
            return False
        if self.surveys:
            return survey.id in self.surveys
        return self.names <= {recipe.name for recipe in survey.variables}


def indicator_of(file: YamlFile, scales: Mapping[str, Scale]) -> Indicator:
    """Build the indicator that a YAML file, already held to its schema, declares."""
    content = file.content
    statistic = Statistic(content["statistic"])
    form = form_of(file, statistic)

    def expression(name: str) -> Expression | None:
        return Expression(content[name], file.place((name,))) if name in content else None

    low, high = content["scale"]
    return Indicator(
        id=content["id"],
        domain=content["domain"],
        statistic=statistic,
        unit=content["unit"],
        decimals=content["decimals"],
        scale=(float(low), None if high is None else float(high)),
        margin=float(content["margin"]),
        direction=Direction(content["direction"]),
        level=content["level"],
        inclusion_dimension=content["inclusion_dimension"],
        facet=content["facet"],
        headline=content["headline"],
        definition=content["definition"],
        population=content["population"],
        limits=content["limits"],
        numerator=expression("numerator"),
        denominator=expression("denominator"),
        variable=expression("variable"),
        universe=expression("universe"),
        parameters=parameters_of(file, form),
        rule=content.get("rule", "math"),
        strict=content.get("strict", True),
        deprivations=deprivations_of(file),
        measure=Poverty(content["measure"]) if "measure" in content else None,
        index=_index(file, scales),
        without=frozenset(content.get("without", ())),
        surveys=frozenset(content.get("surveys", ())),
        comparisons=comparisons_of(file, statistic),
        place=file.place(),
    )


def _index(file: YamlFile, scales: Mapping[str, Scale]) -> Scale | None:
    name = file.content.get("index")
    if name is None:
        return None
    if name not in scales:
        raise DefinitionError(
            file.place(("index",)),
            got=name,
            expected=f"a scale in dsd/scales: {', '.join(sorted(scales)) or 'there is none'}",
        )
    return scales[name]
