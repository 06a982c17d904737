"""Which format and language a client asks for (RFC 9110, section 12; SDMX REST 2.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Generic, TypeVar

from sdmx_service.errors import NotAcceptable, RequestError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.message import Keys, Labels, TimeFormat
from sdmx_service.formats.registry import Format
from sdmx_service.formats.weights import members

__all__ = ["Choice", "MediaRange", "accepted", "languages", "negotiate"]

_Message = TypeVar("_Message")
_Option = TypeVar("_Option", bound=Enum)
_Rank = tuple[float, int, int, bool, bool, bool, list[int], int]
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
_MEDIA_RANGE = re.compile(r"[A-Za-z0-9_.+*-]{1,120}/[A-Za-z0-9_.+*-]{1,120}")
_VERSION_PART = re.compile(r"(\d{1,4}?)([+~*]?)|([+~*])", re.ASCII)
# Words of ``format=`` that the standard itself has (REST 2.2, doc/extend.md), which says of them
# that the newest version answers where none is named.
_NEWEST = frozenset({"csvdata", "jsondata", "jsonstructure"})
# Names that .Stat Suite and other services have for a format with an option.
_LABELLED = {"csvfilewithlabels": ("csvfile", "both")}
# SDMX-JSON 1.0 was known by the version of its working draft for years.
_DRAFT = "-wd"
# The field guide of SDMX-CSV says ``keys`` where it lists the parameters, ``key`` in examples;
# REST 1.5 (4.6, "A note about SDMX-CSV") says ``label``.
_OPTIONS = {
    "labels": "labels",
    "label": "labels",
    "timeformat": "timeFormat",
    "keys": "keys",
    "key": "keys",
}


@dataclass(frozen=True)
class MediaRange:
    """One entry of an Accept header, ``quality`` between 0 and 1; 0 is "anything but this"."""

    type: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    quality: float = 1.0

    @property
    def precision(self) -> int:
        """How exactly the range speaks: a fully named type outranks a wildcard."""
        return (self.type != "*/*") + (not self.type.endswith("/*")) + len(self.parameters)

    def takes(self, type: str) -> bool:
        """Return whether a media type falls into the range, parameters apart."""
        bare = type.partition(";")[0]
        return self.type in (bare, "*/*", bare.partition("/")[0] + "/*")


@dataclass(frozen=True)
class Choice(Generic[_Message]):
    """The format that answers, the Content-Type it is sent under, and its options."""

    format: Format[_Message]
    content_type: str
    labels: Labels = Labels.ID
    keys: Keys = Keys.NONE
    time_format: TimeFormat = TimeFormat.ORIGINAL


def accepted(header: str | None) -> tuple[MediaRange, ...]:
    """Return the ranges of an Accept header, the most wanted first; none means ``*/*``.

    A range that cannot be read is passed over, as RFC 9110 leaves a server free to do. A list
    without members says nothing.
    """
    said = header if header and header.strip(", \t") else "*/*"
    ranges = [
        MediaRange(one.name.lower(), one.parameters, one.quality)
        for one in members(said)
        if _MEDIA_RANGE.fullmatch(one.name)
    ]
    return tuple(sorted(ranges, key=lambda one: (-one.quality, -one.precision)))


