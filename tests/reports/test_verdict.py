"""The rule table of design/look.md: four verdicts and their precedence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.publication.numerals import plain, signed, span
from sdmx_service.publication.verdict import Verdict, judge, sentence, tally
from sdmx_service.publication.wording import avoided_words

finite = st.floats(-100, 100)


@pytest.mark.parametrize(
    ("value", "lower", "upper", "verdict"),
    [
        (9.1, 5.6, 12.6, Verdict.DIFFERENCE),
        (-18.2, -21.8, -14.6, Verdict.DIFFERENCE),
        (-0.2, -1.9, 1.5, Verdict.CLOSE),
        (1.0, 0.4, 1.6, Verdict.CLOSE),
        (1.2, -0.5, 2.9, Verdict.CANNOT_TELL),
        (0.0, -2.0, 2.0, Verdict.CANNOT_TELL),
        (None, None, None, Verdict.NOT_COMPARED),
        (3.0, None, 4.0, Verdict.NOT_COMPARED),
    ],
)
def test_the_verdict_follows_the_rule_table(value, lower, upper, verdict):
    assert judge(value, lower, upper, margin=2.0) is verdict


@given(finite, finite, finite)
def test_a_gap_reversed_has_the_same_verdict(a, b, value):
    lower, upper = sorted((a, b))
    assert judge(value, lower, upper, margin=2.0) is judge(-value, -upper, -lower, margin=2.0)


def test_the_sentences_are_those_of_the_standard():
    said = sentence("The rate", "A", "B", 9.1, 5.6, 12.6, margin=2)
    assert said == (
        "The rate is 9.1 points higher for A than for B; between 5.6 and 12.6 with 95% confidence."
    )
    assert sentence("The rate", "A", "B", -0.2, -1.9, 1.5, margin=2) == (
        "Any difference between A and B is smaller than 2 points."
    )
    unsure = sentence("The rate", "A", "B", 1.2, -0.5, 2.9, margin=2)
    assert "the interval runs from \u22120.5 to +2.9, so we cannot tell" in unsure
    assert sentence("The rate", "A", "B", None, None, None, margin=2) == (
        "Not compared: a value is withheld."
    )


def test_a_small_but_certain_gap_is_close_and_says_both():
    said = sentence("The rate", "A", "B", 1.0, 0.4, 1.6, margin=2)
    assert "smaller than 2 points" in said
    assert "certain" in said


def test_a_bound_that_rounds_to_zero_is_not_printed_as_zero():
    said = sentence("The rate", "A", "B", 4.3, 0.02, 8.6, margin=2)
    assert "between just above 0 and 8.6" in said


@given(finite, finite, finite, st.sampled_from([0.3, 1.0, 2.0]))
def test_no_sentence_uses_an_avoided_word(a, b, value, margin):
    lower, upper = sorted((a, b))
    assert avoided_words(sentence("The rate", "A", "B", value, lower, upper, margin=margin)) == []


@given(st.lists(st.sampled_from(Verdict), max_size=30))
def test_no_count_uses_an_avoided_word(verdicts):
    assert avoided_words(tally(verdicts)) == []


def test_a_count_says_each_verdict_once():
    verdicts = [Verdict.DIFFERENCE] * 4 + [Verdict.CLOSE] + [Verdict.CANNOT_TELL] * 2
    said = "Four gaps are clear, one is close to none and for two we cannot tell"
    assert tally(verdicts) == said


def test_numbers_carry_true_signs_and_zero_carries_none():
    assert signed(3.44, 1) == "+3.4"
    assert signed(-3.44, 1) == "\u22123.4"
    assert signed(-0.04, 1) == "0.0"
    assert plain(-0.04, 1) == "0.0"
    assert span(-0.5, 2.9, 1, sign=True) == "\u22120.5 to +2.9"


def test_thousands_stand_apart_and_are_still_judged():
    said = sentence(
        "Income", "men", "women", 1300.4, 1100.0, 1500.0, margin=500, unit="euros", decimals=0
    )
    assert "1,300 euros higher" in said
    assert "between 1,100 and 1,500" in said
