"""A populated artefact of every kind that only SDMX 3.0 and 3.1 have, in the neutral form."""

from __future__ import annotations

from typing import Any

from structure_examples import (
    CATS,
    CL,
    CS,
    DSD,
    FLOW,
    FORMAT,
    HIERARCHY,
    LINK,
    MDF,
    METADATA_PROVIDER,
    MSD,
    NOTE,
    NOTE_31,
    OF_KEY,
    SENTINEL,
    SOURCE,
    TAX,
    UNITS,
    VL,
    I,
    codes,
    component,
    concept,
    constraint,
    data_structure,
    named,
    organisations,
    scheme_map,
    whole,
)

from sdmx_service.structures import ArtefactKind as K

MANY = {
    "localRepresentation": {
        "format": {**FORMAT, "sentinelValues": [SENTINEL]},
        "minOccurs": 2,
        "maxOccurs": "unbounded",
    }
}
EXTENSIONS = [
    {
        "codelist": CL,
        "prefix": "X_",
        "inclusiveCodeSelection": {
            "memberValues": [{"value": "A"}, {"value": "B", "cascadeValues": "excluderoot"}],
            "wildcardedMemberValues": ["B%"],
        },
    },
    {
        "codelist": f"{I}codelist.Codelist=SIS:OTHER(1.0+.0)",
        "exclusiveCodeSelection": {"memberValues": [{"value": "B", "cascadeValues": True}]},
    },
]
REGION_PART = {
    "id": "CONTACT.NAME",
    "values": [
        {
            "value": "A",
            "cascadeValues": "excluderoot",
            "lang": "en",
            "validFrom": "2020",
            "validTo": "2021",
        }
    ],
    "removePrefix": True,
}

SHARED_3: list[tuple[K, dict[str, Any]]] = [
    (K.METADATA_PROVIDER_SCHEME, organisations("METADATA_PROVIDERS", "metadataProviders")),
    (
        K.CODELIST,
        whole("CL_EXT", links=[LINK], codes=codes(links=[LINK]), codelistExtensions=EXTENSIONS),
    ),
    (K.CODELIST, whole("CL_DRAFT", version="2.0.0-draft.1", annotations=[NOTE_31])),
    (
        K.GEOGRAPHIC_CODELIST,
        whole(
            "GEO",
            geoFeatureSetCodes=[
                named("AT", value="POLYGON((1 2))"),
                named("AT1", parent="AT", value="P"),
            ],
            codelistExtensions=EXTENSIONS[1:],
        ),
    ),
    (
        K.GEO_GRID_CODELIST,
        whole(
            "GRID",
            gridDefinition="EPSG:3035",
            geoGridCodes=[named("G1", geoCell="1,2"), named("G2", parent="G1", geoCell="3,4")],
        ),
    ),
    (
        K.VALUE_LIST,
        whole(
            "VL",
            valueItems=[
                {
                    "id": "%",
                    "names": {"en": "Per cent"},
                    "descriptions": {"en": "x"},
                    "annotations": [NOTE],
                },
                {"id": "€ / m²"},
            ],
        ),
    ),
    (K.METADATAFLOW, whole("MDF3", structure=MSD, targets=[f"{I}datastructure.Dataflow=SIS:*(*)"])),
    (
        K.METADATA_PROVISION_AGREEMENT,
        whole(
            "MPA",
            metadataflow=MDF,
            metadataProvider=METADATA_PROVIDER,
            targets=[f"{I}datastructure.Dataflow=SIS:*(*)"],
        ),
    ),
    (
        K.DATA_STRUCTURE,
        {
            **data_structure(
                attributeList={
                    "id": "AttributeDescriptor",
                    "attributes": [
                        component("TITLE", usage="mandatory", **MANY, **OF_KEY),
                        component(
                            "NOTE",
                            links=[LINK],
                            localRepresentation={"enumeration": VL, "maxOccurs": 5},
                            attributeRelationship={
                                "dimensions": ["FREQ", "AREA"],
                                "areDimensionsOptional": [False, True],
                            },
                            measureRelationship=["OBS_VALUE", "SHARE"],
                        ),
                    ],
                    "metadataAttributeUsages": [
                        {
                            "metadataAttributeReference": "CONTACT",
                            "attributeRelationship": {"dataflow": {}},
                            "annotations": [NOTE],
                        }
                    ],
                },
                measureList={
                    "id": "MeasureDescriptor",
                    "measures": [
                        component("OBS_VALUE", usage="mandatory"),
                        component("SHARE", conceptRoles=[concept("ROLE")], **MANY),
                    ],
                },
            ),
            "metadata": MSD,
        },
    ),
    (
        K.DATA_STRUCTURE,
        whole(
            "NO_TIME",
            dataStructureComponents={
                "dimensionList": {"id": "DimensionDescriptor", "dimensions": [component("AREA")]}
            },
        ),
    ),
    (
        K.HIERARCHY_ASSOCIATION,
        whole("HA", linkedHierarchy=HIERARCHY, linkedObject=FLOW, contextObject=DSD),
    ),
    (K.CONCEPT_SCHEME_MAP, scheme_map("CSM", CS)),
    (K.CATEGORY_SCHEME_MAP, scheme_map("CATM", CATS)),
    (K.ORGANISATION_SCHEME_MAP, scheme_map("OSM", UNITS)),
    (K.REPORTING_TAXONOMY_MAP, scheme_map("RTM", TAX)),
    (
        K.STRUCTURE_MAP,
        whole(
            "SM",
            source=DSD,
            target=FLOW,
            epochMaps=[
                {
                    "id": "E",
                    "annotations": [NOTE],
                    "mappedComponents": [
                        {"source": "A", "target": "B"},
                        {"source": "C", "target": "D"},
                    ],
                    "targetFrequencyID": "A",
                    "basePeriod": "1970",
                    "epochPeriod": "second",
                    "resolvePeriod": "endOfPeriod",
                }
            ],
            datePatternMaps=[
                {
                    "id": "D",
                    "mappedComponents": [{"source": "A", "target": "B"}],
                    "frequencyDimension": "FREQ",
                    "mappedFrequencies": ["F1"],
                    "sourcePattern": "MMM yy",
                    "locale": "en",
                }
            ],
            frequencyFormatMappings=[{"id": "F1", "frequencyId": "A", "datePattern": "yyyy"}],
            componentMaps=[
                {"source": ["A", "B"], "target": ["C"], "annotations": [NOTE]},
                {
                    "source": ["A"],
                    "target": ["C"],
                    "representationMap": f"{I}structuremapping.RepresentationMap=SIS:RM(1.0.0)",
                },
            ],
            fixedValueMaps=[
                {"target": "UNIT", "values": ["PC", "PT"]},
                {"source": "X", "values": ["1"]},
            ],
        ),
    ),
    (
        K.REPRESENTATION_MAP,
        whole(
            "RM",
            source=[{"codelist": CL}, {"dataType": "String"}, {"codelist": VL}],
            target=[{"dataType": "Integer"}],
            representationMappings=[
                {
                    "annotations": [NOTE],
                    "sourceValues": [
                        {"value": "A"},
                        {"value": "B.*", "isRegEx": True},
                        {"value": "C"},
                    ],
                    "targetValues": ["1"],
                    "validFrom": "2020-01-01",
                    "validTo": "2021-01-01",
                }
            ],
        ),
    ),
    (
        K.METADATA_CONSTRAINT,
        whole(
            "MC",
            constraintAttachment={"metadataflows": [MDF]},
            metadataTargetRegions=[
                {
                    "components": [REGION_PART],
                    "include": False,
                    "validFrom": "2020",
                    "validTo": "2021",
                }
            ],
        ),
    ),
    (K.METADATA_CONSTRAINT, whole("MC2", constraintAttachment={"metadataStructures": [MSD]})),
    (
        K.METADATA_CONSTRAINT,
        whole("MC3", constraintAttachment={"metadataProvider": METADATA_PROVIDER}),
    ),
    (
        K.METADATA_CONSTRAINT,
        whole(
            "MC4",
            constraintAttachment={
                "metadataProvisionAgreements": [
                    f"{I}registry.MetadataProvisionAgreement=SIS:MPA(1.0.0)"
                ]
            },
        ),
    ),
    (
        K.DATA_CONSTRAINT,
        whole(
            "CR3",
            constraintAttachment={"dataflows": [FLOW]},
            dataKeySets=[
                {
                    "isIncluded": True,
                    "keys": [
                        {
                            "annotations": [NOTE],
                            "validFrom": "2020",
                            "validTo": "2021",
                            "keyValues": [{"id": "FREQ", "values": ["A"], "removePrefix": True}],
                            "components": [
                                {"id": "UNIT", "values": [{"value": "PC", "lang": "en"}]}
                            ],
                        }
                    ],
                }
            ],
            cubeRegions=[
                {
                    "annotations": [NOTE],
                    "keyValues": [
                        {
                            "id": "TIME_PERIOD",
                            "validFrom": "2020",
                            "validTo": "2021",
                            "removePrefix": False,
                            "timeRange": {
                                "beforePeriod": {"period": "2020"},
                                "validFrom": "2020",
                                "validTo": "2021",
                            },
                        }
                    ],
                    "components": [{"id": "TITLE"}],
                }
            ],
        ),
    ),
]

