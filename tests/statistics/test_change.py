"""Change over waves with the covariance of common PSUs, as R survey and svy have it.

The panel is panel_syn_2026 of the svy wheel; R's numbers are from r/change.R (R 4.2.2, survey
4.1-1).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import svy

from sdmx_service.errors import DataError, DesignError
from sdmx_service.model import Measure, Samples
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.change import Series, TrendScale, change, slope
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, mean
from sdmx_service.survey.pooling import Linkage, Pooled, Rescaling, Wave, overlap, pool
from sdmx_service.survey.poverty import rate
from sdmx_service.survey.replicates import jackknife
from sdmx_service.survey.sandwich import Convergence, Family, fit_glm

YEARS = {"1": 2020, "2": 2021, "3": 2022}
LEVEL = {"emp": [0.557484276729560, 0.578972127484417, 0.606434791164461]}
SE = {"emp": [0.0154557109199013, 0.0176375510221125, 0.0217702742465006]}
COVARIANCE = {"emp": [0.000169868037109287, 0.000216344982111239, 0.000252133548161226]}
CHANGE = {
    "emp": (0.0214878507548575, 0.0144991769379715),
    "inc": (111.440261947762, 20.345634487241),
}
SLOPE = {
    "emp": (0.02447525721745064, 0.00836860019036825),
    "inc": (131.3892668449698, 11.7377909420582),
}


@cache
def panel() -> pd.DataFrame:
    file = Path(svy.__file__).parent / "datasets/_bundled/panel_syn_2026.parquet"
    data = pl.read_parquet(file).to_pandas()
    return data.sort_values(["wave", "case_id"], kind="stable").reset_index(drop=True)


def waves(data: pd.DataFrame, weight: str = "w1") -> list[Wave]:
    return [
        Wave(str(label), rows[weight], rows.psu, rows.stratum)
        for label, rows in data.groupby("wave")
    ]


def by_wave(pooled: Pooled, outcome: pd.Series, universe: np.ndarray | None = None) -> Estimates:
    codes, labels = pd.factorize(pd.Series(pooled.wave), sort=True)
    cells = Cells.from_groupings([(pd.DataFrame({"wave": labels}), codes)])
    return mean(pooled.design, cells, outcome, universe=universe)


def series(outcome: str, linkage: Linkage = Linkage.SAME_PSUS, **options: object) -> Series:
    pooled = pool(waves(panel()), linkage)
    found = by_wave(pooled, panel()[outcome])
    return Series.of_pooled(found, pooled, YEARS, **options)


def separately(outcome: str, linkage: Linkage = Linkage.SAME_PSUS) -> Series:
    parts, labels = [], []
    for label, rows in panel().groupby("wave"):
        design = Design.from_columns(rows.w1, psu=rows.psu, stratum=rows.stratum)
        cells = Cells.from_groupings([(pd.DataFrame({"group": ["_T"]}), np.zeros(len(rows)))])
        found = mean(design, cells, rows[outcome].to_numpy())
        parts.append((str(label), 2019.0 + float(label), found))
        labels.append(rows.psu)
    return Series.of_waves(parts, linkage, psu=labels)


@pytest.mark.parametrize("made", [series, separately])
def test_levels_and_their_covariance_agree_with_r(made: type[Series]) -> None:
    levels = made("emp").levels
    np.testing.assert_allclose(levels.value, LEVEL["emp"], rtol=1e-12)
    np.testing.assert_allclose(levels.se, SE["emp"], rtol=1e-12)
    joint = levels.covariance[[0, 0, 1], [1, 2, 2]]
    np.testing.assert_allclose(joint, COVARIANCE["emp"], rtol=1e-11)


@pytest.mark.parametrize("made", [series, separately])
@pytest.mark.parametrize("outcome", ["emp", "inc"])
def test_change_and_slope_agree_with_r(made: type[Series], outcome: str) -> None:
    found = made(outcome)
    changed = change(found, "1", "2").gaps
    assert changed is not None
    assert (changed.value[0], changed.se[0]) == pytest.approx(CHANGE[outcome], rel=1e-11)
    assert changed.df[0] == 54
    assert changed.samples is Samples.SAME
    line = slope(found)
    assert (line.value[0], line.se[0]) == pytest.approx(SLOPE[outcome], rel=1e-11)
    assert line.df[0] == 54


def test_change_of_the_same_people_agrees_with_r() -> None:
    data = panel()
    pooled = pool(waves(data, "lw_12"), Linkage.SAME_PSUS)
    known = data.emp.notna().to_numpy()
    both = np.zeros(len(data), dtype=bool)
    both[known] = overlap(data.case_id[known], data.wave[known], {1, 2})
    found = by_wave(pooled, data.emp, universe=both).take([0, 1])
    two = Series.of_pooled(found, pooled, YEARS)
    changed = change(two, "1", "2").gaps
    assert changed is not None
    assert found.n[0] == found.n[1]
    np.testing.assert_allclose(found.value, [0.5647310827909492, 0.5777599580010176], rtol=1e-12)
    assert changed.se[0] == pytest.approx(0.0163102595123206, rel=1e-11)
    assert changed.df[0] == 54
    ratio = change(two, "1", "2", Measure.RATIO).gaps
    assert ratio is not None
    assert np.log(ratio.value[0]) == pytest.approx(0.0228088266567116, rel=1e-11)
    assert ratio.se_log[0] == pytest.approx(0.0286436568748060, rel=1e-11)


def test_change_agrees_with_svy() -> None:
    sample = svy.Sample(
        pl.from_pandas(panel()).filter(pl.col("emp").is_not_null()),
        svy.Design(stratum="stratum", psu="psu", wgt="w1"),
    )
    estimated = sample.estimation.mean("inc", by="wave")
    gap = estimated.contrast(svy.estd(2) - svy.estd(1)).to_polars().row(0, named=True)
    found = change(series("inc"), "1", "2").gaps
    assert found is not None
    assert gap["est"] == pytest.approx(found.value[0], rel=1e-9)
    assert gap["se"] == pytest.approx(found.se[0], rel=1e-9)
    assert gap["lci"] == pytest.approx(found.lower[0], rel=1e-6)
    assert gap["df"] == found.df[0]


@pytest.mark.parametrize("made", [series, separately])
def test_independent_waves_have_no_covariance(made: type[Series]) -> None:
    changed = change(made("emp", Linkage.INDEPENDENT), "1", "2").gaps
    assert changed is not None
    assert changed.se[0] == pytest.approx(0.0234512730165588, rel=1e-11)
    assert changed.df[0] == 108
    assert changed.samples is Samples.INDEPENDENT


def test_trend_models_on_the_pooled_waves_agree_with_svyglm() -> None:
    pooled = pool(waves(panel()), Linkage.SAME_PSUS)
    data = pd.DataFrame({"wave": pooled.wave.astype(float)})
    for outcome, family, expected in (
        ("emp", Family.LOGIT, (0.0996430131374317, 0.0344288792463310)),
        ("inc", Family.LINEAR, (129.898099469754, 11.910424045947)),
    ):
        fit = fit_glm(
            pooled.design,
            panel()[outcome],
            data,
            ["wave"],
            family,
            convergence=Convergence.AS_R,
        )
        found = fit.coefficients
        assert (found.value[1], found.se[1]) == pytest.approx(expected, rel=1e-9)
        assert fit.df == 53


def test_pooled_years_agree_with_r_whatever_the_common_scale_of_the_weights() -> None:
    for rescaling in (Rescaling.NONE, Rescaling.EQUAL):
        for linkage, error in (
            (Linkage.SAME_PSUS, 0.0155619020324354),
            (Linkage.INDEPENDENT, 0.0103021733141163),
        ):
            pooled = pool(waves(panel()), linkage, rescaling=rescaling)
            found = mean(pooled.design, Cells.from_labels(wave=pooled.wave), panel().emp)
            assert found.value[0] == pytest.approx(0.5773610180843939, rel=1e-12)
            assert found.se[0] == pytest.approx(error, rel=1e-11)


def test_rescaled_weights_give_the_average_year_or_the_effective_sizes() -> None:
    data = panel()
    totals = data.groupby("wave").w1.sum()
    equal = pool(waves(data), Linkage.SAME_PSUS, rescaling=Rescaling.EQUAL).design.weights
    assert equal.sum() == pytest.approx(totals.mean())
    weights = pool(
        waves(data), Linkage.SAME_PSUS, rescaling=Rescaling.EFFECTIVE_SIZE
    ).design.weights
    per_wave = pd.Series(weights).groupby(data.wave).sum() / totals
    sizes = data.groupby("wave").w1.agg(lambda w: w.sum() ** 2 / (w**2).sum())
    np.testing.assert_allclose(per_wave, sizes / sizes.sum())


def test_nothing_is_compared_across_a_break() -> None:
    found = series("emp", breaks=["2"])
    across = change(found, "1", "3")
    assert not across.compared
    assert across.broken_at == ("2",)
    assert across.gaps is None
    assert change(found, "3", "1").broken_at == ("2",)
    after = change(found, "2", "3")
    assert after.compared
    line = slope(found)
    assert line.keys[["first", "last"]].to_numpy().tolist() == [["2", "3"]]
    assert after.gaps is not None
    assert line.value[0] == pytest.approx(after.gaps.value[0])
    assert line.se[0] == pytest.approx(after.gaps.se[0])
    with pytest.raises(DesignError, match="without a break"):
        slope(series("emp", breaks=["2", "3"]))


def test_a_slope_on_the_log_scale_is_a_relative_change() -> None:
    """Two waves: the log ratio over the time between."""
    two = series("inc", breaks=["2"])
    line = slope(two, scale=TrendScale.LOG)
    ratio = change(two, "2", "3", Measure.RATIO).gaps
    assert ratio is not None
    assert line.value[0] == pytest.approx(np.log(ratio.value[0]))
    assert line.se[0] == pytest.approx(ratio.se_log[0])


def test_groups_have_their_own_change_and_share_one_covariance() -> None:
    data = panel()
    pooled = pool(waves(data), Linkage.SAME_PSUS)
    keys = pd.DataFrame([(str(w), s) for s in (0, 1) for w in (1, 2, 3)], columns=["wave", "sex"])
    sex = pd.factorize(data.sex, sort=True)[0]
    cells = Cells.from_groupings([(keys, sex * 3 + data.wave - 1)])
    found = Series.of_pooled(mean(pooled.design, cells, data.inc), pooled, YEARS)
    changed = change(found, "1", "3").gaps
    assert changed is not None
    assert len(changed) == 2
    assert slope(found).keys["sex"].tolist() == [0, 1]
    levels = data.groupby(["sex", "wave"]).apply(
        lambda g: np.average(g.inc[g.inc.notna()], weights=g.w1[g.inc.notna()])
    )
    expected = levels.unstack("wave")
    np.testing.assert_allclose(changed.value, expected[3] - expected[1])


def test_a_poverty_line_is_each_waves_own() -> None:
    """Pooled, with the line from the wave's rows alone, is as estimated wave by wave."""
    data = panel()
    pooled = pool(waves(data), Linkage.SAME_PSUS)
    parts, alone, labels = [], [], []
    for label, rows in data.groupby("wave"):
        here = (data.wave == label).to_numpy()
        key = pd.DataFrame({"wave": [str(label)]})
        one = Cells.from_groupings([(key, np.where(here, 0, -1))])
        parts.append(rate(pooled.design, one, data.inc, universe=here, population=here))
        design = Design.from_columns(rows.w1, psu=rows.psu, stratum=rows.stratum)
        everyone = Cells.from_groupings([(key.assign(wave="_T"), np.zeros(len(rows)))])
        alone.append((str(label), YEARS[str(label)], rate(design, everyone, rows.inc.to_numpy())))
        labels.append(rows.psu)
    together = Series.of_pooled(parts[0].stack(parts[1]).stack(parts[2]), pooled, YEARS)
    apart = Series.of_waves(alone, Linkage.SAME_PSUS, psu=labels)
    np.testing.assert_allclose(together.levels.value, apart.levels.value)
    np.testing.assert_allclose(together.levels.covariance, apart.levels.covariance, rtol=1e-9)


