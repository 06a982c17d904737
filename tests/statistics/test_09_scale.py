"""Scales: alpha, item statistics, adequacy and factors, as R psych 2.2.9 has them (data: bfi)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.multivariate.factor import Factor

from sdmx_service.errors import DataError, DefinitionError
from sdmx_service.survey import estimate, factor
from sdmx_service.survey import reliability_alpha as reliability
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.factor import Extraction
from sdmx_service.survey.reliability_alpha import AlphaPolicy, Publication
from sdmx_service.survey.scale import Item, Scale, Scoring, index, item_scores

CLOSED_FORM, ITERATIVE = 1e-8, 1e-5
REVERSED = ("A1", "C4", "C5")


def scores_of(data: pd.DataFrame, names: list[str]) -> np.ndarray:
    items = tuple(Item(name, 1, 6, reverse=name in REVERSED) for name in names)
    return item_scores(Scale("bfi", items), data)


@pytest.mark.oracle
def test_scales_agree_with_r_psych(oracle: Callable[[str], Any]) -> None:
    suite = oracle("09_scale_alpha_fa")
    data = suite.input()
    found: dict[str, dict[str, Any]] = {}
    for record in suite.records:
        tag, kind = record["scale"], record["kind"]
        if tag not in found:
            names = [
                r["item"] for r in suite.records if (r["scale"], r["kind"]) == (tag, "kmo_item")
            ]
            scores = scores_of(data, names)
            matrix = reliability.correlation(reliability.item_covariance(scores))
            of_scale = reliability.coefficients(scores)
            found[tag] = {
                "items": names,
                "alpha": of_scale,
                "adequacy": factor.adequacy(matrix),
                "bartlett": factor.bartlett(matrix, of_scale.n),
                "eigenvalues": factor.eigenvalues(matrix),
                "factors": {
                    extraction.value: factor.factor_analysis(
                        matrix, 2 if "two factors" in tag else 1, extraction=extraction
                    )
                    for extraction in Extraction
                },
            }
        here = found[tag]
        a, adequacy = here["alpha"], here["adequacy"]
        at = here["items"].index(record["item"]) if "item" in record else 0
        got: dict[str, float]
        if kind == "alpha":
            got = {
                "raw": a.raw,
                "std": a.standardised,
                "g6": a.g6,
                "average_r": a.average_r,
                "n": a.n,
                "mean": a.mean,
                "sd": a.sd,
                "se_duhachek": a.se_simple,
            }
        elif kind == "item":
            got = {
                "r_drop": a.item_rest[at],
                "r_std": a.item_total[at],
                "mean": a.item_mean[at],
                "sd": a.item_sd[at],
            }
        elif kind == "alpha_if_dropped":
            got = {"raw": a.raw_if_dropped[at], "std": a.standardised_if_dropped[at]}
        elif kind == "kmo":
            got = {"overall": adequacy.overall}
        elif kind == "kmo_item":
            got = {"value": adequacy.by_item[at]}
        elif kind == "bartlett":
            b = here["bartlett"]
            got = {"chisq": b.chi_square, "df": b.df, "p": b.p}
        elif kind == "eigenvalue":
            got = {"index": record["index"], "value": here["eigenvalues"][record["index"] - 1]}
        else:
            fit = here["factors"][record["fm"]]
            if kind == "communality":
                got = {"value": fit.communality[at]}
            else:
                column = record["factor"] - 1
                got = {"factor": record["factor"], "value": abs(fit.loadings[at, column])}
        iterative = kind in ("communality", "loading")
        suite.compare(record, got, tolerance=ITERATIVE if iterative else CLOSED_FORM)
    assert suite.failures == []


def test_weighted_alpha_is_that_of_repeated_rows() -> None:
    """Whole-number weights are rows written down as often (R's cov.wt, method ML)."""
    draw = np.random.default_rng(4)
    scores = draw.integers(1, 6, (60, 4)).astype(float) + draw.integers(0, 5, (60, 1))
    times = draw.integers(0, 4, 60)
    weighted = reliability.coefficients(scores, times)
    repeated = reliability.coefficients(np.repeat(scores, times, axis=0))
    for name in ("raw", "standardised", "g6", "average_r", "mean"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-12)
    np.testing.assert_allclose(weighted.item_rest, repeated.item_rest)
    assert np.isnan(weighted.se_simple)


class Answers:
    """Answers to four items that share something, in a clustered sample with two areas."""

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.stratum, self.psu = np.repeat(np.arange(4), 40), np.repeat(np.arange(32), 5)
        self.area = self.stratum // 2
        self.weights = draw.uniform(0.5, 3.0, 160)
        shared = draw.standard_normal(160) + 0.5 * draw.standard_normal(32)[self.psu]
        self.scores = shared[:, None] + draw.standard_normal((160, 4))
        self.scores[draw.integers(0, 160, 6), draw.integers(0, 4, 6)] = np.nan

    def design(self) -> Design:
        return Design.from_columns(self.weights, psu=self.psu, stratum=self.stratum)

    def cells(self) -> Cells:
        return Cells.from_labels(area=self.area)


def coefficient_of(name: str) -> reliability.Coefficient:
    return {
        "raw": reliability.raw_alpha,
        "standardised": reliability.standardised_alpha,
        "rest": reliability.item_rest(2),
        "dropped": reliability.alpha_if_dropped(1),
        "first": reliability.first_eigenvalue_share,
    }[name]


@pytest.mark.parametrize("name", ["raw", "standardised", "rest", "dropped", "first"])
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000))
def test_the_influence_is_the_derivative_by_the_weights(name: str, seed: int) -> None:
    """Deville 1999: the influence of a row is how the statistic moves with the row's weight."""
    sample = Answers(seed)
    coefficient, cells = coefficient_of(name), sample.cells()
    found = reliability.of_covariance(sample.design(), cells, sample.scores, coefficient)

    def moved(psu: int, step: float) -> np.ndarray:
        weights = sample.weights * np.where(sample.psu == psu, 1.0 + step, 1.0)
        design = Design.from_columns(weights, psu=sample.psu, stratum=sample.stratum)
        return reliability.of_covariance(design, cells, sample.scores, coefficient).value

    for psu in (0, 17):
        slope = (moved(psu, 1e-5) - moved(psu, -1e-5)) / 2e-5
        np.testing.assert_allclose(found.influence[psu], slope, atol=1e-8)


