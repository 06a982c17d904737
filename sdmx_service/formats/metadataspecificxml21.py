"""Structure-specific metadata messages of SDMX-ML 2.1.

An element for each metadata attribute, of a type that the schema of the structure has
(``schemaxsdmetadata``, by the rules of SDMX 2.1, section 3A, part IV).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.lexical import text_of
from sdmx_service.formats.metadata import (
    MetadataMessage,
    register_metadata,
    register_metadata_reader,
    typed_value,
)
from sdmx_service.formats.metadataelements import named
from sdmx_service.formats.metadatareports21 import (
    COMMON,
    MESSAGE,
    VERSION,
    Attributes,
    Reader,
    Writer,
    refused,
    reported_texts,
)
from sdmx_service.formats.schemaxsdmetadata import target_namespace
from sdmx_service.formats.xmlheader import XSI
from sdmx_service.formats.xmlsource import refuse_invalid_header
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure
from sdmx_service.structures.messages import Element, line_of, parse
from sdmx_service.structures.metadataset import MetadataSet

__all__ = ["read_specific_metadata", "write_specific_metadata"]

_ROOT = "StructureSpecificMetadata"
_MSD = f"{{{VERSION.namespace('metadata/structurespecific')}}}"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@register_metadata(
    "structurespecificmetadata",
    "application/vnd.sdmx.structurespecificmetadata+xml",
    "2.1",
    ".xml",
    short_names=("structurespecificmetadata21",),
    family=("structurespecific",),
    generation=Generation.SDMX_2_1,
)
def write_specific_metadata(message: MetadataMessage) -> Iterator[bytes]:
    """Yield the message; each set needs the structure of its flow, whose order it has."""
    yield _Writer(message).document()


class _Writer(Writer):
    root, space, inner, outer = _ROOT, _MSD, "", _MSD

    def __init__(self, message: MetadataMessage) -> None:
        super().__init__(message)
        self.structures: dict[str, MetadataStructure] = {}
        for one in message.sets:
            structure = message.structures.get(one.reported_to)
            if structure is None:
                raise refused(one, f"{one.reported_to}, whose structure is not known here")
            self.structures[self.flow(one)] = structure
        self.prefixes = {flow: f"ns{number}" for number, flow in enumerate(self.structures, 1)}

    @property
    def namespaces(self) -> Mapping[str, str]:
        return {
            prefix: target_namespace(self.structures[flow])
            for flow, prefix in self.prefixes.items()
        }

    def say_namespace(self, structure: Element, flow: str) -> None:
        structure.set("namespace", target_namespace(self.structures[flow]))

    def say_type(self, element: Element, flow: str, name: str) -> None:
        element.set(f"{{{XSI}}}type", f"{self.prefixes[flow]}:{name}")

    def attributes(self, report: Element, one: MetadataSet, flow: str) -> None:
        self._written(report, one.attributes, self.structures[flow], (), one)

    def _written(
        self,
        parent: Element,
        attributes: Attributes,
        structure: MetadataStructure,
        above: tuple[str, ...],
        one: MetadataSet,
    ) -> None:
        known = {a.id: a for a in structure.by_path.values() if a.path[:-1] == above}
        for content in attributes:
            if content["id"] not in known or not _NAME.fullmatch(content["id"]):
                raise refused(one, f"attribute {content['id']}, which {structure.id} has not")
        outer = etree.SubElement(parent, "AttributeSet")
        for attribute in known.values():
            for content in attributes:
                if content["id"] == attribute.id:
                    element = etree.SubElement(outer, attribute.id, id=attribute.id)
                    element.set(f"{_MSD}isMetadataAttribute", "true")
                    self._value(element, content, attribute, one)
                    if "attributes" in content:
                        below = content["attributes"]
                        self._written(element, below, structure, attribute.path, one)

    def _value(
        self,
        element: Element,
        content: Mapping[str, Any],
        attribute: MetadataAttribute,
        one: MetadataSet,
    ) -> None:
        """Write a value as the type of the attribute has it."""
        value = content.get("value")
        several = attribute.multilingual and attribute.codelist is None
        for key in ("annotations", "format"):
            if key in content:
                raise refused(one, f"{key} of attribute {attribute.id}")
        if attribute.presentational != (value is None):
            what = "no value" if value is None else "a value"
            raise refused(one, f"{what} of attribute {attribute.id}")
        if value is None:
            return
        if attribute.data_type == "XHTML" and attribute.codelist is None:
            raise refused(one, f"XHTML, of attribute {attribute.id}")
        if isinstance(value, dict) != several:
            what = "a text without a language" if several else "texts by language"
            raise refused(one, f"{what}, of attribute {attribute.id}")
        if isinstance(value, dict):
            named(element, value, f"{COMMON}Text")
        else:
            element.set("value", text_of(value))


@register_metadata_reader("structurespecificmetadata")
def read_specific_metadata(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; ``metadatareports21.Reader`` says what becomes a set.

    Its header is held to the standard's schema, its sets are not held to that of the structure.
    Raises DataError or StructureError with the line.
    """
    root = parse(content, "message")
    header = root.find(f"{MESSAGE}Header")
    if root.tag != f"{MESSAGE}{_ROOT}" or header is None:
        raise DataError(
            f"message:{line_of(root)}",
            got=str(root.tag)[:120],
            expected=f"a {_ROOT} message of SDMX-ML 2.1 with a header",
        )
    refuse_invalid_header(header, _ROOT, Generation.SDMX_2_1)
    return _Reader(root, structures).message()


class _Reader(Reader):
    inner, outer = "", _MSD

    def attributes(
        self, report: Element, structure: MetadataStructure | None
    ) -> list[dict[str, Any]]:
        return self._read(report, structure, ())

    def _read(
        self, parent: Element, structure: MetadataStructure | None, above: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        found = []
        for element in parent.iterfind("AttributeSet/*"):
            # The id need not be said: the type fixes it, and the element bears it as a name.
            path = (*above, element.get("id", etree.QName(element).localname))
            content: dict[str, Any] = {"id": path[-1]} | reported_texts(element)
            if "value" not in content and (value := element.get("value")) is not None:
                known = structure.by_path.get(".".join(path)) if structure else None
                where = f"message:{line_of(element)}, attribute {path[-1]}"
                content["value"] = typed_value(value, known, where)
            if below := self._read(element, structure, path):
                content["attributes"] = below
            found.append(content)
        return found
