"""Any data message is read as it was written, in every format that has a place for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats import Action, DataMessage, DataSet, Format, data_formats
from sdmx_service.formats.dataset import MISSING, TEXTS
from sdmx_service.formats.decimals import as_digits
from sdmx_service.formats.feature import Feature
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)
from tests.conformance.said import said
from tests.unit.data_messages import message

FORMATS = {one.name: one for one in data_formats() if one.read}
# Messages of many columns take their time to draw on a busy machine.
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
XML = [name for name, one in FORMATS.items() if one.media_type.endswith("+xml")]


def _codelist(id: str, *codes: str) -> Codelist:
    return Codelist(
        "SIS", id, "1.0.0", {"en": id}, tuple(Code(code, {"en": code}) for code in codes)
    )


def _attribute(id: str, where: Attachment = Attachment.OBSERVATION, **more: Any) -> Component:
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=where, **more)


_KEY = (
    Component("AREA", Role.DIMENSION, {"en": "Area"}, _codelist("CL_AREA", "AT", "NO-1", "_T")),
    Component("KIND", Role.DIMENSION, {"en": "Kind"}),
    Component("TIME_PERIOD", Role.TIME, {"en": "Time"}),
    Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double"),
)
_PLAIN = (
    _attribute("SOURCE", Attachment.DATASET),
    _attribute("WEIGHT", Attachment.DATASET, data_type="Double"),
    _attribute("TITLE", Attachment.GROUP, relation=("AREA",)),
    _attribute("UNIT", Attachment.SERIES, codelist=_codelist("CL_UNIT", "PT", "IX")),
    _attribute("LEVEL", Attachment.SERIES, data_type="Double"),
    _attribute("STATUS", codelist=_codelist("CL_STATUS", "A", "Q")),
    _attribute("COMMENT"),
    _attribute("N", data_type="Integer"),
    _attribute("LONG", data_type="Long"),
    _attribute("BIG", data_type="BigInteger"),
    _attribute("SHARE", data_type="Decimal"),
    _attribute("SINGLE", data_type="Float"),
    _attribute("FLAG", data_type="Boolean"),
    _attribute("WHEN", data_type="DateTime"),
    _attribute("DAY", data_type="GregorianDay"),
    _attribute("PERIOD", data_type="ObservationalTimePeriod"),
    _attribute("SPAN", data_type="Duration"),
)
_RICH = (
    Component("LOWER", Role.MEASURE, {"en": "Lower"}, data_type="Decimal"),
    Component("QUALITY", Role.MEASURE, {"en": "Quality"}, _codelist("CL_QUALITY", "H", "L")),
    *_PLAIN,
    _attribute("REMARK", Attachment.GROUP, relation=("KIND",)),
    _attribute("TAGS", codelist=_codelist("CL_TAG", "P", "Q"), multiple=True),
    _attribute("RATES", data_type="Double", multiple=True),
    _attribute("COUNTS", data_type="Integer", multiple=True),
    _attribute("SHARES", data_type="Decimal", multiple=True),
    _attribute("FLAGS", data_type="Boolean", multiple=True),
    _attribute("WORDS", multiple=True),
    _attribute("NOTE", Attachment.SERIES, multilingual=True),
    _attribute("NOTES", multilingual=True, multiple=True),
)
_GROUPS = {"PLACE": ("AREA",)}
PLAIN = Dataflow("SIS", "DF", "1.0.0", {"en": "Plain"}, DataStructure(
    "SIS", "DSD", "1.0.0", {"en": "Plain"}, (*_KEY, *_PLAIN), _GROUPS
))  # fmt: skip
RICH = Dataflow("SIS", "DF_RICH", "1.0.0", {"en": "Rich"}, DataStructure(
    "SIS", "DSD_RICH", "1.0.0", {"en": "Rich"}, (*_KEY, *_RICH), _GROUPS
))  # fmt: skip


class Known:
    """The structures that readers look up."""

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        return next(one for one in (PLAIN, RICH) if one.id == id)

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        return next(one.structure for one in (PLAIN, RICH) if one.structure.id == id)


# What XML 1.0 has a form for; the rest is below.
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\ufffe\uffff").filter(
    lambda c: c >= " " or c in "\t\n\r"
)
TEXT = st.text(_CHARACTERS, max_size=8) | st.sampled_from(
    ["a,b;c|d\te", 'say "so"', '"', "two\r\nlines", "\n", "\r", "]]>", "<a b='c'>&amp;", "=1+1",
     " x ", "en:x", "~", "-", "NaN", "null", "0", "\u2028", "\x85", "\u202eRTL", "Ελ 中 😀",
     "\U0010fffd", MISSING]
)  # fmt: skip
NUMBER = st.floats() | st.sampled_from(
    [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-300, 1e-7, 1e16, 1e21, 1e22, 0.1 + 0.2]
)
DIGITS = st.from_regex(r"\A-?[0-9]{1,40}\.[0-9]{1,40}\Z")
DECIMAL = DIGITS | st.sampled_from(["0", "-0.0", "1.50", "+1", ".5", "5.", "1" * 30, MISSING])
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53 + 1, -(2**53) - 1])
BIG = st.integers(-(10**60), 10**60).map(str)
LANGUAGES = st.dictionaries(
    st.sampled_from(["en", "fr", "zh-Hant", "sr-Latn-RS"]), TEXT, min_size=1
)
BY_LANGUAGE = LANGUAGES.map(lambda d: [{"lang": tag, "text": text} for tag, text in d.items()])


def _several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "OBS_VALUE": NUMBER,
    "LOWER": DECIMAL,
    "QUALITY": st.sampled_from(["H", "L", MISSING]),
    "SOURCE": TEXT,
    "WEIGHT": NUMBER,
    "TITLE": TEXT,
    "REMARK": TEXT,
    "UNIT": st.sampled_from(["PT", "IX", MISSING]),
    "LEVEL": NUMBER,
    "STATUS": st.sampled_from(["A", "Q", MISSING]),
    "COMMENT": TEXT,
    "N": st.integers(-(2**31), 2**31 - 1) | st.just(MISSING),
    "LONG": WHOLE | st.just(MISSING),
    "BIG": BIG | st.just(MISSING),
    "SHARE": DECIMAL,
    "SINGLE": NUMBER,
    "FLAG": st.sampled_from(["true", "false", "1", "0", MISSING]),
    "WHEN": st.datetimes().map(lambda one: one.isoformat()) | st.just("2020-02-29T24:00:00+14:00"),
    "DAY": st.dates().map(str) | st.just(MISSING),
    "PERIOD": st.sampled_from(["2020", "2020-Q1", "2020-W53", "2020-01-01/P1M", MISSING]),
    "SPAN": st.sampled_from(["P1Y", "PT1.5S", "-P1DT2H"]),
    "TAGS": _several(st.sampled_from(["P", "Q"])),
    "RATES": _several(NUMBER),
    "COUNTS": _several(WHOLE),
    "SHARES": _several(DECIMAL),
    "FLAGS": _several(st.sampled_from(["true", "false", "1", "0"])),
    "WORDS": _several(TEXT),
    "NOTE": BY_LANGUAGE,
    "NOTES": _several(BY_LANGUAGE),
}
# Made once: a strategy that is made anew for every draw is checked anew for every draw.
MAYBE = {name: st.none() | values for name, values in VALUES.items()}
PERIODS = st.sampled_from(
    ["2020", "2020-Q1", "2020-W53", "2020-01", "2020-02-29", "2020-D366", "2020-S2", "2020-T3"]
)
MOMENTS = PERIODS | st.sampled_from(["2020-01-01T00:00:00", "2020-02-29T23:59:59.5Z"])
# Where a key becomes an id (SDMX-JSON 1.0), and where it may be any text.
NARROW = {"AREA": ("AT", "NO-1", "_T"), "KIND": ("k", "K_2", "1")}
WIDE = {"AREA": ("AT", "NO-1", "_T"), "KIND": ("k", "K 2", "ä,;.:", '"<&>', "1")}
PARTS = ((), ("AREA",), ("KIND",), ("AREA", "KIND"))


@cache
def _keys(narrow: bool) -> st.SearchStrategy[set[tuple[str, ...]]]:
    """Return what draws the keys of a few observations."""
    places, periods = (NARROW, PERIODS) if narrow else (WIDE, MOMENTS)
    key = st.tuples(*map(st.sampled_from, places.values()), periods)
    return st.sets(key, min_size=1, max_size=3)


@cache
def _parts(narrow: bool, part: tuple[str, ...]) -> st.SearchStrategy[set[tuple[str, ...]]]:
    """Return what draws some places of that part of the key, or none."""
    places = NARROW if narrow else WIDE
    return st.sets(st.tuples(*(st.sampled_from(places[name]) for name in part)), max_size=2)


@cache
def _some(names: tuple[str, ...]) -> st.SearchStrategy[set[str]]:
    """Return what draws a few components beside the key."""
    return st.sets(st.sampled_from(names), max_size=5)


def _kind(component: Component, values: list[Any]) -> pl.DataType:
    """Return the type of a column; what is missing on purpose makes numbers texts."""
    missing = MISSING in [v for v in values if not isinstance(v, list)]
    kind: Any = pl.String()
    if component.codelist:
        codes = [*component.codelist.by_id, *([MISSING] if missing else [])]
        kind = pl.Enum(codes)
    elif component.data_type in ("Double", "Float"):
        kind = pl.Float64()
    elif component.data_type in ("Integer", "Long") and not missing:
        kind = pl.Int64()
    elif component.multilingual:
        kind = TEXTS
    return pl.List(kind) if component.multiple else kind


@st.composite
def datasets(draw: st.DrawFn, one: Format[DataMessage], flow: Dataflow, action: Action) -> DataSet:
    """Draw a data set that a format has a place for, of some of the components of a flow.

    What is said of the data set, a group or a series stands in rows of that part of the key, or
    beside the observations, the same or not.
    """
    structure = flow.structure
    keys = [key.id for key in structure.key]
    chosen = draw(_some(tuple(c.id for c in structure.components if c.id not in keys)))
    components = [c for c in structure.components if c.id in chosen]
    narrow = one.name == "json10"
    parts = Feature.PARTIAL_KEYS in one.carries
    above = {c.id for c in components if parts and draw(st.booleans())}
    rows: list[dict[str, Any]] = []
    for place in sorted(draw(_keys(narrow))):
        row: dict[str, Any] = dict(zip(keys, place, strict=True))
        for c in components:
            if not (c.id in above and len(_place(c, structure)) < 2):
                row[c.id] = draw(MAYBE[c.id])
        rows.append(row)
    observed = list(rows)
    for part in PARTS:
        said_there = [c for c in components if c.id in above and _place(c, structure) == part]
        for place in sorted(draw(_parts(narrow, part)) if said_there else ()):
            row = dict(zip(part, place, strict=True))
            if len(part) == 2 and any(row.items() <= other.items() for other in observed):
                continue  # what a series says stands beside its observations
            row |= {c.id: draw(MAYBE[c.id]) for c in said_there}
            if len(row) > len(part) and any(row[c.id] is not None for c in said_there):
                rows.append(row)
    columns = {}
    for c in structure.components:
        if c.id in keys or c.id in chosen:
            values = [row.get(c.id) for row in rows]
            kind = _kind(c, values)
            if kind == pl.String():
                values = [None if value is None else str(value) for value in values]
            columns[c.id] = pl.Series(values, dtype=kind)
    return DataSet(flow, pl.DataFrame(columns), action)


def _place(component: Component, structure: DataStructure) -> tuple[str, ...]:
    """Return the part of the key that an attribute is said of, all of it for what is observed."""
    if component.attachment is Attachment.DATASET:
        return ()
    if component.attachment is Attachment.GROUP:
        return component.relation
    if component.attachment is Attachment.SERIES:
        return tuple(one.id for one in structure.dimensions)
    return tuple(one.id for one in structure.key)


@st.composite
def messages(draw: st.DrawFn, one: Format[DataMessage]) -> DataMessage:
    """Draw a message that a format has a place for."""
    flow = RICH if Feature.MULTIPLE in one.carries else PLAIN
    actions = [Action.INFORMATION]
    most = 1
    if Feature.ACTIONS in one.carries:
        actions += [Action.APPEND, Action.REPLACE]
        most = 2 if Feature.SEVERAL_DATASETS in one.carries else 1
    kinds = st.lists(st.sampled_from(actions), min_size=1, max_size=most, unique=True)
    sets = [draw(datasets(one, flow, action)) for action in draw(kinds)]
    shapes = [None]
    if "timeseries" not in one.name:
        shapes += ["AllDimensions", *(["KIND"] if Feature.CROSS_SECTION in one.carries else [])]
    return message(*sets, observed_by=draw(st.sampled_from(shapes)))


def _kept(one: Format[DataMessage], dataset: DataSet) -> set[Any]:
    """Return what a data set says but for what a format has one word with nothing for."""
    nothing: list[Any] = []
    if one.name.startswith("csv"):
        nothing = ["", ()]  # an empty field
    elif one.name.startswith("json"):
        nothing = [()]  # the schemas take no empty array
    return {each for each in said(dataset) if each[1] is None or each[2] not in nothing}


def _again(one: Format[DataMessage], given_: DataMessage) -> DataMessage:
    assert one.read is not None
    return one.read(b"".join(one.write(given_)), Known())


# These have no form for what is said of a part of the key that is no group, or of a series among
# flat observations.
NO_PARTS = ("json10", "generic", "structurespecific")


def _again_or_refused(one: Format[DataMessage], given_: DataMessage) -> DataMessage | None:
    try:
        return _again(one, given_)
    except NotAcceptable as refused:
        if one.name in NO_PARTS and "attributes of the partial key" in str(refused):
            return None
        raise


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_any_message_is_read_as_it_was_written(name: str, data: st.DataObject) -> None:
    one = FORMATS[name]
    given_ = data.draw(messages(one))
    assert one.read is not None
    again = _again_or_refused(one, given_)
    if again is None:
        return
    assert [each.action for each in again.datasets] == [each.action for each in given_.datasets]
    for left, right in zip(given_.datasets, again.datasets, strict=True):
        assert right.flow == left.flow
        assert _kept(one, right) == _kept(one, left)


OBSERVED = {"AREA": "AT", "KIND": "k", "TIME_PERIOD": "2020"}


def _one_cell(name: str, *values: Any, kind: Any = pl.String) -> DataMessage:
    """Return observations of one attribute, a year each."""
    rows = [OBSERVED | {"TIME_PERIOD": str(2020 + at), name: v} for at, v in enumerate(values)]
    return message(DataSet(PLAIN, pl.DataFrame(rows, schema_overrides={name: kind})))


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_character_that_xml_has_no_form_for_is_refused_there_and_carried_elsewhere(
    name: str, character: str
) -> None:
    given_ = _one_cell("COMMENT", f"a{character}b")
    if name in XML:
        with pytest.raises(NotAcceptable, match=f"U\\+{ord(character):04X}"):
            _again(FORMATS[name], given_)
    else:
        assert _again(FORMATS[name], given_).frame["COMMENT"].to_list() == [f"a{character}b"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_decimal_number_has_no_exponent(name: str) -> None:
    """XML Schema, part 2, 3.2.3: decimals are digits with a point; a release has them as floats."""
    numbers = [1e-7, 1e22, -0.0, 0.1 + 0.2, 1e-300, math.nan]
    again = _again(FORMATS[name], _one_cell("SHARE", *numbers, kind=pl.Float64)).frame["SHARE"]
    if again.dtype == pl.String:
        assert again.str.contains(r"^-?[0-9]+(\.[0-9]+)?$").to_list() == [True] * 5 + [False]
        assert again[5] == MISSING
        again = again.replace(MISSING, "nan")
    assert [float(one).hex() for one in again] == [one.hex() for one in numbers]


@pytest.mark.parametrize("name", FORMATS)
def test_thirty_digits_and_whole_numbers_beyond_those_of_a_float_are_kept(name: str) -> None:
    digits = "0.123456789012345678901234567890"
    assert _again(FORMATS[name], _one_cell("SHARE", digits)).frame["SHARE"].to_list() == [digits]
    whole = [2**53 + 1, 2**63 - 1, -(2**63)]
    found = _again(FORMATS[name], _one_cell("LONG", *whole, kind=pl.Int64)).frame["LONG"]
    assert found.to_list() == whole
    big = str(10**40 + 1)
    assert _again(FORMATS[name], _one_cell("BIG", big)).frame["BIG"].to_list() == [big]


def test_floats_of_a_decimal_component_become_digits_chunk_by_chunk() -> None:
    numbers = [[1e-7, 2.5], [], None, [math.nan]]
    rows = [OBSERVED | {"TIME_PERIOD": str(2020 + at)} for at in range(4)]
    frame = pl.DataFrame(rows).with_columns(pl.Series("SHARES", numbers, dtype=pl.List(pl.Float64)))

    class Chunked:
        schema = frame.schema
        height = frame.height

        def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
            yield from (frame.slice(at, 1) for at in range(4))

    expected = [["0.0000001", "2.5"], [], None, [MISSING]]
    for table in (frame, Chunked()):
        made = as_digits(DataSet(RICH, table))
        assert made.collected()["SHARES"].to_list() == expected
        assert made.schema["SHARES"] == pl.List(pl.String)
    plain = DataSet(RICH, frame.drop("SHARES"))
    assert as_digits(plain) is plain


def test_a_decimal_number_is_never_infinite() -> None:
    with pytest.raises(NotAcceptable, match="SHARE: expected a decimal number"):
        as_digits(_one_cell("SHARE", math.inf, kind=pl.Float64).dataset)
