"""Policies decide as their sources say, and a withheld cell carries nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.definitions.policy import (
    Outcome,
    ReliabilityPolicy,
    disclosure_of,
    reliability_of,
)
from sdmx_service.definitions.review import Review
from sdmx_service.definitions.schema import hold_to_schema
from sdmx_service.definitions.yaml_file import read_yaml
from sdmx_service.errors import DefinitionError
from sdmx_service.protect.disclosure import Margin, complements, margins_of, primary
from sdmx_service.protect.reliability import OUTCOMES, judge, remarks
from sdmx_service.protect.review import at_least, signed
from sdmx_service.protect.status import with_status
from sdmx_service.survey import interval

# The golden cases of which the complement, not the share, is too uncertain.
COMPLEMENT_UNRELIABLE = {(120, 0.96, 60), (200, 0.9, 9)}

# n, p, se, df and the outcome: worked by hand from the text of NCHS, Vital and Health Statistics
# 2(175), with the intervals of its SAS macro (surveytable's authors transcribe the same rules).
GOLDEN_NCHS = [
    (29, 0.5, 0.092847669, 30, "suppress"),
    (30, 0.5, 0.091287093, 30, "suppress"),
    (100, 0.5, 0.05, 60, "present"),
    (1000, 0.01, 0.00315, 60, "present"),
    (120, 0.04, 0.017888544, 60, "suppress"),
    (120, 0.96, 0.017888544, 60, "present"),
    (30, 0.0, 0.0, 30, "review"),
    (500, 1.0, 0.0, 30, "review"),
    (2000, 0.2, 0.012, 7, "review"),
    (2000, 0.2, 0.012, 8, "present"),
    (200, 0.9, 0.048666426, 9, "present"),
    (200, 0.9, 0.048666426, 7, "review"),
]


def _policy(repository: Path, name: str) -> ReliabilityPolicy:
    file = read_yaml(repository / f"dsd/policies/reliability/{name}.yaml")
    hold_to_schema(file, repository / "dsd/schemas/reliability.schema.json")
    return reliability_of(file)


def _facts(**columns: list[float | None]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    usual: dict[str, list[float | None]] = {
        "estimate": [0.25] * rows,
        "n": [500.0] * rows,
        "n_eff": [400.0] * rows,
        "n_star": [380.0] * rows,
        "events": [100.0] * rows,
        "n_num": [None] * rows,
        "n_eff_num": [None] * rows,
        "n_eff_den": [None] * rows,
        "psu": [50.0] * rows,
        "df": [40.0] * rows,
        "se": [0.02] * rows,
        "cv": [0.1] * rows,
        "width": [0.08] * rows,
        "rel_width": [0.4] * rows,
        "item_nonresponse": [0.0] * rows,
    }
    given = {**usual, **columns}
    return pl.DataFrame(
        {
            "statistic": ["proportion"] * rows,
            **{k: pl.Series(v, dtype=pl.Float64) for k, v in given.items()},
        }
    )


@pytest.mark.parametrize(("n", "p", "se", "df", "outcome"), GOLDEN_NCHS)
def test_nchs_decides_as_its_standard(
    repository: Path, n: int, p: float, se: float, df: int, outcome: str
) -> None:
    constant = p in (0.0, 1.0)
    if constant:
        bounds = interval.clopper_pearson([p], [n])
        n_eff = float(n)
    else:
        bounds = interval.korn_graubard([p], [se], [df], [n], capped=True)
        n_eff = p * (1 - p) / se**2
    width = float(bounds.upper[0] - bounds.lower[0])
    facts = _facts(
        n=[float(n)],
        n_eff=[round(n_eff, 6)],
        events=[round(n * p)],
        df=[float(df)],
        width=[width],
        rel_width=[width / p if p else None],
        estimate=[p],
    )
    policy = _policy(repository, "nchs-proportions-2017")
    verdict = judge(facts, policy)
    assert verdict["outcome"].to_list() == [outcome]
    noted = (n, p, df) in COMPLEMENT_UNRELIABLE
    said = "The share of all others may be unreliable." if noted else None
    assert remarks(facts, verdict["outcome"], policy).to_list() == [said]


def test_a_note_is_never_said_of_a_withheld_value(repository: Path) -> None:
    """It would tell that the value is high."""
    facts = _facts(estimate=[0.96], width=[0.08], rel_width=[0.08])
    policy = _policy(repository, "nchs-proportions-2017")
    outcomes = [pl.Series([one], dtype=OUTCOMES) for one in ("present", "review", "suppress")]
    said = [remarks(facts, outcome, policy)[0] for outcome in outcomes]
    assert [text is None for text in said] == [False, True, True]


@pytest.mark.parametrize("name", ["dhs", "mics"])
def test_dhs_and_mics_suppress_under_25_and_flag_under_50(repository: Path, name: str) -> None:
    """DHSProgram/DHS-Indicators-Stata Readme.md; MICS table footnotes: unweighted cases."""
    facts = _facts(n=[0.0, 24.0, 25.0, 49.0, 50.0], se=[None, 0.02, 0.02, 0.02, 0.02])
    verdict = judge(facts, _policy(repository, name))
    assert verdict["outcome"].to_list() == ["suppress", "suppress", "flag", "flag", "present"]
    nobody = "NOBODY" if name == "mics" else "SAMPLE_SIZE"
    assert verdict["reason"].to_list()[:2] == [nobody, "SAMPLE_SIZE"]


def test_nchs_rates_need_ten_on_both_sides_and_160_percent(repository: Path) -> None:
    """Vital and Health Statistics 2(200), Table A: 10 and effective 10 in both, width 160%."""
    usual: dict[str, list[float | None]] = {
        "n_num": [40.0], "n_eff_num": [20.0], "n": [400.0], "n_eff_den": [200.0],
        "rel_width": [1.0],
    }  # fmt: skip
    cases: list[tuple[dict[str, list[float | None]], str, str | None]] = [
        ({}, "present", None),
        ({"n_num": [9.0]}, "suppress", "SAMPLE_SIZE"),
        ({"n_eff_num": [9.9]}, "suppress", "SAMPLE_SIZE"),
        ({"n": [9.0]}, "suppress", "SAMPLE_SIZE"),
        ({"n_eff_den": [9.9]}, "suppress", "SAMPLE_SIZE"),
        ({"n_num": [10.0], "n_eff_num": [10.0]}, "present", None),
        ({"rel_width": [1.60]}, "present", None),
        ({"rel_width": [1.61]}, "suppress", "REL_WIDTH"),
        ({"df": [8.0]}, "present", None),
        ({"df": [7.0]}, "review", "DF"),
        ({"df": [7.0], "rel_width": [1.61]}, "suppress", "REL_WIDTH"),
    ]
    policy = _policy(repository, "nchs-rates-2023")
    for changed, outcome, reason in cases:
        facts = _facts(**{**usual, **changed}).with_columns(statistic=pl.lit("ratio"))
        verdict = judge(facts, policy)
        assert (verdict["outcome"][0], verdict["reason"][0]) == (outcome, reason), changed


def _review(decision: str, **key: str) -> Review:
    return Review(
        "HOU_ELEC",
        "XA:0",
        key,
        decision == "present",
        "A person",
        "2026-11-22",
        "Seen.",
        "r.yaml:2",
    )


def _verdict(*outcomes: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "outcome": pl.Series(outcomes, dtype=OUTCOMES),
            "reason": pl.Series([None] * len(outcomes), dtype=pl.String),
        }
    )


KEYS = pd.DataFrame({"REF_AREA": ["XA", "XA", "XA-01"], "SEX": ["_T", "F", "_T"]})


def test_only_a_cell_under_review_is_decided_by_a_signature() -> None:
    verdict = _verdict("review", "suppress", "review")
    reviews = [_review("present", REF_AREA="XA"), _review("present", REF_AREA="XA", SEX="F")]
    decided = signed(verdict, KEYS, [*reviews, _review("suppress", REF_AREA="XA-01")])
    assert decided["outcome"].to_list() == ["present", "suppress", "suppress"]
    assert decided["reason"].to_list() == ["SIGNED", None, "SIGNED"]
    assert signed(verdict, KEYS, [])["outcome"].to_list() == ["review", "suppress", "review"]


@pytest.mark.parametrize("key", [{"REF_AREA": "XA-09"}, {"REF_AREA": "XA", "AGE": "Y0T14"}])
def test_a_signature_of_no_cell_is_refused(key: dict[str, str]) -> None:
    with pytest.raises(DefinitionError, match=r"r\.yaml:2: key: expected a cell of HOU_ELEC in XA"):
        signed(_verdict("review", "review", "review"), KEYS, [_review("present", **key)])


def test_a_scale_makes_no_cell_of_its_index_milder() -> None:
    verdict = _verdict("present", "flag", "suppress")
    assert at_least(verdict, Outcome.PRESENT, "ALPHA").equals(verdict)
    flagged = at_least(verdict, Outcome.FLAG, "ALPHA")
    assert flagged["outcome"].to_list() == ["flag", "flag", "suppress"]
    assert flagged["reason"].to_list() == ["ALPHA", None, None]
    assert set(at_least(verdict, Outcome.SUPPRESS, "ALPHA")["outcome"]) == {"suppress"}


def test_eu_silc_flags_from_20_and_presents_from_50_people(repository: Path) -> None:
    """gjacopo/PING silc_ind_tabulate.sas: n < 20 or missing > 50 %; n < 50 or missing > 20 %."""
    facts = _facts(
        n=[19.0, 20.0, 49.0, 50.0, 50.0, 50.0, 50.0, 50.0],
        item_nonresponse=[0.0, 0.0, 0.0, 0.0, 0.2, 0.21, 0.5, 0.51],
    )
    assert judge(facts, _policy(repository, "eu-silc"))["outcome"].to_list() == [
        *("suppress", "flag", "flag", "present"),
        *("present", "flag", "flag", "suppress"),
    ]


def test_a_group_in_one_sampled_place_is_never_precise(repository: Path) -> None:
    facts = _facts(psu=[1.0, 2.0, 2.0], df=[0.0, 0.0, 1.0], se=[None, None, 0.02])
    for name in ("house-2026", "eu-silc", "nchs-proportions-2017"):
        verdict = judge(facts, _policy(repository, name))
        assert verdict["outcome"].to_list()[:2] == ["suppress", "suppress"]
        assert verdict["reason"].to_list()[:2] == ["NOT_ESTIMABLE"] * 2


def test_a_rule_about_what_a_statistic_does_not_have_does_not_hold(repository: Path) -> None:
    """A mean has no events and no effective sample size."""
    facts = _facts(n_eff=[None], events=[None], width=[None], rel_width=[None]).with_columns(
        pl.lit("mean").alias("statistic")
    )
    assert judge(facts, _policy(repository, "house-2026"))["outcome"].to_list() == ["present"]


def test_a_policy_is_not_used_beyond_what_it_is_for(repository: Path) -> None:
    facts = _facts(n=[100.0]).with_columns(pl.lit("mean").alias("statistic"))
    with pytest.raises(DefinitionError, match="expected a statistic it applies to"):
        judge(facts, _policy(repository, "nchs-proportions-2017"))


def test_each_reason_a_rule_gives_is_explained(repository: Path) -> None:
    for path in (repository / "dsd/policies/reliability").glob("*.yaml"):
        policy = _policy(repository, path.stem)
        assert {rule.reason for rule in policy.rules} == set(policy.reasons)


def test_small_counts_are_withheld_on_either_side_of_a_share(repository: Path) -> None:
    file = read_yaml(repository / "dsd/policies/disclosure/primary-2026.yaml")
    facts = _facts(n=[9.0, 10.0, 50.0, 50.0, 50.0], events=[4.0, 4.0, 2.0, 48.0, 0.0])
    assert primary(facts, disclosure_of(file)).to_list() == [True, False, True, True, False]


def _cells(*rows: tuple[str, str, int]) -> tuple[np.ndarray, list[Margin]]:
    """Return counts and margins of cells by area and sex; Z is the parent of A, B and C."""
    keys = pl.DataFrame(rows, schema=["REF_AREA", "SEX", "n"], orient="row")
    parents = {"Z": None, "A": "Z", "B": "Z", "C": "Z"}
    margins = margins_of(keys.select("REF_AREA", "SEX"), ["SEX"], "REF_AREA", parents)
    return keys["n"].to_numpy(), margins


def _recoverable(withheld: np.ndarray, margins: list[Margin]) -> np.ndarray:
    """Return the withheld cells that follow from the open ones: a linear system's row space."""
    system = np.zeros((len(margins), len(withheld)))
    for row, margin in enumerate(margins):
        system[row, margin.total] = -1
        system[row, list(margin.parts)] = 1
    unknown = system[:, withheld]
    alone = np.zeros(len(withheld), dtype=bool)
    rank = np.linalg.matrix_rank(unknown) if unknown.size else 0
    for place, cell in enumerate(np.flatnonzero(withheld)):
        unit = np.zeros((1, unknown.shape[1]))
        unit[0, place] = 1
        alone[cell] = np.linalg.matrix_rank(np.vstack([unknown, unit])) == rank
    return alone


