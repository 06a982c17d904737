"""The statistics that an indicator may ask for, and the fields that each of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from sdmx_service.definitions.expression import Expression
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = [
    "Deprivation",
    "Form",
    "Poverty",
    "Statistic",
    "deprivations_of",
    "form_of",
    "parameters_of",
]


class Statistic(Enum):
    """The estimator of an indicator; each names the fields it needs."""

    PROPORTION = "proportion"
    MEAN = "mean"
    RATIO = "ratio"
    QUANTILE = "quantile"
    QUANTILE_RATIO = "quantile_ratio"
    POVERTY_RATE = "poverty_rate"
    MEDIAN_POVERTY_GAP = "median_poverty_gap"
    POVERTY_GAP = "poverty_gap"
    SHARE_RATIO = "share_ratio"
    GINI = "gini"
    ENTROPY = "entropy"
    ATKINSON = "atkinson"
    MULTIDIMENSIONAL = "multidimensional"
    SCALE_MEAN = "scale_mean"


class Poverty(Enum):
    """Which Alkire-Foster measure: the share of the poor H, their intensity A, or M0 = H A."""

    HEADCOUNT = "H"
    INTENSITY = "A"
    ADJUSTED = "M0"


@dataclass(frozen=True)
class Form:
    """What is written beside a statistic: fields it needs, fields it may have, their defaults."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    defaults: Mapping[str, float] | None = None


_FORMS = {
    Statistic.PROPORTION: Form(("numerator",)),
    Statistic.MEAN: Form(("variable",)),
    Statistic.RATIO: Form(("numerator", "denominator")),
    Statistic.QUANTILE: Form(("variable", "p"), ("rule",)),
    Statistic.QUANTILE_RATIO: Form(("variable", "upper", "lower"), ("rule",)),
    Statistic.POVERTY_RATE: Form(("variable", "share_of_median"), ("strict",)),
    Statistic.MEDIAN_POVERTY_GAP: Form(("variable", "share_of_median"), ("strict",)),
    Statistic.POVERTY_GAP: Form(("variable", "share_of_median", "power"), ("strict",)),
    Statistic.SHARE_RATIO: Form(("variable",), ("bottom", "top"), {"bottom": 0.2, "top": 0.2}),
    Statistic.GINI: Form(("variable",)),
    Statistic.ENTROPY: Form(("variable", "alpha")),
    Statistic.ATKINSON: Form(("variable", "epsilon")),
    Statistic.MULTIDIMENSIONAL: Form(("deprivations", "cutoff", "measure")),
    Statistic.SCALE_MEAN: Form(("index",)),
}
_NUMBERS = (
    *("p", "upper", "lower", "share_of_median", "power", "bottom", "top", "alpha", "epsilon"),
    "cutoff",
)
_FIELDS = sorted({name for form in _FORMS.values() for name in (*form.needs, *form.may)})


@dataclass(frozen=True)
class Deprivation:
    """One thing a person may lack: the condition, and its weight among the others."""

    id: str
    condition: Expression
    weight: Fraction


def form_of(file: YamlFile, statistic: Statistic) -> Form:
    """Return what is written beside a statistic; DefinitionError for a field absent or beyond."""
    form = _FORMS[statistic]
    for needed in form.needs:
        if needed not in file.content:
            raise DefinitionError(
                file.place(("statistic",)),
                got=statistic.value,
                expected=f"the field {needed} beside it",
            )
    allowed = (*form.needs, *form.may)
    for name in _FIELDS:
        if name in file.content and name not in allowed:
            raise DefinitionError(
                file.place((name,)),
                got=name,
                expected=f"a field of the statistic {statistic.value}: {', '.join(allowed)}",
            )
    return form


def _fraction(written: Any) -> float:
    return float(Fraction(str(written)))


def parameters_of(file: YamlFile, form: Form) -> dict[str, float]:
    """Return the numbers written beside a statistic; ``1/3`` is a third."""
    content = file.content
    named = dict(form.defaults or {})
    named |= {name: _fraction(content[name]) for name in _NUMBERS if name in content}
    if "power" in named and 0 < named["power"] < 1:
        raise DefinitionError(
            file.place(("power",)),
            got=content["power"],
            expected="0, or 1 and more",
            hint="0 is the rate, 1 the gap, 2 the severity of poverty",
        )
    if "upper" in named and not named["lower"] < named["upper"]:
        raise DefinitionError(
            file.place(("upper",)), got=content["upper"], expected=f"more than {content['lower']}"
        )
    if "cutoff" in named and not 0 < named["cutoff"] <= 1:
        raise DefinitionError(
            file.place(("cutoff",)), got=content["cutoff"], expected="over 0 and up to 1"
        )
    return named


def deprivations_of(file: YamlFile) -> tuple[Deprivation, ...]:
    """Return the declared deprivations; their weights are fractions that sum to one."""
    declared = file.content.get("deprivations", {})
    found = tuple(
        Deprivation(
            name,
            Expression(one["if"], file.place(("deprivations", name, "if"))),
            Fraction(str(one["weight"])),
        )
        for name, one in declared.items()
    )
    whole = sum((one.weight for one in found), Fraction(0))
    if found and whole != 1:
        raise DefinitionError(
            file.place(("deprivations",)),
            got=f"weights with the sum {whole}",
            expected="weights that sum to one",
            hint="write them as fractions: 1/6, not 0.167",
        )
    return found
