"""Change of the same groups over waves of one survey."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sdmx_service.errors import DataError, DesignError
from sdmx_service.model import Measure, Samples
from sdmx_service.survey.derived import Derived, derived, stacked
from sdmx_service.survey.design import Design
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.gap import Gaps, from_moments
from sdmx_service.survey.pooling import Linkage, Pooled, distinct

__all__ = ["Change", "Series", "TrendScale", "change", "slope"]

Floats = NDArray[np.float64]
WAVE = "wave"


@dataclass(frozen=True, eq=False)
class Series:
    """One indicator of G groups over T waves in order of time, T x G statistics wave by wave.

    ``times`` (T,) are numbers, such as years; ``groups`` G rows of keys; ``breaks`` the waves from
    which on figures are not comparable with those before. ``linked`` says whether waves have a
    covariance. ``rows`` and ``strata`` (P or H, T G), if known, are for degrees of freedom.
    """

    labels: tuple[str, ...]
    times: Floats
    groups: pd.DataFrame
    levels: Derived
    breaks: frozenset[str]
    linked: bool
    estimates: Estimates | None = None

    @classmethod
    def of_pooled(
        cls,
        estimates: Estimates,
        pooled: Pooled,
        times: Mapping[str, float],
        *,
        breaks: Collection[str] = (),
    ) -> Series:
        """Return the series of estimates of a pooled design whose keys have a column ``wave``.

        Every group needs a cell in every wave that occurs. ``times`` are by label of the wave.
        """
        keys = estimates.keys.reset_index(drop=True)
        labels = tuple(dict.fromkeys(keys[WAVE].tolist()))
        if unknown := [label for label in labels if label not in set(pooled.wave) & set(times)]:
            raise DataError(
                "series",
                got=f"wave {', '.join(map(str, unknown))}",
                expected=f"waves with a time: {', '.join(times)}",
            )
        rest = [name for name in keys.columns if name != WAVE]
        order = keys.assign(_at=np.arange(len(keys)), _t=keys[WAVE].map(labels.index))
        order = order.sort_values(["_t", *rest], kind="stable")
        taken = estimates.take(order["_at"].to_numpy())
        found = cls(
            labels,
            _times([times[label] for label in labels], labels),
            order.loc[order["_t"] == 0, rest].reset_index(drop=True),
            derived(taken),
            _breaks(breaks, labels),
            pooled.linkage is Linkage.SAME_PSUS,
            taken,
        )
        blocks = [g[rest].reset_index(drop=True) for _, g in order.groupby("_t")]
        return found._checked(blocks)

    @classmethod
    def of_waves(
        cls,
        waves: Sequence[tuple[str, float, Estimates]],
        linkage: Linkage,
        *,
        psu: Sequence[ArrayLike] = (),
        breaks: Collection[str] = (),
    ) -> Series:
        """Return the series of waves (label, time, estimates) that were estimated one by one.

        Each wave keeps its own standard errors, those it was published with. With SAME_PSUS,
        ``psu`` has the PSU labels (n_t,) of the rows of each wave, and PSUs with one label give the
        covariance; PSUs of one wave only add to that wave's variance alone.
        """
        labels = tuple(distinct([label for label, _, _ in waves]))
        parts = [derived(estimates) for _, _, estimates in waves]
        linked = linkage is Linkage.SAME_PSUS
        if linked:
            if len(psu) != len(waves):
                raise ValueError("PSU labels for every wave are needed to link them")
            parts = _on_common_psus(parts, [estimates for _, _, estimates in waves], psu)
        groups = [part.keys.reset_index(drop=True) for part in parts]
        found = cls(
            labels,
            _times([time for _, time, _ in waves], labels),
            groups[0],
            stacked(parts, independent=not linked),
            _breaks(breaks, labels),
            linked,
        )
        return found._checked(groups)

    def _checked(self, blocks: Sequence[pd.DataFrame]) -> Series:
        for label, block in zip(self.labels, blocks, strict=True):
            if not block.equals(blocks[0]):
                raise DataError(
                    f"series, wave {label}",
                    got=f"{len(block)} groups",
                    expected=f"the {len(blocks[0])} groups of wave {self.labels[0]}, in its order",
                    hint="a group that is empty in a wave needs a cell all the same",
                )
        order = np.argsort(self.times, kind="stable")
        if (np.diff(self.times[order]) <= 0).any():
            raise DataError("series", got="two waves at one time", expected="times that differ")
        if (order == np.arange(len(order))).all():
            return self
        count = len(self.groups)
        places = (order[:, None] * count + np.arange(count)).ravel()
        return replace(
            self,
            labels=tuple(self.labels[at] for at in order),
            times=self.times[order],
            levels=self.levels.take(places),
            estimates=None if self.estimates is None else self.estimates.take(places),
        )

    @property
    def segment(self) -> NDArray[np.intp]:
        """The stretch without a break that each wave belongs to, (T,)."""
        starts = np.array([label in self.breaks for label in self.labels])
        return np.cumsum(starts)

    def at(self, wave: str) -> NDArray[np.intp]:
        """Return the positions (G,) of a wave's levels. Raises DataError for an unknown wave."""
        if wave not in self.labels:
            raise DataError("series", got=wave, expected=f"one of {', '.join(self.labels)}")
        count = len(self.groups)
        return self.labels.index(wave) * count + np.arange(count)


