"""The terms of a regression model: treatment contrasts of groups, numbers as they are."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sdmx_service.errors import DataError

__all__ = ["INTERCEPT", "Column", "Terms"]

Floats = NDArray[np.float64]
INTERCEPT = "(Intercept)"


@dataclass(frozen=True)
class Column:
    """One column of a model matrix: the term it belongs to and its factors.

    A factor is a variable and one of its levels, or a variable and None for a number.
    """

    term: str
    factors: tuple[tuple[str, object], ...]

    @property
    def name(self) -> str:
        """The column as R calls it: ``sexM``, ``sexM:racer2``, ``(Intercept)``."""
        parts = [
            variable + ("" if level is None else str(level)) for variable, level in self.factors
        ]
        return ":".join(parts) or INTERCEPT


@dataclass(frozen=True)
class Terms:
    """An intercept, variables and interactions; ``levels`` of the groups, the reference first."""

    terms: tuple[str, ...]
    levels: Mapping[str, tuple[object, ...]]

    @classmethod
    def of(
        cls,
        data: pd.DataFrame,
        terms: Sequence[str],
        *,
        reference: Mapping[str, object] | None = None,
    ) -> Terms:
        """Return the terms ``terms`` (``age``, ``sex``, ``sex:age``) over the columns of ``data``.

        Text, categories and truth values are groups, in sorted or declared order, the first the
        reference unless ``reference`` names another; all other columns are numbers. Terms come in
        R's order: single variables, then interactions.

        Raises DataError for an unknown variable or reference, a group of one level, and an
        interaction whose parts are not terms.
        """
        ordered = sorted(dict.fromkeys(terms), key=lambda term: term.count(":"))
        levels: dict[str, tuple[object, ...]] = {}
        for term in ordered:
            variables = term.split(":")
            for variable in variables:
                if variable not in data.columns:
                    close = difflib.get_close_matches(variable, [str(c) for c in data.columns], 1)
                    raise DataError(
                        f"model term {term}",
                        got=variable,
                        expected="a column of the data",
                        hint=f"did you mean {close[0]}?" if close else None,
                    )
                if variable not in levels and not _is_number(data[variable]):
                    levels[variable] = _levels(data[variable], (reference or {}).get(variable))
            for size in range(1, len(variables)):
                for part in combinations(variables, size):
                    if not any(set(part) == set(other.split(":")) for other in ordered):
                        raise DataError(
                            f"model term {term}",
                            got=", ".join(ordered),
                            expected=f"{':'.join(part)} among the terms too",
                            hint="an interaction without its parts depends on the reference groups",
                        )
        return cls(tuple(ordered), levels)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that the terms need."""
        return tuple(dict.fromkeys(v for term in self.terms for v in term.split(":")))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the model matrix, in R's order: the first factor moves fastest."""
        found = [Column(INTERCEPT, ())]
        for term in self.terms:
            partial: list[tuple[tuple[str, object], ...]] = [()]
            for variable in reversed(term.split(":")):
                choices = self.levels[variable][1:] if variable in self.levels else (None,)
                partial = [((variable, choice), *rest) for rest in partial for choice in choices]
            found += [Column(term, factors) for factors in partial]
        return tuple(found)

    def complete(self, data: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows have all variables, (n,)."""
        known = data[list(self.variables)].notna().to_numpy()
        return np.asarray(known.all(axis=1), dtype=bool)

    def matrix(self, data: pd.DataFrame) -> Floats:
        """Return the model matrix, (n, p), of complete rows."""
        indicators: dict[tuple[str, object], Floats] = {}
        columns = []
        for column in self.columns:
            for variable, level in column.factors:
                if (variable, level) not in indicators:
                    values = data[variable]
                    shown = values if level is None else values == level
                    indicators[variable, level] = np.asarray(shown, dtype=np.float64)
            made = np.ones(len(data))
            for factor in column.factors:
                made = made * indicators[factor]
            columns.append(made)
        return np.column_stack(columns)


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def _levels(column: pd.Series, reference: object | None) -> tuple[object, ...]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column.dropna())
        found = [level for level in column.cat.categories if level in present]
    else:
        found = sorted(column.dropna().unique())
    if len(found) < 2:
        raise DataError(
            f"model variable {column.name}", got=f"levels {found}", expected="two groups or more"
        )
    if reference is None:
        return tuple(found)
    if reference not in found:
        raise DataError(
            f"model variable {column.name}",
            got=f"reference {reference}",
            expected=f"one of {', '.join(map(str, found))}",
        )
    return (reference, *(level for level in found if level != reference))
