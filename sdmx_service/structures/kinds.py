"""The kinds of maintainable artefact of SDMX 2.1 to 3.1, and the standard's names for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

__all__ = ["ArtefactKind"]


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a kind; what is left out follows from its class.

    ``items`` are the key of its items in SDMX-JSON and their class. ``ml21`` and ``ml3`` are the
    container and the element in SDMX-ML, None where that generation has no such kind.
    """

    name: str
    package: str
    items: tuple[str, str] | None = None
    ml21: tuple[str, str] | None = None
    ml3: bool = True
    plural: str | None = None
    urn_class: str | None = None
    paths: tuple[str, ...] = ()


def _scheme(name: str, package: str, key: str, item: str, container: str | None) -> _Names:
    return _Names(name, package, (key, item), None if container is None else (container, name))


def _same(name: str, package: str, plural: str | None = None) -> _Names:
    """Return the names of a kind that SDMX-ML 2.1 and 3.x call alike."""
    return _Names(name, package, ml21=(plural or f"{name}s", name), plural=plural)


class ArtefactKind(Enum):
    """A kind of maintainable artefact, in the order of an SDMX-ML 2.1 structure message.

    Names are those of SDMX 3.1. An availability constraint is the content constraint of type
    Actual of SDMX 2.1 and the data constraint of role Actual of 3.0. Hierarchical codelists,
    structure sets and attachment constraints are of 2.1 alone.
    """

    AGENCY_SCHEME = _scheme("AgencyScheme", "base", "agencies", "Agency", "OrganisationSchemes")
    DATA_CONSUMER_SCHEME = _scheme(
        "DataConsumerScheme", "base", "dataConsumers", "DataConsumer", "OrganisationSchemes"
    )
    DATA_PROVIDER_SCHEME = _scheme(
        "DataProviderScheme", "base", "dataProviders", "DataProvider", "OrganisationSchemes"
    )
    METADATA_PROVIDER_SCHEME = _scheme(
        "MetadataProviderScheme", "base", "metadataProviders", "MetadataProvider", None
    )
    ORGANISATION_UNIT_SCHEME = _scheme(
        "OrganisationUnitScheme",
        "base",
        "organisationUnits",
        "OrganisationUnit",
        "OrganisationSchemes",
    )
    DATAFLOW = _same("Dataflow", "datastructure")
    METADATAFLOW = _same("Metadataflow", "metadatastructure")
    CATEGORY_SCHEME = _scheme(
        "CategoryScheme", "categoryscheme", "categories", "Category", "CategorySchemes"
    )
    CATEGORISATION = _same("Categorisation", "categoryscheme")
    CODELIST = _scheme("Codelist", "codelist", "codes", "Code", "Codelists")
    GEOGRAPHIC_CODELIST = _Names(
        "GeographicCodelist",
        "codelist",
        ("geoFeatureSetCodes", "Code"),
        urn_class="Codelist",
        paths=("geographiccodelist", "geocodelist", "codelist"),
    )
    GEO_GRID_CODELIST = _Names(
        "GeoGridCodelist",
        "codelist",
        ("geoGridCodes", "Code"),
        urn_class="Codelist",
        paths=("geogridcodelist", "codelist"),
    )
    VALUE_LIST = _Names("ValueList", "codelist", ("valueItems", "ValueItem"))
    HIERARCHICAL_CODELIST = _Names(
        "HierarchicalCodelist",
        "codelist",
        ml21=("HierarchicalCodelists", "HierarchicalCodelist"),
        ml3=False,
    )
    HIERARCHY = _Names(
        "Hierarchy",
        "codelist",
        ml21=("HierarchicalCodelists", "HierarchicalCodelist"),
        plural="Hierarchies",
        paths=("hierarchy", "hierarchicalcodelist"),
    )
    HIERARCHY_ASSOCIATION = _Names("HierarchyAssociation", "codelist")
    CONCEPT_SCHEME = _Names(
        "ConceptScheme",
        "conceptscheme",
        ("concepts", "Concept"),
        ("Concepts", "ConceptScheme"),
    )
    METADATA_STRUCTURE = _same("MetadataStructure", "metadatastructure")
    DATA_STRUCTURE = _same("DataStructure", "datastructure")
    STRUCTURE_SET = _Names(
        "StructureSet", "mapping", ml21=("StructureSets", "StructureSet"), ml3=False
    )
    STRUCTURE_MAP = _Names("StructureMap", "structuremapping")
    REPRESENTATION_MAP = _Names("RepresentationMap", "structuremapping")
    CONCEPT_SCHEME_MAP = _Names("ConceptSchemeMap", "structuremapping")
    CATEGORY_SCHEME_MAP = _Names("CategorySchemeMap", "structuremapping")
    ORGANISATION_SCHEME_MAP = _Names("OrganisationSchemeMap", "structuremapping")
    REPORTING_TAXONOMY_MAP = _Names("ReportingTaxonomyMap", "structuremapping")
    REPORTING_TAXONOMY = _Names(
        "ReportingTaxonomy",
        "categoryscheme",
        ("reportingCategories", "ReportingCategory"),
        ("ReportingTaxonomies", "ReportingTaxonomy"),
        plural="ReportingTaxonomies",
    )
    PROCESS = _same("Process", "process", "Processes")
    ATTACHMENT_CONSTRAINT = _Names(
        "AttachmentConstraint", "registry", ml21=("Constraints", "AttachmentConstraint"), ml3=False
    )
    DATA_CONSTRAINT = _Names(
        "DataConstraint",
        "registry",
        ml21=("Constraints", "ContentConstraint"),
        paths=("dataconstraint", "contentconstraint", "allowedconstraint"),
    )
    AVAILABILITY_CONSTRAINT = _Names(
        "AvailabilityConstraint",
        "registry",
        ml21=("Constraints", "ContentConstraint"),
        urn_class="DataConstraint",
        paths=("availabilityconstraint", "actualconstraint", "contentconstraint"),
    )
    METADATA_CONSTRAINT = _Names("MetadataConstraint", "registry")
    PROVISION_AGREEMENT = _same("ProvisionAgreement", "registry")
    METADATA_PROVISION_AGREEMENT = _Names("MetadataProvisionAgreement", "registry")
    CUSTOM_TYPE_SCHEME = _scheme(
        "CustomTypeScheme", "transformation", "customTypes", "CustomType", "CustomTypes"
    )
    VTL_MAPPING_SCHEME = _scheme(
        "VtlMappingScheme", "transformation", "vtlMappings", "VtlMapping", "VtlMappings"
    )
    NAME_PERSONALISATION_SCHEME = _Names(
        "NamePersonalisationScheme",
        "transformation",
        ("namePersonalisations", "NamePersonalisation"),
        ("NamePersonalisations", "NamePersonalisationScheme"),
        paths=("namepersonalisationscheme", "namealiasscheme"),
    )
    RULESET_SCHEME = _scheme("RulesetScheme", "transformation", "rulesets", "Ruleset", "Rulesets")
    TRANSFORMATION_SCHEME = _scheme(
        "TransformationScheme",
        "transformation",
        "transformations",
        "Transformation",
        "Transformations",
    )
    USER_DEFINED_OPERATOR_SCHEME = _scheme(
        "UserDefinedOperatorScheme",
        "transformation",
        "userDefinedOperators",
        "UserDefinedOperator",
        "UserDefinedOperators",
    )

    # Identities hold kinds, and every look-up hashes one.
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"ArtefactKind.{self.name}"

    @property
    def element(self) -> str:
        """The class name in SDMX 3.1, which is the element in SDMX-ML 3.1 too."""
        return self.value.name

    @property
    def package(self) -> str:
        """The package in SDMX 3.1."""
        return self.value.package

    @property
    def items(self) -> str | None:
        """The key of its items in SDMX-JSON, None where it has none."""
        return None if self.value.items is None else self.value.items[0]

    @property
    def item(self) -> str:
        """The class of its items, empty where it has none."""
        return "" if self.value.items is None else self.value.items[1]

    @property
    def nested(self) -> bool:
        """Whether items stand in items, so that their ids in references are paths (``A.B``)."""
        return self in (ArtefactKind.CATEGORY_SCHEME, ArtefactKind.REPORTING_TAXONOMY)

    @property
    def urn_class(self) -> str:
        """The class in its URN; geographic codelists are codelists there."""
        return self.value.urn_class or self.value.name

    @property
    def container(self) -> str:
        """The element that holds artefacts of the kind in SDMX-ML 3.x."""
        return self.value.plural or f"{self.value.name}s"

    @property
    def json_key(self) -> str:
        """The key of the kind in SDMX-JSON 2.x."""
        return self.container[0].lower() + self.container[1:]

    @property
    def ml21(self) -> tuple[str, str] | None:
        """Container and element in SDMX-ML 2.1, None where it has no such kind."""
        return self.value.ml21

    @property
    def ml3(self) -> bool:
        """Whether SDMX 3.x has the kind."""
        return self.value.ml3

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of the kind in REST paths of any version, its own first."""
        names = self.value.paths or (self.value.name.lower(),)
        return (*names, "organisationscheme") if self.package == "base" else names

    def urn(self, agency: str, id: str, version: str, item: str | None = None) -> str:
        """Return the SDMX 3.1 URN of an artefact of this kind or of an item in it."""
        name = self.urn_class if item is None else self.item
        tail = "" if item is None else f".{item}"
        return f"urn:sdmx:org.sdmx.infomodel.{self.package}.{name}={agency}:{id}({version}){tail}"

    @classmethod
    def of_element(cls, name: str) -> ArtefactKind | None:
        """Return the kind whose class in SDMX 3.1 is ``name``, or None."""
        return _by_element().get(name)

    @classmethod
    def of_class(cls, name: str) -> tuple[ArtefactKind, ...]:
        """Return the kinds an artefact or item whose URN says class ``name`` may be of."""
        return _by_class().get(name, ())

    @classmethod
    def of_generation(cls, generation: int) -> frozenset[ArtefactKind]:
        """Return the kinds that SDMX 2.1 (generation 2) or SDMX 3.0 and 3.1 (3) have."""
        return frozenset(kind for kind in cls if (kind.ml21 if generation == 2 else kind.ml3))

    @classmethod
    def of_path(cls, name: str) -> frozenset[ArtefactKind]:
        """Return the kinds that REST paths of any version call ``name``, or none."""
        return _by_path().get(name, frozenset())


@cache
def _by_element() -> dict[str, ArtefactKind]:
    return {kind.element: kind for kind in ArtefactKind}


@cache
def _by_class() -> dict[str, tuple[ArtefactKind, ...]]:
    found: dict[str, tuple[ArtefactKind, ...]] = {}
    for kind in ArtefactKind:
        for name in dict.fromkeys((kind.urn_class, kind.item)):
            if name:
                found[name] = (*found.get(name, ()), kind)
    # SDMX 3.x tells the mappings of VTL apart by what they map.
    for name in ("VtlCodelistMapping", "VtlConceptMapping", "VtlDataflowMapping"):
        found[name] = (ArtefactKind.VTL_MAPPING_SCHEME,)
    return found


@cache
def _by_path() -> dict[str, frozenset[ArtefactKind]]:
    found: dict[str, frozenset[ArtefactKind]] = {}
    for kind in ArtefactKind:
        for name in kind.paths:
            found[name] = found.get(name, frozenset()) | {kind}
    every = frozenset(ArtefactKind)
    return found | {"structure": every, "*": every}
