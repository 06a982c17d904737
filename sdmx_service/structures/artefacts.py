"""The SDMX artefacts that the engine reasons about, as frozen values.

Ids and terms are those of the SDMX information model (SDMX 2.1 section 2; 3.0 section 2).
``name`` is a mapping language -> text; ``names[""]`` does not occur.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

__all__ = [
    "Attachment",
    "Code",
    "Codelist",
    "Component",
    "Constraint",
    "DataStructure",
    "Dataflow",
    "HierarchicalCode",
    "Hierarchy",
    "MetadataAttribute",
    "MetadataStructure",
    "Metadataflow",
    "ProvisionAgreement",
    "Region",
    "Role",
    "Selection",
    "localised",
]


def localised(texts: Mapping[str, str], language: str = "en") -> str:
    """Return the text in ``language``, else in English, else in any, else an empty string."""
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


@dataclass(frozen=True)
class Code:
    """One code of a codelist; ``parent`` is the id of the code above it."""

    id: str
    name: Mapping[str, str]
    parent: str | None = None
    description: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Codelist:
    """An ordered list of codes; of a ``partial`` one there are others that are not here."""

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    codes: tuple[Code, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False

    @cached_property
    def by_id(self) -> Mapping[str, Code]:
        """Map each code id to its code, in list order."""
        return {code.id: code for code in self.codes}


class Role(Enum):
    """What a component does in its data structure."""

    DIMENSION = "dimension"
    TIME = "time dimension"
    MEASURE = "measure"
    ATTRIBUTE = "attribute"


class Attachment(Enum):
    """The level an attribute is reported at; a group is any other part of the key than a series."""

    DATASET = "dataset"
    GROUP = "group"
    SERIES = "series"
    OBSERVATION = "observation"


@dataclass(frozen=True)
class Component:
    """A dimension, measure or attribute; ``codelist`` is None where it is uncoded.

    ``data_type`` is the SDMX text type of an uncoded component: String, Double, Integer ...
    ``relation`` names the dimensions an attribute of a group or a series hangs on. ``multiple``
    says that it may hold several values at once (a list column), ``multilingual`` that its text
    comes in several languages (SDMX 3.0). ``facets`` are those of its text format, by name.
    ``most`` is how many values a ``multiple`` one may have, None for any number.
    """

    id: str
    role: Role
    name: Mapping[str, str]
    codelist: Codelist | None = None
    data_type: str = "String"
    attachment: Attachment | None = None
    mandatory: bool = False
    relation: tuple[str, ...] = ()
    multiple: bool = False
    multilingual: bool = False
    facets: Mapping[str, str] = field(default_factory=dict)
    most: int | None = None


@dataclass(frozen=True)
class DataStructure:
    """A data structure: components in key order, then time, measures and attributes.

    ``groups`` maps the id of each group to its dimensions.
    """

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    components: tuple[Component, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[str, Component]:
        """Map each component id to its component, in structure order."""
        return {component.id: component for component in self.components}

    def _with(self, role: Role) -> tuple[Component, ...]:
        return tuple(component for component in self.components if component.role is role)

    @cached_property
    def dimensions(self) -> tuple[Component, ...]:
        """The dimensions of the series key in key order, time apart."""
        return self._with(Role.DIMENSION)

    @cached_property
    def timed(self) -> bool:
        """Whether there is a time dimension."""
        return bool(self._with(Role.TIME))

    @cached_property
    def time(self) -> Component:
        """The time dimension; IndexError where there is none (see ``timed``)."""
        return self._with(Role.TIME)[0]

    @cached_property
    def key(self) -> tuple[Component, ...]:
        """What identifies an observation: the dimensions in key order, then time if there is."""
        return (*self.dimensions, *self._with(Role.TIME))

    @cached_property
    def measures(self) -> tuple[Component, ...]:
        """All measures; structures of SDMX 2.1 have one, those of 3.0 none, one or several."""
        return self._with(Role.MEASURE)

    @cached_property
    def measure(self) -> Component:
        """The first measure; IndexError where there is none."""
        return self.measures[0]

    @cached_property
    def attributes(self) -> tuple[Component, ...]:
        """All attributes in structure order."""
        return self._with(Role.ATTRIBUTE)

    @cached_property
    def series_attributes(self) -> tuple[Component, ...]:
        """The attributes reported once a series."""
        return tuple(a for a in self.attributes if a.attachment is Attachment.SERIES)

    @cached_property
    def observation_attributes(self) -> tuple[Component, ...]:
        """The attributes reported with each observation."""
        return tuple(a for a in self.attributes if a.attachment is Attachment.OBSERVATION)


@dataclass(frozen=True)
class Selection:
    """Values of one component: those listed, a range of time, or all but them.

    ``values`` are pairs of a value, which may have a ``%`` for any end, and whether what is below
    it is meant too (``excluderoot``: only that). ``periods`` are the ends of a range by the
    standard's names (``startPeriod``, ``beforePeriod`` ...) with whether each belongs to it.
    """

    id: str
    values: tuple[tuple[str, bool | str], ...] = ()
    periods: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    include: bool = True
    remove_prefix: bool = False


@dataclass(frozen=True)
class Region:
    """A part of the cube: what all its selections meet; ``include`` False leaves it out.

    ``selections`` are of dimensions, ``attributes`` of attributes and measures.
    """

    selections: Mapping[str, Selection]
    include: bool = True
    attributes: Mapping[str, Selection] = field(default_factory=dict)


@dataclass(frozen=True)
class Constraint:
    """What data may be (Allowed) or are there (``actual``), for the artefacts it is attached to.

    ``attached`` are URNs. ``keys`` are sets of whole or partial keys: whether they are
    included, and component id -> values. The counts are those of an availability constraint.
    """

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    actual: bool
    attached: tuple[str, ...]
    regions: tuple[Region, ...] = ()
    keys: tuple[tuple[bool, tuple[Mapping[str, tuple[str, ...]], ...]], ...] = ()
    series_count: int | None = None
    observation_count: int | None = None


@dataclass(frozen=True)
class Dataflow:
    """A dataflow; ``admits`` is its Allowed cube region: component id -> the codes admitted.

    ``constraints`` are the Allowed constraints in force as they are said: on the flow and on its
    structure, of the flow of a provision agreement on that too. ``key_dimensions`` are the
    dimensions it uses where it does not use all of an evolving structure (SDMX 3.1), else empty.
    """

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    structure: DataStructure
    admits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    key_dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProvisionAgreement:
    """Who provides data for a flow; ``flow`` and ``provider`` are URNs."""

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    flow: str
    provider: str


@dataclass(frozen=True)
class MetadataAttribute:
    """An attribute of reference metadata; ``path`` has the ids of those above it, then its own.

    ``most`` is None where it may be repeated without end. A presentational one has no value.
    """

    path: tuple[str, ...]
    name: Mapping[str, str]
    codelist: Codelist | None = None
    data_type: str = "String"
    least: int = 1
    most: int | None = 1
    presentational: bool = False
    multilingual: bool = False
    facets: Mapping[str, str] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of the attribute itself."""
        return self.path[-1]

    @property
    def parent(self) -> str | None:
        """The id of the attribute above it."""
        return self.path[-2] if len(self.path) > 1 else None


@dataclass(frozen=True)
class MetadataStructure:
    """A metadata structure; every attribute follows the one it belongs to."""

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    attributes: tuple[MetadataAttribute, ...]

    @cached_property
    def by_path(self) -> Mapping[str, MetadataAttribute]:
        """Map each nested id (``A.B``) to its attribute."""
        return {".".join(attribute.path): attribute for attribute in self.attributes}


@dataclass(frozen=True)
class Metadataflow:
    """A metadataflow; ``targets`` are URNs with wildcards, none for anything."""

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    structure: MetadataStructure
    targets: tuple[str, ...] = ()
    description: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HierarchicalCode:
    """A place in a hierarchy; ``code`` is the URN of the code that stands there."""

    id: str
    code: str
    level: str | None = None
    below: tuple[HierarchicalCode, ...] = ()


@dataclass(frozen=True)
class Hierarchy:
    """Codes of one or several lists as a tree; ``levels`` are its levels' ids from the top."""

    agency: str
    id: str
    version: str
    name: Mapping[str, str]
    codes: tuple[HierarchicalCode, ...]
    levels: tuple[str, ...] = ()
