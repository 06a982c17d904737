"""The graph of references between artefacts, walked as REST's ``references`` asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity

__all__ = ["References", "reached"]


class References(Enum):
    """The keywords of the ``references`` parameter (REST 1.5 and 2.x)."""

    NONE = "none"
    PARENTS = "parents"
    PARENTS_AND_SIBLINGS = "parentsandsiblings"
    ANCESTORS = "ancestors"
    CHILDREN = "children"
    DESCENDANTS = "descendants"
    ALL = "all"


Found = dict[Identity, Artefact]


def reached(
    everything: Mapping[Identity, Artefact],
    artefacts: Iterable[Artefact],
    references: References | ArtefactKind,
) -> tuple[Artefact, ...]:
    """Return the artefacts and behind them those that ``references`` reaches, each once."""
    start = {artefact.identity: artefact for artefact in artefacts}
    if isinstance(references, ArtefactKind):
        related = {
            **_closure(everything, start, up=False),
            **_closure(everything, start, up=True),
            **_siblings(everything, start),
        }
        found = {key: value for key, value in related.items() if value.kind is references}
    else:
        found = _found(everything, start, references)
    behind = (artefact for key, artefact in everything.items() if key in found and key not in start)
    return (*start.values(), *behind)


def _found(everything: Mapping[Identity, Artefact], start: Found, references: References) -> Found:
    match references:
        case References.NONE:
            return {}
        case References.PARENTS:
            return _parents(everything, start)
        case References.PARENTS_AND_SIBLINGS:
            return _siblings(everything, start)
        case References.CHILDREN:
            return _children(everything, start)
        case References.DESCENDANTS:
            return _closure(everything, start, up=False)
        case References.ANCESTORS:
            return _closure(everything, start, up=True)
        case References.ALL:
            return {
                **_siblings(everything, start),
                **_closure(everything, start, up=True),
                **_closure(everything, start, up=False),
            }


def _children(everything: Mapping[Identity, Artefact], start: Found) -> Found:
    return {
        reference.target: everything[reference.target]
        for artefact in start.values()
        for reference in artefact.references
    }


def _parents(everything: Mapping[Identity, Artefact], start: Found) -> Found:
    return {
        key: artefact
        for key, artefact in everything.items()
        if any(reference.target in start for reference in artefact.references)
    }


def _siblings(everything: Mapping[Identity, Artefact], start: Found) -> Found:
    parents = _parents(everything, start)
    return {**parents, **_children(everything, parents)}


def _closure(everything: Mapping[Identity, Artefact], start: Found, *, up: bool) -> Found:
    found: Found = {}
    edge = start
    while edge:
        step = _parents(everything, edge) if up else _children(everything, edge)
        edge = {key: value for key, value in step.items() if key not in found}
        found.update(edge)
    return found
