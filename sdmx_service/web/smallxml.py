"""One series as structure-specific SDMX-ML, learnt from the writer of the format."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from sdmx_service.release.image import Image
from sdmx_service.web.small import Field, Write, field, probe, rows

__all__ = ["small_xml"]

_ELEMENT = re.compile(rb"<(Series|Obs)((?: [^\s=<>]+=\"[^\"<>]*\")*)(/?>)")
_ATTRIBUTE = re.compile(rb" ([^\s=]+)=\"[^\"]*\"")


def small_xml(
    image: Image, names: tuple[str, ...], write: Callable[[pl.DataFrame], bytes]
) -> Write | None:
    """Return what writes one series of these columns; ``write`` writes a frame of them."""
    shown = probe(image, names)
    if shown is None:
        return None
    frame, shows = shown
    text = write(frame)
    start, end = text.find(b"<Series "), text.rfind(b"</Series>")
    if start < 0 or end < 0:
        return None
    above: dict[bytes, bytes] = {}
    series: list[dict[bytes, bytes]] = []
    observations: list[dict[bytes, bytes]] = []
    for element, attributes, _ in _ELEMENT.findall(text):
        found = {one[1]: one[0] for one in _ATTRIBUTE.finditer(attributes)}
        if element == b"Series":
            above = found
        else:
            series.append(above)
            observations.append(found)
    if len(observations) != frame.height:
        return None
    upper = {name for one in series for name in one}
    fields: tuple[list[Field], list[Field]] = ([], [])
    for name in names:
        tag = name.encode()
        lines = series if tag in upper else observations
        made = field(image.columns[name], [lines[row].get(tag, b"") for row in shows[name]])
        if made is None:
            return None
        fields[lines is observations].append(made)
    head, tail = text[:start], text[end:]
    once = dict.fromkeys(range(len(fields[0])), True)
    each = dict.fromkeys(range(len(fields[1])), False)

    def written(first: int, last: int) -> bytes:
        (opened,) = rows(fields[0], once, b"", first, first + 1)
        observed = rows(fields[1], each, b"", first, last)
        body = b"/><Obs".join(observed)
        return b"".join((head, b"<Series", opened, b"><Obs", body, b"/>", tail))

    return written
