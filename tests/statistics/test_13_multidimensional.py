"""Alkire-Foster measures, as R survey 4.5 has them (data: svy's World Bank households)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError, DefinitionError
from sdmx_service.survey import estimate
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.multidimensional import (
    MissingItem,
    Multidimensional,
    Profile,
    band,
    group_contributions,
    measures,
    nested_weights,
    profile,
)

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 10_000)

WEIGHTS = {"d_elec": 1 / 6, "d_water": 1 / 6, "d_toilet": 1 / 6, "d_crowd": 1 / 4, "d_food": 1 / 4}


@pytest.mark.oracle
def test_alkire_foster_measures_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("13_multidimensional")
    data = suite.input("derived.csv")
    design = Design.from_columns(
        data.popw, psu=data.ea, stratum=data.st, nested=True, lonely=Lonely.ADJUST
    )
    cells = Cells.from_labels(geo1="geo1:" + data.geo1, urbrur="urbrur:" + data.urbrur)
    place = {domain: at for at, domain in enumerate(cells.keys.group)}
    people = profile(design, {item: data[item] for item in WEIGHTS}, WEIGHTS)
    at_cutoff: dict[float, Multidimensional] = {}
    for record in suite.records:
        k = record["k"]
        if k not in at_cutoff:
            at_cutoff[k] = measures(design, cells, people, cutoff=k)
        found = at_cutoff[k]
        measure, _, item = record["measure"].partition(":")
        of_kind = {
            "H": found.headcount,
            "A": found.intensity,
            "M0": found.adjusted,
            "uncensored": found.uncensored.get(item),
            "censored": found.censored.get(item),
            "contribution": found.contribution.get(item),
        }[measure]
        at = place[record["domain"]]
        got = {"k": k, "estimate": of_kind.value[at]}
        if "se" in record:
            # a share of exactly 0 has no deviations, in R and here
            got["se"] = np.sqrt((of_kind.deviations[:, at] ** 2).sum())
        # where all the poor of a domain have one score, the error of A is rounding
        suite.compare(record, got, size={"se": 1e-7})
    assert suite.failures == []


class Sample:
    """Four deprivations in a clustered sample with two areas."""

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.stratum, self.psu = np.repeat(np.arange(4), 30), np.repeat(np.arange(24), 5)
        self.area, self.weights = self.stratum // 2, draw.uniform(0.5, 3.0, 120)
        self.items = {f"i{j}": (draw.random(120) < 0.2 + 0.1 * j).astype(float) for j in range(4)}
        self.item_weights = {"i0": 0.1, "i1": 0.2, "i2": 0.3, "i3": 0.4}

    def design(self) -> Design:
        return Design.from_columns(self.weights, psu=self.psu, stratum=self.stratum)

    def cells(self) -> Cells:
        return Cells.from_labels(area=self.area)

    def profile(self, missing: MissingItem = MissingItem.LISTWISE) -> Profile:
        return profile(self.design(), self.items, self.item_weights, missing=missing)


@few
@given(seeds)
def test_the_measures_decompose(seed: int) -> None:
    """Alkire and Foster 2011: M0 = H A = sum of w_j censored_j, contributions sum to one."""
    sample = Sample(seed)
    found = measures(sample.design(), sample.cells(), sample.profile(), cutoff=0.5)
    np.testing.assert_allclose(found.adjusted.value, found.headcount.value * found.intensity.value)
    weighted = [sample.item_weights[j] * e.value for j, e in found.censored.items()]
    np.testing.assert_allclose(np.sum(weighted, axis=0), found.adjusted.value)
    np.testing.assert_allclose(np.sum([e.value for e in found.contribution.values()], axis=0), 1.0)
    for item, censored in found.censored.items():
        assert (censored.value <= found.uncensored[item].value + 1e-12).all()
        assert (censored.value <= found.headcount.value + 1e-12).all()


@few
@given(seeds)
def test_a_cutoff_of_the_smallest_weight_is_the_union_and_of_one_the_intersection(
    seed: int,
) -> None:
    sample = Sample(seed)
    design, cells = sample.design(), sample.cells()
    table = np.column_stack(list(sample.items.values()))
    union = measures(design, cells, sample.profile(), cutoff=0.1).headcount
    np.testing.assert_allclose(
        union.value, estimate.proportion(design, cells, table.any(axis=1)).value
    )
    every = measures(design, cells, sample.profile(), cutoff=1.0).headcount
    np.testing.assert_allclose(
        every.value, estimate.proportion(design, cells, table.all(axis=1)).value
    )
    mean_score = measures(design, cells, sample.profile(), cutoff=0.1).adjusted
    np.testing.assert_allclose(
        mean_score.value, estimate.mean(design, cells, table @ [0.1, 0.2, 0.3, 0.4]).value
    )


def test_the_joint_covariance_gives_the_error_of_m0_from_its_parts() -> None:
    """M0 = HA, so its influence is A u_H + H u_A, and the sum of contributions has none."""
    sample = Sample(3)
    found = measures(sample.design(), sample.cells(), sample.profile(), cutoff=0.5)
    joint = found.stacked()
    assert list(joint.keys.columns) == ["grouping", "group", "measure", "item"]
    h, a, m = (
        int(np.flatnonzero((joint.keys.measure == name) & (joint.keys.group == "_T"))[0])
        for name in ("H", "A", "M0")
    )
    slope = np.zeros(len(joint))
    slope[[h, a]] = joint.value[[a, h]]
    assert slope @ joint.covariance @ slope == pytest.approx(joint.variance[m], rel=1e-10)
    shares = ((joint.keys.measure == "CONTRIBUTION") & (joint.keys.group == "_T")).to_numpy()
    assert joint.covariance[np.ix_(shares, shares)].sum() == pytest.approx(0.0, abs=1e-15)


def test_groups_carry_the_whole_of_m0_between_them() -> None:
    sample = Sample(4)
    found = group_contributions(
        sample.design(), sample.cells(), sample.profile(), cutoff=0.5, group=[1, 2], whole=[0, 0]
    )
    assert found.value.sum() == pytest.approx(1.0)
    assert found.se[0] == pytest.approx(found.se[1])
    poor = np.where(sample.profile().poor(0.5) == 1, sample.profile().score, 0.0)
    ratio = estimate.ratio(sample.design(), sample.cells(), poor * (sample.area == 0), poor)
    assert found.value[0] == pytest.approx(ratio.value[0])
    assert found.se[0] == pytest.approx(ratio.se[0])


def test_a_score_that_reaches_the_cutoff_but_for_the_last_bit_is_poor() -> None:
    """Weights of 1/6: 1/6 + 1/6 is poor at 1/3, six times 1/10 + ... at the sum of tenths."""
    design = Design.from_columns(np.ones(3))
    tenths = {f"t{i}": [1, float(i < 3), 0] for i in range(10)}
    people = profile(design, tenths, dict.fromkeys(tenths, 0.1))
    assert people.score[1] != 0.3
    np.testing.assert_array_equal(people.poor(0.3), [1, 1, 0])
    np.testing.assert_array_equal(people.poor(1.0), [1, 0, 0])


def test_bands_part_the_population() -> None:
    sample = Sample(7)
    design, cells, people = sample.design(), sample.cells(), sample.profile()
    vulnerable = band(design, cells, people, lower=0.2, upper=0.5)
    below = band(design, cells, people, lower=1e-6, upper=0.2)
    none = estimate.proportion(design, cells, people.score == 0)
    poor = measures(design, cells, people, cutoff=0.5).headcount
    np.testing.assert_allclose(vulnerable.value + below.value + none.value + poor.value, 1.0)


def test_the_declared_rule_says_what_a_missing_item_is() -> None:
    """By hand: weights .5, .25, .25; rows 1 1 0, 1 NaN 0, NaN 1 1, all missing."""
    design = Design.from_columns(np.ones(4))
    items = {
        "a": [1, 1, np.nan, np.nan],
        "b": [1, np.nan, 1, np.nan],
        "c": [0, 0, 1, None],
    }
    weights = nested_weights({"one": ["a"], "two": ["b", "c"]})
    assert weights == {"a": 0.5, "b": 0.25, "c": 0.25}
    expected = {
        MissingItem.LISTWISE: [0.75, np.nan, np.nan, np.nan],
        MissingItem.REWEIGHTED: [0.75, 0.5 / 0.75, 1.0, np.nan],
        MissingItem.NOT_DEPRIVED: [0.75, 0.5, 0.5, np.nan],
    }
    for rule, score in expected.items():
        people = profile(design, items, weights, missing=rule)
        np.testing.assert_allclose(people.score, score)
    cells = Cells.from_labels(all=["x"] * 4)
    found = measures(
        design,
        cells,
        profile(design, items, weights, missing=MissingItem.REWEIGHTED),
        cutoff=2 / 3,
    )
    assert found.headcount.n[0] == 3
    assert found.headcount.missing[0] == 1
    assert found.headcount.value[0] == pytest.approx(1.0)
    np.testing.assert_allclose(sum(e.value[0] for e in found.contribution.values()), 1.0)


def test_where_nobody_is_poor_intensity_and_contributions_are_unknown() -> None:
    sample = Sample(2)
    for item, column in sample.items.items():
        sample.items[item] = np.where(sample.area == 1, 0.0, column)
    found = measures(sample.design(), sample.cells(), sample.profile(), cutoff=0.5)
    assert found.headcount.value[2] == 0.0
    assert found.headcount.constant[2]
    assert np.isnan(found.intensity.value[2])
    assert np.isnan(found.contribution["i0"].se[2])


def test_wrong_weights_cutoffs_and_deprivations_are_refused() -> None:
    design = Design.from_columns(np.ones(2))
    items = {"a": [0, 1], "b": [1, 2]}
    with pytest.raises(DefinitionError, match=r"sum to one.*fractions"):
        profile(design, items, {"a": 0.333, "b": 0.666})
    with pytest.raises(DefinitionError, match="one weight for each of a, b"):
        profile(design, items, {"a": 1.0})
    with pytest.raises(DataError, match=r"deprivation b, row 2: .*got 2\.0"):
        profile(design, items, {"a": 0.5, "b": 0.5})
    people = profile(design, {"a": [0, 1], "b": [1, 0]}, {"a": 0.5, "b": 0.5})
    for cutoff in (0.0, 1.2, float("nan")):
        with pytest.raises(DefinitionError, match="poverty cutoff"):
            people.poor(cutoff)
