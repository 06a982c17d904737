"""The design that a survey declares, made of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.definitions.calibration import (
    CalibrationMethod,
    DeclaredCalibration,
    DeclaredMargin,
)
from sdmx_service.definitions.design import (
    DeclaredStage,
    Population,
    PopulationKind,
    SampleDesign,
)
from sdmx_service.definitions.replicates import DeclaredReplicates, ReplicateMethod
from sdmx_service.errors import DesignError
from sdmx_service.survey import calibration, replicates, replication
from sdmx_service.survey.calibration import Distance
from sdmx_service.survey.columns import ColumnNames, rows_said, some
from sdmx_service.survey.design import Design, Lonely
from sdmx_service.survey.raw import (
    matching,
    numbers,
    raw_column,
    raw_labels,
    raw_names,
    written,
)
from sdmx_service.survey.replication import BootstrapScale, Method
from sdmx_service.survey.stages import StageColumns

__all__ = ["declared_design"]

Floats = NDArray[np.float64]

_METHODS = {
    ReplicateMethod.BRR: Method.BRR,
    ReplicateMethod.FAY: Method.FAY,
    ReplicateMethod.JK1: Method.JK1,
    ReplicateMethod.JK2: Method.JK2,
    ReplicateMethod.JKN: Method.JKN,
    ReplicateMethod.BOOTSTRAP: Method.BOOTSTRAP,
    ReplicateMethod.SDR: Method.SDR,
    ReplicateMethod.ACS: Method.ACS,
    ReplicateMethod.OTHER: Method.OTHER,
}
_DISTANCES = {
    CalibrationMethod.LINEAR: Distance.LINEAR,
    CalibrationMethod.TRUNCATED: Distance.TRUNCATED,
    CalibrationMethod.LOGIT: Distance.LOGIT,
}


def declared_design(frame: pl.DataFrame, declared: SampleDesign, survey: str) -> Design:
    """Return the design of a survey's rows: drawn, then replicated, then calibrated.

    ``frame`` has the file's columns (``raw:``) and the harmonised ones.

    Raises DataError where a declared column is absent, DesignError where the columns cannot carry
    the design; both say where it is declared.
    """
    design = _drawn(frame, declared, survey)
    if declared.replicates is not None:
        with _said_at(declared.replicates.place):
            design = _replicated(frame, declared.replicates, design)
    if declared.calibration is not None:
        with _said_at(declared.calibration.place):
            design = _calibrated(frame, declared.calibration, design)
    return design


@contextmanager
def _said_at(place: str) -> Iterator[None]:
    """Put the place of the declaration before what the engine says of the columns."""
    try:
        yield
    except DesignError as error:
        where = error.where if error.where.startswith(place) else f"{place}: {error.where}"
        raise DesignError(where, got=error.got, expected=error.expected, hint=error.hint) from error


def _drawn(frame: pl.DataFrame, declared: SampleDesign, survey: str) -> Design:
    first, *later = declared.stages
    weights = None
    if declared.weight is not None:
        column = frame.select(raw_column(declared.weight, frame, declared.place)).to_series()
        weights = column.cast(pl.Float64).to_numpy()
    created = declared.replicates is not None and declared.replicates.created
    neighbours = created or declared.lonely_psu == "collapse"  # the order of labels matters
    return Design.from_columns(
        weights,
        stratum=raw_labels(frame, first.strata, first.place, in_order=neighbours),
        psu=raw_labels(frame, first.unit, first.place, in_order=neighbours),
        fpc=_population(frame, first.fpc),
        nested=declared.nested,
        lonely=Lonely(declared.lonely_psu),
        names=ColumnNames(
            survey=f"{declared.place}: {survey}",
            weights=declared.weight or "weights",
            psu=" x ".join(first.unit) or "psu",
            stratum=" x ".join(first.strata) or "stratum",
            fpc=first.fpc.column if first.fpc else "fpc",
        ),
        stages=[_stage(frame, stage) for stage in later],
        adjust_domain=declared.lonely_in_domains,
        collapse=declared.collapse,
        certainty=declared.certainty,
    )


def _stage(frame: pl.DataFrame, stage: DeclaredStage) -> StageColumns:
    unit = raw_labels(frame, stage.unit, stage.place)
    return StageColumns(
        unit=np.arange(frame.height) if unit is None else unit,
        stratum=raw_labels(frame, stage.strata, stage.place),
        fpc=_population(frame, stage.fpc),
    )


def _population(frame: pl.DataFrame, declared: Population | None) -> Floats | None:
    """Return the counts or fractions of each row, (n,), held to what they are declared to be."""
    if declared is None:
        return None
    size = numbers(frame, declared.column, declared.place)
    wrong = {
        PopulationKind.ANY: np.zeros(len(size), dtype=bool),
        PopulationKind.COUNT: size < 1,
        PopulationKind.FRACTION: size > 1,
    }[declared.kind]
    if wrong.any():
        raise DesignError(
            declared.place,
            got=f"{written(float(size[wrong][0]))} in column {declared.column}, {rows_said(wrong)}",
            expected=declared.kind.value,
            hint=f"is it fpc: {{{_OTHER[declared.kind]}: {declared.column}}}?",
        )
    return size


_OTHER = {PopulationKind.COUNT: "fraction", PopulationKind.FRACTION: "count"}


def _replicated(frame: pl.DataFrame, declared: DeclaredReplicates, design: Design) -> Design:
    divisor = BootstrapScale.R_SURVEY if declared.fewer_by_one else BootstrapScale.THEORY
    if declared.created:
        return _created(declared, design, divisor)
    table = np.column_stack(
        [numbers(frame, name, declared.place) for name in _replicate_columns(frame, declared)]
    )
    return replication.from_weights(
        design,
        table,
        _METHODS[declared.method],
        combined=not declared.factors,
        scale=declared.scale,
        rscales=declared.rscales,
        rho=declared.rho,
        mse=declared.mse,
        df=declared.df,
        bootstrap_scale=divisor,
    )


def _replicate_columns(frame: pl.DataFrame, declared: DeclaredReplicates) -> Sequence[str]:
    first, *others = declared.columns
    if others or "*" not in first:
        return declared.columns
    found = matching(frame, first)
    if len(found) != declared.count:
        raise DesignError(
            f"{declared.place}: columns",
            got=f"{len(found)} columns {first}: {some(found) or 'none'}",
            expected=f"{declared.count} columns, as count says",
            hint=None if found else f"columns: {some(raw_names(frame), most=20)}",
        )
    return found


def _created(declared: DeclaredReplicates, design: Design, divisor: BootstrapScale) -> Design:
    mse = declared.mse
    match declared.method:
        case ReplicateMethod.BRR | ReplicateMethod.FAY:
            rho = declared.rho or 0.0
            return replicates.balanced(design, rho=rho, split=declared.split, mse=mse)
        case ReplicateMethod.JK1:
            return replicates.jackknife_one(design, mse=mse)
        case ReplicateMethod.SDR:
            return replicates.successive_difference(design, least=declared.least, mse=mse)
        case ReplicateMethod.BOOTSTRAP:
            assert declared.count is not None  # by design_of
            assert declared.seed is not None
            return replicates.bootstrap(
                design, declared.count, declared.seed, mse=mse, scale=divisor
            )
        case _:  # of the methods that the schema lets be created
            return replicates.jackknife(design, mse=mse)


def _calibrated(frame: pl.DataFrame, declared: DeclaredCalibration, design: Design) -> Design:
    margins = [(_groups(frame, margin, design), margin.totals) for margin in declared.margins]
    if declared.method is CalibrationMethod.POSTSTRATIFY:
        return calibration.poststratify(design, *margins[0])
    if declared.method is CalibrationMethod.RAKE:
        return calibration.rake(design, margins)
    amounts = {
        name: frame.get_column(name).cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in declared.amounts
    }
    return calibration.regress(
        design,
        margins,
        amounts,
        declared.amounts,
        bounds=declared.bounds,
        distance=_DISTANCES[declared.method],
        within=raw_labels(frame, declared.within, declared.place),
    )


def _groups(frame: pl.DataFrame, margin: DeclaredMargin, design: Design) -> NDArray[np.object_]:
    """Return the group of each row (n,), refusing rows of the sample that are in none."""
    columns = [_text(frame.get_column(name)) for name in margin.by]
    joined = frame.select(pl.concat_str(columns, separator="/")).to_series()
    lost = joined.is_null().to_numpy() & (design.weights > 0)
    if lost.any():
        raise DesignError(
            margin.place,
            got=f"no {' or '.join(margin.by)} in {rows_said(lost)}",
            expected="a group for everyone in the sample",
            hint="declare a variable that gives those without an answer a group of their own",
        )
    return joined.to_numpy()


def _text(column: pl.Series) -> pl.Series:
    if not column.dtype.is_float():
        return column.cast(pl.String)
    values = column.drop_nulls().unique().to_list()
    names = [written(value) for value in values]
    return column.replace_strict(values, names, default=None, return_dtype=pl.String)
