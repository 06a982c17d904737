"""What to say when a format cannot carry a structure."""

from __future__ import annotations

from sdmx_service.errors import NotAcceptable

__all__ = ["CannotCarry"]


class CannotCarry(NotAcceptable):
    """A format has no place for an artefact or for something in it (HTTP 406).

    ``where`` is the artefact's URN, ``got`` what has no place.
    """
