"""Reliability and disclosure policies as an office declares them, each citing its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = [
    "FACTS",
    "DisclosurePolicy",
    "Outcome",
    "ReliabilityPolicy",
    "Rule",
    "disclosure_of",
    "reliability_of",
]


# What a rule may ask of an estimate; ``protect.reliability.judge`` says what each is.
FACTS = (
    *("statistic", "n", "n_eff", "events", "psu", "df", "se", "cv", "width", "rel_width"),
    "item_nonresponse",
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
class ReliabilityPolicy:
    """Rules in order, the first that holds decides; ``applies_to`` are statistics."""

    id: str
    title: str
    url: str
    applies_to: frozenset[str]
    rules: tuple[Rule, ...]
    reasons: dict[str, str]


@dataclass(frozen=True)
class DisclosurePolicy:
    """Conditions under which a cell is withheld to protect people; the first version is primary."""

    id: str
    title: str
    url: str
    rules: tuple[Rule, ...]


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
    )


def disclosure_of(file: YamlFile) -> DisclosurePolicy:
    """Build the disclosure policy that a YAML file, already held to its schema, declares."""
    content = file.content
    return DisclosurePolicy(
        id=content["id"],
        title=content["title"],
        url=content["url"],
        rules=tuple(
            Rule(
                _condition(file, position, "withhold_if"),
                Outcome.SUPPRESS,
                "CONFIDENTIAL",
            )
            for position in range(len(content["rules"]))
        ),
    )
