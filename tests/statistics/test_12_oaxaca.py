"""Decompositions of a gap, as R oaxaca 0.1.5 has them, and with standard errors by the design."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.errors import DataError
from sdmx_service.survey.derived import Derived
from sdmx_service.survey.design import Design
from sdmx_service.survey.oaxaca import Decomposition, Pooling, decompose
from sdmx_service.survey.replicates import jackknife

EDUCATION = ["LTHS", "some.college", "college", "advanced.degree"]
CASES = {
    "chicago native vs foreign born": (["age", "female", *EDUCATION], "foreign.born"),
    "chicago men vs women": (["age", *EDUCATION], "female"),
}
REFERENCES = {0: 0.0, 1: 1.0, 0.5: 0.5, -1: Pooling.NEUMARK, -2: Pooling.JANN}


def part(found: Derived, name: str, term: str = "_T") -> int:
    """Return the position of a part of a decomposition."""
    keys = found.keys
    return int(np.flatnonzero((keys["part"] == name) & (keys["term"] == term))[0])


@pytest.mark.oracle
def test_decompositions_agree_with_r_oaxaca(oracle: Callable[[str], Any]) -> None:
    suite = oracle("12_oaxaca")
    data = suite.input()
    design = Design.from_columns(np.ones(len(data)))

    def decomposed(case: str, reference: float | Pooling) -> Decomposition:
        terms, group = CASES[case]
        outcome = data["ln.real.wage"]
        return decompose(design, outcome, data, terms, 1 - data[group], reference=reference)

    for record in suite.records:
        kind, case = record["kind"], record["case"]
        weight = record.get("reference_weight_A", 0)
        found = decomposed(case, REFERENCES.get(weight, Pooling.SHARE))
        three, two = found.threefold, found.twofold
        if kind == "n":
            got = {"nA": found.rows[0], "nB": found.rows[1]}
        elif kind == "gap":
            got = dict(zip(("yA", "yB", "estimate"), found.means.value, strict=True))
        elif kind == "threefold":
            got = {
                name.lower(): three.value[part(three, name)]
                for name in ("ENDOWMENTS", "COEFFICIENTS", "INTERACTION")
            }
        else:
            term = record.get("term", "_T")
            got = {
                "explained": two.value[part(two, "EXPLAINED", term)],
                "unexplained": two.value[part(two, "UNEXPLAINED", term)],
            }
            if kind == "twofold":
                got["reference_weight_A"] = weight
        # the gap is 0.1 to 0.2: smaller is rounding of the fit
        suite.compare(record, got, size=dict.fromkeys(got, 1e-3))
    assert suite.failures == []


def sample() -> tuple[Design, pd.DataFrame]:
    draw = np.random.default_rng(3)
    psu = np.repeat(np.arange(80), 10)
    data = pd.DataFrame(
        {
            "a": draw.integers(0, 2, 800),
            "school": draw.choice(["low", "mid", "top"], 800),
            "age": draw.uniform(20, 60, 800),
        }
    )
    effect = draw.normal(0, 0.4, 80)[psu]
    data["y"] = (
        effect
        + 0.3 * data.a
        + 0.02 * data.age * (1 + 0.2 * data.a)
        + data.school.map({"low": 0.0, "mid": 0.4, "top": 0.9})
        + draw.normal(0, 1, 800)
    )
    data["weight"] = draw.uniform(0.5, 2.0, 800)
    data["psu"], data["stratum"] = psu, psu // 8
    return Design.from_columns(data.weight, psu=data.psu, stratum=data.stratum), data


@pytest.mark.parametrize("reference", [0.0, 0.5, 1.0, *Pooling])
def test_the_parts_add_up_with_their_terms_to_the_gap(reference: float | Pooling) -> None:
    design, data = sample()
    found = decompose(design, data.y, data, ["age", "school"], data.a, reference=reference)
    weighted = data.groupby("a").apply(lambda g: np.average(g.y, weights=g.weight))
    gap = weighted[1] - weighted[0]
    assert found.means.value[2] == pytest.approx(gap)
    for parts, names in (
        (found.threefold, ("ENDOWMENTS", "COEFFICIENTS", "INTERACTION")),
        (found.twofold, ("EXPLAINED", "UNEXPLAINED")),
        (found.twofold, ("EXPLAINED", "UNEXPLAINED_A", "UNEXPLAINED_B")),
    ):
        assert sum(parts.value[part(parts, name)] for name in names) == pytest.approx(gap)
        rows = np.zeros(len(parts))
        rows[[part(parts, name) for name in names]] = 1
        together = parts.linear(rows, pd.DataFrame({"part": ["all"]}))
        assert together.se[0] == pytest.approx(found.means.se[2])
    detail = found.twofold.keys["part"].eq("EXPLAINED") & found.twofold.keys["term"].ne("_T")
    assert found.twofold.value[detail].sum() == pytest.approx(
        found.twofold.value[part(found.twofold, "EXPLAINED")]
    )


@pytest.mark.parametrize("reference", [0.0, *Pooling])
def test_linearised_standard_errors_are_those_of_the_jackknife(reference: float | Pooling) -> None:
    """Leaving each PSU out, JKn: another estimator of the same variance."""
    design, data = sample()
    terms = ["age", "school"]
    plain = decompose(design, data.y, data, terms, data.a, reference=reference)
    again = decompose(jackknife(design), data.y, data, terms, data.a, reference=reference)
    shown = plain.twofold.keys["term"] == "_T"
    np.testing.assert_allclose(again.threefold.value, plain.threefold.value)
    np.testing.assert_allclose(
        again.twofold.se[shown], plain.twofold.se[shown], rtol=0.06, atol=1e-9
    )
    np.testing.assert_allclose(again.means.se, plain.means.se, rtol=0.01)


def test_with_groups_alone_it_is_kitagawas_decomposition_of_rates() -> None:
    """Kitagawa 1955, equal weights: sum (sA - sB)(rA + rB)/2 and sum (rA - rB)(sA + sB)/2."""
    design, data = sample()
    data["poor"] = (data.y > 1.5) * 1.0
    found = decompose(design, data.poor, data, ["school"], data.a, reference=0.5)
    shares = data.pivot_table(index="school", columns="a", values="weight", aggfunc="sum")
    shares = shares / shares.sum()
    rates = (
        data.groupby(["school", "a"])
        .apply(lambda g: np.average(g.poor, weights=g.weight))
        .unstack("a")
    )
    composition = ((shares[1] - shares[0]) * (rates[1] + rates[0]) / 2).sum()
    rate = ((rates[1] - rates[0]) * (shares[1] + shares[0]) / 2).sum()
    two = found.twofold
    assert two.value[part(two, "EXPLAINED")] == pytest.approx(composition)
    assert two.value[part(two, "UNEXPLAINED")] == pytest.approx(rate)


def test_normalised_detail_does_not_depend_on_the_group_left_out() -> None:
    """Yun 2005; without normalising it does."""
    design, data = sample()

    def detail(left_out: str, normalise: bool) -> pd.Series:
        found = decompose(
            design,
            data.y,
            data,
            ["age", "school"],
            data.a,
            reference_groups={"school": left_out},
            normalise=normalise,
        ).twofold
        at = found.keys["part"] == "UNEXPLAINED"
        both = pd.DataFrame({"value": found.value, "se": found.se}).assign(term=found.keys["term"])
        return both[at].set_index("term").sort_index()

    same = detail("low", True)
    assert {"schoollow", "schoolmid", "schooltop"} < set(same.index)
    pd.testing.assert_frame_equal(same, detail("top", True))
    plain, other = detail("low", False), detail("top", False)
    assert plain.value["(Intercept)"] != pytest.approx(other.value["(Intercept)"])
    assert plain.value["_T"] == pytest.approx(same.value["_T"])


def test_by_variable_adds_the_levels_up() -> None:
    design, data = sample()
    arguments = (design, data.y, data, ["age", "school"], data.a)
    fine = decompose(*arguments, normalise=True).twofold
    coarse = decompose(*arguments, normalise=True, by_variable=True).twofold
    assert coarse.keys["term"].unique().tolist() == ["_T", "(Intercept)", "age", "school"]
    levels = fine.keys["term"].str.startswith("school") & (fine.keys["part"] == "EXPLAINED")
    assert coarse.value[part(coarse, "EXPLAINED", "school")] == pytest.approx(
        fine.value[levels].sum()
    )


def test_what_cannot_be_decomposed_is_refused() -> None:
    design, data = sample()
    with pytest.raises(DataError, match="group A"):
        decompose(design, data.y, data, ["age"], np.zeros(800))
    with pytest.raises(DataError, match="1 for A and 0 for B"):
        decompose(design, data.y, data, ["age"], data.a + 1)
    data["only_b"] = np.where(data.a == 1, 0.0, data.age)
    with pytest.raises(DataError, match="determine each other"):
        decompose(design, data.y, data, ["age", "only_b"], data.a)
    with pytest.raises(DataError, match="single variables"):
        decompose(design, data.y, data, ["age", "school", "age:school"], data.a, normalise=True)
