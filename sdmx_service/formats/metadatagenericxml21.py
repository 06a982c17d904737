"""Generic metadata messages of SDMX-ML 2.1."""

from __future__ import annotations

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
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.messages import Element, line_of, parse, refuse_invalid
from sdmx_service.structures.metadataset import MetadataSet

__all__ = ["read_generic_metadata", "write_generic_metadata"]

_GEN = f"{{{VERSION.namespace('metadata/generic')}}}"


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
    yield _Writer(message).document()


class _Writer(Writer):
    root, space, inner, outer = "GenericMetadata", _GEN, _GEN, ""

    def say_namespace(self, structure: Element, flow: str) -> None:
        """Say nothing: all structures have the same."""

    def say_type(self, element: Element, flow: str, name: str) -> None:
        """Say nothing: no type depends on a structure."""

    def attributes(self, report: Element, one: MetadataSet, flow: str) -> None:
        self._written(report, one.attributes, one)

    def _written(self, parent: Element, attributes: Attributes, one: MetadataSet) -> None:
        outer = etree.SubElement(parent, f"{_GEN}AttributeSet")
        for content in attributes:
            for key in ("annotations", "format"):
                if key in content:
                    raise refused(one, f"{key} of attribute {content['id']}")
            element = etree.SubElement(outer, f"{_GEN}ReportedAttribute", id=content["id"])
            value = content.get("value")
            if isinstance(value, dict):
                named(element, value, f"{COMMON}Text")
            elif value is not None:
                element.set("value", text_of(value))
            if "attributes" in content:
                self._written(element, content["attributes"], one)


@register_metadata_reader("genericmetadata")
def read_generic_metadata(
    content: bytes, structures: Mapping[str, MetadataStructure]
) -> MetadataMessage:
    """Return the message; ``metadatareports21.Reader`` says what becomes a set.

    Raises DataError or StructureError with the line.
    """
    root = parse(content, "message")
    if root.tag != f"{MESSAGE}GenericMetadata":
        raise DataError(
            f"message:{line_of(root)}",
            got=str(root.tag)[:120],
            expected="a GenericMetadata message of SDMX-ML 2.1",
        )
    if root.find(f".//{COMMON}StructuredText") is None:
        refuse_invalid(root, "message", VERSION)
    return _Reader(root, structures).message()


class _Reader(Reader):
    inner, outer = _GEN, ""

    def attributes(
        self, report: Element, structure: MetadataStructure | None
    ) -> list[dict[str, Any]]:
        return self._read(report, structure, ())

    def _read(
        self, parent: Element, structure: MetadataStructure | None, above: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        found = []
        for element in parent.iterfind(f"{_GEN}AttributeSet/{_GEN}ReportedAttribute"):
            path = (*above, str(element.get("id")))
            content: dict[str, Any] = {"id": path[-1]} | reported_texts(element)
            if "value" not in content and (value := element.get("value")) is not None:
                known = structure.by_path.get(".".join(path)) if structure else None
                where = f"message:{line_of(element)}, attribute {path[-1]}"
                content["value"] = typed_value(value, known, where)
            if below := self._read(element, structure, path):
                content["attributes"] = below
            found.append(content)
        return found
