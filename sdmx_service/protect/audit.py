"""How closely a hidden figure can be worked out from all published ones, by linear programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse.csgraph import connected_components

__all__ = ["Figures", "bounds", "cover", "moves_freely", "narrow"]

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# HiGHS keeps constraints to 1e-7: what moves less than this did not move.
_STILL = 1e-6
# Seconds for one programme in whole numbers; no answer in time counts as no room.
_PATIENCE = 10.0


@dataclass(frozen=True, eq=False)
class Figures:
    """V true figures, published or not, with every linear relation that anyone can write down.

    ``lower`` and ``upper`` (V,) hold for a figure even if it is hidden, as nobody counts below
    zero; of a figure that was published rounded they are its rounding interval. ``equal`` (R, V)
    are sums whose result is known, as parts less their total are zero. ``ordered @ value <= right``
    (Q, V), (Q,), as people counted are no more than people: also how a rounded difference enters.
    ``whole``: all are counts, and whoever reckons with them knows that counts are whole numbers.
    """

    value: Floats
    lower: Floats
    upper: Floats
    equal: Any
    ordered: Any
    right: Floats
    whole: bool = False

    @classmethod
    def of(
        cls,
        value: Floats,
        *,
        equal: Sequence[tuple[Sequence[int], Sequence[float]]] = (),
        ordered: Sequence[tuple[Sequence[int], Sequence[float], float]] = (),
        lower: Floats | float = 0.0,
        upper: Floats | float = np.inf,
        whole: bool = False,
    ) -> Figures:
        """Return the figures with relations given as places and coefficients, one pair a row."""
        count = len(value)
        return cls(
            value=np.asarray(value, dtype=float),
            lower=np.broadcast_to(np.asarray(lower, dtype=float), (count,)),
            upper=np.broadcast_to(np.asarray(upper, dtype=float), (count,)),
            equal=_matrix([(places, factors) for places, factors in equal], count),
            ordered=_matrix([(places, factors) for places, factors, _ in ordered], count),
            right=np.array([limit for *_, limit in ordered], dtype=float),
            whole=whole,
        )

    def __len__(self) -> int:
        return len(self.value)


def _matrix(rows: Sequence[tuple[Sequence[int], Sequence[float]]], columns: int) -> Any:
    lengths = [len(places) for places, _ in rows]
    row = np.repeat(np.arange(len(rows)), lengths)
    column = np.array([place for places, _ in rows for place in places], dtype=np.intp)
    factor = np.array([f for _, factors in rows for f in factors], dtype=float)
    return sparse.csr_array((factor, (row, column)), shape=(len(rows), columns))


@dataclass(frozen=True, eq=False)
class _Room:
    """How the free figures, at ``places`` among all, may move away from the truth together."""

    places: Integers
    equal: Any
    ordered: Any
    slack: Floats
    down: Floats
    up: Floats
    whole: bool

    def furthest(self, direction: Floats) -> Floats | None:
        """Return the move (F,) that goes furthest along ``direction``; None if without end."""
        move = self._divisible(direction)
        if move is None or not self.whole or _in_whole_numbers(move):
            return move
        found = milp(
            -direction,
            integrality=np.ones(len(self.places)),
            bounds=Bounds(self.down, self.up),
            constraints=[
                LinearConstraint(self.equal, 0.0, 0.0),
                LinearConstraint(self.ordered, -np.inf, self.slack),
            ],
            options={"time_limit": _PATIENCE},
        )
        return np.zeros(len(self.places)) if found.x is None else np.round(found.x)

    def _divisible(self, direction: Floats) -> Floats | None:
        found = linprog(
            -direction,
            A_ub=self.ordered if self.ordered.shape[0] else None,
            b_ub=self.slack if self.ordered.shape[0] else None,
            A_eq=self.equal if self.equal.shape[0] else None,
            b_eq=np.zeros(self.equal.shape[0]) if self.equal.shape[0] else None,
            bounds=np.column_stack([self.down, self.up]),
            method="highs",
        )
        if found.status == 3:
            return None
        # No answer counts as no room: the audit then errs on the side of the people.
        move = np.zeros(len(self.places)) if found.x is None else np.asarray(found.x)
        return np.round(move) if self.whole and _in_whole_numbers(move) else move

    def sketch(self, direction: Floats) -> Floats | None:
        """Return a move far along ``direction``, the furthest or none; None if without end."""
        move = self._divisible(direction)
        if move is None or not self.whole or _in_whole_numbers(move):
            return move
        return np.zeros(len(self.places))

    def within(self, column: Integers | int, reach: Floats | float) -> _Room:
        """Return the room in which the figures at ``column`` move no further than ``reach``."""
        down, up = self.down.copy(), self.up.copy()
        down[column] = np.maximum(down[column], -np.asarray(reach))
        up[column] = np.minimum(up[column], reach)
        return replace(self, down=down, up=up)


def _in_whole_numbers(move: Floats) -> bool:
    return bool((np.abs(move - np.round(move)) < _STILL).all())


def _room(figures: Figures, places: Integers) -> _Room:
    equal, ordered = figures.equal[:, places], figures.ordered[:, places]
    bound = np.flatnonzero(np.diff(equal.indptr))
    limited = np.flatnonzero(np.diff(ordered.indptr))
    slack = figures.right[limited] - figures.ordered[limited] @ figures.value
    value = figures.value[places]
    return _Room(
        places,
        equal[bound],
        ordered[limited],
        np.maximum(slack, 0.0),
        np.minimum(figures.lower[places] - value, 0.0),
        np.maximum(figures.upper[places] - value, 0.0),
        figures.whole,
    )


def _rooms(figures: Figures, known: Booleans, targets: Integers) -> list[_Room]:
    """Return the parts of the hidden figures that hang together, those with targets in them."""
    free = np.flatnonzero(~known)
    both = sparse.vstack([figures.equal[:, free], figures.ordered[:, free]]).tocsr()
    # Figures and relations are the nodes of one graph: far fewer edges than figures to figures.
    row, figure = both.nonzero()
    size = len(free) + both.shape[0]
    linked = sparse.coo_array((np.ones(len(row)), (figure, len(free) + row)), shape=(size, size))
    _, label = connected_components(linked, directed=False)
    label = label[: len(free)]
    asked = np.unique(label[np.isin(free, targets)])
    return [_room(figures, free[label == one]) for one in asked]


def bounds(figures: Figures, known: Booleans, targets: Integers) -> tuple[Floats, Floats]:
    """Return the least and the greatest that each of ``targets`` (T,) can be, (T,) each.

    ``known`` (V,) are the figures published without rounding.
    """
    least, greatest = figures.value[targets].copy(), figures.value[targets].copy()
    for room in _rooms(figures, known, targets):
        for place in np.flatnonzero(np.isin(targets, room.places)):
            column = int(np.flatnonzero(room.places == targets[place])[0])
            for sign, found in ((-1.0, least), (1.0, greatest)):
                direction = np.zeros(len(room.places))
                direction[column] = sign
                move = room.furthest(direction)
                found[place] += sign * np.inf if move is None else move[column]
    return least, greatest


def narrow(figures: Figures, known: Booleans, need: Floats) -> Integers:
    """Return the hidden figures that can be confined to less than ``need`` (V,); 0 asks nothing.

    Every point that a programme finds is a table that fits what is published, so it vouches for
    all figures at once; only those that no shared point vouches for get programmes of their own.
    """
    if figures.whole:
        need = np.ceil(need)
    targets = np.flatnonzero((need > 0) & ~known)
    failing = list(np.flatnonzero((need > 0) & known))
    least, greatest = np.zeros(len(figures)), np.zeros(len(figures))

    def spanned(column: Integers | np.intp) -> Any:
        return greatest[column] - least[column] >= need[column] * (1 - _STILL)

    def see(room: _Room, move: Floats | None) -> None:
        if move is not None:
            least[room.places] = np.minimum(least[room.places], move)
            greatest[room.places] = np.maximum(greatest[room.places], move)

    draw = np.random.default_rng(0)
    for room in _rooms(figures, known, targets):
        mine = np.flatnonzero(need[room.places] > 0)
        asked = need[room.places[mine]]
        boxed = room.within(mine, asked)
        signs = [np.ones(len(mine)), -np.ones(len(mine))]
        signs += list(draw.choice([-1.0, 1.0], (2, len(mine))))
        for sign in signs:
            open_ = ~spanned(room.places[mine])
            if not open_.any():
                break
            direction = np.zeros(len(room.places))
            direction[mine] = np.where(open_, sign, 0.0) / asked
            see(boxed, boxed.sketch(direction))
        for column in mine:
            for side in (1.0, -1.0):
                if spanned(room.places[column]):
                    break
                direction = np.zeros(len(room.places))
                direction[column] = side
                near = room.within(int(column), need[room.places[column]])
                see(near, near.furthest(direction))
            if not spanned(room.places[column]):
                failing.append(room.places[column])
    return np.array(sorted(failing), dtype=np.intp)


def moves_freely(figures: Figures, known: Booleans, target: int, need: float) -> bool:
    """Return whether ``target`` can be ``need`` away from the truth with what is hidden already.

    Then ``cover`` has nothing to add, and its programme over all figures need not be solved.
    """
    need = np.ceil(need) if figures.whole else need
    for room in _rooms(figures, known, np.array([target])):
        column = int(np.flatnonzero(room.places == target)[0])
        near = room.within(column, need)
        for side in (1.0, -1.0):
            direction = np.zeros(len(room.places))
            direction[column] = side
            move = near.furthest(direction)
            if move is not None and side * move[column] >= need * (1 - _STILL):
                return True
    return False


def cover(
    figures: Figures, known: Booleans, cost: Floats, target: int, need: float
) -> Integers | None:
    """Return known figures to hide so that ``target`` can be ``need`` away from the truth.

    The cheapest move of the table that keeps all relations and moves the target so far: what
    moves in it has to be hidden, at ``cost`` (V,) a unit, infinite for what is known for good.
    Up or down, whichever costs less, else up and down by that much together. None: there is none.
    """
    places = np.flatnonzero(~known | np.isfinite(cost))
    if target not in places:
        return None
    need = np.ceil(need) if figures.whole else need
    room = _room(figures, places)
    price = np.where(known[places], cost[places], 0.0)
    column = int(np.flatnonzero(places == target)[0])
    found = [_cheapest(room, price, column, need, sides) for sides in ((1.0,), (-1.0,))]
    best = min((one for one in found if one is not None), key=lambda one: one[0], default=None)
    if best is None:
        best = _cheapest(room, price, column, need, (1.0, -1.0))
    if best is None:
        return None
    moved = best[1]
    return places[moved & known[places]]


def _cheapest(
    room: _Room, price: Floats, column: int, need: float, sides: tuple[float, ...]
) -> tuple[float, Booleans] | None:
    """Return the cost of moving a figure by ``need``, one move a side, and what moves.

    A move is two parts, up and down, each of which costs; signs say which way the target goes.
    """
    count = len(room.places)
    both = sparse.hstack([sparse.eye_array(count), -sparse.eye_array(count)]).tocsr()
    moves = sparse.block_diag([both] * len(sides)).tocsr()
    equal = sparse.block_diag([room.equal] * len(sides)) @ moves
    ordered = sparse.block_diag([room.ordered] * len(sides)) @ moves
    aim = np.zeros(count * len(sides))
    aim[[column + count * place for place in range(len(sides))]] = sides
    limits = np.concatenate([room.up, -room.down] * len(sides))
    # A little on what is free as well, so that nothing moves without need.
    cost = np.tile(price + 1e-6, 2 * len(sides))
    slack = np.tile(room.slack, len(sides))
    held = sparse.vstack([equal, sparse.csr_array(aim[None, :]) @ moves])
    target = np.concatenate([np.zeros(equal.shape[0]), [need]])
    found = linprog(
        cost,
        A_ub=ordered if ordered.shape[0] else None,
        b_ub=slack if ordered.shape[0] else None,
        A_eq=held,
        b_eq=target,
        bounds=np.column_stack([np.zeros(len(limits)), limits]),
        method="highs",
    )
    if found.status == 0 and room.whole and not _in_whole_numbers(found.x):
        found = milp(
            cost,
            integrality=np.ones(len(cost)),
            bounds=Bounds(0.0, limits),
            constraints=[
                LinearConstraint(held, target, target),
                LinearConstraint(ordered, -np.inf, slack),
            ],
            options={"time_limit": _PATIENCE},
        )
    if found.x is None or found.status not in (0, 1):
        return None
    moved = np.abs((moves @ found.x).reshape(len(sides), count)).max(axis=0) > _STILL
    return float(found.fun), moved
