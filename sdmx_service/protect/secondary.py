"""Which further cells are withheld until every withheld figure is as uncertain as it has to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sdmx_service.protect.audit import Figures, cover, moves_freely, narrow

__all__ = ["Completed", "Sheet", "completed"]

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Figures about C cells, and which cells publish which figure.

    ``place`` (C,) is the figure that is secret of each cell; ``publishers`` (V lists) the cells of
    which any one, if open, publishes a figure: the people of a group are the same in several
    indicators. A figure without publishers is known to nobody, but it may follow from others.
    ``rounded``: of a published figure only these two ends (V,) are known, if they differ.
    """

    figures: Figures
    place: Integers
    publishers: Sequence[Sequence[int]]
    rounded: tuple[Floats, Floats] | None = None

    @cached_property
    def _shown_by(self) -> Any:
        """1 where a cell publishes a figure, (V, C)."""
        rows = np.repeat(np.arange(len(self.publishers)), [len(p) for p in self.publishers])
        columns = np.array([cell for one in self.publishers for cell in one], dtype=np.intp)
        shape = (len(self.publishers), len(self.place))
        return sparse.csr_array((np.ones(len(columns)), (rows, columns)), shape=shape)

    def known(self, open_: Booleans) -> Booleans:
        """Return the figures (V,) that the open cells (C,) publish."""
        return np.asarray(self._shown_by @ open_.astype(float) > 0)

    def failing(self, open_: Booleans, need: Floats) -> Integers:
        """Return the cells whose figure can be confined to less than ``need`` (C,), if over 0."""
        asked = np.zeros(len(self.figures))
        np.maximum.at(asked, self.place, need)
        found = narrow(*self._seen(self.known(open_)), asked)
        return np.flatnonzero(np.isin(self.place, found) & (need > 0))

    def _seen(self, published: Booleans) -> tuple[Figures, Booleans]:
        """Return the figures with the intervals of the rounded ones, and which are known (V,)."""
        if self.rounded is None:
            return self.figures, published
        low, high = self.rounded
        figures = self.figures
        seen = replace(
            figures,
            lower=np.where(published, np.maximum(figures.lower, low), figures.lower),
            upper=np.where(published, np.minimum(figures.upper, high), figures.upper),
        )
        return seen, published & (low == high)

    def moves_freely(self, open_: Booleans, cell: int, need: float) -> bool:
        """Return whether ``cell`` has its room already, without companions of its own.

        Rounded figures are taken for exact ones here, as for ``companions``.
        """
        return moves_freely(self.figures, self.known(open_), int(self.place[cell]), need)

    def companions(
        self, open_: Booleans, told: Booleans, cost: Floats, cell: int, need: float
    ) -> Integers | None:
        """Return the open cells to withhold so that ``cell`` gets its room, None: there is no way.

        ``cost`` (C,) is what withholding a cell costs; those ``told`` (C,) are known for good.
        Rounded figures are taken for exact ones here: what is withheld is enough, if not the least.
        """
        price = self._shown_by @ np.where(open_, cost, 0.0)
        price[self._shown_by @ (open_ & told).astype(float) > 0] = np.inf
        moved = cover(self.figures, self.known(open_), price, int(self.place[cell]), need)
        if moved is None:
            return None
        touched = np.zeros(len(self.figures))
        touched[moved] = 1.0
        return np.flatnonzero((self._shown_by.T @ touched > 0) & open_)


@dataclass(frozen=True, eq=False)
class Completed:
    """Which cells were ``added`` to the withheld, which were ``failing`` at first, and which are
    ``unprotected`` because nothing that can still be withheld helps them; (C,) each."""

    added: Booleans
    failing: Booleans
    unprotected: Booleans


def completed(
    sheets: Sequence[Sheet],
    open_: Booleans,
    told: Booleans,
    needs: Callable[[Booleans], Sequence[Floats]],
    cost: Floats,
) -> Completed:
    """Return what has to be withheld besides what is not ``open_`` (C,).

    ``needs`` says for the cells added so far how far the figure of each cell must stay uncertain,
    (C,) a sheet, 0 where nothing is asked. Withholding more never lets a reader know more: what was
    found safe stays so and is not asked about again, and the cells withheld on the way are asked
    about in the next round.
    """
    open_ = open_ | told
    added, failed = np.zeros((2, len(open_)), dtype=bool)
    # What each cell is known to have of what it needs, (S, C); without end where nothing helps.
    settled = np.zeros((len(sheets), len(open_)))
    first = True
    while True:
        todo = []
        for which, (sheet, need) in enumerate(zip(sheets, needs(added), strict=True)):
            asked = np.where(need > settled[which], need, 0.0)
            failing = sheet.failing(open_, asked)
            todo += [(which, int(cell), float(asked[cell])) for cell in failing]
            asked[failing] = 0.0
            settled[which] = np.maximum(settled[which], asked)
        if first:
            failed[[cell for _, cell, _ in todo]] = True
            first = False
        if not todo:
            return Completed(added, failed, unprotected=(settled == np.inf).any(axis=0))
        helped = False
        for which, cell, width in todo:
            # What was withheld for one cell mostly gives its neighbours their room too.
            if helped and sheets[which].moves_freely(open_, cell, width):
                continue
            companions = sheets[which].companions(open_, told, cost, cell, width)
            if companions is None:
                settled[which, cell] = np.inf
                continue
            helped |= len(companions) > 0
            added[companions], open_[companions] = True, False
        if not helped:
            # What would help is withheld already, and yet the audit does not see that it does.
            for which, cell, _ in todo:
                settled[which, cell] = np.inf
