"""Errors as answers: problem+json (RFC 9457), the SDMX error message, or a page for people."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.errors import NotFound, ReleaseError, RequestError, SdmxServiceError
from sdmx_service.formats import Format, data_formats, metadata_formats, structure_formats
from sdmx_service.formats.negotiation import MediaRange, accepted
from sdmx_service.formats.registration import registration_formats
from sdmx_service.formats.schema import schema_formats
from sdmx_service.web.errorpage import error_page

__all__ = ["OPEN_HEADERS", "NoResults", "TooLong", "answer_error"]

# Said on every answer, errors too: anyone may read, nothing in a page may run.
OPEN_HEADERS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": (
        "X-Release, X-Left-Out, ETag, Last-Modified, Content-Language, Link, Retry-After, "
        "Content-Disposition"
    ),
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
_LOG = logging.getLogger(__name__)
_RETRY = "30"
_LONGEST = 255  # of what is repeated of a request
_METHODS = "GET, HEAD, OPTIONS"
_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas"
# Of the versions of SDMX-ML: folder of the namespaces and version of the media type.
_OLD, _V30, _V31 = ("v2_1", "2.1"), ("v3_0", "3.0.0"), ("v3_1", "3.1.0")
_OLD_TYPES = ("application/vnd.sdmx.generic", "application/vnd.sdmx.structurespecific")
_CUT_SHORT = re.compile(r"%[0-9A-Fa-f]?$")  # an escape of which a part is missing
_LISTED = "GET / lists what there is"
_OURS = "this is a fault of ours, not of the request"
# Of status codes, the code of the SDMX guidelines; 510 is "response too large".
_CODES = {401: 110, 404: 100, 413: 510, 414: 130, 422: 150, 501: 501, 503: 503}


class NoResults(NotFound):
    """A query that is right and matches nothing (REST 1.5: HTTP 404)."""


class TooLong(RequestError):
    """A request longer than the service reads (HTTP 414)."""

    http_status = 414


@dataclass(frozen=True)
class Problem:
    """What went wrong with one request; ``parts`` are where, got, expected and hint.

    Of a fault of ours they tell no more than that it is one.
    """

    status: HTTPStatus
    code: int
    detail: str
    instance: str
    parts: Mapping[str, str] = field(default_factory=dict)
    ours: bool = False

    @classmethod
    def of(cls, request: Request, error: Exception) -> Problem:
        """Return what is said of an error."""
        instance = _instance(request)
        if isinstance(error, HTTPException):
            error = _of_http(request, HTTPStatus(error.status_code), instance)
        if isinstance(error, ReleaseError):
            status = HTTPStatus(error.http_status)
            return cls._fault(status, "no release can be served now", instance)
        if not isinstance(error, SdmxServiceError) or error.http_status == 500:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            return cls._fault(status, "the service failed", instance)
        if isinstance(error, NotFound) and error.hint is None:
            error = NotFound(error.where, got=error.got, expected=error.expected, hint=_LISTED)
        status = HTTPStatus(error.http_status)
        code = _code(status)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY and request.url.path.startswith("/rest/"):
            status = HTTPStatus.BAD_REQUEST  # REST 1.5 has no other for an invalid query
        return cls(status, code, str(error), instance, error.as_dict())

    @classmethod
    def _fault(cls, status: HTTPStatus, said: str, instance: str) -> Problem:
        # Where in the files of the release is nobody's business outside.
        parts = {"where": instance, "hint": _OURS}
        return cls(status, _code(status), f"{said}: {_OURS}", instance, parts, ours=True)


def answer_error(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    problem = Problem.of(request, error)
    if problem.ours and isinstance(error, SdmxServiceError):  # others are logged by Starlette
        _LOG.error("%d to %s: %s", problem.status, problem.instance, error)
    headers = {
        **OPEN_HEADERS,
        "Cache-Control": "no-cache",  # what is not there now may be published
        "Content-Language": "en",
        "Vary": "Accept, Accept-Encoding",
    }
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _METHODS
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY
    body, media_type = _written(request, problem)
    return Response(body, problem.status, headers=headers, media_type=media_type)


def _written(request: Request, problem: Problem) -> tuple[bytes, str]:
    """Return a problem in the form wanted, with its media type.

    A browser shows its reader a page; else ``format=`` wins over Accept, as in all answers.
    """
    ranges = accepted(request.headers.get("accept"))
    first = next((one for one in ranges if one.quality > 0), MediaRange("*/*"))
    if first.type in ("text/html", "application/xhtml+xml"):
        query = request.scope.get("query_string", b"").decode("latin-1")[:_LONGEST]
        page = error_page(
            problem.status,
            f"{problem.instance}?{query}" if query else problem.instance,
            {} if problem.ours else problem.parts,
            home=f"{request.scope.get('root_path', '')}/",
        )
        return page.encode(), "text/html"
    wanted = _asked(request) or first
    if wanted.type.endswith(("+xml", "/xml")):
        folder, number = _version(request.url.path, wanted)
        media_type = f"application/vnd.sdmx.error+xml;version={number}"
        return _xml(problem.code, problem.detail, folder), media_type
    body = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.detail,
        "instance": problem.instance,
        "sdmxCode": problem.code,
        **problem.parts,
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2), "application/problem+json"


def _code(status: int) -> int:
    """Return the code of the SDMX 2.1 web service guidelines (section 5.8)."""
    return _CODES.get(status, 140 if status < 500 else 500)


def _instance(request: Request) -> str:
    """Return the path asked for as a URI reference, as it was sent, of 255 letters at most."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    return _CUT_SHORT.sub("", quote(raw.partition(b"?")[0], safe="/%:@!$&'()*+,;=~")[:_LONGEST])


