"""The structures as sdmx1, a reader that is not ours, sees them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import sdmx
import sdmx.reader.xml.v30  # it cannot load once a 2.1 message has been read
from sdmx.exceptions import ParseError, XMLParseError

from sdmx_service.errors import StructureError
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.store import StructureStore, read_artefacts
from sdmx_service.structures.writing_ml import refusal, structure_message

__all__ = ["COUNTED", "read_by_sdmx1"]

_COLLECTIONS = {
    ArtefactKind.AGENCY_SCHEME: "organisation_scheme",
    ArtefactKind.DATA_CONSUMER_SCHEME: "organisation_scheme",
    ArtefactKind.DATA_PROVIDER_SCHEME: "organisation_scheme",
    ArtefactKind.DATAFLOW: "dataflow",
    ArtefactKind.CATEGORY_SCHEME: "category_scheme",
    ArtefactKind.CATEGORISATION: "categorisation",
    ArtefactKind.CODELIST: "codelist",
    ArtefactKind.CONCEPT_SCHEME: "concept_scheme",
    ArtefactKind.DATA_STRUCTURE: "structure",
    ArtefactKind.DATA_CONSTRAINT: "constraint",
    ArtefactKind.PROVISION_AGREEMENT: "provisionagreement",
    ArtefactKind.METADATAFLOW: "metadataflow",
    ArtefactKind.METADATA_STRUCTURE: "metadatastructure",
}
COUNTED = frozenset(_COLLECTIONS)
"""The kinds of artefact that sdmx1 reads."""


def read_by_sdmx1(paths: Iterable[Path]) -> Mapping[str, int]:
    """Return how many artefacts sdmx1 finds in the files, by the name of its collection.

    It reads them written as one message of SDMX-ML 2.1, without what that cannot carry and the
    kinds that sdmx1 does not read. Raises StructureError where sdmx1 cannot read them or finds
    other ids than we do, apart from those that references name. The files pass our gate first, for
    sdmx1 parses without one.
    """
    store = StructureStore(
        artefact for path in paths for artefact in read_artefacts(path.read_bytes(), str(path))
    )
    carried = [
        one
        for one in store.artefacts
        if one.kind in _COLLECTIONS
        and refusal(one, MlVersion.ML21) is None
        # "Not implemented: constraints attached to ... ProvisionAgreement"
        and "provisionAgreements" not in one.content.get("constraintAttachment", {})
    ]
    written = structure_message(
        carried, prepared=datetime(2000, 1, 1, tzinfo=UTC), sender="CROSSCHECK"
    )
    # It says by logging what it has no place for, which nobody asked it.
    logging.getLogger("sdmx").addHandler(logging.NullHandler())
    try:
        message = sdmx.read_sdmx(BytesIO(written))
    except (ParseError, XMLParseError) as error:
        raise StructureError(
            "structures read by sdmx1", got=str(error), expected="a message that it can read"
        ) from error
    # Of what it has only been told of by references it makes artefacts too.
    referred = {reference.urn.id for one in carried for reference in one.references}
    counts: dict[str, int] = {}
    for name in _COLLECTIONS.values():
        theirs = {found.id for found in getattr(message, name).values()}
        ours = {found.id for found in carried if _COLLECTIONS[found.kind] == name}
        for found, what in ((ours - theirs, "not found by it"), (theirs - ours, "not in ours")):
            if unlike := sorted(found - (set() if found <= ours else referred)):
                raise StructureError(
                    f"{name} read by sdmx1",
                    got=f"{', '.join(unlike)}, {what}",
                    expected=f"the {len(ours)} that the files hold",
                    hint="sdmx1 reads the files as one message of SDMX-ML 2.1",
                )
        counts[name] = len(ours)
    return counts
