"""SDMX time periods as dates that compare: the first day, or moment, of each period."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

__all__ = ["normalized"]

_REPORTING = re.compile(r"([0-9]{4})-([ASTQMWD])([0-9]{1,3})(?:Z|[+-][0-9:]{5})?")
_MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}
_YEAR = re.compile(r"([0-9]{4})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")


def normalized(periods: Iterable[str]) -> dict[str, str]:
    """Return each period as its first day; as its first moment where one of them is a moment.

    Reporting periods count from 1 January. A text that is no period stays as it is.
    """
    days = {period: _first_day(period) for period in periods}
    if any("T" in day for day in days.values()):
        return {
            period: f"{day}T00:00:00" if len(day) == 10 else day for period, day in days.items()
        }
    return days


def _first_day(period: str) -> str:
    start = period.partition("/")[0]
    for pattern, first in _FORMS:
        match = pattern.fullmatch(start)
        if match:
            try:
                return first(match)
            except ValueError:
                return period
    return start


def _reporting(match: re.Match[str]) -> str:
    year, number = int(match[1]), int(match[3])
    if match[2] == "W":
        return date.fromisocalendar(year, number, 1).isoformat()
    if match[2] == "D":
        return (date(year, 1, 1) + timedelta(days=number - 1)).isoformat()
    return date(year, 1 + (number - 1) * _MONTHS[match[2]], 1).isoformat()


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_REPORTING, _reporting),
    (_YEAR, lambda match: date(int(match[1]), 1, 1).isoformat()),
    (_MONTH, lambda match: date(int(match[1]), int(match[2]), 1).isoformat()),
)
