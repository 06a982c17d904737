"""Structure messages of others taken into the structures of a publication."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.jsonwriting import json_message, json_refusal
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity
from sdmx_service.structures.merging import is_part, together
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.removing import without
from sdmx_service.structures.store import Missing, StructureStore
from sdmx_service.structures.urns import Urn
from sdmx_service.structures.writing_ml import refusal, structure_message

__all__ = ["Import", "ImportRefused", "Imported", "Outcome", "import_structures"]

_EXTENSION = re.compile(r"\d+\.\d+\.\d+-.+")
_SENDER = "IMPORT"


class Outcome(Enum):
    """What happens to an artefact of an imported message."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Imported:
    """One artefact of the message; ``problem`` says why it is refused."""

    artefact: Artefact
    outcome: Outcome
    problem: StructureError | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what a person or a program wants to know of it."""
        said: dict[str, Any] = {"urn": self.artefact.urn, "outcome": self.outcome.value}
        return said if self.problem is None else {**said, **self.problem.as_dict()}


@dataclass(frozen=True, slots=True)
class Import:
    """The outcome for each artefact, and the files that were written; none where one is refused.

    ``stubs`` are the URNs of artefacts kept elsewhere that references lead to.
    """

    artefacts: tuple[Imported, ...]
    stubs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[Imported, ...]:
        """The artefacts that are refused."""
        return tuple(one for one in self.artefacts if one.outcome is Outcome.REFUSED)


class ImportRefused(StructureError):
    """Artefacts of a message cannot be taken in, so none was; ``done`` says which and why."""

    def __init__(self, where: str, done: Import) -> None:
        super().__init__(
            where,
            got=f"{len(done.refused)} of {len(done.artefacts)} artefacts refused",
            expected="artefacts that can all be taken in",
            hint="nothing was written",
        )
        self.done = done

    def __str__(self) -> str:
        reasons = (f"  {one.artefact.urn}: {one.problem}" for one in self.done.refused)
        return "\n".join((super().__str__(), *reasons))

    def as_dict(self) -> dict[str, Any]:
        """Return the error's parts and the outcome for each artefact."""
        return {**super().as_dict(), "artefacts": [one.as_dict() for one in self.done.artefacts]}


def import_structures(
    content: bytes,
    file: str,
    directory: Path,
    *,
    allow_external: bool = False,
    dry_run: bool = False,
) -> Import:
    """Take the artefacts of a message into a directory of structure messages, all or none.

    A stable version (``x.y.z``, or final in SDMX 2.1) never changes; a draft (``x.y.z-draft``)
    and a version of two parts may. Parts of an item scheme (``isPartial``) are put together.
    Every reference must lead to an artefact of the message or of the directory;
    ``allow_external`` puts stubs, marked as kept elsewhere, where it does not. What is new or
    changed is written to a file of its own. Nothing is written where an artefact is refused, and
    with ``dry_run``. Raises StructureError for what is no valid message.
    """
    store = StructureStore.read(directory)
    lenient = StructureStore(store.artefacts, missing=Missing.ALLOWED)
    known = {one.identity: one for one in store.artefacts}
    message = read_artefacts(content, file)
    if not message:
        raise StructureError(file, got="no artefacts", expected="a message with structures")
    results = _compared(message, known)
    stubs: tuple[Artefact, ...] = ()
    if allow_external:
        stubs = _stubs(lenient.with_artefacts(_wanted(results)), _wanted(results))
    results = _referring(results, lenient, stubs)
    changed = [one for one in results.values() if one.outcome in _WRITTEN]
    done = Import(tuple(results.values()), tuple(one.urn for one in stubs))
    if done.refused or not changed:
        return done
    new = (*(one.artefact for one in changed), *stubs)
    # What the typed views refuse, such as a structure without time, is refused before writing.
    StructureStore(store.with_artefacts(new).artefacts)
    if dry_run:
        return done
    files = _written(new, directory, {one.identity: known.get(one.identity) for one in new})
    return Import(done.artefacts, done.stubs, files)


_WRITTEN = (Outcome.CREATED, Outcome.UPDATED)


def _compared(
    message: Collection[Artefact], known: Mapping[Identity, Artefact]
) -> dict[Identity, Imported]:
    results: dict[Identity, Imported] = {}
    for one in message:
        if one.identity in results:
            problem = StructureError(
                one.at(), got=f"{one.urn} twice", expected="each artefact once in a message"
            )
            results[one.identity] = Imported(one, Outcome.REFUSED, problem)
            continue
        have = known.get(one.identity)
        stubs = one.external or (have is not None and have.external)
        if have is not None and not stubs and (is_part(one) or is_part(have)):
            results[one.identity] = _grown(one, have)
            continue
        same = have is not None and have.content == one.content
        found = Outcome.UNCHANGED if same else Outcome.UPDATED if have else Outcome.CREATED
        refused = None if have is None or same else _locked(one, have)
        results[one.identity] = Imported(one, Outcome.REFUSED if refused else found, refused)
    return results


def _grown(one: Artefact, have: Artefact) -> Imported:
    """Put a part of an item scheme, or the whole, to the part or whole that is there."""
    try:
        whole = together(have, one)
    except StructureError as error:
        return Imported(one, Outcome.REFUSED, error)
    same = whole.content == have.content
    return Imported(whole, Outcome.UNCHANGED if same else Outcome.UPDATED)


