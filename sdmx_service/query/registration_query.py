"""One question about registered data sources (REST 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.query import Provider, Target
from sdmx_service.query.rest22 import target

__all__ = ["REGISTRATION_PARAMETERS", "RegistrationQuery", "registration_query"]

REGISTRATION_PARAMETERS = ("updatedAfter", "updatedBefore", *grammar.PRESENTATION)
_EXPECTED = "id/REGISTRATION, provider/AGENCY/PROVIDER or context/agency/id/version"


@dataclass(frozen=True)
class RegistrationQuery:
    """Registrations by ``id``, by ``providers`` or by what they are for (``target``).

    ``after`` and ``before`` bound the time of their last change, both exclusive.
    """

    id: str | None = None
    providers: tuple[Provider, ...] | None = None
    target: Target | None = None
    after: datetime | None = None
    before: datetime | None = None


def registration_query(path: str, query_string: str = "") -> RegistrationQuery:
    """Parse what follows ``/registration/``; RequestError."""
    way, *parts = grammar.path_parts(path) or ["*"]  # the default of each part
    if way == "id":
        grammar.parameters(query_string, grammar.PRESENTATION)
        if len(parts) != 1:
            raise RequestError("path", got=path[:255], expected=_EXPECTED)
        return RegistrationQuery(id=grammar.identifier(parts[0], "registrationID"))
    given = grammar.parameters(query_string, REGISTRATION_PARAMETERS)
    after, before = (
        grammar.moment(given[name], name) if name in given else None
        for name in REGISTRATION_PARAMETERS[:2]
    )
    if way == "provider":
        if len(parts) > 2:
            raise RequestError("path", got=path[:255], expected=_EXPECTED)
        agencies, ids = (*parts, *("*", "*")[len(parts) :])
        providers = tuple(
            Provider(identity, agency)
            for agency in grammar.each(agencies, ",", grammar.agency, "agencyID")
            for identity in grammar.each(ids, ",", grammar.identifier, "providerID")
        )
        return RegistrationQuery(providers=providers, after=after, before=before)
    if len(parts) > 3:
        raise RequestError("path", got=path[:255], expected=_EXPECTED)
    return RegistrationQuery(target=target([way, *parts]), after=after, before=before)
