"""The groups of the nation that a model sets against their reference group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.build.findings import Findings, difference_unit, groups_of
from sdmx_service.build.levels import Judged
from sdmx_service.definitions.comparison import Comparison
from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.project import Project
from sdmx_service.model import CiMethod, Measure
from sdmx_service.structures.artefacts import localised
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.sample import Sample
from sdmx_service.survey.tabulation import AREA, TOTAL, is_public

__all__ = ["Sides", "groups_in_model", "listed"]

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sides:
    """The ``others`` beside their ``reference`` group, in the nation.

    ``made_of`` are the positions, among the indicator's cells, of all groups of the breakdown and
    of the other dimensions that the model has, ``met`` of those of their crossings.
    """

    indicator: Indicator
    declared: Comparison
    area: str
    prefix: str
    reference: str
    others: tuple[str, ...]
    made_of: NDArray[np.intp]
    met: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        sample: Sample,
        indicator: Indicator,
        estimates: Estimates,
        declared: Comparison,
        prefix: str,
    ) -> Sides | None:
        """Return the groups, None where a dimension has fewer than two or no reference group."""
        nation = sample.survey.area
        groups = {
            name: found[0]
            for name in declared.dimensions
            if (found := [g for g in groups_of(estimates.keys, name) if g.area == nation])
        }
        references = {b.dimension: b.reference for b in sample.survey.breakdowns}
        reference = references[declared.breakdown]
        if len(groups) < len(declared.dimensions) or reference not in groups[declared.breakdown].at:
            return None
        places = np.unique([place for one in groups.values() for place in one.parts])
        return cls(
            indicator,
            declared,
            nation,
            prefix,
            reference,
            tuple(code for code in groups[declared.breakdown].at if code != reference),
            places.astype(np.intp),
            _crossed(estimates.keys, nation, declared.dimensions),
        )

    def open(self, decisions: Judged) -> bool:
        """Whether all groups, and all that are published where two of them meet, are told."""
        shown = decisions.published
        return bool(shown[self.made_of].all() and shown[self.met].all())

    def members(self, sample: Sample) -> dict[str, Booleans]:
        """Return who is in each group, (n,) each, the reference group first."""
        column = sample.frame.get_column(self.declared.breakdown)
        return {
            code: (column == code).fill_null(False).to_numpy()
            for code in (self.reference, *self.others)
        }

    def named(self, measure: Measure, adjustment: str, codes: Sequence[str]) -> dict[str, Any]:
        """Return what names the figures of the groups ``codes`` under one adjustment."""
        size, plain = len(codes), measure is Measure.DIFFERENCE
        breakdown = self.declared.breakdown
        family = f"{self.indicator.id}/{self.area}/{breakdown}/{adjustment}/{measure.value}"
        return {
            "measure": measure.value,
            "unit": difference_unit(self.indicator) if plain else "RO",
            "decimals": self.indicator.decimals if plain else 2,
            "method": CiMethod.T if plain else CiMethod.LOG_T,
            "breakdown": breakdown,
            "area": [self.area] * size,
            "comparison": [self.prefix + code for code in codes],
            "reference": [self.prefix + self.reference] * size,
            "made_of": [self.made_of] * size,
            "family": [family] * size,
            "adjustment": adjustment,
        }

    def withheld(self, measure: Measure, adjustment: str) -> Findings:
        """Return rows without numbers."""
        size = len(self.others)
        nothing, nobody = np.full(size, np.nan), np.full(size, -1)
        return Findings(
            **self.named(measure, adjustment, self.others),
            value=nothing,
            se=nothing,
            lower=nothing,
            upper=nothing,
            df=nothing,
            p=nothing,
            comp=nothing,
            ref=nothing,
            n_comp=nobody,
            n_ref=nobody,
            closed=True,
        )


def _crossed(keys: pd.DataFrame, nation: str, dimensions: Sequence[str]) -> NDArray[np.intp]:
    """Return the positions of the nation's cells where groups of two of the dimensions meet."""
    broken = keys.drop(columns=AREA) != TOTAL
    own = broken[[name for name in broken if name in dimensions]].sum(axis=1)
    crossed = (keys[AREA] == nation) & (own == broken.sum(axis=1)) & (own > 1)
    return np.flatnonzero(crossed.to_numpy() & is_public(keys)).astype(np.intp)


def groups_in_model(
    sample: Sample, dimensions: Sequence[str], inside: Booleans
) -> tuple[pd.DataFrame, Booleans]:
    """Return the groups of the people (n rows), and who has one in every dimension, (n,).

    ``inside`` (n,) has an outcome. Nobody else has a group: one that no person in the model is in
    must not be a column of it.
    """
    people = sample.frame.select(dimensions).to_pandas().astype(object)
    used = inside & people.notna().all(axis=1).to_numpy()
    return people.where(pd.Series(used), None), used


def listed(project: Project, dimensions: Sequence[str]) -> str:
    """Return the names of dimensions as a sentence lists them."""
    structure = project.structures.datastructure("DSD_INCL_IND")
    names = [localised(structure.by_id[name].name).lower() for name in dimensions]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
