"""One answer out of one release, with the headers that caches and clients need."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sdmx_service.release import Release

__all__ = ["VARY", "Asked", "Standing", "answer", "entity_tag"]

VARY = "Accept, Accept-Language, Accept-Encoding"
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Asked:
    """What a request says besides its query: path after the resource, and query string."""

    path: str
    query_string: str

    @classmethod
    def of(cls, request: Request, depth: int) -> Asked:
        """Read the request as it was sent, still percent-encoded; ``depth`` parts are skipped.

        Starlette's own query parameters turn ``+`` into a space, which in SDMX is an operator.
        """
        raw = request.scope.get("raw_path") or request.url.path.encode()
        parts = raw.decode("ascii", "replace").partition("?")[0].split("/")
        query = request.scope.get("query_string", b"").decode("ascii", "replace")
        return cls("/".join(parts[depth + 1 :]), query)


@dataclass(frozen=True)
class Standing:
    """What an answer stands on: content that did not change since ``changed``, by its hash."""

    content: str
    changed: datetime

    @classmethod
    def of(cls, release: Release) -> Standing:
        """All of a release."""
        return cls(release.id, release.published)


def entity_tag(
    content: str, path: bytes, query: bytes, content_type: str, language: str, variant: str = ""
) -> str:
    """Return the tag of an answer; weak, because a compressed one bears the same."""
    said = "\n".join((content, content_type, language, variant)).encode()
    tag = hashlib.sha256(b"\n".join((said, path, query))).hexdigest()
    return f'W/"{tag[:32]}"'


def answer(
    request: Request,
    release: Release,
    content_type: str,
    pieces: Iterable[bytes] | None,
    *,
    language: str = "en",
    variant: str = "",
    standing: Standing | None = None,
) -> Response:
    """Return 200 with the pieces streamed, 204 where there are none (None), or 304.

    ``variant`` tells apart answers that one address and one media type have; ``standing`` is by
    default all of the release.
    """
    stands = standing or Standing.of(release)
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    tag = entity_tag(stands.content, path, query, content_type, language, variant)
    headers = {
        "X-Release": release.id,
        "ETag": tag,
        "Last-Modified": format_datetime(stands.changed, usegmt=True),
        "Cache-Control": "public, no-cache",
        "Vary": VARY,
    }
    if pieces is None:
        return Response(status_code=204, headers=headers)
    if _unchanged(request, tag, stands.changed):
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Type": content_type, "Content-Language": language}
    if request.method == "HEAD":
        # As long as the answer to a GET would be, which nobody has made (RFC 9110, 8.6).
        response = Response(headers=headers)
        del response.headers["Content-Length"]
        return response
    # The first piece is made before the status is sent: a failure there is still an error.
    rest = iter(pieces)
    first = next(rest, b"")
    return StreamingResponse(_streamed(first, rest), headers=headers)


async def _streamed(piece: bytes | None, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces, small enough that compressing one holds up no other answer.

    While one is sent a thread makes the next.
    """
    while piece is not None:
        coming = asyncio.ensure_future(asyncio.to_thread(next, rest, None))
        try:
            for start in range(0, len(piece), _PIECE):
                yield piece[start : start + _PIECE]
            piece = await coming
        finally:
            coming.cancel()  # the client may have gone


def _unchanged(request: Request, tag: str, published: datetime) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = [one.strip().removeprefix("W/") for one in tags.split(",")]
        return tag.removeprefix("W/") in known or "*" in known
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return published.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False  # RFC 9110, 13.1.3: a date that cannot be read is ignored
