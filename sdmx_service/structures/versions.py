"""Which of an artefact's versions a request means."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["choose", "ordering"]

_NEWEST = frozenset({"+", "~", "latest"})
_EVERY = frozenset({"*", "all"})


def ordering(version: str) -> tuple[int, ...]:
    """Return what sorts versions from old to new."""
    return tuple(int(part) for part in version.split("."))


def choose(asked: Sequence[str], available: Sequence[str]) -> frozenset[str]:
    """Return the versions meant by any of the words asked.

    ``+``, ``~`` and ``latest`` are the newest (every version of the store is stable), ``*`` and
    ``all`` every one; anything else is a version as it is written.
    """
    if not _EVERY.isdisjoint(asked):
        return frozenset(available)
    exact = frozenset(asked) & frozenset(available)
    if _NEWEST.isdisjoint(asked):
        return exact
    return exact | {max(available, key=ordering)}
