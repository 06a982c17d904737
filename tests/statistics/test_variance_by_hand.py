"""Variances of small samples, worked out by hand and by the textbook's loops."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.replicates import jackknife
from sdmx_service.survey.stages import StageColumns
from sdmx_service.survey.variance import covariance, deviations

# Stratum a: 1, 3 (a quarter of its PSUs). b: 4 alone (half). c: 2, 2, 5 (of no end).
#   a: 2/1 x (1 + 1) x 3/4 = 3      c: 3/2 x (1 + 1 + 4) = 9      b: by the rule for lonely PSUs
STRATUM = np.array([0, 0, 1, 2, 2, 2])
FRACTION = np.array([0.25, 0.5, 0.0])
Z = np.array([1.0, 3, 4, 2, 2, 5])
# the PSUs' mean is 17/6: b is 7/6 from it, a third of which two are away
ADJUSTED = Fraction(1, 2) * Fraction(7, 6) ** 2


def design_of(lonely: Lonely, **changes: Any) -> Design:
    given = {"stratum_of_psu": STRATUM, "sampling_fraction": FRACTION} | changes
    units = np.arange(len(given["stratum_of_psu"]))
    return Design(np.ones(len(units)), units, lonely=lonely, **given)


@pytest.mark.parametrize(
    ("lonely", "expected"),
    [
        (Lonely.REMOVE, 12),
        (Lonely.CERTAINTY, 12),
        (Lonely.ADJUST, 12 + ADJUSTED),
        (Lonely.AVERAGE, 18),
    ],
)
@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array])
def test_a_lonely_psu_adds_what_its_rule_says(lonely: Lonely, expected: float, table: Any) -> None:
    """AVERAGE: three strata, of which two have a variance, make 12 x 3/2."""
    sums = table(Z[:, None])
    design = design_of(lonely)
    assert covariance(sums, design)[0, 0] == pytest.approx(float(expected), rel=1e-14)
    apart = deviations(sums, design)
    assert apart.shape == (6, 1)
    assert float((apart**2).sum()) == pytest.approx(float(expected), rel=1e-14)


def test_a_deviation_is_the_scaled_distance_from_the_mean_of_the_stratum() -> None:
    """sqrt(3/4 x 2) x (-1, 1), then nothing, then sqrt(3/2) x (-1, -1, 2)."""
    apart = deviations(Z[:, None], design_of(Lonely.REMOVE))[:, 0]
    a, c = 1.5**0.5, 1.5**0.5
    np.testing.assert_allclose(apart, [-a, a, 0, -c, -c, 2 * c], rtol=1e-14)


# The columns: the whole; a domain with rows in a and c only; in b alone; in no stratum.
COLUMNS = np.array([Z, [1, 0, 0, 0, 0, 2], [0, 0, 4, 0, 0, 0], np.zeros(6)]).T
REPRESENTED = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]], dtype=bool)
# (1, 0): 2 x (1/4 + 1/4) x 3/4 = 3/4.  (0, 0, 2): 3/2 x (4/9 + 4/9 + 16/9) = 4
DOMAIN = 4.75


@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array])
def test_a_lonely_stratum_outside_of_a_domain_is_no_stratum_of_it(table: Any) -> None:
    """In the third column b is alone among the domain's strata: it is its own mean."""
    joint = covariance(table(COLUMNS), design_of(Lonely.ADJUST), represented=REPRESENTED)
    np.testing.assert_allclose(np.diag(joint), [12 + float(ADJUSTED), DOMAIN, 0, 0], atol=1e-14)


@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array])
def test_the_average_is_over_the_strata_of_the_domain(table: Any) -> None:
    """Where no stratum has a variance there is none to take the mean of."""
    joint = covariance(table(COLUMNS), design_of(Lonely.AVERAGE), represented=REPRESENTED)
    np.testing.assert_allclose(np.diag(joint), [18, DOMAIN, np.nan, np.nan])
    # a: 2 x (-1, 1) . (1/2, -1/2) x 3/4 = -3/2; c: 3/2 x (-1, -1, 2) . (-2/3, -2/3, 4/3) = 6
    assert joint[0, 1] == pytest.approx(4.5 * 1.5**0.5)


