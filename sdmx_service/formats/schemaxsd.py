"""XML Schemas for the structure-specific data messages of one flow.

They are made as the standard's own samples are: the types of a message restrict the abstract
types of SDMXDataStructureSpecific.xsd, so that an instance names them by ``xsi:type``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from xml.sax.saxutils import quoteattr

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.action import Generation
from sdmx_service.formats.message import ALL_DIMENSIONS
from sdmx_service.formats.schema import SchemaMessage, Writable, allowed
from sdmx_service.formats.schema import register_schema as register
from sdmx_service.formats.schemaxsdmetadata import metadata_schema
from sdmx_service.formats.schemaxsdtypes import may_be_missing, represented, simple_type
from sdmx_service.structures.artefacts import Attachment, Component, Role

__all__ = ["component_type", "target_namespace", "write_xsd21", "write_xsd30", "write_xsd31"]

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v"
_ANNOTATIONS = '<xs:element ref="common:Annotations" minOccurs="0"/>'
_PROVIDER = (
    '<xs:element name="DataProvider" type="common:DataProviderReferenceType" form="unqualified"'
    ' minOccurs="0"/>'
)
_COMP = '<xs:element name="Comp" type="dsd:CompType" form="unqualified" minOccurs="0"'
_MANY = ' maxOccurs="unbounded"'
_PROHIBITED = '<xs:attribute name="{}" type="{}" use="prohibited"/>'
_COMPLEX_TYPES = ("DataSetType", "GroupType", "SeriesType", "ObsType")
_MEDIA = "application/vnd.sdmx.schema+xml"


@register(
    "xsd31",
    _MEDIA,
    "3.1.0",
    ".xsd",
    plain_types=("application/xml", "text/xml"),
    family=("xsd", "xml", "schema"),
    generation=Generation.SDMX_3_1,
)
def write_xsd31(message: Writable) -> Iterator[bytes]:
    """Yield the schema of SDMX-ML 3.1 messages."""
    yield _schema(message, Generation.SDMX_3_1)


@register(
    "xsd30",
    _MEDIA,
    "3.0.0",
    ".xsd",
    family=("xsd", "xml", "schema"),
    generation=Generation.SDMX_3_0,
)
def write_xsd30(message: Writable) -> Iterator[bytes]:
    """Yield the schema of SDMX-ML 3.0 messages."""
    yield _schema(message, Generation.SDMX_3_0)


@register(
    "xsd21",
    _MEDIA,
    "2.1",
    ".xsd",
    plain_types=("application/xml", "text/xml"),
    family=("xsd", "xml", "schema"),
    generation=Generation.SDMX_2_1,
)
def write_xsd21(message: Writable) -> Iterator[bytes]:
    """Yield the schema of structure-specific SDMX-ML 2.1 messages, time series among them."""
    yield _schema(message, Generation.SDMX_2_1)


def component_type(component: Component) -> str:
    """Return the name of the type of a Comp element, which holds what no XML attribute can."""
    return f"{component.id}_{'MEASURE' if component.role is Role.MEASURE else 'ATTRIBUTE'}"


def target_namespace(message: SchemaMessage, generation: Generation) -> str:
    """Return the namespace of the types, in the form the standard recommends.

    Of SDMX 2.1 it is that of the flow where the data are those of an agreement on it.
    """
    if message.namespace is not None:
        return message.namespace
    urn = message.urn
    if generation is Generation.SDMX_2_1 and "registry.ProvisionAgreement=" in urn:
        one = message.flow
        named = f"{one.agency}:{one.id}({one.version})"
        urn = f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={named}"
    explicit = ":explicit" if message.explicit_measure else ""
    return f"{urn}:ObsLevelDim:{message.at_observation}{explicit}"


def _schema(message: Writable, generation: Generation) -> bytes:
    if isinstance(message, SchemaMessage):
        return _Xsd(message, generation).document().encode()
    if generation is Generation.SDMX_2_1:
        return metadata_schema(message).encode()
    raise NotAcceptable(
        message.urn,
        got=f"an XML Schema of SDMX-ML {generation.value}",
        expected="a JSON Schema, the structure itself, or the XML Schema of SDMX-ML 2.1",
        hint="reference metadata have one form in SDMX-ML 3, which SDMXMessage.xsd describes",
    )


@dataclass(frozen=True)
class _Xsd:
    message: SchemaMessage
    generation: Generation

    @cached_property
    def old(self) -> bool:
        return self.generation is Generation.SDMX_2_1

    @cached_property
    def at(self) -> str:
        return self.message.at_observation

    @cached_property
    def flat(self) -> bool:
        return self.at == ALL_DIMENSIONS

    @cached_property
    def timed(self) -> bool:
        structure = self.message.structure
        return structure.timed and self.at == structure.time.id

    @cached_property
    def explicit(self) -> Component | None:
        """The measure dimension, where each of its codes is a type of observation."""
        message = self.message
        if not message.explicit_measure or message.measure_dimension != self.at:
            return None
        return message.structure.by_id[self.at]

    @cached_property
    def metadata(self) -> tuple[Component, ...]:
        """The metadata attributes, which any part of the data may have in SDMX 3.x."""
        return () if self.old else self.message.metadata

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """Those of the structure, and the metadata attributes."""
        return (*self.message.structure.components, *self.metadata)

    def document(self) -> str:
        root = f"{_ROOT}{self.generation.value.replace('.', '_')}"
        specific = f"{root}/data/structurespecific"
        target = quoteattr(target_namespace(self.message, self.generation))
        location = self.message.location
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
            f' xmlns={target} targetNamespace={target} xmlns:dsd="{specific}"'
            f' xmlns:common="{root}/common" elementFormDefault="qualified"'
            ' attributeFormDefault="unqualified">',
            f'<xs:import namespace="{root}/common"'
            f" schemaLocation={quoteattr(location + 'SDMXCommon.xsd')}/>",
            f'<xs:import namespace="{specific}"'
            f" schemaLocation={quoteattr(location + 'SDMXDataStructureSpecific.xsd')}/>",
            *self.simple_types(),
            '<xs:element name="DataSet" type="DataSetType"/>',
            self.dataset(),
            *self.groups(),
        ]
        if not self.flat:
            parts.append(self.series())
        parts.append(self.observation())
        if not self.old:
            parts.append(self.atts())
            parts += map(self.complex_component, self.complex(self.components))
        return "\n".join([*parts, "</xs:schema>\n"])

    # -- simple types -----------------------------------------------------------------------

    def simple_types(self) -> Iterator[str]:
        for component in self.components:
            given = represented(component)
            codes = allowed(self.message.flow, component, self.message.languages)
            if self.message.deletion and component.role in (Role.MEASURE, Role.ATTRIBUTE):
                # Instead of a value to be deleted, any will do (SDMX-CSV 2.1, action Delete).
                given, codes = replace(component, data_type="String", facets={}), None
            missing = not self.old and may_be_missing(component)
            yield simple_type(self.type_of(component), given, codes=codes, missing=missing)

    def type_of(self, component: Component) -> str:
        """Return the name of a component's simple type.

        The guide to 2.1 gives that of an uncoded one the component's id. Elsewhere a dot keeps
        the name apart from DataSetType, SeriesType and the ids of groups.
        """
        id = component.id
        taken = {*_COMPLEX_TYPES, *self.message.structure.groups}
        if self.old and component.codelist is None and id not in taken:
            return id
        return f"{id}.Representation"

    def attribute(self, component: Component, use: str = "optional") -> str:
        return (
            f"<xs:attribute name={quoteattr(component.id)}"
            f' type={quoteattr(self.type_of(component))} use="{use}"/>'
        )

    def keys(self, dimensions: Iterable[Component]) -> str:
        """Declare the dimensions of a place in the message, which it must have."""
        use = "optional" if self.message.deletion else "required"
        return "".join(self.attribute(one, use) for one in dimensions)

    def attributes(self, components: Iterable[Component]) -> str:
        """Declare what XML attributes can hold of measures and attributes.

        Each is optional, mandatory ones too (3A, part IV, all versions): a message may be an
        update, or show a part. One text of a multilingual attribute may stand in an XML
        attribute, as the standard's samples have it.
        """
        return "".join(
            self.attribute(one)
            for one in components
            if self.old or not _complex(one) or (one.multilingual and not one.multiple)
        )

    def complex(self, components: Iterable[Component]) -> list[Component]:
        return [one for one in components if not self.old and _complex(one)]

    def comp(self, components: Iterable[Component]) -> str:
        return f"{_COMP}{_MANY}/>" if self.complex(components) else ""

    # -- levels -----------------------------------------------------------------------------

    @cached_property
    def above(self) -> tuple[Component, ...]:
        key = self.message.structure.key
        return () if self.flat else tuple(one for one in key if one.id != self.at)

    @cached_property
    def below(self) -> tuple[Component, ...]:
        key = self.message.structure.key
        return key if self.flat else tuple(one for one in key if one.id == self.at)

    def level(self, *levels: Attachment) -> list[Component]:
        return [a for a in self.message.structure.attributes if a.attachment in levels]

    @cached_property
    def split(self) -> list[Component]:
        """The attributes that a series by this dimension can say once or for each observation."""
        if self.flat or self.timed:
            return []
        hanging = self.level(Attachment.SERIES, Attachment.GROUP)
        return [one for one in hanging if self.at in one.relation]

    def dataset(self) -> str:
        own = self.level(Attachment.DATASET)
        content = self.dataset_content()
        # In SDMX 3.x they may also stand in an Atts element without dimensions.
        inside = self.attributes(own)
        base = "dsd:TimeSeriesDataSetType" if self.old and self.timed else "dsd:DataSetType"
        return self.restriction("DataSetType", base, _ANNOTATIONS + _PROVIDER + content, inside)

    def dataset_content(self) -> str:
        rows = "Obs" if self.flat else "Series"
        type_of = f"{rows}Type"
        group = self.group_type()
        if self.old:
            groups = _element("Group", group, f' minOccurs="0"{_MANY}') if group else ""
            return f'{groups}<xs:choice minOccurs="0">{_element(rows, type_of, _MANY)}</xs:choice>'
        choice = [_element("Atts", "AttsType")]
        choice += [_element("Group", group)] if group else []
        choice.append(_element(rows, type_of))
        return f'<xs:choice minOccurs="0"{_MANY}>{"".join(choice)}</xs:choice>'

    def group_type(self) -> str:
        groups = self.message.structure.groups
        return "" if not groups else next(iter(groups)) if len(groups) == 1 else "GroupType"

    def groups(self) -> Iterator[str]:
        structure = self.message.structure
        if len(structure.groups) > 1:
            comp = "" if self.old else f"{_COMP}{_MANY}/>"
            anything = '<xs:anyAttribute namespace="##local"/>'
            yield self.restriction(
                "GroupType", "dsd:GroupType", _ANNOTATIONS + comp, anything, abstract=True
            )
        for id, dimensions in structure.groups.items():
            keys = [structure.by_id[name] for name in dimensions]
            own = [
                one
                for one in self.level(Attachment.GROUP, Attachment.SERIES)
                if set(one.relation) == set(dimensions)
            ]
            own += self.metadata
            inside = self.keys(keys) + self.attributes(own)
            fixed = (
                '<xs:attribute name="type" type="common:IDType" use="optional"'
                f" fixed={quoteattr(id)}/>"
            )
            base = "GroupType" if len(structure.groups) > 1 else "dsd:GroupType"
            yield self.restriction(id, base, _ANNOTATIONS + self.comp(own), fixed + inside)

    def series(self) -> str:
        own = self.level(Attachment.GROUP, Attachment.SERIES)
        inside = self.keys(self.above) + self.attributes((*own, *self.metadata))
        observations = _element("Obs", "ObsType", f' minOccurs="0"{_MANY}')
        base = "dsd:TimeSeriesType" if self.old and self.timed else "dsd:SeriesType"
        content = _ANNOTATIONS + self.comp((*own, *self.metadata)) + observations
        return self.restriction("SeriesType", base, content, self.untimed(self.above) + inside)

    def observation(self) -> str:
        structure = self.message.structure
        whole = self.level(Attachment.OBSERVATION)
        lower = self.level(Attachment.SERIES, Attachment.GROUP) if self.flat else self.split
        lower = [*lower, *self.metadata]
        inside = "" if self.explicit else self.keys(self.below)
        inside += self.attributes((*structure.measures, *lower, *whole))
        base = "dsd:TimeSeriesObsType" if self.old and self.timed else "dsd:ObsType"
        content = _ANNOTATIONS + self.comp((*structure.measures, *lower, *whole))
        content = content if not self.old else _ANNOTATIONS
        untimed = self.untimed(self.below)
        if self.explicit is None:
            untyped = _PROHIBITED.format("type", "common:IDType") if self.old else ""
            return self.restriction("ObsType", base, content, untyped + untimed + inside)
        anything = '<xs:anyAttribute namespace="##local"/>'
        parts = [self.restriction("ObsType", base, content, anything, abstract=True)]
        for code in allowed(self.message.flow, self.explicit) or ():
            fixed = f'<xs:attribute name="type" type="common:IDType" fixed={quoteattr(code)}/>'
            parts.append(self.restriction(code, "ObsType", content, fixed + untimed + inside))
        return "\n".join(parts)

    def atts(self) -> str:
        structure = self.message.structure
        own = (*structure.attributes, *self.metadata)
        inside = self.untimed(structure.key) + "".join(map(self.attribute, structure.key))
        inside += self.attributes(own)
        content = _ANNOTATIONS + self.comp(own)
        return self.restriction("AttsType", "dsd:AttsType", content, inside)

    def untimed(self, keys: Iterable[Component]) -> str:
        """Forbid the time that the standard's own type has where it stands at another level."""
        if any(one.id == "TIME_PERIOD" for one in keys) or (self.old and self.timed):
            return ""
        return _PROHIBITED.format("TIME_PERIOD", "common:ObservationalTimePeriodType")

    def restriction(
        self, name: str, base: str, content: str, attributes: str, *, abstract: bool = False
    ) -> str:
        year = ""
        if self.old and "REPORTING_YEAR_START_DAY" not in self.message.structure.by_id:
            year = _PROHIBITED.format("REPORTING_YEAR_START_DAY", "xs:gMonthDay")
        only = ' abstract="true"' if abstract else ""
        return (
            f"<xs:complexType name={quoteattr(name)}{only}>"
            f"<xs:complexContent><xs:restriction base={quoteattr(base)}>"
            f"<xs:sequence>{content}</xs:sequence>{year}{attributes}"
            "</xs:restriction></xs:complexContent></xs:complexType>"
        )

    # -- components that no XML attribute can hold -------------------------------------------

    def complex_component(self, component: Component) -> str:
        value, before = "common:TextValueType", ""
        if component.data_type == "XHTML" and component.codelist is None:
            value = "common:StructuredTextValueType"
        elif not component.multilingual or component.codelist is not None:
            value = f"{component.id}_ValueType"
            before = (
                f"<xs:complexType name={quoteattr(value)}><xs:simpleContent>"
                '<xs:restriction base="common:ValueType"><xs:simpleType>'
                f"<xs:restriction base={quoteattr(self.type_of(component))}/></xs:simpleType>"
                "</xs:restriction></xs:simpleContent></xs:complexType>\n"
            )
        many = f' maxOccurs="{component.most or "unbounded"}"' if component.multiple else ""
        return (
            f"{before}<xs:complexType name={quoteattr(component_type(component))}>"
            '<xs:complexContent><xs:restriction base="dsd:CompType"><xs:sequence>'
            f'{_ANNOTATIONS}<xs:element name="Value" type={quoteattr(value)} form="unqualified"'
            f' minOccurs="0"{many}/></xs:sequence>'
            '<xs:attribute name="id" type="common:NCNameIDType" use="required"'
            f" fixed={quoteattr(component.id)}/>"
            "</xs:restriction></xs:complexContent></xs:complexType>"
        )


def _complex(component: Component) -> bool:
    """Tell whether a component may have values that no XML attribute can hold."""
    return component.role in (Role.MEASURE, Role.ATTRIBUTE) and (
        component.multiple or component.multilingual or component.data_type == "XHTML"
    )


def _element(name: str, type: str, occurs: str = "") -> str:
    return f'<xs:element name="{name}" type={quoteattr(type)} form="unqualified"{occurs}/>'
