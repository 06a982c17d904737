"""The data files of a survey, found, held to their hash and read."""

from __future__ import annotations

import hashlib
import io
import lzma
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from sdmx_service.definitions.survey import Source
from sdmx_service.errors import DataError

__all__ = ["read_sources"]


def _located(source: Source, root: Path) -> Path:
    if source.path is not None:
        path = root / source.path
    else:
        assert source.package is not None  # by the schema
        assert source.file is not None
        # The package is found, not imported: its licence or its weight may forbid that.
        found = find_spec(source.package)
        if found is None or not found.submodule_search_locations:
            raise DataError(
                f"source {source.name}",
                got="nothing",
                expected=f"the installed package {source.package}, which holds the data",
                hint=f"pip install 'sdmx-service[{source.extra}]'" if source.extra else None,
            )
        path = Path(found.submodule_search_locations[0]) / source.file
    if not path.is_file():
        raise DataError(str(path), expected=f"the data file of source {source.name}")
    return path


def _from_pickle(content: bytes) -> pl.DataFrame:
    import pandas as pd

    # Reading a pickle runs code: only a file whose hash is declared comes this far.
    frame: pd.DataFrame = pd.read_pickle(io.BytesIO(lzma.decompress(content)))
    return pl.DataFrame(pl.from_pandas(frame))


def _read(source: Source, root: Path) -> pl.DataFrame:
    path = _located(source, root)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != source.sha256:
        raise DataError(
            str(path),
            got=f"sha256 {digest}",
            expected=f"sha256 {source.sha256}",
            hint="the file is not the one the survey was declared with: get that version, or "
            "check the new one and declare its hash",
        )
    if source.format == "csv":
        return pl.read_csv(content, infer_schema_length=None, null_values=["", "NA"])
    if source.format == "parquet":
        return pl.read_parquet(io.BytesIO(content))
    return _from_pickle(content)


def _joined(first: pl.DataFrame, second: pl.DataFrame, source: Source) -> pl.DataFrame:
    for name in source.join:
        for table in (first, second):
            if name not in table.columns:
                raise DataError(
                    f"source {source.name}: join", got=name, expected="a column of both sources"
                )
    if second.select(pl.struct(source.join).is_duplicated().any()).item():
        raise DataError(
            f"source {source.name}",
            got=f"rows that share {', '.join(source.join)}",
            expected="each key once",
        )
    unmatched = first.join(second, on=list(source.join), how="anti").height
    if unmatched:
        raise DataError(
            f"source {source.name}",
            got=f"{unmatched} rows of the first source without a partner",
            expected="a partner for every row",
        )
    new = [name for name in second.columns if name in source.join or name not in first.columns]
    return first.join(second.select(new), on=list(source.join), how="left", maintain_order="left")


def read_sources(sources: tuple[Source, ...], root: Path) -> pl.DataFrame:
    """Return the first source with the others joined to it, many to one; one row a person.

    Raises DataError where a file or its package is absent, its hash differs, or a join fails.
    """
    first, *others = sources
    frame = _read(first, root)
    for source in others:
        frame = _joined(frame, _read(source, root), source)
    return frame
