"""Texts, values and annotations, as the metadata messages of every SDMX-ML have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.xmlheader import XSI
from sdmx_service.structures.messages import XML_LANG, Element

__all__ = [
    "TYPE",
    "annotations_of",
    "markup_of",
    "moment_of",
    "named",
    "texts_of",
    "value_of",
    "write_annotations",
]

TYPE = f"{{{XSI}}}type"
"""The XML attribute that says the type of a value."""


def named(parent: Element, texts: Mapping[str, str], tag: str) -> None:
    """Write texts by language, one element each."""
    for language, text in texts.items():
        element = etree.SubElement(parent, tag)
        element.set(XML_LANG, language)
        element.text = text


def write_annotations(parent: Element, annotations: list[dict[str, Any]], com: str) -> None:
    """Write the annotations of SDMX 3.x; ``com`` is the common namespace in braces."""
    outer = etree.SubElement(parent, f"{com}Annotations")
    for one in annotations:
        element = etree.SubElement(outer, f"{com}Annotation")
        if "id" in one:
            element.set("id", one["id"])
        for key in ("title", "type"):
            if key in one:
                etree.SubElement(element, f"{com}Annotation{key.capitalize()}").text = one[key]
        for link in one.get("links", ()):
            url = etree.SubElement(element, f"{com}AnnotationURL")
            url.text = link.get("href")
            if "hreflang" in link:
                url.set(XML_LANG, link["hreflang"])
        texts = one.get("texts") or ({"en": one["text"]} if "text" in one else {})
        named(element, texts, f"{com}AnnotationText")
        if "value" in one:
            etree.SubElement(element, f"{com}AnnotationValue").text = one["value"]


def value_of(element: Element) -> Any:
    """Return the value of an element, typed where it says its type."""
    text = element.text or ""
    kind = element.get(TYPE, "").rpartition(":")[2]
    makers: Mapping[str, Callable[[str], Any]] = {
        "boolean": lambda word: word.strip() in ("true", "1"),
        **dict.fromkeys(("integer", "int", "long", "short"), int),
        **dict.fromkeys(("double", "float"), float),
    }
    return makers[kind](text) if kind in makers else text


def texts_of(parent: Element, tag: str) -> dict[str, str]:
    """Return the texts of the elements called ``tag`` by language."""
    return {one.get(XML_LANG, "en"): one.text or "" for one in parent.iterfind(tag)}


def markup_of(element: Element) -> str:
    """Return what is inside an element as text, without the namespaces of its message."""
    return (element.text or "") + "".join(map(_alone, element))


def _alone(element: Element) -> str:
    alone = deepcopy(element)
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode")


def annotations_of(element: Element, com: str) -> list[dict[str, Any]]:
    """Return the annotations of an element, in the form of SDMX-JSON 2.1."""
    found = []
    for one in element.iterfind(f"{com}Annotations/{com}Annotation"):
        said: dict[str, Any] = {"id": one.get("id")} if "id" in one.attrib else {}
        for key in ("title", "type", "value"):
            if (text := one.findtext(f"{com}Annotation{key.capitalize()}")) is not None:
                said[key] = text
        links = [
            {"href": url.text or "", **({"hreflang": lang} if (lang := url.get(XML_LANG)) else {})}
            for url in one.iterfind(f"{com}AnnotationURL")
        ]
        if links:
            said["links"] = links
        if texts := texts_of(one, f"{com}AnnotationText"):
            said["texts"] = texts
        found.append(said)
    return found


def moment_of(text: str) -> datetime:
    """Return the moment of a header, in UTC where it does not say its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError("Prepared", got=text[:80], expected="a date and time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
