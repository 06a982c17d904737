"""Alkire-Foster measures as svy, a second oracle, has their means and ratios (its households)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import svy

from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.multidimensional import measures, profile

WEIGHTS = {"d_elec": 1 / 6, "d_water": 1 / 6, "d_toilet": 1 / 6, "d_crowd": 1 / 4, "d_food": 1 / 4}


def test_alkire_foster_measures_agree_with_svy(shared: Path) -> None:
    data = pd.read_csv(shared / "oracles" / "13_multidimensional" / "derived.csv")
    design = Design.from_columns(data.popw, psu=data.ea, stratum=data.st, nested=True)
    people = profile(design, {item: data[item] for item in WEIGHTS}, WEIGHTS)
    found = measures(design, Cells.from_labels(urbrur=data.urbrur), people, cutoff=1 / 3)
    poor = people.poor(1 / 3)
    frame = pl.from_pandas(
        data.assign(poor=poor, score=people.score * poor, cens=data.d_food * poor)
    )
    theirs = svy.Sample(frame, svy.Design(stratum="st", psu="ea", wgt="popw")).estimation
    for ours, answer in (
        (found.headcount, theirs.mean("poor", by="urbrur")),
        (found.adjusted, theirs.mean("score", by="urbrur")),
        (found.intensity, theirs.ratio("score", "poor", by="urbrur")),
        (found.uncensored["d_food"], theirs.mean("d_food", by="urbrur")),
        (found.censored["d_food"], theirs.mean("cens", by="urbrur")),
    ):
        table = answer.to_polars().sort("urbrur")
        assert table["urbrur"].to_list() == list(ours.keys.group[1:])
        np.testing.assert_allclose(ours.value[1:], table["est"], rtol=1e-10)
        np.testing.assert_allclose(ours.se[1:], table["se"], rtol=1e-10)
        np.testing.assert_array_equal(ours.df[1:], table["df"])
