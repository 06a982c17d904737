"""Queries for one whole series, answered out of mapped columns without a frame or a framework."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime

import polars as pl
from starlette.types import ASGIApp, Receive, Scope, Send

from sdmx_service.errors import SdmxServiceError
from sdmx_service.formats import DataMessage
from sdmx_service.formats.message import Keys, TimeFormat
from sdmx_service.query.query import DataQuery
from sdmx_service.query.selection import settled
from sdmx_service.release import Release
from sdmx_service.release.reading import Chosen, admitted
from sdmx_service.release.rows import Rows
from sdmx_service.web.answer import VARY, entity_tag
from sdmx_service.web.compression import compressed, encodings
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.data import (
    REST15,
    REST22,
    Interface,
    Wish,
    disposition,
    message_of,
    standing_of,
)
from sdmx_service.web.problem import OPEN_HEADERS
from sdmx_service.web.small import Write
from sdmx_service.web.smallcsv import small_csv
from sdmx_service.web.smalljson import small_json
from sdmx_service.web.smallxml import small_xml

__all__ = ["Quick"]

_INTERFACES = {b"rest": (REST15, 4, "all"), b"sdmx": (REST22, 8, "*")}
_MAKERS = {"+csv": small_csv, "+json": small_json, "+xml": small_xml}
_MOST_PLANS = 512
_CHECKED = 5
_Headers = list[tuple[bytes, bytes]]
_Answer = tuple[_Headers, bytes]
# Whoever sends one of these wants more than the answer.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})


@dataclass(frozen=True)
class _Plan:
    """All that is the same for every key of one address, in one format and language."""

    chosen: Chosen
    write: Write
    places: tuple[Mapping[bytes, int], ...]
    headers: tuple[tuple[bytes, bytes], ...]
    content: str
    wish: Wish

    def rows(self, key: bytes) -> tuple[int, int] | None:
        """Return where the rows of a series lie; None unless the key names one there is."""
        codes = key.split(b".")
        if len(codes) != len(self.places):
            return None
        ranks = []
        for place, code in zip(self.places, codes, strict=True):
            rank = place.get(code)
            if rank is None:
                return None
            ranks.append(rank)
        series = self.chosen.image.series
        low, high = series.range(ranks)
        if low >= high:
            return None
        return int(series.starts[low]), int(series.starts[low + 1])


class Quick:
    """Answers what asks for one whole series and nothing else, and hands on all other requests.

    Such an answer is the same, byte for byte, as the one it would get there. ``cache`` is how many
    bytes of answers are kept; none by default.
    """

    def __init__(self, app: ASGIApp, current: CurrentRelease, cache: int = 0) -> None:
        self.app = app
        self._current = current
        self._release: Release | None = None
        self._plans: dict[tuple[bytes, ...], _Plan | None] = {}
        self._planning: asyncio.Future[None] | None = None
        self._kept: OrderedDict[tuple[bytes, ...], _Answer] = OrderedDict()
        self._most, self._size = cache, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        found = self.answered(scope, wait=False) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        headers, body = found
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    def answered(self, scope: Scope, *, wait: bool = True) -> _Answer | None:
        """Return headers and body where the request is for one whole series, else None.

        Without ``wait``, what the keys of an address have in common is found out in a thread, one
        address at a time, and requests are handed on until then: none holds up the others.
        """
        path: bytes = scope.get("raw_path") or b""
        if not path.startswith((b"/rest/data/", b"/sdmx/v2/data/")):
            return None
        if scope["method"] not in ("GET", "HEAD"):
            return None
        accept = language = encoding = b""
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = accept or value
            elif name == b"accept-language":
                language = language or value
            elif name == b"accept-encoding":
                encoding = encoding or value
            elif name in _CONDITIONS:
                return None
        query: bytes = scope["query_string"]
        release = self._current.release() if wait else self._current.ready()
        if release is None:
            return None
        if release is not self._release:
            self._plans.clear()
            self._kept.clear()
            self._release, self._size = release, 0
        asked = (path, query, accept, language, encoding)
        if self._most and (kept := self._kept.get(asked)) is not None:
            return kept
        before, _, key = path.rpartition(b"/")
        place = (before, query, accept, language)
        if place not in self._plans:
            if wait:
                self._plan(release, place)
            elif self._planning is None or self._planning.done():
                loop = asyncio.get_running_loop()
                self._planning = loop.run_in_executor(None, self._plan, release, place)
        plan = self._plans.get(place)
        found = None if plan is None else plan.rows(key)
        if plan is None or found is None:
            return None
        made = _written(plan, path, query, encoding, plan.write(*found))
        if self._most:
            self._keep(asked, made)
        return made

    def _keep(self, asked: tuple[bytes, ...], made: _Answer) -> None:
        self._kept[asked] = made
        self._size += len(made[1])
        while self._size > self._most:
            _, (_, body) = self._kept.popitem(last=False)
            self._size -= len(body)

    def _plan(self, release: Release, place: tuple[bytes, bytes, bytes, bytes]) -> None:
        plan = None
        try:
            plan = self._planned(release, *place)
        finally:
            if release is self._release:
                if len(self._plans) >= _MOST_PLANS:
                    self._plans.clear()
                self._plans[place] = plan

    def _planned(
        self, release: Release, before: bytes, query: bytes, accept: bytes, language: bytes
    ) -> _Plan | None:
        """Return what all keys under an address have in common; None where it is not simple."""
        parts = before.decode("ascii", "replace").split("/")
        interface, most, every = _INTERFACES[parts[1].encode()]
        if len(parts) != most:
            return None
        try:
            return self._made(
                release,
                interface,
                "/".join((*parts[interface.depth + 1 :], every)),
                query.decode("ascii", "replace"),
                accept.decode("latin-1") or None,
                language.decode("latin-1") or None,
            )
        except SdmxServiceError:
            return None  # the request is handed on, and refused there with the reason

    def _made(
        self,
        release: Release,
        interface: Interface,
        path: str,
        parameters: str,
        accept: str | None,
        language: str | None,
    ) -> _Plan | None:
        query = interface.query(path, parameters)
        plain = DataQuery(target=query.target, attributes=query.attributes, measures=query.measures)
        if query != plain:
            return None
        wish = Wish.of(
            interface.default, interface.parameters(parameters), accept, language, release
        )
        if wish.choice.keys is not Keys.NONE or wish.choice.time_format is not TimeFormat.ORIGINAL:
            return None
        answers = self._current.archive.answer(release, query)
        if len(answers) != 1 or not isinstance(answers[0].rows, Chosen):
            return None
        if settled(answers[0].flow.structure, query).series_only:
            return None  # one row a series, whatever observations it has
        message = message_of(answers, release, query, wish)
        chosen = answers[0].rows
        write = _small(chosen, message, wish)
        if write is None:
            return None
        standing = standing_of(self._current, release, query, answers)
        headers = {
            "X-Release": release.id,
            "Last-Modified": format_datetime(standing.changed, usegmt=True),
            "Cache-Control": "public, no-cache",
            "Vary": VARY,
            "Content-Type": wish.choice.content_type,
            "Content-Language": wish.languages[0],
            "Content-Disposition": disposition(answers, wish),
            **OPEN_HEADERS,
        }
        raw = tuple((n.lower().encode(), v.encode("latin-1")) for n, v in headers.items())
        places = _places(chosen, answers[0].flow.admits)
        return _Plan(chosen, write, places, raw, standing.content, wish)


def _places(
    chosen: Chosen, admits: Mapping[str, frozenset[str]]
) -> tuple[Mapping[bytes, int], ...]:
    """Return of each dimension the codes that occur and are admitted, with their rank."""
    image = chosen.image
    good = admitted(image, admits)
    places = []
    for dimension, present in zip(image.structure.dimensions, image.series.present, strict=True):
        column = image.coded(dimension.id)
        assert column is not None  # dimensions are coded
        places.append(
            {
                column.dictionary[int(code)].encode(): rank
                for rank, code in enumerate(present)
                if code < column.size and (dimension.id not in good or good[dimension.id][code])
            }
        )
    return tuple(places)


def _small(chosen: Chosen, message: DataMessage, wish: Wish) -> Write | None:
    """Return what writes one series, if it writes what the format's own writer does."""
    if set(message.dataset.flow.admits) - {d.id for d in message.dataset.structure.dimensions}:
        return None

    def big(frame: pl.DataFrame | Chosen) -> bytes:
        one = replace(message.dataset, frame=frame)
        return b"".join(wish.choice.format.write(replace(message, datasets=(one,))))

    media_type = wish.choice.format.media_type
    if not media_type.endswith(tuple(_MAKERS)):
        return None
    make = next(make for end, make in _MAKERS.items() if media_type.endswith(end))
    write = make(chosen.image, chosen.names, big)
    if write is None:
        return None
    starts = chosen.image.series.starts
    count = len(chosen.image.series)
    for number in {count * place // _CHECKED for place in range(_CHECKED)} | {count - 1}:
        rows = Rows.between(starts[number : number + 1], starts[number + 1 : number + 2])
        if write(int(starts[number]), int(starts[number + 1])) != big(replace(chosen, rows=rows)):
            return None
    return write


def _written(plan: _Plan, path: bytes, query: bytes, encoding: bytes, body: bytes) -> _Answer:
    wish = plan.wish
    tag = entity_tag(
        plan.content, path, query, wish.choice.content_type, wish.languages[0], wish.variant
    )
    headers = [*plan.headers, (b"etag", tag.encode())]
    if encoding:
        wanted = encodings(encoding.decode("latin-1"))
        if wanted.best is not None and wanted.worth(len(body)):
            body = compressed(wanted.best, body)
            headers.append((b"content-encoding", wanted.best.encode()))
    headers.append((b"content-length", str(len(body)).encode()))
    return headers, body
