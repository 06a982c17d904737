"""Codelists that extend others: which codes they have in the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.maintainable import Artefact

__all__ = ["extended", "named"]

Code = Mapping[str, Any]
Find = Callable[[str], Artefact | None]
"""Return the codelist of a URN, None where it is kept elsewhere."""


def extended(artefact: Artefact, find: Find) -> Artefact:
    """Return a codelist with the codes it takes from others and without its extensions.

    Its own codes come first and win; of the others a later extension wins over an earlier one, as
    SDMX 3.0 section 2 has it. Where a list that it extends is kept elsewhere, or there is
    nothing to extend, the artefact is returned as it is. Raises StructureError for a circle.
    """
    if "codelistExtensions" not in artefact.content:
        return artefact
    codes = _codes(artefact, find, ())
    if codes is None:
        return artefact
    return artefact.with_content(
        **{str(artefact.kind.items): codes or None, "codelistExtensions": None}
    )


def _codes(artefact: Artefact, find: Find, behind: tuple[str, ...]) -> list[Code] | None:
    if artefact.urn in behind:
        raise StructureError(
            artefact.at(),
            got=" -> ".join((*behind, artefact.urn)),
            expected="codelists that do not extend each other in a circle",
        )
    own: list[Code] = artefact.content.get(str(artefact.kind.items), [])
    inherited: dict[str, Code] = {}
    for extension in artefact.content.get("codelistExtensions", []):
        other = find(extension["codelist"])
        if other is None or other.external:
            return None
        codes = _codes(other, find, (*behind, artefact.urn))
        if codes is None:
            return None
        for code in _selected(codes, extension):
            inherited.pop(code["id"], None)
            inherited[code["id"]] = code
    for code in own:
        inherited.pop(code["id"], None)
    known = inherited.keys() | {code["id"] for code in own}
    return [*own, *(_rooted(code, known) for code in inherited.values())]


def _rooted(code: Code, known: set[str]) -> Code:
    """Return a code without a parent that was left out."""
    if code.get("parent") in known | {None}:
        return code
    return {key: value for key, value in code.items() if key != "parent"}


def _selected(codes: list[Code], extension: Mapping[str, Any]) -> list[Code]:
    prefix = extension.get("prefix", "")
    chosen = _members(codes, extension.get("inclusiveCodeSelection"))
    left_out = _members(codes, extension.get("exclusiveCodeSelection"))
    found: list[Code] = []
    for code in codes:
        if (chosen is None or code["id"] in chosen) and code["id"] not in (left_out or ()):
            renamed = {**code, "id": f"{prefix}{code['id']}"}
            if "parent" in code:
                renamed["parent"] = f"{prefix}{code['parent']}"
            found.append(renamed)
    return found


def _members(codes: list[Code], selection: Mapping[str, Any] | None) -> set[str] | None:
    if selection is None:
        return None
    parents = {code["id"]: code.get("parent") for code in codes}
    ids: set[str] = set()
    for pattern in selection.get("wildcardedMemberValues", []):
        ids |= named(parents, pattern)
    for member in selection.get("memberValues", []):
        ids |= named(parents, member["value"], member.get("cascadeValues", False))
    return ids


def named(parents: Mapping[str, str | None], value: str, cascade: bool | str = False) -> set[str]:
    """Return the codes that a value names, ``%`` being any text, of those that have ``parents``.

    Where it cascades, all below them too, or only those below them (``excluderoot``).
    """
    roots = {value} & parents.keys()
    if "%" in value:
        pattern = re.compile(".*".join(map(re.escape, value.split("%"))))
        roots = {id for id in parents if pattern.fullmatch(id)}
    if not cascade:
        return roots
    below: dict[str | None, list[str]] = {}
    for id, parent in parents.items():
        below.setdefault(parent, []).append(id)
    found, edge = set(roots), set(roots)
    while edge:
        edge = {child for parent in edge for child in below.get(parent, ())} - found
        found |= edge
    return found - roots if cascade == "excluderoot" else found
