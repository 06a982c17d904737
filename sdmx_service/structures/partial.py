"""Parts of item schemes: the items a request names, or those that other artefacts use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact

__all__ = ["items", "part", "with_items"]


def items(artefact: Artefact, ids: Collection[str], *, parents: bool = False) -> Artefact:
    """Return an item scheme with the items of these ids only, marked as partial.

    An id may be a path (``A.B.C``): its ancestors stay, its other descendants go. ``parents``
    keeps the parents of items in flat lists too, so that the tree holds together. An artefact
    without items is returned as it is.
    """
    if artefact.kind.items is None:
        return artefact
    kept = _kept(artefact.content.get(artefact.kind.items, []), artefact.kind, ids, parents)
    return with_items(artefact, kept)


def part(artefact: Artefact, ids: Collection[str]) -> Artefact | None:
    """Return what a query for items leaves of an artefact, None where it has none of them.

    The items of a hierarchical codelist of SDMX 2.1 are its hierarchies, and those of SDMX 3.x
    are lists of one each.
    """
    if artefact.kind is ArtefactKind.HIERARCHY:
        return artefact if artefact.id in ids else None
    if artefact.kind is ArtefactKind.HIERARCHICAL_CODELIST:
        kept = [one for one in artefact.content.get("hierarchies", ()) if one["id"] in ids]
        return artefact.with_content(hierarchies=kept) if kept else None
    found = items(artefact, ids)
    return found if found.kind.items in found.content else None


def with_items(artefact: Artefact, kept: list[Mapping[str, Any]]) -> Artefact:
    """Return an item scheme with other items, marked as partial where it can be."""
    changed: dict[str, Any] = {str(artefact.kind.items): kept or None}
    if artefact.kind is not ArtefactKind.VALUE_LIST:
        changed["isPartial"] = True
    return artefact.with_content(**changed)


def _kept(
    found: list[Mapping[str, Any]], kind: ArtefactKind, ids: Collection[str], parents: bool
) -> list[Mapping[str, Any]]:
    if kind.nested:
        return _nested(found, str(kind.items), set(ids))
    # In a flat list the path A.B names the child B of A; ids of items themselves have no dots.
    wanted = {part for id in ids for part in id.split(".")} | set(ids)
    if parents:
        above = {one["id"]: one.get("parent") for one in found}
        for id in tuple(wanted):
            while (id := above.get(id) or "") and id not in wanted:
                wanted.add(id)
    return [one for one in found if one["id"] in wanted]


def _nested(found: list[Mapping[str, Any]], key: str, ids: set[str]) -> list[Mapping[str, Any]]:
    kept: list[Mapping[str, Any]] = []
    for one in found:
        own = str(one["id"])
        below = {id[len(own) + 1 :] for id in ids if id.startswith(f"{own}.")}
        inside = _nested(one.get(key, []), key, below) if below else []
        if own in ids or inside:
            rest = {name: value for name, value in one.items() if name != key}
            kept.append({**rest, key: inside} if inside else rest)
    return kept
