"""One published release, opened for reading."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet

from sdmx_service.cube import cell_type, to_xarray
from sdmx_service.errors import NotFound, ReleaseError, RequestError, SemanticError
from sdmx_service.query.query import Condition, DataQuery, Operator
from sdmx_service.query.selection import fitted, select
from sdmx_service.release.answer import Answer, cut
from sdmx_service.release.image import Image, image_folder, open_image
from sdmx_service.release.manifest import Manifest, content_of
from sdmx_service.release.pointer import POINTER, Schedule
from sdmx_service.release.reading import chosen
from sdmx_service.release.subject import subjects_of
from sdmx_service.release.verifying import damages
from sdmx_service.structures.artefacts import Component, Dataflow, DataStructure
from sdmx_service.structures.store import StructureStore

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Release", "current_id", "open_release"]

_ALWAYS_DIMS = ("REF_AREA", "INDICATOR", "TIME_PERIOD")
_TOTAL = "_T"


def current_id(root: Path) -> str:
    """Return the id of the release under ``root`` that is current now."""
    schedule = Schedule.read(root).at(datetime.now(UTC))
    if schedule.current is None:
        raise ReleaseError(
            str(root / POINTER),
            expected="a release that is public",
            hint=f"the first is public from {schedule.coming[0][0].isoformat()} on"
            if schedule.coming
            else f"make one with: sdmx-service build --releases {root}",
        )
    return schedule.current


def open_release(path: str | Path = "build/releases", id: str | None = None) -> Release:
    """Open the current release under ``path``, or the one called ``id``.

    Every file is held to the hash in the manifest first; ReleaseError names the damaged one.
    """
    root = Path(path)
    directory = root / (id or current_id(root))
    manifest = Manifest.read(directory)
    found = damages(directory, manifest)
    if found:
        raise found[0]
    return Release(directory, manifest)


class Release:
    """An immutable set of dataflows with the structures and definitions they were made with."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest
        self._images: dict[str, Image] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Release {self.id}: {self.title}>"

    @property
    def id(self) -> str:
        """The release id; every answer and every figure names it."""
        return self.manifest.id

    @property
    def title(self) -> str:
        """The title of the publication."""
        return self.manifest.title

    @property
    def created(self) -> datetime:
        """When the release was built (UTC)."""
        return datetime.fromisoformat(self.manifest.created)

    @property
    def published(self) -> datetime:
        """When the release was published (UTC)."""
        return self.manifest.published_at

    @cached_property
    def structures(self) -> StructureStore:
        """The structures that the data were made with."""
        return StructureStore.read(self.directory / "structures")

    @cached_property
    def definitions(self) -> Mapping[str, Any]:
        """Indicators, surveys, areas, breakdowns and policies as the reports need them."""
        content: Mapping[str, Any] = json.loads(
            (self.directory / "definitions.json").read_text(encoding="utf-8")
        )
        return content

    @property
    def annexes(self) -> tuple[str, ...]:
        """The names of the quality annexes."""
        return tuple(sorted(path.stem for path in (self.directory / "annexes").glob("*.json")))

    def annex(self, name: str) -> Any:
        """Return one quality annex; NotFound names those there are."""
        if name not in self.annexes:
            raise NotFound("annex", got=name, expected=f"one of {', '.join(self.annexes) or '-'}")
        return json.loads((self.directory / "annexes" / f"{name}.json").read_text("utf-8"))

    @cached_property
    def _tables(self) -> dict[str, pl.DataFrame]:
        return {}

    def table(self, structure_id: str) -> pl.DataFrame:
        """Return all observations of a data structure, coded columns as Enum, sorted by key."""
        if structure_id not in self._tables:
            structure = self.structures.datastructure(structure_id)
            path = self.directory / "data" / f"{structure_id}.parquet"
            if not path.exists():
                raise NotFound(f"data of {structure_id}", expected="a table in this release")
            content = pyarrow.parquet.read_table(
                BytesIO(path.read_bytes()), page_checksum_verification=True
            )
            frame = pl.DataFrame(pl.from_arrow(content))
            self._tables[structure_id] = frame.select(
                _typed(component, frame.schema[component.id]) for component in structure.components
            )
        return self._tables[structure_id]

    def content_of(self, structure_id: str) -> str:
        """Return the hash that ``manifest.content_of`` makes."""
        return content_of(self.manifest, structure_id)

    def image(self, structure_id: str) -> Image:
        """Return the mapped image of a data structure's table; NotFound where there is none."""
        with self._lock:
            if structure_id not in self._images:
                name = f"data/{structure_id}.parquet"
                if name not in self.manifest.files:
                    raise NotFound(f"data of {structure_id}", expected="a table in this release")
                self._images[structure_id] = open_image(
                    self.directory / name,
                    self.manifest.files[name].sha256,
                    self.structures.datastructure(structure_id),
                    image_folder(self.directory.parent),
                )
            return self._images[structure_id]

    def count(self, flow_id: str) -> int:
        """Return how many observations the dataflow's constraint admits."""
        flow = self.structures.dataflow(flow_id)
        if flow.structure.id not in self.manifest.rows:
            return 0
        return chosen(self.image(flow.structure.id), flow, DataQuery()).height

    def flow(self, flow_id: str) -> pl.DataFrame:
        """Return the observations that the dataflow's constraint admits."""
        return self._admitted(self.structures.dataflow(flow_id))

    def _admitted(self, flow: Dataflow) -> pl.DataFrame:
        frame = self.table(flow.structure.id)
        for component, codes in flow.admits.items():
            listed = flow.structure.by_id[component].codelist
            known = codes & set(listed.by_id) if listed else codes
            frame = frame.filter(pl.col(component).is_in(sorted(known)))
        return frame

    def answer(self, query: DataQuery) -> tuple[Answer, ...]:
        """Answer a data query: the rows of each dataflow, structure or agreement it names.

        Where several are named, those that the query does not fit are left out. Raises NotFound
        where an id asked for is not there, and what ``query.selection.select`` raises.
        """
        subjects = subjects_of(self.structures, query.target)
        structures = [one.flow.structure for one in subjects]
        whole = replace(query, offset=0, limit=None)
        found, misfits = [], []
        for subject in subjects:
            if subject.flow.structure.id not in self.manifest.rows:
                continue  # a structure of which nothing was published
            image = self.image(subject.flow.structure.id)
            try:
                asked = fitted(subject.flow.structure, whole, structures)
                rows = chosen(image, subject.flow, asked)
            except SemanticError as error:
                misfits.append(error)
                continue
            found.append(Answer(subject.flow, rows, subject.context, subject.agreement))
        if misfits and not found:
            raise misfits[0]
        kept = tuple(answer for answer in found if answer.height)
        return cut(kept, query.offset, query.limit)

    def observations(self, flow_id: str = "DF_ALL", **codes: str | Sequence[str]) -> pd.DataFrame:
        """Return a flow's observations as pandas, narrowed by codes: ``SEX=["F", "M"]``."""
        structure = self.structures.dataflow(flow_id).structure
        frame = _narrowed(self.flow(flow_id), structure, codes)
        lists = [c.id for c in structure.components if _lists_codes(c, frame.schema[c.id])]
        return frame.with_columns(
            pl.col(pl.Enum).cast(pl.String), pl.col(lists).cast(pl.List(pl.String))
        ).to_pandas()

    def to_xarray(
        self, flow_id: str = "DF_ALL", by: Sequence[str] = (), **codes: str | Sequence[str]
    ) -> xr.Dataset:
        """Return a flow as a cube whose dimensions are SDMX dimensions.

        The cube spans REF_AREA, INDICATOR, TIME_PERIOD, the dimensions named in ``by`` and
        those narrowed in ``codes``; a breakdown not named is held at its total, ``_T``. For
        the flows of gaps, which have no totals, every dimension spans that has several codes.
        """
        structure = self.structures.dataflow(flow_id).structure
        frame = _narrowed(self.flow(flow_id), structure, codes)
        keys = [dimension.id for dimension in structure.key]
        for name in by:
            if name not in keys:
                raise RequestError("by", got=name, expected=f"one of {', '.join(keys)}")
        dims = []
        for name in keys:
            if name in (*_ALWAYS_DIMS, *by, *codes):
                dims.append(name)
            elif "BREAKDOWN" not in keys and _has_total(structure, name):
                frame = frame.filter(pl.col(name) == _TOTAL)
            elif frame.get_column(name).n_unique() > 1:
                dims.append(name)
        return to_xarray(frame, structure, dims)


