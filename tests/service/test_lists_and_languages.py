"""Several values, texts in several languages and structures without time, published and served."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from sdmx_service.formats import Action, data_formats
from sdmx_service.release import open_release
from sdmx_service.release.publishing import publish
from sdmx_service.structures.artefacts import Component
from sdmx_service.structures.store import StructureStore

pytestmark = pytest.mark.service
_URN = "urn:sdmx:org.sdmx.infomodel."
_CONCEPTS = f"{_URN}conceptscheme.Concept=TST:CS(1.0.0)."
_IDS = ("AREA", "KIND", "TIME_PERIOD", "OBS_VALUE", "FLAGS", "WORDS", "RATES", "TITLE", "NOTES",
        "STATUS")  # fmt: skip


def _names(id: str) -> dict[str, Any]:
    return {"name": id, "names": {"en": id}}


def _list(id: str, *codes: str) -> dict[str, Any]:
    listed = [{"id": code, **_names(f"Code {code}")} for code in codes]
    return {"id": id, "version": "1.0.0", "agencyID": "TST", **_names(id), "codes": listed}


def _component(id: str, said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id, "conceptIdentity": _CONCEPTS + id, "localRepresentation": said, **more}


def _coded(id: str, listed: str, **more: Any) -> dict[str, Any]:
    return _component(id, {"enumeration": f"{_URN}codelist.Codelist=TST:{listed}(1.0.0)", **more})


def _attribute(component: dict[str, Any], *dimensions: str) -> dict[str, Any]:
    at: dict[str, Any] = {"dimensions": [*dimensions]} if dimensions else {"observation": {}}
    return {**component, "usage": "optional", "attributeRelationship": at}


def _structure(id: str, *, timed: bool) -> dict[str, Any]:
    text: dict[str, Any] = {"dataType": "String", "isMultiLingual": True}
    dimensions: dict[str, Any] = {
        "id": "DimensionDescriptor",
        "dimensions": [_coded("AREA", "CL_AREA"), _coded("KIND", "CL_KIND")],
    }
    if timed:
        time = {"format": {"dataType": "ObservationalTimePeriod"}}
        dimensions["timeDimension"] = _component("TIME_PERIOD", time)
    attributes = [
        _attribute(_coded("FLAGS", "CL_FLAG", maxOccurs=3)),
        _attribute(_component("WORDS", {"format": {"dataType": "String"}, "maxOccurs": 9})),
        _attribute(_component("RATES", {"format": {"dataType": "Double"}, "maxOccurs": 9})),
        _attribute(_component("TITLE", {"format": text}), "AREA", "KIND"),
        _attribute(_component("NOTES", {"format": text, "maxOccurs": "unbounded"})),
        _attribute(_coded("STATUS", "CL_FLAG")),
    ]
    value = _component("OBS_VALUE", {"format": {"dataType": "Double"}}, usage="optional")
    return {
        "id": id, "version": "1.0.0", "agencyID": "TST", **_names(id),
        "dataStructureComponents": {
            "dimensionList": dimensions,
            "attributeList": {"id": "AttributeDescriptor", "attributes": attributes},
            "measureList": {"id": "MeasureDescriptor", "measures": [value]},
        },
    }  # fmt: skip


def _flow(id: str, structure: str) -> dict[str, Any]:
    return {
        "id": id, "version": "1.0.0", "agencyID": "TST", **_names(id),
        "structure": f"{_URN}datastructure.DataStructure=TST:{structure}(1.0.0)",
    }  # fmt: skip


def _message() -> dict[str, Any]:
    return {
        "meta": {"id": "M", "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "TST"}},
        "data": {
            "codelists": [
                _list("CL_AREA", "NO", "AT"),
                _list("CL_KIND", "K1", "K2"),
                _list("CL_FLAG", "M", "B", "A"),
            ],
            "conceptSchemes": [
                {
                    "id": "CS", "version": "1.0.0", "agencyID": "TST", **_names("CS"),
                    "concepts": [{"id": id, **_names(id)} for id in _IDS],
                }
            ],
            "dataStructures": [
                _structure("DSD_TIMED", timed=True),
                _structure("DSD_PLACES", timed=False),
            ],
            "dataflows": [_flow("DF_TIMED", "DSD_TIMED"), _flow("DF_PLACES", "DSD_PLACES")],
        },
    }  # fmt: skip


def _texts(**texts: str) -> list[dict[str, str]]:
    return [{"lang": language, "text": text} for language, text in sorted(texts.items())]


TITLES = {
    ("NO", "K1"): _texts(en='Euro <zone>, "said"', fr="Zone euro; dite", de="Ä"),
    ("NO", "K2"): _texts(en="Other"),
    ("AT", "K1"): None,
    ("AT", "K2"): _texts(fr="Seulement en français"),
}
# What an observation says beside its key and title: value, FLAGS, WORDS, RATES, NOTES, STATUS.
SAID: tuple[tuple[Any, ...], ...] = (
    (1.5, ["A"], ["x", 'a;b "c"', "#N/A"], [0.5, -0.0], [_texts(en="One", fr="Un")], "A"),
    (2.5, ["B", "M"], ["y"], [1e-7], [_texts(en="One; two"), _texts(fr="Trois:")], None),
    (None, ["M", "B"], None, [float("nan"), 3.0], None, "B"),
    (float("nan"), None, ["x", "y"], None, [_texts(en="Four")], "M"),
)
NAMES = ("OBS_VALUE", "FLAGS", "WORDS", "RATES", "NOTES", "STATUS")


def _rows(*periods: str) -> list[dict[str, Any]]:
    """Return the rows of a table, in the order of its key; without periods it has no time."""
    keys = [(area, kind, period) for area, kind in TITLES for period in periods or ("",)]
    return [
        {"AREA": area, "KIND": kind, **({"TIME_PERIOD": period} if period else {})}
        | dict(zip(NAMES, SAID[number % len(SAID)], strict=True))
        | {"TITLE": TITLES[area, kind]}
        for number, (area, kind, period) in enumerate(keys)
    ]


TIMED, PLACES = _rows("2020", "2021", "2022"), _rows()


def _frame(rows: list[dict[str, Any]], store: StructureStore, id: str) -> pl.DataFrame:
    text = pl.Struct({"lang": pl.String, "text": pl.String})
    shapes: dict[str, pl.DataType] = {
        "TITLE": pl.List(text), "NOTES": pl.List(pl.List(text)), "FLAGS": pl.List(pl.String),
        "WORDS": pl.List(pl.String), "RATES": pl.List(pl.Float64), "OBS_VALUE": pl.Float64(),
    }  # fmt: skip
    names = [component.id for component in store.datastructure(id).components]
    return pl.DataFrame(rows, schema={name: shapes.get(name, pl.String()) for name in names})


def _publish(
    root: Path, date: str, timed: list[dict[str, Any]], places: list[dict[str, Any]]
) -> str:
    structures = root.parent / "structures"
    store = StructureStore.read(structures)
    with pytest.MonkeyPatch.context() as patch:
        moment = datetime.fromisoformat(f"{date}T12:00:00+00:00")
        patch.setenv("SOURCE_DATE_EPOCH", str(int(moment.timestamp())))
        return publish(
            root,
            title="Lists and languages",
            tables={
                "DSD_TIMED": _frame(timed, store, "DSD_TIMED"),
                "DSD_PLACES": _frame(places, store, "DSD_PLACES").reverse(),
            },
            structures=structures, definitions={}, annexes={}, inputs={}, generator="tests",
        )  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two releases, of which the second changed lists and texts."""
    folder = tmp_path_factory.mktemp("lists")
    (folder / "structures").mkdir()
    (folder / "structures" / "all.json").write_text(json.dumps(_message()), encoding="utf-8")
    before = [dict(row) for row in TIMED]
    before[0]["FLAGS"] = ["A", "M"]
    before[4]["NOTES"] = [_texts(en="One", fr="Un", es="Uno")]
    gone = {**TIMED[0], "TIME_PERIOD": "2019"}
    reworded = [{**PLACES[0], "WORDS": ["x;a", 'b "c"', "#N/A"]}, *PLACES[1:]]
    _publish(folder / "releases", "2026-01-10", [gone, *before[:-1]], reworded)
    _publish(folder / "releases", "2026-03-10", TIMED, PLACES)
    return folder / "releases"


