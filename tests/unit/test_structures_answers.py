"""Structure queries where lists take codes from others, or are kept elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from sdmx_service.errors import StructureError
from sdmx_service.structures import Artefact, ArtefactKind, References, StructureStore
from sdmx_service.structures.answer import answer
from sdmx_service.structures.detail import Detail
from sdmx_service.structures.store import Missing
from sdmx_service.structures.translation import in_languages

K = ArtefactKind
URN = "urn:sdmx:org.sdmx.infomodel."
STUB = {"isExternalReference": True}


def artefact(kind: ArtefactKind, id: str, **content: Any) -> Artefact:
    named = {"id": id, "agencyID": "AG", "version": "1.0.0", "names": {"en": id}}
    return Artefact(kind, {**named, **content}, f"{id}.xml")


def codelist(id: str, *codes: str, **content: Any) -> Artefact:
    """Return a codelist; ``B<A`` is B with the parent A."""
    said = []
    for one in codes:
        code, _, parent = one.partition("<")
        above = {"parent": parent} if parent else {}
        said.append({"id": code, "names": {"en": code}, **above})
    return artefact(K.CODELIST, id, codes=said, **content)


def extension(id: str, **how: Any) -> dict[str, Any]:
    return {"codelist": f"{URN}codelist.Codelist=AG:{id}(1.0.0)", **how}


def ids(*artefacts: Artefact) -> list[str]:
    return [one.id for one in artefacts]


CODES = codelist("CL", "W", "EU<W", "AT<EU", "A1B", "A2B", "B1")
NEAR = codelist("NEAR", codelistExtensions=[extension("CL")])
FAR = codelist("FAR", codelistExtensions=[extension("NEAR")])


@pytest.mark.parametrize("detail", [Detail.FULL, Detail.RAW])
def test_the_parents_of_a_codelist_are_all_lists_that_extend_it(detail: Detail) -> None:
    """REST 2.2, structures.md: "the artefacts that use the artefact matching the query"."""
    both = codelist("BOTH", codelistExtensions=[extension("CL"), extension("NEAR")])
    store = StructureStore((CODES, NEAR, FAR, both))
    found = answer(store, [CODES], references=References.PARENTS, detail=detail)
    assert ids(*found.referenced) == ["NEAR", "BOTH"]


def test_only_raw_brings_the_lists_that_others_extend() -> None:
    """The same: inherited codelists "should not be returned a second time"."""
    store = StructureStore((CODES, NEAR, FAR))
    raw = answer(store, [FAR], references=References.DESCENDANTS, detail=Detail.RAW)
    assert ids(*raw.referenced) == ["CL", "NEAR"]
    for references in (References.DESCENDANTS, References.ALL, [K.CODELIST]):
        assert answer(store, [FAR], references=references).referenced == ()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"wildcardedMemberValues": ["%B"]}, ["A1B", "A2B"]),
        ({"wildcardedMemberValues": ["%2%"]}, ["A2B"]),
        ({"wildcardedMemberValues": ["A%B"]}, ["A1B", "A2B"]),
        ({"memberValues": [{"value": "E%", "cascadeValues": True}]}, ["EU", "AT"]),
        ({"memberValues": [{"value": "E%", "cascadeValues": "excluderoot"}]}, ["AT"]),
        ({"memberValues": [{"value": "NONE", "cascadeValues": True}]}, []),
    ],
)
def test_wildcards_stand_anywhere_and_cascade(
    selection: dict[str, Any], expected: list[str]
) -> None:
    """SDMX-ML 3.1, WildcardedMemberValueType: "optional wildcard characters ('%')"."""
    some = codelist("X", codelistExtensions=[extension("CL", inclusiveCodeSelection=selection)])
    store = StructureStore((CODES, some))
    assert [code.id for code in store.codelist("X").codes] == expected


def test_a_list_that_extends_one_kept_elsewhere_stays_as_it_is() -> None:
    stub = artefact(K.CODELIST, "CL", **STUB)
    uses = codelist("X", "OWN", codelistExtensions=[extension("CL")])
    concepts = artefact(K.CONCEPT_SCHEME, "CS", concepts=[{"id": "C", "names": {"en": "C"}}])
    named = artefact(
        K.CATEGORISATION,
        "CAT",
        source=f"{URN}codelist.Code=AG:X(1.0.0).FROM_ELSEWHERE",
        target=f"{URN}conceptscheme.Concept=AG:CS(1.0.0).C",
    )
    store = StructureStore((stub, uses, concepts, named))
    assert answer(store, [uses]).asked[0].content == uses.content
    assert store.codelist("X").partial


def test_a_constraint_is_not_held_to_a_structure_or_list_kept_elsewhere() -> None:
    at = f"{URN}conceptscheme.Concept=AG:CS(1.0.0).AREA"
    concepts = artefact(K.CONCEPT_SCHEME, "CS", concepts=[{"id": "AREA", "names": {"en": "A"}}])
    shown = {"localRepresentation": {"enumeration": extension("CL")["codelist"]}}
    area = {"id": "AREA", "conceptIdentity": at, **shown}
    value = {"id": "OBS_VALUE", "conceptIdentity": at}
    parts = {
        "dimensionList": {"id": "DimensionDescriptor", "dimensions": [area]},
        "measureList": {"id": "MeasureDescriptor", "measures": [value]},
    }
    structure = artefact(K.DATA_STRUCTURE, "DSD", dataStructureComponents=parts)
    flow = artefact(K.DATAFLOW, "DF", structure=structure.urn)
    limit = artefact(
        K.DATA_CONSTRAINT,
        "CR",
        constraintAttachment={"dataflows": [flow.urn]},
        cubeRegions=[{"keyValues": [{"id": "AREA", "values": [{"value": "AT"}]}]}],
    )
    elsewhere = artefact(K.CODELIST, "CL", **STUB)
    store = StructureStore((concepts, structure, flow, limit, elsewhere))
    assert store.dataflow("DF").admits == {"AREA": {"AT"}}
    stub = artefact(K.DATA_STRUCTURE, "DSD", **STUB)
    assert StructureStore((stub, flow, limit)).dataflow("DF").admits == {}
    with pytest.raises(StructureError, match="a code of CL"):
        StructureStore((concepts, structure, flow, limit, codelist("CL", "NO")))


def test_the_items_of_a_hierarchical_codelist_are_its_hierarchies() -> None:
    """REST 1.5: "hierarchicalcodelist is also a collection, i.e. a collection of hierarchies"."""
    several = artefact(
        K.HIERARCHICAL_CODELIST,
        "HCL",
        hierarchies=[{"id": id, "names": {"en": id}} for id in ("H1", "H2", "H3")],
    )
    one = artefact(K.HIERARCHY, "H2")
    store = StructureStore((several, one))
    [first, second] = answer(store, [several, one], items=["H2", "H3"]).asked
    assert ids(first, second) == ["HCL", "H2"]
    assert [each["id"] for each in first.content["hierarchies"]] == ["H2", "H3"]
    assert answer(store, [several, one], items=["H9"]).asked == ()


def test_who_names_an_item_by_its_last_part_is_told_its_path() -> None:
    inside = {"id": "B", "names": {"en": "B"}}
    scheme = artefact(
        K.CATEGORY_SCHEME,
        "CATS",
        categories=[{"id": "A", "names": {"en": "A"}, "categories": [inside]}],
    )
    named = artefact(
        K.CATEGORISATION,
        "CAT",
        source=CODES.urn,
        target=f"{URN}categoryscheme.Category=AG:CATS(1.0.0).B",
    )
    with pytest.raises(StructureError, match=r"got 'B' \(did you mean A\.B\?\)"):
        StructureStore((CODES, scheme, named))
    part = Artefact(scheme.kind, {**scheme.content, "categories": [], "isPartial": True})
    store = StructureStore((CODES, part, named), missing=Missing.TOLD)
    [(_, problem)] = store.problems(named)
    assert problem.hint == "only a part of that scheme is here; import the whole"


def test_a_part_of_the_languages_stays_a_part_and_other_texts_stay() -> None:
    named = {"names": {"en": "A", "fr": "Â"}, "isPartialLanguage": True}
    whole = artefact(
        K.CODELIST,
        "CL",
        codes=[{"id": "A", "names": {"en": "a"}, "descriptions": {"de": "d", "fr": "f"}}],
        annotations=[{"id": "N", "texts": {"de": "d", "es": "e"}}],
    )
    again = Artefact(whole.kind, {**whole.content, **named})
    found = in_languages(again, {"fr"}, ("fr", "en"), marked=True)
    assert found.content == {
        **again.content,
        "names": {"fr": "Â"},
        "codes": [{"id": "A", "names": {"en": "a"}, "descriptions": {"fr": "f"}}],
        "annotations": [{"id": "N", "texts": {"de": "d"}}],
    }
    assert in_languages(codelist("CL", "A"), {"fr"}, ("fr", "en"), marked=True).content == (
        codelist("CL", "A").content
    )
