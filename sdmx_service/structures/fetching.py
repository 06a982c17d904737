"""The content of a message that a person names: a file or an address."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO
from urllib.request import Request

from sdmx_service.errors import RequestError
from sdmx_service.structures.messages import LARGEST

__all__ = ["content_of"]

_ACCEPT = (
    "application/vnd.sdmx.structure+xml;version=3.1.0, "
    "application/vnd.sdmx.structure+xml;version=3.0.0;q=0.9, "
    "application/vnd.sdmx.structure+xml;version=2.1;q=0.8, "
    "application/vnd.sdmx.structure+json;q=0.7, application/xml;q=0.5, */*;q=0.1"
)
_SECONDS = 60
_LONGEST_REASON = 2_000


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects within the web; Python's own follow them to FTP too."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Request | None:
        if not newurl.lower().startswith(("http://", "https://")):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_Redirects)


def content_of(source: str) -> bytes:
    """Return the content of a file, or of an ``http(s)`` address; RequestError if there is none.

    An address is asked for SDMX-ML, then for SDMX-JSON. Content larger than any message that is
    read is cut behind that size, so that its reader refuses it.
    """
    scheme, colon, _ = source.partition("://")
    if not colon:
        return _file(source)
    if scheme.lower() not in ("http", "https"):
        raise RequestError(
            source,
            got=f"an address of {scheme}",
            expected="a file, or an address of http or https",
            hint="name a file by its path" if scheme.lower() == "file" else None,
        )
    try:
        request = Request(source, headers={"Accept": _ACCEPT})
        with _OPENER.open(request, timeout=_SECONDS) as answer:
            return _read(answer, source)
    except urllib.error.HTTPError as error:
        with error:
            raise RequestError(
                source,
                got=f"HTTP {error.code}",
                expected="a structure message",
                hint=_led_away(error) or _reason(error),
            ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RequestError(
            source,
            got=str(error) or type(error).__name__,
            expected="an address that answers with a structure message",
            hint="try the address in a browser",
        ) from None


def _file(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except (OSError, ValueError) as error:
        folder = isinstance(error, IsADirectoryError)
        raise RequestError(
            source,
            got=getattr(error, "strerror", None) or str(error),
            expected="a file or address",
            hint="import the files of a folder one by one" if folder else None,
        ) from None


def _read(answer: http.client.HTTPResponse, source: str) -> bytes:
    content = answer.read(LARGEST + 1)
    # Asked for an amount, the client of Python does not say that an answer ended early.
    if len(content) <= LARGEST and answer.length:
        raise RequestError(
            source,
            got=f"{len(content)} bytes, {answer.length} less than announced",
            expected="a whole answer",
            hint="the answer ended early; try again",
        )
    if answer.status != http.HTTPStatus.OK:
        raise RequestError(
            source, got=f"HTTP {answer.status}", expected="a structure message (HTTP 200)"
        )
    return content


def _led_away(error: urllib.error.HTTPError) -> str | None:
    to = error.headers.get("Location")
    return f"it redirects to {to[:300]}, without end or away from http" if to else None


def _reason(error: urllib.error.HTTPError) -> str | None:
    """Return what a service says of its error in a problem document (RFC 9457), if it does."""
    if "json" not in (error.headers.get("Content-Type") or ""):
        return None
    try:
        said = json.loads(error.read(_LONGEST_REASON))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    detail = said.get("detail") if isinstance(said, dict) else None
    return f"it says: {detail[:300]}" if isinstance(detail, str) else None