def test_all_statistics_of_a_scale_have_one_covariance() -> None:
    sample = Answers(9)
    design, cells = sample.design(), sample.cells()
    found = reliability.statistics_of_scale(design, cells, sample.scores, ["a", "b", "c", "d"])
    keys = found.keys
    assert list(keys.STATISTIC.unique()) == ["ALPHA", "EIGEN1_SHARE", "ITEM_REST", "ALPHA_IF_DEL"]
    assert len(found) == 3 * (1 + 1 + 4 + 4)
    assert np.isfinite(found.covariance).all()
    of_all = reliability.coefficients(sample.scores, sample.weights)
    nation = keys.group == "_T"
    for name, expected in (
        ("ALPHA", [of_all.raw]),
        ("ITEM_REST", of_all.item_rest),
        ("ALPHA_IF_DEL", of_all.raw_if_dropped),
    ):
        np.testing.assert_allclose(found.value[nation & (name == keys.STATISTIC)], expected)
    matrix = reliability.correlation(reliability.item_covariance(sample.scores, sample.weights))
    share = found.value[nation & (keys.STATISTIC == "EIGEN1_SHARE")]
    np.testing.assert_allclose(share, factor.eigenvalues(matrix)[0] / 4)


def test_alpha_by_cell_is_alpha_of_the_cells_rows_and_its_error_that_of_the_jackknife() -> None:
    sample = Answers(1)
    found = reliability.alpha(sample.design(), sample.cells(), sample.scores)
    for cell, rows in ((0, np.full(160, True)), (1, sample.area == 0), (2, sample.area == 1)):
        alone = reliability.coefficients(sample.scores[rows], sample.weights[rows])
        assert found.value[cell] == pytest.approx(alone.raw, rel=1e-12)
        assert found.n[cell] == alone.n
    squares = []
    for stratum in range(4):
        values = []
        for psu in np.unique(sample.psu[sample.stratum == stratum]):
            weights = np.where(sample.stratum == stratum, sample.weights * 8 / 7, sample.weights)
            weights = np.where(sample.psu == psu, 0.0, weights)
            values.append(reliability.coefficients(sample.scores, weights).raw)
        squares.append(7 / 8 * ((np.array(values) - found.value[0]) ** 2).sum())
    assert found.se[0] == pytest.approx(np.sqrt(sum(squares)), rel=0.05)
    bounds = reliability.intervals(found)
    assert (bounds.lower < found.value).all()
    assert (found.value < bounds.upper).all()
    assert (bounds.upper < 1.0).all()


