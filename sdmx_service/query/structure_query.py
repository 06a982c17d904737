"""One question about structures, whichever REST version it came in."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sdmx_service.errors import NotFound, RequestError
from sdmx_service.query import grammar
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.references import References

__all__ = [
    "STRUCTURE_PARAMETERS_15",
    "STRUCTURE_PARAMETERS_22",
    "StructureQuery",
    "kinds_named",
    "structure_query15",
    "structure_query22",
]

STRUCTURE_PARAMETERS_15 = ("references", "detail", *grammar.PRESENTATION)
STRUCTURE_PARAMETERS_22 = ("references", "detail", "asOf", *grammar.PRESENTATION)
_EVERY = frozenset(ArtefactKind)
# Of each part of a path of REST 1.5, the words that are no ids.
_WORDS_15: Mapping[int, Mapping[str, str]] = {
    1: {"all": "*"}, 2: {"all": "*"}, 3: {"all": "*", "latest": "~"},
}  # fmt: skip
# Collections without the pattern of an item scheme whose parts can still be asked for.
_COLLECTIONS = ("valuelist", "hierarchicalcodelist")
_DEFAULTS = ("*", "*", "*", "~", "*")


@dataclass(frozen=True)
class StructureQuery:
    """A structure query; every tuple is an OR, ``*`` is any, ``~`` and ``+`` the latest.

    ``references`` is one of the keywords, or the kinds of artefact to bring along. ``items`` are
    the ids of the items to keep of an item scheme; none at all keeps every one.
    """

    kinds: frozenset[ArtefactKind]
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("~",)
    items: tuple[str, ...] = ()
    references: References | frozenset[ArtefactKind] = References.NONE
    detail: Detail = Detail.FULL
    as_of: datetime | None = None


def structure_query15(path: str, query_string: str = "") -> StructureQuery:
    """Parse ``{type}/{agency}/{id}/{version}/{item}`` of REST 1.5 and its parameters.

    Left-out parts mean all agencies, all ids and the latest version. Raises RequestError, and
    NotFound for a type of artefact that the standard does not know.
    """
    given = grammar.parameters(query_string, STRUCTURE_PARAMETERS_15)
    parts = [
        "+".join(_WORDS_15[position].get(word, word) for word in part.replace(",", "+").split("+"))
        if position in _WORDS_15
        else part
        for position, part in enumerate(grammar.path_parts(path))
    ]
    if len(parts) > 3 and parts[3] == "+":
        parts[3] = "~"  # split by its own sign it would be two empty words
    if len(parts) > 4 and parts[4] == "all":
        parts[4] = "*"
    return _query(parts, "+", given, _old_version)


def structure_query22(path: str, query_string: str = "") -> StructureQuery:
    """Parse what follows ``/structure/``: ``{type}/{agency}/{id}/{version}/{item}`` of REST 2.2.

    Left-out parts mean any type, agency and id, and the latest version. Raises RequestError, and
    NotFound for a type of artefact that the standard does not know.
    """
    given = grammar.parameters(query_string, STRUCTURE_PARAMETERS_22)
    return _query(grammar.path_parts(path), ",", given, grammar.version)


def kinds_named(name: str) -> frozenset[ArtefactKind]:
    """Return the kinds that a path calls ``name``; NotFound names the closest."""
    if name in ("*", "all", "structure"):
        return _EVERY
    kinds = frozenset(kind for kind in ArtefactKind if name in kind.paths)
    if kinds:
        return kinds
    names = sorted({path for kind in ArtefactKind for path in kind.paths})
    close = difflib.get_close_matches(name[: grammar.LONGEST], names, n=1)
    raise NotFound(
        "structure type",
        got=name[: grammar.LONGEST],
        expected=f"one of {', '.join(names)}",
        hint=f"did you mean {close[0]}?" if close else None,
    )


def _query(
    parts: Sequence[str], separator: str, given: Mapping[str, str], version: grammar.Check
) -> StructureQuery:
    if len(parts) > 5:
        raise RequestError(
            "path", got=f"{len(parts)} parts", expected="type/agency/id/version/item at most"
        )
    name, agencies, ids, versions, items = (*parts, *_DEFAULTS[len(parts) :])
    kinds = kinds_named(name)
    # The values of a value list are any texts, the others ids.
    check = _value if name == "valuelist" else grammar.item
    wanted = grammar.each(items, separator, check, "itemID")
    wanted = () if "*" in wanted else wanted
    if wanted and name not in _COLLECTIONS and not all(kind.item for kind in kinds):
        raise RequestError(
            "itemID",
            got=items[: grammar.LONGEST],
            expected="*, for this type of artefact has no items",
        )
    return StructureQuery(
        kinds=kinds,
        agencies=grammar.each(agencies, separator, grammar.agency, "agencyID"),
        ids=grammar.each(ids, separator, grammar.identifier, "resourceID"),
        versions=grammar.each(versions or "~", separator, version, "version"),
        items=wanted,
        references=_references(given.get("references", "none")),
        detail=grammar.choice(Detail, given.get("detail", "full"), "detail"),
        as_of=grammar.moment(given["asOf"], "asOf") if "asOf" in given else None,
    )


def _value(text: str, where: str) -> str:
    if not 0 < len(text) <= grammar.LONGEST:
        raise RequestError(where, got=text[: grammar.LONGEST], expected="a value of the list")
    return text


def _old_version(text: str, where: str) -> str:
    return text if text in ("~", "*") else grammar.old_version(text, where)


def _references(text: str) -> References | frozenset[ArtefactKind]:
    keywords = [keyword.value for keyword in References]
    if text in keywords:
        return References(text)
    names = {path for kind in ArtefactKind for path in kind.paths}
    words = text.split(",")
    for word in words:
        if word not in names:
            raise RequestError(
                "references",
                got=word[: grammar.LONGEST],
                expected=f"one of {', '.join(keywords)} or a type of artefact",
            )
    return frozenset().union(*(kinds_named(word) for word in words))
