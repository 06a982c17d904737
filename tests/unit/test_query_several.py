"""Conditions on cells of several values, and of texts in several languages."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.cube import TEXTS
from sdmx_service.errors import RequestError, SemanticError
from sdmx_service.query import rest22
from sdmx_service.query.query import Condition, DataQuery, Operator
from sdmx_service.query.selection import select
from sdmx_service.structures.artefacts import Attachment, Component, DataStructure, Role

STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {},
    (
        Component("KIND", Role.DIMENSION, {}),
        Component("ROW", Role.MEASURE, {}, data_type="Integer"),
        Component("NOTE", Role.ATTRIBUTE, {}, None, "String", Attachment.OBSERVATION),
    ),
)
_NUMBER = st.sampled_from([-1.0, -0.0, 0.0, 1.0, 1.5, 3.0, 4.0, math.inf, 1e308])


def _frame(notes: pl.Series) -> pl.DataFrame:
    rows = pl.int_range(len(notes), eager=True)
    return pl.DataFrame([rows.cast(pl.String).alias("KIND"), rows.alias("ROW"), notes])


def test_a_cell_of_several_values_holds_each_of_them() -> None:
    values = [["A"], ["A", "B"], ["B"], [], None]
    frame = _frame(pl.Series("NOTE", values, dtype=pl.List(pl.String)))

    def found(condition: str) -> list[int]:
        query = rest22.data_query("dataflow/SIS/F", f"c[NOTE]={condition}")
        return select(frame, STRUCTURE, query).get_column("ROW").to_list()

    assert found("A") == [0, 1]
    assert found("A+B") == [1]
    assert found("A,B") == [0, 1, 2]
    assert found("ne:A") == [2]


_TEXT = st.sampled_from(["A", "B", "AB", "", "é", "a"])
_SAID = st.dictionaries(st.sampled_from(["en", "fr"]), _TEXT, min_size=1).map(
    lambda texts: [{"lang": tag, "text": text} for tag, text in texts.items()]
)
_SHAPES: tuple[tuple[pl.DataType, st.SearchStrategy[Any]], ...] = (
    (pl.List(pl.String), _TEXT),
    (pl.List(pl.Enum(["B", "A", "AB", "", "é", "a"])), _TEXT),
    (pl.List(pl.Float64), _NUMBER | st.just(math.nan)),
    (TEXTS, st.sampled_from(["en", "fr", "de"])),
    (pl.List(TEXTS), _SAID),
)
_TEXT_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    **{name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    "co": operator.contains,
    "nc": lambda value, asked: asked not in value,
    "sw": str.startswith,
    "ew": str.endswith,
}


def _values(cell: list[Any], kind: pl.DataType) -> list[Any]:
    if kind == TEXTS:
        return [one["text"] for one in cell]
    if kind == pl.List(TEXTS):
        return [one["text"] for texts in cell for one in texts]
    return cell


@given(st.data(), st.sampled_from(range(len(_SHAPES))))
def test_a_cell_of_several_values_meets_what_plain_python_says(
    data: st.DataObject, shape: int
) -> None:
    kind, values = _SHAPES[shape]
    cells = data.draw(st.lists(st.none() | st.lists(values, max_size=3), min_size=1, max_size=6))
    if kind == TEXTS:
        cells = [cell and [{"lang": x, "text": x.upper()[:1]} for x in {*cell}] for cell in cells]
    numbers = kind == pl.List(pl.Float64)
    names = ["eq", "ne", "lt", "ge"] if numbers else list(_TEXT_TESTS)
    words = _NUMBER if numbers else _TEXT.filter(bool)
    test = st.tuples(st.sampled_from(names), words)
    alternatives = data.draw(
        st.lists(st.lists(test, min_size=1, max_size=3), min_size=1, max_size=3)
    )

    def holds(cell: list[Any] | None, name: str, asked: Any) -> bool:
        said = [_TEXT_TESTS[name](value, asked) and value == value
                for value in _values(cell or [], kind)]  # fmt: skip
        return bool(said) and (all(said) if name in ("ne", "nc") else any(said))

    expected = [
        row
        for row, cell in enumerate(cells)
        if any(all(holds(cell, *one) for one in tests) for tests in alternatives)
    ]
    frame = _frame(pl.Series("NOTE", cells, dtype=kind))
    asked = tuple(
        tuple((Operator(name), str(value).replace("inf", "INF")) for name, value in tests)
        for tests in alternatives
    )
    query = DataQuery(conditions=(Condition("NOTE", asked),))
    assert select(frame, STRUCTURE, query).get_column("ROW").to_list() == expected


@pytest.mark.parametrize("kind", [kind for kind, _ in _SHAPES], ids=str)
def test_what_has_several_values_is_no_order(kind: pl.DataType) -> None:
    frame = _frame(pl.Series("NOTE", [None, None], dtype=kind))
    query = rest22.data_query("dataflow/SIS/F", "sort=NOTE")
    with pytest.raises(SemanticError, match="one value in each observation"):
        select(frame, STRUCTURE, query)
    after_the_key = rest22.data_query("dataflow/SIS/F", "sort=*+NOTE")
    assert select(frame, STRUCTURE, after_the_key).height == frame.height


@pytest.mark.parametrize("kind", [pl.String(), pl.List(pl.String)], ids=str)
def test_more_tests_than_can_be_made_in_good_time_are_refused(kind: pl.DataType) -> None:
    texts = pl.Series("NOTE", [f"note {n}" for n in range(50_000)])
    several = texts.to_frame().select(pl.concat_list("NOTE")).to_series()
    frame = _frame(texts if kind == pl.String else several)
    asked = ",".join(f"co:note {n}" for n in range(500))
    query = rest22.data_query("dataflow/SIS/F", f"c[NOTE]={asked}")
    with pytest.raises(RequestError, match="500 different tests"):
        select(frame, STRUCTURE, query)
    few = rest22.data_query("dataflow/SIS/F", "c[NOTE]=co:note 7,eq:note 1")
    assert select(frame, STRUCTURE, few).height == 1 + sum("note 7" in text for text in texts)
