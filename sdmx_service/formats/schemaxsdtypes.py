"""The simple types of XML Schema that stand for the representations of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from xml.sax.saxutils import escape, quoteattr

from sdmx_service.formats.dataset import MISSING
from sdmx_service.formats.typepatterns import PATTERNS
from sdmx_service.structures.artefacts import Component, MetadataAttribute, Role

__all__ = [
    "FLOATS",
    "INTEGERS",
    "NUMBERS",
    "base_type",
    "facets_of",
    "may_be_missing",
    "represented",
    "simple_type",
]

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
_UNIONS = frozenset(
    {"BasicTimePeriod", "GregorianTimePeriod", "ReportingTimePeriod", "StandardTimePeriod"}
)
_TEXTS = frozenset({"String", "Alpha", "AlphaNumeric", "Numeric", "URI"})
_RANGES = frozenset({"InclusiveValueRange", "ExclusiveValueRange"})
_FRACTIONS = frozenset({"Decimal", "Incremental", *_RANGES})
# The whole numbers, with the bits that they are of apart from the sign.
INTEGERS: Mapping[str, int | None] = {
    "Short": 15,
    "Integer": 31,
    "Long": 63,
    "BigInteger": None,
    "Count": None,
}
NUMBERS = FLOATS | _FRACTIONS | INTEGERS.keys()


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
    also allows the mark of an intentionally missing value (SDMX 3.x): NaN of a float.
    """
    floating = component.data_type in FLOATS and codes is None
    timed = isinstance(component, Component) and component.role is Role.TIME
    base = "xs:string" if codes is not None and not timed else base_type(component.data_type)
    if codes is not None:
        inside = "".join(_enumerated(*pair) for pair in codes.items())
        # A restriction without any enumeration would allow everything, not nothing.
        inside = inside or '<xs:pattern value="[^\\s\\S]"/>'
    else:
        inside = "".join(
            f"<xs:{facet} value={quoteattr(limit)}/>" for _, facet, limit in facets_of(component)
        )
    restriction = f'<xs:restriction base="{base}">{inside}</xs:restriction>'
    if timed and component.data_type in _UNIONS:
        restriction = f"<xs:restriction>{_kind_of_period(component)}{inside}</xs:restriction>"
    has_mark = not inside and (floating or base == "xs:string")
    if missing and not has_mark:
        restriction = (
            f"<xs:union><xs:simpleType>{restriction}</xs:simpleType><xs:simpleType>"
            f'<xs:restriction base="xs:string">{_enumerated("NaN" if floating else MISSING)}'
            "</xs:restriction></xs:simpleType></xs:union>"
        )
    return f"<xs:simpleType name={quoteattr(name)}>{restriction}</xs:simpleType>"


def _kind_of_period(component: Component | MetadataAttribute) -> str:
    """Return a type of periods as one that the time of the standard's own types can be bound to.

    A restriction may name a member of a union, but no union among the members (XML Schema 1.0,
    part 1, 3.14.6): the type of all periods with a pattern stands for it.
    """
    pattern = PATTERNS[component.data_type].replace("(?:", "(")
    return (
        f'<xs:simpleType><xs:restriction base="{base_type("ObservationalTimePeriod")}">'
        f"<xs:pattern value={quoteattr(pattern)}/></xs:restriction></xs:simpleType>"
    )


def _enumerated(code: str, name: str = "") -> str:
    opened = f"<xs:enumeration value={quoteattr(code)}"
    if not name:
        return f"{opened}/>"
    told = f"<xs:annotation><xs:documentation>{escape(name)}</xs:documentation></xs:annotation>"
    return f"{opened}>{told}</xs:enumeration>"


def facets_of(component: Component | MetadataAttribute) -> list[tuple[str, str, str]]:
    """Return the facets that bound a representation: SDMX facet, XML Schema facet and its value.

    They are those of the standard's table (section 3A, part IV), each of the types it is about;
    others inform. Of XHTML all are ignored. The bounds of a range are ``minValue`` and ``maxValue``
    there, ``startValue`` and ``endValue`` in SDMXCommon.xsd.
    """
    kind, given = component.data_type, component.facets
    if kind == "XHTML":
        return []
    found = []
    if kind in _TEXTS:
        found = [(one, one, given[one]) for one in ("minLength", "maxLength") if one in given]
    if kind in NUMBERS:
        way = "Exclusive" if kind == "ExclusiveValueRange" else "Inclusive"
        for end, names in (("min", ("minValue", "startValue")), ("max", ("maxValue", "endValue"))):
            known = [one for one in (names if kind in _RANGES else names[:1]) if one in given]
            limit = _limit(kind, end, given[known[0]]) if known else None
            if limit is not None:
                found.append((known[0], f"{end}{way}", limit))
    if kind in _FRACTIONS and "decimals" in given:
        found.append(("decimals", "fractionDigits", given["decimals"]))
    if "pattern" in given:
        found.append(("pattern", "pattern", given["pattern"]))
    return found


def _limit(kind: str, end: str, value: str) -> str | None:
    """Return a bound as a value of the type, None where no value of the type is beyond it."""
    limit = Decimal(value)
    if kind in INTEGERS:
        limit = limit.to_integral_value(ROUND_CEILING if end == "min" else ROUND_FLOOR)
        bits = INTEGERS[kind]
        beyond = bits is not None and (limit < -(2**bits) if end == "min" else limit > 2**bits - 1)
        if beyond:
            return None
    return format(limit, "f")


def represented(component: Component) -> Component:
    """Return a component with its representation; a time that says none is any period."""
    if component.role is Role.TIME and component.data_type == "String":
        return replace(component, data_type="ObservationalTimePeriod")
    return component


def may_be_missing(component: Component) -> bool:
    """Tell whether a component may be intentionally missing: no dimension may."""
    return component.role in (Role.MEASURE, Role.ATTRIBUTE)
