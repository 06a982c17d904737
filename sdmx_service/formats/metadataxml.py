"""SDMX-ML 3.0 and 3.1 messages of reference metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from sdmx_service.errors import DataError, StructureError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.lexical import text_of
from sdmx_service.formats.message import message_id
from sdmx_service.formats.metadata import (
    MetadataMessage,
    register_metadata,
    register_metadata_reader,
)
from sdmx_service.formats.metadataelements import (
    TYPE,
    annotations_of,
    markup_of,
    moment_of,
    named,
    texts_of,
    value_of,
    write_annotations,
)
from sdmx_service.formats.xmlheader import XSI
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.messages import (
    XML_LANG,
    Element,
    MlVersion,
    line_of,
    parse,
    refuse_invalid,
)
from sdmx_service.structures.metadataset import MetadataSet, settled

__all__ = ["read_metadata_xml", "write_metadata_xml30", "write_metadata_xml31"]

_MEDIA = "application/vnd.sdmx.metadata+xml"
_XS = "http://www.w3.org/2001/XMLSchema"
_XHTML = "http://www.w3.org/1999/xhtml"
_PLAIN = {
    "reportingBegin": "reportingBeginDate",
    "reportingEnd": "reportingEndDate",
    "publicationYear": "publicationYear",
    "publicationPeriod": "publicationPeriod",
    "action": "action",
    "validFrom": "validFrom",
    "validTo": "validTo",
    "isPartialLanguage": "isPartialLanguage",
    "isExternalReference": "isExternalReference",
}
_FLAGS = frozenset({"isPartialLanguage", "isExternalReference"})
_FLOWS = {
    "metadataProvisionAgreement": "MetadataProvisionAgreement",
    "metadataflow": "Metadataflow",
}


@register_metadata(
    "metadataxml31",
    _MEDIA,
    "3.1.0",
    ".xml",
    plain_types=("application/xml", "text/xml"),
    family=("xml", "sdmx-xml"),
    generation=Generation.SDMX_3_1,
)
def write_metadata_xml31(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-ML 3.1."""
    yield _Writer(message, MlVersion.ML31).document()


@register_metadata(
    "metadataxml30",
    _MEDIA,
    "3.0.0",
    ".xml",
    family=("xml", "sdmx-xml"),
    generation=Generation.SDMX_3_0,
)
def write_metadata_xml30(message: MetadataMessage) -> Iterator[bytes]:
    """Yield a message of SDMX-ML 3.0."""
    yield _Writer(message, MlVersion.ML30).document()


class _Writer:
    """Writes one message."""

    def __init__(self, message: MetadataMessage, version: MlVersion) -> None:
        self.message = message
        self.version = version
        self.mes, self.com = (f"{{{version.namespace(n)}}}" for n in ("message", "common"))
        self.gen = f"{{{version.namespace('metadata/generic')}}}"

    def document(self) -> bytes:
        spaces = {"mes": self.mes, "com": self.com, "md": self.gen}
        nsmap = {prefix: space[1:-1] for prefix, space in spaces.items()}
        root = etree.Element(f"{self.mes}GenericMetadata", nsmap={**nsmap, "xsi": XSI, "xs": _XS})
        header = etree.SubElement(root, f"{self.mes}Header")
        message = self.message
        for name, text in (
            ("ID", message_id(message.id)),
            ("Test", "false"),
            ("Prepared", message.prepared.isoformat()),
        ):
            etree.SubElement(header, f"{self.mes}{name}").text = text
        etree.SubElement(header, f"{self.mes}Sender", id=message.sender)
        flows = dict.fromkeys(map(self.flow, message.sets))
        for number, flow in enumerate(flows, 1):
            structure = etree.SubElement(
                header, f"{self.mes}Structure", structureID=f"STRUCTURE_{number}"
            )
            etree.SubElement(structure, f"{self.com}StructureUsage").text = flow
        for one in message.sets:
            self.set(root, one)
        etree.indent(header)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def flow(self, one: MetadataSet) -> str:
        """Return the metadataflow, which the header names, of an agreement too."""
        if (flow := one.content.get("metadataflow")) is not None:
            return str(flow)
        if one.reported_to not in self.message.flows:
            raise self.refused(one, f"{one.reported_to}, whose metadataflow is not known here")
        return self.message.flows[one.reported_to]

    def set(self, root: Element, one: MetadataSet) -> None:
        content = one.content
        element = etree.SubElement(root, f"{self.mes}MetadataSet", id=one.id)
        element.set("agencyID", one.agency)
        element.set("version", one.version)
        element.set("urn", one.urn)
        for key, name in _PLAIN.items():
            if key in content:
                if key == "isPartialLanguage" and self.version is MlVersion.ML30:
                    raise self.refused(one, key)
                element.set(name, text_of(content[key]))
        if "annotations" in content:
            write_annotations(element, content["annotations"], self.com)
        for link in content.get("links", ()):
            known = {"rel": "rel", "href": "url", "urn": "urn", "type": "type"}
            for key in ("rel", "href"):
                if key not in link:
                    raise self.refused(one, f"a link without {key}")
            if more := sorted(link.keys() - known.keys()):
                raise self.refused(one, f"a link with {', '.join(more)}")
            etree.SubElement(
                element, f"{self.com}Link", {known[key]: str(text) for key, text in link.items()}
            )
        named(element, one.name or {"en": one.id}, f"{self.com}Name")
        named(element, content.get("descriptions", {}), f"{self.com}Description")
        if self.message.stubs or not one.attributes:
            return
        key = "metadataflow" if "metadataflow" in content else "metadataProvisionAgreement"
        etree.SubElement(element, f"{self.gen}{_FLOWS[key]}").text = content[key]
        for target in one.targets:
            etree.SubElement(element, f"{self.gen}Target").text = target
        for attribute in one.attributes:
            self.attribute(element, attribute, one)

    def attribute(self, parent: Element, content: Mapping[str, Any], one: MetadataSet) -> None:
        element = etree.SubElement(parent, f"{self.gen}Attribute", id=content["id"])
        if "annotations" in content:
            write_annotations(element, content["annotations"], self.com)
        form = content.get("format", {})
        if form and form != {"dataType": "XHTML"}:
            raise self.refused(one, f"the format of attribute {content['id']}")
        value = content.get("value")
        if form:
            texts = value if isinstance(value, dict) else {"": str(value)}
            for language, text in texts.items():
                self.structured(element, language, text, one)
        elif isinstance(value, dict):
            named(element, value, f"{self.com}Text")
        elif value is not None:
            said = etree.SubElement(element, f"{self.gen}Value")
            said.text = self.xml(text_of(value), one)
            if (kind := _kind(value)) is not None:
                said.set(TYPE, f"xs:{kind}")
        for below in content.get("attributes", ()):
            self.attribute(element, below, one)

    def structured(self, parent: Element, language: str, text: str, one: MetadataSet) -> None:
        try:
            inside = etree.fromstring(f'<_ xmlns="{_XHTML}">{text}</_>', _parser())
        except etree.XMLSyntaxError as error:
            raise self.refused(one, f"XHTML that is not well-formed ({error.msg})") from None
        element = etree.SubElement(parent, f"{self.com}StructuredText")
        if language:
            element.set(XML_LANG, language)
        element.text = inside.text
        element.extend(list(inside))

    def xml(self, text: str, one: MetadataSet) -> str:
        try:
            etree.Element("_").text = text
        except ValueError:
            raise self.refused(one, "a control character") from None
        return text

    def refused(self, one: MetadataSet, what: str) -> CannotCarry:
        return CannotCarry(
            one.urn, got=what, expected=f"what {self.version.title} has a place for in metadata"
        )


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "double" if isinstance(value, float) else None