def negotiate(
    formats: Sequence[Format[_Message]],
    *,
    accept: str | None,
    default: Format[_Message],
    asked: str | None = None,
    version: str | None = None,
    labels: str | None = None,
    keys: str | None = None,
    time_format: str | None = None,
    generation: Generation | None = None,
) -> Choice[_Message]:
    """Return the format to answer in.

    ``asked`` is the parameter ``format=`` (a short name or a media type) and wins over the Accept
    header; ``version`` is ``formatVersion=``, which says something only beside it. ``labels``,
    ``keys`` and ``time_format`` win over the parameters of those names in the header; a version
    that has such an option without this value does not answer. Where no version is named, formats
    of ``generation`` come first, then newer versions. Raises NotAcceptable, which lists what there
    is, and RequestError for a word that no option has.
    """
    if asked and asked.lower() in _LABELLED:
        asked, meant = _LABELLED[asked.lower()]
        labels = labels or meant
    labelled = None if labels is None else _option(Labels, "labels", labels)
    keyed = None if keys is None else _option(Keys, "keys", keys)
    timed = None if time_format is None else _option(TimeFormat, "timeFormat", time_format)
    options = {"labels": labelled, "keys": keyed, "timeFormat": timed}
    chosen = {name: value.value for name, value in options.items() if value is not None}
    every = formats
    formats = [one for one in every if _knows(one, chosen)]
    if asked and "/" not in asked:
        choice = _by_name(formats, asked.lower(), version, default, generation)
    elif asked:
        choice = _best(formats, accepted(asked), default, generation, version)
    else:
        choice = _best(formats, accepted(accept), default, generation)
    if choice is None:
        # Formats without the option at all would answer, and not as asked: no advice to give.
        obeying = [one for one in formats if chosen.keys() <= one.options.keys()]
        able = formats if len(formats) == len(every) else obeying
        said = ", ".join(f"{name}={value}" for name, value in chosen.items())
        raise NotAcceptable(
            "format" if asked else "Accept",
            got=f"{asked} {version or ''}".strip()[:255] if asked else (accept or "")[:255],
            expected="one of " + ", ".join(one.content_type for one in able)
            if able
            else "a format that has a place for what is asked for",
            hint=f"format= one of {', '.join(one.name for one in able)}"
            + ("" if able is formats else f", of those that can say {said}")
            if able
            else None,
        )
    choice = replace(
        choice,
        labels=labelled or choice.labels,
        keys=keyed or choice.keys,
        time_format=timed or choice.time_format,
    )
    return replace(choice, content_type=_told(choice))


def _told(choice: Choice[_Message]) -> str:
    """Return the Content-Type with the options that are not what a format is without them."""
    one = choice.format
    if choice.content_type != one.content_type:
        return choice.content_type  # a type outside SDMX, which has no such parameters
    usual = Choice(one, one.content_type)
    options = {
        "labels": (choice.labels, usual.labels),
        "timeFormat": (choice.time_format, usual.time_format),
        "keys": (choice.keys, usual.keys),
    }
    said = (
        f";{name}={value.value}"
        for name, (value, silent) in options.items()
        if name in one.options and value is not silent
    )
    return "".join((one.content_type, *said))


def _knows(one: Format[_Message], chosen: Mapping[str, str]) -> bool:
    return all(value in one.options[name] for name, value in chosen.items() if name in one.options)


def _option(kind: type[_Option], name: str, text: str) -> _Option:
    try:
        return kind(text)
    except ValueError:
        *words, last = (one.value for one in kind)
        raise RequestError(name, got=text[:255], expected=f"{', '.join(words)} or {last}") from None


def _by_name(
    formats: Sequence[Format[_Message]],
    asked: str,
    version: str | None,
    default: Format[_Message],
    generation: Generation | None,
) -> Choice[_Message] | None:
    exact = [one for one in formats if asked in (one.name, *one.short_names)]
    family = [one for one in formats if asked in one.family]
    # A family bears the name of its newest version, which another one may be asked for by.
    known = family or exact
    bare, _, number = asked.rpartition("-")
    if not known and version is None and bare and number[:1].isdecimal():
        return _by_name(formats, bare, number, default, generation)  # sdmx-json-1.0
    found = [one for one in known if version is None or _within(version, one.version)]
    if not found:
        return None
    own = None if asked in _NEWEST else generation
    best = max(
        found, key=lambda one: (one is default, one.generation is own, _numbers(one.version))
    )
    return Choice(best, best.content_type)


def _best(
    formats: Sequence[Format[_Message]],
    ranges: Sequence[MediaRange],
    default: Format[_Message],
    generation: Generation | None,
    version: str | None = None,
) -> Choice[_Message] | None:
    """Return what the most precise range that takes each type in wants most (RFC 9110, 12.5.1)."""
    found: list[tuple[_Rank, Choice[_Message]]] = []
    for place, one in enumerate(formats):
        if version is not None and not _within(version, one.version):
            continue
        for type, content_type in _types(one):
            matching = [
                (wanted.precision, -position, wanted)
                for position, wanted in enumerate(ranges)
                if wanted.takes(type) and _satisfies(one, wanted)
            ]
            if not matching:
                continue
            precision, position, wanted = max(matching, key=lambda match: match[:2])
            if wanted.quality == 0:
                continue
            rank = (
                wanted.quality,
                precision,
                position,
                one is default,
                # Where the usual format has no place for an answer, its nearest relative has.
                _syntax(one) == _syntax(default),
                one.generation is generation,
                _numbers(one.version),
                -place,
            )
            found.append((rank, _choice(one, content_type, wanted)))
    return max(found, key=lambda match: match[0])[1] if found else None