def _locked(one: Artefact, have: Artefact) -> StructureError | None:
    """Return why a version that is there may not become another."""
    if have.external:
        return None
    if have.stable:
        return StructureError(
            one.at(),
            got=f"another content of {have.urn}",
            expected=f"the content it has in {have.at()}: this version is stable",
            hint="give what changed a new version, or call it a draft: x.y.z-draft",
        )
    if one.external:
        return StructureError(
            one.at(),
            got=f"a stub of {have.urn}",
            expected="the whole artefact, to take the place of the whole one",
            hint="ask its source for detail=full",
        )
    return None


def _wanted(results: Mapping[Identity, Imported]) -> tuple[Artefact, ...]:
    return tuple(one.artefact for one in results.values() if one.outcome is not Outcome.REFUSED)


def _referring(
    results: dict[Identity, Imported], store: StructureStore, stubs: Collection[Artefact]
) -> dict[Identity, Imported]:
    """Refuse what refers to nothing, or to what is refused itself, until no more is."""
    while True:
        whole = store.with_artefacts((*_wanted(results), *stubs))
        problems = {
            one.artefact.identity: problem
            for one in results.values()
            if one.outcome in _WRITTEN and (problem := _dangling(one.artefact, whole)) is not None
        }
        if not problems:
            return results
        for identity, problem in problems.items():
            results[identity] = Imported(results[identity].artefact, Outcome.REFUSED, problem)


def _dangling(one: Artefact, whole: StructureStore) -> StructureError | None:
    if (problem := whole.problem(one)) is not None:
        return problem
    if not one.stable:
        return None
    for reference in one.references:
        target = whole.target(reference.urn)
        if target is not None and _EXTENSION.fullmatch(target.version):
            return StructureError(
                one.at(str(reference.urn)),
                got=f"a reference to the draft {target.urn}",
                expected=f"stable artefacts behind the stable {one.urn}",
                hint="import the stable version of the draft, or call this one a draft too",
            )
    return None


def _stubs(whole: StructureStore, message: Collection[Artefact]) -> tuple[Artefact, ...]:
    """Return stubs of what references lead to and is neither in the message nor known."""
    found: dict[Identity, Artefact] = {}
    for one in message:
        for reference in one.references:
            kinds = [kind for kind in reference.kinds if kind.ml3] or list(reference.kinds)
            if kinds and whole.target(reference.urn) is None:
                stub = _stub(kinds[0], reference.urn)
                found[stub.identity] = stub
    return tuple(found.values())


def _stub(kind: ArtefactKind, urn: Urn) -> Artefact:
    content = {
        "id": urn.id,
        "agencyID": urn.agency,
        "version": re.sub(r"[+~*]", "", urn.version),
        "names": {"en": urn.id},
        "isExternalReference": True,
    }
    return Artefact(kind, content, str(urn))


def _written(
    new: Collection[Artefact], directory: Path, had: Mapping[Identity, Artefact | None]
) -> tuple[str, ...]:
    """Write each artefact to a file of its own in a copy of the directory, which takes its place.

    A crash leaves the earlier directory, under its own name or as ``.structures-before``.
    """
    staging = directory.with_name(f".{directory.name}-{os.getpid()}")
    before = directory.with_name(f".{directory.name}-before")
    shutil.rmtree(staging, ignore_errors=True)
    files: list[str] = []
    try:
        shutil.copytree(directory, staging)
        for one in new:
            if (have := had[one.identity]) is not None:
                without(have, staging / _file_of(have).name)
            suffix, content = _message(one)
            name = f"{one.kind.element}-{one.agency}-{one.id}-{one.version}{suffix}"
            (staging / name).write_bytes(content)
            files.append(name)
        StructureStore.read(staging)
        shutil.rmtree(before, ignore_errors=True)
        directory.rename(before)
        staging.rename(directory)
    except BaseException:
        if not directory.exists() and before.exists():
            before.rename(directory)
        shutil.rmtree(staging, ignore_errors=True)
        raise
    shutil.rmtree(before)
    return tuple(files)


def _file_of(artefact: Artefact) -> Path:
    return Path(artefact.file.partition(", ")[0])


def _message(one: Artefact) -> tuple[str, bytes]:
    """Return a message with one artefact, in the newest format that gives it back unchanged.

    SDMX 3.x has no finality apart from the version, and 3.1 no identity of an availability.
    """
    for suffix, content in _messages(one):
        again = read_artefacts(content, f"{one.urn}{suffix}")
        if [(each.identity, each.content) for each in again] == [(one.identity, one.content)]:
            return suffix, content
    raise StructureError(one.at(), got=one.urn, expected="what one format can carry as a whole")


def _messages(one: Artefact) -> Iterator[tuple[str, bytes]]:
    prepared = datetime.now(UTC)
    for version in reversed(MlVersion):
        if refusal(one, version) is None:
            yield (
                ".xml",
                structure_message([one], prepared=prepared, sender=_SENDER, version=version),
            )
    for form in reversed(JsonVersion):
        if json_refusal(one, form) is None:
            yield ".json", json_message([one], prepared=prepared, sender=_SENDER, version=form)
