"""Structure messages of SDMX-JSON 1.0, 2.0 and 2.1 read into the neutral form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.generations import hierarchy_from_21
from sdmx_service.structures.jsonforms import SINGLE, json_forms, json_keys
from sdmx_service.structures.jsonmessages import (
    JsonVersion,
    parse_json,
    refuse_invalid_json,
    version_of_json,
)
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import DEEPEST
from sdmx_service.structures.neutral import neutral
from sdmx_service.structures.reading_ml import availability_identity, drop_implied_finality
from sdmx_service.structures.shapes import Content, Field, Form, Place, Shape
from sdmx_service.structures.urns import to_31

__all__ = ["read_json"]

_PLURAL = {one: many for many, one in SINGLE.items()}
# Days in SDMX-ML and in the neutral form, moments in SDMX-JSON.
_DAYS = frozenset({"ItemMap", "RepresentationMapping"})
_MIDNIGHT = "T00:00:00"
_SAID_BY_LINKS = {"service": "serviceURL", "structure": "structureURL"}
_LINK = ("rel", "href", "urn", "type")
_DERIVED = frozenset({"geoType"})


def read_json(content: bytes, file: str) -> tuple[Artefact, ...]:
    """Return the artefacts of one structure message; ``file`` names it in errors.

    Extensions (``x-...``), links of items to themselves, titles of links and single texts beside
    those by language are passed over. Raises StructureError, naming the place, for what is not a
    valid message.
    """
    message = parse_json(content, file)
    version = version_of_json(message, file)
    refuse_invalid_json(message, file, version)
    languages = message["meta"].get("contentLanguages") or ["en"]
    reader = _Reader(version, file, languages[0])
    return tuple(
        reader.artefact(kind, one, f"{file}, data/{key}/{place}")
        for key, kind in _kinds(version).items()
        for place, one in enumerate(message.get("data", {}).get(key, ()))
    )


def _kinds(version: JsonVersion) -> dict[str, ArtefactKind]:
    """Return the kind at each key; of two that share it, the one that says no role."""
    found: dict[str, ArtefactKind] = {}
    for kind, key in json_keys(version).items():
        found.setdefault(key, kind)
    if version is JsonVersion.JSON10:
        found["hierarchicalCodelists"] = ArtefactKind.HIERARCHICAL_CODELIST
    return found


class _Reader:
    """Reads the artefacts of one message."""

    def __init__(self, version: JsonVersion, file: str, language: str) -> None:
        self.version = version
        self.file = file
        self.language = language
        self.shapes = json_forms(version)

    def artefact(self, kind: ArtefactKind, said: Mapping[str, Any], where: str) -> Artefact:
        kind = self.kind(kind, said)
        try:
            content = self.read(said, self.shapes[kind.element], where, 0)
        except CannotCarry as error:
            raise StructureError(
                f"{where}, {error.where}", got=error.got, expected=error.expected
            ) from None
        if self.version is JsonVersion.JSON10:
            content.setdefault("version", "1.0")
            drop_implied_finality(content)
        if kind is ArtefactKind.HIERARCHICAL_CODELIST:
            hierarchy = hierarchy_from_21(neutral(kind, content, where))
            if hierarchy is not None:
                kind, content = ArtefactKind.HIERARCHY, hierarchy
        if kind is ArtefactKind.AVAILABILITY_CONSTRAINT and "id" not in content:
            content |= availability_identity(content)
        return Artefact(kind, neutral(kind, content, where), where)

    def kind(self, kind: ArtefactKind, said: Mapping[str, Any]) -> ArtefactKind:
        if kind not in (ArtefactKind.DATA_CONSTRAINT, ArtefactKind.AVAILABILITY_CONSTRAINT):
            return kind
        if self.version is JsonVersion.JSON21:
            return kind
        role = said.get("type" if self.version is JsonVersion.JSON10 else "role")
        actual = role == "Actual" or (role is None and self.version is JsonVersion.JSON10)
        return ArtefactKind.AVAILABILITY_CONSTRAINT if actual else ArtefactKind.DATA_CONSTRAINT

    def read(self, said: Mapping[str, Any], shape: Shape, where: str, depth: int) -> Content:
        if depth > DEEPEST:
            raise StructureError(
                where,
                got=f"{shape.name} in more than {DEEPEST} others",
                expected=f"at most {DEEPEST}",
            )
        fields = {field.key: field for field in shape.fields}
        content: Content = {}
        for key, value in said.items():
            if key == "links" and shape.name != "Annotation":
                self.links(content, value, shape)
            elif (field := fields.get(key)) is not None:
                if field.fixed is None or field.place is Place.NOWHERE:
                    content[key] = self.value(value, shape, field, where, depth)
            elif (many := _PLURAL.get(key)) in fields:
                content.setdefault(str(many), {self.language: value})
            elif not key.startswith("x-") and key not in _DERIVED:
                raise StructureError(where, got=key, expected=f"a part of a {shape.name}")
        if shape.name in _DAYS:
            for key in ("validFrom", "validTo"):
                if _MIDNIGHT in content.get(key, ""):
                    content[key] = content[key].partition("T")[0]
        if shape.after is not None:
            shape.after(content)
        return content

    def value(self, value: Any, shape: Shape, field: Field, where: str, depth: int) -> Any:
        if isinstance(value, list):
            return [self.value(one, shape, field, where, depth) for one in value]
        if field.form is Form.SHAPE and isinstance(value, dict):
            return self.read(value, self.shapes[field.shape], where, depth + 1)
        if field.form is Form.REFERENCE and isinstance(value, str):
            return to_31(value)
        if field.form is Form.LOCAL and isinstance(value, str) and value.startswith("urn:sdmx:"):
            return value.rpartition(".")[2]
        if field.form is Form.NUMBER and isinstance(value, float) and value.is_integer():
            return int(value)
        if field.form in (Form.TEXT, Form.LOCAL) and isinstance(value, int | float):
            return str(value)
        return value

    def links(self, content: Content, links: list[dict[str, Any]], shape: Shape) -> None:
        kept: list[Content] = []
        for one in links:
            rel, href = one.get("rel"), one.get("href")
            plain = not one.keys() - {"rel", "href"} and href is not None
            key = _SAID_BY_LINKS.get(str(rel))
            if rel == "self":
                if "uri" in one and "uri" in shape.keys:
                    content["uri"] = one["uri"]
            elif plain and key in shape.keys:
                content[str(key)] = href
            else:
                link = {name: one[name] for name in _LINK if name in one}
                if "href" not in link and "uri" in one:
                    link["href"] = one["uri"]
                kept.append(link)
        if kept:
            content["links"] = kept
