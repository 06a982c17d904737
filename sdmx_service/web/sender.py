"""Who sends the messages of this service."""

from __future__ import annotations

import re

from sdmx_service.release import Release

__all__ = ["sender_of"]

_NO_ID = re.compile(r"[^A-Za-z0-9_@$-]")


def sender_of(release: Release, otherwise: str) -> str:
    """Return the agency of the publication as an id (IDType), which has no dots.

    A header names "the party that is transmitting the message" (SDMXMessage.xsd), whoever maintains
    what is in it; ``otherwise`` is said for releases that do not tell who published them.
    """
    publication = release.definitions.get("publication", {})
    return _NO_ID.sub("_", publication.get("agency") or otherwise)
