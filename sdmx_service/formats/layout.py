"""Where the series of a data set begin, and what is said once a series, a group or a set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.dataset import ROWS_A_CHUNK, ROWS_A_PIECE, Array, Block, DataSet
from sdmx_service.formats.message import ALL_DIMENSIONS, DataMessage
from sdmx_service.formats.partialkeys import observations, partial_rows
from sdmx_service.structures.artefacts import Attachment, Component

__all__ = ["Group", "Layout", "layout"]

_BOTH = frozenset({Attachment.SERIES, Attachment.OBSERVATION})


@dataclass(frozen=True)
class Group:
    """Attributes of one part of the key: ``rows`` has its dimensions, then the attributes.

    ``id`` is that of the structure's group with these dimensions, None where it has none.
    """

    id: str | None
    dimensions: tuple[Component, ...]
    attributes: tuple[Component, ...]
    rows: pl.DataFrame


@dataclass(frozen=True)
class Layout:
    """The order of a data set: its dimensions and attributes by the level they are reported at.

    ``at`` is the id of the dimension at the observation or ``AllDimensions``. An attribute that
    changes within the level its structure gives it is reported lower, which SDMX lets a message
    do; so is one whose level the format does not write.
    """

    dataset: DataSet
    at: str
    series_dimensions: tuple[Component, ...]
    observation_dimensions: tuple[Component, ...]
    measures: tuple[Component, ...]
    dataset_attributes: tuple[Component, ...]
    group_attributes: tuple[Component, ...]
    series_attributes: tuple[Component, ...]
    observation_attributes: tuple[Component, ...]

    @property
    def dimensions(self) -> tuple[Component, ...]:
        """The dimensions of the structure in key order, time apart."""
        return self.dataset.structure.dimensions

    @property
    def flat(self) -> bool:
        """Whether observations stand without series."""
        return self.at == ALL_DIMENSIONS

    @property
    def observed(self) -> bool:
        """Whether there are observations; false for a list of series."""
        return all(one.id in self.dataset.schema for one in self.observation_dimensions)

    @property
    def measured(self) -> bool:
        """Whether a measure has a column."""
        return bool(self.measures)

    @property
    def frame(self) -> pl.DataFrame:
        """All observations in memory, series next to each other."""
        parts = list(_rows(self.dataset, self.at, ROWS_A_CHUNK))
        return pl.concat(parts) if parts else pl.DataFrame(schema=dict(self.dataset.schema))

    def chunks(self, rows: int | None = None) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
        """Yield observations, and of each whether it opens a series, ``rows`` at a time."""
        names = [dimension.id for dimension in self.series_dimensions]
        yield from _with_starts(_rows(self.dataset, self.at, rows or ROWS_A_PIECE), names)

    def blocks(self, rows: int | None = None) -> Iterator[Block]:
        """Yield observations ``rows`` at a time, what their series say once apart from them.

        Without series, observations say it all.
        """
        once = {one.id for one in (*self.series_dimensions, *self.series_attributes)}
        above = [name for name in self.dataset.schema if name in once]
        below = [name for name in self.dataset.schema if name not in once]
        index, structure = self.dataset.index, self.dataset.structure
        by_time = structure.timed and self.at == structure.time.id
        if index is not None and (self.flat or by_time):
            for found in index.runs(above, below, rows or ROWS_A_PIECE):
                yield Block(*found)
            return
        for chunk, starts in self.chunks(rows):
            opens = bool(starts[0]) if chunk.height else True
            begins: Array = starts.to_numpy().copy()
            begins[:1] = True
            heads = chunk.filter(pl.Series(begins)).select(above)
            yield Block(heads, chunk.select(below), begins.nonzero()[0], opens)

    @cached_property
    def bare_series(self) -> pl.DataFrame:
        """Attributes of series reported without an observation, one row a series."""
        names = tuple(one.id for one in self.series_dimensions)
        return self._partial.get(names, pl.DataFrame()) if names else pl.DataFrame()

    @cached_property
    def dataset_values(self) -> pl.DataFrame:
        """The values at data set level: one row with those there are, or an empty frame."""
        names = [one.id for one in self.dataset_attributes]
        first = next(iter(observations(self.dataset, 1)), None) if names else None
        found = [] if first is None else [first.select(names)]
        if () in self._partial:
            found.append(self._partial[()])
        if not found:
            return pl.DataFrame()
        # What two rows say of the whole data set is one statement; the later one stands.
        whole = pl.concat(found, how="diagonal_relaxed").select(pl.all().drop_nulls().last())
        return whole.select(n for n in whole.columns if whole.get_column(n).null_count() == 0)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Attributes of parts of the key, a table for each set of dimensions."""
        by: dict[tuple[str, ...], list[str]] = {}
        for attribute in self.group_attributes:
            by.setdefault(attribute.relation, []).append(attribute.id)
        found = [
            self._group(relation, _distinct(self.dataset, relation, names))
            for relation, names in by.items()
        ]
        series = tuple(one.id for one in self.series_dimensions)
        found += [
            self._group(names, rows)
            for names, rows in self._partial.items()
            if names and names != series
        ]
        return tuple(group for group in found if group.rows.height)

    @cached_property
    def _partial(self) -> dict[tuple[str, ...], pl.DataFrame]:
        return partial_rows(self.dataset)

    def _group(self, relation: tuple[str, ...], rows: pl.DataFrame) -> Group:
        structure = self.dataset.structure
        named = {frozenset(parts): name for name, parts in structure.groups.items()}
        dimensions = tuple(one for one in structure.key if one.id in relation)
        attributes = tuple(a for a in structure.attributes if a.id in rows.columns)
        columns = [one.id for one in (*dimensions, *attributes)]
        return Group(named.get(frozenset(relation)), dimensions, attributes, rows.select(columns))