@pytest.fixture(scope="module")
def asked(
    root: Path, running: Callable[[Path], AbstractContextManager[str]]
) -> Iterator[httpx.Client]:
    """Return a client of a service that has them."""
    with running(root) as address, httpx.Client(base_url=address, verify=False) as client:
        yield client


def _path(flow: str) -> str:
    return f"/sdmx/v2/data/dataflow/TST/{flow}/1.0.0"


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return "NaN" if value != value else value.hex()
    if isinstance(value, dict):
        return value["lang"], value["text"]
    if isinstance(value, list):
        told = [_exact(one) for one in value]
        # Texts of one value are told apart by their languages, whatever their order.
        languages = all(isinstance(one, dict) for one in value)
        return sorted(told) if languages else told
    return value


def _said(rows: list[dict[str, Any]]) -> list[str]:
    """Return what rows say, in an order of its own, each number bit by bit."""
    told = ({n: _exact(v) for n, v in sorted(row.items()) if v is not None} for row in rows)
    return sorted(map(repr, told))


def _read(name: str, content: bytes, store: StructureStore) -> list[dict[str, Any]]:
    (one,) = (one for one in data_formats() if one.name == name)
    assert one.read is not None
    frame = one.read(content, store).dataset.collected()
    return frame.with_columns(pl.col(pl.Enum).cast(pl.String)).to_dicts()


