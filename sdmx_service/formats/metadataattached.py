"""Reference metadata as attributes of the data they are about (``attributes=msd``).

SDMX 3.x puts them into the data message: attributes of a part of the key, beside those of the data
structure. A set about a code goes to every dimension that has the code's list; a set about the
dataflow, or about its structure, goes to the whole data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.dataset import ROWS_A_CHUNK, TEXTS, DataSet
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import Format, data_formats
from sdmx_service.structures.artefacts import (
    Attachment,
    Component,
    DataStructure,
    MetadataAttribute,
    MetadataStructure,
    Role,
)
from sdmx_service.structures.metadataset import MetadataSet
from sdmx_service.structures.urns import Urn

__all__ = ["attached", "carries_metadata", "refuse_uncarried", "with_metadata"]

_CARRIERS = frozenset(
    {
        *("csv20", "csv21", "json20", "json21", "xml30", "xml31"),
        *("parquet", "arrow", "table", "xlsx"),
    }
)
_WHOLE = frozenset({"Integer", "Long", "Short", "Count", "BigInteger"})
_NUMBERS = frozenset({"Double", "Float"})


def carries_metadata(one: Format[DataMessage]) -> bool:
    """Tell whether a format has a place for metadata beside data."""
    return one.name in _CARRIERS


def refuse_uncarried(one: Format[DataMessage]) -> None:
    """Raise NotAcceptable where a format has no place for metadata beside data."""
    if not carries_metadata(one):
        able = [other.name for other in data_formats() if other.name in _CARRIERS]
        raise NotAcceptable(
            one.content_type,
            got="reference metadata (attributes=msd or all)",
            expected="a format that has a place for them",
            hint=f"format= one of {', '.join(able)}; or attributes=dsd, and ask /metadata",
        )


def attached(structure: MetadataStructure, data: DataStructure) -> tuple[Component, ...]:
    """Return the attributes of a metadata structure that can stand beside data, as components.

    Attributes whose id the data structure has already are left to it; those below others have no
    place (SDMX-ML 3.1, ``Metadata`` of a data structure).
    """
    return tuple(_component(one, ()) for one in _usable(structure, data).values())


def _usable(structure: MetadataStructure, data: DataStructure) -> dict[str, MetadataAttribute]:
    return {
        attribute.id: attribute
        for attribute in structure.attributes
        if len(attribute.path) == 1
        and not attribute.presentational
        and attribute.id not in data.by_id
    }


def with_metadata(
    dataset: DataSet, sets: Iterable[MetadataSet], structure: MetadataStructure
) -> DataSet:
    """Return the data set with rows for the metadata about what its observations are about.

    Where several sets are about one part of the key, their texts stand together, and of other
    values those on which they agree. Attributes whose id the data structure has already are left
    to it, and attributes below others are not told. A data set that no set is about is returned
    as it is.
    """
    usable = _usable(structure, dataset.structure)
    present = _present(dataset)
    found: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
    for one in sets:
        said = _said(one, usable)
        for key in _keys(dataset, one, present) if said else ():
            found.setdefault(key, []).append(said)
    if not found:
        return dataset
    rows = {key: _together(several, usable) for key, several in found.items()}
    used = [
        attribute for id, attribute in usable.items() if any(id in row for row in rows.values())
    ]
    components = tuple(
        _component(one, {name for key, row in rows.items() if one.id in row for name, _ in key})
        for one in used
    )
    whole = replace(dataset.structure, components=(*dataset.structure.components, *components))
    table = _WithRows(dataset, _frame(dataset, rows, used))
    # Writers look at each column by itself: a small table is put together once.
    small = dataset.height <= ROWS_A_CHUNK
    new = frozenset(one.id for one in components)
    return replace(
        dataset,
        flow=replace(dataset.flow, structure=whole),
        frame=pl.concat(table.chunks(ROWS_A_CHUNK)) if small else table,
        partial=True,
        steady=None if dataset.steady is None else dataset.steady | new,
    )


@dataclass(frozen=True)
class _WithRows:
    """Rows that carry metadata, then the rows of a data set; a ``dataset.Table``."""

    dataset: DataSet
    rows: pl.DataFrame

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column names in order, with their types."""
        return {**self.dataset.schema, **self.rows.schema}

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.dataset.height + self.rows.height

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows in order, at most ``rows`` at a time."""
        for offset in range(0, self.rows.height, rows):
            yield self.rows.slice(offset, rows)
        for chunk in self.dataset.chunks(rows):
            yield chunk.hstack(self._nothing(chunk.height))

    def _nothing(self, rows: int) -> pl.DataFrame:
        """Return as many rows without metadata, made once: nearly all rows have none."""
        if rows > self._empty.height:
            return self._empty.clear(rows)
        return self._empty.head(rows)

    @cached_property
    def _empty(self) -> pl.DataFrame:
        added = [name for name in self.schema if name not in self.dataset.schema]
        return self.rows.select(added).clear(ROWS_A_CHUNK)


def _said(one: MetadataSet, usable: Mapping[str, MetadataAttribute]) -> dict[str, Any]:
    """Return the values of a set by attribute, a list where an attribute may be repeated."""
    said: dict[str, Any] = {}
    for content in one.attributes:
        attribute = usable.get(content["id"])
        if attribute is None or "value" not in content:
            continue
        value = _typed(content["value"], attribute)
        if attribute.most == 1:
            said[attribute.id] = value
        else:
            said.setdefault(attribute.id, []).append(value)
    return said


def _together(
    several: Sequence[Mapping[str, Any]], usable: Mapping[str, MetadataAttribute]
) -> dict[str, Any]:
    """Return what sets about the same say: texts after each other, other values if they agree."""
    if len(several) == 1:
        return dict(several[0])
    row: dict[str, Any] = {}
    for id, attribute in usable.items():
        told = [said[id] for said in several if id in said]
        if attribute.most != 1:
            every = [value for one in told for value in one]
            row[id] = [value for at, value in enumerate(every) if value not in every[:at]]
        elif attribute.multilingual:
            row[id] = _texts_together(told)
        elif all(value == told[0] for value in told[1:]):
            row |= {id: told[0]} if told else {}
    return {id: value for id, value in row.items() if value != []}


def _texts_together(told: Sequence[Sequence[Mapping[str, str]]]) -> list[dict[str, str]]:
    by_language: dict[str, dict[str, None]] = {}
    for texts in told:
        for one in texts:
            by_language.setdefault(one["lang"], {})[one["text"]] = None
    return [{"lang": language, "text": "; ".join(texts)} for language, texts in by_language.items()]


def _typed(value: Any, attribute: MetadataAttribute) -> Any:
    if attribute.multilingual:
        texts = value if isinstance(value, dict) else {"en": str(value)}
        return [{"lang": language, "text": text} for language, text in texts.items()]
    if isinstance(value, dict):
        return next(iter(value.values()), None)
    kind = attribute.data_type
    if kind in _WHOLE:
        return int(value)
    return float(value) if kind in _NUMBERS else str(value)


def _keys(
    dataset: DataSet, one: MetadataSet, present: Mapping[str, frozenset[str]]
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield the parts of the key that a set is about, if the data set has observations there."""
    structure, flow = dataset.structure, dataset.flow
    wholes = {("Dataflow", flow.agency, flow.id), ("DataStructure", structure.agency, structure.id)}
    for target in one.targets:
        urn = Urn.parse(target)
        if urn is None:
            continue
        if (urn.name, urn.agency, urn.id) in wholes:
            yield ()
        for dimension in structure.dimensions:
            listed = dimension.codelist
            if (
                urn.name == "Code"
                and urn.item is not None
                and listed is not None
                and (urn.agency, urn.id) == (listed.agency, listed.id)
                and urn.item in present.get(dimension.id, ())
            ):
                yield ((dimension.id, urn.item),)