class _NotAllowed(RequestError):
    http_status = 405


def _of_http(request: Request, status: HTTPStatus, path: str) -> RequestError:
    """Return what the routing says, in our words; it knows two errors."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _NotAllowed("method", got=request.method[:20], expected=_METHODS)
    return NotFound(
        "path",
        got=path,
        expected="/rest/..., /sdmx/v2/..., /healthz or /",
        hint=_LISTED,
    )


def _asked(request: Request) -> MediaRange | None:
    """Return what ``format=`` asks for as a range of media types, None where it says nothing."""
    query = request.scope.get("query_string", b"").decode("latin-1")
    pairs = (pair.partition("=") for pair in query.split("&"))
    given = {unquote(name): unquote(value) for name, _, value in pairs}
    asked, version = given.get("format", "").lower(), given.get("formatVersion")
    if "/" in asked:
        return next(iter(accepted(asked)), None)
    for one in _every_format():
        if asked in (one.name, *one.short_names):
            return MediaRange(one.media_type, {"version": one.version})
        if asked in one.family:
            type = "application/xml" if one.media_type.endswith("+xml") else one.media_type
            return MediaRange(type, {"version": version} if version else {})
    return None


def _every_format() -> tuple[Format[Any], ...]:
    return (
        *data_formats(),
        *structure_formats(),
        *metadata_formats(),
        *schema_formats(),
        *registration_formats(),
    )


def _version(path: str, wanted: MediaRange) -> tuple[str, str]:
    """Return the version of the SDMX error message to answer with."""
    version = wanted.parameters.get("version", "")
    if path.startswith("/rest/") or version.startswith("2") or wanted.type.startswith(_OLD_TYPES):
        return _OLD
    return _V30 if version == "3.0.0" else _V31


def _xml(code: int, detail: str, folder: str) -> bytes:
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in detail)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message:Error xmlns:message="{_SCHEMAS}/{folder}/message"'
        f' xmlns:common="{_SCHEMAS}/{folder}/common">'
        f'<message:ErrorMessage code="{code}"><common:Text xml:lang="en">{escape(text)}'
        "</common:Text></message:ErrorMessage></message:Error>"
    ).encode()