def test_without_a_word_on_domains_every_column_reaches_every_stratum() -> None:
    everywhere = np.ones((3, 4), dtype=bool)
    for lonely in (Lonely.ADJUST, Lonely.AVERAGE):
        design = design_of(lonely)
        np.testing.assert_array_equal(
            covariance(COLUMNS, design), covariance(COLUMNS, design, represented=everywhere)
        )
    joint = covariance(COLUMNS, design_of(Lonely.ADJUST))
    # the domain's mean over all six PSUs is 1/2, and b's nought is that far from it
    assert joint[1, 1] == pytest.approx(DOMAIN + 0.5 * 0.25)
    assert covariance(COLUMNS, design_of(Lonely.AVERAGE))[2, 2] == 0.0


# The domain has rows in one PSU of c and in both of a; c is lonely for it, b has no rows of it.
ONE_OF_SEVERAL = np.array([[1.0, 3, 0, 0, 0, 5]]).T
REACHED = np.array([[True], [False], [True]])
PRESENT = np.array([[2], [0], [1]])
# c: 3/2 x (25/9 + 25/9 + 100/9) = 25; about the mean 9/5: 3/2 x (81 + 81 + 256)/25 = 627/25
OWN, ABOUT_THE_MEAN = 25.0, 627 / 25


@pytest.mark.parametrize(
    ("lonely", "adjust_domain", "expected"),
    [
        (Lonely.ADJUST, True, 3 + ABOUT_THE_MEAN),
        (Lonely.ADJUST, False, 3 + OWN),
        (Lonely.AVERAGE, True, 3 * 2),
        (Lonely.AVERAGE, False, 3 + OWN),
        (Lonely.REMOVE, True, 3 + OWN),
        (Lonely.CERTAINTY, True, 3 + OWN),
    ],
)
@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array])
def test_a_stratum_with_one_psu_in_the_domain_is_lonely_if_so_declared(
    lonely: Lonely, adjust_domain: bool, expected: float, table: Any
) -> None:
    design = design_of(lonely, adjust_domain=adjust_domain)
    joint = covariance(table(ONE_OF_SEVERAL), design, represented=REACHED, present=PRESENT)
    assert joint[0, 0] == pytest.approx(expected, rel=1e-14)
    unsaid = covariance(ONE_OF_SEVERAL, design, represented=REACHED)
    assert unsaid[0, 0] == pytest.approx(3 + OWN, rel=1e-14)


@pytest.mark.parametrize("lonely", [Lonely.ADJUST, Lonely.AVERAGE])
def test_no_domain_is_lonely_in_a_stratum_taken_whole(lonely: Lonely) -> None:
    """c was taken whole: it adds nothing, however few of its PSUs are in the domain."""
    design = design_of(lonely, adjust_domain=True, sampling_fraction=np.array([0.25, 0.5, 1.0]))
    joint = covariance(ONE_OF_SEVERAL, design, represented=REACHED, present=PRESENT)
    assert joint[0, 0] == pytest.approx(3.0, rel=1e-14)


def test_the_strata_that_are_lonely_differ_from_domain_to_domain() -> None:
    """c has three PSUs of the first column, one of the second: only there it is about the mean."""
    columns = np.hstack([Z[:, None], ONE_OF_SEVERAL])
    represented = np.hstack([np.ones((3, 1), dtype=bool), REACHED])
    present = np.hstack([[[2], [1], [3]], PRESENT])
    design = design_of(Lonely.ADJUST, adjust_domain=True)
    joint = covariance(columns, design, represented=represented, present=present)
    np.testing.assert_allclose(np.diag(joint), [12 + float(ADJUSTED), 3 + ABOUT_THE_MEAN])
    # a: 3 of both.  c: 3/2 x (-1, -1, 2) . (-9/5, -9/5, 16/5) = 15
    assert joint[0, 1] == pytest.approx(18)


