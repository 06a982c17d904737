"""One artefact taken out of a file that holds others too."""

from __future__ import annotations

import json
from pathlib import Path

from sdmx_service.errors import StructureError
from sdmx_service.structures.jsonmessages import parse_json
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import line_of, parse

__all__ = ["without"]


def without(artefact: Artefact, file: Path) -> None:
    """Take an artefact out of the file it was read from; the file goes where nothing is left.

    The rest stays as it is written, comments too. Raises StructureError where the file does not
    hold it.
    """
    left = _without_json(artefact, file) if file.suffix == ".json" else _without_xml(artefact, file)
    if left is None:
        file.unlink()
    else:
        file.write_bytes(left)


def _without_xml(artefact: Artefact, file: Path) -> bytes | None:
    from lxml import etree

    root = parse(file.read_bytes(), str(file))
    line = None if artefact.lines is None else artefact.lines(None)
    structures = root.find("{*}Structures")
    for container in () if structures is None else structures:
        for element in container:
            if element.get("id") == artefact.id and line_of(element) == line:
                container.remove(element)
                if len(container) == 0 and structures is not None:
                    structures.remove(container)
                if structures is not None and len(structures) == 0:
                    return None
                return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")
    raise StructureError(str(file), got="no such artefact", expected=artefact.urn)


def _without_json(artefact: Artefact, file: Path) -> bytes | None:
    message = parse_json(file.read_bytes(), str(file))
    _, key, place = artefact.file.rpartition(", ")[2].split("/")
    del message["data"][key][int(place)]
    if not message["data"][key]:
        del message["data"][key]
    if not message["data"]:
        return None
    return json.dumps(message, ensure_ascii=False, indent=1).encode()
