"""A store of any artefacts: references, extensions, constraints, items and parts of lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sdmx_service.errors import StructureError
from sdmx_service.structures import (
    Artefact,
    ArtefactKind,
    Attachment,
    Missing,
    References,
    StructureStore,
)
from sdmx_service.structures.answer import Answer, answer
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.messages import DEEPEST
from sdmx_service.structures.partial import items
from sdmx_service.structures.readers import read_artefacts

K = ArtefactKind
URN = "urn:sdmx:org.sdmx.infomodel."
CL = f"{URN}codelist.Codelist=AG:%s(1.0.0)"
CONCEPT = f"{URN}conceptscheme.Concept=AG:CS(1.0.0).%s"
DSD = f"{URN}datastructure.DataStructure=AG:DSD(1.0+.0)"
FLOW = f"{URN}datastructure.Dataflow=AG:DF(1.0.0)"
AGREEMENT = f"{URN}registry.ProvisionAgreement=AG:%s(1.0.0)"


def artefact(kind: ArtefactKind, id: str, version: str = "1.0.0", **content: Any) -> Artefact:
    return Artefact(
        kind,
        {"id": id, "agencyID": "AG", "version": version, "names": {"en": id}, **content},
        f"{id}.xml",
    )


def codes(*ids: str) -> list[dict[str, Any]]:
    """Return codes; ``B<A`` is B with the parent A."""
    found = []
    for one in ids:
        id, _, parent = one.partition("<")
        found.append({"id": id, "names": {"en": id}} | ({"parent": parent} if parent else {}))
    return found


def component(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "conceptIdentity": CONCEPT % id, **more}


def coded(id: str, codelist: str, **more: Any) -> dict[str, Any]:
    return component(id, localRepresentation={"enumeration": CL % codelist}, **more)


AREAS = artefact(K.CODELIST, "CL_AREA", codes=codes("W", "AT<W", "AT1<AT", "AT2<AT", "NO<W"))
SEXES = artefact(K.CODELIST, "CL_SEX", codes=codes("F", "M", "_T"))
CONCEPTS = artefact(
    K.CONCEPT_SCHEME,
    "CS",
    concepts=[
        {"id": "SEX", "names": {"en": "Sex"}, "coreRepresentation": {"enumeration": CL % "CL_SEX"}},
        *(
            {"id": id, "names": {"en": id}}
            for id in ("AREA", "TIME_PERIOD", "TITLE", "NOTE", "UNIT")
        ),
        *({"id": id, "names": {"en": id}} for id in ("OBS_VALUE", "SHARE", "UNUSED")),
    ],
)
STRUCTURE = artefact(
    K.DATA_STRUCTURE,
    "DSD",
    version="1.2.0",
    dataStructureComponents={
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [component("SEX"), coded("AREA", "CL_AREA")],
            "timeDimension": component("TIME_PERIOD"),
        },
        "groups": [{"id": "BY_AREA", "groupDimensions": ["AREA"]}],
        "attributeList": {
            "id": "AttributeDescriptor",
            "attributes": [
                component("TITLE", attributeRelationship={"group": "BY_AREA"}),
                component(
                    "NOTE",
                    usage="mandatory",
                    localRepresentation={
                        "format": {"dataType": "String", "isMultiLingual": True, "maxLength": 9},
                        "maxOccurs": "unbounded",
                    },
                    attributeRelationship={"dataflow": {}},
                ),
                component("UNIT", attributeRelationship={"dimensions": ["SEX", "AREA"]}),
            ],
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [component("OBS_VALUE"), component("SHARE")],
        },
    },
)
DATAFLOW = artefact(K.DATAFLOW, "DF", structure=DSD)
PROVIDERS = artefact(
    K.DATA_PROVIDER_SCHEME,
    "DATA_PROVIDERS",
    version="1.0",
    dataProviders=[{"id": id, "names": {"en": id}} for id in ("P1", "P2", "P3")],
)
BASE = (AREAS, SEXES, CONCEPTS, STRUCTURE, DATAFLOW, PROVIDERS)


def constraint(id: str, *regions: dict[str, Any], **attachment: Any) -> Artefact:
    attached = attachment or {"dataflows": [FLOW]}
    return artefact(K.DATA_CONSTRAINT, id, constraintAttachment=attached, cubeRegions=list(regions))


def region(include: bool = True, **selections: Any) -> dict[str, Any]:
    parts = [{"id": id, **selection} for id, selection in selections.items()]
    return {"keyValues": parts} | ({} if include else {"include": False})


def of(*values: str, **more: Any) -> dict[str, Any]:
    return {"values": [{"value": value, **more} for value in values]}


def admits(*constraints: Artefact) -> dict[str, frozenset[str]]:
    return dict(StructureStore((*BASE, *constraints)).dataflow("DF").admits)


def agreement(id: str, provider: str) -> Artefact:
    return artefact(
        K.PROVISION_AGREEMENT,
        id,
        dataflow=FLOW,
        dataProvider=f"{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).{provider}",
    )


def test_a_structure_of_sdmx_3_is_seen_whole() -> None:
    structure = StructureStore(BASE).dataflow("DF").structure
    assert structure.version == "1.2.0"  # the reference says 1.0+.0
    sex = structure.by_id["SEX"].codelist
    assert sex is not None  # from the concept
    assert list(sex.by_id) == ["F", "M", "_T"]
    assert [one.id for one in structure.measures] == ["OBS_VALUE", "SHARE"]
    assert structure.groups == {"BY_AREA": ("AREA",)}
    title, note, unit = structure.attributes
    assert (title.attachment, title.relation) == (Attachment.GROUP, ("AREA",))
    assert (note.attachment, note.mandatory) == (Attachment.DATASET, True)
    assert (note.multiple, note.multilingual) == (True, True)
    assert note.facets == {"isMultiLingual": "true", "maxLength": "9"}
    assert (unit.attachment, unit.relation) == (Attachment.SERIES, ("SEX", "AREA"))


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ([], {}),
        ([constraint("C", region(SEX=of("F", "M")))], {"SEX": "F M"}),
        (
            [constraint("C", region(SEX=of("F", include=False) | {"include": False}))],
            {"SEX": "M _T"},
        ),
        ([constraint("C", region(AREA=of("AT", cascadeValues=True)))], {"AREA": "AT AT1 AT2"}),
        (
            [constraint("C", region(AREA=of("AT", cascadeValues="excluderoot")))],
            {"AREA": "AT1 AT2"},
        ),
        ([constraint("C", region(AREA=of("AT%")))], {"AREA": "AT AT1 AT2"}),
        # what is left out of one component is taken away; of two it is a matter of keys
        ([constraint("C", region(False, SEX=of("_T")))], {"SEX": "F M"}),
        ([constraint("C", region(False, SEX=of("_T"), AREA=of("W")))], {}),
        ([constraint("C", region(SEX=of("F", "M")), region(False, SEX=of("M")))], {"SEX": "F"}),
        # of several regions any; a component that one leaves free is free
        (
            [constraint("C", region(SEX=of("F")), region(SEX=of("M"), AREA=of("NO")))],
            {"SEX": "F M"},
        ),
        # of several constraints all
        (
            [
                constraint("C", region(SEX=of("F", "M"))),
                constraint("D", region(SEX=of("M", "_T")), dataStructures=[DSD]),
            ],
            {"SEX": "M"},
        ),
        # what one provider may send says nothing of the flow
        (
            [
                agreement("PA1", "P1"),
                constraint("C", region(SEX=of("F")), provisionAgreements=[AGREEMENT % "PA1"]),
            ],
            {},
        ),
    ],
)
def test_a_flow_admits_what_its_constraints_say(
    constraints: list[Artefact], expected: dict[str, str]
) -> None:
    assert admits(*constraints) == {id: set(text.split()) for id, text in expected.items()}


def test_an_agreement_admits_what_it_and_its_flow_are_constrained_to() -> None:
    store = StructureStore(
        (
            *BASE,
            agreement("PA1", "P1"),
            agreement("PA2", "P2"),
            constraint("C", region(SEX=of("F", "M"))),
            constraint("D", region(SEX=of("M", "_T")), provisionAgreements=[AGREEMENT % "PA1"]),
        )
    )
    assert store.provisioned("PA1").admits == {"SEX": {"M"}}
    assert store.provisioned("PA2").admits == store.dataflow("DF").admits == {"SEX": {"F", "M"}}
    assert [one.id for one in store.provisioned("PA1").constraints] == ["C", "D"]


def test_a_constraint_of_an_agreement_on_no_code_is_refused() -> None:
    wrong = constraint("C", region(SEX=of("X")), provisionAgreements=[AGREEMENT % "PA1"])
    with pytest.raises(StructureError, match=r"a code of CL_SEX.*got 'X'"):
        StructureStore((*BASE, agreement("PA1", "P1"), wrong))


def test_the_range_of_time_of_a_constraint_is_kept() -> None:
    span = {
        "startPeriod": {"period": "2001"},
        "endPeriod": {"period": "2020", "isInclusive": False},
    }
    store = StructureStore((*BASE, constraint("C", region(TIME_PERIOD={"timeRange": span}))))
    [found] = store.dataflow("DF").constraints
    assert found.regions[0].selections["TIME_PERIOD"].periods == {
        "startPeriod": ("2001", True),
        "endPeriod": ("2020", False),
    }


def test_what_a_constraint_says_of_attributes_stands_apart() -> None:
    both = region(SEX=of("F")) | {"components": [{"id": "UNIT", **of("PC")}]}
    flow = StructureStore((*BASE, constraint("C", both))).dataflow("DF")
    assert flow.admits == {"SEX": {"F"}}
    assert flow.constraints[0].regions[0].attributes["UNIT"].values == (("PC", False),)


def test_a_constraint_on_nothing_is_refused_but_not_in_an_import() -> None:
    wrong = constraint("C", region(SEX=of("X")))
    with pytest.raises(StructureError, match=r"C\.xml.*a code of CL_SEX.*got 'X'"):
        StructureStore((*BASE, wrong))
    store = StructureStore((*BASE, wrong), missing=Missing.ALLOWED)
    assert store.dataflow("DF").admits == {"SEX": {"X"}}


def extension(codelist: str, **more: Any) -> dict[str, Any]:
    return {"codelist": CL % codelist, **more}


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([extension("CL_SEX")], "OWN M<OWN F _T"),  # its own code wins
        ([extension("CL_SEX", prefix="X_")], "OWN M<OWN X_F X_M X__T"),
        (
            [extension("CL_AREA", prefix="P_", inclusiveCodeSelection={"memberValues": [
                {"value": "AT", "cascadeValues": True}]})],
            "OWN M<OWN P_AT P_AT1<P_AT P_AT2<P_AT",
        ),
        (
            [extension("CL_AREA", inclusiveCodeSelection={"memberValues": [
                {"value": "AT", "cascadeValues": "excluderoot"}]})],
            "OWN M<OWN AT1 AT2",
        ),
        (
            [extension("CL_AREA", exclusiveCodeSelection={"wildcardedMemberValues": ["AT%"]})],
            "OWN M<OWN W NO<W",
        ),
        (
            [extension("CL_AREA", exclusiveCodeSelection={"memberValues": [{"value": "NO"}]}),
             extension("CL_MORE")],
            "OWN M<OWN W AT<W AT1<AT AT2<AT NO",
        ),
    ],
)  # fmt: skip
def test_a_codelist_has_the_codes_it_takes_from_others(
    extensions: list[dict[str, Any]], expected: str
) -> None:
    whole = artefact(
        K.CODELIST, "CL_ALL", codes=codes("OWN", "M<OWN"), codelistExtensions=extensions
    )
    more = artefact(K.CODELIST, "CL_MORE", codes=codes("NO"))
    found = StructureStore((AREAS, SEXES, more, whole)).codelist("CL_ALL").codes
    assert [c.id + (f"<{c.parent}" if c.parent else "") for c in found] == expected.split()


def test_the_codes_a_list_takes_from_others_can_be_asked_for() -> None:
    extended = artefact(K.CODELIST, "CL_ALL", codelistExtensions=[extension("CL_SEX")])
    store = StructureStore((SEXES, extended))
    asked = store.find(K.CODELIST, "AG", "CL_ALL")
    assert item_ids(answer(store, asked, items=["F"]).asked, "CL_ALL") == ["F"]
    assert answer(store, asked, items=["F"], detail=Detail.RAW).asked == ()


def test_codelists_that_extend_each_other_in_a_circle_are_refused() -> None:
    one = artefact(K.CODELIST, "A", codelistExtensions=[extension("B")])
    two = artefact(K.CODELIST, "B", codelistExtensions=[extension("A")])
    with pytest.raises(StructureError, match="circle"):
        StructureStore((one, two))


def test_references_reach_what_the_standard_says() -> None:
    limit = constraint("C", region(SEX=of("F")))
    store = StructureStore((*BASE, agreement("PA", "P1"), limit))
    asked = store.find(K.DATA_STRUCTURE)

    def ids(references: Any) -> set[str]:
        return {found.id for found in store.with_references(asked, references)[1:]}

    assert ids(References.CHILDREN) == {"CS", "CL_AREA"}
    assert ids(References.DESCENDANTS) == {"CS", "CL_AREA", "CL_SEX"}
    assert ids(References.PARENTS) == {"DF"}
    assert ids(References.ANCESTORS) == {"DF", "PA", "C"}
    assert ids(References.PARENTS_AND_SIBLINGS) == {"DF"}
    assert ids(References.ALL) == {"DF", "CS", "CL_AREA", "CL_SEX"}
    # What may be referred to directly is meant so; what cannot, at any distance.
    assert ids([K.CODELIST, K.PROVISION_AGREEMENT]) == {"CL_AREA", "PA"}
    flow = store.find(K.DATAFLOW)
    lists = {found.id for found in store.with_references(flow, K.CODELIST)[1:]}
    assert lists == {"CL_AREA", "CL_SEX"}


def test_the_scheme_that_holds_an_agency_comes_with_what_the_agency_keeps() -> None:
    units = {"id": "AGENCIES", "agencyID": "AG", "version": "1.0", "names": {"en": "Units"}}
    units["agencies"] = [{"id": "UNIT", "names": {"en": "Unit"}}]
    below = {**SEXES.content, "agencyID": "AG.UNIT"}
    scheme, sexes = Artefact(K.AGENCY_SCHEME, units), Artefact(K.CODELIST, below)
    store = StructureStore((scheme, sexes, SEXES))
    assert store.with_references([sexes], References.CHILDREN)[1:] == (scheme,)
    assert store.with_references([sexes], K.AGENCY_SCHEME)[1:] == (scheme,)
    assert store.with_references([scheme], References.PARENTS)[1:] == (sexes,)
    assert store.with_references([SEXES], References.ALL)[1:] == ()  # nobody here holds AG


def test_a_constraint_may_name_a_code_of_which_the_list_tells_only_a_part() -> None:
    part = Artefact(K.CODELIST, {**AREAS.content, "isPartial": True})
    found = tuple(part if one is AREAS else one for one in BASE)
    store = StructureStore((*found, constraint("C", region(AREA=of("NOWHERE")))))
    assert store.dataflow("DF").admits == {"AREA": {"NOWHERE"}}


def replied(store: StructureStore, kind: ArtefactKind, **how: Any) -> Answer:
    return answer(store, store.find(kind), **how)


def item_ids(found: tuple[Artefact, ...], id: str) -> list[str]:
    [one] = [one for one in found if one.id == id]
    return [item["id"] for item in one.content.get(str(one.kind.items), [])]


def test_referencepartial_leaves_the_items_that_are_used() -> None:
    limit = constraint("C", region(AREA=of("AT1")))
    store = StructureStore((*BASE, agreement("PA", "P1"), limit))
    found = replied(
        store, K.DATAFLOW, references=References.ALL, detail=Detail.REFERENCE_PARTIAL
    ).referenced
    assert item_ids(found, "CL_AREA") == ["W", "AT", "AT1"]  # with what is above it
    assert item_ids(found, "CL_SEX") == ["F", "M", "_T"]  # nothing limits it
    assert "UNUSED" not in item_ids(found, "CS")
    assert item_ids(found, "DATA_PROVIDERS") == ["P1"]
    partial = {one.id for one in found if one.content.get("isPartial")}
    assert partial == {"CL_AREA", "CS", "DATA_PROVIDERS"}


def test_raw_keeps_extensions_and_full_resolves_them() -> None:
    extended = artefact(K.CODELIST, "CL_ALL", codelistExtensions=[extension("CL_SEX")])
    store = StructureStore((SEXES, extended))
    asked = store.find(K.CODELIST, "AG", "CL_ALL")
    full = answer(store, asked, references=References.DESCENDANTS)
    assert item_ids(full.asked, "CL_ALL") == ["F", "M", "_T"]
    assert "codelistExtensions" not in full.asked[0].content
    assert full.referenced == ()
    raw = answer(store, asked, references=References.DESCENDANTS, detail=Detail.RAW)
    assert raw.asked[0].content == extended.content
    assert [one.id for one in raw.referenced] == ["CL_SEX"]


CATEGORIES = artefact(
    K.CATEGORY_SCHEME,
    "CATS",
    categories=[
        {
            "id": "A",
            "names": {"en": "A"},
            "categories": [
                {
                    "id": "B",
                    "names": {"en": "B"},
                    "categories": [{"id": "C", "names": {"en": "C"}}],
                },
                {"id": "D", "names": {"en": "D"}},
            ],
        },
        {"id": "E", "names": {"en": "E"}},
    ],
)


def test_an_item_comes_with_its_ancestors_and_without_what_is_below_it() -> None:
    found = items(CATEGORIES, {"A.B"})
    assert found.content["isPartial"] is True
    assert found.content["categories"] == [
        {"id": "A", "names": {"en": "A"}, "categories": [{"id": "B", "names": {"en": "B"}}]}
    ]
    assert items(CATEGORIES, {"X"}).content.get("categories") is None
    assert [one["id"] for one in items(AREAS, {"AT1", "NO"}).content["codes"]] == ["AT1", "NO"]
    assert [one["id"] for one in items(AREAS, {"AT1"}, parents=True).content["codes"]] == [
        *("W", "AT", "AT1")
    ]


def test_an_item_query_brings_what_refers_to_the_item() -> None:
    def categorisation(id: str, item: str) -> Artefact:
        return artefact(
            K.CATEGORISATION,
            id,
            version="1.0",
            source=FLOW,
            target=f"{URN}categoryscheme.Category=AG:CATS(1.0.0).{item}",
        )

    store = StructureStore(
        (*BASE, CATEGORIES, categorisation("X", "A.B"), categorisation("Y", "E"))
    )
    found = replied(store, K.CATEGORY_SCHEME, items=["A.B"], references=References.PARENTS)
    assert [one.id for one in found.referenced] == ["X"]
    assert replied(store, K.CATEGORY_SCHEME, items=["NONE"]).asked == ()


@pytest.mark.parametrize("version", ["1.5.0", "2.2.2"])
def test_every_type_of_the_official_paths_is_a_kind(shared: Path, version: str) -> None:
    text = (shared / "sdmx" / "openapi" / f"sdmx-rest-{version}.yaml").read_text(encoding="utf-8")
    api = yaml.safe_load(text)
    if version == "1.5.0":
        other = {"data", "metadata", "schema", "availableconstraint", "other"}
        names = {path.split("/")[1] for path in api["paths"]} - other
    else:
        names = set(api["components"]["parameters"]["structureType"]["schema"]["enum"])
    assert len(names) > 20
    assert {name for name in names if not K.of_path(name)} == set()


def test_parts_within_parts_without_end_are_refused() -> None:
    opened = "".join(f'<str:Category id="C{n}"><com:Name>x</com:Name>' for n in range(DEEPEST + 10))
    closed = "</str:Category>" * (DEEPEST + 10)
    schemas = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
    message = (
        f'<mes:Structure xmlns:mes="{schemas}/message" xmlns:str="{schemas}/structure" '
        f'xmlns:com="{schemas}/common"><mes:Header><mes:ID>X</mes:ID><mes:Test>false</mes:Test>'
        '<mes:Prepared>2026-11-22T00:00:00</mes:Prepared><mes:Sender id="X"/></mes:Header>'
        '<mes:Structures><str:CategorySchemes><str:CategoryScheme id="S" agencyID="AG">'
        f"<com:Name>x</com:Name>{opened}{closed}</str:CategoryScheme></str:CategorySchemes>"
        "</mes:Structures></mes:Structure>"
    )
    with pytest.raises(StructureError, match=f"deep.xml:1: expected at most {DEEPEST}"):
        read_artefacts(message.encode(), "deep.xml")


def test_the_latest_stable_of_what_has_one_version_is_that_one() -> None:
    store = StructureStore(BASE)
    assert [one.id for one in store.find(K.DATA_PROVIDER_SCHEME, version="+")] == ["DATA_PROVIDERS"]


def test_an_item_that_a_reference_names_must_be_there() -> None:
    with pytest.raises(StructureError, match=r"PA\.xml.*a DataProvider of AG:DATA_PROVIDERS.*'P9'"):
        StructureStore((*BASE, agreement("PA", "P9")))
