"""Withheld cells by hand: what a rule withholds, what adds up, and what a chain reaches."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.policy import DisclosurePolicy, Outcome, Rule
from sdmx_service.errors import DefinitionError
from sdmx_service.protect.disclosure import Margin, complements, margins_of, primary


def facts() -> pl.DataFrame:
    return pl.DataFrame(
        {"n": [4.0, 40.0, 4.0, 40.0, None], "events": [None, 2.0, 9.0, 20.0, None]},
        schema={"n": pl.Float64, "events": pl.Float64},
    )


def policy(*conditions: str) -> DisclosurePolicy:
    rules = tuple(
        Rule(Expression(condition, "test.yaml:4"), Outcome.SUPPRESS, "CONFIDENTIAL")
        for condition in conditions
    )
    return DisclosurePolicy("test", "A test", "https://sdctools.github.io/HandbookSDC/", rules)


@pytest.mark.parametrize(
    ("conditions", "withheld"),
    [
        ((), [False, False, False, False, False]),
        (("n < 5",), [True, False, True, False, False]),
        (("events < 3",), [False, True, False, False, False]),
        (("n < 5", "events < 3"), [True, True, True, False, False]),
        (("events < 3", "n < 5"), [True, True, True, False, False]),
    ],
)
def test_any_rule_withholds_and_one_about_what_is_not_known_does_not(
    conditions: tuple[str, ...], withheld: list[bool]
) -> None:
    found = primary(facts(), policy(*conditions))
    assert found.to_list() == withheld
    assert (found.name, found.dtype) == ("withheld", pl.Boolean)


def test_a_rule_about_an_unknown_fact_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"test\.yaml:4: expected a column: events, n"):
        primary(facts(), policy("people < 5"))


# --- margins ------------------------------------------------------------------------------------

PARENTS = {"Z": None, "A": "Z", "B": "Z", "A1": "A", "A2": "A", "Q": None}
CELLS = [
    *(("Z", "_T", "_T"), ("Z", "F", "_T"), ("Z", "M", "_T")),
    *(("Z", "_T", "Y"), ("Z", "F", "Y"), ("Z", "M", "Y")),
    *(("A", "_T", "_T"), ("B", "_T", "_T"), ("A", "F", "_T")),
    *(("A1", "_T", "_T"), ("A2", "_T", "_T"), ("B", "M", "Y")),
    *(("Q", "_T", "_T"), ("Q", "M", "_T")),
]


def keys() -> pl.DataFrame:
    return pl.DataFrame(CELLS, schema=["REF_AREA", "SEX", "AGE"], orient="row")


def test_cells_that_differ_in_one_dimension_add_up_to_its_total() -> None:
    """In the order of the dimensions, of totals and of parts: the outcome hangs on it."""
    found = margins_of(keys(), ["SEX", "AGE"], "REF_AREA", PARENTS)
    by_sex = [Margin(0, (1, 2)), Margin(3, (4, 5)), Margin(6, (8,)), Margin(12, (13,))]
    by_age = [Margin(0, (3,)), Margin(1, (4,)), Margin(2, (5,))]
    by_area = [Margin(0, (6, 7)), Margin(1, (8,)), Margin(5, (11,)), Margin(6, (9, 10))]
    assert found == by_sex + by_age + by_area
    assert found[0].cells == (0, 1, 2)


def test_margins_do_not_hang_on_the_order_of_cells() -> None:
    order = np.random.default_rng(4).permutation(len(CELLS))
    mixed = margins_of(keys()[order], ["SEX", "AGE"], "REF_AREA", PARENTS)
    plain = margins_of(keys(), ["SEX", "AGE"], "REF_AREA", PARENTS)
    named = {(order[margin.total], tuple(sorted(order[list(margin.parts)]))) for margin in mixed}
    assert named == {(margin.total, margin.parts) for margin in plain}
    assert all(margin.parts == tuple(sorted(margin.parts)) for margin in mixed)


def test_areas_without_a_parent_make_no_margin() -> None:
    none = pl.DataFrame({"REF_AREA": ["Z", "Q"]})
    assert margins_of(none, [], "REF_AREA", {"Z": None, "Q": None}) == []
    nation = margins_of(pl.DataFrame({"REF_AREA": ["Z", "A"]}), [], "REF_AREA", PARENTS)
    assert nation == [Margin(0, (1,))]


def test_an_area_that_is_not_in_the_list_is_an_error() -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError):
        margins_of(pl.DataFrame({"REF_AREA": ["Z", "X"]}), [], "REF_AREA", PARENTS)


# --- complements --------------------------------------------------------------------------------


def joined(n: list[int], secret: list[int], held: list[int], margins: list[Margin]) -> list[int]:
    """Return the cells that join ``secret`` ones and others, ``held`` for reliability."""
    confidential = np.isin(np.arange(len(n)), secret)
    withheld = confidential | np.isin(np.arange(len(n)), held)
    before = confidential.copy(), withheld.copy()
    found = complements(np.array(n), confidential, withheld, margins)
    np.testing.assert_array_equal(confidential, before[0])
    np.testing.assert_array_equal(withheld, before[1])
    return list(np.flatnonzero(found))


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        ([99, 4, 30, 20, 45], 3),
        ([99, 4, 20, 30, 45], 2),
        ([99, 4, 40, 30, 25], 4),
        ([99, 4, 30, 30, 35], 2),
        ([99, 4, 35, 30, 30], 3),
    ],
)
def test_the_published_part_with_the_fewest_people_joins_and_of_equals_the_first(
    n: list[int], expected: int
) -> None:
    assert joined(n, [1], [], [Margin(0, (1, 2, 3, 4))]) == [expected]


def test_parts_join_before_their_total_whatever_their_size() -> None:
    """A weighted table may have a part with more people asked than its total."""
    assert joined([5, 4, 9], [1], [], [Margin(0, (1, 2))]) == [2]


def test_a_secret_total_is_covered_by_its_smallest_part() -> None:
    assert joined([12, 7, 5], [0], [], [Margin(0, (1, 2))]) == [2]


def test_two_that_are_hidden_cover_each_other() -> None:
    assert joined([60, 4, 26, 30], [1], [2], [Margin(0, (1, 2, 3))]) == []
    assert joined([60, 4, 6, 50], [1, 2], [], [Margin(0, (1, 2, 3))]) == []


def test_what_is_not_withheld_is_not_secret() -> None:
    """Confidential and published: told by an earlier release, and covered by nothing."""
    margins = [Margin(0, (1, 2))]
    confidential, withheld = np.array([False, True, False]), np.array([False, False, True])
    assert not complements(np.array([9, 4, 5]), confidential, withheld, margins).any()


COVERED = Margin(0, (1, 2))  # 1 is secret, 2 is hidden for reliability only
TELLS_2 = Margin(2, (3, 4))
TELLS_0 = Margin(0, (5, 6))


@pytest.mark.parametrize("margins", [[COVERED, TELLS_2], [TELLS_2, COVERED]])
def test_where_no_part_is_published_the_total_joins(margins: list[Margin]) -> None:
    """2 follows from its own parts, then 1 would from the total less 2."""
    assert joined([60, 4, 56, 30, 26], [1], [2], margins) == [0]


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(
    ("n", "expected"),
    [
        ([60, 4, 56, 30, 26, 21, 39], 4),  # 2 has fewer people than 0: its part 4 covers it
        ([60, 4, 56, 26, 30, 21, 39], 3),
        ([60, 4, 60, 30, 30, 21, 39], 5),  # as many: 0 is first, and its part 5 covers it
        ([60, 4, 61, 30, 30, 39, 21], 6),
    ],
)
def test_where_nothing_is_published_a_cover_becomes_secret_and_is_covered(
    n: list[int], expected: int, turn: int
) -> None:
    """Total, secret and cover are hidden; the total and the cover follow from their other parts."""
    margins = [COVERED, TELLS_2, TELLS_0][::turn]
    assert joined(n, [1], [0, 2], margins) == [expected]


def test_a_chain_is_followed_to_its_end_in_whatever_order_margins_come() -> None:
    """4 tells 3, 3 tells 2, 2 tells 1: each when it is the one unknown of its margin."""
    chain = [Margin(10, (1, 2)), Margin(11, (2, 3)), Margin(12, (3, 4)), Margin(4, (5, 6))]
    n = [0, 4, 40, 30, 20, 11, 9, 0, 0, 0, 44, 70, 50]
    first = [joined(n, [1], [2, 3, 4], margins) for margins in (chain, chain[::-1])]
    assert first == [[10], [10]]
    # in a ring nothing is alone
    assert joined(n, [1], [2, 3, 4], chain[:3]) == []


def test_a_cover_is_covered_in_turn() -> None:
    """2 rows and 2 columns with totals: one secret takes the three others of its rectangle."""
    cells = [Margin(0, (1, 2)), Margin(3, (4, 5)), Margin(6, (7, 8))]
    cells += [Margin(6, (0, 3)), Margin(7, (1, 4)), Margin(8, (2, 5))]
    n = [24, 4, 20, 70, 30, 40, 94, 34, 60]
    assert joined(n, [1], [], cells) == [2, 4, 5]


def test_margins_with_several_unknowns_are_passed_over_and_later_ones_are_not() -> None:
    margins = [Margin(0, (1, 2, 3)), Margin(4, (5, 6)), Margin(7, (8, 9))]
    n = [60, 4, 6, 50, 30, 14, 16, 20, 3, 17]
    assert joined(n, [1, 2, 8], [], margins) == [9]
    assert joined(n, [8], [], margins) == [9]
    assert joined(n, [5, 8], [], margins) == [6, 9]
