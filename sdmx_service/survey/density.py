"""Kernel densities of an outcome at one point of each cell."""

from __future__ import annotations

import numpy as np

from sdmx_service.survey.influence import CellRows, Floats

__all__ = ["density", "outcome_density"]


def density(rows: CellRows, outcome: Floats, at: Floats) -> Floats:
    """Return each cell's density of ``outcome`` (m,) at its point ``at`` (count,).

    The kernel is Gaussian with bandwidth sd N^(-1/5), N the cell's sum of weights, as in R convey
    (Deville, Survey Methodology 25, 1999; Osier, Survey Research Methods 3(3), 2009).
    """
    people = rows.sum()
    kernel, bandwidth = _kernel(rows, outcome, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = rows.sum(kernel) / (people * bandwidth)
    return result


def outcome_density(rows: CellRows, outcome: Floats, at: Floats) -> Floats:
    """Return each cell's density of the total: that of ``outcome`` weighted by itself, (count,)."""
    kernel, bandwidth = _kernel(rows, outcome, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = rows.sum(kernel * outcome) / bandwidth
    return result


def _kernel(rows: CellRows, outcome: Floats, at: Floats) -> tuple[Floats, Floats]:
    people = rows.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = rows.sum(outcome) / people
        deviation = np.sqrt(rows.sum((outcome - rows.at(np.nan_to_num(centre))) ** 2) / people)
        bandwidth = deviation * people**-0.2
        distance = (rows.at(np.nan_to_num(at)) - outcome) / rows.at(bandwidth, outside=1.0)
        kernel = np.exp(-0.5 * distance**2) / np.sqrt(2.0 * np.pi)
    return kernel, bandwidth
