"""What a page says about one indicator in one area."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from sdmx_service.publication import dotchart, gapchart
from sdmx_service.publication.axis import difference_axis, level_axis
from sdmx_service.publication.dotchart import DotChart, DotFamily
from sdmx_service.publication.edition import Edition, Indicator
from sdmx_service.publication.figure import Document, Figure, Prose
from sdmx_service.publication.gapchart import GapChart, GapLine
from sdmx_service.publication.gaps import Gap, flow_of, gap_rows, gap_sentence
from sdmx_service.publication.levels import Level, level_rows
from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.numerals import counted, span
from sdmx_service.publication.origin import queries_for, source_line
from sdmx_service.publication.tables import Column, Table, folded_html, table_typst
from sdmx_service.publication.verdict import Verdict, tally

__all__ = ["gap_figure", "gap_table", "group_figure", "indicator_part", "levels_of"]

_MOST_SENTENCES = 3


def levels_of(edition: Edition, area: str, indicator: str) -> list[Level]:
    """Return the levels of one indicator in one area: everyone first, then the groups."""
    return [level for level in level_rows(edition, area) if level.indicator == indicator]


def _gaps_of(edition: Edition, area: str, indicator: str) -> list[Gap]:
    return [gap for gap in gap_rows(edition, area) if gap.indicator == indicator]


def _limits(levels: Iterable[Level | None]) -> list[float]:
    return [
        limit
        for level in levels
        if level is not None
        for limit in (level.value, level.lower, level.upper)
        if limit is not None
    ]


def everyone_sentence(edition: Edition, indicator: Indicator, level: Level) -> str:
    """Return the level of everyone as a sentence, with its interval."""
    place = edition.area_name(level.area)
    value, _ = dotchart.level_text(level, indicator.decimals, indicator.suffix)
    if level.value is None:
        return f"{indicator.name}, {place}, {level.period}: {value}."
    unit = "" if indicator.suffix else f" ({indicator.measure})"
    if level.lower is None or level.upper is None:
        return f"{indicator.name} was {value}{unit} in {place} in {level.period}."
    limits = span(level.lower, level.upper, indicator.decimals).replace(" to ", " and ")
    return (
        f"{indicator.name} was {value}{unit} in {place} in {level.period}, "
        f"between {limits} with 95% confidence."
    )


def group_figure(edition: Edition, area: str, indicator: Indicator) -> Figure:
    """Return the levels of everyone and of every group, as a dot-and-whisker chart."""
    levels = levels_of(edition, area, indicator.id)
    everyone = next((level for level in levels if level.breakdown is None), None)
    groups = [level for level in levels if level.breakdown is not None]
    families = tuple(
        DotFamily(str(edition.breakdowns[name]["name"]), tuple(rows))
        for name, rows in groupby(groups, key=lambda level: level.breakdown or "")
    )
    place, period = edition.area_name(area), levels[0].period
    subject = f"{indicator.name}, {indicator.measure}, {place}, {period}"
    gaps = _gaps_of(edition, area, indicator.id)
    chart = DotChart(
        caption=subject,
        axis=level_axis(_limits(levels), bounds=indicator.scale),
        everyone=everyone,
        everyone_label="Everyone" if edition.country(area) == area else f"Everyone in {place}",
        families=families,
        decimals=indicator.decimals,
        suffix=indicator.suffix,
        measure=indicator.measure[:1].upper() + indicator.measure[1:],
    )
    value, limits = dotchart.level_text(everyone, indicator.decimals, indicator.suffix)
    line = f" The line and band mark everyone, {value} ({limits})." if limits else ""
    return Figure(
        id=f"{indicator.id}-groups",
        headline=_group_headline(value, gaps),
        subtitle=f"{subject}. 95% intervals.{line}",
        alt=f"{subject}: everyone {value}{', ' + limits if limits else ''}; then "
        f"{counted(len(groups), 'group')}, each a row with its estimate and interval.",
        source=source_line(
            edition,
            area,
            period,
            note="Groups are in their natural order, never ranked. Compare "
            "two groups by their gap, not by whether their intervals overlap.",
        ),
        queries=queries_for(
            edition,
            f"DF_{indicator.domain}",
            [[level.key for level in rows] for _, rows in groupby(levels, lambda x: x.breakdown)],
            [period],
            [area],
        ),
        html=dotchart.chart_html(chart),
        paper=dotchart.chart_typst(chart),
    )


def _group_headline(value: str, gaps: list[Gap]) -> str:
    compared = [gap for gap in gaps if gap.known]
    clear = sum(gap.verdict is Verdict.DIFFERENCE for gap in compared)
    if not compared:
        return f"{value} for everyone; no gap between groups could be compared"
    verb = "is" if clear == 1 else "are"
    return (
        f"{value} for everyone; of {counted(len(compared), 'gap')} between groups, "
        f"{counted(clear)} {verb} clear"
    )


def gap_figure(edition: Edition, area: str, indicator: Indicator) -> Figure | None:
    """Return the gaps between groups and their reference group; None where none was planned."""
    gaps = _gaps_of(edition, area, indicator.id)
    if not gaps:
        return None
    place, period = edition.area_name(area), gaps[0].period
    lines = tuple(
        GapLine(gap, decimals=indicator.decimals, suffix=indicator.suffix) for gap in gaps
    )
    unit = (
        "percentage points"
        if indicator.gap_unit == "points" and indicator.suffix
        else (indicator.gap_unit)
    )
    chart = GapChart(
        caption=f"Gaps in: {indicator.name}, {place}, {period}",
        level_axis=level_axis(
            _limits(level for gap in gaps for level in (gap.group, gap.reference)),
            bounds=indicator.scale,
            from_zero=False,
        ),
        gap_axis=difference_axis(
            limit for gap in gaps for limit in (gap.lower, gap.upper) if limit is not None
        ),
        lines=lines,
        level_head=f"Both levels, {indicator.measure}",
        gap_head=f"Gap, {unit}",
    )
    said = tally(gap.verdict for gap in gaps)
    table = gap_table(edition, gaps)
    return Figure(
        id=f"{indicator.id}-gaps",
        headline=said,
        subtitle=f"{indicator.name}, {indicator.measure}, and gap, {unit}, {place}, {period}. "
        "(group) group of interest, (reference) compared with.",
        alt=f"Gaps in {indicator.name}, {place}, {period}: {counted(len(gaps), 'comparison')}, "
        f"each a row with both levels, the gap, its interval and a verdict. {said}.",
        source=source_line(edition, area, period, note=_families(gaps)),
        queries=queries_for(
            edition, flow_of(edition, area), [[gap.key] for gap in gaps], [period], [area]
        ),
        html=gapchart.chart_html(chart),
        paper=gapchart.chart_typst(chart),
        after_html=folded_html("The gap table, in words", table),
        after_paper=table_typst(table),
    )


def _families(gaps: list[Gap]) -> str:
    sizes = sorted({gap.family_size for gap in gaps if gap.family_size})
    among = (
        f"; the adjusted p in the table allows for the comparisons made together, up to {sizes[-1]}"
        if sizes
        else ""
    )
    return f"Each interval is for one comparison by itself{among}."


def gap_table(edition: Edition, gaps: list[Gap]) -> Table:
    """Return the gaps as a table with a verdict in plain language and Holm's adjusted p."""
    rows = []
    for gap in gaps:
        indicator = edition.indicators[gap.indicator]
        value, limits = gapchart.gap_text(gap, indicator.decimals)
        rows.append(
            (
                f"{gap.group_label}, compared with {gap.reference_label}",
                value,
                limits or value,
                _p_text(gap.adjusted_p),
                f"{gap.verdict.value}. {gap_sentence(edition, gap)}"
                if gap.known
                else gap_sentence(edition, gap),
            )
        )
    first = edition.indicators[gaps[0].indicator]
    return Table(
        caption=f"Gaps in {first.name}, {edition.area_name(gaps[0].area)}, {gaps[0].period}",
        columns=(
            Column("Who is compared", width=2),
            Column(f"Gap, {first.gap_unit}", numeric=True, width=0.9),
            Column("95% interval", numeric=True, width=1.5),
            Column("Adjusted p (Holm)", numeric=True, width=0.9),
            Column("Verdict in words", width=4),
        ),
        rows=tuple(rows),
    )


