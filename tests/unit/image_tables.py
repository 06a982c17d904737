"""Tables of every kind of column, and their images."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from sdmx_service.cube import TEXTS, Table
from sdmx_service.release.image import Image, open_image
from sdmx_service.release.imaging import file_hash
from sdmx_service.release.publishing import _write_table
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

AREAS, SEXES, AGES = ("AT", "NO", "XA", "XB"), ("_T", "F", "M"), ("_T", "Y0T14")
PERIODS = ("2020", "2020-03", "2020-Q3", "2021-S1", "2022")


def codelist(codes: tuple[str, ...]) -> Codelist:
    return Codelist("SIS", "CL", "1.0.0", {}, tuple(Code(code, {}) for code in codes))


STRUCTURE = DataStructure(
    "SIS",
    "DSD",
    "1.0.0",
    {},
    (
        Component("FREQ", Role.DIMENSION, {}, codelist(("A", "Q"))),
        Component("REF_AREA", Role.DIMENSION, {}, codelist(AREAS)),
        Component("SEX", Role.DIMENSION, {}, codelist(SEXES)),
        Component("AGE", Role.DIMENSION, {}, codelist(AGES)),
        Component("TIME_PERIOD", Role.TIME, {}),
        Component("OBS_VALUE", Role.MEASURE, {}, data_type="Double"),
        Component("UNIT", Role.ATTRIBUTE, {}, codelist(("PT", "NR")), "String", Attachment.SERIES),
        Component("N", Role.ATTRIBUTE, {}, None, "Integer", Attachment.OBSERVATION),
        Component("NOTE", Role.ATTRIBUTE, {}, None, "String", Attachment.OBSERVATION),
    ),
)
TAGS = Component(
    "TAGS", Role.ATTRIBUTE, {}, codelist(("B", "A", "C")), "String", Attachment.SERIES,
    multiple=True,
)  # fmt: skip
RATES = Component(
    "RATES", Role.ATTRIBUTE, {}, None, "Double", Attachment.OBSERVATION, multiple=True
)
WORDS = Component(
    "WORDS", Role.ATTRIBUTE, {}, None, "String", Attachment.OBSERVATION, multiple=True
)
TITLE = Component("TITLE", Role.ATTRIBUTE, {}, None, "String", Attachment.SERIES, multilingual=True)
TITLES = Component(
    "TITLES", Role.ATTRIBUTE, {}, None, "String", Attachment.OBSERVATION, multilingual=True,
    multiple=True,
)  # fmt: skip
SEVERAL = replace(STRUCTURE, components=(*STRUCTURE.components, TAGS, RATES, WORDS, TITLE, TITLES))
TIMELESS = replace(
    SEVERAL, components=tuple(c for c in SEVERAL.components if c.role is not Role.TIME)
)
KINDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "FREQ": pl.Enum(["A", "Q"]),
    "REF_AREA": pl.Enum(AREAS),
    "SEX": pl.Enum(SEXES),
    "AGE": pl.Enum(AGES),
    "TIME_PERIOD": pl.String,
    "OBS_VALUE": pl.Float64,
    "UNIT": pl.Enum(["PT", "NR"]),
    "N": pl.Int64,
    "NOTE": pl.String,
    "TAGS": pl.List(pl.Enum(["B", "A", "C"])),
    "RATES": pl.List(pl.Float64),
    "WORDS": pl.List(pl.String),
    "TITLE": TEXTS,
    "TITLES": pl.List(TEXTS),
}
EN, BOTH = [{"lang": "en", "text": "note"}], [
    {"lang": "en", "text": "A"}, {"lang": "fr", "text": "ä: 2020"}
]  # fmt: skip
MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADMITS = {"REF_AREA": frozenset({"AT", "XA", "XB", "elsewhere"})}
FLOW = Dataflow("SIS", "DF", "1.0.0", {}, STRUCTURE, ADMITS)
ALL = replace(FLOW, admits={})


def flow_on(flow: Dataflow, structure: DataStructure) -> Dataflow:
    return replace(flow, structure=structure)


def table_of(seed: int, share: float, structure: DataStructure = STRUCTURE) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    rows = [
        (
            "A",
            area,
            sex,
            age,
            period,
            [None, float("nan"), 0.5, -2.0, 3e9][draw.integers(5)],
            ["PT", "NR"][AREAS.index(area) % 2]
            if seed % 2
            else ["PT", "NR", None][draw.integers(3)],
            [None, 7, 2**53 + 1][draw.integers(3)],
            [None, "", "note ä", "nüchtern"][draw.integers(4)],
            [["A"], ["A", "B"], ["B", "A"], None][draw.integers(4)],
            [[0.5], [-0.0, float("nan")], [0.0, 7.0], None][draw.integers(4)],
            [["note"], ["", "1:x"], ["1", "x"], None][draw.integers(4)],
            [EN, BOTH, None][AREAS.index(area) % 3],
            [[EN], [BOTH, EN], None][draw.integers(3)],
        )
        for area in AREAS
        for sex in SEXES
        for age in AGES
        for period in (PERIODS if structure.timed else PERIODS[:1])
        if draw.random() < share
    ]
    frame = pl.DataFrame(rows, schema=KINDS, orient="row").select(
        component.id for component in structure.components
    )
    return frame.sort([component.id for component in structure.key])


def image_of(frame: pl.DataFrame, folder: Path, structure: DataStructure = STRUCTURE) -> Image:
    parquet = folder / "table.parquet"
    _write_table(parquet, Table(frame, None))
    return open_image(parquet, file_hash(parquet), structure, folder / "images")
