"""A scale as its office declares it: items, how they are scored, and when the index is shown."""

from __future__ import annotations

from dataclasses import dataclass

from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = ["Item", "Scale", "scale_of"]


@dataclass(frozen=True)
class Item:
    """One item: its code, the harmonised variable of its answers, their range and direction."""

    id: str
    variable: str
    lowest: float
    highest: float
    reverse: bool


@dataclass(frozen=True)
class Scale:
    """Items that are scored into one index a person.

    ``minimum_valid`` items must be answered. Under ``withhold_below`` the nation's alpha keeps the
    index back everywhere, under ``flag_below`` it is flagged; the items are published in any case.
    """

    id: str
    survey: str
    items: tuple[Item, ...]
    scoring: str
    minimum_valid: int
    multiplier: float
    withhold_below: float
    flag_below: float
    limits: str
    place: str


def scale_of(file: YamlFile) -> Scale:
    """Build the scale that a YAML file, already held to its schema, declares."""
    content = file.content
    items = []
    for name, declared in content["items"].items():
        low, high = declared["range"]
        if not low < high:
            raise DefinitionError(
                file.place(("items", name, "range")),
                got=f"[{low}, {high}]",
                expected="the lowest answer of the questionnaire, then the highest",
            )
        items.append(
            Item(
                name,
                declared["variable"],
                float(low),
                float(high),
                declared.get("reverse", False),
            )
        )
    needed = content.get("minimum_valid", len(items))
    if needed > len(items):
        raise DefinitionError(
            file.place(("minimum_valid",)), got=needed, expected=f"1 to {len(items)} items"
        )
    alpha = content["alpha"]
    if not alpha["withhold_below"] <= alpha["flag_below"]:
        raise DefinitionError(
            file.place(("alpha", "flag_below")),
            got=alpha["flag_below"],
            expected=f"{alpha['withhold_below']} or more, from which the index is published",
        )
    return Scale(
        id=content["id"],
        survey=content["survey"],
        items=tuple(items),
        scoring=content["scoring"],
        minimum_valid=needed,
        multiplier=float(content.get("multiplier", 1.0)),
        withhold_below=float(alpha["withhold_below"]),
        flag_below=float(alpha["flag_below"]),
        limits=content["limits"],
        place=file.place(),
    )