def _present(dataset: DataSet) -> dict[str, frozenset[str]]:
    """Return the codes that each coded dimension has in the observations."""
    names = [
        one.id
        for one in dataset.structure.dimensions
        if one.codelist is not None and one.id in dataset.schema
    ]
    found: dict[str, set[str]] = {name: set() for name in names}
    for chunk in dataset.chunks():
        for name in names:
            found[name] |= set(chunk.get_column(name).unique().drop_nulls().cast(pl.String))
    return {name: frozenset(codes) for name, codes in found.items()}


def _component(attribute: MetadataAttribute, dimensions: Iterable[str]) -> Component:
    relation = tuple(sorted(dimensions))
    return Component(
        attribute.id,
        Role.ATTRIBUTE,
        attribute.name,
        codelist=attribute.codelist,
        data_type=attribute.data_type,
        attachment=Attachment.GROUP if relation else Attachment.DATASET,
        relation=relation,
        multiple=attribute.most != 1,
        multilingual=attribute.multilingual,
        facets=attribute.facets,
    )


def _type(attribute: MetadataAttribute) -> pl.DataType:
    inner: Any = TEXTS if attribute.multilingual else pl.String
    if not attribute.multilingual and attribute.data_type in _WHOLE:
        inner = pl.Int64
    if not attribute.multilingual and attribute.data_type in _NUMBERS:
        inner = pl.Float64
    kind: pl.DataType = inner if attribute.most == 1 else pl.List(inner)
    return kind


def _frame(
    dataset: DataSet,
    rows: Mapping[tuple[tuple[str, str], ...], Mapping[str, Any]],
    used: Iterable[MetadataAttribute],
) -> pl.DataFrame:
    """Return one row a part of the key; columns in the order of the data set, then metadata."""
    types: dict[str, pl.DataType] = {
        **dataset.schema,
        **{attribute.id: _type(attribute) for attribute in used},
    }
    columns = {}
    for name, kind in types.items():
        cells = [dict(key).get(name, row.get(name)) for key, row in rows.items()]
        columns[name] = pl.Series(name, cells, dtype=kind, strict=True)
    return pl.DataFrame(columns)
