"""Data messages as Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from sdmx_service.errors import DataError
from sdmx_service.formats.columnar import CARRIED, described, read_table
from sdmx_service.formats.drain import Drain
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import Structures, register_data, register_reader

__all__ = ["read_parquet", "write_parquet"]

_ROWS_A_GROUP = 250_000


@register_data(
    "parquet", "application/vnd.apache.parquet", "", ".parquet", short_names=(), carries=CARRIED
)
def write_parquet(message: DataMessage) -> Iterator[bytes]:
    """Yield the only data set of the message, a row group at a time, with page checksums."""
    schema = described(message)
    out = Drain()
    with pyarrow.parquet.ParquetWriter(
        out, schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for chunk in message.dataset.chunks(_ROWS_A_GROUP):
            writer.write_table(chunk.rechunk().to_arrow().cast(schema))
            yield out.drained()
    yield out.drained()


@register_reader("parquet")
def read_parquet(content: bytes | Path, structures: Structures) -> DataMessage:
    """Return the message; DataError for what is no Parquet file of a data message."""
    whole = content.read_bytes() if isinstance(content, Path) else content
    try:
        table = pyarrow.parquet.read_table(pa.BufferReader(whole), page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError("message", got=str(error)[:200], expected="a Parquet file") from None
    return read_table(table, structures)
