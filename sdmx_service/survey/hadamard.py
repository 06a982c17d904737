"""Hadamard matrices: square, of ones and minus ones, with orthogonal rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hadamard"]

Signs = NDArray[np.int8]


def hadamard(least: int) -> Signs:
    """Return the smallest of the matrices built here with ``least`` rows or more, (R, R).

    Powers of two are Sylvester's (1867), as in R survey; other orders are q + 1 for a prime
    q = 3 mod 4, 2 (q + 1) for a prime q = 1 mod 4 (Paley 1933), or one of these doubled. The first
    row and column are ones.
    """
    order = max(least, 1)
    while (matrix := _of_order(order)) is None:
        order += 1
    matrix = matrix * matrix[:, :1]
    normal: Signs = matrix * matrix[:1, :]
    return normal


def _of_order(order: int) -> Signs | None:
    if order == 1:
        return np.ones((1, 1), dtype=np.int8)
    if order == 2:
        return np.array([[1, 1], [1, -1]], dtype=np.int8)
    if order % 4:
        return None
    if order & (order - 1) and _is_prime(order - 1):
        return _paley_first(order - 1)
    if (order // 2 - 1) % 4 == 1 and _is_prime(order // 2 - 1):
        return _paley_second(order // 2 - 1)
    half = _of_order(order // 2)
    if half is None:
        return None
    return np.kron(np.array([[1, 1], [1, -1]], dtype=np.int8), half)


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % d for d in range(2, int(number**0.5) + 1))


def _residues(q: int) -> Signs:
    """Return the Jacobsthal matrix: 1 where i - j is a square modulo q, else -1, 0 if i = j."""
    sign = np.full(q, -1, dtype=np.int8)
    sign[np.arange(1, q, dtype=np.int64) ** 2 % q] = 1
    sign[0] = 0
    i = np.arange(q)
    table: Signs = sign[(i[:, None] - i[None, :]) % q]
    return table


def _paley_first(q: int) -> Signs:
    skew = np.zeros((q + 1, q + 1), dtype=np.int8)
    skew[0, 1:], skew[1:, 0] = 1, -1
    skew[1:, 1:] = _residues(q)
    return skew + np.eye(q + 1, dtype=np.int8)


def _paley_second(q: int) -> Signs:
    core = np.zeros((q + 1, q + 1), dtype=np.int8)
    core[0, 1:], core[1:, 0] = 1, 1
    core[1:, 1:] = _residues(q)
    diagonal = np.eye(q + 1, dtype=np.int8)
    return np.kron(core, np.array([[1, 1], [1, -1]], dtype=np.int8)) + np.kron(
        diagonal, np.array([[1, -1], [-1, -1]], dtype=np.int8)
    )
