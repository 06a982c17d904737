"""A data set of SDMX-ML read column by column.

What it takes in is well-formed by construction; of anything else it says so, never what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.formats.nested import Nested
from sdmx_service.formats.readrows import Rows
from sdmx_service.formats.spans import compact
from sdmx_service.formats.textcells import typed
from sdmx_service.formats.typepatterns import PATTERNS
from sdmx_service.formats.xmlbodies import Body, NotPlainError
from sdmx_service.formats.xmlgrammar import ENGLISH, OBS, SERIES, Form
from sdmx_service.formats.xmlsteps import Found, Steps
from sdmx_service.formats.xmltexts import Texts, parted
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["read_plain"]

Array = NDArray[Any]

_BLOCK = 1 << 23
_PERIOD = f"^(?:{PATTERNS['ObservationalTimePeriod']})$"


def read_plain(body: Body, rows: Rows, form: Form) -> None:
    """Put the rows of a data set into ``rows``, in the order they stand in.

    Raises NotPlainError for what is not of the form, and for all that is wrong.
    """
    steps = Steps(form)
    for block in body.blocks(_BLOCK, form.beginning("Series"), form.beginning("Obs")):
        texts = parted(block, form)
        found = steps.through(texts)
        if len(found.kinds):
            _Block(texts, found, form).into(rows)


class _Block:
    """The rows of a block: all that begins in it but series with observations."""

    def __init__(self, texts: Texts, found: Found, form: Form) -> None:
        self._texts = texts
        self._form = form
        self._places = found.places
        number = np.array([one.component for one in found.places], dtype="i2")[found.which]
        order = np.argsort(number, kind="stable")
        self._steps = np.searchsorted(
            number[order], np.arange(len(form.structure.by_id) + 1)
        ).tolist()
        self._values = texts.values.at(order)
        self._rows, self._which = found.rows[order], found.which[order]
        observed, series = found.kinds == OBS, found.kinds == SERIES
        within = observed & found.inside
        chosen = np.flatnonzero(~series | ~np.append(within[1:], False))
        above = np.maximum.accumulate(np.where(series, np.arange(len(series)), -1))
        self._chosen = chosen
        self._above = np.where(within, above, -1)[chosen]
        self._observed = observed[chosen]
        self._height = len(found.kinds)
        self._alone = bool((observed & ~found.inside).any())
        self._series = np.flatnonzero(series)
        of_series = np.where(within | series, np.cumsum(series) - 1, -1)[chosen]
        self._of_series = pl.Series(of_series).cast(pl.UInt32, strict=False)

    def into(self, rows: Rows) -> None:
        """Put the rows of the block into ``rows``."""
        columns = {
            component.id: column.alias(component.id)
            for number, component in enumerate(rows.structure.components)
            if (column := self._column(number, component, rows.deleted)) is not None
        }
        rows.add_columns(columns, len(self._chosen))

    def _column(self, number: int, component: Component, deleted: bool) -> pl.Series | None:
        """Return the values of a component row by row, None where it has none."""
        which = slice(self._steps[number], self._steps[number + 1])
        rows, cells = self._rows[which], None
        if self._texts.content is not None:
            cells = self._begin("cell", which)
            rows = rows[cells]
        keyed = component.role in (Role.DIMENSION, Role.TIME) and not deleted
        if len(rows) and np.array_equal(rows, self._chosen):
            return self._typed(component, which, deleted)
        if len(rows) and np.array_equal(rows, self._series):
            if keyed and self._alone:
                raise NotPlainError  # an observation without its full key
            return self._typed(component, which, deleted).gather(self._of_series)
        if (rows[1:] <= rows[:-1]).any():
            raise NotPlainError  # the same attribute twice
        source = self._source(rows)
        if keyed and (self._observed & (source < 0)).any():
            raise NotPlainError
        said = np.zeros(len(rows) + 1, dtype=bool)
        said[source] = True
        said = said[:-1]
        if not said.any():
            return None
        kept: Array | slice = which
        if not said.all():
            # What a series says and each of its observations says otherwise is said of none.
            source = np.where(source < 0, -1, (np.cumsum(said) - 1)[source])
            told = said if cells is None else said[np.cumsum(cells) - 1]
            kept = np.flatnonzero(told) + which.start
        places = pl.Series(source).cast(pl.UInt32, strict=False)
        return self._typed(component, kept, deleted).gather(places)

    def _source(self, rows: Array) -> Array:
        """Return the number of the cell that each row has, its own or its series', else -1.

        ``rows`` are those that the cells stand in.
        """
        place = np.full(self._height + 1, -1)
        place[rows] = np.arange(len(rows))
        own = place[self._chosen]
        source: Array = np.where(own < 0, place[self._above], own)
        return source

    def _begin(self, what: str, which: Array | slice) -> Array:
        """Return of some of the values whether a cell begins with each, or a value of one."""
        return np.array([getattr(one, what) for one in self._places])[self._which[which]]

    def _typed(self, component: Component, which: Array | slice, deleted: bool) -> pl.Series:
        """Return some of the values as the component has them."""
        texts = self._texts.said(self._values.at(which))
        by_language = component.multilingual and component.codelist is None
        if not deleted and (component.multiple or by_language):
            languages = [one.language for one in self._places]
            spoken = pl.Series(languages, dtype=pl.String).fill_null(ENGLISH)
            spoken = spoken.gather(self._which[which])
            cells, values = self._begin("cell", which), self._begin("value", which)
            return Nested(texts, cells, values, spoken if by_language else None).typed(component)
        if deleted and self._texts.content is not None:
            raise NotPlainError
        if self._texts.content is not None and not self._begin("cell", which).all():
            raise NotPlainError
        column = typed(component, texts, str, deleted)
        if component.role is Role.TIME and self._form.timed and not _periods(column):
            raise NotPlainError
        return compact(column) if column.dtype == pl.String else column


def _periods(column: pl.Series) -> bool:
    """Return whether all texts are periods, as the schema of generic time series has them."""
    return bool(column.unique().str.contains(_PERIOD).all())
