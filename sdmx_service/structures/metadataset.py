"""A set of reference metadata in the neutral form: what is reported about some artefacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.errors import StructureError
from sdmx_service.structures.urns import Urn, to_31

__all__ = ["MetadataSet", "settled"]

Content = Mapping[str, Any]

_TEXTS = ("names", "descriptions")
_KEYS = frozenset(
    {
        *("id", "agencyID", "version", "names", "descriptions", "annotations", "links"),
        *("metadataflow", "metadataProvisionAgreement", "targets", "attributes"),
        *("isPartialLanguage", "isExternalReference", "action", "validFrom", "validTo"),
        *("reportingBegin", "reportingEnd", "publicationYear", "publicationPeriod"),
    }
)
_ATTRIBUTE_KEYS = frozenset({"id", "value", "attributes", "annotations", "format"})
_DEEPEST = 64


@dataclass(frozen=True, eq=False)
class MetadataSet:
    """One set of reference metadata; ``content`` is its neutral form, never to be changed.

    The neutral form is the ``MetadataSetType`` of SDMX-JSON 2.1 with ``names`` and
    ``descriptions`` by language. Each of ``attributes`` has an ``id`` and may have a ``value`` (a
    text, a number, a truth, or texts by language), ``attributes`` below it, ``annotations`` and a
    ``format``, whose ``dataType`` XHTML says that the text is markup. A value that is repeated is
    several attributes of one id.
    """

    content: Content

    @property
    def agency(self) -> str:
        """Who reports: the id of the metadata provider."""
        return str(self.content["agencyID"])

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.content["id"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.content["version"])

    @property
    def name(self) -> Mapping[str, str]:
        """Its name by language."""
        names: Mapping[str, str] = self.content.get("names", {})
        return names

    @property
    def urn(self) -> str:
        """The SDMX 3.1 URN."""
        return str(Urn("metadatastructure", "MetadataSet", self.agency, self.id, self.version))

    @property
    def reported_to(self) -> str:
        """The URN of the metadataflow or of the metadata provision agreement."""
        agreement = self.content.get("metadataProvisionAgreement")
        return str(agreement or self.content["metadataflow"])

    @property
    def targets(self) -> tuple[str, ...]:
        """The URNs of what the metadata are about."""
        return tuple(self.content.get("targets", ()))

    @property
    def attributes(self) -> tuple[Content, ...]:
        """The attributes reported at the top, each with those below it."""
        return tuple(self.content.get("attributes", ()))

    @property
    def stub(self) -> MetadataSet:
        """The set without what is reported: its identity, names, flow and targets."""
        kept = ("id", "agencyID", "version", "names", "metadataflow", "metadataProvisionAgreement")
        keys = (*kept, "targets", "isExternalReference")
        return MetadataSet({key: self.content[key] for key in keys if key in self.content})

    def values(self) -> Iterator[tuple[tuple[str, ...], Content]]:
        """Yield every attribute with the ids down to it, in the order they are reported."""
        yield from _walk(self.attributes, ())


def _walk(
    attributes: tuple[Content, ...] | list[Content], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Content]]:
    for one in attributes:
        path = (*above, str(one["id"]))
        yield path, one
        yield from _walk(one.get("attributes", []), path)


def settled(content: Content, where: str, language: str = "en") -> MetadataSet:
    """Return the set of a message of any format in the neutral form.

    Texts without a language are in ``language``. Links to the set itself, defaults and values that
    are null are left out. Raises StructureError, with ``where``, for a key the standard does not
    have and for a set without id, agency or flow.
    """
    named = f"{where}, metadata set {content.get('id', '')}".rstrip()
    kept: dict[str, Any] = {}
    for key, value in content.items():
        plural = f"{key}s"
        if plural in _TEXTS:
            if plural not in content:
                kept[plural] = {language: value}
        elif key not in _KEYS:
            if not key.startswith("x-"):
                raise StructureError(named, got=key, expected="a part of a metadata set")
        elif key == "links":
            if links := [one for one in value if one.get("rel") != "self"]:
                kept[key] = links
        elif value is not False or key not in ("isPartialLanguage", "isExternalReference"):
            kept[key] = value
    for key in ("id", "agencyID"):
        if not kept.get(key):
            raise StructureError(named, got="none", expected=key)
    for key in ("metadataflow", "metadataProvisionAgreement"):
        if key in kept:
            kept[key] = to_31(kept[key])
    kept.setdefault("version", "1.0")
    if "targets" in kept:
        kept["targets"] = [to_31(one) for one in kept["targets"]]
    if "attributes" in kept:
        kept["attributes"] = [_attribute(one, named, 1) for one in kept["attributes"]]
    return MetadataSet(kept)


def _attribute(content: Content, where: str, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise StructureError(
            where, got=f"attributes {depth} deep", expected=f"at most {_DEEPEST} deep"
        )
    kept: dict[str, Any] = {}
    for key, value in content.items():
        if key == "attributes":
            kept[key] = [_attribute(one, where, depth + 1) for one in value]
        elif key == "links":
            # The standard has none here; registries link to the definition of the attribute.
            if any(one.get("rel") != "self" for one in value):
                raise StructureError(
                    f"{where}, attribute {content.get('id')}",
                    got="links to other things",
                    expected="no links of a reported attribute",
                )
        elif key not in _ATTRIBUTE_KEYS:
            if not key.startswith("x-"):
                raise StructureError(
                    f"{where}, attribute {content.get('id')}",
                    got=key,
                    expected="a part of a reported attribute",
                )
        elif value is not None:
            kept[key] = value
    if not kept.get("id"):
        raise StructureError(where, got="an attribute without id", expected="an id")
    return kept