def test_under_simple_random_sampling_the_error_is_nearly_that_of_normal_theory() -> None:
    draw = np.random.default_rng(2)
    scores = draw.standard_normal((20_000, 1)) + draw.standard_normal((20_000, 5))
    design, cells = Design.from_columns(np.ones(20_000)), Cells.from_labels(all=np.ones(20_000))
    found = reliability.alpha(design, cells, scores)
    simple = reliability.coefficients(scores)
    assert found.se[0] == pytest.approx(simple.se_simple, rel=0.03)
    feldt = reliability.simple_interval(simple.raw, simple.n, 5)
    bounds = reliability.intervals(found)
    assert bounds.lower[0] == pytest.approx(feldt.lower, abs=5e-4)
    assert bounds.upper[0] == pytest.approx(feldt.upper, abs=5e-4)


def test_a_cell_whose_items_do_not_vary_has_no_alpha() -> None:
    sample = Answers(3)
    sample.scores[sample.area == 1] = [3.7, 0.1, 1.3, 2.9]
    found = reliability.alpha(sample.design(), sample.cells(), sample.scores)
    assert np.isnan(found.value[2])
    assert np.isnan(found.se[2])
    assert np.isfinite(found.se[:2]).all()


def test_an_area_where_nobody_answered_all_items_has_no_alpha() -> None:
    sample = Answers(3)
    sample.scores[sample.area == 1, 0] = np.nan
    found = reliability.statistics_of_scale(
        sample.design(), sample.cells(), sample.scores, ["a", "b", "c", "d"]
    )
    empty = (found.keys.group == 1).to_numpy()
    assert np.isnan(found.value[empty]).all()
    assert np.isnan(found.se[empty]).all()
    assert np.isfinite(found.se[~empty]).all()
    nothing = reliability.alpha(sample.design(), sample.cells(), np.full((160, 4), np.nan))
    assert np.isnan(nothing.value).all()
    with pytest.raises(DataError, match="infinite"):
        reliability.alpha(sample.design(), sample.cells(), sample.scores * np.inf)


def test_maximum_likelihood_and_statsmodels_find_the_same_loadings() -> None:
    draw = np.random.default_rng(6)
    scores = draw.standard_normal((500, 1)) * np.arange(1, 7) / 4 + draw.standard_normal((500, 6))
    matrix = np.corrcoef(scores, rowvar=False)
    ours = factor.factor_analysis(matrix, extraction=Extraction.ML)
    theirs = Factor(corr=matrix, n_factor=1, method="ml", nobs=500).fit()
    np.testing.assert_allclose(ours.loadings, np.abs(theirs.loadings), atol=1e-5)


def test_one_factor_of_known_loadings_is_found_with_its_omega() -> None:
    """R = ll' + diag(1 - l^2) has the loadings l; omega total is (sum l)^2 / sum R."""
    loading = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    matrix = np.outer(loading, loading)
    np.fill_diagonal(matrix, 1.0)
    for extraction in (Extraction.MINRES, Extraction.ML):
        found = factor.factor_analysis(matrix, extraction=extraction, tolerance=1e-14)
        np.testing.assert_allclose(found.loadings[:, 0], loading, atol=1e-5)
        assert found.omega_total == pytest.approx(loading.sum() ** 2 / matrix.sum(), rel=1e-5)


def test_parallel_analysis_finds_one_factor_where_one_is() -> None:
    draw = np.random.default_rng(8)
    scores = draw.standard_normal((400, 1)) + draw.standard_normal((400, 5))
    own = factor.eigenvalues(np.corrcoef(scores, rowvar=False))
    chance = factor.parallel_eigenvalues(400, 5, seed=1, draws=50)
    np.testing.assert_array_equal(own > chance, [True, False, False, False, False])


