"""A populated artefact of every kind, in the neutral form: invented, small, with every field."""

from __future__ import annotations

from typing import Any

from sdmx_service.structures import ArtefactKind

AG = "SIS"
I = "urn:sdmx:org.sdmx.infomodel."  # noqa: E741
FLOW = f"{I}datastructure.Dataflow=SIS:DF(1.0.0)"
DSD = f"{I}datastructure.DataStructure=SIS:DSD(1.0.0)"
MSD = f"{I}metadatastructure.MetadataStructure=SIS:MSD(1.0.0)"
MDF = f"{I}metadatastructure.Metadataflow=SIS:MDF(1.0.0)"
CL = f"{I}codelist.Codelist=SIS:CL(1.0.0)"
VL = f"{I}codelist.ValueList=SIS:VL(1.0.0)"
CS = f"{I}conceptscheme.ConceptScheme=SIS:CS(1.0.0)"
CATS = f"{I}categoryscheme.CategoryScheme=SIS:CATS(1.0.0)"
TAX = f"{I}categoryscheme.ReportingTaxonomy=SIS:TAX(1.0.0)"
UNITS = f"{I}base.OrganisationUnitScheme=SIS:UNITS(1.0)"
PROVIDER = f"{I}base.DataProvider=SIS:DATA_PROVIDERS(1.0).NSO"
METADATA_PROVIDER = f"{I}base.MetadataProvider=SIS:METADATA_PROVIDERS(1.0).NSO"
AGREEMENT = f"{I}registry.ProvisionAgreement=SIS:PA(1.0.0)"
ATTACHMENT = f"{I}registry.AttachmentConstraint=SIS:AC(1.0.0)"
HIERARCHY = f"{I}codelist.Hierarchy=SIS:H(1.0.0)"
VTL = f"{I}transformation."


def concept(id: str) -> str:
    return f"{I}conceptscheme.Concept=SIS:CS(1.0.0).{id}"


def code(id: str) -> str:
    return f"{I}codelist.Code=SIS:CL(1.0.0).{id}"


def named(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "names": {"en": id.title(), "fr": f"« {id} »"}, **more}


NOTE = {
    "id": "N1",
    "title": "Note",
    "type": "NOTE",
    "texts": {"en": "A text", "ar": "نص"},
    "links": [{"href": "https://example.org/note"}],
}
NOTE_31 = {
    **NOTE,
    "value": "42",
    "links": [
        {"href": "https://example.org/note", "hreflang": "en"},
        {"href": "https://example.org/note.fr", "hreflang": "fr"},
    ],
}
LINK = {
    "rel": "related",
    "href": "https://example.org/",
    "urn": "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SIS:OTHER(1.0.0)",
    "type": "text/html",
}
FORMAT = {
    "dataType": "String",
    "isSequence": False,
    "interval": 2,
    "startValue": 1.5,
    "endValue": 9,
    "timeInterval": "P1Y",
    "startTime": "2001",
    "endTime": "2020-Q4",
    "minLength": 1,
    "maxLength": 10,
    "minValue": 0.1,
    "maxValue": 100000,
    "decimals": 2,
    "pattern": "[a-z]+",
    "isMultiLingual": True,
}
SENTINEL = {"value": "-9", "names": {"en": "Refused"}, "descriptions": {"en": "No answer"}}
TIME = {"format": {"dataType": "GregorianYear", "startTime": "2001", "endTime": "2020"}}
CONTACT = {
    "id": "C1",
    "names": {"en": "Desk"},
    "departments": {"en": "Household surveys"},
    "roles": {"en": "Head"},
    "telephones": ["+1 23", "+1 24"],
    "faxes": ["+1 25"],
    "x400s": ["x"],
    "uris": ["https://example.org/desk"],
    "emails": ["desk@example.org"],
}


def whole(id: str, **more: Any) -> dict[str, Any]:
    """Return a maintainable artefact with all that any version of the standard has of its head."""
    return {
        **named(id),
        "descriptions": {"en": f"All about {id}"},
        "annotations": [NOTE],
        "agencyID": AG,
        "version": "1.0.0",
        "validFrom": "2020-01-01T00:00:00Z",
        "validTo": "2030-01-01T00:00:00Z",
        "uri": "https://example.org/uri",
        "serviceURL": "https://example.org/service",
        "structureURL": "https://example.org/structure",
        **more,
    }


