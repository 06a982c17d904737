"""How many intervals of a survey hold the truth, where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.build.evidence import intervals_of
from sdmx_service.build.levels import Judged
from sdmx_service.definitions.project import Project
from sdmx_service.definitions.survey import Survey, Truth
from sdmx_service.structures.artefacts import localised
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.estimator import Tabulated
from sdmx_service.survey.sample import Sample, read_census
from sdmx_service.survey.tabulation import AREA, TOTAL, estimates_of

__all__ = ["truth_annex"]

_PLACES = ("URBANISATION",)


def _level(row: pd.Series, nation: str, levels: dict[str, int]) -> str | None:
    """Name the level of a cell that the annex is about, or None."""
    broken = [name for name in row.index if name != AREA and row[name] != TOTAL]
    if row[AREA] == nation:
        if not broken:
            return "nation"
        return "urban/rural" if broken == list(_PLACES) else None
    return "region" if not broken and levels[row[AREA]] == 1 else None


def _table(
    project: Project,
    sample: Sample,
    tabulated: Tabulated,
    published: NDArray[np.bool_],
    census: Estimates,
    indicator_id: str,
) -> pd.DataFrame:
    indicator = project.indicators[indicator_id]
    estimates, bounds = tabulated.estimates, intervals_of(tabulated, indicator)
    areas = project.structures.codelist("CL_AREA").by_id
    levels = {code.id: int(code.annotations["LEVEL"]) for code in areas.values()}
    found = estimates.keys.assign(
        estimate=estimates.value * indicator.factor,
        lower=bounds.lower * indicator.factor,
        upper=bounds.upper * indicator.factor,
        df=estimates.df,
        published=published,
    )
    found["level"] = [
        _level(row, sample.survey.area, levels) for _, row in estimates.keys.iterrows()
    ]
    true = census.keys.assign(truth=census.value * indicator.factor)
    # A dimension that the census does not have breaks none of its cells down.
    for name in estimates.keys.columns.difference(census.keys.columns):
        true[name] = TOTAL
    table = found.dropna(subset="level").merge(true, on=list(estimates.keys.columns), how="left")
    table["indicator"] = indicator_id
    table["has_interval"] = table["lower"].notna()
    table["inside"] = (table["lower"] <= table["truth"]) & (table["truth"] <= table["upper"])
    # What the feed withholds, the annex does not print: it says whether the truth was held.
    numbers = ["estimate", "lower", "upper", "df"]
    table[numbers] = table[numbers].astype(float).where(table["published"])
    return table


def truth_annex(
    project: Project,
    survey: Survey,
    truth: Truth,
    sample: Sample,
    found: Mapping[str, tuple[Tabulated, Judged]],
) -> dict[str, Any]:
    """Return the intervals of the nation, of urban and rural, and of each region, with the truth.

    ``found`` maps indicator ids to the sample's estimates and what is published of them. The truth
    comes from the same definitions applied to the census. Intervals are counted before protection,
    those of withheld cells without being printed.
    """
    census = read_census(survey, truth.source, truth.weight, project.root)
    tables = [
        _table(
            project,
            sample,
            found[id][0],
            found[id][1].published,
            estimates_of(census, project.indicators[id]),
            id,
        )
        for id in truth.indicators
    ]
    cells = pd.concat(tables, ignore_index=True)
    names = project.structures.codelist("CL_INDICATOR").by_id
    rows = [
        {
            "indicator": indicator,
            "name": localised(names[str(indicator)].name),
            "level": level,
            "cells": len(group),
            "without_interval": int((~group["has_interval"]).sum()),
            "held": int(group["inside"].sum()),
        }
        for (indicator, level), group in cells.groupby(["indicator", "level"], sort=False)
    ]
    shown = cells[
        [
            AREA,
            *(name for name in _PLACES if name in cells),
            "indicator",
            "level",
            "truth",
            "estimate",
            "lower",
            "upper",
            "df",
            "published",
            "inside",
        ]
    ]
    shown = shown.replace({np.nan: None})
    return {
        "title": f"Intervals that hold the truth: {survey.title}",
        "survey": survey.id,
        "note": truth.note,
        "rows": rows,
        "cells": shown.to_dict(orient="records"),
    }
