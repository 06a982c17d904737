"""The rules of a disclosure policy decide as the handbook says, and keep their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.definitions.policy import DisclosurePolicy, Dominance, disclosure_of
from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.yaml_file import read_yaml
from sdmx_service.errors import DefinitionError
from sdmx_service.protect.disclosure import Margin, primary
from sdmx_service.protect.dominance import concentrated, few_dominate, one_dominates, p_percent
from sdmx_service.protect.rounding import (
    base_of,
    controlled,
    deterministic,
    interval_of,
    weight_base,
    with_rounded_counts,
)

SECRET = "7919.125"
POLICY = """
id: test
title: A test
url: https://sdctools.github.io/HandbookSDC/
rules: [{withhold_if: n < 10}]
width: {people: 3, share: 0.1}
"""


def _policy(repository: Path, folder: Path, text: str) -> DisclosurePolicy:
    path = folder / "test.yaml"
    path.write_text(text, encoding="utf-8")
    file = read_yaml(path)
    hold_to_schema(file, repository / "dsd/schemas/disclosure.schema.json")
    return disclosure_of(file)


def test_dominance_by_hand() -> None:
    """Handbook 4.2: X = 100 of 50, 35, 10 and 5."""
    largest, total = np.array([[50.0, 35.0, 10.0]]), np.array([100.0])
    assert not one_dominates(largest, total, 50)[0]
    assert one_dominates(largest, total, 49.9)[0]
    assert few_dominate(largest, total, 2, 84.9)[0]
    assert not few_dominate(largest, total, 2, 85)[0]
    # What is left without the two largest is 15: 30 per cent of the largest.
    assert not p_percent(largest, total, 30)[0]
    assert p_percent(largest, total, 30.1)[0]


def test_an_amount_of_one_contributor_is_known_exactly() -> None:
    assert p_percent(np.array([[7.0, 0.0]]), np.array([7.0]), 1).tolist() == [True]


@given(
    st.lists(st.floats(1, 1e6), min_size=3, max_size=8),
    st.floats(50.5, 99),
)
def test_two_k_dominance_implies_the_p_rule_with_the_handbooks_conversion(
    amounts: list[float], k: float
) -> None:
    """p = 100 (100 - k) / k: whatever (2,k) withholds, p% withholds as well."""
    ordered = np.array([sorted(amounts, reverse=True)])
    total = ordered.sum(axis=1)
    p = 100 * (100 - k) / k
    if few_dominate(ordered, total, 2, k * (1 + 1e-9))[0]:
        rest = total - ordered[:, :2].sum(axis=1)
        # (2,k) is x3 + ... < (100 - k)/100 X; p% is the same against x1, and X is over x1.
        assert p_percent(ordered, total, p)[0] == (rest < p / 100 * ordered[:, 0])[0]


def test_any_rule_that_holds_withholds() -> None:
    largest, total = np.array([[50.0, 35.0], [20.0, 20.0]]), np.array([100.0, 100.0])
    for rules in (
        Dominance(frozenset(), 40.0, None, None),
        Dominance(frozenset(), None, (2, 80.0), None),
        Dominance(frozenset(), None, None, 31.0),
    ):
        assert concentrated(largest, total, rules).tolist() == [True, False]
    assert not concentrated(largest, total, Dominance(frozenset(), None, None, None)).any()


@pytest.mark.parametrize("name", ["primary-2026", "fragile"])
def test_the_policies_of_this_project_are_read(repository: Path, name: str) -> None:
    file = read_yaml(repository / f"dsd/policies/disclosure/{name}.yaml")
    hold_to_schema(file, repository / "dsd/schemas/disclosure.schema.json")
    policy = disclosure_of(file)
    assert policy.id == name
    assert policy.width.people > 0
    assert policy.coarser.crossings == (name == "fragile")
    facts = pl.DataFrame({"n": [1.0, 1e6], "events": pl.Series([None, None], dtype=pl.Float64)})
    assert primary(facts, policy).to_list() == [True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        POLICY.replace("n < 10", f"n <> {SECRET}"),
        POLICY.replace("n < 10", f"people < {SECRET}"),
        POLICY.replace("people: 3", f"people: -{SECRET}"),
        POLICY.replace("people: 3", f"people: '{SECRET}'"),
        POLICY.replace("share: 0.1", f"share: [{SECRET}]"),
        POLICY + f"dominance: {{units: [EUR], p: -{SECRET}}}\n",
        POLICY + f"dominance: {{units: [EUR], one: {SECRET}}}\n",
        POLICY + f"dominance: {{units: [EUR], few: {{n: 2, k: {SECRET}}}}}\n",
        POLICY + f"rounding: {{base: -{SECRET}}}\n",
    ],
)
def test_a_wrong_policy_is_refused_without_repeating_its_numbers(
    repository: Path, tmp_path: Path, wrong: str
) -> None:
    assert SECRET in wrong
    with pytest.raises(DefinitionError) as caught:
        _policy(repository, tmp_path, wrong)
    assert "test.yaml:" in str(caught.value)
    assert "7919" not in str(caught.value)
    assert "7919" not in str(caught.value.as_dict())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_policy_shown_in_a_log_keeps_its_numbers(repository: Path, tmp_path: Path) -> None:
    text = POLICY.replace("10", SECRET).replace("0.1", SECRET).replace("people: 3", "people: 7919")
    policy = _policy(repository, tmp_path, text + f"dominance: {{units: [EUR], p: {SECRET}}}\n")
    assert "7919" not in repr(policy)


def test_counts_are_rounded_only_where_the_policy_says_so(repository: Path, tmp_path: Path) -> None:
    bases = [
        _policy(repository, tmp_path, POLICY + more).base for more in ("", "rounding: {base: 5}\n")
    ]
    assert bases == [1, 5]


def test_a_method_that_would_round_one_count_in_two_ways_is_refused(
    repository: Path, tmp_path: Path
) -> None:
    for method in ("random", "controlled"):
        with pytest.raises(DefinitionError, match="nearest"):
            _policy(repository, tmp_path, POLICY + f"rounding: {{base: 5, method: {method}}}\n")


def test_weights_are_rounded_to_as_many_people() -> None:
    """14,827 people stand for 8.2 million: five for 2,765, rounded up to 5,000."""
    assert weight_base(14_827, 8_200_000, 5) == 5_000
    assert weight_base(1_000, 1_000, 5) == 5
    assert weight_base(1_000, 200_000, 5) == 1_000
    assert weight_base(1_000, 201_000, 5) == 2_000


def test_a_release_tells_what_its_counts_were_rounded_to() -> None:
    assert base_of(pl.Series([20, None, 35, 10])) == 5
    assert base_of(pl.Series([20, 35, 11])) == 1
    assert base_of(pl.Series([None, None], dtype=pl.Int64)) == 1


def test_a_design_effect_is_that_of_the_rounded_count_and_a_certain_value_has_no_bounds() -> None:
    table = pl.DataFrame(
        {
            "UNWGTD_SAMPL_SIZE": [18, 21],
            "WGTD_SAMPL_SIZE": [180.0, 210.0],
            "PROV_ID": ["A:1", "A:1"],
            "DESIGN_EFFECT": [1.7, None],
            "STD_ERR": [0.1, None],
            "LOWER_BOUND": [0.2, 0.9],
        }
    )
    shown = with_rounded_counts(table, ("UNWGTD_SAMPL_SIZE",), 5)
    # DEFF = SE^2 (n - 1) / (p (1 - p)): 17 becomes 19.
    assert shown["DESIGN_EFFECT"].to_list() == [pytest.approx(1.9), None]
    assert shown["LOWER_BOUND"].to_list() == [0.2, None]
    assert shown["WGTD_SAMPL_SIZE"].to_list() == [200.0, 200.0]


def test_counts_go_to_the_nearest_multiple() -> None:
    n = np.array([0, 1, 2, 3, 7, 8, 12, 13], dtype=float)
    assert deterministic(n, 5).tolist() == [0, 0, 0, 5, 5, 10, 10, 15]
    assert deterministic(np.array([2.0, 5.0]), 4).tolist() == [4, 4]


@given(st.integers(0, 10_000), st.integers(2, 10))
def test_a_rounded_count_leaves_as_many_counts_as_its_base(n: int, base: int) -> None:
    rounded = deterministic(np.array([float(n)]), base)
    low, high = interval_of(rounded, base)
    assert low[0] <= n <= high[0]
    every = np.arange(max(0, n - 20), n + 20, dtype=float)
    same = every[deterministic(every, base) == rounded]
    assert (low[0], high[0]) == (same.min(), same.max())


def test_controlled_rounding_still_adds_up() -> None:
    """Two rows and two columns with all their sums; a multiple of the base stays as it is."""
    n = np.array([26.0, 7, 19, 11, 3, 8, 15, 4, 11])
    margins = [
        Margin(0, (1, 2)),
        Margin(0, (3, 6)),
        Margin(1, (4, 7)),
        Margin(2, (5, 8)),
        Margin(3, (4, 5)),
        Margin(6, (7, 8)),
    ]
    rounded = controlled(n, margins, 5)
    assert rounded is not None
    assert (np.abs(rounded - n) < 5).all()
    assert (rounded % 5 == 0).all()
    assert all(rounded[m.total] == rounded[list(m.parts)].sum() for m in margins)
    assert rounded[6] == 15


def test_a_rounding_that_cannot_exist_is_none() -> None:
    """Three parts of 3 that must stay alike are 0 or 15 together; 9 may become 5 or 10."""
    n = np.array([9.0, 3.0, 3.0, 3.0])
    margins = [Margin(0, (1, 2, 3)), Margin(1, (2,)), Margin(2, (3,))]
    assert controlled(n, margins, 5) is None


def test_rounded_tables_have_rounded_counts_and_rates() -> None:
    table = pl.DataFrame(
        {
            "UNWGTD_SAMPL_SIZE": [18, None, 23],
            "RESP_RATE": [18 / 19, None, 1.0],
            "OBS_VALUE": [1.0] * 3,
        }
    )
    shown = with_rounded_counts(table, ("UNWGTD_SAMPL_SIZE", "N_COMP"), 5)
    assert shown["UNWGTD_SAMPL_SIZE"].to_list() == [20, None, 25]
    assert shown["RESP_RATE"].to_list() == [0.95, None, 1.0]
    assert with_rounded_counts(table, ("UNWGTD_SAMPL_SIZE",), 1).equals(table)
