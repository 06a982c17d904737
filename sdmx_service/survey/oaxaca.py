"""Oaxaca-Blinder and Kitagawa decompositions of the gap between two groups' means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DataError
from sdmx_service.survey.derived import Derived, from_rows
from sdmx_service.survey.design import Design
from sdmx_service.survey.outcome import known_values
from sdmx_service.survey.terms import Terms

__all__ = ["Decomposition", "Pooling", "decompose"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
_ROUNDING = 1e-12


class Pooling(Enum):
    """Which coefficients are nobody's advantage, other than a fixed weight of group A's.

    SHARE: A's weighted share of the people (Cotton 1988). NEUMARK: both groups pooled (1988).
    JANN: pooled with the group among the terms (2008). In R's ``oaxaca`` n_A/n, -1 and -2.
    """

    SHARE = "share"
    NEUMARK = "neumark"
    JANN = "jann"


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The gap A - B taken apart; every part has its standard error and covariance.

    ``means`` the rows A, B, gap. ``threefold`` and ``twofold`` have rows ``part`` x ``term``, the
    term ``_T`` being all terms together. Threefold (Winsborough and Dickinson 1971; Daymont and
    Andrisani 1984), from the viewpoint of B: ENDOWMENTS (xA - xB)'bB, COEFFICIENTS xB'(bA - bB),
    INTERACTION (xA - xB)'(bA - bB). Twofold with b* as no advantage: EXPLAINED (xA - xB)'b*,
    UNEXPLAINED_A xA'(bA - b*), UNEXPLAINED_B xB'(b* - bB), and UNEXPLAINED, their sum.
    ``rows`` are the unweighted numbers in A and B.
    """

    rows: tuple[int, int]
    means: Derived
    threefold: Derived
    twofold: Derived


@dataclass(frozen=True, eq=False)
class _Side:
    """Means (q,) and coefficients (q,) of a group, with their weighted influence by row (m, q)."""

    means: Floats
    coefficients: Floats
    moves_means: Floats
    moves_coefficients: Floats


def decompose(
    design: Design,
    outcome: ArrayLike,
    data: pd.DataFrame,
    terms: Sequence[str],
    in_a: ArrayLike,
    *,
    reference: float | Pooling = 0.0,
    normalise: bool = False,
    by_variable: bool = False,
    reference_groups: Mapping[str, object] | None = None,
    universe: Booleans | None = None,
) -> Decomposition:
    """Return the decomposition of mean ``outcome`` (n,) of A less B by weighted linear models.

    ``in_a`` (n,) is 1 for A, 0 for B, missing for neither. ``reference`` is the weight of A's
    coefficients in b* (0: B's, 1: A's), or a Pooling. With grouping variables alone, saturated,
    this is Kitagawa's decomposition of rates (1955). ``normalise`` makes the detail of grouping
    variables independent of which group is left out (Yun 2005). ``by_variable`` adds the levels of
    a variable up. Standard errors are linearised (means and coefficients are both estimated, Jann
    2008), or, of a design with replicate weights, everything is estimated again with each of them.

    Raises DataError where a group is empty or its model cannot be estimated, or normalisation is
    asked for with interactions.
    """
    y, known = known_values(design, outcome)
    side = pd.Series(in_a).to_numpy(dtype=np.float64, na_value=np.nan)
    model = Terms.of(data, terms, reference=reference_groups)
    used = known & (design.weights > 0) & model.complete(data) & np.isfinite(side)
    if universe is not None:
        used = used & universe
    if not np.isin(side[used], (0.0, 1.0)).all():
        raise DataError("decomposition", got="other values", expected="1 for A and 0 for B")
    belongs = side[used] == 1.0
    x, y_used = model.matrix(data[used]), y[used]
    detail = _Detail.of(model, normalise, by_variable)
    task = _Task(x, y_used, belongs, detail, reference)
    weights = design.weights[used]
    value, influence = task.linearised(weights)
    keys = task.keys()
    found = from_rows(design, used, value, influence, keys)
    if design.replicates is not None:
        short = replace(task, influences=False)
        again = [
            short.linearised(weights * factors[design.psu[used]])[0]
            for factors in design.replicates.factors
        ]
        found = replace(found, deviations=design.replicates.deviations(np.array(again), value))
    # a part that is zero whatever the sample, but for rounding: the intercept explains nothing
    spread = np.where(found.se > _ROUNDING * found.se.max(), found.deviations, 0.0)
    everything = replace(found, deviations=spread)
    kind = keys["kind"].to_numpy()
    parts = [everything.take(kind == name) for name in ("means", "threefold", "twofold")]
    plain = [
        Derived(part.keys.drop(columns="kind"), part.value, part.deviations, part.df)
        for part in parts
    ]
    return Decomposition((int(belongs.sum()), int((~belongs).sum())), *plain)


