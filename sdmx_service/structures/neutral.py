"""The neutral form made one: two contents that say the same are equal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.forms import forms
from sdmx_service.structures.generations import SETTLE
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.shapes import Content, Field, Form, Place

__all__ = ["neutral"]


def neutral(kind: ArtefactKind, content: Mapping[str, Any], where: str = "") -> Content:
    """Return the content of an artefact of any format in the neutral form.

    Its keys are those of ``shapes31`` and of what only another version has. Defaults are left out
    or said as every reader of SDMX-ML does, components have their ids, dimensions stand in order.
    Raises StructureError, with ``where``, for a key that no version of the standard has.
    """
    return _settled(kind.element, content, where, kind.ml3)


def _settled(shape: str, content: Mapping[str, Any], where: str, newest: bool) -> Content:
    fields = _fields(shape, newest)
    settled: Content = {}
    for key, value in content.items():
        field = fields.get(key)
        if field is None and key not in _KEPT.get(shape, ()):
            raise StructureError(where, got=key, expected=f"a part of a {shape}")
        if field is None or field.place is Place.NOWHERE or key == "isFinal":
            settled[key] = value
        elif field.fixed != value and (value != field.default or field.said):
            settled[key] = _value(field, value, where, newest)
    for key, field in fields.items():
        if field.said:
            settled.setdefault(key, field.default)
        elif field.place is Place.NOWHERE and field.fixed:
            settled.setdefault(key, field.fixed)
    if shape in SETTLE:
        SETTLE[shape](settled)
    return settled


def _value(field: Field, value: Any, where: str, newest: bool) -> Any:
    if isinstance(value, list):
        return [_value(field, one, where, newest) for one in value]
    if field.form is Form.SHAPE and isinstance(value, dict):
        return _settled(field.shape, value, where, newest)
    return value


# What the forms of SDMX-ML hold otherwise, or do not hold.
_KEPT = {
    "AttributeRelationship": ("areDimensionsOptional", "observation", "dataflow"),
    "CodeSelection": ("wildcardedMemberValues",),
    "MetadataTargetRegion": ("annotations",),
    "ProvisionAgreement": ("metadataflow",),
}


@cache
def _fields(shape: str, newest: bool) -> dict[str, Field]:
    """Return the fields of a shape, of all versions from the newest on or of SDMX 2.1 alone."""
    found: dict[str, Field] = {}
    for version in reversed(MlVersion) if newest else (MlVersion.ML21,):
        if shape in forms(version):
            for field in forms(version)[shape].fields:
                if field.key not in found and field.fixed != "":
                    found[field.key] = field
    return found
