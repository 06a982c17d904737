"""What the versions of SDMX-JSON say in another way, turned into the neutral form and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.generations import (
    AFTER_21,
    AFTER_30,
    BEFORE_21,
    BEFORE_30,
    BEFORE_31,
)
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.shapes import Content

__all__ = ["AFTER", "BEFORE"]

After = Callable[[Content], None]
Before = Callable[[Content], Content]

_ATTACHED = {
    "dataStructure": "dataStructures",
    "dataflow": "dataflows",
    "provisionAgreement": "provisionAgreements",
}
_RELATED = "related"
# SDMX-JSON 1.0 wants an alias of every codelist in a hierarchical one.
_MADE_UP = "CODELIST_{}"


def _rename(content: Content, old: str, new: str) -> None:
    if old in content:
        content[new] = content.pop(old)


def _only(content: Content, key: str, values: Any) -> Any:
    if len(values) != 1:
        raise CannotCarry(key, got=str(len(values)), expected="one")
    return values[0]


def _read_annotation(content: Content) -> None:
    """Keep the address and the language of a link, which is all an annotation has elsewhere."""
    if links := content.get("links"):
        content["links"] = [
            {
                "href": one.get("href") or one.get("uri") or one.get("urn", ""),
                **({"hreflang": one["hreflang"]} if "hreflang" in one else {}),
            }
            for one in links
        ]


def _write_annotation(content: Content) -> Content:
    if "links" not in content:
        return content
    return {**content, "links": [{"rel": _RELATED, **one} for one in content["links"]]}


def _read_values(*keys: str) -> After:
    """Return what makes objects of values that are said as texts."""

    def read(content: Content) -> None:
        for key in keys:
            if key in content:
                content[key] = [
                    {"value": one} if isinstance(one, str) else one for one in content[key]
                ]

    return read


def _read_key_value(content: Content) -> None:
    if "value" in content:
        content["values"] = [content.pop("value")]


def _write_key_value(content: Content) -> Content:
    found = dict(content)
    found["value"] = _only(found, "values of a key", found.pop("values"))
    return found


def _number(content: Content) -> Content:
    """Say the position of each dimension; they count from 0 in SDMX-JSON."""
    dimensions = [
        {**one, "position": place} for place, one in enumerate(content.get("dimensions", []))
    ]
    return {**content, "dimensions": dimensions}


def _read_availability(content: Content) -> None:
    content["cubeRegions"] = [content.pop("cubeRegion", {"include": True})]
    attached = content.get("constraintAttachment", {})
    for one, many in _ATTACHED.items():
        if one in attached:
            attached[many] = [attached.pop(one)]


def _write_availability(content: Content) -> Content:
    attached: Content = {}
    for key, values in content.get("constraintAttachment", {}).items():
        one = next((one for one, many in _ATTACHED.items() if many == key), None)
        if one is None:
            raise CannotCarry(key, got="a constraint attached to it", expected="a dataflow")
        attached[one] = _only(content, key, values)
    kept = ("annotations", "seriesCount", "obsCount")
    found: Content = {key: content[key] for key in kept if key in content}
    found["constraintAttachment"] = attached
    if "cubeRegions" in content:
        found["cubeRegion"] = _only(content, "cube regions", content["cubeRegions"])
    others = set(content) - {*kept, "constraintAttachment", "cubeRegions"}
    identity = {"id", "version", "agencyID", "names", "descriptions", "isExternalReference"}
    return found | {key: content[key] for key in others - identity}


# 1.0, which has the model of SDMX 2.1.


def _read_10(name: str, own: After) -> After:
    """Return what puts the keys of 1.0 into those of SDMX-ML 2.1, and from there on."""

    def read(content: Content) -> None:
        own(content)
        if (further := AFTER_21.get(name)) is not None:
            further(content)

    return read


def _write_10(name: str, own: Before) -> Before:
    def write(content: Content) -> Content:
        return own(BEFORE_21.get(name, dict)(content))

    return write


def _renamed(**names: str) -> tuple[After, Before]:
    """Return the renaming of keys (neutral=of 1.0), both ways."""

    def read(content: Content) -> None:
        for new, old in names.items():
            _rename(content, old, new)

    def write(content: Content) -> Content:
        return {names.get(key, key): value for key, value in content.items()}

    return read, write


def _read_dimensions_10(content: Content) -> None:
    for one in ("measureDimension", "timeDimension"):
        found = content.pop(f"{one}s", [])
        if len(found) > 1:
            raise CannotCarry(f"{one}s", got=str(len(found)), expected="one")
        if found:
            content[one] = found[0]
    for one in (*content.get("dimensions", []), content.get("measureDimension", {})):
        one.pop("type", None)
        if "position" in one:
            one["position"] += 1
    content.get("timeDimension", {}).pop("type", None)


def _write_dimensions_10(content: Content) -> Content:
    found = dict(content)
    for one in ("measureDimension", "timeDimension"):
        if one in found:
            found[f"{one}s"] = [found.pop(one)]
    for key in ("dimensions", "measureDimensions", "timeDimensions"):
        if key in found:
            found[key] = [{**one, "position": one["position"] - 1} for one in found[key]]
    return found


def _read_attributes_10(content: Content) -> None:
    if starts := content.pop("reportingYearStartDays", None):
        content["reportingYearStartDay"] = starts[0]


def _write_attributes_10(content: Content) -> Content:
    found = dict(content)
    if "reportingYearStartDay" in found:
        found["reportingYearStartDays"] = [found.pop("reportingYearStartDay")]
    return found


def _read_lists_10(content: Content) -> None:
    content["includedCodelists"] = [
        {"alias": alias, "codelist": urn}
        for alias, urn in content.pop("includedCodelists", {}).items()
    ]
    for number, one in enumerate(content["includedCodelists"], start=1):
        if one["alias"] == _MADE_UP.format(number):
            del one["alias"]
    if not content["includedCodelists"]:
        del content["includedCodelists"]


def _write_lists_10(content: Content) -> Content:
    lists = {
        one.get("alias", _MADE_UP.format(number)): one["codelist"]
        for number, one in enumerate(content.get("includedCodelists", []), start=1)
    }
    return {**content, "includedCodelists": lists}


def _read_attachment_10(content: Content) -> None:
    for one in ("dataSet", "metadataSet", "simpleDataSource"):
        if one in content:
            content[f"{one}s"] = [content.pop(one)]


def _read_region_10(content: Content) -> None:
    _rename(content, "isIncluded", "include")
    _rename(content, "attributes", "components")


def _write_region_10(content: Content) -> Content:
    names = {"include": "isIncluded", "components": "attributes"}
    return {names.get(key, key): value for key, value in content.items()}


def _read_selection_10(content: Content) -> None:
    """Read values, of which some are said apart to stand for all below them too."""
    cascading = content.pop("cascadeValues", [])
    plain = [one for one in content.pop("values", []) if one not in cascading]
    values = [{"value": one} for one in plain]
    values += [{"value": one, "cascadeValues": True} for one in cascading]
    if values:
        content["values"] = values


def _write_selection_10(content: Content) -> Content:
    found = {key: value for key, value in content.items() if key != "values"}
    for one in content.get("values", []):
        if others := one.keys() - {"value", "cascadeValues"}:
            raise CannotCarry("a value", got=", ".join(sorted(others)), expected="the value alone")
        if one.get("cascadeValues") == "excluderoot":
            raise CannotCarry("a value", got="cascadeValues excluderoot", expected="true or false")
        key = "cascadeValues" if one.get("cascadeValues") else "values"
        found.setdefault(key, []).append(one["value"])
    return found


_OWN_10: Mapping[str, tuple[After, Before]] = {
    **dict.fromkeys(
        ("Representation", "TimeRepresentation", "TargetRepresentation"),
        _renamed(format="textFormat"),
    ),
    **dict.fromkeys(("CodedFormat", "Format", "TimeFormat"), _renamed(dataType="textType")),
    "Hierarchy": _renamed(hasFormalLevels="leveled"),
    "ProvisionAgreement": _renamed(dataflow="structureUsage"),
    "DimensionList": (_read_dimensions_10, _write_dimensions_10),
    "AttributeList": (_read_attributes_10, _write_attributes_10),
    "HierarchicalCodelist": (_read_lists_10, _write_lists_10),
    "ConstraintAttachment": (_read_attachment_10, dict),
    "CubeRegion": (_read_region_10, _write_region_10),
    "Selection": (_read_selection_10, _write_selection_10),
    "DataKeyValue": (_read_key_value, _write_key_value),
    "Annotation": (_read_annotation, _write_annotation),
}
_COMMON_AFTER: Mapping[str, After] = {
    "Annotation": _read_annotation,
    "CodeSelection": _read_values("memberValues"),
    "Selection": _read_values("values"),
    "Metadataflow": AFTER_30["Metadataflow"],
}
_COMMON_BEFORE: Mapping[str, Before] = {
    "Annotation": _write_annotation,
    "DimensionList": _number,
    "Metadataflow": BEFORE_31["Metadataflow"],
}

AFTER: Mapping[JsonVersion, Mapping[str, After]] = {
    JsonVersion.JSON21: {
        **_COMMON_AFTER,
        "DataKeyValue": _read_key_value,
        "AvailabilityConstraint": _read_availability,
    },
    JsonVersion.JSON20: {
        **_COMMON_AFTER,
        "DataKeyValue": _read_key_value,
        "AvailabilityConstraint": AFTER_30["AvailabilityConstraint"],
    },
    JsonVersion.JSON10: {
        **AFTER_21,
        **{name: _read_10(name, read) for name, (read, _) in _OWN_10.items()},
    },
}
BEFORE: Mapping[JsonVersion, Mapping[str, Before]] = {
    JsonVersion.JSON21: {**_COMMON_BEFORE, "AvailabilityConstraint": _write_availability},
    JsonVersion.JSON20: {
        **_COMMON_BEFORE,
        "DataKeyValue": _write_key_value,
        "AvailabilityConstraint": BEFORE_30["AvailabilityConstraint"],
    },
    JsonVersion.JSON10: {
        **BEFORE_21,
        **{name: _write_10(name, write) for name, (_, write) in _OWN_10.items()},
    },
}
