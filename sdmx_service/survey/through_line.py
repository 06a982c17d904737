"""How statistics follow the nation's poverty line."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdmx_service.survey.calibration import CalibratedRows
from sdmx_service.survey.cells import Cells
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates, total
from sdmx_service.survey.influence import Booleans, CellRows, Floats, Linearised
from sdmx_service.survey.poverty_line import NationalLine

__all__ = ["ThroughLine", "through_line"]


@dataclass(frozen=True, eq=False)
class ThroughLine:
    """What the line does to the cells of a statistic; ``design`` is the one to sum them on.

    The line moves cells by rows that do not belong to them. What the totals of a calibrated design
    explain is taken out here, of all that moves a cell at once (Deville 1999), and the sums are
    made as if there were no calibration.
    """

    nation: NationalLine
    design: Design
    calibrated: CalibratedRows | None = None

    def linearised(
        self, rows: CellRows, value: Floats, direct: Floats, own: Floats, slope: Floats
    ) -> Linearised:
        """Return a statistic (count,) that its rows move by ``direct`` (m,), the line by ``slope``.

        ``own`` (m,) is the influence of the rows on the line.
        """
        through, indirect = self.nation.moves(rows, own, slope)
        if self.calibrated is not None and indirect is not None:
            assert self.nation.fitted is not None  # both come from the calibration
            explained = self.calibrated.fitted(rows, direct)
            indirect = indirect - explained - self.nation.fitted[:, None] * slope
        return Linearised(value, direct + through, indirect=indirect)

    def finished(
        self,
        found: Estimates,
        design: Design,
        cells: Cells,
        known: Booleans,
        universe: Booleans | None,
    ) -> Estimates:
        """Return the estimates as those of ``design``: a calibration reaches all strata."""
        if self.calibrated is None:
            return found
        people = total(design, cells, np.where(known, 1.0, np.nan), universe=universe).sums
        explained = people.denominator - people.influence
        return replace(
            found,
            design=design,
            reach=np.ones_like(found.reach),
            sums=replace(found.sums, explained=explained),
        )


def through_line(
    design: Design, nation: NationalLine, known: Booleans, universe: Booleans | None
) -> ThroughLine:
    """Return how statistics of the ``known`` (n,) rows of ``universe`` (n,) follow the line."""
    if nation.fitted is None or design.calibration is None:
        return ThroughLine(nation, design)
    used = known & (design.weights > 0)
    if universe is not None:
        used = used & universe
    rows = design.calibration.of_rows(np.flatnonzero(used))
    return ThroughLine(nation, replace(design, calibration=None), rows)
