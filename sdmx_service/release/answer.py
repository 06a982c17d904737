"""What a release, or several in turn, answer to a data query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

import polars as pl

from sdmx_service.query.query import Context
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

    ``frame`` has the columns asked for, in structure order; of a deletion only the key.
    ``agreement`` is the provision agreement the rows were asked for by, ``valid_from`` and
    ``valid_to`` the moments between which they stood.
    """

    flow: Dataflow
    frame: pl.DataFrame
    context: Context = Context.DATAFLOW
    agreement: Artefact | None = None
    change: Change = Change.NONE
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def cut(answers: tuple[Answer, ...], offset: int, limit: int | None) -> tuple[Answer, ...]:
    """Return the rows from ``offset`` on, at most ``limit``, counted through all answers."""
    if not offset and limit is None:
        return answers
    kept, left = [], limit
    for answer in answers:
        part = answer.frame.slice(offset, left)
        offset = max(0, offset - answer.frame.height)
        if left is not None:
            left -= part.height
        kept.append(replace(answer, frame=part))
    return tuple(answer for answer in kept if answer.frame.height)
