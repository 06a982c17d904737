"""All that a reader can write down about the cells of a survey, indicators side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.indicator import Indicator
from sdmx_service.definitions.project import Project
from sdmx_service.protect.audit import Figures
from sdmx_service.protect.disclosure import margins_of
from sdmx_service.protect.overlap import adding_up
from sdmx_service.protect.rounding import deterministic, interval_of
from sdmx_service.protect.secondary import Sheet
from sdmx_service.survey.estimate import Estimates
from sdmx_service.survey.tabulation import AREA, PLACED, TOTAL

__all__ = [
    "SideBySide",
    "margins_among",
    "people_table",
    "side_by_side",
    "weighted_table",
]

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(eq=False)
class SideBySide:
    """C cells of all indicators of a survey side by side, and where each indicator starts."""

    names: list[str]
    start: dict[str, int]
    keys: list[tuple[str, ...]]
    n: Floats
    missing: Floats
    weight: Floats
    amount: Floats  # what the share is of: 0 at the lower end of the scale, the weight at the upper
    events: Floats
    capped: Booleans
    summed: Booleans  # whether a weighted sum is published beside the count
    full: dict[str, bool]

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, name: str) -> slice:
        """Return where the cells of an indicator stand among all."""
        position = self.names.index(name) + 1
        last = position == len(self.names)
        return slice(self.start[name], len(self) if last else self.start[self.names[position]])

    def places(self, name: str) -> range:
        """Return the places of an indicator's cells among all."""
        where = self.of(name)
        return range(where.start, where.stop)


def _amounts(estimates: Estimates, indicator: Indicator) -> tuple[Floats, bool]:
    """Return the weighted sums (K,) of what the indicator averages, and whether weights cap them.

    They are shifted and scaled so that the scale runs from 0 to 1, which keeps them additive.
    """
    low, high = (None if end is None else end / indicator.factor for end in indicator.scale)
    value, weight = np.nan_to_num(estimates.value), estimates.weight_sum
    if high is not None and low is not None:
        share = (value - low) / (high - low)
        inside = (share > -1e-12) & (share < 1 + 1e-12)
        if inside[estimates.n > 0].all():
            return np.clip(share, 0.0, 1.0) * weight, True
    spread = np.abs(value[estimates.n > 0]).max(initial=0.0)
    return value * weight / (spread if spread > 0 else 1.0), False


def side_by_side(
    indicators: Mapping[str, Indicator],
    found: Mapping[str, Estimates],
    counted: frozenset[str] = frozenset(),
) -> SideBySide:
    """Return all cells one after another; of those ``counted`` no weighted sum is published."""
    dimensions = sorted({name for e in found.values() for name in e.keys.columns} - {AREA})
    columns: dict[str, list[Any]] = defaultdict(list)
    start, full, place = {}, {}, 0
    keys: list[tuple[str, ...]] = []
    # Weights are counted in people of average weight: one scale for all programmes.
    total = next(iter(found.values()))
    unit = total.weight_sum.max() / total.n[total.weight_sum.argmax()]
    for name, estimates in found.items():
        start[name], place = place, place + len(estimates)
        frame = estimates.keys.reindex(columns=[AREA, *dimensions], fill_value=TOTAL)
        keys += list(frame.itertuples(index=False, name=None))
        amount, capped = _amounts(estimates, indicators[name])
        if name in counted:
            amount, capped = np.zeros(len(estimates)), False
        columns["n"].append(estimates.n)
        columns["missing"].append(estimates.missing)
        columns["weight"].append(estimates.weight_sum / unit)
        columns["amount"].append(np.where(estimates.n > 0, amount / unit, 0.0))
        columns["events"].append(estimates.events)
        columns["capped"].append(np.full(len(estimates), capped))
        columns["summed"].append(np.full(len(estimates), name not in counted))
        full[name] = not estimates.missing.any()
    floats = {key: np.concatenate(part).astype(float) for key, part in columns.items()}
    return SideBySide(
        list(found),
        start,
        keys,
        floats["n"],
        floats["missing"],
        floats["weight"],
        floats["amount"],
        floats["events"],
        floats["capped"].astype(bool),
        floats["summed"].astype(bool),
        full,
    )


