"""The first and the last observations of a series are so in time, wherever they lie in a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sdmx_service.cube import Table
from sdmx_service.query import rest22
from sdmx_service.query.selection import select
from sdmx_service.release import chronology
from sdmx_service.release.image import Image, open_image
from sdmx_service.release.imaging import file_hash
from sdmx_service.release.publishing import _write_table
from sdmx_service.release.reading import chosen
from sdmx_service.release.rows import Rows
from sdmx_service.structures.artefacts import (
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

AREAS = ("AT", "NO", "XA")
STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {},
    (
        Component(
            "AREA",
            Role.DIMENSION,
            {},
            Codelist("SIS", "CL", "1.0.0", {}, tuple(Code(one, {}) for one in AREAS)),
        ),
        Component("TIME_PERIOD", Role.TIME, {}),
        Component("OBS_VALUE", Role.MEASURE, {}, data_type="Double"),
    ),
)
FLOW = Dataflow("SIS", "DF", "1.0.0", {}, STRUCTURE)
MONTHS = ("2020-01", "2020-06", "2020-12", "2021-01")
QUARTERS = ("2020-Q1", "2020-Q2", "2020-Q4")
# In the order of time; 2020-12 comes before 2020-Q1 among texts.
MIXED = ("2019-12", "2020-Q1", "2020-Q3", "2020-12", "2021-02")


def _frame(*periods: tuple[str, ...]) -> pl.DataFrame:
    rows = [
        (area, period, float(place))
        for area, its in zip(AREAS, periods, strict=True)
        for place, period in enumerate(sorted(its))
    ]
    kinds = {"AREA": pl.Enum(AREAS), "TIME_PERIOD": pl.String, "OBS_VALUE": pl.Float64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _image(frame: pl.DataFrame, folder: Path) -> Image:
    parquet = folder / "table.parquet"
    _write_table(parquet, Table(frame, None))
    return open_image(parquet, file_hash(parquet), STRUCTURE, folder / "images")


@pytest.mark.parametrize(
    ("periods", "in_time"),
    [
        ((MONTHS, MONTHS, MONTHS), True),
        # Months and quarters do not lie in time, but no series has both.
        ((MONTHS, QUARTERS, MONTHS), True),
        ((MONTHS, QUARTERS, MIXED), False),
        ((MIXED, MIXED, MIXED), False),
    ],
)
def test_rows_lie_in_time_or_do_not(
    periods: tuple[tuple[str, ...], ...],
    in_time: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = _image(_frame(*periods), tmp_path)
    for size in (1, 2, 3, 1000):  # also where a piece ends inside of a series
        monkeypatch.setattr(chronology, "_ROWS", size)
        assert chronology.lie_in_time(image, Rows.of(_every_row(image))) is in_time


def _every_row(image: Image) -> npt.NDArray[np.int64]:
    whole = Rows.between(image.series.starts[:-1], image.series.starts[1:])
    return whole.array()


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ("firstNObservations=2", MIXED[:2]),
        ("lastNObservations=2", MIXED[-2:]),
        ("firstNObservations=1&lastNObservations=1", (MIXED[0], MIXED[-1])),
        ("firstNObservations=4&lastNObservations=4", MIXED),
        ("lastNObservations=2&c[TIME_PERIOD]=le:2020", MIXED[2:4]),
    ],
)
def test_an_image_and_its_table_have_the_same_ends(
    parameters: str, kept: tuple[str, ...], tmp_path: Path
) -> None:
    frame = _frame(MIXED, MONTHS, MIXED)
    query = rest22.data_query("dataflow/SIS/DF/*/AT,XA", parameters)
    found = chosen(_image(frame, tmp_path), FLOW, query).collected()
    assert found.get_column("TIME_PERIOD").to_list() == sorted(kept) * 2
    assert_frame_equal(found, select(frame, STRUCTURE, query))
