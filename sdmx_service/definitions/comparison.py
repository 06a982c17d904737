"""The comparisons that an indicator declares beside the plain gaps between its groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from sdmx_service.definitions.statistic import Poverty, Statistic
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = [
    "Adjusted",
    "Attributable",
    "Comparison",
    "Contrast",
    "Crossed",
    "Decomposed",
    "Family",
    "Gain",
    "Model",
    "Spread",
    "Summary",
    "Yardstick",
    "comparisons_of",
]


class Gain(Enum):
    """What everyone lacks to fare as a reference group does; the values are codes."""

    RISK = "PAR"
    FRACTION = "PAF"
    NUMBER = "PAN"


class Contrast(Enum):
    """How two groups, or two gaps between them, are set against each other."""

    DIFFERENCE = "difference"
    RATIO = "ratio"
    ODDS_RATIO = "odds_ratio"
    EXCESS = "reri"


class Model(Enum):
    """The model whose covariates an adjusted gap holds equal, or the curve through ranked groups.

    A straight line, or a logistic curve for shares.
    """

    LOGIT = "logit"
    LINEAR = "linear"


class Yardstick(Enum):
    """Whose returns are nobody's advantage when a gap is taken apart.

    Those of the reference group, of the comparison group, half of each (Reimers 1983), or of both
    pooled with the group among the terms (Jann 2008).
    """

    REFERENCE = "reference"
    COMPARISON = "comparison"
    HALF = "half"
    POOLED = "pooled"


class Summary(Enum):
    """How far all groups of a breakdown lie apart, in one number; the values are codes."""

    SLOPE_INDEX = "SII"
    RELATIVE_INDEX = "RII"
    ABSOLUTE_CONCENTRATION = "ACI"
    RELATIVE_CONCENTRATION = "RCI"
    ERREYGERS = "EI"
    WAGSTAFF = "WI"
    BETWEEN_GROUP_VARIANCE = "BGV"
    BETWEEN_GROUP_DEVIATION = "BGSD"
    VARIATION = "COV"
    DISPARITY_INDEX_UNWEIGHTED = "IDISU"
    DISPARITY_INDEX_WEIGHTED = "IDISW"
    FROM_BEST_UNWEIGHTED = "MDBU"
    FROM_BEST_WEIGHTED = "MDBW"
    FROM_MEAN_UNWEIGHTED = "MDMU"
    FROM_MEAN_WEIGHTED = "MDMW"
    FROM_REFERENCE_UNWEIGHTED = "MDRU"
    FROM_REFERENCE_WEIGHTED = "MDRW"
    LOG_DEVIATION = "MLD"
    THEIL = "TI"

    @property
    def ordered(self) -> bool:
        """Whether the groups need an order, from the least to the most advantaged."""
        return self in _ORDERED

    @property
    def from_reference(self) -> bool:
        """Whether the distances are those from the reference group."""
        return self in (Summary.FROM_REFERENCE_UNWEIGHTED, Summary.FROM_REFERENCE_WEIGHTED)

    @property
    def from_best(self) -> bool:
        """Whether the distances are those from the best group."""
        return self in (Summary.FROM_BEST_UNWEIGHTED, Summary.FROM_BEST_WEIGHTED)

    @property
    def bounded(self) -> bool:
        """Whether the lowest and the highest possible value enter."""
        return self in (Summary.ERREYGERS, Summary.WAGSTAFF)

    @property
    def relative(self) -> bool:
        """Whether the value is relative to the average, so that the scale needs a zero."""
        return self in _RELATIVE


_ORDERED = frozenset(
    {
        Summary.SLOPE_INDEX,
        Summary.RELATIVE_INDEX,
        Summary.ABSOLUTE_CONCENTRATION,
        Summary.RELATIVE_CONCENTRATION,
        Summary.ERREYGERS,
        Summary.WAGSTAFF,
    }
)
_RELATIVE = frozenset(
    {
        Summary.RELATIVE_INDEX,
        Summary.RELATIVE_CONCENTRATION,
        Summary.VARIATION,
        Summary.DISPARITY_INDEX_UNWEIGHTED,
        Summary.DISPARITY_INDEX_WEIGHTED,
        Summary.LOG_DEVIATION,
        Summary.THEIL,
    }
)


@dataclass(frozen=True)
class Comparison:
    """A comparison over a ``breakdown``, in ``surveys`` alone where any are named."""

    breakdown: str
    surveys: frozenset[str]
    place: str

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The breakdowns that a survey must have to carry it."""
        return (self.breakdown,)

    @property
    def keys(self) -> frozenset[str]:
        """What it publishes: no two comparisons of an indicator may publish the same."""
        return frozenset()


