"""Errors as answers: problem+json (RFC 9457), or the SDMX error message where XML is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from xml.sax.saxutils import escape

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sdmx_service.errors import NotAcceptable, NotFound, RequestError, SdmxServiceError
from sdmx_service.formats.negotiation import accepted
from sdmx_service.web.compression import CODINGS, encodings

__all__ = [
    "OPEN_HEADERS",
    "NoResults",
    "TooLong",
    "answer_error",
    "refuse_coding",
    "refuse_compression",
]

# Said on every answer, errors too: anyone may read, nothing in a page may run.
OPEN_HEADERS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": (
        "X-Release, X-Left-Out, ETag, Last-Modified, Content-Language, Link, Retry-After"
    ),
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_RETRY = "30"
_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas"
# Of the versions of SDMX-ML: folder of the namespaces and version of the media type.
_OLD, _V30, _V31 = ("v2_1", "2.1"), ("v3_0", "3.0.0"), ("v3_1", "3.1.0")
_OURS = "this is a fault of ours, not of the request"
# Of status codes, the code of the SDMX guidelines; 510 is "response too large".
_CODES = {401: 110, 404: 100, 413: 510, 414: 130, 422: 150, 501: 501, 503: 503}
# Content codings that a server may know (IANA, HTTP content coding registry).
_REGISTERED = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "identity"}
    | {"pack200-gzip", "x-compress", "x-gzip", "zstd", "*"}
)


class NoResults(NotFound):
    """A query that is right and matches nothing (REST 1.5: HTTP 404)."""


class TooLong(RequestError):
    """A request longer than the service reads (HTTP 414)."""

    http_status = 414


def _code(status: int) -> int:
    """Return the code of the SDMX 2.1 web service guidelines (section 5.8)."""
    return _CODES.get(status, 140 if status < 500 else 500)


def _of_http(request: Request, status: HTTPStatus) -> RequestError:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return RequestError("method", got=request.method[:20], expected="GET, HEAD or OPTIONS")
    return RequestError(
        "path",
        got=request.url.path[:255],
        expected="/rest/..., /sdmx/v2/..., /healthz or /",
        hint="GET / lists what there is",
    )


def answer_error(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, f"the service failed: {_OURS}"
    parts: dict[str, str] = {}
    if isinstance(error, SdmxServiceError):
        status = HTTPStatus(error.http_status)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            # Where in the files of the release is nobody's business outside.
            parts = {"where": request.url.path[:255], "hint": _OURS}
        else:
            detail, parts = str(error), error.as_dict()
    elif isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        named = _of_http(request, status)
        detail, parts = str(named), named.as_dict()
    elif status == HTTPStatus.INTERNAL_SERVER_ERROR:
        parts = {"where": request.url.path[:255], "hint": _OURS}
    code = _code(status)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and request.url.path.startswith("/rest/"):
        status = HTTPStatus.BAD_REQUEST  # REST 1.5 has no other for an invalid query
    headers = {**OPEN_HEADERS, "Vary": "Accept"}
    if isinstance(error, HTTPException) and error.headers:
        headers |= error.headers
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY
    version = _xml_version(request)
    if version is not None:
        folder, number = version
        return Response(
            _xml(code, detail, folder),
            status,
            headers=headers,
            media_type=f"application/vnd.sdmx.error+xml;version={number}",
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
        headers=headers,
        media_type="application/problem+json",
    )


@lru_cache(maxsize=512)
def refuse_coding(header: str) -> None:
    """Raise NotAcceptable for an Accept-Encoding that this service cannot meet.

    That is one that refuses the answer as it is and every coding known here (RFC 9110, 12.5.3),
    or names nothing that is registered, which the OpenAPI files of SDMX REST call invalid. A
    registered coding that is not known here is passed over.
    """
    wanted = encodings(header)
    named = {one.partition(";")[0].strip().lower() for one in header.split(",")} - {""}
    unmet = wanted.best is None and not wanted.plain
    if unmet or (named and not named & _REGISTERED):
        raise NotAcceptable(
            "Accept-Encoding",
            got=header[:255],
            expected=f"{', '.join(CODINGS)} or identity" if unmet else "a registered coding",
            hint=f"this service knows {', '.join(CODINGS)} and identity",
        )


def refuse_compression(asked: str) -> None:
    """Raise NotAcceptable for a ``compression=`` that the service does not know."""
    if asked not in (*CODINGS, "identity"):
        raise NotAcceptable(
            "compression", got=asked[:255], expected=f"one of {', '.join(CODINGS)}, identity"
        )


def _xml_version(request: Request) -> tuple[str, str] | None:
    """Return the version of the SDMX error message to answer with, None for problem+json."""
    first = next(iter(accepted(request.headers.get("accept"))), None)
    if first is None or not first.type.endswith(("+xml", "/xml")):
        return None
    if first.type.endswith("/xhtml+xml"):
        return None
    if request.url.path.startswith("/rest/"):
        return _OLD
    asked = first.parameters.get("version", "")
    if asked.startswith("2") or first.type.startswith(
        ("application/vnd.sdmx.generic", "application/vnd.sdmx.structurespecific")
    ):
        return _OLD
    return _V30 if asked == "3.0.0" else _V31


def _xml(code: int, detail: str, folder: str) -> bytes:
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in detail)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<message:Error xmlns:message="{_SCHEMAS}/{folder}/message"'
        f' xmlns:common="{_SCHEMAS}/{folder}/common">'
        f'<message:ErrorMessage code="{code}"><common:Text xml:lang="en">{escape(text)}'
        "</common:Text></message:ErrorMessage></message:Error>"
    ).encode()