def test_waves_in_another_order_make_the_same_series() -> None:
    straight = separately("inc")
    design_of = [
        (label, time, part)
        for label, time, part in zip(("1", "2", "3"), (2020, 2021, 2022), parts_of(), strict=True)
    ]
    psu = [rows.psu for _, rows in panel().groupby("wave")]
    turned = Series.of_waves(design_of[::-1], Linkage.SAME_PSUS, psu=psu[::-1])
    assert turned.labels == straight.labels
    np.testing.assert_allclose(turned.levels.covariance, straight.levels.covariance)


def parts_of() -> list[Estimates]:
    found = []
    for _, rows in panel().groupby("wave"):
        design = Design.from_columns(rows.w1, psu=rows.psu, stratum=rows.stratum)
        cells = Cells.from_groupings([(pd.DataFrame({"group": ["_T"]}), np.zeros(len(rows)))])
        found.append(mean(design, cells, rows.inc.to_numpy()))
    return found


def test_psus_of_one_wave_alone_give_no_covariance() -> None:
    """A sample renewed by halves: only PSUs in both waves connect them."""
    draw = np.random.default_rng(8)
    first, second = np.arange(20).repeat(5), np.arange(10, 30).repeat(5)
    parts, spreads = [], []
    for at, psu in enumerate((first, second)):
        design = Design.from_columns(np.ones(100), psu=psu, stratum=psu % 2)
        cells = Cells.from_groupings([(pd.DataFrame({"group": ["_T"]}), np.zeros(100))])
        part = mean(design, cells, draw.normal(psu * 0.2, 1.0))
        parts.append((str(at), float(at), part))
        order = pd.Series(psu).groupby(design.psu).first()
        spreads.append(pd.Series(part.deviations[:, 0], index=order.to_numpy()))
    found = Series.of_waves(parts, Linkage.SAME_PSUS, psu=[first, second]).levels
    both = np.intersect1d(first, second)
    assert found.covariance[0, 1] == pytest.approx((spreads[0][both] * spreads[1][both]).sum())
    np.testing.assert_allclose(found.se, [parts[0][2].se[0], parts[1][2].se[0]])


