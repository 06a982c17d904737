"""Where a service answers for an artefact."""

from __future__ import annotations

from dataclasses import dataclass

from sdmx_service.structures.maintainable import Artefact

__all__ = ["Address"]


@dataclass(frozen=True)
class Address:
    """An entry point for structure queries.

    ``root`` is what stands before the type of artefact, ``old`` whether it is one of REST 1.5,
    where types have the names of SDMX 2.1. ``query`` are parameters that each address has.
    """

    root: str
    old: bool
    query: tuple[str, ...] = ()

    def of(self, artefact: Artefact, *more: str) -> str:
        """Return the address of an artefact, with ``more`` parameters."""
        kind = artefact.kind
        name = kind.paths[0]
        if self.old and kind.ml21 is not None and kind.ml21[1].lower() in kind.paths:
            name = kind.ml21[1].lower()
        parts = (self.root, name, artefact.agency, artefact.id, artefact.version)
        asked = "&".join((*self.query, *more))
        return "/".join(parts) + (f"?{asked}" if asked else "")
