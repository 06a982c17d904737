"""The observations of a table that a data query asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from sdmx_service.errors import SemanticError
from sdmx_service.query.matching import known_component, matching
from sdmx_service.query.period import chronological
from sdmx_service.query.query import SERIES_KEY, DataQuery, Sort
from sdmx_service.structures.artefacts import Attachment, Component, DataStructure, Role

__all__ = [
    "ALL_DIMENSIONS",
    "asked_columns",
    "ends",
    "fitted",
    "observed_by",
    "ordered",
    "refuse_unsortable",
    "select",
    "settled",
    "sort_steps",
]

ALL_DIMENSIONS = "AllDimensions"
_LEVELS: Mapping[str, frozenset[Attachment]] = {
    "dsd": frozenset(Attachment),
    "all": frozenset(Attachment),
    "dataset": frozenset({Attachment.DATASET}),
    "series": frozenset({Attachment.SERIES, Attachment.GROUP}),
    "obs": frozenset({Attachment.OBSERVATION}),
    # Reference metadata are no attributes of the data structure: they come from elsewhere.
    "msd": frozenset(),
}
_NO_LEVEL = frozenset[Attachment]()


def select(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.DataFrame:
    """Return the rows and columns of ``frame`` that ``query`` asks for.

    ``frame`` has the columns of ``structure``, sorted by key, then time, and so is the answer
    unless the query sorts. Of a query for series there is one row each, without time, measure or
    attribute of the observation. Raises SemanticError for a key with too many positions, an
    unknown component or dimension, RequestError for a value of the wrong kind.
    """
    query = settled(structure, query)
    observed_by(structure, query)
    kept = asked_columns(structure, query)
    mask = matching(frame, structure, query)
    chosen = frame if mask is None else frame.filter(mask)
    chosen = ends(chosen, structure, query)
    chosen = ordered(chosen, structure, query)
    chosen = chosen.select(kept)
    if query.series_only:
        series = [dimension.id for dimension in structure.dimensions]
        chosen = chosen.unique(subset=series, keep="first", maintain_order=True)
    if query.offset or query.limit is not None:
        chosen = chosen.slice(query.offset, query.limit)
    return chosen


def settled(structure: DataStructure, query: DataQuery) -> DataQuery:
    """Return the query as it is put to a structure: one row a series if nothing shown says more.

    That is so where no measure is asked for, and of attributes only such as are attached to
    series, groups of them or the data set.
    """
    if query.measures != frozenset() or query.attributes is None:
        return query
    at = {one.attachment for one in structure.attributes if one.id in query.attributes}
    levels = at.union(*(_LEVELS.get(name, _NO_LEVEL) for name in query.attributes))
    return query if Attachment.OBSERVATION in levels else replace(query, series_only=True)


def fitted(structure: DataStructure, query: DataQuery, among: Iterable[DataStructure]) -> DataQuery:
    """Return the query as it is put to one of several structures.

    It is without the attributes, measures and steps of the sort that others have and this one
    lacks: they say how an answer looks, not what is in it. What none of them has stays, and is
    refused; so does all of it where nothing shown would be left.
    """
    others = {component.id for one in among for component in one.components}
    elsewhere = others.difference(structure.by_id, _LEVELS)
    attributes, measures = (
        None if named is None else named - elsewhere for named in (query.attributes, query.measures)
    )
    if (attributes, measures) != (query.attributes, query.measures) and not (
        attributes is None or measures is None or attributes | measures
    ):
        return query
    sort = tuple(step for step in query.sort if step.by not in elsewhere)
    return replace(query, attributes=attributes, measures=measures, sort=sort)


def observed_by(structure: DataStructure, query: DataQuery) -> str:
    """Return the dimension at the observation, or AllDimensions; SemanticError if unknown."""
    asked = query.observed_by
    # A client that names the default means it, of a structure without time too.
    if asked in (None, "TIME_PERIOD"):
        return structure.time.id if structure.timed else ALL_DIMENSIONS
    shapes = [*(dimension.id for dimension in structure.key), ALL_DIMENSIONS]
    if asked not in shapes:
        raise SemanticError(
            "dimensionAtObservation", got=asked, expected=f"one of {', '.join(shapes)}"
        )
    return asked


def asked_columns(structure: DataStructure, query: DataQuery) -> list[str]:
    """Return the component ids of the answer, in structure order; SemanticError if unknown."""
    if query.series_only:
        kept = {dimension.id for dimension in structure.dimensions}
    else:
        kept = {dimension.id for dimension in structure.key}
        kept |= _measures(structure, query.measures)
    kept |= _attributes(structure, query.attributes)
    return [component.id for component in structure.components if component.id in kept]


def _measures(structure: DataStructure, asked: frozenset[str] | None) -> set[str]:
    known = {measure.id for measure in structure.measures}
    unknown = sorted((asked or frozenset()) - known)
    if unknown:
        raise SemanticError(
            "measures", got=unknown[0], expected=f"all, none or of {', '.join(sorted(known))}"
        )
    return known if asked is None else set(asked)


def _attributes(structure: DataStructure, asked: frozenset[str] | None) -> set[str]:
    names = frozenset({"dsd"}) if asked is None else asked
    known = {attribute.id: attribute for attribute in structure.attributes}
    unknown = sorted(names - {*known, *_LEVELS})
    if unknown:
        raise SemanticError(
            "attributes",
            got=unknown[0],
            expected=f"none, {', '.join(_LEVELS)} or of {', '.join(known)}",
        )
    levels = frozenset[Attachment]().union(*(_LEVELS[name] for name in names if name in _LEVELS))
    return set(names & set(known)) | {a.id for a in known.values() if a.attachment in levels}


def ends(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.DataFrame:
    """Keep the first and the last observations of each series, by time."""
    if query.first is None and query.last is None:
        return frame
    series = [dimension.id for dimension in structure.dimensions]
    place = pl.int_range(pl.len()).over(series)
    if structure.timed:
        time = _sortable(frame, structure.time).fill_null(-1)
        place = time.rank("ordinal").over(series).cast(pl.Int64) - 1
    kept = []
    if query.first is not None:
        kept.append(place < query.first)
    if query.last is not None:
        kept.append(place >= pl.len().over(series).cast(pl.Int64) - query.last)
    return frame.filter(pl.any_horizontal(kept))


def ordered(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.DataFrame:
    """Return the rows in the order of ``sort``: numbers by size, times in time, codes by id.

    Rows that the sort leaves equal keep their order, and a missing value comes last. Raises
    SemanticError for a component with several values, or texts, in one cell.
    """
    if not query.sort:
        return frame
    steps = sort_steps(structure, query)
    if not steps:
        return frame
    refuse_unsortable(frame.schema, steps)
    return frame.sort(
        [_sortable(frame, component) for component, _ in steps],
        descending=[down for _, down in steps],
        nulls_last=True,
        maintain_order=True,
    )


def sort_steps(structure: DataStructure, query: DataQuery) -> tuple[tuple[Component, bool], ...]:
    """Return the components to sort by, one after another, and which of them descend.

    What comes after the whole key, or again, changes nothing and is left out. Raises
    SemanticError for an unknown component, wherever it comes.
    """
    for step in query.sort:
        if step.by not in ("*", SERIES_KEY):
            known_component(structure, step.by, "sort")
    key = {one.id for one in structure.key if not (query.series_only and one.role is Role.TIME)}
    steps: dict[str, tuple[Component, bool]] = {}
    for step in query.sort:
        for one in _components(structure, query, step):
            if key <= steps.keys():
                return tuple(steps.values())
            if not (query.series_only and one.role is Role.TIME):
                steps.setdefault(one.id, (one, step.descending))
    return tuple(steps.values())


def refuse_unsortable(
    schema: Mapping[str, pl.DataType], steps: tuple[tuple[Component, bool], ...]
) -> None:
    """Raise SemanticError where a component to sort by has lists, which have no order."""
    for component, _ in steps:
        if isinstance(schema[component.id], pl.List):
            raise SemanticError(
                "sort",
                got=component.id,
                expected="a component with one value in each observation",
                hint="several values, or texts in several languages, have no order among them",
            )


def _components(structure: DataStructure, query: DataQuery, step: Sort) -> tuple[Component, ...]:
    if step.by == "*":
        return structure.key
    if step.by == SERIES_KEY:
        shape = observed_by(structure, query)
        # With all dimensions at the observation there is no series: the word means them all.
        return tuple(dimension for dimension in structure.key if dimension.id != shape)
    return (structure.by_id[step.by],)


def _sortable(frame: pl.DataFrame, component: Component) -> pl.Expr:
    column, dtype = pl.col(component.id), frame.schema[component.id]
    if component.role is Role.TIME:
        times = chronological(frame.get_column(component.id).unique().cast(pl.String).drop_nulls())
        places = pl.Series(range(len(times)), dtype=pl.Int32)
        return column.cast(pl.String).replace_strict(pl.Series(times, dtype=pl.String), places)
    if isinstance(dtype, pl.Enum):
        codes = dtype.categories
        rank = codes.rank("ordinal").cast(pl.Int32)
        return column.to_physical().replace_strict(
            pl.Series(range(len(codes)), dtype=pl.UInt32), rank, return_dtype=pl.Int32
        )
    # NaN is a number left out on purpose: it is not the largest one.
    return column.fill_nan(None) if dtype.is_float() else column
