"""A publication project: everything under ``dsd/``, read and cross-checked."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sdmx_service.definitions.carried import check_comparison
from sdmx_service.definitions.indicator import Indicator, Statistic, indicator_of
from sdmx_service.definitions.policy import (
    DisclosurePolicy,
    ReliabilityPolicy,
    disclosure_of,
    reliability_of,
)
from sdmx_service.definitions.review import Review, Reviews, reviews_of
from sdmx_service.definitions.scale import Scale, scale_of
from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.statement import Statement, check_statement, statement_of
from sdmx_service.definitions.survey import Survey, survey_of
from sdmx_service.definitions.yaml_file import YamlFile, read_yaml
from sdmx_service.errors import DefinitionError
from sdmx_service.structures.artefacts import Codelist
from sdmx_service.structures.store import StructureStore

__all__ = ["Project", "Publication", "load_project"]


@dataclass(frozen=True)
class Publication:
    """The agency that publishes, and under which policies.

    Of several ``reliability`` policies the first that applies to a statistic judges it.
    """

    agency: str
    organisation: str
    title: str
    base_url: str
    licence: str
    languages: tuple[str, ...]
    reliability: tuple[str, ...]
    disclosure: str


@dataclass(frozen=True)
class Project:
    """One office's publication: structures, indicators, surveys and policies.

    ``statements`` are what it says itself in quality reports, by what they are about.
    """

    root: Path
    publication: Publication
    structures: StructureStore
    indicators: Mapping[str, Indicator]
    surveys: Mapping[str, Survey]
    reliability: tuple[ReliabilityPolicy, ...]
    disclosure: DisclosurePolicy
    scales: Mapping[str, Scale]
    reviews: tuple[Review, ...]
    statements: Mapping[str, Statement]

    @property
    def dsd(self) -> Path:
        """The folder of the definitions."""
        return self.root / "dsd"

    def policy_for(self, statistic: Statistic) -> ReliabilityPolicy:
        """Return the first reliability policy in force that applies to a statistic."""
        for policy in self.reliability:
            if statistic.value in policy.applies_to:
                return policy
        raise DefinitionError(
            "dsd/publication.toml: reliability",
            got=", ".join(policy.id for policy in self.reliability),
            expected=f"a policy that applies to {statistic.value}",
            hint="name one more, such as house-2026",
        )

    def indicators_of(self, survey: Survey) -> list[Indicator]:
        """Return the indicators that a survey carries, in the order of CL_INDICATOR."""
        order = list(self.structures.codelist("CL_INDICATOR").by_id)
        carried = [i for i in self.indicators.values() if i.carried_by(survey)]
        return sorted(carried, key=lambda indicator: order.index(indicator.id))


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)


def _read_all(paths: list[Path], schema: Path, make: Callable[[YamlFile], T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for path in paths:
        file = read_yaml(path)
        hold_to_schema(file, schema)
        made = make(file)
        if made.id != path.stem:
            raise DefinitionError(
                file.place(("id",)), got=made.id, expected=f"{path.stem}, the name of its file"
            )
        found[made.id] = made
    return found


def _publication(path: Path) -> Publication:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DefinitionError(
            str(path), expected="a publication", hint="--project names the folder that holds dsd/"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(str(path), got=str(error), expected="TOML") from None
    fields = Publication.__dataclass_fields__
    for name in (*content, *fields):
        if name not in content or name not in fields:
            raise DefinitionError(
                f"{path}: {name}",
                expected="no such field" if name in content else "this field",
                hint=f"fields: {', '.join(fields)}",
            )
    policies = content["reliability"]
    named = (policies,) if isinstance(policies, str) else tuple(policies)
    if not named:
        raise DefinitionError(f"{path}: reliability", got="nothing", expected="at least one policy")
    return Publication(
        **{**content, "languages": tuple(content["languages"]), "reliability": named}
    )


def _code_in(codelist: Codelist, code: str, place: str) -> None:
    if code not in codelist.by_id:
        close = difflib.get_close_matches(code, codelist.by_id, 1)
        raise DefinitionError(
            place,
            got=code,
            expected=f"a code of {codelist.id}",
            hint=f"did you mean {close[0]}?" if close else "add the code to dsd/structures",
        )


def _check_indicator(
    structures: StructureStore, indicator: Indicator, surveys: Collection[Survey]
) -> None:
    for name, code in {
        "CL_INDICATOR": indicator.id,
        "CL_DOMAIN": indicator.domain,
        "CL_UNIT_MEASURE": indicator.unit,
        "CL_INCL_DIM": indicator.inclusion_dimension,
        "CL_FACET": indicator.facet,
    }.items():
        _code_in(structures.codelist(name), code, indicator.place)
    flow = structures.dataflow(f"DF_{indicator.domain}")
    if indicator.id not in flow.admits.get("INDICATOR", {indicator.id}):
        raise DefinitionError(
            indicator.place,
            got=indicator.id,
            expected=f"an indicator that the constraint of {flow.id} admits",
            hint="add it to the cube region of that flow in dsd/structures/dataflows.xml",
        )
    dimensions = [d.id for d in structures.datastructure("DSD_INCL_IND").dimensions]
    for name in sorted(indicator.without - set(dimensions)):
        raise DefinitionError(
            f"{indicator.place}: without", got=name, expected=f"one of {', '.join(dimensions)}"
        )
    _check_variables(indicator, surveys)
    carrying = [survey for survey in surveys if indicator.carried_by(survey)]
    for comparison in indicator.comparisons:
        check_comparison(structures, indicator, comparison, carrying)


def _check_variables(indicator: Indicator, surveys: Collection[Survey]) -> None:
    """Refuse a variable that no survey has, or that a survey named for the indicator lacks."""
    known = {survey.id: survey for survey in surveys}
    for unknown in sorted(indicator.surveys - set(known)):
        raise DefinitionError(
            indicator.place, got=unknown, expected=f"one of {', '.join(sorted(known))}"
        )
    columns = {id: {recipe.name for recipe in s.variables} for id, s in known.items()}
    anywhere = set().union(*columns.values())
    for name in sorted(indicator.names - anywhere):
        close = difflib.get_close_matches(name, anywhere, 1)
        raise DefinitionError(
            indicator.place,
            got=name,
            expected="a harmonised variable of at least one survey",
            hint=f"did you mean {close[0]}?" if close else "declare it in dsd/surveys",
        )
    for id in sorted(indicator.surveys):
        for name in sorted(indicator.names - columns[id]):
            raise DefinitionError(
                indicator.place,
                got=name,
                expected=f"a harmonised variable of {id}",
                hint=f"declare it in {known[id].place}",
            )


def _check_scale(
    structures: StructureStore,
    scale: Scale,
    indicators: Collection[Indicator],
    surveys: Mapping[str, Survey],
) -> None:
    _code_in(structures.codelist("CL_SCALE"), scale.id, scale.place)
    if scale.survey not in surveys:
        raise DefinitionError(
            f"{scale.place}: survey",
            got=scale.survey,
            expected=f"one of {', '.join(sorted(surveys))}",
        )
    columns = {recipe.name for recipe in surveys[scale.survey].variables}
    for item in scale.items:
        _code_in(structures.codelist("CL_SCALE_ITEM"), item.id, scale.place)
        if item.variable not in columns:
            close = difflib.get_close_matches(item.variable, columns, 1)
            raise DefinitionError(
                f"{scale.place}: items.{item.id}.variable",
                got=item.variable,
                expected=f"a harmonised variable of {scale.survey}",
                hint=f"did you mean {close[0]}?" if close else None,
            )
    if not any(i.index is not None and i.index.id == scale.id for i in indicators):
        raise DefinitionError(
            scale.place,
            got=scale.id,
            expected=f"an indicator with the field index: {scale.id}",
            hint="a scale is published with the mean of its index",
        )


def _check_review(
    review: Review, indicators: Mapping[str, Indicator], surveys: Mapping[str, Survey]
) -> None:
    if review.indicator not in indicators:
        raise DefinitionError(
            f"{review.place}: indicator", got=review.indicator, expected="a declared indicator"
        )
    known = {survey.provenance: survey for survey in surveys.values()}
    if review.data not in known:
        raise DefinitionError(
            f"{review.place}: data",
            got=review.data,
            expected=f"one of {', '.join(sorted(known))}",
            hint="the file of the survey is not the one that was reviewed: look at the figure "
            "again and sign anew, or take the signature out",
        )
    if not indicators[review.indicator].carried_by(known[review.data]):
        raise DefinitionError(
            f"{review.place}: indicator",
            got=review.indicator,
            expected=f"an indicator that {known[review.data].id} carries",
        )


def _check_survey(structures: StructureStore, survey: Survey) -> None:
    structure = structures.datastructure("DSD_INCL_IND")
    areas = structures.codelist("CL_AREA")
    _code_in(areas, survey.area, survey.place)
    variance = structures.codelist("CL_VAR_EST_METHOD")
    _code_in(variance, survey.design.variance_method, survey.design.place)
    for level in survey.areas:
        for code in level.recipe.labels:
            _code_in(areas, code, level.recipe.place)
    for breakdown in survey.breakdowns:
        component = structure.by_id.get(breakdown.dimension)
        if component is None or component.codelist is None:
            raise DefinitionError(
                breakdown.recipe.place,
                got=breakdown.dimension,
                expected=f"a dimension: {', '.join(d.id for d in structure.dimensions)}",
            )
        prefix = (
            structures.codelist("CL_BREAKDOWN").by_id[breakdown.dimension].annotations["PREFIX"]
        )
        for code in breakdown.recipe.labels:
            _code_in(component.codelist, code, breakdown.recipe.place)
            # Its gaps need it as a side: PREFIX and code together.
            _code_in(structures.codelist("CL_GROUP"), prefix + code, breakdown.recipe.place)
    named = {breakdown.dimension for breakdown in survey.breakdowns}
    for crossing in survey.crossings:
        for dimension in crossing:
            if dimension not in named:
                raise DefinitionError(
                    survey.place, got=dimension, expected=f"crossings of {', '.join(sorted(named))}"
                )


def _chosen(policies: Mapping[str, T], id: str, folder: Path) -> T:
    if id not in policies:
        raise DefinitionError(
            "dsd/publication.toml",
            got=id,
            expected=f"one of {', '.join(sorted(policies))} in {folder}",
        )
    return policies[id]


def load_project(root: str | Path = ".") -> Project:
    """Read a publication project; DefinitionError names the file, line and field of a fault."""
    root = Path(root)
    dsd = root / "dsd"
    publication = _publication(dsd / "publication.toml")
    structures = StructureStore.read(dsd / "structures")
    schemas = dsd / "schemas"
    read = partial(_read_definitions, dsd, schemas)
    scales = read("scales", "*.yaml", "scale", scale_of, needed=False)
    indicators = read("indicators", "*/*.yaml", "indicator", partial(indicator_of, scales=scales))
    surveys = read("surveys", "*.yaml", "survey", survey_of)
    reliability = read("policies/reliability", "*.yaml", "reliability", reliability_of)
    disclosure = read("policies/disclosure", "*.yaml", "disclosure", disclosure_of)
    files: dict[str, Reviews] = read("reviews", "*.yaml", "review", reviews_of, needed=False)
    reviews = tuple(review for file in files.values() for review in file.signed)
    for scale in scales.values():
        _check_scale(structures, scale, indicators.values(), surveys)
    for indicator in indicators.values():
        _check_indicator(structures, indicator, surveys.values())
    for survey in surveys.values():
        _check_survey(structures, survey)
        for id in survey.truth.indicators if survey.truth else ():
            if id not in indicators or not indicators[id].carried_by(survey):
                raise DefinitionError(
                    f"{survey.place}: truth.indicators",
                    got=id,
                    expected=f"an indicator that {survey.id} carries",
                )
    for review in reviews:
        _check_review(review, indicators, surveys)
    statements: dict[str, Statement] = read(
        "quality", "*.yaml", "quality", statement_of, needed=False
    )
    for statement in statements.values():
        check_statement(structures, statement, {*surveys, *indicators}, publication.languages)
    folder = dsd / "policies/reliability"
    project = Project(
        root=root,
        publication=publication,
        structures=structures,
        indicators=indicators,
        surveys=surveys,
        reliability=tuple(_chosen(reliability, id, folder) for id in publication.reliability),
        disclosure=_chosen(disclosure, publication.disclosure, dsd / "policies/disclosure"),
        scales=scales,
        reviews=reviews,
        statements=statements,
    )
    for statistic in {indicator.statistic for indicator in indicators.values()}:
        project.policy_for(statistic)
    return project


def _read_definitions(
    dsd: Path,
    schemas: Path,
    folder: str,
    pattern: str,
    schema: str,
    make: Callable[[YamlFile], Any],
    *,
    needed: bool = True,
) -> dict[str, Any]:
    paths = sorted((dsd / folder).glob(pattern))
    if needed and not paths:
        raise DefinitionError(str(dsd / folder), expected=f"at least one file {pattern}")
    return _read_all(paths, schemas / f"{schema}.schema.json", make)
