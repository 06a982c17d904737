"""What data are valid in a context, before it has a format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sdmx_service.errors import RequestError
from sdmx_service.formats.admission import admitted_values
from sdmx_service.formats.message import ALL_DIMENSIONS
from sdmx_service.formats.registry import Registry
from sdmx_service.structures.artefacts import (
    Component,
    Dataflow,
    DataStructure,
    MetadataStructure,
    localised,
)

__all__ = [
    "MetadataSchema",
    "SchemaMessage",
    "Writable",
    "allowed",
    "register_schema",
    "schema_formats",
]


@dataclass(frozen=True)
class SchemaMessage:
    """What data of a flow are valid, for messages of one shape.

    ``urn`` is that of what the data are reported against (a flow, a structure or a provision
    agreement). ``observed_by`` is the dimension at the observation, None the structure's own.
    ``deletion`` asks for messages that delete: all may be left out, and values may be anything.
    ``explicit_measure`` asks for one type of observation a measure of ``measure_dimension``, the
    measure dimension of SDMX 2.1. ``location`` goes before the names of the standard's own files.
    ``metadata`` are attributes of reference metadata that may stand beside the data, of any part
    of the key. ``namespace`` is that of the types where it is not the one the standard recommends.
    """

    flow: Dataflow
    urn: str
    prepared: datetime
    observed_by: str | None = None
    deletion: bool = False
    explicit_measure: bool = False
    measure_dimension: str | None = None
    languages: tuple[str, ...] = ("en",)
    location: str = ""
    metadata: tuple[Component, ...] = ()
    namespace: str | None = None

    def __post_init__(self) -> None:
        known = [dimension.id for dimension in self.structure.key]
        if self.observed_by not in (None, "TIME_PERIOD", ALL_DIMENSIONS, *known):
            raise RequestError(
                "dimensionAtObservation",
                got=str(self.observed_by)[:80],
                expected=f"{ALL_DIMENSIONS} or one of {', '.join(known)}",
            )

    @property
    def structure(self) -> DataStructure:
        """The structure of the data."""
        return self.flow.structure

    @cached_property
    def at_observation(self) -> str:
        """The id of the dimension at the observation, or ``AllDimensions``."""
        if self.observed_by in (None, "TIME_PERIOD"):
            return self.structure.time.id if self.structure.timed else ALL_DIMENSIONS
        return self.observed_by


@dataclass(frozen=True)
class MetadataSchema:
    """What reference metadata are valid against a metadata structure; ``urn`` is the context's.

    ``location`` goes before the names of the standard's own files.
    """

    structure: MetadataStructure
    urn: str
    prepared: datetime
    languages: tuple[str, ...] = ("en",)
    targets: tuple[str, ...] = field(default_factory=tuple)
    location: str = ""


Writable = SchemaMessage | MetadataSchema
"""What a schema can be asked for."""


def allowed(
    flow: Dataflow, component: Component, languages: tuple[str, ...] = ("en",)
) -> Mapping[str, str] | None:
    """Return the codes a flow allows for a component with their names; None where all text is.

    Codes that the flow's constraints admit and the codelist does not have are not allowed.
    """
    admitted = admitted_values(flow, component)
    if component.codelist is None:
        return None if admitted is None else dict.fromkeys(sorted(admitted), "")
    return {
        code.id: next((code.name[tag] for tag in languages if code.name.get(tag)), "")
        or localised(code.name)
        for code in component.codelist.codes
        if admitted is None or code.id in admitted
    }


_SCHEMAS: Registry[Writable] = Registry()

register_schema, schema_formats = _SCHEMAS.register, _SCHEMAS.formats