@dataclass(frozen=True, eq=False)
class _Detail:
    """How terms are shown: ``coefficients`` and ``means``, both (q, k), make those of the model's
    columns into those shown, with the same x'b; ``labels`` (q,) say which of them are one term."""

    labels: tuple[str, ...]
    coefficients: Floats
    means: Floats

    @classmethod
    def of(cls, model: Terms, normalise: bool, by_variable: bool) -> _Detail:
        columns = model.columns
        names, variable = [c.name for c in columns], [c.term for c in columns]
        size = len(columns)
        of_b, of_x = np.eye(size), np.eye(size)
        if normalise:
            if any(":" in term for term in model.terms):
                raise DataError(
                    "decomposition",
                    got=", ".join(model.terms),
                    expected="single variables where groups are normalised",
                )
            for name, levels in model.levels.items():
                dummies = [at for at, column in enumerate(columns) if column.term == name]
                average = np.zeros(size)
                average[dummies] = 1.0 / len(levels)
                # b_l - mean(b), the mean going to the intercept; the group left out has b = 0
                of_b[dummies] -= average
                of_b[0] += average
                of_b = np.vstack([of_b, -average])
                left_out = np.zeros(size)
                left_out[0] = 1.0
                left_out[dummies] = -1.0
                of_x = np.vstack([of_x, left_out])
                names.append(f"{name}{levels[0]}")
                variable.append(name)
        labels = variable if by_variable else names
        return cls(tuple(labels), of_b, of_x)

    @property
    def terms(self) -> list[str]:
        """The terms shown, in order."""
        return list(dict.fromkeys(self.labels))

    def gather(self, products: Floats) -> Floats:
        """Add the last axis (q) up to the terms shown, all together first."""
        codes = np.array([self.terms.index(label) for label in self.labels])
        matrix = np.eye(len(self.terms))[codes]
        return np.concatenate([products.sum(axis=-1, keepdims=True), products @ matrix], axis=-1)


