"""What observations must be once they are read, whatever format they came in."""

from __future__ import annotations

import re

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import SWITCHED_OFF, DataSet
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.typepatterns import PATTERNS

__all__ = ["sound"]

_PERIOD = re.compile(PATTERNS["ObservationalTimePeriod"])


def sound(message: DataMessage) -> DataMessage:
    """Return the message with data sets in memory whose observations can be told apart.

    Raises DataError where a data set gives an observation again, a value of a measure without
    its whole key, or a time that is no period of SDMX. What is deleted may be named twice.
    """
    for number, dataset in enumerate(message.datasets, 1):
        frame = dataset.frame
        if isinstance(frame, pl.DataFrame) and dataset.action is not Action.DELETE:
            where = f"data set {number}"
            _refuse_times(dataset, frame, where)
            _refuse_loose(dataset, frame, where)
            _refuse_repeated(dataset, frame, where)
    return message


def _refuse_times(dataset: DataSet, frame: pl.DataFrame, where: str) -> None:
    """Refuse a time that no period is written like; what it may be besides is not said here."""
    name = dataset.structure.time.id if dataset.structure.timed else ""
    if name not in frame.columns or frame.schema[name] != pl.String:
        return
    times = frame.get_column(name)
    known = (None, SWITCHED_OFF)
    for one in times.unique(maintain_order=True):
        if one not in known and _PERIOD.fullmatch(one) is None:
            row = (times == one).arg_true()[0]
            raise DataError(
                f"{where}, row {row + 1}, {name}",
                got=one[:80],
                expected="a period",
                hint="such as 2020, 2020-07, 2020-07-31, 2020-Q3, 2020-W31 or 2020-07-01/P7D",
            )


def _refuse_loose(dataset: DataSet, frame: pl.DataFrame, where: str) -> None:
    """Refuse values of measures in rows of a part of the key (SDMX-CSV: no bulk merges)."""
    structure, used = dataset.structure, dataset.flow.key_dimensions
    measures = [one.id for one in structure.measures if one.id in frame.columns]
    for dimension in structure.key:
        if not measures or (used and dimension.id not in used):
            continue  # a flow may leave out dimensions of a structure that grows
        absent = pl.lit(value=True)
        if dimension.id in frame.columns:
            if not frame.get_column(dimension.id).null_count():
                continue
            absent = pl.col(dimension.id).is_null()
        given = pl.any_horizontal(pl.col(name).is_not_null() for name in measures)
        rows = frame.select(absent & given).to_series().arg_true()
        if len(rows):
            raise DataError(
                f"{where}, row {rows[0] + 1}, {dimension.id}",
                got=f"nothing, beside a value of {' or '.join(measures)}"[:200],
                expected="a value of each dimension in the row of an observation",
                hint=f"{len(rows)} rows have none" if len(rows) > 1 else None,
            )


def _refuse_repeated(dataset: DataSet, frame: pl.DataFrame, where: str) -> None:
    """Refuse a whole key that an earlier row has (SDMX-ML, ObsType: it tells them apart)."""
    names = [one.id for one in dataset.structure.key]
    if not frame.height or any(name not in frame.columns for name in names):
        return
    marks = frame.select(names).hash_rows()
    if marks.n_unique() == len(marks):
        return
    doubled = marks.is_duplicated()
    # A dimension that is switched off makes it a part of the key as one that is left out does.
    whole = pl.all_horizontal(pl.col(names).cast(pl.String).fill_null(SWITCHED_OFF) != SWITCHED_OFF)
    first = pl.col("row").min().over(names).alias("first")
    keys = frame.select(names).with_row_index("row").filter(doubled).filter(whole)
    again = keys.with_columns(first).filter(pl.col("row") > pl.col("first"))
    if again.is_empty():
        return
    one, other = again["first"][0], again["row"][0]
    said = {repr(frame.row(row)) for row in (one, other)}  # nan is not itself
    alike = "they say the same" if len(said) == 1 else "they say different things"
    more = f"; {again.height} rows repeat an earlier one" if again.height > 1 else ""
    raise DataError(
        f"{where}, {'.'.join(map(str, again.select(names).row(0)))}"[:300],
        got=f"this observation in rows {one + 1} and {other + 1}",
        expected="each observation once in a data set",
        hint=alike + more,
    )
