"""Structure messages written as SDMX-ML 2.1, 3.0 or 3.1 from the neutral form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.detail import Detail, cut
from sdmx_service.structures.forms import forms
from sdmx_service.structures.generations import hierarchy_to_21
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import XML_LANG, Element, MlVersion
from sdmx_service.structures.shapes import Field, Form, Place, Shape
from sdmx_service.structures.urns import has_place_in_3, to_ref

__all__ = ["message_id", "refusal", "structure_message"]

# Two-part versions are those of SDMX 2.1, which 3.x keeps for what it takes over.
_NUMBER = r"(?:0|[1-9]\d*)"
_VERSIONS = {
    MlVersion.ML21: r"[0-9]+(\.[0-9]+)*",
    MlVersion.ML30: rf"{_NUMBER}(\.{_NUMBER})?|{_NUMBER}(\.{_NUMBER}){{2}}(-[0-9A-Za-z.-]+)?",
}
_VERSIONS[MlVersion.ML31] = _VERSIONS[MlVersion.ML30]


def message_id(sender: str, prepared: datetime) -> str:
    """Return an id for the message of a sender at a time."""
    return f"{sender}-{prepared:%Y%m%dT%H%M%S}"


def structure_message(
    artefacts: Iterable[Artefact],
    *,
    prepared: datetime,
    sender: str,
    version: MlVersion = MlVersion.ML21,
    test: bool = False,
    detail: Detail = Detail.FULL,
    referenced: Iterable[Artefact] = (),
    at: Callable[[Artefact], str] | None = None,
) -> bytes:
    """Return a message with the artefacts asked for and those they refer to.

    The result is valid against the schema of the version; artefacts stand in its order.
    ``prepared`` has a time zone; ``sender`` is an SDMX id; ``at`` is where the whole of a stub is,
    in the same version. Raises CannotCarry for an artefact, or
    something in it, that the version has no place for.
    """
    spaces = {letter: version.namespace(name) for letter, name in _SPACES.items()}
    root = etree.Element(
        f"{{{spaces['m']}}}Structure",
        nsmap={"mes": spaces["m"], "str": spaces["s"], "com": spaces["c"]},
    )
    header = etree.SubElement(root, f"{{{spaces['m']}}}Header")
    for name, text in (
        ("ID", message_id(sender, prepared)),
        ("Test", str(test).lower()),
        ("Prepared", prepared.isoformat(timespec="seconds")),
    ):
        etree.SubElement(header, f"{{{spaces['m']}}}{name}").text = text
    etree.SubElement(header, f"{{{spaces['m']}}}Sender", id=sender)
    structures = etree.SubElement(root, f"{{{spaces['m']}}}Structures")
    writer = _Writer(version)
    by_kind: dict[ArtefactKind, list[Artefact]] = {}
    for found in cut(artefacts, referenced, detail, old=version is MlVersion.ML21, at=at):
        by_kind.setdefault(found.kind, []).append(found)
    containers: dict[str, Element] = {}
    for kind in ArtefactKind:
        for found in by_kind.get(kind, ()):
            container, name = writer.place(found)
            if container not in containers:
                containers[container] = etree.SubElement(
                    structures, f"{{{spaces['s']}}}{container}"
                )
            writer.artefact(containers[container], name, found)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def refusal(artefact: Artefact, version: MlVersion) -> CannotCarry | None:
    """Return why a version cannot carry an artefact, or None where it can."""
    writer = _Writer(version)
    try:
        writer.artefact(etree.Element("_"), writer.place(artefact)[1], artefact)
    except CannotCarry as error:
        return error
    return None


_SPACES = {"m": "message", "s": "structure", "c": "common"}


class _Writer:
    """Writes the artefacts of one message."""

    def __init__(self, version: MlVersion) -> None:
        self.version = version
        self.shapes = forms(version)
        spaces = {letter: f"{{{version.namespace(name)}}}" for letter, name in _SPACES.items()}
        self.spaces: Mapping[str, str] = {**spaces, "-": ""}
        self.urn = ""

    def place(self, artefact: Artefact) -> tuple[str, str]:
        """Return the container and the element of an artefact."""
        kind = artefact.kind
        if self.version is MlVersion.ML21 and kind.ml21 is not None:
            return kind.ml21
        if self.version is not MlVersion.ML21 and kind.ml3:
            if self.version is MlVersion.ML30 and kind is ArtefactKind.AVAILABILITY_CONSTRAINT:
                kind = ArtefactKind.DATA_CONSTRAINT
            return kind.container, kind.element
        raise CannotCarry(
            artefact.urn,
            got=f"a {kind.element}",
            expected=f"a kind of artefact that {self.version.title} has",
        )

    def artefact(self, container: Element, name: str, artefact: Artefact) -> None:
        self.urn = artefact.urn
        content, shape = dict(artefact.content), self.shapes[artefact.kind.element]
        only = self.version is MlVersion.ML21 and artefact.kind in _NEVER_FINAL
        if not re.fullmatch(r"1\.0" if only else _VERSIONS[self.version], artefact.version):
            raise self.refused(f"version {artefact.version}")
        if self.version is MlVersion.ML21:
            if artefact.kind is ArtefactKind.HIERARCHY:
                content = hierarchy_to_21(content)
                shape = self.shapes[ArtefactKind.HIERARCHICAL_CODELIST.element]
            if "isFinal" in shape.keys and artefact.kind not in _NEVER_FINAL:
                content["isFinal"] = artefact.stable
        else:
            # Since 3.0 the version alone says whether an artefact is final.
            content.pop("isFinal", None)
        if artefact.external and "structureURL" not in shape.keys:
            content.pop("structureURL", None)  # a stub says it where there is a place for it
        element = etree.SubElement(container, f"{self.spaces['s']}{name}")
        try:
            self.write(element, content, shape)
        except CannotCarry as error:
            if error.where != self.urn:
                raise CannotCarry(
                    self.urn,
                    got=f"{error.where}: {error.got}",
                    expected=error.expected,
                    hint=_HINT.format(self.version.title),
                ) from None
            raise
        if "id" not in shape.keys or "id" in {one.key for one in shape.attributes.values()}:
            element.set("urn", self.own_urn(artefact, name))

    def own_urn(self, artefact: Artefact, name: str) -> str:
        if self.version is not MlVersion.ML21:
            return artefact.urn
        head = f"urn:sdmx:org.sdmx.infomodel.{artefact.kind.package}.{name}"
        return f"{head}={artefact.agency}:{artefact.id}({artefact.version})"

    def write(self, element: Element, content: Mapping[str, Any], shape: Shape) -> None:
        if shape.before is not None:
            content = shape.before(dict(content))
        for key in content:
            if key not in shape.keys:
                raise self.refused(f"{key} of a {shape.name}")
        for field in shape.fields:
            if field.fixed is not None:
                self.fixed(element, content, shape, field)
            elif (value := content.get(field.key)) is not None:
                self.field(element, shape, field, value)
            elif field.said or field.written:
                self.field(element, shape, field, field.default)

    def fixed(
        self, element: Element, content: Mapping[str, Any], shape: Shape, field: Field
    ) -> None:
        if field.fixed and content.get(field.key, field.fixed) != field.fixed:
            raise self.refused(f"{field.key} {content[field.key]} of a {shape.name}")
        if field.place is Place.ATTRIBUTE and field.fixed:
            element.set(field.path[0][1], field.fixed)

    def field(self, element: Element, shape: Shape, field: Field, value: Any) -> None:
        if field.place is Place.ATTRIBUTE:
            if value != field.default or field.said or field.written:
                name = XML_LANG if field.path[0][1] == "lang" else field.path[0][1]
                element.set(name, _text(value))
        elif field.place is Place.TEXT:
            self.value(element, field, value)
        elif field.place is Place.GROUP:
            for one in value:
                for member in field.members:
                    if member.key in one:
                        self.field(element, shape, member, one[member.key])
        elif field.form is Form.TEXTS:
            for language, text in value.items():
                child = self.child(element, field.path[0])
                child.set(XML_LANG, language)
                child.text = text
        else:
            self.elements(element, shape, field, value if field.many else [value])

    def elements(self, element: Element, shape: Shape, field: Field, values: list[Any]) -> None:
        if field.single and len(values) > 1:
            raise self.refused(f"{len(values)} {field.key} of a {shape.name}")
        narrow = self.version is MlVersion.ML30 and (shape.name, field.key) in _NARROW
        if narrow and not _NARROW_ID.fullmatch(values[0]):
            raise self.refused(f"the parent {values[0]} of a {shape.name}")
        outer = element
        for number, value in enumerate(values):
            if len(field.path) > 1 and (field.each or not number):
                outer = self.child(element, field.path[0])
            self.value(self.child(outer, field.path[-1]), field, value)

    def value(self, element: Element, field: Field, value: Any) -> None:
        match field.form:
            case Form.SHAPE:
                self.write(element, value, self.shapes[field.shape])
            case Form.REFERENCE:
                self.reference(element, value)
            case Form.LOCAL if self.version is MlVersion.ML21:
                etree.SubElement(element, "Ref", id=value)
            case Form.EMPTY:
                pass
            case _:
                element.text = _text(value)

    def reference(self, element: Element, urn: str) -> None:
        if self.version is not MlVersion.ML21:
            if not has_place_in_3(urn):
                raise self.refused(f"a reference to {urn}")
            element.text = urn
            return
        if (ref := to_ref(urn)) is None:
            raise self.refused(f"a reference to {urn}")
        etree.SubElement(element, "Ref", ref)

    def child(self, element: Element, step: tuple[str, str]) -> Element:
        return etree.SubElement(element, f"{self.spaces[step[0]]}{step[1]}")

    def refused(self, what: str) -> CannotCarry:
        return CannotCarry(
            self.urn,
            got=what,
            expected=f"what {self.version.title} has a place for",
            hint=_HINT.format(self.version.title),
        )


# The schema of 3.0 takes fewer ids for these parents than for the items themselves.
_NARROW = frozenset({("Code", "parent"), ("Concept", "parent")})
_NARROW_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_HINT = "ask for another format than {}"
# These have one version, which SDMX 2.1 fixes as not final.
_NEVER_FINAL = frozenset(
    {
        ArtefactKind.AGENCY_SCHEME,
        ArtefactKind.DATA_CONSUMER_SCHEME,
        ArtefactKind.DATA_PROVIDER_SCHEME,
    }
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"  # the schemas know no exponents
    return str(value)
