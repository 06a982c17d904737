"""Cells under review that a person has signed: what may be published, and what may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdmx_service.definitions.yaml_file import YamlFile

__all__ = ["Review", "Reviews", "reviews_of"]


@dataclass(frozen=True)
class Review:
    """One signature: a cell of one indicator in one file of a survey, and what was decided.

    ``data`` is the PROV_ID of the observation: a figure from another file is not what was
    reviewed. ``key`` are the codes of its dimensions, ``_T`` where left out. ``publish`` is the
    decision.
    """

    indicator: str
    data: str
    key: Mapping[str, str]
    publish: bool
    signed_by: str
    date: str
    reason: str
    place: str


@dataclass(frozen=True)
class Reviews:
    """The signatures of one file."""

    id: str
    signed: tuple[Review, ...]


def reviews_of(file: YamlFile) -> Reviews:
    """Return the signatures of a YAML file, already held to its schema."""
    return Reviews(
        file.path.stem,
        tuple(
            Review(
                indicator=one["indicator"],
                data=one["data"],
                key=dict(one["key"]),
                publish=one["decision"] == "present",
                signed_by=one["signed_by"],
                date=str(one["date"]),
                reason=one["reason"],
                place=file.place(("reviews", position)),
            )
            for position, one in enumerate(file.content["reviews"])
        ),
    )
