"""The dimensions of a series key, in the order of the structures."""

from __future__ import annotations

__all__ = ["GAP_KEY", "LEVEL_KEY"]

LEVEL_KEY = (
    "FREQ",
    "REF_AREA",
    "INDICATOR",
    "SEX",
    "AGE",
    "URBANISATION",
    "INCOME_WEALTH_QUANTILE",
    "EDUCATION_LEV",
    "OCCUPATION",
    "DISABILITY_STATUS",
    "MIGRATION_STATUS",
    "CIVIL_STATUS",
    "HH_COMPOSITION",
    "POP_GROUP",
)
GAP_KEY = (
    "FREQ",
    "REF_AREA",
    "INDICATOR",
    "BREAKDOWN",
    "COMPARISON_GROUP",
    "REFERENCE_GROUP",
    "GAP_MEASURE",
    "ADJUSTMENT",
    "SEX",
    "AGE",
    "URBANISATION",
)
