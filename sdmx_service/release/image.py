"""The image of one table of a release: its columns in mapped files, beside an index of series."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from sdmx_service.cube import cell_type, column_type
from sdmx_service.errors import ReleaseError
from sdmx_service.release.imaging import LISTS, contents_of, make_image
from sdmx_service.release.mapped import (
    Array,
    Codes,
    Column,
    Lists,
    Numbers,
    Texts,
    mapped,
    mapped_lists,
)
from sdmx_service.release.seriestable import SeriesTable
from sdmx_service.structures.artefacts import DataStructure

__all__ = ["FOLDER", "PLACE", "Image", "image_folder", "open_image"]

FOLDER = ".images"
PLACE = "SDMX_SERVICE_IMAGES"


def image_folder(releases: Path) -> Path:
    """Return where images are kept: beside the releases, or where SDMX_SERVICE_IMAGES says."""
    stated = os.environ.get(PLACE)
    return Path(stated) if stated else releases / FOLDER


def open_image(parquet: Path, sha256: str, structure: DataStructure, folder: Path) -> Image:
    """Map the image of a Parquet file, made first where it is absent or damaged.

    ``sha256`` is that of the Parquet file. Raises ReleaseError where it cannot be written.
    """
    codes = _codes_hash(structure)
    place = folder / f"{sha256}-{codes[:16]}"
    contents = contents_of(place, codes)
    if contents is None:
        try:
            make_image(parquet, structure, place, codes)
        except OSError as error:
            raise ReleaseError(
                str(folder),
                got=str(error),
                expected="a folder that images of tables can be written into",
                hint=f"make it writable, or name another in {PLACE}",
            ) from error
        contents = contents_of(place, codes)
    if contents is None:
        raise ReleaseError(
            str(place), expected="an image as it was written", hint="check the disk it is on"
        )
    return _mapped(place, contents, structure)


def _codes_hash(structure: DataStructure) -> str:
    """Return what stands for the components and codes that codes of an image count through."""
    listed = [
        (c.id, c.role.value, str(c.attachment), str(column_type(c)))
        if c.codelist is None
        else (c.id, c.role.value, str(c.attachment), *c.codelist.by_id)
        for c in structure.components
    ]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _mapped(place: Path, said: Mapping[str, Any], structure: DataStructure) -> Image:
    columns: dict[str, Column] = {}
    for one in said["columns"]:
        component, stem = structure.by_id[one["id"]], place / one["stem"]
        values = mapped(stem.with_suffix(".values"), one["kind"])
        kind = column_type(component)
        lists = stem.with_suffix(LISTS)
        if lists.name in said["files"]:
            table = mapped_lists(lists)
            given = pl.DataFrame(pl.from_arrow(table.slice(0, 0))).dtypes[0]
            columns[component.id] = Lists(component.id, values, cell_type(component, given), table)
        elif component.codelist is not None or kind == pl.String:
            texts = None
            if component.codelist is None:
                texts = Texts(
                    mapped(stem.with_suffix(".texts"), "u1"),
                    mapped(stem.with_suffix(".offsets"), "<u8"),
                )
            columns[component.id] = Codes(component.id, values, kind, texts, one["nulls"])
        else:
            valid = mapped(stem.with_suffix(".valid"), "u1") if one["nulls"] else None
            columns[component.id] = Numbers(component.id, values, valid)
    kinds = [columns[dimension.id].values.dtype.str for dimension in structure.dimensions]
    return Image(
        structure,
        said["height"],
        columns,
        SeriesTable.read(place, kinds, said),
        frozenset(said["steady"]),
        bool(said["partial"]),
    )


@dataclass(frozen=True)
class Image:
    """All observations of a data structure in a release, sorted by key.

    ``steady`` are the attributes that never change inside a series, ``partial`` says whether
    there are rows with partial keys.
    """

    structure: DataStructure
    height: int
    columns: Mapping[str, Column]
    series: SeriesTable
    steady: frozenset[str]
    partial: bool

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """The columns, in structure order, with their types."""
        return {name: column.kind for name, column in self.columns.items()}

    def coded(self, name: str) -> Codes | None:
        """Return a column of codes, or None where it holds numbers or lists."""
        column = self.columns[name]
        return column if isinstance(column, Codes) else None

    @cached_property
    def coded_schema(self) -> Mapping[str, pl.DataType]:
        """The columns as ``frame`` gives them when it keeps codes."""
        return {
            name: column.coded if isinstance(column, Codes) else column.kind
            for name, column in self.columns.items()
        }

    def frame(
        self, rows: slice | Array, names: Sequence[str], *, coded: bool = False
    ) -> pl.DataFrame:
        """Return some rows of some columns in memory; ``coded`` keeps texts as codes."""
        columns = [self.columns[name] for name in names]
        raw = pl.DataFrame([part for column in columns for part in column.raw(rows)])
        return raw.select(column.typed(coded=coded) for column in columns)
