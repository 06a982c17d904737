"""Regular expressions for the texts of SDMX data types, as the standard's XML Schemas have them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PATTERNS"]

_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_YEAR = r"-?(?:[1-9][0-9]{3,}|0[0-9]{3})"
_LEAP = (
    r"-?(?:[1-9][0-9]*)?(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])"
    r"|(?:[02468][048]|[13579][26])00)"
)
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    rf"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)"
_MONTH = rf"{_YEAR}-(?:0[1-9]|1[0-2])"
_AMOUNT = r"[0-9]+"
_HOURS = (
    rf"T(?:{_AMOUNT}H(?:{_AMOUNT}M)?(?:[0-9]+(?:\.[0-9]+)?S)?"
    rf"|{_AMOUNT}M(?:[0-9]+(?:\.[0-9]+)?S)?|[0-9]+(?:\.[0-9]+)?S)"
)
_DAYS = rf"(?:{_AMOUNT}Y(?:{_AMOUNT}M)?(?:{_AMOUNT}D)?|{_AMOUNT}M(?:{_AMOUNT}D)?|{_AMOUNT}D)"
_SPAN = rf"P(?:{_DAYS}(?:{_HOURS})?|{_HOURS})"
_GREGORIAN = rf"(?:{_YEAR}|{_MONTH}|{_DAY}){_ZONE}"
_BASIC = rf"(?:{_YEAR}|{_MONTH}|{_DAY}(?:T{_CLOCK})?){_ZONE}"
# Days from 001 to 366; the standard's own schema forgets 010, 020 ... 090.
_PARTS: Mapping[str, str] = {
    "ReportingYear": "A1",
    "ReportingSemester": "S[12]",
    "ReportingTrimester": "T[1-3]",
    "ReportingQuarter": "Q[1-4]",
    "ReportingMonth": "M(?:0[1-9]|1[0-2])",
    "ReportingWeek": "W(?:0[1-9]|[1-4][0-9]|5[0-3])",
    "ReportingDay": "D(?:00[1-9]|0[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])",
}
_REPORTING = rf"[0-9]{{4}}-(?:{'|'.join(_PARTS.values())}){_ZONE}"
_RANGE = rf"{_DAY}(?:T{_CLOCK})?{_ZONE}/{_SPAN}"

PATTERNS: Mapping[str, str] = {
    **{name: rf"[0-9]{{4}}-{part}{_ZONE}" for name, part in _PARTS.items()},
    "Alpha": "[A-Za-z]+",
    "AlphaNumeric": "[A-Za-z0-9]+",
    "BasicTimePeriod": _BASIC,
    "Boolean": "true|false|1|0",
    "DateTime": rf"{_DAY}T{_CLOCK}{_ZONE}",
    "Day": rf"---(?:0[1-9]|[12][0-9]|3[01]){_ZONE}",
    "Duration": rf"-?{_SPAN}",
    "GregorianDay": _DAY + _ZONE,
    "GregorianTimePeriod": _GREGORIAN,
    "GregorianYear": _YEAR + _ZONE,
    "GregorianYearMonth": _MONTH + _ZONE,
    "Month": rf"--(?:0[1-9]|1[0-2]){_ZONE}",
    "MonthDay": rf"--(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]){_ZONE}",
    "Numeric": "[0-9]+",
    "ObservationalTimePeriod": f"{_BASIC}|{_REPORTING}|{_RANGE}",
    "ReportingTimePeriod": _REPORTING,
    "StandardTimePeriod": f"{_BASIC}|{_REPORTING}",
    "Time": _CLOCK + _ZONE,
    "TimeRange": _RANGE,
}
"""Data type -> what its whole text must match; types without one are numbers or free text."""
