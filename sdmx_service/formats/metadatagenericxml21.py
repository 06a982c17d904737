"""Generic metadata messages of SDMX-ML 2.1.

SDMX 2.1 knows neither an agency nor a version of a metadata set; an annotation of type
``metadataset`` says its URN. Every target has a report of its own, about any object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.message import message_id
from sdmx_service.formats.metadata import (
    MetadataMessage,
    register_metadata,
    register_metadata_reader,
    typed_value,
)
from sdmx_service.formats.metadataxml import (
    annotations_of,
    markup_of,
    moment_of,
    named,
    text_of,
)
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.generations import ANY_TARGET
from sdmx_service.structures.messages import (
    XML_LANG,
    Element,
    MlVersion,
    line_of,
    parse,
    refuse_invalid,
)
from sdmx_service.structures.metadataset import MetadataSet, settled
from sdmx_service.structures.urns import Urn, of_ref, to_ref

__all__ = ["read_generic_metadata", "write_generic_metadata"]

_VERSION = MlVersion.ML21
_MES, _COM = (f"{{{_VERSION.namespace(name)}}}" for name in ("message", "common"))
_GEN = f"{{{_VERSION.namespace('metadata/generic')}}}"
_REPORT = "MetadataAttributeDescriptor"
_TARGET = str(ANY_TARGET["id"])
_OBJECT = str(ANY_TARGET["identifiableObjectTargets"][0]["id"])  # type: ignore[index]
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


@register_metadata(
    "genericmetadata",
    "application/vnd.sdmx.genericmetadata+xml",
    "2.1",
    ".xml",
    short_names=("genericmetadata21",),
    plain_types=("application/xml", "text/xml"),
    family=("generic", "xml"),
    generation=Generation.SDMX_2_1,
)
def write_generic_metadata(message: MetadataMessage) -> Iterator[bytes]:
    """Yield the message."""
    root = etree.Element(
        f"{_MES}GenericMetadata",
        nsmap={"mes": _MES[1:-1], "com": _COM[1:-1], "md": _GEN[1:-1]},
    )
    header = etree.SubElement(root, f"{_MES}Header")
    for name, text in (
        ("ID", message_id(message.id)),
        ("Test", "false"),
        ("Prepared", message.prepared.isoformat()),
    ):
        etree.SubElement(header, f"{_MES}{name}").text = text
    etree.SubElement(header, f"{_MES}Sender", id=message.sender)
    structures: dict[str, str] = {}
    for one in message.sets:
        flow = str(one.content.get("metadataflow") or message.flows.get(one.reported_to, ""))
        if flow not in structures:
            structures[flow] = f"STRUCTURE_{len(structures) + 1}"
            structure = etree.SubElement(header, f"{_MES}Structure", structureID=structures[flow])
            usage = etree.SubElement(structure, f"{_COM}StructureUsage")
            ref = to_ref(flow)
            if ref is None:
                raise _refused(one, f"a reference to {flow or one.reported_to}")
            etree.SubElement(usage, "Ref", ref)
        _write_set(root, one, structures[flow], stub=message.stubs)
    yield etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _refused(one: MetadataSet, what: str) -> CannotCarry:
    return CannotCarry(
        one.urn, got=what, expected=f"what {_VERSION.title} has a place for in metadata"
    )


def _write_set(root: Element, one: MetadataSet, structure: str, *, stub: bool) -> None:
    for key in one.content:
        if key not in _CARRIED and key != "metadataProvisionAgreement":
            raise _refused(one, key)
    if stub or not one.attributes:
        raise _refused(one, "a set without reports")
    element = etree.SubElement(root, f"{_MES}MetadataSet", structureRef=structure, setID=one.id)
    for key, name in _PLAIN.items():
        if key in one.content:
            element.set(name, text_of(one.content[key]))
    annotation = etree.SubElement(
        etree.SubElement(element, f"{_COM}Annotations"), f"{_COM}Annotation"
    )
    etree.SubElement(annotation, f"{_COM}AnnotationTitle").text = one.urn
    etree.SubElement(annotation, f"{_COM}AnnotationType").text = _SET
    named(element, one.name, f"{_COM}Name")
    for target in one.targets:
        report = etree.SubElement(element, f"{_GEN}Report", id=_REPORT)
        about = etree.SubElement(report, f"{_GEN}Target", id=_TARGET)
        value = etree.SubElement(about, f"{_GEN}ReferenceValue", id=_OBJECT)
        if (ref := to_ref(target)) is None:
            raise _refused(one, f"a reference to {target}")
        etree.SubElement(etree.SubElement(value, f"{_GEN}ObjectReference"), "Ref", ref)
        _write_attributes(report, one.attributes, one)


def _write_attributes(parent: Element, attributes: Any, one: MetadataSet) -> None:
    outer = etree.SubElement(parent, f"{_GEN}AttributeSet")
    for content in attributes:
        for key in ("annotations", "format"):
            if key in content:
                raise _refused(one, f"{key} of attribute {content['id']}")
        element = etree.SubElement(outer, f"{_GEN}ReportedAttribute", id=content["id"])
        value = content.get("value")
        if isinstance(value, dict):
            named(element, value, f"{_COM}Text")
        elif value is not None:
            element.set("value", text_of(value))
        if "attributes" in content:
            _write_attributes(element, content["attributes"], one)


@register_metadata_reader("genericmetadata")
def read_generic_metadata(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; reports that say the same of several objects become one set.

    A set that does not say its URN has the sender's agency and version 1.0; where its reports
    differ, each becomes a set, numbered. Raises DataError or StructureError with the line.
    """
    root = parse(content, "message")
    if root.tag != f"{_MES}GenericMetadata":
        raise DataError(
            f"message:{line_of(root)}",
            got=str(root.tag)[:120],
            expected="a GenericMetadata message of SDMX-ML 2.1",
        )
    if root.find(f".//{_COM}StructuredText") is None:
        refuse_invalid(root, "message", _VERSION)
    header = f"{_MES}Header/{_MES}"
    sender_element = root.find(f"{header}Sender")
    sender = "_" if sender_element is None else sender_element.get("id", "_")
    flows = {str(one.get("structureID")): _flow(one) for one in root.iterfind(f"{header}Structure")}
    sets = [
        found
        for element in root.iterfind(f"{_MES}MetadataSet")
        for found in _read_set(element, flows, sender, structures)
    ]
    return MetadataMessage(
        tuple(sets),
        root.findtext(f"{header}ID", "_"),
        moment_of(root.findtext(f"{header}Prepared", "")),
        sender,
        structures=structures,
    )


