"""What a data set says, wherever in a message it says so."""

from __future__ import annotations

from typing import Any

from sdmx_service.formats import DataSet
from tests.unit.data_messages import statements

__all__ = ["said"]

_Statement = tuple[tuple[tuple[str, Any], ...], str | None, Any]


def said(dataset: DataSet) -> set[_Statement]:
    """Return what a data set says of each observation; numbers bit by bit.

    An attribute of the data set, a group or a series is said of each observation below it, and
    of that part of the key where there is none. The name is None for the observation itself.
    """
    keys = [one.id for one in dataset.structure.key]
    stated = list(statements(dataset))
    full = [dict(place) for place, name, _ in stated if name is None]
    found: set[_Statement] = set()
    for place, name, value in stated:
        part = dict(place)
        covered = [part]
        if len(part) < len(keys):
            covered = [one for one in full if part.items() <= one.items()] or covered
        found |= {(tuple((key, one.get(key)) for key in keys), name, value) for one in covered}
    return found
