"""Structure messages written as SDMX-JSON 1.0, 2.0 or 2.1 from the neutral form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sdmx_service.structures.artefacts import localised
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.detail import Detail, cut
from sdmx_service.structures.generations import hierarchy_to_21
from sdmx_service.structures.jsonforms import SINGLE, json_forms, json_keys
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.shapes import Field, Form, Place, Shape
from sdmx_service.structures.urns import Urn, has_place_in_3, to_ref
from sdmx_service.structures.writing_ml import message_id

__all__ = ["json_message", "json_refusal"]

Json = dict[str, Any]

_NUMBER = r"(?:0|[1-9]\d*)"
_VERSION_3 = rf"{_NUMBER}(\.{_NUMBER})?|{_NUMBER}(\.{_NUMBER}){{2}}(-[0-9A-Za-z.-]+)?"
_VERSION_2 = r"[0-9]+(\.[0-9]+)*"
_ZONE = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Where SDMX-JSON wants moments; elsewhere it takes periods of any kind.
_MOMENTS = ("validFrom", "validTo")
_DATED = frozenset({"HierarchicalCode", "ItemMap", "RepresentationMapping"})
# SDMX-JSON 1.0 says these by URNs, the others by ids.
_LOCAL_URNS = {
    ("Concept", "parent"): "conceptscheme.Concept",
    ("OrganisationUnit", "parent"): "base.OrganisationUnit",
    ("HierarchicalCode", "level"): "codelist.Level",
    ("ReportStructure", "metadataTargets"): "metadatastructure.MetadataTarget",
    ("Transition", "targetStep"): "process.ProcessStep",
}
_SAID_BY_LINKS = {"serviceURL": "service", "structureURL": "structure"}


def json_message(
    artefacts: Iterable[Artefact],
    *,
    prepared: datetime,
    sender: str,
    version: JsonVersion = JsonVersion.JSON20,
    test: bool = False,
    detail: Detail = Detail.FULL,
    referenced: Iterable[Artefact] = (),
    language: str = "en",
    at: Callable[[Artefact], str] | None = None,
) -> bytes:
    """Return a message with the artefacts asked for and those they refer to.

    The result is valid against the schema of the version. ``prepared`` has a time zone;
    ``language`` is that of the single texts beside those by language; ``at`` is where the whole of
    a stub is. Raises CannotCarry for an artefact, or something in it, that the version has no place
    for.
    """
    writer = _Writer(version, language, at)
    data: dict[str, list[Json]] = {}
    for found in cut(artefacts, referenced, detail, old=version is JsonVersion.JSON10):
        data.setdefault(writer.key(found), []).append(writer.artefact(found))
    meta: Json = {
        "schema": version.address,
        "id": message_id(sender, prepared),
        "test": test,
        "prepared": prepared.isoformat(timespec="seconds"),
        "sender": {"id": sender},
    }
    if writer.languages:
        meta["contentLanguages"] = sorted(writer.languages, key=lambda tag: (tag != language, tag))
    message: Json = {"meta": meta, "data": data}
    if version is JsonVersion.JSON21:
        message = {"$schema": version.address, **message}
        del meta["schema"]
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def json_refusal(artefact: Artefact, version: JsonVersion) -> CannotCarry | None:
    """Return why a version cannot carry an artefact, or None where it can."""
    writer = _Writer(version, "en")
    try:
        writer.key(artefact)
        writer.artefact(artefact)
    except CannotCarry as error:
        return error
    return None


class _Writer:
    """Writes the artefacts of one message."""

    def __init__(
        self, version: JsonVersion, language: str, at: Callable[[Artefact], str] | None = None
    ) -> None:
        self.version = version
        self.at = at
        self.shapes = json_forms(version)
        self.language = language
        self.languages: set[str] = set()
        self.whole: Artefact | None = None

    def key(self, artefact: Artefact) -> str:
        """Return the key the artefact stands at."""
        key = json_keys(self.version).get(artefact.kind)
        if key is None:
            raise CannotCarry(
                artefact.urn,
                got=f"a {artefact.kind.element}",
                expected=f"a kind of artefact that {self.version.title} has",
                hint=self.hint,
            )
        return key

    def artefact(self, artefact: Artefact) -> Json:
        """Return an artefact as the version writes it."""
        self.whole = artefact
        content, shape = dict(artefact.content), self.shapes[artefact.kind.element]
        old = self.version is JsonVersion.JSON10
        if not re.fullmatch(_VERSION_2 if old else _VERSION_3, artefact.version):
            raise self.refused(f"version {artefact.version}")
        if old:
            if artefact.kind is ArtefactKind.HIERARCHY:
                content = hierarchy_to_21(content)
                shape = self.shapes[ArtefactKind.HIERARCHICAL_CODELIST.element]
            content["isFinal"] = artefact.stable
        else:
            # Since 3.0 the version alone says whether an artefact is final.
            content.pop("isFinal", None)
        named = "id" in shape.keys
        links = self.own_links(artefact, content) if named else []
        try:
            found = self.write(content, shape)
        except CannotCarry as error:
            if error.where == artefact.urn:
                raise
            raise CannotCarry(
                artefact.urn,
                got=f"{error.where}: {error.got}",
                expected=error.expected,
                hint=self.hint,
            ) from None
        if named:
            found.setdefault("isExternalReference", False)
            found["links"] = [*found.get("links", []), *links]
            self.dates(found)
        return found

    def own_links(self, artefact: Artefact, content: Json) -> list[Json]:
        """Take from the content what SDMX-JSON says by links: the URN and other addresses."""
        urn = artefact.urn
        if self.version is JsonVersion.JSON10:
            urn = self.urn_21(urn)
        own: Json = {"rel": "self", "urn": urn}
        if self.version is JsonVersion.JSON20 and artefact.kind is ArtefactKind.VALUE_LIST:
            # The schema of 2.0 misspells the class and so takes no URN of a value list.
            own = {"rel": "self", "href": content["uri"]} if "uri" in content else {}
        if "uri" in content:
            own["uri"] = content.pop("uri")
            self.absolute(own["uri"])
        if self.at is not None and artefact.external:
            own = {**own, "rel": "self", "href": self.at(artefact)}
        for key in _SAID_BY_LINKS:
            if self.version is not JsonVersion.JSON21:
                self.absolute(content.get(key))
        return [own] * bool(own) + [
            {"rel": rel, "href": content.pop(key)}
            for key, rel in _SAID_BY_LINKS.items()
            if key in content
        ]

    def write(self, content: Mapping[str, Any], shape: Shape) -> Json:
        if shape.before is not None:
            content = shape.before(dict(content))
        found: Json = {}
        for key in content:
            if key not in shape.keys:
                raise self.refused(f"{key} of a {shape.name}")
        for field in shape.fields:
            value = content.get(field.key)
            if field.fixed is not None:
                if field.fixed:
                    if value not in (None, field.fixed):
                        raise self.refused(f"{field.key} {value} of a {shape.name}")
                    found[field.key] = field.fixed
            elif value is not None:
                self.field(found, shape, field, value)
            elif field.said or field.written:
                found[field.key] = field.default
        if "uri" in found:
            # What is not maintainable has no link of its own yet.
            address = found.pop("uri")
            self.absolute(address)
            own = {"rel": "self", "href": address, "uri": address}
            found["links"] = [*found.get("links", []), own]
        if self.version is not JsonVersion.JSON21:
            self.absolute(found.get("href"))
        if shape.name in _DATED:
            self.dates(found)
        return found

    def field(self, found: Json, shape: Shape, field: Field, value: Any) -> None:
        key = field.key
        if field.form is Form.TEXTS:
            self.languages |= value.keys()
            found[SINGLE[key]] = localised(value, self.language)
            found[key] = value
        elif field.place is Place.GROUP or not isinstance(value, list):
            found[key] = self.value(shape, field, value)
        elif value:
            found[key] = [self.value(shape, field, one) for one in value]

    def value(self, shape: Shape, field: Field, value: Any) -> Any:
        old = self.version is JsonVersion.JSON10
        if field.form is Form.SHAPE:
            return self.write(value, self.shapes[field.shape])
        if field.form is Form.REFERENCE:
            if old:
                return self.urn_21(value)
            if not has_place_in_3(value):
                raise self.refused(f"a reference to {value}")
        elif old and (name := _LOCAL_URNS.get((shape.name, field.key))) and self.whole:
            return (
                f"urn:sdmx:org.sdmx.infomodel.{name}={self.whole.agency}:{self.whole.id}"
                f"({self.whole.version}).{value}"
            )
        return value

    def absolute(self, address: str | None) -> None:
        """Refuse an address without a scheme, which only 2.1 has a place for."""
        if address is not None and not _ABSOLUTE.match(address):
            raise self.refused(f"the address {address}")

    def urn_21(self, text: str) -> str:
        """Return a URN with the classes of SDMX 2.1, which 1.0 has."""
        ref = to_ref(text)
        if ref is None:
            raise self.refused(f"a reference to {text}")
        parent = ref.get("maintainableParentID")
        version = ref.get("maintainableParentVersion", ref.get("version", "1.0"))
        item = None if parent is None else ref["id"]
        return str(
            Urn(ref["package"], ref["class"], ref["agencyID"], parent or ref["id"], version, item)
        )

    def dates(self, found: Json) -> None:
        """Say a day as the moment it begins, as SDMX-JSON wants it."""
        for key in _MOMENTS:
            if (text := found.get(key)) is not None:
                if _DATE.fullmatch(text):
                    text += "T00:00:00"
                elif "T" not in text:
                    raise self.refused(f"{key} {text}")
                found[key] = text if _ZONE.search(text) else f"{text}Z"

    @property
    def hint(self) -> str:
        return f"ask for another format than {self.version.title}"

    def refused(self, what: str) -> CannotCarry:
        return CannotCarry(
            "structure" if self.whole is None else self.whole.urn,
            got=what,
            expected=f"what {self.version.title} has a place for",
            hint=self.hint,
        )
