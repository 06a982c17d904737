"""Which kinds of artefact may refer to which (REST 2.2, structures.md: the first level)."""

from __future__ import annotations

from collections.abc import Mapping

from sdmx_service.structures.kinds import ArtefactKind as Kind

__all__ = ["are_neighbours"]

_LISTS = frozenset(
    {Kind.CODELIST, Kind.GEOGRAPHIC_CODELIST, Kind.GEO_GRID_CODELIST, Kind.VALUE_LIST}
)
_FLOWS = frozenset({Kind.DATAFLOW, Kind.DATA_STRUCTURE})
_METADATA = frozenset({Kind.METADATAFLOW, Kind.METADATA_STRUCTURE})
_CONSTRAINED = frozenset({*_FLOWS, *_METADATA, Kind.DATA_PROVIDER_SCHEME, Kind.PROVISION_AGREEMENT})
# These may refer to artefacts of every kind.
_TO_ALL = frozenset(
    {
        *(Kind.CATEGORISATION, Kind.PROCESS, Kind.HIERARCHY_ASSOCIATION, Kind.STRUCTURE_SET),
        *(Kind.METADATAFLOW, Kind.METADATA_PROVISION_AGREEMENT),
        Kind.AGENCY_SCHEME,  # everything refers to the scheme that holds its agency
    }
)
_TO: Mapping[Kind, frozenset[Kind]] = {
    Kind.CATEGORY_SCHEME_MAP: frozenset({Kind.CATEGORY_SCHEME, Kind.REPORTING_TAXONOMY}),
    **dict.fromkeys(_LISTS, _LISTS),
    Kind.CONCEPT_SCHEME: _LISTS,
    Kind.CONCEPT_SCHEME_MAP: frozenset({Kind.CONCEPT_SCHEME}),
    Kind.DATA_CONSTRAINT: _CONSTRAINED,
    Kind.AVAILABILITY_CONSTRAINT: _CONSTRAINED,
    Kind.ATTACHMENT_CONSTRAINT: _CONSTRAINED,
    Kind.METADATA_CONSTRAINT: frozenset(
        {*_METADATA, Kind.METADATA_PROVIDER_SCHEME, Kind.METADATA_PROVISION_AGREEMENT}
    ),
    Kind.DATAFLOW: frozenset({Kind.DATA_STRUCTURE}),
    Kind.DATA_STRUCTURE: frozenset(
        {*_LISTS, Kind.CONCEPT_SCHEME, Kind.METADATA_STRUCTURE, Kind.ATTACHMENT_CONSTRAINT}
    ),
    Kind.HIERARCHY: _LISTS,
    Kind.HIERARCHICAL_CODELIST: _LISTS,
    Kind.METADATA_STRUCTURE: frozenset({*_LISTS, Kind.CONCEPT_SCHEME}),
    Kind.ORGANISATION_SCHEME_MAP: frozenset(
        {Kind.AGENCY_SCHEME, Kind.DATA_CONSUMER_SCHEME, Kind.DATA_PROVIDER_SCHEME}
        | {Kind.METADATA_PROVIDER_SCHEME, Kind.ORGANISATION_UNIT_SCHEME}
    ),
    Kind.PROVISION_AGREEMENT: frozenset(
        {Kind.DATAFLOW, Kind.METADATAFLOW, Kind.DATA_PROVIDER_SCHEME}
    ),
    Kind.REPORTING_TAXONOMY: frozenset(
        {*_FLOWS, *_METADATA, Kind.PROVISION_AGREEMENT, Kind.METADATA_PROVISION_AGREEMENT}
    ),
    Kind.REPORTING_TAXONOMY_MAP: frozenset({Kind.REPORTING_TAXONOMY}),
    Kind.REPRESENTATION_MAP: _LISTS,
    Kind.STRUCTURE_MAP: _FLOWS | {Kind.REPRESENTATION_MAP},
    Kind.RULESET_SCHEME: frozenset({Kind.VTL_MAPPING_SCHEME}),
    Kind.USER_DEFINED_OPERATOR_SCHEME: frozenset({Kind.VTL_MAPPING_SCHEME, Kind.RULESET_SCHEME}),
    Kind.VTL_MAPPING_SCHEME: _LISTS | {Kind.CONCEPT_SCHEME, Kind.DATAFLOW},
    Kind.TRANSFORMATION_SCHEME: frozenset(
        {Kind.CUSTOM_TYPE_SCHEME, Kind.NAME_PERSONALISATION_SCHEME, Kind.RULESET_SCHEME}
        | {Kind.USER_DEFINED_OPERATOR_SCHEME, Kind.VTL_MAPPING_SCHEME}
    ),
}


def are_neighbours(one: Kind, other: Kind) -> bool:
    """Tell whether an artefact of one of two kinds may itself refer to one of the other."""
    return (
        one in _TO_ALL
        or other in _TO_ALL
        or other in _TO.get(one, frozenset())
        or one in _TO.get(other, frozenset())
    )
