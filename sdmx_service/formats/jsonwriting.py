"""SDMX-JSON data messages of every version, written (field guides 1.0, 2.0.0, 2.1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from typing import Any

import orjson
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.abreast import abreast
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import SWITCHED_OFF, Block, DataSet
from sdmx_service.formats.decimals import as_digits
from sdmx_service.formats.deletions import valid_marks
from sdmx_service.formats.jsoncells import Column, columns
from sdmx_service.formats.jsonstructure import Levels, links, meta, schema, structure
from sdmx_service.formats.layout import Layout, layout
from sdmx_service.formats.message import ALL_DIMENSIONS, DataMessage
from sdmx_service.formats.partialkeys import partial_rows
from sdmx_service.formats.rendering import Rendering, doubts, encoded
from sdmx_service.structures.artefacts import Attachment, Component

__all__ = ["write_json"]

_NULL = pl.lit(None, pl.String)
_TITLES = {
    Generation.SDMX_2_1: "SDMX-JSON 1.0.0",
    Generation.SDMX_3_0: "SDMX-JSON 2.0.0",
    Generation.SDMX_3_1: "SDMX-JSON 2.1.0",
}


def write_json(message: DataMessage, generation: Generation) -> Iterator[bytes]:
    """Yield the message in pieces; coded values go as indexes, uncoded ones as themselves.

    ``generation`` is that of the version: 2.1 of SDMX-JSON 1.0.0, 3.0 of 2.0.0, 3.1 of 2.1.0.
    Version 1.0.0 has indexes for all attributes, and so keeps all their distinct values. Raises
    NotAcceptable, before the first piece, for keys that the version has no place for.
    """
    title = _TITLES[generation]
    if not message.datasets:
        raise NotAcceptable(title, got="no data set", expected="one, which names the structure")
    message = replace(
        message, datasets=tuple(valid_marks(as_digits(one).coded()) for one in message.datasets)
    )
    parts = [
        _Part(message, _plan(message, one, generation), generation, f"{title}: data set {number}")
        for number, one in enumerate(message.datasets, 1)
    ]
    if generation is Generation.SDMX_2_1 and len(parts) > 1:
        parts = _shared(message, parts)
    for part in parts:
        part.refuse()
    return _pieces(message, parts, generation)


def _plan(message: DataMessage, dataset: DataSet, generation: Generation) -> Layout:
    levels = set(Attachment)
    if dataset.action is Action.DELETE:
        levels = {Attachment.SERIES, Attachment.OBSERVATION}
    elif generation is Generation.SDMX_2_1:
        levels.remove(Attachment.GROUP)
    plan = layout(message, dataset, levels)
    if plan.observed and not plan.series_dimensions and not plan.flat:
        return layout(message, dataset, levels, at=ALL_DIMENSIONS)  # a series needs a key
    return plan


def _pieces(
    message: DataMessage, parts: Sequence[_Part], generation: Generation
) -> Iterator[bytes]:
    first = generation is Generation.SDMX_2_1
    head: dict[str, Any] = {} if first else {"structures": [one.described for one in parts]}
    if first:
        head = {"structure": parts[0].described}
    else:
        for number, described in enumerate(head["structures"]):
            described["dataSets"] = [number]
    opened: dict[str, Any] = {
        "meta": meta(message, generation, [one.described for one in parts]),
        "data": head,
    }
    if generation is Generation.SDMX_3_1:
        opened = {"$schema": schema(generation), **opened}
    yield orjson.dumps(opened).removesuffix(b"}}") + b',"dataSets":['
    for number, part in enumerate(parts):
        yield b"," if number else b""
        yield from part.pieces(number)
    yield b"]}}"


@dataclass(frozen=True)
class _Part:
    """A data set with what is settled before its first observation."""

    message: DataMessage
    plan: Layout
    generation: Generation
    where: str
    shared: Mapping[str, Column] | None = None
    together: Levels | None = None

    @property
    def dataset(self) -> DataSet:
        return self.plan.dataset

    @property
    def first(self) -> bool:
        """Whether this is version 1.0.0."""
        return self.generation is Generation.SDMX_2_1

    @property
    def deleted(self) -> bool:
        return self.dataset.action is Action.DELETE

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        if self.shared is not None:
            return self.shared
        placed = (self.plan.dataset_attributes, self.plan.series_attributes)
        above = {one.id for level in placed for one in level} | set(self.above.columns)
        above |= {name for _, rows in self.groups for name in rows.columns}
        return columns(self.message, self.dataset, self.generation, above)

    @cached_property
    def partial(self) -> dict[tuple[str, ...], pl.DataFrame]:
        return partial_rows(self.dataset)

    @cached_property
    def bare(self) -> pl.DataFrame:
        """Series that are reported without observations."""
        names = tuple(one.id for one in self.plan.series_dimensions)
        return self.partial.get(names, pl.DataFrame()) if names else pl.DataFrame()

    @cached_property
    def above(self) -> pl.DataFrame:
        """The values of the data set itself: one row or none."""
        if self.deleted:
            return self.partial.get((), pl.DataFrame())
        return self.plan.dataset_values

    @cached_property
    def groups(self) -> list[tuple[tuple[str, ...], pl.DataFrame]]:
        """Attributes of parts of the key by the dimensions they have."""
        if self.first:
            return []
        found = [(tuple(d.id for d in one.dimensions), one.rows) for one in self.plan.groups]
        names = tuple(one.id for one in self.plan.series_dimensions)
        rows = self.bare
        if rows.width > len(names):
            # Beside the observations of a series its key would be there twice.
            found.append((names, rows))
        return found

    @cached_property
    def levels(self) -> Levels:
        """The components of the structure object, by level."""
        if self.together is not None:
            return self.together
        plan, listed = self.plan, self.dataset.structure.attributes
        grouped = {name for _, rows in self.groups for name in rows.columns}
        series = {one.id for one in plan.series_attributes}
        if self.first:
            series |= set(self.bare.columns)
        each = plan.observation_dimensions if plan.observed else ()
        return Levels(
            self._used(plan.series_dimensions),
            self._used(each),
            plan.measures,
            tuple(a for a in listed if a.id in self.above.columns),
            tuple(a for a in listed if a.id in grouped),
            tuple(a for a in listed if a.id in series),
            plan.observation_attributes,
        )

    def _used(self, dimensions: Iterable[Component]) -> tuple[Component, ...]:
        """Return the dimensions that have values, without which a schema takes none."""
        return tuple(
            one for one in dimensions if one.id in self.columns and self.columns[one.id].values
        )

    @cached_property
    def described(self) -> dict[str, Any]:
        """The structure object."""
        return structure(self.message, self.plan, self.levels, self.columns, self.generation)

    def refuse(self) -> None:
        """Raise NotAcceptable for keys that the version has no place for."""
        structure = self.dataset.structure
        series = tuple(one.id for one in self.plan.series_dimensions)
        for dimension in structure.key:
            values = self.columns[dimension.id].values if dimension.id in self.columns else None
            if isinstance(values, list) and any(v.get("value") == SWITCHED_OFF for v in values):
                self._no_place(f"{dimension.id} switched off")
        for names, rows in self.partial.items():
            measured = any(one.id in rows.columns for one in structure.measures)
            said = rows.width > len(names)
            if names == series and not self.plan.flat:
                placed = not measured
            elif self.first or not said:
                placed = not names and not measured
            else:
                placed = not measured
            if not placed:
                what = "a measure" if measured else "attributes" if said else "nothing"
                self._no_place(f"{what} of the partial key {', '.join(names) or '(none)'}")
        if self.first and self.bare.height and self.plan.observed:
            for chunk, starts in self.plan.chunks():
                both = chunk.filter(starts).join(self.bare, on=series, how="semi")
                if both.height:
                    self._no_place("attributes of a series apart from its observations")

    def _no_place(self, got: str) -> None:
        raise NotAcceptable(
            self.where,
            got=got,
            expected="a series or a whole observation, or attributes of a part of the key",
            hint="SDMX-CSV 2.x and SDMX-ML 3.x carry it",
        )

    def pieces(self, number: int) -> Iterator[bytes]:
        """Yield the data set object in pieces."""
        dataset = self.dataset
        said: dict[str, Any] = {} if self.first else {"structure": number}
        said["action"] = dataset.action.word(self.generation)
        said["links"] = links(dataset)
        for name, moment in (("validFrom", dataset.valid_from), ("validTo", dataset.valid_to)):
            if moment is not None:
                said[name] = moment.isoformat()
        yield orjson.dumps(said)[:-1]
        if not self.above.is_empty():
            cells = _array([self._cells(self.above, a) for a in self.levels.dataset_attributes], 1)
            yield b',"attributes":' + encoded(cells)
        if self.groups:
            yield from self._group_attributes()
        if not self.plan.observed or (self.levels.series and not self.plan.flat):
            yield b',"series":{'
            yield from self._series()
            yield b"}"
        else:
            yield b',"observations":{'
            yield from self._flat()
            yield b"}"
        yield b"}"

    def _group_attributes(self) -> Iterator[bytes]:
        """Yield the attributes of parts of the key; each part is there once."""
        found: dict[str, dict[str, str]] = {}
        for names, rows in self.groups:
            parts = [
                self.columns[one.id].of(rows)
                if one.id in names
                else pl.repeat("", rows.height, eager=True)
                for one in self.dataset.structure.key
            ]
            keys = pl.select(pl.concat_str(*parts, separator=":")).to_series()
            for one in self.levels.group_attributes:
                if one.id in rows.columns:
                    cells = self.columns[one.id].of(rows)
                    for key, cell in zip(keys, cells, strict=True):
                        if cell != "null":
                            found.setdefault(key, {})[one.id] = cell
        names_ = [one.id for one in self.levels.group_attributes]
        written = (
            f'"{key}":[{",".join(said.get(name, "null") for name in names_)}]'
            for key, said in found.items()
        )
        yield b',"dimensionGroupAttributes":{' + ",".join(written).encode() + b"}"

    def _cells(self, rows: pl.DataFrame, one: Component) -> pl.Series:
        if one.id not in rows.columns:
            return pl.repeat("null", rows.height, eager=True)
        return self.columns[one.id].of(rows)

    def _key(self, chosen: Sequence[Component]) -> pl.Expr:
        parts = [self.columns[one.id].text for one in chosen]
        return pl.concat_str(pl.lit('"'), pl.concat_str(*parts, separator=":"), pl.lit('":'))

    def _lines(self, rows: pl.DataFrame, before: pl.Series) -> bytes:
        """Return ``"key":[values]`` of each row, after what stands before it."""
        chosen = {
            one.id: self.columns[one.id].rendering if one.id in rows.columns else Rendering(_NULL)
            for one in (*self.levels.measures, *self.levels.observation_attributes)
        }
        doubtful = doubts(rows, chosen)
        cells = [one.sure if name in doubtful else one.easy for name, one in chosen.items()]
        if self.first and not self.levels.measures:
            # In version 1.0 the first is the value of the observation, there or not.
            cells.insert(0, _NULL)
        first = [cells[0].cast(pl.String).fill_null("null")] if cells else []
        start = pl.concat_str(before, self._key(self.levels.each), pl.lit("["), *first)
        lines = rows.select(
            cell.alias(str(place)) for place, cell in enumerate([start, *cells[1:]])
        )
        out = BytesIO()
        # A separator between the cells of a row is all that an array needs.
        lines.write_csv(
            out, include_header=False, quote_style="never", null_value="null", line_terminator="]"
        )
        return out.getvalue()

    def _flat(self) -> Iterator[bytes]:
        def written(numbered: tuple[int, Block]) -> bytes:
            number, block = numbered
            rows = block.rows
            before = pl.Series(["," if number else ""])
            before = before.extend_constant(",", max(rows.height - 1, 0))
            return self._lines(rows, before.head(rows.height))

        yield from abreast(written, enumerate(self.plan.blocks()))

    def _heads(self, rows: pl.DataFrame, close: str) -> pl.Series:
        placed = {one.id for one in self.plan.series_attributes}
        if rows is self.bare:
            placed = set(rows.columns)
        cells = [
            self.columns[one.id].text if one.id in placed else pl.lit("null")
            for one in self.levels.series_attributes
        ]
        parts = [self._key(self.levels.series), pl.lit("{")]
        if cells:
            close = close if close == "}" else f",{close}"
            parts += [pl.lit('"attributes":['), pl.concat_str(*cells, separator=","), pl.lit("]")]
        return rows.select(pl.concat_str(*parts, pl.lit(close))).to_series()

    def _block(self, numbered: tuple[int, Block]) -> bytes:
        number, block = numbered
        heads = self._heads(block.heads, '"observations":{')
        starts = pl.select(pl.concat_str(pl.lit("}},"), heads)).to_series()
        if number == 0:
            starts = pl.concat([heads.head(1), starts.slice(1)])
        return self._lines(block.rows, block.before(starts, ","))

    def _series(self) -> Iterator[bytes]:
        opened = False
        if self.plan.observed:
            for piece in abreast(self._block, enumerate(self.plan.blocks())):
                yield piece
                opened = True
        else:
            for chunk, _ in self.plan.chunks():
                yield _listed(self._heads(chunk, "}"), opened)
                opened = True
        if opened and self.plan.observed:
            yield b"}}"
        if self.bare.height and (self.first or self.bare.width == len(self.levels.series)):
            yield _listed(self._heads(self.bare, "}"), opened)


def _listed(lines: pl.Series, opened: bool) -> bytes:
    pieces = pl.select(pl.concat_str(pl.lit(","), lines)).to_series()
    return encoded(pieces) if opened else encoded(pieces).removeprefix(b",")


def _array(parts: Sequence[pl.Series], height: int) -> pl.Series:
    if not parts:
        return pl.Series(["[]"] * height, dtype=pl.String)
    inner = pl.concat_str(*parts, separator=",")
    return pl.select(pl.concat_str(pl.lit("["), inner, pl.lit("]"))).to_series()


def _shared(message: DataMessage, parts: Sequence[_Part]) -> list[_Part]:
    """Return data sets that share the one structure object of version 1.0.0.

    What one of them has to say of each observation, all say there.
    """
    subjects = {links(one.dataset)[0]["urn"] for one in parts}
    if len(subjects) > 1:
        raise NotAcceptable(
            "SDMX-JSON 1.0.0",
            got=f"data reported against {', '.join(sorted(subjects))}",
            expected="one dataflow, data structure or provision agreement",
            hint="SDMX-JSON 2.x carries several",
        )
    datasets = _alike([one.dataset for one in parts])
    whole = replace(datasets[0], frame=pl.concat([one.collected() for one in datasets]))
    made = columns(message, whole, Generation.SDMX_2_1)
    plans = [layout(message, one) for one in datasets]
    series = [
        one
        for one in plans[0].series_attributes
        if all(one in plan.series_attributes for plan in plans)
    ]
    each = [one for one in whole.structure.attributes if one.id in made and one not in series]
    levelled = [
        replace(part, shared=made, plan=replace(
            plan, series_attributes=tuple(series), observation_attributes=tuple(each)
        ))
        for part, plan in zip(parts, plans, strict=True)
    ]  # fmt: skip
    both = [one.levels for one in levelled]
    levels = replace(
        both[0],
        dataset_attributes=_union(one.dataset_attributes for one in both),
        series_attributes=_union(one.series_attributes for one in both),
    )
    return [replace(one, together=levels) for one in levelled]


def _union(groups: Iterable[Sequence[Component]]) -> tuple[Component, ...]:
    return tuple({one.id: one for group in groups for one in group}.values())


def _alike(datasets: Sequence[DataSet]) -> list[DataSet]:
    """Return data sets with the same columns; one whose types differ becomes text."""
    kinds: dict[str, set[pl.DataType]] = {}
    for one in datasets:
        for name, kind in one.schema.items():
            kinds.setdefault(name, set()).add(kind)
    ordered = [one.id for one in datasets[0].structure.components if one.id in kinds]
    chosen = {n: kinds[n].pop() if len(kinds[n]) == 1 else pl.String() for n in ordered}
    return [
        replace(
            one,
            frame=one.collected().select(
                pl.col(name).cast(kind)
                if name in one.schema
                else pl.lit(None, dtype=kind).alias(name)
                for name, kind in chosen.items()
            ),
        )
        for one in datasets
    ]
