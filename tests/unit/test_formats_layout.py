"""Where series begin and at which level an attribute is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import DataError
from sdmx_service.formats import Action, DataMessage, DataSet, Feature, Generation
from sdmx_service.formats.feature import needed
from sdmx_service.formats.layout import Layout, layout
from sdmx_service.formats.partialkeys import observations, partial_rows, replicated
from sdmx_service.structures.artefacts import (
    Attachment,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVERY = frozenset(Attachment)


def _attribute(id: str, where: Attachment, *relation: str) -> Component:
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=where, relation=relation)


def _structure(*, timed: bool = True) -> DataStructure:
    time = (Component("TIME_PERIOD", Role.TIME, {"en": "Time"}),) if timed else ()
    return DataStructure(
        "SIS",
        "DSD",
        "1.0.0",
        {"en": "Structure"},
        (
            Component("AREA", Role.DIMENSION, {"en": "Area"}),
            Component("SEX", Role.DIMENSION, {"en": "Sex"}),
            *time,
            Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double"),
            _attribute("SOURCE", Attachment.DATASET),
            _attribute("REGION", Attachment.GROUP, "AREA"),
            _attribute("UNIT", Attachment.SERIES, "AREA", "SEX"),
            _attribute("STATUS", Attachment.OBSERVATION),
        ),
        {"Areas": ("AREA",)},
    )


ROWS: list[dict[str, Any]] = [
    {"AREA": area, "SEX": sex, "TIME_PERIOD": year, "OBS_VALUE": 1.0, "SOURCE": "S",
     "REGION": f"R{area}", "UNIT": f"U{sex}", "STATUS": "A"}
    for area in ("A", "B")
    for sex in ("F", "M")
    for year in ("2020", "2021")
]  # fmt: skip
FRAME = pl.DataFrame(ROWS)


def _dataset(frame: pl.DataFrame, *, timed: bool = True, **more: Any) -> DataSet:
    structure = _structure(timed=timed)
    return DataSet(Dataflow("SIS", "DF", "1.0.0", {}, structure), frame, **more)


def _plan(frame: pl.DataFrame, levels: Any = EVERY, **more: Any) -> Layout:
    return layout(DataMessage((_dataset(frame),), "r", MOMENT, **more), levels=levels)


def _ids(components: tuple[Component, ...]) -> list[str]:
    return [component.id for component in components]


def test_each_attribute_stands_at_its_level() -> None:
    plan = _plan(FRAME)
    assert _ids(plan.dataset_attributes) == ["SOURCE"]
    assert _ids(plan.group_attributes) == ["REGION"]
    assert _ids(plan.series_attributes) == ["UNIT"]
    assert _ids(plan.observation_attributes) == ["STATUS"]
    assert plan.dataset_values.rows(named=True) == [{"SOURCE": "S"}]
    (group,) = plan.groups
    assert group.id == "Areas"
    assert sorted(group.rows.rows()) == [("A", "RA"), ("B", "RB")]


def test_levels_a_format_does_not_write_go_to_the_series() -> None:
    plan = _plan(FRAME, levels={Attachment.SERIES, Attachment.OBSERVATION})
    assert _ids(plan.series_attributes) == ["SOURCE", "REGION", "UNIT"]
    assert plan.groups == ()
    assert plan.dataset_values.is_empty()


@pytest.mark.parametrize(
    ("name", "level"),
    [("SOURCE", "observation"), ("REGION", "observation"), ("UNIT", "observation")],
)
def test_an_attribute_that_changes_within_its_level_goes_lower(name: str, level: str) -> None:
    changed = FRAME.with_columns(
        pl.when(pl.int_range(pl.len()) == 1).then(pl.lit("x")).otherwise(pl.col(name)).alias(name)
    )
    assert name in _ids(_plan(changed).observation_attributes)


def test_a_group_attribute_that_differs_between_series_goes_to_the_series() -> None:
    assert "REGION" in _ids(_plan(FRAME.with_columns(REGION=pl.col("SEX"))).series_attributes)


def test_flat_observations_carry_all_that_is_not_above_them() -> None:
    plan = _plan(FRAME, observed_by="AllDimensions")
    assert (plan.flat, plan.series_dimensions) == (True, ())
    assert _ids(plan.observation_dimensions) == ["AREA", "SEX", "TIME_PERIOD"]
    assert _ids(plan.observation_attributes) == ["UNIT", "STATUS"]


@pytest.mark.parametrize("by", ["AREA", "SEX"])
def test_a_cross_section_has_its_series_next_to_each_other(by: str) -> None:
    plan = _plan(FRAME, observed_by=by)
    above = [name for name in ("AREA", "SEX", "TIME_PERIOD") if name != by]
    assert _ids(plan.series_dimensions) == above
    (rows, starts), *rest = plan.chunks()
    assert not rest
    assert starts.sum() == 4
    assert rows.filter(starts).select(above).is_unique().all()


def test_a_dimension_at_the_observation_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match="one of AREA, SEX, TIME_PERIOD"):
        _plan(FRAME, observed_by="NOWHERE")


@pytest.mark.parametrize("by", [None, "TIME_PERIOD", "AllDimensions"])
def test_a_structure_without_time_is_flat_by_itself(by: str | None) -> None:
    frame = FRAME.drop("TIME_PERIOD").unique(["AREA", "SEX"], maintain_order=True)
    message = DataMessage((_dataset(frame, timed=False),), "r", MOMENT, observed_by=by)
    plan = layout(message)
    assert plan.flat
    assert plan.observed
    assert _ids(plan.observation_dimensions) == ["AREA", "SEX"]
    assert Feature.NO_TIME in {feature for feature, _ in needed(message)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("FM"), st.sampled_from("xyz")),
                min_size=1, max_size=30), st.integers(1, 7))  # fmt: skip
def test_chunks_of_any_size_open_the_same_series(cells: list[tuple[str, ...]], rows: int) -> None:
    frame = pl.DataFrame(
        [
            {"AREA": a, "SEX": s, "TIME_PERIOD": str(i), "UNIT": u}
            for i, (a, s, u) in enumerate(cells)
        ]
    )
    plan = _plan(frame)
    whole = pl.concat([starts for _, starts in plan.chunks()])
    parts = pl.concat([starts for _, starts in plan.chunks(rows)])
    assert parts.equals(whole)
    pairs = [cell[:2] for cell in cells]
    assert whole.to_list() == [i == 0 or pairs[i] != pairs[i - 1] for i in range(len(pairs))]


class OneByOne:
    """Rows that come one at a time."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self.schema, self.height = frame.schema, frame.height

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        for offset in range(self.height):
            yield self._frame.slice(offset, 1)


