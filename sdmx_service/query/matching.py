"""Which rows of a table meet the keys and conditions of a query, as one polars expression."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import polars as pl

from sdmx_service.errors import RequestError, SemanticError
from sdmx_service.query.period import Period, observed_period, parse_period
from sdmx_service.query.query import Condition, DataQuery, Operator
from sdmx_service.query.stretches import NUMBER_TESTS, in_stretches
from sdmx_service.structures.artefacts import Component, DataStructure, Role

__all__ = ["check_positions", "known_component", "matching"]

_Compare = Callable[[str, str], bool]
_COMPARISONS: Mapping[Operator, _Compare] = {
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
# Of several values at once, these must hold for each of them; the others for one.
_FOR_EACH = frozenset({Operator.NE, Operator.NC})
# Each costs a look at the text of every number.
_MOST_TEXTS = 8
_SEPARATOR = "\x1f"


def matching(frame: pl.DataFrame, structure: DataStructure, query: DataQuery) -> pl.Expr | None:
    """Return the mask of the rows asked for, or None where every row is.

    ``frame`` has the columns of ``structure`` that the query names. A code that the codelist
    lacks matches nothing (SDMX REST: unknown codes are ignored). Raises SemanticError for a key
    with too many positions or an unknown component, RequestError for a value of the wrong kind.
    """
    check_positions(structure, query)
    dimensions = [dimension.id for dimension in structure.dimensions]
    masks = [_condition_mask(frame, structure, query, one) for one in query.conditions]
    # A key without a code in any position asks for everything.
    if query.keys and all(query.keys):
        masks.insert(0, _key_mask(frame, dimensions, query))
    return pl.all_horizontal(masks) if masks else None


def check_positions(structure: DataStructure, query: DataQuery) -> None:
    """Raise SemanticError where a key has more positions than there are dimensions."""
    dimensions = [dimension.id for dimension in structure.dimensions]
    if query.positions > len(dimensions):
        raise SemanticError(
            "key",
            got=f"{query.positions} positions",
            expected=f"{len(dimensions)} or fewer positions {'.'.join(dimensions)}",
            hint="separate positions by '.', leave one empty or write * for any code",
        )


def known_component(structure: DataStructure, name: str, where: str) -> Component:
    """Return the component called ``name``; SemanticError names those there are."""
    component = structure.by_id.get(name)
    if component is None:
        raise SemanticError(
            where,
            got=name,
            expected=f"a component of {structure.id}",
            hint=f"one of {', '.join(structure.by_id)}",
        )
    return component


def _any(masks: list[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(masks) if masks else pl.lit(value=False)


def _key_mask(frame: pl.DataFrame, dimensions: list[str], query: DataQuery) -> pl.Expr:
    return _any(
        [
            pl.all_horizontal(
                _is_in(frame, dimensions[position], codes) for position, codes in key.items()
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


def _condition_mask(
    frame: pl.DataFrame, structure: DataStructure, query: DataQuery, condition: Condition
) -> pl.Expr:
    where = f"c[{condition.component}]"
    component = known_component(structure, condition.component, where)
    dtype = frame.schema[component.id]
    if dtype.is_numeric():
        return _number_mask(frame, component, condition, where)
    if component.role is Role.TIME:
        return _distinct_mask(
            frame,
            component,
            condition,
            lambda value, token, asked: _in_time(value, token, asked, query, where),
        )
    if isinstance(dtype, pl.List):
        return _several_mask(frame, component, condition)
    return _distinct_mask(frame, component, condition, _holds)


def _number_mask(
    frame: pl.DataFrame, component: Component, condition: Condition, where: str
) -> pl.Expr:
    """Compare numbers with numbers at once, and their text with each text asked for."""
    column = frame.get_column(component.id)
    alike: dict[frozenset[tuple[Operator, str]], set[frozenset[tuple[Operator, float]]]] = {}
    for alternative in condition.alternatives:
        texts = frozenset(test for test in alternative if test[0] not in NUMBER_TESTS)
        numbers = frozenset(
            (token, _number(asked, where)) for token, asked in alternative if token in NUMBER_TESTS
        )
        alike.setdefault(texts, set()).add(numbers)
    asked_texts = frozenset[tuple[Operator, str]]().union(*alike)
    if len(asked_texts) > _MOST_TEXTS:
        raise RequestError(
            where,
            got=f"{len(asked_texts)} texts to look for in numbers",
            expected=f"at most {_MOST_TEXTS}",
            hint="compare numbers as numbers: ge:1+lt:2",
        )
    return _any(
        [
            pl.all_horizontal(
                in_stretches(column, numbers),
                *(_number_text(column.name, token, asked) for token, asked in texts),
            )
            for texts, numbers in alike.items()
        ]
    )


def _number_text(name: str, token: Operator, asked: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String).str
    if token in (Operator.SW, Operator.EW):
        return text.starts_with(asked) if token is Operator.SW else text.ends_with(asked)
    held = text.contains(asked, literal=True)
    return held if token is Operator.CO else ~held


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(where, got=text, expected="a number") from None


def _distinct_mask(
    frame: pl.DataFrame,
    component: Component,
    condition: Condition,
    holds: Callable[[str, Operator, str], bool],
) -> pl.Expr:
    """Compare each distinct value once, not each observation."""
    column = frame.get_column(component.id)
    if isinstance(column.dtype, pl.Enum) and column.len() >= len(column.dtype.categories):
        present = set(column.dtype.categories)
    else:
        present = set(column.unique().cast(pl.String).drop_nulls().to_list())
    matched: set[str] = set()
    for alternative in condition.alternatives:
        remaining = present
        for token, asked in alternative:
            remaining = {value for value in remaining if holds(value, token, asked)}
        matched |= remaining
    return _is_in(frame, component.id, frozenset(matched))


def _holds(value: str, token: Operator, asked: str) -> bool:
    return _COMPARISONS[token](value, asked)


def _in_time(value: str, token: Operator, asked: str, query: DataQuery, where: str) -> bool:
    test = _PERIODS.get(token)
    if test is None:  # a test of texts: sw:2020 is every period of that year
        return _holds(value, token, asked)
    period = parse_period(asked, where, query.year_start)
    return test(observed_period(value, query.year_start), period)


def _several_mask(frame: pl.DataFrame, component: Component, condition: Condition) -> pl.Expr:
    """Compare cells of several values: ``A+B`` is a cell that holds both."""

    def all_hold(values: list[str]) -> bool:
        return any(
            all(
                (all if token in _FOR_EACH else any)(
                    _holds(value, token, asked) for value in values
                )
                for token, asked in alternative
            )
            for alternative in condition.alternatives
        )

    joined = frame.get_column(component.id).list.join(_SEPARATOR)
    matched = [
        text
        for text in joined.unique().drop_nulls()
        if text and all_hold(str(text).split(_SEPARATOR))
    ]
    return pl.col(component.id).list.join(_SEPARATOR).is_in(matched)
