"""Quantiles and their Woodruff intervals, as R survey 4.5 has them (data: laeken's eusilc)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.quantile import QuantileInterval, Rule, quantiles

pytestmark = pytest.mark.oracle


def test_quantiles_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("03_quantile")
    data = suite.input()
    design = Design.from_columns(data.rb050, psu=data.db030, stratum=data.db040)
    shares = tuple(sorted({record["p"] for record in suite.records}))
    asked = {(record["qrule"], record["interval"]) for record in suite.records}
    cells = Cells.from_labels(db040="db040:" + data.db040, rb090="rb090:" + data.rb090)
    place = {domain: at for at, domain in enumerate(cells.keys.group)}
    found = {
        (rule, method): quantiles(
            design,
            cells,
            data.eqIncome,
            shares,
            rule=Rule(rule),
            method=QuantileInterval(method),
            # the suite gives every domain those of the whole design
            df=design.df,
        )
        for rule, method in asked
    }
    for record in suite.records:
        one, bounds = found[record["qrule"], record["interval"]].at(record["p"])
        at = place[record["domain"]]
        suite.compare(
            record,
            {
                "p": record["p"],
                "estimate": one.value[at],
                "se": one.se[at],
                "ci_low": bounds.lower[at],
                "ci_high": bounds.upper[at],
            },
        )
    assert suite.failures == []
