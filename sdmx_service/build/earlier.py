"""What earlier releases told of the same survey: it cannot be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.survey import Survey
from sdmx_service.protect.rounding import base_of, deterministic
from sdmx_service.release.manifest import FILE_NAME
from sdmx_service.release.release import Release, open_release
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.tabulation import AREA, TOTAL

__all__ = ["Earlier", "earlier_releases"]

Booleans = NDArray[np.bool_]
_NUMBERS = ("OBS_VALUE", "UNWGTD_SAMPL_SIZE", "WGTD_SAMPL_SIZE")
_BASE = "BASE"


@dataclass(frozen=True, eq=False)
class Earlier:
    """The published observations of earlier releases, all of them together.

    ``observations`` are levels and, by the id of their scale, alphas, with the ``BASE`` to which
    counts were rounded (1: they were not). Gaps are made of what is published and add nothing.
    """

    observations: pl.DataFrame

    def _matched(self, survey: Survey, indicator: Indicator, estimates: Estimates) -> pl.DataFrame:
        keys = pl.from_pandas(estimates.keys).with_row_index("row")
        mine = self.observations.filter(
            (pl.col("INDICATOR") == indicator.id)
            & (pl.col("TIME_PERIOD") == survey.period)
            & (pl.col("PROV_ID").str.split(":").list.first() == survey.id)
        )
        others = [name for name in _dimensions(self.observations) if name not in keys.columns]
        mine = mine.filter(pl.all_horizontal(pl.lit(True), *(pl.col(o) == TOTAL for o in others)))
        return keys.join(mine, on=[AREA, *estimates.keys.columns[1:]], how="inner")

    def _same_people(self, matched: pl.DataFrame, estimates: Estimates) -> Booleans:
        """Return which earlier figures are of the same people, by weights or rounded counts."""
        row = matched.get_column("row").to_numpy()
        base = matched.get_column(_BASE).to_numpy()
        count = matched.get_column("UNWGTD_SAMPL_SIZE").to_numpy()
        weight = matched.get_column("WGTD_SAMPL_SIZE").to_numpy()
        by_weight = np.isclose(weight, estimates.weight_sum[row], rtol=1e-9)
        by_count = np.isclose(count, _rounded(estimates.n[row], base))
        by_weight &= base == 1
        by_count &= (base > 1) | np.isnan(weight)
        return np.asarray(by_weight | by_count)

    def _same_value(
        self, matched: pl.DataFrame, indicator: Indicator, estimates: Estimates
    ) -> Booleans:
        now = estimates.value[matched.get_column("row").to_numpy()] * indicator.factor
        same: Booleans = np.isclose(matched.get_column("OBS_VALUE"), now, rtol=1e-9, atol=1e-9)
        return same

    def told(self, survey: Survey, indicator: Indicator, estimates: Estimates) -> Booleans:
        """Return the cells, (K,), whose present figures an earlier release has published."""
        return self._told(survey, indicator, estimates, exactly=False)

    def counted(self, survey: Survey, indicator: Indicator, estimates: Estimates) -> Booleans:
        """Return the cells, (K,), whose number of people was published without rounding."""
        return self._told(survey, indicator, estimates, exactly=True)

    def _told(
        self, survey: Survey, indicator: Indicator, estimates: Estimates, *, exactly: bool
    ) -> Booleans:
        matched = self._matched(survey, indicator, estimates)
        row = matched.get_column("row").to_numpy()
        same = (matched.get_column("PROV_ID") == survey.provenance).to_numpy()
        same &= self._same_value(matched, indicator, estimates)
        same &= self._same_people(matched, estimates)
        if exactly:
            same &= (matched.get_column(_BASE) == 1).to_numpy()
        found = np.zeros(len(estimates), dtype=bool)
        found[row[same]] = True
        return found

    def differences(
        self, survey: Survey, indicator: Indicator, estimates: Estimates
    ) -> pl.DataFrame:
        """Return by how many people a cell differs from what was published of it.

        One row a cell and earlier figure of other people: ``row`` and ``n`` the difference, for the
        disclosure rules to judge. Of counts that were published rounded it is that of the rounded.
        """
        matched = self._matched(survey, indicator, estimates)
        row = matched.get_column("row").to_numpy()
        now = _rounded(estimates.n[row], matched.get_column(_BASE).to_numpy())
        # The same sum of weights is of the same people.
        other = ~self._same_people(matched, estimates)
        n = np.abs(now - matched.get_column("UNWGTD_SAMPL_SIZE").to_numpy())
        return pl.DataFrame({"row": row[other], "n": n[other]}).filter(pl.col("n") > 0)


def _rounded(
    n: NDArray[np.intp], base: NDArray[np.float64] | NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return counts rounded to bases of their own, (K,) each."""
    found = n.astype(np.float64)
    for one in np.unique(base):
        found[base == one] = deterministic(found[base == one], int(one))
    return found


def _dimensions(frame: pl.DataFrame) -> list[str]:
    outside = {"INDICATOR", "TIME_PERIOD", "PROV_ID", AREA, _BASE, *_NUMBERS}
    return [name for name in frame.columns if name not in outside]


def _strings(names: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String) for name in names]


def _levels(release: Release) -> pl.DataFrame:
    structure = release.structures.datastructure("DSD_INCL_IND")
    dimensions = [d.id for d in structure.dimensions if d.id not in ("FREQ", "TIME_PERIOD")]
    columns = list(dict.fromkeys([*dimensions, "TIME_PERIOD", "PROV_ID"]))
    numbers = [pl.col(number).cast(pl.Float64) for number in _NUMBERS]
    known = release.table("DSD_INCL_IND").filter(pl.col("OBS_VALUE").is_not_null())
    levels = known.select(*_strings(columns), *numbers)
    known = release.table("DSD_INCL_SCALE").filter(
        pl.col("OBS_VALUE").is_not_null() & (pl.col("STATISTIC").cast(pl.String) == "ALPHA")
    )
    broken = [name for name in dimensions if name not in ("INDICATOR", AREA)]
    alphas = known.select(
        pl.col("SCALE").cast(pl.String).alias("INDICATOR"),
        *_strings([AREA, "TIME_PERIOD", "PROV_ID"]),
        *(pl.lit(TOTAL).alias(name) for name in broken),
        *(pl.col(number).cast(pl.Float64) for number in _NUMBERS[:2]),
        pl.lit(None, dtype=pl.Float64).alias("WGTD_SAMPL_SIZE"),
    )
    every = pl.concat([levels, alphas.select(levels.columns)])
    base = base_of(every.get_column("UNWGTD_SAMPL_SIZE"))
    return every.with_columns(pl.lit(float(base)).alias(_BASE))


def earlier_releases(root: Path) -> Earlier | None:
    """Return what the releases under ``root`` published, None where there is none yet.

    Raises ReleaseError for a damaged one: what it told is unknown.
    """
    folders = sorted(path.parent.name for path in root.glob(f"[!.]*/{FILE_NAME}"))
    if not folders:
        return None
    levels = pl.concat([_levels(open_release(root, name)) for name in folders], how="diagonal")
    return Earlier(levels.unique(maintain_order=True))