@dataclass(eq=False)
class _FigureTable:
    """Figures as they are gathered, each with the cells that publish it."""

    values: list[float] = field(default_factory=list)
    publishers: list[list[int]] = field(default_factory=list)
    equal: dict[tuple[tuple[int, ...], tuple[float, ...]], None] = field(default_factory=dict)
    ordered: list[tuple[tuple[int, ...], tuple[float, ...], float]] = field(default_factory=list)

    def figure(self, value: float, *publishers: int) -> int:
        self.values.append(value)
        self.publishers.append(list(publishers))
        return len(self.values) - 1

    def adds_up(self, places: Sequence[int], factors: Sequence[float]) -> None:
        self.equal[(tuple(places), tuple(factors))] = None

    def covers(self, total: int, parts: Sequence[int]) -> None:
        """Note that a total is what its parts, which share people, hold together."""
        self.ordered.append(((total, *parts), (1.0, *[-1.0] * len(parts)), 0.0))
        for part in parts:
            self.ordered.append(((part, total), (1.0, -1.0), 0.0))

    def sheet(
        self, place: Integers, empty: Integers, *, base: int = 0, exact: Integers | None = None
    ) -> Sheet:
        """Return the figures as a sheet on which ``place`` (C,) are the secret ones.

        The ``empty`` ones are those of cells with nobody: they are taken to be known. With a
        ``base`` they are whole numbers, published as multiples of it, ``exact`` ones apart.
        """
        upper = np.full(len(self.values), np.inf)
        upper[empty] = 0.0
        figures = Figures.of(
            np.array(self.values),
            equal=list(self.equal),
            ordered=self.ordered,
            upper=upper,
            whole=base > 0,
        )
        if base <= 1:
            return Sheet(figures, place, self.publishers)
        rounded = np.zeros(len(self.values), dtype=bool)
        rounded[place] = True
        rounded[exact if exact is not None else []] = False
        low, high = interval_of(deterministic(figures.value, base), base)
        ends = np.where(rounded, low, figures.value), np.where(rounded, high, figures.value)
        return Sheet(figures, place, self.publishers, ends)


def margins_among(
    project: Project,
    cells: SideBySide,
    found: Mapping[str, Estimates],
    *,
    overlapping: bool = False,
) -> Iterator[tuple[int, list[int]]]:
    """Yield each total with its parts, as places among all cells.

    They are those that add up; ``overlapping`` are those whose parts share people.
    """
    areas = project.structures.codelist("CL_AREA").by_id
    parents = {code.id: code.parent for code in areas.values()}
    for name, estimates in found.items():
        keys = estimates.keys
        parts = np.flatnonzero(~keys.isin([PLACED]).to_numpy().any(axis=1))
        dimensions = [column for column in keys.columns if column != AREA]
        places = parts + cells.start[name]
        every = margins_of(pl.from_pandas(keys.iloc[parts]), dimensions, AREA, parents)
        for margin in adding_up(every, estimates.n[parts])[overlapping]:
            yield int(places[margin.total]), [int(places[part]) for part in margin.parts]


def _samepeople_table(cells: SideBySide) -> Integers:
    """Return for each cell the first cell, of any indicator, that holds the very same people.

    Only where everyone answered; a reader knows it from the universes, here it shows in n and
    the sum of weights together.
    """
    first = np.arange(len(cells))
    seen: dict[tuple[Any, ...], int] = {}
    for name in cells.names:
        if not cells.full[name]:
            continue
        for place in cells.places(name):
            people = (cells.keys[place], cells.n[place], round(cells.weight[place], 7))
            first[place] = seen.setdefault(people, place)
    return first


def people_table(
    cells: SideBySide,
    margins: Sequence[tuple[int, list[int]]],
    overlaps: Sequence[tuple[int, list[int]]] = (),
    *,
    base: int = 1,
    counted: Booleans | None = None,
) -> Sheet:
    """Return the sheet of sample counts, on which n of each cell is secret.

    ``margins`` add up; the parts of ``overlaps`` share people. Counts are published as multiples
    of ``base``; those of the cells ``counted`` (C,) were published without rounding before.
    """
    table, first = _FigureTable(), _samepeople_table(cells)
    place = np.full(len(cells), -1)
    absent = np.full(len(cells), -1)
    everyone: dict[tuple[Any, ...], int] = {}
    for name in cells.names:
        for cell in cells.places(name):
            if first[cell] != cell:
                place[cell] = place[first[cell]]
                table.publishers[place[cell]].append(cell)
                continue
            place[cell] = table.figure(cells.n[cell], cell)
    for name in cells.names:
        partial = not cells.full[name]
        for cell in cells.places(name):
            whole = cells.n[cell] + cells.missing[cell]
            # As many people of one group were asked: then they are the same, whatever the
            # universes are called, or may be taken to be.
            key = (whole, cells.keys[cell])
            if key not in everyone:
                everyone[key] = place[cell] if not partial else table.figure(whole)
            if partial:
                absent[cell] = table.figure(cells.missing[cell], cell)
                row = (int(place[cell]), int(absent[cell]), int(everyone[key]))
                table.adds_up(row, (1.0, 1.0, -1.0))
            elif everyone[key] != place[cell]:
                table.adds_up((int(place[cell]), int(everyone[key])), (1.0, -1.0))
    for total, parts in margins:
        for symbol in (place, absent):
            if symbol[total] >= 0:
                row_ = (int(symbol[total]), *sorted(int(symbol[part]) for part in parts))
                table.adds_up(row_, (-1.0, *[1.0] * len(parts)))
    for total, parts in overlaps:
        table.covers(int(place[total]), sorted({int(place[part]) for part in parts}))
    exact = None if counted is None else place[counted]
    return table.sheet(place, place[cells.n == 0], base=base, exact=exact)


