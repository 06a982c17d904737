"""Writing a release: all of it or nothing, and one atomic step that makes it current."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet

from sdmx_service.cube import Table, typed
from sdmx_service.errors import ReleaseError
from sdmx_service.release.leftover import remove_leftover_images
from sdmx_service.release.manifest import FILE_NAME, Manifest, content_hash, file_entry
from sdmx_service.structures.readers import structure_files
from sdmx_service.structures.store import StructureStore

__all__ = ["POINTER", "publish"]

POINTER = "CURRENT"
# Rows of a row group, of which one at a time is in memory twice.
_GROUP = 1 << 20


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def _write_table(path: Path, table: Table) -> None:
    writer: pyarrow.parquet.ParquetWriter | None = None
    try:
        for part in table.parts(_GROUP):
            content = part.with_columns(
                pl.col(pl.Enum).cast(pl.Categorical()),
                *(pl.col(name).cast(pl.List(pl.String)) for name in _lists_of_codes(part)),
            ).to_arrow()
            # Without page checksums a flipped bit in Parquet is read as a number.
            writer = writer or pyarrow.parquet.ParquetWriter(
                path,
                content.schema,
                compression="zstd",
                write_page_checksum=True,
                use_dictionary=True,
            )
            writer.write_table(content)
    finally:
        if writer is not None:
            writer.close()


def _lists_of_codes(part: pl.DataFrame) -> list[str]:
    return [
        name
        for name, kind in part.schema.items()
        if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Enum)
    ]


def _now() -> datetime:
    # Reproducible builds state their own time (https://reproducible-builds.org/specs/source-date-epoch).
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(stated), UTC) if stated else datetime.now(UTC)
    return moment.replace(microsecond=0)


def publish(
    root: Path,
    *,
    title: str,
    tables: Mapping[str, pl.DataFrame],
    structures: Path,
    definitions: Mapping[str, Any],
    annexes: Mapping[str, Any],
    inputs: Mapping[str, Any],
    generator: str,
) -> str:
    """Write a release under ``root``, make it the current one and return its id.

    ``tables`` maps the id of a data structure to its observations; each is held to that
    structure (``cube.typed``). The release is written beside its place, synced, renamed, and
    only then named in ``CURRENT``: a crash leaves the earlier release current and whole. Images
    of releases that are gone are removed (``leftover``).
    Raises ReleaseError where a release with the same content and date is there already.
    """
    moment = _now()
    root.mkdir(parents=True, exist_ok=True)
    staging = root / f".staging-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        for folder in ("data", "structures", "annexes"):
            (staging / folder).mkdir(parents=True)
        for path in structure_files(structures):
            shutil.copyfile(path, staging / "structures" / path.name)
        store = StructureStore.read(staging / "structures")
        rows = {}
        for structure_id, observations in tables.items():
            table = typed(observations, store.datastructure(structure_id))
            _write_table(staging / "data" / f"{structure_id}.parquet", table)
            rows[structure_id] = table.height
        _write_json(staging / "definitions.json", definitions)
        for name, annex in annexes.items():
            _write_json(staging / "annexes" / f"{name}.json", annex)
        files = {
            path.relative_to(staging).as_posix(): file_entry(path)
            for path in sorted(staging.rglob("*"))
            if path.is_file()
        }
        stamp = moment.isoformat()
        release_id = f"{moment:%Y-%m-%d}-{content_hash(files)}"
        manifest = Manifest(
            id=release_id,
            title=title,
            created=stamp,
            published=stamp,
            embargo=None,
            generator=generator,
            inputs=inputs,
            rows=rows,
            files=files,
        )
        (staging / FILE_NAME).write_text(manifest.sealed.as_json(), encoding="utf-8")
        for path in sorted(staging.rglob("*")):
            _sync(path)
        _sync(staging)
        place = root / release_id
        if place.exists():
            if Manifest.read(place).files == files:
                # The same content again: nothing to write, the release stands as it was.
                _point(root, release_id)
                return release_id
            raise ReleaseError(
                str(place),
                expected="a release that is not there yet",
                hint="a release is immutable: remove nothing, publish a new one",
            )
        staging.rename(place)
        _sync(root)
        _point(root, release_id)
        remove_leftover_images(root)
        return release_id
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _point(root: Path, release_id: str) -> None:
    pointer = root / f".{POINTER}-{os.getpid()}"
    pointer.write_text(release_id + "\n", encoding="utf-8")
    _sync(pointer)
    pointer.replace(root / POINTER)
    _sync(root)
