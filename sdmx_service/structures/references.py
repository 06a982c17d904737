"""The graph of references between artefacts, walked as REST's ``references`` asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Identity
from sdmx_service.structures.neighbours import are_neighbours

__all__ = ["Graph", "References"]


class References(Enum):
    """The keywords of the ``references`` parameter (REST 1.5 and 2.x)."""

    NONE = "none"
    PARENTS = "parents"
    PARENTS_AND_SIBLINGS = "parentsandsiblings"
    ANCESTORS = "ancestors"
    CHILDREN = "children"
    DESCENDANTS = "descendants"
    ALL = "all"


Edges = Mapping[Identity, tuple[Identity, ...]]


@dataclass(frozen=True)
class Graph:
    """What each artefact refers to (``children``) and is referred to by (``parents``)."""

    children: Edges
    parents: Edges

    @classmethod
    def of(cls, children: Edges) -> Graph:
        """Return the graph of the references of each artefact."""
        parents: dict[Identity, dict[Identity, None]] = {}
        for key, targets in children.items():
            for target in targets:
                parents.setdefault(target, {})[key] = None
        return cls(children, {key: tuple(found) for key, found in parents.items()})

    def reached(self, start: Iterable[Identity], references: References) -> frozenset[Identity]:
        """Return what the keyword reaches; it may hold artefacts of the start again."""
        found = frozenset(start)
        match references:
            case References.NONE:
                return frozenset()
            case References.PARENTS:
                return _step(self.parents, found)
            case References.PARENTS_AND_SIBLINGS:
                parents = _step(self.parents, found)
                return parents | _step(self.children, parents)
            case References.CHILDREN:
                return _step(self.children, found)
            case References.DESCENDANTS:
                return _closure(self.children, found)
            case References.ANCESTORS:
                return _closure(self.parents, found)
            case References.ALL:
                return self.reached(found, References.PARENTS_AND_SIBLINGS) | _closure(
                    self.children, found
                )

    def of_kinds(
        self, start: Iterable[Identity], kinds: frozenset[ArtefactKind]
    ) -> frozenset[Identity]:
        """Return the artefacts of some kinds that are related to the start.

        Of kinds that may refer to one another those that do, in either direction; of others,
        such as the codelists of a dataflow, those at any distance.
        """
        found: frozenset[Identity] = frozenset()
        for one in start:
            alone = frozenset({one})
            near = _step(self.children, alone) | _step(self.parents, alone)
            far = self.reached(alone, References.ALL) | _closure(self.parents, alone)
            for kind in kinds:
                reached = near if are_neighbours(one[0], kind) else far
                found |= {key for key in reached if key[0] is kind}
        return found

    def resolved(self) -> Graph:
        """Return the graph of codelists that have the codes they take from others themselves.

        They refer to the others no more; who asks what uses the others still finds them.
        """

        def list_(key: Identity) -> bool:
            return key[0].urn_class == "Codelist"

        children = {
            key: tuple(target for target in targets if not (list_(key) and list_(target)))
            for key, targets in self.children.items()
        }
        return Graph(children, self.parents)

    def without(self, left_out: frozenset[Identity]) -> Graph:
        """Return the graph as it would be if some artefacts were not there."""
        return Graph(
            {
                key: tuple(target for target in targets if target not in left_out)
                for key, targets in self.children.items()
                if key not in left_out
            },
            {
                key: tuple(target for target in targets if target not in left_out)
                for key, targets in self.parents.items()
                if key not in left_out
            },
        )


def _step(edges: Edges, start: frozenset[Identity]) -> frozenset[Identity]:
    return frozenset(target for key in start for target in edges.get(key, ()))


def _closure(edges: Edges, start: frozenset[Identity]) -> frozenset[Identity]:
    found: frozenset[Identity] = frozenset()
    edge = start
    while edge:
        edge = _step(edges, edge) - found
        found |= edge
    return found
