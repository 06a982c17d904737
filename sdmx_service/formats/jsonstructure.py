"""What an SDMX-JSON data message says about itself and the structure of its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import Context, DataSet
from sdmx_service.formats.jsoncells import Column
from sdmx_service.formats.layout import Layout
from sdmx_service.formats.message import DataMessage, message_id
from sdmx_service.formats.seen import spoken
from sdmx_service.formats.xmlheader import subject_urn
from sdmx_service.structures.artefacts import Attachment, Component, Role

__all__ = ["Levels", "links", "meta", "schema", "structure"]

_SCHEMAS = {
    Generation.SDMX_2_1: "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
    "data-message/tools/schemas/1.0/sdmx-json-data-schema.json",
    Generation.SDMX_3_0: "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
    "data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json",
    Generation.SDMX_3_1: "https://json.sdmx.org/2.1/sdmx-json-data-schema.json",
}
_RELATIONS = {
    Context.DATAFLOW: "dataflow",
    Context.DATA_STRUCTURE: "datastructure",
    Context.PROVISION: "provisionagreement",
}
_DATA_TYPES = """
    String Alpha AlphaNumeric Numeric BigInteger Integer Long Short Decimal Float Double
    Boolean URI Count InclusiveValueRange ExclusiveValueRange Incremental
    ObservationalTimePeriod StandardTimePeriod BasicTimePeriod GregorianTimePeriod
    GregorianYear GregorianYearMonth GregorianDay ReportingTimePeriod ReportingYear
    ReportingSemester ReportingTrimester ReportingQuarter ReportingMonth ReportingWeek
    ReportingDay DateTime TimeRange Month MonthDay Day Time Duration GeospatialInformation
"""
_KNOWN = frozenset(_DATA_TYPES.split())
# Facets of a text format that are numbers in a message; the schemas take no 0 for the first three.
_POSITIVE = ("minLength", "maxLength", "decimals")
_NUMERIC = (*_POSITIVE, "interval", "startValue", "endValue", "minValue", "maxValue")
_PRIMARY = {"primaryMeasure": "OBS_VALUE"}


@dataclass(frozen=True)
class Levels:
    """The components of a data set by the level the message reports them at."""

    series: tuple[Component, ...]
    each: tuple[Component, ...]
    measures: tuple[Component, ...]
    dataset_attributes: tuple[Component, ...]
    group_attributes: tuple[Component, ...]
    series_attributes: tuple[Component, ...]
    observation_attributes: tuple[Component, ...]


def schema(generation: Generation) -> str:
    """Return the address of the schema of a version."""
    return _SCHEMAS[generation]


def meta(
    message: DataMessage, generation: Generation, described: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the meta object; its languages are those of the data and of what is ``described``."""
    sender = message.sender or message.datasets[0].flow.agency
    said: dict[str, Any] = {
        "id": message_id(message.release),
        "test": False,
        "prepared": message.prepared.isoformat(),
        "contentLanguages": [_tag(one, generation) for one in _languages(message, described)],
        "sender": {"id": message_id(sender)},
    }
    if generation is not Generation.SDMX_3_1:
        return {"schema": schema(generation), **said, "release": message.release}
    return {**said, "x-release": message.release}


