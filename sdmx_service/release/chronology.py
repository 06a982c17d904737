"""The order of time inside the series of an image, whose rows lie in the order of their texts."""

from __future__ import annotations

import numpy as np

from sdmx_service.query.period import chronological
from sdmx_service.release.image import Image
from sdmx_service.release.mapped import Array
from sdmx_service.release.rows import Rows

__all__ = ["ends", "lie_in_time"]

_ROWS = 1 << 20


def lie_in_time(image: Image, rows: Rows) -> bool:
    """Return whether rows, which are in the order of the table, are in that of time too.

    Within a series, that is. Periods of one frequency are; but ``2020-10`` stands before
    ``2020-Q1`` among texts, which matters where a series has both.
    """
    places = _places(image)
    if places is None or np.all(np.diff(places[:-1]) > 0):
        return True
    values = image.columns[image.structure.time.id].values
    before = np.empty(0, dtype="<i8")
    for part in rows.parts(_ROWS):
        numbers = np.arange(part.start, part.stop) if isinstance(part, slice) else part
        numbers = np.concatenate([before, numbers])
        back = np.flatnonzero(np.diff(places[values[numbers]]) < 0)
        series = [
            image.series.starts.searchsorted(numbers[back + step], "right") for step in (0, 1)
        ]
        if np.any(series[0] == series[1]):
            return False
        before = numbers[-1:]
    return True


def ends(image: Image, rows: Array, first: int | None, last: int | None) -> Array:
    """Return of each series among ``rows`` the first and the last by time, in the order given."""
    places = _places(image)
    times = rows
    if places is not None:
        times = places[image.columns[image.structure.time.id].values[rows]]
    series = image.series.starts.searchsorted(rows, "right")
    in_time = np.lexsort((times, series))
    _, begins, counts = np.unique(series[in_time], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(begins, counts)
    kept = np.zeros(len(rows), dtype=bool)
    if first is not None:
        kept |= place < first
    if last is not None:
        kept |= place >= np.repeat(counts, counts) - last
    found: Array = rows[np.sort(in_time[kept])]
    return found


def _places(image: Image) -> Array | None:
    """Return of each code of time its place in time, no period first; None without time."""
    if not image.structure.timed:
        return None
    column = image.coded(image.structure.time.id)
    assert column is not None  # periods are texts
    places = np.full(column.size + 1, -1, dtype="<i4")
    for place, text in enumerate(chronological(column.dictionary)):
        places[column.place[text]] = place
    return places
