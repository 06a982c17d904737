"""What the reports need to know of the definitions that a release was made with."""

from __future__ import annotations

from typing import Any

from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.scale import Scale
from sdmx_service.definitions.survey import Survey
from sdmx_service.structures.artefacts import Code, Codelist, localised

__all__ = ["describe"]

_UNIT_LABELS = {"PT": "%", "IX": "score", "YR": "years", "RO": "ratio", "EUR": "euros"}


def _label(code: Code) -> str:
    return code.annotations.get("LABEL") or localised(code.name)


def _name(project: Project, codelist: str, code: str) -> str:
    return localised(project.structures.codelist(codelist).by_id[code].name)


def _indicator(project: Project, indicator: Indicator) -> dict[str, Any]:
    code = project.structures.codelist("CL_INDICATOR").by_id[indicator.id]
    unit = project.structures.codelist("CL_UNIT_MEASURE").by_id[indicator.unit]
    return {
        "id": indicator.id,
        "name": localised(code.name),
        "domain": indicator.domain,
        "statistic": indicator.statistic.value,
        "unit": indicator.unit,
        "unit_label": _UNIT_LABELS.get(indicator.unit, localised(unit.name)),
        "decimals": indicator.decimals,
        "scale": list(indicator.scale),
        "margin": indicator.margin,
        "direction": indicator.direction.value,
        "level": indicator.level,
        "inclusion_dimension": indicator.inclusion_dimension,
        "inclusion_dimension_name": _name(project, "CL_INCL_DIM", indicator.inclusion_dimension),
        "facet": indicator.facet,
        "facet_name": _name(project, "CL_FACET", indicator.facet),
        "headline": indicator.headline,
        "definition": indicator.definition,
        "population": indicator.population,
        "limits": indicator.limits,
        "numerator": indicator.numerator.text if indicator.numerator else None,
        "universe": indicator.universe.text if indicator.universe else None,
        "surveys": [s.id for s in project.surveys.values() if indicator.carried_by(s)],
    }


def _survey(survey: Survey, rows: int) -> dict[str, Any]:
    return {
        "id": survey.id,
        "area": survey.area,
        "period": survey.period,
        "title": survey.title,
        "synthetic": survey.synthetic,
        "citation": survey.citation,
        "licence": survey.licence,
        "url": survey.url,
        "sha256": survey.sources[0].sha256,
        "sources": [{"name": s.name, "sha256": s.sha256} for s in survey.sources],
        "design": survey.design.account,
        "n": rows,
        "notes": list(survey.notes),
        "not_in_the_data": list(survey.not_in_the_data),
    }


def _areas(codelist: Codelist) -> dict[str, Any]:
    return {
        code.id: {
            "name": localised(code.name),
            "level": int(code.annotations["LEVEL"]),
            "parent": code.parent,
            "children": [child.id for child in codelist.codes if child.parent == code.id],
        }
        for code in codelist.codes
    }


def _reliability(project: Project) -> dict[str, Any]:
    """Return the policies in force as one text, and which of them judges which statistic."""
    statistics = {indicator.statistic for indicator in project.indicators.values()}
    judging = {one.value: project.policy_for(one).id for one in statistics}
    used = [policy for policy in project.reliability if policy.id in judging.values()]
    reasons: dict[str, str] = {}
    for policy in used:
        for code, text in policy.reasons.items():
            reasons.setdefault(code, text)
    if project.scales:
        reasons["ALPHA"] = "The items of the scale do not go together well enough for an index."
    if project.reviews:
        reasons["SIGNED"] = "A person has looked at it and decided."
    return {
        "id": ", ".join(policy.id for policy in used),
        "title": "; ".join(policy.title for policy in used),
        "url": used[0].url,
        "reasons": reasons,
        "of_statistic": dict(sorted(judging.items())),
        "notes": {note.id: note.text for policy in used for note in policy.notes},
    }


def _scale(project: Project, scale: Scale) -> dict[str, Any]:
    items = project.structures.codelist("CL_SCALE_ITEM").by_id
    name = project.structures.codelist("CL_SCALE").by_id[scale.id].name
    return {
        "id": scale.id,
        "name": localised(name),
        "survey": scale.survey,
        "items": {item.id: localised(items[item.id].name) for item in scale.items},
        "minimum_valid": scale.minimum_valid,
        "withhold_below": scale.withhold_below,
        "flag_below": scale.flag_below,
        "limits": scale.limits,
    }


def describe(project: Project, rows: dict[str, int]) -> dict[str, Any]:
    """Return the description of a project; ``rows`` maps survey ids to their number of people."""
    publication = project.publication
    structure = project.structures.datastructure("DSD_INCL_IND")
    dimensions = sorted(
        {b.dimension for survey in project.surveys.values() for b in survey.breakdowns},
        key=list(structure.by_id).index,
    )
    breakdowns = {}
    for dimension in dimensions:
        component = structure.by_id[dimension]
        codes = component.codelist.codes if component.codelist else ()
        breakdowns[dimension] = {
            "name": localised(component.name),
            "groups": [
                {"code": code.id, "name": localised(code.name), "label": _label(code)}
                for code in codes
                if code.id != "_T"
            ],
        }
    return {
        "publication": {
            "agency": publication.agency,
            "organisation": publication.organisation,
            "title": publication.title,
            "base_url": publication.base_url,
            "licence": publication.licence,
            "languages": list(publication.languages),
            "next_release": None,
        },
        "domains": [
            {"id": code.id, "name": localised(code.name)}
            for code in project.structures.codelist("CL_DOMAIN").codes
        ],
        "indicators": {
            code.id: _indicator(project, project.indicators[code.id])
            for code in project.structures.codelist("CL_INDICATOR").codes
            if code.id in project.indicators
        },
        "scales": {scale.id: _scale(project, scale) for scale in project.scales.values()},
        "surveys": {s.id: _survey(s, rows[s.id]) for s in project.surveys.values()},
        "areas": _areas(project.structures.codelist("CL_AREA")),
        "breakdowns": breakdowns,
        "references": {
            s.id: {b.dimension: b.reference for b in s.breakdowns} for s in project.surveys.values()
        },
        "policies": {
            "reliability": _reliability(project),
            "disclosure": {"id": project.disclosure.id, "title": project.disclosure.title},
        },
        "statements": {
            one.id: {id: list(values) for id, values in one.said.items()}
            for one in project.statements.values()
        },
    }