# --- one stage, no lonely PSU: dense and sparse sums


def by_loops(z: np.ndarray, stratum: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Return the sum over strata of (1 - f) n / (n - 1) times the products of the deviations."""
    joint = np.zeros((z.shape[1], z.shape[1]))
    for h in range(len(fraction)):
        inside = [row for row, of in zip(z, stratum, strict=True) if of == h]
        centre = sum(inside) / len(inside)
        for row in inside:
            scale = (1 - fraction[h]) * len(inside) / (len(inside) - 1)
            joint += scale * np.outer(row - centre, row - centre)
    return joint


@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_the_covariance_of_many_columns_is_the_textbooks(table: Any) -> None:
    random = np.random.default_rng(11)
    stratum = np.repeat(np.arange(4), [2, 5, 3, 4])
    fraction = np.array([0.0, 0.3, 0.9, 1.0 - 1e-3])
    z = np.where(random.uniform(size=(14, 6)) < 0.4, random.normal(size=(14, 6)), 0.0)
    design = design_of(Lonely.FAIL, stratum_of_psu=stratum, sampling_fraction=fraction)
    joint = covariance(table(z), design)
    assert isinstance(joint, np.ndarray)
    np.testing.assert_allclose(joint, by_loops(z, stratum, fraction), rtol=1e-12, atol=1e-14)


def test_sparse_sums_of_a_design_without_lonely_psus_stay_sparse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every pair of PSUs holds (1, 0) of one cell: 2 x (1/4 + 1/4) in each of 1,500 strata."""
    sums = sparse.csr_array(np.tile([[1.0], [0.0]], (1500, 1)))
    design = design_of(
        Lonely.FAIL, stratum_of_psu=np.repeat(np.arange(1500), 2), sampling_fraction=None
    )
    to_array = sparse.csr_array.toarray

    def refuse_many(self: Any) -> Any:
        assert self.shape[0] < 3000, "the sums were made dense"
        return to_array(self)

    monkeypatch.setattr(sparse.csr_array, "toarray", refuse_many)
    with pytest.raises(AssertionError, match="made dense"):
        deviations(sums, design)
    assert covariance(sums, design)[0, 0] == pytest.approx(1500)


# --- two stages

# PSU 1: strata x: 4 alone, y: 1, 3.   PSU 2: 5, 7, 6.   Two of ten PSUs; of the units of PSU 1's x
# a quarter, of y a half, of PSU 2 a third.
PSU = np.array([1, 1, 1, 2, 2, 2])
INNER = np.array(list("xyyzzz"))
UNIT = np.arange(6)
TAKEN = np.array([0.25, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3])
UNITS = np.array([4.0, 1, 3, 5, 7, 6])
# first stage: PSU sums 8 and 18: 2 x (25 + 25) x 4/5 = 80
# second, each times 1/5: y 2 x (1 + 1) x 1/2 = 2; z 3/2 x (1 + 1 + 0) x 2/3 = 2
FIRST, SECOND = 80.0, 0.4 + 0.4
# x is 4/3 from the mean 8/3 of its PSU's units
X = 0.2 * 0.75 * (4 / 3) ** 2


def two_stages(lonely: Lonely, inner: Any = INNER, taken: Any = TAKEN) -> Design:
    return Design.from_columns(
        np.ones(6),
        psu=PSU,
        fpc=np.full(6, 10),
        lonely=lonely,
        stages=[StageColumns(UNIT, stratum=inner, fpc=taken)],
    )


@pytest.mark.parametrize(
    ("lonely", "second"),
    [
        (Lonely.REMOVE, SECOND),
        (Lonely.CERTAINTY, SECOND),
        (Lonely.ADJUST, SECOND + X),
        (Lonely.AVERAGE, SECOND * 3 / 2),
    ],
)
@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array])
def test_a_second_stage_adds_its_own_with_its_own_lonely_units(
    lonely: Lonely, second: float, table: Any
) -> None:
    design = two_stages(lonely)
    sums = table(UNITS[:, None])
    assert covariance(sums, design)[0, 0] == pytest.approx(FIRST + second, rel=1e-13)
    apart = deviations(sums, design)
    # a row a PSU, then a row a unit of the second stage
    assert apart.shape == (8, 1)
    assert float((apart[:2] ** 2).sum()) == pytest.approx(FIRST, rel=1e-13)