def test_items_that_say_the_same_are_refused_by_name_of_the_trouble() -> None:
    draw = np.random.default_rng(0)
    scores = draw.standard_normal((50, 3))
    twice = np.column_stack([scores, scores[:, 0]])
    with pytest.raises(DataError, match="none of which is a sum of the others"):
        reliability.coefficients(twice)
    with pytest.raises(DataError, match="item without variance"):
        reliability.coefficients(np.column_stack([scores, np.ones(50)]))
    with pytest.raises(DataError, match="got '1 rows with all items'"):
        reliability.coefficients(np.where(np.arange(50)[:, None] < 49, np.nan, scores))
    with pytest.raises(DataError, match="3 factors of 3 items"):
        factor.factor_analysis(np.corrcoef(scores, rowvar=False), 3)


SWLS = Scale("SWLS", tuple(Item(f"s{i}", 1, 7) for i in range(1, 6)), Scoring.SUM, minimum_valid=4)


def test_an_index_is_scored_as_its_scale_declares() -> None:
    """Worked by hand: SWLS sums to 5-35, WHO-5 to 0-100; reversing is lowest + highest - x."""
    answers = {f"s{i}": [7, 1, i, np.nan if i > 3 else 4] for i in range(1, 6)}
    np.testing.assert_array_equal(index(SWLS, answers), [35, 5, 15, np.nan])
    answers["s5"] = [None, 1, 5, 4]
    np.testing.assert_array_equal(index(SWLS, answers), [35, 5, 15, 20])

    who5 = Scale("WHO5", tuple(Item(f"s{i}", 0, 5) for i in range(5)), Scoring.SUM, multiplier=4)
    cheerful = {f"s{i}": [5, 0, 3 if i < 3 else 2] for i in range(5)}
    np.testing.assert_array_equal(index(who5, cheerful), [100, 0, 52])

    mixed = Scale("mixed", (Item("a", 0, 10), Item("b", 1, 5, reverse=True)), Scoring.RANGE_SHARE)
    np.testing.assert_allclose(index(mixed, {"a": [10, 5, 0], "b": [1, 3, 4]}), [1, 0.5, 0.125])
    backwards = item_scores(mixed, {"a": [3, np.nan], "b": [2, 5]})
    np.testing.assert_array_equal(backwards, [[3, 4], [np.nan, 1]])


def test_the_mean_of_an_index_is_an_estimate_like_any_other() -> None:
    sample = Answers(5)
    scale = Scale("x", tuple(Item(str(i), -20, 20) for i in range(4)))
    person = index(scale, {str(i): sample.scores[:, i] for i in range(4)})
    found = estimate.mean(sample.design(), sample.cells(), person)
    by_item = [
        estimate.mean(sample.design(), sample.cells(), person_of)
        for person_of in np.where(np.isnan(person)[:, None], np.nan, sample.scores).T
    ]
    np.testing.assert_allclose(found.value, np.mean([e.value for e in by_item], axis=0))


def test_an_answer_outside_the_declared_range_is_refused() -> None:
    answers = {f"s{i}": [4, 77 if i == 2 else 5, 99 if i == 2 else 5] for i in range(1, 6)}
    with pytest.raises(DataError, match=r"item s2, row 2: .*from 1 to 7.*2 rows"):
        index(SWLS, answers)
    with pytest.raises(DataError, match="item s1: expected a column"):
        index(SWLS, {})
    with pytest.raises(DefinitionError, match="lowest answer below the highest"):
        Item("a", 5, 1)
    with pytest.raises(DefinitionError, match="1 to 5 items"):
        Scale("SWLS", SWLS.items, minimum_valid=6)
    with pytest.raises(DefinitionError, match="each once"):
        Scale("double", (Item("a", 1, 5), Item("a", 1, 5)))
    with pytest.raises(DefinitionError, match="range share"):
        Scale("mixed", (Item("a", 0, 10), Item("b", 1, 5)), minimum_valid=1)


@pytest.mark.parametrize(
    ("value", "publication", "reason"),
    [
        (0.599999, Publication.WITHHOLD_INDEX, "alpha < 0.60"),
        (0.60, Publication.FLAG, "alpha < 0.70"),
        (0.70, Publication.PRESENT, None),
        (-0.4, Publication.WITHHOLD_INDEX, "alpha < 0.60"),
        (float("nan"), Publication.WITHHOLD_INDEX, "alpha unknown"),
    ],
)
def test_alpha_decides_on_the_index_and_never_on_its_items(
    value: float, publication: Publication, reason: str | None
) -> None:
    decided = AlphaPolicy().decide(value)
    assert (decided.publication, decided.reason) == (publication, reason)