def _p_text(p: float | None) -> str:
    if p is None:
        return "not given"
    return "under 0.001" if p < 0.001 else f"{p:.3f}"


def indicator_part(edition: Edition, area: str, indicator: Indicator) -> Document:
    """Return the section of an indicator: words first, then groups, gaps and limits."""
    levels = levels_of(edition, area, indicator.id)
    gaps = _gaps_of(edition, area, indicator.id)
    everyone = next((level for level in levels if level.breakdown is None), None)
    words = [f"### {verbatim(indicator.name)} {{#{indicator.id}}}", ""]
    words.append(
        verbatim(f"{_ended(indicator.definition)} For the reading: {indicator.direction_words}.")
    )
    if everyone is not None:
        words += ["", verbatim(everyone_sentence(edition, indicator, everyone))]
    clear = [gap for gap in gaps if gap.verdict is Verdict.DIFFERENCE]
    if gaps:
        chosen = clear[:_MOST_SENTENCES]
        words[-1] += f" {tally(gap.verdict for gap in gaps)}."
        if len(clear) > len(chosen):
            words[-1] += f" The first {counted(len(chosen))}, in the order of the groups:"
        words += ["", *(f"- {verbatim(gap_sentence(edition, gap))}" for gap in chosen)]
    parts: list[Prose | Figure | Document] = [Prose("\n".join(words))]
    if any(level.breakdown is not None for level in levels):
        parts.append(group_figure(edition, area, indicator))
    figure = gap_figure(edition, area, indicator)
    if figure is not None:
        parts.append(figure)
    if indicator.limits:
        parts.append(
            Prose(f"**What this figure cannot tell you.** {verbatim(_ended(indicator.limits))}")
        )
    return Document(tuple(parts))


def _ended(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?" else f"{text}."