def component(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "conceptIdentity": concept(id), **more}


CODED = {
    "localRepresentation": {
        "enumeration": CL,
        "enumerationFormat": {"dataType": "Alpha", "maxLength": 3},
    }
}
OF_KEY = {"attributeRelationship": {"dimensions": ["FREQ", "AREA"]}}


def data_structure(**more: Any) -> dict[str, Any]:
    components = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [
                component("FREQ", annotations=[NOTE], conceptRoles=[concept("ROLE")], **CODED),
                component("AREA"),
            ],
            "timeDimension": component("TIME_PERIOD", localRepresentation=TIME),
        },
        "groups": [{"id": "Sibling", "groupDimensions": ["AREA"], "annotations": [NOTE]}],
        "attributeList": {
            "id": "AttributeDescriptor",
            "attributes": [
                component("UNIT", usage="mandatory", **CODED, **OF_KEY),
                component("TITLE", attributeRelationship={"group": "Sibling"}),
                component("SOURCE", attributeRelationship={"dataflow": {}}),
                component(
                    "STATUS",
                    conceptRoles=[concept("ROLE")],
                    localRepresentation={"format": {"dataType": "Double", "decimals": 2}},
                    attributeRelationship={"observation": {}},
                ),
            ],
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [
                component("OBS_VALUE", localRepresentation={"format": {"dataType": "Double"}})
            ],
        },
    }
    return whole("DSD", dataStructureComponents={**components, **more})


def codes(**more: Any) -> list[dict[str, Any]]:
    return [
        named("A", descriptions={"en": "First"}, annotations=[NOTE], uri="https://example.org/a"),
        named("B", parent="A"),
        named("B1", parent="B", **more),
    ]


def constraint(id: str, **more: Any) -> dict[str, Any]:
    region = {
        "keyValues": [
            {"id": "FREQ", "values": [{"value": "A"}, {"value": "B", "cascadeValues": True}]},
            {"id": "AREA", "values": [{"value": "X"}], "include": False},
            {
                "id": "TIME_PERIOD",
                "timeRange": {
                    "startPeriod": {"period": "2001"},
                    "endPeriod": {"period": "2020-Q1", "isInclusive": False},
                },
            },
        ],
        "components": [{"id": "STATUS", "values": [{"value": "E"}]}],
    }
    key = {"keyValues": [{"id": "FREQ", "values": ["A"]}, {"id": "AREA", "values": ["X"]}]}
    return whole(
        id,
        constraintAttachment={"dataflows": [FLOW]},
        dataKeySets=[{"isIncluded": False, "keys": [key]}],
        cubeRegions=[region, {**region, "include": False}],
        **more,
    )


def before(period: str, name: str) -> dict[str, Any]:
    return {"id": "TIME_PERIOD", "timeRange": {name: {"period": period}}}


def scheme_map(id: str, source: str, **more: Any) -> dict[str, Any]:
    maps = [
        {"sourceValue": {"value": "A"}, "targetValue": "B"},
        {
            "annotations": [NOTE],
            "sourceValue": {"value": "A.*", "isRegEx": True, "startIndex": 1, "endIndex": 2},
            "validFrom": "2020-01-01",
            "validTo": "2021-01-01",
        },
    ]
    return whole(id, source=source, target=source, itemMaps=maps, **more)


def organisations(id: str, key: str, **more: Any) -> dict[str, Any]:
    items = [named("NSO", contacts=[CONTACT], **more), named("CB")]
    return whole(id, version="1.0", **{key: items})


def hierarchical_codes() -> list[dict[str, Any]]:
    return [
        {
            "id": "TOP",
            "code": code("A"),
            "level": "L1",
            "annotations": [NOTE],
            "validFrom": "2020-01-01T00:00:00Z",
            "validTo": "2021-01-01T00:00:00Z",
            "hierarchicalCodes": [{"id": "LEAF", "code": code("B"), "level": "L2"}],
        }
    ]


