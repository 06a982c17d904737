"""Registration queries over HTTP: one registration for each provision agreement.

The standard says twice what the answer is: registry messages in its text (doc/registration.md),
reference metadata in its OpenAPI file. Whoever names a type, or none, is answered as the text has
it; a client that takes anything (``*/*``) as the file has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import Format, Generation, metadata_formats, negotiate
from sdmx_service.formats.negotiation import accepted
from sdmx_service.formats.registration import (
    Registration,
    RegistrationMessage,
    registration_formats,
)
from sdmx_service.query import grammar
from sdmx_service.query.query import Context, DataQuery, Target
from sdmx_service.query.registration_query import (
    REGISTRATION_PARAMETERS,
    RegistrationQuery,
    registration_query,
)
from sdmx_service.release import Release
from sdmx_service.release.metadata import metadata_message
from sdmx_service.release.reading import chosen
from sdmx_service.release.reports import registration_reports
from sdmx_service.structures.artefacts import ProvisionAgreement
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Identity
from sdmx_service.structures.urns import Urn
from sdmx_service.web.answer import Asked, answer
from sdmx_service.web.language import preferred
from sdmx_service.web.sender import sender_of

__all__ = ["registration22"]

_KINDS = {
    Context.ANY: None,
    Context.DATAFLOW: ArtefactKind.DATAFLOW,
    Context.DATA_STRUCTURE: ArtefactKind.DATA_STRUCTURE,
    Context.PROVISION_AGREEMENT: ArtefactKind.PROVISION_AGREEMENT,
}


def registration22(request: Request) -> Response:
    """Answer ``/sdmx/v2/registration/...``; nothing found is 204."""
    asked = Asked.of(request, depth=3)
    query = registration_query(asked.path, asked.query_string)
    given = grammar.parameters(asked.query_string, REGISTRATION_PARAMETERS)
    release: Release = request.app.state.current.release()
    url = f"{str(request.base_url).rstrip('/')}/sdmx/v2"
    found = tuple(_found(release, query, url))
    reports = registration_reports(release, found)
    registry = registration_formats()
    metadata = metadata_formats() if reports or not found else ()
    # What is written, and thereby the type of the message, follows from the choice.
    formats: tuple[Format[Any], ...] = (*registry, *metadata)
    accept = request.headers.get("accept", "")
    default: Format[Any] = registry[0]
    first = next(iter(accepted(accept)), None) if accept else None
    if metadata and first is not None and first.type == "*/*" and "format" not in given:
        default = next(one for one in metadata if one.name == "metadatajson21")
    choice = negotiate(
        formats,
        accept=accept,
        default=default,
        asked=given.get("format"),
        version=given.get("formatVersion"),
        generation=Generation.SDMX_3_1,
    )
    if not found:
        return answer(request, release, choice.content_type, None)
    if choice.format in registry:
        agency = found[0].agreement.partition("=")[2].partition(":")[0]
        sender = sender_of(release, agency)
        pieces = choice.format.write(RegistrationMessage(found, sender, release.published))
        return answer(request, release, choice.content_type, pieces, file="registrations.xml")
    wanted = preferred(release, request.headers.get("accept-language"), given.get("lang"))
    pieces = choice.format.write(metadata_message(release, reports, languages=wanted))
    return answer(
        request,
        release,
        choice.content_type,
        pieces,
        language=wanted[0],
        variant=" ".join(wanted),
        file=f"registrations{choice.format.extension}",
    )


def _found(release: Release, query: RegistrationQuery, url: str) -> Iterator[Registration]:
    changed = release.published
    if query.after is not None and changed <= query.after:
        return
    if query.before is not None and changed >= query.before:
        return
    for agreement in release.structures.agreements():
        # What the release has no rows of has no data source either.
        flow = release.structures.target(agreement.flow)
        if flow is None or not _holds(release, agreement):
            continue
        one = Registration(
            f"{agreement.agency}_{agreement.id}_{agreement.version}".replace(".", "_"),
            ArtefactKind.PROVISION_AGREEMENT.urn(agreement.agency, agreement.id, agreement.version),
            url,
            changed,
        )
        if _asked(release, query, one, agreement, flow.identity):
            yield one


def _holds(release: Release, agreement: ProvisionAgreement) -> bool:
    flow = release.structures.provisioned(agreement.id, agreement.agency, agreement.version)
    if flow.structure.id not in release.manifest.rows:
        return False
    return chosen(release.image(flow.structure.id), flow, DataQuery()).height > 0


def _asked(
    release: Release,
    query: RegistrationQuery,
    one: Registration,
    agreement: ProvisionAgreement,
    flow: Identity,
) -> bool:
    if query.id is not None:
        return query.id == one.id
    if query.providers is not None:
        urn = Urn.parse(agreement.provider)
        return urn is not None and any(
            provider.id in ("*", urn.item) and provider.agency in ("*", urn.agency)
            for provider in query.providers
        )
    return query.target is None or _named(release, query.target, agreement, flow)


def _named(release: Release, target: Target, agreement: ProvisionAgreement, flow: Identity) -> bool:
    """Tell whether the target names the agreement, its flow or its structure."""
    store = release.structures
    structure = store.dataflow(flow[2], flow[1], flow[3]).structure
    own: dict[ArtefactKind, tuple[str, str, str]] = {
        ArtefactKind.PROVISION_AGREEMENT: (agreement.agency, agreement.id, agreement.version),
        ArtefactKind.DATAFLOW: flow[1:],
        ArtefactKind.DATA_STRUCTURE: (structure.agency, structure.id, structure.version),
    }
    kind = _KINDS[target.context]
    return any(
        found.identity == (one, *own[one])
        for one in (own if kind is None else (kind,))
        for found in store.find(one, target.agencies, target.ids, target.versions)
    )
