"""Errors as answers: problem+json (RFC 9457), or the SDMX error message where XML is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from xml.sax.saxutils import escape

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.errors import NotAcceptable, NotFound, RequestError, SdmxServiceError
from sdmx_service.formats.negotiation import accepted

__all__ = ["OPEN_HEADERS", "NoResults", "TooLong", "answer_error"]

# Said on every answer, errors too: anyone may read, nothing in a page may run.
OPEN_HEADERS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "X-Release, ETag, Last-Modified, Content-Language",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_MESSAGE = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
_COMMON = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"


class NoResults(NotFound):
    """A query that is right and matches nothing (REST 1.5: HTTP 404)."""


class TooLong(RequestError):
    """A request longer than the service reads (HTTP 414)."""

    http_status = 414


def _code(status: int) -> int:
    """Return the code of the SDMX 2.1 web service guidelines (section 5.8)."""
    return {404: 100, 401: 110, 414: 130, 422: 150, 501: 501, 503: 503}.get(
        status, 140 if status < 500 else 500
    )


def answer_error(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "the service failed; this is a fault of ours"
    parts: dict[str, str] = {}
    if isinstance(error, SdmxServiceError):
        status, detail, parts = HTTPStatus(error.http_status), str(error), error.as_dict()
    elif isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        detail = f"{request.url.path[:255]}: {status.phrase.lower()}"
        if status == HTTPStatus.NOT_FOUND:
            detail += "; GET / lists what there is"
    code = _code(status)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and request.url.path.startswith("/rest/"):
        status = HTTPStatus.BAD_REQUEST  # REST 1.5 has no other for an invalid query
    if _wants_xml(request) and not isinstance(error, NotAcceptable):
        return Response(
            _xml(code, detail),
            status,
            headers=dict(OPEN_HEADERS),
            media_type="application/vnd.sdmx.error+xml;version=2.1",
        )
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "instance": request.url.path[:255],
        "sdmxCode": code,
        **parts,
    }
    return Response(
        orjson.dumps(body, option=orjson.OPT_INDENT_2),
        status,
        headers=dict(OPEN_HEADERS),
        media_type="application/problem+json",
    )


def _wants_xml(request: Request) -> bool:
    if not request.url.path.startswith("/rest/"):
        return False
    first = next(iter(accepted(request.headers.get("accept"))), None)
    return first is not None and (first.type.endswith(("+xml", "/xml")))


def _xml(code: int, detail: str) -> bytes:
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in detail)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message:Error xmlns:message="{_MESSAGE}" xmlns:common="{_COMMON}">'
        f'<message:ErrorMessage code="{code}"><common:Text xml:lang="en">{escape(text)}'
        "</common:Text></message:ErrorMessage></message:Error>"
    ).encode()