def _languages(message: DataMessage, described: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the languages that the message uses, those asked for first."""
    found = {tag for one in message.datasets for tags in spoken(one).values() for tag in tags}
    left: list[Any] = list(described)
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            found |= one.get("names", {}).keys()
            left += [inner for key, inner in one.items() if key != "names"]
        elif isinstance(one, list):
            left += one
    wanted = [tag for tag in message.languages if tag in found]
    # Where nothing has a name, ids stand for names.
    return [*wanted, *sorted(found - set(wanted))] or ["en"]


def _tag(language: str, generation: Generation) -> str:
    # The schemas before 2.1.0 take a tag in small letters only.
    return language if generation is Generation.SDMX_3_1 else language.lower()


def links(dataset: DataSet) -> list[dict[str, str]]:
    """Return the link to what the data are reported against, which comes first."""
    return [{"rel": _RELATIONS[dataset.context], "urn": subject_urn(dataset)}]


def structure(
    message: DataMessage,
    plan: Layout,
    levels: Levels,
    columns: Mapping[str, Column],
    generation: Generation,
) -> dict[str, Any]:
    """Return the structure object: components by level, with the values indexes stand for."""
    dataset, first = plan.dataset, generation is Generation.SDMX_2_1
    key = {one.id: at for at, one in enumerate(dataset.structure.key)}
    made = _Made(message, columns, generation)

    def dimensions(chosen: Sequence[Component]) -> list[dict[str, Any]]:
        return [made.component(one, keyPosition=key[one.id]) for one in chosen]

    def attributes(chosen: Sequence[Component]) -> list[dict[str, Any]]:
        return [
            made.component(
                one,
                relationship=_relationship(one, dataset, first),
                **({} if first else {"isMandatory": one.mandatory}),
            )
            for one in chosen
        ]

    names = dataset.subject.name
    said: dict[str, Any] = {
        "links": links(dataset),
        "name": message.text(names) or dataset.subject.id,
        "names": dict(names),
        # Readers ask every level for its length, so that each is there.
        "dimensions": {
            "dataSet": [],
            "series": dimensions(levels.series),
            "observation": dimensions(levels.each),
        },
    }
    if not first:
        said["measures"] = {
            "observation": [
                made.component(one, isMandatory=one.mandatory) for one in levels.measures
            ]
        }
    said["attributes"] = {
        "dataSet": attributes(levels.dataset_attributes),
        **({} if first else {"dimensionGroup": attributes(levels.group_attributes)}),
        "series": attributes(levels.series_attributes),
        "observation": attributes(levels.observation_attributes),
    }
    return said


@dataclass(frozen=True)
class _Made:
    message: DataMessage
    columns: Mapping[str, Column]
    generation: Generation

    def component(self, one: Component, **more: Any) -> dict[str, Any]:
        """Return a component object."""
        said: dict[str, Any] = {"id": one.id, "name": self.message.text(one.name) or one.id}
        if one.name:
            said["names"] = dict(one.name)
        said |= more
        values = self.columns[one.id].values if one.id in self.columns else None
        if self.generation is Generation.SDMX_2_1:
            return said | {"values": values or []}
        if values:
            said["values"] = values
        format = self._format(one)
        if one.multiple and one.role in (Role.ATTRIBUTE, Role.MEASURE):
            occurs = {"minOccurs": int(one.mandatory), "maxOccurs": one.most or "unbounded"}
            # Version 2.0.0 has them in the format, 2.1.0 in the component.
            if self.generation is Generation.SDMX_3_1:
                said |= occurs
            else:
                format |= occurs
        if format and one.role is not Role.TIME:
            said["format"] = format
        return said

    def _format(self, one: Component) -> dict[str, Any]:
        if one.codelist is not None:
            return {}
        said: dict[str, Any] = {"dataType": one.data_type if one.data_type in _KNOWN else "String"}
        if one.multilingual:
            said["isMultiLingual"] = True
        if "pattern" in one.facets:
            said["pattern"] = one.facets["pattern"]
        for name in _NUMERIC:
            number = float(one.facets.get(name, "nan"))
            if isfinite(number) and (number > 0 or name not in _POSITIVE):
                whole = number.is_integer() and abs(number) < 2**53
                said[name] = int(number) if whole else number
        return said


def _relationship(one: Component, dataset: DataSet, first: bool) -> dict[str, Any]:
    every = [dimension.id for dimension in dataset.structure.dimensions]
    if one.attachment is Attachment.OBSERVATION:
        return dict(_PRIMARY) if first else {"observation": {}}
    if one.attachment is Attachment.DATASET or not (one.relation or every):
        return {"none" if first else "dataflow": {}}
    return {"dimensions": list(one.relation) or every}
