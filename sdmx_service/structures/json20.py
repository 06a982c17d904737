"""Structure messages written as SDMX-JSON 2.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sdmx_service.structures.artefacts import localised
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.detail import Detail, cut
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.writing_ml import message_id

__all__ = ["MEDIA_TYPE", "structure_message"]

MEDIA_TYPE = "application/vnd.sdmx.structure+json;version=2.0.0"

_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/"
    "tools/schemas/2.0.0/sdmx-json-structure-schema.json"
)

# Texts by language -> the single text beside them.
_TEXTS = {
    "names": "name",
    "descriptions": "description",
    "texts": "text",
    "conditions": "condition",
    "departments": "department",
    "roles": "role",
}
# What JSON 2.0 leaves to the version of an artefact, or has no place for in a stub.
_LEFT_OUT = frozenset({"isFinal", "serviceURL", "structureURL", "uri"})
_ONLY_LATER = frozenset({"dimensionConstraint", "evolvingStructure", "isPartialLanguage"})

Json = dict[str, Any]


def structure_message(
    artefacts: Iterable[Artefact],
    *,
    prepared: datetime,
    sender: str,
    test: bool = False,
    detail: Detail = Detail.FULL,
    referenced: Iterable[Artefact] = (),
    language: str = "en",
) -> bytes:
    """Return a message with the artefacts asked for and those they refer to.

    The result is valid against the SDMX-JSON 2.0 structure schema. ``prepared`` has a time zone;
    ``language`` is that of the single names beside the full sets. Raises CannotCarry for an
    artefact, or something in it, that SDMX-JSON 2.0 has no place for.
    """
    data: dict[str, list[Json]] = {}
    languages: set[str] = set()
    for found in cut(artefacts, referenced, detail):
        kind = found.kind
        if not kind.ml3:
            raise CannotCarry(
                found.urn,
                got=f"a {kind.element}",
                expected="a kind of artefact that SDMX-JSON 2.0 has",
                hint="ask for SDMX-ML 2.1",
            )
        if kind is ArtefactKind.AVAILABILITY_CONSTRAINT:
            kind = ArtefactKind.DATA_CONSTRAINT
        data.setdefault(kind.json_key, []).append(_maintainable(found, language, languages))
    meta = {
        "schema": _SCHEMA,
        "id": message_id(sender, prepared),
        "test": test,
        "prepared": prepared.isoformat(timespec="seconds"),
        "contentLanguages": [language, *sorted(languages - {language})],
        "sender": {"id": sender},
    }
    message = {"meta": meta, "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _maintainable(artefact: Artefact, language: str, languages: set[str]) -> Json:
    for key in _ONLY_LATER & artefact.content.keys():
        raise CannotCarry(
            artefact.urn, got=key, expected="what SDMX-JSON 2.0 has a place for", hint="ask for 2.1"
        )
    content = {key: value for key, value in artefact.content.items() if key not in _LEFT_OUT}
    found = _plain(content, language, languages)
    found.setdefault("isExternalReference", False)
    found["links"] = [*found.get("links", []), {"rel": "self", "urn": artefact.urn}]
    if artefact.kind in _ROLES:
        found["role"] = _ROLES[artefact.kind]
    if (add := _OWN.get(artefact.kind)) is not None:
        add(found)
    return found


def _plain(part: Mapping[str, Any], language: str, languages: set[str]) -> Json:
    found: Json = {}
    for key, value in part.items():
        if key in _TEXTS:
            languages |= value.keys()
            found[_TEXTS[key]] = localised(value, language)
            found[key] = value
        elif isinstance(value, dict):
            found[key] = _plain(value, language, languages)
        elif isinstance(value, list):
            found[key] = [
                _plain(one, language, languages) if isinstance(one, dict) else one for one in value
            ]
        else:
            found[key] = value
    return found


def _datastructure(found: Json) -> None:
    components = found.get("dataStructureComponents", {})
    for position, one in enumerate(components.get("dimensionList", {}).get("dimensions", [])):
        # Positions count from 0 in SDMX-JSON and from 1 in SDMX-ML.
        one["position"] = position
    for one in components.get("attributeList", {}).get("attributes", []):
        one.setdefault("usage", "optional")


def _constraint(found: Json) -> None:
    for keys in found.get("dataKeySets", []):
        for key in keys["keys"]:
            for one in key.get("keyValues", []):
                [one["value"]] = one.pop("values")
    found.pop("seriesCount", None)
    found.pop("obsCount", None)


_ROLES = {
    ArtefactKind.DATA_CONSTRAINT: "Allowed",
    ArtefactKind.METADATA_CONSTRAINT: "Allowed",
    ArtefactKind.AVAILABILITY_CONSTRAINT: "Actual",
}
_OWN: Mapping[ArtefactKind, Callable[[Json], None]] = {
    ArtefactKind.DATA_STRUCTURE: _datastructure,
    ArtefactKind.DATA_CONSTRAINT: _constraint,
    ArtefactKind.AVAILABILITY_CONSTRAINT: _constraint,
}
