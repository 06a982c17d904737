"""Simultaneous intervals from the joint covariance, held to exact distributions of scipy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from sdmx_service.survey.interval import critical
from sdmx_service.survey.multiplicity import simultaneous


def all_pairs(groups: int) -> np.ndarray:
    matrix = np.zeros((groups * (groups - 1) // 2, groups))
    for row, (i, j) in zip(matrix, combinations(range(groups), 2), strict=True):
        row[[i, j]] = 1.0, -1.0
    return matrix


@pytest.mark.parametrize("groups", [3, 4, 6, 10])
@pytest.mark.parametrize("df", [5, 20, np.inf])
def test_all_pairs_of_equal_groups_have_tukeys_quantile(groups: int, df: float) -> None:
    """Independent means of one variance: the studentised range over the root of two."""
    pairs = all_pairs(groups)
    found = simultaneous(np.zeros(len(pairs)), pairs.T, df, np.zeros(len(pairs)))
    expected = stats.studentized_range.ppf(0.95, groups, min(df, 1e5)) / np.sqrt(2)
    np.testing.assert_allclose(found.critical, expected, rtol=2e-3)
    assert len(set(found.critical)) == 1


def test_p_values_are_tukeys_too() -> None:
    pairs = all_pairs(4)
    scores = np.array([0.5, 1.0, 2.0, 2.5, 3.0, 4.0])
    found = simultaneous(scores * np.sqrt(2), pairs.T, 12, np.zeros(6))
    expected = stats.studentized_range.sf(scores * np.sqrt(2), 4, 12)
    np.testing.assert_allclose(found.p, expected, rtol=0.02)


def test_independent_comparisons_without_end_have_sidaks() -> None:
    found = simultaneous(np.zeros(3), np.eye(3), np.inf, ["a"] * 3)
    expected = stats.norm.ppf(1 - (1 - 0.95 ** (1 / 3)) / 2)
    np.testing.assert_allclose(found.critical, expected, rtol=1e-3)


def test_a_family_of_one_and_comparisons_that_say_the_same_are_not_widened() -> None:
    spread = np.array([[1.0, 2.0, -4.0], [0.5, 1.0, -2.0]])
    alone = simultaneous([1.0, 1.0, 1.0], spread, 7, ["a", "b", "c"])
    together = simultaneous([1.0, 1.0, 1.0], spread, 7, ["a", "a", "a"])
    np.testing.assert_allclose(alone.critical, critical(7, 0.95))
    np.testing.assert_allclose(together.critical, critical(7, 0.95))
    score = 1.0 / np.hypot(1.0, 0.5)
    assert alone.p[0] == pytest.approx(2 * stats.t.sf(score, 7))


def test_intervals_lie_between_students_and_bonferronis() -> None:
    draw = np.random.default_rng(5)
    spread = draw.standard_normal((30, 8)) @ draw.standard_normal((8, 8))
    found = simultaneous(np.zeros(8), spread, 22, np.zeros(8))
    assert critical(22, 0.95) < found.critical[0] < critical(22, 1 - 0.05 / 8)
    error = np.sqrt((spread**2).sum(axis=0))
    np.testing.assert_allclose(found.upper, found.critical * error)


def test_the_same_seed_gives_the_same_and_another_nearly_so() -> None:
    pairs = all_pairs(5)
    one, same, other = (
        simultaneous(np.zeros(10), pairs.T, 15, np.zeros(10), seed=seed).critical[0]
        for seed in (1, 1, 2)
    )
    assert one == same
    assert other == pytest.approx(one, rel=2e-3)


def test_what_has_no_standard_error_is_in_no_family() -> None:
    spread = np.array([[1.0, np.nan, 0.0, 0.3], [0.2, np.nan, 0.0, 1.0]])
    found = simultaneous([1.0, 2.0, 3.0, 4.0], spread, 9, np.zeros(4))
    two = simultaneous([1.0, 4.0], spread[:, [0, 3]], 9, np.zeros(2))
    np.testing.assert_allclose(found.p, [two.p[0], np.nan, np.nan, two.p[1]])
    assert np.isnan(found.lower[1:3]).all()
