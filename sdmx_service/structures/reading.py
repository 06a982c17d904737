"""Codelists, data structures and metadata structures seen through the engine's values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    DataStructure,
    HierarchicalCode,
    Hierarchy,
    MetadataAttribute,
    MetadataStructure,
    Role,
)
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.urns import Urn

__all__ = [
    "annotated",
    "read_codelist",
    "read_datastructure",
    "read_hierarchy",
    "read_metadatastructure",
]

Content = Mapping[str, Any]
Find = Callable[[str], Artefact | None]
"""Return the artefact that a URN points to or into, None where it is kept elsewhere."""
FindCodelist = Callable[[str], Codelist | None]
"""Return the codelist, or the concept scheme as one, of a URN."""


def annotated(content: Content) -> dict[str, str]:
    """Return the annotations by type: the title where there is one, else the (English) text."""
    return {
        one.get("type", one.get("id", "")): one.get("title") or one.get("texts", {}).get("en", "")
        for one in content.get("annotations", [])
    }


def read_codelist(artefact: Artefact) -> Codelist:
    """Return a codelist, value list or concept scheme as a list of codes.

    Raises StructureError for a code that is there twice, for a parent that is not there, and for
    parents in a circle: codes are a tree.
    """
    codes: dict[str, Code] = {}
    found = artefact.content.get(str(artefact.kind.items), [])
    ids = {one["id"] for one in found}
    # Of a list that extends one that is kept elsewhere, some codes are elsewhere too.
    elsewhere = ("isPartial", "codelistExtensions", "isExternalReference")
    partial = any(artefact.content.get(key) for key in elsewhere)
    for one in found:
        id, parent = one["id"], one.get("parent")
        where = f"codelist {artefact.id}, code {id}"
        if id in codes:
            raise StructureError(f"{artefact.at(id)}, {where}", got=id, expected="each code once")
        if parent is not None and parent not in ids and not partial:
            raise StructureError(
                f"{artefact.at(parent)}, {where}",
                got=parent,
                expected="a parent in the same codelist",
            )
        codes[id] = Code(
            id=id,
            name=one.get("names", {}),
            parent=parent,
            description=one.get("descriptions", {}),
            annotations=annotated(one),
        )
    _refuse_circles(artefact, {id: code.parent for id, code in codes.items()})
    return Codelist(
        agency=artefact.agency,
        id=artefact.id,
        version=artefact.version,
        name=artefact.name,
        codes=tuple(codes.values()),
        annotations=annotated(artefact.content),
        partial=partial,
    )


def _refuse_circles(artefact: Artefact, parents: Mapping[str, str | None]) -> None:
    under: set[str] = set()
    for code, above in parents.items():
        path = {code: None}
        while above is not None and above in parents and not (above in under or above in path):
            path[above] = None
            above = parents[above]
        if above in path:
            raise StructureError(
                f"{artefact.at(code)}, codelist {artefact.id}, code {code}",
                got=" below ".join(str(one) for one in (*path, above)),
                expected="codes below each other as in a tree",
            )
        under |= path.keys()


def read_datastructure(artefact: Artefact, find: Find, codelist: FindCodelist) -> DataStructure:
    """Return a data structure with its codelists and the names of its concepts.

    Raises StructureError for a component that is there twice or hangs on what is not there.
    """
    parts = artefact.content.get("dataStructureComponents", {})
    groups = {one["id"]: tuple(one["groupDimensions"]) for one in parts.get("groups", [])}
    listed = _listed(parts)
    keys = tuple(one["id"] for role, one in listed if role is Role.DIMENSION)
    components: dict[str, Component] = {}
    for role, one in listed:
        reader = _ComponentReader(artefact, find, codelist)
        component = reader.component(role, one)
        if role is Role.ATTRIBUTE:
            component = reader.attached(component, one, keys, groups)
        if component.id in components:
            raise StructureError(
                f"{artefact.at(component.id)}, data structure {artefact.id}",
                got=component.id,
                expected="each component once",
            )
        components[component.id] = component
    return DataStructure(
        artefact.agency,
        artefact.id,
        artefact.version,
        artefact.name,
        tuple(components.values()),
        groups,
    )


def _listed(parts: Content) -> list[tuple[Role, Content]]:
    dimensions = parts.get("dimensionList", {})
    key = [(Role.DIMENSION, one) for one in dimensions.get("dimensions", [])]
    if (measure := dimensions.get("measureDimension")) is not None:
        key.insert(measure["position"] - 1, (Role.DIMENSION, measure))
    if (time := dimensions.get("timeDimension")) is not None:
        key.append((Role.TIME, time))
    measures = parts.get("measureList", {}).get("measures", [])
    attributes = parts.get("attributeList", {}).get("attributes", [])
    return [
        *key,
        *((Role.MEASURE, one) for one in measures),
        *((Role.ATTRIBUTE, one) for one in attributes),
    ]


class _ComponentReader:
    """Reads the components of one structure."""

    def __init__(self, artefact: Artefact, find: Find, codelist: FindCodelist) -> None:
        self.artefact = artefact
        self.find = find
        self.codelist = codelist

    def concept(self, one: Content) -> Content:
        """Return the concept of a component, an empty one where it is kept elsewhere."""
        urn = Urn.parse(one.get("conceptIdentity", ""))
        scheme = None if urn is None else self.find(one["conceptIdentity"])
        concepts = () if scheme is None else scheme.content.get("concepts", ())
        found: Iterator[Content] = (item for item in concepts if urn and item["id"] == urn.item)
        return next(found, {})

    def component(self, role: Role, one: Content) -> Component:
        concept = self.concept(one)
        local = one.get("localRepresentation", {})
        core = concept.get("coreRepresentation", {})
        chosen = local if {"enumeration", "format"} & local.keys() else core
        text = chosen.get("format", chosen.get("enumerationFormat", {}))
        most = local.get("maxOccurs", core.get("maxOccurs", 1))
        return Component(
            id=one["id"],
            role=role,
            name=concept.get("names", {}),
            codelist=self.codelist(chosen["enumeration"]) if "enumeration" in chosen else None,
            data_type=text.get("dataType", "String"),
            mandatory=role in (Role.DIMENSION, Role.TIME) or one.get("usage") == "mandatory",
            multiple=most == "unbounded" or most > 1,
            most=most if isinstance(most, int) and most > 1 else None,
            multilingual=bool(text.get("isMultiLingual")),
            facets=facets(text),
        )

    def attached(
        self,
        component: Component,
        one: Content,
        keys: tuple[str, ...],
        groups: Mapping[str, tuple[str, ...]],
    ) -> Component:
        relation = one.get("attributeRelationship", {})
        named = [*relation.get("dimensions", ())]
        hung_on = [relation["group"]] if "group" in relation else []
        for group in (*relation.get("attachmentGroups", ()), *hung_on):
            if group not in groups:
                raise self.misplaced(component, group, f"a group of {', '.join(groups) or 'none'}")
            named += groups[group]
        time = [id for id in named if id not in keys]
        for id in time:
            if id != "TIME_PERIOD":
                raise self.misplaced(component, id, f"one of {', '.join(keys)}")
        if "observation" in relation or time:
            return replace(component, attachment=Attachment.OBSERVATION)
        if not named:
            return replace(component, attachment=Attachment.DATASET)
        dimensions = tuple(id for id in keys if id in named)
        whole = len(dimensions) == len(keys)
        return replace(
            component,
            attachment=Attachment.SERIES if whole else Attachment.GROUP,
            relation=dimensions,
        )

    def misplaced(self, component: Component, got: str, expected: str) -> StructureError:
        where = f"{self.artefact.at(got)}, attribute {component.id}"
        return StructureError(where, got=got, expected=expected)


def facets(text: Content) -> dict[str, str]:
    """Return the facets of a text format by name, as the standard writes them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in text.items()
        if name not in ("dataType", "sentinelValues")
    }


