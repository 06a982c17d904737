"""The cells that wait for a person's signature, with what that person has to look at."""

from __future__ import annotations

import polars as pl

from sdmx_service.build.evidence import evidence
from sdmx_service.build.levels import protected
from sdmx_service.build.scales import measured, ruling_of
from sdmx_service.definitions.policy import Outcome
from sdmx_service.definitions.project import Project
from sdmx_service.survey.sample import read_sample
from sdmx_service.survey.tabulation import TOTAL, is_public, tabulate

__all__ = ["waiting_reviews"]


def waiting_reviews(project: Project) -> pl.DataFrame:
    """Return one row a cell under review: for the office alone, it holds what is withheld.

    Columns: ``indicator``, ``data`` and ``key`` as a signature names them, the ``reason``, and the
    facts that the policy judges by, ``estimate`` on the estimator's scale.
    """
    found = []
    for survey in project.surveys.values():
        sample = read_sample(survey, project.root)
        for indicator in project.indicators_of(survey):
            estimates = tabulate(sample, indicator).estimates
            scale = None if indicator.index is None else measured(sample, indicator.index)
            ruling = ruling_of(project, survey, indicator, scale)
            decisions = protected(project, estimates, indicator, ruling)
            keys = [
                ", ".join(f"{name}: {code}" for name, code in row.items() if code != TOTAL)
                for row in estimates.keys.to_dict(orient="records")
            ]
            under_review = decisions.outcome.cast(pl.String) == Outcome.REVIEW.value
            found.append(
                evidence(estimates, indicator)
                .select(
                    pl.lit(indicator.id).alias("indicator"),
                    pl.lit(survey.provenance).alias("data"),
                    pl.Series("key", keys),
                    decisions.reason.alias("reason"),
                    pl.exclude("statistic"),
                )
                .filter(under_review & pl.Series(is_public(estimates.keys)))
            )
    return pl.concat(found)