@dataclass(frozen=True, eq=False)
class _Task:
    """The rows (m,) of one decomposition, to be done with one set of weights or another.

    Without ``influences`` their arrays have no rows.
    """

    x: Floats
    y: Floats
    belongs: Booleans
    detail: _Detail
    reference: float | Pooling
    influences: bool = True

    def _kept(self, by_row: Floats) -> Floats:
        return by_row if self.influences else by_row[:0]

    def _least_squares(self, x: Floats, weights: Floats, what: str) -> tuple[Floats, Floats]:
        coefficients, by_row = _least_squares(x, self.y, weights, what)
        return coefficients, self._kept(by_row)

    def keys(self) -> pd.DataFrame:
        """Return the keys of the values, in order."""
        shown = ["_T", *self.detail.terms]
        three = ["ENDOWMENTS", "COEFFICIENTS", "INTERACTION"]
        two = ["EXPLAINED", "UNEXPLAINED", "UNEXPLAINED_A", "UNEXPLAINED_B"]
        rows = [("means", part, "_T") for part in ("A", "B", "GAP")]
        rows += [("threefold", part, term) for part in three for term in shown]
        rows += [("twofold", part, term) for part in two for term in shown]
        return pd.DataFrame(rows, columns=["kind", "part", "term"])

    def linearised(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the values (V,) and their weighted influence by row, (m, V)."""
        a = self._side(weights * self.belongs, "A")
        b = self._side(weights * ~self.belongs, "B")
        star, moves_star = self._reference(weights, a, b)
        moves_star = moves_star @ self.detail.coefficients.T
        star = self.detail.coefficients @ star
        gap_x, moves_gap_x = a.means - b.means, a.moves_means - b.moves_means
        gap_b = a.coefficients - b.coefficients
        moves_gap_b = a.moves_coefficients - b.moves_coefficients
        above, moves_above = a.coefficients - star, a.moves_coefficients - moves_star
        below, moves_below = star - b.coefficients, moves_star - b.moves_coefficients
        favour = _product(a.means, a.moves_means, above, moves_above)
        disfavour = _product(b.means, b.moves_means, below, moves_below)
        own = [
            _product(s.means, s.moves_means, s.coefficients, s.moves_coefficients) for s in (a, b)
        ]
        parts = [
            _product(gap_x, moves_gap_x, b.coefficients, b.moves_coefficients),
            _product(b.means, b.moves_means, gap_b, moves_gap_b),
            _product(gap_x, moves_gap_x, gap_b, moves_gap_b),
            _product(gap_x, moves_gap_x, star, moves_star),
            (favour[0] + disfavour[0], favour[1] + disfavour[1]),
            favour,
            disfavour,
        ]
        level = [(v.sum(keepdims=True), moved.sum(axis=1, keepdims=True)) for v, moved in own]
        level.append((level[0][0] - level[1][0], level[0][1] - level[1][1]))
        shown = [(self.detail.gather(v), self.detail.gather(moved)) for v, moved in parts]
        return (
            np.concatenate([v for v, _ in level + shown]),
            np.hstack([moved for _, moved in level + shown]),
        )

    def _side(self, weights: Floats, name: str) -> _Side:
        if not weights.any():
            raise DataError(f"decomposition, group {name}", got="no rows", expected="some rows")
        total = weights.sum()
        means = weights @ self.x / total
        moves = self._kept(weights[:, None] * (self.x - means) / total)
        coefficients, moves_b = self._least_squares(self.x, weights, f"group {name}")
        return _Side(
            self.detail.means @ means,
            self.detail.coefficients @ coefficients,
            moves @ self.detail.means.T,
            moves_b @ self.detail.coefficients.T,
        )

    def _reference(self, weights: Floats, a: _Side, b: _Side) -> tuple[Floats, Floats]:
        """Return b* (k,) of the model's columns and its weighted influence by row (m, k)."""
        if isinstance(self.reference, Pooling) and self.reference is not Pooling.SHARE:
            if self.reference is Pooling.NEUMARK:
                return self._least_squares(self.x, weights, "both groups")
            wider = np.column_stack([self.x, self.belongs])
            both, moved = self._least_squares(wider, weights, "both groups with their dummy")
            return both[:-1], moved[:, :-1]
        of_a, moves_a = self._least_squares(self.x, weights * self.belongs, "group A")
        of_b, moves_b = self._least_squares(self.x, weights * ~self.belongs, "group B")
        if isinstance(self.reference, Pooling):
            share = float(weights @ self.belongs / weights.sum())
            moves_share = self._kept((weights * (self.belongs - share) / weights.sum())[:, None])
        else:
            share, moves_share = self.reference, np.zeros((1, 1))
        return (
            share * of_a + (1 - share) * of_b,
            share * moves_a + (1 - share) * moves_b + moves_share * (of_a - of_b),
        )


def _product(x: Floats, moves_x: Floats, b: Floats, moves_b: Floats) -> tuple[Floats, Floats]:
    """Return x b by term and its influence."""
    return x * b, moves_x * b + x * moves_b


def _least_squares(x: Floats, y: Floats, weights: Floats, what: str) -> tuple[Floats, Floats]:
    """Return weighted least squares coefficients (k,) and their weighted influence (m, k)."""
    weighted = weights[:, None] * x
    information = weighted.T @ x
    norm = np.sqrt(np.diag(information))
    if not norm.all() or np.linalg.matrix_rank(information / np.outer(norm, norm)) < len(norm):
        raise DataError(
            f"decomposition, {what}",
            got="columns that determine each other",
            expected="every term to vary within the group",
            hint="leave a term out, or merge groups that are empty here",
        )
    coefficients = np.asarray(np.linalg.solve(information, weighted.T @ y), dtype=np.float64)
    scores = weighted * (y - x @ coefficients)[:, None]
    influence = np.asarray(np.linalg.solve(information, scores.T).T, dtype=np.float64)
    return coefficients, influence
