"""All releases under one folder, in the order of their publication: history, vintages, deltas."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from sdmx_service.query.query import DataQuery
from sdmx_service.query.selection import fitted
from sdmx_service.release.answer import Answer, cut
from sdmx_service.release.changes import changes, shown
from sdmx_service.release.manifest import FILE_NAME, Manifest, content_of
from sdmx_service.release.release import Release, open_release
from sdmx_service.release.subject import subjects_of
from sdmx_service.release.turns import big_work

__all__ = ["Archive"]

_OPEN_RELEASES = 8


class Archive:
    """The releases up to the current one; each is opened when a query first needs it.

    A release is what a receiver can have seen, so its publication is the moment of change: an
    observation changed when a release says other than the one before.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._opened: OrderedDict[str, Release] = OrderedDict()
        self._manifests: dict[Path, tuple[int, Manifest]] = {}

    def keep(self, release: Release) -> None:
        """Keep a release that is open: it is asked for again when the next one is current."""
        with self._lock:
            self._opened[release.id] = release
            self._opened.move_to_end(release.id)
            while len(self._opened) > _OPEN_RELEASES:
                self._opened.popitem(last=False)

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

    def _answers(self, current: Release, query: DataQuery) -> tuple[Answer, ...]:
        if not (query.as_of or query.updated_after or query.include_history):
            return current.answer(query)
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
        # What changed is seen on whole rows and series; what is shown of it is another question.
        whole = replace(
            query, attributes=None, measures=None, series_only=False, first=None, last=None
        )
        found: list[Answer] = []
        for earlier, later in pairwise(steps):
            assert later is not None  # only the first step may be nothing
            old = () if earlier is None else self._open(earlier, current).answer(whole)
            release = self._open(later, current)
            new = release.answer(whole)
            asked = subjects_of(release.structures, query.target)
            structures = [one.flow.structure for one in asked]
            if earlier is not None:
                old, new = _without_the_same(old, new, earlier, later)
            with big_work.turn(sum(one.height for one in (*old, *new))):
                found += [
                    shown(one, fitted(one.flow.structure, query, structures), new)
                    for one in changes(old, new, later.published_at)
                ]
        return tuple(one for one in found if one.height)

    def _known(self, current: Release) -> list[Manifest]:
        found = [current.manifest]
        for path in self._root.glob(f"[!.]*/{FILE_NAME}"):
            if path.parent.name != current.id:
                found.append(self._manifest(path))
        upto = [one for one in found if one.published_at <= current.published]
        return sorted(upto, key=lambda one: (one.published_at, one.id == current.id, one.id))

    def _manifest(self, path: Path) -> Manifest:
        """Return a manifest, read again only if it is another file: most never change."""
        stamp = path.stat().st_mtime_ns
        read = self._manifests.get(path)
        if read is None or read[0] != stamp:
            read = self._manifests[path] = (stamp, Manifest.read(path.parent))
        return read[1]

    def _open(self, manifest: Manifest, current: Release) -> Release:
        if manifest.id == current.id:
            return current
        if (known := self._opened.get(manifest.id)) is None:
            with self._opening:  # many may ask for it at once: it is opened once
                known = self._opened.get(manifest.id) or open_release(self._root, manifest.id)
                self.keep(known)
        return known


def _without_the_same(
    old: tuple[Answer, ...], new: tuple[Answer, ...], earlier: Manifest, later: Manifest
) -> tuple[tuple[Answer, ...], tuple[Answer, ...]]:
    """Leave out the tables that two releases have alike, with the same structures."""
    alike = {
        structure_id
        for structure_id in earlier.rows.keys() & later.rows.keys()
        if content_of(earlier, structure_id) == content_of(later, structure_id)
    }
    return (
        tuple(one for one in old if one.flow.structure.id not in alike),
        tuple(one for one in new if one.flow.structure.id not in alike),
    )
