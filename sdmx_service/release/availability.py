"""What a query finds, or could still find, told from the index of an image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sdmx_service.query.availability import Availability, asked_dimensions, covered, without
from sdmx_service.query.availability_query import AvailabilityQuery, Mode
from sdmx_service.release.image import Image
from sdmx_service.release.mapped import Array
from sdmx_service.release.reading import Found, found
from sdmx_service.structures.artefacts import Dataflow

__all__ = ["available"]


def available(image: Image, flow: Dataflow, query: AvailabilityQuery) -> Availability:
    """Return what ``query.availability.available`` says of the rows that the flow admits."""
    structure = image.structure
    names = asked_dimensions(structure, query)
    exact = _Part.of(found(image, query.data, flow.admits))
    values = {}
    for name in names:
        part = exact
        if query.mode is Mode.AVAILABLE:
            freed = without(query.data, structure, name)
            if freed != query.data:
                part = _Part.of(found(image, freed, flow.admits))
        values[name] = part.values(name)
    times = exact.values(structure.time.id) if structure.timed else ()
    return Availability(
        values=values,
        series=exact.series,
        observations=exact.observations,
        span=covered(times, query.data.year_start),
    )


class _Part:
    """The series that have an observation left, and the periods these are of."""

    def __init__(self, left: Found, codes: Mapping[int, Array], times: Array, observations: int):
        self._left, self._codes, self._times = left, codes, times
        self.observations = observations

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(next(iter(self._codes.values())))

    @classmethod
    def of(cls, left: Found) -> _Part:
        """Look at the series; at rows only where something else than time is asked of them."""
        image = left.image
        time = image.structure.time.id if image.structure.timed else None
        table = image.series
        bits = table.periods[left.series] if table.periods.size else None
        by_series = bits is not None or time is None
        if by_series and not left.numbers and set(left.codes) <= {time}:
            chosen = left.series
            counts = None
            if bits is not None and time is not None and time in left.codes:
                bits = bits & _bits(left.codes[time], bits.shape[1])
                counts = np.bitwise_count(bits).sum(axis=1)
                kept = np.flatnonzero(counts)
                chosen = kept + chosen.start if isinstance(chosen, slice) else chosen[kept]
            starts, stops = left.ranges
            observations = int((stops - starts).sum()) if counts is None else int(counts.sum())
            times = np.empty(0, dtype="<i8") if bits is None else _periods(bits)
        else:
            rows = left.rows().array()
            chosen = np.unique(left.series_of(rows))
            observations = len(rows)
            times = np.empty(0, dtype="<i8") if time is None else _seen(image, time, rows)
        codes = {place: column[chosen] for place, column in enumerate(table.codes)}
        return cls(left, codes, times, observations)

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values there are of a dimension, in the order of its column."""
        structure = self._left.image.structure
        column = self._left.image.coded(name)
        assert column is not None  # dimensions are coded, or texts by their place
        if structure.timed and name == structure.time.id:
            places = self._times
        else:
            number = [dimension.id for dimension in structure.dimensions].index(name)
            table = self._left.image.series
            if self.series == len(table):
                places = table.present[number]  # all there are
            else:
                seen = np.zeros(column.size + 1, dtype=bool)
                seen[self._codes[number]] = True
                places = np.flatnonzero(seen)
        return tuple(column.dictionary[int(place)] for place in places if place < column.size)


def _bits(good: Array, words: int) -> Array:
    padded = np.zeros(words * 64, dtype=bool)
    padded[: len(good) - 1] = good[:-1]
    return np.packbits(padded, bitorder="little").view("<u8")


def _periods(bits: Array) -> Array:
    seen = np.bitwise_or.reduce(bits, axis=0)
    return np.flatnonzero(np.unpackbits(seen.view("u1"), bitorder="little"))


def _seen(image: Image, name: str, rows: Array) -> Array:
    return np.unique(image.columns[name].values[rows])
