"""An indicator as its office declares it: what is counted, among whom, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.survey import Survey
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = ["Direction", "Indicator", "Statistic", "indicator_of"]


class Statistic(Enum):
    """The estimator of an indicator; each names the expressions it needs."""

    PROPORTION = "proportion"
    MEAN = "mean"
    RATIO = "ratio"
    POVERTY_RATE = "poverty_rate"


class Direction(Enum):
    """Which way is better, if any."""

    HIGHER_BETTER = "higher_better"
    LOWER_BETTER = "lower_better"
    PARITY = "parity"
    GAP_ONLY = "gap_only"


_NEEDS = {
    Statistic.PROPORTION: ("numerator",),
    Statistic.MEAN: ("variable",),
    Statistic.RATIO: ("numerator", "denominator"),
    Statistic.POVERTY_RATE: ("variable", "share_of_median"),
}


@dataclass(frozen=True)
class Indicator:
    """One indicator; ``margin`` is the size of a difference that is too small to matter."""

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
    share_of_median: float | None
    strict: bool
    without: frozenset[str]
    surveys: frozenset[str]
    place: str

    @property
    def names(self) -> frozenset[str]:
        """The harmonised variables that the indicator reads."""
        parts = (self.numerator, self.denominator, self.variable, self.universe)
        return frozenset().union(*(part.names for part in parts if part is not None))

    @property
    def factor(self) -> float:
        """What an estimate is multiplied by to be in the indicator's unit: shares to percent."""
        return 100.0 if self.unit == "PT" and self.statistic is not Statistic.MEAN else 1.0

    def carried_by(self, survey: Survey) -> bool:
        """Whether the survey is declared for it, or holds every variable it reads."""
        if self.surveys:
            return survey.id in self.surveys
        return self.names <= {recipe.name for recipe in survey.variables}


def indicator_of(file: YamlFile) -> Indicator:
    """Build the indicator that a YAML file, already held to its schema, declares."""
    content = file.content
    statistic = Statistic(content["statistic"])
    for needed in _NEEDS[statistic]:
        if needed not in content:
            raise DefinitionError(
                file.place(("statistic",)),
                got=statistic.value,
                expected=f"the field {needed} beside it",
            )

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
        share_of_median=content.get("share_of_median"),
        strict=content.get("strict", True),
        without=frozenset(content.get("without", ())),
        surveys=frozenset(content.get("surveys", ())),
        place=file.place(),
    )
