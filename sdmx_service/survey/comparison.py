"""Which cells of a survey are compared with which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from sdmx_service.survey.tabulation import AREA, PLACED, TOTAL, is_public

__all__ = ["CONDITIONS", "plan"]

# The dimensions of DSD_INCL_GAP within whose groups a gap may be taken.
CONDITIONS = ("SEX", "AGE", "URBANISATION")
_COLUMNS = ["group", "other", "breakdown", "against"]


def plan(
    keys: pd.DataFrame,
    references: Mapping[str, str],
    nation: str,
    *,
    overlapping: Collection[str] = (),
) -> pd.DataFrame:
    """Return the comparisons among cells with these ``keys`` (K rows of REF_AREA and dimensions).

    One row a comparison: ``group`` and ``other`` are positions among the K cells, ``breakdown``
    the dimension compared, ``against`` one of

    - ``REFERENCE``: other is the reference group of the same area and the same condition;
    - ``REST``: other is the whole from which the group is taken: all whom the dimension places;
    - ``NATIONAL``: other is the same group of the nation;
    - ``AREA_REST``: other is that of the nation, from which the area is taken.

    ``references`` maps each dimension to its reference group; the groups of ``overlapping``
    dimensions share people.
    """
    dimensions = [name for name in keys.columns if name != AREA]
    every = keys.reset_index(drop=True).rename_axis("position").reset_index()
    cells = every[is_public(keys)].reset_index(drop=True)
    broken = cells[dimensions] != TOTAL
    found = [
        _groups(
            cells,
            every,
            broken,
            dimension,
            dimensions,
            references[dimension],
            # With two groups that share nobody the rest is the reference.
            fewest=1 if dimension in overlapping else 3,
        )
        for dimension in dimensions
    ]
    found.append(_areas(cells, broken, dimensions, nation))
    return pd.concat(found, ignore_index=True)[_COLUMNS]


def _pairs(
    cells: pd.DataFrame, others: pd.DataFrame, on: Sequence[str], breakdown: str, against: str
) -> pd.DataFrame:
    pairs = cells.merge(others[["position", *on]], on=list(on), suffixes=("", "_other"))
    return pd.DataFrame(
        {
            "group": pairs["position"],
            "other": pairs["position_other"],
            "breakdown": breakdown,
            "against": against,
        }
    )


def _groups(
    cells: pd.DataFrame,
    every: pd.DataFrame,
    broken: pd.DataFrame,
    dimension: str,
    dimensions: Sequence[str],
    reference: str,
    *,
    fewest: int,
) -> pd.DataFrame:
    besides = [name for name in dimensions if name != dimension]
    free = [name for name in besides if name not in CONDITIONS]
    comparable = broken[dimension] & ~broken[free].any(axis=1)
    groups = cells[comparable]
    on = [AREA, *besides]
    is_reference = groups[dimension] == reference
    found = [_pairs(groups[~is_reference], groups[is_reference], on, dimension, "REFERENCE")]
    if groups[dimension].nunique() >= fewest:
        alone = ~broken[besides].any(axis=1)
        wholes = _wholes(every, dimension, dimensions)
        found.append(_pairs(cells[alone & broken[dimension]], wholes, on, dimension, "REST"))
    return pd.concat(found, ignore_index=True)


def _wholes(every: pd.DataFrame, dimension: str, dimensions: Sequence[str]) -> pd.DataFrame:
    """Return what the groups of a dimension are parts of: all whom it places, area by area.

    Without unplaced people that is the total. People of no group are no part of a rest: the
    citizens of a country are not compared with children whose citizenship was not asked.
    """
    besides = [name for name in dimensions if name != dimension]
    alone = (every[besides] == TOTAL).all(axis=1)
    placed = every[alone & (every[dimension] == PLACED)]
    totals = every[alone & (every[dimension] == TOTAL) & ~every[AREA].isin(placed[AREA])]
    return pd.concat([placed, totals])


def _areas(
    cells: pd.DataFrame, broken: pd.DataFrame, dimensions: Sequence[str], nation: str
) -> pd.DataFrame:
    free = [name for name in dimensions if name not in CONDITIONS]
    comparable = cells[~broken[free].any(axis=1)]
    local = comparable[comparable[AREA] != nation]
    national = comparable[comparable[AREA] == nation]
    return pd.concat(
        [
            _pairs(local, national, dimensions, AREA, "NATIONAL"),
            _pairs(local, national, dimensions, AREA, "AREA_REST"),
        ],
        ignore_index=True,
    )
