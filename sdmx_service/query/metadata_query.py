"""One question about reference metadata, whichever REST version it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.period import parse_period
from sdmx_service.query.query import Provider
from sdmx_service.query.rest15 import flow_target
from sdmx_service.query.structure_query import kinds_named
from sdmx_service.structures.kinds import ArtefactKind

__all__ = [
    "METADATA_PARAMETERS_15",
    "METADATA_PARAMETERS_22",
    "MetadataQuery",
    "metadata_query15",
    "metadata_query22",
]

METADATA_PARAMETERS_15 = (
    "startPeriod",
    "endPeriod",
    "updatedAfter",
    "detail",
    *grammar.PRESENTATION,
)
METADATA_PARAMETERS_22 = ("detail", "asOf", *grammar.PRESENTATION)
_ANY = ("*", "all")
_WAYS = {"metadataset": 3, "metadataflow": 4}


@dataclass(frozen=True)
class MetadataQuery:
    """A query for metadata sets; every tuple is an OR, ``*`` is any, ``~`` the latest.

    By metadata set (``sets``): ``agencies`` are the providers. By metadata flow (``flows``):
    the agencies, ids and versions are those of the flow. Otherwise by the structures of ``kinds``
    that the metadata are about. ``stubs`` asks for names without content. ``updated_after`` asks
    for what was reported after that moment.
    """

    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("~",)
    sets: bool = False
    flows: bool = False
    kinds: frozenset[ArtefactKind] = frozenset()
    providers: tuple[Provider, ...] = ()
    stubs: bool = False
    as_of: datetime | None = None
    updated_after: datetime | None = None


def metadata_query22(path: str, query_string: str = "") -> MetadataQuery:
    """Parse what follows ``/metadata/`` of REST 2.2, by metadataset, metadataflow or structure.

    Raises RequestError, and NotFound for an unknown type of structure.
    """
    given = grammar.parameters(query_string, METADATA_PARAMETERS_22)
    as_of = grammar.moment(given["asOf"], "asOf") if "asOf" in given else None
    way, *parts = grammar.path_parts(path) or [""]
    if way not in ("structure", *_WAYS) and ArtefactKind.of_path(way):
        # As the examples of metadata.md have it, where its syntax has the word before the type.
        way, parts = "structure", [way, *parts]
    if way == "structure" and len(parts) < 5:
        kinds, parts = kinds_named(parts[0] if parts else "*"), parts[1:]
        return MetadataQuery(*_named(parts), kinds=kinds, stubs=_stubs(given), as_of=as_of)
    if way not in _WAYS or len(parts) > _WAYS[way]:
        raise RequestError(
            "path",
            got=path[:255],
            expected="structure/type/agency/id/version, metadataflow/agency/id/version/provider "
            "or metadataset/provider/id/version",
        )
    return MetadataQuery(
        *_named(parts[:3]),
        sets=way == "metadataset",
        flows=way == "metadataflow",
        providers=_providers(parts[3]) if len(parts) > 3 else (),
        stubs=_stubs(given),
        as_of=as_of,
    )


def metadata_query15(path: str, query_string: str = "") -> MetadataQuery:
    """Parse what follows ``/metadata/`` in REST 1.5: ``{flow}/{key}/{provider}``.

    A key of a metadata flow is not kept: it would name targets that SDMX 3 no longer has; only
    ``all`` is understood. Sets say nothing of periods, so that none is before ``startPeriod`` or
    after ``endPeriod``. Raises RequestError.
    """
    given = grammar.parameters(query_string, METADATA_PARAMETERS_15)
    for name in ("startPeriod", "endPeriod"):
        if name in given:
            parse_period(given[name], name)
    if given.get("detail", "full") != "full":
        raise RequestError(
            "detail",
            got=given["detail"][:255],
            expected="full: metadata have no series whose keys or values could be left out",
        )
    parts = grammar.path_parts(path)
    if not 1 <= len(parts) <= 3 or (len(parts) > 1 and parts[1] not in ("all", "*")):
        raise RequestError("path", got=path[:255], expected="FLOW, FLOW/all or FLOW/all/PROVIDER")
    target = flow_target(parts[0], parts[2] if len(parts) > 2 else "all")
    updated = given.get("updatedAfter")
    return MetadataQuery(
        agencies=target.agencies,
        ids=target.ids,
        versions=target.versions,
        flows=True,
        providers=target.providers,
        updated_after=None if updated is None else grammar.moment(updated, "updatedAfter"),
    )


def _named(parts: list[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    agencies, ids, versions = (*parts, *("*", "*", "~")[len(parts) :])
    return (
        grammar.each(agencies, ",", grammar.agency, "agencyID"),
        grammar.each(ids, ",", grammar.item, "resourceID"),
        grammar.each(versions or "~", ",", grammar.version, "version"),
    )


def _stubs(given: Mapping[str, str]) -> bool:
    detail = given.get("detail", "full")
    if detail not in ("full", "allstubs"):
        raise RequestError("detail", got=detail[:255], expected="full or allstubs")
    return detail == "allstubs"


def _providers(text: str) -> tuple[Provider, ...]:
    """Return the providers of an OR; none where one of them is any provider of any agency."""
    found = []
    for word in text.split(",") if text else ():
        agency, _, identity = word.rpartition(".")
        every, anyone = agency in ("", *_ANY), identity in _ANY
        if every and anyone:
            return ()
        found.append(
            Provider(
                "*" if anyone else grammar.identifier(identity, "providerRef"),
                "*" if every else grammar.agency(agency, "providerRef"),
            )
        )
    return tuple(found)
