"""Which format and language a client asks for (RFC 9110, section 12)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sdmx_service.errors import NotAcceptable, RequestError
from sdmx_service.formats.message import Labels
from sdmx_service.formats.registry import Format

__all__ = ["Choice", "MediaRange", "accepted", "languages", "negotiate"]

_Message = TypeVar("_Message")
_LONGEST = 2_000
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
_MEDIA_RANGE = re.compile(r"[A-Za-z0-9_.+*-]{1,120}/[A-Za-z0-9_.+*-]{1,120}")
_RANGE = re.compile(r"((?:\d{1,4}\.){0,2})(\d{1,4})[+~*]((?:\.\d{1,4}){0,2})", re.ASCII)
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True)
class MediaRange:
    """One entry of an Accept header, ``quality`` between 0 and 1."""

    type: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    quality: float = 1.0

    @property
    def precision(self) -> int:
        """How exactly the range speaks: a fully named type outranks a wildcard."""
        return (self.type != "*/*") + (not self.type.endswith("/*")) + len(self.parameters)


@dataclass(frozen=True)
class Choice(Generic[_Message]):
    """The format that answers, the Content-Type it is sent under, and whether with labels."""

    format: Format[_Message]
    content_type: str
    labels: Labels = Labels.ID


def accepted(header: str | None) -> tuple[MediaRange, ...]:
    """Return the ranges of an Accept header, the most wanted first; none means ``*/*``.

    A range that cannot be read is passed over, as RFC 9110 leaves a server free to do.
    """
    ranges = []
    for entry in (header or "*/*")[:_LONGEST].split(","):
        name, *rest = (part.strip() for part in entry.split(";"))
        pairs = [part.partition("=")[::2] for part in rest]
        given = {key.strip().lower(): value.strip().strip('"') for key, value in pairs}
        quality = given.pop("q", "1")
        if not _MEDIA_RANGE.fullmatch(name):
            continue
        if _QUALITY.fullmatch(quality) and float(quality) > 0:
            ranges.append(MediaRange(name.lower(), given, float(quality)))
    return tuple(sorted(ranges, key=lambda one: (-one.quality, -one.precision)))


def negotiate(
    formats: Sequence[Format[_Message]],
    *,
    accept: str | None,
    default: Format[_Message],
    asked: str | None = None,
    labels: str | None = None,
) -> Choice[_Message]:
    """Return the format to answer in.

    ``asked`` is the parameter ``format=`` (a short name or a media type) and wins over the Accept
    header; ``labels`` wins over the parameter of that name in the header. Raises NotAcceptable,
    which lists what there is.
    """
    if asked:
        choice = _by_name(formats, asked) or _first(formats, accepted(asked), default=None)
        header: str | None = asked
    else:
        choice, header = _first(formats, accepted(accept), default=default), accept
    if choice is None:
        raise NotAcceptable(
            "format" if asked else "Accept",
            got=(header or "")[:255],
            expected="one of " + ", ".join(one.content_type for one in formats),
            hint="or format= " + ", ".join(one.name for one in formats),
        )
    if labels is None:
        return choice
    try:
        return Choice(choice.format, choice.content_type, Labels(labels))
    except ValueError:
        raise RequestError("labels", got=labels[:255], expected="id, name or both") from None


def _by_name(formats: Sequence[Format[_Message]], asked: str) -> Choice[_Message] | None:
    for one in formats:
        if asked.lower() in (one.name, *one.short_names):
            return Choice(one, one.content_type)
    return None


def _first(
    formats: Sequence[Format[_Message]],
    ranges: Sequence[MediaRange],
    default: Format[_Message] | None,
) -> Choice[_Message] | None:
    for wanted in ranges:
        if default is not None and wanted.type in ("*/*", "application/*"):
            return Choice(default, default.content_type)
        for one in formats:
            if wanted.type == one.media_type and _version(wanted.parameters.get("version"), one):
                return Choice(one, one.content_type, _labels(wanted))
            if wanted.type in one.plain_types:
                # Without a charset, text is read in the encoding of whoever reads it.
                encoded = ";charset=utf-8" if wanted.type.startswith("text/") else ""
                return Choice(one, wanted.type + encoded, _labels(wanted))
    return None


def _labels(wanted: MediaRange) -> Labels:
    text = wanted.parameters.get("labels", "id")
    return next((label for label in Labels if label.value == text), Labels.ID)


def _version(wanted: str | None, one: Format[_Message]) -> bool:
    """Return whether a version, or a range such as ``2+.0.0``, takes in the format's version."""
    if wanted is None or wanted in ("+", "~", "*"):
        return True
    if len(wanted) > 20:
        return False
    marked = _RANGE.fullmatch(wanted)
    have = [int(part) for part in one.version.split(".")]
    if marked is None:
        return wanted == one.version or f"{wanted}.0" == one.version
    fixed = [int(part) for part in marked[1].split(".") if part]
    least = [int(part) for part in re.findall(r"\d+", marked[2] + marked[3])]
    return have[: len(fixed)] == fixed and have[len(fixed) :] >= least


def languages(header: str | None, asked: str | None = None) -> tuple[str, ...]:
    """Return language tags, the most wanted first; ``asked`` (``lang=``) wins over the header.

    A tag with a region is followed by its plain language; English comes last.
    """
    weighted = []
    for entry in (asked or header or "en")[:_LONGEST].split(","):
        tag, _, rest = (part.strip() for part in entry.partition(";"))
        quality = rest.removeprefix("q=") or "1"
        if _LANGUAGE.fullmatch(tag) and _QUALITY.fullmatch(quality) and float(quality) > 0:
            weighted.append((-float(quality), tag))
    tags = [tag for _, tag in sorted(weighted, key=lambda pair: pair[0])]
    wanted = [part for tag in tags for part in (tag, tag.partition("-")[0].lower())]
    return tuple(dict.fromkeys([*wanted, "en"]))