ONLY_31: list[tuple[K, dict[str, Any]]] = [
    (K.CODELIST, whole("CL_PARTIAL_LANGUAGE", isPartialLanguage=True)),
    (K.DATAFLOW, whole("DF31", structure=DSD, dimensionConstraint=["FREQ"])),
    (K.DATA_STRUCTURE, {**data_structure(), "evolvingStructure": True}),
    (
        K.DATA_CONSTRAINT,
        whole(
            "CR31",
            constraintAttachment={"dataflows": [FLOW]},
            dataKeySets=[
                {
                    "isIncluded": True,
                    "keys": [{"keyValues": [{"id": "FREQ", "values": ["A", "B"]}]}],
                }
            ],
        ),
    ),
    (
        K.AVAILABILITY_CONSTRAINT,
        {
            "id": "AVAILABILITY_DF",
            "agencyID": "SIS",
            "version": "1.0",
            "names": {"en": "Availability of SIS:DF(1.0.0)"},
            "annotations": [NOTE],
            "constraintAttachment": {"dataflows": [FLOW]},
            "cubeRegions": constraint("X")["cubeRegions"][:1],
            "seriesCount": 12,
            "obsCount": 340,
        },
    ),
]
ONLY_30: list[tuple[K, dict[str, Any]]] = [
    (
        K.CATEGORISATION,
        whole("CAT30", source=FLOW, target=f"{I}categoryscheme.Category=SIS:CATS(1.0.0).A"),
    ),
    (
        K.METADATA_CONSTRAINT,
        whole(
            "MC30",
            constraintAttachment={
                "metadataflows": [MDF],
                "queryableDataSources": [SOURCE],
            },
            releaseCalendar={"periodicity": "P1M", "offset": "P1D", "tolerance": "P1D"},
        ),
    ),
]
