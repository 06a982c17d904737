"""The observations of a table that a data query asks for."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TypeVar

import polars as pl

from sdmx_service.errors import RequestError
from sdmx_service.query.period import Period, parse_period
from sdmx_service.query.query import Condition, DataQuery, Detail, Operator
from sdmx_service.structures.artefacts import Attachment, Component, DataStructure, Role

__all__ = ["select"]

_Test = TypeVar("_Test")

# "dataset" and "msd" name levels at which this service reports nothing.
_LEVELS: Mapping[str, Attachment | None] = {
    "series": Attachment.SERIES,
    "obs": Attachment.OBSERVATION,
    "dataset": None,
    "msd": None,
}
_COMPARISONS: Mapping[Operator, Callable[[str, str], bool]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.CO: operator.contains,
    Operator.NC: lambda value, asked: asked not in value,
    Operator.SW: str.startswith,
    Operator.EW: str.endswith,
}
_PERIODS: Mapping[Operator, Callable[[Period, Period], bool]] = {
    Operator.EQ: lambda value, asked: value.within(asked),
    Operator.NE: lambda value, asked: not value.within(asked),
    Operator.LT: lambda value, asked: value.end <= asked.start,
    Operator.LE: lambda value, asked: value.end <= asked.end,
    Operator.GT: lambda value, asked: value.start >= asked.end,
    Operator.GE: lambda value, asked: value.start >= asked.start,
}


def select(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.DataFrame:
    """Return the rows and columns of ``frame`` that ``query`` asks for, in the frame's order.

    ``frame`` has the columns of ``structure``, sorted by key, then time. A code that the
    codelist lacks matches nothing (SDMX REST: unknown codes are ignored). With ``detail``
    serieskeysonly or nodata there is one row a series and no time, measure or observation
    attribute. Raises RequestError for a key with too many positions or an unknown component.
    """
    dimensions = [dimension.id for dimension in structure.dimensions]
    if query.positions > len(dimensions):
        raise RequestError(
            "key",
            got=f"{query.positions} positions",
            expected=f"{len(dimensions)} or fewer positions {'.'.join(dimensions)}",
            hint="separate positions by '.', leave one empty or write * for any code",
        )
    _check_shape(structure, query)
    wanted = [_key_mask(frame, structure, query)]
    wanted += [_condition_mask(frame, structure, condition) for condition in query.conditions]
    chosen = frame.filter(*[mask for mask in wanted if mask is not None])
    chosen = _ends(chosen, dimensions, query)
    chosen = chosen.select(_columns(structure, query))
    if query.detail in (Detail.SERIES_KEYS_ONLY, Detail.NO_DATA):
        chosen = chosen.unique(subset=dimensions, keep="first", maintain_order=True)
    if query.offset or query.limit is not None:
        chosen = chosen.slice(query.offset, query.limit)
    return chosen


def _check_shape(structure: DataStructure, query: DataQuery) -> None:
    shapes = (structure.time.id, "AllDimensions")
    if query.dimension_at_observation not in shapes:
        raise RequestError(
            "dimensionAtObservation",
            got=query.dimension_at_observation,
            expected=f"one of {', '.join(shapes)}",
        )
    known = [attribute.id for attribute in structure.attributes]
    unknown = sorted((query.attributes or frozenset()) - {*known, *_LEVELS})
    if unknown:
        raise RequestError(
            "attributes",
            got=unknown[0],
            expected=f"dsd, all, none, {', '.join(_LEVELS)} or of {', '.join(known)}",
        )


def _any(masks: list[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(masks) if masks else pl.lit(value=False)


def _key_mask(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.Expr | None:
    if not query.keys or not all(query.keys):
        return None
    return _any(
        [
            pl.all_horizontal(
                _is_in(frame, structure.dimensions[position].id, codes)
                for position, codes in key.items()
            )
            for key in query.keys
        ]
    )


def _is_in(frame: pl.DataFrame, column: str, values: frozenset[str]) -> pl.Expr:
    dtype = frame.schema[column]
    if isinstance(dtype, pl.Enum):
        # An Enum refuses a code it does not list, where the standard ignores it.
        values = values & set(dtype.categories)
    return pl.col(column).is_in(sorted(values)) if values else pl.lit(value=False)


def _condition_mask(frame: pl.DataFrame, structure: DataStructure, condition: Condition) -> pl.Expr:
    component = structure.by_id.get(condition.component)
    if component is None:
        raise RequestError(
            f"c[{condition.component}]",
            got=condition.component,
            expected=f"a component of {structure.id}",
            hint=f"one of {', '.join(structure.by_id)}",
        )
    if frame.schema[component.id].is_numeric():
        return _number_mask(frame, component, condition)
    return _value_mask(frame, component, condition)


def _number_mask(frame: pl.DataFrame, component: Component, condition: Condition) -> pl.Expr:
    column = pl.col(component.id)
    if frame.schema[component.id].is_float():
        column = column.fill_nan(None)  # polars orders NaN above every number
    tests: Mapping[Operator, Callable[[float], pl.Expr]] = {
        Operator.EQ: column.eq,
        Operator.NE: column.ne,
        Operator.LT: column.lt,
        Operator.LE: column.le,
        Operator.GT: column.gt,
        Operator.GE: column.ge,
    }
    return _any(
        [
            pl.all_horizontal(
                _test(tests, token, condition.component)(_number(value, condition.component))
                for token, value in alternative
            )
            for alternative in condition.alternatives
        ]
    )


def _test(tests: Mapping[Operator, _Test], token: Operator, component: str) -> _Test:
    if token not in tests:
        raise RequestError(
            f"c[{component}]",
            got=token.value,
            expected=f"one of {', '.join(known.value for known in tests)}",
        )
    return tests[token]


def _number(text: str, component: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(f"c[{component}]", got=text, expected="a number") from None


def _value_mask(frame: pl.DataFrame, component: Component, condition: Condition) -> pl.Expr:
    """Compare each distinct value once, not each observation."""
    present = [
        value
        for value in frame.get_column(component.id).unique().cast(pl.String).to_list()
        if value is not None
    ]
    matched: set[str] = set()
    for alternative in condition.alternatives:
        remaining = set(present)
        for token, asked in alternative:
            remaining &= _matching(remaining, component, token, asked)
        matched |= remaining
    return _is_in(frame, component.id, frozenset(matched))


def _matching(values: set[str], component: Component, token: Operator, asked: str) -> set[str]:
    if component.role is Role.TIME:
        period = parse_period(asked, component.id)
        test = _test(_PERIODS, token, component.id)
        return {value for value in values if test(parse_period(value, component.id), period)}
    return {value for value in values if _COMPARISONS[token](value, asked)}


def _ends(frame: pl.DataFrame, dimensions: list[str], query: DataQuery) -> pl.DataFrame:
    """Keep the first and the last observations of each series."""
    if query.first is None and query.last is None:
        return frame
    place = pl.int_range(pl.len()).over(dimensions)
    kept = []
    if query.first is not None:
        kept.append(place < query.first)
    if query.last is not None:
        kept.append(place >= pl.len().over(dimensions).cast(pl.Int64) - query.last)
    return frame.filter(pl.any_horizontal(kept))


def _columns(structure: DataStructure, query: DataQuery) -> list[str]:
    if query.detail in (Detail.FULL, Detail.DATA_ONLY):
        kept = {component.id for component in structure.components}
    else:
        kept = {d.id for d in structure.dimensions} | {a.id for a in structure.series_attributes}
    if query.detail in (Detail.DATA_ONLY, Detail.SERIES_KEYS_ONLY):
        kept -= {attribute.id for attribute in structure.attributes}
    elif query.attributes is not None:
        kept -= {a.id for a in structure.attributes} - _asked(structure, query.attributes)
    return [component.id for component in structure.components if component.id in kept]


def _asked(structure: DataStructure, names: frozenset[str]) -> set[str]:
    levels = {
        attribute.id
        for attribute in structure.attributes
        if attribute.attachment in {_LEVELS[name] for name in names if name in _LEVELS}
    }
    return levels | names
