"""A sample design as its office declares it: stages, replicate weights, calibration."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdmx_service.definitions.calibration import (
    CalibrationMethod,
    DeclaredCalibration,
    calibration_of,
)
from sdmx_service.definitions.replicates import DeclaredReplicates, ReplicateMethod, replicates_of
from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError

__all__ = [
    "DeclaredStage",
    "Population",
    "PopulationKind",
    "SampleDesign",
    "design_of",
]

Field = tuple[str | int, ...]


class PopulationKind(Enum):
    """What a column about the population of a stratum holds."""

    ANY = "counts where any is over 1, else fractions"
    COUNT = "counts of units"
    FRACTION = "fractions sampled"


@dataclass(frozen=True)
class Population:
    """The column that says how many units a stratum has, or which fraction was sampled."""

    column: str
    kind: PopulationKind
    place: str


@dataclass(frozen=True)
class DeclaredStage:
    """One stage: the columns that together name its strata and its units, and its population.

    No ``unit`` is a unit a row.
    """

    place: str
    strata: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    fpc: Population | None = None


@dataclass(frozen=True)
class SampleDesign:
    """How a sample was drawn, and what is to be done with a lonely PSU.

    ``stages`` has one stage at least; ``weight`` may be left out where all of them have a
    population. ``certainty`` are strata whose PSUs were all taken, ``collapse`` which stratum a
    lonely one joins.
    """

    weight: str | None
    stages: tuple[DeclaredStage, ...]
    nested: bool = False
    certainty: tuple[str, ...] = ()
    lonely_psu: str = "fail"
    lonely_in_domains: bool = False
    collapse: Mapping[str, str] | None = None
    replicates: DeclaredReplicates | None = None
    calibration: DeclaredCalibration | None = None
    description: str = ""
    place: str = ""

    @property
    def variance_method(self) -> str:
        """How variances are estimated, as a code of CL_VAR_EST_METHOD."""
        return "TSL" if self.replicates is None else _VARIANCE[self.replicates.method]

    @property
    def account(self) -> str:
        """The description, followed by what the replicates and the calibration do."""
        return " ".join([self.description, *_sentences(self)])


_VARIANCE = {
    ReplicateMethod.BRR: "BRR",
    ReplicateMethod.FAY: "FAY",
    ReplicateMethod.JK1: "JACKKNIFE",
    ReplicateMethod.JK2: "JACKKNIFE",
    ReplicateMethod.JKN: "JACKKNIFE",
    ReplicateMethod.BOOTSTRAP: "BOOTSTRAP",
    ReplicateMethod.SDR: "SDR",
    ReplicateMethod.ACS: "SDR",
    ReplicateMethod.OTHER: "REPLICATES",
}
_NAMES = {
    ReplicateMethod.BRR: "balanced half-samples",
    ReplicateMethod.FAY: "Fay's balanced half-samples",
    ReplicateMethod.JK1: "the jackknife",
    ReplicateMethod.JK2: "the paired jackknife",
    ReplicateMethod.JKN: "the stratified jackknife",
    ReplicateMethod.BOOTSTRAP: "the bootstrap",
    ReplicateMethod.SDR: "successive differences",
    ReplicateMethod.ACS: "successive differences",
    ReplicateMethod.OTHER: "replicate weights",
}
_CALIBRATED = {
    CalibrationMethod.POSTSTRATIFY: "post-stratified",
    CalibrationMethod.RAKE: "raked",
    CalibrationMethod.LINEAR: "calibrated by regression",
    CalibrationMethod.TRUNCATED: "calibrated by regression within bounds",
    CalibrationMethod.LOGIT: "calibrated within bounds (logit)",
}


def _sentences(design: SampleDesign) -> Iterator[str]:
    replicates, calibration = design.replicates, design.calibration
    if replicates is not None:
        origin = "made from the design" if replicates.created else "of the survey's file"
        number = "" if replicates.count is None else f"{replicates.count} "
        yield (
            f"Variances are those of {_NAMES[replicates.method]}, from {number}replicate weights "
            f"{origin}."
        )
    if calibration is not None:
        known = [" by ".join(margin.by) for margin in calibration.margins]
        known += [f"the total of {name}" for name in calibration.amounts]
        yield (
            f"The weights are {_CALIBRATED[calibration.method]} to known totals: "
            f"{'; '.join(known)}. The variances take account of it."
        )


def _population(file: YamlFile, where: Field, content: Any) -> Population | None:
    if content is None:
        return None
    place = file.place(where)
    if isinstance(content, str):
        return Population(content, PopulationKind.ANY, place)
    [(kind, column)] = content.items()  # by the schema
    return Population(column, PopulationKind[kind.upper()], place)


def _stage(file: YamlFile, where: Field, content: Mapping[str, Any], unit: str) -> DeclaredStage:
    return DeclaredStage(
        place=file.place(where),
        strata=tuple(content.get("strata", ())),
        unit=tuple(content.get(unit, ())),
        fpc=_population(file, (*where, "fpc"), content.get("fpc")),
    )


def _stages(file: YamlFile, content: Mapping[str, Any]) -> tuple[DeclaredStage, ...]:
    if "stages" not in content:
        return (_stage(file, ("design",), content, "psu"),)
    for name in ("strata", "psu", "fpc"):
        if name in content:
            raise DefinitionError(
                file.place(("design", name)),
                got=f"{name} beside stages",
                expected="one or the other",
                hint="the first of the stages is that of the PSUs",
            )
    return tuple(
        _stage(file, ("design", "stages", at), stage, "unit")
        for at, stage in enumerate(content["stages"])
    )


def _lonely(file: YamlFile, content: Mapping[str, Any]) -> None:
    lonely = content.get("lonely_psu", "fail")
    if "collapse" in content and lonely != "collapse":
        raise DefinitionError(
            file.place(("design", "collapse")),
            got=f"lonely_psu: {lonely}",
            expected="lonely_psu: collapse",
            hint="partners are declared for strata to be merged",
        )
    if content.get("lonely_in_domains") and lonely not in ("adjust", "average"):
        raise DefinitionError(
            file.place(("design", "lonely_in_domains")),
            got=f"lonely_psu: {lonely}",
            expected="lonely_psu: adjust or average",
            hint="the others add nothing for a stratum that has one PSU in a cell",
        )


def design_of(file: YamlFile, groups: Mapping[str, Collection[str]]) -> SampleDesign:
    """Return the design that a survey's file, already held to its schema, declares.

    ``groups`` are the harmonised columns and the codes of each, none where it is not recoded.

    Raises DefinitionError where parts of it do not go together.
    """
    content = file.content["design"]
    stages = _stages(file, content)
    if "weight" not in content:
        bare = next((stage for stage in stages if stage.fpc is None), None)
        if bare is not None:
            raise DefinitionError(
                bare.place,
                got="a stage without fpc, and no weight",
                expected="the field weight, or the population of every stage",
                hint="weights follow from the fractions sampled at all stages",
            )
    _lonely(file, content)
    return SampleDesign(
        weight=content.get("weight"),
        stages=stages,
        nested=content.get("nested", False),
        certainty=tuple(str(label) for label in content.get("certainty", ())),
        lonely_psu=content.get("lonely_psu", "fail"),
        lonely_in_domains=content.get("lonely_in_domains", False),
        collapse={str(one): str(other) for one, other in content["collapse"].items()}
        if "collapse" in content
        else None,
        replicates=replicates_of(file, content["replicates"]) if "replicates" in content else None,
        calibration=calibration_of(file, content["calibration"], groups)
        if "calibration" in content
        else None,
        description=content.get("description", ""),
        place=file.place(("design",)),
    )
