"""Observations of DSD_INCL_IND in any number, with every attribute, and releases of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl

from sdmx_service.cube import column_type
from sdmx_service.release import Release
from sdmx_service.release.publishing import publish
from sdmx_service.structures.artefacts import DataStructure
from sdmx_service.structures.store import StructureStore

STRUCTURES = Path(__file__).resolve().parent.parent / "dsd" / "structures"
TABLE = "DSD_INCL_IND"
PERIODS, KEYS = 20, 500
# How many codes of each dimension are used, in the order the key has them.
_USED = {"FREQ": 1, "REF_AREA": 40, "INDICATOR": 60, "SEX": 3, "AGE": 12, "URBANISATION": 3,
         "INCOME_WEALTH_QUANTILE": 6, "EDUCATION_LEV": 5}  # fmt: skip


def observations(structure: DataStructure, rows: int, seed: int = 1) -> pl.DataFrame:
    """Return ``rows`` observations of series of twenty years, in order."""
    draw = np.random.default_rng(seed)
    count = rows // PERIODS
    codes = {d.id: list(d.codelist.by_id) for d in structure.dimensions if d.codelist}
    sizes = [min(_USED.get(name, 1), len(listed)) for name, listed in codes.items()]
    numbers = np.sort(draw.choice(int(np.prod(sizes)), count, replace=False))
    columns: dict[str, pl.Series] = {}
    for (name, listed), size in reversed(list(zip(codes.items(), sizes, strict=True))):
        used = sorted(listed.index("_T") if size == 1 and "_T" in listed else place
                      for place in range(size))  # fmt: skip
        columns[name] = _coded(structure, name, np.array(used)[numbers % size].repeat(PERIODS))
        numbers = numbers // size
    n = count * PERIODS
    years = pl.Series([str(2004 + year) for year in range(PERIODS)])
    columns["TIME_PERIOD"] = years.gather(np.tile(np.arange(PERIODS), count))
    value = np.round(draw.normal(40, 12, n), 5)
    error = np.round(np.abs(draw.normal(1.2, 0.4, n)) + 0.01, 5)
    numbers_of = {
        "OBS_VALUE": value,
        "STD_ERR": error,
        "LOWER_BOUND": np.round(value - 1.96 * error, 5),
        "UPPER_BOUND": np.round(value + 1.96 * error, 5),
        "CONF_LEVEL": np.full(n, 0.95),
        "UNWGTD_SAMPL_SIZE": draw.integers(30, 3000, n),
        "WGTD_SAMPL_SIZE": np.round(draw.gamma(4, 5e4, n), 1),
        "DESIGN_EFFECT": np.round(draw.gamma(9, 0.15, n), 3),
        "CV": np.round(100 * error / np.abs(value).clip(1), 2),
        "RESP_RATE": np.round(draw.uniform(0.4, 0.9, n), 3),
        "DEGREES_FREEDOM": draw.integers(8, 400, n).astype(float),
    }
    columns |= {name: pl.Series(values) for name, values in numbers_of.items()}
    for attribute in structure.attributes:
        if attribute.id in columns:
            continue
        if attribute.codelist is not None:
            most = min(4, len(attribute.codelist.codes))
            steady = attribute in structure.series_attributes
            places = draw.integers(0, most, count if steady else n).astype("u1")
            places = places.repeat(PERIODS) if steady else places
            columns[attribute.id] = _coded(structure, attribute.id, places)
        elif attribute.id == "EMBARGO_TIME":
            columns[attribute.id] = pl.repeat("2026-01-01T00:00:00", n, eager=True)
        else:
            texts = pl.Series([None, *(f"{attribute.id.lower()} {k}, a text" for k in range(40))])
            columns[attribute.id] = texts.gather(draw.integers(0, 41, n).astype("u1"))
    return pl.DataFrame(
        [columns[c.id].alias(c.id).cast(column_type(c)) for c in structure.components]
    )


def _coded(structure: DataStructure, name: str, places: np.ndarray) -> pl.Series:
    listed = structure.by_id[name].codelist
    assert listed is not None
    table = pl.Series(list(listed.by_id), dtype=pl.Enum(list(listed.by_id)))
    return table.gather(places)


def structures() -> StructureStore:
    """Return this project's own structures."""
    return StructureStore.read(STRUCTURES)


def released(rows: int, folder: Path) -> Path:
    """Return a folder with a release of that many observations, made where it is absent."""
    root = folder / f"service-{rows}"
    if not (root / "CURRENT").exists():
        shutil.rmtree(root, ignore_errors=True)
        store = structures()
        publish(
            root,
            title=f"{rows:,} observations for a benchmark",
            tables={TABLE: observations(store.datastructure(TABLE), rows)},
            structures=STRUCTURES,
            definitions={},
            annexes={},
            inputs={},
            generator="bench/service.py",
        )
    return root


def keys_of(release: Release) -> list[str]:
    """Return the keys of 500 series drawn at random."""
    image = release.image(TABLE)
    draw = np.random.default_rng(7).integers(0, len(image.series), KEYS)
    columns = [image.coded(d.id) for d in image.structure.dimensions]
    return [
        ".".join(
            column.dictionary[int(codes[number])]
            for column, codes in zip(columns, image.series.codes, strict=True)
            if column is not None
        )
        for number in draw
    ]


def slice_key(release: Release) -> str:
    """Return the key of an indicator with more than ten thousand observations."""
    structure = release.image(TABLE).structure
    listed = structure.by_id["INDICATOR"].codelist
    assert listed is not None
    return f"*.*.{listed.codes[7].id}"