def _lists_codes(component: Component, kind: pl.DataType) -> bool:
    return component.codelist is not None and isinstance(kind, pl.List)


def _typed(component: Component, given: pl.DataType) -> pl.Expr:
    """Return a column as it was before it was written: codes lie there as other texts do."""
    column, kind = pl.col(component.id), cell_type(component, given)
    if component.codelist is not None:
        column = column.cast(pl.List(pl.String) if isinstance(kind, pl.List) else pl.String)
    return column.cast(kind)


def _has_total(structure: DataStructure, name: str) -> bool:
    codelist = structure.by_id[name].codelist
    return codelist is not None and _TOTAL in codelist.by_id


def _narrowed(
    frame: pl.DataFrame, structure: DataStructure, codes: Mapping[str, str | Sequence[str]]
) -> pl.DataFrame:
    for name, wanted in codes.items():
        component = structure.by_id.get(name)
        if component is None:
            raise RequestError(
                "component", got=name, expected=f"one of {', '.join(structure.by_id)}"
            )
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        if component.codelist is not None:
            unknown = [value for value in values if value not in component.codelist.by_id]
            if unknown:
                raise NotFound(name, got=unknown[0], expected=f"a code of {component.codelist.id}")
        if frame.schema[name].is_nested():
            one_of = Condition(name, tuple(((Operator.EQ, value),) for value in values))
            frame = select(frame, structure, DataQuery(conditions=(one_of,)))
        else:
            frame = frame.filter(pl.col(name).is_in(values))
    return frame