# -- reading --------------------------------------------------------------------------------


@register_metadata_reader("metadataxml31", "metadataxml30")
def read_metadata_xml(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; DataError or StructureError, with the line, where it is not valid."""
    root = parse(content, "message")
    version = next(
        (
            one
            for one in (MlVersion.ML30, MlVersion.ML31)
            if root.tag == f"{{{one.namespace('message')}}}GenericMetadata"
        ),
        None,
    )
    if version is None:
        raise DataError(
            f"message:{line_of(root)}",
            got=str(root.tag)[:120],
            expected="a GenericMetadata message of SDMX-ML 3.0 or 3.1",
        )
    mes, com, gen = (
        f"{{{version.namespace(name)}}}" for name in ("message", "common", "metadata/generic")
    )
    # The schema asks that XHTML is declared somewhere, which no schema of the standard does.
    if root.find(f".//{com}StructuredText") is None:
        refuse_invalid(root, "message", version)
    sets = [_read_set(one, com, gen) for one in root.iterfind(f"{mes}MetadataSet")]
    header = f"{mes}Header/{mes}"
    sender = root.find(f"{header}Sender")
    return MetadataMessage(
        tuple(sets),
        root.findtext(f"{header}ID", "_"),
        moment_of(root.findtext(f"{header}Prepared", "")),
        "_" if sender is None else sender.get("id", "_"),
        structures=structures,
    )


def _read_set(element: Element, com: str, gen: str) -> MetadataSet:
    content: dict[str, Any] = {
        key: str(element.get(key)) for key in ("id", "agencyID", "version") if key in element.attrib
    }
    for key, name in _PLAIN.items():
        if (text := element.get(name)) is not None:
            content[key] = text in ("true", "1") if key in _FLAGS else text
    for key, name in (("names", "Name"), ("descriptions", "Description")):
        if texts := texts_of(element, f"{com}{name}"):
            content[key] = texts
    if annotations := annotations_of(element, com):
        content["annotations"] = annotations
    names = {"rel": "rel", "url": "href", "urn": "urn", "type": "type"}
    links = [
        {names[str(key)]: str(text) for key, text in link.attrib.items() if key in names}
        for link in element.iterfind(f"{com}Link")
    ]
    if links:
        content["links"] = links
    for key, name in _FLOWS.items():
        if (flow := element.findtext(f"{gen}{name}")) is not None:
            content[key] = flow
    if targets := [one.text or "" for one in element.iterfind(f"{gen}Target")]:
        content["targets"] = targets
    if attributes := _read_attributes(element, com, gen):
        content["attributes"] = attributes
    return settled(content, f"message:{line_of(element)}")


def _read_attributes(parent: Element, com: str, gen: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for element in parent.iterfind(f"{gen}Attribute"):
        id, below = str(element.get("id")), _read_attributes(element, com, gen)
        values = [value_of(one) for one in element.iterfind(f"{gen}Value")]
        if len(values) > 1 and below:
            raise StructureError(
                f"message:{line_of(element)}, attribute {id}",
                got=f"{len(values)} values and attributes below them",
                expected="one value, so that it is clear what is below it",
            )
        content: dict[str, Any] = {"id": id}
        if annotations := annotations_of(element, com):
            content["annotations"] = annotations
        structured = element.findall(f"{com}StructuredText")
        if structured:
            content["format"] = {"dataType": "XHTML"}
            texts = {one.get(XML_LANG, ""): markup_of(one) for one in structured}
            content["value"] = texts[""] if list(texts) == [""] else texts
        elif texts := texts_of(element, f"{com}Text"):
            content["value"] = texts
        if below:
            content["attributes"] = below
        found += [{**content, "value": value} for value in values] or [content]
    return found