def layout(
    message: DataMessage,
    dataset: DataSet | None = None,
    levels: Collection[Attachment] = _BOTH,
    at: str | None = None,
) -> Layout:
    """Return where series begin and what stands at which level.

    ``dataset`` is by default the only one of the message. ``levels`` are those the format
    writes; ``at`` overrides the dimension at the observation that the message asks for.
    """
    chosen = message.dataset if dataset is None else dataset
    observed_by = message.at_observation(chosen) if at is None else at
    structure = chosen.structure
    flat = observed_by == ALL_DIMENSIONS
    above = tuple(one for one in structure.key if not flat and one.id != observed_by)
    below = tuple(one for one in structure.key if flat or one.id == observed_by)
    listed = not all(one.id in chosen.schema for one in below)
    timeless = structure.timed and structure.time.id not in chosen.schema
    if listed and not structure.timed:
        missing = next(one.id for one in below if one.id not in chosen.schema)
        raise DataError("data set", got=f"no column {missing}", expected="every dimension")
    if timeless or (flat and listed):
        # A list of series stays one, whichever shape is asked for.
        above, below, flat = structure.dimensions, (structure.time,), False
        observed_by = structure.time.id
    present = [a for a in structure.attributes if a.id in chosen.schema]
    placed: dict[Attachment, list[Component]] = {level: [] for level in Attachment}
    steady = _steady(chosen, observed_by, [a.id for a in present], [d.id for d in above], listed)
    unsaid = _unsaid(chosen, [a.id for a in present])
    for attribute in present:
        placed[_level(chosen, attribute, levels, flat, steady, unsaid)].append(attribute)
    return Layout(
        chosen,
        observed_by,
        above,
        below,
        tuple(one for one in structure.measures if one.id in chosen.schema),
        tuple(placed[Attachment.DATASET]),
        tuple(placed[Attachment.GROUP]),
        tuple(placed[Attachment.SERIES]),
        tuple(placed[Attachment.OBSERVATION]),
    )


def _level(
    dataset: DataSet,
    attribute: Component,
    levels: Collection[Attachment],
    flat: bool,
    steady: Collection[str],
    unsaid: Collection[str],
) -> Attachment:
    declared = attribute.attachment
    alike = attribute.id in unsaid
    if declared is Attachment.DATASET and declared in levels:
        if alike or _constant(dataset, attribute.id):
            return Attachment.DATASET
    elif declared is Attachment.GROUP and declared in levels:
        known = attribute.relation and set(attribute.relation) <= set(dataset.schema)
        if known and (alike or _one_a_group(dataset, attribute)):
            return Attachment.GROUP
    if not flat and declared is not Attachment.OBSERVATION and attribute.id in steady:
        return Attachment.SERIES
    return Attachment.OBSERVATION


