"""The structures as sdmx1, a reader that is not ours, sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import sdmx
import sdmx.reader.xml.v30  # it cannot load once a 2.1 message has been read
from sdmx.exceptions import ParseError, XMLParseError

from sdmx_service.errors import StructureError
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.store import StructureStore, read_artefacts
from sdmx_service.structures.writing21 import structure_message

__all__ = ["read_by_sdmx1"]

_COLLECTIONS = {
    ArtefactKind.AGENCY_SCHEME: "organisation_scheme",
    ArtefactKind.DATAFLOW: "dataflow",
    ArtefactKind.CATEGORY_SCHEME: "category_scheme",
    ArtefactKind.CATEGORISATION: "categorisation",
    ArtefactKind.CODELIST: "codelist",
    ArtefactKind.CONCEPT_SCHEME: "concept_scheme",
    ArtefactKind.DATA_STRUCTURE: "structure",
    ArtefactKind.CONTENT_CONSTRAINT: "constraint",
}


def read_by_sdmx1(paths: Iterable[Path]) -> Mapping[ArtefactKind, int]:
    """Return how many artefacts of each kind sdmx1 finds in the files, written as one message.

    Raises StructureError where sdmx1 cannot read them or finds other ids than we do. The files
    pass our gate first, for sdmx1 parses without one.
    """
    store = StructureStore(
        artefact for path in paths for artefact in read_artefacts(path.read_bytes(), str(path))
    )
    written = structure_message(
        store.artefacts, prepared=datetime(2000, 1, 1, tzinfo=UTC), sender="CROSSCHECK"
    )
    try:
        message = sdmx.read_sdmx(BytesIO(written))
    except (ParseError, XMLParseError) as error:
        raise StructureError(
            "structures read by sdmx1", got=str(error), expected="a message that it can read"
        ) from error
    for kind, name in _COLLECTIONS.items():
        theirs = {found.id for found in getattr(message, name).values()}
        ours = {found.id for found in store.find(kind, version="*")}
        if theirs != ours:
            raise StructureError(
                f"{kind.element} read by sdmx1",
                got=sorted(theirs),
                expected=", ".join(sorted(ours)),
            )
    return {kind: len(getattr(message, name)) for kind, name in _COLLECTIONS.items()}
