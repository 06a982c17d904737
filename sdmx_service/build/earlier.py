"""What earlier releases told of the same survey: it cannot be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.survey import Survey
from sdmx_service.protect.rounding import deterministic
from sdmx_service.release.manifest import FILE_NAME
from sdmx_service.release.release import open_release
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.tabulation import AREA, TOTAL

__all__ = ["Earlier", "earlier_releases"]

Booleans = NDArray[np.bool_]
_NUMBERS = ("OBS_VALUE", "UNWGTD_SAMPL_SIZE", "WGTD_SAMPL_SIZE")


@dataclass(frozen=True, eq=False)
class Earlier:
    """The published observations of DSD_INCL_IND of earlier releases, all of them together."""

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

    def told(self, survey: Survey, indicator: Indicator, estimates: Estimates) -> Booleans:
        """Return the cells, (K,), whose present figures an earlier release has published."""
        matched = self._matched(survey, indicator, estimates)
        row = matched.get_column("row").to_numpy()
        now = estimates.value[row] * indicator.factor
        same = (matched.get_column("PROV_ID") == survey.provenance).to_numpy()
        same &= np.isclose(matched.get_column("OBS_VALUE"), now, rtol=1e-9, atol=1e-9)
        same &= np.isclose(
            matched.get_column("WGTD_SAMPL_SIZE"), estimates.weight_sum[row], rtol=1e-9
        )
        found = np.zeros(len(estimates), dtype=bool)
        found[row[same]] = True
        return found

    def differences(
        self, survey: Survey, indicator: Indicator, estimates: Estimates, base: int = 1
    ) -> pl.DataFrame:
        """Return by how many people a cell differs from what was published of it.

        One row a cell and earlier figure of other people: ``row`` and ``n`` the difference, for the
        disclosure rules to judge. ``base`` is what published counts are rounded to.
        """
        matched = self._matched(survey, indicator, estimates)
        row = matched.get_column("row").to_numpy()
        now = deterministic(estimates.n[row].astype(float), base)
        # The same sum of weights is of the same people, however their count was rounded.
        other = ~np.isclose(
            matched.get_column("WGTD_SAMPL_SIZE").to_numpy(), estimates.weight_sum[row], rtol=1e-9
        )
        n = np.abs(now - matched.get_column("UNWGTD_SAMPL_SIZE").to_numpy())
        return pl.DataFrame({"row": row[other], "n": n[other]}).filter(pl.col("n") > 0)


def _dimensions(frame: pl.DataFrame) -> list[str]:
    outside = {"INDICATOR", "TIME_PERIOD", "PROV_ID", AREA, *_NUMBERS}
    return [name for name in frame.columns if name not in outside]


def earlier_releases(root: Path) -> Earlier | None:
    """Return what the releases under ``root`` published, None where there is none yet.

    Raises ReleaseError for a damaged one: what it told is unknown.
    """
    folders = sorted(path.parent.name for path in root.glob(f"[!.]*/{FILE_NAME}"))
    frames = []
    for name in folders:
        release = open_release(root, name)
        table = release.table("DSD_INCL_IND")
        structure = release.structures.datastructure("DSD_INCL_IND")
        dimensions = [d.id for d in structure.dimensions if d.id not in ("FREQ", "TIME_PERIOD")]
        columns = list(dict.fromkeys([*dimensions, "TIME_PERIOD", "PROV_ID"]))
        frames.append(
            table.filter(pl.col("OBS_VALUE").is_not_null()).select(
                *(pl.col(column).cast(pl.String) for column in columns),
                *(pl.col(number).cast(pl.Float64) for number in _NUMBERS),
            )
        )
    if not frames:
        return None
    return Earlier(pl.concat(frames, how="diagonal").unique(maintain_order=True))
