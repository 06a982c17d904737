"""All releases under one folder, in the order of their publication: history, vintages, deltas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import polars as pl

from sdmx_service.query.query import DataQuery
from sdmx_service.query.selection import asked_columns
from sdmx_service.release.answer import Answer, Change, cut
from sdmx_service.release.manifest import FILE_NAME, Manifest, content_of
from sdmx_service.release.release import Release, open_release

__all__ = ["Archive"]

_OPEN_RELEASES = 8


class Archive:
    """The releases up to the current one; each is opened when a query first needs it.

    A release is what a receiver can have seen, so its publication is the moment of change: an
    observation changed when a release says other than the one before.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changed: dict[tuple[str, str], datetime] = {}
        self._opened: Callable[[str], Release] = lru_cache(maxsize=_OPEN_RELEASES)(
            lambda release_id: open_release(root, release_id)
        )

    def answer(self, current: Release, query: DataQuery) -> tuple[Answer, ...]:
        """Return the answer of ``current``, or of what stood when the query says.

        With ``as_of`` the release is the one current at that time. With ``updated_after`` there
        are a deletion and a replacement that make an exact replica of what stood then one of what
        stands now (SDMX-CSV 2.1, "recommended dataset actions"). With ``include_history`` there
        are both for every release. Raises what ``Release.answer`` raises.
        """
        whole = replace(query, offset=0, limit=None)
        answers = self._answers(current, whole)
        return cut(answers, query.offset, query.limit)

    def release_at(self, current: Release, moment: datetime) -> Release | None:
        """Return the release that was current at a moment, or None before the first."""
        known = [one for one in self._known(current) if one.published_at <= moment]
        return self._open(known[-1], current) if known else None

    def changed(self, current: Release, structure_id: str) -> datetime:
        """Return since when a data structure's table and the structures are what they are now."""
        place = (current.id, structure_id)
        if place not in self._changed:
            now, since = current.content_of(structure_id), current.published
            for manifest in reversed(self._known(current)):
                if content_of(manifest, structure_id) != now:
                    break
                since = manifest.published_at
            self._changed[place] = since
        return self._changed[place]

    def _answers(self, current: Release, query: DataQuery) -> tuple[Answer, ...]:
        vintages = [
            one
            for one in self._known(current)
            if query.as_of is None or one.published_at <= query.as_of
        ]
        if not vintages:
            return ()
        after = query.updated_after
        if after is None and not query.include_history:
            return self._open(vintages[-1], current).answer(query)
        since = [one for one in vintages if after is None or one.published_at > after]
        before: Sequence[Manifest | None] = vintages[: -len(since)][-1:] if since else []
        if not query.include_history:
            since = since[-1:]
        steps: Sequence[Manifest | None] = [*(before or [None]), *since]
        # What changed is seen on whole rows; what is shown of it is another question.
        whole = replace(query, attributes=None, measures=None, series_only=False)
        found: list[Answer] = []
        for earlier, later in pairwise(steps):
            assert later is not None  # only the first step may be nothing
            old = () if earlier is None else self._open(earlier, current).answer(whole)
            new = self._open(later, current).answer(whole)
            found += [shown(one, query, new) for one in changes(old, new, later.published_at)]
        return tuple(one for one in found if one.height)

    def _known(self, current: Release) -> list[Manifest]:
        found = [
            current.manifest if path.parent.name == current.id else Manifest.read(path.parent)
            for path in self._root.glob(f"*/{FILE_NAME}")
            if not path.parent.name.startswith(".")
        ]
        upto = [one for one in found if one.published_at <= current.published]
        return sorted(upto, key=lambda one: (one.published_at, one.id == current.id, one.id))

    def _open(self, manifest: Manifest, current: Release) -> Release:
        return current if manifest.id == current.id else self._opened(manifest.id)


def changes(
    old: tuple[Answer, ...], new: tuple[Answer, ...], published: datetime
) -> tuple[Answer, ...]:
    """Return what is to be deleted and what replaced to make ``old`` into ``new``.

    Rows are the same if every column is; a row that lost a column it had is another row.
    """
    earlier = {_subject(answer): answer for answer in old}
    later = {_subject(answer): answer for answer in new}
    found: list[Answer] = []
    for subject in {**earlier, **later}:
        before, now = earlier.get(subject), later.get(subject)
        either = now or before
        assert either is not None  # the subject is that of one of them
        key = [one.id for one in either.flow.structure.key if one.id in either.rows.columns]
        was = None if before is None else before.frame
        stands = None if now is None else now.frame
        if before is not None and was is not None:
            gone = was if stands is None else _missing(was, stands, key)
            if gone.height:
                found.append(
                    replace(before, rows=gone.select(key), change=Change.DELETE, valid_to=published)
                )
        if now is not None and stands is not None:
            fresh = stands if was is None else _missing(stands, was, stands.columns)
            if fresh.height:
                found.append(replace(now, rows=fresh, change=Change.REPLACE, valid_from=published))
    return tuple(found)


def shown(change: Answer, query: DataQuery, now: tuple[Answer, ...]) -> Answer:
    """Return what a query shows of changed rows: its columns, one row a series if it wants these.

    Of series alone a deletion is that of the whole series, so only those are shown of which
    nothing is left in ``now``.
    """
    structure = change.flow.structure
    kept = [name for name in asked_columns(structure, query) if name in change.rows.columns]
    rows = change.frame
    if query.series_only:
        series = [dimension.id for dimension in structure.dimensions]
        rows = rows.unique(subset=series, keep="first", maintain_order=True)
        if change.change is Change.DELETE:
            for left in now:
                if _subject(left) == _subject(change):
                    rows = _missing(rows, left.frame, series)
    return replace(change, rows=rows.select(kept))


def _subject(answer: Answer) -> tuple[str, ...]:
    named = answer.agreement or answer.flow
    return answer.context.value, named.agency, named.id, named.version


def _missing(rows: pl.DataFrame, among: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Return the rows that the other table does not have, compared on these columns."""
    absent = [name for name in on if name not in among.columns]
    if absent:
        return rows
    # Two releases may list other codes of one dimension: their texts are compared.
    place = "\x00row"
    left = rows.select(_comparable(on)).with_row_index(place)
    kept = left.join(
        among.select(_comparable(on)).unique(), on=on, how="anti", nulls_equal=True
    ).get_column(place)
    return rows[kept.sort().to_list()] if kept.len() < rows.height else rows


def _comparable(names: list[str]) -> list[pl.Expr]:
    return [pl.col(names).cast(pl.String)] if names else []
