"""Enforced lack, material and social deprivation, work intensity, and poverty or exclusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sdmx_service.errors import DataError, DefinitionError
from sdmx_service.survey import estimate, poverty
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.influence import Booleans, Floats, Sums
from sdmx_service.survey.outcome import known_values
from sdmx_service.survey.poverty import PovertyLine

__all__ = [
    "ARREARS",
    "CAPACITY",
    "HAVE_OR_REASON",
    "MODERATE",
    "SEVERE",
    "Answer",
    "AnyOf",
    "DeprivationRule",
    "HouseholdWork",
    "MissingReason",
    "Undecided",
    "WorkIntensity",
    "any_lack",
    "at_risk",
    "deprived",
    "enforced_lack",
    "exclusion_pattern",
    "lack",
    "low_work_intensity",
    "personal_lack",
    "work_intensity",
]

# A share of months of exactly one fifth is 20 per cent, whatever the last bits say.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Answer:
    """The codes of one question that are a lack, that are none, and that are missing.

    EU-SILC's three-answer items have lack {2} "no, cannot afford" and no lack {1, 3}: who does not
    have it for another reason is not deprived. Its capacity items have lack {2} and no lack {1}.
    """

    lack: frozenset[float]
    no_lack: frozenset[float]
    missing: frozenset[float] = frozenset()

    def __post_init__(self) -> None:
        if self.lack & self.no_lack or (self.lack | self.no_lack) & self.missing:
            raise DefinitionError(
                "codes of an item", got="one code twice", expected="each code in one set"
            )


# EU-SILC's codes: 1 yes, 2 no cannot afford, 3 no other reason; 1 yes, 2 no; 1 once, 2 more often,
# 3 never in arrears, -2 nothing to be in arrears with.
HAVE_OR_REASON = Answer(frozenset({2.0}), frozenset({1.0, 3.0}))
CAPACITY = Answer(frozenset({2.0}), frozenset({1.0}))
ARREARS = Answer(frozenset({1.0, 2.0}), frozenset({3.0, -2.0}))


class MissingReason(Enum):
    """What someone is who does not have a thing and does not say why."""

    MISSING = "missing"
    NOT_LACKING = "not lacking"
    LACKING = "lacking"


class Undecided(Enum):
    """What someone is whose missing answers could decide.

    LISTWISE: one missing item makes the outcome missing. DECIDED: the outcome is missing only if
    the answers given leave it open. NOT_LACKING: a missing item is no lack.
    """

    LISTWISE = "listwise"
    DECIDED = "decided"
    NOT_LACKING = "not lacking"


class AnyOf(Enum):
    """When an item of several questions is a lack (arrears on rent, bills, loans)."""

    ANY_KNOWN = "any lack among the answers given; missing if none is given"
    ALL_KNOWN = "any lack; missing if there is none and an answer is missing"


def lack(column: ArrayLike, answer: Answer, *, name: str = "item") -> Floats:
    """Return 1 for a lack, 0 for none, NaN for missing, (n,).

    Raises DataError for a code that is in none of the three sets.
    """
    values = pd.Series(column).to_numpy(dtype=np.float64, na_value=np.nan)
    lacks, has = np.isin(values, list(answer.lack)), np.isin(values, list(answer.no_lack))
    unknown = ~(lacks | has | np.isnan(values) | np.isin(values, list(answer.missing)))
    if unknown.any():
        raise DataError(
            f"{name}, row {int(np.flatnonzero(unknown)[0]) + 1}",
            got=float(values[unknown][0]),
            expected=f"one of the codes {_codes(answer)}, or missing",
            hint=f"{int(unknown.sum())} rows have codes that are not declared",
        )
    return np.where(lacks, 1.0, np.where(has, 0.0, np.nan))


def _codes(answer: Answer) -> str:
    every = sorted(answer.lack | answer.no_lack | answer.missing)
    return ", ".join(f"{code:g}" for code in every)


def enforced_lack(
    have: ArrayLike,
    reason: ArrayLike,
    *,
    has: Answer,
    because: Answer,
    missing_reason: MissingReason = MissingReason.MISSING,
    name: str = "item",
) -> Floats:
    """Return the enforced lack of a thing asked for by two questions: 1, 0 or NaN, (n,).

    ``has`` codes the first question (its lack is "does not have"), ``because`` the second (its lack
    is "cannot afford", its no lack "other reason"). Only who does not have it and cannot afford it
    is deprived; the reason of who has it does not count. Errors as ``lack``.
    """
    without = lack(have, has, name=f"{name}: have")
    forced = lack(reason, because, name=f"{name}: reason")
    if len(without) != len(forced):
        raise ValueError(f"{len(without)} answers and {len(forced)} reasons")
    if missing_reason is not MissingReason.MISSING:
        assumed = 1.0 if missing_reason is MissingReason.LACKING else 0.0
        forced = np.where(np.isnan(forced), assumed, forced)
    return np.where(without == 1, forced, without)


def any_lack(columns: Sequence[ArrayLike], *, rule: AnyOf = AnyOf.ANY_KNOWN) -> Floats:
    """Return whether any of several lacks (each (n,) of 1, 0, NaN) is there: one item of them.

    A question that does not apply to a household is 0, not NaN.
    """
    table = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
    known = ~np.isnan(table)
    some = (table == 1).any(axis=1)
    enough = known.any(axis=1) if rule is AnyOf.ANY_KNOWN else known.all(axis=1)
    return np.where(some, 1.0, np.where(enough, 0.0, np.nan))


def personal_lack(
    lacks: ArrayLike, age: ArrayLike, household: ArrayLike, *, adult_age: float = 16
) -> Floats:
    """Return the lack of a personal item for everybody, children by the adults they live with.

    A child under ``adult_age`` lacks it if at least half of the household's adults for whom the
    answer is known lack it (Eurostat, Glossary: Child deprivation); missing if it is known for
    none. A person without an age keeps no answer (NaN), nor do they count as an adult.
    """
    values, years = np.asarray(lacks, dtype=np.float64), np.asarray(age, dtype=np.float64)
    home, labels = _homes(household, len(values))
    informs = (years >= adult_age) & ~np.isnan(values)
    known = np.bincount(home[informs], minlength=labels)
    lacking = np.bincount(home[informs], values[informs], minlength=labels)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_children = np.where(known > 0, (2 * lacking >= known).astype(float), np.nan)
    return np.select([years >= adult_age, years < adult_age], [values, of_children[home]], np.nan)


def _homes(
    household: ArrayLike, rows: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], int]:
    codes, labels = pd.factorize(pd.Series(household))
    if len(codes) != rows:
        raise ValueError(f"{len(codes)} households for {rows} persons")
    if (codes < 0).any():
        raise DataError(
            f"household, row {int(np.flatnonzero(codes < 0)[0]) + 1}",
            got="missing",
            expected="the household of every person",
        )
    return np.asarray(codes, dtype=np.intp), len(labels)


@dataclass(frozen=True)
class DeprivationRule:
    """Deprived with ``threshold`` lacks or more; a child also needs some of the household's items.

    ``child_household`` is the number of household lacks a child under ``adult_age`` needs.
    """

    threshold: int
    child_household: int = 3
    adult_age: float = 16
    undecided: Undecided = Undecided.DECIDED


# Eurostat, since 2021: 7 of 13 is severe, 5 of 13 is material and social deprivation.
SEVERE, MODERATE = DeprivationRule(threshold=7), DeprivationRule(threshold=5)


def deprived(
    household_items: Mapping[str, ArrayLike],
    personal_items: Mapping[str, ArrayLike],
    age: ArrayLike,
    *,
    rule: DeprivationRule = SEVERE,
) -> Floats:
    """Return who is materially and socially deprived, 1, 0 or NaN, (n,).

    The columns (n,) hold 1 lack, 0 none, NaN missing; household items are repeated for each member,
    personal ones are those of ``personal_lack``, children included. EU-SILC has 7 and 6 of them.

    Raises DefinitionError for a threshold that the items cannot reach.
    """
    count = len(household_items) + len(personal_items)
    if not 1 <= rule.threshold <= count:
        raise DefinitionError(
            "deprivation", got=f"{rule.threshold} of {count} items", expected=f"1 to {count} items"
        )
    years = np.asarray(age, dtype=np.float64)
    home = _lacks(household_items, len(years))
    personal = _lacks(personal_items, len(years))
    child = years < rule.adult_age

    def enough(home_lacks: Floats, personal_lacks: Floats) -> Booleans:
        of_home = home_lacks.sum(axis=1)
        reached = of_home + personal_lacks.sum(axis=1) >= rule.threshold
        both: Booleans = reached & (~child | (of_home >= rule.child_household))
        return both

    surely = enough(np.nan_to_num(home, nan=0.0), np.nan_to_num(personal, nan=0.0))
    possibly = enough(np.nan_to_num(home, nan=1.0), np.nan_to_num(personal, nan=1.0))
    if rule.undecided is Undecided.DECIDED:
        known = surely == possibly
    elif rule.undecided is Undecided.LISTWISE:
        known = ~(np.isnan(home).any(axis=1) | np.isnan(personal).any(axis=1))
    else:
        known = np.full(len(years), True)
    # with no answer at all nobody is known to lack nothing
    answered = ~(np.isnan(home).all(axis=1) & np.isnan(personal).all(axis=1))
    return np.where(known & answered & ~np.isnan(years), surely.astype(np.float64), np.nan)


def _lacks(items: Mapping[str, ArrayLike], rows: int) -> Floats:
    if not items:
        return np.zeros((rows, 0))
    table = np.column_stack([np.asarray(column, dtype=np.float64) for column in items.values()])
    wrong = ~np.isnan(table) & (table != 0) & (table != 1)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"lack of {list(items)[column]}, row {row + 1}",
            got=float(table[row, column]),
            expected="1 lack, 0 no lack, or missing",
            hint="turn the codes of the questionnaire into lacks first",
        )
    return table


@dataclass(frozen=True)
class WorkIntensity:
    """Who is a working-age adult, whom low intensity is said of, and what is low.

    ``cut`` is included unless ``strict``: Eurostat's SDG page says "equal or less than 20 %", its
    table of the same indicator "less than".
    """

    cut: float = 0.20
    strict: bool = False
    adult_from: float = 18
    adult_to: float = 64
    population_to: float = 64


@dataclass(frozen=True, eq=False)
class HouseholdWork:
    """Of each person's household (n,): its work intensity, 0..1, and whether it can have one.

    ``intensity`` is NaN where months are missing, and where ``applicable`` is false: there is no
    working-age adult to count (RX050 code 2).
    """

    intensity: Floats
    applicable: Booleans


def work_intensity(
    worked: ArrayLike,
    workable: ArrayLike,
    age: ArrayLike,
    household: ArrayLike,
    *,
    excluded: ArrayLike,
    rule: WorkIntensity | None = None,
) -> HouseholdWork:
    """Return the work intensity of each person's household.

    The months ``worked`` by its adults over the months they could have: of the ages of ``rule``,
    without those ``excluded`` (n,): students of 18 to 24, the retired and who has a pension other
    than a survivor's, the inactive of 60 to 64 in a household that lives mainly on pensions. The
    months of one missing, the household's intensity is.

    Raises DataError for more months worked than possible.
    """
    rule = rule or WorkIntensity()
    done, possible = np.asarray(worked, dtype=np.float64), np.asarray(workable, dtype=np.float64)
    years = np.asarray(age, dtype=np.float64)
    home, homes = _homes(household, len(done))
    adult = (years >= rule.adult_from) & (years < rule.adult_to + 1)
    adult &= ~np.asarray(excluded, dtype=np.bool_)
    over = adult & ((done > possible) | (done < 0))
    if over.any():
        row = int(np.flatnonzero(over)[0])
        raise DataError(
            f"months worked, row {row + 1}",
            got=float(done[row]),
            expected=f"0 to {possible[row]:g} months, as many as could be worked",
        )
    # a missing month of one adult makes the household's sum, and so its intensity, missing
    total = np.bincount(home[adult], done[adult], minlength=homes)
    most = np.bincount(home[adult], possible[adult], minlength=homes)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(most > 0, total / most, np.nan)
    counted = np.bincount(home[adult], minlength=homes) > 0
    return HouseholdWork(share[home], counted[home])


def low_work_intensity(
    work: HouseholdWork, age: ArrayLike, *, rule: WorkIntensity | None = None
) -> Floats:
    """Return who lives in a household with (quasi-)very low work intensity, 1, 0 or NaN, (n,).

    Nobody over the ages of ``rule`` does, nor anyone whose household has no working-age adult to
    count. For them the answer is 0, as the union of AROPE needs it; the published share is among
    those concerned, by its universe.
    """
    rule = rule or WorkIntensity()
    share, years = work.intensity, np.asarray(age, dtype=np.float64)
    low = share < rule.cut - _TOLERANCE if rule.strict else share <= rule.cut + _TOLERANCE
    found = np.where(np.isnan(share), np.nan, low.astype(np.float64))
    concerned = (years < rule.population_to + 1) & work.applicable
    return np.where(np.isnan(years), np.nan, np.where(concerned, found, 0.0))


def exclusion_pattern(poor: ArrayLike, severe: ArrayLike, low: ArrayLike) -> pd.Series[str]:
    """Return EU-SILC's RX070, "000" to "111": poor, deprived, low work intensity; else missing."""
    parts = [pd.Series(np.asarray(part, dtype=np.float64)) for part in (poor, severe, low)]
    known = pd.concat(parts, axis=1).notna().all(axis=1)
    digits = [part.fillna(0.0).astype(int).astype(str) for part in parts]
    joined: pd.Series[str] = (digits[0] + digits[1] + digits[2]).where(known)
    return joined


