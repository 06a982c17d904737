"""One series as SDMX-CSV, learnt from the writer of the format."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from sdmx_service.release.image import Image
from sdmx_service.structures.artefacts import Role
from sdmx_service.web.small import Field, Write, field, probe, rows

__all__ = ["small_csv"]

_FIELD = re.compile(rb'((?:"(?:[^"]|"")*"|[^",\r\n])*)(,|\r\n)')
_ORDER = (Role.DIMENSION, Role.TIME, Role.MEASURE, Role.ATTRIBUTE)


def small_csv(
    image: Image, names: tuple[str, ...], write: Callable[[pl.DataFrame], bytes]
) -> Write | None:
    """Return what writes one series of these columns; ``write`` writes a frame of them."""
    shown = probe(image, names)
    if shown is None:
        return None
    frame, shows = shown
    head, *lines = _lines(write(frame))
    by_role = [n for role in _ORDER for n in names if image.structure.by_id[n].role is role]
    if len(lines) != frame.height:
        return None
    lead = len(head) - len(by_role)
    if lead > 3:
        return None  # names or keys in columns of their own
    steady = {d.id for d in image.structure.dimensions} | image.steady
    fields: list[Field] = []
    for place, name in enumerate(by_role, lead):
        made = field(image.columns[name], [lines[row][place] for row in shows[name]])
        if made is None:
            return None
        fields.append(made)
    never = {place: name in steady for place, name in enumerate(by_role)}
    start = b",".join(lines[0][:lead]) + b","
    begin, between = b",".join(head) + b"\r\n" + start, b"\r\n" + start

    def written(first: int, last: int) -> bytes:
        return begin + between.join(rows(fields, never, b",", first, last)) + b"\r\n"

    return written


def _lines(text: bytes) -> list[list[bytes]]:
    lines: list[list[bytes]] = [[]]
    for content, end in _FIELD.findall(text):
        lines[-1].append(content)
        if end == b"\r\n":
            lines.append([])
    return lines[:-1]
