"""Artefacts taken out of a file that holds others too."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from sdmx_service.errors import StructureError
from sdmx_service.structures.jsonmessages import parse_json
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import line_of, parse

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["without"]


def without(artefacts: Collection[Artefact], file: Path) -> None:
    """Take artefacts out of the file they were read from; it goes where nothing is left.

    The rest stays as it is written, comments too. They are taken at once, for lines and places
    are those of the file as it was read. Raises StructureError where it does not hold one.
    """
    taken = _without_json if file.suffix == ".json" else _without_xml
    left = taken(artefacts, file)
    if left is None:
        file.unlink()
    else:
        file.write_bytes(left)


def _without_xml(artefacts: Collection[Artefact], file: Path) -> bytes | None:
    from lxml import etree

    root = parse(file.read_bytes(), str(file))
    for container, element in [_found(one, root, file) for one in artefacts]:
        container.remove(element)
        above = container.getparent()
        if above is not None and next(container.iterchildren("*"), None) is None:
            above.remove(container)
    if root.find("{*}Structures/*") is None:
        return None
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def _found(artefact: Artefact, root: _Element, file: Path) -> tuple[_Element, _Element]:
    """Return the container and the element of an artefact."""
    line = None if artefact.lines is None else artefact.lines(None)
    # A file may be one line, and an availability of SDMX 3.1 has no identity of its own.
    wanted = {"id": artefact.id, "agencyID": artefact.agency, "version": artefact.version}
    for container in root.iterfind("{*}Structures/*"):
        for element in container.iterchildren("*"):
            named = all(element.get(key, value) == value for key, value in wanted.items())
            if named and line_of(element) == line:
                return container, element
    raise StructureError(str(file), got="no such artefact", expected=artefact.urn)


def _without_json(artefacts: Collection[Artefact], file: Path) -> bytes | None:
    message = parse_json(file.read_bytes(), str(file))
    places = [one.file.rpartition(", ")[2].split("/")[1:] for one in artefacts]
    for key, place in sorted(places, key=lambda each: -int(each[1])):
        del message["data"][key][int(place)]
        if not message["data"][key]:
            del message["data"][key]
    if not message["data"]:
        return None
    return json.dumps(message, ensure_ascii=False, indent=1).encode()