_CARRY_ALL = ("csv20", "csv21", "json20", "json21", "xml30", "xml31", "parquet", "arrow")
_OF_2_1 = ("csv10", "json10", "generic", "structurespecific")


@pytest.mark.parametrize(("flow", "rows"), [("DF_TIMED", TIMED), ("DF_PLACES", PLACES)])
@pytest.mark.parametrize("name", _CARRY_ALL)
def test_what_was_published_is_read_back_from_every_format_with_a_place_for_it(
    asked: httpx.Client, root: Path, flow: str, rows: list[dict[str, Any]], name: str
) -> None:
    store = open_release(root).structures
    for query in ("", "&dimensionAtObservation=AllDimensions", "&dimensionAtObservation=KIND"):
        response = asked.get(f"{_path(flow)}?format={name}{query}")
        assert response.status_code == 200, response.text
        assert _said(_read(name, response.content, store)) == _said(rows)


@pytest.mark.parametrize("name", _OF_2_1)
def test_a_format_of_sdmx_2_1_says_what_it_has_no_place_for(
    asked: httpx.Client, root: Path, name: str
) -> None:
    path = f"{_path('DF_TIMED')}?format={name}"
    for attributes, trait in (("", "several values"), ("&attributes=TITLE", "several languages")):
        response = asked.get(path + attributes)
        assert response.status_code == 406
        assert trait in response.text
    response = asked.get(f"{path}&attributes=STATUS")
    assert response.status_code == 200
    kept = {"AREA", "KIND", "TIME_PERIOD", "OBS_VALUE", "STATUS"}
    rows = [{n: v for n, v in row.items() if n in kept} for row in TIMED]
    assert _said(_read(name, response.content, open_release(root).structures)) == _said(rows)


@pytest.mark.parametrize("name", _OF_2_1)
def test_formats_of_sdmx_2_1_carry_a_structure_without_time(
    asked: httpx.Client, root: Path, name: str
) -> None:
    response = asked.get(f"{_path('DF_PLACES')}?format={name}&attributes=STATUS")
    assert response.status_code == 200, response.text
    rows = [{n: row[n] for n in ("AREA", "KIND", "OBS_VALUE", "STATUS")} for row in PLACES]
    assert _said(_read(name, response.content, open_release(root).structures)) == _said(rows)
    series = asked.get(f"{_path('DF_PLACES')}?format=generictimeseries&attributes=STATUS")
    assert series.status_code == 406
    assert "without a time dimension" in series.text


