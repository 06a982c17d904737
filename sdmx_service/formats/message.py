"""What a data message says, before it has a format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import polars as pl

from sdmx_service.structures.artefacts import Dataflow, localised
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.maintainable import Artefact

__all__ = ["DataMessage", "Labels", "StructureMessage", "message_id"]


class Labels(Enum):
    """Whether coded values carry their names (SDMX-CSV 2.0); values are the standard's tokens."""

    ID = "id"
    NAME = "name"
    BOTH = "both"


def message_id(release: str) -> str:
    """Return a release id as an SDMX IDType, which has no dots or colons."""
    return re.sub(r"[^A-Za-z0-9_@$-]", "_", release) or "_"


@dataclass(frozen=True)
class DataMessage:
    """Observations of one dataflow out of one release.

    ``frame`` has columns named by component ids, in structure order: coded ones as Enum, the
    rows of a series next to each other. Without the time dimension it is a list of series.
    ``prepared`` is when the release was published, so that an answer is the same, byte for
    byte, whenever it is asked for. ``flat`` asks for observations without series.
    """

    flow: Dataflow
    frame: pl.DataFrame
    release: str
    prepared: datetime
    flat: bool = False
    languages: tuple[str, ...] = ("en",)
    labels: Labels = Labels.ID

    def text(self, names: Mapping[str, str]) -> str:
        """Return a name in the first language asked for that it has."""
        chosen = next((names[tag] for tag in self.languages if names.get(tag)), None)
        return chosen or localised(names)


@dataclass(frozen=True)
class StructureMessage:
    """Artefacts that were asked for, and those they came with, out of one release."""

    artefacts: tuple[Artefact, ...]
    referenced: tuple[Artefact, ...]
    sender: str
    prepared: datetime
    detail: Detail = Detail.FULL
    languages: tuple[str, ...] = ("en",)
