"""Writing a release: all of it or nothing, and one atomic step that makes it current."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet

from sdmx_service.cube import Table, typed
from sdmx_service.errors import ReleaseError, RequestError
from sdmx_service.release.alone import alone
from sdmx_service.release.image import image_folder, open_image
from sdmx_service.release.leftover import remove_leftover_images
from sdmx_service.release.manifest import FILE_NAME, FileEntry, Manifest, content_hash, file_entry
from sdmx_service.release.pointer import POINTER, Schedule
from sdmx_service.structures.readers import structure_files
from sdmx_service.structures.store import StructureStore

__all__ = ["publish", "refuse_unfit"]

# Rows of a row group, of which one at a time is in memory twice.
_GROUP = 1 << 18
_STAGING = ".staging-"
# What is left to do when a release gets its moment takes less than this, in seconds.
_LEAD = timedelta(seconds=0.1)


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


def _stated() -> datetime | None:
    # Reproducible builds state their own time (https://reproducible-builds.org/specs/source-date-epoch).
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(stated), UTC) if stated else None


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
    embargo: datetime | None = None,
) -> str:
    """Write a release under ``root``, make it the current one and return its id.

    ``tables`` maps the id of a data structure to its observations; each is held to that
    structure (``cube.typed``). The release is written beside its place, synced, renamed, and
    only then named in ``CURRENT``: a crash leaves the earlier release current and whole. Images
    of its tables are made before, those of releases that are gone are removed (``leftover``).

    It becomes current at ``embargo``, or at the next full second, which is waited for: until then
    nobody reads it, from then on everybody does, so who asks what changed since any moment misses
    nothing.
    Raises ReleaseError where a release with the same content and date is there already, or the
    folder cannot be written, and RequestError for an embargo that is over or has no time zone.
    """
    if embargo is not None:
        refuse_unfit(embargo)
    try:
        with alone(root):
            for left in (*root.glob(f"{_STAGING}*"), *root.glob(f".{POINTER}-*")):
                # Who held the lock before was killed: nobody else writes here.
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            staging = root / f"{_STAGING}{os.getpid()}"
            try:
                rows = _write_content(staging, tables, structures, definitions, annexes)
                files = {
                    path.relative_to(staging).as_posix(): file_entry(path)
                    for path in sorted(staging.rglob("*"))
                    if path.is_file()
                }
                _make_images(staging, tables, files, image_folder(root))
                for path in (*sorted(staging.rglob("*")), staging):
                    _sync(path)
                now = _stated() or datetime.now(UTC).replace(microsecond=0)
                moment = max(embargo, _next_second()) if embargo else _stated() or _next_second()
                stamp = moment.astimezone(UTC).isoformat()
                manifest = Manifest(
                    id=f"{moment.astimezone(UTC):%Y-%m-%d}-{content_hash(files)}",
                    title=title,
                    created=now.isoformat(),
                    published=stamp,
                    embargo=None if embargo is None else stamp,
                    generator=generator,
                    inputs=inputs,
                    rows=rows,
                    files=files,
                )
                _put(staging, root, manifest)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
            remove_leftover_images(root)
    except OSError as error:
        raise ReleaseError(
            str(root),
            got=str(error),
            expected="a folder that a release can be written into",
            hint="what was current still is, and nothing half-written is left: make room, or make "
            "the folder writable, and publish again",
        ) from error
    return manifest.id


def refuse_unfit(embargo: datetime) -> None:
    """Raise RequestError for a moment that is over or has no time zone."""
    now = datetime.now(UTC)
    if embargo.tzinfo is None or embargo <= now:
        raise RequestError(
            "embargo",
            got=embargo.isoformat(),
            expected="a moment to come, with its time zone",
            hint=f"such as {(now + timedelta(days=7)).date()}T09:30+01:00",
        )


def _write_content(
    staging: Path,
    tables: Mapping[str, pl.DataFrame],
    structures: Path,
    definitions: Mapping[str, Any],
    annexes: Mapping[str, Any],
) -> dict[str, int]:
    """Write all files but the manifest; return how many rows each table has."""
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
    return rows


def _make_images(
    staging: Path, tables: Iterable[str], files: Mapping[str, FileEntry], folder: Path
) -> None:
    """Make what the tables are served from, so that the first to ask does not wait for it."""
    if folder.exists() and not os.access(folder, os.W_OK):
        return  # it is for another user to keep
    store = StructureStore.read(staging / "structures")
    for structure_id in tables:
        name = f"data/{structure_id}.parquet"
        structure = store.datastructure(structure_id)
        open_image(staging / name, files[name].sha256, structure, folder)


def _next_second() -> datetime:
    """Return the first full second before which the rest will be done."""
    return (datetime.now(UTC) + _LEAD).replace(microsecond=0) + timedelta(seconds=1)


def _put(staging: Path, root: Path, manifest: Manifest) -> None:
    """Put a release into its place and into the schedule."""
    schedule = Schedule(None)
    if (root / POINTER).exists():
        schedule = Schedule.read(root).at(datetime.now(UTC))
    place = root / manifest.id
    is_coming = manifest.id in (id for _, id in schedule.coming)
    if place.exists() and not is_coming:
        if manifest.embargo is None and Manifest.read(place).files == manifest.files:
            # The same content again: nothing to write, the release stands as it was.
            _point(root, replace(schedule, current=manifest.id))
            return
        raise ReleaseError(
            str(place),
            expected="a release that is not there yet",
            hint="a release is immutable: remove nothing, publish a new one",
        )
    (staging / FILE_NAME).write_text(manifest.sealed.as_json(), encoding="utf-8")
    _sync(staging / FILE_NAME)
    _sync(staging)
    if is_coming:  # nobody has seen it yet: it gets another moment
        schedule = schedule.without(manifest.id)
        _point(root, schedule)
        shutil.rmtree(place)
    staging.rename(place)
    _sync(root)
    if manifest.embargo is None and _stated() is not None:
        _point(root, replace(schedule, current=manifest.id))
        return
    schedule = schedule.with_release(manifest.id, manifest.published_at)
    _point(root, schedule)
    if manifest.embargo is None:
        while (left := (manifest.published_at - datetime.now(UTC)).total_seconds()) > 0:
            time.sleep(left)
        _point(root, schedule.at(datetime.now(UTC)))


def _point(root: Path, schedule: Schedule) -> None:
    schedule.write(root)
    _sync(root)
