"""The language of definitions: what it says, and what it refuses to say."""

from __future__ import annotations

import polars as pl
import pytest

from sdmx_service.definitions.expression import Expression
from sdmx_service.errors import DefinitionError

TABLE = pl.DataFrame({"age": [10, 15, 40, None], "activity": ["EMP", "UNEMP", None, "EMP"]})


def _values(text: str) -> list[object]:
    return TABLE.select(Expression(text, "here").over(TABLE.columns).alias("x"))["x"].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age >= 15", [False, True, True, None]),
        ("10 < age <= 40", [False, True, True, None]),
        ("activity in ['EMP', 'UNEMP']", [True, True, None, True]),
        ("activity not in ['EMP']", [False, True, None, False]),
        ("age * 2 - 1", [19, 29, 79, None]),
        ("not missing(activity)", [True, True, False, True]),
        ("max(age, 20)", [20, 20, 40, None]),
        ("age / 1 in [10, 40]", [True, False, True, None]),
    ],
)
def test_an_expression_means_what_it_says(text: str, expected: list[object]) -> None:
    assert _values(text) == expected


def test_an_unanswered_question_is_neither_yes_nor_no() -> None:
    """Kleene's logic: unknown and false is false, unknown or true is true, else unknown."""
    assert _values("age >= 15 and activity == 'EMP'") == [False, False, None, None]
    assert _values("age < 15 or activity == 'EMP'") == [True, False, None, True]


@pytest.mark.parametrize(
    "text",
    [
        "age >",
        "__import__('os').system('true')",
        "age.real",
        "[x for x in age]",
        "lambda: 1",
        "age if age else 1",
        "min(age)",
        "f'{age}'",
        "age is None",
        "activity in age",
    ],
)
def test_anything_but_the_small_language_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"^file\.yaml:3: numerator: expected "):
        Expression(text, "file.yaml:3: numerator")


def test_text_compared_with_a_number_is_refused_with_the_types() -> None:
    with pytest.raises(DefinitionError, match=r"text compared with text.*activity is String"):
        Expression("activity >= 2", "here").evaluate(TABLE, pl.Float64)


def test_an_unknown_column_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(DefinitionError, match=r"got 'activty' \(did you mean activity\?\)"):
        _values("activty == 'EMP'")
