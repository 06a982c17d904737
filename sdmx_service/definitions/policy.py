"""Reliability and disclosure policies as an office declares them, each citing its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = [
    "FACTS",
    "Coarsening",
    "DisclosurePolicy",
    "Dominance",
    "Note",
    "Outcome",
    "ReliabilityPolicy",
    "Rule",
    "Width",
    "disclosure_of",
    "reliability_of",
]


# What a rule may ask of an estimate; ``protect.reliability.judge`` says what each is.
FACTS = (
    *("statistic", "estimate", "n", "n_eff", "n_star", "events", "n_num", "n_eff_num", "n_eff_den"),
    *("psu", "df", "se", "cv", "width", "rel_width", "item_nonresponse"),
)


class Outcome(Enum):
    """What a reliability rule decides, mildest first."""

    PRESENT = "present"
    FLAG = "flag"
    REVIEW = "review"
    SUPPRESS = "suppress"


@dataclass(frozen=True)
class Rule:
    """If the condition holds of an estimate, this outcome, for this reason."""

    condition: Expression
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Note:
    """What is said beside a published estimate of which the condition holds."""

    id: str
    condition: Expression
    text: str


@dataclass(frozen=True)
class ReliabilityPolicy:
    """Rules in order, the first that holds decides; ``applies_to`` are statistics.

    ``notes`` are said beside what is published.
    """

    id: str
    title: str
    url: str
    applies_to: frozenset[str]
    rules: tuple[Rule, ...]
    reasons: dict[str, str]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Width:
    """How far a withheld figure must stay uncertain: ``people``, and ``share`` of itself.

    The larger of the two counts; a weighted sum is counted in people of the cell's mean weight.
    """

    people: float
    share: float


@dataclass(frozen=True)
class Dominance:
    """When few contributions make up an amount in one of ``units``; None: no such rule.

    ``one``: the largest is over that percentage of the whole; ``few``: the n largest together
    are over k per cent; ``p``: the second can estimate the first to within p per cent.
    """

    units: frozenset[str]
    one: float | None
    few: tuple[int, float] | None
    p: float | None


@dataclass(frozen=True)
class Coarsening:
    """What a policy withholds whatever the numbers: crossings, levels of areas, dimensions."""

    crossings: bool = False
    levels: frozenset[int] = frozenset()
    dimensions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DisclosurePolicy:
    """What is withheld to protect people, and how well; its numbers never show in a message.

    ``rules`` are conditions under which a cell is confidential, ``width`` the uncertainty that
    must remain about withheld cells, ``base`` what counts are rounded to a multiple of (1: not).
    """

    id: str
    title: str
    url: str
    rules: tuple[Rule, ...] = field(repr=False)
    width: Width = field(default=Width(1.0, 0.0), repr=False)
    dominance: Dominance | None = field(default=None, repr=False)
    coarser: Coarsening = field(default=Coarsening(), repr=False)
    base: int = field(default=1, repr=False)


def _condition(file: YamlFile, position: int, field: str) -> Expression:
    rule = file.content["rules"][position]
    condition = Expression(rule[field], file.place(("rules", position, field)))
    condition.over(FACTS)  # an unknown fact is refused here, not in the middle of a build
    return condition


def reliability_of(file: YamlFile) -> ReliabilityPolicy:
    """Build the reliability policy that a YAML file, already held to its schema, declares."""
    content = file.content
    for position, rule in enumerate(content["rules"]):
        if rule["reason"] not in content["reasons"]:
            raise DefinitionError(
                file.place(("rules", position, "reason")),
                got=rule["reason"],
                expected=f"one of the reasons below: {', '.join(content['reasons'])}",
            )
    return ReliabilityPolicy(
        id=content["id"],
        title=content["title"],
        url=content["url"],
        applies_to=frozenset(content["applies_to"]),
        rules=tuple(
            Rule(
                _condition(file, position, "if"),
                Outcome(rule["then"]),
                rule["reason"],
            )
            for position, rule in enumerate(content["rules"])
        ),
        reasons=dict(content["reasons"]),
        notes=tuple(_note(file, position) for position in range(len(content.get("notes", ())))),
    )


def _note(file: YamlFile, position: int) -> Note:
    declared = file.content["notes"][position]
    condition = Expression(declared["if"], file.place(("notes", position, "if")))
    condition.over((*FACTS, "outcome"))
    return Note(declared["note"], condition, declared["text"])


def _number(file: YamlFile, *field: str | int, low: float, high: float = float("inf")) -> float:
    """Return a number of a disclosure policy; where it is wrong the message does not repeat it."""
    value: Any = file.content
    for name in field:
        value = value[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise DefinitionError(
            file.place(field),
            expected="a number in its range",
            hint="docs/methods/protection.md says what it means; its value is not shown here",
        )
    return float(value)


def _confidential(file: YamlFile, position: int) -> Rule:
    field = ("rules", position, "withhold_if")
    try:
        condition = _condition(file, position, "withhold_if")
    except DefinitionError:
        # The error would quote the rule, and the rule's numbers are confidential.
        raise DefinitionError(
            file.place(field),
            expected=f"a condition on {', '.join(FACTS)}",
            hint="the condition itself is not shown here",
        ) from None
    return Rule(condition, Outcome.SUPPRESS, "CONFIDENTIAL")


def _dominance(file: YamlFile) -> Dominance | None:
    content = file.content.get("dominance")
    if content is None:
        return None
    few = None
    if "few" in content:
        n = _number(file, "dominance", "few", "n", low=1)
        few = (int(n), _number(file, "dominance", "few", "k", low=0, high=100))
    return Dominance(
        units=frozenset(content["units"]),
        one=_number(file, "dominance", "one", low=0, high=100) if "one" in content else None,
        few=few,
        p=_number(file, "dominance", "p", low=0) if "p" in content else None,
    )


def disclosure_of(file: YamlFile) -> DisclosurePolicy:
    """Build the disclosure policy that a YAML file, already held to its schema, declares."""
    content = file.content
    coarser = content.get("withhold", {})
    return DisclosurePolicy(
        id=content["id"],
        title=content["title"],
        url=content["url"],
        rules=tuple(_confidential(file, position) for position in range(len(content["rules"]))),
        width=Width(
            _number(file, "width", "people", low=0), _number(file, "width", "share", low=0)
        ),
        dominance=_dominance(file),
        coarser=Coarsening(
            coarser.get("crossings", False),
            frozenset(coarser.get("levels", ())),
            frozenset(coarser.get("dimensions", ())),
        ),
        base=int(_number(file, "rounding", "base", low=1)) if "rounding" in content else 1,
    )