def _syntax(one: Format[_Message]) -> str:
    return one.media_type.rpartition("+")[2]


def _types(one: Format[_Message]) -> Iterator[tuple[str, str]]:
    yield one.media_type, one.content_type
    for plain in one.plain_types:
        # Without a charset, text is read in the encoding of whoever reads it.
        yield plain, plain + (";charset=utf-8" if plain.startswith("text/") else "")


def _satisfies(one: Format[_Message], wanted: MediaRange) -> bool:
    """Return whether a format has the version and the options that a range names."""
    version = wanted.parameters.get("version")
    if version is not None:
        version = version.removesuffix(_DRAFT)
    if version is not None and not _within(version, one.version):
        return False
    return all(
        value in one.options.get(_OPTIONS[name], (value,))
        for name, value in wanted.parameters.items()
        if name in _OPTIONS
    )


def _choice(one: Format[_Message], content_type: str, wanted: MediaRange) -> Choice[_Message]:
    given = {_OPTIONS[name]: v for name, v in wanted.parameters.items() if name in _OPTIONS}
    if not one.options:
        return Choice(one, content_type)
    return Choice(
        one,
        content_type,
        Labels(given.get("labels", Labels.ID.value)),
        Keys(given.get("keys", Keys.NONE.value)),
        TimeFormat(given.get("timeFormat", TimeFormat.ORIGINAL.value)),
    )


def _numbers(version: str) -> list[int]:
    parts = [int(part) for part in version.split(".") if part.isdecimal()]
    return parts + [0] * (3 - len(parts))


def _within(wanted: str, version: str) -> bool:
    """Return whether a version, or a range such as ``2+.0.0`` or ``2.~``, takes in ``version``.

    The grammar is that of artefact versions (REST 2.2, querying_versions); what it declares
    illegal, such as ``+.2``, matches nothing.
    """
    return any(_in_range(one, _numbers(version)) for one in wanted[:80].split(","))


def _in_range(wanted: str, have: list[int]) -> bool:
    parts = wanted.strip().split(".")
    if not 1 <= len(parts) <= 3:
        return False
    least: list[int] = []
    place = None
    for position, part in enumerate(parts):
        match = _VERSION_PART.fullmatch(part)
        if match is None or not part:
            return False
        mark = match[2] or match[3]
        if mark and place is not None:
            return False
        whole = place is not None and not _VERSION_PART.fullmatch(parts[place])[1]  # type: ignore[index]
        if whole and int(match[1] or 0):
            return False
        if mark:
            place = position
        least.append(int(match[1] or 0))
    least += [0] * (3 - len(least))
    if place is None:
        return least == have
    return have[:place] == least[:place] and have[place:] >= least[place:]


def languages(
    header: str | None, asked: str | None = None, spoken: Collection[str] = ()
) -> tuple[str, ...]:
    """Return language tags, the most wanted first; ``asked`` (``lang=``) wins over the header.

    A tag with a region is followed by its plain language; English comes last. Where the languages
    ``spoken`` are told, the usual one first, only these are returned: ``lang=all`` is all of them,
    a header that names none of them means the usual one (RFC 9110, 12.5.4), and a ``lang=`` that
    names none raises NotAcceptable (SDMX REST 2.2, "Other parameters used for content
    negotiation").
    """
    if spoken and asked == "all":
        return tuple(spoken)
    wanted = _wanted(header, asked)
    if not spoken:
        return tuple(dict.fromkeys([*wanted, "en"]))
    known = {tag.lower(): tag for tag in spoken}
    found = [known[tag.lower()] for tag in wanted if tag.lower() in known]
    if asked and not found:
        raise NotAcceptable("lang", got=asked[:255], expected=f"all or one of {', '.join(spoken)}")
    return tuple(dict.fromkeys([*found, next(iter(spoken))]))


def _wanted(header: str | None, asked: str | None) -> list[str]:
    tags = [
        one.name
        for one in sorted(members(asked or header or "en"), key=lambda one: -one.quality)
        if one.quality > 0 and _LANGUAGE.fullmatch(one.name)
    ]
    return [part for tag in tags for part in (tag, tag.partition("-")[0].lower())]
