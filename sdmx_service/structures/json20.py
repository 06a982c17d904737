"""Structure messages written as SDMX-JSON 2.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sdmx_service.structures.artefacts import localised
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact, Reference, named, references_in
from sdmx_service.structures.messages import COM, STR, XML_LANG, Element
from sdmx_service.structures.writing21 import message_id

__all__ = ["MEDIA_TYPE", "structure_message"]

MEDIA_TYPE = "application/vnd.sdmx.structure+json;version=2.0.0"

_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/"
    "tools/schemas/2.0.0/sdmx-json-structure-schema.json"
)

_TEXTS = (f"{COM}Name", f"{COM}Description", f"{COM}AnnotationText")

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
    ``language`` is that of the single names beside the full sets.
    """
    data: dict[str, list[Json]] = {}
    written = [(found, detail.stubs(referenced=False)) for found in artefacts]
    written += [(found, detail.stubs(referenced=True)) for found in referenced]
    for found, stub in written:
        data.setdefault(found.kind.json_key, []).append(
            _maintainable(found, stub, detail.complete, language)
        )
    meta = {
        "schema": _SCHEMA,
        "id": message_id(sender, prepared),
        "test": test,
        "prepared": prepared.isoformat(timespec="seconds"),
        "contentLanguages": [language, *sorted(_languages(written) - {language})],
        "sender": {"id": sender},
    }
    message = {"meta": meta, "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _languages(written: Iterable[tuple[Artefact, bool]]) -> set[str]:
    return {
        text.get(XML_LANG, "en")
        for found, stub in written
        for text in (found.element if stub else found.element.iter(*_TEXTS))
        if text.tag in _TEXTS
    }


def _maintainable(artefact: Artefact, stub: bool, complete: bool, language: str) -> Json:
    element = artefact.element
    head: Json = {"id": artefact.id, "version": artefact.version, "agencyID": artefact.agency}
    head |= _nameable(element, language, complete=complete or not stub)
    head["links"] = [{"rel": "self", "urn": _urn(Reference(artefact.identity, None, 0))}]
    if stub:
        return {**head, "isExternalReference": True}
    return {**head, "isExternalReference": False, **_CONTENT[artefact.kind](element, language)}


def _nameable(element: Element, language: str, *, complete: bool = True) -> Json:
    names = named(element, f"{COM}Name")
    found: Json = {"name": localised(names, language), "names": names}
    if complete:
        found |= _described(element, language)
    return found


def _described(element: Element, language: str) -> Json:
    found: Json = {}
    if descriptions := named(element, f"{COM}Description"):
        found["description"] = localised(descriptions, language)
        found["descriptions"] = descriptions
    annotations = [
        _annotation(one, language) for one in element.iterfind(f"{COM}Annotations/{COM}Annotation")
    ]
    if annotations:
        found["annotations"] = annotations
    return found


def _annotation(element: Element, language: str) -> Json:
    texts = named(element, f"{COM}AnnotationText")
    parts = {
        "id": element.get("id"),
        "title": element.findtext(f"{COM}AnnotationTitle"),
        "type": element.findtext(f"{COM}AnnotationType"),
        "text": localised(texts, language) or None,
        "texts": texts or None,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _urn(reference: Reference) -> str:
    kind, agency, id, version = reference.target
    urn = kind.urn(agency, id, version, reference.item)
    # SDMX 3.0, on which JSON 2.0 stands, calls a content constraint a data constraint.
    return urn.replace(".ContentConstraint=", ".DataConstraint=")


def _target(element: Element | None) -> str:
    return "" if element is None else _urn(next(references_in(element)))


def _items(key: str) -> Callable[[Element, str], Json]:
    def content(element: Element, language: str) -> Json:
        items = []
        for child in element:
            if child.tag in (f"{STR}Code", f"{STR}Concept", f"{STR}Category", f"{STR}Agency"):
                item = {"id": child.get("id", ""), **_nameable(child, language)}
                parent = child.find(f"{STR}Parent/Ref")
                if parent is not None:
                    item["parent"] = parent.get("id", "")
                if any(grandchild.tag == child.tag for grandchild in child):
                    item |= content(child, language)
                items.append(item)
        return {key: items} if items else {}

    return content


def _dataflow(element: Element, language: str) -> Json:
    return {"structure": _target(element.find(f"{STR}Structure"))}


def _categorisation(element: Element, language: str) -> Json:
    return {
        "source": _target(element.find(f"{STR}Source")),
        "target": _target(element.find(f"{STR}Target")),
    }


def _constraint(element: Element, language: str) -> Json:
    attachment = element.find(f"{STR}ConstraintAttachment")
    flows = [] if attachment is None else [_urn(found) for found in references_in(attachment)]
    regions = [
        {
            "include": region.get("include", "true") == "true",
            "keyValues": [
                {
                    "id": key.get("id", ""),
                    "values": [{"value": value.text} for value in key.iterfind(f"{COM}Value")],
                }
                for key in region.iterfind(f"{COM}KeyValue")
            ],
        }
        for region in element.iterfind(f"{STR}CubeRegion")
    ]
    return {
        "role": element.get("type", "Actual"),
        "constraintAttachment": {"dataflows": flows},
        "cubeRegions": regions,
    }


def _datastructure(element: Element, language: str) -> Json:
    parts = {
        name: element.find(f"{STR}DataStructureComponents/{STR}{name}")
        for name in ("DimensionList", "AttributeList", "MeasureList")
    }
    dimensions, attributes, measures = parts.values()
    components: Json = {}
    if dimensions is not None:
        components["dimensionList"] = {
            "id": "DimensionDescriptor",
            "dimensions": [_dimension(one) for one in dimensions.iterfind(f"{STR}Dimension")],
        }
        for one in dimensions.iterfind(f"{STR}TimeDimension"):
            components["dimensionList"]["timeDimension"] = _component(one)
    if attributes is not None:
        components["attributeList"] = {
            "id": "AttributeDescriptor",
            "attributes": [_attribute(one) for one in attributes.iterfind(f"{STR}Attribute")],
        }
    if measures is not None:
        components["measureList"] = {
            "id": "MeasureDescriptor",
            "measures": [_component(one) for one in measures.iterfind(f"{STR}PrimaryMeasure")],
        }
    return {"dataStructureComponents": components}


def _component(element: Element) -> Json:
    representation = element.find(f"{STR}LocalRepresentation")
    found: Json = {
        "id": element.get("id", ""),
        "conceptIdentity": _target(element.find(f"{STR}ConceptIdentity")),
    }
    if representation is not None:
        text = representation.find(f"{STR}TextFormat")
        found["localRepresentation"] = (
            {"enumeration": _target(representation)}
            if text is None
            else {"format": {"dataType": text.get("textType", "String")}}
        )
    return found


def _dimension(element: Element) -> Json:
    # Positions count from 0 in SDMX-JSON and from 1 in SDMX-ML 2.1.
    return {**_component(element), "position": int(element.get("position", "1")) - 1}


def _attribute(element: Element) -> Json:
    relationship = element.find(f"{STR}AttributeRelationship")
    dimensions: list[str] = []
    if relationship is not None:
        dimensions = [one.get("id", "") for one in relationship.iterfind(f"{STR}Dimension/Ref")]
    mandatory = element.get("assignmentStatus") == "Mandatory"
    return {
        **_component(element),
        "usage": "mandatory" if mandatory else "optional",
        "attributeRelationship": {"dimensions": dimensions} if dimensions else {"observation": {}},
    }


_CONTENT: Mapping[ArtefactKind, Callable[[Element, str], Json]] = {
    ArtefactKind.AGENCY_SCHEME: _items("agencies"),
    ArtefactKind.DATAFLOW: _dataflow,
    ArtefactKind.CATEGORY_SCHEME: _items("categories"),
    ArtefactKind.CATEGORISATION: _categorisation,
    ArtefactKind.CODELIST: _items("codes"),
    ArtefactKind.CONCEPT_SCHEME: _items("concepts"),
    ArtefactKind.DATA_STRUCTURE: _datastructure,
    ArtefactKind.CONTENT_CONSTRAINT: _constraint,
}
