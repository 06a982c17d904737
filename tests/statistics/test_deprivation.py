"""Lack, deprivation, work intensity and their union, on rows worked by hand from the rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError, DefinitionError
from sdmx_service.survey import estimate, poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.deprivation import (
    ARREARS,
    CAPACITY,
    HAVE_OR_REASON,
    MODERATE,
    SEVERE,
    Answer,
    AnyOf,
    DeprivationRule,
    MissingReason,
    Undecided,
    WorkIntensity,
    any_lack,
    at_risk,
    deprived,
    enforced_lack,
    exclusion_pattern,
    lack,
    low_work_intensity,
    personal_lack,
    work_intensity,
)
from sdmx_service.survey.design import Design

NA = np.nan
few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 10_000)
YES_NO = Answer(lack=frozenset({2.0}), no_lack=frozenset({1.0}), missing=frozenset({8.0, 9.0}))
AFFORD = Answer(lack=frozenset({1.0}), no_lack=frozenset({2.0}))


def test_only_who_cannot_afford_a_thing_is_deprived_of_it() -> None:
    """Footnote 6: has it; cannot afford; other reason; no reason given; no answer; don't know."""
    have, reason = [1, 2, 2, 2, NA, 9], [NA, 1, 2, NA, NA, 1]
    expected = {
        MissingReason.MISSING: [0, 1, 0, NA, NA, NA],
        MissingReason.NOT_LACKING: [0, 1, 0, 0, NA, NA],
        MissingReason.LACKING: [0, 1, 0, 1, NA, NA],
    }
    for rule, lacks in expected.items():
        found = enforced_lack(have, reason, has=YES_NO, because=AFFORD, missing_reason=rule)
        np.testing.assert_array_equal(found, lacks)
    # who has it is not deprived, whatever stands in the second column
    np.testing.assert_array_equal(enforced_lack([1], [1], has=YES_NO, because=AFFORD), [0])


def test_one_question_with_three_answers_and_one_with_two() -> None:
    np.testing.assert_array_equal(lack([1, 2, 3, None], HAVE_OR_REASON), [0, 1, 0, NA])
    np.testing.assert_array_equal(lack([1, 2, None], CAPACITY), [0, 1, NA])
    with pytest.raises(DataError, match=r"HS040, row 3: .*1, 2, or missing.*got 3\.0"):
        lack([1, 2, 3], CAPACITY, name="HS040")
    with pytest.raises(DefinitionError, match="code twice"):
        Answer(frozenset({1.0}), frozenset({1.0}))


def test_arrears_on_any_of_three_bills_are_one_lack() -> None:
    rent, bills, loans = [3, 1, -2, NA, NA], [3, 3, -2, 3, NA], [3, -2, 2, -2, NA]
    columns = [lack(column, ARREARS) for column in (rent, bills, loans)]
    np.testing.assert_array_equal(any_lack(columns), [0, 1, 1, 0, NA])
    np.testing.assert_array_equal(any_lack(columns, rule=AnyOf.ALL_KNOWN), [0, 1, 1, NA, NA])


