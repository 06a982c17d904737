"""Registration queries over HTTP: one registration for each provision agreement."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.formats import negotiate
from sdmx_service.formats.registration import (
    Registration,
    RegistrationMessage,
    registration_formats,
)
from sdmx_service.query import grammar
from sdmx_service.query.query import Context, Target
from sdmx_service.query.registration_query import (
    REGISTRATION_PARAMETERS,
    RegistrationQuery,
    registration_query,
)
from sdmx_service.release import Release
from sdmx_service.structures.artefacts import ProvisionAgreement
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Identity
from sdmx_service.structures.urns import Urn
from sdmx_service.web.answer import Asked, answer

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
    formats = registration_formats()
    choice = negotiate(
        formats,
        accept=request.headers.get("accept"),
        default=formats[0],
        asked=given.get("format"),
        version=given.get("formatVersion"),
    )
    release: Release = request.app.state.current.release()
    url = f"{str(request.base_url).rstrip('/')}/sdmx/v2"
    found = tuple(_found(release, query, url))
    if not found:
        return answer(request, release, choice.content_type, None)
    sender = found[0].agreement.partition("=")[2].partition(":")[0].replace(".", "_")
    message = RegistrationMessage(found, sender, release.published)
    return answer(request, release, choice.content_type, choice.format.write(message))


def _found(release: Release, query: RegistrationQuery, url: str) -> Iterator[Registration]:
    changed = release.published
    if query.after is not None and changed <= query.after:
        return
    if query.before is not None and changed >= query.before:
        return
    for agreement in release.structures.agreements():
        # What the release has no rows of has no data source either.
        flow = release.structures.target(agreement.flow)
        if flow is None or not _holds(release, flow.id, flow.agency, flow.version):
            continue
        one = Registration(
            f"{agreement.agency}_{agreement.id}_{agreement.version}".replace(".", "_"),
            ArtefactKind.PROVISION_AGREEMENT.urn(agreement.agency, agreement.id, agreement.version),
            url,
            changed,
        )
        if _asked(release, query, one, agreement, flow.identity):
            yield one


def _holds(release: Release, id: str, agency: str, version: str) -> bool:
    structure = release.structures.dataflow(id, agency, version).structure
    return structure.id in release.manifest.rows


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
