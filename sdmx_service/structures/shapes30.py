"""Where the forms of SDMX-ML 3.0 differ from those of 3.1."""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE = """
Maintainable < Nameable:: version=@version^1.0 validFrom=@validFrom validTo=@validTo
  agencyID=@agencyID isExternalReference=@isExternalReference:b~false serviceURL=@serviceURL
  structureURL=@structureURL
Categorisation < Maintainable:: source=Source:r() target=Target:r(Category)
Dataflow < Maintainable:: structure=Structure:r(DataStructure)
DataStructure < Maintainable::
  dataStructureComponents=DataStructureComponents:DataStructureComponents
  metadata=Metadata:r(MetadataStructure)
DataConstraint < Maintainable:: constraintAttachment=ConstraintAttachment:ConstraintAttachment
  releaseCalendar=ReleaseCalendar:ReleaseCalendar dataKeySets=DataKeySet:DataKeySet*
  cubeRegions=CubeRegion:CubeRegion* role=@role!Allowed
AvailabilityConstraint < Maintainable::
  constraintAttachment=ConstraintAttachment:ConstraintAttachment
  releaseCalendar=ReleaseCalendar:ReleaseCalendar dataKeySets=DataKeySet:DataKeySet*
  cubeRegions=CubeRegion:CubeRegion* role=@role!Actual
MetadataConstraint < Maintainable:: constraintAttachment=ConstraintAttachment:ConstraintAttachment
  releaseCalendar=ReleaseCalendar:ReleaseCalendar
  metadataTargetRegions=MetadataTargetRegion:MetadataTargetRegion* role=@role!Allowed
ReleaseCalendar:: periodicity=Periodicity offset=Offset tolerance=Tolerance
ConstraintAttachment:: dataProvider=DataProvider:r(DataProvider)
  metadataProvider=MetadataProvider:r(MetadataProvider)
  simpleDataSources=SimpleDataSource* dataStructures=DataStructure:r(DataStructure)*
  metadataStructures=MetadataStructure:r(MetadataStructure)* dataflows=Dataflow:r(Dataflow)*
  metadataflows=Metadataflow:r(Metadataflow)*
  provisionAgreements=ProvisionAgreement:r(ProvisionAgreement)*
  metadataProvisionAgreements=MetadataProvisionAgreement:r(MetadataProvisionAgreement)*
  queryableDataSources=QueryableDataSource:QueryableDataSource*
QueryableDataSource:: dataURL=c:DataURL wsdlURL=c:WSDLURL wadlURL=c:WADLURL
  isRESTDatasource=@isRESTDatasource:b isWebServiceDatasource=@isWebServiceDatasource:b
DataKeyValue:: id=@id values=Value*1 include=@include:b~true removePrefix=@removePrefix:b
TimeRange:: beforePeriod=BeforePeriod:Period afterPeriod=AfterPeriod:Period
  startPeriod=StartPeriod:Period endPeriod=EndPeriod:Period validFrom=@validFrom validTo=@validTo
"""
