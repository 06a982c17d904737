"""What a stranger can work out from releases: nothing here is taken from the code under test.

The stranger knows which cells there are, that groups and people of no group make the total, that
areas make the nation, and what a rest, a response rate and a mean are. All that a release says is
written down as linear equations, survey by survey; a figure is found out where they determine it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

TOTAL, UNPLACED, PLACED = "_T", "_UNPLACED", "_PLACED"
Key = tuple[str, ...]
Symbol = tuple[str, str, Key]


@dataclass(frozen=True)
class Skeleton:
    """The cells of one indicator in which there are people: keys over ``columns``, area first.

    ``asked`` names those who were asked in each cell: the same name, the same people. ``sums``:
    whether value times weights adds up; ``answered``: whether everyone answered.
    """

    columns: tuple[str, ...]
    asked: Mapping[Key, object]
    factor: float
    sums: bool
    answered: bool


@dataclass
class Attack:
    """Equations among unknowns: people n, without an answer m, weights w, weighted sums a."""

    parents: Mapping[str, str | None]
    prefixes: Mapping[str, str]
    known: set[Symbol] = field(default_factory=set)
    column: dict[Symbol, int] = field(default_factory=dict)
    rows: list[tuple[list[int], list[float]]] = field(default_factory=list)

    def _adds(self, symbols: Sequence[Symbol], factors: Sequence[float]) -> None:
        places = [self.column.setdefault(symbol, len(self.column)) for symbol in symbols]
        self.rows.append((places, list(factors)))

    def structure(self, name: str, cells: Skeleton) -> None:
        """Write down what adds up in an indicator, whatever is published."""
        parts: dict[tuple[Key, int], list[Key]] = defaultdict(list)
        for key in cells.asked:
            if PLACED in key:
                continue
            for place, code in enumerate(key):
                above = self.parents[code] if place == 0 else (None if code == TOTAL else TOTAL)
                total = (*key[:place], above or "", *key[place + 1 :])
                if above is not None and total in cells.asked:
                    parts[total, place].append(key)
        kinds = ["n", "w"] + ["a"] * cells.sums + ["m"] * (not cells.answered)
        for (total, _), members in parts.items():
            for kind in kinds:
                symbols = [(kind, name, total), *((kind, name, part) for part in members)]
                self._adds(symbols, [-1.0, *[1.0] * len(members)])
        for key, asked in cells.asked.items():
            if PLACED in key:
                continue
            everyone = ("u", str(asked), key)
            if cells.answered:
                self._adds([("n", name, key), everyone], [1.0, -1.0])
                self._adds([("w", name, key), ("v", str(asked), key)], [1.0, -1.0])
            else:
                self._adds([("n", name, key), ("m", name, key), everyone], [1.0, 1.0, -1.0])

    def levels(self, name: str, cells: Skeleton, table: pd.DataFrame) -> None:
        """Read the observations of an indicator in one release, those of ``cells``."""
        mine = table[(table["INDICATOR"] == name) & table["OBS_VALUE"].notna()]
        for key in mine[list(cells.columns)].itertuples(index=False, name=None):
            if key in cells.asked:
                self.known |= {(kind, name, key) for kind in "nmwa"}

    def rests(self, name: str, cells: Skeleton, table: pd.DataFrame) -> None:
        """Read the gaps with a rest: group and rest are all whom the breakdown places.

        The rest's mean is (a - a of the group) / (w - w of the group), a and w of the placed.
        """
        chosen = (table["INDICATOR"] == name) & (table["GAP_MEASURE"] == "DIFF")
        chosen &= table["OBS_VALUE"].notna() & table["REFERENCE_GROUP"].str.endswith("_REST")
        columns = ["REF_AREA", "BREAKDOWN", "COMPARISON_GROUP", "EST_REF"]
        rests = table.loc[chosen & (table["BREAKDOWN"] != "REF_AREA"), columns]
        for in_area, broken, group, mean in rests.to_numpy(dtype=object):
            code = str(group).removeprefix(self.prefixes[broken])

            def cell(of: str, area: str = in_area, breakdown: str = broken) -> Key:
                named = {"REF_AREA": area, breakdown: of}
                return tuple(named.get(column, TOTAL) for column in cells.columns)

            if cell(PLACED) not in cells.asked or cell(code) not in cells.asked:
                continue
            self.known.add(("n", name, cell(PLACED)))
            for kind in "nwa":
                whole = [(kind, name, cell(of)) for of in (PLACED, UNPLACED, TOTAL)]
                self._adds(whole, [1.0, 1.0, -1.0])
            rest = float(mean) / cells.factor
            sides = [(kind, name, cell(of)) for of in (PLACED, code) for kind in "aw"]
            self._adds(sides, [1.0, -rest, -1.0, rest])

    def scale(self, name: str, cells: Skeleton, table: pd.DataFrame) -> None:
        """Read the areas in which a scale was measured: the people who answered every item."""
        mine = table[(table["SCALE"] == name) & table["OBS_VALUE"].notna()]
        for area in mine["REF_AREA"].unique():
            self.known |= {(kind, name, (area,)) for kind in "nm" if (area,) in cells.asked}

    def found_out(self) -> set[Symbol]:
        """Return the unknowns that the equations determine."""
        symbols = [symbol for symbol in self.column if symbol not in self.known]
        free = [self.column[symbol] for symbol in symbols]
        lines = np.repeat(np.arange(len(self.rows)), [len(places) for places, _ in self.rows])
        columns = np.array([place for places, _ in self.rows for place in places], dtype=int)
        factors = np.array([factor for _, each in self.rows for factor in each], dtype=float)
        shape = (len(self.rows), len(self.column))
        # Factors at the same place add up; those that cancel out leave no equation there.
        system = sparse.coo_array((factors, (lines, columns)), shape=shape).tocsc()[:, free]
        system.eliminate_zeros()
        fixed = np.zeros(len(free), dtype=bool)
        while True:  # chains of subtraction first
            left = np.flatnonzero(~fixed)
            lines = system[:, left].tocsr()
            alone = lines[np.flatnonzero(np.diff(lines.indptr) == 1)].indices
            if not len(alone):
                break
            fixed[left[np.unique(alone)]] = True
        rest = system[:, left]
        _, label = connected_components(abs(rest).T @ abs(rest), directed=False)
        for one in np.unique(label):
            inside = np.flatnonzero(label == one)
            fixed[left[inside[_determined(rest[:, inside])]]] = True
        return {symbol for symbol, known in zip(symbols, fixed, strict=True) if known}


def _determined(system: sparse.csc_array) -> np.ndarray:
    """Return the columns on which the null space of a system is zero."""
    lines = system.tocsr()
    dense = lines[np.flatnonzero(np.diff(lines.indptr))].toarray()
    if not len(dense):
        return np.zeros(system.shape[1], dtype=bool)
    dense /= np.abs(dense).max(axis=1, keepdims=True)
    size, vectors = np.linalg.eigh(dense.T @ dense)
    free = vectors[:, size < 1e-10 * max(1.0, size.max())]
    return np.asarray((np.abs(free) < 1e-7).all(axis=1))


def secrets_found(found: Collection[Symbol], secret: Collection[Symbol]) -> list[Symbol]:
    """Return the secrets among what was found out, in order."""
    return sorted(set(found) & set(secret))
