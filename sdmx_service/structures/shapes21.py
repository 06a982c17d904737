"""Where the forms of SDMX-ML 2.1 differ from those of 3.0."""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE = """
Annotation:: id=@id title=c:AnnotationTitle type=c:AnnotationType
  links=c:AnnotationURL:AnnotationUrl*1 texts=c:AnnotationText:t
AnnotationUrl:: href=#
Identifiable < Annotable:: id=@id uri=@uri
Maintainable < Nameable:: version=@version^1.0 validFrom=@validFrom validTo=@validTo
  agencyID=@agencyID isFinal=@isFinal:b~false isExternalReference=@isExternalReference:b~false
  serviceURL=@serviceURL structureURL=@structureURL

Codelist < ItemScheme:: codes=Code:Code*
Representation:: format=TextFormat:Format enumeration=Enumeration:r(Codelist)
  enumerationFormat=EnumerationFormat:CodedFormat
CodedFormat:: dataType=@textType isSequence=@isSequence:b interval=@interval:n
  startValue=@startValue:n endValue=@endValue:n timeInterval=@timeInterval startTime=@startTime
  endTime=@endTime minLength=@minLength:i maxLength=@maxLength:i minValue=@minValue:n
  maxValue=@maxValue:n decimals=@decimals:i pattern=@pattern isMultiLingual=@isMultiLingual:b

OrganisationScheme < ItemScheme::
Metadataflow < Maintainable:: structure=Structure:r(MetadataStructure)
ProvisionAgreement < Maintainable:: dataflow=StructureUsage:r()
  dataProvider=DataProvider:r(DataProvider)

DataStructure < Maintainable::
  dataStructureComponents=DataStructureComponents:DataStructureComponents
DimensionList < Identifiable:: id=@id^DimensionDescriptor dimensions=Dimension:Dimension*
  measureDimension=MeasureDimension:MeasureDimension timeDimension=TimeDimension:TimeDimension
MeasureDimension < Dimension:: localRepresentation=LocalRepresentation:MeasureRepresentation
MeasureRepresentation:: enumeration=Enumeration:r(ConceptScheme)
TimeDimension < Component:: localRepresentation=LocalRepresentation:TimeRepresentation
  position=@position:i
TimeRepresentation:: format=TextFormat:TimeFormat
Group < Identifiable:: groupDimensions=GroupDimension*/DimensionReference:l*
  attachmentConstraint=AttachmentConstraint:r(AttachmentConstraint)
AttributeList < Identifiable:: id=@id^AttributeDescriptor attributes=Attribute:Attribute*
  reportingYearStartDay=ReportingYearStartDay:Attribute
Attribute < Component:: conceptRoles=ConceptRole:r(Concept)*
  attributeRelationship=AttributeRelationship:AttributeRelationship
  assignmentStatus=@assignmentStatus
AttributeRelationship:: none=None:e dimensions=Dimension:l* attachmentGroups=AttachmentGroup:l*
  group=Group:l primaryMeasure=PrimaryMeasure:l
MeasureList < Identifiable:: id=@id^MeasureDescriptor primaryMeasure=PrimaryMeasure:Component

MetadataStructureComponents:: metadataTargets=MetadataTarget:MetadataTarget*
  reportStructures=ReportStructure:ReportStructure*
MetadataTarget < Identifiable::
  keyDescriptorValuesTargets=KeyDescriptorValuesTarget:MetadataTargetObject*
  dataSetTargets=DataSetTarget:MetadataTargetObject*
  constraintContentTargets=ConstraintContentTarget:MetadataTargetObject*
  reportPeriodTargets=ReportPeriodTarget:ReportPeriodTarget*
  identifiableObjectTargets=IdentifiableObjectTarget:MetadataTargetObject*
MetadataTargetObject < Identifiable:: localRepresentation=LocalRepresentation:TargetRepresentation
  objectType=@objectType
TargetRepresentation:: format=TextFormat:Format enumeration=Enumeration:r()
ReportPeriodTarget < Identifiable:: localRepresentation=LocalRepresentation:TimeRepresentation
ReportStructure < Identifiable:: metadataAttributes=MetadataAttribute:MetadataAttribute*
  metadataTargets=MetadataTarget:l*

HierarchicalCodelist < Maintainable:: includedCodelists=IncludedCodelist:IncludedCodelist*
  hierarchies=Hierarchy:Hierarchy*
IncludedCodelist:: codelist=#:r(Codelist) alias=@alias
Hierarchy < Nameable:: hierarchicalCodes=HierarchicalCode:HierarchicalCode* level=Level:Level
  hasFormalLevels=@leveled:b^false
HierarchicalCode < Identifiable:: code=Code:r(Code) codelistAliasRef=CodelistAliasRef
  codeID=CodeID:l
  hierarchicalCodes=HierarchicalCode:HierarchicalCode* level=Level:l version=@version
  validFrom=@validFrom validTo=@validTo

StructureSet < Maintainable:: relatedStructures=RelatedStructure:r()*
  organisationSchemeMaps=OrganisationSchemeMap:SetOrganisationMap*
  categorySchemeMaps=CategorySchemeMap:SetCategoryMap* codelistMaps=CodelistMap:SetCodelistMap*
  conceptSchemeMaps=ConceptSchemeMap:SetConceptMap*
  reportingTaxonomyMaps=ReportingTaxonomyMap:SetReportingMap*
  hybridCodelistMaps=HybridCodelistMap:SetHybridMap* structureMaps=StructureMap:SetStructureMap*
SetMap < Nameable:: source=Source:r(Codelist) target=Target:r(Codelist)
ItemAssociation < Annotable:: source=Source:l target=Target:l
SetOrganisationMap < SetMap:: source=Source:r() target=Target:r()
  organisationMaps=OrganisationMap:ItemAssociation*
SetCategoryMap < SetMap:: source=Source:r(CategoryScheme) target=Target:r(CategoryScheme)
  categoryMaps=CategoryMap:ItemAssociation*
SetCodelistMap < SetMap:: codeMaps=CodeMap:ItemAssociation*
SetConceptMap < SetMap:: source=Source:r(ConceptScheme) target=Target:r(ConceptScheme)
  conceptMaps=ConceptMap:ItemAssociation*
SetReportingMap < SetMap:: source=Source:r(ReportingTaxonomy) target=Target:r(ReportingTaxonomy)
  reportingCategoryMaps=ReportingCategoryMap:ItemAssociation*
SetHybridMap < SetMap:: hybridCodeMaps=HybridCodeMap:HybridCodeMap*
HybridCodeMap < Annotable:: source=Source/-:Ref:LocalReference target=Target/-:Ref:LocalReference
LocalReference:: id=@id containerID=@containerID class=@class package=@package local=@local!true
SetStructureMap < SetMap:: source=Source:r() target=Target:r()
  componentMaps=ComponentMap:SetComponentMap* isExtension=@isExtension:b~false
SetComponentMap < Annotable:: source=Source/-:Ref:LocalReference target=Target/-:Ref:LocalReference
  representationMapping=RepresentationMapping:SetRepresentationMap
SetRepresentationMap:: codelistMap=CodelistMap:l toTextFormat=ToTextFormat:Format
  toValueType=ToValueType valueMap=ValueMap:ValueMap
ValueMap:: valueMappings=ValueMapping:ValueMapping*
ValueMapping:: source=@source target=@target

DataConstraint < Maintainable:: constraintAttachment=ConstraintAttachment:ConstraintAttachment
  dataKeySets=DataKeySet:DataKeySet* metadataKeySets=MetadataKeySet:MetadataKeySet*
  cubeRegions=CubeRegion:CubeRegion*
  metadataTargetRegions=MetadataTargetRegion:MetadataTargetRegion*
  releaseCalendar=ReleaseCalendar:ReleaseCalendar referencePeriod=ReferencePeriod:ReferencePeriod
  type=@type!Allowed
AvailabilityConstraint < DataConstraint:: type=@type!Actual
AttachmentConstraint < Maintainable:: constraintAttachment=ConstraintAttachment:ConstraintAttachment
  dataKeySets=DataKeySet:DataKeySet* metadataKeySets=MetadataKeySet:MetadataKeySet*
ConstraintAttachment:: dataProvider=DataProvider:r(DataProvider) dataSets=DataSet:SetReference*
  metadataSets=MetadataSet:SetReference* simpleDataSources=SimpleDataSource*
  dataStructures=DataStructure:r(DataStructure)*
  metadataStructures=MetadataStructure:r(MetadataStructure)* dataflows=Dataflow:r(Dataflow)*
  metadataflows=Metadataflow:r(Metadataflow)*
  provisionAgreements=ProvisionAgreement:r(ProvisionAgreement)*
  queryableDataSources=QueryableDataSource:QueryableDataSource*
SetReference:: dataProvider=c:DataProvider:r(DataProvider) id=c:ID
ReferencePeriod:: startTime=@startTime endTime=@endTime
DataKeySet:: isIncluded=@isIncluded:b keys=Key:DataKey*
DataKey:: keyValues=c:KeyValue:DataKeyValue* include=@include:b~true
DataKeyValue:: id=@id values=c:Value*1 include=@include:b~true
MetadataKeySet:: isIncluded=@isIncluded:b keys=Key:MetadataKey*
MetadataKey:: keyValues=c:KeyValue:MetadataKeyValue* include=@include:b~true report=@report
  metadataTarget=@metadataTarget
MetadataKeyValue:: id=@id values=c:Value*1 dataSets=c:DataSet:SetReference*1
  dataKeys=c:DataKey:DataKey*1 objects=c:Object:r()*1 include=@include:b~true
CubeRegion:: keyValues=c:KeyValue:Selection* components=c:Attribute:Selection*
  include=@include:b+true
Selection:: values=c:Value:SelectionValue* dataSets=c:DataSet:SetReference*
  dataKeys=c:DataKey:DataKey* objects=c:Object:r()* timeRange=c:TimeRange:TimeRange id=@id
  include=@include:b~true
SelectionValue:: value=# cascadeValues=@cascadeValues:b~false
TimeRange:: beforePeriod=c:BeforePeriod:Period afterPeriod=c:AfterPeriod:Period
  startPeriod=c:StartPeriod:Period endPeriod=c:EndPeriod:Period
MetadataTargetRegion:: keyValues=c:KeyValue:Selection* components=c:Attribute:Selection*
  include=@include:b+true report=@report metadataTarget=@metadataTarget

VtlMapping < Nameable:: dataflow=Dataflow:r(Dataflow) genericDataflow=GenericDataflow:e
  toVtlMapping=ToVtlMapping:ToVtlMapping fromVtlMapping=FromVtlMapping:FromVtlMapping
  codelist=Codelist:r(Codelist) conceptScheme=ConceptScheme:r(ConceptScheme)
  concept=Concept:r(Concept) alias=@alias
"""
