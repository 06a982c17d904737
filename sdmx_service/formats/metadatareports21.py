"""Metadata sets of SDMX-ML 2.1 but for their attributes, which are written in two ways.

SDMX 2.1 knows neither an agency nor a version of a metadata set; an annotation of type
``metadataset`` says its URN. Every target has a report of its own, about any object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.lexical import text_of
from sdmx_service.formats.message import message_id
from sdmx_service.formats.metadata import MetadataMessage
from sdmx_service.formats.metadataelements import (
    annotations_of,
    markup_of,
    moment_of,
    named,
    texts_of,
)
from sdmx_service.formats.schemaxsdmetadata import OBJECT, REPORT, TARGET
from sdmx_service.formats.xmlheader import XSI
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.messages import XML_LANG, Element, MlVersion, line_of
from sdmx_service.structures.metadataset import MetadataSet, settled
from sdmx_service.structures.urns import Urn, of_ref, to_ref

__all__ = [
    "COMMON",
    "MESSAGE",
    "VERSION",
    "Attributes",
    "Reader",
    "Writer",
    "refused",
    "reported_texts",
]

VERSION = MlVersion.ML21
MESSAGE, COMMON = (f"{{{VERSION.namespace(name)}}}" for name in ("message", "common"))
"""The namespaces of messages and of what they share, in braces."""

_SET = "metadataset"
_PLAIN = {
    "reportingBegin": "reportingBeginDate",
    "reportingEnd": "reportingEndDate",
    "validFrom": "validFromDate",
    "validTo": "validToDate",
    "publicationYear": "publicationYear",
    "publicationPeriod": "publicationPeriod",
    "action": "action",
}
_CARRIED = frozenset(
    {*_PLAIN, "id", "agencyID", "version", "names", "metadataflow", "targets", "attributes"}
)
Attributes = Sequence[Mapping[str, Any]]


def refused(one: MetadataSet, what: str) -> CannotCarry:
    """Return the error for what a set has and SDMX-ML 2.1 has no place for."""
    return CannotCarry(
        one.urn, got=what, expected=f"what {VERSION.title} has a place for in metadata"
    )


class Writer(ABC):
    """Writes one message: ``root`` is its element, ``space`` the namespace of its data in braces.

    ``inner`` is put before the names of the elements of a report, ``outer`` before those of the
    XML attributes of a set: the one or the other is in that namespace.
    """

    root: str
    space: str
    inner: str
    outer: str

    def __init__(self, message: MetadataMessage) -> None:
        self.message = message
        self.flows = dict.fromkeys(map(self.flow, message.sets))

    def document(self) -> bytes:
        """Return the message; raises NotAcceptable for what it has no place for."""
        spaces = {"mes": MESSAGE, "com": COMMON, "md": self.space}
        nsmap = {prefix: space[1:-1] for prefix, space in spaces.items()}
        root = etree.Element(
            f"{MESSAGE}{self.root}", nsmap={**nsmap, "xsi": XSI, **self.namespaces}
        )
        header = etree.SubElement(root, f"{MESSAGE}Header")
        for name, text in (
            ("ID", message_id(self.message.id)),
            ("Test", "false"),
            ("Prepared", self.message.prepared.isoformat()),
        ):
            etree.SubElement(header, f"{MESSAGE}{name}").text = text
        etree.SubElement(header, f"{MESSAGE}Sender", id=self.message.sender)
        for number, (flow, ref) in enumerate(self._refs(), 1):
            structure = etree.SubElement(
                header, f"{MESSAGE}Structure", structureID=f"STRUCTURE_{number}"
            )
            self.say_namespace(structure, flow)
            usage = etree.SubElement(structure, f"{COMMON}StructureUsage")
            etree.SubElement(usage, "Ref", ref)
        for one in self.message.sets:
            self._set(root, one)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The namespaces of structures, by prefix."""
        return {}

    @abstractmethod
    def say_namespace(self, structure: Element, flow: str) -> None:
        """Say in the header what namespace the sets of a flow have, if they have one."""

    @abstractmethod
    def say_type(self, element: Element, flow: str, name: str) -> None:
        """Say the type of an element, if it needs one."""

    @abstractmethod
    def attributes(self, report: Element, one: MetadataSet, flow: str) -> None:
        """Write what is reported."""

    def flow(self, one: MetadataSet) -> str:
        """Return the URN of the flow that a set is reported to, of an agreement too."""
        return str(
            one.content.get("metadataflow")
            or self.message.flows.get(one.reported_to, one.reported_to)
        )

    def _refs(self) -> Iterator[tuple[str, dict[str, str]]]:
        for one, flow in zip(self.message.sets, map(self.flow, self.message.sets), strict=True):
            urn, ref = Urn.parse(flow), to_ref(flow)
            if ref is None or urn is None or urn.name != "Metadataflow":
                raise refused(one, f"a reference to {flow}")
        for flow in self.flows:
            yield flow, to_ref(flow) or {}

    def _set(self, root: Element, one: MetadataSet) -> None:
        for key in one.content:
            if key not in _CARRIED and key != "metadataProvisionAgreement":
                raise refused(one, key)
        if self.message.stubs or not one.attributes:
            raise refused(one, "a set without reports")
        flow = self.flow(one)
        element = etree.SubElement(root, f"{MESSAGE}MetadataSet")
        self.say_type(element, flow, "MetadataSetType")
        number = list(self.flows).index(flow) + 1
        element.set(f"{self.outer}structureRef", f"STRUCTURE_{number}")
        element.set(f"{self.outer}setID", one.id)
        for key, name in _PLAIN.items():
            if key in one.content:
                element.set(f"{self.outer}{name}", text_of(one.content[key]))
        annotations = etree.SubElement(element, f"{COMMON}Annotations")
        annotation = etree.SubElement(annotations, f"{COMMON}Annotation")
        etree.SubElement(annotation, f"{COMMON}AnnotationTitle").text = one.urn
        etree.SubElement(annotation, f"{COMMON}AnnotationType").text = _SET
        named(element, one.name, f"{COMMON}Name")
        for target in one.targets:
            report = etree.SubElement(element, f"{self.inner}Report", id=REPORT)
            self.say_type(report, flow, REPORT)
            about = etree.SubElement(report, f"{self.inner}Target", id=TARGET)
            self.say_type(about, flow, f"{REPORT}.{TARGET}")
            value = etree.SubElement(about, f"{self.inner}ReferenceValue", id=OBJECT)
            self.say_type(value, flow, f"{TARGET}.{OBJECT}")
            if (ref := to_ref(target)) is None:
                raise refused(one, f"a reference to {target}")
            etree.SubElement(etree.SubElement(value, f"{self.inner}ObjectReference"), "Ref", ref)
            self.attributes(report, one, flow)


