"""One answer out of one release, with the headers that caches and clients need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

from sdmx_service import __version__
from sdmx_service.release import Release
from sdmx_service.web.streaming import Streamed

__all__ = ["VARY", "Asked", "Standing", "answer", "entity_tag"]

VARY = "Accept, Accept-Language, Accept-Encoding"


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
    """Return the tag of an answer; weak, because a compressed one bears the same.

    Another version of this service may write the same content in another way.
    """
    said = "\n".join((__version__, content, content_type, language, variant)).encode()
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
    file: str | None = None,
) -> Response:
    """Return 200 with the pieces streamed, 204 where there are none (None), or 304.

    ``variant`` tells apart answers that one address and one media type have; ``standing`` is by
    default all of the release. ``file`` is the name under which a browser saves what it cannot
    show; without one it takes the end of the address.
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
    if file is not None:
        headers["Content-Disposition"] = f'inline; filename="{file}"'
    if request.method == "HEAD":
        # As long as the answer to a GET would be, which nobody has made (RFC 9110, 8.6).
        response = Response(headers=headers)
        del response.headers["Content-Length"]
        return response
    return Streamed(iter(pieces), headers)


def _unchanged(request: Request, tag: str, published: datetime) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = [one.strip().removeprefix("W/") for one in tags.split(",")]
        return tag.removeprefix("W/") in known or "*" in known
    since = _moment(request.headers.get("if-modified-since", ""))
    return since is not None and published.replace(microsecond=0) <= since


def _moment(text: str) -> datetime | None:
    """Return an HTTP date in any of its three forms (RFC 9110, 5.6.7), None for other words.

    A date that cannot be read is ignored (13.1.3).
    """
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # asctime() names no zone, since all are GMT.
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
