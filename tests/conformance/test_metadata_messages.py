"""Reference metadata survive every format that can carry them, valid by its schema."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.errors import DataError, NotAcceptable, StructureError
from sdmx_service.formats.message import Labels
from sdmx_service.formats.metadata import MetadataMessage, read_metadata
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure
from sdmx_service.structures.metadataset import MetadataSet, settled
from tests.conformance.metadata_examples import (
    AGREEMENT,
    CASES,
    FLOW,
    ML_21,
    NAMES,
    NESTED,
    PLAIN,
    PREPARED,
    STRUCTURES,
    TYPED,
    assert_valid,
    bare,
    message,
    metadata_set,
    specific_schema,
    written,
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "text"), [(math.inf, "INF"), (-math.inf, "-INF"), (math.nan, "NaN")]
)
def test_what_is_no_finite_number_is_written_as_xml_schema_does(
    name: str, value: float, text: str
) -> None:
    """XML Schema part 2, 3.2.5.1; SDMX-CSV follows it, and JSON has no number for it."""
    content = written(name, message(metadata_set([{"id": "SHARE", "value": value}])))
    assert_valid(name, content)
    (again,) = read_metadata(name, content, STRUCTURES).sets
    assert str(again.attributes[0]["value"]) == (text if "json" in name else str(value))
    (raw,) = read_metadata(name, content).sets
    if "metadataxml" not in name:  # its values say their type themselves
        assert raw.attributes[0]["value"] == text


@pytest.mark.parametrize(("one", "name"), CASES)
def test_what_is_written_is_valid_and_read_again_unchanged(one: MetadataSet, name: str) -> None:
    content = written(name, message(one))
    assert_valid(name, content)
    (again,) = read_metadata(name, content, STRUCTURES).sets
    if "csv" in name:
        assert bare(again) == bare(one)
    else:
        assert again.content == one.content


@pytest.mark.parametrize("name", NAMES)
def test_several_sets_keep_their_order_and_their_agreement(name: str) -> None:
    by_agreement = metadata_set(
        [{"id": "TEXT", "value": {"en": "b"}}],
        id="QR2",
        metadataflow=None,
        metadataProvisionAgreement=AGREEMENT,
    )
    if name in ML_21:  # SDMX 2.1 has no such agreement: the flow stands for it
        by_agreement = metadata_set([{"id": "TEXT", "value": {"en": "b"}}], id="QR2")
    content = written(name, message(PLAIN, by_agreement))
    assert_valid(name, content)
    found = read_metadata(name, content, STRUCTURES).sets
    assert [one.id for one in found] == ["QR", "QR2"]
    assert found[1].reported_to == by_agreement.reported_to


@pytest.mark.parametrize("name", [one for one in NAMES if one not in ML_21])
def test_a_stub_says_who_and_what_about_and_no_value(name: str) -> None:
    content = written(name, message(NESTED.stub, stubs=True))
    assert_valid(name, content)
    (again,) = read_metadata(name, content, STRUCTURES).sets
    assert (again.id, again.agency, again.version) == ("QR", "SIS", "1.0.0")
    assert not any("value" in attribute for _, attribute in again.values())


def test_markup_goes_as_structured_text_and_comes_back() -> None:
    markup = '<p xmlns="http://www.w3.org/1999/xhtml">A <b>bold</b> word</p>'
    one = metadata_set([{"id": "TEXT", "format": {"dataType": "XHTML"}, "value": {"en": markup}}])
    for name in ("metadataxml30", "metadataxml31"):
        content = written(name, message(one))
        assert b"StructuredText" in content
        (again,) = read_metadata(name, content).sets
        assert again.content == one.content


def test_structure_specific_metadata_can_be_read_without_knowing_the_structure() -> None:
    """Section 3A, part IV: the ids "are not expected to be supplied", for types fix them."""
    content = written("structurespecificmetadata", message(NESTED))
    root = etree.fromstring(content)
    for element in root.iter("CONTACT", "NAME", "PHONE", "NOTE", "Report", "Target"):
        assert element.attrib.pop("id") in (element.tag, "MetadataAttributeDescriptor", "ANY")
    bare_ids = etree.tostring(root)
    assert_valid("structurespecificmetadata", bare_ids)
    (again,) = read_metadata("structurespecificmetadata", bare_ids).sets
    assert again.content == NESTED.content


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b'value="2721"', b'value="many"'),
        (b'value="true"', b'value="perhaps"'),
        (b"<COUNT ", b"<COLOUR "),
        (b'id="COUNT"', b'id="COLOUR"'),
        (b' value="2721"', b""),
        (b'value="true"/>', b'value="true"><com:Text>no text</com:Text></TRUE>'),
        (b'class="Code"', b'class="Nothing"'),
        (b'id="ANY_OBJECT"', b'id="OTHER"'),
    ],
)
def test_the_schema_of_a_structure_refuses_what_the_structure_does_not_have(
    good: bytes, bad: bytes
) -> None:
    content = written("structurespecificmetadata", message(TYPED))
    assert good in content
    spoilt = content.replace(good, bad, 1)
    if bad == b"<COLOUR ":
        spoilt = spoilt.replace(b"</COUNT>", b"</COLOUR>")
    assert specific_schema().validate(etree.fromstring(content))
    assert not specific_schema().validate(etree.fromstring(spoilt))


def test_the_schema_of_a_structure_holds_order_and_number() -> None:
    wrong = [
        [{"id": "COUNT", "value": 1}, {"id": "COUNT", "value": 2}],  # at most one
        [{"id": "CONTACT", "attributes": [{"id": "NAME", "value": "a"}] * 2}],
    ]
    for attributes in wrong:
        content = written("structurespecificmetadata", message(metadata_set(attributes)))
        assert not specific_schema().validate(etree.fromstring(content))


# -- any report ---------------------------------------------------------------------------------

# What XML 1.0 can carry; a carriage return comes back as a line end, as XML has it.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from(';:,"|\n'),
    min_size=1,
    max_size=8,
)
# A CSV column is of texts by language or of plain ones, so an id says which.
LEAF = st.builds(lambda id, text: {"id": id, "value": text}, st.sampled_from("AB"), TEXT)
TEXTS_LEAF = st.builds(
    lambda text: {"id": "C", "value": text},
    st.dictionaries(st.sampled_from(["en", "fr", "pt-BR"]), TEXT, min_size=1),
)
LEAVES = st.lists(LEAF | TEXTS_LEAF, min_size=1, max_size=5)
BRANCH = st.builds(lambda below: {"id": "D", "attributes": below}, LEAVES)


# The structure of such reports, for the form that needs it.
ANY = MetadataStructure(
    "SIS",
    "MSD",
    "1.0.0",
    {"en": "Any"},
    tuple(
        MetadataAttribute(path, {}, multilingual=path[-1] == "C", presentational=path == ("D",))
        for path in (("A",), ("B",), ("C",), ("D",), ("D", "A"), ("D", "B"), ("D", "C"))
    ),
)


def ordered(attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return attributes of one id next to each other, as columns give them back."""
    below = [
        {**one, "attributes": ordered(one["attributes"])} if "attributes" in one else one
        for one in attributes
    ]
    return sorted(below, key=lambda one: str(one["id"]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(attributes=st.lists(LEAF | TEXTS_LEAF | BRANCH, min_size=1, max_size=5))
def test_any_report_is_read_as_it_was_written(name: str, attributes: list[Any]) -> None:
    one = metadata_set(ordered(attributes))
    known = {FLOW: ANY} if name == "structurespecificmetadata" else {}
    content = written(name, MetadataMessage((one,), "R", PREPARED, "SIS", structures=known))
    (again,) = read_metadata(name, content).sets
    assert ordered([dict(each) for each in again.attributes]) == list(one.attributes)


# -- the messages of others --------------------------------------------------------------------


def test_the_sample_of_sdmx_json_21_survives_every_format_that_can_carry_it(shared: Path) -> None:
    content = (shared / "sdmx/messages/json21/metadata-constructed-sample.json").read_bytes()
    found = read_metadata("metadatajson21", content)
    assert len(found.sets) == 3
    assert found.sets[0].attributes[0]["attributes"][0]["value"].startswith("Eurostat")
    for name in ("metadatajson21", "metadatajson20"):
        again = written(name, found)
        assert_valid(name, again)
        assert [one.content for one in read_metadata(name, again).sets] == [
            one.content for one in found.sets
        ]
    for name in ("metadataxml30", "metadataxml31"):
        # One of its links has a language, which the Link of SDMX-ML has no place for.
        with pytest.raises(NotAcceptable, match="a link"):
            written(name, found)
        without = MetadataMessage(
            tuple(
                MetadataSet({k: v for k, v in one.content.items() if k != "links"})
                for one in found.sets
            ),
            found.id,
            found.prepared,
            found.sender,
        )
        again = written(name, without)
        assert_valid(name, again)
        assert [one.content for one in read_metadata(name, again).sets] == [
            one.content for one in without.sets
        ]


def test_the_report_of_a_registry_survives_though_its_schema_refuses_it(shared: Path) -> None:
    """Its attributes have links, which no schema has; they only lead to their definitions."""
    content = (shared / "sdmx/messages/pysdmx/refmeta_report_attrs.json").read_bytes()
    found = read_metadata("metadatajson20", content)
    assert [one["value"] for one in found.sets[0].attributes] == ["CL1", "CL2", True]
    for name in NAMES:
        if name == "structurespecificmetadata":  # which needs the structure
            with pytest.raises(NotAcceptable, match="structure is not known"):
                written(name, found)
            continue
        again = written(name, found)
        assert_valid(name, again)
        (read,) = read_metadata(name, again).sets
        if "csv" not in name and name != "genericmetadata":
            # These have no types without the structure: the truth comes back as a text.
            assert read.content == found.sets[0].content


def test_pysdmx_reads_our_json(tmp_path: Path) -> None:
    import pysdmx.io

    path = tmp_path / "metadata.json"
    path.write_bytes(written("metadatajson20", message(PLAIN)))
    read = pysdmx.io.read_sdmx(path, validate=False)
    assert [report.id for report in read.reports or ()] == ["QR"]


# The examples of the field guide of SDMX-CSV 2.1 for metadata, 1, 2, 5, 6 and 8.
GUIDE = [
    (
        "MDSTRUCTURE,MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,ATTRIBUTE_1,"
        "ATTRIBUTE_1.CHILD,ATTRIBUTE_2\r\n"
        "metadataflow,OECD:MDF(1.0.0),OECD:MDS(1.0.0),dataflow,OECD:DF(1.0.0),A STRING VALUE,"
        '"<p>An XHTML text with ""quotes""</p>",123\r\n',
        [
            {
                "id": "ATTRIBUTE_1",
                "value": "A STRING VALUE",
                "attributes": [{"id": "CHILD", "value": '<p>An XHTML text with "quotes"</p>'}],
            },
            {"id": "ATTRIBUTE_2", "value": "123"},
        ],
    ),
    (
        "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,ATTRIBUTE_1,"
        "ATTRIBUTE_2[][en;fr;de]\r\n"
        "metadataflow,OECD:MDF(1.0.0),OECD:MDS(1.0.0),dataflow,OECD:DF(1.0.0),CODE_ID,"
        '"""en:Value1;fr:Valeur1"";""en:Value2;de:Wert2"""\r\n',
        [
            {"id": "ATTRIBUTE_1", "value": "CODE_ID"},
            {"id": "ATTRIBUTE_2", "value": {"en": "Value1", "fr": "Valeur1"}},
            {"id": "ATTRIBUTE_2", "value": {"en": "Value2", "de": "Wert2"}},
        ],
    ),
    (
        "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,ATTRIBUTE_1,"
        "ATTRIBUTE_2[en;fr]\r\n"
        "metadataprovision,OECD:MDP,OECD:MDS,dataflow,OECD:DF(1.0.0),CODE_ID,"
        '"en:Value1;fr:Valeur1"\r\n',
        [
            {"id": "ATTRIBUTE_1", "value": "CODE_ID"},
            {"id": "ATTRIBUTE_2", "value": {"en": "Value1", "fr": "Valeur1"}},
        ],
    ),
    (
        "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,IS_PARTIAL_LANGUAGE,TARGET_TYPES,TARGET_IDS,"
        "ATTRIBUTE_1,ATTRIBUTE_2[][en]\r\n"
        "metadataflow,OECD:MDF(1.0.0),OECD:MDS(1.0.0),1,dataflow,OECD:DF(1.0.0),CODE_ID,"
        '"""en:Value1"";""en:Value2"""\r\n',
        [
            {"id": "ATTRIBUTE_1", "value": "CODE_ID"},
            {"id": "ATTRIBUTE_2", "value": {"en": "Value1"}},
            {"id": "ATTRIBUTE_2", "value": {"en": "Value2"}},
        ],
    ),
]


@pytest.mark.parametrize(("text", "attributes"), GUIDE, ids=["1", "5", "6", "8"])
def test_the_examples_of_the_field_guide_are_read_and_written_again(
    text: str, attributes: list[dict[str, Any]]
) -> None:
    found = read_metadata("metadatacsv21", text.encode())
    assert list(found.sets[0].attributes) == attributes
    again = read_metadata("metadatacsv21", written("metadatacsv21", found))
    assert [one.content for one in again.sets] == [one.content for one in found.sets]


def test_the_second_example_of_the_field_guide_has_texts_with_quotes_and_languages() -> None:
    """Its two sets of languages are read as the guide says: each with its own texts."""
    text = (
        "MDSTRUCTURE[;],MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS,"
        "ATTRIBUTE_1.ATTRIBUTE_1_2[][en;fr],ATTRIBUTE_3[]\r\n"
        "metadataflow,OECD:MDF(1.0.0),OECD:MDS(1.0.0),dataflow,OECD:DF(1.0.0),"
        '"""en:<p>One; two</p>;fr:Un"";""en:Other""",123;456\r\n'
    )
    (one,) = read_metadata("metadatacsv21", text.replace("One; two", "One").encode()).sets
    above, first, second = one.attributes
    assert [below["value"] for below in above["attributes"]] == [
        {"en": "<p>One</p>", "fr": "Un"},
        {"en": "Other"},
    ]
    assert (first["value"], second["value"]) == ("123", "456")


def test_labels_put_names_beside_ids() -> None:
    both = written("metadatacsv21", message(PLAIN, labels=Labels.BOTH)).decode()
    assert "TEXT[en]: Text" in both
    assert "SIS:QR(1.0.0): Quality report" in both
    apart = written("metadatacsv21", message(PLAIN, labels=Labels.NAME)).decode()
    assert "METADATASET_ID,METADATASET_NAME" in apart
    for content in (both, apart):
        (again,) = read_metadata("metadatacsv21", content.encode()).sets
        assert again.attributes == PLAIN.attributes
        assert again.name == {"en": "Quality report"}


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "one", "said"),
    [
        ("genericmetadata", metadata_set([{"id": "TEXT", "annotations": [{}]}]), "annotations"),
        ("genericmetadata", metadata_set([]), "without reports"),
        ("structurespecificmetadata", metadata_set([]), "without reports"),
        (
            "structurespecificmetadata",
            metadata_set([{"id": "COLOUR", "value": "red"}]),
            "attribute COLOUR, which MSD has not",
        ),
        (
            "structurespecificmetadata",
            metadata_set([{"id": "TEXT", "value": "in which language?"}]),
            "without a language",
        ),
        (
            "structurespecificmetadata",
            metadata_set([{"id": "COUNT", "value": {"en": "one"}}]),
            "texts by language",
        ),
        ("structurespecificmetadata", metadata_set([{"id": "CONTACT", "value": "x"}]), "a value"),
        ("metadatajson20", metadata_set([{"id": "TEXT"}], isPartialLanguage=True), "isPartial"),
        ("metadataxml30", metadata_set([{"id": "TEXT"}], isPartialLanguage=True), "isPartial"),
        ("metadatajson21", metadata_set([{"id": "TEXT"}], version="2.3"), "version 2.3"),
        ("metadatacsv21", metadata_set([{"id": "TEXT"}]), "without any value"),
        ("metadatacsv21", metadata_set([{"id": "TEXT", "value": "x"}], links=[{}]), "links"),
        ("metadataxml31", metadata_set([{"id": "TEXT", "value": "\x01"}]), "control character"),
    ],
)
def test_what_has_no_place_is_refused_by_name(name: str, one: MetadataSet, said: str) -> None:
    with pytest.raises(NotAcceptable, match=said):
        written(name, message(one))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metadatajson21", b"[", "JSON"),
        ("metadatajson21", b'{"meta": {"prepared": "now"}}', "a date and time"),
        (
            "metadatajson21",
            b'{"meta": {"prepared": "2026-01-01"}, "data": {"metadataSets": [{"id": "A"}]}}',
            "agencyID",
        ),
        ("metadataxml31", b"<!DOCTYPE x><x/>", "DOCTYPE"),
        ("metadataxml31", b"<x/>", "GenericMetadata"),
        ("genericmetadata", b"<x/>", "GenericMetadata"),
        ("structurespecificmetadata", b"<x/>", "StructureSpecificMetadata"),
        ("metadatacsv21", b"STRUCTURE,STRUCTURE_ID\n", "MDSTRUCTURE"),
        (
            "metadatacsv21",
            b"MDSTRUCTURE,MDSTRUCTURE_ID,METADATASET_ID,TARGET_TYPES,TARGET_IDS\nother,a,b,c,d\n",
            "metadataflow",
        ),
    ],
)
def test_what_is_no_such_message_is_refused_with_what_is_wrong(
    name: str, content: bytes, said: str
) -> None:
    with pytest.raises((DataError, StructureError), match=said):
        read_metadata(name, content)


def test_a_key_the_standard_does_not_have_is_refused() -> None:
    with pytest.raises(StructureError, match="colour"):
        settled({"id": "A", "agencyID": "B", "colour": "red"}, "message")
