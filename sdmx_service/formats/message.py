"""What a message says, before it has a format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import MISSING, SWITCHED_OFF, TEXTS, Context, DataSet, Provision
from sdmx_service.structures.address import Address
from sdmx_service.structures.artefacts import Dataflow, localised
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.maintainable import Artefact

__all__ = [
    "ALL_DIMENSIONS",
    "MISSING",
    "SWITCHED_OFF",
    "TEXTS",
    "Action",
    "Context",
    "DataMessage",
    "DataSet",
    "Generation",
    "Keys",
    "Labels",
    "Provision",
    "StructureMessage",
    "TimeFormat",
    "message_id",
]

ALL_DIMENSIONS = "AllDimensions"


class Labels(Enum):
    """Whether values carry their names (SDMX-CSV); values are the standard's tokens."""

    ID = "id"
    NAME = "name"
    BOTH = "both"


class Keys(Enum):
    """Which columns of keys are added (SDMX-CSV 2.x); values are the standard's tokens."""

    NONE = "none"
    OBS = "obs"
    SERIES = "series"
    BOTH = "both"


class TimeFormat(Enum):
    """Whether periods go as recorded or as one comparable date (SDMX-CSV)."""

    ORIGINAL = "original"
    NORMALIZED = "normalized"


def message_id(release: str) -> str:
    """Return a release id as an SDMX IDType, which has no dots or colons."""
    return re.sub(r"[^A-Za-z0-9_@$-]", "_", release) or "_"


@dataclass(frozen=True)
class DataMessage:
    """Data sets in the order they are to be worked through, out of one release.

    ``prepared`` is when the release was published, so that an answer is the same, byte for
    byte, whenever it is asked for. ``observed_by`` is the dimension at the observation,
    ``AllDimensions`` for observations without series, or None for time where there is one.
    ``explicit_measure`` asks for one element a measure where a format knows that.
    ``separator`` and ``decimal`` are those of SDMX-CSV; a reader keeps what it found.
    ``passed_over`` names columns of the message that are no component, which a reader leaves out.
    ``url`` is where the message was asked for, for formats that say so.
    """

    datasets: tuple[DataSet, ...]
    release: str
    prepared: datetime
    observed_by: str | None = None
    languages: tuple[str, ...] = ("en",)
    labels: Labels = Labels.ID
    keys: Keys = Keys.NONE
    time_format: TimeFormat = TimeFormat.ORIGINAL
    explicit_measure: bool = False
    sender: str | None = None
    separator: str = ","
    decimal: str = "."
    passed_over: tuple[str, ...] = ()
    url: str | None = None

    @classmethod
    def of(
        cls,
        flow: Dataflow,
        frame: pl.DataFrame,
        release: str,
        prepared: datetime,
        *,
        action: Action = Action.INFORMATION,
        **more: Any,
    ) -> DataMessage:
        """Return a message of one data set."""
        return cls((DataSet(flow, frame, action),), release, prepared, **more)

    @property
    def dataset(self) -> DataSet:
        """The only data set; DataError where there is not exactly one."""
        if len(self.datasets) != 1:
            raise DataError("message", got=f"{len(self.datasets)} data sets", expected="one")
        return self.datasets[0]

    @property
    def flow(self) -> Dataflow:
        """The dataflow of the only data set."""
        return self.dataset.flow

    @property
    def frame(self) -> pl.DataFrame:
        """The rows of the only data set, in memory."""
        return self.dataset.collected()

    @property
    def flat(self) -> bool:
        """Whether observations are asked for without series."""
        return self.observed_by == ALL_DIMENSIONS

    def at_observation(self, dataset: DataSet) -> str:
        """Return the id of the dimension at the observation, or ``AllDimensions``.

        TIME_PERIOD of a structure without time means all dimensions. Raises DataError where
        ``observed_by`` is no dimension of the structure.
        """
        structure = dataset.structure
        if self.observed_by in (None, "TIME_PERIOD"):
            return structure.time.id if structure.timed else ALL_DIMENSIONS
        known = [dimension.id for dimension in structure.key]
        if self.observed_by != ALL_DIMENSIONS and self.observed_by not in known:
            raise DataError(
                "dimensionAtObservation",
                got=self.observed_by[:80],
                expected=f"{ALL_DIMENSIONS} or one of {', '.join(known)}",
            )
        return self.observed_by

    def text(self, names: Mapping[str, str]) -> str:
        """Return a name in the first language asked for that it has."""
        chosen = next((names[tag] for tag in self.languages if names.get(tag)), None)
        return chosen or localised(names)


@dataclass(frozen=True)
class StructureMessage:
    """Artefacts that were asked for, and those they came with, out of one release.

    ``address`` is where the whole of those is that the detail makes stubs of.
    """

    artefacts: tuple[Artefact, ...]
    referenced: tuple[Artefact, ...]
    sender: str
    prepared: datetime
    detail: Detail = Detail.FULL
    languages: tuple[str, ...] = ("en",)
    address: Address | None = None
