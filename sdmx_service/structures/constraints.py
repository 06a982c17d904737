"""What constraints admit of a data structure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.artefacts import (
    Codelist,
    Constraint,
    DataStructure,
    Region,
    Selection,
)
from sdmx_service.structures.extension import named
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact

__all__ = ["admitted", "both", "either", "meant", "read_constraint"]

Admits = Mapping[str, frozenset[str]]
"""Component id -> the codes admitted; a component that is not there is free."""


def read_constraint(artefact: Artefact) -> Constraint:
    """Return a constraint on data."""
    content = artefact.content
    attachment = content.get("constraintAttachment", {})
    attached = [
        urn
        for value in attachment.values()
        for urn in (value if isinstance(value, list) else [value])
        if isinstance(urn, str)
    ]
    return Constraint(
        agency=artefact.agency,
        id=artefact.id,
        version=artefact.version,
        name=artefact.name,
        actual=artefact.kind is ArtefactKind.AVAILABILITY_CONSTRAINT,
        attached=tuple(attached),
        regions=tuple(_region(one) for one in content.get("cubeRegions", [])),
        keys=tuple(
            (
                one["isIncluded"],
                tuple(
                    {value["id"]: tuple(value["values"]) for value in key.get("keyValues", [])}
                    for key in one["keys"]
                ),
            )
            for one in content.get("dataKeySets", [])
        ),
        series_count=content.get("seriesCount"),
        observation_count=content.get("obsCount"),
    )


def _region(content: Mapping[str, Any]) -> Region:
    return Region(
        {one["id"]: _selection(one) for one in content.get("keyValues", [])},
        content.get("include", True),
        {one["id"]: _selection(one) for one in content.get("components", [])},
    )


def _selection(content: Mapping[str, Any]) -> Selection:
    return Selection(
        id=content["id"],
        values=tuple(
            (one["value"], one.get("cascadeValues", False)) for one in content.get("values", [])
        ),
        periods={
            name: (end["period"], end.get("isInclusive", True))
            for name, end in content.get("timeRange", {}).items()
            if isinstance(end, dict)
        },
        include=content.get("include", True),
        remove_prefix=content.get("removePrefix", False),
    )


def admitted(artefact: Artefact, structure: DataStructure, *, strict: bool = True) -> Admits:
    """Return what an Allowed constraint admits of each dimension it selects values of.

    Of several regions a component keeps what any of them admits; a region that is left out takes
    codes away where it is about one component (of more it is a matter of whole keys, which
    ``Constraint.regions`` tells). Raises StructureError for a component or code the structure does
    not have, unless ``strict`` is False.
    """
    regions = read_constraint(artefact).regions
    admits = either(
        [
            {
                id: codes
                for id, selection in region.selections.items()
                if (codes := _codes(artefact, structure, selection, strict)) is not None
            }
            for region in regions
            if region.include
        ]
    )
    for region in regions:
        if not region.include and len(region.selections) == 1 and not region.attributes:
            for id, selection in region.selections.items():
                codes = _codes(artefact, structure, selection, strict)
                component = structure.by_id.get(id)
                if codes is not None and component is not None and component.codelist is not None:
                    everything = admits.get(id, frozenset(component.codelist.by_id))
                    admits = {**admits, id: everything - codes}
    return admits


def either(admits: Iterable[Admits]) -> Admits:
    """Return what any of these admits: a component that one of them leaves free is free."""
    found = list(admits)
    if not found:
        return {}
    shared = [id for id in found[0] if all(id in one for one in found)]
    return {id: frozenset().union(*(one[id] for one in found)) for id in shared}


def both(admits: Iterable[Admits]) -> Admits:
    """Return what all of these admit."""
    found: dict[str, frozenset[str]] = {}
    for one in admits:
        for id, codes in one.items():
            found[id] = found.get(id, codes) & codes
    return found


def _codes(
    artefact: Artefact, structure: DataStructure, selection: Selection, strict: bool
) -> frozenset[str] | None:
    """Return the codes a selection means, None where it says nothing that can be listed."""
    component = structure.by_id.get(selection.id)
    if component is None or component not in structure.key:
        if not strict:
            return None
        raise StructureError(
            f"{artefact.at(selection.id)}, constraint {artefact.id}",
            got=selection.id,
            expected=f"a dimension of {structure.id}",
            hint=None if component is None else "attributes are Attribute or Component there",
        )
    if not selection.values:
        return None
    codelist = component.codelist
    if codelist is None:
        return frozenset(value for value, _ in selection.values) if selection.include else None
    codes: set[str] = set()
    for value, cascade in selection.values:
        found = meant(codelist, value, cascade)
        if not found and strict and not selection.remove_prefix and not codelist.partial:
            raise StructureError(
                f"{artefact.at(value)}, constraint {artefact.id}",
                got=value,
                expected=f"a code of {codelist.id}",
            )
        codes |= found or {value}
    return frozenset(codes if selection.include else codelist.by_id.keys() - codes)


def meant(codelist: Codelist, value: str, cascade: bool | str) -> set[str]:
    """Return the codes that a value of a selection names, and those below it where it cascades."""
    if "%" not in value and not cascade:
        return {value} & codelist.by_id.keys()
    return named({code.id: code.parent for code in codelist.codes}, value, cascade)
