"""The structures of one publication or one release."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from sdmx_service.errors import NotFound, StructureError
from sdmx_service.structures.artefacts import Codelist, Dataflow, DataStructure
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import (
    Artefact,
    Identity,
    Reference,
    named,
    references_in,
)
from sdmx_service.structures.messages import COM, MES, STR, line_of, parse, refuse_invalid
from sdmx_service.structures.reading import (
    constrains,
    read_codelist,
    read_dataflow,
    read_datastructure,
)
from sdmx_service.structures.references import References, reached
from sdmx_service.structures.versions import choose

__all__ = ["StructureStore"]


class StructureStore:
    """Artefacts by kind, agency, id and version; every reference between them resolves."""

    def __init__(self, artefacts: Iterable[Artefact]) -> None:
        self._artefacts: dict[Identity, Artefact] = {}
        for artefact in artefacts:
            other = self._artefacts.setdefault(artefact.identity, artefact)
            if other is not artefact:
                raise StructureError(
                    artefact.at(),
                    got=artefact.urn,
                    expected="each artefact once",
                    hint=f"it is also in {other.at()}",
                )
        for artefact in self._artefacts.values():
            for reference in artefact.references:
                self._resolve(artefact, reference)
        self._codelists = {
            key: read_codelist(found)
            for key, found in self._artefacts.items()
            if found.kind is ArtefactKind.CODELIST
        }
        self._structures = {
            key: read_datastructure(found, self._artefacts.__getitem__, self._codelists.__getitem__)
            for key, found in self._artefacts.items()
            if found.kind is ArtefactKind.DATA_STRUCTURE
        }
        self._flows = {
            key: self._read_flow(found)
            for key, found in self._artefacts.items()
            if found.kind is ArtefactKind.DATAFLOW
        }

    @classmethod
    def read(cls, directory: Path) -> StructureStore:
        """Read every ``*.xml`` of a directory.

        Raises StructureError, naming file and line, for a file that is not a valid SDMX-ML 2.1
        structure message, an artefact or code that is there twice, and a reference to nothing.
        """
        files = sorted(directory.glob("*.xml"))
        if not files:
            raise StructureError(
                str(directory), expected="SDMX-ML 2.1 structure messages", got="no *.xml"
            )
        return cls(
            artefact for file in files for artefact in read_artefacts(file.read_bytes(), str(file))
        )

    def codelist(self, id: str, agency: str | None = None, version: str = "+") -> Codelist:
        """Return a codelist; NotFound names close matches."""
        return self._codelists[self._one(ArtefactKind.CODELIST, id, agency, version)]

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        """Return a data structure; NotFound names close matches."""
        return self._structures[self._one(ArtefactKind.DATA_STRUCTURE, id, agency, version)]

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        """Return a dataflow; NotFound names close matches."""
        return self._flows[self._one(ArtefactKind.DATAFLOW, id, agency, version)]

    def dataflows(self) -> tuple[Dataflow, ...]:
        """Return all dataflows in the order of the files."""
        return tuple(self._flows.values())

    @cached_property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All artefacts, kinds in the order of a structure message."""
        order = list(ArtefactKind)
        return tuple(sorted(self._artefacts.values(), key=lambda found: order.index(found.kind)))

    def find(
        self,
        kind: ArtefactKind | None = None,
        agency: str | Iterable[str] = "*",
        id: str | Iterable[str] = "*",
        version: str | Iterable[str] = "+",
    ) -> tuple[Artefact, ...]:
        """Return the artefacts asked for, or none; ``kind`` None means every kind.

        Agency, id and version are one word, several, or several joined by commas. ``*`` and
        ``all`` match everything; of versions ``+``, ``~`` and ``latest`` are the newest.
        """
        agencies, ids, versions = _words(agency), _words(id), _words(version)
        matching = [
            found
            for found in self.artefacts
            if kind in (None, found.kind)
            and _matches(found.agency, agencies)
            and _matches(found.id, ids)
        ]
        available: dict[tuple[ArtefactKind, str, str], list[str]] = {}
        for found in matching:
            available.setdefault(found.identity[:3], []).append(found.version)
        return tuple(
            found
            for found in matching
            if found.version in choose(versions, available[found.identity[:3]])
        )

    def with_references(
        self, artefacts: Iterable[Artefact], references: References | ArtefactKind
    ) -> tuple[Artefact, ...]:
        """Return the artefacts, then those that ``references`` reaches from them."""
        return reached(self._artefacts, artefacts, references)

    def _one(self, kind: ArtefactKind, id: str, agency: str | None, version: str) -> Identity:
        found = self.find(kind, agency or "*", id, version)
        if found:
            return found[-1].identity
        known = {artefact.id for artefact in self.find(kind, version="*")}
        close = get_close_matches(id, sorted(known), n=3)
        raise NotFound(
            f"{kind.paths[0]} {agency or '*'}:{id}({version})",
            expected=f"a {kind.paths[0]} that is published",
            hint=f"did you mean {' or '.join(close)}?" if close else None,
        )

    def _read_flow(self, flow: Artefact) -> Dataflow:
        structures = [
            reference.target
            for reference in flow.references
            if reference.target[0] is ArtefactKind.DATA_STRUCTURE
        ]
        if not structures:
            raise StructureError(
                f"{flow.at()}, dataflow {flow.id}", got="none", expected="a data structure"
            )
        constraints = tuple(found for found in self._artefacts.values() if constrains(found, flow))
        return read_dataflow(flow, self._structures[structures[0]], constraints)

    def _resolve(self, artefact: Artefact, reference: Reference) -> None:
        kind, agency, id, version = reference.target
        where = f"{artefact.file}:{reference.line}, {artefact.kind.element} {artefact.id}"
        target = self._artefacts.get(reference.target)
        if target is None:
            known = [found.id for found in self._artefacts.values() if found.kind is kind]
            close = get_close_matches(id, known, n=1)
            raise StructureError(
                where,
                got=f"{agency}:{id}({version})",
                expected=f"a {kind.element} that exists",
                hint=f"did you mean {close[0]}?" if close else "check agency, id and version",
            )
        if reference.item is not None:
            items = [item.get("id") for item in target.element.iter(f"{STR}{kind.item}")]
            if reference.item not in items:
                raise StructureError(
                    where, got=reference.item, expected=f"a {kind.item} of {agency}:{id}({version})"
                )


def read_artefacts(content: bytes, file: str) -> tuple[Artefact, ...]:
    """Return the artefacts of one structure message; ``file`` names it in errors."""
    root = parse(content, file)
    if root.tag != f"{MES}Structure":
        raise StructureError(
            f"{file}:{line_of(root)}", got=root.tag, expected="an SDMX-ML 2.1 Structure message"
        )
    refuse_invalid(root, file)
    found = []
    for element in root.iterfind(f"{MES}Structures/*/*"):
        kind = ArtefactKind.of_element(element.tag.removeprefix(STR))
        if kind is None:
            raise StructureError(
                f"{file}:{line_of(element)}",
                got=element.tag.removeprefix(STR),
                expected=f"one of {', '.join(kind.element for kind in ArtefactKind)}",
            )
        found.append(
            Artefact(
                kind=kind,
                agency=element.get("agencyID", ""),
                id=element.get("id", ""),
                version=element.get("version", "1.0"),
                name=named(element, f"{COM}Name"),
                file=file,
                element=element,
                references=tuple(references_in(element, file)),
            )
        )
    return tuple(found)


def _words(asked: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(asked.split(",")) if isinstance(asked, str) else tuple(asked)


def _matches(value: str, words: tuple[str, ...]) -> bool:
    return value in words or "*" in words or "all" in words