def at_risk(
    design: Design,
    cells: Cells,
    income: ArrayLike,
    severe: ArrayLike,
    low: ArrayLike,
    *,
    line: PovertyLine | None = None,
    universe: Booleans | None = None,
    population: Booleans | None = None,
    undecided: Undecided = Undecided.LISTWISE,
) -> Estimates:
    """Return ARPR, SMSD, LWI and their union AROPE by cell with one covariance, 4 K estimates.

    ``income`` (n,) is equivalised disposable income, ``severe`` and ``low`` (n,) are 1, 0 or NaN.
    The keys have a column ``measure``; LWI is the share of all, not of those it is said of.
    Nobody counts twice: AROPE = P(s) + P(not s) P(income under the line | not s), s being deprived
    or of low work intensity, and the line's own variance is part of it as in ``poverty.rate``,
    whose arguments the others are. A component is estimated from those who have it; AROPE is
    missing for who lacks one (LISTWISE), or only where the ones known are all 0 (DECIDED), or takes
    a missing ``severe`` or ``low`` for 0 (NOT_LACKING).
    """
    incomes, has_income = known_values(design, income)
    s, known_s = known_values(design, severe)
    w, known_w = known_values(design, low)
    both = known_s & known_w
    other = ((s == 1) | (w == 1)).astype(np.float64)
    if undecided is Undecided.LISTWISE:
        known = both & has_income
    elif undecided is Undecided.DECIDED:
        known = (other == 1) | (both & has_income)
    else:
        known = (other == 1) | has_income
    about = known if universe is None else known & universe
    clear = estimate.proportion(
        design, cells, np.where(known, 1.0 - other, np.nan), universe=universe
    )
    remaining = poverty.rate(
        design,
        cells,
        np.where(has_income, incomes, np.nan),
        line=line,
        universe=about & (other == 0),
        population=population,
    )
    parts = {
        "ARPR": poverty.rate(
            design, cells, incomes, line=line, universe=universe, population=population
        ),
        "SMSD": estimate.proportion(design, cells, s, universe=universe),
        "LWI": estimate.proportion(design, cells, w, universe=universe),
        "AROPE": _union(clear, remaining),
    }
    named = [replace(e, keys=e.keys.assign(measure=name)) for name, e in parts.items()]
    return named[0].stack(named[1]).stack(named[2]).stack(named[3])


def _union(clear: Estimates, remaining: Estimates) -> Estimates:
    """Return 1 - a + a b: a the share ``clear`` of the rest, b the poverty rate of those clear.

    The design effect is against a simple random sample that knows the line.
    """
    a, b = clear.value, np.nan_to_num(remaining.value)
    value = 1.0 - a + a * b
    n = clear.n
    with np.errstate(divide="ignore", invalid="ignore"):
        simple = np.where(n > 1, value * (1.0 - value) / (n - 1), np.nan)
    sums = Sums(
        value,
        (b - 1.0) * clear.influence + np.nan_to_num(a) * remaining.influence,
        clear.sums.denominator,
        clear.sums.rows,
        clear.n - clear.events + remaining.events,
        clear.missing,
        clear.weight_sum,
        simple,
    )
    return replace(clear, sums=sums, reach=remaining.reach)
