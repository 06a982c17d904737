"""Strata with a single PSU, as R survey 4.5 treats them (data: nhanes without three PSUs)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdmx_service.errors import DesignError
from sdmx_service.survey import estimate, interval
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design, Lonely

pytestmark = pytest.mark.oracle


def test_lonely_psus_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("04_lonely_psu")
    data = suite.input()
    cells = Cells.from_labels(
        race="race:r" + data.race.astype(str),
        agecat="agecat:" + data.agecat,
        some=data.SDMVSTRA.between(75, 80).map({True: "SDMVSTRA in 75..80 (domain)"}),
    )
    place = {domain: at for at, domain in enumerate(cells.keys.group)}
    for record in suite.records:
        columns = {"psu": data.SDMVPSU, "stratum": data.SDMVSTRA, "nested": True}
        lonely = Lonely(record["lonely"])
        if lonely is Lonely.FAIL:
            with pytest.raises(DesignError, match="3 strata with a single PSU: 76, 80, 85"):
                Design.from_columns(data.WTMEC2YR, **columns, lonely=lonely)
            suite.compare(record, {})
            continue
        design = Design.from_columns(
            data.WTMEC2YR, **columns, lonely=lonely, adjust_domain=record["adjust_domain_lonely"]
        )
        found = getattr(estimate, record["stat"])(design, cells, data.HI_CHOL)
        at = place[record["domain"]]
        # R gives all domains of svyby the degrees of freedom of the whole design
        df = found.df[at] if record["domain"].endswith("(domain)") else design.df
        bounds = interval.t(found.value, found.se, df)
        suite.compare(
            record,
            {
                "estimate": found.value[at],
                "se": found.se[at],
                "ci_low": bounds.lower[at],
                "ci_high": bounds.upper[at],
                "df": df,
                "deff": found.deff_wor[at],
            },
            skip=frozenset({"deff"} if record["deff"] is None else ()),
        )
    assert suite.failures == []
