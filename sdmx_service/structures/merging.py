"""Parts of an item scheme, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.maintainable import Artefact

__all__ = ["is_part", "together"]

Item = Mapping[str, Any]


def is_part(artefact: Artefact) -> bool:
    """Tell whether an artefact is an item scheme of which only some items are told."""
    return artefact.kind.items is not None and bool(artefact.content.get("isPartial"))


def together(have: Artefact, more: Artefact) -> Artefact:
    """Return what is known of an item scheme where one of two messages tells a part of it.

    Items that only one of them has stay. Of a draft, or a version of two parts, those of ``more``
    win; of a stable version what both have is the same, or StructureError says what is not. A
    part does not take the place of the whole: what the whole does not have is another content.
    """
    key = str(have.kind.items)
    stable = have.stable
    if stable:
        for name in sorted({*have.content, *more.content} - {key, "isPartial"}):
            if have.content.get(name) != more.content.get(name):
                raise _another(have, more, name)
    old, new = have.content.get(key, []), more.content.get(key, [])
    items = _joined(old, new, key, have, more)
    whole = next((one for one in (have, more) if not is_part(one)), None)
    if stable and whole is not None and _ids(items, key) != _ids(whole.content.get(key, []), key):
        extra = sorted(_ids(items, key) - _ids(whole.content.get(key, []), key))
        raise _another(have, more, extra[0])
    if whole is more:
        return more  # in its own order
    content = have.content if stable else {**have.content, **more.content}
    part = None if whole is not None else True
    return Artefact(more.kind, dict(content), more.file, more.lines).with_content(
        **{key: items or None, "isPartial": part}
    )


def _joined(
    old: list[Item], new: list[Item], key: str, have: Artefact, more: Artefact
) -> list[Item]:
    """Return the items of both, in the order of the first; nested ones are joined too."""
    found = {str(one["id"]): one for one in old}
    for one in new:
        id = str(one["id"])
        known = found.get(id)
        if known is None:
            found[id] = one
            continue
        own = {name: value for name, value in known.items() if name != key}
        said = {name: value for name, value in one.items() if name != key}
        if have.stable and own != said:
            raise _another(have, more, id)
        inside = _joined(known.get(key, []), one.get(key, []), key, have, more)
        found[id] = {**said, key: inside} if inside else said
    return list(found.values())


def _ids(items: list[Item], key: str, above: str = "") -> frozenset[str]:
    paths = {f"{above}{one['id']}" for one in items}
    for one in items:
        paths |= _ids(one.get(key, []), key, f"{above}{one['id']}.")
    return frozenset(paths)


def _another(have: Artefact, more: Artefact, what: str) -> StructureError:
    return StructureError(
        more.at(what),
        got=f"another {what} of {have.urn}",
        expected=f"what it has in {have.at()}: this version is stable",
        hint="give what changed a new version, or call it a draft: x.y.z-draft",
    )
