"""Microdata read chunk by chunk have the estimates of the same rows in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sdmx_service.errors import DataError, DesignError
from sdmx_service.model import Measure
from sdmx_service.survey import estimate, gap, grouped, replicates, table
from sdmx_service.survey.calibration import poststratify
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.grouped import DesignColumns, Microdata, StageNames
from sdmx_service.survey.stages import StageColumns

ROWS = 1000
COLUMNS = DesignColumns("weight", psu="psu", stratum="stratum")
UNIVERSE = pl.col("age") >= 15


def people() -> pl.DataFrame:
    """Persons in no order, some without a weight above 0, an outcome, a sex or an age."""
    draw = np.random.default_rng(5)
    psu = draw.permutation(np.repeat(np.arange(50), ROWS // 50))

    def gaps(values: np.ndarray) -> pl.Series:
        return pl.Series(values).set(pl.Series(draw.random(ROWS) < 0.1), None)

    weight = draw.uniform(1, 3, ROWS)
    weight[psu == 7] = 0.0
    return pl.DataFrame(
        {
            "weight": weight,
            "psu": psu,
            "number": psu % 10,
            "stratum": [f"s{one}" for one in psu // 10],
            "population": np.full(ROWS, 40),
            "household": draw.integers(0, 4, ROWS),
            "households": np.full(ROWS, 30),
            "area": psu // 10,
            "sex": gaps(draw.choice(["F", "M"], ROWS)),
            "age": gaps(draw.integers(0, 90, ROWS)),
            "poor": gaps(draw.random(ROWS) < 0.3),
            "share": gaps(np.round(draw.random(ROWS), 2)),
            "income": gaps(draw.lognormal(9, 1, ROWS)),
            "size": gaps(draw.integers(0, 7, ROWS)),
            "year": gaps(2000 + draw.integers(-3, 4, ROWS)),
            "flag": draw.random(ROWS) < 0.3,
            "other": draw.random(ROWS) < 0.3,
        }
    )


PEOPLE = people()


def chunks(people: pl.DataFrame) -> grouped.Chunks:
    return lambda names: people.select(names).iter_slices(170)


def streamed(columns: DesignColumns = COLUMNS) -> Microdata:
    return grouped.read(chunks(PEOPLE), columns)


def partitions(sample: Microdata) -> list[grouped.Partition]:
    """The nation, areas, sexes, areas by sex, and two groups that overlap."""
    crossed = sample.cells((), ("area",), ("sex",), ("area", "sex"))
    flags = [
        grouped.Partition(crossed[0].keys, pl.when(pl.col(name)).then(0))
        for name in ("flag", "other")
    ]
    return [*crossed, *flags]


def in_memory() -> Cells:
    cells = Cells.from_labels(
        area=PEOPLE["area"].to_numpy(),
        sex=PEOPLE["sex"].to_pandas(),
        both=PEOPLE.select(pl.col("area").cast(pl.String) + pl.col("sex")).to_series().to_pandas(),
    )
    flags = Cells.from_flags(flag=PEOPLE["flag"].to_pandas(), other=PEOPLE["other"].to_pandas())
    return Cells((*cells.groupings, *flags.groupings[1:]))


def column(name: str) -> np.ndarray:
    return PEOPLE[name].cast(pl.Float64).to_numpy()


def design(**options: object) -> Design:
    return Design.from_columns(
        column("weight"),
        psu=PEOPLE["psu"].to_numpy(),
        stratum=PEOPLE["stratum"].to_pandas(),
        **options,  # type: ignore[arg-type]
    )


def same(found: Estimates, expected: Estimates) -> None:
    for name in ("n", "events", "missing", "df", "n_psu", "n_strata", "reach", "joint_df"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    for name in ("value", "weight_sum", "se", "deff_wr", "deff_wor", "response_rate"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-12, err_msg=name
        )
    size = np.sqrt(np.outer(expected.variance, expected.variance))
    apart = np.abs(found.covariance - expected.covariance) / size
    assert np.nanmax(apart) < 1e-12
    pairs = np.tril_indices(len(found), -1)
    for measure in (Measure.DIFFERENCE, Measure.RATIO):
        one, two = (gap.compare(of, *pairs, measure) for of in (found, expected))
        np.testing.assert_allclose(one.se, two.se, rtol=1e-9)
        np.testing.assert_array_equal(one.df, two.df)


def test_every_statistic_is_that_of_the_rows_in_memory() -> None:
    sample, whole, cells = streamed(), design(), in_memory()
    asked = partitions(sample)
    about = PEOPLE.select(UNIVERSE.fill_null(False)).to_series().to_numpy()
    for universe, mask in ((None, None), (UNIVERSE, about)):
        same(
            sample.proportion(asked, pl.col("poor"), universe=universe),
            estimate.proportion(whole, cells, column("poor"), universe=mask),
        )
        same(
            sample.proportion(asked, pl.col("share"), universe=universe),
            estimate.proportion(whole, cells, column("share"), universe=mask),
        )
        for name in ("income", "year"):
            same(
                sample.mean(asked, pl.col(name), universe=universe),
                estimate.mean(whole, cells, column(name), universe=mask),
            )
        same(
            sample.ratio(asked, pl.col("income"), pl.col("size"), universe=universe),
            estimate.ratio(whole, cells, column("income"), column("size"), universe=mask),
        )
        same(
            sample.total(asked, pl.col("income"), universe=universe),
            estimate.total(whole, cells, column("income"), universe=mask),
        )


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        (
            DesignColumns("weight", "psu", "stratum", fpc="population"),
            {"fpc": PEOPLE["population"].to_numpy()},
        ),
        (DesignColumns("weight", "number", "stratum", nested=True), {}),
        (
            DesignColumns("weight", "psu", "stratum", adjust_domain=True, lonely=Lonely.ADJUST),
            {"adjust_domain": True, "lonely": Lonely.ADJUST},
        ),
        (
            DesignColumns(
                "weight",
                "psu",
                "stratum",
                fpc="population",
                stages=(StageNames("household", fpc="households"),),
            ),
            {
                "fpc": PEOPLE["population"].to_numpy(),
                "stages": [
                    StageColumns(
                        PEOPLE["household"].to_numpy(), fpc=PEOPLE["households"].to_numpy()
                    )
                ],
            },
        ),
    ],
    ids=["fpc", "nested", "domains adjusted", "two stages"],
)
def test_every_design_is_that_of_the_rows_in_memory(
    columns: DesignColumns, options: dict[str, object]
) -> None:
    sample = streamed(columns)
    same(
        sample.mean(partitions(sample), pl.col("income")),
        estimate.mean(design(**options), in_memory(), column("income")),
    )


def test_replicates_of_the_units_are_those_of_the_rows() -> None:
    sample = streamed()
    drawn = replace(sample, design=replicates.bootstrap(sample.design, 40, seed=3))
    same(
        drawn.proportion(partitions(sample), pl.col("poor")),
        estimate.proportion(
            replicates.bootstrap(design(), 40, seed=3), in_memory(), column("poor")
        ),
    )


def test_sparse_tables_of_chunks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = streamed()
    dense = sample.mean(partitions(sample), pl.col("income"))
    monkeypatch.setattr(table, "_DENSE", 0)
    monkeypatch.setattr(table, "_FILLED", 2.0)
    same(sample.mean(partitions(sample), pl.col("income")), dense)


@pytest.mark.parametrize("lazy", [True, False])
def test_a_file_is_read_chunk_by_chunk(
    lazy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.parquet"
    PEOPLE.write_parquet(path, row_group_size=100)
    monkeypatch.setattr(grouped, "_ROWS", 130)
    sample = grouped.read(pl.scan_parquet(path) if lazy else path, COLUMNS)
    assert sample.n_rows == ROWS
    same(
        sample.proportion(partitions(sample), pl.col("poor")),
        estimate.proportion(design(), in_memory(), column("poor")),
    )


def test_keys_name_the_combinations_of_labels() -> None:
    _, both = streamed().cells(("sex",), ("sex", "area"))
    assert both.keys.columns.tolist() == ["sex", "area"]
    assert both.keys.iloc[5].tolist() == ["M", 0]


def test_a_wrong_row_is_named_by_its_number_among_all() -> None:
    sample = streamed()
    nation = sample.cells(())
    first = int(np.flatnonzero((PEOPLE["income"] > 1).fill_null(False))[200])
    with pytest.raises(DataError, match=r"row \d+: expected a number between 0 and 1"):
        sample.proportion(nation, pl.col("income"))
    beyond = pl.when(pl.col("income") == PEOPLE["income"][first]).then(2.0).otherwise(0.5)
    with pytest.raises(DataError, match=rf"row {first + 1}: "):
        sample.proportion(nation, beyond)
    with pytest.raises(DataError, match="infinite"):
        sample.mean(nation, pl.col("income") / 0)


def test_a_design_that_is_wrong_is_refused() -> None:
    with pytest.raises(DesignError, match="in strata s0, s1"):
        streamed(DesignColumns("weight", psu="number", stratum="stratum"))
    with pytest.raises(DesignError, match="missing"):
        streamed(DesignColumns("weight", psu="sex"))
    for wrong in (None, -1.0, np.inf, np.nan):
        broken = PEOPLE.with_columns(
            weight=pl.when(pl.int_range(pl.len()) == 400).then(wrong).otherwise("weight")
        )
        with pytest.raises(DesignError, match="rows after 340: column weight"):
            grouped.read(chunks(broken), COLUMNS)
    with pytest.raises(DesignError, match="no rows"):
        grouped.read(PEOPLE.clear().lazy(), COLUMNS)


def test_units_cannot_be_calibrated() -> None:
    sample = streamed()
    whole = {"all": 1000.0}
    calibrated = poststratify(sample.design, ["all"] * sample.design.n_rows, whole)
    with pytest.raises(DesignError, match="calibrate the rows"):
        replace(sample, design=calibrated).mean(sample.cells(()), pl.col("income"))
