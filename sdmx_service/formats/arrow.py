"""Data messages as a stream of Arrow record batches (Apache Arrow IPC)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow as pa

from sdmx_service.errors import DataError
from sdmx_service.formats.columnar import CARRIED, described, read_table
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import Structures, register_data, register_reader

__all__ = ["read_arrow", "write_arrow"]


@register_data(
    "arrow",
    "application/vnd.apache.arrow.stream",
    "",
    ".arrows",
    short_names=("ipc",),
    carries=CARRIED,
)
def write_arrow(message: DataMessage) -> Iterator[bytes]:
    """Yield the only data set of the message, a record batch a chunk; codes as dictionaries."""
    schema = described(message)
    out = BytesIO()
    with pa.ipc.new_stream(out, schema) as stream:
        for chunk in message.dataset.chunks():
            table = chunk.rechunk().to_arrow().cast(schema)
            for batch in table.to_batches():
                stream.write_batch(batch)
            yield _drained(out)
    yield _drained(out)


def _drained(out: BytesIO) -> bytes:
    content = out.getvalue()
    out.seek(0)
    out.truncate()
    return content


@register_reader("arrow")
def read_arrow(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError for what is no Arrow stream of a data message."""
    whole = content.read_bytes() if isinstance(content, Path) else content
    try:
        table = pa.ipc.open_stream(pa.BufferReader(whole)).read_all()
    except pa.ArrowInvalid as error:
        raise DataError("message", got=str(error)[:200], expected="an Arrow IPC stream") from None
    return read_table(table, structures)