@dataclass(frozen=True, eq=False)
class Change:
    """The change of G groups from one wave to another; None where a break lies between them."""

    earlier: str
    later: str
    compared: bool
    broken_at: tuple[str, ...]
    gaps: Gaps | None


def change(
    series: Series,
    earlier: str,
    later: str,
    measure: Measure = Measure.DIFFERENCE,
    *,
    df: ArrayLike | None = None,
    level: float = 0.95,
) -> Change:
    """Return how the groups (G,) changed: the later wave is compared with the earlier one.

    ``df`` is by default PSUs minus strata of both waves' cells together: their sum for independent
    waves, the smaller one where linked waves were estimated one by one. Across a break nothing is
    computed: the change is Not compared.
    """
    after, before = series.at(later), series.at(earlier)
    first, last = (series.labels.index(label) for label in (earlier, later))
    between = tuple(
        label
        for at, label in enumerate(series.labels)
        if min(first, last) < at <= max(first, last) and label in series.breaks
    )
    if between:
        return Change(earlier, later, False, between, None)
    levels = series.levels
    freedom = _joint_df(series, after, before) if df is None else np.asarray(df)
    gaps = from_moments(
        levels.value[after],
        levels.value[before],
        levels.variance[after],
        levels.variance[before],
        levels.covariance[after, before],
        np.broadcast_to(freedom, after.shape),
        measure,
        level=level,
        samples=Samples.SAME if series.linked else Samples.INDEPENDENT,
    )
    return Change(earlier, later, True, (), gaps)


class TrendScale(Enum):
    """The scale on which a trend is a straight line; a slope is per unit of time on that scale."""

    LINEAR = "linear"
    LOG = "log"
    LOGIT = "logit"


def slope(
    series: Series, *, scale: TrendScale = TrendScale.LINEAR, df: ArrayLike | None = None
) -> Derived:
    """Return the slope of each group's levels over time, by stretch without a break.

    The least-squares line through the waves' levels, sum c_t y_t with
    c_t = (t - mean) / sum (t - mean)^2; its variance c'Vc has the covariance of all waves. On the
    scale LOG, exp(slope) - 1 is the relative change a unit of time. The keys are the groups' with
    ``first`` and ``last``, the waves of the stretch; a stretch of one wave has no slope and no row.

    Raises DesignError where no stretch has two waves.
    """
    count, size = len(series.groups), len(series.levels)
    value, gradient = _scaled(series.levels.value, scale)
    keys, slopes, freedom, results = [], [], [], []
    for stretch in np.unique(series.segment):
        waves = np.flatnonzero(series.segment == stretch)
        if len(waves) < 2:
            continue
        centred = series.times[waves] - series.times[waves].mean()
        weight = centred / (centred**2).sum()
        places = waves[:, None] * count + np.arange(count)
        results.append(weight @ value[places])
        rows = np.zeros((count, size))
        rows[np.arange(count), places] = weight[:, None] * gradient[places]
        slopes.append(rows)
        first, last = series.labels[waves[0]], series.labels[waves[-1]]
        keys.append(series.groups.assign(first=first, last=last))
        freedom.append(_joint_df(series, *places))
    if not keys:
        raise DesignError(
            "trend", got=f"{len(series.labels)} waves", expected="two waves without a break between"
        )
    return series.levels.transform(
        np.concatenate(results),
        np.vstack(slopes),
        pd.concat(keys, ignore_index=True),
        df=np.concatenate(freedom) if df is None else df,
    )


