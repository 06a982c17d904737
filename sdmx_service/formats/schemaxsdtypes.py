"""The simple types of XML Schema that stand for the representations of components."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from sdmx_service.formats.dataset import MISSING
from sdmx_service.structures.artefacts import Component, MetadataAttribute, Role

__all__ = ["FLOATS", "base_type", "may_be_missing", "simple_type"]

FLOATS = frozenset({"Float", "Double"})
_OTHER_NAMES = {
    "BigInteger": "xs:integer",
    "Boolean": "xs:boolean",
    "Count": "xs:integer",
    "DateTime": "xs:dateTime",
    "Day": "xs:gDay",
    "Decimal": "xs:decimal",
    "Double": "xs:double",
    "Duration": "xs:duration",
    "ExclusiveValueRange": "xs:decimal",
    "Float": "xs:float",
    "GregorianDay": "xs:date",
    "GregorianYear": "xs:gYear",
    "GregorianYearMonth": "xs:gYearMonth",
    "InclusiveValueRange": "xs:decimal",
    "Incremental": "xs:decimal",
    "Integer": "xs:int",
    "Long": "xs:long",
    "Month": "xs:gMonth",
    "MonthDay": "xs:gMonthDay",
    "Short": "xs:short",
    "Time": "xs:time",
    "URI": "xs:anyURI",
}
_COMMON = frozenset(
    {
        *("Alpha", "AlphaNumeric", "Numeric", "ObservationalTimePeriod", "StandardTimePeriod"),
        *("BasicTimePeriod", "GregorianTimePeriod", "ReportingTimePeriod", "ReportingYear"),
        *("ReportingSemester", "ReportingTrimester", "ReportingQuarter", "ReportingMonth"),
        *("ReportingWeek", "ReportingDay", "TimeRange"),
    }
)
_FACETS = {
    "minLength": "minLength",
    "maxLength": "maxLength",
    "minValue": "minInclusive",
    "maxValue": "maxInclusive",
    "decimals": "fractionDigits",
    "pattern": "pattern",
}
_TEXTS = frozenset({"String", "Alpha", "AlphaNumeric", "Numeric", "URI", "XHTML"})
_NUMBERS = frozenset(
    {
        *("BigInteger", "Integer", "Long", "Short", "Decimal", "Float", "Double", "Count"),
        *("InclusiveValueRange", "ExclusiveValueRange", "Incremental"),
    }
)


def base_type(data_type: str) -> str:
    """Return the built-in or common type of an SDMX data type; what has none is a string."""
    if data_type in _COMMON:
        return f"common:{data_type}Type"
    return _OTHER_NAMES.get(data_type, "xs:string")


def simple_type(
    name: str,
    component: Component | MetadataAttribute,
    *,
    codes: Mapping[str, str] | None = None,
    missing: bool = False,
) -> str:
    """Return the definition of the simple type called ``name``.

    ``codes`` are the codes allowed with their names, None where there is no list. ``missing``
    also allows the mark of an intentionally missing value (SDMX 3.x), floats apart: theirs is NaN.
    """
    if codes is not None:
        base, inside = "xs:string", "".join(_enumerated(*pair) for pair in codes.items())
        # A restriction without any enumeration would allow everything, not nothing.
        inside = inside or '<xs:pattern value="[^\\s\\S]"/>'
    else:
        base = base_type(component.data_type)
        inside = "".join(_facets(component.data_type, component.facets))
    restriction = f'<xs:restriction base="{base}">{inside}</xs:restriction>'
    if missing and component.data_type not in FLOATS and (codes is not None or base != "xs:string"):
        restriction = (
            f"<xs:union><xs:simpleType>{restriction}</xs:simpleType><xs:simpleType>"
            f'<xs:restriction base="xs:string">{_enumerated(MISSING)}</xs:restriction>'
            "</xs:simpleType></xs:union>"
        )
    return f"<xs:simpleType name={quoteattr(name)}>{restriction}</xs:simpleType>"


def _enumerated(code: str, name: str = "") -> str:
    opened = f"<xs:enumeration value={quoteattr(code)}"
    if not name:
        return f"{opened}/>"
    told = f"<xs:annotation><xs:documentation>{escape(name)}</xs:documentation></xs:annotation>"
    return f"{opened}>{told}</xs:enumeration>"


def _facets(data_type: str, facets: Mapping[str, str]) -> list[str]:
    found = []
    for facet, xsd in _FACETS.items():
        fits = {
            "minLength": data_type in _TEXTS,
            "maxLength": data_type in _TEXTS,
            "minValue": data_type in _NUMBERS,
            "maxValue": data_type in _NUMBERS,
            "decimals": data_type in _NUMBERS - FLOATS,
            "pattern": True,
        }
        if facet in facets and fits[facet]:
            found.append(f"<xs:{xsd} value={quoteattr(facets[facet])}/>")
    names = {"InclusiveValueRange": "Inclusive", "ExclusiveValueRange": "Exclusive"}
    if data_type in names and "minValue" not in facets:
        for end, facet in (("min", "startValue"), ("max", "endValue")):
            if facet in facets:
                found.append(f"<xs:{end}{names[data_type]} value={quoteattr(facets[facet])}/>")
    if data_type == "Count" and "minValue" not in facets:
        found.append('<xs:minInclusive value="0"/>')
    return found


def may_be_missing(component: Component) -> bool:
    """Tell whether a component may be intentionally missing: no dimension may."""
    return component.role in (Role.MEASURE, Role.ATTRIBUTE)
