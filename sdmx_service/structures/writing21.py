"""Structure messages written as SDMX-ML 2.1."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime

from lxml import etree

from sdmx_service.structures.detail import Detail
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import COM, MES, STR, Element

__all__ = ["message_id", "structure_message"]

_PREFIXES = {"mes": MES.strip("{}"), "str": STR.strip("{}"), "com": COM.strip("{}")}
_STUB = (f"{COM}Name",)
_COMPLETE_STUB = (f"{COM}Annotations", f"{COM}Name", f"{COM}Description")


def message_id(sender: str, prepared: datetime) -> str:
    """Return an id for the message of a sender at a time."""
    return f"{sender}-{prepared:%Y%m%dT%H%M%S}"


def structure_message(
    artefacts: Iterable[Artefact],
    *,
    prepared: datetime,
    sender: str,
    test: bool = False,
    detail: Detail = Detail.FULL,
    referenced: Iterable[Artefact] = (),
) -> bytes:
    """Return a message with the artefacts asked for and those they refer to.

    The result is valid against the SDMX-ML 2.1 schema; artefacts stand in its order.
    ``prepared`` has a time zone; ``sender`` is an SDMX id.
    """
    root = etree.Element(f"{MES}Structure", nsmap=_PREFIXES)
    header = etree.SubElement(root, f"{MES}Header")
    for name, text in (
        ("ID", message_id(sender, prepared)),
        ("Test", str(test).lower()),
        ("Prepared", prepared.isoformat(timespec="seconds")),
    ):
        etree.SubElement(header, f"{MES}{name}").text = text
    etree.SubElement(header, f"{MES}Sender", id=sender)
    structures = etree.SubElement(root, f"{MES}Structures")
    written = [(found, detail.stubs(referenced=False)) for found in artefacts]
    written += [(found, detail.stubs(referenced=True)) for found in referenced]
    for kind in ArtefactKind:
        of_kind = [(found, cut) for found, cut in written if found.kind is kind]
        if of_kind:
            container = etree.SubElement(structures, f"{STR}{kind.container}")
            container.extend(_element(found, cut, detail.complete) for found, cut in of_kind)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _element(artefact: Artefact, stub: bool, complete: bool) -> Element:
    element = deepcopy(artefact.element)
    element.tail = None
    element.set("urn", artefact.urn)
    if stub:
        element.set("isExternalReference", "true")
        kept = _COMPLETE_STUB if complete else _STUB
        for child in element.findall("*"):
            if child.tag not in kept:
                element.remove(child)
    return element
