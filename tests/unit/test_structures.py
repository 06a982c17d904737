"""The publication's structures hold together, and broken ones are refused with a place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdmx_service.errors import NotFound, StructureError
from sdmx_service.structures import (
    ArtefactKind,
    Attachment,
    DataStructure,
    References,
    StructureStore,
)

PROJECT = Path(__file__).parents[2]
STRUCTURES = PROJECT / "dsd" / "structures"


@pytest.fixture(scope="module")
def store() -> StructureStore:
    return StructureStore.read(STRUCTURES)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for file in STRUCTURES.glob("*.xml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def change(file: Path, old: str, new: str) -> int:
    """Replace the first ``old`` in a file; return its line."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def written_ids(heading: str, opening: str) -> list[str]:
    """Return the ids that docs/architecture.md lists after ``opening`` under a heading."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split(f"### {heading}")[1].split("###")[0]
    listed = re.search(rf"{opening}[^`]*`([A-Z0-9_\s]+)`", section)
    assert listed is not None
    return listed[1].split()


@pytest.mark.parametrize("id", ["DSD_INCL_IND", "DSD_INCL_GAP"])
def test_components_stand_in_the_order_of_the_architecture_page(
    store: StructureStore, id: str
) -> None:
    structure = store.datastructure(id)
    assert [c.id for c in structure.dimensions] == written_ids(id, "Dimensions")
    assert structure.time.id == "TIME_PERIOD"
    assert structure.measure.id == "OBS_VALUE"
    assert structure.measure.data_type == "Double"
    assert [c.id for c in structure.series_attributes] == written_ids(
        "DSD_INCL_IND", "Series attributes"
    )
    assert [c.id for c in structure.observation_attributes] == written_ids(
        id, "Observation attributes"
    )


def test_the_components_of_scales_are_those_of_the_architecture_page(
    store: StructureStore,
) -> None:
    id = "DSD_INCL_SCALE"
    structure = store.datastructure(id)
    found = {
        "Dimensions": structure.dimensions,
        "Series attributes": structure.series_attributes,
        "Observation attributes": structure.observation_attributes,
    }
    assert {part: [c.id for c in components] for part, components in found.items()} == {
        part: written_ids(id, part) for part in found
    }


@pytest.mark.parametrize("id", ["DSD_INCL_IND", "DSD_INCL_GAP", "DSD_INCL_SCALE"])
def test_every_dimension_is_coded_and_only_the_status_is_mandatory(
    store: StructureStore, id: str
) -> None:
    structure = store.datastructure(id)
    assert all(c.codelist is not None for c in structure.dimensions)
    assert [c.id for c in structure.attributes if c.mandatory] == ["OBS_STATUS"]


def test_the_dataflows_are_those_of_the_architecture_page(store: StructureStore) -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("### Dataflows")[1].split("## ")[0]
    assert {flow.id for flow in store.dataflows()} == set(re.findall(r"DF_[A-Z_]+", section))


def breakdown_groups(store: StructureStore, structure: DataStructure) -> list[str]:
    groups: list[str] = []
    for breakdown in store.codelist("CL_BREAKDOWN").codes:
        prefix = breakdown.annotations["PREFIX"]
        codelist = structure.by_id[breakdown.id].codelist
        assert codelist is not None
        if breakdown.id == "REF_AREA":
            groups += [prefix + code for code in ("SELF", "NATIONAL", "REST")]
        else:
            groups += [prefix + code.id for code in codelist.codes if code.id != "_T"]
            groups.append(prefix + "REST")
    return groups


def test_groups_are_the_prefix_of_the_breakdown_and_a_code_of_its_list(
    store: StructureStore,
) -> None:
    # all groups together, and none
    expected = [*breakdown_groups(store, store.datastructure("DSD_INCL_IND")), "_T", "_Z"]
    assert [code.id for code in store.codelist("CL_GROUP").codes] == expected


def test_groups_carry_the_words_people_read(store: StructureStore) -> None:
    structure = store.datastructure("DSD_INCL_IND")
    groups = store.codelist("CL_GROUP").by_id
    for breakdown in store.codelist("CL_BREAKDOWN").codes:
        codelist = structure.by_id[breakdown.id].codelist
        assert codelist is not None
        if breakdown.id == "REF_AREA":
            continue
        for code in codelist.codes:
            label = code.annotations["LABEL"]
            if code.id != "_T":
                assert (
                    groups[breakdown.annotations["PREFIX"] + code.id].annotations["LABEL"] == label
                )


def test_each_domain_flow_admits_exactly_the_indicators_of_its_domain(
    store: StructureStore,
) -> None:
    indicators = store.codelist("CL_INDICATOR").codes
    for domain in store.codelist("CL_DOMAIN").codes:
        flow = store.dataflow(f"DF_{domain.id}")
        of_domain = {c.id for c in indicators if c.annotations["DOMAIN"] == domain.id}
        assert of_domain
        assert flow.admits == {"INDICATOR": of_domain}


@pytest.mark.parametrize("id", ["DF_SUBNAT", "DF_GAP_SUBNAT"])
def test_subnational_flows_admit_exactly_the_areas_below_the_country(
    store: StructureStore, id: str
) -> None:
    below = {c.id for c in store.codelist("CL_AREA").codes if int(c.annotations["LEVEL"]) >= 1}
    assert store.dataflow(id).admits == {"REF_AREA": below}


def test_areas_form_a_tree_whose_depth_is_their_level(store: StructureStore) -> None:
    areas = store.codelist("CL_AREA").by_id
    for area in areas.values():
        level = int(area.annotations["LEVEL"])
        if area.parent is None:
            assert level == 0
        else:
            assert int(areas[area.parent].annotations["LEVEL"]) == level - 1


def test_no_area_but_the_synthetic_ones_stands_under_the_synthetic_country(
    store: StructureStore,
) -> None:
    for area in store.codelist("CL_AREA").codes:
        assert area.id.startswith("XA") == ("ynthetic" in area.name["en"])


def test_the_indicators_are_those_of_the_catalogue_and_our_contextual_ones(
    store: StructureStore, shared: Path
) -> None:
    text = (shared / "mission" / "indicators.yaml").read_text(encoding="utf-8")
    catalogue: list[dict[str, Any]] = yaml.safe_load(text)["indicators"]
    codes = store.codelist("CL_INDICATOR").by_id
    for indicator in catalogue:
        code = codes[indicator["code"]]
        assert code.name["en"] == indicator["name"]
        assert code.annotations["DOMAIN"] == indicator["domain"]
    headline = {i["code"] for i in catalogue if i["headline"]}
    assert store.dataflow("DF_HEADLINE").admits == {"INDICATOR": headline}
    units = {i["unit"].rstrip("*") for i in catalogue}
    assert units <= store.codelist("CL_UNIT_MEASURE").by_id.keys()


def test_codes_reused_from_other_agencies_exist_there(store: StructureStore, shared: Path) -> None:
    """The lists as they were published: shared/sdmx/codelists."""
    urn = re.compile(r"urn:sdmx:org\.sdmx\.infomodel\.codelist\.Codelist=(.+?):(.+?)\((.+)\)")
    compared = 0
    for artefact in store.find(ArtefactKind.CODELIST):
        codelist = store.codelist(artefact.id)
        for code in codelist.codes:
            origin = code.annotations.get("ORIGIN", codelist.annotations.get("ORIGIN", ""))
            if (found := urn.fullmatch(origin)) is None:
                continue
            file = shared / "sdmx" / "codelists" / f"{found[1]}_{found[2]}.csv"
            text = file.read_text(encoding="utf-8")
            assert f"{found[1]},{found[2]},{found[3]},{code.id}," in text, (artefact.id, code.id)
            compared += 1
    assert compared > 150


def test_the_label_of_disability_says_with_and_without(store: StructureStore) -> None:
    codes = store.codelist("CL_DISABILITY").by_id
    assert "with disability" in codes["PD"].annotations["LABEL"]
    assert "without disability" in codes["PWD"].annotations["LABEL"]


def test_an_office_changes_the_agency_with_one_replacement(copy: Path) -> None:
    for file in copy.glob("*.xml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"\bSIS\b", "NSO", text), encoding="utf-8")
    changed = StructureStore.read(copy)
    assert {found.agency for found in changed.find(version="*")} == {"NSO"}
    assert changed.dataflow("DF_GAP").structure.agency == "NSO"


def test_an_attribute_of_the_series_is_not_one_of_the_observation(store: StructureStore) -> None:
    structure = store.datastructure("DSD_INCL_IND")
    assert structure.by_id["UNIT_MEASURE"].attachment is Attachment.SERIES
    assert structure.by_id["STD_ERR"].attachment is Attachment.OBSERVATION


def test_versions_plus_latest_and_exact_find_the_same(store: StructureStore) -> None:
    for version in ("+", "~", "latest", "*", "1.0.0", "9.9.9,1.0.0"):
        assert len(store.find(ArtefactKind.CODELIST, "SIS", "CL_SEX,CL_AGE", version)) == 2
    assert store.find(ArtefactKind.CODELIST, "SIS", "CL_SEX", "2.0.0") == ()


def test_references_reach_what_the_standard_says(store: StructureStore) -> None:
    flow = store.find(ArtefactKind.DATAFLOW, "SIS", "DF_POV")

    def ids(references: References | ArtefactKind) -> set[str]:
        return {found.id for found in store.with_references(flow, references)[1:]}

    assert ids(References.NONE) == set()
    assert ids(References.CHILDREN) == {"DSD_INCL_IND"}
    assert ids(References.PARENTS) == {"CR_DF_POV", "CAT_DF_POV"}
    assert ids(References.PARENTS_AND_SIBLINGS) == {"CR_DF_POV", "CAT_DF_POV", "CS_DOMAIN"}
    assert {"DSD_INCL_IND", "CS_INCLUSION", "CL_SEX"} <= ids(References.DESCENDANTS)
    assert "CL_GROUP" not in ids(References.ALL)
    assert ids(References.ALL) == ids(References.DESCENDANTS) | ids(References.PARENTS_AND_SIBLINGS)
    assert ids(ArtefactKind.DATA_CONSTRAINT) == {"CR_DF_POV"}


def test_an_unknown_flow_is_not_found_and_close_ones_are_named(store: StructureStore) -> None:
    with pytest.raises(NotFound, match="did you mean DF_POV"):
        store.dataflow("DF_POW")


def test_a_reference_to_nothing_names_file_line_and_the_nearest_id(copy: Path) -> None:
    line = change(copy / "datastructures.xml", 'id="CL_QUANTILE"', 'id="CL_QUANTIL"')
    with pytest.raises(StructureError) as raised:
        StructureStore.read(copy)
    assert f"datastructures.xml:{line}" in raised.value.where
    assert raised.value.hint == "did you mean CL_QUANTILE?"


def test_a_concept_that_does_not_exist_names_file_and_line(copy: Path) -> None:
    line = change(copy / "concepts.xml", '<str:Concept id="CV">', '<str:Concept id="CVX">')
    assert line > 1
    with pytest.raises(StructureError, match=r"datastructures\.xml:\d+.*got 'CV'"):
        StructureStore.read(copy)


def test_a_code_that_is_there_twice_names_file_and_line(copy: Path) -> None:
    line = change(copy / "people.xml", '<str:Code id="M">', '<str:Code id="F">')
    with pytest.raises(StructureError) as raised:
        StructureStore.read(copy)
    assert f"people.xml:{line}" in raised.value.where
    assert "Duplicate key-sequence ['F']" in raised.value.got


def test_a_parent_that_is_no_code_names_file_and_line(copy: Path) -> None:
    line = change(copy / "areas.xml", '<Ref id="AT"/>', '<Ref id="AUT"/>')
    with pytest.raises(StructureError, match=rf"areas\.xml:{line}.*got 'AUT'"):
        StructureStore.read(copy)


def test_a_constraint_on_a_code_that_does_not_exist_names_file_and_line(copy: Path) -> None:
    old = "<com:Value>POV_ARPT60</com:Value>"
    line = change(copy / "dataflows.xml", old, "<com:Value>POV_ARPT61</com:Value>")
    with pytest.raises(StructureError, match=rf"dataflows\.xml:{line}.*got 'POV_ARPT61'"):
        StructureStore.read(copy)


def test_an_artefact_that_is_there_twice_names_both_places(copy: Path) -> None:
    (copy / "again.xml").write_bytes((copy / "areas.xml").read_bytes())
    with pytest.raises(StructureError, match=r"areas\.xml:\d+.*again\.xml:\d+"):
        StructureStore.read(copy)


def test_broken_xml_names_file_and_line(copy: Path) -> None:
    line = change(copy / "codelists.xml", "</str:Codelist>", "</str:Codelits>")
    with pytest.raises(StructureError, match=rf"codelists\.xml:{line}.*well-formed"):
        StructureStore.read(copy)


def test_an_element_the_standard_does_not_have_names_file_and_line(copy: Path) -> None:
    line = change(copy / "codelists.xml", '<str:Code id="PP">', '<str:Cod id="PP">')
    text = (copy / "codelists.xml").read_text(encoding="utf-8")
    at = text.index("</str:Code>", text.index("<str:Cod "))
    (copy / "codelists.xml").write_text(
        text[:at] + "</str:Cod>" + text[at + len("</str:Code>") :], encoding="utf-8"
    )
    with pytest.raises(StructureError, match=rf"codelists\.xml:{line}.*SDMX-ML 2\.1 schema"):
        StructureStore.read(copy)


def test_a_document_type_is_refused_and_its_entity_is_never_read(copy: Path) -> None:
    secret = copy / "secret.txt"
    secret.write_text("planted-secret", encoding="utf-8")
    entity = f'<!DOCTYPE x [<!ENTITY leak SYSTEM "{secret.as_uri()}">]>\n<mes:Structure '
    line = change(copy / "areas.xml", "<mes:Structure ", entity)
    change(copy / "areas.xml", ">Austria<", ">&leak;<")
    with pytest.raises(StructureError) as raised:
        StructureStore.read(copy)
    assert raised.value.where.endswith(f"areas.xml:{line}")
    assert "planted-secret" not in str(raised.value)
    assert "leak" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_cannot_hide_a_document_type(copy: Path, encoding: str) -> None:
    text = (copy / "areas.xml").read_text(encoding="utf-8")
    (copy / "areas.xml").write_bytes(text.replace("UTF-8", encoding).encode(encoding))
    with pytest.raises(StructureError, match="UTF-8"):
        StructureStore.read(copy)


def test_a_declared_encoding_other_than_utf8_is_refused(copy: Path) -> None:
    change(copy / "areas.xml", 'encoding="UTF-8"', 'encoding="UTF-7"')
    with pytest.raises(StructureError, match="UTF-8"):
        StructureStore.read(copy)


def test_a_directory_without_structures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match=r"no \*\.xml"):
        StructureStore.read(tmp_path)
