"""Adjusted p values count the comparisons of their own family, those that could be tested."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from sdmx_service.survey.multiplicity import Adjustment, adjust


def test_a_comparison_without_a_p_value_is_not_counted() -> None:
    """Holm 1979 by hand: 0.01 x 2 and 0.04 x 1 in one family, 0.03 alone in the other."""
    adjusted = adjust([0.01, np.nan, 0.03, 0.04], ["a", "a", "b", "a"], Adjustment.HOLM)
    np.testing.assert_allclose(adjusted.p, [0.02, np.nan, 0.03, 0.04])
    np.testing.assert_array_equal(adjusted.family_size, [2, 2, 1, 2])


def test_a_family_without_tests_stays_without() -> None:
    adjusted = adjust([np.nan, 0.02], ["a", "b"], Adjustment.BENJAMINI_HOCHBERG)
    np.testing.assert_allclose(adjusted.p, [np.nan, 0.02])
    assert adjust([], [], Adjustment.HOLM).p.shape == (0,)


def test_all_families_in_one_pass_agree_with_statsmodels_one_by_one() -> None:
    """statsmodels.stats.multitest.multipletests, family by family, ties included."""
    source = np.random.default_rng(7)
    p = source.uniform(0.01, 0.99, size=60).round(2)
    p[::17] = np.nan
    family = source.integers(0, 6, size=60)
    for method in Adjustment:
        found = adjust(p, family, method)
        for label in range(6):
            members = (family == label) & np.isfinite(p)
            if members.any():
                expected = multipletests(p[members], method=method.value)[1]
                np.testing.assert_allclose(found.p[members], expected, rtol=1e-12)
                assert set(found.family_size[members]) == {members.sum()}
