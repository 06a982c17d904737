"""The dot-and-whisker chart: a table with a picture column, one row a group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from sdmx_service.publication import marks, typst
from sdmx_service.publication.axis import Axis
from sdmx_service.publication.levels import Level, Status
from sdmx_service.publication.numerals import plain, span

__all__ = ["DotChart", "DotFamily", "chart_html", "chart_typst", "level_html", "level_text"]

_WIDTH, _HEIGHT = 69.0, 6.5


@dataclass(frozen=True, slots=True)
class DotFamily:
    """Groups of one breakdown, in natural order; the name stands above them."""

    name: str
    rows: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class DotChart:
    """Estimates of groups on one axis; the line and band mark everyone."""

    caption: str
    axis: Axis
    everyone: Level | None
    everyone_label: str
    families: tuple[DotFamily, ...]
    decimals: int
    suffix: str
    measure: str

    @property
    def rows(self) -> tuple[Level, ...]:
        """All rows from top to bottom."""
        first = (self.everyone,) if self.everyone else ()
        return (*first, *(row for family in self.families for row in family.rows))


def level_text(level: Level | None, decimals: int, suffix: str) -> tuple[str, str]:
    """Return the estimate with its flag, and its interval, as printed."""
    if level is None or level.status is Status.NOT_COLLECTED:
        return "not collected (n)", ""
    if level.value is None:
        return "withheld (s)", ""
    limits = (
        span(level.lower, level.upper, decimals)
        if level.lower is not None and level.upper is not None
        else "no interval"
    )
    return plain(level.value, decimals) + suffix, limits


def level_html(level: Level | None, decimals: int, suffix: str) -> str:
    """Return the value cell: estimate, interval and status."""
    value, limits = level_text(level, decimals, suffix)
    if level is None or level.value is None:
        mark = marks.ICONS[Status.WITHHELD] if value.startswith("withheld") else ""
        return f'<span class="iv">{mark} {value}</span>'
    text = f'<span class="est">{value}</span> <span class="iv">{limits}</span>'
    if level.status is Status.CAUTION:
        text += (
            f' <span class="flag">{marks.ICONS[Status.CAUTION]} u'
            '<span class="vh">, use with caution</span></span>'
        )
    return text


def _ground(chart: DotChart) -> str:
    """Return what runs behind every row: the grid, and the line and band of everyone."""
    everyone, axis = chart.everyone, chart.axis
    drawn = marks.grid(axis)
    if everyone and everyone.value is not None:
        if everyone.lower is not None and everyone.upper is not None:
            drawn = marks.band(axis, everyone.lower, everyone.upper) + drawn
        drawn += marks.vertical(axis, everyone.value, "nat k")
    return drawn


def _row_picture(chart: DotChart, level: Level, role: str) -> str:
    axis, drawn = chart.axis, _ground(chart)
    if level.status is Status.WITHHELD:
        drawn += marks.hatch()
    elif level.value is not None:
        if level.lower is not None and level.upper is not None:
            drawn += marks.interval(axis, level.lower, level.upper, role, level.status, "50%")
        drawn += marks.dot(axis, level.value, role, level.status, "50%")
    return marks.picture(drawn)


def _row_html(chart: DotChart, level: Level, label: str, *, everyone: bool = False) -> str:
    return (
        f'<tr role="row"{" class=" + chr(34) + "all" + chr(34) if everyone else ""}>'
        f'<th role="rowheader" scope="row" class="lab">{escape(label)}</th>'
        f'<td role="cell" class="pic">{_row_picture(chart, level, "k" if everyone else "g")}</td>'
        f'<td role="cell" class="val">{level_html(level, chart.decimals, chart.suffix)}</td></tr>'
    )


def chart_html(chart: DotChart) -> str:
    """Return the chart as an HTML table."""
    dense = " dense" if len(chart.rows) > 24 else ""
    body: list[str] = []
    if chart.everyone:
        row = _row_html(chart, chart.everyone, chart.everyone_label, everyone=True)
        body.append(f'<tbody role="rowgroup">{row}</tbody>')
    between = marks.picture(_ground(chart))
    for family in chart.families:
        rows = "".join(_row_html(chart, level, level.label) for level in family.rows)
        body.append(
            f'<tbody role="rowgroup"><tr role="row" class="fam"><th role="rowheader" '
            f'scope="rowgroup" class="grp">{escape(family.name)}</th><td class="pic gx" '
            f'aria-hidden="true">{between}</td><td class="gx" aria-hidden="true"></td></tr>{rows}'
            "</tbody>"
        )
    return (
        f'<table class="plot dots{dense}" role="table"><caption class="vh">{escape(chart.caption)}'
        '</caption><colgroup><col style="width:26%"><col style="width:46%">'
        '<col style="width:28%"></colgroup><thead role="rowgroup"><tr role="row" class="axrow">'
        '<th role="columnheader" scope="col">Group</th><th role="columnheader" scope="col" '
        f'class="pic"><span class="vh">Picture of the values</span>'
        f"{marks.picture(marks.tick_labels(chart.axis))}</th>"
        f'<th role="columnheader" scope="col">{escape(chart.measure)} and 95% interval</th>'
        f"</tr></thead>{''.join(body)}</table>"
    )


def _ground_typst(chart: DotChart, height: float) -> list[str]:
    axis, total = chart.axis, chart.everyone
    drawn = typst.grid(axis, _WIDTH, height)
    if total and total.value is not None:
        if total.lower is not None and total.upper is not None:
            drawn.insert(0, typst.band(axis, total.lower, total.upper, _WIDTH, height))
        drawn.append(
            typst.vertical(axis, total.value, _WIDTH, height, f'.9pt + rgb("{typst.INK}")')
        )
    return drawn


def _row_typst(chart: DotChart, level: Level, label: str, *, everyone: bool = False) -> str:
    axis, drawn = chart.axis, _ground_typst(chart, _HEIGHT)
    colour, middle = typst.INK if everyone else typst.GROUP, _HEIGHT / 2
    if level.status is Status.WITHHELD:
        drawn.append(typst.hatch(_WIDTH, _HEIGHT))
    elif level.value is not None:
        if level.lower is not None and level.upper is not None:
            drawn.append(
                typst.interval(axis, level.lower, level.upper, _WIDTH, middle, colour, level.status)
            )
        drawn.append(typst.dot(axis, level.value, _WIDTH, middle, colour, level.status))
    value, limits = level_text(level, chart.decimals, chart.suffix)
    flag = " (u)" if level.status is Status.CAUTION else ""
    weight = "bold" if everyone else "regular"
    number = (
        f"[#strong({typst.literal(value)}) {typst.literal(limits + flag, hashed=True)}]"
        if level.value is not None
        else f"[{typst.literal(value, hashed=True)}]"
    )
    return (
        f'[#pad(y: .5mm, right: 1mm, text(weight: "{weight}", {typst.literal(label)}))], '
        f"[{typst.picture(_WIDTH, _HEIGHT, drawn)}], {number}"
    )


def chart_typst(chart: DotChart) -> str:
    """Return the chart as a Typst table of 44, 72 and 44 mm."""
    measure = typst.literal(f"{chart.measure} and 95% interval", hashed=True)
    ticks = typst.picture(_WIDTH, 5, typst.tick_labels(chart.axis, _WIDTH, 5))
    between = typst.picture(_WIDTH, 5, _ground_typst(chart, 5))
    rows = []
    if chart.everyone:
        rows.append(_row_typst(chart, chart.everyone, chart.everyone_label, everyone=True))
    for family in chart.families:
        rows.append(f"[#strong({typst.literal(family.name)})], [{between}], []")
        rows += [_row_typst(chart, level, level.label) for level in family.rows]
    return typst_table(
        "44mm, 72mm, 44mm",
        ("[Group]", f"[{ticks}]", f"[{measure}]"),
        rows,
    )


def typst_table(columns: str, head: Iterable[str], rows: Iterable[str]) -> str:
    """Return a borderless Typst table whose head repeats."""
    return (
        "#[#set text(size: 8.5pt)\n#set par(justify: false, leading: .45em)\n"
        f"#table(columns: ({columns}), stroke: none, inset: (x: 0mm, y: 0mm), "
        "column-gutter: 0mm, align: (left + horizon, left + horizon, left + horizon, "
        "left + horizon), "
        f"table.header({', '.join(head)}),\n" + ",\n".join(rows) + ")]\n"
    )