LEVELS = {
    **named("L1"),
    "codingFormat": {"dataType": "Alpha", "maxLength": 2},
    "level": named("L2", descriptions={"en": "Second"}),
}
ATTRIBUTES = [
    component(
        "CONTACT",
        isPresentational=True,
        minOccurs=0,
        maxOccurs="unbounded",
        metadataAttributes=[
            component("NAME", localRepresentation={"format": FORMAT}),
            component("KIND", localRepresentation={"enumeration": CL}, maxOccurs=3),
        ],
    )
]
STEPS = [
    {
        **named("STEP1"),
        "inputs": [{"localID": "IN", "objectReference": FLOW, "annotations": [NOTE]}],
        "outputs": [{"objectReference": code("A")}],
        "computation": {
            "descriptions": {"en": "Add up"},
            "localID": "SUM",
            "softwarePackage": "p",
            "softwareLanguage": "Python",
            "softwareVersion": "3",
            "annotations": [NOTE],
        },
        "transitions": [
            {"id": "T1", "targetStep": "STEP2", "conditions": {"en": "if done"}, "localID": "T"}
        ],
        "processSteps": [named("STEP1A")],
    },
    named("STEP2"),
]

K = ArtefactKind
# What SDMX 2.1 and 3.x share, then what each has alone.
SHARED: list[tuple[ArtefactKind, dict[str, Any]]] = [
    (K.AGENCY_SCHEME, organisations("AGENCIES", "agencies", descriptions={"en": "Office"})),
    (K.DATA_CONSUMER_SCHEME, organisations("DATA_CONSUMERS", "dataConsumers")),
    (K.DATA_PROVIDER_SCHEME, organisations("DATA_PROVIDERS", "dataProviders", annotations=[NOTE])),
    (
        K.ORGANISATION_UNIT_SCHEME,
        whole(
            "UNITS",
            version="1.0",
            organisationUnits=[named("A"), named("B", parent="A", contacts=[CONTACT])],
        ),
    ),
    (K.DATAFLOW, whole("DF", structure=DSD)),
    (K.METADATAFLOW, whole("MDF", structure=MSD)),
    (
        K.CATEGORY_SCHEME,
        whole("CATS", isPartial=True, categories=[named("A", categories=[named("B")]), named("C")]),
    ),
    (
        K.CATEGORISATION,
        whole(
            "CAT",
            version="1.0",
            source=FLOW,
            target=f"{I}categoryscheme.Category=SIS:CATS(1.0.0).A.B",
        ),
    ),
    (K.CODELIST, whole("CL", codes=codes())),
    (
        K.HIERARCHY,
        whole("H", hasFormalLevels=True, level=LEVELS, hierarchicalCodes=hierarchical_codes()),
    ),
    (
        K.CONCEPT_SCHEME,
        whole(
            "CS",
            concepts=[
                named(
                    "FREQ",
                    coreRepresentation={
                        "enumeration": CL,
                        "enumerationFormat": {"dataType": "Alpha"},
                    },
                    isoConceptReference={
                        "conceptAgency": "ISO",
                        "conceptSchemeID": "S",
                        "conceptID": "C",
                    },
                ),
                named("AREA", parent="FREQ", coreRepresentation={"format": FORMAT}),
            ],
        ),
    ),
    (
        K.METADATA_STRUCTURE,
        whole(
            "MSD",
            metadataStructureComponents={
                "metadataAttributeList": {
                    "id": "MetadataAttributeDescriptor",
                    "annotations": [NOTE],
                    "metadataAttributes": ATTRIBUTES,
                }
            },
        ),
    ),
    (K.DATA_STRUCTURE, data_structure()),
    (
        K.REPORTING_TAXONOMY,
        whole(
            "TAX",
            reportingCategories=[
                named("A", reportingCategories=[named("B", structuralMetadata=[DSD, MSD])]),
                named("C", provisioningMetadata=[FLOW, MDF]),
            ],
        ),
    ),
    (K.PROCESS, whole("PROC", processSteps=STEPS)),
    (K.DATA_CONSTRAINT, constraint("CR")),
    (
        K.DATA_CONSTRAINT,
        whole(
            "CR_TIME",
            constraintAttachment={"dataProvider": PROVIDER},
            cubeRegions=[{"keyValues": [before("2020", "beforePeriod")]}],
        ),
    ),
    (
        K.DATA_CONSTRAINT,
        whole(
            "CR_PA",
            constraintAttachment={"provisionAgreements": [AGREEMENT]},
            cubeRegions=[{"keyValues": [before("2020", "afterPeriod")]}],
        ),
    ),
    (K.DATA_CONSTRAINT, whole("CR_DSD", constraintAttachment={"dataStructures": [DSD]})),
    (K.PROVISION_AGREEMENT, whole("PA", dataflow=FLOW, dataProvider=PROVIDER)),
    (
        K.CUSTOM_TYPE_SCHEME,
        whole(
            "CTS",
            vtlVersion="2.0",
            customTypes=[
                named(
                    "T",
                    vtlScalarType="string",
                    dataType="String",
                    vtlLiteralFormat="f",
                    outputFormat="o",
                    nullValue="null",
                )
            ],
        ),
    ),
    (
        K.VTL_MAPPING_SCHEME,
        whole(
            "VMS",
            vtlMappings=[
                named(
                    "M1",
                    alias="D",
                    dataflow=FLOW,
                    toVtlMapping={"method": "Basic", "toVtlSubSpace": {"keys": ["FREQ"]}},
                    fromVtlMapping={"method": "Unpivot", "fromVtlSuperSpace": {"keys": ["AREA"]}},
                ),
                named("M2", alias="G", genericDataflow={}),
                named("M3", alias="C", codelist=CL),
                named("M4", alias="K", concept=concept("FREQ")),
            ],
        ),
    ),
    (
        K.NAME_PERSONALISATION_SCHEME,
        whole(
            "NPS",
            vtlVersion="2.0",
            namePersonalisations=[
                named("N", vtlDefaultName="a", personalisedName="b", vtlArtefact="c")
            ],
        ),
    ),
    (
        K.RULESET_SCHEME,
        whole(
            "RS",
            vtlVersion="2.0",
            vtlMappingScheme=f"{VTL}VtlMappingScheme=SIS:VMS(1.0.0)",
            rulesets=[
                named("R", rulesetDefinition="d", rulesetType="datapoint", rulesetScope="variable")
            ],
        ),
    ),
    (
        K.TRANSFORMATION_SCHEME,
        whole(
            "TS",
            vtlVersion="2.0",
            transformations=[named("T", expression="a + b", result="c", isPersistent=False)],
            vtlMappingScheme=f"{VTL}VtlMappingScheme=SIS:VMS(1.0.0)",
            namePersonalisationScheme=f"{VTL}NamePersonalisationScheme=SIS:NPS(1.0.0)",
            customTypeScheme=f"{VTL}CustomTypeScheme=SIS:CTS(1.0.0)",
            rulesetSchemes=[f"{VTL}RulesetScheme=SIS:RS(1.0.0)"],
            userDefinedOperatorSchemes=[f"{VTL}UserDefinedOperatorScheme=SIS:UDO(1.0.0)"],
        ),
    ),
    (
        K.USER_DEFINED_OPERATOR_SCHEME,
        whole(
            "UDO",
            vtlVersion="2.0",
            userDefinedOperators=[named("U", operatorDefinition="d")],
            vtlMappingScheme=f"{VTL}VtlMappingScheme=SIS:VMS(1.0.0)",
            rulesetSchemes=[f"{VTL}RulesetScheme=SIS:RS(1.0.0)"],
        ),
    ),
]

