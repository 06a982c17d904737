"""Which keys and values the Allowed constraints of a flow admit.

A schema tells of one component at a time what is admitted; of whole keys, regions and stretches of
time only a table of observations can be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from sdmx_service.formats.normalizing import normalized
from sdmx_service.structures.artefacts import (
    Component,
    Constraint,
    Dataflow,
    Region,
    Role,
    Selection,
)
from sdmx_service.structures.constraints import meant

__all__ = ["admitted_values", "outside"]


def admitted_values(flow: Dataflow, component: Component) -> frozenset[str] | None:
    """Return the values of a component that some key or region admits, None where all are."""
    found = flow.admits.get(component.id)
    for constraint in flow.constraints:
        for values in (_of_keys(constraint, component), _of_regions(constraint, component)):
            if values is not None:
                found = values if found is None else found & values
    return found


def _of_keys(constraint: Constraint, component: Component) -> frozenset[str] | None:
    keys = [key for included, several in constraint.keys if included for key in several]
    if not keys or not all(component.id in key for key in keys):
        return None
    return frozenset(value for key in keys for value in key[component.id])


def _of_regions(constraint: Constraint, component: Component) -> frozenset[str] | None:
    """Return what the regions say of an attribute or a measure; of dimensions ``admits`` tells."""
    said = [one.attributes.get(component.id) for one in constraint.regions if one.include]
    listed = [one for one in said if one and one.values and one.include]
    if not said or len(listed) < len(said):
        return None
    return frozenset().union(*(_values(component, one) for one in listed))


def _values(component: Component, selection: Selection) -> frozenset[str]:
    """Return the values that a selection names, with the codes below them where it says so."""
    if component.codelist is None:
        return frozenset(value for value, _ in selection.values)
    codelist = component.codelist
    return frozenset().union(
        *(meant(codelist, value, cascade) or {value} for value, cascade in selection.values)
    )


def outside(frame: pl.DataFrame, flow: Dataflow) -> pl.Series | None:
    """Return which rows a constraint of the flow does not admit, None where none says so.

    A dimension that a row has no value of is held to nothing, nor is one without a column.
    """
    rows = _Rows(frame, flow)
    tests = [test for constraint in flow.constraints for test in rows.refused(constraint)]
    if not tests:
        return None
    return frame.select(pl.any_horizontal(tests).alias("outside")).get_column("outside")


@dataclass(frozen=True)
class _Rows:
    """The rows that are held to constraints."""

    frame: pl.DataFrame
    flow: Dataflow

    def refused(self, constraint: Constraint) -> Iterator[pl.Expr]:
        """Yield what is true of rows that a constraint refuses."""
        regions = [
            (one.include, self.region(one, unknown=one.include)) for one in constraint.regions
        ]
        keys = [
            (included, self.keys(several, unknown=included))
            for included, several in constraint.keys
        ]
        for named in (regions, keys):
            inside = [test for included, test in named if included]
            if inside:
                yield ~pl.any_horizontal(inside)
            yield from (test for included, test in named if not included)

    def keys(self, keys: tuple[Mapping[str, tuple[str, ...]], ...], *, unknown: bool) -> pl.Expr:
        """Tell of each row whether its key is one of these, whole or partial ones."""
        found = [
            pl.all_horizontal(
                [self.among(id, frozenset(values), unknown) for id, values in key.items()]
                or [pl.lit(value=True)]
            )
            for key in keys
        ]
        return pl.any_horizontal(found) if found else pl.lit(value=False)

    def region(self, region: Region, *, unknown: bool) -> pl.Expr:
        """Tell of each row whether it lies in a region; what it does not say is ``unknown``."""
        tests = [pl.lit(value=True)]
        for id, selection in {**region.selections, **region.attributes}.items():
            component = self.flow.structure.by_id.get(id)
            if component is None:
                continue
            said = unknown is selection.include
            if selection.periods and component.role is Role.TIME:
                test = self.during(id, selection, said)
            elif selection.values:
                test = self.among(id, _values(component, selection), said)
            else:
                continue
            tests.append(test if selection.include else ~test)
        return pl.all_horizontal(tests)

    def among(self, id: str, values: frozenset[str], unknown: bool) -> pl.Expr:
        if not self.held(id):
            return pl.lit(value=unknown)
        text = pl.col(id).cast(pl.String)
        exact = text.is_in([value for value in values if "%" not in value])
        wild = [value for value in values if "%" in value]
        if wild:
            ways = "|".join(".*".join(map(re.escape, value.split("%"))) for value in wild)
            exact |= text.str.contains(f"^(?:{ways})$")
        return exact.fill_null(unknown)

    def held(self, id: str) -> bool:
        """Tell whether there is a column of single values, which a row can be asked for."""
        return id in self.frame.columns and not self.frame.schema[id].is_nested()

    def during(self, id: str, selection: Selection, unknown: bool) -> pl.Expr:
        """Tell of each row whether its period lies within a stretch of time."""
        if not self.held(id):
            return pl.lit(value=unknown)
        text = pl.col(id).cast(pl.String)
        begins, ends = (
            text.replace_strict(found, default=None, return_dtype=pl.String)
            for found in (self.begins, self.ends)
        )
        test = pl.lit(value=True)
        for name, (period, inclusive) in selection.periods.items():
            first, behind = self.bounds[period]
            if name in ("startPeriod", "afterPeriod"):
                test &= begins >= (first if inclusive else behind)
            else:
                end = behind if inclusive else first
                test &= (ends <= end) & (begins < end)
        return test.fill_null(unknown)

    @cached_property
    def bounds(self) -> Mapping[str, tuple[str, str]]:
        """Map each period that bounds a stretch to its first moment and the first one behind."""
        periods = {
            period
            for constraint in self.flow.constraints
            for region in constraint.regions
            for selection in region.selections.values()
            for period, _ in selection.periods.values()
        }
        return {period: (_moment(period), _behind(period)) for period in periods}

    @cached_property
    def periods(self) -> list[str]:
        id = self.flow.structure.time.id
        return self.frame.get_column(id).cast(pl.String).drop_nulls().unique().to_list()

    @cached_property
    def begins(self) -> Mapping[str, str]:
        return {period: _moment(period) for period in self.periods}

    @cached_property
    def ends(self) -> Mapping[str, str]:
        return {period: _behind(period) for period in self.periods}


_LENGTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}
_MONTHS = re.compile(r"[0-9]{4}(?:-([0-9]{2}|[ASTQM][0-9]{1,2}))?(?:Z|[+-][0-9:]{5})?")


def _moment(period: str) -> str:
    """Return the first moment of a period."""
    day = normalized([period])[period]
    return f"{day}T00:00:00" if len(day) == 10 else day


def _behind(period: str) -> str:
    """Return the first moment after a period; a moment, or a range, is as long as nothing."""
    begins = _moment(period)
    try:
        first = date.fromisoformat(begins[:10])
        if found := _MONTHS.fullmatch(period):
            part = found[1]
            length = 12 if part is None else _LENGTHS.get(part[0], 1)
            years, month = divmod(first.month - 1 + length, 12)
            last = date(first.year + years, month + 1, 1)
        elif "T" in period or "/" in period:
            return begins
        else:
            last = first + timedelta(days=7 if "W" in period else 1)
    except (ValueError, OverflowError):
        return begins  # no period, or the last there is: the type's affair
    return f"{last.isoformat()}T00:00:00"