def weighted_table(
    cells: SideBySide,
    margins: Sequence[tuple[int, list[int]]],
    nation: str,
    overlaps: Sequence[tuple[int, list[int]]] = (),
) -> Sheet:
    """Return the sheet of weights and weighted sums, on which the sum of each cell is secret.

    ``margins`` add up; the parts of ``overlaps`` share people.
    """
    table, first = _FigureTable(), _samepeople_table(cells)
    weight = np.full(len(cells), -1)
    amount = np.full(len(cells), -1)
    for cell in range(len(cells)):
        if first[cell] != cell:
            weight[cell] = weight[first[cell]]
            table.publishers[weight[cell]].append(cell)
        else:
            weight[cell] = table.figure(cells.weight[cell], cell)
        amount[cell] = table.figure(cells.amount[cell], cell)
        if cells.capped[cell]:
            table.ordered.append(((int(amount[cell]), int(weight[cell])), (1.0, -1.0), 0.0))
    additive = _additive(cells, margins)
    for total, parts in margins:
        for symbol in (weight, amount) if additive[total] else (weight,):
            row = (int(symbol[total]), *sorted(int(symbol[part]) for part in parts))
            table.adds_up(row, (-1.0, *[1.0] * len(parts)))
    for total, parts in overlaps:
        for symbol in (weight, amount) if cells.capped[total] else (weight,):
            table.covers(int(symbol[total]), sorted({int(symbol[part]) for part in parts}))
    for row_ in _kinship(cells, weight, amount, nation):
        table.adds_up(*row_)
    nobody = cells.n == 0
    return table.sheet(amount, np.concatenate([weight[nobody], amount[nobody]]))


def _additive(cells: SideBySide, margins: Sequence[tuple[int, list[int]]]) -> Booleans:
    """Return for each cell whether its indicator averages sums: medians of parts make no median."""
    additive = np.ones(len(cells), dtype=bool)
    of = np.repeat(np.arange(len(cells.names)), [len(cells.places(n)) for n in cells.names])
    for total, parts in margins:
        if not np.isclose(cells.amount[parts].sum(), cells.amount[total], rtol=1e-7, atol=1e-7):
            additive[of == of[total]] = False
    return additive


def _kinship(
    cells: SideBySide, weight: Integers, amount: Integers, nation: str
) -> Iterator[tuple[tuple[int, ...], tuple[float, ...]]]:
    """Yield what ties one indicator to others: the employed and the unemployed are the active.

    A sum that holds in the nation's total or in one of its groups, to the last digit, is of
    definition, and so holds wherever that group is taken apart; only sums true there are used.
    """
    by_key: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for name in cells.names:
        if cells.full[name]:
            for cell in cells.places(name):
                by_key[cells.keys[cell]][name] = cell
    found: list[tuple[tuple[str, ...], str, str, str, bool]] = []
    for key, here in by_key.items():
        if key[0] != nation or sum(code != TOTAL for code in key[1:]) > 1:
            continue
        for one, other in combinations(here, 2):
            both = cells.amount[[here[one], here[other]]]
            if (both <= 0).any():
                continue
            for whole in here:
                for is_weight, symbol in ((True, cells.weight), (False, cells.amount)):
                    if not is_weight and whole in (one, other):
                        continue
                    if np.isclose(both.sum(), symbol[here[whole]], rtol=1e-9, atol=0):
                        found.append((key, one, other, whole, is_weight))
            if np.isclose(both[0], both[1], rtol=1e-9, atol=0):
                found.append((key, one, other, "", False))
    for anchor, one, other, whole, is_weight in found:
        for key, here in by_key.items():
            named = {one, other} | ({whole} if whole else set())
            within = all(a in (TOTAL, k) for a, k in zip(anchor[1:], key[1:], strict=True))
            if not within or not named <= set(here):
                continue
            parts = [int(amount[here[one]]), int(amount[here[other]])]
            sums = [cells.amount[here[one]], cells.amount[here[other]]]
            if not whole:
                if np.isclose(sums[0], sums[1], rtol=1e-9, atol=1e-9):
                    yield (parts[0], parts[1]), (1.0, -1.0)
                continue
            total = (weight if is_weight else amount)[here[whole]]
            truth = (cells.weight if is_weight else cells.amount)[here[whole]]
            if np.isclose(sum(sums), truth, rtol=1e-9, atol=1e-9):
                yield (int(total), *parts), (-1.0, 1.0, 1.0)
