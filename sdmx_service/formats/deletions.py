"""What a data set with the action Delete marks, as values that are valid for each component."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from sdmx_service.formats.action import Action
from sdmx_service.formats.dataset import DataSet
from sdmx_service.formats.textcells import FLOATS, WHOLE
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["valid_marks"]

_DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"


def valid_marks(dataset: DataSet) -> DataSet:
    """Return a data set whose marks are valid values of their components.

    Under Delete any value marks what is deleted; SDMX-CSV may have ``-`` where the schemas of
    the other formats want a code or a number. Other data sets come back as they are.
    """
    if dataset.action is not Action.DELETE:
        return dataset
    marked = [
        _valid(component)
        for component in dataset.components
        if component.role not in (Role.DIMENSION, Role.TIME)
        and dataset.schema[component.id] == pl.String
    ]
    return replace(dataset, frame=dataset.collected().with_columns(marked))


def _valid(component: Component) -> pl.Expr:
    text = pl.col(component.id)
    found: pl.Expr
    if component.codelist is not None:
        codes = list(component.codelist.by_id)
        found = pl.when(text.is_in(codes)).then(text).otherwise(pl.lit(codes[0]))
        return pl.when(text.is_not_null()).then(found).cast(pl.Enum(codes)).alias(component.id)
    if component.data_type in FLOATS:
        found = text.cast(pl.Float64, strict=False).fill_null(float("nan"))
    elif component.data_type in WHOLE:
        found = text.cast(pl.Int64, strict=False).fill_null(0)
    elif component.data_type in ("Decimal", "BigInteger"):
        found = pl.when(text.str.contains(_DECIMAL)).then(text).otherwise(pl.lit("0"))
    else:
        return text
    return pl.when(text.is_not_null()).then(found).alias(component.id)
