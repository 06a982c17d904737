"""Waves of a survey as one sample, whether or not they share their PSUs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError
from sdmx_service.survey.columns import ColumnNames
from sdmx_service.survey.design import Design, Lonely

__all__ = ["Linkage", "Pooled", "Rescaling", "Wave", "distinct", "overlap", "pool"]

Floats = NDArray[np.float64]


class Linkage(Enum):
    """How the samples of the waves are connected.

    SAME_PSUS: a PSU label is the same PSU in every wave (a panel, a rotation within PSUs).
    INDEPENDENT: each wave is a sample drawn anew; equal labels mean nothing.
    """

    SAME_PSUS = "same_psus"
    INDEPENDENT = "independent"


class Rescaling(Enum):
    """What pooling does to the weights of T waves.

    NONE: nothing, the pooled total is T populations. EQUAL: divided by T, the average year.
    EFFECTIVE_SIZE: each wave's share of the weights is its share of the effective sample size
    (sum w)^2 / sum w^2, for a pooled mean of smaller variance where the level is stable.
    """

    NONE = "none"
    EQUAL = "equal"
    EFFECTIVE_SIZE = "effective_size"


@dataclass(frozen=True, eq=False)
class Wave:
    """The design columns of one wave, each (n_t,); labels of PSUs are unique across strata."""

    label: str
    weights: ArrayLike
    psu: ArrayLike
    stratum: ArrayLike
    fpc: ArrayLike | None = None


@dataclass(frozen=True, eq=False)
class Pooled:
    """The rows of all waves, one after the other, as one sample: ``wave`` (n,) their labels."""

    design: Design
    wave: NDArray[np.object_]
    linkage: Linkage


def pool(
    waves: Sequence[Wave],
    linkage: Linkage,
    *,
    rescaling: Rescaling = Rescaling.NONE,
    lonely: Lonely = Lonely.FAIL,
) -> Pooled:
    """Return the waves as one design, in which a wave is a domain like any other.

    With SAME_PSUS the strata are kept and a PSU's rows of all waves are one cluster, from which the
    covariance between waves follows (as R's ``svydesign`` of the long file). Otherwise strata are
    wave x stratum, and waves have no covariance.

    Raises DataError for a label that comes twice or a column of another length, DesignError as
    ``Design.from_columns`` does, for instance where a PSU changes its stratum between waves.
    """
    labels = distinct([wave.label for wave in waves])
    frames = []
    for wave in waves:
        weights = np.asarray(pd.Series(wave.weights), dtype=np.float64)
        columns = {"psu": wave.psu, "stratum": wave.stratum}
        if wave.fpc is not None:
            columns["fpc"] = wave.fpc
        for name, column in columns.items():
            if len(pd.Series(column)) != len(weights):
                raise DataError(
                    f"wave {wave.label}: column {name}",
                    got=f"{len(pd.Series(column))} rows",
                    expected=f"{len(weights)} rows",
                )
        frame = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})
        frames.append(
            frame.assign(weights=weights * _factor(weights, waves, rescaling), wave=wave.label)
        )
    rows = pd.concat(frames, ignore_index=True)
    if "fpc" in rows and rows["fpc"].isna().any():
        raise DataError("pooled waves", got="fpc in some waves", expected="fpc in all, or none")
    linked = linkage is Linkage.SAME_PSUS
    stratum = rows["stratum"] if linked else _crossed(rows["stratum"], rows["wave"])
    design = Design.from_columns(
        rows["weights"],
        psu=rows["psu"] if linked else _crossed(rows["psu"], rows["wave"]),
        stratum=stratum,
        fpc=rows.get("fpc"),
        lonely=lonely,
        names=ColumnNames(survey=f"waves {', '.join(labels)}"),
    )
    return Pooled(design, rows["wave"].to_numpy(dtype=object), linkage)


def _crossed(column: pd.Series, wave: pd.Series) -> pd.Series:
    return wave.astype(str) + "/" + column.astype(str).where(column.notna())


def _factor(weights: Floats, waves: Sequence[Wave], rescaling: Rescaling) -> float:
    if rescaling is Rescaling.NONE:
        return 1.0
    if rescaling is Rescaling.EQUAL:
        return 1.0 / len(waves)
    return _effective(weights) / sum(_effective(np.asarray(w.weights, dtype=float)) for w in waves)


def _effective(weights: Floats) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum())


def overlap(unit: ArrayLike, wave: ArrayLike, waves: Collection[object]) -> NDArray[np.bool_]:
    """Return which rows (n,) are of these waves and of units that have a row in each of them.

    As a universe it makes a change one of the same people. Raises DataError where a unit comes
    twice in a wave.
    """
    rows = pd.DataFrame({"unit": np.asarray(unit), "wave": np.asarray(wave)})
    chosen = rows["wave"].isin(list(waves))
    twice = rows[chosen].duplicated()
    if twice.any():
        first = rows[chosen][twice].iloc[0]
        raise DataError(
            f"wave {first.wave}",
            got=f"unit {first.unit} twice",
            expected="one row a unit and wave",
        )
    present = rows[chosen].groupby("unit")["wave"].transform("size") == len(set(waves))
    found: NDArray[np.bool_] = (chosen & present.reindex(rows.index, fill_value=False)).to_numpy()
    return found


def distinct(labels: Sequence[str]) -> list[str]:
    """Return the labels of waves. Raises DataError where there are none, or one comes twice."""
    if len(set(labels)) < len(labels) or not labels:
        raise DataError("waves", got=", ".join(labels), expected="labels, each once")
    return list(labels)
