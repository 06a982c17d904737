"""Where the forms of SDMX-JSON differ from those of SDMX-ML, in the notation of ``shapes``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sdmx_service.structures import jsongenerations, shapes21, shapes30, shapes31
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.shapes import Shape, compiled

__all__ = ["SINGLE", "json_forms", "json_keys"]

SINGLE: Mapping[str, str] = {
    "names": "name",
    "descriptions": "description",
    "texts": "text",
    "conditions": "condition",
    "departments": "department",
    "roles": "role",
}
"""Texts by language -> the single text beside them."""

# The place in XML says nothing here; every field stands at ``_``.
_TABLE_21 = """
AnnotationUrl:: href=_ hreflang=_ rel=_ uri=_ urn=_ type=_ title=_ titles=_
Categorisation < Maintainable:: source=_:r() target=_:r(Category)
CodeSelection:: memberValues=_:MemberValue* wildcardedMemberValues=_*
CodedFormat:: dataType=_ isSequence=_:b interval=_:n startValue=_:n endValue=_:n
  timeInterval=_ startTime=_ endTime=_ minLength=_:i maxLength=_:i minValue=_:n maxValue=_:n
  pattern=_
TimeFormat:: dataType=_^ObservationalTimePeriod startTime=_ endTime=_
  sentinelValues=_:SentinelValue*
Format:: dataType=_^String sentinelValues=_:SentinelValue* isSequence=_:b interval=_:n
  startValue=_:n endValue=_:n timeInterval=_ startTime=_ endTime=_ minLength=_:i maxLength=_:i
  minValue=_:n maxValue=_:n decimals=_:i pattern=_ isMultiLingual=_:b
TimeRepresentation:: format=_:TimeFormat
MetadataAttributeUsage < Annotable:: links=_:Link* metadataAttributeReference=_:l
  attributeRelationship=_:AttributeRelationship
Attribute < Component:: conceptRoles=_:r(Concept)* attributeRelationship=_:AttributeRelationship
  measureRelationship=_* usage=_+optional
MetadataAttribute < Component:: metadataAttributes=_:MetadataAttribute* minOccurs=_:i+1
  maxOccurs=_:o+1 isPresentational=_:b+false
AttributeRelationship:: dataflow=_:e dimensions=_* areDimensionsOptional=_:b* group=_:l
  observation=_:e
AvailabilityConstraint < Annotable:: constraintAttachment=_:AvailabilityAttachment
  cubeRegion=_:CubeRegion seriesCount=_:i obsCount=_:i
AvailabilityAttachment:: dataStructure=_:r(DataStructure) dataflow=_:r(Dataflow)
  provisionAgreement=_:r(ProvisionAgreement)
MetadataTargetRegion < Annotable:: components=_:Selection* include=_:b~true validFrom=_ validTo=_
"""
_TABLE_20 = """
AvailabilityConstraint < Maintainable:: constraintAttachment=_:ConstraintAttachment
  releaseCalendar=_:ReleaseCalendar dataKeySets=_:DataKeySet* cubeRegions=_:CubeRegion*
  role=@role!Actual
DataKeyValue:: id=_ value=_ include=_:b~true removePrefix=_:b
"""
_TABLE_10 = """
Annotation:: id=_ title=_ type=_ links=_:AnnotationUrl* texts=_:t
AnnotationUrl:: href=_ hreflang=_ rel=_ uri=_ urn=_ type=_ title=_ titles=_
Identifiable < Annotable:: links=_:Link* id=_ uri=_
Concept < Code:: coreRepresentation=_:Representation
Contact:: names=_:t departments=_:t roles=_:t telephones=_* faxes=_* x400s=_* uris=_* emails=_*
Representation:: textFormat=_:Format enumeration=_:r(Codelist) enumerationFormat=_:CodedFormat
CodedFormat:: textType=_ isSequence=_:b interval=_:n startValue=_:n endValue=_:n
  timeInterval=_ startTime=_ endTime=_ minLength=_:i maxLength=_:i minValue=_:n maxValue=_:n
  pattern=_
Format:: textType=_^String isSequence=_:b interval=_:n startValue=_:n endValue=_:n timeInterval=_
  startTime=_ endTime=_ minLength=_:i maxLength=_:i minValue=_:n maxValue=_:n decimals=_:i
  pattern=_ isMultiLingual=_:b
