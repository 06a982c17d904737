"""SDMX-CSV 2.1.0 data messages (field guide of SDMX-CSV 2.1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sdmx_service.formats import csvreading, csvwriting
from sdmx_service.formats.action import Generation
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.partialkeys import unmarked
from sdmx_service.formats.registry import Structures, register_data, register_reader

__all__ = ["read_csv", "write_csv"]


@register_data(
    "csv21",
    "application/vnd.sdmx.data+csv",
    "2.1.0",
    ".csv",
    plain_types=("text/csv", "application/csv"),
    family=("csv", "csvdata", "sdmx-csv", "csvfile"),
    generation=Generation.SDMX_3_1,
    options={
        "labels": frozenset({"id", "name", "both"}),
        "timeFormat": frozenset({"original", "normalized"}),
        "keys": frozenset({"none", "obs", "series", "both"}),
    },
    carries=frozenset(Feature),
)
def write_csv(message: DataMessage) -> Iterator[bytes]:
    """Yield the message in pieces, one row an observation or partial key."""
    return csvwriting.write_csv(message, Generation.SDMX_3_1)


@register_reader("csv21")
def read_csv(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError says where it is wrong."""
    message = csvreading.read_csv(content, structures, Generation.SDMX_3_1)
    return replace(message, datasets=tuple(unmarked(one) for one in message.datasets))