def test_observations_without_time_stand_by_themselves_unless_asked_otherwise(
    asked: httpx.Client,
) -> None:
    message = asked.get(f"{_path('DF_PLACES')}?format=json21").json()["data"]
    assert len(message["dataSets"][0]["observations"]) == len(PLACES)
    by_kind = asked.get(f"{_path('DF_PLACES')}?format=json21&dimensionAtObservation=KIND").json()
    assert len(by_kind["data"]["dataSets"][0]["series"]) == len({r["AREA"] for r in PLACES})
    one = asked.get(f"{_path('DF_PLACES')}/AT.K2?format=csv21&attributes=FLAGS").text.splitlines()
    assert [line[-10:] for line in one[1:]] == ["AT,K2,NaN,"]


def _any(row: dict[str, Any], name: str, *values: str) -> bool:
    return any(value in (row[name] or ()) for value in values)


# REST 2.2.2, data.md: "ATTR1 must either be A or (B AND M)", c[ATTR1]=A,B+M
_CONDITIONS: tuple[tuple[str, Callable[[dict[str, Any]], bool]], ...] = (
    ("c[FLAGS]=A", lambda row: _any(row, "FLAGS", "A")),
    ("c[FLAGS]=A,M", lambda row: _any(row, "FLAGS", "A", "M")),
    ("c[FLAGS]=B%2BM", lambda row: {"B", "M"} <= {*(row["FLAGS"] or ())}),
    ("c[FLAGS]=A,B+M", lambda r: _any(r, "FLAGS", "A") or {"B", "M"} <= {*(r["FLAGS"] or ())}),
    ("c[FLAGS]=ne:A", lambda row: row["FLAGS"] is not None and not _any(row, "FLAGS", "A")),
    ("c[FLAGS]=UNKNOWN", lambda row: False),
    ("c[WORDS]=sw:a", lambda row: any(w.startswith("a") for w in row["WORDS"] or ())),
    ("c[RATES]=ge:0.4", lambda row: any(rate >= 0.4 for rate in row["RATES"] or ())),
    ("c[RATES]=0", lambda row: any(rate == 0 for rate in row["RATES"] or ())),
    ("c[TITLE]=co:euro", lambda row: any("euro" in t["text"] for t in row["TITLE"] or ())),
    ("c[NOTES]=Un,Four", lambda row: any(
        t["text"] in ("Un", "Four") for texts in row["NOTES"] or () for t in texts)),
)  # fmt: skip


@pytest.mark.parametrize(("flow", "rows"), [("DF_TIMED", TIMED), ("DF_PLACES", PLACES)])
@pytest.mark.parametrize(("condition", "holds"), _CONDITIONS, ids=[c for c, _ in _CONDITIONS])
def test_a_condition_asks_for_a_value_among_several_or_for_all_of_them(
    asked: httpx.Client,
    root: Path,
    flow: str,
    rows: list[dict[str, Any]],
    condition: str,
    holds: Callable[[dict[str, Any]], bool],
) -> None:
    expected = [row for row in rows if holds(row)]
    response = asked.get(f"{_path(flow)}?format=csv21&{condition}")
    assert response.status_code == (200 if expected else 204)
    if expected:
        found = _read("csv21", response.content, open_release(root).structures)
        assert _said(found) == _said(expected)
    there = asked.get(_path(flow).replace("/data/", "/availability/") + f"?{condition}")
    assert there.status_code == (200 if expected else 204)
    if expected:
        (constraint,) = there.json()["data"]["availabilityConstraints"]
        values = constraint["cubeRegion"]["keyValues"]
        told = {one["id"]: {v["value"] for v in one.get("values", ())} for one in values}
        for dimension in ("AREA", "KIND"):
            assert told[dimension] == {row[dimension] for row in expected}
        assert constraint["obsCount"] == len(expected)
        assert constraint["seriesCount"] == len({(r["AREA"], r["KIND"]) for r in expected})
        assert ("TIME_PERIOD" in told) == (flow == "DF_TIMED")


