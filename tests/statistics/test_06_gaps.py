"""Gaps with the covariance of their groups, as R survey 4.5 has them (data: nhanes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service.model import Measure
from sdmx_service.survey import gap, multiplicity
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, proportion
from sdmx_service.survey.independence import Independence, independence
from sdmx_service.survey.interaction import Interaction, interact
from sdmx_service.survey.multiplicity import Adjustment

pytestmark = pytest.mark.oracle

MEASURES = {
    "difference": Measure.DIFFERENCE,
    "ratio": Measure.RATIO,
    "log_ratio": Measure.RATIO,
    "odds_ratio": Measure.ODDS_RATIO,
    "vs_total": Measure.DIFFERENCE,
    "vs_rest": Measure.DIFFERENCE,
    "log_ratio_total": Measure.RATIO,
}
INTERACTIONS = {
    "interaction_additive": Interaction.ADDITIVE,
    "interaction_log_multiplicative": Interaction.LOG_RATIO,
}
INDEPENDENCE = {"rao_scott_F": Independence.RAO_SCOTT_F, "wald": Independence.WALD}
ADJUSTMENTS = {
    "holm": Adjustment.HOLM,
    "bh": Adjustment.BENJAMINI_HOCHBERG,
    "bonferroni": Adjustment.BONFERRONI,
    "sidak": Adjustment.SIDAK,
}


def test_gaps_agree_with_r_survey(oracle: Callable[[str], Any]) -> None:
    suite = oracle("06_gaps")
    data = suite.input()
    design = Design.from_columns(
        data.WTMEC2YR, psu=data.SDMVPSU, stratum=data.SDMVSTRA, nested=True
    )
    sex, race = data.RIAGENDR.map({1: "M", 2: "F"}), "r" + data.race.astype(str)
    cells = Cells.from_labels(
        sex=sex, race=race, agecat=data.agecat, **{"race x sex": race + "|" + sex}
    )
    found = proportion(design, cells, data.HI_CHOL)
    df = int(found.df[0])
    place = {(key.grouping, key.group): at for at, key in enumerate(found.keys.itertuples())}
    differences = [record for record in suite.records if record["kind"] == "difference"]
    pairs = pd.DataFrame(differences)[["breakdown", "group1", "group2"]]
    first = [place[p.breakdown, p.group1] for p in pairs.itertuples()]
    second = [place[p.breakdown, p.group2] for p in pairs.itertuples()]
    tested = gap.compare(found, first, second, Measure.DIFFERENCE, df=df)
    adjusted = {
        name: multiplicity.adjust(tested.p, pairs.breakdown, method).p
        for name, method in ADJUSTMENTS.items()
    }
    in_family = {(p.breakdown, p.group1, p.group2): p.Index for p in pairs.itertuples()}
    for record in suite.records:
        kind = record["kind"]
        if kind in INDEPENDENCE:
            suite.compare(record, _independence(design, data, INDEPENDENCE[kind]))
            continue
        if kind in INTERACTIONS:
            groups = [place["race x sex", f"{r}|{s}"] for r in ("r2", "r1") for s in ("F", "M")]
            found_here = interact(found, *groups, INTERACTIONS[kind])
            suite.compare(record, {"estimate": found_here.value[0], "se": found_here.se[0]})
            continue
        at = place[record["breakdown"], record["group1"]]
        other = place.get((record["breakdown"], record.get("group2")))
        if kind == "group_covariance":
            suite.compare(record, {"estimate": found.covariance[at, other]})
        elif kind == "p_adjusted":
            pair = in_family[record["breakdown"], record["group1"], record["group2"]]
            got = {name: p[pair] for name, p in adjusted.items()}
            # R's Sidak, 1 - (1 - p)^m, loses the digits of a small p
            suite.compare(record, {"p": tested.p[pair], **got}, size={"sidak": 1e-7})
        else:
            suite.compare(record, _gap(found, kind, at, other, df))
    assert suite.failures == []


def _independence(design: Design, data: pd.DataFrame, test: Independence) -> dict[str, float]:
    found = independence(design, data.HI_CHOL, data.race, test)
    return {"statistic": found.statistic, "ndf": found.ndf, "ddf": found.ddf, "p": found.p}


def _gap(found: Estimates, kind: str, at: int, other: int | None, df: int) -> dict[str, float]:
    measure = MEASURES[kind]
    if kind == "vs_rest":
        gaps, _ = gap.versus_rest(found, [at], [0], measure, df=df)
    else:
        gaps = gap.compare(found, [at], [0 if other is None else other], measure, df=df)
    logarithmic = kind.startswith("log_ratio")
    scale = np.log if logarithmic else float
    sides = found.variance[[at, at if other is None else other]]
    return {
        "estimate": scale(gaps.value[0]),
        "se": gaps.se_log[0] if logarithmic else gaps.se[0],
        "se_log": gaps.se_log[0],
        "se_if_independent": float(np.sqrt(sides.sum())),
        "ci_low": scale(gaps.lower[0]),
        "ci_high": scale(gaps.upper[0]),
        "t": gaps.t[0],
        "df": gaps.df[0],
        "p": gaps.p[0],
    }
