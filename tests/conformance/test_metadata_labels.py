"""Names beside ids in SDMX-CSV messages of reference metadata, as the field guide words them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from sdmx_service.formats.message import Labels
from sdmx_service.formats.metadata import MetadataMessage, metadata_formats, read_metadata
from sdmx_service.structures.artefacts import (
    Code,
    Codelist,
    MetadataAttribute,
    MetadataStructure,
)
from sdmx_service.structures.metadataset import MetadataSet

URN = "urn:sdmx:org.sdmx.infomodel."
FLOW = f"{URN}metadatastructure.Metadataflow=OECD:MDF(1.0.0)"
DATAFLOW = f"{URN}datastructure.Dataflow=OECD:DF(1.0.0)"
NEWER = f"{URN}datastructure.Dataflow=OECD:DF(1.1.0)"
FORMATS = ("metadatacsv20", "metadatacsv21")


def _codes(**names: str) -> Codelist:
    codes = tuple(Code(id, {"en": name} if name else {}) for id, name in names.items())
    return Codelist("OECD", "CL", "1.0.0", {}, codes)


ONE = Codelist(
    "OECD", "CL", "1.0.0", {}, (Code("CODE_ID", {"en": "Code name", "fr": "Nom du code"}),)
)
STRUCTURE = MetadataStructure(
    "OECD",
    "MSD",
    "1.0.0",
    {},
    (
        MetadataAttribute(
            ("ATTRIBUTE_1",), {"en": "Attribute 1", "fr": "Attribut d'exemple 1"}, ONE
        ),
        MetadataAttribute(
            ("ATTRIBUTE_1", "ATTRIBUTE_1_2"),
            {"en": "Attribute 12", "fr": "Attribut d'exemple 12"},
            multilingual=True,
            most=None,
        ),
        MetadataAttribute(
            ("ATTRIBUTE_2",),
            {"en": "Attribute 2", "fr": "Attribut d'exemple 2"},
            data_type="Double",
            most=None,
        ),
        MetadataAttribute(
            ("ATTRIBUTE_3",), {"en": "Attribute 3"}, _codes(A="Value A", B="B; and more", C="")
        ),
        MetadataAttribute(
            ("ATTRIBUTE_4",),
            {"en": "Attribute 4"},
            _codes(A="Value A", B="B; and more", C=""),
            most=None,
        ),
    ),
)
TEXTS = [
    {"id": "ATTRIBUTE_1_2", "value": {"en": "Text 1", "fr": "Texte 1"}},
    {"id": "ATTRIBUTE_1_2", "value": {"en": "Text 2"}},
]


def _message(labels: Labels, *languages: str, **changed: Any) -> MetadataMessage:
    content = {
        "id": "MDS",
        "agencyID": "OECD",
        "version": "1.0.0",
        "names": {"en": "Metadataset name", "fr": "Metadataset d'exemple"},
        "metadataflow": FLOW,
        "targets": [DATAFLOW],
        "attributes": [
            {"id": "ATTRIBUTE_1", "value": "CODE_ID", "attributes": TEXTS},
            {"id": "ATTRIBUTE_2", "value": 123.45},
            {"id": "ATTRIBUTE_2", "value": 6.789},
        ],
    }
    return MetadataMessage(
        (MetadataSet(content | changed),),
        "R",
        datetime(2026, 11, 23, tzinfo=UTC),
        "OECD",
        languages,
        labels=labels,
        structures={FLOW: STRUCTURE},
        names={
            FLOW: {"en": "Metadataflow name", "fr": "Metadataflow d'exemple"},
            DATAFLOW: {"en": "Dataflow name 1", "fr": "Dataflow d'exemple"},
            NEWER: {"en": "Dataflow name 2"},
        },
    )


def _fields(name: str, message: MetadataMessage) -> list[list[str]]:
    """Return the records, without the column that only SDMX-CSV 2.0 has."""
    writer = next(one for one in metadata_formats() if one.name == name)
    text = b"".join(writer.write(message)).decode()
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    kept = [place for place, title in enumerate(head) if title != "ACTION"]
    assert (len(kept) < len(head)) == (name == "metadatacsv20")
    return [[row[place] for place in kept] for row in (head, *rows)]


def _again(name: str, message: MetadataMessage) -> MetadataSet:
    writer = next(one for one in metadata_formats() if one.name == name)
    content = b"".join(writer.write(message))
    (found,) = read_metadata(name, content, {FLOW: STRUCTURE}).sets
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_with_labels_both_names_stand_behind_ids_in_the_language_asked_for(name: str) -> None:
    """Example 3 of the guide: Accept-Language ``fr-FR, en;q=0.7``, with the usual separators."""
    head, row = _fields(name, _message(Labels.BOTH, "fr", "en"))
    assert head == [
        *("MDSTRUCTURE[;]", "MDSTRUCTURE_ID", "METADATASET_ID", "TARGET_TYPES", "TARGET_IDS"),
        "ATTRIBUTE_1: Attribut d'exemple 1",
        "ATTRIBUTE_1.ATTRIBUTE_1_2[][en;fr]: Attribut d'exemple 12",
        "ATTRIBUTE_2[]: Attribut d'exemple 2",
    ]
    assert row == [
        "metadataflow",
        "OECD:MDF(1.0.0): Metadataflow d'exemple",
        "OECD:MDS(1.0.0): Metadataset d'exemple",
        "dataflow",
        "OECD:DF(1.0.0): Dataflow d'exemple",
        "CODE_ID: Nom du code",
        '"en:Text 1;fr:Texte 1";"en:Text 2"',
        "123.45;6.789",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_with_labels_name_each_id_is_followed_by_a_column_of_its_name(name: str) -> None:
    """Example 4 of the guide: two targets, Accept-Language ``en-US``."""
    message = _message(Labels.NAME, "en", targets=[DATAFLOW, NEWER])
    head, row = _fields(name, message)
    assert head == [
        *("MDSTRUCTURE[;]", "MDSTRUCTURE_ID", "MDSTRUCTURE_NAME"),
        *("METADATASET_ID", "METADATASET_NAME"),
        *("TARGET_TYPES", "TARGET_IDS", "TARGET_NAMES"),
        *("ATTRIBUTE_1", "Attribute 1"),
        *("ATTRIBUTE_1.ATTRIBUTE_1_2[][en;fr]", "Attribute 12"),
        *("ATTRIBUTE_2[]", "Attribute 2"),
    ]
    assert row == [
        *("metadataflow", "OECD:MDF(1.0.0)", "Metadataflow name"),
        *("OECD:MDS(1.0.0)", "Metadataset name"),
        "dataflow;dataflow",
        "OECD:DF(1.0.0);OECD:DF(1.1.0)",
        "Dataflow name 1;Dataflow name 2",
        *("CODE_ID", "Code name"),
        *('"en:Text 1;fr:Texte 1";"en:Text 2"', ""),
        *("123.45;6.789", ""),
    ]


CODED = [
    {"id": "ATTRIBUTE_3", "value": "B"},
    {"id": "ATTRIBUTE_4", "value": "A"},
    {"id": "ATTRIBUTE_4", "value": "B"},
    {"id": "ATTRIBUTE_4", "value": "C"},
]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (Labels.ID, ["B", "A;B;C"]),
        (Labels.BOTH, ["B: B; and more", 'A: Value A;"B: B; and more";C']),
        (Labels.NAME, ["B", "B; and more", "A;B;C", 'Value A;"B; and more";']),
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_each_value_of_several_has_its_name(name: str, labels: Labels, expected: list[str]) -> None:
    """``A: Value A;B: Value B``; a name with the sub-field separator in it is in quotes."""
    _, row = _fields(name, _message(labels, "en", attributes=CODED))
    assert row[-len(expected) :] == expected


@pytest.mark.parametrize("labels", list(Labels))
@pytest.mark.parametrize("name", FORMATS)
def test_whatever_the_labels_the_same_is_read(name: str, labels: Labels) -> None:
    called = {"names": {"en": "Name: with; all"}, "targets": [DATAFLOW, NEWER]}
    for more in ({}, {"attributes": CODED}):
        message = _message(labels, "en", **called, **more)
        (one,) = message.sets
        again = _again(name, message)
        left_out = {"names"} if labels is Labels.ID else set()
        assert again.content == {k: v for k, v in one.content.items() if k not in left_out}


def test_a_target_whose_name_is_not_known_goes_by_its_id_alone() -> None:
    other = f"{URN}codelist.Code=OECD:CL(1.0.0).X"
    _, row = _fields("metadatacsv21", _message(Labels.BOTH, "en", targets=[other, DATAFLOW]))
    assert row[4] == "OECD:CL(1.0.0).X;OECD:DF(1.0.0): Dataflow name 1"