def _scaled(value: Floats, scale: TrendScale) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale is TrendScale.LOG:
            return np.log(value), 1.0 / value
        if scale is TrendScale.LOGIT:
            return special.logit(value), 1.0 / (value * (1.0 - value))
    return value, np.ones_like(value)


def _joint_df(series: Series, *places: NDArray[np.intp]) -> Floats:
    """Return the degrees of freedom of the cells at ``places``, each (G,), together, (G,)."""
    if series.estimates is not None:
        uses = np.zeros((len(places[0]), len(series.levels)), dtype=bool)
        for at in places:
            uses[np.arange(len(at)), at] = True
        return series.estimates.union_df(uses).astype(np.float64)
    own = np.stack([series.levels.df[at] for at in places])
    joint: Floats = own.min(axis=0) if series.linked else own.sum(axis=0)
    return joint


def _on_common_psus(
    parts: Sequence[Derived], estimates: Sequence[Estimates], psu: Sequence[ArrayLike]
) -> list[Derived]:
    """Return the parts with deviations on one common list of PSUs, zero for those not in a wave."""
    named: list[pd.Index[Any]] = []
    for one, labels in zip(estimates, psu, strict=True):
        named.append(_psu_names(one.design, labels))
    everywhere = named[0]
    for index in named[1:]:
        everywhere = everywhere.union(index, sort=False)
    # rows of later stages, after those of the PSUs, belong to one wave alone
    later = [len(part.deviations) - len(index) for part, index in zip(parts, named, strict=True)]
    start = len(everywhere) + np.concatenate([[0], np.cumsum(later)])
    placed = []
    for at, (part, index) in enumerate(zip(parts, named, strict=True)):
        wide = np.zeros((int(start[-1]), len(part)))
        wide[everywhere.get_indexer(index)] = part.deviations[: len(index)]
        wide[start[at] : start[at + 1]] = part.deviations[len(index) :]
        wide[:, ~np.isfinite(part.deviations).all(axis=0)] = np.nan
        placed.append(replace(part, deviations=wide))
    return placed


def _psu_names(design: Design, labels: ArrayLike) -> pd.Index[Any]:
    """Return the label of each PSU of a design, (C,), from those of its rows (n,)."""
    if design.replicates is not None:
        raise DesignError(
            "waves of one PSU sample",
            got="replicate weights",
            expected="designs with PSUs",
            hint="pool the waves' rows and replicate weights into one design",
        )
    column = np.asarray(pd.Series(labels))
    if len(column) != design.n_rows:
        raise DataError(
            "PSU labels of a wave", got=f"{len(column)} rows", expected=f"{design.n_rows} rows"
        )
    code = design.psu if design.cluster is None else design.cluster[design.psu]
    names = np.empty(design.n_clusters, dtype=object)
    names[code] = column
    index = pd.Index(names)
    if (names[code] != column).any() or not index.is_unique:
        raise DataError(
            "PSU labels of a wave",
            got="labels that are not one to one with the design's PSUs",
            expected="the labels the design was made of, unique across strata",
        )
    return index


def _times(times: Sequence[float], labels: Sequence[str]) -> Floats:
    if len(times) != len(labels):
        raise ValueError(f"{len(times)} times for {len(labels)} waves")
    return np.asarray(times, dtype=np.float64)


def _breaks(breaks: Collection[str], labels: Sequence[str]) -> frozenset[str]:
    if unknown := set(breaks) - set(labels):
        raise DataError(
            "breaks in a series",
            got=", ".join(sorted(unknown)),
            expected=f"waves of the series: {', '.join(labels)}",
        )
    return frozenset(breaks)
