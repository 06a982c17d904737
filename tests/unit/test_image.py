"""The image of a table answers as the table itself does, and mends itself."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sdmx_service.cube import Table, column_type
from sdmx_service.errors import ReleaseError, SdmxServiceError
from sdmx_service.formats import DataMessage, DataSet, data_formats
from sdmx_service.formats.dataset import Block
from sdmx_service.query.availability import available as available_of_frame
from sdmx_service.query.availability_query import AvailabilityQuery, Mode
from sdmx_service.query.query import Condition, DataQuery, Operator, Sort
from sdmx_service.query.selection import select
from sdmx_service.release.availability import available
from sdmx_service.release.image import PLACE, Image, image_folder, open_image
from sdmx_service.release.imaging import file_hash
from sdmx_service.release.mapped import Lists
from sdmx_service.release.publishing import _write_table
from sdmx_service.release.reading import Chosen, chosen
from sdmx_service.release.rows import Rows
from sdmx_service.structures.artefacts import (
    Component,
    Dataflow,
    Role,
)
from tests.unit.image_tables import (
    ALL,
    AREAS,
    FLOW,
    KINDS,
    MOMENT,
    SEVERAL,
    STRUCTURE,
    TIMELESS,
    codelist,
    flow_on,
    image_of,
    table_of,
)

TABLES = [
    *((seed, share, STRUCTURE) for seed, share in ((1, 0.8), (2, 0.3), (3, 1.0), (4, 0.0))),
    *((seed, share, SEVERAL) for seed, share in ((5, 0.9), (4, 0.0))),
    (6, 0.9, TIMELESS),
]


@pytest.fixture(scope="module", params=TABLES, ids=lambda one: f"{len(one[2].components)}-{one[1]}")
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pl.DataFrame, Image]:
    """Return a table and its image."""
    frame = table_of(*request.param)
    return frame, image_of(frame, tmp_path_factory.mktemp("image"), request.param[2])


def _admitted(frame: pl.DataFrame, flow: Dataflow) -> pl.DataFrame:
    for name, codes in flow.admits.items():
        frame = frame.filter(pl.col(name).is_in(sorted(codes & set(AREAS))))
    return frame


_CODES = ("A", "AT", "NO", "XA", "_T", "F", "M", "Y0T14", "unknown")
_KEY = st.dictionaries(st.integers(0, 3), st.frozensets(st.sampled_from(_CODES), min_size=1))
_WORDS = st.sampled_from(
    (*_CODES, "B", "-0", "2020", "2020-Q3", "2021", "note", "", "7", "0.5", "T")
)
_CONDITION = st.builds(
    Condition,
    st.sampled_from((*KINDS, "NOWHERE")),
    st.lists(
        st.lists(st.tuples(st.sampled_from(Operator), _WORDS), min_size=1, max_size=2).map(tuple),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
_SORT = st.builds(Sort, st.sampled_from((*KINDS, "*", "series_key")), st.booleans())
QUERIES = st.builds(
    DataQuery,
    keys=st.lists(_KEY, max_size=3).map(tuple),
    positions=st.sampled_from((0, 0, 0, 4, 5)),
    conditions=st.lists(_CONDITION, max_size=2).map(tuple),
    observed_by=st.sampled_from((None, None, "SEX", "AllDimensions", "wrong")),
    attributes=st.sampled_from(
        (None, None, frozenset(), frozenset({"UNIT"}), frozenset({"series"}), frozenset({"no"}))
    ),
    measures=st.sampled_from((None, None, frozenset(), frozenset({"OBS_VALUE"}))),
    series_only=st.booleans(),
    first=st.sampled_from((None, None, 1, 2, 9)),
    last=st.sampled_from((None, None, 1, 3)),
    offset=st.integers(0, 5),
    limit=st.sampled_from((None, None, 0, 1, 7)),
    sort=st.one_of(st.just(()), st.lists(_SORT, max_size=2).map(tuple)),
)


@settings(max_examples=90, deadline=None)
@given(query=QUERIES, flow=st.sampled_from((FLOW, ALL)))
def test_an_image_answers_as_the_table_does(
    pair: tuple[pl.DataFrame, Image], query: DataQuery, flow: Dataflow
) -> None:
    frame, image = pair
    try:
        expected = select(_admitted(frame, flow), image.structure, query)
    except SdmxServiceError as error:
        with pytest.raises(type(error)):
            chosen(image, flow_on(flow, image.structure), query)
        return
    try:
        whole = chosen(image, flow_on(flow, image.structure), query)
    except SdmxServiceError:
        # A table without rows has no value that a condition of the wrong kind could be held to.
        assert query.conditions
        return
    found = whole.slice(query.offset, query.limit)
    assert found.height == expected.height
    assert dict(found.schema) == dict(expected.schema)
    assert_frame_equal(found.collected(), expected)
    parts = [*found.chunks(3), found.collected().head(0)]
    assert_frame_equal(pl.concat(parts), expected)


@settings(max_examples=60, deadline=None)
@given(query=QUERIES, most=st.integers(1, 9))
def test_series_of_an_answer_are_told_apart_as_its_rows_say(
    pair: tuple[pl.DataFrame, Image], query: DataQuery, most: int
) -> None:
    _, image = pair
    try:
        found = chosen(image, flow_on(ALL, image.structure), query).slice(query.offset, query.limit)
    except SdmxServiceError:
        return
    whole = found.collected()
    keys = [d.id for d in STRUCTURE.dimensions]
    above = [name for name in found.names if name in keys]
    below = [name for name in found.names if name not in keys]
    if not below:
        return
    coded = found.coded()
    texts = {n: pl.String for n, kind in found.schema.items() if kind == pl.String}
    place, before = 0, None
    for heads, rows, begins, opens in coded.runs(above, below, most):
        block = Block(heads, rows, begins, opens)
        part = whole.slice(place, rows.height)
        assert_frame_equal(rows.cast({n: k for n, k in texts.items() if n in below}),
                           part.select(below))  # fmt: skip
        assert_frame_equal(heads, part.select(above)[begins.tolist()])
        key = part.select(pl.concat_str(pl.col(keys).cast(pl.String), separator=".")).to_series()
        firsts = [n == 0 or key[n] != key[n - 1] for n in range(len(key))]
        assert [n for n, first in enumerate(firsts) if first] == begins.tolist()
        assert opens == (before is None or before != key[0])
        own = heads.select(pl.concat_str(pl.col(keys).cast(pl.String), separator=".")).to_series()
        assert block.spread(own).to_list() == key.to_list()
        starts = [
            k if f and (n or opens) else ""
            for n, (k, f) in enumerate(zip(key, firsts, strict=True))
        ]
        assert block.before(own, "").to_list() == starts
        place, before = place + rows.height, key[-1]
    assert place == whole.height
    for name in found.names:
        there = coded.used(name)
        if there is not None:
            values = whole.get_column(name)
            if isinstance(values.dtype, pl.List):
                values = values.drop_nulls().list.explode(empty_as_null=False)
            assert set(there) == set(values.cast(pl.String).drop_nulls())


@pytest.mark.parametrize("name", [one.name for one in data_formats()])
@settings(max_examples=6, deadline=None)
@given(query=QUERIES)
def test_rows_of_an_image_are_written_as_those_of_a_table(
    pair: tuple[pl.DataFrame, Image], name: str, query: DataQuery
) -> None:
    _, image = pair
    try:
        found = chosen(image, flow_on(ALL, image.structure), query).slice(query.offset, query.limit)
    except SdmxServiceError:
        return
    (one,) = (one for one in data_formats() if one.name == name)
    by = query.observed_by if query.observed_by != "wrong" else None

    def written(rows: pl.DataFrame | Chosen) -> bytes | str:
        dataset = DataSet(flow_on(ALL, image.structure), rows, steady=image.steady, partial=False)
        try:
            return b"".join(one.write(DataMessage((dataset,), "r", MOMENT, observed_by=by)))
        except SdmxServiceError as error:
            return str(error)

    with pytest.MonkeyPatch.context() as patch:
        for module in ("layout", "xmlwriting", "csvwriting"):
            patch.setattr(f"sdmx_service.formats.{module}.ROWS_A_PIECE", 3)
        assert written(found) == written(found.collected())


OTHER = replace(
    STRUCTURE,
    id="DSD_OTHER",
    components=(replace(STRUCTURE.components[2], id="GENDER"), *STRUCTURE.components[4:8]),
)


@pytest.mark.parametrize("name", ["csv20", "csv21", "json20", "json21", "xml30", "xml31"])
@pytest.mark.parametrize("turned", [False, True])
def test_images_of_two_structures_make_one_message_as_their_tables_do(
    name: str, turned: bool, tmp_path: Path
) -> None:
    row = {"GENDER": "F", "TIME_PERIOD": "2020", "OBS_VALUE": 1.5, "UNIT": "PT", "N": 3}
    kinds = {c.id: column_type(c) for c in OTHER.components}
    tables = [(STRUCTURE, table_of(1, 0.8, STRUCTURE)), (OTHER, pl.DataFrame([row], schema=kinds))]
    fast, plain = [], []
    for structure, frame in reversed(tables) if turned else tables:
        folder = tmp_path / structure.id
        folder.mkdir()
        image, flow = image_of(frame, folder, structure), flow_on(ALL, structure)
        found = chosen(image, flow, DataQuery())
        fast.append(DataSet(flow, found, steady=image.steady, partial=False))
        plain.append(DataSet(flow, found.collected()))
    (one,) = (one for one in data_formats() if one.name == name)
    written, expected = (
        b"".join(one.write(DataMessage(tuple(sets), "r", MOMENT))) for sets in (fast, plain)
    )
    assert written == expected
    if one.name.startswith("csv"):
        assert len({len(line.split(",")) for line in written.decode().splitlines()}) == 1


@settings(max_examples=60, deadline=None)
@given(query=QUERIES, mode=st.sampled_from(Mode), flow=st.sampled_from((FLOW, ALL)))
def test_an_index_knows_what_is_available_as_the_table_does(
    pair: tuple[pl.DataFrame, Image], query: DataQuery, mode: Mode, flow: Dataflow
) -> None:
    frame, image = pair
    asked = AvailabilityQuery(query, (), mode)
    try:
        expected = available_of_frame(_admitted(frame, flow), image.structure, asked)
    except SdmxServiceError as error:
        with pytest.raises(type(error)):
            available(image, flow_on(flow, image.structure), asked)
        return
    try:
        found = available(image, flow_on(flow, image.structure), asked)
    except SdmxServiceError:
        assert query.conditions
        return
    assert found == expected


@given(
    ranges=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=6),
    offset=st.integers(0, 12),
    length=st.one_of(st.none(), st.integers(0, 12)),
    most=st.integers(1, 5),
)
def test_ranges_are_cut_as_the_rows_they_stand_for(
    ranges: list[tuple[int, int]], offset: int, length: int | None, most: int
) -> None:
    place, starts, stops = 0, [], []
    for gap, size in ranges:
        starts.append(place + gap)
        stops.append(place + gap + size)
        place = stops[-1]
    rows = Rows.between(np.array(starts, dtype=int), np.array(stops, dtype=int))
    whole = [n for a, b in zip(starts, stops, strict=True) for n in range(a, b)]
    assert rows.array().tolist() == whole
    part = rows.part(offset, length)
    expected = whole[offset:] if length is None else whole[offset : offset + length]
    assert part.array().tolist() == expected
    assert len(part) == len(expected)
    pieces = [
        n
        for p in part.parts(most)
        for n in (range(p.start, p.stop) if isinstance(p, slice) else p.tolist())
    ]
    assert pieces == expected


def test_attributes_that_never_change_in_a_series_are_known(tmp_path: Path) -> None:
    assert image_of(table_of(1, 0.8), tmp_path).steady == {"UNIT"}


def test_attributes_that_do_change_in_a_series_are_known(tmp_path: Path) -> None:
    assert image_of(table_of(2, 0.9), tmp_path).steady == frozenset()


def test_each_distinct_list_is_kept_once_and_numbers_bit_by_bit(tmp_path: Path) -> None:
    rates = [[-0.0], [0.0], [-0.0], None, [0.1 + 0.2, 1e22], [math.nan]]
    words = [["1:a"], ["1", "a"], ["1:a"], [""], ["1:1:a"], ["", ""]]
    frame = table_of(5, 1.0, SEVERAL)[: len(rates)].with_columns(
        pl.Series("RATES", rates, dtype=pl.List(pl.Float64)), pl.Series("WORDS", words)
    )
    image = image_of(frame, tmp_path, SEVERAL)
    found = chosen(image, flow_on(ALL, SEVERAL), DataQuery()).collected()

    def exact(cells: pl.Series) -> list[list[str] | None]:
        return [cell and [one.hex() for one in cell] for cell in cells.to_list()]

    assert exact(found["RATES"]) == exact(frame["RATES"])
    assert found["WORDS"].to_list() == words
    sizes = {"RATES": 4, "WORDS": 5}
    for name, size in sizes.items():
        column = image.columns[name]
        assert isinstance(column, Lists)
        assert column.size == size


def test_codes_in_lists_that_the_structures_do_not_have_are_refused(tmp_path: Path) -> None:
    listed = {one.id: one for one in SEVERAL.components}
    fewer = replace(listed["TAGS"], codelist=codelist(("B",)))
    structure = replace(SEVERAL, components=tuple({**listed, "TAGS": fewer}[one] for one in listed))
    with pytest.raises(ReleaseError, match="column TAGS"):
        image_of(table_of(5, 1.0, SEVERAL), tmp_path, structure)


def test_codes_too_many_for_one_word_are_packed_into_several(tmp_path: Path) -> None:
    codes = tuple(f"C{n:05}" for n in range(70_000))
    dimensions = tuple(Component(f"D{n}", Role.DIMENSION, {}, codelist(codes)) for n in range(5))
    structure = replace(STRUCTURE, components=(*dimensions, *STRUCTURE.components[4:6]))
    keys = [
        tuple(codes[(row * step) % 70_000] for step in (1, 7, 11, 13, 17)) for row in range(70_000)
    ]
    kinds: dict[str, pl.DataType | type[pl.DataType]] = {
        **{d.id: pl.Enum(codes) for d in dimensions},
        "TIME_PERIOD": pl.String, "OBS_VALUE": pl.Float64
    }  # fmt: skip
    frame = pl.DataFrame([(*key, "2020", 1.0) for key in keys], schema=kinds, orient="row").sort(
        [d.id for d in dimensions]
    )
    parquet = tmp_path / "t.parquet"
    _write_table(parquet, Table(frame, None))
    image = open_image(parquet, file_hash(parquet), structure, tmp_path / "images")
    assert len(image.series.words) > 1
    for row in (0, 12_345, 69_999):
        key = {place: frozenset({code}) for place, code in enumerate(frame.row(row)[:5])}
        found = chosen(image, replace(ALL, structure=structure), DataQuery(keys=(key,)))
        assert found.rows.array().tolist() == [row]


def test_an_image_is_made_once(tmp_path: Path) -> None:
    frame = table_of(1, 0.5)
    image_of(frame, tmp_path)
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "images").glob("*/*")}
    image_of(frame, tmp_path)
    assert stamps == {p: p.stat().st_mtime_ns for p in (tmp_path / "images").glob("*/*")}


@pytest.mark.parametrize("file", ["c005.values", "c009.lists"])
@pytest.mark.parametrize("harm", ["flip", "shorten", "remove", "forget"])
def test_a_damaged_image_is_made_again(tmp_path: Path, harm: str, file: str) -> None:
    frame = table_of(1, 0.9, SEVERAL)
    image_of(frame, tmp_path, SEVERAL)
    folder = next(p for p in (tmp_path / "images").iterdir() if p.is_dir())
    victim = folder / file
    content = bytearray(victim.read_bytes())
    if harm == "flip":
        content[3] ^= 1
        victim.write_bytes(content)
    elif harm == "shorten":
        victim.write_bytes(content[:-8])
    elif harm == "remove":
        victim.unlink()
    else:
        shutil.rmtree(folder)
    found = chosen(image_of(frame, tmp_path, SEVERAL), flow_on(ALL, SEVERAL), DataQuery())
    assert_frame_equal(found.collected(), frame)


def test_images_are_kept_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image_folder(tmp_path) == tmp_path / ".images"
    monkeypatch.setenv(PLACE, str(tmp_path / "elsewhere"))
    assert image_folder(tmp_path) == tmp_path / "elsewhere"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("a file, no folder", encoding="utf-8")
    with pytest.raises(ReleaseError, match=PLACE):
        image_of(table_of(1, 0.5), tmp_path)


def test_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="rows sorted by key"):
        image_of(table_of(1, 0.9).reverse(), tmp_path)
    assert [p.name for p in (tmp_path / "images").iterdir()] == [".lock"]


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    frame = table_of(1, 0.9)
    with pytest.raises(ReleaseError, match="each key once"):
        image_of(pl.concat([frame.head(1), frame]), tmp_path)
