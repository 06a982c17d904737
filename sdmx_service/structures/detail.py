"""How much of each artefact a structure message tells."""

from __future__ import annotations

from enum import Enum

__all__ = ["Detail"]


class Detail(Enum):
    """Values of the ``detail`` parameter; a stub is a name without content.

    A complete stub keeps descriptions and annotations too.
    """

    FULL = "full"
    ALL_STUBS = "allstubs"
    REFERENCE_STUBS = "referencestubs"
    ALL_COMPLETE_STUBS = "allcompletestubs"
    REFERENCE_COMPLETE_STUBS = "referencecompletestubs"

    def stubs(self, *, referenced: bool) -> bool:
        """Tell whether an artefact asked for, or one it merely refers to, is cut to a stub."""
        if self is Detail.FULL:
            return False
        return referenced or self in (Detail.ALL_STUBS, Detail.ALL_COMPLETE_STUBS)

    @property
    def complete(self) -> bool:
        """Whether stubs keep descriptions and annotations."""
        return self in (Detail.ALL_COMPLETE_STUBS, Detail.REFERENCE_COMPLETE_STUBS)
