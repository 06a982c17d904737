"""Every message of others: read, kept, written in each format that can carry it, read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sdmx_service.errors import NotAcceptable, StructureError
from sdmx_service.formats import Action, DataMessage
from sdmx_service.formats.message import Labels
from sdmx_service.formats.metadata import metadata_formats, read_metadata
from sdmx_service.structures import Artefact, Missing, StructureStore
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure
from sdmx_service.structures.importing import import_structures
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.jsonwriting import json_message, json_refusal
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.metadataset import MetadataSet
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.writing_ml import refusal, structure_message
from tests.conformance.messages_of_others import (
    DATA,
    FORMATS,
    METADATA,
    REFUSED,
    STRUCTURES,
    Known,
    content_of,
    json_schema,
    known_structures,
    read_as,
    xsd,
)
from tests.conformance.said import said

PREPARED = datetime(2026, 11, 22, 12, tzinfo=UTC)
DSD = Path(__file__).parents[2] / "dsd" / "structures"


def test_every_message_has_its_place(shared: Path) -> None:
    folder = shared / "sdmx" / "messages"
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    tables: tuple[Mapping[str, Any], ...] = (STRUCTURES, DATA, METADATA, REFUSED)
    assert there == {file for table in tables for file in table}
    assert len(there) == sum(map(len, tables))


# -- structures --------------------------------------------------------------------------------

# A real message that a publication cannot take in, since it contradicts itself; a store of
# messages kept elsewhere holds and serves it all the same. It has an attribute in a KeyValue,
# which is for dimensions.
NOT_TAKEN_IN = {
    "imf/1PI-structure.xml": "expected a dimension of ECOFIN_DSD, got 'TIME_FORMAT'",
}
FORMS: tuple[MlVersion | JsonVersion, ...] = (*MlVersion, *JsonVersion)
# SDMX 2.1 alone has finality apart from the version.
FINAL = (MlVersion.ML21, JsonVersion.JSON10)
# An availability has no identity of its own since 3.1.
NAMELESS = (MlVersion.ML31, JsonVersion.JSON21)


@pytest.fixture(scope="module")
def kept(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, StructureStore]:
    """Return, for each structure message, the store it was taken into."""
    found = {}
    for number, file in enumerate(STRUCTURES):
        folder = tmp_path_factory.mktemp(f"store{number}")
        (folder / "agencies.xml").write_bytes((DSD / "agencies.xml").read_bytes())
        if file in NOT_TAKEN_IN:
            artefacts = read_artefacts(content_of(shared, file), file)
            found[file] = StructureStore(artefacts, missing=Missing.ALLOWED)
            continue
        done = import_structures(content_of(shared, file), file, folder, allow_external=True)
        assert not done.refused
        found[file] = StructureStore.read(folder)
    return found


@pytest.mark.parametrize("file", NOT_TAKEN_IN)
def test_a_message_that_contradicts_itself_is_not_taken_in(
    shared: Path, file: str, tmp_path: Path
) -> None:
    (tmp_path / "agencies.xml").write_bytes((DSD / "agencies.xml").read_bytes())
    done = import_structures(content_of(shared, file), file, tmp_path, allow_external=True)
    assert any(NOT_TAKEN_IN[file] in str(one.problem) for one in done.refused)
    assert [one.name for one in tmp_path.iterdir()] == ["agencies.xml"]


def _of_message(shared: Path, file: str, store: StructureStore) -> list[Artefact]:
    """Return the artefacts of a message as the store has them, which is as they were read."""
    read = read_artefacts(content_of(shared, file), file)
    assert len(read) == STRUCTURES[file]
    known = {one.identity: one for one in store.artefacts}
    assert [known[one.identity].content for one in read] == [one.content for one in read]
    return [known[one.identity] for one in read]


def _reason(one: Artefact, form: MlVersion | JsonVersion) -> StructureError | None:
    return refusal(one, form) if isinstance(form, MlVersion) else json_refusal(one, form)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title.replace(" ", "-"))
@pytest.mark.parametrize("file", STRUCTURES)
def test_a_structure_message_survives_store_and_format(
    shared: Path, kept: Mapping[str, StructureStore], file: str, form: MlVersion | JsonVersion
) -> None:
    found = _of_message(shared, file, kept[file])
    carried = []
    for one in found:
        reason = _reason(one, form)
        if reason is None:
            carried.append(one)
        else:
            assert reason.where == one.urn
            assert reason.got
            assert form.title in str(reason)
    if not carried:
        return
    if isinstance(form, MlVersion):
        content = structure_message(carried, prepared=PREPARED, sender="SIS", version=form)
        xsd(form.number[0] + form.number[2]).assertValid(etree.fromstring(content))
    else:
        content = json_message(carried, prepared=PREPARED, sender="SIS", version=form)
        json_schema("structure", form.number).validate(json.loads(content))
    again = read_artefacts(content, file)
    assert len(again) == len(carried)
    for one, other in zip(_sorted(carried), _sorted(again), strict=True):
        if not (form in NAMELESS and "AVAILABILITY" in one.kind.name):
            assert _comparable(other, form) == _comparable(one, form)


def _sorted(artefacts: list[Artefact]) -> list[Artefact]:
    return sorted(artefacts, key=lambda one: (one.kind.name, one.agency, one.id, one.version))


def _comparable(one: Artefact, form: MlVersion | JsonVersion) -> dict[str, Any]:
    left_out = () if form in FINAL else ("isFinal",)
    return {key: value for key, value in one.content.items() if key not in left_out}


# -- data --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(shared: Path) -> Known:
    return known_structures(shared)


# Which formats have no place for a data message, and the trait that they name.
_UPDATE, _STRUCTURE = "merged or replaced", "reported against a data structure"
_SERIES = ("generictimeseries", "structurespecifictimeseries")
NO_PLACE = {
    ("ecb/EXR-M.USD.EUR.SP00.A.xml", "csv10"): _UPDATE,
    ("ecb/ng-flat.xml", "csv10"): _STRUCTURE,
    ("ecb/ng-ts-ss.xml", "csv10"): _STRUCTURE,
    ("ecb/ng-xs.xml", "csv10"): _STRUCTURE,
    ("json21/data-exr-flat.json", "csv10"): _UPDATE,
    ("json21/data-exr-time-series.json", "csv10"): _UPDATE,
    ("sdg/1-1-1--structure-specific.xml", "csv10"): _STRUCTURE,
    ("v3/csv-example-10.csv", "csv10"): _UPDATE,
    ("v3/csv-example-10.csv", "arrow"): "several data sets",
    ("v3/csv-example-10.csv", "parquet"): "several data sets",
    **{("ecb/ng-flat.xml", name): "observations by AllDimensions" for name in _SERIES},
    **{("ecb/ng-xs.xml", name): "another dimension than time" for name in _SERIES},
    **{("json21/data-exr-flat.json", name): "observations by AllDimensions" for name in _SERIES},
}


def _data(shared: Path, file: str, known: Known) -> DataMessage:
    content = content_of(shared, file)
    if file.endswith(".csv"):
        # The time dimension of the guide has another name than the standard gives it.
        content = content.replace(b"DIM_3", b"TIME_PERIOD")
    return read_as(DATA[file][0], content, known)


@pytest.mark.parametrize("file", DATA)
@pytest.mark.parametrize("name", FORMATS)
def test_a_data_message_survives_format(shared: Path, known: Known, file: str, name: str) -> None:
    message = _data(shared, file, known)
    keys = [one.id for one in message.datasets[0].structure.key]
    full = [one.collected().drop_nulls(keys) for one in message.datasets]
    assert sum(one.height for one in full) == DATA[file][1]
    if (file, name) in NO_PLACE:
        with pytest.raises(NotAcceptable, match=NO_PLACE[file, name]):
            b"".join(FORMATS[name].write(message))
        return
    again = read_as(name, b"".join(FORMATS[name].write(message)), known)
    assert len(again.datasets) == len(message.datasets)
    for one, other in zip(message.datasets, again.datasets, strict=True):
        assert (one.context, one.flow) == (other.context, other.flow)
        # Before SDMX 3.1 there is no Merge; Append meant the same.
        assert other.action in (one.action, Action.APPEND)
        assert said(one) == said(other)


# -- reference metadata ------------------------------------------------------------------------

METADATA_FORMATS = {one.name: one for one in metadata_formats()}
SCHEMA_OF = {
    "genericmetadata": "21",
    "metadataxml30": "30",
    "metadataxml31": "31",
    "metadatajson20": "2.0",
    "metadatajson21": "2.1",
}


def _structures(sets: Iterable[MetadataSet]) -> dict[str, MetadataStructure]:
    """Return the structures that the messages do not come with, as they use them."""
    kinds = {bool: "Boolean", int: "Integer", float: "Double"}
    found: dict[str, dict[str, MetadataAttribute]] = {}
    for one in sets:
        attributes = found.setdefault(one.reported_to, {})
        for path, reported in one.values():
            kind = kinds.get(type(reported.get("value")), "String")
            by_language = isinstance(reported.get("value"), dict)
            attributes[".".join(path)] = MetadataAttribute(
                path,
                {},
                data_type=kind,
                multilingual=by_language,
                most=None,
                presentational="value" not in reported,
            )
    return {
        urn: MetadataStructure("X", "MSD", "1.0", {}, tuple(attributes.values()))
        for urn, attributes in found.items()
    }


@pytest.mark.parametrize("file", METADATA)
@pytest.mark.parametrize("name", METADATA_FORMATS)
def test_a_metadata_message_survives_format(shared: Path, file: str, name: str) -> None:
    source, count = METADATA[file]
    message = read_metadata(source, content_of(shared, file))
    assert len(message.sets) == count
    structures = _structures(message.sets)
    message = replace(message, structures=structures, labels=Labels.BOTH)
    linked = any("links" in one.content for one in message.sets)
    if linked and "json" not in name:
        with pytest.raises(NotAcceptable, match=r"links|hreflang"):
            b"".join(METADATA_FORMATS[name].write(message))
        without = ({k: v for k, v in one.content.items() if k != "links"} for one in message.sets)
        message = replace(message, sets=tuple(map(MetadataSet, without)))
    content = b"".join(METADATA_FORMATS[name].write(message))
    if "json" in name:
        json_schema("metadata", SCHEMA_OF[name]).validate(json.loads(content))
    elif name in SCHEMA_OF:
        xsd(SCHEMA_OF[name]).assertValid(etree.fromstring(content))
    again = read_metadata(name, content, structures)
    assert [one.content for one in again.sets] == [one.content for one in message.sets]
