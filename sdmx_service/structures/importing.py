"""Structure messages of others taken into the structures of a publication."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from sdmx_service.errors import SdmxServiceError, StructureError
from sdmx_service.structures.filing import Filed, alone, filed
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity
from sdmx_service.structures.merging import is_part, together
from sdmx_service.structures.outcome import Import, Imported, ImportRefused, Outcome
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.references import References
from sdmx_service.structures.store import Missing, StructureStore
from sdmx_service.structures.urns import Urn

__all__ = ["Import", "ImportRefused", "Imported", "Outcome", "import_structures"]

_ALLOW = "--allow-external puts a stub there if it is kept elsewhere"
_EXTENSION = re.compile(r"\d+\.\d+\.\d+-.+")


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
    with ``dry_run``, which does all but the last step. Two imports wait for each other. Raises
    StructureError for what is no valid message, and for files that cannot be written.
    """
    message = read_artefacts(content, file)
    if not message:
        raise StructureError(file, got="no artefacts", expected="a message with structures")
    with alone(directory) as held:
        store = StructureStore.read(directory)
        known = {one.identity: one for one in store.artefacts}
        results = _compared(message, known)
        stubs = _stubs(store, _wanted(results)) if allow_external else ()
        results = _admitted(results, store, stubs, hint=not allow_external)
        results, files = _files(results)
        done = Import(tuple(results.values()), tuple(one.urn for one in stubs))
        changed = [identity for identity, one in results.items() if one.written]
        if done.refused or not changed:
            return done
        new = (*files, *map(filed, stubs))
        replaced = [known[identity] for identity in changed if identity in known]
        held.change(new, replaced, dry_run=dry_run)
    return done if dry_run else Import(done.artefacts, done.stubs, tuple(one.name for one in new))


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


def _admitted(
    results: dict[Identity, Imported],
    store: StructureStore,
    stubs: Collection[Artefact],
    *,
    hint: bool,
) -> dict[Identity, Imported]:
    """Refuse what the publication would not be whole with, until no more is."""
    while True:
        new = {one.identity: one for one in (*store.artefacts, *_wanted(results), *stubs)}
        whole = StructureStore(new.values(), missing=Missing.TOLD)
        problems: dict[Identity, SdmxServiceError] = {}
        for one in results.values():
            if one.written and (problem := _dangling(one.artefact, whole, results, hint=hint)):
                problems[one.artefact.identity] = problem
        if not problems:
            problems = _faults(results, whole, store)
        if not problems:
            return results
        results = {
            identity: one.refused(problems[identity]) if identity in problems else one
            for identity, one in results.items()
        }


def _dangling(
    one: Artefact, whole: StructureStore, results: Mapping[Identity, Imported], *, hint: bool
) -> StructureError | None:
    for reference, problem in whole.problems(one):
        urn = reference.urn
        named = {(kind, urn.agency, urn.id, urn.version) for kind in reference.kinds}
        if whole.target(urn) is None and named & results.keys():
            problem.hint = "the message has it, but it is refused itself"
        elif hint and whole.target(urn) is None:
            problem.hint = f"import that first, or with it; {_ALLOW}"
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


def _faults(
    results: Mapping[Identity, Imported], whole: StructureStore, before: StructureStore
) -> dict[Identity, SdmxServiceError]:
    """Return what is wrong with the whole, by the artefact of the message that is to blame.

    That is the one that cannot be used itself, or else the one without whose change an artefact
    that was there would be right; where that is none alone, all that changed under it or
    constrain it. Raises what is the fault of none of them.
    """
    written = {identity for identity, one in results.items() if one.written}
    faults = list(whole.faults())
    own = {one.identity: error for one, error in faults if one.identity in written}
    if own or not faults:
        return own
    blamed: dict[Identity, SdmxServiceError] = {}
    for one, error in faults:
        wrong = (whole.target(reference.urn) for reference, _ in whole.problems(one))
        near = [found for found in wrong if found is not None]
        if not near:
            near = list(whole.with_references([one], References.DESCENDANTS))
            near += whole.parents(one, *ArtefactKind)
        changed = [found for found in near if found.identity in written]
        alone = [found for found in changed if _without(found, whole, before).sound(one)]
        for found in alone or changed:
            blamed.setdefault(found.identity, _blame(found, one, error))
    if not blamed:
        raise faults[0][1]
    return blamed


def _without(changed: Artefact, whole: StructureStore, before: StructureStore) -> StructureStore:
    """Return the whole as it would be if one artefact had not changed."""
    left = {one.identity: one for one in whole.artefacts if one.identity != changed.identity}
    old = [one for one in before.artefacts if one.identity == changed.identity]
    return StructureStore((*left.values(), *old), missing=Missing.TOLD)


def _blame(found: Artefact, used: Artefact, error: SdmxServiceError) -> StructureError:
    return StructureError(
        found.at(),
        got=found.urn,
        expected=f"what {used.urn} needs, which is there and would not be right: {error}",
        hint="import both together, or give this one a new version",
    )


def _files(
    results: Mapping[Identity, Imported],
) -> tuple[dict[Identity, Imported], tuple[Filed, ...]]:
    """Return the files of what is to be written; what no file can hold is refused."""
    found: dict[Identity, Imported] = {}
    files: list[Filed] = []
    for identity, one in results.items():
        found[identity] = one
        if one.written:
            try:
                files.append(filed(one.artefact))
            except StructureError as error:
                found[identity] = one.refused(error)
    return found, tuple(files)


def _stubs(store: StructureStore, message: Collection[Artefact]) -> tuple[Artefact, ...]:
    """Return stubs of what references lead to and is neither in the message nor known."""
    lenient = StructureStore(store.artefacts, missing=Missing.ALLOWED)
    whole = lenient.with_artefacts(message)
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