def read_metadatastructure(
    artefact: Artefact, find: Find, codelist: FindCodelist
) -> MetadataStructure:
    """Return a metadata structure; of SDMX 2.1 the attributes of all report structures."""
    parts = artefact.content.get("metadataStructureComponents", {})
    reader = _ComponentReader(artefact, find, codelist)
    lists = [parts.get("metadataAttributeList", {}), *parts.get("reportStructures", [])]
    attributes = [
        attribute
        for one in lists
        for attribute in _metadata_attributes(reader, one.get("metadataAttributes", []), ())
    ]
    return MetadataStructure(
        artefact.agency, artefact.id, artefact.version, artefact.name, tuple(attributes)
    )


def _metadata_attributes(
    reader: _ComponentReader, found: list[Content], above: tuple[str, ...]
) -> Iterator[MetadataAttribute]:
    for one in found:
        component = reader.component(Role.ATTRIBUTE, one)
        most = one.get("maxOccurs", 1)
        path = (*above, component.id)
        yield MetadataAttribute(
            path=path,
            name=component.name,
            codelist=component.codelist,
            data_type=component.data_type,
            least=one.get("minOccurs", 1),
            most=None if most == "unbounded" else most,
            presentational=one.get("isPresentational", False),
            multilingual=component.multilingual,
            facets=component.facets,
            description=reader.concept(one).get("descriptions", {}),
        )
        yield from _metadata_attributes(reader, one.get("metadataAttributes", []), path)


def read_hierarchy(artefact: Artefact) -> Hierarchy:
    """Return a hierarchy."""
    levels, level = [], artefact.content.get("level")
    while level is not None:
        levels.append(level["id"])
        level = level.get("level")
    return Hierarchy(
        artefact.agency,
        artefact.id,
        artefact.version,
        artefact.name,
        _hierarchical(artefact.content.get("hierarchicalCodes", [])),
        tuple(levels),
    )


def _hierarchical(codes: list[Content]) -> tuple[HierarchicalCode, ...]:
    return tuple(
        HierarchicalCode(
            one["id"],
            one["code"],
            one.get("level"),
            _hierarchical(one.get("hierarchicalCodes", [])),
        )
        for one in codes
    )
