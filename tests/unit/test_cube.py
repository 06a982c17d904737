"""Observations keep every number they come with, or are refused by name."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sdmx_service.cube import typed
from sdmx_service.errors import DataError
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    DataStructure,
    Role,
)


def _structure(**more: Any) -> DataStructure:
    areas = Codelist("SIS", "CL_AREA", "1.0.0", {}, (Code("AT", {}), Code("NO", {})))
    value: dict[str, Any] = {"data_type": "Double"} | more
    return DataStructure(
        "SIS",
        "DSD",
        "1.0.0",
        {},
        (
            Component("AREA", Role.DIMENSION, {}, areas),
            Component("OBS_VALUE", Role.MEASURE, {}, **value),
            Component("NOTE", Role.ATTRIBUTE, {}, attachment=Attachment.OBSERVATION),
        ),
    )


def _table(*values: Any) -> pl.DataFrame:
    return pl.DataFrame({"AREA": ["AT", "NO"], "OBS_VALUE": values, "NOTE": [None, "n"]})


@pytest.mark.parametrize(
    ("kind", "values", "wrong"),
    [
        ("Double", ("1.5", "one"), "'one'"),
        ("Integer", (1.0, 1.5), "'1.5'"),
        ("Integer", (1.0, float("nan")), "'nan'"),
        # xs:int, xs:short and xs:long, as the standard maps them (SDMX 2.1, section 6).
        ("Integer", (1, 2**31), "'2147483648'"),
        ("Short", (1, -(2**15) - 1), "'-32769'"),
        ("Long", ("1", "9223372036854775808"), "'9223372036854775808'"),
        ("Decimal", ("0.10", "12345678901234567890.123456789"), "'12345678901234567890"),
        ("Decimal", ("0.10", "#N/A"), "'#N/A'"),
    ],
)
def test_a_number_that_its_type_cannot_hold_is_refused_by_name(
    kind: str, values: tuple[Any, Any], wrong: str
) -> None:
    with pytest.raises(DataError, match=f"column OBS_VALUE of DSD: expected .* got {wrong}"):
        typed(_table(*values), _structure(data_type=kind))


@pytest.mark.parametrize(
    ("kind", "values", "held"),
    [
        ("Double", ("1.5", "1e300"), [1.5, 1e300]),
        ("Double", (2**53 + 1, 1), [float(2**53), 1.0]),
        ("Integer", (1.0, -(2**31)), [1, -(2**31)]),
        ("Long", (2**53 + 1, None), [2**53 + 1, None]),
        ("Decimal", ("0.10", "14.44421816753306"), [0.1, 14.44421816753306]),
        ("Decimal", (None, None), [None, None]),
    ],
)
def test_a_number_that_its_type_holds_is_held(
    kind: str, values: tuple[Any, Any], held: list[Any]
) -> None:
    structure = _structure(data_type=kind)
    assert typed(_table(*values).clear(), structure).height == 0
    frame = typed(_table(*values), structure).frame
    assert frame.get_column("OBS_VALUE").to_list() == held


def test_a_mandatory_measure_is_in_every_row() -> None:
    with pytest.raises(DataError, match=r"column OBS_VALUE of DSD: .*1 rows without a value"):
        typed(_table(1.0, None), _structure(mandatory=True))
    assert typed(_table(1.0, None), _structure()).height == 2
