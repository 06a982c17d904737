"""Which rows of a table meet the keys and conditions of a query, as one polars expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from sdmx_service.errors import RequestError, SemanticError
from sdmx_service.query.grammar import number
from sdmx_service.query.period import Period, observed_period, parse_period
from sdmx_service.query.query import Condition, DataQuery, Operator
from sdmx_service.query.several import in_cells
from sdmx_service.query.stretches import NUMBER_TESTS, in_stretches
from sdmx_service.query.texts import TEXT_TESTS, Alternatives, Mask, alternatives_met
from sdmx_service.structures.artefacts import Component, DataStructure, Role

__all__ = ["check_positions", "known_component", "matching"]

_PERIODS: Mapping[Operator, Callable[[Period, Period], bool]] = {
    Operator.EQ: lambda value, asked: value.within(asked),
    Operator.NE: lambda value, asked: not value.within(asked),
    Operator.LT: lambda value, asked: value.end <= asked.start,
    Operator.LE: lambda value, asked: value.end <= asked.end,
    Operator.GT: lambda value, asked: value.start >= asked.end,
    Operator.GE: lambda value, asked: value.start >= asked.start,
}
# Each costs a look at the text of every number.
_MOST_TEXTS = 8


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
            condition.alternatives,
            lambda values, token, asked: _in_time(values, token, asked, query, where),
            where,
        )
    if isinstance(dtype, pl.List):
        return _several_mask(frame, component, condition, where)
    return _text_mask(frame, component, condition, where)


def _number_mask(
    frame: pl.DataFrame, component: Component, condition: Condition, where: str
) -> pl.Expr:
    """Compare numbers with numbers at once, and their text with each text asked for."""
    column = frame.get_column(component.id)
    alike: dict[frozenset[tuple[Operator, str]], set[frozenset[tuple[Operator, float]]]] = {}
    for alternative in condition.alternatives:
        texts = frozenset(test for test in alternative if test[0] not in NUMBER_TESTS)
        numbers = frozenset(
            (token, number(asked, where)) for token, asked in alternative if token in NUMBER_TESTS
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


def _text_mask(
    frame: pl.DataFrame, component: Component, condition: Condition, where: str
) -> pl.Expr:
    """Look up the values that are asked for as they are, and compare the others."""
    named: set[str] = set()
    others = []
    for tests in condition.alternatives:
        if len(tests) == 1 and tests[0][0] is Operator.EQ:
            named.add(tests[0][1])
        else:
            others.append(tests)
    masks = [_is_in(frame, component.id, frozenset(named))]
    if others:
        masks.append(_distinct_mask(frame, component, others, _text_holds, where))
    return _any(masks)


def _distinct_mask(
    frame: pl.DataFrame,
    component: Component,
    alternatives: Alternatives,
    holds: Callable[[pl.Series, Operator, str], Mask],
    where: str,
) -> pl.Expr:
    """Compare each distinct value once, not each observation."""
    column = frame.get_column(component.id)
    if isinstance(column.dtype, pl.Enum) and column.len() >= len(column.dtype.categories):
        present = column.dtype.categories
    else:
        present = column.unique().cast(pl.String).drop_nulls()
    found = alternatives_met(
        alternatives, lambda token, asked: holds(present, token, asked), len(present), where
    )
    return _is_in(frame, component.id, frozenset(present.filter(pl.Series(found))))


def _text_holds(values: pl.Series, token: Operator, asked: str) -> Mask:
    found: Mask = TEXT_TESTS[token](values, asked).to_numpy()
    return found


def _in_time(values: pl.Series, token: Operator, asked: str, query: DataQuery, where: str) -> Mask:
    test = _PERIODS.get(token)
    if test is None:  # a test of texts: sw:2020 is every period of that year
        return _text_holds(values, token, asked)
    period = parse_period(asked, where, query.year_start)
    met = (test(observed_period(value, query.year_start), period) for value in values)
    return np.fromiter(met, dtype=bool, count=len(values))


def _several_mask(
    frame: pl.DataFrame, component: Component, condition: Condition, where: str
) -> pl.Expr:
    column = frame.get_column(component.id)
    numbers = isinstance(column.dtype, pl.List) and column.dtype.inner.is_numeric()

    def holds(values: pl.Series, token: Operator, asked: str) -> Mask:
        if numbers:
            return _number_holds(values, token, asked, where)
        return _text_holds(values, token, asked)

    return in_cells(column, condition.alternatives, holds, where)


def _number_holds(values: pl.Series, token: Operator, asked: str, where: str) -> Mask:
    exact = values.cast(pl.Float64).to_numpy()
    met: Mask
    if token in NUMBER_TESTS:
        met = NUMBER_TESTS[token](exact, number(asked, where))
    else:
        found = values.to_frame().select(_number_text(values.name, token, asked))
        met = found.to_series().to_numpy()
    met = met & ~np.isnan(exact)  # NaN answers no comparison
    return met
