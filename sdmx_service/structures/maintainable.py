"""A maintainable artefact as it was read, and what it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sdmx_service.errors import StructureError
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.messages import XML_LANG, Element, line_of

__all__ = ["Artefact", "Identity", "Reference", "named", "references_in"]

Identity = tuple[ArtefactKind, str, str, str]
"""Kind, agency, id and version: what makes an artefact one."""


@dataclass(frozen=True)
class Reference:
    """A reference from line ``line`` to an artefact, or to ``item`` in it."""

    target: Identity
    item: str | None
    line: int


@dataclass(frozen=True, eq=False)
class Artefact:
    """One maintainable artefact; ``element`` is its XML, kept whole, never to be changed."""

    kind: ArtefactKind
    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    file: str
    element: Element
    references: tuple[Reference, ...] = field(default=())

    @property
    def identity(self) -> Identity:
        """What tells this artefact from all others."""
        return self.kind, self.agency, self.id, self.version

    @property
    def urn(self) -> str:
        """The SDMX 2.1 URN."""
        return self.kind.urn(self.agency, self.id, self.version)

    def at(self, element: Element | None = None) -> str:
        """Return the file and line of the artefact or of an element in it."""
        found = self.element if element is None else element
        return f"{self.file}:{line_of(found)}"


def named(element: Element, tag: str) -> dict[str, str]:
    """Return the texts of the children ``tag`` by language; English where none is said."""
    return {child.get(XML_LANG, "en"): child.text or "" for child in element.findall(tag)}


def references_in(element: Element, file: str = "") -> Iterator[Reference]:
    """Yield the references to other artefacts; those within the artefact have no agency.

    Raises StructureError for a reference whose kind is not said or not known here.
    """
    for urn in element.iter("URN"):
        raise StructureError(
            f"{file}:{line_of(urn)}", got="a reference by URN", expected="a reference by Ref"
        )
    for ref in element.iter("Ref"):
        agency, kind = ref.get("agencyID"), ArtefactKind.of_class(ref.get("class", ""))
        if agency is None:
            continue
        if kind is None:
            raise StructureError(
                f"{file}:{line_of(ref)}, reference to {ref.get('id')}",
                got=ref.get("class", "no class"),
                expected="the class of an artefact, such as Codelist or Concept",
            )
        parent = ref.get("maintainableParentID")
        if parent is None:
            target = kind, agency, ref.get("id", ""), ref.get("version", "1.0")
            yield Reference(target, None, line_of(ref))
        else:
            version = ref.get("maintainableParentVersion", "1.0")
            yield Reference((kind, agency, parent, version), ref.get("id", ""), line_of(ref))
