"""What a release, or several in turn, answer to a data query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

import polars as pl

from sdmx_service.query.availability import Availability
from sdmx_service.query.availability import available as available_of_frame
from sdmx_service.query.availability_query import AvailabilityQuery
from sdmx_service.query.query import Context
from sdmx_service.release.availability import available
from sdmx_service.release.reading import Chosen
from sdmx_service.structures.artefacts import Dataflow
from sdmx_service.structures.maintainable import Artefact

__all__ = ["Answer", "Change", "cut"]


class Change(Enum):
    """What a receiver is to do with the rows of an answer."""

    NONE = "none"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Answer:
    """The rows of one dataflow, structure or agreement, under one change.

    ``rows`` has the columns asked for, in structure order; of a deletion only the key. It comes
    into memory chunk by chunk where it is read from an image.
    ``agreement`` is the provision agreement the rows were asked for by, ``valid_from`` and
    ``valid_to`` the moments between which they stood.
    """

    flow: Dataflow
    rows: pl.DataFrame | Chosen
    context: Context = Context.DATAFLOW
    agreement: Artefact | None = None
    change: Change = Change.NONE
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def frame(self) -> pl.DataFrame:
        """All rows in memory."""
        return self.rows.collected() if isinstance(self.rows, Chosen) else self.rows

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.rows.height

    def available(self, query: AvailabilityQuery) -> Availability:
        """Return the values that an availability query finds among these rows.

        Rows of an image are those of the whole flow; they are not read, its index tells.
        """
        if isinstance(self.rows, Chosen):
            return available(self.rows.image, self.flow, query)
        return available_of_frame(self.rows, self.flow.structure, query)


def cut(answers: tuple[Answer, ...], offset: int, limit: int | None) -> tuple[Answer, ...]:
    """Return the rows from ``offset`` on, at most ``limit``, counted through all answers."""
    if not offset and limit is None:
        return answers
    kept, left = [], limit
    for answer in answers:
        part = answer.rows.slice(offset, left)
        offset = max(0, offset - answer.height)
        if left is not None:
            left -= part.height
        kept.append(replace(answer, rows=part))
    return tuple(answer for answer in kept if answer.height)
