"""The sample design: weights, primary sampling units, strata and finite populations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sdmx_service.errors import DesignError

__all__ = ["ColumnNames", "Design", "Lonely"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


class Lonely(Enum):
    """What a stratum with a single PSU adds to the variance (R survey's ``survey.lonely.psu``).

    FAIL refuses the design; REMOVE and CERTAINTY add nothing; ADJUST centres the PSU at the mean of
    all PSUs; AVERAGE adds the mean of the other strata.
    """

    FAIL = "fail"
    REMOVE = "remove"
    CERTAINTY = "certainty"
    ADJUST = "adjust"
    AVERAGE = "average"


class ColumnNames(NamedTuple):
    """How error messages call the survey and its design columns."""

    survey: str = "sample"
    weights: str = "weights"
    psu: str = "psu"
    stratum: str = "stratum"
    fpc: str = "fpc"


@dataclass(frozen=True, eq=False)
class Design:
    """A stratified sample of PSUs, one stage (ultimate clusters).

    ``weights`` (n,), ``psu`` (n,) codes 0..P-1 sorted by stratum, ``stratum_of_psu`` (P,) codes
    0..H-1 in ascending order, ``sampling_fraction`` (H,) or None for a population without end,
    ``strata`` the H labels. Rows are never left out before the design is made: a domain is a mask.
    """

    weights: Floats
    psu: Integers
    stratum_of_psu: Integers
    sampling_fraction: Floats | None = None
    lonely: Lonely = Lonely.FAIL
    strata: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.weights)

    @property
    def n_psu(self) -> int:
        """The number of PSUs, P."""
        return len(self.stratum_of_psu)

    @property
    def n_strata(self) -> int:
        """The number of strata, H."""
        return int(self.stratum_of_psu[-1]) + 1

    @property
    def df(self) -> int:
        """The degrees of freedom of the whole sample: PSUs minus strata."""
        return self.n_psu - self.n_strata

    @cached_property
    def psu_per_stratum(self) -> Integers:
        """The number of sampled PSUs of each stratum, (H,)."""
        return np.bincount(self.stratum_of_psu, minlength=self.n_strata)

    @cached_property
    def first_psu(self) -> Integers:
        """The first PSU code of each stratum, (H,)."""
        return np.concatenate([[0], np.cumsum(self.psu_per_stratum)[:-1]]).astype(np.intp)

    def by_stratum(self, psu_values: NDArray[Any]) -> NDArray[Any]:
        """Return the sums over the PSUs of each stratum: (P, K) to (H, K)."""
        summed: NDArray[Any] = np.add.reduceat(psu_values, self.first_psu, axis=0)
        return summed

    @classmethod
    def from_columns(
        cls,
        weights: ArrayLike,
        *,
        psu: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        fpc: ArrayLike | None = None,
        nested: bool = False,
        lonely: Lonely = Lonely.FAIL,
        names: ColumnNames | None = None,
    ) -> Design:
        """Return the design that these columns, each (n,), describe.

        Without ``psu`` every row is its own PSU; without ``stratum`` there is one. ``fpc`` is
        constant within a stratum: the number of PSUs in the population, or the fraction sampled.
        ``nested`` says that PSU labels are unique only within their stratum.

        Raises DesignError for a missing, negative or infinite weight, a missing PSU or stratum,
        a PSU in two strata, a sample larger than its population, one PSU in all, and, under
        ``Lonely.FAIL``, strata with a single PSU.
        """
        names = names or ColumnNames()
        weight = _checked_weights(weights, names)
        rows = len(weight)
        stratum_code, labels = _codes(stratum, rows, names.survey, names.stratum)
        if psu is None:
            unit_code, unit_labels = np.arange(rows), None
        else:
            unit_code, unit_labels = _codes(psu, rows, names.survey, names.psu)
        if nested and psu is not None:
            unit_code = pd.factorize(stratum_code.astype(np.int64) * rows + unit_code)[0]
        stratum_of_unit = _one_stratum_each(unit_code, stratum_code, unit_labels, labels, names)

        order = np.argsort(stratum_of_unit, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        design = cls(
            weights=weight,
            psu=rank[unit_code],
            stratum_of_psu=stratum_of_unit[order],
            lonely=lonely,
            strata=tuple(labels),
        )
        if design.n_psu < 2:
            raise DesignError(
                f"{names.survey}: column {names.psu}",
                got=f"{design.n_psu} PSU",
                expected="at least two PSUs",
                hint="no sampling variance can be estimated from one PSU",
            )
        design._refuse_lonely(names)
        if fpc is None:
            return design
        fraction = _sampling_fraction(fpc, stratum_code, design, names)
        return replace(design, sampling_fraction=fraction)

    def _refuse_lonely(self, names: ColumnNames) -> None:
        alone = np.flatnonzero(self.psu_per_stratum == 1)
        if self.lonely is Lonely.FAIL and len(alone):
            which = _some([self.strata[i] for i in alone], most=20)
            raise DesignError(
                f"{names.survey}: column {names.stratum}",
                got=f"{len(alone)} strata with a single PSU: {which}",
                expected="at least two PSUs in every stratum",
                hint="merge strata, or declare lonely: remove, certainty, adjust or average",
            )


def _checked_weights(weights: ArrayLike, names: ColumnNames) -> Floats:
    where = f"{names.survey}: column {names.weights}"
    try:
        weight = np.asarray(pd.to_numeric(pd.Series(weights)), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DesignError(where, got=str(error), expected="numbers") from error
    if not len(weight):
        raise DesignError(where, got="no rows", expected="a sample of at least two PSUs")
    for wrong, is_what, hint in (
        (np.isnan(weight), "missing", "a row outside the sample has weight 0, not an empty one"),
        (np.isinf(weight), "infinite", None),
        (weight < 0, "negative", "calibration can make negative weights: bound it"),
    ):
        if wrong.any():
            raise DesignError(
                where,
                got=f"{is_what} in {_rows(wrong)}",
                expected="a finite weight of 0 or more in every row",
                hint=hint,
            )
    if not weight.any():
        raise DesignError(where, got="0 in every row", expected="some positive weights")
    return weight


def _codes(
    column: ArrayLike | None, rows: int, survey: str, name: str
) -> tuple[Integers, Sequence[Any]]:
    if column is None:
        return np.zeros(rows, dtype=np.intp), ["all"]
    values = pd.Series(column)
    where = f"{survey}: column {name}"
    if len(values) != rows:
        raise DesignError(where, got=f"{len(values)} rows", expected=f"{rows} rows")
    if values.isna().any():
        raise DesignError(
            where,
            got=f"missing in {_rows(values.isna().to_numpy())}",
            expected=f"a {name} in every row",
        )
    codes, labels = pd.factorize(values, sort=True)
    return codes.astype(np.intp), list(labels)


def _one_stratum_each(
    unit: Integers,
    stratum: Integers,
    unit_labels: Sequence[Any] | None,
    labels: Sequence[Any],
    names: ColumnNames,
) -> Integers:
    """Return the stratum of each PSU, refusing a PSU that lies in two."""
    stratum_of_unit = np.empty(int(unit.max()) + 1, dtype=np.intp)
    stratum_of_unit[unit] = stratum
    elsewhere = stratum_of_unit[unit] != stratum
    if elsewhere.any():
        row = int(np.flatnonzero(elsewhere)[0])
        label = unit_labels[unit[row]] if unit_labels is not None else row + 1
        strata = sorted({str(labels[s]) for s in stratum[unit == unit[row]]})
        raise DesignError(
            f"{names.survey}: column {names.psu}",
            got=f"PSU {label} in strata {_some(strata)}; {_rows(elsewhere)}",
            expected="every PSU in one stratum",
            hint="declare nested: true if PSU labels are unique only within their stratum",
        )
    return stratum_of_unit


def _sampling_fraction(
    fpc: ArrayLike, stratum: Integers, design: Design, names: ColumnNames
) -> Floats:
    where = f"{names.survey}: column {names.fpc}"
    size = np.asarray(pd.to_numeric(pd.Series(fpc)), dtype=np.float64)
    if len(size) != design.n_rows:
        raise DesignError(where, got=f"{len(size)} rows", expected=f"{design.n_rows} rows")
    wrong = ~(np.isfinite(size) & (size > 0))
    if wrong.any():
        raise DesignError(
            where,
            got=f"missing, infinite, zero or negative in {_rows(wrong)}",
            expected="a population count or a sampling fraction in every row",
        )
    per_stratum = np.empty(design.n_strata)
    per_stratum[stratum] = size
    varies = per_stratum[stratum] != size
    if varies.any():
        raise DesignError(
            where,
            got=f"two values in one stratum: {_rows(varies)}",
            expected="one value a stratum",
        )
    counts = per_stratum > 1
    if counts.any() and not counts.all() and (per_stratum[~counts] < 1).any():
        raise DesignError(
            where,
            got="counts in some strata, fractions in others",
            expected="counts of PSUs, or sampling fractions, in all strata",
        )
    fraction = design.psu_per_stratum / per_stratum if counts.any() else per_stratum
    over = np.flatnonzero(fraction > 1)
    if len(over):
        raise DesignError(
            where,
            got=f"a sampling fraction over 1 in strata {_some([design.strata[i] for i in over])}",
            expected="a population of PSUs at least as large as the sample",
            hint=f"{names.fpc} counts PSUs, not persons",
        )
    return fraction


def _rows(wrong: Booleans) -> str:
    """Say how many rows are wrong and which come first, counting from 1."""
    which = np.flatnonzero(wrong) + 1
    noun = "row" if len(which) == 1 else "rows"
    return f"{len(which)} {noun} ({_some(which.tolist())})"


def _some(items: Sequence[Any], most: int = 5) -> str:
    text = ", ".join(str(item) for item in items[:most])
    return f"{text} ..." if len(items) > most else text