class Reader(ABC):
    """Reads one message; ``inner`` and ``outer`` are those of its writer.

    Reports that say the same of several objects become one set. A set that does not say its URN
    has the sender's agency and version 1.0; where its reports differ, each becomes a set, numbered.
    """

    inner: str
    outer: str

    def __init__(self, root: Element, structures: Mapping[str, MetadataStructure]) -> None:
        self.root = root
        self.structures = structures
        header = f"{MESSAGE}Header/{MESSAGE}"
        sender = root.find(f"{header}Sender")
        self.sender = "_" if sender is None else sender.get("id", "_")
        self.flows = {
            str(one.get("structureID")): _flow(one) for one in root.iterfind(f"{header}Structure")
        }

    def message(self) -> MetadataMessage:
        """Return the message; DataError or StructureError says the line that is wrong."""
        header = f"{MESSAGE}Header/{MESSAGE}"
        sets = [
            one
            for element in self.root.iterfind(f"{MESSAGE}MetadataSet")
            for one in self._sets(element)
        ]
        return MetadataMessage(
            tuple(sets),
            self.root.findtext(f"{header}ID", "_"),
            moment_of(self.root.findtext(f"{header}Prepared", "")),
            self.sender,
            structures=self.structures,
        )

    @abstractmethod
    def attributes(
        self, report: Element, structure: MetadataStructure | None
    ) -> list[dict[str, Any]]:
        """Return what is reported."""

    def _sets(self, element: Element) -> Iterator[MetadataSet]:
        where = f"message:{line_of(element)}"
        said = [a for a in annotations_of(element, COMMON) if a.get("type") == _SET]
        urn = Urn.parse(said[0].get("title", "")) if said else None
        reference = str(element.get(f"{self.outer}structureRef"))
        if reference not in self.flows:
            raise DataError(
                where, got=reference[:80], expected="a structureRef that the header explains"
            )
        content: dict[str, Any] = {
            "id": urn.id if urn else element.get(f"{self.outer}setID", "METADATA_SET"),
            "agencyID": urn.agency if urn else self.sender,
            "version": urn.version if urn else "1.0",
            "metadataflow": self.flows[reference],
        }
        if names := texts_of(element, f"{COMMON}Name"):
            content["names"] = names
        for key, name in _PLAIN.items():
            if (text := element.get(f"{self.outer}{name}")) is not None:
                content[key] = text
        reports: list[tuple[list[str], list[dict[str, Any]]]] = []
        structure = self.structures.get(content["metadataflow"])
        for report in element.iterfind(f"{self.inner}Report"):
            target, attributes = self._target(report), self.attributes(report, structure)
            same = next((one for one in reports if one[1] == attributes), None)
            if same is not None:
                same[0].append(target)
            else:
                reports.append(([target], attributes))
        for number, (targets, attributes) in enumerate(reports, 1):
            id = content["id"] if len(reports) == 1 else f"{content['id']}_{number}"
            yield settled(
                {**content, "id": id, "targets": targets, "attributes": attributes}, where
            )

    def _target(self, report: Element) -> str:
        steps = ("Target", "ReferenceValue", "ObjectReference")
        objects = report.findall("/".join(f"{self.inner}{step}" for step in steps))
        urn = _referred(objects[0], None) if len(objects) == 1 else None
        if urn is None:
            raise DataError(
                f"message:{line_of(report)}, report {report.get('id')}",
                got="another target than one object",
                expected="a target that SDMX 3 has too: one artefact, or an item in one",
            )
        return urn


def reported_texts(element: Element) -> dict[str, Any]:
    """Return the texts or the markup of a reported attribute by language, with its format."""
    structured = element.findall(f"{COMMON}StructuredText")
    if structured:
        markup = {one.get(XML_LANG, "en"): markup_of(one) for one in structured}
        return {"format": {"dataType": "XHTML"}, "value": markup}
    texts = texts_of(element, f"{COMMON}Text")
    return {"value": texts} if texts else {}


def _flow(structure: Element) -> str:
    usage = structure.find(f"{COMMON}StructureUsage")
    urn = None if usage is None else _referred(usage, "Metadataflow")
    if urn is None:
        raise DataError(
            f"message:{line_of(structure)}",
            got="no metadataflow",
            expected="a StructureUsage, which says the flow that is reported to",
        )
    return urn


def _referred(element: Element, name: str | None) -> str | None:
    ref = element.find("Ref")
    if ref is None:
        return element.findtext("URN")
    return of_ref({str(key): str(text) for key, text in ref.attrib.items()}, name)
