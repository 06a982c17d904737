"""The elements of SDMX-ML 2.1 read into the engine's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sdmx_service.errors import StructureError
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity, named, references_in
from sdmx_service.structures.messages import COM, STR, Element

__all__ = [
    "admitted",
    "annotated",
    "constrains",
    "read_codelist",
    "read_dataflow",
    "read_datastructure",
]

Find = Callable[[Identity], Artefact]
"""Return the artefact of an identity."""

_ROLES = {
    f"{STR}Dimension": Role.DIMENSION,
    f"{STR}TimeDimension": Role.TIME,
    f"{STR}PrimaryMeasure": Role.MEASURE,
    f"{STR}Attribute": Role.ATTRIBUTE,
}
_LISTS = ("DimensionList", "MeasureList", "AttributeList")


def annotated(element: Element) -> dict[str, str]:
    """Return the annotations by type: the title where there is one, else the (English) text."""
    found: dict[str, str] = {}
    for annotation in element.iterfind(f"{COM}Annotations/{COM}Annotation"):
        texts = named(annotation, f"{COM}AnnotationText")
        text = annotation.findtext(f"{COM}AnnotationTitle") or texts.get("en", "")
        found[annotation.findtext(f"{COM}AnnotationType", annotation.get("id", ""))] = text
    return found


def read_codelist(artefact: Artefact) -> Codelist:
    """Return a codelist; StructureError for a parent it does not hold.

    That no code is there twice the schema has made sure of.
    """
    codes: list[Code] = []
    elements = artefact.element.findall(f"{STR}Code")
    ids = {element.get("id", "") for element in elements}
    for element in elements:
        parent = element.find(f"{STR}Parent/Ref")
        code = Code(
            id=element.get("id", ""),
            name=named(element, f"{COM}Name"),
            parent=None if parent is None else parent.get("id", ""),
            description=named(element, f"{COM}Description"),
            annotations=annotated(element),
        )
        if code.parent is not None and code.parent not in ids:
            raise StructureError(
                f"{artefact.at(parent)}, codelist {artefact.id}, code {code.id}",
                got=code.parent,
                expected="a parent in the same codelist",
            )
        codes.append(code)
    return Codelist(
        agency=artefact.agency,
        id=artefact.id,
        version=artefact.version,
        name=artefact.name,
        codes=tuple(codes),
        annotations=annotated(artefact.element),
    )


def read_datastructure(
    artefact: Artefact, find: Find, codelist: Callable[[Identity], Codelist]
) -> DataStructure:
    """Return a data structure with its codelists and the names of its concepts."""
    components: dict[str, Component] = {}
    for name in _LISTS:
        for element in artefact.element.iterfind(f"{STR}DataStructureComponents/{STR}{name}/*"):
            if element.tag == f"{COM}Annotations":
                continue
            if element.tag not in _ROLES:
                raise StructureError(
                    f"{artefact.at(element)}, data structure {artefact.id}",
                    got=element.tag.removeprefix(STR),
                    expected=f"one of {', '.join(tag.removeprefix(STR) for tag in _ROLES)}",
                )
            component = _component(artefact, element, find, codelist)
            if component.id in components:
                raise StructureError(
                    f"{artefact.at(element)}, data structure {artefact.id}",
                    got=component.id,
                    expected="each component once",
                )
            components[component.id] = component
    for role in (Role.TIME, Role.MEASURE):
        if not any(component.role is role for component in components.values()):
            raise StructureError(
                f"{artefact.at()}, data structure {artefact.id}", expected=f"a {role.value}"
            )
    return DataStructure(
        artefact.agency, artefact.id, artefact.version, artefact.name, tuple(components.values())
    )


def _component(
    artefact: Artefact, element: Element, find: Find, codelist: Callable[[Identity], Codelist]
) -> Component:
    identity = next(references_in(element))
    concept = next(
        found
        for found in find(identity.target).element.iter(f"{STR}Concept")
        if found.get("id") == identity.item
    )
    enumeration = element.find(f"{STR}LocalRepresentation/{STR}Enumeration")
    text = element.find(f"{STR}LocalRepresentation/{STR}TextFormat")
    role = _ROLES[element.tag]
    return Component(
        id=element.get("id", identity.item or ""),
        role=role,
        name=named(concept, f"{COM}Name"),
        codelist=(
            None if enumeration is None else codelist(next(references_in(enumeration)).target)
        ),
        data_type="String" if text is None else text.get("textType", "String"),
        attachment=_attachment(artefact, element) if role is Role.ATTRIBUTE else None,
        mandatory=element.get("assignmentStatus", "Mandatory") == "Mandatory",
    )


def _attachment(artefact: Artefact, element: Element) -> Attachment:
    relationship = f"{STR}AttributeRelationship/{STR}"
    if element.find(f"{relationship}Dimension") is not None:
        return Attachment.SERIES
    if element.find(f"{relationship}PrimaryMeasure") is not None:
        return Attachment.OBSERVATION
    raise StructureError(
        f"{artefact.at(element)}, attribute {element.get('id')}",
        got="another relationship",
        expected="dimensions (series level) or the primary measure (observation level)",
    )


def admitted(constraint: Artefact, structure: DataStructure) -> Mapping[str, frozenset[str]]:
    """Return what an Allowed constraint admits: component id -> codes.

    Raises StructureError for a component or code the structure does not have.
    """
    admits: dict[str, frozenset[str]] = {}
    for excluded in constraint.element.iter(f"{STR}CubeRegion", f"{COM}KeyValue"):
        if excluded.get("include", "true") not in ("true", "1"):
            raise StructureError(
                f"{constraint.at(excluded)}, constraint {constraint.id}",
                got='include="false"',
                expected="what is admitted, not what is left out",
            )
    for key in constraint.element.iterfind(f"{STR}CubeRegion/{COM}KeyValue"):
        component = structure.by_id.get(key.get("id", ""))
        if component is None or component.codelist is None:
            raise StructureError(
                f"{constraint.at(key)}, constraint {constraint.id}",
                got=key.get("id", ""),
                expected=f"a coded component of {structure.id}",
            )
        for value in key.iterfind(f"{COM}Value"):
            if value.text not in component.codelist.by_id:
                raise StructureError(
                    f"{constraint.at(value)}, constraint {constraint.id}",
                    got=value.text,
                    expected=f"a code of {component.codelist.id}",
                )
        codes = {value.text or "" for value in key.iterfind(f"{COM}Value")}
        admits[component.id] = admits.get(component.id, frozenset()) | codes
    return admits


def read_dataflow(
    artefact: Artefact,
    structure: DataStructure,
    constraints: tuple[Artefact, ...],
) -> Dataflow:
    """Return a dataflow with what its Allowed constraints admit."""
    admits: dict[str, frozenset[str]] = {}
    for constraint in constraints:
        for component, codes in admitted(constraint, structure).items():
            admits[component] = admits.get(component, codes) & codes
    return Dataflow(
        agency=artefact.agency,
        id=artefact.id,
        version=artefact.version,
        name=artefact.name,
        structure=structure,
        admits=admits,
        description=named(artefact.element, f"{COM}Description"),
    )


def constrains(constraint: Artefact, flow: Artefact) -> bool:
    """Tell whether a constraint says what a flow may hold."""
    return (
        constraint.kind is ArtefactKind.CONTENT_CONSTRAINT
        and constraint.element.get("type") == "Allowed"
        and any(reference.target == flow.identity for reference in constraint.references)
    )