def test_a_number_among_several_is_compared_as_a_number(asked: httpx.Client) -> None:
    response = asked.get(f"{_path('DF_TIMED')}?c[RATES]=ge:much")
    assert response.status_code == 400
    assert "a number" in response.text


@pytest.mark.parametrize("name", ["FLAGS", "TITLE"])
def test_what_has_several_values_is_no_order(asked: httpx.Client, name: str) -> None:
    response = asked.get(f"{_path('DF_TIMED')}?sort={name}")
    assert response.status_code == 422
    assert response.json()["got"] == name
    after_the_key = asked.get(f"{_path('DF_TIMED')}?format=csv21&sort=*%2B{name}")
    assert after_the_key.status_code == 200


def test_what_changed_is_seen_in_lists_and_languages(asked: httpx.Client, root: Path) -> None:
    moment = "updatedAfter=2026-02-01T00:00:00Z"
    store = open_release(root).structures
    (csv,) = (one for one in data_formats() if one.name == "csv21")
    assert csv.read is not None
    gone = [{"AREA": "NO", "KIND": "K1", "TIME_PERIOD": "2019"}]
    expected = {"DF_TIMED": ([TIMED[0], TIMED[4], TIMED[-1]], gone), "DF_PLACES": (PLACES[:1], [])}
    for flow, (rows, deleted) in expected.items():
        message = csv.read(asked.get(f"{_path(flow)}?format=csv21&{moment}").content, store)
        told: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for dataset in message.datasets:
            frame = dataset.collected().with_columns(pl.col(pl.Enum).cast(pl.String))
            told[dataset.action is Action.DELETE] += frame.to_dicts()
        assert _said(told[False]) == _said(rows)
        assert _said(told[True]) == _said(deleted)
        there = asked.get(_path(flow).replace("/data/", "/availability/") + f"?{moment}").json()
        (constraint,) = there["data"]["availabilityConstraints"]
        assert constraint["obsCount"] == len(rows) + len(deleted)


def test_one_series_asked_for_again_is_the_same_answer(asked: httpx.Client) -> None:
    for key in ("DF_TIMED/1.0.0/AT.K2", "DF_PLACES/1.0.0/AT.K2"):
        for query in ("", "&attributes=STATUS"):
            for name in ("csv21", "json21", "xml31"):
                path = f"/sdmx/v2/data/dataflow/TST/{key}?format={name}{query}"
                # With a limit there is no quick way.
                again = {asked.get(path).content for _ in range(5)}
                assert again == {asked.get(path + "&limit=99").content}


def test_first_and_last_observations_are_those_of_each_series(
    asked: httpx.Client, root: Path
) -> None:
    store = open_release(root).structures
    for flow, rows in (("DF_TIMED", TIMED[2::3]), ("DF_PLACES", PLACES)):
        response = asked.get(f"{_path(flow)}?format=csv21&lastNObservations=1")
        assert _said(_read("csv21", response.content, store)) == _said(rows)


def test_series_are_told_without_their_observations(asked: httpx.Client, root: Path) -> None:
    query = "format=csv21&measures=none&attributes=series"
    for flow in ("DF_TIMED", "DF_PLACES"):
        response = asked.get(f"{_path(flow)}?{query}")
        found = _read("csv21", response.content, open_release(root).structures)
        series = [{"AREA": a, "KIND": k, "TITLE": title} for (a, k), title in TITLES.items()]
        assert _said(found) == _said(series)


def test_a_release_gives_lists_to_programs_as_lists(root: Path) -> None:
    release = open_release(root)
    found = release.observations("DF_TIMED", FLAGS="M", AREA="NO")
    expected = [r["FLAGS"] for r in TIMED if r["AREA"] == "NO" and _any(r, "FLAGS", "M")]
    assert [list(flags) for flags in found["FLAGS"]] == expected
    cube = release.to_xarray("DF_PLACES", by=["AREA", "KIND"])
    assert cube.FLAGS.sel(AREA="NO", KIND="K2").item() == PLACES[1]["FLAGS"]
    kinds: list[Component] = list(release.structures.datastructure("DSD_PLACES").key)
    assert [one.id for one in kinds] == ["AREA", "KIND"]