def _flow(structure: Element) -> str:
    usage = structure.find(f"{_COM}StructureUsage")
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


def _read_set(
    element: Element,
    flows: Mapping[str, str],
    sender: str,
    structures: Mapping[str, MetadataStructure],
) -> Iterator[MetadataSet]:
    where = f"message:{line_of(element)}"
    said = [a for a in annotations_of(element, _COM) if a.get("type") == _SET]
    urn = Urn.parse(said[0].get("title", "")) if said else None
    content: dict[str, Any] = {
        "id": urn.id if urn else element.get("setID", "METADATA_SET"),
        "agencyID": urn.agency if urn else sender,
        "version": urn.version if urn else "1.0",
        "metadataflow": flows[str(element.get("structureRef"))],
    }
    names = {one.get(XML_LANG, "en"): one.text or "" for one in element.iterfind(f"{_COM}Name")}
    if names:
        content["names"] = names
    for key, name in _PLAIN.items():
        if (text := element.get(name)) is not None:
            content[key] = text
    reports: list[tuple[list[str], list[dict[str, Any]]]] = []
    for report in element.iterfind(f"{_GEN}Report"):
        target = _target(report)
        attributes = _read_attributes(report, structures.get(content["metadataflow"]), ())
        same = next((one for one in reports if one[1] == attributes), None)
        if same is not None:
            same[0].append(target)
        else:
            reports.append(([target], attributes))
    for number, (targets, attributes) in enumerate(reports, 1):
        id = content["id"] if len(reports) == 1 else f"{content['id']}_{number}"
        yield settled({**content, "id": id, "targets": targets, "attributes": attributes}, where)


def _target(report: Element) -> str:
    objects = report.findall(f"{_GEN}Target/{_GEN}ReferenceValue/{_GEN}ObjectReference")
    urn = _referred(objects[0], None) if len(objects) == 1 else None
    if urn is None:
        raise DataError(
            f"message:{line_of(report)}, report {report.get('id')}",
            got="another target than one object",
            expected="a target that SDMX 3 has too: one artefact, or an item in one",
        )
    return urn


def _read_attributes(
    parent: Element, structure: MetadataStructure | None, above: tuple[str, ...]
) -> list[dict[str, Any]]:
    found = []
    for element in parent.iterfind(f"{_GEN}AttributeSet/{_GEN}ReportedAttribute"):
        path = (*above, str(element.get("id")))
        content: dict[str, Any] = {"id": path[-1]}
        texts = {one.get(XML_LANG, "en"): one.text or "" for one in element.iterfind(f"{_COM}Text")}
        structured = element.findall(f"{_COM}StructuredText")
        if structured:
            content["format"] = {"dataType": "XHTML"}
            content["value"] = {
                one.get(XML_LANG, "en"): (one.text or "") + "".join(map(markup_of, one))
                for one in structured
            }
        elif texts:
            content["value"] = texts
        elif (value := element.get("value")) is not None:
            known = structure.by_path.get(".".join(path)) if structure else None
            where = f"message:{line_of(element)}, attribute {path[-1]}"
            content["value"] = typed_value(value, known, where)
        if below := _read_attributes(element, structure, path):
            content["attributes"] = below
        found.append(content)
    return found
