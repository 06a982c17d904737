"""The forms of each version of SDMX-ML, ready for reading and writing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sdmx_service.structures import generations, shapes21, shapes30, shapes31
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.shapes import Shape, compiled

__all__ = ["forms"]


@cache
def forms(version: MlVersion) -> Mapping[str, Shape]:
    """Return the shapes of a version by name; those of artefacts have the name of their kind."""
    match version:
        case MlVersion.ML31:
            return compiled(
                shapes31.TABLE, after=generations.AFTER_31, before=generations.BEFORE_31
            )
        case MlVersion.ML30:
            return compiled(
                shapes31.TABLE,
                shapes30.TABLE,
                after=generations.AFTER_30,
                before=generations.BEFORE_30,
            )
        case MlVersion.ML21:
            return compiled(
                shapes31.TABLE,
                shapes30.TABLE,
                shapes21.TABLE,
                after=generations.AFTER_21,
                before=generations.BEFORE_21,
            )
