"""The marks of a chart as SVG: places in percent, sizes in pixels, so text never scales."""

from __future__ import annotations

from sdmx_service.publication.axis import Axis
from sdmx_service.publication.levels import Status
from sdmx_service.publication.numerals import plain, signed

__all__ = [
    "HATCH_PATTERN",
    "ICONS",
    "band",
    "bar_with_tick",
    "diamond",
    "dot",
    "grid",
    "hatch",
    "interval",
    "picture",
    "tick_labels",
    "vertical",
]

_DIAMOND = "M0-6.5 6.5 0 0 6.5-6.5 0Z"
_SMALL_DIAMOND = "M0-5 5 0 0 5-5 0Z"

HATCH_PATTERN = (
    '<svg width="0" height="0" style="position:absolute" aria-hidden="true" focusable="false">'
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="7" class="hl"></line>'
    "</pattern></defs></svg>"
)

ICONS = {
    "group": '<svg class="ic g" viewBox="0 0 12 12" aria-hidden="true">'
    '<circle cx="6" cy="6" r="5" fill="currentColor"></circle></svg>',
    "reference": '<svg class="ic r" viewBox="0 0 12 12" aria-hidden="true">'
    '<path d="M6 .8 11.2 6 6 11.2.8 6Z" fill="none" stroke="currentColor" '
    'stroke-width="1.8"></path></svg>',
    Status.CAUTION: '<svg class="ic" viewBox="0 0 12 12" aria-hidden="true">'
    '<circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.6"></circle>'
    '<path d="M6 1.4A4.6 4.6 0 0 0 6 10.6Z" fill="currentColor"></path></svg>',
    Status.WITHHELD: '<svg class="ic" viewBox="0 0 12 12" aria-hidden="true">'
    '<rect x="1" y="1" width="10" height="10" fill="none" stroke="currentColor" '
    'stroke-width="1.2"></rect><path d="M1 7 7 1M1 11 11 1M5 11 11 5" stroke="currentColor" '
    'stroke-width="1"></path></svg>',
}


def _percent(axis: Axis, value: float) -> str:
    return f"{100 * axis.place(value):.2f}%"


def _at(axis: Axis, value: float, y: str, content: str) -> str:
    """Return content drawn in pixels around a place given in percent."""
    return (
        f'<svg x="{_percent(axis, value)}" y="{y}" width="1" height="1" overflow="visible">'
        f"{content}</svg>"
    )


def picture(content: str) -> str:
    """Return the picture of a row; assistive technology skips it: the row says it all."""
    return f'<svg aria-hidden="true" focusable="false">{content}</svg>'


def vertical(axis: Axis, value: float, cls: str) -> str:
    """Return a vertical line over the whole row."""
    x = _percent(axis, value)
    return f'<line x1="{x}" x2="{x}" y1="0" y2="100%" class="{cls}"></line>'


def grid(axis: Axis) -> str:
    """Return the grid at the ticks."""
    return "".join(vertical(axis, tick, "gl") for tick in axis.ticks)


def tick_labels(axis: Axis, *, sign: bool = False, dy: int = -5) -> str:
    """Return the tick labels; those at the edges turn inward."""
    write = signed if sign else plain
    decimals = 0 if all(float(t).is_integer() for t in axis.ticks) else 1
    if decimals and any(round(10 * t, 6) % 1 for t in axis.ticks):
        decimals = 2
    labels = []
    for tick in axis.ticks:
        place = axis.place(tick)
        anchor = "start" if place < 0.02 else "end" if place > 0.98 else "middle"
        labels.append(
            f'<text x="{100 * place:.2f}%" y="100%" dy="{dy}" text-anchor="{anchor}" class="tk">'
            f"{write(tick, decimals)}</text>"
        )
    return "".join(labels)


def band(axis: Axis, start: float, end: float, *, y: str = "0", height: str = "100%") -> str:
    """Return a pale block between two values."""
    low, high = sorted((start, end))
    width = 100 * (axis.place(high) - axis.place(low))
    return (
        f'<rect x="{_percent(axis, low)}" y="{y}" width="{width:.2f}%" height="{height}" '
        'class="band"></rect>'
    )


def interval(axis: Axis, lower: float, upper: float, role: str, status: Status, y: str) -> str:
    """Return the line of a 95% interval; dotted where the status says caution."""
    dotted = " u" if status is Status.CAUTION else ""
    return (
        f'<line x1="{_percent(axis, lower)}" x2="{_percent(axis, upper)}" y1="{y}" y2="{y}" '
        f'class="ci {role}{dotted}"></line>'
    )


def dot(axis: Axis, value: float, role: str, status: Status, y: str) -> str:
    """Return the filled circle of an estimate; half filled where the status says caution."""
    x = _percent(axis, value)
    if status is Status.CAUTION:
        half = f'<path d="M0-5A5 5 0 0 0 0 5Z" class="pt half {role}"></path>'
        return f'<circle cx="{x}" cy="{y}" r="5" class="pt u {role}"></circle>' + _at(
            axis, value, y, half
        )
    return f'<circle cx="{x}" cy="{y}" r="5.5" class="pt {role}"></circle>'


def diamond(axis: Axis, value: float, role: str, status: Status, y: str) -> str:
    """Return the open diamond of a reference; half filled where the status says caution."""
    half = (
        f'<path d="M0-6.5-6.5 0 0 6.5Z" class="pt half {role}"></path>'
        if status is Status.CAUTION
        else ""
    )
    return _at(axis, value, y, f'<path d="{_DIAMOND}" class="pt open {role}"></path>{half}')


def bar_with_tick(
    axis: Axis, value: float, lower: float, upper: float, role: str, status: Status
) -> str:
    """Return the compact mark: a tick for the estimate on a bar for the interval."""
    dotted = " u" if status is Status.CAUTION else ""
    bar = (
        f'<line x1="{_percent(axis, lower)}" x2="{_percent(axis, upper)}" y1="50%" y2="50%" '
        f'class="cib {role}{dotted}"></line>'
    )
    tick = f'<line x1="0" x2="0" y1="-8" y2="8" class="tki {role}"></line>'
    return bar + _at(axis, value, "50%", tick)


def hatch(lane: int | None = None) -> str:
    """Return the strip of a withheld value: it may be anywhere on the axis.

    ``lane`` is the middle of the strip in percent, where a row has two lanes.
    """
    top, height = (30, 40) if lane is None else (lane - 9, 18)
    return f'<rect x="0" y="{top}%" width="100%" height="{height}%" fill="url(#hatch)"></rect>'
