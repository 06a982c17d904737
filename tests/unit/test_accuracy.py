"""What figures say of their own precision, on a table whose answers are seen at a glance."""

from __future__ import annotations

from datetime import date

import polars as pl

from sdmx_service.release import sentences
from sdmx_service.release.accuracy import Accuracy, Spread, precision, precision_by

FIGURES = pl.LazyFrame(
    {
        "INDICATOR": ["A", "A", "A", "A", "B"],
        "REF_AREA": ["X", "X", "Y", "Y", "X"],
        "TIME_PERIOD": ["2020", "2021", "2021", "2021", "2021"],
        "OBS_VALUE": [1.0, 2.0, 3.0, None, None],
        "CV": [0.1, 0.2, 0.6, None, None],
        "DESIGN_EFFECT": [1.0, 1.5, 4.0, None, None],
        "RESP_RATE": [1.0, 1.0, 1.0, None, None],
        "VAR_EST_METHOD": ["TSL", "TSL", "BRR", None, None],
        "CONF_LEVEL": [0.95, 0.95, 0.95, 0.95, 0.95],
        "OBS_STATUS": ["A", "B", "A", "Q", "Q"],
        "RELIABILITY": ["PRESENT", "PRESENT", "FLAG", "WITHHELD", "WITHHELD"],
    }
)


def test_counts_are_of_all_figures_and_numbers_of_those_published() -> None:
    found = precision(FIGURES)
    assert (found.made, found.published) == (5, 3)
    assert found.graded == {"PRESENT": 2, "FLAG": 1, "WITHHELD": 2}
    assert found.spreads["CV"] == Spread(0.2, 0.1, 0.6)
    assert found.codes["VAR_EST_METHOD"] == ("TSL", "BRR")
    assert found.levels == (0.95,)
    assert found.periods == ("2020", "2021")
    assert (found.longest, found.breaks) == (2, 1)


def test_an_indicator_that_is_withheld_throughout_still_says_so() -> None:
    nothing = precision_by(FIGURES, "INDICATOR")["B"]
    assert (nothing.made, nothing.published, nothing.longest) == (1, 0, 0)
    assert nothing.spreads == {}
    assert sentences.overall(nothing, lambda _: None) == (
        "0 of 1 figures are published (withheld: 1)."
    )
    assert sentences.sampling(nothing, lambda _: None) is None


def test_a_number_that_is_always_the_same_is_told_once() -> None:
    found = precision(FIGURES)
    assert "answered: 100.0% throughout." in sentences.nonresponse(found)
    assert "median 20.0%, from 10.0% to 60.0%." in sentences.overall(found, lambda _: None)


def test_timeliness_counts_whole_months_after_the_last_year() -> None:
    """SIMS, indicator TP: from the end of the reference period to the day of publication."""
    said = sentences.timeliness(("2020", "2021"), date(2023, 3, 15))
    assert "14 months after the end of 2021" in said
    assert sentences.timeliness(("2021-Q4",), date(2023, 3, 15)) == "Published on 2023-03-15."


def test_series_of_different_areas_are_not_one_series() -> None:
    """SIMS, indicator CC2: the length is that of a comparable series, which is of one area."""
    apart = precision(FIGURES.filter(pl.col("TIME_PERIOD") == "2021"))
    assert sentences.over_time(apart).startswith("No area has figures of more than one period")
    assert sentences.over_time(precision(FIGURES)) == (
        "The longest series of an area has 2 periods. Figures marked as a break: 1."
    )


def test_what_a_table_has_no_columns_for_is_not_told() -> None:
    bare = precision(FIGURES.select("INDICATOR", "REF_AREA", "TIME_PERIOD", "OBS_VALUE"))
    assert bare == Accuracy(5, 3, {}, {}, {}, (), ("2020", "2021"), 2, 0)
    assert sentences.overall(bare, lambda _: None) == "3 of 5 figures are published."
