"""Structure queries over HTTP."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import (
    Choice,
    Format,
    Generation,
    StructureMessage,
    negotiate,
    structure_formats,
)
from sdmx_service.query import grammar
from sdmx_service.query.structure_query import (
    STRUCTURE_PARAMETERS_15,
    STRUCTURE_PARAMETERS_22,
    StructureQuery,
    structure_query15,
    structure_query22,
)
from sdmx_service.release import Release
from sdmx_service.structures.address import Address
from sdmx_service.structures.answer import answer as structures_answered
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Identity
from sdmx_service.structures.translation import in_languages
from sdmx_service.web.actual import reaches_actual, with_actual
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.language import named, preferred, told
from sdmx_service.web.problem import NoResults
from sdmx_service.web.sender import sender_of

__all__ = ["answer_artefacts", "chosen_format", "release_asked", "structure15", "structure22"]

_LONGEST = 3000  # of a header, which servers and proxies take at 4 to 8 kB in all


def structure15(request: Request) -> Response:
    """Answer ``/rest/{type}/...``; nothing found is an error there (SDMX error 100)."""
    asked = Asked.of(request, depth=1)
    query = structure_query15(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, STRUCTURE_PARAMETERS_15)
    response = _answered(request, query, given, Generation.SDMX_2_1)
    if response.status_code == 204:
        raise NoResults(
            asked.path[:255],
            expected="an artefact of this release",
            hint="GET /rest/dataflow lists the dataflows",
        )
    return response


def structure22(request: Request) -> Response:
    """Answer ``/sdmx/v2/structure/...``; nothing found is 204."""
    asked = Asked.of(request, depth=3)
    query = structure_query22(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, STRUCTURE_PARAMETERS_22)
    return _answered(request, query, given, Generation.SDMX_3_1)


def _answered(
    request: Request,
    query: StructureQuery,
    given: Mapping[str, str],
    generation: Generation,
) -> Response:
    choice = chosen_format(request, given, generation)
    release = release_asked(request, query.as_of)
    if release is None:
        return answer(request, request.app.state.current.release(), choice.content_type, None)
    old = generation is Generation.SDMX_2_1
    actual = old and reaches_actual(query.kinds, query.references)
    store = with_actual(release) if actual else release.structures
    found = structures_answered(
        store,
        store.find(query.kinds, query.agencies, query.ids, query.versions),
        items=query.items,
        references=query.references,
        detail=query.detail,
        known=ArtefactKind.of_generation(2 if old else 3),
    )
    # Who names an artefact wants to know why it cannot be had; who lists them wants the others.
    lists = "*" in query.ids or any("*" in one for one in query.versions)
    optional = (*(found.asked if lists else ()), *found.referenced)
    return answer_artefacts(
        request,
        release,
        choice,
        given,
        found.asked,
        found.referenced,
        query.detail,
        optional=frozenset(one.identity for one in optional),
        address=_address(request, query, generation),
    )


def _address(request: Request, query: StructureQuery, generation: Generation) -> Address:
    """Return where this service answers for artefacts, as they stood at the moment asked for."""
    root, old = str(request.base_url).rstrip("/"), generation is Generation.SDMX_2_1
    stood: tuple[str, ...] = ()
    if query.as_of is not None:
        moment = query.as_of.astimezone(UTC).isoformat().removesuffix("+00:00")
        stood = (f"asOf={moment}Z",)
    return Address(f"{root}/rest" if old else f"{root}/sdmx/v2/structure", old, stood)


def release_asked(request: Request, as_of: datetime | None) -> Release | None:
    """Return the current release, or the one that was at a moment; None before the first."""
    current: CurrentRelease = request.app.state.current
    release = current.release()
    return release if as_of is None else current.archive.release_at(release, as_of)


def chosen_format(
    request: Request, given: Mapping[str, str], generation: Generation
) -> Choice[StructureMessage]:
    """Return the format of structures that a request asks for, by parameter or header.

    Where none is said it is SDMX-ML 2.1 for who speaks SDMX 2.1, else the newest SDMX-JSON.
    """
    formats = structure_formats()
    old = generation is Generation.SDMX_2_1
    usual = [
        one
        for one in formats
        if (one.version == "2.1" if old else one.media_type.endswith("+json"))
    ]
    return negotiate(
        formats,
        accept=request.headers.get("accept"),
        default=max(usual, key=lambda one: one.version),
        generation=generation,
        asked=given.get("format"),
        version=given.get("formatVersion"),
        labels=given.get("labels"),
    )


def answer_artefacts(
    request: Request,
    release: Release,
    choice: Choice[StructureMessage],
    given: Mapping[str, str],
    asked: Collection[Artefact],
    referenced: Iterable[Artefact] = (),
    detail: Detail = Detail.FULL,
    *,
    optional: frozenset[Identity] = frozenset(),
    address: Address | None = None,
) -> Response:
    """Return artefacts as a message, 204 where none was found, or 304.

    What the format cannot carry raises CannotCarry. If it is ``optional`` and something else was
    asked for, it is left out, and the header X-Left-Out says what and why. ``address`` is where
    the whole of stubs is. Texts are in all languages, but where ``lang=`` names some.
    """
    if not asked:
        return answer(request, release, choice.content_type, None)
    wanted = preferred(release, request.headers.get("accept-language"), given.get("lang"))
    behind = tuple(referenced)
    if given.get("lang", "all") not in ("all", "*"):
        newest = choice.format.generation is Generation.SDMX_3_1
        only = named(given["lang"], wanted)
        asked = [in_languages(one, only, wanted, marked=newest) for one in asked]
        behind = tuple(in_languages(one, only, wanted, marked=newest) for one in behind)
    wanted = told((*asked, *behind), wanted)
    message = StructureMessage(
        artefacts=tuple(asked),
        referenced=behind,
        sender=sender_of(release, next(iter(asked)).agency),
        prepared=release.published,
        detail=detail,
        languages=wanted,
        address=address,
    )
    try:
        pieces, left_out = _written(choice.format, message, optional)
    except CannotCarry as error:
        error.hint = _ways(message) or error.hint
        raise
    name = next(iter(asked)).id if len(asked) == 1 else "structures"
    response = answer(
        request,
        release,
        choice.content_type,
        pieces,
        language=wanted[0],
        file=f"{name}{choice.format.extension}",
    )
    if left_out:
        response.headers["X-Left-Out"] = _said(left_out)
    return response


def _written(
    format: Format[StructureMessage], message: StructureMessage, optional: frozenset[Identity]
) -> tuple[Iterable[bytes], tuple[CannotCarry, ...]]:
    """Return the pieces of a message, and why what is optional was left out."""
    try:
        return _begun(format, message), ()
    except CannotCarry:
        if not optional:
            raise
    nothing = replace(message, artefacts=(), referenced=())
    left_out: list[CannotCarry] = []

    def carried(alone: StructureMessage) -> bool:
        [one] = (*alone.artefacts, *alone.referenced)
        try:
            _begun(format, alone)
        except CannotCarry as error:
            if one.identity not in optional:
                raise
            left_out.append(error)
            return False
        return True

    asked = tuple(a for a in message.artefacts if carried(replace(nothing, artefacts=(a,))))
    if not asked:
        raise left_out[0]
    behind = tuple(a for a in message.referenced if carried(replace(nothing, referenced=(a,))))
    rest = replace(message, artefacts=asked, referenced=behind)
    return _begun(format, rest), tuple(left_out)


def _ways(message: StructureMessage) -> str | None:
    """Return which formats have a place for all that was asked for."""
    found = []
    for format in structure_formats():
        try:
            _begun(format, replace(message, referenced=()))
        except CannotCarry:
            continue
        found.append(f"format={format.name}")
    return f"these have: {', '.join(sorted(found))}" if found else None


def _begun(format: Format[StructureMessage], message: StructureMessage) -> Iterable[bytes]:
    """Return the pieces of a message of which the first is made."""
    pieces = iter(format.write(message))
    return chain([next(pieces)], pieces)


def _said(left_out: tuple[CannotCarry, ...]) -> str:
    said = "; ".join(f"{one.where} ({one.got})" for one in left_out)
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]} ... {len(left_out)} in all"
    return said.encode("ascii", "backslashreplace").decode()
