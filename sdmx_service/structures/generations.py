"""What SDMX 2.1, 3.0 and 3.1 say differently, turned into the neutral form and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.shapes import Content
from sdmx_service.structures.urns import Urn

__all__ = [
    "AFTER_21",
    "AFTER_30",
    "AFTER_31",
    "BEFORE_21",
    "BEFORE_30",
    "BEFORE_31",
    "SETTLE",
    "hierarchy_from_21",
    "hierarchy_to_21",
]

After = Callable[[Content], None]
Before = Callable[[Content], Content]

MEASURE_21 = "OBS_VALUE"
ANY_TARGET = {
    "id": "ANY",
    "identifiableObjectTargets": [
        {
            "id": "ANY_OBJECT",
            "objectType": "Any",
            "localRepresentation": {"format": {"dataType": "IdentifiableReference"}},
        }
    ],
}
ANYTHING = "urn:sdmx:org.sdmx.infomodel.base.Any=*:*(*)"
COUNTS = {"seriesCount": "series_count", "obsCount": "obs_count"}
METRICS = "sdmx_metrics"
TARGET = "sdmx_target"


def _without(content: Content, *keys: str) -> Content:
    return {key: value for key, value in content.items() if key not in keys}


def _name_component(content: Content) -> None:
    """Give a component without an id that of its concept, as the standard has it."""
    if "id" not in content and (urn := Urn.parse(content.get("conceptIdentity", ""))):
        content["id"] = urn.item


def _settle_usage(content: Content) -> None:
    """Settle an attribute or measure; that an optional one may be absent needs no saying twice."""
    _name_component(content)
    representation = content.get("localRepresentation", {})
    if "usage" not in content and representation.get("minOccurs") == 0:
        del representation["minOccurs"]
        if not representation:
            del content["localRepresentation"]


def _order_dimensions(content: Content) -> None:
    """Put dimensions in the order of their positions; the list itself says the order."""
    dimensions = content.get("dimensions", [])
    measure = content.get("measureDimension")
    if dimensions and all("position" in one for one in dimensions):
        dimensions.sort(key=lambda one: int(one["position"]))
        if measure is not None and "position" in measure:
            before = [one for one in dimensions if one["position"] < measure["position"]]
            measure["position"] = len(before) + 1
    if measure is not None:
        # Its place among the others must be said: it stands apart from them.
        measure.setdefault("position", len(dimensions) + 1)
    for one in (*dimensions, content.get("timeDimension", {})):
        one.pop("position", None)


def _number_dimensions(content: Content) -> Content:
    measure = content.get("measureDimension")
    places = iter(range(1, len(content.get("dimensions", [])) + 2))
    if measure is not None:
        places = iter(one for one in places if one != measure["position"])
    dimensions = [{**one, "position": next(places)} for one in content.get("dimensions", [])]
    return {**content, "dimensions": dimensions}


def _number_dimensions_21(content: Content) -> Content:
    numbered = _number_dimensions(content)
    if "timeDimension" in content:
        last = len(numbered["dimensions"]) + (1 if "measureDimension" in content else 0) + 1
        numbered["timeDimension"] = {**content["timeDimension"], "position": last}
    return numbered


def _read_relationship(content: Content) -> None:
    if dimensions := content.get("dimensions"):
        content["dimensions"] = [one["id"] for one in dimensions]
        if any("optional" in one for one in dimensions):
            content["areDimensionsOptional"] = [one.get("optional", False) for one in dimensions]


def _write_relationship(content: Content) -> Content:
    if "dimensions" not in content:
        return content
    optional = content.get("areDimensionsOptional", [False] * len(content["dimensions"]))
    dimensions = [
        {"id": id, "optional": flag}
        for id, flag in zip(content["dimensions"], optional, strict=True)
    ]
    return {**_without(content, "areDimensionsOptional"), "dimensions": dimensions}


def _read_targets(content: Content) -> None:
    # SDMX 3.x wants targets, 2.1 has none; none stands for anything.
    if content.get("targets") == [ANYTHING]:
        del content["targets"]


def _write_targets(content: Content) -> Content:
    return {"targets": [ANYTHING], **content}


def _read_targets_21(content: Content) -> None:
    """Take the targets of a metadataflow from the annotations that carry them before 3.0."""
    kept, targets = [], []
    for one in content.get("annotations", []):
        if one.get("type") == TARGET and one.keys() == {"title", "type"}:
            targets.append(one["title"])
        else:
            kept.append(one)
    if targets:
        content["targets"] = targets
        content.pop("annotations")
        if kept:
            content["annotations"] = kept


def _write_targets_21(content: Content) -> Content:
    if "targets" not in content:
        return content
    targets = [{"title": urn, "type": TARGET} for urn in content["targets"]]
    annotations = [*content.get("annotations", []), *targets]
    return {**_without(content, "targets"), "annotations": annotations}


def _split_members(content: Content) -> None:
    members = content.pop("memberValues", [])
    wild = [one["value"] for one in members if "%" in one["value"] and len(one) == 1]
    named = [one for one in members if "%" not in one["value"] or len(one) > 1]
    if named:
        content["memberValues"] = named
    if wild:
        content["wildcardedMemberValues"] = wild


def _join_members(content: Content) -> Content:
    wild = [{"value": value} for value in content.get("wildcardedMemberValues", [])]
    return {
        **_without(content, "wildcardedMemberValues"),
        "memberValues": [*content.get("memberValues", []), *wild],
    }


def _read_relationship_21(content: Content) -> None:
    for old, new in (("none", "dataflow"), ("primaryMeasure", "observation")):
        if content.pop(old, None) is not None:
            content[new] = {}


def _write_relationship_21(content: Content) -> Content:
    renamed = _without(content, "dataflow", "observation")
    if "dataflow" in content:
        renamed["none"] = {}
    if "observation" in content:
        renamed["primaryMeasure"] = MEASURE_21
    return renamed


def _read_attribute_21(content: Content) -> None:
    if content.pop("assignmentStatus", None) == "Mandatory":
        content["usage"] = "mandatory"
    _name_component(content)


def _write_attribute_21(content: Content) -> Content:
    status = "Mandatory" if content.get("usage") == "mandatory" else "Conditional"
    return {**_without(content, "usage"), "assignmentStatus": status}


def _read_attributes_21(content: Content) -> None:
    if start := content.pop("reportingYearStartDay", None):
        start["id"] = "REPORTING_YEAR_START_DAY"
        content.setdefault("attributes", []).append(start)


def _write_attributes_21(content: Content) -> Content:
    found = {one.get("id"): one for one in content.get("attributes", [])}
    if (start := found.pop("REPORTING_YEAR_START_DAY", None)) is None:
        return content
    return {**content, "attributes": list(found.values()), "reportingYearStartDay": start}


def _read_measures_21(content: Content) -> None:
    measure = content.pop("primaryMeasure")
    measure["id"] = MEASURE_21
    content["measures"] = [measure]


def _write_measures_21(content: Content) -> Content:
    measures = content.get("measures", [])
    if [one.get("id") for one in measures] != [MEASURE_21]:
        raise CannotCarry(
            "measures",
            got=", ".join(one.get("id", "") for one in measures),
            expected=f"one measure, {MEASURE_21}",
        )
    return {**_without(content, "measures"), "primaryMeasure": measures[0]}


def _write_components_21(content: Content) -> Content:
    if "measureList" not in content:
        raise CannotCarry("measures", got="none", expected=f"one measure, {MEASURE_21}")
    return content


def _read_metadata_21(content: Content) -> None:
    """Take a list of attributes for any object as the flat list of SDMX 3.x."""
    reports = content.get("reportStructures", [])
    if content.get("metadataTargets") == [ANY_TARGET] and len(reports) == 1:
        if reports[0].get("metadataTargets") != [ANY_TARGET["id"]]:
            return
        del content["metadataTargets"], content["reportStructures"]
        content["metadataAttributeList"] = _without(reports[0], "metadataTargets")


def _write_metadata_21(content: Content) -> Content:
    if (attributes := content.get("metadataAttributeList")) is None:
        return content
    report = {**attributes, "metadataTargets": [ANY_TARGET["id"]]}
    return {
        **_without(content, "metadataAttributeList"),
        "metadataTargets": [ANY_TARGET],
        "reportStructures": [report],
    }


def _write_category_21(content: Content) -> Content:
    if "structuralMetadata" in content and "provisioningMetadata" in content:
        raise CannotCarry(
            "reporting category", got="structures and their uses", expected="one of them"
        )
    for urn in content.get("structuralMetadata", []):
        if not (".DataStructure=" in urn or ".MetadataStructure=" in urn):
            raise CannotCarry("structuralMetadata", got=urn, expected="a structure")
    return content


def _read_agreement_21(content: Content) -> None:
    if ".Metadataflow=" in content.get("dataflow", ""):
        content["metadataflow"] = content.pop("dataflow")


def _write_agreement_21(content: Content) -> Content:
    if "metadataflow" not in content:
        return content
    return {**_without(content, "metadataflow"), "dataflow": content["metadataflow"]}


def _read_counts(content: Content) -> None:
    """Take the counts of an availability from the annotations that carry them before 3.1."""
    kept = []
    for one in content.get("annotations", []):
        key = next((key for key, id in COUNTS.items() if one.get("id") == id), None)
        if key and one.get("type") == METRICS and one.get("title", "").isdigit():
            content[key] = int(one["title"])
        else:
            kept.append(one)
    content.pop("annotations", None)
    if kept:
        content["annotations"] = kept


def _write_counts(content: Content) -> Content:
    counts = [
        {"id": id, "title": str(content[key]), "type": METRICS}
        for key, id in COUNTS.items()
        if key in content
    ]
    if not counts:
        return content
    return {**_without(content, *COUNTS), "annotations": [*content.get("annotations", []), *counts]}


def _read_aliases(content: Content) -> None:
    """Replace the aliases of a hierarchical codelist by the codelists they stand for."""
    aliases = {
        one["alias"]: Urn.parse(one["codelist"])
        for one in content.get("includedCodelists", [])
        if "alias" in one
    }

    def resolve(codes: list[Content]) -> None:
        for code in codes:
            alias, id = code.pop("codelistAliasRef", None), code.pop("codeID", None)
            if (found := aliases.get(alias)) is not None:
                code["code"] = str(
                    Urn(found.package, "Code", found.agency, found.id, found.version, id)
                )
            elif alias is not None:
                raise CannotCarry("codelist alias", got=alias, expected="an included codelist")
            resolve(code.get("hierarchicalCodes", []))

    for hierarchy in content.get("hierarchies", []):
        resolve(hierarchy.get("hierarchicalCodes", []))


def _codelists_of(codes: list[Content]) -> list[str]:
    found: dict[str, None] = {}
    for code in codes:
        if urn := Urn.parse(code.get("code", "")):
            found[str(Urn(urn.package, "Codelist", urn.agency, urn.id, urn.version))] = None
        found |= dict.fromkeys(_codelists_of(code.get("hierarchicalCodes", [])))
    return list(found)


def hierarchy_to_21(content: Content) -> Content:
    """Return a hierarchy as the one hierarchy of a hierarchical codelist of its name.

    A stub that has no code has no hierarchy either.
    """
    inside = ("hierarchicalCodes", "level", "hasFormalLevels")
    if content.get("isExternalReference") and "hierarchicalCodes" not in content:
        return _without(content, *inside)
    own = {key: content[key] for key in ("id", "names", "descriptions", *inside) if key in content}
    # The alias is optional in the schema, but sdmx1 and pysdmx want one.
    codelists = [
        {"codelist": urn, "alias": f"CODELIST_{number}"}
        for number, urn in enumerate(_codelists_of(content.get("hierarchicalCodes", [])), start=1)
    ]
    whole = {**_without(content, *inside), "hierarchies": [own]}
    return whole | ({"includedCodelists": codelists} if codelists else {})


def hierarchy_from_21(content: Content) -> Content | None:
    """Return the hierarchy that a hierarchical codelist of SDMX 2.1 is, or None if it is more."""
    hierarchies = content.get("hierarchies", [])
    if len(hierarchies) != 1:
        return None
    whole = _without(content, "hierarchies", "includedCodelists") | hierarchies[0]
    return whole if _unaliased(hierarchy_to_21(whole)) == _unaliased(content) else None


def _unaliased(content: Content) -> Content:
    lists = [_without(one, "alias") for one in content.get("includedCodelists", [])]
    return {**content, "includedCodelists": lists}


SETTLE: Mapping[str, After] = {
    **dict.fromkeys(
        ("Dimension", "TimeDimension", "MeasureDimension", "MetadataAttribute"), _name_component
    ),
    "Attribute": _settle_usage,
    "Measure": _settle_usage,
    "DimensionList": _order_dimensions,
}
"""What two messages may say in two ways, put into one, whatever the format."""

AFTER_31: Mapping[str, After] = {
    **SETTLE,
    "AttributeRelationship": _read_relationship,
    "CodeSelection": _split_members,
    "Metadataflow": _read_targets,
}
BEFORE_31: Mapping[str, Before] = {
    "AttributeRelationship": _write_relationship,
    "CodeSelection": _join_members,
    "DimensionList": _number_dimensions,
    "Metadataflow": _write_targets,
}
AFTER_30: Mapping[str, After] = {**AFTER_31, "AvailabilityConstraint": _read_counts}
BEFORE_30: Mapping[str, Before] = {**BEFORE_31, "AvailabilityConstraint": _write_counts}
AFTER_21: Mapping[str, After] = {
    **AFTER_30,
    "AttributeRelationship": _read_relationship_21,
    "Attribute": _read_attribute_21,
    "AttributeList": _read_attributes_21,
    "MeasureList": _read_measures_21,
    "MetadataStructureComponents": _read_metadata_21,
    "ProvisionAgreement": _read_agreement_21,
    "HierarchicalCodelist": _read_aliases,
    "Metadataflow": _read_targets_21,
}

BEFORE_21: Mapping[str, Before] = {
    **BEFORE_30,
    "Metadataflow": _write_targets_21,
    "ReportingCategory": _write_category_21,
    "DimensionList": _number_dimensions_21,
    "AttributeRelationship": _write_relationship_21,
    "Attribute": _write_attribute_21,
    "AttributeList": _write_attributes_21,
    "MeasureList": _write_measures_21,
    "DataStructureComponents": _write_components_21,
    "MetadataStructureComponents": _write_metadata_21,
    "ProvisionAgreement": _write_agreement_21,
}