@dataclass(frozen=True)
class Attributable(Comparison):
    """Everyone compared with one group: ``reference``, or that of the survey."""

    reference: str | None
    measures: tuple[Gain, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The measures of the breakdown."""
        return frozenset(f"{self.breakdown} {one.value}" for one in self.measures)


@dataclass(frozen=True)
class Adjusted(Comparison):
    """The gaps from the reference group with the groups of ``adjust_for`` held equal."""

    adjust_for: tuple[str, ...]
    model: Model
    measures: tuple[Contrast, ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The breakdown and what it is adjusted for."""
        return (self.breakdown, *self.adjust_for)

    @property
    def adjustment(self) -> str:
        """The code of CL_ADJUSTMENT: of sex and age alone, or of more."""
        return "ADJ_DEMO" if set(self.adjust_for) <= {"SEX", "AGE"} else "ADJ_FULL"

    @property
    def keys(self) -> frozenset[str]:
        """The measures of the breakdown under this adjustment."""
        return frozenset(f"{self.breakdown} {self.adjustment} {one.value}" for one in self.measures)


@dataclass(frozen=True)
class Decomposed(Comparison):
    """The gaps from the reference group, split into what the groups of others explain or not."""

    explained_by: tuple[str, ...]
    yardstick: Yardstick

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The breakdown and what explains."""
        return (self.breakdown, *self.explained_by)

    @property
    def keys(self) -> frozenset[str]:
        """The two parts of the breakdown's gaps."""
        return frozenset({f"{self.breakdown} EXPLAINED"})


@dataclass(frozen=True)
class Spread(Comparison):
    """All groups of a breakdown in one number each.

    ``ordered``: the order of its codelist runs from the least to the most advantaged group.
    """

    ordered: bool
    fit: Model
    measures: tuple[Summary, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The measures of the breakdown."""
        return frozenset(f"{self.breakdown} {one.value}" for one in self.measures)


@dataclass(frozen=True)
class Crossed(Comparison):
    """The gap within a group of ``within`` set against that in its reference group."""

    within: str
    measures: tuple[Contrast, ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Both dimensions of the crossing."""
        return (self.breakdown, self.within)

    @property
    def keys(self) -> frozenset[str]:
        """The measures of the crossing."""
        return frozenset(f"{self.breakdown} x {self.within} {one.value}" for one in self.measures)


@dataclass(frozen=True)
class Family(Comparison):
    """The gaps of a breakdown from its reference group, with intervals that hold together."""

    @property
    def keys(self) -> frozenset[str]:
        """The intervals of the breakdown."""
        return frozenset({f"{self.breakdown} intervals"})


# What averages over people, so that groups weigh as much as their people.
_AVERAGES = frozenset(
    {
        Statistic.PROPORTION,
        Statistic.MEAN,
        Statistic.RATIO,
        Statistic.POVERTY_RATE,
        Statistic.POVERTY_GAP,
        Statistic.MULTIDIMENSIONAL,
        Statistic.SCALE_MEAN,
    }
)
# What each person has or has not, so that a model can be made of it.
_PERSONAL = frozenset(
    {Statistic.PROPORTION, Statistic.MEAN, Statistic.POVERTY_RATE, Statistic.SCALE_MEAN}
)
_COMPARED = _AVERAGES | {Statistic.QUANTILE, Statistic.MEDIAN_POVERTY_GAP}

_MAY = {
    "attributable": ("reference", "measures"),
    "adjusted": ("adjust_for", "model", "measures"),
    "decomposition": ("explained_by", "yardstick"),
    "disparity": ("ordered", "fit", "measures"),
    "interaction": ("within", "measures"),
    "family": ("simultaneous",),
}
_NEEDS = {
    "adjusted": ("adjust_for", "model"),
    "decomposition": ("explained_by",),
    "disparity": ("measures",),
    "interaction": ("within",),
    "family": ("simultaneous",),
}


@dataclass(frozen=True)
class _Entry:
    """One entry of the field ``gaps``, with what must be known of its indicator."""

    file: YamlFile
    position: int
    statistic: Statistic

    @property
    def content(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = self.file.content["gaps"][self.position]
        return content

    @property
    def is_share(self) -> bool:
        headcount = self.file.content.get("measure") == Poverty.HEADCOUNT.value
        return self.statistic in (Statistic.PROPORTION, Statistic.POVERTY_RATE) or headcount

    @property
    def is_score(self) -> bool:
        """Whether it is on a scale without a zero to take ratios from."""
        return bool(self.file.content["unit"] == "IX")

    def place(self, *field: str) -> str:
        return self.file.place(("gaps", self.position, *field))

    def refuse(self, field: str, got: object, expected: str, hint: str | None = None) -> NoReturn:
        raise DefinitionError(self.place(field), got=got, expected=expected, hint=hint)

    def measures(self, known: type[Enum], default: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the declared measures, each once, in the order of their enum."""
        written = self.content.get("measures")
        if written is None:
            return default
        values = [one.value for one in known]
        for name in written:
            if name not in values:
                self.refuse("measures", name, f"one of {', '.join(values)}")
        return tuple(one for one in known if one.value in written)


def comparisons_of(file: YamlFile, statistic: Statistic) -> tuple[Comparison, ...]:
    """Return the comparisons that an indicator's file declares under ``gaps``.

    Raises DefinitionError for one that its statistic, unit or direction cannot carry.
    """
    found: list[Comparison] = []
    for position in range(len(file.content.get("gaps", ()))):
        entry = _Entry(file, position, statistic)
        kind = entry.content["kind"]
        for name in _NEEDS.get(kind, ()):
            if name not in entry.content:
                entry.refuse("kind", kind, f"the field {name} beside it")
        for name in entry.content:
            if name not in (*_MAY[kind], "kind", "breakdown", "surveys"):
                entry.refuse(name, name, f"a field of {kind}: {', '.join(_MAY[kind])}")
        made = _MAKERS[kind](entry)
        for other in found:
            both = made.keys & other.keys
            apart = made.surveys and other.surveys and not made.surveys & other.surveys
            if both and not apart:
                entry.refuse("kind", min(both), "each comparison once", f"see {other.place}")
        found.append(made)
    return tuple(found)


def _shared(entry: _Entry) -> tuple[str, frozenset[str], str]:
    return (
        entry.content["breakdown"],
        frozenset(entry.content.get("surveys", ())),
        entry.place(),
    )


def _carried(entry: _Entry, statistics: frozenset[Statistic]) -> None:
    if entry.statistic not in statistics:
        names = sorted(one.value for one in statistics)
        entry.refuse("kind", entry.content["kind"], f"a statistic among {', '.join(names)}")


def _attributable(entry: _Entry) -> Attributable:
    _carried(entry, _AVERAGES)
    measures = entry.measures(Gain, (Gain.RISK, Gain.FRACTION))
    if Gain.NUMBER in measures and not entry.is_share:
        entry.refuse("measures", "PAN", "a share of people, for a number of people")
    if Gain.FRACTION in measures and entry.is_score:
        entry.refuse("measures", "PAF", "an indicator whose scale has a zero")
    return Attributable(*_shared(entry), entry.content.get("reference"), measures)


def _personal(entry: _Entry) -> None:
    poor = entry.file.content.get("measure") == Poverty.HEADCOUNT.value
    _carried(entry, _PERSONAL | ({Statistic.MULTIDIMENSIONAL} if poor else frozenset()))


def _others(entry: _Entry, field: str) -> tuple[str, ...]:
    """Return the dimensions of a model beside the breakdown."""
    named = tuple(entry.content[field])
    if entry.content["breakdown"] in named:
        entry.refuse(field, entry.content["breakdown"], "other breakdowns than its own")
    return named


def _decomposed(entry: _Entry) -> Decomposed:
    _personal(entry)
    yardstick = Yardstick(entry.content.get("yardstick", "pooled"))
    return Decomposed(*_shared(entry), _others(entry, "explained_by"), yardstick)


def _adjusted(entry: _Entry) -> Adjusted:
    _personal(entry)
    model = Model(entry.content["model"])
    if model is Model.LOGIT and not entry.is_share:
        entry.refuse("model", "logit", "linear", "a logit is a model of shares")
    adjust_for = _others(entry, "adjust_for")
    known = _contrasts(entry)
    measures = entry.measures(Contrast, known)
    _within(entry, measures, known)
    return Adjusted(*_shared(entry), adjust_for, model, measures)


def _contrasts(entry: _Entry) -> tuple[Contrast, ...]:
    """Return the comparisons of two groups that make sense of an indicator."""
    if entry.is_score:
        return (Contrast.DIFFERENCE,)
    if entry.is_share:
        return (Contrast.DIFFERENCE, Contrast.RATIO, Contrast.ODDS_RATIO)
    return (Contrast.DIFFERENCE, Contrast.RATIO)


def _within(entry: _Entry, measures: tuple[Contrast, ...], known: tuple[Contrast, ...]) -> None:
    for one in measures:
        if one not in known:
            names = ", ".join(other.value for other in known)
            entry.refuse("measures", one.value, f"one of {names}")


def _spread(entry: _Entry) -> Spread:
    _carried(entry, _AVERAGES)
    content = entry.file.content
    ordered = bool(entry.content.get("ordered", False))
    fit = entry.content.get("fit", "logit" if entry.is_share else "linear")
    if fit == "logit" and not entry.is_share:
        entry.refuse("fit", "logit", "linear", "a logit is a curve of shares")
    measures: tuple[Summary, ...] = entry.measures(Summary, ())
    directed = content["direction"] in ("higher_better", "lower_better")
    for one in measures:
        if one.ordered and not ordered:
            entry.refuse(
                "measures",
                one.value,
                "ordered: true beside it",
                "the codes of the breakdown must run from the least to the most advantaged",
            )
        if one.from_best and not directed:
            entry.refuse("measures", one.value, "an indicator with a better direction")
        if one.bounded and content["scale"][1] is None:
            entry.refuse("measures", one.value, "an indicator with a highest possible value")
        if one.relative and entry.is_score:
            entry.refuse("measures", one.value, "an indicator whose scale has a zero")
    return Spread(*_shared(entry), ordered, Model(fit), measures)


def _crossed(entry: _Entry) -> Crossed:
    _carried(entry, _COMPARED)
    known = _contrasts(entry)
    if not entry.is_score:
        known = (*known, Contrast.EXCESS)
    measures = entry.measures(Contrast, tuple(one for one in known if one in _CROSSED))
    _within(entry, measures, known)
    return Crossed(*_shared(entry), entry.content["within"], measures)


_CROSSED = (Contrast.DIFFERENCE, Contrast.RATIO)


def _family(entry: _Entry) -> Family:
    _carried(entry, _COMPARED)
    return Family(*_shared(entry))


_MAKERS = {
    "attributable": _attributable,
    "adjusted": _adjusted,
    "decomposition": _decomposed,
    "disparity": _spread,
    "interaction": _crossed,
    "family": _family,
}
