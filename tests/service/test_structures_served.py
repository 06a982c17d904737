"""Structures over HTTP: lists of what a format has no place for, actual constraints, providers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from lxml import etree

from sdmx_service.release.publishing import publish
from sdmx_service.structures.kinds import ArtefactKind as K
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.store import StructureStore
from sdmx_service.structures.writing_ml import structure_message

pytestmark = pytest.mark.service

URN = "urn:sdmx:org.sdmx.infomodel."
CONCEPTS = ("AREA", "SEX", "TIME_PERIOD", "OBS_VALUE")


def artefact(kind: K, id: str, version: str = "1.0.0", **content: Any) -> Artefact:
    names = {"id": id, "agencyID": "AG", "version": version, "names": {"en": id}}
    return Artefact(kind, names | content)


def codelist(id: str, *codes: str, version: str = "1.0.0") -> Artefact:
    listed = [{"id": code, "names": {"en": code}} for code in codes]
    return artefact(K.CODELIST, id, version, codes=listed)


def concept(id: str) -> str:
    return f"{URN}conceptscheme.Concept=AG:CS(1.0.0).{id}"


def coded(id: str) -> dict[str, Any]:
    listed = {"enumeration": f"{URN}codelist.Codelist=AG:CL_{id}(1.0.0)"}
    return {"id": id, "conceptIdentity": concept(id), "localRepresentation": listed}


FLOW = f"{URN}datastructure.Dataflow=AG:DF(1.0.0)"
DRAFT = codelist("CL_NEW", "A", "B", version="2.0.0-draft")  # SDMX 2.1 has no version with words
ARTEFACTS = (
    artefact(
        K.DATA_PROVIDER_SCHEME,
        "DATA_PROVIDERS",
        "1.0",
        dataProviders=[{"id": id, "names": {"en": id}} for id in ("NORTH", "SOUTH", "EVERYONE")],
    ),
    artefact(K.CONCEPT_SCHEME, "CS", concepts=[{"id": i, "names": {"en": i}} for i in CONCEPTS]),
    codelist("CL_AREA", "AT", "NO").with_content(names={"en": "Areas", "fr": "Territoires"}),
    codelist("CL_SEX", "F", "M"),
    codelist("CL_OLD", "A", version="2.1.0.4"),  # SDMX 3.x has no version of four numbers
    codelist("CL_NEW", "A"),
    artefact(
        K.DATA_STRUCTURE,
        "DSD",
        dataStructureComponents={
            "dimensionList": {
                "id": "DimensionDescriptor",
                "dimensions": [coded("AREA"), coded("SEX")],
                "timeDimension": {
                    "id": "TIME_PERIOD",
                    "conceptIdentity": concept("TIME_PERIOD"),
                    "localRepresentation": {"format": {"dataType": "ObservationalTimePeriod"}},
                },
            },
            "measureList": {
                "id": "MeasureDescriptor",
                "measures": [
                    {
                        "id": "OBS_VALUE",
                        "conceptIdentity": concept("OBS_VALUE"),
                        "localRepresentation": {"format": {"dataType": "Double"}},
                    }
                ],
            },
        },
    ),
    artefact(
        K.DATAFLOW, "DF", structure=f"{URN}datastructure.DataStructure=AG:DSD(1.0.0)"
    ).with_content(names={"en": "A flow", "es": "Un flujo"}),
    *(
        artefact(
            K.PROVISION_AGREEMENT,
            f"PA_{id}",
            dataflow=FLOW,
            dataProvider=f"{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).{id}",
        )
        for id in ("NORTH", "SOUTH", "EVERYONE")
    ),
    *(
        artefact(
            K.DATA_CONSTRAINT,
            f"CR_{id}",
            constraintAttachment={
                "provisionAgreements": [f"{URN}registry.ProvisionAgreement=AG:PA_{id}(1.0.0)"]
            },
            cubeRegions=[{"keyValues": [{"id": "AREA", "values": [{"value": area}]}]}],
        )
        for id, area in (("NORTH", "NO"), ("SOUTH", "AT"))
    ),
)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
    running: Callable[[Path], AbstractContextManager[str]],
) -> Iterator[httpx.Client]:
    """Return a client of a service with one flow, three providers and a codelist of SDMX 2.1."""
    folder = tmp_path_factory.mktemp("structures")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    message = structure_message(StructureStore(ARTEFACTS).artefacts, prepared=now, sender="AG")
    (folder / "all.xml").write_bytes(message)
    draft = structure_message([DRAFT], prepared=now, sender="AG", version=MlVersion.ML31)
    (folder / "draft.xml").write_bytes(draft)
    rows = {"AREA": ["AT", "AT", "NO"], "SEX": ["F", "M", "F"], "TIME_PERIOD": ["2020"] * 3}
    root = tmp_path_factory.mktemp("releases")
    publish(
        root,
        title="Three rows",
        tables={"DSD": pl.DataFrame({**rows, "OBS_VALUE": [1.0, 2.0, 3.0]})},
        structures=folder,
        definitions={},
        annexes={},
        inputs={},
        generator="tests",
    )
    with running(root) as address, httpx.Client(base_url=address, verify=False) as client:
        yield client


def test_a_list_leaves_out_what_its_format_has_no_place_for_and_says_so(
    served: httpx.Client,
) -> None:
    answer = served.get("/sdmx/v2/structure/codelist")
    assert answer.status_code == 200
    listed = {one["id"] for one in answer.json()["data"]["codelists"]}
    assert listed == {"CL_AREA", "CL_NEW", "CL_SEX"}
    assert answer.headers["x-left-out"] == (
        f"{URN}codelist.Codelist=AG:CL_OLD(2.1.0.4) (version 2.1.0.4)"
    )
    whole = served.get("/sdmx/v2/structure/*")
    assert whole.status_code == 200
    assert "CL_OLD" in whole.headers["x-left-out"]


def test_what_is_named_and_has_no_place_is_refused(served: httpx.Client) -> None:
    answer = served.get("/sdmx/v2/structure/codelist/AG/CL_OLD/*")
    assert answer.status_code == 406
    assert answer.json()["where"].endswith("CL_OLD(2.1.0.4)")
    assert answer.json()["hint"] == "these have: format=json10, format=xml21"
    assert "x-left-out" not in answer.headers
    assert served.get("/sdmx/v2/structure/codelist/AG/CL_OLD/*?format=xml21").status_code == 200
    assert "CL_OLD" not in served.get("/rest/codelist").headers["x-left-out"]


@pytest.mark.parametrize("form", ["xml21", "json10"])
def test_of_all_versions_those_are_left_out_that_have_no_place(
    served: httpx.Client, form: str
) -> None:
    """REST 1.5, 4_3: ``all`` returns all matching artefacts; a draft must not hide the others."""
    answer = served.get(f"/rest/codelist/AG/CL_NEW/all?format={form}")
    assert answer.status_code == 200
    assert "CL_NEW(1.0.0)" in answer.text
    assert "draft" not in answer.text
    assert answer.headers["x-left-out"].startswith(DRAFT.urn)
    for named in ("2.0.0-draft", "latest"):
        refused = served.get(f"/rest/codelist/AG/CL_NEW/{named}?format={form}")
        assert refused.status_code == 406
        assert DRAFT.urn in refused.text  # in XML where that is asked for


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/rest/codelist/AG/CL_SEX", "structure+xml;version=2.1"),
        ("/rest/actualconstraint/AG/ACTUAL_DF", "structure+xml;version=2.1"),
        ("/sdmx/v2/structure/dataflow/AG/DF", "structure+xml;version=3.0.0"),
        ("/sdmx/v2/structure/datastructure/AG/DSD", "structure+xml;version=3.1.0"),
    ],
)
def test_a_stub_says_where_the_whole_is_in_the_same_version(
    served: httpx.Client, path: str, media: str
) -> None:
    """XSD, structureURL: "the URL of a SDMX-ML structure message (in the same version ...)"."""
    asked = {"Accept": f"application/vnd.sdmx.{media}"}
    stub = etree.fromstring(served.get(f"{path}?detail=allstubs", headers=asked).content)
    [found] = [one for one in stub.iter("*") if one.get("isExternalReference") == "true"]
    answer = served.get(found.get("structureURL", ""))
    assert answer.headers["content-type"] == asked["Accept"]
    named = etree.fromstring(answer.content).iter("*")
    [whole] = [one for one in named if one.get("urn") == found.get("urn")]
    assert whole.get("isExternalReference", "false") == "false"
    assert len(whole) > len(found)


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0", "2.1.0"])
@pytest.mark.parametrize("detail", ["allstubs", "allcompletestubs"])
def test_in_json_a_stub_links_to_the_whole(served: httpx.Client, version: str, detail: str) -> None:
    """JSON guide: the self link indicates "the URL address of the resource, and its URN"."""
    asked = {"Accept": f"application/vnd.sdmx.structure+json;version={version}"}
    path = f"/sdmx/v2/structure/codelist/AG/CL_SEX?detail={detail}&asOf=2999-01-02T00:00:00Z"
    [stub] = served.get(path, headers=asked).json()["data"]["codelists"]
    [link] = [one for one in stub["links"] if one["rel"] == "self"]
    assert link["urn"].endswith("AG:CL_SEX(1.0.0)")
    [whole] = served.get(link["href"], headers=asked).json()["data"]["codelists"]
    assert [one["id"] for one in whole["codes"]] == ["F", "M"]
    assert "codes" not in stub


def test_the_best_language_there_is_in_the_message_is_its_own(served: httpx.Client) -> None:
    """Spanish is spoken of the dataflow alone, the areas have French names (RFC 9110, 8.5)."""
    for path, main in (("codelist/AG/CL_AREA", "fr"), ("dataflow/AG/DF", "es"), ("codelist", "fr")):
        answer = served.get(
            f"/sdmx/v2/structure/{path}", headers={"Accept-Language": "es, fr;q=0.5"}
        )
        assert answer.headers["content-language"] == main
        assert answer.json()["meta"]["contentLanguages"][0] == main
    [area] = served.get(
        "/sdmx/v2/structure/codelist/AG/CL_AREA", headers={"Accept-Language": "es, fr;q=0.5"}
    ).json()["data"]["codelists"]
    assert area["name"] == "Territoires"


def test_content_languages_are_those_of_the_texts(served: httpx.Client) -> None:
    """JSON guide: "all languages used anywhere in the message for localized elements"."""
    for asked in ("fr", "de, en;q=0.5", "en"):
        path = "/sdmx/v2/structure/codelist/AG/CL_SEX"
        answer = served.get(path, headers={"Accept-Language": asked})
        assert answer.json()["meta"]["contentLanguages"] == ["en"]
    # What has no text has no language: the schema takes no empty list.
    path = "/sdmx/v2/availability/dataflow/AG/DF/1.0.0?format=json"
    assert "contentLanguages" not in served.get(path).json()["meta"]


@pytest.mark.parametrize("form", ["json21", "xml31", "xml21", "json20"])
def test_who_orders_a_language_gets_it_alone_and_is_told_that_there_are_others(
    served: httpx.Client, form: str
) -> None:
    """SDMX 3.1: ``isPartialLanguage``; what has no text in the language keeps the one it has."""
    path = f"/sdmx/v2/structure/dataflow/AG/DF/1.0.0?references=codelist&format={form}"
    files = {language: served.get(f"{path}&lang={language}").content for language in ("es", "all")}
    suffix = "m.xml" if form.startswith("xml") else "m.json"
    some, every = (
        {one.id: one.content for one in read_artefacts(files[language], suffix)}
        for language in ("es", "all")
    )
    assert {*every["DF"]["names"]} > {"es"} == {*some["DF"]["names"]}
    assert some["DF"].get("isPartialLanguage", False) == (form in ("json21", "xml31"))
    assert some["CL_SEX"] == every["CL_SEX"]
    assert "es" not in every["CL_SEX"]["names"]


def test_rest_1_tells_what_there_is_data_for_as_an_actual_constraint(served: httpx.Client) -> None:
    answer = served.get("/rest/actualconstraint/AG/ACTUAL_DF?format=json10")
    [found] = answer.json()["data"]["contentConstraints"]
    assert found["type"] == "Actual"
    assert found["isFinal"] is False
    [region] = found["cubeRegions"]
    values = {one["id"]: sorted(one["values"]) for one in region["keyValues"]}
    assert values == {"AREA": ["AT", "NO"], "SEX": ["F", "M"], "TIME_PERIOD": ["2020"]}
    parents = served.get("/rest/dataflow/AG/DF?references=contentconstraint").text
    assert 'type="Actual"' in parents
    assert 'type="Actual"' not in served.get("/rest/allowedconstraint").text
    # SDMX 3.x has no such artefact: there it is an answer about availability.
    assert "ACTUAL_DF" not in served.get("/sdmx/v2/structure/*").text


@pytest.mark.parametrize(
    ("provider", "areas"),
    [
        ("NORTH", {"NO"}),
        ("SOUTH", {"AT"}),
        ("EVERYONE", {"AT", "NO"}),
        ("NORTH+SOUTH", {"AT", "NO"}),
    ],
)
def test_a_provider_has_the_rows_that_its_agreement_admits(
    served: httpx.Client, provider: str, areas: set[str]
) -> None:
    answer = served.get(f"/rest/data/DF/all/{provider}?format=csv21")
    rows = [line.split(",") for line in answer.text.splitlines()]
    place = rows[0].index("AREA")
    assert {row[place] for row in rows[1:]} == areas


def test_two_agreements_on_a_flow_are_two_answers(served: httpx.Client) -> None:
    for id, rows in (("NORTH", 1), ("SOUTH", 2), ("EVERYONE", 3)):
        answer = served.get(f"/sdmx/v2/data/provisionagreement/AG/PA_{id}?format=csv21")
        assert len(answer.text.splitlines()) == rows + 1


def test_the_availability_of_a_provider_names_that_provider_alone(served: httpx.Client) -> None:
    path = "/rest/availableconstraint/DF/all/NORTH?references=dataproviderscheme&format=json10"
    found = served.get(path).json()["data"]
    [scheme] = found["dataProviderSchemes"]
    assert [one["id"] for one in scheme["dataProviders"]] == ["NORTH"]
    [constraint] = found["contentConstraints"]
    assert constraint["constraintAttachment"] == {"dataflows": [FLOW]}
    both = served.get("/rest/availableconstraint/DF/all/NORTH+SOUTH?format=json10").json()["data"]
    ids = [one["id"] for one in both["contentConstraints"]]
    assert ids == ["PA_NORTH", "PA_SOUTH"]


def test_what_could_be_chosen_is_told_where_nothing_is_chosen_that_exists(
    served: httpx.Client,
) -> None:
    path = "/sdmx/v2/availability/dataflow/AG/DF/1.0.0/NO.M"
    assert served.get(path).status_code == 204
    answer = served.get(f"{path}?mode=available", headers={"Accept": "application/json"})
    [constraint] = answer.json()["data"]["availabilityConstraints"]
    keys = constraint["cubeRegion"]["keyValues"]
    values = {one["id"]: [each["value"] for each in one["values"]] for one in keys}
    assert values == {"AREA": ["AT"], "SEX": ["F"]}
    assert (constraint["seriesCount"], constraint["obsCount"]) == (0, 0)


def test_all_is_a_word_for_every_type(served: httpx.Client) -> None:
    named = served.get("/sdmx/v2/structure/all/AG?detail=allstubs")
    assert (
        named.json()["data"] == served.get("/sdmx/v2/structure/*/AG?detail=allstubs").json()["data"]
    )
