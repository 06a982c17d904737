"""Building the image of a table: one pass over its Parquet file, all of the image or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from sdmx_service.cube import cell_type, column_type
from sdmx_service.errors import ReleaseError
from sdmx_service.release.alone import alone
from sdmx_service.release.lists import canonical, distinct
from sdmx_service.release.mapped import Array, code_type, mapped, write_lists
from sdmx_service.release.seriestable import write_series
from sdmx_service.structures.artefacts import Component, DataStructure

__all__ = ["LISTS", "contents_of", "file_hash", "make_image"]

CONTENTS = "contents.json"
LISTS = ".lists"
# Counts up when the files change their meaning: images of an earlier form are made again.
FORM = 1
_ROWS = 262_144


def file_hash(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def contents_of(place: Path, codes: str) -> dict[str, Any] | None:
    """Return what an image says of itself; None where it is absent, of another form or damaged."""
    try:
        said: dict[str, Any] = json.loads((place / CONTENTS).read_text(encoding="utf-8"))
        if said.get("form") != FORM or said.get("codes") != codes:
            return None
        for name, (size, digest) in said["files"].items():
            path = place / name
            if path.stat().st_size != size or file_hash(path) != digest:
                return None
    except (OSError, ValueError):
        return None
    return said


def make_image(parquet: Path, structure: DataStructure, place: Path, codes: str) -> None:
    """Write the image of a Parquet file into the folder ``place``; what is damaged there goes.

    Another process that wants the same image waits, and finds it made. ``codes`` stands for the
    codelists of the structure. Raises ReleaseError for rows that are not sorted by key and
    codes that are not listed, OSError where the folder cannot be written.
    """
    with alone(place.parent):
        if contents_of(place, codes) is not None:
            return
        shutil.rmtree(place, ignore_errors=True)
        staging = place.parent / f".{place.name}-{os.getpid()}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            contents = _written(parquet, structure, staging)
            contents |= {"form": FORM, "codes": codes}
            contents["files"] = {
                path.name: [path.stat().st_size, file_hash(path)]
                for path in sorted(staging.iterdir())
            }
            (staging / CONTENTS).write_text(json.dumps(contents), encoding="utf-8")
            staging.rename(place)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@dataclass
class _Writer:
    """One column on its way into its file."""

    component: Component
    stem: str
    folder: Path
    kind: str
    size: int
    encode: Callable[[pa.Array], tuple[Array, Array | None]]
    nulls: bool = False

    def add(self, values: pa.Array) -> None:
        """Append the values."""
        coded, valid = self.encode(values)
        with (self.folder / f"{self.stem}.values").open("ab") as stream:
            stream.write(coded.data)
        if valid is not None:
            with (self.folder / f"{self.stem}.valid").open("ab") as stream:
                stream.write(valid.data)
        self.nulls = self.nulls or values.null_count > 0

    def written(self) -> Array:
        """Return what was written: codes, or the bits of numbers."""
        kind = "<i8" if self.kind == "<f8" else self.kind
        return mapped(self.folder / f"{self.stem}.values", kind)

    def described(self) -> dict[str, Any]:
        """Say what the files are; a column without a gap needs no file of validity."""
        if not self.nulls:
            (self.folder / f"{self.stem}.valid").unlink(missing_ok=True)
        return {
            "id": self.component.id,
            "stem": self.stem,
            "kind": self.kind,
            "size": self.size,
            "nulls": self.nulls,
        }


def _written(parquet: Path, structure: DataStructure, folder: Path) -> dict[str, Any]:
    source = pyarrow.parquet.ParquetFile(parquet, page_checksum_verification=True)
    with source:
        kinds = pl.DataFrame(pl.from_arrow(source.schema_arrow.empty_table())).schema
        lists = {name: kind for name, kind in kinds.items() if kind.is_nested()}
        texts = [
            c.id
            for c in structure.components
            if c.id not in lists and c.codelist is None and column_type(c) == pl.String
        ]
        dictionaries = _dictionaries(source, texts)
        writers = []
        for number, component in enumerate(structure.components):
            stem = f"c{number:03}"
            if component.id in lists:
                writers.append(_list_writer(source, component, stem, folder, lists[component.id]))
                continue
            if component.id in dictionaries:
                _write_texts(dictionaries[component.id], folder / stem)
            codes = dictionaries.get(component.id)
            if component.codelist is not None:
                codes = list(component.codelist.by_id)
            writers.append(_writer(component, stem, folder, codes))
        height = 0
        for batch in source.iter_batches(_ROWS, columns=[w.component.id for w in writers]):
            for writer in writers:
                writer.add(batch.column(writer.component.id))
            height += batch.num_rows
    for writer in writers:
        (folder / f"{writer.stem}.values").touch()
    columns = {writer.component.id: writer.written() for writer in writers}
    nulls = {w.component.id for w in writers if w.nulls}
    return {
        "structure": structure.id,
        "height": height,
        "columns": [writer.described() for writer in writers],
        "partial": any(dimension.id in nulls for dimension in structure.key),
        **write_series(structure, columns, height, folder),
    }


def _dictionaries(source: pyarrow.parquet.ParquetFile, names: list[str]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {name: set() for name in names}
    if names:
        for batch in source.iter_batches(_ROWS, columns=names):
            for name in names:
                unique = batch.column(name).unique()
                found[name].update(text for text in unique.to_pylist() if text is not None)
    return {name: sorted(texts) for name, texts in found.items()}


def _write_texts(texts: list[str], stem: Path) -> None:
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype="<u8")
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    stem.with_suffix(".texts").write_bytes(b"".join(encoded))
    stem.with_suffix(".offsets").write_bytes(offsets.tobytes())


def _writer(component: Component, stem: str, folder: Path, codes: list[str] | None) -> _Writer:
    if codes is None:
        number = "<f8" if column_type(component) == pl.Float64 else "<i8"
        return _Writer(component, stem, folder, number, 0, lambda values: _numbers(values, number))
    kind = "<" + code_type(len(codes))
    place = {code: number for number, code in enumerate(codes)}

    def encode(values: pa.Array) -> tuple[Array, None]:
        return _coded(values, component, place, kind), None

    return _Writer(component, stem, folder, kind, len(codes), encode)


def _list_writer(
    source: pyarrow.parquet.ParquetFile,
    component: Component,
    stem: str,
    folder: Path,
    given: pl.DataType,
) -> _Writer:
    kind = cell_type(component, given)
    if kind == pl.List(pl.Enum):
        kind = pl.List(pl.String)  # as they lie in the Parquet file

    def read(values: pa.Array) -> pl.Series:
        return pl.Series(component.id, pl.from_arrow(values), dtype=kind)

    batches = source.iter_batches(_ROWS, columns=[component.id])
    parts = (read(batch.column(component.id)) for batch in batches)
    texts, lists = distinct(chain([pl.Series(component.id, [], dtype=kind)], parts))
    if component.codelist is not None:
        codes = lists.list.explode(empty_as_null=False).unique(maintain_order=True)
        _refuse_unknown(component, codes.to_list(), component.codelist.by_id)
    write_lists(lists, (folder / stem).with_suffix(LISTS))
    place = {text: number for number, text in enumerate(texts)}
    form = "<" + code_type(len(place))

    def encode(values: pa.Array) -> tuple[Array, None]:
        made = read(values).to_frame().select(canonical(pl.col(component.id), kind))
        return _coded(made.to_series().to_arrow(), component, place, form), None

    return _Writer(component, stem, folder, form, len(place), encode)


def _numbers(values: pa.Array, kind: str) -> tuple[Array, Array]:
    typed = values.cast(pa.float64() if kind == "<f8" else pa.int64())
    valid = typed.is_valid().to_numpy(zero_copy_only=False).astype("u1")
    return np.ascontiguousarray(typed.fill_null(0).to_numpy(), dtype=kind), valid


def _coded(values: pa.Array, component: Component, place: dict[str, int], kind: str) -> Array:
    coded = values if isinstance(values, pa.DictionaryArray) else values.dictionary_encode()
    listed = coded.dictionary.to_pylist()
    _refuse_unknown(component, listed, place)
    table = np.array([place.get(code, len(place)) for code in listed] + [len(place)], dtype=kind)
    at = coded.indices.fill_null(len(listed)).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(table[at])


def _refuse_unknown(
    component: Component, listed: Sequence[str | None], known: Collection[str]
) -> None:
    unknown = [code for code in listed if code is not None and code not in known]
    if unknown:
        raise ReleaseError(
            f"column {component.id}",
            got=str(unknown[0])[:80],
            expected="codes of the structures published with it",
        )