TABLE = [
    *(("Z", "_T", 310), ("Z", "F", 100), ("Z", "M", 210)),
    *(("A", "_T", 90), ("A", "F", 5), ("A", "M", 85)),
    *(("B", "_T", 120), ("B", "F", 50), ("B", "M", 70)),
    *(("C", "_T", 100), ("C", "F", 45), ("C", "M", 55)),
]


def test_margins_add_up() -> None:
    n, margins = _cells(*TABLE)
    assert len(margins) == 4 + 3
    assert all(n[margin.total] == n[list(margin.parts)].sum() for margin in margins)


@given(st.lists(st.booleans(), min_size=12, max_size=12), st.data())
def test_no_secret_follows_by_subtraction_from_what_stays_open(
    hidden: list[bool], data: st.DataObject
) -> None:
    """Whatever is withheld and secret at first: chains of subtraction end before a secret."""
    n, margins = _cells(*TABLE)
    withheld = np.array(hidden)
    flags = data.draw(st.lists(st.booleans(), min_size=12, max_size=12))
    secret = withheld & np.array(flags)
    after = withheld | complements(n, secret, withheld, margins)
    known = ~after
    while True:
        alone = [
            next(cell for cell in margin.cells if not known[cell])
            for margin in margins
            if sum(not known[cell] for cell in margin.cells) == 1
        ]
        if not alone:
            break
        known[alone] = True
    assert not (known & secret).any()


