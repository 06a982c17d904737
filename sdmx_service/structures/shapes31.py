"""The forms of SDMX-ML 3.1, whose keys are those of SDMX-JSON 2.1."""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE = """
Annotation:: id=@id title=c:AnnotationTitle type=c:AnnotationType
  links=c:AnnotationURL:AnnotationUrl* texts=c:AnnotationText:t value=c:AnnotationValue
AnnotationUrl:: href=# hreflang=@lang
Link:: rel=@rel href=@url urn=@urn type=@type
Annotable:: annotations=c:Annotations/c:Annotation:Annotation*
Identifiable < Annotable:: links=c:Link:Link* id=@id uri=@uri
Nameable < Identifiable:: names=c:Name:t descriptions=c:Description:t
Maintainable < Nameable:: version=@version^1.0 validFrom=@validFrom validTo=@validTo
  agencyID=@agencyID isPartialLanguage=@isPartialLanguage:b~false
  isExternalReference=@isExternalReference:b~false serviceURL=@serviceURL structureURL=@structureURL
ItemScheme < Maintainable:: isPartial=@isPartial:b~false

Codelist < ItemScheme:: codes=Code:Code* codelistExtensions=CodelistExtension:CodelistExtension*
Code < Nameable:: parent=Parent:l
CodelistExtension:: codelist=Codelist:r(Codelist) prefix=@prefix
  inclusiveCodeSelection=InclusiveCodeSelection:CodeSelection
  exclusiveCodeSelection=ExclusiveCodeSelection:CodeSelection
CodeSelection:: memberValues=MemberValue:MemberValue*
MemberValue:: value=# cascadeValues=@cascadeValues:c~false
GeographicCodelist < ItemScheme:: geoType=@geoType!GeographicCodelist
  geoFeatureSetCodes=GeoFeatureSetCode:GeoFeatureSetCode*
  codelistExtensions=CodelistExtension:CodelistExtension*
GeoFeatureSetCode < Code:: value=@value
GeoGridCodelist < ItemScheme:: geoType=@geoType!GeoGridCodelist
  geoGridCodes=GeoGridCode:GeoGridCode*
  codelistExtensions=CodelistExtension:CodelistExtension* gridDefinition=GridDefinition
GeoGridCode < Code:: geoCell=GeoCell
ValueList < Maintainable:: valueItems=ValueItem:ValueItem*
ValueItem < Annotable:: id=@id names=c:Name:t descriptions=c:Description:t

ConceptScheme < ItemScheme:: concepts=Concept:Concept*
Concept < Code:: coreRepresentation=CoreRepresentation:Representation
  isoConceptReference=ISOConceptReference:IsoConceptReference
IsoConceptReference:: conceptAgency=ConceptAgency conceptSchemeID=ConceptSchemeID
  conceptID=ConceptID
Representation:: format=TextFormat:Format enumeration=Enumeration:r(Codelist)
  enumerationFormat=EnumerationFormat:CodedFormat minOccurs=@minOccurs:i~1 maxOccurs=@maxOccurs:o~1
CodedFormat:: sentinelValues=SentinelValue:SentinelValue* dataType=@textType
  isSequence=@isSequence:b interval=@interval:n startValue=@startValue:n endValue=@endValue:n
  timeInterval=@timeInterval startTime=@startTime endTime=@endTime minLength=@minLength:i
  maxLength=@maxLength:i minValue=@minValue:n maxValue=@maxValue:n decimals=@decimals:i
  pattern=@pattern isMultiLingual=@isMultiLingual:b
Format < CodedFormat:: dataType=@textType^String
TimeFormat < CodedFormat:: dataType=@textType^ObservationalTimePeriod
SentinelValue:: value=@value names=c:Name:t descriptions=c:Description:t

CategoryScheme < ItemScheme:: categories=Category:Category*
Category < Nameable:: categories=Category:Category*
Categorisation < Maintainable:: version=-!1.0 source=Source:r() target=Target:r(Category)

OrganisationScheme < ItemScheme:: version=-!1.0
AgencyScheme < OrganisationScheme:: agencies=Agency:Organisation*
DataConsumerScheme < OrganisationScheme:: dataConsumers=DataConsumer:Organisation*
DataProviderScheme < OrganisationScheme:: dataProviders=DataProvider:Organisation*
MetadataProviderScheme < OrganisationScheme:: metadataProviders=MetadataProvider:Organisation*
OrganisationUnitScheme < OrganisationScheme:: organisationUnits=OrganisationUnit:OrganisationUnit*
Organisation < Nameable:: contacts=Contact:Contact*
OrganisationUnit < Nameable:: parent=Parent:l contacts=Contact:Contact*
Contact:: names=c:Name:t departments=Department:t roles=Role:t telephones=Telephone* faxes=Fax*
  x400s=X400* uris=URI* emails=Email* id=@id

Dataflow < Maintainable:: structure=Structure:r(DataStructure)
  dimensionConstraint=DimensionConstraint/Dimension*
Metadataflow < Maintainable:: structure=Structure:r(MetadataStructure) targets=Target*
ProvisionAgreement < Maintainable:: dataflow=Dataflow:r(Dataflow)
  dataProvider=DataProvider:r(DataProvider)
MetadataProvisionAgreement < Maintainable:: metadataflow=Metadataflow:r(Metadataflow)
  metadataProvider=MetadataProvider:r(MetadataProvider) targets=Target*

DataStructure < Maintainable::
  dataStructureComponents=DataStructureComponents:DataStructureComponents
  metadata=Metadata:r(MetadataStructure) evolvingStructure=@evolvingStructure:b~false
DataStructureComponents:: dimensionList=DimensionList:DimensionList groups=Group:Group*
  attributeList=AttributeList:AttributeList measureList=MeasureList:MeasureList
Component < Identifiable:: conceptIdentity=ConceptIdentity:r(Concept)
  localRepresentation=LocalRepresentation:Representation
DimensionList < Identifiable:: id=@id^DimensionDescriptor dimensions=Dimension:Dimension*
  timeDimension=TimeDimension:TimeDimension
Dimension < Component:: conceptRoles=ConceptRole:r(Concept)* position=@position:i
TimeDimension < Component:: localRepresentation=LocalRepresentation:TimeRepresentation
TimeRepresentation:: format=TextFormat:TimeFormat minOccurs=@minOccurs:i~1 maxOccurs=@maxOccurs:o~1
Group < Identifiable:: groupDimensions=GroupDimension*/DimensionReference:l*
AttributeList < Identifiable:: id=@id^AttributeDescriptor attributes=Attribute:Attribute*
  metadataAttributeUsages=MetadataAttributeUsage:MetadataAttributeUsage*
Attribute < Component:: conceptRoles=ConceptRole:r(Concept)*
  attributeRelationship=AttributeRelationship:AttributeRelationship
  measureRelationship=MeasureRelationship/Measure* usage=@usage~optional
MetadataAttributeUsage < Identifiable:: metadataAttributeReference=MetadataAttributeReference:l
  attributeRelationship=AttributeRelationship:AttributeRelationship
AttributeRelationship:: dataflow=Dataflow:e dimensions=Dimension:OptionalDimension* group=Group:l
  observation=Observation:e
OptionalDimension:: id=# optional=@optional:b~false
MeasureList < Identifiable:: id=@id^MeasureDescriptor measures=Measure:Measure*
Measure < Component:: conceptRoles=ConceptRole:r(Concept)* usage=@usage~optional

MetadataStructure < Maintainable::
  metadataStructureComponents=MetadataStructureComponents:MetadataStructureComponents
MetadataStructureComponents:: metadataAttributeList=MetadataAttributeList:MetadataAttributeList
MetadataAttributeList < Identifiable:: id=@id^MetadataAttributeDescriptor
  metadataAttributes=MetadataAttribute:MetadataAttribute*
MetadataAttribute < Component:: metadataAttributes=MetadataAttribute:MetadataAttribute*
  minOccurs=@minOccurs:i~1 maxOccurs=@maxOccurs:o~1 isPresentational=@isPresentational:b~false

Hierarchy < Maintainable:: level=Level:Level hierarchicalCodes=HierarchicalCode:HierarchicalCode*
  hasFormalLevels=@hasFormalLevels:b^false
HierarchicalCode < Identifiable:: code=Code:r(Code)
  hierarchicalCodes=HierarchicalCode:HierarchicalCode* level=Level:l validFrom=@validFrom
  validTo=@validTo
Level < Nameable:: codingFormat=CodingFormat:CodedFormat level=Level:Level
HierarchyAssociation < Maintainable:: linkedHierarchy=LinkedHierarchy:r(Hierarchy)
  linkedObject=LinkedObject:r() contextObject=ContextObject:r()

Process < Maintainable:: processSteps=ProcessStep:ProcessStep*
ProcessStep < Nameable:: inputs=Input:InputOutput* outputs=Output:InputOutput*
  computation=Computation:Computation transitions=Transition:Transition*
  processSteps=ProcessStep:ProcessStep*
InputOutput < Annotable:: objectReference=ObjectReference:r() localID=@localID
Computation < Annotable:: descriptions=c:Description:t localID=@localID
  softwarePackage=@softwarePackage softwareLanguage=@softwareLanguage
  softwareVersion=@softwareVersion
Transition < Identifiable:: targetStep=TargetStep:l conditions=Condition:t localID=@localID

ReportingTaxonomy < ItemScheme:: reportingCategories=ReportingCategory:ReportingCategory*
ReportingCategory < Nameable:: reportingCategories=ReportingCategory:ReportingCategory*
  structuralMetadata=StructuralMetadata:r()* provisioningMetadata=ProvisioningMetadata:r()*

ItemSchemeMap < Maintainable:: source=Source:r() target=Target:r() itemMaps=ItemMap:ItemMap*
ItemMap < Annotable:: sourceValue=SourceValue:MappedValue targetValue=TargetValue
  validFrom=@validFrom validTo=@validTo
ConceptSchemeMap < ItemSchemeMap::
CategorySchemeMap < ItemSchemeMap::
OrganisationSchemeMap < ItemSchemeMap::
ReportingTaxonomyMap < ItemSchemeMap::
StructureMap < Maintainable:: source=Source:r() target=Target:r() epochMaps=EpochMap:EpochMap*
  datePatternMaps=DatePatternMap:DatePatternMap*
  frequencyFormatMappings=FrequencyFormatMapping:FrequencyFormatMapping*
  componentMaps=ComponentMap:ComponentMap* fixedValueMaps=FixedValueMap:FixedValueMap*
DateMap < Identifiable:: mappedComponents=(source=Source:l,target=Target:l)
  frequencyDimension=FrequencyDimension:l mappedFrequencies=MappedFrequencies:l*
  targetFrequencyID=TargetFrequencyID:l resolvePeriod=@resolvePeriod
EpochMap < DateMap:: basePeriod=@basePeriod epochPeriod=@epochPeriod
DatePatternMap < DateMap:: sourcePattern=@sourcePattern locale=@locale
FrequencyFormatMapping < Identifiable:: frequencyId=FrequencyId:l datePattern=DatePattern
ComponentMap < Annotable:: source=Source:l* target=Target:l*
  representationMap=RepresentationMap:r(RepresentationMap)
FixedValueMap < Annotable:: source=Source:l target=Target:l values=Value*
RepresentationMap < Maintainable::
  source=(codelist=SourceCodelist:r(Codelist)|dataType=SourceDataType)
  target=(codelist=TargetCodelist:r(Codelist)|dataType=TargetDataType)
  representationMappings=RepresentationMapping:RepresentationMapping*
RepresentationMapping < Annotable:: sourceValues=SourceValue:MappedValue* targetValues=TargetValue*
  validFrom=@validFrom validTo=@validTo
MappedValue:: value=# isRegEx=@isRegEx:b startIndex=@startIndex:i endIndex=@endIndex:i

DataConstraint < Maintainable:: constraintAttachment=ConstraintAttachment:ConstraintAttachment
  dataKeySets=DataKeySet:DataKeySet* cubeRegions=CubeRegion:CubeRegion*
ConstraintAttachment:: dataProvider=DataProvider:r(DataProvider)
  metadataProvider=MetadataProvider:r(MetadataProvider)
  dataStructures=DataStructure:r(DataStructure)*
  metadataStructures=MetadataStructure:r(MetadataStructure)* dataflows=Dataflow:r(Dataflow)*
  metadataflows=Metadataflow:r(Metadataflow)*
  provisionAgreements=ProvisionAgreement:r(ProvisionAgreement)*
  metadataProvisionAgreements=MetadataProvisionAgreement:r(MetadataProvisionAgreement)*
DataKeySet:: isIncluded=@isIncluded:b keys=Key:DataKey*
DataKey < Annotable:: keyValues=KeyValue:DataKeyValue* components=Component:Selection*
  include=@include:b~true validFrom=@validFrom validTo=@validTo
DataKeyValue:: id=@id values=Value* include=@include:b~true removePrefix=@removePrefix:b
CubeRegion < Annotable:: keyValues=KeyValue:Selection* components=Component:Selection*
  include=@include:b+true
Selection:: values=Value:SelectionValue* timeRange=TimeRange:TimeRange id=@id
  include=@include:b~true
  removePrefix=@removePrefix:b validFrom=@validFrom validTo=@validTo
SelectionValue:: value=# cascadeValues=@cascadeValues:c~false lang=@lang validFrom=@validFrom
  validTo=@validTo
TimeRange:: beforePeriod=BeforePeriod:Period afterPeriod=AfterPeriod:Period
  startPeriod=StartPeriod:Period endPeriod=EndPeriod:Period validFrom=@validFrom validTo=@validTo
Period:: period=# isInclusive=@isInclusive:b~true
AvailabilityConstraint < Annotable:: id=- version=- agencyID=- names=- descriptions=-
  isExternalReference=-
  constraintAttachment=ConstraintAttachment:AvailabilityAttachment
  cubeRegions=CubeRegion:CubeRegion*1 seriesCount=@seriesCount:i obsCount=@obsCount:i
AvailabilityAttachment:: dataStructures=DataStructure:r(DataStructure)*1
  dataflows=Dataflow:r(Dataflow)*1 provisionAgreements=ProvisionAgreement:r(ProvisionAgreement)*1
MetadataConstraint < Maintainable:: constraintAttachment=ConstraintAttachment:ConstraintAttachment
  metadataTargetRegions=MetadataTargetRegion:MetadataTargetRegion*
MetadataTargetRegion:: components=Component:Selection* include=@include:b~true
  validFrom=@validFrom validTo=@validTo

VtlScheme < ItemScheme:: vtlVersion=@vtlVersion
TransformationScheme < VtlScheme:: transformations=Transformation:Transformation*
  vtlMappingScheme=VtlMappingScheme:r(VtlMappingScheme)
  namePersonalisationScheme=NamePersonalisationScheme:r(NamePersonalisationScheme)
  customTypeScheme=CustomTypeScheme:r(CustomTypeScheme)
  rulesetSchemes=RulesetScheme:r(RulesetScheme)*
  userDefinedOperatorSchemes=UserDefinedOperatorScheme:r(UserDefinedOperatorScheme)*
Transformation < Nameable:: expression=Expression result=Result isPersistent=@isPersistent:b
VtlMappingScheme < ItemScheme:: vtlMappings=VtlMapping:VtlMapping*
VtlMapping < Nameable:: dataflow=Dataflow:r(Dataflow) genericDataflow=GenericDataflow:e
  toVtlMapping=ToVtlMapping:ToVtlMapping fromVtlMapping=FromVtlMapping:FromVtlMapping
  codelist=Codelist:r(Codelist) concept=Concept:r(Concept) alias=@alias
ToVtlMapping:: toVtlSubSpace=ToVtlSubSpace:SpaceKey method=@method
FromVtlMapping:: fromVtlSuperSpace=FromVtlSuperSpace:SpaceKey method=@method
SpaceKey:: keys=Key*
NamePersonalisationScheme < VtlScheme::
  namePersonalisations=NamePersonalisation:NamePersonalisation*
NamePersonalisation < Nameable:: vtlDefaultName=VtlDefaultName personalisedName=PersonalisedName
  vtlArtefact=@vtlArtefact
RulesetScheme < VtlScheme:: rulesets=Ruleset:Ruleset*
  vtlMappingScheme=VtlMappingScheme:r(VtlMappingScheme)
Ruleset < Nameable:: rulesetDefinition=RulesetDefinition rulesetType=@rulesetType
  rulesetScope=@rulesetScope
UserDefinedOperatorScheme < VtlScheme::
  userDefinedOperators=UserDefinedOperator:UserDefinedOperator*
  vtlMappingScheme=VtlMappingScheme:r(VtlMappingScheme)
  rulesetSchemes=RulesetScheme:r(RulesetScheme)*
UserDefinedOperator < Nameable:: operatorDefinition=OperatorDefinition
CustomTypeScheme < VtlScheme:: customTypes=CustomType:CustomType*
CustomType < Nameable:: vtlScalarType=VtlScalarType dataType=DataType
  vtlLiteralFormat=VtlLiteralFormat outputFormat=OutputFormat nullValue=NullValue
"""
