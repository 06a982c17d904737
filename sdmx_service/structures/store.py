"""The structures of one publication, one release or one import."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from functools import cached_property
from pathlib import Path

from sdmx_service.errors import NotFound, SdmxServiceError, StructureError
from sdmx_service.structures.artefacts import (
    Codelist,
    Constraint,
    Dataflow,
    DataStructure,
    Hierarchy,
    Metadataflow,
    MetadataStructure,
    ProvisionAgreement,
)
from sdmx_service.structures.constraints import read_constraint
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity, Reference
from sdmx_service.structures.readers import READERS, read_artefacts, structure_files
from sdmx_service.structures.reading import read_hierarchy
from sdmx_service.structures.references import Graph, References
from sdmx_service.structures.urns import Urn
from sdmx_service.structures.versions import choose, ordering
from sdmx_service.structures.views import Views

__all__ = ["Missing", "StructureStore", "read_artefacts"]

# The standard gives these one version, so the latest stable is the one they have.
_UNVERSIONED = frozenset(
    {
        ArtefactKind.AGENCY_SCHEME,
        ArtefactKind.DATA_CONSUMER_SCHEME,
        ArtefactKind.DATA_PROVIDER_SCHEME,
        ArtefactKind.METADATA_PROVIDER_SCHEME,
        ArtefactKind.ORGANISATION_UNIT_SCHEME,
        ArtefactKind.CATEGORISATION,
    }
)
_LISTS = (
    ArtefactKind.CODELIST,
    ArtefactKind.GEOGRAPHIC_CODELIST,
    ArtefactKind.GEO_GRID_CODELIST,
    ArtefactKind.VALUE_LIST,
)


class Missing(Enum):
    """What a reference to an artefact that is not there means."""

    REFUSED = "an error, for a publication holds all it refers to"
    ALLOWED = "an artefact kept elsewhere, as in a message that is imported"
    TOLD = "a fault that ``faults`` tells, for an import says whose fault it is"


class StructureStore:
    """Artefacts by kind, agency, id and version, and the references between them."""

    def __init__(
        self, artefacts: Iterable[Artefact], *, missing: Missing = Missing.REFUSED
    ) -> None:
        self._artefacts: dict[Identity, Artefact] = {}
        self._versions: dict[tuple[ArtefactKind, str, str], list[str]] = {}
        self.missing = missing
        for artefact in artefacts:
            other = self._artefacts.setdefault(artefact.identity, artefact)
            if other is not artefact:
                raise StructureError(
                    artefact.at(),
                    got=artefact.urn,
                    expected="each artefact once",
                    hint=f"it is also in {other.at()}",
                )
            self._versions.setdefault(artefact.identity[:3], []).append(artefact.version)
        self._items: dict[Identity, frozenset[str]] = {}
        self._views = Views(self, strict=missing is not Missing.ALLOWED)
        if missing is Missing.REFUSED:
            for _, error in self.faults():
                raise error

    @classmethod
    def read(cls, directory: Path, *, missing: Missing = Missing.REFUSED) -> StructureStore:
        """Read every structure message of a directory (``*.xml``, ``*.json``).

        Raises StructureError, naming file and line, for a file that is not a valid structure
        message, an artefact or code that is there twice, and a reference to nothing.
        """
        files = structure_files(directory)
        if not files:
            raise StructureError(
                str(directory),
                expected="SDMX structure messages",
                got=f"no {' or '.join(f'*{suffix}' for suffix in READERS)}",
            )
        return cls(
            (found for file in files for found in read_artefacts(file.read_bytes(), str(file))),
            missing=missing,
        )

    def with_artefacts(self, artefacts: Iterable[Artefact]) -> StructureStore:
        """Return a store that has these too; one of the same identity takes the other's place."""
        new = {artefact.identity: artefact for artefact in artefacts}
        return StructureStore(({**self._artefacts, **new}).values(), missing=self.missing)

    def problems(self, artefact: Artefact) -> Iterator[tuple[Reference, StructureError]]:
        """Yield the references of an artefact that lead nowhere, and what is wrong with each."""
        for reference in artefact.references:
            try:
                self._check(artefact, reference)
            except StructureError as error:
                yield reference, error

    def faults(self) -> Iterator[tuple[Artefact, SdmxServiceError]]:
        """Yield the artefacts that lead nowhere or whose typed view cannot be made, and why."""
        for artefact in self._artefacts.values():
            for _, problem in self.problems(artefact):
                yield artefact, problem
        for artefact in self.artefacts:
            if (error := self._unseen(artefact)) is not None:
                yield artefact, error

    def sound(self, artefact: Artefact) -> bool:
        """Tell whether what an artefact refers to is here, and its typed view can be made."""
        return not any(self.problems(artefact)) and self._unseen(artefact) is None

    def _unseen(self, artefact: Artefact) -> SdmxServiceError | None:
        try:
            self._views.make(artefact)
        except (StructureError, NotFound) as error:
            return error
        return None

    # -- typed views ------------------------------------------------------------------------

    def codelist(self, id: str, agency: str | None = None, version: str = "~") -> Codelist:
        """Return a codelist or value list, extensions resolved; NotFound names close matches."""
        return self._views.codelist(self._one(_LISTS, id, agency, version))

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "~"
    ) -> DataStructure:
        """Return a data structure; NotFound names close matches."""
        return self._views.datastructure(
            self._one((ArtefactKind.DATA_STRUCTURE,), id, agency, version)
        )

    def dataflow(self, id: str, agency: str | None = None, version: str = "~") -> Dataflow:
        """Return a dataflow; NotFound names close matches."""
        return self._views.dataflow(self._one((ArtefactKind.DATAFLOW,), id, agency, version))

    def dataflows(self) -> tuple[Dataflow, ...]:
        """Return all dataflows in the order of the files, those kept elsewhere apart."""
        return tuple(
            self._views.dataflow(found)
            for found in self._artefacts.values()
            if found.kind is ArtefactKind.DATAFLOW and not self.elsewhere(found)
        )

    def elsewhere(self, artefact: Artefact) -> bool:
        """Return whether it is a stub, or what its data would be of: its flow, its structure."""
        urn = artefact.content.get("dataflow") or artefact.content.get("structure")
        behind = self.target(urn) if isinstance(urn, str) else None
        return artefact.external or (behind is not None and self.elsewhere(behind))

    def provisioned(self, id: str, agency: str | None = None, version: str = "~") -> Dataflow:
        """Return the dataflow of a provision agreement as far as that goes.

        ``admits`` is what its constraints and those of the flow admit together. NotFound names
        close matches.
        """
        return self._views.provisioned(
            self._one((ArtefactKind.PROVISION_AGREEMENT,), id, agency, version)
        )

    def metadatastructure(
        self, id: str, agency: str | None = None, version: str = "~"
    ) -> MetadataStructure:
        """Return a metadata structure; NotFound names close matches."""
        return self._views.metadatastructure(
            self._one((ArtefactKind.METADATA_STRUCTURE,), id, agency, version)
        )

    def metadataflow(self, id: str, agency: str | None = None, version: str = "~") -> Metadataflow:
        """Return a metadataflow; NotFound names close matches."""
        return self._views.metadataflow(
            self._one((ArtefactKind.METADATAFLOW,), id, agency, version)
        )

    def hierarchy(self, id: str, agency: str | None = None, version: str = "~") -> Hierarchy:
        """Return a hierarchy; NotFound names close matches."""
        return read_hierarchy(self._one((ArtefactKind.HIERARCHY,), id, agency, version))

    def as_flow(self, structure: Artefact) -> Dataflow:
        """Return a data structure as the flow of all its data."""
        return self._views.as_flow(structure)

    def extended(self, artefact: Artefact) -> Artefact:
        """Return a codelist with the codes it takes from others; what extends nothing as it is."""
        return self._views.extended(artefact)

    def constraints(self) -> tuple[Constraint, ...]:
        """Return all constraints on data, Allowed and actual, in the order of the files."""
        kinds = (ArtefactKind.DATA_CONSTRAINT, ArtefactKind.AVAILABILITY_CONSTRAINT)
        return tuple(read_constraint(one) for one in self._artefacts.values() if one.kind in kinds)

    def agreements(self) -> tuple[ProvisionAgreement, ...]:
        """Return all provision agreements for data, in the order of the files."""
        return tuple(
            ProvisionAgreement(
                one.agency,
                one.id,
                one.version,
                one.name,
                one.content["dataflow"],
                one.content["dataProvider"],
            )
            for one in self._artefacts.values()
            if one.kind is ArtefactKind.PROVISION_AGREEMENT and "dataflow" in one.content
        )

    # -- artefacts --------------------------------------------------------------------------

    @cached_property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All artefacts, kinds in the order of a structure message."""
        order = {kind: place for place, kind in enumerate(ArtefactKind)}
        return tuple(sorted(self._artefacts.values(), key=lambda found: order[found.kind]))

    def find(
        self,
        kind: ArtefactKind | Collection[ArtefactKind] | None = None,
        agency: str | Iterable[str] = "*",
        id: str | Iterable[str] = "*",
        version: str | Iterable[str] = "~",
    ) -> tuple[Artefact, ...]:
        """Return the artefacts asked for, or none; ``kind`` None means every kind.

        Agency, id and version are one word, several, or several joined by commas. ``*`` and
        ``all`` match everything; versions have the grammar of ``versions.choose``.
        """
        kinds = {kind} if isinstance(kind, ArtefactKind) else kind
        agencies, ids, versions = _words(agency), _words(id), _words(version)
        chosen: dict[tuple[ArtefactKind, str, str], frozenset[str]] = {}
        found = []
        for artefact in self.artefacts:
            if (
                (kinds is None or artefact.kind in kinds)
                and _matches(artefact.agency, agencies)
                and _matches(artefact.id, ids)
            ):
                key = artefact.identity[:3]
                if key not in chosen:
                    chosen[key] = self._chosen(key, versions)
                if artefact.version in chosen[key]:
                    found.append(artefact)
        return tuple(found)

    def with_references(
        self,
        artefacts: Iterable[Artefact],
        references: References | ArtefactKind | Collection[ArtefactKind],
        *,
        left_out: frozenset[Identity] = frozenset(),
        resolved: bool = False,
    ) -> tuple[Artefact, ...]:
        """Return the artefacts, then those that ``references`` reaches from them.

        Nothing is reached by way of what is ``left_out``. Where codelists are ``resolved``, they
        do not refer to those that they extend.
        """
        start = {artefact.identity: artefact for artefact in artefacts}
        graph = self.graph.without(left_out) if left_out else self.graph
        graph = graph.resolved() if resolved else graph
        if isinstance(references, References):
            reached = graph.reached(start, references)
        else:
            kinds = (references,) if isinstance(references, ArtefactKind) else references
            reached = graph.of_kinds(start, frozenset(kinds))
        behind = (found for found in self.artefacts if found.identity in reached - start.keys())
        return (*start.values(), *behind)

    def target(self, urn: str | Urn) -> Artefact | None:
        """Return the artefact that a URN points to or into; None where it is not here.

        A version with ``+`` (SDMX 3.x) is the latest it stands for.
        """
        parsed = Urn.parse(urn) if isinstance(urn, str) else urn
        if parsed is None:
            return None
        for kind in ArtefactKind.of_class(parsed.name):
            chosen = self._chosen((kind, parsed.agency, parsed.id), (parsed.version,))
            if chosen:
                version = max(chosen, key=ordering)
                return self._artefacts[kind, parsed.agency, parsed.id, version]
        return None

    @cached_property
    def graph(self) -> Graph:
        """Which artefact refers to which."""
        children: dict[Identity, tuple[Identity, ...]] = {}
        for key, artefact in self._artefacts.items():
            targets = (self.target(reference.urn) for reference in artefact.references)
            found = dict.fromkeys(one.identity for one in targets if one is not None)
            if (scheme := self._agency_scheme(artefact.agency)) is not None:
                found[scheme] = None
            found.pop(key, None)
            children[key] = tuple(found)
        return Graph.of(children)

    def _agency_scheme(self, agency: str) -> Identity | None:
        """Return the scheme that holds an agency: of SIS.UNIT that of SIS, of SIS that of SDMX."""
        owner, _, id = agency.rpartition(".")
        key = (ArtefactKind.AGENCY_SCHEME, owner or "SDMX", "AGENCIES", "1.0")
        scheme = self._artefacts.get(key)
        held = () if scheme is None else scheme.content.get("agencies", ())
        return key if any(one["id"] == id for one in held) else None

    def parents(self, artefact: Artefact, *kinds: ArtefactKind) -> tuple[Artefact, ...]:
        """Return the artefacts of some kinds that refer to one, in the order of the files."""
        found = self.graph.parents.get(artefact.identity, ())
        return tuple(self._artefacts[key] for key in found if key[0] in kinds)

    def _chosen(
        self, key: tuple[ArtefactKind, str, str], versions: Collection[str]
    ) -> frozenset[str]:
        available = self._versions.get(key, ())
        if key[0] in _UNVERSIONED:
            versions = ["~" if word == "+" else word for word in versions]
        return choose(versions, available) if available else frozenset()

    def _one(
        self, kinds: tuple[ArtefactKind, ...], id: str, agency: str | None, version: str
    ) -> Artefact:
        found = self.find(kinds, agency or "*", id, version)
        if found:
            return found[-1]
        path = kinds[0].paths[0]
        raise NotFound(
            f"{path} {agency or '*'}:{id}({version})",
            expected=f"a {path} that is published",
            hint=self.hint(kinds, id),
        )

    def hint(self, kinds: Collection[ArtefactKind], id: str) -> str | None:
        """Return what somebody may have meant who asked for an id in vain.

        Where the id is there, agency or version are not: these are told.
        """
        known = self.find(kinds, version="*")
        same = [f"{one.agency}:{one.id}({one.version})" for one in known if one.id == id]
        close = same or get_close_matches(id, sorted({one.id for one in known}), n=3)
        return f"did you mean {' or '.join(close[:3])}?" if close else None

    def _check(self, artefact: Artefact, reference: Reference) -> None:
        urn, kinds = reference.urn, reference.kinds
        if not kinds:
            return
        target = self.target(urn)
        if target is None:
            known = [found.id for found in self._artefacts.values() if found.kind in kinds]
            close = get_close_matches(urn.id, known, n=1)
            raise StructureError(
                f"{artefact.at(_said(artefact, urn))}, {artefact.kind.element} {artefact.id}",
                got=f"{urn.agency}:{urn.id}({urn.version})",
                expected=f"a {kinds[0].element} that exists",
                hint=f"did you mean {close[0]}?" if close else "check agency, id and version",
            )
        item = reference.item
        if item is None or not target.kind.items or target.external:
            return
        items = self._item_ids(target)
        if item not in items and not self._open(target):
            raise StructureError(
                f"{artefact.at(item)}, {artefact.kind.element} {artefact.id}",
                got=item,
                expected=f"a {target.kind.item} of {urn.agency}:{urn.id}({urn.version})",
                hint=_meant(item, items, partial=bool(target.content.get("isPartial"))),
            )

    def _open(self, artefact: Artefact) -> bool:
        """Tell whether a codelist has codes that are not here: of a list kept elsewhere."""
        return "codelistExtensions" in self._views.extended(artefact).content

    def _item_ids(self, artefact: Artefact) -> frozenset[str]:
        if artefact.identity not in self._items:
            whole = self._views.extended(artefact)
            self._items[artefact.identity] = frozenset(
                _paths(whole.content.get(str(whole.kind.items), []), whole.kind, "")
            )
        return self._items[artefact.identity]


def _meant(item: str, known: Collection[str], *, partial: bool) -> str | None:
    """Return what may have been meant by an item that is not there."""
    same = sorted(path for path in known if path.endswith(f".{item}"))
    close = same[:3] or get_close_matches(item, known, n=1)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "only a part of that scheme is here; import the whole" if partial else None


def _said(artefact: Artefact, urn: Urn) -> str:
    # SDMX-ML 3.x and SDMX-JSON write the whole URN, 2.1 the id of the artefact.
    return str(urn) if artefact.at(str(urn)) != artefact.at() else urn.id


def _paths(items: Iterable[Mapping[str, object]], kind: ArtefactKind, above: str) -> Iterable[str]:
    for one in items:
        yield f"{above}{one['id']}"
        inside = one.get(str(kind.items)) if kind.nested else None
        if isinstance(inside, list):
            yield from _paths(inside, kind, f"{above}{one['id']}.")


def _words(asked: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(asked.split(",")) if isinstance(asked, str) else tuple(asked)


def _matches(value: str, words: tuple[str, ...]) -> bool:
    return value in words or "*" in words or "all" in words
