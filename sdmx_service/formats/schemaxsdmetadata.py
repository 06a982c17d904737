"""XML Schemas for the structure-specific metadata messages of SDMX-ML 2.1.

They follow the rules of SDMX 2.1, section 3A, part IV, "Metadata Structure Specific Schema", with
the names recommended there. Where these rules break the base schema, the base schema wins: a set
has a report, and the ids of target objects are no ids of targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from sdmx_service.formats.schema import MetadataSchema
from sdmx_service.formats.schemaxsdtypes import simple_type
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure, localised
from sdmx_service.structures.generations import ANY_TARGET
from sdmx_service.structures.kinds import ArtefactKind

__all__ = ["OBJECT", "REPORT", "TARGET", "metadata_schema", "target_namespace"]

REPORT = "MetadataAttributeDescriptor"
TARGET = str(ANY_TARGET["id"])
OBJECT = str(ANY_TARGET["identifiableObjectTargets"][0]["id"])  # type: ignore[index]
"""The ids of the report structure, of its target and of the object there, in every structure."""

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
_ANNOTATIONS = '<xs:element ref="common:Annotations" minOccurs="0"/>'
_REFERENCES = (
    ("ObjectReference", "common:ReferenceType"),
    ("DataKey", "common:DataKeyType"),
    ("DataSetReference", "common:SetReferenceType"),
    ("ReportPeriod", "common:ObservationalTimePeriodType"),
)


def target_namespace(structure: MetadataStructure) -> str:
    """Return the namespace of the types: the URN of the structure, as the standard recommends."""
    return ArtefactKind.METADATA_STRUCTURE.urn(structure.agency, structure.id, structure.version)


def metadata_schema(message: MetadataSchema) -> str:
    """Return the schema of the messages of one metadata structure."""
    return "\n".join([*_Xsd(message).parts(), "</xs:schema>\n"])


@dataclass(frozen=True)
class _Xsd:
    message: MetadataSchema

    def parts(self) -> Iterator[str]:
        target = quoteattr(target_namespace(self.message.structure))
        specific, location = f"{_ROOT}/metadata/structurespecific", self.message.location
        yield (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
            f' xmlns={target} targetNamespace={target} xmlns:msd="{specific}"'
            f' xmlns:common="{_ROOT}/common" elementFormDefault="qualified"'
            ' attributeFormDefault="unqualified">'
        )
        for space, file in (
            (f"{_ROOT}/common", "SDMXCommon.xsd"),
            (specific, "SDMXMetadataStructureSpecific.xsd"),
        ):
            yield f'<xs:import namespace="{space}" schemaLocation={quoteattr(location + file)}/>'
        yield from self.sets()
        yield from self.targets()
        yield from self.reports()
        for attribute in self.message.structure.by_path.values():
            yield from self.attribute(attribute)

    def sets(self) -> Iterator[str]:
        content = (
            f'{_ANNOTATIONS}<xs:element ref="common:Name" minOccurs="0" maxOccurs="unbounded"/>'
            + _element("DataProvider", "common:DataProviderReferenceType", ' minOccurs="0"')
            + _element("Report", "ReportType", ' maxOccurs="unbounded"')
        )
        yield _restriction("MetadataSetType", "msd:MetadataSetType", _sequence(content))

    def targets(self) -> Iterator[str]:
        any_value = _element("ReferenceValue", "msd:ReferenceValueType", ' maxOccurs="unbounded"')
        yield _ids("Target.ID", "common:IDType", TARGET)
        yield _restriction(
            "TargetType", "msd:TargetType", _sequence(any_value) + _id("Target.ID"), abstract=True
        )
        yield _ids(f"{TARGET}.TargetObject.ID", "common:IDType", OBJECT)
        choice = "".join(_element(*one) for one in _REFERENCES)
        yield _restriction(
            f"{TARGET}.ReferenceValueType",
            "msd:ReferenceValueType",
            f"<xs:choice>{choice}</xs:choice>" + _id(f"{TARGET}.TargetObject.ID"),
            abstract=True,
        )
        value = _element("ReferenceValue", f"{TARGET}.ReferenceValueType")
        yield f'<xs:group name="{TARGET}">{_sequence(value)}</xs:group>'
        reference = _element("ObjectReference", "common:ObjectReferenceType")
        yield _restriction(
            f"{TARGET}.{OBJECT}",
            f"{TARGET}.ReferenceValueType",
            f"<xs:choice>{reference}</xs:choice>" + _id(f"{TARGET}.TargetObject.ID", OBJECT),
        )
        yield _ids(f"{REPORT}.Target.ID", "Target.ID", TARGET)
        yield _restriction(
            f"{REPORT}.TargetType",
            "TargetType",
            _sequence(any_value) + _id(f"{REPORT}.Target.ID"),
            abstract=True,
        )
        yield _restriction(
            f"{REPORT}.{TARGET}",
            f"{REPORT}.TargetType",
            _sequence(f'<xs:group ref="{TARGET}"/>') + _id(f"{REPORT}.Target.ID", TARGET),
        )

    def reports(self) -> Iterator[str]:
        untyped = '<xs:element name="AttributeSet" form="unqualified"/>'
        yield _ids("Report.ID", "common:IDType", REPORT)
        yield _restriction(
            "ReportType",
            "msd:ReportType",
            _sequence(_ANNOTATIONS + _element("Target", "TargetType") + untyped) + _id("Report.ID"),
            abstract=True,
        )
        yield self.attribute_set(())
        target = (
            f'<xs:element name="Target" type="{REPORT}.TargetType" form="unqualified">'
            f'<xs:unique name="{REPORT}.Target.ReferenceValue.Unique">'
            '<xs:selector xpath="*"/><xs:field xpath="@id"/></xs:unique></xs:element>'
        )
        attributes = _element("AttributeSet", f"{REPORT}.AttributeSet")
        yield _restriction(
            REPORT,
            "ReportType",
            _sequence(_ANNOTATIONS + target + attributes) + _id("Report.ID", REPORT),
        )

    def below(self, path: tuple[str, ...]) -> list[MetadataAttribute]:
        return [a for a in self.message.structure.by_path.values() if a.path[:-1] == path]

    def attribute_set(self, path: tuple[str, ...]) -> str:
        elements = "".join(
            _element(
                one.id,
                _name(one.path),
                f' minOccurs="{one.least}"'
                f' maxOccurs="{"unbounded" if one.most is None else one.most}"',
            )
            for one in self.below(path)
        )
        name = quoteattr(f"{_name(path)}.AttributeSet")
        return f"<xs:complexType name={name}>{_sequence(elements)}</xs:complexType>"

    def attribute(self, one: MetadataAttribute) -> Iterator[str]:
        name, several = _name(one.path), one.multilingual and one.codelist is None
        markup = one.data_type == "XHTML" and one.codelist is None
        content, value = _ANNOTATIONS, '<xs:attribute name="value" use="prohibited"/>'
        if not one.presentational and (several or markup):
            text = "StructuredText" if markup else "Text"
            content += f'<xs:element ref="common:{text}" maxOccurs="unbounded"/>'
        elif not one.presentational:
            yield simple_type(f"{name}.Representation", one, codes=self.codes(one))
            value = (
                f'<xs:attribute name="value" type={quoteattr(name + ".Representation")}'
                ' use="required"/>'
            )
        if children := self.below(one.path):
            yield self.attribute_set(one.path)
            optional = "" if any(child.least for child in children) else ' minOccurs="0"'
            content += _element("AttributeSet", f"{name}.AttributeSet", optional)
        inside = _sequence(content) + _id("common:IDType", one.id) + value
        yield _restriction(name, "msd:ReportedAttributeType", inside)

    def codes(self, one: MetadataAttribute) -> dict[str, str] | None:
        if one.codelist is None:
            return None
        languages = self.message.languages
        return {code.id: localised(code.name, languages[0]) for code in one.codelist.codes}


def _name(path: Iterable[str]) -> str:
    return ".".join((REPORT, *path))


def _ids(name: str, base: str, *ids: str) -> str:
    listed = "".join(f"<xs:enumeration value={quoteattr(id)}/>" for id in ids)
    return (
        f'<xs:simpleType name="{name}"><xs:restriction base="{base}">{listed}</xs:restriction>'
        "</xs:simpleType>"
    )


def _id(type: str, fixed: str | None = None) -> str:
    said = "" if fixed is None else f" fixed={quoteattr(fixed)}"
    return f'<xs:attribute name="id" type="{type}" use="optional"{said}/>'


def _element(name: str, type: str, occurs: str = "") -> str:
    return f'<xs:element name={quoteattr(name)} type={quoteattr(type)} form="unqualified"{occurs}/>'


def _sequence(content: str) -> str:
    return f"<xs:sequence>{content}</xs:sequence>"


def _restriction(name: str, base: str, content: str, *, abstract: bool = False) -> str:
    only = ' abstract="true"' if abstract else ""
    return (
        f"<xs:complexType name={quoteattr(name)}{only}><xs:complexContent>"
        f"<xs:restriction base={quoteattr(base)}>{content}</xs:restriction>"
        "</xs:complexContent></xs:complexType>"
    )
