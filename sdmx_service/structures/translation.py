"""Artefacts in some of their languages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact

__all__ = ["in_languages"]

_TEXTS = frozenset({"names", "descriptions", "texts", "conditions", "departments", "roles"})


def in_languages(
    artefact: Artefact, asked: Collection[str], order: Sequence[str], *, marked: bool
) -> Artefact:
    """Return an artefact with its texts in the languages asked for alone.

    A text that has none of them stays in the first of ``order`` that it has, else in its own
    first. Where something is left out the artefact is ``marked`` as partial in language, if that
    can be said (SDMX 3.1).
    """
    if artefact.kind is ArtefactKind.AVAILABILITY_CONSTRAINT:
        return artefact
    content = _cut(artefact.content, asked, order)
    if content == artefact.content:
        return artefact
    marks = {"isPartialLanguage": True} if marked else {}
    return artefact.with_content(**{**content, **marks})


def _cut(part: Any, asked: Collection[str], order: Sequence[str]) -> Any:
    if isinstance(part, list | tuple):
        return [_cut(one, asked, order) for one in part]
    if not isinstance(part, Mapping):
        return part
    return {
        key: _texts(value, asked, order)
        if key in _TEXTS and isinstance(value, Mapping)
        else _cut(value, asked, order)
        for key, value in part.items()
    }


def _texts(
    texts: Mapping[str, str], asked: Collection[str], order: Sequence[str]
) -> Mapping[str, str]:
    kept = {tag: text for tag, text in texts.items() if tag in asked}
    if kept or not texts:
        return kept
    tag = next((tag for tag in order if tag in texts), next(iter(texts)))
    return {tag: texts[tag]}