TimeRepresentation:: textFormat=_:TimeFormat
TimeFormat:: textType=_^ObservationalTimePeriod startTime=_ endTime=_
TargetRepresentation:: textFormat=_:Format enumeration=_:r()
HierarchicalCodelist < Maintainable:: includedCodelists=_ hierarchies=_:Hierarchy*
Hierarchy < Nameable:: hierarchicalCodes=_:HierarchicalCode* level=_:Level leveled=_:b^false
DimensionList < Identifiable:: id=_^DimensionDescriptor dimensions=_:Dimension*
  measureDimensions=_:MeasureDimension* timeDimensions=_:TimeDimension*
AttributeList < Identifiable:: id=_^AttributeDescriptor attributes=_:Attribute*
  reportingYearStartDays=_:Attribute*
AttributeRelationship:: none=_:e dimensions=_* attachmentGroups=_* group=_:l primaryMeasure=_:l
ProvisionAgreement < Maintainable:: structureUsage=_:r() dataProvider=_:r(DataProvider)
DataConstraint < Maintainable:: constraintAttachment=_:ConstraintAttachment
  dataKeySets=_:DataKeySet* cubeRegions=_:CubeRegion* releaseCalendar=_:ReleaseCalendar
  referencePeriod=_:ReferencePeriod type=_!Allowed
AvailabilityConstraint < DataConstraint:: type=_!Actual
AttachmentConstraint < Maintainable:: constraintAttachment=_:ConstraintAttachment
  dataKeySets=_:DataKeySet*
ConstraintAttachment:: dataProvider=_:r(DataProvider) dataSets=_:SetReference*
  metadataSets=_:SetReference* dataSet=_:SetReference metadataSet=_:SetReference
  simpleDataSources=_* simpleDataSource=_ dataStructures=_:r(DataStructure)*
  metadataStructures=_:r(MetadataStructure)* dataflows=_:r(Dataflow)*
  metadataflows=_:r(Metadataflow)* provisionAgreements=_:r(ProvisionAgreement)*
  queryableDataSources=_:QueryableDataSource*
QueryableDataSource:: dataURL=_ wsdlURL=_ wadlURL=_ isRESTDatasource=_:b isWebServiceDatasource=_:b
DataKey:: keyValues=_:DataKeyValue*
DataKeyValue:: id=_ value=_
CubeRegion:: isIncluded=_:b+true keyValues=_:Selection* attributes=_:Selection*
Selection:: id=_ values=_* cascadeValues=_* timeRange=_:TimeRange
"""
_KEYS_10 = {
    ArtefactKind.DATA_CONSTRAINT: "contentConstraints",
    ArtefactKind.AVAILABILITY_CONSTRAINT: "contentConstraints",
    ArtefactKind.HIERARCHY: "hierarchicalCodelists",
}
# SDMX-JSON 1.0 has structure sets too, but says what they map by URNs that the standard does not
# have for a part of one; it has no VTL at all.
_NOT_IN_10 = frozenset(
    {kind for kind in ArtefactKind if kind.ml21 is None or kind.package == "transformation"}
    | {ArtefactKind.STRUCTURE_SET}
)


@cache
def json_forms(version: JsonVersion) -> Mapping[str, Shape]:
    """Return the shapes of a version by name; those of artefacts have the name of their kind."""
    tables: tuple[str, ...]
    match version:
        case JsonVersion.JSON21:
            tables = (shapes31.TABLE, _TABLE_21)
        case JsonVersion.JSON20:
            tables = (shapes31.TABLE, shapes30.TABLE, _TABLE_21, _TABLE_20)
        case JsonVersion.JSON10:
            tables = (shapes31.TABLE, shapes30.TABLE, shapes21.TABLE, _TABLE_10)
    return compiled(
        *(table.replace("=_", "=@_") for table in tables),
        after=jsongenerations.AFTER[version],
        before=jsongenerations.BEFORE[version],
    )


@cache
def json_keys(version: JsonVersion) -> Mapping[ArtefactKind, str]:
    """Return the key of each kind of artefact that a version has."""
    if version is JsonVersion.JSON10:
        return {
            kind: _KEYS_10.get(kind, kind.json_key)
            for kind in ArtefactKind
            if kind not in _NOT_IN_10
        }
    keys = {kind: kind.json_key for kind in ArtefactKind if kind.ml3}
    if version is JsonVersion.JSON20:
        keys[ArtefactKind.AVAILABILITY_CONSTRAINT] = ArtefactKind.DATA_CONSTRAINT.json_key
    return keys
