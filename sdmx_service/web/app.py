"""The web application: a translation of HTTP into queries, and of releases into formats."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sdmx_service.errors import NotAcceptable, SdmxServiceError
from sdmx_service.web.availability import availability15, availability22
from sdmx_service.web.compression import Compression
from sdmx_service.web.current import CurrentRelease
from sdmx_service.web.data import data15, data22
from sdmx_service.web.home import health, home
from sdmx_service.web.metadata import metadata15, metadata22
from sdmx_service.web.problem import (
    OPEN_HEADERS,
    TooLong,
    answer_error,
    refuse_coding,
    refuse_compression,
)
from sdmx_service.web.quick import Quick
from sdmx_service.web.registration import registration22
from sdmx_service.web.schema import schema15, schema22
from sdmx_service.web.structure import structure15, structure22

__all__ = ["application", "serve", "served"]

_ENTRIES = ("/rest", "/rest/", "/sdmx/v2", "/sdmx/v2/")
_LONGEST_PATH = 4096
_LONGEST_QUERY = 8192
_RELEASES, _CACHE = "SDMX_SERVICE_RELEASES", "SDMX_SERVICE_CACHE"


class _Open:
    """Lets everyone read: CORS on every answer, OPTIONS answered, overlong requests refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in OPEN_HEADERS.items():
                    headers[name] = value
            await send(message)

        app: ASGIApp = self.app
        if (refused := _refused(scope)) is not None:
            app = refused
        await app(scope, receive, send_open)


def _refused(scope: Scope) -> Response | None:
    if scope["method"] == "OPTIONS":
        return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
    path, query = scope.get("raw_path") or b"", scope.get("query_string", b"")
    for name, text, most in (("path", path, _LONGEST_PATH), ("query", query, _LONGEST_QUERY)):
        if len(text) > most:
            error = TooLong(name, got=f"{len(text)} bytes", expected=f"at most {most}")
            return answer_error(Request(scope), error)
    return None


class _Coded:
    """Refuses codings nobody knows, and lets ``compression=`` win over Accept-Encoding."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self.app
        if scope["type"] == "http" and scope["method"] != "OPTIONS":
            try:
                scope = _coded(scope)
            except NotAcceptable as unknown:
                app = answer_error(Request(scope), unknown)
        await app(scope, receive, send)


def _coded(scope: Scope) -> Scope:
    query, name = scope.get("query_string", b""), b"accept-encoding"
    lines = [value for header, value in scope["headers"] if header == name]
    asked = None
    if b"compression=" in query:
        asked = dict(parse_qsl(query.decode("latin-1"))).get("compression")
    if asked is not None:
        refuse_compression(asked)
        lines = [asked.encode()]
    else:
        if lines:
            refuse_coding(b", ".join(lines).decode("latin-1"))
        if len(lines) < 2:
            return scope
    kept = [header for header in scope["headers"] if header[0] != name]
    return {**scope, "headers": [*kept, (name, b", ".join(lines))]}


def _routes(path: str, endpoint: Callable[[Request], Response]) -> tuple[Route, Route]:
    """Return the routes of a resource; what it says of a path without a rest it says itself."""
    return Route(path, endpoint), Route(f"{path}/{{query:path}}", endpoint)


def application(releases: Path | str, *, cache: int = 0) -> Starlette:
    """Return the application that serves the current release under the folder ``releases``.

    ``cache`` is how many bytes of answers for single series are kept in memory.
    """
    current = CurrentRelease(Path(releases))
    app = Starlette(
        routes=[
            *(Route(path, home) for path in ("/", *_ENTRIES)),
            *(Route(path, health) for path in ("/healthz", "/healthz/")),
            *_routes("/rest/data", data15),
            *_routes("/rest/availableconstraint", availability15),
            *_routes("/rest/schema", schema15),
            *_routes("/rest/metadata", metadata15),
            Route("/rest/{query:path}", structure15),
            *_routes("/sdmx/v2/data", data22),
            *_routes("/sdmx/v2/availability", availability22),
            *_routes("/sdmx/v2/schema", schema22),
            *_routes("/sdmx/v2/metadata", metadata22),
            *_routes("/sdmx/v2/registration", registration22),
            *_routes("/sdmx/v2/structure", structure22),
        ],
        middleware=[
            Middleware(_Coded),
            Middleware(Quick, current=current, cache=cache),
            Middleware(_Open),
            Middleware(Compression),
        ],
        exception_handlers={
            SdmxServiceError: answer_error,
            HTTPException: answer_error,
            Exception: answer_error,
        },
    )
    # A redirect would lead to the address that the server thinks it has.
    app.router.redirect_slashes = False
    app.state.current = current
    return app


def served() -> Starlette:
    """Return the application of a worker process, which reads the environment."""
    app = application(os.environ[_RELEASES], cache=int(os.environ[_CACHE]))
    app.state.current.prepare()
    # What is there now stays: the collector need not walk it while a request waits.
    gc.collect()
    gc.freeze()
    return app


def serve(
    releases: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    cache: int = 0,
) -> None:
    """Serve the current release until interrupted.

    ``workers`` processes share the mapped images of its tables; each keeps ``cache`` bytes of
    answers. Requests are not logged one by one.
    """
    CurrentRelease(Path(releases)).prepare()  # made once, not by each worker
    os.environ |= {_RELEASES: str(releases), _CACHE: str(cache)}
    uvicorn.run(
        "sdmx_service.web.app:served",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="info",
        access_log=False,
        server_header=False,
    )
