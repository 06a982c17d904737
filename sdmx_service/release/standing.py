"""Since when a dataflow says what it says now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import zip_longest
from weakref import WeakKeyDictionary

import polars as pl

from sdmx_service.errors import ReleaseError
from sdmx_service.query.query import DataQuery
from sdmx_service.release.answer import Answer
from sdmx_service.release.archive import Archive
from sdmx_service.release.reading import chosen
from sdmx_service.release.release import Release
from sdmx_service.structures.artefacts import Dataflow

__all__ = ["standing_since"]

_ROWS = 100_000
_INSTANT = timedelta(microseconds=1)
_LOOKING = threading.Lock()
_FOUND: WeakKeyDictionary[Release, dict[tuple[object, ...], Release]] = WeakKeyDictionary()


def standing_since(archive: Archive, current: Release, answer: Answer) -> Release:
    """Return the first of the releases that say of an answer's dataflow what ``current`` says.

    These follow each other up to ``current`` with the same structures and the same rows. Rows are
    compared, piece by piece, only where tables differ, so that a revision of one dataflow leaves
    the others as they are.
    """
    flow, agreement = answer.flow, answer.agreement
    place = (flow.agency, flow.id, flow.version, agreement and agreement.identity)
    with _LOOKING:  # many ask at once when a release opens: one looks
        found = _FOUND.setdefault(current, {})
        if place not in found:
            found[place] = _first(archive, current, flow)
        return found[place]


def _first(archive: Archive, current: Release, flow: Dataflow) -> Release:
    since = current
    # A release that cannot be read is not known to have said the same.
    with suppress(ReleaseError):
        while (before := archive.release_at(current, since.published - _INSTANT)) is not None:
            if not (_same_structures(before, since) and _same_rows(before, since, flow)):
                break
            since = before
    return since


def _same_structures(one: Release, other: Release) -> bool:
    return _structures(one) == _structures(other)


def _structures(release: Release) -> dict[str, str]:
    files = release.manifest.files
    return {name: files[name].sha256 for name in files if name.startswith("structures/")}


def _same_rows(one: Release, other: Release, flow: Dataflow) -> bool:
    structure_id = flow.structure.id
    if structure_id not in one.manifest.rows or structure_id not in other.manifest.rows:
        return (structure_id in one.manifest.rows) is (structure_id in other.manifest.rows)
    if one.content_of(structure_id) == other.content_of(structure_id):
        return True
    pieces = zip_longest(_pieces(one, flow), _pieces(other, flow))
    return all(
        left is not None and right is not None and left.equals(right) for left, right in pieces
    )


def _pieces(release: Release, flow: Dataflow) -> Iterator[pl.DataFrame]:
    """Yield the rows of a flow in the order of the key, as texts and numbers."""
    rows = chosen(release.image(flow.structure.id), flow, DataQuery())
    for piece in rows.chunks(_ROWS):
        yield piece.with_columns(pl.col(pl.Enum).cast(pl.String))