CALENDAR = {"periodicity": "P1M", "offset": "P1D", "tolerance": "P1D"}
SOURCE = {
    "dataURL": "https://example.org/d",
    "wsdlURL": "https://example.org/w",
    "wadlURL": "https://example.org/a",
    "isRESTDatasource": True,
    "isWebServiceDatasource": False,
}
DATASET = {"dataProvider": PROVIDER, "id": "SET"}


def associations(key: str, source: str) -> dict[str, Any]:
    pair = {"annotations": [NOTE], "source": "A", "target": "B"}
    return {**named("MAP"), "source": source, "target": source, key: [pair]}


def local(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "containerID": "DimensionDescriptor",
        "class": "Dimension",
        "package": "datastructure",
    }


def code_in(list_id: str) -> dict[str, Any]:
    return {"id": "A", "containerID": list_id, "class": "Code", "package": "codelist"}


ONLY_21: list[tuple[ArtefactKind, dict[str, Any]]] = [
    (K.CODELIST, whole("CL_FINAL", version="1.1", isFinal=True)),
    (K.CODELIST, whole("CL_OPEN", isFinal=False)),
    (K.ORGANISATION_UNIT_SCHEME, whole("UNITS2", organisationUnits=[named("A")])),
    (
        K.PROVISION_AGREEMENT,
        whole("MPA", metadataflow=MDF, dataProvider=PROVIDER),
    ),
    (
        K.VTL_MAPPING_SCHEME,
        whole("VMS21", vtlMappings=[named("M", alias="S", conceptScheme=CS)]),
    ),
    (
        K.DATA_STRUCTURE,
        data_structure(
            dimensionList={
                "id": "DimensionDescriptor",
                "dimensions": [component("FREQ"), component("AREA")],
                "measureDimension": component(
                    "INDICATOR",
                    position=2,
                    localRepresentation={"enumeration": CS},
                ),
                "timeDimension": component("TIME_PERIOD", localRepresentation=TIME),
            },
            groups=[
                {"id": "Sibling", "groupDimensions": ["AREA"]},
                {"id": "Bound", "attachmentConstraint": ATTACHMENT},
            ],
            attributeList={
                "id": "AttributeDescriptor",
                "attributes": [
                    component(
                        "TITLE",
                        attributeRelationship={
                            "dimensions": ["FREQ"],
                            "attachmentGroups": ["Sibling"],
                        },
                    ),
                    component(
                        "REPORTING_YEAR_START_DAY",
                        localRepresentation={"format": {"dataType": "MonthDay"}},
                        attributeRelationship={"dataflow": {}},
                    ),
                ],
            },
        ),
    ),
    (
        K.HIERARCHICAL_CODELIST,
        whole(
            "HCL",
            includedCodelists=[{"codelist": CL, "alias": "X"}],
            hierarchies=[
                {
                    **named("H1"),
                    "hasFormalLevels": False,
                    "hierarchicalCodes": [
                        {"id": "TOP", "code": code("A"), "level": "L", "version": "1.0"}
                    ],
                    "level": named("L"),
                },
                {
                    **named("H2"),
                    "hasFormalLevels": False,
                    "hierarchicalCodes": [{"id": "ONE", "code": code("A")}],
                },
            ],
        ),
    ),
    (
        K.METADATA_STRUCTURE,
        whole(
            "MSD21",
            metadataStructureComponents={
                "metadataTargets": [
                    {
                        "id": "TARGET",
                        "annotations": [NOTE],
                        "keyDescriptorValuesTargets": [
                            {
                                "id": "DIMENSION_DESCRIPTOR_VALUES_TARGET",
                                "localRepresentation": {"format": {"dataType": "KeyValues"}},
                            }
                        ],
                        "dataSetTargets": [
                            {
                                "id": "DATA_SET_TARGET",
                                "localRepresentation": {"format": {"dataType": "DataSetReference"}},
                            }
                        ],
                        "constraintContentTargets": [
                            {
                                "id": "CONSTRAINT_CONTENT_TARGET",
                                "localRepresentation": {
                                    "format": {"dataType": "AttachmentConstraintReference"}
                                },
                            }
                        ],
                        "reportPeriodTargets": [
                            {"id": "REPORT_PERIOD_TARGET", "localRepresentation": TIME}
                        ],
                        "identifiableObjectTargets": [
                            {
                                "id": "FLOW",
                                "objectType": "Dataflow",
                                "localRepresentation": {
                                    "format": {"dataType": "IdentifiableReference"}
                                },
                            },
                            {
                                "id": "CATEGORY",
                                "objectType": "Category",
                                "localRepresentation": {"enumeration": CATS},
                            },
                        ],
                    }
                ],
                "reportStructures": [
                    {
                        "id": "REPORT",
                        "metadataAttributes": ATTRIBUTES,
                        "metadataTargets": ["TARGET"],
                    }
                ],
            },
        ),
    ),
    (
        K.STRUCTURE_SET,
        whole(
            "SET",
            relatedStructures=[DSD, FLOW],
            organisationSchemeMaps=[associations("organisationMaps", UNITS)],
            categorySchemeMaps=[associations("categoryMaps", CATS)],
            codelistMaps=[associations("codeMaps", CL)],
            conceptSchemeMaps=[associations("conceptMaps", CS)],
            reportingTaxonomyMaps=[associations("reportingCategoryMaps", TAX)],
            hybridCodelistMaps=[
                {
                    **named("HYBRID"),
                    "source": CL,
                    "target": CL,
                    "hybridCodeMaps": [{"source": code_in("CL"), "target": code_in("CL")}],
                }
            ],
            structureMaps=[
                {
                    **named("SM"),
                    "source": DSD,
                    "target": DSD,
                    "isExtension": True,
                    "componentMaps": [
                        {
                            "source": local("FREQ"),
                            "target": local("FREQ"),
                            "representationMapping": {"codelistMap": "MAP"},
                        },
                        {
                            "source": local("AREA"),
                            "target": local("AREA"),
                            "representationMapping": {
                                "toTextFormat": {"dataType": "String"},
                                "toValueType": "Name",
                            },
                        },
                        {
                            "annotations": [NOTE],
                            "source": local("AREA"),
                            "target": local("FREQ"),
                            "representationMapping": {
                                "valueMap": {"valueMappings": [{"source": "a", "target": "b"}]}
                            },
                        },
                    ],
                }
            ],
        ),
    ),
    (
        K.ATTACHMENT_CONSTRAINT,
        whole(
            "AC",
            constraintAttachment={"dataSets": [DATASET, DATASET]},
            dataKeySets=[
                {"isIncluded": True, "keys": [{"keyValues": [{"id": "FREQ", "values": ["A"]}]}]}
            ],
            metadataKeySets=[
                {
                    "isIncluded": True,
                    "keys": [
                        {
                            "report": "REPORT",
                            "metadataTarget": "TARGET",
                            "keyValues": [
                                {"id": "FLOW", "objects": [FLOW]},
                                {"id": "TEXT", "values": ["x"]},
                                {"id": "SET", "dataSets": [DATASET]},
                                {
                                    "id": "KEYS",
                                    "dataKeys": [{"keyValues": [{"id": "FREQ", "values": ["A"]}]}],
                                },
                            ],
                        }
                    ],
                }
            ],
        ),
    ),
    (
        K.DATA_CONSTRAINT,
        whole(
            "CR21",
            constraintAttachment={"metadataSets": [DATASET]},
            releaseCalendar=CALENDAR,
            referencePeriod={
                "startTime": "2020-01-01T00:00:00Z",
                "endTime": "2021-01-01T00:00:00Z",
            },
            metadataTargetRegions=[
                {
                    "report": "REPORT",
                    "metadataTarget": "TARGET",
                    "include": False,
                    "keyValues": [
                        {"id": "FLOW", "objects": [FLOW]},
                        {"id": "SET", "dataSets": [DATASET]},
                        {
                            "id": "KEYS",
                            "dataKeys": [{"keyValues": [{"id": "FREQ", "values": ["A"]}]}],
                        },
                    ],
                    "components": [{"id": "CONTACT", "values": [{"value": "x"}]}],
                }
            ],
        ),
    ),
]

SHARED_BEFORE_31: list[tuple[ArtefactKind, dict[str, Any]]] = [
    (
        K.AVAILABILITY_CONSTRAINT,
        constraint("AVAILABLE", releaseCalendar=CALENDAR, seriesCount=12, obsCount=340),
    ),
    (
        K.DATA_CONSTRAINT,
        whole(
            "CR_SOURCE",
            constraintAttachment={"dataflows": [FLOW], "queryableDataSources": [SOURCE]},
            releaseCalendar=CALENDAR,
        ),
    ),
    (
        K.DATA_CONSTRAINT,
        whole("CR_SIMPLE", constraintAttachment={"simpleDataSources": ["https://example.org/f"]}),
    ),
]
