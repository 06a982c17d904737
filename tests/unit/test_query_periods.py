"""Which days a period covers."""

from __future__ import annotations

import pytest

from sdmx_service.errors import RequestError
from sdmx_service.query.period import parse_period


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2020", "2020-01-01", "2021-01-01"),
        ("2020-A1", "2020-01-01", "2021-01-01"),
        ("2020-12", "2020-12-01", "2021-01-01"),
        ("2020-M02", "2020-02-01", "2020-03-01"),
        ("2020-Q4", "2020-10-01", "2021-01-01"),
        ("2020-S2", "2020-07-01", "2021-01-01"),
        ("2020-T2", "2020-05-01", "2020-09-01"),
        ("2020-W01", "2019-12-30", "2020-01-06"),
        ("2020-W53", "2020-12-28", "2021-01-04"),
        ("2020-D366", "2020-12-31", "2021-01-01"),
        ("2020-02-29", "2020-02-29", "2020-03-01"),
        ("2020-02-28/P1M", "2020-02-28", "2020-03-28"),
        # what lasts longer than the years that have four digits ends with them
        ("9999-12-31/P9999D", "9999-12-31", "9999-12-31"),
    ],
)
def test_a_period_covers_its_days(text: str, start: str, end: str) -> None:
    period = parse_period(text)
    assert (period.start.date().isoformat(), period.end.date().isoformat()) == (start, end)


@pytest.mark.parametrize(
    "text",
    ["", "20", "2020-13", "2020-Q5", "2020-W54", "2021-D366", "2020-02-30", "0000", "now",
     "2020-00", "2020-Q0", "2020/P", "２０２０"],
)  # fmt: skip
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="2022-Q3"):
        parse_period(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        # SDMX 3.0 section 6, Time Representation: quarters and weeks of a year begun in July
        ("2010-Q2", "2010-10-01", "2011-01-01"),
        ("2011-W36", "2012-03-05", "2012-03-12"),
        ("2010-A1", "2010-07-01", "2011-07-01"),
        ("2010", "2010-01-01", "2011-01-01"),
    ],
)
def test_a_reporting_period_begins_with_its_year(text: str, start: str, end: str) -> None:
    found = parse_period(text, year_start=(7, 1))
    assert (found.start.date().isoformat(), found.end.date().isoformat()) == (start, end)
