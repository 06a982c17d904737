"""A survey as its office declares it: files, design, and how its columns are harmonised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sdmx_service.definitions.design import SampleDesign, design_of
from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = [
    "AreaLevel",
    "Breakdown",
    "Detail",
    "Recipe",
    "SampleDesign",
    "Source",
    "Survey",
    "Truth",
    "survey_of",
]


@dataclass(frozen=True)
class Source:
    """One data file: in the project (``path``) or in an installed package (``package``, ``file``).

    ``join`` names the columns on which it is joined to the first source, many to one.
    """

    name: str
    format: str
    sha256: str
    path: str | None = None
    package: str | None = None
    file: str | None = None
    extra: str | None = None
    join: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How one harmonised column is made; ``place`` is where it is declared.

    Exactly one of: ``source`` (a column as it is, or recoded by ``codes`` or ``bands``),
    ``expression`` (over harmonised columns), ``any_of`` (true where it is true for anyone
    with the same values of the raw columns ``within``), ``groups`` (of which a person may be in
    several: the condition of each, over harmonised columns).
    """

    name: str
    place: str
    source: str | None = None
    codes: Mapping[str, Any] | None = None
    bands: Mapping[str, tuple[float | None, float | None]] | None = None
    expression: Expression | None = None
    any_of: Expression | None = None
    within: tuple[str, ...] = ()
    groups: Mapping[str, Expression] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The groups that it makes; none where it takes a column as it is."""
        codes = (self.codes or {}).values()
        made = (str(code) for code in codes if code is not None)
        return tuple(dict.fromkeys([*(self.bands or {}), *made, *(self.groups or {})]))


class Detail(Enum):
    """How finely the areas of one level are broken down."""

    TOTAL = "total"
    SINGLE = "single"
    CROSSED = "crossed"


@dataclass(frozen=True)
class AreaLevel:
    """One level of areas below the whole, and how finely it is broken down."""

    recipe: Recipe
    detail: Detail


@dataclass(frozen=True)
class Breakdown:
    """A dimension by which the survey can be broken down, and its reference group."""

    dimension: str
    recipe: Recipe
    reference: str

    @property
    def overlap(self) -> bool:
        """Whether a person may be in several of its groups."""
        return self.recipe.groups is not None


@dataclass(frozen=True)
class Truth:
    """A census that the sample was drawn from: what the estimates should have found."""

    source: Source
    weight: str
    indicators: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Survey:
    """One survey: where it comes from, how it was drawn, what it can be asked."""

    id: str
    area: str
    period: str
    title: str
    synthetic: bool
    citation: str
    licence: str
    url: str
    sources: tuple[Source, ...]
    design: SampleDesign
    areas: tuple[AreaLevel, ...]
    variables: tuple[Recipe, ...]
    breakdowns: tuple[Breakdown, ...]
    crossings: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    not_in_the_data: tuple[str, ...]
    truth: Truth | None = None
    place: str = field(default="", compare=False)

    @property
    def provenance(self) -> str:
        """What identifies its input, as PROV_ID: its id and the start of its file's sha256."""
        return f"{self.id}:{self.sources[0].sha256[:12]}"

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every harmonised column: variables, then areas, then breakdowns."""
        return (
            *self.variables,
            *(level.recipe for level in self.areas),
            *(breakdown.recipe for breakdown in self.breakdowns),
        )


def _source(content: Mapping[str, Any]) -> Source:
    return Source(**{**content, "join": tuple(content.get("join", ()))})


def _recipe(file: YamlFile, where: tuple[str | int, ...], name: str, content: Any) -> Recipe:
    place = file.place(where)
    bands = content.get("bands")
    codes = content.get("map")
    chosen = [key for key in ("from", "expr", "any", "groups") if key in content]
    if len(chosen) != 1:
        raise DefinitionError(
            place, got=", ".join(chosen) or "none", expected="one of from, expr, any, groups"
        )
    return Recipe(
        name=name,
        place=place,
        source=content.get("from"),
        codes={str(raw): code for raw, code in codes.items()} if codes is not None else None,
        bands={code: (low, high) for code, (low, high) in bands.items()} if bands else None,
        expression=Expression(content["expr"], place) if "expr" in content else None,
        any_of=Expression(content["any"], place) if "any" in content else None,
        within=tuple(content.get("within", ())),
        groups={
            code: Expression(text, file.place((*where, "groups", code)))
            for code, text in content["groups"].items()
        }
        if "groups" in content
        else None,
    )


def survey_of(file: YamlFile) -> Survey:
    """Build the survey that a YAML file, already held to its schema, declares."""
    content = file.content
    breakdowns = []
    for dimension, declared in content["breakdowns"].items():
        recipe = _recipe(file, ("breakdowns", dimension), dimension, declared)
        if declared["reference"] not in recipe.labels:
            raise DefinitionError(
                file.place(("breakdowns", dimension, "reference")),
                got=declared["reference"],
                expected=f"one of {', '.join(sorted(recipe.labels))}",
            )
        breakdowns.append(Breakdown(dimension, recipe, declared["reference"]))
    areas = tuple(
        AreaLevel(
            _recipe(file, ("areas", level), f"AREA_{level + 1}", declared),
            Detail(declared.get("detail", "crossed")),
        )
        for level, declared in enumerate(content.get("areas", ()))
    )
    variables = tuple(
        _recipe(file, ("variables", name), name, declared)
        for name, declared in content["variables"].items()
    )
    alone = (one.recipe for one in breakdowns if not one.overlap)
    recipes = [*variables, *(level.recipe for level in areas), *alone]
    truth = content.get("truth")
    return Survey(
        id=content["id"],
        area=content["area"],
        period=str(content["period"]),
        title=content["title"],
        synthetic=content["synthetic"],
        citation=content["citation"],
        licence=content["licence"],
        url=content["url"],
        sources=tuple(_source(source) for source in content["sources"]),
        design=design_of(file, {recipe.name: recipe.labels for recipe in recipes}),
        areas=areas,
        variables=variables,
        breakdowns=tuple(breakdowns),
        crossings=tuple((first, second) for first, second in content.get("crossings", ())),
        notes=tuple(content.get("notes", ())),
        not_in_the_data=tuple(content.get("not_in_the_data", ())),
        truth=Truth(
            source=_source(truth["source"]),
            weight=truth["weight"],
            indicators=tuple(truth["indicators"]),
            note=truth["note"],
        )
        if truth
        else None,
        place=file.place(),
    )