@pytest.mark.parametrize("lonely", list(Lonely))
def test_a_second_stage_without_lonely_units_needs_no_rule(lonely: Lonely) -> None:
    """PSU 1 has then 4, 1, 3 in one stratum: 3/2 x 14/3 x 1/2 = 7/2, a fifth of it."""
    design = two_stages(lonely, inner=None, taken=[0.5, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3])
    joint = covariance(UNITS[:, None], design)
    assert joint[0, 0] == pytest.approx(FIRST + 0.7 + 0.4, rel=1e-13)


def test_of_second_stages_that_are_all_lonely_there_is_no_average() -> None:
    """By the other rules such a stage adds nothing, as each unit is the mean of its PSU."""
    columns = {"psu": [1, 2, 3], "fpc": [6, 6, 6]}
    stage = StageColumns([1, 2, 3], fpc=[0.5, 0.5, 0.5])
    z = np.array([[1.0], [2.0], [6.0]])
    found = {
        lonely: covariance(
            z, Design.from_columns(np.ones(3), lonely=lonely, stages=[stage], **columns)
        )[0, 0]
        for lonely in (Lonely.REMOVE, Lonely.ADJUST, Lonely.AVERAGE)
    }
    # 3/2 x (4 + 1 + 9) x 1/2
    assert found[Lonely.REMOVE] == pytest.approx(10.5)
    assert found[Lonely.ADJUST] == pytest.approx(10.5)
    assert np.isnan(found[Lonely.AVERAGE])


def test_lonely_rules_of_domains_hold_for_the_first_stage_beside_a_second() -> None:
    """One of two PSUs is in the domain; about the overall mean both are as far as about theirs."""
    design = Design.from_columns(
        np.ones(8),
        psu=[1, 1, 2, 2, 3, 3, 4, 4],
        stratum=list("aaaabbbb"),
        fpc=[4] * 8,
        lonely=Lonely.AVERAGE,
        adjust_domain=True,
        stages=[StageColumns(np.arange(8), fpc=[0.5] * 8)],
    )
    z = np.array([[1.0, 3, 0, 0, 2, 2, 5, 1]]).T
    present, represented = np.array([[1], [2]]), np.array([[True], [True]])
    joint = covariance(z, design, represented=represented, present=present)
    # b: sums 4, 6: 2 x (1 + 1) x 1/2 = 2, twice. Second stage, times 1/2 and 1/2: PSU 1
    # 2 x (1 + 1) = 4, PSU 4 2 x (4 + 4) = 16
    assert joint[0, 0] == pytest.approx(4 + 0.25 * (4 + 16), rel=1e-13)


# --- replicates


@pytest.mark.parametrize("table", [np.asarray, sparse.csr_array])
def test_a_jackknife_of_sums_is_the_linear_variance(table: Any) -> None:
    """For a total JKn and the textbook agree to the last digit; there is a row a replicate."""
    stratum = np.array([0, 0, 1, 1, 1])
    z = np.array([[1.0, 3, 2, 2, 5], [0, 1, 4, 0, 0]]).T
    design = design_of(Lonely.FAIL, stratum_of_psu=stratum, sampling_fraction=None)
    replicated = jackknife(design)
    assert deviations(table(z), replicated).shape == (5, 2)
    expected = by_loops(z, stratum, np.zeros(2))
    np.testing.assert_allclose(covariance(table(z), replicated), expected, rtol=1e-13, atol=1e-13)
