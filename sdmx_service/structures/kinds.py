"""The kinds of maintainable artefact that the service knows, and the standard's names for them."""

from __future__ import annotations

from enum import Enum

__all__ = ["ArtefactKind"]


class ArtefactKind(Enum):
    """A kind of maintainable artefact, in the order of an SDMX-ML 2.1 structure message.

    Each has its element (the class in references too), the element of its items, its package,
    its container in SDMX-ML 2.1, its key in SDMX-JSON 2.0 and its path names in REST 1.5 and 2.x.
    """

    AGENCY_SCHEME = (
        "AgencyScheme", "Agency", "base", "OrganisationSchemes", "agencySchemes",
        ("agencyscheme", "organisationscheme"),
    )  # fmt: skip
    DATAFLOW = (
        "Dataflow", "", "datastructure", "Dataflows", "dataflows",
        ("dataflow",),
    )  # fmt: skip
    CATEGORY_SCHEME = (
        "CategoryScheme", "Category", "categoryscheme", "CategorySchemes", "categorySchemes",
        ("categoryscheme",),
    )  # fmt: skip
    CATEGORISATION = (
        "Categorisation", "", "categoryscheme", "Categorisations", "categorisations",
        ("categorisation",),
    )  # fmt: skip
    CODELIST = (
        "Codelist", "Code", "codelist", "Codelists", "codelists",
        ("codelist",),
    )  # fmt: skip
    CONCEPT_SCHEME = (
        "ConceptScheme", "Concept", "conceptscheme", "Concepts", "conceptSchemes",
        ("conceptscheme",),
    )  # fmt: skip
    DATA_STRUCTURE = (
        "DataStructure", "", "datastructure", "DataStructures", "dataStructures",
        ("datastructure",),
    )  # fmt: skip
    CONTENT_CONSTRAINT = (
        "ContentConstraint", "", "registry", "Constraints", "dataConstraints",
        ("contentconstraint", "allowedconstraint", "dataconstraint"),
    )  # fmt: skip

    def __init__(
        self,
        element: str,
        item: str,
        package: str,
        container: str,
        json_key: str,
        paths: tuple[str, ...],
    ) -> None:
        self.element = element
        self.item = item
        self.package = package
        self.container = container
        self.json_key = json_key
        self.paths = paths

    def urn(self, agency: str, id: str, version: str, item: str | None = None) -> str:
        """Return the SDMX 2.1 URN of an artefact of this kind or of an item in it."""
        name = self.element if item is None else self.item
        tail = "" if item is None else f".{item}"
        return f"urn:sdmx:org.sdmx.infomodel.{self.package}.{name}={agency}:{id}({version}){tail}"

    @classmethod
    def of_element(cls, name: str) -> ArtefactKind | None:
        """Return the kind whose element is ``name``, or None."""
        return next((kind for kind in cls if kind.element == name), None)

    @classmethod
    def of_class(cls, name: str) -> ArtefactKind | None:
        """Return the kind a reference of class ``name`` points into, or None."""
        return next((kind for kind in cls if name in (kind.element, kind.item)), None)

    @classmethod
    def of_path(cls, name: str) -> ArtefactKind | None:
        """Return the kind that REST paths of any version call ``name``, or None."""
        return next((kind for kind in cls if name in kind.paths), None)
