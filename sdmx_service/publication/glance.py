"""The overview: one row an indicator, each on the whole scale it can take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from sdmx_service.publication import marks, typst
from sdmx_service.publication.axis import full_axis
from sdmx_service.publication.dotchart import level_html, level_text, typst_table
from sdmx_service.publication.edition import Indicator
from sdmx_service.publication.levels import Level, Status
from sdmx_service.publication.numerals import plain

__all__ = ["Glance", "GlanceRow", "glance_html", "glance_typst"]

_WIDTH, _HEIGHT = 46.0, 8.0


@dataclass(frozen=True, slots=True)
class GlanceRow:
    """An indicator with its level and the count of its clear gaps among those compared."""

    indicator: Indicator
    level: Level | None
    clear: int
    compared: int

    @property
    def counted(self) -> str:
        """The count as printed."""
        return f"{self.clear} of {self.compared}" if self.compared else "none compared"


@dataclass(frozen=True, slots=True)
class Glance:
    """Domains in framework order, each with its indicators; an empty one has no data."""

    caption: str
    domains: tuple[tuple[str, tuple[GlanceRow, ...]], ...]

    @property
    def rows(self) -> tuple[GlanceRow, ...]:
        """All rows from top to bottom."""
        return tuple(row for _, rows in self.domains for row in rows)


def _whole(row: GlanceRow) -> str:
    scale = row.indicator.scale
    words = row.indicator.direction_words
    if scale is None:
        return f"{row.indicator.measure}; {words}"
    low, high = (plain(limit, 0 if float(limit).is_integer() else 1) for limit in scale)
    unit = row.indicator.suffix or (f" {row.indicator.measure}" if row.indicator.unit_label else "")
    return f"{low} to {high}{unit}; {words}"


def _picture_html(row: GlanceRow) -> str:
    level, scale = row.level, row.indicator.scale
    if scale is None or level is None:
        return ""
    axis = full_axis(*scale)
    drawn = '<line x1="0" x2="100%" y1="50%" y2="50%" class="gl"></line>' + "".join(
        marks.vertical(axis, tick, "gl") for tick in axis.ticks
    )
    if level.status is Status.WITHHELD:
        drawn += marks.hatch()
    elif level.value is not None and level.lower is not None and level.upper is not None:
        drawn += marks.bar_with_tick(axis, level.value, level.lower, level.upper, "g", level.status)
    return marks.picture(
        f'<svg x="0" y="25%" width="100%" height="50%" overflow="visible">{drawn}</svg>'
    )


def glance_html(glance: Glance) -> str:
    """Return the overview as an HTML table."""
    bodies = []
    for domain, rows in glance.domains:
        lines = []
        for place, row in enumerate(rows):
            head = (
                f'<th role="rowheader" scope="rowgroup" rowspan="{len(rows)}" class="domh">'
                f"{escape(domain)}</th>"
                if place == 0
                else ""
            )
            value = level_html(row.level, row.indicator.decimals, row.indicator.suffix)
            lines.append(
                f'<tr role="row">{head}<th role="rowheader" scope="row" class="lab">'
                f'<a href="#{row.indicator.id}">{escape(row.indicator.name)}</a>'
                f'<span class="dom">{escape(_whole(row))}</span></th>'
                f'<td role="cell" class="pic">{_picture_html(row)}</td>'
                f'<td role="cell" class="val">{value}</td>'
                f'<td role="cell" class="more"><span class="nt">Clear gaps: </span>{row.counted}'
                "</td></tr>"
            )
        if not rows:
            lines.append(
                f'<tr role="row" class="none"><th role="rowheader" scope="row" class="domh">'
                f'{escape(domain)}</th><td role="cell" colspan="4" class="gone">'
                "No data in this release</td></tr>"
            )
        bodies.append(f'<tbody role="rowgroup">{"".join(lines)}</tbody>')
    return (
        f'<table class="plot glance" role="table"><caption class="vh">{escape(glance.caption)}'
        '</caption><colgroup><col style="width:17%"><col style="width:33%"><col style="width:18%">'
        '<col style="width:21%"><col style="width:11%"></colgroup><thead role="rowgroup">'
        '<tr role="row"><th role="columnheader" scope="col">Domain</th>'
        '<th role="columnheader" scope="col">Indicator</th><th role="columnheader" scope="col" '
        'class="pic"><span class="ends"><span>lowest</span><span>highest possible</span></span>'
        '</th><th role="columnheader" scope="col">Estimate and 95% interval</th>'
        '<th role="columnheader" scope="col">Clear gaps</th></tr></thead>'
        f"{''.join(bodies)}</table>"
    )


def _row_typst(row: GlanceRow) -> str:
    level, scale, drawn = row.level, row.indicator.scale, []
    if scale is not None and level is not None:
        axis = full_axis(*scale)
        drawn = typst.grid(axis, _WIDTH, _HEIGHT)
        if level.status is Status.WITHHELD:
            drawn.append(typst.hatch(_WIDTH, _HEIGHT))
        elif level.value is not None and level.lower is not None and level.upper is not None:
            y = _HEIGHT / 2
            drawn.append(
                typst.interval(axis, level.lower, level.upper, _WIDTH, y, typst.GROUP, level.status)
            )
            drawn.append(typst.dot(axis, level.value, _WIDTH, y, typst.GROUP, level.status))
    value, limits = level_text(level, row.indicator.decimals, row.indicator.suffix)
    flag = " (u)" if level and level.status is Status.CAUTION else ""
    return (
        f"[{typst.literal(row.indicator.name, hashed=True)}#linebreak()"
        f"#text(size: 7pt, {typst.literal(_whole(row))})], "
        f"[{typst.picture(_WIDTH, _HEIGHT, drawn)}], "
        f"[#strong({typst.literal(value)}) {typst.literal(limits + flag, hashed=True)}], "
        f"[{typst.literal(row.counted, hashed=True)}]"
    )


def glance_typst(glance: Glance) -> str:
    """Return the overview as a Typst table 160 mm wide."""
    rows: list[str] = []
    for domain, lines in glance.domains:
        words = "" if lines else ": no data in this release"
        rows.append(
            "table.cell(colspan: 4, inset: (top: 1.6mm, bottom: .6mm), "
            f"[#strong({typst.literal(domain)}){typst.literal(words, hashed=True)}])"
        )
        rows += [_row_typst(row) for row in lines]
    head: Iterable[str] = (
        "[Indicator]",
        "[From lowest to highest possible]",
        "[Estimate, 95% interval]",
        "[Clear gaps]",
    )
    return typst_table("56mm, 50mm, 36mm, 18mm", head, rows)
