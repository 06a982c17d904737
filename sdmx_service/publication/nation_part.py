"""An area beside its nation, and the areas of a nation beside it."""

from __future__ import annotations

from itertools import groupby

from sdmx_service.publication import gapchart
from sdmx_service.publication.axis import difference_axis, full_axis, level_axis
from sdmx_service.publication.edition import Edition, Indicator
from sdmx_service.publication.figure import Document, Figure
from sdmx_service.publication.gapchart import GapChart, GapLine
from sdmx_service.publication.gaps import Gap, gaps_with_nation
from sdmx_service.publication.indicator_part import gap_table
from sdmx_service.publication.numerals import counted
from sdmx_service.publication.origin import queries_for, source_line
from sdmx_service.publication.tables import folded_html, table_typst
from sdmx_service.publication.verdict import tally

__all__ = ["area_beside_nation", "areas_beside_nation"]

_A_PART = (
    "An area is part of the nation; the interval of the gap counts the people they share. "
    "Judge by the gap, not by whether two intervals overlap."
)


def _values(gaps: list[Gap]) -> list[float]:
    return [
        value
        for gap in gaps
        for level in (gap.group, gap.reference)
        if level is not None
        for value in (level.value, level.lower, level.upper)
        if value is not None
    ]


def _gap_limits(gaps: list[Gap]) -> list[float]:
    return [limit for gap in gaps for limit in (gap.lower, gap.upper) if limit is not None]


def area_beside_nation(edition: Edition, area: str) -> Document:
    """Return the gaps of an area with its nation: a figure for the indicators of each unit."""
    gaps = gaps_with_nation(edition, area)
    place, nation = edition.area_name(area), edition.area_name(edition.country(area))

    def kind(gap: Gap) -> tuple[str, str, str]:
        indicator = edition.indicators[gap.indicator]
        return indicator.unit, indicator.unit_label, str(indicator.scale)

    figures = []
    for number, (_, found) in enumerate(groupby(sorted(gaps, key=kind), key=kind)):
        rows = list(found)
        first = edition.indicators[rows[0].indicator]
        periods = sorted({gap.period for gap in rows})
        said = tally((gap.verdict for gap in rows), noun="gap")
        scale = first.scale if first.scale and first.suffix else None
        chart = GapChart(
            caption=f"{place} and {nation}, {first.measure}",
            level_axis=full_axis(*scale)
            if scale
            else level_axis(_values(rows), bounds=first.scale),
            gap_axis=difference_axis(_gap_limits(rows)),
            lines=tuple(
                GapLine(
                    gap,
                    edition.indicators[gap.indicator].name,
                    edition.indicators[gap.indicator].direction_words,
                    edition.indicators[gap.indicator].decimals,
                    edition.indicators[gap.indicator].suffix,
                )
                for gap in rows
            ),
            level_head=f"Both levels, {first.measure}",
            gap_head=f"{place} minus {nation}",
            first_head="Indicator",
        )
        figures.append(
            Figure(
                id=f"nation-{number + 1}",
                headline=f"{place} beside {nation}: {said[0].lower()}{said[1:]}",
                subtitle=f"Indicators measured in {first.measure}, {', '.join(periods)}. (group) "
                f"{place}, (reference) {nation}. Gaps in {first.gap_unit}.",
                alt=f"{place} beside {nation} for {counted(len(rows), 'indicator')}: each row has "
                f"both levels, the gap, its interval and a verdict. {said}.",
                source=source_line(edition, area, periods[-1], note=_A_PART),
                queries=queries_for(
                    edition, "DF_GAP_SUBNAT", [[gap.key] for gap in rows], periods, [area]
                ),
                html=gapchart.chart_html(chart),
                paper=gapchart.chart_typst(chart),
                depth=3,
            )
        )
    return Document(tuple(figures))


def areas_beside_nation(edition: Edition, country: str, indicator: Indicator) -> Figure | None:
    """Return the gaps of every area with the nation for one indicator, in classification order."""
    rows = [
        gap
        for area in edition.parts(country)
        for gap in gaps_with_nation(edition, area)
        if gap.indicator == indicator.id
    ]
    if not rows:
        return None
    nation, period = edition.area_name(country), rows[0].period
    said = tally((gap.verdict for gap in rows), noun="area")
    chart = GapChart(
        caption=f"{indicator.name}: areas of {nation}, {period}",
        level_axis=level_axis(_values(rows), bounds=indicator.scale, from_zero=False),
        gap_axis=difference_axis(_gap_limits(rows)),
        lines=tuple(
            GapLine(gap, decimals=indicator.decimals, suffix=indicator.suffix) for gap in rows
        ),
        level_head=f"Both levels, {indicator.measure}",
        gap_head=f"Area minus {nation}",
        first_head="Area",
    )
    table = gap_table(edition, rows)
    return Figure(
        id=f"{indicator.id}-areas",
        headline=f"{indicator.name}: {said[0].lower()}{said[1:]}",
        subtitle=f"{indicator.name}, {indicator.measure}, areas of {nation}, {period}. (group) "
        f"area, (reference) {nation}. Areas are in the order of the classification.",
        alt=f"{indicator.name} in {counted(len(rows), 'area')} beside {nation}, {period}: each row "
        f"has both levels, the gap, its interval and a verdict. {said}.",
        source=source_line(edition, country, period, note=_A_PART),
        queries=queries_for(
            edition,
            "DF_GAP_SUBNAT",
            [[gap.key] for gap in rows],
            [period],
            [gap.area for gap in rows],
        ),
        html=gapchart.chart_html(chart),
        paper=gapchart.chart_typst(chart),
        depth=3,
        after_html=folded_html("The gap table, in words", table),
        after_paper=table_typst(table),
    )