def test_levels_do_not_depend_on_how_the_rows_come() -> None:
    dataset = DataSet(_dataset(FRAME).flow, OneByOne(FRAME))
    plan = layout(DataMessage((dataset,), "r", MOMENT), levels=EVERY)
    whole = _plan(FRAME)
    assert plan.series_attributes == whole.series_attributes
    assert plan.group_attributes == whole.group_attributes
    assert plan.dataset_attributes == whole.dataset_attributes
    assert plan.frame.equals(FRAME)


def test_groups_come_in_the_order_of_their_rows() -> None:
    areas = [f"A{number:03}" for number in range(500)]
    frame = pl.DataFrame([{**ROWS[0], "AREA": area, "REGION": f"R{area}"} for area in areas])
    (group,) = _plan(frame).groups
    assert group.rows.get_column("AREA").to_list() == areas


PARTIAL = pl.DataFrame(
    [
        *ROWS[:2],
        {"AREA": "A", "SEX": "F", "UNIT": "late"},
        {"AREA": "A", "REGION": "R1"},
        {"SEX": "F", "STATUS": "P"},
        {"SOURCE": "whole"},
    ],
    schema=FRAME.schema,
)


def test_rows_of_partial_keys_are_told_apart_from_observations() -> None:
    dataset = _dataset(PARTIAL)
    assert dataset.has_partial_keys
    assert pl.concat(list(observations(dataset))).equals(PARTIAL.head(2))
    assert {names: rows.height for names, rows in partial_rows(dataset).items()} == {
        (): 1, ("AREA",): 1, ("SEX",): 1, ("AREA", "SEX"): 1,
    }  # fmt: skip


def test_partial_keys_become_values_of_the_set_groups_and_bare_series() -> None:
    plan = _plan(PARTIAL.with_columns(SOURCE=pl.when(pl.col("AREA").is_null()).then("SOURCE")))
    assert plan.dataset_values.row(0, named=True)["SOURCE"] == "whole"
    assert plan.bare_series.to_dicts() == [{"AREA": "A", "SEX": "F", "UNIT": "late"}]
    by_dimensions = {tuple(_ids(group.dimensions)): group for group in plan.groups}
    assert by_dimensions[("SEX",)].id is None
    assert by_dimensions[("SEX",)].rows.to_dicts() == [{"SEX": "F", "STATUS": "P"}]


@pytest.mark.parametrize("generation", list(Generation))
def test_every_action_has_a_word_that_is_read_back(generation: Generation) -> None:
    for action in Action:
        read = Action.of(action.word(generation), generation)
        assert read is Action.of(action.letter(generation), generation)
        same = action is Action.MERGE and generation is not Generation.SDMX_3_1
        assert read is (Action.APPEND if same else action)
    with pytest.raises(DataError, match="one of"):
        Action.of("Update", generation)


def test_attributes_of_partial_keys_are_repeated_where_the_observation_says_nothing() -> None:
    bare = pl.DataFrame(
        [
            {"AREA": "A", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": 1.0, "STATUS": "own"},
            {"AREA": "B", "SEX": "F", "TIME_PERIOD": "2020", "OBS_VALUE": 2.0},
            {"SOURCE": "all", "STATUS": "set"},
            {"AREA": "A", "REGION": "R", "STATUS": "area"},
            {"SEX": "F", "UNIT": "u"},
            {"AREA": "C", "REGION": "nobody"},
        ],
        schema=FRAME.schema,
    )
    made = replicated(_dataset(bare))
    rows = made.collected().select("AREA", "SOURCE", "REGION", "UNIT", "STATUS").rows()
    assert rows == [
        ("A", "all", "R", "u", "own"),
        ("B", "all", None, "u", "set"),
        ("C", None, "nobody", None, None),
    ]
    assert made.has_partial_keys
    assert replicated(_dataset(FRAME)).collected().equals(FRAME)


def test_a_structure_without_time_needs_all_its_dimensions() -> None:
    rows = DataMessage((_dataset(FRAME.select("AREA", "STATUS"), timed=False),), "r", MOMENT)
    with pytest.raises(DataError, match="got 'no column SEX'"):
        layout(rows)
