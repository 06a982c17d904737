"""The release says what R's survey package says of the same files, made apart from this code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdmx_service import Release, open_release

TOLERANCE = 1e-8
EXPECTED = json.loads((Path(__file__).parent / "r" / "expected.json").read_text("utf-8"))
FLOWS = {"levels": "DF_ALL", "gaps": "DF_GAP"}
# What a number that may be zero is relative to: rounding is measured by it.
SIZE = {
    "OBS_VALUE": "STD_ERR",
    "LOWER_BOUND": "STD_ERR",
    "UPPER_BOUND": "STD_ERR",
    "COV_COMP_REF": "EST_COMP",
}


@pytest.fixture(scope="module")
def release(published: Path) -> Release:
    return open_release(published)


def expected(kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the keys and the numbers that R made, row by row."""
    rows: list[list[Any]] = EXPECTED[kind]
    columns = EXPECTED[f"{kind.removesuffix('s')}_columns"]
    keys = pd.DataFrame([key for key, _ in rows])
    return keys, pd.DataFrame([numbers for _, numbers in rows], columns=columns)


def released(release: Release, kind: str, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the observations with these keys in their order; every key has exactly one."""
    observations = release.observations(FLOWS[kind])
    dimensions = [d.id for d in release.structures.dataflow(FLOWS[kind]).structure.dimensions]
    # A dimension that a key does not name holds no breakdown.
    constant = {"FREQ": "A", "ADJUSTMENT": "UNADJ"}
    keys = keys.reindex(columns=dimensions).astype(object).fillna(constant).fillna("_T")
    found = keys.merge(observations, how="left", on=list(keys), validate="one_to_one")
    assert found["OBS_STATUS"].notna().all(), found.loc[found["OBS_STATUS"].isna(), list(keys)]
    return found


@pytest.mark.parametrize("kind", ["levels", "gaps"])
def test_every_published_number_is_the_one_that_r_computes(release: Release, kind: str) -> None:
    keys, numbers = expected(kind)
    found = released(release, kind, keys)
    open_ = (found["RELIABILITY"] != "WITHHELD").to_numpy()
    # R knows no policy: a few of its rows are withheld here.
    assert open_.mean() > 0.95
    errors = {}
    for name in numbers:
        r, ours = numbers[name].to_numpy(float), found[name].to_numpy(float)
        size = np.abs(r)
        if name in SIZE:
            size = np.maximum(size, np.abs(numbers[SIZE[name]].to_numpy(float)))
        with np.errstate(invalid="ignore"):
            # A p value far out in the tail is the exponential of a rounded number.
            certain = open_ & (size > 1e-250)
            error = np.abs(ours - r)[certain] / size[certain]
        assert np.isfinite(error).all(), name
        errors[name] = float(error.max())
    assert {name: error for name, error in errors.items() if error > TOLERANCE} == {}
    assert int(open_.sum()) > {"levels": 180, "gaps": 90}[kind]


def test_r_has_looked_at_every_survey_and_kind_of_gap() -> None:
    levels, _ = expected("levels")
    gaps, _ = expected("gaps")
    assert set(levels["REF_AREA"].str[:2]) == {"AT", "NO", "XA"}
    assert set(gaps["GAP_MEASURE"]) == {"DIFF", "RATIO", "OR"}
    assert {"AREA_NATIONAL", "AREA_REST", "HH_REST"} <= set(gaps["REFERENCE_GROUP"])
    assert levels["INDICATOR"].nunique() >= 12
