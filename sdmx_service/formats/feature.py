"""What a message can hold that not every format has a place for."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import polars as pl

from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import TEXTS, Context, DataSet
from sdmx_service.formats.message import DataMessage

__all__ = ["Feature", "needed"]


class Feature(Enum):
    """A trait of a message; values are words for an error."""

    SEVERAL_MEASURES = "several measures"
    NO_TIME = "a structure without a time dimension"
    MULTIPLE = "a component with several values"
    MULTILINGUAL = "a text in several languages"
    PARTIAL_KEYS = "attributes attached to a part of the key"
    DELETE = "the action Delete"
    ACTIONS = "data sets that are merged or replaced"
    SEVERAL_DATASETS = "several data sets"
    SEVERAL_STRUCTURES = "data sets of several data structures"
    VALIDITY = "data sets valid for a span of time"
    CONTEXTS = "data reported against a data structure or a provision agreement"
    CROSS_SECTION = "observations by another dimension than time"


def needed(message: DataMessage) -> Iterator[tuple[Feature, str]]:
    """Yield the traits of a message, each with the place that has it."""
    if len(message.datasets) > 1:
        yield Feature.SEVERAL_DATASETS, f"{len(message.datasets)} data sets"
    structures = {
        (d.structure.agency, d.structure.id, d.structure.version) for d in message.datasets
    }
    if len(structures) > 1:
        yield Feature.SEVERAL_STRUCTURES, ", ".join(sorted(id for _, id, _ in structures))
    for number, dataset in enumerate(message.datasets, 1):
        yield from _of(message, dataset, f"data set {number}")


def _of(message: DataMessage, dataset: DataSet, where: str) -> Iterator[tuple[Feature, str]]:
    structure = dataset.structure
    if len([m for m in structure.measures if m.id in dataset.schema]) > 1:
        yield Feature.SEVERAL_MEASURES, where
    if not structure.timed:
        yield Feature.NO_TIME, where
    elif message.at_observation(dataset) not in ("AllDimensions", structure.time.id):
        yield Feature.CROSS_SECTION, where
    for name, kind in dataset.schema.items():
        if kind in (TEXTS, pl.List(TEXTS)):
            yield Feature.MULTILINGUAL, f"{where}, {name}"
        if isinstance(kind, pl.List) and kind != TEXTS:
            yield Feature.MULTIPLE, f"{where}, {name}"
    if dataset.action is Action.DELETE:
        yield Feature.DELETE, where
    elif dataset.action is not Action.INFORMATION:
        yield Feature.ACTIONS, where
    if dataset.valid_from or dataset.valid_to:
        yield Feature.VALIDITY, where
    if dataset.context is not Context.DATAFLOW:
        yield Feature.CONTEXTS, where
    if dataset.has_partial_keys and dataset.action is not Action.DELETE:
        yield Feature.PARTIAL_KEYS, where
