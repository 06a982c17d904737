"""The totals that an office declares its weights to be calibrated to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = ["CalibrationMethod", "DeclaredCalibration", "DeclaredMargin", "calibration_of"]

Field = tuple[str | int, ...]


class CalibrationMethod(Enum):
    """How weights are made to reach known totals."""

    POSTSTRATIFY = "poststratify"
    RAKE = "rake"
    LINEAR = "linear"
    TRUNCATED = "truncated"
    LOGIT = "logit"

    @property
    def regresses(self) -> bool:
        """Whether it takes amounts beside margins, and bounds."""
        return self in (self.LINEAR, self.TRUNCATED, self.LOGIT)


@dataclass(frozen=True)
class DeclaredMargin:
    """The people there are in each group of ``by``, harmonised columns; groups are ``A/B``."""

    place: str
    by: tuple[str, ...]
    totals: Mapping[str, float]


@dataclass(frozen=True)
class DeclaredCalibration:
    """The totals that weights are calibrated to; ``amounts`` are those of numeric variables.

    Rows with the same values of the file's columns ``within`` have the same change of weight.
    """

    place: str
    method: CalibrationMethod
    margins: tuple[DeclaredMargin, ...]
    amounts: Mapping[str, float]
    bounds: tuple[float, float] | None
    within: tuple[str, ...] = ()


def _flat(file: YamlFile, where: Field, totals: Mapping[Any, Any], depth: int) -> dict[str, float]:
    """Return the totals of combined groups by their names joined with a slash."""
    found: dict[str, float] = {}
    for label, total in totals.items():
        inner = (*where, str(label))
        nested = isinstance(total, Mapping)
        if nested is not (depth > 1):
            raise DefinitionError(
                file.place(inner),
                got="groups inside of it" if nested else total,
                expected="a number" if nested else "the groups of the next column inside of it",
                hint="totals have one level for each column of `by`",
            )
        if isinstance(total, Mapping):
            parts = _flat(file, inner, total, depth - 1)
            found |= {f"{label}/{name}": number for name, number in parts.items()}
        else:
            found[str(label)] = float(total)
    return found


def _margin(
    file: YamlFile, where: Field, content: Mapping[str, Any], groups: Mapping[str, Collection[str]]
) -> DeclaredMargin:
    by = tuple(content["by"])
    for name in by:
        _known_column(file, (*where, "by"), name, groups)
    totals = _flat(file, (*where, "totals"), content["totals"], len(by))
    for label in totals:
        for name, code in zip(by, label.split("/"), strict=True):
            if groups[name] and code not in groups[name]:
                raise DefinitionError(
                    file.place((*where, "totals", *label.split("/"))),
                    got=code,
                    expected=f"a group of {name}: {', '.join(groups[name])}",
                )
    return DeclaredMargin(file.place(where), by, totals)


def _known_column(
    file: YamlFile, where: Field, name: str, groups: Mapping[str, Collection[str]]
) -> None:
    if name not in groups:
        raise DefinitionError(
            file.place(where),
            got=name,
            expected=f"a harmonised column: {', '.join(groups)}",
            hint="known totals are of variables, breakdowns or AREA_1, AREA_2 ..., as declared "
            "here",
        )


def calibration_of(
    file: YamlFile, content: Mapping[str, Any], groups: Mapping[str, Collection[str]]
) -> DeclaredCalibration:
    """Return what ``design.calibration`` declares; ``groups`` are the columns with their codes.

    Raises DefinitionError for a column or a group that is not declared, and for margins of
    different populations.
    """
    where: Field = ("design", "calibration")
    method = CalibrationMethod(content["method"])
    margins = tuple(
        _margin(file, (*where, "margins", at), margin, groups)
        for at, margin in enumerate(content.get("margins", ()))
    )
    amounts = {name: float(total) for name, total in content.get("amounts", {}).items()}
    for name in amounts:
        _known_column(file, (*where, "amounts", name), name, groups)
    if not margins and not amounts:
        raise DefinitionError(file.place(where), expected="margins, or amounts")
    if method is CalibrationMethod.POSTSTRATIFY and len(margins) != 1:
        raise DefinitionError(
            file.place((*where, "margins")),
            got=f"{len(margins)} margins",
            expected="one to post-stratify by",
            hint="cross them in one (by: [SEX, AGE]), or rake",
        )
    for name in ("amounts", "bounds", "within"):
        if name in content and not method.regresses:
            raise DefinitionError(
                file.place((*where, name)),
                got=f"{name} with method {method.value}",
                expected=f"{name} with linear, truncated or logit alone",
            )
    if method in (CalibrationMethod.TRUNCATED, CalibrationMethod.LOGIT) and "bounds" not in content:
        raise DefinitionError(
            file.place((*where, "method")),
            got=method.value,
            expected="the field bounds beside it",
            hint="the least and the largest change of a weight, such as [0.5, 2]",
        )
    sums = [sum(margin.totals.values()) for margin in margins]
    for at, people in enumerate(sums[1:], start=1):
        if abs(people - sums[0]) > 1e-6 * sums[0]:
            raise DefinitionError(
                file.place((*where, "margins", at, "totals")),
                got=f"totals that add up to {people:.10g}",
                expected=f"{sums[0]:.10g} people, as in the first margin",
            )
    bounds = content.get("bounds")
    if bounds is not None and not 0 <= bounds[0] < 1 < bounds[1]:
        raise DefinitionError(
            file.place((*where, "bounds")),
            got=bounds,
            expected="the least and the largest change of a weight, around 1: [0.5, 2]",
        )
    return DeclaredCalibration(
        place=file.place(where),
        method=method,
        margins=margins,
        amounts=amounts,
        bounds=None if bounds is None else (float(bounds[0]), float(bounds[1])),
        within=tuple(content.get("within", ())),
    )
