"""The languages that a release speaks, and those that a request wants of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sdmx_service.formats import languages
from sdmx_service.formats.weights import members
from sdmx_service.release import Release
from sdmx_service.structures.maintainable import Artefact

__all__ = ["named", "preferred", "spoken", "told"]

_TEXTS = frozenset({"names", "descriptions"})


@lru_cache(maxsize=4)
def spoken(release: Release) -> tuple[str, ...]:
    """Return the languages in which anything in a release has a name, the most usual first."""
    found: Counter[str] = Counter()
    for artefact in release.structures.artefacts:
        found.update(_languages(artefact.content))
    return tuple(sorted(found, key=lambda tag: (-found[tag], tag))) or ("en",)


def preferred(release: Release, header: str | None, asked: str | None) -> tuple[str, ...]:
    """Return the languages to answer in, by ``lang=`` or Accept-Language, the best first.

    Raises NotAcceptable where ``lang=`` names only languages that the release does not speak.
    """
    return languages(header, asked, spoken(release))


def named(asked: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return those of the languages wanted that ``lang=`` itself names, by tag or language."""
    tags = [one.name.lower() for one in members(asked)]
    known = {part for tag in tags for part in (tag, tag.partition("-")[0])}
    return tuple(tag for tag in wanted if tag.lower() in known)


def told(artefacts: Iterable[Artefact], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the languages wanted, first the best of them that any of the artefacts has."""
    contents = [one.content for one in artefacts]
    for tag in wanted:
        if any(tag == found for content in contents for found in _languages(content)):
            return tag, *(other for other in wanted if other != tag)
    return tuple(wanted)


def _languages(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in _TEXTS and isinstance(value, Mapping):
                yield from value
            else:
                yield from _languages(value)
    elif isinstance(content, list | tuple):
        for each in content:
            yield from _languages(each)
