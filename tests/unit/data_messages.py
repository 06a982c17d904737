"""Data messages of every kind, made by chance, and what two of them have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
from hypothesis import strategies as st

from sdmx_service.errors import NotFound
from sdmx_service.formats import Action, Context, DataMessage, DataSet, Format, Provision
from sdmx_service.formats.dataset import TEXTS
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)

MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _codelist(id: str, *codes: str) -> Codelist:
    listed = (Code(code, {"en": f'<Name> & "{code}"', "fr": f"Nom {code}"}) for code in codes)
    return Codelist("SIS", id, "1.0.0", {"en": id}, tuple(listed))


def _attribute(id: str, where: Attachment = Attachment.OBSERVATION, **more: Any) -> Component:
    return Component(id, Role.ATTRIBUTE, {"en": id}, attachment=where, **more)


_KEY = (
    Component("AREA", Role.DIMENSION, {"en": "Area"}, _codelist("CL_AREA", "AT", "NO-1")),
    Component("SEX", Role.DIMENSION, {"en": "Sex"}, _codelist("CL_SEX", "F", "M")),
    Component("KIND", Role.DIMENSION, {"en": "Kind"}),
)
_TIME = Component("TIME_PERIOD", Role.TIME, {"en": "Time"})
_VALUE = Component("OBS_VALUE", Role.MEASURE, {"en": "Value"}, data_type="Double")
_PLAIN = (
    _attribute("SOURCE", Attachment.DATASET),
    _attribute("TITLE", Attachment.GROUP, relation=("AREA", "SEX")),
    _attribute("UNIT", Attachment.SERIES, codelist=_codelist("CL_UNIT", "PT", "IX")),
    _attribute("LEVEL", Attachment.SERIES, data_type="Double"),
    _attribute("N", data_type="Integer"),
    _attribute("SHARE", data_type="Decimal"),
    _attribute("STATUS", codelist=_codelist("CL_STATUS", "A", "Q")),
    _attribute("COMMENT"),
)
_MORE = (
    Component("LOWER", Role.MEASURE, {"en": "Lower"}, data_type="Decimal"),
    _attribute("TAG", codelist=_codelist("CL_TAG", "P", "Q"), multiple=True),
    _attribute("RATES", data_type="Double", multiple=True),
    _attribute("WORD", multiple=True),
    _attribute("NOTE", Attachment.SERIES, multilingual=True),
    _attribute("NOTES", multilingual=True, multiple=True),
)
_GROUPS = {"PLACE": ("AREA", "SEX")}
PLAIN = DataStructure(
    "SIS", "DSD", "1.0.0", {"en": "Plain"}, (*_KEY, _TIME, _VALUE, *_PLAIN), _GROUPS
)
RICH = DataStructure(
    "SIS", "DSD3", "1.2.0", {"en": "Rich"},
    (*_KEY, _TIME, _VALUE, _MORE[0], *_PLAIN, *_MORE[1:]), _GROUPS,
)  # fmt: skip
TIMELESS = DataStructure(
    "SIS", "DSD_NOTIME", "1.0.0", {"en": "No time"}, (*_KEY, _VALUE, *_PLAIN), _GROUPS
)
FLOWS = {
    flow.id: flow
    for flow in (
        Dataflow("SIS", "DF", "1.0.0", {"en": "A flow"}, PLAIN),
        Dataflow("SIS.SUB", "DF3", "2.1.0", {"en": "Flow"}, RICH),
        Dataflow("SIS", "DF_NOTIME", "1.0.0", {"en": "Flow"}, TIMELESS),
    )
}
PROVISIONS = {
    f"PA_{flow.id}": (Provision("SIS", f"PA_{flow.id}", "1.0.0", {}), flow)
    for flow in FLOWS.values()
}


def kind_of(component: Component) -> pl.DataType:
    """Return the type of the column of a component."""
    kind: Any = pl.String()
    if component.codelist:
        kind = pl.Enum(list(component.codelist.by_id))
    elif component.data_type in ("Double", "Integer"):
        kind = {"Double": pl.Float64(), "Integer": pl.Int64()}[component.data_type]
    if component.multilingual:
        kind = TEXTS
    return pl.List(kind) if component.multiple else kind


class Known:
    """The structures that readers look up."""

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        for flow in FLOWS.values():
            if (flow.agency, flow.id, flow.version) == (agency, id, version):
                return flow
        raise NotFound("dataflow", got=f"{agency}:{id}({version})")

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        return next(one for one in (PLAIN, RICH, TIMELESS) if one.id == id)

    def provisioned(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        return PROVISIONS[id][1]


# What XML 1.0 has a form for; the rest is refused there.
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\ufffe\uffff").filter(
    lambda c: c >= " " or c in "\t\n\r"
)
TEXT = st.text(_CHARACTERS, max_size=8) | st.sampled_from(
    ["a,b", 'say "so"', "two\r\nlines", "\n", "]]>", "<a b='c'>&amp;", "#N/A", "Ελ 中 😀", " x "]
)
NUMBER = st.floats() | st.sampled_from(
    [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e22, 1e21, 0.1 + 0.2, 1e-7]
)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False).map(lambda one: f"{one:f}"[:60])
DECIMAL = DECIMAL | st.just("#N/A") | st.just("1" * 50 + "." + "2" * 50)
TEXTS_BY_LANGUAGE = st.dictionaries(st.sampled_from(["en", "fr", "zh-Hant"]), TEXT, min_size=1).map(
    lambda texts: [{"lang": tag, "text": text} for tag, text in texts.items()]
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "OBS_VALUE": NUMBER,
    "LOWER": DECIMAL,
    "SOURCE": TEXT,
    "TITLE": TEXT,
    "UNIT": st.sampled_from(["PT", "IX"]),
    "LEVEL": NUMBER,
    "N": st.integers(-(2**63), 2**63 - 1),
    "SHARE": DECIMAL,
    "STATUS": st.sampled_from(["A", "Q"]),
    "COMMENT": TEXT,
    "TAG": st.lists(st.sampled_from(["P", "Q"]), min_size=1, max_size=3),
    "RATES": st.lists(NUMBER, min_size=1, max_size=3),
    "WORD": st.lists(TEXT, min_size=1, max_size=3),
    "NOTE": TEXTS_BY_LANGUAGE,
    "NOTES": st.lists(TEXTS_BY_LANGUAGE, min_size=1, max_size=3),
}
_KEYS = {
    "AREA": st.sampled_from(["AT", "NO-1"]),
    "SEX": st.sampled_from(["F", "M"]),
    "KIND": st.sampled_from(["k", "K 2", "ä"]),
    "TIME_PERIOD": st.sampled_from(["2020", "2020-Q1", "2020-W53"]),
}
_PLAIN_KEYS = _KEYS | {"KIND": st.sampled_from(["k", "K_2"])}


@st.composite
def frames(
    draw: st.DrawFn, structure: DataStructure, *, partial: bool = True, plain: bool = False
) -> pl.DataFrame:
    """Draw a table: observations sorted by key, each once, then attributes of parts of the key.

    Attributes of the data set and of groups are said once a part, as a message says them.
    """
    keys = [one.id for one in structure.key]
    choices = _PLAIN_KEYS if plain else _KEYS
    values = [one for one in structure.components if one.id not in keys]
    places = draw(st.sets(st.tuples(*(choices[name] for name in keys)), max_size=4))
    rows: list[dict[str, Any]] = []
    for place in sorted(places):
        row = dict(zip(keys, place, strict=True))
        for one in values:
            if one.attachment not in (Attachment.DATASET, Attachment.GROUP):
                row[one.id] = draw(st.none() | _VALUES[one.id])
        rows.append(row)
    parts: list[tuple[str, ...]] = [(), ("AREA", "SEX"), ("AREA", "SEX", "KIND")]
    for names in parts if partial and structure.timed else parts[:2] if partial else ():
        level = {0: Attachment.DATASET, 2: Attachment.GROUP, 3: Attachment.SERIES}[len(names)]
        said = [one.id for one in values if one.attachment is level]
        for place in sorted(draw(st.sets(st.tuples(*(choices[n] for n in names)), max_size=2))):
            taken = any(
                all(row.get(n) == v for n, v in zip(names, place, strict=True)) for row in rows
            )
            if len(names) == 3 and taken:
                continue  # what a series says stands beside its observations
            row = dict(zip(names, place, strict=True))
            row |= {name: draw(st.none() | _VALUES[name]) for name in said}
            if any(row.get(name) is not None for name in said):
                rows.append(row)
    return pl.DataFrame(rows, schema={one.id: kind_of(one) for one in structure.components})


def datasets(
    flow: Dataflow, *, partial: bool = True, plain: bool = False, actions: tuple[Action, ...] = ()
) -> st.SearchStrategy[DataSet]:
    """Draw a data set of a flow that has rows, in any context."""
    chosen = actions or (Action.INFORMATION, Action.APPEND, Action.REPLACE)
    provision = PROVISIONS[f"PA_{flow.id}"][0]
    structure = flow.structure
    bare = Dataflow(structure.agency, structure.id, structure.version, structure.name, structure)

    def made(frame: pl.DataFrame, action: Action, context: Context, spans: bool) -> DataSet:
        return DataSet(
            bare if context is Context.DATA_STRUCTURE else flow,
            frame,
            action,
            MOMENT if spans else None,
            MOMENT.replace(year=2027) if spans else None,
            context,
            provision if context is Context.PROVISION else None,
        )

    return st.builds(
        made,
        frames(structure, partial=partial, plain=plain).filter(lambda frame: frame.height > 0),
        st.sampled_from(chosen),
        st.sampled_from(list(Context)),
        st.booleans(),
    )


def message(*datasets: DataSet, **more: Any) -> DataMessage:
    """Return a message of some data sets."""
    return DataMessage(tuple(datasets), "r-2026", MOMENT, languages=("en",), **more)


def again(one: Format[DataMessage], message: DataMessage) -> DataMessage:
    """Return a message as it is read from what was written of it."""
    assert one.read is not None
    return one.read(b"".join(one.write(message)), Known())


def statements(dataset: DataSet) -> Iterator[tuple[Any, ...]]:
    """Yield what a data set says: each value with the key it is said of, numbers bit by bit.

    An attribute of a data set or a group that every observation repeats is the same statement.
    """
    structure = dataset.structure
    keys = [one.id for one in structure.key]
    for row in dataset.collected().rows(named=True):
        full = all(row.get(name) is not None for name in keys)
        place = tuple((name, row[name]) for name in keys if row.get(name) is not None)
        if full:
            yield place, None, None
        for name, value in row.items():
            if name not in keys and value is not None:
                yield place, name, _exact(value)


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return value.hex() if value == value else "nan"
    if isinstance(value, list):
        return tuple(_exact(one) for one in value)
    if isinstance(value, dict):
        return tuple(value.items())
    return value


def assert_same(left: DataMessage, right: DataMessage) -> None:
    """Fail unless two messages say the same, data set by data set."""
    assert len(left.datasets) == len(right.datasets)
    for a, b in zip(left.datasets, right.datasets, strict=True):
        assert (a.action, a.context, a.flow, a.provision) == (
            b.action, b.context, b.flow, b.provision,
        )  # fmt: skip
        assert (a.valid_from, a.valid_to) == (b.valid_from, b.valid_to)
        assert sorted(map(repr, statements(a))) == sorted(map(repr, statements(b)))
        for name, kind in b.schema.items():
            assert kind == a.schema[name]
