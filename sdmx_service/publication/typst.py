"""The marks of a chart as Typst: a picture of fixed width whose marks are PDF artifacts."""

from __future__ import annotations

from sdmx_service.publication.axis import Axis
from sdmx_service.publication.levels import Status
from sdmx_service.publication.numerals import plain, signed

__all__ = [
    "AXIS",
    "GROUP",
    "INK",
    "REFERENCE",
    "band",
    "diamond",
    "dot",
    "grid",
    "hatch",
    "icon",
    "interval",
    "literal",
    "picture",
    "tick_labels",
    "verdict_mark",
    "vertical",
]

INK, GREY, AXIS, GRID, BAND = "#000000", "#3d434a", "#6b7178", "#e4e1da", "#eae7e0"
GROUP, REFERENCE = "#1e56a3", "#a35700"


def literal(text: str, *, hashed: bool = False) -> str:
    """Return the text as a Typst string, which no markup in it can escape."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    quoted = quoted.replace("{{", "{\\u{7b}")  # Quarto looks for shortcodes even in raw blocks
    return f'{"#" if hashed else ""}"{quoted}"'


def picture(width: float, height: float, marks: list[str]) -> str:
    """Return a picture, in mm; it is an artifact because its row says everything that is in it."""
    return (
        f"#pdf.artifact(box(width: {width:g}mm, height: {height:g}mm, "
        f"{{ {'; '.join(marks) or 'none'} }}))"
    )


def _place(x: float, y: float, mark: str) -> str:
    return f"place(dx: {x:.2f}mm, dy: {y:.2f}mm, {mark})"


def vertical(axis: Axis, value: float, width: float, height: float, stroke: str) -> str:
    """Return a vertical line over the whole row; ``stroke`` is a Typst stroke."""
    x = width * axis.place(value)
    return _place(x, 0, f"line(start: (0mm, 0mm), end: (0mm, {height:g}mm), stroke: {stroke})")


def grid(axis: Axis, width: float, height: float) -> list[str]:
    """Return the grid at the ticks."""
    return [vertical(axis, t, width, height, f'.4pt + rgb("{GRID}")') for t in axis.ticks]


def tick_labels(axis: Axis, width: float, height: float, *, sign: bool = False) -> list[str]:
    """Return the tick labels; those at the edges turn inward."""
    write = signed if sign else plain
    whole = all(float(t).is_integer() for t in axis.ticks)
    tenths = all(not round(10 * t, 6) % 1 for t in axis.ticks)
    decimals = 0 if whole else 1 if tenths else 2
    marks = []
    for tick in axis.ticks:
        place = axis.place(tick)
        turn = 0 if place < 0.02 else -10 if place > 0.98 else -5
        side = "left" if turn == 0 else "right" if turn == -10 else "center"
        text = f'text(size: 7.5pt, fill: rgb("{GREY}"), {literal(write(tick, decimals))})'
        marks.append(
            _place(width * place + turn, height - 3.6, f"box(width: 10mm, align({side}, {text}))")
        )
    return marks


def band(axis: Axis, start: float, end: float, width: float, height: float, y: float = 0) -> str:
    """Return a pale block between two values."""
    low, high = sorted((start, end))
    length = width * (axis.place(high) - axis.place(low))
    shape = f'rect(width: {length:.2f}mm, height: {height:g}mm, fill: rgb("{BAND}"))'
    return _place(width * axis.place(low), y, shape)


def interval(
    axis: Axis, lower: float, upper: float, width: float, y: float, colour: str, status: Status
) -> str:
    """Return the line of a 95% interval; dotted where the status says caution."""
    length = width * (axis.place(upper) - axis.place(lower))
    dash = ', dash: "dotted"' if status is Status.CAUTION else ""
    stroke = f'(paint: rgb("{colour}"), thickness: 1.6pt, cap: "round"{dash})'
    return _place(
        width * axis.place(lower),
        y,
        f"line(start: (0mm, 0mm), end: ({length:.2f}mm, 0mm), stroke: {stroke})",
    )


def dot(axis: Axis, value: float, width: float, y: float, colour: str, status: Status) -> str:
    """Return the filled circle of an estimate; half filled where the status says caution."""
    x, r = width * axis.place(value), 1.15
    if status is Status.CAUTION:
        ring = _place(
            x - r, y - r, f'circle(radius: {r}mm, fill: white, stroke: 1.1pt + rgb("{colour}"))'
        )
        disc = f'circle(radius: {r}mm, fill: rgb("{colour}"))'
        half = f"box(width: {r}mm, height: {2 * r}mm, clip: true, {disc})"
        return ring + "; " + _place(x - r, y - r, half)
    shape = f'circle(radius: {r}mm, fill: rgb("{colour}"), stroke: .6pt + white)'
    return _place(x - r, y - r, shape)


def diamond(axis: Axis, value: float, width: float, y: float, colour: str, status: Status) -> str:
    """Return the open diamond of a reference; half filled where the status says caution."""
    x, r = width * axis.place(value), 1.4
    points = f"(0mm, {r}mm), ({r}mm, 0mm), ({2 * r}mm, {r}mm), ({r}mm, {2 * r}mm)"
    shape = _place(x - r, y - r, f'polygon(fill: white, stroke: 1.2pt + rgb("{colour}"), {points})')
    if status is not Status.CAUTION:
        return shape
    half = f'polygon(fill: rgb("{colour}"), (0mm, {r}mm), ({r}mm, 0mm), ({r}mm, {2 * r}mm))'
    return shape + "; " + _place(x - r, y - r, half)


def hatch(width: float, height: float, y: float = 0) -> str:
    """Return the strip of a withheld value, in the middle of a row of this height."""
    line = f'place(line(start: (0%, 100%), end: (100%, 0%), stroke: .4pt + rgb("{AXIS}")))'
    strip = (
        f"rect(width: {width:g}mm, height: {0.4 * height:.2f}mm, "
        f"fill: tiling(size: (1.6mm, 1.6mm), {line}))"
    )
    return _place(0, y + 0.3 * height, strip)


def icon(role: str) -> str:
    """Return the small mark beside a label: ``group`` or ``reference``."""
    if role == "group":
        shape = f'circle(radius: .9mm, fill: rgb("{GROUP}"))'
    else:
        points = "(0mm, 1mm), (1mm, 0mm), (2mm, 1mm), (1mm, 2mm)"
        shape = f'polygon(stroke: 1pt + rgb("{REFERENCE}"), {points})'
    return f"#pdf.artifact(box(baseline: 0%, {shape}))#h(1mm)"


def verdict_mark(verdict: str, style: str) -> str:
    """Return the verdict in its box: solid, dashed, double rule or none, by ``style``."""
    strokes = {
        "solid": f'.8pt + rgb("{INK}")',
        "dashed": f'(paint: rgb("{AXIS}"), thickness: .8pt, dash: "dashed")',
        "rules": f'(top: .8pt + rgb("{AXIS}"), bottom: .8pt + rgb("{AXIS}"))',
        "none": "none",
    }
    radius = "1pt" if style in ("solid", "dashed") else "0pt"
    weight = '"regular"' if style == "none" else '"bold"'
    return (
        f"#box(stroke: {strokes[style]}, radius: {radius}, inset: (x: .9mm, y: .6mm), "
        f"text(size: 7.5pt, weight: {weight}, {literal(verdict)}))"
    )
