"""References: SDMX 3.1 URNs, which the neutral form holds, and the Ref elements of SDMX-ML 2.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sdmx_service.structures.kinds import ArtefactKind

__all__ = ["PREFIX", "Urn", "has_place_in_3", "of_ref", "to_31", "to_ref"]

PREFIX = "urn:sdmx:org.sdmx.infomodel."
"""What every SDMX URN begins with."""

_URN = re.compile(
    r"urn:sdmx:org\.sdmx\.infomodel\.([a-z]+|\*)\.([A-Za-z]+|\*)"
    r"=([^:()]+):([^:()]+)\(([^()]*)\)(?:\.(.+))?"
)

_PACKAGES: Mapping[str, str] = {
    **{name: kind.package for kind in ArtefactKind for name in (kind.element, kind.item) if name},
    **dict.fromkeys(
        ("DimensionDescriptor", "AttributeDescriptor", "MeasureDescriptor", "Dimension"),
        "datastructure",
    ),
    **dict.fromkeys(
        ("GroupDimensionDescriptor", "TimeDimension", "DataAttribute", "Measure"), "datastructure"
    ),
    **dict.fromkeys(("MeasureDimension", "ReportingYearStartDay"), "datastructure"),
    **dict.fromkeys(
        ("MetadataAttribute", "MetadataTarget", "ReportStructure"), "metadatastructure"
    ),
    "MetadataSet": "metadatastructure",
    **dict.fromkeys(("HierarchicalCode", "Level"), "codelist"),
    **dict.fromkeys(("ProcessStep", "Transition"), "process"),
}
# SDMX 2.1 calls these otherwise.
_CLASS_31 = {
    "ContentConstraint": "DataConstraint",
    "Attribute": "DataAttribute",
    "PrimaryMeasure": "Measure",
}
_ONLY_21 = frozenset(
    {"MeasureDimension", "ReportingYearStartDay", "MetadataTarget", "ReportStructure"}
)
_CLASS_21 = {new: old for old, new in _CLASS_31.items()} | {
    "VtlCodelistMapping": "VtlMapping",
    "VtlConceptMapping": "VtlMapping",
    "VtlDataflowMapping": "VtlMapping",
}


@dataclass(frozen=True, slots=True)
class Urn:
    """The parts of an SDMX URN; ``item`` is the path behind the version, if any."""

    package: str
    name: str
    agency: str
    id: str
    version: str
    item: str | None = None

    @classmethod
    def parse(cls, text: str) -> Urn | None:
        """Return the parts of a URN, or None where the text is none."""
        found = _URN.fullmatch(text)
        return None if found is None else cls(*found.groups())

    @property
    def wild(self) -> bool:
        """Whether it stands for many artefacts."""
        return "*" in (self.name, self.agency, self.id, self.version)

    def __str__(self) -> str:
        tail = "" if self.item is None else f".{self.item}"
        return f"{PREFIX}{self.package}.{self.name}={self.agency}:{self.id}({self.version}){tail}"


def to_31(text: str) -> str:
    """Return a URN with the classes and packages of SDMX 3.1; other text as it is."""
    urn = Urn.parse(text.strip())
    if urn is None:
        return text.strip()
    name = _CLASS_31.get(urn.name, urn.name)
    if urn.name == "Hierarchy" and urn.item == urn.id:
        return str(Urn(urn.package, name, urn.agency, urn.id, urn.version))
    return str(
        Urn(_PACKAGES.get(name, urn.package), name, urn.agency, urn.id, urn.version, urn.item)
    )


def of_ref(ref: Mapping[str, str], name: str | None) -> str | None:
    """Return the URN of a Ref; ``name`` is the class where it says none, None if unknown."""
    found = ref.get("class", name)
    if found is None or "agencyID" not in ref:
        return None
    package = _PACKAGES.get(_CLASS_31.get(found, found), ref.get("package", "base"))
    if (parent := ref.get("maintainableParentID")) is None:
        urn = Urn(package, found, ref["agencyID"], ref["id"], ref.get("version", "1.0"))
    else:
        inside = f"{ref['containerID']}.{ref['id']}" if "containerID" in ref else ref["id"]
        version = ref.get("maintainableParentVersion", "1.0")
        urn = Urn(package, found, ref["agencyID"], parent, version, inside)
    return to_31(str(urn))


def to_ref(text: str) -> dict[str, str] | None:
    """Return the attributes of the Ref for a URN, None where SDMX 2.1 has no such reference."""
    urn = Urn.parse(text)
    if urn is None or urn.wild or not re.fullmatch(r"[0-9]+(\.[0-9]+)*", urn.version):
        return None
    kinds = ArtefactKind.of_class(urn.name)
    if kinds and all(kind.ml21 is None for kind in kinds):
        return None
    package = "mapping" if urn.package == "structuremapping" else urn.package
    said = {"class": _CLASS_21.get(urn.name, urn.name), "package": package}
    if urn.name == "Hierarchy" and urn.item is None:
        # A hierarchy of its own is the one hierarchy of a hierarchical codelist of its name.
        urn = Urn(urn.package, urn.name, urn.agency, urn.id, urn.version, urn.id)
    if urn.item is None:
        return {"id": urn.id, "version": urn.version, "agencyID": urn.agency, **said}
    return {
        "id": urn.item,
        "maintainableParentID": urn.id,
        "maintainableParentVersion": urn.version,
        "agencyID": urn.agency,
        **said,
    }


def has_place_in_3(text: str) -> bool:
    """Tell whether SDMX 3.x knows the class that a URN names; other text it does not judge."""
    urn = Urn.parse(text)
    if urn is None:
        return True
    if kinds := ArtefactKind.of_class(urn.name):
        return any(kind.ml3 for kind in kinds)
    return (urn.name in _PACKAGES and urn.name not in _ONLY_21) or urn.name in ("Any", "*")
