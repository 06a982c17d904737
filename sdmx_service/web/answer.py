"""One answer out of one release, with the headers that caches and clients need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sdmx_service.release import Release

__all__ = ["Asked", "answer"]

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


def answer(
    request: Request,
    release: Release,
    content_type: str,
    pieces: Iterable[bytes] | None,
    *,
    language: str = "en",
    variant: str = "",
) -> Response:
    """Return 200 with the pieces streamed, 204 where there are none (None), or 304.

    ``variant`` tells apart answers that one address and one media type have.
    """
    tag = hashlib.sha256(
        "\n".join((release.id, str(request.url), content_type, language, variant)).encode()
    ).hexdigest()
    headers = {
        "X-Release": release.id,
        # Weak, because a compressed answer bears the same tag.
        "ETag": f'W/"{tag[:32]}"',
        "Last-Modified": format_datetime(release.published, usegmt=True),
        "Cache-Control": "public, no-cache",
        "Vary": "Accept, Accept-Language",
    }
    if pieces is None:
        return Response(status_code=204, headers=headers)
    if _unchanged(request, headers["ETag"], release.published):
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Type": content_type, "Content-Language": language}
    if request.method == "HEAD":
        return Response(headers=headers)
    # The first piece is made before the status is sent: a failure there is still an error.
    stream = _cut(pieces)
    first = next(stream, b"")
    return StreamingResponse(_again(first, stream), headers=headers)


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces small enough that compressing one holds up no other answer."""
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]


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
