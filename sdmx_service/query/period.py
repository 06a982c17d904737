"""The stretch of time that an SDMX period names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sdmx_service.errors import RequestError

__all__ = ["JANUARY_1", "Period", "chronological", "observed_period", "parse_period"]

JANUARY_1 = (1, 1)
_LONGEST = 64
_EXPECTED = "a period such as 2022, 2022-S1, 2022-Q3, 2022-07, 2022-W05 or 2022-07-31"
_GREGORIAN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_REPORTING = re.compile(r"(\d{4})-?([ASTQMWD])(\d{1,3})", re.ASCII)
_RANGE = re.compile(r"([^/]{4,29})/P(?=.)(?:(\d{1,3})Y)?(?:(\d{1,3})M)?(?:(\d{1,4})D)?", re.ASCII)
_FRACTION = re.compile(r"[.,](\d+)", re.ASCII)
_MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}


@dataclass(frozen=True)
class Period:
    """A stretch of time from ``start`` up to, not including, ``end``."""

    start: datetime
    end: datetime

    def within(self, other: Period) -> bool:
        """Return whether the whole of this period lies in the other."""
        return other.start <= self.start and self.end <= other.end


def parse_period(
    text: str,
    where: str = "TIME_PERIOD",
    year_start: tuple[int, int] = JANUARY_1,
    hint: str | None = None,
) -> Period:
    """Return the stretch that ``text`` names (SDMX section 6, Time Representation).

    Gregorian years, months and days, date-times, ranges ``start/duration`` and reporting periods,
    whose year begins on the month and day of ``year_start``. Raises RequestError.
    """
    # What no period is as long as must not fill the memory of what was read before.
    found = _found(text, year_start) if len(text) <= _LONGEST else None
    if found is None:
        raise RequestError(where, got=text[:255], expected=_EXPECTED, hint=hint)
    return found


def observed_period(text: str, year_start: tuple[int, int] = JANUARY_1) -> Period:
    """Return the stretch that a period of the data names, as ``parse_period`` does.

    A week 53 or day 366 for which a year that begins on ``year_start`` has no room lies after the
    last one: the question moves the year, and no observation falls out of time by it.
    """
    return _found(text, year_start, beyond=True) or parse_period(text)


def chronological(texts: Iterable[str], year_start: tuple[int, int] = JANUARY_1) -> list[str]:
    """Return periods of the data by when they begin; what begins together by its text."""
    return sorted(texts, key=lambda text: (observed_period(text, year_start).start, text))


@lru_cache(maxsize=65_536)
def _found(text: str, year_start: tuple[int, int], *, beyond: bool = False) -> Period | None:
    try:
        return _parsed(text, year_start, beyond=beyond)
    except (ValueError, OverflowError):
        return None


def _parsed(text: str, year_start: tuple[int, int], *, beyond: bool) -> Period | None:
    if gregorian := _GREGORIAN.fullmatch(text):
        year, month, day = (int(part) if part else None for part in gregorian.groups())
        return _gregorian(year or 0, month, day)
    if reporting := _REPORTING.fullmatch(text):
        year_text, unit, number = reporting.groups()
        begins = datetime(int(year_text), *year_start)
        return _reporting(begins, unit, int(number), beyond=beyond)
    if ranged := _RANGE.fullmatch(text):
        start_text, years, months, days = ranged.groups()
        start = _universal(start_text)
        end = _months_later(start, 12 * int(years or 0) + int(months or 0))
        return Period(start, _later(end, timedelta(days=int(days or 0))))
    if len(text) <= 35 and "T" in text:
        moment = _universal(text)
        # As long as the last unit it is written with: 23:59:59 is the last second of a day.
        fraction = _FRACTION.search(text)
        digits = min(len(fraction[1]), 6) if fraction else 0
        return Period(moment, _later(moment, timedelta(microseconds=10 ** (6 - digits))))
    return None


def _universal(text: str) -> datetime:
    """Return a time as UTC, which it is where it says no offset."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _months_later(start: datetime, months: int) -> datetime:
    years, month = divmod(start.month - 1 + months, 12)
    if start.year + years > 9999:
        return datetime.max
    # A year that begins on the 31st still has months of thirty days.
    for day in range(start.day, 0, -1):
        try:
            return start.replace(year=start.year + years, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def _later(start: datetime, length: timedelta) -> datetime:
    """Return when a stretch ends; the last one there is has no next moment."""
    return start + length if datetime.max - start > length else datetime.max


def _gregorian(year: int, month: int | None, day: int | None) -> Period:
    start = datetime(year, 1 if month is None else month, 1 if day is None else day)
    if day is not None:
        return Period(start, _later(start, timedelta(days=1)))
    return Period(start, _months_later(start, 12 if month is None else 1))


def _reporting(year: datetime, unit: str, number: int, *, beyond: bool) -> Period | None:
    if unit in _MONTHS:
        length = _MONTHS[unit]
        if not 1 <= number <= 12 // length:
            return None
        start = _months_later(year, (number - 1) * length)
        return Period(start, _months_later(year, number * length))
    days, most = (7, 53) if unit == "W" else (1, 366)
    if not 1 <= number <= most:
        return None
    zero, next_zero = (
        _first_monday(one) if unit == "W" and one < datetime.max else one
        for one in (year, _months_later(year, 12))
    )
    first = zero + timedelta(days=days * (number - 1))
    return (
        Period(first, _later(first, timedelta(days=days))) if beyond or first < next_zero else None
    )


def _first_monday(year: datetime) -> datetime:
    """Return the Monday of week 1, which holds the fourth day of the year (as ISO 8601 has it)."""
    fourth = year + timedelta(days=3)
    return fourth - timedelta(days=fourth.weekday())
