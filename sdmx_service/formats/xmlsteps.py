"""The steps that a block of elements goes through, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.formats.xmlbodies import NotPlainError
from sdmx_service.formats.xmlgrammar import GROUP, SERIES, Form, Gap, Place, State
from sdmx_service.formats.xmltexts import Texts

__all__ = ["Found", "Steps"]

Array = NDArray[Any]

_MOST_GAPS = 4096
_INSIDE = GROUP + 1
_CODES = 2 * _INSIDE  # the kinds of rows, and the same where a series is open around them
_NEVER, _SEVERAL = -1, -2


@dataclass(frozen=True)
class Found:
    """What the values of a block are: ``places`` by number and, of each value, ``which``.

    ``rows`` is the number of the row each value belongs to; ``kinds`` says what each row is and
    ``inside`` whether a series is open around it.
    """

    places: list[Place]
    which: Array
    rows: Array
    kinds: Array
    inside: Array


class Steps:
    """The gaps and states met so far, with the steps between them.

    The state after a value is guessed from the gap before it and the row it belongs to; then
    each step is looked up, so that a wrong guess is no step.
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self._texts: list[str] = []
        self._gaps: list[Gap] = []
        self._states = {State(): 0}
        self._places: dict[Place, int] = {}
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}
        self._start = 0

    def through(self, texts: Texts) -> Found:
        """Return what the values of the next block are; NotPlainError where there is no step."""
        ids = self._numbered(texts.gaps)
        texts.refuse(self._texts, np.bincount(ids, minlength=len(self._texts)))
        last, ids = ids[-1], ids[:-1]
        begun = self._begun[ids]
        firsts = np.flatnonzero(begun)
        if len(ids) and (not len(firsts) or firsts[0]):
            raise NotPlainError
        kinds = begun[firsts]
        inside = self._inside(ids[firsts], kinds)
        rows = np.cumsum(begun != 0, dtype="i4") - 1
        codes = (kinds + _INSIDE * inside).astype("i4")
        after = self._after.take(ids * _CODES + codes[rows])
        if len(ids):
            # A gap that changes no state leaves the one that was there before.
            told = np.where(self._same[ids], 0, np.arange(len(ids), dtype="i4"))
            after = after.take(np.maximum.accumulate(told))
        states = np.append(np.int32(self._start), after)
        steps = ids * len(self._states) + states[:-1]
        if (after < 0).any() or (self._next.take(steps) != after).any():
            raise NotPlainError
        end, which = self._next[last, states[-1]], self._placed.take(steps)
        if (which < 0).any() or end < 0 or not list(self._states)[end].between:
            raise NotPlainError
        self._start = int(end)
        return Found(list(self._places), which, rows, kinds, inside)

    def _inside(self, ids: Array, kinds: Array) -> Array:
        """Return whether a series is open around each row, by the gaps that they begin in."""
        above = np.append(0, kinds[:-1])[: len(kinds)] == SERIES
        outside = self._leaves[ids] | (above & self._shuts[ids]) | (kinds == GROUP)
        opened = kinds == SERIES
        told = np.maximum.accumulate(np.where(opened | outside, np.arange(len(kinds)), 0))
        inside: Array = opened[told] if len(kinds) else opened
        return inside

    def _numbered(self, gaps: pl.Series) -> Array:
        """Return the number of each gap, and learn of those not met before."""
        ids = gaps.cast(pl.Enum(self._texts), strict=False)
        if unknown := ids.null_count():
            new = gaps.filter(ids.is_null()).unique() if unknown < len(ids) else gaps.unique()
            if len(self._texts) + len(new) > _MOST_GAPS:
                raise NotPlainError
            self._learn(new.to_list())
            ids = gaps.cast(pl.Enum(self._texts))
        return ids.to_physical().to_numpy().astype("i4")

    def _learn(self, texts: list[str]) -> None:
        """Work out the steps of new gaps from every state that can be come to."""
        self._gaps += [self._form.gap(text) for text in texts]
        self._texts += texts
        more = True
        while more:
            more = False
            for state, number in list(self._states.items()):
                for at, gap in enumerate(self._gaps):
                    if (at, number) in self._steps:
                        continue
                    self._steps[at, number] = self._step(gap, state)
                    more = True
        self._tabulate()

    def _step(self, gap: Gap, state: State) -> tuple[int, int]:
        """Return the numbers of the state after a gap and of the place of the value there."""
        found = self._form.step(gap, state)
        if found is None:
            return _NEVER, _NEVER
        now, place = found
        number = self._states.setdefault(now, len(self._states))
        if place is None:
            return number, _NEVER
        return number, self._places.setdefault(place, len(self._places))

    def _tabulate(self) -> None:
        """Set the steps down in tables: by gap and state, or by gap and what the row is."""
        shape = len(self._gaps), len(self._states)
        self._next, self._placed = np.full(shape, _NEVER, "i4"), np.full(shape, _NEVER, "i4")
        self._after = np.full((shape[0], _CODES), _NEVER, "i4")
        self._same = np.ones(shape[0], dtype=bool)
        codes = [kind + _INSIDE * inside for inside, kind in (one.row for one in self._states)]
        for (gap, state), (now, place) in self._steps.items():
            self._next[gap, state], self._placed[gap, state] = now, place
            if now >= 0:
                self._same[gap] &= now == state
                code = codes[now]
                known = self._after[gap, code]
                self._after[gap, code] = now if known in (_NEVER, now) else _SEVERAL
        self._begun = np.array([gap.row for gap in self._gaps], dtype="u1")
        self._leaves = np.array([gap.leaves for gap in self._gaps])
        self._shuts = np.array([gap.shuts for gap in self._gaps])