def test_one_secret_in_a_table_gets_a_rectangle_of_companions() -> None:
    """The smallest cover in a two-way table with all margins: a second row and a second column."""
    n, margins = _cells(*TABLE)
    secret = np.zeros(12, dtype=bool)
    secret[4] = True
    after = secret | complements(n, secret, secret, margins)
    assert not _recoverable(after, margins)[4]
    assert after.sum() == 4


def test_a_cover_that_can_itself_be_subtracted_away_is_no_cover() -> None:
    """A/M is hidden for reliability only, and follows from Z/M less B/M and C/M."""
    n, margins = _cells(*TABLE)
    secret = np.zeros(12, dtype=bool)
    secret[4] = True
    withheld = secret.copy()
    withheld[5] = True
    after = withheld | complements(n, secret, withheld, margins)
    assert not _recoverable(after, margins)[4]


def test_people_of_no_group_are_a_part_that_a_total_gives_away() -> None:
    """All groups open, and four people who answered but were placed in none of them."""
    n = np.array([94, 30, 60, 4])
    secret = np.array([False, False, False, True])
    assert complements(n, secret, secret, [Margin(0, (1, 2, 3))]).tolist() == [
        *(False, True, False, False)
    ]


def test_what_is_withheld_for_reliability_alone_needs_no_companion() -> None:
    n, margins = _cells(*TABLE)
    withheld = np.arange(12) == 4
    assert not complements(n, np.zeros(12, dtype=bool), withheld, margins).any()


def test_a_withheld_observation_carries_no_number_and_one_public_code() -> None:
    frame = pl.DataFrame({"OBS_VALUE": [1.0, 2.0, 3.0, 4.0], "STD_ERR": [0.1] * 4})
    outcome = pl.Series(["present", "flag", "review", "suppress"])
    shown = with_status(frame, outcome, ["OBS_VALUE", "STD_ERR"])
    assert shown["OBS_VALUE"].to_list() == [1.0, 2.0, None, None]
    assert shown["STD_ERR"].to_list() == [0.1, 0.1, None, None]
    assert shown["OBS_STATUS"].to_list() == ["A", "U", "Q", "Q"]
    assert shown["CONF_STATUS"].to_list() == ["F", "F", "C", "C"]
    assert shown["RELIABILITY"].to_list() == ["PRESENT", "FLAG", "WITHHELD", "WITHHELD"]
