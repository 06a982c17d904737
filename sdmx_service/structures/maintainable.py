"""A maintainable artefact in the neutral form, and what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.urns import PREFIX, Urn

__all__ = ["Artefact", "Identity", "Reference"]

Identity = tuple[ArtefactKind, str, str, str]
"""Kind, agency, id and version: what makes an artefact one."""

# Nothing below these keys refers to another artefact, though texts there may look like it.
_NO_REFERENCES = frozenset(
    {
        *("annotations", "names", "descriptions", "links", "targets", "keyValues", "components"),
        *("codes", "geoFeatureSetCodes", "geoGridCodes", "valueItems", "agencies", "categories"),
        *("dataConsumers", "dataProviders", "metadataProviders", "organisationUnits"),
        *("representationMappings", "itemMaps", "fixedValueMaps", "dataKeySets"),
    }
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference, as it is written: ``urn``, whose version may be a wildcard such as 1.0+.0."""

    urn: Urn

    @property
    def kinds(self) -> tuple[ArtefactKind, ...]:
        """The kinds of artefact it may point to or into; none where that is no kind of ours."""
        return ArtefactKind.of_class(self.urn.name)

    @property
    def item(self) -> str | None:
        """The path of the item in the artefact, if it points to one."""
        return self.urn.item


@dataclass(frozen=True, eq=False)
class Artefact:
    """One maintainable artefact; ``content`` is its neutral form, never to be changed.

    The neutral form is the plain tree of SDMX-JSON 2.1 with ``names`` and ``descriptions`` by
    language (see docs/structures.md). ``lines`` tells the line of the file where a text stands,
    of None that of the artefact itself, if the format has lines.
    """

    kind: ArtefactKind
    content: Mapping[str, Any]
    file: str = ""
    lines: Callable[[str | None], int | None] | None = None

    @property
    def agency(self) -> str:
        """The agency that maintains it."""
        return str(self.content["agencyID"])

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.content["id"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.content["version"])

    @property
    def name(self) -> Mapping[str, str]:
        """Its name by language."""
        names: Mapping[str, str] = self.content.get("names", {})
        return names

    @property
    def identity(self) -> Identity:
        """What tells this artefact from all others."""
        return self.kind, self.agency, self.id, self.version

    @property
    def urn(self) -> str:
        """The SDMX 3.1 URN."""
        return self.kind.urn(self.agency, self.id, self.version)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The references to other artefacts and their items, in the order they stand in."""
        found = dict.fromkeys(_references(self.content))
        return tuple(Reference(urn) for urn in map(Urn.parse, found) if urn and not urn.wild)

    @property
    def external(self) -> bool:
        """Whether it only stands for an artefact that is kept elsewhere."""
        return bool(self.content.get("isExternalReference"))

    @property
    def stable(self) -> bool:
        """Whether it may not change: a semantic version without extension, or final in 2.1."""
        whole = self.version.count(".") == 2 and "-" not in self.version
        return bool(self.content.get("isFinal", whole))

    def at(self, said: str | None = None) -> str:
        """Return the file and line of the artefact, or of the place in it that says ``said``."""
        line = None if self.lines is None else self.lines(said)
        return self.file if line is None else f"{self.file}:{line}"

    def with_content(self, **changed: Any) -> Artefact:
        """Return a copy in which keys of the content are others; None takes a key away."""
        content = {**self.content, **changed}
        return replace(
            self, content={key: value for key, value in content.items() if value is not None}
        )


def _references(part: Mapping[str, Any]) -> Iterator[str]:
    for key, value in part.items():
        if key not in _NO_REFERENCES:
            for one in value if isinstance(value, list) else (value,):
                if isinstance(one, dict):
                    yield from _references(one)
                elif isinstance(one, str) and one.startswith(PREFIX):
                    yield one