def _rows(dataset: DataSet, at: str, rows: int) -> Iterator[pl.DataFrame]:
    """Yield observations with series next to each other, as those by time are already."""
    structure = dataset.structure
    if at == ALL_DIMENSIONS or not structure.timed or at == structure.time.id:
        yield from observations(dataset, rows)
        return
    names = [one.id for one in structure.key if one.id != at]
    whole = pl.concat([*observations(dataset), pl.DataFrame(schema=dict(dataset.schema))])
    ordered = whole.sort(names, maintain_order=True, nulls_last=True)
    for offset in range(0, ordered.height, rows):
        yield ordered.slice(offset, rows)


def _with_starts(
    parts: Iterator[pl.DataFrame], names: list[str]
) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    before: pl.DataFrame | None = None
    for part in parts:
        opens = _differs(before, part, names)
        before = part.tail(1)
        yield part, _changes(part, names, opens)


def _differs(before: pl.DataFrame | None, part: pl.DataFrame, names: list[str]) -> bool:
    """Return whether the first row of ``part`` differs from the last row before it."""
    if before is None or not names:
        return before is None
    pair = pl.concat([before.select(names), part.head(1).select(names)])
    return bool(_changes(pair, names, opens=False)[1])


def _changes(part: pl.DataFrame, names: list[str], opens: bool) -> pl.Series:
    columns = [pl.col(name).to_physical() for name in names]
    changed = pl.any_horizontal(
        pl.lit(False), *(column.ne_missing(column.shift(1)) for column in columns)
    )
    starts = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(opens)).otherwise(changed)
    return part.select(starts.alias("starts")).to_series()


def _steady(
    dataset: DataSet, at: str, attributes: list[str], series: list[str], listed: bool
) -> frozenset[str]:
    """Return the attributes that never change inside a series."""
    structure = dataset.structure
    if listed or not attributes:
        return frozenset(attributes)
    if dataset.steady is not None and structure.timed and at == structure.time.id:
        return dataset.steady & frozenset(attributes)
    left = [a for a in attributes if structure.by_id[a].attachment is not Attachment.OBSERVATION]
    before: pl.DataFrame | None = None
    if at == ALL_DIMENSIONS:
        return frozenset()
    for part, starts in _with_starts(_rows(dataset, at, ROWS_A_CHUNK), series):
        for name in list(left):
            opens = before is not None and _differs(before, part, [name])
            if (_changes(part, [name], opens) & ~starts).any():
                left.remove(name)
        before = part.tail(1)
    return frozenset(left)


def _unsaid(dataset: DataSet, names: Sequence[str]) -> frozenset[str]:
    """Return the attributes of the data set and of groups that no observation of some has.

    It is looked up where parts of the key have rows: metadata beside data are many columns.
    """
    above = (Attachment.DATASET, Attachment.GROUP)
    left = {name for name in names if dataset.structure.by_id[name].attachment in above}
    if not dataset.has_partial_keys:
        return frozenset()
    empty = True
    for part in observations(dataset):
        empty = False
        left -= {name for name in left if part.get_column(name).null_count() < part.height}
    return frozenset() if empty else frozenset(left)


def _constant(dataset: DataSet, name: str) -> bool:
    return _distinct(dataset, (), [name], empty=True).height == 1


def _one_a_group(dataset: DataSet, attribute: Component) -> bool:
    relation = attribute.relation
    found = _distinct(dataset, relation, [attribute.id], empty=True)
    return found.select(relation).n_unique() == found.height


def _distinct(
    dataset: DataSet, relation: tuple[str, ...], names: list[str], *, empty: bool = False
) -> pl.DataFrame:
    """Return the distinct rows of some columns; without ``empty``, those with a value.

    These are in the order they come in, so that a message is always the same.
    """
    columns = [*relation, *names]
    parts = [
        part.select(columns).unique(maintain_order=not empty) for part in observations(dataset)
    ]
    none = pl.DataFrame(schema={name: dataset.schema[name] for name in columns})
    whole = pl.concat([*parts, none]).unique(maintain_order=not empty)
    if empty:
        return whole
    return whole.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in names))