def test_what_cannot_be_a_series_is_refused() -> None:
    data = panel()
    found = series("emp")
    with pytest.raises(DataError, match="one of 1, 2, 3"):
        change(found, "1", "4")
    with pytest.raises(DataError, match="waves of the series"):
        series("emp", breaks=["2019"])
    pooled = pool(waves(data), Linkage.SAME_PSUS)
    with pytest.raises(DataError, match="waves with a time: 1, 2"):
        Series.of_pooled(by_wave(pooled, data.emp), pooled, {"1": 1, "2": 2})
    with pytest.raises(DataError, match="each once"):
        pool([waves(data)[0]] * 2, Linkage.SAME_PSUS)
    with pytest.raises(DataError, match="twice"):
        overlap([1, 1, 2], [1, 1, 2], {1, 2})
    moved = data.assign(stratum=data.stratum.where(data.wave < 3, data.stratum % 6 + 1))
    with pytest.raises(DesignError, match="every PSU in one stratum"):
        pool(waves(moved), Linkage.SAME_PSUS)
    labels = [np.zeros(len(rows)) for _, rows in data.groupby("wave")]
    parts = [(str(at), float(at), part) for at, part in enumerate(parts_of())]
    with pytest.raises(DataError, match="one to one"):
        Series.of_waves(parts, Linkage.SAME_PSUS, psu=labels)
    first = parts_of()[0]
    renewed = replace(first, design=jackknife(first.design))
    with pytest.raises(DesignError, match="pool the waves"):
        Series.of_waves([("1", 1.0, renewed)], Linkage.SAME_PSUS, psu=[data.psu[data.wave == 1]])
    with pytest.raises(DataError, match="rows"):
        pool([Wave("1", [1.0, 1.0], [1, 2, 3], [1, 1])], Linkage.SAME_PSUS)
