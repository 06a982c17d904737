"""Structure messages of SDMX-ML 2.1, 3.0 and 3.1 read into the neutral form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.forms import forms
from sdmx_service.structures.generations import hierarchy_from_21
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import (
    DEEPEST,
    XML_LANG,
    Element,
    MlVersion,
    line_of,
    parse,
    refuse_invalid,
    version_of,
)
from sdmx_service.structures.shapes import Content, Field, Form, Place, Shape
from sdmx_service.structures.urns import Urn, of_ref, to_31

__all__ = ["availability_identity", "drop_implied_finality", "read_xml"]

# Attributes that say what is known without them: the URN, the type of a dimension ...
_DERIVED = frozenset({"urn", "type", "version"})


def read_xml(content: bytes, file: str) -> tuple[Artefact, ...]:
    """Return the artefacts of one structure message; ``file`` names it in errors.

    Raises StructureError, naming file and line, for what is not a valid message.
    """
    root = parse(content, file)
    version = version_of(root, file)
    refuse_invalid(root, file, version)
    reader = _Reader(version, file)
    structures = f"{{{version.namespace('message')}}}Structures/*/*"
    return tuple(reader.artefact(element) for element in root.iterfind(structures))


class _Reader:
    """Reads the elements of one message."""

    def __init__(self, version: MlVersion, file: str) -> None:
        self.version = version
        self.file = file
        self.shapes = forms(version)
        self.depth = 0

    def artefact(self, element: Element) -> Artefact:
        kind = self.kind(element)
        try:
            content = self.read(element, self.shapes[kind.element])
        except CannotCarry as error:
            raise StructureError(
                f"{self.file}:{line_of(element)}, {error.where}",
                got=error.got,
                expected=error.expected,
            ) from None
        if kind is ArtefactKind.HIERARCHICAL_CODELIST:
            hierarchy = hierarchy_from_21(content)
            if hierarchy is not None:
                kind, content = ArtefactKind.HIERARCHY, hierarchy
        if self.version is MlVersion.ML21:
            drop_implied_finality(content)
        if kind is ArtefactKind.AVAILABILITY_CONSTRAINT and "id" not in content:
            content |= availability_identity(content)
        return Artefact(kind, content, self.file, _lines(element))

    def kind(self, element: Element) -> ArtefactKind:
        name = _local(element)
        if name == "ContentConstraint" or element.get("role") == "Actual":
            actual = element.get("type", element.get("role", "Actual")) == "Actual"
            return ArtefactKind.AVAILABILITY_CONSTRAINT if actual else ArtefactKind.DATA_CONSTRAINT
        kind = ArtefactKind.of_element(name)
        if kind is None:
            raise StructureError(
                f"{self.file}:{line_of(element)}", got=name, expected="a kind of artefact"
            )
        return kind

    def read(self, element: Element, shape: Shape) -> Content:
        self.depth += 1
        if self.depth > DEEPEST:
            raise StructureError(
                f"{self.file}:{line_of(element)}",
                got=f"{shape.name} in more than {DEEPEST} others",
                expected=f"at most {DEEPEST}",
            )
        content = self.parts(element, shape)
        self.depth -= 1
        return content

    def parts(self, element: Element, shape: Shape) -> Content:
        content: Content = {}
        for name, text in element.attrib.items():
            key = "lang" if name == XML_LANG else str(name)
            if (field := shape.attributes.get(key)) is not None:
                value = _typed(field.form, str(text))
                if field.fixed is None and (value != field.default or field.said):
                    content[field.key] = value
            elif key not in _DERIVED and not key.startswith("{"):
                raise self.unknown(element, shape, f"the attribute {key}")
        for child in element:
            if isinstance(child.tag, str):
                self.take(content, child, shape)
        for field in shape.fields:
            if field.said:
                content.setdefault(field.key, field.default)
            elif field.place is Place.NOWHERE and field.fixed:
                content[field.key] = field.fixed
        if shape.text is not None:
            content[shape.text.key] = self.value(element, shape.text)
        if shape.after is not None:
            shape.after(content)
        return content

    def take(self, content: Content, child: Element, shape: Shape) -> None:
        name = _local(child)
        field = shape.elements.get(name)
        if field is None:
            if shape.text is not None and name in ("Ref", "URN"):
                return
            raise self.unknown(child, shape, f"the element {name}")
        if field.form is Form.TEXTS:
            content.setdefault(field.key, {})[child.get(XML_LANG, "en")] = child.text or ""
        elif field.key not in shape.keys:
            self.gather(content, child, shape, field)
        elif len(field.path) > 1:
            inner = [one for one in child if isinstance(one.tag, str)]
            if field.each or field.many:
                content.setdefault(field.key, []).extend(self.value(one, field) for one in inner)
            else:
                content[field.key] = self.value(inner[0], field)
        elif field.many:
            content.setdefault(field.key, []).append(self.value(child, field))
        else:
            content[field.key] = self.value(child, field)

    def gather(self, content: Content, child: Element, shape: Shape, member: Field) -> None:
        """Put a member of a group into its object: a new one where it is the first."""
        group = next(one for one in shape.fields if member in one.members)
        objects: list[Content] = content.setdefault(group.key, [])
        if group.either or member is group.members[0] or not objects:
            objects.append({})
        objects[-1][member.key] = self.value(child, member)

    def value(self, element: Element, field: Field) -> Any:
        match field.form:
            case Form.SHAPE:
                return self.read(element, self.shapes[field.shape])
            case Form.REFERENCE:
                return self.reference(element, field.name or None)
            case Form.LOCAL:
                ref = element.find("Ref")
                return (element.text or "").strip() if ref is None else ref.get("id", "")
            case Form.EMPTY:
                return {}
            case Form.TEXT:
                return element.text or ""
            case form:
                return _typed(form, element.text or "")

    def reference(self, element: Element, name: str | None) -> str:
        if self.version is not MlVersion.ML21:
            return to_31(element.text or "")
        if (ref := element.find("Ref")) is None:
            return to_31(element.findtext("URN", ""))
        attributes = {str(key): str(value) for key, value in ref.attrib.items()}
        urn = of_ref(attributes, name)
        if urn is None:
            raise StructureError(
                f"{self.file}:{line_of(ref)}, reference to {ref.get('id')}",
                got="no class",
                expected="the class of an artefact, such as Codelist or Concept",
            )
        return urn

    def unknown(self, element: Element, shape: Shape, what: str) -> StructureError:
        return StructureError(
            f"{self.file}:{line_of(element)}", got=what, expected=f"a part of {shape.name}"
        )


def _local(element: Element) -> str:
    tag = str(element.tag)
    return tag[tag.rfind("}") + 1 :]


def _typed(form: Form, text: str) -> Any:
    match form:
        case Form.BOOLEAN:
            return text.strip() in ("true", "1")
        case Form.CASCADE:
            word = text.strip()
            return word if word == "excluderoot" else word in ("true", "1")
        case Form.INTEGER:
            return int(text)
        case Form.COUNT:
            return text.strip() if text.strip() == "unbounded" else int(text)
        case Form.NUMBER:
            number = Decimal(text)
            return int(number) if number == number.to_integral_value() else float(number)
        case _:
            return text


def drop_implied_finality(content: Content) -> None:
    """Keep ``isFinal`` only where the version does not say it: x.y.z is final, else nothing is."""
    implied = content["version"].count(".") == 2
    final = content.pop("isFinal", False)
    if final != implied:
        content["isFinal"] = final


def availability_identity(content: Content) -> Content:
    """Return an identity for an availability constraint of SDMX 3.1, which has none."""
    attached = next(iter(content["constraintAttachment"].values()))
    urn = Urn.parse(attached[0])
    if urn is None:
        raise StructureError("availability constraint", got=attached[0], expected="a URN")
    return {
        "id": f"AVAILABILITY_{urn.id}",
        "agencyID": urn.agency,
        "version": "1.0",
        "names": {"en": f"Availability of {urn.agency}:{urn.id}({urn.version})"},
    }


def _lines(element: Element) -> Callable[[str | None], int | None]:
    def line(said: str | None) -> int | None:
        if said is None:
            return line_of(element)
        for ref in element.iter("Ref"):
            if said in (ref.get("id"), ref.get("maintainableParentID")):
                return line_of(ref)
        for one in _texts(element):
            if said == (one.text or "").strip():
                return line_of(one)
        return line_of(element)

    return line


def _texts(element: Element) -> Iterator[Element]:
    return (one for one in element.iter() if isinstance(one.tag, str) and one.text)
