"""The cells that wait for a person's signature, with what that person has to look at."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl

from sdmx_service.build.earlier import Earlier, earlier_releases
from sdmx_service.build.evidence import evidence
from sdmx_service.build.protection import protection
from sdmx_service.build.scales import measured, ruling_of
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.survey import Survey
from sdmx_service.survey.sample import read_sample
from sdmx_service.survey.tabulation import AREA, TOTAL, is_public, tabulate

__all__ = ["waiting_reviews"]

# One line of a file in dsd/reviews/, complete but for the person: unsigned it is refused.
_SIGNATURE = (
    "- {{indicator: {indicator}, data: '{data}', key: {{{key}}}, "
    "decision: present, signed_by: '', date: '', reason: ''}}"
)


def waiting_reviews(project: Project, releases: str | Path | None = None) -> pl.DataFrame:
    """Return one row a cell under review: for the office alone, it holds what is withheld.

    Columns: ``indicator``, ``area``, ``breakdown``, the ``reason`` and the ``rule`` that gave it,
    ``data`` and ``key`` as a signature names them, the facts that the policy judges by
    (``estimate`` on the estimator's scale), and ``sign``, the line to complete in a file of
    ``dsd/reviews/``. A cell that protection withholds anyway does not wait, with ``releases`` also
    one that protection withholds for what earlier releases told.
    """
    earlier = None if releases is None else earlier_releases(Path(releases))
    return pl.concat(_of_survey(project, survey, earlier) for survey in project.surveys.values())


def _of_survey(project: Project, survey: Survey, earlier: Earlier | None) -> pl.DataFrame:
    sample = read_sample(survey, project.root)
    indicators = {indicator.id: indicator for indicator in project.indicators_of(survey)}
    estimates = {name: tabulate(sample, one).estimates for name, one in indicators.items()}
    scales = {
        name: measured(sample, one.index)
        for name, one in indicators.items()
        if one.index is not None
    }
    rulings = {
        name: ruling_of(project, survey, one, scales.get(name)) for name, one in indicators.items()
    }
    decided = protection(project, survey, estimates, earlier, sample, rulings, scales).decisions
    found = []
    for name, indicator in indicators.items():
        outcome = decided[name].outcome.cast(pl.String)
        keys = estimates[name].keys
        chosen = (outcome == Outcome.REVIEW.value) & pl.Series(is_public(keys))
        reasons = project.policy_for(indicator.statistic).reasons
        found.append(
            evidence(estimates[name], indicator)
            .select(
                pl.lit(name).alias("indicator"),
                pl.Series("area", keys[AREA].to_numpy(dtype=object), dtype=pl.String),
                pl.Series("breakdown", _named(keys.drop(columns=AREA)), dtype=pl.String),
                decided[name].reason.alias("reason"),
                decided[name].reason.replace_strict(reasons, default=None).alias("rule"),
                pl.lit(survey.provenance).alias("data"),
                pl.Series("key", _named(keys), dtype=pl.String),
                pl.exclude("statistic"),
            )
            .filter(chosen)
        )
    return pl.concat(found).with_columns(
        pl.struct("indicator", "data", "key")
        .map_elements(lambda cell: _SIGNATURE.format(**cell), return_dtype=pl.String)
        .alias("sign")
    )


def _named(keys: pd.DataFrame) -> list[str]:
    """Return what breaks each cell down, as ``SEX: F, AGE: Y15T24``."""
    return [
        ", ".join(f"{name}: {code}" for name, code in row.items() if code != TOTAL)
        for row in keys.to_dict(orient="records")
    ]
