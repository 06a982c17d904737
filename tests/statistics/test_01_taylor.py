"""Means, totals and ratios of one and two stages, as R survey 4.5 has them (data: api)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from sdmx_service.survey import estimate, interval, spread
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.stages import StageColumns

pytestmark = pytest.mark.oracle


def in_domain(keys: pd.DataFrame, domain: str) -> int:
    """Return the position of a domain such as stype:E among the cells."""
    grouping, _, group = domain.partition(":")
    return int(keys.index[(keys.grouping == grouping) & (keys.group == (group or "_T"))][0])


def test_estimates_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("01_taylor")
    strata, clusters = suite.input(), suite.input("input_clus2.csv")
    designs = {
        "strat_fpc": Design.from_columns(strata.pw, stratum=strata.stype, fpc=strata.fpc),
        "strat_nofpc": Design.from_columns(strata.pw, stratum=strata.stype),
        "clus2_ultimate": Design.from_columns(clusters.pw, psu=clusters.dnum),
        # the weights are what the counts of both stages imply
        "clus2_fpc2stage": Design.from_columns(
            None,
            psu=clusters.dnum,
            fpc=clusters.fpc1,
            stages=[StageColumns(clusters.snum, fpc=clusters.fpc2)],
        ),
    }
    for record in suite.records:
        statistic, name = record["stat"], record["design"]
        data, design = (clusters if "clus2" in name else strata), designs[name]
        by = {g: data[g] for g in ("stype", "awards", "sch.wide") if record["domain"].startswith(g)}
        cells = Cells.from_labels(**(by or {"stype": data.stype}))
        variable = record["variable"]
        if statistic == "ratio":
            above, below = variable.split("/")
            found = estimate.ratio(design, cells, data[above], data[below])
        elif variable.startswith("factor"):
            label = variable.removeprefix("factor(sch.wide)")
            found = estimate.proportion(design, cells, data["sch.wide"] == label)
        elif statistic == "variance":
            found = spread.variance(design, cells, data[variable])
        else:
            found = getattr(estimate, statistic)(design, cells, data[variable])
        at = in_domain(found.keys, record["domain"])
        bounds = interval.t(found.value, found.se, design.df)
        suite.compare(
            record,
            {
                "estimate": found.value[at],
                "se": found.se[at],
                "ci_low": bounds.lower[at],
                "ci_high": bounds.upper[at],
                "df": design.df,
                "deff": found.deff_wor[at],
            },
        )
    assert suite.failures == []
