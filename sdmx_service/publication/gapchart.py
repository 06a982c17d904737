"""The gap chart: two levels, the gap between them with its own interval, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from sdmx_service.publication import marks, typst
from sdmx_service.publication.axis import Axis
from sdmx_service.publication.dotchart import level_text, typst_table
from sdmx_service.publication.gaps import Gap
from sdmx_service.publication.levels import Level, Status
from sdmx_service.publication.numerals import signed, span
from sdmx_service.publication.verdict import Verdict

__all__ = ["GapChart", "GapLine", "chart_html", "chart_typst", "gap_text", "verdict_html"]

_LEVELS, _GAPS, _GUTTER, _HEIGHT = 33.0, 35.0, 4.0, 8.6
_MARKS = {
    Verdict.DIFFERENCE: ("", "solid"),
    Verdict.CANNOT_TELL: ("ct", "dashed"),
    Verdict.CLOSE: ("cl", "rules"),
    Verdict.NOT_COMPARED: ("no", "none"),
}


@dataclass(frozen=True, slots=True)
class GapLine:
    """A row: the gap, and what it is a gap of where the rows have several subjects."""

    gap: Gap
    heading: str = ""
    note: str = ""
    decimals: int = 1
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class GapChart:
    """Gaps of one unit on one axis, beside their levels on another."""

    caption: str
    level_axis: Axis
    gap_axis: Axis
    lines: tuple[GapLine, ...]
    level_head: str
    gap_head: str
    first_head: str = "Who is compared"


def verdict_html(verdict: Verdict) -> str:
    """Return the verdict as a word in its box."""
    return f'<span class="v {_MARKS[verdict][0]}">{verdict.value}</span>'


def gap_text(gap: Gap, decimals: int) -> tuple[str, str]:
    """Return the gap and its interval as printed; words where there is no number."""
    if gap.value is None or gap.lower is None or gap.upper is None:
        words = "not collected (n)" if gap.status is Status.NOT_COLLECTED else "withheld (s)"
        return words, ""
    return signed(gap.value, decimals), span(gap.lower, gap.upper, decimals, sign=True)


def _values_html(line: GapLine) -> str:
    gap, spans = line.gap, []
    for role, label, level in (
        ("group", gap.group_label, gap.group),
        ("reference", gap.reference_label, gap.reference),
    ):
        value, _ = level_text(level, line.decimals, line.suffix)
        spans.append(
            f'<span class="vals">{marks.ICONS[role]} <span>{escape(label)} '
            f'<span class="iv">{value}</span></span></span>'
        )
    note = f'<span class="dom">{escape(line.note)}</span>' if line.note else ""
    head = f'<span class="what">{escape(line.heading)}</span>{note}' if line.heading else ""
    return head + "".join(spans)


def _levels_html(chart: GapChart, line: GapLine) -> str:
    axis, gap = chart.level_axis, line.gap
    drawn = marks.grid(axis)
    if not any(level and level.known for level in (gap.group, gap.reference)):
        return drawn + marks.hatch()
    group, reference = gap.group, gap.reference
    if group and reference and group.value is not None and reference.value is not None:
        drawn += marks.band(axis, group.value, reference.value, y="32%", height="36%")
    for level, role, y in ((reference, "r", "68%"), (group, "g", "32%")):
        if level and level.status is Status.WITHHELD:
            drawn += marks.hatch(lane=int(y[:-1]))
        if level and level.lower is not None and level.upper is not None:
            drawn += marks.interval(axis, level.lower, level.upper, role, level.status, y)
    if reference and reference.value is not None:
        drawn += marks.diamond(axis, reference.value, "r", reference.status, "68%")
    if group and group.value is not None:
        drawn += marks.dot(axis, group.value, "g", group.status, "32%")
    return drawn


def _gap_html(chart: GapChart, gap: Gap) -> str:
    axis = chart.gap_axis
    drawn = marks.grid(axis) + marks.vertical(axis, 0, "ax")
    if gap.value is None or gap.lower is None or gap.upper is None:
        return drawn + (marks.hatch() if gap.status is Status.WITHHELD else "")
    return (
        drawn
        + marks.interval(axis, gap.lower, gap.upper, "k", gap.status, "50%")
        + marks.dot(axis, gap.value, "k", gap.status, "50%")
    )


def _value_cell(line: GapLine) -> str:
    value, limits = gap_text(line.gap, line.decimals)
    if not limits:
        mark = marks.ICONS[Status.WITHHELD] if value.startswith("withheld") else ""
        return f'<span class="iv">{mark} {value}</span><br>{verdict_html(line.gap.verdict)}'
    flag = (
        f' <span class="flag">{marks.ICONS[Status.CAUTION]} u'
        '<span class="vh">, use with caution</span></span>'
        if line.gap.status is Status.CAUTION
        else ""
    )
    return (
        f'<span class="est">{value}</span> <span class="iv">{limits}</span>{flag}<br>'
        f"{verdict_html(line.gap.verdict)}"
    )


def _narrow_ticks(axis: Axis, *, sign: bool = False) -> str:
    return f'<g class="nt">{marks.tick_labels(axis, sign=sign, dy=13)}</g>'


def chart_html(chart: GapChart) -> str:
    """Return the chart as an HTML table."""
    rows = []
    for line in chart.lines:
        levels = _levels_html(chart, line) + _narrow_ticks(chart.level_axis)
        gap = _gap_html(chart, line.gap) + _narrow_ticks(chart.gap_axis, sign=True)
        rows.append(
            f'<tr role="row"><th role="rowheader" scope="row" class="lab">{_values_html(line)}</th>'
            f'<td role="cell" class="pic lev">{marks.picture(levels)}</td>'
            f'<td role="cell" class="pic dif">{marks.picture(gap)}</td>'
            f'<td role="cell" class="val">{_value_cell(line)}</td></tr>'
        )
    return (
        f'<table class="plot gap" role="table"><caption class="vh">{escape(chart.caption)}'
        '</caption><colgroup><col style="width:26%"><col style="width:25%">'
        '<col style="width:26%"><col style="width:23%"></colgroup>'
        '<thead role="rowgroup"><tr role="row" class="axrow">'
        f'<th role="columnheader" scope="col">{escape(chart.first_head)}</th>'
        f'<th role="columnheader" scope="col" class="pic"><span class="axt">'
        f"{escape(chart.level_head)}</span>{marks.picture(marks.tick_labels(chart.level_axis))}"
        f'</th><th role="columnheader" scope="col" class="pic"><span class="axt">'
        f"{escape(chart.gap_head)}</span>"
        f"{marks.picture(marks.tick_labels(chart.gap_axis, sign=True))}</th>"
        '<th role="columnheader" scope="col">Gap, 95% interval and verdict</th></tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>'
    )


def _line_label(line: GapLine) -> str:
    parts = []
    if line.heading:
        note = f"#linebreak()#text(size: 7pt, {typst.literal(line.note)})" if line.note else ""
        parts.append(f"#strong({typst.literal(line.heading)}){note}")
    for role, label, level in (
        ("group", line.gap.group_label, line.gap.group),
        ("reference", line.gap.reference_label, line.gap.reference),
    ):
        value, _ = level_text(level, line.decimals, line.suffix)
        parts.append(f"{typst.icon(role)}{typst.literal(f'{label} {value}', hashed=True)}")
    return "#linebreak()".join(parts)


def _lanes(chart: GapChart, line: GapLine) -> str:
    axis, group, reference = chart.level_axis, line.gap.group, line.gap.reference
    drawn = typst.grid(axis, _LEVELS, _HEIGHT)
    lanes: tuple[tuple[Level | None, str, float], ...] = (
        (reference, typst.REFERENCE, 0.68 * _HEIGHT),
        (group, typst.GROUP, 0.32 * _HEIGHT),
    )
    if not any(level and level.known for level, _, _ in lanes):
        return typst.picture(_LEVELS, _HEIGHT, [*drawn, typst.hatch(_LEVELS, _HEIGHT)])
    if group and reference and group.value is not None and reference.value is not None:
        drawn.append(
            typst.band(axis, group.value, reference.value, _LEVELS, 0.36 * _HEIGHT, 0.32 * _HEIGHT)
        )
    for level, colour, y in lanes:
        if level and level.status is Status.WITHHELD:
            drawn.append(typst.hatch(_LEVELS, 0.4 * _HEIGHT, y - 0.2 * _HEIGHT))
        if level and level.lower is not None and level.upper is not None:
            drawn.append(
                typst.interval(axis, level.lower, level.upper, _LEVELS, y, colour, level.status)
            )
    for level, colour, y in lanes:
        if level and level.value is not None:
            shape = typst.diamond if colour == typst.REFERENCE else typst.dot
            drawn.append(shape(axis, level.value, _LEVELS, y, colour, level.status))
    return typst.picture(_LEVELS, _HEIGHT, drawn)


def _gap_picture(chart: GapChart, gap: Gap) -> str:
    axis = chart.gap_axis
    drawn = [
        *typst.grid(axis, _GAPS, _HEIGHT),
        typst.vertical(axis, 0, _GAPS, _HEIGHT, f'.5pt + rgb("{typst.AXIS}")'),
    ]
    if gap.value is None or gap.lower is None or gap.upper is None:
        if gap.status is Status.WITHHELD:
            drawn.append(typst.hatch(_GAPS, _HEIGHT))
    else:
        middle = _HEIGHT / 2
        drawn.append(
            typst.interval(axis, gap.lower, gap.upper, _GAPS, middle, typst.INK, gap.status)
        )
        drawn.append(typst.dot(axis, gap.value, _GAPS, middle, typst.INK, gap.status))
    return typst.picture(_GAPS, _HEIGHT, drawn)


def _row_typst(chart: GapChart, line: GapLine) -> str:
    value, limits = gap_text(line.gap, line.decimals)
    flag = " (u)" if line.gap.status is Status.CAUTION else ""
    number = (
        f"#strong({typst.literal(value)}) {typst.literal(limits + flag, hashed=True)}"
        if limits
        else typst.literal(value, hashed=True)
    )
    mark = typst.verdict_mark(line.gap.verdict.value, _MARKS[line.gap.verdict][1])
    return (
        f"[#pad(y: .7mm, right: 1mm)[{_line_label(line)}]], [{_lanes(chart, line)}], "
        f"[{_gap_picture(chart, line.gap)}], [{number}#linebreak(){mark}]"
    )


def chart_typst(chart: GapChart) -> str:
    """Return the chart as a Typst table 160 mm wide."""
    level_head = typst.picture(_LEVELS, 4, typst.tick_labels(chart.level_axis, _LEVELS, 4))
    gap_head = typst.picture(_GAPS, 4, typst.tick_labels(chart.gap_axis, _GAPS, 4, sign=True))
    head = (
        f"[{typst.literal(chart.first_head, hashed=True)}]",
        f"[{typst.literal(chart.level_head, hashed=True)}#linebreak(){level_head}]",
        f"[{typst.literal(chart.gap_head, hashed=True)}#linebreak(){gap_head}]",
        "[Gap, 95% interval and verdict]",
    )
    columns = f"44mm, {_LEVELS + _GUTTER:g}mm, {_GAPS + _GUTTER:g}mm, 40mm"
    return typst_table(columns, head, [_row_typst(chart, line) for line in chart.lines])
