"""One question about structures, whichever REST version it came in."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sdmx_service.errors import NotFound, RequestError
from sdmx_service.query import grammar
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.references import References

__all__ = ["StructureQuery", "parse_structure_parts"]

_EVERY = frozenset(ArtefactKind)
# Types of the standard that a publication of this service has none of.
_ABSENT = (
    "actualconstraint",
    "attachmentconstraint",
    "categoryschememap",
    "conceptschememap",
    "customtypescheme",
    "dataconsumerscheme",
    "dataproviderscheme",
    "hierarchicalcodelist",
    "hierarchy",
    "hierarchyassociation",
    "metadataconstraint",
    "metadataflow",
    "metadataproviderscheme",
    "metadataprovisionagreement",
    "metadatastructure",
    "namepersonalisationscheme",
    "organisationschememap",
    "organisationunitscheme",
    "process",
    "provisionagreement",
    "reportingtaxonomy",
    "reportingtaxonomymap",
    "representationmap",
    "rulesetscheme",
    "structuremap",
    "structureset",
    "transformationscheme",
    "userdefinedoperatorscheme",
    "valuelist",
    "vtlmappingscheme",
)
_KINDS: Mapping[str, frozenset[ArtefactKind]] = {
    **{name: frozenset({kind}) for kind in ArtefactKind for name in kind.paths},
    **dict.fromkeys(_ABSENT, frozenset()),
    "organisationscheme": frozenset({ArtefactKind.AGENCY_SCHEME}),
    "structure": _EVERY,
    "*": _EVERY,
}


@dataclass(frozen=True)
class StructureQuery:
    """A structure query; every tuple is an OR, ``*`` is any, ``~`` and ``+`` the latest.

    ``kinds`` is empty for a type of the standard that this service has none of. ``references``
    is one of the keywords, or the kinds of artefact to bring along.
    """

    kinds: frozenset[ArtefactKind]
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("~",)
    references: References | frozenset[ArtefactKind] = References.NONE
    detail: Detail = Detail.FULL


def parse_structure_parts(
    parts: Sequence[str], separator: str, given: Mapping[str, str]
) -> StructureQuery:
    """Make a query of ``type, agencies, ids, versions, items`` and the parameters.

    Raises RequestError, and NotFound for a type that the standard does not have.
    """
    if len(parts) > 5:
        raise RequestError(
            "path", got=f"{len(parts)} parts", expected="type/agency/id/version/item at most"
        )
    name, agencies, ids, versions, item = (*parts, *("*", "*", "*", "~", "*")[len(parts) :])
    if item not in ("", "*"):
        raise RequestError(
            "itemID", got=item[: grammar.LONGEST], expected="*", hint="ask for the whole scheme"
        )
    return StructureQuery(
        kinds=_kinds(name),
        agencies=_each(agencies, separator, grammar.agency, "agencyID"),
        ids=_each(ids, separator, grammar.identifier, "resourceID"),
        versions=_versions(versions or "~", separator),
        references=_references(given.get("references", "none")),
        detail=_detail(given.get("detail", "full")),
    )


def _kinds(name: str) -> frozenset[ArtefactKind]:
    if name in _KINDS:
        return _KINDS[name]
    close = difflib.get_close_matches(name[: grammar.LONGEST], _KINDS, n=1)
    raise NotFound(
        "structure type",
        got=name[: grammar.LONGEST],
        expected=f"one of {', '.join(kind.paths[0] for kind in ArtefactKind)}",
        hint=f"did you mean {close[0]}?" if close else None,
    )


def _each(text: str, separator: str, check: grammar.Check, where: str) -> tuple[str, ...]:
    return tuple(
        word if word == "*" else check(word, where) for word in (text or "*").split(separator)
    )


def _versions(text: str, separator: str) -> tuple[str, ...]:
    # In REST 1.5 a plus sign between versions is OR, alone it is a client's "latest".
    words = ("+",) if text == "+" else tuple(text.split(separator))
    return tuple(grammar.version(word) for word in words)


def _detail(text: str) -> Detail:
    # No codelist here extends another: raw and full are the same answer.
    return Detail.FULL if text == "raw" else grammar.choice(Detail, text, "detail")


def _references(text: str) -> References | frozenset[ArtefactKind]:
    keywords = [keyword.value for keyword in References]
    if text in keywords:
        return References(text)
    kinds: set[ArtefactKind] = set()
    for name in text.split(","):
        if name not in _KINDS or name == "*":
            raise RequestError(
                "references",
                got=name[: grammar.LONGEST],
                expected=f"one of {', '.join(keywords)} or a type of artefact",
            )
        kinds |= _KINDS[name]
    return frozenset(kinds)