def test_a_child_lacks_what_half_of_the_adults_with_an_answer_lack() -> None:
    """Home a: one of two adults lacks; b: one of three; c: one answer of two, a lack; d: none."""
    home = ["a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "d", "d"]
    age = [40, 16, 15, 40, 41, 42, 0, 40, 41, 9, 40, 3]
    own = [1, 0, NA, 1, 0, 0, NA, 1, NA, NA, NA, NA]
    expected = [1, 0, 1, 1, 0, 0, 0, 1, NA, 1, NA, NA]
    np.testing.assert_array_equal(personal_lack(own, age, home), expected)
    # a child's own answer is not asked for, and a person without an age is nobody's adult
    np.testing.assert_array_equal(personal_lack([1, 0, 0], [40, 5, NA], [1, 1, 1]), [1, 1, NA])
    with pytest.raises(DataError, match="household, row 2"):
        personal_lack([1, 1], [40, 5], ["a", None])


def thirteen(*rows: tuple[int, int, int, int]) -> tuple[dict[str, list], dict[str, list]]:
    """Return 7 household and 6 personal items: of each kind so many lacks, so many missing."""

    def items(size: int, lacks: int, unknown: int) -> list[float]:
        return [1.0] * lacks + [NA] * unknown + [0.0] * (size - lacks - unknown)

    home = np.array([items(7, row[0], row[1]) for row in rows]).T
    own = np.array([items(6, row[2], row[3]) for row in rows]).T
    return {f"h{i}": list(c) for i, c in enumerate(home)}, {
        f"p{i}": list(c) for i, c in enumerate(own)
    }


@pytest.mark.parametrize(
    ("row", "age", "severe", "moderate"),
    [
        ((7, 0, 0, 0), 40, 1, 1),
        ((1, 0, 6, 0), 40, 1, 1),
        ((1, 0, 5, 0), 40, 0, 1),
        ((0, 0, 5, 0), 40, 0, 1),
        ((4, 0, 0, 0), 40, 0, 0),
        # a child needs three lacks of the household among its seven
        ((1, 0, 6, 0), 15, 0, 0),
        ((2, 0, 5, 0), 15, 0, 0),
        ((3, 0, 4, 0), 15, 1, 1),
        ((3, 0, 4, 0), 16, 1, 1),
        ((2, 0, 5, 0), 16, 1, 1),
        # missing items decide or do not
        ((5, 1, 2, 3), 40, 1, 1),
        ((3, 1, 3, 0), 40, NA, 1),
        ((2, 2, 0, 0), 40, 0, 0),
        ((2, 0, 2, 1), 40, 0, NA),
        ((2, 1, 6, 0), 10, NA, NA),
        ((1, 1, 6, 0), 10, 0, 0),
        ((0, 7, 0, 6), 40, NA, NA),
        ((7, 0, 6, 0), NA, NA, NA),
    ],
)
def test_seven_of_thirteen_is_severe_and_five_moderate(
    row: tuple[int, int, int, int], age: float, severe: float, moderate: float
) -> None:
    home, own = thirteen(row)
    np.testing.assert_array_equal(deprived(home, own, [age], rule=SEVERE), [severe])
    np.testing.assert_array_equal(deprived(home, own, [age], rule=MODERATE), [moderate])


def test_the_declared_rule_says_what_a_missing_item_is() -> None:
    home, own = thirteen((7, 0, 0, 1), (3, 1, 3, 0), (0, 0, 0, 1), (0, 7, 0, 6))
    age = [40] * 4
    for undecided, expected in (
        (Undecided.DECIDED, [1, NA, 0, NA]),
        (Undecided.LISTWISE, [NA, NA, NA, NA]),
        (Undecided.NOT_LACKING, [1, 0, 0, NA]),
    ):
        rule = DeprivationRule(threshold=7, undecided=undecided)
        np.testing.assert_array_equal(deprived(home, own, age, rule=rule), expected)


def test_codes_are_not_taken_for_lacks() -> None:
    with pytest.raises(DataError, match=r"lack of car, row 2: .*got 2\.0.*codes"):
        deprived({"car": [1, 2]}, {"clothes": [0, 0]}, [40, 40], rule=DeprivationRule(2))
    with pytest.raises(DefinitionError, match="7 of 2 items"):
        deprived({"car": [1]}, {"clothes": [0]}, [40])


def test_low_work_intensity_is_of_the_household_and_not_of_the_old() -> None:
    """Months worked of possible: a 12/36; b 2.4/12 = .20; c only students; d unknown; e aged 65."""
    home = list("aaaa") + list("bb") + list("cc") + list("dd") + list("e")
    age = [40, 41, 30, 5, 50, 65, 20, 4, 40, 41, 65]
    worked = [12, 0, 0, NA, 2.4, 0, 3, NA, 12, NA, 0]
    possible = [12, 12, 12, NA, 12, 12, 12, NA, 12, 12, 12]
    student = [False] * 6 + [True] + [False] * 4
    work = work_intensity(worked, possible, age, home, excluded=student)
    np.testing.assert_allclose(work.intensity, [1 / 3] * 4 + [0.2] * 2 + [NA] * 5)
    np.testing.assert_array_equal(work.applicable, [True] * 6 + [False] * 2 + [True] * 2 + [False])
    low = low_work_intensity(work, age)
    np.testing.assert_array_equal(low, [0, 0, 0, 0, 1, 0, 0, 0, NA, NA, 0])
    under = low_work_intensity(work, age, rule=WorkIntensity(strict=True))
    assert under[4] == 0
    # without the one who works, household a works nothing
    alone = work_intensity(worked, possible, age, home, excluded=np.arange(11) == 0)
    assert alone.intensity[0] == 0
    with pytest.raises(DataError, match=r"months worked, row 1: .*0 to 12 months"):
        work_intensity([13], [12], [40], [1], excluded=[False])


class People:
    """Persons with an income, deprivation and work intensity, in two areas."""

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.stratum, self.psu = np.repeat(np.arange(4), 60), np.repeat(np.arange(48), 5)
        self.weights = draw.uniform(0.5, 3.0, 240)
        self.income = draw.lognormal(9.0, 0.7, 240)
        self.severe = (draw.random(240) < 0.15).astype(float)
        self.low = (draw.random(240) < 0.2 + 0.3 * self.severe).astype(float)
        self.design = Design.from_columns(self.weights, psu=self.psu, stratum=self.stratum)
        self.cells = Cells.from_labels(area=self.stratum // 2)


@few
@given(seeds)
def test_nobody_counts_twice(seed: int) -> None:
    people = People(seed)
    found = at_risk(people.design, people.cells, people.income, people.severe, people.low)
    assert list(found.keys.measure) == [m for m in ("ARPR", "SMSD", "LWI", "AROPE") for _ in "123"]
    line = float(poverty.threshold(people.design, people.cells, people.income).value[0])
    pattern = exclusion_pattern(people.income < line, people.severe, people.low)
    assert set(pattern) <= {f"{i:03b}" for i in range(8)}
    none = estimate.proportion(people.design, people.cells, pattern == "000")
    np.testing.assert_allclose(found.value[9:], 1.0 - none.value)
    np.testing.assert_array_equal(found.events[9:], none.n - none.events)
    assert (found.value[9:] <= found.value[:3] + found.value[3:6] + found.value[6:9] + 1e-12).all()
    assert (found.value[9:] >= found.value[:9].reshape(3, 3).max(axis=0) - 1e-12).all()


def test_the_line_moves_the_union_through_those_who_are_poor_and_nothing_else() -> None:
    """Its part of the influence is f(t) u_t, f the kernel density of the incomes of the others."""
    people = People(5)
    found = at_risk(people.design, people.cells, people.income, people.severe, people.low)
    nation = poverty.threshold(people.design, people.cells, people.income)
    line = float(nation.value[0])
    clear = (people.severe == 0) & (people.low == 0)
    union = np.where(clear, people.income < line, 1.0)
    known_line = estimate.proportion(people.design, people.cells, union)
    for cell, rows in ((0, np.full(240, True)), (1, people.stratum < 2)):
        w, y = people.weights[clear & rows], people.income[clear & rows]
        sd = np.sqrt(np.average((y - np.average(y, weights=w)) ** 2, weights=w))
        width = sd * w.sum() ** -0.2
        kernel = np.exp(-0.5 * ((line - y) / width) ** 2) / np.sqrt(2 * np.pi)
        density = (w @ kernel) / width / people.weights[rows].sum()
        np.testing.assert_allclose(
            found.influence[:, 9 + cell],
            known_line.influence[:, cell] + density * nation.influence[:, 0],
            atol=1e-15,
        )


def test_without_deprivation_the_union_is_the_poverty_rate() -> None:
    people = People(6)
    nothing = np.zeros(240)
    found = at_risk(people.design, people.cells, people.income, nothing, nothing)
    rate = poverty.rate(people.design, people.cells, people.income)
    np.testing.assert_allclose(found.value[9:], rate.value)
    np.testing.assert_allclose(found.covariance[9:, 9:], rate.covariance)
    np.testing.assert_allclose(found.covariance[9:, :3], rate.covariance)
    everyone = at_risk(people.design, people.cells, people.income, nothing, nothing + 1)
    np.testing.assert_array_equal(everyone.value[9:], 1.0)
    assert everyone.constant[9:].all()


def test_the_joint_covariance_and_the_rest_of_the_union_are_those_of_its_cells() -> None:
    people = People(7)
    found = at_risk(people.design, people.cells, people.income, people.severe, people.low)
    both = found.rest([10], [9])
    assert both.value[0] == pytest.approx(found.value[11])
    assert both.se[0] == pytest.approx(found.se[11], rel=0.1)
    assert np.isfinite(found.covariance).all()
    assert found.covariance[9, 3] > 0


def test_a_missing_component_leaves_the_union_open_as_declared() -> None:
    """By hand, line 60 of a median of 100: poor, rich, and four who lack something to decide by."""
    income = np.array([50.0, 100.0, 100.0, 100.0, NA, NA, 100.0, 50.0])
    severe = np.array([0.0, 0.0, NA, 0.0, 1.0, 0.0, NA, 0.0])
    low = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    design, cells = Design.from_columns(np.ones(8)), Cells.from_labels(all=["x"] * 8)
    for undecided, value, n in (
        (Undecided.LISTWISE, 2 / 4, 4),
        (Undecided.DECIDED, 4 / 6, 6),
        (Undecided.NOT_LACKING, 4 / 7, 7),
    ):
        found = at_risk(design, cells, income, severe, low, undecided=undecided).take([6])
        assert found.keys.measure[0] == "AROPE"
        assert found.value[0] == pytest.approx(value)
        assert (found.n[0], found.missing[0]) == (n, 8 - n)
    poor = np.where(np.isnan(income), NA, income < 60)
    pattern = exclusion_pattern(poor, severe, low)
    assert pattern.fillna("-").tolist() == ["100", "000", "-", "000", "-", "-", "-", "101"]
