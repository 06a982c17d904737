"""Sentences about the precision of published figures, in the order quality reports want them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

from sdmx_service.release.accuracy import Accuracy, Figure, Spread
from sdmx_service.structures.artefacts import Codelist, localised

__all__ = [
    "by_indicator",
    "compilation",
    "nonresponse",
    "of_whole_areas",
    "over_time",
    "overall",
    "sampling",
    "timeliness",
]

Lists = Callable[[str], Codelist | None]
"""The codelist of a component, by its id."""

_MOST_FIGURES = 12
_SURVEY = "SURVEY"  # of METHOD
_YEAR = re.compile(r"\d{4}")


def overall(here: Accuracy, lists: Lists) -> str:
    """Say how many figures are published, marked and withheld, and how precise they are."""
    listed = lists("RELIABILITY")
    order = list(listed.by_id) if listed and here.graded else sorted(here.graded)
    grades = [
        f"{_name(listed, code).lower()}: {here.graded[code]:,}"
        for code in order
        if code in here.graded
    ]
    said = [f"{here.published:,} of {here.made:,} figures are published"]
    said += [f" ({'; '.join(grades)})." if grades else "."]
    if "CV" in here.spreads:
        said.append(f" Their coefficients of variation: {_per_cent(here.spreads['CV'])}.")
    return "".join(said)


def sampling(here: Accuracy, lists: Lists) -> str | None:
    """Say how standard errors and intervals are made, with design effects; None of no figures."""
    if not here.published:
        return None
    said = []
    if variances := _names(here, "VAR_EST_METHOD", lists):
        said.append(f"Standard errors: {variances}, by the sample design.")
    if intervals := _names(here, "CI_METHOD", lists):
        levels = " and ".join(f"{100 * one:g}%" for one in here.levels)
        said.append(f"Intervals{f' of {levels}' if levels else ''}: {intervals}.")
    if "DESIGN_EFFECT" in here.spreads:
        said.append(f"Design effects: {_spread(here.spreads['DESIGN_EFFECT'], 2)}.")
    if "DEGREES_FREEDOM" in here.spreads:
        said.append(f"Degrees of freedom: {_spread(here.spreads['DEGREES_FREEDOM'], 0)}.")
    return " ".join(said)


def of_whole_areas(
    figures: Sequence[Figure], decimals: int, area: Callable[[str], str]
) -> str | None:
    """Say the figures of whole areas with all that tells their precision, the newest first."""
    newest = sorted(figures, key=lambda one: one.period, reverse=True)[:_MOST_FIGURES]
    return " ".join(f"{area(one.area)}, {one.period}: {_precise(one, decimals)}." for one in newest)


def by_indicator(figures: Sequence[Figure], area: str) -> str | None:
    """Say the coefficient of variation and the design effect of each indicator in one area."""
    told = [
        f"{one.indicator} {100 * one.cv:.1f}%"
        + ("" if one.design_effect is None else f" ({one.design_effect:.2f})")
        for one in figures
        if one.cv is not None
    ]
    if not told:
        return None
    return (
        f"Coefficients of variation of the figures for the whole of {area}, in brackets the design "
        f"effects: {', '.join(told)}."
    )


def nonresponse(here: Accuracy) -> str:
    """Say what is done where people gave no answer, and how many answered."""
    said = "People who gave no answer are left out of a figure; none is filled in for them."
    if "RESP_RATE" not in here.spreads:
        return said
    return f"{said} Of the people asked, answered: {_per_cent(here.spreads['RESP_RATE'])}."


def timeliness(periods: Sequence[str], published: date) -> str:
    """Say when figures were published, and how long after their last period, if it is a year."""
    said = f"Published on {published:%Y-%m-%d}"
    last = max(periods, default="")
    if not _YEAR.fullmatch(last):
        return f"{said}."
    months = 12 * (published.year - int(last) - 1) + published.month - 1
    return f"{said}, {months} months after the end of {last}, the last period there are figures of."


def over_time(here: Accuracy) -> str:
    """Say how long the series are, and how many figures are marked as a break."""
    if here.longest == 1:
        return "No area has figures of more than one period: there is no series."
    return (
        f"The longest series of an area has {here.longest} periods. Figures marked as a break: "
        f"{here.breaks:,}."
    )


def compilation(here: Accuracy, lists: Lists) -> str:
    """Say how figures came about, and what goes with each."""
    ways = _names(here, "METHOD", lists)
    said = [f"The figures are: {ways}."] if ways else []
    if here.codes.get("METHOD", (_SURVEY,)) == (_SURVEY,):
        said.append(
            "They are weighted by the weights of the survey; no answer is imputed. Every figure "
            "goes with its standard error, interval, method and number of people."
        )
    return " ".join(said)


def _precise(one: Figure, decimals: int) -> str:
    said = [f"{one.value:,.{decimals}f}"]
    if one.lower is not None and one.upper is not None:
        said.append(f"interval {one.lower:,.{decimals}f} to {one.upper:,.{decimals}f}")
    if one.cv is not None:
        said.append(f"coefficient of variation {100 * one.cv:.1f}%")
    if one.design_effect is not None:
        said.append(f"design effect {one.design_effect:.2f}")
    if one.answered is not None:
        said.append(f"{one.answered:,} people")
    if one.degrees_of_freedom is not None:
        said.append(f"{one.degrees_of_freedom:,.0f} degrees of freedom")
    return ", ".join(said)


def _names(here: Accuracy, component: str, lists: Lists) -> str:
    codes = here.codes.get(component, ())
    return "; ".join(f"{_name(lists(component), code)} ({code})" for code in codes)


def _name(listed: Codelist | None, code: str) -> str:
    found = listed.by_id.get(code) if listed else None
    return localised(found.name) if found else code


def _per_cent(one: Spread) -> str:
    if one.least == one.most:
        return f"{100 * one.median:.1f}% throughout"
    return f"median {100 * one.median:.1f}%, from {100 * one.least:.1f}% to {100 * one.most:.1f}%"


def _spread(one: Spread, decimals: int) -> str:
    numbers = (f"{number:,.{decimals}f}" for number in (one.median, one.least, one.most))
    return "median {}, from {} to {}".format(*numbers)
